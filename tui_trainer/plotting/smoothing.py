"""A series, smoothed as it grows."""

from __future__ import annotations

from array import array
from math import isfinite, nan

WINDOWS = (1, 5, 10, 20, 50, 100, 200, 500, 1000)
"""What a person may choose between, in values; 1 smooths nothing."""


class Smoothing:
    """The exponential moving average of a growing series, debiased: its first value is the series' own.

    `window` is how many values the average reaches back, roughly: each new one weighs `1 / window`. A value that is
    not finite leaves the average as it is and stands as nan.
    """

    def __init__(self, values: array[float], window: int = 20) -> None:
        self._source = values
        self._window = window
        self.values = array("f")
        """Smoothed, as far as `catch_up` came."""
        self._restart()

    @property
    def window(self) -> int:
        return self._window

    @window.setter
    def window(self, window: int) -> None:
        if window < 1:
            raise ValueError(f"a window holds at least one value, not {window}")
        if window != self._window:
            self._window = window
            self._restart()

    def _restart(self) -> None:
        del self.values[:]
        self._sum = 0.0
        self._missing = 1.0

    def catch_up(self, at_most: int | None = None) -> bool:
        """Read what was appended since the last call, or so many values of it; whether that is all."""
        done = len(self.values)
        keep = 1 - 1 / self._window
        weight = 1 / self._window
        total, missing = self._sum, self._missing
        smoothed: list[float] = []
        append = smoothed.append
        for value in self._source[done : None if at_most is None else done + at_most]:
            if isfinite(value):
                total = total * keep + value * weight
                missing *= keep
                append(total / (1 - missing))
            else:
                append(nan)
        self._sum, self._missing = total, missing
        self.values.extend(smoothed)
        return len(self.values) == len(self._source)
