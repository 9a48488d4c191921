"""MLflow's runs: folders of its file store, and its database."""

from __future__ import annotations

import math
import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tui_trainer.foreign_records.database import DatabaseReader, StoredRun
from tui_trainer.foreign_records.followed_file import Lines, begins_with
from tui_trainer.foreign_records.pieces import Ended, Piece, Points, SettingValue
from tui_trainer.foreign_records.rows import number_in
from tui_trainer.foreign_records.settings import LONGEST, MOST, settings_in, value_of
from tui_trainer.foreign_records.sqlite_file import ROWS_AT_ONCE, tables_in
from tui_trainer.foreign_records.steps_by_clock import StepsByClock
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted

OVER = {"FINISHED": True, "FAILED": False, "KILLED": False}
"""How a run stands that is over, and whether it ended well."""
_NUMBERS = {3: "FINISHED", 4: "FAILED", 5: "KILLED"}

PARAMS = frozenset({"key", "value", "run_uuid"})
"""Columns of the table of parameters."""

LARGEST = 1.7976931348623157e308
"""What the database holds for an infinity."""

MOST_FILES = 10_000

LOOK_EVERY_S = 1.0
"""Seconds between looks for new files, at the least."""

REST = 50
"""So many times as long as a look took there is none: 2 % of a core."""


class MLflowDatabaseReader(DatabaseReader):
    """Follows a run in MLflow's database."""

    tool = "MLflow"
    TABLES: ClassVar = {
        "runs": frozenset({"run_uuid", "name", "status", "start_time", "end_time", "lifecycle_stage"}),
        "metrics": frozenset({"key", "value", "timestamp", "run_uuid", "step", "is_nan"}),
    }

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._steps = StepsByClock()

    @staticmethod
    def runs_in(connection: sqlite3.Connection) -> Sequence[StoredRun]:
        found = connection.execute(
            "SELECT run_uuid, name, end_time FROM runs WHERE lifecycle_stage = 'active' "
            "ORDER BY coalesce(end_time, 9e18) DESC, start_time DESC LIMIT 10000"
        ).fetchall()
        return [StoredRun(str(key), str(name or key), _seconds(end)) for key, name, end in found]

    def settings_of(self, connection: sqlite3.Connection, key: str) -> dict[str, SettingValue]:
        if not tables_in(connection).get("params", set()) >= PARAMS:
            return {}
        found = connection.execute(
            "SELECT substr(key, 1, ?), substr(value, 1, ?) FROM params WHERE run_uuid = ? LIMIT ?",
            (LONGEST, LONGEST, key, MOST),
        ).fetchall()
        return _params(found)

    def new_rows(self, connection: sqlite3.Connection, key: str) -> Iterator[Piece]:
        rows = connection.execute(
            "SELECT rowid, key, value, timestamp, step, is_nan FROM metrics "
            "WHERE run_uuid = ? AND rowid > ? ORDER BY rowid LIMIT ?",
            (key, self._row, ROWS_AT_ONCE),
        ).fetchall()
        self.lags = len(rows) == ROWS_AT_ONCE
        series: dict[str, tuple[list[int], list[float | int], list[float]]] = {}
        for row, name, value, at, step, is_nan in rows:
            self._row = row
            if isinstance(step, int) and type(value) in (int, float) and isinstance(at, int | float):
                steps, values, times = series.setdefault(str(name), ([], [], []))
                steps.append(step)
                values.append(math.nan if is_nan else _infinite(value))
                times.append(at / 1000)
        come = (Points(steps, {name: values}, times) for name, (steps, values, times) in series.items())
        yield from self._steps.placed(come)
        self.notes = self._steps.notes
        if not self.lags and not self._has_ended:
            status, end = connection.execute(
                "SELECT status, end_time FROM runs WHERE run_uuid = ?", (key,)
            ).fetchone() or ("", None)
            if status in OVER and isinstance(end, int | float):
                self._has_ended = True
                yield Ended(end / 1000, OVER[status], status.lower())


def _params(texts: Iterable[tuple[object, object]]) -> dict[str, SettingValue]:
    """Parameters, which are kept as texts."""
    return settings_in({str(name): value_of(str(text)) for name, text in texts})


def _seconds(milliseconds: object) -> float:
    return milliseconds / 1000 if isinstance(milliseconds, int | float) else 0.0


def _infinite(value: float) -> float:
    return math.copysign(math.inf, value) if abs(value) >= LARGEST else value


