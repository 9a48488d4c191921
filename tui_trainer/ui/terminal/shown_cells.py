"""What a terminal shows, cell by cell, and how little has to be written to it so that it shows the next frame."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

NEAR = 3
"""Cells that are as they were are written again where no more of them stand between two that are not: to go beyond them
would take as much."""

MOST_STYLES = 4096
"""Styles whose look is remembered: those of one place differ from those of another, and a screen is open for days."""


class Look(NamedTuple):
    """How a cell looks, as parameters of SGR (ECMA-48, 8.3.117)."""

    attributes: str
    foreground: str
    background: str


Cell = tuple[str, Look]
"""A character and its look. The second cell of a wide character has an empty one."""

_UNKNOWN: Cell = ("", Look("", "", ""))
_PLAIN = Look("", "39", "49")


class ShownCells:
    """Of one terminal. It belongs to the thread that draws, but for `forget`."""

    def __init__(self) -> None:
        """Nothing is known of what it shows."""
        self._rows: list[list[Cell]] = []
        self._is_known = True
        """False once `forget` was called."""
        self._looks: dict[tuple[Style, ColorSystem], Look] = {}

    def forget(self) -> None:
        """What it shows may be anything: it was cleared, has another size, or another program had it. Any thread."""
        self._is_known = False

    def changes(self, pieces: Iterable[tuple[int, int, Iterable[Segment]]], colors: ColorSystem) -> str:
        """What has to be written so that it shows these, given that all that was returned before is written first.

        Args:
            pieces: line and column where each begins, both from 0, and what stands there.
            colors: those that the terminal has.
        """
        if not self._is_known:
            self._is_known = True
            self._rows = []
        written: list[str] = []
        look = _PLAIN
        for line, column, segments in pieces:
            new = self._cells(segments, colors)
            row = self._row(line, column + len(new))
            if row[column : column + len(new)] == new:
                continue
            look = _write(written, new, row, line, column, look)
            row[column : column + len(new)] = new
        if look != _PLAIN:
            written.append("\x1b[0m")
        return "".join(written)

    def _row(self, line: int, width: int) -> list[Cell]:
        """A line, with so many cells at the least."""
        while len(self._rows) <= line:
            self._rows.append([])
        row = self._rows[line]
        if len(row) < width:
            row.extend(repeat(_UNKNOWN, width - len(row)))
        return row

    def _cells(self, segments: Iterable[Segment], colors: ColorSystem) -> list[Cell]:
        cells: list[Cell] = []
        for text, style, control in segments:
            if control:
                continue
            look = self._look(style or Style.null(), colors)
            if text.isascii() or cell_len(text) == len(text):
                cells.extend(zip(text, repeat(look), strict=False))
                continue
            for character in text:
                width = cell_len(character)
                if width:
                    cells.append((character, look))
                    cells.extend(repeat(("", look), width - 1))
                elif cells:  # it joins the one before it
                    cells[-1] = (cells[-1][0] + character, cells[-1][1])
        return cells

    def _look(self, style: Style, colors: ColorSystem) -> Look:
        key = style, colors
        look = self._looks.get(key)
        if look is None:
            if len(self._looks) >= MOST_STYLES:
                self._looks.clear()
            look = self._looks[key] = _look_of(style, colors)
        return look


def _look_of(style: Style, colors: ColorSystem) -> Look:
    color, background = style.color, style.bgcolor
    attributes = [
        number
        for number, has in (
            ("1", style.bold),
            ("2", style.dim),
            ("3", style.italic),
            ("4", style.underline),
            ("5", style.blink),
            ("6", style.blink2),
            ("7", style.reverse),
            ("8", style.conceal),
            ("9", style.strike),
            ("21", style.underline2),
            ("51", style.frame),
            ("52", style.encircle),
            ("53", style.overline),
        )
        if has
    ]
    return Look(
        ";".join(attributes),
        ";".join(color.downgrade(colors).get_ansi_codes()) if color is not None else "39",
        ";".join(background.downgrade(colors).get_ansi_codes(foreground=False)) if background is not None else "49",
    )


def _write(written: list[str], new: list[Cell], row: list[Cell], line: int, column: int, look: Look) -> Look:
    """Go to each cell that is another one and write it; the look in which the terminal writes then."""
    last = -1
    """The cell of `new` that was written last."""
    for place, cell in enumerate(new):
        if cell == row[column + place] or not cell[0] or _are_blank(cell, row[column + place]):
            continue
        if last < 0:
            written.append(f"\x1b[{line + 1};{column + place + 1}H")
        elif place - last > 1:
            between = new[last + 1 : place]
            if len(between) <= NEAR and all(its == look for _, its in between):
                written.extend(character for character, _ in between)
            elif any(character for character, _ in between):  # else it is the rest of a wide one
                written.append(f"\x1b[{column + place + 1}G")
        character, its = cell
        if its != look and not _are_blank(cell, (" ", look)):
            written.append(_to(its, look))
            look = its
        written.append(character)
        last = place
    return look


def _are_blank(one: Cell, other: Cell) -> bool:
    """Whether both are the same empty room: the color of a text is not seen there."""
    return one[0] == other[0] == " " and one[1][::2] == other[1][::2] and not one[1].attributes


def _to(look: Look, before: Look) -> str:
    """The sequence that goes from one look to another."""
    if look.attributes != before.attributes:
        return f"\x1b[{';'.join(filter(None, ('0', look.attributes, look.foreground, look.background)))}m"
    parts = [part for part, was in zip(look[1:], before[1:], strict=True) if part != was]
    return f"\x1b[{';'.join(parts)}m"
