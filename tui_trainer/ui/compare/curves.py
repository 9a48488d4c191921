"""What the charts of a comparison read of its runs: curves in columns, made ready as they come."""

from __future__ import annotations

import time
from math import isfinite, nan
from statistics import fmean
from typing import TYPE_CHECKING

from tui_trainer.compare.comparison import Point
from tui_trainer.plotting.curves import Columns, Extent
from tui_trainer.plotting.minmax_tree import MinMaxTree
from tui_trainer.plotting.smoothing import Means, Smoothing, fitting_window

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Compared, Group
    from tui_trainer.records.history import History
    from tui_trainer.ui.compare.axis import CompareAxis


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

    def catch_up(self) -> bool:
        """Read what is new, or as much as a frame can afford; whether that was all."""
        whole = self.rates.catch_up(AT_ONCE)
        whole = self.smoothing.catch_up(AT_ONCE) and whole
        self._means.catch_up()
        return whole

    def loss(self, edges: list[int]) -> list[Extent | None]:
        """The smoothed training loss."""
        return self._means.over(edges)

    def lr(self, edges: list[int]) -> list[Extent | None]:
        """The LR used."""
        return list(self._columns.over(edges))  # which goes on changing its own


class GroupCurves:
    """The curves of all seeds of a preset: their mean as a line, and how far they lie apart as a band."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self._runs: dict[int, RunCurves] = {}

    @property
    def runs(self) -> list[RunCurves]:
        """Of those runs that have trained something."""
        return [self._of(run) for run in self.group.begun]

    @property
    def steps_read(self) -> int:
        """How many losses have been smoothed."""
        return sum(len(run.smoothing.values) for run in self._runs.values())

    def catch_up(self, until: float) -> bool:
        """Read what is new, until this thread has computed so long (`time.thread_time`); whether that was all."""
        return all(run.catch_up() and time.thread_time() < until for run in self.runs)

    def loss(self, axis: CompareAxis, columns: int) -> tuple[list[Extent | None], list[Extent | None]]:
        """Line and band of the smoothed training loss."""
        return _line_and_band([run.loss(axis.edges(run.history, columns)) for run in self.runs], columns)

    def lr(self, axis: CompareAxis, columns: int) -> tuple[list[Extent | None], list[Extent | None]]:
        """Line and band of the LR."""
        each = [run.lr(axis.edges(run.history, columns)) for run in self.runs]
        return _line_and_band(each, columns) if len(each) != 1 else (each[0], [])

    def epoch_ends(self, axis: CompareAxis, field: str) -> list[tuple[float, float, float, float]]:
        """Place, mean, lowest and highest of a number of `EpochEnded`, an epoch each."""
        places: list[float] = []
        values: list[list[float]] = []
        for run in self.runs:
            timeline = axis.timeline(run.history)
            for i, epoch in enumerate(run.history.epochs):
                if i == len(places):
                    places.append(timeline.place(epoch.step))
                    values.append([])
                value = getattr(epoch, field)
                if isfinite(value):
                    values[i].append(value)
        return [
            (place, fmean(found), min(found), max(found)) for place, found in zip(places, values, strict=True) if found
        ]

    def _of(self, run: Compared) -> RunCurves:
        known = self._runs.get(id(run))
        if known is None or known.history is not run.history:
            known = self._runs[id(run)] = RunCurves(run.history)
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
