"""In front or in the background: what a shell does with its jobs."""

from __future__ import annotations

import errno
import os
import signal
import termios


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
