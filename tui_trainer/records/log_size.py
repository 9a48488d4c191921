"""What is left out of a log that grows: states of a line that was written over and over, and the middle of a long one.

A log that whole processes print to, their native code included, is shortened where it stands: what is open for
appending goes on at its new end.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from tui_trainer.files.safe_open import open_regular
from tui_trainer.text.captions import say

LARGEST = 4 << 20
"""Bytes of a log: beyond them what is in the middle is left out."""

SMALL = 256 << 10
"""Bytes up to which nothing is left out."""


def shortened(text: bytes, between: int = 0, end: bytes | None = None) -> bytes:
    """A log with what a carriage return went back over left out, and its middle, where that is not enough.

    Args:
        text: all of it; or, with `end`, its beginning.
        between: bytes that lie between the two, and are left out at any rate.
        end: its last bytes, where there is something between.
    """
    whole, end = (_collapsed(text), b"") if end is None else (text, _collapsed(end))
    if not end and len(whole) <= LARGEST // 2:
        return whole
    first = whole[: LARGEST // 8].rpartition(b"\n")[0]
    last = (end or whole)[-LARGEST // 4 :].partition(b"\n")[2]
    left_out = between + len(whole) + len(end) - len(first) - len(last)
    return first + f"\n{say('log.left_out', bytes=f'{left_out:,}')}\n".encode() + last


def _collapsed(text: bytes) -> bytes:
    """Each line as a terminal would have left it; the end of one may be `\\r\\n`, too."""
    return b"\n".join(line.rstrip(b"\r").rpartition(b"\r")[2] for line in text.split(b"\n"))


class BoundedLog:
    """Keeps the log of a run small, in the process that prints to it."""

    def __init__(self) -> None:
        self._next = SMALL
        """Bytes from which on it is looked through."""

    def look(self, file: Path) -> None:
        """Leave out what is too much; a log that is not there, or cannot be written, is left as it is.

        What is printed within the moment that this takes may be lost.
        """
        with suppress(OSError):
            fd = open_regular(file, os.O_RDWR | os.O_NOFOLLOW)
            try:
                size = os.fstat(fd).st_size
                if size >= self._next:
                    self._shorten(fd, size)
            finally:
                os.close(fd)

    def _shorten(self, fd: int, size: int) -> None:
        if size <= 2 * LARGEST:
            kept = shortened(os.pread(fd, size, 0))
        else:
            first, last = os.pread(fd, LARGEST // 8, 0), os.pread(fd, LARGEST, size - LARGEST)
            kept = shortened(first, size - len(first) - len(last), last)
        if len(kept) < size:
            os.pwrite(fd, kept, 0)  # the rest is cut off after that: killed in between, nothing is lost
            os.ftruncate(fd, len(kept))
        self._next = min(LARGEST, max(SMALL, 2 * len(kept)))
