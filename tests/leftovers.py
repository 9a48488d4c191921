"""What a test leaves behind: processes that outlived it, which are ended, and handlers of signals, which are undone."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import psutil

from tests import preloaded

SESSION = "TUI_TRAINER_TEST_SESSION"
"""In the environment of all that a session of tests starts: one that left its terminal and its parent has it too."""

GRACE_S = 20.0
"""A process that is about to end may take so long, on a busy machine."""


class Started:
    """Whether this process started others since it was asked last: most tests start none, and need not be looked at.

    No hook of audits: it would be called by each `id()`, and take a twentieth of what tests of the screen take.
    """

    def __init__(self) -> None:
        self._any = False
        os.environ[SESSION] = str(os.getpid())
        os.register_at_fork(before=self._start)
        preloaded.before_start.append(self._start)
        begin = subprocess.Popen.__init__

        def begun(process: subprocess.Popen[Any], *arguments: Any, **options: Any) -> None:
            self._start()
            begin(process, *arguments, **options)

        subprocess.Popen.__init__ = begun  # type: ignore[assignment]

    def taken(self) -> bool:
        """Whether any was started."""
        started, self._any = self._any, False
        return started

    def _start(self) -> None:
        self._any = True


_HANDLED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
"""What commands that a test calls in this process handle for as long as it lives."""


@contextlib.contextmanager
def same_signals() -> Iterator[None]:
    """Have signals handled afterwards as they are now: a child that a later test forks would not end by them."""
    before = [(number, signal.getsignal(number)) for number in _HANDLED]
    try:
        yield
    finally:
        for number, handler in before:
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)


def end(test: str | None = None) -> list[str]:
    """End what `test` left, or without one all that this session did; the commands of those that did not by themselves.

    What a fixture started for several tests belongs to the session.
    """
    processes = list(_left(test))
    _, alive = psutil.wait_procs(processes, timeout=GRACE_S if test else 0)
    commands = []
    for process in alive:
        try:
            commands.append(" ".join(process.cmdline()))
            process.kill()
        except psutil.Error:
            continue
    psutil.wait_procs(alive, timeout=GRACE_S)
    return commands


def _left(test: str | None) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            environment = process.environ()
        except (psutil.Error, OSError):
            continue
        if environment.get(SESSION) != os.environ[SESSION]:
            continue
        if test is None or environment.get("PYTEST_CURRENT_TEST") == f"{test} (call)":
            yield process
