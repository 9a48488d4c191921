"""The process that keeps the records of a watched command: it reads traces, and what is asked; it runs nothing itself.

It outlives the terminal. Should it be killed, what it watches goes on.
"""

from __future__ import annotations

import select
import shutil
import signal
import time
from types import FrameType

from msgspec.structs import replace

from tui_trainer.commands import Stop
from tui_trainer.engine.control import CommandRefused
from tui_trainer.records.errors import RunsError, reason
from tui_trainer.records.record import Record
from tui_trainer.text import captions
from tui_trainer.watching.host import endings, environment, keyboard, out_of_sight
from tui_trainer.watching.host.beginning import TRACES, begin_record
from tui_trainer.watching.host.messages import Lines, tell
from tui_trainer.watching.host.processes import any_with, began, ignores, is_alive, signal_command
from tui_trainer.watching.host.request import WatchRequest
from tui_trainer.watching.host.steering import Steering, sent_to_command, signal_after
from tui_trainer.watching.host.traced_process import TracedProcess
from tui_trainer.watching.host.watched_run import WatchedRun
from tui_trainer.watching.trace import Hello, Obeyed, Options, processes

LOOK_EVERY = 0.1
"""Seconds between looks at traces, and at what is asked."""

MOST_READS = 32
"""Of printed lines in a row, of some 64 KiB each."""

LEFT_BEHIND_S = 60.0
"""So long after a command's end its first step may come, of a process that it left behind."""


