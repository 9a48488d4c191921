"""A command in a real pseudo-terminal, and what a person would see of it."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

from tests.waiting import PATIENCE_S


class Terminal:
    """Runs `tui-trainer`, or another module, in a pseudo-terminal of its own session, as a shell's login would.

    Attributes:
        text: all that was written, undecoded.
    """

    def __init__(
        self,
        *arguments: str,
        columns: int = 140,
        lines: int = 40,
        env: Mapping[str, str] | None = None,
        module: str = "tui_trainer",
        python: str = sys.executable,
    ) -> None:
        self._emulator = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._emulator)
        self.text = b""
        self.code: int | None = None
        self.pid, self._master = _spawn([python, "-m", module, *arguments], columns, lines, env or {})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.wait()
        self.close()

    @property
    def screen(self) -> str:
        """What is on the screen now."""
        return "\n".join(self._emulator.display)

    def unseen(self) -> list[str]:
        """Lines with a character in the very colour of its ground."""
        found = []
        for y in range(self._emulator.lines):
            cells = [self._emulator.buffer[y][x] for x in range(self._emulator.columns)]
            if any(cell.data.strip() and cell.fg == cell.bg for cell in cells):
                found.append("".join(cell.data for cell in cells))
        return found

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def until(self, what: str | Callable[[str], bool], seconds: float = PATIENCE_S) -> str:
        """Read until the screen shows a text, or a condition on it holds; fails after so long."""
        holds = (lambda screen: what in screen) if isinstance(what, str) else what
        deadline = time.monotonic() + seconds
        while not holds(self.screen):
            if time.monotonic() > deadline or not self._read(0.2):
                raise AssertionError(f"waited for {what!r}; the screen shows\n{self.screen}")
        return self.screen

    def wait(self, seconds: float = PATIENCE_S) -> int:
        """Read until the program ends; its exit code, as a shell has it."""
        deadline = time.monotonic() + seconds
        while self.code is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"it did not end; the screen shows\n{self.screen}")
            if self._master >= 0:
                self._read(0.05)
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                self.code = code if code >= 0 else 128 - code
        while self._master >= 0 and self._read(0.05):
            pass
        return self.code

    def close(self) -> None:
        """Hang up, as a closed laptop does."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def _read(self, seconds: float) -> bool:
        """Take what was written, waiting for it so long at most; whether the terminal is still there."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return self.code is None
        try:
            piece = os.read(self._master, 65536)
        except OSError:
            return False
        if not piece:
            return False
        self.text += piece
        self._stream.feed(piece)
        return True


@cache
def _state() -> str:
    """A folder where the screen remembers that its hints were seen, and not the user's own."""
    folder = Path(tempfile.mkdtemp(prefix="tui-trainer-state-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tui-trainer").mkdir()
    (folder / "tui-trainer" / "screen.json").write_text('{"hints_seen":true}')
    return str(folder)


def _spawn(command: Sequence[str], columns: int, lines: int, env: Mapping[str, str]) -> tuple[int, int]:
    ours = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_STATE_HOME": _state(), **env}
    pid, master = pty.fork()
    if pid == 0:
        os.execvpe(command[0], list(command), {**os.environ, **ours})
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    return pid, master
