"""How a process gives the shell its prompt back and trains on.

A shell waits for the process that it started. So `launch` forks at once, before anything is imported: the parent does
nothing but wait, and the child is the program. When the child leaves the terminal, it tells the parent, which ends.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

_LEFT = b"\0"


class Foreground:
    """The program's hold on its terminal."""

    def __init__(self, to_parent: int) -> None:
        self._to_parent = to_parent

    def leave(self) -> None:
        """Go to the background for good: the shell gets its prompt, this process a session of its own.

        Standard input and output lead nowhere from here on.
        """
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        os.close(nowhere)
        os.write(self._to_parent, _LEFT)
        os.close(self._to_parent)


def fill_descriptors() -> None:
    """See that descriptors 0 to 2 are there: else the first files that are opened would be what others print to."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    # Text as the others have it; what was closed is read from, and printed to, as the null device is.
    sys.stdin = sys.stdin or os.fdopen(0, "r", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def print_to(file: Path) -> None:
    """Have all that this process prints, its libraries' native code included, go to the end of a file."""
    log = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)


def take() -> Foreground:
    """Fork; only the child returns. The parent ends as the child does, or as soon as it leaves the terminal."""
    from_child, to_parent = os.pipe()
    child = os.fork()
    if child != 0:
        os.close(to_parent)
        _wait_for(child, from_child)
    os.close(from_child)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a closed terminal ends no run; who draws on it sees it go
    return Foreground(to_parent)


def _wait_for(child: int, from_child: int) -> NoReturn:
    def pass_on(number: int, _: FrameType | None) -> None:
        os.kill(child, number)

    # The keyboard's ctrl+c reaches the child by itself; a kill of this process is meant for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    if os.read(from_child, 1) == _LEFT:
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)
