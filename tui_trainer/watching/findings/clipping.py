"""Clipping: gradients that are clipped while there are none."""

from __future__ import annotations

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.findings.rule import Handler, Rule, Tell

ENOUGH_STEPS = 10


class ClipBeforeBackward(Rule):
    """In steps in a row, each with `zero_grad`, a clip that found a norm of 0, and `backward` behind it, and with no
    other clip. With several optimizers it may be another one's gradients that are clipped: nothing is said."""

    def __init__(self, loop: Loop, tell: Tell) -> None:
        super().__init__(loop, tell)
        self._cleared = False
        """Whether there is no gradient: they were cleared, and nothing went backward since."""
        self._early: Call | None = None
        """The clip of this step that had nothing to clip."""
        self._clipped = self._backward = False
        """Whether another one had; whether something went backward behind the one that had not."""
        self._times = 0

    def calls(self) -> dict[str, Handler]:
        return {
            "zero_grad": self._clear,
            "clip_grad": self._clip,
            "backward": self._go_backward,
            "optimizer.step": self._step,
        }

    def _clear(self, _: Call) -> None:
        self._cleared = True

    def _clip(self, call: Call) -> None:
        if self._cleared and call.value == 0:
            self._early = call
        else:
            self._clipped = True

    def _go_backward(self, _: Call) -> None:
        self._cleared = False
        self._backward = self._early is not None

    def _step(self, _: Call) -> None:
        early = self._early if self._backward and not self._clipped else None
        self._early, self._clipped, self._backward = None, False, False
        self._times = 0 if early is None else self._times + 1
        if early is not None and self._times >= ENOUGH_STEPS and len(self.loop.steps_of) == 1:
            self.tell("clip_before_backward", early.site, {"steps": self._times})
