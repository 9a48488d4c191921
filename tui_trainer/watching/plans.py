"""The planned LR: rehearsals of a program's schedulers, step by step of the run."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from tui_trainer.events import PlanMade
from tui_trainer.text.captions import say
from tui_trainer.watching.lr_causes import LRCauses, Scheduler
from tui_trainer.watching.passes import Passes
from tui_trainer.watching.trace import Options, Planned

MOST_POINTS = 2000
"""Of a curve; a screen has some hundred columns."""


@dataclass
class Rehearsed:
    """A rehearsal, and where the run stood as it was made."""

    planned: Planned
    step: int
    epoch_began: int


class Plans:
    """Turns rehearsals into plans, once it is known when the scheduler steps."""

    def __init__(self, passes: Passes, causes: LRCauses, options: Options) -> None:
        self._passes, self._causes, self._options = passes, causes, options
        self._pending: dict[int, Rehearsed] = {}
        self._told: tuple[object, ...] | None = None

    def take(self, planned: Planned, step: int) -> None:
        """A scheduler's copy was rehearsed."""
        if len(self._pending) < 100 or planned.scheduler in self._pending:
            self._pending[planned.scheduler] = Rehearsed(planned, step, step + 1)

    def due(self, now: float) -> PlanMade | None:
        """The plan of the scheduler that the run's LR comes from, if there is one that was not told yet."""
        leading = self._causes.leading
        rehearsed = self._pending.get(leading.seen.id) if leading is not None else None
        if leading is None or rehearsed is None:
            return None
        each = self._steps_each(leading)
        if each is None:
            return None
        planned = rehearsed.planned
        begin = self._first_step(leading, planned.from_count, each)
        if begin is None:
            return None
        told = (
            planned.scheduler,
            planned.from_count,
            begin,
            each,
            leading.interval,
            len(planned.lrs[0]) if planned.lrs else 0,
        )
        if told == self._told:
            return None
        self._told = told
        return self._plan(planned, begin, each, leading.interval, now)

    def _steps_each(self, scheduler: Scheduler) -> int | None:
        """For how many steps of the run an LR holds; None while that is not known."""
        if scheduler.interval == "step":
            return 1
        return self._passes.steps_an_epoch if scheduler.interval == "epoch" else None

    def _first_step(self, scheduler: Scheduler, count: int, each: int) -> int | None:
        """The first step that runs with the LR after so many steps of the scheduler."""
        if scheduler.made is None:
            return None
        begin = scheduler.last_step + 1 - (scheduler.made - count) * each
        return begin if begin >= 1 else None

    def _plan(
        self, planned: Planned, begin: int, each: int, interval: Literal["step", "epoch"] | None, now: float
    ) -> PlanMade | None:
        lrs = planned.lrs[0] if planned.lrs else []
        steps: list[int] = []
        kept: list[float] = []
        for place, lr in enumerate(lrs):
            if not isfinite(lr):
                return None
            if not kept or lr != kept[-1]:
                steps.append(begin + place * each)
                kept.append(lr)
        if not kept or steps[-1] >= 2**62:
            return None
        known = planned.length is not None
        last = begin + len(lrs) * each - 1
        if self._options.steps is not None and last > self._options.steps >= begin:
            last = self._options.steps
        thin = max(1, -(-len(kept) // MOST_POINTS))
        notes = [planned.note, "" if known else say("plan.length_unknown")]
        return PlanMade(
            at=now,
            steps=steps[::thin],
            lrs=kept[::thin],
            last_step=last,
            exact=thin == 1,
            note="; ".join(filter(None, notes)),
        )
