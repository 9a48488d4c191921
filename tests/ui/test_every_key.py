"""Every key of the help page is pressed where it belongs, and something is seen to come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.compare.made import compared, record
from tests.scripted import Scheduler, scripted_run
from tests.ui.conftest import Show, Shown, cut
from tests.ui.test_runs import opened, recorded
from tui_trainer.ui.keys import KEYS, Key, KeyContext
from tui_trainer.ui.live.status_lines import Headline, Progress
from tui_trainer.ui.panel import Panel

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

OWN_TESTS: frozenset[KeyContext] = frozenset({"break it", "log"})
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


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    for seed in range(3):
        recorded(folder, f"run {seed}", scripted_run(epochs=3, seed=seed)).close()
    return folder


@pytest.mark.parametrize(
    "key",
    [key for key in KEYS if (key.place, key.keys) not in ELSEWHERE and key.place not in OWN_TESTS],
    ids=lambda key: f"{key.place}-{key.label}",
)
async def test_every_key_does_something(key: Key, show: Show, runs: Path, tmp_path: Path) -> None:
    if key.place == "compare":
        made = [record(tmp_path, scheduler=name, epochs=3 + i) for i, name in enumerate(SCHEDULERS)]
        showing = show(comparison=compared(tmp_path, made))
    else:
        showing = show(LIVE, runs=runs, size=(140, 30), on_detach=lambda: None)
    async with showing as shown:
        if key.place in ("presets", "editor", "filter"):
            await shown.press("p")
        if key.place == "filter":
            await shown.press("slash", "c")
        if key.place == "editor":
            await shown.press("e")
        if key.place in ("runs", "another"):
            await opened(shown)
        if key.place == "metrics":
            await shown.press("m")
        if key.place == "another":
            await shown.press("enter")
        if key.place == "confusion":
            await shown.press("M")
        await shown.press(*BEFORE.get(key.place, ()))
        before = seen(shown)
        await shown.frame()
        assert seen(shown) == before  # nothing else is going on
        await shown.press(key.keys.split(",")[0])
        assert seen(shown) != before
