"""The comparison screen: drawn, read, sorted, hidden, left."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.compare.made import compared, ends, goes_on, record, seeds
from tests.compare.test_results import DROP, NONE, STEP, to_come
from tests.compare.test_verdict import curve
from tests.scripted import scripted_run
from tests.ui.conftest import Show, Shown
from tests.ui.scripted_source import ScriptedHost
from tests.waiting import PATIENCE_S, until
from tui_trainer.commands import Stop
from tui_trainer.compare import table
from tui_trainer.compare.comparison import Compared, Comparison, Group
from tui_trainer.compare.metric import in_common
from tui_trainer.compare.plain_lines import find_out
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.compare.slurm import Task
from tui_trainer.events import EpochEnded, Goal, MetricDeclared, RunEnded, StepsTaken
from tui_trainer.presets.catalogue import load as load_preset
from tui_trainer.records.record import Record
from tui_trainer.run_spec import RunSpec
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.compare import summary
from tui_trainer.ui.compare.chart import Overlay
from tui_trainer.ui.compare.column_choice import ColumnChoice
from tui_trainer.ui.compare.curves import CompareAxis, Drawn, GroupCurves
from tui_trainer.ui.compare.lines import Lines
from tui_trainer.ui.compare.screen import CompareScreen
from tui_trainer.ui.compare.summary import VerdictWords
from tui_trainer.ui.compare.table import CompareTable
from tui_trainer.ui.context import AppContext
from tui_trainer.ui.live.screen import LiveScreen
from tui_trainer.ui.panel import Panel
from tui_trainer.ui.trainer_screen import KeyLine


class StillQueue:
    """Something that trains until it is stopped."""

    def __init__(self) -> None:
        self.is_over = False
        self.exit_code = 0
        self.failure = ""
        self.stopped: list[Stop | None] = []

    def stop(self, command: Stop | None = None) -> None:
        self.stopped.append(command)


@asynccontextmanager
async def show(
    comparison: Comparison, size: tuple[int, int] = (140, 40), queue: Any = None, **options: Any
) -> AsyncIterator[tuple[Pilot[int], CompareScreen]]:
    app = TrainerApp(AppContext(**options), comparison=(comparison, queue))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, CompareScreen)
        app.screen.draw()
        await pilot.pause()
        yield pilot, app.screen


def text_of(screen: CompareScreen) -> str:
    return "\n".join(
        line for panel in screen.query(Panel) if panel.display and panel.size.height for line in panel.plain()
    )


def labels(screen: CompareScreen) -> list[str]:
    """The presets' names in the order of the table."""
    names = [group.label for group in screen.comparison.groups]
    lines = screen.query_one(CompareTable).plain()[1:]
    return [next(name for name in names if f"{name} " in line) for line in lines if line.strip()]


@pytest.fixture
def three(tmp_path: Path) -> Comparison:
    made = [
        record(tmp_path, scheduler="StepLR", epochs=6),
        record(tmp_path, scheduler="OneCycleLR", epochs=3, seed=1),
        record(tmp_path, scheduler="none", epochs=4, not_finite_at=50),
    ]
    return compared(tmp_path, made, target=0.5)


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (200, 60), (60, 16)])
async def test_the_screen_says_what_counts_at_every_size(three: Comparison, size: tuple[int, int]) -> None:
    async with show(three, size) as (_, screen):
        said = text_of(screen)
        for word in ("steplr", "onecycle", "none", "diverged", "loss", "finished"):
            assert word in said
        assert "Not like for like" in said  # other lengths
        assert "reached 0.5" in said
        chart = next(chart for chart in screen.query(Overlay) if chart.display)
        if size[0] > 60:  # each curve has its name at its end, and that of the one that ended early a cross
            ends = [line.split()[-2:] for line in chart.plain()]
            for end in (["steplr"], ["onecycle"], ["none", "✗"]):
                assert any(line[-len(end) :] == end for line in ends)


def cells_of(chart: Overlay, group: Group, wanted: str) -> list[tuple[int, int]]:
    """Row and column of characters in the colour of a preset's line."""
    found = []
    for row, line in enumerate(chart.lines()[1:]):
        at = 0
        for span in line:
            if span.role == f"run{group.colour}":
                found += [(row, at + i) for i, letter in enumerate(span.text) if letter in wanted]
            at += len(span.text)
    return found


DOTS = "".join(map(chr, range(0x2801, 0x2900)))


async def test_of_equal_runs_each_is_seen_and_named(tmp_path: Path) -> None:
    """As a wrong order of calls that changes nothing lies on the right one."""
    equal = compared(tmp_path, [record(tmp_path, epochs=4, name=name) for name in ("one", "two", "three")])
    async with show(equal) as (_, screen):
        for chart in screen.query(Overlay):
            of_each = [cells_of(chart, group, DOTS) for group in equal.groups]
            assert min(map(len, of_each)) > max(map(len, of_each)) / 2
            named = {line.split()[-1]: row for row, line in enumerate(chart.plain()) if line.split()}
            rows = sorted(named[name] for name in ("one", "two", "three"))
            assert rows[2] - rows[0] == 2  # under each other


async def test_marks_stand_on_their_own_curves_at_the_best_epoch_alone(three: Comparison) -> None:
    async with show(three) as (_, screen):
        for name, best, field in (("loss", min, "val_loss"), ("accuracy", max, "val_accuracy")):
            chart = screen.query_one(f"#{name}", Overlay)
            for group in three.groups:
                (run,) = group.runs
                epoch = best(run.history.epochs, key=lambda epoch: getattr(epoch, field))
                cells = cells_of(chart, group, "◆")
                place = screen.axis.timeline(run.history).place(epoch.step)
                assert len(cells) <= 1  # two may share a cell
                for _, column in cells:
                    assert column - 7 == screen.axis.column_at(place, screen.axis.width)
            assert sum(len(cells_of(chart, group, "◆")) for group in three.groups) >= 2
            assert not any(mark in line for mark in "●■▲" for line in chart.plain())


