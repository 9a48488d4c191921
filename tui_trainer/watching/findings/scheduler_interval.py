"""Schedulers that are stepped at another interval than they are made for: epochs, batches, steps of the optimizer."""

from __future__ import annotations

from math import isfinite

from tui_trainer.watching.findings.loop import Call, Loop, alike
from tui_trainer.watching.findings.rule import Handler, Rule, Tell, Value
from tui_trainer.watching.findings.scheduler_use import SchedulerUse, SchedulerUses
from tui_trainer.watching.trace import Observed

ENOUGH_STEPS = 10
"""Intervals in which several batches made a step, and the scheduler was stepped with each."""

FEWEST_STEPS_A_PASS = 4
FEWEST_STEPS = 20
GONE = 1e-6
"""An LR of this part of its first one moves nothing any more."""

_BY_EPOCHS = frozenset({"StepLR", "ExponentialLR", "MultiStepLR"})
"""They have no end, but an LR that is all but gone within an epoch of many."""


class SchedulerInterval(Rule):
    """For how many steps a scheduler is made is compared with how many there are, and how often it is stepped."""

    def __init__(self, loop: Loop, tell: Tell) -> None:
        super().__init__(loop, tell)
        self._uses = SchedulerUses(loop)
        self._first_lr: dict[int, float] = {}
        self._gone: set[int] = set()
        """Those whose LR was all but gone within the first pass."""
        self._excused: set[int] = set()

    def calls(self) -> dict[str, Handler]:
        return {"scheduler.step": self._scheduler, "optimizer.step": self._optimizer}

    def observed(self, frame: Observed) -> None:
        if frame.fact == "stepped_to" and (site := self.loop.definitions.sites.get(frame.site)) is not None:
            self._excused.add(site.target)  # it is told where it stands

    def finish(self) -> None:
        for use in self._uses.all.values():
            self._look_at(use)
            self._look_for_end(use)

    def _scheduler(self, call: Call) -> None:
        use = self._uses.scheduler_step(call)
        if use is None or use.seen.id in self.loop.misused:
            return
        if use.steps == 1:
            lr = self.loop.definitions.first_lr(self.loop.optimizer_of(use.seen.id), 0)
            self._first_lr[use.seen.id] = lr if lr else call.value
        if use.seen.class_name in _BY_EPOCHS:
            self._look_at_lr(use, call.value)

    def _optimizer(self, call: Call) -> None:
        optimizer, loop = call.site.target, self.loop
        new_pass = loop.is_new_pass(optimizer)
        self._uses.optimizer_step(optimizer, new_pass)
        if not new_pass and loop.steps_of[optimizer] % 64:
            return
        for use in self._uses.all.values():
            if loop.optimizer_of(use.seen.id) == optimizer and use.site is not None:
                self._look_at(use)

    def _look_at(self, use: SchedulerUse) -> None:
        loop, length, epochs = self.loop, self.loop.length_of(use.seen), self.loop.epochs
        if use.seen.id in loop.misused or use.seen.id in self._excused or use.site is None:
            return
        if length is None:
            self._look_whether_gone(use, epochs)
            return
        steps = self._steps_of_run(use, epochs)
        if use.with_each_batch >= ENOUGH_STEPS and steps is not None and alike(length, steps):
            name = loop.optimizer_name(loop.optimizer_of(use.seen.id))
            self._say("every_micro_batch", use, times=use.batches_a_step, optimizer=name)
            return
        if epochs is None or epochs < 2 or (a_pass := loop.steps_a_pass) is None or a_pass < FEWEST_STEPS_A_PASS:
            return
        if epochs * a_pass < FEWEST_STEPS:
            return
        of_run = {epochs * a_pass, epochs * (loop.batches_a_pass or a_pass)}
        if use.is_once_a_pass and use.between >= min(2, epochs - 1) and any(alike(length, each) for each in of_run):
            self._say("once_an_epoch", use, steps=length)
        elif use.is_with_each_step and use.steps > length and 0 <= epochs - length <= epochs // 10:
            self._say("every_batch", use)

    def _steps_of_run(self, use: SchedulerUse, epochs: int | None) -> int | None:
        """How many steps its optimizer makes in all; those it made until the run ended somehow are not meant."""
        loop = self.loop
        if loop.is_complete:
            return loop.steps_of.get(loop.optimizer_of(use.seen.id))
        if loop.options.steps:
            return loop.options.steps
        a_pass = loop.steps_a_pass if loop.done else None
        return epochs * a_pass if epochs is not None and a_pass is not None else None

    def _look_at_lr(self, use: SchedulerUse, lr: float) -> None:
        """One without an end, stepped with every batch: whether it has all but ended within the first pass."""
        loop, first = self.loop, self._first_lr.get(use.seen.id, 0.0)
        a_pass = loop.steps_a_pass
        if use.is_with_each_step and isfinite(first) and 0 <= lr < GONE * first and a_pass and use.steps <= a_pass:
            self._gone.add(use.seen.id)

    def _look_whether_gone(self, use: SchedulerUse, epochs: int | None) -> None:
        turns = use.seen.state.get("step_size", 1)
        if use.seen.id in self._gone and epochs is not None and epochs >= 3 and type(turns) is int and turns <= epochs:
            self._say("every_batch", use)

    def _look_for_end(self, use: SchedulerUse) -> None:
        """The run is over, as long as it was meant to be: whether the scheduler is as well."""
        loop, length = self.loop, self.loop.length_of(use.seen)
        if use.seen.id in self.loop.misused or use.seen.id in self._excused or length is None or not loop.is_complete:
            return
        done = use.steps + _steps_before(use.seen.state)
        if len(loop.done) >= 2 and done <= 0.8 * length and (use.is_once_a_pass or use.is_with_each_step):
            self._say("schedule_never_ends", use, steps=length, total=use.steps)

    def _say(self, code: str, use: SchedulerUse, **values: Value) -> None:
        self.loop.misused.add(use.seen.id)
        self.tell(code, use.site, {"scheduler": use.seen.class_name, **values})


def _steps_before(state: dict[str, object]) -> int:
    """Steps that it had made as it was seen first, behind the first that was seen."""
    last = state.get("last_epoch")
    return last - 1 if type(last) is int and last > 1 else 0
