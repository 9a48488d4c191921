"""The terminal, kept for the screen alone while an app runs, and left clean, whatever happens; and where Textual writes
to: the terminal, at a rate that a slow link can take, in characters that it can show."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO, Any

from tui_trainer.files.safe_open import open_private
from tui_trainer.text.captions import say
from tui_trainer.text.output import visible
from tui_trainer.text.plain import in_ascii, shows_unicode
from tui_trainer.ui.terminal.job_control import modes_of, restore

MOST_PER_SECOND = 64_000
"""Bytes a second to the terminal, over some seconds, where no option says less. A live run needs a tenth of it."""

AT_ONCE_S = 0.5
"""What the rate allows in so many seconds may be written in one go, so that keys are answered at once."""


class ThrottledWriter:
    """A file to a terminal, by a descriptor of its own. A terminal that is gone takes all in silence.

    Nothing that was drawn is thrown away or held back: where more was written than the rate allows, `lags` asks for
    patience until the next frame, which then shows all that is new at once.
    """

    def __init__(
        self,
        fd: int,
        most_per_second: float = MOST_PER_SECOND,
        on_failure: Callable[[BaseException], object] | None = None,
    ) -> None:
        """For a descriptor; `on_failure` is told once of what nobody foresaw, after which nothing is written."""
        self._fd = fd
        self._on_failure = on_failure
        self.is_broken = False
        """Whether the last of what was handed over may not have been written, though the terminal is there."""
        self._most_per_second = most_per_second
        self._unicode = shows_unicode()
        self._rests_until = 0.0
        self.handed = 0
        """Pieces that the app has handed over."""
        self.written = 0
        """Pieces of them that the terminal has taken."""
        self.bytes_written = 0

    @property
    def lags(self) -> bool:
        """Whether the terminal, or the rate, is slower than the screen: another frame would only wait in line."""
        return self.handed - self.written > 3 or time.monotonic() + AT_ONCE_S < self._rests_until

    def write(self, text: str) -> None:
        """Write all of it, however long the terminal takes. Called in Textual's writer thread.

        It never raises: a writer that dies would stop the app's loop.
        """
        try:
            if not self.is_broken:
                self._write(text.encode("utf-8", "replace") if self._unicode else in_ascii(text).encode())
        except OSError:
            pass  # hung up: who watches for that acts
        except Exception as error:
            self.is_broken = True
            if self._on_failure is not None:
                self._on_failure(error)
        self.written += 1

    def _write(self, data: bytes) -> None:
        self.bytes_written += len(data)
        while data:
            written = os.write(self._fd, data)
            self._rests_until = max(self._rests_until, time.monotonic()) + written / self._most_per_second
            data = data[written:]

    def flush(self) -> None:
        """Nothing is held back."""

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return os.isatty(self._fd)


LEAST_LOST = 65536
"""Bytes of stray prints that are shown after leaving, where no log took them."""


def hung_up() -> str:
    """What the log is told of a terminal that is gone, and when."""
    return f"{time.strftime('%Y-%m-%d %H:%M:%S')} {say('screen.hung_up')}"


class Terminal:
    """Within it, stray prints of any code go to a log instead of the screen, and a closed terminal is no error.

    Args:
        on_hang_up: called once the terminal is gone, in any thread; descriptors are safe to use by then.
        on_signal: called for SIGINT and SIGTERM, in the main thread.
        most_per_second: bytes that may be written to the terminal, over some seconds.
        on_failure: called once something broke that the screen cannot go on without, in any thread.
        lives_by: a descriptor of a pipe to the process that the shell waits for: once that is gone, the shell has the
            terminal for itself.
    """

    def __init__(
        self,
        on_hang_up: Callable[[], object] | None = None,
        on_signal: Callable[[int], None] | None = None,
        most_per_second: float = MOST_PER_SECOND,
        *,
        on_failure: Callable[[], object] | None = None,
        lives_by: int | None = None,
    ) -> None:
        self.is_gone = False
        """Whether the terminal is, or belongs to others again."""
        self.is_drawn_on = False
        """Whether it may show the app's screen, and not the text from before."""
        self.failure: BaseException | None = None
        """What the screen cannot go on without."""
        self._on_hang_up = on_hang_up
        self._on_signal = on_signal
        self._on_failure = on_failure
        self._most_per_second = most_per_second
        self._lives_by = lives_by
        self._modes = modes_of(0)
        self._kept: dict[int, int] = {}
        """Descriptors 1 and 2, where they were the terminal, as they were before."""
        self._log: IO[bytes] | None = None
        self._turning = threading.Lock()
        """Held while descriptors are turned elsewhere. No signal handler may want it."""
        self._wake: int | None = None
        """Written to, it has the watcher hang up."""
        self._undo = contextlib.ExitStack()
        self.screen: ThrottledWriter

    def __enter__(self) -> Terminal:
        try:
            self._take_over()
        except BaseException:
            self._undo.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def log_to(self, path: Path) -> None:
        """From now on stray prints go to the end of this file, those kept so far first. From any thread.

        Does nothing once the screen was left: what is printed from then on is the terminal's, as it was before.

        Raises:
            OSError: there is no file that can be written, or something else stands there; they are kept as before.
        """
        with self._turning:
            if self._log is None and not self._kept:
                return
            fd = open_private(path, os.O_WRONLY | os.O_APPEND)
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
        """The terminal is gone, or not ours any more: nothing may read from it or write to it again, and nobody may
        wait for it. Where it is still there, it is left clean. From any thread, and from no signal handler.
        """
        with self._turning:
            if self.is_gone:
                return
            self.is_gone = True
            nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            terminal = _copy(self.screen.fileno())
            os.dup2(nowhere, 0)
            os.dup2(nowhere, self.screen.fileno())
            for kept in self._kept.values():
                os.dup2(nowhere, kept)
            os.close(nowhere)
            if self.is_drawn_on:
                restore(terminal, self._modes)
            os.close(terminal)
        with contextlib.suppress(OSError, ValueError):
            print(hung_up(), file=sys.__stdout__, flush=True)
        if self._on_hang_up is not None:
            self._on_hang_up()

    def fail(self, error: BaseException) -> None:
        """Something broke that the screen cannot go on without: it ends, and nothing else does. From any thread."""
        if self.failure is not None:
            return
        self.failure = error
        with contextlib.suppress(OSError, ValueError):
            traceback.print_exception(error, file=sys.__stderr__)  # to the log
        if self._on_failure is not None:
            self._on_failure()

    # Taking over, a step a method, each with its own undoing

    def _take_over(self) -> None:
        terminals = [number for number in (1, 2) if os.isatty(number)]
        self.screen = ThrottledWriter(_copy(terminals[0] if terminals else 2), self._most_per_second, self.fail)
        self._undo.callback(os.close, self.screen.fileno())
        self._divert(terminals)
        self._undo.callback(self._leave_clean)
        self._watch()
        self._catch_signals()

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
        with self._turning:
            for number, kept in self._kept.items():
                if not self.is_gone:  # else what is printed still goes to the log
                    os.dup2(kept, number)
                os.close(kept)
            self._kept.clear()
            log, self._log = self._log, None
        if log is not None:  # there never was a run's log to take it
            with log, contextlib.suppress(OSError):
                log.seek(max(0, log.seek(0, os.SEEK_END) - LEAST_LOST))
                os.write(2, visible(log.read().decode("utf-8", "replace")).encode())

    def _leave_clean(self) -> None:
        """Where the driver could not."""
        if self.is_drawn_on and not self.is_gone:
            restore(self.screen.fileno(), self._modes)

    def _catch_signals(self) -> None:
        def hung_up(_: int, __: FrameType | None) -> None:
            if self._wake is not None:
                os.write(self._wake, b"\0")

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
        ours, self._wake = os.pipe()
        self._undo.callback(os.close, ours)
        thread = threading.Thread(target=self._watch_until_woken, args=(ours,), name="terminal", daemon=True)
        thread.start()

        def stop() -> None:
            wake, self._wake = self._wake, None
            if wake is not None:
                os.close(wake)  # the end of the pipe's other side wakes the watcher
            thread.join(1.0)

        self._undo.callback(stop)

    def _watch_until_woken(self, ours: int) -> None:
        poll = select.poll()
        poll.register(self.screen.fileno(), 0)
        poll.register(ours, select.POLLIN)
        if self._lives_by is not None:
            poll.register(self._lives_by, 0)
        try:
            while not self.is_gone:
                for fd, happened in poll.poll():
                    if fd == ours:
                        if not os.read(ours, 1):
                            return
                        self.hang_up()
                    elif happened & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                        self.hang_up()
        except Exception as error:
            self.fail(error)


def _copy(fd: int) -> int:
    """A duplicate out of the way of the standard descriptors."""
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)


def _flush() -> None:
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
