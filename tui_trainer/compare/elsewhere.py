"""What other machines do for a session: who trains which trial there, and what waits in the queue of a cluster.

A look may wait for a file server or for `squeue`: it is made in a thread of its own, and what was seen last stands.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Collection
from itertools import islice

from tui_trainer import threads
from tui_trainer.compare import slurm
from tui_trainer.compare.claims import Holder
from tui_trainer.compare.executors import is_done
from tui_trainer.compare.session import Session, Submitted
from tui_trainer.files.safe_open import open_regular
from tui_trainer.records.errors import RunUnreadable, reason
from tui_trainer.records.run_metadata import ending
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, listed
from tui_trainer.text.plain import plain

LOOK_EVERY_S = 2.0
"""Seconds between looks at the claims."""

ASK_EVERY_S = 5.0
"""Seconds between questions to SLURM, whose controller answers everybody."""

GRACE_S = 10.0
"""A job that was submitted within this time may not be listed yet."""

MOST = 6
LOG_LINES, LOG_BYTES = 3, 4096


class Elsewhere:
    """The last look at it. `look` waits for one; `look_soon` has one made."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.holders: dict[int, Holder] = {}
        """Of the trials that somebody trains, who does."""
        self.tasks: dict[int, slurm.Task] = {}
        """What of the session is in SLURM's queue, by the trial; as it answered last."""
        self.failed: dict[int, str] = {}
        """Trials that SLURM had and has not trained, and the job of each."""
        self.running: dict[int, tuple[str, str]] = {}
        """On which node each trial trains that does, and as which job."""
        self._waiting: list[slurm.Task] = []
        """What waits, and nobody has claimed."""
        self._seeds: Counter[str] = Counter()
        """How many runs each preset has."""
        self._logs: dict[int, tuple[str, str]] = {}
        """The first of the trials that have failed, the job of each and how its log ends."""
        self.trouble = ""
        """Why SLURM's queue is not known."""
        self.version = 0
        """Grows as something is otherwise than at the last look."""
        self._next_look = self._next_question = 0.0
        self._looking = threading.Lock()

    @property
    def trains(self) -> bool:
        """Whether anything of the session trains, or waits to be trained."""
        return bool(self.holders or self.tasks)

    @property
    def only_waits(self) -> bool:
        """Whether something waits in a queue, and nothing trains yet."""
        return bool(self.tasks) and not self.running

    def look(self) -> None:
        """Look now, and wait for it."""
        found = {}
        for claim in self._session.claims.alive():
            holder = claim.holder
            found[claim.trial] = holder if holder is not None else Holder(host="?", pid=0, machine="")
        before = (self.holders, self.tasks, self.failed, self.trouble)
        self.holders = found
        if self._session.submitted and time.monotonic() >= self._next_question:
            self._ask()
        trials = range(len(self._session.entries))
        running = {trial: (task.node, task.job) for trial, task in self.tasks.items() if not task.waits}
        running |= {trial: (holder.host, holder.job) for trial, holder in found.items()}
        self.running = {trial: running[trial] for trial in sorted(running) if trial in trials}
        self._waiting = [task for trial, task in self.tasks.items() if task.waits and trial not in found]
        self._seeds = Counter(entry.label for entry in self._session.entries)
        self.version += before != (self.holders, self.tasks, self.failed, self.trouble)

    def _ask(self) -> None:
        try:
            self.tasks, self.trouble = slurm.tasks(self._session), ""
        except (slurm.SlurmRefused, OSError) as error:
            self.trouble = str(error)
            return
        finally:
            self._next_question = time.monotonic() + ASK_EVERY_S
        session = self._session
        newest = {trial: each for each in session.submitted.values() for trial in each.trials}
        self.failed = {
            trial: f"{each.job}_{trial}"
            for trial, each in newest.items()
            if trial not in self.tasks and trial not in self.holders and self._has_failed(trial, each)
        }
        self._logs = {trial: (job, self._end_of_log(job)) for trial, job in islice(self.failed.items(), MOST)}

    def _has_failed(self, trial: int, submitted: Submitted) -> bool:
        if submitted.job in self._session.cancelled or time.time() - submitted.at < GRACE_S:
            return False
        if not 0 <= trial < len(self._session.entries):
            return False
        record = self._session.record_of(self._session.entries[trial])
        try:
            goodbye = ending(record) if record is not None else None
            return not is_done(record) or (goodbye is not None and goodbye.status == "crashed")
        except RunUnreadable:
            return False

    def _end_of_log(self, job: str) -> str:
        try:
            fd = open_regular(slurm.log_of(self._session, job))
            with os.fdopen(fd, "rb") as opened:
                opened.seek(max(0, os.fstat(fd).st_size - LOG_BYTES))
                lines = [line.strip() for line in opened.read().decode(errors="replace").splitlines() if line.strip()]
        except FileNotFoundError:
            return ""
        except OSError as cause:
            return reason(cause)
        return " / ".join(lines[-LOG_LINES:])

    def in_words(self, over: Collection[int]) -> list[str]:
        """Where trials train, what waits, and what has failed; of SLURM, why it is not known.

        `over` are the trials that have ended by now, whatever the last look saw of them.
        """
        said = []
        if running := [trial for trial in self.running if trial not in over]:
            where = [self._where(trial, *self.running[trial]) for trial in running]
            said.append(say("cluster.trains_on", where=listed(where, MOST)))
        if self._waiting:
            whys = {task.why for task in self._waiting if task.why not in ("", "None")}
            why = f" ({plain(', '.join(sorted(whys)))})" if whys else ""
            said.append(say("cluster.queued", runs=counted(len(self._waiting), "run"), why=why))
        for trial, (job, log) in self._logs.items():
            said.append(say("cluster.failed", who=self._who(trial), job=job, log=plain(log) or "–"))
        if self.trouble and self._session.submitted:
            said.append(plain(self.trouble))
        return said

    def _where(self, trial: int, node: str, job: str) -> str:
        return f"{self._who(trial)} on {plain(node)}" + (f" (job {plain(job)})" if job else "")

    def _who(self, trial: int) -> str:
        entry = self._session.entries[trial]
        return plain(entry.label) + (f", seed {entry.seed}" if self._seeds[entry.label] > 1 else "")

    def look_soon(self) -> None:
        """Have a look made, if the last one is old and none is under way."""
        if time.monotonic() < self._next_look or not self._looking.acquire(blocking=False):
            return
        self._next_look = time.monotonic() + LOOK_EVERY_S
        threads.begin("looking elsewhere", self._look_and_rest, lambda _: None)

    def _look_and_rest(self) -> None:
        try:
            self.look()
        finally:
            self._next_look = time.monotonic() + LOOK_EVERY_S
            self._looking.release()
