"""What a line of a journal carries to show that it is the line that was written, and in its place.

`{"type":"Paused", …,"line":17,"crc32":"9af3c1d2"}`: its number, from 1, and the CRC-32 of all that stands before the
last comma, in hex. To all readers they are two fields more; a line of an older record has none and is taken as it is.
A flipped digit of a loss is found by nothing else, and neither is a line that is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

import msgspec

from tui_trainer.events import AnyEvent, decode
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
    for number, line in enumerate(lines, first):
        if not line.endswith(b'%s%d%s%08x"}' % (_NUMBER, number, _MARK, crc32(line[:-_LENGTH]))):
            return False
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
            said.append(f"{counted(self.missing, 'line')} of the record {_are(self.missing)} missing.")
        if self.misplaced:
            said.append(
                f"{counted(self.misplaced, 'line')} of the record {_are(self.misplaced)} not in their places, "
                "behind later ones or there twice; left out."
            )
        return said


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
