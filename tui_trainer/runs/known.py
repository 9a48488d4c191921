"""What a record holds already, so that a run that goes on from a checkpoint writes and counts nothing twice.

A checkpoint is older than the last line of the journal, so a resumed process trains some batches again.
Training is reproducible: they give what is recorded already.
"""

from __future__ import annotations

from copy import deepcopy

import msgspec

from tui_trainer.events import (
    CallsMade,
    EpochEnded,
    Event,
    LRChanged,
    LRHeld,
    PlateauCounted,
    PresetSwitched,
    RunStarted,
    StepsTaken,
)


class Known:
    """How far each kind of event has come."""

    def __init__(self) -> None:
        self.steps = 0
        self._resumed_at = 0
        """Steps that were known as the last process began: up to here events may come again."""
        self._last: dict[type, tuple[int, int]] = {}

    def copy(self) -> Known:
        """As far as this one, and going its own way from here."""
        return deepcopy(self)

    def take(self, event: Event) -> Event | None:
        """The event, less what is known already; None where all of it is. What is returned is known now."""
        if isinstance(event, StepsTaken):
            return self._take_steps(event)
        if isinstance(event, RunStarted):
            self._resumed_at = self.steps
            return event
        position = _position(event)
        if position is None:
            return event
        kind = type(event)
        may_be_old = kind in _ONCE_AN_EPOCH or position[0] <= self._resumed_at
        if may_be_old and position <= self._last.get(kind, (-1, 0)):
            return None
        self._last[kind] = max(position, self._last.get(kind, position))
        return event

    def _take_steps(self, event: StepsTaken) -> StepsTaken | None:
        old = self.steps - event.step + 1
        if old >= len(event.losses):
            return None
        self.steps = event.step + len(event.losses) - 1
        return event if old <= 0 else _without_first(event, old)


_ONCE_AN_EPOCH = (EpochEnded, PlateauCounted)


def _position(event: Event) -> tuple[int, int] | None:
    """Where in the run an event of this kind stands, for those that a resumed run would tell again."""
    match event:
        case EpochEnded() | PlateauCounted():
            return event.epoch, 0
        case LRChanged() | LRHeld() | PresetSwitched():
            return event.step, 0
        case CallsMade():
            return event.step, int(event.batch is None)
        case _:
            return None


def _without_first(event: StepsTaken, count: int) -> StepsTaken:
    return msgspec.structs.replace(
        event,
        step=event.step + count,
        batch=event.batch + count,
        losses=event.losses[count:],
        lrs=event.lrs if len(event.lrs) == 1 else event.lrs[count:],
        elapsed=event.elapsed[count:],
    )
