"""A scheduler that is stepped before its optimizer has made a step."""

from __future__ import annotations

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.findings.rule import Handler, Rule, Tell
from tui_trainer.watching.trace import Observed


class SchedulerBeforeOptimizer(Rule):
    """It is seen once the scheduler is stepped again from the same place, behind steps of its optimizer.

    A loop that makes up for epochs of an earlier process steps it from another place, or many times; the first step
    of a GradScaler may be skipped; `step(epoch)` sets the LR of the epoch to come; a second network may begin to train
    later than a first one.
    """

    def __init__(self, loop: Loop, tell: Tell) -> None:
        super().__init__(loop, tell)
        self._early: dict[int, int] = {}
        """By sites, how often they stepped a scheduler before its optimizer's first step."""
        self._after_backward: dict[int, int] = {}
        """Of those that came behind a backward: behind how many."""
        self._excused: set[int] = set()
        self._scaled = False
        self._done: set[int] = set()

    def calls(self) -> dict[str, Handler]:
        return {"scheduler.step": self._scheduler, "optimizer.step": self._optimizer, "scaler.step": self._scaler}

    def observed(self, frame: Observed) -> None:
        if frame.fact == "stepped_to":
            self._excused.add(frame.site)

    def _scaler(self, _: Call) -> None:
        self._scaled = True

    def _scheduler(self, call: Call) -> None:
        site, loop = call.site, self.loop
        optimizer = loop.optimizer_of(site.target)
        if not optimizer or site.id in self._done:
            return
        if not loop.steps_of.get(optimizer):
            self._early[site.id] = self._early.get(site.id, 0) + 1
            if loop.backwards:
                self._after_backward[site.id] = loop.backwards
            if self._scaled or loop.step:
                self._excused.add(site.id)
            return
        self._done.add(site.id)
        if self._early.get(site.id) == 1 and site.id not in self._excused:
            seen = loop.definitions.schedulers[site.target]
            self.tell("scheduler_before_optimizer", site, {"scheduler": seen.class_name})

    def _optimizer(self, call: Call) -> None:
        loop = self.loop
        if loop.steps_of[call.site.target] > 1 or not self._after_backward:
            return
        for site, backwards in self._after_backward.items():
            scheduler = loop.definitions.sites[site].target
            if loop.optimizer_of(scheduler) == call.site.target and loop.backwards > backwards:
                self._excused.add(site)  # it is stepped with each of several batches that make a step
