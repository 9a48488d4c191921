"""`t` in a comparison: which columns its table has, marked in a list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from tui_trainer.text.captions import say
from tui_trainer.text.plain import plain
from tui_trainer.ui import dialogs
from tui_trainer.ui.charts.chart import narrow
from tui_trainer.ui.dialog import Dialog
from tui_trainer.ui.filtered_list import CursorList
from tui_trainer.ui.formatting import fit
from tui_trainer.ui.panel import BLANK, Line, Span

WIDTH = 48


class ColumnList(CursorList[str]):
    """The names; those that are marked have the number of their place."""

    def __init__(self, names: Sequence[str], marked: Sequence[str]) -> None:
        super().__init__(names)
        self.marked = [name for name in marked if name in names]

    def mark(self) -> None:
        """Mark the one under the cursor, or unmark it, and go to the next."""
        if (name := self.current) is None:
            return
        if name in self.marked:
            self.marked.remove(name)
        else:
            self.marked.append(name)
        self.move(1)
        self.redraw()

    def lines(self) -> Sequence[Line]:
        width, height = self.size
        room = max(1, height - 3)
        self._top = max(min(self._top, self._cursor), self._cursor - room + 1, 0)
        lines: list[Line] = [(Span(fit(say("comparison.columns"), width), "strong"),)]
        for index in range(self._top, min(self._top + room, len(self._shown))):
            name = self._shown[index]
            here = index == self._cursor
            place = f"{self.marked.index(name) + 1:>3} " if name in self.marked else "    "
            text = fit(f"{'▌' if here else ' '}{place}{narrow(plain(name))}", width)
            lines.append((Span(text, "lit" if here else "" if name in self.marked else "faint"),))
        return [*lines, BLANK, (Span(fit(say("comparison.columns_keys"), width), "faint"),)]

    def index_at(self, event: events.Click) -> int | None:
        at = event.y - 1 + self._top
        return at if event.y >= 1 and at < len(self._shown) else None


class ColumnChoice(Dialog[tuple[str, ...] | None]):
    """Gives the names that were marked; None where the person thinks better of it."""

    CSS_PATH: ClassVar[Path] = Path(dialogs.__file__).with_name("dialogs.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("space", "mark", show=False),
        Binding("enter", "take", show=False),
        Binding("escape,q,t,ctrl+c", "cancel", show=False),
    ]

    def __init__(self, names: Sequence[str], marked: Sequence[str]) -> None:
        super().__init__()
        self._list = ColumnList(names, marked)

    def compose(self) -> ComposeResult:
        self._make_room()  # before it is mounted: one layout is enough
        with Vertical(id="question"):
            yield self._list

    def on_resize(self) -> None:
        self._make_room()

    def _make_room(self) -> None:
        width, height = self.app.size
        self._list.styles.width = max(10, min(max(WIDTH, len(say("comparison.columns_keys"))), width - 7))
        self._list.styles.height = max(4, min(len(self._list.shown) + 3, height - 6))

    def on_column_list_chosen(self) -> None:
        """A click on the one under the cursor."""
        self._list.mark()

    def action_move(self, by: int) -> None:
        self._list.move(by)

    def action_mark(self) -> None:
        self._list.mark()

    def action_take(self) -> None:
        self.dismiss(tuple(self._list.marked))

    def action_cancel(self) -> None:
        self.dismiss(None)
