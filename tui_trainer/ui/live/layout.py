"""The panels of the live screen that number keys hide and show, in one table, and how they share the lines.

A panel joins with a line in `PANELS`, by the id of its widget: the keys, the help page and the palette follow. The
widget's style sheet says what its forms look like: it has the class `-full`, `-line` or `-hidden`. Panels take their
lines from the charts, as long as the charts keep enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui_trainer.ui.keys import FORMS, PANELS, Form, PanelForms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.screen import Screen
    from textual.widget import Widget

    from tui_trainer.ui.live.epochs import EpochTable
    from tui_trainer.ui.live.listing import Listing
    from tui_trainer.ui.live.log_pane import LogPane
    from tui_trainer.ui.live.why import Why
    from tui_trainer.ui.machine.machine_panel import MachinePanel
    from tui_trainer.ui.settings import Settings

LEAST_CHART, LEAST_IF_AIRY = 4, 5
"""Lines that a chart keeps on average, whatever is open beside it."""

GIVES_WAY = (("epochs", 4), ("log", 4), ("why", 4), ("loop", 11))
"""Who gives lines back to the charts, in this order, and how many it keeps: half a loop would be none."""

LEAST_UNDER = 7
"""Lines that a loop beside the charts leaves to what is under it, however long it is."""

EPOCHS_IF_LOW, EPOCHS, EPOCHS_IF_HIGH = 7, 9, 17
"""Lines of the table of epochs, its heads among them."""

LEAST_EPOCHS = 4
"""With fewer lines it is none."""

WHY = 8
LOG, LOG_IF_HIGH = 8, 14


class LineBudget:
    """Heights that depend on what is shown; all others are the style sheet's."""

    def __init__(
        self,
        screen: Screen[None],
        charts: Sequence[Widget],
        listing: Listing,
        why: Why,
        machine: MachinePanel,
        log: LogPane,
        epochs: EpochTable,
        hints: Widget,
        stacked: bool,
        strip: int = 0,
    ) -> None:
        self._screen = screen
        self._charts, self._hints = charts, hints
        self._listing, self._why, self._machine, self._log = listing, why, machine, log
        self._epochs = epochs
        self._stacked = stacked
        self._strip = strip

    def heights(self) -> dict[str, int]:
        """Lines by id of the panel."""
        screen = self._screen
        charts = [chart for chart in self._charts if not chart.has_class("-hidden")]
        heights: dict[str, int] = {}
        if self._listing.has_class("-full"):
            heights["loop"] = self._listing.height_wanted()
        if not self._log.has_class("-hidden"):
            heights["log"] = self._log.height_wanted(LOG_IF_HIGH if screen.has_class("-very-tall") else LOG)
        most = EPOCHS_IF_HIGH if screen.has_class("-very-tall") else EPOCHS if self._is_airy else EPOCHS_IF_LOW
        wanted = 0 if self._epochs.has_class("-hidden") else self._epochs.height_wanted(most)
        if not self._stacked:
            if "loop" in heights:
                heights["loop"] = min(heights["loop"], max(GIVES_WAY[-1][1], self._inside() - LEAST_UNDER))
            taken = heights.get("loop", 0) + (0 if self._machine.has_class("-hidden") else self._machine.height)
            left = self._inside() - taken - LEAST_UNDER
            heights["epochs"] = min(wanted, left) if left >= LEAST_EPOCHS else 0
        elif wanted:
            heights["epochs"] = wanted
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
        return self._screen.app.size.height - (5 if self._is_airy else 3) - self._hints.display - self._strip

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


LOW = 24
"""Lines from which on the LR chart keeps its least height whatever is opened."""


class Arrangement:
    """Which panel has which form, as the person chose it, and remembered: apart for roomy and for small terminals."""

    def __init__(self, screen: Screen[None], widgets: Sequence[Widget], remembered: Settings) -> None:
        self._screen = screen
        self._remembered = remembered
        self._widgets = {widget.id: widget for widget in widgets}
        self._present = [panel for panel in PANELS.values() if panel.id in self._widgets]
        self._arranged: dict[str, Form] = {}

    @property
    def is_small(self) -> bool:
        """Whether a panel takes its room from the charts."""
        return self.is_stacked and not self._screen.has_class("-very-tall")

    @property
    def is_stacked(self) -> bool:
        """Whether all panels stand under one another."""
        return not (self._screen.has_class("-wide") or self._screen.has_class("-very-wide"))

    def form(self, panel: PanelForms) -> Form:
        """What the person chose for it, else what it begins with; `line` where it yields to another."""
        chosen = self._chosen(panel)
        low = self.is_small and self._screen.app.size.height < LOW
        if low and panel.yields and chosen == "full" and self._chosen(PANELS["1"]) != "hidden" and self._opened():
            return "line"
        return chosen

    def press(self, panel: PanelForms) -> Form | None:
        """The next form of a panel; None, and nothing done, where it is the last one on show."""
        forms = self._forms(panel)
        chosen = {each.id: self._chosen(each) for each in self._present}
        form = forms[(forms.index(chosen[panel.id]) + 1) % len(forms)]
        chosen[panel.id] = form
        if all(each == "hidden" for each in chosen.values()):
            return None
        if self.is_small and form == "full" and panel.small[0] != "full":
            for other in self._opened():  # one at a time: there are 24 lines
                if other is not panel:
                    chosen[other.id] = other.small[0]
        self._remembered.change(**{"small" if self.is_small else "roomy": chosen})
        return form

    def arrange(self) -> bool:
        """Give every panel its class; whether that changed anything, which costs a layout."""
        forms = {panel.id: self.form(panel) for panel in self._present}
        if forms == self._arranged:
            return False
        for id, form in forms.items():
            if form != self._arranged.get(id):
                widget = self._widgets[id]
                widget.remove_class(*(f"-{each}" for each in FORMS if each != form), update=False)
                widget.add_class(f"-{form}", update=widget.is_mounted)
        self._arranged = forms
        return True

    def _opened(self) -> list[PanelForms]:
        """What takes room from the charts in a small terminal."""
        return [panel for panel in self._present if panel.small[0] != "full" and self._chosen(panel) == "full"]

    def _chosen(self, panel: PanelForms) -> Form:
        kept = self._remembered.kept
        wanted = (kept.small if self.is_small else kept.roomy).get(panel.id)
        return next((form for form in self._forms(panel) if form == wanted), self._forms(panel)[0])

    def _forms(self, panel: PanelForms) -> tuple[Form, ...]:
        return panel.small if self.is_small else panel.roomy
