"""What a loop holds or waits for without need: graphs of old losses, numbers read from a GPU at every step."""

from __future__ import annotations

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.findings.rule import Handler, Rule, Tell, Value
from tui_trainer.watching.trace import Observed

ENOUGH_STEPS = 50
SHARE = 0.05
"""Of the time that steps take: less than this is no matter."""


class GraphsKept(Rule):
    """The process counted which of its losses still have their graphs, long after they went backward."""

    def observed(self, frame: Observed) -> None:
        values = {name: frame.values.get(name) for name in ("kept", "looked_at", "steps")}
        told: dict[str, Value] = {name: number for name, number in values.items() if type(number) is int}
        if frame.fact == "graphs_kept" and len(told) == len(values):
            self.tell("graph_kept", self.loop.definitions.sites.get(frame.site), told)


class ItemEachStep(Rule):
    """`.item()` on CUDA from one place, in every one of many steps in a row, with the time that it waits."""

    def __init__(self, loop: Loop, tell: Tell) -> None:
        super().__init__(loop, tell)
        self._since: dict[int, float] = {}
        """Seconds that each place has waited since the last step."""
        self._waits: dict[int, tuple[int, float]] = {}
        """Steps in a row in which a place waited, and the seconds in all."""
        self._began = 0.0
        self._steps = 0

    def calls(self) -> dict[str, Handler]:
        return {"item": self._item, "optimizer.step": self._optimizer}

    def _item(self, call: Call) -> None:
        if call.site.file:
            self._since[call.site.id] = self._since.get(call.site.id, 0.0) + call.end - call.begin

    def _optimizer(self, call: Call) -> None:
        if call.site.target != self.loop.main or (not self._since and not self._waits):
            return
        if not self._waits:
            self._began, self._steps = call.end, 0
        self._steps += 1
        for site in self._waits.keys() | self._since.keys():
            if site not in self._since:
                self._waits.pop(site)
                continue
            steps, seconds = self._waits.get(site, (0, 0.0))
            self._waits[site] = steps + 1, seconds + self._since[site]
        self._since = {}
        if self._steps % ENOUGH_STEPS == 0 and self._is_on_cuda():
            self._judge(call.end)

    def _judge(self, now: float) -> None:
        long_enough = [
            (seconds / steps, site) for site, (steps, seconds) in self._waits.items() if steps >= ENOUGH_STEPS
        ]
        if not long_enough or now <= self._began:
            return
        wait, site = max(long_enough)
        if wait >= SHARE * (now - self._began) / self._steps:
            self.tell("item_each_step", self.loop.definitions.sites[site], {"wait_s": wait})

    def _is_on_cuda(self) -> bool:
        models = self.loop.definitions.models.values()
        return any(model.device.startswith("cuda") for model in models)
