"""What the charts of a comparison are made of: the colours of presets, one x axis over runs that each have their own,
and curves in columns, made ready as they come."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from math import inf, isfinite
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich.style import Style
from textual.color import Color

from tui_trainer.compare.comparison import Compared, Group, Point, counted_in, timeline_of
from tui_trainer.compare.together import Follower, Those, Together
from tui_trainer.plotting.curves import BREAK, Columns, Extent, MinMaxTree
from tui_trainer.plotting.scales import UNITS, StepTimeline, Timeline, Unit, edges, round_above
from tui_trainer.plotting.smoothing import Means, Smoothing, fitting_window
from tui_trainer.records.told_epochs import told_epochs
from tui_trainer.ui.charts.axis import FEWEST_IN_SIGHT, HEADROOM, WORTH_IT, ZOOM, Axis, Mode
from tui_trainer.ui.charts.log_x import LogTimeline, least_of
from tui_trainer.ui.compare.highest import Highest
from tui_trainer.ui.compare.means import Mean, MeanOfColumns, MeanOfPoints, Steps
from tui_trainer.ui.panel import Panel

if TYPE_CHECKING:
    from tui_trainer.records.history import History

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
        self._reaches: dict[Group, _Reach] = {}
        self._furthest = _Furthest(self._unit)
        self._untold: set[Group] = set()
        """Those with runs that cannot be counted in epochs."""
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

    def update(self, groups: Iterable[Group], fresh: Iterable[Group] | None = None) -> bool:
        """Take in how far the runs go; whether that changed what is seen. A guess in seconds may be 5 % off.

        Args:
            groups: all presets that are drawn.
            fresh: those to which something happened since the last time; None: to any of them.
        """
        before, every = self.bounds, {*groups}
        gone, new = self._reaches.keys() - every, every - self._reaches.keys()
        for group in gone:
            del self._reaches[group]
            self._untold.discard(group)
        for group in every if fresh is None else {*new, *(group for group in fresh if group in every)}:
            (self._untold.add if group.kept(_Untold).runs else self._untold.discard)(group)
        if not self._is_unit_chosen:
            self._unit = "step" if self._untold else "epoch"
        if self._furthest.unit != self.unit:
            self._furthest, self._reaches, fresh = _Furthest(self.unit), {}, None
        if len(gone) > FEW:
            self._furthest = _Furthest(self.unit)
            for group, reach in self._reaches.items():
                self._furthest.put(group, reach)
        else:
            for group in gone:
                self._furthest.leave_out(group)
        for group in every if fresh is None else {*new, *(group for group in fresh if group in every)}:
            self._reaches[group] = self._reach(group)
            self._furthest.put(group, self._reaches[group])
        end, newest, fewest, least = self._furthest.places
        if end != self._end and not (self.unit == "seconds" and self._end * 0.95 <= end <= self._end):
            self._end = end * (1.02 if self.unit == "seconds" else 1.0)
        near = round_above(max(newest * HEADROOM, fewest)) if newest else self._end
        self._least = least if isfinite(least) else self._least
        self._so_far = near if 2 * newest < self._end and near < WORTH_IT * self._end else self._end
        return self.bounds != before

    def _reach(self, group: Group) -> _Reach:
        known = self._reaches.get(group)
        if known is None or known.asked != (self.unit,):
            known = _Reach(group, self.unit, self._counted)
        known.look()
        return known

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


class _Untold(Those[Compared]):
    """Runs that cannot be counted in epochs."""

    def belongs(self, run: Compared) -> bool:
        return run.history.last_step > 0 and counted_in([run.history]) == "step"


class _Furthest:
    """How far the runs of all presets go on an axis."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self._highest: tuple[Highest[Group], ...] = (Highest(), Highest(), Highest(), Highest(-inf))

    def put(self, group: Group, reach: _Reach) -> None:
        """How far those of one go now."""
        for highest, value in zip(self._highest, (reach.end, reach.newest, reach.fewest, reach.least), strict=True):
            highest.put(group, value.value)

    def leave_out(self, group: Group) -> None:
        """That one is not drawn."""
        for highest in self._highest:
            highest.leave_out(group)

    @property
    def places(self) -> tuple[float, float, float, float]:
        """Where one ends, as planned; how far one has come; the least that is in sight; the first place above zero."""
        end, newest, fewest, least = self._highest
        return end.value, newest.value, fewest.value, -least.value


