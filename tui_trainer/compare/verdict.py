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
    """What came of it, a sentence an item, the most important first.

    A preset wins nothing before all its seeds have finished.
    """
    begun = [row for row in table.rows if any(run.history.epochs for run in row.group.runs)]
    whole = [row for row in table.whole if row.numbers]
    sentences: list[str] = []
    if not begun:
        sentences.append("No run has finished an epoch yet: nothing to compare.")
    elif len(begun) == 1:
        final = begun[0].figure("final_accuracy")
        so_far = "" if begun[0].is_whole else " so far"
        reached = f", at {_value(final)}{so_far}" if final else ""
        sentences.append(f"Only {_label(begun[0])} has finished an epoch{reached}: nothing to compare it with.")
    elif len(whole) < 2:
        sentences += _too_few(comparison, begun, whole)
    else:
        sentences += _who_was_first(table, whole)
        sentences += _who_ended_highest(table, whole)
        sentences += _who_was_best(table)
    sentences += _what_went_otherwise(comparison, table)
    if comparison.session.trouble:
        sentences.append(plain(comparison.session.trouble))
    return sentences


def caution(fair: Fairness) -> str:
    """What must be said beside the verdict where fairness is told elsewhere; empty where it was fair."""
    unlike = [fact.name for fact in fair.differing if fact.touches == "results"]
    return f"Mind that they did not have the same {listed(unlike)}." if unlike else ""


def _among(table: Table) -> str:
    """Behind what is said of the finished ones alone; empty where all have finished."""
    return "" if len(table.whole) == len(table.rows) else f" of the {len(table.whole)} that finished"


def _too_few(comparison: Comparison, begun: Sequence[Row], whole: Sequence[Row]) -> list[str]:
    """Fewer than two have finished: there is nobody to be ahead of."""
    seeds = " all its seeds" if any(len(row.group.runs) > 1 for row in begun) else ""
    if whole:
        final = whole[0].whole("final_accuracy")
        reached = f", at {_value(final)}" if final else ""
        if comparison.is_over:
            return [f"{_label(whole[0])} alone finished{seeds}{reached}: nothing to compare it with."]
        return [f"Only {_label(whole[0])} has finished{seeds}{reached}: nothing to compare it with yet."]
    if comparison.is_over:
        return [f"None finished{seeds}: nothing to compare."]
    return [f"None has finished{seeds} yet: nothing to compare."]


def _who_was_first(table: Table, whole: Sequence[Row]) -> list[str]:
    """By epochs, which are the same on every machine, and in seconds only as a remark."""
    if table.target is None:
        return []
    there = [(figure, row) for row in whole if (figure := row.whole("target_epoch"))]
    target, among = f"{table.target:g}", _among(table)
    if not there:
        seeds = " with all its seeds" if any(row.figure("target_epoch") for row in whole) else ""
        return [f"None{among} reached {target}{seeds}."] if table.target_was_asked else []
    soonest = min(figure.mean for figure, _ in there)
    first = [row for figure, row in there if figure.mean == soonest]
    epoch = f"epoch {soonest:.0f}" if soonest == round(soonest) else f"epoch {soonest:.1f} on average"
    if len(first) == 1:
        seconds = first[0].figures["target_seconds"].mean
        return [f"{_label(first[0])} reached {target} first{among} ({epoch}, {seconds:.1f} s)."]
    if len(first) == len(whole):
        return [f"All{among} reached {target} in {epoch}."]
    return [f"{listed([_label(row) for row in first], MOST)} reached {target} first{among}, all in {epoch}."]


def _who_ended_highest(table: Table, whole: Sequence[Row]) -> list[str]:
    ended = [(figure, row) for row in whole if (figure := row.whole("final_accuracy"))]
    ended.sort(key=lambda pair: pair[0].mean, reverse=True)
    if len(ended) < 2:
        return []
    (a, one), (b, two) = ended[:2]
    among = _among(table)
    if a.mean == b.mean:
        level = listed([_label(row) for figure, row in ended if figure.mean == a.mean], MOST)
        rest = len(ended) > sum(figure.mean == a.mean for figure, _ in ended)
        return [f"{level} ended level{' and highest' if rest else ''}{among}, at {_value(a)}."]
    lead = a.mean - b.mean
    who = f"{_label(one)} ended highest{among} ({_value(a)})"
    return [f"{who}, ahead of {_label(two)} ({_value(b)}) by {lead:.4f}{_weight(one, two, lead)}."]


