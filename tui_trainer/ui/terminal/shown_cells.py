"""What a terminal shows, cell by cell, and how little has to be written to it so that it shows the next frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat, zip_longest
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

NEAR = 4
"""Cells that are as they were are written again where they take no more bytes than this between two that are not: to go
beyond them would take as much."""

IN_ONE_PIECE = 4000
"""Bytes that a pseudo-terminal takes at once. Of more of them parts are seen as they come, and so they come from the
top, a few lines after the other."""
LINES_TOGETHER = 4

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
        self._not_looked_at: dict[int, list[tuple[int, list[Segment], ColorSystem]]] = {}
        """By line, what was written to it and is not yet in `_rows`: where it begins, and what it is."""
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
            self._not_looked_at = {}
            return _in_the_shorter_order(self._all_of(pieces, colors))
        before: dict[int, list[Cell]] = {}
        """Each line that changes, as it is shown."""
        for line, column, segments in pieces:
            new = self._cells(segments, colors)
            row = self._row(line, column + len(new))
            if row[column : column + len(new)] == new:
                continue
            before.setdefault(line, row.copy())
            row[column : column + len(new)] = new
        return _in_the_shorter_order(
            [run for line in sorted(before) for run in _runs(line, self._rows[line], before[line])]
        )

    def _all_of(self, pieces: Iterable[tuple[int, int, Iterable[Segment]]], colors: ColorSystem) -> list[_Run]:
        """All of some pieces, where nothing is known of what the terminal shows: no cell has to be looked at."""
        runs = []
        for line, column, each in pieces:
            segments = [segment for segment in each if not segment.control]
            self._not_looked_at.setdefault(line, []).append((column, segments, colors))
            for text, style, _ in segments:
                look, width = self._look(style or Style.null(), colors), cell_len(text)
                runs.append(_Run(line, column, look, text, width, not look.attributes and not text.strip(" ")))
                column += width
        return runs

    def _row(self, line: int, width: int) -> list[Cell]:
        """A line, with so many cells at the least."""
        for column, segments, colors in self._not_looked_at.pop(line, ()):
            cells = self._cells(segments, colors)
            self._row(line, column + len(cells))[column : column + len(cells)] = cells
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


class _Run(NamedTuple):
    """Cells beside each other that are written in one look."""

    line: int
    column: int
    look: Look
    text: str
    width: int
    is_empty: bool
    """Whether it is nothing but room: the color of a text is not seen there."""


def _runs(line: int, row: list[Cell], before: list[Cell]) -> Iterator[_Run]:
    """What is to be written of a line, from left to right: the cells that are others than before."""
    begin, text, look, is_empty, end = 0, [""], _PLAIN, True, -1
    """The run that is made, and the cell behind it; none yet where that is -1."""
    for place, (cell, shown) in enumerate(zip_longest(row, before, fillvalue=_UNKNOWN)):
        if cell is shown or cell == shown:
            continue
        character, its = cell
        if not character or (character == " " and _are_blank(cell, shown)):
            continue
        is_room = character == " " and not its.attributes
        if end < 0 or place - end > NEAR:
            goes_on = False
        elif its is look or its == look:
            goes_on = True
        else:
            goes_on = its[::2] == look[::2] and (is_room or (is_empty and not look.attributes))
        if goes_on and place > end:
            between = _again(row[end:place], look)
            goes_on = between is not None
            text.append(between or "")
        if not goes_on:
            if end >= 0:
                yield _Run(line, begin, look, "".join(text), end - begin, is_empty)
            begin, text, look, is_empty = place, [character], its, is_room
        else:
            text.append(character)
            if is_empty and not is_room:
                look, is_empty = its, False
        end = place + 1
        if not character.isascii() and end < len(row) and row[end] == ("", its):
            end += 1  # of a wide one, which is written
    if end >= 0:
        yield _Run(line, begin, look, "".join(text), end - begin, is_empty)


def _in_the_shorter_order(runs: list[_Run]) -> str:
    """Where a color takes more than a way to another place, each is chosen once, and all that has it written; but
    what does not come in one piece comes a few lines after the other."""
    if len(runs) > 1 and len(by_look := _written(sorted(runs, key=_by_look)).encode()) <= IN_ONE_PIECE:
        return min(by_look.decode(), _written(runs), key=len)
    return min(_written(sorted(runs, key=_by_lines_and_look)), _written(runs), key=len)


def _again(cells: list[Cell], look: Look) -> str | None:
    """The text of cells that are written again in this look; None where they have another, or are too long."""
    text = "".join(character for character, _ in cells)
    return text if len(text.encode()) <= NEAR and all(its == look for _, its in cells) else None


def _by_look(run: _Run) -> tuple[str, str, str]:
    return run.look.attributes, run.look.background, "" if run.is_empty else run.look.foreground


def _by_lines_and_look(run: _Run) -> tuple[int, tuple[str, str, str]]:
    return run.line // LINES_TOGETHER, _by_look(run)


def _written(runs: Iterable[_Run]) -> str:
    """The sequences that write them in this order, from the plain look and back to it."""
    written: list[str] = []
    look, line, column = _PLAIN, -1, -1
    for run in runs:
        if run.line != line:
            written.append(f"\x1b[{run.line + 1};{run.column + 1}H")
        elif run.column > column:
            written.append(min(f"\x1b[{run.column - column}C", f"\x1b[{run.column + 1}G", key=len))
        elif run.column < column:
            written.append(f"\x1b[{run.column + 1}G")
        if run.look != look and not (run.is_empty and run.look[::2] == look[::2]):
            written.append(_to(run.look, look))
            look = run.look
        written.append(run.text)
        line, column = run.line, run.column + run.width
    if look != _PLAIN:
        written.append("\x1b[0m")
    return "".join(written)


def _are_blank(one: Cell, other: Cell) -> bool:
    """Whether both are the same empty room: the color of a text is not seen there."""
    return one[0] == other[0] == " " and one[1][::2] == other[1][::2] and not one[1].attributes


def _to(look: Look, before: Look) -> str:
    """The sequence that goes from one look to another."""
    if look.attributes != before.attributes:
        return f"\x1b[{';'.join(filter(None, ('0', look.attributes, look.foreground, look.background)))}m"
    parts = [part for part, was in zip(look[1:], before[1:], strict=True) if part != was]
    return f"\x1b[{';'.join(parts)}m"
