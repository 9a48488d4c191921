"""What the charts read of a history: losses, smoothed and in columns, accuracies at epoch ends, planned LR curves; and
what happened at a place of the x axis, in words: an epoch ended, the LR moved, a preset or a checkpoint came."""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar

from msgspec.structs import replace

from tui_trainer.plotting.curves import BREAK, Columns, Extent, MinMaxTree, sampled
from tui_trainer.plotting.smoothing import Smoothing, fitting_window
from tui_trainer.records.series import StepSeries
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.formatting import loss, lr, lrs

if TYPE_CHECKING:
    from tui_trainer.events import CheckpointSaved, EpochEnded, EpochsChanged, LRChanged, PlanMade
    from tui_trainer.records.history import History

Stepped = TypeVar("Stepped", "LRChanged", "EpochEnded")

Kind: TypeAlias = Literal["switch", "epochs", "lr", "epoch", "checkpoint"]

KINDS: tuple[Kind, ...] = ("lr", "switch", "epochs", "epoch", "checkpoint")
"""What matters most comes first, where several stand at one place."""

MOST = 8
"""Marks of a kind at one place that are told: the newest."""


class Mark(NamedTuple):
    """Something that happened after a step."""

    step: int
    kind: Kind
    words: str


def marks_between(history: History, first: int, last: int) -> list[Mark]:
    """The marks after the steps from `first` to `last`, what matters most first, the newest of a kind first."""
    found = [mark for mark in _between(history, first, last) if first <= mark.step <= last]
    return sorted(found, key=lambda mark: (KINDS.index(mark.kind), -mark.step))


def since(history: History, step: int) -> Mark | None:
    """The last change of the LR before a step: why it is what it is there."""
    index = bisect_left(history.lr_changes, step, key=_step)
    return _moved(history.lr_changes[index - 1]) if index else None


def steps_of(history: History) -> list[int]:
    """The steps after which something is marked, in order."""
    steps = {event.step for events in (history.lr_changes, history.epochs) for event in events}
    steps.update(switch.step - 1 for switch in history.switches)
    steps.update(change.step for change in history.epochs_changed)
    steps.update(saved.step for saved in checkpoints(history))
    return sorted(step for step in steps if step > 0)


def other_epochs(changed: EpochsChanged) -> str:
    """That a run trains another number of epochs from here on, in words."""
    new, old = f"{changed.recipe.epochs or 0:,}", f"{changed.old:,}"
    said = say("epoch.changed", new=new, old=old, by=plain(changed.by))
    return say("epoch.changed_then", changed=said, then=plain(changed.then)) if changed.then else said


def checkpoints(history: History) -> list[CheckpointSaved]:
    """Those that a run can be gone on with: the best one and the last one. Older ones were written over."""
    return [saved for saved in (history.best_checkpoint, history.latest_checkpoint) if saved is not None]


def _between(history: History, first: int, last: int) -> Iterator[Mark]:
    for change in _those(history.lr_changes, first, last):
        yield _moved(change)
    for switch in history.switches:
        yield Mark(switch.step - 1, "switch", f"preset {plain(switch.old)} → {plain(switch.recipe.preset)}")
    for changed in history.epochs_changed:
        yield Mark(changed.step, "epochs", other_epochs(changed))
    for ended in _those(history.epochs, first, last):
        figures = f", val_loss {loss(ended.val_loss)}" if ended.validated else ""
        figures += f", accuracy {loss(ended.val_accuracy)}" if isfinite(ended.val_accuracy) else ""
        yield Mark(ended.step, "epoch", f"epoch {ended.epoch} ends{figures}")
    for saved in checkpoints(history):
        yield Mark(saved.step, "checkpoint", "best checkpoint" if saved.best else "last checkpoint")


def _those(events: Sequence[Stepped], first: int, last: int) -> Sequence[Stepped]:
    start, stop = bisect_left(events, first, key=_step), bisect_right(events, last, key=_step)
    return events[max(start, stop - MOST) : stop]


