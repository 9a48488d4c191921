"""Curves over one another in cells of text, drawn anew only where they changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import groupby
from operator import or_
from typing import NamedTuple

from tui_trainer.plotting.curves import Span
from tui_trainer.plotting.figure import DOTS, Marks, draw

DOTTED = ("planned", "flat", "train", "accuracy")
"""Curves that are told from drawn ones without colour too: only the left dots of their cells are kept.

Here as below, the first word of a curve's name says what it is: `train steplr`.
"""

BANDS = ("raw", "band")
"""What lies under lines, and is hidden by them. Lines hide none of one another: see `Canvas`."""

PLAIN = {"raw": ".", "band": ".", "planned": ".", "flat": ":", "train": ":", "accuracy": "+", "val": "="}
"""With one plain character a cell, what tells these curves from the others, which are drawn with `*`."""

MANY = 12
"""With more curves than this most of their dots lie under others', and finding out which is worth its time."""

AT_ONE_PLACE = 3
"""So many curves at most are seen in one cell; of more, those on top."""

_LEFT_HALVES = str.maketrans(
    {chr(0x2800 + dots): chr(0x2800 + (dots & 0x47)) for dots in range(256) if dots & 0x47}
    | dict(zip("▀▄█▚▞▛▜▟▙", "▘▖▌▘▖▌▘▖▌", strict=True))
)


_INK = re.compile("[^ ]+")

_QUARTERS = " ▗▖▄▝▐▞▟▘▚▌▙▀▜▛█"
"""By which of the four are lit."""


class GlyphRun(NamedTuple):
    """A piece of a line and the key of its style; an empty key is the background."""

    text: str
    style: str = ""


class Glyph(NamedTuple):
    """A character at a cell, `row` counted from the top."""

    row: int
    column: int
    text: str
    style: str


