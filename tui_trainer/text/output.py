"""The one door to the terminal, pipe or file that this process prints to: nothing is printed past it.

Names, titles and messages of others may hold what a terminal obeys: escape sequences, marks that turn the direction of
text. The door shows such a character as `\\u001b`, whoever prints, a library or a traceback too. JSON and strings of
TOML mean by that the very character, so that what is piped to a file stays what it was.

A disk that is full, or a reader that is gone, raises nothing into training: the door keeps what went wrong.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import re
import stat
import sys
from typing import TYPE_CHECKING, TextIO, cast

from tui_trainer.text.plain import REORDER, mend

if TYPE_CHECKING:
    from typing_extensions import Buffer

_OBEYED = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{''.join(sorted(REORDER))}]")
"""All controls but the tab and the line's end; halves of characters, which cannot be written; marks that reorder."""


def visible(text: str) -> str:
    """The text with each character that a terminal would obey as JSON and TOML write it."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Output(io.TextIOBase):
    """A standard stream, as all of this process see it. Bytes pass the same door: `buffer` is none past it.

    Args:
        stream: where it leads.
        raises: whether a reader that is gone is told as `BrokenPipeError`, so that a command may end. What cannot be
            written for another reason, a full disk say, is never raised: `failure` has the first such error.
    """

    def __init__(self, stream: TextIO, *, raises: bool) -> None:
        self._stream = stream
        self._raises = raises
        self._is_terminal = stream.isatty()  # one that was closed is none any more
        self.failure: OSError | None = None
        self.buffer = _Bytes(self)

    @property
    def raw(self) -> TextIO:
        """The same way without the door, for sequences of our own: who takes it answers for the text among them."""
        return cast("TextIO", _Opened(self))

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._stream.errors

    def write(self, text: str) -> int:
        self.pass_on(visible(text))
        return len(text)

    def pass_on(self, text: str) -> None:
        """Write it as it is."""
        try:
            self._stream.write(text)
        except OSError as error:
            self._met(error)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._met(error)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def close(self) -> None:
        """What it leads to is not its own to close."""
        self.flush()

    def _met(self, error: OSError) -> None:
        if isinstance(error, ConnectionError) or self._has_reader():
            if self._raises:
                raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from error
        elif self.failure is None:
            self.failure = error
            if self._raises:
                from tui_trainer.text.captions import say  # an import that a command does not wait for

                print(say("shell.unwritable", why=error.strerror or error), file=sys.stderr, flush=True)

    def _has_reader(self) -> bool:
        """Whether it fails only where nobody reads any more, as a terminal or a pipe does, and not for want of room."""
        try:
            kind = os.fstat(self._stream.fileno()).st_mode
        except (OSError, ValueError):
            return False
        return stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind) or (stat.S_ISCHR(kind) and self._is_terminal)


class _Bytes(io.BufferedIOBase):
    """Where bytes of UTF-8 are written to that go through an `Output`."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def write(self, data: Buffer) -> int:
        content = bytes(data)
        self._output.write(self._decoder.decode(content))
        return len(content)

    def flush(self) -> None:
        self._output.flush()

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        self.flush()


class _Opened(io.TextIOBase):
    """An `Output` whose door stands open."""

    def __init__(self, output: Output) -> None:
        self._output = output

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._output.encoding

    def write(self, text: str) -> int:
        self._output.pass_on(text)
        return len(text)

    def flush(self) -> None:
        self._output.flush()

    def isatty(self) -> bool:
        return self._output.isatty()

    def fileno(self) -> int:
        return self._output.fileno()

    def close(self) -> None:
        self.flush()


def guard() -> None:
    """Have standard output and error of this process pass the door from here on, and fail for no character's want."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or isinstance(stream, Output):
            continue
        mend(stream)
        with contextlib.suppress(OSError, ValueError):
            os.set_blocking(stream.fileno(), True)  # shared with a program that wants it otherwise, it would lose text
        setattr(sys, name, Output(stream, raises=name == "stdout"))


def settled(exit_code: int) -> int:
    """Write what still waits; the exit code of the command, which is not 0 where some of it could not be written."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        if not isinstance(stream, Output):
            continue
        try:
            stream.flush()
        except BrokenPipeError:
            exit_code = exit_code or 1
            _lead_nowhere(number)
        if stream.failure is not None:
            exit_code = exit_code or 1
            _lead_nowhere(number)
    return exit_code


def _lead_nowhere(number: int) -> None:
    """What waits to be written cannot be: the interpreter, which tries again as it ends, would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
