"""Keys are answered at once: whatever takes long, or waits for a file, is done beside the loop of the screen."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.compare.made import session_of
from tests.ui.long_records import EPOCHS, STEPS, finished, long_run, many_of, record
from tests.ui.scripted_source import ScriptedLauncher
from tests.ui.watchdog import Watchdog, watched
from tests.waiting import PATIENCE_S
from tui_trainer.compare.comparison import Comparison
from tui_trainer.plotting import figure
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.compare.screen import CompareScreen
from tui_trainer.ui.context import AppContext
from tui_trainer.ui.presets.editor import EditorScreen
from tui_trainer.ui.presets.picker import PickerScreen
from tui_trainer.ui.runs.run_list import RunList
from tui_trainer.ui.runs.screen import OtherRunScreen, RunsScreen
from tui_trainer.ui.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("painted")]


class Driven:
    """An app that draws by its own clock, while a test presses keys."""

    def __init__(self, app: TrainerApp, pilot: Pilot[int], watchdog: Watchdog) -> None:
        self.app, self.pilot, self.watchdog = app, pilot, watchdog

    async def until(self, condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
        """Wait for it, while the app goes on."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, "waited too long"
            await self.pilot.pause(0.02)

    async def press(self, *keys: str) -> None:
        """Keys, each with a frame or two after it."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause(0.1)


@asynccontextmanager
async def driven(app: TrainerApp, size: tuple[int, int] = (140, 40)) -> AsyncIterator[Driven]:
    with watched() as watchdog:
        async with app.run_test(size=size) as pilot:
            yield Driven(app, pilot, watchdog)
    if watchdog.slow or watchdog.touched:
        pytest.fail(watchdog.said(), pytrace=False)


@pytest.fixture(scope="module", autouse=True)
def plotext_is_loaded() -> None:
    """It loads most of itself with the first thing that it draws, which is as any other code that is read in."""
    figure.draw([[(0, 0), (1, 2), (3, 1)]], 4, "braille")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with a long one that ended; others are made beside it."""
    made = record(tmp_path_factory.mktemp("night"), "night", finished(long_run()))
    return made.folder


def copied(night: Path, runs: Path) -> Path:
    """The same run, the first one in a folder of its own."""
    return Path(shutil.copytree(night, runs / night.name))


def app_on(night: Path, tmp_path: Path, **options: Any) -> TrainerApp:
    options = {"runs": night.parent, "settings": Settings(tmp_path / "state" / "screen.json"), **options}
    return TrainerApp(AppContext(**{"source": JournalSource(night), **options}))


async def test_a_long_run_is_looked_at(night: Path, tmp_path: Path) -> None:
    app = app_on(night, tmp_path)
    async with driven(app) as shown:
        assert app.context.source is not None
        await shown.until(lambda: app.context.source is not None and app.context.source.history.steps == STEPS)
        await shown.press("left", "right", "comma", "full_stop", "plus", "plus", "minus", "0", "y", "v")
        await shown.press("1", "1", "5", "5", "6", "6", "C", "question_mark", "escape", "f")


async def test_themes_are_tried(night: Path, tmp_path: Path) -> None:
    app = app_on(night, tmp_path)
    async with driven(app) as shown:
        for theme in ("textual-light", "textual-dark"):
            app.call_later(setattr, app, "theme", theme)
            await shown.until(lambda theme=theme: app.theme == theme)  # type: ignore[misc]
            await shown.press("left")


