"""The record of a comparison, `RUNS/sessions/<id>/`, private to its owner; and all that were made, each in a line of a
list.

`session.json` is written once and says what is asked of each of its runs, the trials of this session. `trials.jsonl` is
appended to by all processes that train some of them: which record a trial has, what was submitted to a cluster, and,
for a rule that stops trials early, how each did at the end of its epochs. All else is read from those records. Runs lie
where all runs do, so that every other command knows them too. Beside them lie `claims/` (`claims.py`), `lock`, held by
the process that trains all of it here, and `log.txt`.

Sessions of earlier versions say in `session.json` itself which records their runs have.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec

from tui_trainer.allowed_code import Code
from tui_trainer.compare.claims import Claims
from tui_trainer.files.atomic import write_atomic
from tui_trainer.files.safe_open import make_dated_folder, make_private_folder, open_private, open_regular
from tui_trainer.records import beside_runs
from tui_trainer.records.beside_runs import beginning_with, first_meant, folders_with
from tui_trainer.records.errors import RunsError, RunsFolderUnwritable, RunUnreadable, reason
from tui_trainer.records.lock import is_live
from tui_trainer.records.run_metadata import ending
from tui_trainer.remote.address import is_address
from tui_trainer.run_spec import RunSpec
from tui_trainer.text.captions import say
from tui_trainer.text.reasons import WORSE_THAN_MEDIAN
from tui_trainer.text.secrets import blanked

SCHEMA = 2
FOLDER = "sessions"
FILE = beside_runs.SESSION
TOLD = beside_runs.TOLD_OF_SESSION

LARGEST = 64 << 20
"""Bytes of it; a run takes one or two thousand."""


class Contestant(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a comparison."""

    label: str
    """What it goes by in the comparison; the runs of one preset, a seed each, share it."""
    seed: int
    asked: dict[str, Any] | None = None
    """`RunSpec.model_dump(mode="json")` of a run that the session trains; None for one that was there before."""
    varied: dict[str, Any] = {}
    """The keys of its preset that a sweep varies, `optimizer.lr` say, and what they are in this run."""
    run: str | None = None
    """The run's record: the name of its folder beside the sessions, a path, or an address of another machine; None
    until it begins."""
    given_up: list[str] = []
    """Records that it had before: nothing in them could be gone on from, so it was begun anew."""

    @property
    def is_trained_here(self) -> bool:
        """Whether it is for the session to train it."""
        return self.asked is not None

    @property
    def address(self) -> str:
        """Where its record is, if on another machine; else empty."""
        return self.run if self.run is not None and is_address(self.run) else ""

    def spec(self) -> RunSpec:
        """What to train.

        Raises:
            ValueError: it is no run that this version can train.
        """
        return RunSpec.model_validate(self.asked)

    @property
    def code(self) -> tuple[Code, ...]:
        """The code of a person's own that it is made of; none of what this version cannot train."""
        try:
            return self.spec().code if self.is_trained_here else ()
        except ValueError:
            return ()


class SessionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All that a session's file says."""

    schema: int = SCHEMA
    id: str
    name: str | None = None
    created_at: float
    command: list[str]
    """The command line, what is secret in it blanked."""
    jobs: int = 1
    """How many runs train at once."""
    target: float | None = None
    """What is to be reached of the metric; None leaves the choice to who reads."""
    metric: str | None = None
    """By what the runs are compared, as `NAME[:min|max]`; None: by their validation accuracy."""
    drawn_with: int | None = None
    """The seed with which values of its trials were drawn; None where none were."""
    stop_worse_than: str | None = None
    """The rule by which trials are stopped early, `median`; None: none is."""
    entries: list[Contestant]


class Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """A line of `trials.jsonl`. One that stands there twice says no more than once."""


class Began(Line, frozen=True, kw_only=True, tag=True):
    """A trial has this record from now on."""

    trial: int
    run: str
    generation: int = 0
    """Of the claim under which it trains; what a holder says that has lost it counts for nothing."""


class GaveUp(Line, frozen=True, kw_only=True, tag=True):
    """The record that a trial has cannot be gone on from."""

    trial: int
    run: str


class ReachedEpoch(Line, frozen=True, kw_only=True, tag=True):
    """A trial has ended an epoch: told where a rule goes by how all trials do."""

    trial: int
    epoch: int
    value: float | None
    """Of what the session compares by; None where it is not finite."""


class Submitted(Line, frozen=True, kw_only=True, tag=True):
    """Trials were given to a cluster: each is the task of its number of this job array."""

    at: float
    job: str
    trials: list[int]


class Cancelled(Line, frozen=True, kw_only=True, tag=True):
    """Tasks of job arrays that have not begun are not to: a person has stopped the session."""

    at: float
    jobs: list[str]


