"""A file that another program appends to, replaces, cuts off or removes while it is read."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tui_trainer.files.safe_open import Irregular, open_regular

PIECE = 1 << 20
"""Bytes that are read at a time."""

HEAD = 256
"""Bytes at the beginning of a file that tell whether it is still the same one."""

QUIET_S = 60.0
"""A file that has not changed for so long is looked at once a second."""


class FollowedFile:
    """Reads a file piece by piece as it grows. Nothing is held open: a run may have thousands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        """Up to which byte it was read and used."""
        self.written_at: float | None = None
        """When it changed last, Unix time in seconds; None before it was seen."""
        self.size = 0
        """Bytes, at the last look."""
        self.begun_anew = 0
        """How often it was another file, or shorter than what was read of it: it is read from its beginning then."""
        self.gone = False
        """Whether it was not there at the last look."""
        self._inode = 0
        self._head = b""
        self._next_look = 0.0
        self._looked_at = (-1, -1, -1)

    @property
    def lags(self) -> bool:
        """Whether there was more at the last look than was used."""
        return not self.gone and self.offset < self.size

    @property
    def share(self) -> float | None:
        """How much was used of what there was at the last look, from 0 to 1; None before that."""
        return min(1.0, self.offset / self.size) if self.size else None

    def piece(self, most: int = PIECE) -> bytes:
        """What stands behind `offset`, at most so many bytes; empty where nothing is new. Only `use` moves `offset`.

        Raises:
            OSError: it cannot be read, or is no file.
        """
        now = time.monotonic()
        if now < self._next_look and not self.lags:
            return b""
        try:
            fd = open_regular(self.path) if self._changed() else -1
        except (FileNotFoundError, NotADirectoryError):
            self.gone = True
            self._next_look = now + 1.0
            return b""
        if self.written_at is not None and time.time() - self.written_at > QUIET_S:
            self._next_look = now + 1.0
        if fd < 0:
            return b""
        try:
            self._see_whether_anew(fd)
            return os.pread(fd, most, self.offset)
        finally:
            os.close(fd)

    def use(self, count: int) -> None:
        """So many bytes of the last piece were used; the next one begins behind them."""
        self.offset += count

    def _changed(self) -> bool:
        status = self.path.stat()
        self.gone = False
        seen = (status.st_size, status.st_mtime_ns, status.st_ino)
        self.size, self.written_at = status.st_size, status.st_mtime
        changed, self._looked_at = seen != self._looked_at, seen
        return changed or self.offset < self.size

    def _see_whether_anew(self, fd: int) -> None:
        """Begin again with a file that is another, shorter than what was read of it, or begins with something else."""
        head, status = os.pread(fd, HEAD, 0), os.fstat(fd)
        is_another = status.st_ino != self._inode and self._inode != 0
        if is_another or self.size < self.offset or not head.startswith(self._head):
            self.offset = 0
            self.begun_anew += 1
        self._head, self._inode = head, status.st_ino


def begins_with(path: Path, most: int = 4096) -> bytes:
    """The first bytes of a file; empty where there is none that could be read."""
    try:
        fd = open_regular(path)
    except (Irregular, OSError, ValueError):
        return b""
    try:
        return os.pread(fd, most, 0)
    except OSError:
        return b""
    finally:
        os.close(fd)


class Lines:
    """The whole lines of a file that grows; one that has no end yet waits for it."""

    LONGEST = 16 << 20
    """Bytes; of what has no end up to here the rest is passed over."""

    def __init__(self, path: Path) -> None:
        self.file = FollowedFile(path)
        self.too_long = 0
        """Lines that were passed over."""
        self._in_long_line = False
        self._came = False

    @property
    def lags(self) -> bool:
        """Whether there is more behind what the last `read` used."""
        return self._came and self.file.lags

    def read(self, most: int = PIECE) -> bytes:
        """What came in whole lines, with their ends.

        Raises:
            OSError: it cannot be read.
        """
        anew = self.file.begun_anew
        piece = self.file.piece(most)
        self._came = False
        if self.file.begun_anew != anew:
            self._in_long_line = False
        end = piece.rfind(b"\n") + 1
        if not end and len(piece) >= most and most < self.LONGEST:
            piece = self.file.piece(self.LONGEST)
            end = piece.rfind(b"\n") + 1
        if not end and len(piece) >= self.LONGEST:
            self.too_long += not self._in_long_line
            self._in_long_line = self._came = True
            self.file.use(len(piece))
            return b""
        self._came = end > 0
        self.file.use(end)
        if self._in_long_line and end:
            self._in_long_line = False
            return piece[piece.index(b"\n") + 1 : end]
        return piece[:end]
