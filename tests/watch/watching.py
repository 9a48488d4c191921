"""What tests of watched commands have in common."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.processes import still_runs
from tests.waiting import until
from tui_trainer.events import RunEnded
from tui_trainer.records.history import History
from tui_trainer.records.lock import writer
from tui_trainer.records.run_metadata import ending
from tui_trainer.run_sources.run_source import replay

ACTING = [sys.executable, str(Path(__file__).with_name("acting.py"))]
"""A command that tells of a training, and trains nothing."""


def the_run(runs: Path) -> Path:
    """The folder of the only run, waited for."""
    until(lambda: runs.exists() and len(list(runs.iterdir())) == 1)
    (folder,) = runs.iterdir()
    return folder


def ended(folder: Path) -> RunEnded:
    """How it ended, waited for."""
    until(lambda: (folder / "events.jsonl").exists() and ending(folder) is not None)
    goodbye = ending(folder)
    assert goodbye is not None
    return goodbye


def history(folder: Path) -> History:
    """What its record tells by now."""
    return replay(folder)


def trains(folder: Path, steps: int = 1) -> int:
    """Wait until the record tells of so many steps; of how many it tells."""
    until(lambda: (folder / "events.jsonl").exists() and replay(folder).last_step >= steps)
    return replay(folder).last_step


def log_of(folder: Path) -> str:
    """What was kept of its output."""
    with contextlib.suppress(FileNotFoundError):
        return (folder / "log.txt").read_text()
    return ""


def recorder_of(folder: Path) -> psutil.Process:
    """The process that keeps its record."""
    pid = writer(folder)
    assert pid is not None
    return psutil.Process(pid)


def pid_of_command(folder: Path) -> int:
    """The process that trains."""
    program = replay(folder).program
    assert program is not None
    return program.pid


@contextlib.contextmanager
def ends(pid: int) -> Iterator[psutil.Process]:
    """A process that has ended once the block is over."""
    process = psutil.Process(pid)
    try:
        yield process
    finally:
        with contextlib.suppress(psutil.Error):
            process.kill()
        until(lambda: not still_runs(process))
