"""Processes of our own around a watched command, and signals to those of the command."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

_OF_TERMINALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTSTP, signal.SIGTTOU, signal.SIGTTIN)


def fork(work: Callable[[], object], keep: Iterable[int], *, mask: Iterable[signal.Signals] = ()) -> int:
    """Do `work` in a process of its own session, which no terminal reaches, and of which nothing is printed.

    Args:
        work: what it does, from beginning to end.
        keep: the descriptors that it needs; it has no others.
        mask: the signals that it blocks.

    Returns:
        Its number.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        for number in _OF_TERMINALS:
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _keep_only(set(keep))
        work()
        code = 0
    except BaseException:  # to the run's log, if that is where it leads by now
        traceback.print_exc(file=sys.__stderr__)
    finally:
        with contextlib.suppress(Exception):
            sys.__stderr__.flush()  # type: ignore[union-attr]
        os._exit(code)


def _keep_only(keep: set[int]) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    last = 2
    for descriptor in sorted(keep):
        os.closerange(last + 1, descriptor)
        last = descriptor
    os.closerange(last + 1, os.sysconf("SC_OPEN_MAX"))


def is_alive(pid: int, began: float | None = None) -> bool:
    """Whether a process goes on: one that has ended and is not waited for yet does not, nor one of the same number that
    did not begin at `began` (Unix time)."""
    import psutil

    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and (began is None or process.create_time() == began)
    except psutil.Error:
        return False


def began(pid: int) -> float | None:
    """When a process began, as `is_alive` takes it; None of one that is gone."""
    import psutil

    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def any_with(variable: str, value: str) -> bool:
    """Whether a process of this user has begun with this in its environment, and goes on."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(variable) == value and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False


def ignores(pid: int, number: int) -> bool:
    """Whether a process ignores a signal, as what a script begins with `&` ignores SIGINT; False where the system does
    not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return False
    ignored = next((line.split()[1] for line in status.splitlines() if line.startswith("SigIgn:")), "0")
    return bool(int(ignored, 16) >> (number - 1) & 1)


def signal_command(pid: int, number: int) -> bool:
    """Send a signal as the keyboard would: to a command, and to what it started in its own process group.

    A command that has a group of its own has all of that; else only what descends from it: others are of the group.

    Returns:
        Whether anybody was there to be told.
    """
    import psutil

    try:
        group = os.getpgid(pid)
        if group == pid:
            os.killpg(group, number)
            return True
        process = psutil.Process(pid)
        told = False
        for each in [process, *process.children(recursive=True)]:
            with contextlib.suppress(OSError):
                if os.getpgid(each.pid) == group:
                    os.kill(each.pid, number)
                    told = True
        return told
    except (OSError, psutil.Error):
        return False
