"""What charts show of a run by default: what was trained of it, with some room, and the whole plan for the asking."""

from __future__ import annotations

from functools import cache

import pytest

from tests.scripted import scripted_run
from tui_trainer.events import RunEnded, StepsTaken
from tui_trainer.plotting.scales import UNITS, Unit
from tui_trainer.records.history import History
from tui_trainer.ui.charts.axis import XAxis

LONG = scripted_run(epochs=200, batches=20, steps_a_line=20, status=None)


@cache
def long_history(epochs: int) -> History:
    history = History()
    for event in LONG:
        if len(history.epochs) == epochs:
            break
        history.apply(event)
    return history


def long_axis(epochs: int) -> XAxis:
    """After so many epochs of a long run."""
    axis = XAxis()
    axis.update(long_history(epochs))
    return axis


@pytest.mark.parametrize("epochs", [4, 5, 9, 16, 30, 50, 75, 95])
def test_what_was_trained_of_a_long_run_has_the_most_of_the_width(epochs: int) -> None:
    axis = long_axis(epochs)
    assert axis.mode == "so far"
    assert 0.6 <= axis.place(epochs * 20) / axis.bounds[1] < 1


def test_from_half_of_a_run_on_all_of_it_is_shown() -> None:
    axis = long_axis(100)
    assert (axis.mode, axis.bounds) == ("all", (0.0, 200.0))


@pytest.mark.parametrize("unit", UNITS)
def test_the_plan_is_a_key_away_and_following_leads_back(unit: Unit) -> None:
    axis = long_axis(16)
    axis.use(unit)
    near = axis.bounds
    assert axis.place(16 * 20) / near[1] >= 0.6
    axis.reset()
    assert axis.mode == "all"
    assert axis.bounds == axis.whole != near
    axis.follow()
    assert (axis.mode, axis.bounds) == ("so far", near)


def test_the_cursor_and_a_hand_lead_on_into_the_plan() -> None:
    axis = long_axis(16)
    axis.pan(0.5)
    assert axis.mode == "held"
    assert axis.bounds == pytest.approx((10.0, 30.0))
    axis.reset()
    axis.follow()
    axis.move_cursor(1)
    for _ in range(60):
        axis.move_cursor(1)
        assert axis.column_of(axis.cursor or 0, 80) is not None
    assert (axis.cursor or 0) > 20 * 20


def test_an_axis_that_grows_seldom_moves() -> None:
    axis, history, ends = XAxis(), History(), []
    for event in LONG:
        history.apply(event)
        axis.update(history)
        if history.steps and axis.bounds[1] not in ends:
            ends.append(axis.bounds[1])
    assert ends == sorted(ends)
    assert len(ends) <= 14
    assert ends[-1] == 200


def test_a_run_without_a_known_end_is_shown_as_far_as_it_came() -> None:
    axis, history = XAxis("step"), History()
    ends = set()
    for step in range(1, 3001):
        history.apply(StepsTaken(at=step, step=step, epoch=1, batch=step, losses=[0.5], lrs=[0.1], elapsed=[step]))
        axis.update(history)
        assert step < axis.bounds[1]
        assert step < 64 or step / axis.bounds[1] >= 0.6
        ends.add(axis.bounds[1])
    assert len(ends) <= 14


def test_of_a_run_that_ended_early_nothing_is_shown_that_never_came() -> None:
    history = History()
    for event in scripted_run(epochs=50, batches=20):
        if len(history.epochs) < 5:
            history.apply(event)
    history.apply(RunEnded(at=1e9, status="stopped", step=history.steps, epoch=6, exit_code=0, reason=""))
    axis = XAxis()
    axis.update(history)
    assert axis.bounds == (0.0, pytest.approx(history.steps / 20))
    axis.reset()
    assert axis.bounds == (0.0, 50.0)


# Powers of ten along x


@pytest.mark.parametrize("unit", UNITS)
def test_in_powers_of_ten_each_step_lies_in_a_column_and_the_first_decades_have_their_room(unit: Unit) -> None:
    axis = long_axis(100)
    axis.use(unit)
    axis.toggle_log()
    assert (axis.log, axis.mode) == (True, "all")
    edges = axis.edges(100)
    assert edges[0] == 0
    assert edges[-1] >= 4000
    assert edges == sorted(edges)
    assert edges[50] < 200  # of 4,000 steps


def test_what_is_in_sight_stays_so_in_powers_of_ten_and_back() -> None:
    axis = long_axis(100)
    axis.zoom_in()
    steps = axis.edges(10)[0], axis.edges(10)[-1]
    before = axis.bounds
    axis.toggle_log()
    assert (axis.edges(10)[0], axis.edges(10)[-1]) == pytest.approx(steps, abs=1)
    axis.toggle_log()
    assert axis.bounds == pytest.approx(before)


def test_a_cursor_goes_through_powers_of_ten_from_the_first_step_on() -> None:
    axis = long_axis(100)
    axis.toggle_log()
    axis.width = 60
    axis.point_at(0)
    assert axis.cursor == 1
    for _ in range(60):
        axis.move_cursor(1)
    assert axis.cursor == 4000
    axis.zoom_in()
    axis.zoom_out()
    assert axis.bounds == axis.whole


def test_the_next_unit_is_one_that_is_another() -> None:
    axis = XAxis()
    axis.plan(630, 63)  # of a run that is only planned nobody knows the seconds
    units = []
    for _ in range(3):
        units.append(axis.unit)
        axis.next_unit()
    assert units == ["epoch", "step", "epoch"]
