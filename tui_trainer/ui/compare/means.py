"""The means of curves of several runs, and how far these lie apart: one run after the other is added to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, isfinite, nan
from typing import NamedTuple

from tui_trainer.compare.comparison import Point
from tui_trainer.plotting.curves import Extent


class MeanOfColumns:
    """Of curves in columns."""

    def __init__(self, columns: int) -> None:
        self._count = 0
        self._only: list[Extent | None] = []
        self._totals = [0.0] * columns
        self._counts = [0] * columns
        self._lows = [inf] * columns
        self._highs = [-inf] * columns
        self._broken: set[int] = set()
        """Columns in which a curve has values, none of them finite."""
        self._made: tuple[list[Extent | None], list[Extent | None]] | None = None

    def add(self, curve: list[Extent | None]) -> None:
        """One more; one that is empty is of a run that has nothing there."""
        self._count += 1
        self._only, self._made = curve, None
        totals, counts, lows, highs = self._totals, self._counts, self._lows, self._highs
        for i, extent in enumerate(curve):
            if extent is None:
                continue
            low, high = extent
            if low != low:
                self._broken.add(i)
                continue
            totals[i] += (low + high) / 2
            counts[i] += 1
            if low < lows[i]:
                lows[i] = low
            if high > highs[i]:
                highs[i] = high

    @property
    def line_and_band(self) -> tuple[list[Extent | None], list[Extent | None]]:
        """The mean, and how far they lie apart; of one alone, its own curve, and no band. Not to be changed: they are
        the same as long as none is added."""
        if self._made is None:
            self._made = (self._only, []) if self._count == 1 and self._only else self._together()
        return self._made

    def _together(self) -> tuple[list[Extent | None], list[Extent | None]]:
        line: list[Extent | None] = [None] * len(self._counts)
        band: list[Extent | None] = [None] * len(self._counts)
        for i, count in enumerate(self._counts):
            if count:
                mean = self._totals[i] / count
                line[i], band[i] = (mean, mean), (self._lows[i], self._highs[i])
            elif i in self._broken:
                line[i] = nan, nan
        return line, band


class Mean(NamedTuple):
    """A mean at a place."""

    place: float
    value: float
    low: float
    high: float


class MeanOfPoints:
    """Of values one behind the other: the first of each run, the second of each, and so on."""

    def __init__(self) -> None:
        self._places: list[float] = []
        self._whose: list[int] = []
        """The number of the run that each place is of: of the runs that come so far, the first one."""
        self._totals: list[float] = []
        self._counts: list[int] = []
        self._lows: list[float] = []
        self._highs: list[float] = []

    def add(self, number: int, points: Iterable[Point]) -> None:
        """Those of one more run; values that are not finite are left out."""
        for i, (place, value) in enumerate(points):
            if i == len(self._places):
                self._places.append(place)
                self._whose.append(number)
                self._totals.append(0.0)
                self._counts.append(0)
                self._lows.append(inf)
                self._highs.append(-inf)
            elif number < self._whose[i]:
                self._places[i], self._whose[i] = place, number
            if isfinite(value):
                self._totals[i] += value
                self._counts[i] += 1
                self._lows[i] = min(self._lows[i], value)
                self._highs[i] = max(self._highs[i], value)

    @property
    def means(self) -> list[Mean]:
        """Where there is any."""
        told = zip(self._places, self._totals, self._counts, self._lows, self._highs, strict=True)
        return [Mean(place, total / count, low, high) for place, total, count, low, high in told if count]


class Steps:
    """At which steps runs have a series: whether each has it where the longest has it, as far as it goes."""

    def __init__(self) -> None:
        self.are_alike = True
        self._longest: Sequence[int] = ()

    def add(self, steps: Sequence[int]) -> None:
        """Those of one more run."""
        shorter, longer = sorted((self._longest, steps), key=len)
        self.are_alike = self.are_alike and all(map(int.__eq__, shorter, longer))
        self._longest = longer
