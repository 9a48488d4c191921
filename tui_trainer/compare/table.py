"""The numbers of a comparison, a row a preset: means over its finished seeds, and their spread.

Who is best in a column, which target was named, whose numbers count: all that is said of a comparison, on the screen,
in plain lines, in a report or as JSON, takes it from here.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf, isfinite, isqrt
from statistics import fmean
from typing import NamedTuple, TypeVar

from tui_trainer.compare.comparison import Compared, Comparison, Group
from tui_trainer.compare.fairness import Fairness, fairness
from tui_trainer.compare.metric import ACCURACY, SHORT, Metric, metric_of
from tui_trainer.compare.together import Follower, InOrder, Together
from tui_trainer.records.history import History
from tui_trainer.records.series import Point
from tui_trainer.records.told_epochs import told_epochs
from tui_trainer.text.numbers import format_metric

T = TypeVar("T")

RUNGS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 0.999)
"""Accuracies that are taken for a target where none was asked for."""


@dataclass(frozen=True)
class Reached:
    """Where a run first came to the target; None is what is not known of it."""

    epoch: int | None
    step: int
    seconds: float | None


@dataclass(frozen=True)
class Numbers:
    """One run in figures; None is what it does not have (yet)."""

    best_accuracy: float | None
    final_accuracy: float | None
    best_loss: float | None
    final_loss: float | None
    epochs: int
    steps: int
    seconds: float | None
    images_per_second: float | None
    reached: Reached | None
    best_metric: float | None = None
    final_metric: float | None = None
    """Of what the runs are compared by, where that is not their accuracy."""
    last: Mapping[str, float] = field(default_factory=dict)
    """The last value of other series, where it is finite."""


@dataclass(frozen=True)
class Figure:
    """A number of several seeds."""

    count: int
    """How many have one."""
    mean: float
    """Over those that do."""
    spread: float | None
    """The sample's standard deviation; None of a single value."""

    @classmethod
    def of(cls, values: Iterable[float]) -> Figure:
        """Of these, one at the least."""
        sums = _Sums()
        for value in values:
            sums.count_in(value)
        return sums.figure


_BITS = 1074
"""A float is a whole number of times the smallest one above zero, which is one part in so many powers of two."""


class _Sums:
    """Numbers that come and go: added up in whole numbers, so that in whatever order they came it is the same."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = self._squares = 0

    def count_in(self, value: float, times: int = 1) -> None:
        """One more of this value; or one less."""
        numerator, denominator = float(value).as_integer_ratio()
        whole = numerator << _BITS + 1 - denominator.bit_length()
        self.count += times
        self._sum += times * whole
        self._squares += times * whole * whole

    @property
    def figure(self) -> Figure:
        """What they come to; there has to be one."""
        count = self.count
        mean = self._sum / (count << _BITS)
        if count < 2:
            return Figure(count, mean, None)
        return Figure(count, mean, _root(count * self._squares - self._sum**2, count * (count - 1)))


def _root(squares: int, parts: int) -> float:
    """The square root of so many squares of the smallest float by so many, as near as a float comes to it."""
    digits = max(0, 66 + (parts.bit_length() - squares.bit_length()) // 2)
    return isqrt((squares << 2 * digits) // parts) / (1 << _BITS + digits)


@dataclass(frozen=True)
class Column:
    """One column of the table."""

    key: str
    title: str
    short: str
    """The title where room is scarce."""
    read: Callable[[Numbers], float | None]
    show: Callable[[float], str]
    better: int
    """1 where more is better, -1 where less is, 0 where neither."""


def _seconds(value: float) -> str:
    if value < 99.95:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 6000 else f"{value / 3600:.1f} h"


def _count(value: float) -> str:
    return f"{value:,.0f}" if abs(value - round(value)) < 1e-9 else f"{value:,.1f}"


COLUMNS: tuple[Column, ...] = (
    Column("best_accuracy", "best acc", "best", lambda n: n.best_accuracy, lambda v: f"{v:.4f}", 1),
    Column("final_accuracy", "final acc", "final", lambda n: n.final_accuracy, lambda v: f"{v:.4f}", 1),
    Column("best_loss", "best loss", "b loss", lambda n: n.best_loss, format_metric, -1),
    Column("final_loss", "final loss", "loss", lambda n: n.final_loss, format_metric, -1),
    Column("target_epoch", "epoch", "epoch", lambda n: n.reached.epoch if n.reached else None, _count, -1),
    Column("target_step", "step", "step", lambda n: n.reached.step if n.reached else None, _count, -1),
    Column("target_seconds", "time", "time", lambda n: n.reached.seconds if n.reached else None, _seconds, -1),
    Column("images_per_second", "img/s", "img/s", lambda n: n.images_per_second, lambda v: f"{v:,.0f}", 1),
    Column("seconds", "took", "took", lambda n: n.seconds, _seconds, 0),
)
"""In the order of the table; those of the target hold from its first batch to the epoch's end that reached it."""


