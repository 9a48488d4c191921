"""The formulas that `LambdaLR` may follow, by name: each gives what the LR is multiplied by after so many steps of the
scheduler. Plain arithmetic: a preset names a formula and holds none.

Sources:
`inverse_sqrt`: Zhai et al., *Scaling Vision Transformers* (2022), section 3.5, as
`transformers.get_inverse_sqrt_schedule` reckons it.
`warmup_stable_decay`: Hu et al., *MiniCPM* (2024), section 4; the decay of Hägele et al., *Scaling Laws and
Compute-Optimal Training Beyond Fixed Training Durations* (2024), is `1-sqrt`.
`triangle`: K. Jordan, airbench94 (github.com/KellerJordan/cifar10-airbench): a line up to the peak, a line down.
`inverse_time`: Robbins and Monro (1951); Bottou, *Stochastic Gradient Descent Tricks* (2012), section 5.2.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence


def inverse_sqrt(step: int, warmup: int, timescale: int) -> float:
    """A line up from 0, then 1 / sqrt((step + timescale - warmup) / timescale)."""
    if step < warmup:
        return step / warmup
    return 1.0 / math.sqrt((step + timescale - warmup) / timescale)


def warmup_stable_decay(step: int, length: int, warmup: int, decay: int, shape: str, end: float) -> float:
    """A line up from 0, the whole LR, then down to `end` in the last `decay` steps.

    Args:
        step: how many steps were made.
        length: how many there are.
        warmup: how many of them the line up takes.
        decay: how many the way down takes.
        shape: of the way down: `linear`, `cosine` or `1-sqrt`.
        end: what the LR is multiplied by at the end.
    """
    if step < warmup:
        return step / warmup
    part = min(1.0, (step - (length - decay)) / decay)
    if part <= 0:
        return 1.0
    if shape == "cosine":
        left = (1.0 + math.cos(math.pi * part)) / 2
    else:
        left = 1.0 - (part if shape == "linear" else math.sqrt(part))
    return left * (1.0 - end) + end


def triangle(step: int, length: int, start: float, peak: int, end: float) -> float:
    """A line from `start` to 1 at the step `peak`, then one to `end` at the last of `length` steps."""
    return on_lines(step, [0, peak, length], [start, 1.0, end])


def inverse_time(step: int, gamma: float) -> float:
    """1 / (1 + gamma * step)."""
    return 1.0 / (1.0 + gamma * step)


def on_lines(x: float, xs: Sequence[float], ys: Sequence[float]) -> float:
    """The height at `x` of straight lines through points, whose `xs` rise; level before the first and behind the last.

    As numpy.interp reckons it, float for float.
    """
    if x <= xs[0]:
        return ys[0]
    if x >= xs[-1]:
        return ys[-1]
    at = bisect_right(xs, x) - 1
    slope = (ys[at + 1] - ys[at]) / (xs[at + 1] - xs[at])
    return slope * (x - xs[at]) + ys[at]
