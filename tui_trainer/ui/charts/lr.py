"""The learning rate: as planned, as used, and where it turned."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from tui_trainer.plotting.canvas import Glyph, Run
from tui_trainer.plotting.curves import Columns, Extent, dotted, range_of, spans
from tui_trainer.plotting.figure import DOTS
from tui_trainer.plotting.pyramid import Pyramid
from tui_trainer.plotting.scales import Scale, compact
from tui_trainer.ui.charts.chart import Chart
from tui_trainer.ui.charts.frame import Frame, fitted, left_gutter, right_gutter, x_axis
from tui_trainer.ui.charts.plans import Planned

if TYPE_CHECKING:
    from tui_trainer.events import PlanMade
    from tui_trainer.runs.history import History

TURN = "●"


class LRChart(Chart):
    """The LR of a run over its plan, or a plan by itself."""

    labels = True

    _used: Used | None = None
    _planned: Planned | None = None
    _if_flat: Planned | None = None
    _note = ""

    def show(self, history: History) -> None:
        self._if_flat = None
        super().show(history)

    def show_plan(self, plan: PlanMade | None, *, batches_per_epoch: int = 0, if_flat: PlanMade | None = None) -> None:
        """A plan without a run; None says that it is on its way. `if_flat` is what would come of it if the loss
        stopped improving at once. Without `batches_per_epoch` the axis counts steps."""
        self._history, self._seen = None, -1
        self._planned = Planned([plan]) if plan is not None else None
        self._if_flat = Planned([if_flat]) if if_flat is not None else None
        self._note = plan.note if plan is not None else ""
        self.axis.plan(plan.last_step if plan is not None else 0, batches_per_epoch)
        self.redraw()

    def draw(self, frame: Frame) -> list[list[Run]]:
        history = self._history
        if history is not None:
            self.axis.update(history)
            if self._used is None or self._used.history is not history:
                self._used = Used(history)
            self._used.pyramid.catch_up()
            self._planned = Planned.kept(self._planned, history.plans)
            self._note = history.plans[-1].note if history.plans else ""
        else:
            self._used = None
        lines = [self._title(history)] if frame.title else []
        if not frame.height:
            return lines
        return lines + self._body(history, frame) + x_axis(frame, self.axis)

    def _body(self, history: History | None, frame: Frame) -> list[list[Run]]:
        edges = self.columns(frame)
        columns = len(edges) - 1
        curves: dict[str, list[Extent | None]] = {}
        if self._if_flat is not None:
            curves["flat"] = self._if_flat.over(edges)
        if self._planned is not None:
            curves["planned"] = self._planned.over(edges)
        if self._used is not None and history is not None and history.steps:
            curves["actual"] = self._used.columns.over(edges)
        scale = self._scale(list(curves.values()), frame)
        dots = frame.height * DOTS[self.marks][1]
        drawn = {name: spans(curve, scale, dots) for name, curve in curves.items()}
        for name in ("planned", "flat"):
            if name in drawn:
                drawn[name] = dotted(drawn[name])
        if not drawn:
            drawn["planned"] = [None] * columns
        self._canvas.draw(drawn, frame.width, frame.height)
        rows = self._canvas.rows(self._under(history, frame, bool(curves)), self._over(history, scale, frame))
        return [
            [*left_gutter(frame, scale.ticks if curves else (), row), *runs, *right_gutter(frame, None, row)]
            for row, runs in enumerate(rows)
        ]

    def _scale(self, curves: list[list[Extent | None]], frame: Frame) -> Scale:
        log = self.log_scale
        extent = range_of(*curves, above=0.0 if log else -inf)
        if extent is None:
            extent, log = (0.0, 1.0), False
        if not log:
            extent = min(0.0, extent[0]), extent[1] if extent[1] > min(0.0, extent[0]) else 1.0
        return self.scale("lr", extent, frame.height, log, frame.left or 6)

    def _under(self, history: History | None, frame: Frame, drawn: bool) -> list[Glyph]:
        glyphs: list[Glyph] = []
        if not drawn:
            words = "the plan is on its way"[: frame.width]
            start = (frame.width - len(words)) // 2
            glyphs += [Glyph(frame.height // 2, start + i, letter, "faint") for i, letter in enumerate(words)]
        if history is not None:
            for switch in history.switches:
                glyphs += self.upright(switch.step - 1, frame, "switch")
        if self.axis.cursor is not None:
            glyphs += self.upright(self.axis.cursor, frame, "cursor", "│")
        return glyphs

    def _over(self, history: History | None, scale: Scale, frame: Frame) -> list[Glyph]:
        if history is None:
            return []
        return [
            glyph
            for change in history.lr_changes
            for glyph in self.point(change.step, change.old, scale, frame, TURN, "mark")
        ]

    def _title(self, history: History | None) -> list[Run]:
        parts: list[tuple[int, list[Run]]] = [(0, [Run("lr", "title")])]
        cursor = self.axis.cursor
        if cursor is not None:
            used = history.lrs[cursor - 1] if history is not None and cursor <= history.steps else None
            planned = self._planned.at(cursor) if self._planned is not None else None
            if used is not None:
                parts.append((0, [Run(f"{compact(used)} at step {cursor}", "actual")]))
            elif planned is not None:
                parts.append((0, [Run(f"step {cursor}", "cursor")]))
            if planned is not None:
                parts.append((1, [Run(f"{compact(planned)} planned", "faint")]))
        elif history is not None and history.steps:
            parts.append((0, [Run(f"{compact(history.lrs[-1]):<6} now", "actual")]))
        if self._note:
            parts.append((2, [Run(f"planned: {self._note}", "faint")]))
        elif self._planned is not None and cursor is None:
            parts.append((2, [Run(self._planned.words, "faint")]))
        return fitted(parts, [], self.size.width)


class Used:
    """The LR of one history, prepared for drawing as it comes."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.pyramid = Pyramid(history.lrs)
        self.columns = Columns(self.pyramid, held=True)
