"""Planned LR curves, one after another where a preset was switched."""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_trainer.plotting.curves import Extent
from tui_trainer.plotting.pyramid import Pyramid
from tui_trainer.ui.words import lr

if TYPE_CHECKING:
    from tui_trainer.events import PlanMade


class Planned:
    """What the LR was to be at every step: each plan counts until the next one begins."""

    def __init__(self, plans: Sequence[PlanMade]) -> None:
        self.plans = tuple(plans)
        self.last_step = plans[-1].last_step if plans else 0
        steps: list[int] = []
        self._lrs = array("d")
        for plan, following in zip(plans, [*plans[1:], None], strict=True):
            stop = following.steps[0] if following is not None and following.steps else plan.last_step + 1
            held = bisect_right(plan.steps, stop - 1)
            steps.extend(plan.steps[:held])
            self._lrs.extend(plan.lrs[:held])
        self._steps = steps
        self._pyramid = Pyramid(self._lrs)
        self._pyramid.catch_up()
        self._over: tuple[list[int], list[Extent | None]] = ([], [])

    @classmethod
    def kept(cls, old: Planned | None, plans: Sequence[PlanMade]) -> Planned | None:
        """The same one, unless the plans are others."""
        if old is not None and [*map(id, old.plans)] == [*map(id, plans)]:
            return old
        return cls(plans) if plans else None

    def at(self, step: int) -> float | None:
        """The LR planned for a step; None where nothing is planned."""
        i = bisect_right(self._steps, step) - 1
        return self._lrs[i] if i >= 0 and step <= self.last_step else None

    def over(self, edges: list[int]) -> list[Extent | None]:
        """The lowest and highest LR planned for the steps in or across each column."""
        if self._over[0] == edges:
            return self._over[1]
        extents: list[Extent | None] = []
        steps, lrs, planned = self._steps, self._lrs, len(self._steps)
        first = last = 0
        for start, stop in itertools.pairwise(edges):
            if start >= self.last_step:
                extents.append(None)
                continue
            first = max(0, bisect_right(steps, start + 1, lo=first) - 1)
            last = bisect_right(steps, max(stop, start + 1), lo=max(first, last))
            if first >= planned:
                extents.append(None)
            elif last - first <= 1:
                extents.append((lrs[first], lrs[first]))
            else:
                extents.append(self._pyramid.extent(first, last))
        self._over = list(edges), extents
        return extents

    @property
    def note(self) -> str:
        """What a person must know of the plan that counts at the end."""
        return self.plans[-1].note

    @property
    def changes(self) -> bool:
        """Whether the LR was to be anything but the same throughout."""
        return len(set(self._lrs)) > 1

    @property
    def words(self) -> str:
        """The curve in words: its peak if it has one, else where it begins and ends."""
        if not self._lrs:
            return ""
        peak = max(self._lrs)
        if peak > self._lrs[0] and peak > self._lrs[-1]:
            return f"{lr(peak)} peak at step {self._steps[self._lrs.index(peak)]}"
        if not self.changes:
            return f"{lr(peak)} throughout"
        return f"from {lr(self._lrs[0])} to {lr(self._lrs[-1])}"
