"""Curves over one another in cells of text, drawn anew only where they changed."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from itertools import groupby, islice
from math import inf
from operator import or_
from typing import NamedTuple

from tui_trainer.plotting.cover import AT_ONE_PLACE, Cover
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

AT_A_TIME = 16
"""Curves that are drawn between looks at the clock."""

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
        self._over: list[str] = []
        self._order: dict[str, int] = {}
        """Of all curves, from the undermost on."""
        self._called: Mapping[str, str] = {}
        self._cover: Cover | None = None
        self._waiting: dict[str, list[Span | None]] = {}
        """Curves that are still to be drawn as they are now."""
        self._changes: list[int] = []
        """Of each row, how often a curve in it has changed, or which curves there are, or their styles."""
        self._inked: list[set[str]] = []
        """Of each row, the curves that have a dot in it."""
        self._cells: dict[int, tuple[int, list[str], list[str]]] = {}
        """Of rows, the curves in them as of so many changes: cells and styles."""
        self._rows: list[tuple[tuple[object, ...], list[GlyphRun]]] = []
        self.cells_drawn = 0
        """Cells that plotext was asked for, over all frames: what drawing costs."""

    def draw(
        self,
        curves: Mapping[str, list[Span | None]],
        width: int,
        height: int,
        *,
        over: Mapping[str, list[Span | None]] | None = None,
        changed: Collection[str] | None = None,
        until: float = inf,
    ) -> bool:
        """Take the curves as they are now: a span for each column of dots.

        Args:
            curves: the first one undermost.
            width: cells to the right.
            height: cells upwards.
            over: a few more, which lie on top, whatever is seen of those under them.
            changed: those of `curves` that are others than at the last time, where the rest are the same ones in the
                same order; None: all of them are looked at.
            until: how long this thread may compute (`time.thread_time`).

        Returns:
            Whether all is drawn; else the same is asked for again, with nothing changed, and goes on.
        """
        if self._size != (width, height):
            self._size, changed = (width, height), None
            self._spans.clear()
            self._text.clear()
            self._rows.clear()
            self._cells.clear()
            self._waiting.clear()
            self._cover = None
            self._changes = [0] * height
            self._inked = [set() for _ in range(height)]
        over = over or {}
        self._put_in_order(curves, over, changed)
        fresh: Mapping[str, list[Span | None]]
        if len(curves) > MANY:
            if self._cover is None:
                self._cover, changed = Cover(self.marks, lambda name: _kind(name) not in BANDS), None
            self._cover.put(curves, height, changed)
            if not self._cover.catch_up(until):
                return False
            fresh = {**self._cover.changed(), **over}
        else:
            self._cover = None
            fresh = {**{name: curves[name] for name in (curves if changed is None else changed)}, **over}
        self._waiting |= {name: curve for name, curve in fresh.items() if self._spans.get(name) is not curve}
        while self._waiting:
            some = dict(islice(self._waiting.items(), AT_A_TIME))
            for name in some:
                del self._waiting[name]
            self._draw(some, width, height)
            if self._waiting and time.thread_time() >= until:
                return False
        return True

    def _put_in_order(
        self, curves: Mapping[str, object], over: Mapping[str, object], changed: Collection[str] | None
    ) -> None:
        """Know which curve lies over which, and forget those that are no more."""
        if changed is None or [*over] != self._over:
            self._over = [*over]
            before, order = self._order, {name: place for place, name in enumerate((*curves, *over))}
            if [name for name in order if name in before] != [name for name in before if name in order]:
                self._changes = [count + 1 for count in self._changes]
            self._order = order
            for name in [name for name in self._spans if name not in order]:
                self._leave_out(name)
            for name in [name for name in self._waiting if name not in order]:
                del self._waiting[name]

    def _leave_out(self, name: str) -> None:
        width, height = self._size
        self._write(name, [" " * width] * height)
        del self._spans[name], self._text[name]

    def _draw(self, curves: Mapping[str, list[Span | None]], width: int, height: int) -> None:
        """Draw some curves where they changed; one without a span is none."""
        across = DOTS[self.marks][0]
        tiles: list[tuple[str, int, list[Span | None]]] = []
        for name, curve in curves.items():
            old = self._spans.get(name)
            if not curve:
                if old is not None:
                    self._leave_out(name)
                continue
            if old is None:
                self._text[name] = [" " * width] * height
                old = [None] * len(curve)
            if (differ := _changed(old, curve)) is not None:
                first, last = differ[0] // across, differ[1] // across + 1
                tiles.append((name, first, curve[first * across : last * across]))
            self._spans[name] = curve
        drawn = draw([tile for _, _, tile in tiles], height, self.marks)
        for (name, first, _), lines in zip(tiles, drawn, strict=True):
            if self.marks == "ascii":
                lines = [line.replace("*", PLAIN.get(_kind(name), "*")) for line in lines]
            elif _kind(name) in DOTTED:
                lines = [line.translate(_LEFT_HALVES) for line in lines]
            before = zip(self._text[name], lines, strict=True)
            self._write(name, [old[:first] + new + old[first + len(new) :] for old, new in before])
            self.cells_drawn += len(lines[0]) * height if lines else 0

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
        whose style is not their name, another object where they are others."""
        called = {} if styles is None else styles
        if called is not self._called:
            if any(called.get(name, name) != self._called.get(name, name) for name in self._spans):
                self._changes = [count + 1 for count in self._changes]
            self._called = called
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
        known = self._cells.get(row)
        if known is None or known[0] != self._changes[row]:
            known = self._cells[row] = self._changes[row], *self._inked_cells(row)
        if not known[1] and not under and not over:
            return [GlyphRun(" " * self._size[0])]
        cells, styles = [*known[1]] or [" "] * self._size[0], [*known[2]] or [""] * self._size[0]
        for glyph in under:
            if not known[1] or known[1][glyph.column] == " ":
                cells[glyph.column], styles[glyph.column] = glyph.text, glyph.style
        for glyph in over:
            cells[glyph.column], styles[glyph.column] = glyph.text, glyph.style
        return runs(cells, styles)

    def _inked_cells(self, row: int) -> tuple[list[str], list[str]]:
        """The cells of a row in which curves have dots, and their styles; none where no curve has any there."""
        width, called = self._size[0], self._called
        layers = [
            (name, called.get(name, name), self._text[name][row])
            for name in sorted(self._inked[row], key=self._order.__getitem__)
        ]
        if not layers:
            return [], []
        cells, styles = [" "] * width, [""] * width
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
        return cells, styles

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
