"""What the charts share: their styles, their canvas, drawing no more than what changed; and what stands around the
curves, gutters, ticks and a title that fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import inf
from typing import ClassVar, Generic, NamedTuple, TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from tui_trainer.plotting.canvas import Canvas, Glyph, GlyphRun, runs
from tui_trainer.plotting.curves import Extent, range_of, spans, together
from tui_trainer.plotting.figure import Marks
from tui_trainer.plotting.last_curves import OfLastCurves
from tui_trainer.plotting.ranges import asks_for_log, without_spikes, without_the_lowest
from tui_trainer.plotting.scales import Scale, Tick, linear, logarithmic
from tui_trainer.text.plain import in_ascii, plain
from tui_trainer.ui.charts.axis import Axis, Mode
from tui_trainer.ui.context import ContextApp
from tui_trainer.ui.formatting import cut
from tui_trainer.ui.panel import Line, Panel, Span
from tui_trainer.ui.theme import CHART_ROLES

BADGES: dict[Mode, tuple[str, str]] = {
    "all": ("all", "label"),
    "so far": ("so far", "label"),
    "live": ("live", "actual"),
    "held": ("frozen", "warning"),
}
"""What is in sight, in a word, and the style to say it in."""

LEAST_FOR_NAMES = 40
"""Columns from which on curves have their names at their ends."""

LAST_BEFORE_RIGHT = 2
"""Parts of a title with this number or a lower one stay longer than what stands at its right end."""


class Frame(NamedTuple):
    """The parts of a chart in cells. Charts of one width have the same gutters, and so the same columns."""

    left: int
    """Room for the labels of the left axis; the axis itself is one more."""
    right: int
    """As `left`, on the right; 0 where there is no right axis."""
    width: int
    """Cells that the curves have."""
    height: int
    """Rows that the curves have."""
    title: bool
    line: bool
    """Whether the x axis has a line of its own, with its ticks."""
    labels: bool

    @classmethod
    def within(cls, width: int, height: int, labels: bool, *, longest_name: int = 0, right_axis: bool = True) -> Frame:
        """The parts of a chart of this size; what does not fit is left out, the curves last. Where curves have names,
        those have room at the right, the longest one if it takes no more than a sixth of the width."""
        left = 6 if width >= 60 else 5 if width >= 24 else 0
        right = 5 if width >= 60 and right_axis else 0
        if longest_name and width >= LEAST_FOR_NAMES:
            right = max(right, min(longest_name, width // 6))
        title = height >= 1
        rows = height - title
        line = labels and rows >= 4
        names = labels and rows >= 3
        beside = (left + 1 if left else 0) + (right + 1 if right else 0)
        return cls(left, right, max(1, width - beside), max(0, rows - line - names), title, line, names)


def beside(
    frame: Frame,
    rows: Sequence[Sequence[GlyphRun]],
    left: Sequence[Tick],
    right: Sequence[Tick] | None = None,
    names: Mapping[int, GlyphRun] | None = None,
    right_style: str = "accuracy",
) -> list[list[GlyphRun]]:
    """The rows of a chart between its axes; the right one is blank without ticks, or has the names of curves by row;
    its ticks are in the colour of the curve that they are of."""
    lefts = {frame.height - 1 - tick.at: tick.label for tick in left}
    rights = {frame.height - 1 - tick.at: tick.label for tick in right or ()}
    lines: list[list[GlyphRun]] = []
    for row, curves in enumerate(rows):
        line: list[GlyphRun] = []
        if frame.left:
            line += _left_axis(lefts.get(row, ""), frame.left)
        line += curves
        if frame.right and right is not None:
            line += _right_axis(rights.get(row, ""), frame.right, right_style)
        elif frame.right and names is not None and (name := names.get(row)) is not None:
            line += [GlyphRun(" "), GlyphRun(cut(name.text, frame.right), name.style)]
        lines.append(line)
    return lines


@lru_cache(256)
def _left_axis(label: str, width: int) -> tuple[GlyphRun, GlyphRun]:
    """What stands at the left of a row of curves: a label, if there is one, and the axis."""
    return GlyphRun(label[:width].rjust(width), "label"), GlyphRun("┤" if label else "│", "axis")


@lru_cache(256)
def _right_axis(label: str, width: int, style: str) -> tuple[GlyphRun, GlyphRun]:
    return GlyphRun("├" if label else "│", "axis"), GlyphRun(label[:width].ljust(width), style)


def labelled_up_to_1(scale: Scale, frame: Frame) -> Scale:
    """A scale of accuracies: one above 1 is nothing to label."""
    top = scale.height(1.0) * frame.height
    return scale._replace(ticks=tuple(tick for tick in scale.ticks if tick.at <= top))


def at_ends(ends: Sequence[tuple[float, GlyphRun]], rows: int, count: int | None = None) -> dict[int, GlyphRun]:
    """The names of curves by row, each as near as can be to where its curve ends, in the order of these ends.

    Of more names than rows, as many as fit, those first in `ends`, and how many others there are. `count` is how many
    there are where `ends` has no more than have room.
    """
    shown, count = list(ends), len(ends) if count is None else count
    if count > rows:
        shown = shown[: rows - 1]
    by_height = sorted(shown, key=lambda end: end[0])
    placed: list[int] = []
    for end, _ in by_height:
        placed.append(max(int(end), placed[-1] + 1 if placed else 0))
    room = rows - (count > len(shown))
    for i in range(len(placed) - 1, -1, -1):
        placed[i] = min(placed[i], room - len(placed) + i)
    names = {row: name for row, (_, name) in zip(placed, by_height, strict=True)}
    if room < rows:
        names[rows - 1] = GlyphRun(f"+{count - len(shown)}", "label")
    return names


def x_axis(
    frame: Frame, axis: Axis, marks: Mapping[int, GlyphRun] | None = None, badge: bool = False
) -> list[list[GlyphRun]]:
    """The lines under the curves: the axis with its ticks and what is marked on it by cell, and the labels of the
    ticks between the badge, which says what is in sight, and the unit."""
    ticks = axis.ticks(frame.width)
    lines: list[list[GlyphRun]] = []
    corner = frame.left + 1 if frame.left else 0
    if frame.line:
        line, styles = ["─"] * frame.width, ["axis"] * frame.width
        for cell, run in (marks or {}).items():
            line[cell], styles[cell] = run
        for tick in ticks:
            if styles[tick.at] == "axis":
                line[tick.at] = "┬"
        lines.append([GlyphRun(" " * frame.left), GlyphRun("└" if corner else "", "axis"), *runs(line, styles)])
    if frame.labels:
        lines.append(_labels(frame, axis, ticks, corner, badge))
    return lines


def _labels(frame: Frame, axis: Axis, ticks: Sequence[Tick], corner: int, badge: bool) -> list[GlyphRun]:
    width = corner + frame.width + (frame.right + 1 if frame.right else 0)
    cells, styles = [" "] * width, ["label"] * width
    unit = axis.counts(frame.width)
    word, style = BADGES[axis.mode]
    free = 0
    if badge and corner:
        cells[: len(word)], styles[: len(word)] = word, [style] * len(word)
        free = len(word) + 1
    elif axis.mode != "all":
        unit += f" · {word}"
    end = width - len(unit)
    for tick in ticks:
        start = max(0, corner + tick.at - (len(tick.label) - 1) // 2)
        if start + len(tick.label) == end and len(tick.label) > 1:
            start -= 1  # the last label, a cell off its tick rather than left out
        if start >= free and start + len(tick.label) < end:
            cells[start : start + len(tick.label)] = tick.label
            free = start + len(tick.label) + 1
    if end > 0:
        cells[end:] = unit
    return runs(cells, styles)


def narrow(text: str) -> str:
    """A text from a file, safe to show, each character one cell wide."""
    safe = plain(text)
    return safe if safe.isascii() else "".join(letter if cell_len(letter) == 1 else "?" for letter in safe)


def fitted(parts: Sequence[tuple[int, list[GlyphRun]]], right: Sequence[GlyphRun], width: int) -> list[GlyphRun]:
    """A title of parts two blanks apart, with `right` at its end; the parts of the highest numbers go first where
    there is no room."""
    kept = [part for part in parts if part[1]]
    end = list(right)
    while kept:
        needed = sum(len(run.text) for _, part in kept for run in part) + 2 * (len(kept) - 1)
        needed += 2 + sum(len(run.text) for run in end) if end else 0
        worst = max(number for number, _ in kept)
        if needed <= width or (worst == 0 and not end):
            break
        if end and worst <= LAST_BEFORE_RIGHT:
            end = []
        else:
            kept = [part for part in kept if part[0] != worst]
    line: list[GlyphRun] = []
    for i, (_, part) in enumerate(kept):
        line.extend([GlyphRun("  ")] if i else [])
        line.extend(part)
    if end:
        line.append(GlyphRun(" " * (width - sum(len(run.text) for run in [*line, *end]))))
        line.extend(end)
    return line


AnyAxis = TypeVar("AnyAxis", bound=Axis)

LOWEST, LAST, EARLY = "◆", "◇", "✗"
"""On a curve: its best epoch, the last one that was validated, and its end where the run ended before it was to."""

TURN, CHECKPOINT = "○", "■"
"""Where the LR changed, and under the charts a checkpoint."""

NOT_FINITE, ABOVE, BELOW = "!", "▴", "▾"
"""A value that has no place: not a finite one (`!` is what is wrong, here as elsewhere); one far above all others; one
far below them, or zero or less on a log scale.