def _weight(one: Row, two: Row, lead: float) -> str:
    """What a lead is worth: tested against the spread of seeds, or in images where there is but one seed."""
    a, b = one.figures["final_accuracy"], two.figures["final_accuracy"]
    p = welch(a.values, b.values)
    if p is not None:
        spread = max(a.spread or 0.0, b.spread or 0.0)
        larger, holds = lead > spread, p < SIGNIFICANT
        said = f"{'more' if larger else 'less'} than the spread of seeds{':' if larger == holds else ', yet'}"
        n, m = len(a.values), len(b.values)
        seeds = f"{n} seeds each" if n == m else f"{n} and {m} seeds"
        return f", {said} {'more than luck' if holds else 'it could be luck'} ({NAME}, p {_p(p)}, {seeds})"
    images = {run.history.resolved.val_images for row in (one, two) for run in row.group.runs if run.history.resolved}
    if len(images) != 1:
        return ""
    (count,) = images
    return f": {lead * count:.0f} of {counted(count, 'image')}, which may be luck of {_one_seed(one, two)}"


def _one_seed(one: Row, two: Row) -> str:
    """Whose seed it may be, and what would tell; nothing is advised that was done already."""
    single = [row for row in (one, two) if len(row.group.runs) == 1]
    if len(single) == 1:
        return f"the one seed of {_label(single[0])}"
    if all(row.group.runs[0].entry.is_trained_here for row in single):
        return "the one seed (--seeds 5 tells)"
    return "the one seed (their presets with --seeds 5 tell)"


def _p(p: float) -> str:
    return f"= {p:.2g}" if p >= 0.001 else "< 0.001"


def _who_was_best(table: Table) -> list[str]:
    """Said where the best epoch of all was not that of who ended highest."""
    best = table.best_epoch
    ended = [(figure.mean, row) for row in table.rows if (figure := row.whole("final_accuracy"))]
    if best is None or not ended:
        return []
    highest = max(ended, key=lambda pair: pair[0])[1]
    there, here = best.figures["best_accuracy"], highest.whole("best_accuracy")
    if here is None or there.mean <= here.mean:
        return []
    among = _among(table)
    return [f"The best epoch{among} was {_label(best)}'s ({_value(there)})."]


def _what_went_otherwise(comparison: Comparison, table: Table) -> list[str]:
    said = []
    for state, one, several in (
        ("diverged", "diverged: its loss was not finite", "diverged: their losses were not finite"),
        ("crashed", "crashed", "crashed"),
        ("stopped", "was stopped early", "were stopped early"),
        ("gone", "is gone: its record is not there", "are gone: their records are not there"),
    ):
        labels = [_with_seeds(row, count) for row in table.rows if (count := _in_state(row, state))]
        if labels:
            said.append(f"{listed(labels, MOST)} {one if len(labels) == 1 else several}.")
    said += _what_is_not_whole(comparison, table)
    to_come = sum(not run.is_over for row in table.rows for run in row.group.runs)
    if to_come:
        said.append(f"{to_come} {'run is' if to_come == 1 else 'runs are'} not over yet.")
    return said


def _what_is_not_whole(comparison: Comparison, table: Table) -> list[str]:
    """Means of some seeds stand in the table, and win nothing."""
    parts = [row for row in table.rows if row.numbers and not row.is_whole and len(row.group.runs) > 1]
    if not parts:
        return []
    has = "finished" if comparison.is_over else "has finished"
    counts = [f"{_label(row)} {has} {len(row.numbers)} of {len(row.group.runs)} seeds" for row in parts]
    part = "a mean of a part wins nothing" if len(parts) == 1 else "means of a part win nothing"
    return [f"{listed(counts, MOST)}: {part}."]


def _in_state(row: Row, state: str) -> int:
    return sum(run.state == state for run in row.group.runs)


def _with_seeds(row: Row, count: int) -> str:
    """A preset's name, and how many of its seeds are meant, where it has several."""
    seeds = len(row.group.runs)
    return f"{_label(row)} ({count} of {seeds} seeds)" if seeds > 1 else _label(row)


def _value(figure: Figure) -> str:
    return f"{figure.mean:.4f}" + (f" ± {figure.spread:.4f}" if figure.spread is not None else "")


def _label(row: Row) -> str:
    return plain(row.group.label)
