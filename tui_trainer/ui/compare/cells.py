"""The text of the cells of a comparison's table, and how wide its columns are: of thousands of rows, those are written
that changed, and those that are seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from operator import is_not

from tui_trainer.compare.columns import ShownColumn
from tui_trainer.compare.differences import Difference
from tui_trainer.compare.plain_lines import ABSENT, Results, cell
from tui_trainer.compare.table import Row


class _Texts:
    """The texts of a column by the numbers of the presets, and how many are how long."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = [*texts]
        self._lengths = Counter(map(len, self.texts))

    def put(self, number: int, text: str) -> None:
        """Have another one there."""
        before, self.texts[number] = self.texts[number], text
        if len(before) != len(text):
            self._lengths[len(text)] += 1
            self._lengths[len(before)] -= 1
            if not self._lengths[len(before)]:
                del self._lengths[len(before)]

    @property
    def width(self) -> int:
        """Of the longest."""
        return max(self._lengths, default=0)


def _status(row: Row) -> str:
    return row.status


def _progress(row: Row) -> str:
    return row.progress


class TableCells:
    """Those of all columns that were asked for so far."""

    def __init__(self) -> None:
        self._findings: Results | None = None
        self._rows: Sequence[Row] = ()
        self._status, self._progress = _Texts(()), _Texts(())
        self._columns: dict[str, tuple[ShownColumn, _Texts]] = {}
        self._shown_as: object = None

    def show(self, findings: Results) -> None:
        """Bring them up to date: rows that are the same ones stay as they are."""
        if findings is self._findings:
            return
        table = findings.table
        shown_as = table.metric, table.series
        if len(self._rows) != len(table.rows) or shown_as != self._shown_as:
            self._columns.clear()
            self._status, self._progress = _Texts([*map(_status, table.rows)]), _Texts([*map(_progress, table.rows)])
        else:
            for row in compress(table.rows, map(is_not, table.rows, self._rows)):
                number = row.group.number
                self._status.put(number, row.status)
                self._progress.put(number, row.progress)
                for column, texts in self._columns.values():
                    if not isinstance(column, Difference):
                        texts.put(number, cell(row, column))
        self._findings, self._rows, self._shown_as = findings, table.rows, shown_as

    @property
    def status(self) -> _Texts:
        """How the presets stand."""
        return self._status

    @property
    def progress(self) -> _Texts:
        """How far they are."""
        return self._progress

    def of(self, column: ShownColumn) -> _Texts:
        """The texts of a column."""
        key = f"{type(column).__name__} {column.key}"
        known = self._columns.get(key)
        if known is None or (isinstance(column, Difference) and column != known[0]):
            known = self._columns[key] = column, _Texts(self._texts_of(column))
        return known[1]

    def _texts_of(self, column: ShownColumn) -> Sequence[str]:
        if isinstance(column, Difference):
            return column.values
        texts = [ABSENT] * len(self._rows)
        for row in self._findings.table.told if self._findings is not None else ():
            texts[row.group.number] = cell(row, column)
        return texts


class RowOrder:
    """In which order the presets stand, by their numbers; found anew where anything that it comes of is otherwise."""

    def __init__(self) -> None:
        self._as_of: tuple[object, ...] = ()
        self._order: list[int] = []
        self._places: dict[int, int] | None = None

    def of(self, findings: Results, key: str, reverse: bool, pinned: Iterable[int]) -> list[int]:
        """Sorted by a column, or as they train where it has no such key; those that are pinned first."""
        by = next((column for column in findings.columns if column.key == key), None)
        changes: object = findings.table
        if isinstance(by, Difference):
            changes = by
        elif not any(column.key == key for column in findings.table.columns):
            changes = len(findings.table.rows)
        as_of = changes, key, reverse, tuple(pinned)
        if self._as_of[1:] != as_of[1:] or not _same(self._as_of[0], changes):
            self._order, self._as_of, self._places = self._sorted(findings, by, as_of), as_of, None
        return self._order

    @property
    def places(self) -> dict[int, int]:
        """Where each stands."""
        if self._places is None:
            self._places = {number: place for place, number in enumerate(self._order)}
        return self._places

    def _sorted(
        self, findings: Results, by: ShownColumn | None, as_of: tuple[object, str, bool, tuple[int, ...]]
    ) -> list[int]:
        _, key, reverse, pinned = as_of
        if isinstance(by, Difference):
            order = by_setting(by.values, reverse)
        elif by is None and isinstance(as_of[0], int):
            order = [*range(as_of[0])]
            if reverse:
                order.reverse()
        else:
            order = [row.group.number for row in findings.table.sorted_by(key, reverse)]
        if pinned:
            first = frozenset(pinned)
            order = [number for number in order if number in first] + [n for n in order if n not in first]
        return order


def _same(one: object, other: object) -> bool:
    return one is other or (isinstance(one, int) and one == other)


def by_setting(values: Sequence[str], reverse: bool) -> list[int]:
    """The numbers of presets by what they have for a setting: numbers by their size, before words by their letters."""
    numbers: list[float] = []
    try:
        numbers.extend(map(float, values))
        key: Callable[[int], object] = numbers.__getitem__
    except ValueError:
        key = [*map(_as_sorted, values)].__getitem__
    return sorted(range(len(values)), key=key, reverse=reverse)  # type: ignore[arg-type]


def _as_sorted(setting: str) -> tuple[bool, float, str]:
    try:
        return False, float(setting), ""
    except ValueError:
        return True, 0.0, setting
