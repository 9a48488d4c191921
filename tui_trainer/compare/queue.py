"""Trains what a session has to train, one run after the other or several at once, and goes on where it was stopped.

Each run is an ordinary one with a record of its own. One at a time they train in this process, which imports torch
once. Several at once have a process each: random numbers and the interpreter's lock belong to a process, and a
comparison in which runs disturb each other's weights would be none.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from tui_trainer.commands import Stop
from tui_trainer.compare.session import Session
from tui_trainer.compare.training import STOPPED, Ended, Here, goes_on_from, is_done
from tui_trainer.compare.worker import Elsewhere
from tui_trainer.runs.inbox import Inbox
from tui_trainer.runs.lock import WriterLock, is_live

LISTEN_EVERY = 0.2
"""Seconds between looks for what the shell asks."""


class Trainer(Protocol):
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
        on_record: Callable[[Path], None] | None = None,
    ) -> None:
        """A queue that waits for `start`.

        Args:
            session: whose runs to train.
            gate: nothing heavy is imported before it opens.
            on_record: told of the folder of each record that this process writes, as it begins.

        Raises:
            RunInUse: another process trains them.
            OSError: the session's folder cannot be written to.
        """
        self.session = session
        self.failure = ""
        """What kept a run from beginning, for a person; nothing after it is tried."""
        self._on_record = on_record
        self._lock = WriterLock(session.folder)
        self._turns = deque(
            index
            for index, entry in enumerate(session.entries)
            if entry.is_trained_here and not is_done(session.record_of(entry))
        )
        for index in self._turns:
            record = session.record_of(session.entries[index])
            if record is not None and goes_on_from(record) is None and not is_live(record):
                session.give_up(index)  # it is trained anew, which the session tells
        self._ended: list[Ended] = []
        self._stop: Stop | None = None
        jobs = min(session.plan.jobs, len(self._turns))
        self._trainers: list[Trainer] = (
            [Elsewhere(session) for _ in range(jobs)] if jobs > 1 else [Here(session, self._begun, gate)]
        )
        self._threads = [
            threading.Thread(target=self._work, args=(trainer,), name="comparing", daemon=True)
            for trainer in self._trainers
        ]
        self._left = len(self._threads)
        self._leaving = threading.Lock()
        self._over = threading.Event()
        self._inbox = Inbox(session.folder)

    def start(self) -> None:
        """Begin with the first that is not done."""
        for thread in self._threads:
            thread.start()
        threading.Thread(target=self._listen, name="listening", daemon=True).start()

    def stop(self, command: Stop | None = None) -> None:
        """End the runs that train, each with a checkpoint, and begin no other. From any thread, and in handlers."""
        asked = command or Stop(by="screen", reason="left")
        self._stop = msgspec.structs.replace(asked, reason=f"{STOPPED}: {asked.reason}")
        self._turns.clear()
        for trainer in self._trainers:
            trainer.stop(self._stop)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, at most so long; whether it has come."""
        for thread in self._threads:
            thread.join(seconds)
        return self.is_over

    @property
    def is_over(self) -> bool:
        """Whether nothing trains any more."""
        return self._left == 0

    @property
    def exit_code(self) -> int:
        """The command's: that of a stop or a failure, 3 where every run diverged, else 0."""
        if self._stop is not None:
            return self._stop.exit_code
        codes = [ended.exit_code for ended in self._ended]
        if codes and all(code == 3 for code in codes):
            return 3
        return next((code for code in codes if code in (1, 2)), 0)

    def _begun(self, index: int, record: Path) -> None:
        self.session.begun(index, record)
        if self._on_record is not None:
            self._on_record(record)

    def _work(self, trainer: Trainer) -> None:
        try:
            while self._stop is None:
                try:
                    index = self._turns.popleft()
                except IndexError:
                    break
                ended = trainer.train(index)
                self._ended.append(ended)
                if not ended.has_record and self._stop is None:
                    self.failure = ended.reason
                    self._turns.clear()
        finally:
            trainer.close()
            with self._leaving:
                self._left -= 1
                if self._left == 0:
                    self._lock.release()
                    self._over.set()

    def _listen(self) -> None:
        """Stop where the shell asks for it."""
        while not self._over.wait(LISTEN_EVERY):
            for command in self._inbox.poll():
                if isinstance(command, Stop):
                    self.stop(command)
        self._inbox.close()
