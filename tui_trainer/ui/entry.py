"""One line to be typed, over the screen that asks for it, and looked at with every letter."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.formatting import fit, wrap
from tui_trainer.ui.panel import BLANK, Line, Lines, Span

WIDTH = 62


class Entry(ModalScreen[str]):
    """Asks for a line; gives it once it can be taken, or an empty text where the person thinks better of it."""

    CSS_PATH: ClassVar[str] = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "cancel", show=False)]

    def __init__(self, title: str, text: str, wrong: Callable[[str], str]) -> None:
        """Ask.

        Args:
            title: for what.
            text: what can be typed.
            wrong: what is wrong with a line, in words; empty where nothing is.
        """
        super().__init__()
        self._title, self._text, self._wrong = plain(title), plain(text), wrong
        self._above, self._below = Lines(), Lines()
        self._field = Input(compact=True)

    def compose(self) -> ComposeResult:
        with Vertical(id="question"):
            yield self._above
            yield self._field
            yield self._below

    def on_mount(self) -> None:
        self._make_room()
        self._field.focus()

    def on_resize(self) -> None:
        self._make_room()

    def _make_room(self) -> None:
        width = min(WIDTH, self.app.size.width - 7)
        for widget in (self._above, self._field, self._below):
            widget.styles.width = width
        about: list[Line] = [(Span(line, "faint"),) for line in wrap(self._text, width)]
        self._above.show([(Span(fit(self._title, width), "strong"),), *about, BLANK])
        self._show_wrong()

    def _show_wrong(self) -> None:
        """Under the line: what is wrong with it; where nothing is, or nothing is typed yet, which keys end it."""
        typed, width = self._field.value, int(self._field.styles.width.value if self._field.styles.width else WIDTH)
        wrong = self._wrong(typed) if typed.strip() else ""
        words, role = (plain(wrong), "warning") if wrong else (say("entry.keys"), "faint")
        self._below.show([BLANK, *[(Span(line, role),) for line in wrap(words, width)]])

    def on_input_changed(self) -> None:
        self._show_wrong()

    def on_input_submitted(self) -> None:
        if self._field.value.strip() and not self._wrong(self._field.value):
            self.dismiss(self._field.value)

    def action_cancel(self) -> None:
        self.dismiss("")
