from __future__ import annotations

import subprocess
import sys

import plotext
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plotting.dots import lit, of_spans
from tests.waiting import PATIENCE_S
from tui_trainer.plotting import figure
from tui_trainer.plotting.curves import Span
from tui_trainer.plotting.figure import DOTS, Marks, draw

MARKS: st.SearchStrategy[Marks] = st.sampled_from(["braille", "blocks", "ascii"])


@st.composite
def sheets(draw_: st.DrawFn) -> tuple[Marks, int, list[list[Span | None]]]:
    """Some tiles of one height."""
    marks, rows = draw_(MARKS), draw_(st.integers(1, 6))
    dot = st.integers(0, rows * DOTS[marks][1] - 1)
    span = st.one_of(st.none(), dot.map(lambda y: (y, y)), st.tuples(dot, dot).map(lambda pair: (min(pair), max(pair))))
    return marks, rows, draw_(st.lists(st.lists(span, max_size=24), max_size=4))


@given(sheets())
@settings(max_examples=60)
def test_the_dots_that_are_lit_are_those_asked_for(sheet: tuple[Marks, int, list[list[Span | None]]]) -> None:
    marks, rows, tiles = sheet
    drawn = draw(tiles, rows, marks)
    assert len(drawn) == len(tiles)
    for tile, lines in zip(tiles, drawn, strict=True):
        assert len(lines) == rows
        assert {len(line) for line in lines} == {-(-len(tile) // DOTS[marks][0])}
        assert lit(lines, marks) == of_spans(tile)


@given(sheets(), st.integers(0, 20))
@settings(max_examples=40)
def test_a_shape_looks_the_same_wherever_it_stands(sheet: tuple[Marks, int, list[list[Span | None]]], up: int) -> None:
    marks, rows, tiles = sheet
    dots = up * DOTS[marks][1]
    higher = [[None if span is None else (span[0] + dots, span[1] + dots) for span in tile] for tile in tiles]
    for low, high in zip(draw(tiles, rows, marks), draw(higher, rows + up, marks), strict=True):
        assert high == low + [" " * len(low[0])] * up


def test_narrow_shapes_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sheets_made: list[int] = []
    make = figure._sheet
    monkeypatch.setattr(figure, "_sheet", lambda *args: sheets_made.append(1) or make(*args))
    for at in range(3, 60):
        draw([[(at, at + 70)] * 2, [(at, at + 71)]], 40)
    assert 1 <= len(sheets_made) <= 4  # they stand on four heights within a cell


def test_a_sheet_may_be_wider_than_the_terminal() -> None:
    tile: list[Span | None] = [(i % 8, i % 8) for i in range(500)]
    (lines,) = draw([tile], 2)
    assert len(lines[0]) == 250
    assert lit(lines) == of_spans(tile)


def test_what_was_drawn_before_is_gone() -> None:
    before = draw([[(0, 3)] * 20], 1)
    plotext.figure.draw(plotext.figure.signal([1, 2, 3], [1, 2, 3]))
    assert draw([[None] * 20], 1) == [[" " * 10]]
    assert draw([[(0, 3)] * 20], 1) == before


def test_frames_leave_nothing_behind() -> None:
    tile: list[Span | None] = [(0, 3)] * 40
    draw([tile], 1)
    signals = len(plotext.figure._signals._signal)
    for _ in range(50):
        draw([tile], 1)
    assert len(plotext.figure._signals._signal) == signals


def test_plotext_is_not_imported_before_something_is_drawn() -> None:
    code = (
        "import sys, tui_trainer.plotting.canvas, tui_trainer.plotting.smoothing, tui_trainer.plotting.scales\n"
        "print([name for name in ('plotext', 'numpy', 'torch', 'textual') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


WITHOUT_DOCUMENTATION = """
import sys
from tui_trainer.plotting.figure import draw
assert draw([[(0, 3)] * 4], 1) == [["⣿⣿"]]
print(sorted(name for name in sys.modules if name.startswith("plotext._doc.")))
"""


def test_the_documentation_of_plotext_is_not_put_together() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DOCUMENTATION], capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
