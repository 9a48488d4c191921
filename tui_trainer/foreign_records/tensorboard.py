"""A folder of TensorBoard's event files, or one of them.

What TensorBoard does is done here, too: `SessionLog.START` at a step ends what earlier files of the folder say of it
and of those behind it. What it does not do: events with a wrong CRC are passed over, not all that follows them; and of
a restart without `START` the later writer's numbers stand from where it began.

Folders below are parts of the run, as Keras' `train` and `validation` are: their series begin with the folder's name.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tui_trainer.foreign_records.event_frames import HEAD, size_in
from tui_trainer.foreign_records.followed_file import begins_with
from tui_trainer.foreign_records.naming import run_name
from tui_trainer.foreign_records.pieces import Piece, SettingValue
from tui_trainer.foreign_records.settings import joined, settings_in
from tui_trainer.foreign_records.steps_by_clock import StepsByClock
from tui_trainer.records.errors import RunsError
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain

if TYPE_CHECKING:
    from tui_trainer.foreign_records.tensorboard_file import EventFile

LOOK_EVERY_S = 1.0
"""Seconds between looks for new files, at the least."""

REST = 50
"""So many times as long as a look took there is none: 2 % of a core."""

MOST_FILES = 10_000
DEEPEST = 8
"""Folders below the one that was named."""

PIECES_AT_ONCE = 4

_NAMED = re.compile(r"tfevents\.(\d{1,19})")


class TensorBoardReader:
    """Follows all event files of a run."""

    tool = "TensorBoard"

    def __init__(self, path: Path) -> None:
        """Look at a folder, or at one file."""
        self.name = run_name(path)
        self.lags = False
        self._path = _root(path)
        self._files: dict[Path, EventFile] = {}
        """In the order in which they were begun."""
        self._next_look = 0.0
        self._too_many = False
        self._writers: Counter[str] = Counter()
        self._steps = StepsByClock()

    @property
    def written_at(self) -> float | None:
        return max((each.file.written_at for each in self._files.values() if each.file.written_at), default=None)

    @property
    def share(self) -> float | None:
        files = [each.file for each in self._files.values()]
        if not files or not all(file.size or file.gone for file in files):  # one was not looked at yet
            return None
        return min(1.0, sum(file.offset for file in files) / max(1, sum(file.size for file in files)))

    @property
    def settings(self) -> Mapping[str, SettingValue]:
        """Those of each part; of two files of one that which was begun later is right."""
        parts: dict[str, dict[str, SettingValue]] = {}
        for each in self._files.values():
            if each.settings or each.arguments:
                parts.setdefault(each.part, {}).update(settings_in(_object_in(each.arguments) | each.settings))
        return joined(parts)

    @property
    def flaws(self) -> Sequence[str]:
        """What was passed over, file by file."""
        found: list[str] = []
        for path, each in self._files.items():
            file = plain(path.name)
            if each.bad_events:
                found.append(say("foreign.bad_events", file=file, events=counted(each.bad_events, "event")))
            if each.searches:
                found.append(say("foreign.damaged_lengths", file=file, times=counted(each.searches, "length")))
            if each.damaged_at is not None:
                found.append(say("foreign.rest_unread", file=file, place=f"{each.damaged_at:,}"))
        if self._too_many:
            found.append(say("foreign.too_many_files", count=f"{MOST_FILES:,}"))
        return found

    @property
    def notes(self) -> Sequence[str]:
        """What it holds beside numbers, and what was made of its steps."""
        others: Counter[str] = Counter()
        for each in self._files.values():
            others += each.others
        what = ", ".join(counted(count, name) for name, count in sorted(others.items()))
        return [*self._steps.notes, *([say("foreign.not_drawn", what=what)] if others else [])]

    def read(self) -> Iterator[Piece]:
        if time.monotonic() >= self._next_look:
            self._look_for_files()
        self.lags, pieces = False, 0
        trouble: OSError | None = None
        for each in self._files.values():
            if pieces >= PIECES_AT_ONCE:
                self.lags = True
                return
            try:
                before = each.file.offset
                yield from self._steps.placed(each.read())
                pieces += each.file.offset != before
            except OSError as error:  # one file; the others may be read
                trouble = error
            if each.lags:  # in the order in which they were begun: a later one goes on from this
                self.lags = True
                return
        if trouble is not None:
            raise trouble

    def close(self) -> None:
        """Nothing is held open."""

    def _look_for_files(self) -> None:
        from tui_trainer.foreign_records.tensorboard_file import EventFile  # with NumPy, which others do without

        began = time.monotonic()
        found = event_files(self._path, MOST_FILES + 1)
        self._too_many = len(found) > MOST_FILES
        new = sorted((path for path in found[:MOST_FILES] if path not in self._files), key=_begun)
        for path in new:
            part = "" if path == self._path else path.parent.relative_to(self._path).as_posix()
            part = "" if part == "." else part
            self._files[path] = EventFile(path, self._writers[part], part)
            self._writers[part] += 1
        now = time.monotonic()
        self._next_look = now + max(LOOK_EVERY_S, REST * (now - began))


class TensorBoard:
    """Event files, and folders that have some."""

    tool = TensorBoardReader.tool

    def recognises(self, path: Path) -> bool:
        if path.is_dir():
            return bool(event_files(path, 1))
        return is_event_file(path)

    def open(self, path: Path) -> TensorBoardReader:
        if find_spec("numpy") is None:
            raise RunsError(say("foreign.needs_numpy"))
        return TensorBoardReader(path)


def is_event_file(path: Path) -> bool:
    """Whether a file begins with a frame: a length and its CRC."""
    return size_in(begins_with(path, HEAD)) is not None


def event_files(folder: Path, most: int) -> list[Path]:
    """Event files in a folder and below, at most so many; the folder itself where it is a file.

    By their names and their first bytes; links to folders are not followed, so no circle is.
    """
    if not folder.is_dir():
        return [folder]
    found: list[Path] = []
    waiting = [(folder, 0)]
    while waiting and len(found) < most:
        here, depth = waiting.pop(0)
        try:
            with os.scandir(here) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if entry.is_dir(follow_symlinks=False):
                        if depth < DEEPEST:
                            waiting.append((Path(entry.path), depth + 1))
                    elif "tfevents" in entry.name and len(found) < most:
                        found.append(Path(entry.path))
        except OSError:  # not for us, or gone
            continue
    return found


def _root(path: Path) -> Path:
    """What a run's folder is: the one that was named, or the only one below it that has event files."""
    folders = {file.parent for file in event_files(path, MOST_FILES)} if path.is_dir() else set()
    return folders.pop() if len(folders) == 1 else path


def _object_in(document: str) -> dict[str, Any]:
    """A JSON object; an empty one where there is none."""
    try:
        found = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _begun(path: Path) -> tuple[float, str]:
    """When a file was begun, as its name says it, or else the system."""
    if (named := _NAMED.search(path.name)) is not None:
        return float(named[1]), path.name
    try:
        return path.stat().st_mtime, path.name
    except OSError:
        return 0.0, path.name
