"""The screen of a run in fewer lines than its panels need: charts alone, then a line each, then a word of why not."""

from __future__ import annotations

import pytest

from tests.made_metrics import sparse_run
from tests.scripted import scripted_run
from tests.ui.conftest import Show, cut
from tui_trainer.records.history import History
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.dialogs import Question
from tui_trainer.ui.live.compact import CompactLines, names_in_short
from tui_trainer.ui.live.listing import Listing
from tui_trainer.ui.trainer_screen import KeyLine

LIVE = cut(scripted_run(epochs=6, batches=20), 70)


@pytest.mark.says("state.no_room", "screen.too_small")
@pytest.mark.never_says("state.no_room", "screen.too_small")
async def test_the_charts_are_the_last_to_go(show: Show, captions_said: set[str]) -> None:
    async with show(LIVE, size=(60, 16)) as shown:
        assert shown.the(Listing).display
        await shown.press("1", "1")
        shown.the(KeyLine).quiet()
        assert "state.no_room" not in captions_said
        for lines in (15, 11):
            await shown.pilot.resize_terminal(60, lines)
            await shown.frame()
            loss, lr, text = shown.the(LossChart), shown.the(LRChart), shown.text()
            assert not shown.the(Listing).region.size
            assert min(loss.frame.height, lr.frame.height) >= 2
            assert loss.size.height + lr.size.height == lines - 3
            assert "steplr" in text
            assert "epoch 4/6" in text
            assert "q leave" in text
        await shown.press("3")
        assert "panels need 16 lines" in shown.text()
        for lines, names in ((9, ["train_loss", "val_loss", "val_accuracy", "lr"]), (5, ["train_loss", "lr"])):
            await shown.pilot.resize_terminal(60, lines)
            await shown.frame()
            told = [line.split() for line in shown.the(CompactLines).plain() if line.strip()]
            assert [words[0] for words in told] == names
            assert all(set(words[2]) <= set("▁▂▃▄▅▆▇█") and len(words[2]) > 1 for words in told)
        assert "screen.too_small" not in captions_said
        await shown.pilot.resize_terminal(60, 4)
        await shown.frame()
        assert "60 columns and 5 lines, the terminal has 60 and 4: make it larger." in " ".join(shown.text().split())
        await shown.pilot.resize_terminal(60, 16)
        await shown.frame()
        assert shown.the(Listing).region.size


@pytest.mark.never_says("screen.too_small")
async def test_pages_have_room_in_fifteen_lines(show: Show, captions_said: set[str]) -> None:
    async with show(LIVE, size=(60, 15)) as shown:
        for key in ("p", "m", "question_mark"):
            await shown.press(key)
            await shown.frame()
            assert len(shown.text().split()) > 10
            await shown.press("escape")
        assert "screen.too_small" not in captions_said


@pytest.mark.says("screen.goes_back")
@pytest.mark.never_says("screen.goes_back")
async def test_the_way_back_is_said_on_a_page_that_was_opened_and_is_one(show: Show, captions_said: set[str]) -> None:
    for keys in (("p",), ("p", "slash", "x"), ("p", "e"), ("m",)):
        async with show(LIVE, size=(60, 4)) as shown:
            await shown.frame()
            assert "ctrl+c leaves." in " ".join(shown.text().split())
            assert "screen.goes_back" not in captions_said
            await shown.pilot.resize_terminal(100, 30)
            await shown.press(*keys)
            pages = len(shown.app.screen_stack)
            await shown.pilot.resize_terminal(60, 12)
            await shown.frame()
            assert "esc leads back." in " ".join(shown.text().split())
            for _ in range(3):
                if len(shown.app.screen_stack) == pages:
                    await shown.press("escape")
            assert len(shown.app.screen_stack) == pages - 1, keys
            captions_said.clear()


async def test_the_key_that_is_said_to_leave_does_so_where_letters_are_typed(show: Show) -> None:
    for keys in (("p", "slash"), ("p", "e")):
        async with show(LIVE, size=(100, 30)) as shown:
            await shown.press(*keys)
            await shown.pilot.resize_terminal(50, 4)
            await shown.frame()
            assert "ctrl+c leaves." in " ".join(shown.text().split())
            await shown.press("ctrl+c")
            assert isinstance(shown.app.screen, Question)


def test_of_a_run_that_tells_numbers_alone_the_first_loss_and_lr_are_told_in_short() -> None:
    history = History()
    assert names_in_short(history, 4) == []
    for event in sparse_run():
        history.apply(event)
    assert names_in_short(history, 4) == ["train/loss_a", "lr-SGD/pg0"]
