"""The momentum where a schedule moves it, for the chart of the LR: as it was used, and what is planned of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui_trainer.events import MOMENTUM
from tui_trainer.plotting.curves import Extent
from tui_trainer.ui.charts.chart_data import PlannedCurves
from tui_trainer.ui.charts.logged_lrs import MOMENTUM_SIGN
from tui_trainer.ui.charts.series_curve import SeriesCurve
from tui_trainer.ui.charts.titles import Entry

if TYPE_CHECKING:
    from tui_trainer.events import PlanMade
    from tui_trainer.records.history import History


class MomentumCurve:
    """That of one history, made ready for drawing as it comes."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._used: SeriesCurve | None = None
        self._planned: PlannedCurves | None = None
        self._plan: PlanMade | None = None
        """Which plan that is of."""

    def catch_up(self, at_most: int) -> bool:
        """Read what is new, or so much of it; whether that is all."""
        series = self.history.series.get(MOMENTUM)
        if series is not None and (self._used is None or self._used.series is not series):
            self._used = SeriesCurve(series, smooths=False)
        plan = self.history.plans[-1] if self.history.plans else None  # what was followed before was used
        if plan is not self._plan:
            self._plan = plan
            self._planned = _of_plan(plan) if plan is not None else None
        return self._used is None or self._used.catch_up(at_most)

    def over(self, edges: list[int]) -> list[Extent | None]:
        """The lowest and the highest of each column: as used, and behind that as planned."""
        planned = self._planned.over(edges) if self._planned is not None else [None] * (len(edges) - 1)
        return [used or later for used, later in zip(self._over(edges), planned, strict=True)]

    def _over(self, edges: list[int]) -> list[Extent | None]:
        """As it was used. A column narrower than a step is within one; where no step tells it, nothing holds."""
        if self._used is None:
            return [None] * (len(edges) - 1)
        steps, tree, extents = self._used.series.steps, self._used.tree, []
        for before, last in pairwise(edges):
            start = bisect_left(steps, before + 1, 0, len(tree))
            stop = bisect_right(steps, max(last, before + 1), start, len(tree))
            extents.append(tree.extent(start, stop) if start < stop else None)
        return extents

    def legend(self, cursor: int | None) -> Entry | None:
        """What it was at a step, else is now; as planned for a step to come."""
        history = self.history
        value = None
        if self._used is not None and (cursor is None or cursor <= history.steps):
            told = self._used.at(cursor)
            value = told[1] if told is not None and told[0] == (cursor or history.steps) else None
        if value is None and self._planned is not None:
            value = self._planned.at(cursor or history.steps + 1)
        return None if value is None else Entry(MOMENTUM_SIGN, history.series.shown_as(MOMENTUM), value, "momentum")


class PlannedMomentum:
    """That of a plan without a run.

    Args:
        plan: the whole of it.
        called: `momentum`, `beta1`.
    """

    def __init__(self, plan: PlanMade, called: str) -> None:
        self.plan, self.called = plan, called
        self._planned = _of_plan(plan)

    def over(self, edges: list[int]) -> list[Extent | None]:
        """The lowest and the highest of each column."""
        return self._planned.over(edges) if self._planned is not None else [None] * (len(edges) - 1)

    def legend(self, cursor: int | None) -> Entry | None:
        """What is planned of a step, else of the first."""
        value = self._planned.at(cursor or 1) if self._planned is not None else None
        return None if value is None else Entry(MOMENTUM_SIGN, self.called, value, "momentum")


def _of_plan(plan: PlanMade) -> PlannedCurves | None:
    """None where nothing moves it."""
    momentum = plan.momentum
    if momentum is None:
        return None
    return PlannedCurves([replace(plan, steps=momentum.steps, lrs=momentum.lrs, groups={}, momentum=None)])
