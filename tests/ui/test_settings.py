"""The small file of what the screen keeps: private, whole, and never a reason to fail."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted import scripted_run
from tests.ui.conftest import Show, cut
from tests.waiting import PATIENCE_S
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.settings import Settings, UISettings
from tui_trainer.ui.theme import DARK, LIGHT
from tui_trainer.ui.trainer_screen import KeyLine

LIVE = cut(scripted_run(epochs=4, batches=20), 50)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tui-trainer" / "screen.json"


def changed(file: Path, **changes: Any) -> None:
    remembered = Settings(file)
    remembered.change(**changes)
    assert remembered.settle()


def test_it_is_private_and_read_again(file: Path) -> None:
    changed(file, theme="nord", roomy={"why": "hidden"})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert Settings(file).kept == UISettings(theme="nord", roomy={"why": "hidden"})
    assert [each.name for each in file.parent.iterdir()] == ["screen.json"]


def test_two_screens_keep_each_other_s_changes(file: Path) -> None:
    one, other = Settings(file), Settings(file)
    one.change(theme="nord")
    assert one.settle()
    other.change(hints_seen=True)
    assert other.settle()
    assert Settings(file).kept == UISettings(theme="nord", hints_seen=True)


def test_without_a_file_nothing_outlasts_the_app() -> None:
    remembered = Settings()
    remembered.change(theme="nord")
    assert not remembered.settle()
    assert remembered.kept.theme == "nord"
    assert remembered.new_trouble() == ""


@given(st.binary(max_size=200) | st.from_regex(rb'\{"(theme|small|marks|hints_seen)": ?[\[\]{}"0-9a-z:]{0,20}\}'))
def test_a_broken_file_counts_as_none(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "broken.json"
    file.write_bytes(content)
    remembered = Settings(file)
    assert isinstance(remembered.kept, UISettings)
    assert remembered.marks in ("braille", "blocks", "ascii")


@pytest.mark.says("answer.settings_unread", "answer.settings_unsaved")
@pytest.mark.never_says("answer.settings_damaged")
def test_a_folder_that_cannot_be_written_is_told_once_and_let_be(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    file = tmp_path / "state" / "screen.json"
    remembered = Settings(file)
    assert remembered.new_trouble() == f"your settings cannot be read: {file}: Not a directory"
    remembered.change(hints_seen=True)
    assert not remembered.settle()
    assert remembered.new_trouble() == f"your settings cannot be saved: {file}: File exists"
    remembered.change(theme="nord")
    assert not remembered.settle()
    assert remembered.new_trouble() == ""
    assert remembered.kept == UISettings(theme="nord", hints_seen=True)  # for as long as the screen is open
    assert Settings(remembered.file).kept == UISettings()


@pytest.mark.says("answer.settings_unread", "answer.settings_damaged")
@pytest.mark.never_says("answer.settings_unsaved")
@pytest.mark.parametrize("content", [b'{"theme": 3}', b"{", b"\xff", b"[" * 60_000])
def test_a_damaged_file_is_told(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    remembered = Settings(file)
    assert remembered.kept == UISettings()
    assert remembered.new_trouble().startswith(f"your settings cannot be read: {file}: it is damaged (")
    assert remembered.new_trouble() == ""
    remembered.change(theme="nord")
    assert remembered.settle()
    assert Settings(file).new_trouble() == ""


@pytest.mark.never_says("answer.settings_unread")
def test_a_file_that_is_not_there_is_no_trouble(file: Path) -> None:
    assert Settings(file).new_trouble() == ""


def test_what_is_chosen_holds_while_the_disk_takes_its_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is chosen meanwhile is written after it; nobody waits but who asks to."""
    may_go_on = threading.Event()
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: may_go_on.wait(PATIENCE_S) and fsync(fd))
    remembered = Settings(file)
    for theme in ("one", "two", "three"):
        remembered.change(theme=theme)
        assert remembered.kept.theme == theme
        assert remembered.outlasts is None
    assert not remembered.settle(0.01)
    may_go_on.set()
    assert remembered.settle(60)
    assert Settings(file).kept.theme == "three"


def test_a_thread_that_dies_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("tui_trainer.ui.settings.write_atomic", die)
    remembered = Settings(file)
    remembered.change(theme="nord")
    assert not remembered.settle(60)
    assert remembered.new_trouble().endswith(": RuntimeError: broken")


async def test_trouble_with_the_file_is_said_on_the_screen(show: Show, file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(b"{")
    async with show(LIVE, settings=Settings(file)) as shown:
        assert "your settings cannot be read" in shown.the(KeyLine).plain()[0]


async def test_names_that_nobody_knows_change_nothing(show: Show, file: Path) -> None:
    changed(file, theme="\x1b[31m", marks="stones", roomy={"why": "upside down", "nobody": "hidden"})
    async with show(LIVE, settings=Settings(file)) as shown:
        assert shown.app.theme == DARK.name
        assert shown.the(LossChart).marks == "braille"
        assert "why" in shown.text()


async def test_the_theme_is_kept(show: Show, file: Path) -> None:
    async with show(LIVE, settings=Settings(file)) as shown:
        assert not file.exists() or Settings(file).kept.theme == ""
        shown.app.theme = LIGHT.name
        await shown.frame()
    async with show(LIVE, settings=Settings(file)) as shown:
        assert shown.app.theme == LIGHT.name
        colours = {
            segment.style.bgcolor.triplet.hex
            for strip in shown.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style and segment.style.bgcolor and segment.style.bgcolor.triplet
        }
        assert LIGHT.background in colours
        assert DARK.background not in colours


@pytest.mark.says("help.theme_*", "help.remembered", "help.for_fonts")
@pytest.mark.never_says("help.theme_*", "help.remembered", "help.for_fonts")
async def test_palette_commands_for_themes_and_for_fonts_without_braille(
    show: Show, file: Path, captions_said: set[str]
) -> None:
    async with show(LIVE, settings=Settings(file)) as shown:
        assert not {id for id in captions_said if id.startswith("help.")}
        told = {command.title: command.help for command in shown.app.get_system_commands(shown.app.screen)}
        kept = {title for title, help in told.items() if "remembered" in help}
        assert kept == {title for title in told if title.startswith(("Theme: ", "Draw with "))}
        commands = {command.title: command.callback for command in shown.app.get_system_commands(shown.app.screen)}
        assert {"Theme: dark", "Theme: light", "Theme: for the colour-blind"} <= {*commands}
        commands["Theme: light"]()
        commands["Draw with plain characters"]()
        await shown.frame()
        chart = shown.the(LossChart)
        assert chart.marks == "ascii"
        assert not any("\u2800" <= letter <= "\u28ff" for line in chart.plain() for letter in line)
        assert "*" in "".join(chart.plain())
    assert Settings(file).kept.theme == LIGHT.name
    async with show(LIVE, settings=Settings(file)) as shown:
        assert shown.the(LossChart).marks == "ascii"


def test_a_console_without_braille_gets_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    assert Settings().marks == "blocks"
    monkeypatch.setenv("TERM", "xterm-256color")
    assert Settings().marks == "braille"


def test_a_locale_without_unicode_gets_plain_characters_unless_others_were_chosen(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    for terminal in ("linux", "xterm-256color"):
        monkeypatch.setenv("TERM", terminal)
        assert Settings().marks == "ascii"
    changed(file, marks="braille")
    assert Settings(file).marks == "braille"
