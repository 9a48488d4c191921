"""What the run takes of its machine, and what others do: asked once a second, beside the screen."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_trainer import threads
from tui_trainer.records.history import History
from tui_trainer.text.plain import plain

if TYPE_CHECKING:
    import threading

    from tui_trainer.events import RunConfigured, RunStarted
    from tui_trainer.ui.machine.sampling import Sample, Sampler

ASK_EVERY = 1.0
"""Seconds from one sample to the next; nothing is asked while nobody looks."""

ASK_AGAIN = 60.0
"""The same after a sample that could not be taken at all."""

FAILED = "the machine cannot be measured"


class Machine:
    """Has the machine of the run on show sampled, in a thread that lives for one sample: some 0.1 ms of CPU time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.sample: Sample | None = None
        """The latest; None while there is none of the run on show."""
        self.trouble = ""
        """Why there cannot be one, in a sentence."""
        self._clock = clock
        self._sampler: Sampler | None = None
        """Of the thread that asks; there is one at a time."""
        self._answers: deque[tuple[RunStarted, Sample | None, str, float]] = deque(maxlen=1)
        """Of which run, a sample or why there is none, and when to ask again: as the thread hands it over."""
        self._of: RunStarted | None = None
        """Whose sample it is."""
        self._unseen = ""
        self._pause = ASK_EVERY
        self._ask_at = 0.0
        self._thread: threading.Thread | None = None

    def look(self, history: History) -> None:
        """Ask anew, if it is time: what comes of it stands in `sample` soon."""
        started = history.started
        self.trouble = _out_of_reach(history)
        if self.trouble or started is None:
            self.sample = None
            return
        if started is not self._of:
            self._of, self.sample, self._unseen, self._pause, self._ask_at = started, None, "", ASK_EVERY, 0.0
        while self._answers:
            of, sample, unseen, pause = self._answers.popleft()
            if of is started:
                self.sample, self._unseen, self._pause = sample, unseen, pause
        self.trouble = self._unseen
        if self._clock() < self._ask_at or (self._thread is not None and self._thread.is_alive()):
            return
        self._ask_at = self._clock() + self._pause
        resolved = history.resolved
        self._thread = threads.begin(
            "machine", lambda: self._ask(started, resolved), lambda why: self._fail(started, why)
        )

    def _ask(self, started: RunStarted, resolved: RunConfigured | None) -> None:
        if self._sampler is None:
            from tui_trainer.ui.machine.sampling import Sampler

            self._sampler = Sampler()
        sample = self._sampler.take(started, resolved)
        trouble = "" if sample is not None else "the run's process cannot be seen from here"
        self._answers.append((started, sample, trouble, ASK_EVERY))

    def _fail(self, started: RunStarted, why: str) -> None:
        self._answers.append((started, None, f"{FAILED}: {plain(why)}", ASK_AGAIN))


def _out_of_reach(history: History) -> str:
    if history.ended is not None:
        return "the run is over: there is nothing to measure"
    if history.started is not None and history.started.host != socket.gethostname():
        return f"the run is on {plain(history.started.host)}, which cannot be measured from here"
    return ""
