"""The verdict in words, from the numbers of the table and nothing else; with Welch's t-test, by the standard library.

B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
Biometrika 34 (1947). The tail of Student's t is a regularized incomplete beta function (DLMF 8.17.2, dlmf.nist.gov),
here by its continued fraction (DLMF 8.17.22) with Lentz's method.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, lgamma, log, log1p
from statistics import fmean, variance

from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.fairness import MOST, Fairness
from tui_trainer.compare.table import Figure, Row, Table
from tui_trainer.text.numbers import counted, listed
from tui_trainer.text.plain import plain

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


def verdict(comparison: Comparison, table: Table) -> list[str]:
    """What came of it, a sentence an item, the most important first."""
    rows = [row for row in table.rows if row.numbers]
    sentences: list[str] = []
    if not rows:
        sentences.append("No run has finished an epoch yet: nothing to compare.")
    elif len(rows) == 1:
        final = rows[0].figure("final_accuracy")
        reached = f", at {_value(final)} so far" if final else ""
        sentences.append(f"Only {_label(rows[0])} has finished an epoch{reached}: nothing to compare it with.")
    else:
        sentences += _who_was_first(rows, table)
        sentences += _who_ended_highest(comparison, rows)
        sentences += _who_was_best(rows)
    sentences += _what_went_otherwise(table)
    if comparison.session.trouble:
        sentences.append(plain(comparison.session.trouble))
    return sentences


def caution(fair: Fairness) -> str:
    """What must be said beside the verdict where fairness is told elsewhere; empty where it was fair."""
    unlike = [fact.name for fact in fair.differing if fact.touches == "results"]
    return f"Mind that they did not have the same {listed(unlike)}." if unlike else ""


def _who_was_first(rows: Sequence[Row], table: Table) -> list[str]:
    """By epochs, which are the same on every machine, and in seconds only as a remark."""
    there = [row for row in rows if row.figure("target_epoch") is not None]
    if table.target is None:
        return []
    if not there:
        return [f"None reached {table.target:g}."] if table.target_was_asked else []
    complete = [row for row in there if len(row.figures["target_epoch"].values) == len(row.group.runs)] or there
    soonest = min(row.figures["target_epoch"].mean for row in complete)
    first = [row for row in complete if row.figures["target_epoch"].mean == soonest]
    epoch = f"epoch {soonest:.0f}" if soonest == round(soonest) else f"epoch {soonest:.1f} on average"
    if len(first) == 1:
        seconds = first[0].figures["target_seconds"].mean
        return [f"{_label(first[0])} reached {table.target:g} first ({epoch}, {seconds:.1f} s)."]
    if len(first) == len(rows):
        return [f"All reached {table.target:g} in {epoch}."]
    return [f"{listed([_label(row) for row in first], MOST)} reached {table.target:g} first, all in {epoch}."]


def _who_ended_highest(comparison: Comparison, rows: Sequence[Row]) -> list[str]:
    ended = [row for row in rows if row.figure("final_accuracy") is not None and row.status != "diverged"]
    ended.sort(key=lambda row: row.figures["final_accuracy"].mean, reverse=True)
    if len(ended) < 2:
        return [f"{_label(ended[0])} alone came through."] if ended and comparison.is_over else []
    one, two = ended[0], ended[1]
    a, b = one.figures["final_accuracy"], two.figures["final_accuracy"]
    over = comparison.is_over
    if a.mean == b.mean:
        level = [_label(row) for row in ended if row.figures["final_accuracy"].mean == a.mean]
        return [f"{listed(level, MOST)} {'ended' if over else 'are'} level, at {_value(a)}."]
    lead = a.mean - b.mean
    who = f"{_label(one)} {'ended' if over else 'is'} highest ({_value(a)})"
    return [f"{who}, ahead of {_label(two)} ({_value(b)}) by {lead:.4f}{_weight(rows, a, b, lead)}."]


def _weight(rows: Sequence[Row], a: Figure, b: Figure, lead: float) -> str:
    """What a lead is worth: tested against the spread of seeds, or in images where there is but one seed."""
    p = welch(a.values, b.values)
    if p is not None:
        spread = max(a.spread or 0.0, b.spread or 0.0)
        larger, holds = lead > spread, p < SIGNIFICANT
        said = f"{'more' if larger else 'less'} than the spread of seeds{':' if larger == holds else ', yet'}"
        n, m = len(a.values), len(b.values)
        seeds = f"{n} seeds each" if n == m else f"{n} and {m} seeds"
        return f", {said} {'more than luck' if holds else 'it could be luck'} ({NAME}, p {_p(p)}, {seeds})"
    images = {run.history.resolved.val_images for row in rows for run in row.group.runs if run.history.resolved}
    if len(images) != 1:
        return ""
    (count,) = images
    return f": {lead * count:.0f} of {counted(count, 'image')}, which may be luck of the one seed (--seeds 5 tells)"


def _p(p: float) -> str:
    return f"= {p:.2g}" if p >= 0.001 else "< 0.001"


def _who_was_best(rows: Sequence[Row]) -> list[str]:
    """Said where the best epoch of all was not that of who ended highest."""
    final = max(rows, key=lambda row: ((f := row.figure("final_accuracy")) is not None and f.mean) or 0.0)
    best = max(rows, key=lambda row: row.figures["best_accuracy"].mean if row.figure("best_accuracy") else 0.0)
    there, here = best.figure("best_accuracy"), final.figure("best_accuracy")
    if there is None or here is None or there.mean <= here.mean:
        return []
    return [f"The best epoch was {_label(best)}'s ({_value(there)})."]


def _what_went_otherwise(table: Table) -> list[str]:
    said = []
    for state, one, several in (
        ("diverged", "diverged: its loss was not finite", "diverged: their losses were not finite"),
        ("crashed", "crashed", "crashed"),
        ("stopped", "was stopped early", "were stopped early"),
        ("gone", "is gone: its record is not there", "are gone: their records are not there"),
    ):
        labels = [_label(row) for row in table.rows if any(run.state == state for run in row.group.runs)]
        if labels:
            said.append(f"{listed(labels, MOST)} {one if len(labels) == 1 else several}.")
    to_come = sum(not run.is_over for row in table.rows for run in row.group.runs)
    if to_come:
        said.append(f"{to_come} {'run is' if to_come == 1 else 'runs are'} not over yet.")
    return said


def _value(figure: Figure) -> str:
    return f"{figure.mean:.4f}" + (f" ± {figure.spread:.4f}" if figure.spread is not None else "")


def _label(row: Row) -> str:
    return plain(row.group.label)
