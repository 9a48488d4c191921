"""What keys do to the axes of a screen's charts: what x counts, powers of ten along x and y, what is in sight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from tui_trainer.text.captions import say
from tui_trainer.ui.trainer_screen import TrainerScreen

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.ui.charts.axis import Mode, XAxis

PART = 0.25
"""Of what is in sight, moved at a time."""


class CountedAxis(Protocol):
    """An x axis that can count something else."""

    def next_unit(self) -> None:
        """Count in the next unit."""

    def toggle_log(self) -> None:
        """Powers of ten, or not."""


class Scaled(Protocol):
    """What is drawn with heights."""

    log_scale: bool
    """Whether these are powers of ten."""


class ScaleKeys(TrainerScreen):
    """A screen with charts: `x`, `X` and `y` do the same on each of them."""

    @property
    def x_axis(self) -> CountedAxis:
        """The axis that its charts stand on."""
        raise NotImplementedError

    @property
    def charts_of_y(self) -> Sequence[Scaled]:
        """The charts whose heights `y` is for, the one that a person looks at first."""
        raise NotImplementedError

    def action_unit(self) -> None:
        self.x_axis.next_unit()
        self.context.clock.hurry()

    def action_log_x(self) -> None:
        self.x_axis.toggle_log()
        self.context.clock.hurry()

    def action_log_scale(self) -> None:
        charts = self.charts_of_y
        log = not charts[0].log_scale if charts else False
        for chart in charts:
            chart.log_scale = log
        self.context.clock.hurry()


class ZoomedAxis(CountedAxis, Protocol):
    """One of which a part can be seen, and that has a cursor."""

    def move_cursor(self, cells: int) -> None:
        """Move the cursor."""

    def zoom_in(self) -> None:
        """Show half of what is seen."""

    def zoom_out(self) -> None:
        """Show twice of it."""

    def reset(self) -> None:
        """Show all of it."""

    def follow(self) -> None:
        """Show what was trained so far."""


class ZoomKeys(ScaleKeys):
    """A screen whose charts stand on one axis that is zoomed and has a cursor."""

    axis: ZoomedAxis

    @property
    def x_axis(self) -> CountedAxis:
        return self.axis

    def action_cursor(self, cells: int) -> None:
        self.axis.move_cursor(cells)
        self.context.clock.hurry()

    def action_zoom(self, inwards: bool) -> None:
        if inwards:
            self.axis.zoom_in()
        else:
            self.axis.zoom_out()
        self.context.clock.hurry()

    def action_reset(self) -> None:
        self.axis.reset()
        self.context.clock.hurry()

    def action_follow(self) -> None:
        self.axis.follow()
        self.context.clock.hurry()


class AxisKeys(ZoomKeys):
    """A screen of one run, whose charts stand on one axis."""

    axis: XAxis

    @property
    def history(self) -> History:
        """The run on show."""
        raise NotImplementedError

    def action_cursor(self, cells: int) -> None:
        was = self.axis.mode
        super().action_cursor(cells)
        self.axis_moved(was)

    def action_pan(self, by: int) -> None:
        if self.axis.mode == "all":
            self.say(say("answer.whole_run"))
        was = self.axis.mode
        self.axis.pan(by * PART)
        self.axis_moved(was)
        self.context.clock.hurry()

    def action_follow(self) -> None:
        super().action_follow()
        self.say(say("chart.follows" if self.history.ended is None else "chart.is_over"))

    def axis_moved(self, was: Mode) -> None:
        """The cursor or what is in sight moved; `was` is the mode before."""
