"""The x axis of any series: counted in steps, epochs, time, images, or in the numbers of a series; linear or in powers
of ten."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import ceil, floor, isfinite
from typing import TYPE_CHECKING, Literal, TypeAlias

from tui_trainer.plotting.curves import MinMaxTree
from tui_trainer.plotting.scales import (
    CLOCK_STEPS,
    EpochTimeline,
    SecondTimeline,
    StepTimeline,
    Timeline,
    Unit,
    along,
)
from tui_trainer.ui.charts.axis import RunExtent, XAxis
from tui_trainer.ui.charts.log_x import powers
from tui_trainer.ui.formatting import cut

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.records.series import Series

Counted: TypeAlias = Literal["step", "epoch", "time", "wall clock", "images", "series"]

COUNTED: tuple[Counted, ...] = ("step", "epoch", "time", "wall clock", "images")
"""What every run may be counted in, as far as it tells of it. Tokens are a series."""

TOKENS = frozenset({"tokens", "num_tokens", "n_tokens", "tokens_seen", "total_tokens", "num_input_tokens_seen"})
"""The last parts of names of series that count tokens."""

AT_ONCE = 20_000
"""Numbers of a long series that are read in one frame, so that keys are answered in between."""

DAY = 86400.0
HOURS = (3600.0, 7200.0, 10800.0, 21600.0, 43200.0)
SLACK = 0.05
"""By how much an end that nobody knows is put further off, so that it seldom moves."""

BEGINS_LATE = 0.3
"""A run whose first step lies behind this part of it is shown from there on, and not from step 0."""


class KnotTimeline:
    """Straight between steps at which a place is known, and on at the mean pace behind the last of them."""

    def __init__(self, unit: Unit, *, joins: bool = False) -> None:
        """Nothing is known yet.

        Args:
            unit: as for any timeline; what it counts is the axis' own matter.
            joins: a place that falls begins again where the last one was, as a clock does that another process starts
                anew; otherwise that is no timeline, and `rises` says so.
        """
        self.unit = unit
        self.rises = True
        self._joins = joins
        self._steps = array("q")
        self._places = array("d")
        self._shift = 0.0
        self._read = 0
        self._rewrites = -1

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, step: int, place: float) -> None:
        """A step behind the last one, and its place."""
        last = self._places[-1] if self._places else place
        if not isfinite(place):
            self.rises &= self._joins
            return
        if place + self._shift < last:
            if self._joins:
                self._shift = last - place
            else:
                self.rises = False
        self._steps.append(step)
        self._places.append(place + self._shift)

    def follow(self, series: Series, at_most: int) -> bool:
        """Take what is new of a series as places, or so many of them; whether that is all."""
        if series.rewrites != self._rewrites:
            self._rewrites, self._read, self._shift, self.rises = series.rewrites, 0, 0.0, True
            del self._steps[:], self._places[:]
        steps, values = series.steps, series.values
        stop = min(len(values), self._read + at_most)
        for index in range(self._read, stop):
            self.add(steps[index], values[index])
        self._read = stop
        return stop == len(values)

    @property
    def pace(self) -> float:
        """Places a step; 0 where that is not known."""
        steps, places = self._steps, self._places
        if not steps:
            return 0.0
        if len(steps) > 1:
            return (places[-1] - places[0]) / (steps[-1] - steps[0])
        return max(0.0, places[0]) / steps[0] if steps[0] > 0 else 0.0

    def place(self, step: float) -> float:
        steps, places = self._steps, self._places
        before = bisect_right(steps, step) - 1
        if before < 0:
            if not steps or places[0] < 0 or steps[0] <= 0:
                return places[0] if steps else 0.0
            return places[0] * max(0.0, step) / steps[0]  # from nothing at step 0
        if before + 1 >= len(steps):
            return places[-1] + (step - steps[-1]) * self.pace
        part = (step - steps[before]) / (steps[before + 1] - steps[before])
        return places[before] + part * (places[before + 1] - places[before])

    def step(self, place: float) -> float:
        steps, places = self._steps, self._places
        before = bisect_right(places, place) - 1
        if before < 0:
            if not steps or places[0] <= 0 or steps[0] <= 0:
                return steps[0] - 1 if steps else 0.0
            return steps[0] * max(0.0, place) / places[0]
        if before + 1 >= len(places):
            pace = self.pace
            return steps[-1] + ((place - places[-1]) / pace if pace > 0 else 0.0)
        part = (place - places[before]) / (places[before + 1] - places[before])
        return steps[before] + part * (steps[before + 1] - steps[before])


class WallTimeline:
    """Unix time: the run's clock, and when it showed what."""

    unit: Unit = "seconds"

    def __init__(self, clock: Timeline, marks: Sequence[tuple[float, float]]) -> None:
        self._clock = clock
        self._shown = [shown for shown, _ in marks]
        self._at = [at for _, at in marks]
        for index in range(1, len(marks)):
            self._shown[index] = max(self._shown[index - 1 : index + 1])
            self._at[index] = max(self._at[index - 1 : index + 1])

    def place(self, step: float) -> float:
        return _between(self._shown, self._at, self._clock.place(step))

    def step(self, place: float) -> float:
        return self._clock.step(_between(self._at, self._shown, place))


