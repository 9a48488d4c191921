"""A preset: what to train with, for how long, and how the learning rate is to move."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from tui_trainer.presets.augmentation import Augmentation
from tui_trainer.presets.early_stopping import EarlyStopping
from tui_trainer.presets.fields import ClipAt, Count, Decay, Fraction, Rate, Share, Table
from tui_trainer.presets.optimizers import OF_GROUPS, AnyOptimizer, OwnOptimizer
from tui_trainer.presets.parameter_groups import MuonGroup
from tui_trainer.presets.problems import PresetError, PresetText
from tui_trainer.presets.schedulers import AnyScheduler, NoScheduler
from tui_trainer.presets.wording import explain
from tui_trainer.run_options import MOST_EPOCHS, Dataset, Model, Precision
from tui_trainer.text.alert_rule import check_rules
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain

EPOCHS = 10
BATCH_SIZE = 64


class Training(Table):
    """`[training]`: how long, and in what portions."""

    epochs: Annotated[int, Field(ge=1, le=MOST_EPOCHS)] = EPOCHS
    """How often the whole training data is gone through."""
    batch_size: Annotated[int, Field(ge=1, le=10_000_000)] = BATCH_SIZE
    """How many images go into one batch. The last batch of an epoch holds what is left."""
    accumulate: Annotated[int, Field(ge=1, le=100_000)] = 1
    """The gradients of how many batches are added up for one step of the optimizer, by their mean over all images. The
    last step of an epoch has the batches that are left."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """How much of each label is shared out among all classes, in the training loss alone."""
    clip_grad_norm: ClipAt | None = None
    """To which norm the gradients of all weights, taken as one vector, are scaled down where theirs is larger."""
    clip_grad_value: ClipAt | None = None
    """How large each number of the gradients may be, up or down; larger ones are cut off there."""

    ema_decay: Share | None = None
    """Validate an exponential moving average of the weights, of which each step keeps this part; such as 0.999."""
    swa_start: Count | None = None
    """Validate the mean of the weights at the ends of epochs (SWA), from that of this epoch on."""
    swa_lr: Rate | None = None
    """To which LR that of every group is brought from the end of that epoch on, and held there: torch's SWALR. The
    scheduler has the epochs before."""
    swa_anneal_epochs: Count = 10
    """How many epochs that takes."""
    swa_anneal_strategy: Literal["cos", "linear"] = "cos"
    """The shape of the way: half a cosine, or a straight line."""
    early_stopping: EarlyStopping | None = None
    """When to end before the last epoch, such as {monitor = "val_loss", patience = 3}."""
    augmentation: Augmentation | None = None
    """What every epoch makes of each image anew, in the place of what the data set has; an empty list: nothing."""

    @property
    def images_a_step(self) -> int:
        """How many images a step of the optimizer is made of; the last one of an epoch has what is left."""
        return self.batch_size * self.accumulate

    def steps_per_epoch(self, images: int) -> int:
        """How many steps the optimizer makes in an epoch of so many images: one a batch, unless several make one."""
        return -(-images // self.images_a_step)

    def scheduled_epochs(self, epochs: int, first_epoch: int = 1) -> int:
        """How many of so many epochs from `first_epoch` on the scheduler has: `swa_lr` leaves it those before."""
        if self.swa_lr is None or self.swa_start is None:
            return epochs
        return max(0, min(epochs, self.swa_start - first_epoch))

    @property
    def unit(self) -> Literal["batch", "step"]:
        """What a person counts in an epoch: batches, where each is a step."""
        return "batch" if self.accumulate == 1 else "step"

    @model_serializer(mode="wrap")
    def _as_written(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what is not used: as records have it that know no such key."""
        data: dict[str, Any] = dump(self)
        return {key: value for key, value in data.items() if key in _ALWAYS or value != _UNUSED[key]}


_ALWAYS = ("epochs", "batch_size")
_UNUSED = {key: field.default for key, field in Training.model_fields.items()}
"""What the keys of [training] say where they are not used."""