AnyLine: TypeAlias = Began | GaveUp | ReachedEpoch | Submitted | Cancelled
_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder(AnyLine)


class SessionDamaged(RunsError):
    """A session's file is not there, or not whole, or of a later version."""


class _Stamp(NamedTuple):
    """Which file it is that stands there: it is put whole in the place of the one before, and never changed."""

    inode: int
    changed: int
    size: int


class Session:
    """A comparison's record, as read or made by this process. Entries are changed by the process that trains.

    Whoever trains and whoever looks on may share one: a lock is held while what is known changes, be it by a change
    of ours or by reading one of another process. A change that could not be written stands here, and is tried again.
    """

    def __init__(self, folder: Path, plan: SessionPlan, stamp: _Stamp | None = None) -> None:
        self.folder = folder
        self.runs = folder.parent.parent
        """The folder of all runs, in which its own are."""
        self.claims = Claims(folder)
        """Who trains which of its runs."""
        self.trouble = ""
        """Why the file does not say what is known here, or cannot be read any more; empty where all is well."""
        self._plan = plan
        self._lock = threading.Lock()
        self._stamp = stamp
        """Of the file that was read or written last."""
        self._generations: dict[int, int] = {}
        self.submitted: dict[str, Submitted] = {}
        """What was given to a cluster, by the job."""
        self.cancelled: set[str] = set()
        """Jobs of which nothing more is to begin."""
        self._reached: dict[int, dict[int, float | None]] = {}
        """By epoch, what each trial had that has ended it."""
        self._offset = 0
        """Bytes of `trials.jsonl` that were read, whole lines all of them."""
        self._unwritten: list[AnyLine] = []

    @classmethod
    def create(
        cls,
        runs: Path,
        entries: Sequence[Contestant],
        *,
        command: Sequence[str] = (),
        name: str | None = None,
        jobs: int = 1,
        target: float | None = None,
        metric: str | None = None,
        drawn_with: int | None = None,
        stop_worse_than: str | None = None,
    ) -> Session:
        """Begin a session.

        Raises:
            RunsFolderUnwritable: with what, where and what to do.
        """
        now = time.time()
        try:
            runs.mkdir(mode=0o700, parents=True, exist_ok=True)
            sessions = runs / FOLDER
            if not sessions.is_dir():
                make_private_folder(sessions)
            folder = make_dated_folder(sessions, name or "compare", now, "compare")
            plan = SessionPlan(
                id=folder.name,
                name=name,
                created_at=now,
                command=blanked(command),
                jobs=jobs,
                target=target,
                metric=metric,
                drawn_with=drawn_with,
                stop_worse_than=stop_worse_than,
                entries=list(entries),
            )
            session = cls(folder, plan)
            session._put()
        except OSError as cause:
            raise RunsFolderUnwritable(runs, cause) from cause
        return session

    @classmethod
    def open(cls, folder: Path) -> Session:
        """Read a session.

        Raises:
            SessionDamaged: there is nothing that this version can read.
        """
        session = cls(folder, *_read(folder / FILE))
        session._read_told()
        return session

    @property
    def id(self) -> str:
        """Its id, which is its folder's name."""
        return self.folder.name

    @property
    def plan(self) -> SessionPlan:
        """What its file says, as of the last `refresh`."""
        return self._plan

    @property
    def entries(self) -> list[Contestant]:
        """Its runs, in the order in which they train."""
        return self._plan.entries

    @property
    def is_trained(self) -> bool:
        """Whether some process trains of it now: here, or on another machine under a claim. It may wait for a disk."""
        return is_live(self.folder) or bool(self.claims.alive())

    def record_of(self, entry: Contestant) -> Path | None:
        """The folder of a run's record, once it has one; None of a record on another machine."""
        return None if entry.run is None or entry.address else self.runs / entry.run

    def begun(self, index: int, record: Path, generation: int = 0) -> None:
        """Take down the record that a run has from now on; nothing is done where it is the one that it had."""
        if self.entries[index].run != record.name:
            self._say(Began(trial=index, run=record.name, generation=generation))

    def give_up(self, index: int) -> None:
        """Take down that the record which a run has cannot be gone on from: it will have another one."""
        if (run := self.entries[index].run) is not None:
            self._say(GaveUp(trial=index, run=run))

    def reached_epoch(self, index: int, epoch: int, value: float) -> None:
        """Take down what a run has at the end of an epoch."""
        self._say(ReachedEpoch(trial=index, epoch=epoch, value=value if isfinite(value) else None))

    def values_at(self, epoch: int, *, but: int) -> list[float | None]:
        """What all others had at the end of an epoch that have ended it."""
        return [value for trial, value in list(self._reached.get(epoch, {}).items()) if trial != but]

    def value_at(self, epoch: int, index: int) -> float | None:
        """What a run had at the end of an epoch; None where it was not finite, or is not known."""
        return self._reached.get(epoch, {}).get(index)

    def was_submitted(self, job: str, trials: Sequence[int]) -> None:
        """Take down that these trials are tasks of a job array."""
        self._say(Submitted(at=time.time(), job=job, trials=list(trials)))

    def cancel(self, jobs: Sequence[str]) -> None:
        """Take down that nothing more of these jobs is to begin."""
        self._say(Cancelled(at=time.time(), jobs=list(jobs)))

    def _say(self, line: AnyLine) -> None:
        """A run trains whether this can be written or not: it raises nothing."""
        with self._lock:
            self._take_in([line])
            self._unwritten.append(line)
            self._write()

    def _take_in(self, lines: Sequence[AnyLine]) -> None:
        """Know what they say; of a trial, what the newest claim says of it."""
        entries: list[Contestant] | None = None
        for line in lines:
            if isinstance(line, Submitted):
                self.submitted[line.job] = line
            elif isinstance(line, Cancelled):
                self.cancelled.update(line.jobs)
            elif isinstance(line, ReachedEpoch):
                self._reached.setdefault(line.epoch, {})[line.trial] = line.value
            elif 0 <= line.trial < len(self._plan.entries):
                entries = list(self._plan.entries) if entries is None else entries
                entries[line.trial] = self._with(entries[line.trial], line)
        if entries is not None:
            self._plan = msgspec.structs.replace(self._plan, entries=entries)

    def _with(self, entry: Contestant, line: Began | GaveUp) -> Contestant:
        if isinstance(line, GaveUp):
            if line.run in entry.given_up:
                return entry
            run = None if entry.run == line.run else entry.run
            return msgspec.structs.replace(entry, run=run, given_up=[*entry.given_up, line.run])
        known = self._generations.get(line.trial, 0)
        if line.generation < known or line.run in entry.given_up:
            return entry
        self._generations[line.trial] = line.generation
        return msgspec.structs.replace(entry, run=line.run)

    def write_again(self) -> bool:
        """Write what could not be written before, if anything; whether the file says all that is known."""
        with self._lock:
            if self._unwritten:
                self._write()
            return not self._unwritten

    def refresh(self) -> None:
        """Read what another process has written since; `trouble` tells why that cannot be. It waits for no disk."""
        if not self._lock.acquire(blocking=False):
            return  # this process writes just now, and knows all
        try:
            self._read_again()
        finally:
            self._lock.release()

    def _read_again(self) -> None:
        try:
            if not self._is_as_known():
                self._plan, self._stamp = _read(self.folder / FILE)
                self._offset = 0
                self._generations.clear()
            self._read_told()
        except SessionDamaged as error:
            self.trouble = str(error)
        else:
            self.trouble = self.trouble if self._unwritten else ""
        if self._unwritten:
            self._take_in(self._unwritten)

    def _read_told(self) -> None:
        """Take in the lines that came since; one that is torn or not understood says nothing.

        Raises:
            SessionDamaged: they cannot be read.
        """
        try:
            fd = open_regular(self.folder / TOLD, most=LARGEST)
            with os.fdopen(fd, "rb") as opened:
                if os.fstat(fd).st_size < self._offset:
                    self._offset = 0  # somebody emptied it
                opened.seek(self._offset)
                new = opened.read()
        except FileNotFoundError:
            return
        except OSError as cause:
            raise SessionDamaged(f"{self.folder / TOLD} cannot be read: {reason(cause)}.") from cause
        whole = new[: new.rfind(b"\n") + 1]
        self._offset += len(whole)
        lines = []
        for line in filter(None, whole.split(b"\n")):
            with suppress(msgspec.MsgspecError, ValueError, RecursionError):
                lines.append(_decoder.decode(line))
        self._take_in(lines)

    def _is_as_known(self) -> bool:
        try:
            return _stamp_of((self.folder / FILE).stat()) == self._stamp
        except OSError:
            return False  # reading it tells why

    def _write(self) -> None:
        try:
            _append(self.folder / TOLD, self._unwritten)
        except OSError as error:
            self.trouble = say("queue.plan_unwritten", file=self.folder / TOLD, why=reason(error))
        else:
            self.trouble = ""
            self._unwritten.clear()

    def _put(self) -> None:
        write_atomic(self.folder / FILE, msgspec.json.format(msgspec.json.encode(self._plan), indent=2) + b"\n")
        self._stamp = _stamp_of((self.folder / FILE).stat())


