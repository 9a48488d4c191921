"""The exact minimum and maximum of any stretch of a growing series, whatever its length."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from math import inf, isfinite

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


def _finite_extent(values: array[float]) -> tuple[float, float] | None:
    finite = [value for value in values if isfinite(value)]
    return (min(finite), max(finite)) if finite else None
