"""Two schedulers of one optimizer, of which one computes the LR alone and undoes what the other did."""

from __future__ import annotations

from math import isfinite

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.findings.rule import Handler, Rule, Tell

ENOUGH_INTERVALS = 3
_COMPUTES_ALONE = frozenset({"LambdaLR", "OneCycleLR", "CyclicLR", "CosineAnnealingWarmRestarts"})
"""Others of torch multiply the LR that is there, and are made to be stepped one after the other."""


class ScheduledTwice(Rule):
    """Both must change the LR between two steps of the optimizer, time and again, and be torch's own."""

    def __init__(self, loop: Loop, tell: Tell) -> None:
        super().__init__(loop, tell)
        self._moved: dict[int, dict[int, Call]] = {}
        """By optimizers: the schedulers that changed the LR since its last step."""
        self._lr: dict[int, float] = {}
        self._times: dict[tuple[int, int], int] = {}

    def calls(self) -> dict[str, Handler]:
        return {"scheduler.step": self._scheduler, "optimizer.step": self._optimizer, "lr": self._lr_told}

    def _lr_told(self, call: Call) -> None:
        if call.site.part == 0:
            self._lr[call.site.target] = call.value

    def _scheduler(self, call: Call) -> None:
        optimizer = self.loop.optimizer_of(call.site.target)
        before = self._lr.get(optimizer)
        if before is None or not isfinite(call.value):
            return
        self._lr[optimizer] = call.value
        if call.value != before:
            self._moved.setdefault(optimizer, {})[call.site.target] = call

    def _optimizer(self, call: Call) -> None:
        moved = self._moved.pop(call.site.target, None)
        if moved is None or len(moved) != 2:
            return
        one, other = sorted(moved)
        kinds = [self.loop.definitions.schedulers[each] for each in (one, other)]
        if not any(kind.class_name in _COMPUTES_ALONE for kind in kinds):
            return
        if not all(kind.module.startswith("torch.optim.") for kind in kinds):
            return
        times = self._times[one, other] = self._times.get((one, other), 0) + 1
        if times == ENOUGH_INTERVALS:
            name = self.loop.optimizer_name(call.site.target)
            self.loop.misused |= {one, other}
            values = {"one": kinds[0].class_name, "other": kinds[1].class_name, "optimizer": name}
            self.tell("scheduled_twice", moved[other].site, values)