@lru_cache(maxsize=32)
def columns_of(metric: Metric) -> tuple[Column, ...]:
    """The columns where runs are compared by this: its own first, and what would stand there twice once."""
    if metric.is_accuracy:
        return COLUMNS
    long, short = metric.title(), metric.title(SHORT)
    own = [Column("final_metric", f"final {long}", short, lambda n: n.final_metric, metric.show, metric.sign)]
    if metric.goal != "none":
        titles = f"best {long}", f"{metric.extreme} {short}"
        own.insert(0, Column("best_metric", *titles, lambda n: n.best_metric, metric.show, metric.sign))
    twice = {"val_loss": ("best_loss", "final_loss"), "val_accuracy": ("best_accuracy", "final_accuracy")}
    rest = [column for column in COLUMNS if column.key not in twice.get(metric.name, ())]
    return (*own, *(replace(each, short=AMONG_OTHERS.get(each.key, each.short)) for each in rest))


def key_of_series(name: str) -> str:
    """The key of a column of the last value of a series."""
    return f"metrics.{name}"


def column_of_series(metric: Metric) -> Column:
    """A column of the last value of a series."""
    title, short = f"final {metric.title()}", metric.title(SHORT)
    return Column(key_of_series(metric.name), title, short, lambda n: n.last.get(metric.name), metric.show, metric.sign)


AMONG_OTHERS = {"best_accuracy": "b acc", "final_accuracy": "acc"}
"""Short titles of what runs are mostly compared by, where they are not."""

OF_SECONDS = ("target_seconds", "images_per_second", "seconds")
"""Columns that say how fast a machine is, too."""

TARGET_COLUMNS = ("target_epoch", "target_step", "target_seconds")


@dataclass(frozen=True)
class Row:
    """A preset in figures."""

    group: Group
    numbers: tuple[Numbers, ...]
    """Of its runs that count (`Group.counted`) and have ended an epoch."""
    figures: dict[str, Figure]
    """By the key of the column; none where no run has that number."""
    status: str
    progress: str
    """`3/10`, or `2 of 3 seeds, 4/10`."""
    begun: int
    """How many of its runs have anything by which they can be compared."""
    without: int
    """How many have ended without the series that they are compared by."""
    not_finite: int
    """How many have ended in a value of it that is no number."""
    is_whole: bool
    """Whether all its seeds have finished: a row that lacks one wins nothing, whatever the others make of it."""

    def values(self, column: Column) -> list[float]:
        """What its runs have in a column, those that have any."""
        return [value for each in self.numbers if (value := column.read(each)) is not None]

    def figure(self, key: str) -> Figure | None:
        """The number of a column."""
        return self.figures.get(key)

    def whole(self, key: str) -> Figure | None:
        """The number of a column where it may win: every seed has finished and has one."""
        figure = self.figures.get(key) if self.is_whole else None
        return figure if figure is not None and figure.count == len(self.group.runs) else None


class Finished:
    """The rows of which every seed has finished. As long as they are the same, what was found of them stands."""

    def __init__(self, rows: tuple[Row, ...]) -> None:
        self.rows = rows
        self._found: dict[object, object] = {}

    def once(self, what: Hashable, find: Callable[[], T]) -> T:
        """What `find` finds of them, which goes by a name."""
        if what not in self._found:
            self._found[what] = find()
        return self._found[what]  # type: ignore[return-value]

    def in_column(self, key: str) -> list[tuple[Figure, Row]]:
        """The figures of a column that may win, and whose they are."""
        return self.once(
            ("column", key), lambda: [(figure, row) for row in self.rows if (figure := row.whole(key)) is not None]
        )


