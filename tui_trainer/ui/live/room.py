"""Lines for the panels that take theirs from the charts: what they ask for, as long as the charts keep enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_trainer.ui.live.listing import Listing
    from tui_trainer.ui.live.log_pane import LogPane
    from tui_trainer.ui.live.screen import LiveScreen
    from tui_trainer.ui.live.why import Why
    from tui_trainer.ui.machine.machine_panel import MachinePanel

LEAST_CHART, LEAST_IF_AIRY = 4, 5
"""Lines that a chart keeps on average, whatever is open beside it."""

GIVES_WAY = (("log", 4), ("why", 4), ("loop", 11))
"""Who gives lines back to the charts, in this order, and how many it keeps: half a loop would be none."""

WHY = 8
LOG, LOG_IF_HIGH = 8, 14


class Room:
    """Heights that depend on what is shown; all others are the style sheet's."""

    def __init__(
        self, screen: LiveScreen, listing: Listing, why: Why, machine: MachinePanel, log: LogPane, stacked: bool
    ) -> None:
        self._screen = screen
        self._listing, self._why, self._machine, self._log = listing, why, machine, log
        self._stacked = stacked

    def heights(self) -> dict[str, int]:
        """Lines by id of the panel."""
        screen = self._screen
        charts = [chart for chart in (screen.loss, screen.lr) if not chart.has_class("-hidden")]
        heights: dict[str, int] = {}
        if self._listing.has_class("-full"):
            heights["loop"] = self._listing.height_wanted()
        if not self._log.has_class("-hidden"):
            heights["log"] = self._log.height_wanted(LOG_IF_HIGH if screen.has_class("-very-tall") else LOG)
        if not charts:
            return heights
        least = LEAST_IF_AIRY if self._is_airy else LEAST_CHART
        room = self._inside() - sum(least if chart.has_class("-full") else 1 for chart in charts)
        if not self._stacked:
            return heights | shared({id: lines for id, lines in heights.items() if id == "log"}, room)
        if self._why.has_class("-full"):
            heights["why"] = WHY
        return shared(heights, room - self._in_short())

    @property
    def _is_airy(self) -> bool:
        return self._screen.has_class("-tall") or self._screen.has_class("-very-tall")

    def _inside(self) -> int:
        """Lines between the headline and the progress."""
        return self._screen.app.size.height - (5 if self._is_airy else 3) - self._screen.hints.display

    def _in_short(self) -> int:
        """Lines of the panels that are not full, and of the machine, which says itself what it needs."""
        followed = self._screen.has_class("-narrow") and self._screen.has_class("-followed")
        lines = 0 if self._machine.has_class("-hidden") else self._machine.height
        if self._listing.has_class("-line"):
            lines += 3 if followed else 2
        if self._why.has_class("-line"):
            lines += 1 if followed else 2
        return lines


def shared(wanted: Mapping[str, int], room: int) -> dict[str, int]:
    """Lines for each, of those it wants, where `room` is all there is beside what the charts keep."""
    given = dict(wanted)
    for id, least in GIVES_WAY:
        if id in given:
            given[id] -= max(0, min(sum(given.values()) - room, given[id] - least))
    return given
