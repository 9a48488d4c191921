"""What a run printed, read as it grows: the newest lines of its `log.txt`, as text that may be shown."""

from __future__ import annotations

import os
import re
from collections import deque
from pathlib import Path

from tui_trainer.files.regular import open_regular
from tui_trainer.text.plain import plain_lines

CHUNK = 64 * 1024
"""Bytes read at once; of a file that grows faster than it is looked at, the rest is passed over."""

LINES_KEPT = 2000
LONGEST_LINE = 2000
"""Characters; what a line has beyond them is cut off."""

_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, movements
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # titles, links and other strings
    r"|\x1b[ -/]*[0-~]"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)


def as_text(line: str) -> str:
    """A line as a terminal would have left it, without what a terminal could obey.

    What a carriage return went back over is gone, as with a progress bar; escape sequences, controls and marks that
    reorder text are left out; tabs are spaces.
    """
    *_, line = line.rstrip("\r").split("\r")
    line = _SEQUENCES.sub("", line)
    if not line.isprintable():  # nearly all lines are
        line = " ".join(plain_lines(line))
    return line[:LONGEST_LINE].rstrip()


class LogTail:
    """Follows the end of one file, which need not be there yet.

    Attributes:
        lines: the newest lines, oldest first; the last may still grow.
        count: how many lines were ever read: line `i` of `lines` is number `count - len(lines) + i`.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read_to = 0
        self._inode = 0
        self._rest = b""
        """Behind the last newline."""
        self._grows = False
        """Whether the last of `lines` is that rest."""
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.count = 0

    def look(self) -> bool:
        """Read what was added; whether anything was. A file that was cut off or replaced is read anew."""
        try:
            fd = open_regular(self._file)
        except OSError:
            return False
        try:
            stat = os.fstat(fd)
            if stat.st_size < self._read_to or stat.st_ino != self._inode:
                self._begin(stat.st_ino)
            if stat.st_size == self._read_to:
                return False
            if stat.st_size - self._read_to > CHUNK:
                self._pass_over(stat.st_size - CHUNK)
            piece = os.pread(fd, CHUNK, self._read_to)
        except OSError:
            return False
        finally:
            os.close(fd)
        self._read_to += len(piece)
        self._take(piece)
        return bool(piece)

    def _begin(self, inode: int) -> None:
        self._inode, self._read_to, self._rest, self._grows = inode, 0, b"", False
        self.lines.clear()

    def _pass_over(self, to: int) -> None:
        self._read_to, self._rest, self._grows = to, b"", False
        self._add("… what was printed before was passed over …")

    def _take(self, piece: bytes) -> None:
        if self._grows:
            self.lines.pop()
            self.count -= 1
        *whole, rest = (self._rest + piece).split(b"\n")
        self._rest = rest[-CHUNK:]
        for line in whole:
            self._add(as_text(line.decode("utf-8", "replace")))
        self._grows = bool(rest)
        if rest:
            self._add(as_text(rest.decode("utf-8", "replace")))

    def _add(self, line: str) -> None:
        self.lines.append(line)
        self.count += 1
