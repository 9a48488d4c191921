"""The help page and the command palette: every key, from the one table, what the marks on the screen mean, and every
key of the screen on show by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen

from tui_trainer.compare.colours import SWATCH
from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.charts.chart import ABOVE, BELOW, CHECKPOINT, EARLY, LAST, LOWEST, NOT_FINITE, TURN, Chart
from tui_trainer.ui.dialog import Dialog
from tui_trainer.ui.formatting import wrap
from tui_trainer.ui.keys import TITLES, Key, KeyContext, of
from tui_trainer.ui.panel import BLANK, Line, Panel, Span, width_of
from tui_trainer.ui.theme import COLOUR_BLIND, DARK, LIGHT
from tui_trainer.ui.trainer_screen import TrainerScreen

if TYPE_CHECKING:
    from tui_trainer.plotting.figure import Marks
    from tui_trainer.ui.context import ContextApp

MARKS = (
    ("▌", "live", "the line of the loop that is running now, as the run reports it"),
    ("!", "warning", "under the loop: what is wrong with the order of its calls; ✓ what would be right"),
    ("·", "faint", "the LR as planned; the line over it is the LR really used"),
    (SWATCH, "live", "in a comparison: the colour of a preset's curves, at whose ends its name stands"),
    (LOWEST, "live", "on a curve of validation: its best epoch"),
    (LAST, "strong", "on a curve of validation: the last epoch so far"),
    (EARLY, "warning", "at the end of a curve: the run ended before it was to"),
    ("- -", "live", "where curves coincide they take turns, as dashes of their colours"),
    (TURN, "strong", "on the LR: where it changed; point at it to see why"),
    ("┊", "warning", "another preset from here on; faint: a change of the LR"),
    ("┴", "", "under the charts: the end of an epoch"),
    (CHECKPOINT, "", "under the charts: the last checkpoint; the best one is lit; one alone is both"),
    (NOT_FINITE, "warning", "on a chart: a loss that is not finite"),
    (ABOVE, "strong", "at the top of a chart: a spike, far above all others, that has no room there"),
    (BELOW, "warning", "on a log scale: zero or less, which cannot be drawn; not lit: far below all others"),
    ("so far", "faint", "under the charts: they show what was trained of the run; `0` shows all of its plan"),
    ("┃", "strong", "in the plan under the charts: the newest step; before it is what was trained"),
    ("●", "live", "in the top line: how the run stands"),
    ("moved", "", "`all moved 0.06 of 12.9`: how far a step took all weights, as one vector, and how long that is"),
    ("screen", "faint", "`screen 1.4 %`: how much of the CPU this screen takes, of all cores together"),
)


LEGEND = (
    (LOWEST, "live", "best epoch"),
    (LAST, "strong", "last epoch"),
    (EARLY, "warning", "ended early"),
    (TURN, "strong", "LR changed"),
    (CHECKPOINT, "", "checkpoint"),
    ("┴", "", "epoch ends"),
    ("┊", "warning", "LR or preset changed"),
    (NOT_FINITE, "warning", "not finite"),
    (ABOVE, "strong", "spike, cut off"),
    (BELOW, "warning", "no place on a log scale"),
    ("┃", "strong", "newest step in the plan"),
    ("▌", "live", "running line"),
    ("·", "faint", "planned"),
)
"""The marks in two words each, for the head of the page; what they mean in full stands at its end."""


class Keys(Panel):
    """The table of keys, with the marks at its head: the keys of the panel in focus first, then the places of this
    screen. What is searched for is all that is left of it."""

    def __init__(self, places: Sequence[KeyContext], focused: KeyContext | None = None) -> None:
        super().__init__()
        self._focused = focused
        first = [focused] if focused is not None else []
        self._places: list[KeyContext] = [*dict.fromkeys([*first, *places, *TITLES])]
        self._top = 0
        self._searched: tuple[str, ...] = ()
        self._laid_out: tuple[tuple[object, ...], list[Line]] = (), []
        """All lines, and what they were laid out for."""

    def search(self, text: str) -> None:
        """Show only what has all these words, whatever the case; everything again without any."""
        self._searched, self._top = tuple(text.lower().split()), 0
        self.redraw()

    def page(self, pages: int) -> None:
        """Scroll by most of what is seen."""
        self.scroll(pages * max(1, self.size.height - 2))

    def lines(self) -> Sequence[Line]:
        lines = self.laid_out(self.size.width)
        self._top = max(0, min(self._top, len(lines) - self.size.height))
        return lines[self._top :]

    def scroll(self, lines: int) -> None:
        """Show what lies further down, or up where negative."""
        self._top += lines
        self.redraw()

    def laid_out(self, width: int) -> list[Line]:
        """All lines for a width."""
        wanted = width, self._searched
        if wanted != self._laid_out[0]:  # the page is kept, and asked for them each time that it comes
            self._laid_out = wanted, self._lay_out(width)
        return self._laid_out[1]

    def _lay_out(self, width: int) -> list[Line]:
        lines: list[Line] = [] if self._searched else [*_legend(width), BLANK]
        for place in self._places:
            found = [key for key in of(place) if self._finds(key.label, key.does, TITLES[place])]
            if not found:
                continue
            focus = [Span(f"  {say('help.in_focus')}", "faint")] if place == self._focused else []
            lines += [(Span(TITLES[place], "strong"), *focus)]
            for key in found:
                lines += _explained(key.label, "key", key.does, width)
            lines.append(BLANK)
        heading = say("help.marks")
        marks = [each for each in MARKS if self._finds(each[0], each[2], heading)]
        if marks:
            lines.append((Span(heading, "strong"),))
        for mark, role, meaning in marks:
            lines += _explained(mark, role, meaning, width)
        return lines or [(Span(say("help.nothing"), "faint"),)]

    def _finds(self, *texts: str) -> bool:
        """Whether they hold all that is searched for."""
        text = " ".join(texts).lower()
        return all(word in text for word in self._searched)


def _legend(width: int) -> Iterator[Line]:
    """As many of the marks in a line as fit."""
    line: list[Span] = []
    for mark, role, meaning in LEGEND:
        part = [Span(mark, role), Span(f" {meaning}   ")]
        if line and width_of([*line, *part]) > width:
            yield tuple(line)
            line = []
        line += part
    yield tuple(line)


def _explained(head: str, role: str, text: str, width: int) -> list[Line]:
    first, *rest = wrap(text, max(10, width - 12)) or [""]
    start = (Span("  "), Span(head, role))
    lead = (*start, Span(" " * max(1, 12 - width_of(start))), Span(first))
    return [lead, *((Span(" " * 12 + line),) for line in rest)]


class HelpScreen(Dialog[None]):
    """Over what was there, which is dimmed; `/` searches, and any of its keys closes it."""

    CSS_PATH: ClassVar[str] = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter,ctrl+c", "dismiss", show=False),
        Binding("up,k", "by(-1)", show=False),
        Binding("down,j,space", "by(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "page(-1000)", show=False),
        Binding("end,G", "page(1000)", show=False),
        Binding("slash", "search", show=False),
    ]

    def __init__(self, places: Sequence[KeyContext], focused: KeyContext | None = None) -> None:
        super().__init__()
        self._keys = Keys(places, focused)
        self._foot = Foot()

    def compose(self) -> ComposeResult:
        with Vertical(id="help"):
            yield self._keys
            yield self._foot

    def action_page(self, pages: int) -> None:
        self._keys.page(pages)

    def action_search(self) -> None:
        self._search("")

    def on_key(self, event: events.Key) -> None:
        typed = self._foot.typed
        if typed is None:
            return
        if event.key in ("escape", "ctrl+c"):
            self._search(None)
        elif event.key == "backspace":
            self._search(typed[:-1] if typed else None)
        elif event.is_printable and event.character is not None:
            self._search(typed + event.character)
        else:
            return  # the page scrolls meanwhile; enter closes it
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        if self._foot.typed is not None:
            self._search(self._foot.typed + plain(event.text.partition("\n")[0]))

    def _search(self, text: str | None) -> None:
        """Search for this, or for nothing any more."""
        self._foot.typed = text
        self._foot.redraw()
        self._keys.search(text or "")

    def action_by(self, lines: int) -> None:
        self._keys.scroll(lines * 3)

    def on_mouse_scroll_down(self) -> None:
        self._keys.scroll(3)

    def on_mouse_scroll_up(self) -> None:
        self._keys.scroll(-3)


class Foot(Panel):
    """The last line of the page: its own keys, or what is searched for."""

    typed: str | None = None
    """None while nothing is."""

    def lines(self) -> Sequence[Line]:
        if self.typed is None:
            return [(Span(say("help.keys"), "faint"),)]
        return [(Span("/", "key"), Span(f"{self.typed}▏", "live"), Span(f"    {say('help.show_all')}", "faint"))]


NOT_OF_TEXTUAL = ("Keys", "Quit")
"""Commands of its own that are doubles here: the keys have a page, and leaving has its question."""

THEME_NAMES = {DARK.name: "dark", LIGHT.name: "light", COLOUR_BLIND.name: "colour_blind"}
"""How their captions end."""

CURVE_MARKS: dict[Marks, str] = {"braille": "braille dots", "blocks": "quarter blocks", "ascii": "plain characters"}


def commands_of(app: ContextApp, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """A command for each key; those that move something by a cell are left to the keys."""
    if not isinstance(screen, TrainerScreen):
        return
    for key in of(*screen.places, "everywhere"):
        if (name := key.short or key.name) and key.action != "app.command_palette":
            yield SystemCommand(name[0].upper() + name[1:], _told(key, name), _run(app, screen, key))
    for name, ending in THEME_NAMES.items():
        title = f"Theme: {say(f'help.theme_{ending}')}"
        yield SystemCommand(title, say("help.remembered"), partial(_choose_theme, app, name))
    for marks, words in CURVE_MARKS.items():
        yield SystemCommand(f"Draw with {words}", say("help.for_fonts"), partial(_draw_with, app, marks))


def _told(key: Key, name: str) -> str:
    """What it does, without saying its name a second time."""
    word = name.rpartition(": ")[2].lower()
    first, _, rest = key.does.partition(": ")
    does = rest if first.lower() == word else key.does
    return f"{does} ({key.label})" if does else f"key {key.label}"


def _choose_theme(app: ContextApp, name: str) -> None:
    app.theme = name


def _draw_with(app: ContextApp, marks: Marks) -> None:
    app.context.settings.change(marks=marks)
    for screen in app.screen_stack:
        for chart in screen.query(Chart):
            chart.marks = marks


def _run(app: ContextApp, screen: Screen[Any], key: Key) -> Callable[[], Any]:
    return partial(app.call_later, app.run_action, key.action, screen)
