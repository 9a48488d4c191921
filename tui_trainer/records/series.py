"""Named series of numbers: of any metric, at any steps, as they were logged."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterator, Mapping, Sequence
from math import isfinite
from typing import NamedTuple, Protocol

from tui_trainer.events import Goal, Kind, MetricDeclared
from tui_trainer.records.columns import KEPT

ATTEMPTS_KEPT = 16
"""Of what was trained, and then trained again from an earlier step, so many parts are kept, the latest ones."""

MOST_SERIES = 20_000
"""Series that are logged and kept, beside those that every run has: each costs, and a record may be made to harm."""

LARGEST_EXACT = 2**53
"""Beyond it a float does not hold every whole number."""


class Point(NamedTuple):
    """A number of a series."""

    step: int
    value: float


class Attempt(NamedTuple):
    """What stood in a series from some step on, before the run went back to it and another try took its place."""

    steps: Sequence[int]
    values: Sequence[float]


class Series(Protocol):
    """A metric over the run: `values[i]` was logged at `steps[i]`, and steps rise.

    A nan or an infinity is a value that was logged. What was not logged is not there, but in a series of every step,
    where steps that a damaged record has lost stand as nan: `is_missing` tells them apart.
    """

    name: str

    @property
    def steps(self) -> Sequence[int]:
        """At which step each value was logged; rising, from 0 on."""

    @property
    def values(self) -> Sequence[float]:
        """The values, as floats."""

    @property
    def attempts(self) -> Sequence[Attempt]:
        """Earlier attempts, which later ones took the place of; oldest first."""

    @property
    def rewrites(self) -> int:
        """How often something else took the place of what stood there: who kept something of it looks anew."""

    @property
    def missing(self) -> int:
        """How many values were lost."""

    def is_missing(self, step: int) -> bool:
        """Whether the value at this step was lost, rather than logged as nan."""


class StepSeries:
    """A number of every step: a view of a column whose index `i` is step `i + 1`."""

    attempts: Sequence[Attempt] = ()

    def __init__(self, name: str, values: array[float], lost: list[tuple[int, int]]) -> None:
        """Look at a column.

        Args:
            name: of the series.
            values: the column; it grows.
            lost: the first and the last of steps in a row that the record lost, or never had; it grows, and rises.
        """
        self.name = name
        self.rewrites = 0
        self.values: Sequence[float] = values
        self._lost = lost

    @property
    def steps(self) -> Sequence[int]:
        """From 1 to the last one."""
        return range(1, len(self.values) + 1)

    @property
    def missing(self) -> int:
        return sum(last - first + 1 for first, last in self._lost)

    def missing_until(self, step: int) -> int:
        """How many values were lost, or were never to be seen, of the steps up to this one."""
        place = bisect_right(self._lost, step, key=lambda span: span[0])
        return sum(min(last, step) - first + 1 for first, last in self._lost[:place])

    def is_missing(self, step: int) -> bool:
        """Whether the record lost this step."""
        place = bisect_right(self._lost, (step, step), key=lambda span: (span[0], step))
        return place > 0 and self._lost[place - 1][0] <= step <= self._lost[place - 1][1]


class LoggedSeries:
    """Numbers at the steps at which they were logged, 16 bytes each."""

    def __init__(self, name: str, *, forgets: bool = False) -> None:
        """Nothing was logged yet; `forgets` as for a history: the last ones alone are held."""
        self.name = name
        self.steps = array("q")
        self.values = array("d")
        self.attempts: list[Attempt] = []
        self.rewrites = 0
        self.missing = 0
        self._whole: dict[int, int] = {}
        """At these steps a whole number was logged that its float is not."""
        self._forgets = forgets

    def log(self, step: int, value: float | int) -> None:
        """Add a number, or put it into the place of all that was logged at this step and behind it."""
        steps = self.steps
        if steps and step <= steps[-1]:
            self._go_back_to(step)
        if type(value) is int:
            self._keep_exact(step, value)
        steps.append(step)
        self.values.append(value)
        self._trim()

    def log_many(self, steps: Sequence[int], values: Sequence[float | int]) -> None:
        """Add numbers at steps that rise."""
        if self.steps and steps[0] <= self.steps[-1]:
            self._go_back_to(steps[0])
        for step, value in zip(steps, values, strict=True) if int in map(type, values) else ():
            self._keep_exact(step, value)
        self.steps.extend(array("q", steps))
        self.values.extend(array("d", values))
        self._trim()

    def is_missing(self, step: int) -> bool:
        """Never: what was not logged is not there."""
        return False

    def exact(self, index: int) -> float | int:
        """The number as it was logged: a large whole one is no float."""
        return self._whole.get(self.steps[index], self.values[index])

    def _keep_exact(self, step: int, value: float | int) -> None:
        if type(value) is int and abs(value) > LARGEST_EXACT and int(float(value)) != value:
            self._whole[step] = value

    def _go_back_to(self, step: int) -> None:
        first = bisect_left(self.steps, step)
        self.rewrites += 1
        if len(self.steps) - first > 1 or self.steps[first] != step:  # a number alone, told again, is a correction
            self.attempts.append(Attempt(self.steps[first:], self.values[first:]))
            del self.attempts[:-ATTEMPTS_KEPT]
        self._drop(first, len(self.steps))

    def _trim(self) -> None:
        if self._forgets and len(self.steps) > 2 * KEPT:
            self._drop(0, len(self.steps) - KEPT)

    def _drop(self, first: int, end: int) -> None:
        if self._whole:
            for step in self.steps[first:end]:
                self._whole.pop(step, None)
        del self.steps[first:end], self.values[first:end]


OURS: Mapping[str, tuple[Goal, Kind]] = {
    "train_loss": ("min", "train"),
    "train_accuracy": ("max", "train"),
    "val_loss": ("min", "val"),
    "val_accuracy": ("max", "val"),
    "lr": ("none", "lr"),
    "images_per_second": ("none", "system"),
}
"""What is known of the series that every run of ours has; of others a run declares it."""

OF_STEPS = ("train_loss", "lr")
"""The series of every step, in a run whose steps are told one by one."""

_LOGGED = " (logged)"


def shown_name(name: str, steps: bool) -> str:
    """The name by which a number that was logged by this one is shown: another where `steps` have their own series
    of that name."""
    if not steps or not name.startswith(OF_STEPS):
        return name
    stem = name
    while stem.endswith(_LOGGED):  # one that was logged by the name that is given here makes room as well
        stem = stem.removesuffix(_LOGGED)
    return name + _LOGGED if stem in OF_STEPS else name


OBJECTIVES = ("val_accuracy", "val_loss")
"""By what a run is judged that declares nothing: the first of these that it has."""


class AllSeries(Mapping[str, Series]):
    """All series of a run by name, in the order in which they came."""

    def __init__(self, *, forgets: bool = False) -> None:
        self._series: dict[str, Series] = {}
        self._logged: dict[str, LoggedSeries] = {}
        """By the names by which they were logged."""
        self._of_steps = False
        self._declared: dict[str, MetricDeclared] = {}
        self._best: dict[tuple[str, Goal], _Best] = {}
        self._forgets = forgets
        self._objective = ""
        self._kind_of_all: tuple[tuple[int, int], Hashable] = ((-1, -1), ())
        self.declarations = 0
        """Grows with every one: what was concluded from an older one may be stale."""
        self.left_out = False
        """Whether there were more series than `MOST_SERIES`, of which those that came later are not here."""

    def __getitem__(self, name: str) -> Series:
        return self._series[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def add_of_steps(self, *added: StepSeries) -> None:
        """Have the series of every step among them. What was logged by their names is shown by others from now on."""
        self._of_steps = True
        self._best.clear()
        for name, logged in self._logged.items():
            logged.name = shown_name(name, steps=True)
        for series in added:
            if (before := self._series.get(series.name)) is not None:
                series.rewrites = before.rewrites + 1
        self._series = {series.name: series for series in (*self._series.values(), *added)}

    def declare(self, event: MetricDeclared) -> None:
        """Take what a series is."""
        if len(self._declared) >= MOST_SERIES and event.name not in self._declared and not event.objective:
            self.left_out = True
            return
        self._declared[event.name] = event
        self.declarations += 1
        if event.objective:
            self._objective = event.name
        elif self._objective == event.name:
            self._objective = ""

    def log(self, step: int, values: Mapping[str, float | int]) -> None:
        """Take numbers that were logged together."""
        for name, value in values.items():
            if (series := self._logged.get(name) or self._named(name)) is not None:
                series.log(step, value)

    def log_many(self, name: str, steps: Sequence[int], values: Sequence[float | int]) -> None:
        """Take numbers of a series at steps that rise."""
        if (series := self._logged.get(name) or self._named(name)) is not None:
            series.log_many(steps, values)

    @property
    def kind_of_all(self) -> Hashable:
        """The same of two runs that have series of the same names in the same order, and have said the same of them."""
        as_of = len(self._series), self.declarations
        if self._kind_of_all[0] != as_of:
            said = tuple((each.name, each.goal, each.kind, each.unit) for each in self._declared.values())
            self._kind_of_all = as_of, (tuple(self._series), said, self._objective)
        return self._kind_of_all[1]

    def keeps(self, name: str) -> bool:
        """Whether numbers that were logged by this name are here."""
        return name in self._logged

    def declared(self, name: str) -> MetricDeclared | None:
        """What the run said of a series; None where it said nothing."""
        return self._declared.get(name)

    def declares(self, start: str) -> bool:
        """Whether the run has said what a series is whose name begins so."""
        return any(name.startswith(start) for name in self._declared)

    def shown_as(self, name: str) -> str:
        """What the program itself calls a series; its name where it does not say."""
        declared = self.declared(name)
        return (declared.shown_as if declared is not None else "") or name

    def goal(self, name: str) -> Goal:
        """Whether less or more of a series is better."""
        said = self._declared.get(name)
        return said.goal if said is not None else OURS.get(name, ("none", "other"))[0]

    def kind(self, name: str) -> Kind:
        """Of what a series is."""
        said = self._declared.get(name)
        return said.kind if said is not None else OURS.get(name, ("none", "other"))[1]

    def group(self, name: str) -> str:
        """What a series is shown under: as declared, else the part of its name before the last slash."""
        said = self._declared.get(name)
        return said.group if said is not None and said.group else name.rpartition("/")[0]

    @property
    def declared_objective(self) -> str:
        """By which series the run has said that it is judged, be there one or not; empty where it said nothing."""
        return self._objective

    @property
    def objective(self) -> str | None:
        """By which series the run is judged; None while there is none."""
        if self._objective in self._series:
            return self._objective
        return next((name for name in OBJECTIVES if name in self._series), None)

    def best(self, name: str, goal: Goal | None = None) -> Point | None:
        """The best finite value of a series by its goal, or by this one, of equals the earliest; None where there is
        none.

        A look costs as much as came since the last one.
        """
        goal, series = goal or self.goal(name), self._series.get(name)
        if series is None or goal == "none":
            return None
        known = self._best.get((name, goal))
        if known is None:
            known = self._best[name, goal] = _Best(goal)
        return known.of(series)

    def last(self, name: str) -> Point | None:
        """The latest value of a series, finite or not; None where it has none."""
        series = self._series.get(name)
        return Point(series.steps[-1], series.values[-1]) if series is not None and len(series.values) else None

    def _named(self, name: str) -> LoggedSeries | None:
        """A series to log into, made for a name that is new; None where there are too many."""
        if len(self._logged) >= MOST_SERIES and name not in OURS and name != self._objective:
            self.left_out = True
            return None
        shown = shown_name(name, self._of_steps)
        made = self._made(shown)
        self._logged[name] = self._series[shown] = made
        return made

    def _made(self, name: str) -> LoggedSeries:
        return LoggedSeries(name, forgets=self._forgets)


class _Best:
    """The best value so far of a series that grows."""

    def __init__(self, goal: Goal) -> None:
        self.goal = goal
        self._seen = -1
        """The last step that was looked at."""
        self._rewrites = 0
        self._best: Point | None = None

    def of(self, series: Series) -> Point | None:
        steps, values = series.steps, series.values
        if series.rewrites != self._rewrites:
            self._seen, self._rewrites, self._best = -1, series.rewrites, None
        sign = 1 if self.goal == "max" else -1
        best = self._best
        for index in range(bisect_right(steps, self._seen), len(values)):
            value = values[index]
            if isfinite(value) and (best is None or sign * value > sign * best.value):
                best = Point(steps[index], value)
        self._seen, self._best = steps[-1] if len(steps) else -1, best
        return best
