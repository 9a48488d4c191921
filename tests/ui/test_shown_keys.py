"""A key that the bottom line shows does something here and now, in every state of every screen; and help lists it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.compare.made import compared, record
from tests.records.made_runs import GUESS, Made, chance
from tests.scripted import START, scripted_run
from tests.scripted_watched import gpt_like, mnist_like
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_pair import ScriptedPair
from tests.ui.scripted_source import ScriptedHost
from tests.ui.test_runs import opened, recorded
from tui_trainer.events import Paused, RunEnded
from tui_trainer.ui.dialogs import Choices, Question
from tui_trainer.ui.help import HelpScreen, Keys
from tui_trainer.ui.keys import KEYS, Key
from tui_trainer.ui.live.status_lines import Headline, Progress
from tui_trainer.ui.panel import Panel
from tui_trainer.ui.trainer_screen import KeyLine, TrainerScreen

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("still_meter")]

EVENTS = scripted_run(epochs=6, batches=20)
LIVE = cut(EVENTS, 50)
PAUSED = [*LIVE, Paused(at=START, step=50, by="screen")]
CRASHED, STOPPED = (
    RunEnded(at=START + 60, status=status, reason=reason, step=50, epoch=3, exit_code=code)
    for status, reason, code in (("crashed", "RuntimeError: no", 1), ("stopped", "by the screen", 0))
)
GUESSES = list(Made(lambda step: GUESS, val_loss=lambda epoch: 2.31, accuracy=chance).events())
SIZE = (140, 30)

ALIKE = ("app.help", "app.leave", "app.command_palette")
"""Of the app, and the same on every screen: pressed where letters are letters."""

Opened: TypeAlias = AbstractAsyncContextManager[Shown]
State: TypeAlias = Callable[[Show, Path], Opened]
STATES: dict[str, State] = {}


def state(name: str, *, keys: Sequence[str] = (), size: tuple[int, int] = SIZE, runs: int = 3, **options: Any) -> None:
    """Enter one: a run as far as some events, with keys pressed on it."""

    @asynccontextmanager
    async def entered(show: Show, folder: Path) -> AsyncIterator[Shown]:
        for seed in range(runs if "runs" in keys else 0):
            recorded(folder / "runs", f"run {seed}", scripted_run(epochs=3, seed=seed)).close()
        (folder / "runs").mkdir(parents=True, exist_ok=True)
        given = {"events": LIVE, "on_compare": lambda names: None, "runs": folder / "runs", **options}
        events = given.pop("events")
        async with show(events() if callable(events) else events, size=size, **given) as shown:
            if options.get("launcher", True) is None:
                shown.app.context.launcher = None
                await shown.frame()
            for key in keys:
                await (opened(shown) if key == "runs" else shown.press(key))
            if isinstance(shown.app.screen, TrainerScreen):
                shown.app.screen.key_line.quiet()  # an answer stands in its place for a while
            yield shown

    STATES[name] = entered


state("live")
state("starting", events=LIVE[:2])
state("paused", keys=("space",))
state("slow motion", keys=("s",))
state("ended", events=EVENTS)
state("attached to look", events=lambda: ScriptedHost(LIVE, readonly=True), launcher=None, on_compare=None)
state("attached", launcher=None, on_compare=None)
state("crashed", events=[*LIVE, CRASHED])
state("crashed, attached to", events=[*LIVE, CRASHED], launcher=None, on_compare=None)
state("stopped, to look", events=lambda: ScriptedHost([*LIVE, STOPPED], readonly=True), launcher=None, on_compare=None)
state("its log", keys=("4",))
state("why", keys=("w",))
state("no schedule", events=cut(scripted_run(epochs=6, batches=20, scheduler="none"), 50))
state("a watched program", events=cut(mnist_like(), 150), launcher=None, on_compare=None)
state("a watched program, paused", events=cut(mnist_like(), 150), keys=("space",), launcher=None, on_compare=None)
state("a watched program, its metrics", events=cut(mnist_like(), 150), keys=("m",), launcher=None, on_compare=None)
state("order of a watched program", events=cut(mnist_like(), 150), keys=("o",), launcher=None, on_compare=None)
state("a watched program that has ended", events=mnist_like(), launcher=None, on_compare=None)
state("a watched program of unknown length", events=cut(gpt_like(), 60), launcher=None, on_compare=None)
state("in 80 columns", size=(80, 24))
state("presets", keys=("p",))
state("presets, some marked", keys=("p", "space", "space"))
state("presets, none matches", keys=("p", "slash", "q", "q", "q", "enter"))
state("presets, a filter is typed", keys=("p", "slash", "c"))
state("presets of an attached run", keys=("p",), launcher=None, on_compare=None)
state("presets before any run", events=None)
state("runs", keys=("runs",))
state("runs, some marked", keys=("runs", "space", "space"))
state("runs, none there", keys=("runs",), runs=0)
state("runs, none matches", keys=("runs", "slash", "q", "q", "enter"))
state("runs, a filter is typed", keys=("runs", "slash", "r"))
state("a run of the list", keys=("runs", "enter"))
state("editor", keys=("p", "e"))
state("editor, with errors", keys=("p", "e", "x", "y"))
state("mistakes", keys=("b",))
state("metrics", keys=("m", "right"))
state("metrics, some marked", keys=("m", "space", "right", "space"))
state("metrics, a filter is typed", keys=("m", "slash", "l"))
state("metrics, none matches", keys=("m", "slash", "q", "q", "enter"))
state("metrics before the first number", events=LIVE[:2], keys=("m",))
state("metrics, a large chart", keys=("m", "enter"))
state("metrics of a run that has ended", events=EVENTS, keys=("m", "g"))
state("metrics of a run attached to", keys=("m",), launcher=None, on_compare=None)
state("metrics in 80 columns", keys=("m",), size=(80, 24))
state("health, of a run that is well", keys=("h",))
state("health, of a run that is not", events=GUESSES, keys=("h",))
state("confusion", keys=("M",))
state("confusion of a run that has ended", events=EVENTS, keys=("M",))


@asynccontextmanager
async def _without_folder(show: Show, folder: Path) -> AsyncIterator[Shown]:
    async with show(LIVE, size=SIZE) as shown:
        yield shown


STATES["without a folder of runs, nor comparisons"] = _without_folder


def comparison(name: str, count: int, size: tuple[int, int], *keys: str) -> None:
    @asynccontextmanager
    async def entered(show: Show, folder: Path) -> AsyncIterator[Shown]:
        kinds = ("StepLR", "none", "OneCycleLR")[:count]
        made = [record(folder, scheduler=kind, epochs=3) for kind in kinds]  # type: ignore[arg-type]
        async with show(comparison=compared(folder, made), size=size) as shown:
            await shown.press(*keys)
            yield shown

    STATES[name] = entered


comparison("comparison", 3, SIZE)
comparison("comparison of one", 1, SIZE)
comparison("comparison in 80 columns, its accuracy", 3, (80, 24), "v")


def seen(shown: Shown) -> list[object]:
    """What a person could tell apart, but for what time alone changes, and for an answer that nothing came of it."""
    app = shown.app
    panels = [
        (type(panel).__name__, panel.size, panel.plain())
        for panel in app.screen.query(Panel)
        if panel.is_on_screen and not isinstance(panel, Headline | Progress | KeyLine)
    ]
    asked = [type(command).__name__ for command in shown.host.sent] if app.context.source is not None else []
    focus = id(app.focused)
    return [panels, type(app.screen), len(app.screen_stack), focus, asked, app.clipboard, app._exit, started(shown)]


def started(shown: Shown) -> int:
    launcher = shown.app.context.launcher
    return len(launcher.started) if launcher is not None and hasattr(launcher, "started") else 0


def shown_keys(shown: Shown) -> list[Key]:
    """Those of the bottom line, in its order."""
    places = shown.app.screen.places
    spans = [span for line in shown.the(KeyLine).lines() for span in line if span.role == "key"]
    actions = [re.sub(r"screen\.(?:clicked\('(\w+)'\))?", r"\1", span.action) for span in spans]
    labels = [(span.text.replace("^", "ctrl+"), action) for span, action in zip(spans, actions, strict=True)]
    here = [key for key in KEYS if key.place in (*places, "everywhere", "filter")]
    return [next(key for key in here if (key.label, key.action) == label and key.short) for label in labels]


@pytest.fixture(autouse=True)
def pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mistakes are trained by nobody."""
    from tui_trainer.mistakes import runner

    monkeypatch.setattr(runner, "InProcessPair", ScriptedPair)


