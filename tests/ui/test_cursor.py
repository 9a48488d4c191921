"""The cursor in step over all charts, the marks and why they are there, what is in sight, and copying it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from textual import events
from textual.geometry import Offset

from tests.scripted import scripted_run
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_source import ScriptedHost
from tui_trainer.events import EpochEnded, PresetSwitched, StepsTaken
from tui_trainer.records.history import History
from tui_trainer.ui.charts.accuracy import AccuracyChart
from tui_trainer.ui.charts.chart_data import marks_between, since, steps_of
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.live.status_lines import Headline
from tui_trainer.ui.live.why import Why
from tui_trainer.ui.runs.screen import OtherRunScreen
from tui_trainer.ui.trainer_screen import KeyLine

RUN = scripted_run(epochs=6, batches=20)
LIVE = cut(RUN, 110)
SWITCHED = scripted_run(epochs=6, batches=20, switch_at=4)


def history_of(events: list[Any]) -> History:
    history = History()
    for event in events:
        history.apply(event)
    return history


def title(shown: Shown, chart: type[LossChart] | type[LRChart]) -> str:
    return str(shown.the(chart).plain()[0])


def badge(shown: Shown) -> str:
    return str(shown.the(LRChart).plain()[-1].split()[0])


async def move(shown: Shown, chart: type[LossChart] | type[LRChart], x: int, y: int = 4) -> None:
    """Move the mouse there."""
    await shown.pilot.hover(chart, offset=(x, y))


# Why the LR moved


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_the_cursor_on_a_drop_reads_why_on_the_chart_and_in_the_panel(show: Show, size: tuple[int, int]) -> None:
    async with show(LIVE, size=size) as shown:
        axis = shown.app.screen.axis  # type: ignore[attr-defined]
        await shown.press("left")
        while axis.column_of(40, axis.width) != axis.column_of(axis.cursor, axis.width):
            await shown.press("left")
        assert "step_size 2 reached, 0.001 → 0.0005" in title(shown, LRChart)
        assert any("step_size 2 reached, 0.001 → 0.0005" in line for line in shown.the(Why).plain()[:3])


async def test_beside_a_mark_it_says_since_when_the_lr_is_what_it_is(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("comma", "left", "left", "left")
        assert "since step 80: step_size 2 reached, 0.0005 → 0.00025" in title(shown, LRChart)
        await shown.press("escape")
        assert "0.00025 used last" in title(shown, LRChart)


@pytest.mark.says("answer.no_earlier_mark", "answer.no_later_mark")
@pytest.mark.never_says("answer.no_earlier_mark", "answer.no_later_mark")
async def test_keys_go_from_mark_to_mark(show: Show, captions_said: set[str]) -> None:
    async with show(SWITCHED) as shown:
        screen: Any = shown.app.screen
        at = []
        for _ in range(6):
            await shown.press("comma")
            at.append(screen.axis.cursor)
        assert at == sorted(at, reverse=True)
        assert {120, 100, 80, 60} <= {*at}
        assert "switch" in {mark.kind for mark in marks_between(shown.host.history, 60, 60)}
        while screen.axis.cursor != 60:
            await shown.press("full_stop")
        assert "preset steplr → onecycle" in title(shown, LRChart) or "preset steplr → onecycle" in shown.text()
        assert not {"answer.no_earlier_mark", "answer.no_later_mark"} & captions_said
        await shown.press(*["comma"] * 8)
        assert "no earlier mark" in shown.the(KeyLine).plain()[0]
        await shown.press(*["full_stop"] * 16)
        assert "no later mark" in shown.the(KeyLine).plain()[0]


@pytest.mark.says("why.up_to_cursor")
@pytest.mark.never_says("why.up_to_cursor")
async def test_all_charts_and_the_reasons_are_read_at_one_step(show: Show, captions_said: set[str]) -> None:
    async with show(LIVE) as shown:
        assert "why.up_to_cursor" not in captions_said
        await shown.press("comma", "comma")
        history, screen = shown.host.history, shown.app.screen
        step = screen.axis.cursor  # type: ignore[attr-defined]
        ended = next(epoch for epoch in history.epochs if epoch.step == step)
        for part in (f"step {step}", f"train {history.losses[step - 1]:.4f}", f"val {ended.val_loss:.4f}"):
            assert part in title(shown, LossChart)
        assert f"val {ended.val_accuracy:.4f}" in title(shown, AccuracyChart)
        assert f"step {step}" in title(shown, LRChart)
        assert f"{history.lrs[step - 1]:g} used" in title(shown, LRChart)
        assert "up to the cursor" in shown.the(Why).plain()[0]
        later = f"epoch {ended.epoch + 1}"
        assert not any(line.startswith(later) for line in shown.the(Why).plain())


def test_marks_are_told_in_words_what_matters_most_first() -> None:
    history = history_of(RUN)
    assert [mark.kind for mark in marks_between(history, 39, 41)] == ["lr", "epoch"]
    assert [mark.kind for mark in marks_between(history, 120, 120)] == ["lr", "epoch", "checkpoint", "checkpoint"]
    moved, ended = marks_between(history, 40, 40)
    assert moved.words == "step_size 2 reached, 0.001 → 0.0005"
    assert ended.words.startswith("epoch 2 ends, val_loss 0.3030, accuracy 0.9309")
    assert marks_between(history, 41, 59) == []
    assert since(history, 40) is None
    assert since(history, 41) == moved
    assert steps_of(history) == [20, 40, 60, 80, 100, 120]


async def test_the_best_checkpoint_and_the_last_one_are_marked_on_the_axis(show: Show) -> None:
    async with show(LIVE) as shown:
        line = shown.the(LRChart).plain()[-2]
        axis = shown.app.screen.axis  # type: ignore[attr-defined]
        assert line[7 + axis.column_of(100, axis.width)] == "■"
        assert line.count("■") == 1
        await shown.press("x", "x")  # in seconds, the ends of epochs are no ticks
        assert shown.the(LRChart).plain()[-2].count("┴") >= 3


# What is in sight


@pytest.mark.says("answer.frozen", "state.frozen")
@pytest.mark.never_says("answer.frozen", "answer.whole_run")
async def test_the_badge_says_what_is_in_sight_and_one_key_leads_back(show: Show, captions_said: set[str]) -> None:
    host = ScriptedHost(LIVE)
    async with show(host) as shown:
        assert badge(shown) == "all"
        await shown.press("plus", "plus")
        assert badge(shown) == "live"
        seen = shown.app.screen.axis.bounds  # type: ignore[attr-defined]
        await shown.press("less_than_sign")
        assert badge(shown) == "frozen"
        frozen = shown.the(Headline)._drawn[0]
        assert [span.role for span in frozen if "charts frozen" in span.text] == ["strong"]  # as loud as `paused`
        assert "f follows" in shown.the(KeyLine).plain()[0]
        captions_said.clear()
        assert shown.app.screen.axis.bounds[0] < seen[0]  # type: ignore[attr-defined]
        await shown.press("greater_than_sign", "left")
        assert badge(shown) == "frozen"
        await shown.press("f")
        assert "frozen" not in shown.the(Headline).plain()[0]
        assert badge(shown) == "live"
        assert shown.app.screen.axis.cursor is None  # type: ignore[attr-defined]
        await shown.frame(*RUN[len(LIVE) :])
        assert shown.host.history.ended is not None
        assert badge(shown) == "frozen"  # nothing more comes
        await shown.press("f")
        assert badge(shown) == "frozen"
        assert "ended" in shown.the(KeyLine).plain()[0]
        await shown.press("less_than_sign", "left")
        assert not {"answer.frozen", "answer.whole_run"} & captions_said
        await shown.press("0")
        assert badge(shown) == "all"


async def test_a_click_on_the_badge_follows_too(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("plus", "plus", "less_than_sign")
        assert badge(shown) == "frozen"
        await shown.pilot.click(LRChart, offset=(2, shown.the(LRChart).size.height - 1))
        await shown.frame()
        assert badge(shown) == "live"


@pytest.mark.says("answer.whole_run")
async def test_there_is_nothing_to_pan_where_all_is_in_sight(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("less_than_sign")
        assert badge(shown) == "all"
        assert "whole run" in shown.the(KeyLine).plain()[0]


async def test_escape_takes_the_cursor_away_and_then_leads_back_to_the_list(show: Show) -> None:
    async with show(LIVE) as shown:
        shown.app.push_screen(OtherRunScreen(ScriptedHost(RUN), "screen"))
        await shown.frame()
        other: Any = shown.app.screen
        await shown.press("left", "escape")
        assert shown.app.screen is other
        assert other.axis.cursor is None
        await shown.press("escape")
        assert shown.app.screen is not other


async def test_smoothing_is_a_figure_in_the_title_and_leaves_the_lr_alone(show: Show) -> None:
    async with show(LIVE) as shown:
        lr = shown.the(LRChart).plain()
        assert "smoothed 5" in title(shown, LossChart)
        await shown.press("right_square_bracket")
        assert "smoothed 10" in title(shown, LossChart)
        assert "over 10 batches" in shown.the(KeyLine).plain()[0]
        await shown.press(*["left_square_bracket"] * 3)
        assert "not smoothed" in title(shown, LossChart)
        assert shown.the(LRChart).plain() == lr


# A mouse


async def test_a_drag_moves_what_is_in_sight_and_sets_no_cursor(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("plus", "plus")
        screen: Any = shown.app.screen
        before = screen.axis.bounds
        await shown.pilot.mouse_down(LossChart, offset=(30, 5))
        for x in (40, 50):
            await move(shown, LossChart, x)
        await shown.pilot.mouse_up(LossChart, offset=(50, 5))
        await shown.frame()
        assert screen.axis.bounds[0] < before[0]
        assert screen.axis.cursor is None
        assert badge(shown) == "frozen"
        assert shown.app.mouse_captured is None
        assert not screen.selections


async def test_where_all_is_in_sight_a_drag_takes_the_cursor_along(show: Show) -> None:
    async with show(LIVE) as shown:
        screen: Any = shown.app.screen
        await shown.pilot.mouse_down(LRChart, offset=(30, 3))
        await move(shown, LRChart, 45)
        cursor = screen.axis.cursor
        assert screen.axis.column_of(cursor, screen.axis.width) == 45 - 7
        await shown.pilot.mouse_up(LRChart, offset=(45, 3))
        await move(shown, LRChart, 60)
        assert screen.axis.cursor == cursor


async def test_a_mark_under_the_mouse_is_told_in_words_as_text(show: Show) -> None:
    nasty = "[red]x[/] \x1b[31m"
    spoilt = [
        msgspec.structs.replace(event, recipe=msgspec.structs.replace(event.recipe, preset=nasty))
        if isinstance(event, PresetSwitched)
        else event
        for event in SWITCHED
    ]
    async with show(spoilt) as shown:
        axis: Any = shown.app.screen.axis  # type: ignore[attr-defined]
        await move(shown, LRChart, 7 + axis.column_of(40, axis.width))
        assert "step 40: step_size 2 reached, 0.001 → 0.0005" in str(shown.the(LRChart).tooltip)
        await move(shown, LRChart, 7 + axis.column_of(60, axis.width))
        assert "preset steplr → [red]x[/]" in str(shown.the(LRChart).tooltip)
        assert "\x1b" not in str(shown.the(LRChart).tooltip)
        await move(shown, LRChart, 7 + axis.column_of(50, axis.width))
        assert shown.the(LRChart).tooltip is None


# A log scale


async def test_a_log_scale_is_said_and_marks_what_has_no_place_on_it(show: Show) -> None:
    events = [
        msgspec.structs.replace(event, lrs=[0.0])
        if isinstance(event, StepsTaken) and event.step > 60
        else msgspec.structs.replace(event, val_loss=-0.5)
        if isinstance(event, EpochEnded) and event.epoch == 2
        else event
        for event in LIVE
    ]
    async with show(events) as shown:
        assert "▾" not in shown.text()
        await shown.press("y")
        assert "log scale" in title(shown, LossChart)
        assert shown.the(LossChart).plain()[-1].count("▾") == 1  # the validation loss below zero
        await shown.press(*["tab"] * 3, "y")
        bottom = shown.the(LRChart).plain()[-3]
        assert bottom.count("▾") > 10
        assert "log scale" in title(shown, LRChart)


async def test_a_log_scale_without_anything_above_zero_fakes_nothing(show: Show) -> None:
    events = [
        msgspec.structs.replace(event, losses=[0.0 for _ in event.losses]) if isinstance(event, StepsTaken) else event
        for event in cut(RUN, 19)
    ]
    async with show(events) as shown:
        await shown.press("y")
        rows = shown.the(LossChart).plain()[1:]
        assert "▾" in rows[-1]
        assert not any("\u2801" <= letter <= "\u28ff" for row in rows for letter in row)


# Copying


@pytest.mark.says("answer.copied")
async def test_the_figures_under_the_cursor_are_copied(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("comma", "comma", "comma", "comma", "C")
        first, *rest = shown.app.clipboard.splitlines()
        loss = shown.host.history.losses[39]
        assert first.startswith(f"step 40 · epoch 2, batch 20 · train_loss {loss:.4f} · lr 0.001 · 0:00:00 · val_loss")
        assert "step 40: step_size 2 reached, 0.001 → 0.0005" in rest
        assert "sent to the terminal's clipboard: step 40" in shown.the(KeyLine).plain()[0]


async def test_the_panel_in_focus_is_copied_as_text(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press(*["tab"] * 4, "C")
        assert shown.app.clipboard.startswith("the loop")
        assert "loss.backward()" in shown.app.clipboard


async def test_text_selected_by_mouse_is_lit_and_copied_and_without_it_the_key_leaves(show: Show) -> None:
    async with show(LIVE, on_detach=lambda: None) as shown:
        why = shown.the(Why)
        screen: Any = shown.app.screen
        before = [strip.text for strip in why._strips]
        await shown.pilot.mouse_down(Why, offset=(11, 1))
        at = why.content_region.offset + Offset(25, 1)
        screen._forward_event(events.MouseMove(None, at.x, at.y, 1, 0, 1, False, False, False, at.x, at.y))
        await shown.pilot.pause()
        await shown.pilot.mouse_up(Why, offset=(25, 1))
        await shown.frame()
        lit = why.render_line(1)
        assert lit.text == before[1]
        assert lit != why._strips[1]
        await shown.press("ctrl+c")
        assert shown.app.clipboard == before[1][11:26].strip()
        assert shown.app.screen is screen
        await shown.press("ctrl+c")
        assert shown.app.screen is not screen  # the question what becomes of the run
