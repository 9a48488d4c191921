"""ReduceLROnPlateau: what it is given to watch."""

from __future__ import annotations

import re
from math import isclose, isfinite, nan

from tui_trainer.watching.findings.loop import Call, Loop
from tui_trainer.watching.findings.rule import Handler, Rule, Tell
from tui_trainer.watching.findings.validation import Validations
from tui_trainer.watching.trace import LoaderSeen, SchedulerState, Site

PLATEAU = "ReduceLROnPlateau"
ENOUGH_TIMES = 2
MOST_LOSSES = 200_000
CLOSE = 2e-6
"""float32, and sums of many in another order."""


class TrainingMetric(Rule):
    """Given the loss of the last batch of training, or a mean of those of the epoch, to the last digit, twice.

    It takes a validation whose loss it could be given instead.
    """

    def __init__(self, loop: Loop, tell: Tell, validations: Validations) -> None:
        super().__init__(loop, tell)
        self._validations = validations
        self._losses: list[float] = []
        """Since its last step."""
        self._sites: dict[int, Site] = {}
        self._times: dict[int, int] = {}

    def calls(self) -> dict[str, Handler]:
        return {"backward": self._backward, "scheduler.step": self._scheduler}

    def define(self, frame: object) -> None:
        if isinstance(frame, SchedulerState):
            self._given(frame)

    def late(self, value: float) -> None:
        """The loss of a backward came late."""
        self._losses.append(value)

    def _backward(self, call: Call) -> None:
        if len(self._losses) < MOST_LOSSES and call.value == call.value:
            self._losses.append(call.value)

    def _scheduler(self, call: Call) -> None:
        seen = self.loop.definitions.schedulers.get(call.site.target)
        if seen is not None and seen.class_name == PLATEAU:
            self._sites[seen.id] = call.site

    def _given(self, frame: SchedulerState) -> None:
        site, losses, metric = self._sites.get(frame.id), self._losses, frame.metric
        if site is None or frame.id not in self.loop.definitions.schedulers:
            return
        self._losses = []
        if metric is None or not isfinite(metric) or metric == 0 or len(losses) < 2:
            return
        if not self._is_of_training(metric, losses):
            self._times[frame.id] = -(10**9)
            return
        times = self._times[frame.id] = self._times.get(frame.id, 0) + 1
        if times >= ENOUGH_TIMES and self._validations.were_seen:
            name = re.search(r"\.step\(\s*(?:metrics\s*=\s*)?([A-Za-z_][\w.]*)\s*\)", site.text)
            values = {"scheduler": PLATEAU, "metric": name[1] if name else "a number"}
            self.tell("training_metric", site, values)

    def _is_of_training(self, metric: float, losses: list[float]) -> bool:
        if metric == losses[-1]:
            return True
        total = sum(losses)
        training = self.loop.passes.training
        loader = self.loop.definitions.loaders.get(training.loader) if training is not None else None
        means = [total / len(losses), total, _by_samples(losses, loader)]
        if loader is not None:
            means += [total / number for number in (loader.batches, loader.samples) if number]
        return any(isclose(metric, mean, rel_tol=CLOSE) for mean in means)


def _by_samples(losses: list[float], loader: LoaderSeen | None) -> float:
    """The mean over samples: the last batch may be smaller than the others."""
    if loader is None or not loader.samples or not loader.batch_size or loader.drop_last:
        return nan
    last = loader.samples - (len(losses) - 1) * loader.batch_size
    if not 0 < last <= loader.batch_size:
        return nan
    return (sum(losses[:-1]) * loader.batch_size + losses[-1] * last) / loader.samples
