"""Where a run lives: a thread of this process, or somewhere else on this file system.

A screen holds one `Host`, polls it on its own clock and reads its `history`; it cannot tell one kind from another.
Nothing here imports torch before a run or a plan is asked for, and then in that thread.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tui_trainer.commands import Command
from tui_trainer.engine.control import Control
from tui_trainer.engine.errors import BadInput
from tui_trainer.events import SCHEMA, CheckpointSaved, Event, Noticed, PlanMade, RunEnded, RunStarted, StepsTaken
from tui_trainer.presets import PresetError
from tui_trainer.runs import inbox
from tui_trainer.runs.errors import CannotGoOn, RunsError
from tui_trainer.runs.facts import read_facts
from tui_trainer.runs.history import History
from tui_trainer.runs.lock import is_live
from tui_trainer.runs.record import Record
from tui_trainer.runs.tail import Tail
from tui_trainer.spec import RunSpec
from tui_trainer.torchrun import place, tells_of_loss


class Host(Protocol):
    """A run, as a screen sees it. All of it belongs to the thread that polls."""

    history: History
    """The state of the run, as of the last `poll`."""

    readonly: bool
    """Whether commands are refused."""

    def poll(self) -> int:
        """Apply the events that came since the last call, without waiting; how many there were."""

    def send(self, command: Command) -> None:
        """Ask something of the run; the answer comes as an event.

        Raises:
            PermissionError: the run is read-only here.
        """

    def close(self) -> None:
        """Stop looking. A run in this process goes on; stop it with a command first."""


def replay(folder: Path) -> History:
    """The state of the run whose record lies in `folder`, as far as it was recorded."""
    history = History()
    with Tail(folder / "events.jsonl") as tail:
        for event in tail:
            history.apply(event)
    return history


def asked_of(folder: Path) -> RunSpec:
    """What was asked of the run in `folder`, for going on with it.

    Raises:
        CannotGoOn: its record does not say.
    """
    facts = read_facts(folder)
    try:
        spec = RunSpec.model_validate(facts.get("asked"))
    except ValueError:
        raise CannotGoOn(folder) from None
    resolved = facts.get("resolved", {})
    # The threads it had make it go on bit for bit, where as many processes train as did.
    threads = resolved.get("threads") if resolved.get("ranks", 1) == place().ranks else None
    return spec.model_copy(update={"threads": spec.threads or threads})


GATE_S = 2.0
"""The longest that anything waits for the first frame of a screen."""


class LocalRun:
    """A run in a thread of this process, with its record.

    The record is begun when all that was asked for is known to be there, so that bad input leaves nothing behind;
    what happened until then is written first. Where `torchrun` started several processes, each has a share of the run,
    and the first one the record.
    """

    def __init__(
        self,
        spec: RunSpec,
        runs_folder: Path,
        command: Sequence[str],
        *,
        goes_on: Path | None = None,
        gate: threading.Event | None = None,
        on_record: Callable[[Record], None] | None = None,
    ) -> None:
        """A run that waits for `start`.

        Args:
            spec: what is asked of it.
            runs_folder: where its record is made.
            command: the command line, for the record.
            goes_on: the folder of a run that ended early, to go on with from its checkpoint.
            gate: nothing heavy is imported before it opens; it is not waited for long.
            on_record: told of the record as it begins, in the training thread.
        """
        self.spec = spec
        self.goes_on = goes_on
        self.control = Control()
        self.record: Record | None = None
        """Its record, once there is one."""
        self.failure = ""
        """The traceback of an error that nobody foresaw."""
        self._runs_folder = runs_folder
        self._command = command
        self._gate = gate
        self._on_record = on_record
        self._listeners: list[Callable[[Event], None]] = []
        self._unrecorded: list[Event] = []
        self._ended: RunEnded | None = None
        self._step = self._epoch = 0
        self._saved_step: int | None = None
        self._place = place()
        self._thread = threading.Thread(target=self._run, name="training", daemon=True)

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Have every event from now on handed to `listener`, in the training thread: it must be quick."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to train."""
        self._thread.start()

    def wait(self, seconds: float | None = None) -> RunEnded | None:
        """Wait for the end, at most so long; None if it has not come."""
        self._thread.join(seconds)
        return None if self._thread.is_alive() else self._ended

    def _run(self) -> None:
        if self._gate is not None:
            self._gate.wait(GATE_S)
        from tui_trainer.engine.prepare import prepare

        try:
            prepared = prepare(self.spec, self._emit, self.goes_on and self.goes_on / "checkpoints")
            checkpoints = self._begin_record()
            from tui_trainer.engine.train import train

            ended = train(prepared, self._emit, self.control, checkpoints)
        except (BadInput, PresetError, RunsError) as error:
            ended = _crashed(str(error), exit_code=2)
        except Exception as error:  # the last line of defence: a run always says how it ended
            ended = self._failed(error)
        self._end(ended)

    def give_up(self) -> RunEnded:
        """End the run though the training thread does not: it hangs in a call to a process that is lost."""
        ended = _crashed(self._rank_lost(), exit_code=1, step=self._step, epoch=self._epoch)
        self._end(ended)
        return ended

    def _end(self, ended: RunEnded) -> None:
        if self._ended is not None:
            return
        self._emit(ended)
        self._ended = ended
        if self.record is not None:
            self.record.close()

    def _failed(self, error: Exception) -> RunEnded:
        if not self._place.alone and tells_of_loss(error):
            why = self._rank_lost()
        else:
            self.failure = traceback.format_exc()
            self._log(self.failure)
            why = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return _crashed(why, exit_code=1, step=self._step, epoch=self._epoch)

    def _rank_lost(self) -> str:
        lost = f"another of the {self._place.ranks} processes was lost"
        if self._saved_step is None:
            return lost
        return f"{lost}; resume goes on from the checkpoint after step {self._saved_step}, with any number of them"

    def _begin_record(self) -> Path:
        """Begin or go on with the record, unless another rank writes it; the folder of checkpoints."""
        if not self._place.leads:
            return Path(os.devnull)
        if self.goes_on is not None:
            record = Record.reopen(self.goes_on, observer=self._tell)
        else:
            asked = self.spec.model_dump(mode="json")
            record = Record.create(self._runs_folder, asked, self._command, observer=self._tell)
        self.control.listen_to(record.inbox.poll)
        for event in self._unrecorded:
            record.emit(event)
        self._unrecorded.clear()
        self.record = record
        if self._on_record is not None:
            self._on_record(record)
        self._emit(RunStarted(at=time.time(), run=record.id, schema=SCHEMA, pid=os.getpid(), host=socket.gethostname()))
        return record.checkpoints

    def _emit(self, event: Event) -> None:
        if isinstance(event, StepsTaken):
            self._step, self._epoch = event.step + len(event.losses) - 1, event.epoch
        elif isinstance(event, CheckpointSaved):
            self._saved_step = event.step
        # Told first: where recording stops at this event, both the journal and who listens have that after it.
        self._tell(event)
        if self.record is not None:
            self.record.emit(event)
        elif self._place.leads:
            self._unrecorded.append(event)

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)

    def _log(self, text: str) -> None:
        if self.record is not None:
            with suppress(OSError), self.record.open_log() as log:
                log.write(text.encode())


