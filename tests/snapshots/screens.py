"""Every screen of the app, on runs that were recorded, brought to a state worth looking at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

from textual.widgets import Input, TextArea

from tests.compare.made import compared
from tests.made_metrics import many_series, sparse_run
from tests.recorded import copied, ending_at, recorded
from tests.scripted_watched import gan_like, mistake, mnist_like, slow_batch
from tests.ui.conftest import Shown, cut
from tests.ui.scripted_finding import ScriptedFinding, falling
from tests.ui.scripted_pair import ScriptedPair
from tests.ui.scripted_source import ScriptedHost, ScriptedLauncher
from tui_trainer.events import AnyEvent, CallFollowed, StepsTaken
from tui_trainer.mistakes.cases import MistakeCase
from tui_trainer.presets.checks import parse
from tui_trainer.presets.folders import shipped_folder
from tui_trainer.run_spec import RunSpec
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.context import AppContext
from tui_trainer.ui.find_lr.screen import FindLRScreen, Original
from tui_trainer.ui.frame_clock import Budget
from tui_trainer.ui.mistakes.screen import BreakItScreen
from tui_trainer.ui.panel import Panel
from tui_trainer.ui.presets.picker import PickerScreen
from tui_trainer.ui.runs.run_list import RunList
from tui_trainer.ui.runs.screen import RunsScreen
from tui_trainer.ui.settings import Settings
from tui_trainer.ui.trainer_screen import TrainerScreen

NOW = 1_763_760_000.0
"""What every clock says."""

RUNS = Path("runs")
"""Relative to the folder of a test, so that it is shown the same wherever that lies."""


class QuietBudget(Budget):
    """A screen that always costs the same."""

    @property
    def share(self) -> float:
        return 0.014


def happening(events: Sequence[AnyEvent]) -> ScriptedHost:
    """A run whose last event was a moment ago."""
    return ScriptedHost(ending_at(events, NOW - 0.3))


def in_training() -> ScriptedHost:
    """In the seventh of ten epochs."""
    return happening(cut(recorded("onecycle"), 400))


def in_slow_motion() -> ScriptedHost:
    """A batch followed call by call, in the middle of it."""
    events = recorded("onecycle")
    first = next(i for i, event in enumerate(events) if isinstance(event, CallFollowed))
    return happening(events[: first + 8])


def before_training() -> ScriptedHost:
    """Planned, and nothing trained yet."""
    events = recorded("onecycle")
    first = next(i for i, event in enumerate(events) if isinstance(event, StepsTaken))
    return happening([event for event in events[:first] if type(event).__name__ != "CallsMade"])


def finished() -> ScriptedHost:
    """To its end."""
    return happening(recorded("plateau"))


def kept(run: str, number: int, ended: float, epochs: int | None = None, name: str | None = None) -> Path:
    """A record in the folder of runs, which ended so many seconds ago, or broke off after so many epochs."""
    events = recorded(run)
    if epochs is not None:
        events = cut(events, 63 * epochs)
    return copied(run, RUNS / f"20251121-21200{number}-{run}-3f2a", ending_at(events, NOW - ended), name=name)


def logging() -> ScriptedHost:
    """Two hundred series, told now and then."""
    return happening(many_series(steps=3000))


def watching() -> ScriptedHost:
    """Two networks of a program of somebody's, with three losses, whose end is not known."""
    return happening(gan_like())


def watching_wrong() -> ScriptedHost:
    """A program with two things wrong in the order of its calls."""
    wrong = [
        mistake("once_an_epoch", lineno=132, scheduler="OneCycleLR", steps=240),
        mistake("validation_in_train_mode", lineno=60, step=60, model="Net"),
    ]
    return happening(cut(mnist_like(mistakes=wrong), 150))


def watching_slowly() -> ScriptedHost:
    """Its calls followed one by one."""
    made = slow_batch(783, ("2", ""), ("3", "errD_real 0.4127"), ("4", None))
    return happening([*gan_like(), *made])


def told() -> ScriptedHost:
    """Numbers now and then, and nothing else."""
    return happening(sparse_run())


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
    return {"source": in_training(), "settings": Settings(Path("screen.json"))}


Drive: TypeAlias = Callable[[Shown], Awaitable[None]]


async def nothing(shown: Shown) -> None:
    """As it opens."""


def keys(*pressed: str) -> Drive:
    """Press these."""

    async def press(shown: Shown) -> None:
        for key in pressed:
            picker = shown.app.screen
            if isinstance(picker, PickerScreen):
                # Presets are read after the first frame.
                await shown.until(lambda presets=picker.list: presets.current is not None)
            await shown.press(key)
        for still in shown.app.screen.query("Input, TextArea"):
            assert isinstance(still, Input | TextArea)
            still.cursor_blink = False

    return press