@pytest.mark.parametrize("name", STATES)
async def test_each_key_that_is_shown_does_something_and_is_in_help(name: str, show: Show, tmp_path: Path) -> None:
    asked: list[object] = []
    left: list[Key] | None = None
    number = 0
    while left is None or left:
        number += 1
        async with STATES[name](show, tmp_path / str(number)) as shown:
            if shown.app.context.on_compare is not None:
                shown.app.context.on_compare = asked.append
            letters = "typed" in name or "editor" in name
            if left is None:
                left = [key for key in shown_keys(shown) if key.action not in ALIKE or letters]
                assert left
                if not letters:
                    await is_in_help(shown, left)
            screen = shown.app.screen
            while left and screen is shown.app.screen:  # else it begins anew
                key = left.pop(0)
                if key not in shown_keys(shown):  # those before it have changed what is of use
                    continue
                before, had = seen(shown), len(asked)
                await shown.press(key.keys.split(",")[0])
                assert seen(shown) != before or len(asked) > had, f"{key.label} {key.short}"
                if screen in shown.app.screen_stack:
                    while shown.app.screen is not screen:
                        await shown.app.pop_screen()
                    screen.key_line.quiet()
                    await shown.frame()


async def is_in_help(shown: Shown, keys: Sequence[Key]) -> None:
    await shown.press("question_mark")
    assert isinstance(shown.app.screen, HelpScreen)
    text = "\n".join("".join(span.text for span in line) for line in shown.the(Keys).laid_out(200))
    assert [key.label for key in keys if key.does not in text] == []
    await shown.press("escape")


