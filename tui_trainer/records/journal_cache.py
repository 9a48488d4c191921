"""A journal, packed for readers in a hurry: `events.packed` beside it holds the same in a form that is read at once.

The journal alone is the record. What is packed follows from it, a block of whole lines at a time, and is written by the
journal's writer when a block is full. A block carries a checksum of the very bytes that it was made of, and a reader
takes it only where the journal has those: a block that is torn, damaged or of another journal is passed over, and its
lines are read instead. Nothing is lost with the file, and nothing but time is won by it.

Blocks give the state that the lines would, not the lines: steps in a row are one event, as are the times of calls.
"""

from __future__ import annotations

import os
import struct
import zlib
from array import array
from collections.abc import Iterator, Sequence
from functools import cache
from math import isfinite, nan
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from tui_trainer.events import (
    MOST_METRICS,
    MOST_SECONDS,
    AnyEvent,
    MetricColumns,
    Moment,
    Name,
    Number,
    StepsTaken,
    check,
)
from tui_trainer.files.safe_open import open_private, open_regular
from tui_trainer.records.lines import LONGEST_LINE, any_sealed, in_a_row, seal_of
from tui_trainer.records.merging import decode_rows, merged
from tui_trainer.records.series import LARGEST_EXACT

BLOCK = 1 << 18
"""Bytes of a journal that are packed together: some 6,000 steps, which take the training thread some milliseconds."""

LARGEST = 64 << 20
"""Bytes; whatever claims to be a larger block is none of ours."""

_HEADER = struct.Struct("<4sQIIII")
_MAGIC = b"ttp1"


class PackedSteps(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=True):
    """As `StepsTaken`, with columns of bytes."""

    at: Moment
    step: Number
    epoch: Number
    batch: Number
    losses: bytes
    lrs: bytes
    elapsed: bytes
    metrics: Annotated[dict[Name, bytes], Meta(max_length=100)] = {}


class PackedColumns(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=True):
    """As `MetricColumns`, with columns of bytes."""

    at: Moment
    steps: bytes
    values: Annotated[dict[Name, bytes], Meta(max_length=MOST_METRICS)]
    epochs: bytes
    elapsed: bytes


Packed: TypeAlias = AnyEvent | PackedSteps | PackedColumns

_encoder = msgspec.msgpack.Encoder()


@cache
def _decoder() -> msgspec.msgpack.Decoder[list[Packed]]:
    """Made when it is wanted: it takes as long as all the rest of this module, and a screen loads that first."""
    return msgspec.msgpack.Decoder(list[Packed])


class _Frame(msgspec.Struct, frozen=True):
    """A block as it stands in the file."""

    start: int
    """Where its lines begin in the journal."""
    length: int
    """Their bytes, and the checksum of them."""
    checksum: int
    lines: int
    content: bytes
    end: int
    """Where the block itself ends."""


class Block(msgspec.Struct, frozen=True):
    """What some lines of a journal come to."""

    events: list[AnyEvent]
    length: int
    """The bytes of the lines."""
    lines: int
    first: int | None
    last: int | None
    """The numbers of the first and the last line; None where they have none."""


class Glance(msgspec.Struct, frozen=True):
    """Lines of a journal, and whether they are rows of one table."""

    lines: bytes
    names: tuple[str, ...] = ()
    """Of the numbers that each line is a row of; none where they are not rows of one table."""
    at: float = 0.0
    """When the last of these rows was logged."""


