"""Who trains the runs of a session, one after the other: this process, or another one that does as it is told,
`python -m tui_trainer.compare.executors FOLDER`.

On its standard input come lines, whom to notify, the number of a run to train or a stop; on its standard output go
lines, each an object: a record that has begun, or how the run ended. When its input ends, whoever told it is gone: it
stops too, with a checkpoint, and what it trained can be gone on with.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

import tui_trainer
from tui_trainer import commands, threads
from tui_trainer.allowed_code import Code, allow, is_allowed
from tui_trainer.commands import Stop
from tui_trainer.compare.claims import Claim
from tui_trainer.compare.median_stopping import MEDIAN, MedianStopping
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.events import RunEnded
from tui_trainer.files.safe_open import open_private
from tui_trainer.records.lock import is_live
from tui_trainer.records.run_metadata import ending
from tui_trainer.run_request import RunRequest
from tui_trainer.run_sources.in_process import LocalRun
from tui_trainer.run_sources.notifier import NotifyCommand, Told, Webhook
from tui_trainer.text.captions import say as caption
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


def to_do(session: Session, only: Collection[int] | None = None) -> list[int]:
    """The numbers of the runs that are still to be trained, or gone on with; of these alone, where only they are asked
    for: who trains one of ten thousand reads the record of that one.

    Raises:
        RunUnreadable: the record of one is there and cannot be read.
    """
    asked = _asked(session, only)
    return [i for i, entry in asked if entry.is_trained_here and not is_done(session.record_of(entry))]


def _asked(session: Session, only: Collection[int] | None) -> list[tuple[int, Contestant]]:
    entries = session.entries
    return [(i, entries[i]) for i in (range(len(entries)) if only is None else sorted(only)) if i < len(entries)]


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


def outcome(session: Session, only: Collection[int] | None = None) -> Outcome:
    """From the records, as they end now; of these runs alone, where only they are asked for.

    Raises:
        RunUnreadable: one is there and cannot be read.
    """
    records = [session.record_of(entry) for _, entry in _asked(session, only) if entry.is_trained_here]
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
        self,
        session: Session,
        begun: Callable[[Claim, Path], None],
        gate: threading.Event | None = None,
        notify: Sequence[Told] = (),
    ) -> None:
        """`begun` is told of the record of each run as it begins, in the training thread; `notify` of its events."""
        self._session = session
        self._begun = begun
        self._gate = gate
        self.notify = notify
        self._run: LocalRun | None = None
        self._stop: Stop | None = None

    def _has_begun(self, claim: Claim, record: Path) -> None:
        claim.note(record.name)
        self._begun(claim, record)

    def train(self, claim: Claim) -> Ended:
        """Train a run of the session to its end, from its checkpoint if it has one."""
        index = claim.trial
        entry = self._session.entries[index]
        try:
            spec = entry.spec()
        except ValueError as error:
            return Ended(2, caption("queue.unknown_run", run=entry.label, why=error), False)
        run = LocalRun(
            RunRequest.of(spec),
            self._session.runs,
            self._session.plan.command,
            goes_on=goes_on_from(self._session.record_of(entry)),
            gate=self._gate,
            on_record=lambda record: self._has_begun(claim, record.folder),
            notify=self.notify,
            lost=claim.is_lost,
        )
        if self._session.plan.stop_worse_than == MEDIAN:
            epochs = spec.epochs or spec.preset.training.epochs
            run.listen(MedianStopping(self._session, index, epochs, run.control.send).hear)
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


class SubprocessExecutor:
    """Trains in a process of its own, which is started with the first run."""

    def __init__(self, session: Session, notify: Sequence[Told] = (), gpu: str | None = None) -> None:
        """`gpu` is the one that the process sees, as `CUDA_VISIBLE_DEVICES` has it; None for all."""
        self._session = session
        self._notify = notify
        self._gpu = gpu
        self._process: subprocess.Popen[bytes] | None = None
        self._stop: Stop | None = None

    def train(self, claim: Claim) -> Ended:
        """Train a run of the session to its end, from its checkpoint if it has one."""
        index = claim.trial
        process = self._process
        if process is None:
            process = self._process = self._start()
            # Neither in the arguments nor in the environment, which others on the machine may read.
            self._tell(process, msgspec.json.encode({"notify": self._notify}))
            code = {each for entry in self._session.entries for each in entry.code if is_allowed([each])}
            self._tell(process, msgspec.json.encode({"allow": sorted(code)}))
        assert process.stdout is not None
        self._tell(process, msgspec.json.encode({"train": index, "generation": claim.generation}))
        if self._stop is not None:
            self.stop(self._stop)
        has_record = False
        for line in process.stdout:
            said: dict[str, Any] = msgspec.json.decode(line)
            if "begun" in said:
                self._session.begun(index, self._session.runs / said["begun"], claim.generation)
                has_record = True
            else:
                return Ended(said["exit_code"], said["reason"], said["has_record"])
        self._process = None
        return Ended(1, self._lost(index, process), has_record, is_told=False)

    def _lost(self, index: int, process: subprocess.Popen[bytes]) -> str:
        """What became of a process that has said no goodbye."""
        code = process.wait()
        if code < 0:
            how = caption("queue.by_signal", signal=signal.Signals(-code).name)
        else:
            how = caption("queue.by_itself", code=code)
        label, log = self._session.entries[index].label, self._session.folder / "log.txt"
        return caption("queue.process_gone", run=label, how=how, log=log)

    def stop(self, command: Stop) -> None:
        """End the run that trains now, with a checkpoint."""
        self._stop = command
        if self._process is not None:
            self._tell(self._process, commands.encode(command).strip())

    def close(self) -> None:
        """Let the process end."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()  # what was not told yet cannot be, if it is gone
            process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        log = open_private(self._session.folder / "log.txt", os.O_WRONLY | os.O_APPEND)
        above = str(Path(tui_trainer.__file__).parents[1])
        known = os.environ.get("PYTHONPATH")
        sees = {"CUDA_VISIBLE_DEVICES": self._gpu} if self._gpu is not None else {}
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "tui_trainer.compare.executors", str(self._session.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **sees, "PYTHONPATH": f"{above}{os.pathsep}{known}" if known else above},
                start_new_session=True,  # the keyboard's ctrl+c is for who tells it
            )
        finally:
            os.close(log)

    @staticmethod
    def _tell(process: subprocess.Popen[bytes], line: bytes) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(line + b"\n")
            process.stdin.flush()
        except (OSError, ValueError):
            pass  # it is gone, which reading from it tells


