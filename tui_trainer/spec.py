"""What a person asks of a run, before anything is resolved: the options of `launch`, `run` and `compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from tui_trainer.presets import Preset, Run

Dataset: TypeAlias = Literal["mnist-5k", "mnist", "fashion-mnist", "cifar10"]
Model: TypeAlias = Literal["cnn", "mlp", "resnet9", "resnet9-slim", "resnet18"]
Precision: TypeAlias = Literal["fp32", "bf16"]

DATASETS: tuple[Dataset, ...] = ("mnist-5k", "mnist", "fashion-mnist", "cifar10")
MODELS: tuple[Model, ...] = ("cnn", "mlp", "resnet9", "resnet9-slim", "resnet18")
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16")
BATCH_NORM_MODELS: frozenset[Model] = frozenset({"resnet9", "resnet9-slim", "resnet18"})
"""Those that normalise over the batch, which a batch of one image cannot train."""

TRAIN_IMAGES: dict[Dataset, int] = {"mnist-5k": 4_000, "mnist": 60_000, "fashion-mnist": 60_000, "cifar10": 50_000}
"""How many training images each data set has, known without loading it: plans and checks reckon with it."""

DEVICE_PATTERN = r"^(auto|cpu|cuda|cuda:\d+)$"


class RunSpec(BaseModel):
    """One run, as asked for. The preset is in full, with `--epochs` and `--batch-size` already put in.

    `RunSpec.of` makes one, `with_preset` the same run with another preset.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset_name: str
    """The preset's name, or the stem of its file."""
    preset: Preset
    dataset: Dataset = "mnist-5k"
    data_dir: Path | None = None
    """A torchvision `root`; None looks in the user's cache folder and downloads what is missing."""
    model: Model = "cnn"
    device: str = Field("auto", pattern=DEVICE_PATTERN)
    seed: int = Field(0, ge=0, lt=2**63)
    threads: int | None = Field(None, ge=1)
    """OpenMP threads of the training thread; None lets the run choose."""
    precision: Precision | None = None
    """What the forward pass computes in; None: fp32 on a CPU, bf16 on CUDA where it has that."""
    compile: bool = False
    """Whether the network is compiled before the first batch."""
    epochs: int | None = Field(None, ge=1)
    """Asked for instead of the preset's."""
    batch_size: int | None = Field(None, ge=1)
    """Asked for instead of the preset's."""
    limit_train: int | None = Field(None, ge=1)
    limit_val: int | None = Field(None, ge=1)
    name: str | None = None
    """A name that a person gives the run, to find it by."""

    @classmethod
    def of(cls, preset_name: str, preset: Preset, **options: Any) -> Self:
        """The run that `options` ask for, its epochs and batch size put into the preset.

        Raises:
            pydantic.ValidationError: an option out of its range.
        """
        changed = preset.with_training(options.get("epochs"), options.get("batch_size"))
        return cls(preset_name=preset_name, preset=changed, **options)

    def with_preset(self, preset_name: str, preset: Preset) -> Self:
        """The same run with another preset, whose epochs and batch size yield to those asked for."""
        changed = preset.with_training(self.epochs, self.batch_size)
        return self.model_copy(update={"preset_name": preset_name, "preset": changed})

    @property
    def train_images(self) -> int:
        """How many images an epoch trains on."""
        return train_images(self.dataset, self.limit_train)

    @property
    def conditions(self) -> Run:
        """What a preset does not say of this run, for its checks."""
        return Run(train_images=self.train_images, batchnorm=self.model in BATCH_NORM_MODELS)

    @property
    def batches_per_epoch(self) -> int:
        """Batches an epoch, the last and smaller one included."""
        return -(-self.train_images // self.preset.training.batch_size)


def train_images(dataset: Dataset, limit: int | None) -> int:
    """How many images of a data set train, where no more than `limit` may."""
    return TRAIN_IMAGES[dataset] if limit is None else min(limit, TRAIN_IMAGES[dataset])
