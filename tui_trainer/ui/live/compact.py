"""What a terminal of a few lines has room for in place of the charts: a line for the loss and one for the LR, each with
its newest value and its course."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.formatting import cut, fit
from tui_trainer.ui.live.series import leading
from tui_trainer.ui.panel import Line, Panel, Span

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.ui.charts.series_curve import SeriesCurve

NAME, VALUE = 13, 11


class CompactLines(Panel):
    """The loss and the LR of a run; where there are more lines, the validation loss and the accuracy between them."""

    def __init__(self) -> None:
        super().__init__()
        self._history: History | None = None
        self._seen = -1
        self._curves: dict[str, SeriesCurve] = {}

    def show(self, history: History) -> None:
        """Draw a run as it is now; nothing is done where nothing happened."""
        if history is not self._history:
            self._curves.clear()
        elif history.version == self._seen:
            return
        self._history, self._seen = history, history.version
        self.redraw()

    def lines(self) -> Sequence[Line]:
        history, (width, height) = self._history, self.size
        if history is None:
            return []
        names = names_in_short(history, height)
        if not names:
            return [(Span(f" {say('chart.no_batch_yet' if history.ended is None else 'chart.no_batch')}", "faint"),)]
        return [self._line(history, name, width) for name in names]

    def _line(self, history: History, name: str, width: int) -> Line:
        from tui_trainer.ui.charts.line_chart import figure, trend
        from tui_trainer.ui.charts.series_curve import SeriesCurve

        series = history.series[name]
        curve = self._curves.get(name)
        if curve is None or curve.series is not series:
            curve = self._curves[name] = SeriesCurve(series, smooths=False)
        if not curve.catch_up():
            self.redraw_soon()
        newest = history.series.last(name)
        value = figure(history.series, name, newest.value) if newest is not None else ""
        course = trend(curve, width - NAME - VALUE - 3, can_be_log=True)
        shown = cut(plain(history.series.shown_as(name)), NAME - 1)
        return (Span(f" {fit(shown, NAME)}", "faint"), Span(fit(value, VALUE), "strong"), Span(f" {course}", "live"))


def names_in_short(history: History, most: int) -> list[str]:
    """The series that matter most, so many of them: loss, LR, then what validation says; in the order of the charts."""
    series = history.series
    losses, lrs = leading(history)
    ours = [name for name in ("train_loss", "lr") if name in series]
    wanted = ours if history.steps else [*losses[:1], *lrs[:1]]
    for name in ("val_loss", "val_accuracy"):
        if name in series and name not in wanted and len(wanted) < most:
            wanted.insert(max(1, len(wanted) - 1), name)
    return wanted[:most]
