"""What the charts of one run share: which columns its steps lie in, and what stands under and between the curves."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_trainer.plotting.canvas import Glyph, GlyphRun
from tui_trainer.plotting.curves import Extent
from tui_trainer.plotting.figure import DOTS, Marks
from tui_trainer.plotting.scales import Scale
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.chart import Chart
from tui_trainer.ui.charts.frame import Frame
from tui_trainer.ui.charts.marks import checkpoints

if TYPE_CHECKING:
    from tui_trainer.records.history import History

COLUMNS_A_TURN = 8
"""With more turns of the LR than one in so many columns, lines where they are would hide more than they show."""

COLUMNS_AN_END = 4
"""The same for the ends of epochs."""

CHECKPOINT = "■"
BELOW = "▾"
"""A value that a logarithmic scale has no place for."""

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

    def columns(self, frame: Frame) -> list[int]:
        """The steps before each edge of the columns of dots."""
        return self.axis.edges(frame.width * DOTS[self.marks][0])

    def upright(self, step: float, frame: Frame, style: str, text: str = "┊") -> list[Glyph]:
        """A line from top to bottom where a step ends."""
        return self.standing(self.axis.column_of(step, frame.width), frame, style, text)

    def landmarks(self, history: History, frame: Frame) -> list[Glyph]:
        """What lies under the curves of a run: where the LR turned, where a preset was switched, and the cursor."""
        glyphs: list[Glyph] = []
        turns = {self.axis.column_of(change.step, frame.width) for change in history.lr_changes}
        if len(turns) <= frame.width // COLUMNS_A_TURN:
            for change in history.lr_changes:
                glyphs += self.upright(change.step, frame, "turn")
        for switch in history.switches:
            glyphs += self.upright(switch.step - 1, frame, "switch")
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

    def below(self, extents: Sequence[Extent | None], scale: Scale, frame: Frame) -> list[Glyph]:
        """On a logarithmic scale, a mark on the bottom for every column that holds zero or less."""
        if not scale.log:
            return []
        columns = {
            column * frame.width // len(extents)
            for column, extent in enumerate(extents)
            if extent is not None and extent[0] <= 0
        }
        return [Glyph(frame.height - 1, column, BELOW, "warning") for column in sorted(columns)]
