"""How much of what there is to draw a scale makes room for, and whether its range asks for powers of ten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from math import inf, isfinite, log10

from tui_trainer.plotting.curves import Extent

ASKS_FOR_LOG = 30.0
"""How many times the lowest value the highest is, where powers of ten show more."""

STAYS_LOG = 15.0
"""The same for a scale of powers of ten, so that one at the limit does not go to and fro."""

SPIKES = 0.05
"""The part of the columns that may hold spikes; what more of them hold is no exception."""

FAR_OUT = 2.5
"""A spike lies outside so many times the range of the rest."""

FEWEST_COLUMNS = 20
"""Of fewer nothing is an exception."""

ROOM = 0.1
"""What is left beside the rest where spikes are cut off, as a part of its range."""


def asks_for_log(ranges: Sequence[Extent | None], *, is_log: bool = False) -> bool:
    """Whether the ranges of some curves together ask for powers of ten; with anything at or below zero they cannot.
    `is_log` is whether the scale counts in them already."""
    known = [extent for extent in ranges if extent is not None]
    if not known or (lowest := min(low for low, _ in known)) <= 0:
        return False
    return max(high for _, high in known) > lowest * (STAYS_LOG if is_log else ASKS_FOR_LOG)


def without_spikes(curve: Sequence[Extent | None], *, log: bool = False) -> Extent | None:
    """The range of a curve, in powers of ten or not, without columns far out of the rest; None where nothing is finite,
    and with `log` above zero.

    What the curve begins or ends with is no spike, however far out: it came from there, or is on its way.
    """
    known = [extent for extent in curve if extent is not None and -1e300 < extent[0] <= extent[1] < 1e300]
    if log:
        known = [extent if extent[0] > 0 else (extent[1], extent[1]) for extent in known if extent[1] > 0]
    if not known:
        return None
    lows, highs = [extent[0] for extent in known], [extent[1] for extent in known]
    few = int(len(known) * SPIKES)
    if not few or len(known) < FEWEST_COLUMNS:
        return min(lows), max(highs)
    by_low, by_high = sorted(lows), sorted(highs)
    low, high, least, most = by_low[0], by_high[-1], by_low[few], by_high[-1 - few]
    if lows[0] < least or lows[-1] < least:
        least = min(_at_the_ends(lows, least.__gt__), default=least)
    if highs[0] > most or highs[-1] > most:
        most = max(_at_the_ends(highs, most.__lt__), default=most)
    bottom, top, floor, ceiling = (log10(value) if log else value for value in (low, high, least, most))
    span = ceiling - floor
    if span > 0 and top > floor + FAR_OUT * span:
        high = 10 ** (ceiling + ROOM * span) if log else ceiling + ROOM * span
    if span > 0 and bottom < ceiling - FAR_OUT * span:
        low = 10 ** (floor - ROOM * span) if log else floor - ROOM * span
    return low, high


def without_echoes(smooth: Sequence[Extent | None], raw: Sequence[Extent | None]) -> Sequence[Extent | None]:
    """A smoothed curve without the columns in which a spike of what it was made of still shows."""
    limits = without_spikes(raw)
    if limits is None:
        return smooth
    low, high = limits
    return [extent if extent is None or low <= extent[0] <= extent[1] <= high else None for extent in smooth]


DEEP = 10.0
"""How many times lower than the calm curves single values are drawn."""


def floor_of(calm: Sequence[Sequence[Extent | None]], raw: Sequence[Extent | None]) -> float:
    """What is drawn at the bottom, and all below it, of single values and of calm curves, means of them among these: a
    power of ten under the lowest that both have.

    A batch that a network knows by heart has a loss of 1e-8, and in powers of ten nothing else would have room; where
    it is 0, the mean comes down to 1e-30, which no value was. 0 where something calm is not above zero.
    """
    lows = [extent[0] for curve in calm for extent in curve if extent is not None and isfinite(extent[0])]
    singles = [low if low > 0 else high for low, high in filter(None, raw) if 0 < high < inf]
    return max(min(lows), min(singles, default=0.0)) / DEEP if lows and min(lows) > 0 else 0.0


def not_below(floor: float, curve: Sequence[Extent | None]) -> Sequence[Extent | None]:
    """A curve with what is below `floor` put there; what is not above zero stays, to be marked."""
    if floor <= 0:
        return curve
    return [
        extent if extent is None or not 0 < extent[0] < floor else (floor, max(floor, extent[1])) for extent in curve
    ]


def _at_the_ends(values: Sequence[float], are_out: Callable[[float], bool]) -> Iterator[float]:
    """What a curve begins and ends with, as far as it is out of the rest."""
    yield from takewhile(are_out, values)
    yield from takewhile(are_out, reversed(values))


DECIDES = 100
"""Into so many columns an LR is cut for this, however many are drawn: the scale chooses itself by what there is, and
not by the size of the terminal."""


def without_the_lowest(curve: Sequence[Extent | None], part: float) -> Extent | None:
    """The range of a curve without a part of its columns, those of the lowest values: an LR that anneals to almost
    nothing, or is warmed up from there, is none that spans many powers of ten. A column in which the LR falls counts as
    before its fall: an LR that is low for just that part falls on the edge of a column, or beside it."""
    extents = [extent for extent in curve if extent is not None and -1e300 < extent[0] <= extent[1] < 1e300]
    if not extents:
        return None
    highs = sorted(high for _, high in extents)
    return highs[int(len(highs) * part)], highs[-1]