async def all_runs(shown: Shown) -> None:
    """The list, all of it read."""
    hour = 3600.0
    kept("steplr", 0, 3 * hour, name="night")
    kept("onecycle", 1, 2 * hour, epochs=5, name="gone")
    kept("typo", 2, hour, name="bad")
    await shown.press("r")
    runs = shown.the(RunList)
    assert isinstance(runs, RunList)
    await shown.until(lambda: runs.complete)
    await shown.press("up", "up", "down", "space")


def comparison() -> dict[str, Any]:
    """Three presets, one of them diverged, and one still to come."""
    folders = [kept(run, number, 60.0) for number, run in enumerate(("steplr", "onecycle", "typo"))]
    return {"comparison": compared(RUNS, folders, ["plateau"], target=0.95)}


async def broken(shown: Shown) -> None:
    """A mistake tried, and what came of it."""
    pairs: list[ScriptedPair] = []

    def train(case: MistakeCase) -> ScriptedPair:
        pairs.append(ScriptedPair(case))
        return pairs[-1]

    shown.app.push_screen(BreakItScreen(train))
    await shown.frame()
    await shown.press("down", "down", "enter")
    (pair,) = pairs
    for history, side in ((pair.right, "right"), (pair.wrong, "wrong")):
        for event in recorded(f"mistake/{side}"):
            history.apply(event)
    pair.is_over = True
    await shown.frame()


async def an_lr_found(shown: Shown) -> None:
    """A range test of onecycle, over."""
    text = (shipped_folder() / "onecycle.toml").read_text("utf-8")
    preset = parse(text)
    found: list[ScriptedFinding] = []

    def begin(spec: RunSpec) -> ScriptedFinding:
        found.append(ScriptedFinding(spec))
        found[0].come(falling())
        return found[0]

    original = Original(preset, text, "onecycle.toml", "onecycle-2")
    shown.app.push_screen(FindLRScreen(RunSpec.of("onecycle", preset), original, begin))
    await shown.frame()
    await shown.press("down")


SCREENS: dict[str, tuple[Callable[[], ScriptedHost | dict[str, Any] | None], Drive]] = {
    "waiting": (before_training, nothing),
    "training": (in_training, nothing),
    "cursor": (in_training, keys("comma", "plus", "y")),
    "paused": (in_training, keys("space")),
    "panels": (with_a_log, keys("5", "6")),
    "hints": (for_the_first_time, nothing),
    "slow-motion": (in_slow_motion, nothing),
    "finished": (finished, nothing),
    "help": (in_training, keys("question_mark")),
    "leaving": (in_training, keys("q")),
    "switching": (in_training, keys("p", "down", "enter")),
    "presets": (lambda: None, keys("down", "down", "space")),
    "filter": (lambda: None, keys("slash", "c", "o", "s")),
    "editor": (lambda: None, keys("down", "e")),
    "runs": (in_training, all_runs),
    "compare": (comparison, nothing),
    "differences": (comparison, keys("down", "d")),
    "told": (told, keys("left")),
    "pinned": (in_training, keys("m", "asterisk", "right", "asterisk", "down", "asterisk", "escape")),
    "metrics": (logging, keys("m", "comma", "space", "right", "space", "asterisk")),
    "metric": (logging, keys("m", "slash", "t", "r", "a", "i", "n", "enter", "enter")),
    "watched": (watching, nothing),
    "watched-wrong": (watching_wrong, nothing),
    "watched-slow": (watching_slowly, nothing),
    "order": (watching_wrong, keys("o")),
    "break-it": (in_training, keys("b")),
    "broken": (in_training, broken),
    "find-lr": (lambda: None, an_lr_found),
}
"""How each is opened, and what is done then."""


@asynccontextmanager
async def opened(screen: str, size: tuple[int, int] = (140, 40)) -> AsyncIterator[Shown]:
    """A screen, brought to its state."""
    opens, drive = SCREENS[screen]
    what = opens()
    options = what if isinstance(what, dict) else {"source": what}
    first = options.pop("comparison", None)
    everything = {"runs": RUNS, "on_detach": lambda: None, "on_compare": lambda names: None}
    context = AppContext(launcher=ScriptedLauncher(), **everything, **options)
    app = TrainerApp(context, comparison=(first, None) if first is not None else None)
    app.animation_level = "none"
    app.context.clock.budget = QuietBudget()
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
    """Nothing on the screen changes any more; beside a list of runs the one under the cursor is shown, which is read
    once the cursor rests."""
    screen = shown.app.screen
    if isinstance(screen, RunsScreen):
        preview = screen._preview
        await shown.until(
            lambda: not screen.has_class("-previews") or (preview.source is not None and not preview.source.lags)
        )
        await shown.frame()
    before: list[object] = []

    def as_before() -> bool:
        nonlocal before
        last, before = before, [(panel.region, panel.plain()) for panel in shown.app.screen.query(Panel)]
        return last == before

    await shown.until(as_before)