class Warmup(Table):
    """`[warmup]`: a LinearLR ramp, or a ConstantLR, stepped after every batch, in front of the scheduler."""

    epochs: Count | None = None
    """How many epochs the ramp lasts, 1 where nothing is said; the scheduler begins after them, at its own step 0."""
    steps: Count | None = None
    """How many steps it lasts, instead of `epochs`."""
    start_factor: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Which part of the learning rate the first batch uses."""
    method: Literal["linear", "constant"] = "linear"
    """`linear`: a line up to the whole learning rate; `constant`: that part of it until the end."""

    @model_validator(mode="before")
    @classmethod
    def _an_epoch_where_nothing_is_said(cls, data: Any) -> Any:
        if isinstance(data, dict) and "epochs" not in data and "steps" not in data:
            return data | {"epochs": 1}
        return data

    @model_serializer(mode="wrap")
    def _as_written(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what is not there: as records have it that know no such key."""
        data: dict[str, Any] = dump(self)
        return {key: value for key, value in data.items() if value is not None and (key, value) != ("method", "linear")}

    @property
    def words(self) -> str:
        """`2 epochs`, `500 steps`."""
        return counted(self.epochs or 0, "epoch") if self.steps is None else counted(self.steps, "step")

    def batches(self, batches_per_epoch: int) -> int:
        """How many batches it lasts."""
        return (self.epochs or 0) * batches_per_epoch if self.steps is None else self.steps


class ModelOptions(Table):
    """`[model]`: the network is otherwise than by itself."""

    width: Annotated[int, Field(ge=1, le=1024)] | None = None
    """How wide it is: the units between the layers of mlp (256), the channels of resnet9's first layer (64; of
    resnet9-slim 16), how many times as wide as a plain ResNet wrn-16-4 is (4)."""
    dropout: Decay | None = None
    """Which part of the values is left out at random as it trains: before the last layer, of wrn-16-4 in each block."""

    @property
    def given(self) -> dict[str, float | int]:
        """What it says."""
        return {key: value for key in ("width", "dropout") if (value := getattr(self, key)) is not None}


class MadeFor(Table):
    """`[for]`: what it was made for, and takes along wherever the person does not say otherwise."""

    dataset: Dataset | None = None
    """The data set that it was made for."""
    model: Model | None = None
    """The model that it was made for."""
    precision: Precision | None = None
    """What the forward pass was to compute in."""

    @property
    def options(self) -> dict[str, str]:
        """What it says, by the options' names."""
        return {key: value for key in TAKEN_ALONG if (value := getattr(self, key)) is not None}

    @property
    def words(self) -> str:
        """`cifar10, resnet9-slim, bf16`."""
        return ", ".join(self.options.values())

    def unlike(self, there: Mapping[str, str | None]) -> dict[str, str]:
        """What it says and what is told of `there` says otherwise."""
        return {key: value for key, value in self.options.items() if there.get(key) and there[key] != value}


class Published(Table):
    """`[published]`: whose recipe it is. Text for people; nothing follows from it."""

    source: Annotated[str, Field(min_length=1, max_length=300), AfterValidator(plain)]
    """Who published it, and where."""
    accuracy: Fraction | None = None
    """The accuracy on test images that was published for it, as a part of 1; left out where none was."""
    differs: Annotated[str, Field(max_length=300), AfterValidator(plain)] = ""
    """What is otherwise here than as it was published, where no preset can say it."""


TAKEN_ALONG = ("dataset", "model", "precision")
"""The options of a run that a preset may bring."""


class TitleAndText(Table):
    """The lines above the tables. They are plain text: control characters are taken out as they are read."""

    title: Annotated[str, Field(max_length=200), AfterValidator(plain)] = ""
    """One line that says what it shows."""
    description: Annotated[str, Field(max_length=2000), AfterValidator(plain)] = ""
    """When one would pick it, in a sentence or two."""


