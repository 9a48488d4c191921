"""A wrong order of calls and the right one, trained side by side in a thread of this process; nothing is recorded."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Protocol

from tui_trainer import threads
from tui_trainer.bad_input import BadInput
from tui_trainer.runs.history import History

if TYPE_CHECKING:
    from tui_trainer.engine.wrong_orders import Case
    from tui_trainer.events import Event


class Pair(Protocol):
    """Two runs that differ in the order of their calls alone. All of it belongs to the thread that polls."""

    right: History
    wrong: History

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to either."""

    @property
    def failure(self) -> str:
        """Why it could not be trained, if it could not: a sentence."""

    def poll(self) -> int:
        """Apply the events that came since the last call, without waiting; how many there were."""

    def close(self) -> None:
        """End the training and look no more."""


class LocalPair:
    """A `Pair` that trains from the moment it is made."""

    def __init__(self, case: Case) -> None:
        self.right, self.wrong = History(), History()
        self._case = case
        self._coming: deque[tuple[History, Event]] = deque()
        self._stop = threading.Event()
        self._failure = ""
        self._thread = threads.begin("breaking", self._train, self._fail)

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive() and not self._coming

    @property
    def failure(self) -> str:
        return self._failure

    def poll(self) -> int:
        count = 0
        while self._coming:
            history, event = self._coming.popleft()
            history.apply(event)
            count += 1
        return count

    def close(self) -> None:
        self._stop.set()
        self._coming.clear()

    def _train(self) -> None:
        try:
            from tui_trainer.engine.breaking import break_it

            break_it(
                self._case,
                lambda event: self._coming.append((self.right, event)),
                lambda event: self._coming.append((self.wrong, event)),
                self._stop,
            )
        except BadInput as error:
            self._fail(str(error))

    def _fail(self, why: str) -> None:
        self._failure = why
