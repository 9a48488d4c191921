"""All LRs of a run, or of a plan by itself: as planned, as used, and those of groups of parameters. Every chart of an
LR asks them whether it is to be drawn in powers of ten, so that no two of them do it differently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_trainer.plotting.curves import Columns, Extent, MinMaxTree
from tui_trainer.plotting.ranges import DECIDES
from tui_trainer.ui.charts.chart_data import GroupPlans, PlannedCurves
from tui_trainer.ui.charts.logged_lrs import MOST, LoggedLRs

if TYPE_CHECKING:
    from tui_trainer.events import PlanMade
    from tui_trainer.records.history import History
    from tui_trainer.ui.charts.axis import XAxis


class LRCurves:
    """Made ready for drawing as they come."""

    def __init__(self, history: History | None = None) -> None:
        self.history = history
        self.planned: PlannedCurves | None = None
        self.logged = LoggedLRs(history) if history is not None else None
        self.of_groups = GroupPlans([])
        self._used = MinMaxTree(history.lrs) if history is not None else None
        self._drawn, self._decisive = (
            Columns(self._used, held=True) if self._used is not None else None for _ in range(2)
        )

    def catch_up(self, at_most: int) -> bool:
        """Read what is new of a run, or so many steps of it; whether that is all."""
        if self.history is None or self.logged is None or self._used is None:
            return True
        self.plan(self.history.plans)
        read = self._used.catch_up(at_most)
        return self.logged.catch_up(at_most) and read

    def plan(self, plans: Sequence[PlanMade]) -> None:
        """What the LR is to be."""
        self.planned = PlannedCurves.kept(self.planned, plans)
        self.of_groups = GroupPlans.kept(self.of_groups, plans)

    def groups(self) -> list[tuple[str, str, PlannedCurves]]:
        """The planned LRs of groups: their styles, what the groups are called, their curves."""
        curves, labels = self.of_groups.curves, self.of_groups.labels
        names = self.logged.names if self.logged is not None else [*curves][:MOST]
        return [(f"series{place}", labels[name], curves[name]) for place, name in enumerate(names) if name in curves]

    def over(self, edges: list[int]) -> dict[str, list[Extent | None]]:
        """The lowest and the highest of each curve in each column, in the order in which they are drawn."""
        return self._over(edges, self._drawn)

    def asked(self, axis: XAxis) -> list[list[Extent | None]]:
        """The curves whose range decides whether an LR is drawn in powers of ten, however much room there is."""
        return [*self._over(axis.edges(DECIDES), self._decisive).values()]

    def _over(self, edges: list[int], used: Columns | None) -> dict[str, list[Extent | None]]:
        extents = self.logged.over(edges) if self.logged is not None else {}
        for style, _, curve in self.groups():
            planned = curve.over(edges)
            told = extents.get(style, [None] * len(planned))
            extents[style] = [one or other for one, other in zip(told, planned, strict=True)]
        if self.planned is not None:
            extents["planned"] = self.planned.over(edges)
        if used is not None and self._used is not None and self._used.extent(0, len(self._used)) is not None:
            extents["actual"] = used.over(edges)
        return extents
