"""What a trace defined so far: sites of calls, optimizers, schedulers, loaders and networks, by their numbers."""

from __future__ import annotations

from math import isfinite
from typing import TypeVar

from tui_trainer.watching.trace import (
    AnyDefinition,
    Hello,
    LoaderSeen,
    ModelSeen,
    OptimizerSeen,
    SchedulerSeen,
    Site,
)

MOST_KEPT = 10_000
"""Of each kind; a program has some. A trace that was made to harm may define any number."""

LONGEST_NAME = 1000
LARGEST = 2**62


def name(text: str) -> str:
    """A name as a record takes it."""
    return text[:LONGEST_NAME]


def count(number: int | None, least: int = 0) -> int | None:
    """A number of things as a record takes it; None where there can be no such."""
    return number if number is not None and least <= number <= LARGEST else None


T = TypeVar("T", Site, OptimizerSeen, SchedulerSeen, LoaderSeen, ModelSeen)


class Definitions:
    """Takes definitions; a later one of a number takes the place of an earlier one."""

    def __init__(self) -> None:
        self.hello: Hello | None = None
        self.sites: dict[int, Site] = {}
        self.optimizers: dict[int, OptimizerSeen] = {}
        self.schedulers: dict[int, SchedulerSeen] = {}
        self.loaders: dict[int, LoaderSeen] = {}
        self.models: dict[int, ModelSeen] = {}

    def take(self, frame: AnyDefinition) -> None:
        """Keep what is a definition of a thing."""
        match frame:
            case Hello():
                self.hello = frame
            case Site():
                _keep(self.sites, frame)
            case OptimizerSeen():
                _keep(self.optimizers, frame)
            case SchedulerSeen():
                _keep(self.schedulers, frame)
            case LoaderSeen():
                _keep(self.loaders, frame)
            case ModelSeen():
                _keep(self.models, frame)
            case _:
                pass

    def wrapped(self, optimizer: int) -> int:
        """The optimizer that takes the steps of one: itself, or what it wraps."""
        seen: set[int] = set()
        while optimizer not in seen and (known := self.optimizers.get(optimizer)) is not None and known.wraps:
            seen.add(optimizer)
            optimizer = known.wraps
        return optimizer

    def batches(self, loader: int) -> int | None:
        """How many batches a pass over a loader has; None where that is not known."""
        known = self.loaders.get(loader)
        return count(known.batches) if known is not None else None

    def scheduler_of(self, optimizer: int) -> SchedulerSeen | None:
        """The scheduler of an optimizer that was seen last; None where none was."""
        of = [each for each in self.schedulers.values() if self.wrapped(each.optimizer) == optimizer]
        return of[-1] if of else None

    def first_lr(self, optimizer: int, group: int) -> float | None:
        """The LR that an optimizer's group had as it was seen first; None where that is not known."""
        known = self.optimizers.get(optimizer)
        if known is None or not 0 <= group < len(known.groups):
            return None
        lr = known.groups[group].lr
        return lr if lr is not None and isfinite(lr) else None


def _keep(kept: dict[int, T], frame: T) -> None:
    if len(kept) < MOST_KEPT or frame.id in kept:
        kept[frame.id] = frame
