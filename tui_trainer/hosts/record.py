"""A run that another process writes, or wrote."""

from __future__ import annotations

import time
from pathlib import Path

from tui_trainer.commands import Command
from tui_trainer.events import Noticed
from tui_trainer.hosts.host import crashed
from tui_trainer.runs import inbox
from tui_trainer.runs.errors import RunsError
from tui_trainer.runs.history import History
from tui_trainer.runs.lock import is_live
from tui_trainer.runs.tail import Tail


class RecordHost:
    """A `Host` of a run that another process writes, or wrote: it follows the journal."""

    LOOK_EVERY = 1.0
    """Seconds between looks whether the process that writes still lives."""

    READ_FOR = 0.2
    """Seconds that one poll may read for: a record of a million steps is there after some five polls."""

    def __init__(self, folder: Path, *, readonly: bool = False) -> None:
        self.folder = folder
        self.history = History()
        self.readonly = readonly
        self._tail = Tail(folder / "events.jsonl")
        self._skipped = 0
        self._next_look = 0.0

    def poll(self) -> int:
        count = self._read()
        if not count and self.history.ended is None and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + self.LOOK_EVERY
            return self._look_for_writer()
        return count

    def send(self, command: Command) -> None:
        if self.readonly:
            raise PermissionError("this view is read-only")
        try:
            inbox.send(self.folder, command)
        except RunsError as error:
            raise PermissionError(str(error)) from error

    def close(self) -> None:
        self._tail.close()

    def _read(self) -> int:
        """Apply what there is; how many events. A long record takes some calls, a share of a second each."""
        count = 0
        until = time.monotonic() + self.READ_FOR
        while events := self._tail.read():
            for event in events:
                self.history.apply(event)
            count += len(events)
            if time.monotonic() >= until:
                break
        if self._tail.skipped > self._skipped:
            self._skipped = self._tail.skipped
            self.history.apply(Noticed(at=time.time(), kind="recording", text=self._what_was_skipped()))
            count += 1
        return count

    def _what_was_skipped(self) -> str:
        numbers = ", ".join(map(str, self._tail.skipped_lines))
        more = " and more" if self._skipped > len(self._tail.skipped_lines) else ""
        lines = "1 line" if self._skipped == 1 else f"{self._skipped} lines"
        return f"{lines} of the record could not be read: {numbers}{more}. Damaged, or a later version's."

    def _look_for_writer(self) -> int:
        """A run whose process is gone and that said no goodbye has crashed; the record is read to its end first."""
        if is_live(self.folder):
            return 0
        if count := self._read():  # its last words, said since the poll
            return count
        gone = "its process is gone and said no goodbye"
        self.history.apply(crashed(gone, exit_code=1, step=self.history.steps, epoch=self.history.epoch))
        return 1
