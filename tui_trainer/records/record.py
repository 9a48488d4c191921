"""The record of a run, being written: `RUNS/<id>/`, private to its owner, by one process at a time.

| file | what |
| --- | --- |
| `run.json` | what was asked, what it came to, and the command |
| `events.jsonl` | all that happened, an event a line (`journal`) |
| `events.packed` | the same, for readers in a hurry; not needed (`packed`) |
| `control.jsonl` | what is asked of the live run (`inbox`) |
| `checkpoints/` | the engine's |
| `log.txt` | what the run printed |
| `lock` | held by the process that writes (`lock`) |
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from io import BufferedWriter
from pathlib import Path
from typing import Any

import msgspec

from tui_trainer.events import SCHEMA, Alert, AnyEvent, EpochEnded, RunConfigured, RunEnded, encode
from tui_trainer.files.atomic import clear_drafts, write_atomic
from tui_trainer.files.safe_open import make_dated_folder, make_private_folder, open_private, open_regular
from tui_trainer.records.errors import RecordUnfit, RunIsWatched, RunsError, RunsFolderUnwritable, reason
from tui_trainer.records.history import History
from tui_trainer.records.inbox import Inbox
from tui_trainer.records.journal import Journal
from tui_trainer.records.lines import EndsInNoLine
from tui_trainer.records.lock import WriterLock
from tui_trainer.records.run_metadata import later_form, program_of, read_facts
from tui_trainer.records.tail import Tail
from tui_trainer.text.captions import say

Observer = Callable[[Alert], None]


class Record:
    """An open record. `create` makes one, `reopen` goes on with one; `close` lets others write.

    `emit` is for the thread that trains; nothing of it raises for the disk's sake once the record is open.
    """

    def __init__(
        self,
        folder: Path,
        lock: WriterLock,
        history: History,
        observer: Observer | None,
        lost: Callable[[], bool] | None = None,
    ) -> None:
        self.folder = folder
        self.history = history
        """What the record held as it was opened; it does not follow what is emitted."""
        self._lock = lock
        self._observer = observer
        self._lost = lost
        self._facts: dict[str, Any] = {}
        self.flaws: list[str] = []
        """What was wrong with the record as it was opened, each in words."""
        self._facts_stale = self._closed = False
        self._last_words = ""
        self._journal = Journal(folder / "events.jsonl", history.known, observer, lost=lost)
        self.inbox = Inbox(folder, self._note)

    @classmethod
    def create(
        cls,
        runs: Path,
        asked: Mapping[str, Any],
        command: Sequence[str] = (),
        observer: Observer | None = None,
        label: str | None = None,
        lost: Callable[[], bool] | None = None,
    ) -> Record:
        """Begin the record of a new run.

        Args:
            runs: the folder of all runs; made, private, if it is not there.
            asked: `RunSpec.model_dump(mode="json")`: the preset in full, the data set, the model and so on, and
                `preset_name`, from which the id takes its readable part; or what was asked of a watched command.
            command: the command line, as in `sys.argv`; what is secret in it is blanked.
            observer: told when recording stops for want of room, and when it goes on.
            label: the readable part of the id, instead.
            lost: whether another process writes it now, as `Journal` takes it.

        Raises:
            RunsFolderUnwritable: with what, where and what to do. Nothing is left behind.
        """
        from tui_trainer.text.secrets import blanked  # no first frame waits for it

        now = time.time()
        try:
            runs.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = make_dated_folder(runs, label or str(asked.get("preset_name", "")), now, "run")
        except OSError as cause:
            raise RunsFolderUnwritable(runs, cause) from cause
        facts = {
            "schema": SCHEMA,
            "id": folder.name,
            "name": asked.get("name"),
            "created_at": now,
            "command": blanked(command),
            "asked": dict(asked),
        }
        lock = None
        try:
            make_private_folder(folder / "checkpoints")
            lock = WriterLock(folder)
            write_atomic(folder / "run.json", _json(facts))
            record = cls(folder, lock, History(), observer, lost)
        except OSError as cause:
            if lock is not None:
                lock.release()
            shutil.rmtree(folder, ignore_errors=True)
            raise RunsFolderUnwritable(runs, cause) from cause
        record._facts = facts
        return record

    @classmethod
    def reopen(
        cls,
        folder: Path,
        observer: Observer | None = None,
        lost: Callable[[], bool] | None = None,
    ) -> Record:
        """Go on with a run that ended early; `history` tells how far it came.

        Raises:
            RunInUse: another process writes it.
            RecordUnfit: the folder holds no record that can be gone on with.
            RunsFolderUnwritable: the record cannot be written to.
        """
        facts = facts_to_go_on(folder)
        lock = None
        try:
            lock = WriterLock(folder)
            clear_drafts(folder)
            if not (folder / "checkpoints").exists():
                make_private_folder(folder / "checkpoints")
            history, flaws = _read(folder)
            record = cls(folder, lock, history, observer, lost)
        except OSError as cause:
            if lock is not None:
                lock.release()
            raise RunsFolderUnwritable(folder, cause) from cause
        except RunsError:
            if lock is not None:
                lock.release()
            raise
        record._facts = facts
        record.flaws = flaws
        return record

    @property
    def id(self) -> str:
        """The run's id, which is its folder's name."""
        return self.folder.name

    @property
    def facts(self) -> Mapping[str, Any]:
        """What `run.json` holds; `asked` is what `create` was given."""
        return self._facts

    @property
    def checkpoints(self) -> Path:
        """The folder of the engine's checkpoints."""
        return self.folder / "checkpoints"

    def emit(self, event: AnyEvent) -> None:
        """Record an event; what is recorded already (a resumed run's repeated batches) is left out."""
        self._journal.emit(event)
        if isinstance(event, EpochEnded):
            self._journal.sync()  # a checkpoint comes next: after a power cut it must not be ahead of the journal
        elif isinstance(event, RunConfigured):
            resolved = msgspec.to_builtins(event)
            self.describe({"resolved": {k: v for k, v in resolved.items() if k not in ("type", "at")}})

    def describe(self, facts: Mapping[str, Any]) -> None:
        """Put facts into `run.json`, beside those it has. A full disk is told of, and tried again at the end."""
        self._facts.update(facts)
        try:
            if self._lost is not None and self._lost():
                return
            write_atomic(self.folder / "run.json", _json(self._facts))
            self._facts_stale = False
        except OSError as cause:
            self._facts_stale = True
            self._note(say("notice.facts_lost" if self._closed else "notice.facts_unwritten", why=reason(cause)))

    def _note(self, text: str) -> None:
        notice = Alert(at=time.time(), kind="recording", text=text)
        self._journal.emit(notice)
        if self._observer is not None:
            self._observer(notice)

    def end(self, ended: RunEnded) -> RunEnded:
        """Record how the run ended, as its last event; how it ended as far as the record is concerned.

        Where the journal cannot be written to, that is said, and left in a place that has its room already: a run
        that is over must not look like one that crashed.
        """
        self._journal.emit(ended)
        if not (trouble := self._journal.write_now()):
            return ended
        lost = say("record.not_recorded", step=self._journal.last_step, why=trouble)
        ended = msgspec.structs.replace(ended, reason=f"{ended.reason}; {lost}", exit_code=ended.exit_code or 1)
        self._last_words = encode(ended).decode()
        return ended

    def open_log(self) -> BufferedWriter:
        """`log.txt`, open for appending.

        Raises:
            OSError: it cannot be opened.
        """
        return os.fdopen(open_private(self.folder / "log.txt", os.O_WRONLY | os.O_APPEND), "ab")

    def close(self) -> None:
        """Write what still waits, and let others write. Does nothing the second time."""
        if self._closed:
            return
        self._closed = True
        if self._facts_stale:
            self.describe({})
        unwritten = self._journal.close()
        self.inbox.close()
        self._lock.release(self._last_words if unwritten else "")