async def test_a_run_that_ended_early_ends_in_a_cross_in_its_colour(three: Comparison) -> None:
    async with show(three) as (_, screen):
        for chart in screen.query(Overlay):
            crosses = [cells_of(chart, group, "✗") for group in three.groups]
            assert [len(cells) for cells in crosses] == [0, 0, 2]  # on the curve, and behind the name


async def test_more_names_than_rows_are_counted(tmp_path: Path) -> None:
    many = compared(tmp_path, [record(tmp_path, epochs=2, name=f"run {i}") for i in range(30)])
    async with show(many) as (pilot, screen):
        chart = screen.query_one("#lr", Overlay)

        def named() -> list[str]:
            return [found[0] for line in chart.plain()[1:-2] if (found := re.search(r"run \d+$", line))]

        assert chart.plain()[-3].endswith(f" +{30 - len(named())}")
        assert "run 0" in named()  # the chosen one
        await pilot.press("down", "down")
        screen.draw()
        await pilot.pause()
        assert "run 2" in named()


async def test_a_run_that_explodes_leaves_the_others_their_room(three: Comparison) -> None:
    async with show(three) as (_, screen):
        chart = screen.query_one("#loss", Overlay)
        before = chart.plain()
        (run,) = three.groups[2].runs
        assert run.history.ended is not None
        for step in range(20, 40):
            run.history.losses[step] = 10.0 ** (step - 15)
        chart._curves[three.groups[2]] = GroupCurves(three.groups[2])
        chart.show_groups([*chart._groups], 0, "anew")
        chart.redraw()
        labels = [line[:6] for line in chart.plain()[1:]]
        assert not any("e" in label for label in labels)
        assert len(cells_of(chart, three.groups[2], "✗")) == 2
        assert len(before) == len(chart.plain())


async def test_the_table_sorts_by_each_of_its_columns(three: Comparison) -> None:
    async with show(three, (200, 60)) as (pilot, screen):
        assert labels(screen) == ["steplr", "onecycle", "none"]
        await pilot.press("s")
        best = {row.group.label: row.figures["best_accuracy"].mean for row in screen._findings.table.rows}
        assert labels(screen) == sorted(best, key=lambda label: -best[label])
        await pilot.press("S")
        assert labels(screen) == ["onecycle", "steplr", "none"]  # that diverged, and wins in neither order


async def test_hide_solo_and_pin(three: Comparison) -> None:
    async with show(three) as (pilot, screen):
        chart = screen.query_one("#accuracy", Overlay)

        def drawn() -> list[str]:
            return sorted(group.label for group in chart._groups)

        assert drawn() == ["none", "onecycle", "steplr"]
        await pilot.press("h")
        assert drawn() == ["none", "onecycle"]
        assert "onecycle" in "".join(chart.plain())
        assert "steplr" not in "".join(chart.plain())
        await pilot.press("h", "down", "o")
        assert drawn() == ["onecycle"]
        await pilot.press("o")
        assert drawn() == ["none", "onecycle", "steplr"]
        await pilot.press("down", "i")
        assert labels(screen)[0] == "none"
        await pilot.press("i")
        assert labels(screen)[0] == "steplr"


async def test_the_cursor_reads_all_curves_at_once(three: Comparison) -> None:
    async with show(three) as (pilot, screen):
        await pilot.press("x")
        assert screen.axis.unit == "step"
        screen.axis.cursor = 45.0
        await pilot.press("right", "left")
        step = int(screen.axis.cursor or 0)
        lines = screen.query_one(CompareTable).plain()
        assert "accuracy" in lines[0]
        for run, line in zip(three.runs, lines[1:], strict=False):
            assert f" {step} " in line
            assert f"{run.history.losses[step - 1]:.4f}" in line
        await pilot.press("0")
        assert screen.axis.cursor is None
        assert "final acc" in screen.query_one(CompareTable).plain()[0]


@pytest.mark.says("comparison.loss_both", "comparison.loss_validation", "comparison.loss_training")
@pytest.mark.never_says("comparison.loss_both", "comparison.loss_validation", "comparison.loss_training")
@pytest.mark.never_says("comparison.columns", "comparison.columns_keys")
async def test_what_is_drawn_of_the_loss_is_said(three: Comparison, captions_said: set[str]) -> None:
    async with show(three) as (pilot, screen):
        told = {}
        for _ in range(3):
            captions_said.clear()
            await pilot.press("l")
            await pilot.pause()
            chart = screen.query_one("#loss", Overlay)
            told[chart.loss] = chart.plain()[0]
            said = {id for id in captions_said if id.startswith(("comparison.loss", "comparison.columns"))}
            assert said == {f"comparison.loss_{chart.loss}"}
    assert "validation; training, smoothed, is dotted" in told["both"]
    assert "training" not in told["validation"]
    assert "validation" not in told["training"]
    assert "training, smoothed" in told["training"]


async def test_zoom_and_units_and_losses_draw_without_trouble(three: Comparison) -> None:
    async with show(three) as (pilot, screen):
        for key in ("plus", "plus", "y", "l", "l", "x", "minus", "0", "d", "d", "v", "down", "left", "left", "x"):
            await pilot.press(key)
            assert "loss" in text_of(screen) or key == "d"


async def test_one_chart_at_a_time_on_a_low_screen(three: Comparison) -> None:
    async with show(three, (80, 24)) as (pilot, screen):
        assert [chart.id for chart in screen.query(Overlay) if chart.display] == ["loss"]
        await pilot.press("v")
        await pilot.pause()
        assert [chart.id for chart in screen.query(Overlay) if chart.display] == ["accuracy"]
        await pilot.press("v")
        await pilot.pause()
        assert [chart.id for chart in screen.query(Overlay) if chart.display] == ["lr"]


