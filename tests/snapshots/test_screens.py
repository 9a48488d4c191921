"""Every screen looks as it did when a person last looked at it, at three sizes; at one in the light theme, too.

    UPDATE_SNAPSHOTS=1 pytest tests/snapshots     # after a look at what changed

A snapshot is a text file beside this one: what is on the screen, then a letter for each cell, then how each letter
looks. `git diff` shows what became of it.
"""

from __future__ import annotations

import difflib
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.filter import Monochrome

from tests.snapshots.frames import Frame, frame_of, told
from tests.snapshots.screens import NOW, SCREENS, opened, settled
from tui_trainer.ui.theme import LIGHT

SIZES = ((80, 24), (140, 40), (250, 70))
LOOKS = ("dark", "light", "no colour")
IN_LIGHT = SIZES[1]
"""The one that the light theme is shown at."""
OVER_ANOTHER = ("help", "leaving", "switching")
"""These dim what was painted of the screen below."""
FOLDER = Path(__file__).parent / "taken"
UPDATE = bool(os.environ.get("UPDATE_SNAPSHOTS"))


@pytest.fixture(autouse=True)
def still_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same folder, hour, time zone and terminal for all."""
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("NO_COLOR", "LC_ALL", "COLORFGBG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(time, "time", lambda: NOW)
    monkeypatch.setattr("tui_trainer.ui.live.startup.time", SimpleNamespace(monotonic=lambda: 0.0))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.parametrize("screen", SCREENS)
async def test_a_screen_looks_as_it_did(screen: str, request: pytest.FixtureRequest) -> None:
    if screen in OVER_ANOTHER:
        request.getfixturevalue("painted")
    async with opened(screen) as shown:
        frames: dict[tuple[int, int], dict[str, Frame]] = {size: {} for size in SIZES}
        for size in sorted(SIZES, key=IN_LIGHT.__eq__):  # that one last
            await shown.pilot.resize_terminal(*size)
            # A busy machine lays out later.
            await shown.until(lambda size=size: shown.app.screen._compositor.size == size)
            await settled(shown)
            frames[size]["dark"] = frame_of(shown.app)
            frames[size]["no colour"] = frame_of(shown.app, Monochrome())
        shown.app.theme = LIGHT.name
        await settled(shown)
        frames[IN_LIGHT]["light"] = frame_of(shown.app)
    changes = [compared(screen, size, told(in_order(frames[size]))) for size in SIZES]
    assert not any(changes), "\n".join(["if that is meant: UPDATE_SNAPSHOTS=1", *changes])


def in_order(frames: dict[str, Frame]) -> dict[str, Frame]:
    return {name: frames[name] for name in LOOKS if name in frames}


def compared(screen: str, size: tuple[int, int], now: str) -> str:
    """What is another than it was; or make it what it was from now on."""
    file = FOLDER / f"{screen}-{size[0]}x{size[1]}.txt"
    if UPDATE:
        FOLDER.mkdir(exist_ok=True)
        file.write_text(now)
    before = file.read_text() if file.exists() else ""
    return "\n".join(difflib.unified_diff(before.splitlines(), now.splitlines(), file.name, "now", "", "", 1, ""))


async def test_without_colour_it_is_the_dark_theme_in_grey(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it need not be opened a second time for each."""
    async with opened("training") as shown:
        expected = frame_of(shown.app, Monochrome())
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened("training") as shown:
        assert shown.app.no_color
        assert frame_of(shown.app) == expected


def test_there_is_no_snapshot_of_a_screen_that_is_gone() -> None:
    known = {f"{screen}-{columns}x{lines}.txt" for screen in SCREENS for columns, lines in SIZES}
    gone = [file for file in FOLDER.iterdir() if file.name not in known]
    if UPDATE:
        for file in gone:
            file.unlink()
    else:
        assert not gone
