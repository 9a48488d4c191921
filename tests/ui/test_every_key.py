"""Every key of the help page is pressed where it belongs, and something is seen to come of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from tests.compare.made import compared, record
from tests.scripted import Scheduler, scripted_run
from tests.ui.conftest import Show, Shown, cut
from tests.ui.test_runs import opened, recorded
from tui_trainer.ui.keys import KEYS, Key, KeyContext
from tui_trainer.ui.live.status_lines import Headline, Progress
from tui_trainer.ui.panel import Panel
from tui_trainer.ui.trainer_screen import TrainerScreen

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("still_meter")]

LIVE = cut(scripted_run(epochs=30, batches=5), 140)

BEFORE: Mapping[KeyContext, Sequence[str]] = {
    "charts": ("comma", "comma", "comma", "plus", "plus"),
    "why": ("down", "down"),
    "presets": ("down", "pagedown"),
    "runs": ("down",),
    "compare": ("down", "left", "left", "plus"),
    "metrics": ("down", "comma", "comma", "plus", "plus"),
}
"""Pressed first, so that the key has something to act on in both directions."""

ELSEWHERE = {
    ("compare", "space"): "asks the run that trains, in another process perhaps: test_compare",
    ("everywhere", "ctrl+z"): "stops the process, for which it takes a shell: tests/cli/test_job_control",
}
"""Keys whose doing is not seen on the screen at once, with the test that sees it."""

OWN_TESTS: frozenset[KeyContext] = frozenset({"break it", "find lr", "log", "order", "typing"})
"""Pages with a test of every key of their own."""


SCHEDULERS: tuple[Scheduler, ...] = ("StepLR", "none", "OneCycleLR")


def seen(shown: Shown) -> list[object]:
    """What a person could tell apart, but for what time alone changes."""
    app = shown.app
    panels = [
        (type(panel).__name__, panel.size, panel.plain())
        for panel in app.screen.query(Panel)
        if panel.is_on_screen and not isinstance(panel, Headline | Progress)
    ]
    asked = [type(command).__name__ for command in shown.host.sent] if app.context.source is not None else []
    return [panels, type(app.screen), len(app.screen_stack), app.focused, asked, app.clipboard, app._exit]


@asynccontextmanager
async def entered(place: KeyContext, show: Show, folder: Path) -> AsyncIterator[Shown]:
    """A place where keys belong, with something to act on."""
    if place == "compare":
        made = [record(folder, scheduler=name, epochs=3 + i) for i, name in enumerate(SCHEDULERS)]
        showing = show(comparison=compared(folder, made))
    else:
        (folder / "runs").mkdir(parents=True)
        for seed in range(3 if place in ("runs", "another") else 0):
            recorded(folder / "runs", f"run {seed}", scripted_run(epochs=3, seed=seed)).close()
        showing = show(LIVE, runs=folder / "runs", size=(140, 30), on_detach=lambda: None)
    async with showing as shown:
        if place in ("presets", "editor", "filter"):
            await shown.press("p")
        if place == "filter":
            await shown.press("slash", "c")
        if place == "editor":
            await shown.press("e")
        if place in ("runs", "another"):
            await opened(shown)
        if place == "metrics":
            await shown.press("m")
        if place == "another":
            await shown.press("enter")
        if place == "confusion":
            await shown.press("M")
        await shown.press(*BEFORE.get(place, ()))
        yield shown


async def does_something(key: Key, shown: Shown) -> bool:
    assert isinstance(shown.app.screen, TrainerScreen)
    shown.app.screen.key_line.quiet()  # an answer to the key before it goes away with any other one
    await shown.frame()
    before = seen(shown)
    await shown.frame()
    assert seen(shown) == before  # nothing else is going on
    await shown.press(key.keys.split(",")[0])
    return seen(shown) != before


async def came_back(shown: Shown, screen: Screen[Any]) -> bool:
    """Close what a key has opened over a screen; whether that is still there."""
    if shown.app._exit or screen not in shown.app.screen_stack:
        return False
    while shown.app.screen is not screen:
        await shown.app.pop_screen()
    await shown.frame()
    return True


TRIED: dict[KeyContext, list[Key]] = {}
for _key in KEYS:
    if (_key.place, _key.keys) not in ELSEWHERE and _key.place not in OWN_TESTS:
        TRIED.setdefault(_key.place, []).append(_key)


@pytest.mark.parametrize("place", TRIED)
async def test_every_key_does_something(
    place: KeyContext, show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other; what does nothing where the others have led to is tried at the very beginning."""
    monkeypatch.chdir(tmp_path)  # a report is written there
    left, times = list(TRIED[place]), 0
    while left:
        times += 1
        async with entered(place, show, tmp_path / str(times)) as shown:
            screen, tried = shown.app.screen, 0
            while left:
                tried += 1
                if not await does_something(left[0], shown):
                    assert tried > 1, f"{left[0].label}: {left[0].does}"
                    break
                left.pop(0)
                if not await came_back(shown, screen):
                    break
