"""What the run takes of its machine, and what others do: asked once a second, beside the screen."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_trainer.runs.history import History
from tui_trainer.ui.words import clean

if TYPE_CHECKING:
    from tui_trainer.events import RunResolved, RunStarted
    from tui_trainer.ui.machine.sampling import Sample, Sampler

ASK_EVERY = 1.0
"""Seconds from one sample to the next; nothing is asked while nobody looks."""


class Machine:
    """Has the machine of the run on show sampled, in a thread that lives for one sample: some 0.1 ms of CPU time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.sample: Sample | None = None
        """The latest; None while there is none of the run on show."""
        self.trouble = ""
        """Why there cannot be one, in a sentence."""
        self._clock = clock
        self._sampler: Sampler | None = None
        self._unseen = False
        self._ask_at = 0.0
        self._thread: threading.Thread | None = None

    def look(self, history: History) -> None:
        """Ask anew, if it is time: what comes of it stands in `sample` soon."""
        started = history.started
        self.trouble = _out_of_reach(history)
        if self.trouble or started is None:
            self.sample = None
            return
        if self._unseen:
            self.trouble = "the run's process cannot be seen from here"
        if self._clock() < self._ask_at or (self._thread is not None and self._thread.is_alive()):
            return
        self._ask_at = self._clock() + ASK_EVERY
        self._thread = threading.Thread(target=self._ask, args=(started, history.resolved), name="machine", daemon=True)
        self._thread.start()

    def _ask(self, started: RunStarted, resolved: RunResolved | None) -> None:
        if self._sampler is None:
            from tui_trainer.ui.machine.sampling import (
                Sampler,  # psutil, and NVML's binding: not before the first frame
            )

            self._sampler = Sampler()
        self.sample = self._sampler.take(started, resolved)
        self._unseen = self.sample is None


def _out_of_reach(history: History) -> str:
    if history.ended is not None:
        return "the run is over: there is nothing to measure"
    if history.started is not None and history.started.host != socket.gethostname():
        return f"the run is on {clean(history.started.host)}, which cannot be measured from here"
    return ""
