"""What can happen in a run, and how it is written down.

The loop emits these and knows nothing of who listens; a journal is one of them a line, as JSON; the state of a run
is a fold over them (`tui_trainer.runs.history`). The set is closed: a reader that meets a line it does not know
skips it and says so.

Units: `at` is Unix time in seconds; `elapsed` is seconds on the run's own clock, which starts at the first batch and
stands still while the run is paused; losses are means over images; accuracies are fractions from 0 to 1. Steps,
epochs and batches count from 1.
"""

from __future__ import annotations

from math import isfinite, nan
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

SCHEMA = 1
"""The version of the record's form. A reader takes its own version and older ones."""

CALLS = (
    "zero_grad",
    "forward",
    "loss",
    "backward",
    "optimizer.step",
    "scheduler.step",
    "validate",
)
"""The calls of the training loop that are watched, by the names the record uses."""

Status: TypeAlias = Literal["running", "paused", "finished", "stopped", "diverged", "crashed"]
EndStatus: TypeAlias = Literal["finished", "stopped", "diverged", "crashed"]


if TYPE_CHECKING:
    Measured: TypeAlias = float
else:
    Measured = float | None
"""A number that may have come out as not finite. JSON has no NaN: it is written as null, and is nan to all readers."""


class Happened(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """The base of all events."""

    at: float


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What a preset came to for this run: names for the screen, and lengths."""

    preset: str
    title: str
    optimizer: str
    scheduler: str
    interval: Literal["step", "epoch"] | None
    """When the scheduler steps: after every batch or after validation; None where there is no scheduler."""
    monitor: str | None
    """What ReduceLROnPlateau watches, `val_loss` or `val_accuracy`; None for the others."""
    warmup_epochs: int
    epochs: int
    """The last epoch of the run under this recipe."""
    batch_size: int
    batches_per_epoch: int
    total_steps: int
    """The last step of the run under this recipe."""


class Digests(msgspec.Struct, frozen=True, kw_only=True):
    """What a run begins with, in SHA-256: runs that have one in common had it alike, to the bit. Empty: not told."""

    weights: str = ""
    """The initial weights, before they go to the device."""
    data: str = ""
    """Images and labels, those that train and those that validate, and how they are normalised."""
    order: str = ""
    """The order of the images in the first epoch, with what is cropped and flipped; others follow the same rule."""


class RunStarted(Happened, frozen=True, kw_only=True, tag=True):
    """A process began to write this record; a second one in a record is a resume."""

    run: str
    schema: int
    pid: int
    host: str
    resumed_from_step: int | None = None


class PhaseStarted(Happened, frozen=True, kw_only=True, tag=True):
    """What the run is doing now, in words for a person: never a blank before the first batch."""

    phase: str
    detail: str = ""


class RunResolved(Happened, frozen=True, kw_only=True, tag=True):
    """Everything that was asked for with a default or `auto` is now settled."""

    dataset: str
    model: str
    parameters: int
    device: str
    """As torch names it: `cpu`, `cuda:0`."""
    device_name: str
    threads: int
    precision: str
    """What the forward pass computes in: `fp32`, `bf16`."""
    seed: int
    train_images: int
    val_images: int
    recipe: Recipe
    versions: dict[str, str]
    ranks: int = 1
    """Processes that train together, each with a share of every batch."""
    digests: Digests = Digests()
    augmentation: str = ""
    """What every epoch makes of each image anew: `none`, `crop and flip`; empty in records that do not tell."""


class PlanMade(Happened, frozen=True, kw_only=True, tag=True):
    """The LR curve that the real scheduler gave in a rehearsal.

    `steps[i]` is the first step that runs with `lrs[i]`, which holds until the next entry. Long curves are thinned
    for drawing (`exact` is false then); `note` says what a person must know of it (Plateau: depends on the losses).
    """

    steps: list[int]
    lrs: list[float]
    last_step: int
    exact: bool = True
    note: str = ""


class StepsTaken(Happened, frozen=True, kw_only=True, tag=True):
    """Consecutive batches of one epoch; `step` and `batch` are those of the first.

    `lrs` is what the optimizer used for each, or a single value that held for all. `losses` are float32, rounded to
    nine significant digits, which give the same float32 back; None is a loss that was not finite (JSON has no NaN).
    """

    step: int
    epoch: int
    batch: int
    losses: list[float | None]
    lrs: list[float]
    elapsed: list[float]


class CallsMade(Happened, frozen=True, kw_only=True, tag=True):
    """The order of calls as they really happened: a batch, or an epoch's end (`batch` is None)."""

    step: int
    epoch: int
    batch: int | None
    calls: list[str]


class CallsTimed(Happened, frozen=True, kw_only=True, tag=True):
    """What was called since the last event of this kind, how often, and the seconds spent in each.

    `running` is the call that ran at a fixed instant of the clock, so that over time each line of the listing is
    lit as often as it really runs. `seconds` may hold `data`, the time between a batch's calls.
    """

    counts: dict[str, int]
    seconds: dict[str, float]
    running: str


class CallFollowed(Happened, frozen=True, kw_only=True, tag=True):
    """In slow motion and batch by batch: one call began, or ended with the value it made, for a person to follow."""

    step: int
    epoch: int
    batch: int | None
    call: str
    value: str | None
    """None as the call begins; after it, in words: `loss 0.4127`, `lr 0.0711 → 0.0712`, or an empty string."""


class LRChanged(Happened, frozen=True, kw_only=True, tag=True):
    """A change of the LR that a person would call one. `step` is the last one taken with the old LR."""

    step: int
    epoch: int
    old: float
    new: float
    reason: str


class LRHeld(Happened, frozen=True, kw_only=True, tag=True):
    """The scheduler was asked at an epoch's end and left the LR as it is: why, in words."""

    step: int
    epoch: int
    lr: float
    reason: str


class PlateauCounted(Happened, frozen=True, kw_only=True, tag=True):
    """Where ReduceLROnPlateau stands after an epoch."""

    epoch: int
    monitor: str
    value: Measured
    best: Measured
    best_epoch: int
    bad_epochs: int
    patience: int
    cooldown: int

    def __post_init__(self) -> None:
        _mark_not_finite(self, "value", "best")


class EpochEnded(Happened, frozen=True, kw_only=True, tag=True):
    """An epoch was trained and validated. `lr` is what its last batch used; speed counts training alone."""

    epoch: int
    step: int
    train_loss: Measured
    train_accuracy: float
    val_loss: Measured
    val_accuracy: float
    lr: float
    images_per_second: float
    elapsed: float

    def __post_init__(self) -> None:
        _mark_not_finite(self, "train_loss", "val_loss")


class SwitchPlanned(Happened, frozen=True, kw_only=True, tag=True):
    """A switch to another preset was promised; it takes effect as `epoch` begins, unless another one is asked for."""

    epoch: int
    preset: str


class PresetSwitched(Happened, frozen=True, kw_only=True, tag=True):
    """From `epoch` on (its first step is `step`) the run follows another preset, with the weights kept."""

    step: int
    epoch: int
    old: str
    recipe: Recipe


class SettingChanged(Happened, frozen=True, kw_only=True, tag=True):
    """Something that may change speed or the last bits of results was chosen or changed: threads, precision."""

    setting: str
    old: str
    new: str
    reason: str


class CheckpointSaved(Happened, frozen=True, kw_only=True, tag=True):
    """A checkpoint is whole on the disk; `file` is its name within the run's folder."""

    step: int
    epoch: int
    file: str
    best: bool = False


class Paused(Happened, frozen=True, kw_only=True, tag=True):
    """The run stands still after `step`."""

    step: int
    by: str


class Continued(Happened, frozen=True, kw_only=True, tag=True):
    """The run goes on after a pause; `one_batch` when it will pause again after the next batch."""

    step: int
    by: str
    one_batch: bool = False


class PaceChanged(Happened, frozen=True, kw_only=True, tag=True):
    """Slow motion: the seconds that each call is held for a person to see; 0 is full speed."""

    seconds_a_call: float
    by: str


class CommandAnswered(Happened, frozen=True, kw_only=True, tag=True):
    """What became of a command, so that all viewers see who asked and what happened."""

    id: str
    command: str
    by: str
    accepted: bool
    answer: str


class Noticed(Happened, frozen=True, kw_only=True, tag=True):
    """Something a person should know: a warning of a library, a loss that rises, a recording that stopped."""

    kind: str
    text: str


class RunEnded(Happened, frozen=True, kw_only=True, tag=True):
    """The run said goodbye. `exit_code` is the command's, as the contract of the command line has it."""

    status: EndStatus
    reason: str
    step: int
    epoch: int
    exit_code: int


Event: TypeAlias = (
    RunStarted
    | PhaseStarted
    | RunResolved
    | PlanMade
    | StepsTaken
    | CallsMade
    | CallsTimed
    | CallFollowed
    | LRChanged
    | LRHeld
    | PlateauCounted
    | EpochEnded
    | SwitchPlanned
    | PresetSwitched
    | SettingChanged
    | CheckpointSaved
    | Paused
    | Continued
    | PaceChanged
    | CommandAnswered
    | Noticed
    | RunEnded
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """One line of the journal, with its newline."""
    return _encoder.encode(event) + b"\n"


def decode(line: bytes) -> Event:
    """The event of one line.

    Raises:
        msgspec.DecodeError: the line is torn, or not JSON.
        msgspec.ValidationError: an event that this version does not know.
    """
    return _decoder.decode(line)


def decode_lines(lines: bytes) -> list[Event]:
    """The events of whole lines, at several times the speed of one by one.

    Raises:
        msgspec.DecodeError: one of them is no event; `decode` tells which.
    """
    return _decoder.decode_lines(lines)


def _mark_not_finite(event: Happened, *fields: str) -> None:
    for field in fields:
        value = getattr(event, field)
        if value is None or not isfinite(value):
            msgspec.structs.force_setattr(event, field, nan)
