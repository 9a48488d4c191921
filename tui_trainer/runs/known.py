"""What a record holds already, so that a run that goes on from a checkpoint writes and counts nothing twice.

A checkpoint is older than the last line of the journal, so a resumed process trains some batches again.
Training is reproducible: they give what is recorded already.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

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

LONGEST_GAP = 10_000_000
"""Steps that may be missing in front of a line; a line that claims more is damaged and left out."""


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
        kind = type(event)
        if kind is StepsTaken:
            return self._take_steps(event)  # type: ignore[arg-type]
        if kind is RunStarted:
            self._resumed_at = self.steps
        position_of = _POSITIONS.get(kind)
        if position_of is None:
            return event
        position = position_of(event)
        may_be_old = kind in _ONLY_ONCE or position[0] <= self._resumed_at
        if may_be_old and position <= self._last.get(kind, (-1, 0)):
            return None
        self._last[kind] = max(position, self._last.get(kind, position))
        return event

    def _take_steps(self, event: StepsTaken) -> StepsTaken | None:
        old = self.steps - event.step + 1
        if not _sound(event, self.steps) or old >= len(event.losses):
            return None
        self.steps = event.step + len(event.losses) - 1
        return event if old <= 0 else _without_first(event, old)


_ONLY_ONCE = (EpochEnded, PlateauCounted, CallsMade, PresetSwitched)
"""No run tells these twice of the same place: a repetition is known though the steps that it goes with were lost."""

_POSITIONS: dict[type, Callable[[Any], tuple[int, int]]] = {
    EpochEnded: lambda event: (event.epoch, 0),
    PlateauCounted: lambda event: (event.epoch, 0),
    LRChanged: lambda event: (event.step, 0),
    LRHeld: lambda event: (event.step, 0),
    PresetSwitched: lambda event: (event.step, 0),
    CallsMade: lambda event: (event.step, int(event.batch is None)),
}
"""Where in the run an event stands, for the kinds that a resumed run would tell again."""


def _without_first(event: StepsTaken, count: int) -> StepsTaken:
    return msgspec.structs.replace(
        event,
        step=event.step + count,
        batch=event.batch + count,
        losses=event.losses[count:],
        lrs=event.lrs if len(event.lrs) == 1 else event.lrs[count:],
        elapsed=event.elapsed[count:],
    )


def _sound(event: StepsTaken, steps: int) -> bool:
    """Whether the numbers of a line fit each other: a damaged record may hold anything of the right types."""
    count = len(event.losses)
    return (
        count > 0
        and len(event.elapsed) == count
        and len(event.lrs) in (1, count)
        and 1 <= event.batch <= event.step
        and 1 <= event.epoch <= event.step
        and event.step - steps <= LONGEST_GAP
    )
