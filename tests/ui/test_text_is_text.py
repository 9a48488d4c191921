"""Whatever a name, a title, a reason or a message holds is shown as the characters it is, on screens and in prints.

Neither Textual's markup nor a terminal's escape sequences in it may do anything.
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from rich.text import Text
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from tests import preloaded
from tests.compare.made import compared
from tests.scripted import scripted_run
from tests.scripted_watched import gpt_like, mistake
from tests.tainted import SHOWN, TAINT, obeyed, tainted, tainted_presets, tainted_record
from tests.terminal import Terminal
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_finding import ScriptedFinding, falling
from tests.ui.scripted_pair import ScriptedPair
from tui_trainer.events import AnyEvent, ConfusionCounted, MetricsLogged, PhaseStarted, RunEnded
from tui_trainer.mistakes.cases import MistakeCase
from tui_trainer.presets.checks import parse
from tui_trainer.records.record import Record
from tui_trainer.run_spec import RunSpec
from tui_trainer.ui.find_lr.screen import FindLRScreen, Original
from tui_trainer.ui.mistakes.screen import BreakItScreen
from tui_trainer.ui.runs.run_list import RunList

pytestmark = pytest.mark.slow

RUN: list[AnyEvent] = [tainted(event) for event in scripted_run(epochs=4, batches=20, pause_after=30, switch_at=3)]
LIVE = cut(RUN, 60)
FOUND = [mistake("no_zero_grad", steps=3, optimizer=TAINT), mistake(TAINT, file=TAINT, lineno=3, what=TAINT)]
WATCHED: list[AnyEvent] = [tainted(event) for event in [*gpt_like(steps=100), *FOUND]]


def looked_at(shown: Shown, *, holds: bool = True) -> None:
    """Nothing on the screen, nor in what is told at the mouse, obeys; and the characters are there."""
    text = shown.text()
    assert not [c for c in text if unicodedata.category(c) == "Cc" and c != "\n"]
    assert not obeyed(text.encode())
    if holds:
        assert SHOWN in text, text
    for strip in shown.app.screen._compositor.render_strips():
        for segment in strip:
            if segment.style is not None and "[" in segment.text:
                assert "bell" not in str(segment.style.meta)
                assert segment.style.link is None
    for widget in shown.app.screen.query(Widget):
        assert "\x1b" not in str(widget.tooltip or "")


@pytest.mark.parametrize("size", [(80, 24), (140, 40), (250, 70)])
async def test_a_run(show: Show, size: tuple[int, int]) -> None:
    async with show(LIVE, size=size) as shown:
        looked_at(shown)
        for key in ("comma", "comma", "tab", "tab", "4", "5"):
            await shown.press(key)
            looked_at(shown)
        await shown.press("escape")
        await shown.frame(*RUN[len(LIVE) :])
        looked_at(shown)


async def test_before_training_and_where_it_never_began(show: Show) -> None:
    async with show([event for event in RUN if isinstance(event, PhaseStarted)][:2]) as shown:
        looked_at(shown)
        why = f"there is no data in /data/{TAINT}"
        await shown.frame(RunEnded(at=1.0, status="crashed", reason=why, step=0, epoch=0, exit_code=2))
        looked_at(shown)


class Careless(Screen[None]):
    """As somebody might write one who has never heard of all this."""

    def compose(self) -> ComposeResult:
        for widget in (Static(Content(TAINT)), Static(Text(TAINT)), Input(TAINT), Button(Content(TAINT))):
            widget.border_title = Content(TAINT)
            widget.styles.border = ("round", "red")
            yield widget


async def test_a_screen_that_takes_no_care(show: Show) -> None:
    async with show(LIVE) as shown:
        shown.app.push_screen(Careless())
        shown.app.notify(TAINT, title=TAINT, markup=False)
        await shown.pilot.pause()
        looked_at(shown)
        assert shown.text().count(SHOWN) >= 6


async def test_every_screen_that_there_is(show: Show, own_presets: Path, tmp_path: Path) -> None:
    """A new one is missed here until it is opened with text that is tainted."""
    tainted_presets(own_presets)
    runs = tmp_path / "runs"
    folders = [tainted_record(runs, epochs=2, batches=5, seed=seed) for seed in range(2)]
    shown_here: set[type] = set()

    async def look(shown: Shown, *keys: str) -> None:
        for key in keys:
            await shown.press(key)
            looked_at(shown, holds=False)
            shown_here.add(type(shown.app.screen))

    async with show(LIVE, runs=runs, on_detach=lambda: None) as shown:
        await look(
            shown,
            "comma",
            "question_mark",
            "escape",
            "p",
            "down",
            "pagedown",
            "escape",
            "q",
            "escape",
            "1",
            "6",
            "C",
            "l",
            "escape",
            "e",
            "escape",
            "p",
            "o",
            "escape",
            "escape",
        )
        names, counts = [TAINT, TAINT * 2], [[3, 4], [2, 1]]
        await shown.frame(ConfusionCounted(at=1e9, epoch=1, step=5, classes=names, counts=counts))
        await look(shown, "M", "escape")
        await look(shown, "r", "o", "space", "d", "escape", "n", "escape", "enter", "comma", "escape", "escape")
        await shown.press("escape")
        await shown.frame(MetricsLogged(at=RUN[-1].at, step=30, values={TAINT: 1.0, f"{TAINT}/{TAINT}": 2.0}))
        await look(shown, "m", "slash", "N", "enter", "space", "asterisk", "a", "x", "enter", "C", "escape", "escape")
        assert "[@click=app.bell]" in shown.text()
        await look(shown, "escape", "escape", "escape")
    async with show(WATCHED) as shown:
        await look(shown, "comma", "escape", "o", "down", "down", "escape", "p", "k", "i", "q", "escape")
        assert SHOWN in shown.text()
    async with show(size=(140, 60)) as shown:
        await look(shown, *["down"] * 20, "slash", "a", "enter", "e", "escape", "escape")
    async with show(comparison=compared(runs, folders)) as shown:
        await look(shown, "t", "escape", "d", "d", "down", "i", "left", "enter", "escape", "q", "escape")

    def train(case: MistakeCase) -> ScriptedPair:
        pair = ScriptedPair(case)
        pair.failure = TAINT
        return pair

    async with show() as shown:
        shown.app.push_screen(BreakItScreen(train))
        await look(shown, "enter", "down", "up")
    async with show() as shown:
        preset = parse('[optimizer]\nname = "SGD"\nlr = 0.1 # ' + SHOWN)
        found: list[ScriptedFinding] = []
        original = Original(preset, f'[optimizer]\nname = "SGD" # {SHOWN}\nlr = 0.1\n', TAINT, TAINT)
        begin = lambda spec: found.append(ScriptedFinding(spec)) or found[0]  # noqa: E731
        shown.app.push_screen(FindLRScreen(RunSpec.of(TAINT, preset), original, begin))
        await shown.frame()
        found[0].phase = TAINT
        await look(shown, "down")
        found[0].come(falling())
        await look(shown, "down", "w")
        found[0].failure = TAINT
        await look(shown, "down")
    assert {screen for screen in _screens(Screen) if screen.__module__.startswith("tui_trainer")} == shown_here


def _screens(kind: type) -> set[type]:
    """Those that are shown: the others are what they are made from."""
    below = {each for subclass in kind.__subclasses__() for each in _screens(subclass)}
    return below | ({kind} if not kind.__subclasses__() or kind.__name__ == "LiveScreen" else set())


async def test_dialogs_and_pages_over_a_run(show: Show) -> None:
    async with show(LIVE, on_detach=lambda: None) as shown:
        for key, back in (("q", "escape"), ("question_mark", "escape"), ("ctrl+p", "escape")):
            await shown.press(key)
            looked_at(shown, holds=key == "q")
            await shown.press(back)


async def test_presets_sound_and_broken_and_an_editor(show: Show, own_presets: Path) -> None:
    own_presets.mkdir(parents=True)
    words = f'title = "{SHOWN} \\u001b[31m[@click=app.bell]n[/]"\ndescription = "{SHOWN}\\u009b31m"\n'
    sound = f'{words}[training]\nepochs = 2\nbatch_size = 64\n[optimizer]\nname = "SGD"\nlr = 0.1\n'
    (own_presets / "aa [b]N[_b].toml").write_text(sound + '[scheduler]\nname = "none"\n')
    (own_presets / "ab.toml").write_text(sound + f'[scheduler]\nname = "{SHOWN}\\u001b[31m"\n')
    async with show(size=(140, 60)) as shown:
        await shown.press("slash", *"aa", "enter")
        looked_at(shown)
        await shown.press("e")
        looked_at(shown)
        await shown.press("escape")
        await shown.press("escape", "slash", *"ab", "enter")
        looked_at(shown)


def recorded(runs: Path, name: str, preset: str) -> Path:
    asked = {"preset_name": preset, "name": name, "dataset": TAINT + "data", "model": TAINT}
    record = Record.create(runs, asked)
    for event in RUN:
        record.emit(event)
    with record.open_log() as log:
        log.write((TAINT * 3).encode())
    record.close()
    return record.folder


async def test_runs_and_one_of_them(show: Show, tmp_path: Path) -> None:
    runs = tmp_path / f"runs {SHOWN}"
    recorded(runs, TAINT + "run", TAINT + "preset")
    async with show(LIVE, runs=runs) as shown:
        await shown.press("r")
        await shown.until(lambda: shown.the(RunList).complete)
        await shown.frame()
        looked_at(shown)
        await shown.press("d")
        looked_at(shown)
        await shown.press("escape", "enter")
        looked_at(shown)


async def test_a_comparison(show: Show, tmp_path: Path) -> None:
    folders = [recorded(tmp_path, f"{TAINT}{number}", "steplr") for number in range(2)]
    async with show(comparison=compared(tmp_path, folders)) as shown:
        looked_at(shown)
        for key in ("d", "down", "q"):
            await shown.press(key)
            looked_at(shown, holds=False)


def test_a_terminal_gets_none_of_it(tmp_path: Path) -> None:
    recorded(tmp_path, TAINT + "run", TAINT + "preset")
    with Terminal("attach", env={"TUI_TRAINER_RUNS": str(tmp_path)}) as terminal:
        terminal.until(SHOWN)
        terminal.press("r")
        terminal.until("1 run")
        terminal.press("q")
        assert terminal.wait() == 0
        assert not obeyed(terminal.text)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("runs",), 0),
        (("stream", f"no{TAINT}"), 2),
        (("export", f"no{TAINT}", "--out", "out"), 2),
        (("stop", f"no{TAINT}"), 2),
        (("presets", "show", f"no{TAINT}"), 2),
        (("run", "--preset", f"no{TAINT}.toml"), 2),
        (("run", "--preset", "steplr", "--runs-dir", f"/dev/null/{TAINT}"), 2),
        (("run", "--preset", "steplr", "--dataset", "mnist", "--data-dir", f"/dev/null/{TAINT}"), 2),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_prints_hold_none_of_it(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    recorded(tmp_path, TAINT + "run", TAINT + "preset")
    done = preloaded.run(
        *arguments, env={**os.environ, "TUI_TRAINER_RUNS": str(tmp_path), "https_proxy": "http://127.0.0.1:9"}
    )
    said = done.stdout + done.stderr
    assert (done.returncode, SHOWN in said) == (code, True), said
    assert not [c for c in said if unicodedata.category(c) == "Cc" and c != "\n"], ascii(said)
    assert "\u202e" not in said
