"""What the x axis of a comparison, and of break-it, shows of its runs: it fits what happened, as one run's does."""

from __future__ import annotations

import pytest

from tests.records.streams import fold
from tests.scripted import scripted_run
from tests.ui.conftest import cut
from tui_trainer.compare.comparison import Compared, Group
from tui_trainer.compare.session import Contestant
from tui_trainer.records.history import History
from tui_trainer.ui.compare.curves import CompareAxis

WHOLE = scripted_run(epochs=20, batches=20, status="finished")


def after(step: int) -> History:
    return fold(cut(WHOLE, step))


def runs(*histories: History) -> list[Group]:
    """A preset each."""
    groups = []
    for number, history in enumerate(histories):
        group = Group(str(number), number)
        run = Compared(Contestant(label=group.label, seed=0), None, group)
        run.history = history
        group.add(run)
        groups.append(group)
    return groups


def test_what_was_trained_takes_most_of_the_width_until_the_runs_are_past_half() -> None:
    axis = CompareAxis()
    assert axis.update(runs(after(40), after(80)))
    assert axis.mode == "so far"
    first, last = axis.bounds
    assert first == 0.0
    assert 4 <= last <= 6  # 80 steps are four epochs
    assert axis.update(runs(after(40), after(300)))
    assert (axis.mode, axis.bounds) == ("all", (0.0, 20.0))


def test_the_whole_plan_is_shown_on_demand_and_what_was_trained_again() -> None:
    axis = CompareAxis()
    axis.update(runs(after(80)))
    so_far = axis.bounds
    axis.reset()
    assert (axis.mode, axis.bounds) == ("all", (0.0, 20.0))
    axis.update(runs(after(90)))
    assert axis.bounds == (0.0, 20.0)
    axis.follow()
    assert axis.mode == "so far"
    assert axis.bounds[1] < 10
    assert so_far[1] <= axis.bounds[1]


@pytest.mark.parametrize("zooms", [1, 2, 3, 4])
def test_zooming_out_comes_to_the_whole_plan(zooms: int) -> None:
    axis = CompareAxis()
    axis.update(runs(after(80)))
    for _ in range(zooms):
        axis.zoom_in()
    assert axis.mode == "held"
    for _ in range(zooms + 3):
        axis.zoom_out()
    assert axis.bounds == (0.0, 20.0)


@pytest.mark.parametrize("unit", ["epoch", "step", "seconds"])
def test_of_runs_that_have_ended_all_is_seen(unit: str) -> None:
    axis = CompareAxis()
    while axis.unit != unit:
        axis.next_unit()
    history = fold(WHOLE)
    axis.update(runs(history))
    assert axis.mode == "all"
    assert axis.bounds[1] >= axis.timeline(history).place(history.steps)
    assert axis.update(runs()) or axis.bounds == (0.0, 0.0)


def test_without_a_step_the_whole_plan_is_seen() -> None:
    axis = CompareAxis()
    axis.update(runs(fold(cut(WHOLE, 1)[:-1])))
    assert axis.mode == "all"


def test_in_powers_of_ten_the_cursor_stays_at_what_it_counts() -> None:
    axis = CompareAxis()
    history = fold(WHOLE)
    axis.update(runs(history))
    axis.point_at(20)
    place = axis.cursor
    axis.toggle_log()
    assert axis.counted_at_cursor == pytest.approx(place)
    edges = axis.edges(history, 80)
    assert (edges[0], edges[-1]) == (0, 400)
    assert edges[40] < 40  # of 400 steps
    axis.zoom_in()
    axis.zoom_out()
    assert axis.bounds == axis.whole
    axis.toggle_log()
    assert axis.cursor == pytest.approx(place)