class ThreadHost:
    """A `Host` of a run in this process: events come by memory, not by the journal."""

    def __init__(self, run: LocalRun) -> None:
        self.run = run
        self.history = replay(run.goes_on) if run.goes_on else History()
        self.readonly = False
        self._coming: deque[Event] = deque()
        self._open = True
        run.listen(self._take)

    def poll(self) -> int:
        count = 0
        while self._coming:
            self.history.apply(self._coming.popleft())
            count += 1
        return count

    def send(self, command: Command) -> None:
        self.run.control.send(command)

    def close(self) -> None:
        self._open = False
        self._coming.clear()

    def _take(self, event: Event) -> None:
        if self._open:
            self._coming.append(event)


class RecordHost:
    """A `Host` of a run that another process writes, or wrote: it follows the journal."""

    LOOK_EVERY = 1.0
    """Seconds between looks whether the process that writes still lives."""

    READ_FOR = 0.2
    """Seconds that one poll may read for: a record of a million steps is there after some five polls."""

    def __init__(self, folder: Path, *, readonly: bool = False) -> None:
        self.folder = folder
        self.history = History()
        self.readonly = readonly
        self._tail = Tail(folder / "events.jsonl")
        self._skipped = 0
        self._next_look = 0.0

    def poll(self) -> int:
        count = self._read()
        if not count and self.history.ended is None and time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + self.LOOK_EVERY
            return self._look_for_writer()
        return count

    def send(self, command: Command) -> None:
        if self.readonly:
            raise PermissionError("this view is read-only")
        try:
            inbox.send(self.folder, command)
        except RunsError as error:
            raise PermissionError(str(error)) from error

    def close(self) -> None:
        self._tail.close()

    def _read(self) -> int:
        """Apply what there is; how many events. A long record takes some calls, a share of a second each."""
        count = 0
        until = time.monotonic() + self.READ_FOR
        while events := self._tail.read():
            for event in events:
                self.history.apply(event)
            count += len(events)
            if time.monotonic() >= until:
                break
        if self._tail.skipped > self._skipped:
            self._skipped = self._tail.skipped
            self.history.apply(Noticed(at=time.time(), kind="recording", text=self._what_was_skipped()))
            count += 1
        return count

    def _what_was_skipped(self) -> str:
        numbers = ", ".join(map(str, self._tail.skipped_lines))
        more = " and more" if self._skipped > len(self._tail.skipped_lines) else ""
        lines = "1 line" if self._skipped == 1 else f"{self._skipped} lines"
        return f"{lines} of the record could not be read: {numbers}{more}. Damaged, or a later version's."

    def _look_for_writer(self) -> int:
        """A run whose process is gone and that said no goodbye has crashed; the record is read to its end first."""
        if is_live(self.folder):
            return 0
        if count := self._read():  # its last words, said since the poll
            return count
        gone = "its process is gone and said no goodbye"
        self.history.apply(_crashed(gone, exit_code=1, step=self.history.steps, epoch=self.history.epoch))
        return 1


