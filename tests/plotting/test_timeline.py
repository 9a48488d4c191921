from __future__ import annotations

import itertools
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_trainer.plotting.scales import ClockTimeline, EpochTimeline, SecondTimeline, StepTimeline, Timeline, edges

LENGTHS = st.lists(st.integers(1, 50), min_size=1, max_size=8)


def epochs(lengths: list[int], batches: int) -> EpochTimeline:
    return EpochTimeline([0, *itertools.accumulate(lengths)], batches)


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    kind = draw(st.sampled_from(["step", "epoch", "seconds", "clock"]))
    if kind == "step":
        return StepTimeline()
    if kind == "epoch":
        return epochs(draw(LENGTHS), draw(st.integers(1, 50)))
    waits = draw(st.lists(st.sampled_from([0.0, 0.01, 0.2, 3.0]), max_size=60))
    if kind == "clock":
        gaps = draw(st.lists(st.integers(1, 9), min_size=len(waits), max_size=len(waits)))
        return ClockTimeline([*itertools.accumulate(gaps)], [*itertools.accumulate(waits)])
    return SecondTimeline(array("d", itertools.accumulate(waits)))


@given(timelines(), st.integers(0, 400), st.integers(0, 400))
def test_places_rise_with_the_steps(timeline: Timeline, one: int, other: int) -> None:
    first, last = sorted((one, other))
    assert timeline.place(first) <= timeline.place(last)


@given(timelines(), st.integers(1, 300), st.integers(1, 120))
def test_every_step_lies_in_one_column(timeline: Timeline, steps: int, columns: int) -> None:
    found = edges(timeline, 0.0, timeline.place(steps), columns)
    assert len(found) == columns + 1
    assert found == sorted(found)
    assert found[0] == 0 or timeline.unit == "seconds"  # steps that took no time lie at the very beginning
    assert found[-1] >= steps


@given(LENGTHS, st.integers(1, 50), st.integers(0, 400))
def test_an_epoch_is_one_wide_however_many_batches_it_has(lengths: list[int], batches: int, step: int) -> None:
    timeline = epochs(lengths, batches)
    assert timeline.step(timeline.place(step)) == pytest.approx(step)
    ends = list(itertools.accumulate([*lengths, batches, batches]))
    assert [timeline.place(end) for end in ends] == pytest.approx(list(range(1, len(ends) + 1)))


def test_seconds_to_come_go_on_at_the_pace_so_far() -> None:
    timeline = SecondTimeline(array("d", [0.5, 1.0, 2.0, 2.0]))
    assert timeline.pace == 0.5
    assert [timeline.place(step) for step in range(7)] == [0.0, 0.5, 1.0, 2.0, 2.0, 2.5, 3.0]
    assert timeline.step(1.5) == 2.5
    assert timeline.step(2.0) == 4.0
    assert timeline.step(3.0) == 6.0


def test_seconds_before_the_first_step_are_a_guess() -> None:
    assert SecondTimeline(array("d")).place(3) == 3.0
