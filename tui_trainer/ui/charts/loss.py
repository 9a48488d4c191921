"""The loss: every batch faint, smoothed over it, validation as points, and the accuracy behind."""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING

from tui_trainer.plotting.canvas import Glyph, Run
from tui_trainer.plotting.curves import Columns, Extent, range_of, sampled, spans
from tui_trainer.plotting.figure import DOTS
from tui_trainer.plotting.pyramid import Pyramid
from tui_trainer.plotting.scales import Scale, compact
from tui_trainer.plotting.smoothing import WINDOWS, Smoothing
from tui_trainer.ui.charts.chart import Chart
from tui_trainer.ui.charts.frame import Frame, fitted, left_gutter, right_gutter, x_axis

if TYPE_CHECKING:
    from tui_trainer.events import EpochEnded
    from tui_trainer.runs.history import History

VAL = "◆"
NOT_FINITE = "×"
BELOW = "▾"


class LossChart(Chart):
    """Training loss, validation loss and accuracy of a run."""

    _series: Series | None = None

    @property
    def window(self) -> int:
        """How many batches the smoothed loss reaches back; 1 smooths nothing."""
        return self._series.smoothing.window if self._series else self._window

    @window.setter
    def window(self, window: int) -> None:
        self._window = window
        if self._series is not None:
            self._series.smoothing.window = window
        self.redraw()

    _window = 20

    def smooth_more(self) -> None:
        """The next longer window."""
        self.window = next((window for window in WINDOWS if window > self.window), WINDOWS[-1])

    def smooth_less(self) -> None:
        """The next shorter window."""
        self.window = next((window for window in reversed(WINDOWS) if window < self.window), WINDOWS[0])

    def draw(self, frame: Frame) -> list[list[Run]]:
        history = self._history
        if history is None:
            return _empty(frame, self)
        self.axis.update(history)
        if self._series is None or self._series.history is not history:
            self._series = Series(history, self._window)
        if not self._series.catch_up():
            self.call_later(self.redraw)
        lines = [self._title(history)] if frame.title else []
        if not frame.height:
            return lines
        if not history.steps:
            return lines + _empty(frame, self, "no batch yet")[bool(frame.title) :]
        return lines + self._body(history, self._series, frame) + x_axis(frame, self.axis)

    def _body(self, history: History, series: Series, frame: Frame) -> list[list[Run]]:
        edges = self.columns(frame)
        raw, smooth = series.raw.over(edges), sampled(series.smoothing.values, edges)
        seen = _epochs_in_sight(history, edges)
        points: list[Extent | None] = [(epoch.val_loss, epoch.val_loss) for epoch in seen]
        scale, accuracy = self._scale(raw, smooth, points, frame), self._accuracy_scale(seen, frame)
        dots = frame.height * DOTS[self.marks][1]
        curves = {"raw": spans(raw, scale, dots)}
        if accuracy is not None:
            curves["accuracy"] = spans(self._accuracies(history, frame), accuracy, dots)
        curves["smooth"] = spans(smooth, scale, dots)
        self._canvas.draw(curves, frame.width, frame.height)
        rows = self._canvas.rows(self._under(history, frame), self._over(history, seen, scale, frame, edges))
        ticks = accuracy.ticks if accuracy is not None else None
        return [
            [*left_gutter(frame, scale.ticks, row), *runs, *right_gutter(frame, ticks, row)]
            for row, runs in enumerate(rows)
        ]

    def _scale(
        self, raw: list[Extent | None], smooth: list[Extent | None], points: list[Extent | None], frame: Frame
    ) -> Scale:
        log = self.log_scale
        extent = range_of(raw, smooth, points, above=0.0 if log else -inf)
        if extent is None:  # nothing finite, or nothing above zero, is in sight
            extent, log = (0.0, 1.0), False
        return self.scale("loss", extent, frame.height, log, frame.left or 6)

    def _accuracy_scale(self, seen: list[EpochEnded], frame: Frame) -> Scale | None:
        extent = range_of([(epoch.val_accuracy, epoch.val_accuracy) for epoch in seen])
        if not frame.right or extent is None:
            return None
        low = min(extent[0], extent[1] - 0.02)
        return self.scale(
            "accuracy", (low, max(extent[1], min(1.0, extent[1] + 0.02))), frame.height, False, frame.right
        )

    def _accuracies(self, history: History, frame: Frame) -> list[Extent | None]:
        columns = frame.width * DOTS[self.marks][0]
        extents: list[Extent | None] = [None] * columns
        for epoch in history.epochs:
            column = self.axis.column_of(epoch.step, columns)
            if column is not None and isfinite(epoch.val_accuracy):
                extents[column] = (epoch.val_accuracy, epoch.val_accuracy)
        return extents

    def _under(self, history: History, frame: Frame) -> list[Glyph]:
        glyphs: list[Glyph] = []
        for switch in history.switches:
            glyphs += self.upright(switch.step - 1, frame, "switch")
            column = self.axis.column_of(switch.step - 1, frame.width)
            if column is not None:
                name = f" {switch.recipe.preset}"
                glyphs += [Glyph(0, column + 1 + i, letter, "switch") for i, letter in enumerate(name)]
        if self.axis.cursor is not None:
            glyphs += self.upright(self.axis.cursor, frame, "cursor", "│")
        return glyphs

    def _over(
        self, history: History, seen: list[EpochEnded], scale: Scale, frame: Frame, edges: list[int]
    ) -> list[Glyph]:
        glyphs: list[Glyph] = []
        best = history.lowest
        for epoch in seen:
            style = "best" if best is not None and epoch.epoch == best.epoch else "val"
            if isfinite(epoch.val_loss):
                glyphs += self.point(epoch.step, epoch.val_loss, scale, frame, VAL, style)
        assert self._series is not None
        across = DOTS[self.marks][0]
        pyramid = self._series.pyramid
        if pyramid.gaps(edges[0], edges[-1]):
            for cell in range(frame.width):
                if pyramid.gaps(edges[cell * across], edges[(cell + 1) * across]):
                    glyphs.append(Glyph(0, cell, NOT_FINITE if self.marks != "ascii" else "x", "warning"))
        if scale.log:
            for i, extent in enumerate(self._series.raw.over(edges)):
                if extent is not None and extent[0] <= 0:
                    mark = BELOW if self.marks != "ascii" else "v"
                    glyphs.append(Glyph(frame.height - 1, i // across, mark, "warning"))
        return glyphs

    def _title(self, history: History) -> list[Run]:
        cursor = self.axis.cursor
        step = min(cursor, history.steps) if cursor is not None else history.steps
        parts: list[tuple[int, list[Run]]] = [(0, [Run("loss", "title")])]
        right: list[Run] = []
        assert self._series is not None
        smoothed = self._series.smoothing.values
        if cursor is not None:
            parts.append((0, [Run(f"step {cursor}", "cursor")]))
        if (step and cursor is None) or (cursor is not None and cursor <= history.steps):
            value = smoothed[step - 1] if step <= len(smoothed) else float("nan")
            train = [Run(f"train {compact(value):<6}", "smooth")]
            if cursor is not None:
                train = [Run(f"train {compact(history.losses[step - 1]):<6}", "val"), Run(" ")]
                train += [Run(f"smoothed {compact(value):<6}", "smooth")]
            parts.append((1, train))
            if cursor is None:
                parts.append((3, [Run(f"smoothed over {self.window}", "faint")]))
        ended = [epoch for epoch in history.epochs if epoch.step <= step] if cursor is not None else history.epochs
        if ended:
            last = ended[-1]
            parts.append((2, [Run(f"{VAL} val {compact(last.val_loss):<6}", "val")]))
            best = history.lowest is not None and history.lowest.epoch == last.epoch
            parts.append((3, [Run(f"at epoch {last.epoch}" + (", best" if best else ""), "faint")]))
            right = [Run(f"accuracy {last.val_accuracy:.4f}", "accuracy")]
        return fitted(parts, right, self.size.width)


class Series:
    """The losses of one history, prepared for drawing as they come."""

    def __init__(self, history: History, window: int) -> None:
        self.history = history
        self.pyramid = Pyramid(history.losses)
        self.raw = Columns(self.pyramid)
        self.smoothing = Smoothing(history.losses, window)

    def catch_up(self) -> bool:
        """Read what is new; whether that was all."""
        self.pyramid.catch_up()
        return self.smoothing.catch_up()


def _epochs_in_sight(history: History, edges: list[int]) -> list[EpochEnded]:
    return [epoch for epoch in history.epochs if edges[0] < epoch.step <= edges[-1]]


def _empty(frame: Frame, chart: Chart, words: str = "") -> list[list[Run]]:
    """Plain axes, with a word of why there is nothing else."""
    lines = [[Run("loss", "title")]] if frame.title else []
    for row in range(frame.height):
        text = words[: frame.width].center(frame.width) if row == frame.height // 2 else " " * frame.width
        lines.append([*left_gutter(frame, (), row), Run(text, "faint"), *right_gutter(frame, None, row)])
    return lines + x_axis(frame, chart.axis)
