"""How a process gives the shell its prompt back and trains on, and what `ps` and `top` call it.

A shell waits for the process that it started. So `launch` forks at once, before anything is imported: the parent does
nothing but wait, and the child is the program. When the child leaves the terminal, it tells the parent, which ends.
When the child is killed, the parent cleans up after it and says how to go on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import termios
import threading
import time
import traceback
import tty
from collections.abc import Callable, Set
from contextlib import suppress
from pathlib import Path
from typing import Any

from tui_trainer.text.output import settled
from tui_trainer.ui.terminal.job_control import is_in_front, modes_of, restore

LONGEST = 15
"""Bytes that the kernel keeps."""

_PR_SET_NAME = 15

LOOK_EVERY_S = 0.05


def call_process(name: str) -> None:
    """Name this process, where the system can; called in the main thread."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, ImportError, AttributeError):  # a libc without it
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:LONGEST], 0, 0, 0)


_END = b"\0"

_TO_PASS_ON = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
_OF_INTEREST = _TO_PASS_ON | {signal.SIGCHLD}


class Foreground:
    """The program's hold on its terminal."""

    def __init__(self, to_parent: int) -> None:
        self.to_parent = to_parent
        """The pipe to the process that the shell waits for, as long as there is one."""

    def train_in(self, folder: Path) -> None:
        """From now on this is the record, or the session, that one would go on with if this process were killed."""
        with suppress(OSError):  # nobody is left who could tell
            os.write(self.to_parent, os.fsencode(folder) + _END)

    def leave(self) -> None:
        """Go to the background for good: the shell gets its prompt, this process a session of its own.

        Standard input and output lead nowhere from here on. Called in the main thread.
        """
        os.setsid()
        call_process("tui-train")
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        os.close(nowhere)
        with suppress(OSError):
            os.write(self.to_parent, _END)
        os.close(self.to_parent)


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
    """Have all that this process prints, its libraries' native code included, go to the end of a file.

    Where none can be opened, it goes where it went: a log is no reason to end what trains.
    """
    from tui_trainer.files.safe_open import open_private  # only here: most commands begin without

    try:
        log = open_private(file, os.O_WRONLY | os.O_APPEND)
    except OSError:
        return
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)


