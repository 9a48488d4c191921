"""What the charts of one run share: which columns its steps lie in, what stands under and between the curves, and what
a mouse does there: point, drag, zoom by the wheel, and ask what a mark is about."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual import events
from textual.color import Color
from textual.content import Content

from tui_trainer.plotting.canvas import Glyph, GlyphRun
from tui_trainer.plotting.figure import DOTS, Marks
from tui_trainer.plotting.scales import Scale
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.chart import BELOW, CHECKPOINT, Chart, Frame
from tui_trainer.ui.charts.chart_data import checkpoints, marks_between
from tui_trainer.ui.charts.titles import figures_at
from tui_trainer.ui.keys import KeyContext

if TYPE_CHECKING:
    from tui_trainer.records.history import History

COLOURS_DARK = ("#56b4e9", "#e69f00", "#00b384", "#f0e442", "#cc79a7", "#f0703c", "#d5dae0")
COLOURS_LIGHT = ("#2a7fb8", "#b97a00", "#007a58", "#857a00", "#a8457f", "#bf4800", "#20262c")
"""Of series in one chart: Okabe and Ito's, as in a comparison."""

COLUMNS_A_TURN = 8
"""With more turns of the LR than one in so many columns, lines where they are would hide more than they show."""

COLUMNS_AN_END = 4
"""The same for the ends of epochs."""

AT_ONCE = 20_000
"""Steps of a long record that are read in one frame, so that keys are answered in between."""


class RunChart(Chart[XAxis]):
    """A chart of one run: `show(history)` draws what changed."""

    def __init__(self, axis: XAxis, *, marks: Marks | None = None, id: str | None = None) -> None:
        super().__init__(axis, marks=marks, id=id)
        self._history: History | None = None
        self._seen = -1

    def show(self, history: History) -> None:
        """Draw a run as it is now; nothing is done where nothing happened."""
        if history is self._history and history.version == self._seen:
            return
        self._history, self._seen = history, history.version
        self.redraw()

    def stand_on(self, axis: XAxis) -> None:
        """Share another axis from now on."""
        if self.is_mounted:
            self.axis.forget(self.axis_moved)
            axis.listen(self.axis_moved)
        self.axis, self._seen = axis, -1

    def _style(self, role: str, action: str) -> Style:
        if role.startswith("series") and (role, action) not in self._styles_by_role:
            colours = COLOURS_DARK if self.app.current_theme.dark else COLOURS_LIGHT
            colour = Color.parse(colours[int(role[len("series") :])]).rich_color
            self._styles_by_role[role, action] = self.rich_style + Style(color=colour)
        return super()._style(role, action)

    def columns(self, frame: Frame) -> list[int]:
        """The steps before each edge of the columns of dots."""
        return self.axis.edges(frame.width * DOTS[self.marks][0])

    def upright(self, step: float, frame: Frame, style: str, text: str = "┊") -> list[Glyph]:
        """A line from top to bottom where a step ends."""
        return self.standing(self.axis.column_of(step, frame.width), frame, style, text)

    def landmarks(self, history: History, frame: Frame) -> list[Glyph]:
        """What lies under the curves of a run: where the LR turned, where a preset was switched or
        the epochs were changed, and the cursor."""
        glyphs: list[Glyph] = []
        turns = {self.axis.column_of(change.step, frame.width) for change in history.lr_changes}
        if len(turns) <= frame.width // COLUMNS_A_TURN:
            for change in history.lr_changes:
                glyphs += self.upright(change.step, frame, "turn")
        for step in (*(switch.step - 1 for switch in history.switches), *(e.step for e in history.epochs_changed)):
            glyphs += self.upright(step, frame, "switch")
        return glyphs + self.cursor_line(frame)

    def along_axis(self, history: History, frame: Frame) -> dict[int, GlyphRun]:
        """What stands on the line of the x axis, by cell: ends of epochs, where there is room for them, and the
        checkpoints."""
        marks: dict[int, GlyphRun] = {}
        edges = self.columns(frame)
        first, last = (
            bisect_right(history.epochs, edge, key=lambda ended: ended.step) for edge in (edges[0], edges[-1])
        )
        if last - first <= frame.width // COLUMNS_AN_END:
            ends = (self.axis.column_of(ended.step, frame.width) for ended in history.epochs[first:last])
            marks = {column: GlyphRun("┴", "axis") for column in ends if column is not None}
        for saved in reversed(checkpoints(history)):
            column = self.axis.column_of(saved.step, frame.width)
            if column is not None:
                marks[column] = GlyphRun(CHECKPOINT, "best" if saved.best else "label")
        return marks

    def cursor_line(self, frame: Frame) -> list[Glyph]:
        """The cursor, where there is one."""
        return [] if self.axis.cursor is None else self.upright(self.axis.cursor, frame, "cursor", "│")

    def point(self, step: float, value: float, scale: Scale, frame: Frame, text: str, style: str) -> list[Glyph]:
        """A character at a step and a value, if it is in sight; on the bottom where the scale has no place for it."""
        column = self.axis.column_of(step, frame.width)
        if column is None:
            return []
        if scale.log and value <= 0:
            return [Glyph(frame.height - 1, column, BELOW, "warning")]
        return self.glyph(column, value, scale, frame, text, style)


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
        frame = Frame.within(*self.size, self.labels, right_axis=self.right_axis)
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
