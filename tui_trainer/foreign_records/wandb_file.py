"""The `.wandb` file that W&B keeps of a run beside what it sends, or in place of it: LevelDB's log of protobuf records.

Source: https://github.com/google/leveldb/blob/main/doc/log_format.md; wandb/sdk/internal/datastore.py for what differs,
the head and the CRC; wandb/proto/wandb_internal.proto. W&B writes whole blocks: a run that logs little may be silent
for minutes.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tui_trainer.foreign_records.csv_table import notes_of_rows
from tui_trainer.foreign_records.followed_file import FollowedFile, begins_with
from tui_trainer.foreign_records.json_lines import flat, rows_of
from tui_trainer.foreign_records.pieces import Ended, Points, SettingValue
from tui_trainer.foreign_records.settings import settings_in
from tui_trainer.foreign_records.wire import BYTES, VARINT, Field, fields, text, varint
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain

HEAD = struct.pack("<4sHB", b":W&B", 0xBEE1, 0)
BLOCK = 32 << 10

_FRAME = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_CRC_OF_KIND = {kind: zlib.crc32(bytes([kind])) for kind in (_FULL, _FIRST, _MIDDLE, _LAST)}
_HISTORY, _CONFIG, _RUN, _EXIT = 2, 5, 17, 18
"""Fields of a record: what was logged at a step, what is set, what the run is, how it ended."""

MOST_SET = 1000
"""Settings, and settings within one, that are looked into."""

LARGEST = 64 << 20
"""Bytes of a record of several blocks; what is larger is left out."""

OWN = ("_runtime", "_wandb")
"""Keys that W&B adds itself, beside the step and the time."""
_OWN_KEYS = tuple(b"\x12" + bytes([len(key)]) + key.encode() for key in OWN)

_decode = msgspec.json.Decoder().decode


class WandbReader:
    """Follows a file."""

    tool = "W&B"

    def __init__(self, path: Path) -> None:
        self.name = path.stem.removeprefix("run-")
        self.lags = False
        self._file = FollowedFile(path)
        self._begun_anew = 0
        self._parts = bytearray()
        """Of a record that goes on in the next block."""
        self._crcs: list[int] = []
        self._bad_records = 0
        self._not_numbers: dict[str, None] = {}
        self._config: dict[str, Any] = {}
        """As it was set last."""
        self.settings: Mapping[str, SettingValue] = {}

    @property
    def written_at(self) -> float | None:
        return self._file.written_at

    @property
    def flaws(self) -> Sequence[str]:
        if not self._bad_records:
            return ()
        events = counted(self._bad_records, "record")
        return [say("foreign.bad_events", file=plain(self._file.path.name), events=events)]

    @property
    def notes(self) -> Sequence[str]:
        return notes_of_rows("step", 0, self._not_numbers)

    def read(self) -> Iterator[Points | Ended]:
        piece = self._file.piece()
        if self._file.begun_anew != self._begun_anew:
            self._begun_anew, self._bad_records = self._file.begun_anew, 0
            self._parts.clear()
        at, offset = 0, self._file.offset
        rows: list[dict[str, Any]] = []
        ended: Ended | None = None
        if offset == 0:
            if len(piece) < len(HEAD):
                return
            at = len(HEAD)
        while True:
            left = BLOCK - (offset + at) % BLOCK
            if left < _FRAME.size:
                at += left  # padding
                continue
            if at + _FRAME.size > len(piece):
                break
            crc, size, kind = _FRAME.unpack_from(piece, at)
            begin = at + _FRAME.size
            if size > left - _FRAME.size or (kind not in (_FULL, _FIRST, _MIDDLE, _LAST)):
                if at + left > len(piece):
                    break  # what a block is not filled with yet may be zeros
                self._bad_records += bool(crc or size or kind)
                at += left  # the next block begins with a frame
                continue
            if begin + size > len(piece):
                break
            record = self._record(kind, piece[begin : begin + size], crc)
            at = begin + size
            if record is not None:
                ended = self._take(record, rows) or ended
        self._file.use(min(at, len(piece)))
        self.lags = at > 0 and bool(piece) and self._file.lags and self._file.size - self._file.offset >= BLOCK
        if rows:
            made = rows_of(rows)
            self._not_numbers |= dict.fromkeys(sorted(made.not_numbers - set(OWN)))
            for points in made.points(again=self._begun_anew > 0):
                columns = {name: values for name, values in points.columns.items() if name not in OWN}
                if columns:
                    yield points._replace(columns=columns)
        if ended is not None:
            yield ended

    def close(self) -> None:
        """Nothing is held open."""

    def _record(self, kind: int, data: bytes, crc: int) -> bytes | None:
        """The record that is whole with this part of it, if one is."""
        if zlib.crc32(data, _CRC_OF_KIND[kind]) != crc:
            self._bad_records += 1
            self._parts.clear()
            return None
        if kind == _FULL:
            self._parts.clear()
            return data
        if kind == _FIRST:
            self._parts[:] = data
            return None
        if not self._parts:
            return None  # its beginning is damaged
        self._parts += data
        if len(self._parts) > LARGEST:
            self._parts.clear()
            self._bad_records += 1
            return None
        if kind == _MIDDLE:
            return None
        whole = bytes(self._parts)
        self._parts.clear()
        return whole

    def _take(self, record: bytes, rows: list[dict[str, Any]]) -> Ended | None:
        try:
            kind = _kind(record)
            if kind is None:
                return None
            if kind.number == _HISTORY:
                rows.append(_history(record, kind))
            elif kind.number == _RUN:
                parts = [each for each in fields(record, kind.begin, kind.end) if each.form == BYTES]
                names = [text(record, each) for each in parts if each.number == 8]
                for part in parts:
                    if part.number == 4:
                        self._set(record, part)
                self.name = next((name for name in names if name), self.name)
            elif kind.number == _CONFIG:
                self._set(record, kind)
            elif kind.number == _EXIT:
                code = next((each.value for each in fields(record, kind.begin, kind.end) if each.number == 1), 0)
                return Ended(self._file.written_at or 0.0, code == 0, f"exit code {code}" if code else "")
        except (ValueError, RecursionError, IndexError):
            self._bad_records += 1
        return None

    def _set(self, record: bytes, config: Field) -> None:
        """Take what is set; keys that W&B adds itself begin with `_`.

        Raises:
            ValueError: it is no such record.
        """
        for item in fields(record, config.begin, config.end):
            if item.number == 1 and item.form == BYTES:
                name, value = _item(record, item.begin, item.end)
                if name[:1] != "_" and (name in self._config or len(self._config) < MOST_SET):
                    self._config[name] = value
        self.settings = settings_in(self._config)


def _kind(record: bytes) -> Field | None:
    """What of the kinds that are read a record is, without a look at the others: half of all bytes are summaries."""
    if record[:1] == b"\x08":  # its number comes first, and what it is behind that
        at = 1
        while record[at] > 0x7F:
            at += 1
        key = record[at + 1 : at + 2]
        if key == b"\x1a":
            return None
        if key == b"\x12":
            size, begin = varint(record, at + 2, len(record))
            if begin + size <= len(record):
                return Field(_HISTORY, BYTES, begin, begin + size, 0)
    for each in fields(record, 0, len(record)):
        if each.form == BYTES and each.number in (_HISTORY, _CONFIG, _RUN, _EXIT):
            return each
    return None


def _history(record: bytes, history: Field) -> dict[str, Any]:
    """What was logged at a step, by name; of keys within keys `a.b`.

    Raises:
        ValueError: it is none.
    """
    row: dict[str, Any] = {}
    step: int | None = None
    at, end = history.begin, history.end
    while at < end:
        key, size = record[at], record[at + 1]
        begin = at + 2
        if size > 0x7F or key not in (0x0A, 0x12):  # a long item, or what is not known
            item = next(fields(record, at, end))
            key, begin, size = record[at], item.begin, item.end - item.begin
        at = begin + size
        if at > end:
            raise ValueError
        if key == 0x0A:
            if record.startswith(_OWN_KEYS, begin):
                continue
            name, value = _item(record, begin, at)
            row[name] = value
        elif key == 0x12:
            if size and record[begin] == 0x08:
                step, _ = varint(record, begin + 1, at)
            else:  # zeros may be left out
                step = next((each.value for each in fields(record, begin, at) if each.number == 1), 0)
    if dict in set(map(type, row.values())):
        row = flat(row, between=".")
    if step is not None:
        row["_step"] = step
    return row


def _item(data: bytes, at: int, end: int) -> tuple[str, Any]:
    names: list[str] = []
    value: Any = None
    behind = at + 2 + data[at + 1]
    if (
        data[at] == 0x12
        and data[at + 1] < 0x80
        and data[behind : behind + 2] == b"\x82\x01"
        and data[behind + 2] < 0x80
        and behind + 3 + data[behind + 2] == end
    ):  # as nearly all are: one name, and a value that ends where the item ends
        return data[at + 2 : behind].decode(errors="replace"), _number(data[behind + 3 : end])
    while at < end:
        key, at = varint(data, at, end)
        if key & 7 == VARINT:
            _, at = varint(data, at, end)
            continue
        if key & 7 != BYTES:
            raise ValueError
        size, at = varint(data, at, end)
        content = data[at : at + size]
        at += size
        if key >> 3 in (1, 2) and content:
            names.append(content.decode(errors="replace"))
        elif key >> 3 == 16:
            value = _number(content)
    if at != end:
        raise ValueError
    return ".".join(names), value


def _number(content: bytes) -> Any:
    try:
        return float(content)
    except ValueError:
        pass
    try:
        return _decode(content)
    except msgspec.DecodeError:
        return json.loads(content)  # `NaN` and `Infinity`


class Wandb:
    """Files that begin as W&B's do."""

    tool = WandbReader.tool

    def recognises(self, path: Path) -> bool:
        return begins_with(path, len(HEAD)) == HEAD

    def open(self, path: Path) -> WandbReader:
        return WandbReader(path)
