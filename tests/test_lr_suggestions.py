"""What the curve of a range test suggests, whatever its losses are."""

from __future__ import annotations

import random
from itertools import pairwise
from math import exp, inf, isclose, log, log10, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_trainer.lr_suggestions import (
    APART,
    BETA,
    FEWEST,
    LAST,
    RULES,
    LRCurve,
    Point,
    are_apart,
    minimum_by_10,
    raised,
    steepest,
    valley,
)

LOSSES = st.lists(st.floats(0.01, 10), min_size=2, max_size=60)
MOST = settings(max_examples=60)


def points(losses: list[float]) -> list[Point]:
    return [Point(lr, loss) for lr, loss in zip(raised(1e-7, 10, max(len(losses), 2)), losses, strict=False)]


def curve_of(losses: list[float], steps: int = 200, lowest: float = 1e-7) -> LRCurve:
    """The curve of these losses, as far as the test goes."""
    curve = LRCurve(steps)
    for lr, loss in zip(raised(lowest, lowest * 1e8, steps), losses, strict=False):
        curve.add(lr, loss)
        if curve.ended:
            break
    return curve


def typical(lr: float) -> float:
    """A loss that falls from LR 1e-4 on, and leaps from 0.3 on, in the way of a network that trains."""
    return 2.3 - 1.9 / (1 + exp(-2.5 * (log10(lr) + 2.7))) + max(0.0, 40 * (lr - 0.3))


def typical_losses(seed: int = 0, noise: float = 0.05) -> list[float]:
    drawn = random.Random(seed)
    return [typical(lr) + drawn.gauss(0, noise) for lr in raised(1e-7, 10, 200)]


@given(st.floats(1e-9, 1e-2), st.floats(1.01, 1e9), st.integers(2, 300))
@MOST
def test_the_lr_is_raised_by_the_same_factor_at_every_step(lowest: float, times: float, steps: int) -> None:
    lrs = raised(lowest, lowest * times, steps)
    assert (lrs[0], lrs[-1], len(lrs)) == (lowest, lowest * times, steps)
    ratios = [after / before for before, after in pairwise(lrs)]
    assert all(isclose(ratio, times ** (1 / (steps - 1)), rel_tol=1e-9) for ratio in ratios)


@given(st.lists(st.floats(1.0, 3.9), min_size=20, max_size=120))
@MOST
def test_the_loss_is_smoothed_with_the_bias_of_the_beginning_taken_out(losses: list[float]) -> None:
    curve = curve_of(losses)
    settled = sorted(losses[:20])
    usual = [sorted(losses[place - 2 : place + 1])[1] for place in range(20, len(losses))]
    there = [of_three if loss > 2 * of_three else loss for loss, of_three in zip(losses[20:], usual, strict=True)]
    known = [(settled[9] + settled[10]) / 2] * 20 + there
    for place, (_, smoothed) in enumerate(curve.points, 20):
        weights = [(1 - BETA) * BETA ** (place - i) for i in range(place + 1)]
        mean = sum(w * loss for w, loss in zip(weights, known, strict=False)) / sum(weights)
        assert isclose(smoothed, mean, rel_tol=1e-9)
    assert len(curve.points) == len(losses) - 20


@given(st.floats(0.01, 100))
@MOST
def test_a_loss_that_stays_is_smoothed_to_itself(loss: float) -> None:
    assert all(isclose(point.loss, loss) for point in curve_of([loss] * 200).points)


@given(LOSSES)
@MOST
def test_the_valley_is_half_way_down_from_the_highest_loss_to_the_last(losses: list[float]) -> None:
    down = [*losses, 0.009]  # a fall ends at its lowest
    there = points(down)
    found = [point.lr for point in there].index(valley(there))
    top = down.index(max(down))
    half = (down[top] + down[-1]) / 2
    assert found > top
    assert down[found] <= half < min(down[top:found])


@pytest.mark.parametrize("lowest", [1e-9, 1e-8, 1e-6])
def test_where_the_test_begins_has_no_say_in_what_the_valley_suggests(lowest: float) -> None:
    def suggested(lowest: float) -> float:
        steps = round(25 * log10(10 / lowest))  # as many a decade
        curve = LRCurve(steps)
        for lr in raised(lowest, 10, steps):
            if curve.ended is None:
                curve.add(lr, typical(lr))
        return curve.suggestions["valley"]

    assert 0.8 < suggested(lowest) / suggested(1e-7) < 1.25


@given(LOSSES)
@MOST
def test_the_steepest_is_where_no_other_step_falls_further(losses: list[float]) -> None:
    there = points(losses)
    at = [point.lr for point in there].index(steepest(there))
    widths = [log(after.lr / here.lr) for here, after in pairwise(there)]
    slopes = [(after - here) / width for here, after, width in zip(losses, losses[1:], widths, strict=False)]
    assert isclose(slopes[at], min(slopes), abs_tol=1e-12)


@given(LOSSES)
@MOST
def test_the_minimum_is_taken_by_a_tenth(losses: list[float]) -> None:
    there = points(losses)
    assert minimum_by_10(there) * 10 == pytest.approx(there[losses.index(min(losses))].lr)


@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(1e-3, 1e3))
@settings(max_examples=25)
def test_other_units_of_loss_and_lr_suggest_the_same(seed: int, times: float, lrs: float) -> None:
    losses = typical_losses(seed)
    here, there = curve_of(losses), curve_of([loss * times for loss in losses], lowest=1e-7 * lrs)
    assert there.suggestions.keys() == here.suggestions.keys() == set(RULES)
    for rule in RULES:
        # rounding may make a tie of two neighbouring points another
        assert isclose(there.suggestions[rule], here.suggestions[rule] * lrs, rel_tol=0.25), rule