def _moved(change: LRChanged) -> Mark:
    words = plain(change.reason)
    if not change.why.tells_change:
        words = f"{words}, {' → '.join(lrs(change.old, change.new))}"
    return Mark(change.step, "lr", words)


def _step(event: LRChanged | EpochEnded) -> int:
    return event.step


DENSE = 16
"""From so many batches a cell on, every cell has one stroke: a lighter band, at half the cost."""


class Losses:
    """The losses of one history, made ready for drawing as they come."""

    def __init__(self, history: History, window: int | None = None) -> None:
        self.history = history
        self.pyramid = MinMaxTree(history.losses)
        self.smoothing = Smoothing(history.losses, window or fitting_window(history.recipe))
        self._columns = Columns(self.pyramid)
        self._smooth: tuple[tuple[list[int], int], int, list[Extent | None]] = ([], 0), 0, []
        """The columns of the last frame: their edges and the window, how many values there were, and their means."""

    def catch_up(self, at_most: int) -> bool:
        """Read what is new, or so many steps of it; whether that is all."""
        read = self.pyramid.catch_up(at_most)
        return self.smoothing.catch_up(at_most) and read

    def not_finite(self, start: int, stop: int) -> int:
        """How many losses of the steps behind `start`, up to `stop`, are not finite; those that nobody saw are none."""
        gaps = self.pyramid.gaps(start, stop)
        series = self.history.series.get("train_loss")
        if not gaps or not isinstance(series, StepSeries):
            return gaps
        return gaps - (series.missing_until(stop) - series.missing_until(start))

    def raw(self, edges: list[int], cells: int) -> list[Extent | None]:
        """The lowest and highest loss of each column; of each cell, where they lie close."""
        if edges[-1] - edges[0] >= DENSE * cells:
            edges = edges[:: (len(edges) - 1) // cells]
        return self._columns.over(edges)

    def smooth(self, edges: list[int]) -> list[Extent | None]:
        """The smoothed loss of each column; those that were full are as they were."""
        values, seen_as = self.smoothing.values, (edges, self.smoothing.window)
        before, known, means = self._smooth
        full = max(0, bisect_left(edges, known) - 1) if before == seen_as and known <= len(values) else 0
        means = means[:full] + sampled(values, edges[full:])
        self._smooth = (list(edges), self.smoothing.window), len(values), means
        return means

    def smoothed_at(self, step: int) -> float:
        """The smoothed loss after a step, as far as it was read."""
        values = self.smoothing.values
        return values[step - 1] if 0 < step <= len(values) else float("nan")


def at_epoch_ends(
    history: History, axis: XAxis, columns: int, value_of: Callable[[EpochEnded], float]
) -> list[Extent | None]:
    """A value of validation in the column of each epoch's end; at the edges of what is seen, where the line to an
    epoch out of sight crosses them. None runs through one that is not finite."""
    extents: list[Extent | None] = [None] * columns
    first, last = axis.bounds
    before: tuple[float, float] | None = None
    for epoch in history.epochs:
        value = value_of(epoch)
        place, column_here = axis.place(epoch.step), axis.column_of(epoch.step, columns)
        if not isfinite(value):
            before = None
            if column_here is not None:
                extents[column_here] = BREAK
            continue
        if before is not None:
            for edge, column in ((first, 0), (last, columns - 1)):
                if before[0] < edge < place:
                    crossing = before[1] + (edge - before[0]) / (place - before[0]) * (value - before[1])
                    extents[column] = (crossing, crossing)
        if column_here is not None:
            extents[column_here] = (value, value)
        before = place, value
    return extents


class PlannedCurves:
    """What the LR was to be at every step: each plan counts until the next one begins."""

    def __init__(self, plans: Sequence[PlanMade]) -> None:
        self.plans = tuple(plans)
        self.last_step = plans[-1].last_step if plans else 0
        steps: list[int] = []
        self._lrs = array("d")
        for plan, following in zip(plans, [*plans[1:], None], strict=True):
            stop = following.steps[0] if following is not None and following.steps else plan.last_step + 1
            held = bisect_right(plan.steps, stop - 1)
            steps.extend(plan.steps[:held])
            self._lrs.extend(plan.lrs[:held])
        self._steps = steps
        self._pyramid = MinMaxTree(self._lrs)
        self._pyramid.catch_up()
        self._over: dict[int, tuple[list[int], list[Extent | None]]] = {}
        """What was last drawn, and what was last decided by, by the number of their edges."""

    @classmethod
    def kept(cls, old: PlannedCurves | None, plans: Sequence[PlanMade]) -> PlannedCurves | None:
        """The same one, unless the plans are others."""
        if old is not None and [*map(id, old.plans)] == [*map(id, plans)]:
            return old
        return cls(plans) if plans else None

    def at(self, step: int) -> float | None:
        """The LR planned for a step; None where nothing is planned."""
        i = bisect_right(self._steps, step) - 1
        return self._lrs[i] if i >= 0 and step <= self.last_step else None

    def over(self, edges: list[int]) -> list[Extent | None]:
        """The lowest and highest LR planned for the steps in or across each column."""
        known = self._over.get(len(edges))
        if known is not None and known[0] == edges:
            return known[1]
        extents: list[Extent | None] = []
        steps, lrs, planned = self._steps, self._lrs, len(self._steps)
        first = last = 0
        for start, stop in itertools.pairwise(edges):
            if start >= self.last_step:
                extents.append(None)
                continue
            first = max(0, bisect_right(steps, start + 1, lo=first) - 1)
            last = bisect_right(steps, max(stop, start + 1), lo=max(first, last))
            if first >= planned:
                extents.append(None)
            elif last - first <= 1:
                extents.append((lrs[first], lrs[first]))
            else:
                extents.append(self._pyramid.extent(first, last))
        if known is None and len(self._over) > 1:
            self._over.clear()  # the terminal has another size
        self._over[len(edges)] = list(edges), extents
        return extents

    @property
    def note(self) -> str:
        """What a person must know of the plan that counts at the end."""
        return self.plans[-1].note

    @property
    def short_note(self) -> str:
        """The same where there is little room."""
        return self.plans[-1].short_note

    @property
    def changes(self) -> bool:
        """Whether the LR is to be anything but the same throughout, under the plan that counts at the end."""
        return len(set(self.plans[-1].lrs)) > 1

    @property
    def words(self) -> str:
        """The curve in words: its peak if it has one, else where it begins and ends."""
        if not self._lrs:
            return ""
        peak = max(self._lrs)
        if peak > self._lrs[0] and peak > self._lrs[-1]:
            return say("chart.peak", lr=lr(peak), step=self._steps[self._lrs.index(peak)])
        if min(self._lrs) == peak:
            return say("chart.throughout", lr=lr(peak))
        if self.plans[-1].open_ended:
            return say("chart.from", start=lr(self._lrs[0]))
        return say("chart.from_to", start=lr(self._lrs[0]), end=lr(self._lrs[-1]))


class GroupPlans:
    """What the LRs of groups of parameters were to be, by the names of their series."""

    def __init__(self, plans: Sequence[PlanMade]) -> None:
        self.plans = tuple(plans)
        self.labels = {name: group.label for plan in plans for name, group in plan.groups.items()}
        self.curves = {name: PlannedCurves(_plans_of(name, plans)) for name in (plans[-1].groups if plans else ())}

    @classmethod
    def kept(cls, old: GroupPlans | None, plans: Sequence[PlanMade]) -> GroupPlans:
        """The same ones, unless the plans are others."""
        if old is not None and [*map(id, old.plans)] == [*map(id, plans)]:
            return old
        return cls(plans)


def _plans_of(name: str, plans: Sequence[PlanMade]) -> list[PlanMade]:
    """Those that follow each other at the end, and have the group."""
    found: list[PlanMade] = []
    for plan in reversed(plans):
        if name not in plan.groups:
            break
        group = plan.groups[name]
        found.insert(0, replace(plan, steps=group.steps, lrs=group.lrs, groups={}))
    return found
