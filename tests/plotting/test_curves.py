"""Curves against a brute-force drawing of every value."""

from __future__ import annotations

import random
from array import array
from math import inf, isfinite, nan

import plotext
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.plotting.dots import Dots, lit, of_spans
from tui_trainer.plotting.curves import BREAK, Columns, Extent, MinMaxTree, hatched, range_of, sampled, spans
from tui_trainer.plotting.figure import draw
from tui_trainer.plotting.scales import Scale, StepTimeline, edges, linear, logarithmic

ROWS, WIDTH = 6, 20
DOTS, COLUMNS = ROWS * 4, WIDTH * 2

LOSSES = st.lists(st.one_of(st.floats(2**-10, 4, width=32), st.just(nan)), min_size=1, max_size=400)


def caught_up(values: array[float]) -> MinMaxTree:
    pyramid = MinMaxTree(values)
    pyramid.catch_up()
    return pyramid


def decimated(values: array[float], first: int, last: int, scale: Scale) -> Dots:
    """What is drawn of the steps `first` to `last`, by the road that charts take."""
    found = edges(StepTimeline(), first, last, COLUMNS)
    (lines,) = draw([spans(Columns(caught_up(values)).over(found), scale, DOTS)], ROWS)
    return lit(lines)


def brute_force(values: array[float], first: int, last: int, scale: Scale) -> Dots:
    """Every value of those steps as a point of its own, however many: plotext's own scatter plot."""
    figure = plotext.figure
    figure.clear()
    plotext.terminal.limit(False, False)
    figure.plot_size(WIDTH, ROWS)
    figure.axes(False).legend(False).canvas("default")
    for axis, size in (("x", COLUMNS), ("y", DOTS)):
        figure.ruler(axis, "both").frequency(0).alignment(lim="edge")
        figure.ruler(axis).lim(0, size)
    points = [
        (
            int((step - first - 1e-9) / (last - first) * COLUMNS) + 0.5,
            min(int(scale.height(value) * DOTS + 1e-9), DOTS - 1) + 0.5,  # the top of the scale is of its last dot
        )
        for step, value in enumerate(values, start=1)
        if first < step <= last and isfinite(value)
    ]
    figure.draw(figure.signal([x for x, _ in points], [y for _, y in points], marker="braille"))
    return lit(figure.build().string(colorless=True).split("\n")[:ROWS])


def column(dots: Dots, x: int) -> list[int]:
    return sorted(dot for at, dot in dots if at == x)


@given(LOSSES, st.floats(0, 0.9), st.floats(0.05, 1), st.booleans())
@example([1.5, 0.75], 0.0, 1.0, False)
@settings(max_examples=60)
def test_minimum_and_maximum_of_every_column_survive(losses: list[float], start: float, part: float, log: bool) -> None:
    values = array("f", losses)
    first = int(start * len(values))
    last = min(len(values), first + max(1, int(part * len(values))))
    finite = [value for value in values if isfinite(value)] or [1.0]
    scale = (logarithmic if log else linear)(min(finite), max(finite), ROWS)
    ours, all_of_it = decimated(values, first, last, scale), brute_force(values, first, last, scale)
    for x in range(COLUMNS):
        truth = column(all_of_it, x)
        if truth:
            drawn = column(ours, x)
            assert drawn[0] <= truth[0]
            assert drawn[-1] >= truth[-1]
    hull = {x: column(all_of_it, x) for x in range(COLUMNS) if column(all_of_it, x)}
    for x, dot in ours:  # and nothing is drawn that no line between neighbours would
        before = max((at for at in hull if at < x), default=x)
        after = min((at for at in hull if at > x), default=x)
        around = [*hull.get(before, []), *hull.get(x, []), *hull.get(after, [])]
        assert min(around) <= dot <= max(around)


