"""Who trains which trial of a session, where several processes on one file system take trials from it.

A claim is a file of `claims/` beside the session, `TRIAL.GENERATION`, that only one process can have made (`O_EXCL`,
which holds on NFS too). Its holder touches it every `BEAT_S`. One whose holder is silent for `SILENT_S` by the clock of
whoever keeps the files, or is known to be gone, is taken over by making the file of the next generation; before each
write of its journal and of a checkpoint a holder looks whether that is there, and then writes nothing more. One that
was let go of is as old as a file can be. No lock of a file system is relied on.
"""

from __future__ import annotations

import os
import platform
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tui_trainer import threads
from tui_trainer.files.safe_open import PRIVATE_FILE, make_private_folder, open_regular, read_regular

FOLDER = "claims"

BEAT_S = 10.0
"""Seconds between two signs of life."""

SILENT_S = 60.0
"""A holder that gave none for so long may be gone: another one takes over."""

TICK_NS = 2 * 10**9
"""Within this time of its last change a folder may change again and keep its date."""

LARGEST = 16 * 1024
"""Bytes of a claim; ours have some hundreds."""


class Holder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who has made a claim."""

    host: str
    pid: int
    machine: str
    """The kernel that runs and its numbering of processes, within which the pid means something."""
    job: str = ""
    """Of SLURM, `1234_5`; empty where it is none."""
    restarts: int = 0
    """How often SLURM had started that job again."""

    @classmethod
    def this_process(cls) -> Holder:
        """Of this process, with the job that it is of, if of any."""
        env = os.environ
        job, task = env.get("SLURM_ARRAY_JOB_ID") or env.get("SLURM_JOB_ID", ""), env.get("SLURM_ARRAY_TASK_ID")
        restarts = env.get("SLURM_RESTART_COUNT", "")
        return cls(
            host=socket.gethostname(),
            pid=os.getpid(),
            machine=_machine(),
            job=f"{job}_{task}" if job and task else job,
            restarts=int(restarts) if restarts.isdecimal() else 0,
        )

    def is_known_to_be_gone(self, me: Holder) -> bool:
        """Whether it has ended for certain, as far as `me` can tell: killed here, or started again by SLURM since."""
        if self.job and self.job == me.job:
            return self.restarts < me.restarts
        return self.machine == me.machine and self.pid != me.pid and not _is_there(self.pid)


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{platform.system()} {socket.gethostname()}"


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


@dataclass(frozen=True)
class Claim:
    """One claim, as its file's name says it."""

    folder: Path
    """Of all claims of the session."""
    trial: int
    generation: int
    took_over: bool = field(default=False, compare=False)
    """Whether the holder before has not let go of it: it is gone or silent."""

    @property
    def path(self) -> Path:
        """Its file."""
        return self.folder / f"{self.trial}.{self.generation}"

    @property
    def before(self) -> Claim | None:
        """The claim that it took the place of."""
        return Claim(self.folder, self.trial, self.generation - 1) if self.generation > 1 else None

    def is_lost(self) -> bool:
        """Whether another process has taken over. As of now: NFS looks again where a folder is opened.

        Raises:
            OSError: that cannot be told; nothing may be written until it can.
        """
        os.close(os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        try:
            self.next.path.stat()
        except FileNotFoundError:
            return False
        return True

    @property
    def next(self) -> Claim:
        """The claim that would take its place."""
        return Claim(self.folder, self.trial, self.generation + 1)

    def beat(self) -> None:
        """Give a sign of life, by the clock of who keeps the file."""
        with suppress(OSError):  # one that does not come through is as none: that is what it is there for
            os.utime(self.path)

    def let_go(self) -> None:
        """Have others take it at once."""
        with suppress(OSError):  # then after a minute
            os.utime(self.path, (0, 0))

    def note(self, run: str) -> None:
        """Take down which record the trial has, for who takes over."""
        with suppress(OSError):  # the session has it too
            fd = open_regular(self.path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
            with os.fdopen(fd, "wb", buffering=0) as file:
                file.write(msgspec.json.encode({"run": run}) + b"\n")

    @property
    def holder(self) -> Holder | None:
        """Who has made it; None where that was not written yet."""
        with suppress(OSError, msgspec.MsgspecError, ValueError, IndexError):
            return msgspec.json.decode(self._lines()[0], type=Holder)
        return None

    @property
    def run(self) -> str | None:
        """The record that its holder has begun or gone on with."""
        with suppress(OSError, msgspec.MsgspecError, ValueError):
            noted = [msgspec.json.decode(line, type=dict[str, str]).get("run") for line in self._lines()[1:]]
            return next((run for run in reversed(noted) if run and os.sep not in run), None)
        return None

    def _lines(self) -> list[bytes]:
        return [line for line in read_regular(self.path, LARGEST).split(b"\n") if line]

    def beaten_at(self) -> float:
        """When its holder gave the last sign of life, by the clock of who keeps the file; 0 of one that was let go.

        Raises:
            OSError: it cannot be looked at.
        """
        fd = open_regular(self.path)  # opening it has NFS ask anew
        try:
            return os.fstat(fd).st_mtime
        finally:
            os.close(fd)


class Claims:
    """The claims of one session, as this process takes and looks at them. From any thread.

    `me` is who takes them.
    """

    def __init__(self, session: Path, me: Holder | None = None) -> None:
        self.folder = session / FOLDER
        self._me = me or Holder.this_process()
        self._listed: tuple[int, dict[int, Claim]] = (0, {})
        self._found: dict[int, int] | None = None
        """The generations of claims that were there as the first was asked for; None before."""
        self._let_go: set[Claim] = set()
        """Claims that were seen to be let go of: they stay so."""
        self._measured: tuple[float, float] | None = None
        """When the clock of who keeps the files was looked at last (monotonic), and how far it is before ours."""
        self._held: set[Claim] = set()
        self._guard = threading.Lock()
        self._wake = threading.Event()

    def newest(self) -> dict[int, Claim]:
        """The claim that holds of each trial that has any.

        Raises:
            OSError: the folder of claims cannot be read.
        """
        return {trial: Claim(self.folder, trial, generation) for trial, generation in self._list().items()}

    def _list(self) -> dict[int, int]:
        found: dict[int, int] = {}
        try:
            names = os.listdir(self.folder)  # noqa: PTH208 - names alone, of ten thousand
        except FileNotFoundError:
            return {}
        for name in names:
            trial, _, generation = name.partition(".")
            if trial.isdecimal() and generation.isdecimal():
                found[int(trial)] = max(int(generation), found.get(int(trial), 0))
        return found

    def take(self, trial: int) -> Claim | None:
        """Claim a trial; None where another process has it. Of many, one costs no more than of few: their folder is
        listed once, and what was claimed since then is looked for by its name. The file system alone decides.

        Raises:
            OSError: no file can be made, or the folder of claims cannot be read.
        """
        last = self._newest_of(trial)
        took_over = False
        if last is not None:
            if (how := self._free(last)) is None:
                return None
            took_over = how == "gone"
        elif not self.folder.is_dir():
            with suppress(FileExistsError):
                make_private_folder(self.folder)
        claim = Claim(self.folder, trial, last.generation + 1 if last is not None else 1, took_over)
        try:
            fd = os.open(claim.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
        except FileExistsError:
            return None
        with suppress(OSError), os.fdopen(fd, "wb", buffering=0) as file:  # a full disk: it holds without a name
            file.write(msgspec.json.encode(self._me) + b"\n")
        self._hold(claim)
        return claim

    def _newest_of(self, trial: int) -> Claim | None:
        """The claim that holds of a trial, if it has any."""
        known = self._found.get(trial, 0) if self._found is not None else 0
        if self._found is None or (known and not Claim(self.folder, trial, known).path.exists()):
            self._found = self._list()  # somebody may have emptied it
            known = self._found.get(trial, 0)
        claim = Claim(self.folder, trial, known)
        while claim.next.path.exists():
            claim = claim.next
        return claim if claim.generation else None

    def _free(self, claim: Claim) -> str | None:
        """Why it may be taken: `let go` or `gone`; None where its holder lives, as far as can be told."""
        beaten = claim.beaten_at()
        if not beaten:
            return "let go"
        holder = claim.holder
        if holder is not None and holder.is_known_to_be_gone(self._me):
            return "gone"
        return "gone" if self.now() - beaten > SILENT_S else None

    def alive(self) -> list[Claim]:
        """Those under which somebody trains, as far as can be told; cheap enough to be looked at all the time."""
        try:
            changed = self.folder.stat().st_mtime_ns
            if changed != self._listed[0] or time.time_ns() - changed < TICK_NS:
                self._listed = changed, self.newest()
            return [
                claim for claim in self._listed[1].values() if claim not in self._let_go and self._seems_alive(claim)
            ]
        except OSError:
            return []

    def _seems_alive(self, claim: Claim) -> bool:
        beaten = claim.beaten_at()
        if not beaten:
            self._let_go.add(claim)
            return False
        if self._measured is None or time.monotonic() - self._measured[0] > SILENT_S:
            self._measured = time.monotonic(), self._difference()
        if time.time() + self._measured[1] - beaten > SILENT_S:
            return False
        holder = claim.holder
        return holder is None or not holder.is_known_to_be_gone(self._me)

    def _difference(self) -> float:
        try:
            return self.now() - time.time()
        except OSError:
            return 0.0  # who may not write there goes by this machine's clock

    def now(self) -> float:
        """What time it is, by the clock of who keeps the files.

        Raises:
            OSError: nothing can be written there.
        """
        probe = self.folder.parent / f".clock-{os.urandom(6).hex()}"
        fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            os.utime(probe)
            return os.fstat(fd).st_mtime
        finally:
            os.close(fd)
            probe.unlink(missing_ok=True)

    def let_go(self, claim: Claim) -> None:
        """Have others take a claim of ours; nothing is done where they have."""
        with self._guard:
            self._held.discard(claim)
            if not self._held:
                self._wake.set()
        claim.let_go()

    def _hold(self, claim: Claim) -> None:
        with self._guard:
            first = not self._held
            self._held.add(claim)
            if first:
                self._wake = threading.Event()
                wake = self._wake
                threads.begin("beating", lambda: self._beat(wake), lambda _: None)

    def _beat(self, wake: threading.Event) -> None:
        while not wake.wait(BEAT_S):
            with self._guard:
                held = [] if wake.is_set() else list(self._held)
            for claim in held:
                claim.beat()
