"""The log pane: shown and hidden, followed, scrolled, and never more than text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripted import scripted_run
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_source import ScriptedHost
from tui_trainer.ui.live.log_pane import LogPane

LIVE = cut(scripted_run(epochs=4, batches=20), 50)
SIZES = pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=str)


@pytest.fixture(autouse=True)
def look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_trainer.ui.live.log_pane.LOOK_EVERY", 0.0)


@pytest.fixture
def host(tmp_path: Path) -> ScriptedHost:
    host = ScriptedHost(LIVE)
    host.folder = tmp_path
    return host


def printed(host: ScriptedHost, text: str) -> None:
    assert host.folder is not None
    with (host.folder / "log.txt").open("a") as file:
        file.write(text)


def lines(shown: Shown) -> list[str]:
    """What the pane shows under its head, without the room that is left."""
    return [line.strip() for line in shown.the(LogPane).plain()[1:] if line.strip()]


@SIZES
async def test_6_shows_what_is_printed_as_it_comes_and_hides_it_again(
    show: Show, host: ScriptedHost, size: tuple[int, int]
) -> None:
    async with show(host, size=size) as shown:
        printed(host, "before anybody looked\n")
        await shown.frame()
        assert "before anybody looked" not in shown.text()
        await shown.press("6")
        assert lines(shown) == ["before anybody looked"]
        assert "loss" in shown.text()
        printed(host, "UserWarning: it comes later\n")
        await shown.frame()
        assert "UserWarning: it comes later" in shown.text()
        await shown.press("6")
        assert "it comes later" not in shown.text()


@pytest.mark.says("log.nothing")
async def test_a_log_that_is_empty_says_so(show: Show, host: ScriptedHost) -> None:
    async with show(host) as shown:
        await shown.press("6")
        assert lines(shown) == ["nothing was printed to this run's log"]


@pytest.mark.says("log.newer")
@pytest.mark.never_says("log.nothing", "log.newer", "log.typed")
async def test_it_is_scrolled_by_keys_and_stands_while_more_is_printed(
    show: Show, host: ScriptedHost, captions_said: set[str]
) -> None:
    printed(host, "".join(f"line {number}\n" for number in range(1, 101)))
    async with show(host) as shown:
        await shown.press("6")
        room = shown.the(LogPane).size.height - 1
        assert lines(shown) == [f"line {number}" for number in range(101 - room, 101)]
        assert not any(id.startswith("log.") for id in captions_said)
        await shown.press("pageup")
        before = lines(shown)
        assert before[-1] == f"line {100 - (room - 1)}"
        printed(host, "one more\n")
        await shown.frame()
        assert lines(shown) == before
        assert f"{room:,} newer below, end follows" in shown.the(LogPane).plain()[0]
        await shown.press(*["pageup"] * 30)
        assert lines(shown)[0] == "line 1"
        assert len(lines(shown)) == room
        await shown.press("pagedown", "end")
        assert lines(shown)[-1] == "one more"
        assert "newer" not in shown.the(LogPane).plain()[0]
        assert not {"log.nothing", "log.typed"} & captions_said


async def test_markup_and_escape_sequences_are_text_and_long_lines_are_folded(show: Show, host: ScriptedHost) -> None:
    printed(host, "[red]no markup[/] \x1b[31mno colour\x1b[0m\x1b]0;no title\x07\n")
    printed(host, "w" * 200 + "\n")
    async with show(host) as shown:
        await shown.press("6")
        assert lines(shown)[0] == "[red]no markup[/] no colour"
        assert "".join(lines(shown)[1:]) == "w" * 200
        assert "\x1b" not in shown.text()


async def test_another_run_has_another_log(show: Show, host: ScriptedHost, tmp_path: Path) -> None:
    printed(host, "of the first\n")
    async with show(host) as shown:
        await shown.press("6")
        other = tmp_path / "other"
        other.mkdir()
        host.folder = other
        printed(host, "of the second\n")
        await shown.frame()
        assert lines(shown) == ["of the second"]
