"""Runs a watched command, with the processes around it: who keeps its record, and who moves what it prints.

`Host.run` belongs to the process that waits for the command. In a terminal that is one of its own session, which
outlives the terminal; elsewhere it is the one that the shell waits for, and the command has its streams, its session
and its process group as if nobody watched.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from tui_trainer.records.errors import RunsError
from tui_trainer.watching.host import environment
from tui_trainer.watching.host.beginning import TRACES, begin_record, make_traces, print_into_log
from tui_trainer.watching.host.keyboard import Keyboard
from tui_trainer.watching.host.messages import Lines, tell
from tui_trainer.watching.host.output_log import OutputLog
from tui_trainer.watching.host.printed_lines import PrintedLines
from tui_trainer.watching.host.processes import fork
from tui_trainer.watching.host.pump import COMMAND_ENDED, Pump, Stream, set_size
from tui_trainer.watching.host.request import WatchRequest

LAST_WORDS_S = 10.0
"""So long the record's end is waited for once the command has ended."""

_WAITED_FOR = frozenset(
    {
        signal.SIGCHLD,
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
        signal.SIGQUIT,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGALRM,
    }
)

NOT_FOUND, NOT_EXECUTABLE = 127, 126


class CannotStart(Exception):
    """The command could not be started; `str()` says why, in a sentence."""

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class Host:
    """One command, and what is around it. It belongs to one thread of a process that has no others.

    Args:
        request: the command.
        on_begin: told the id of its run once the command has begun.
        on_end: told its exit code, as a shell has it, once it has ended.
    """

    def __init__(
        self,
        request: WatchRequest,
        on_begin: Callable[[str], object] = lambda _: None,
        on_end: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._request = request
        self._on_begin, self._on_end = on_begin, on_end
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        """The signals that were blocked before: the command blocks no others."""
        self._folder = Path()
        self._to_recorder = self._from_recorder = -1
        self._printed = -1
        """The pipe of printed lines, to the recorder; each behind the moment at which it came."""
        self._to_pump = self._from_pump = -1
        self._pump: int | None = None
        self._terminal: tuple[Stream, Keyboard] | None = None
        """The command's, where it has one of its own."""
        self._id = ""
        self._recorder = -1

    def run_here(self, copied: Sequence[int]) -> int:
        """Run the command with the streams of this process, and wait for it; its exit code, as a shell has it.

        Args:
            copied: those of its streams, 1 and 2, that go into the log as well.

        Raises:
            CannotStart: it could not be started; nothing is left.
        """
        with self._waiting_for_signals():
            self._begin_record()
            streams, ends = _copies(copied)
            if streams:
                self._begin_pump(streams, None)
                for stream in streams:
                    os.close(stream.source)
                    os.close(stream.sink)  # type: ignore[arg-type]
            command = self._start(0, ends.get(1, 1), ends.get(2, 2), own_group=False)
            for end in {*ends.values()}:
                os.close(end)
            return self._wait(command, pass_all_on=False)

    def run_in_terminal(self, columns: int, lines: int) -> int:
        """Run the command in a terminal of its own, as leader of a session that this process has already.

        Raises:
            CannotStart: it could not be started; nothing is left.
        """
        with self._waiting_for_signals():
            self._begin_record()
            master, its = pty.openpty()
            set_size(master, columns, lines)
            _do_not_echo(its)
            fcntl.ioctl(its, termios.TIOCSCTTY, 0)
            keyboard = Keyboard(self._folder)
            self._terminal = Stream(master), keyboard
            self._begin_pump([self._terminal[0]], keyboard)
            command = self._start(its, its, its, own_group=True)
            os.close(its)
            code = self._wait(command, pass_all_on=True)
            # Whoever leads a session takes all that runs in front of its terminal along.
            self._wait_for_pump()
            return code

    # What is around it

    @contextlib.contextmanager
    def _waiting_for_signals(self) -> Iterator[None]:
        before = signal.signal(signal.SIGCHLD, lambda *_: None)  # by default it would never be waited for
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED_FOR)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
            signal.signal(signal.SIGCHLD, before or signal.SIG_DFL)

    def _begin_record(self) -> None:
        told, self._to_recorder = os.pipe()
        self._from_recorder, tells = os.pipe()
        printed, self._printed = os.pipe()
        os.set_blocking(self._printed, False)
        request = self._request
        self._recorder = fork(lambda: _record(request, told, tells, printed), [told, tells, printed])
        for end in (told, tells, printed):
            os.close(end)
        lines = Lines(self._from_recorder)
        while not (said := lines.read()) and not lines.at_end:
            pass
        if not said:
            raise CannotStart("its record could not be begun", 2)
        word, _, rest = said[0].partition(" ")
        if word != "run":
            raise CannotStart(rest, 2)
        self._id, self._folder = rest, request.runs / rest

    def _begin_pump(self, streams: list[Stream], keyboard: Keyboard | None) -> None:
        told, self._to_pump = os.pipe()
        self._from_pump, tells = os.pipe()
        printed = self._printed

        def work() -> None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends as soon as nobody prints any more
            log = OutputLog(self._folder / "log.txt")
            for stream in streams:
                stream.lines = PrintedLines(lambda at, line: tell(printed, f"{at!r} {line}"))
            Pump(streams, log, keyboard, told, tells).run()

        keep = [told, tells, printed, *(stream.source for stream in streams)]
        keep += [stream.sink for stream in streams if stream.sink is not None]
        keep += [keyboard.fd] if keyboard is not None else []
        self._pump = fork(work, keep)
        os.close(told)
        os.close(tells)

    def _start(self, stdin: int, stdout: int, stderr: int, *, own_group: bool) -> subprocess.Popen[bytes]:
        request = self._request
        arguments = list(request.command)
        its = environment.watched(request.environment, self._folder / TRACES)

        def as_it_was() -> None:
            if own_group:
                os.setpgid(0, 0)
                signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # it is not in front yet
                os.tcsetpgrp(0, os.getpid())
                for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, *_OF_JOBS):
                    signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

        def begin(arguments: list[str]) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                arguments,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=its,
                cwd=request.cwd,
                close_fds=False,  # what a shell has opened for it, it is to have
                preexec_fn=as_it_was,  # this process has no other threads
            )

        try:
            try:
                command = begin(arguments)
            except OSError as error:
                if error.errno != errno.ENOEXEC:
                    raise
                command = begin(["/bin/sh", *arguments])  # as a shell does with a script that does not say what runs it
        except OSError as error:
            tell(self._to_recorder, "failed")
            self._hear_last_words()
            _refuse(request.command[0], error)
        tell(self._to_recorder, f"pid {command.pid}")
        self._on_begin(self._id)
        return command

    # Waiting

    def _wait(self, command: subprocess.Popen[bytes], *, pass_all_on: bool) -> int:
        """Wait for the command's end, and pass on what this process is told meanwhile; its exit code."""
        while True:
            number, sender, from_keyboard = next_signal()
            if number == signal.SIGCHLD:
                changed, status = os.waitpid(command.pid, os.WNOHANG)
                if changed:
                    break
                self._see_to_pump()
            elif (pass_all_on or not from_keyboard) and sender != self._recorder:  # that one tells all by itself
                with contextlib.suppress(ProcessLookupError):
                    os.kill(command.pid, number)
        code = os.waitstatus_to_exitcode(status)
        command.returncode = code
        shown = code if code >= 0 else 128 - code
        self._on_end(shown)
        self._drain()
        tell(self._to_recorder, f"ended {code}")
        self._hear_last_words()
        return shown

    def _see_to_pump(self) -> None:
        """Begin it anew, should somebody have killed it: else the command would soon wait for ever."""
        if self._pump is None or self._terminal is None:
            return
        ended, status = os.waitpid(self._pump, os.WNOHANG)
        if ended and os.waitstatus_to_exitcode(status):
            stream, keyboard = self._terminal
            self._begin_pump([stream], keyboard)

    def _drain(self) -> None:
        """Wait until what was printed is where it was to go. What it left behind may go on printing."""
        if self._pump is None:
            return
        with contextlib.suppress(OSError):
            os.write(self._to_pump, COMMAND_ENDED)
            os.read(self._from_pump, 1)

    def _wait_for_pump(self) -> None:
        if self._pump is not None:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pump, 0)

    def _hear_last_words(self) -> None:
        """Wait until the record is complete, or goes on without the command."""
        deadline = time.monotonic() + LAST_WORDS_S
        lines = Lines(self._from_recorder)
        while not lines.at_end and (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([self._from_recorder], [], [], left)
            if ready and lines.read():
                return


def _record(request: WatchRequest, told: int, tells: int, printed: int) -> None:
    """Keep the record, in a process of its own; what it needs for that is loaded while the command begins."""
    try:
        record = begin_record(request)
        make_traces(record, request)
    except (RunsError, OSError) as error:
        tell(tells, f"problem {error}")
        return
    tell(tells, f"run {record.id}")
    print_into_log(record)
    from tui_trainer.watching.host.recorder import Recorder

    Recorder(record, request, told, tells, printed).run()


_OF_JOBS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


def next_signal() -> tuple[int, int, bool]:
    """The next signal to this process, which process sent it, and whether it came from the keyboard: so to all that run
    in front."""
    if hasattr(signal, "sigwaitinfo"):
        told = signal.sigwaitinfo(_WAITED_FOR)
        return told.si_signo, told.si_pid, told.si_code > 0  # that of `kill` is 0, those of other programs are negative
    return signal.sigwait(_WAITED_FOR), 0, False


def _copies(copied: Sequence[int]) -> tuple[list[Stream], dict[int, int]]:
    """For each of these descriptors the pipe that is read instead, and the end that the command is given; one for those
    that lead to the same place, so that what goes there keeps its order."""
    streams: list[Stream] = []
    ends: dict[int, int] = {}
    for number in copied:
        alike = next((other for other in ends if os.path.sameopenfile(other, number)), None)
        if alike is not None:
            ends[number] = ends[alike]
            continue
        source, ends[number] = os.pipe()
        streams.append(Stream(source, os.dup(number)))
    return streams, ends


def _do_not_echo(terminal: int) -> None:
    """What is typed is not to be printed back, and so into the log, unless the command does it itself."""
    modes = termios.tcgetattr(terminal)
    modes[3] &= ~(termios.ECHO | termios.ECHONL)
    termios.tcsetattr(terminal, termios.TCSANOW, modes)


def _refuse(program: str, error: OSError) -> NoReturn:
    """Tell why a program cannot be begun.

    Raises:
        CannotStart: always.
    """
    if error.errno == errno.ENOENT and Path(program).exists():
        with contextlib.suppress(OSError), Path(program).open("rb") as file:
            if file.read(2) != b"#!":
                raise CannotStart(f"{program}: the loader that it asks for is not there", NOT_EXECUTABLE) from None
        raise CannotStart(f"{program}: the program that its first line names is not there", NOT_EXECUTABLE) from None
    if error.errno == errno.ENOENT:
        raise CannotStart(f"{program}: command not found", NOT_FOUND) from None
    why = os.strerror(error.errno).lower() if error.errno else str(error)
    raise CannotStart(f"{program}: {why}", NOT_EXECUTABLE) from None
