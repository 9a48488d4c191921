"""From a series to dots: one stretch of dots for each column of them, so that nothing between is lost."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import floor, isfinite, nan
from typing import TypeAlias

from tui_trainer.plotting.pyramid import Pyramid
from tui_trainer.plotting.scales import Scale

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

    def __init__(self, pyramid: Pyramid, held: bool = False) -> None:
        self._pyramid = pyramid
        self._held = held
        self._edges: list[int] = []
        self._extents: list[Extent | None] = []
        self._known = 0

    def over(self, edges: list[int]) -> list[Extent | None]:
        """The extent of each column `[edges[i]:edges[i + 1]]`; None where it holds no value yet."""
        known = len(self._pyramid)
        first = 0
        if edges == self._edges:
            while first < len(self._extents) and edges[first + 1] < self._known:
                first += 1
        else:
            self._edges = list(edges)
            self._extents = [None] * (len(edges) - 1)
        for i in range(first, len(edges) - 1):
            start, stop = edges[i], edges[i + 1]
            if self._held:
                stop = max(stop, start + 1)
            if start >= known:
                self._extents[i] = None
            elif start < stop:
                self._extents[i] = self._pyramid.extent(start, stop) or BREAK
        self._known = known
        return self._extents


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


def range_of(*curves: Sequence[Extent | None], above: float = float("-inf")) -> Extent | None:
    """The lowest and highest value of some curves, those at or below `above` left out; None where there is none."""
    values = [
        value for curve in curves for extent in curve if extent is not None for value in extent if above < value < 1e300
    ]
    return (min(values), max(values)) if values else None


def spans(extents: Sequence[Extent | None], scale: Scale, dots: int) -> list[Span | None]:
    """The dots of a curve, `dots` high: every column's lowest and highest value, joined to its neighbours' halfway,
    and by a line across columns that hold none. Nothing runs through a `BREAK`."""
    joined: list[Span | None] = [None] * len(extents)
    previous = -1
    for i, extent in enumerate(extents):
        if extent is None:
            continue
        if not extent[1] > (0 if scale.log else float("-inf")):
            previous = -1
            continue
        low, high = _dot(extent[0], scale, dots), _dot(extent[1], scale, dots)
        joined[i] = (low, high)
        if previous >= 0:
            _join(joined, previous, i)
        previous = i
    return joined


def _dot(value: float, scale: Scale, dots: int) -> int:
    height = scale.height(value) * dots
    return 0 if height < 0 else dots - 1 if height >= dots else floor(height)


def _join(joined: list[Span | None], before: int, after: int) -> None:
    """Light what lies between two columns: a line over the empty ones, and half of each step up or down."""
    left, right = joined[before], joined[after]
    assert left is not None
    assert right is not None
    start, stop = left, right
    steps = after - before
    if steps > 1:
        rising = right[0] >= left[1]
        a, b = (left[1], right[0]) if rising else (left[0], right[1]) if right[1] <= left[0] else (left[1], left[1])
        for j in range(1, steps):
            dot = round(a + (b - a) * j / steps)
            joined[before + j] = (dot, dot)
    for i in range(before, after):
        start, stop = joined[i], joined[i + 1]  # type: ignore[assignment]
        if stop[0] > start[1] + 1:
            middle = (stop[0] + start[1]) // 2
            joined[i], joined[i + 1] = (start[0], middle), (middle + 1, stop[1])
        elif stop[1] < start[0] - 1:
            middle = (stop[1] + start[0]) // 2
            joined[i], joined[i + 1] = (middle + 1, start[1]), (stop[0], middle)


def dotted(curve: list[Span | None], every: int = 2) -> list[Span | None]:
    """The same curve with gaps along its flat parts, so that it can be told from a drawn one without colour."""
    return [
        span if i % every == 0 or (span is not None and span[1] > span[0]) else None for i, span in enumerate(curve)
    ]