class Preset(TitleAndText):
    """A preset, as its file says it."""

    training: Training = Training()
    """How long, and in what portions."""
    alerts: Annotated[tuple[str, ...], Field(strict=False), AfterValidator(check_rules)] = ()
    """Rules of which a person is told, such as "val_loss > 2 for 3 epochs"."""
    optimizer: AnyOptimizer
    """What moves the weights."""
    scheduler: AnyScheduler = NoScheduler(name="none")
    """What moves the learning rate."""
    warmup: Warmup | None = None
    """A ramp in front of the scheduler."""
    made_for: MadeFor | None = Field(None, alias="for")
    """`[for]`: the data set, the model and the precision that it was made for."""

    network: ModelOptions | None = Field(None, alias="model")
    """`[model]`: how the network is otherwise."""
    published: Published | None = None
    """`[published]`: whose recipe it is, and what came of it there."""

    _source: PresetText = PrivateAttr(default_factory=PresetText)

    @property
    def source(self) -> PresetText:
        """Where it was written, for problems to point at."""
        return self._source

    def warmup_steps(self, batches_per_epoch: int) -> int:
        """How many batches the warm-up takes; 0 without one."""
        return self.warmup.batches(batches_per_epoch) if self.warmup else 0

    @property
    def model_options(self) -> dict[str, float | int]:
        """How the network is otherwise than by itself."""
        return self.network.given if self.network is not None else {}

    @property
    def groups_with_lr(self) -> tuple[int, ...]:
        """The numbers of the groups of parameters that have an LR of their own, from 1 on; 0 are those that none
        matches."""
        of_list = bool(self.scheduler.lists)
        return tuple(number for number, group in enumerate(self.optimizer.groups, 1) if of_list or group.has_lr)

    @property
    def start_lr(self) -> float:
        """The LR that the schedule starts from, behind a warm-up."""
        own = self.scheduler.own_start
        return self.optimizer.lr if own is None else own

    def lr_name(self, number: int) -> str:
        """The series of the LR of a group, as Lightning's LearningRateMonitor names it: `lr-SGD/pg2`."""
        group = self.optimizer.groups[number - 1]
        return f"lr-{group.optimizer if isinstance(group, MuonGroup) else self.optimizer.name}/pg{number + 1}"

    def of_group(self, number: int) -> Self:
        """As if all parameters were those of one group: 0 for those that no group matches, else that of its number.

        The LRs are those of the group, float for float: torch reckons each group by itself.
        """
        optimizer = self.optimizer
        if not optimizer.groups and not self.scheduler.lists:
            return self
        changes: dict[str, Any] = {"groups": ()}
        scheduler = self.scheduler.of_group(number)
        if number:
            group = optimizer.groups[number - 1]
            changes["lr"] = group.lr_of(optimizer.lr)
            scheduler = scheduler.scaled(group.lr_scale or 1.0)
            changes |= {} if group.weight_decay is None else {"weight_decay": group.weight_decay}
        alone = {"optimizer": optimizer.model_copy(update=changes), "scheduler": scheduler}
        return self.model_copy(update=alone).written_in(self._source)

    @model_serializer(mode="wrap")
    def _as_written(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """With the table's own name, and without what is not there: as records have it that know no such key."""
        data: dict[str, Any] = dump(self)
        data.pop("made_for", None)
        data.pop("for", None)
        data.pop("network", None)
        data.pop("model", None)
        if self.model_options:
            data["model"] = self.model_options
        if not self.alerts:
            data.pop("alerts")
        if self.published is None:
            data.pop("published")
        return data if self.made_for is None else data | {"for": self.made_for.options}

    def written_in(self, source: PresetText) -> Self:
        """The same preset, which knows where it was written."""
        copy = self.model_copy()
        copy._source = source
        return copy

    def with_optimizer(self, name: str, folder: str) -> Self:
        """The same preset with an optimizer of a person's own, as `module:function`: of the preset's it has the LR, the
        weight decay and the groups of parameters."""
        kept = {key: getattr(self.optimizer, key) for key in ("lr", *OF_GROUPS)}
        decay = getattr(self.optimizer, "weight_decay", 0.0)
        own = OwnOptimizer(name=name, folder=folder, weight_decay=decay, **kept)
        return self.model_copy(update={"optimizer": own}).written_in(self._source)

    def with_training(self, epochs: int | None = None, batch_size: int | None = None) -> Self:
        """The same preset for other epochs or another batch size; None leaves what it says.

        Raises:
            PresetError: a number out of range.
        """
        changes = {"epochs": epochs, "batch_size": batch_size}
        changes = {key: value for key, value in changes.items() if value is not None}
        if not changes:
            return self
        source = PresetText(self.source.file, {**self.source.lines, **{("training", key): None for key in changes}})
        try:
            training = Training.model_validate(self.training.model_dump() | changes)
        except ValidationError as error:
            raise PresetError(explain(error, Training, "training", source)) from None
        return self.model_copy(update={"training": training}).written_in(source)


PRESET_KEYS = tuple(field.alias or name for name, field in Preset.model_fields.items())
"""The keys and tables of a preset's file."""
