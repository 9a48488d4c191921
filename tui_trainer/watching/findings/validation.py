"""Validations: passes over data that does not train, and in which mode the network makes them."""

from __future__ import annotations

from dataclasses import dataclass

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.findings.rule import Handler, Rule, Tell
from tui_trainer.watching.trace import Observed, Site

ENOUGH_TIMES = 2


@dataclass(slots=True)
class _Open:
    """A pass that goes on."""

    site: Site
    backwards: int
    steps: int
    batches: int = 0
    forward: Observed | None = None
    """What the process saw of the network in it."""


class Validations(Rule):
    """A validation is a pass behind steps of the training, over a loader that never trains, with neither backward nor
    step in it, and none that comes of it: the next backward is behind another batch.

    What is seen in one must be seen in another one before it is said.
    """

    def __init__(self, loop: Loop, tell: Tell) -> None:
        super().__init__(loop, tell)
        self.were_seen = False
        self._open: dict[int, _Open] = {}
        """By loaders."""
        self._over: list[tuple[_Open, int]] = []
        """Those that are over, with the batches of all loaders by then."""
        self._trains: set[int] = set()
        self._times: dict[str, int] = {}

    def calls(self) -> dict[str, Handler]:
        return {"data": self._data, "backward": self._backward, "optimizer.step": self._optimizer}

    def observed(self, frame: Observed) -> None:
        if frame.fact == "forward" and (site := self.loop.definitions.sites.get(frame.site)) is not None:
            one = self._open.get(site.target)
            if one is not None and one.forward is None:
                one.forward = frame

    def finish(self) -> None:
        for loader in list(self._open):
            self._close(loader)
        self._judge(self.loop.batches + 1)

    def _data(self, call: Call) -> None:
        loader, loop = call.site.target, self.loop
        if call.value < 0:
            self._close(loader)
            self._open[loader] = _Open(call.site, loop.backwards, loop.step)
        elif call.value == 1:
            self._close(loader)
        elif (one := self._open.get(loader)) is not None:
            one.batches += 1
        if self._over and call.value == 0:
            self._judge(loop.batches)

    def _close(self, loader: int) -> None:
        one, loop = self._open.pop(loader, None), self.loop
        if one is None or not one.batches or not one.steps:
            return
        if (one.backwards, one.steps) == (loop.backwards, loop.step) and loader not in self._trains:
            self._over.append((one, loop.batches))

    def _backward(self, _: Call) -> None:
        self._over.clear()  # what was computed in it goes backward

    def _optimizer(self, _: Call) -> None:
        innermost = self.loop.passes.innermost or self.loop.passes.training
        if innermost is not None:
            self._trains.add(innermost.loader)
        for loader, one in self._open.items():
            if one.batches:
                self._trains.add(loader)

    def _judge(self, batches: int) -> None:
        """Nothing goes backward any more that came of passes which were over before so many batches."""
        while self._over and self._over[0][1] < batches:
            one, _ = self._over.pop(0)
            if one.site.target not in self._trains:
                self.were_seen = True
                self._judge_forward(one)

    def _judge_forward(self, one: _Open) -> None:
        if one.forward is None:
            return
        values = one.forward.values
        name = values.get("model")
        if values.get("training") is True and isinstance(name, str):
            self._count("validation_in_train_mode", one.site, {"model": name})
        if values.get("gradients") is True:
            self._count("validation_with_gradients", one.site, {})

    def _count(self, code: str, site: Site, values: dict[str, str]) -> None:
        times = self._times[code] = self._times.get(code, 0) + 1
        if times >= ENOUGH_TIMES:
            self.tell(code, site, values)
