"""What the charts of a comparison are made of: the colours of presets, one x axis over runs that each have their own,
and curves in columns, made ready as they come."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import pairwise
from math import isfinite, nan
from statistics import fmean
from typing import TYPE_CHECKING, TypeVar

from rich.style import Style
from textual.color import Color

from tui_trainer.compare.comparison import Found, Point, counted_in, timeline_of
from tui_trainer.plotting.curves import BREAK, Columns, Extent, MinMaxTree
from tui_trainer.plotting.scales import UNITS, StepTimeline, Timeline, Unit, edges, round_above
from tui_trainer.plotting.smoothing import Means, Smoothing, fitting_window
from tui_trainer.records.told_epochs import told_epochs
from tui_trainer.ui.charts.axis import FEWEST_IN_SIGHT, HEADROOM, WORTH_IT, ZOOM, Axis, Mode
from tui_trainer.ui.charts.log_x import LogTimeline, least_of
from tui_trainer.ui.panel import Panel

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Compared, Group
    from tui_trainer.records.history import History

T = TypeVar("T")

DARK = ("#e69f00", "#56b4e9", "#00b384", "#f0e442", "#cc79a7", "#f0703c", "#d5dae0")
LIGHT = ("#b97a00", "#2a7fb8", "#007a58", "#857a00", "#a8457f", "#bf4800", "#20262c")
"""The colours of compared presets: Okabe and Ito's, made for the colour-blind, with those that a dark or a light
background would swallow moved towards what can be read on it."""

FAINTER = {"train": 0.35, "band": 0.65}
"""How far the colours of these are on the way to the background."""


def preset_style(panel: Panel, role: str) -> Style | None:
    """The style of the roles `runN` and, fainter, `trainN` and `bandN`; None for any other."""
    kind, number = role.rstrip("0123456789"), role.lstrip("abcdefghijklmnopqrstuvwxyz")
    if kind not in ("run", *FAINTER) or not number:
        return None
    colour = Color.parse((DARK if panel.app.current_theme.dark else LIGHT)[int(number)])
    if kind in FAINTER:
        colour = colour.blend(panel.background_colors[1], FAINTER[kind])
    return panel.rich_style + Style(color=colour.rich_color)


class SeriesStyles(Panel):
    """A panel with the roles of presets beside those it has anyway."""

    def _style(self, role: str, action: str) -> Style:
        if (role, action) not in self._styles_by_role and (style := preset_style(self, role)) is not None:
            self._styles_by_role[role, action] = style
        return super()._style(role, action)


DEEPEST = 500.0
"""How many times less than all is seen at the deepest zoom."""


class CompareAxis(Axis):
    """The axis of many runs; the cursor is a place, not a step."""

    def __init__(self) -> None:
        super().__init__()
        self._unit: Unit = "epoch"
        self._is_unit_chosen = False
        self.cursor: float | None = None
        """The place under the cursor, in the unit; None where there is no cursor."""
        self._end = 0.0
        self._so_far = 0.0
        """Where what is seen ends, unless asked for otherwise: as in the charts of one run, see `RunExtent.so_far`."""
        self._whole = False
        self._least = 1.0
        """The least place above zero at which a run begins: there powers of ten begin."""
        self._timelines: dict[int, tuple[object, Timeline]] = {}
        self._edges_of: tuple[object, ...] = ()
        self._edges: dict[tuple[int, ...], list[int]] = {}

    # What it shows

    @property
    def unit(self) -> Unit:
        return self._unit

    @property
    def end(self) -> float:
        return self._end

    @property
    def whole(self) -> tuple[float, float]:
        """The places at both ends of all runs, whatever is seen of them."""
        return LogTimeline(StepTimeline(), self._least).bounds(self._end) if self._log else (0.0, self._end)

    @property
    def bounds(self) -> tuple[float, float]:
        if self._window is not None:
            return self._window
        return self.whole if self._whole or self._log else (0.0, self._so_far)

    @property
    def mode(self) -> Mode:
        if self._window is not None:
            return "held"
        return "all" if self._whole or self._log or self._so_far >= self._end else "so far"

    @property
    def counted_at_cursor(self) -> float | None:
        """What is counted at the cursor: its place, or what that is a power of ten of."""
        return self.cursor if self.cursor is None or not self._log else 10**self.cursor

    def timeline(self, history: History) -> Timeline:
        """Where the steps of a run lie."""
        timeline = self._counted(history)
        return LogTimeline(timeline, self._least) if self._log else timeline

    def _counted(self, history: History) -> Timeline:
        # Seconds read the growing clock itself; epochs change as one begins.
        told = told_epochs(history)
        key = (self.unit, len(history.epoch_starts), history.batches_in_epoch, len(told.begins) if told else 0)
        known = self._timelines.get(id(history))
        if known is None or known[0] != key:
            known = self._timelines[id(history)] = (key, timeline_of(history, self.unit))
        return known[1]

    def edges(self, history: History, columns: int) -> list[int]:
        """The steps of a run before each edge of as many equal columns; not to be changed."""
        first, last = self.bounds
        if last <= first:
            return [0] * (columns + 1)
        if self.unit == "seconds":
            return edges(self.timeline(history), first, last, columns)
        # Runs of one comparison mostly have the same epochs, and with them the same edges.
        seen = self.unit, self._log, first, last, columns
        if seen != self._edges_of:
            self._edges_of = seen
            self._edges.clear()
        key: tuple[int, ...] = ()
        if self.unit == "epoch":
            key = (history.batches_in_epoch, *history.epoch_starts)
            if (told := told_epochs(history)) is not None:
                key = tuple(told.begins)
        known = self._edges.get(key)
        if known is None:
            known = self._edges[key] = edges(self.timeline(history), first, last, columns)
        return known

    # What moves it

    def update(self, histories: Iterable[History]) -> bool:
        """Take in how far the runs go; whether that changed what is seen. A guess in seconds may be 5 % off."""
        before = self.bounds
        end = newest = fewest = 0.0
        least: list[float] = []
        every = [*histories]
        if not self._is_unit_chosen:
            self._unit = counted_in(every)
        for history in every:
            planned = (history.recipe.total_steps or 0) if history.recipe and history.ended is None else 0
            trained = history.steps or (history.last_step if history.written_at is not None else 0)
            if trained or planned:
                timeline = self._counted(history)
                place = timeline.place
                least.append(least_of(timeline, 1))
                end = max(end, place(max(planned, trained)))
                newest, fewest = max(newest, place(trained)), max(fewest, place(FEWEST_IN_SIGHT))
        if end != self._end and not (self.unit == "seconds" and self._end * 0.95 <= end <= self._end):
            self._end = end * (1.02 if self.unit == "seconds" else 1.0)
        near = round_above(max(newest * HEADROOM, fewest)) if newest else self._end
        self._least = min(least, default=self._least)
        self._so_far = near if 2 * newest < self._end and near < WORTH_IT * self._end else self._end
        return self.bounds != before

    def zoom_in(self) -> None:
        """Show half of what is seen, around the cursor or the newest end."""
        self._zoom(1 / ZOOM)

    def zoom_out(self) -> None:
        """Show twice of what is seen, up to all."""
        self._zoom(ZOOM)

    def _zoom(self, factor: float) -> None:
        (first, last), (begin, end) = self.bounds, self.whole
        span = (last - first) * factor
        if span <= 0 or span < (end - begin) / DEEPEST:
            return
        if span >= end - begin:
            self._window, self._whole = None, True
        else:
            at = self.cursor if self.cursor is not None else last
            left = max(begin, min(end - span, at - (at - first) * span / (last - first)))
            self._window = left, left + span
        self._tell()

    def reset(self) -> None:
        """All of it as planned, without a cursor."""
        self._window = self.cursor = None
        self._whole = True
        self._tell()

    def follow(self) -> None:
        """What was trained so far, without a cursor."""
        self._window = self.cursor = None
        self._whole = False
        self._tell()

    def move_cursor(self, cells: int) -> None:
        """Move the cursor by cells; the first time it appears at the right end."""
        (first, last), (begin, end) = self.bounds, self.whole
        if last <= first:
            return
        if self.cursor is None:
            self.cursor = last
        else:
            self.cursor = max(begin, min(end, self.cursor + cells * (last - first) / max(1, self.width)))
            if self._window is not None and not first <= self.cursor <= last:
                shift = self.cursor - last if self.cursor > last else self.cursor - first
                self._window = first + shift, last + shift
        self._tell()

    def point_at(self, cell: int) -> None:
        """Put the cursor on a cell, as a mouse does."""
        first, last = self.bounds
        self.cursor = first + (cell + 1) * (last - first) / max(1, self.width)
        self._tell()

    def next_unit(self) -> None:
        """Count in the next unit; the whole of it is seen."""
        self._is_unit_chosen = True
        self._unit = UNITS[(UNITS.index(self.unit) + 1) % len(UNITS)]
        self._window = self.cursor = None
        self._end = 0.0
        self._tell()

    def toggle_log(self) -> None:
        """Powers of ten, or not, with the same in sight and the cursor where it was."""
        logs = LogTimeline(StepTimeline(), self._least)
        moved = logs.step if self._log else logs.place  # as if the unit were a step
        self._log = not self._log
        if self._window is not None:
            first, last = map(moved, self._window)
            self._window = (first, last) if first < last else None
        if self.cursor is not None:
            self.cursor = moved(self.cursor)
        self._tell()


MOST_POINTS = 2_000
"""Values of a series that are drawn point by point; of more, what each column holds."""

AT_ONCE = 10_000
"""Steps of a run that are read in one go: some milliseconds."""


class RunCurves:
    """The losses and LRs of one run."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.smoothing = Smoothing(history.losses, fitting_window(history.recipe))
        self._means = Means(self.smoothing.values)
        self.rates = MinMaxTree(history.lrs)
        self._columns = Columns(self.rates, held=True)
        self._trees: dict[str, tuple[int, MinMaxTree]] = {}
        """Of long series: how often each was rewritten, and its extents."""

    def catch_up(self, *names: str) -> bool:
        """Read what is new, of these series too, or as much as a frame can afford; whether that was all."""
        whole = self.rates.catch_up(AT_ONCE)
        whole = self.smoothing.catch_up(AT_ONCE) and whole
        self._means.catch_up()
        for name in names:
            if (tree := self._tree_of(name)) is not None:
                whole = tree.catch_up(AT_ONCE) and whole
        return whole

    def is_long(self, name: str) -> bool:
        """Whether a series has more values than are drawn point by point."""
        series = self.history.series.get(name)
        return series is not None and len(series.values) > MOST_POINTS

    def steps(self, name: str) -> Sequence[int]:
        """At which steps a series has values."""
        series = self.history.series.get(name)
        return series.steps if series is not None else ()

    def extents(self, name: str, edges: list[int]) -> list[Extent | None]:
        """The lowest and the highest value of a long series in each column."""
        tree, steps = self._tree_of(name), self.steps(name)
        if tree is None:
            return [None] * (len(edges) - 1)
        places = [min(len(tree), bisect_right(steps, edge)) for edge in edges]
        return [tree.extent(a, b) or BREAK if a < b else None for a, b in pairwise(places)]

    def points(self, name: str, axis: CompareAxis) -> tuple[list[Point], list[float]]:
        """Place and value of a series that is not long; and the places of values that are not finite."""
        series = self.history.series.get(name)
        if series is None:
            return [], []
        place = axis.timeline(self.history).place
        told = [(place(step), value) for step, value in zip(series.steps, series.values, strict=True)]
        return [point for point in told if isfinite(point[1])], [x for x, y in told if not isfinite(y)]

    def _tree_of(self, name: str) -> MinMaxTree | None:
        series = self.history.series.get(name)
        if series is None or not isinstance(series.values, array) or not self.is_long(name):
            return None
        known = self._trees.get(name)
        if known is None or known[0] != series.rewrites:
            known = self._trees[name] = (series.rewrites, MinMaxTree(series.values))
        return known[1]

    def loss(self, edges: list[int]) -> list[Extent | None]:
        """The smoothed training loss."""
        return self._means.over(edges)

    def lr(self, edges: list[int]) -> list[Extent | None]:
        """The LR used."""
        return list(self._columns.over(edges))  # which goes on changing its own


