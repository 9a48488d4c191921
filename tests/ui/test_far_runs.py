"""Runs on other machines stand in the list of runs, are looked at from there, and never keep the screen waiting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.records.test_run_filter import run as made
from tests.remote.far_side import fake_ssh
from tests.scripted_record import over
from tests.ui.conftest import Show
from tests.ui.test_runs import FINISHED, go_to, opened
from tui_trainer.records.summary import RunSummary
from tui_trainer.remote.address import Address
from tui_trainer.remote.connection import Lost
from tui_trainer.run_sources.remembered import remember
from tui_trainer.run_sources.remote_source import RemoteSource
from tui_trainer.ui.runs.far_runs import FarRuns, place_of
from tui_trainer.ui.runs.screen import OtherRunScreen, RunsScreen


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def roots(*places: str) -> None:
    remember(lambda before: replace(before, roots=list(places)))


def far(id: str, place: str = "ssh://box") -> RunSummary:
    return replace(made(id=id, name=id), folder=f"{place}/runs/{id}")


Told = Callable[[Address], list[RunSummary]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Told]:
    """What other machines tell, by their names."""
    machines: dict[str, Told] = {}
    monkeypatch.setattr(
        "tui_trainer.run_sources.far_runs.runs_on", lambda address, **_: machines[address.host](address)
    )
    return machines


def lost(_: Address) -> list[RunSummary]:
    raise Lost("no route")


def test_what_a_machine_told_last_is_kept_while_it_cannot_be_reached(told: dict[str, Told], tmp_path: Path) -> None:
    roots("ssh://box", str(tmp_path), "ssh://other/runs")
    shelf = FarRuns()
    assert shelf.begin_look()
    assert not shelf.begin_look()
    told["box"], told["other"] = lambda _: [far("a")], lambda _: [far("b", "ssh://me@other"), far("a")]
    seen = shelf.look()
    assert (sorted(map(place_of, seen.runs)), seen.trouble) == (["box", "me@other"], "")
    assert shelf.looked(seen)
    assert not shelf.begin_look()  # for a while
    told["box"] = lost
    again = shelf.look()
    assert again.trouble == "ssh://box: no route"
    assert not shelf.looked(again)
    roots("ssh://other/runs")
    assert shelf.looked(shelf.look())
    assert {run.id for run in shelf.runs} == {"a", "b"}
    assert not shelf.looked(None)
    shelf.leave()
    roots("ssh://box", "ssh://never-asked")
    assert shelf.look().trouble  # and whoever looks goes no further


def test_who_leaves_lets_go_of_a_machine_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Callable[[], bool]] = []
    monkeypatch.setattr(
        "tui_trainer.run_sources.far_runs.runs_on", lambda _, asks, gives_up: asked.append(gives_up) or []
    )
    roots("ssh://box")
    shelf = FarRuns()
    shelf.look()
    assert not asked[0]()
    shelf.leave()
    assert asked[0]()


def test_no_machine_is_asked_where_none_is_remembered(told: dict[str, Told], tmp_path: Path) -> None:
    roots(str(tmp_path))
    assert FarRuns().look() == ((), "")
    assert place_of(made(id="here")) == ""
    assert place_of(replace(made(id="bad"), folder="ssh://box/%00")) == "?"


@pytest.mark.says("runs.far")
@pytest.mark.never_says("runs.far")
async def test_they_stand_in_the_list_and_are_looked_at_and_compared(
    show: Show, tmp_path: Path, told: dict[str, Told], captions_said: set[str]
) -> None:
    over(tmp_path / "runs", name="gone")
    roots("ssh://box", "ssh://dead")
    told["box"], told["dead"] = lambda _: [far("there")], lost
    async with show(FINISHED, runs=tmp_path / "runs") as shown:
        listed = await opened(shown)
        await shown.until(lambda: "box: " in shown.text())
        assert "ssh://dead: no route" in shown.text()
        await go_to(shown, listed, "gone")
        await shown.press("d", "escape", "space")
        await go_to(shown, listed, "there")
        await shown.press("space")  # to be compared
        assert "runs.far" not in captions_said
        assert len(listed.marked) == 2
        assert listed.marked[1].startswith("ssh://box/")
        await go_to(shown, listed, "there")
        for key in ("d", "n", "R"):
            await shown.press(key)
            assert "it is on box: enter looks at it" in shown.text()


@pytest.mark.slow
@pytest.mark.says("runs.connecting")
@pytest.mark.never_says("runs.connecting", in_all_cases=False)
async def test_one_is_opened_over_the_list_and_left_again(
    show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    far_side = tmp_path / "far"
    far_side.mkdir()
    fake_ssh(far_side, monkeypatch)
    over(far_side / ".local/share/tui-trainer/runs", name="night")
    over(tmp_path / "here", name="day")
    roots("ssh://box")
    async with show(FINISHED, runs=tmp_path / "here") as shown:
        listed = await opened(shown)
        await shown.until(lambda: "box: night" in shown.text())
        await go_to(shown, listed, "day")
        await shown.press("enter", "escape")
        assert "runs.connecting" not in captions_said
        await go_to(shown, listed, "night")
        await shown.press("enter")
        await shown.until(lambda: isinstance(shown.app.screen, OtherRunScreen))
        screen = shown.app.screen
        assert isinstance(screen, OtherRunScreen)
        assert isinstance(screen.source, RemoteSource)
        await shown.until(lambda: screen.history.ended is not None)
        await shown.press("escape")
        await shown.until(lambda: isinstance(shown.app.screen, RunsScreen))
        (far_side / "bin" / "ssh").write_text("#!/bin/sh\necho 'no route' >&2\nexit 255\n")
        await shown.press("enter")
        await shown.until(lambda: "no route" in shown.text())
        assert isinstance(shown.app.screen, RunsScreen)
