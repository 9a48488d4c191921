"""The x axis that charts share: how far a run goes on it, what it shows, in which unit, and where the cursor stands."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from math import ceil, floor
from typing import TYPE_CHECKING, Literal, TypeAlias

from tui_trainer.plotting.scales import (
    ROUNDING,
    UNITS,
    EpochTimeline,
    SecondTimeline,
    StepTimeline,
    Tick,
    Timeline,
    Unit,
    along,
    edges,
    over_time,
    round_above,
)
from tui_trainer.ui.charts.log_x import LogTimeline, least_of, powers

if TYPE_CHECKING:
    from tui_trainer.records.history import History


HEADROOM = 1.05
"""How much more than what was trained is in sight, at least."""

WORTH_IT = 0.75
"""From this part of the whole run on, all of it is shown: what is left out would gain too little."""

FEWEST_IN_SIGHT = 64
"""Steps that are in sight at least, taken or to come: with fewer of them, the axis would grow all the time."""


class RunExtent:
    """The steps of a run, taken and planned, and where each of them lies."""

    def __init__(self, unit: Unit) -> None:
        self.wanted = unit
        """The unit to count in, as soon as enough is known for it."""
        self.steps = 0
        """Steps taken."""
        self.total = 0
        """The last step of the run, as planned or as taken."""
        self.intended = 0
        """The last step as planned; 0 where nobody knows how long it will be."""
        self.timeline: Timeline = StepTimeline()
        self.begin = 0.0
        """Where it begins."""
        self.first = 1
        """The first step that a cursor may stand on."""
        self.end = 0.0
        """Where the whole run ends."""
        self.so_far = 0.0
        """Where what is seen of it ends, unless asked for otherwise: at its end, from half of the steps on; before, at
        a round place not far behind the newest step, so that what was trained has the most of the width."""
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
        self.intended = max(history.planned_end, (history.recipe.total_steps or 0) if history.recipe else 0)
        self.total = max(self.steps, self.intended)
        if not same:
            self._batches = (history.recipe.batches_per_epoch or 0) if history.recipe else 0
            ends = [start - 1 for start in history.epoch_starts] or [0]
            self._ends = [*ends, ends[-1] + (history.batches_in_epoch or self._batches)]
            self.count_in(self.wanted)
        elif self.timeline.unit == "seconds":
            self.version += 1
        self._look_ahead()
        return True

    @property
    def least(self) -> float | None:
        """The least place above zero, at which powers of ten begin; None where what is counted has none."""
        return least_of(self.timeline, self.first)

    @property
    def goes_on(self) -> bool:
        """Whether steps are still to come."""
        return self.history is not None and self.history.ended is None

    @property
    def has_no_end(self) -> bool:
        """Whether it goes on, and nobody knows until when."""
        return self.goes_on and self.steps > self.intended

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
        if self.has_no_end:
            self.end = self._beyond_the_newest()
        elif self.timeline.unit != "seconds" or self.steps >= self.total:
            self.end = end
        elif not self.end * 0.95 <= end <= self.end:
            self.end = end * 1.02
        self._fit()

    def _fit(self) -> None:
        """Find how much of it is seen by default."""
        if self.history is None or not self.steps:
            self.so_far = self.end
        elif not self.goes_on:
            self.so_far = min(self.end, self.timeline.place(self.steps))
        else:
            near = self._beyond_the_newest()
            worth_it = 2 * self.steps < self.total and near - self.begin < WORTH_IT * (self.end - self.begin)
            self.so_far = near if worth_it else self.end

    def _beyond_the_newest(self) -> float:
        """A round place behind the newest step, which moves the less often the longer the run is."""
        place = self.timeline.place
        span = max((place(self.steps) - self.begin) * HEADROOM, place(FEWEST_IN_SIGHT) - place(0))
        return self.begin + round_above(span)


Mode: TypeAlias = Literal["all", "so far", "live", "held"]
"""The whole run as planned; what was trained of it, with some room; a stretch that moves along with the newest step; a
stretch that stands still."""

ZOOM = 2.0
FEWEST_STEPS = 8
"""What is left at the deepest zoom."""

LEAD = 0.2
"""The part of a moving stretch that lies ahead of the newest step when it moves, so that it seldom has to."""


class Axis:
    """A stretch of places in some unit. Charts that share one stand column for column under each other.

    Every method that changes what is seen tells the listeners; a chart is one.
    """

    def __init__(self) -> None:
        self.width = 80
        """Cells that the charts draw over; they say so."""
        self._window: tuple[float, float] | None = None
        """What is seen of it; None for all."""
        self._listeners: list[Callable[[], None]] = []
        self._log = False

    @property
    def log(self) -> bool:
        """Whether places are powers of ten: as it was asked for, where what is counted has any."""
        return self._log

    @property
    def unit(self) -> Unit:
        """What is counted along it."""
        raise NotImplementedError

    @property
    def end(self) -> float:
        """The last place that there is, in the unit."""
        raise NotImplementedError

    @property
    def mode(self) -> Mode:
        """How the stretch that is seen moves."""
        return "all" if self._window is None else "held"

    @property
    def bounds(self) -> tuple[float, float]:
        """The places at the left and the right end, in the unit."""
        return self._window if self._window is not None else (0.0, self.end)

    def column_at(self, place: float, columns: int) -> int | None:
        """The column of a place; None where it is out of sight."""
        first, last = self.bounds
        return self._column(place, columns) if first <= place <= last and last > first else None

    def ticks(self, width: int) -> list[Tick]:
        """Round places along the axis, by the cell each stands in."""
        return [Tick(self._column(place, width), label) for place, label in self._places(width)[0]]

    def counts(self, width: int) -> str:
        """What the labels of the ticks count, in a word: the unit, or minutes or hours where seconds are too many."""
        word = self._places(width)[1]
        return f"{word}, log" if self.log else word

    def _places(self, width: int) -> tuple[list[tuple[float, str]], str]:
        first, last = self.bounds
        if self.log:
            return powers(first, last, width), self.unit
        if self.unit == "seconds":
            return over_time(first, last, width, labels=4)
        whole = self.unit == "step" or last - first >= 2
        return along(first, last, width, labels=4, whole=whole), self.unit

    def _column(self, place: float, columns: int) -> int:
        first, last = self.bounds
        return max(0, min(columns - 1, ceil((place - first) / (last - first) * columns - ROUNDING) - 1))

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` when what is seen was changed by hand."""
        self._listeners.append(listener)

    def forget(self, listener: Callable[[], None]) -> None:
        """Call it no more."""
        self._listeners.remove(listener)

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener()