@dataclass(frozen=True)
class Table:
    """All rows, in the order of the comparison."""

    rows: tuple[Row, ...]
    told: tuple[Row, ...]
    """Those of which anything is to be said: of ten thousand, most may be to come."""
    finished: Finished = field(compare=False)
    target: float | None
    target_was_asked: bool
    metric: Metric = ACCURACY
    """By what they are compared."""
    series: tuple[Metric, ...] = ()
    """Others that have a column."""
    seconds_compare: bool = True
    """Whether all have trained on the same machine, as far as is told: else nobody is best in seconds."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, those of the metric first."""
        return (*columns_of(self.metric), *map(column_of_series, self.series))

    @property
    def final_key(self) -> str:
        """The column of how they ended, in what they are compared by."""
        return "final_accuracy" if self.metric.is_accuracy else "final_metric"

    @property
    def best_key(self) -> str:
        """The column of their best, in what they are compared by."""
        return "best_accuracy" if self.metric.is_accuracy else "best_metric"

    @property
    def begun(self) -> list[Row]:
        """Those with runs by which they can be compared."""
        return [row for row in self.told if row.begun]

    @property
    def best(self) -> dict[str, list[int]]:
        """By column, the numbers of the groups that are best in it; of none where all that may win are alike."""
        return self.finished.once("best", self._best)

    def _best(self) -> dict[str, list[int]]:
        best: dict[str, list[int]] = {}
        for column in self.columns:
            if column.key in OF_SECONDS and not self.seconds_compare:
                continue
            have = self.finished.in_column(column.key)
            if not column.better or len(have) < 2:
                continue
            top = max(figure.mean * column.better for figure, _ in have) * column.better
            winners = [row.group.number for figure, row in have if figure.mean == top]
            if len(winners) < len(have):
                best[column.key] = winners
        return best

    @property
    def best_ever(self) -> Row | None:
        """Of those that have finished, the one that at any time was best in what they are compared by."""
        have = self.finished.in_column(self.best_key)
        return max(have, key=lambda pair: pair[0].mean * self.metric.sign)[1] if have else None

    def sorted_by(self, key: str, reverse: bool = False) -> list[Row]:
        """The best first (or last); after those that may win the others, and rows without that number at the end.

        `` keeps the order of training.
        """
        column = next((column for column in self.columns if column.key == key), None)
        if column is None:
            return list(reversed(self.rows)) if reverse else list(self.rows)
        sign = -1 if (column.better or 1) > 0 else 1
        have = [row for row in self.told if key in row.figures]
        have.sort(key=lambda row: row.figures[key].mean * sign, reverse=reverse)
        have.sort(key=lambda row: row.whole(key) is None)
        return have + [row for row in self.rows if key not in row.figures]


def tabulate(
    comparison: Comparison,
    metric: Metric | None = None,
    series: Sequence[str] = (),
    fair: Fairness | None = None,
) -> Table:
    """The numbers as they stand, by this metric where it is not the comparison's own, and with the last value of other
    series; `fair` is how fair it is, where that is known.

    A target is one of what the session was begun with: by another metric there is none.
    """
    table = tabulate_until(inf, comparison, metric, series, fair)
    assert table is not None
    return table


def tabulate_until(
    until: float,
    comparison: Comparison,
    metric: Metric | None = None,
    series: Sequence[str] = (),
    fair: Fairness | None = None,
) -> Table | None:
    """The same; None where it is not done yet as this thread has computed so long (`time.thread_time`), and goes on
    with the next call."""
    metric = metric or comparison.metric
    target = comparison.target if metric.name == comparison.target_metric.name else None
    asked = target is not None
    if metric.is_accuracy and comparison.target is None and comparison.target_metric.is_accuracy:
        target = named_target(comparison)
    others = tuple(metric_of(name, comparison.series) for name in dict.fromkeys(series))
    known = comparison.kept(_Rows)
    known.ask(target, metric, others)
    if not known.catch_up(until):
        return None
    seconds_compare = (fair or fairness(comparison)).seconds_compare
    return Table(
        known.rows, known.told, known.finished(seconds_compare), target, asked, metric, others, seconds_compare
    )


