"""The threads that compute on a CPU: how many are fastest as a run begins, and whether others would be faster now.

They are timed on a copy of the network, which leaves the training as it is: as a run begins, and again where steps get
much slower. The largest team that is near the fastest is taken: fewer where another process has one of the cores, or
where the network is too small to be shared out. Sums that are split among threads differ in their last bits with the
number of them, so what is chosen stands in the record and on the screen, nothing short of a clear gain changes it, and
`--threads` fixes the number.

Threads that wait sleep (see `tui_trainer.engine`), which gives back most of what a neighbour costs a team that spins.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median
from typing import TypeAlias

import torch
from torch import nn
from torch.nn import functional

from tui_trainer.engine.datasets import Split
from tui_trainer.engine.precision import ComputeOptions
from tui_trainer.events import AnyEvent, SettingChanged
from tui_trainer.text.captions import say

WINDOW = 15
"""Steps whose median is the pace."""

SLOW = 1.5
"""So many times the best pace of the run is much slower."""

WORTH = 1.3
"""So many times as fast another number of threads must be."""

TRY_EVERY = 30.0
LONGEST_REST = 600.0
"""Seconds between trials, which cost some steps' time each; twice as many after each that changed nothing."""

CONFIRM_AFTER = 30.0
"""Seconds after which the first choice is looked at once more, whatever the pace: a neighbour that was there from the
start slows nothing down."""

A_TIMING = 0.04
"""Seconds for which steps are timed, and before that not: a core is lent for less to one of two that want it."""

ROUNDS = 6
A_TRIAL = 0.8
"""How many timings of each, and the seconds after which there are no more."""

LONGEST_STEP = 0.5
"""Seconds; steps that take longer are not tried, for that would take long."""

Timed: TypeAlias = Callable[[int], float]
"""Gives the seconds that a step takes with so many threads, and trains nothing."""


@dataclass(frozen=True)
class ThreadCount:
    """So many threads of all that could compute, and why, in words."""

    threads: int
    whole: int
    reason: str


def first_choice(timed: Timed, whole: int) -> ThreadCount:
    """How many of at most `whole` threads to begin with."""
    if whole == 1:
        return ThreadCount(1, 1, say("setting.one_thread"))
    if (step := timed(whole)) > LONGEST_STEP:
        return ThreadCount(whole, whole, say("setting.all_threads", time=_ms(step)))
    steps = _in_turns(timed, whole)
    threads = next(threads for threads, seconds in steps.items() if seconds <= WORTH * min(steps.values()))
    return ThreadCount(threads, whole, say("setting.timed", times=_in_words(steps)))


def _in_turns(timed: Timed, whole: int) -> dict[int, float]:
    """Seconds of a step by number of threads, from all of them down by halves.

    The least of some timings: a lone thread may begin on the core that the neighbour has, and be moved to another. One
    timing is enough where all of them together are clearly the fastest, as on a quiet machine.
    """
    counts = [whole]
    while counts[-1] > 1:
        counts.append(counts[-1] // 2)
    least = dict.fromkeys(counts, float("inf"))
    began = time.monotonic()
    for _ in range(ROUNDS):
        least = {count: min(seconds, timed(count)) for count, seconds in least.items()}
        if time.monotonic() - began > A_TRIAL or all(least[whole] * WORTH < least[count] for count in counts[1:]):
            break
    return least


def _in_words(steps: dict[int, float]) -> str:
    return ", ".join(say("setting.with_threads", time=_ms(seconds), threads=count) for count, seconds in steps.items())


class ThreadTuner:
    """Watches the pace of a run that was left to choose its threads."""

    def __init__(self, timed: Timed, begun_with: ThreadCount, emit: Callable[[AnyEvent], None]) -> None:
        self._timed, self._emit = timed, emit
        self.threads, self._whole = begun_with.threads, begun_with.whole
        self._steps: list[float] = []
        self._best = float("inf")
        self._slow_windows = 0
        self._rest = TRY_EVERY
        self._try_at = time.monotonic() + self._rest if self.threads < self._whole else 0.0
        self._confirm_at = time.monotonic() + CONFIRM_AFTER
        self._last: float | None = None

    def add_step(self, elapsed: float) -> None:
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
        now = time.monotonic()
        if now >= self._confirm_at or ((self._slow_windows > 1 or self.threads < self._whole) and now >= self._try_at):
            self._try(pace)

    def _try(self, pace: float) -> None:
        self._confirm_at = float("inf")
        if self._whole == 1 or self._best > LONGEST_STEP:
            return
        steps = _in_turns(self._timed, self._whole)
        torch.set_num_threads(self.threads)
        fastest = min(steps, key=steps.__getitem__)
        if steps[fastest] * WORTH < steps[self.threads]:
            self._rest = TRY_EVERY
            self._change(fastest, pace, steps)
        else:
            self._rest = min(2 * self._rest, LONGEST_REST)
        self._try_at = time.monotonic() + self._rest

    def _change(self, threads: int, pace: float, steps: dict[int, float]) -> None:
        old, self.threads = self.threads, threads
        torch.set_num_threads(threads)
        slower = say("setting.became_slower", pace=_ms(pace), best=_ms(self._best)) if self._slow_windows else ""
        reason = say("setting.timed_now", slower=slower, times=_in_words(steps))
        self._emit(SettingChanged(at=time.time(), setting="threads", old=str(old), new=str(threads), reason=reason))
        self._best, self._slow_windows = float("inf"), 0


def timed_on_a_copy(model: nn.Module, compute_options: ComputeOptions, split: Split, batch_size: int) -> Timed:
    """Times the passes forward and backward of a copy of `model` as it is then, once they have found their cores."""
    as_they_are = replace(compute_options, compiled=False)  # to compile the copy would take longer than it could save

    def timed(threads: int) -> float:
        torch.set_num_threads(threads)
        twin = copy.deepcopy(model)
        forward = as_they_are.forward(twin)
        images, labels = split.images[:batch_size], split.labels[:batch_size]
        for _ in ("to warm", "to count"):
            steps, began = 0, time.perf_counter()
            while not steps or time.perf_counter() - began < A_TIMING:
                functional.cross_entropy(forward(images), labels).backward()
                steps += 1
        return (time.perf_counter() - began) / steps

    return timed


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"
