"""One overlay of a comparison: every preset's curve in its colour, with its name at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from math import isfinite
from typing import TYPE_CHECKING, Literal, TypeAlias

from rich.style import Style
from textual import events

from tui_trainer.compare.metric import ACCURACY
from tui_trainer.plotting.canvas import Glyph, GlyphRun
from tui_trainer.plotting.curves import Extent, Span, hatched, range_of, spans, together
from tui_trainer.plotting.figure import DOTS
from tui_trainer.plotting.ranges import without_spikes, without_the_lowest
from tui_trainer.plotting.scales import Scale, linear
from tui_trainer.records.series import OF_STEPS
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.text.short_names import short_names
from tui_trainer.ui.charts.chart import (
    EARLY,
    FULLEST,
    LOWEST,
    NOT_FINITE,
    Chart,
    Frame,
    at_ends,
    beside,
    fitted,
    narrow,
    x_axis,
)
from tui_trainer.ui.charts.logged_lrs import ANNEALED
from tui_trainer.ui.compare.curves import CompareAxis, Drawn, GroupCurves, along_points, preset_style
from tui_trainer.ui.compare.lines import Curve, Fitted, Lines

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Group

What: TypeAlias = Literal["loss", "accuracy", "lr"]
Loss: TypeAlias = Literal["both", "validation", "training"]


LOSSES: tuple[Loss, ...] = ("both", "validation", "training")
DRAW_EVERY = 0.4
"""Seconds from one drawing to the next of curves that are half read."""

FAR_ABOVE = 2.0
"""Losses of a run that ended early more than so many times above all others have no place on the scale."""

READ_FOR = 0.01
"""Seconds of the screen's own time for which one chart reads what is new, before it draws."""


