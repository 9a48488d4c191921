"""The charts as widgets: what they show of a run, what they redraw, and that nothing breaks them."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from tests.plotting.dots import lit
from tests.scripted import scripted_run
from tui_trainer.events import (
    MOMENTUM,
    AnyEvent,
    EpochEnded,
    GroupPlan,
    LRChanged,
    MetricDeclared,
    MetricsLogged,
    PlanMade,
    PresetSwitched,
    RunConfigured,
    RunEnded,
    StepsTaken,
)
from tui_trainer.plotting.figure import Marks
from tui_trainer.records.history import History
from tui_trainer.text.plain import in_ascii
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.chart import Frame
from tui_trainer.ui.charts.logged_lrs import MOST, SIGNS
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.charts.lr import LRChart


class Charts(App[None]):
    CSS = "LossChart { height: 2fr; } LRChart { height: 1fr; }"

    def __init__(self, marks: Marks = "braille") -> None:
        super().__init__()
        self.axis = XAxis()
        self.loss, self.lr = LossChart(self.axis, marks=marks), LRChart(self.axis, marks=marks)

    def compose(self) -> ComposeResult:
        yield self.loss
        yield self.lr

    async def show(self, history: History, pilot: Pilot[None]) -> None:
        self.loss.show(history)
        self.lr.show(history)
        await pilot.pause()


def history_of(events: Sequence[AnyEvent]) -> History:
    history = History()
    for event in events:
        history.apply(event)
    return history


def run(part: float = 1.0, **arguments: Any) -> History:
    """A scripted run, as far as a part of its events tells it."""
    events = scripted_run(**arguments)
    return history_of(events[: math.ceil(part * len(events))])


def column(line: str, character: str) -> list[int]:
    return [i for i, letter in enumerate(line) if letter == character]


SIZES = [(30, 4), (30, 12), (59, 20), (80, 21), (140, 40), (250, 30)]
RUNS = {
    "no event yet": History(),
    "a plan alone": history_of(scripted_run()[:5]),
    "one step": run(steps_a_line=1, part=0.15),
    "under way": run(0.6, epochs=5),
    "finished": run(epochs=4, scheduler="OneCycleLR"),
    "plateau": run(epochs=6, scheduler="ReduceLROnPlateau"),
    "diverged": run(epochs=3, not_finite_at=25),
    "switched": run(epochs=6, switch_at=3),
}


@pytest.mark.parametrize("size", SIZES)
async def test_every_run_is_drawn_at_every_size(size: tuple[int, int]) -> None:
    app = Charts()
    async with app.run_test(size=size) as pilot:
        for name, history in RUNS.items():
            for log in (False, True):
                app.loss.log_scale = app.lr.log_scale = log
                await app.show(history, pilot)
                for chart in (app.loss, app.lr):
                    lines = chart.plain()
                    assert len(lines) == chart.size.height, name
                    assert all(len(line) <= size[0] for line in lines), name
                    assert any(line.strip() for line in lines), name


@pytest.mark.parametrize(("epochs", "last", "asks"), [(10, 2, False), (100, 20, False), (100, 21, True), (30, 9, True)])
def test_the_scale_of_the_lr_chooses_itself_whatever_the_width(epochs: int, last: int, asks: bool) -> None:
    batches = 63
    fall = (epochs - last) * batches + 1
    plan = PlanMade(at=0.0, steps=[1, fall], lrs=[0.1, 0.001], last_step=epochs * batches)
    chosen = set()
    for width in range(24, 250, 3):
        chart = LRChart(XAxis())
        chart.show_plan(plan, batches_per_epoch=batches)
        chart.draw(Frame.within(width, 12, True))
        chosen.add(chart.log_scale)
    assert chosen == {asks}


async def test_before_the_first_batch_there_are_axes_a_word_and_the_plan() -> None:
    app = Charts()
    async with app.run_test(size=(80, 21)) as pilot:
        await app.show(RUNS["a plan alone"], pilot)
        assert any("no batch yet" in line for line in app.loss.plain())
        assert all("│" in line for line in app.loss.plain()[1:])
        assert lit([line[7:74] for line in app.lr.plain()[1:-2]])
        assert app.lr.plain()[-1].split() == ["all", "0", "1", "2", "3", "epoch"]
        await app.show(History(), pilot)
        assert any("no plan yet" in line for line in app.lr.plain())


async def test_columns_stand_under_each_other() -> None:
    app = Charts()
    async with app.run_test(size=(100, 30)) as pilot:
        await app.show(run(epochs=6, scheduler="StepLR", switch_at=3), pilot)
        loss, lr = app.loss.plain(), app.lr.plain()
        ticks = sorted(at for letter in "┬┴■" for at in column(lr[-2], letter))
        switched = [column(line, "┊") for line in (*loss[1:], *lr[1:-2])]
        at = ticks[2]  # after epoch 2, the third tick from 0 on
        assert sum(at in columns for columns in switched) > len(switched) / 2  # but where curves lie over it
        points = {at for line in loss[1:] for at in (*column(line, "◆"), *column(line, "◇"))}
        assert len(points) == 2
        assert points <= set(ticks)
        assert "onecycle" in loss[1]


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("switch_at", [2, 3, 4, 5, 6])
async def test_the_name_of_a_switch_is_whole_beside_its_line(width: int, switch_at: int) -> None:
    app = Charts()
    async with app.run_test(size=(width, 30)) as pilot:
        await app.show(run(epochs=6, scheduler="StepLR", switch_at=switch_at), pilot)
        top = app.loss.plain()[1]
        assert "┊ onecycle" in top or "onecycle ┊" in top


async def test_names_of_switches_that_lie_close_leave_room_for_each_other() -> None:
    history = run(epochs=6, scheduler="StepLR", switch_at=3)
    for step, name in ((45, "a-very-long-name-of-a-preset"), (50, "another-long-name-of-a-preset")):
        recipe = msgspec.structs.replace(history.switches[0].recipe, preset=name)
        history.apply(msgspec.structs.replace(history.switches[0], step=step, recipe=recipe))
    app = Charts()
    async with app.run_test(size=(60, 30)) as pilot:
        await app.show(history, pilot)
        assert " onecycle ┊ ┊ ┊ another-long-name-of-a-pr…├" in app.loss.plain()[1]


def validated(values: Sequence[float], status: Any = "finished", log: bool = False) -> History:
    """A run with these losses at the ends of its epochs."""
    events: list[AnyEvent] = []
    for event in scripted_run(epochs=len(values), status=status):
        if isinstance(event, EpochEnded):
            event = msgspec.structs.replace(event, val_loss=values[event.epoch - 1])
        events.append(event)
    return history_of(events)


def dots_of(chart: LossChart | LRChart, role: str) -> set[tuple[int, int]]:
    """The dots of the cells in which a curve of this style is seen."""
    lines = [
        "".join(span.text if span.role == role else " " * len(span.text) for span in line) for line in chart.lines()[1:]
    ]
    return lit(["".join(c if "\u2800" <= c <= "\u28ff" else " " for c in line) for line in lines])


@pytest.mark.parametrize("log", [False, True])
async def test_validation_loss_is_a_line_as_fine_as_the_others(log: bool) -> None:
    """A network that overfits is seen to: 0.0921 rises to 0.1102 within one row of cells."""
    app = Charts()
    async with app.run_test(size=(140, 40)) as pilot:
        app.loss.log_scale = log
        await app.show(validated([0.6, 0.2, 0.0921, 0.0950, 0.0990, 0.1040, 0.1102]), pilot)
        dots = dots_of(app.loss, "val")
        last = app.axis.column_of(app.axis.total, app.axis.width)
        lowest = app.axis.column_of(app.axis.total * 3 // 7, app.axis.width)
        assert last is not None
        assert lowest is not None
        after = [y for x, y in dots if (x - 14) // 2 > lowest + 1]
        assert max(after) > min(after)
        assert len({x for x, _ in dots if (x - 14) // 2 > lowest}) > (last - lowest)  # dots, not one mark an epoch


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([0.5, 0.2, 0.1, 0.15, 0.12], {"◆": 3, "◇": 5}),
        ([0.5, 0.4, 0.3, 0.2, 0.1], {"◆": 5}),
        ([0.5], {"◆": 1}),
        ([0.5, 0.2, math.nan], {"◆": 2}),
    ],
)
async def test_of_the_validations_only_the_lowest_and_the_last_are_marked(
    values: list[float], marks: dict[str, int]
) -> None:
    app = Charts()
    async with app.run_test(size=(140, 40)) as pilot:
        history = validated(values)
        await app.show(history, pilot)
        lines = app.loss.plain()
        cells = {
            mark: app.axis.column_of(history.epochs[epoch - 1].step, app.axis.width) for mark, epoch in marks.items()
        }
        assert {mark: [at - 7 for line in lines[1:] for at in column(line, mark)] for mark in "◆◇"} == {
            mark: [cells[mark]] if mark in cells else [] for mark in "◆◇"
        }


async def test_validation_over_training_is_seen_and_so_is_training() -> None:
    app = Charts()
    async with app.run_test(size=(140, 40)) as pilot:
        history = validated([0.5] * 6)
        history.losses[:] = array(history.losses.typecode, [0.5] * len(history.losses))
        await app.show(history, pilot)
        assert dots_of(app.loss, "val")
        assert dots_of(app.loss, "smooth")


@pytest.mark.parametrize(("status", "ends"), [("finished", 0), (None, 0), ("stopped", 1), ("crashed", 1)])
async def test_a_run_that_ended_early_ends_in_a_cross(status: Any, ends: int) -> None:
    app = Charts()
    events = scripted_run(epochs=5, status=status)
    if ends:  # after three of five epochs
        third = next(i for i, event in enumerate(events) if isinstance(event, EpochEnded) and event.epoch == 3)
        events = [*events[: third + 1], msgspec.structs.replace(events[-1], step=events[third].step)]
    async with app.run_test(size=(140, 40)) as pilot:
        history = history_of(events)
        await app.show(history, pilot)
        crosses = [at - 7 for line in app.loss.plain()[1:] for at in column(line, "✗")]
        assert crosses == [app.axis.column_of(history.steps, app.axis.width)] * ends


async def test_a_run_that_diverged_ends_in_a_cross_where_its_loss_was_last_finite() -> None:
    app = Charts()
    async with app.run_test(size=(140, 40)) as pilot:
        await app.show(RUNS["diverged"], pilot)
        crosses = [(row, at) for row, line in enumerate(app.loss.plain()[1:]) for at in column(line, "✗")]
        assert len(crosses) == 1
        app.axis.point_at(3)
        for _ in range(3):
            app.axis.zoom_in()  # and none where its end is out of sight
        await pilot.pause()
        assert not any(column(line, "✗") for line in app.loss.plain()[1:])


async def test_the_title_says_the_numbers_now_and_those_at_the_cursor() -> None:
    history = run(epochs=6, scheduler="OneCycleLR")
    app = Charts()
    async with app.run_test(size=(120, 30)) as pilot:
        await app.show(history, pilot)
        loss, lr = app.loss.plain()[0], app.lr.plain()[0]
        last, best = history.epochs[-1], history.epochs[3]
        assert f"val {last.val_loss:.4f}  epoch 6" in loss
        assert "lowest" not in loss
        assert loss.endswith(f"accuracy {last.val_accuracy:.4f}")
        assert "peak at step 37" in lr
        cell = app.axis.column_of(best.step, app.axis.width)
        assert cell is not None
        app.axis.point_at(cell)
        await pilot.pause()
        at = app.axis.cursor
        assert at is not None
        loss, lr = app.loss.plain()[0], app.lr.plain()[0]
        assert f"step {at}  train {history.losses[at - 1]:.4f}" in loss
        assert f"val {best.val_loss:.4f}  epoch 4, lowest" in loss
        assert f"step {at}  {history.lrs[at - 1]:.4g} used" in lr
        assert "planned" in lr
        assert all(column(line, "│") for line in app.loss.plain()[1:])


async def test_a_narrow_title_leaves_out_what_matters_least() -> None:
    app = Charts()
    async with app.run_test(size=(40, 20)) as pilot:
        await app.show(run(epochs=4), pilot)
        assert "train" in app.loss.plain()[0]
        assert "smoothed" not in app.loss.plain()[0]
        assert "accuracy" not in app.loss.plain()[0]


async def test_only_changed_lines_are_drawn_and_nothing_is_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[tuple[Region, ...], bool]] = []

    def refresh(self: LossChart, *regions: Region, layout: bool = False, **other: bool) -> LossChart:
        asked.append((regions, layout))
        return self

    events = scripted_run(epochs=5, steps_a_line=1)
    history = history_of(events[:200])
    app = Charts()
    async with app.run_test(size=(100, 30)) as pilot:
        await app.show(history, pilot)
        monkeypatch.setattr(LossChart, "refresh", refresh)
        app.loss.show(history)
        assert asked == []
        for event in events[200:]:
            if isinstance(event, StepsTaken):
                history.apply(event)
                break
            history.apply(event)
        app.loss.show(history)
        assert not any(layout for _, layout in asked)
        lines = {region.y for regions, _ in asked for region in regions}
        assert 0 in lines
        assert len(lines) < app.loss.size.height / 2


async def test_what_is_not_finite_is_marked_and_not_drawn() -> None:
    app = Charts()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(run(epochs=3, not_finite_at=25), pilot)
        title, first, *_ = app.loss.plain()
        assert column(first, "!")
        assert title.split()[1:3] == ["train", "–"]


async def test_a_logarithmic_scale_marks_what_is_zero_or_less() -> None:
    events = scripted_run(epochs=2, status=None)
    spoilt = [
        StepsTaken(
            at=event.at,
            step=event.step,
            epoch=event.epoch,
            batch=event.batch,
            losses=[0.0 if event.step + i == 30 else loss for i, loss in enumerate(event.losses)],
            lrs=event.lrs,
            elapsed=event.elapsed,
        )
        if isinstance(event, StepsTaken)
        else event
        for event in events
    ]
    app = Charts()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(history_of(spoilt), pilot)
        assert not any(column(line, "▾") for line in app.loss.plain())
        app.loss.log_scale = True
        assert len(column(app.loss.plain()[-1], "▾")) == 1


async def test_smoothing_is_adjusted_and_said() -> None:
    history = run(epochs=5)
    app = Charts()
    async with app.run_test(size=(120, 30)) as pilot:
        await app.show(history, pilot)
        assert app.loss.window == 5
        assert "smoothed 5 " in app.loss.plain()[0]
        app.loss.smooth_more()
        assert "smoothed 10 " in app.loss.plain()[0]
        for _ in range(9):
            app.loss.smooth_less()
        assert app.loss.window == 1
        assert f"train {history.losses[-1]:.4f}" in app.loss.plain()[0]


FLAT = "if val_accuracy got no better"


async def test_a_plan_is_shown_without_a_run() -> None:
    app = Charts()
    plan = PlanMade(at=0.0, steps=[1], lrs=[0.001], last_step=60, note="depends on val_loss: it falls")
    flat = PlanMade(at=0.0, steps=[1, 11, 21], lrs=[0.001, 0.0005, 0.00025], last_step=60, note=FLAT)
    async with app.run_test(size=(100, 30)) as pilot:
        app.lr.show_plan(None)
        assert any("being made" in line for line in app.lr.plain())
        app.lr.show_plan(plan, batches_per_epoch=20)
        await pilot.pause()
        alone = app.lr.plain()
        assert "depends on val_loss" in alone[0]
        assert alone[-1].split()[-1] == "epoch"
        app.lr.show_plan(plan, batches_per_epoch=20, if_flat=flat)
        assert app.lr.plain()[1:-2] != alone[1:-2]
        assert "if val_accuracy got no better: from 0.001 to 0.00025" in app.lr.plain()[0]
        app.lr.show_plan(plan)
        assert app.lr.plain()[-1].split()[-1] == "step"


async def test_another_history_is_another_drawing() -> None:
    app = Charts()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.show(run(epochs=4), pilot)
        before = app.loss.plain(), app.lr.plain()
        await app.show(run(epochs=8, scheduler="OneCycleLR"), pilot)
        after = app.loss.plain(), app.lr.plain()
        assert before != after
        app.lr.show_plan(None)
        await app.show(run(epochs=4), pilot)
        assert (app.loss.plain(), app.lr.plain()) == before


async def test_one_plain_character_a_cell_where_a_terminal_has_no_others() -> None:
    app = Charts("ascii")
    async with app.run_test(size=(80, 24)) as pilot:
        for history in RUNS.values():
            await app.show(history, pilot)
            app.axis.move_cursor(-1)
            assert all(line.isascii() for line in (*app.loss.plain(), *app.lr.plain()))
            app.axis.reset()


@pytest.mark.parametrize("marks", ["braille", "blocks", "ascii"])
async def test_in_no_style_is_anything_drawn_that_ascii_has_no_stand_in_for(marks: Marks) -> None:
    app = Charts(marks)
    async with app.run_test(size=(80, 24)) as pilot:
        for history in RUNS.values():
            await app.show(history, pilot)
            app.axis.move_cursor(-1)
            lines = [*app.loss.plain(), *app.lr.plain()]
            assert not [line for line in lines if "?" in in_ascii(line)]
            assert [len(in_ascii(line)) for line in lines] == [len(line) for line in lines]
            app.axis.reset()


async def test_a_preset_of_any_name_stays_one_cell_a_letter() -> None:
    events = [
        PresetSwitched(at=event.at, step=event.step, epoch=event.epoch, old=event.old, recipe=renamed(event))
        if isinstance(event, PresetSwitched)
        else event
        for event in scripted_run(epochs=4, switch_at=3)
    ]
    app = Charts()
    async with app.run_test(size=(100, 24)) as pilot:
        await app.show(history_of(events), pilot)
        assert "??\\[red]x" in app.loss.plain()[1].replace("[", "\\[")
        assert "\x1b" not in "".join(app.loss.plain())


def renamed(event: PresetSwitched) -> Any:
    return msgspec.structs.replace(event.recipe, preset="学习[red]\x1bx")


async def test_a_click_puts_the_cursor_there_in_both_charts() -> None:
    app = Charts()
    async with app.run_test(size=(100, 30)) as pilot:
        await app.show(run(epochs=5), pilot)
        await pilot.click(app.loss, offset=(50, 5))
        assert app.axis.cursor is not None
        for chart in (app.loss, app.lr):
            assert column(chart.plain()[2], "│")[1:] == [50] or 50 in column(chart.plain()[2], "│")


async def test_a_wheel_zooms() -> None:
    app = Charts()
    async with app.run_test(size=(100, 30)) as pilot:
        await app.show(run(epochs=5), pilot)
        app.loss.post_message(events.MouseScrollUp(app.loss, 20, 5, 0, 0, 0, False, False, False))
        await pilot.pause()
        assert app.axis.mode != "all"
        app.lr.post_message(events.MouseScrollDown(app.lr, 20, 5, 0, 0, 0, False, False, False))
        await pilot.pause()
        assert app.axis.mode == "all"


async def test_a_long_record_is_read_over_several_frames() -> None:
    history = run(epochs=2, batches=20)
    app = Charts()
    async with app.run_test(size=(80, 24)) as pilot:
        history.losses.extend([0.5] * 450_000)
        history.lrs.extend([0.1] * 450_000)
        history.elapsed.extend([9.0] * 450_000)
        await app.show(history, pilot)
        for _ in range(8):
            await pilot.pause()
        assert "train 0.5000" in app.loss.plain()[0]
        assert any(line[73] != " " for line in app.lr.plain()[1:-2])  # drawn up to the last step


class TestXAxis:
    """The state that the charts share, without any of them."""

    def axis(self, steps: int = 40, epochs: int = 5) -> XAxis:
        axis = XAxis()
        axis.width = 50
        events = scripted_run(epochs=epochs, batches=20, steps_a_line=1)
        history = History()
        for event in events:
            if history.steps == steps:
                break
            history.apply(event)
        axis.update(history)
        return axis

    def test_it_shows_the_whole_run_as_planned(self) -> None:
        axis = self.axis()
        assert (axis.unit, axis.mode, axis.bounds, axis.total) == ("epoch", "all", (0.0, 5.0), 100)
        assert axis.edges(50) == list(range(0, 101, 2))
        assert [tick.label for tick in axis.ticks(50)] == ["0", "1", "2", "3", "4", "5"]

    def test_zooming_follows_the_newest_step_until_a_hand_moves_it(self) -> None:
        axis = self.axis()
        axis.zoom_in()
        first, last = axis.bounds
        assert axis.mode == "live"
        assert last - first == pytest.approx(2.5)
        assert first <= 2.0 <= last
        axis.pan(-0.1)
        assert axis.mode == "held"
        axis.follow()
        assert axis.mode == "live"
        axis.zoom_out()
        assert (axis.mode, axis.bounds) == ("all", (0.0, 5.0))

    def test_a_stretch_that_follows_moves_when_the_newest_step_leaves_it(self) -> None:
        events = scripted_run(epochs=5, batches=20, steps_a_line=1)
        axis, history = XAxis(), History()
        moved = set()
        for event in events:
            history.apply(event)
            axis.update(history)
            if history.steps == 10 and axis.mode == "all":
                axis.zoom_in()
                axis.zoom_in()
            if history.steps > 10:
                first, last = axis.bounds
                assert first <= axis.place(history.steps) <= last + 1e-9
                assert last - first == pytest.approx(1.25)
                moved.add(first)
        assert 3 < len(moved) <= 20  # seldom: a shift redraws all of it

    def test_zooming_keeps_the_cursor_where_it_is(self) -> None:
        axis = self.axis()
        axis.point_at(30)
        at = axis.cursor
        assert at is not None
        before = axis.column_of(at, 50)
        axis.zoom_in()
        after = axis.column_of(at, 50)
        assert axis.mode == "held"
        assert axis.cursor == at
        assert before is not None
        assert after is not None
        assert abs(after - before) <= 2

    def test_zooming_ends_at_a_few_steps_and_at_the_whole_run(self) -> None:
        axis = self.axis()
        for _ in range(40):
            axis.zoom_in()
        first, last = axis.bounds
        assert 3 <= (last - first) * 20 <= 8
        for _ in range(40):
            axis.zoom_out()
        assert axis.mode == "all"

    def test_the_cursor_moves_by_cells_and_stays_on_the_run(self) -> None:
        axis = self.axis()
        axis.move_cursor(1)
        assert axis.cursor == 40
        axis.move_cursor(1)
        assert axis.cursor == 42
        axis.move_cursor(-1_000)
        assert axis.cursor == 1
        axis.move_cursor(1_000)
        assert axis.cursor == 100
        axis.reset()
        assert axis.cursor is None

    def test_a_cursor_holds_the_stretch_still_until_it_is_told_to_follow(self) -> None:
        axis = self.axis()
        axis.zoom_in()
        axis.move_cursor(-1)
        assert axis.mode == "held"
        axis.follow()
        assert (axis.mode, axis.cursor) == ("live", None)

    def test_a_cursor_moves_by_steps_where_a_step_is_wider_than_a_cell(self) -> None:
        axis = self.axis()
        for _ in range(9):
            axis.zoom_in()
        axis.move_cursor(1)
        axis.move_cursor(-1)
        assert axis.cursor == 39
        axis.move_cursor(1)
        assert axis.cursor == 40

    def test_the_cursor_takes_the_stretch_along(self) -> None:
        axis = self.axis()
        axis.point_at(20)
        axis.zoom_in()
        axis.zoom_in()
        for _ in range(60):
            axis.move_cursor(1)
            assert axis.cursor is not None
            assert axis.column_of(axis.cursor, 50) is not None

    def test_the_unit_changes_over_the_same_steps(self) -> None:
        axis = self.axis()
        axis.point_at(20)
        axis.zoom_in()
        edges = axis.edges(50)
        axis.use("step")
        assert axis.unit == "step"
        assert axis.edges(50) == edges
        axis.use("seconds")
        assert axis.unit == "seconds"
        assert abs(axis.edges(50)[0] - edges[0]) <= 1
        axis.next_unit()
        assert axis.unit == "epoch"

    def test_seconds_to_come_are_a_guess_that_stands_still(self) -> None:
        events = scripted_run(epochs=5, batches=20, steps_a_line=1)
        axis, history = XAxis("seconds"), History()
        ends = set()
        for event in events:
            history.apply(event)
            axis.update(history)
            if history.steps > 10:
                ends.add(axis.bounds[1])
        assert len(ends) <= 15
        assert axis.bounds[1] == pytest.approx(history.elapsed[-1])

    def test_long_times_are_labelled_in_minutes_or_hours(self) -> None:
        axis = XAxis("seconds")
        history = run(epochs=2, batches=20)
        axis.update(history)
        assert axis.counts(60) == "seconds"
        for end, word in ((600.0, "minutes"), (36_000.0, "hours")):
            stretched = run(epochs=2, batches=20)
            factor = end / history.elapsed[-1]
            stretched.elapsed[:] = array("d", (seconds * factor for seconds in history.elapsed))
            axis.update(stretched)
            labels = [float(tick.label) for tick in axis.ticks(60)]
            assert axis.counts(60) == word
            assert labels[-1] * {"minutes": 60, "hours": 3600}[word] <= axis.bounds[1]

    def test_epochs_of_different_lengths_are_one_wide(self) -> None:
        axis = XAxis()
        history = history_of(scripted_run(epochs=2, batches=20, status=None))
        switch = scripted_run(epochs=4, batches=20, switch_at=3)
        found = next(event for event in switch if isinstance(event, PresetSwitched))
        recipe = msgspec.structs.replace(found.recipe, batches_per_epoch=10, total_steps=60)
        history.apply(msgspec.structs.replace(found, recipe=recipe))
        axis.update(history)
        assert [axis.place(step) for step in (20, 40, 50, 60)] == pytest.approx([1, 2, 3, 4])
        taken = StepsTaken(at=1e9, step=41, epoch=3, batch=1, losses=[0.5], lrs=[0.1], elapsed=[9.0])
        history.apply(taken)
        axis.update(history)
        assert [axis.place(step) for step in (20, 40, 50, 60)] == pytest.approx([1, 2, 3, 4])

    def test_listeners_hear_what_a_hand_does(self) -> None:
        axis = self.axis()
        heard: list[str] = []
        axis.listen(lambda: heard.append("moved"))
        for act in (axis.zoom_in, lambda: axis.move_cursor(1), lambda: axis.pan(-0.2), axis.reset):
            act()
        assert len(heard) == 4

    def test_an_empty_run_has_an_axis_too(self) -> None:
        axis = XAxis()
        axis.update(History())
        for act in (axis.zoom_in, axis.zoom_out, lambda: axis.move_cursor(3), lambda: axis.point_at(4), axis.reset):
            act()
        assert axis.bounds == (0.0, 0.0)
        assert axis.ticks(50) == []
        assert axis.cursor is None


def with_two_optimizers(*, own: bool = True) -> History:
    """As a run of two optimizers tells its LRs, whose values hold from one to the next; `own`: that of a step, too."""
    events: list[AnyEvent] = []
    for event in scripted_run(epochs=4):
        if isinstance(event, StepsTaken) and not own:
            event = msgspec.structs.replace(event, lrs=[])
        if own or not isinstance(event, PlanMade | LRChanged):
            events.append(event)
    last = max(event.step + len(event.losses) - 1 for event in events if isinstance(event, StepsTaken))
    for step, generator, judge in ((1, 0.002, 0.0005), (last // 2, 0.0015, 0.0005)):
        values = {"lr-generator": generator, "lr-judge/pg1": judge, "momentum": 0.9}
        events.insert(-1, MetricsLogged(at=events[-1].at, step=step, values=values))
    return history_of(events)


@pytest.mark.parametrize("own", [True, False])
async def test_several_lrs_are_drawn_with_a_legend(own: bool) -> None:
    app = Charts()
    async with app.run_test(size=(140, 40)) as pilot:
        history = with_two_optimizers(own=own)
        await app.show(history, pilot)
        title, text = app.lr.plain()[0], "\n".join(app.lr.plain())
        assert "● lr-generator 0.0015" in title
        assert "▲ lr-judge/pg1 0.0005" in title
        assert ("used last" in title) is own
        assert "nan" not in text.lower()
        assert "does not tell its LR" not in text
        assert "momentum" not in text
        first, second = dots_of(app.lr, "series0"), dots_of(app.lr, "series1")
        assert len({x for x, _ in second}) > 100  # it holds, though it was told twice
        assert max(y for _, y in first) > max(y for _, y in second)
        assert len({y for _, y in first}) > 1
        assert own or len({y for _, y in second}) == 1  # where no other curve shares its cells
        assert [sum(line.count(sign) for line in app.lr.plain()[1:-2]) for sign in "●▲"] == [1, 1]
        app.axis.point_at(0)
        app.lr.redraw()
        await pilot.pause()
        assert "● lr-generator 0.002" in app.lr.plain()[0]


def with_groups(steps: int) -> History:
    """A run whose biases have an LR of their own, until a step: half of that of the others, planned and used."""
    events: list[AnyEvent] = []
    for event in scripted_run(epochs=4):
        if isinstance(event, PlanMade):
            of_group = GroupPlan(steps=event.steps, lrs=[lr / 2 for lr in event.lrs], label="bias")
            event = msgspec.structs.replace(event, groups={"lr-SGD/pg2": of_group})
            events.append(MetricDeclared(at=event.at, name="lr-SGD/pg2", kind="lr", shown_as="lr bias"))
        if isinstance(event, StepsTaken):
            if event.step > steps:
                break
            lrs = event.lrs * len(event.losses) if len(event.lrs) == 1 else event.lrs
            event = msgspec.structs.replace(event, metrics={"lr-SGD/pg2": [lr / 2 for lr in lrs]})
        events.append(event)
    return history_of(events)


async def test_the_lr_of_a_group_is_drawn_as_it_was_used_and_from_there_on_as_planned() -> None:
    app = Charts()
    async with app.run_test(size=(140, 40)) as pilot:
        begun, whole = with_groups(0), with_groups(10**9)
        last = begun.plans[-1].last_step
        curves = []
        for history in (begun, with_groups(last // 2), whole):
            await app.show(history, pilot)
            curves.append(dots_of(app.lr, "series0"))
        assert len({x for x, _ in curves[0]}) > 200
        for other in curves[1:]:  # but for columns in which the LR moves
            assert len(curves[0] & other) > 0.85 * len(curves[0] | other)
        assert f"● lr bias {whole.lrs[-1] / 2:g}" in app.lr.plain()[0]
        await app.show(begun, pilot)
        assert f"● lr bias {begun.plans[-1].lrs[0] / 2:g}" in app.lr.plain()[0]
        app.lr.show_plan(begun.plans[-1])
        await pilot.pause()
        assert f"● lr bias {begun.plans[-1].lrs[0] / 2:g}" in app.lr.plain()[0]
        assert dots_of(app.lr, "series0") == curves[0]


async def test_the_momentum_is_drawn_as_it_was_used_and_from_there_on_as_planned_on_its_own_axis() -> None:
    app = Charts()
    async with app.run_test(size=(140, 40)) as pilot:
        begun, half, whole = (with_momentum(steps) for steps in (0, 40, 10**9))
        await app.show(whole, pilot)
        assert not dots_of(app.lr, "momentum")
        app.lr.shows_momentum = True
        curves = []
        for history in (begun, half, whole):
            app.lr.redraw()
            await app.show(history, pilot)
            curves.append(dots_of(app.lr, "momentum"))
        assert len({x for x, _ in curves[0]}) > 150
        for other in curves[1:]:
            assert len(curves[0] & other) > 0.85 * len(curves[0] | other)
        title, *rows = app.lr.plain()
        assert "m beta1 0.95" in title
        assert sum(row.count("m") for row in rows[:-2]) == 1  # at its end
        rights = [float(row[-5:]) for row in rows if row[-6:-5] == "├"]
        assert min(rights) >= 0.85
        assert max(rights) == 0.95
        app.axis.point_at(0)
        app.lr.redraw()
        await pilot.pause()
        assert f"m beta1 {momentum_at(1):.4g}" in app.lr.plain()[0]


async def test_a_momentum_is_not_drawn_for_steps_of_which_none_was_told() -> None:
    """A preset that was switched to moves none."""
    app = Charts()
    async with app.run_test(size=(140, 40)) as pilot:
        app.lr.shows_momentum = True
        events = [
            msgspec.structs.replace(event, momentum=None) if isinstance(event, PlanMade) else event
            for event in moving(30)
        ]
        await app.show(history_of(events), pilot)
        drawn = {x for x, _ in dots_of(app.lr, "momentum")}
        assert 0 < max(drawn) < 0.45 * app.lr.size.width * 2
        assert "m beta1" not in app.lr.plain()[0]


def momentum_at(step: int) -> float:
    """From 0.95 down to 0.85 at step 40, and up again."""
    return 0.85 + 0.1 * min(abs(step - 40) / 39, 1.0)


def moving(told: int) -> list[AnyEvent]:
    """A run of 80 steps with a momentum that moves, told of its first steps."""
    events: list[AnyEvent] = []
    for event in scripted_run(epochs=4):
        if isinstance(event, PlanMade):
            planned = GroupPlan(steps=[*range(1, 81)], lrs=[*map(momentum_at, range(1, 81))])
            event = msgspec.structs.replace(event, momentum=planned)
            events.append(MetricDeclared(at=event.at, name=MOMENTUM, shown_as="beta1"))
        if isinstance(event, StepsTaken) and event.step <= told:
            steps = range(event.step, event.step + len(event.losses))
            event = msgspec.structs.replace(event, metrics={MOMENTUM: [*map(momentum_at, steps)]})
        events.append(event)
    return events


def with_momentum(told: int) -> History:
    """The same; it has come as far as it is told, and no further."""
    events = moving(told)
    untold = (isinstance(event, StepsTaken) and not event.metrics for event in events)
    return history_of(events[: next((at for at, so in enumerate(untold) if so), None)])


@pytest.mark.parametrize("size", SIZES)
async def test_a_legend_of_many_lrs_fits(size: tuple[int, int]) -> None:
    events = [event for event in scripted_run() if not isinstance(event, MetricsLogged)]
    values = {f"lr-SGD/a very long name of a group of parameters {number}": 0.1 / (1 + number) for number in range(9)}
    history = history_of([*events[:-1], MetricsLogged(at=events[-1].at, step=3, values=values), events[-1]])
    app = Charts()
    async with app.run_test(size=size) as pilot:
        await app.show(history, pilot)
        lines = app.lr.plain()
        assert all(len(line) <= size[0] for line in lines)
        if size[0] >= 60:
            shown = sum(sign in lines[0] for sign in SIGNS)
            assert shown >= 2
            assert (f"+{MOST - shown}" in lines[0]) == (shown < MOST)  # how many there is no room for
            assert "from" not in lines[0] or shown == MOST


async def test_an_lr_that_is_declared_later_is_drawn_from_then_on() -> None:
    history = with_two_optimizers()
    app = Charts()
    async with app.run_test(size=(140, 40)) as pilot:
        await app.show(history, pilot)
        assert "momentum" not in app.lr.plain()[0]
        history.apply(MetricDeclared(at=1e9, name="momentum", kind="lr"))
        await app.show(history, pilot)
        assert "momentum" in app.lr.plain()[0]


async def test_of_a_run_without_a_known_end_the_axis_is_as_long_as_what_was_trained() -> None:
    events = [event for event in scripted_run(epochs=2, batches=20) if not isinstance(event, RunEnded)]
    recipe = next(event for event in events if isinstance(event, RunConfigured)).recipe
    unknown = msgspec.structs.replace(recipe, epochs=None, total_steps=None)
    endless = [
        msgspec.structs.replace(event, recipe=unknown)
        if isinstance(event, RunConfigured)
        else msgspec.structs.replace(event, last_step=20_000, open_ended=True)
        if isinstance(event, PlanMade)
        else event
        for event in events
    ]
    app = Charts()
    async with app.run_test(size=(100, 30)) as pilot:
        await app.show(history_of(endless), pilot)
        assert app.lr.axis.total == 40
