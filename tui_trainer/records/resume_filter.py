"""What a record holds already, and what of it can be believed.

A checkpoint is older than the last line of the journal, so a resumed process trains some batches again. Training is
reproducible: they give what is recorded already, and are neither written nor counted twice.

A trainer writes step after step. A line that leaves some out tells that lines were lost before it, or it is damaged
itself: it is held back until the next one goes on from it, and left out where the next one goes on from what was there
before. So a wrong number costs its line, and neither those behind it nor what a resumed run will write.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import msgspec

from tui_trainer.events import (
    EARLY_STOPPING,
    AnyEvent,
    CallsMade,
    CheckpointSaved,
    ConfusionCounted,
    EpochEnded,
    EpochsChanged,
    LRChanged,
    LRUnchanged,
    MetricColumns,
    MetricsLogged,
    PlateauCounted,
    PresetSwitched,
    RunConfigured,
    RunEnded,
    RunStarted,
    StepsTaken,
)
from tui_trainer.records.flaws import MISSING_AT_MOST, Claims, Flaws
from tui_trainer.text.reasons import DIALS

NOTHING: tuple[AnyEvent, ...] = ()


class ResumeFilter:
    """How far each kind of event has come, and which steps are missing or in doubt."""

    def __init__(self, *, sampled: bool = False) -> None:
        """Nothing is known yet; `sampled`: steps are left out on purpose, and say nothing of those that are not."""
        self._sampled = sampled
        self.steps = 0
        """The last step that is believed."""
        self.flaws = Flaws()
        self._claims = Claims(self.flaws)
        self._epoch = self._batch = 0
        """Of that step."""
        self._epoch_begins = 0
        """The first step of that epoch."""
        self._resumed_at = 0
        """Steps that were known as the last process began: up to here events may come again."""
        self._ahead = 0
        """The step of the checkpoint that the last process went on from, where the record does not come so far."""
        self._doubted: StepsTaken | None = None
        """It leaves steps out, and nothing has confirmed it yet."""
        self._goes_on = False
        """Whether the process that writes went on from a checkpoint: it trains again what is known."""
        self._logged: dict[str, int] = {}
        """The last step of each series, and what that was as the last process began."""
        self._logged_resumed: dict[str, int] = {}
        self._last: dict[object, tuple[int, int]] = {}
        self._last_resumed: dict[object, tuple[int, int]] = {}

    @property
    def is_resumed(self) -> bool:
        """Whether the process that writes went on from where an earlier one was: it may tell again what is known."""
        return self._goes_on

    def copy(self) -> ResumeFilter:
        """As far as this one, and going its own way from here."""
        return deepcopy(self)

    def unwritten(self, event: AnyEvent) -> AnyEvent | None:
        """The part of an event that a journal needs, for its writer; None where it holds all of it. It is known now."""
        part: AnyEvent | None = event
        if type(event) is StepsTaken:
            part = _without_first(event, self._resumed_at - event.step + 1)
        elif type(event) is MetricsLogged:
            part = self._not_logged(event)
        elif type(event) is MetricColumns:
            part = self._columns_not_logged(event)
        elif (position_of := _POSITIONS.get(type(event))) is not None and self._is_told(event, position_of(event)):
            part = None
        self.take(event)
        return part

    def take(self, event: AnyEvent) -> Sequence[AnyEvent]:
        """What is believed and new since this event: it, a part of it, and one before it that was in doubt."""
        kind = type(event)
        if kind is StepsTaken:
            return self._take_steps(event)  # type: ignore[arg-type]
        if kind is MetricsLogged:
            return self._take_metrics(event)  # type: ignore[arg-type]
        if kind is MetricColumns:
            return self._take_columns(event)  # type: ignore[arg-type]
        if kind is RunStarted:
            self._begin(event)  # type: ignore[arg-type]
        elif kind in _WITH_RECIPE:
            self._claims.follow(event.recipe)  # type: ignore[union-attr]
        believed = self._settle(event) if self._doubted is not None and kind in _AT_LAST_STEP else NOTHING
        if (position_of := _POSITIONS.get(kind)) is not None:
            position = position_of(event)
            if self._is_told(event, position):
                return believed
            if self._cannot_stand(event):
                self.flaws.misnumbered += 1
                return (event,)
            if self._contradicts(event, position):
                return believed
            series = _series_of(event)
            self._last[series] = position if kind in _ONLY_ONCE else max(position, self._last.get(series, position))
            if kind in _PLACED and not self._sampled:
                self._claims.stands(event)  # type: ignore[arg-type]
        if kind in _AT_LAST_STEP:
            epochs = max(0, self._last.get(EpochEnded, _NEVER)[0])
            self._claims.close(event, steps=self.steps, epoch=self._epoch, epochs=epochs)  # type: ignore[arg-type]
        return (*believed, event) if believed else (event,)

    def go_on(self) -> None:
        """Another process is about to write: what it trains again is known."""
        if self._doubted is not None:
            self._leave_out(self._doubted)
        self._claims.compare_steps(self.steps)
        self._resumed_at = self.steps
        self._last_resumed = dict(self._last)
        self._logged_resumed = dict(self._logged)

    # Metrics

    def _take_metrics(self, event: MetricsLogged) -> Sequence[AnyEvent]:
        new = self._not_logged(event)
        if new is None:
            return NOTHING
        for name in new.values:
            self._logged[name] = event.step
        return (new,)

    def _take_columns(self, event: MetricColumns) -> Sequence[AnyEvent]:
        new = self._columns_not_logged(event)
        if new is None:
            return NOTHING
        for name in new.values:
            self._logged[name] = new.steps[-1]
        return (new,)

    def _columns_not_logged(self, event: MetricColumns) -> MetricColumns | None:
        """As `_not_logged`; of columns that are known in part, what begins behind all that is known of any."""
        if not self._goes_on:
            return event
        known = max((self._logged_resumed.get(name, -1) for name in event.values), default=-1)
        first = bisect_right(event.steps, known)
        if not first:
            return event
        if first == len(event.steps):
            return None
        return msgspec.structs.replace(
            event,
            steps=event.steps[first:],
            values={name: values[first:] for name, values in event.values.items()},
            epochs=event.epochs[first:],
            elapsed=event.elapsed[first:],
        )

    def _not_logged(self, event: MetricsLogged) -> MetricsLogged | None:
        """What of it an earlier process has not told; None if that is nothing."""
        known = self._logged_resumed
        if not self._goes_on or not known:
            return event
        values = {name: value for name, value in event.values.items() if event.step > known.get(name, -1)}
        if len(values) == len(event.values):
            return event
        return msgspec.structs.replace(event, values=values) if values else None

    # Steps

    def _begin(self, event: RunStarted) -> None:
        self.go_on()
        # One that found no checkpoint begins anew, and trains the same again: what is recorded stays as it is.
        self._goes_on = event.resumed_from_step is not None or self.steps > 0
        self._ahead = event.resumed_from_step or 0
        self._claims.begin(self._ahead)

    def _take_steps(self, event: StepsTaken) -> Sequence[AnyEvent]:
        known = self.steps
        if event.step <= known:
            if (first := max(event.step, self._resumed_at + 1)) <= known:
                self.flaws.told_twice(first, min(known, event.step + len(event.losses) - 1))
            rest = _without_first(event, known - event.step + 1)
            if rest is None:
                return NOTHING
            event = rest
        if self._sampled:
            return (self._believe(event),)
        believed = self._in_doubt_before(event)
        if event.step - self.steps == 1 or (event.step == self._ahead + 1 and self._may_be_missing(event)):
            return (*believed, self._believe(event)) if believed else (self._believe(event),)
        if self._may_be_missing(event):
            self._doubted = event
        else:
            self._leave_out(event)
        return believed

    def _in_doubt_before(self, event: StepsTaken) -> Sequence[AnyEvent]:
        """What was in doubt, if this event goes on behind it; if it stands before its end, that was wrong."""
        doubted = self._doubted
        if doubted is None:
            return NOTHING
        self._doubted = None
        if event.step >= doubted.step + len(doubted.losses):
            return (self._believe(doubted),)
        self._leave_out(doubted)
        return NOTHING

    def _settle(self, event: Any) -> Sequence[AnyEvent]:
        """What is in doubt, now that an event comes that says which step is the last."""
        doubted = self._doubted
        assert doubted is not None
        if event.step >= doubted.step + len(doubted.losses) - 1:
            self._doubted = None
            return (self._believe(doubted),)
        if event.step < doubted.step:
            self._leave_out(doubted)
        return NOTHING

    def _believe(self, event: StepsTaken) -> StepsTaken:
        missing = event.step - self.steps - 1
        if missing and not self._sampled:
            self.flaws.missing(self.steps + 1, event.step - 1)
        elif self._sampled and self.steps < self._ahead < event.step:
            self.flaws.missing(self.steps + 1, self._ahead)
        if self._claims.last_step:
            self._claims.go_on(event.step)
        epoch = self._epoch_of(event, missing)
        if epoch != self._epoch:
            self._epoch_begins = max(self.steps + 1, event.step - event.batch + 1)
        self.steps = event.step + len(event.losses) - 1
        self._epoch, self._batch = epoch, event.batch + len(event.losses) - 1
        if epoch == event.epoch or self._sampled:
            return event
        self.flaws.in_wrong_epoch(event.step, self.steps)
        return msgspec.structs.replace(event, epoch=epoch)

    def _epoch_of(self, event: StepsTaken, missing: int) -> int:
        """The epoch that the event says, if that can be: epochs come one after the other, each with a first batch."""
        if missing:
            return min(max(event.epoch, self._epoch, 1), self._epoch + 1 + missing)
        if event.epoch in (self._epoch, self._epoch + 1) and event.epoch:
            return event.epoch
        return max(1, self._epoch if event.batch == self._batch + 1 else self._epoch + 1)

    def _may_be_missing(self, event: StepsTaken) -> bool:
        missing = self.flaws.steps_missing + event.step - self.steps - 1
        return missing <= max(MISSING_AT_MOST, self.steps - self.flaws.steps_missing)

    def _leave_out(self, event: StepsTaken) -> None:
        self._doubted = None
        self.flaws.leave_out(event.step, event.step + len(event.losses) - 1, after=self.steps)

    # All else

    def _is_told(self, event: AnyEvent, position: tuple[int, int]) -> bool:
        """Whether an earlier process has told it: this one trains the same again."""
        kind = type(event)
        if self._cannot_stand(event):
            return False
        if kind in _ONLY_ONCE:
            return position <= self._last_resumed.get(kind, _NEVER)
        return position[0] <= self._resumed_at and position <= self._last.get(_series_of(event), _NEVER)

    def _cannot_stand(self, event: AnyEvent) -> bool:
        """Whether it says a step or an epoch where the run cannot have been. It is taken as it is, and counted."""
        if type(event) not in _PLACED or self._sampled:
            return False
        return self._claims.cannot_stand(
            event,  # type: ignore[arg-type]
            steps=self.steps,
            epoch=self._epoch,
            epoch_begins=self._epoch_begins,
            resumed_at=self._resumed_at,
        )

    def _contradicts(self, event: AnyEvent, position: tuple[int, int]) -> bool:
        """Whether it cannot be, after what this process has told already. What comes too late is taken, and counted."""
        kind = type(event)
        if kind not in _ONLY_ONCE:
            return False
        last = self._last.get(kind, _NEVER)
        if isinstance(event, EpochEnded):
            ahead = event.epoch > max(self._epoch, last[0], 0) + 1 and not self._sampled
            if ahead or position <= last:
                self.flaws.epoch_left_out(event.epoch)
                return True
            if 0 <= last[0] < event.epoch - 1 or (last == _NEVER and event.epoch > 1):
                self.flaws.epochs_missing(max(last[0], 0) + 1, event.epoch - 1)
            self.flaws.epochs_behind = None
            return False
        if position == last:
            self.flaws.told_again += 1
            return True
        if position < last:
            self.flaws.out_of_order += 1
        return False


_NEVER = (-1, 0)

_ONLY_ONCE = (EpochEnded, ConfusionCounted, PlateauCounted, CallsMade, PresetSwitched)
"""No process tells these twice of the same place: a repetition is known though the steps around it were lost."""

_PLACED = (LRChanged, LRUnchanged, PresetSwitched, CallsMade)
"""These say at which step and in which epoch they stand."""

_WITH_RECIPE = (RunConfigured, PresetSwitched, EpochsChanged)
"""These say how long the run is to be."""

_AT_LAST_STEP = (EpochEnded, CheckpointSaved, RunEnded)
"""These come when all steps until then are told, and say which is the last."""


def _asked_at(event: LRChanged | EpochsChanged) -> int:
    """When a person asked for it, in microseconds: it may be asked for again, and otherwise, where the run stands."""
    return int(event.at * 1e6)


_POSITIONS: dict[type, Callable[[Any], tuple[int, int]]] = {
    EpochEnded: lambda event: (event.epoch, 0),
    PlateauCounted: lambda event: (event.epoch, 0),
    ConfusionCounted: lambda event: (event.epoch, 0),
    LRChanged: lambda event: (event.step, _asked_at(event) if event.why.code in DIALS else 0),
    LRUnchanged: lambda event: (event.step, 0),
    PresetSwitched: lambda event: (event.step, 0),
    EpochsChanged: lambda event: (event.step, 0 if event.by == EARLY_STOPPING else _asked_at(event)),
    CallsMade: lambda event: (event.step, int(event.batch is None)),
}
"""Where in the run an event stands, for the kinds that a resumed run would tell again."""


def _series_of(event: AnyEvent) -> object:
    """What positions of events are compared within: their kind, and of LRs the group of parameters."""
    if isinstance(event, LRChanged | LRUnchanged) and event.group:
        return type(event), event.group
    return type(event)


def _without_first(event: StepsTaken, count: int) -> StepsTaken | None:
    """What is left without so many steps, if anything is."""
    if count <= 0:
        return event
    if count >= len(event.losses):
        return None
    return msgspec.structs.replace(
        event,
        step=event.step + count,
        batch=event.batch + count,
        losses=event.losses[count:],
        lrs=event.lrs if len(event.lrs) == 1 else event.lrs[count:],
        elapsed=event.elapsed[count:],
        metrics={name: values[count:] for name, values in event.metrics.items()},
    )
