"""A run that another process writes, or wrote."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from tui_trainer.commands import AnyCommand
from tui_trainer.events import SCHEMA, Alert, AnyEvent, ProgramWatched
from tui_trainer.records import inbox
from tui_trainer.records.alerts import StallDetector
from tui_trainer.records.errors import RunsError, reason
from tui_trainer.records.history import History
from tui_trainer.records.lock import is_live
from tui_trainer.records.run_metadata import last_words, later_form, read_facts
from tui_trainer.records.tail import Tail
from tui_trainer.run_sources.run_source import READONLY, Capabilities, crashed, of_watched
from tui_trainer.text.captions import say


class JournalSource:
    """A `RunSource` of a run that another process writes, or wrote: it follows the journal."""

    LOOK_EVERY = 1.0
    """Seconds between looks whether the process that writes still lives."""

    READ_FOR = 0.015
    """Seconds of its own time that one poll reads for, and a block more: keys are answered while a record comes in."""

    CLOCKS_DIFFER = 5.0
    """Seconds; what is less is a slow disk."""

    GRACE = 5.0
    """Seconds that the process which trains has to tell of a stall itself; one that is stopped cannot."""

    def __init__(
        self,
        folder: Path,
        *,
        readonly: bool = False,
        clock: Callable[[], float] = time.monotonic,
        observer: Callable[[AnyEvent], None] | None = None,
    ) -> None:
        """Look at the record in a folder.

        Args:
            folder: the record's.
            readonly: take no commands.
            clock: monotonic seconds.
            observer: told of each event, once, when `history` has it; the history holds the last steps alone then.
        """
        self.folder = folder
        self.file = folder / "events.jsonl"
        """What is read."""
        self.history = History(forgets=observer is not None)
        self._observer = observer
        self._readonly = readonly
        self.capabilities = READONLY if readonly else Capabilities()
        self.lags = True  # nothing was read so far
        self._tail = Tail(self.file, packed=observer is None)
        self.trouble = ""
        """Why it could not be read at the last try."""
        self._said_form: str | None = None
        """What is to be said of the form of the record, once that was looked at."""
        self._told: set[str] = set()
        """What of the record's flaws was told."""
        self._next_look = 0.0
        self._clock = clock
        self._silence = StallDetector()
        self._silent_since = clock()
        self._told_of_stall = False

    def poll(self) -> int:
        count = self._read()
        if not count and not self.trouble and self.history.ended is None and self._clock() >= self._next_look:
            self._next_look = self._clock() + self.LOOK_EVERY
            return self._look_for_writer()
        return count

    def send(self, command: AnyCommand) -> None:
        if refusal := self.capabilities.refusal(type(command)):
            raise PermissionError(refusal)
        try:
            inbox.send(self.folder, command)
        except RunsError as error:
            raise PermissionError(str(error)) from error

    def close(self) -> None:
        self._tail.close()

    def _read(self) -> int:
        """Apply what there is; how many events. A long record takes some calls, a share of a second each."""
        try:
            return self._read_on()
        except OSError as cause:
            if self.trouble == (trouble := reason(cause)):
                return 0
            self.trouble = trouble
            self._take(Alert(at=self._now(), kind="recording", text=say("notice.unreadable", why=trouble)))
            return 1

    def _read_on(self) -> int:
        count, self.lags = 0, False
        until = time.thread_time() + self.READ_FOR  # on a busy machine it must come on as well
        while events := self._tail.read():
            for event in events:
                self._take(event)
                self._listen(event)
            count += len(events)
            self._compare_clocks(events[-1])
            if time.thread_time() >= until:
                self.lags = True
                break
        for flaw in (*self._form(), *self._tail.flaws, *self.history.known.flaws.in_words()):
            if flaw not in self._told:
                self._told.add(flaw)
                self._take(Alert(at=self._now(), kind="recording", text=flaw))
                count += 1
        return count

    def _take(self, event: AnyEvent) -> None:
        for new in self.history.apply(event):
            if type(new) is ProgramWatched:
                asked = read_facts(self.folder).get("asked")
                controlled = not isinstance(asked, dict) or asked.get("control") is not False
                self.capabilities = of_watched(readonly=self._readonly, controlled=controlled)
            if self._observer is not None:
                self._observer(new)

    def _compare_clocks(self, last: AnyEvent) -> None:
        """A line is written as its event happens: if the file says another time, the clocks of two machines differ."""
        if self._tail.unread == 0 and (changed_at := self._tail.changed_at) is not None:
            behind = changed_at - last.at
            self.history.clock_behind = behind if abs(behind) > self.CLOCKS_DIFFER else 0.0

    def _now(self) -> float:
        """By the clock of the machine that trains, as all of a history is."""
        return time.time() - self.history.clock_behind

    def _form(self) -> list[str]:
        """What is to be said of a record whose form this version does not know."""
        if self._said_form is None:
            self._said_form = later_form(read_facts(self.folder).get("schema", SCHEMA))
        started = self.history.started
        said = self._said_form or (later_form(started.schema) if started is not None else "")
        return [f"the record: {say('record.may_lack', why=said)}."] if said else []

    def _look_for_writer(self) -> int:
        """A run whose process is gone and that said no goodbye has crashed; the record is read to its end first."""
        if is_live(self.folder):
            return self._look_for_stall()
        if count := self._read():  # its last words, said since the poll
            return count
        if (goodbye := last_words(self.folder)) is not None:  # its journal had no room for it
            text = say("record.cut_off", step=f"{self.history.steps:,}")
            self._take(Alert(at=self._now(), kind="recording", text=text))
            self._take(goodbye)
            self.history.known.flaws.nothing_behind()
            return 2
        end = crashed(say("end.gone"), exit_code=1, step=self.history.steps, epoch=self.history.epoch)
        self._take(replace(end, at=self._now()))
        return 1

    def _listen(self, event: AnyEvent) -> None:
        """What is silent, and for how long; that a stall is over is told here if it was told here."""
        for kind, text, over in self._silence.take(event):
            if self._told_of_stall:
                self._take(Alert(at=event.at, kind=kind, text=text, over=over))
            self._told_of_stall = False
        if not isinstance(event, Alert):
            self._silent_since = self._clock()
        elif event.kind in ("stall", "recovered", "woken"):
            self._told_of_stall = False  # it, or its end, is on record now

    def _look_for_stall(self) -> int:
        patience, silent = self._silence.patience, self._clock() - self._silent_since
        if patience is None or silent <= patience + self.GRACE:
            return 0
        stall = Alert(at=self._now(), kind="stall", text=self._silence.in_words(silent))
        self._silence.take(stall)
        self._take(stall)
        self._told_of_stall = True
        return 1
