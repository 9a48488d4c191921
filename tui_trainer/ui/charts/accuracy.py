"""The accuracy of validation in a chart of its own between loss and LR, where a wide terminal has room for it."""

from __future__ import annotations

from bisect import bisect_right
from math import inf, isfinite
from typing import TYPE_CHECKING

from tui_trainer.plotting.canvas import Glyph, GlyphRun
from tui_trainer.plotting.curves import Extent, range_of, spans
from tui_trainer.plotting.figure import DOTS
from tui_trainer.plotting.scales import Scale
from tui_trainer.text.captions import say
from tui_trainer.ui.charts.chart import LAST, LOWEST, Frame, beside, fitted, labelled_up_to_1, x_axis
from tui_trainer.ui.charts.chart_data import at_epoch_ends
from tui_trainer.ui.charts.run_chart import MouseChart

if TYPE_CHECKING:
    from tui_trainer.events import EpochEnded
    from tui_trainer.records.history import History

LEAST_SPREAD = 0.02
"""How far the ends of the scale are apart at least: one image more is no cliff."""


class AccuracyChart(MouseChart):
    """Validation accuracy by epoch, the best one marked; that in training as a dotted line, where it lies so high."""

    labels = False
    _body: tuple[tuple[object, ...], list[list[GlyphRun]]] = (), []
    """The curves of the last frame, and what they were drawn for: they stay for most of an epoch."""

    def draw(self, frame: Frame) -> list[list[GlyphRun]]:
        history = self._history
        if history is None:
            return []
        self.axis.update(history)
        title = self._title(history)
        axis = self.axis
        ended = len(history.epochs), history.epochs[-1:], history.best, len(history.lr_changes), len(history.switches)
        drawn_for = (history, *ended, axis.bounds, axis.unit, axis.cursor, frame, self.marks, self.log_scale)
        if drawn_for != self._body[0]:
            self._body = drawn_for, self._curves(history, frame) if frame.height else []
        return [*([title] if frame.title else []), *self._body[1], *x_axis(frame, axis)]

    def _curves(self, history: History, frame: Frame) -> list[list[GlyphRun]]:
        across, up = DOTS[self.marks]
        columns, dots = frame.width * across, frame.height * up
        val = at_epoch_ends(history, self.axis, columns, lambda epoch: epoch.val_accuracy)
        train = at_epoch_ends(history, self.axis, columns, lambda epoch: epoch.train_accuracy)
        scale = self._scale(range_of(val, above=0.0 if self.log_scale else -inf), frame)
        inside = [extent if extent is None or 0 <= scale.height(extent[0]) <= 1 else None for extent in train]
        curves = {"train": spans(inside, scale, dots), "line": spans(val, scale, dots)}
        self._canvas.draw(curves, frame.width, frame.height)
        over: list[Glyph] = []
        for epoch, mark, style in ((history.epochs[-1:], LAST, "mark"), ([history.best], LOWEST, "best")):
            if epoch and epoch[0] is not None and isfinite(epoch[0].val_accuracy):
                over += self.point(epoch[0].step, epoch[0].val_accuracy, scale, frame, mark, style)
        over += self.beyond(val, scale, frame)
        rows = self._canvas.rows(self.landmarks(history, frame), over, {"train": "faint", "line": "accuracy"})
        return beside(frame, rows, scale.ticks)

    def _scale(self, extent: Extent | None, frame: Frame) -> Scale:
        low, high = extent or (0.0, 1.0)
        low, high = min(low, high - LEAST_SPREAD), max(high, min(1.0, high + LEAST_SPREAD))
        log = self.log_scale and low > 0
        return labelled_up_to_1(self.scale("accuracy", (low, high), frame.height, log, frame.left or 6), frame)

    def _title(self, history: History) -> list[GlyphRun]:
        """`accuracy  ◆ val 0.9790  epoch 5, highest  train 0.9912`, at the cursor, else now."""
        parts = [(0, [GlyphRun("accuracy", "title")])]
        ended = self._epoch_shown(history)
        if ended is not None:
            best = history.best
            highest = best is not None and best.epoch == ended.epoch and history.health.beats_guessing(best)
            mark = LOWEST if highest else LAST if ended is history.epochs[-1] else " "
            parts.append((0, [GlyphRun(f"{mark} val {ended.val_accuracy:.4f}", "accuracy")]))
            words = say("chart.highest") if highest else ""
            parts.append((2, [GlyphRun(f"epoch {ended.epoch}{words}", "faint")]))
            if isfinite(ended.train_accuracy):
                parts.append((3, [GlyphRun(f"train {ended.train_accuracy:.4f}", "faint")]))
        parts.append((2, [GlyphRun("log scale" if self.log_scale else "", "faint")]))
        return fitted(parts, [], self.size.width)

    def _epoch_shown(self, history: History) -> EpochEnded | None:
        """The last epoch with an accuracy before the cursor, else of all."""
        cursor = self.axis.cursor
        stop = len(history.epochs)
        if cursor is not None:
            stop = bisect_right(history.epochs, cursor, key=lambda epoch: epoch.step)
        last = history.epochs[stop - 1] if stop else None
        return last if last is not None and isfinite(last.val_accuracy) else None
