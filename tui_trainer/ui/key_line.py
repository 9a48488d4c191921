"""The line at the bottom: the keys of this screen, and for some seconds what became of the last command."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tui_trainer.text.plain import plain
from tui_trainer.ui.formatting import cut
from tui_trainer.ui.keys import Key, KeyContext, of
from tui_trainer.ui.panel import Line, Panel, Span, justified, width_of

SAID_FOR = 6.0
"""Seconds that an answer stays."""

LAST = ("app.help", "app.leave", "app.command_palette")


class KeyLine(Panel):
    """Keys of some places and of everywhere; each can be clicked."""

    def __init__(self, *places: KeyContext) -> None:
        super().__init__()
        self._keys = [key for key in of(*places, "everywhere") if key.short]
        self.idle: frozenset[str] = frozenset()
        """Actions that have nothing to act on now; their keys are left out."""
        self._said: tuple[str, str] | None = None
        self._said_until = 0.0

    def say(self, text: str, role: str = "live", seconds: float = SAID_FOR) -> None:
        """Show a sentence in place of the keys."""
        self._said = (plain(text), role)
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
        return [self._keys_that_fit(width)]

    def _keys_that_fit(self, width: int) -> Line:
        """In the order of the table. Help, which has them all, and the way out are never missing."""
        keys = [_spans(key) for key in self._keys if key.action not in self.idle]
        palette = [spans for spans in keys if spans[0].action == "app.command_palette"]
        others = [spans for spans in keys if spans[0].action not in LAST]
        last = [spans for spans in keys if spans[0].action in LAST[:2]]
        while others and _width(others + last) > width:
            others.pop()
        left = [Span(" "), *_with_gaps(others + last)]
        if palette and _width(others + last) + _width(palette) + 1 <= width:
            return justified(left, [*palette[0], Span(" ")], width)
        return tuple(left)


def _spans(key: Key) -> list[Span]:
    action = key.action if "." in key.action else f"screen.{key.action}"
    label = key.label.replace("ctrl+", "^")
    return [Span(label, "key", action), Span(f" {key.short}", "faint", action)]


def _width(keys: Sequence[Sequence[Span]]) -> int:
    return 1 + width_of(_with_gaps(keys))


def _with_gaps(keys: Sequence[Sequence[Span]]) -> list[Span]:
    spans: list[Span] = []
    for key in keys:
        spans += [Span("  "), *key] if spans else key
    return spans
