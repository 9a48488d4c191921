"""A series, smoothed as it grows, and the mean of any stretch of it, whatever its length."""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_left
from math import isfinite, nan
from operator import itemgetter
from typing import TYPE_CHECKING

from tui_trainer.plotting.curves import BREAK, Extent

if TYPE_CHECKING:
    from tui_trainer.events import ResolvedConfig


class Means:
    """Running totals of `values`, which is read where it stands and may only grow. What is not finite is left out."""

    def __init__(self, values: array[float]) -> None:
        self._values = values
        self._totals = array("d", [0.0])
        self._gaps = array("q")

    def catch_up(self) -> None:
        """Read what was appended since the last call."""
        known = len(self._totals) - 1
        fresh = self._values[known:]
        if not fresh:
            return
        if not isfinite(sum(fresh)):
            self._gaps.extend(known + i for i, value in enumerate(fresh) if not isfinite(value))
            fresh = array("d", (value if isfinite(value) else 0.0 for value in fresh))
        self._totals.extend(itertools.islice(itertools.accumulate(fresh, initial=self._totals[-1]), 1, None))

    def over(self, edges: list[int]) -> list[Extent | None]:
        """The mean of each column `[edges[i]:edges[i + 1]]`; the last value stands at the end, as it is."""
        known = len(self._totals) - 1
        inside = bisect_left(edges, known)  # edges before the end: columns between them hold nothing but whole values
        extents = self._between(edges[:inside])
        if 0 < inside < len(edges):
            mean = self._values[known - 1]
            extents.append((mean, mean))
        extents.extend([None] * (len(edges) - 1 - len(extents)))
        return extents

    def _between(self, edges: list[int]) -> list[Extent | None]:
        if len(edges) < 2:
            return []
        totals = itemgetter(*edges)(self._totals)
        columns = zip(totals, totals[1:], edges, edges[1:], strict=False)
        if not self._gaps:
            return [((m := (b - a) / (stop - start)), m) if stop > start else None for a, b, start, stop in columns]
        extents: list[Extent | None] = []
        for a, b, start, stop in columns:
            count = stop - start - (bisect_left(self._gaps, stop) - bisect_left(self._gaps, start))
            extents.append(((b - a) / count,) * 2 if count else BREAK if stop > start else None)
        return extents


WINDOWS = (1, 5, 10, 20, 50, 100, 200, 500, 1000)
"""What a person may choose between, in values; 1 smooths nothing."""


def fitting_window(config: ResolvedConfig | None) -> int:
    """The window that reaches over about a sixth of an epoch of a run; the shortest but one where that is not known."""
    batches = (config.batches_per_epoch or 0) if config else 0
    return max(window for window in WINDOWS if window <= max(5, batches / 6))


class Smoothing:
    """The exponential moving average of a growing series, debiased: its first value is the series' own.

    `window` is how many values the average reaches back, roughly: each new one weighs `1 / window`. A value that is
    not finite leaves the average as it is and stands as nan.
    """

    def __init__(self, values: array[float], window: int = 20) -> None:
        self._source = values
        self._window = window
        self.values = array("f")
        """Smoothed, as far as `catch_up` came."""
        self._restart()

    @property
    def window(self) -> int:
        return self._window

    @window.setter
    def window(self, window: int) -> None:
        if window < 1:
            raise ValueError(f"a window holds at least one value, not {window}")
        if window != self._window:
            self._window = window
            self._restart()

    def _restart(self) -> None:
        del self.values[:]
        self._sum = 0.0
        self._missing = 1.0

    def catch_up(self, at_most: int | None = None) -> bool:
        """Read what was appended since the last call, or so many values of it; whether that is all."""
        done = len(self.values)
        keep = 1 - 1 / self._window
        weight = 1 / self._window
        total, missing = self._sum, self._missing
        smoothed: list[float] = []
        append = smoothed.append
        for value in self._source[done : None if at_most is None else done + at_most]:
            if isfinite(value):
                total = total * keep + value * weight
                missing *= keep
                append(total / (1 - missing))
            else:
                append(nan)
        self._sum, self._missing = total, missing
        self.values.extend(smoothed)
        return len(self.values) == len(self._source)
