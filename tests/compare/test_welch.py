"""Welch's test against closed forms and a worked example."""

from __future__ import annotations

from collections.abc import Sequence
from math import atan, pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_trainer.compare import verdict
from tui_trainer.compare.table import Figure
from tui_trainer.compare.verdict import regularized_beta, two_sided


def welch(a: Sequence[float], b: Sequence[float]) -> float | None:
    return verdict.welch(Figure.of(a), Figure.of(b))


@pytest.mark.parametrize("t", [0.0, 0.1, 1.0, 2.5, 40.0, -3.0])
def test_with_one_and_two_degrees_of_freedom_there_are_closed_forms(t: float) -> None:
    assert two_sided(t, 1) == pytest.approx(1 - 2 / pi * atan(abs(t)), abs=1e-12)
    assert two_sided(t, 2) == pytest.approx(1 - abs(t) / sqrt(2 + t * t), abs=1e-12)


@pytest.mark.parametrize(("freedom", "t"), [(5, 2.570582), (10, 2.228139), (30, 2.042272), (120, 1.979930)])
def test_printed_tables_of_students_t_at_five_percent(freedom: int, t: float) -> None:
    assert two_sided(t, freedom) == pytest.approx(0.05, abs=1e-6)


def test_a_worked_example() -> None:
    a = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4]
    b = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 31.3]
    p = welch(a, b)
    assert p == pytest.approx(0.0064604080, abs=1e-9)  # by integrating the density with Simpson's rule
    assert p == welch(b, a)


def test_samples_of_other_sizes_and_spreads() -> None:
    """By hand: the means differ by 2; the shares of the variance are 1/3 and 2/2; so t is -sqrt(3) with 2 freedoms."""
    t, freedom = -2 / sqrt(1 / 3 + 1), (1 / 3 + 1) ** 2 / ((1 / 3) ** 2 / 2 + 1**2 / 1)
    assert welch([1.0, 2.0, 3.0], [3.0, 5.0]) == pytest.approx(two_sided(t, freedom), rel=1e-12)
    assert welch([0.0, 2.0], [4.0, 6.0]) == pytest.approx(two_sided(-4 / sqrt(2), 2), rel=1e-12)
    flat = welch([1.0, 1.0], [2.0, 4.0])  # one of them without a spread
    assert flat == pytest.approx(two_sided(-2.0, 1), rel=1e-12)


def test_the_ends_of_the_beta_function() -> None:
    assert regularized_beta(0.0, 2.0, 3.0) == 0.0
    assert regularized_beta(1.0, 2.0, 3.0) == 1.0
    assert regularized_beta(0.3, 1.0, 1.0) == pytest.approx(0.3, abs=1e-15)
    assert regularized_beta(0.25, 2.0, 1.0) == pytest.approx(0.0625, abs=1e-15)  # x to the a
    assert regularized_beta(0.25, 1.0, 2.0) == pytest.approx(1 - 0.75**2, abs=1e-15)
    assert two_sided(0.0, 7.0) == 1.0
    assert two_sided(1e9, 7.0) == pytest.approx(0.0, abs=1e-12)


@given(st.floats(0.001, 0.999), st.floats(0.5, 200), st.floats(0.5, 200))
def test_the_beta_function_and_its_mirror_image_make_one(x: float, a: float, b: float) -> None:
    assert regularized_beta(x, a, b) + regularized_beta(1 - x, b, a) == pytest.approx(1, abs=1e-9)
    assert -1e-12 <= regularized_beta(x, a, b) <= 1 + 1e-12


def test_samples_without_spread_and_too_small_ones() -> None:
    assert welch([1.0], [2.0, 3.0]) is None
    assert welch([2.0, 3.0], [1.0]) is None
    assert welch([2.0, 3.0], [1.0, 2.0]) is not None
    assert welch([1.0, 1.0], [1.0, 1.0]) == 1.0
    assert welch([1.0, 1.0], [2.0, 2.0]) == 0.0
