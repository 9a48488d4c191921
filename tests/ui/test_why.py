"""Notices on the screen: said as they come, wherever one is, and with a bell where one is wanted."""

from __future__ import annotations

import time

import pytest

from tests.scripted import START, scripted_run
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_source import ScriptedHost, moved_to
from tui_trainer.events import Alert, RunEnded
from tui_trainer.ui.trainer_screen import KeyLine

EVENTS = moved_to(scripted_run(epochs=4, batches=20), time.time() - 5)
LIVE = cut(EVENTS, 50)


def notice(kind: str, text: str) -> Alert:
    return Alert(at=time.time() + 1, kind=kind, text=text)


def ended() -> RunEnded:
    return RunEnded(at=time.time() + 1, status="finished", reason="done", step=80, epoch=4, exit_code=0)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When the bell rang."""
    times: list[float] = []
    monkeypatch.setattr("textual.app.App.bell", lambda app: times.append(time.monotonic()))
    return times


def said(shown: Shown) -> str:
    line: str = shown.the(KeyLine).plain()[0]
    return line.strip()


async def test_a_warning_is_said_once_in_the_line_at_the_bottom_and_stays_with_the_reasons(show: Show) -> None:
    async with show(LIVE, size=(80, 24)) as shown:
        await shown.frame(notice("diverging", "the loss rises: \x1b[31m[b]4.1[/]"))
        assert said(shown) == "the loss rises: [31m[b]4.1[/]"
        shown.the(KeyLine).quiet()
        await shown.frame()
        assert "space pause" in said(shown)
        assert "notice     the loss rises" in shown.text()


async def test_it_is_said_on_the_screen_in_front(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("p")
        await shown.frame(notice("stall", "stalled: nothing has happened"))
        assert said(shown) == "stalled: nothing has happened"


async def test_what_happened_before_one_looked_is_no_news(show: Show, rung: list[float]) -> None:
    old = Alert(at=START, kind="stall", text="stalled long ago")
    async with show([*LIVE, old], bell=frozenset({"stall", "end"})) as shown:
        assert "stalled long ago" not in said(shown)
    async with show(scripted_run(), bell=frozenset({"end"})) as shown:
        await shown.frame()
    assert rung == []


@pytest.mark.parametrize("apart", [-3600.0, 3600.0])
async def test_new_is_what_is_new_by_the_clock_of_the_machine_that_trains(show: Show, apart: float) -> None:
    async with show(LIVE) as shown:
        shown.host.history.clock_behind = apart
        now = time.time() - apart
        await shown.frame(Alert(at=now - 600, kind="stall", text="stalled before"))
        assert "stalled before" not in said(shown)
        await shown.frame(Alert(at=now + 1, kind="stall", text="stalled now"))
        assert said(shown) == "stalled now"


@pytest.mark.parametrize(
    ("bell", "times"), [(frozenset(), [0, 0, 0]), ({"stall"}, [1, 1, 1]), ({"stall", "end"}, [1, 1, 2])]
)
async def test_the_bell_rings_for_what_was_asked(
    show: Show, rung: list[float], bell: set[str], times: list[int]
) -> None:
    async with show(ScriptedHost(LIVE), bell=frozenset(bell)) as shown:
        counts = []
        for event in (notice("stall", "stalled"), notice("best", "best so far"), ended()):
            await shown.frame(event)
            await shown.frame()
            counts.append(len(rung))
        assert counts == times


async def test_a_new_best_is_said_and_does_not_push_the_reasons_away(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.frame(notice("best", "best so far: val_accuracy 0.9"))
        assert said(shown) == "best so far: val_accuracy 0.9"
        shown.the(KeyLine).quiet()
        assert "best so far: val_accuracy" not in shown.text()