def take(after_death: Callable[[int, Path | None], object]) -> Foreground:
    """Fork; only the child returns. The parent ends as the child does, or as soon as it leaves the terminal.

    Args:
        after_death: called in the parent where a signal killed the child, with its number and the folder that the
            child named last: to say what became of it. The terminal is as it was before by then.
    """
    modes = modes_of(0)
    shell = os.getppid()
    from_child, to_parent = os.pipe()
    begins, parent_is_ready = os.pipe()
    handler = signal.signal(signal.SIGCHLD, lambda *_: None)  # by default it would never be waited for
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_INTEREST)  # before there is a child that could end
    child = os.fork()
    if child != 0:
        os.close(to_parent)
        os.close(begins)
        _hand_over(child)
        os.close(parent_is_ready)
        told = _Told(from_child)
        status = _wait_for(child, shell, told)
        if status is None:
            os._exit(0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            _bury(-code, told, modes, after_death)
        os._exit(code if code >= 0 else 128 - code)
    os.close(from_child)
    os.close(parent_is_ready)
    os.read(begins, 1)  # at its end once the parent has handed over, or is gone
    os.close(begins)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # started by a job in the background, it was ignored
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a closed terminal ends no run; who draws on it sees it go
    signal.signal(signal.SIGCHLD, handler or signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return Foreground(to_parent)


class _Told:
    """What the child says of itself: each word ends with a zero byte; an empty one says that it left.

    Who listens ends nothing: a signal may have come that is still to be passed on, by the main thread. It is woken.
    """

    def __init__(self, from_child: int) -> None:
        self.left = False
        """Whether the child has left the terminal."""
        self._from_child = from_child
        self._last = b""
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def folder(self) -> Path | None:
        """The folder that was named last, by a child that is dead by now."""
        self._thread.join(1.0)
        return Path(os.fsdecode(self._last)) if self._last else None

    def _listen(self) -> None:
        words = b""
        while piece := os.read(self._from_child, 4096):
            *whole, words = (words + piece).split(_END)
            for word in whole:
                if not word:
                    self.left = True
                    os.kill(os.getpid(), signal.SIGCHLD)
                    return
                self._last = word


def _hand_over(child: int) -> None:
    """Pass on what the keyboard sent before there was a child, too.

    Whether it did, or sent it to both just after, cannot be told. The child blocks signals until this has returned,
    so that what reaches it twice until then is one signal.
    """
    if signal.SIGINT in signal.sigpending():
        signal.sigwait({signal.SIGINT})
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGINT)


def wait_for(work: Callable[[], int]) -> int:
    """Do something in a child that has the terminal of this process, wait for its end, and pass on signals to it.

    Signals to this process are held back from here on: `told_within` takes them.

    Args:
        work: returns the child's exit code.

    Returns:
        The child's exit code; where signal N ended it, -N.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    handler = signal.signal(signal.SIGCHLD, lambda *_: None)  # by default it would never be waited for
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_INTEREST)
    shell, child = os.getppid(), os.fork()
    if child != 0:
        status = _wait_for(child, shell, None)
        signal.signal(signal.SIGCHLD, handler or signal.SIG_DFL)
        assert status is not None
        return os.waitstatus_to_exitcode(status)
    code = 1
    try:
        signal.signal(signal.SIGCHLD, handler or signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask - _OF_INTEREST)
        code = work()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(settled(code))


def told_within(seconds: float) -> int | None:
    """The signal that this process, which holds them back, was sent to end it; None where none comes so soon."""
    until = time.monotonic() + seconds
    while not (sent := signal.sigpending() & _TO_PASS_ON):
        if time.monotonic() >= until:
            return None
        time.sleep(LOOK_EVERY_S)
    return int(min(sent))


def _wait_for(child: int, shell: int, told: _Told | None) -> int | None:
    """Wait until the child ends or leaves, and pass on to it what this process is told meanwhile.

    Returns:
        Its status, or None where it left.
    """
    while True:
        number, from_keyboard = _next_signal()
        if number != signal.SIGCHLD:
            _pass_on(number, child, from_keyboard=from_keyboard)
            continue
        changed, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
        if changed and not os.WIFSTOPPED(status):
            return status
        # The system goes on with what a shell leaves stopped, but for what was about to stop as the shell ended.
        if changed and os.WSTOPSIG(status) != signal.SIGSTOP and os.getppid() != shell:
            os.kill(child, signal.SIGCONT)
        if told is not None and told.left:
            while signal.sigpending() & _TO_PASS_ON:
                number, from_keyboard = _next_signal(_TO_PASS_ON)
                _pass_on(number, child, from_keyboard=from_keyboard)
            return None


def _pass_on(number: int, child: int, *, from_keyboard: bool) -> None:
    if number == signal.SIGINT and from_keyboard:  # that reaches the child by itself
        return
    with suppress(ProcessLookupError):
        os.kill(child, number)


def _next_signal(wanted: Set[signal.Signals] = _OF_INTEREST) -> tuple[int, bool]:
    """The next of these signals to this process, and whether it came from the keyboard: so to all that run in front."""
    if hasattr(signal, "sigwaitinfo"):
        told = signal.sigwaitinfo(wanted)
        return told.si_signo, told.si_code > 0  # that of `kill` is 0, those of other programs are negative
    number = signal.sigwait(wanted)
    modes = modes_of(0)
    return number, modes is not None and bool(modes[tty.LFLAG] & termios.ISIG)


def _bury(number: int, told: _Told, modes: list[Any] | None, after_death: Callable[[int, Path | None], object]) -> None:
    """The child was killed, and left the terminal as it stood."""
    if modes is not None and is_in_front(0) and modes_of(0) != modes:
        restore(0, modes)
    if number not in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # whoever sent these knows
        with suppress(Exception):  # the exit code is what matters most
            after_death(number, told.folder())
            sys.stderr.flush()
