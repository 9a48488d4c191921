"""The runs of a folder: which there are, how they stand, and which one is meant.

`RunIndex` keeps that up to date a little at a time: a list on a screen must not wait for the disk.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from tui_trainer.files.atomic import write_atomic
from tui_trainer.files.given_path import BadPath, given_path
from tui_trainer.files.safe_open import is_regular
from tui_trainer.records.errors import RecordUnfit, RunNotFound, RunsFolderUnwritable, reason, unsaid
from tui_trainer.records.lock import WriterLock, is_live
from tui_trainer.records.run_metadata import read_facts
from tui_trainer.records.runs_folder import shell_command
from tui_trainer.records.summary import RunSummary, summarize
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain

_NAMED_AT_MOST = 5


def folders(runs: Path, warn: Callable[[str], None] = unsaid) -> list[Path]:
    """The folders in `runs` that hold a record, in no order; none where there is no such folder.

    `warn` is told, in words, of each that cannot be looked into, or where what should be a record is none.

    Raises:
        PermissionError: `runs` itself cannot be read.
    """
    try:
        with os.scandir(runs) as entries:
            found = sorted(Path(entry.path) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder for folder in found if is_record(folder, warn)]


def summaries(runs: Path, warn: Callable[[str], None] = unsaid) -> list[RunSummary]:
    """All runs of a folder, newest first. What is no record is passed over, and `warn` told of what cannot be read.

    Raises:
        PermissionError: the folder itself cannot be read.
    """
    found = [summarize(folder) for folder in folders(runs, warn)]
    return sorted(found, key=lambda run: (run.started_at or 0.0, run.id), reverse=True)


def newest(runs: Path) -> Path:
    """The run that was begun last.

    Raises:
        RunNotFound: there is none.
    """
    unread: list[str] = []
    found = folders(runs, unread.append)
    if not found:
        raise RunNotFound(none_there(runs, unread))
    return max(found, key=_begun)


def find(runs: Path, given: str, warn: Callable[[str], None] | None = None) -> Path:
    """The folder of the run that is meant: by its id, its name, the unique start of an id, or a path.

    Of several with the same name it is the newest, and `warn` is told so; without a `warn` none of them is meant.

    Raises:
        RunNotFound: nothing goes by that, or several do; the sentence names what comes near.
    """
    path, no_path = _path_of(given)
    if path is not None and os.sep in given and is_record(path):
        return path
    unread: list[str] = []
    found = sorted(folders(runs, unread.append), key=_begun, reverse=True)
    names = {folder: read_facts(folder).get("name") for folder in found}
    for matches in (
        [folder for folder in found if folder.name == given],
        [folder for folder in found if names[folder] == given and given],
        [folder for folder in found if folder.name.startswith(given) and given],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches and warn is not None and names[matches[0]] == given:
            warn(say("shell.newest_named", count=len(matches), name=plain(given), run=matches[0].name))
            return matches[0]
        if matches:
            raise RunNotFound(f"{given!r} may be any of {_listed(matches)}. Say more of the id.")
    if path is not None and given and is_record(path):
        return path
    if no_path and os.sep in given:
        raise RunNotFound(f"there is no run of this name in {runs}, and as a path: {no_path}.")
    from tui_trainer.records import range_tests

    if (tested := range_tests.find(runs, given)) is not None:
        show = shell_command("find-lr --show", tested.name, tested.parent.parent)
        raise RunNotFound(f"{tested.name} is an LR range test and no run: `{show}` shows it, `export` writes it.")
    if not found:
        raise RunNotFound(none_there(runs, unread))
    raise RunNotFound(f"there is no run {given!r} in {runs}.{_near(given, found, names)}")


def named(runs: Path, name: str) -> int:
    """How many runs bear a name."""
    return sum(read_facts(folder).get("name") == name for folder in folders(runs))


def delete(folder: Path) -> None:
    """Delete the record in a folder for good, checkpoints and all.

    Raises:
        RunInUse: it is live.
        RunsFolderUnwritable: the file system does not let it.
    """
    try:
        lock = WriterLock(folder)
        try:
            shutil.rmtree(folder)
        finally:
            lock.release()
    except OSError as cause:
        raise RunsFolderUnwritable(folder, cause) from cause


def rename(folder: Path, name: str | None) -> None:
    """Give a run another name, or none.

    Raises:
        RunInUse: it is live.
        RecordUnfit: its `run.json` cannot be read.
        RunsFolderUnwritable: the file system does not let it.
    """
    try:
        lock = WriterLock(folder)
        try:
            trouble: list[str] = []
            facts = read_facts(folder, trouble.append)
            if not facts:
                raise RecordUnfit(folder, trouble[0] if trouble else say("record.no_facts"))
            asked = facts.get("asked")
            facts["name"] = name
            if isinstance(asked, dict) and "name" in asked:
                asked["name"] = name
            write_atomic(folder / "run.json", msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n")
        finally:
            lock.release()
    except OSError as cause:
        raise RunsFolderUnwritable(folder, cause) from cause


def size_of(folder: Path) -> int:
    """Bytes on the disk that deleting a record would free; links count as themselves."""
    total = 0
    for place, _, files in os.walk(folder):
        for file in files:
            try:
                stat = Path(place, file).lstat()
            except OSError:  # gone meanwhile
                continue
            total += stat.st_blocks * 512 if stat.st_nlink == 1 else 0
    return total


def _path_of(given: str) -> tuple[Path | None, str]:
    """What was given as a path; where it can be none, why: it may be a name all the same."""
    try:
        return given_path(given), ""
    except BadPath as error:
        return None, str(error)


def is_record(folder: Path, warn: Callable[[str], None] = unsaid) -> bool:
    """Whether one of the two files is there that make a record; what only has their names is told to `warn`."""
    there = False
    for name in ("run.json", "events.jsonl"):
        try:
            if is_regular(folder / name):
                return True
            there = there or (folder / name).exists()
        except OSError as cause:
            warn(say("record.not_listed", folder=folder, why=reason(cause)))
            return False
    if there:
        warn(say("record.no_files", folder=folder))
    return False


def _begun(folder: Path) -> tuple[float, str]:
    created = read_facts(folder).get("created_at")
    if not isinstance(created, int | float):
        try:
            created = folder.stat().st_mtime
        except OSError:
            created = 0.0
    return created, folder.name


def _listed(folders: list[Path]) -> str:
    names = [folder.name for folder in folders[:_NAMED_AT_MOST]]
    more = len(folders) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _near(given: str, found: list[Path], names: dict[Path, object]) -> str:
    words = {folder.name: folder.name for folder in found}
    words |= {name: name for name in names.values() if isinstance(name, str)}
    import difflib

    near = difflib.get_close_matches(given, words, n=3, cutoff=0.5)
    near += [word for word in words if given and given in word and word not in near][: 3 - len(near)]
    if near:
        return say("record.near", names=", ".join(near))
    return say("record.newest", run=found[0].name, command=shell_command("runs", "", found[0].parent))


def none_there(runs: Path, unread: Sequence[str]) -> str:
    """What to tell of a folder without a run; `unread` says what in it cannot be read."""
    elsewhere = say("record.look_elsewhere")
    if unread:
        more = len(unread) - 1
        likewise = say("record.more_likewise", folders=counted(more, "folder")) if more else ""
        return say("record.none_readable", folder=runs, why=unread[0], more=likewise, elsewhere=elsewhere)
    return say("record.none_yet", folder=runs, elsewhere=elsewhere)


LOOK_EVERY = 1.0
"""Seconds between looks at what has changed, at the least."""

REST = 50
"""Whatever looking or reading took, so many times as long it is not done again: 2 % of a core."""


class _Stamp(NamedTuple):
    """What a summary was made from; another stamp, another summary."""

    live: bool
    size: int
    changed: int
    described: int
    """When its `run.json` was written, which has its name."""


class Listed(NamedTuple):
    """A run of a list."""

    path: Path
    stamp: object
    """What its summary follows from: another stamp, another summary."""
    summarize: Callable[[], RunSummary]


class RunIndex:
    """Summaries of all runs, newest first. Nothing waits: `look` reads for a moment, and goes on where it was."""

    def __init__(self, runs: Path, others: Callable[[], Sequence[Listed]] = tuple) -> None:
        """List the runs of a folder, and `others` that lie elsewhere: those that there are at each look."""
        self.folder = runs
        self._others = others
        self.version = 0
        """Grows as the list changes."""
        self.trouble = ""
        """Why the folder cannot be read, if it cannot."""
        self._read: dict[Path, tuple[object, RunSummary]] = {}
        self._rest_until: dict[Path, float] = {}
        self._waiting: deque[Listed] = deque()
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
        return self._next_look > 0 and all(each.path in self._read for each in self._waiting)

    def look(self, seconds: float = 0.02) -> bool:
        """See what has changed, for about so long at most; whether the list did."""
        until = time.monotonic() + seconds
        before = self.version
        if not self._waiting and time.monotonic() >= self._next_look:
            self._see_what_changed()
        while self._waiting:
            self._summarize(self._waiting.popleft())
            if time.monotonic() >= until:
                break
        if self.version != before:
            found = (summary for _, summary in self._read.values())
            self._sorted = sorted(found, key=lambda run: (run.started_at or 0.0, run.id), reverse=True)
        return self.version != before

    def look_again(self) -> None:
        """Something is known to have changed: see at the next look, whatever was read a moment ago."""
        self._next_look = 0.0
        self._rest_until.clear()

    def _see_what_changed(self) -> None:
        began = time.monotonic()
        self.unread = []
        try:
            there = sorted(folders(self.folder, self.unread.append), key=lambda folder: folder.name, reverse=True)
            self.trouble = ""
        except OSError as error:
            there, self.trouble = [], error.strerror or str(error)
        ours = [listed(folder) for folder in there if began >= self._rest_until.get(folder, 0.0)]
        others = self._others()
        for each in (*ours, *others):
            rests = began < self._rest_until.get(each.path, 0.0)
            if not rests and (each.path not in self._read or self._read[each.path][0] != each.stamp):
                self._waiting.append(each)
        for gone in self._read.keys() - {*there, *(each.path for each in others)}:
            del self._read[gone]
            self._rest_until.pop(gone, None)
            self.version += 1
        now = time.monotonic()
        self._next_look = now + max(LOOK_EVERY, REST * (now - began))

    def _summarize(self, run: Listed) -> None:
        began = time.monotonic()
        self._read[run.path] = (run.stamp, run.summarize())
        self.version += 1
        now = time.monotonic()
        self._rest_until[run.path] = now + REST * (now - began)


def listed(folder: Path) -> Listed:
    """The run whose record lies in a folder."""
    return Listed(folder, _stamp(folder), partial(summarize, folder))


def _stamp(folder: Path) -> _Stamp:
    size, changed = _size_and_change(folder / "events.jsonl")
    return _Stamp(is_live(folder), size, changed, _size_and_change(folder / "run.json")[1])


def _size_and_change(file: Path) -> tuple[int, int]:
    """Bytes, and nanoseconds of the last change; 0 and 0 of a file that is not there, or not for us."""
    try:
        stat = file.stat()
    except OSError:  # a summary says which
        return 0, 0
    return stat.st_size, stat.st_mtime_ns
