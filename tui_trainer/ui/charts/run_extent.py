"""How far a run is and how far it will go, in steps and in the unit of the x axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_trainer.plotting.timeline import EpochTimeline, SecondTimeline, StepTimeline, Timeline, Unit

if TYPE_CHECKING:
    from tui_trainer.records.history import History


class RunExtent:
    """The steps of a run, taken and planned, and where each of them lies."""

    def __init__(self, unit: Unit) -> None:
        self.wanted = unit
        """The unit to count in, as soon as enough is known for it."""
        self.steps = 0
        """Steps taken."""
        self.total = 0
        """The last step of the run, as planned or as taken."""
        self.timeline: Timeline = StepTimeline()
        self.end = 0.0
        """Where the whole run ends."""
        self.version = 0
        """Grows when places move."""
        self.history: History | None = None
        self._seen = -1
        self._known: object = None
        self._ends: list[int] = [0]
        self._batches = 0

    def follow(self, history: History) -> bool:
        """Take in how far a run is; whether there was anything new."""
        if history is self.history and history.version == self._seen:
            return False
        known = len(history.epoch_starts), history.batches_in_epoch, history.recipe
        same = history is self.history and known == self._known
        self.history, self._seen, self._known = history, history.version, known
        self.steps = history.steps
        planned = history.plans[-1].last_step if history.plans else 0
        self.total = max(self.steps, planned, history.recipe.total_steps if history.recipe else 0)
        if not same:
            self._batches = history.recipe.batches_per_epoch if history.recipe else 0
            ends = [start - 1 for start in history.epoch_starts] or [0]
            self._ends = [*ends, ends[-1] + (history.batches_in_epoch or self._batches)]
            self.count_in(self.wanted)
        elif self.timeline.unit == "seconds":
            self.version += 1
        self._look_ahead()
        return True

    @property
    def goes_on(self) -> bool:
        """Whether steps are still to come."""
        return self.history is not None and self.history.ended is None

    def plan(self, last_step: int, batches_per_epoch: int) -> None:
        """Stand for a run that is only planned."""
        self.history, self.steps, self.total = None, 0, last_step
        self._batches, self._ends = batches_per_epoch, [0, batches_per_epoch]
        self.count_in(self.wanted)

    def count_in(self, unit: Unit) -> None:
        """Count in a unit; in steps, as long as nothing is known of the epochs."""
        self.wanted = unit
        if unit == "seconds" and self.history is not None:
            self.timeline = SecondTimeline(self.history.elapsed)
        elif unit == "epoch" and self._batches:
            self.timeline = EpochTimeline(self._ends, self._batches)
        else:
            self.timeline = StepTimeline()
        self.version += 1
        self.end = 0.0
        self._look_ahead()

    def _look_ahead(self) -> None:
        """In seconds the end is a guess, which holds until it is 5 % wrong."""
        end = self.timeline.place(self.total)
        if self.timeline.unit != "seconds" or self.steps >= self.total:
            self.end = end
        elif not self.end * 0.95 <= end <= self.end:
            self.end = end * 1.02
