"""The run's own clock."""

from __future__ import annotations

import time


class RunClock:
    """Seconds of training: starts at the first batch, stands still while the run does."""

    def __init__(self, elapsed: float = 0.0) -> None:
        self._before = elapsed
        self._since: float | None = None

    @property
    def elapsed(self) -> float:
        """Seconds so far."""
        if self._since is None:
            return self._before
        return self._before + time.perf_counter() - self._since

    def start(self) -> None:
        """Run; nothing happens if it runs already."""
        if self._since is None:
            self._since = time.perf_counter()

    def stop(self) -> None:
        """Stand still; nothing happens if it does already."""
        self._before, self._since = self.elapsed, None
