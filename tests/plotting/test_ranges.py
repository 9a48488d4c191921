from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_trainer.plotting.curves import BREAK, Extent
from tui_trainer.plotting.ranges import (
    asks_for_log,
    floor_of,
    not_below,
    without_echoes,
    without_spikes,
    without_the_lowest,
)

VALUES = st.lists(st.floats(-1e12, 1e12), max_size=80)


def curve(values: list[float]) -> list[Extent | None]:
    return [(value, value) for value in values]


def falling(start: float, end: float, count: int = 100) -> list[float]:
    """From one value to the other in equal factors."""
    return [start * (end / start) ** (i / (count - 1)) for i in range(count)]


def annealed(peak: float, count: int = 100) -> list[float]:
    """Half a cosine, down to zero."""
    return [peak * (1 + math.cos(math.pi * i / (count - 1))) / 2 for i in range(count)]


@pytest.mark.parametrize(
    ("values", "asks"),
    [
        (falling(2.3, 0.1), False),
        (falling(2.3, 0.05), True),
        (falling(2.3, 0.05)[:1], False),
        ([2.3, 0.0, 1.0], False),
        ([2.3, -1.0, 1.0], False),
        ([math.inf, 1.0, 2.0], False),
        ([], False),
        ([1.0, 2.0] * 30 + [5000.0] + [1.0] * 30, False),  # a spike alone is no range
    ],
)
def test_a_range_of_more_than_thirty_times_asks_for_powers_of_ten(values: list[float], asks: bool) -> None:
    assert asks_for_log([without_spikes(curve(values))]) is asks


@pytest.mark.parametrize(
    ("lrs", "asks"),
    [
        (annealed(0.1), False),
        ([*falling(1e-6, 0.1, 10), *annealed(0.1)], False),
        ([0.1] * 100, False),
        ([0.1] * 40 + [0.01] * 30 + [0.001] * 30, True),
        (falling(0.1, 1e-4), True),
        ([0.0] * 100, False),
    ],
)
def test_an_lr_asks_for_it_where_it_stays_low_for_long(lrs: list[float], asks: bool) -> None:
    assert asks_for_log([without_the_lowest(curve(lrs), 0.2)]) is asks


@pytest.mark.parametrize("columns", range(60, 80))
def test_an_lr_that_is_low_for_just_the_part_that_may_be_does_not_ask_for_it(columns: int) -> None:
    lrs = [0.1] * 504 + [0.001] * 126
    edges = [i * len(lrs) // columns for i in range(columns + 1)]
    extents: list[Extent | None] = [(min(lrs[a:b]), max(lrs[a:b])) for a, b in itertools.pairwise(edges)]
    assert not asks_for_log([without_the_lowest(extents, 0.2)])


def test_groups_of_unlike_lrs_ask_for_it_together() -> None:
    assert asks_for_log([without_the_lowest(curve([lr] * 50), 0.2) for lr in (0.1, 1e-4)])


def test_a_scale_at_the_limit_stays_what_it_is() -> None:
    lines = [without_spikes(curve(falling(2.0, 0.1)))]
    assert not asks_for_log(lines)
    assert asks_for_log(lines, is_log=True)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("spike", [60.0, 1e6, 1e30])
def test_a_spike_leaves_the_range_as_it_is(log: bool, spike: float) -> None:
    draw = random.Random(0)
    values = [1 + draw.random() for _ in range(100)]
    values[57] = spike
    low, high = without_spikes(curve(values), log=log) or (0.0, 0.0)
    assert low == pytest.approx(min(values))
    assert 1.9 < high < 2.4


@pytest.mark.parametrize("log", [False, True])
def test_what_a_curve_begins_or_ends_with_is_no_spike(log: bool) -> None:
    draw = random.Random(0)
    rest = [1 + draw.random() for _ in range(100)]
    for values in ([50.0, 20.0, 9.0, *rest], [*rest, 9.0, 20.0, 50.0], [*falling(1e4, 2.0, 40), *rest]):
        assert (without_spikes(curve(values), log=log) or (0, 0))[1] == pytest.approx(max(values))


def test_a_spike_downwards_is_one_too() -> None:
    values = [1.0, 2.0] * 40
    values[33] = -500.0
    assert without_spikes(curve(values)) == pytest.approx((0.9, 2.0))


def test_what_is_seldom_another_than_always_the_same_is_what_one_looks_for() -> None:
    assert without_spikes(curve([0.0] * 50 + [1.0] + [0.0] * 50)) == (0.0, 1.0)


@given(VALUES, st.booleans())
def test_a_range_is_one_whatever_comes(values: list[float], log: bool) -> None:
    extent = without_spikes([*curve(values), None, BREAK, (math.nan, 1.0)], log=log)
    if extent is None:
        assert not [value for value in values if value > 0 or not log]
        return
    low, high = extent
    assert low <= high
    drawn = [value for value in values if value > 0 or not log]
    close = 1e-9 * max(abs(low), abs(high)) + 1e-9
    inside = sum(low - close <= value <= high + close for value in drawn)
    assert inside >= len(drawn) - 2 * int(0.05 * len(values))


def test_what_a_spike_leaves_in_a_smoothed_curve_is_none_of_its_range() -> None:
    raw = [1.0, 2.0] * 40
    raw[33] = 1e6
    smooth = [1.5] * 33 + [1e5, 1e4, 1e3, 100.0] + [1.5] * 43
    kept = without_echoes(curve(smooth), curve(raw))
    assert [extent for extent in kept if extent is not None] == curve([1.5] * 76)
    assert not asks_for_log([without_spikes(kept)])


def test_single_batches_that_are_known_by_heart_do_not_take_the_room_of_the_rest() -> None:
    raw: list[Extent | None] = [(1e-8, 0.5), (1e-9, 1e-7), (0.0, 0.5), None, (0.2, 0.4), BREAK]
    floor = floor_of([curve([0.3, 0.1]), curve([0.2])], raw)
    assert floor == pytest.approx(0.01)
    seen = not_below(floor, raw)
    assert seen[:4] == [(floor, 0.5), (floor, floor), (0.0, 0.5), None]
    assert seen[4:] == raw[4:]


def test_nor_does_a_mean_of_zeros_that_comes_down_for_ever() -> None:
    raw: list[Extent | None] = [*curve([2.0, 0.1, 1e-6]), (0.0, 1e-7), *curve([0.0] * 36)]
    smooth = curve([2.0 * 0.1**i for i in range(40)])
    floor = floor_of([smooth, curve([0.2] * 40)], raw)
    assert floor == pytest.approx(1e-8)
    assert without_spikes(not_below(floor, smooth), log=True) == pytest.approx((1e-8, 2.0))


def test_a_loss_that_does_come_down_that_far_is_drawn_as_far() -> None:
    fell = curve([2.0 * 0.1**i for i in range(14)])
    assert floor_of([fell], fell) == pytest.approx(2e-14)


@pytest.mark.parametrize("calm", [[], [[None]], [[(0.0, 1.0)]], [[(-2.0, 1.0)]], [[BREAK]]], ids=str)
def test_without_calm_losses_above_zero_each_batch_is_drawn_as_deep_as_it_is(calm: list[list[Extent | None]]) -> None:
    raw: list[Extent | None] = [(1e-8, 0.5), (0.2, 0.4)]
    assert not_below(floor_of(calm, raw), raw) == raw
