"""The whole lines of a journal, as it grows, and the seal of each: what shows that it is the line that was written, and
in its place. What has no end, or takes no room, is passed over.

`{"type":"Paused", …,"line":17,"crc32":"9af3c1d2"}`: its number, from 1, and the CRC-32 of all that stands before the
last comma, in hex. To all readers they are two fields more; a line of an older record has none and is taken as it is.
A flipped digit of a loss is found by nothing else, and neither is a line that is not there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import msgspec

from tui_trainer.events import AnyEvent, decode
from tui_trainer.files.safe_open import Irregular, open_regular
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted

_MARK = b',"crc32":"'
_LENGTH = len(_MARK) + 8 + len(b'"}')
_NUMBER = b',"line":'


class Seal(NamedTuple):
    """What a line carries."""

    number: int
    holds: bool
    """Whether the line is what it was as it was sealed; else its number may be wrong, too."""


def seal(line: bytes, number: int) -> bytes:
    """An encoded event, with its newline, as line `number` of a journal."""
    body = b"%s%s%d" % (line[:-2], _NUMBER, number)
    return b'%s%s%08x"}\n' % (body, _MARK, crc32(body))


def seal_of(line: bytes) -> Seal | None:
    """What a line, without its newline, carries; None where it is none that was sealed."""
    if line[-_LENGTH : -_LENGTH + len(_MARK)] != _MARK:
        return None
    body = line[:-_LENGTH]
    try:
        holds = int(line[-10:-2], 16) == crc32(body)
        number = int(body[body.rindex(_NUMBER) + len(_NUMBER) :])
    except ValueError:
        return Seal(0, holds=False)
    return Seal(number, holds)


class Unsealed(NamedTuple):
    """A line that can be believed."""

    event: AnyEvent
    number: int | None
    """None where it carries none."""


def unsealed(line: bytes) -> Unsealed | None:
    """What a line, without its newline, tells; None where it is damaged, or a later version's."""
    sealed = seal_of(line)
    if sealed is not None and not sealed.holds:
        return None
    try:
        return Unsealed(decode(line), sealed and sealed.number)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def in_a_row(lines: Sequence[bytes], first: int) -> bool:
    """Whether all of these lines are sound, and are those from number `first` on."""
    begin = 0
    while begin < len(lines):  # as many at once as have numbers of one length, and so seals
        number = first + begin
        digits = len(str(number))
        end = min(len(lines), begin + 10**digits - number)
        length = len(_NUMBER) + digits + _LENGTH
        some = lines[begin:end]
        seals = zip(range(number, number + len(some)), [crc32(line[:-_LENGTH]) for line in some], strict=True)
        expected = (b'%s%%d%s%%08x"}' % (_NUMBER, _MARK) * len(some)) % tuple(chain.from_iterable(seals))
        if b"".join([line[-length:] for line in some]) != expected:
            return False
        begin = end
    return True


def any_sealed(lines: bytes) -> bool:
    """Whether some of these lines may be."""
    return _MARK in lines


class SealedPlaces:
    """Whether lines follow each other as they were written, by the numbers that they carry."""

    def __init__(self) -> None:
        self.missing = 0
        """How many lines are not there, by the numbers of those that are."""
        self.misplaced = 0
        """How many stand behind a later one, or a second time."""
        self._last: int | None = 0
        """Of the last line that has a number, if all before it were read."""
        self._since = 0
        """Lines since then."""

    def begin_anywhere(self) -> None:
        """What was before the line that comes next was not read."""
        self._last = None

    def pass_over(self, lines: int = 1) -> None:
        """Lines that have no number, or none that can be believed."""
        self._since += lines

    def take(self, number: int, last: int | None = None) -> bool:
        """A line with this number, or lines from it to `last`: whether they may stand here."""
        if self._last is not None:
            if number <= self._last:
                self.misplaced += 1
                self._since += 1
                return False
            self.missing += max(0, number - self._last - self._since - 1)
        self._last, self._since = last or number, 0
        return True

    def look_at(self, line: bytes) -> None:
        """A line whose seal is not looked at but for its number, which is quick where it is the next."""
        here = b"%s%d" % (_NUMBER, self._last + 1) if self._last is not None and not self._since else b""
        if here and line.endswith(here, 0, -_LENGTH):
            self._last = self.next
            return
        sealed = seal_of(line)
        if sealed is not None and sealed.holds:
            self.take(sealed.number)
        else:
            self.pass_over()

    @property
    def next(self) -> int:
        """The number of the line that is to come."""
        return (self._last or 0) + self._since + 1

    @property
    def settled(self) -> bool:
        """Whether the next line's number is known for sure."""
        return self._last is not None and not self._since

    @property
    def flaws(self) -> list[str]:
        """What was found, a sentence each."""
        said = []
        if self.missing:
            lines = counted(self.missing, "line")
            said.append(say("record.lines_missing", lines=lines, are=_are(self.missing)))
        if self.misplaced:
            lines = counted(self.misplaced, "line")
            place = "its place" if self.misplaced == 1 else "their places"
            said.append(say("record.lines_misplaced", lines=lines, are=_are(self.misplaced), place=place))
        return said


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


CHUNK = 1 << 20
"""Bytes read at once: some 25,000 steps, a few milliseconds of decoding."""

LONGEST_LINE = 4 << 20
"""Bytes. A line beyond this is garbage; none of ours comes near."""

LARGEST_JOURNAL = 1 << 36
"""Bytes: a billion steps. What is larger was not written by a trainer."""


class EndsInNoLine(Irregular):
    """More stands behind the last line of a journal than any line has: nothing can be written behind it."""

    def __init__(self) -> None:
        super().__init__(f"it {say('record.ends_in_no_line')}")


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
