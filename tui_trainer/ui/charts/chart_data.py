"""What the charts read of a history: losses, smoothed and in columns, accuracies at epoch ends, planned LR curves."""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from tui_trainer.plotting.curves import Columns, Extent, sampled
from tui_trainer.plotting.minmax_tree import MinMaxTree
from tui_trainer.plotting.smoothing import Smoothing, fitting_window
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.formatting import lr

if TYPE_CHECKING:
    from tui_trainer.events import PlanMade
    from tui_trainer.records.history import History

DENSE = 16
"""From so many batches a cell on, every cell has one stroke: a lighter band, at half the cost."""


class Losses:
    """The losses of one history, made ready for drawing as they come."""

    def __init__(self, history: History, window: int | None = None) -> None:
        self.history = history
        self.pyramid = MinMaxTree(history.losses)
        self.smoothing = Smoothing(history.losses, window or fitting_window(history.recipe))
        self._columns = Columns(self.pyramid)

    def catch_up(self, at_most: int) -> bool:
        """Read what is new, or so many steps of it; whether that is all."""
        read = self.pyramid.catch_up(at_most)
        return self.smoothing.catch_up(at_most) and read

    def raw(self, edges: list[int], cells: int) -> list[Extent | None]:
        """The lowest and highest loss of each column; of each cell, where they lie close."""
        if edges[-1] - edges[0] >= DENSE * cells:
            edges = edges[:: (len(edges) - 1) // cells]
        return self._columns.over(edges)

    def smooth(self, edges: list[int]) -> list[Extent | None]:
        """The smoothed loss of each column."""
        return sampled(self.smoothing.values, edges)

    def smoothed_at(self, step: int) -> float:
        """The smoothed loss after a step, as far as it was read."""
        values = self.smoothing.values
        return values[step - 1] if 0 < step <= len(values) else float("nan")


def accuracies(history: History, axis: XAxis, columns: int) -> list[Extent | None]:
    """The validation accuracy in the column of each epoch's end; at the edges of what is seen, where the line to an
    epoch out of sight crosses them."""
    extents: list[Extent | None] = [None] * columns
    first, last = axis.bounds
    before: tuple[float, float] | None = None
    for epoch in history.epochs:
        if not isfinite(epoch.val_accuracy):
            continue
        place, accuracy = axis.place(epoch.step), epoch.val_accuracy
        if before is not None:
            for edge, column in ((first, 0), (last, columns - 1)):
                if before[0] < edge < place:
                    crossing = before[1] + (edge - before[0]) / (place - before[0]) * (accuracy - before[1])
                    extents[column] = (crossing, crossing)
        column_here = axis.column_of(epoch.step, columns)
        if column_here is not None:
            extents[column_here] = (accuracy, accuracy)
        before = place, accuracy
    return extents


class PlannedCurves:
    """What the LR was to be at every step: each plan counts until the next one begins."""

    def __init__(self, plans: Sequence[PlanMade]) -> None:
        self.plans = tuple(plans)
        self.last_step = plans[-1].last_step if plans else 0
        steps: list[int] = []
        self._lrs = array("d")
        for plan, following in zip(plans, [*plans[1:], None], strict=True):
            stop = following.steps[0] if following is not None and following.steps else plan.last_step + 1
            held = bisect_right(plan.steps, stop - 1)
            steps.extend(plan.steps[:held])
            self._lrs.extend(plan.lrs[:held])
        self._steps = steps
        self._pyramid = MinMaxTree(self._lrs)
        self._pyramid.catch_up()
        self._over: tuple[list[int], list[Extent | None]] = ([], [])

    @classmethod
    def kept(cls, old: PlannedCurves | None, plans: Sequence[PlanMade]) -> PlannedCurves | None:
        """The same one, unless the plans are others."""
        if old is not None and [*map(id, old.plans)] == [*map(id, plans)]:
            return old
        return cls(plans) if plans else None

    def at(self, step: int) -> float | None:
        """The LR planned for a step; None where nothing is planned."""
        i = bisect_right(self._steps, step) - 1
        return self._lrs[i] if i >= 0 and step <= self.last_step else None

    def over(self, edges: list[int]) -> list[Extent | None]:
        """The lowest and highest LR planned for the steps in or across each column."""
        if self._over[0] == edges:
            return self._over[1]
        extents: list[Extent | None] = []
        steps, lrs, planned = self._steps, self._lrs, len(self._steps)
        first = last = 0
        for start, stop in itertools.pairwise(edges):
            if start >= self.last_step:
                extents.append(None)
                continue
            first = max(0, bisect_right(steps, start + 1, lo=first) - 1)
            last = bisect_right(steps, max(stop, start + 1), lo=max(first, last))
            if first >= planned:
                extents.append(None)
            elif last - first <= 1:
                extents.append((lrs[first], lrs[first]))
            else:
                extents.append(self._pyramid.extent(first, last))
        self._over = list(edges), extents
        return extents

    @property
    def note(self) -> str:
        """What a person must know of the plan that counts at the end."""
        return self.plans[-1].note

    @property
    def short_note(self) -> str:
        """The same where there is little room."""
        return self.plans[-1].short_note

    @property
    def changes(self) -> bool:
        """Whether the LR was to be anything but the same throughout."""
        return len(set(self._lrs)) > 1

    @property
    def words(self) -> str:
        """The curve in words: its peak if it has one, else where it begins and ends."""
        if not self._lrs:
            return ""
        peak = max(self._lrs)
        if peak > self._lrs[0] and peak > self._lrs[-1]:
            return f"{lr(peak)} peak at step {self._steps[self._lrs.index(peak)]}"
        if not self.changes:
            return f"{lr(peak)} throughout"
        return f"from {lr(self._lrs[0])} to {lr(self._lrs[-1])}"
