"""Other processes, any of which may end while it is looked at."""

from __future__ import annotations

from collections.abc import Callable

import psutil


def still_runs(process: psutil.Process) -> bool:
    """Whether it has not ended; somebody may still have to take notice of its end."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def started_by(pid: int, such: Callable[[psutil.Process], bool] = still_runs) -> list[psutil.Process]:
    """What it started, and what those started, of which that holds; of what has ended by now it does not."""
    return [process for process in _all_below(pid) if _holds(such, process)]


def _all_below(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _holds(such: Callable[[psutil.Process], bool], process: psutil.Process) -> bool:
    try:
        return such(process)
    except (psutil.NoSuchProcess, FileNotFoundError):  # a zombie is no such process either
        return False
