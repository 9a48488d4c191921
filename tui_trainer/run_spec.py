"""What a person asks of a run, before anything is resolved: the options of `launch`, `run` and `compare`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tui_trainer.allowed_code import OPTIONS, Code, is_code
from tui_trainer.events import RunConfigured
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schema import TAKEN_ALONG, Preset
from tui_trainer.run_options import (
    DATASET,
    DATASETS,
    DEVICE_PATTERN,
    MODEL,
    MODELS,
    MOST_THREADS,
    MetricsLevel,
    Precision,
)
from tui_trainer.text.alert_rule import AlertRule, check_rules, parse
from tui_trainer.text.captions import say


def made_for_others(preset: Preset, run: RunConfigured | None) -> str:
    """What is to be said of a preset that is made for other data, or another model, than a run has; empty for none."""
    if run is None:
        return ""
    there = {"dataset": run.dataset, "model": run.model, "precision": run.precision}
    unlike = preset.made_for.unlike(there) if preset.made_for is not None else {}
    meant, kept = [*unlike.values()], [str(there[key]) for key in unlike]
    if preset.model_options and preset.model_options != run.model_options:
        meant += [f"{key} {value:g}" for key, value in preset.model_options.items()]
        kept += [run.model_words] if "model" not in unlike else []
    return say("reply.made_for", meant=", ".join(meant), kept=", ".join(kept)) if meant else ""


def _one_of(known: Sequence[str], name: str) -> str:
    if name not in known and not is_code(name):
        raise ValueError(say("code.wrong_name", name=name, known=", ".join(known)))
    return name


def _code(name: str) -> str:
    if not is_code(name):
        raise ValueError(say("code.wrong_form", name=name))
    return name


class RunSpec(BaseModel):
    """One run, as asked for. The preset is in full, with `--epochs` and `--batch-size` already put in.

    `RunSpec.of` makes one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset_name: str
    """The preset's name, or the stem of its file."""
    preset: Preset
    dataset: Annotated[str, AfterValidator(partial(_one_of, DATASETS))] = DATASET
    """One of `DATASETS`, or code that gives one, as `module:function`."""
    own_images: int | None = Field(None, ge=1)
    """How many images such code gave to train on, as the run was asked for; None of ours."""
    data_dir: Path | None = None
    """A torchvision `root`; None looks in the user's cache folder and downloads what is missing."""
    model: Annotated[str, AfterValidator(partial(_one_of, MODELS))] = MODEL
    """One of `MODELS`, or code that makes one, as `module:function`."""
    loss: Annotated[str, AfterValidator(_code)] | None = None
    """Code that is trained with, as `module:function`: `f(output, target)`; None: cross-entropy."""
    optimizer: Annotated[str, AfterValidator(_code)] | None = None
    """Code that makes the optimizer, as `module:function`; None: the preset's."""
    code_dir: Path | None = None
    """Where modules of such code are looked for first."""
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
    metrics: MetricsLevel = "default"
    """Whether more is measured than losses, LRs and accuracies: norms of the network, what classes are confused."""
    epochs: int | None = Field(None, ge=1)
    """Asked for instead of the preset's."""
    batch_size: int | None = Field(None, ge=1)
    """Asked for instead of the preset's."""
    limit_train: int | None = Field(None, ge=1)
    limit_val: int | None = Field(None, ge=1)
    name: str | None = None
    """A name that a person gives the run, to find it by."""
    alerts: Annotated[tuple[str, ...], AfterValidator(check_rules)] = ()
    """Rules of which a person is told, as `text/alert_rule.py` has them, beside those of the preset."""
    from_preset: tuple[Literal["dataset", "model", "precision"], ...] = ()
    """Which of these no person named: they are those that a preset is made for (`[for]`)."""

    @classmethod
    def of(cls, preset_name: str, preset: Preset, **options: Any) -> Self:
        """The run that `options` ask for, its epochs and batch size put into the preset.

        A data set, a model or a precision that is left out, or None, is that which the preset is made for, else the
        usual one.

        Raises:
            pydantic.ValidationError: an option out of its range.
        """
        changed = preset.with_training(options.get("epochs"), options.get("batch_size"))
        if is_code(own_optimizer := options.get("optimizer")):
            changed = changed.with_optimizer(str(own_optimizer), str(options.get("code_dir") or "."))
        given = {key: value for key, value in options.items() if value is not None or key not in TAKEN_ALONG}
        own = preset.made_for.options if preset.made_for is not None else {}
        taken = {key: value for key, value in own.items() if key not in given}
        return cls(**{"from_preset": tuple(taken), **given, **taken}, preset_name=preset_name, preset=changed)

    @property
    def code(self) -> tuple[Code, ...]:
        """The code of a person's own that it is made of; it runs only where that person allows it."""
        named = {option: getattr(self, option) for option in OPTIONS}
        return tuple(Code(option, name, str(self.code_dir or ".")) for option, name in named.items() if is_code(name))

    @property
    def taken(self) -> str:
        """What was taken from a preset, for a person: `dataset cifar10, model resnet9-slim`; empty where nothing."""
        return ", ".join(f"{key} {getattr(self, key)}" for key in self.from_preset)

    @property
    def rules(self) -> list[AlertRule]:
        """All of which a person is told: those of the preset, and those that were asked for."""
        return [parse(rule) for rule in dict.fromkeys((*self.preset.alerts, *self.alerts))]

    @property
    def train_images(self) -> int:
        """How many images an epoch trains on."""
        return self.conditions.train_images

    @property
    def conditions(self) -> RunConditions:
        """What a preset does not say of this run, for its checks."""
        return RunConditions.of(options=vars(self))

    @property
    def batches_per_epoch(self) -> int:
        """Steps of the optimizer an epoch: its batches, the last and smaller one included, or several to a step."""
        return self.preset.training.steps_per_epoch(self.train_images)
