from __future__ import annotations

import itertools
from math import floor, inf, log10

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tui_trainer.plotting.scales import Scale, along, linear, logarithmic, over_time

FINITE = st.floats(-1e30, 1e30, allow_nan=False)
POSITIVE = st.floats(1e-12, 1e30)
ROWS = st.integers(1, 60)


def number(label: str) -> float:
    """What a label says."""
    return float(label.replace("k", "e3").replace("M", "e6").replace("G", "e9"))


def last_digit(label: str) -> float:
    """What one more in the last digit of a label would add."""
    label = label.replace("k", "e3").replace("M", "e6").replace("G", "e9")
    mantissa, _, exponent = label.partition("e")
    return float(10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2])))


def is_round(step: float) -> bool:
    """Whether it is 1, 2 or 5 times a power of ten."""
    mantissa = step / 10.0 ** floor(log10(step) + 1e-9)
    return any(mantissa == pytest.approx(digit, rel=1e-6) for digit in (1, 2, 5))


def steps_between(labels: list[str]) -> list[float]:
    """How far ticks are apart."""
    return [number(after) - number(before) for before, after in itertools.pairwise(labels)]


def middle(scale: Scale, row: int, rows: int) -> float:
    """The value in the middle of a row."""
    return scale.low + (row + 0.5) / rows * (scale.high - scale.low)


@example(0.0, -1.9016090218479327e-16, 10)
@given(FINITE, FINITE, ROWS)
def test_a_linear_scale_holds_its_values_and_ticks_tell_the_truth(one: float, other: float, rows: int) -> None:
    low, high = sorted((one, other))
    assume(high - low > 1e-3 * max(abs(low), abs(high)) or low == high)
    scale = linear(low, high, rows)
    assert -1e-6 <= scale.height(low) <= scale.height(high) <= 1 + 1e-6
    assert scale.ticks
    assert all(0 <= tick.at < rows and len(tick.label) <= 7 for tick in scale.ticks)
    assert scale.ticks[0].label  # one that would read the same has none
    if rows >= 2:
        a_row = (scale.high - scale.low) / rows
        for tick in scale.ticks:
            if not tick.label or "…" in tick.label:
                continue  # the last digits alone, of which see below
            rounded = max(a_row / 2, last_digit(tick.label) * 0.501)
            assert number(tick.label) == pytest.approx(middle(scale, tick.at, rows), abs=rounded)


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


@given(st.floats(5e-324, 1e300), st.floats(5e-324, 1e300), st.integers(0, 12), st.integers(3, 6))
@example(1e-66, 0.05, 3, 6)  # an LR that was stepped after every batch
@example(1e-10, 0.001, 3, 4)
def test_any_values_above_zero_have_a_logarithmic_scale(one: float, other: float, rows: int, width: int) -> None:
    scale = logarithmic(min(one, other), max(one, other), rows, width)
    assert all(0 <= tick.at < rows for tick in scale.ticks)


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300), st.integers(0, 12), st.integers(3, 6))
def test_any_values_have_a_linear_scale(one: float, other: float, rows: int, width: int) -> None:
    scale = linear(min(one, other), max(one, other), rows, width)
    assert all(0 <= tick.at < rows for tick in scale.ticks)


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
        (0.88, 1.0, ["0.85", "0.90", "0.95", "1.00"]),
        (0.0, 4e-7, ["0", "2e-7", "4e-7"]),
        (0.0, 5e5, ["0", "100000", "200000", "300000", "400000", "500000"]),
        (0.0, 1e6, ["0", "200k", "400k", "600k", "800k", "1M"]),
        (0.0, 2.3e6, ["0", "500k", "1M", "1.5M", "2M", "2.5M"]),
        (1.2e7, 1.3e7, ["12M", "12.2M", "12.4M", "12.6M", "12.8M", "13M"]),
        (-3e6, 2e6, ["-3M", "-2M", "-1M", "0", "1M", "2M"]),
        (0.0, 3e9, ["0", "1G", "2G", "3G"]),
        (0.0, 5e15, ["0", "1e15", "2e15", "3e15", "4e15", "5e15"]),
        (0.0, 3.2e30, ["0", "1e30", "2e30", "3e30"]),
    ],
)
def test_labels_have_the_digits_that_tell_them_apart(low: float, high: float, labels: list[str]) -> None:
    assert [tick.label for tick in linear(low, high, 11).ticks] == labels


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (123_456.1, 123_456.2, ["…56.10", "…56.12", "…56.14", "…56.16", "…56.18", "…56.20"]),
        (1e6, 1e6 + 10, ["…00000", "…00002", "…00004", "…00006", "…00008", "…00010"]),
        (-1e6 - 5, -1e6, ["-…0005", "-…0004", "-…0003", "-…0002", "-…0001", "-…0000"]),
        (0.99998, 1.00002, ["…99998", "…00000", "…00002"]),
        (1.5e6, 1.503e6, ["1.5M", "1.501M", "1.502M", "1.503M"]),
        (1e15, 1e15 + 4e8, ["1e15", "", ""]),
    ],
)
def test_labels_that_lose_digits_keep_those_that_tell_them_apart(low: float, high: float, labels: list[str]) -> None:
    assert [tick.label for tick in linear(low, high, 11).ticks] == labels


@given(st.floats(1e-6, 1e15), st.floats(1e-8, 1e-2), ROWS, st.sampled_from([1, -1]))
def test_no_two_ticks_are_called_alike(low: float, part: float, rows: int, sign: int) -> None:
    one, other = sorted((sign * low, sign * low * (1 + part)))
    labels = [tick.label for tick in linear(one, other, rows).ticks if tick.label]
    assert len({*labels}) == len(labels)
    assert all(len(label) <= 7 for label in labels)


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


