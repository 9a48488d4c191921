"""Events on their way from the thread that trains to the one that prints, which may have to wait for who reads it."""

from __future__ import annotations

import queue

from tui_trainer.events import CallsMade, CallsTimed, Event, StepsTaken

MOST_WAITING = 1000
"""Events that wait to be told before those that come again and again are passed over."""

_PASSED_OVER = StepsTaken | CallsTimed | CallsMade


class Coming:
    """A queue that training never waits for, and that hardly grows while nobody reads: `run | less`, left overnight."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def put(self, event: Event) -> None:
        """Take an event; of steps and the times of calls the record tells, whatever is passed over here."""
        if self._events.qsize() < MOST_WAITING or not isinstance(event, _PASSED_OVER):
            self._events.put(event)

    def get(self, timeout: float | None) -> Event:
        """The oldest, waited for.

        Raises:
            queue.Empty: none has come within `timeout` seconds.
        """
        return self._events.get(timeout=timeout)
