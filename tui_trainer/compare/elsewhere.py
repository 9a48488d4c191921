"""What other machines do for a session: who trains which trial there, and what waits in the queue of a cluster.

A look may wait for a file server or for `squeue`: it is made in a thread of its own, and what was seen last stands.
"""

from __future__ import annotations

import threading
import time

from tui_trainer import threads
from tui_trainer.compare.claims import Holder
from tui_trainer.compare.session import Session

LOOK_EVERY_S = 2.0


class Elsewhere:
    """The last look at it. `look` waits for one; `look_soon` has one made."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.holders: dict[int, Holder] = {}
        """Of the trials that somebody trains, who does."""
        self._next_look = 0.0
        self._looking = threading.Lock()

    @property
    def trains(self) -> bool:
        """Whether anything of the session trains, or waits to be trained."""
        return bool(self.holders)

    def look(self) -> None:
        """Look now, and wait for it."""
        found = {}
        for claim in self._session.claims.alive():
            holder = claim.holder
            found[claim.trial] = holder if holder is not None else Holder(host="?", pid=0, machine="")
        self.holders = found

    def look_soon(self) -> None:
        """Have a look made, if the last one is old and none is under way."""
        if time.monotonic() < self._next_look or not self._looking.acquire(blocking=False):
            return
        self._next_look = time.monotonic() + LOOK_EVERY_S
        threads.begin("looking elsewhere", self._look_and_rest, lambda _: None)

    def _look_and_rest(self) -> None:
        try:
            self.look()
        finally:
            self._next_look = time.monotonic() + LOOK_EVERY_S
            self._looking.release()
