"""Which optimizer's steps are the run's: those of the first one, until another one takes over.

A program may train one network after the other (the folds of a cross-validation), or one in several parts, each with an
optimizer of its own. Then the first one steps no more, and another one does. Optimizers that step in turn, as those of
a GAN do, take nothing over: the first one comes back.

Which of the two it is shows only later. So frames are held from the first one that tells of another optimizer on, and
given on as they came, once that is known: with a `TakenOver` among them, or without.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np

from tui_trainer.watching.interpreter.passes import Pass, Passes
from tui_trainer.watching.trace import LATE, AnyDefinition, Goodbye, LoaderSeen, OptimizerSeen, Rows, Site

MOST_SITES = 10_000
MOST_HELD = 400_000
"""Rows; with more of them held, nothing is taken over."""

ENOUGH_STEPS = 20
"""In a pass of its own, where the one before made several: the first one is done with."""

ENOUGH_WITHOUT_PASSES = 500
"""The same where there are no passes: in a GAN one may wait for 100 steps of the other."""


class TakenOver(NamedTuple):
    """From here on the run's steps are those of another optimizer."""

    optimizer: int


Frame: TypeAlias = AnyDefinition | Rows
Given: TypeAlias = Frame | TakenOver


class _Era:
    """The steps that an optimizer made since another one made the last."""

    def __init__(self, optimizer: int) -> None:
        self.optimizer = optimizer
        self.steps = self.passes = 0
        self.first: Pass | None = None
        self.last: Pass | None = None
        """The passes of its first and of its last step; None where there are none."""

    @property
    def is_in_passes(self) -> bool:
        """Whether it steps in passes over a loader, and not with a batch of a new one each time."""
        return self.first is not None and not self.first.is_a_single_batch

    def step(self, within: Pass | None) -> None:
        """It steps, behind a batch of this pass."""
        if not self.steps:
            self.first = within
            self.passes = within is not None
        elif within is not self.last and not (self.last is not None and self.last.is_a_single_batch):
            self.passes += 1
        self.steps += 1
        self.last = within


