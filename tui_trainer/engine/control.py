"""How a run is told what to do: any thread may ask; between two batches the loop does it and answers with events."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from tui_trainer.commands import (
    AnyCommand,
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
from tui_trainer.engine.clock import TrainingClock
from tui_trainer.events import SLOW_MOTION, AnyEvent, CommandAnswered, Continued, PaceChanged, Paused
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, format_lr

Inbox: TypeAlias = Callable[[], Sequence[AnyCommand]]
"""What other processes asked since the last call; cheap, and never waits."""

INBOX_EVERY = 0.2
"""Seconds between looks into the inbox."""


class CommandQueue:
    """The commands that wait for the loop, in the order in which they came."""

    def __init__(self, inbox: Inbox | None = None) -> None:
        self._inbox = inbox
        self._next_look = 0.0
        self._waiting: deque[AnyCommand] = deque()
        self._came = threading.Condition()

    def send(self, command: AnyCommand) -> None:
        """Ask; from any thread. The answer is an event."""
        with self._came:
            self._waiting.append(command)
            self._came.notify_all()

    def listen_to(self, inbox: Inbox) -> None:
        """Take commands from other processes too."""
        self._inbox = inbox

    @property
    def stop_waits(self) -> Stop | None:
        """What asks for the end, if that was asked for and not taken yet."""
        with self._came:
            return next((command for command in self._waiting if isinstance(command, Stop)), None)

    def take(self) -> AnyCommand | None:
        """The next command, if there is one now."""
        self._look_into_inbox()
        return self._waiting.popleft() if self._waiting else None

    def wait(self, seconds: float) -> None:
        """Wait until there is a command to take, at most so long."""
        until = time.perf_counter() + seconds
        while not self._waiting and (left := until - time.perf_counter()) > 0:
            with self._came:
                if not self._waiting:
                    self._came.wait(min(left, INBOX_EVERY))
            self._look_into_inbox()

    def _look_into_inbox(self) -> None:
        if self._inbox is None or time.perf_counter() < self._next_look:
            return
        self._next_look = time.perf_counter() + INBOX_EVERY
        for command in self._inbox():
            self.send(command)


def in_words(command: AnyCommand) -> str:
    """A command as viewers read it."""
    match command:
        case Pause():
            return "pause"
        case Continue():
            return "go on"
        case OneBatch():
            return "one batch"
        case SetPace(seconds_a_call=seconds):
            return SLOW_MOTION if seconds > 0 else "full speed"
        case SetLR(factor=factor, lr=lr):
            return f"lr {format_lr(lr)}" if lr is not None else f"lr × {format_lr(factor or 0.0)}"
        case SetEpochs(epochs=epochs):
            return f"epochs {epochs:,}"
        case Stop():
            return "stop"
        case SwitchPreset(name=name):
            return f"switch to {name}"
        case SaveCheckpoint():
            return "checkpoint"


SLOWEST_PACE = 10.0
"""Seconds; a call is never held longer, so that a mistyped pace does not look like a hang."""

BY_EYE = 0.5
"""Seconds for which batch by batch holds each call at full speed, to read what it is for and what it made. Whoever asks
for the next batch meanwhile does not wait."""


class RunStopped(Exception):
    """Somebody asked the run to end."""

    def __init__(self, command: Stop) -> None:
        super().__init__(command.reason)
        self.command = command


class CommandRefused(Exception):
    """A command that cannot be followed; the text says why."""


class Controlled(Protocol):
    """What commands act on."""

    step: int
    """Steps of the optimizer so far."""

    @property
    def before_epoch_end(self) -> bool:
        """Whether the last batch of an epoch was taken, and its end is still to come."""

    @property
    def last_step(self) -> int:
        """The step that is the run's last one, as planned now."""

    @property
    def unit(self) -> str:
        """What is counted: batches, where each is a step; else steps."""

    def flush(self, *, wait: bool = False) -> None:
        """Report what has happened; with `wait`, whatever is still on the device too: the run may stand still now."""

    def set_lr(self, command: SetLR) -> str:
        """Turn the LR dial; the LR of the next step, in words. May raise `CommandRefused`."""

    def set_epochs(self, command: SetEpochs) -> str:
        """Train another number of epochs in all; which, in words. May raise `CommandRefused`."""

    def switch_to(self, command: SwitchPreset) -> str:
        """Plan the switch; when it takes effect, in words. May raise `CommandRefused`."""

    def save_checkpoint(self) -> str:
        """Save one now; where it lies, in words. May raise `CommandRefused`."""