class _Reach(Follower[Compared]):
    """How far the runs of a preset go on an axis."""

    def __init__(self, runs: Together[Compared], unit: Unit, timeline: Callable[[History], Timeline]) -> None:
        super().__init__(runs, unit)
        self._timeline = timeline
        self.end: Highest[Compared] = Highest()
        self.newest: Highest[Compared] = Highest()
        self.fewest: Highest[Compared] = Highest()
        self.least: Highest[Compared] = Highest(-inf)
        """Where one ends, as planned; how far one has come; the least that is in sight; with a minus before it, the
        first place above zero."""

    def take(self, runs: Iterable[Compared]) -> None:
        for run in runs:
            history = run.history
            planned = (history.recipe.total_steps or 0) if history.recipe and history.ended is None else 0
            trained = history.steps or (history.last_step if history.written_at is not None else 0)
            end = newest = fewest = 0.0
            least = -inf
            if trained or planned:
                timeline = self._timeline(history)
                place = timeline.place
                end, newest = place(max(planned, trained)), place(trained)
                fewest, least = place(FEWEST_IN_SIGHT), -least_of(timeline, 1)
            self.end.put(run, end)
            self.newest.put(run, newest)
            self.fewest.put(run, fewest)
            self.least.put(run, least)


FEW = 4
"""Presets that are left out one by one: of more, the rest is counted anew."""

MOST_POINTS = 2_000
"""Values of a series that are drawn point by point; of more, what each column holds."""

AT_A_TIME = 8
"""Runs that are read between looks at the clock, which cost more than a short run does."""

AT_ONCE = 10_000
"""Steps of a run that are read in one go: some milliseconds."""


class Drawn(NamedTuple):
    """What is drawn of a run: its smoothed training loss, the LR that it used, a number of the ends of its epochs, or
    any series as it was logged."""

    kind: Literal["loss", "lr", "ends", "series"]
    name: str = ""
    """Of the number or the series."""


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

    def catch_up(self, what: Drawn) -> bool:
        """Read what is new of what is to be drawn, or as much as a frame can afford; whether that was all."""
        if what.kind == "loss":
            whole = self.smoothing.catch_up(AT_ONCE)
            self._means.catch_up()
            return whole
        if what.kind == "lr":
            return self.rates.catch_up(AT_ONCE)
        tree = self._tree_of(what.name) if what.kind == "series" else None
        return tree is None or tree.catch_up(AT_ONCE)

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

    def ends(self, axis: CompareAxis, field: str) -> list[Point]:
        """A number of the end of each epoch, finite or not, at its place."""
        place = axis.timeline(self.history).place
        return [(place(epoch.step), getattr(epoch, field)) for epoch in self.history.epochs]


class LineOfPoints(NamedTuple):
    """A line through points, in columns."""

    line: list[Extent | None]
    band: list[Extent | None]
    """How far runs lie apart, in the columns of the points; empty of one run alone."""
    points: list[Point]
    """Of the line; none of a series that has very many."""
    unfit: list[float]
    """Places of values that are not finite."""

    @classmethod
    def of(cls, means: Sequence[Mean], runs: int, axis: CompareAxis, columns: int) -> LineOfPoints:
        """Through the means of so many runs."""
        points = [(mean.place, mean.value) for mean in means]
        band: list[Extent | None] = []
        if runs > 1:
            band = [None] * columns
            for mean in means:
                if (column := axis.column_at(mean.place, columns)) is not None:
                    band[column] = mean.low, mean.high
        return cls(along_points(points, axis, columns), band, points, [])


