"""What can happen in a run, and how it is written down.

The loop emits these and knows nothing of who listens; a journal is one of them a line, as JSON; the state of a run
is a fold over them (`tui_trainer.records.history`). The set is closed: a reader that meets a line it does not know
skips it and says so.

Units: `at` is Unix time in seconds; `elapsed` is seconds on the run's own clock, which starts at the first batch and
stands still while the run is paused; losses are means over images; accuracies are fractions from 0 to 1. Steps,
epochs and batches count from 1.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import inf, isfinite, nan
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Meta

from tui_trainer.text.captions import say
from tui_trainer.text.reasons import Reason, read, says

SCHEMA = 2
"""The version of the record's form. A reader takes its own version and older ones.

2 has `MetricDeclared`, `MetricsLogged`, `MetricColumns`, metrics of each step, and reasons as codes beside their words.
"""

CALLS = (
    "zero_grad",
    "forward",
    "loss",
    "backward",
    "clip_grad",
    "optimizer.step",
    "ema.update",
    "scheduler.step",
    "swa.update",
    "validate",
)
"""The calls of the training loop that are watched, by the names the record uses."""

Status: TypeAlias = Literal["running", "paused", "finished", "stopped", "diverged", "crashed"]
EndStatus: TypeAlias = Literal["finished", "stopped", "diverged", "crashed"]


# JSON has no NaN and no infinity: what is not finite is written as null, or as a word.
if TYPE_CHECKING:
    Measured: TypeAlias = float
    MetricValue: TypeAlias = float | int
else:
    Measured = float | None
    MetricValue = int | float | Literal["inf", "-inf"] | None
"""`Measured` may have come out as not finite: null in a record, nan to all readers.

`MetricValue` keeps what it was: nan is null, an infinity "inf" or "-inf". Whole numbers stay whole, however large.
"""


# What a record may say: damaged, or made to harm, it may hold anything. These are bounds for what is read, not for what
# the loop tells.

LONGEST_TEXT = 4000
"""Characters of a text for people; what is longer is cut, and says so."""

MOST_SECONDS = 1e9
MOST_IN_A_LIST = 100_000
"""Points of a plan. Of steps in a line the line's own length is the bound."""
MOST_METRICS = 10_000
"""Names in a line. The thousands that a large run logs are some; a million are made to harm."""
MOST_CLASSES = 256
LARGEST_WHOLE = 2**63
"""What is as large is kept as a float."""

Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**62)]
Number: TypeAlias = Annotated[int, Meta(ge=1, le=2**62)]
"""Of a step, an epoch or a batch."""
Moment: TypeAlias = Annotated[float, Meta(ge=0, le=1e11)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=MOST_SECONDS)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Speed: TypeAlias = Annotated[float, Meta(ge=0, le=1e15)]
if TYPE_CHECKING:
    MeasuredShare: TypeAlias = float
    MeasuredSpeed: TypeAlias = float
else:
    MeasuredShare = Share | None
    MeasuredSpeed = Speed | None
