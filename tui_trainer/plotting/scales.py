"""From values to the height of a chart: linear and logarithmic scales whose ticks stand on rows. From steps to places
on its x axis: counted in steps, in epochs or in seconds of training."""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from math import ceil, floor, inf, log10
from typing import Literal, NamedTuple, Protocol, TypeAlias

STEPS = (1.0, 2.0, 5.0)
"""What ticks may be apart, times a power of ten."""

CLOCK_STEPS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0)
"""The same along time, in seconds, from one second to half an hour; below and above it is as for any number."""

MINUTE, HOUR = 60.0, 3600.0

FEWEST_ROWS_A_TICK = 2
MOST_ROWS_A_TICK = 8

NOTHING = 1e-30
"""What is smaller is drawn as zero."""


class Tick(NamedTuple):
    """A labelled place on an axis."""

    at: int
    """The row or column of cells, counted from the bottom or the left."""
    label: str


class Scale(NamedTuple):
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
    plain = f"{value:.{_decimals(step)}f}"
    return plain if len(plain) <= width else exponential(value, width)


def counted(value: float, width: int = 6) -> str:
    """A whole number, in thousands or millions where it is long: `250k`, `1.5M`."""
    plain = f"{value:.0f}"
    return plain if len(plain) <= width else lettered(value, width)


LETTERS = {"G": 1e9, "M": 1e6, "k": 1e3}


