"""Telling of a run for as long as there is somebody to tell: a closed terminal, or a pipe's lost reader, ends none."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tui_trainer.console import Reporter, Silence
from tui_trainer.events import Event
from tui_trainer.runs.history import History


class UntilUnheard:
    """A reporter that falls silent when what it prints goes nowhere any more, and says so in the run's log."""

    def __init__(self, reporter: Reporter, folder: Callable[[], Path | None]) -> None:
        """`folder` gives the run's, once it has one."""
        self._reporter = reporter
        self._folder = folder

    def tell(self, event: Event, history: History) -> None:
        """Take notice of `event`, if that can be told."""
        try:
            self._reporter.tell(event, history)
        except OSError:
            self._fall_silent()

    def close(self) -> None:
        """The run is over: leave the terminal clean, if there is one."""
        try:
            self._reporter.close()
        except OSError:
            self._fall_silent()

    def _fall_silent(self) -> None:
        """Nothing may be written to where nobody is: not even what waits to be, as the process ends."""
        unheard, self._reporter = self._reporter, Silence()
        _lead_to(Path(os.devnull))
        with contextlib.suppress(OSError):
            unheard.close()
            sys.stdout.flush()
        folder = self._folder()
        if folder is None:
            return
        with contextlib.suppress(OSError):
            _lead_to(folder / "log.txt")
            at = time.strftime("%Y-%m-%d %H:%M:%S")
            print(f"{at} nobody reads what is printed any more; training goes on", flush=True)


def _lead_to(path: Path) -> None:
    """Have what is printed go to the end of a file: errors too, where they went the same way."""
    ways = os.fstat(1), os.fstat(2)
    alike = (ways[0].st_dev, ways[0].st_ino) == (ways[1].st_dev, ways[1].st_ino)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for descriptor in (1, 2) if alike else (1,):
        os.dup2(file, descriptor)
    os.close(file)