def _between(froms: Sequence[float], tos: Sequence[float], value: float) -> float:
    """Straight between two that belong to each other; beyond the ends as far as `value` is."""
    before = bisect_right(froms, value) - 1
    if before < 0 or before + 1 >= len(froms):
        end = 0 if before < 0 else -1
        return tos[end] + value - froms[end]
    part = (value - froms[before]) / (froms[before + 1] - froms[before])
    return tos[before] + part * (tos[before + 1] - tos[before])


class SeriesExtent(RunExtent):
    """The steps of whatever series a run has."""

    def __init__(self) -> None:
        super().__init__("step")
        self.counts: Counted = "step"
        self.over = ""
        """The series that it is counted in."""
        self.scattered: Series | None = None
        """The series, if its numbers fall as well as rise: no step has a place of its own then."""
        self._knots = KnotTimeline("step")
        self._clock_knots = KnotTimeline("seconds", joins=True)
        self._spread_over: MinMaxTree | None = None
        self._spread_rewrites = 0
        self._behind = False
        """Whether a part of the series that it is counted in was not read yet."""

    def follow(self, history: History) -> bool:
        if history is self.history and history.version == self._seen and not self._behind:
            return False
        if history is not self.history:
            self._knots = KnotTimeline("step")
            self._clock_knots = KnotTimeline("seconds", joins=True)
            self._spread_over = None
            self.end = 0.0
        self.history, self._seen = history, history.version
        self.steps = history.last_step
        known = max(history.planned_end, (history.recipe.total_steps or 0) if history.recipe else 0)
        self.intended = known
        self.total = self.steps if history.ended is not None or known < self.steps else known
        starts = [series.steps[0] for series in history.series.values() if len(series.steps)]
        self.first = min(starts, default=1)
        self._measure(history)
        return True

    def count(self, counts: Counted, over: str = "") -> None:
        """Count in something else."""
        self.counts, self.over = counts, over
        self._knots = KnotTimeline("step")
        self._spread_over = None
        self.end = 0.0
        if self.history is not None:
            self._measure(self.history)

    def _measure(self, history: History) -> None:
        self.scattered, self._behind = None, False
        before = self.timeline, self.begin, self.end
        timeline = self._timeline(history)
        begin = timeline.place(self.first - 1)
        end = timeline.place(self.total)
        if (
            self.first > 1
            and end > 0
            and 0 <= begin < BEGINS_LATE * end
            and self.counts not in ("wall clock", "series")
        ):
            begin = 0.0
        if self.scattered is not None:
            begin, end = self._spread(self.scattered)
        self.timeline, self.begin = timeline, begin
        unknown = self.goes_on and (self.total <= self.steps or self.counts not in ("step", "epoch", "images"))
        room = (end - begin) * SLACK if unknown else 0.0
        if not (unknown and end <= self.end <= end + 3 * room):
            self.end = end + room
        if self.end <= self.begin:
            self.end = self.begin + 1.0
        self._fit()
        if self.counts != "step" or (self.begin, self.end) != before[1:] or type(timeline) is not type(before[0]):
            self.version += 1

    def _fit(self) -> None:
        if self.scattered is not None:
            self.so_far = self.end
        else:
            super()._fit()

    @property
    def least(self) -> float | None:
        if isinstance(self.timeline, WallTimeline):
            return None
        if self.scattered is not None:
            return self.begin if self.begin > 0 else None
        return super().least

    def _timeline(self, history: History) -> Timeline:
        """What was asked for, as far as it is known; else steps."""
        match self.counts:
            case "epoch":
                return self._epochs(history) or StepTimeline()
            case "time":
                return self._clock(history) or StepTimeline()
            case "wall clock":
                clock = self._clock(history)
                return WallTimeline(clock, history.clock_marks) if clock and history.clock_marks else StepTimeline()
            case "images":
                return _images(history) or StepTimeline()
            case "series" if (series := history.series.get(self.over)) is not None and len(series.steps):
                self._behind = not self._knots.follow(series, AT_ONCE)
                if self._knots.rises and len(self._knots):
                    return self._knots
                self.scattered = series
        return StepTimeline()

    def _epochs(self, history: History) -> Timeline | None:
        if starts := history.epoch_starts:
            ends = [start - 1 for start in starts]
            recipe = (history.recipe.batches_per_epoch or 0) if history.recipe else 0
            batches = history.batches_in_epoch or recipe or (ends[-1] // (len(ends) - 1) if len(ends) > 1 else 0)
            return EpochTimeline([*ends, max(ends[-1] + batches, self.steps)], batches) if batches else None
        logged = history.logged_epochs
        if len(logged.steps) < 2:
            return None
        ends_alone = max(len(series.steps) for series in history.series.values()) <= len(logged.steps)
        from_one = logged.values[0] >= 1
        knots = KnotTimeline("epoch", joins=True)
        for step, epoch in zip(logged.steps, logged.values, strict=True):
            if ends_alone:  # a number for each, told at its end
                knots.add(step, epoch + (not from_one))
            else:
                knots.add(step - 1, epoch - from_one)
        return knots

    def _clock(self, history: History) -> Timeline | None:
        if len(history.elapsed) >= self.steps > 0:
            return SecondTimeline(history.elapsed)
        self._behind = not self._clock_knots.follow(history.logged_elapsed, AT_ONCE)
        return self._clock_knots if len(self._clock_knots) else None

    def _spread(self, series: Series) -> tuple[float, float]:
        tree = self._spread_over
        if tree is None or self._spread_rewrites != series.rewrites:
            tree = self._spread_over = MinMaxTree(series.values)  # type: ignore[arg-type]
            self._spread_rewrites = series.rewrites
        self._behind = not tree.catch_up(AT_ONCE)
        extent = tree.extent(0, len(tree)) or (0.0, 1.0)
        return extent if extent[0] < extent[1] else (extent[0] - 0.5, extent[0] + 0.5)


def _images(history: History) -> Timeline | None:
    """As many as the batches hold; the last one of an epoch holds what is left."""
    resolved, recipe = history.resolved, history.recipe
    if resolved is None or recipe is None or not recipe.batch_size:
        return None
    a_batch, batches = recipe.images_a_step, recipe.batches_per_epoch or 0
    an_epoch = min(resolved.train_images or a_batch * batches, a_batch * batches)
    knots = KnotTimeline("step")
    knots.add(0, 0.0)
    starts = history.epoch_starts
    for epoch, start in enumerate(starts[1:], 1):
        knots.add(start - 1, float(epoch * an_epoch if an_epoch else a_batch * (start - 1)))
    begun = starts[-1] - 1 if starts else 0
    done = float(max(0, len(starts) - 1) * an_epoch if an_epoch else a_batch * begun)
    knots.add(begun + (batches or 1), done + (an_epoch or a_batch))
    return knots


class SeriesAxis(XAxis):
    """The axis that charts of series share. The cursor is a step, whatever is counted."""

    def __init__(self) -> None:
        super().__init__()
        self.course = SeriesExtent()
        self._course = self.course

    @property
    def counted(self) -> str:
        """What it counts, in a word or by the name of a series."""
        return self.course.over if self.course.counts == "series" else self.course.counts

    def choices(self, history: History) -> list[tuple[Counted, str]]:
        """What this run can be counted in."""
        choices: list[tuple[Counted, str]] = [("step", "")]
        if history.epoch_starts or len(history.logged_epochs.steps) > 1:
            choices.append(("epoch", ""))
        if len(history.elapsed) or len(history.logged_elapsed.steps):
            choices.append(("time", ""))
            if history.clock_marks:
                choices.append(("wall clock", ""))
        if _images(history) is not None and history.steps:
            choices.append(("images", ""))
        choices += [("series", name) for name in history.series if name.rpartition("/")[2].lower() in TOKENS]
        return choices

    def next_unit(self) -> None:
        """Count in the next of what this run can be counted in."""
        if self.course.history is None:
            return
        choices = self.choices(self.course.history)
        now = (self.course.counts, self.course.over)
        self.count(*choices[(choices.index(now) + 1) % len(choices) if now in choices else 0])

    def count(self, counts: Counted, over: str = "") -> None:
        """Count in something else, over the same steps."""
        self._change(lambda: self.course.count(counts, over))

    def _change(self, change: Callable[[], None]) -> None:
        """Where steps have no place of their own, before or after it, all is in sight."""
        if self.course.scattered is not None:
            self._window = None
        super()._change(change)
        if self.course.scattered is not None:
            self._window = None

    def along(self, value: float) -> float:
        """The place of a number of the series that falls as well as rises."""
        logs = self._powers
        return value if logs is None else logs.along(value)

    def column_of(self, step: float, columns: int) -> int | None:
        scattered = self.course.scattered
        if scattered is None:
            return super().column_of(step, columns)
        index = bisect_right(scattered.steps, step) - 1
        return self.column_at(self.along(scattered.values[index]), columns) if index >= 0 else None

    def move_cursor(self, cells: int) -> None:
        if self.course.scattered is None or self._cursor is None:
            super().move_cursor(cells)
            return
        stride = max(1, (self.course.steps - self.course.first) // max(1, self.width))
        self._cursor = max(self.course.first, min(self.course.steps, self._cursor + cells * stride))
        self._tell()

    def point_at(self, cell: int) -> None:
        if self.course.scattered is None:
            super().point_at(cell)

    def _zoom(self, factor: float) -> None:
        if self.course.scattered is None:
            super()._zoom(factor)

    def _places(self, width: int) -> tuple[list[tuple[float, str]], str]:
        first, last = self.bounds
        counts = self.course.counts
        if self.log:
            return powers(first, last, width), self._unit_words(width)
        if counts == "wall clock" and isinstance(self._timeline, WallTimeline):
            return _hours(first, last, width), "clock"
        if counts == "series" or counts == "images":
            whole = counts == "images"
            return along(first, last, width, labels=5, whole=whole), self._unit_words(width)
        if counts == "step":
            return along(first, last, width, labels=5), "step"
        return super()._places(width)

    def _unit_words(self, width: int) -> str:
        words = self.counted
        return cut("".join(c if c.isascii() and c.isprintable() else "?" for c in words), max(4, width // 3))


def _hours(first: float, last: float, columns: int) -> list[tuple[float, str]]:
    """Round times of the day, on this machine's clock."""
    if last <= first:
        return []
    least = (last - first) / max(1, columns // 8)
    step = next((step for step in (*CLOCK_STEPS, *HOURS) if step >= least), DAY * ceil(least / DAY))
    shift = time.localtime(last).tm_gmtoff
    form = "%H:%M:%S" if step < 60 else "%H:%M" if step < DAY else "%d.%m."
    start = ceil((first + shift) / step) * step - shift
    count = floor((last - start) / step) + 1
    return [(place, time.strftime(form, time.localtime(place))) for place in (start + i * step for i in range(count))]
