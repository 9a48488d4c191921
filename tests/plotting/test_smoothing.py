from __future__ import annotations

from array import array
from math import isfinite, isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_trainer.plotting.smoothing import WINDOWS, Smoothing

LOSSES = st.lists(st.one_of(st.floats(0, 100, width=32), st.just(nan)), max_size=60)


def by_hand(values: list[float], window: int) -> list[float]:
    """The weighted mean of all values so far, each one weighing less by `1 - 1 / window` than the one after it."""
    smoothed = []
    for end in range(1, len(values) + 1):
        finite = [value for value in values[:end] if isfinite(value)]
        weights = [(1 - 1 / window) ** (len(finite) - 1 - i) for i in range(len(finite))]
        if isnan(values[end - 1]):
            smoothed.append(nan)
        else:
            smoothed.append(sum(w * v for w, v in zip(weights, finite, strict=True)) / sum(weights))
    return smoothed


@given(LOSSES, st.sampled_from(WINDOWS), st.integers(1, 9))
def test_it_is_the_debiased_weighted_mean_however_the_values_come(
    losses: list[float], window: int, at_once: int
) -> None:
    values = array("f")
    smoothing = Smoothing(values, window)
    for start in range(0, len(losses), at_once):
        values.extend(losses[start : start + at_once])
        assert smoothing.catch_up()
    assert list(smoothing.values) == pytest.approx(by_hand(list(values), window), rel=1e-4, abs=1e-5, nan_ok=True)


def test_a_window_of_one_smooths_nothing() -> None:
    values = array("f", [3.0, 1.0, 4.0, 1.5])
    smoothing = Smoothing(values, 1)
    smoothing.catch_up()
    assert smoothing.values == values


def test_the_first_value_is_not_pulled_towards_zero() -> None:
    smoothing = Smoothing(array("f", [2.3, 2.3, 2.3]), 1_000)
    smoothing.catch_up()
    assert list(smoothing.values) == pytest.approx([2.3] * 3)


def test_another_window_smooths_all_of_it_again() -> None:
    values = array("f", range(50))
    smoothing, fresh = Smoothing(values, 5), Smoothing(values, 50)
    smoothing.catch_up()
    smoothing.window = 50
    smoothing.catch_up()
    fresh.catch_up()
    assert smoothing.values == fresh.values


def test_a_long_series_is_read_over_several_calls() -> None:
    smoothing = Smoothing(array("f", range(25)), 5)
    assert not smoothing.catch_up(at_most=10)
    assert len(smoothing.values) == 10
    assert not smoothing.catch_up(at_most=10)
    assert smoothing.catch_up(at_most=10)


def test_a_window_holds_at_least_one_value() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Smoothing(array("f")).window = 0