"""A share that may not have been measured: null in a record, nan to all readers."""
Name: TypeAlias = Annotated[str, Meta(max_length=1000)]
"""What a thing is called; not cut, since a part of it is another name."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """The base of all events."""

    at: Moment


class Lengths(NamedTuple):
    """Of a run whose end is known from its beginning."""

    epochs: int
    batches_per_epoch: int
    total_steps: int


class ResolvedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a preset came to for this run: names for the screen, and lengths.

    Of a watched program, what was seen of its optimizer and its scheduler.
    """

    preset: Name
    """Empty where none is followed: of a watched program."""
    title: str
    optimizer: Name
    """Its class; of a watched program with several, that which the steps are counted by."""
    scheduler: Name
    """Its class; `none` where there is none, empty where that is not known."""
    interval: Literal["step", "epoch"] | None
    """When the scheduler steps: after every batch or after validation; None where there is no scheduler, or that is not
    known."""
    monitor: Name | None
    """What ReduceLROnPlateau watches, `val_loss` or `val_accuracy`; None for the others, and where that is not known.
    """
    warmup_epochs: Count
    """0 where there is none, or it is told in steps."""
    epochs: Count | None
    """The last epoch of the run under this recipe; None where no end is known."""
    batch_size: Count
    """0 where it is not known."""
    batches_per_epoch: Count | None
    """Steps of an epoch: its batches, unless `accumulate` of them make one; None where it is not known, or the run
    counts no epochs."""
    total_steps: Count | None
    """The last step of the run under this recipe; None where no end is known."""
    min_lr: float | None = None
    """Under which ReduceLROnPlateau does not go; None for the others, and in records of earlier versions."""
    warmup_steps: Count = 0
    """Of a warm-up that is told in steps; 0 where there is none, or it is told in epochs."""
    clip_grad_norm: float | None = None
    """To which norm the gradients of a step are scaled down; None where they are not, and where that is not known."""
    clip_grad_value: float | None = None
    """Where each number of the gradients is cut off; None as above."""
    ema_decay: float | None = None
    """Which part of the average of the weights, which is validated, each step keeps; None where the weights are, and
    where that is not known."""
    swa_start: Number | None = None
    """From the end of which epoch on the mean of the weights is validated; None as above."""
    swa_lr: float | None = None
    """To which LR that of the scheduler is brought from there on; None where it is not, and as above."""
    accumulate: Number = 1
    """How many batches make a step of the optimizer together; 1 where that is not known."""
    took_over_at: Count = 0
    """Of a watched program whose steps were another optimizer's until then: the first step of this one, with which the
    training of another network, or another part of it, begins. 0 where all are its own."""

    def __post_init__(self) -> None:
        _cut(self, "title")

    @property
    def images_a_step(self) -> int:
        """How many images a step is made of, but for the last one of an epoch; 0 where it is not known."""
        return self.batch_size * self.accumulate

    @property
    def unit(self) -> Literal["batch", "step"]:
        """What a person counts in an epoch: batches, where each is a step."""
        return "batch" if self.accumulate == 1 else "step"

    @property
    def warmup_batches(self) -> int:
        """How many steps the warm-up takes; 0 where there is none."""
        return self.warmup_steps or self.warmup_epochs * (self.batches_per_epoch or 0)

    @property
    def lengths(self) -> Lengths:
        """How long the run and its epochs are.

        Raises:
            ValueError: that is not known.
        """
        if self.epochs is None or self.batches_per_epoch is None or self.total_steps is None:
            raise ValueError(f"{self.preset} has no known end")
        return Lengths(self.epochs, self.batches_per_epoch, self.total_steps)


class Digests(msgspec.Struct, frozen=True, kw_only=True):
    """What a run begins with, in SHA-256: runs that have one in common had it alike, to the bit. Empty: not told."""

    weights: Name = ""
    """The initial weights, before they go to the device."""
    data: Name = ""
    """Images and labels, those that train and those that validate, and how they are normalised."""
    order: Name = ""
    """The order of the images in the first epoch, with what is cropped and flipped; others follow the same rule."""
    code: Name = ""
    """The files of a person's own code that it is made of; of the modules that are named, and not what they import."""


MOMENTUM = "momentum"
"""The series of the momentum of each step, in a run that moves it: beta1 of an optimizer with betas."""


class RunStarted(Event, frozen=True, kw_only=True, tag=True):
    """A process began to write this record; a second one in a record is a resume."""

    run: Name
    schema: Count
    pid: Count
    host: Name
    resumed_from_step: Count | None = None


TRAINING = "training"
"""The phase in which batches are trained: the last one."""


class PhaseStarted(Event, frozen=True, kw_only=True, tag=True):
    """What the run is doing now, in words for a person: never a blank before the first batch."""

    phase: Name
    detail: str = ""

    def __post_init__(self) -> None:
        _cut(self, "detail")


