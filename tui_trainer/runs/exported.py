"""What every form of an export shares: the journal's events, each once, and files that are whole or not there."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tui_trainer.events import SCHEMA, Event, LRChanged, PresetSwitched, RunEnded, RunStarted, StepsTaken
from tui_trainer.regular import open_regular
from tui_trainer.runs.ending import last_words
from tui_trainer.runs.errors import ExportCutShort, ExportFailed, reason
from tui_trainer.runs.facts import later_form, read_facts
from tui_trainer.runs.files import sync_folder
from tui_trainer.runs.known import Known
from tui_trainer.runs.lines import LARGEST_JOURNAL
from tui_trainer.runs.tail import Tail

_NO_PLACE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
}
"""What a path meets where nobody could write, or not this user: another one wants to be named."""


class LREvent(NamedTuple):
    """A change of the LR that a person would call one. `step` is the last one taken with the old LR."""

    at: float
    step: int
    epoch: int
    old: float
    new: float
    reason: str


class LREvents:
    """Finds the changes of the LR in a run's events, a switch of presets among them."""

    def __init__(self) -> None:
        self._lr: float | None = None
        """What the next step would use, as far as is known."""
        self._switch: PresetSwitched | None = None
        """One whose first LR is not known yet."""

    def of(self, event: Event) -> list[LREvent]:
        """The changes that are known since this event."""
        match event:
            case PresetSwitched():
                self._switch = event
            case LRChanged(at=at, step=step, epoch=epoch, old=old, new=new, reason=reason):
                self._lr, self._switch = new, None
                return [LREvent(at, step, epoch, old, new, reason)]
            case StepsTaken():
                changes = self._switched(event)
                self._lr = event.lrs[-1]
                return changes
        return []

    def _switched(self, event: StepsTaken) -> list[LREvent]:
        """A switch tells no LR itself: the first step after it does."""
        switch, self._switch = self._switch, None
        if switch is None or self._lr is None:
            return []
        reason = f"preset switched from {switch.old} to {switch.recipe.preset}"
        return [LREvent(switch.at, switch.step - 1, switch.epoch, self._lr, event.lrs[0], reason)]


def journal_of(run: Path) -> Path:
    """The journal in a run's folder.

    Raises:
        ExportFailed: there is none that can be read.
    """
    journal = run / "events.jsonl"
    try:
        os.close(open_regular(journal, most=LARGEST_JOURNAL))
    except FileNotFoundError:
        raise ExportFailed(f"{run} holds no events.jsonl: there is nothing to export.") from None
    except OSError as cause:
        raise ExportFailed(f"{journal} cannot be read: {reason(cause)}.") from cause
    return journal


def new_events(journal: Path, warn: Callable[[str], None]) -> Iterator[Event]:
    """The events of a journal, each step, epoch and change once, however often the run was resumed.

    `warn` is told at its end of what could not be read, is missing or contradicts itself, if anything.
    """
    known = Known()
    ended = False
    form = later_form(read_facts(journal.parent).get("schema", SCHEMA))
    with Tail(journal) as tail:
        for event in tail:
            if isinstance(event, RunStarted):
                form = form or later_form(event.schema)
            if isinstance(event, RunStarted | RunEnded):
                ended = isinstance(event, RunEnded)
            yield from known.take(event)
    known.go_on()  # nothing comes any more that could confirm what is in doubt
    if form:
        warn(f"{form}. What is exported may lack something.")
    if not ended and (goodbye := last_words(journal.parent)) is not None:
        warn(f"the record is cut off at step {known.steps:,}; {goodbye.reason}")
    for flaw in (*tail.flaws, *known.flaws.in_words()):
        warn(flaw)


def export_failed(run: Path, out: Path, cause: OSError) -> ExportFailed:
    """What to raise where the record in folder `run` could not be written to `out`."""
    kind = ExportFailed if cause.errno in _NO_PLACE else ExportCutShort
    place = cause.filename if cause.errno == errno.EISDIR and cause.filename else out
    return kind(f"cannot export {run.name} to {place}: {reason(cause)}.")


@contextmanager
def whole_files(out: Path, names: Iterable[str]) -> Iterator[Mapping[str, BinaryIO]]:
    """The files of an export, open under other names and put in their places when all are whole.

    Raises:
        OSError: the folder cannot be made, or a file not written; what stood there stands.
    """
    names = list(names)
    for place in (out / name for name in names):
        if place.is_dir() and not place.is_symlink():  # only the last step would fail, with other files replaced
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(place))
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    out.mkdir(parents=True, exist_ok=True)
    mark = secrets.token_hex(4)
    places = {out / f".{name}.{mark}": out / name for name in names}
    try:
        with ExitStack() as stack:
            files: dict[str, BinaryIO] = {
                place.name: stack.enter_context(temporary.open("xb")) for temporary, place in places.items()
            }
            yield files
            for file in files.values():
                file.flush()
                os.fsync(file.fileno())
        for temporary, place in places.items():
            temporary.replace(place)
        sync_folder(out)
    except BaseException:
        for temporary in places:
            temporary.unlink(missing_ok=True)
        with suppress(OSError):  # somebody else has put something there
            for folder in made:
                folder.rmdir()
        raise