class Recorder:
    """Of one command.

    Args:
        record: the command's, which has begun.
        request: the command.
        told: a pipe of lines from who runs it: `pid N`, `ended CODE`, `failed`; or `finished` with how, see `within`.
        tells: a pipe of lines to it: `done`, `goes on`.
        printed: a pipe of the lines that the command prints, each behind the moment at which it came; None where nobody
            reads them.
        within: the process whose own code asks to be watched; None where a command is run to be watched.
    """

    def __init__(
        self,
        record: Record,
        request: WatchRequest,
        told: int,
        tells: int,
        printed: int | None = None,
        *,
        within: int | None = None,
    ) -> None:
        self._request = request
        self._options = Options(
            calls=request.calls,
            control=request.control,
            rehearse=request.rehearse,
            epochs=request.epochs,
            steps=request.steps,
        )
        self._tells = tells
        self._lines = {pipe: Lines(pipe) for pipe in (told, printed) if pipe is not None}
        self._told, self._printed = told, printed
        self._within = within
        self._within_began = began(within) if within is not None else None
        self._finished: str | None = None
        """How the code that asked to be watched says that it ended; None before."""
        self._pid: int | None = within
        self._code: int | None = None
        """The command's exit code, less than 0 where a signal ended it."""
        self._is_over = False
        """Whether the command itself has ended."""
        self._until = 0.0
        """When nothing that it left behind is waited for any more."""
        self._failed = False
        """Whether it could not even be started."""
        self._processes: dict[str, TracedProcess] = {}
        self._traces = record.folder / TRACES
        self._runs: list[WatchedRun] = []
        self._steering: dict[WatchedRun, Steering] = {}
        self._signals_sent = 0
        """To the command, as it was to stop."""
        self._add(WatchedRun(record, request, self._options))
        self._run_of: dict[str, WatchedRun] = {}
        self._signals: list[int] = []
        self._has_said = False
        """Whether it said that there is training yet though the command has ended."""

    def run(self) -> None:
        """From the beginning to the end."""
        captions.load()  # the command may train for days
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        if self._within is None and (unseen := out_of_sight.reason(self._request.command)):
            self._main.warn(unseen)
        while not self._look():
            self._wait()
        if self._failed:
            self._forget()
        else:
            self._end()
            tell(self._tells, "done")

    @property
    def _main(self) -> WatchedRun:
        """The run that is the command's: it goes on as long as that does."""
        return self._runs[0]

    def _wait(self) -> None:
        self._listen(list(self._lines), LOOK_EVERY)

    def _listen(self, pipes: list[int], seconds: float) -> bool:
        """Take what comes from these pipes, for so long at most; whether anything did."""
        ready, _, _ = select.select(pipes, [], [], seconds)
        for fd in ready:
            lines = self._lines[fd]
            for line in lines.read():
                self._hear(line) if fd == self._told else self._take_printed(line)
            if lines.at_end:
                del self._lines[fd]
        return bool(ready)

    def _hear(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        match word:
            case "pid":
                self._pid = int(rest)
            case "ended":
                self._code, self._is_over = int(rest), True
                self._until = time.monotonic() + LEFT_BEHIND_S
            case "failed":
                self._failed = self._is_over = True
            case "finished":
                self._finished, self._is_over = rest, True

    def _take_printed(self, told: str) -> None:
        at, _, line = told.partition(" ")
        if len(self._runs) == 1:  # of several, nobody knows whose it is
            self._main.printed(line, float(at))

    def _take_all_printed(self) -> None:
        """What was printed before calls that were told has come by now: it is read before them."""
        for _ in range(MOST_READS):
            if self._printed not in self._lines or not self._listen([self._printed], 0.0):
                return

    def _look(self) -> bool:
        """See what is new; whether all of it is over."""
        if self._told not in self._lines and not self._is_over:  # who runs the command was killed
            self._is_over = self._pid is None or not is_alive(self._pid)
        if self._within is not None and not self._is_over:
            self._is_over = not is_alive(self._within, self._within_began)
        was_over = self._is_over
        for number in self._signals:
            self._pass_on(number)
        self._signals.clear()
        for name in self._names():
            if name not in self._processes:
                self._processes[name] = TracedProcess(self._traces, name)
        for process in list(self._processes.values()):
            self._follow(process)
        for run in self._runs:
            if run.ended is None:
                for command in run.record.inbox.poll():
                    self._steering[run].ask(command)
        for run in self._runs:
            if run.ended is None:
                self._steering[run].tick()
                run.tick()
                self._end_if_over(run)
        if not was_over or self._failed or self._within is not None:
            return was_over
        trains = any(not process.is_gone for process in self._processes.values())
        if goes_on := trains or self._may_begin():
            self._say_it_goes_on()
        return not goes_on

    def _may_begin(self) -> bool:
        """Whether the command left something behind that may train yet."""
        if self._main.has_trained or time.monotonic() >= self._until:
            return False
        return any_with(environment.TRACES, str(self._traces))

    def _say_it_goes_on(self) -> None:
        if not self._has_said:
            self._has_said = True
            tell(self._tells, "goes on")

    def _names(self) -> list[str]:
        try:
            return processes(self._traces)
        except OSError:
            return []

    def _follow(self, process: TracedProcess) -> None:
        if process.is_gone:
            return
        process.look(now=self._is_over)  # before reading: what it told until it ended is there by then
        for frame in process.read():
            self._take_all_printed()
            if isinstance(frame, Hello):
                self._admit(process)
            run = self._run_of.get(process.name)
            if run is None:
                continue
            run.take(process, frame)
            if isinstance(frame, Obeyed) and run.is_led_by(process):
                run.tick()  # the steps until then come first
                self._steering[run].obeyed(replace(frame, step=run.step_of(frame)))
        if process.is_gone:
            process.clean_up()

    def _admit(self, process: TracedProcess) -> None:
        """Find the run of a process that tells its first: one with others of its group, or one of its own."""
        assert process.hello is not None
        hello = process.hello
        found = next((run for run in self._runs if run.ended is None and run.belongs(hello)), None)
        if found is None and not self._main.has_trained:
            found = self._main
        if found is None:
            try:
                record = begin_record(self._request, group=self._main.record.id, number=len(self._runs) + 1)
            except RunsError as error:
                self._main.warn(str(error))
                return
            found = WatchedRun(record, self._request, self._options)
            self._main.warn_of_another(found.record.id)
            self._add(found)
        found.join(process)
        self._run_of[process.name] = found
        try:
            self._steering[found].join(process)
        except OSError as error:
            found.warn_of_unreachable(process.pid, reason(error))

    def _add(self, run: WatchedRun) -> None:
        """One more run of the command."""
        self._runs.append(run)
        self._steering[run] = Steering(
            run,
            self._traces,
            enabled=self._request.control,
            others_train=lambda: any(each.live_processes for each in self._runs if each is not run),
            interrupt=self._interrupt if run is self._main else None,
        )

    def _end_if_over(self, run: WatchedRun) -> None:
        """A run that is not the command's ends with its processes."""
        if run is not self._main and not run.live_processes:
            left = all(process.took_leave for process in run.processes)
            raised = run.raised.error if run.raised is not None else ""
            run.end(*endings.of_training(took_leave=left, raised=raised, stop=run.stop))
            self._steering[run].close()

    def _end(self) -> None:
        if self._within is not None:
            left = all(process.took_leave for process in self._main.processes)
            self._main.end(*endings.of_own_code(self._finished, self._main.stop, took_leave=left))
        else:
            unseen = () if self._main.has_trained else self._request.command
            ending = endings.of_command(self._code, self._main.stop, raised=self._main.raised, unseen=unseen)
            self._main.end(*ending)
        keyboard.remove(self._main.record.folder)
        shutil.rmtree(self._traces, ignore_errors=True)

    def _forget(self) -> None:
        """The command could not be started: nothing is left of it."""
        folder = self._main.record.folder
        self._main.record.close()
        shutil.rmtree(folder, ignore_errors=True)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._signals.append(number)

    def _interrupt(self, stop: Stop) -> str:
        """Send the command the next signal, for somebody who asked it to stop; which that was.

        Raises:
            CommandRefused: there is nobody to send it to.
        """
        number, harder = signal_after(self._signals_sent), signal_after(self._signals_sent + 1)
        if self._pid is None or not signal_command(self._pid, number):
            raise CommandRefused("there is no command to stop: it has not begun yet, or has ended")
        self._signals_sent += 1
        self._stop_all(stop, number)
        return sent_to_command(number, harder)

    def _stop_all(self, stop: Stop, number: int) -> None:
        """Whoever sends the command a signal ends all that train under it, but those that ignore it."""
        self._main.stop = stop
        for run in self._runs:
            if any(not ignores(process.pid, number) for process in run.live_processes):
                run.stop = run.stop or stop

    def _pass_on(self, number: int) -> None:
        """Whoever ends this process means the command."""
        name = signal.Signals(number).name
        self._stop_all(Stop(by="signal", reason=f"stopped by {name}", exit_code=128 + number), number)
        if self._pid is not None:
            signal_command(self._pid, number)
