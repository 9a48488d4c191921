"""What keys do on the live screen: what a person asks of the run on show, and what came of it; what is done to its
charts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tui_trainer.commands import (
    AnyCommand,
    Command,
    Continue,
    OneBatch,
    Pause,
    SaveCheckpoint,
    SetEpochs,
    SetLR,
    SetPace,
    Stop,
    SwitchPreset,
)
from tui_trainer.events import CommandAnswered
from tui_trainer.text.captions import say
from tui_trainer.ui.charts.axis_keys import AxisKeys
from tui_trainer.ui.charts.chart import Chart
from tui_trainer.ui.charts.chart_data import steps_of
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.charts.lr import LRChart

if TYPE_CHECKING:
    from tui_trainer.run_sources.run_source import RunSource
    from tui_trainer.ui.charts.axis import Mode

SLOW = 0.5
"""Seconds that slow motion holds a call: long enough to read the value it made."""


class Refusal(NamedTuple):
    """Why a command was not even sent."""

    text: str


class RunControl:
    """Sends commands to one source and finds their answers among its events."""

    def __init__(self, source: RunSource, by: str) -> None:
        self.source = source
        self._by = by
        self._asked: dict[str, AnyCommand] = {}
        self._pausing: bool | None = None
        """What the last unanswered command asks for, so that two quick presses are two commands."""
        self._slowing: bool | None = None
        self._last_answer: CommandAnswered | None = source.history.answers[-1] if source.history.answers else None
        self._opened_at = time.time()

    @property
    def waits(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._asked)

    @property
    def can_act(self) -> bool:
        """Whether the run can be asked anything."""
        return self.source.history.ended is None and bool(self.source.capabilities.commands)

    def pause_or_go_on(self) -> Refusal | None:
        """Pause a run that goes on; let a paused one go on."""
        pause = not (self.source.history.paused is not None if self._pausing is None else self._pausing)
        self._pausing = pause
        return self._send(Pause(by=self._by) if pause else Continue(by=self._by))

    def one_batch(self) -> Refusal | None:
        """Train one batch, then pause."""
        self._pausing = True
        return self._send(OneBatch(by=self._by))

    def slow_motion(self) -> Refusal | None:
        """From full speed to slow motion, and back."""
        slow = not (self.source.history.pace > 0 if self._slowing is None else self._slowing)
        self._slowing = slow
        return self._send(SetPace(by=self._by, seconds_a_call=SLOW if slow else 0.0))

    def save_checkpoint(self) -> Refusal | None:
        """Write a checkpoint now."""
        return self._send(SaveCheckpoint(by=self._by))

    def stop(self, reason: str = "stopped", exit_code: int = 0, by: str = "") -> Refusal | None:
        """End the run after the batch that runs now."""
        return self._send(Stop(by=by or self._by, reason=reason, exit_code=exit_code))

    def switch(self, name: str, preset: dict[str, Any]) -> Refusal | None:
        """Follow another preset from the next epoch on."""
        return self._send(SwitchPreset(by=self._by, name=name, preset=preset))

    def set_lr(self, typed: str) -> Refusal | None:
        """Turn the LR dial to what a person typed; see `SetLR.of`."""
        return self._send(SetLR.of(typed, self._by))

    def set_epochs(self, typed: str) -> Refusal | None:
        """Train as many epochs as a person typed; see `SetEpochs.of`."""
        return self._send(SetEpochs.of(typed, self._by))

    def refusal(self, command: type[Command]) -> Refusal | None:
        """Why something cannot be asked of the run now."""
        history = self.source.history
        if history.ended is not None:
            return Refusal(say("answer.over", ended=_HAS[history.ended.status]))
        why = self.source.capabilities.refusal(command)
        return Refusal(why) if why else None

    def answers(self) -> list[CommandAnswered]:
        """The answers that came since the last call, whoever asked; none from before this view was opened."""
        fresh: list[CommandAnswered] = []
        for answer in reversed(self.source.history.answers):
            if answer is self._last_answer:
                break
            fresh.append(answer)
        if fresh:
            self._last_answer = fresh[0]
        fresh = [answer for answer in fresh if answer.id in self._asked or answer.at >= self._opened_at]
        for answer in fresh:
            self._asked.pop(answer.id, None)
        if not self._asked:
            self._pausing = self._slowing = None
        return fresh[::-1]

    def _send(self, command: AnyCommand) -> Refusal | None:
        if (refusal := self.refusal(type(command))) is not None:
            return refusal
        try:
            self.source.send(command)
        except (PermissionError, OSError) as error:
            return Refusal(say("answer.unreachable", why=error))
        self._asked[command.id] = command
        return None


_HAS = {"finished": "finished", "stopped": "been stopped", "diverged": "diverged", "crashed": "crashed"}


class ChartKeys(AxisKeys):
    """A screen with a loss and an LR chart on one axis."""

    loss: LossChart
    lr: LRChart

    def action_mark(self, by: int) -> None:
        if not self.axis.move_to(steps_of(self.history), by):
            self.say(say("answer.no_later_mark" if by > 0 else "answer.no_earlier_mark"))
        self.context.clock.hurry()

    def action_back(self) -> None:
        self.axis.clear_cursor()
        self.context.clock.hurry()

    def axis_moved(self, was: Mode) -> None:
        if was == "live" and self.axis.mode == "held" and self.history.ended is None:
            self.say(say("answer.frozen"))

    def action_momentum(self) -> None:
        if not self.history.moves_momentum:
            self.say(say("answer.momentum_stays"))
            return
        self.lr.shows_momentum = not self.lr.shows_momentum
        self.lr.redraw()
        self.say(say("answer.momentum_shown" if self.lr.shows_momentum else "answer.momentum_hidden"))
        self.context.clock.hurry()

    def action_smooth(self, more: bool) -> None:
        if more:
            self.loss.smooth_more()
        else:
            self.loss.smooth_less()
        recipe = self.history.recipe
        is_batch = recipe is not None and recipe.unit == "batch" and self.history.program is None
        window, unit = self.loss.window, "batches" if is_batch else "steps"
        self.say(say("answer.smoothed", window=window, unit=unit) if window > 1 else say("answer.not_smoothed"))
        self.context.clock.hurry()

    @property
    def charts_of_y(self) -> Sequence[Chart[Any]]:
        """The one that has the focus, else the loss."""
        return [self.focused if isinstance(self.focused, Chart) else self.loss]
