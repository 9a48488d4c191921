"""What a history keeps: every step in columns that grow by appending, the clock, and the calls of the loop."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import accumulate
from math import nan
from typing import Any

from tui_trainer.events import CallFollowed, CallsTimed, StepsTaken


class RunTimer:
    """Seconds since the first batch, as events read them; it never falls, and goes on between them."""

    def __init__(self) -> None:
        self.seconds = 0.0
        """As of the last event that read it."""
        self._read_at: float | None = None
        self._reached = 0.0
        """What it may have shown already, between two events that read it."""

    def read(self, seconds: float, at: float) -> None:
        """An event read the clock at the Unix time `at`."""
        self.seconds = max(self.seconds, seconds)
        self._read_at = at

    def stop(self) -> None:
        """It shows what was read last from here on: the end, or another process that has not trained yet."""
        self._read_at, self._reached = None, 0.0

    def hold(self, at: float) -> None:
        """It stands still where it has come to: in a pause, and while calls are held for the eye."""
        self._reached, self._read_at = self.at(at), None

    def wake(self, at: float) -> None:
        """The process stood still until now, and the clock with it."""
        if self._read_at is not None:
            self._read_at = at

    def go_on(self, at: float) -> None:
        """It runs again after a pause."""
        if self.seconds > 0:
            self._read_at = at

    def at(self, now: float) -> float:
        """What it shows at the Unix time `now`."""
        running = 0.0 if self._read_at is None else max(0.0, now - self._read_at)
        return max(self._reached, self.seconds + running)


KEPT = 65_536
"""The last steps that a column which forgets is sure to hold: more than any loop takes in some seconds."""


class LastSteps(array):  # type: ignore[type-arg]
    """A column that forgets: as long as the run, it holds its last steps alone, and says the oldest for any before."""

    forgotten = 0

    def __len__(self) -> int:
        return self.forgotten + super().__len__()

    def __getitem__(self, index: Any) -> Any:
        return super().__getitem__(max(index - self.forgotten, 0) if index >= 0 else index)

    def fromlist(self, values: list[Any], /) -> None:
        super().fromlist(values)
        self._forget()

    def extend(self, values: Any, /) -> None:
        super().extend(values)
        self._forget()

    def _forget(self) -> None:
        if (held := super().__len__()) > 2 * KEPT:
            del self[: held - KEPT]
            self.forgotten += held - KEPT


class StepColumns:
    """Step `i + 1` is at index `i` of each column: 20 bytes a step, or of the last steps alone where it forgets."""

    def __init__(self, *, forgets: bool = False) -> None:
        column = LastSteps if forgets else array
        self.losses: array[float] = column("f")
        self.lrs: array[float] = column("d")
        self.elapsed: array[float] = column("d")
        self.epoch_starts: list[int] = []
        self.no_losses: list[tuple[int, int]] = []
        """The first and the last of steps in a row of which no loss is known: the record lost them, or none was to be
        seen; rising."""
        self.no_lrs: list[tuple[int, int]] = []
        """The same of LRs."""

    def take(self, event: StepsTaken, clock: float) -> None:
        """Append the steps of an event, which begins behind the last one; steps that are missing between are nan.

        Args:
            event: its numbers fit each other, as `Known.take` sees to.
            clock: what the run's clock showed before: `elapsed` never falls.
        """
        self._fill_gap(event.step - 1 - len(self.losses), clock)
        if event.epoch > len(self.epoch_starts):
            self._begin_epoch(event.epoch, event.step - event.batch + 1)
        losses: list[Any] = event.losses
        count = len(losses)
        if not event.losses_seen:
            _add_span(self.no_losses, len(self.losses) + 1, count)
        if not event.lrs:
            _add_span(self.no_lrs, len(self.lrs) + 1, count)
        self.losses.fromlist([nan if loss is None else loss for loss in losses] if None in losses else losses)
        lrs = event.lrs or [nan]
        self.lrs.fromlist(lrs * count if len(lrs) == 1 else lrs)
        rising = event.elapsed[0] >= clock and event.elapsed == sorted(event.elapsed)
        self.elapsed.fromlist(event.elapsed if rising else list(accumulate(event.elapsed, max, initial=clock))[1:])

    def _fill_gap(self, missing: int, clock: float) -> None:
        if missing > 0:
            _add_span(self.no_losses, len(self.losses) + 1, missing)
            _add_span(self.no_lrs, len(self.lrs) + 1, missing)
            self.losses.extend(array("f", [nan]) * missing)
            self.lrs.extend(array("d", [nan]) * missing)
            self.elapsed.extend(array("d", [clock]) * missing)

    def _begin_epoch(self, epoch: int, first: int) -> None:
        """Epochs whose first steps a damaged record lost are spread evenly over the gap."""
        begun = len(self.epoch_starts)
        known, before = (begun, self.epoch_starts[-1]) if begun else (1, 1)
        first = max(first, before)
        for lost in range(begun + 1, epoch):
            self.epoch_starts.append(before + (first - before) * (lost - known) // (epoch - known))
        self.epoch_starts.append(first)


def _add_span(spans: list[tuple[int, int]], first: int, count: int) -> None:
    last = first + count - 1
    if spans and spans[-1][1] == first - 1:
        first, _ = spans.pop()
    spans.append((first, last))


FOLLOWED_AT_MOST = 64
"""Events of one batch in slow motion that are kept: several times what a batch has."""

LONGEST_S = 1e9
"""Seconds in a call that are no longer to be believed."""


@dataclass(slots=True)
class CallTally:
    """How often a call was made, and the seconds spent in it: whole microseconds, so that any order adds up alike."""

    count: int = 0
    seconds: float = 0.0


class CallsSeen:
    """The fold of the two events that tell of calls."""

    def __init__(self) -> None:
        self.tallies: dict[str, CallTally] = {}
        self.running = ""
        self.followed: list[CallFollowed] = []

    def timed(self, event: CallsTimed) -> None:
        """Add what was called since the last such event."""
        tallies = self.tallies
        for call, count in event.counts.items():
            tally = tallies.get(call) or tallies.setdefault(call, CallTally())
            tally.count += count
        for call, seconds in event.seconds.items():
            tally = tallies.get(call) or tallies.setdefault(call, CallTally())
            tally.seconds = (round(tally.seconds * 1e6) + _micros(seconds)) / 1e6
        self.running = event.running

    def forget(self, call: str) -> None:
        """Count a call from nothing again."""
        self.tallies.pop(call, None)

    def follow(self, event: CallFollowed) -> None:
        """One more call of the batch being followed, or the first of another batch."""
        if self.followed:
            last = self.followed[-1]
            another = (last.step, last.batch) != (event.step, event.batch)
            if another or len(self.followed) >= FOLLOWED_AT_MOST:
                self.followed.clear()
        self.followed.append(event)
        if event.value is None:
            self.running = event.call

    def leave_behind(self, step: int) -> None:
        """Batches up to `step` were trained: one followed before that is no longer the one to look at."""
        if self.followed and self.followed[-1].step < step:
            self.followed.clear()

    def stand_still(self) -> None:
        """Nothing is called: the run is paused, or over."""
        self.running = ""


def _micros(seconds: float) -> int:
    """Rounded; a damaged record may hold any number."""
    return round(seconds * 1e6) if 0 <= seconds < LONGEST_S else 0