class HandOvers:
    """Takes the frames of a process in their order, and gives them on with what follows from them."""

    def __init__(self) -> None:
        """Nothing was read yet."""
        self._main: _Era | None = None
        self._next: _Era | None = None
        """Who may take over."""
        self._beside: set[int] = set()
        """Optimizers that step in turn with the main one."""
        self._since: set[int] = set()
        """Those that stepped since its last step."""
        self._held: list[Frame] | None = None
        """Frames since another optimizer was seen; None where none are held."""
        self._rows = 0
        """That are held."""
        self._optimizers: dict[int, int] = {}
        """What each wraps, or 0."""
        self._batches: dict[int, int | None] = {}
        self._steps: dict[float, int] = {}
        """Sites of steps, and their optimizers."""
        self._data: dict[float, int] = {}
        """The same of loaders."""
        self._passes = Passes()
        self._within: Pass | None = None
        """The pass that gave the last batch."""

    @property
    def holds(self) -> bool:
        """Whether frames are held."""
        return self._held is not None

    @property
    def steps_held(self) -> int:
        """Steps among them, of the optimizer that may take over."""
        return self._next.steps if self._next is not None else 0

    def take(self, frame: Frame) -> list[Given]:
        """A frame; what can be given on."""
        if isinstance(frame, np.ndarray):
            return self._take_rows(frame)
        match frame:
            case Site(call="optimizer.step") if len(self._steps) < MOST_SITES and LATE < frame.id <= 2**53:
                self._steps[frame.id] = frame.target
            case Site(call="data") if len(self._data) < MOST_SITES and LATE < frame.id <= 2**53:
                self._data[frame.id] = frame.target
            case LoaderSeen() if len(self._batches) < MOST_SITES:
                self._batches[frame.id] = frame.batches
            case OptimizerSeen() if len(self._optimizers) < MOST_SITES:
                self._optimizers[frame.id] = frame.wraps
                if self._held is None and self._main is not None and not frame.wraps:
                    self._hold()
            case Goodbye():
                return [*self.finish(), frame]
            case _:
                pass
        if self._held is None:
            return [frame]
        self._held.append(frame)
        return []

    def finish(self) -> list[Given]:
        """Nothing comes any more: the main one does not come back."""
        one, main = self._next, self._main
        if one is None or main is None:
            return [*self._release()]
        is_another_part = one.is_in_passes and one.first is not main.last
        return self._take_over() if is_another_part or one.steps >= ENOUGH_STEPS else [*self._release()]

    def _hold(self) -> None:
        self._held, self._rows = [], 0

    def _release(self) -> list[Frame]:
        """What was held, as it came."""
        held, self._held, self._next = self._held or [], None, None
        return held

    def _take_over(self) -> list[Given]:
        """What was held, of an optimizer that takes over: it does so where it is told of, if that is among it."""
        one = self._next
        assert one is not None
        held: list[Given] = [*self._release()]
        place = next((at for at, each in enumerate(held) if _tells_of(each, one.optimizer)), -1)
        held.insert(place + 1, TakenOver(one.optimizer))
        self._main = one
        self._beside.clear()
        self._since.clear()
        return held

    def _take_rows(self, rows: Rows) -> list[Given]:
        given: list[Given] = []
        begin = 0
        """The first row that is neither given on nor held."""
        for place, site, end, value in self._interesting(rows):
            if site in self._data:
                self._pass(site, value, end)
                continue
            optimizer = self._steps[site]
            if self._optimizers.get(optimizer):
                continue  # only passes its steps on
            if self._main is None or optimizer == self._main.optimizer:
                given += self._release()
                self._main_steps(optimizer)
                continue
            self._since.add(optimizer)
            if self._next is None and optimizer not in self._beside:
                if self._held is None:
                    self._hold()
                    given, begin = _with(given, rows[begin:place]), place
                self._next = _Era(optimizer)
            if (one := self._next) is None:
                continue
            if optimizer == one.optimizer:
                one.step(self._within)
                if self._is_enough(one):
                    given += self._take_over()
            elif optimizer not in self._beside and self._is_over(one):
                given += self._take_over_before(optimizer)
        rest = rows[begin:]
        if self._held is None:
            return _with(given, rest)
        self._held.append(rest)
        self._rows += len(rest)
        if self._rows > MOST_HELD:
            self._beside |= self._since
            given += self._release()
        return given

    def _interesting(self, rows: Rows) -> Iterator[tuple[int, float, float, float]]:
        """Batches and steps: the place of each row, its site, when it ended, and its value."""
        places = np.flatnonzero(np.isin(rows[:, 0], [*self._steps, *self._data]))
        for place, row in zip(places.tolist(), rows[places].tolist(), strict=True):
            yield place, row[0], row[2], row[3]

    def _pass(self, site: float, value: float, moment: float) -> None:
        loader, passes = self._data[site], self._passes
        batches = self._batches.get(loader)
        if value == 1:
            passes.end(int(site), loader)
        elif value == 0:
            self._within = passes.batch(int(site), loader, batches, moment)
        else:
            passes.begin(int(site), loader, batches, moment)
        passes.done.clear()

    def _main_steps(self, optimizer: int) -> None:
        if self._main is None:
            self._main = _Era(optimizer)
        self._main.step(self._within)
        self._beside |= self._since
        self._since.clear()

    def _is_enough(self, one: _Era) -> bool:
        """Whether it has stepped alone for so long that the main one does not come back."""
        main = self._main
        if main is None or one.passes > 1:
            return one.passes > 1
        if not one.is_in_passes:
            return one.steps >= ENOUGH_WITHOUT_PASSES
        return one.first is not main.last and main.passes > 1 and one.steps >= ENOUGH_STEPS

    def _is_over(self, one: _Era) -> bool:
        """Whether a third optimizer, which steps for the first time now, comes behind it, and not beside it."""
        return one.last is not self._within if one.is_in_passes else one.steps >= ENOUGH_STEPS

    def _take_over_before(self, third: int) -> list[Given]:
        """The one that is waited for takes over, and the third may be the next to do so."""
        held = self._held or []
        place = next((at for at, each in enumerate(held) if _tells_of(each, third)), None)
        if place is None:  # it was there before
            self._since.add(third)
            return []
        self._held = held[:place]
        given = self._take_over()
        self._held, self._rows = held[place:], sum(len(each) for each in held[place:] if isinstance(each, np.ndarray))
        self._next = _Era(third)
        self._next.step(self._within)
        self._since.add(third)
        return given


def _with(given: list[Given], rows: Rows) -> list[Given]:
    return [*given, rows] if len(rows) else given


def _tells_of(frame: Given, optimizer: int) -> bool:
    return isinstance(frame, OptimizerSeen) and frame.id == optimizer
