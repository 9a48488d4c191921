"""One run of a session, trained in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tui_trainer.asked import Asked
from tui_trainer.commands import Stop
from tui_trainer.compare.session import Session
from tui_trainer.hosts import LocalRun, replay
from tui_trainer.runs.lock import is_live

STOPPED = "the comparison was stopped"
"""The reason of a run that goes on when the comparison does; one that a person stopped by itself stays stopped."""

CHECKPOINTS = ("last.pt", "last-but-one.pt")


@dataclass(frozen=True)
class Ended:
    """What became of a run."""

    exit_code: int
    reason: str
    has_record: bool
    """Whether it came so far as to begin one; bad input leaves none."""


def is_done(record: Path | None) -> bool:
    """Whether a run needs no more training: it has ended, and not because the comparison was stopped."""
    if record is None:
        return False
    ended = replay(record).ended
    return ended is not None and not (ended.status == "stopped" and ended.reason.startswith(STOPPED))


def goes_on_from(record: Path | None) -> Path | None:
    """The record to go on with: one that has a checkpoint. What ended before its first one is trained anew."""
    if record is None or is_live(record):
        return None
    return record if any((record / "checkpoints" / name).is_file() for name in CHECKPOINTS) else None


class Here:
    """Trains in a thread of this process."""

    def __init__(
        self, session: Session, begun: Callable[[int, Path], None], gate: threading.Event | None = None
    ) -> None:
        """`begun` is told of the record of each run as it begins, in the training thread."""
        self._session = session
        self._begun = begun
        self._gate = gate
        self._run: LocalRun | None = None
        self._stop: Stop | None = None

    def train(self, index: int) -> Ended:
        """Train a run of the session to its end, from its checkpoint if it has one."""
        entry = self._session.entries[index]
        try:
            spec = entry.spec()
        except ValueError as error:
            return Ended(2, f"{entry.label} is no run that this version can train: {error}", False)
        run = LocalRun(
            Asked.of(spec),
            self._session.runs,
            self._session.plan.command,
            goes_on=goes_on_from(self._session.record_of(entry)),
            gate=self._gate,
            on_record=lambda record: self._begun(index, record.folder),
        )
        self._run = run
        if self._stop is not None:
            run.control.send(self._stop)
        run.start()
        ended = run.wait()
        self._run = None
        if ended is None:
            return Ended(1, run.failure, run.record is not None)
        return Ended(ended.exit_code, ended.reason, run.record is not None)

    def stop(self, command: Stop) -> None:
        """End the run that trains now, with a checkpoint."""
        self._stop = command
        run = self._run
        if run is not None:
            run.control.send(command)

    def close(self) -> None:
        """Nothing to clean up."""
