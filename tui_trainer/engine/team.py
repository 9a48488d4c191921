"""The threads that compute on a CPU: how many, and whether fewer would be faster now.

A run begins with one thread a core, so that the same command gives the same losses: sums that are split among threads
differ in their last bits with the number of them. While steps keep their pace nothing is tried and nothing changes.
Where they get much slower, because another process wants the cores, both ways are timed on a copy of the network,
which leaves the training as it is; and only where one thread is much faster is it taken. The record says so, and from
there on the last bits are others than those of a run on a quiet machine. `--threads` fixes the number.

Threads that wait sleep (see `tui_trainer.engine`), which is why a change is rarely worth while: of the time that a
neighbour costs a team that spins, that gives most back.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import nn
from torch.nn import functional

from tui_trainer.engine.datasets import Split
from tui_trainer.engine.devices import cores
from tui_trainer.events import Event, SettingChanged

WINDOW = 15
"""Steps whose median is the pace."""

SLOW = 2.0
"""So many times the best pace of the run is much slower."""

WORTH = 1.5
"""So many times as fast another number of threads must be."""

TRY_EVERY = 30.0
"""Seconds between trials, which cost some steps' time each."""

LONGEST_STEP = 0.5
"""Seconds; steps that take longer in good times are not tried, for that would take long."""


class Team:
    """Watches the pace of a run that was left to choose its threads."""

    def __init__(self, timed: Callable[[int], float], emit: Callable[[Event], None]) -> None:
        """`timed` gives the seconds that a step takes with so many threads, and trains nothing."""
        self._timed, self._emit = timed, emit
        self._whole = self.threads = torch.get_num_threads()
        self._steps: list[float] = []
        self._best = float("inf")
        self._slow_windows = 0
        self._try_at = 0.0
        self._last: float | None = None

    def took(self, elapsed: float) -> None:
        """A batch has ended, `elapsed` seconds into the run's own clock."""
        if self._last is not None:
            self._steps.append(elapsed - self._last)
        self._last = elapsed
        if len(self._steps) < WINDOW:
            return
        pace = median(self._steps)
        self._steps.clear()
        self._best = min(self._best, pace)
        self._slow_windows = self._slow_windows + 1 if pace > SLOW * self._best else 0
        if (self._slow_windows > 1 or self.threads < self._whole) and time.monotonic() >= self._try_at:
            self._try(pace)

    def _try(self, pace: float) -> None:
        other = 1 if self.threads == self._whole else self._whole
        if other == self.threads or self._best > LONGEST_STEP:
            return
        rounds = [(self._timed(self.threads), self._timed(other)) for _ in range(3)]
        now, then = (median(times) for times in zip(*rounds, strict=True))
        torch.set_num_threads(self.threads)
        self._try_at = time.monotonic() + TRY_EVERY
        if then * WORTH < now:
            self._change(other, pace, now, then)

    def _change(self, threads: int, pace: float, now: float, then: float) -> None:
        old, self.threads = self.threads, threads
        torch.set_num_threads(threads)
        slower = f"steps took {_ms(pace)}, {_ms(self._best)} before; " if self._slow_windows else ""
        reason = f"{slower}timed now: {_ms(now)} with {old}, {_ms(then)} with {threads}"
        self._emit(SettingChanged(at=time.time(), setting="threads", old=str(old), new=str(threads), reason=reason))
        self._best, self._slow_windows = float("inf"), 0


def timed_on_a_copy(model: nn.Module, split: Split, batch_size: Callable[[], int]) -> Callable[[int], float]:
    """What `Team` times steps with: two forward and backward passes of a copy of `model` as it is then."""

    def timed(threads: int) -> float:
        torch.set_num_threads(threads)
        twin = copy.deepcopy(model)
        images, labels = split.images[: batch_size()], split.labels[: batch_size()]
        seconds = []
        for _ in range(2):
            began = time.perf_counter()
            functional.cross_entropy(twin(images), labels).backward()
            seconds.append(time.perf_counter() - began)
        return min(seconds)

    return timed


def first_choice(emit: Callable[[Event], None]) -> None:
    """Tell how many threads a run begins with that was left to choose."""
    threads = torch.get_num_threads()
    reason = (
        f"one for each of {cores()} cores; threads that wait sleep, so that a neighbour costs its share and no more"
    )
    emit(SettingChanged(at=time.time(), setting="threads", old="auto", new=str(threads), reason=reason))


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"
