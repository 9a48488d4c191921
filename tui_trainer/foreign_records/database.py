"""Runs that a tool keeps in a database of SQLite. Each has a path of its own, as if the database were a folder of
them: `mlflow.db/RUN`. The path of the database is that of the run that was written last."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple
from urllib.parse import quote

from tui_trainer.foreign_records.pieces import Piece, SettingValue
from tui_trainer.foreign_records.sqlite_file import NotReadable, changed, is_database, reading, tables_in


class StoredRun(NamedTuple):
    """A run in a database."""

    key: str
    """By which its rows are found."""
    name: str
    """What a person calls it."""
    written_at: float
    """When it changed last, Unix time in seconds; 0 where only the database tells that."""

    @property
    def file_name(self) -> str:
        """The last part of its path: a name may hold what no part of one can."""
        return quote(self.key, safe=" ()[]{},;:=+@!#$&'~", errors="replace")


class DatabaseReader:
    """Follows a run in a database. Each tool's own is a subclass."""

    tool: str
    TABLES: ClassVar[Mapping[str, frozenset[str]]]
    """What a database of the tool has: tables, each with columns that are read."""

    share: float | None = None

    def __init__(self, path: Path) -> None:
        """Look at a run, or at a database: at the run in it that was written last."""
        self._path, self._wanted = split(path)
        self.name = self._wanted or path.stem
        self.lags = False
        self.written_at: float | None = None
        self._seen: tuple[tuple[int, int], ...] = ()
        self._row = -1
        """The last row that was read."""
        self._run: StoredRun | None = None
        self._has_ended = False
        self.flaws: Sequence[str] = ()
        self.notes: Sequence[str] = ()
        self.settings: Mapping[str, SettingValue] = {}

    def read(self) -> Iterator[Piece]:
        now = changed(self._path)
        if not now:
            raise FileNotFoundError(2, "", str(self._path))
        if now == self._seen and not self.lags:
            return
        with reading(self._path) as connection:
            if not has_tables(connection, self.TABLES):
                raise NotReadable("its tables are not those of a known version")
            if self._run is None and (found := meant(self.runs_in(connection), self._wanted)) is not None:
                self._run, self.name = found, found.name
            pieces = list(self.new_rows(connection, self._run.key)) if self._run is not None else []
            if self._run is not None and not self.lags:
                self.settings = self.settings_of(connection, self._run.key)
        self._seen = now
        self.written_at = max(written for _, written in now) / 1e9
        yield from pieces

    def close(self) -> None:
        """Nothing is held open."""

    @staticmethod
    def runs_in(connection: sqlite3.Connection) -> Sequence[StoredRun]:
        """The runs of the database, that which was written last first."""
        raise NotImplementedError

    def settings_of(self, connection: sqlite3.Connection, key: str) -> Mapping[str, SettingValue]:
        """What the run of this key was set to; empty where the database does not say that."""
        raise NotImplementedError

    def new_rows(self, connection: sqlite3.Connection, key: str) -> Iterator[Piece]:
        """What stands behind `_row` of the run of this key, at most `ROWS_AT_ONCE`; sets `lags`."""
        raise NotImplementedError


class DatabaseKind:
    """Databases that have a tool's tables."""

    def __init__(self, reader: type[DatabaseReader]) -> None:
        self.tool = reader.tool
        self._reader = reader

    def recognises(self, path: Path) -> bool:
        database, wanted = split(path)
        runs = self._runs(database)
        return runs is not None and (not wanted or meant(runs, wanted) is not None)

    def runs_at(self, path: Path) -> Sequence[StoredRun]:
        """The runs in the database at a path, that which was written last first; the one, where it is that of a run."""
        database, wanted = split(path)
        runs = self._runs(database) or ()
        if not wanted:
            return runs
        return [found] if (found := meant(runs, wanted)) is not None else ()

    def open(self, path: Path) -> DatabaseReader:
        return self._reader(path)

    def _runs(self, database: Path) -> Sequence[StoredRun] | None:
        """None where it is no such database."""
        if not is_database(database):
            return None
        try:
            with reading(database) as connection:
                return self._reader.runs_in(connection) if has_tables(connection, self._reader.TABLES) else None
        except OSError:
            return None


def split(path: Path) -> tuple[Path, str]:
    """A database, and what stands behind it in the path: which of its runs is meant; empty where none is named."""
    return (path.parent, path.name) if path.parent.is_file() else (path, "")


def meant(runs: Sequence[StoredRun], wanted: str) -> StoredRun | None:
    """The run that is wanted, by its key, its name or the unique start of its key; of an empty word the first one."""
    if not wanted:
        return runs[0] if runs else None
    for matches in (
        [run for run in runs if wanted in (run.file_name, run.key)],
        [run for run in runs if run.name == wanted],
        [run for run in runs if run.key.startswith(wanted)],
    ):
        if len(matches) == 1:
            return matches[0]
    return None


def has_tables(connection: sqlite3.Connection, wanted: Mapping[str, frozenset[str]]) -> bool:
    """Whether a database has these tables with these columns."""
    there = tables_in(connection)
    return all(columns <= there.get(table, set()) for table, columns in wanted.items())
