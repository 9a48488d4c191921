"""In front or in the background, as a shell has its jobs; and a terminal put back as it was before the screen.

The latter also where whoever drew on it is gone, or cannot do so any more.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import termios
from typing import Any


def wait_until_in_front(fd: int) -> bool:
    """Stop, as every program does that wants the terminal in the background, until the shell brings this one to the
    front; at once where it is there. Called in the main thread.

    Returns:
        False where nobody could: the shell is gone, or the terminal is.
    """
    before = signal.getsignal(signal.SIGTTOU)
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    try:
        while True:
            try:
                # Changes nothing; the system stops all of this job here, unless it is in front.
                termios.tcsetattr(fd, termios.TCSANOW, termios.tcgetattr(fd))
                return True
            except termios.error as error:
                if error.args[0] != errno.EINTR:
                    return error.args[0] not in (errno.EIO, errno.EBADF)
    finally:
        signal.signal(signal.SIGTTOU, before or signal.SIG_DFL)


def stop_job() -> None:
    """Stop all of this job, as ctrl+z does, until the shell goes on with it; at once where nobody could.

    Called in the main thread.
    """
    before = [(number, signal.signal(number, signal.SIG_DFL)) for number in (signal.SIGTSTP, signal.SIGCONT)]
    os.kill(0, signal.SIGTSTP)
    for number, handler in before:
        signal.signal(number, handler or signal.SIG_DFL)


LEAVE_SCREEN = b"".join(
    (
        b"\x1b\\",  # ends what was begun and never finished
        b"\x1b[?2026l",  # show at once what is written
        b"\x1b[?2048l\x1b[?2004l\x1b[?1004l",  # no reports of size, of pastes, of focus
        b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l",  # none of the mouse
        b"\x1b[<u",  # keys as ever
        b"\x1b[0m\x1b[?7h",
        b"\x1b[?1049l\x1b[?25h",  # the text from before, and a cursor
    )
)
"""All that Textual turns on, turned off."""

PATIENCE_S = 2.0
"""How long a terminal that takes nothing is waited for: it may only be slow."""


def modes_of(fd: int) -> list[Any] | None:
    """How a terminal treats what is typed, for `restore`; None where there is no terminal."""
    try:
        return termios.tcgetattr(fd)
    except (termios.error, OSError):
        return None


def is_in_front(fd: int) -> bool:
    """Whether the shell has this process in front, so that it may change the terminal."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False


def restore(fd: int, modes: list[Any] | None) -> None:
    """Leave the screen, wherever the program that drew it was, and go back to `modes`. A terminal that is gone, or
    takes nothing, is left alone.
    """
    with contextlib.suppress(OSError, ValueError):
        _, free, _ = select.select([], [fd], [], PATIENCE_S)
        if free:
            os.write(fd, LEAVE_SCREEN)
    if modes is not None and is_in_front(fd):  # else the shell has its own, and we would be stopped for asking
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(fd, termios.TCSAFLUSH, modes)  # what came from the mouse is nobody's command
