"""SLURM as who trains the runs of a session: a job array of `sbatch`'s own, a trial a task.

Nothing but SLURM's own commands is needed, and an array is what SLURM itself lists, cancels, requeues and limits; of
submitit, which makes such arrays too, what is left once a session keeps its own record is a pickled function a task.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tui_trainer
from tui_trainer.compare.session import Session
from tui_trainer.files.atomic import write_atomic
from tui_trainer.records.errors import RunsError, reason
from tui_trainer.text.captions import say

SCRIPT = "slurm.sh"

WARNED_S = 60
"""Seconds before its time limit that a task is told of it; SLURM may tell up to a minute earlier."""

ANSWERS_WITHIN_S = 20.0
"""A controller that takes longer is not waited for."""

OURS = ("--array", "-a", "--wrap", "--parsable", "--test-only", "--wait", "-W", "--help", "-h", "--version", "-V")
"""Options of `sbatch` that a person cannot give: the trials are the array, and the answer is read."""

KEPT = ("SLURM_CONF", "SLURM_CLUSTERS")
"""Variables that say which SLURM is meant."""

WAITING = ("PD", "CF", "RQ", "RH", "S", "SE", "SO")
"""Short states of `squeue` in which a task does not train yet, or not any more."""


class SlurmRefused(RunsError):
    """SLURM is not there, or does not do what is asked of it."""


class NoAnswer(SlurmRefused):
    """A command of SLURM's has not come to an end."""


@dataclass(frozen=True)
class Task:
    """One trial in SLURM's queue."""

    job: str
    """As SLURM has it: `1234_5`."""
    waits: bool
    """Whether it is still to begin."""
    node: str
    """Where it runs; empty where it waits."""
    why: str
    """Why it waits, in SLURM's word."""


def options(given: str) -> list[str]:
    """What a person gave as `--slurm-args`, word by word.

    Raises:
        ValueError: it cannot be meant for `sbatch` here; the text says why.
    """
    words = shlex.split(given)
    for before, word in zip(["", *words], words, strict=False):
        name = word.partition("=")[0]
        if name in OURS or (name.startswith("-a") and not name.startswith("--")):
            raise ValueError(say("cluster.not_yours", option=name))
        if not word.startswith("-") and not (before.startswith("-") and "=" not in before):
            raise ValueError(say("cluster.no_option", word=word))
    return words


def cpus_of(words: Sequence[str]) -> int:
    """How many CPUs a task has, by the options given; SLURM gives one where none say."""
    for word, after in zip(words, [*words[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if name == "--cpus-per-task" or word == "-c":
            value = value if equals else after
        elif word.startswith("-c") and not word.startswith("--"):
            value = word[2:]
        else:
            continue
        return max(1, int(value)) if value.isdecimal() else 1
    return 1


def check(words: Sequence[str]) -> None:
    """See that SLURM would take a job with these options; nothing is submitted.

    Raises:
        SlurmRefused: it would not, or there is none.
    """
    _asked(["sbatch", "--test-only", *words], script="#!/bin/sh\n")


def submit(session: Session, trials: Sequence[int], words: Sequence[str], at_once: int | None = None) -> str:
    """Have SLURM train these trials, at most so many at once; the number of the job.

    Raises:
        SlurmRefused: it does not take them.
        OSError: the session's folder cannot be written to.
    """
    above = Path(tui_trainer.__file__).parents[1]
    # Who submits has allowed it; each trial may run what the session's file asks for.
    allows = ["--allow-code"] if any(session.entries[trial].code for trial in trials) else []
    work = shlex.join([sys.executable, "-m", "tui_trainer.compare.slurm_start", str(session.folder), *allows])
    path = f'PYTHONPATH={shlex.quote(str(above))}"${{PYTHONPATH:+:$PYTHONPATH}}"'
    # `exec`: signals that are for the batch shell are for who trains; until it can take them, they end nothing.
    script = f"#!/bin/sh\ntrap '' USR1 TERM\n{path}\nexport PYTHONPATH\nexec {work}\n"
    write_atomic(session.folder / SCRIPT, script.encode())
    which = ",".join(map(str, trials)) + (f"%{at_once}" if at_once is not None else "")
    command = [
        *("sbatch", "--parsable", f"--array={which}", f"--job-name=compare-{session.id}"),
        *(f"--output={_quoted(session.folder)}/slurm-%A_%a.log", "--open-mode=append", "--requeue"),
        *(f"--signal=B:USR1@{WARNED_S}", f"--chdir={session.folder}", *words, str(session.folder / SCRIPT)),
    ]
    job = _asked(command).strip().partition(";")[0]
    session.was_submitted(job, trials)
    return job


def _quoted(folder: Path) -> str:
    """As it may stand in a pattern of file names."""
    return str(folder).replace("%", "%%")


def tasks(session: Session) -> dict[int, Task]:
    """What of a session is in SLURM's queue, by the trial.

    Raises:
        SlurmRefused: there is no SLURM here, or it does not answer.
    """
    owner = session.folder.stat().st_uid
    told = _asked(["squeue", "--noheader", "--array", f"--user={owner}", "--format=%F|%K|%t|%N|%r"])
    trials = {job: frozenset(each.trials) for job, each in session.submitted.items()}
    found = {}
    for line in told.splitlines():
        job, task, state, node, why = [*map(str.strip, line.split("|", 4)), "", "", "", ""][:5]
        if task.isdecimal() and int(task) in trials.get(job, ()):
            found[int(task)] = Task(f"{job}_{task}", state in WAITING, node, why)
    return found


def cancel(jobs: Sequence[str]) -> None:
    """Take what waits out of the queue, and tell what runs to stop, as SLURM would.

    Raises:
        SlurmRefused: there is no SLURM here, or it does not answer.
    """
    _asked(["scancel", "--quiet", "--state=PENDING", *jobs])
    _asked(["scancel", "--quiet", "--batch", "--signal=TERM", "--state=RUNNING", *jobs])


def requeue(task: str) -> None:
    """Have a task begin again later, under its own number.

    Raises:
        SlurmRefused: it cannot.
    """
    _asked(["scontrol", "requeue", task])


def is_down() -> bool:
    """Whether SLURM's controller does not answer just now, as far as can be told."""
    try:
        said = _asked(["scontrol", "ping"])
    except NoAnswer:
        return True
    except SlurmRefused as refused:
        said = str(refused)
    return " is DOWN" in said and " is UP" not in said  # there may be a second controller


def log_of(session: Session, task: str) -> Path:
    """Where a task's output goes; not there before it has begun."""
    return session.folder / f"slurm-{task}.log"


def _asked(command: Sequence[str], script: str | None = None) -> str:
    if shutil.which(command[0]) is None:
        raise SlurmRefused(say("cluster.no_slurm", command=command[0]))
    # What tells of a job that this itself is in, or has squeue leave something out, is none of the command's business.
    env = {n: v for n, v in os.environ.items() if n in KEPT or not n.startswith(("SLURM_", "SQUEUE_"))}
    try:
        done = subprocess.run(
            command,
            input=script,
            stdin=None if script is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=ANSWERS_WITHIN_S,
            env=env,
        )
    except subprocess.TimeoutExpired as cause:
        raise NoAnswer(say("cluster.no_answer", command=command[0], seconds=f"{ANSWERS_WITHIN_S:g}")) from cause
    except OSError as cause:
        raise SlurmRefused(f"{command[0]}: {reason(cause)}") from cause
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split()) or f"exit code {done.returncode}"
        raise SlurmRefused(say("cluster.refused", command=command[0], said=said))
    return done.stdout
