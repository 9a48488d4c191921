from __future__ import annotations

from array import array
from math import inf, isfinite, nan
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tui_trainer.plotting.curves import FAN, MinMaxTree

VALUES = st.one_of(st.floats(width=32), st.sampled_from([nan, inf, -inf, 0.0]), st.floats(0, 3, width=32))


class Counted(array):  # type: ignore[type-arg]
    """Counts the values that are read from it."""

    read = 0

    def __getitem__(self, key: Any) -> Any:
        taken = super().__getitem__(key)
        self.read += len(taken) if isinstance(key, slice) else 1
        return taken


def by_hand(values: array[float], start: int, stop: int) -> tuple[float, float] | None:
    finite = [value for value in values[max(0, start) : max(0, stop)] if isfinite(value)]
    return (min(finite), max(finite)) if finite else None


@given(
    st.lists(st.lists(VALUES, max_size=3 * FAN), max_size=30),
    st.lists(st.tuples(st.integers(-5, 900), st.integers(-5, 900)), min_size=1, max_size=20),
)
def test_extents_and_gaps_are_those_of_the_values(batches: list[list[float]], ranges: list[tuple[int, int]]) -> None:
    values = array("f")
    pyramid = MinMaxTree(values)
    for batch in batches:
        values.extend(batch)
        pyramid.catch_up()
    assert len(pyramid) == len(values)
    for start, stop in [*ranges, (0, len(values))]:
        assert pyramid.extent(start, stop) == by_hand(values, start, stop)
        assert pyramid.gaps(max(0, start), stop) == sum(
            not isfinite(value) for value in values[max(0, start) : max(0, stop)]
        )


def test_a_spike_one_value_wide_is_seen_in_every_stretch_that_holds_it() -> None:
    values = array("d", [0.5]) * 10_000
    values[7_321] = 9.0
    pyramid = MinMaxTree(values)
    pyramid.catch_up()
    for width in (1, 2, 17, 100, 255, 256, 257, 4_096, 10_000):
        for start in range(max(0, 7_322 - width), min(7_322, 10_000 - width + 1), max(1, width // 40)):
            assert pyramid.extent(start, start + width) == (9.0 if width == 1 else 0.5, 9.0)


def test_what_was_not_caught_up_with_is_not_there_yet() -> None:
    values = array("f", [1.0, 2.0])
    pyramid = MinMaxTree(values)
    assert pyramid.extent(0, 2) is None
    pyramid.catch_up()
    values.append(3.0)
    assert pyramid.extent(0, 3) == (1.0, 2.0)


def test_a_long_series_is_read_over_several_calls() -> None:
    values = array("f", range(1_000))
    pyramid = MinMaxTree(values)
    assert not pyramid.catch_up(at_most=600)
    assert pyramid.extent(0, 1_000) == (0.0, 599.0)
    assert pyramid.catch_up(at_most=600)
    assert pyramid.extent(0, 1_000) == (0.0, 999.0)


def test_only_what_is_new_is_read() -> None:
    values = Counted("f", range(100_000))
    pyramid = MinMaxTree(values)
    pyramid.catch_up()
    values.read = 0
    for _ in range(100):
        values.extend([1.0] * 7)
        pyramid.catch_up()
    assert values.read < 700 * 4


def test_a_stretch_is_read_in_few_pieces_however_long_it_is() -> None:
    values = Counted("f", range(1_000_000))
    pyramid = MinMaxTree(values)
    pyramid.catch_up()
    values.read = 0
    assert pyramid.extent(3, 999_990) == (3.0, 999_989.0)
    assert values.read <= 4 * FAN  # of the values themselves; each level above adds as few of its own


def test_a_series_of_nothing_finite_has_no_extent() -> None:
    values = array("f", [nan] * 1_000)
    pyramid = MinMaxTree(values)
    pyramid.catch_up()
    assert pyramid.extent(0, 1_000) is None
    assert pyramid.gaps(0, 1_000) == 1_000
    assert pyramid.gaps(10, 20) == 10
