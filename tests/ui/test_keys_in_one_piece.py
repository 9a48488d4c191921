"""Keys that come in one piece, as over a slow link or from a paste: each finds what the one before it opened."""

from __future__ import annotations

import pytest
from textual import events

from tests.recorded import RECORDS
from tests.scripted import scripted_run
from tests.ui.conftest import Show, Shown, cut

pytestmark = pytest.mark.slow

LIVE = cut(scripted_run(epochs=4, batches=20), 50)


async def at_once(shown: Shown, *keys: str) -> list[str]:
    """Press keys before the first of them is handled; the screens that lie over each other then."""
    for key in keys:
        shown.app.post_message(events.Key(key, {"enter": "\r"}.get(key, key if len(key) == 1 else None)))
    await shown.settle()
    await shown.frame()
    await shown.settle()
    return [type(screen).__name__ for screen in shown.app.screen_stack]


@pytest.mark.parametrize(
    ("keys", "screens"),
    [
        ("p p", "LiveScreen PickerScreen"),
        ("p escape", "LiveScreen"),
        ("p down enter", "LiveScreen PickerScreen Question"),
        ("p r", "LiveScreen PickerScreen RunsScreen"),
        ("p q", "LiveScreen PickerScreen Question"),
        ("p question_mark", "LiveScreen PickerScreen HelpScreen"),
        ("r r", "LiveScreen RunsScreen"),
        ("b b", "LiveScreen BreakItScreen"),
    ],
)
async def test_a_key_goes_to_the_screen_that_the_one_before_it_opened(show: Show, keys: str, screens: str) -> None:
    async with show(LIVE, runs=RECORDS) as shown:
        assert await at_once(shown, *keys.split()) == screens.split()


@pytest.mark.parametrize("keys", ["p slash c o s", "p k", "p n", "p space", "r space", "r s"])
async def test_a_key_for_a_list_asks_nothing_of_the_run_under_it(show: Show, keys: str) -> None:
    async with show(LIVE, runs=RECORDS) as shown:
        await at_once(shown, *keys.split())
        assert shown.host.sent == []


@pytest.mark.parametrize(
    ("keys", "screens"),
    [("enter enter", "LiveScreen RunsScreen OtherRunScreen"), ("enter escape", "LiveScreen RunsScreen")],
)
async def test_a_run_is_opened_once_and_left_at_once(show: Show, keys: str, screens: str) -> None:
    async with show(LIVE, runs=RECORDS) as shown:
        await at_once(shown, "r")
        assert await at_once(shown, *keys.split()) == screens.split()


async def test_a_preset_starts_one_run(show: Show) -> None:
    async with show(None) as shown:
        assert await at_once(shown, "enter", "enter") == ["PickerScreen", "LiveScreen"]
        assert len(shown.launcher.started) == 1
