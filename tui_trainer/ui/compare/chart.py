"""One overlay of a comparison: every preset's curve in its colour, with its name at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Literal, TypeAlias

from rich.style import Style
from textual import events

from tui_trainer.compare.metric import ACCURACY
from tui_trainer.plotting.canvas import Glyph, GlyphRun
from tui_trainer.plotting.curves import Extent, Span, hatched, range_of, spans
from tui_trainer.plotting.figure import DOTS, Marks
from tui_trainer.plotting.ranges import without_spikes, without_the_lowest
from tui_trainer.plotting.scales import Scale, linear
from tui_trainer.records.series import OF_STEPS
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
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
from tui_trainer.ui.compare.highest import Highest
from tui_trainer.ui.compare.laid_curves import LaidCurves
from tui_trainer.ui.compare.lines import Curve, Fitted, Lines
from tui_trainer.ui.compare.ranges import NotYet, Ranges, Work

if TYPE_CHECKING:
    from tui_trainer.compare.comparison import Group

What: TypeAlias = Literal["loss", "accuracy", "lr"]
Loss: TypeAlias = Literal["both", "validation", "training"]


LOSSES: tuple[Loss, ...] = ("both", "validation", "training")
DRAW_EVERY = 0.4
"""Seconds from one drawing to the next of curves that are half read."""

FAR_ABOVE = 2.0
"""Losses of a run that ended early more than so many times above all others have no place on the scale."""

READ_FOR = 0.003
"""Seconds of the screen's own time after which one chart leaves the rest to its next frame: keys are answered between
the two."""


class Overlay(Chart[CompareAxis]):
    """Loss, accuracy or LR of all presets that are not hidden, the chosen one on top."""

    def __init__(self, what: What, axis: CompareAxis, *, id: str | None = None) -> None:
        super().__init__(axis, id=id)
        self.what = what
        self.metric = ACCURACY
        """By what the presets are compared: the chart of accuracy is one of it."""
        self.loss: Loss = "both"
        self._groups: Sequence[Group] = ()
        self._chosen = 0
        """The number of the one whose curves lie on top."""
        self._key: object = None
        self._curves: dict[Group, GroupCurves] = {}
        self._waiting: dict[Group, None] = {}
        """Those whose lines are to be made: of what happened to them, something may be still to be read."""
        self._made_for: tuple[object, ...] = ()
        """What is seen of the lines."""
        self._lines: dict[Group, Lines] = {}
        self._ranges = Ranges()
        self._laid = LaidCurves()
        self._unfit: dict[Group, None] = {}
        """Those whose lines are to be put on the scale."""
        self._fit_for: tuple[Scale, Frame, Marks] | None = None
        self._longest: Highest[Group] = Highest()
        """Characters of the longest name at the end of a line."""
        self._is_log = False
        """Whether the chart of a metric is drawn on a log scale: where all of it is above zero."""
        self._lags = False
        """Whether there is something that was not read or drawn yet."""
        self._draw_at = 0.0
        self._shown_below: tuple[list[list[GlyphRun]], list[list[GlyphRun]]] = [], []
        """The curves as they were drawn last, and the axis under them."""
        self._kept_scale: tuple[int, Scale] | None = None

    def show_groups(
        self, groups: Sequence[Group], chosen: int, key: object, fresh: Iterable[Group] | None = None
    ) -> None:
        """Draw these, that of the number `chosen` on top.

        Args:
            groups: all of them, in their order; the same object where they are the same.
            chosen: the number of the one under the cursor.
            key: what else the drawing follows from.
            fresh: those to which something happened since the last time; None: to any of them.
        """
        others = groups is not self._groups and [*groups] != [*self._groups]
        fresh = {*(groups if fresh is None else fresh)}
        if others:
            drawn = {*groups}
            for group in [group for group in self._curves if group not in drawn]:
                self._leave_out(group)
            new = [group for group in groups if group not in self._curves]
            self._curves.update((group, GroupCurves(group)) for group in new)
            fresh.update(new)
            self._groups = groups
            self._laid.put_in_order(groups)
        fresh &= self._curves.keys()
        for group in fresh:
            self._waiting[group] = None
            self._longest.put(group, len(_label(group)))
        if others or fresh or (chosen, key) != (self._chosen, self._key):
            self._chosen, self._key = chosen, key
            self._laid.choose(chosen)
            self.redraw_soon()

    def _leave_out(self, group: Group) -> None:
        """One that is drawn no more."""
        for known in (self._curves, self._waiting, self._lines, self._unfit):
            known.pop(group, None)
        self._ranges.leave_out(group)
        self._longest.leave_out(group)

    @property
    def frame(self) -> Frame:
        """The same for all overlays of these presets, whatever is drawn of them."""
        return Frame.within(*self.size, self.labels, longest_name=int(self._longest.value))

    def next_loss(self) -> None:
        """Training and validation, one of them, the other."""
        self.loss = LOSSES[(LOSSES.index(self.loss) + 1) % len(LOSSES)]
        self.redraw()

    def draw(self, frame: Frame) -> list[list[GlyphRun]]:
        body, below = self._shown_below
        try:
            body = self._drawn_curves(frame, time.thread_time() + READ_FOR) if frame.height else []
            below = x_axis(frame, self.axis)
            self._shown_below = body, below
        except NotYet:
            self._lags = True
            self.redraw_in_turn()
            if len(body) != frame.height:
                body, below = [[] for _ in range(frame.height)], x_axis(frame, self.axis)
        title = self._title()  # of what is drawn
        return [*([title] if frame.title else []), *body, *below]

    def _drawn_curves(self, frame: Frame, until: float) -> list[list[GlyphRun]]:
        """The curves, of which a frame does so much as it can until this thread has computed so long.

        Raises:
            NotYet: that was not all, and what was drawn before still stands.
        """
        columns = frame.width * DOTS[self.marks][0]
        made_for = self.axis.unit, self.axis.bounds, columns, self.loss, self.metric
        if made_for != self._made_for:
            self._draw_at = time.monotonic() + DRAW_EVERY if self._lines else 0.0
            self._made_for = made_for
            self._lines.clear()
            self._unfit.clear()
            self._ranges = Ranges()
            self._waiting = dict.fromkeys(self._groups)
        works = bool(self._unfit) or (bool(self._waiting) and not self._is_due)
        reads_on = self._reads_on(until, columns)
        scale = self._scale_for(frame, until)
        if self._fit_for != (scale, frame, self.marks):
            self._fit_for = scale, frame, self.marks
            self._unfit = dict.fromkeys(self._lines)
        for group in [*self._unfit]:
            self._laid.put(group, self._lines[group], self._fit(group, scale, frame))
            del self._unfit[group]
            if self._unfit and time.thread_time() >= until:
                raise NotYet
        self._laid.keep(self._lines)
        if works and time.thread_time() >= until:
            raise NotYet
        if not self._laid.draw(self._canvas, frame, until):
            raise NotYet
        rows = self._canvas.rows(self._cursor_line(frame), self._laid.glyphs, self._laid.styles)
        names = at_ends(self._laid.names(frame), frame.height, self._laid.ending)
        self._lags = reads_on
        self._draw_at = time.monotonic() + DRAW_EVERY if reads_on else 0.0
        if reads_on:
            self.redraw_in_turn()
        return beside(frame, rows, scale.ticks if self._groups else (), names=names)

    @property
    def _is_due(self) -> bool:
        """Whether it is time to draw what is half read."""
        return self._lags and time.monotonic() >= self._draw_at

    def _reads_on(self, until: float, columns: int) -> bool:
        """Read what is new, and make lines of it; whether there is more to read, and it is time to draw what there is.

        Raises:
            NotYet: there is more to read, and it is not.
        """
        if not self._waiting or self._is_due:
            return bool(self._waiting)
        drawn = {tells: tuple(self._drawn_of(tells).values()) for tells in (False, True)}
        for group in [*self._waiting]:
            curves = self._curves[group]
            is_whole = curves.catch_up(until, self.axis, columns, drawn[curves.tells_steps])
            self._make_lines(curves, columns)
            if is_whole:
                del self._waiting[group]
            if self._waiting and (not is_whole or time.thread_time() >= until):
                break
        if self._waiting and time.monotonic() < self._draw_at:
            raise NotYet
        return bool(self._waiting)

    def _make_lines(self, curves: GroupCurves, columns: int) -> None:
        """Line, band and marked points of one preset, as far as they were read."""
        group = curves.group
        lines, known = self._one(curves, columns), self._lines.get(group)
        lines.name, lines.end = _label(group), self._end_of(group)
        if known is not None:
            lines.go_on_from(known)
        self._lines[group], self._unfit[group] = lines, None
        self._ranges.put(group, lines)

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
        drawn = self._lines.values()
        said = [plain(self.metric.unit), "smoothed" if self._series == "train_loss" else ""]
        if any(lines.best is not None for lines in drawn):
            said.append(f"{LOWEST} {self.metric.extreme}")
        if any(lines.unfit for lines in drawn):
            said.append(f"{NOT_FINITE} not finite")
        if self._is_log:
            said.append("log scale")
        parts = [(i + 1, [GlyphRun(text, "faint")]) for i, text in enumerate(filter(None, said))]
        return fitted([(0, [GlyphRun(narrow(self.metric.title()), "title")]), *parts], [], self.size.width)

    def _fit(self, group: Group, scale: Scale, frame: Frame) -> Fitted:
        """What is drawn of it on this scale."""
        lines, (across, up) = self._lines[group], DOTS[self.marks]

        def dots(kind: str, curves: Sequence[list[Extent | None]]) -> list[tuple[str, list[Span | None]]]:
            fit = scale, frame.height * up, frame.width * across
            return [
                (f"{kind} {number} {group.label}", lines.of(_dots_of, curve, *fit))
                for number, curve in enumerate(curves)
                if curve
            ]

        return Fitted(
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

    def _scale_for(self, frame: Frame, until: float) -> Scale:
        """A scale for all, but for losses of runs that ended early far above those of all others.

        Raises:
            NotYet: this thread has computed until then.
        """
        most: float | None = None
        if self.what == "loss" and self._ranges.any_early:
            calm = self._ranges.together(range_of, until, calm=True)
            most = calm[1] * FAR_ABOVE if calm is not None else None

        def range_by(work: Work) -> Extent | None:
            return self._ranges.together(work, until, most=most)

        extent = range_by(range_of)
        if extent is None:
            return linear(0.0, 1.0, frame.height, frame.left or 6)
        if self._series:
            scale = self.scale_by(
                f"metric {self._series}",
                [range_by(without_spikes)],
                _without_spikes(range_by),
                frame,
                can_be_log=extent[0] > 0,
            )
            self._is_log = scale.log
            return scale
        if self.what == "accuracy" and not self.log_scale:
            return self._accuracy_scale(extent, frame)
        if self.what == "lr":
            asking = [range_by(_without_what_annealed)]
            return self.scale_by("lr", asking, _whole(range_by), frame, left_out=ANNEALED)
        held = _without_spikes(range_by) if self.what == "loss" else _whole(range_by)
        return self.scale_by(self.what, [range_by(without_spikes)], held, frame)

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


RangeBy: TypeAlias = Callable[[Work], Extent | None]
"""What some work finds of all presets together."""


def _without_spikes(range_by: RangeBy) -> Callable[[bool], Extent | None]:
    return lambda log: range_by(_without_spikes_in_powers if log else without_spikes)


def _whole(range_by: RangeBy) -> Callable[[bool], Extent | None]:
    return lambda log: range_by(_above_zero if log else range_of)


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
