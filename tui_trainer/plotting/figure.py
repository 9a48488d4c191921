"""Where plotext draws, and the only place that knows it, its private names among them.

`tests/test_private_names.py` names each of those, so that a version of plotext without one fails there.

plotext has one figure for the whole process: draw in one thread. Coordinates are dots (a cell of braille is two dots
wide and four high), handed to plotext as the middles of dots in units of cells, so that each lands where it should.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any, Literal, TypeAlias

from tui_trainer.plotting.curves import Span

Marks: TypeAlias = Literal["braille", "blocks", "ascii"]
"""What curves are drawn with: braille dots; quarter blocks; or one plain character a cell."""

DOTS: dict[Marks, tuple[int, int]] = {"braille": (2, 4), "blocks": (2, 2), "ascii": (1, 1)}
"""Dots a cell, across and up."""

_Shape: TypeAlias = tuple[Span | None, ...]

_MARKERS: dict[Marks, str] = {"braille": "braille", "blocks": "hd", "ascii": "*"}


NARROW = 2
"""Cells: what has no more is drawn once in each shape. Between two frames a curve changes at its end, in a cell or two,
and plotext takes longer for a sheet of one cell than the rest of a chart."""

MOST_SHAPES = 4096

_shapes: dict[tuple[Marks, _Shape], list[str]] = {}
"""What narrow shapes look like."""


def draw(tiles: Sequence[Sequence[Span | None]], rows: int, marks: Marks = "braille") -> list[list[str]]:
    """The text of curves, each drawn apart: for each, `rows` lines, the topmost first.

    A tile is one curve, a span (or nothing) for each column of dots, `rows` cells high.
    """
    across, up = DOTS[marks]
    placed = [_on_the_ground(tile, up) for tile in tiles]
    new = list(dict.fromkeys(shape for _, shape in placed if (marks, shape) not in _shapes))
    looks = dict(zip(new, _draw_on_one_sheet(new, marks), strict=True))
    drawn: list[list[str]] = []
    for low, shape in placed:
        inked = looks[shape] if shape in looks else _shapes[marks, shape]
        blank = " " * -(-len(shape) // across)
        drawn.append([blank] * (rows - low - len(inked)) + inked + [blank] * low)
    for shape, inked in looks.items():
        if len(shape) <= NARROW * across:
            if len(_shapes) >= MOST_SHAPES:
                _shapes.clear()
            _shapes[marks, shape] = inked
    return drawn


def _on_the_ground(tile: Sequence[Span | None], up: int) -> tuple[int, _Shape]:
    """The lowest row of cells in which a tile has dots, and its spans as they were if that were the first."""
    low = min((span[0] for span in tile if span is not None), default=0) // up
    down = low * up
    return low, tuple(None if span is None else (span[0] - down, span[1] - down) for span in tile)


def _draw_on_one_sheet(shapes: Sequence[_Shape], marks: Marks) -> list[list[str]]:
    """The lines of each, from the topmost in which it has dots. All are drawn one under the other, since what plotext
    does once a sheet costs more than a curve; and of each only the rows in which it has dots, since plotext's cost is
    that of the sheet's cells.
    """
    across, up = DOTS[marks]
    width = max((-(-len(shape) // across) for shape in shapes), default=0)
    if not width:
        return [[] for _ in shapes]
    xs: list[float] = []
    ys: list[float] = []
    lines: list[int] = []
    floors = [0]
    for shape in shapes:
        floor = floors[-1]
        floors.append(floor + max((span[1] // up + 1 for span in shape if span is not None), default=0))
        for left, bottom, right, top in _strokes(shape):
            xs.append((left + 0.5) / across)
            ys.append(floor + (bottom + 0.5) / up)
            if right > left or top > bottom:
                lines.append(len(xs))
                xs.append((right + 0.5) / across)
                ys.append(floor + (top + 0.5) / up)
    height = floors[-1]
    sheet = _sheet(xs, ys, lines, width, height, _MARKERS[marks]) if height else []
    return [
        [line[: -(-len(shape) // across)] for line in sheet[height - ceiling : height - floor]]
        for shape, floor, ceiling in zip(shapes, floors[:-1], floors[1:], strict=True)
    ]


def _strokes(tile: Sequence[Span | None]) -> list[tuple[int, int, int, int]]:
    """The spans as strokes (left, bottom, right, top), with level dots side by side in one."""
    strokes: list[tuple[int, int, int, int]] = []
    begun = -1
    for i, span in enumerate(tile):
        if begun >= 0 and span != tile[begun]:
            level = tile[begun]
            assert level is not None
            strokes.append((begun, level[0], i - 1, level[1]))
            begun = -1
        if span is None:
            continue
        if span[0] < span[1]:
            strokes.append((i, span[0], i, span[1]))
        elif begun < 0:
            begun = i
    if begun >= 0 and (level := tile[begun]) is not None:
        strokes.append((begun, level[0], len(tile) - 1, level[1]))
    return strokes


def _sheet(xs: list[float], ys: list[float], lines: list[int], width: int, height: int, marker: str) -> list[str]:
    """A bare canvas with points, those numbered in `lines` joined to the one before them."""
    figure = _cleared(width, height)
    if xs:
        signal = _signal(figure, xs, ys, marker)
        connect = signal._set_connected
        for i in lines:
            connect(i)
        figure.draw(signal)
    text: str = figure.build().string(colorless=True)
    return [line.ljust(width) for line in text.split("\n")[:height]]


def _signal(figure: Any, xs: list[float], ys: list[float], marker: str) -> Any:
    """A signal as `figure.signal(xs, ys)` makes it, by plotext's private names.

    The public way copies a marker for each point, and draws three to four times as long: see `bench_charts`.
    """
    one = figure.signal([0.0], [0.0], marker=marker)
    dot = one.get(0).marker()
    signal = type(one)(len(xs))._set_xside(one._get_xside())._set_yside(one._get_yside())
    # Drawing asks a signal for all its colours, point by point, to leave them out of later ones.
    signal._get_unique_pixels = list
    append = signal._append_point
    for x, y in zip(xs, ys, strict=True):
        append(x, y, dot)
    return signal


def _cleared(width: int, height: int) -> Any:
    """plotext's figure with nothing drawn on it, without frame, ticks or colours, its edges at 0 and its size."""
    figure = _bare_figure()
    figure.clear.data()
    figure.plot_size(width, height)
    figure.ruler("x").lim(0, width)
    figure.ruler("y").lim(0, height)
    return figure


@contextmanager
def _undocumented() -> Iterator[None]:
    """Import plotext without the text of its documentation, which it puts together as it is imported: that takes longer
    than all else of it, and the first frame waits for it. A version that has it elsewhere is imported as it is."""
    name = "plotext._doc.doc"
    if name in sys.modules:
        yield
        return
    stand_in = ModuleType(name)
    stand_in.docs = None  # type: ignore[attr-defined]
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        del sys.modules[name]


@cache
def _bare_figure() -> Any:
    with _undocumented():
        import plotext  # not before something is drawn

    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.axes(False).legend(False).canvas("default")
    for axis in ("x", "y"):
        figure.ruler(axis, "both").frequency(0).alignment(lim="edge")
    return figure