def lettered(value: float, width: int = 6) -> str:
    """A whole number in thousands, millions or thousands of millions, as far as it is that long: `500k`, `1.5M`."""
    for letter, size in LETTERS.items():
        short = f"{value / size:g}{letter}"
        if size <= abs(value) < 1e15 and len(short) <= width and "e" not in short:
            return short
    plain = f"{value:.0f}"
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
    """A scale that holds `low` to `high` over `rows` rows, its ticks in the middle of rows, chosen so that little room
    is lost and the labels are few and short. From zero upwards where the values begin near it."""
    low, high = _apart(low, high)
    if 0 < low < 0.4 * high:
        low = 0.0
    if rows < 2:
        return Scale(low, high, (Tick(0, _roundest(low, high, width)),) if rows else ())
    best, least = Scale(low, high), inf
    for gap in range(FEWEST_ROWS_A_TICK if rows > 3 else 1, max(2, min(rows - 1, MOST_ROWS_A_TICK)) + 1):
        for step in _steps((high - low) * gap / (rows - 0.5)):
            bottom = floor(low / step + 1e-9) * step
            lower = bottom - 0.5 * step / gap
            upper = lower + rows * step / gap
            if lower <= low and high <= upper:
                values = [bottom + i * step for i in range((rows - 1) // gap + 1)]
                labels = _tick_labels(values, step, width)
                cost = (upper - lower) / (high - low) + _awkwardness(values, labels, step, rows)
                if any(abs(value - high) < 0.02 * step for value in values):
                    cost -= 0.35  # the highest value has a name
                if cost < least:
                    ticks = tuple(Tick(i * gap, label) for i, label in enumerate(labels))
                    best, least = Scale(lower, upper, ticks), cost
                break
    return best


def _tick_labels(values: Sequence[float], step: float, width: int) -> list[str]:
    """The ticks of one axis, all in one way: where a whole number does not fit, all are `0`, `500k`, `1M`, `1.5M`;
    where that does not tell them apart, their last digits do: `…56.10`, `…56.12`."""
    labels = [tick_label(value, step, width) for value in values]
    if step >= 1 and any("e" in label for label in labels):
        labels = [lettered(value, width) for value in values]
    if not _are_rounded(labels, values, step):
        return labels
    endings = [_last_digits(value, step, width) for value in values]
    # Of a larger number the last digits are noise; of a smaller one they do not tell how small it is.
    if 10.0 ** (1 - width) <= step < 10 ** (width - 2) and len({*endings}) == len(endings):
        return endings
    return [label if label not in labels[:i] else "" for i, label in enumerate(labels)]


def _last_digits(value: float, step: float, width: int) -> str:
    """As `tick_label`, but where that is too long it loses its first digits."""
    plain = f"{value:.{_decimals(step)}f}"
    sign, digits = ("-", plain[1:]) if plain.startswith("-") else ("", plain)
    return plain if len(plain) <= width else f"{sign}…{digits[-max(1, width - len(sign) - 1) :]}"


def _decimals(step: float) -> int:
    return max(0, -floor(log10(step) + 1e-9))


def _are_rounded(labels: Sequence[str], values: Sequence[float], step: float) -> bool:
    """Whether one of them is farther from its value than a person could see; one that lost digits is not."""
    shown = [(label, value) for label, value in zip(labels, values, strict=True) if "…" not in label]
    return any(not label or abs(_number(label) - value) > 0.01 * step for label, value in shown)


def _number(label: str) -> float:
    return float(label[:-1]) * LETTERS[label[-1]] if label[-1] in LETTERS else float(label)


def _awkwardness(values: list[float], labels: list[str], step: float, rows: int) -> float:
    """What these ticks cost a reader, in lost heights of the chart: too few, too many, long ones, rounded ones."""
    count = len(values)
    cost = (
        0.15 * max(0.0, min(5, rows / 3) - count) + 0.03 * max(0.0, count - max(4, rows / 3)) + 0.08 * max(0, count - 8)
    )
    if count < 3 and rows >= 5:
        cost += 1.0
    if any("e" in label or "…" in label for label in labels):
        cost += 0.5
    if _are_rounded(labels, values, step):
        cost += 1.0
    return cost


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


MOST_POWERS = 300
"""Beyond so many powers of ten a float has fewer and fewer digits, or is none, and nothing is labelled."""

FAR_APART = 8
"""So many powers of ten apart, the lowest of some values is nothing beside the highest: a tick is at a power of ten."""


def _log_ticks(bottom: float, top: float, rows: int, width: int) -> tuple[Tick, ...]:
    """At 1, 2 and 5 times powers of ten, or at powers of ten alone; where fewer than two of these are in sight, at
    round steps, which lie the closer the higher they are. In one or two rows at the power of ten in the middle of each,
    if each has one."""
    decades = range(floor(bottom), ceil(top) + 1)
    if rows <= 2 and len(few := _powers_of_rows(bottom, top, rows, width)) == rows:
        return few
    room = max(1, rows // 3)
    candidates: list[list[tuple[float, str]]] = []
    if (top - bottom) * 3 <= room + 2:
        values = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5) if abs(decade) < 300]
        candidates.append([(value, round_label(value, width)) for value in values])
    for every in (1, 2, 5, 10, 20, 50, 100):
        values = [10.0**decade for decade in decades if decade % every == 0 and abs(decade) < 300]
        candidates.append([(value, round_label(value, width)) for value in values])
    if top - bottom < 2:
        low, high = 10.0**bottom, 10.0**top
        for step in _steps((high - low) / max(2, rows), 3):
            first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
            candidates.append([(i * step, tick_label(i * step, step, width)) for i in range(first, last + 1) if i > 0])
    best: tuple[Tick, ...] = ()
    for candidate in candidates:
        ticks = [
            Tick(row, label)
            for value, label in candidate
            if 0 <= (row := floor((log10(value) - bottom) / (top - bottom) * rows)) < rows
        ]
        spread = all(after.at - before.at >= 2 for before, after in itertools.pairwise(ticks))
        honest = all(len(label) <= width and abs(float(label) / value - 1) < 1e-6 for value, label in candidate)
        if spread and honest and len(best) < len(ticks) <= room + 3:
            best = tuple(ticks)
        if len(best) > 1:
            break
    if best or not rows:
        return best
    if top - bottom > FAR_APART or bottom < -MOST_POWERS or top > MOST_POWERS:
        middle = max(-MOST_POWERS, min(round((bottom + top) / 2), MOST_POWERS))
        if not bottom <= middle <= top:
            return ()
        label = round_label(10.0**middle, width)
    else:
        label = _roundest(10**bottom, 10**top, width)
    row = floor((log10(float(label)) - bottom) / (top - bottom) * rows)
    return (Tick(min(max(row, 0), rows - 1), label),)


def _powers_of_rows(bottom: float, top: float, rows: int, width: int) -> tuple[Tick, ...]:
    """The power of ten that is nearest to the middle of each row, of those rows that have one."""
    ticks = []
    for row in range(rows):
        first, last = (bottom + (top - bottom) * edge / rows for edge in (row, row + 1))
        inside = [decade for decade in range(ceil(first), ceil(last)) if abs(decade) < 300]
        if inside:
            nearest = min(inside, key=lambda decade: abs(decade - (first + last) / 2))
            ticks.append(Tick(row, round_label(10.0**nearest, width)))
    return tuple(ticks)


def _roundest(low: float, high: float, width: int) -> str:
    """The label of the value in a stretch that has the fewest digits."""
    if low <= 0 <= high:
        return "0"
    step = 10.0 ** ceil(log10(max(abs(low), abs(high))))
    for _ in range(12):
        for part in (1.0, 0.5, 0.2):
            value = ceil(low / (step * part) - 1e-9) * step * part
            if value <= high * (1 + 1e-9 if high > 0 else 1 - 1e-9):
                return tick_label(value, step * part, width)
        step /= 10
    return exponential(low, width)


def round_label(value: float, width: int = 6) -> str:
    """A round number, as short as it can be said."""
    plain = f"{value:g}" if 1e-4 <= value < 10.0 ** (width - 1) else ""
    return plain if plain and len(plain) <= width else exponential(value, width)


def along(first: float, last: float, columns: int, labels: int = 6, whole: bool = True) -> list[tuple[float, str]]:
    """Round places between `first` and `last`, at most one every `labels + 2` of `columns`, with their labels. Fewer,
    with longer ones, where places lie so close that a label would read as another place; where none is long enough,
    without."""
    if last <= first:
        return []
    for longest in range(labels, LONGEST_LABEL + 1):
        least = (last - first) / max(1, columns // (longest + 2))
        step = _steps(max(least, 1.0) if whole else least)[0]
        found = _labelled(_multiples(first, last, step), step, longest)
        if all(_reads_as(place, label, step) for place, label in found):
            return found
    return [(place, label if _reads_as(place, label, step) else "") for place, label in found]


def _reads_as(place: float, label: str, step: float) -> bool:
    """Whether a label says where it stands, and not where another tick does."""
    read = float(label[:-1]) * LETTERS[label[-1]] if label[-1] in LETTERS else float(label)
    return abs(read - place) <= 0.01 * step


def over_time(first: float, last: float, columns: int, labels: int = 6) -> tuple[list[tuple[float, str]], str]:
    """Places between two times in seconds as on a clock, with their labels; and what these count: seconds, minutes or
    hours."""
    if last <= first:
        return [], "seconds"
    least = (last - first) / max(1, columns // (labels + 2))
    if least <= 0.5 * (1 + 1e-9):
        return along(first, last, columns, labels, whole=False), "seconds"
    step = next((step for step in CLOCK_STEPS if step >= least * (1 - 1e-9)), HOUR * _steps(max(1.0, least / HOUR))[0])
    size, word = (1.0, "seconds") if step < MINUTE else (MINUTE, "minutes") if step < HOUR else (HOUR, "hours")
    labelled = _labelled([place / size for place in _multiples(first, last, step)], step / size, labels)
    return [(place * size, label) for place, label in labelled], word


def _multiples(first: float, last: float, step: float) -> list[float]:
    start = ceil(first / step - 1e-9)
    count = floor(last / step + 1e-9) - start + 1
    return [(start + i) * step for i in range(count)]


def _labelled(places: Sequence[float], step: float, labels: int) -> list[tuple[float, str]]:
    return [(place, counted(place, labels) if step >= 1 else tick_label(place, step, labels)) for place in places]


def _steps(least: float, decades: int = 2) -> Sequence[float]:
    """The round steps from `least` up, the smallest first."""
    first = floor(log10(least)) if least > 0 else 0
    return [
        round(step * 10.0**power, 12 - power) if -290 < power < 290 else step * 10.0**power
        for power in range(first, first + decades)
        for step in STEPS
        if step * 10.0**power >= least * (1 - 1e-9)
    ]


def _apart(low: float, high: float) -> tuple[float, float]:
    """The same two values, or, where they are as good as one, some room from zero on."""
    size = max(abs(low), abs(high))
    if size < NOTHING:
        return 0.0, 1.0
    if high - low > 1e-9 * size:
        return low, high
    return (0.0, size * 1.1) if high > 0 else (-size * 1.1, 0.0)


ROUND_ENDS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0)
"""Where an axis that grows ends, times a power of ten."""


def round_above(value: float) -> float:
    """The next round number that is not below `value`, and at most half as much again."""
    if value <= 0:
        return 0.0
    power = 10.0 ** floor(log10(value))
    return next((digit * power for digit in ROUND_ENDS if digit * power >= value * (1 - 1e-9)), 10 * power)


Unit: TypeAlias = Literal["epoch", "step", "seconds"]

LONGEST_LABEL = 8
"""Cells of a label on an axis."""

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


class ClockTimeline:
    """The run's clock as it was told now and then: 0 before the first step, at an even pace between two times, and at
    that of all of the run behind the last one."""

    unit: Unit = "seconds"

    def __init__(self, steps: Sequence[int], elapsed: Sequence[float]) -> None:
        """`elapsed[i]` is the clock at `steps[i]`, both never falling; they may grow."""
        self._steps, self._elapsed = steps, elapsed

    @property
    def pace(self) -> float:
        """Seconds a step."""
        step, elapsed = self._point(len(self._steps) - 1)
        return elapsed / step if step > 0 and elapsed > 0 else 1.0

    def place(self, step: float) -> float:
        at = bisect_right(self._steps, step)
        before, start = self._point(at - 1)
        if at == len(self._steps):
            return start + (step - before) * self.pace
        after, end = self._point(at)
        return start + max(0.0, step - before) * (end - start) / max(1, after - before)

    def step(self, place: float) -> float:
        at = bisect_right(self._elapsed, place)
        before, start = self._point(at - 1)
        if at == len(self._elapsed):
            return before + (place - start) / self.pace
        after, end = self._point(at)
        return before + (max(0.0, place - start) * (after - before) / (end - start) if end > start else 0.0)

    def _point(self, index: int) -> tuple[float, float]:
        """A step, and the clock there; of -1 what is before the first."""
        return (self._steps[index], self._elapsed[index]) if index >= 0 else (0, 0.0)


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


def edges(timeline: Timeline, first: float, last: float, columns: int, least: int = 0) -> list[int]:
    """How many whole steps lie before each of the `columns + 1` edges of equal columns from place `first` to `last`,
    `least` at the least: -1 where a step 0 is in sight.

    Column i holds the steps `edges[i] + 1` to `edges[i + 1]`: in a series, the indices `[edges[i]:edges[i + 1]]`.
    """
    width = (last - first) / columns
    return [max(least, floor(timeline.step(first + i * width) + ROUNDING)) for i in range(columns)] + [
        max(least, floor(timeline.step(last) + ROUNDING))
    ]
