"""Trackio's database: a row for each step, with its numbers as a JSON object; what is not finite is a word there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from tui_trainer.foreign_records.database import DatabaseReader, StoredRun
from tui_trainer.foreign_records.json_lines import objects_in, rows_of
from tui_trainer.foreign_records.pieces import Ended, Points, SettingValue
from tui_trainer.foreign_records.settings import settings_in
from tui_trainer.foreign_records.sqlite_file import ROWS_AT_ONCE, tables_in

CONFIGS = frozenset({"id", "run_name", "config"})
"""Columns of the table of settings. Those of a run's that Trackio adds itself begin with `_`."""

LARGEST_CONFIG = 1 << 20
"""Bytes of the settings of a run."""


class TrackioReader(DatabaseReader):
    """Follows a run in a project's database."""

    tool = "Trackio"
    TABLES: ClassVar = {"metrics": frozenset({"id", "timestamp", "run_name", "step", "metrics"})}

    @staticmethod
    def runs_in(connection: sqlite3.Connection) -> Sequence[StoredRun]:
        found = connection.execute(
            "SELECT run_name, max(timestamp) FROM metrics GROUP BY run_name ORDER BY max(id) DESC LIMIT 10000"
        ).fetchall()
        return [StoredRun(str(name), str(name), _time(at).get("_timestamp", 0.0)) for name, at in found]

    def settings_of(self, connection: sqlite3.Connection, key: str) -> Mapping[str, SettingValue]:
        if not tables_in(connection).get("configs", set()) >= CONFIGS:
            return {}
        found = connection.execute(
            "SELECT config FROM configs WHERE run_name = ? AND length(config) <= ? ORDER BY id DESC LIMIT 1",
            (key, LARGEST_CONFIG),
        ).fetchall()
        objects, _ = objects_in(b"".join(each if isinstance(each, bytes) else str(each).encode() for (each,) in found))
        return settings_in({name: value for each in objects for name, value in each.items() if name[:1] != "_"})

    def new_rows(self, connection: sqlite3.Connection, key: str) -> Iterator[Points | Ended]:
        rows = connection.execute(
            "SELECT id, timestamp, step, metrics FROM metrics WHERE run_name = ? AND id > ? ORDER BY id LIMIT ?",
            (key, self._row, ROWS_AT_ONCE),
        ).fetchall()
        self.lags = len(rows) == ROWS_AT_ONCE
        told: list[dict[str, Any]] = []
        for row, time, step, content in rows:
            self._row = row
            objects, _ = objects_in(content if isinstance(content, bytes) else str(content).encode())
            if len(objects) == 1 and isinstance(step, int):
                told.append({"step": step} | _time(time) | objects[0] | {"step": step})
        if told:
            yield from rows_of(told).points()


def _time(said: object) -> dict[str, float]:
    try:
        return {"_timestamp": datetime.fromisoformat(str(said)).timestamp()}
    except (ValueError, OverflowError, OSError):
        return {}
