"""The terminal, kept for the screen alone while an app runs, and left clean, whatever happens."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, Any

from tui_trainer.ui.terminal.screenful import MOST_PER_SECOND, Screenful

if TYPE_CHECKING:
    from textual.driver import Driver

LEAST_LOST = 65536
"""Bytes of stray prints that are shown after leaving, where no log took them."""


class Terminal:
    """Within it, stray prints of any code go to a log instead of the screen, and a closed terminal is no error.

    Args:
        on_hang_up: called once the terminal is gone, in any thread; descriptors are safe to use by then.
        on_signal: called for SIGINT and SIGTERM, in the main thread.
        most_per_second: bytes that may be written to the terminal, over some seconds.
    """

    def __init__(
        self,
        on_hang_up: Callable[[], object] | None = None,
        on_signal: Callable[[int], None] | None = None,
        most_per_second: float = MOST_PER_SECOND,
    ) -> None:
        self.is_gone = False
        self._on_hang_up = on_hang_up
        self._on_signal = on_signal
        self._most_per_second = most_per_second
        self._kept: dict[int, int] = {}
        """Descriptors 1 and 2, where they were the terminal, as they were before."""
        self._log: IO[bytes] | None = None
        self._undo = contextlib.ExitStack()
        self.screen: Screenful

    def __enter__(self) -> Terminal:
        try:
            self._take_over()
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def driver(self) -> type[Driver]:
        """Textual's driver, writing to and measuring this terminal and no other."""
        from textual.drivers.linux_driver import LinuxDriver

        terminal, screen = self, self.screen

        class TerminalDriver(LinuxDriver):
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                self._file = screen  # type: ignore[assignment]

            def write(self, data: str) -> None:
                screen.handed += 1
                super().write(data)

            def _sigcont_application(self, *args: Any) -> None:
                # Textual begins anew even where a SIGSTOP ended nothing: its threads would be there twice, and its
                # end would wait for ever for the lost ones.
                if self._auto_restart and not self._must_signal_resume:
                    self.suspend_application_mode()
                super()._sigcont_application(*args)

            def run_input_thread(self) -> None:
                try:
                    super().run_input_thread()
                except OSError:
                    terminal.hang_up()

            def _get_terminal_size(self) -> tuple[int, int]:
                try:
                    size = os.get_terminal_size(screen.fileno())
                except OSError:
                    return 80, 24
                return size.columns or 80, size.lines or 24

        return TerminalDriver

    def log_to(self, path: Path) -> None:
        """From now on stray prints go to the end of this file, those kept so far first. From any thread.

        Raises:
            OSError: the file cannot be written; they are kept as before.
        """
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        fd = os.open(path, flags, 0o600)
        try:
            _flush()
            if self._log is not None:
                self._log.seek(0)
                while piece := self._log.read(65536):
                    os.write(fd, piece)
            for number in self._kept:
                os.dup2(fd, number)
        finally:
            os.close(fd)
        if self._log is not None:
            self._log.close()
            self._log = None

    def hang_up(self) -> None:
        """The terminal is gone: nothing may read from it or write to it again, and nobody may wait for it."""
        if self.is_gone:
            return
        self.is_gone = True
        nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(nowhere, 0)
        os.dup2(nowhere, self.screen.fileno())
        for kept in self._kept.values():
            os.dup2(nowhere, kept)
        os.close(nowhere)
        with contextlib.suppress(OSError, ValueError):
            at = time.strftime("%Y-%m-%d %H:%M:%S")
            print(f"{at} the terminal is gone; training goes on without a screen", file=sys.__stdout__, flush=True)
        if self._on_hang_up is not None:
            self._on_hang_up()

    # Taking over, a step a method, each with its own undoing

    def _take_over(self) -> None:
        terminals = [number for number in (1, 2) if os.isatty(number)]
        self.screen = Screenful(_copy(terminals[0] if terminals else 2), self._most_per_second)
        self._undo.callback(os.close, self.screen.fileno())
        self._divert(terminals)
        self._catch_signals()
        self._watch()

    def _divert(self, terminals: list[int]) -> None:
        """What is written to descriptors 1 and 2 goes to a file without a name until there is a log."""
        _flush()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        for number in terminals:
            self._kept[number] = _copy(number)
            os.dup2(self._log.fileno(), number)
        self._undo.callback(self._give_back)

    def _give_back(self) -> None:
        _flush()
        for number, kept in self._kept.items():
            if not self.is_gone:  # else what is printed still goes to the log
                os.dup2(kept, number)
            os.close(kept)
        self._kept.clear()
        if self._log is not None:  # there never was a run's log to take it
            with self._log as log, contextlib.suppress(OSError):
                log.seek(max(0, log.seek(0, os.SEEK_END) - LEAST_LOST))
                os.write(2, log.read())

    def _catch_signals(self) -> None:
        def hung_up(_: int, __: FrameType | None) -> None:
            self.hang_up()

        def asked(number: int, _: FrameType | None) -> None:
            if self._on_signal is not None:
                self._on_signal(number)

        handlers: dict[int, Any] = {signal.SIGHUP: hung_up}
        if self._on_signal is not None:
            handlers |= {signal.SIGTERM: asked, signal.SIGINT: asked}
        for number, handler in handlers.items():
            self._undo.callback(signal.signal, number, signal.signal(number, handler) or signal.SIG_DFL)
        for number in (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH):  # Textual sets these and leaves them
            self._undo.callback(signal.signal, number, signal.getsignal(number) or signal.SIG_DFL)

    def _watch(self) -> None:
        """Learn that the other end was closed without a signal to this process: under nohup, or in another session.

        Reading would tell too, but only by spinning: a closed terminal is at its end for ever.
        """
        ours, other = os.pipe()
        self._undo.callback(os.close, ours)

        def watch() -> None:
            poll = select.poll()
            poll.register(self.screen.fileno(), 0)
            poll.register(ours, select.POLLIN)
            while not self.is_gone:
                for fd, happened in poll.poll():
                    if fd == ours:
                        return
                    if happened & (select.POLLHUP | select.POLLERR):
                        self.hang_up()

        thread = threading.Thread(target=watch, name="terminal", daemon=True)
        thread.start()

        def stop() -> None:
            os.close(other)  # the end of the pipe's other side wakes the watcher
            thread.join(1.0)

        self._undo.callback(stop)


def _copy(fd: int) -> int:
    """A duplicate out of the way of the standard descriptors."""
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)


def _flush() -> None:
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
