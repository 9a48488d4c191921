"""Training apart from the shell that began it: in a process that no terminal reaches (`--detach`), and begun again from
its checkpoint where it crashed (`--retry`)."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import click

from tui_trainer.cli import foreground
from tui_trainer.cli.options import say as say_aside
from tui_trainer.errors import UserError
from tui_trainer.run_request import Extension
from tui_trainer.text.captions import say
from tui_trainer.watching.host.messages import Lines, tell
from tui_trainer.watching.host.processes import fork

OnFolder: TypeAlias = Callable[[Path], None]
"""Told of the folder of a run's record, as soon as there is one."""

RETRY_AFTER_S, LONGEST_PAUSE_S = 2.0, 60.0
"""Before the first retry; each pause is twice as long as the one before."""

_WANTED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""What ends a process because somebody wants that."""


def begin(train: Callable[[OnFolder], int]) -> int:
    """Train in a session of its own, and print the run's id as soon as it has a record.

    Args:
        train: trains, and returns the exit code. What it prints until there is a record is printed here; after that
            it goes to the run's log.

    Returns:
        0 as the run has begun; else the exit code that it ended with.
    """
    hears, tells = os.pipe()

    def work() -> None:
        foreground.call_process("tui-train")
        own = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = _Voice(tells)

        def begun(folder: Path) -> None:
            sys.stdout, sys.stderr = own
            foreground.print_to(folder / "log.txt")
            tell(tells, f"run {folder.name}")

        code = 1
        try:
            code = train(begun)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        finally:
            tell(tells, f"ended {code}")
        os._exit(code)

    process = fork(work, [tells])
    os.close(tells)
    said = Lines(hears)
    try:
        while not said.at_end:
            for line in said.read():
                word, _, rest = line.partition(" ")
                if word == "said":
                    click.echo(rest, err=True)
                elif word == "run":
                    click.echo(rest)
                    return 0
                else:
                    return int(rest)
    except KeyboardInterrupt:
        os.kill(process, signal.SIGTERM)
        raise
    say_aside(say("shell.killed_before_record"))
    return 1


def extend(folder: Path, extension: Extension) -> None:
    """As `resume`, with a finished run, for more epochs.

    Raises:
        CannotResume: with what was said.
    """
    resume(folder, "--epochs", str(extension.epochs), f"--then={extension.then}")


def resume(folder: Path, *options: str) -> None:
    """Go on with a run that ended early as `resume --detach` does, in an interpreter of its own: for a process that has
    threads. Returns as soon as it trains.

    Raises:
        CannotResume: with what was said.
    """
    from tui_trainer.cli import environment

    command = [sys.executable, "-m", "tui_trainer", "resume", str(folder), "--detach", *options]
    began = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env=environment(), start_new_session=True, check=False
    )
    if began.returncode != 0:
        said = began.stderr.decode("utf-8", "replace").strip().splitlines()
        raise CannotResume(said[-1] if said else f"resume ended with exit code {began.returncode}")


class CannotResume(UserError):
    """A run cannot be gone on with."""


class _Voice(io.TextIOBase):
    """What is printed, a line at a time, for whoever waits at the other end of a pipe."""

    def __init__(self, pipe: int) -> None:
        self._pipe, self._rest = pipe, ""

    def write(self, text: str) -> int:
        *whole, self._rest = (self._rest + text).split("\n")
        for line in whole:
            tell(self._pipe, f"said {line}")
        return len(text)


def retried(times: int, train: Callable[[Path | None, OnFolder], int], told: OnFolder) -> int:
    """Train in a process that this one waits for; where it crashes, go on from its checkpoint in another.

    Args:
        times: at most so many times.
        train: trains, where a folder is given by going on with the run in it, and returns the exit code.
        told: as `train` takes it.

    Returns:
        The exit code of the last one; 128+N where signal N killed it.
    """
    folder: Path | None = None
    for left in range(times, -1, -1):
        code, folder = _in_child(folder, train, told)
        if folder is None or left == 0 or not _is_crash(code, folder):
            break
        after = min(RETRY_AFTER_S * 2 ** (times - left), LONGEST_PAUSE_S)
        why = say("shell.killed", signal=signal.Signals(-code).name) if code < 0 else _reason(folder)
        number = say("shell.retry_number", number=times - left + 1, times=times)
        _say(folder, say("shell.retry", run=folder.name, why=why, number=number, seconds=f"{after:g}"))
        if (number_of := foreground.told_within(after)) is not None:
            return 128 + number_of
    return code if code >= 0 else 128 - code


def _in_child(
    folder: Path | None, train: Callable[[Path | None, OnFolder], int], told: OnFolder
) -> tuple[int, Path | None]:
    """Train in a child: its exit code, negative where a signal killed it, and the folder of the record."""
    hears, tells = os.pipe()

    def begun(folder: Path) -> None:
        tell(tells, str(folder))
        told(folder)

    code = foreground.wait_for(lambda: train(folder, begun))
    os.close(tells)
    os.set_blocking(hears, False)
    named = Lines(hears).read()
    os.close(hears)
    return code, Path(named[0]) if named else folder


def _is_crash(code: int, folder: Path) -> bool:
    from tui_trainer.records.summary import summarize

    return code not in [0, *(-number for number in _WANTED)] and code < 128 and summarize(folder).status == "crashed"


def _reason(folder: Path) -> str:
    from tui_trainer.records.summary import summarize

    return summarize(folder).reason or ""


def _say(folder: Path, text: str) -> None:
    """Where a person looks: to the standard error, and to the run's log."""
    from tui_trainer.files.safe_open import open_private

    say_aside(text)
    try:
        with os.fdopen(open_private(folder / "log.txt", os.O_WRONLY | os.O_APPEND), "ab") as log:
            log.write(f"{text}\n".encode())
    except OSError:
        return  # said already
