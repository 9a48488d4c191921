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
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from io import BufferedWriter
from pathlib import Path
from typing import Any

import msgspec

from tui_trainer.events import SCHEMA, EpochEnded, Event, Noticed, RunResolved
from tui_trainer.runs.errors import RunNotFound, RunsFolderUnwritable, reason
from tui_trainer.runs.facts import read_facts
from tui_trainer.runs.files import clear_drafts, make_private_folder, open_private, replace_whole
from tui_trainer.runs.history import History
from tui_trainer.runs.inbox import Inbox
from tui_trainer.runs.journal import Journal
from tui_trainer.runs.lock import WriterLock
from tui_trainer.runs.tail import Tail

Observer = Callable[[Noticed], None]


class Record:
    """An open record. `create` makes one, `reopen` goes on with one; `close` lets others write.

    `emit` is for the thread that trains; nothing of it raises for the disk's sake once the record is open.
    """

    def __init__(self, folder: Path, lock: WriterLock, history: History, observer: Observer | None) -> None:
        self.folder = folder
        self.history = history
        """What the record held as it was opened; it does not follow what is emitted."""
        self._lock = lock
        self._observer = observer
        self._facts: dict[str, Any] = {}
        self._facts_stale = self._closed = False
        self._journal = Journal(folder / "events.jsonl", history.known, observer)
        self.inbox = Inbox(folder)

    @classmethod
    def create(
        cls,
        runs: Path,
        asked: Mapping[str, Any],
        command: Sequence[str] = (),
        observer: Observer | None = None,
    ) -> Record:
        """Begin the record of a new run.

        Args:
            runs: the folder of all runs; made, private, if it is not there.
            asked: `RunSpec.model_dump(mode="json")`: the preset in full, the data set, the model and so on. The id
                takes its readable part from `preset_name`.
            command: the command line, as in `sys.argv`.
            observer: told when recording stops for want of room, and when it goes on.

        Raises:
            RunsFolderUnwritable: with what, where and what to do. Nothing is left behind.
        """
        now = time.time()
        try:
            folder = _make_folder(runs, str(asked.get("preset_name", "")), now)
        except OSError as cause:
            raise RunsFolderUnwritable(runs, cause) from cause
        facts = {
            "schema": SCHEMA,
            "id": folder.name,
            "name": asked.get("name"),
            "created_at": now,
            "command": list(command),
            "asked": dict(asked),
        }
        lock = None
        try:
            make_private_folder(folder / "checkpoints")
            lock = WriterLock(folder)
            replace_whole(folder / "run.json", _json(facts))
            record = cls(folder, lock, History(), observer)
        except OSError as cause:
            if lock is not None:
                lock.release()
            shutil.rmtree(folder, ignore_errors=True)
            raise RunsFolderUnwritable(runs, cause) from cause
        record._facts = facts
        return record

    @classmethod
    def reopen(cls, folder: Path, observer: Observer | None = None) -> Record:
        """Go on with a run that ended early; `history` tells how far it came.

        Raises:
            RunInUse: another process writes it.
            RunNotFound: the folder holds no record that can be gone on with.
            RunsFolderUnwritable: the record cannot be written to.
        """
        trouble: list[str] = []
        facts = read_facts(folder, trouble.append)
        if not facts:
            why = trouble[0] if trouble else "there is no run.json"
            raise RunNotFound(f"{folder}: {why}. A run cannot go on without what was asked.")
        lock = None
        try:
            lock = WriterLock(folder)
            clear_drafts(folder / "run.json")
            if not (folder / "checkpoints").exists():
                make_private_folder(folder / "checkpoints")
            history = History()
            with Tail(folder / "events.jsonl") as tail:
                for event in tail:
                    history.apply(event)
            record = cls(folder, lock, history, observer)
        except OSError as cause:
            if lock is not None:
                lock.release()
            raise RunsFolderUnwritable(folder, cause) from cause
        record._facts = facts
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

    def emit(self, event: Event) -> None:
        """Record an event; what is recorded already (a resumed run's repeated batches) is left out."""
        self._journal.emit(event)
        if isinstance(event, EpochEnded):
            self._journal.sync()  # a checkpoint comes next: after a power cut it must not be ahead of the journal
        elif isinstance(event, RunResolved):
            resolved = msgspec.to_builtins(event)
            self.describe({"resolved": {k: v for k, v in resolved.items() if k not in ("type", "at")}})

    def describe(self, facts: Mapping[str, Any]) -> None:
        """Put facts into `run.json`, beside those it has. A full disk is told of, and tried again at the end."""
        self._facts.update(facts)
        try:
            replace_whole(self.folder / "run.json", _json(self._facts))
            self._facts_stale = False
        except OSError as cause:
            self._facts_stale = True
            text = f"run.json could not be written: {reason(cause)}. It is tried again when the run ends."
            notice = Noticed(at=time.time(), kind="recording", text=text)
            self._journal.emit(notice)
            if self._observer is not None:
                self._observer(notice)

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
        self._journal.close()
        self.inbox.close()
        self._lock.release()


def _make_folder(runs: Path, label: str, now: float) -> Path:
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    # In universal time, so that ids sort by time wherever and whenever they were made.
    moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    word = re.sub(r"[^a-z0-9]+", "-", label.lower())[:32].strip("-") or "run"
    while True:
        folder = runs / f"{moment}-{word}-{os.urandom(2).hex()}"
        try:
            make_private_folder(folder)
        except FileExistsError:
            continue
        return folder


def _json(facts: Mapping[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n"
