"""What a trace defined so far: sites of calls, optimizers, schedulers, loaders and networks, by their numbers."""

from __future__ import annotations

from math import isfinite
from typing import TypeVar

from msgspec.structs import replace

from tui_trainer.watching.trace import (
    AnyDefinition,
    Hello,
    LoaderSeen,
    ModelSeen,
    Observed,
    OptimizerSeen,
    SchedulerSeen,
    Site,
)

MOST_KEPT = 10_000
"""Of each kind; a program has some. A trace that was made to harm may define any number."""

MOST_BATCHES = 10_000_000
"""Of a pass that a training may come to the end of. A loader that has more, as one over a sampler of 1e10 samples, was
given a length because it had to have one."""

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
        self.rounds: dict[int, int] = {}
        """By sites: how often the loop goes round that it stands in."""
        self._steps_from: dict[int, set[int]] = {}
        """The sites that each optimizer steps at."""
        self._places: dict[tuple[object, ...], int] = {}
        self._same_as: dict[int, int] = {}

    def take(self, frame: AnyDefinition) -> None:
        """Keep what is a definition of a thing."""
        match frame:
            case Hello():
                self.hello = frame
            case Site():
                _keep(self.sites, frame)
                if frame.call == "optimizer.step" and len(self._steps_from) < MOST_KEPT:
                    self._steps_from.setdefault(frame.target, set()).add(frame.id)
            case OptimizerSeen():
                _keep(self.optimizers, frame)
            case SchedulerSeen():
                _keep(self.schedulers, frame)
            case LoaderSeen():
                _keep(self.loaders, frame)
            case ModelSeen():
                _keep(self.models, frame)
            case Observed(fact="argument_moves") if self.hello is not None:
                kept = {
                    key: value for key, value in self.hello.arguments.items() if key != frame.values.get("argument")
                }
                self.hello = replace(self.hello, arguments=kept)
            case Observed(fact="rounds"):
                rounds = frame.values.get("rounds")
                if type(rounds) is int and 0 < rounds < 2**31 and len(self.rounds) < MOST_KEPT:
                    self.rounds[frame.site] = rounds
            case _:
                pass

    def place(self, site: Site) -> int:
        """The number by which a site is listed: that of the first one in its line, for a program that makes its loaders
        or optimizers anew for each epoch."""
        known = self._same_as.get(site.id)
        if known is None:
            known = self._same_as[site.id] = self._places.setdefault(self._line(site), site.id)
        return known

    def are_in_one_line(self, one: int, other: int) -> bool:
        """Whether two sites are the same line of the program, though they may be of different objects."""
        here, there = self.sites.get(one), self.sites.get(other)
        if one == other or here is None or there is None:
            return one == other
        return bool(here.file) and (here.call, here.file, here.lineno) == (there.call, there.file, there.lineno)

    def _line(self, site: Site) -> tuple[object, ...]:
        if not site.file:
            return site.call, site.target, site.part
        line = site.call, site.file, site.lineno
        if site.call == "data":
            loader = self.loaders.get(site.target)
            return (*line, site.name, loader and (loader.class_name, loader.dataset, loader.samples, loader.batch_size))
        # A line that leads into a library, `trainer.fit(...)`, stands for calls of several objects.
        _, _, method = site.call.rpartition(".")
        return (*line, site.name) if method in site.text else (*line, site.name, site.target)

    def wrapped(self, optimizer: int) -> int:
        """The optimizer that takes the steps of one: itself, or what it wraps."""
        seen: set[int] = set()
        while optimizer not in seen and (known := self.optimizers.get(optimizer)) is not None and known.wraps:
            seen.add(optimizer)
            optimizer = known.wraps
        return optimizer

    def batches(self, loader: int) -> int | None:
        """How many batches a pass over a loader has; None where that is not known, or it has no end."""
        known = self.loaders.get(loader)
        batches = count(known.batches) if known is not None else None
        return batches if batches is not None and batches <= MOST_BATCHES else None

    def samples(self, loader: int) -> int | None:
        """How many samples a pass over a loader has; None where that is not known, or it has no end."""
        known = self.loaders.get(loader)
        return count(known.samples, 1) if known is not None and self.batches(loader) is not None else None

    def rounds_of_steps(self, optimizer: int) -> int | None:
        """How often the loop goes round in which an optimizer steps once; None where that is not known, or it steps at
        several places."""
        places = self._steps_from.get(optimizer, set())
        return self.rounds.get(next(iter(places))) if len(places) == 1 else None

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
