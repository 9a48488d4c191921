"""The numbers of a comparison, a row a preset: means over its finished seeds, and their spread.

Who is best in a column, which target was named, whose numbers count: all that is said of a comparison, on the screen,
in plain lines, in a report or as JSON, takes it from here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import groupby
from math import isfinite
from statistics import fmean, stdev

from tui_trainer.compare.comparison import BY_RULE, UNKNOWN, UNREACHED, Compared, Comparison, Group, State
from tui_trainer.compare.metric import ACCURACY, SHORT, Metric, metric_of
from tui_trainer.records.series import Point
from tui_trainer.text.numbers import format_metric

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

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over those that have one."""
        return fmean(self.values)

    @property
    def spread(self) -> float | None:
        """The sample's standard deviation; None of a single value."""
        return stdev(self.values) if len(self.values) > 1 else None


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

    def figure(self, key: str) -> Figure | None:
        """The number of a column."""
        return self.figures.get(key)

    @property
    def is_whole(self) -> bool:
        """Whether all its seeds have finished: a row that lacks one wins nothing, whatever the others make of it."""
        return len(self.group.standing.finished) == len(self.group.runs)

    def whole(self, key: str) -> Figure | None:
        """The number of a column where it may win: every seed has finished and has one."""
        figure = self.figures.get(key) if self.is_whole else None
        return figure if figure is not None and len(figure.values) == len(self.group.runs) else None


@dataclass(frozen=True)
class Table:
    """All rows, in the order of the comparison."""

    rows: tuple[Row, ...]
    target: float | None
    target_was_asked: bool
    metric: Metric = ACCURACY
    """By what they are compared."""
    series: tuple[Metric, ...] = ()
    """Others that have a column."""

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
    def whole(self) -> list[Row]:
        """Those of which every seed has finished."""
        return [row for row in self.rows if row.is_whole]

    @property
    def best(self) -> dict[str, list[int]]:
        """By column, the numbers of the groups that are best in it; of none where all that may win are alike."""
        best: dict[str, list[int]] = {}
        for column in self.columns:
            have = [(figure.mean, row.group.number) for row in self.rows if (figure := row.whole(column.key))]
            if not column.better or len(have) < 2:
                continue
            top = max(have, key=lambda pair: pair[0] * column.better)[0]
            winners = [number for value, number in have if value == top]
            if len(winners) < len(have):
                best[column.key] = winners
        return best

    @property
    def best_ever(self) -> Row | None:
        """Of those that have finished, the one that at any time was best in what they are compared by."""
        have = [(figure.mean, row) for row in self.rows if (figure := row.whole(self.best_key))]
        return max(have, key=lambda pair: pair[0] * self.metric.sign)[1] if have else None

    def sorted_by(self, key: str, reverse: bool = False) -> list[Row]:
        """The best first (or last); after those that may win the others, and rows without that number at the end.

        `` keeps the order of training.
        """
        column = next((column for column in self.columns if column.key == key), None)
        if column is None:
            return list(reversed(self.rows)) if reverse else list(self.rows)
        sign = -1 if (column.better or 1) > 0 else 1
        have = [row for row in self.rows if key in row.figures]
        have.sort(key=lambda row: row.figures[key].mean * sign, reverse=reverse)
        have.sort(key=lambda row: row.whole(key) is None)
        return have + [row for row in self.rows if key not in row.figures]


def tabulate(comparison: Comparison, metric: Metric | None = None, series: Sequence[str] = ()) -> Table:
    """The numbers as they stand, by this metric where it is not the comparison's own, and with the last value of other
    series.

    A target is one of what the session was begun with: by another metric there is none.
    """
    metric = metric or comparison.metric
    target = comparison.target if metric.name == comparison.target_metric.name else None
    asked = target is not None
    if metric.is_accuracy and comparison.target is None and comparison.target_metric.is_accuracy:
        target = named_target(comparison)
    others = tuple(metric_of(name, comparison.series) for name in dict.fromkeys(series))
    asked_for = "row", target, metric, others
    rows = tuple(
        group.once(asked_for, lambda group: _row(group, target, metric, others)) for group in comparison.groups
    )
    return Table(rows, target, asked, metric, others)


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
        epochs=last.epoch if last else 0,
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
    if not all(run.is_read for run in comparison.recorded):
        return None  # which of them finished first is not known yet
    begun = comparison.session.plan.created_at
    finished = sorted(
        (max(run.history.ended.at, begun), run.entry.label, run.history.best.val_accuracy)
        for group in comparison.groups
        for run in group.standing.finished
        if run.history.ended and run.history.best
    )
    tops: dict[str, float] = {}
    for _, together in groupby(finished, key=lambda run: run[0]):
        for _, label, top in together:
            tops[label] = max(top, tops.get(label, 0.0))
        if (target := fitting_target(tops.values())) is not None:
            return target
    return None


def fitting_target(tops: Iterable[float]) -> float | None:
    """The highest rung that at least half of these accuracies come up to, and two at the least."""
    have = [top for top in tops if top > 0]
    needed = max(2, -(-len(have) // 2))
    return next((rung for rung in reversed(RUNGS) if sum(top >= rung for top in have) >= needed), None)


def _row(group: Group, target: float | None, metric: Metric, others: Sequence[Metric]) -> Row:
    told = [run for run in group.counted if run.history.epochs or run.history.series.last(metric.name)]
    asked_for = "numbers", target, metric, others
    numbers = tuple(run.once(asked_for, lambda run: numbers_of(run, target, metric, others)) for run in told)
    figures = {}
    for column in (*columns_of(metric), *map(column_of_series, others)):
        values = tuple(value for each in numbers if (value := column.read(each)) is not None)
        if values:
            figures[column.key] = Figure(values)
    return Row(group, numbers, figures, status_of(group.standing.states), progress_of(group))


def status_of(states: Collection[State]) -> str:
    """One word for the states of all seeds: what goes on, else what went wrong, else how they ended."""
    for state in (
        "running",
        "paused",
        "starting",
        UNKNOWN,
        "failed",
        "diverged",
        "crashed",
        "stopped",
        BY_RULE,
        "gone",
        UNREACHED,
        "queued",
    ):
        if state in states:
            return state
    if "to come" in states:
        return "to come"
    return next(iter(states), "to come")


def progress_of(group: Group) -> str:
    """How far it is: epochs of the run that goes on, or of the last one; with seeds, how many have ended too."""
    runs, standing = group.runs, group.standing
    current = next((run for run in standing.live if run.history.version), None)
    begun = [run for run in standing.recorded if run.history.version]
    shown = current or (begun[-1] if begun else None)
    if shown is None:
        return ""
    recipe = shown.history.recipe
    epochs = f"{len(shown.history.epochs)}/{(recipe.epochs if recipe else None) or '?'}"
    if len(runs) == 1:
        return epochs
    ended = sum(run.history.ended is not None for run in standing.recorded)
    return f"{ended} of {len(runs)}" if current is None else f"{ended} of {len(runs)}, {epochs}"


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
