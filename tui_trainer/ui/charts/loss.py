"""The loss: every batch faint, smoothed over it, validation's as a line too, and the accuracy behind."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from tui_trainer.plotting.canvas import Glyph, GlyphRun
from tui_trainer.plotting.curves import Extent, hatched, range_of
from tui_trainer.plotting.figure import DOTS
from tui_trainer.plotting.ranges import floor_of, not_below, without_echoes
from tui_trainer.plotting.scales import Scale
from tui_trainer.plotting.smoothing import WINDOWS
from tui_trainer.text.captions import say
from tui_trainer.text.short_names import short_name
from tui_trainer.ui.charts.chart import EARLY, LAST, LOWEST, NOT_FINITE, Frame, beside, labelled_up_to_1, narrow, x_axis
from tui_trainer.ui.charts.chart_data import Losses, at_epoch_ends
from tui_trainer.ui.charts.run_chart import AT_ONCE, MouseChart
from tui_trainer.ui.charts.titles import loss_title

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.ui.charts.other_losses import OtherLosses


class LossChart(MouseChart):
    """Training loss, validation loss and accuracy of a run."""

    accuracy_apart = False
    """Whether the accuracy has a chart of its own: it is not drawn here then."""
    _losses: Losses | None = None
    _others: OtherLosses | None = None
    """What a watched program has beside its first loss; None for a run of ours."""
    _window: int | None = None
    _ends: tuple[tuple[object, ...], tuple[list[Extent | None], list[Extent | None]]] = (), ([], [])
    """What was validated as it was last drawn, and what it was drawn for."""

    @property
    def window(self) -> int:
        """How many batches the smoothed loss reaches back: a sixth of an epoch unless chosen; 1 smooths nothing."""
        return self._losses.smoothing.window if self._losses else self._window or WINDOWS[0]

    @window.setter
    def window(self, window: int) -> None:
        self._window = window
        if self._losses is not None:
            self._losses.smoothing.window = window
        self.redraw()

    def smooth_more(self) -> None:
        """The next longer window."""
        self.window = next((window for window in WINDOWS if window > self.window), WINDOWS[-1])

    def smooth_less(self) -> None:
        """The next shorter window."""
        self.window = next((window for window in reversed(WINDOWS) if window < self.window), WINDOWS[0])

    def draw(self, frame: Frame) -> list[list[GlyphRun]]:
        history = self._history
        if history is None:
            return self._titled(frame, [GlyphRun("loss", "title")], self._empty(frame, ""))
        self.axis.update(history)
        if self._losses is None or self._losses.history is not history:
            self._losses = Losses(history, self._window)
        if history.program is not None and (self._others is None or self._others.history is not history):
            from tui_trainer.ui.charts.other_losses import OtherLosses

            self._others = OtherLosses(history)
        elif history.program is None:
            self._others = None
        read = self._losses.catch_up(AT_ONCE)
        if not (read if self._others is None else self._others.catch_up(AT_ONCE) and read):
            self.call_later(self.redraw)
        width, cursor = self.size.width, self.axis.cursor
        others = self._others.legend(cursor) if self._others is not None else ()
        several = self._others is not None and self._others.are_several
        if not history.steps:
            body = self._empty(frame, _why_empty(history))
        else:
            body = self._curves(history, self._losses, frame) if frame.height else []
        # After the curves: they choose the scale, which it names.
        title = loss_title(history, self._losses, cursor, width, self.log_scale, others, several, self.accuracy_apart)
        return self._titled(frame, title, body)

    def _titled(self, frame: Frame, title: list[GlyphRun], body: list[list[GlyphRun]]) -> list[list[GlyphRun]]:
        marks = self.along_axis(self._history, frame) if self._history is not None and frame.line else None
        return [*([title] if frame.title else []), *body, *x_axis(frame, self.axis, marks, badge=True)]

    def _empty(self, frame: Frame, words: str) -> list[list[GlyphRun]]:
        """Plain axes, with a word of why there is nothing else."""
        blank, line = " " * frame.width, words[: frame.width].center(frame.width)
        rows = [[GlyphRun(line if row == frame.height // 2 else blank, "faint")] for row in range(frame.height)]
        return beside(frame, rows, ())

    def _curves(self, history: History, losses: Losses, frame: Frame) -> list[list[GlyphRun]]:
        across, up = DOTS[self.marks]
        edges = self.columns(frame)
        raw, smooth = losses.raw(edges, frame.width), losses.smooth(edges)
        columns = frame.width * across
        val, accuracy = self._validated(history, columns)
        others = self._others.columns(edges) if self._others is not None else {}
        calm = [without_echoes(smooth, raw), val, *others.values()]  # a single batch close to zero is nothing to see
        floor = floor_of(calm, raw)
        seen, calm = not_below(floor, raw), [not_below(floor, curve) for curve in calm]
        scale = self.scale_of("loss", [seen, *calm], frame, asked=calm)
        right = self._accuracy_scale(accuracy, frame)
        dots = frame.height * up
        curves = {"raw": hatched(self.spans(seen, scale, dots), columns)}
        if right is not None:
            curves["accuracy"] = self.spans(accuracy, right, dots)
        curves["smooth"] = self.spans(smooth, scale, dots)
        curves["val"] = self.spans(val, scale, dots)
        for style, extents in others.items():
            curves[style] = self.spans(extents, scale, dots)
        self._canvas.draw(curves, frame.width, frame.height)
        over = self.beyond(seen, scale, frame) + self.beyond(val, scale, frame) + self._warnings(losses, edges, frame)
        over += self._marks(history, scale, frame) + self._early_end(history, smooth, scale, frame)
        if self._others is not None:
            over += self._others.signs(others, smooth, scale, frame, self)
        rows = self._canvas.rows(self._under(history, frame), over)
        return beside(frame, rows, scale.ticks, right.ticks if right is not None else None)

    def _validated(self, history: History, columns: int) -> tuple[list[Extent | None], list[Extent | None]]:
        """Validation loss and accuracy at the ends of epochs; as they were, until the next one ends. The accuracy is
        empty where it has a chart of its own."""
        ended = history, len(history.epochs), history.epochs[-1:]
        seen = ended, self.axis.bounds, self.axis.unit, columns, self.accuracy_apart
        if seen != self._ends[0]:
            val = at_epoch_ends(history, self.axis, columns, lambda epoch: epoch.val_loss)
            accuracy: list[Extent | None] = []
            if not self.accuracy_apart:
                accuracy = at_epoch_ends(history, self.axis, columns, lambda epoch: epoch.val_accuracy)
            self._ends = seen, (val, accuracy)
        return self._ends[1]

    def _accuracy_scale(self, accuracy: Sequence[Extent | None], frame: Frame) -> Scale | None:
        extent = range_of(accuracy)
        if not frame.right or extent is None:
            return None
        low, high = min(extent[0], extent[1] - 0.02), max(extent[1], min(1.0, extent[1] + 0.02))
        return labelled_up_to_1(self.scale("accuracy", (low, high), frame.height, False, frame.right), frame)

    def _under(self, history: History, frame: Frame) -> list[Glyph]:
        """Under the curves: what the LR chart has too, and the names of presets switched to."""
        glyphs = self.landmarks(history, frame)
        columns = ((self.axis.column_of(switch.step - 1, frame.width), switch) for switch in history.switches)
        seen = [(column, narrow(switch.recipe.preset)) for column, switch in columns if column is not None]
        for start, name in _beside_their_lines(seen, frame.width):
            glyphs += [Glyph(0, start + i, letter, "switch") for i, letter in enumerate(name)]
        return glyphs

    def _marks(self, history: History, scale: Scale, frame: Frame) -> list[Glyph]:
        """On the validation loss: its last epoch, and over it the lowest."""
        glyphs: list[Glyph] = []
        for epoch, mark, style in ((history.epochs[-1:], LAST, "mark"), ([history.lowest], LOWEST, "best")):
            if epoch and epoch[0] is not None and isfinite(epoch[0].val_loss):
                glyphs += self.point(epoch[0].step, epoch[0].val_loss, scale, frame, mark, style)
        return glyphs

    def _early_end(self, history: History, smooth: Sequence[Extent | None], scale: Scale, frame: Frame) -> list[Glyph]:
        """A cross at the end of a run that ended before it was to, as high as its loss was last finite."""
        if history.ended is None or history.ended.status == "finished":
            return []
        last = next((extent[1] for extent in reversed(smooth) if extent is not None and isfinite(extent[1])), None)
        return self.point(history.steps, last, scale, frame, EARLY, "warning") if last is not None else []

    def _warnings(self, losses: Losses, edges: list[int], frame: Frame) -> list[Glyph]:
        """Losses that are not finite, marked where they were."""
        if not losses.not_finite(edges[0], edges[-1]):
            return []
        across = DOTS[self.marks][0]
        return [
            Glyph(0, cell, NOT_FINITE, "warning")
            for cell in range(frame.width)
            if losses.not_finite(edges[cell * across], edges[(cell + 1) * across])
        ]


def _beside_their_lines(lines: Sequence[tuple[int, str]], width: int) -> list[tuple[int, str]]:
    """Where the names of some upright lines begin, and as much of each as has room up to the next line: at the right of
    its line; at the left where that has more room and the right not enough."""
    placed: list[tuple[int, str]] = []
    free = 0
    ends = [*(column - 1 for column, _ in lines[1:]), width]
    for (column, name), end in zip(lines, ends, strict=False):
        left, right = column - 1 - free, end - column - 2
        if len(name) > right and left > right:
            shown = short_name(name, left)
            placed.append((column - 1 - len(shown), shown))
            free = column + 1
        else:
            placed.append((column + 2, short_name(name, right)))
            free = column + 3 + len(placed[-1][1])
    return placed


def _why_empty(history: History) -> str:
    if history.last_step:
        return say("chart.loss_untold")
    return say("chart.no_batch_yet" if history.ended is None else "chart.no_batch")
