"""The planned LR: rehearsals of a program's schedulers, step by step of the run."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from tui_trainer.events import PlanMade
from tui_trainer.presets.schedulers import SCHEDULERS
from tui_trainer.text.captions import say
from tui_trainer.watching.interpreter.lr_causes import LRCauses, Scheduler
from tui_trainer.watching.interpreter.passes import Passes
from tui_trainer.watching.trace import Planned

MOST_POINTS = 2000
"""Of a curve; a screen has some hundred columns."""


@dataclass
class Rehearsed:
    """A rehearsal, and where the run stood as it was made."""

    planned: Planned
    step: int


class Plans:
    """Turns rehearsals into plans, once it is known when the scheduler steps."""

    def __init__(self, passes: Passes, causes: LRCauses) -> None:
        self._passes, self._causes = passes, causes
        self._pending: dict[int, Rehearsed] = {}
        self._told: tuple[object, ...] | None = None
        self._last_step = 0
        """Up to which the LR was planned last."""

    def take_over(self, step: int, lr: float, now: float) -> PlanMade | None:
        """Another optimizer makes the steps behind this one: where the LR was planned beyond it, that comes to nothing.
        None where it was not. Until its own plan is told, its LR is all that is known."""
        self._told = None
        if self._last_step <= step or not isfinite(lr):
            return None
        return self._nothing(step, lr, say("plan.length_unknown"), now)

    def _nothing(self, step: int, lr: float, note: str, now: float) -> PlanMade:
        """Behind a step nothing but the next one's LR is known."""
        self._last_step = step + 1
        return PlanMade(at=now, steps=[step + 1], lrs=[lr], last_step=step + 1, exact=False, note=note, open_ended=True)

    def take(self, planned: Planned, step: int) -> None:
        """A scheduler's copy was rehearsed."""
        if len(self._pending) < 100 or planned.scheduler in self._pending:
            self._pending[planned.scheduler] = Rehearsed(planned, step)

    def due(self, now: float, total_steps: int | None, lr: float) -> PlanMade | None:
        """The plan of the scheduler that the run's LR comes from, if there is one that was not told yet; that there is
        none any more, once somebody else wrote that LR.

        Args:
            now: Unix time.
            total_steps: the last step of the run, where that is known.
            lr: what the next step uses.
        """
        leading = self._causes.leading
        rehearsed = self._pending.get(leading.seen.id) if leading is not None else None
        if leading is None or rehearsed is None:
            return None
        if (written := self._causes.written) > rehearsed.step:  # it may go on from that, or write over it
            self._told = None
            if self._last_step <= written + 1 or not isfinite(lr):
                return None
            return self._nothing(written, lr, say("plan.written"), now)
        planned, interval = rehearsed.planned, leading.interval
        assumed = not leading.calls and interval is None and self._steps_by_epochs(leading)
        if assumed:
            interval = "epoch"
        each = 1 if interval == "step" else self._passes.steps_an_epoch if interval == "epoch" else None
        begin = self._first_step(leading, planned.from_count, each) if each is not None else None
        if each is None or begin is None:
            return None
        total = total_steps if total_steps is not None and total_steps >= begin else None
        told = (planned, begin, each, assumed, total, self._causes.factor)
        if told == self._told:
            return None
        self._told = told
        plan = self._plan(planned, begin, each, assumed, total, now)
        self._last_step = plan.last_step if plan is not None else self._last_step
        return plan

    def _steps_by_epochs(self, scheduler: Scheduler) -> bool:
        """Whether a scheduler that has not stepped yet seems to step at an epoch's end, as most of torch's do."""
        known = SCHEDULERS.get(scheduler.seen.class_name) if scheduler.seen.class_name != "SequentialLR" else None
        natural = known.model_fields["interval"].default if known is not None else None
        training = self._passes.training
        return natural == "epoch" and training is not None and training.steps > 2

    def _first_step(self, scheduler: Scheduler, count: int, each: int) -> int | None:
        """The first step that runs with the LR after so many steps of the scheduler."""
        if scheduler.made is None or not 0 <= count <= scheduler.made + MOST_POINTS:
            return None
        begin = scheduler.last_step + 1 - (scheduler.made - count) * each
        return begin if begin >= 1 else None

    def _plan(
        self, planned: Planned, begin: int, each: int, assumed: bool, total: int | None, now: float
    ) -> PlanMade | None:
        lrs = planned.lrs[0] if planned.lrs else []
        every = max(1, planned.every) * each
        left = None if planned.length is None else planned.length - planned.from_count
        if left is not None and left > 0:  # what the last step of the scheduler sets, no step of the run uses
            lrs = lrs[: -(-left // max(1, planned.every))]
        if total is not None:
            lrs = lrs[: -(-(total - begin + 1) // every)]
        end = begin + len(lrs) * every
        first = max(begin, self._causes.dialled_from)  # another factor was used until then
        before = (first - begin) // every
        lrs = [lr * self._causes.factor for lr in lrs[before:]]
        if not lrs or not all(map(isfinite, lrs)) or end >= 2**62:
            return None
        places = [0, *(place for place in range(1, len(lrs)) if lrs[place] != lrs[place - 1])]
        thin = max(1, -(-len(places) // MOST_POINTS))
        kept = places[::thin]
        last = end - 1
        if left is not None and 0 < left < 2**53:
            last = begin + left * each - 1
        if total is not None:
            last = min(last, total)
        open_ended = planned.length is None and total is None
        notes = [
            say("plan.if_each_epoch") if assumed else "",
            say("plan.length_unknown") if open_ended else "",
            say("plan.rehearsed_to", step=f"{planned.reached:,}") if planned.reached is not None else "",
        ]
        return PlanMade(
            at=now,
            steps=[max(first, begin + (before + place) * every) for place in kept],
            lrs=[lrs[place] for place in kept],
            last_step=max(last, first),
            exact=thin == 1 and planned.every == 1,
            note="; ".join(filter(None, notes)),
            open_ended=open_ended,
        )
