"""What a person asks of a run, before anything is resolved: the options of `launch`, `run` and `compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schema import Preset
from tui_trainer.run_options import (
    BATCH_NORM_MODELS,
    DEVICE_PATTERN,
    MOST_THREADS,
    Dataset,
    Model,
    Precision,
    train_images,
)


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
    threads: int | None = Field(None, ge=1, le=MOST_THREADS)
    """OpenMP threads of the training thread; None lets the run choose."""
    precision: Precision | None = None
    """What the forward pass computes in; None: fp32 on a CPU, bf16 on CUDA where it has that."""
    compile: bool = False
    """Whether the network is compiled before the first batch."""
    deterministic: bool = False
    """Whether only algorithms are taken that give the same bits each time; on a CPU they do anyway."""
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
    def conditions(self) -> RunConditions:
        """What a preset does not say of this run, for its checks."""
        return RunConditions(train_images=self.train_images, batchnorm=self.model in BATCH_NORM_MODELS)

    @property
    def batches_per_epoch(self) -> int:
        """Batches an epoch, the last and smaller one included."""
        return -(-self.train_images // self.preset.training.batch_size)