class MLflowFolderReader:
    """Follows a run's folder: a file for each metric, with a line for each number: its time in ms, itself, its step."""

    tool = "MLflow"

    share: float | None = None

    def __init__(self, path: Path) -> None:
        self.lags = False
        self.name = _meta(path, "run_name") or path.name
        self._path = path
        self._files: dict[str, Lines] = {}
        self._bad_lines = 0
        self._has_ended = False
        self._steps = StepsByClock()
        self._next_look = 0.0
        self._texts: dict[str, str] = {}
        """Parameters as they stand in their files: none is ever changed."""
        self.settings: Mapping[str, SettingValue] = {}

    @property
    def written_at(self) -> float | None:
        return max((each.file.written_at for each in self._files.values() if each.file.written_at), default=None)

    @property
    def flaws(self) -> Sequence[str]:
        return [say("foreign.bad_rows", rows=counted(self._bad_lines, "row"))] if self._bad_lines else []

    @property
    def notes(self) -> Sequence[str]:
        return self._steps.notes

    def read(self) -> Iterator[Piece]:
        self._look_for_files()
        self.lags = False
        yield from self._steps.placed(self._new_points())
        status = _NUMBERS.get(int(_meta(self._path, "status", r"\d{1,3}") or 0))
        if status is not None and not self.lags and not self._has_ended:
            self._has_ended = True
            end = _meta(self._path, "end_time", r"\d{1,15}")
            yield Ended(int(end) / 1000 if end else self.written_at or 0.0, OVER[status], status.lower())

    def close(self) -> None:
        """Nothing is held open."""

    def _look_for_files(self) -> None:
        metrics = self._path / "metrics"
        if time.monotonic() < self._next_look:
            return
        began = time.monotonic()
        for folder, folders, files in os.walk(metrics):
            folders.sort()
            for file in sorted(files):
                name = Path(folder, file).relative_to(metrics).as_posix()
                if name not in self._files and len(self._files) < MOST_FILES:
                    self._files[name] = Lines(Path(folder, file))
        self._look_for_parameters()
        now = time.monotonic()
        self._next_look = now + max(LOOK_EVERY_S, REST * (now - began))

    def _look_for_parameters(self) -> None:
        params, known = self._path / "params", len(self._texts)
        for folder, folders, files in os.walk(params):
            folders.sort()
            for file in sorted(files):
                name = Path(folder, file).relative_to(params).as_posix()[:LONGEST]
                if name not in self._texts and len(self._texts) < MOST:
                    self._texts[name] = begins_with(Path(folder, file), LONGEST).decode(errors="replace")
        if len(self._texts) != known:
            self.settings = _params(self._texts.items())

    def _new_points(self) -> Iterator[Points]:
        for name, lines in self._files.items():
            content = lines.read()
            if content:
                yield from self._points(name, content, again=lines.file.begun_anew > 0)
                self.lags |= lines.file.lags

    def _points(self, name: str, content: bytes, *, again: bool) -> Iterator[Points]:
        steps: list[int] = []
        values: list[float | int] = []
        times: list[float] = []
        for line in content.decode(errors="replace").splitlines():
            words = line.split()
            number = number_in(words[1]) if len(words) in (2, 3, 5) else None
            try:
                step = int(words[2]) if len(words) > 2 else len(steps)
                at = int(words[0]) / 1000 if number is not None else None
            except (ValueError, IndexError, OverflowError):
                at = None
            if number is None or at is None:
                self._bad_lines += 1
                continue
            steps.append(step)
            values.append(number)
            times.append(at)
        if steps:
            yield Points(steps, {name: values}, times, again=again)


class MLflowFolder:
    """Folders of runs in MLflow's file store."""

    tool = MLflowFolderReader.tool

    def recognises(self, path: Path) -> bool:
        return path.is_dir() and (path / "metrics").is_dir() and bool(_meta(path, "run_id"))

    def open(self, path: Path) -> MLflowFolderReader:
        return MLflowFolderReader(path)


def _meta(folder: Path, name: str, form: str = ".*") -> str:
    """A line of `meta.yaml`, as the plain text that MLflow writes there; empty where there is none."""
    said = begins_with(folder / "meta.yaml", 64 << 10).decode(errors="replace")
    found: Any = re.search(rf"^{name}: *['\"]?({form}?)['\"]?\s*$", said, re.MULTILINE)
    return str(found[1]) if found else ""
