"""What is typed to a watched command, and how large its terminal is: handed to it through a pipe in the run's folder.

Only the run's owner can open that pipe, and nothing that goes through it is kept anywhere. It is there where the
command has a terminal of its own. Messages are whole or absent: each fits into what a pipe takes in one piece.
"""

from __future__ import annotations

import errno
import os
import select
import stat
from collections.abc import Iterator
from pathlib import Path
from struct import Struct

PIPE = "keyboard"
"""Its name in the run's folder."""

MOST_WAITING = 64 * 1024
"""Bytes that wait for a command that does not read; what is typed beyond them is lost, as at any terminal."""

_HEAD = Struct("<cH")
_SIZE = Struct("<HH")
_TYPED, _RESIZED = b"t", b"s"
_PIECE = select.PIPE_BUF - _HEAD.size


def takes_input(folder: Path) -> bool:
    """Whether something could be typed to the command of the run in this folder: it has a terminal, and goes on."""
    try:
        os.close(_open(folder))
    except OSError:
        return False
    return True


def type_to(folder: Path, data: bytes) -> bool:
    """Type to the command of a run, as its terminal would have it: `b"\\x03"` is ctrl+c, `b"\\n"` the enter key.

    Returns:
        Whether it was taken; False where nobody reads any more, or too much waits already.
    """
    return _send(folder, [_TYPED + data[begin : begin + _PIECE] for begin in range(0, len(data), _PIECE)])


def resize(folder: Path, columns: int, lines: int) -> bool:
    """Give the terminal of a run's command another size; False where it has none any more."""
    return _send(folder, [_RESIZED + _SIZE.pack(min(columns, 0xFFFF), min(lines, 0xFFFF))])


def _send(folder: Path, messages: list[bytes]) -> bool:
    try:
        fd = _open(folder)
    except OSError:
        return False
    try:
        for message in messages:
            os.write(fd, _HEAD.pack(message[:1], len(message) - 1) + message[1:])
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def _open(folder: Path) -> int:
    """The end that is written to.

    Raises:
        OSError: it is not there, nobody reads, or something else stands there.
    """
    fd = os.open(folder / PIPE, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    status = os.fstat(fd)
    if not stat.S_ISFIFO(status.st_mode) or status.st_uid != os.geteuid():
        os.close(fd)
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))
    return fd


class Keyboard:
    """The command's side of it: what was typed since the last look, and the newest size."""

    def __init__(self, folder: Path) -> None:
        """Make the pipe.

        Raises:
            OSError: it cannot be made.
        """
        path = folder / PIPE
        os.mkfifo(path, 0o600)
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        """Ready to be read as something was typed. Written to by nobody: so that it is never at its end."""
        self._rest = b""

    def read(self) -> Iterator[bytes | tuple[int, int]]:
        """What came, in order: what was typed, or a size in columns and lines."""
        try:
            self._rest += os.read(self.fd, 64 * 1024)
        except BlockingIOError:
            return
        place = 0
        while place + _HEAD.size <= len(self._rest):
            kind, length = _HEAD.unpack_from(self._rest, place)
            begin, end = place + _HEAD.size, place + _HEAD.size + length
            if end > len(self._rest):
                break
            if kind == _TYPED:
                yield self._rest[begin:end]
            elif kind == _RESIZED and length == _SIZE.size:
                columns, lines = _SIZE.unpack_from(self._rest, begin)
                yield columns, lines
            place = end
        self._rest = self._rest[place:]


def remove(folder: Path) -> None:
    """The command is over: nothing can be typed to it."""
    (folder / PIPE).unlink(missing_ok=True)