@given(st.floats(0, 1e4), st.floats(1e-6, 1e4), ROWS)
def test_ticks_of_a_linear_scale_are_at_1_2_or_5_times_a_power_of_ten(low: float, span: float, rows: int) -> None:
    labels = [tick.label for tick in linear(low, low + span, rows).ticks]
    if rows >= 3 and not any("e" in label or "…" in label for label in labels) and span > 1e-4 * (low + span):
        assert all(is_round(step) for step in steps_between(labels))


@given(st.floats(1e-8, 1e4), st.floats(1.0, 1e12), st.integers(3, 60))
def test_ticks_of_a_logarithmic_scale_are_round(low: float, factor: float, rows: int) -> None:
    values = [float(tick.label) for tick in logarithmic(low, low * factor, rows).ticks]
    powers = all(is_round(value) for value in values)
    steps = [after - before for before, after in itertools.pairwise(values)]
    assert powers or all(is_round(step) for step in steps)
    if factor > 1.5 and rows >= 8:
        assert len(values) >= 2


@given(st.floats(0, 1e6), st.floats(1e-3, 1e6), st.integers(20, 250))
def test_ticks_along_an_axis_are_at_1_2_or_5_times_a_power_of_ten(first: float, span: float, width: int) -> None:
    places = [place for place, _ in along(first, first + span, width, labels=5, whole=False)]
    assert all(is_round(after - before) for before, after in itertools.pairwise(places) if span > 1e-3 * first)


@pytest.mark.parametrize(
    ("last", "columns", "labels", "unit"),
    [
        (0.9, 40, ["0", "0.2", "0.4", "0.6", "0.8"], "seconds"),
        (8, 80, ["0", "1", "2", "3", "4", "5", "6", "7", "8"], "seconds"),
        (41, 80, ["0", "5", "10", "15", "20", "25", "30", "35", "40"], "seconds"),
        (130, 66, ["0", "15", "30", "45", "60", "75", "90", "105", "120"], "seconds"),
        (170, 42, ["0", "30", "60", "90", "120", "150"], "seconds"),
        (600, 80, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"], "minutes"),
        (3_600, 40, ["0", "10", "20", "30", "40", "50", "60"], "minutes"),
        (36_000, 80, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"], "hours"),
        (864_000, 40, ["0", "50", "100", "150", "200"], "hours"),
    ],
)
def test_time_is_told_in_steps_of_a_clock(last: float, columns: int, labels: list[str], unit: str) -> None:
    ticks, named = over_time(0.0, last, columns, labels=4)
    assert ([label for _, label in ticks], named) == (labels, unit)
    size = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0}[unit]
    assert all(place == pytest.approx(float(label) * size) for place, label in ticks)


@given(st.floats(0, 1e5), st.floats(1e-2, 1e6), st.integers(12, 250))
def test_times_along_an_axis_lie_on_it_and_do_not_collide(first: float, span: float, width: int) -> None:
    places, _ = over_time(first, first + span, width, labels=4)
    assert len(places) <= width // 6 + 1
    assert all(first - 1e-6 * (1 + span) <= place <= first + span * (1 + 1e-6) for place, _ in places)
    assume(span > 1e-3 * first)
    steps = [after - before for before, after in itertools.pairwise([place for place, _ in places])]
    clock = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
    for step in steps:
        hours = step >= 3599 and is_round(step / 3600)
        assert hours or (step < 1 and is_round(step)) or any(step == pytest.approx(each, rel=1e-5) for each in clock)


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        (0, 0.05, ["0", "0.01", "0.02", "0.03", "0.04", "0.05"]),
        (3.01, 3.04, ["3.010", "3.015", "3.020", "3.025", "3.030", "3.035", "3.040"]),
        (0, 3.4e-6, ["0", "5e-7", "1e-6", "1.5e-6", "2e-6", "2.5e-6", "3e-6"]),
        (0, 1.2, ["0", "0.2", "0.4", "0.6", "0.8", "1.0", "1.2"]),
    ],
)
def test_a_label_along_an_axis_reads_as_its_place(first: float, last: float, labels: list[str]) -> None:
    assert [label for _, label in along(first, last, 66, labels=4, whole=False)] == labels


@given(st.floats(0, 1e4), st.floats(1e-6, 1e4), st.integers(30, 300))
def test_no_two_labels_along_an_axis_read_the_same(first: float, span: float, width: int) -> None:
    labels = [label for _, label in along(first, first + span, width, labels=4, whole=False) if label]
    assert len(set(labels)) == len(labels)
    assert labels or span < 1e-3 * first


@given(st.floats(0, 1e6), st.floats(1e-3, 1e6), st.integers(10, 250))
def test_places_along_an_axis_lie_on_it_and_do_not_collide(first: float, span: float, width: int) -> None:
    places = along(first, first + span, width, labels=5, whole=False)
    assert places == sorted(places)
    assert len(places) <= width // 7 + 1
    for place, label in places:
        assert first - 1e-6 * (1 + span) <= place <= first + span * (1 + 1e-6)
        assert len(label) <= 8


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


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.000125, 0.05, ["0.0001", "0.01"]),
        (0.0007, 0.05, ["0.001", "0.01"]),
        (0.000125, 0.1, ["0.0001", "0.1"]),
        (0.000125, 0.05, ["0.001"]),
    ],
)
def test_a_log_scale_of_one_or_two_rows_has_powers_of_ten_among_its_values(
    low: float, high: float, labels: list[str]
) -> None:
    assert [(tick.at, tick.label) for tick in logarithmic(low, high, len(labels)).ticks] == [*enumerate(labels)]
