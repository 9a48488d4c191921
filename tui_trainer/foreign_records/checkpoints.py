"""The checkpoints that a tool keeps beside its record, by name: none is opened, for they are code to whoever loads one.

Hugging Face's trainer keeps `checkpoint-500/`, Lightning `checkpoints/*.ckpt`, Ultralytics `weights/*.pt`.
"""

from __future__ import annotations

import os
import time
from itertools import islice
from pathlib import Path

FOLDERS = {"checkpoints": ".ckpt", "weights": ".pt"}
"""Folders of checkpoints, each with the ending of one."""

MOST = 10_000
"""Entries of a folder that are looked at."""

LOOK_EVERY_S = 10.0
"""Seconds between looks."""


class CheckpointsBeside:
    """Follows which there are."""

    def __init__(self, path: Path) -> None:
        """Look beside a file, or into a folder. Nothing is read yet."""
        self.names: list[str] = []
        """The newest first."""
        self._folder = path if path.is_dir() else path.parent
        self._next_look = 0.0

    def look(self) -> None:
        """Look again, if the last look is some time ago."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_EVERY_S
        found = [entry for entry in _entries(self._folder) if _is_folder_of_one(entry)]
        for name, ending in FOLDERS.items():
            found += [entry for entry in _entries(self._folder / name) if entry.name.endswith(ending)]
        self.names = [entry.name for entry in sorted(found, key=_written_at, reverse=True)]


def is_of_one(below: str) -> bool:
    """Whether a file tells of one, by its path below the record's folder: it is one, or what a folder of one holds."""
    folder, _, name = below.partition("/")
    if folder in FOLDERS:
        return "/" not in name and name.endswith(FOLDERS[folder])
    return _is_called_one(folder) and name == "trainer_state.json"


def _is_called_one(folder: str) -> bool:
    name, _, number = folder.partition("-")
    return name == "checkpoint" and number.isdecimal()


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [*islice(entries, MOST)]
    except OSError:  # not there, or not for us
        return []


def _is_folder_of_one(entry: os.DirEntry[str]) -> bool:
    return _is_called_one(entry.name) and entry.is_dir()


def _written_at(entry: os.DirEntry[str]) -> tuple[float, str]:
    """When it changed last; of equals, by name, numbers in their order."""
    try:
        written_at = entry.stat().st_mtime
    except OSError:  # gone meanwhile
        written_at = 0.0
    return written_at, f"{len(entry.name):05}{entry.name}"
