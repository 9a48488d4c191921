"""One task of a job array, which trains the trial of its number. `slurm_start` begins it.

SLURM sends USR1 before the time limit and TERM as it cancels or preempts a job: either ends the run with a checkpoint.
After USR1 the task has itself queued again, if it came any further; SLURM does so itself after a preemption or the loss
of a node. When it begins again it goes on from the checkpoint, to the bit.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path
from types import FrameType

from tui_trainer.allowed_code import allow
from tui_trainer.commands import Stop
from tui_trainer.compare import slurm
from tui_trainer.compare.claims import SILENT_S, Holder
from tui_trainer.compare.executors import is_done
from tui_trainer.compare.queue import Queue
from tui_trainer.compare.session import Session
from tui_trainer.records.errors import RunsError
from tui_trainer.run_sources.run_source import replay
from tui_trainer.text.captions import say

PATIENCE_S = SILENT_S + 15
"""How long a task waits for who has its trial: one that is gone is silent by then."""

ASK_AGAIN_S = 2.0
"""Seconds from one try to be queued again to the next."""


class Task:
    """The trial of this task."""

    def __init__(self, folder: Path) -> None:
        """Open the session.

        Raises:
            RunsError: it cannot be read, or nothing of it can be trained here.
        """
        self.session = Session.open(folder)
        self.me = Holder.this_process()
        self.job, _, number = self.me.job.partition("_")
        if not number.isdecimal() or int(number) >= len(self.session.entries):
            raise RunsError(say("cluster.no_task"))
        self.trial = int(number)
        self._queue: Queue | None = None
        self._is_out_of_time = False
        self._stop: Stop | None = None

    def allow_code(self) -> None:
        """This process may run what the trial is made of."""
        allow(self.session.entries[self.trial].code)

    def train(self) -> int:
        """Train it to its end, or as far as time allows; the exit code."""
        entry = self.session.entries[self.trial]
        print(f"{self.me.job} on {self.me.host}: {entry.label}, seed {entry.seed}", flush=True)
        if self.job in self.session.cancelled:
            print(say("cluster.was_stopped"), flush=True)
            return 0
        before = self._steps()
        self._queue = Queue(self.session, beside=True, only=[self.trial], patience_s=PATIENCE_S)
        if self._stop is not None:
            self._queue.stop(self._stop)
        self._queue.start()
        self._queue.wait()
        if self._queue.failure:
            print(self._queue.failure, flush=True)
        self.session.refresh()
        if is_done(self._record()):
            return 0
        if not self._is_out_of_time:
            return 0 if self._stop is not None else 1
        if self._steps() <= before:
            print(say("cluster.no_time"), flush=True)
            return 1
        return self._queue_again()

    def _queue_again(self) -> int:
        """Have SLURM begin this task again later. A controller that is down ends no task and is waited for."""
        told = False
        while self._is_out_of_time:
            try:
                slurm.requeue(self.me.job)
            except slurm.SlurmRefused as refused:
                if not slurm.is_down():
                    raise
                if not told:
                    print(say("cluster.waits_to_requeue", why=refused), flush=True)
                told = True
                time.sleep(ASK_AGAIN_S)
            else:
                break
        return 0

    def on_signal(self, number: int, frame: FrameType | None = None) -> None:
        """End the run with a checkpoint, in the main thread."""
        self._is_out_of_time = number == signal.SIGUSR1
        why = say("cluster.time_is_up") if self._is_out_of_time else say("cluster.job_ends")
        self._stop = Stop(by="signal", reason=why)
        if self._queue is not None:
            self._queue.stop(self._stop)

    def _record(self) -> Path | None:
        return self.session.record_of(self.session.entries[self.trial])

    def _steps(self) -> int:
        record = self._record()
        return replay(record).steps if record is not None and record.is_dir() else 0
