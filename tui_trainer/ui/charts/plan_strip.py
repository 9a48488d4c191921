"""The whole plan in one line under the charts: the LR to come, what was trained, and which part the charts show."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import TYPE_CHECKING

from tui_trainer.plotting.canvas import GlyphRun, runs
from tui_trainer.plotting.curves import Extent, range_of
from tui_trainer.plotting.ranges import DECIDES, asks_for_log, without_the_lowest
from tui_trainer.plotting.scales import counted
from tui_trainer.text.captions import say
from tui_trainer.ui.charts.chart import Frame
from tui_trainer.ui.charts.chart_data import PlannedCurves
from tui_trainer.ui.charts.logged_lrs import ANNEALED
from tui_trainer.ui.charts.run_chart import RunChart

if TYPE_CHECKING:
    from textual import events


HEIGHTS = "▁▂▃▄▅▆▇█"
NOTHING_PLANNED = "─"
NEWEST = "┃"


class PlanStrip(RunChart):
    """The whole run, as wide as the charts over it. A click shows all of it in these."""

    DEFAULT_CSS = """
    PlanStrip { height: 1; }
    """

    _plan: PlannedCurves | None = None
    _drawn_for: tuple[object, ...] = ()
    _heights: str = ""

    @property
    def is_wanted(self) -> bool:
        """Whether the charts leave out a part of a run that has an end; and once they did, until they show all of it
        unasked: else the charts would change their height with each key that shows more or less."""
        history = self._history
        if history is None or not history.last_step or self.axis.has_no_end:
            return False
        (first, last), (begin, end) = self.axis.bounds, self.axis.whole
        return begin < first or last < end or (self.display and self.axis.is_chosen)

    def draw(self, frame: Frame) -> list[list[GlyphRun]]:
        history = self._history
        if history is None:
            return []
        self.axis.update(history)
        self._plan = PlannedCurves.kept(self._plan, history.plans)
        begin, end = self.axis.whole
        if end <= begin:
            return []
        cells, styles = list(self._line(frame.width)), ["faint"] * frame.width

        def cell_of(place: float) -> int:
            return max(0, min(frame.width, round((place - begin) / (end - begin) * frame.width)))

        first, last = map(cell_of, self.axis.bounds)
        styles[first:last] = ["label"] * (last - first)
        newest = min(frame.width - 1, cell_of(self.axis.place(history.last_step)))
        styles[:newest] = ["actual"] * newest
        cells[newest], styles[newest] = NEWEST, "mark"
        label = say("chart.plan")
        left = [GlyphRun(f"{label[: frame.left]:>{frame.left}} ", "label")] if frame.left else []
        last_place = counted(self.axis.counted_at(end), 5) if self.axis.unit != "seconds" and frame.right else ""
        return [[*left, *runs(cells, styles), GlyphRun(f" {last_place}", "label")]]

    def _line(self, width: int) -> str:
        """The planned LR of each cell; made anew only where the plan or what it is counted in is another."""
        made_for = (self._plan, self.axis.whole, self.axis.unit, width)
        if made_for != self._drawn_for:
            self._drawn_for = made_for
            planned, decides = (
                self._plan.over(self.axis.edges_of_all(columns)) if self._plan is not None else []
                for columns in (width, DECIDES)
            )
            log = asks_for_log([without_the_lowest(decides, ANNEALED)])
            self._heights = _as_heights(planned, log).ljust(width, NOTHING_PLANNED)
        return self._heights

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.axis.reset()


def _as_heights(planned: Sequence[Extent | None], log: bool) -> str:
    extent = range_of(planned, above=0.0)
    if extent is None:
        return ""
    low, high = extent
    shares: list[float | None]
    shares = [
        lr if lr is None else log10(max(lr[1], low) / low) / log10(high / low) if log else max(0.0, lr[1]) / high
        for lr in planned
    ]
    return "".join(NOTHING_PLANNED if share is None else HEIGHTS[round(share * 7)] for share in shares)
