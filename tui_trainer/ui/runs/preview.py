"""Beside the list of runs: the loss and the LR of the one under the cursor, from its record."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from tui_trainer.run_sources.registry import open_source
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.charts.lr import LRChart

if TYPE_CHECKING:
    from tui_trainer.records.summary import RunSummary
    from tui_trainer.run_sources.run_source import RunSource
    from tui_trainer.ui.context import AppContext

REST_S = 0.15
"""A cursor that rests so long on a run has its record read: one that passes over many reads none."""


class Preview:
    """Two charts on one axis, and the run that they follow."""

    def __init__(self) -> None:
        self.axis = XAxis()
        self.loss, self.lr = LossChart(self.axis), LRChart(self.axis)
        self.source: RunSource | None = None
        self._wanted = ""
        """The folder of the run under the cursor."""
        self._since = 0.0
        self._opening = ""
        """The folder of the run that is being opened, or was opened last."""

    def show(self, run: RunSummary | None, context: AppContext) -> None:
        """Draw the run under the cursor as it is now."""
        folder = run.folder if run is not None else ""
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
                context.tasks.run(lambda: open_source(opening, readonly=True), self._opened, lambda _: None)
        if self.source is not None:
            context.follow(self.source)
            history = self.source.history
            self.loss.visible = self.lr.visible = history.steps > 0
            self.loss.show(history)
            self.lr.show(history)

    def _opened(self, source: RunSource) -> None:
        """A record is there: of the run under the cursor, or of one that it has left."""
        if self.source is None and source.folder is not None and str(source.folder) == self._wanted == self._opening:
            self.source = source
            self.axis.begin_anew()
        else:
            source.close()

    def close(self) -> None:
        """Follow no run any more, and draw none."""
        self._opening = ""
        self.loss.visible = self.lr.visible = False
        if self.source is not None:
            self.source.close()
            self.source = None
