"""What is asked of a watched command, and what became of it: to its processes by the control file, to the command by
signals.

All processes of a command read the same file, which says one thing at a time: what is asked while they have not
answered yet waits.
"""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from tui_trainer.commands import AnyCommand, Continue, OneBatch, Pause, SaveCheckpoint, SetPace, Stop, SwitchPreset
from tui_trainer.engine.control import SLOWEST_PACE, CommandRefused, in_words
from tui_trainer.events import CommandAnswered, Continued, PaceChanged, Paused
from tui_trainer.files.safe_open import open_private
from tui_trainer.text.captions import say
from tui_trainer.watching.host.processes import ignores, signal_command
from tui_trainer.watching.host.watched_run import WatchedRun
from tui_trainer.watching.trace import CONTROL_FILE, Asked, Obeyed

STOP_PATIENCE_S = 5.0
"""So long a step may take before a command that is to stop is sent SIGINT instead."""

SEEN_WITHIN_S = 1.0
"""What is asked is seen by a process within this time, or with its next step."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
"""What a command is sent that is to stop, one more each time it is asked."""

_HARDER = "asked again, it is sent {}"


@dataclass
class _Question:
    """What was asked and has no answer yet."""

    run: WatchedRun
    command: AnyCommand
    serial: int = 0
    """As the processes know it; 0 before they are asked."""
    asked_at: float = 0.0


class Steering:
    """Of one command.

    Args:
        folder: of the traces.
        enabled: whether its processes may be told anything.
        runs: gives all runs of the command.
        pid: gives the command's process; None before it began and once it has ended.
    """

    def __init__(
        self,
        folder: Path,
        *,
        enabled: bool,
        runs: Callable[[], Sequence[WatchedRun]],
        pid: Callable[[], int | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fd = open_private(folder / CONTROL_FILE, os.O_WRONLY)
        self._enabled = enabled
        self._runs = runs
        self._pid = pid
        self._clock = clock
        self._asked = Asked(alive=os.getpid())
        self._waiting: deque[_Question] = deque()
        self._open: _Question | None = None
        self._signals_sent = 0
        self._write()

    def ask(self, run: WatchedRun, command: AnyCommand) -> None:
        """Somebody asks something of a run of the command; the answer is an event of that run."""
        question = _Question(run, command)
        try:
            if isinstance(command, Stop):
                self._stop(question)
                return
            self._check(question)
        except CommandRefused as refusal:
            _answer(question, str(refusal), accepted=False)
            return
        self._waiting.append(question)
        self.tick()

    def tick(self) -> None:
        """Some time went by: see to what waits."""
        question = self._open
        if question is not None and not question.run.live_processes and not isinstance(question.command, Stop):
            self._open = None
            _answer(question, "it ended before it could", accepted=False)
        elif question is not None and isinstance(question.command, Stop) and self._takes_long(question):
            self._open = None
            self._interrupt(question, "its step takes long: ")
        while self._open is None and self._waiting:
            self._put(self._waiting.popleft())

    def _takes_long(self, question: _Question) -> bool:
        return self._clock() - question.asked_at >= STOP_PATIENCE_S or not question.run.live_processes

    def obeyed(self, run: WatchedRun, told: Obeyed) -> None:
        """A run, by its first process, has done what it was asked, or the last of it."""
        question = self._open
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
            case _:
                pass
        if question is not None and question.run is run and question.serial == told.serial:
            self._open = None
            _answer(question, _done(question.command, told))
            self.tick()

    def _check(self, question: _Question) -> None:
        """Raises: CommandRefused."""
        run, command = question.run, question.command
        if isinstance(command, SwitchPreset):
            raise CommandRefused(say("watched.no_switch"))
        if isinstance(command, SaveCheckpoint):
            raise CommandRefused(say("watched.no_checkpoint"))
        if not self._enabled:
            raise CommandRefused(say("watched.no_control"))
        if not run.live_processes:
            raise CommandRefused("nothing that trains is seen (any more): there is no step to hold it at")
        if run.ranks_are_missing:
            raise CommandRefused(
                "not all ranks of this run are seen from here: one that stood still would hang the rest"
            )

    def _put(self, question: _Question) -> None:
        """Have the processes see it."""
        try:
            self._check(question)
        except CommandRefused as refusal:
            _answer(question, str(refusal), accepted=False)
            return
        run, before = question.run, self._asked
        match question.command:
            case Pause() if run.paused:
                _answer(question, f"paused after step {max(each.step for each in run.live_processes)}")
                return
            case Continue() if not run.paused:
                _answer(question, "going on")
                return
            case Pause():
                asked = replace(before, do="pause", at=self._agreed_step(run))
            case OneBatch():
                asked = replace(before, do="one", at=self._agreed_step(run))
            case SetPace(seconds_a_call=seconds):
                # One batch that was taken is not to be taken again.
                do = "pause" if before.do == "one" else before.do
                asked = replace(before, do=do, at=0, pace=min(max(seconds, 0.0), SLOWEST_PACE))
            case Stop():
                asked = replace(before, do="stop", at=self._agreed_step(run))
            case _:
                asked = replace(before, do="run", at=0)
        self._asked = replace(asked, serial=before.serial + 1)
        question.serial, question.asked_at = self._asked.serial, self._clock()
        self._open = question
        self._write()

    def _agreed_step(self, run: WatchedRun) -> int:
        """The step from which on all ranks of a run take up what is asked; 0, at once, where there is one process, or
        all stand still already."""
        live = run.live_processes
        together = len(live) > 1 and not run.paused
        return max(process.step_after(SEEN_WITHIN_S) for process in live) if together else 0

    def _write(self) -> None:
        os.pwrite(self._fd, self._asked.in_bytes(), 0)

    # The end

    def _stop(self, question: _Question) -> None:
        """Have a step be the last; where none is seen, or it was asked already, with a signal.

        Raises:
            CommandRefused: it has ended.
        """
        run = question.run
        again, run.stop = run.stop is not None, question.command if isinstance(question.command, Stop) else None
        alone = run is self._runs()[0] or len([each for each in self._runs() if each.ended is None]) == 1
        if not alone:
            self._end_processes(question)
        elif again or not self._enabled or not run.live_processes or run.ranks_are_missing:
            before, self._open = self._open, None
            if before is not None:
                _answer(before, "it was asked to stop before it could", accepted=isinstance(before.command, Stop))
            self._interrupt(question)
        else:
            if self._open is not None:
                _answer(self._open, "it was asked to stop before it could", accepted=False)
                self._open = None
            self._put(question)

    def _interrupt(self, question: _Question, why: str = "") -> None:
        number = _SIGNALS[min(self._signals_sent, len(_SIGNALS) - 1)]
        pid = self._pid()
        if pid is None or not signal_command(pid, number):
            _answer(question, "there is no command to stop: it has not begun yet, or has ended", accepted=False)
            return
        self._signals_sent += 1
        harder = _SIGNALS[min(self._signals_sent, len(_SIGNALS) - 1)]
        as_keyboard = ", as ctrl+c does" if number == signal.SIGINT else ""
        more = f"; {_HARDER.format(harder.name)}" if harder != number else ""
        _answer(question, f"{why}sent {number.name} to the command{as_keyboard}{more}")

    def _end_processes(self, question: _Question) -> None:
        """Of several trainings of a command only this one is to end."""
        told = []
        for process in question.run.live_processes:
            number = signal.SIGTERM if ignores(process.pid, signal.SIGINT) else signal.SIGINT
            try:
                os.kill(process.pid, number)
                told.append(f"{number.name} to process {process.pid}")
            except OSError:
                continue
        if not told:
            raise CommandRefused("its process has ended")
        _answer(question, f"sent {', '.join(told)}: the command's other runs go on")


def _done(command: AnyCommand, told: Obeyed) -> str:
    match command:
        case Pause():
            return f"paused after step {told.step}"
        case Continue():
            return "going on"
        case OneBatch():
            return "one batch, then pause"
        case SetPace(seconds_a_call=seconds):
            return f"each call is held for {min(seconds, SLOWEST_PACE):g} s" if seconds > 0 else "full speed"
        case _:
            return f"stopping after step {told.step}"


def _answer(question: _Question, answer: str, *, accepted: bool = True) -> None:
    command = question.command
    question.run.emit(
        CommandAnswered(
            at=time.time(), id=command.id, command=in_words(command), by=command.by, accepted=accepted, answer=answer
        )
    )
