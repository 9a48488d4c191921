"""What all full screens have in common: a least size, a frame to draw, and the line at the bottom: the keys of this
screen, and for some seconds what became of the last command."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.geometry import Offset, Size
from textual.screen import Screen

from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.formatting import cut, wrap
from tui_trainer.ui.keys import Key, KeyContext, of
from tui_trainer.ui.panel import Line, Panel, Span, justified, width_of

if TYPE_CHECKING:
    from textual.widget import Widget

    from tui_trainer.compare.queue import Queue
    from tui_trainer.ui.context import AppContext, ContextApp

SAID_FOR = 6.0
"""Seconds that an answer stays."""

LINES_A_LINE_SAID = 6
"""An answer gets at most one of so many lines of the screen."""

LAST = ("app.help", "app.leave", "app.command_palette")


class KeyLine(Panel):
    """Keys of some places and of everywhere; each can be clicked."""

    def __init__(self, *places: KeyContext) -> None:
        super().__init__()
        self._keys = [key for key in of(*places, "everywhere") if key.short]
        self.idle: frozenset[str] = frozenset()
        """Actions that have nothing to act on now; their keys are left out."""
        self.instead: Mapping[str, str] = {}
        """Words of keys that do something else now, by their actions."""
        self.asks_first: frozenset[str] = frozenset()
        """Actions that a click alone does not do: `action_clicked` of the screen is told of it."""
        self.typed: KeyContext | None = None
        """Where letters are typed: the place whose keys alone are of use meanwhile."""
        self._fitted: tuple[tuple[object, ...], Line] = (), ()
        """The keys that were last on show, and what they were chosen for."""
        self._said: tuple[str, str] | None = None
        self._said_until = 0.0
        self._height = 1

    def say(self, text: str, role: str = "live", seconds: float = SAID_FOR) -> None:
        """Show a sentence in place of the keys, on as many lines as it takes."""
        self._said = (plain(text), role)
        self._said_until = time.monotonic() + seconds
        self._make_room()
        self.redraw()

    def unsay(self, text: str) -> None:
        """The keys again, if this is what is said: it is true no more."""
        if self._said is not None and self._said[0] == plain(text):
            self.quiet()

    def quiet(self) -> None:
        """The keys again: what was said is of no interest any more."""
        self._said = None
        self._make_room()
        self.redraw()

    def _make_room(self) -> None:
        """All that is said is to be read: half of a command, or of a reason, is of no use. In a low terminal what the
        screen shows comes first."""
        lines = len(wrap(self._said[0], self.size.width - 2)) if self._said is not None else 1
        if self._height != (height := max(1, min(lines, self.app.size.height // LINES_A_LINE_SAID))):
            self._height = height
            self.styles.height = height

    def lines(self) -> Sequence[Line]:
        width = self.size.width
        if self._said is not None and time.monotonic() < self._said_until:
            text, role = self._said
            lines = wrap(text, width - 2)
            if len(lines) > self._height:
                lines = [*lines[: self._height - 1], cut(f"{lines[self._height - 1]} …", width - 2)]
            return [(Span(" "), Span(line, role)) for line in lines]
        if self._said is not None:
            self._said = None
            self.call_later(self._make_room)
        fitted_for = self.typed, self.idle, self.asks_first, dict(self.instead), width
        if fitted_for != self._fitted[0]:
            self._fitted = fitted_for, self._keys_that_fit(width)
        return [self._fitted[1]]

    def _keys_that_fit(self, width: int) -> Line:
        """In the order of the table. Where there is no room for all, words go before keys, those at the end first.
        Help, which has them all, and the ways back and out are never missing."""
        if self.typed is not None:
            return (Span(" "), *_with_gaps([self._spans(key) for key in of(self.typed)]))
        keys = [self._spans(key) for key in self._keys if key.action not in self.idle]
        palette = [spans for spans in keys if spans[0].action == "app.command_palette"]
        shown = [spans for spans in keys if spans[0].action not in LAST]
        shown += [spans for spans in keys if spans[0].action in LAST[:2]]
        can_go = [spans for spans in reversed(shown) if not _leads_out(spans) and spans[0].action != LAST[0]]
        for spans in can_go:  # what it does is on the help page, too
            if _width(shown) > width:
                del spans[1:]
        for spans in can_go:
            if _width(shown) > width:
                shown.remove(spans)
        left = [Span(" "), *_with_gaps(shown)]
        if palette and _width(shown) + _width(palette) + 1 <= width:
            return justified(left, [*palette[0], Span(" ")], width)
        return tuple(left)

    def _spans(self, key: Key) -> list[Span]:
        action = key.action if "." in key.action else f"screen.{key.action}"
        if key.action in self.asks_first:
            action = f"screen.clicked('{key.action}')"
        label = key.label.replace("ctrl+", "^")
        return [Span(label, "key", action), Span(f" {self.instead.get(key.action, key.short)}", "faint", action)]


def _leads_out(spans: Sequence[Span]) -> bool:
    """Whether it is the key back, or the one that leaves."""
    return spans[0].text == "esc" or spans[0].action == LAST[1]


def _width(keys: Sequence[Sequence[Span]]) -> int:
    return 1 + width_of(_with_gaps(keys))


def _with_gaps(keys: Sequence[Sequence[Span]]) -> list[Span]:
    spans: list[Span] = []
    for key in keys:
        spans += [Span("  "), *key] if spans else key
    return spans


LEAST_WIDTH = 60
LEAST_HEIGHT = 15


class TooSmall(Panel):
    """Stands in for a screen that has no room."""

    def lines(self) -> list[Line]:
        width, height = self.app.size
        least = least_height(self.screen)
        text = say("screen.too_small", columns=LEAST_WIDTH, lines=least, width=width, height=height)
        if self.screen is not self.app.screen_stack[0]:
            text += say("screen.goes_back")
        return [(Span(" "), Span(line, "warning")) for line in wrap(text, width - 2)]


def least_height(screen: Screen[object]) -> int:
    """Lines from which on a screen shows anything."""
    return next((least for least, name in screen.VERTICAL_BREAKPOINTS or () if name != "-too-low"), LEAST_HEIGHT)


class TrainerScreen(Screen[None]):
    """A screen that fills the terminal. Its frame is drawn by the app's clock, and only while it is on show."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-too-narrow"),
        (LEAST_WIDTH, "-narrow"),
        (116, "-wide"),
        (176, "-very-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012
        (0, "-too-low"),
        (LEAST_HEIGHT, "-low"),
        (30, "-tall"),
        (48, "-very-tall"),
    ]
    AUTO_FOCUS = ""

    if TYPE_CHECKING:

        @property
        def app(self) -> ContextApp: ...  # type: ignore[override]

    def __init__(self, *places: KeyContext) -> None:
        super().__init__()
        self.places = places
        # Textual sets these on the first resize, which would style and lay out all of it a second time.
        self.add_class(*self._classes_of(self.app.size), update=False)
        self.key_line = KeyLine(*places)
        self.composed = False

    @property
    def context(self) -> AppContext:
        """What the app shares with its screens."""
        return self.app.context

    def on_mount(self) -> None:
        self.composed = True
        self.draw()

    def on_screen_resume(self) -> None:
        if self.composed:  # the size may be another than when it was left
            self.draw()

    def suit(self, size: Size) -> None:
        """Take the classes of a size while another screen lies over it: Textual sets those of the front one alone."""
        wanted = self._classes_of(size)
        breakpoints = (*self.HORIZONTAL_BREAKPOINTS, *self.VERTICAL_BREAKPOINTS)
        self.update_classes({name: name in wanted for _, name in breakpoints}, animate=False)
        if self.composed:
            self.call_later(self.draw)  # a question or the help page lets it be seen

    def _classes_of(self, size: Size) -> list[str]:
        both = (size.width, self.HORIZONTAL_BREAKPOINTS), (size.height, self.VERTICAL_BREAKPOINTS)
        return [[name for least, name in breakpoints if cells >= least][-1] for cells, breakpoints in both]

    def compose(self) -> ComposeResult:
        yield TooSmall()
        yield from self.compose_content()

    def compose_content(self) -> ComposeResult:
        """What the screen shows when there is room."""
        raise NotImplementedError

    @property
    def at_ease(self) -> bool:
        """Whether nothing more is expected to happen on it by itself."""
        return False

    @property
    def trains(self) -> Queue | None:
        """What trains in this process for this screen alone, while it goes on."""
        return None

    @property
    def stands_still(self) -> bool:
        """Whether that is paused."""
        return False

    def draw(self) -> None:
        """Bring what is on show up to date. Called many times a second: cheap when nothing is new."""

    def copy(self, text: str) -> None:
        """Put a text on the clipboard of the terminal, however far away that is, and say so."""
        self.app.copy_to_clipboard(text)
        words = " ".join(text.split())
        said = say("answer.copied", text=words) if words else say("answer.nothing_to_copy")
        self.say(cut(said, self.size.width - 2))  # more lines would move what is selected

    def action_copy_text(self) -> None:
        """Copy what the mouse selected; without that the key is free for what it means elsewhere."""
        selected = self.get_selected_text()
        if selected is None:
            raise SkipAction
        self.copy(selected)
        self.clear_selection()

    def get_widget_and_offset_at(self, x: int, y: int) -> tuple[Widget | None, Offset | None]:
        """As Textual has it, for panels too: their strips know no offsets, which would cost more than drawing them."""
        widget, offset = super().get_widget_and_offset_at(x, y)
        if isinstance(widget, Panel):
            offset = Offset(x, y) - widget.content_region.offset
        return widget, offset

    def say(self, text: str, role: str = "live", seconds: float | None = None) -> None:
        """Answer in one quiet line, for so long."""
        self.key_line.say(text, role, SAID_FOR if seconds is None else seconds)
