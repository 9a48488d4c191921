"""What each group of each optimizer uses: LR, momentum and weight decay, as series where they are not the run's own LR.

The LR of the first group of the first optimizer, or of one that took over, is the run's `lr`. Others are named as
Lightning's `LearningRateMonitor` names them: `lr-SGD`, `lr-SGD/pg2`, `lr-SGD/pg2-momentum`; several optimizers of one
class by the program's own names for them, `lr-optimizerG`. A number that stays is told where it ends and where the next
one begins, so that a line through its points is its course.
"""

from __future__ import annotations

from math import isfinite, nan

from tui_trainer.watching.interpreter.definitions import Definitions, name
from tui_trainer.watching.interpreter.steps import Step, Value
from tui_trainer.watching.trace import Site

MOST_SERIES = 200
"""A network with an LR for each of its layers has some dozens."""

MOVES = {"momentum": "-momentum", "weight_decay": "-weight_decay"}
"""Told where they move alone: in most programs they stay as they are."""


class Stepwise:
    """A number that holds until it changes."""

    def __init__(self, called: str, value: float = nan) -> None:
        self.called = called
        self.value = value
        self._told_at = 0

    def move(self, value: float, at: int, before: Step | None) -> Value | None:
        """It changes.

        Args:
            value: what it is from there on.
            at: the step from which on.
            before: the step before that; it is told there what it was.

        Returns:
            What is to be told of the step `at`; None where that is nothing.
        """
        if before is not None and isfinite(self.value) and self._told_at < before.number < at:
            before.others.append(Value(self.called, 0, self.value))
        self.value = value
        if not isfinite(value) or self._told_at >= at:
            return None
        self._told_at = at
        return Value(self.called, 0, value)

    def end(self, last: Step) -> None:
        """Nothing comes behind this step."""
        if isfinite(self.value) and 0 < self._told_at < last.number:
            last.others.append(Value(self.called, 0, self.value))


class Rates:
    """Follows the rows that tell what the next step of an optimizer's group uses."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._now: dict[tuple[int, int], float] = {}
        """The LR by optimizer and group."""
        self._series: dict[tuple[int, int, str], Stepwise] = {}
        self._names: dict[str, int] = {}
        """The optimizer that has each name."""
        self._losses: dict[str, int] = {}
        """The optimizer, other than the run's, whose loss was called so first."""

    def of(self, optimizer: int, group: int = 0) -> float:
        """The LR that the next step of a group uses; nan where it is not known."""
        known = self._now.get((optimizer, group))
        if known is None:
            known = self._definitions.first_lr(optimizer, group)
        return nan if known is None else known

    def take(self, site: Site, value: float, main: int, steps: tuple[Step | None, Step | None]) -> Value | None:
        """A number changes, for the next step of its optimizer.

        Args:
            site: says of which optimizer, which group and what.
            value: the number from there on.
            main: the optimizer whose steps are counted; 0 before the first.
            steps: the last step, and the one before it.

        Returns:
            What is to be told of the step that comes; what belongs to the last one is with that.
        """
        optimizer, group, what = key = (site.target, site.part, site.call)
        if optimizer != main and self._definitions.wrapped(optimizer) != optimizer:
            return None
        if what == "lr" and (len(self._now) < MOST_SERIES or key[:2] in self._now):
            self._now[optimizer, group] = value
            if group == 0 and optimizer == (main or optimizer):
                return None  # the run's own
        series = self._series.get(key)
        if series is None:
            if len(self._series) >= MOST_SERIES:
                return None
            series = self._series[key] = Stepwise(self._name(*key))
            if what in MOVES:
                series.value = value
                return None
        last, previous = steps
        if last is None or optimizer == main:
            return series.move(value, last.number + 1 if last is not None else 1, last)
        # Others step behind the first optimizer, within the same step of the run.
        told = series.move(value, last.number, previous)
        if told is not None:
            last.others.append(told)
        return None

    def end(self, last: Step) -> None:
        """Nothing comes behind this step."""
        for series in self._series.values():
            series.end(last)

    def end_of(self, optimizer: int, last: Step) -> None:
        """This optimizer steps no more behind this step."""
        for key in [key for key in self._series if key[0] == optimizer]:
            self._series.pop(key).end(last)

    def name_of(self, optimizer: int) -> str:
        """What an optimizer is called in the names of its series."""
        seen = self._definitions.optimizers.get(optimizer)
        called = (seen.class_name if seen is not None else "") or "optimizer"
        if self._names.setdefault(called, optimizer) != optimizer:
            called = (seen.name if seen is not None else "") or f"{called}-{optimizer}"
            if self._names.setdefault(called, optimizer) != optimizer:
                called = f"{called}-{optimizer}"
        return called

    def name_loss(self, loss: Value, optimizer: int, main: str) -> None:
        """Give the loss of another optimizer than the run's a name of its own: `loss-Adam`, where the program calls the
        run's loss (`main`), or that of still another optimizer, `loss` as well."""
        if loss.name == main or self._losses.setdefault(loss.name, optimizer) != optimizer:
            loss.name = name(f"{loss.name}-{self.name_of(optimizer)}")

    def _name(self, optimizer: int, group: int, what: str) -> str:
        seen = self._definitions.optimizers.get(optimizer)
        several = group > 0 or (seen is not None and len(seen.groups) > 1)
        pg = f"/pg{group + 1}" if several else ""
        return name(f"lr-{self.name_of(optimizer)}{pg}{MOVES.get(what, '')}")
