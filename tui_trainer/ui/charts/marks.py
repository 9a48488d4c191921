"""What happened at a place of the x axis, in words: an epoch ended, the LR moved, a preset or a checkpoint came."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar

from tui_trainer.text.plain import plain
from tui_trainer.ui.formatting import loss, lr

if TYPE_CHECKING:
    from tui_trainer.events import CheckpointSaved, EpochEnded, LRChanged
    from tui_trainer.records.history import History

Stepped = TypeVar("Stepped", "LRChanged", "EpochEnded")

Kind: TypeAlias = Literal["switch", "lr", "epoch", "checkpoint"]

KINDS: tuple[Kind, ...] = ("lr", "switch", "epoch", "checkpoint")
"""What matters most comes first, where several stand at one place."""

MOST = 8
"""Marks of a kind at one place that are told: the newest."""


class Mark(NamedTuple):
    """Something that happened after a step."""

    step: int
    kind: Kind
    words: str


def marks_between(history: History, first: int, last: int) -> list[Mark]:
    """The marks after the steps from `first` to `last`, what matters most first, the newest of a kind first."""
    found = [mark for mark in _between(history, first, last) if first <= mark.step <= last]
    return sorted(found, key=lambda mark: (KINDS.index(mark.kind), -mark.step))


def since(history: History, step: int) -> Mark | None:
    """The last change of the LR before a step: why it is what it is there."""
    index = bisect_left(history.lr_changes, step, key=_step)
    return _moved(history.lr_changes[index - 1]) if index else None


def steps_of(history: History) -> list[int]:
    """The steps after which something is marked, in order."""
    steps = {event.step for events in (history.lr_changes, history.epochs) for event in events}
    steps.update(switch.step - 1 for switch in history.switches)
    steps.update(saved.step for saved in checkpoints(history))
    return sorted(step for step in steps if step > 0)


def checkpoints(history: History) -> list[CheckpointSaved]:
    """Those that a run can be gone on with: the best one and the last one. Older ones were written over."""
    return [saved for saved in (history.best_checkpoint, history.latest_checkpoint) if saved is not None]


def _between(history: History, first: int, last: int) -> Iterator[Mark]:
    for change in _those(history.lr_changes, first, last):
        yield _moved(change)
    for switch in history.switches:
        yield Mark(switch.step - 1, "switch", f"preset {plain(switch.old)} → {plain(switch.recipe.preset)}")
    for ended in _those(history.epochs, first, last):
        figures = f"val_loss {loss(ended.val_loss)}, accuracy {loss(ended.val_accuracy)}"
        yield Mark(ended.step, "epoch", f"epoch {ended.epoch} ends, {figures}")
    for saved in checkpoints(history):
        yield Mark(saved.step, "checkpoint", "best checkpoint" if saved.best else "last checkpoint")


def _those(events: Sequence[Stepped], first: int, last: int) -> Sequence[Stepped]:
    start, stop = bisect_left(events, first, key=_step), bisect_right(events, last, key=_step)
    return events[max(start, stop - MOST) : stop]


def _moved(change: LRChanged) -> Mark:
    words = plain(change.reason)
    if not change.why.tells_change:
        words = f"{words}, {lr(change.old)} → {lr(change.new)}"
    return Mark(change.step, "lr", words)


def _step(event: LRChanged | EpochEnded) -> int:
    return event.step
