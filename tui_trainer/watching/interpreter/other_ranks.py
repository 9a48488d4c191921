"""The other processes of a run on several ranks: how fast each is."""

from __future__ import annotations

from math import isfinite

import numpy as np

from tui_trainer.watching.trace import AnyDefinition, Hello, Rows, Site

MOST_RANKS = 256
"""Of which a series is told."""

MEASURED_OVER = 1.0
"""Seconds at least; less is no measure of speed."""


class RankSpeed:
    """Steps of one process by its own clock."""

    def __init__(self, number: int) -> None:
        self.rank = number
        self._sites: dict[int, int] = {}
        """The optimizer of each site where one steps."""
        self._held_at = 0
        """The site of the times that the program was held; 0 as long as it was not."""
        self._optimizer: int | None = None
        """The one that stepped first, whose steps are counted."""
        self._steps = 0
        self._since: float | None = None
        self._until = 0.0

    def take(self, frame: AnyDefinition | Rows) -> None:
        """What it told."""
        if isinstance(frame, Hello) and frame.rank is not None and 0 <= frame.rank < 2**31:
            self.rank = frame.rank
        elif isinstance(frame, Site) and frame.call == "optimizer.step" and len(self._sites) < 1000:
            self._sites[frame.id] = frame.target
        elif isinstance(frame, Site) and frame.call == "held":
            self._held_at = frame.id
        elif isinstance(frame, np.ndarray) and self._sites:
            self._count(frame)

    def _count(self, rows: Rows) -> None:
        counted = rows[np.isin(rows[:, 0], [*self._sites, self._held_at])]
        for site, begin, end, _ in counted.tolist():
            if site == self._held_at:
                self._hold(begin, end)
                continue
            optimizer = self._sites[int(site)]
            self._optimizer = optimizer if self._optimizer is None else self._optimizer
            if optimizer != self._optimizer or not isfinite(end):
                continue
            if self._since is None:
                self._since = self._until = end
            elif end > self._until:
                self._steps += 1
                self._until = end

    def _hold(self, begin: float, end: float) -> None:
        """It stood still between two moments."""
        if self._since is not None and isfinite(end) and begin < end:
            self._since += end - begin
            self._until += end - begin

    def steps_per_second(self) -> float | None:
        """Since the last time; None where that is too short to tell."""
        if self._since is None or not self._steps or self._until - self._since < MEASURED_OVER:
            return None
        speed = self._steps / (self._until - self._since)
        self._since, self._steps = self._until, 0
        return speed


class OtherRanks:
    """All processes of a run."""

    def __init__(self) -> None:
        self._ranks: dict[str, RankSpeed] = {}

    def take(self, process: str, frame: AnyDefinition | Rows) -> None:
        """A frame of one of them."""
        known = self._ranks.get(process)
        if known is None:
            if len(self._ranks) >= MOST_RANKS:
                return
            known = self._ranks[process] = RankSpeed(len(self._ranks))
        known.take(frame)

    @property
    def several(self) -> bool:
        """Whether there are others beside the first."""
        return len(self._ranks) > 1

    def speeds(self) -> dict[str, float]:
        """Steps a second of each since the last time, by the names of their series."""
        if not self.several:
            return {}
        told = {f"steps_per_second/rank {each.rank}": each.steps_per_second() for each in self._ranks.values()}
        return {name: speed for name, speed in told.items() if speed is not None}
