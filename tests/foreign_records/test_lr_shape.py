"""What is said of an LR from its curve, and of which curves nothing is: they fit more than one schedule."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, nan, pi

import pytest

from tui_trainer.foreign_records.lr_shape import schedule_in_words

Curve = Callable[[int], float]
STEPS = 1000


def said(curve: Curve, count: int = STEPS, epoch_at: Callable[[int], int | None] = lambda _: None) -> str:
    return schedule_in_words("lr", range(count), [curve(step) for step in range(count)], epoch_at)


def one_cycle(step: int, top_at: float = 0.3) -> float:
    top = int(top_at * STEPS)
    begin, end, part = (0.004, 0.1, step / top) if step <= top else (0.1, 4e-7, (step - top) / (STEPS - 1 - top))
    return end + (begin - end) * (1 + cos(pi * part)) / 2


def warm_cosine(step: int) -> float:
    return 0.1 * step / 100 if step < 100 else 0.05 * (1 + cos(pi * (step - 100) / (STEPS - 101)))


@pytest.mark.says("foreign.lr_drops", "foreign.lr_cycle", "foreign.lr_warmed")
def test_curves_that_show_their_schedule() -> None:
    drops = "lr, as its curve shows it: step decay ×0.1 at "
    assert said(lambda step: 0.1 if step < 300 else 0.01) == f"{drops}step 300"
    by_epoch = said(lambda step: 0.1 ** (1 + step // 300), epoch_at=lambda step: step // 10)
    assert by_epoch == f"{drops}epoch 30, epoch 60 and epoch 90"
    assert said(lambda step: 0.1 if step < 54_321 else 0.01, count=100_000) == f"{drops}step 54,321"
    assert said(one_cycle) == "lr, as its curve shows it: one cycle, its top 0.1 at 30 %"
    assert said(warm_cosine) == "lr, as its curve shows it: a warm-up to 0.1 by step 100, then a decay to 0"


@pytest.mark.never_says("foreign.lr_drops", "foreign.lr_cycle", "foreign.lr_warmed")
@pytest.mark.parametrize(
    "curve",
    [
        lambda _: 0.1,
        lambda step: 0.1 * 0.99**step,
        lambda step: 0.05 * (1 + cos(pi * step / STEPS)),
        lambda step: 0.05 * (1 + cos(pi * (step // 100) / 10)),
        lambda step: 0.1 if step % 200 < 100 else 0.01,
        lambda step: 0.1 * (step % 250 + 1) / 250,
        lambda step: nan if step == 5 else 0.1 if step < 300 else 0.01,
        lambda step: 0.1 * (step + 1) / STEPS,
        lambda step: 0.1 * (1 - abs(step - 500) / 500),
        lambda step: 0.1 if step < 300 else 0.01 if step < 600 else 0.05,
        lambda step: one_cycle(step) + (1e-3 if step == 700 else 0),
        lambda step: -0.1 if step < 300 else -0.01,
        lambda step: 0.1 if step < 300 else 0.0,
    ],
)
def test_curves_of_which_nothing_is_said(curve: Curve) -> None:
    assert said(curve) == ""


def test_of_a_few_values_nothing_is_said() -> None:
    assert said(lambda step: 0.1 if step < 8 else 0.01, count=16) == ""
    assert said(lambda step: 0.1, count=0) == ""
    assert said(lambda step: one_cycle(step), count=250) == ""