def test_a_spike_one_batch_wide_is_seen_at_every_zoom() -> None:
    noise = random.Random(0)
    values = array("f", (0.2 + 0.1 * noise.random() for _ in range(20_000)))
    spike = 13_337
    values[spike - 1] = 3.0
    scale = linear(0.0, 3.0, ROWS)
    top = int(scale.height(3.0) * DOTS)
    for span in (40, 41, 100, 999, 5_000, 13_400, 20_000):
        for first in {max(0, spike - span), max(0, spike - span // 3), spike - 1}:
            if first + span <= 20_000:
                drawn = decimated(values, first, first + span, scale)
                assert max(dot for _, dot in drawn) == top, (first, span)


def test_the_first_and_the_last_value_are_drawn() -> None:
    values = array("f", [3.0, *([1.0] * 5_000), 0.0])
    scale = linear(0.0, 3.0, ROWS)
    drawn = decimated(values, 0, len(values), scale)
    assert int(scale.height(3.0) * DOTS) in column(drawn, 0)
    assert int(scale.height(0.0) * DOTS) in column(drawn, COLUMNS - 1)


@given(
    st.lists(st.lists(st.floats(0, 4, width=32), max_size=30), max_size=20),
    st.lists(st.integers(1, 300), min_size=1, max_size=3),
    st.booleans(),
)
def test_columns_that_grew_are_those_read_at_once(
    batches: list[list[float]], spans_seen: list[int], held: bool
) -> None:
    values = array("f")
    pyramid = MinMaxTree(values)
    columns = Columns(pyramid, held)
    for i, batch in enumerate(batches):
        values.extend(batch)
        pyramid.catch_up()
        found = edges(StepTimeline(), 0, spans_seen[i % len(spans_seen)], 16)
        assert columns.over(found) == Columns(pyramid, held).over(found)


def test_settled_columns_are_not_read_again() -> None:
    class Watched(MinMaxTree):
        asked = 0

        def extent(self, start: int, stop: int) -> tuple[float, float] | None:
            self.asked += 1
            return super().extent(start, stop)

    values = array("f", range(1_000))
    pyramid = Watched(values)
    pyramid.catch_up()
    columns = Columns(pyramid)
    found = edges(StepTimeline(), 0, 2_000, 200)
    columns.over(found)
    pyramid.asked = 0
    values.extend([1.0] * 5)
    pyramid.catch_up()
    columns.over(found)
    assert pyramid.asked <= 2


def test_a_held_value_fills_its_step() -> None:
    columns = Columns(caught_up(array("d", [0.1, 0.05])), held=True)
    found = edges(StepTimeline(), 0, 4, 12)
    assert columns.over(found) == [(0.1, 0.1)] * 3 + [(0.05, 0.05)] * 3 + [None] * 6


def test_a_line_runs_over_empty_columns_but_not_through_what_is_not_finite() -> None:
    scale = Scale(0.0, 12.0)
    curve: list[Extent | None] = [(0.5, 0.5), None, None, (3.5, 3.5), BREAK, (8.5, 8.5), None, (8.5, 8.5)]
    assert spans(curve, scale, 12) == [(0, 0), (1, 1), (2, 2), (3, 3), None, (8, 8), (8, 8), (8, 8)]


def test_a_step_is_drawn_halfway_in_both_columns() -> None:
    assert spans([(0.5, 0.5), (9.5, 9.5)], Scale(0.0, 10.0), 10) == [(0, 4), (5, 9)]
    assert spans([(8.5, 9.5), (0.5, 0.5)], Scale(0.0, 10.0), 10) == [(5, 9), (0, 4)]


@given(st.lists(st.one_of(st.none(), st.floats(0, 10)), min_size=1, max_size=40))
def test_a_curve_without_breaks_is_one_connected_line(heights: list[float | None]) -> None:
    drawn = spans([None if y is None else (y, y) for y in heights], Scale(0.0, 10.0), 40)
    known = [i for i, height in enumerate(heights) if height is not None]
    if known:
        assert all(span is not None for span in drawn[known[0] : known[-1] + 1])
        for left, right in zip(drawn[known[0] :], drawn[known[0] + 1 : known[-1] + 1], strict=False):
            assert left is not None
            assert right is not None
            assert left[0] - 1 <= right[1]
            assert right[0] - 1 <= left[1]
        for i in known:
            assert heights[i] is not None
            assert (i, min(39, int(heights[i] / 10 * 40))) in of_spans(drawn)  # type: ignore[operator]


def test_on_a_logarithmic_scale_what_is_not_above_zero_is_not_drawn_as_if_it_were() -> None:
    scale = logarithmic(0.1, 10.0, ROWS)
    assert spans([(0.0, 0.0), (-2.0, -1.0)], scale, DOTS) == [None, None]
    below_to_one = spans([(0.0, 1.0)], scale, DOTS)
    assert below_to_one == [(0, int(scale.height(1.0) * DOTS))]


def test_a_smoothed_curve_ends_at_its_last_value() -> None:
    values = array("f", [4.0, 2.0, 2.0, 2.0, 1.0, 3.0])
    assert sampled(values, [0, 1, 4, 6, 8]) == [(4.0, 4.0), (2.0, 2.0), (3.0, 3.0), None]
    assert sampled(array("f", [nan, nan, 1.0]), [0, 2, 3])[1] == (1.0, 1.0)
    gap = sampled(array("f", [nan, nan, 1.0]), [0, 2, 3])[0]
    assert gap is not None
    assert not isfinite(gap[0])


def test_the_range_of_curves_leaves_out_what_is_not_finite() -> None:
    assert range_of([None, BREAK, (0.5, 2.0)], [(0.1, 0.1)]) == (0.1, 2.0)
    assert range_of([(0.0, 3.0), (-inf, 0.5)], above=0.0) == (0.5, 3.0)
    assert range_of([None], []) is None


def test_a_stroke_a_cell_stands_in_its_first_column() -> None:
    assert hatched([(0, 3), None], 4) == [(0, 3), None, None, None]
    assert hatched([(0, 3), None], 2) == [(0, 3), None]
