"""One connection to another machine, by the system's `ssh`, and what its shell is asked over it."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tui_trainer.errors import UserError
from tui_trainer.remote.address import Address
from tui_trainer.remote.far_shell import COMMAND, SCRIPT, quoted
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain

PATIENCE_S = 20.0
"""An answer that has not come by then does not come any more; a command of ours on the far side has ten seconds."""

GIVES_UP_S = 0.1
"""Seconds within which who waits for an answer gives up."""

MOST_NOISE = 64 << 10
"""Bytes that a login shell may print before ours speaks."""

MOST_BESIDES = 16 << 10
"""Bytes of an answer beside what was asked for."""

ASKED_AT_ONCE = 16 << 10
"""Bytes of requests that are on their way before an answer is read."""

OPTIONS = ("-T", "-a", "-x", "-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none", "-o", "EscapeChar=none")
"""No terminal, no agent and nothing of this machine for the far side; all else as the user's config has it."""


class Lost(Exception):
    """The connection is none any more, or could not be made; `str()` says why, in plain text."""


class Answer(NamedTuple):
    """What was said to one request."""

    content: bytes
    status: int
    """Of the command: 0 where it went well."""


class Connection:
    """Held until `close`, or until it is lost. All of it belongs to one thread."""

    def __init__(
        self,
        address: Address,
        *,
        asks: Callable[[str], None] | None = None,
        compressed: bool = False,
        patience: float = PATIENCE_S,
        gives_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """Connect.

        Args:
            address: of the machine.
            asks: told, in plain text, what ssh says; it may ask for a password and for a new host key, on the terminal.
                None where there is nobody to ask: it must come in by a key then, and has so many seconds.
            compressed: whether what is sent is packed.
            patience: seconds that an answer may take.
            gives_up: asked some times a second while an answer is waited for: whether nobody wants it any more.

        Raises:
            Lost: it cannot be made.
            UserError: there is no `ssh` here.
        """
        self.address = address
        self.compressed = compressed
        self._patience = patience
        self._gives_up = gives_up
        self._told = asks
        self._said = ""
        """The last line that ssh itself has said."""
        self._speaks = True
        """Whether ssh may still say something itself."""
        self._buffer = bytearray()
        self._number = 0
        self._key = f"tui-trainer-{secrets.token_hex(12)}"
        script = f"K={self._key}\n{SCRIPT}".encode()
        self._process = _begin(_arguments(address, len(script), asks is None, compressed), own=asks is None)
        try:
            self._send(script)
            self._read_until(f"\n{self._key} hello\n".encode(), MOST_NOISE, None if asks is not None else patience)
            self._buffer.clear()
            now = time.time()
            told = self.ask("o").content.split(b"\0")
            if len(told) != 4:
                raise Lost(say("remote.no_shell", host=address.place))
            _, home, runs, program = map(os.fsdecode, told)
            self.home, self.runs, self.program = home, runs, program
            """There: the user's home, the folder of runs, and this program; empty where it is not found."""
            self.ahead = float(told[0]) + 0.5 - now if told[0].isdigit() else 0.0  # it tells whole seconds
            """Seconds that the clock there is ahead of the one here, within a second or two."""
        except BaseException:
            self.close()
            raise
        self._told = None

    def ask(self, function: str, *words: str | int, most: int = 0) -> Answer:
        """Have one function of the far shell's called, and wait for what it says.

        Args:
            function: its name.
            words: what it is given.
            most: bytes that the answer may have, beside a few lines.

        Raises:
            Lost: the connection is.
        """
        return self.ask_all([(function, *words)], most=most)[0]

    def ask_all(self, requests: Sequence[tuple[str | int, ...]], *, most: int = 0) -> list[Answer]:
        """The same of several requests, which cross the line together; each answer may have so many bytes.

        Raises:
            Lost: the connection is.
        """
        answers: list[Answer] = []
        lines: list[bytes] = []
        for function, *words in requests:
            self._number += 1
            lines.append(os.fsencode(" ".join([f"a {self._number} {function}", *map(quoted, words)])) + b"\n")
        first, begin = self._number - len(lines) + 1, 0
        while begin < len(lines):
            end, size = begin, 0
            while end < len(lines) and (end == begin or size + len(lines[end]) <= ASKED_AT_ONCE):
                size += len(lines[end])
                end += 1
            self._send(b"".join(lines[begin:end]))
            answers += [self._answer(first + place, most) for place in range(begin, end)]
            begin = end
        return answers

    def close(self) -> None:
        """End it, ssh's process too: the far shell ends as its input does."""
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._process.terminate()
        try:
            self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self, number: int, most: int) -> Answer:
        mark = f"\n{self._key} {number} ".encode()
        at = self._read_until(mark, most + MOST_BESIDES, self._patience)
        end = self._read_until(b"\n", most + 2 * MOST_BESIDES, self._patience, at + len(mark))
        content, status = bytes(self._buffer[:at]), self._buffer[at + len(mark) : end]
        del self._buffer[: end + 1]
        if not status.isdigit():
            raise Lost(say("remote.no_shell", host=self.address.place))
        return Answer(content, int(status))

    def _read_until(self, mark: bytes, most: int, patience: float | None, begin: int = 0) -> int:
        """Read on until a mark is there; where it begins."""
        deadline = None if patience is None else time.monotonic() + patience
        while (at := self._buffer.find(mark, begin)) < 0:
            begin = max(begin, len(self._buffer) - len(mark) + 1)
            if len(self._buffer) > most:
                raise Lost(say("remote.no_shell", host=self.address.place))
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise Lost(say("remote.silent", host=self.address.place))
            if self._gives_up():
                raise Lost(say("remote.ended", host=self.address.place))
            self._read_some(GIVES_UP_S if left is None else min(left, GIVES_UP_S))
        return at

    def _read_some(self, patience: float | None) -> None:
        out, err = self._process.stdout, self._process.stderr
        assert out is not None
        assert err is not None
        try:
            ready, _, _ = select.select([out, err] if self._speaks else [out], [], [], patience)
            if err in ready:
                said = os.read(err.fileno(), 4096)
                self._speaks = bool(said)
                self._hear(said)
            if out in ready:
                if not (piece := os.read(out.fileno(), 1 << 16)):
                    raise Lost(self._why())
                self._buffer += piece
        except (OSError, ValueError) as cause:
            raise Lost(self._why()) from cause

    def _hear(self, said: bytes) -> None:
        lines = [line for line in (plain(each) for each in said.decode(errors="replace").splitlines()) if line]
        for line in lines:
            self._said = line
            if self._told is not None:
                self._told(line)

    def _why(self) -> str:
        """Why nothing more comes."""
        err = self._process.stderr
        with contextlib.suppress(OSError, ValueError):
            while err is not None and select.select([err], [], [], 0.2)[0] and (said := os.read(err.fileno(), 4096)):
                self._hear(said)
        return self._said or say("remote.ended", host=self.address.place)

    def _send(self, content: bytes) -> None:
        stream = self._process.stdin
        assert stream is not None
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[os.write(stream.fileno(), rest) :]
        except (OSError, ValueError) as cause:
            raise Lost(self._why()) from cause


def _arguments(address: Address, script: int, batch: bool, compressed: bool) -> list[str]:
    arguments = ["ssh", *OPTIONS]
    if batch:
        arguments += ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={PATIENCE_S:g}"]
    if compressed:
        arguments.append("-C")
    if address.port is not None:
        arguments += ["-p", str(address.port)]
    if address.user:
        arguments += ["-l", address.user]
    return [*arguments, "--", address.host, COMMAND % script]


def _begin(arguments: Sequence[str], *, own: bool) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=own, bufsize=0)
    except FileNotFoundError:
        raise UserError(say("remote.no_ssh")) from None
    except OSError as cause:
        raise Lost(plain(cause.strerror or str(cause))) from cause
