"""`n` in the list of runs: another name for one of them, typed into a line."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from tui_trainer.text.captions import say
from tui_trainer.ui import dialogs
from tui_trainer.ui.dialogs import WIDTH
from tui_trainer.ui.formatting import fit
from tui_trainer.ui.panel import BLANK, Line, Panel, Span


class Asked(Panel):
    """What is asked, and how it is answered."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def lines(self) -> list[Line]:
        width = self.size.width
        return [
            (Span(fit(say("question.rename"), width), "strong"),),
            (Span(fit(self._run, width), "faint"),),
            (Span(fit(say("question.to_rename"), width), "faint"),),
            BLANK,
        ]


class NewName(ModalScreen[str | None]):
    """Gives the name that was typed, without spaces around it, and perhaps empty; None where nobody wants another."""

    CSS_PATH: ClassVar[Path] = Path(dialogs.__file__).with_name("dialogs.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "cancel", show=False, priority=True)]

    def __init__(self, run: str, name: str) -> None:
        """Of the run with this id, which has this name so far; both are plain text."""
        super().__init__()
        self._asked = Asked(run)
        self._line = Input(name, compact=True, select_on_focus=False)

    def compose(self) -> ComposeResult:
        self._make_room()  # before it is mounted: one layout is enough
        with Vertical(id="question"):
            yield self._asked
            yield self._line

    def on_mount(self) -> None:
        self._line.focus()

    def on_resize(self) -> None:
        self._make_room()

    def _make_room(self) -> None:
        width = max(10, min(WIDTH, self.app.size.width - 7))
        self._asked.styles.height = 4
        self._asked.styles.width = self._line.styles.width = width

    @on(Input.Submitted)
    def _take(self, submitted: Input.Submitted) -> None:
        self.dismiss(submitted.value.strip())

    def action_cancel(self) -> None:
        self.dismiss(None)
