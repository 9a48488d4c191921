"""What W&B has logged at a step: its history records, read as rows of named cells.

A run logs the same keys at each step, so that nearly all of its records differ in the texts of their numbers alone. Of
such a form a pattern is made, and a record that fits it is read by one match; what fits none is read item by item.

Source: wandb/proto/wandb_internal.proto, HistoryRecord.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from tui_trainer.foreign_records.json_lines import flat
from tui_trainer.foreign_records.rows import Rows
from tui_trainer.foreign_records.wire import BYTES, VARINT, Field, fields, varint

OWN = ("_runtime", "_wandb")
"""Keys that W&B adds itself, beside the step and the time."""
_OWN_KEYS = tuple(b"\x12" + bytes([len(key)]) + key.encode() for key in OWN)

ENOUGH = 8
"""Records with the same keys, of which a pattern is made."""

MOST_FORMS = 8
"""Forms that are known by their patterns: those that were made last."""

MOST_KEYS = 100
"""Keys of a form that has a pattern: one of thousands would take seconds to make."""

VARINT_PATTERN = rb"[\x80-\xff]{0,9}+[\x00-\x7f]"
_LENGTH = rb"[\x00-\x7f]"
"""Of what follows, where it is short."""
_BEGIN = rb"\x08" + VARINT_PATTERN + rb"\x12" + VARINT_PATTERN
"""The number of a record, and the length of its history."""
_NUMBER = rb"(?!-0(?![.eE]))-?+(?:\d++(?:\.\d++)?+(?:[eE][-+]?+\d++)?+|NaN|Infinity)"
"""As JSON has it, and what JSON has not; but for -0 as a whole number, which msgspec takes for 0."""
_STEP = rb"\x12" + _LENGTH + rb"(?:\x08(" + VARINT_PATTERN + rb"))?+"
_VALUE = b"\x82\x01"
"""What stands before the value of an item: field 16, and bytes."""

_TYPE = "._type"
"""What behind the name of an image, a histogram or a table says which it is."""

_is_number = re.compile(_NUMBER).fullmatch
_decode = msgspec.json.Decoder().decode
_decode_floats = msgspec.json.Decoder(list[float]).decode


class Histories:
    """Takes history records, in the order in which they were written."""

    def __init__(self) -> None:
        self._forms: list[_Form] = []
        self._count = 0
        """Rows that `rows` has not given yet."""
        self._others: dict[tuple[str, ...], _Others] = {}
        """Those of them that fit no form, by their keys."""

    def take_known(self, record: bytes) -> bool:
        """Take a record if it fits a form that is known; whether it does."""
        for form in self._forms:
            if form.take(record, self._count):
                self._count += 1
                return True
        return False

    def take(self, record: bytes, history: Field) -> None:
        """Take a record; `history` is where in it its history stands.

        Raises:
            ValueError: it is none.
            IndexError: likewise.
        """
        row = _row(record, history)
        self._others.setdefault(tuple(row), _Others(record, history)).add(row, self._count)
        self._count += 1

    def rows(self) -> Rows:
        """What was taken since the last call."""
        rows = Rows(self._count)
        for form in self._forms:
            form.give(rows)
        for names, others in self._others.items():
            rows.add(names, others.at, others.column)
            if len(others.at) >= ENOUGH and (form_of_them := _form_of(others.example, others.history)) is not None:
                self._forms = [form_of_them, *self._forms][:MOST_FORMS]
        self._count, self._others = 0, {}
        return rows


class _Others:
    """Records with the same keys that fit no form."""

    def __init__(self, example: bytes, history: Field) -> None:
        self.example, self.history = example, history
        """One of them, and where its history stands."""
        self.at: list[int] = []
        self._rows: list[dict[str, Any]] = []

    def add(self, row: dict[str, Any], at: int) -> None:
        self.at.append(at)
        self._rows.append(row)

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self._rows]


class _Form:
    """Records with the same keys in the same order, which have a number each."""

    def __init__(self, pattern: bytes, names: list[str]) -> None:
        """Those that match a pattern, whose groups are numbers of these names and the step."""
        self.fits = re.compile(pattern).fullmatch
        self._names = [*names, "_step"]
        self._at: list[int] = []
        self._texts: list[tuple[bytes, ...]] = []

    def take(self, record: bytes, at: int) -> bool:
        if (found := self.fits(record)) is None:
            return False
        self._at.append(at)
        self._texts.append(found.groups(b"\0"))
        return True

    def give(self, rows: Rows) -> None:
        if self._at:
            columns = dict(zip(self._names, zip(*self._texts, strict=True), strict=True))
            rows.add(self._names, self._at, lambda name: (_steps if name == "_step" else _floats)(columns[name]))
            self._at, self._texts = [], []


def _form_of(example: bytes, history: Field) -> _Form | None:
    """That of a record with a step; None where a value is no number, or anything is longer than usual."""
    items = list(fields(example, history.begin, history.end))
    if not 1 < len(items) <= MOST_KEYS or items[-1].number != 2:
        return None
    pattern, names = _BEGIN, []
    for item in items[:-1]:
        key, _, value = example[item.begin : item.end].rpartition(_VALUE)
        if item.number != 1 or _is_number(value[1:]) is None:
            return None
        name, _ = named_value(example, item.begin, item.end)
        is_told = name not in (*OWN, "_step")
        names += [name] if is_told else []
        number = rb"(" + _NUMBER + rb")" if is_told else _NUMBER
        pattern += rb"\n" + _LENGTH + re.escape(key + _VALUE) + _LENGTH + number
    form = _Form(pattern + _STEP, names)
    return form if len(set(names)) == len(names) and form.fits(example) else None


def _floats(texts: tuple[bytes, ...]) -> list[float]:
    try:
        return _decode_floats(b"[" + b",".join(texts) + b"]")
    except msgspec.DecodeError:  # infinite, or not a number
        return list(map(float, texts))


def _steps(texts: tuple[bytes, ...]) -> list[int]:
    return [varint(text, 0, len(text))[0] for text in texts]


def _row(record: bytes, history: Field) -> dict[str, Any]:
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
            name, value = named_value(record, begin, at)
            row[name] = value
        elif key == 0x12:
            if size and record[begin] == 0x08:
                step, _ = varint(record, begin + 1, at)
            else:  # zeros may be left out
                step = next((each.value for each in fields(record, begin, at) if each.number == 1), 0)
    if dict in set(map(type, row.values())):
        row = flat(row, between=".")
    row = _without_media(row)
    if step is not None:
        row["_step"] = step
    return row


def _without_media(row: dict[str, Any]) -> dict[str, Any]:
    """A row with one cell for each image, histogram or table, which is no number: their sizes are none of the run's."""
    for name in [name.removesuffix(_TYPE) for name in row if name.endswith(_TYPE)]:
        row = {key: value for key, value in row.items() if not key.startswith(f"{name}.")} | {name: row[name + _TYPE]}
    return row


def named_value(data: bytes, at: int, end: int) -> tuple[str, Any]:
    """The key of an item, of keys within keys `a.b`, and its value.

    Raises:
        ValueError: it is no item.
    """
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