class _Mean:
    """The mean of a preset's runs in one of the things that are drawn, as far as they were read."""

    def __init__(self, as_of: object, columns: int) -> None:
        self.as_of, self.width = as_of, columns
        self.seen = -1
        """The version of the group that was looked at."""
        self.columns, self.points, self.steps = MeanOfColumns(columns), MeanOfPoints(), Steps()
        self.unfit: list[float] = []
        """Places of values that are not finite."""
        self.line: LineOfPoints | None = None
        """What comes of it where it is a line through points; None where something was added since."""
        self.is_long = False
        """Whether any has more values than are drawn point by point."""
        self.taken: dict[Compared, object] = {}
        """What each was as it was added."""
        self.waiting: dict[Compared, None] = {}
        """Those that are still to be read and added."""


class GroupCurves:
    """The curves of a preset: the mean of its finished seeds as a line, how far these lie apart as a band, and seeds
    that train as lines of their own. A run that is over is read once and added to the mean."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.version = 0
        """Grows as anything of it was read."""
        self._whole_of: tuple[object, ...] | None = None
        """Of what all was read."""
        self._runs: dict[Compared, RunCurves] = {}
        self._means: dict[Drawn, _Mean] = {}
        self._milestones = -1
        self._beside: list[Compared] = []
        """Of the group at that milestone."""
        self._lines: dict[tuple[Compared, str], tuple[object, list[Extent | None]]] = {}

    @property
    def averages(self) -> int:
        """How many runs' mean the line is."""
        return len(self.group.averaged)

    @property
    def beside(self) -> list[RunCurves]:
        """Of those that are lines of their own."""
        return [self._of(run) for run in self._runs_beside()]

    def _runs_beside(self) -> list[Compared]:
        if self.group.milestones != self._milestones:
            self._milestones, self._beside = self.group.milestones, self.group.beside
        return self._beside

    @property
    def tells_steps(self) -> bool:
        """Whether any of its runs tells its losses and LRs step by step."""
        return self.group.standing.steps > 0

    def catch_up(self, until: float, axis: CompareAxis, columns: int, every: Sequence[Drawn]) -> bool:
        """Read what is new of what is to be drawn, until this thread has computed so long (`time.thread_time`), and of
        some runs in any case; whether that was all."""
        asked = self.group.version, axis.unit, axis.bounds, columns, every
        if asked != self._whole_of:
            self._whole_of = asked if self._read_on(until, axis, columns, every) else None
        return self._whole_of is not None

    def _read_on(self, until: float, axis: CompareAxis, columns: int, every: Sequence[Drawn]) -> bool:
        for drawn in every:
            mean = self._mean(drawn, axis, columns)
            while mean.waiting:
                run = next(iter(mean.waiting))
                self.version += 1
                if not self._of(run).catch_up(drawn):
                    return False
                del mean.waiting[run]
                self._add(run, mean, drawn, axis)
                if mean.waiting and len(mean.waiting) % AT_A_TIME == 0 and time.thread_time() >= until:
                    return False
            for run in self._runs_beside():
                if not self._of(run).catch_up(drawn):
                    self.version += 1
                    return False
        return True

    def _mean(self, drawn: Drawn, axis: CompareAxis, columns: int) -> _Mean:
        """The mean as it is, with what happened since the last look in line to be read; from the first run on where
        what is seen is another stretch, or what was added already became another."""
        group, averaged = self.group, self.group.averaged
        # Before a seed has finished it is one run, and which may change.
        as_of = axis.unit, axis.bounds, columns, None if group.standing.whole else tuple(averaged)
        known = self._means.get(drawn)
        if known is not None and known.as_of == as_of:
            if known.seen == group.version:
                return known
            changed = group.since(known.seen)
            if not any(run in known.taken and known.taken[run] != self._state(run, drawn) for run in changed):
                known.seen = group.version
                known.waiting.update((run, None) for run in changed if run in averaged and run not in known.taken)
                return known
        known = self._means[drawn] = _Mean(as_of, columns)
        known.seen = group.version
        known.waiting.update((run, None) for run in averaged)
        return known

    def _state(self, run: Compared, drawn: Drawn) -> object:
        """What another mean comes of: how much the run has told, if it is among them at all."""
        if run not in self.group.averaged:
            return None
        history = run.history
        series = history.series.get(drawn.name) if drawn.kind == "series" else None
        logged = (len(series.values), series.rewrites) if series is not None else None
        return history, history.steps, len(history.epochs), logged

    def _add(self, run: Compared, mean: _Mean, drawn: Drawn, axis: CompareAxis) -> None:
        mean.taken[run], mean.line = self._state(run, drawn), None
        curves, history = self._of(run), run.history
        columns = mean.width
        if drawn.kind == "loss":
            mean.columns.add(curves.loss(axis.edges(history, columns)))
        elif drawn.kind == "lr":
            mean.columns.add(curves.lr(axis.edges(history, columns)))
        elif drawn.kind == "ends":
            mean.points.add(run.number, curves.ends(axis, drawn.name))
        else:
            mean.steps.add(curves.steps(drawn.name))
            if curves.is_long(drawn.name):
                mean.is_long = True
                mean.columns.add(curves.extents(drawn.name, axis.edges(history, columns)))
            else:
                mean.columns.add([])
                points, unfit = curves.points(drawn.name, axis)
                mean.points.add(run.number, points)
                mean.unfit += unfit

    def curve(self, drawn: Drawn, axis: CompareAxis, columns: int) -> tuple[list[Extent | None], list[Extent | None]]:
        """Line and band of the smoothed training loss or of the LR, as far as they were read."""
        mean = self._mean(drawn, axis, columns)
        if not mean.taken and mean.waiting:
            first = self._of(next(iter(mean.waiting)))
            edges = axis.edges(first.history, columns)
            return first.loss(edges) if drawn.kind == "loss" else first.lr(edges), []
        return mean.columns.line_and_band

    def ends(self, field: str, axis: CompareAxis, columns: int) -> LineOfPoints:
        """The line of a number of `EpochEnded`, as far as they were read."""
        mean = self._mean(Drawn("ends", field), axis, columns)
        if mean.line is None:
            mean.line = LineOfPoints.of(mean.points.means, len(mean.taken), axis, columns)
        return mean.line

    def series(self, name: str, axis: CompareAxis, columns: int) -> LineOfPoints:
        """The line of a series, as far as it was read."""
        mean = self._mean(Drawn("series", name), axis, columns)
        if mean.line is None or not mean.taken:
            mean.line = self._series(mean, name, axis, columns)
        return mean.line

    def _series(self, mean: _Mean, name: str, axis: CompareAxis, columns: int) -> LineOfPoints:
        known = mean.taken or mean.waiting
        if not known:
            return LineOfPoints([None] * columns, [], [], [])
        first = self._of(min(known, key=lambda run: run.number))
        alike = mean.taken and mean.steps.are_alike
        if mean.is_long and alike:
            return LineOfPoints(*mean.columns.line_and_band, [], [])
        if alike and not mean.unfit:
            return LineOfPoints.of(mean.points.means, len(mean.taken), axis, columns)
        if first.is_long(name):
            return LineOfPoints(first.extents(name, axis.edges(first.history, columns)), [], [], [])
        points, unfit = first.points(name, axis)  # of those that are whole at a place each
        return LineOfPoints(along_points(points, axis, columns), [], points, mean.unfit if alike else unfit)

    def alone(self, name: str, axis: CompareAxis, columns: int) -> tuple[list[Extent | None], ...]:
        """The lines of a series of those that are in no mean."""
        mean, runs = self._mean(Drawn("series", name), axis, columns), self._runs_beside()
        if not mean.steps.are_alike:
            runs = [*self.group.averaged[1:], *runs]
        return tuple(self._line(run, name, axis, columns) for run in runs)

    def _line(self, run: Compared, name: str, axis: CompareAxis, columns: int) -> list[Extent | None]:
        """The line of a series of one run; as it was, where nothing happened to it."""
        key = run.history, run.history.version, axis.unit, axis.bounds, columns
        known = self._lines.get((run, name))
        if known is None or known[0] != key:
            curves = self._of(run)
            line = (
                curves.extents(name, axis.edges(run.history, columns))
                if curves.is_long(name)
                else along_points(curves.points(name, axis)[0], axis, columns)
            )
            known = self._lines[run, name] = key, line
        return known[1]

    def _of(self, run: Compared) -> RunCurves:
        known = self._runs.get(run)
        if known is None or known.history is not run.history:
            known = self._runs[run] = RunCurves(run.history)
        return known


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
