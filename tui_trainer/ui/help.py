"""The help page: every key, from the one table, and what the marks on the screen mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen

from tui_trainer.ui.keys import TITLES, Place, of
from tui_trainer.ui.panel import BLANK, Line, Panel, Span, width_of
from tui_trainer.ui.words import wrap

MARKS = (
    ("▌", "live", "the line of the loop that runs now, as the run itself tells"),
    ("·", "faint", "the LR as planned; the line over it is the LR really used"),
    ("◆", "", "validation, at the end of an epoch"),
    ("●", "warning", "under a plateau scheduler: epochs without progress, against its patience"),
)


class Keys(Panel):
    """The table of keys, the places of this screen first."""

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__()
        rest = [place for place in TITLES if place not in places]
        self._places = [*places, *rest]

    def lines(self) -> Sequence[Line]:
        return self.laid_out(self.size.width)

    def laid_out(self, width: int) -> list[Line]:
        """All lines for a width."""
        lines: list[Line] = []
        for place in self._places:
            lines += [(Span(TITLES[place], "strong"),)]
            for key in of(place):
                lines += _explained(key.label, "key", key.does, width)
            lines.append(BLANK)
        lines.append((Span("On the screen", "strong"),))
        for mark, role, meaning in MARKS:
            lines += _explained(mark, role, meaning, width)
        return lines


def _explained(head: str, role: str, text: str, width: int) -> list[Line]:
    first, *rest = wrap(text, max(10, width - 12)) or [""]
    start = (Span("  "), Span(head, role))
    lead = (*start, Span(" " * max(1, 12 - width_of(start))), Span(first))
    return [lead, *((Span(" " * 12 + line),) for line in rest)]


class HelpScreen(ModalScreen[None]):
    """Shown over whatever was there; any of its keys closes it."""

    CSS_PATH: ClassVar[str] = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter,ctrl+c", "dismiss", show=False),
        Binding("up,k", "by(-1)", show=False),
        Binding("down,j,space", "by(1)", show=False),
    ]

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__()
        self._keys = Keys(places)

    def compose(self) -> ComposeResult:
        self._make_room()  # before it is mounted: one layout is enough
        with Vertical(id="help"):
            with VerticalScroll(can_focus=False):
                yield self._keys
            yield HowToLeave()

    def on_resize(self) -> None:
        self._make_room()

    def _make_room(self) -> None:
        inside = min(74, self.app.size.width - 8)
        self._keys.styles.width = inside
        self._keys.styles.height = len(self._keys.laid_out(inside))

    def action_by(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines * 3, animate=False)


class HowToLeave(Panel):
    """The last line of the page."""

    def lines(self) -> Sequence[Line]:
        return [(Span("↑ ↓ scroll    esc closes", "faint"),)]