class RunConfigured(Event, frozen=True, kw_only=True, tag="RunResolved"):
    """Everything that was asked for with a default or `auto` is now settled.

    Of a watched program it tells what could be seen, and may be told again as more is: what is not known is an empty
    text or None.
    """

    dataset: Name = ""
    model: Name = ""
    parameters: Count | None = None
    device: Name = ""
    """As torch names it: `cpu`, `cuda:0`."""
    device_name: Name = ""
    threads: Count | None = None
    precision: Name = ""
    """What the forward pass computes in: `fp32`, `bf16`."""
    seed: int | None = None
    train_images: Count | None = None
    val_images: Count | None = None
    recipe: ResolvedConfig
    versions: Annotated[dict[Name, Name], Meta(max_length=100)] = {}
    ranks: Count = 1
    """Processes that train together, each with a share of every batch."""
    digests: Digests = Digests()
    augmentation: Name = ""
    """What every epoch makes of each image anew: `none`, `crop and flip`; empty in records that do not tell."""
    classes: Count = 0
    """Of the labels; 0 in records that do not tell."""
    device_uuid: Name = ""
    """Of a CUDA device or a slice of one, as torch gives it: others number them otherwise. Empty for the CPU."""
    arithmetic: Annotated[dict[Name, Name], Meta(max_length=100)] = {}
    """On CUDA: what decides about the last bits, by torch's own names: `cudnn.allow_tf32` is `True`, and so on."""
    model_options: Annotated[dict[Name, float], Meta(max_length=100)] = {}
    """How the network is otherwise than by itself: its `width`, its `dropout`."""
    code: Annotated[dict[Name, Name], Meta(max_length=100)] = {}
    """What of it is a person's own code: `loss` is `mine:focal`. Empty: none, or the record does not tell."""

    @property
    def model_words(self) -> str:
        """`wrn-16-4`, `wrn-16-4 (width 8, dropout 0.3)`."""
        options = ", ".join(f"{name} {value:g}" for name, value in self.model_options.items())
        return f"{self.model} ({options})" if options else self.model

    @property
    def on_cuda(self) -> bool:
        """Whether it trains on a CUDA device: calls return as their work is launched there, before it is done."""
        return self.device.startswith("cuda")


class GroupPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The planned LR of a group of parameters, as `PlanMade` has that of each step."""

    steps: list[int]
    lrs: list[float]
    label: Name = ""
    """What the group is called."""


class PlanMade(Event, frozen=True, kw_only=True, tag=True):
    """The LR curve that the real scheduler gave in a rehearsal.

    `steps[i]` is the first step that runs with `lrs[i]`, which holds until the next entry. Long curves are thinned
    for drawing (`exact` is false then); `note` says what a person must know of it (Plateau: depends on the losses).
    """

    steps: list[int]
    lrs: list[float]
    last_step: Count
    exact: bool = True
    note: str = ""
    open_ended: bool = False
    """Whether the run may end before `last_step`, or after it: how long it will be is not known."""
    groups: Annotated[dict[Name, GroupPlan], Meta(max_length=100)] = {}
    """Of groups of parameters with an LR of their own, by the series of that."""
    momentum: GroupPlan | None = None
    """The planned momentum, in the place of LRs, of some steps of a long run; None where no schedule moves it, and in
    records of earlier versions."""

    def __post_init__(self) -> None:
        _cut(self, "note")

    @property
    def short_note(self) -> str:
        """The note up to its colon, behind which it explains itself: for where there is little room."""
        return self.note.partition(":")[0]


class StepsTaken(Event, frozen=True, kw_only=True, omit_defaults=True, tag=True):
    """Consecutive batches of one epoch; `step` and `batch` are those of the first.

    `lrs` is what the optimizer used for each, a single value that held for all, or empty where that is not known.
    `losses` are float32, rounded to nine significant digits, which give the same float32 back; None is a loss that was
    not finite (JSON has no NaN). `metrics` holds other numbers of these steps, by the names of their series; None is
    one that was not finite.
    """

    step: Number
    epoch: Number
    batch: Number
    losses: list[float | None]
    lrs: list[float]
    elapsed: list[float]
    metrics: Annotated[dict[Name, list[float | None]], Meta(max_length=100)] = msgspec.field(default_factory=dict)
    losses_seen: bool = True
    """False: of these steps of a watched program no loss was to be seen, and all are None."""


Goal: TypeAlias = Literal["min", "max", "none"]
Kind: TypeAlias = Literal["train", "val", "lr", "system", "other"]


class MetricDeclared(Event, frozen=True, kw_only=True, tag=True):
    """What a series is, told before its first number or later; the last one told holds."""

    name: Name
    goal: Goal = "none"
    """Whether less or more of it is better; `none`: neither."""
    unit: Name = ""
    """As a person writes it behind the number: `s`, `MB`, `°C`; empty for plain numbers."""
    kind: Kind = "other"
    """`train` and `val`: of the images that train or validate; `lr`: what an optimizer used; `system`: the machine."""
    group: Name = ""
    """What it is shown under; empty: the part of its name before the last slash."""
    shown_as: Name = ""
    """What the program itself calls it: `errD_real` for the `train_loss` of a run; empty: its name."""
    objective: bool = False
    """Whether the run is judged by it."""


class MetricsLogged(Event, frozen=True, kw_only=True, omit_defaults=True, tag=True, gc=False):
    """Numbers that were logged together, by the names of their series.

    Steps of a series may be far apart and begin anywhere; one that is not behind the last one overwrites what stands
    from there on, as a training that was begun again does. `epoch` and `batch` are of the step, where they are known.
    """

    step: Count
    values: Annotated[dict[Name, MetricValue], Meta(max_length=MOST_METRICS)]
    epoch: Count | None = None
    batch: Count | None = None
    elapsed: Seconds | None = None

    def __post_init__(self) -> None:
        for each in self.values.values():  # quicker than any other way: a record may hold millions of rows
            if type(each) is not float:
                kept = {name: _kept(value) for name, value in self.values.items()}
                msgspec.structs.force_setattr(self, "values", kept)
                return


class MetricColumns(Event, frozen=True, kw_only=True, omit_defaults=True, tag=True):
    """Numbers of the same series at many steps, as many `MetricsLogged` would tell them: `values[name][i]` is of
    `steps[i]`.

    For readers that have numbers in columns. A run that trains tells rows, as they come.
    """

    steps: list[int]
    """Rising."""
    values: Annotated[dict[Name, list[MetricValue]], Meta(max_length=MOST_METRICS)]
    epochs: list[int] = msgspec.field(default_factory=list)
    """As many as steps, or none."""
    elapsed: list[float] = msgspec.field(default_factory=list)
    """As many as steps, or none."""

    def __post_init__(self) -> None:
        for name, values in self.values.items():
            if not _NOT_FLOATS.isdisjoint(map(type, values)):
                self.values[name] = [_kept(value) for value in values]


class CallsMade(Event, frozen=True, kw_only=True, tag=True):
    """The order of calls as they really happened: a batch, or an epoch's end (`batch` is None)."""

    step: Count
    epoch: Count
    batch: Count | None
    calls: Annotated[list[Name], Meta(max_length=1000)]


class CallsTimed(Event, frozen=True, kw_only=True, tag=True):
    """What was called since the last event of this kind, how often, and the seconds spent in each.

    `running` is the call that ran at a fixed instant of the clock, so that over time each line of the listing is
    lit as often as it really runs. `seconds` may hold `data`, the time between a batch's calls.
    """

    counts: Annotated[dict[Name, Count], Meta(max_length=100)]
    seconds: Annotated[dict[Name, Seconds], Meta(max_length=100)]
    running: Name


BETWEEN_PARTS = ", "
"""What stands between the parts of a call's value."""


