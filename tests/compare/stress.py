"""A comparison of several runs at once, as hard as it can be pressed: `python -m tests.compare.stress [ROUNDS]`.

Four trainers take down the records of their runs as fast as they can while a viewer of the same process reads the
session's file without a rest. Nothing trains: what is pressed is the record of the comparison.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui_trainer.commands import Stop
from tui_trainer.compare import queue as queues
from tui_trainer.compare.claims import Claim
from tui_trainer.compare.executors import Ended
from tui_trainer.compare.queue import Queue
from tui_trainer.compare.session import Contestant, Session

JOBS = 4
RUNS = 12
ROUNDS = 500


class Quick:
    """Takes down a record for each run, and trains none."""

    def __init__(self, session: Session, notify: object = None, gpu: object = None) -> None:
        self._session = session

    def train(self, claim: Claim) -> Ended:
        record = self._session.runs / f"record-{claim.trial}"
        self._session.begun(claim.trial, record, claim.generation)
        return Ended(0, "all epochs done", True)

    def stop(self, command: Stop) -> None:
        pass

    def close(self) -> None:
        pass


@contextmanager
def quick_trainers() -> Iterator[None]:
    """Have queues of several jobs train so."""
    real, queues.SubprocessExecutor = queues.SubprocessExecutor, Quick  # type: ignore[misc,assignment]
    try:
        yield
    finally:
        queues.SubprocessExecutor = real  # type: ignore[misc]


def lost_in_a_round(runs: Path) -> set[int]:
    """The runs whose records a comparison forgot, in the process that trains or in its file."""
    entries = [Contestant(label=f"run {i}", seed=0, asked={}) for i in range(RUNS)]
    session = Session.create(runs, entries, jobs=JOBS)
    queue = Queue(session)
    queue.start()
    while not queue.is_over:
        session.refresh()
    session.refresh()
    there = session.entries, Session.open(session.folder).entries
    return {i for each in there for i, entry in enumerate(each) if entry.run != f"record-{i}"}


def main() -> None:
    """Press it, and say how often a record was lost."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as folder, quick_trainers():
        losing = sum(bool(lost_in_a_round(Path(folder) / f"{number}")) for number in range(rounds))
    print(f"{losing} of {rounds} rounds lost a record")
    sys.exit(1 if losing else 0)


if __name__ == "__main__":
    main()