@given(st.lists(st.floats(0.01, 10), min_size=200, max_size=200))
@settings(max_examples=30)
def test_whatever_the_losses_what_is_suggested_lies_on_the_curve(losses: list[float]) -> None:
    curve = curve_of(losses)
    assert bool(curve.suggestions) == (curve.none_because is None)
    if curve.suggestions:
        lrs = [point.lr for point in curve.fall]
        assert curve.suggestions["valley"] in lrs
        assert curve.suggestions["steepest"] in lrs
        assert isclose(curve.suggestions["minimum/10"] * 10, lrs[-1])


def test_a_network_that_trains_gets_lrs_below_the_leap() -> None:
    curve = curve_of(typical_losses())
    assert curve.ended == "leapt"
    assert all(1e-4 < lr < 0.3 for lr in curve.suggestions.values()), curve.suggestions


@pytest.mark.parametrize("odd", [9.0, 500.0])
@pytest.mark.parametrize("place", [0, 5, 19, 20, 21, 30, 60, 110])
def test_an_odd_batch_changes_little(place: int, odd: float) -> None:
    losses = typical_losses()
    spiked = [*losses]
    spiked[place] = odd
    here, there = curve_of(losses), curve_of(spiked)
    assert there.ended == "leapt"
    for rule in RULES:
        assert 0.5 < there.suggestions[rule] / here.suggestions[rule] < 2, rule


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("noise", [0.0, 0.001, 0.3])
def test_a_loss_that_never_falls_suggests_nothing(seed: int, noise: float) -> None:
    drawn = random.Random(seed)
    curve = curve_of([2.3 + drawn.gauss(0, noise) for _ in range(200)])
    assert (curve.suggestions, curve.none_because) == ({}, "never_fell")
    assert curve.ended == "all_steps"


def test_a_loss_that_only_rises_suggests_nothing() -> None:
    curve = curve_of([2.3 + step * 0.2 for step in range(200)])
    assert (curve.ended, curve.none_because) == ("leapt", "never_fell")


def test_what_comes_down_by_itself_behind_the_leap_is_no_fall() -> None:
    falls = [1.0] * 40 + [1.0 - 0.02 * step for step in range(30)]
    curve = curve_of([*falls, 20.0, 20.0, *[1.0] * 128])  # two batches; their share of the smoothed loss fades for long
    assert curve.ended == "all_steps"
    behind = curve.lrs[70]
    assert curve.suggestions
    assert all(lr < behind for lr in curve.suggestions.values())


@pytest.mark.parametrize("broken", [nan, inf])
@pytest.mark.parametrize("before", [0, 1, 20, 20 + LAST + FEWEST - 1])
def test_a_loss_that_is_not_finite_ends_it_and_too_few_steps_suggest_nothing(before: int, broken: float) -> None:
    curve = curve_of([*(2.3 - 0.05 * step for step in range(before)), broken, 1.0, 1.0])
    assert (curve.ended, len(curve.losses)) == ("not_finite", before + 1)
    assert (curve.none_because, curve.suggestions) == ("too_short", {})


def test_a_leap_with_too_few_steps_before_it_suggests_nothing() -> None:
    curve = curve_of([*[2.3] * 20, *(2.3 - 0.05 * step for step in range(5)), *[1e6] * 175])
    assert (curve.ended, curve.none_because, curve.suggestions) == ("leapt", "too_short", {})


def test_as_few_as_are_enough_suggest_something() -> None:
    losses = [2.3] * 20 + [2.3 * 0.9**step for step in range(LAST + FEWEST)]
    assert curve_of([*losses, nan]).suggestions.keys() == set(RULES)


def test_it_ends_at_four_times_the_lowest_and_not_before() -> None:
    losses = [1.0] * 100 + [60.0] * 100
    curve = curve_of(losses)
    assert curve.ended == "leapt"
    assert curve.points[-1].loss > 4 * 1.0 >= curve.points[-2].loss


@pytest.mark.parametrize(("highest", "is_cut_off"), [(1e-5, False), (1e-3, True), (0.01, True), (10.0, False)])
def test_a_test_is_cut_off_whose_smoothed_loss_still_falls_at_its_last_step(
    highest: float, *, is_cut_off: bool
) -> None:
    curve = LRCurve(200)
    for lr in raised(1e-7, highest, 200):
        curve.add(lr, 1 + min(1.0, max(0.0, -4 - log10(lr), log10(lr) + 2)))
    assert curve.ended == "all_steps"
    assert bool(curve.suggestions) is (highest > 1e-5)
    assert curve.is_cut_off is is_cut_off


def test_a_loss_that_ends_a_test_cuts_off_none() -> None:
    losses = [2.3] * 20 + [2.3 * 0.97**step for step in range(60)]
    assert curve_of(losses, steps=80).is_cut_off
    broken = curve_of([*losses, nan])
    assert broken.suggestions
    assert not broken.is_cut_off


@pytest.mark.parametrize(
    ("lrs", "apart"), [([], False), ([0.1], False), ([0.01, 0.1], False), ([0.0099, 0.1, 0.05], True)]
)
def test_suggestions_more_than_ten_times_apart_disagree(lrs: list[float], apart: bool) -> None:
    assert APART == 10
    assert are_apart(lrs) is apart
