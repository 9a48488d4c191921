"""A command in a real pseudo-terminal, and what a person would see of it."""

from __future__ import annotations

import atexit
import contextlib
import copy
import fcntl
import os
import pty
import re
import select
import shutil
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import pyte
from pyte.screens import wcwidth

from tests.preloaded import start, start_anew
from tests.waiting import PATIENCE_S

_KEYBOARD = re.compile(rb"\x1b\[[<>=?][\d;]*u")
"""Of the Kitty keyboard protocol, which pyte would show."""


FIRST_WIDE = "\u1100"
"""The first character of two cells: of those before it there is no need to ask."""


class Emulator(pyte.Screen):
    """With the alternate screen, which pyte leaves out, and without reading again what has not changed."""

    _before: tuple[dict[int, object], pyte.screens.Cursor] | None = None

    def __init__(self, columns: int, lines: int) -> None:
        self._shown: dict[int, str] = {}
        super().__init__(columns, lines)

    def set_mode(self, *modes: int, **options: bool) -> None:
        if 1049 in modes and options.get("private") and self._before is None:
            self._before = {y: copy.deepcopy(self.buffer[y]) for y in range(self.lines)}, copy.copy(self.cursor)
            self.erase_in_display(2)
        super().set_mode(*modes, **options)

    def reset_mode(self, *modes: int, **options: bool) -> None:
        super().reset_mode(*modes, **options)
        if 1049 in modes and options.get("private") and self._before is not None:
            (lines, self.cursor), self._before = self._before, None
            self.buffer.clear()
            self.buffer.update(lines)
            self.dirty.update(range(self.lines))

    def select_graphic_rendition(self, *attributes: int, **options: bool) -> None:
        if not options.get("private"):
            super().select_graphic_rendition(*attributes)

    @property
    def display(self) -> list[str]:
        """Each line, put together anew where it has changed."""
        for y in self.dirty:
            self._shown[y] = "".join(self._characters(y))
        self.dirty.clear()
        return [self._shown[y] for y in range(self.lines)]

    def _characters(self, y: int) -> Iterator[str]:
        line, is_covered = self.buffer[y], False
        for x in range(self.columns):
            data = "" if is_covered else line[x].data
            is_covered = data >= FIRST_WIDE and wcwidth(data[0]) == 2
            yield data


WORDS_OF_TRAINING = ("training", "overfitting", "plateaued", "chance level", "diverging")
"""What the top line says of a run that trains: small ones of tests are soon not well."""


def trains(screen: str) -> bool:
    """Whether the screen shows a run that trains."""
    return "finished" not in screen and any(word in screen for word in WORDS_OF_TRAINING)


class Terminal:
    """Runs `tui-trainer`, or another module, in a pseudo-terminal of its own session, as a shell's login would.

    Attributes:
        text: all that was written, undecoded.
        modes_before: the terminal's own, as the program found them.
    """

    def __init__(
        self,
        *arguments: str,
        columns: int = 140,
        lines: int = 40,
        env: Mapping[str, str] | None = None,
        module: str = "tui_trainer",
        command: Sequence[str] = (),
        preloaded: bool = True,
    ) -> None:
        """Start it.

        Args:
            command: run instead of a module, where it is given.
            preloaded: whether a module may run in an interpreter that has torch loaded already, where there is one.
        """
        self._emulator = Emulator(columns, lines)
        self._stream = pyte.ByteStream(self._emulator)
        self.text = b""
        self.code: int | None = None
        told = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_STATE_HOME": _state(), **(env or {})}
        self._master, its = pty.openpty()
        self.modes_before = self.modes
        _size(self._master, columns, lines)
        streams, whole = (its, its, its), {**os.environ, **told}
        if preloaded and not command:
            self.pid = start(module, arguments, streams, env=whole, session=True)
        else:
            anew = command or [sys.executable, "-m", module, *arguments]
            self.pid = start_anew(anew, streams, env=whole, session=True)
        os.close(its)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            end_session(self.pid)
            if self.code is None:
                self.wait()
        finally:
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

    @property
    def modes(self) -> list[object]:
        """The terminal's own modes: whether it echoes, waits for a whole line, and so on."""
        return termios.tcgetattr(self._master)

    @modes.setter
    def modes(self, modes: list[object]) -> None:
        termios.tcsetattr(self._master, termios.TCSANOW, modes)

    def press(self, keys: str | bytes) -> None:
        """Type; what the program writes meanwhile is read, as a terminal does."""
        data = keys.encode() if isinstance(keys, str) else keys
        while data:
            _, free, _ = select.select([], [self._master], [], 0.05)
            if free:
                data = data[os.write(self._master, data[:1024]) :]
            self._read(0.0)

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size; what is not shown on a common one is not followed."""
        _size(self._master, columns, lines)
        if 0 < columns <= 500 and 0 < lines <= 500:
            self._emulator.resize(lines, columns)

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
        self._stream.feed(_KEYBOARD.sub(b"", piece))
        return True


def end_session(leader: int) -> None:
    """Kill all that was started on a terminal: jobs of a shell have groups of their own."""
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.Error):
            if os.getsid(process.pid) == leader:
                process.kill()


@cache
def _state() -> str:
    """A folder where the screen remembers that its hints were seen, and not the user's own."""
    folder = Path(tempfile.mkdtemp(prefix="tui-trainer-state-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "tui-trainer").mkdir()
    (folder / "tui-trainer" / "screen.json").write_text('{"hints_seen":true}')
    return str(folder)


def _size(master: int, columns: int, lines: int) -> None:
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