class CallFollowed(Event, frozen=True, kw_only=True, tag=True):
    """In slow motion and batch by batch: one call began, or ended with the value it made, for a person to follow."""

    step: Count
    epoch: Count
    batch: Count | None
    call: Name
    value: str | None
    """None as the call begins; after it, in words: `loss 0.4127`, `lr 0.0711 → 0.0712`, or an empty string."""

    def __post_init__(self) -> None:
        _cut(self, "value")

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the value, the one that matters most first; none of an empty one."""
        return tuple(self.value.split(BETWEEN_PARTS)) if self.value else ()


class LRChanged(Event, frozen=True, kw_only=True, omit_defaults=True, tag=True):
    """A change of the LR that a person would call one. `step` is the last one taken with the old LR."""

    step: Count
    epoch: Count
    old: float
    new: float
    reason: str
    because: Reason | None = None
    """The reason as a code with its values; None in older records, and where it has no code."""
    group: Name = ""
    """Of a group of parameters with an LR of its own, what it is called; empty for the LR of each step."""

    def __post_init__(self) -> None:
        _cut(self, "reason")
        _drop_other_reason(self)

    @property
    def why(self) -> Reason:
        """The reason as data."""
        return self.because or read(self.reason)


class LRUnchanged(Event, frozen=True, kw_only=True, omit_defaults=True, tag="LRHeld"):
    """The scheduler was asked at an epoch's end and left the LR as it is: why, in words."""

    step: Count
    epoch: Count
    lr: float
    reason: str
    because: Reason | None = None
    """As in `LRChanged`."""
    group: Name = ""
    """As in `LRChanged`."""

    def __post_init__(self) -> None:
        _cut(self, "reason")
        _drop_other_reason(self)

    @property
    def why(self) -> Reason:
        """The reason as data."""
        return self.because or read(self.reason)


class PlateauCounted(Event, frozen=True, kw_only=True, tag=True):
    """Where ReduceLROnPlateau stands after an epoch."""

    epoch: Count
    monitor: Name
    value: Measured
    best: Measured
    best_epoch: Count
    bad_epochs: Count
    patience: Count
    cooldown: Count

    def __post_init__(self) -> None:
        _mark_not_finite(self, "value", "best")


class EpochEnded(Event, frozen=True, kw_only=True, omit_defaults=True, tag=True):
    """An epoch was trained and validated. `lr` is what its last batch used; speed counts training alone.

    An accuracy that is nan was not measured.
    """

    epoch: Count
    step: Count
    train_loss: Measured
    train_accuracy: MeasuredShare
    val_loss: Measured
    val_accuracy: MeasuredShare
    lr: Measured
    images_per_second: MeasuredSpeed
    """nan where it was not measured."""
    elapsed: Seconds
    validated: bool | None = True
    """False: the epoch was trained alone; None: nothing is known of a validation, of a watched program. What is said of
    one is nan then."""

    def __post_init__(self) -> None:
        _mark_not_finite(self, "train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr", "images_per_second")


class ConfusionCounted(Event, frozen=True, kw_only=True, tag=True):
    """Which classes a validation took for which: `counts[i][j]` images of class `i` were taken for class `j`."""

    epoch: Count
    step: Count
    classes: Annotated[list[Name], Meta(max_length=MOST_CLASSES)]
    counts: Annotated[list[Annotated[list[Count], Meta(max_length=MOST_CLASSES)]], Meta(max_length=MOST_CLASSES)]


class SwitchPlanned(Event, frozen=True, kw_only=True, tag=True):
    """A switch to another preset was promised; it takes effect as `epoch` begins, unless another one is asked for."""

    epoch: Count
    preset: Name


class PresetSwitched(Event, frozen=True, kw_only=True, tag=True):
    """From `epoch` on (its first step is `step`) the run follows another preset, with the weights kept."""

    step: Count
    epoch: Count
    old: Name
    recipe: ResolvedConfig


EARLY_STOPPING = "early stopping"
"""Who changes the number of epochs where validation gets no better."""