def _append(file: Path, lines: Sequence[AnyLine]) -> None:
    """Append lines in one go, which leaves those of others whole on a local disk; NFS gives no such promise, so that
    they are looked for, and appended again where another machine's lines stand in their place.

    Raises:
        OSError: they cannot be written.
    """
    # What a process that was killed left torn ends with the newline in front; readers pass over empty lines.
    content = b"\n" + b"".join(_encoder.encode(line) + b"\n" for line in lines)
    for _ in range(APPENDED_AT_MOST):
        fd = open_private(file, os.O_RDWR | os.O_APPEND)
        try:
            if os.write(fd, content) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(fd)
        finally:
            os.close(fd)
        fd = open_regular(file)
        try:
            size = os.fstat(fd).st_size
            tail = os.pread(fd, len(content) + LOOKED_FOR, max(0, size - len(content) - LOOKED_FOR))
        finally:
            os.close(fd)
        if content in tail:
            return
    raise OSError(errno.EIO, os.strerror(errno.EIO))


APPENDED_AT_MOST = 5
LOOKED_FOR = 1 << 16
"""Bytes at the end of the file in which lines are looked for that were just appended, beside their own."""


def all_sessions(runs: Path) -> list[Path]:
    """The folders of sessions, the newest first; none where there is no folder of them.

    Raises:
        RunUnreadable: the folder of sessions cannot be read.
    """
    return folders_with(runs / FOLDER, FILE)


