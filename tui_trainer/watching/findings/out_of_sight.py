"""Steps that cannot be seen, so that nothing is said of the order around them."""

from __future__ import annotations

from tui_trainer.watching.findings.loop import Call
from tui_trainer.watching.findings.rule import Handler, Rule

ENOUGH_BACKWARDS = 50


class StepsNotSeen(Rule):
    """Losses go backward, and no optimizer steps: `torch.compile` compiled its step, or weights are moved by hand."""

    def calls(self) -> dict[str, Handler]:
        return {"backward": self._backward}

    def _backward(self, call: Call) -> None:
        if self.loop.backwards >= ENOUGH_BACKWARDS and not self.loop.steps_of:
            self.tell("steps_not_seen", call.site, {"backwards": ENOUGH_BACKWARDS})
