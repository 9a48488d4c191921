"""The run that `attach` shows: one that has begun to load, and has no record yet, is waited for."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tui_trainer.cli.options import refuse
from tui_trainer.cli.options import say as say_aside
from tui_trainer.records.errors import RunNotFound, RunsError
from tui_trainer.records.run_index import find, newest
from tui_trainer.text.captions import say

WAIT_S = 60.0
"""A run loads PyTorch and its data before it has a record."""

LOOK_EVERY_S = 0.1

TRAIN = frozenset({"launch", "run", "resume", "watch", "rerun", "compare"})
"""Commands that make records."""


def awaited(runs: Path, run: str | None, warn: Callable[[str], None]) -> Path:
    """The run that is meant, or without a word the newest. Where there is none, and no sign of one, say so and exit, 2.

    Args:
        runs: the folder of all runs.
        run: what was given: an id, a name, the start of an id, a path.
        warn: told where the name is that of several.
    """
    deadline = None
    while True:
        try:
            return find(runs, run, warn) if run else newest(runs)
        except RunNotFound as error:
            if (deadline is not None and time.monotonic() >= deadline) or not any(map(makes_a_record, _commands())):
                refuse(str(error))
            if deadline is None:
                deadline = time.monotonic() + WAIT_S
                say_aside(say("shell.waited_for", why=str(error)))
        except RunsError as error:
            refuse(str(error))
        time.sleep(LOOK_EVERY_S)


def makes_a_record(command: Sequence[str]) -> bool:
    """Whether a command line is one of ours that trains."""
    for at, word in enumerate(command[:-1]):
        ours = Path(word).name == "tui-trainer" or (word == "tui_trainer" and command[at - 1 : at] == ["-m"])
        if ours:
            return command[at + 1] in TRAIN
    return False


def _commands() -> Iterator[list[str]]:
    """The command lines of this user's processes that began a moment ago."""
    import psutil  # few need it, and it is slow to import

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.uids().real == os.getuid() and time.time() - process.create_time() < WAIT_S:
                yield process.cmdline()
