"""Panels hidden and shown by number keys, at every size, and remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripted import scripted_run
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_source import ScriptedHost
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.charts.plan_strip import PlanStrip
from tui_trainer.ui.keys import PANELS
from tui_trainer.ui.live.listing import Listing
from tui_trainer.ui.live.log_pane import LogPane
from tui_trainer.ui.live.why import Why
from tui_trainer.ui.panel import Panel
from tui_trainer.ui.settings import Settings
from tui_trainer.ui.trainer_screen import KeyLine

LIVE = cut(scripted_run(epochs=4, batches=20), 50)
EARLY = cut(scripted_run(epochs=40, batches=20), 250)
SIZES = [(60, 16), (80, 24), (100, 50), (140, 40)]


def shown_panels(shown: Shown) -> list[str]:
    widgets = [shown.app.screen.query_one(f"#{panel.id}") for panel in PANELS.values()]
    return [str(widget.id) for widget in widgets if widget.display and widget.size]


@pytest.mark.parametrize("size", SIZES)
async def test_a_key_leads_through_the_forms_of_its_panel_and_back(show: Show, size: tuple[int, int]) -> None:
    async with show(LIVE, size=size) as shown:
        whole = shown_panels(shown)
        for number, panel in PANELS.items():
            forms = panel.roomy if size[0] >= 116 or size[1] >= 48 else panel.small
            here = []
            for form in forms:
                here.append(panel.id in shown_panels(shown))
                assert here[-1] == (form != "hidden"), f"{panel.id}: {form}"
                assert {*whole} - {panel.id} == {*shown_panels(shown)} - {panel.id}, f"beside {panel.id}: {form}"
                await shown.press(number)
            assert set(here) == {True, False}, panel.id
            assert shown_panels(shown) == whole, f"after {panel.id}"


@pytest.mark.says("answer.last_panel", "answer.panel_hidden")
@pytest.mark.never_says("answer.last_panel", "answer.panel_hidden")
@pytest.mark.parametrize("size", SIZES)
async def test_whatever_is_hidden_the_rest_has_the_room_and_the_last_one_stays(
    show: Show, size: tuple[int, int], captions_said: set[str]
) -> None:
    async with show(LIVE, size=size) as shown:
        for number in PANELS:
            for _ in range(3):
                if len(shown_panels(shown)) > 1 and PANELS[number].id in shown_panels(shown):
                    await shown.press(number)
        (last,) = shown_panels(shown)
        assert "answer.last_panel" not in captions_said
        captions_said.clear()
        for _ in range(3):
            await shown.press(next(number for number, panel in PANELS.items() if panel.id == last))
            assert shown_panels(shown) == [last]
        assert "answer.panel_hidden" not in captions_said
        panel = shown.app.screen.query_one(f"#{last}", Panel)
        assert panel.size.width >= size[0] - 2


async def test_hidden_charts_leave_the_width_to_the_loop(show: Show) -> None:
    async with show(LIVE) as shown:
        before = shown.the(Listing).size.width
        await shown.press("1", "2")
        assert shown.the(Listing).size.width > before
        await shown.press("1", "2")
        assert shown.the(Listing).size.width == before
        await shown.press("3", "4", "7")
        assert shown.the(LossChart).size.width >= 130


async def test_the_axis_is_written_under_the_loss_where_there_is_no_lr_chart(show: Show) -> None:
    async with show(LIVE) as shown:
        assert "epoch" not in shown.the(LossChart).plain()[-1]
        await shown.press("2")
        assert shown.the(LossChart).plain()[-1].split()[-1] == "epoch"
        await shown.press("2")
        assert "epoch" not in shown.the(LossChart).plain()[-1]


async def test_in_80_columns_a_side_panel_opens_over_the_room_of_the_charts(show: Show) -> None:
    async with show(LIVE, size=(80, 24)) as shown:
        assert shown.the(Listing).size.height == 2
        await shown.press("3")
        listing = shown.the(Listing)
        assert listing.size.height == listing.height_wanted() > 5
        assert "for epoch in range(4):" in shown.text()
        assert shown.the(LRChart).size.height >= 4
        assert shown.the(LossChart).size.height >= 4
        await shown.press("4")  # one at a time
        assert shown.the(Listing).size.height == 2
        assert shown.the(Why).size.height == 8
        await shown.press("4")
        assert not shown.the(Why).display
        assert "4 shows it again" in shown.the(KeyLine).plain()[0]
        assert shown.the(LRChart).size.height > 4


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (100, 50), (140, 24), (140, 40)])
async def test_whatever_is_opened_the_lr_chart_keeps_its_curve(
    show: Show, size: tuple[int, int], tmp_path: Path
) -> None:
    host = ScriptedHost(EARLY)
    host.folder = tmp_path
    (tmp_path / "log.txt").write_text("printed\n" * 30)
    async with show(host, size=size) as shown:
        assert shown.the(PlanStrip).display
        for number in "33445566677":
            await shown.press(number)
            await shown.frame()
            lr = shown.the(LRChart)
            assert lr.size.height >= 4, number
            assert lr.region.bottom <= lr.parent.region.bottom
            assert shown.the(LossChart).size.height >= 4, number
            for panel in shown_panels(shown):
                widget = shown.app.screen.query_one(f"#{panel}")
                assert widget.region.bottom <= size[1] - 2, panel


async def test_without_the_loss_the_lr_has_its_room(show: Show, tmp_path: Path) -> None:
    host = ScriptedHost(LIVE)
    host.folder = tmp_path
    (tmp_path / "log.txt").write_text("printed\n" * 30)
    async with show(host, size=(100, 30)) as shown:
        await shown.press("1", "6")
        await shown.frame()
        assert shown.the(LRChart).size.height == 13
        await shown.press("6", "4")
        await shown.frame()
        assert shown.the(LRChart).size.height == 15


async def test_the_log_is_as_high_as_what_was_printed_needs(show: Show, tmp_path: Path) -> None:
    host = ScriptedHost(LIVE)
    host.folder = tmp_path
    async with show(host) as shown:
        await shown.press("6")
        log = shown.the(LogPane)
        assert (log.size.height, log.plain()[1].strip()) == (2, "nothing was printed to this run's log")
        (tmp_path / "log.txt").write_text("a warning\n")
        log._look_at = 0.0
        await shown.frame()
        await shown.frame()
        assert log.size.height == 8


@pytest.mark.parametrize(
    ("size", "key", "said"),
    [
        ((80, 24), "3", ["loop: full", "loop: hidden, 3 shows it again", "loop: one line"]),
        ((80, 24), "5", ["machine: one line", "machine: full", "machine: hidden, 5 shows it again"]),
        ((140, 40), "6", ["log: full", "log: hidden, 6 shows it again"]),
    ],
)
async def test_after_its_key_the_form_of_a_panel_is_said(
    show: Show, size: tuple[int, int], key: str, said: list[str]
) -> None:
    async with show(LIVE, size=size) as shown:
        for words in said:
            await shown.press(key)
            assert shown.the(KeyLine).plain()[0].strip() == words


async def test_a_terminal_that_grows_has_its_own_arrangement(show: Show) -> None:
    async with show(LIVE, size=(80, 24)) as shown:
        await shown.press("2")
        assert "lr" not in shown_panels(shown)
        await shown.pilot.resize_terminal(140, 40)
        await shown.frame()
        assert "lr" in shown_panels(shown)
        await shown.pilot.resize_terminal(80, 24)
        await shown.frame()
        assert "lr" not in shown_panels(shown)


async def test_what_was_hidden_stays_hidden_at_the_next_start(show: Show, tmp_path: Path) -> None:
    file = tmp_path / "state" / "screen.json"
    async with show(LIVE, settings=Settings(file)) as shown:
        await shown.press("escape", "4")
        assert "why" not in shown_panels(shown)
    async with show(LIVE, settings=Settings(file)) as shown:
        assert "why" not in shown_panels(shown)
        await shown.press("4")
    async with show(LIVE, settings=Settings(file)) as shown:
        assert "why" in shown_panels(shown)


@pytest.mark.parametrize("over", ["question_mark", "b", "q", "p"])
@pytest.mark.parametrize(("before", "after"), [((140, 40), (80, 24)), ((80, 24), (140, 40))])
async def test_a_screen_that_comes_back_suits_the_size_there_is_now(
    show: Show, over: str, before: tuple[int, int], after: tuple[int, int]
) -> None:
    async with show(LIVE, size=after) as shown:
        expected = [(panel.id, panel.size) for panel in shown.app.screen.query(Panel)]
    async with show(LIVE, size=before, on_detach=lambda: None) as shown:
        screen = shown.app.screen
        await shown.press(over)
        assert shown.app.screen is not screen
        await shown.pilot.resize_terminal(*after)
        await shown.pilot.press("escape")  # and no frame: the clock of a run that ended may rest for a second
        await shown.pilot.pause()
        assert shown.app.screen is screen
        assert [(panel.id, panel.size) for panel in screen.query(Panel)] == expected
