"""What a watched command prints, kept as text in its run's `log.txt`: bounded, and nothing in it that a terminal would
obey."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from tui_trainer.files.atomic import write_atomic
from tui_trainer.files.safe_open import open_private, read_regular
from tui_trainer.records.log_size import LARGEST, shortened
from tui_trainer.records.tail import as_text
from tui_trainer.text.captions import say

WRITE_EVERY = 0.2
"""Seconds between writes."""

REDRAWN_EVERY = 2.0
"""Seconds between two states of a line that is written over again and again, as a progress bar's."""

MOST_PER_SECOND = 1 << 20
"""Bytes of output that are looked at: of what comes faster only the newest is kept."""

LONGEST_LINE = 16 * 1024
"""Bytes of a line without an end that are kept."""

_TORN = re.compile(rb"\x1b[^\x40-\x5a\x5c-\x7e]*\Z")
"""A sequence that is not whole yet."""


class Allowance:
    """How many bytes of output may be looked at: so many a second, and after a rest no more than those of one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that rise."""
        self._clock = clock
        self._bytes, self._filled_at = float(MOST_PER_SECOND), clock()

    @property
    def left(self) -> int:
        """So many by now."""
        now = self._clock()
        self._bytes = min(self._bytes + (now - self._filled_at) * MOST_PER_SECOND, MOST_PER_SECOND)
        self._filled_at = now
        return int(self._bytes)

    def use(self, count: int) -> None:
        """So many are looked at."""
        self._bytes -= count


class OutputLog:
    """Takes bytes as they are printed, and writes lines. Nothing of it raises for the disk's sake.

    Args:
        file: the log; made where it is not there.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        file: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = file
        self._clock = clock
        self._waiting = bytearray()
        self._shown = b""
        """What of the line that is not whole yet stands in the file."""
        self._left_out = 0
        self._allowance = Allowance(clock)
        self._next: float | None = None
        """When something is to be written; None while all that can be is."""
        self._redraw_at = 0.0
        self._size = 0

    def take(self, data: bytes) -> None:
        """Something was printed."""
        self._waiting += data
        if self._next is None:
            self._next = self._clock() + WRITE_EVERY
        if len(self._waiting) > 2 * MOST_PER_SECOND:
            self._drop(len(self._waiting) - MOST_PER_SECOND)

    @property
    def wakes_in(self) -> float | None:
        """Seconds until `write_waiting` is to be called; None where nothing waits."""
        return max(0.0, self._next - self._clock()) if self._next is not None else None

    def write_waiting(self, *, all_of_it: bool = False) -> None:
        """Write what waits, if it is time to: `all_of_it` at the end."""
        now = self._clock()
        if self._next is None or (now < self._next and not all_of_it):
            return
        self._next = None
        if len(self._waiting) > (left := self._allowance.left):
            self._drop(len(self._waiting) - left)
        self._allowance.use(len(self._waiting))
        self._write(self._lines(all_of_it=all_of_it))

    def _drop(self, count: int) -> None:
        """Leave out so many bytes at least, and the rest of the line that they end in."""
        end = self._waiting.find(b"\n", count, count + LONGEST_LINE)
        count = end + 1 if end >= 0 else count
        del self._waiting[:count]
        self._left_out += count

    def _lines(self, *, all_of_it: bool) -> bytes:
        """What of the waiting is to be written; the part of a line at its end goes on waiting."""
        text = bytearray()
        if self._left_out:
            text += b"\n" if self._shown else b""
            text += f"{say('log.too_fast', count=f'{self._left_out:,}')}\n".encode()
            self._left_out, self._shown = 0, b""
        *whole, rest = bytes(self._waiting).split(b"\n")
        for line in whole:
            shown = as_text(line.decode("utf-8", "replace"))
            text += self._go_on_with(shown.encode("utf-8", "replace")) + b"\n"
            self._shown = b""
        self._waiting[:] = rest[-LONGEST_LINE:]
        if rest and not all_of_it and self._shown and self._clock() < self._redraw_at:
            self._next = self._redraw_at
        elif rest:
            self._redraw_at = self._clock() + REDRAWN_EVERY
            now = as_text(_TORN.sub(b"", rest).decode("utf-8", "replace")).encode("utf-8", "replace")
            text += self._go_on_with(now)
            self._shown = now or self._shown
        return bytes(text)

    def _go_on_with(self, line: bytes) -> bytes:
        """What makes the line that stands there into this one: readers take what is behind the last `\\r`."""
        if line.startswith(self._shown):
            return line[len(self._shown) :]
        return b"\r" + line

    def _write(self, text: bytes) -> None:
        if not text:
            return
        try:
            if self._size + len(text) > LARGEST:
                self._shorten()
            fd = open_private(self._file, os.O_WRONLY | os.O_APPEND)
            try:
                os.write(fd, text)
                self._size = os.fstat(fd).st_size
            finally:
                os.close(fd)
        except OSError:
            self._shown = b""  # no disk is worth the command's end

    def _shorten(self) -> None:
        """Keep the file's beginning and its end, and of lines written over and over what was left of them."""
        kept = shortened(read_regular(self._file, 2 * LARGEST))
        write_atomic(self._file, kept)
        self._shown = kept.rpartition(b"\n")[2]
