"""Every screen of the app, on runs that are made up, brought to a state worth looking at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

from textual.widgets import Input, TextArea

from tests.compare.made import NAMES, compared
from tests.scripted import START, Scheduler, scripted_run
from tests.ui.conftest import Shown, cut
from tests.ui.scripted_host import ScriptedHost, ScriptedLauncher, moved_to
from tests.ui.scripted_pair import ScriptedPair
from tui_trainer import presets
from tui_trainer.engine.wrong_orders import Case
from tui_trainer.events import Event, StepsTaken
from tui_trainer.runs.record import Record
from tui_trainer.spec import RunSpec
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.break_it import BreakItScreen
from tui_trainer.ui.frame_clock import Budget
from tui_trainer.ui.panel import Panel
from tui_trainer.ui.picker import PickerScreen
from tui_trainer.ui.remembered import Remembered
from tui_trainer.ui.run_list import RunList
from tui_trainer.ui.trainer_screen import TrainerScreen

LONG = scripted_run(epochs=10, batches=63, scheduler="OneCycleLR", batch_s=0.05, validation_s=0.4, steps_a_line=4)
PLATEAU = scripted_run(epochs=8, batches=30, scheduler="ReduceLROnPlateau", batch_s=0.05, seed=3)
NOW = START + 30.0
"""What every clock says."""

RUNS = Path("runs")
"""Relative to the folder of a test, so that it is shown the same wherever that lies."""


class QuietBudget(Budget):
    """A screen that always costs the same."""

    @property
    def share(self) -> float:
        return 0.014


def in_training() -> ScriptedHost:
    """In the seventh of ten epochs."""
    return ScriptedHost(cut(LONG, 400))


def in_slow_motion() -> ScriptedHost:
    """A batch followed call by call, in the middle of it."""
    events = scripted_run(epochs=4, batches=20, slow_batch=50, batch_s=0.05)
    first = next(i for i, event in enumerate(events) if type(event).__name__ == "CallFollowed")
    return ScriptedHost(events[: first + 8])


def before_training() -> ScriptedHost:
    """Planned, and nothing trained yet."""
    first = next(i for i, event in enumerate(LONG) if isinstance(event, StepsTaken))
    return ScriptedHost([event for event in LONG[:first] if type(event).__name__ != "CallsMade"])


def recorded(name: str, preset: str, events: list[Event]) -> None:
    """A record, in a folder whose name is known."""
    asked = {"preset_name": preset, "name": name, "dataset": "mnist-5k", "model": "cnn"}
    record = Record.create(RUNS, asked)
    for event in events:
        record.emit(event)
    record.close()
    record.folder.rename(RUNS / f"20251121-21200{len(list(RUNS.iterdir()))}-{preset}-3f2a")


def with_a_log() -> ScriptedHost:
    """One that printed something."""
    host = in_training()
    host.folder = RUNS
    RUNS.mkdir()
    lines = ("UserWarning: [bold]lr_scheduler.step()[/] before optimizer.step()", "  a line of its own", "a last one")
    (RUNS / "log.txt").write_text("\n".join(lines) + "\n")
    return host


def for_the_first_time() -> dict[str, Any]:
    """Nobody has seen the hints yet."""
    return {"host": in_training(), "remembered": Remembered(Path("screen.json"))}


Drive: TypeAlias = Callable[[Shown], Awaitable[None]]


async def nothing(shown: Shown) -> None:
    """As it opens."""


def keys(*pressed: str) -> Drive:
    """Press these."""

    async def press(shown: Shown) -> None:
        for key in pressed:
            picker = shown.app.screen
            while isinstance(picker, PickerScreen) and picker.list.current is None:
                await shown.frame()  # presets are read after the first one
            await shown.press(key)
        for still in shown.app.screen.query("Input, TextArea"):
            assert isinstance(still, Input | TextArea)
            still.cursor_blink = False

    return press


async def all_runs(shown: Shown) -> None:
    """The list, all of it read."""
    hour = 3600.0
    recorded("night", "steplr", moved_to(scripted_run(epochs=3, seed=1), START - 3 * hour))
    recorded("gone", "onecycle", moved_to(LONG[:200], START - 2 * hour))
    recorded("bad", "cosine", moved_to(scripted_run(epochs=2, not_finite_at=30, status="diverged"), START - hour))
    await shown.press("r")
    runs = shown.the(RunList)
    assert isinstance(runs, RunList)
    while not runs.complete:
        await shown.frame()
    await shown.press("up", "up", "down", "space")


def comparison() -> dict[str, Any]:
    """Four presets, one of them diverged and one still to come."""
    schedulers: tuple[Scheduler, ...] = ("StepLR", "OneCycleLR", "none")
    folders = []
    for number, scheduler in enumerate(schedulers):
        preset = NAMES[scheduler]
        spec = RunSpec.of(preset, presets.load(preset))
        record = Record.create(RUNS, spec.model_dump(mode="json"))
        script: dict[str, Any] = {"not_finite_at": 100} if scheduler == "none" else {}
        for event in scripted_run(epochs=6, batches=30, scheduler=scheduler, seed=number, **script):
            record.emit(event)
        record.close()
        folders.append(record.folder.rename(RUNS / f"20251121-21200{number}-{preset}-3f2a"))
    return {"comparison": compared(RUNS, folders, ["plateau"], target=0.9)}


async def broken(shown: Shown) -> None:
    """A mistake tried, and what came of it."""
    pairs: list[ScriptedPair] = []

    def train(case: Case) -> ScriptedPair:
        pairs.append(ScriptedPair(case))
        return pairs[-1]

    shown.app.push_screen(BreakItScreen(train))
    await shown.frame()
    await shown.press("down", "down", "enter")
    pairs[0].begin()
    for history, losses, lrs in (
        (pairs[0].right, (0.5, 0.25, 0.18, 0.17, 0.16), (0.03, 0.05, 0.03, 0.01, 0.0001)),
        (pairs[0].wrong, (0.6, 0.4, 0.32, 0.29, 0.27), (0.002, 0.002, 0.0021, 0.0021, 0.0022)),
    ):
        for epoch, (loss, lr) in enumerate(zip(losses, lrs, strict=True), 1):
            pairs[0].train_epoch(history, epoch, loss, lr)
    pairs[0].end()
    await shown.frame()


SCREENS: dict[str, tuple[Callable[[], ScriptedHost | dict[str, Any] | None], Drive]] = {
    "waiting": (before_training, nothing),
    "training": (in_training, nothing),
    "cursor": (in_training, keys("comma", "plus", "y")),
    "paused": (in_training, keys("space")),
    "panels": (with_a_log, keys("5", "6")),
    "hints": (for_the_first_time, nothing),
    "slow-motion": (in_slow_motion, nothing),
    "finished": (lambda: ScriptedHost(PLATEAU), nothing),
    "help": (in_training, keys("question_mark")),
    "leaving": (in_training, keys("q")),
    "switching": (in_training, keys("p", "down", "enter")),
    "presets": (lambda: None, keys("down", "down", "space")),
    "filter": (lambda: None, keys("slash", "c", "o", "s")),
    "editor": (lambda: None, keys("down", "e")),
    "runs": (in_training, all_runs),
    "compare": (comparison, nothing),
    "differences": (comparison, keys("down", "d")),
    "break-it": (in_training, keys("b")),
    "broken": (in_training, broken),
}
"""How each is opened, and what is done then."""


@asynccontextmanager
async def opened(screen: str, size: tuple[int, int] = (140, 40)) -> AsyncIterator[Shown]:
    """A screen, brought to its state."""
    opens, drive = SCREENS[screen]
    what = opens()
    options = what if isinstance(what, dict) else {"host": what}
    app = TrainerApp(ScriptedLauncher(), options.pop("host", None), runs=RUNS, on_detach=lambda: None, **options)
    app.animation_level = "none"
    app.clock.budget = QuietBudget()
    async with app.run_test(size=size) as pilot:
        shown = Shown(app, pilot)
        await shown.frame()
        await shown.frame()
        await drive(shown)
        if isinstance(app.screen, TrainerScreen):
            app.screen.key_line.quiet()  # an answer is there for some seconds only
        await settled(shown)
        yield shown


async def settled(shown: Shown) -> None:
    """Nothing on the screen changes any more."""
    before: list[object] = []
    while before != (before := [(panel.region, panel.plain()) for panel in shown.app.screen.query(Panel)]):
        await shown.frame()
