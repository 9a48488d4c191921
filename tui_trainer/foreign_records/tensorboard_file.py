"""One event file of TensorBoard: frames of a length, its CRC, an event and its CRC.

A long file holds hundreds of thousands of events that differ in a few bytes alone. So those of one length are laid side
by side and read as columns; what fits no neighbour is read one by one.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_trainer.foreign_records.crc32c import masked_crc32c, masked_crc32c_of_rows, windows_of_eight
from tui_trainer.foreign_records.event_frames import FOOT, HEAD
from tui_trainer.foreign_records.followed_file import PIECE, FollowedFile
from tui_trainer.foreign_records.pieces import Points, Restarted
from tui_trainer.foreign_records.tensorboard_events import TensorBoardEvent, read_event

LONGEST_READ = 64 << 10
"""Bytes of an event that is looked into. One with numbers has some hundred; images and graphs have millions."""

FEW = 8
"""Events of one form, of which fewer are read one by one."""

FORMS_AT_ONCE = 8
"""Forms of events of one length that are read as columns, in a piece of a file."""

MOST_SET = 1000
"""Settings that are looked at, at the least."""

SEARCHED = 64 << 20
"""Bytes that are searched for the next whole event behind one whose length is damaged."""


class EventFile:
    """Follows one event file."""

    def __init__(self, path: Path, writer: int, part: str) -> None:
        """Look at a file; `writer` and `part` as for `Points`."""
        self.file = FollowedFile(path)
        self.bad_events = 0
        """Events that were passed over: their CRC is wrong, or they are none."""
        self.damaged_at: int | None = None
        """At which byte a length was damaged, and no event was found behind it: the rest is not read."""
        self.searches = 0
        """How often a length was damaged, and events were found behind it."""
        self.others: Counter[str] = Counter()
        """What else than numbers was passed over."""
        self.settings: dict[str, bool | float | str] = {}
        """What it says the run was set to, as it was said last."""
        self.arguments = ""
        """The same, of Hugging Face's trainer: a JSON object."""
        self.lags = False
        self.part = part
        """Of the run; empty of the run's own."""
        self._writer = writer
        self._begun_anew = 0
        self._searched = 0
        """Bytes in vain behind a damaged length."""
        self._damage = 0
        """Where the length stands."""

    def read(self) -> Iterator[Points | Restarted]:
        """What came since the last call, at most one piece of the file.

        Raises:
            OSError: it cannot be read.
        """
        piece = self.file.piece(PIECE)
        self.lags = False
        if self.file.begun_anew != self._begun_anew:
            self._begun_anew = self.file.begun_anew
            self.bad_events, self.searches, self.damaged_at, self._searched = 0, 0, None, 0
            self.others.clear()
            self.settings, self.arguments = {}, ""
        if len(piece) < HEAD + FOOT or self.damaged_at is not None:
            return
        data = np.frombuffer(piece, np.uint8)
        begins, sizes, used, sound = _frames(piece, data)
        if begins.size:
            yield from self._read_frames(piece, data, begins, sizes)
        if not sound:
            used = self._search(data, used)
        elif used == 0 and len(piece) == PIECE:  # one event is longer than a piece
            used = min(HEAD + FOOT + struct.unpack_from("<Q", piece)[0], self.file.size - self.file.offset)
            self.others["other value"] += 1
        self.file.use(used)
        self.lags = used > 0 and self.file.lags

    def _search(self, data: NDArray[np.uint8], begin: int) -> int:
        """Where the next whole event begins, behind a length that is damaged; as far as was searched."""
        rest = data[begin + 1 :]
        if not self._searched:
            self._damage = self.file.offset + begin
        self._searched += len(rest)
        if len(rest) > HEAD:
            right = windows_of_eight(rest[:-4])
            said = _u32_at_each(rest[8:])[: len(right)]
            places = np.flatnonzero(right[: len(said)] == said)
            if places.size:
                self.searches += 1
                self._searched = 0
                return begin + 1 + int(places[0])
        if self._searched > SEARCHED:
            self.damaged_at = self._damage
        return begin + 1 + max(0, len(rest) - HEAD)

    def _read_frames(
        self, piece: bytes, data: NDArray[np.uint8], begins: NDArray[np.int64], sizes: NDArray[np.int64]
    ) -> Iterator[Points | Restarted]:
        columns = _Columns()
        for size in np.unique(sizes).tolist():
            numbers = np.flatnonzero(sizes == size)
            if size > LONGEST_READ:
                self.others["other value"] += len(numbers)
            elif len(numbers) < FEW or size > 4096 or not size:
                for number in numbers.tolist():
                    begin = int(begins[number])
                    said = struct.unpack_from("<I", piece, begin + size)[0]
                    event = piece[begin : begin + size]
                    self._take_one(columns, number, event, masked_crc32c(event) == said)
            else:
                whole = np.lib.stride_tricks.sliding_window_view(data, size + FOOT)[begins[numbers]]
                rows = np.ascontiguousarray(whole[:, :size])
                said = np.ascontiguousarray(whole[:, size:]).view("<u4")[:, 0]
                right = masked_crc32c_of_rows(rows) == said
                self.bad_events += int(np.count_nonzero(~right))
                self._take_rows(columns, numbers[right], rows[right])
        for number in sorted(columns.restarts):
            yield Restarted(columns.restarts[number], self._writer, self.part)
        yield from columns.points(self._writer, self.part)

    def _take_one(self, columns: _Columns, number: int, event: bytes, right: bool = True) -> None:
        try:
            if not right:
                raise ValueError
            read = read_event(event)
        except ValueError:
            self.bad_events += 1
            return
        if read.restarts:
            columns.restarts[number] = read.step
        self.others.update(read.others)
        if read.settings and len(self.settings) < MOST_SET:
            self.settings |= read.settings
        self.arguments = read.arguments or self.arguments
        for each in read.numbers:
            columns.add(each.tag, [number], [read.step], [each.value], [read.time])

    def _take_rows(self, columns: _Columns, numbers: NDArray[np.int64], rows: NDArray[np.uint8]) -> None:
        """Read events of one length, which are sound."""
        for _ in range(FORMS_AT_ONCE):
            if len(numbers) < FEW:
                break
            first = rows[0].tobytes()
            try:
                form = _Form.of(first, read_event(first))
            except ValueError:
                form = None
            if form is None:
                self._take_one(columns, int(numbers[0]), first)
                numbers, rows = numbers[1:], rows[1:]
                continue
            alike = form.fits(rows)
            form.take(columns, numbers[alike], rows[alike])
            numbers, rows = numbers[~alike], rows[~alike]
        for number, row in zip(numbers.tolist(), rows, strict=True):
            self._take_one(columns, number, row.tobytes())


