"""Following a journal by what was appended since, as it grows and after it has ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tui_trainer.events import Event, decode, decode_lines
from tui_trainer.numbers import counted
from tui_trainer.runs.files import split_tail
from tui_trainer.runs.packed import Unpacker

CHUNK = 1 << 20
"""Bytes read at once: some 25,000 steps, a few milliseconds of decoding."""

LONGEST_LINE = 64 << 20
"""A line beyond this is garbage; none of ours comes near."""

NUMBERS_KEPT = 5


class Tail:
    """A reader of one journal. It waits for nothing and reads no byte twice, but for a line that is not whole yet.

    The file need not be there yet. Lines that are no events (damage, or a later version's) are skipped and counted.
    """

    def __init__(self, path: Path, *, packed: bool = False) -> None:
        """A reader that stands at the file's beginning.

        Args:
            path: the journal.
            packed: whether, of what lies far back, the sum will do that is packed beside the journal (`packed`): the
                same state of the run, in fewer events.
        """
        self.lines = 0
        """Whole lines read so far."""
        self.skipped = 0
        """How many of them were no events that this version knows."""
        self.skipped_lines: list[int] = []
        """The numbers of the first few of those, from 1."""
        self._path = path
        self._fd: int | None = None
        self._offset = 0
        self._looked_at: tuple[int, int] | None = None
        """Size and time of change of the file as it was looked at last."""
        self._torn_at: tuple[int, int] | None = None
        """The same as a torn last line was seen: as long as they stand, it stays torn."""
        self._in_garbage = False
        self._packed = Unpacker(path) if packed else None

    def __enter__(self) -> Tail:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        """All that is there now, a chunk in memory at a time."""
        while events := self.read():
            yield from events

    def read(self) -> list[Event]:
        """The next events, at most a chunk of them; empty where nothing whole was added.

        Raises:
            OSError: the file is there and cannot be read.
        """
        while self._unread():
            if self._packed is not None:
                if events := self._unpack(self._packed):
                    return events
                continue
            lines = self._next_lines()
            if lines is None:
                return []
            if events := self._decode(lines):
                return events
        return []

    def pass_over(self) -> None:
        """Begin behind what is there now, for a reader of what is to come: its lines are counted from here on."""
        if self._unread():
            assert self._fd is not None
            self._offset, _ = split_tail(self._fd, os.fstat(self._fd).st_size)

    @property
    def unread(self) -> int:
        """Bytes in the file that were not read yet."""
        return max(0, os.fstat(self._fd).st_size - self._offset) if self._fd is not None else 0

    def close(self) -> None:
        """Let go of the file; a later `read` goes on where this one was."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
        if self._packed is not None:
            self._packed.close()

    def _unpack(self, packed: Unpacker) -> list[Event]:
        """The next block that is packed; where that ends, or is of no use, lines are read from here on."""
        assert self._fd is not None
        block = packed.read(self._fd, self._offset)
        if block is None:
            self._packed = None
            return []
        self._offset += block.length
        self.lines += block.lines
        return block.events

    def _unread(self) -> bool:
        if self._fd is None:
            try:
                self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return False
        stat = os.fstat(self._fd)
        self._looked_at = stat.st_size, stat.st_mtime_ns
        return stat.st_size > self._offset and self._looked_at != self._torn_at

    def _next_lines(self) -> bytes | None:
        """Whole lines from where reading stands, and past them; None where there is only part of one."""
        assert self._fd is not None
        want = CHUNK
        while True:
            chunk = os.pread(self._fd, want, self._offset)
            end = chunk.rfind(b"\n") + 1
            if end:
                self._offset += end
                return self._after_garbage(chunk[:end])
            if len(chunk) < want:
                self._torn_at = self._looked_at
                return None
            if want >= LONGEST_LINE:
                self._offset += len(chunk)
                self._in_garbage = True
            else:
                want *= 4

    def _after_garbage(self, lines: bytes) -> bytes:
        if not self._in_garbage:
            return lines
        self._in_garbage = False
        self._skip()
        return lines[lines.index(b"\n") + 1 :]

    def _decode(self, lines: bytes) -> list[Event]:
        try:
            events = decode_lines(lines)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return self._decode_each(lines)
        self.lines += lines.count(b"\n")
        return events

    def _decode_each(self, lines: bytes) -> list[Event]:
        events = []
        for line in lines.split(b"\n")[:-1]:
            if not line.strip():
                self.lines += 1
                continue
            try:
                events.append(decode(line))
            except (msgspec.MsgspecError, ValueError, RecursionError):
                self._skip()
            else:
                self.lines += 1
        return events

    @property
    def skipped_in_words(self) -> str:
        """How many lines could not be read, and which; empty where all could."""
        if not self.skipped:
            return ""
        numbers = ", ".join(map(str, self.skipped_lines))
        more = " and more" if self.skipped > len(self.skipped_lines) else ""
        return (
            f"{counted(self.skipped, 'line')} of the record could not be read: {numbers}{more}. "
            "Damaged, or a later version's."
        )

    def _skip(self) -> None:
        self.lines += 1
        self.skipped += 1
        if len(self.skipped_lines) < NUMBERS_KEPT:
            self.skipped_lines.append(self.lines)
