"""A folder into which a tool writes the same numbers in several forms: one run, each number once.

So do detectron2, Ultralytics, Stable-Baselines3 and Ray, and MMEngine, Lightning and Keras where they have two loggers.
That it is the same is seen: a table's series are called as those of the events beside it, and have the same numbers.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import product
from math import inf, isclose
from pathlib import Path
from typing import TypeAlias

from tui_trainer.foreign_records.csv_table import Csv, CsvReader
from tui_trainer.foreign_records.event_frames import first_events
from tui_trainer.foreign_records.followed_file import QUIET_S, begins_with
from tui_trainer.foreign_records.json_lines import JsonLines, JsonLinesReader
from tui_trainer.foreign_records.naming import run_name
from tui_trainer.foreign_records.pieces import PARTS, Kind, Piece, Points, Reader, SettingValue
from tui_trainer.foreign_records.steps import EARLIEST, LATEST
from tui_trainer.foreign_records.tensorboard import TensorBoard
from tui_trainer.foreign_records.tensorboard_events import TensorBoardEvent, read_event
from tui_trainer.text.captions import say

MOST_FILES = 100
"""Files of a folder that are looked at: in one with more of them, each is a record of its own."""

GLANCE = 16 << 10
"""First bytes of a table by which it is told what series it has."""

EVENTS, EVENT_FILES, LONGEST_EVENT = 200, 4, 4096
"""The same of events: so many of each of so many files, and their bytes; longer ones hold no number."""

ROUNDED = 1e-3
"""How far numbers may be off that are the same: Ultralytics rounds to five digits."""

BEHIND_ALL = 1 << 30
"""The number of a table as a writer: what a session of TensorBoard's ends is not of it."""

_MMENGINE = "scalars.json"
"""MMEngine has a copy of this file beside it, `20261128_120000.json`."""

_ALIKE = (
    (re.compile(r"^(?:train/)?epoch_(?=.)"), ""),
    (re.compile(r"^validation/epoch_(?=.)"), "val_"),
    (re.compile(r"^ray/tune/(?=.)"), ""),
)
"""What Keras and Ray call a series for TensorBoard, and what they put into a table instead."""

_EVENTS, _LINES, _TABLE = TensorBoard(), JsonLines(), Csv()

Form: TypeAlias = tuple[Kind, Path]
"""What a folder has, and where: a file, or the folder itself for event files."""

Glance: TypeAlias = dict[str, dict[int, float | int]]
"""The first numbers of each series, by its name in a table and by their steps."""


class SeveralFormsReader:
    """Follows all of them: a series is told by the first that has it."""

    share: float | None = None

    def __init__(self, path: Path, forms: Sequence[Form]) -> None:
        """Follow the forms of a folder, as `one_run` has found them."""
        self.name = run_name(path)
        self.tool = " and ".join(kind.tool for kind, _ in forms)
        self._can_read_events = find_spec("numpy") is not None
        self._readers = [kind.open(file) for kind, file in forms if self._can_read_events or kind is not _EVENTS]
        self._told_by: dict[str, int] = {}
        """Which reader a series is from, by its name in a table."""
        begun = min(map(_begun, _event_files(path)), default=inf)
        self._begun = begun if begun < inf and forms[0][0] is not _EVENTS else None
        """When the run was begun, where its events alone know that, until it is told."""

    @property
    def written_at(self) -> float | None:
        return max((reader.written_at for reader in self._readers if reader.written_at is not None), default=None)

    @property
    def lags(self) -> bool:
        return any(reader.lags for reader in self._readers)

    @property
    def settings(self) -> Mapping[str, SettingValue]:
        found: dict[str, SettingValue] = {}
        for reader in self._readers:
            found |= reader.settings
        return found

    @property
    def flaws(self) -> Sequence[str]:
        found = [flaw for reader in self._readers for flaw in reader.flaws]
        return found if self._can_read_events else [*found, say("foreign.needs_numpy")]

    @property
    def notes(self) -> Sequence[str]:
        found = list(dict.fromkeys(note for reader in self._readers for note in reader.notes))
        return [*found, say("foreign.several_forms", forms=self.tool)]

    def read(self) -> Iterator[Piece]:
        trouble: OSError | None = None
        for place, reader in enumerate(self._readers):
            try:
                for piece in reader.read():
                    if not isinstance(piece, Points):
                        yield piece
                    elif piece.steps:
                        yield from self._told(place, piece)
            except OSError as error:  # one form; the others may be read
                trouble = error
            if reader.lags:  # which series it has is not known yet
                return
        if trouble is not None:
            raise trouble

    def close(self) -> None:
        for reader in self._readers:
            reader.close()

    def _told(self, place: int, points: Points) -> Iterator[Points]:
        """What no other form has told, and when the rest was logged."""
        if self._begun is not None:
            yield Points([points.steps[0]], {}, [self._begun])
            self._begun = None
        own = {
            name: values
            for name, values in points.columns.items()
            if self._told_by.setdefault(_in_table(name, points.part), place) == place
        }
        if own or points.times:
            is_table = self._readers[place].tool != _EVENTS.tool
            yield points._replace(columns=own, writer=BEHIND_ALL if is_table else points.writer)


