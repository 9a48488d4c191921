"""Steps of the run with their losses: which backward belongs to which step, and what is still to come of it.

A step of the run is a step of the first optimizer that stepped, or of one that took over. Its loss is the one that went
backward last before it, or within it; others, and those of other optimizers, are told beside it by their own names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite, nan

LATE_AT_MOST = 4096
"""Values that are waited for; those that were to come before them are given up."""

PENDING_AT_MOST = 4096
"""Losses between two steps of an optimizer; a trace that was made to harm may hold any number."""


@dataclass(slots=True, eq=False)
class Value:
    """A number of a step, which may come late."""

    name: str
    site: int
    number: float
    waits: bool = False
    """Whether it is still on its way."""
    known: bool = True
    """Whether it is known at all."""
    parts: tuple[Value, ...] = ()
    """Of a sum of several: what it is the sum of."""

    @property
    def is_on_its_way(self) -> bool:
        """Whether it, or a part of it, is still to come."""
        return self.waits or (bool(self.parts) and any(part.waits for part in self.parts))

    @property
    def is_known(self) -> bool:
        """Whether it, and each part of it, can be told."""
        return self.known and (not self.parts or all(part.known for part in self.parts))

    @property
    def told(self) -> float:
        """The number."""
        return sum(part.number for part in self.parts) if self.parts else self.number


@dataclass(slots=True, eq=False)
class Step:
    """A step of the run."""

    number: int
    epoch: int
    batch: int
    """Steps of the epoch, this one included."""
    lr: float
    """nan where it is not known."""
    elapsed: float
    loss: Value
    others: list[Value] = field(default_factory=list)
    told: bool = False
    """Whether its loss was told."""
    optimizer: int = 0
    """That made it."""

    @property
    def waits(self) -> bool:
        """Whether something of it is on its way."""
        return self.loss.is_on_its_way or any(value.is_on_its_way for value in self.others)


class LateValues:
    """Rows whose value comes later, by their numbers."""

    def __init__(self) -> None:
        self._waiting: dict[int, Value] = {}
        self.told_at_once: set[int] = set()
        """Sites of which a number was known at once: there nan is a number that is none, and nothing to wait for."""

    def expect(self, row: int, value: Value) -> None:
        """The value of a row is still to come."""
        if value.site in self.told_at_once:
            return
        value.waits, value.known = True, False
        self._waiting[row] = value
        if len(self._waiting) > LATE_AT_MOST:
            self._waiting.pop(next(iter(self._waiting))).waits = False

    def come(self, row: float, number: float) -> None:
        """The value of a row came."""
        value = self._waiting.pop(int(row), None) if isfinite(row) else None
        if value is not None:
            value.number, value.waits, value.known = number, False, True

    def give_up(self, before: int) -> None:
        """What belongs to rows before this one does not come any more."""
        while self._waiting and (row := next(iter(self._waiting))) < before:
            self._waiting.pop(row).waits = False


NOTHING = Value("", 0, nan, known=False)
"""The loss of a step that none was seen of."""


class Losses:
    """Losses that went backward and belong to no step yet."""

    def __init__(self) -> None:
        self._pending: list[tuple[Value, float]] = []
        self._beside: list[Value] = []
        self.divisors: dict[int, float] = {}
        """What the losses of a site are divided by before they go backward, where that was seen."""
        self._accumulated: set[int] = set()
        """Sites of which as many losses as they are divided by went backward in one step."""

    def backward(self, value: Value, begin: float) -> None:
        """A loss went backward."""
        if len(self._pending) < PENDING_AT_MOST:
            self._pending.append((value, begin))

    def beside(self, value: Value) -> None:
        """Another number of the step to come: a norm of gradients."""
        if len(self._beside) < PENDING_AT_MOST:
            self._beside.append(value)

    def left(self) -> list[Value]:
        """The other numbers of a step that does not come any more."""
        left, self._beside = self._beside, []
        return left

    def drop(self) -> None:
        """No step comes of these."""
        self._pending.clear()

    def of_step(self, begin: float) -> tuple[Value, list[Value], int]:
        """The loss of a step that began at a moment, the other numbers of it, and how many losses the first is of."""
        pending, beside = self._pending, self._beside
        self._pending, self._beside = [], []
        if len(pending) == 1:
            return pending[0][0], beside, 1
        if not pending:
            return NOTHING, beside, 0
        # Within the step the first is that of the weights as they were: LBFGS tries others after it.
        main = next((value for value, at in pending if at >= begin), pending[-1][0])
        inside = next((place for place, (_, at) in enumerate(pending) if at >= begin), len(pending))
        by_name: dict[str, list[Value]] = {}
        for value, _ in pending[: inside + 1]:
            by_name.setdefault(value.name, []).append(value)
        others = [self._together(values)[0] for name, values in by_name.items() if name != main.name]
        loss, number = self._together(by_name[main.name])
        return loss, [*others, *beside], number

    def _together(self, values: list[Value]) -> tuple[Value, int]:
        """What losses of one name come to in a step: their sum, if each was divided by their number, or the step is a
        shorter one of those; else the last."""
        last, number = values[-1], len(values)
        if number > 1 and all(self.divisors.get(value.site) == number for value in values):
            self._accumulated |= {value.site for value in values}
        if number > 1 and all(
            value.site in self._accumulated and number <= self.divisors.get(value.site, 0.0) for value in values
        ):
            return Value(last.name, last.site, nan, parts=tuple(values)), len(values)
        return last, len(values)


def in_groups(steps: list[Step], longest: int) -> Iterator[list[Step]]:
    """Steps in a row that can be told together: of one epoch and optimizer, all with a loss and an LR that are known,
    or none."""
    group: list[Step] = []
    for step in steps:
        if group and (len(group) >= longest or _kind(step) != _kind(group[0])):
            yield group
            group = []
        group.append(step)
    if group:
        yield group


def _kind(step: Step) -> tuple[int, int, bool, bool]:
    return step.epoch, step.optimizer, step.loss.is_known, isfinite(step.lr)
