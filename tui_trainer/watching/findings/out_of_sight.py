"""Steps that cannot be seen, so that nothing is said of the order around them; and steps that are not counted."""

from __future__ import annotations

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.findings.rule import Handler, Rule, Tell
from tui_trainer.watching.trace import Observed


class StepsNotSeen(Rule):
    """Losses go backward, and no optimizer steps: `torch.compile` compiled its step, or weights are moved by hand. The
    process itself counts them: many, or those of a program that has ended and had an optimizer's gradients zeroed."""

    def observed(self, frame: Observed) -> None:
        backwards = frame.values.get("backwards")
        site = self.loop.definitions.sites.get(frame.site)
        if frame.fact == "step_not_visible" and type(backwards) is int and backwards > 0 and site is not None:
            self.tell("steps_not_seen", site, {"backwards": backwards})


MOST_BETWEEN = 500
"""Steps of another optimizer after which the run's own is taken to be done with: that of a GAN may wait for 100."""

FEWEST_STEPS = 20
"""The same of a program that has ended, if they are at least half as many as the run's and of several passes."""


class StepsNotCounted(Rule):
    """Optimizers stepped in turn, and the run's own steps no more while another one does. One that had not stepped
    before takes over instead (`interpreter/hand_over.py`)."""

    def __init__(self, loop: Loop, tell: Tell) -> None:
        super().__init__(loop, tell)
        self._since = self._passes = 0
        """Steps of others since its last one, and passes over the data that began with one of these."""
        self._last: Call | None = None
        """The last of these."""

    def calls(self) -> dict[str, Handler]:
        return {"optimizer.step": self._step}

    def finish(self) -> None:
        if self._since >= max(FEWEST_STEPS, self.loop.step / 2) and self._passes > 1:
            self._say()

    def _step(self, call: Call) -> None:
        if call.site.target == self.loop.main:
            self._since, self._passes = 0, 0
            return
        self._since, self._last = self._since + 1, call
        self._passes += self.loop.is_new_pass(call.site.target)
        if self._since >= MOST_BETWEEN and self._passes:
            self._say()

    def _say(self) -> None:
        if self._last is not None:
            name = self.loop.optimizer_name(self._last.site.target)
            self.tell("steps_not_counted", self._last.site, {"steps": self._since, "optimizer": name})
