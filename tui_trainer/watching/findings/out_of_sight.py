"""Steps that cannot be seen, so that nothing is said of the order around them."""

from __future__ import annotations

from tui_trainer.watching.findings.rule import Rule
from tui_trainer.watching.trace import Observed


class StepsNotSeen(Rule):
    """Losses go backward, and no optimizer steps: `torch.compile` compiled its step, or weights are moved by hand. The
    process itself counts them: many, or those of a program that has ended and had an optimizer's gradients zeroed."""

    def observed(self, frame: Observed) -> None:
        backwards = frame.values.get("backwards")
        site = self.loop.definitions.sites.get(frame.site)
        if frame.fact == "step_not_visible" and type(backwards) is int and backwards > 0 and site is not None:
            self.tell("steps_not_seen", site, {"backwards": backwards})
