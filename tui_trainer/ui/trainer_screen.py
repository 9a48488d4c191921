"""What all full screens have in common: a least size, a frame to draw, a line that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.geometry import Offset, Size
from textual.screen import Screen

from tui_trainer.ui.formatting import wrap
from tui_trainer.ui.key_line import SAID_FOR, KeyLine
from tui_trainer.ui.keys import KeyContext
from tui_trainer.ui.panel import Line, Panel, Span

if TYPE_CHECKING:
    from textual.widget import Widget

    from tui_trainer.ui.context import AppContext, ContextApp

LEAST_WIDTH = 60
LEAST_HEIGHT = 16


class TooSmall(Panel):
    """Stands in for a screen that has no room."""

    def lines(self) -> list[Line]:
        width, height = self.size
        text = (
            f"This screen needs {LEAST_WIDTH} columns and {LEAST_HEIGHT} lines, "
            f"the terminal has {width} and {height}: make it larger. q leaves."
        )
        return [(Span(" "), Span(line, "warning")) for line in wrap(text, width - 2)]


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

    def draw(self) -> None:
        """Bring what is on show up to date. Called many times a second: cheap when nothing is new."""

    def copy(self, text: str) -> None:
        """Put a text on the clipboard of the terminal, however far away that is, and say so."""
        self.app.copy_to_clipboard(text)
        self.say(f"copied: {' '.join(text.split())}" if text.strip() else "there is nothing to copy")

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
