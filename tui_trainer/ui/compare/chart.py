"""One overlay of a comparison: every preset's curve in its colour, with its marks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Literal, TypeAlias

from rich.style import Style
from textual import events

from tui_trainer.plotting.canvas import Glyph, GlyphRun
from tui_trainer.plotting.curves import Extent, Span, hatched, range_of, spans
from tui_trainer.plotting.figure import DOTS
from tui_trainer.plotting.scales import Scale, linear
from tui_trainer.ui.charts.chart import FULLEST, Chart, Frame, beside, fitted, x_axis
from tui_trainer.ui.compare.curves import CompareAxis, GroupCurves, along_points, preset_style

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Group

What: TypeAlias = Literal["loss", "accuracy", "lr"]
Loss: TypeAlias = Literal["both", "validation", "training"]

Lines: TypeAlias = tuple[list[Extent | None], list[Extent | None], list[tuple[float, float]]]
"""A preset's line, its band of seeds, and the points that are marked."""

LOSSES: tuple[Loss, ...] = ("both", "validation", "training")
DRAW_EVERY = 0.4
"""Seconds from one drawing to the next of curves that are half read."""

READ_FOR = 0.01
"""Seconds of the screen's own time for which one chart reads what is new, before it draws."""

CELLS_A_MARK = 18
"""Marks along a line stand so far apart, each preset's at other cells than its neighbours'."""

CELLS_A_POINT = 4
"""Points of epochs closer than this are marked now and then alone."""


