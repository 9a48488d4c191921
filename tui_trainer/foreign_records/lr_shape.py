"""What schedule an LR seems to have followed, from its curve alone: nobody has told it. Where the curve fits two, none
is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite

from tui_trainer.text.captions import say
from tui_trainer.text.numbers import format_lr, listed
from tui_trainer.text.plain import plain

LEAST = 20
"""Values of a curve that anything is said of."""

LOOKED_AT = 4_000
"""Of a longer curve so many values, at even distances: the screen waits for them."""

SAME = 1e-5
"""As a part of the highest LR: what is no further apart is the same, but for single precision."""

MOST_DROPS, NAMED_AT_MOST = 20, 4

HELD = 3
"""Values at the least between two drops: one that falls at each value glides."""

ALIKE = 0.02
"""How far apart, as a part, the factors of drops may be: a cosine stepped once an epoch has another each time."""

LATE_PEAK = 0.2
"""One cycle has its top behind this part of the run; a warm-up is over before."""


def schedule_in_words(
    name: str, steps: Sequence[int], lrs: Sequence[float], epoch_at: Callable[[int], int | None]
) -> str:
    """What an LR did, in words; empty where its curve does not show it.

    Args:
        name: of its series.
        steps: at which it was told.
        lrs: what it was there.
        epoch_at: the epoch of a step; None where that is not known.
    """
    places = [*range(0, len(lrs), max(1, len(lrs) // LOOKED_AT))]
    if places and places[-1] != len(lrs) - 1:
        places.append(len(lrs) - 1)
    seen = [lrs[place] for place in places]
    if len(seen) < LEAST or not all(isfinite(lr) and lr >= 0 for lr in seen):
        return ""
    top = max(seen)
    changes = [at for at in range(1, len(seen)) if abs(seen[at] - seen[at - 1]) > SAME * top]
    if factor := _factor(seen, changes):
        drops = [steps[_first_below(lrs, places[at - 1], places[at])] for at in changes]
        where = [f"step {step:,}" if (epoch := epoch_at(step)) is None else f"epoch {epoch:,}" for step in drops]
        return say("foreign.lr_drops", name=plain(name), factor=format_lr(factor), where=listed(where, NAMED_AT_MOST))
    return _of_one_top(name, [steps[place] for place in places], seen, SAME * top)


def _factor(lrs: Sequence[float], changes: Sequence[int]) -> float:
    """By what each drop multiplies an LR that is held between drops; 0 where it is no such curve."""
    held = [after - before for before, after in zip([0, *changes], changes, strict=False)]
    if not 0 < len(changes) <= MOST_DROPS or min(held) < HELD:
        return 0.0
    factors = [lrs[at] / lrs[at - 1] for at in changes if lrs[at - 1]]
    if len(factors) < len(changes) or not 0 < min(factors) <= max(factors) < 1:
        return 0.0
    return factors[0] if max(factors) - min(factors) <= ALIKE * max(factors) else 0.0


def _first_below(lrs: Sequence[float], high: int, low: int) -> int:
    """Where an LR drops that does so once between two places."""
    while low - high > 1:
        middle = (high + low) // 2
        if lrs[middle] < (lrs[high] + lrs[low]) / 2:
            low = middle
        else:
            high = middle
    return low


def _of_one_top(name: str, steps: Sequence[int], lrs: Sequence[float], least: float) -> str:
    """Of a curve that rises to one top and then falls."""
    at = max(range(len(lrs)), key=lrs.__getitem__)
    rises = all(lrs[i] <= lrs[i + 1] + least for i in range(at))
    falls = all(lrs[i] >= lrs[i + 1] - least for i in range(at, len(lrs) - 1))
    first, top, last = lrs[0], lrs[at], lrs[-1]
    if not rises or not falls or at < HELD or len(lrs) - at <= HELD or max(first, last) > top / 2:
        return ""
    share = (steps[at] - steps[0]) / (steps[-1] - steps[0])
    if share >= LATE_PEAK and 0 < last < first / 2:
        return say("foreign.lr_cycle", name=plain(name), top=format_lr(top), share=f"{share:.0%}".replace("%", " %"))
    if share < LATE_PEAK:
        return say(
            "foreign.lr_warmed", name=plain(name), top=format_lr(top), step=f"{steps[at]:,}", end=format_lr(last)
        )
    return ""
