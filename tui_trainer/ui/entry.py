"""One line to be typed, over the screen that asks for it, and looked at with every letter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui.dialog import Dialog
from tui_trainer.ui.dialogs import WIDTH
from tui_trainer.ui.formatting import fit, wrap
from tui_trainer.ui.panel import BLANK, Line, Lines, Span


class Entry(Dialog[str | None]):
    """Asks for a line; gives it without spaces around it, or None where the person thinks better of it."""

    CSS_PATH: ClassVar[str] = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "cancel", show=False)]

    def __init__(
        self, title: str, about: Sequence[str], *, wrong: Callable[[str], str] | None = None, value: str = ""
    ) -> None:
        """Ask.

        Args:
            title: for what.
            about: what it is about, and what can be typed.
            wrong: what is wrong with a line, in words; empty where nothing is. None takes any line, an empty one too.
            value: what stands there at first.
        """
        super().__init__()
        self._title, self._about, self._wrong = plain(title), [plain(text) for text in about], wrong
        self._above, self._below = Lines(), Lines()
        self._field = Input(plain(value), compact=True, select_on_focus=False)

    def compose(self) -> ComposeResult:
        self._make_room()  # before it is mounted: one layout is enough
        with Vertical(id="question"):
            yield self._above
            yield self._field
            yield self._below

    def on_mount(self) -> None:
        self._field.focus()

    def on_resize(self) -> None:
        self._make_room()

    @property
    def _width(self) -> int:
        return max(10, min(WIDTH, self.app.size.width - 7))

    def _make_room(self) -> None:
        for widget in (self._above, self._field, self._below):
            widget.styles.width = self._width
        about: list[Line] = [(Span(line, "faint"),) for text in self._about for line in wrap(text, self._width)]
        self._above.show([(Span(fit(self._title, self._width), "strong"),), *about, BLANK])
        self._show_wrong()

    def _show_wrong(self) -> None:
        """Under the line: what is wrong with it; where nothing is, or nothing is typed yet, which keys end it."""
        if self._wrong is None:
            return
        wrong = self._wrong(self._field.value) if self._field.value.strip() else ""
        words, role = (plain(wrong), "warning") if wrong else (say("entry.keys"), "faint")
        self._below.show([BLANK, *[(Span(line, role),) for line in wrap(words, self._width)]])

    def on_input_changed(self) -> None:
        self._show_wrong()

    def on_input_submitted(self) -> None:
        typed = self._field.value.strip()
        if self._wrong is None or (typed and not self._wrong(typed)):
            self.dismiss(typed)

    def action_cancel(self) -> None:
        self.dismiss(None)
