"""The run's own clock, and the time in which the process could run at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

STOOD_STILL_S = 5.0
"""So long without a sign of life, and the process was not busy but stopped, or its machine asleep."""

BEAT_EVERY = 0.5
"""Seconds between two beats."""


class Awake:
    """Monotonic seconds that leave out the time in which the process was stopped, or its machine asleep.

    A thread of its own beats here every half second. Where neither it nor anybody who reads the clock was there for
    long, and the process used next to no processor time either, it stood still: nothing of that is anybody's time.
    For any number of threads.

    Args:
        clock: monotonic seconds.
        cpu: seconds of processor time that the process used.
    """

    def __init__(
        self, clock: Callable[[], float] = time.perf_counter, cpu: Callable[[], float] = time.process_time
    ) -> None:
        self._clock, self._cpu = clock, cpu
        self._holding = threading.Lock()
        """Held by whichever thread touches what follows: it is stopped in there as a whole, or not at all."""
        self._beating = False
        self._alive = 0.0
        self._cpu_at_beat = 0.0
        self._stood_still = 0.0
        self._untold = 0.0

    def __call__(self) -> float:
        """The seconds now."""
        with self._holding:
            return self._look()

    def beat(self) -> None:
        """A sign of life, of the thread that gives them."""
        with self._holding:
            self._look()
            self._beating = True
            self._cpu_at_beat = self._cpu()

    def rest(self) -> None:
        """No more beats are to be expected."""
        with self._holding:
            self._look()
            self._beating = False

    def untold(self) -> float:
        """Seconds in which the process stood still, as far as nobody asked for them before."""
        with self._holding:
            self._look()
            untold, self._untold = self._untold, 0.0
            return untold

    def _look(self) -> float:
        now = self._clock()
        gone = now - self._alive
        # Who computes for long, with the interpreter's lock in hand, lets nobody beat either.
        if self._beating and gone > STOOD_STILL_S and self._cpu() - self._cpu_at_beat < gone / 2:
            self._stood_still += gone
            self._untold += gone
        self._alive = now
        return now - self._stood_still


class TrainingClock:
    """Seconds of training: starts at the first batch, stands still while the run does."""

    def __init__(self, elapsed: float = 0.0, now: Callable[[], float] = time.perf_counter) -> None:
        """A clock that shows `elapsed`, and goes as `now` does, which is monotonic seconds."""
        self.now = now
        """What it goes by."""
        self._before = elapsed
        self._since: float | None = None

    @property
    def elapsed(self) -> float:
        """Seconds so far."""
        if self._since is None:
            return self._before
        return self._before + self.now() - self._since

    def start(self) -> None:
        """Run; nothing happens if it runs already."""
        if self._since is None:
            self._since = self.now()

    def stop(self) -> None:
        """Stand still; nothing happens if it does already."""
        self._before, self._since = self.elapsed, None