QUESTIONS: dict[str, State] = {}


def question(name: str, **options: Any) -> None:
    """Enter a state as `state` does, in which something is asked."""
    state(name, **options)
    QUESTIONS[name] = STATES.pop(name)


def nothing() -> None:
    """Of a screen that can be left to the background."""


question("leave a run", keys=("q",), on_detach=nothing)
question("leave a run that is paused", events=PAUSED, keys=("q",), on_detach=nothing)
question("leave a run that ends with its screen", keys=("q",))
question("leave a run attached to", keys=("q",), launcher=None)
question("take up a preset", keys=("p", "enter"))
question("take up a preset where none starts", keys=("p", "enter"), launcher=None)
question("leave a text", keys=("p", "e", "x", "escape"))
question("delete a run", keys=("runs", "d"))


@pytest.mark.parametrize("name", QUESTIONS)
async def test_each_answer_that_a_question_shows_is_given_by_its_key(name: str, show: Show, tmp_path: Path) -> None:
    left: list[str] | None = None
    number = 0
    while left is None or left:
        number += 1
        async with QUESTIONS[name](show, tmp_path / str(number)) as shown:
            asked = shown.app.screen
            assert isinstance(asked, Question)
            told = [line.strip("▌ ").split(" ")[0] for line in shown.the(Choices).plain()]
            if left is None:
                left = [key for key in told if key == "esc" or len(key) == 1]
                assert left == [choice.key for choice in asked._all]
                assert left[-1] == "esc"
            before = seen(shown)
            key = left.pop(0)
            await shown.press({"esc": "escape"}.get(key, key))
            assert shown.app.screen is not asked or shown.app._exit, key
            assert seen(shown) != before
