"""Print what a run tells for as long as somebody reads: a closed terminal, or a pipe's lost reader, ends no run.

The thread that trains never waits for the one that prints: events lie in a queue between them.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tui_trainer.cli.console import Reporter
from tui_trainer.events import AnyEvent, CallsMade, CallsTimed, StepsTaken
from tui_trainer.files.safe_open import open_private
from tui_trainer.records.history import History

MOST_WAITING = 1000
"""Events that wait to be told before those that come again and again are passed over."""

_PASSED_OVER = StepsTaken | CallsTimed | CallsMade


class EventQueue:
    """A queue that training never waits for, and that hardly grows while nobody reads: `run | less`, left overnight."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[AnyEvent] = queue.SimpleQueue()

    def put(self, event: AnyEvent) -> None:
        """Take an event; of steps and the times of calls the record tells, whatever is passed over here."""
        if self._events.qsize() < MOST_WAITING or not isinstance(event, _PASSED_OVER):
            self._events.put(event)

    def get(self, timeout: float | None) -> AnyEvent:
        """The oldest, waited for.

        Raises:
            queue.Empty: none has come within `timeout` seconds.
        """
        return self._events.get(timeout=timeout)


class SafeOutput:
    """Prints until what it prints goes nowhere any more; from then on it is silent, and a log says since when."""

    def __init__(self, folder: Callable[[], Path | None], clear_up: Callable[[], object] = lambda: None) -> None:
        """`folder` gives that of the log, once there is one; `clear_up` ends what else would go on printing."""
        self._folder = folder
        self._clear_up = clear_up
        self._is_heard = True

    def say(self, what: Callable[[], object]) -> None:
        """Print something, if somebody reads it."""
        if not self._is_heard:
            return
        try:
            what()
        except BrokenPipeError:  # a disk that is full is told of by `output`, and may have room again
            self._is_heard = False
            self._fall_silent()

    def _fall_silent(self) -> None:
        """Nothing may be written to where nobody is: not even what waits to be, as the process ends."""
        _lead_to(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC))
        with contextlib.suppress(OSError):
            self._clear_up()
            sys.stdout.flush()
        if (folder := self._folder()) is None:
            return
        with contextlib.suppress(OSError):
            _lead_to(open_private(folder / "log.txt", os.O_WRONLY | os.O_APPEND))
            at = time.strftime("%Y-%m-%d %H:%M:%S")
            print(f"{at} nobody reads what is printed any more; training goes on", flush=True)


class SafeReporter:
    """A reporter that tells as long as somebody reads it."""

    def __init__(self, reporter: Reporter, folder: Callable[[], Path | None]) -> None:
        """`folder` gives the run's, once it has one."""
        self._reporter = reporter
        self._voice = SafeOutput(folder, reporter.close)

    def tell(self, event: AnyEvent, history: History) -> None:
        """Take notice of `event`, which `history` has applied already."""
        self._voice.say(lambda: self._reporter.tell(event, history))

    def close(self) -> None:
        """The run is over: leave the terminal clean, if there is one."""
        self._voice.say(self._reporter.close)


def _lead_to(file: int) -> None:
    """Have what is printed go to a descriptor, which is closed: errors too, where they went the same way."""
    ways = os.fstat(1), os.fstat(2)
    alike = (ways[0].st_dev, ways[0].st_ino) == (ways[1].st_dev, ways[1].st_ino)
    for descriptor in (1, 2) if alike else (1,):
        os.dup2(file, descriptor)
    os.close(file)