These are the marks of all charts. Each stands for one thing on every screen, and the help page tells for which. Whose a
curve is no mark says, but its colour and its name.
"""

FULLEST = 0.55
"""A scale is kept, so that nothing jumps, while the values fill this part of it."""


class Chart(Panel, Generic[AnyAxis]):
    """A chart over the x axis it shares with others, which has it drawn anew; the toggles do so too."""

    DEFAULT_CSS = """
    Chart {
        width: 1fr;
        height: 1fr;
    }
    """

    ALLOW_SELECT = False  # dragging moves what is in sight

    roles = CHART_ROLES

    labels: bool = False
    """Whether the x axis is written under it."""

    right_axis: ClassVar[bool] = True
    """Whether it keeps room for an axis at its right, as charts that share columns do."""

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
        self._log: bool | None = None
        self._asks_for_log = False
        self._scales: dict[str, Scale] = {}
        self._without_spikes = OfLastCurves(without_spikes)
        self._without_the_lowest = OfLastCurves(without_the_lowest)
        self.spans = OfLastCurves(spans)
        self._shown: list[tuple[list[GlyphRun], Line]] = []
        """The lines of the last frame: as they were drawn, and as they are shown."""

    @property
    def marks(self) -> Marks:
        """What curves are drawn with."""
        return self._canvas.marks

    @marks.setter
    def marks(self, marks: Marks) -> None:
        if marks != self.marks:
            self._canvas = Canvas(marks)
            self._shown = []
            self.forget()
            self.redraw()

    @property
    def log_scale(self) -> bool:
        """Whether heights are powers of ten: as chosen; until somebody does, as the range of what is seen asks for."""
        return self._asks_for_log if self._log is None else self._log

    @log_scale.setter
    def log_scale(self, log: bool) -> None:
        self.chosen_log = log

    @property
    def chosen_log(self) -> bool | None:
        """Whether heights are to be powers of ten; None where nobody chose."""
        return self._log

    @chosen_log.setter
    def chosen_log(self, log: bool | None) -> None:
        if log != self._log:
            self._log = log
            self.redraw()

    def lines(self) -> Sequence[Line]:
        """The chart for the size at hand."""
        frame = self.frame
        self.axis.width = frame.width
        before, self._shown = self._shown, []
        for number, drawn in enumerate(self.draw(frame)):
            if number < len(before) and before[number][0] == drawn:  # as most lines of a frame are
                self._shown.append(before[number])
                continue
            as_ascii = self.marks == "ascii"
            line = tuple(Span(in_ascii(run.text) if as_ascii else run.text, run.style) for run in drawn)
            self._shown.append((drawn, line))
        return [line for _, line in self._shown]

    @property
    def frame(self) -> Frame:
        """Its parts, for the size at hand."""
        return Frame.within(*self.size, self.labels, right_axis=self.right_axis)

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

    def scale_of(
        self,
        name: str,
        curves: Sequence[Sequence[Extent | None]],
        frame: Frame,
        *,
        asked: Sequence[Sequence[Extent | None]] | None = None,
        left_out: float = 0.0,
        can_be_log: bool = True,
        clips: bool = True,
    ) -> Scale:
        """A scale for the curves: linear or logarithmic as they ask for, unless somebody chose; and without room for
        spikes, which `beyond` marks.

        Args:
            name: whose scale it is: the last one of that name is kept as long as it serves.
            curves: the lowest and the highest value of each column, of all that is drawn.
            frame: the parts of the chart.
            asked: the curves whose range decides whether it is logarithmic, if not all of them.
            left_out: the part of the columns, those of the lowest values, that does not ask for powers of ten; a linear
                scale begins at zero then.
            can_be_log: whether powers of ten make sense of it.
            clips: whether spikes are left out.
        """
        decisive = curves if asked is None else asked
        if left_out:
            asking = {id(curve): self._without_the_lowest(curve, left_out) for curve in decisive}
        else:
            asking = {id(curve): self._without_spikes(curve) for curve in decisive}
        known = {} if left_out else asking

        def held(log: bool) -> Extent | None:
            if not clips:
                return range_of(*curves, above=0.0 if log else -inf)
            alike = {} if log else known
            return together(
                alike[id(each)] if id(each) in alike else self._without_spikes(each, log=log) for each in curves
            )

        return self.scale_by(name, [*asking.values()], held, frame, left_out=left_out, can_be_log=can_be_log)

    def scale_by(
        self,
        name: str,
        asking: Sequence[Extent | None],
        held: Callable[[bool], Extent | None],
        frame: Frame,
        *,
        left_out: float = 0.0,
        can_be_log: bool = True,
    ) -> Scale:
        """As `scale_of`, by ranges: `asking` decide whether it is logarithmic, and what `held` says is what it holds
        if it is so, or if it is not."""
        self._asks_for_log = can_be_log and asks_for_log(asking, is_log=self._asks_for_log)
        log = self.log_scale and can_be_log
        extent = held(log)
        if extent is None:  # nothing finite, or nothing above zero, is in sight
            extent = (0.1, 1.0) if log else (0.0, 1.0)
        if left_out and not log:
            extent = min(0.0, extent[0]), extent[1] if extent[1] > min(0.0, extent[0]) else 1.0
        return self.scale(name, extent, frame.height, log, frame.left or 6)

    def beyond(self, extents: Sequence[Extent | None], scale: Scale, frame: Frame) -> list[Glyph]:
        """A mark at the top or the bottom of every column that holds more or less than the scale has room for."""
        if not frame.height:
            return []
        top, bottom = (10.0**scale.high, 10.0**scale.low) if scale.log else (scale.high, scale.low)
        margin = 1e-9 * (top - bottom)
        top, bottom = top + margin, bottom - margin
        glyphs: dict[tuple[int, int], Glyph] = {}
        for i, extent in enumerate(extents):
            if extent is None or (extent[0] >= bottom and extent[1] <= top):
                continue
            column = i * frame.width // len(extents)
            if extent[1] > top:
                glyphs[0, column] = Glyph(0, column, ABOVE, "mark")
            if extent[0] < bottom:
                lost = scale.log and extent[0] <= 0  # on this scale it has no place, however far down
                glyphs[1, column] = Glyph(frame.height - 1, column, BELOW, "warning" if lost else "mark")
        return list(glyphs.values())

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
