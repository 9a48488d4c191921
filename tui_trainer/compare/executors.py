"""Who trains the runs of a session: this process, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tui_trainer.commands import Stop
from tui_trainer.compare.session import Session
from tui_trainer.events import RunEnded
from tui_trainer.records.lock import is_live
from tui_trainer.records.run_metadata import ending
from tui_trainer.run_request import RunRequest
from tui_trainer.run_sources.in_process import LocalRun
from tui_trainer.text.reasons import Reason, word

STOPPED = "comparison_stopped"
"""Why a run has ended that goes on when the comparison does; one that a person stopped by itself stays stopped."""

FAILURES = (1, 2)
"""Exit codes of a run that could not do what was asked; neither a stop nor a loss that is not finite is such."""

DIVERGED = 3

CHECKPOINTS = ("last.pt", "last-but-one.pt")


@dataclass(frozen=True)
class Ended:
    """What became of a run."""

    exit_code: int
    reason: str
    has_record: bool
    """Whether it came so far as to begin one; bad input leaves none."""
    is_told: bool = True
    """Whether the record says so too."""


def is_done(record: Path | None) -> bool:
    """Whether a run needs no more training: it has ended, and not because the comparison was stopped.

    Raises:
        RunUnreadable: its record is there and cannot be read.
    """
    if record is None:
        return False
    ended = ending(record)
    return ended is not None and not (ended.status == "stopped" and ended.why.code == STOPPED)


def stopped(detail: str = "") -> str:
    """The words of a run that ends because the comparison is stopped, with what there is to say of that."""
    return word(Reason(STOPPED, {"detail": detail}))


def to_do(session: Session) -> list[int]:
    """The numbers of the runs that are still to be trained, or gone on with.

    Raises:
        RunUnreadable: the record of one is there and cannot be read.
    """
    entries = enumerate(session.entries)
    return [i for i, entry in entries if entry.is_trained_here and not is_done(session.record_of(entry))]


@dataclass(frozen=True)
class Outcome:
    """How it stands with all that a session has to train, whoever trained it and when."""

    left: int
    """Runs that have not come to an end of their own: never begun, stopped with the comparison, or killed."""
    codes: tuple[int, ...]
    """The exit codes of those that have, in the order of the session."""

    @property
    def failed(self) -> int:
        """The exit code of the first run that ended in an error; 0 where none did."""
        return next((code for code in self.codes if code in FAILURES), 0)

    @property
    def exit_code(self) -> int:
        """0 where all was trained; 3 where every run diverged, for one that did is a result; else that of a failure."""
        if self.left or self.failed:
            return self.failed or 1
        return DIVERGED if self.codes and all(code == DIVERGED for code in self.codes) else 0


def outcome(session: Session) -> Outcome:
    """From the records, as they end now.

    Raises:
        RunUnreadable: one is there and cannot be read.
    """
    records = [session.record_of(entry) for entry in session.entries if entry.is_trained_here]
    goodbyes = [ending(record) for record in records if record is not None and is_done(record)]
    codes = tuple(_code(goodbye) for goodbye in goodbyes if goodbye is not None)
    return Outcome(len(records) - len(codes), codes)


def _code(goodbye: RunEnded) -> int:
    if goodbye.status == "crashed":
        return goodbye.exit_code or 1
    return goodbye.exit_code


def goes_on_from(record: Path | None) -> Path | None:
    """The record to go on with: one that has a checkpoint. What ended before its first one is trained anew."""
    if record is None or is_live(record):
        return None
    return record if any((record / "checkpoints" / name).is_file() for name in CHECKPOINTS) else None


class InProcessExecutor:
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
            RunRequest.of(spec),
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
