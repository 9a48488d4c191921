"""Whatever a name, a title, a reason or a message holds is shown as the characters it is, on screens and in prints.

Neither Textual's markup nor a terminal's escape sequences in it may do anything.
"""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.widget import Widget

from tests.compare.made import compared
from tests.scripted import scripted_run
from tests.terminal import Terminal
from tests.ui.conftest import Show, Shown, cut
from tests.waiting import PATIENCE_S
from tui_trainer.events import CommandAnswered, Event, Noticed, PhaseStarted, Recipe, RunEnded, RunResolved
from tui_trainer.runs.record import Record
from tui_trainer.ui.runs.run_list import RunList

SHOWN = "[b]N[/b]"
NASTY = f"\x1b]0;taken\x07{SHOWN}\x1b[31m[@click=app.bell]n[/]\u202e\x9b31m\n"
"""A terminal's title, bold, red, a click, a turned direction, red once more, a line's end."""

WORDS = {
    RunResolved: ("dataset", "model", "device", "device_name"),
    PhaseStarted: ("phase", "detail"),
    RunEnded: ("reason",),
    Noticed: ("text",),
    CommandAnswered: ("command", "answer", "by"),
    Recipe: ("preset", "title", "optimizer"),
}


def tainted(thing: Any) -> Any:
    """The same with `NASTY` in each of its texts that a person reads."""
    if not isinstance(thing, msgspec.Struct):
        return thing
    changes: dict[str, Any] = {}
    names = ("reason", "old", "by", "value", "setting", *WORDS.get(type(thing), ()))
    for name in thing.__struct_fields__:
        value = getattr(thing, name)
        if isinstance(value, Recipe):
            changes[name] = tainted(value)
        elif name in names and isinstance(value, str):
            changes[name] = NASTY + value
    return msgspec.structs.replace(thing, **changes)


RUN: list[Event] = [tainted(event) for event in scripted_run(epochs=4, batches=20, pause_after=30, switch_at=3)]
LIVE = cut(RUN, 60)


def looked_at(shown: Shown, *, holds: bool = True) -> None:
    """Nothing on the screen, nor in what is told at the mouse, obeys; and the characters are there."""
    text = shown.text()
    assert not [c for c in text if unicodedata.category(c) == "Cc" and c != "\n"]
    assert "\u202e" not in text
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
        why = f"there is no data in /data/{NASTY}"
        await shown.frame(RunEnded(at=1.0, status="crashed", reason=why, step=0, epoch=0, exit_code=2))
        looked_at(shown)


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
    asked = {"preset_name": preset, "name": name, "dataset": NASTY + "data", "model": NASTY}
    record = Record.create(runs, asked)
    for event in RUN:
        record.emit(event)
    with record.open_log() as log:
        log.write((NASTY * 3).encode())
    record.close()
    return record.folder


async def test_runs_and_one_of_them(show: Show, tmp_path: Path) -> None:
    runs = tmp_path / f"runs {SHOWN}"
    recorded(runs, NASTY + "run", NASTY + "preset")
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
    folders = [recorded(tmp_path, f"{NASTY}{number}", "steplr") for number in range(2)]
    async with show(comparison=compared(tmp_path, folders)) as shown:
        looked_at(shown)
        for key in ("d", "down", "q"):
            await shown.press(key)
            looked_at(shown, holds=False)


def test_a_terminal_gets_none_of_it(tmp_path: Path) -> None:
    recorded(tmp_path, NASTY + "run", NASTY + "preset")
    with Terminal("attach", env={"TUI_TRAINER_RUNS": str(tmp_path)}) as terminal:
        terminal.until(SHOWN)
        terminal.press("r")
        terminal.until("1 run")
        terminal.press("q")
        assert terminal.wait() == 0
        assert b"\x1b]0;taken" not in terminal.text
        assert "\x9b".encode() not in terminal.text
        assert b"\x1b[31m" not in terminal.text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("runs",), 0),
        (("export", f"no{NASTY}", "--out", "out"), 2),
        (("attach", f"no{NASTY}"), 2),
        (("stop", f"no{NASTY}"), 2),
        (("presets", "show", f"no{NASTY}"), 2),
        (("run", "--preset", f"no{NASTY}.toml"), 2),
        (("run", "--preset", "steplr", "--runs-dir", f"/dev/null/{NASTY}"), 2),
        (("run", "--preset", "steplr", "--dataset", "mnist", "--data-dir", f"/dev/null/{NASTY}"), 2),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_prints_hold_none_of_it(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    recorded(tmp_path, NASTY + "run", NASTY + "preset")
    done = subprocess.run(
        [sys.executable, "-m", "tui_trainer", *arguments],
        capture_output=True,
        env={**os.environ, "TUI_TRAINER_RUNS": str(tmp_path), "https_proxy": "http://127.0.0.1:9", "LC_ALL": "C.UTF-8"},
        timeout=PATIENCE_S,
    )
    said = (done.stdout + done.stderr).decode()
    assert (done.returncode, SHOWN in said) == (code, True) or arguments[0] == "attach", said
    assert not [c for c in said if unicodedata.category(c) == "Cc" and c != "\n"], ascii(said)
    assert "\u202e" not in said