class Overlay(Chart[CompareAxis]):
    """Loss, accuracy or LR of all presets that are not hidden, the chosen one on top."""

    def __init__(self, what: What, axis: CompareAxis, *, id: str | None = None) -> None:
        super().__init__(axis, id=id)
        self.what = what
        self.metric = ACCURACY
        """By what the presets are compared: the chart of accuracy is one of it."""
        self.loss: Loss = "both"
        self._curves: dict[str, GroupCurves] = {}
        self._groups: list[Group] = []
        self._is_log = False
        """Whether the chart of a metric is drawn on a log scale: where all of it is above zero."""
        self._lags = False
        """Whether there are steps of a long record that were not read yet."""
        self._draw_at = 0.0
        self._body: list[list[GlyphRun]] = []
        self._body_for: Frame | None = None
        self._seen_groups: tuple[object, ...] = ()
        self._kept_scale: tuple[int, Scale] | None = None
        self._made: dict[str, tuple[tuple[int, int], tuple[object, ...], Lines]] = {}
        self._fitted: dict[str, tuple[Lines, Scale, Frame, Fitted]] = {}
        self._longest = 0
        """Characters of the longest name at the end of a line."""

    def show_groups(self, groups: Sequence[Group], key: object) -> None:
        """Draw these, the last one on top; nothing is done where nothing happened to any, and `key` is the same."""
        seen = (key, *((group.number, group.version) for group in groups))
        if seen != self._seen_groups:
            self._seen_groups = seen
            self._groups = [group for group in groups if group.begun]
            self._longest = max((len(_label(group)) for group in self._groups), default=0)
            self.redraw_soon()

    @property
    def frame(self) -> Frame:
        """The same for all overlays of these presets, whatever is drawn of them."""
        return Frame.within(*self.size, self.labels, longest_name=self._longest)

    def next_loss(self) -> None:
        """Training and validation, one of them, the other."""
        self.loss = LOSSES[(LOSSES.index(self.loss) + 1) % len(LOSSES)]
        self.redraw()

    def draw(self, frame: Frame) -> list[list[GlyphRun]]:
        curves = [self._curves_of(group) for group in self._groups]
        if self._reads_on(curves, frame):
            self.redraw_soon()
        if frame != self._body_for or time.monotonic() >= self._draw_at:
            self._body = self._rows(curves, frame) if frame.height else []
            self._body_for = frame
            self._draw_at = time.monotonic() + DRAW_EVERY if self._lags else 0.0
        title = self._title()  # of what is drawn
        return [*([title] if frame.title else []), *self._body, *x_axis(frame, self.axis)]

    def _reads_on(self, curves: Sequence[GroupCurves], frame: Frame) -> bool:
        """Read what is new, for a moment, unless it is time to draw what is half read; whether there is more to do."""
        if self._lags and time.monotonic() >= self._draw_at:
            return True
        until, columns = time.thread_time() + READ_FOR, frame.width * DOTS[self.marks][0]
        drawn = {tells: tuple(self._drawn_of(tells).values()) for tells in (False, True)}
        self._lags = not all(each.catch_up(until, self.axis, columns, drawn[each.tells_steps]) for each in curves)
        if not self._lags:
            self._draw_at = 0.0
        return self._lags

    def _drawn_of(self, tells_steps: bool) -> dict[str, Drawn]:
        """What is drawn of a preset, by what it is there: its line, and a fainter one."""
        if self._series and self._series not in OF_STEPS:
            return {"line": Drawn("series", self._series)}
        if not self._series and not tells_steps:
            return {kind: Drawn("series", name) for kind, name in self._told.items()}
        if self.what == "lr" or self._series == "lr":
            return {"line": Drawn("lr")}
        if self._series or (self.what == "loss" and self.loss == "training"):
            return {"line": Drawn("loss")}
        if self.what == "accuracy":
            return {"line": Drawn("ends", "val_accuracy")}
        both = {"train": Drawn("loss")} if self.loss == "both" else {}
        return {"line": Drawn("ends", "val_loss"), **both}

    def _curves_of(self, group: Group) -> GroupCurves:
        known = self._curves.get(group.label)
        if known is None or known.group is not group:
            known = self._curves[group.label] = GroupCurves(group)
        return known

    @property
    def _series(self) -> str:
        """The series that is drawn, where it is another than accuracy, loss and LR."""
        return self.metric.name if self.what == "accuracy" and not self.metric.is_accuracy else ""

    @property
    def _told(self) -> dict[str, str]:
        """Of runs that tell no single steps the series that are drawn, by what each is: the line, and a fainter one."""
        if self.what == "lr":
            return {"line": "lr"}
        if self.what == "accuracy":
            return {"line": "val_accuracy"}
        of = {"training": {"line": "train_loss"}, "both": {"line": "val_loss", "train": "train_loss"}}
        return of.get(self.loss, {"line": "val_loss"})

    def _title(self) -> list[GlyphRun]:
        if self._series:
            return self._title_of_metric()
        scale = (2, [GlyphRun("log scale" if self.log_scale else "", "faint")])
        if self.what == "accuracy":
            parts = [(0, [GlyphRun("accuracy", "title")]), (1, [GlyphRun(f"validation  {LOWEST} highest", "faint")])]
            return fitted([*parts, scale], [], self.size.width)
        if self.what == "lr":
            return fitted([(0, [GlyphRun("lr", "title")]), scale], [], self.size.width)
        said = say(f"comparison.loss_{self.loss}")
        parts = [(0, [GlyphRun("loss", "title")]), (1, [GlyphRun(said, "faint")])]
        if self.loss != "training":
            parts.append((3, [GlyphRun(f"{LOWEST} lowest", "faint")]))
        return fitted([*parts, scale], [], self.size.width)

    def _title_of_metric(self) -> list[GlyphRun]:
        """Its name and unit, and what is marked."""
        drawn = [self._made[group.label][2] for group in self._groups if group.label in self._made]
        said = [plain(self.metric.unit), "smoothed" if self._series == "train_loss" else ""]
        if any(lines.best is not None for lines in drawn):
            said.append(f"{LOWEST} {self.metric.extreme}")
        if any(lines.unfit for lines in drawn):
            said.append(f"{NOT_FINITE} not finite")
        if self._is_log:
            said.append("log scale")
        parts = [(i + 1, [GlyphRun(text, "faint")]) for i, text in enumerate(filter(None, said))]
        return fitted([(0, [GlyphRun(narrow(self.metric.title()), "title")]), *parts], [], self.size.width)

    def _rows(self, curves: Sequence[GroupCurves], frame: Frame) -> list[list[GlyphRun]]:
        columns = frame.width * DOTS[self.marks][0]
        seen = self.axis.unit, self.axis.bounds, columns, self.loss, self.metric
        lines = [self._lines_of(each, seen, columns) for each in curves]
        scale = self._scale_for(lines, frame)
        fitted = [self._fit(each.group, made, scale, frame) for each, made in zip(curves, lines, strict=True)]
        drawn: dict[str, list[Span | None]] = {}
        styles: dict[str, str] = {}
        for number, style in enumerate(("band", "band", "train", "run")):
            for each, made in zip(curves, fitted, strict=True):
                for name, dots in made.curves[number]:
                    drawn[name], styles[name] = dots, f"{style}{each.group.colour}"
        self._canvas.draw(drawn, frame.width, frame.height)
        glyphs = [
            *chain.from_iterable(made.beyond for made in fitted),
            *chain.from_iterable(made.marks for made in fitted),
        ]
        rows = self._canvas.rows(self._cursor_line(frame), glyphs, styles)
        named: list[tuple[float, GlyphRun]] = []
        names = short_names([made.name for made in lines], frame.right)
        for each, made, name in zip(reversed(curves), reversed(fitted), reversed(names), strict=True):
            # the chosen preset lies on top, and its name is the last to go
            if made.ends_at is not None:
                named.append((made.ends_at, GlyphRun(name, f"run{each.group.colour}")))
        return beside(frame, rows, scale.ticks if curves else (), names=at_ends(named, frame.height))

    def _lines_of(self, each: GroupCurves, seen: tuple[object, ...], columns: int) -> Lines:
        """Line, band and marked points of one preset; as they were, where nothing happened to it."""
        versions, known = (each.group.version, each.version), self._made.get(each.group.label)
        if known is not None and known[0] == versions and known[1] == seen:
            return known[2]
        lines = self._one(each, columns)
        lines.name, lines.end = _label(each.group), self._end_of(each.group)
        if known is not None:
            lines.go_on_from(known[2])
        self._made[each.group.label] = versions, seen, lines
        return lines

    def _fit(self, group: Group, lines: Lines, scale: Scale, frame: Frame) -> Fitted:
        """What is drawn of it on this scale; as it was, where it is the same."""
        known = self._fitted.get(group.label)
        if known is not None and known[0] is lines and known[1] == scale and known[2] == frame:
            return known[3]
        across, up = DOTS[self.marks]

        def dots(kind: str, curves: Sequence[list[Extent | None]]) -> list[tuple[str, list[Span | None]]]:
            fit = scale, frame.height * up, frame.width * across
            return [
                (f"{kind} {number} {group.label}", lines.of(_dots_of, curve, *fit))
                for number, curve in enumerate(curves)
                if curve
            ]

        fitted = Fitted(
            (
                dots("band", [lines.band]),
                dots("beside", lines.beside),
                dots("train", [lines.train]),
                dots("line", [lines.line]),
            ),
            lines.of(self.beyond, lines.train or lines.line, scale, frame),
            self._marks(group, lines, scale, frame),
            _end_row(lines, scale, frame),
        )
        self._fitted[group.label] = lines, scale, frame, fitted
        return fitted

    def _end_of(self, group: Group) -> float | None:
        if not group.ended_early:
            return None
        return max(self.axis.timeline(run.history).place(run.history.steps) for run in group.begun)

    def _one(self, each: GroupCurves, columns: int) -> Lines:
        """Line, band and best epoch of one preset."""
        axis, drawn = self.axis, self._drawn_of(each.tells_steps)
        what = drawn["line"]
        if what.kind == "series":
            return self._of_metric(each, columns) if self._series else self._of_told(each, columns)
        if what.kind == "lr":
            beside = tuple(run.lr(axis.edges(run.history, columns)) for run in each.beside)
            return Lines(*each.curve(what, axis, columns), [], None, beside)
        if what.kind == "loss":
            beside = tuple(run.loss(axis.edges(run.history, columns)) for run in each.beside)
            return Lines(*each.curve(what, axis, columns), [], None, beside)
        mean = each.ends(what.name, axis, columns)
        best = max if self.what == "accuracy" else min
        lit = best(mean.points, key=lambda point: point[1]) if mean.points else None
        alone = [[point for point in run.ends(axis, what.name) if isfinite(point[1])] for run in each.beside]
        beside = tuple(along_points(points, axis, columns) for points in alone)
        if "train" in drawn:
            train, band = each.curve(drawn["train"], axis, columns)
            return Lines(mean.line, band, train, lit, beside)
        return Lines(mean.line, mean.band, [], lit, beside)

    def _of_told(self, each: GroupCurves, columns: int) -> Lines:
        """What runs that tell no single steps have logged of the same."""
        made = {kind: each.series(name, self.axis, columns) for kind, name in self._told.items()}
        line, band, points, _ = made["line"]
        best = None
        if points and self.what != "lr" and self.loss != "training":
            best = (max if self.what == "accuracy" else min)(points, key=lambda point: point[1])
        beside = each.alone(self._told["line"], self.axis, columns)
        return Lines(line, band, made["train"].line if "train" in made else [], best, beside)

    def _of_metric(self, each: GroupCurves, columns: int) -> Lines:
        """Line, band and best value of a series of one preset."""
        line, band, points, unfit = each.series(self._series, self.axis, columns)
        best = max(points, key=lambda point: point[1] * self.metric.sign) if points and self.metric.sign else None
        return Lines(line, band, [], best, each.alone(self._series, self.axis, columns), tuple(unfit))

    def _scale_for(self, every: Sequence[Lines], frame: Frame) -> Scale:
        """A scale for all, but for losses of runs that ended early far above those of all others."""
        most: float | None = None
        if self.what == "loss" and any(lines.end is not None for lines in every):
            calm = together(lines.range_by(range_of) for lines in every if lines.end is None)
            most = calm[1] * FAR_ABOVE if calm is not None else None

        def ranges(work: Callable[[Curve], Extent | None]) -> list[Extent | None]:
            return [lines.range_by(work, most if lines.end is not None else None) for lines in every]

        extent = together(ranges(range_of))
        if extent is None:
            return linear(0.0, 1.0, frame.height, frame.left or 6)
        if self._series:
            scale = self.scale_by(
                f"metric {self._series}",
                ranges(without_spikes),
                _without_spikes(ranges),
                frame,
                can_be_log=extent[0] > 0,
            )
            self._is_log = scale.log
            return scale
        if self.what == "accuracy" and not self.log_scale:
            return self._accuracy_scale(extent, frame)
        if self.what == "lr":
            asking = ranges(_without_what_annealed)
            return self.scale_by("lr", asking, _whole(ranges), frame, left_out=ANNEALED)
        held = _without_spikes(ranges) if self.what == "loss" else _whole(ranges)
        return self.scale_by(self.what, ranges(without_spikes), held, frame)

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

    def _marks(self, group: Group, lines: Lines, scale: Scale, frame: Frame) -> list[Glyph]:
        """The best epoch, and a cross where a preset's line ends early."""
        style = f"run{group.colour}"
        glyphs: list[Glyph] = []
        if lines.best is not None and (column := self.axis.column_at(lines.best[0], frame.width)) is not None:
            glyphs += self.glyph(column, lines.best[1], scale, frame, LOWEST, style)
        for place in lines.unfit:
            if (column := self.axis.column_at(place, frame.width)) is not None and frame.height:
                glyphs.append(Glyph(frame.height - 1, column, NOT_FINITE, "warning"))
        if lines.end is not None:
            longest = max((lines.train, lines.line), key=lambda extents: _end(extents)[0])
            at, value = _end(longest)
            if at >= 0 and self.axis.column_at(lines.end, frame.width) is not None:
                top = 10**scale.high if scale.log else scale.high
                glyphs += self.glyph(at * frame.width // len(longest), min(value, top), scale, frame, EARLY, style)
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
        frame = self.frame
        cell = event.x - (frame.left + 1 if frame.left else 0)
        if 0 <= cell < frame.width:
            self.axis.point_at(cell)


def _dots_of(curve: Sequence[Extent | None], scale: Scale, dots: int, columns: int) -> list[Span | None]:
    return hatched(spans(curve, scale, dots), columns)


Ranges: TypeAlias = Callable[[Callable[[Curve], Extent | None]], list[Extent | None]]
"""What some work finds of each preset."""


def _without_spikes(ranges: Ranges) -> Callable[[bool], Extent | None]:
    return lambda log: together(ranges(_without_spikes_in_powers if log else without_spikes))


def _whole(ranges: Ranges) -> Callable[[bool], Extent | None]:
    return lambda log: together(ranges(_above_zero if log else range_of))


def _without_spikes_in_powers(curve: Curve) -> Extent | None:
    return without_spikes(curve, log=True)


def _above_zero(curve: Curve) -> Extent | None:
    return range_of(curve, above=0.0)


def _without_what_annealed(curve: Curve) -> Extent | None:
    return without_the_lowest(curve, ANNEALED)


def _end_row(lines: Lines, scale: Scale, frame: Frame) -> float | None:
    """The row at which a line ends; None where none of it is in sight."""
    at, value = _end(lines.line)
    if at < 0:
        at, value = _end(lines.train)
    if at < 0 or not frame.height:
        return None
    height = min(1.0, max(0.0, scale.height(value)))
    return min(frame.height - 1.0, (1 - height) * frame.height)


def _label(group: Group) -> str:
    """What stands at the end of a preset's line."""
    return _name(group.label, group.ended_early)


@lru_cache(maxsize=1 << 14)
def _name(label: str, ended_early: bool) -> str:
    return f"{narrow(label)}{f' {EARLY}' if ended_early else ''}"


def _end(extents: Sequence[Extent | None]) -> tuple[int, float]:
    """The last column that holds a finite value, and that; a column before the first one where none does."""
    for column in range(len(extents) - 1, -1, -1):
        extent = extents[column]
        if extent is not None and isfinite(extent[1]):
            return column, extent[1]
    return -1, 0.0
