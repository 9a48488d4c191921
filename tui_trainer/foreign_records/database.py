"""A run that a tool keeps in a database of SQLite: of several runs that which was begun last."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tui_trainer.foreign_records.pieces import Ended, Points
from tui_trainer.foreign_records.sqlite_file import NotReadable, changed, is_database, reading, tables_in
from tui_trainer.text.captions import say


class DatabaseReader:
    """Follows a run in a database. Each tool's own is a subclass."""

    tool: str
    TABLES: ClassVar[Mapping[str, frozenset[str]]]
    """What a database of the tool has: tables, each with columns that are read."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.lags = False
        self.written_at: float | None = None
        self._path = path
        self._seen: tuple[tuple[int, int], ...] = ()
        self._row = -1
        """The last row that was read."""
        self._run: object = None
        self._runs = 0
        self._has_ended = False

    @property
    def flaws(self) -> Sequence[str]:
        return [say("foreign.newest_run", count=f"{self._runs:,}")] if self._runs > 1 else []

    def read(self) -> Iterator[Points | Ended]:
        now = changed(self._path)
        if not now:
            raise FileNotFoundError(2, "", str(self._path))
        if now == self._seen and not self.lags:
            return
        with reading(self._path) as connection:
            if not has_tables(connection, self.TABLES):
                raise NotReadable("its tables are not those of a known version")
            if self._run is None:
                self.choose(connection)
            found = list(self.new_rows(connection)) if self._run is not None else []
        self._seen = now
        self.written_at = max(written for _, written in now) / 1e9
        yield from found

    def close(self) -> None:
        """Nothing is held open."""

    def choose(self, connection: sqlite3.Connection) -> None:
        """Find the run: `_run`, its `name`, and how many `_runs` there are."""
        raise NotImplementedError

    def new_rows(self, connection: sqlite3.Connection) -> Iterator[Points | Ended]:
        """What stands behind `_row`, at most `ROWS_AT_ONCE`; sets `lags`."""
        raise NotImplementedError


class DatabaseKind:
    """Databases that have a tool's tables."""

    def __init__(self, reader: type[DatabaseReader]) -> None:
        self.tool = reader.tool
        self._reader = reader

    def recognises(self, path: Path) -> bool:
        if not is_database(path):
            return False
        try:
            with reading(path) as connection:
                return has_tables(connection, self._reader.TABLES)
        except OSError:
            return False

    def open(self, path: Path) -> DatabaseReader:
        return self._reader(path)


def has_tables(connection: sqlite3.Connection, wanted: Mapping[str, frozenset[str]]) -> bool:
    """Whether a database has these tables with these columns."""
    there = tables_in(connection)
    return all(columns <= there.get(table, set()) for table, columns in wanted.items())