class EpochsChanged(Event, frozen=True, kw_only=True, tag=True):
    """After `step`, in `epoch`, somebody had the run train another number of epochs than it was to, `old`."""

    step: Count
    epoch: Count
    old: Count
    recipe: ResolvedConfig
    """As it is from now on, with the new epochs and the last step of them."""
    by: Name
    then: Name = ""
    """What the epochs behind the end of a finished run follow: `constant`, the LR of its last step, or a preset; empty
    where its own schedule goes on."""


class SettingChanged(Event, frozen=True, kw_only=True, tag=True):
    """Something that may change speed or the last bits of results was chosen or changed: threads, precision."""

    setting: Name
    old: Name
    new: Name
    reason: str

    def __post_init__(self) -> None:
        _cut(self, "reason")


class CheckpointSaved(Event, frozen=True, kw_only=True, tag=True):
    """A checkpoint is whole on the disk; `file` is its name within the run's folder, or the path that a watched program
    gave it."""

    step: Count
    epoch: Count
    file: Name
    best: bool = False


class Paused(Event, frozen=True, kw_only=True, tag=True):
    """The run stands still after `step`."""

    step: Count
    by: Name


class Continued(Event, frozen=True, kw_only=True, tag=True):
    """The run goes on after a pause; `one_batch` when it will pause again after the next batch."""

    step: Count
    by: Name
    one_batch: bool = False


class PaceChanged(Event, frozen=True, kw_only=True, tag=True):
    """Slow motion: the seconds that each call is held for a person to see; 0 is full speed."""

    seconds_a_call: Seconds
    by: Name


SLOW_MOTION = "slow motion"
"""The command that has every call held for a moment."""


class CommandAnswered(Event, frozen=True, kw_only=True, tag=True):
    """What became of a command, so that all viewers see who asked and what happened."""

    id: Name
    command: Name
    by: Name
    accepted: bool
    answer: str

    def __post_init__(self) -> None:
        _cut(self, "answer")


class Alert(Event, frozen=True, kw_only=True, tag="Noticed"):
    """Something a person should know: a warning of a library, a loss that rises, a recording that stopped."""

    kind: Name
    text: str
    over: Name = ""
    """The kind of the warning that this one ends; empty where it ends none, and in records that do not tell."""
    rule: Annotated[str, Meta(max_length=LONGEST_TEXT)] = ""
    """Of the kind `alert`, and of its end: the rule of a person's that it is about."""

    def __post_init__(self) -> None:
        _cut(self, "text")


class ProgramWatched(Event, frozen=True, kw_only=True, tag=True):
    """The run is another program's training: what is told of it was seen from outside."""

    command: Annotated[list[Name], Meta(max_length=1000)]
    """As it was typed; what is secret in it is blanked."""
    cwd: Name
    """The folder that it was begun in."""
    pid: Count = 0
    """Of the process that trains; 0 while that is not known."""


