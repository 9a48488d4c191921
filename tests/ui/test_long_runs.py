"""A run of 200 epochs on the live screen: what was trained has the room, the rest a line; scales choose themselves."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from tests.scripted import scripted_run
from tests.ui.conftest import Show
from tui_trainer.events import AnyEvent, RunEnded, StepsTaken
from tui_trainer.ui.charts.chart import ABOVE, TURN, Chart
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.charts.plan_strip import PlanStrip

SPIKE_AT = 1001


def long_run(epochs: int = 16, spike: float | None = None, drop: float = 1.0) -> list[AnyEvent]:
    """So many of 200 epochs; the losses fall by a further factor from epoch to epoch."""
    events: list[AnyEvent] = []
    done = 0
    for event in scripted_run(epochs=200, batches=100, steps_a_line=20, status=None):
        if isinstance(event, StepsTaken):
            losses = [loss * drop**done for loss in event.losses if loss is not None]
            if spike is not None and event.step == SPIKE_AT:
                losses[0] = spike
            event = msgspec.structs.replace(event, losses=losses)
        events.append(event)
        done += type(event).__name__ == "EpochEnded"
        if done == epochs:
            break
    return events


def columns_of_the_curve(chart: LossChart) -> int:
    """The cells across in which the smoothed loss has dots."""
    cells: set[int] = set()
    for line in chart._drawn[1:]:
        at = 0
        for span in line:
            if span.role in ("smooth", "raw"):
                cells |= {at + i for i, letter in enumerate(span.text) if letter != " "}
            at += len(span.text)
    return len(cells)


@pytest.mark.says("chart.plan", "chart.follows")
async def test_the_curve_of_a_long_run_has_the_width_and_its_plan_a_line(show: Show) -> None:
    async with show(long_run(), size=(100, 30)) as shown:
        loss, strip = shown.the(LossChart), shown.the(PlanStrip)
        assert columns_of_the_curve(loss) >= 0.6 * loss.frame.width
        assert "so far" in shown.text()
        (line,) = strip.plain()
        assert line.split()[0] == "plan"
        assert line.rstrip().endswith("200")
        at = line.index("┃") - 7
        assert at == pytest.approx(loss.frame.width * 16 / 200, abs=1)
        height = loss.size.height
        await shown.press("0")
        assert columns_of_the_curve(loss) < 0.1 * loss.frame.width
        assert strip.display  # or the charts would jump
        assert loss.size.height == height
        assert "so far" not in shown.text()
        await shown.press("f")
        assert "the charts follow the newest step" in shown.text()
        assert columns_of_the_curve(loss) >= 0.6 * loss.frame.width
        assert strip.display
        await shown.frame(RunEnded(at=1e9, status="stopped", step=1600, epoch=16, exit_code=0, reason=""))
        assert columns_of_the_curve(loss) >= 0.9 * loss.frame.width


@pytest.mark.never_says("chart.plan", in_all_cases=False)
@pytest.mark.says("chart.is_over")
@pytest.mark.never_says("chart.follows", "state.frozen")
async def test_a_run_that_has_ended_follows_nothing(show: Show, captions_said: set[str]) -> None:
    async with show(scripted_run(epochs=3)) as shown:
        assert "chart.plan" not in captions_said
        await shown.press("plus", "plus", "less_than_sign")
        await shown.press("f")
        assert "the run has ended: this is its end" in shown.text()
    assert not captions_said & {"chart.follows", "state.frozen"}


async def test_where_the_lr_moves_all_the_time_some_of_its_marks_are_left_out(show: Show) -> None:
    async with show(long_run(60), size=(100, 30)) as shown:
        chart = shown.the(LRChart)
        at = sorted(i for line in chart.plain()[1:] for i, letter in enumerate(line) if letter == TURN)
        assert len(at) > 8
        assert all(after - before >= 4 for before, after in itertools.pairwise(at))


@pytest.mark.never_says("chart.is_over")
async def test_scales_choose_themselves_until_a_hand_does(show: Show, captions_said: set[str]) -> None:
    async with show(long_run(drop=0.7), size=(100, 30)) as shown:
        loss, lr = shown.the(LossChart), shown.the(LRChart)
        assert loss.log_scale  # from 2.3 to less than a hundredth
        assert lr.log_scale  # half as high from epoch to epoch
        assert "log scale" in loss.plain()[0]
        await shown.press("y")
        assert not loss.log_scale
        assert "log scale" not in loss.plain()[0]
        await shown.frame(*long_run(17, drop=0.7)[len(long_run(16)) :])
        assert not loss.log_scale  # what was chosen stays
        await shown.press("y", "f")
        assert loss.log_scale
    assert "chart.is_over" not in captions_said


@pytest.mark.parametrize("spike", [400.0, 1e9])
async def test_a_spike_is_cut_off_with_a_mark(show: Show, spike: float) -> None:
    async with show(long_run(), size=(100, 30)) as shown:
        without = rows_of_ticks(shown.the(LossChart))
    async with show(long_run(spike=spike), size=(100, 30)) as shown:
        loss = shown.the(LossChart)
        assert rows_of_ticks(loss) == without
        assert loss.plain()[1].count(ABOVE) == 1
        await shown.press("0", "f")
        assert loss.plain()[1].count(ABOVE) == 1


def rows_of_ticks(chart: Chart) -> list[str]:  # type: ignore[type-arg]
    """The labels of the left axis."""
    return [line[:6].strip() for line in chart.plain()[1:]]
