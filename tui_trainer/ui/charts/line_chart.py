"""A chart from a description: which series, over what, linear or in powers of ten, smoothed or not."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import inf, isfinite, isnan, log10, nan
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.strip import Strip

from tui_trainer.plotting.canvas import Glyph, GlyphRun
from tui_trainer.plotting.curves import Extent, hatched, range_of, spans
from tui_trainer.plotting.curves import Span as Dots
from tui_trainer.plotting.figure import DOTS
from tui_trainer.plotting.ranges import asks_for_log, floor_of, not_below, without_echoes, without_spikes
from tui_trainer.plotting.scales import Scale
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import format_lr, format_metric
from tui_trainer.text.plain import plain
from tui_trainer.text.short_names import short_name, short_names
from tui_trainer.ui.charts.chart import Frame, beside, x_axis
from tui_trainer.ui.charts.logged_lrs import ANNEALED, is_lr
from tui_trainer.ui.charts.lr_curves import LRCurves
from tui_trainer.ui.charts.run_chart import AT_ONCE, MouseChart
from tui_trainer.ui.charts.series_axis import SeriesAxis
from tui_trainer.ui.charts.series_curve import BELOW_ALL, NOT_A_NUMBER, SeriesCurve
from tui_trainer.ui.formatting import UNKNOWN, cut
from tui_trainer.ui.keys import KeyContext
from tui_trainer.ui.panel import Line, Panel

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.records.series import AllSeries, Series

SIGNS = "●▲■◆○▼□"
"""What tells series in one chart apart without colours."""

MOST_LINES = len(SIGNS)
"""Series in one chart."""


POINT = "•"
COLUMNS_A_POINT = 6
"""Numbers that lie at least as far apart have a point each."""

CELLS_A_SIGN = 16
"""A line among others bears its sign every so many cells."""

DENSE = 8
"""With more numbers a cell than this, what lies between lowest and highest is a band, and smoothed over it a line."""


class Scatter:
    """A series over numbers that fall as well as rise: what lies in each column, kept as it comes."""

    def __init__(self, series: Series, over: Series) -> None:
        self.series, self.over = series, over
        self._made: tuple[object, ...] = ()
        self._extents: list[Extent | None] = []
        self._read = 0

    def columns(self, axis: SeriesAxis, columns: int, at_most: int = AT_ONCE) -> tuple[list[Extent | None], bool]:
        """The columns, and whether all is read."""
        made = (axis.bounds, columns, self.series.rewrites, self.over.rewrites)
        if made != self._made:
            self._made, self._read = made, 0
            self._extents = [None] * columns
        steps, values, xs, at = self.series.steps, self.series.values, self.over.values, self.over.steps
        stop = min(len(values), self._read + at_most)
        for index in range(self._read, stop):
            place = bisect_right(at, steps[index]) - 1
            value = values[index]
            if place < 0 or not isfinite(value) or not isfinite(xs[place]):
                continue
            column = axis.column_at(axis.along(xs[place]), columns)
            if column is not None:
                known = self._extents[column] or (inf, -inf)
                self._extents[column] = min(known[0], value), max(known[1], value)
        self._read = stop
        return list(self._extents), stop == len(values)


def figure(series: AllSeries, name: str, value: float, unit: str = "") -> str:
    """A value of a series, as `number`; an LR as LRs are written everywhere."""
    return format_lr(value) if series.kind(name) == "lr" and isfinite(value) else number(value, unit)


def number(value: float, unit: str = "") -> str:
    """A value of any size as a person writes it, with its unit; nan and infinities by name."""
    if isnan(value):
        return "NaN"
    if not isfinite(value):
        return "inf" if value > 0 else "-inf"
    whole = value == int(value) and (value == 0 or 100 <= abs(value) < 1e15)
    text = f"{value:,.0f}" if whole else format_metric(value)
    return f"{text} {plain(unit)}" if unit else text


class LineChart(MouseChart):
    """Some series of a run over one axis.

    Values that are not finite are marks at the upper or lower edge, steps that a record lost are gaps, and what was
    trained before a run went back stands faint behind what took its place.
    """

    right_axis: ClassVar[bool] = False
    place: ClassVar[KeyContext | None] = None
    axis: SeriesAxis

    def __init__(
        self,
        axis: SeriesAxis,
        series: Sequence[str] = (),
        *,
        title: str = "",
        y: str = "",
        smoothing: int | None = None,
        id: str | None = None,
    ) -> None:
        """Draw series over an axis, which has its own `count` for what x is.

        Args:
            axis: what charts share.
            series: names, as the run's history has them.
            title: before the names; empty for none.
            y: `linear` or `log`; empty for what the range asks for.
            smoothing: over how many values; None for what suits how many there are.
            id: of the widget.
        """
        super().__init__(axis, id=id)
        self.names: tuple[str, ...] = tuple(series)
        self.title = title
        self.flags = ""
        """What stands before the name: whether it is chosen, marked, pinned."""
        self._log = y == "log" if y else None
        self._window = smoothing
        self._curves: dict[str, SeriesCurve] = {}
        self._scatters: dict[str, Scatter] = {}
        self._cell_edges: tuple[list[int], list[int]] = ([], [])
        self._lrs: LRCurves | None = None
        """All LRs of the run, where these are some of them."""

    @property
    def window(self) -> int | None:
        """Over how many values lines are smoothed; None for what suits them."""
        return self._window

    @window.setter
    def window(self, window: int | None) -> None:
        if window != self._window:
            self._window = window
            for curve in self._curves.values():
                curve.smooth_over(window)
            self.redraw()

    def draw_series(self, history: History, names: Sequence[str], flags: str = "") -> None:
        """Draw these as they are now; nothing is done where nothing happened."""
        wanted = tuple(names[:MOST_LINES])
        if wanted != self.names or history is not self._history:
            self.names = wanted
            self._scales.clear()
            self._asks_for_log = False
            if history is not self._history:
                self._curves.clear()
            self._scatters.clear()
        elif flags == self.flags and history.version == self._seen:
            return
        self.flags = flags
        self._history, self._seen = history, history.version
        self.redraw()

    def curve(self, name: str) -> SeriesCurve | None:
        """A series made ready; None where the run has none of that name."""
        history = self._history
        series = history.series.get(name) if history is not None else None
        if history is None or series is None:
            return None
        known = self._curves.get(name)
        if known is None or known.series is not series:
            smooths = history.series.kind(name) not in ("lr", "val")
            known = self._curves[name] = SeriesCurve(series, smooths=smooths, window=self._window)
        return known

    def draw(self, frame: Frame) -> list[list[GlyphRun]]:
        history = self._history
        if history is None:
            return []
        self.axis.update(history)
        for name in [name for name in self._curves if name not in self.names]:
            del self._curves[name]
        curves = [(name, curve) for name in self.names if (curve := self.curve(name)) is not None]
        for _, curve in curves:
            if not curve.catch_up():
                self.call_later(self.redraw)
        body = self._body(curves, frame) if frame.height else []
        title = self._title_line(history, curves)  # the scale is chosen
        return [*([title] if frame.title else []), *body, *x_axis(frame, self.axis)]

    # The curves

    def _body(self, curves: Sequence[tuple[str, SeriesCurve]], frame: Frame) -> list[list[GlyphRun]]:
        across, up = DOTS[self.marks]
        columns, dots = frame.width * across, frame.height * up
        several = len(curves) > 1
        edges = self.columns(frame)
        scattered = self.axis.course.scattered
        lines: dict[str, tuple[list[Extent | None], str]] = {}
        """By name on the canvas: the columns, and the style."""
        ranged: list[Sequence[Extent | None]] = []
        asked: list[Sequence[Extent | None]] = []
        over: list[tuple[SeriesCurve, list[Extent | None], str, str]] = []
        for place, (name, curve) in enumerate(curves):
            style = f"series{place}" if several else "smooth" if curve.has_moved else "faint"
            if scattered is not None:
                extents, done = self._scatter(name, curve, scattered).columns(self.axis, columns)
                if not done:
                    self.call_later(self.redraw)
                lines[f"dots {place}"] = extents, style
                ranged.append(extents)
                asked.append(extents)
                continue
            for number_of, earlier in enumerate(curve.earlier(edges)):
                lines[f"raw {place} {number_of}"] = earlier, "planned"
            smooth = curve.smooth(edges)
            dense = smooth is not None and not several and edges[-1] - edges[0] >= DENSE * frame.width
            extents = curve.over(self._cells(edges, across) if dense else edges)
            curve.to_the_edges(extents, edges)
            calm = without_echoes(smooth, extents) if smooth is not None else extents
            if smooth is not None:
                floor = floor_of([calm], extents)
                extents, calm = [*not_below(floor, extents)], not_below(floor, calm)
            ranged.append(calm if several else extents)
            asked.append(calm)
            if smooth is not None:
                if not several:
                    lines[f"raw {place}"] = extents, "raw"
                lines[f"line {place}"] = smooth, style
            else:
                lines[f"line {place}"] = extents, style
            over.append((curve, smooth or extents, style, SIGNS[place] if several else ""))
        lrs = self._all_lrs()
        asking = lrs.asked(self.axis) if lrs is not None and scattered is None else asked
        name = " ".join(self.names)[:200]
        scale = self.scale_of(name, ranged, frame, asked=asking, left_out=ANNEALED if lrs else 0.0, clips=lrs is None)
        drawn: dict[str, list[Dots | None]] = {}
        for key, (extents, _) in lines.items():
            alone = key.startswith("dots")
            curve_dots = _each_alone(extents, scale, dots) if alone else self.spans(extents, scale, dots)
            drawn[key] = hatched(curve_dots, columns)
        self._canvas.draw(drawn, frame.width, frame.height)
        glyphs = [glyph for lit in over for glyph in self._glyphs(*lit, edges, scale, frame)]
        for each in ranged:
            glyphs += self.beyond(each, scale, frame)
        rows = [
            [GlyphRun(run.text, lines[run.style][1] if run.style in lines else run.style) for run in row]
            for row in self._canvas.rows(self.cursor_line(frame), glyphs)
        ]
        return beside(frame, rows, scale.ticks if range_of(*ranged) is not None else ())

    def _all_lrs(self) -> LRCurves | None:
        """All LRs of the run, which choose the scale of each as they do beside the loss; None for other series."""
        history = self._history
        if history is None or not self.names or not all(is_lr(history, name) for name in self.names):
            self._lrs = None
        elif self._lrs is None or self._lrs.history is not history:
            self._lrs = LRCurves(history)
        if self._lrs is not None and not self._lrs.catch_up(AT_ONCE):
            self.call_later(self.redraw)
        return self._lrs

    def _cells(self, edges: list[int], across: int) -> list[int]:
        """The edges of cells rather than columns of dots; the same list for the same edges."""
        if self._cell_edges[0] is not edges:
            self._cell_edges = edges, edges[::across]
        return self._cell_edges[1]

    def _scatter(self, name: str, curve: SeriesCurve, over: Series) -> Scatter:
        known = self._scatters.get(name)
        if known is None or known.over is not over or known.series is not curve.series:
            known = self._scatters[name] = Scatter(curve.series, over)
        return known

    def _glyphs(
        self,
        curve: SeriesCurve,
        extents: Sequence[Extent | None],
        style: str,
        sign: str,
        edges: list[int],
        scale: Scale,
        frame: Frame,
    ) -> list[Glyph]:
        across = DOTS[self.marks][0]
        glyphs: list[Glyph] = []
        indices = curve.indices(edges)
        if (indices[-1] - indices[0]) * COLUMNS_A_POINT <= frame.width:
            for index in range(indices[0], indices[-1]):
                value = curve.series.values[index]
                if isfinite(value):
                    glyphs += self.point(curve.series.steps[index], value, scale, frame, sign or POINT, style)
        elif sign:
            first = SIGNS.index(sign) * 3 % CELLS_A_SIGN
            for cell in range(first, frame.width, CELLS_A_SIGN):
                extent = extents[cell * across]
                if extent is not None and isfinite(extent[0]):
                    glyphs += self.glyph(cell, (extent[0] + extent[1]) / 2, scale, frame, sign, style)
        for cell, mark in curve.marks(edges, across).items():
            row = frame.height - 1 if mark == BELOW_ALL else 0
            glyphs.append(Glyph(row, cell, mark, "warning"))
        return glyphs

    # What stands over them

    def _title_line(self, history: History, curves: Sequence[tuple[str, SeriesCurve]]) -> list[GlyphRun]:
        width, cursor = self.size.width, self.axis.cursor
        left = [GlyphRun(self.flags, "actual")] if self.flags else []
        if self.title:
            left.append(GlyphRun(f"{self.title}  ", "title"))
        if not curves:
            return [*left, GlyphRun(cut(plain(" · ".join(self.names)), width), "faint")]
        if len(curves) > 1:
            scale = [GlyphRun("  log", "faint")] if self.log_scale else []
            return [*left, *self._legend(history, curves, width - _width(left) - _width(scale)), *scale]
        (name, curve), *_ = curves
        values = self._figures(history.series, name, curve, cursor)
        notes = self._notes(curve)
        room = width - _width(left) - _width(values) - 2
        while notes and room - _width(notes) - 2 < min(cell_len(plain(name)), 16):
            notes.pop()
        room -= _width(notes) + 2 if notes else 0
        shown = short_name(plain(name) or "(no name)", room, by_end=True)
        group, slash, last = shown.rpartition("/")
        faint = not curve.has_moved
        line = [*left, GlyphRun(group + slash, "faint"), GlyphRun(last, "faint" if faint else "title")]
        line += [GlyphRun("  "), *values]
        if notes:
            line += [GlyphRun(" " * max(1, width - _width(line) - _width(notes))), *notes]
        return line

    def _figures(self, all_series: AllSeries, name: str, curve: SeriesCurve, cursor: int | None) -> list[GlyphRun]:
        declared = all_series.declared(name)
        unit = declared.unit if declared is not None else ""
        found = curve.at(cursor)
        if found is None:
            return [GlyphRun(UNKNOWN, "faint")]
        step, value = found
        if isnan(value) and curve.series.is_missing(step):
            return [GlyphRun(say("metric.lost"), "faint")]
        style = "warning" if not isfinite(value) else "val" if cursor is not None else "smooth"
        if not curve.has_moved:
            style = "faint"
        shown = [GlyphRun(figure(all_series, name, value, unit), style)]
        if cursor is not None and step != cursor:
            shown.append(GlyphRun(f" at {step:,}", "faint"))
        return shown

    def _notes(self, curve: SeriesCurve) -> list[GlyphRun]:
        """What is to be said of it, what matters most first."""
        notes: list[GlyphRun] = []
        if curve.is_read and (count := curve.not_finite):
            notes.append(GlyphRun(say("metric.not_finite", count=f"{count:,}"), "warning"))
        elif not curve.has_moved:
            notes.append(GlyphRun(say("metric.unmoved"), "faint"))
        if self.log_scale:
            notes.append(GlyphRun(("  " if notes else "") + "log", "faint"))
        if curve.window > 1:
            notes.append(GlyphRun(f"{'  ' if notes else ''}smoothed {curve.window}", "faint"))
        return notes

    def _legend(self, history: History, curves: Sequence[tuple[str, SeriesCurve]], width: int) -> list[GlyphRun]:
        """Each with its sign, its name as far as there is room, and its value; of what they are all called, once. How
        many there is no room for."""
        values = [self._figures(history.series, name, curve, self.axis.cursor)[:1] for name, curve in curves]
        shared = _shared([name for name, _ in curves])
        last = [plain(name.removeprefix(shared)) for name, _ in curves]
        needed = sum(cell_len(name) + _width(value) + 5 for name, value in zip(last, values, strict=True))
        head = [GlyphRun(f"{plain(shared)}  ", "faint")] if shared and cell_len(plain(shared)) + needed <= width else []
        names = last if head else [plain(name) for name, _ in curves]
        room = width - _width(head)
        each = (room - sum(_width(value) + 5 for value in values)) // len(curves)
        parts: list[GlyphRun] = []
        names = short_names(names, max(each, 4), by_end=True)
        for place, ((_, curve), shown, value) in enumerate(zip(curves, names, values, strict=True)):
            style = "warning" if not isfinite((curve.at(self.axis.cursor) or (0, 0.0))[1]) else f"series{place}"
            part = [GlyphRun(f"{SIGNS[place]} {shown} ", f"series{place}"), *(v._replace(style=style) for v in value)]
            is_last = place == len(curves) - 1
            if _width(parts) + _width(part) + 2 + (0 if is_last else 4) > room:
                parts.append(GlyphRun(f"  +{len(curves) - place}", "faint"))
                break
            parts += [GlyphRun("  "), *part] if parts else part
        return [*head, *parts]

    def copied(self) -> str:
        """The values at the cursor, else the newest ones, a line each."""
        history, cursor = self._history, self.axis.cursor
        if history is None:
            return ""
        lines = [f"step {cursor if cursor is not None else history.last_step}"]
        for name in self.names:
            if (curve := self.curve(name)) is not None and (found := curve.at(cursor)) is not None:
                lines.append(f"{plain(name)} {figure(history.series, name, found[1])} at step {found[0]}")
        return "\n".join(lines)

    # Textual

    def _strip(self, line: Line, width: int) -> Strip:
        if all(span.text.isascii() for span in line):
            return super()._strip(line, width)
        return Panel._strip(self, line, width)  # a name may hold wide characters


def _shared(names: Sequence[str]) -> str:
    """The group that all of some names begin with, with its slash; empty where they have none in common."""
    groups = {name.rpartition("/")[0] for name in names}
    return f"{groups.pop()}/" if len(groups) == 1 and all("/" in name[1:] for name in names) else ""


def _width(runs: Sequence[GlyphRun]) -> int:
    return sum(cell_len(run.text) for run in runs)


def _each_alone(extents: Sequence[Extent | None], scale: Scale, dots: int) -> list[Dots | None]:
    """The dots of columns that are not joined to each other."""
    alone: list[Dots | None] = []
    for extent in extents:
        alone += spans([extent], scale, dots) if extent is not None else [None]
    return alone


def trend(curve: SeriesCurve, cells: int, *, can_be_log: bool = False) -> str:
    """The course of a series as a line of blocks, as high as each stretch of its values lies, `can_be_log` in powers of
    ten where their range asks for it; `×` where none is finite."""
    known = len(curve.tree)
    heights: list[float] = []
    for cell in range(min(cells, known)):
        count = min(cells, known)
        start, stop = known * cell // count, known * (cell + 1) // count
        extent = curve.tree.extent(start, stop)
        heights.append((extent[0] + extent[1]) / 2 if extent is not None else nan)
    finite = [height for height in heights if isfinite(height)]
    if not finite:
        return NOT_A_NUMBER * len(heights)
    if can_be_log and asks_for_log([without_spikes([(height, height) for height in finite])]):
        heights = [log10(height) if height > 0 else nan for height in heights]  # above zero are all that are finite
        finite = [log10(height) for height in finite]
    low, high = min(finite), max(finite)
    rise = 7 / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((h - low) * rise)] if isfinite(h) else NOT_A_NUMBER for h in heights)


BLOCKS = "▁▂▃▄▅▆▇█"
