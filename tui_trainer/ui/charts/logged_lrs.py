"""The LRs that a run tells by name, of several optimizers or groups of parameters: which series they are, and how they
are drawn beside the LR of each step. Such a number holds until the next one is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_trainer.plotting.curves import Extent
from tui_trainer.ui.charts.titles import Entry

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.ui.charts.series_curve import SeriesCurve

SIGNS = "●▲▼□"
"""What tells them apart without colours; none of them is a mark of an event on the charts of a run."""

MOMENTUM_SIGN = "m"
"""That of the momentum, which has an axis of its own."""

MOST = len(SIGNS)
"""Of more LRs, those that were told first are drawn: the page of metrics has all."""

ANNEALED = 0.2
"""The part of what is seen in which an LR may go as low as it likes without asking for a logarithmic scale."""


def is_lr(history: History, name: str) -> bool:
    """Whether a series is an LR: as declared, else by its name, as loggers have it."""
    if history.series.declared(name) is not None:
        return history.series.kind(name) == "lr"
    first, last = (part.lower() for part in (name.partition("/")[0], name.rpartition("/")[2]))
    return any(part in ("lr", "learning_rate") or part.startswith(("lr-", "lr_")) for part in (first, last))


def drawn_lrs(history: History) -> list[str]:
    """The LRs that have a line of their own beside that of each step."""
    told = [name for name in history.series if name != "lr" and is_lr(history, name)]
    planned = [name for plan in history.plans for name in plan.groups]
    return [*dict.fromkeys([*planned, *told])][:MOST]


class LoggedLRs:
    """Those of one history, made ready for drawing as they come."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.names: list[str] = []
        """Those that have a line, told or planned."""
        self._known = (0, 0, 0)
        self._curves: dict[str, SeriesCurve] = {}

    def catch_up(self, at_most: int) -> bool:
        """Find those that are new, and read what is new of each, or so much of it; whether that is all."""
        series = self.history.series
        if self._known != (known := (len(series), series.declarations, len(self.history.plans))):
            self._known = known
            self.names = drawn_lrs(self.history)
            self._curves = {name: self._made(name) for name in self.names if name in series}
        read = [curve.catch_up(at_most) for curve in self._curves.values()]  # each of them reads
        return all(read)

    def _made(self, name: str) -> SeriesCurve:
        from tui_trainer.ui.charts.series_curve import SeriesCurve  # few runs have such

        series, known = self.history.series[name], self._curves.get(name)
        return known if known is not None and known.series is series else SeriesCurve(series, smooths=False)

    def over(self, edges: list[int]) -> dict[str, list[Extent | None]]:
        """The lowest and the highest of each column, by the style of the curve."""
        last = self.history.last_step
        places = enumerate(self.names)
        return {f"series{at}": _held(self._curves[name], edges, last) for at, name in places if name in self._curves}

    def legend(self, cursor: int | None) -> list[Entry]:
        """What each was at a step, else is now; without those that were not told by then."""
        named = self.history.series.shown_as
        found = [
            (at, name, self._curves[name].at(cursor)) for at, name in enumerate(self.names) if name in self._curves
        ]
        return [
            Entry(SIGNS[place], named(name), told[1], f"series{place}")
            for place, name, told in found
            if told is not None
        ]


def _held(curve: SeriesCurve, edges: list[int], last: int) -> list[Extent | None]:
    """A value fills its column, and those behind it up to the next one, or to the last step of the run."""
    indices, values, extents = curve.indices(edges), curve.series.values, []
    for column in range(len(edges) - 1):
        start, stop = indices[column], indices[column + 1]
        extent = curve.tree.extent(start, stop) if start < stop else None
        if start and edges[column] < last:
            before = values[start - 1]
            if before == before:  # no nan
                extent = (before, before) if extent is None else (min(extent[0], before), max(extent[1], before))
        extents.append(extent)
    return extents
