"""Trains what a session has to train, one run after the other or several at once, and goes on where it was stopped.

Each run is an ordinary one with a record of its own. One at a time they train in this process, which imports torch
once. Several at once have a process each: random numbers and the interpreter's lock belong to a process, and a
comparison in which runs disturb each other's weights would be none.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path
from typing import Protocol

import msgspec

from tui_trainer import threads
from tui_trainer.commands import Stop
from tui_trainer.compare import gpus
from tui_trainer.compare.claims import Claim
from tui_trainer.compare.executors import (
    FAILURES,
    Ended,
    InProcessExecutor,
    Outcome,
    SubprocessExecutor,
    goes_on_from,
    is_done,
    outcome,
    stopped,
    to_do,
)
from tui_trainer.compare.session import Session
from tui_trainer.files.safe_open import open_private
from tui_trainer.records.errors import RunsFolderUnwritable, RunUnreadable, reason
from tui_trainer.records.inbox import Inbox
from tui_trainer.records.lock import WriterLock, break_lock, is_live
from tui_trainer.records.log_size import BoundedLog
from tui_trainer.run_sources.notifier import Told
from tui_trainer.text.captions import say

LISTEN_EVERY = 0.2
"""Seconds between looks for what the shell asks."""


LOOK_AT_OTHERS_EVERY = 1.0
"""Seconds between looks at runs that other queues train."""


class Executor(Protocol):
    """Trains one run at a time."""

    def train(self, claim: Claim) -> Ended:
        """Train the run of the session that was claimed to its end, from its checkpoint if it has one."""

    def stop(self, command: Stop) -> None:
        """End the run that trains now, with a checkpoint. From any thread."""

    def close(self) -> None:
        """There is no more to train."""


class Queue:
    """The runs of a session that are still to be trained. Each is trained under a claim of its own, so that several
    queues, on several machines, may take from one session; the one of `compare` alone holds the session as well.
    """

    def __init__(
        self,
        session: Session,
        *,
        gate: threading.Event | None = None,
        notify: Sequence[Told] = (),
        beside: bool = False,
        only: Sequence[int] | None = None,
        patience_s: float = inf,
    ) -> None:
        """A queue that waits for `start`.

        Args:
            session: whose runs to train.
            gate: nothing heavy is imported before it opens.
            notify: commands to run, or addresses to post to, where there is something to tell of a run.
            beside: others may train of this session, too; else it is held by this queue alone.
            only: the numbers of the runs that it may train; None for all.
            patience_s: how long to wait for runs that others train, to go on with those that they lose.

        Raises:
            RunInUse: another process trains them.
            RunsFolderUnwritable: the session's folder cannot be written to.
            RunUnreadable: the record of one of its runs cannot be read.
        """
        self.session = session
        self._only = only
        self.on_record: Callable[[Path], None] | None = None
        """Told of the folder of each record that this process writes, as it begins, in the thread that trains."""
        self._lock, self._inbox = _hold(session.folder, alone=not beside)
        try:
            session.refresh()  # who held it until now may have written since the session was opened
            self._turns = deque(to_do(session, only))
        except BaseException:
            self._release()
            self._inbox.close()
            raise
        self._elsewhere: list[int] = []
        """Runs that others have claimed."""
        self._patience_s = patience_s
        self._waits_until: float | None = None
        self._choosing = threading.Lock()
        self._ended: list[Ended] = []
        self._failures: list[str] = []
        self._stop: Stop | None = None
        self._stopped = threading.Event()
        jobs = min(session.plan.jobs, len(self._turns))
        self._trainers: list[Executor] = (
            [SubprocessExecutor(session, notify, gpu) for gpu in self._gpus(jobs)]
            if jobs > 1
            else [InProcessExecutor(session, self._begun, gate, notify)]
        )
        self._left = len(self._trainers)
        self._outcome: Outcome | None = None
        """How it stood as the last run was over; None before, and where that cannot be told."""
        self._leaving = threading.Lock()
        self._over = threading.Event()

    def _gpus(self, jobs: int) -> list[str | None]:
        """A device for each process where there are several and no run names one: they share none as long as there are
        enough."""
        entries = [self.session.entries[index] for index in self._turns]
        may_choose = all((entry.asked or {}).get("device") in ("auto", "cuda") for entry in entries)
        there = gpus.visible() if may_choose else []
        return [there[i % len(there)] if len(there) > 1 else None for i in range(jobs)]

    def start(self) -> None:
        """Begin with the first that is not done."""
        for trainer in self._trainers:
            threads.begin("comparing", partial(self._work, trainer), self._fail)
        threads.begin("listening", self._listen, lambda why: self._fail(say("queue.unheard", why=why)))

    def stop(self, command: Stop | None = None) -> None:
        """End the runs that train, each with a checkpoint, and begin no other. From any thread, and in handlers."""
        asked = command or Stop(by="screen", reason="left")
        self._stop = msgspec.structs.replace(asked, reason=stopped(asked.reason))
        self._turns.clear()
        self._stopped.set()
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

    def _begun(self, claim: Claim, record: Path) -> None:
        self.session.begun(claim.trial, record, claim.generation)
        if self.on_record is not None:
            self.on_record(record)

    def _work(self, trainer: Executor) -> None:
        try:
            while (claim := self._next()) is not None:
                try:
                    ended = self._train(trainer, claim)
                    if claim.is_lost():
                        self._elsewhere.append(claim.trial)
                        continue
                finally:
                    self.session.claims.let_go(claim)
                self._ended.append(ended)
                if ended.exit_code in FAILURES and not (ended.has_record and ended.is_told):
                    self._fail(ended.reason)
                if not ended.has_record and self._stop is None:
                    self._turns.clear()
                    self._elsewhere.clear()
            trainer.close()
        except OSError as error:
            self._fail(say("queue.cannot_claim", folder=self.session.folder, why=reason(error)))
        finally:
            with self._leaving:
                self._left -= 1
                if self._left == 0:
                    self._finish()

    def _next(self) -> Claim | None:
        """The next run that nobody else has, claimed; waits as long as others have what is left."""
        while self._stop is None:
            with self._choosing:
                while self._turns:
                    index = self._turns.popleft()
                    claim = self.session.claims.take(index)
                    if claim is None:
                        self._elsewhere.append(index)
                    elif self._is_mine_to_train(claim):
                        return claim
            if not self._elsewhere or not self._wait_for_others():
                return None
        return None

    def _is_mine_to_train(self, claim: Claim) -> bool:
        """What stands of a run that was just claimed: whether there is anything to train. What was begun last is known,
        and one that cannot be gone on with is given up."""
        session, index = self.session, claim.trial
        session.refresh()  # its last holder may have ended it since
        entry, noted = session.entries[index], claim.before.run if claim.before is not None else None
        if entry.run is None and noted is not None and noted not in entry.given_up:
            session.begun(index, session.runs / noted, claim.generation)
        record = session.record_of(session.entries[index])
        if is_done(record):
            session.claims.let_go(claim)
            return False
        if record is not None:
            if claim.took_over and is_live(record):
                break_lock(record)  # by one that is silent: it writes no more, as it would see this claim
            if goes_on_from(record) is None and not is_live(record):
                session.give_up(index)  # it is trained anew, which the session tells
        return True

    def _wait_for_others(self) -> bool:
        """Look again in a moment at what others train; False where that was waited for long enough."""
        now = time.monotonic()
        self._waits_until = now + self._patience_s if self._waits_until is None else self._waits_until
        if now > self._waits_until:
            return False
        self._stopped.wait(LOOK_AT_OTHERS_EVERY)
        self.session.refresh()
        with self._choosing:
            there, self._elsewhere = self._elsewhere, []
            entries = self.session.entries
            self._turns.extend(i for i in there if not is_done(self.session.record_of(entries[i])))
        return True

    def _train(self, trainer: Executor, claim: Claim) -> Ended:
        """Whatever happens to who trains, somebody is told."""
        entry = self.session.entries[claim.trial]
        label, record = entry.label, self.session.record_of(entry)
        if record is not None and is_live(record):
            elsewhere = say("queue.elsewhere", who=label, run=record.name)
            return Ended(1, elsewhere, True, is_told=False)
        try:
            return trainer.train(claim)
        except OSError as error:
            what = reason(error) + (f": {error.filename}" if error.filename else "")
            return Ended(1, say("queue.not_trained", who=label, why=what), False)
        except Exception as error:  # the last line of defence: a run that did not begin must not look like a done one
            with suppress(OSError):
                log = open_private(self.session.folder / "log.txt", os.O_WRONLY | os.O_APPEND)
                with os.fdopen(log, "a") as opened:
                    opened.write(traceback.format_exc())
            return Ended(1, say("queue.not_trained", who=label, why=f"{type(error).__name__}: {error}"), False)

    def _fail(self, why: str) -> None:
        if why not in self._failures:  # several at once meet the same
            self._failures.append(why)

    def _finish(self) -> None:
        """The last has left: see how it stands with everything, and let others train."""
        try:
            if not self.session.write_again():
                self._fail(self.session.trouble)
            self._outcome = None if self._failures else outcome(self.session, self._only)
        except RunUnreadable as error:
            self._fail(str(error))
        finally:
            self._release()
            self._over.set()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _listen(self) -> None:
        """Stop where the shell asks for it, write what a full disk did not take, and keep the session's log small."""
        log = BoundedLog()
        while not self._over.wait(LISTEN_EVERY):
            if self._lock is not None:  # else others print to it as well, on other machines
                log.look(self.session.folder / "log.txt")
            for command in self._inbox.poll():
                if isinstance(command, Stop):
                    self.stop(command)
            self.session.write_again()
        self._inbox.close()


def _hold(folder: Path, *, alone: bool) -> tuple[WriterLock | None, Inbox]:
    """Be one that trains a session, or the only one."""
    try:
        lock = WriterLock(folder) if alone else None
        try:
            return lock, Inbox(folder)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
    except OSError as cause:
        raise RunsFolderUnwritable(folder, cause) from cause