def _frames(piece: bytes, data: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64], int, bool]:
    """Where the events of whole frames begin, their sizes, how many bytes they take in all, and whether what stands
    behind them may be a frame that is not whole yet: its length is sound."""
    heads: list[int] = []
    sizes: list[int] = []
    at, end, unpack = 0, len(piece), struct.Struct("<Q").unpack_from
    while at + HEAD <= end:
        (size,) = unpack(piece, at)
        heads.append(at)
        sizes.append(size)
        at += size + HEAD + FOOT
    places = np.array(heads, np.int64)
    lengths = np.lib.stride_tricks.sliding_window_view(data, HEAD)[places]
    right = masked_crc32c_of_rows(np.ascontiguousarray(lengths[:, :8])) == _u32(lengths[:, 8:])
    wrong = np.flatnonzero(~right)
    count = int(wrong[0]) if wrong.size else len(heads)
    whole = count
    while whole and heads[whole - 1] + HEAD + FOOT + sizes[whole - 1] > end:
        whole -= 1
    used = heads[whole - 1] + HEAD + FOOT + sizes[whole - 1] if whole else 0
    return places[:whole] + HEAD, np.array(sizes[:whole], np.int64), used, not wrong.size or whole < count


def _u32(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    numbers: NDArray[np.uint32] = np.ascontiguousarray(rows).view("<u4")[:, 0]
    return numbers


def _u32_at_each(data: NDArray[np.uint8]) -> NDArray[np.uint32]:
    wide = data.astype(np.uint32)
    numbers: NDArray[np.uint32] = (
        wide[:-3] | wide[1:-2] << np.uint32(8) | wide[2:-1] << np.uint32(16) | wide[3:] << np.uint32(24)
    )
    return numbers


class _Form:
    """Events that differ in their time, their step, the text of their tag and their value alone."""

    def __init__(self, example: bytes, event: TensorBoardEvent) -> None:
        self._example = np.frombuffer(example, np.uint8)
        self._time, self._step, self._number = event.time_begin, event.step_span, event.numbers[0]
        self._size = struct.calcsize(self._number.form)
        fixed = np.ones(len(example), bool)
        fixed[self._time : self._time + 8] = False
        fixed[slice(*self._step)] = False
        fixed[self._number.tag_begin : self._number.tag_end] = False
        fixed[self._number.begin : self._number.begin + self._size] = False
        self._fixed = np.flatnonzero(fixed)

    @classmethod
    def of(cls, example: bytes, event: TensorBoardEvent) -> _Form | None:
        """That of an event; None where it does not hold a time and one number of fixed size."""
        alone = (
            len(event.numbers) == 1
            and not event.others
            and not event.settings
            and not event.restarts
            and event.time_begin >= 0
        )
        return cls(example, event) if alone and event.numbers[0].form else None

    def fits(self, rows: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which events are of this form."""
        alike: NDArray[np.bool_] = (rows[:, self._fixed] == self._example[self._fixed]).all(axis=1)
        begin, end = self._step
        if begin < end:
            alike &= ((rows[:, begin:end] & 0x80) == (self._example[begin:end] & 0x80)).all(axis=1)
        return alike

    def take(self, columns: _Columns, numbers: NDArray[np.int64], rows: NDArray[np.uint8]) -> None:
        """Read events of this form."""
        times = _floats(rows, self._time, "<d")
        values = _floats(rows, self._number.begin, self._number.form)
        steps = np.zeros(len(rows), np.int64)
        for place, at in enumerate(range(*self._step)):
            steps |= (rows[:, at].astype(np.int64) & 0x7F) << np.int64(7 * place)
        for tag, alike in _by_tag(np.ascontiguousarray(rows[:, self._number.tag_begin : self._number.tag_end])):
            columns.add(tag, numbers[alike], steps[alike], values[alike], times[alike])


def _floats(rows: NDArray[np.uint8], begin: int, form: str) -> NDArray[np.float64]:
    size = struct.calcsize(form)
    columns = np.ascontiguousarray(rows[:, begin : begin + size])
    numbers: NDArray[np.float64] = columns.view(f"<f{size}")[:, 0].astype(np.float64)
    return numbers


def _by_tag(texts: NDArray[np.uint8]) -> Iterator[tuple[str, Any]]:
    """Tags of one length, each with the rows that have it."""
    if not texts.shape[1] or (texts == texts[0]).all():
        yield texts[0].tobytes().decode(errors="replace"), slice(None)
        return
    as_one = texts.view(f"S{texts.shape[1]}")[:, 0]  # one that ends in NUL is the same as without it: none does
    known, which = np.unique(as_one, return_inverse=True)
    for number, tag in enumerate(known):
        yield tag.decode(errors="replace"), np.flatnonzero(which == number)


class _Columns:
    """What the events of a piece say, by series."""

    def __init__(self) -> None:
        self.restarts: dict[int, int] = {}
        """Steps that sessions began at, by the number of the event."""
        self._parts: dict[str, list[tuple[Any, Any, Any, Any]]] = {}

    def add(self, tag: str, numbers: Any, steps: Any, values: Any, times: Any) -> None:
        """Add numbers, with those of the events that they stand in."""
        self._parts.setdefault(tag, []).append((numbers, steps, values, times))

    def points(self, writer: int, part: str) -> Iterator[Points]:
        """All of them, in the order in which they were written; series with the same steps together."""
        found: dict[bytes, tuple[Any, Any, dict[str, list[float | int]]]] = {}
        for tag, parts in self._parts.items():
            steps, values, times = _in_order(parts)
            at_these = found.setdefault(steps.tobytes(), (steps, times, {}))
            at_these[2][tag] = values
        for steps, times, columns in found.values():
            yield Points(steps.tolist(), columns, times.tolist(), writer=writer, part=part)


def _in_order(parts: list[tuple[Any, Any, Any, Any]]) -> tuple[Any, list[float | int], Any]:
    if all(len(numbers) == 1 and isinstance(values, list) for numbers, _, values, _ in parts):
        ordered = sorted(parts, key=lambda each: int(each[0][0]))
        steps = np.array([each[1][0] for each in ordered], np.int64)
        return steps, [each[2][0] for each in ordered], np.array([each[3][0] for each in ordered], np.float64)
    numbers, steps, values, times = (np.concatenate([each[place] for each in parts]) for place in range(4))
    order = np.argsort(numbers, kind="stable")
    told: list[float | int] = values[order].tolist()
    return steps[order].astype(np.int64), told, times[order]
