"""What the keys do to the charts of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.chart_data import steps_of
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.trainer_screen import TrainerScreen

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.ui.charts.axis import Mode

PART = 0.25
"""Of what is in sight, moved at a time."""


class ChartKeys(TrainerScreen):
    """A screen with a loss and an LR chart on one axis."""

    axis: XAxis
    loss: LossChart
    lr: LRChart

    @property
    def history(self) -> History:
        """The run on show."""
        raise NotImplementedError

    def action_cursor(self, cells: int) -> None:
        was = self.axis.mode
        self.axis.move_cursor(cells)
        self._stood_still(was)
        self.context.clock.hurry()

    def action_mark(self, by: int) -> None:
        if not self.axis.move_to(steps_of(self.history), by):
            self.say("no later mark" if by > 0 else "no earlier mark")
        self.context.clock.hurry()

    def action_back(self) -> None:
        self.axis.clear_cursor()
        self.context.clock.hurry()

    def action_zoom(self, inwards: bool) -> None:
        if inwards:
            self.axis.zoom_in()
        else:
            self.axis.zoom_out()
        self.context.clock.hurry()

    def action_pan(self, by: int) -> None:
        if self.axis.mode == "all":
            self.say("the whole run is shown; + zooms in")
        was = self.axis.mode
        self.axis.pan(by * PART)
        self._stood_still(was)
        self.context.clock.hurry()

    def _stood_still(self, was: Mode) -> None:
        if was == "live" and self.axis.mode == "held":
            self.say("frozen: f follows the newest steps again")

    def action_follow(self) -> None:
        self.axis.follow()
        if self.history.ended is not None:
            self.say("the run has ended: this is its end")
        self.context.clock.hurry()

    def action_reset(self) -> None:
        self.axis.reset()
        self.context.clock.hurry()

    def action_unit(self) -> None:
        self.axis.next_unit()
        self.context.clock.hurry()

    def action_smooth(self, more: bool) -> None:
        if more:
            self.loss.smooth_more()
        else:
            self.loss.smooth_less()
        batches = self.loss.window
        self.say(f"the loss is smoothed over {batches} batches" if batches > 1 else "the loss is not smoothed")
        self.context.clock.hurry()

    def action_log_scale(self) -> None:
        chart = self.lr if self.lr.has_focus else self.loss
        chart.log_scale = not chart.log_scale
        self.context.clock.hurry()
