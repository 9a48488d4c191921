"""A schedule that has come to its end, with an LR of 0, while the training goes on."""

from __future__ import annotations

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.findings.rule import Handler, Rule, Tell, Value
from tui_trainer.watching.trace import Observed

ENOUGH_STEPS = 20


class ScheduleEndsEarly(Rule):
    """Steps with an LR of 0 in every group, behind the last one that the scheduler is made for.

    One that rises again behind its end, as CosineAnnealingLR does, may be meant to; so may one that is told by number
    where it stands, as timm's is in the epochs of its cool-down.
    """

    def __init__(self, loop: Loop, tell: Tell) -> None:
        super().__init__(loop, tell)
        self._lrs: dict[int, dict[int, float]] = {}
        self._still: dict[int, int] = {}
        """By optimizers: steps in a row with an LR of 0."""
        self._steps: dict[int, int] = {}
        """By schedulers."""
        self._last: dict[int, Call] = {}
        self._found: dict[int, int] = {}
        """Schedulers that are at their end, by their lengths."""
        self._excused: set[int] = set()

    def calls(self) -> dict[str, Handler]:
        return {"scheduler.step": self._scheduler, "optimizer.step": self._optimizer, "lr": self._lr}

    def observed(self, frame: Observed) -> None:
        if frame.fact == "stepped_to" and (site := self.loop.definitions.sites.get(frame.site)) is not None:
            self._excused.add(site.target)

    def _lr(self, call: Call) -> None:
        self._lrs.setdefault(call.site.target, {})[call.site.part] = call.value

    def _scheduler(self, call: Call) -> None:
        self._steps[call.site.target] = self._steps.get(call.site.target, 0) + 1
        self._last[call.site.target] = call

    def _optimizer(self, call: Call) -> None:
        optimizer, loop = call.site.target, self.loop
        lrs = self._lrs.get(optimizer)
        if not lrs or any(lr != 0 for lr in lrs.values()):
            self._still.pop(optimizer, None)
            return
        still = self._still[optimizer] = self._still.get(optimizer, 0) + 1
        if still != ENOUGH_STEPS:
            return
        for scheduler, steps in self._steps.items():
            seen = loop.definitions.schedulers.get(scheduler)
            if seen is None or loop.optimizer_of(scheduler) != optimizer:
                continue
            length = loop.length_of(seen)
            if length is not None and steps >= length:
                self._found[scheduler] = length
                a_pass = loop.steps_a_pass
                if a_pass is None or length >= a_pass:  # a shorter one may count epochs
                    self._say(scheduler)

    def finish(self) -> None:
        for scheduler in self._found:
            self._say(scheduler)

    def _say(self, scheduler: int) -> None:
        loop, last = self.loop, self._last[scheduler]
        if scheduler not in loop.misused and scheduler not in self._excused:
            loop.misused.add(scheduler)
            name = loop.definitions.schedulers[scheduler].class_name
            total: Value = loop.options.steps or "more"
            values: dict[str, Value] = {"scheduler": name, "steps": self._found[scheduler], "total": total}
            self.tell("schedule_ends_early", last.site, values)
