"""Where the time of a training step goes, over the last seconds."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from tui_trainer.runs.history import History

WINDOW_S = 10.0
"""Seconds that are looked back on."""

PARTS = ("data", "zero_grad", "forward", "loss", "backward", "optimizer.step", "scheduler.step")


class Part(NamedTuple):
    """One call, or the wait for data, in the mean of many steps."""

    call: str
    seconds: float
    share: float
    """Of all parts together."""


class StepTimes:
    """Keeps what the tallies of calls were a while ago; the difference to now is the answer."""

    def __init__(self) -> None:
        self._history: History | None = None
        self._before: deque[tuple[float, dict[str, tuple[int, float]]]] = deque()

    def parts(self, history: History, now: float) -> list[Part]:
        """The parts of a step in their order; of a run that stands still, over all of it. Empty before the first.

        `now` is in monotonic seconds.
        """
        if history is not self._history:
            self._history = history
            self._before.clear()
        tallies = {call: (tally.count, tally.seconds) for call, tally in history.calls.items()}
        if not self._before or now - self._before[-1][0] >= 1.0:
            self._before.append((now, tallies))
        while len(self._before) > 1 and now - self._before[1][0] >= WINDOW_S:
            self._before.popleft()
        return _between(self._before[0][1], tallies) or _between({}, tallies)


def _between(before: dict[str, tuple[int, float]], after: dict[str, tuple[int, float]]) -> list[Part]:
    nothing = (0, 0.0)
    batches = after.get("forward", nothing)[0] - before.get("forward", nothing)[0]
    if batches <= 0:
        return []
    seconds: dict[str, float] = {}
    for call in PARTS:
        count, spent = after.get(call, nothing)
        count_before, spent_before = before.get(call, nothing)
        if call == "data" or count - count_before >= batches / 2:  # what is at an epoch's end is not in a step
            seconds[call] = spent - spent_before
    total = sum(seconds.values())
    return [Part(call, spent / batches, spent / total if total > 0 else 0.0) for call, spent in seconds.items()]