class Canvas:
    """Draws named curves; the names are the keys of their styles, the first lies undermost.

    Lines that have dots in the same cell all keep them, and take turns in colouring such cells: where they coincide
    they are seen as dashes of their colours. A line hides the band under it, so that it keeps its shape.
    """

    def __init__(self, marks: Marks = "braille") -> None:
        self.marks = marks
        self._size = (0, 0)
        self._spans: dict[str, list[Span | None]] = {}
        self._text: dict[str, list[str]] = {}
        self._order: tuple[str, ...] = ()
        self._called: dict[str, str] = {}
        self._cover = _Cover(marks)
        self._changes: list[int] = []
        """Of each row, how often a curve in it has changed, or which curves there are, or their styles."""
        self._inked: list[set[str]] = []
        """Of each row, the curves that have a dot in it."""
        self._rows: list[tuple[tuple[object, ...], list[GlyphRun]]] = []
        self.cells_drawn = 0
        """Cells that plotext was asked for, over all frames: what drawing costs."""

    def draw(self, curves: Mapping[str, list[Span | None]], width: int, height: int) -> None:
        """Take the curves as they are now: a span for each column of dots."""
        if self._size != (width, height):
            self._size = (width, height)
            self._spans.clear()
            self._text.clear()
            self._rows.clear()
            self._changes = [0] * height
            self._inked = [set() for _ in range(height)]
        across = DOTS[self.marks][0]
        shown = self._cover.uncovered(curves) if len(curves) > MANY else curves
        tiles: list[tuple[str, int, list[Span | None]]] = []
        for name, curve in shown.items():
            old = self._spans.get(name)
            if old is curve:
                continue
            if old is None:
                self._text[name] = [" " * width] * height
                old = [None] * len(curve)
            if (changed := _changed(old, curve)) is not None:
                first, last = changed[0] // across, changed[1] // across + 1
                tiles.append((name, first, curve[first * across : last * across]))
            self._spans[name] = curve
        for name in [name for name in self._spans if name not in shown]:
            self._write(name, [" " * width] * height)
            del self._spans[name], self._text[name]
        drawn = draw([tile for _, _, tile in tiles], height, self.marks)
        for (name, first, _), lines in zip(tiles, drawn, strict=True):
            if self.marks == "ascii":
                lines = [line.replace("*", PLAIN.get(_kind(name), "*")) for line in lines]
            elif _kind(name) in DOTTED:
                lines = [line.translate(_LEFT_HALVES) for line in lines]
            before = zip(self._text[name], lines, strict=True)
            self._write(name, [old[:first] + new + old[first + len(new) :] for old, new in before])
            self.cells_drawn += len(lines[0]) * height if lines else 0
        if (order := tuple(curves)) != self._order:
            self._order = order
            self._changes = [count + 1 for count in self._changes]

    def _write(self, name: str, texts: list[str]) -> None:
        """Have a curve's text be this."""
        for row, (old, new) in enumerate(zip(self._text[name], texts, strict=True)):
            if old != new:
                self._changes[row] += 1
                (self._inked[row].discard if new.isspace() else self._inked[row].add)(name)
        self._text[name] = texts

    def rows(
        self, under: Sequence[Glyph] = (), over: Sequence[Glyph] = (), styles: Mapping[str, str] | None = None
    ) -> list[list[GlyphRun]]:
        """The lines as runs, the topmost first, with glyphs under and over the curves; `styles` are those of curves
        whose style is not their name."""
        if (called := dict(styles or {})) != self._called:
            self._called = called
            self._changes = [count + 1 for count in self._changes]
        width, height = self._size
        below: list[list[Glyph]] = [[] for _ in range(height)]
        above: list[list[Glyph]] = [[] for _ in range(height)]
        for glyphs, by_row in ((under, below), (over, above)):
            for glyph in glyphs:
                if 0 <= glyph.row < height and 0 <= glyph.column < width:
                    by_row[glyph.row].append(glyph)
        for row in range(height):
            key = (self._changes[row], tuple(below[row]), tuple(above[row]))
            if row >= len(self._rows):
                self._rows.append((key, self._compose(row, below[row], above[row])))
            elif self._rows[row][0] != key:
                self._rows[row] = (key, self._compose(row, below[row], above[row]))
        return [runs for _, runs in self._rows]

    def _compose(self, row: int, under: Sequence[Glyph], over: Sequence[Glyph]) -> list[GlyphRun]:
        width, inked, called = self._size[0], self._inked[row], self._called
        layers = [(name, called.get(name, name), self._text[name][row]) for name in self._order if name in inked]
        if not layers and not under and not over:
            return [GlyphRun(" " * width)]
        cells = [" "] * width
        styles = [""] * width
        for glyph in under:
            cells[glyph.column], styles[glyph.column] = glyph.text, glyph.style
        lit = 0  # the cells in which lines have dots, a bit each
        shared: dict[int, list[tuple[str, str]]] = {}
        for name, style, text in layers:
            is_line = _kind(name) not in BANDS
            for match in _INK.finditer(text):
                start, stop = match.span()
                here = (1 << stop) - (1 << start)
                if is_line and lit & here:
                    for column in range(start, stop):
                        if lit >> column & 1:
                            there = shared.setdefault(column, [(cells[column], styles[column])])
                            there.append((text[column], style))
                        else:
                            cells[column], styles[column] = text[column], style
                else:
                    cells[start:stop] = match.group()
                    styles[start:stop] = [style] * (stop - start)
                lit = lit | here if is_line else lit & ~here
        for column, there in shared.items():
            if lit >> column & 1:
                cells[column], styles[column] = self._together(there, row, column)
        for glyph in over:
            cells[glyph.column], styles[glyph.column] = glyph.text, glyph.style
        return runs(cells, styles)

    def _together(self, there: Sequence[tuple[str, str]], row: int, column: int) -> tuple[str, str]:
        """What a cell shows in which lines share: the dots of all, in the colour of the one whose turn it is."""
        upper = there[-AT_ONE_PLACE:]
        # Two cells of each along a level line, one down a steep one, and no slope on which it were always one's turn.
        text, style = upper[(2 * column + 5 * row) // 4 % len(upper)]
        if self.marks == "braille":
            dots = 0
            for each, _ in there:
                dots |= ord(each)
            text = chr(dots)
        elif self.marks == "blocks":
            text = _QUARTERS[reduce(or_, (_QUARTERS.index(each) for each, _ in there))]
        return text, style


def _kind(name: str) -> str:
    """The first word of a curve's name."""
    return name.partition(" ")[0]


class _Cover:
    """Which spans of many curves are seen: those in whose cells fewer curves above have a dot than would hide them. One
    hides a band; a line, as many as share a cell. A drawing looks at the columns of cells in which a curve changed.
    """

    def __init__(self, marks: Marks) -> None:
        self._across, self._up = DOTS[marks]
        self._given: dict[str, list[Span | None]] = {}
        self._shown: dict[str, list[Span | None]] = {}

    def uncovered(self, curves: Mapping[str, list[Span | None]]) -> Mapping[str, list[Span | None]]:
        """The curves without the spans that are not seen; the first one lies undermost."""
        if [*curves] != [*self._given] or any(len(curves[name]) != len(old) for name, old in self._given.items()):
            self._shown = {name: [None] * len(curve) for name, curve in curves.items()}
            columns = {
                i // self._across for curve in curves.values() for i, span in enumerate(curve) if span is not None
            }
        else:
            columns = set()
            for name, curve in curves.items():
                if curve is not (old := self._given[name]):
                    columns.update(i // self._across for i in _differing(old, curve))
        self._given = dict(curves)
        if columns:
            self._look_at(sorted(columns))
        return self._shown

    def _look_at(self, columns: Sequence[int]) -> None:
        """Find out in these columns of cells what is seen."""
        across, up = self._across, self._up
        # The rows, a bit each, in which there is a curve above, are two, are three, ….
        depths = {column: [0] * AT_ONE_PLACE for column in columns}
        rows_of: dict[Span, int] = {}
        for name, curve in reversed(self._given.items()):
            is_line = _kind(name) not in BANDS
            before, shown = self._shown[name], None
            for column in columns:
                depth, mine = depths[column], 0
                covered = depth[-1 if is_line else 0]
                for i in range(column * across, min(len(curve), (column + 1) * across)):
                    span = seen = curve[i]
                    if span is not None:
                        rows = rows_of.get(span)
                        if rows is None:
                            rows = rows_of[span] = (2 << span[1] // up) - (1 << span[0] // up)
                        if rows & ~covered:
                            mine |= rows
                        else:
                            seen = None
                    if seen != before[i]:
                        shown = list(before) if shown is None else shown
                        shown[i] = seen
                if mine:
                    if is_line:
                        for deeper in range(AT_ONE_PLACE - 1, 0, -1):
                            depth[deeper] |= depth[deeper - 1] & mine
                    depth[0] |= mine
            if shown is not None:
                self._shown[name] = shown


def _differing(old: Sequence[Span | None], new: Sequence[Span | None]) -> list[int]:
    """Where two curves differ."""
    return [i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]


def runs(cells: Sequence[str], styles: Sequence[str]) -> list[GlyphRun]:
    """Cells and their styles, with neighbours of one style together."""
    line = "".join(cells)
    joined: list[GlyphRun] = []
    start = 0
    for style, same in groupby(styles):
        stop = start + sum(1 for _ in same)
        joined.append(GlyphRun(line[start:stop], style))
        start = stop
    return joined


def _changed(old: Sequence[Span | None], new: Sequence[Span | None]) -> tuple[int, int] | None:
    """The first and last column in which two curves differ; None where they do not."""
    if old == new:
        return None
    first = next(i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b)
    last = next(i for i in range(len(new) - 1, -1, -1) if old[i] != new[i])
    return first, last
