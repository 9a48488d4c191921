"""The whole lines of a journal, as it grows; what has no end, or takes no room, is passed over."""

from __future__ import annotations

import os
from pathlib import Path

from tui_trainer.files.regular import Irregular, open_regular

CHUNK = 1 << 20
"""Bytes read at once: some 25,000 steps, a few milliseconds of decoding."""

LONGEST_LINE = 4 << 20
"""Bytes. A line beyond this is garbage; none of ours comes near."""

LARGEST_JOURNAL = 1 << 36
"""Bytes: a billion steps. What is larger was not written by a trainer."""

ENDS_IN_NO_LINE = "ends in something that is no line"


class EndsInNoLine(Irregular):
    """More stands behind the last line of a journal than any line has: nothing can be written behind it."""

    def __init__(self) -> None:
        super().__init__(f"it {ENDS_IN_NO_LINE}")


class Lines:
    """A reader of one file. It waits for nothing and reads no byte twice, but for a line that is not whole yet."""

    def __init__(self, path: Path) -> None:
        """A reader that stands at the file's beginning; it need not be there yet."""
        self.offset = 0
        """Bytes that were read."""
        self.garbage = 0
        """Lines without an end in sight that were passed over, whose end has come since."""
        self._path = path
        self._fd: int | None = None
        self._looked_at: tuple[int, int] | None = None
        """Size and time of change of the file as it was looked at last."""
        self._torn_at: tuple[int, int] | None = None
        """The same as a torn last line was seen: as long as they stand, it stays torn."""
        self.in_garbage = False
        """Whether what was passed over last had no end yet."""

    @property
    def fd(self) -> int:
        """The open file, once `unread` has said that there is something in it."""
        assert self._fd is not None
        return self._fd

    def unread(self) -> bool:
        """Whether something was added that may be a line.

        Raises:
            OSError: there is something by that name that is no journal, or cannot be read.
        """
        if self._fd is None:
            try:
                self._fd = open_regular(self._path, most=LARGEST_JOURNAL)
            except FileNotFoundError:
                return False
        stat = os.fstat(self._fd)
        self._looked_at = stat.st_size, stat.st_mtime_ns
        return stat.st_size > self.offset and self._looked_at != self._torn_at

    def next(self) -> bytes | None:
        """Whole lines from where reading stands, and past them; None where there is only part of one."""
        want = CHUNK
        while True:
            chunk = os.pread(self.fd, want, self.offset)
            end = chunk.rfind(b"\n") + 1
            if end:
                self.offset += end
                return self._after_garbage(chunk[:end])
            if len(chunk) < want:
                self._torn_at = self._looked_at
                return None
            if want >= LONGEST_LINE:
                self.offset += len(chunk)
                self.in_garbage = True
                self._pass_over_hole(chunk)
            else:
                want *= 4

    def pass_over(self) -> None:
        """Begin behind the last whole line that is there now."""
        self.offset, _ = split_tail(self.fd, os.fstat(self.fd).st_size)

    @property
    def bytes_left(self) -> int:
        """Bytes in the file that were not read yet."""
        return max(0, os.fstat(self._fd).st_size - self.offset) if self._fd is not None else 0

    @property
    def changed_at(self) -> float | None:
        """When the file was last written to, as it was looked at last (Unix time, of the machine that keeps it)."""
        return self._looked_at[1] / 1e9 if self._looked_at is not None else None

    def close(self) -> None:
        """Let go of the file; reading goes on later where it was."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _after_garbage(self, lines: bytes) -> bytes:
        if not self.in_garbage:
            return lines
        self.in_garbage = False
        self.garbage += 1
        return lines[lines.index(b"\n") + 1 :]

    def _pass_over_hole(self, chunk: bytes) -> None:
        """A file may be long and hold nothing: what takes no room need not be read."""
        if chunk.count(0) < len(chunk):
            return
        try:
            self.offset = os.lseek(self.fd, self.offset, os.SEEK_DATA)
        except OSError:  # nothing stands behind it, or the file system cannot tell
            self.offset = max(self.offset, os.fstat(self.fd).st_size)


def split_tail(fd: int, size: int) -> tuple[int, bytes]:
    """Where the last line that ends with a newline ends, and what stands behind it.

    Raises:
        EndsInNoLine: more stands behind it than any line has.
    """
    block = 64 * 1024
    tail = b""
    start = size
    while start > 0:
        if len(tail) > LONGEST_LINE:
            raise EndsInNoLine
        begin = max(0, start - block)
        piece = os.pread(fd, start - begin, begin)
        newline = piece.rfind(b"\n")
        if newline >= 0:
            return begin + newline + 1, piece[newline + 1 :] + tail
        tail = piece + tail
        start = begin
    return 0, tail
