"""Where the curve of a scheduler turns: drops, peaks, bottoms, restarts. Known from its arguments, without torch.

Places are counted in the scheduler's own steps: at place k it has stepped k times, and the LR that holds then is used
until it steps again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from tui_trainer.presets.schedulers import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    SchedulerTable,
    StepLR,
)

TurningPoints: TypeAlias = Sequence[int]
"""In rising order; a `range` where they may be many, which tells in no time whether it holds a place."""


def turns(config: SchedulerTable, length: int) -> list[TurningPoints]:
    """The places of 1 to `length` - 1 at which the curve turns, by kind; `length` is the scheduler's steps in the run.

    CyclicLR gives its tops, then its bottoms; OneCycleLR its phases' ends one by one.
    """
    match config:
        case StepLR():
            return [range(config.step_size, length, config.step_size)]
        case MultiStepLR():
            return [tuple(place for place in sorted(set(config.milestones)) if place < length)]
        case ConstantLR() | LinearLR() | PolynomialLR():
            return [_within(config.total_iters or length, length)]
        case CosineAnnealingLR():
            period = config.T_max or length
            return [range(period, length, period)]
        case CosineAnnealingWarmRestarts():
            return [restarts(config, length)]
        case CyclicLR():
            period = config.step_size_up + (config.step_size_down or config.step_size_up)
            return [range(config.step_size_up, length, period), range(period, length, period)]
        case OneCycleLR():
            return [_within(end, length) for end in phase_ends(config, length)]
        case _:
            return []


def restarts(config: CosineAnnealingWarmRestarts, length: int) -> TurningPoints:
    """Where CosineAnnealingWarmRestarts jumps back up."""
    if config.T_mult == 1:
        return range(config.T_0, length, config.T_0)
    places, place, cycle = [], config.T_0, config.T_0
    while place < length:
        places.append(place)
        cycle *= config.T_mult
        place += cycle
    return tuple(places)


def phase_ends(config: OneCycleLR, length: int) -> list[int]:
    """The places at which OneCycleLR stands at its peak, at the end of the way down (three_phase) and at its bottom."""
    exact = one_cycle_phases(config, length)
    last = length - 1
    peak = _peak(config, exact)
    if len(exact) == 2:
        return [peak, last]
    return [peak, min(math.ceil(exact[1]), last), last]


def one_cycle_phases(config: OneCycleLR, length: int) -> list[float]:
    """The ends of OneCycleLR's phases as torch reckons them: they may fall between two steps."""
    first = float(config.pct_start * length) - 1
    if config.three_phase:
        return [first, float(2 * config.pct_start * length) - 2, float(length - 1)]
    return [first, float(length - 1)]


def _peak(config: OneCycleLR, phases: list[float]) -> int:
    """Of the two steps about a peak that falls between them, the one with the higher LR."""
    peak, after = phases[:2]
    if peak <= 0 or peak == int(peak) or after <= peak:
        return max(0, int(peak))
    below, above = math.floor(peak), math.ceil(peak)
    start = 1 / config.div_factor
    end = start if config.three_phase else start / config.final_div_factor
    missed_below = (1 - start) * _annealed(config, (peak - below) / peak)
    missed_above = (1 - end) * _annealed(config, (above - peak) / (after - peak))
    return below if missed_below <= missed_above else above


def _annealed(config: OneCycleLR, part: float) -> float:
    """How much of the way between two LRs is gone after a part of a phase."""
    return part if config.anneal_strategy == "linear" else (1 - math.cos(math.pi * part)) / 2


def _within(place: int, length: int) -> TurningPoints:
    return (place,) if 0 < place < length else ()