def keep_up(comparison: Comparison, until: float) -> None:
    """Make rows that are to be made anew, as they were asked for last, until this thread has computed so long."""
    comparison.kept(_Finishes, comparison.session.plan.created_at)
    known = comparison.kept(_Rows)
    if known.is_asked:
        known.catch_up(until)


AT_A_TIME = 8
"""Rows that are made between looks at the clock."""


class _Rows(Follower[Compared]):
    """The rows of all presets. A look makes those anew to whose runs something happened; where another thing is asked,
    those of which anything is known."""

    def __init__(self, runs: Together[Compared]) -> None:
        super().__init__(runs)
        self._asked: tuple[float | None, Metric, tuple[Metric, ...]] | None = None
        self._rows: list[Row] = []
        self._waiting: dict[Group, None] = {}
        """Those whose rows are to be made."""
        self._told = InOrder[Group]()
        self._finished: tuple[object, Finished] | None = None
        """As of how many changes of them, and what else was asked."""
        self._changes = 0
        self._made: tuple[tuple[Row, ...], tuple[Row, ...]] | None = None

    def take(self, runs: Iterable[Compared]) -> None:
        for run in runs:
            if not run.is_to_come:
                self._told.put(run.group, True)
            self._waiting[run.group] = None

    @property
    def is_asked(self) -> bool:
        """Whether it is known by what they are compared."""
        return self._asked is not None

    def ask(self, target: float | None, metric: Metric, others: tuple[Metric, ...]) -> None:
        """By what they are compared."""
        if self._asked != (target, metric, others):
            self._asked = target, metric, others
            self._changes += 1
            self._waiting.update(dict.fromkeys(self._told))

    def catch_up(self, until: float) -> bool:
        """Make those that are to be made, until this thread has computed so long; whether that was all."""
        if self._waiting:
            self._made = None
        for count, group in enumerate([*self._waiting], 1):
            del self._waiting[group]
            self._put(self._row_of(group))
            if count % AT_A_TIME == 0 and time.thread_time() >= until:
                break
        return not self._waiting

    def _row_of(self, group: Group) -> Row:
        if group not in self._told:
            return Row(group, (), {}, "to come", "", 0, 0, 0, False)
        assert self._asked is not None
        return group.kept(_Figures, *self._asked).row_of(group)

    def _put(self, row: Row) -> None:
        number = row.group.number
        if number >= len(self._rows):  # those between are made next
            self._rows += [row] * (number + 1 - len(self._rows))
        before, self._rows[number] = self._rows[number], row
        self._changes += before is not row and (before.is_whole or row.is_whole)

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows."""
        return self._in_order[0]

    @property
    def told(self) -> tuple[Row, ...]:
        """Those of which anything is to be said."""
        return self._in_order[1]

    @property
    def _in_order(self) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        if self._made is None:
            self._made = tuple(self._rows), tuple(self._rows[group.number] for group in self._told)
        return self._made

    def finished(self, *asked: Hashable) -> Finished:
        """Those of which every seed has finished; the same one where nothing of them changed, nor what is asked."""
        as_of = self._changes, len(self._rows), asked
        if self._finished is None or self._finished[0] != as_of:
            self._finished = as_of, Finished(tuple(row for row in self.told if row.is_whole))
        return self._finished[1]


def numbers_of(
    run: Compared, target: float | None, metric: Metric = ACCURACY, others: Sequence[Metric] = ()
) -> Numbers:
    """One run in figures, from the ends of its epochs, and from the series that it is compared by."""
    history = run.history
    last = history.epochs[-1] if history.epochs else None
    losses = [epoch.val_loss for epoch in history.epochs if isfinite(epoch.val_loss)]
    speeds = [epoch.images_per_second for epoch in history.epochs if epoch.images_per_second > 0]
    best, end = history.series.best(metric.name, metric.goal), history.series.last(metric.name)
    return Numbers(
        best_accuracy=history.best.val_accuracy if history.best else _value(history.series.best("val_accuracy")),
        final_accuracy=_finite(last.val_accuracy) if last else _value(history.series.last("val_accuracy")),
        best_loss=min(losses, default=None) if last else _value(history.series.best("val_loss")),
        final_loss=_finite(last.val_loss) if last else _value(history.series.last("val_loss")),
        epochs=last.epoch if last else _last_told(history) or 0,
        steps=history.last_step,
        seconds=last.elapsed if last else history.elapsed_s or None,
        images_per_second=fmean(speeds) if speeds else None,
        reached=_reached(run, target, metric),
        best_metric=best.value if best is not None and not metric.is_accuracy else None,
        final_metric=_finite(end.value) if end is not None and not metric.is_accuracy else None,
        last={
            each.name: point.value
            for each in others
            if (point := history.series.last(each.name)) is not None and isfinite(point.value)
        },
    )


def _last_told(history: History) -> int | None:
    """The last epoch of which another tool's numbers are; None where they do not say."""
    told = told_epochs(history)
    return told.last if told is not None else None


