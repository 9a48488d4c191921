"""GradScaler: gradients that are clipped while they are scaled."""

from __future__ import annotations

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.findings.rule import Handler, Rule, Tell

ENOUGH_STEPS = 5


class ClipBeforeUnscale(Rule):
    """In steps in a row, each with a scale that matters, and with no `unscale_` of any optimizer before it."""

    def __init__(self, loop: Loop, tell: Tell) -> None:
        super().__init__(loop, tell)
        self._scale = 1.0
        self._clipped: Call | None = None
        self._unscaled = False
        self._times = 0

    def calls(self) -> dict[str, Handler]:
        return {
            "scale": self._scaled,
            "clip_grad": self._clip,
            "scaler.unscale_": self._unscale,
            "scaler.step": self._step,
        }

    def _scaled(self, call: Call) -> None:
        self._scale = call.value

    def _clip(self, call: Call) -> None:
        if not self._unscaled:
            self._clipped = call

    def _unscale(self, _: Call) -> None:
        self._unscaled = True

    def _step(self, _: Call) -> None:
        clipped = self._clipped
        self._clipped, self._unscaled = None, False
        if clipped is None:
            self._times = 0
            return
        self._times += 1
        if self._times >= ENOUGH_STEPS and self._scale > 2:
            self.tell("clip_before_unscale", clipped.site, {"scale": self._scale})
