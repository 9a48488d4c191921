"""The runs of a folder, kept up to date a little at a time: a list on a screen must not wait for the disk."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

from tui_trainer.runs.catalogue import folders
from tui_trainer.runs.lock import is_live
from tui_trainer.runs.summary import RunSummary, summarize

LOOK_EVERY = 1.0
"""Seconds between looks at what has changed, at the least."""

REST = 50
"""Whatever looking or reading took, so many times as long it is not done again: 2 % of a core."""


class _Stamp(NamedTuple):
    """What a summary was made from; another stamp, another summary."""

    live: bool
    size: int
    changed: int


class Shelf:
    """Summaries of all runs, newest first. Nothing waits: `look` reads for a moment, and goes on where it was."""

    def __init__(self, runs: Path) -> None:
        self.folder = runs
        self.version = 0
        """Grows as the list changes."""
        self.trouble = ""
        """Why the folder cannot be read, if it cannot."""
        self._read: dict[Path, tuple[_Stamp, RunSummary]] = {}
        self._rest_until: dict[Path, float] = {}
        self._waiting: deque[tuple[Path, _Stamp]] = deque()
        self.unread: list[str] = []
        """What of the folder cannot be looked into, each in words."""
        self._next_look = 0.0
        self._sorted: list[RunSummary] = []

    @property
    def runs(self) -> list[RunSummary]:
        """All that were read so far, newest first."""
        return self._sorted

    @property
    def complete(self) -> bool:
        """Whether none is still to be read for the first time."""
        return self._next_look > 0 and all(folder in self._read for folder, _ in self._waiting)

    def look(self, seconds: float = 0.02) -> bool:
        """See what has changed, for about so long at most; whether the list did."""
        until = time.monotonic() + seconds
        before = self.version
        if not self._waiting and time.monotonic() >= self._next_look:
            self._see_what_changed()
        while self._waiting:
            self._summarize(*self._waiting.popleft())
            if time.monotonic() >= until:
                break
        if self.version != before:
            found = (summary for _, summary in self._read.values())
            self._sorted = sorted(found, key=lambda run: (run.started_at or 0.0, run.id), reverse=True)
        return self.version != before

    def look_again(self) -> None:
        """Something is known to have changed: see at the next look."""
        self._next_look = 0.0

    def _see_what_changed(self) -> None:
        began = time.monotonic()
        self.unread = []
        try:
            there = sorted(folders(self.folder, self.unread.append), key=lambda folder: folder.name, reverse=True)
            self.trouble = ""
        except OSError as error:
            there, self.trouble = [], error.strerror or str(error)
        for folder in there:
            if began < self._rest_until.get(folder, 0.0):
                continue
            stamp = _stamp(folder)
            if folder not in self._read or self._read[folder][0] != stamp:
                self._waiting.append((folder, stamp))
        for gone in self._read.keys() - set(there):
            del self._read[gone]
            self._rest_until.pop(gone, None)
            self.version += 1
        now = time.monotonic()
        self._next_look = now + max(LOOK_EVERY, REST * (now - began))

    def _summarize(self, folder: Path, stamp: _Stamp) -> None:
        began = time.monotonic()
        self._read[folder] = (stamp, summarize(folder))
        self.version += 1
        now = time.monotonic()
        self._rest_until[folder] = now + REST * (now - began)


def _stamp(folder: Path) -> _Stamp:
    try:
        journal = (folder / "events.jsonl").stat()
    except OSError:  # not there, or not for us: a summary says which
        return _Stamp(is_live(folder), 0, 0)
    return _Stamp(is_live(folder), journal.st_size, journal.st_mtime_ns)
