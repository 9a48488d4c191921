"""What the charts share: their styles, their canvas, and drawing no more than what changed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_trainer.plotting.canvas import Canvas, Glyph, GlyphRun
from tui_trainer.plotting.curves import Extent
from tui_trainer.plotting.figure import DOTS, Marks
from tui_trainer.plotting.scales import Scale, linear, logarithmic
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.frame import Frame
from tui_trainer.ui.charts.marks import checkpoints
from tui_trainer.ui.context import ContextApp
from tui_trainer.ui.panel import Line, Panel, Span

if TYPE_CHECKING:
    from tui_trainer.records.history import History

STYLES = (
    "title",
    "raw",
    "smooth",
    "val",
    "best",
    "accuracy",
    "planned",
    "flat",
    "actual",
    "mark",
    "turn",
    "switch",
    "warning",
    "axis",
    "label",
    "faint",
    "cursor",
)
"""Each is a component class `chart--STYLE`."""

TO_ASCII = str.maketrans("│┤├└┬┴─┊◆●■×▾·–→…", "|+++++-:oo#xv-->~")
"""What the characters around the curves become where a terminal has no others."""

COLUMNS_A_TURN = 8
"""With more turns of the LR than one in so many columns, lines where they are would hide more than they show."""

COLUMNS_AN_END = 4
"""The same for the ends of epochs."""

CHECKPOINT = "■"
BELOW = "▾"
"""A value that a logarithmic scale has no place for."""

AT_ONCE = 20_000
"""Steps of a long record that are read in one frame, so that keys are answered in between."""

FULLEST = 0.55
"""A scale is kept, so that nothing jumps, while the values fill this part of it."""


class Chart(Panel):
    """A chart over the x axis it shares with others.

    `show(history)` draws what changed; the axis and the toggles do so by themselves.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"chart--{style}" for style in STYLES}

    DEFAULT_CSS = """
    Chart {
        width: 1fr;
        height: 1fr;

        .chart--title { text-style: bold; }
        .chart--raw { color: $foreground 35%; }
        .chart--smooth { color: $accent; }
        .chart--val { color: $foreground; }
        .chart--best { color: $accent; text-style: bold; }
        .chart--accuracy { color: $text-secondary 80%; }
        .chart--planned { color: $foreground 40%; }
        .chart--flat { color: $warning 60%; }
        .chart--actual { color: $accent; }
        .chart--mark { color: $foreground; text-style: bold; }
        .chart--turn { color: $foreground 22%; }
        .chart--switch { color: $warning; }
        .chart--warning { color: $warning; text-style: bold; }
        .chart--axis { color: $foreground 22%; }
        .chart--label { color: $foreground 55%; }
        .chart--faint { color: $foreground 55%; }
        .chart--cursor { color: $foreground; text-style: bold; }
    }
    """

    ALLOW_SELECT = False  # dragging moves what is in sight

    labels: bool = False
    """Whether the x axis is written under it."""

    def __init__(
        self,
        axis: XAxis | None = None,
        *,
        marks: Marks | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.axis = axis if axis is not None else XAxis()
        self._canvas = Canvas(marks or "braille")
        self._marks_given = marks is not None
        self._log = False
        self._scales: dict[str, Scale] = {}
        self._history: History | None = None
        self._seen = -1

    @property
    def marks(self) -> Marks:
        """What curves are drawn with."""
        return self._canvas.marks

    @marks.setter
    def marks(self, marks: Marks) -> None:
        if marks != self.marks:
            self._canvas = Canvas(marks)
            self.forget()
            self.redraw()

    @property
    def log_scale(self) -> bool:
        """Whether heights are powers of ten."""
        return self._log

    @log_scale.setter
    def log_scale(self, log: bool) -> None:
        if log != self._log:
            self._log = log
            self.redraw()

    def show(self, history: History) -> None:
        """Draw a run as it is now; nothing is done where nothing happened."""
        if history is self._history and history.version == self._seen:
            return
        self._history, self._seen = history, history.version
        self.redraw()

    def lines(self) -> Sequence[Line]:
        """The chart for the size at hand."""
        width, height = self.size
        frame = Frame.within(width, height, self.labels)
        self.axis.width = frame.width
        lines = [tuple(Span(run.text, run.style) for run in line) for line in self.draw(frame)]
        if self.marks != "ascii":
            return lines
        return [tuple(span._replace(text=span.text.translate(TO_ASCII)) for span in line) for line in lines]

    def draw(self, frame: Frame) -> list[list[GlyphRun]]:
        """All lines of the chart."""
        raise NotImplementedError

    # Parts that charts are made of

    def columns(self, frame: Frame) -> list[int]:
        """The steps before each edge of the columns of dots."""
        return self.axis.edges(frame.width * DOTS[self.marks][0])

    def scale(self, name: str, extent: Extent, rows: int, log: bool, width: int = 6) -> Scale:
        """A scale that holds the values; the last one as long as it serves."""
        low, high = extent
        old = self._scales.get(f"{name} {rows} {width}")
        if old is not None and old.log == log and old.height(low) >= 0 and old.height(high) <= 1:
            filled = old.height(high) - (old.height(low) if log or low < 0 else min(old.height(low), old.height(0.0)))
            if filled >= FULLEST:
                return old
        made = logarithmic(low, high, rows, width) if log else linear(low, high, rows, width)
        self._scales[f"{name} {rows} {width}"] = made
        return made

    def upright(self, step: float, frame: Frame, style: str, text: str = "┊") -> list[Glyph]:
        """A line from top to bottom where a step ends."""
        column = self.axis.column_of(step, frame.width)
        if column is None:
            return []
        return [Glyph(row, column, text, style) for row in range(frame.height)]

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
        height = scale.height(value)
        if column is not None and scale.log and value <= 0:
            return [Glyph(frame.height - 1, column, BELOW, "warning")]
        if column is None or not -1e-9 <= height <= 1 + 1e-9:
            return []
        row = frame.height - 1 - min(frame.height - 1, max(0, int(height * frame.height)))
        return [Glyph(row, column, text, style)]

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

    # Textual

    def on_mount(self) -> None:
        self.axis.listen(self.redraw)
        if not self._marks_given and isinstance(self.app, ContextApp):
            self.marks = self.app.context.settings.marks

    def on_unmount(self) -> None:
        self.axis.forget(self.redraw)

    def _strip(self, line: Line, width: int) -> Strip:
        segments = [Segment(span.text, self._style(span.role, "")) for span in line if span.text]
        # Every character here is one cell wide: nothing to measure.
        strip = Strip(segments, sum(len(span.text) for span in line))
        return strip.adjust_cell_length(width, self._style("", ""))

    def _style(self, role: str, action: str) -> Style:
        if (style := self._styles_by_role.get((role, action))) is None:
            style = self.get_component_rich_style(f"chart--{role}") if role else self.rich_style
            self._styles_by_role[role, action] = style
        return style
