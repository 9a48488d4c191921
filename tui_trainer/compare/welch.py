"""Welch's t-test, for two samples whose spread may differ, in the standard library.

B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
Biometrika 34 (1947). The tail of Student's t is a regularized incomplete beta function (DLMF 8.17.2, dlmf.nist.gov),
here by its continued fraction (DLMF 8.17.22) with Lentz's method.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, lgamma, log, log1p
from statistics import fmean, variance

NAME = "Welch's t-test"
SIGNIFICANT = 0.05
_TINY = 1e-300


def welch(a: Sequence[float], b: Sequence[float]) -> float | None:
    """The two-sided p-value of equal means; None where a sample has fewer than two values."""
    if len(a) < 2 or len(b) < 2:
        return None
    share_a, share_b = variance(a) / len(a), variance(b) / len(b)
    both = share_a + share_b
    difference = fmean(a) - fmean(b)
    if both == 0:
        return 1.0 if difference == 0 else 0.0
    freedom = both**2 / (share_a**2 / (len(a) - 1) + share_b**2 / (len(b) - 1))
    return two_sided(difference / both**0.5, freedom)


def two_sided(t: float, freedom: float) -> float:
    """The probability of a Student's t at least as far from zero."""
    return regularized_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def regularized_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b), for x from 0 to 1 and a, b above 0."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly, its mirror image does not
        return 1.0 - regularized_beta(1 - x, b, a)
    front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a
    return front / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + ...)), with the coefficients of DLMF 8.17.23."""
    value = c = 1.0
    d = 0.0
    for n in range(1, 1000):
        m = n // 2
        if n % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + term * d or _TINY)
        c = 1 + term / c or _TINY
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value
