from __future__ import annotations

from functools import reduce
from operator import or_

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plotting.dots import lit, of_spans
from tui_trainer.plotting.canvas import MANY, Canvas, Glyph, GlyphRun
from tui_trainer.plotting.cover import AT_ONE_PLACE
from tui_trainer.plotting.curves import Span
from tui_trainer.plotting.figure import DOTS, Marks

WIDTH, HEIGHT = 12, 3
DOT = st.integers(0, HEIGHT * 4 - 1)
SPAN = st.one_of(st.none(), st.tuples(DOT, DOT).map(lambda pair: (min(pair), max(pair))))
CURVE = st.lists(SPAN, min_size=WIDTH * 2, max_size=WIDTH * 2)
FRAME = st.dictionaries(st.sampled_from(["raw", "smooth", "planned"]), CURVE)


def text(rows: list[list[GlyphRun]]) -> list[str]:
    return ["".join(run.text for run in row) for row in rows]


@given(st.lists(FRAME, min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_what_is_drawn_bit_by_bit_is_what_is_drawn_at_once(frames: list[dict[str, list[Span | None]]]) -> None:
    canvas = Canvas()
    for curves in frames:
        canvas.draw(curves, WIDTH, HEIGHT)
        fresh = Canvas()
        fresh.draw(curves, WIDTH, HEIGHT)
        assert canvas.rows() == fresh.rows()


def test_only_what_changed_is_drawn_again() -> None:
    curve: list[Span | None] = [(1, 1)] * 20 + [None] * 4
    canvas = Canvas()
    canvas.draw({"smooth": curve}, WIDTH, HEIGHT)
    drawn = canvas.cells_drawn
    canvas.draw({"smooth": list(curve)}, WIDTH, HEIGHT)
    assert canvas.cells_drawn == drawn
    canvas.draw({"smooth": [*curve[:20], (2, 2), *curve[21:]]}, WIDTH, HEIGHT)
    assert canvas.cells_drawn == drawn + HEIGHT


def test_a_cell_belongs_to_the_uppermost_curve_that_has_a_dot_in_it() -> None:
    canvas = Canvas()
    band: list[Span | None] = [(0, 11)] * 24
    line: list[Span | None] = [(5, 5)] * 12 + [None] * 12
    canvas.draw({"raw": band, "smooth": line}, WIDTH, HEIGHT)
    middle = canvas.rows()[1]
    assert [run.style for run in middle] == ["smooth", "raw"]
    assert lit([middle[0].text]) == of_spans([(1, 1)] * 12)
    canvas.draw({"smooth": line, "raw": band}, WIDTH, HEIGHT)
    assert [run.style for run in canvas.rows()[1]] == ["raw"]


def test_glyphs_lie_under_or_over_the_curves() -> None:
    canvas = Canvas()
    canvas.draw({"smooth": [(0, 0)] * 24}, WIDTH, HEIGHT)
    under = [Glyph(row, 3, "│", "cursor") for row in range(HEIGHT)]
    rows = canvas.rows(under, [Glyph(2, 5, "◆", "val"), Glyph(9, 99, "◆", "val")])
    assert [row[1] for row in rows[:2]] == [GlyphRun("│", "cursor")] * 2
    assert [run.style for run in rows[2]] == ["smooth", "val", "smooth"]


def test_a_plan_is_told_from_what_was_used_without_colour() -> None:
    for marks in ("braille", "blocks", "ascii"):
        canvas = Canvas(marks)
        columns = WIDTH if marks == "ascii" else WIDTH * 2
        flat: list[Span | None] = [(0, 0)] * columns
        canvas.draw({"planned": flat}, WIDTH, HEIGHT)
        planned = text(canvas.rows())
        canvas.draw({"actual": flat}, WIDTH, HEIGHT)
        assert planned[-1].strip() != text(canvas.rows())[-1].strip()
        assert len(planned[-1].strip()) == WIDTH


def test_another_size_starts_anew() -> None:
    canvas = Canvas()
    canvas.draw({"smooth": [(0, 0)] * 24}, WIDTH, HEIGHT)
    canvas.draw({"smooth": [(0, 0)] * 8}, 4, 5)
    rows = text(canvas.rows())
    assert [len(row) for row in rows] == [4] * 5
    assert rows[4].strip()


def test_curves_that_share_cells_take_turns_so_that_each_is_seen() -> None:
    level: list[Span | None] = [(5, 5)] * 24
    for names in (("smooth", "val"), ("line a", "line b", "line c")):
        for marks in ("braille", "blocks", "ascii"):
            canvas = Canvas(marks)
            across, up = DOTS[marks]
            curve: list[Span | None] = [(up, up)] * (WIDTH * across)
            canvas.draw(dict.fromkeys(names, curve), WIDTH, HEIGHT)
            runs = canvas.rows()[1]
            assert {run.style for run in runs} == set(names)
            assert sum(len(run.text) for run in runs) == WIDTH
            assert max(len(run.text) for run in runs) == 2  # dashes
    alone = Canvas()
    alone.draw({"line a": level}, WIDTH, HEIGHT)
    both = Canvas()
    both.draw({"line a": level, "line b": level}, WIDTH, HEIGHT)
    assert text(both.rows()) == text(alone.rows())


@pytest.mark.parametrize("marks", ["braille", "blocks"])
def test_where_two_curves_cross_both_keep_their_dots(marks: Marks) -> None:
    across, up = DOTS[marks]
    columns, dots = WIDTH * across, HEIGHT * up
    rising: list[Span | None] = [(i * dots // columns,) * 2 for i in range(columns)]
    falling: list[Span | None] = [(dots - 1 - i * dots // columns,) * 2 for i in range(columns)]
    canvas = Canvas(marks)
    canvas.draw({"smooth": rising, "val": falling}, WIDTH, HEIGHT)
    assert lit(text(canvas.rows()), marks) == of_spans(rising) | of_spans(falling)


@given(st.integers(-3, 3), st.integers(2, 3))
def test_on_any_slope_each_of_those_that_coincide_is_seen(slope: int, count: int) -> None:
    wide, high = 24, 40
    curve: list[Span | None] = [
        (max(0, min(high * 4 - 1, high * 2 + slope * (i - wide))),) * 2 for i in range(wide * 2)
    ]
    canvas = Canvas()
    names = [f"line {i}" for i in range(count)]
    canvas.draw(dict.fromkeys(names, curve), wide, high)
    seen = [run.style for row in canvas.rows() for run in row for _ in run.text.strip()]
    assert all(seen.count(name) >= len(seen) / (count * 2.5) for name in names)


def test_a_band_takes_no_turns_with_the_lines_over_it() -> None:
    level: list[Span | None] = [(5, 5)] * 24
    for band in ("raw", "band a"):
        canvas = Canvas()
        canvas.draw({band: level, "line a": level}, WIDTH, HEIGHT)
        assert [run.style for run in canvas.rows()[1]] == ["line a"]


@pytest.mark.slow
@given(st.lists(CURVE, min_size=MANY + 1, max_size=MANY + 4))
@settings(max_examples=40, deadline=None)
def test_what_lies_under_other_curves_is_left_out_and_nobody_sees_it(curves: list[list[Span | None]]) -> None:
    named = {f"curve {i}": curve for i, curve in enumerate(curves)}
    canvas = Canvas()
    canvas.draw(named, WIDTH, HEIGHT)
    alone = {name: Canvas() for name in named}
    for name, curve in named.items():
        alone[name].draw({name: curve}, WIDTH, HEIGHT)
    for row in range(HEIGHT):
        cells: list[list[tuple[int, str]]] = [[] for _ in range(WIDTH)]
        for name in named:
            at = 0
            for run in alone[name].rows()[row]:
                for i, character in enumerate(run.text):
                    if character != " ":
                        cells[at + i].append((ord(character), name))
                at += len(run.text)
        seen = [(ord(c) if c != " " else 0, run.style) for run in canvas.rows()[row] for c in run.text]
        for (shown, style), there in zip(seen, cells, strict=True):
            upper = there[-AT_ONE_PLACE:]
            assert style in ([name for _, name in upper] or [""])
            for code, _ in upper:  # the dots of the upper ones are all there
                assert shown | code == shown
            assert shown == shown & reduce(or_, (code for code, _ in there), 0)


def test_a_curve_wholly_under_others_costs_nothing() -> None:
    hidden: list[Span | None] = [(0, 0)] * 24
    drawn = Canvas()
    drawn.draw({f"curve {i}": hidden for i in range(MANY + 4)}, WIDTH, HEIGHT)
    assert drawn.cells_drawn == WIDTH * HEIGHT * AT_ONE_PLACE
