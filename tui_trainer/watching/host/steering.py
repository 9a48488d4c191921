"""What is asked of the run of a watched command, and what became of it: to its processes by a control file each, to the
command by signals.

The processes of a run are told one thing at a time: what is asked while they have not answered yet waits.
"""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec.structs import replace

from tui_trainer.commands import (
    LARGEST_FACTOR,
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
from tui_trainer.engine.control import SLOWEST_PACE, CommandRefused, in_words
from tui_trainer.events import CommandAnswered, Continued, PaceChanged, Paused
from tui_trainer.files.safe_open import open_private
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import format_lr
from tui_trainer.watching.host.processes import ignores
from tui_trainer.watching.host.traced_process import TracedProcess
from tui_trainer.watching.host.watched_run import WatchedRun
from tui_trainer.watching.trace import Asked, Obeyed, control_file

STOP_PATIENCE_S = 5.0
"""So long a step may take before a command that is to stop is sent SIGINT instead."""

SEEN_WITHIN_S = 1.0
"""What is asked is seen by a process within this time, or with its next step."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
"""What a command, or a process, is sent that is to stop, one more each time it is asked."""

Interrupt: TypeAlias = Callable[[Stop], str]
"""Sends the command a signal, and says which. Raises `CommandRefused` where there is none."""


@dataclass
class _Question:
    """What was asked and has no answer yet."""

    command: AnyCommand
    serial: int = 0
    """As the processes know it; 0 before they are asked."""
    asked_at: float = 0.0


class Steering:
    """Of one run of a command.

    Args:
        run: the one that is asked.
        folder: of the traces.
        enabled: whether its processes may be told anything.
        others_train: whether other runs of the command go on.
        interrupt: ends the command, and so all of its runs; None of a run that is not the command's.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        run: WatchedRun,
        folder: Path,
        *,
        enabled: bool,
        others_train: Callable[[], bool],
        interrupt: Interrupt | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._folder = folder
        self._enabled = enabled
        self._others_train = others_train
        self._interrupt_command = interrupt
        self._clock = clock
        self._files: dict[str, int] = {}
        """The control file of each process, open."""
        self._asked = Asked(alive=os.getpid())
        self._dial = 1.0
        """What the LR is multiplied with, as the processes said last."""
        self._waiting: deque[_Question] = deque()
        self._open: _Question | None = None
        self._signals_sent = 0

    def join(self, process: TracedProcess) -> None:
        """A process trains the run from here on: it is asked what the others are.

        Raises:
            OSError: there is no room to ask it.
        """
        self._files[process.name] = open_private(self._folder / control_file(process.name), os.O_WRONLY)
        self._write()

    def close(self) -> None:
        """The run has ended: nothing is asked of it any more."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def ask(self, command: AnyCommand) -> None:
        """Somebody asks something of the run; the answer is an event of it."""
        question = _Question(command)
        try:
            if isinstance(command, Stop):
                self._stop(question, command)
                return
            self._check(question)
        except CommandRefused as refusal:
            self._answer(question, str(refusal), accepted=False)
            return
        self._waiting.append(question)
        self.tick()

    def tick(self) -> None:
        """Some time went by: see to what waits."""
        question, live = self._open, self._run.live_processes
        if question is not None and not isinstance(question.command, Stop):
            if not live:
                self._open = None
                self._answer(question, say("reply.ended_first"), accepted=False)
        elif question is not None and (not live or self._clock() - question.asked_at >= STOP_PATIENCE_S):
            self._open = None
            self._interrupt(question, "reply.takes_long" if live else "reply.nothing_to_stop_at")
        while self._open is None and self._waiting:
            self._put(self._waiting.popleft())

    def obeyed(self, told: Obeyed) -> None:
        """The run, by its first process, has done what it was asked, or the last of it."""
        run, question = self._run, self._open
        by = question.command.by if question is not None and question.serial == told.serial else "watch"
        match told.what:
            case "pause" if not run.paused:
                run.paused = True
                run.emit(Paused(at=time.time(), step=told.step, by=by))
            case "run" | "one" if run.paused:
                run.paused = False
                run.emit(Continued(at=time.time(), step=told.step, by=by, one_batch=told.what == "one"))
            case "pace":
                run.emit(PaceChanged(at=time.time(), seconds_a_call=self._asked.pace, by=by))
            case "lr":
                self._dial = self._asked.lr_factor
                run.dial(self._dial, by)
            case "no_lr":
                self._asked = replace(self._asked, lr_factor=self._dial)
            case _:
                pass
        if question is not None and question.serial == told.serial:
            self._open = None
            if told.what == "no_lr":
                self._answer(question, say("watched.lr_is_tensor"), accepted=False)
            else:
                self._answer(question, self._done(question, told))
            self.tick()

    def _done(self, question: _Question, told: Obeyed) -> str:
        match question.command:
            case Pause():
                return _paused_after(told.step)
            case Continue():
                return say("reply.going_on")
            case OneBatch():
                return say("reply.one_batch", unit="step")
            case SetPace(seconds_a_call=seconds):
                if seconds <= 0:
                    return say("reply.full_speed")
                return say("reply.held", seconds=f"{min(seconds, SLOWEST_PACE):g}")
            case SetLR() if self._dial == 1.0:
                return say("reply.program_lr_own", step=f"{told.step + 1:,}")
            case SetLR():
                return say("reply.program_lr", step=f"{told.step + 1:,}", factor=format_lr(self._dial))
            case _:
                last = say("reply.stopping", step=f"{told.step:,}") if told.step else say("reply.stopping_first")
                return last + self._others_go_on(question)

    def _others_go_on(self, question: _Question) -> str:
        return say("reply.others_go_on") if isinstance(question.command, Stop) and self._others_train() else ""

    def _check(self, question: _Question) -> None:
        """Raises: CommandRefused."""
        run, command = self._run, question.command
        if isinstance(command, SwitchPreset):
            raise CommandRefused(say("watched.no_switch"))
        if isinstance(command, SaveCheckpoint):
            raise CommandRefused(say("watched.no_checkpoint"))
        if isinstance(command, SetEpochs):
            raise CommandRefused(say("watched.no_epochs"))
        if not self._enabled:
            raise CommandRefused(say("watched.no_control"))
        if not run.live_processes:
            raise CommandRefused(say("reply.nothing_trains"))
        if isinstance(command, SetLR) and self._factor(command) == self._dial:
            raise CommandRefused(say("reply.dial_there", factor=format_lr(self._dial)))
        if run.ranks_are_missing:
            raise CommandRefused(say("reply.ranks_missing"))

    def _put(self, question: _Question) -> None:
        """Have the processes see it."""
        try:
            self._check(question)
        except CommandRefused as refusal:
            self._answer(question, str(refusal), accepted=False)
            return
        run, before = self._run, self._asked
        match question.command:
            case Pause() if run.paused:
                self._answer(question, _paused_after(max(each.step for each in run.live_processes)))
                return
            case Continue() if not run.paused:
                self._answer(question, say("reply.going_on"))
                return
            case Pause():
                asked = replace(before, do="pause", at=self._agreed_step())
            case OneBatch():
                asked = replace(before, do="one", at=self._agreed_step())
            case SetPace(seconds_a_call=seconds):
                # One batch that was taken is not to be taken again.
                do = "pause" if before.do == "one" else before.do
                asked = replace(before, do=do, at=0, pace=min(max(seconds, 0.0), SLOWEST_PACE))
            case SetLR():
                do = "pause" if before.do == "one" else before.do
                asked = replace(before, do=do, at=self._agreed_step(), lr_factor=self._factor(question.command))
            case Stop():
                asked = replace(before, do="stop", at=self._agreed_step())
            case _:
                asked = replace(before, do="run", at=0)
        self._asked = replace(asked, serial=before.serial + 1)
        question.serial, question.asked_at = self._asked.serial, self._clock()
        self._open = question
        self._write()

    def _factor(self, command: SetLR) -> float:
        """What the LR is to be multiplied with.

        Raises:
            CommandRefused: nothing makes of the program's LR what is asked for.
        """
        factor, own = command.factor, self._run.own_lr
        if command.lr is not None:
            if not (isfinite(own) and own > 0):
                raise CommandRefused(say("reply.program_lr_unknown"))
            factor = command.lr / own
        if factor is None or not 0 < factor < LARGEST_FACTOR:
            raise CommandRefused(say("reply.dial_range", most=f"{LARGEST_FACTOR:,.0f}", whose="the program's"))
        return factor

    def _agreed_step(self) -> int:
        """The step from which on all ranks of the run take up what is asked; 0, at once, where there is one process, or
        all stand still already."""
        live = self._run.live_processes
        together = len(live) > 1 and not self._run.paused
        return max(process.step_after(SEEN_WITHIN_S) for process in live) if together else 0

    def _write(self) -> None:
        content = self._asked.in_bytes()
        for file in self._files.values():
            os.pwrite(file, content, 0)

    # The end

    def _stop(self, question: _Question, command: Stop) -> None:
        """Have a step be the last; where none is seen, or it was asked already, with a signal.

        Raises:
            CommandRefused: it has ended.
        """
        run = self._run
        again, run.stop = run.stop is not None, command
        before, self._open = self._open, None
        if before is not None:
            accepted = isinstance(before.command, Stop)
            self._answer(before, say("reply.stop_again" if accepted else "reply.stop_first"), accepted=accepted)
        if again or not self._enabled or not run.live_processes or run.ranks_are_missing:
            self._interrupt(question)
        else:
            self._put(question)

    def _interrupt(
        self, question: _Question, why: Literal["reply.takes_long", "reply.nothing_to_stop_at", ""] = ""
    ) -> None:
        """Send a signal: to the command, if nothing else trains under it or nothing of this run is left; else to the
        processes of this run alone."""
        assert isinstance(question.command, Stop)
        for process in self._run.live_processes:
            process.look(now=True)
        try:
            if self._interrupt_command is not None and not (self._run.live_processes and self._others_train()):
                sent = self._interrupt_command(question.command)
            else:
                sent = self._interrupt_processes() + self._others_go_on(question)
            self._answer(question, say(why, sent=sent) if why else sent)
        except CommandRefused as refusal:
            self._answer(question, str(refusal), accepted=False)

    def _interrupt_processes(self) -> str:
        """What its processes were sent.

        Raises:
            CommandRefused: there are none.
        """
        told = []
        for process in self._run.live_processes:
            number = signal_after(self._signals_sent)
            if number == signal.SIGINT and ignores(process.pid, number):
                number = signal.SIGTERM
            try:
                os.kill(process.pid, number)
                told.append(say("reply.to_process", signal=number.name, pid=process.pid))
            except OSError:
                continue
        if not told:
            raise CommandRefused(say("reply.process_ended"))
        self._signals_sent += 1
        return say("reply.sent", signals=", ".join(told))

    def _answer(self, question: _Question, answer: str, *, accepted: bool = True) -> None:
        command = question.command
        told = {"id": command.id, "command": in_words(command), "by": command.by}
        self._run.emit(CommandAnswered(at=time.time(), accepted=accepted, answer=answer, **told))


def _paused_after(step: int) -> str:
    return say("reply.paused", step=f"{step:,}") if step else say("reply.paused_first")


def signal_after(sent: int) -> signal.Signals:
    """What is sent that was asked to stop so often already."""
    return SIGNALS[min(sent, len(SIGNALS) - 1)]


def sent_to_command(number: signal.Signals, harder: signal.Signals) -> str:
    """What is told of a signal that a command was sent, where `harder` is what it is sent if asked again."""
    how = say("reply.as_ctrl_c") if number == signal.SIGINT else ""
    more = say("reply.harder", signal=harder.name) if harder != number else ""
    return say("reply.sent_command", signal=number.name, how=how, more=more)
