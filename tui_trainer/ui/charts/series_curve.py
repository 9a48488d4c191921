"""A series made ready for drawing as it comes: in columns, smoothed or not, with earlier attempts and odd values."""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_left, bisect_right
from math import isfinite, isnan
from typing import TYPE_CHECKING

from tui_trainer.plotting.curves import BREAK, Columns, Extent, MinMaxTree, sampled
from tui_trainer.plotting.smoothing import WINDOWS, Smoothing
from tui_trainer.ui.charts.run_chart import AT_ONCE

if TYPE_CHECKING:
    from tui_trainer.records.series import Attempt, Series

EARLIER_SHOWN = 4
"""Earlier attempts that are drawn: the latest."""

NOT_A_NUMBER, ABOVE_ALL, BELOW_ALL = "×", "▲", "▼"

POINTS_A_WINDOW = 40
"""So many windows of smoothing a series has, unless chosen."""


class SeriesCurve:
    """A series made ready for drawing, as it comes: a look costs by columns, and by what is new."""

    def __init__(self, series: Series, *, smooths: bool = True, window: int | None = None) -> None:
        self.series = series
        self._smooths = smooths
        self._window = window
        self._earlier: dict[int, tuple[Attempt, MinMaxTree]] = {}
        self._begin()

    def _begin(self) -> None:
        self._rewrites = self.series.rewrites
        self._values: array[float] = self.series.values  # type: ignore[assignment]
        self.tree = MinMaxTree(self._values)
        self._columns = Columns(self.tree)
        self.smoothing: Smoothing | None = None
        self._fitted = 0
        self._indices: tuple[list[int], int, list[int]] = ([], 0, [])
        self.is_read = False
        """Whether all that there is was read at the last look: else nothing is to be said of the series as a whole."""

    @property
    def window(self) -> int:
        """Over how many values it is smoothed; 1 where it is not."""
        return self.smoothing.window if self.smoothing is not None else 1

    def smooth_over(self, window: int | None) -> None:
        """Smooth over so many values from now on; None for what suits how many there are."""
        self._window, self._fitted = window, 0

    def catch_up(self, at_most: int = AT_ONCE) -> bool:
        """Read what is new, or so much of it; whether that is all. Something else in its place is read anew."""
        if self.series.rewrites != self._rewrites:
            self._begin()
        done = self.tree.catch_up(at_most)
        self.is_read = done
        known = len(self._values)
        if self._smooths and known >= 4 * self._fitted:
            wanted = self._window or max(window for window in WINDOWS[:7] if window <= max(1, known / POINTS_A_WINDOW))
            self._fitted = max(known, 16)
            if wanted != self.window:
                self.smoothing = Smoothing(self._values, wanted) if wanted > 1 else None
        return (self.smoothing is None or self.smoothing.catch_up(at_most)) and done

    def indices(self, edges: list[int]) -> list[int]:
        """For each edge, counted in steps, how many values lie before it."""
        steps, known = self.series.steps, len(self.tree)
        old_edges, old_known, old = self._indices
        if old_edges is edges and known == old_known:
            return old
        if isinstance(steps, range):
            found = [min(max(edge - steps.start + 1, 0), known) for edge in edges]
        else:
            settled = 0
            if old_edges is edges and old_known:
                settled = bisect_left(edges, steps[old_known - 1])
            found = old[:settled]
            found += [bisect_right(steps, edge, 0, known) for edge in edges[settled:]]
        self._indices = edges, known, found
        return found

    def over(self, edges: list[int]) -> list[Extent | None]:
        """The lowest and the highest value of each column."""
        return list(self._columns.over(self.indices(edges)))

    def smooth(self, edges: list[int]) -> list[Extent | None] | None:
        """The smoothed value of each column; None where it is not smoothed."""
        return sampled(self.smoothing.values, self.indices(edges)) if self.smoothing is not None else None

    def to_the_edges(self, extents: list[Extent | None], edges: list[int]) -> None:
        """Let a line to a value out of sight, with none in a column at its end, reach that end."""
        indices, steps, known = self.indices(edges), self.series.steps, len(self.tree)
        for column, edge, index in ((0, edges[0] + 1, indices[0]), (len(extents) - 1, edges[-1], indices[-1])):
            if extents[column] is None and 0 < index < known:
                before, after = self._values[index - 1], self._values[index]
                part = (edge - steps[index - 1]) / (steps[index] - steps[index - 1])
                value = before + part * (after - before)
                if isfinite(value):
                    extents[column] = value, value

    def earlier(self, edges: list[int]) -> list[list[Extent | None]]:
        """The columns of earlier attempts, the latest last."""
        drawn: list[list[Extent | None]] = []
        attempts = self.series.attempts[-EARLIER_SHOWN:]
        kept = {id(attempt) for attempt in attempts}
        self._earlier = {key: held for key, held in self._earlier.items() if key in kept}
        for attempt in attempts:
            if id(attempt) not in self._earlier:
                self._earlier[id(attempt)] = attempt, MinMaxTree(attempt.values)  # type: ignore[arg-type]
            _, tree = self._earlier[id(attempt)]
            tree.catch_up(AT_ONCE)
            steps, known = attempt.steps, len(tree)
            found = [bisect_right(steps, edge, 0, known) for edge in edges]
            drawn.append(
                [(tree.extent(a, b) or BREAK) if a < b else None for a, b in itertools.pairwise(found)],
            )
        return drawn

    def marks(self, edges: list[int], cell: int) -> dict[int, str]:
        """By cell, of so many columns each, what is not finite there; a step that was lost is no such value."""
        indices = self.indices(edges)
        if not self.tree.gaps(indices[0], indices[-1]):
            return {}
        found: dict[int, str] = {}
        for column in range(0, len(edges) - 1, cell):
            start, stop = indices[column], indices[min(column + cell, len(edges) - 1)]
            if not self.tree.gaps(start, stop):
                continue
            for index in self.tree.not_finite(start, stop):
                if not self.series.is_missing(self.series.steps[index]):
                    value = self._values[index]
                    found[column // cell] = NOT_A_NUMBER if isnan(value) else ABOVE_ALL if value > 0 else BELOW_ALL
                    break
        return found

    def at(self, step: int | None) -> tuple[int, float] | None:
        """The value at a step, or the last one before it; without a step the newest."""
        steps = self.series.steps
        index = len(steps) - 1 if step is None else bisect_right(steps, step) - 1
        return (steps[index], self.series.values[index]) if index >= 0 else None

    @property
    def not_finite(self) -> int:
        """How many values are nan or infinite; lost steps are none."""
        return max(0, self.tree.gaps(0, len(self.tree)) - self.series.missing)

    @property
    def has_moved(self) -> bool:
        """Whether it ever was another than at its first step, or may have been, as long as not all of it is read."""
        if not self.is_read or len(self.tree) < 2 or self.not_finite:
            return True
        extent = self.tree.extent(0, len(self.tree))
        return extent is None or extent[0] < extent[1]
