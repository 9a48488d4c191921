"""Typing to a watched command in the page of its log: it goes to the command, and is kept nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual import events

from tests.scripted import scripted_run
from tests.scripted_watched import mnist_like
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_source import ScriptedHost
from tui_trainer.run_sources.run_source import READONLY
from tui_trainer.text.captions import CAPTIONS, say
from tui_trainer.ui.dialogs import Question
from tui_trainer.ui.live.log_pane import LogPane
from tui_trainer.ui.live.typing import bytes_of, shown
from tui_trainer.ui.trainer_screen import KeyLine
from tui_trainer.watching.host.keyboard import Keyboard, remove

LIVE = cut(mnist_like(), 150)


@pytest.fixture
def host(tmp_path: Path) -> ScriptedHost:
    host = ScriptedHost(LIVE)
    host.folder = tmp_path
    return host


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Keyboard]:
    """What the command's side reads from."""
    side = Keyboard(tmp_path)
    yield side
    remove(tmp_path)


def typed(side: Keyboard) -> bytes:
    return b"".join(piece for piece in side.read() if isinstance(piece, bytes))


def keys(shown: Shown) -> str:
    return str(shown.the(KeyLine).plain()[0])


async def test_keys_go_to_the_command_until_esc(show: Show, host: ScriptedHost, command: Keyboard) -> None:
    async with show(host) as shown:
        await shown.press("i")
        assert not shown.the(LogPane).has_class("-hidden")
        assert "stop typing" in keys(shown)
        await shown.press(*"yes", "space", "q", "backspace", "enter", "ctrl+c", "up", "tab")
        assert typed(command) == b"yes q\x7f\r\x03\x1b[A\t"
        assert not host.sent
        await shown.press("escape")
        assert "pause" in keys(shown)
        await shown.press("q")
        assert isinstance(shown.app.screen, Question)
        assert typed(command) == b""


@pytest.mark.says("log.typed")
async def test_what_is_typed_is_shown_until_enter_and_stands_in_no_file(
    show: Show, host: ScriptedHost, command: Keyboard, tmp_path: Path
) -> None:
    async with show(host) as shown:
        await shown.press("i", *"abcd", "backspace")
        assert "to the command: abc▏" in shown.text()
        await shown.press("enter")
        assert "to the command: ▏" in shown.text()
    assert [path.name for path in tmp_path.iterdir()] == ["keyboard"]


async def test_where_a_secret_is_asked_for_dots_are_shown(
    show: Show, host: ScriptedHost, command: Keyboard, tmp_path: Path
) -> None:
    (tmp_path / "log.txt").write_text("wandb: Paste an API key from your profile and hit enter: ")
    async with show(host) as shown:
        await shown.press("6")
        await shown.until(lambda: "Paste an API key" in shown.text())
        await shown.press("i", *"hunter2")
        assert "hunter2" not in shown.text()
        assert "•••••••▏" in shown.text()
        assert typed(command) == b"hunter2"


@pytest.mark.parametrize("asked", ["Password: ", "Passphrase for key:", "Enter your token", "API-key?", "secret"])
def test_what_asks_for_a_secret(asked: str) -> None:
    assert shown("abc", asked) == "•••"


@pytest.mark.parametrize("asked", ["Overwrite? [y/N] ", "", "which monkey", "epoch 3 of 5"])
def test_what_does_not(asked: str) -> None:
    assert shown("abc", asked) == "abc"


async def test_a_text_is_pasted_whole(show: Show, host: ScriptedHost, command: Keyboard) -> None:
    async with show(host) as shown:
        await shown.press("i")
        shown.app.screen.post_message(events.Paste("one\ntwo"))
        await shown.frame()
        assert typed(command) == b"one\rtwo"
        assert "to the command: two▏" in shown.text()


@pytest.mark.says("watched.no_keyboard")
async def test_where_nothing_takes_it_that_is_said(show: Show, host: ScriptedHost, tmp_path: Path) -> None:
    ours = ScriptedHost(cut(scripted_run(), 30))
    ours.folder = tmp_path
    for each in (host, ours, ScriptedHost(LIVE)):
        async with show(each) as shown:
            await shown.press("i")
            assert say("watched.no_keyboard") in keys(shown)
            assert shown.the(LogPane).typing is None
    Keyboard(tmp_path)
    host.capabilities = READONLY
    async with show(host) as shown:
        await shown.press("i")
        assert say("watched.no_keyboard") in keys(shown)


@pytest.mark.never_says("watched.no_keyboard")
async def test_where_it_is_taken_that_is_not_said(show: Show, host: ScriptedHost, command: Keyboard) -> None:
    async with show(host) as shown:
        await shown.press("i", *"ok")
        assert CAPTIONS["watched.no_keyboard"].words not in shown.text()


async def test_the_command_that_ends_meanwhile_ends_the_typing(
    show: Show, host: ScriptedHost, command: Keyboard, tmp_path: Path
) -> None:
    async with show(host) as shown:
        await shown.press("i", "a")
        remove(tmp_path)
        await shown.press("b")
        assert shown.the(LogPane).typing is None
        assert say("watched.no_keyboard") in keys(shown)


@pytest.mark.parametrize(
    ("key", "character", "data"),
    [
        ("a", "a", b"a"),
        ("ctrl+d", "\x04", b"\x04"),
        ("ü", "ü", "ü".encode()),
        ("f5", None, b""),
        ("shift+tab", None, b""),
        ("ctrl+é", None, b""),
        ("left", None, b"\x1b[D"),
    ],
)
def test_a_key_is_what_a_terminal_sends_for_it(key: str, character: str | None, data: bytes) -> None:
    assert bytes_of(key, character) == data