def copy_checkpoints(old: Path, new: Path) -> None:
    """Have the run in folder `new` go on from what the one in `old` saved, whenever it is killed.

    Raises:
        OSError: one of them cannot be copied.
    """
    for file in sorted((old / "checkpoints").glob("*.pt")):
        copy = new / "checkpoints" / file.name
        with os.fdopen(open_regular(file), "rb") as source, os.fdopen(open_private(copy, os.O_WRONLY), "wb") as target:
            shutil.copyfileobj(source, target)


def facts_to_go_on(folder: Path) -> dict[str, Any]:
    """What `run.json` holds, for one who is to write into its record.

    Raises:
        RecordUnfit: there is nothing that can be read, or it has a form that this version does not know.
        RunIsWatched: it is a watched command's.
    """
    trouble: list[str] = []
    facts = read_facts(folder, trouble.append)
    if not facts:
        why = trouble[0] if trouble else say("record.no_facts")
        raise RecordUnfit(folder, f"{why}, so it does not say what was asked of it")
    if form := later_form(facts.get("schema", SCHEMA)):
        raise RecordUnfit(folder, form)
    if program_of(folder) is not None:
        raise RunIsWatched(folder)
    return facts


def _read(folder: Path) -> tuple[History, list[str]]:
    """How far the record came, and what is wrong with it.

    Raises:
        RecordUnfit: what would be written would not fit.
    """
    history = History()
    try:
        with Tail(folder / "events.jsonl") as tail:
            for event in tail:
                history.apply(event)
            if tail.ends_in_garbage:
                raise EndsInNoLine
    except OSError as cause:
        raise RecordUnfit(folder, say("record.no_events", why=reason(cause)), anew=True) from cause
    history.known.go_on()  # what nothing has confirmed so far will not be, either
    for started in (history.first_started, history.started):
        if started is not None and (form := later_form(started.schema)):
            raise RecordUnfit(folder, form)
    recipe = history.recipe
    if recipe is not None and recipe.total_steps is not None and history.steps > recipe.total_steps:
        why = say("record.more_steps", step=f"{history.steps:,}", steps=f"{recipe.total_steps:,}")
        raise RecordUnfit(folder, why, anew=True)
    return history, [*tail.flaws, *history.known.flaws.in_words()]


def _json(facts: Mapping[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n"
