"""What Python's `warnings` say while a run goes on, for its log: a screen on it shows that, wherever it is.

`warnings.showwarning` is one for the process, and whoever replaces it for a while puts back what was there as they
came, in whatever order they leave. So one hook of ours stands there for as long as any run listens, and hands each
warning to those that listen then: one that was put back late, or twice, passes on what comes and no more.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

KEPT = 100
"""Warnings that wait for a log, the newest ones: torch is imported before there is one."""


class WarningCapture:
    """Within it, warnings go to a run's log too, unless what this process prints goes there anyway.

    It is entered by the thread that trains. A warning of that thread is this run's alone; one of a thread that trains
    nothing is told to every run that goes on.

    Args:
        folder: that of the run's record, as soon as there is one.
        open_log: opens its log for appending; None where that cannot be done.
    """

    def __init__(self, folder: Callable[[], Path | None], open_log: Callable[[], IO[bytes] | None]) -> None:
        self._folder, self._open_log = folder, open_log
        self._waiting: deque[str] = deque(maxlen=KEPT)
        self._writing = threading.Lock()
        """Held by whichever thread touches what waits."""

    def __enter__(self) -> WarningCapture:
        _listen(self)
        return self

    def __exit__(self, *_: object) -> None:
        _listen_no_more(self)

    def write(self) -> None:
        """Write those that wait, if there is a log by now."""
        folder = self._folder()
        if folder is None:
            return
        with self._writing:
            text = "".join(self._waiting)
            self._waiting.clear()
        if text and not _is_printed_to(folder / "log.txt") and (log := self._open_log()) is not None:
            with suppress(OSError), log:
                log.write(text.encode("utf-8", "replace"))

    def take(self, text: str) -> None:
        """A warning was given; in any thread."""
        with self._writing:
            self._waiting.append(text)
        self.write()


class _Hook:
    """Stands in `warnings.showwarning`, and passes all on to what stood there before it."""

    def __init__(self, before: Callable[..., None]) -> None:
        self._before = before

    def __call__(
        self, message: Warning | str, category: type[Warning], filename: str, lineno: int, *more: Any, **named: Any
    ) -> None:
        if getattr(_in, "hook", False):  # another one of ours, around this one, has told of it
            self._before(message, category, filename, lineno, *more, **named)
            return
        _in.hook = True
        try:
            self._before(message, category, filename, lineno, *more, **named)
            listeners = _listeners()
            text = warnings.formatwarning(message, category, filename, lineno) if listeners else ""
            for listener in listeners:
                listener.take(text)
        finally:
            _in.hook = False


_in = threading.local()
_listening: dict[WarningCapture, int] = {}
"""Who listens, each with the thread that it trains in."""
_changing = threading.Lock()
"""Held by whoever changes, or looks through, who listens."""


def _listen(listener: WarningCapture) -> None:
    with _changing:
        _listening[listener] = threading.get_ident()
        if not isinstance(warnings.showwarning, _Hook):
            warnings.showwarning = _Hook(warnings.showwarning)


def _listen_no_more(listener: WarningCapture) -> None:
    with _changing:
        _listening.pop(listener, None)
        if not _listening and isinstance(hook := warnings.showwarning, _Hook):
            warnings.showwarning = hook._before


def _listeners() -> list[WarningCapture]:
    """Who is to be told of a warning of this thread."""
    here = threading.get_ident()
    with _changing:
        ours = [listener for listener, thread in _listening.items() if thread == here]
        return ours or list(_listening)


def _is_printed_to(file: Path) -> bool:
    """Whether the standard error leads there."""
    try:
        return os.path.samestat(os.fstat(2), file.stat())
    except OSError:
        return False
