"""Powers of ten along an x axis, whatever it counts: where steps lie on it, and its ticks."""

from __future__ import annotations

from math import ceil, floor, log10

from tui_trainer.plotting.scales import Timeline, Unit, along, counted, exponential
from tui_trainer.ui.formatting import lr

LOOKED_AT = 1000
"""Steps among which the first is looked for that has a place above zero."""

BEFORE = 1e-6
"""In powers of ten, by how much such an axis begins before its first step: what ends there is in sight."""

LEAST_SPAN = 0.3
"""In powers of ten, how long it is at least."""


class LogTimeline:
    """Powers of ten of another timeline's places; what lies below `least`, which is above zero, lies there."""

    def __init__(self, inner: Timeline, least: float) -> None:
        self.unit: Unit = inner.unit
        self.inner = inner
        self.least = least

    def place(self, step: float) -> float:
        return self.along(self.inner.place(step))

    def step(self, place: float) -> float:
        return self.inner.step(10**place)

    def along(self, place: float) -> float:
        """Where a place of the other timeline lies."""
        return log10(max(self.least, place))

    def bounds(self, end: float) -> tuple[float, float]:
        """Where an axis begins and ends that ends there on the other timeline."""
        begin = log10(self.least) - BEFORE
        return begin, max(self.along(end), begin + LEAST_SPAN)


def least_of(timeline: Timeline, first: int) -> float:
    """The first place above zero, of this step or one soon after it; 1 where there is none."""
    steps = range(max(first, 0), max(first, 0) + LOOKED_AT)
    return next((place for step in steps if (place := timeline.place(step)) > 0), 1.0)


def powers(first: float, last: float, columns: int) -> list[tuple[float, str]]:
    """Powers of ten, and 2 and 5 times them where there is room, with their labels."""
    if last <= first:
        return []
    room = max(1, columns // 8)
    for digits in ((1, 2, 5), (1,)):
        places = [
            (place, value)
            for power in range(floor(first) - 1, ceil(last) + 1)
            for digit in digits
            if first <= (place := power + log10(digit)) <= last and abs(power) < 300
            for value in [digit * 10.0**power]
        ]
        if len(places) <= room:
            break
    if len(places) < 2:  # less than a decade in sight: round numbers lie close enough
        return [(log10(value), label) for value, label in along(10**first, 10**last, columns, whole=False) if value > 0]
    every = -(-len(places) // room)
    return [(place, counted(value, 5) if value >= 1 else _small(value)) for place, value in places[::every]]


def _small(value: float) -> str:
    text = lr(value)
    return text if len(text) <= 5 else exponential(value, 5)
