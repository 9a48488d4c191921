"""JSON objects, one a line, with numbers and a step among them: what detectron2, MMEngine and many a script write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from tui_trainer.foreign_records.csv_table import flaws_of_rows, notes_of_rows
from tui_trainer.foreign_records.followed_file import PIECE, Lines, begins_with
from tui_trainer.foreign_records.naming import run_name
from tui_trainer.foreign_records.openmmlab import Logger, logger_of
from tui_trainer.foreign_records.pieces import Points, SettingValue
from tui_trainer.foreign_records.rows import Rows, number_in
from tui_trainer.foreign_records.steps import StepsOfRows

DEEPEST = 4
"""Objects within objects that are looked into."""

LOOKED_AT = 2
"""Lines of a file by which it is recognised: the first may say what the run is, and hold no number."""

MOST_NOT_NUMBERS = 1000
"""Names that are kept to be told."""

_decode = msgspec.json.Decoder().decode
_decode_lines = msgspec.json.Decoder().decode_lines


class JsonLinesReader:
    """Follows a file of JSON objects."""

    tool = "JSON lines"

    def __init__(self, path: Path, at_once: int = PIECE) -> None:
        """Follow a file, so many bytes of it at a time."""
        self.name = run_name(path)
        self._at_once = at_once
        self._lines = Lines(path)
        self._begun_anew = 0
        self._rows = self._bad_rows = self._without_step = 0
        self._not_numbers: dict[str, None] = {}
        self._step: str | None = None
        self._logger = Logger()
        self._steps = StepsOfRows()
        self.lags = False

    @property
    def written_at(self) -> float | None:
        return self._lines.file.written_at

    @property
    def settings(self) -> Mapping[str, SettingValue]:
        return self._logger.settings

    @property
    def share(self) -> float | None:
        return self._lines.file.share

    @property
    def flaws(self) -> Sequence[str]:
        return flaws_of_rows(self._bad_rows + self._lines.too_long, self._without_step)

    @property
    def notes(self) -> Sequence[str]:
        of_rows = notes_of_rows(self._step, self._rows, self._not_numbers)
        return [*of_rows, *self._logger.notes, *self._steps.notes]

    def read(self) -> Iterator[Points]:
        content = self._lines.read(self._at_once)
        if self._lines.file.begun_anew != self._begun_anew:
            self._begun_anew = self._lines.file.begun_anew
            self._rows = self._bad_rows = self._without_step = 0
            self._not_numbers.clear()
        self.lags = self._lines.lags
        objects, bad = objects_in(content)
        self._bad_rows += bad
        if not objects:
            return
        if not self._rows:
            self._logger = logger_of(objects)
            self._steps = StepsOfRows(counts_in_epochs=self._logger.counts_in_epochs)
        rows = rows_of(self._logger.mended(objects), self._rows)
        rows.go_on(self._steps)
        self._rows += len(objects)
        self._without_step += rows.without_step
        self._step = self._step or rows.step_name
        if len(self._not_numbers) < MOST_NOT_NUMBERS:
            self._not_numbers |= dict.fromkeys(sorted(rows.not_numbers))
        yield from rows.points(again=self._begun_anew > 0)

    def close(self) -> None:
        """Nothing is held open."""


class JsonLines:
    """Files whose first lines are JSON objects with numbers in them."""

    tool = JsonLinesReader.tool

    def recognises(self, path: Path) -> bool:
        head = begins_with(path, 64 << 10)
        first = [line for line in head.split(b"\n")[:-1] if line.strip()][:LOOKED_AT]
        if not first or not first[0].lstrip().startswith(b"{"):
            return False
        objects = [each for line in first for each in objects_in(line)[0]]
        return any(number_in(value) is not None for each in objects for value in flat(each).values())

    def open(self, path: Path) -> JsonLinesReader:
        return JsonLinesReader(path)


def objects_in(lines: bytes) -> tuple[list[dict[str, Any]], int]:
    """The objects of whole lines, and how many lines are none."""
    try:
        rows = _decode_lines(lines)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        rows = []
        bad = 0
        for line in lines.split(b"\n"):
            if line.strip():
                try:
                    rows.append(_object_in(line))
                except (ValueError, RecursionError):
                    bad += 1
    else:
        bad = 0
    objects = [row for row in rows if type(row) is dict]
    return objects, bad + len(rows) - len(objects)


def _object_in(line: bytes) -> Any:
    """As Python's own writer has it: with `NaN` and `Infinity`, which JSON has not."""
    try:
        return _decode(line)
    except msgspec.DecodeError:
        return json.loads(line)


def rows_of(objects: list[dict[str, Any]], first: int = 0) -> Rows:
    """Objects as rows; `first` is the number of the first one, where nothing says the steps."""
    rows = Rows(len(objects), first)
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, each in enumerate(objects):
        if dict in set(map(type, each.values())):
            objects[index] = each = flat(each)
        groups.setdefault(tuple(each), []).append(index)
    for names, at in groups.items():
        rows.add(names, at, partial(_column, [objects[index] for index in at]))
    return rows


def _column(objects: list[dict[str, Any]], name: str) -> list[Any]:
    return [each[name] for each in objects]


def flat(nested: dict[str, Any], deepest: int = DEEPEST, between: str = "/") -> dict[str, Any]:
    """An object with what stands in objects of its own beside the rest: `val/acc` of `{"val": {"acc": 0.9}}`."""
    found: dict[str, Any] = {}
    for name, value in nested.items():
        if type(value) is dict and deepest:
            found |= {f"{name}{between}{inner}": each for inner, each in flat(value, deepest - 1, between).items()}
        else:
            found[name] = value
    return found