def find_session(runs: Path, given: str) -> Path | None:
    """The session that goes by an id, the unique start of one, a name or a path; None where none does.

    Raises:
        RunNotFound: several do.
        RunUnreadable: the folder of sessions cannot be read.
    """
    found = all_sessions(runs)
    return first_meant(
        given,
        [folder for folder in found if folder.name == given or str(folder) == given],
        [folder for folder in found if given and _name_of(folder) == given],
        beginning_with(given, found),
    )


def _name_of(folder: Path) -> str | None:
    try:
        return _read(folder / FILE)[0].name
    except SessionDamaged:
        return None


def _read(file: Path) -> tuple[SessionPlan, _Stamp]:
    try:
        fd = open_regular(file, most=LARGEST)
        with os.fdopen(fd, "rb") as opened:
            stamp = _stamp_of(os.fstat(fd))  # of what is read, and not of what may stand there by now
            plan = msgspec.json.decode(opened.read(), type=SessionPlan)
    except OSError as cause:
        raise SessionDamaged(f"{file} cannot be read: {reason(cause)}.") from cause
    except (msgspec.MsgspecError, ValueError, RecursionError) as cause:
        raise SessionDamaged(f"{file} is no session that can be read: {cause}.") from cause
    if plan.schema > SCHEMA:
        raise SessionDamaged(f"{file} was written by a later version of tui-trainer.")
    return msgspec.structs.replace(plan, command=blanked(plan.command)), stamp


def _stamp_of(stat: os.stat_result) -> _Stamp:
    return _Stamp(stat.st_ino, stat.st_mtime_ns, stat.st_size)


DONE = ("finished", "diverged")


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One session of the list."""

    id: str
    name: str | None
    created_at: float
    labels: list[str]
    """What is compared, in order."""
    seeds: int
    """Runs of each preset, the most of any."""
    runs: int
    done: int
    """Runs that came to an end by themselves, or that a rule has stopped."""
    live: bool
    """Whether a process trains them now."""
    folder: str


def session_summaries(runs: Path, warn: Callable[[str], object] = lambda _: None) -> list[SessionSummary]:
    """All sessions that can be read, the newest first; `warn` is told of the others, a sentence each.

    Raises:
        RunUnreadable: the folder of sessions itself cannot be read.
    """
    found = []
    for folder in all_sessions(runs):
        try:
            found.append(_summary(Session.open(folder), warn))
        except SessionDamaged as damage:
            warn(str(damage))
    return found


def _summary(session: Session, warn: Callable[[str], object]) -> SessionSummary:
    labels = [entry.label for entry in session.entries]
    records = [session.record_of(entry) for entry in session.entries]
    return SessionSummary(
        id=session.id,
        name=session.plan.name,
        created_at=session.plan.created_at,
        labels=list(dict.fromkeys(labels)),
        seeds=max(Counter(labels).values(), default=0),
        runs=len(labels),
        done=sum(record is not None and _is_done(record, warn) for record in records),
        live=session.is_trained,
        folder=str(session.folder),
    )


def _is_done(record: Path, warn: Callable[[str], object]) -> bool:
    try:
        goodbye = ending(record)
    except RunUnreadable as unreadable:
        warn(say("queue.not_counted", why=unreadable))
        return False
    return goodbye is not None and (goodbye.status in DONE or goodbye.why.code == WORSE_THAN_MEDIAN)