@pytest.mark.parametrize(("width", "all_three"), [(140, True), (100, False)])
async def test_with_the_findings_beside_them_all_charts_need_less_height(
    three: Comparison, width: int, all_three: bool
) -> None:
    async with show(three, (width, 27)) as (_, screen):
        assert (len([chart for chart in screen.query(Overlay) if chart.display]) == 3) == all_three


@pytest.mark.never_says("comparison.no_other_series")
async def test_seeds_have_a_band_and_a_spread(tmp_path: Path) -> None:
    comparison = seeds(tmp_path, {"a": [{"seed": i, "epochs": 5} for i in range(3)], "b": [{"seed": 5}, {"seed": 6}]})
    async with show(comparison, (200, 60)) as (_, screen):
        said = text_of(screen)
        assert "±" in said
        assert "Welch's t-test" in said
        styles = {span.role for line in screen.query_one("#loss", Overlay)._drawn for span in line}
        assert {"band0", "run0", "run1"} <= styles


@pytest.mark.says("comparison.idle", "comparison.not_begun", "comparison.no_other_series")
@pytest.mark.never_says("comparison.by_series", "comparison.screen", "comparison.queued", "comparison.training")
async def test_runs_to_come_and_none_at_all(tmp_path: Path, captions_said: set[str]) -> None:
    async with show(compared(tmp_path, [], ["none", "steplr"])) as (pilot, screen):
        said = text_of(screen)
        assert "to come" in said
        assert "the rest is idle" in said
        for key in ("right", "plus", "x", "s", "enter", "space"):
            await pilot.press(key)
        screen.action_metric(1)
        assert not captions_said & {"comparison.by_series", "comparison.screen", "exit.runs_over"}


async def test_names_that_begin_alike_are_told_apart_in_little_room(tmp_path: Path) -> None:
    made = [record(tmp_path, name=f"optimizer.lr 0.0{i}") for i in (1, 3)]
    async with show(compared(tmp_path, made), (80, 24)) as (_, screen):
        table = screen.query_one(CompareTable).plain()[1:]
        assert [line.split("optimizer.lr")[-1].split("lr ")[-1][:4] for line in table] == ["0.01", "0.03"]
        ends = [line.split()[-1] for line in screen.query_one("#loss", Overlay).plain() if "lr 0.0" in line]
        assert sorted(ends) == ["0.01", "0.03"]


@pytest.mark.says("comparison.trains_by_itself")
@pytest.mark.never_says("comparison.trains_by_itself", "comparison.idle", in_all_cases=False)
async def test_a_run_that_trains_for_itself_is_not_called_idle(tmp_path: Path, captions_said: set[str]) -> None:
    over = record(tmp_path)
    live = Record.create(tmp_path, RunSpec.of("steplr", load_preset("steplr")).model_dump(mode="json"))
    for event in scripted_run()[:10]:
        live.emit(event)
    async with show(compared(tmp_path, [over, live.folder]), (80, 24)) as (_, screen):
        assert "1 of 2 runs done, 1 training by itself" in text_of(screen)
        assert "comparison.idle" not in captions_said
    live.close()
    captions_said.clear()
    async with show(compared(tmp_path, [over, live.folder]), (80, 24)) as (_, screen):
        assert "comparison.trains_by_itself" not in captions_said


@pytest.mark.says("comparison.queued", "comparison.training")
@pytest.mark.never_says("comparison.queued", "comparison.training", "comparison.idle", in_all_cases=False)
async def test_what_waits_in_a_queue_does_not_train(tmp_path: Path, captions_said: set[str]) -> None:
    comparison = compared(tmp_path, [], ["none", "steplr"])
    waits = Task(job="7_0", waits=True, node="", why="Priority")
    comparison.elsewhere.tasks = {0: waits, 1: waits}
    async with show(comparison) as (pilot, screen):
        assert "0 of 2 runs done, the rest is in the queue" in text_of(screen)
        assert "comparison.training" not in captions_said
        captions_said.clear()
        comparison.elsewhere.tasks = {0: waits, 1: replace(waits, waits=False, node="node1", why="")}
        comparison.elsewhere.running = {1: ("node1", "7_1")}
        await pilot.pause()
        screen.draw()
        await pilot.pause()
        assert "training 1 of 2" in text_of(screen)
        assert not captions_said & {"comparison.queued", "comparison.idle"}


@pytest.mark.says("exit.run_over")
@pytest.mark.never_says("exit.runs_over")
async def test_of_one_run_that_is_over_the_headline_speaks_as_of_one(tmp_path: Path) -> None:
    async with show(compared(tmp_path, [record(tmp_path)]), (80, 24)) as (_, screen):
        assert "its run is over" in text_of(screen)
        assert "all 1 run" not in text_of(screen)


@pytest.mark.says("comparison.all_charts", "exit.runs_over", "comparison.nothing_differs", "comparison.as_the_others")
@pytest.mark.never_says("comparison.all_charts", "comparison.nothing_differs", "comparison.as_the_others")
@pytest.mark.never_says("comparison.idle", "comparison.not_begun")
async def test_what_differs_and_which_charts_there_are_is_said_as_it_is(
    three: Comparison, tmp_path: Path, captions_said: set[str]
) -> None:
    async with show(three, (200, 60)) as (pilot, screen):
        screen.action_chart()
        assert "comparison.all_charts" in captions_said
        assert not captions_said & {"comparison.nothing_differs", "comparison.idle", "comparison.not_begun"}
    captions_said.clear()
    one = record(tmp_path, name="a")
    async with show(compared(tmp_path, [one, record(tmp_path, name="b")]), (80, 24)) as (pilot, screen):
        screen.action_chart()
        screen.action_differences()
        await pilot.pause()
        assert "comparison.nothing_differs" in captions_said
        assert not captions_said & {"comparison.all_charts", "comparison.as_the_others"}
    captions_said.clear()
    switched = record(tmp_path, name="c", switch_at=2)
    many = [one, switched, *(record(tmp_path, name=name) for name in ("another-one", "and-one-more", "and-the-last"))]
    async with show(compared(tmp_path, many), (60, 16)) as (pilot, screen):
        screen.action_differences()
        await pilot.pause()
        assert "comparison.as_the_others" in captions_said
        assert "comparison.nothing_differs" not in captions_said


