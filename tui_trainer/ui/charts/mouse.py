"""What a mouse does on a chart of a run: point, drag, zoom by the wheel, and ask what a mark is about."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.content import Content

from tui_trainer.ui.charts.frame import Frame
from tui_trainer.ui.charts.marks import marks_between
from tui_trainer.ui.charts.run_chart import RunChart
from tui_trainer.ui.charts.titles import figures_at
from tui_trainer.ui.keys import KeyContext

WHEEL = 0.1
"""The part of what is in sight that a turn of a wheel to the side moves."""


class MouseChart(RunChart):
    """A chart whose x axis follows the mouse. All of it can be done with keys too."""

    place: ClassVar[KeyContext | None] = "charts"

    _grabbed: int | None = None
    """The cell under a button that is down."""
    _dragged = False
    _hovered: int | None = None

    def copied(self) -> str:
        """The figures at the cursor, else the newest ones."""
        if self._history is None:
            return super().copied()
        return figures_at(self._history, self.axis.cursor or self._history.steps, self.axis.at_cursor)

    def on_click(self, event: events.Click) -> None:
        cell = self._cell(event)
        if cell is None and self.labels and event.y == self.size.height - 1:
            self.axis.follow()  # the badge
        elif cell is not None and not self._dragged:
            self.axis.point_at(cell)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._dragged = False
        self._grabbed = self._cell(event)
        if self._grabbed is not None:
            self.capture_mouse()

    def on_mouse_up(self) -> None:
        self._grabbed = None
        self.release_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        cell = self._cell(event)
        if cell is None:
            self._explain(None)
        elif self._grabbed is None:
            self._explain(cell)
        elif cell != self._grabbed:
            self._dragged = True
            if self.axis.mode == "all":
                self.axis.point_at(cell)
            else:
                self.axis.pan((self._grabbed - cell) / self.axis.width)
            self._grabbed = cell

    def on_leave(self) -> None:
        self._explain(None)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.axis.zoom_in()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.axis.zoom_out()

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        event.stop()
        self.axis.pan(-WHEEL)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        event.stop()
        self.axis.pan(WHEEL)

    def _cell(self, event: events.MouseEvent) -> int | None:
        """The cell of the curves under the mouse."""
        frame = Frame.within(*self.size, self.labels)
        cell = event.x - (frame.left + 1 if frame.left else 0)
        return cell if 0 <= cell < frame.width else None

    def _explain(self, cell: int | None) -> None:
        """Have the marks of a cell told in words beside the mouse, once it rests there."""
        if cell == self._hovered:
            return
        self._hovered = cell
        history = self._history
        marks = marks_between(history, *self.axis.steps_in(cell)) if cell is not None and history is not None else []
        told = "\n".join(f"step {mark.step:,}: {mark.words}" for mark in marks)
        if told or self.tooltip is not None:
            self.tooltip = Content(told) if told else None  # as text: a preset's name may hold anything
