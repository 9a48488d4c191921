"""Five hints, a line each, for who starts the screen for the first time in their life. They never come again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui_trainer.ui.formatting import cut
from tui_trainer.ui.panel import Line, Panel, Span, justified
from tui_trainer.ui.panel_forms import PANELS


@dataclass(frozen=True)
class Hint:
    """A sentence, and the keys it tells of: who presses one of them has understood."""

    keys: tuple[str, ...]
    text: str


HINTS = (
    Hint(("space", "n", "s"), "space pauses, n trains one batch, s shows every call"),
    Hint(("left", "right", "comma", "full_stop"), "← → move a cursor: values, and why the LR moved there"),
    Hint(("plus", "minus", "f", *PANELS), f"+ and - zoom, f follows again, 1 to {max(PANELS)} hide and show panels"),
    Hint(("p", "c", "r"), "p switches presets in mid-run, c compares, r lists runs"),
    Hint(("question_mark", "ctrl+p"), "? lists all keys; q asks whether to keep training"),
)

ONWARDS = (("enter next · esc no more hints ", 106), ("enter next ", 76), ("", 0))
"""What is said at the end of the line, from which width on."""


class Hints(Panel):
    """One line; a click on it is as good as the key."""

    def __init__(self) -> None:
        super().__init__()
        self._at = len(HINTS)

    @property
    def is_over(self) -> bool:
        return self._at >= len(HINTS)

    def begin(self) -> None:
        """The first one."""
        self._at = 0
        self._settle()

    def next(self) -> None:
        """The hint after this one, or none."""
        self._at += 1
        self._settle()

    def end(self) -> None:
        """No more of them."""
        self._at = len(HINTS)
        self._settle()

    def pressed(self, key: str) -> None:
        """Go on where a key was pressed that the hint tells of."""
        if not self.is_over and key in ("enter", *HINTS[self._at].keys):
            self.next()

    def on_click(self) -> None:
        self.next()

    def lines(self) -> Sequence[Line]:
        if self.is_over:
            return []
        width = self.size.width
        number = Span(f" {self._at + 1}/{len(HINTS)}  ", "live")
        onwards = next(words for words, least in ONWARDS if width >= least)
        text = cut(HINTS[self._at].text, width - len(number.text) - len(onwards) - 1)
        return [justified([number, Span(text)], [Span(onwards, "faint")], width)]

    def _settle(self) -> None:
        self.display = not self.is_over
        self.redraw()