class SeveralForms:
    """Folders that hold one run in several forms."""

    def __init__(self, *, events: bool) -> None:
        """Those that have event files among them, or those that have tables alone."""
        self.tool = (_EVENTS if events else _LINES).tool
        self._events = events

    def recognises(self, path: Path) -> bool:
        forms, _ = _forms_in(path)
        return bool(forms) and self._events == any(kind is _EVENTS for kind, _ in forms)

    def open(self, path: Path) -> Reader:
        forms, _ = _forms_in(path)
        return SeveralFormsReader(path, forms) if forms else _EVENTS.open(path)


def one_run(folder: Path, events: bool, tables: Sequence[Form]) -> tuple[list[Form], list[Path]]:
    """Which forms in a folder are of one run, none or two and more, and which files are copies of another one.

    Args:
        folder: where they lie.
        events: whether event files do, there or in folders that are parts of a run.
        tables: files of JSON lines and of comma-separated values that do.
    """
    if len(tables) > MOST_FILES:
        return [], []
    copies = _copies_among([path for kind, path in tables if kind.tool == _LINES.tool])
    lines = [(_LINES, path) for kind, path in tables if kind.tool == _LINES.tool and path not in copies]
    rows = [(_TABLE, path) for kind, path in tables if kind.tool == _TABLE.tool]
    if events and (lines or rows):
        known = _glance_at_events(folder)
        of_it = [[form for form in each if _agree(_glance_at(form), known)] for each in (lines, rows)]
        (first, last) = ([] if len(each) > 1 else each for each in of_it)  # of several none is known to be it
        return ([*first, (_EVENTS, folder), *last] if first or last else []), copies
    pairs = [(one, other) for one, other in product(lines, rows) if _agree(_glance_at(one), _glance_at(other))]
    return (list(pairs[0]) if len(pairs) == 1 else []), copies


def _forms_in(folder: Path) -> tuple[list[Form], list[Path]]:
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry for entry in entries if entry.is_file()), key=lambda entry: entry.name)
    except OSError:  # no folder, or not for us
        return [], []
    if len(found) > MOST_FILES:
        return [], []
    paths = [Path(entry.path) for entry in found if "tfevents" not in entry.name]
    kinds: tuple[Kind, ...] = _LINES, _TABLE
    tables = [(kind, path) for path in paths if (kind := next((k for k in kinds if k.recognises(path)), None))]
    return one_run(folder, bool(_event_files(folder)), tables)


def _event_files(folder: Path) -> list[Path]:
    """Those of the run itself and of its parts, some of each."""
    found: list[Path] = []
    for each in (folder, *(folder / part for part in sorted(PARTS))):
        try:
            with os.scandir(each) as entries:
                names = sorted(entry.name for entry in entries if "tfevents" in entry.name)
        except OSError:
            continue
        found += [each / name for name in names[:EVENT_FILES]]
    return found


def _copies_among(lines: Sequence[Path]) -> list[Path]:
    """Which of them need not be read: of MMEngine's files the shorter ones, once nothing is written into them."""
    named = next((path for path in lines if path.name == _MMENGINE), None)
    if named is None:
        return []
    content = begins_with(named, 4 * GLANCE)
    heads = [(path, begins_with(path, 4 * GLANCE)) for path in lines]
    same = [path for path, head in heads if head[: len(content)] == content[: len(head)]]
    longest = max(same, key=_size)
    kept = longest if _size(longest) > _size(named) and _is_quiet(named) else named
    return [path for path in same if path != kept]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _is_quiet(path: Path) -> bool:
    """Whether a file has not changed for some time: both are written at once, one a moment after the other."""
    try:
        return time.time() - path.stat().st_mtime > QUIET_S
    except OSError:
        return True


def _agree(one: Glance, other: Glance) -> bool:
    """Whether they are the same numbers, as far as a glance tells; nothing speaks against it where one has none."""
    if not one or not other:
        return True
    shared = [name for name in one if name in other]
    if 2 * len(shared) < min(len(one), len(other)):
        return False
    pairs = [(value, other[name][step]) for name in shared for step, value in one[name].items() if step in other[name]]
    return bool(pairs) and all(
        isclose(value, same, rel_tol=ROUNDED, abs_tol=ROUNDED / 100) or (value != value and same != same)
        for value, same in pairs
    )


def _glance_at(form: Form) -> Glance:
    kind, path = form
    reader = (JsonLinesReader if kind is _LINES else CsvReader)(path, GLANCE)
    found: Glance = {}
    try:
        for points in reader.read():
            for name, values in points.columns.items():
                found.setdefault(_in_table(name), {}).update(zip(points.steps, values, strict=True))
    except OSError:
        pass
    return found


def _glance_at_events(folder: Path) -> Glance:
    found: Glance = {}
    for path in _event_files(folder):
        part = "" if path.parent == folder else path.parent.name
        for event in _events_of(path, EVENTS):
            for number in event.numbers:
                found.setdefault(_in_table(number.tag, part), {})[event.step] = number.value
    return found


def _begun(path: Path) -> float:
    """When an event file was begun, Unix time in seconds; infinite where it does not say so."""
    return next((event.time for event in _events_of(path, 1) if EARLIEST <= event.time <= LATEST), inf)


def _events_of(path: Path, most: int) -> Iterator[TensorBoardEvent]:
    """The first events of a file, up to one that is none."""
    try:
        for content in first_events(path, most, LONGEST_EVENT):
            yield read_event(content)
    except ValueError:
        return


def _in_table(name: str, part: str = "") -> str:
    """What a series is called in a table: as TensorBoard has it, but where a tool has another name for it there."""
    name = f"{part}/{name}" if part else name
    for pattern, instead in _ALIKE:
        name = pattern.sub(instead, name)
    return name
