"""What the charts share: their styles, their canvas, and drawing no more than what changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_trainer.plotting.canvas import Canvas, Glyph, GlyphRun
from tui_trainer.plotting.curves import Extent
from tui_trainer.plotting.figure import Marks
from tui_trainer.plotting.scales import Scale, linear, logarithmic
from tui_trainer.ui.charts.axis import Axis
from tui_trainer.ui.charts.frame import Frame
from tui_trainer.ui.context import ContextApp
from tui_trainer.ui.panel import Line, Panel, Span

AnyAxis = TypeVar("AnyAxis", bound=Axis)

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

FULLEST = 0.55
"""A scale is kept, so that nothing jumps, while the values fill this part of it."""


class Chart(Panel, Generic[AnyAxis]):
    """A chart over the x axis it shares with others, which has it drawn anew; the toggles do so too."""

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
        axis: AnyAxis,
        *,
        marks: Marks | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.axis = axis
        self._canvas = Canvas(marks or "braille")
        self._marks_given = marks is not None
        self._log = False
        self._scales: dict[str, Scale] = {}

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

    def axis_moved(self) -> None:
        """What is seen was changed by hand."""
        self.redraw()

    def standing(self, column: int | None, frame: Frame, style: str, text: str = "┊") -> list[Glyph]:
        """A line from top to bottom of a column, if it is in sight."""
        if column is None:
            return []
        return [Glyph(row, column, text, style) for row in range(frame.height)]

    def glyph(self, column: int, value: float, scale: Scale, frame: Frame, text: str, style: str) -> list[Glyph]:
        """A character in a column at a value, if that is in sight."""
        height = scale.height(value)
        if not -1e-9 <= height <= 1 + 1e-9:
            return []
        row = frame.height - 1 - min(frame.height - 1, max(0, int(height * frame.height)))
        return [Glyph(row, column, text, style)]

    # Textual

    def on_mount(self) -> None:
        self.axis.listen(self.axis_moved)
        if not self._marks_given and isinstance(self.app, ContextApp):
            self.marks = self.app.context.settings.marks

    def on_unmount(self) -> None:
        self.axis.forget(self.axis_moved)

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