async def test_enter_opens_the_run_and_escape_comes_back(three: Comparison) -> None:
    async with show(three) as (pilot, screen):
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, LiveScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.screen is screen


@pytest.mark.says("comparison.screen")
@pytest.mark.parametrize(("key", "stopped", "detached"), [("s", 1, False), ("k", 0, True)])
async def test_leaving_asks_what_becomes_of_what_trains(
    three: Comparison, key: str, stopped: int, detached: bool
) -> None:
    queue = StillQueue()
    options: dict[str, Any] = {"queue": queue, "on_detach": lambda: None}
    async with show(three, **options) as (pilot, _):
        await pilot.press("q")
        await pilot.pause()
        await pilot.press(key)
        await pilot.pause()
        assert len(queue.stopped) == stopped
        app = pilot.app
        assert isinstance(app, TrainerApp)
        assert app.detached == detached


async def test_marked_presets_are_compared_over_what_is_on_show(three: Comparison) -> None:
    asked: list[Sequence[str]] = []

    def compare(names: Sequence[str]) -> tuple[Comparison, None]:
        asked.append(names)
        return three, None

    app = TrainerApp(AppContext(on_compare=compare))
    async with app.run_test(size=(140, 40)) as pilot:
        await Shown(app, pilot).settle()  # the presets are read after the first frame
        await pilot.press("space", "space", "c")
        await pilot.pause()
        assert [list(names) for names in asked] == [["onecycle", "cosine-warmup"]]
        assert isinstance(app.screen, CompareScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, CompareScreen)


async def test_a_comparison_over_a_live_run_does_not_end_a_launch_that_leaves_when_done(three: Comparison) -> None:
    live = ScriptedHost(scripted_run()[:10])
    context = AppContext(source=live, exit_when_done=True, on_compare=lambda names: (three, None))
    app = TrainerApp(context)
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.pause()
        await pilot.press("c")
        deadline = time.monotonic() + PATIENCE_S
        while not isinstance(app.screen, CompareScreen):
            assert time.monotonic() < deadline
            await pilot.pause(0.002)
        for _ in range(3):
            context.clock.tick()
            await pilot.pause()
        assert app.is_running
        assert app.return_value is None


