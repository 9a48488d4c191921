"""What Python's `warnings` say while a run goes on, for its log: a screen on it shows that, wherever it is."""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

KEPT = 100
"""Warnings that wait for a log, the newest ones: torch is imported before there is one."""


class Warned:
    """Within it, warnings go to a run's log too, unless what this process prints goes there anyway.

    Args:
        folder: that of the run's record, as soon as there is one.
        open_log: opens its log for appending; None where that cannot be done.
    """

    def __init__(self, folder: Callable[[], Path | None], open_log: Callable[[], IO[bytes] | None]) -> None:
        self._folder, self._open_log = folder, open_log
        self._waiting: deque[str] = deque(maxlen=KEPT)

    def __enter__(self) -> Warned:
        self._before, self._ours = warnings.showwarning, self._show
        warnings.showwarning = self._ours  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        if warnings.showwarning is self._ours:
            warnings.showwarning = self._before

    def write(self) -> None:
        """Write those that wait, if there is a log by now."""
        folder = self._folder()
        if folder is None or not self._waiting:
            return
        text = "".join(self._waiting)
        self._waiting.clear()
        if not _is_printed_to(folder / "log.txt") and (log := self._open_log()) is not None:
            with suppress(OSError), log:
                log.write(text.encode("utf-8", "replace"))

    def _show(self, message: Warning | str, category: type[Warning], filename: str, lineno: int, *more: Any) -> None:
        self._before(message, category, filename, lineno, *more)
        self._waiting.append(warnings.formatwarning(message, category, filename, lineno))
        self.write()


def _is_printed_to(file: Path) -> bool:
    """Whether the standard error leads there."""
    try:
        return os.path.samestat(os.fstat(2), file.stat())
    except OSError:
        return False
