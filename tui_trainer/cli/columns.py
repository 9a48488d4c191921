"""A list as `ls -l` would give it: columns of equal width under a header, a line each on a terminal.

It measures and cuts by itself what `ui.words` does with rich, since a command that lists loads nothing that draws.
"""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

GAP = "  "


class Column(NamedTuple):
    """A column, and what becomes of it where there is no room."""

    title: str
    drop: int = 0
    """Those that may be left out, in this order; 0 stays."""
    least: int = 0
    """Cells that it may be cut down to, the last column first; 0 is not cut."""
    if_any: bool = False
    """Whether it is left out where no row has a word in it."""


def room() -> int | None:
    """Cells of a line of the standard output; None where it is no terminal, and a line is as long as it is."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def in_columns(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """A header and the rows, in lines of at most `width` cells."""
    kept = [at for at, column in enumerate(columns) if not column.if_any or any(row[at] for row in rows)]
    widths = {at: max(map(cells, (columns[at].title, *(row[at] for row in rows)))) for at in kept}

    def too_wide() -> int:
        return sum(widths[at] + len(GAP) for at in kept) - len(GAP) - (width or 0)

    if width is not None:
        for at in sorted((at for at in kept if columns[at].drop), key=lambda at: columns[at].drop):
            if too_wide() > 0:
                kept.remove(at)
        for at in reversed(kept):
            if columns[at].least and too_wide() > 0:
                widths[at] = max(min(widths[at], columns[at].least), widths[at] - too_wide())
    titles = [column.title for column in columns]
    lines = [GAP.join(_fit(row[at], widths[at]) for at in kept).rstrip() for row in (titles, *rows)]
    return [line if width is None else _cut(line, width) for line in lines]


def cells(text: str) -> int:
    """Cells that a text takes on a terminal."""
    return sum(_cells_of(character) for character in text)


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _fit(text: str, width: int) -> str:
    text = _cut(text, width)
    return text + " " * (width - cells(text))


def _cut(text: str, width: int) -> str:
    if cells(text) <= width:
        return text
    while text and cells(text) > width - 1:
        text = text[:-1]
    return text + "…"
