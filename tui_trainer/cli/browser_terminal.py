"""A terminal between textual-serve and a command: `python -m tui_trainer.cli.browser_terminal RUNS COMMAND...`.

textual-serve starts a command for each page and speaks packets with it, which Textual's own web driver understands.
The screen of this program has a driver of its own, which keeps the terminal for itself and outlives it. So the
command gets a real pseudo-terminal, and all that holds in a terminal holds in the browser: a page that is closed is
a terminal that was closed, and training goes on. A page that does not read holds nobody up: the command is read no
further than the page has taken, and that it is closed is heard all the same.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from tui_trainer.cli.foreground import call_process
from tui_trainer.cli.serve import command_of_page
from tui_trainer.text.plain import shows_unicode

DATA, META = b"D", b"M"
"""Kinds of packets: what is typed or shown, and JSON about it. After the kind come four bytes of length."""

READY = b"__GANGLION__\n"
"""What textual-serve waits for before the first packet."""

NOT_THE_COMMANDS = ("TEXTUAL_DRIVER", "COLUMNS", "ROWS", "LINES")
"""Set by textual-serve for a command without a terminal."""


class Packets:
    """Packets out of a stream of bytes that comes in pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Kind and content of each packet that is whole by now."""
        self._rest += data
        while len(self._rest) >= 5:
            end = 5 + int.from_bytes(self._rest[1:5], "big")
            if len(self._rest) < end:
                return
            kind, content, self._rest = self._rest[:1], self._rest[5:end], self._rest[end:]
            yield kind, content


def packet(kind: bytes, content: bytes) -> bytes:
    """One packet."""
    return kind + len(content).to_bytes(4, "big") + content


class BrowserTerminal:
    """Shows a command in a pseudo-terminal to whoever speaks packets on standard input and output."""

    def __init__(self, command: Sequence[str], columns: int, lines: int, environment: Mapping[str, str]) -> None:
        self._packets = Packets()
        self._unsent = b""
        """What the page has not taken yet."""
        self._answered = False
        """Whether a key came since the command has ended."""
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            _become(command, columns, lines, environment)
        os.set_blocking(self._terminal, False)
        self._resize(columns, lines)

    def show(self) -> int:
        """Until the command ends, or the page is closed; the command's exit code, 0 for a closed page."""
        os.set_blocking(1, False)
        self._unsent = READY
        while True:
            # No more is taken from the command than the page takes from here.
            reads = [0] if self._unsent else [0, self._terminal]
            ready, free, _ = select.select(reads, [1] if self._unsent else [], [])
            if 0 in ready and not self._obey():
                os.close(self._terminal)  # the command is told as by a terminal that was closed
                return 0
            if free:
                self._send()
            if self._terminal in ready and not self._pass_on():
                return self._ended()

    def _pass_on(self) -> bool:
        """Show what the command wrote; whether it may write more."""
        try:
            written = os.read(self._terminal, 65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if written:
            self._unsent += packet(DATA, written)
        return bool(written)

    def _send(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._unsent = self._unsent[os.write(1, self._unsent) :]

    def _obey(self) -> bool:
        """Type what was typed and follow the page's size; whether the page is still open."""
        received = os.read(0, 65536)
        for kind, content in self._packets.feed(received):
            if kind == DATA:
                self._answered = True
                with contextlib.suppress(OSError):  # of a command that reads nothing no more is remembered
                    os.write(self._terminal, content)
            elif kind == META:
                about = json.loads(content)
                if about.get("type") == "quit":
                    return False
                if about.get("type") == "resize":
                    self._resize(int(about["width"]), int(about["height"]))
        return bool(received)

    def _ended(self) -> int:
        """The command said its last: what went wrong stays to be read until a key comes."""
        _, status = os.waitpid(self._child, 0)
        code = os.waitstatus_to_exitcode(status)
        is_open = True
        if code:
            self._unsent += packet(DATA, b"\r\n(press a key)")
            self._answered = False
            is_open = self._talk_until(lambda: self._answered)
        self._unsent += packet(META, json.dumps({"type": "exit"}).encode())
        if is_open:
            self._talk_until(lambda: not self._unsent)
        return code

    def _talk_until(self, holds: Callable[[], bool]) -> bool:
        """Go on with the page alone; whether it is still open."""
        while not holds():
            ready, free, _ = select.select([0], [1] if self._unsent else [], [])
            if ready and not self._obey():
                return False
            if free:
                self._send()
        return True

    def _resize(self, columns: int, lines: int) -> None:
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def _become(command: Sequence[str], columns: int, lines: int, environment: Mapping[str, str]) -> NoReturn:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execve(command[0], list(command), dict(environment))


def environment_of_page(environment: Mapping[str, str]) -> dict[str, str]:
    """What the command is to know of its terminal: a browser's shows all colours and all of Unicode."""
    kept = {name: value for name, value in environment.items() if name not in NOT_THE_COMMANDS}
    kept |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    if not shows_unicode(kept):
        kept["LC_ALL"] = "C.UTF-8"
    return kept


def main() -> int:
    """Show `python -m tui_trainer` with the arguments of this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl+c is the server's; it then closes the pages
    columns, lines = int(os.environ.get("COLUMNS", 80)), int(os.environ.get("ROWS", 24))
    call_process("tui-page")
    command = [sys.executable, "-m", "tui_trainer", *command_of_page(sys.argv[2:], Path(sys.argv[1]))]
    with contextlib.suppress(BrokenPipeError):
        return BrowserTerminal(command, columns, lines, environment_of_page(os.environ)).show()
    return 0


if __name__ == "__main__":
    sys.exit(main())
