"""A table of comma-separated values with a header: Lightning's, Keras', Ultralytics', and any other with numbers.

Rows may be sparse: an empty cell says nothing. A file that is written anew, with a column more, is read anew.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tui_trainer.foreign_records.followed_file import Lines, begins_with
from tui_trainer.foreign_records.naming import run_name
from tui_trainer.foreign_records.pieces import Points, SettingValue
from tui_trainer.foreign_records.rows import Rows, number_in
from tui_trainer.foreign_records.steps import StepsOfRows
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain

AT_ONCE = 256 << 10
"""Bytes that are read at a time: some 15 ms of work, in which no key is answered."""

DELIMITERS = ",\t;|"

NAMED_AT_MOST = 5

MOST_COLUMNS = 10_000


class CsvReader:
    """Follows a table."""

    tool = "CSV"

    def __init__(self, path: Path, at_once: int = AT_ONCE) -> None:
        """Follow a file, so many bytes of it at a time."""
        self.name = run_name(path)
        self._at_once = at_once
        self._lines = Lines(path)
        self._header: list[str] = []
        self._delimiter = ","
        self._begun_anew = 0
        self._rows = 0
        self._bad_rows = self._without_step = 0
        self._not_numbers: dict[str, None] = {}
        self._steps = StepsOfRows()
        self._step: str | None = None
        self.lags = False
        self.settings: Mapping[str, SettingValue] = {}

    @property
    def written_at(self) -> float | None:
        return self._lines.file.written_at

    @property
    def share(self) -> float | None:
        return self._lines.file.share

    @property
    def flaws(self) -> Sequence[str]:
        return flaws_of_rows(self._bad_rows + self._lines.too_long, self._without_step)

    @property
    def notes(self) -> Sequence[str]:
        return [*notes_of_rows(self._step, self._rows, self._not_numbers), *self._steps.notes]

    def read(self) -> Iterator[Points]:
        content = self._lines.read(self._at_once)
        if self._lines.file.begun_anew != self._begun_anew:
            self._begun_anew = self._lines.file.begun_anew
            self._header, self._rows, self._bad_rows, self._without_step = [], 0, 0, 0
            self._steps = StepsOfRows()
            self._not_numbers.clear()
        self.lags = self._lines.lags
        rows = self._parsed(content)
        if rows and not self._header:
            self._header = [name.strip() for name in rows.pop(0)][:MOST_COLUMNS]
        if not rows or not self._header:
            return
        width = len(self._header)
        if any(len(row) != width for row in rows):
            self._bad_rows += sum(len(row) > width for row in rows)
            rows = [row + [""] * (width - len(row)) for row in rows if len(row) <= width]
        if not rows:
            return
        columns = dict(zip(self._header, zip(*rows, strict=True), strict=True))
        table = Rows(len(rows), self._rows)
        table.add(list(columns), range(len(rows)), lambda name: list(columns[name]))
        table.go_on(self._steps)
        self._rows += len(rows)
        self._without_step += table.without_step
        self._step = table.step_name
        self._not_numbers |= dict.fromkeys(sorted(table.not_numbers))
        yield from table.points(again=self._begun_anew > 0)

    def close(self) -> None:
        """Nothing is held open."""

    def _parsed(self, content: bytes) -> list[list[str]]:
        text = content.decode(errors="replace")
        if not self._header:
            text = text.removeprefix("\ufeff")
            self._delimiter = delimiter_of(text.partition("\n")[0])
        try:
            return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter) if row]
        except csv.Error:
            return list(self._one_by_one(text))

    def _one_by_one(self, text: str) -> Iterator[list[str]]:
        for line in text.splitlines():
            try:
                row = next(csv.reader([line], delimiter=self._delimiter), [])
            except csv.Error:
                self._bad_rows += 1
            else:
                if row:
                    yield row


class Csv:
    """Files that begin with a header and, behind it, a row with numbers."""

    tool = CsvReader.tool

    def recognises(self, path: Path) -> bool:
        head = begins_with(path, 64 << 10)
        if b"\0" in head or b"\n" not in head:
            return False
        lines = head.decode(errors="replace").removeprefix("\ufeff").splitlines()[:3]
        delimiter = delimiter_of(lines[0])
        try:
            rows = [[cell.strip() for cell in row] for row in csv.reader(lines[:2], delimiter=delimiter)]
        except csv.Error:
            return False
        if len(rows) < 2 or len(rows[0]) < 2 or len(rows[1]) > len(rows[0]):
            return False
        words = all(cell and number_in(cell) is None and cell[0] not in "{[<" for cell in rows[0])
        return words and any(number_in(cell) is not None for cell in rows[1])

    def open(self, path: Path) -> CsvReader:
        return CsvReader(path)


def delimiter_of(header: str) -> str:
    """What stands between the names: that of the usual ones which is there most often."""
    return max(DELIMITERS, key=header.count)


def flaws_of_rows(bad: int, without_step: int = 0) -> list[str]:
    """What is wrong with rows of which so many could not be read, and so many have no step, in words."""
    found = [say("foreign.bad_rows", rows=counted(bad, "row"))] if bad else []
    return [*found, say("foreign.no_step_in_row", rows=counted(without_step, "row"))] if without_step else found


def notes_of_rows(step: str | None, rows: int, not_numbers: dict[str, None]) -> list[str]:
    """What else is to be said of rows, in words."""
    found = []
    if rows and step is None:
        found.append(say("foreign.rows_numbered"))
    elif rows and step is not None and step.lower() != "step":
        found.append(say("foreign.step_is", name=plain(step)))
    if not_numbers:
        names = [plain(name) for name in not_numbers]
        more = f" and {len(names) - NAMED_AT_MOST:,} more" if len(names) > NAMED_AT_MOST else ""
        found.append(say("foreign.not_numbers", names=", ".join(names[:NAMED_AT_MOST]) + more))
    return found
