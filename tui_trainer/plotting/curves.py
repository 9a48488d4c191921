"""From a series to dots: one stretch of dots for each column of them, so that nothing between is lost; from a tree with
the exact minimum and maximum of any stretch of a growing series, whatever its length."""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from math import inf, isfinite, log10, nan
from typing import TypeAlias

from tui_trainer.plotting.scales import Scale

FAN = 16
"""Entries of one level that make one of the next."""


class MinMaxTree:
    """Minima and maxima of `values` in blocks of 16, of these blocks in blocks of 16, and so on.

    `values` is read where it stands and may only grow. Numbers that are not finite are left out of every minimum
    and maximum, and counted. Above the series itself this keeps about a byte a value.
    """

    def __init__(self, values: array[float]) -> None:
        self._values = values
        self._lows: list[array[float]] = []
        self._highs: list[array[float]] = []
        self._gaps = array("q")
        self._seen = 0

    def __len__(self) -> int:
        return self._seen

    def catch_up(self, at_most: int | None = None) -> bool:
        """Read what was appended since the last call, or so many values of it; whether that is all. O(1) a value."""
        fresh = self._values[self._seen : None if at_most is None else self._seen + at_most]
        if not fresh:
            return True
        if not isfinite(sum(fresh)):
            self._gaps.extend(self._seen + i for i, value in enumerate(fresh) if not isfinite(value))
        self._seen += len(fresh)
        level = 0
        lows = highs = self._values
        known = self._seen
        while known >= FAN:
            if level == len(self._lows):
                self._lows.append(array(self._values.typecode))
                self._highs.append(array(self._values.typecode))
            next_lows, next_highs = self._lows[level], self._highs[level]
            for start in range(len(next_lows) * FAN, known - FAN + 1, FAN):
                block = lows[start : start + FAN]
                if level == 0 and self._gaps and self.gaps(start, start + FAN):
                    # Blocks of nothing finite are wider than none: (inf, -inf).
                    low, high = _finite_extent(block) or (inf, -inf)
                    next_lows.append(low)
                    next_highs.append(high)
                else:
                    next_lows.append(min(block))
                    next_highs.append(max(highs[start : start + FAN]) if level else max(block))
            lows, highs, known = next_lows, next_highs, len(next_lows)
            level += 1
        return self._seen == len(self._values)

    def extent(self, start: int, stop: int) -> tuple[float, float] | None:
        """The minimum and maximum of `values[start:stop]` in O(log n); None where nothing there is finite."""
        start, stop = max(0, start), min(stop, self._seen)
        if start >= stop:
            return None
        if stop - start < FAN:
            values = self._values[start:stop]
            return _finite_extent(values) if self._gaps else (min(values), max(values))
        lowest: list[float] = []
        highest: list[float] = []
        if self._gaps and self.gaps(start, stop):
            # Blocks leave out what is not finite; the ends that fill no block are read value by value.
            first, last = -(-start // FAN), stop // FAN
            if first >= last:
                return _finite_extent(self._values[start:stop])
            for ragged in (self._values[start : first * FAN], self._values[last * FAN : stop]):
                if (extent := _finite_extent(ragged)) is not None:
                    lowest.append(extent[0])
                    highest.append(extent[1])
            start, stop = first * FAN, last * FAN
        lows = highs = self._values
        level = 0
        while True:
            first, last = -(-start // FAN), stop // FAN
            if first >= last:
                break
            if start < first * FAN:
                lowest.append(min(lows[start : first * FAN]))
                highest.append(max(highs[start : first * FAN]))
            if last * FAN < stop:
                lowest.append(min(lows[last * FAN : stop]))
                highest.append(max(highs[last * FAN : stop]))
            start, stop = first, last
            lows, highs = self._lows[level], self._highs[level]
            level += 1
        if start < stop:
            lowest.append(min(lows[start:stop]))
            highest.append(max(highs[start:stop]))
        low, high = min(lowest), max(highest)
        return (low, high) if low <= high else None

    def gaps(self, start: int, stop: int) -> int:
        """How many of `values[start:stop]` are not finite."""
        start, stop = max(0, start), max(start, min(stop, self._seen))
        return bisect_left(self._gaps, stop) - bisect_left(self._gaps, start) if self._gaps else 0

    def not_finite(self, start: int, stop: int, at_most: int = 16) -> Sequence[int]:
        """Which of `values[start:stop]` are not finite: the first ones of them."""
        first = bisect_left(self._gaps, start)
        return self._gaps[first : min(bisect_left(self._gaps, stop), first + at_most)]


def _finite_extent(values: array[float]) -> tuple[float, float] | None:
    finite = [value for value in values if isfinite(value)]
    return (min(finite), max(finite)) if finite else None


Extent: TypeAlias = tuple[float, float]
"""The lowest and the highest value of a column."""

Span: TypeAlias = tuple[int, int]
"""The lowest and the highest dot of a column, counted from the bottom, both lit and all between them."""

BREAK: Extent = (nan, nan)
"""A column that has values, none of them finite: no line runs through it."""


class Columns:
    """The extent of a growing series in each column, read anew only where something came.

    With `held`, a value fills its whole step, as the LR does, so that no column between two values is empty.
    """

    def __init__(self, pyramid: MinMaxTree, held: bool = False) -> None:
        self._pyramid = pyramid
        self._held = held
        self._edges: list[int] = []
        self._extents: list[Extent | None] = []
        self._known = 0

    def over(self, edges: list[int]) -> list[Extent | None]:
        """The extent of each column `[edges[i]:edges[i + 1]]`; None where it holds no value yet."""
        settled = self._settled(edges)
        known = len(self._pyramid)
        self._extents[settled:] = [None] * (len(edges) - 1 - settled)
        for i in range(settled, len(edges) - 1):
            start, stop = edges[i], edges[i + 1]
            if self._held:
                stop = max(stop, start + 1)
            if start >= known:
                break
            if start < stop:
                self._extents[i] = self._pyramid.extent(start, stop) or BREAK
        self._edges, self._known = list(edges), known
        return self._extents

    def _settled(self, edges: list[int]) -> int:
        """How many columns, from the left, are where they were and were full."""
        same = next((i for i, (new, old) in enumerate(zip(edges, self._edges, strict=False)) if new != old), None)
        if same is None:
            same = min(len(edges), len(self._edges))
        full = min(bisect_right(self._edges, self._known) - 1, bisect_left(self._edges, self._known))
        return max(0, min(same - 1, full))


def sampled(values: Sequence[float], edges: list[int], samples: int = 8) -> list[Extent | None]:
    """A smoothed series: each column's mean, of a few values where it holds many; the last one stands at the end."""
    extents: list[Extent | None] = []
    known = len(values)
    for start, stop in itertools.pairwise(edges):
        stop = min(stop, known)
        if start >= stop:
            extents.append(None)
            continue
        if stop == known:
            mean = values[-1]
        elif stop - start == 1:
            mean = values[start]
        else:
            taken = values[start : stop : max(1, (stop - start) // samples)]
            mean = sum(taken) / len(taken)
            if not isfinite(mean):
                finite = [value for value in taken if isfinite(value)]
                mean = sum(finite) / len(finite) if finite else nan
        extents.append((mean, mean))
    return extents


def range_of(*curves: Sequence[Extent | None], above: float = -inf) -> Extent | None:
    """The lowest and highest value of some curves, those at or below `above` left out; None where there is none."""
    values = [
        value for curve in curves for extent in curve if extent is not None for value in extent if above < value < 1e300
    ]
    return (min(values), max(values)) if values else None


def together(ranges: Iterable[Extent | None]) -> Extent | None:
    """The lowest and highest value of some ranges; None where there is none."""
    there = [each for each in ranges if each is not None]
    return (min(low for low, _ in there), max(high for _, high in there)) if there else None


def spans(extents: Sequence[Extent | None], scale: Scale, dots: int) -> list[Span | None]:
    """The dots of a curve, `dots` high: every column's lowest and highest value, joined to its neighbours' halfway,
    and by a line across columns that hold none. Nothing runs through a `BREAK`."""
    joined: list[Span | None] = [None] * len(extents)
    rise = dots / (scale.high - scale.low)
    shift = 1e-9 - scale.low * rise  # a value on the edge of a dot belongs to it, but for the last bits
    top = dots - 1
    before = -1  # the last column that holds something to join to, and its dots
    start = end = 0
    for i, extent in enumerate(extents):
        if extent is None:
            continue
        low, high = extent
        if scale.log:
            level = low == high
            high = log10(high) if high > 0 else nan
            low = high if level else log10(low) if low > 0 else -inf
        if high != high:
            before = -1
            continue
        height = low * rise + shift
        low_dot = 0 if height < 0 else top if height >= top else int(height)
        height = high * rise + shift
        high_dot = 0 if height < 0 else top if height >= top else int(height)
        if before >= 0:
            if before < i - 1:
                start, end = _cross(joined, before, i, (low_dot, high_dot))
            if low_dot > end + 1:
                middle = (low_dot + end) // 2
                joined[i - 1] = (start, middle)
                low_dot = middle + 1
            elif high_dot < start - 1:
                middle = (high_dot + start) // 2
                joined[i - 1] = (middle + 1, end)
                high_dot = middle
        joined[i] = (low_dot, high_dot)
        before, start, end = i, low_dot, high_dot
    return joined


def _cross(joined: list[Span | None], before: int, after: int, arrival: Span) -> Span:
    """Light a line over the empty columns between two; the dots of the last of them."""
    departure = joined[before]
    assert departure is not None
    start, end = departure
    if arrival[0] >= end:
        a, b = end, arrival[0]
    elif arrival[1] <= start:
        a, b = start, arrival[1]
    else:
        a = b = min(end, arrival[1])
    steps = after - before
    for j in range(1, steps):
        dot = round(a + (b - a) * j / steps)
        low = high = dot
        if dot > end + 1:
            middle = (dot + end) // 2
            joined[before + j - 1] = (start, middle)
            low = middle + 1
        elif dot < start - 1:
            middle = (dot + start) // 2
            joined[before + j - 1] = (middle + 1, end)
            high = middle
        joined[before + j] = (low, high)
        start, end = low, high
    return start, end


def hatched(curve: list[Span | None], columns: int) -> list[Span | None]:
    """A curve of fewer columns over `columns` of them, each in the first of those it stands for."""
    every = columns // len(curve)
    if every == 1:
        return curve
    spread: list[Span | None] = [None] * columns
    spread[::every] = curve
    return spread
