"""Which of many curves are seen is what one finds who lays one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_trainer.plotting.cover import AT_ONE_PLACE, Cover
from tui_trainer.plotting.curves import Span
from tui_trainer.plotting.figure import DOTS, Marks

COLUMNS = 6

Curves = dict[str, list[Span | None]]


def is_line(name: str) -> bool:
    return not name.startswith("band")


def seen_of(curves: Mapping[str, list[Span | None]], marks: Marks) -> Curves:
    """By hand, from the topmost curve on."""
    across, up = DOTS[marks]
    above: dict[tuple[int, int], list[str]] = {}
    shown: Curves = {}
    for name, curve in reversed(curves.items()):
        shown[name] = [None] * len(curve)
        mine: set[tuple[int, int]] = set()
        for column, span in enumerate(curve):
            if span is not None:
                cells = {(column // across, row) for row in range(span[0] // up, span[1] // up + 1)}
                mine |= cells
                if any(is_seen(name, above.get(cell, [])) for cell in cells):
                    shown[name][column] = span
        for cell in mine:
            above.setdefault(cell, []).append(name)
    return {name: curve for name, curve in shown.items() if any(curve)}


def is_seen(name: str, above: list[str]) -> bool:
    if not is_line(name):
        return not above
    # Lines count from the second place on, whatever lies on top.
    return len(above[:1]) + sum(map(is_line, above[1:])) < AT_ONE_PLACE


def curves_of(dots: int, across: int) -> st.SearchStrategy[Curves]:
    dot = st.integers(0, dots - 1)
    span = st.one_of(st.none(), st.tuples(dot, dot).map(lambda pair: (min(pair), max(pair))))
    curve = st.lists(span, min_size=COLUMNS * across, max_size=COLUMNS * across)
    names = st.sampled_from([f"{kind} {i}" for kind in ("band", "line") for i in range(6)])
    return st.dictionaries(names, curve, min_size=1)


@pytest.mark.parametrize(("marks", "rows"), [("braille", 3), ("blocks", 2), ("ascii", 70)])
@given(st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_seen_is_kept_up_as_curves_and_their_order_change(marks: Marks, rows: int, data: st.DataObject) -> None:
    across, up = DOTS[marks]
    cover, known = Cover(marks, is_line), Curves()
    for _ in range(3):
        curves = data.draw(curves_of(rows * up, across))
        cover.put(curves, rows)
        assert cover.catch_up(inf)
        known = {name: known.get(name, []) for name in curves} | cover.changed()
        assert {name: curve for name, curve in known.items() if curve} == seen_of(curves, marks)
        name = data.draw(st.sampled_from([*curves]))
        other = data.draw(curves_of(rows * up, across))
        curves[name] = next(iter(other.values()))
        cover.put(curves, rows, [name])
        while not cover.catch_up(0.0):
            pass
        known |= cover.changed()
        assert {name: curve for name, curve in known.items() if curve} == seen_of(curves, marks)


def test_only_the_columns_in_which_something_changed_are_looked_at() -> None:
    cover = Cover("braille", is_line)
    curves: Curves = {f"line {i}": [(i, i)] * 200 for i in range(40)}
    cover.put(curves, 12)
    assert not cover.catch_up(0.0)  # in several goes
    assert cover.catch_up(inf)
    cover.changed()
    curves["line 7"] = [*curves["line 7"][:-1], (3, 3)]
    cover.put(curves, 12, ["line 7"])
    assert cover.catch_up(0.0)
    assert [*cover.changed()][:1] == ["line 7"]
