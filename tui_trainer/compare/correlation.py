"""What goes with what runs are compared by: each setting in which they differ beside how they ended, and the rank
correlation of the two, which is Spearman's.

C. Spearman, "The proof and measurement of association between two things", American Journal of Psychology 15 (1904).
Where values are equal each gets the mean of their ranks, and the coefficient is Pearson's of the ranks: M. G. Kendall,
"Rank Correlation Methods" (1948), chapter 3. Nothing is said of significance: settings are chosen, not drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean
from typing import NamedTuple

from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.differences import settings_of
from tui_trainer.compare.table import Table, numbers_of
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted
from tui_trainer.text.plain import plain

LEAST_RUNS = 5
"""Of fewer finished runs nothing is drawn: any order of four is a line now and then."""

FEW_RUNS = 10
"""Of fewer it is said that they are few."""

WIDE = 30.0
"""A setting whose largest value is so many times its smallest lies on a log scale."""


class Dot(NamedTuple):
    """A finished run."""

    number: int
    """Of its preset."""
    label: str
    value: float | str
    """What it had for the setting: a number, or in words."""
    outcome: float
    """How it ended, in what runs are compared by."""


@dataclass(frozen=True)
class Relation:
    """A setting, and how the runs that have it ended."""

    key: str
    dots: tuple[Dot, ...]
    correlation: float | None
    """Spearman's, from -1 to 1; None of a setting in words, or where all ended alike."""

    @property
    def is_numeric(self) -> bool:
        """Whether the setting is a number in each run."""
        return not any(isinstance(dot.value, str) for dot in self.dots)

    @property
    def is_log(self) -> bool:
        """Whether its values span so much that they lie on a log scale."""
        values = [dot.value for dot in self.dots if not isinstance(dot.value, str)]
        return self.is_numeric and min(values) > 0 and max(values) / min(values) > WIDE

    @property
    def words(self) -> str:
        """What there is to say of it."""
        count = counted(len(self.dots), "run")
        few = f"; {say('comparison.few_runs')}" if len(self.dots) < FEW_RUNS else ""
        if self.correlation is None:
            return f"{count}{few}"
        return say("comparison.rank_correlation", rho=f"{self.correlation:+.2f}", runs=count) + few


def relations(comparison: Comparison, table: Table) -> list[Relation]:
    """The settings in which finished runs differ, those that go with the outcome most first, those in words last; none
    where fewer than five have finished. Runs that switched presets had no settings of their own, and are left out."""
    column = next(column for column in table.columns if column.key == table.final_key)
    found: dict[str, list[Dot]] = {}
    for group, told in zip(comparison.groups, settings_of(comparison), strict=True):
        settings = told or {}
        for run in group.runs:
            outcome = column.read(numbers_of(run, None, table.metric))
            if run.state == "finished" and outcome is not None and not run.history.switches:
                for key, value in settings.items():
                    found.setdefault(key, []).append(Dot(group.number, group.label, _value(value), outcome))
    related = [_relation(key, dots) for key, dots in found.items() if len(dots) >= LEAST_RUNS]
    differing = [each for each in related if len({dot.value for dot in each.dots}) > 1]
    return sorted(differing, key=lambda each: (not each.is_numeric, -abs(each.correlation or 0.0)))


def spearman(a: Sequence[float], b: Sequence[float]) -> float | None:
    """The rank correlation of pairs, from -1 to 1; None where all of one of them are equal, or there are none."""
    ranks_a, ranks_b = ranks(a), ranks(b)
    if not ranks_a:
        return None
    mean_a, mean_b = fmean(ranks_a), fmean(ranks_b)
    square_a = sum((x - mean_a) ** 2 for x in ranks_a)
    square_b = sum((y - mean_b) ** 2 for y in ranks_b)
    if not square_a or not square_b:
        return None
    both = sum((x - mean_a) * (y - mean_b) for x, y in zip(ranks_a, ranks_b, strict=True))
    return max(-1.0, min(1.0, both / sqrt(square_a * square_b)))


def ranks(values: Sequence[float]) -> list[float]:
    """The place of each among all, from 1; equal ones share the mean of their places."""
    order = sorted(range(len(values)), key=values.__getitem__)
    placed = [0.0] * len(values)
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and values[order[stop]] == values[order[start]]:
            stop += 1
        for i in order[start:stop]:
            placed[i] = (start + 1 + stop) / 2
        start = stop
    return placed


def _relation(key: str, dots: Sequence[Dot]) -> Relation:
    values = [dot.value for dot in dots if not isinstance(dot.value, str)]
    if len(values) < len(dots):  # in words of some: in words of all
        return Relation(key, tuple(dot._replace(value=_words(dot.value)) for dot in dots), None)
    return Relation(key, tuple(dots), spearman(values, [dot.outcome for dot in dots]))


def _words(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _value(value: object) -> float | str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return float(value)
    return plain(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
