"""Which forms of records are known, and what lies at a path: a file, a run's folder or a tree of runs."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tui_trainer.foreign_records.csv_table import Csv
from tui_trainer.foreign_records.database import DatabaseKind
from tui_trainer.foreign_records.json_lines import JsonLines
from tui_trainer.foreign_records.mlflow import MLflowDatabaseReader, MLflowFolder
from tui_trainer.foreign_records.pieces import PARTS, Kind
from tui_trainer.foreign_records.several_forms import SeveralForms, one_run
from tui_trainer.foreign_records.tensorboard import TensorBoard
from tui_trainer.foreign_records.trackio import TrackioReader
from tui_trainer.foreign_records.trainer_folder import Trainer, folders_of_events
from tui_trainer.foreign_records.trainer_state import FILE, document_in
from tui_trainer.foreign_records.wandb_file import Wandb
from tui_trainer.records.beside_runs import is_beside_runs
from tui_trainer.records.run_index import is_record

DEEPEST = 8
"""Folders below the one that was named."""

MOST_ENTRIES = 100_000

MOST_FILES_READ = 2_000
"""Files of a tree whose first bytes are read."""

_TENSORBOARD, _TRAINER = TensorBoard(), Trainer()
_MLFLOW = MLflowFolder()
_SEVERAL_WITH_EVENTS, _SEVERAL_TABLES = SeveralForms(events=True), SeveralForms(events=False)
_FILES: tuple[Kind, ...] = (
    Wandb(),
    DatabaseKind(MLflowDatabaseReader),
    DatabaseKind(TrackioReader),
    JsonLines(),
    Csv(),
)

KINDS: tuple[Kind, ...] = (_TRAINER, _SEVERAL_WITH_EVENTS, _SEVERAL_TABLES, _TENSORBOARD, _MLFLOW, *_FILES)
"""In the order in which they are asked: the first that recognises a file takes it."""

TOOLS = tuple(dict.fromkeys(kind.tool for kind in KINDS))
"""What they are called, each once."""


class Record(NamedTuple):
    """A record that was found."""

    kind: Kind
    path: Path
    written_at: float
    """When it changed last, Unix time in seconds."""
    name: str = ""
    """What it is called, where its path does not say it."""
    tables: Sequence[str] = ()
    """Files in its folder that are other forms of it, by name."""


def records_in(path: Path) -> list[Record]:
    """The records of other tools at a path, as `all_in` finds them."""
    return all_in(path)[1]


def all_in(path: Path) -> tuple[list[Path], list[Record]]:
    """The records at a path: one of a file, and of a folder all in it and below.

    Ours by their folders, in no order; and those of other tools, the one that changed last first.

    A glance at the first bytes of files. Links to folders are not followed; what may not be read is passed over.
    """
    if not path.is_dir():
        if is_beside_runs(path.parent):
            return [], []
        kind = next((each for each in KINDS if each.recognises(path)), None)
        return [], [] if kind is None else _records_of_file(kind, path)
    ours: list[Path] = []
    found: list[Record] = []
    trainers: set[Path] = set()
    """Folders of events that are a part of another record."""
    waiting = deque([(path, 0)])
    entries = files_read = 0
    while waiting and entries < MOST_ENTRIES:
        here, depth = waiting.popleft()
        if is_record(here):
            ours.append(here)
            continue
        if is_beside_runs(here):
            continue
        folders, files = _inside(here)
        entries += len(folders) + len(files)
        if _MLFLOW.recognises(here):
            found.append(Record(_MLFLOW, here, _changed([here, *(here / "metrics").glob("*")])))
            continue
        events = [file for file in files if "tfevents" in file.name]
        below = [folder for folder in folders if folder.name in PARTS]
        if _TRAINER.recognises(here):
            of_it = folders_of_events(here)
            trainers.update(of_it)
            files_of_it = (file for folder in of_it for file in _inside(folder)[1])
            found.append(Record(_TRAINER, here, _changed([document_in(here) or here, *files_of_it])))
            folders = [folder for folder in folders if not folder.name.startswith("checkpoint-")]
        has_events = here not in trainers and (
            bool(events) or any("tfevents" in file.name for part in below for file in _inside(part)[1])
        )
        of_files: list[tuple[Kind, Path]] = []
        for file in files:
            if file in events or file.name == FILE or files_read >= MOST_FILES_READ:
                continue
            files_read += 1
            kind = next((each for each in _FILES if each.recognises(file)), None)
            if kind is not None:
                of_files.append((kind, file))
        forms, copies = one_run(here, has_events, of_files)
        told = [file for _, file in forms if file != here]
        if forms:
            several = _SEVERAL_WITH_EVENTS if has_events else _SEVERAL_TABLES
            names = [file.name for file in told]
            found.append(Record(several, here, _changed([*told, *events]), tables=names))
        elif has_events:
            found.append(Record(_TENSORBOARD, here, _changed(events or below)))
        for kind, file in of_files:
            if file not in told and file not in copies:
                found += _records_of_file(kind, file)
        if has_events:
            folders = []  # parts of this run
        if depth < DEEPEST:
            waiting.extend((folder, depth + 1) for folder in folders)
    return ours, sorted(found, key=lambda record: record.written_at, reverse=True)


def _records_of_file(kind: Kind, path: Path) -> list[Record]:
    """Of a database its runs, else what lies there."""
    if not isinstance(kind, DatabaseKind) or len(runs := kind.runs_at(path)) < 2:
        return [Record(kind, path, _changed([path] if path.exists() else [path.parent]))]
    return [Record(kind, path / run.file_name, run.written_at or _changed([path]), run.name) for run in runs]


def _inside(folder: Path) -> tuple[list[Path], list[Path]]:
    """The folders and the files of a folder, by name."""
    folders: list[Path] = []
    files: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif entry.is_file():
                    files.append(Path(entry.path))
    except OSError:  # not for us, or gone
        pass
    return folders, files


def _changed(paths: Iterable[Path]) -> float:
    latest = 0.0
    for path in paths:
        try:
            latest = max(latest, path.stat().st_mtime)
        except OSError:
            continue
    return latest
