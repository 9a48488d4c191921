"""A training that goes on from a checkpoint with a schedule that begins anew."""

from __future__ import annotations

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.findings.rule import Handler, Rule, Tell
from tui_trainer.watching.trace import Loaded, Observed, SchedulerSeen

ENOUGH_STEPS = 2
"""Of the scheduler, so that it goes on."""

_BEGINS_ANEW = frozenset(
    {
        "LambdaLR",
        "OneCycleLR",
        "CosineAnnealingLR",
        "CosineAnnealingWarmRestarts",
        "SequentialLR",
        "PolynomialLR",
        "LinearLR",
        "CyclicLR",
    }
)
"""Others of torch go on from the LR that stands in the optimizer's state."""


class SchedulerNotLoaded(Rule):
    """Network and optimizer were loaded before the first step, and the scheduler counts from nothing.

    The optimizer's state must be of steps that were made: one that was kept before them only begins anew.
    """

    def __init__(self, loop: Loop, tell: Tell) -> None:
        super().__init__(loop, tell)
        self._model = False
        self._optimizers: set[int] = set()
        self._excused: set[int] = set()
        self._steps: dict[int, int] = {}
        self._first_count: dict[int, int] = {}
        """What each scheduler counts as it is seen first, where it begins with nothing."""

    def calls(self) -> dict[str, Handler]:
        return {"scheduler.step": self._scheduler}

    def define(self, frame: object) -> None:
        if isinstance(frame, SchedulerSeen):  # as an optimizer steps for the first time, or behind its own first step
            self._first_count[frame.id] = 1 if self.loop.step else 0
        if not isinstance(frame, Loaded):
            return
        if frame.what == "scheduler":
            self._excused.add(frame.target)
        elif self.loop.step:
            return
        elif frame.what == "model":
            self._model = True

    def observed(self, frame: Observed) -> None:
        optimizer = frame.values.get("optimizer")
        if frame.fact == "steps_loaded" and not self.loop.step and type(optimizer) is int:
            self._optimizers.add(self.loop.definitions.wrapped(optimizer))
        if frame.fact == "stepped_to" and (site := self.loop.definitions.sites.get(frame.site)) is not None:
            self._excused.add(site.target)

    def _scheduler(self, call: Call) -> None:
        if not self._model or not self._optimizers:
            return
        loop, scheduler = self.loop, call.site.target
        seen, optimizer = loop.definitions.schedulers.get(scheduler), loop.optimizer_of(scheduler)
        steps = self._steps[scheduler] = self._steps.get(scheduler, 0) + 1
        if seen is None or scheduler in self._excused or optimizer not in self._optimizers:
            return
        if steps == 1 and (
            not loop.steps_of.get(optimizer) or seen.state.get("last_epoch") != self._first_count[scheduler]
        ):
            self._excused.add(scheduler)  # it is brought to where it was, or was made so
        elif steps == ENOUGH_STEPS and seen.class_name in _BEGINS_ANEW:
            self.tell("scheduler_not_loaded", call.site, {"scheduler": seen.class_name})
