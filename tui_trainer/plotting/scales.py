"""From values to the height of a chart: linear and logarithmic scales whose ticks stand on rows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

STEPS = (1.0, 2.0, 2.5, 4.0, 5.0, 10.0)
"""What ticks may be apart, times a power of ten."""

FEWEST_ROWS_A_TICK = 2


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: int
    """The row or column of cells, counted from the bottom or the left."""
    label: str


@dataclass(frozen=True)
class Scale:
    """What the bottom and the top edge of a chart stand for: values, or their powers of ten where it is `log`."""

    low: float
    high: float
    ticks: tuple[Tick, ...] = ()
    log: bool = False

    def height(self, value: float) -> float:
        """Where a value lies, from 0 at the bottom edge to 1 at the top edge, or beyond.

        On a logarithmic scale nothing at or below zero has a place: -inf, for the caller to mark.
        """
        if self.log:
            if value <= 0:
                return -float("inf")
            value = log10(value)
        return (value - self.low) / (self.high - self.low)


def tick_label(value: float, step: float, width: int = 6) -> str:
    """A tick in the digits that tell it from its neighbours, `step` away."""
    if value == 0:
        return "0"
    decimals = max(0, -floor(log10(step) + 1e-9))
    if decimals and abs(step * 10**decimals - round(step * 10**decimals)) > 1e-6:
        decimals += 1
    plain = f"{value:.{decimals}f}"
    if decimals == 0 and len(plain) > width and value % 1000 == 0:
        for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
            short = f"{value / size:g}{letter}"
            if abs(value) >= size and len(short) <= width:
                return short
    return plain if len(plain) <= width else exponential(value, width)


def exponential(value: float, width: int = 6) -> str:
    """`2.5e-7`: as many places as the number needs and `width` holds."""
    for places in range(6):
        mantissa, _, exponent = f"{value:.{places}e}".partition("e")
        text = f"{mantissa}e{int(exponent)}"
        longer = f"{value:.{places + 1}e}".partition("e")[0]
        if abs(float(mantissa) - float(longer)) < 1e-9 or len(text) >= width:
            break
    return text


def linear(low: float, high: float, rows: int, width: int = 6) -> Scale:
    """A scale that holds `low` to `high` over `rows` rows, with ticks in the middle of rows and as little room
    wasted as such ticks allow. From zero upwards where the values begin near it."""
    low, high = _apart(low, high)
    if 0 < low < 0.4 * high:
        low = 0.0
    if rows < 2:
        return Scale(low, high, (Tick(0, tick_label(high, high - low, width)),) if rows else ())
    best: tuple[float, float, int, float] | None = None
    for gap in range(FEWEST_ROWS_A_TICK if rows > 3 else 1, max(2, min(rows - 1, 8)) + 1):
        for step in _steps((high - low) * gap / (rows - 0.5)):
            bottom = floor(low / step + 1e-9) * step
            lower = bottom - 0.5 * step / gap
            upper = lower + rows * step / gap
            if lower <= low and high <= upper:
                waste = (upper - lower) / (high - low) + 0.04 * abs(gap - max(2, rows // 5))
                waste += 0.5 * ("e" in tick_label(bottom + step, step, width))
                if best is None or waste < best[0]:
                    best = (waste, step, gap, bottom)
                break
    assert best is not None  # a step as wide as the values always holds them
    _, step, gap, bottom = best
    ticks = tuple(Tick(row, tick_label(bottom + row // gap * step, step, width)) for row in range(0, rows, gap))
    return Scale(bottom - 0.5 * step / gap, bottom + (rows - 0.5) * step / gap, ticks)


def logarithmic(low: float, high: float, rows: int, width: int = 6) -> Scale:
    """A scale of powers of ten that holds `low` to `high`, both above zero, with ticks at 1, 2 and 5 where there is
    room, else at powers of ten."""
    if not 0 < low <= high:
        raise ValueError(f"a logarithmic scale begins above zero: {low} to {high}")
    bottom, top = log10(low), log10(high)
    if top - bottom < 0.1:
        middle = (top + bottom) / 2
        bottom, top = middle - 0.15, middle + 0.15
    margin = (top - bottom) * 0.5 / max(1, rows)
    bottom, top = bottom - margin, top + margin
    return Scale(bottom, top, _log_ticks(bottom, top, rows, width), log=True)


def _log_ticks(bottom: float, top: float, rows: int, width: int) -> tuple[Tick, ...]:
    decades = range(floor(bottom), ceil(top) + 1)
    room = max(1, rows // 3)
    candidates: list[list[float]] = []
    for digits in ((1, 2, 3, 4, 5, 6, 8), (1, 2, 5), (1, 3)):
        if (top - bottom) * len(digits) <= room + 1:
            candidates.append([digit * 10.0**decade for decade in decades for digit in digits if decade > -300])
    for every in (1, 2, 3, 5, 10, 20, 50, 100):
        candidates.append([10.0**decade for decade in decades if decade % every == 0 and abs(decade) < 300])
    for values in candidates:
        ticks: list[Tick] = []
        for value in values:
            row = floor((log10(value) - bottom) / (top - bottom) * rows)
            if 0 <= row < rows:
                ticks.append(Tick(row, round_label(value, width)))
        spread = all(after.at - before.at >= 2 for before, after in itertools.pairwise(ticks))
        if ticks and spread:
            return tuple(ticks)
    middle = 10 ** ((bottom + top) / 2)
    return (Tick(rows // 2, exponential(middle, width)),) if rows else ()


def round_label(value: float, width: int = 6) -> str:
    """A round number, as short as it can be said."""
    plain = f"{value:g}" if 1e-4 <= value < 10.0 ** (width - 1) else ""
    return plain if plain and len(plain) <= width else exponential(value, width)


def along(first: float, last: float, columns: int, labels: int = 6, whole: bool = True) -> list[tuple[float, str]]:
    """Round places between `first` and `last`, at most one every `labels + 2` of `columns`, with their labels."""
    room = max(1, columns // (labels + 2))
    span = last - first
    if span <= 0:
        return []
    for step in _steps(span / room):
        if whole and step < 1:
            continue
        if whole and step != round(step):
            continue
        start = ceil(first / step - 1e-9)
        count = floor(last / step + 1e-9) - start + 1
        return [((start + i) * step, tick_label((start + i) * step, step, labels)) for i in range(count)]
    return []


def _steps(least: float) -> Sequence[float]:
    """The round steps from `least` up, the smallest first."""
    power = floor(log10(least)) if least > 0 else 0
    return [
        round(step * 10.0**power, 12 - power) if -290 < power < 290 else step * 10.0**power
        for power in (power, power + 1)
        for step in STEPS[:-1]
        if step * 10.0**power >= least * (1 - 1e-9)
    ]


def _apart(low: float, high: float) -> tuple[float, float]:
    """The same two values, or, where they are one, some room from zero on."""
    if high - low > 1e-9 * max(abs(low), abs(high), 1e-300):
        return low, high
    if high == 0:
        return 0.0, 1.0
    return (0.0, high * 1.1) if high > 0 else (low * 1.1, 0.0)
