"""The line at the bottom: the keys of this screen, and for some seconds what became of the last command."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tui_trainer.ui.keys import Key, Place, of
from tui_trainer.ui.panel import Line, Panel, Span, justified, width_of
from tui_trainer.ui.words import cut

SAID_FOR = 6.0
"""Seconds that an answer stays."""


class KeyLine(Panel):
    """Keys of some places and of everywhere; each can be clicked."""

    def __init__(self, *places: Place) -> None:
        super().__init__()
        self._keys = [key for key in of(*places, "everywhere") if key.short]
        self.idle: frozenset[str] = frozenset()
        """Actions that have nothing to act on now; their keys are left out."""
        self._said: tuple[str, str] | None = None
        self._said_until = 0.0

    def say(self, text: str, role: str = "live", seconds: float = SAID_FOR) -> None:
        """Show a sentence in place of the keys."""
        self._said = (text, role)
        self._said_until = time.monotonic() + seconds
        self.redraw()

    def quiet(self) -> None:
        """The keys again: what was said is of no interest any more."""
        self._said = None
        self.redraw()

    def lines(self) -> Sequence[Line]:
        width = self.size.width
        if self._said is not None and time.monotonic() < self._said_until:
            text, role = self._said
            return [(Span(" "), Span(cut(text, width - 2), role))]
        self._said = None
        palette = [key for key in self._keys if key.short == "palette"]
        left = [Span(" ")]
        right = _spans(palette[0], "^p") if palette else []
        for key in self._keys:
            if key.action in self.idle:
                continue
            spans = [] if key.short == "palette" else _spans(key, key.label)
            if width_of(left) + width_of(spans) + 2 + width_of(right) + 1 > width:
                break  # the palette has them all: its own key always fits
            left += [*spans, Span("  ")] if spans else []
        if width_of(left) + width_of(right) + 1 > width:
            return [tuple(left)]
        return [justified(left, [*right, Span(" ")], width)]


def _spans(key: Key, label: str) -> list[Span]:
    action = key.action if "." in key.action else f"screen.{key.action}"
    return [Span(label, "key", action), Span(f" {key.short}", "faint", action)]
