"""The mean of any stretch of a growing series, whatever its length."""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_left
from math import isfinite

from tui_trainer.plotting.curves import BREAK, Extent


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
        extents: list[Extent | None] = [None] * (len(edges) - 1)
        totals, known, gaps = self._totals, len(self._totals) - 1, self._gaps
        for i, (start, stop) in enumerate(itertools.pairwise(edges)):
            if start >= known:
                break
            if start == stop:
                continue
            if stop >= known:
                mean = self._values[known - 1]
                extents[i] = mean, mean
                break
            count = stop - start
            if gaps:
                count -= bisect_left(gaps, stop) - bisect_left(gaps, start)
            if count:
                mean = (totals[stop] - totals[start]) / count
                extents[i] = mean, mean
            else:
                extents[i] = BREAK
        return extents