def _reached(run: Compared, target: float | None, metric: Metric) -> Reached | None:
    history = run.history
    if target is None:
        return None
    if metric.is_accuracy:
        first = next((epoch for epoch in history.epochs if epoch.val_accuracy >= target), None)
        return Reached(first.epoch, first.step, first.elapsed) if first is not None else None
    step = run.first_at(metric.name, metric.goal, target)
    if step is None:
        return None
    ended = next((epoch for epoch in history.epochs if epoch.step == step), None)
    if ended is not None:
        return Reached(ended.epoch, step, ended.elapsed)
    within = bisect_right(history.epoch_starts, step)
    return Reached(within or None, step, history.elapsed[step - 1] if 0 < step <= len(history.elapsed) else None)


def named_target(comparison: Comparison) -> float | None:
    """The target where none was asked for: named as soon as two presets have reached one with a finished run.

    It is that of the runs which had finished by then. So it stays for the session, whatever finishes later, and whoever
    reads the records names the same one.
    """
    if comparison.standing.unread:
        return None  # which of them finished first is not known yet
    return comparison.kept(_Finishes, comparison.session.plan.created_at).target


class _Finishes(Follower[Compared]):
    """Runs that have finished, in the order in which they did, and what they reached."""

    def __init__(self, runs: Together[Compared], begun: float) -> None:
        super().__init__(runs, begun)
        self._begun = begun
        self._of: dict[Compared, tuple[float, str, float]] = {}
        self._in_order: list[tuple[float, str, float]] = []
        self._named = _Tops()
        self._until = 0
        """So many of the first of them have been looked at; the rest finished later than all of these."""

    def take(self, runs: Iterable[Compared]) -> None:
        for run in runs:
            end, best, before = run.history.ended, run.history.best, self._of.pop(run, None)
            finish = None
            if end and best and run.state == "finished":
                finish = self._of[run] = max(end.at, self._begun), run.entry.label, best.val_accuracy
            if finish == before:
                continue
            if before is not None:
                at = bisect_left(self._in_order, before)
                del self._in_order[at]
                self._keep_until(at)
            if finish is not None:
                at = bisect_left(self._in_order, finish)
                self._keep_until(bisect_left(self._in_order, finish[0], key=lambda each: each[0]))
                self._in_order.insert(at, finish)

    def _keep_until(self, at: int) -> None:
        """From here on it is another order."""
        if at < self._until:
            self._until, self._named = 0, _Tops()

    @property
    def target(self) -> float | None:
        while self._named.target is None and self._until < len(self._in_order):
            at = self._in_order[self._until][0]
            while self._until < len(self._in_order) and self._in_order[self._until][0] == at:
                self._named.reach(*self._in_order[self._until][1:])
                self._until += 1
        return self._named.target


