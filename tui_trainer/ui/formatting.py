"""Numbers, times and texts as the screen writes them: units, fixed widths, nothing a terminal could obey."""

from __future__ import annotations

import math

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tui_trainer.text.numbers import format_lr, format_metric, lr_change
from tui_trainer.text.plain import is_shown

MOST_OF_IT = 0.75
"""Of a text that is cut, what stays at least where it is cut between words."""

UNKNOWN = "–"
"""Stands where a number is not known yet."""


def fit(text: str, width: int) -> str:
    """The text in exactly `width` cells: padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"


def cut(text: str, width: int) -> str:
    """The text in at most `width` cells, an ellipsis in place of what does not fit; cut between two words, unless that
    would cost much of it."""
    if cell_len(text) <= width:
        return text
    shown = fit(text, width)
    kept = len(shown) - 1
    words = text[: kept + 1].rfind(" ")
    return f"{text[:words]}…" if words > kept * MOST_OF_IT else shown


def clock(seconds: float) -> str:
    """Seconds as `0:00:41`, the way a stopwatch has them."""
    minutes, second = divmod(int(max(0.0, seconds)), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}"


def about(seconds: float) -> str:
    """Seconds that are an estimate, `0:58` or `1:02:10`."""
    minutes, second = divmod(int(max(0.0, seconds) + 0.5), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def thousands(count: float) -> str:
    """A whole number with commas, `12,480`."""
    return f"{count:,.0f}"


def in_short(count: int) -> str:
    """A number of parameters, `412k` or `11.2M`."""
    if count >= 999_500:
        millions = count / 1e6
        return f"{millions:.1f}M" if millions < 99.95 else f"{millions:.0f}M"
    return f"{count / 1e3:.0f}k" if count >= 1_000 else str(count)


def lr(value: float) -> str:
    """A learning rate, `0.001` or `4e-7`; a dash where it is not known."""
    return format_lr(value) if math.isfinite(value) else UNKNOWN


def lrs(old: float, new: float) -> tuple[str, str]:
    """Two learning rates, told apart; a dash for one that is not known."""
    return lr_change(old, new) if math.isfinite(old) and math.isfinite(new) else (lr(old), lr(new))


def loss(value: float) -> str:
    """A loss or an accuracy, `0.1312`; a dash where it is not finite."""
    return format_metric(value) if math.isfinite(value) else UNKNOWN


def percent(share: float) -> str:
    """A share of 1 in four cells: `54 %`, with `<1 %` for what is little and yet not nothing."""
    if 0 < share < 0.005:
        return "<1 %"
    return f"{min(share, 1.0) * 100:2.0f} %"


def milliseconds(seconds: float) -> str:
    """Three digits: `0.24 ms`, `77.6 ms`, `129 ms`, `1.20 s`."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    thousandths = seconds * 1e3
    return f"{thousandths:.{0 if thousandths >= 100 else 1 if thousandths >= 10 else 2}f} ms"


def gigabytes(count: float) -> str:
    """Bytes as `0.6 GB`, `25 GB`."""
    return f"{count / 1e9:.1f} GB" if count < 9.95e9 else f"{count / 1e9:.0f} GB"


def wrap(text: str, width: int) -> list[str]:
    """The words of a text on lines of at most `width` cells; a word that is longer is cut into pieces."""
    if width <= 0:
        return []
    lines: list[str] = []
    line = ""
    for word in text.split():
        while cell_len(word) > width:
            if line:
                lines.append(line)
                line = ""
            piece = set_cell_size(word, width).rstrip() or word[0]  # a wide character where one cell is left
            lines.append(piece)
            word = word[len(piece) :]
        if not line:
            line = word
        elif cell_len(line) + 1 + cell_len(word) <= width:
            line += f" {word}"
        else:
            lines.append(line)
            line = word
    if line:
        lines.append(line)
    return lines


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