class GroupCurves:
    """The curves of a preset: the mean of its finished seeds as a line, how far these lie apart as a band, and seeds
    that train as lines of their own."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self._runs: dict[int, RunCurves] = {}
        self._version = self._milestones = -1
        """Of the group, as it was looked at last: of a thousand seeds that takes a while."""
        self._looked_at: tuple[list[RunCurves], list[RunCurves]] = ([], [])
        self._reading: tuple[int, tuple[str, ...]] = (-1, ())
        self._read = 0
        """Of the runs of that version, so many have been read, with those series."""
        self._found = Found()

    def _look(self) -> tuple[list[RunCurves], list[RunCurves]]:
        self._version = self.group.version
        if self.group.milestones != self._milestones:
            self._milestones = self.group.milestones
            found = self.group.averaged, self.group.beside
            self._looked_at = [self._of(run) for run in found[0]], [self._of(run) for run in found[1]]
        return self._looked_at

    @property
    def runs(self) -> list[RunCurves]:
        """Of those runs whose mean is the line."""
        return self._look()[0]

    @property
    def beside(self) -> list[RunCurves]:
        """Of those that are lines of their own."""
        return self._look()[1]

    @property
    def steps_read(self) -> int:
        """How many losses have been smoothed."""
        return sum(len(run.smoothing.values) for run in self._runs.values())

    @property
    def tells_steps(self) -> bool:
        """Whether any of its runs tells its losses and LRs step by step."""
        return any(run.history.steps for run in [*self.runs, *self.beside])

    def catch_up(self, until: float, *names: str) -> bool:
        """Read what is new, of these series too, until this thread has computed so long (`time.thread_time`), and of
        one run in any case; whether that was all."""
        runs = [*self.runs, *self.beside]
        if self._reading != (reading := (self._version, names)):
            self._reading, self._read = reading, 0
        while self._read < len(runs):
            if not runs[self._read].catch_up(*names):
                return False
            self._read += 1
            if time.thread_time() >= until:
                break
        return self._read == len(runs)

    def _once(self, what: Hashable, axis: CompareAxis, work: Callable[[list[RunCurves]], T]) -> T:
        """What comes of the runs of the mean: of hundreds that are over it stays while one beside them trains."""
        runs = self.runs
        told = [(run.history, run.history.version, len(run.smoothing.values)) for run in runs]
        return self._found.once((axis.unit, axis.bounds, told), what, lambda: work(runs))

    def loss(self, axis: CompareAxis, columns: int) -> tuple[list[Extent | None], list[Extent | None]]:
        """Line and band of the smoothed training loss."""

        def work(runs: list[RunCurves]) -> tuple[list[Extent | None], list[Extent | None]]:
            return _line_and_band([run.loss(axis.edges(run.history, columns)) for run in runs], columns)

        return self._once(("loss", columns), axis, work)

    def lr(self, axis: CompareAxis, columns: int) -> tuple[list[Extent | None], list[Extent | None]]:
        """Line and band of the LR."""

        def work(runs: list[RunCurves]) -> tuple[list[Extent | None], list[Extent | None]]:
            each = [run.lr(axis.edges(run.history, columns)) for run in runs]
            return _line_and_band(each, columns) if len(each) != 1 else (each[0], [])

        return self._once(("lr", columns), axis, work)

    def are_alike(self, name: str) -> bool:
        """Whether the runs of the mean have a series at the same steps, as far as each goes: else they have no mean."""
        every = [run.steps(name) for run in self.runs]
        longest: Sequence[int] = max(every, key=len, default=())
        return all(steps[i] == longest[i] for steps in every for i in range(len(steps)))

    def series(
        self, axis: CompareAxis, name: str, columns: int
    ) -> tuple[list[Extent | None], list[Extent | None], list[Point], list[float]]:
        """Line and band of a series; the points of the line, unless there are very many; and where values are not
        finite."""
        runs = self.runs if self.are_alike(name) else self.runs[:1]
        if any(run.is_long(name) for run in runs):
            return (
                *_line_and_band([run.extents(name, axis.edges(run.history, columns)) for run in runs], columns),
                [],
                [],
            )
        told = [run.points(name, axis) for run in runs]
        unfit = [place for _, places in told for place in places]
        longest: list[Point] = max((points for points, _ in told), key=len, default=[])
        if unfit:  # of those that are whole at a place each
            longest = told[0][0]
            told = told[:1]
        heights = [[points[i][1] for points, _ in told if i < len(points)] for i in range(len(longest))]
        mean = [(place, fmean(values)) for (place, _), values in zip(longest, heights, strict=True)]
        band: list[Extent | None] = []
        if len(told) > 1:
            band = [None] * columns
            for (place, _), values in zip(longest, heights, strict=True):
                column = axis.column_at(place, columns)
                if column is not None:
                    band[column] = (min(values), max(values))
        return along_points(mean, axis, columns), band, mean, unfit

    def alone(self, axis: CompareAxis, name: str, columns: int) -> tuple[list[Extent | None], ...]:
        """The lines of a series of those that are in no mean."""
        runs = self.beside if self.are_alike(name) else [*self.runs[1:], *self.beside]
        return tuple(
            run.extents(name, axis.edges(run.history, columns))
            if run.is_long(name)
            else along_points(run.points(name, axis)[0], axis, columns)
            for run in runs
        )

    def epoch_ends(
        self, axis: CompareAxis, field: str, runs: Sequence[RunCurves] | None = None
    ) -> list[tuple[float, float, float, float]]:
        """Place, mean, lowest and highest of a number of `EpochEnded`, an epoch each; of those in the mean, or of
        `runs`."""
        if runs is None:
            return self._once(("ends", field), axis, lambda runs: _epoch_ends(axis, field, runs))
        return _epoch_ends(axis, field, runs)

    def _of(self, run: Compared) -> RunCurves:
        known = self._runs.get(id(run))
        if known is None or known.history is not run.history:
            known = self._runs[id(run)] = RunCurves(run.history)
        return known


def _epoch_ends(axis: CompareAxis, field: str, runs: Sequence[RunCurves]) -> list[tuple[float, float, float, float]]:
    places: list[float] = []
    values: list[list[float]] = []
    for run in runs:
        timeline = axis.timeline(run.history)
        for i, epoch in enumerate(run.history.epochs):
            if i == len(places):
                places.append(timeline.place(epoch.step))
                values.append([])
            value = getattr(epoch, field)
            if isfinite(value):
                values[i].append(value)
    return [(place, fmean(found), min(found), max(found)) for place, found in zip(places, values, strict=True) if found]


def along_points(points: list[Point], axis: CompareAxis, columns: int) -> list[Extent | None]:
    """Points by column, for a line through them; where it leaves what is seen, its height there."""
    extents: list[Extent | None] = [None] * columns
    first, last = axis.bounds
    before: Point | None = None
    for place, value in points:
        if before is not None:
            for edge, column in ((first, 0), (last, columns - 1)):
                if before[0] < edge < place:
                    crossing = before[1] + (edge - before[0]) / (place - before[0]) * (value - before[1])
                    extents[column] = (crossing, crossing)
        column_here = axis.column_at(place, columns)
        if column_here is not None:
            extents[column_here] = (value, value)
        before = place, value
    return extents


def _line_and_band(curves: list[list[Extent | None]], columns: int) -> tuple[list[Extent | None], list[Extent | None]]:
    if len(curves) == 1:
        return curves[0], []
    line: list[Extent | None] = [None] * columns
    band: list[Extent | None] = [None] * columns
    for i in range(columns):
        there = [extent for curve in curves if (extent := curve[i]) is not None and extent[0] == extent[0]]
        if there:
            mean = fmean([(low + high) / 2 for low, high in there])
            line[i] = (mean, mean)
            band[i] = (min(low for low, _ in there), max(high for _, high in there))
        elif any(curve[i] is not None for curve in curves):
            line[i] = (nan, nan)
    return line, band