class _Tops:
    """The highest accuracy of each preset, and how many come up to each rung."""

    def __init__(self) -> None:
        self._tops: dict[str, float] = {}
        self._at_rung = [0] * len(RUNGS)

    def reach(self, label: str, top: float) -> None:
        """A preset has reached one; of those above zero, the highest counts."""
        before = self._tops.get(label, 0.0)
        if top > before:
            self._tops[label] = top
            for rung in range(bisect_right(RUNGS, before), bisect_right(RUNGS, top)):
                self._at_rung[rung] += 1

    @property
    def target(self) -> float | None:
        """The highest rung that at least half of these accuracies come up to, and two at the least."""
        needed = max(2, -(-len(self._tops) // 2))
        return max((rung for rung, count in zip(RUNGS, self._at_rung, strict=True) if count >= needed), default=None)


class _Counted(NamedTuple):
    """What one run has by which it can be compared."""

    numbers: Numbers | None
    """Where they count and it has ended an epoch."""
    begun: bool
    without: bool
    not_finite: bool


class _Figures(Follower[Compared]):
    """The figures of a preset."""

    def __init__(
        self, runs: Together[Compared], target: float | None, metric: Metric, others: tuple[Metric, ...]
    ) -> None:
        super().__init__(runs, target, metric, others)
        self._target, self._metric, self._others = target, metric, others
        self._columns = (*columns_of(metric), *map(column_of_series, others))
        self._of: dict[Compared, _Counted] = {}
        self._places: list[int] = []
        self._numbers: list[Numbers] = []
        """Those of runs that have any, in the order of these, and their places."""
        self._figures: tuple[tuple[Numbers, ...], dict[str, Figure]] | None = None
        self._sums = [_Sums() for _ in self._columns]
        self._begun = self._without = self._not_finite = 0
        self._row: Row | None = None

    def take(self, runs: Iterable[Compared]) -> None:
        self._row = None
        for run in runs:
            new, before = self._look_at(run), self._of.get(run)
            if new == before:
                continue
            self._of[run] = new
            self._count(new, 1)
            if before is not None:
                self._count(before, -1)
            if (numbers := new.numbers) != (known := before.numbers if before is not None else None):
                self._figures = None
                at = bisect_left(self._places, run.number)
                end = at + (known is not None)
                self._places[at:end] = [run.number] if numbers is not None else []
                self._numbers[at:end] = [numbers] if numbers is not None else []

    def _look_at(self, run: Compared) -> _Counted:
        metric, recorded, ended = self._metric, run.record is not None, run.history.ended is not None
        last = run.history.series.last(metric.name)
        told = bool(run.history.epochs) or last is not None
        over = recorded and ended and not metric.is_accuracy
        return _Counted(
            numbers=numbers_of(run, self._target, metric, self._others) if told and run.counts else None,
            begun=recorded and (last is not None or (metric.is_accuracy and bool(run.history.epochs))),
            without=over and last is None,
            not_finite=over and last is not None and not isfinite(last.value),
        )

    def _count(self, counted: _Counted, times: int) -> None:
        self._begun += times * counted.begun
        self._without += times * counted.without
        self._not_finite += times * counted.not_finite
        if counted.numbers is not None:
            for column, sums in zip(self._columns, self._sums, strict=True):
                if (value := column.read(counted.numbers)) is not None:
                    sums.count_in(value, times)

    def row_of(self, group: Group) -> Row:
        """The row of the preset; the same one as long as nothing happened."""
        if self._figures is None:
            sums = zip(self._columns, self._sums, strict=True)
            self._figures = tuple(self._numbers), {column.key: each.figure for column, each in sums if each.count}
        if self._row is None:
            how = group.standing.status, progress_of(group)
            is_whole = len(group.standing.finished) == len(group.runs)
            self._row = Row(group, *self._figures, *how, self._begun, self._without, self._not_finite, is_whole)
        return self._row


def progress_of(group: Group) -> str:
    """How far it is: epochs of the run that goes on, or of the last one; with seeds, how many have ended too."""
    runs, standing = group.runs, group.standing
    current = next((run for run in standing.live if run in standing.told), None)
    shown = current or (standing.told[-1] if standing.told else None)
    if shown is None:
        return ""
    history, recipe = shown.history, shown.history.recipe
    if recipe is None and not history.epochs and history.series:
        told = _last_told(history)  # another tool's, which does not say how many there are to be
        epochs = "–" if told is None else str(told)
    else:
        epochs = f"{len(history.epochs)}/{(recipe.epochs if recipe else None) or '?'}"
    if len(runs) == 1:
        return epochs
    return f"{standing.ended} of {len(runs)}" + (f", {epochs}" if current is not None else "")


def with_spread(mean: str, spread: str | None) -> str:
    """`0.9780 ± 0.0020`; what is behind the number, such as `s`, once: `8.0 ± 0.1 s`."""
    if spread is None:
        return mean
    _, _, unit = spread.partition(" ")
    return f"{mean.removesuffix(f' {unit}')} ± {spread}" if unit else f"{mean} ± {spread}"


def _value(point: Point | None) -> float | None:
    return None if point is None else _finite(point.value)


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
