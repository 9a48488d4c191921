"""Where a step lies on the x axis: counted in steps, in epochs or in seconds of training."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from math import floor
from typing import Literal, Protocol, TypeAlias

Unit: TypeAlias = Literal["epoch", "step", "seconds"]

UNITS: tuple[Unit, ...] = ("epoch", "step", "seconds")

ROUNDING = 1e-9
"""A boundary that falls on a step, but for the last bits, belongs to it."""


class Timeline(Protocol):
    """A rising map from the number of steps taken, which may be a fraction, to a place on the axis."""

    unit: Unit

    def place(self, step: float) -> float:
        """Where `step` steps end."""

    def step(self, place: float) -> float:
        """How many steps lie before a place."""


class StepTimeline:
    """Every step is one wide."""

    unit: Unit = "step"

    def place(self, step: float) -> float:
        return step

    def step(self, place: float) -> float:
        return place


class EpochTimeline:
    """Every epoch is one wide, however many batches it has: 2.5 is the middle of epoch 3."""

    unit: Unit = "epoch"

    def __init__(self, ends: Sequence[int], batches: int) -> None:
        """`ends[e]` is the last step of epoch e as far as known, `ends[0]` is 0; later ones have `batches` each."""
        self._ends = ends
        self._batches = max(1, batches)

    def place(self, step: float) -> float:
        ends = self._ends
        epoch = bisect_right(ends, step) - 1
        if epoch + 1 >= len(ends):
            return len(ends) - 1 + (step - ends[-1]) / self._batches
        return epoch + (step - ends[epoch]) / (ends[epoch + 1] - ends[epoch])

    def step(self, place: float) -> float:
        ends = self._ends
        epoch = floor(place)
        if epoch + 1 >= len(ends):
            return ends[-1] + (place - len(ends) + 1) * self._batches
        return ends[epoch] + (place - epoch) * (ends[epoch + 1] - ends[epoch])


class SecondTimeline:
    """The run's clock; what is still to come goes on at the pace so far."""

    unit: Unit = "seconds"

    def __init__(self, elapsed: array[float]) -> None:
        """`elapsed[i]` is the clock at the end of step `i + 1`, never falling; it may grow."""
        self._elapsed = elapsed

    @property
    def pace(self) -> float:
        """Seconds a step."""
        return self._elapsed[-1] / len(self._elapsed) if self._elapsed and self._elapsed[-1] > 0 else 1.0

    def place(self, step: float) -> float:
        elapsed = self._elapsed
        known = len(elapsed)
        if step >= known:
            return (elapsed[-1] if known else 0.0) + (step - known) * self.pace
        before = floor(step)
        start = elapsed[before - 1] if before else 0.0
        return start + (step - before) * (elapsed[before] - start)

    def step(self, place: float) -> float:
        elapsed = self._elapsed
        known = len(elapsed)
        if not known or place >= elapsed[-1]:
            return known + (place - (elapsed[-1] if known else 0.0)) / self.pace
        before = bisect_right(elapsed, place)
        start = elapsed[before - 1] if before else 0.0
        return before + max(0.0, place - start) / (elapsed[before] - start)


def edges(timeline: Timeline, first: float, last: float, columns: int) -> list[int]:
    """How many whole steps lie before each of the `columns + 1` edges of equal columns from place `first` to `last`.

    Column i holds the steps `edges[i] + 1` to `edges[i + 1]`: in a series, the indices `[edges[i]:edges[i + 1]]`.
    """
    width = (last - first) / columns
    return [max(0, floor(timeline.step(first + i * width) + ROUNDING)) for i in range(columns)] + [
        max(0, floor(timeline.step(last) + ROUNDING))
    ]