class Overlay(Chart[CompareAxis]):
    """Loss, accuracy or LR of all presets that are not hidden, the chosen one on top."""

    def __init__(self, what: What, axis: CompareAxis, *, id: str | None = None) -> None:
        super().__init__(axis, id=id)
        self.what = what
        self.loss: Loss = "both"
        self._curves: dict[str, GroupCurves] = {}
        self._groups: list[Group] = []
        self._lags = False
        """Whether there are steps of a long record that were not read yet."""
        self._draw_at = 0.0
        self._body: list[list[GlyphRun]] = []
        self._body_for: Frame | None = None
        self._seen_groups: tuple[object, ...] = ()
        self._kept_scale: tuple[int, Scale] | None = None
        self._made: dict[str, tuple[tuple[object, ...], Lines]] = {}
        self._dotted: dict[str, tuple[list[Extent | None], Scale, int, list[Span | None]]] = {}

    def show_groups(self, groups: Sequence[Group], key: object) -> None:
        """Draw these, the last one on top; nothing is done where nothing happened to any, and `key` is the same."""
        seen = (key, *((group.number, group.version) for group in groups))
        if seen != self._seen_groups:
            self._seen_groups = seen
            self._groups = list(groups)
            self.redraw_soon()

    def next_loss(self) -> None:
        """Training and validation, one of them, the other."""
        self.loss = LOSSES[(LOSSES.index(self.loss) + 1) % len(LOSSES)]
        self.redraw()

    def draw(self, frame: Frame) -> list[list[GlyphRun]]:
        curves = [self._curves_of(group) for group in self._groups if group.begun]
        if self._reads_on(curves):
            self.redraw_soon()
        if frame != self._body_for or time.monotonic() >= self._draw_at:
            self._body = self._rows(curves, frame) if frame.height else []
            self._body_for = frame
            self._draw_at = time.monotonic() + DRAW_EVERY if self._lags else 0.0
        return [*([self._title()] if frame.title else []), *self._body, *x_axis(frame, self.axis)]

    def _reads_on(self, curves: Sequence[GroupCurves]) -> bool:
        """Read what is new, for a moment, unless it is time to draw what is half read; whether there is more to do."""
        if self._lags and time.monotonic() >= self._draw_at:
            return True
        until = time.thread_time() + READ_FOR
        self._lags = not all(each.catch_up(until) for each in curves)
        if not self._lags:
            self._draw_at = 0.0
        return self._lags

    def _curves_of(self, group: Group) -> GroupCurves:
        known = self._curves.get(group.label)
        if known is None or known.group is not group:
            known = self._curves[group.label] = GroupCurves(group)
        return known

    def _title(self) -> list[GlyphRun]:
        if self.what == "accuracy":
            return [GlyphRun("accuracy", "title"), GlyphRun("  validation", "faint")]
        if self.what == "lr":
            return [GlyphRun("lr", "title")]
        said = {
            "both": "training, smoothed, as lines; validation as points",
            "validation": "validation",
            "training": "training, smoothed",
        }
        parts = [(0, [GlyphRun("loss", "title")]), (1, [GlyphRun(said[self.loss], "faint")])]
        return fitted([*parts, (2, [GlyphRun("log scale" if self.log_scale else "", "faint")])], [], self.size.width)

    def _rows(self, curves: Sequence[GroupCurves], frame: Frame) -> list[list[GlyphRun]]:
        across, up = DOTS[self.marks]
        columns = frame.width * across
        bands: dict[str, list[Extent | None]] = {}
        lines: dict[str, list[Extent | None]] = {}
        points: dict[str, list[tuple[float, float]]] = {}
        for each in curves:
            name = each.group.label
            line, band, marked = self._kept(each, columns)
            lines[name], points[name] = line, marked
            if band:
                bands[name] = band
        values = [[(y, y) for _, y in marked] for marked in points.values()]
        scale = self._scale_for([*lines.values(), *bands.values(), *values], frame)
        dots = frame.height * up
        drawn: dict[str, list[Span | None]] = {}
        styles: dict[str, str] = {}
        for each in curves:
            name, colour = each.group.label, each.group.colour
            if name in bands:
                styles[f"band {name}"] = f"band{colour}"
                drawn[f"band {name}"] = hatched(spans(bands[name], scale, dots), columns)
        for each in curves:
            styles[f"line {each.group.label}"] = f"run{each.group.colour}"
            drawn[f"line {each.group.label}"] = self._dots_of(each.group.label, lines[each.group.label], scale, dots)
        self._canvas.draw(drawn, frame.width, frame.height)
        glyphs = _taking_turns([self._marks(each.group, points, lines, scale, frame) for each in curves])
        under = self._cursor_line(frame)
        rows = [
            [GlyphRun(run.text, styles.get(run.style, run.style)) for run in row]
            for row in self._canvas.rows(under, glyphs)
        ]
        return beside(frame, rows, scale.ticks if values or lines else ())

    def _kept(self, each: GroupCurves, columns: int) -> Lines:
        """Line, band and marked points of one preset; as they were, where nothing happened to it."""
        key = (each.group.version, each.steps_read, self.axis.unit, self.axis.bounds, columns, self.loss)
        known = self._made.get(each.group.label)
        if known is None or known[0] != key:
            known = self._made[each.group.label] = (key, self._one(each, columns))
        return known[1]

    def _dots_of(self, name: str, line: list[Extent | None], scale: Scale, dots: int) -> list[Span | None]:
        """The dots of a curve; as they were, where neither it nor the scale is another."""
        known = self._dotted.get(name)
        if known is None or known[0] is not line or known[1:3] != (scale, dots):
            known = self._dotted[name] = (line, scale, dots, spans(line, scale, dots))
        return known[3]

    def _one(self, each: GroupCurves, columns: int) -> Lines:
        """Line, band and marked points of one preset."""
        axis = self.axis
        if self.what == "lr":
            line, band = each.lr(axis, columns)
            return line, band, []
        if self.what == "loss" and self.loss != "validation":
            line, band = each.loss(axis, columns)
            ends = each.epoch_ends(axis, "val_loss") if self.loss == "both" else []
            return line, band, [(place, mean) for place, mean, _, _ in ends]
        ends = each.epoch_ends(axis, "val_accuracy" if self.what == "accuracy" else "val_loss")
        points = [(place, mean) for place, mean, _, _ in ends]
        bars: list[Extent | None] = []
        if len(each.runs) > 1:
            bars = [None] * columns
            for place, _, low, high in ends:
                column = axis.column_at(place, columns)
                if column is not None:
                    bars[column] = (low, high)
        return along_points(points, axis, columns), bars, points

    def _scale_for(self, extents: Sequence[Sequence[Extent | None]], frame: Frame) -> Scale:
        log = self.log_scale and self.what != "accuracy"
        extent = range_of(*extents, above=0.0 if log else -inf)
        if extent is None:
            return linear(0.0, 1.0, frame.height, frame.left or 6)
        if self.what == "lr" and not log:
            extent = 0.0, extent[1]
        if self.what == "accuracy":
            return self._accuracy_scale(extent, frame)
        return self.scale(self.what, extent, frame.height, log, frame.left or 6)

    def _accuracy_scale(self, extent: Extent, frame: Frame) -> Scale:
        """As high as the accuracies differ, not from zero on; the last one as long as it serves."""
        low, high = extent[0], max(extent[1], extent[0] + 0.01)
        kept = self._kept_scale
        if kept is not None and kept[0] == frame.height and kept[1].low <= low and high <= kept[1].high:
            filled = (high - low) / (kept[1].high - kept[1].low)
            if filled >= FULLEST:
                return kept[1]
        scale = linear(low, high, frame.height, frame.left or 6)
        self._kept_scale = (frame.height, scale)
        return scale

    def _marks(
        self,
        group: Group,
        points: dict[str, list[tuple[float, float]]],
        lines: dict[str, list[Extent | None]],
        scale: Scale,
        frame: Frame,
    ) -> list[Glyph]:
        style = f"run{group.colour}"
        marked = points[group.label]
        glyphs: list[Glyph] = []
        last = -CELLS_A_POINT
        for place, value in marked:
            column = self.axis.column_at(place, frame.width)
            if column is not None and column - last >= CELLS_A_POINT:
                glyphs += self.glyph(column, value, scale, frame, group.mark, style)
                last = column
        if marked or self.what == "accuracy":
            return glyphs
        line = lines[group.label]
        across = len(line) // frame.width
        shift = (group.number * 5 + 4) % CELLS_A_MARK
        for column in range(shift, frame.width, CELLS_A_MARK):
            extent = line[column * across]
            if extent is not None:
                glyphs += self.glyph(column, extent[1], scale, frame, group.mark, style)
        return glyphs

    def _cursor_line(self, frame: Frame) -> list[Glyph]:
        if self.axis.cursor is None:
            return []
        return self.standing(self.axis.column_at(self.axis.cursor, frame.width), frame, "cursor", "│")

    def _style(self, role: str, action: str) -> Style:
        if (role, action) not in self._styles_by_role and (style := preset_style(self, role)) is not None:
            self._styles_by_role[role, action] = style
        return super()._style(role, action)

    def axis_moved(self) -> None:
        self.redraw_soon()

    def on_click(self, event: events.Click) -> None:
        frame = Frame.within(*self.size, self.labels)
        cell = event.x - (frame.left + 1 if frame.left else 0)
        if 0 <= cell < frame.width:
            self.axis.point_at(cell)


def _taking_turns(marks: Sequence[Sequence[Glyph]]) -> list[Glyph]:
    """Marks of several presets; those that fall on one cell take turns along the axis, so that each is seen."""
    at: dict[tuple[int, int], list[Glyph]] = {}
    for glyphs in marks:
        for glyph in glyphs:
            at.setdefault((glyph.row, glyph.column), []).append(glyph)
    turn = 0
    shown = []
    for cell in sorted(at, key=lambda cell: cell[1]):
        shown.append(at[cell][turn % len(at[cell])])
        turn += len(at[cell]) > 1
    return shown