class LocalLauncher:
    """Starts runs in threads of this process, and plans them, once `go` was called: the screen comes first."""

    def __init__(self, runs_folder: Path, command: Sequence[str]) -> None:
        self._gate = threading.Event()
        self.planner = Planner(self._gate)
        self.runs: list[LocalRun] = []
        """All that were started, oldest first."""
        self.on_record: Callable[[Record], None] | None = None
        """Told of each run's record as it begins, in the training thread."""
        self._runs_folder = runs_folder
        self._command = command

    def go(self) -> None:
        """The first frame is up: torch may be imported."""
        self._gate.set()

    def start(self, spec: RunSpec) -> ThreadHost:
        """Begin to train; returns at once."""
        return self._start(spec, None)

    def resume(self, folder: Path) -> tuple[ThreadHost, RunSpec]:
        """Go on with a run that ended early, from its checkpoint, and what was asked of it; returns at once.

        Raises:
            CannotGoOn: the record does not say what was asked.
        """
        spec = asked_of(folder)
        return self._start(spec, folder), spec

    def _start(self, spec: RunSpec, goes_on: Path | None) -> ThreadHost:
        run = LocalRun(
            spec, self._runs_folder, self._command, goes_on=goes_on, gate=self._gate, on_record=self._record_begun
        )
        host = ThreadHost(run)
        self.runs.append(run)
        run.start()
        return host

    def _record_begun(self, record: Record) -> None:
        if self.on_record is not None:
            self.on_record(record)


PREVIEW_STEPS = 12_000
"""A preview of more steps of the scheduler is sampled: it must be there within a tenth of a second."""


class Planner:
    """Rehearses presets in a thread of its own, the one asked for last first."""

    def __init__(self, gate: threading.Event) -> None:
        self._gate = gate
        self._made: dict[str, tuple[PlanMade, PlanMade | None] | PresetError] = {}
        self._asked: deque[tuple[str, RunSpec]] = deque(maxlen=16)
        self._came = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self, spec: RunSpec) -> PlanMade | None:
        """The planned curve; None while torch loads or it is being worked out: ask again.

        Raises:
            PresetError: the rehearsal found what is wrong with the preset.
        """
        key = _plan_key(spec)
        made = self._made.get(key)
        if isinstance(made, PresetError):
            raise made
        if made is None and key not in [asked for asked, _ in self._asked]:
            self._asked.append((key, spec))
            self._start()
            self._came.set()
        return made[0] if made else None

    def if_flat(self, spec: RunSpec) -> PlanMade | None:
        """What would come of the curve if the loss stopped getting better at once; None where it depends on none."""
        made = self._made.get(_plan_key(spec))
        return made[1] if isinstance(made, tuple) else None

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="planning", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        self._gate.wait(GATE_S)
        from tui_trainer.engine.recipes import plan, plan_if_flat

        while self._came.wait():
            self._came.clear()
            while self._asked:
                key, spec = self._asked.pop()
                try:
                    planned = plan(spec.preset_name, spec.preset, spec.train_images, sample_above=PREVIEW_STEPS)
                    self._made[key] = planned.curve, plan_if_flat(planned)
                except PresetError as error:
                    self._made[key] = error


def _plan_key(spec: RunSpec) -> str:
    return f"{spec.batches_per_epoch} {spec.preset.model_dump_json()}"


def _crashed(reason: str, *, exit_code: int, step: int = 0, epoch: int = 0) -> RunEnded:
    return RunEnded(at=time.time(), status="crashed", reason=reason, step=step, epoch=epoch, exit_code=exit_code)
