"""A chart of any series over any axis: what is drawn, what is marked, what is left out, and what it costs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import inf, log10, nan

import pytest

from tests.made_metrics import begun, ended, logged, many_series, sparse_run
from tests.records.streams import fold
from tests.scripted import START, scripted_run
from tests.ui.conftest import Show, Shown
from tui_trainer.events import AnyEvent, Continued, MetricColumns, MetricDeclared, Paused, StepsTaken
from tui_trainer.plotting.curves import MinMaxTree
from tui_trainer.records.history import History
from tui_trainer.ui.charts import series_axis
from tui_trainer.ui.charts.line_chart import AT_ONCE, LineChart, Scatter, figure, number, trend
from tui_trainer.ui.charts.series_axis import KnotTimeline, SeriesAxis, SeriesExtent
from tui_trainer.ui.charts.series_curve import SeriesCurve


def axis_of(history: History) -> SeriesAxis:
    axis = SeriesAxis()
    axis.update(history)
    return axis


def columns_of(history: History, name: str, columns: int = 100, axis: SeriesAxis | None = None) -> Sequence[object]:
    curve = SeriesCurve(history.series[name])
    assert curve.catch_up()
    return curve.over((axis or axis_of(history)).edges(columns))


async def drawn(show: Show, events: Sequence[AnyEvent], *keys: str, size: tuple[int, int] = (80, 24)) -> str:
    async with show(list(events), size=size) as shown:
        await shown.press("m", *keys)
        return shown.text()


# What lies where


def test_step_0_is_in_sight() -> None:
    history = fold([begun(), logged(0, a=5.0), logged(10, a=1.0)])
    assert columns_of(history, "a", 5)[0] == (5.0, 5.0)
    assert axis_of(history).bounds[0] == -1.0


def test_a_run_that_begins_at_step_1000_is_seen_from_there_on() -> None:
    history = fold([begun(), *(logged(step, a=float(step)) for step in range(1000, 1201, 10)), ended(1200)])
    axis = axis_of(history)
    assert axis.bounds == (999.0, 1200.0)
    assert columns_of(history, "a", axis=axis)[-1] == (1200.0, 1200.0)


def test_one_that_begins_a_little_late_is_seen_from_the_beginning() -> None:
    history = fold([begun(), *(logged(step, a=1.0) for step in range(50, 5001, 50)), ended(5000)])
    assert axis_of(history).bounds == (0.0, 5000.0)


@pytest.mark.parametrize("unit", ["step", "epoch", "time"])
def test_every_value_is_in_exactly_one_column(unit: str) -> None:
    history = fold(sparse_run(end=True))
    axis = axis_of(history)
    axis.count(unit)  # type: ignore[arg-type]
    assert axis.unit == {"time": "seconds"}.get(unit, unit)
    curve = SeriesCurve(history.series["train/loss_a"])
    curve.catch_up()
    indices = curve.indices(axis.edges(37))
    assert (indices[0], indices[-1]) == (0, len(curve.series.values))
    assert indices == sorted(indices)


def test_columns_hold_the_extremes_however_many_values_they_have() -> None:
    values = [random.Random(3).random() for _ in range(5000)]
    history = fold([begun(), *(logged(step, a=value) for step, value in enumerate(values, 1)), ended(5000)])
    extents = columns_of(history, "a", 10)
    for column, extent in enumerate(extents):
        part = values[column * 500 : (column + 1) * 500]
        assert extent == (min(part), max(part))


def test_columns_grow_as_values_come_and_equal_those_read_at_once() -> None:
    events = sparse_run(steps=2000, every=10)
    history = fold(events[:100])
    axis, curve = axis_of(history), SeriesCurve(history.series["train/loss_a"])
    for event in events[100:]:
        history.apply(event)
        axis.update(history)
        curve.catch_up()
        grown = curve.over(axis.edges(60))
    assert grown == columns_of(history, "train/loss_a", 60, axis)


def test_what_took_anothers_place_is_read_anew() -> None:
    history = fold([begun(), *(logged(step, a=1.0) for step in range(1, 101))])
    curve = SeriesCurve(history.series["a"])
    curve.catch_up()
    for step in range(51, 101):
        history.apply(logged(step, a=9.0))
    curve.catch_up()
    axis = axis_of(history)
    assert curve.over(axis.edges(100)) == columns_of(history, "a", axis=axis)
    (earlier,) = curve.earlier(axis.edges(10))
    assert earlier[-2] == (1.0, 1.0)
    assert earlier[0] is None


def test_a_line_to_a_value_out_of_sight_reaches_the_edge() -> None:
    history = fold([begun(), logged(100, a=0.0), logged(200, a=1.0), ended(200)])
    curve = SeriesCurve(history.series["a"])
    curve.catch_up()
    extents = curve.over([120, 140, 160])
    assert extents == [None, None]
    curve.to_the_edges(extents, [120, 140, 160])
    assert extents[0] == pytest.approx((0.21, 0.21))
    assert extents[1] == pytest.approx((0.6, 0.6))


def test_values_that_are_not_finite_are_marks_and_lost_steps_are_none() -> None:
    rows = [logged(1, a=1.0), logged(2, a=nan), logged(3, a=inf), logged(4, a=-inf), logged(5, a=2.0), ended(5)]
    history = fold([begun(), *rows])
    curve = SeriesCurve(history.series["a"])
    curve.catch_up()
    edges = axis_of(history).edges(5)
    assert curve.marks(edges, 1) == {1: "×", 2: "▲", 3: "▼"}
    assert curve.not_finite == 3


def steps(first: int, losses: list[float | None]) -> StepsTaken:
    clock = [float(first + i) for i in range(len(losses))]
    return StepsTaken(at=START, step=first, epoch=1, batch=first, losses=losses, lrs=[0.1], elapsed=clock)


def test_a_step_that_was_lost_is_a_gap_without_a_mark() -> None:
    history = fold([begun(), steps(1, [1.0, 2.0]), steps(6, [None, 2.0]), steps(8, [2.0])])
    curve = SeriesCurve(history.series["train_loss"])
    curve.catch_up()
    edges = axis_of(history).edges(8)
    assert history.series["train_loss"].missing == 3
    assert curve.not_finite == 1
    assert list(curve.marks(edges, 1).values()) == ["×"]


# Along x


def test_time_goes_on_where_another_process_begins_its_clock_anew() -> None:
    knots = KnotTimeline("seconds", joins=True)
    for step, clock in ((10, 5.0), (20, 10.0), (30, 1.0), (40, 6.0)):
        knots.add(step, clock)
    assert [knots.place(step) for step in (10, 20, 30, 40)] == [5.0, 10.0, 10.0, 15.0]
    assert knots.rises


@pytest.mark.parametrize("step", [0, 3, 10, 15, 40, 55])
def test_a_step_is_found_at_its_place(step: int) -> None:
    knots = KnotTimeline("step")
    for at, place in ((10, 2.0), (20, 8.0), (40, 9.0)):
        knots.add(at, place)
    assert knots.step(knots.place(step)) == pytest.approx(step)


def test_time_of_day_stands_in_no_pause() -> None:
    events: list[AnyEvent] = [begun(), logged(10, a=1.0), logged(20, a=1.0)]
    events += [Paused(at=START + 2, step=20, by=""), Continued(at=START + 102, step=20, by="")]
    history = fold(events)
    history.apply(logged(30, a=2.0))
    axis = axis_of(history)
    axis.count("wall clock")
    places = [axis.place(step) - START for step in (10, 30)]
    assert places[0] == pytest.approx(1, abs=0.1)
    assert places[1] == pytest.approx(103, abs=0.1)


def test_images_are_those_of_the_batches_the_last_of_an_epoch_being_smaller() -> None:
    history = fold(scripted_run(epochs=3, batches=20, batch_size=64, last_batch_size=32))
    axis = axis_of(history)
    axis.count("images")
    resolved = history.resolved
    assert resolved is not None
    assert axis.place(10) == pytest.approx(640, rel=0.06)
    assert axis.place(20) == min(resolved.train_images, 20 * 64)


def test_epochs_of_a_run_that_tells_none_are_no_choice() -> None:
    history = fold([begun(), *(logged(step, a=1.0) for step in range(1, 50))])
    assert ("epoch", "") not in SeriesAxis().choices(history)
    assert ("epoch", "") in SeriesAxis().choices(fold(sparse_run()))


def test_tokens_are_a_choice_where_a_series_counts_them() -> None:
    history = fold([begun(), *(logged(step, **{"train/tokens": step * 512.0, "a": 1.0}) for step in range(1, 50))])
    assert ("series", "train/tokens") in SeriesAxis().choices(history)
    axis = axis_of(history)
    axis.count("series", "train/tokens")
    assert axis.place(20) == 20 * 512


def test_powers_of_ten_along_x() -> None:
    history = fold([begun(), *(logged(step, a=1.0) for step in range(1, 1001)), ended(1000)])
    axis = axis_of(history)
    axis.toggle_log()
    axis.update(history)
    assert axis.bounds == pytest.approx((0.0, 3.0), abs=1e-5)
    assert axis.edges(90)[0] == 0  # the first step is in sight
    assert axis.column_of(100, 90) == pytest.approx(60, abs=1)
    assert [tick.label for tick in axis.ticks(60)][:3] in (["1", "10", "100"], ["1", "2", "5"])
    assert axis.place(10) == pytest.approx(log10(10))


def test_over_a_series_that_falls_and_rises_it_is_points_by_its_values() -> None:
    lrs = [0.1, 0.2, 0.3, 0.2, 0.1]
    history = fold([begun(), *(logged(step, lr=lr, a=float(step)) for step, lr in enumerate(lrs, 1)), ended(5)])
    axis = axis_of(history)
    axis.count("series", "lr")
    assert axis.course.scattered is history.series["lr"]
    extents, done = Scatter(history.series["a"], history.series["lr"]).columns(axis, 3)
    assert done
    assert extents == [(1.0, 5.0), (2.0, 4.0), (3.0, 3.0)]


# What stands over it


@pytest.mark.says("metric.unmoved", "metric.not_finite")
async def test_what_has_not_moved_and_what_is_not_finite_is_said(show: Show) -> None:
    text = await drawn(show, [begun(), *(logged(step, a=2.0, b=nan if step == 7 else 1.0) for step in range(1, 20))])
    lines = text.splitlines()
    assert "has not moved" in next(line for line in lines if "a  2.0000" in line)
    assert "1 not finite" in next(line for line in lines if "b  1.0000" in line)


@pytest.mark.never_says("metric.unmoved", "metric.not_finite")
async def test_what_moved_once_is_finite_and_has_one_value_is_not_said_to_be_anything(show: Show) -> None:
    rows = [logged(step, a=2.0 if step != 7 else 2.001) for step in range(1, 20)]
    text = await drawn(show, [begun(), *rows, logged(20, b=1.0)])
    assert "not moved" not in text
    assert "not finite" not in text


@pytest.mark.never_says("metric.not_finite", in_all_cases=False)
@pytest.mark.never_says("metric.unmoved")
@pytest.mark.parametrize("first", [1.0, nan])
def test_of_a_series_that_is_still_being_read_neither_is_said(first: float) -> None:
    count = 2 * AT_ONCE
    values = [first] + [1.0] * (count - 2) + [2.0 if first == 1.0 else nan]
    history = fold([begun(), MetricColumns(at=START, steps=[*range(1, count + 1)], values={"a": values})])
    curve = SeriesCurve(history.series["a"], smooths=False)
    assert not curve.catch_up()
    assert LineChart(axis_of(history))._notes(curve) == []
    assert curve.has_moved
    assert curve.catch_up()
    notes = [run.text for run in LineChart(axis_of(history))._notes(curve)]
    assert notes == ([] if first == 1.0 else ["2 not finite"])


@pytest.mark.says("metric.lost")
async def test_a_value_that_was_lost_is_said_to_be_at_the_cursor(show: Show) -> None:
    async with show([begun(), steps(1, [1.0] * 5), steps(50, [2.0] * 5), steps(55, [1.0])]) as shown:
        await shown.press("m")
        shown.app.screen.axis._set_cursor(30)  # type: ignore[attr-defined]
        await shown.frame()
        assert "train_loss  not known" in shown.text()


@pytest.mark.never_says("metric.lost")
async def test_a_nan_that_was_logged_is_not_said_to_be_lost(show: Show) -> None:
    text = await drawn(show, [begun(), logged(1, a=1.0), logged(2, a=nan)], "comma")
    assert "NaN" in text
    assert "not known" not in text


async def test_the_value_at_the_cursor_says_of_which_step_it_is(show: Show) -> None:
    async with show([begun(), logged(10, a=1.25), logged(20, b=3.0), logged(30, b=4.0)]) as shown:
        await shown.press("m", "comma")
        assert "1.2500 at 10" in shown.line("a  1")
        assert "b  4.0000 at" not in shown.line("b  4.0000")


async def test_several_lie_in_one_chart_each_with_its_name_its_sign_and_its_value(show: Show) -> None:
    text = await drawn(show, sparse_run(), "down", "space", "down", "space", "pageup", "pageup", size=(140, 40))
    line = next(line for line in text.splitlines() if "●" in line and "▲" in line)
    assert line.count("loss") + line.count("lr") >= 2


def test_an_lr_is_written_as_it_is_everywhere() -> None:
    history = fold(
        [MetricDeclared(at=START, name=name, kind=kind) for name, kind in {"eta": "lr", "nll": "train"}.items()]
    )
    assert [figure(history.series, name, 0.001) for name in ("eta", "nll")] == ["0.001", "0.0010"]
    assert figure(history.series, "eta", float("nan")) == "NaN"


def test_numbers_are_said_whole_where_they_are() -> None:
    assert number(12288000.0) == "12,288,000"
    assert (number(683.0), number(1.0), number(0.0)) == ("683", "1.0000", "0")
    assert number(nan) == "NaN"
    assert number(-inf) == "-inf"
    assert number(0.25, "GB") == "0.2500 GB"


def test_a_trend_is_as_high_as_the_values() -> None:
    history = fold([begun(), *(logged(step, a=float(step) if step < 80 else nan) for step in range(1, 101))])
    curve = SeriesCurve(history.series["a"])
    curve.catch_up()
    assert trend(curve, 10) == "▁▂▃▄▅▆▇█××"


# What it costs


class CountingTree(MinMaxTree):
    asked = 0

    def extent(self, start: int, stop: int) -> tuple[float, float] | None:
        CountingTree.asked += 1
        return super().extent(start, stop)


@pytest.mark.parametrize("every", [1, 10])
def test_a_redraw_costs_by_columns_and_by_what_is_new(monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    monkeypatch.setattr("tui_trainer.ui.charts.series_curve.MinMaxTree", CountingTree)
    history = fold([begun(), *(logged(step, a=float(step % 7)) for step in range(every, 20001, every))])
    axis, curve = axis_of(history), SeriesCurve(history.series["a"])
    curve.catch_up()
    curve.over(axis.edges(100))
    before = CountingTree.asked
    history.apply(logged(20010, a=1.0))
    axis.update(history)
    curve.catch_up()
    curve.over(axis.edges(100))
    assert CountingTree.asked - before <= 3


async def test_a_chart_is_made_from_a_description(show: Show) -> None:
    history = fold(sparse_run())
    async with show(sparse_run()) as shown:
        axis = SeriesAxis()
        chart = LineChart(axis, series=["lr-SGD/pg0", "lr-SGD/pg1"], title="lr", y="log", smoothing=1)
        await shown.app.screen.mount(chart)
        axis.count("time")
        chart.draw_series(history, chart.names)
        chart.styles.height = chart.styles.width = 30
        await shown.frame()
        assert chart.log_scale
        assert "lr" in chart.plain()[0]
        assert "pg1" in chart.plain()[0]


async def test_a_restart_stands_faint_behind_what_took_its_place(show: Show) -> None:
    def styles(shown: Shown) -> set[str]:
        (chart,) = [chart for chart in shown.app.screen.query(LineChart) if chart.names == ("train/loss",)]
        return {span.role for line in chart._drawn for span in line}

    declared = MetricDeclared(at=START, name="train/loss", objective=True)
    once = [begun(), declared, *(logged(step, **{"train/loss": 1.0 + step % 3}) for step in range(1, 30))]
    async with show(once) as shown:
        await shown.press("m")
        assert "planned" not in styles(shown)
        await shown.frame(*(logged(step, **{"train/loss": 0.5}) for step in range(10, 30)))
        assert "planned" in styles(shown)


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (200, 60), (60, 16)])
async def test_nothing_reaches_over_its_line(show: Show, size: tuple[int, int]) -> None:
    async with show(many_series(steps=2000), size=size) as shown:
        await shown.press("m", "space", "down", "space", "down", "space", "comma")
        for chart in shown.app.screen.query(LineChart):
            if chart.is_on_screen and chart.size.width:
                for strip in chart._strips:
                    assert strip.cell_length == chart.size.width


def test_a_long_clock_is_read_over_several_frames() -> None:
    history, count = History(), 2 * series_axis.AT_ONCE + 5
    steps = list(range(1, count + 1))
    columns = MetricColumns(at=1e9, steps=steps, values={"loss": [1.0] * count}, elapsed=[step / 10 for step in steps])
    history.apply(columns)
    extent = SeriesExtent()
    extent.count("time")
    frames = 0
    while extent.follow(history):
        frames += 1
    assert frames == 3
    assert extent.timeline.place(count) - extent.timeline.place(1) == pytest.approx((count - 1) / 10)


def test_a_trend_over_powers_of_ten_can_be_seen_in_all_of_them() -> None:
    history = fold([begun(), *(logged(step, a=10.0**-step) for step in range(1, 9))])
    curve = SeriesCurve(history.series["a"], smooths=False)
    curve.catch_up()
    assert trend(curve, 8) == "█▂▁▁▁▁▁▁"
    assert trend(curve, 8, can_be_log=True) == "█▇▆▅▄▃▂▁"
