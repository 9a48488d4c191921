"""The x axis of a comparison: one stretch of steps, epochs or seconds, over runs that each have their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui_trainer.compare.comparison import timeline_of
from tui_trainer.plotting.timeline import UNITS, Timeline, Unit, edges
from tui_trainer.ui.charts.axis import ZOOM, Axis

if TYPE_CHECKING:
    from tui_trainer.records.history import History

DEEPEST = 500.0
"""How many times less than all is seen at the deepest zoom."""


class CompareAxis(Axis):
    """The axis of many runs; the cursor is a place, not a step."""

    def __init__(self) -> None:
        super().__init__()
        self._unit: Unit = "epoch"
        self.cursor: float | None = None
        """The place under the cursor, in the unit; None where there is no cursor."""
        self._end = 0.0
        self._timelines: dict[int, tuple[object, Timeline]] = {}
        self._edges_of: tuple[object, ...] = ()
        self._edges: dict[tuple[int, ...], list[int]] = {}

    # What it shows

    @property
    def unit(self) -> Unit:
        return self._unit

    @property
    def end(self) -> float:
        return self._end

    def timeline(self, history: History) -> Timeline:
        """Where the steps of a run lie."""
        # Seconds read the growing clock itself; epochs change as one begins.
        key = (self.unit, len(history.epoch_starts), history.batches_in_epoch)
        known = self._timelines.get(id(history))
        if known is None or known[0] != key:
            known = self._timelines[id(history)] = (key, timeline_of(history, self.unit))
        return known[1]

    def edges(self, history: History, columns: int) -> list[int]:
        """The steps of a run before each edge of as many equal columns; not to be changed."""
        first, last = self.bounds
        if last <= first:
            return [0] * (columns + 1)
        if self.unit == "seconds":
            return edges(self.timeline(history), first, last, columns)
        # Runs of one comparison mostly have the same epochs, and with them the same edges.
        seen = self.unit, first, last, columns
        if seen != self._edges_of:
            self._edges_of = seen
            self._edges.clear()
        key = (history.batches_in_epoch, *history.epoch_starts) if self.unit == "epoch" else ()
        known = self._edges.get(key)
        if known is None:
            known = self._edges[key] = edges(self.timeline(history), first, last, columns)
        return known

    # What moves it

    def update(self, histories: Iterable[History]) -> bool:
        """Take in how far the runs go; whether that changed what is seen. A guess in seconds may be 5 % off."""
        end = 0.0
        for history in histories:
            planned = history.recipe.total_steps if history.recipe and history.ended is None else 0
            if history.steps or planned:
                end = max(end, self.timeline(history).place(max(planned, history.steps)))
        if end == self._end or (self.unit == "seconds" and self._end * 0.95 <= end <= self._end):
            return False
        self._end = end * (1.02 if self.unit == "seconds" else 1.0)
        return self._window is None

    def zoom(self, inwards: bool) -> None:
        """Half or twice of what is seen, around the cursor or the newest end."""
        first, last = self.bounds
        span = (last - first) * (1 / ZOOM if inwards else ZOOM)
        if span <= 0 or span < self._end / DEEPEST:
            return
        if span >= self._end:
            self._window = None
        else:
            at = self.cursor if self.cursor is not None else last
            left = max(0.0, min(self._end - span, at - (at - first) * span / (last - first)))
            self._window = left, left + span
        self._tell()

    def reset(self) -> None:
        """All of it, without a cursor."""
        self._window = self.cursor = None
        self._tell()

    def move_cursor(self, cells: int) -> None:
        """Move the cursor by cells; the first time it appears at the right end."""
        first, last = self.bounds
        if last <= first:
            return
        if self.cursor is None:
            self.cursor = last
        else:
            self.cursor = max(0.0, min(self._end, self.cursor + cells * (last - first) / max(1, self.width)))
            if self._window is not None and not first <= self.cursor <= last:
                shift = self.cursor - last if self.cursor > last else self.cursor - first
                self._window = first + shift, last + shift
        self._tell()

    def point_at(self, cell: int) -> None:
        """Put the cursor on a cell, as a mouse does."""
        first, last = self.bounds
        self.cursor = first + (cell + 1) * (last - first) / max(1, self.width)
        self._tell()

    def next_unit(self) -> None:
        """Count in the next unit; the whole of it is seen."""
        self._unit = UNITS[(UNITS.index(self.unit) + 1) % len(UNITS)]
        self._window = self.cursor = None
        self._end = 0.0
        self._tell()