class CallSite(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place in somebody's program where a call of its training loop is made."""

    id: Name
    """As `CallsTimed` and `CallFollowed` name it."""
    call: Name
    """`data`, `zero_grad`, `backward`, `optimizer.step` and so on."""
    text: Name
    """As a person would write it: `errD_real.backward()`, `for images, labels in train_loader:`."""
    file: Name = ""
    """The path of the program's file; empty where only a library's is known."""
    lineno: Count = 0
    function: Name = ""
    within: Name = ""
    """The id of the site that it is nested in: a pass over a DataLoader, an optimizer's closure; empty at the top."""


class LoopFound(Event, frozen=True, kw_only=True, tag=True):
    """The calls of a watched program's loop, in the order in which they come in it; a later one takes its place."""

    sites: Annotated[list[CallSite], Meta(max_length=1000)]


class MistakeFound(Event, frozen=True, kw_only=True, omit_defaults=True, tag=True):
    """Something is wrong with the order of a watched program's calls, and where: said once each."""

    mistake: Name
    """Its code; the words are those of whoever shows it."""
    step: Count
    """How far the run had come."""
    file: Name = ""
    lineno: Count = 0
    values: Annotated[dict[Name, bool | int | float | Annotated[str, Meta(max_length=1000)]], Meta(max_length=50)] = (
        msgspec.field(default_factory=dict)
    )
    """What the words name."""


class RunEnded(Event, frozen=True, kw_only=True, tag=True):
    """The run said goodbye. `exit_code` is the command's, as the contract of the command line has it."""

    status: EndStatus
    reason: str
    step: Count
    epoch: Count
    exit_code: int

    def __post_init__(self) -> None:
        _cut(self, "reason")

    @property
    def why(self) -> Reason:
        """The reason as data."""
        return read(self.reason)


AnyEvent: TypeAlias = (
    RunStarted
    | PhaseStarted
    | RunConfigured
    | PlanMade
    | StepsTaken
    | MetricDeclared
    | MetricsLogged
    | MetricColumns
    | CallsMade
    | CallsTimed
    | CallFollowed
    | LRChanged
    | LRUnchanged
    | PlateauCounted
    | EpochEnded
    | ConfusionCounted
    | SwitchPlanned
    | PresetSwitched
    | EpochsChanged
    | SettingChanged
    | CheckpointSaved
    | Paused
    | Continued
    | PaceChanged
    | CommandAnswered
    | Alert
    | ProgramWatched
    | LoopFound
    | MistakeFound
    | RunEnded
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode(event: AnyEvent) -> bytes:
    """One line of the journal, with its newline."""
    if type(event) is MetricsLogged or type(event) is MetricColumns:
        event = _with_words(event)
    return _encoder.encode(event) + b"\n"


def decode(line: bytes) -> AnyEvent:
    """The event of one line.

    Raises:
        msgspec.DecodeError: the line is torn, or not JSON.
        msgspec.ValidationError: an event that this version does not know, or whose numbers cannot be.
    """
    event = _decoder.decode(line)
    check(event)
    return event


def decode_lines(lines: bytes) -> list[AnyEvent]:
    """The events of whole lines, at several times the speed of one by one.

    Raises:
        msgspec.DecodeError: one of them is no event; `decode` tells which.
    """
    events = _decoder.decode_lines(lines)
    if not _CHECKS.keys().isdisjoint(map(type, events)):
        for event in events:
            if type(event) in _CHECKS:
                check(event)
    return events


def check(event: AnyEvent) -> None:
    """See that the numbers of an event fit each other, as those of every one that the loop tells do.

    Raises:
        msgspec.ValidationError: they do not.
    """
    if (check := _CHECKS.get(type(event))) is not None:
        check(event)


def _check_steps(event: StepsTaken) -> None:
    count = len(event.losses)
    if not count or len(event.elapsed) != count or len(event.lrs) not in (0, 1, count):
        raise msgspec.ValidationError("losses, lrs and elapsed are not as many as each other")
    if not event.losses_seen and event.losses != [None] * count:
        raise msgspec.ValidationError("losses that were not seen")
    if event.batch > event.step or event.epoch > event.step:
        raise msgspec.ValidationError("more batches or epochs than steps")
    if min(event.elapsed) < 0 or max(event.elapsed) > MOST_SECONDS:
        raise msgspec.ValidationError("a time that cannot be")
    if any(len(numbers) != count for numbers in event.metrics.values()):
        raise msgspec.ValidationError("losses and other numbers are not as many as each other")
    try:
        highest, lowest = max(event.losses), min(event.losses)  # type: ignore[type-var]
        sound = highest <= LARGEST_LOSS and lowest >= -LARGEST_LOSS  # type: ignore[operator]
    except TypeError:  # one was not finite
        sound = all(loss is None or -LARGEST_LOSS <= loss <= LARGEST_LOSS for loss in event.losses)
    if not sound:
        raise msgspec.ValidationError("a loss that no float32 can be")


def _check_plan(event: PlanMade) -> None:
    curves: list[PlanMade | GroupPlan] = [event, *event.groups.values()]
    if event.momentum is not None:
        curves.append(event.momentum)
    for curve in curves:
        if len(curve.steps) != len(curve.lrs):
            raise msgspec.ValidationError("steps and lrs are not as many as each other")
        if len(curve.steps) > MOST_IN_A_LIST:
            raise msgspec.ValidationError("more points than a curve needs")
        if curve.steps and (curve.steps[0] < 1 or curve.steps != sorted(set(curve.steps))):
            raise msgspec.ValidationError("steps that do not follow each other")


def _check_columns(event: MetricColumns) -> None:
    count = len(event.steps)
    columns = [*event.values.values(), event.epochs or event.steps, event.elapsed or event.steps]
    if not count or any(len(column) != count for column in columns):
        raise msgspec.ValidationError("columns that are not as long as each other")
    if event.steps[0] < 0 or event.steps[-1] > 2**62 or any(one >= other for one, other in pairwise(event.steps)):
        raise msgspec.ValidationError("steps that do not rise")
    if event.elapsed and not (min(event.elapsed) >= 0 and max(event.elapsed) <= MOST_SECONDS):
        raise msgspec.ValidationError("a time that cannot be")
    if event.epochs and not (min(event.epochs) >= 0 and max(event.epochs) <= 2**62):
        raise msgspec.ValidationError("an epoch that cannot be")


def _check_confusion(event: ConfusionCounted) -> None:
    classes = len(event.classes)
    if len(event.counts) != classes or any(len(row) != classes for row in event.counts):
        raise msgspec.ValidationError("rows, columns and classes are not as many as each other")


def _kept(value: Any) -> float | int:
    """A number as it is kept: words of JSON for what is not finite as floats, and so what is too large."""
    if type(value) is not int:
        kept: float = _NOT_FINITE.get(value, value)
        return kept
    if abs(value) < LARGEST_WHOLE:
        return value
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


LARGEST_LOSS = 3.4028235e38
"""Of a float32."""

_CHECKS: dict[type, Callable[[Any], None]] = {
    StepsTaken: _check_steps,
    PlanMade: _check_plan,
    MetricColumns: _check_columns,
    ConfusionCounted: _check_confusion,
}

_NOT_FLOATS: frozenset[type] = frozenset({type(None), str, int})
_NOT_FINITE: dict[object, float] = {None: nan, "inf": inf, "-inf": -inf}
_WORDS = {inf: "inf", -inf: "-inf"}


def _with_words(event: MetricsLogged | MetricColumns) -> AnyEvent:
    """The same with words for what JSON has none for: nan is null to the encoder."""
    values: dict[str, Any] = {}
    if isinstance(event, MetricColumns):
        if any(word in column for column in event.values.values() for word in _WORDS):
            values = {name: [_WORDS.get(value, value) for value in column] for name, column in event.values.items()}
    elif any(value in _WORDS for value in event.values.values()):
        values = {name: _WORDS.get(value, value) for name, value in event.values.items()}
    if not values:
        return event
    told = msgspec.structs.replace(event)
    msgspec.structs.force_setattr(told, "values", values)
    return told


def _mark_not_finite(event: Event, *fields: str) -> None:
    for field in fields:
        value = getattr(event, field)
        if value is None or not isfinite(value):
            msgspec.structs.force_setattr(event, field, nan)


def _drop_other_reason(told: LRChanged | LRUnchanged) -> None:
    """Keep a code only where its words are those that the event says: the words are what a person reads."""
    if told.because is not None and not says(told.because, told.reason):
        msgspec.structs.force_setattr(told, "because", None)


def _cut(told: msgspec.Struct, field: str) -> None:
    """Cut a text that is too long for a person, as it is told and as it is read."""
    text = getattr(told, field)
    if text is not None and len(text) > LONGEST_TEXT:
        left_out = say("notice.cut", count=f"{len(text) - LONGEST_TEXT + 60:,}")
        msgspec.structs.force_setattr(told, field, f"{text[: LONGEST_TEXT - 60]} {left_out}")
