"""Following a run by what was appended since: its journal, as it grows and after it has ended, and the newest lines of
its `log.txt`, as text that may be shown."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tui_trainer.events import AnyEvent, decode_lines
from tui_trainer.files.safe_open import open_regular
from tui_trainer.records.journal_cache import Unpacker
from tui_trainer.records.lines import Lines, SealedPlaces, any_sealed, in_a_row, unsealed
from tui_trainer.records.merging import decode_rows, merged
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain_lines

NUMBERS_KEPT = 5

MANY = 256
"""Events that are worth to be merged; a live run tells fewer at a time."""


class Tail:
    """A reader of one journal. It waits for nothing and reads no byte twice, but for a line that is not whole yet.

    The file need not be there yet. Lines that are no events (damage, or a later version's) are skipped and counted.
    """

    def __init__(self, path: Path, *, packed: bool = False) -> None:
        """A reader that stands at the file's beginning.

        Args:
            path: the journal.
            packed: whether the sum of many lines will do: the same state of the run, in fewer events. What lies far
                back is packed so beside the journal (`journal_cache`), and read the faster.
        """
        self.lines = 0
        """Whole lines read so far."""
        self.skipped = 0
        """How many of them were no events that this version knows."""
        self.skipped_lines: list[int] = []
        """The numbers of the first few of those, from 1."""
        self._places = SealedPlaces()
        self._lines = Lines(path)
        self._garbage = 0
        """How many of its lines without an end were counted."""
        self._packed = Unpacker(path) if packed else None
        self._sums = packed
        """Whether fewer events with the same state of the run will do."""

    def __enter__(self) -> Tail:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[AnyEvent]:
        """All that is there now, a chunk in memory at a time."""
        while events := self.read():
            yield from events

    def read(self) -> list[AnyEvent]:
        """The next events, at most a chunk of them; empty where nothing whole was added.

        Raises:
            OSError: the file is there and cannot be read.
        """
        while self._lines.unread():
            if self._packed is not None:
                if events := self._unpack(self._packed):
                    return events
                continue
            lines = self._lines.next()
            if lines is None:
                return []
            while self._garbage < self._lines.garbage:
                self._garbage += 1
                self._skip()
            before = self.lines
            if events := self._decode(lines):
                return list(merged(events)) if self._sums and self.lines - before >= MANY else events
        return []

    def pass_over(self) -> None:
        """Begin behind what is there now, for a reader of what is to come: its lines are counted from here on."""
        if self._lines.unread():
            self._lines.pass_over()
            self._places.begin_anywhere()

    @property
    def unread(self) -> int:
        """Bytes in the file that were not read yet."""
        return self._lines.bytes_left

    @property
    def ends_in_garbage(self) -> bool:
        """Whether more stands behind the last line that was read than any line has."""
        return self._lines.in_garbage

    @property
    def changed_at(self) -> float | None:
        """When the file was last written to (Unix time, of the machine that keeps it); None before there is one."""
        return self._lines.changed_at

    def close(self) -> None:
        """Let go of the file; a later `read` goes on where this one was."""
        self._lines.close()
        if self._packed is not None:
            self._packed.close()

    def _unpack(self, packed: Unpacker) -> list[AnyEvent]:
        """The next block that is packed; where that ends, or is of no use, lines are read from here on."""
        block = packed.read(self._lines.fd, self._lines.offset)
        if block is None:
            self._packed = None
            return []
        self._lines.offset += block.length
        self.lines += block.lines
        if block.first is None:
            self._places.pass_over(block.lines)
        else:
            self._places.take(block.first, block.last)
        return block.events

    def _decode(self, lines: bytes) -> list[AnyEvent]:
        each = lines.split(b"\n")
        each.pop()
        sealed = any_sealed(lines)
        try:
            if not sealed or (self._places.settled and in_a_row(each, self._places.next)):
                events = decode_rows(lines) if self._sums and len(each) >= MANY else decode_lines(lines)
                self.lines += len(each)
                if sealed:
                    self._places.take(self._places.next, self._places.next + len(each) - 1)
                else:
                    self._places.pass_over(len(each))
                return events
        except (msgspec.MsgspecError, ValueError, RecursionError):
            pass  # one of them is none: which, is seen one by one
        return [event for line in each if (event := self._decode_one(line)) is not None]

    def _decode_one(self, line: bytes) -> AnyEvent | None:
        if not line.strip():
            self.lines += 1
            self._places.pass_over()
            return None
        if (opened := unsealed(line)) is None:
            self._skip()
            return None
        self.lines += 1
        if opened.number is None:
            self._places.pass_over()
        elif not self._places.take(opened.number):
            return None
        return opened.event

    @property
    def next_number(self) -> int:
        """The number of the line that is to be written behind those that were read."""
        return self._places.next

    @property
    def flaws(self) -> list[str]:
        """What is wrong with the lines read so far, a sentence each; none where all were sound and in their places."""
        said = []
        if self.skipped:
            numbers = ", ".join(map(str, self.skipped_lines))
            more = say("record.and_more") if self.skipped > len(self.skipped_lines) else ""
            lines = counted(self.skipped, "line")
            said.append(say("record.unread", lines=lines, numbers=numbers, more=more))
        if self.ends_in_garbage:
            said.append(f"The record {say('record.ends_in_no_line')}.")
        return [*said, *self._places.flaws]

    def _skip(self) -> None:
        self.lines += 1
        self._places.pass_over()
        self.skipped += 1
        if len(self.skipped_lines) < NUMBERS_KEPT:
            self.skipped_lines.append(self.lines)


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
        self._add(say("log.passed_over"))

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
