"""Beside the list of runs: the loss and the LR of the one under the cursor, from its record; of another tool's its
losses and LRs as it tells them."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.widget import Widget

from tui_trainer.run_sources.registry import open_source
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.live.series import ToldCharts
from tui_trainer.ui.runs.far_runs import is_far

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.records.summary import RunSummary
    from tui_trainer.run_sources.run_source import RunSource
    from tui_trainer.ui.charts.axis_keys import CountedAxis, Scaled
    from tui_trainer.ui.context import AppContext

REST_S = 0.15
"""A cursor that rests so long on a run has its record read: one that passes over many reads none."""


class Preview:
    """Two charts on one axis, and the run that they follow."""

    def __init__(self) -> None:
        self.axis = XAxis()
        self.loss, self.lr = LossChart(self.axis), LRChart(self.axis)
        self.loss.visible = self.lr.visible = False
        self.source: RunSource | None = None
        self._told: ToldCharts | None = None
        """Charts of a run that tells numbers and no single steps; made for the first of them."""
        self._shows_told = False
        self._wanted = ""
        """The folder of the run under the cursor."""
        self._since = 0.0
        self._opening = ""
        """The folder of the run that is being opened, or was opened last."""

    def show(self, run: RunSummary | None, context: AppContext) -> None:
        """Draw the run under the cursor as it is now."""
        folder = run.folder if run is not None and not is_far(run) else ""
        if folder != self._wanted:
            self._wanted, self._since = folder, time.monotonic()
            self.close()
        if self.source is None and folder:
            if time.monotonic() - self._since < REST_S:
                context.clock.keep_hurrying()
                return
            if self._opening != folder:
                self._opening = folder
                opening = Path(folder)
                # One that was deleted meanwhile cannot be opened: the list is about to know.
                context.tasks.run(
                    lambda: open_source(opening, readonly=True), partial(self._opened, folder), lambda _: None
                )
        if self.source is not None:
            context.follow(self.source)
            history = self.source.history
            self._shows_told = not history.steps and len(history.series) > 0
            self.loss.display = self.lr.display = not self._shows_told
            self.loss.visible = self.lr.visible = history.steps > 0
            self._show_told(history)
            if not self._shows_told:
                self.loss.show(history)
                self.lr.show(history)

    @property
    def x_axis(self) -> CountedAxis:
        """The axis of the charts that are drawn."""
        return self._told.axis if self._told is not None and self._shows_told else self.axis

    @property
    def chart_of_y(self) -> Scaled:
        """The chart whose heights a key is for."""
        return self._told.upper if self._told is not None and self._shows_told else self.loss

    def _show_told(self, history: History) -> None:
        """Draw what a run tells that tells no single steps, or take that out of sight."""
        told = self._told
        if told is None and self._shows_told and isinstance(beside := self.loss.parent, Widget):
            from tui_trainer.ui.charts.series_axis import SeriesAxis

            told = self._told = ToldCharts(SeriesAxis())
            told.upper.can_focus = told.lr.can_focus = False
            beside.mount(told.upper, told.lr)
        if told is not None:
            has_lrs = self._shows_told and told.show(history)
            told.upper.display, told.lr.display = self._shows_told, has_lrs
            told.upper.labels = not has_lrs

    def _opened(self, opening: str, source: RunSource) -> None:
        """A record is there: of the run under the cursor, or of one that it has left."""
        if self.source is None and opening == self._wanted == self._opening:
            self.source = source
            self.axis.begin_anew()
        else:
            source.close()

    def close(self) -> None:
        """Follow no run any more, and draw none."""
        self._opening = ""
        self.loss.visible = self.lr.visible = False
        if self._told is not None:
            self._told.upper.display = self._told.lr.display = False
        if self.source is not None:
            self.source.close()
            self.source = None
