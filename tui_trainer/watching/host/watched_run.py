"""The run of one training under a watched command: its record, what makes events of its trace, and who is told."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from math import nan
from typing import IO

from tui_trainer import threads
from tui_trainer.commands import Stop
from tui_trainer.engine.clock import Awake
from tui_trainer.events import Alert, AnyEvent, EndStatus, EpochEnded, RunEnded, StepsTaken
from tui_trainer.records.record import Record
from tui_trainer.run_sources.monitoring import AlertMonitor
from tui_trainer.text.alert_rule import parse
from tui_trainer.text.captions import say
from tui_trainer.watching.findings import Findings
from tui_trainer.watching.host.beginning import program_of
from tui_trainer.watching.host.endings import Raised
from tui_trainer.watching.host.request import WatchRequest
from tui_trainer.watching.host.traced_process import TracedProcess
from tui_trainer.watching.interpreter.interpreter import Interpreter
from tui_trainer.watching.trace import AnyDefinition, Hello, Obeyed, Options, Rows

FIRST_RANK_S = 10.0
"""So long after another rank the first one may come."""


class WatchedRun:
    """One run, and the processes that train it."""

    def __init__(
        self, record: Record, request: WatchRequest, options: Options, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Go on with its record, which has begun.

        Args:
            record: as `begin_record` gives it.
            request: the command, and how it is watched.
            options: the same for what reads its traces.
            clock: monotonic seconds.
        """
        self.processes: list[TracedProcess] = []
        self.stop: Stop | None = None
        """Who asked it to end, if anybody did."""
        self.paused = False
        self.ended: RunEnded | None = None
        self._clock = clock
        self._leader: TracedProcess | None = None
        self._leads_by: float | None = None
        """When the lowest rank that is here leads, should the first one not have come."""
        self._held: list[tuple[TracedProcess, AnyDefinition | Rows]] = []
        """What was told before it was known who leads."""
        self._request = request
        self._step = self._epoch = self._epochs_done = 0
        self._emitting = threading.RLock()
        """Held while an event is recorded: what watches for alerts emits, too."""
        self._awake = Awake()
        self._monitor = AlertMonitor(
            self.emit,
            self._emitting,
            request.notify,
            self._about,
            self._open_log,
            self._awake,
            folder=lambda: self.record.folder,
            measures=False,
        )
        self._monitor.watch_for([parse(rule) for rule in request.alerts])
        self.record = record
        self._interpreter: Interpreter | None = Interpreter(self.emit, options)
        self._findings: Findings | None = Findings(options)

    @property
    def has_trained(self) -> bool:
        """Whether any process of it has told of its training."""
        return bool(self.processes)

    @property
    def live_processes(self) -> list[TracedProcess]:
        """Those that still train it."""
        return [process for process in self.processes if not process.is_gone]

    @property
    def ranks_are_missing(self) -> bool:
        """Whether some of those that train it together are not seen from here."""
        live = self.live_processes
        return any((process.hello.world_size or 1) > len(live) for process in live if process.hello is not None)

    @property
    def raised(self) -> Raised | None:
        """The error that ended one of its processes first: the others may have ended since they missed that one."""
        ended = [process for process in self.processes if process.raised]
        if not ended:
            return None
        first = min(ended, key=lambda process: process.left_at)
        return Raised(first.raised, first.rank if first.is_grouped else None)

    def join(self, process: TracedProcess) -> None:
        """A process trains it from here on."""
        self.processes.append(process)
        if process.rank == 0:
            self._lead(process)
        elif self._leads_by is None:
            self._leads_by = self._clock() + FIRST_RANK_S

    def belongs(self, hello: Hello) -> bool:
        """Whether a process trains it together with those that do."""
        return any(
            other.hello is not None
            and other.is_grouped
            and other.hello.group == hello.group
            and other.hello.rank != hello.rank
            for other in self.live_processes
        )

    def take(self, process: TracedProcess, frame: AnyDefinition | Rows) -> None:
        """One of its processes told something."""
        if self._leader is None:
            self._held.append((process, frame))
        else:
            self._read(process, frame)

    def is_led_by(self, process: TracedProcess) -> bool:
        """Whether its losses and LRs are those of this process: of several, of the first rank."""
        return process is self._leader

    def _lead(self, process: TracedProcess) -> None:
        """Its losses and LRs are those of this process, from the beginning."""
        if self._leader is not None:
            return
        self._leader = process
        self.emit(program_of(self._request, process.pid))
        for other, frame in self._held:
            self._read(other, frame)
        self._held.clear()

    def _read(self, process: TracedProcess, frame: AnyDefinition | Rows) -> None:
        interpreter = self._interpreter
        if interpreter is None:
            return
        if self.is_led_by(process):
            self._guarded(lambda: interpreter.take(process.name, frame))
            self._look_for_mistakes(frame)
        else:
            self._guarded(lambda: interpreter.take_other_rank(process.name, frame))

    def _look_for_mistakes(self, frame: AnyDefinition | Rows) -> None:
        """What goes wrong with that ends it alone."""
        if self._findings is None:
            return
        try:
            found = self._findings.take(frame)
        except Exception as error:
            traceback.print_exc()
            self._findings = None
            self.warn(say("command.order_unread", error=threads.in_a_line(error)))
            return
        for mistake in found:
            self.emit(mistake)

    def _settle_leader(self) -> None:
        """The first rank may be on another machine: then the lowest that is here stands for it."""
        if self._leader is None and self.processes:
            self._lead(min(self.processes, key=lambda process: process.rank))

    @property
    def own_lr(self) -> float:
        """What the program gives the next step of the run, without the LR dial, as far as that was told; else nan."""
        return self._interpreter.own_lr if self._interpreter is not None else nan

    def step_of(self, told: Obeyed) -> int:
        """Which step of the run its first process stands behind as it obeys."""
        return self._interpreter.step_of(told) if self._interpreter is not None else told.step

    def dial(self, factor: float, by: str) -> None:
        """From the next step on each LR is so many times the program's own, as somebody asked."""
        if (interpreter := self._interpreter) is not None:
            self._guarded(lambda: interpreter.dial(factor, by))

    def printed(self, line: str, at: float) -> None:
        """The command printed a line, at this moment of `time.perf_counter()`."""
        if (interpreter := self._interpreter) is not None:
            self._guarded(lambda: interpreter.printed(line, at))

    def tick(self) -> None:
        """Some time went by."""
        if self._leader is None and self._leads_by is not None and self._clock() >= self._leads_by:
            self._settle_leader()
        if self._interpreter is not None:
            self._guarded(self._interpreter.tick)

    def _finish(self) -> None:
        self._settle_leader()
        if self._interpreter is not None:
            self._guarded(self._interpreter.finish)
        self._interpreter = None

    def _guarded(self, act: Callable[[], object]) -> None:
        """What goes wrong with reading a loop is told, and ends the reading alone."""
        try:
            act()
        except Exception as error:
            traceback.print_exc()
            self._interpreter = None
            text = say("command.loop_unread", error=threads.in_a_line(error))
            self.emit(Alert(at=time.time(), kind="watching", text=text))

    def warn(self, text: str) -> None:
        """Tell a person something of how it is watched."""
        self.emit(Alert(at=time.time(), kind="watching", text=text))

    def warn_of_another(self, run: str) -> None:
        """Tell of a training of the same command that has a record of its own."""
        self.warn(say("notice.another_training", run=run))

    def warn_of_unreachable(self, pid: int, why: str) -> None:
        """Tell of a process that takes no commands."""
        self.warn(say("notice.cannot_ask", pid=pid, why=why))

    def emit(self, event: AnyEvent) -> None:
        """Record an event, and tell those who are to know. From any thread."""
        with self._emitting:
            if self.ended is not None:
                return
            if not isinstance(event, Alert) and (woken := self._monitor.woken(at=event.at)) is not None:
                self.emit(woken)
            if isinstance(event, StepsTaken):
                self._step, self._epoch = event.step + len(event.losses) - 1, event.epoch
            elif isinstance(event, EpochEnded):
                self._epochs_done = event.epoch
            self.record.emit(event)
            self._monitor.take(event)

    def end(self, status: EndStatus, reason: str, exit_code: int) -> None:
        """It is over: tell what is still to be told, and how it ended."""
        if self.ended is not None:
            return
        self._finish()
        with self._emitting:
            # One that ended well has ended all its epochs, as far as they are counted at all.
            epoch = self._epochs_done if status == "finished" else self._epoch
            ended = self.record.end(
                RunEnded(
                    at=time.time(), status=status, reason=reason, step=self._step, epoch=epoch, exit_code=exit_code
                )
            )
            self.ended = ended
            self._monitor.take(ended)
        try:
            self._monitor.finish()
        finally:
            self.record.close()

    def _open_log(self) -> IO[bytes] | None:
        with suppress(OSError):
            return self.record.open_log()
        return None

    def _about(self) -> dict[str, str]:
        return {"RUN": self.record.id, "FOLDER": str(self.record.folder)}
