"""A run in a thread of this process.

Nothing here imports torch, or reads a preset, before a run was started and the first frame is up, and then in that
thread.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tui_trainer import threads
from tui_trainer.allowed_code import listed
from tui_trainer.commands import AnyCommand, Stop
from tui_trainer.engine.clock import Awake
from tui_trainer.engine.control import CommandQueue
from tui_trainer.errors import UserError
from tui_trainer.events import SCHEMA, Alert, AnyEvent, CheckpointSaved, RunEnded, RunStarted, StepsTaken
from tui_trainer.records.errors import CannotGoOn, RunIsWatched, RunsError
from tui_trainer.records.history import History
from tui_trainer.records.log_size import BoundedLog
from tui_trainer.records.record import Record, copy_checkpoints, facts_to_go_on
from tui_trainer.records.run_metadata import program_of, read_facts
from tui_trainer.run_options import PRECISIONS
from tui_trainer.run_request import Extension, RunRequest
from tui_trainer.run_sources.kernel_log import memory_kills
from tui_trainer.run_sources.monitoring import AlertMonitor, WarningCapture
from tui_trainer.run_sources.notifier import Told
from tui_trainer.run_sources.run_source import GATE_S, Capabilities, crashed
from tui_trainer.text import captions
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.torchrun import tells_of_loss, this_rank

if TYPE_CHECKING:
    from pydantic import ValidationError

    from tui_trainer.engine.user_code import UserCode
    from tui_trainer.run_spec import RunSpec


def asked_of(folder: Path, *, new_record: bool = False) -> RunSpec:
    """What was asked of the run in `folder`, for going on with it, perhaps in a new record.

    Raises:
        CannotGoOn: its record does not say, or asks for what this version does not know, or has another form.
    """
    from pydantic import ValidationError

    from tui_trainer.run_spec import RunSpec

    if program_of(folder) is not None:
        raise RunIsWatched(folder)
    facts = read_facts(folder) if new_record else facts_to_go_on(folder)
    asked, resolved = facts.get("asked"), facts.get("resolved")
    resolved = resolved if isinstance(resolved, dict) else {}
    try:
        spec = RunSpec.model_validate(asked)
    except ValidationError as error:
        versions = resolved.get("versions")
        written_by = versions.get("tui-trainer") if isinstance(versions, dict) else None
        unknown = _unknown(error) if isinstance(asked, dict) else []
        raise CannotGoOn(folder, unknown, written_by if isinstance(written_by, str) else "") from None
    # On a CPU the threads it had make it go on bit for bit, where as many processes train as did, with what it computed
    # in; on CUDA it goes on so where it was asked to be deterministic, else within the rounding of its sums.
    threads = resolved.get("threads") if resolved.get("ranks", 1) == this_rank().ranks else None
    precision = resolved.get("precision")
    chosen = precision if precision in PRECISIONS else None
    return spec.model_copy(update={"threads": spec.threads or threads, "precision": spec.precision or chosen})


UNKNOWN_SHOWN = 4
"""Of what a record asks for and this version does not know, so many are named."""


def _unknown(error: ValidationError) -> list[str]:
    """What a record asks for that is no value, or no key, of this version: `dataset svhn`."""
    said = []
    for fault in error.errors(include_url=False, include_context=True)[:UNKNOWN_SHOWN]:
        key = ".".join(map(str, fault["loc"]))
        match fault["type"]:
            case "missing":
                return []  # what was asked is not all there
            case "union_tag_invalid":
                said.append(f"{key} {fault['ctx']['tag']}"[:80])
            case "extra_forbidden":
                said.append(key[:80])
            case _:
                said.append(f"{key} {fault['input']}"[:80])
    return said


class LocalRun:
    """A run in a thread of this process, with its record.

    The record is begun when all that was asked for is known to be there, so that bad input leaves nothing behind;
    what happened until then is written first. Where `torchrun` started several processes, each has a share of the run,
    and the first one the record.
    """

    def __init__(
        self,
        request: RunRequest,
        runs_folder: Path,
        command: Sequence[str],
        *,
        goes_on: Path | None = None,
        new_record: bool = False,
        extension: Extension | None = None,
        gate: threading.Event | None = None,
        on_record: Callable[[Record], None] | None = None,
        notify: Sequence[Told] = (),
        lost: Callable[[], bool] | None = None,
    ) -> None:
        """A run that waits for `start`.

        Args:
            request: what is asked of it.
            runs_folder: where its record is made.
            command: the command line, for the record.
            goes_on: the folder of a run that ended early, to go on with from its checkpoint.
            new_record: it goes on in a record of its own, the one that it has being of no use.
            extension: it goes on for another number of epochs.
            gate: nothing heavy is imported before it opens; it is not waited for long.
            on_record: told of the record as it begins, in the training thread.
            notify: commands to run, or addresses to post to, where there is something to tell.
            lost: whether another process trains it now; asked before each write, and once it does, nothing more is
                written here and this run ends. It may raise an `OSError`, as writing does.
        """
        self.request = request
        self.goes_on = None if new_record else goes_on
        """The folder of the record that it goes on with."""
        self._checkpoint_of = goes_on
        self._extension = extension
        self.control = CommandQueue()
        self.record: Record | None = None
        """Its record, once there is one."""
        self.failure = ""
        """The traceback of an error that nobody foresaw."""
        self._runs_folder = runs_folder
        self._command = command
        self._gate = gate
        self._on_record = on_record
        self._asks = lost
        self._lost = self._has_lost_it if lost is not None else None
        self._is_lost = False
        self._listeners: list[Callable[[AnyEvent], None]] = []
        self._unrecorded: list[AnyEvent] = []
        self._ended: RunEnded | None = None
        self._step = self._epoch = 0
        self._code: UserCode | None = None
        self._saved_step: int | None = None
        self._place = this_rank()
        self._emitting = threading.RLock()
        """Held while an event is told and recorded: the loop emits, and now and then who watches it."""
        notify = notify if self._place.leads else ()
        self._awake = Awake()
        self._watching = AlertMonitor(
            self._emit,
            self._emitting,
            notify,
            self._about,
            self._open_log,
            self._awake,
            folder=lambda: self.folder,
            log=BoundedLog(),
        )
        self._warned = WarningCapture(lambda: self.folder, self._open_log)
        self._thread: threading.Thread | None = None

    @property
    def folder(self) -> Path | None:
        """The folder of its record, once there is one."""
        return self.record.folder if self.record is not None else None

    @property
    def is_training(self) -> bool:
        """Whether its thread runs; its end may have been told already."""
        return self._thread is not None and self._thread.is_alive()

    def listen(self, listener: Callable[[AnyEvent], None]) -> None:
        """Have every event from now on handed to `listener`, in the training thread: it must be quick."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to train."""
        self._thread = threads.begin("training", self._run, self._died)

    def wait(self, seconds: float | None = None) -> RunEnded | None:
        """Wait for the end, at most so long; None if it has not come."""
        if self._thread is None:
            return None
        self._thread.join(seconds)
        return None if self._thread.is_alive() else self._ended

    def _run(self) -> None:
        with self._warned:
            self._end(self._train())
        _let_go()

    def _train(self) -> RunEnded:
        """The whole run, but for its goodbye."""
        if self._gate is not None:
            self._gate.wait(GATE_S)
            if self._checkpoint_of is None and (stop := self.control.stop_waits) is not None:
                # Nothing need be loaded, or recorded, for a run that was stopped before the first frame.
                at = time.time()
                return RunEnded(at=at, status="stopped", reason=stop.reason, step=0, epoch=0, exit_code=stop.exit_code)
        try:
            captions.load()  # it may train for days
            self._warn()
            from tui_trainer.engine.prepare import prepare

            folder = self._checkpoint_of and self._checkpoint_of / "checkpoints"
            prepared = prepare(self.request.spec, self._emit, folder, self._extension)
            self._code = prepared.code
            if prepared.checkpoint is not None:
                self._step, self._epoch = prepared.checkpoint["step"], prepared.checkpoint["epoch"]
            checkpoints = self._begin_record(self._step if prepared.checkpoint is not None else None)
            if prepared.checkpoint is None and self.record is not None and self.record.history.steps:
                self._emit(Alert(at=time.time(), kind="checkpoint", text=say("notice.trains_again")))
            from tui_trainer.engine.train import train

            return train(prepared, self._emit, self.control, checkpoints, self._awake, self._lost)
        except (UserError, RunsError) as error:
            if isinstance(error, UserError) and error.lines:
                self.failure = f"{error}\n{error.lines}"
            return crashed(str(error), exit_code=2, step=self._step, epoch=self._epoch)
        except BaseException as error:  # the last line of defence: a run always says how it ended
            return self._failed(error)

    def _warn(self) -> None:
        """Read the preset, and tell what its numbers will lead to; once, as the run begins."""
        problems = self.request.warnings()
        self._watching.watch_for(self.request.spec.rules)
        if self.goes_on is not None:
            return
        if taken := self.request.spec.taken:
            self._emit(Alert(at=time.time(), kind="options", text=say("notice.from_preset", taken=taken)))
        if code := self.request.spec.code:
            told = {"code": listed(code), "folder": plain(code[0].folder)}
            self._emit(Alert(at=time.time(), kind="options", text=say("code.runs", **told)))
        for problem in problems:  # last: where there is one line for all of it, a warning is what stands there
            self._emit(Alert(at=time.time(), kind="preset", text=str(problem)))

    def give_up(self) -> RunEnded:
        """End the run though the training thread does not: it hangs in a call to a process that is lost."""
        ended = crashed(self._rank_lost(), exit_code=1, step=self._step, epoch=self._epoch)
        self._end(ended)
        return ended

    def _end(self, ended: RunEnded) -> None:
        with self._emitting:
            if self._ended is not None:
                return
            if self.record is not None:
                ended = self.record.end(ended)
            self._ended = ended
            self._emit(ended)
        try:
            self._watching.finish()
        finally:
            if self.record is not None:
                self.record.close()

    def _died(self, why: str) -> None:
        """Not even the end could be told as it should be: who waits for it must hear of it all the same."""
        if self._ended is None:
            self._ended = crashed(why, exit_code=1, step=self._step, epoch=self._epoch)
            self._tell(self._ended)

    def _failed(self, error: BaseException) -> RunEnded:
        if not self._place.alone and tells_of_loss(error):
            why = self._rank_lost()
        else:
            blamed = self._code.blame(error) if self._code is not None else ""
            why = blamed or threads.in_a_line(error)
            self.failure = self._code.lines_of(error) if self._code is not None and blamed else traceback.format_exc()
            self._log(self.failure)
        return crashed(why, exit_code=1, step=self._step, epoch=self._epoch)

    def _rank_lost(self) -> str:
        lost = say("notice.rank_lost", ranks=self._place.ranks)
        if self._saved_step is None:
            return lost
        return lost + say("notice.resumes_with_any", step=f"{self._saved_step:,}")

    def _begin_record(self, from_step: int | None) -> Path:
        """Begin or go on with the record, unless another rank writes it; the folder of checkpoints.

        `from_step` is that of the checkpoint, if there is one.
        """
        if not self._place.leads:
            return Path(os.devnull)
        if self.goes_on is not None:
            record = Record.reopen(self.goes_on, observer=self._tell, lost=self._lost)
            self._watching.go_on_from(record.history)
        else:
            asked = self.request.spec.model_dump(mode="json")
            record = Record.create(self._runs_folder, asked, self._command, observer=self._tell, lost=self._lost)
            if self._checkpoint_of is not None:
                copy_checkpoints(self._checkpoint_of, record.folder)
        if (kills := memory_kills()) is not None:
            record.describe({"memory_kills": kills})
        self.control.listen_to(record.inbox.poll)
        for event in self._unrecorded:
            record.emit(event)
        self._unrecorded.clear()
        self.record = record
        if self._on_record is not None:
            self._tell_of_record(self._on_record, record)
        self._warned.write()
        self._emit(
            RunStarted(
                at=time.time(),
                run=record.id,
                schema=SCHEMA,
                pid=os.getpid(),
                host=socket.gethostname(),
                resumed_from_step=from_step,
            )
        )
        for text in self._flaws_of(record, from_step or 0):
            self._emit(Alert(at=time.time(), kind="recording", text=text))
        return record.checkpoints

    def _has_lost_it(self) -> bool:
        if not self._is_lost and self._asks is not None and self._asks():
            self._is_lost = True
            self.control.send(Stop(by="session", reason=say("end.taken_over")))
        return self._is_lost

    def _flaws_of(self, record: Record, from_step: int) -> list[str]:
        """What is to be told of the record that it goes on with, and was not told before."""
        found = list(record.flaws)
        if self._checkpoint_of is not None and self.goes_on is None:
            found.append(say("notice.new_record", run=self._checkpoint_of.name, step=f"{from_step:,}"))
        elif from_step > record.history.steps:
            recorded = f"{record.history.steps:,}"
            found.append(say("notice.record_behind", recorded=recorded, step=f"{from_step:,}"))
        told = {notice.text for notice in record.history.notices}
        return [text for text in found if text not in told]

    def _tell_of_record(self, tell: Callable[[Record], None], record: Record) -> None:
        """Whoever wants to know where the record lies may fail over it; the run goes on."""
        try:
            tell(record)
        except OSError as error:
            why = error.strerror or error
            self._emit(Alert(at=time.time(), kind="recording", text=say("notice.no_log", why=why)))

    def _emit(self, event: AnyEvent) -> None:
        with self._emitting:
            if not isinstance(event, Alert) and (woken := self._watching.woken(at=event.at)) is not None:
                self._emit(woken)
            if isinstance(event, StepsTaken):
                self._step, self._epoch = event.step + len(event.losses) - 1, event.epoch
            elif isinstance(event, CheckpointSaved):
                self._saved_step = event.step
            # Told first: where recording stops at this event, both the journal and who listens have that after it.
            self._tell(event)
            if self.record is not None:
                if event is not self._ended:  # that is recorded, and is told as the record allows
                    self.record.emit(event)
            elif self._place.leads:
                self._unrecorded.append(event)
            self._watching.take(event)

    def _tell(self, event: AnyEvent) -> None:
        for listener in self._listeners:
            listener(event)

    def _log(self, text: str) -> None:
        if (log := self._open_log()) is not None:
            with suppress(OSError), log:
                log.write(text.encode())

    def _open_log(self) -> IO[bytes] | None:
        with suppress(OSError):
            return self.record.open_log() if self.record is not None else None
        return None

    def _about(self) -> dict[str, str]:
        """Which run this is, for the command that is run of it."""
        folder = self.folder
        return {"RUN": folder.name if folder else "", "FOLDER": str(folder) if folder else ""}


def _let_go() -> None:
    """Free what the run held: the next one, and others on the device, need the memory.

    A model and what trains it are cycles, which the collector alone frees.
    """
    gc.collect()
    if "torch" in sys.modules:
        from tui_trainer.engine.devices import let_go

        let_go()


class InProcessSource:
    """A `RunSource` of a run in this process: events come by memory, not by the journal."""

    def __init__(self, run: LocalRun) -> None:
        self.run = run
        self.history = History()
        self.capabilities = Capabilities()
        self.lags = False
        self._coming: deque[AnyEvent] = deque()
        self._open = True
        run.listen(self._take)

    @property
    def folder(self) -> Path | None:
        return self.run.folder

    def poll(self) -> int:
        count = 0
        while self._coming:
            self.history.apply(self._coming.popleft())
            count += 1
        return count

    def send(self, command: AnyCommand) -> None:
        self.run.control.send(command)

    def close(self) -> None:
        self._open = False
        self._coming.clear()

    def _take(self, event: AnyEvent) -> None:
        if self._open:
            self._coming.append(event)