def nobody_tells(why: str = "") -> Stop:
    """What ends a run whose process is told no more what to do; `why`, where it was told what it cannot understand."""
    reason = stopped(caption("queue.misunderstood", why=why) if why else "")
    return Stop(by="session", reason=reason, exit_code=1 if why else 0)


def work(folder: Path) -> None:
    """Obey until the input ends."""
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print goes to the log
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    session = Session.open(folder)
    trainer = InProcessExecutor(session, lambda _, record: say({"begun": record.name}))
    asked: queue.SimpleQueue[Claim | None] = queue.SimpleQueue()

    def say(what: dict[str, Any]) -> None:
        out.write(msgspec.json.encode(what) + b"\n")

    def listen() -> None:
        for line in sys.stdin.buffer:
            said = msgspec.json.decode(line)
            if "notify" in said:
                trainer.notify = [_whom(each) for each in said["notify"]]
            elif "allow" in said:
                allow(Code(*each) for each in said["allow"])
            elif "train" in said:
                session.refresh()
                asked.put(Claim(session.claims.folder, said["train"], said["generation"]))
            elif isinstance(command := commands.decode(line), Stop):
                trainer.stop(command)
        stop()

    def stop(why: str = "") -> None:
        """Nobody will say any more what to do."""
        trainer.stop(nobody_tells(why))
        asked.put(None)

    threads.begin("listening", listen, stop)
    while (claim := asked.get()) is not None:
        ended = trainer.train(claim)
        say({"exit_code": ended.exit_code, "reason": ended.reason, "has_record": ended.has_record})


def _whom(told: dict[str, Any]) -> Told:
    return msgspec.convert(told, NotifyCommand) if "command" in told else msgspec.convert(told, Webhook)


if __name__ == "__main__":
    work(Path(sys.argv[1]))
