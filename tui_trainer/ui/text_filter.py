"""The screen's one door for text: what a terminal would obey leaves no widget."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tui_trainer.text.plain import is_shown


class TextFilter(LineFilter):
    """Takes controls and marks that reorder out of every line, borders, tooltips and palette included.

    They take no cell, so that a line is as wide without them. Sequences of the screen's own come into a line later.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments where, as nearly always, there is nothing to take out."""
        if all(segment.text.isprintable() for segment in segments):
            return segments
        return [segment if segment.control else Segment(_shown(segment.text), segment.style) for segment in segments]


def _shown(text: str) -> str:
    # Half a character takes a cell.
    return "".join("?" if "\ud800" <= c <= "\udfff" else c for c in text if is_shown(c) or "\ud800" <= c <= "\udfff")
