from __future__ import annotations

from math import inf, log10

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tui_trainer.plotting.scales import Scale, along, linear, logarithmic

FINITE = st.floats(-1e30, 1e30, allow_nan=False)
POSITIVE = st.floats(1e-12, 1e30)
ROWS = st.integers(1, 60)


def last_digit(label: str) -> float:
    """What one more in the last digit of a label would add."""
    mantissa, _, exponent = label.partition("e")
    return float(10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2])))


def middle(scale: Scale, row: int, rows: int) -> float:
    """The value in the middle of a row."""
    return scale.low + (row + 0.5) / rows * (scale.high - scale.low)


@given(FINITE, FINITE, ROWS)
def test_a_linear_scale_holds_its_values_and_ticks_tell_the_truth(one: float, other: float, rows: int) -> None:
    low, high = sorted((one, other))
    assume(high - low > 1e-3 * max(abs(low), abs(high)) or low == high)
    scale = linear(low, high, rows)
    assert -1e-6 <= scale.height(low) <= scale.height(high) <= 1 + 1e-6
    assert scale.ticks
    assert all(0 <= tick.at < rows and 0 < len(tick.label) <= 7 for tick in scale.ticks)
    if rows >= 2:
        a_row = (scale.high - scale.low) / rows
        for tick in scale.ticks:
            rounded = max(a_row / 2, last_digit(tick.label) * 0.501)
            assert float(tick.label) == pytest.approx(middle(scale, tick.at, rows), abs=rounded)


@given(st.floats(0.01, 100), st.integers(8, 40))
def test_a_loss_scale_begins_at_zero_and_fills_most_of_the_chart(highest: float, rows: int) -> None:
    scale = linear(highest * 0.05, highest, rows)
    assert scale.ticks[0].label == "0"
    assert scale.ticks[0].at == 0
    assert len(scale.ticks) >= 3
    assert scale.height(highest) >= 0.6


@given(POSITIVE, POSITIVE, ROWS)
def test_a_logarithmic_scale_holds_its_values_and_ticks_tell_the_truth(one: float, other: float, rows: int) -> None:
    low, high = sorted((one, other))
    scale = logarithmic(low, high, rows)
    assert 0 <= scale.height(low) <= scale.height(high) <= 1
    assert scale.ticks
    for tick in scale.ticks:
        assert 0 <= tick.at < rows
        assert len(tick.label) <= 6
        edge, over = (scale.low + (tick.at + end) / rows * (scale.high - scale.low) for end in (0, 1))
        rounding = 0.03 if len(scale.ticks) == 1 else 1e-9
        assert edge - rounding <= log10(float(tick.label)) <= over + rounding


def test_a_logarithmic_scale_has_no_place_for_zero_or_less() -> None:
    scale = logarithmic(0.01, 1.0, 10)
    assert scale.height(0.0) == -inf
    assert scale.height(-3.0) == -inf
    with pytest.raises(ValueError, match="above zero"):
        logarithmic(0.0, 1.0, 10)


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.02, 2.3, ["0", "0.5", "1.0", "1.5", "2.0", "2.5"]),
        (0.03, 3.7, ["0", "2", "4"]),
        (0.0, 0.1, ["0", "0.02", "0.04", "0.06", "0.08", "0.10"]),
        (0.0, 0.001, ["0", "0.0002", "0.0004", "0.0006", "0.0008", "0.0010"]),
        (0.88, 1.0, ["0.875", "0.900", "0.925", "0.950", "0.975", "1.000"]),
        (0.0, 4e-7, ["0", "2e-7", "4e-7"]),
        (0.0, 3.2e30, ["0", "1e30", "2e30", "3e30"]),
    ],
)
def test_labels_have_the_digits_that_tell_them_apart(low: float, high: float, labels: list[str]) -> None:
    assert [tick.label for tick in linear(low, high, 11).ticks] == labels


def test_powers_of_ten_are_labelled_where_there_is_room_for_no_more() -> None:
    assert [tick.label for tick in logarithmic(1e-7, 1e30, 16).ticks] == [
        "1e-5",
        "1",
        "1e5",
        "1e10",
        "1e15",
        "1e20",
        "1e25",
        "1e30",
    ]
    assert [tick.label for tick in logarithmic(0.03, 2.3, 16).ticks] == ["0.05", "0.1", "0.2", "0.5", "1", "2"]


@given(st.floats(0, 1e6), st.floats(1e-3, 1e6), st.integers(10, 250))
def test_places_along_an_axis_lie_on_it_and_do_not_collide(first: float, span: float, width: int) -> None:
    places = along(first, first + span, width, labels=5, whole=False)
    assert places == sorted(places)
    assert len(places) <= width // 7 + 1
    for place, label in places:
        assert first - 1e-6 * (1 + span) <= place <= first + span * (1 + 1e-6)
        assert len(label) <= 7


def test_long_counts_are_said_in_thousands_or_millions() -> None:
    assert [label for _, label in along(0, 1_000_000, 60, labels=4)][:4] == ["0", "100k", "200k", "300k"]
    assert [label for _, label in along(1_000_000, 2_000_000, 30, labels=4)] == [
        "1M",
        "1.2M",
        "1.4M",
        "1.6M",
        "1.8M",
        "2M",
    ]


def test_whole_places_are_whole() -> None:
    assert along(0, 10, 90, labels=4) == [(float(i), str(i)) for i in range(11)]
    assert along(0, 3, 200, labels=4) == [(0.0, "0"), (1.0, "1"), (2.0, "2"), (3.0, "3")]
    assert along(5, 5, 80) == []
