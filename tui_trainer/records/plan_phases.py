"""What the plan of the LR is doing at a step, and until when: warming up, annealing, holding, waiting for a loss.

It follows from the planned curve alone, whose turns are the schedule's, so that it is the same of a live run, of one
that was resumed or switched, and of a record.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from tui_trainer.events import PlanMade, ResolvedConfig
from tui_trainer.records.history import History
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, format_lr, lr_change
from tui_trainer.text.plain import plain

STEPS_DOWN = frozenset({"StepLR", "MultiStepLR", "ConstantLR"})
"""Schedulers that hold an LR for a while, and then set another."""

ANNEALS = frozenset({"OneCycleLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts"})

IN_PARTS = frozenset({"SequentialLR", "LambdaLR", "PiecewiseLinear"})
"""Schedulers that may hold an LR in one part of the run, and move it in another."""

ROUNDING = 1e-9
"""As a part of the highest LR: what is no further apart is the same, but for rounding."""


class Phase(NamedTuple):
    """A part of the curve in which the LR goes one way, or stays."""

    caption: str
    """An id of `text/captions/plan.py`."""
    start: float
    end: float
    """The LR that it comes to; of one that holds, the LR after it, or the same where none follows."""
    first: int
    last: int
    """The first step of it, and the one by which it has come to its end: the last that uses its LR where it holds."""


class PlanPhases:
    """The phases of one plan, under the recipe that it was made for.

    Args:
        plan: the curve.
        recipe: what it follows.
        first_epoch: the epoch in which the recipe was begun to be followed.
        first_step: the first step of that epoch.
    """

    def __init__(self, plan: PlanMade, recipe: ResolvedConfig, first_epoch: int = 1, first_step: int = 1) -> None:
        self._recipe = recipe
        self._first_epoch, self._first_step = first_epoch, first_step
        self._last_step = plan.last_step
        self._scheduled_from = scheduled_from(recipe, first_step)
        """The first step behind the warm-up."""
        steps, lrs = plan.steps, plan.lrs
        each = 1 if recipe.interval == "step" else recipe.batches_per_epoch or 1
        self._stride = each if plan.exact else plan.last_step
        """Behind how many steps the next LR of a curve comes that moves all the time."""
        self._least = ROUNDING * max(map(abs, lrs), default=0.0)
        self.phases: list[Phase] = []
        swa = self._of_swa(steps)
        end = plan.last_step if swa == len(steps) else steps[swa] - 1
        at = 0
        while at < swa:
            phase, at = self._phase(steps[:swa], lrs[:swa], at, end)
            if phase.caption == "plan.holds" and swa < len(steps):
                phase = phase._replace(caption="plan.holds_through")
            self.phases.append(phase)
        if swa < len(steps):
            self.phases.append(Phase("plan.to_swa_lr", lrs[max(0, swa - 1)], lrs[-1], steps[swa], steps[-1]))
            self.phases.append(Phase("plan.holds", lrs[-1], lrs[-1], steps[-1], plan.last_step))
        self._firsts = [phase.first for phase in self.phases]

    def _of_swa(self, steps: list[int]) -> int:
        """The first entry of the curve that SWALR sets; how many there are, where it sets none."""
        recipe = self._recipe
        if recipe.swa_lr is None or recipe.swa_start is None or not recipe.batches_per_epoch:
            return len(steps)
        begins = self._first_step + max(0, recipe.swa_start - self._first_epoch) * recipe.batches_per_epoch
        return bisect_right(steps, begins)

    def words(self, step: int) -> str:
        """What the plan is doing at a step; empty before its first step, and behind the last one of the run."""
        index = bisect_right(self._firsts, step) - 1
        if index < 0 or step > self._last_step:
            return ""
        phase = self.phases[index]
        top = self.phases[index + 1].start if index + 1 < len(self.phases) else phase.end
        start, end = lr_change(phase.start, phase.end)
        return say(
            phase.caption,
            start=start,
            end=end,
            when=self._by(phase),
            top=format_lr(top),
            factor=format_lr(phase.end / phase.start) if phase.start else "",
        )

    def _by(self, phase: Phase) -> str:
        """`step 189`; the epoch of that step where the scheduler steps once an epoch."""
        batches, step = self._recipe.batches_per_epoch, phase.last
        if self._recipe.interval == "step" or phase.first < self._scheduled_from or not batches:
            return f"step {step:,}"
        return f"epoch {self._first_epoch + (step - self._first_step) // batches:,}"

    def _phase(self, steps: list[int], lrs: list[float], at: int, last_step: int) -> tuple[Phase, int]:
        """The phase that begins with an entry of the curve, and the entry with which the next one begins."""
        if at + 1 == len(lrs):
            return Phase("plan.holds", lrs[at], lrs[at], steps[at], last_step), at + 1
        scheduler, first = self._recipe.scheduler, steps[at]
        rises = lrs[at + 1] > lrs[at]
        warming = rises and steps[at + 1] <= self._scheduled_from
        if scheduler in STEPS_DOWN and not warming:
            return Phase("plan.holds_then", lrs[at], lrs[at + 1], first, steps[at + 1] - 1), at + 1
        if scheduler in IN_PARTS and not warming and steps[at + 1] - first > self._stride:
            return Phase("plan.holds_through", lrs[at], lrs[at], first, steps[at + 1] - 1), at + 1
        end = at + 1
        while end + 1 < len(lrs) and self._goes_on(lrs[end], lrs[end + 1], rises):
            if warming and steps[end] >= self._scheduled_from:
                break
            if scheduler in IN_PARTS and steps[end + 1] - steps[end] > self._stride:
                break
            end += 1
        end = (max if rises else min)(range(at + 1, end + 1), key=lrs.__getitem__)
        restarts = scheduler == "CosineAnnealingWarmRestarts" and not warming and end + 1 < len(lrs)
        if warming or (rises and scheduler == "OneCycleLR"):
            caption = "plan.warming_up"
        elif restarts:
            caption = "plan.to_restart"
        elif rises:
            caption = "plan.climbing"
        else:
            caption = "plan.annealing" if scheduler in ANNEALS else "plan.falling"
        # A restart jumps: what comes behind the end is the next phase's. Else the end is where the next one turns.
        return Phase(caption, lrs[at], lrs[end], first, steps[end]), end + 1 if restarts else end

    def _goes_on(self, one: float, two: float, rises: bool) -> bool:
        return (two > one) == rises or abs(two - one) <= self._least


def scheduled_from(recipe: ResolvedConfig, first_step: int) -> int:
    """The first step behind the warm-up, of a recipe that is followed from `first_step` on."""
    return first_step + recipe.warmup_batches


class PlanInWords:
    """What the plan of a run is doing now, in a line; made once for each plan, and looked up at each frame."""

    def __init__(self) -> None:
        self._phases: PlanPhases | None = None
        self._plan: PlanMade | None = None
        self._of: tuple[object, ...] = ()

    def now(self, history: History) -> str:
        """For the step that comes next; empty while there is no plan, and once nothing more is to come."""
        recipe, step = history.recipe, history.steps + 1
        plans = [plan for plan in history.plans if plan.steps and plan.steps[0] <= step]
        if recipe is None or not plans or history.ended is not None or step > plans[-1].last_step:
            return ""
        switch = history.switches[-1] if history.switches else None
        since = (switch.epoch, switch.step) if switch is not None else (1, 1)
        if recipe.monitor and step >= scheduled_from(recipe, since[1]):
            said = _waiting(history, recipe, plans[-1])
        else:
            if self._phases is None or plans[-1] is not self._plan or (recipe, since) != self._of:
                self._phases = PlanPhases(plans[-1], recipe, *since)
                self._plan, self._of = plans[-1], (recipe, since)
            said = self._phases.words(step)
        if history.dial != 1.0 and said:
            said = say("plan.dialled", doing=said, factor=format_lr(history.dial))
        if (coming := history.switch_to_come) is not None and said:
            said = say("plan.until_switch", doing=said, preset=plain(coming.preset), epoch=coming.epoch)
        return said


def _waiting(history: History, recipe: ResolvedConfig, plan: PlanMade) -> str:
    """Of ReduceLROnPlateau: what it waits for, and how long it has."""
    count, monitor = history.plateau, plain(recipe.monitor or "")
    here = plan.lrs[bisect_right(plan.steps, history.steps + 1) - 1]
    lr = format_lr(here)
    if history.min_lr is not None and here <= history.min_lr * history.dial * (
        1 + ROUNDING
    ):  # a run that went back may be above it again
        return say("plan.at_min_lr", lr=lr)
    if history.undropped_lr is not None and here <= history.undropped_lr * history.dial * (1 + ROUNDING):
        return say("plan.drop_too_small", lr=lr)
    if count is None:
        return say("plan.watches", lr=lr, monitor=monitor)
    if count.cooldown > 0:
        return say("plan.cools_down", lr=lr, epochs=counted(count.cooldown, "epoch"))
    if 0 < count.bad_epochs <= count.patience:
        patience = counted(count.patience, "epoch")
        return say("plan.waits", monitor=monitor, bad=count.bad_epochs, patience=patience)
    return say("plan.has_patience", lr=lr, monitor=monitor, epochs=counted(count.patience + 1, "epoch"))
