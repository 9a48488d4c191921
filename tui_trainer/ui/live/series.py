"""Series on the screen of a run: in two charts where it tells numbers and no single steps, and those pinned as small
values in a strip."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from tui_trainer.text.plain import plain
from tui_trainer.text.short_names import short_name
from tui_trainer.ui.charts.logged_lrs import drawn_lrs, is_lr
from tui_trainer.ui.formatting import fit
from tui_trainer.ui.panel import Line, Panel, Span

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.ui.charts.line_chart import LineChart
    from tui_trainer.ui.charts.series_axis import SeriesAxis
    from tui_trainer.ui.charts.series_curve import SeriesCurve
    from tui_trainer.ui.settings import Settings

MOST_LEADING = 4
"""Series in one chart of a run that tells many: more are on the page of them."""

OURS = frozenset({"train_loss", "lr", "val_loss", "val_accuracy", "train_accuracy", "images_per_second"})


def leading(history: History) -> tuple[list[str], list[str]]:
    """What a run shows that tells numbers and no steps: its losses, else what it is judged by, else what it told first;
    and its LRs."""
    series = history.series
    lrs = [name for name in series if is_lr(history, name)]
    others = [name for name in series if series.kind(name) not in ("lr", "system") and name not in set(lrs)]
    losses = [name for name in others if "loss" in name.lower()]
    losses = losses or [name for name in others if series.kind(name) == "train"]
    first = [series.objective] if series.objective in others and series.objective is not None else others[:1]
    return (losses or first)[:MOST_LEADING], lrs[:MOST_LEADING]


class ToldCharts:
    """The two charts, made once a run needs them."""

    def __init__(self, axis: SeriesAxis) -> None:
        from tui_trainer.ui.charts.line_chart import LineChart

        self.axis = axis
        self.upper: LineChart = LineChart(axis, id="told")
        self.lr: LineChart = LineChart(axis, id="told-lr")
        for chart in (self.upper, self.lr):
            chart.can_focus = True
            chart.place = "charts"  # type: ignore[misc]
        self.lr.labels = True

    def show(self, history: History) -> bool:
        """Draw the run as it is now; whether it has LRs."""
        self.axis.update(history)
        losses, lrs = leading(history)
        self.upper.draw_series(history, losses)
        self.lr.draw_series(history, lrs)
        return bool(lrs)

    def smooth(self, more: bool) -> int:
        """Smooth the upper one more or less; over how many values it is now."""
        from tui_trainer.plotting.smoothing import WINDOWS

        curves = [curve for name in self.upper.names if (curve := self.upper.curve(name)) is not None]
        now = self.upper.window or max((curve.window for curve in curves), default=1)
        windows = [window for window in WINDOWS if (window > now if more else window < now)]
        self.upper.window = (windows[0] if more else windows[-1]) if windows else now
        return self.upper.window


LEAST_ENTRY = 38
"""Cells of a value in the strip."""

LEAST_WITH_BEST = 60
TREND = 10
NAME, VALUE, BEST = 14, 11, 22


class PinnedStrip(Panel):
    """A small value each: its name, the last and the best one, and its trend."""

    def __init__(self) -> None:
        super().__init__()
        self.height = 0
        """Lines that it takes; the screen gives them."""
        self._history: History | None = None
        self._seen = -1
        self._names: list[str] = []
        self._curves: dict[str, SeriesCurve] = {}
        self._pins: object = None
        self._known = -1

    def show(self, history: History, settings: Settings, width: int, most: int) -> None:
        """Draw what is pinned, in so many lines at most; nothing is done where nothing happened."""
        if history is not self._history:
            self._curves.clear()
            self._seen = self._known = -1
        pins = settings.kept.pins
        if pins is not self._pins or len(history.series) != self._known:
            self._pins, self._known = pins, len(history.series)
            self._names = shown_small(history, settings)
            self._seen = -1
        self._history = history
        across = max(1, width // LEAST_WITH_BEST if width >= 2 * LEAST_WITH_BEST else width // LEAST_ENTRY)
        self.height = min(most, -(-len(self._names) // across)) if self._names else 0
        if self.height and history.version != self._seen:
            self._seen = history.version
            self.redraw()

    def lines(self) -> Sequence[Line]:
        history, (width, height) = self._history, self.size
        if history is None or not self._names:
            return []
        across = max(1, width // LEAST_WITH_BEST if width >= 2 * LEAST_WITH_BEST else width // LEAST_ENTRY)
        names = self._names[: across * height]
        left_out = len(self._names) - len(names)
        each = (width - 1) // across
        lines: list[Line] = []
        for first in range(0, len(names), across):
            spans = [Span(" ")]
            for name in names[first : first + across]:
                spans += self._entry(history, name, each)
            lines.append(tuple(spans))
        if left_out and lines:
            lines[-1] = (*lines[-1][:-1], Span(f" +{left_out}", "faint"))
        return lines

    def _entry(self, history: History, name: str, width: int) -> list[Span]:
        from tui_trainer.ui.charts.line_chart import figure, trend
        from tui_trainer.ui.charts.series_curve import SeriesCurve

        series = history.series[name]
        curve = self._curves.get(name)
        if curve is None or curve.series is not series:
            curve = self._curves[name] = SeriesCurve(series, smooths=False)
        if not curve.catch_up():
            self.redraw_soon()
        declared = history.series.declared(name)
        last, best = history.series.last(name), history.series.best(name)
        unit = declared.unit if declared is not None else ""
        said = figure(history.series, name, last.value, unit) if last is not None else ""
        lit = "warning" if last is not None and not isfinite(last.value) else "live" if curve.has_moved else "faint"
        room = NAME + max(0, width - (LEAST_WITH_BEST if width >= LEAST_WITH_BEST else LEAST_ENTRY))
        spans = [
            Span(fit(short_name(plain(name) or "(no name)", room, by_end=True), room) + " ", "faint"),
            Span(fit(said, VALUE), lit),
        ]
        spans.append(Span(trend(curve, TREND).ljust(TREND), lit))
        if width >= LEAST_WITH_BEST:
            told = f" best {figure(history.series, name, best.value)} at {best.step:,}" if best is not None else ""
            spans.append(Span(fit(told, BEST), "faint"))
        return [*spans, Span(" ")]


def shown_small(history: History, settings: Settings) -> list[str]:
    """What is pinned. Nothing being pinned, what the charts of the run leave out: more LRs than they draw, further
    losses, and what has a better and a worse, what it is judged by first."""
    from tui_trainer.ui.metrics.catalogue import MOST_PINNED, pinned

    if names := pinned(settings, history):
        return names
    series = history.series
    if not history.steps:
        losses, lrs = leading(history)
        objective, on_charts = series.objective, {*losses, *lrs}
        telling = [name for name in series if series.goal(name) != "none" and series.kind(name) != "system"]
        further = [*telling, *(name for name in series if is_lr(history, name) or series.kind(name) == "train")]
        first = [objective] if objective is not None else []
        return [name for name in dict.fromkeys([*first, *further]) if name not in on_charts][:MOST_PINNED]
    drawn = set(drawn_lrs(history))
    further = [name for name in series if name not in OURS and name not in drawn]
    if history.program is not None:
        from tui_trainer.ui.charts.other_losses import names_of_others

        others = names_of_others(history)
        further = [name for name in further if name not in others]
    return [name for name in further if is_lr(history, name) or series.kind(name) == "train"][:MOST_PINNED]