@dataclass(frozen=True)
class _OneBatch:
    """Batch by batch: where to pause, and who asked for it."""

    last_step: int
    by: str


def _batches_ahead(asked: int, left: int, unit: str) -> str:
    if left <= 0:
        return say("reply.no_batch_left", unit=unit)
    if asked > left:
        return say("reply.last_batches", batches=counted(left, unit))
    return say("reply.one_batch", unit=unit) if asked == 1 else say("reply.batches", batches=counted(asked, unit))


class CommandHandler:
    """Holds whether the run is paused, and its pace; the loop asks it once a batch."""

    def __init__(self, control: CommandQueue, clock: TrainingClock, emit: Callable[[AnyEvent], None]) -> None:
        self.control = control
        self._clock = clock
        self._emit = emit
        self._pace = 0.0
        self._paused = False
        self._batches: _OneBatch | None = None

    @property
    def following(self) -> bool:
        """Whether each call is to be seen: in slow motion, and in the one batch of batch by batch."""
        return self._pace > 0 or self._batches is not None

    def hold(self, share: float) -> None:
        """Stand still for a share of the pace, or until something is asked."""
        pace = self._pace or (BY_EYE if self._batches is not None else 0.0)
        if pace > 0:
            self._clock.stop()
            self.control.wait(pace * share)
            self._clock.start()

    def handle_commands(self, run: Controlled) -> None:
        """Do what was asked since the last batch; returns when the run may go on.

        Raises:
            RunStopped: the run is to end.
        """
        # The end of an epoch belongs to its last batch: its calls are to be followed too.
        if self._batches is not None and run.step >= self._batches.last_step and not run.before_epoch_end:
            self._pause(run, self._batches.by)
        while True:
            if (command := self.control.take()) is not None:
                self._obey(command, run)
            elif not self._paused:
                self._clock.start()
                return
            else:
                self.control.wait(1.0)

    def _obey(self, command: AnyCommand, run: Controlled) -> None:
        try:
            answer = self._do(command, run)
        except CommandRefused as refusal:
            self._answer(command, str(refusal), accepted=False)
        except RunStopped:
            stopping = say("reply.stopping", step=f"{run.step:,}") if run.step else say("reply.stopping_first")
            self._answer(command, stopping)
            raise
        else:
            self._answer(command, answer)

    def _do(self, command: AnyCommand, run: Controlled) -> str:
        match command:
            case Pause(by=by):
                self._pause(run, by)
                return say("reply.paused", step=f"{run.step:,}") if run.step else say("reply.paused_first")
            case Continue(by=by):
                self._batches = None
                self._go_on(run, by)
                return say("reply.going_on")
            case OneBatch(by=by):
                run.flush(wait=True)  # what is followed by eye takes long: nothing before it may wait for its end
                last_step = 1 + (run.step if self._batches is None else self._batches.last_step)
                self._batches = _OneBatch(last_step, by)
                self._go_on(run, by, one_batch=True)
                return _batches_ahead(last_step - run.step, run.last_step - run.step, run.unit)
            case SetPace(by=by, seconds_a_call=seconds):
                run.flush(wait=True)
                self._pace = min(max(seconds, 0.0), SLOWEST_PACE)
                self._emit(PaceChanged(at=time.time(), seconds_a_call=self._pace, by=by))
                return say("reply.held", seconds=f"{self._pace:g}") if self._pace else say("reply.full_speed")
            case SetLR():
                return run.set_lr(command)
            case SetEpochs():
                return run.set_epochs(command)
            case Stop():
                raise RunStopped(command)
            case SwitchPreset():
                return run.switch_to(command)
            case SaveCheckpoint():
                return run.save_checkpoint()

    def _pause(self, run: Controlled, by: str) -> None:
        self._batches = None
        if self._paused:
            return
        self._clock.stop()
        self._paused = True
        run.flush(wait=True)
        self._emit(Paused(at=time.time(), step=run.step, by=by))

    def _go_on(self, run: Controlled, by: str, *, one_batch: bool = False) -> None:
        if self._paused:
            self._paused = False
            self._emit(Continued(at=time.time(), step=run.step, by=by, one_batch=one_batch))

    def _answer(self, command: AnyCommand, answer: str, *, accepted: bool = True) -> None:
        self._emit(
            CommandAnswered(
                at=time.time(),
                id=command.id,
                command=in_words(command),
                by=command.by,
                accepted=accepted,
                answer=answer,
            )
        )
