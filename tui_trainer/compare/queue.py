"""Trains what a session has to train, one run after the other or several at once, and goes on where it was stopped.

Each run is an ordinary one with a record of its own. One at a time they train in this process, which imports torch
once. Several at once have a process each: random numbers and the interpreter's lock belong to a process, and a
comparison in which runs disturb each other's weights would be none.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec

from tui_trainer import threads
from tui_trainer.commands import Stop
from tui_trainer.compare.executors import (
    FAILURES,
    Ended,
    InProcessExecutor,
    Outcome,
    SubprocessExecutor,
    goes_on_from,
    outcome,
    stopped,
    to_do,
)
from tui_trainer.compare.session import Session
from tui_trainer.files.safe_open import open_private
from tui_trainer.records.errors import RunsFolderUnwritable, RunUnreadable, reason
from tui_trainer.records.inbox import Inbox
from tui_trainer.records.lock import WriterLock, is_live
from tui_trainer.run_sources.notifier import Told

LISTEN_EVERY = 0.2
"""Seconds between looks for what the shell asks."""


class Executor(Protocol):
    """Trains one run at a time."""

    def train(self, index: int) -> Ended:
        """Train a run of the session to its end, from its checkpoint if it has one."""

    def stop(self, command: Stop) -> None:
        """End the run that trains now, with a checkpoint. From any thread."""

    def close(self) -> None:
        """There is no more to train."""


class Queue:
    """The runs of a session that are still to be trained. While it lives, no other process can train them."""

    def __init__(
        self,
        session: Session,
        *,
        gate: threading.Event | None = None,
        notify: Sequence[Told] = (),
    ) -> None:
        """A queue that waits for `start`.

        Args:
            session: whose runs to train.
            gate: nothing heavy is imported before it opens.
            notify: commands to run, or addresses to post to, where there is something to tell of a run.

        Raises:
            RunInUse: another process trains them.
            RunsFolderUnwritable: the session's folder cannot be written to.
            RunUnreadable: the record of one of its runs cannot be read.
        """
        self.session = session
        self.on_record: Callable[[Path], None] | None = None
        """Told of the folder of each record that this process writes, as it begins, in the thread that trains."""
        self._lock, self._inbox = _hold(session.folder)
        try:
            session.refresh()  # who held it until now may have written since the session was opened
            self._turns = deque(to_do(session))
        except BaseException:
            self._lock.release()
            self._inbox.close()
            raise
        for index in self._turns:
            record = session.record_of(session.entries[index])
            if record is not None and goes_on_from(record) is None and not is_live(record):
                session.give_up(index)  # it is trained anew, which the session tells
        self._ended: list[Ended] = []
        self._failures: list[str] = []
        self._stop: Stop | None = None
        jobs = min(session.plan.jobs, len(self._turns))
        self._trainers: list[Executor] = (
            [SubprocessExecutor(session, notify) for _ in range(jobs)]
            if jobs > 1
            else [InProcessExecutor(session, self._begun, gate, notify)]
        )
        self._left = len(self._trainers)
        self._outcome: Outcome | None = None
        """How it stood as the last run was over; None before, and where that cannot be told."""
        self._leaving = threading.Lock()
        self._over = threading.Event()

    def start(self) -> None:
        """Begin with the first that is not done."""
        for trainer in self._trainers:
            threads.begin("comparing", partial(self._work, trainer), self._fail)
        threads.begin("listening", self._listen, lambda why: self._fail(f"the shell is heard no more: {why}"))

    def stop(self, command: Stop | None = None) -> None:
        """End the runs that train, each with a checkpoint, and begin no other. From any thread, and in handlers."""
        asked = command or Stop(by="screen", reason="left")
        self._stop = msgspec.structs.replace(asked, reason=stopped(asked.reason))
        self._turns.clear()
        for trainer in self._trainers:
            trainer.stop(self._stop)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, at most so long; whether it has come."""
        return self._over.wait(seconds)

    @property
    def is_over(self) -> bool:
        """Whether nothing trains any more."""
        return self._over.is_set()

    @property
    def failure(self) -> str:
        """What kept a run from beginning, or ended who trained it, for a person; a line each."""
        return "\n".join(self._failures)

    @property
    def exit_code(self) -> int:
        """The command's: 0 where all was trained that was to be, or a person has stopped it."""
        if self._stop is not None and self._stop.exit_code:
            return self._stop.exit_code
        failed = next((ended.exit_code for ended in self._ended if ended.exit_code in FAILURES), 0)
        if failed or self._outcome is None:
            return failed or 1
        if self._stop is not None:
            return self._outcome.failed
        return self._outcome.exit_code

    def _begun(self, index: int, record: Path) -> None:
        self.session.begun(index, record)
        if self.on_record is not None:
            self.on_record(record)

    def _work(self, trainer: Executor) -> None:
        try:
            while self._stop is None:
                try:
                    index = self._turns.popleft()
                except IndexError:
                    break
                ended = self._train(trainer, index)
                self._ended.append(ended)
                if ended.exit_code in FAILURES and not (ended.has_record and ended.is_told):
                    self._fail(ended.reason)
                if not ended.has_record and self._stop is None:
                    self._turns.clear()
            trainer.close()
        finally:
            with self._leaving:
                self._left -= 1
                if self._left == 0:
                    self._finish()

    def _train(self, trainer: Executor, index: int) -> Ended:
        """Whatever happens to who trains, somebody is told."""
        entry = self.session.entries[index]
        label, record = entry.label, self.session.record_of(entry)
        if record is not None and is_live(record):
            elsewhere = f"{label}: another process goes on with {record.name}: compare again once that has ended"
            return Ended(1, elsewhere, True, is_told=False)
        try:
            return trainer.train(index)
        except OSError as error:
            what = reason(error) + (f": {error.filename}" if error.filename else "")
            return Ended(1, f"{label} cannot be trained: {what}", False)
        except Exception as error:  # the last line of defence: a run that did not begin must not look like a done one
            with suppress(OSError):
                log = open_private(self.session.folder / "log.txt", os.O_WRONLY | os.O_APPEND)
                with os.fdopen(log, "a") as opened:
                    opened.write(traceback.format_exc())
            return Ended(1, f"{label} cannot be trained: {type(error).__name__}: {error}", False)

    def _fail(self, why: str) -> None:
        if why not in self._failures:  # several at once meet the same
            self._failures.append(why)

    def _finish(self) -> None:
        """The last has left: see how it stands with everything, and let others train."""
        try:
            if not self.session.write_again():
                self._fail(self.session.trouble)
            self._outcome = None if self._failures else outcome(self.session)
        except RunUnreadable as error:
            self._fail(str(error))
        finally:
            self._lock.release()
            self._over.set()

    def _listen(self) -> None:
        """Stop where the shell asks for it, and write what a full disk did not take."""
        while not self._over.wait(LISTEN_EVERY):
            for command in self._inbox.poll():
                if isinstance(command, Stop):
                    self.stop(command)
            self.session.write_again()
        self._inbox.close()


def _hold(folder: Path) -> tuple[WriterLock, Inbox]:
    """Be the one that trains a session."""
    try:
        lock = WriterLock(folder)
        try:
            return lock, Inbox(folder)
        except BaseException:
            lock.release()
            raise
    except OSError as cause:
        raise RunsFolderUnwritable(folder, cause) from cause
