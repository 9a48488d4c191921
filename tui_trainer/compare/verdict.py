"""The verdict in words, from the numbers of the table and nothing else; with Welch's t-test, by the standard library.

B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
Biometrika 34 (1947). The tail of Student's t is a regularized incomplete beta function (DLMF 8.17.2, dlmf.nist.gov),
here by its continued fraction (DLMF 8.17.22) with Lentz's method.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, lgamma, log, log1p

from tui_trainer.compare.comparison import BY_RULE, UNKNOWN, Comparison
from tui_trainer.compare.fairness import MOST, Fairness
from tui_trainer.compare.metric import Metric, near
from tui_trainer.compare.table import Figure, Row, Table, with_spread
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, listed
from tui_trainer.text.plain import plain

NAME = "Welch's t-test"
SIGNIFICANT = 0.05
_TINY = 1e-300


def welch(a: Figure, b: Figure) -> float | None:
    """The two-sided p-value of equal means; None where a sample has fewer than two values."""
    if a.spread is None or b.spread is None:
        return None
    share_a, share_b = a.spread * a.spread / a.count, b.spread * b.spread / b.count
    both = share_a + share_b
    difference = a.mean - b.mean
    if both == 0:
        return 1.0 if difference == 0 else 0.0
    freedom = both**2 / (share_a**2 / (a.count - 1) + share_b**2 / (b.count - 1))
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
    begun = table.begun
    whole = table.finished.once("numbers", lambda: [row for row in table.finished.rows if row.numbers])
    sentences: list[str] = _judged_otherwise(comparison, table)
    if not begun:
        sentences += [] if sentences else _nothing_yet(comparison, table)
    elif len(begun) == 1:
        at = _at(table, begun[0].figure(table.final_key), so_far=not begun[0].is_whole)
        if table.metric.is_accuracy:
            sentences.append(say("comparison.only_one", who=_label(begun[0]), at=at))
        else:
            sentences.append(say("comparison.only_one_has_it", who=_label(begun[0]), metric=table.metric.words, at=at))
    elif len(whole) < 2:
        sentences += _too_few(comparison, table, begun, whole)
    else:
        sentences += table.finished.once("ahead", lambda: _who_is_ahead(table, whole))
    if begun:
        sentences += _what_is_not_there(table)
    sentences += _what_went_otherwise(comparison, table)
    if comparison.session.trouble:
        sentences.append(plain(comparison.session.trouble))
    return sentences


def _who_is_ahead(table: Table, whole: Sequence[Row]) -> list[str]:
    return [*_who_was_first(table, whole), *_who_ended_best(table, whole), *_who_was_best(table)]


def _judged_otherwise(comparison: Comparison, table: Table) -> list[str]:
    """By what each is judged, where no series that judges is had by all, and nobody has asked for one."""
    asked = comparison.by if comparison.by is not None else comparison.session.plan.metric
    if asked is not None or not comparison.standing.foreign:
        return []
    recorded = ((row, run.history) for row in table.told for run in row.group.standing.recorded)
    told = [(row, history) for row, history in recorded if len(history.series)]
    without = [history for _, history in told if table.metric.name not in history.series]
    if len(told) < 2 or all(history.written_at is None for history in without):
        return []
    who = dict.fromkeys(
        say("comparison.judged_by", who=_label(row), series=plain(history.series.objective))
        if history.series.objective is not None
        else say("comparison.judged_by_none", who=_label(row))
        for row, history in told
    )
    return [say("comparison.judged_otherwise", who=listed([*who], MOST))]


def _nothing_yet(comparison: Comparison, table: Table) -> list[str]:
    if table.metric.is_accuracy:
        return [say("comparison.no_epoch")]
    every = comparison.series
    if not comparison.is_over or not any(every):
        return [say("comparison.not_logged_yet", metric=table.metric.words)]
    names = [plain(each) for each in near(table.metric.name, every)]
    if not names:
        return [say("comparison.no_such_metric", metric=table.metric.words)]
    return [say("comparison.no_such_metric_but", metric=table.metric.words, names=listed(names))]


def _at(table: Table, figure: Figure | None, *, so_far: bool = False) -> str:
    """`, at 0.9780`, or `, with val_loss at 0.0877`; nothing where there is no number."""
    if figure is None:
        return ""
    what = "" if table.metric.is_accuracy else f"with {table.metric.words} "
    return f", {what}at {_value(figure, table.metric)}{' so far' if so_far else ''}"


def _in(metric: Metric, word: str) -> str:
    """`highest`; of what is not the accuracy, `lowest in val_loss`."""
    return word if metric.is_accuracy else f"{word} in {metric.words}"


def caution(fair: Fairness) -> str:
    """What must be said beside the verdict where fairness is told elsewhere; empty where it was fair."""
    unlike = [fact.name for fact in fair.differing if fact.touches == "results"]
    return say("comparison.unlike", names=listed(unlike)) if unlike else ""


def _among(table: Table) -> str:
    """Behind what is said of the finished ones alone; empty where all have finished."""
    count = len(table.finished.rows)
    return "" if count == len(table.rows) else say("comparison.of_finished", count=count)


def _too_few(comparison: Comparison, table: Table, begun: Sequence[Row], whole: Sequence[Row]) -> list[str]:
    """Fewer than two have finished: there is nobody to be ahead of."""
    seeds = say("comparison.all_seeds") if any(len(row.group.runs) > 1 for row in begun) else ""
    over = comparison.is_over
    if whole:
        id = "comparison.one_finished" if over else "comparison.one_finished_yet"
        return [say(id, who=_label(whole[0]), seeds=seeds, at=_at(table, whole[0].whole(table.final_key)))]
    return [say("comparison.none_finished" if over else "comparison.none_finished_yet", seeds=seeds)]


def _who_was_first(table: Table, whole: Sequence[Row]) -> list[str]:
    """By epochs, which are the same on every machine, and in seconds only as a remark; by steps where none has any."""
    if table.target is None or table.metric.goal == "none":
        return []
    key = "target_epoch" if any(row.whole("target_epoch") for row in whole) else "target_step"
    there = [(figure, row) for row in whole if (figure := row.whole(key))]
    target = f"{table.target:g}" if table.metric.is_accuracy else f"{table.metric.words} {table.target:g}"
    among = _among(table)
    in_part = any(row.figure("target_step") for row in whole if row.whole(key) is None)
    seeds = say("comparison.with_all_seeds") if in_part else ""
    if not there:
        if not table.target_was_asked:
            return []
        return [say("comparison.none_reached", among=among, target=target, seeds=seeds)]
    soonest = min(figure.mean for figure, _ in there)
    first = [row for figure, row in there if figure.mean == soonest]
    unit = key.removeprefix("target_")
    when = f"{unit} {soonest:.0f}" if soonest == round(soonest) else f"{unit} {soonest:.1f} on average"
    if len(first) == 1:
        if (took := first[0].whole("target_seconds")) is not None:
            when += f", {took.mean:.1f} s"
        return [say("comparison.first", who=_label(first[0]), target=target, seeds=seeds, among=among, when=when)]
    if len(first) == len(whole):
        return [say("comparison.all_reached", among=among, target=target, when=when)]
    who = listed([_label(row) for row in first], MOST)
    return [say("comparison.first_together", who=who, target=target, seeds=seeds, among=among, when=when)]


def _who_ended_best(table: Table, whole: Sequence[Row]) -> list[str]:
    metric, among = table.metric, _among(table)
    if metric.goal == "none":
        return [say("comparison.no_goal", metric=metric.words)]
    ended = [(figure, row) for row in whole if (figure := row.whole(table.final_key))]
    ended.sort(key=lambda pair: pair[0].mean * metric.sign, reverse=True)
    if len(ended) < 2:
        return []
    (a, one), (b, two) = ended[:2]
    if a.mean == b.mean:
        level = listed([_label(row) for figure, row in ended if figure.mean == a.mean], MOST)
        rest = len(ended) > sum(figure.mean == a.mean for figure, _ in ended)
        how = f" and {_in(metric, metric.extreme)}" if rest else "" if metric.is_accuracy else f" in {metric.words}"
        return [say("comparison.level", who=level, how=how, among=among, value=_value(a, metric))]
    lead = abs(a.mean - b.mean)
    by = f"{lead:.4f}" if metric.is_accuracy else metric.show(lead)
    return [
        say(
            "comparison.ended_best",
            who=_label(one),
            how=_in(metric, metric.extreme),
            among=among,
            value=_value(a, metric),
            other=_label(two),
            others=_value(b, metric),
            lead=f"{by}{_weight(one, two, lead, table)}",
        )
    ]


def _weight(one: Row, two: Row, lead: float, table: Table) -> str:
    """What a lead is worth: tested against the spread of seeds, or in images where there is but one seed."""
    a, b = one.figures[table.final_key], two.figures[table.final_key]
    p = welch(a, b)
    if p is not None:
        spread = max(a.spread or 0.0, b.spread or 0.0)
        larger, holds = lead > spread, p < SIGNIFICANT
        beside = "comparison.beyond_spread" if larger else "comparison.within_spread"
        compared = say("comparison.at_spread" if lead == spread else beside) + (":" if larger == holds else ", yet")
        n, m = a.count, b.count
        seeds = f"{n} seeds each" if n == m else f"{n} and {m} seeds"
        id = "comparison.more_than_luck" if holds else "comparison.could_be_luck"
        return ", " + say(id, compared=compared, test=NAME, p=_p(p), seeds=seeds)
    luck = say("comparison.luck_of_a_seed", seed=_one_seed(one, two))
    if not table.metric.is_accuracy:
        return f", {luck}"
    told = [run.history.resolved for row in (one, two) for run in row.group.standing.recorded]
    images = {resolved.val_images for resolved in told if resolved is not None}
    if len(images) != 1:
        return ""
    (count,) = images
    if count is None:
        return ""
    return f": {lead * count:.0f} of {counted(count, 'image')}, {luck}"


def _one_seed(one: Row, two: Row) -> str:
    """Whose seed it may be, and what would tell; nothing is advised that was done already."""
    single = [row for row in (one, two) if len(row.group.runs) == 1]
    if len(single) == 1:
        return say("comparison.seed_of", who=_label(single[0]))
    if all(row.group.runs[0].entry.is_trained_here for row in single):
        return say("comparison.seeds_tell")
    if all(row.group.runs[0].has_preset for row in single):
        return say("comparison.seeds_of_presets_tell")
    return say("comparison.other_seeds_tell")


def _p(p: float) -> str:
    return f"= {p:.2g}" if p >= 0.001 else "< 0.001"


def _who_was_best(table: Table) -> list[str]:
    """Said where the best of all, at any time, was not that of who ended best."""
    metric, best = table.metric, table.best_ever
    ended = table.finished.in_column(table.final_key)
    if best is None or not ended:
        return []
    ahead = max(ended, key=lambda pair: pair[0].mean * metric.sign)[1]
    there, here = best.figures[table.best_key], ahead.whole(table.best_key)
    if here is None or there.mean * metric.sign <= here.mean * metric.sign:
        return []
    values = {"among": _among(table), "who": _label(best), "value": _value(there, metric)}
    if metric.is_accuracy:
        return [say("comparison.best_epoch", **values)]
    return [say("comparison.best_value", extreme=metric.extreme, metric=metric.words, **values)]


def _what_is_not_there(table: Table) -> list[str]:
    """Whose runs have ended without the metric, and whose ended in one that is no number."""
    metric = table.metric
    if metric.is_accuracy:
        return []
    absent = [_with_seeds(row, row.without) for row in table.told if row.without]
    unfit = [_with_seeds(row, row.not_finite) for row in table.told if row.not_finite]
    said = []
    if absent:
        has = "has" if len(absent) == 1 else "have"
        said.append(say("comparison.without_metric", who=listed(absent, MOST), has=has, metric=metric.words))
    if unfit:
        said.append(say("comparison.not_finite", who=listed(unfit, MOST), metric=metric.words))
    return said


def _what_went_otherwise(comparison: Comparison, table: Table) -> list[str]:
    said, standing = [], comparison.standing
    for state, one, several in (
        ("diverged", "comparison.one_diverged", "comparison.diverged"),
        ("crashed", "comparison.crashed", "comparison.crashed"),
        ("stopped", "comparison.one_stopped", "comparison.stopped"),
        (BY_RULE, "comparison.one_by_rule", "comparison.by_rule"),
        ("gone", "comparison.one_gone", "comparison.gone"),
    ):
        if state not in standing.states:
            continue
        labels = [_with_seeds(row, count) for row in table.told if (count := row.group.standing.states.get(state, 0))]
        if labels:
            said.append(say(one if len(labels) == 1 else several, who=listed(labels, MOST)))
    said += _what_is_not_whole(comparison, table)
    to_come = len(comparison.runs) - standing.over - standing.states.get(UNKNOWN, 0)
    if to_come:
        said.append(say("comparison.not_over", runs="1 run is" if to_come == 1 else f"{to_come} runs are"))
    if UNKNOWN in standing.states:
        untold = [_label(row) for row in table.told if UNKNOWN in row.group.standing.states]
        said.append(say("comparison.end_unknown", who=listed(untold, MOST)))
    return said


def _what_is_not_whole(comparison: Comparison, table: Table) -> list[str]:
    """Means of some seeds stand in the table, and win nothing."""
    parts = [row for row in table.told if row.numbers and not row.is_whole and len(row.group.runs) > 1]
    if not parts:
        return []
    has = "finished" if comparison.is_over else "has finished"
    counts = [f"{_label(row)} {has} {len(row.numbers)} of {len(row.group.runs)} seeds" for row in parts]
    id = "comparison.a_part" if len(parts) == 1 else "comparison.parts"
    return [say(id, counts=listed(counts, MOST))]


def _with_seeds(row: Row, count: int) -> str:
    """A preset's name, and how many of its seeds are meant, where it has several."""
    seeds = len(row.group.runs)
    return f"{_label(row)} ({count} of {seeds} seeds)" if seeds > 1 else _label(row)


def _value(figure: Figure, metric: Metric) -> str:
    show = "{:.4f}".format if metric.is_accuracy else metric.show
    return with_spread(show(figure.mean), show(figure.spread) if figure.spread is not None else None)


def _label(row: Row) -> str:
    return row.group.words
