"""Faults of our own end here, and never in the program that is watched."""

from __future__ import annotations

import sys

from .python_internals import NSIG, default_int_handler, getsignal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MOST_FAULTS = 3


class Guard:
    """Counts faults, tells of each, and turns the observer off after `MOST_FAULTS`."""

    def __init__(self, tell: Callable[[str, str, bool], None], turn_off: Callable[[], None]) -> None:
        """
        Args:
            tell: takes where it was, what it was, and whether that was the last one.
            turn_off: has the observer do nothing any more.
        """
        self._tell = tell
        self._turn_off = turn_off
        self._faults = 0

    def failed(self, where: str, error: Exception) -> None:
        """Our code raised. To be called in the `except` of each hook.

        Raises:
            Exception: `error` itself, where a signal handler of the program's raised it while our code ran.
        """
        try:
            is_theirs = _is_of_a_signal_handler(error)
        except Exception:
            is_theirs = False
        if is_theirs:
            raise error
        try:
            self._faults += 1
            off = self._faults >= MOST_FAULTS
            try:
                self._tell(where, _words(error), off)
            finally:
                if off:
                    self._turn_off()
        except Exception:
            self._turn_off()


def _is_of_a_signal_handler(error: BaseException) -> bool:
    """Whether a handler that the program has set for a signal is among what ran as it was raised."""
    traceback = error.__traceback__
    handlers = None
    while traceback is not None:
        if handlers is None:
            handlers = _handlers()
        if traceback.tb_frame.f_code in handlers:
            return True
        traceback = traceback.tb_next
    return False


def _handlers() -> list[object]:
    """The code of each Python function that handles a signal."""
    codes = []
    for number in range(1, NSIG):
        try:
            handler = getsignal(number)
        except (OSError, ValueError):
            continue
        if callable(handler) and handler is not default_int_handler:
            function = getattr(handler, "func", handler)  # of a `functools.partial`
            function = getattr(function, "__func__", function)
            code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
            if code is not None:
                codes.append(code)
    return codes


def _words(error: Exception) -> str:
    """The error, and the line of ours that it comes from."""
    traceback = error.__traceback__
    place = ""
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if "_tui_trainer_observer" in file:
            place = f" ({file.rpartition(chr(47))[2]}:{traceback.tb_lineno})"
        traceback = traceback.tb_next
    try:
        said = str(error)
    except Exception:
        said = "no words"
    major, minor = sys.version_info[:2]
    return f"{type(error).__name__}: {said[:500]}{place}, Python {major}.{minor}"