class Packer:
    """Packs a journal as it grows. It belongs to the journal's writer, and trouble never reaches that."""

    def __init__(self, journal: Path) -> None:
        """Go on behind what is packed already; what is torn or damaged there is cut off."""
        self._fd = -1
        self._packed = 0
        """Bytes of the journal that are packed."""
        try:
            self._fd = open_private(packed_beside(journal), os.O_RDWR | os.O_APPEND)
            whole = 0
            for frame in _frames(self._fd):
                self._packed, whole = frame.start + frame.length, frame.end
            os.ftruncate(self._fd, whole)
        except OSError:
            self.close()

    def follow(self, journal: int, whole: int) -> None:
        """Pack a block, if one is full: `journal` is open for reading and has `whole` bytes of whole lines."""
        if self._fd < 0 or whole - self._packed < BLOCK:
            return
        try:
            lines = _lines(journal, self._packed, whole)
            frame = pack(lines, self._packed)
            if lines and os.write(self._fd, frame) == len(frame):
                self._packed += len(lines)
            else:
                self.close()  # a full disk: what is torn is cut off when a process writes here again
        except (OSError, msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            self.close()  # lines that are no events can be read one by one only

    def close(self) -> None:
        """Pack no more."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Unpacker:
    """Reads a journal's beginning, as far as that is packed."""

    def __init__(self, journal: Path) -> None:
        self._path = packed_beside(journal)
        self._frames: Iterator[_Frame] | None = None
        self._fd = -1
        self._over = False

    def read(self, journal: int, offset: int) -> Block | None:
        """The block of the lines from `offset` on.

        None where they are not packed, or not as they stand in the journal; from then on none are.
        """
        if self._over:
            return None
        try:
            found = self._read(journal, offset)
        except (OSError, msgspec.MsgspecError, ValueError):
            found = None
        if found is None:
            self.close()
        return found

    def glance(self, journal: int, offset: int, row: bytes) -> Glance | None:
        """The lines from `offset` on that are packed together, as they stand in the journal.

        `row` is how a line of numbers begins: of others nothing is unpacked. None as of `read`.
        """
        if self._over:
            return None
        found = None
        try:
            if (frame := self._frame(offset)) is not None:
                found = _glance(frame, os.pread(journal, frame.length, offset), row)
        except (OSError, msgspec.MsgspecError, ValueError):
            pass
        if found is None:
            self.close()
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._over = True
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _read(self, journal: int, offset: int) -> Block | None:
        frame = self._frame(offset)
        if frame is None:
            return None
        lines = os.pread(journal, frame.length, offset)
        if not _is_of(frame, lines):
            return None
        events = [_unpacked(event) for event in _decoder().decode(frame.content)]
        if not all(isfinite(event.at) for event in events):  # JSON has no such number, and msgpack has
            return None
        return Block(events, frame.length, frame.lines, *_numbers(lines))

    def _frame(self, offset: int) -> _Frame | None:
        """The next one, if its lines begin there."""
        if self._frames is None:
            self._fd = open_regular(self._path, os.O_RDONLY | os.O_NOFOLLOW)
            self._frames = _frames(self._fd)
        frame = next(self._frames, None)
        return frame if frame is not None and frame.start == offset else None


def _is_of(frame: _Frame, lines: bytes) -> bool:
    return len(lines) == frame.length and zlib.crc32(lines) == frame.checksum


def _glance(frame: _Frame, lines: bytes, row: bytes) -> Glance | None:
    if len(lines) < frame.length or not lines.endswith(b"\n"):
        return None
    if not lines.startswith(row):
        return Glance(lines)
    if not _is_of(frame, lines):
        return None
    events = _decoder().decode(frame.content)
    if len(events) == 1 and isinstance(events[0], PackedColumns | MetricColumns) and isfinite(events[0].at):
        return Glance(lines, tuple(events[0].values), events[0].at)
    return Glance(lines)


def packed_beside(journal: Path) -> Path:
    """Where a journal's packed form lies."""
    return journal.with_suffix(".packed")


def pack(lines: bytes, start: int) -> bytes:
    """A block of these lines, which stand at `start` in their journal.

    Raises:
        msgspec.MsgspecError: one of them is no event.
        ValueError: one of them is not what it was as it was written, or where it was.
    """
    if any_sealed(lines):
        first, _ = _numbers(lines)
        if first is None or not in_a_row(lines.split(b"\n")[:-1], first):
            raise ValueError("not sound lines in a row")
    block = _encoder.encode([_packed(event) for event in merged(decode_rows(lines))])
    head = _MAGIC, start, len(lines), zlib.crc32(lines), lines.count(b"\n"), len(block)
    front = _HEADER.pack(*head)
    return front + struct.pack("<I", zlib.crc32(block, zlib.crc32(front))) + block


def _numbers(lines: bytes) -> tuple[int | None, int | None]:
    """Of the first and the last of these lines, which are sound; None where they have none."""
    last = lines[lines.rfind(b"\n", 0, -1) + 1 : -1]
    first = lines[: lines.index(b"\n")]
    seals = seal_of(first), seal_of(last)
    return seals[0] and seals[0].number, seals[1] and seals[1].number


def _lines(journal: int, start: int, whole: int) -> bytes:
    """A block of whole lines; longer than others where a line is.

    Raises:
        ValueError: a line is longer than any that is read.
    """
    want = BLOCK
    while want <= LONGEST_LINE:
        chunk = os.pread(journal, min(want, whole - start), start)
        if (end := chunk.rfind(b"\n") + 1) or len(chunk) < want:
            return chunk[:end]
        want *= 2
    raise ValueError("a line that nobody reads")


def _frames(fd: int) -> Iterator[_Frame]:
    """The sound blocks from the first on: none behind one that is not."""
    place = journal = 0
    size = os.fstat(fd).st_size
    ahead = _HEADER.size + 4
    while place + ahead <= size:
        front = os.pread(fd, ahead, place)
        magic, start, length, checksum, lines, block = _HEADER.unpack(front[: _HEADER.size])
        if magic != _MAGIC or start != journal or not length or block > LARGEST:
            return
        content = os.pread(fd, block, place + ahead)
        (sound,) = struct.unpack("<I", front[_HEADER.size :])
        if len(content) < block or zlib.crc32(content, zlib.crc32(front[: _HEADER.size])) != sound:
            return
        place, journal = place + ahead + block, start + length
        yield _Frame(start, length, checksum, lines, content, place)


def _packed(event: AnyEvent) -> Packed:
    """With its columns as bytes, where those hold all of them."""
    if isinstance(event, StepsTaken) and len(event.lrs) == len(event.losses) and None not in event.losses:
        return PackedSteps(
            at=event.at,
            step=event.step,
            epoch=event.epoch,
            batch=event.batch,
            losses=_bytes("f", event.losses),
            lrs=_bytes("d", event.lrs),
            elapsed=_bytes("d", event.elapsed),
            metrics={
                name: _bytes("d", [nan if value is None else value for value in values])
                for name, values in event.metrics.items()
            },
        )
    if isinstance(event, MetricColumns) and not any(_is_beyond_floats(column) for column in event.values.values()):
        return PackedColumns(
            at=event.at,
            steps=_bytes("q", event.steps),
            values={name: _bytes("d", values) for name, values in event.values.items()},
            epochs=_bytes("q", event.epochs),
            elapsed=_bytes("d", event.elapsed),
        )
    return event


def _bytes(kind: str, numbers: Sequence[Any]) -> bytes:
    return array(kind, numbers).tobytes()


def _is_beyond_floats(column: Sequence[float | int]) -> bool:
    """Whether a whole number is among them that no float may be; of others a history keeps the float alone."""
    return int in map(type, column) and any(type(value) is int and abs(value) > LARGEST_EXACT for value in column)


def _unpacked(event: Packed) -> AnyEvent:
    if isinstance(event, PackedColumns):
        columns = MetricColumns(
            at=event.at,
            steps=array("q", event.steps).tolist(),
            values={name: array("d", values).tolist() for name, values in event.values.items()},
            epochs=array("q", event.epochs).tolist(),
            elapsed=array("d", event.elapsed).tolist(),
        )
        check(columns)
        return columns
    if not isinstance(event, PackedSteps):
        check(event)  # a block's checksum is no secret
        return event
    losses, lrs, elapsed = array("f", event.losses), array("d", event.lrs), array("d", event.elapsed)
    metrics = {name: array("d", values) for name, values in event.metrics.items()}
    if (
        not len(losses) == len(lrs) == len(elapsed) > 0
        or any(len(values) != len(losses) for values in metrics.values())
        or event.batch > event.step
        or event.epoch > event.step
        or not isfinite(sum(losses))
        or not 0 <= elapsed[0] <= elapsed[-1] <= MOST_SECONDS
    ):
        raise ValueError("made by nobody who read the lines")  # a block's checksum is no secret
    return StepsTaken(
        at=event.at,
        step=event.step,
        epoch=event.epoch,
        batch=event.batch,
        losses=[*losses],
        lrs=lrs.tolist(),
        elapsed=elapsed.tolist(),
        metrics={name: [*values] for name, values in metrics.items()},
    )
