"""The curves of a comparison for a drawing: each run's own places along an axis, thinned so that spikes stay."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, TypeAlias

from tui_trainer.plotting.pyramid import Pyramid
from tui_trainer.plotting.smoothing import WINDOWS, Smoothing
from tui_trainer.plotting.timeline import EpochTimeline, SecondTimeline, StepTimeline, Timeline, Unit

if TYPE_CHECKING:
    from tui_trainer.runs.history import History

Point: TypeAlias = tuple[float, float]


def timeline_of(history: History, unit: Unit) -> Timeline:
    """Where the steps of a run lie on an axis; runs with other batch sizes have other epochs."""
    if unit == "seconds":
        return SecondTimeline(history.elapsed)
    batches = history.batches_in_epoch or (history.recipe.batches_per_epoch if history.recipe else 0)
    if unit == "epoch" and batches:
        ends = [start - 1 for start in history.epoch_starts] or [0]
        return EpochTimeline([*ends, ends[-1] + batches], batches)
    return StepTimeline()


def window_for(history: History) -> int:
    """The smoothing window that reaches over about a sixth of an epoch."""
    batches = history.recipe.batches_per_epoch if history.recipe else 0
    return max(window for window in WINDOWS if window <= max(5, batches / 6))


def smoothed(history: History, unit: Unit, points: int) -> list[Point]:
    """The smoothed training loss in at most so many points."""
    smoothing = Smoothing(history.losses, window_for(history))
    while not smoothing.catch_up():
        pass
    place = timeline_of(history, unit).place
    every = max(1, len(smoothing.values) // points)
    steps = [*range(every - 1, len(smoothing.values), every)]
    if steps and steps[-1] != len(smoothing.values) - 1:
        steps.append(len(smoothing.values) - 1)
    return [(place(i + 1), smoothing.values[i]) for i in steps if isfinite(smoothing.values[i])]


def rates(history: History, unit: Unit, points: int) -> list[Point]:
    """The LR, level through each step, the lowest and the highest of each stretch kept."""
    pyramid = Pyramid(history.lrs)
    pyramid.catch_up()
    place = timeline_of(history, unit).place
    every = max(1, len(history.lrs) // points)
    found: list[Point] = []
    for start in range(0, len(history.lrs), every):
        stop = min(start + every, len(history.lrs))
        extent = pyramid.extent(start, stop)
        if extent is None:
            continue
        rising = history.lrs[stop - 1] >= history.lrs[start]
        first, last = extent if rising else extent[::-1]
        found += [(place(start), first), (place(stop), last)]
    return found


def epoch_ends(history: History, unit: Unit, value: Callable[[int], float]) -> list[Point]:
    """A number of each epoch (`value` takes its index) at its end."""
    place = timeline_of(history, unit).place
    found = [(place(epoch.step), value(i)) for i, epoch in enumerate(history.epochs)]
    return [(x, y) for x, y in found if isfinite(y)]