class XAxis(Axis):
    """The axis of one run; the cursor is a step."""

    def __init__(self, unit: Unit = "epoch") -> None:
        super().__init__()
        self._course = RunExtent(unit)
        self._whole = False
        """Whether all that is planned was asked for."""
        self._following = False
        self._cursor: int | None = None
        self._edges: dict[int, tuple[tuple[object, ...], list[int]]] = {}
        self._logs: tuple[tuple[object, ...], LogTimeline | None] = ((), None)

    # What it shows

    @property
    def unit(self) -> Unit:
        """What is counted along it: `step` as long as nothing is known of the epochs."""
        return self._timeline.unit

    @property
    def log(self) -> bool:
        return self._powers is not None

    @property
    def mode(self) -> Mode:
        if self._window is None:
            return "all" if self._whole or self._so_far >= self.end else "so far"
        return "live" if self._following and self._course.goes_on else "held"

    @property
    def is_chosen(self) -> bool:
        """Whether the part that is seen is one that was asked for, be it all."""
        return self._whole or self._window is not None

    @property
    def cursor(self) -> int | None:
        """The step under the cursor; None where there is no cursor."""
        return self._cursor

    @property
    def total(self) -> int:
        """The last step of the run, as planned or as taken."""
        return self._course.total

    @property
    def begin(self) -> float:
        """The first place that there is, in the unit."""
        return self.whole[0]

    @property
    def end(self) -> float:
        return self.whole[1]

    @property
    def bounds(self) -> tuple[float, float]:
        if self._window is not None:
            return self._window
        course = self._course
        if self._log:
            return self.begin, self.end if self._whole else self._so_far
        return course.begin, course.end if self._whole else course.so_far  # asked for at each point that is drawn

    @property
    def whole(self) -> tuple[float, float]:
        """The places at both ends of the whole run, whatever is seen of it."""
        logs = self._powers
        return (self._course.begin, self._course.end) if logs is None else logs.bounds(self._course.end)

    @property
    def _so_far(self) -> float:
        """Powers of ten leave little of the width to what is to come: there all is seen."""
        return self._course.so_far if self._powers is None else self.end

    def counted_at(self, place: float) -> float:
        """What is counted at a place: the place, or what it is a power of ten of."""
        return 10**place if self.log else place

    def edges(self, columns: int) -> list[int]:
        """The steps before each edge of as many equal columns; see `plotting.timeline.edges`."""
        first, last = self.bounds
        key = (first, last, self.log, self._course.version)
        known = self._edges.get(columns)
        if known is None or known[0] != key:
            if known is None and len(self._edges) > 2:
                self._edges.clear()  # the terminal has another size
            known = self._edges[columns] = key, edges(self._timeline, first, last, columns, self._course.first - 1)
        return known[1]

    def edges_of_all(self, columns: int) -> list[int]:
        """The same for the whole run."""
        return edges(self._timeline, *self.whole, columns, self._course.first - 1)

    @property
    def has_no_end(self) -> bool:
        """Whether the run goes on, and nobody knows until when."""
        return self._course.has_no_end

    def place(self, step: float) -> float:
        """Where a step ends, in the unit."""
        return self._timeline.place(step)

    def column_of(self, step: float, columns: int) -> int | None:
        """The column in which a step ends; None where it is out of sight."""
        return self.column_at(self._timeline.place(step), columns)

    @property
    def _timeline(self) -> Timeline:
        return (self._log and self._powers) or self._course.timeline

    @property
    def _powers(self) -> LogTimeline | None:
        """Where steps lie in powers of ten; None where these are not asked for, or there are none."""
        if not self._log:
            return None
        course = self._course
        made_of = course.timeline, course.version, course.first
        if self._logs[0] != made_of:
            least = course.least
            self._logs = made_of, LogTimeline(course.timeline, least) if least is not None else None
        return self._logs[1]

    # What moves it

    def zoom_in(self) -> None:
        """Show half of what is seen: around the cursor, else the newest steps."""
        self._zoom(1 / ZOOM)

    def zoom_out(self) -> None:
        """Show twice of what is seen, up to the whole run."""
        self._zoom(ZOOM)

    def reset(self) -> None:
        """The whole run as planned, without a cursor."""
        self._window, self._whole, self._following, self._cursor = None, True, False, None
        self._tell()

    def begin_anew(self) -> None:
        """What was trained so far of another run, without a cursor, whatever was asked for of the one before."""
        self._window, self._whole, self._following, self._cursor = None, False, False, None

    def follow(self) -> None:
        """The newest values again: what was trained so far, or a stretch that moves along with the newest step."""
        self._cursor, self._whole = None, False
        if self._window is not None:
            self._following = True
            self._keep_up(at_once=True)
        self._tell()

    def pan(self, part: float) -> None:
        """Move a stretch by a part of its width, to the right where positive; from now on it stands still."""
        if self.mode == "all":
            return
        first, last = self.bounds
        shift = (last - first) * part
        shift = max(self.begin - first, min(self.end - last, shift))
        self._window, self._following = (first + shift, last + shift), False
        self._tell()

    def move_cursor(self, cells: int) -> None:
        """Move the cursor by cells, a step at least; the first time it appears at the newest step,
        at the first one of a run that is only planned."""
        if not self._course.total:
            return
        if self._cursor is None:
            self._set_cursor(self._course.steps or 1)
            return
        cell = self.column_of(self._cursor, self.width)
        step = self._cursor if cell is None else self._last_step_of(cell + cells)
        if (step - self._cursor) * cells <= 0:  # a step is wider than a cell, or the cursor was out of sight
            step = self._cursor + cells
        self._set_cursor(step)

    def point_at(self, cell: int) -> None:
        """Put the cursor on the last step of a cell, as a mouse does."""
        if self._course.total:
            self._set_cursor(self._last_step_of(cell))

    def move_to(self, steps: Sequence[int], by: int) -> bool:
        """Put the cursor on the next of some steps, in rising order, or the one before; whether there is one."""
        at = self._cursor if self._cursor is not None else self._course.steps + (by < 0)
        index = bisect_right(steps, at) if by > 0 else bisect_left(steps, at) - 1
        if not 0 <= index < len(steps):
            return False
        self._set_cursor(steps[index])
        return True

    def steps_in(self, cell: int) -> tuple[int, int]:
        """The steps whose marks stand in a cell, and the one before, at whose end the cell begins."""
        first, last = self.bounds
        start, stop = (
            max(0, floor(self._timeline.step(first + edge * (last - first) / max(1, self.width)) + ROUNDING))
            for edge in (cell, cell + 1)
        )
        return start, max(stop, start + 1)

    @property
    def at_cursor(self) -> tuple[int, int] | None:
        """The steps under the cursor, as `steps_in`; None where there is no cursor."""
        if self._cursor is None:
            return None
        cell = self.column_of(self._cursor, self.width)
        first, last = self.steps_in(cell) if cell is not None else (self._cursor, self._cursor)
        return min(first, self._cursor - 1), max(last, self._cursor)

    def _last_step_of(self, cell: int) -> int:
        first, last = self.bounds
        place = first + (cell + 1) * (last - first) / max(1, self.width)
        return int(self._timeline.step(max(self.begin, place)) + ROUNDING)

    def clear_cursor(self) -> None:
        """Show the newest values again."""
        self._cursor = None
        self._tell()

    def use(self, unit: Unit) -> None:
        """Count along the axis in another unit, over the same steps."""
        if unit != self._course.wanted:
            self._change(lambda: self._course.count_in(unit))

    def next_unit(self) -> None:
        """The unit after this one of those that the run can be counted in."""
        before, at = self.unit, UNITS.index(self._course.wanted)
        for ahead in range(1, len(UNITS)):
            self.use(UNITS[(at + ahead) % len(UNITS)])
            if self.unit != before:
                break

    def toggle_log(self) -> None:
        """Powers of ten, or not, over the same steps."""

        def turn() -> None:
            self._log = not self._log

        self._change(turn)

    def _change(self, change: Callable[[], None]) -> None:
        """Count otherwise, with the same steps in sight."""
        seen = [self._timeline.step(place) for place in self._window] if self._window is not None else None
        change()
        if seen is not None:
            first, last = (self._timeline.place(step) for step in seen)
            self._window = (first, last) if last > first else None
        self._tell()

    # What it stands for

    def update(self, history: History) -> None:
        """Take in how far a run is and how far it will go. Every chart asks for it; the first one pays."""
        if self._course.history not in (None, history):
            self.begin_anew()
        if self._course.follow(history):
            self._keep_up()

    def plan(self, last_step: int, batches_per_epoch: int = 0) -> None:
        """Stand for a run that is only planned, all of it in sight."""
        self._window, self._following, self._cursor = None, False, None
        self._course.plan(last_step, batches_per_epoch)

    def _keep_up(self, at_once: bool = False) -> None:
        """Move a following stretch when the newest step leaves it."""
        if self._window is None or not self._following:
            return
        first, last = self._window
        newest = self._timeline.place(self._course.steps)
        if at_once or not first <= newest <= last:
            span = last - first
            last = min(max(newest + span * LEAD, self.begin + span), max(self.end, self.begin + span))
            self._window = last - span, last

    def _zoom(self, factor: float) -> None:
        first, last = self.bounds
        span = (last - first) * factor
        if not self._course.total or (
            factor < 1 and self._timeline.step(last) - self._timeline.step(first) < FEWEST_STEPS
        ):
            return
        follows = self._cursor is None and self.mode != "held" and 0 < self._course.steps < self._course.total
        if span >= self.end - self.begin:
            self._window, self._whole = None, True
        elif follows:
            self._window, self._following = (first, first + span), True
            self._keep_up(at_once=True)
        else:
            at = self._timeline.place(self._cursor if self._cursor is not None else self._course.steps)
            if not first <= at <= last:
                at = (first + last) / 2
            left = max(self.begin, min(self.end - span, at - (at - first) * factor))
            self._window, self._following = (left, left + span), False
        self._tell()

    def _set_cursor(self, step: int) -> None:
        self._cursor = max(self._course.first, min(self._course.total, step))
        self._following = False  # or the stretch would move away from it
        if self.mode != "all":
            first, last = self.bounds
            place = self._timeline.place(self._cursor)
            before = self._timeline.place(self._cursor - 1)
            if place > last or before < first:
                shift = place - last if place > last else before - first
                self._window = first + shift, last + shift
        self._tell()
