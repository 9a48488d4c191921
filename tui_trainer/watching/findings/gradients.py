"""Gradients that are never cleared, never come, or come to parameters that nothing moves: the process itself saw it."""

from __future__ import annotations

from typing import Any

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.findings.rule import Handler, Rule, Tell, Value
from tui_trainer.watching.trace import Observed

ENOUGH_STEPS = 100
"""Steps without a gradient, in as many passes as `ENOUGH_PASSES`: a part of a network may wait for its turn."""

ENOUGH_PASSES = 2
FEWEST_STEPS = 20
"""The same of a program that has ended."""


class Gradients(Rule):
    """What the process saw of its gradients, once it has been so for long enough."""

    def __init__(self, loop: Loop, tell: Tell) -> None:
        super().__init__(loop, tell)
        self._missing: dict[object, Observed] = {}
        """By optimizers: parameters that had no gradient up to now."""

    def calls(self) -> dict[str, Handler]:
        return {"optimizer.step": self._optimizer}

    def observed(self, frame: Observed) -> None:
        values = frame.values
        if frame.fact == "gradients_kept" and (steps := _count(values, "steps")):
            name = self.loop.optimizer_name(self._optimizer_of(frame))
            self.tell("no_zero_grad", self._site(frame), {"steps": steps, "optimizer": name})
        elif frame.fact == "no_gradient":
            self._missing[frame.site] = frame  # it may say that they have come, after all
            self._judge()
        elif frame.fact == "not_in_optimizer" and (parameters := _count(values, "parameters")):
            model = values.get("model")
            told: dict[str, Value] = {
                "parameters": parameters,
                "model": model if isinstance(model, str) else "the network",
            }
            self.tell("not_in_optimizer", self._site(frame), told)

    def finish(self) -> None:
        self._judge()

    def _optimizer(self, call: Call) -> None:
        if self._missing and self.loop.is_new_pass(call.site.target):
            self._judge()

    def _judge(self) -> None:
        loop = self.loop
        for frame in self._missing.values():
            parameters, steps = _count(frame.values, "parameters"), _count(frame.values, "steps")
            passes = len(loop.done)
            in_passes = passes >= ENOUGH_PASSES or (not passes and not loop.passes.counts_epochs)
            enough = (steps >= ENOUGH_STEPS and in_passes) or (loop.ended and steps >= FEWEST_STEPS and in_passes)
            if parameters and enough:
                name = loop.optimizer_name(self._optimizer_of(frame))
                self.tell(
                    "no_gradient", self._site(frame), {"parameters": parameters, "optimizer": name, "steps": steps}
                )

    def _site(self, frame: Observed) -> Any:
        return self.loop.definitions.sites.get(frame.site)

    def _optimizer_of(self, frame: Observed) -> int:
        site = self._site(frame)
        return site.target if site is not None else 0


def _count(values: dict[str, Any], name: str) -> int:
    number = values.get(name)
    return number if type(number) is int and number > 0 else 0
