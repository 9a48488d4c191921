"""What a loss chart reads of a history: the losses, smoothed and in columns, and the accuracy at epoch ends."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from tui_trainer.plotting.curves import Columns, Extent, sampled
from tui_trainer.plotting.pyramid import Pyramid
from tui_trainer.plotting.smoothing import WINDOWS, Smoothing
from tui_trainer.ui.charts.axis import XAxis

if TYPE_CHECKING:
    from tui_trainer.runs.history import History

DENSE = 16
"""From so many batches a cell on, every cell has one stroke: a lighter band, at half the cost."""


class Losses:
    """The losses of one history, made ready for drawing as they come."""

    def __init__(self, history: History, window: int | None = None) -> None:
        self.history = history
        self.pyramid = Pyramid(history.losses)
        self.smoothing = Smoothing(history.losses, window or fitting_window(history))
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


def fitting_window(history: History) -> int:
    """The window that reaches over about a sixth of an epoch."""
    batches = history.recipe.batches_per_epoch if history.recipe else 0
    return max(window for window in WINDOWS if window <= max(5, batches / 6))


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
