"""The learning rate: as planned, as used, and where it turned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui_trainer.events import MOMENTUM
from tui_trainer.plotting.canvas import Glyph, GlyphRun
from tui_trainer.plotting.curves import Extent, Span, range_of
from tui_trainer.plotting.figure import DOTS, Marks
from tui_trainer.plotting.scales import Scale
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.chart import TURN, Frame, beside, x_axis
from tui_trainer.ui.charts.chart_data import PlannedCurves
from tui_trainer.ui.charts.logged_lrs import ANNEALED, MOMENTUM_SIGN, SIGNS
from tui_trainer.ui.charts.lr_curves import LRCurves
from tui_trainer.ui.charts.run_chart import AT_ONCE, MouseChart
from tui_trainer.ui.charts.titles import Entry, lr_title, why_at

if TYPE_CHECKING:
    from tui_trainer.events import PlanMade
    from tui_trainer.records.history import History
    from tui_trainer.ui.charts.momentum import MomentumCurve, PlannedMomentum


LEAST_OF_MOMENTUM = 0.02
"""The axis of the momentum is no shorter: one that hardly moves is to look so."""

COLUMNS_A_POINT = 4
"""Points that mark changes of the LR stand at least so far apart: with one at every epoch they would hide the curve."""


class LRChart(MouseChart):
    """The LR of a run over its plan, or a plan by itself."""

    labels = True

    _if_flat: PlannedCurves | None = None
    _momentum: MomentumCurve | PlannedMomentum | None = None
    _plan: PlanMade | None = None
    _momentum_called = MOMENTUM
    shows_momentum = False
    """Whether a momentum that moves is drawn over the LR, on an axis of its own at the right."""

    def __init__(self, axis: XAxis, *, marks: Marks | None = None, id: str | None = None) -> None:
        super().__init__(axis, marks=marks, id=id)
        self._curves = LRCurves()

    def show(self, history: History) -> None:
        self._if_flat = None
        super().show(history)

    def show_plan(
        self,
        plan: PlanMade | None,
        *,
        batches_per_epoch: int = 0,
        if_flat: PlanMade | None = None,
        momentum_called: str = MOMENTUM,
    ) -> None:
        """A plan without a run; None says that it is on its way. `if_flat` is what would come of it if what
        it watches stopped getting better at once. Without `batches_per_epoch` the axis counts steps."""
        self._history, self._seen = None, -1
        self._plan, self._momentum_called = plan, momentum_called
        if self._curves.history is not None:
            self._curves = LRCurves()
        self._curves.plan([plan] if plan is not None else [])
        self._if_flat = PlannedCurves([if_flat]) if if_flat is not None else None
        self.axis.plan(plan.last_step if plan is not None else 0, batches_per_epoch)
        self.redraw()

    def draw(self, frame: Frame) -> list[list[GlyphRun]]:
        history = self._history
        if history is None:
            self._read_planned_momentum()
        else:
            self.axis.update(history)
            if self._curves.history is not history:
                self._curves = LRCurves(history)
            if not self._curves.catch_up(AT_ONCE):
                self.call_later(self.redraw)
            self._read_momentum(history)
        body = self._rows(history, frame) if frame.height else []
        title = self._title(history)  # the scale is chosen
        marks = self.along_axis(history, frame) if history is not None and frame.line else None
        return [*([title] if frame.title else []), *body, *x_axis(frame, self.axis, marks, badge=history is not None)]

    def _read_momentum(self, history: History) -> None:
        if not self.shows_momentum:
            self._momentum = None
            return
        from tui_trainer.ui.charts.momentum import MomentumCurve  # few look at it

        curve = self._momentum
        if not isinstance(curve, MomentumCurve) or curve.history is not history:
            curve = self._momentum = MomentumCurve(history)
        if not curve.catch_up(AT_ONCE):
            self.call_later(self.redraw)

    def _read_planned_momentum(self) -> None:
        plan, called = self._plan, self._momentum_called
        if not self.shows_momentum or plan is None or plan.momentum is None:
            self._momentum = None
            return
        from tui_trainer.ui.charts.momentum import PlannedMomentum

        curve = self._momentum
        if not isinstance(curve, PlannedMomentum) or curve.plan is not plan or curve.called != called:
            self._momentum = PlannedMomentum(plan, called)

    def _title(self, history: History | None) -> list[GlyphRun]:
        axis, width = self.axis, self.size.width
        why = why_at(history, axis.cursor, axis.at_cursor) if history is not None else None
        others = self._legend(axis.cursor)
        if self._momentum is not None and (momentum := self._momentum.legend(axis.cursor)) is not None:
            others.append(momentum)
        return lr_title(history, self._curves.planned, self._if_flat, axis.cursor, width, why, self.log_scale, others)

    def _legend(self, cursor: int | None) -> list[Entry]:
        """The LRs of groups: as they were told, and where they were not, as they are planned."""
        logged = self._curves.logged
        told = logged.legend(cursor) if logged is not None else []
        steps = self._history.steps if self._history is not None else 0
        if cursor is not None and cursor > steps:
            told = []
        legend = {entry.style: entry for entry in told}
        for style, label, curve in self._curves.groups():
            if style not in legend and (lr := curve.at(cursor or steps + 1)) is not None:
                legend[style] = Entry(SIGNS[int(style[-1])], f"lr {plain(label)}", lr, style)
        return [legend[style] for style in sorted(legend)]

    def _rows(self, history: History | None, frame: Frame) -> list[list[GlyphRun]]:
        edges = self.columns(frame)
        extents = self._curves.over(edges)
        others = {name: extent for name, extent in extents.items() if name.startswith("series")}
        if self._if_flat is not None:
            extents = {"flat": self._if_flat.over(edges), **extents}
        asked = self._curves.asked(self.axis)
        scale = self.scale_of("lr", list(extents.values()), frame, asked=asked, left_out=ANNEALED, clips=False)
        dots = frame.height * DOTS[self.marks][1]
        curves = {name: self.spans(extent, scale, dots) for name, extent in extents.items()}
        if "planned" in curves and "actual" in curves:
            curves["planned"] = _apart(curves["planned"], curves["actual"])
        momentum = self._momentum.over(self.columns(frame)) if self._momentum is not None else []
        right = self._momentum_scale(momentum, frame)
        if right is not None:
            curves = {"momentum": self.spans(momentum, right, dots), **curves}
        self._canvas.draw(curves, frame.width, frame.height)
        if history is None:
            under, over = self.cursor_line(frame), []
        else:
            under, over = self.landmarks(history, frame), self._turns(history, scale, frame)
        for drawn in extents.values():
            over += self.beyond(drawn, scale, frame)
        over += self._signs(others, scale, frame)
        if right is not None:
            over += self._sign_at_end("momentum", momentum, right, frame, MOMENTUM_SIGN)
        if not extents:
            under += _words(_why_empty(history), frame)
        rows = self._canvas.rows(under, over)
        axis = right.ticks if right is not None else None
        return beside(frame, rows, scale.ticks if extents else (), axis, right_style="momentum")

    def _momentum_scale(self, extents: list[Extent | None], frame: Frame) -> Scale | None:
        extent = range_of(extents)
        if extent is None:
            return None
        low, high = min(extent[0], extent[1] - LEAST_OF_MOMENTUM), extent[1]
        return self.scale("momentum", (low, high), frame.height, False, frame.right or 5)

    def _signs(self, others: Mapping[str, list[Extent | None]], scale: Scale, frame: Frame) -> list[Glyph]:
        """At the end of each further LR its sign, which tells it without its colour."""
        signs = {entry.style: entry.sign for entry in self._legend(None)}
        glyphs: list[Glyph] = []
        for style, extents in others.items():
            glyphs += self._sign_at_end(style, extents, scale, frame, signs.get(style, ""))
        return glyphs

    def _sign_at_end(
        self, style: str, extents: Sequence[Extent | None], scale: Scale, frame: Frame, sign: str
    ) -> list[Glyph]:
        ends = [column for column, extent in enumerate(extents) if extent is not None]
        if not ends or (extent := extents[ends[-1]]) is None:
            return []
        return self.glyph(ends[-1] * frame.width // len(extents), extent[1], scale, frame, sign, style)

    def _turns(self, history: History, scale: Scale, frame: Frame) -> list[Glyph]:
        """A point at the last step with the old LR for every change of it; where they would touch, for some of them."""
        glyphs: list[Glyph] = []
        for change in history.lr_changes:
            point = self.point(change.step, change.old, scale, frame, TURN, "mark")
            if point and (not glyphs or point[0].column - glyphs[-1].column >= COLUMNS_A_POINT):
                glyphs += point
        return glyphs


def _apart(plan: list[Span | None], used: list[Span | None]) -> list[Span | None]:
    """The plan where it is not what was used, and would be hidden anyway."""
    return [None if planned == lit else planned for planned, lit in zip(plan, used, strict=True)]


def _why_empty(history: History | None) -> str:
    if history is None:
        return say("chart.plan_is_made")
    if history.last_step:
        return say("chart.lr_untold")
    return say("chart.no_plan_yet" if history.ended is None else "chart.no_lr")


def _words(text: str, frame: Frame) -> list[Glyph]:
    text = text[: frame.width]
    start = (frame.width - len(text)) // 2
    return [Glyph(frame.height // 2, start + i, letter, "faint") for i, letter in enumerate(text)]
