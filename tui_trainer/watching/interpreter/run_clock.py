"""The clock of a watched run: seconds since its first batch, without those that it was held."""

from __future__ import annotations

from math import isfinite

from tui_trainer.events import MOST_SECONDS


class RunClock:
    """Turns the moments of one process (`time.perf_counter()`) into seconds of the run. It never falls."""

    def __init__(self) -> None:
        """It stands until `begin`."""
        self._zero: float | None = None
        self.seconds = 0.0
        """As of the last moment that it was asked of."""

    def begin(self, moment: float) -> None:
        """The first batch begins; later calls change nothing."""
        if self._zero is None and isfinite(moment):
            self._zero = moment

    def held(self, begin: float, end: float) -> None:
        """The process stood still between two moments: a pause, or slow motion."""
        if self._zero is not None and isfinite(end) and end > begin >= self._zero:
            self._zero += end - begin

    def at(self, moment: float) -> float:
        """Seconds of the run at a moment, to a tenth of a millisecond; those of the one before where it is none."""
        if self._zero is not None:
            shown = moment - self._zero
            if self.seconds < shown <= MOST_SECONDS:
                self.seconds = round(shown, 4)
        return self.seconds
