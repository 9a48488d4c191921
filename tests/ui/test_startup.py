"""Five hints on the first start of all, and never again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripted import scripted_run
from tests.ui.conftest import Show, Shown, cut
from tui_trainer.ui.keys import KEYS
from tui_trainer.ui.live.startup import HINTS, Hints
from tui_trainer.ui.settings import Settings

LIVE = cut(scripted_run(epochs=4, batches=20), 50)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "screen.json"


def hint(shown: Shown) -> str:
    """The hint on show, without what stands around it."""
    panel = shown.the(Hints)
    return panel.plain()[0] if panel.display and panel.size.height else ""


def test_there_are_five_and_their_keys_exist() -> None:
    assert len(HINTS) == 5
    names = {name for key in KEYS for name in key.keys.split(",")}
    assert {key for each in HINTS for key in each.keys} <= names


async def test_enter_leads_through_them_and_they_never_return(show: Show, file: Path) -> None:
    async with show(LIVE, settings=Settings(file)) as shown:
        for number, each in enumerate(HINTS, 1):
            assert hint(shown).startswith(f" {number}/5  {each.text(watched=False)}")
            await shown.press("enter")
        assert hint(shown) == ""
    async with show(LIVE, settings=Settings(file)) as shown:
        assert hint(shown) == ""


async def test_who_does_what_a_hint_says_is_led_on(show: Show, file: Path) -> None:
    async with show(LIVE, settings=Settings(file)) as shown:
        await shown.press("y")
        assert hint(shown).startswith(" 1/5")
        await shown.press("space")
        assert hint(shown).startswith(" 2/5")
        assert len(shown.host.sent) == 1  # and the key did what it does
        await shown.press("left", "plus")
        assert hint(shown).startswith(" 4/5")
        await shown.pilot.click(Hints, offset=(10, 0))
        await shown.frame()
        assert hint(shown).startswith(" 5/5")


async def test_escape_ends_them_and_then_means_what_it_meant(show: Show, file: Path) -> None:
    async with show(LIVE, settings=Settings(file)) as shown:
        await shown.press("y", "comma")
        screen = shown.app.screen
        assert screen.axis.cursor is not None
        await shown.press("escape")
        assert hint(shown) == ""
        assert screen.axis.cursor is not None
        await shown.press("escape")
        assert screen.axis.cursor is None


async def test_quitting_in_the_middle_was_seeing_them(show: Show, file: Path) -> None:
    async with show(LIVE, settings=Settings(file)) as shown:
        assert hint(shown)
    async with show(LIVE, settings=Settings(file)) as shown:
        assert not hint(shown)


@pytest.mark.says("hint.*")
@pytest.mark.never_says("hint.onwards", "hint.next")
@pytest.mark.parametrize("width", [60, 80, 140, 250])
async def test_a_hint_is_one_line_that_fits(show: Show, file: Path, width: int) -> None:
    async with show(LIVE, settings=Settings(file), size=(width, 24)) as shown:
        for each in HINTS:
            assert len(hint(shown)) <= width
            assert width < 80 or each.text(watched=False) in hint(shown)
            await shown.press("enter")


async def test_there_are_none_before_the_first_batch_nor_on_a_run_that_ended(show: Show, file: Path) -> None:
    async with show([], settings=Settings(file)) as shown:
        assert hint(shown) == ""
    async with show(scripted_run(epochs=2), settings=Settings(file)) as shown:
        assert hint(shown) == ""
    assert not file.exists()


async def test_they_end_as_the_run_does(show: Show, file: Path) -> None:
    events = scripted_run(epochs=4, batches=20)
    async with show(LIVE, settings=Settings(file)) as shown:
        assert hint(shown)
        await shown.frame(*events[len(LIVE) :])
        await shown.frame()
        assert hint(shown) == ""


async def test_nothing_is_hinted_where_nothing_is_remembered(show: Show) -> None:
    async with show(LIVE) as shown:
        assert hint(shown) == ""
