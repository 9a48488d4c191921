"""By which number runs are compared: their validation accuracy, or any series that they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice

from tui_trainer.events import Goal
from tui_trainer.records.series import OURS, AllSeries
from tui_trainer.records.series_names import our_name, parsed
from tui_trainer.text.numbers import format_lr, format_metric
from tui_trainer.text.plain import plain

LONG, SHORT = 28, 14
"""Characters that a name gets in the heading of a column, and where room is scarce."""

MOST_NEAR, NEAR_CHARACTERS = 1000, 60
"""Of so many names the near ones are looked for, by so many characters of each."""


@dataclass(frozen=True)
class Metric:
    """A series, and whether less or more of it is better."""

    name: str
    goal: Goal
    unit: str = ""
    """As a person writes it behind the number; empty for plain numbers."""

    @property
    def is_accuracy(self) -> bool:
        """Whether it is the validation accuracy, by which runs are compared unless somebody asks for another one."""
        return self.name == ACCURACY.name and self.goal == ACCURACY.goal

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is, 0 where neither."""
        return {"max": 1, "min": -1, "none": 0}[self.goal]

    @property
    def extreme(self) -> str:
        """What its best value is called."""
        return "lowest" if self.goal == "min" else "highest"

    @property
    def words(self) -> str:
        """Its name as text."""
        return plain(self.name)

    def title(self, most: int = LONG) -> str:
        """Its name in so many characters: the end of a long one, which tells it from those of its group."""
        words = self.words
        return words if len(words) <= most else f"…{words[1 - most :]}"

    def show(self, value: float) -> str:
        """A value of it, with its unit."""
        text = f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else format_metric(value) if abs(value) < 1e4 else ""
        return f"{text or format_lr(value)} {plain(self.unit)}".rstrip()


ACCURACY = Metric("val_accuracy", "max")
"""What runs are compared by where nobody asks for anything else."""


def metric_of(asked: str | None, every: Sequence[AllSeries]) -> Metric:
    """What is meant by `asked`; where it says no goal, that of the runs that have it and agree.

    Of None it is what all of them are judged by; where they are judged by several, the first that all have.
    """
    if asked is None:
        name, goal = _judged_by(every), None
    else:
        name, goal = parsed(asked)
        if not any(name in series for series in every):  # as another tool calls it
            name = next((ours for series in every if (ours := our_name(name)) is not None and ours in series), name)
    goals = {series.goal(name) for series in every if name in series or series.declared(name) is not None}
    agreed = goals.pop() if len(goals) == 1 else "none" if goals else OURS.get(name, ("none", "other"))[0]
    units = {said.unit for series in every if (said := series.declared(name)) is not None}
    return Metric(name, goal or agreed, units.pop() if len(units) == 1 else "")


def _judged_by(every: Sequence[AllSeries]) -> str:
    told = [series for series in every if len(series)]
    judged = dict.fromkeys(name for series in told if (name := series.objective) is not None)
    if len(judged) > 1:
        held_out = [name for name in in_common(told) if all(series.kind(name) == "val" for series in told)]
        better = [name for name in held_out if len({series.goal(name) for series in told} - {"none"}) == 1]
        return next((name for name in (*judged, *better) if all(name in series for series in told)), ACCURACY.name)
    return next(iter(judged), ACCURACY.name)


def in_common(every: Sequence[AllSeries]) -> list[str]:
    """The names of the series that all runs with any have: accuracy and loss first, then in the order of the runs.

    The LR is none of them: nobody is ahead in it.
    """
    told = [series for series in every if len(series)]
    shared = [name for name in (told[0] if told else ()) if name != "lr" and all(name in series for series in told)]
    first = ("val_accuracy", "val_loss")
    return [name for name in first if name in shared] + [name for name in shared if name not in first]


def near(name: str, every: Sequence[AllSeries]) -> list[str]:
    """Names of series that the runs have and that are like this one, the nearest first; at most three."""
    names = dict.fromkeys(each[:NEAR_CHARACTERS] for series in every for each in series)
    return list(_near(name[:NEAR_CHARACTERS], tuple(islice(names, MOST_NEAR))))


@lru_cache(maxsize=8)
def _near(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(get_close_matches(name, names, n=3, cutoff=0.55))
