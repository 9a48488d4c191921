"""The clock: frames far enough apart to keep within their share, and at once when a person acts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted import START, scripted_run
from tests.ui.conftest import Show, cut
from tests.ui.scripted_source import ScriptedHost
from tui_trainer.events import PaceChanged
from tui_trainer.threads import usable_cores
from tui_trainer.ui.frame_clock import FASTEST, HURRIED, SLOWEST, Budget

LIVE = cut(scripted_run(epochs=4, batches=20), 50)


def settled(cost: float, share: float = 0.02, cores: int = 2) -> Budget:
    budget = Budget(share, cores)
    for _ in range(50):
        budget.spent(cost, budget.interval)
    return budget


@pytest.mark.parametrize(("cost", "interval"), [(0.001, FASTEST), (0.01, 0.25), (0.02, 0.5), (0.5, SLOWEST)])
def test_frames_are_as_far_apart_as_they_cost(cost: float, interval: float) -> None:
    assert settled(cost).interval == pytest.approx(interval)


@given(st.floats(1e-4, 0.04), st.integers(1, 64))
def test_drawing_keeps_within_its_share_between_floor_and_ceiling(cost: float, cores: int) -> None:
    budget = settled(cost, cores=cores)
    assert FASTEST <= budget.interval <= SLOWEST
    if budget.interval < SLOWEST:
        assert budget.share <= 0.02 * 1.001


def test_the_share_is_that_of_the_last_seconds() -> None:
    budget = Budget(0.02, 2)
    assert budget.share == 0
    for _ in range(10):
        budget.spent(0.5, 1.0)
    assert budget.share == pytest.approx(0.25)
    for _ in range(10):
        budget.spent(0.0, 1.0)
    assert budget.share == 0


def test_the_share_on_show_is_of_all_cores_of_the_machine_whichever_may_be_used() -> None:
    budget = Budget(0.02, 2, of=8)
    budget.spent(0.8, 1.0)
    assert budget.share == pytest.approx(0.1)
    assert settled(0.01).interval == pytest.approx(0.25)  # and frames are as far apart as the usable ones allow


def test_one_dear_frame_does_not_freeze_the_screen() -> None:
    budget = settled(0.004)
    budget.spent(0.2, 0.1)
    assert budget.interval <= SLOWEST
    for _ in range(20):
        budget.spent(0.004, budget.interval)
    assert budget.interval == pytest.approx(FASTEST, abs=0.05)


def test_there_is_a_core() -> None:
    assert usable_cores() >= 1


async def test_frames_follow_one_another_and_stop(show: Show) -> None:
    async with show(LIVE) as shown:
        polls: list[float] = []
        poll = shown.host.poll

        def counted() -> int:
            polls.append(time.monotonic())
            return poll()

        shown.host.poll = counted  # type: ignore[method-assign]
        while len(polls) < 3:
            await shown.pilot.pause(0.02)
        shown.app.context.clock.stop()
        before = len(polls)
        await shown.pilot.pause(0.3)
        assert len(polls) == before


async def test_a_key_draws_at_once_and_the_answer_is_looked_for_quickly(show: Show) -> None:
    async with show(ScriptedHost(LIVE, obeys=False)) as shown:
        shown.app.context.clock.stop()
        assert not shown.app.context.clock.is_hurried
        await shown.pilot.press("space")
        assert shown.app.context.clock.is_hurried
        assert shown.app.context.clock.next_in == HURRIED


async def test_slow_motion_is_followed_quickly(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.frame(PaceChanged(at=START, seconds_a_call=0.5, by="screen"))
        await shown.frame()
        assert shown.app.context.clock.is_hurried


async def test_what_is_covered_is_not_drawn_but_its_run_is_followed(show: Show) -> None:
    async with show(LIVE) as shown:
        live = shown.app.screen
        await shown.press("p")
        drawn: list[bool] = []
        live.draw = lambda: drawn.append(True)  # type: ignore[attr-defined]
        before = shown.host.history.steps
        await shown.frame(*cut(scripted_run(epochs=4, batches=20), 60)[len(LIVE) :])
        assert shown.host.history.steps > before
        assert not drawn


async def test_on_shown_is_called_once_as_the_first_frame_is_up(show: Show) -> None:
    called: list[bool] = []
    async with show(LIVE, on_shown=lambda: called.append(True)) as shown:
        await shown.frame()
        assert called == [True]


async def test_after_the_end_of_a_run_frames_are_rare(show: Show) -> None:
    async with show(scripted_run(epochs=1, batches=5)) as shown:
        assert shown.app.context.clock.at_ease
        assert shown.app.context.clock.next_in in (SLOWEST, HURRIED)
