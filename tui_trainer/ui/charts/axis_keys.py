"""What keys do to the axis of a screen's charts, whatever it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_trainer.text.captions import say
from tui_trainer.ui.trainer_screen import TrainerScreen

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.ui.charts.axis import Mode, XAxis

PART = 0.25
"""Of what is in sight, moved at a time."""


class AxisKeys(TrainerScreen):
    """A screen whose charts stand on one axis."""

    axis: XAxis

    @property
    def history(self) -> History:
        """The run on show."""
        raise NotImplementedError

    def action_cursor(self, cells: int) -> None:
        was = self.axis.mode
        self.axis.move_cursor(cells)
        self.axis_moved(was)
        self.context.clock.hurry()

    def action_zoom(self, inwards: bool) -> None:
        if inwards:
            self.axis.zoom_in()
        else:
            self.axis.zoom_out()
        self.context.clock.hurry()

    def action_pan(self, by: int) -> None:
        if self.axis.mode == "all":
            self.say(say("answer.whole_run"))
        was = self.axis.mode
        self.axis.pan(by * PART)
        self.axis_moved(was)
        self.context.clock.hurry()

    def action_follow(self) -> None:
        self.axis.follow()
        self.say(say("chart.follows" if self.history.ended is None else "chart.is_over"))
        self.context.clock.hurry()

    def action_reset(self) -> None:
        self.axis.reset()
        self.context.clock.hurry()

    def axis_moved(self, was: Mode) -> None:
        """The cursor or what is in sight moved; `was` is the mode before."""
