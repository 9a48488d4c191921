"""Two schedulers on one session, killed and frozen at random: `python -m tests.compare.stress_schedulers [ROUNDS]`.

Each takes trials with four workers. Nothing trains: a trial is a record that is begun and ended some milliseconds
later. What must hold in the end: each trial has one record that has finished, and no other record has.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tui_trainer.commands import Stop
from tui_trainer.compare import claims, queue
from tui_trainer.compare.claims import Claim
from tui_trainer.compare.executors import Ended
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.events import RunEnded
from tui_trainer.records.record import Record
from tui_trainer.records.run_metadata import ending

WORKERS = 4
TRIALS = 60
ROUNDS = 50
BLOWS = 6
LONGEST_S = 0.05
LIMIT_S = 120.0


class Made:
    """Begins a record, and ends it."""

    def __init__(self, session: Session, notify: object = None, gpu: object = None) -> None:
        self._session = session

    def train(self, claim: Claim) -> Ended:
        record = Record.create(self._session.runs, {}, label=f"trial-{claim.trial}", lost=claim.is_lost)
        claim.note(record.id)
        self._session.begun(claim.trial, record.folder, claim.generation)
        time.sleep(random.random() * LONGEST_S)
        record.end(RunEnded(at=time.time(), status="finished", reason="made", step=0, epoch=0, exit_code=0))
        record.close()
        return Ended(0, "made", True)

    def stop(self, command: Stop) -> None:
        pass

    def close(self) -> None:
        pass


def schedule(folder: Path) -> None:
    """One scheduler, in this process, until nothing is left."""
    claims.SILENT_S, claims.BEAT_S, queue.LOOK_AT_OTHERS_EVERY = 3.0, 0.1, 0.05
    queue.SubprocessExecutor = Made  # type: ignore[misc,assignment]
    takes = queue.Queue(Session.open(folder), beside=True)
    takes.start()
    takes.wait()
    os._exit(takes.exit_code)


def faults_of_a_round(runs: Path, seed: int, trials: int = TRIALS, blows: int = BLOWS) -> list[str]:
    """What did not hold."""
    chance = random.Random(seed)
    entries = [Contestant(label=f"trial {i}", seed=0, asked={}) for i in range(trials)]
    session = Session.create(runs, entries, jobs=WORKERS)
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__, "--schedule", str(session.folder)]
    running = [subprocess.Popen(command) for _ in range(2)]
    try:
        deadline = time.monotonic() + LIMIT_S
        while any(process.poll() is None for process in running):
            if time.monotonic() > deadline:
                return [f"seed {seed}: not done within {LIMIT_S:g} s"]
            time.sleep(chance.random() * 0.2)
            which = chance.randrange(2)
            if not blows or running[which].poll() is not None or not (session.folder / claims.FOLDER).exists():
                continue
            blows -= 1
            if chance.random() < 0.7:
                running[which].kill()
                running[which].wait()
                running[which] = subprocess.Popen(command)
            else:
                running[which].send_signal(signal.SIGSTOP)
                time.sleep(3.5)  # longer than a claim may be silent
                running[which].send_signal(signal.SIGCONT)
        codes = [process.wait() for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    return [*([f"seed {seed}: exit codes {codes}"] if any(codes) else []), *_faults(session.folder, seed, trials)]


def _faults(folder: Path, seed: int, trials: int) -> Sequence[str]:
    session = Session.open(folder)
    finished = [
        each.name
        for each in session.runs.iterdir()
        if each.name != "sessions" and (end := ending(each)) is not None and end.status == "finished"
    ]
    of_trial = Counter(name.split("-")[3] for name in finished)
    faults = [f"seed {seed}: trial {i} was trained {n} times" for i in range(trials) if (n := of_trial[str(i)]) != 1]
    known = {entry.run for entry in session.entries}
    return [*faults, *(f"seed {seed}: {name} is of no trial" for name in finished if name not in known)]


def main() -> None:
    """Press it, and say what did not hold."""
    if sys.argv[1:2] == ["--schedule"]:
        schedule(Path(sys.argv[2]))
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    faults = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(rounds):
            faults += faults_of_a_round(Path(folder) / f"{seed}", seed)
    for fault in faults:
        print(fault)
    print(f"{rounds} rounds of {TRIALS} trials in {time.monotonic() - began:.0f} s: {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