async def test_many_runs_are_listed_and_one_is_opened_and_deleted(night: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    first = copied(night, runs)
    others = many_of(first, 30)
    for number in range(60):
        (others[0] / f"checkpoint-{number}.pt").write_bytes(b"x")
    app = app_on(first, tmp_path, runs=runs)
    async with driven(app) as shown:
        await shown.press("r")
        await shown.until(lambda: isinstance(app.screen, RunsScreen) and app.screen.query_one(RunList).complete)
        listed = app.screen.query_one(RunList)
        await shown.press("down", "down", "pagedown", "pageup", "o", "o", "slash", "1", "7", "enter", "escape")
        listed.move(-500)
        await shown.press("enter")
        await shown.until(lambda: isinstance(app.screen, OtherRunScreen) and app.screen.history.steps == STEPS)
        await shown.press("escape")
        for _ in listed._all:
            if listed.current is None or listed.current.id != others[0].name:
                listed.move(1)
        await shown.press("d", "y")
        await shown.until(lambda: not others[0].exists())
        await shown.until(lambda: others[0].name not in [run.id for run in listed._all])


async def test_long_runs_are_compared(night: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    first = copied(night, runs)
    comparison = Comparison(session_of(runs, [first, *many_of(first, 3)]))
    app = TrainerApp(AppContext(runs=runs), comparison=(comparison, None))
    async with driven(app) as shown:
        await shown.until(lambda: all(run.history.steps == STEPS for run in comparison.runs))
        await shown.until(lambda: isinstance(app.screen, CompareScreen))
        await shown.press("down", "right", "left", "plus", "minus", "0", "x", "y", "h", "h", "o", "o", "d", "d")
    assert len(comparison.runs[0].history.epochs) == EPOCHS


async def test_presets_are_chosen_and_edited(tmp_path: Path, own_presets: Path) -> None:
    app = TrainerApp(AppContext(launcher=ScriptedLauncher(), runs=tmp_path))
    async with driven(app) as shown:
        picker = app.screen
        assert isinstance(picker, PickerScreen)
        await shown.until(lambda: picker.list.current is not None)
        await shown.press("down", "down", "down", "slash", "c", "o", "s", "enter", "escape", "e")
        await shown.until(lambda: isinstance(app.screen, EditorScreen))
        await shown.press("down", "end", "space", "backspace", "ctrl+s")
        await shown.until(lambda: isinstance(app.screen, PickerScreen))
        await shown.until(lambda: bool(list(own_presets.glob("*.toml"))))


# What watches the loop does see what it is there for


def compute(felt: Callable[[], object]) -> None:
    """For as long as it takes to be felt."""
    began, deadline = time.thread_time(), time.monotonic() + PATIENCE_S
    while time.thread_time() < began + 1.0 or (not felt() and time.monotonic() < deadline):
        sum(range(1000))


def read(path: Path) -> Callable[[], object]:
    return lambda: path.read_bytes()


def write(path: Path) -> Callable[[], object]:
    def write() -> None:
        with path.open("wb") as file:
            os.fsync(file.fileno())

    return write


@pytest.mark.parametrize("what", ["computes", "reads", "writes", "reads a journal", "reads elsewhere", "nothing"])
async def test_what_holds_up_the_loop_is_named(tmp_path: Path, what: str) -> None:
    for name in ("some.txt", "events.jsonl"):
        (tmp_path / name).touch()
    act: dict[str, Callable[[], object]] = {
        "computes": lambda: compute(lambda: watchdog.where),
        "reads": read(tmp_path / "some.txt"),
        "writes": write(tmp_path / "some.txt"),
        "reads a journal": read(tmp_path / "events.jsonl"),
        "reads elsewhere": lambda: None,
        "nothing": lambda: None,
    }
    acted: list[str] = []
    app = TrainerApp(AppContext())
    with watched(0.5 if what == "computes" else None) as watchdog:
        async with app.run_test() as pilot:
            shown = Driven(app, pilot, watchdog)
            if what == "reads elsewhere":
                app.context.tasks.run(read(tmp_path / "some.txt"), lambda _: acted.append(what), pytest.fail)
            else:
                app.set_timer(0.01, lambda: acted.append(what) or act[what]())
            await shown.until(lambda: bool(acted) and not app.context.tasks.are_under_way)
    said = watchdog.said()
    match what:
        case "computes":
            assert "compute" in said
        case "reads":
            assert "open " in said
            assert "some.txt" in said
        case "writes":
            assert "fsync on the loop" in said
        case _:
            assert said == ""