async def test_a_frame_in_which_nothing_happened_sends_nothing(
    three: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with show(three) as (_, screen):
        screen.draw()
        refreshed: list[object] = []
        for panel in screen.query(Panel):
            monkeypatch.setattr(panel, "refresh", lambda *regions, **options: refreshed.extend(regions))
        screen.draw()
        assert refreshed == []


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (250, 70)])
async def test_the_first_frame_has_the_curves(
    three: Comparison, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[None] = []
    draw = CompareScreen.draw

    def once(screen: CompareScreen) -> None:
        if not drawn:  # the next one may come after seconds, where frames cost much
            drawn.append(None)
            draw(screen)

    monkeypatch.setattr(CompareScreen, "draw", once)
    async with TrainerApp(AppContext(), comparison=(three, None)).run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.pause()
        charts = [chart for chart in pilot.app.screen.query(Overlay) if chart.display]
        assert charts
        for chart in charts:
            assert any("\u2800" < character < "\u2900" for line in chart.plain() for character in line), chart.what


async def test_escape_closes_the_differences_before_it_leaves(tmp_path: Path) -> None:
    names = ("StepLR", "none")
    comparison = compared(tmp_path, [record(tmp_path, scheduler=name, epochs=3) for name in names])
    async with show(comparison, on_detach=lambda: None, queue=StillQueue()) as (pilot, screen):
        await pilot.press("d")
        assert screen.has_class("-differences")
        await pilot.press("escape")
        assert pilot.app.screen is screen
        assert not screen.has_class("-differences")
        await pilot.press("escape")
        assert pilot.app.screen is not screen  # what becomes of what trains


async def test_the_line_of_keys_says_what_a_key_does_now(tmp_path: Path) -> None:
    names = ("StepLR", "none")
    comparison = compared(tmp_path, [record(tmp_path, scheduler=name, epochs=3) for name in names])
    async with show(comparison) as (pilot, screen):

        async def keys(*pressed: str) -> str:
            await pilot.press(*pressed)
            screen.draw()
            return screen.key_line.plain()[0]

        before = await keys()
        assert "h hide  o solo  i pin" in before
        assert "esc" not in before, "nothing lies under it"
        assert "h show" in await keys("h")
        assert "o all" in await keys("h", "o")
        assert "i unpin" in await keys("o", "i")
        after = await keys("i", "d")
        assert "d curves" in after
        assert "esc back" in after
        assert await keys("d") == before


async def test_words_for_which_there_is_no_room_are_said_to_be_left_out(three: Comparison) -> None:
    async with show(three, (60, 20)) as (_, screen):
        words = next(words for words in screen.query(VerdictWords) if words.size.height)
        *said, fair = [line.rstrip() for line in words.plain()]
        assert said[-1].endswith("…")
        assert fair.endswith(".")


async def test_warnings_leave_room_for_what_came_of_it(three: Comparison) -> None:
    findings = find_out(three)
    warned = replace(
        findings, warnings=tuple(f"preset {i}: {'something is not as it should be ' * 4}" for i in range(9))
    )
    async with show(three, (140, 40)) as (pilot, screen):
        words = next(each for each in screen.query(VerdictWords) if each.size.height)
        words.show(three, warned)
        await pilot.pause()
        said = " ".join(" ".join(words.plain()).split())
        for sentence in findings.verdict:
            assert sentence in said
        assert "! preset 0: something" in said
        assert "preset 8" not in said
        assert "…" in said


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (250, 70)])
async def test_what_is_to_be_known_of_the_presets_is_seen_before_they_train(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with show(to_come(tmp_path / "same", step=STEP, none=NONE), size) as (_, screen):
        said = " ".join(text_of(screen).split())
        assert "! step and none come to the same LR in every step" in said
        assert "! step: scheduler.step_size: never reached" in said
    async with show(to_come(tmp_path / "other", none=NONE, drop=DROP), size) as (_, screen):
        assert "! " not in text_of(screen)


async def test_while_a_seed_trains_what_is_over_is_neither_averaged_nor_reckoned_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comparison = seeds(tmp_path, {"a": [{"seed": seed, "epochs": 2} for seed in range(3)], "b": [{"seed": 3}]})
    trains = comparison.runs[2]
    goes_on(trains)
    reckoned: list[Compared] = []
    work = table.numbers_of
    monkeypatch.setattr(table, "numbers_of", lambda run, *rest: reckoned.append(run) or work(run, *rest))  # type: ignore[func-returns-value]
    async with show(comparison) as (_, screen):
        chart = screen.query_one("#loss", Overlay)
        curves = chart._curves[comparison.groups[0]]
        columns, loss = chart.frame.width * 2, Drawn("loss")
        mean = curves._mean(loss, screen.axis, columns)
        assert len(mean.taken) == 2
        assert reckoned == [run for run in comparison.runs if run is not trains]
        goes_on(trains)  # something was told of it
        find_out(comparison)
        assert len(reckoned) == 3
        assert curves._mean(loss, screen.axis, columns) is mean
        assert not mean.waiting
        ends(trains, comparison.runs[0].history.ended)
        find_out(comparison)
        assert reckoned[3:] == [trains]
        assert curves._mean(loss, screen.axis, columns) is mean  # with one more
        assert [*mean.waiting] == [trains]


async def test_curves_are_means_of_finished_seeds_as_the_table_is(tmp_path: Path) -> None:
    """A seed that diverged, or trains, is in no mean and no band; one that trains has a line of its own."""
    made: dict[str, Sequence[dict[str, Any]]] = {
        "a": [{"seed": 0, "epochs": 4}, {"seed": 1, "epochs": 4}, {"seed": 2, "epochs": 4, "not_finite_at": 70}],
        "b": [{"seed": 3, "epochs": 4, "status": None}, {"seed": 4, "epochs": 4, "status": None}],
    }
    comparison = seeds(tmp_path, made)
    for run in comparison.groups[1].runs:
        goes_on(run)
    async with show(comparison) as (_, screen):
        chart = screen.query_one("#accuracy", Overlay)
        first, second, diverged = [run.history.epochs for run in comparison.groups[0].runs]
        assert len(diverged) == 3
        curves = chart._curves[comparison.groups[0]]
        lines = made_of(chart, comparison.groups[0], 60)
        ends = curves._mean(Drawn("ends", "val_accuracy"), screen.axis, 60).points.means
        both = [(a.val_accuracy, b.val_accuracy) for a, b in zip(first, second, strict=True)]
        assert [(end.value, end.low, end.high) for end in ends] == [
            (sum(pair) / 2, min(pair), max(pair)) for pair in both
        ]
        assert (curves.averages, len(curves.beside)) == (2, 0)
        table = screen._findings.table.rows[0]
        assert [end for end in lines.line if end][-1][0] == pytest.approx(table.figures["final_accuracy"].mean)
        training = made_of(chart, comparison.groups[1], 60)
        assert training.band == [None] * 60 or not training.band  # of one alone there is none
        assert len(training.beside) == 1
        only = comparison.groups[1].runs[0].history.epochs
        assert [end for end in training.line if end][-1][0] == only[-1].val_accuracy


def made_of(chart: Overlay, group: Group, columns: int) -> Lines:
    """What is drawn of a preset in so many columns, all of it read."""
    curves = chart._curves[group]
    until(
        lambda: curves.catch_up(
            time.thread_time() + 1, chart.axis, columns, tuple(chart._drawn_of(curves.tells_steps).values())
        )
    )
    return chart._one(curves, columns)


def by_epoch(runs: Path, scores: dict[str, Sequence[Sequence[float]]], goal: Goal = "min", **plan: Any) -> Comparison:
    """Presets by label, a score of each epoch a seed."""
    entries = []
    for label, each in scores.items():
        for seed, values in enumerate(each):
            declared = [MetricDeclared(at=0.0, name="val/score", goal=goal, unit="pt")]
            logged = {"val/score": values, "flat": [1.0] * len(values)}
            run = curve(runs, [0.5] * len(values), logged=logged, declared=declared)
            entries.append(Contestant(label=label, seed=seed, run=run))
    comparison = Comparison(Session.create(runs, entries, **plan))
    comparison.poll_all()
    return comparison


@pytest.mark.says("comparison.by_series")
@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_a_key_goes_through_the_series_that_runs_have_in_common(tmp_path: Path, size: tuple[int, int]) -> None:
    comparison = by_epoch(tmp_path, {"a": [[4.0, 3.0], [4.0, 2.0]], "b": [[5.0, 1.5], [5.0, 1.0]]})
    async with show(comparison, size) as (pilot, screen):
        chart = screen.query_one("#accuracy", Overlay)
        before = text_of(screen)
        seen = []
        for _ in range(len(in_common(comparison.series))):
            await pilot.press("m")
            screen.draw()
            await pilot.pause()
            metric = screen._metric()
            seen.append(metric.name)
            if metric.is_accuracy:
                break
            said = text_of(screen)
            assert chart.display
            assert chart.plain()[0].strip().startswith(metric.title())
            if metric.name == "val/score":
                assert "pt" in chart.plain()[0]
                assert "◆ lowest" in chart.plain()[0]
                assert "b ended lowest in val/score" in " ".join(said.split())
                assert labels(screen) == ["b", "a"]
                ends = [end for end in made_of(chart, comparison.groups[0], 40).line if end]
                assert ends[-1] == (2.5, 2.5)  # the mean of the seeds, as in the table
                assert "2.5000 ± 0.7071 pt" in said
            if metric.name == "flat":
                assert "lowest" not in chart.plain()[0]
                assert "highest" not in chart.plain()[0]
                assert "nothing of it is called best" in " ".join(said.split())
        assert seen[-1] == "val_accuracy"
        assert set(seen) >= {"val_loss", "val/score", "flat", "val_accuracy"}
        await pilot.press("M")
        screen.draw()
        assert screen._metric().name == seen[-2]
        await pilot.press("m")
        screen.draw()
        await pilot.pause()
        assert chart.plain()[0].strip().startswith("accuracy")
        assert before.splitlines()[0] in text_of(screen)


async def test_the_metric_that_was_asked_for_is_on_the_screen_from_the_first_frame(tmp_path: Path) -> None:
    comparison = by_epoch(tmp_path, {"a": [[4.0, 3.0]], "b": [[5.0, 1.5]]}, metric="val/score:max")
    async with show(comparison) as (pilot, screen):
        assert screen.query_one("#accuracy", Overlay).plain()[0].strip().startswith("val/score")
        assert "◆ highest" in text_of(screen)
        assert labels(screen) == ["a", "b"]
        await pilot.press("left", "left")
        heads, *rows = screen.query_one(CompareTable).plain()
        assert "val/score" in heads
        assert [row.split()[-2:] for row in rows] == [["4.0000", "pt"], ["5.0000", "pt"]]


async def test_values_that_are_not_finite_are_marked_and_said(tmp_path: Path) -> None:
    fine = by_epoch(tmp_path / "a", {"a": [[4.0, 3.0, 2.0]], "b": [[5.0, 1.5, 1.0]]}, metric="val/score")
    async with show(fine) as (_, screen):
        assert "!" not in "".join(screen.query_one("#accuracy", Overlay).plain())
    holed = by_epoch(tmp_path / "b", {"a": [[4.0, nan, 2.0]], "b": [[5.0, 1.5, 1.0]]}, metric="val/score")
    async with show(holed) as (_, screen):
        chart = screen.query_one("#accuracy", Overlay).plain()
        assert "! not finite" in chart[0]
        assert sum(line.count("!") for line in chart[1:]) == 1


async def test_a_series_of_many_values_is_drawn_by_columns(tmp_path: Path) -> None:
    comparison = by_epoch(tmp_path, {"a": [[4.0, 3.0]], "b": [[5.0, 1.5]]}, metric="dense:min")
    for run in comparison.runs:
        last = run.history.steps
        run.history.series.log_many("dense", range(last * 3000), [float(i % 7) for i in range(last * 3000)])
        run.history.series.log(last, {"dense": 2.0})  # and goes back
        run.history.series.log_many("dense", range(last + 1, 9000), [float(i % 7) for i in range(last + 1, 9000)])
    async with show(comparison) as (_, screen):
        chart = screen.query_one("#accuracy", Overlay)
        lines = made_of(chart, comparison.groups[0], 60)
        assert any(extent for extent in lines.line)
        assert lines.best is None
        assert "lowest" not in chart.plain()[0]


@pytest.mark.says("comparison.columns", "comparison.columns_keys")
async def test_columns_are_marked_in_a_list(three: Comparison) -> None:
    async with show(three, size=(140, 40)) as (pilot, screen):
        table = screen.query_one(CompareTable)
        assert "best acc" in table.plain()[0]
        await pilot.press("t")
        await pilot.pause()
        choice = pilot.app.screen
        assert isinstance(choice, ColumnChoice)
        names = list(choice._list.shown)
        for name in list(choice._list.marked):
            choice._list.move(names.index(name) - names.index(str(choice._list.current)))
            await pilot.press("space")
        choice._list.move(names.index("scheduler.name") - names.index(str(choice._list.current)))
        await pilot.press("space", "enter")
        await pilot.pause()
        screen.draw()
        await pilot.pause()
        head, *rows = table.plain()
        assert "scheduler.name" in head
        assert "best acc" not in head
        assert any("OneCycleLR" in row for row in rows)
        await pilot.press("s")
        screen.draw()
        await pilot.pause()
        assert "scheduler.name ▼" in table.plain()[0]
        words = [row.split()[-1] for row in table.plain()[1:] if row.strip()]
        assert words == sorted(words)
        await pilot.press("t", "escape")
        assert three.columns == ("scheduler.name",)


@pytest.mark.says("comparison.report_begun", "comparison.report_written")
@pytest.mark.never_says("comparison.report_begun", "comparison.report_written")
async def test_a_key_writes_the_report_into_this_folder(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    said = {"comparison.report_begun", "comparison.report_written"}
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    comparison = compared(tmp_path, [record(tmp_path, scheduler=name) for name in ("StepLR", "none")])
    async with show(comparison=comparison) as shown:
        assert not captions_said & said
        await shown.press("w")
        await shown.until(lambda: "comparison.report_written" in captions_said)
        file = here / f"{comparison.session.id}.html"
        assert f"the report is written: {file}"[:130] in shown.the(KeyLine).plain()[0]
        assert 'id="trained"' in file.read_text()

        captions_said.clear()
        file.unlink()
        file.mkdir()
        await shown.press("w")
        await shown.until(lambda: "could not be written" in shown.the(KeyLine).plain()[0])
        assert captions_said & said == {"comparison.report_begun"}


async def test_where_nothing_happens_nothing_is_drawn_anew(show: Show, tmp_path: Path) -> None:
    comparison = compared(tmp_path, [record(tmp_path), record(tmp_path, scheduler="none")])
    async with show(comparison=comparison) as shown:
        table = shown.the(CompareTable)
        drawn = []
        lines = table.lines
        table.lines = lambda: drawn.append(1) or lines()
        await shown.frame()
        await shown.frame()
        assert not drawn
        await shown.press("down")
        assert drawn


def test_curves_of_many_seeds_are_read_one_after_the_other_however_little_time_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_trainer.ui.compare.curves.AT_A_TIME", 1)
    comparison = seeds(tmp_path, {"a": [{"epochs": 1, "batches": 4}] * 5})
    (group,) = comparison.groups
    axis, drawn = CompareAxis(), [Drawn("loss")]
    axis.update([group])
    curves = GroupCurves(group)
    over = 0.0  # this thread has computed longer
    assert [curves.catch_up(over, axis, 40, drawn) for _ in range(6)] == [False] * 4 + [True] * 2
    ends(group.runs[0], group.runs[0].history.ended)
    assert curves.catch_up(over, axis, 40, drawn)  # nothing of it is another curve
    axis.zoom_in()
    assert [curves.catch_up(over, axis, 40, drawn) for _ in range(5)] == [False] * 4 + [True]
    comparison.close()


async def test_of_hundreds_of_warnings_those_are_broken_into_lines_that_have_room(
    three: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[str] = []
    wrap = summary.wrap
    monkeypatch.setattr(summary, "wrap", lambda text, width: broken.append(text) or wrap(text, width))  # type: ignore[func-returns-value]
    async with show(three) as (_, screen):
        words = screen.query_one("#verdict", VerdictWords)
        words.show(three, replace(find_out(three), warnings=tuple(f"{i} is a warning" for i in range(500))))
        broken.clear()
        said = words.warned(60, 4)
        assert ["".join(span.text for span in line) for line in said] == [f"! {i} is a warning" for i in range(4)]
        assert len(broken) == 4


@pytest.mark.parametrize(("own", "sizes"), [(False, (10, 40)), (True, (30, 90))], ids=["seeds", "presets"])
async def test_a_frame_costs_what_changed_however_many_trials_are_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: bool, sizes: tuple[int, int]
) -> None:
    for name, value in {"screen.FIND_EVERY": 1e9, "screen.FIND_AT_ONCE": 1e9, "chart.READ_FOR": 1e9}.items():
        monkeypatch.setattr(f"tui_trainer.ui.compare.{name}", value)  # the clock decides nothing
    monkeypatch.setattr("tui_trainer.compare.comparison.READ_FOR", 1e9)
    monkeypatch.setattr("tui_trainer.compare.comparison.QUIET_AT_ONCE", 1)
    monkeypatch.setattr("tui_trainer.ui.compare.screen.FIND_FOR", 1e9)
    first = record(tmp_path, epochs=3, batches=4)
    few, many = [await costs_of_frames(first, count, own=own) for count in sizes]
    costs = [(what, one, other) for (what, one), (_, other) in zip(few, many, strict=True)]
    assert [(what, one, other) for what, one, other in costs[1:-1] if other > 1.15 * one] == []
    # As it begins and ends, its curve finds its place among all of them, and its numbers among theirs.
    assert [(what, one, other) for what, one, other in (costs[0], costs[-1]) if other > 1.3 * one] == []


async def costs_of_frames(over: Path, count: int, *, own: bool) -> list[tuple[str, int]]:
    """Of so many trials, seeds of two presets or presets of their own, all but one are over, and have each a copy of
    this record; what each frame costs as that one trains to its end."""
    runs = over.parent
    trains = Record.create(runs, {})
    entries = [Contestant(label="0", seed=0, asked={}, run=trains.id)]
    for i in range(1, count):
        copy = shutil.copytree(over, over.with_name(f"{count}-{i}"), copy_function=os.link)
        entries.append(Contestant(label=f"{i if own else i % 2}", seed=i, asked={}, run=copy.name))
    comparison = Comparison(Session.create(runs, entries))
    comparison.poll_all()
    costs, seen = [], [how_far(comparison.runs[0])]
    async with show(comparison) as (pilot, screen):
        for event in scripted_run(epochs=3, batches=4):
            trains.emit(event)
            if isinstance(event, StepsTaken | EpochEnded | RunEnded):
                until(lambda: comparison.poll() and how_far(comparison.runs[0]) != seen[-1])
                comparison.poll_all()
                seen.append(how_far(comparison.runs[0]))
                costs.append((type(event).__name__, calls_of(screen)))
                await pilot.pause()
        drawn = text_of(screen)
    trains.close()
    comparison.close()
    anew = Comparison(Session.open(comparison.session.folder))
    anew.poll_all()
    async with show(anew) as (_, screen):
        assert drawn == text_of(screen)
    anew.close()
    return costs


def how_far(run: Compared) -> tuple[int, int, bool]:
    return run.history.steps, len(run.history.epochs), run.history.ended is not None


def calls_of(screen: CompareScreen) -> int:
    """How many functions a frame calls."""

    def frame() -> None:
        screen.draw()
        for panel in screen.query(Panel):
            panel.redraw()

    return calls(frame)


def calls(work: Callable[[], object]) -> int:
    """How many functions some work calls."""
    counts = Counter[str]()
    sys.setprofile(lambda frame, event, arg: counts.update([event]))
    try:
        work()
    finally:
        sys.setprofile(None)
    return counts["call"] + counts["c_call"]


async def test_a_key_that_has_all_curves_drawn_anew_does_so_in_pieces_as_large_for_many_as_for_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = record(tmp_path, epochs=3, batches=4)
    few, many = [await pieces_of_a_zoom(first, count, monkeypatch) for count in (30, 90)]
    assert max(many) <= 1.3 * max(few)
    assert len(many) > 2 * len(few)


async def pieces_of_a_zoom(over: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many functions each piece calls in which the chart of the losses draws presets anew that are zoomed in on, as
    small ones as can be."""
    copies = [shutil.copytree(over, over.with_name(f"{count}-{i}"), copy_function=os.link) for i in range(count)]
    entries = [Contestant(label=f"{i}", seed=0, asked={}, run=copy.name) for i, copy in enumerate(copies)]
    comparison = Comparison(Session.create(over.parent, entries))
    comparison.poll_all()
    async with show(comparison) as (pilot, screen):
        until_drawn = screen.query_one("#loss", Overlay)
        await pilot.pause()
        with monkeypatch.context() as patch:
            patch.setattr("tui_trainer.ui.compare.chart.READ_FOR", 0.0)
            patch.setattr("tui_trainer.ui.compare.chart.DRAW_EVERY", 1e9)
            screen.axis.zoom_in()
            pieces = []
            while not pieces or until_drawn._lags:
                pieces.append(calls(until_drawn.redraw))
        in_pieces = until_drawn.plain()
    comparison.close()
    anew = Comparison(Session.open(comparison.session.folder))
    anew.poll_all()
    async with show(anew) as (pilot, screen):
        screen.axis.zoom_in()
        await pilot.pause()
        assert screen.query_one("#loss", Overlay).plain() == in_pieces
    anew.close()
    return pieces


async def test_of_many_presets_the_chosen_one_lies_on_top_and_its_name_is_the_last_to_go(tmp_path: Path) -> None:
    many = compared(tmp_path, [record(tmp_path, epochs=2, name=f"run {i}") for i in range(20)])
    async with show(many) as (pilot, screen):
        chart = screen.query_one("#lr", Overlay)
        drawn = chart._canvas.cells_drawn
        for number in (1, 2):  # of those that lie on top else, none has their colours
            await pilot.press("down")
            await pilot.pause()
            assert any(f"run {number}" in line for line in chart.plain())
            styles = {span.role for line in chart._drawn for span in line if span.text.strip()}
            assert f"run{many.groups[number].colour}" in styles
        assert chart._canvas.cells_drawn - drawn <= 2 * chart.frame.width * chart.frame.height
    many.close()


async def test_what_thousands_of_presets_are_is_found_out_between_frames_and_nothing_is_said_before(
    tmp_path: Path, captions_said: set[str]
) -> None:
    patch = pytest.MonkeyPatch()
    patch.setattr("tui_trainer.ui.compare.screen.FIND_FIRST", 0.0)
    patch.setattr("tui_trainer.ui.compare.screen.FIND_FOR", 0.0)
    spec = RunSpec.of("none", load_preset("none")).model_dump(mode="json")
    entries = [Contestant(label=f"{i}", seed=0, asked=spec | {"preset": spec["preset"]}) for i in range(80)]
    comparison = Comparison(Session.create(tmp_path, entries))
    app = TrainerApp(AppContext(), comparison=(comparison, None))
    async with app.run_test(size=(140, 40)) as pilot:
        app.context.clock.stop()
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        assert app.context.clock.behind
        assert not captions_said & {"comparison.same_lrs", "comparison.nothing_differs"}
        frames = 1
        while screen._works_on:
            screen.draw()
            frames += 1
        await pilot.pause()
        assert frames > 3
        assert captions_said >= {"comparison.same_lrs", "comparison.nothing_differs"}
        in_pieces = text_of(screen)
    patch.setattr("tui_trainer.ui.compare.screen.FIND_FIRST", 1e9)
    async with show(Comparison(comparison.session)) as (_, screen):
        assert text_of(screen) == in_pieces
    patch.undo()


async def test_a_frame_looks_at_what_trains_and_not_at_each_of_thousands_of_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_trainer.ui.compare.screen.FIND_EVERY", 3600.0)
    events = scripted_run(status=None)
    trains = Record.create(tmp_path, {"preset_name": "none"})
    first, second, *_ = [number for number, event in enumerate(events) if isinstance(event, StepsTaken)]
    for event in events[: first + 1]:
        trains.emit(event)
    entries = [Contestant(label=f"preset {i % 3}", seed=i // 3, asked={}) for i in range(3000)]
    entries[0] = Contestant(label="preset 0", seed=0, asked={}, run=trains.id)
    comparison = Comparison(Session.create(tmp_path, entries))
    looked: list[Compared] = []
    state = Compared.state
    monkeypatch.setattr(Compared, "state", property(lambda run: looked.append(run) or state.fget(run)))  # type: ignore[attr-defined]
    async with show(comparison) as (pilot, screen):
        until(lambda: bool(comparison.poll() or comparison.runs[0].history.steps))
        screen.draw()
        await pilot.pause()
        milestones, steps = comparison.milestones, comparison.runs[0].history.steps
        assert looked
        looked.clear()
        for event in events[first + 1 : second + 1]:
            trains.emit(event)
        until(lambda: bool(comparison.poll()) and comparison.runs[0].history.steps > steps)
        screen.draw()
        await pilot.pause()
        assert comparison.milestones == milestones
        assert 0 < len(looked) < 300
        find_out(comparison)
        looked.clear()
        goes_on(comparison.runs[0])
        find_out(comparison)
        assert 0 < len(looked) < 3000  # at those of its preset
    trains.close()
    comparison.close()
