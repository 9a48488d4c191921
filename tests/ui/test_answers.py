"""What keys are answered in the line at the bottom: each sentence where it holds, and none where it does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.records.streams import fold
from tests.scripted import START, scripted_run
from tests.scripted_watched import gan_like
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_source import ScriptedHost
from tui_trainer.commands import AnyCommand
from tui_trainer.events import MOMENTUM, AnyEvent, CommandAnswered, MetricsLogged, RunEnded, RunStarted, StepsTaken
from tui_trainer.run_sources.run_source import Capabilities, of_watched
from tui_trainer.ui.charts.lr import LRChart
from tui_trainer.ui.keys import PANELS
from tui_trainer.ui.live.control import RunControl
from tui_trainer.ui.live.startup import HINTS
from tui_trainer.ui.live.status_lines import health_in_words
from tui_trainer.ui.settings import Settings
from tui_trainer.ui.trainer_screen import KeyLine

LIVE = cut(scripted_run(epochs=4, batches=20), 50)
BEGUN = RunStarted(at=START, run="r", schema=1, pid=1, host="h")
NUMBERS = MetricsLogged(at=START, step=3, values={"reward": 1.0})


def ended(status: str) -> RunEnded:
    return RunEnded(at=START, status=status, reason="asked to", step=0, epoch=0, exit_code=0)  # type: ignore[arg-type]


class Gone(ScriptedHost):
    """One that nobody can reach."""

    def send(self, command: AnyCommand) -> None:
        raise OSError("its inbox is full")


def asked(host: ScriptedHost) -> str:
    """Why it cannot be paused; empty where it was asked."""
    host.poll()
    refusal = RunControl(host, "screen").pause_or_go_on()
    return refusal.text if refusal is not None else ""


REFUSED: dict[str, tuple[Callable[[], ScriptedHost], set[str], str]] = {
    "live": (lambda: ScriptedHost(LIVE), set(), ""),
    "read-only": (
        lambda: ScriptedHost(LIVE, readonly=True),
        {"answer.read_only"},
        "this view is read-only: the run cannot be controlled from here",
    ),
    "of another tool": (
        lambda: _with(ScriptedHost(LIVE), Capabilities(commands=frozenset(), why_not="its tool has it")),
        set(),
        "its tool has it",
    ),
    "gone": (lambda: Gone(LIVE), {"answer.unreachable"}, "the run could not be reached: its inbox is full"),
    **{
        status: (
            lambda status=status: ScriptedHost([*LIVE, ended(status)]),  # type: ignore[misc]
            {"answer.over"},
            f"the run has {has}: there is nothing to control",
        )
        for status, has in (
            ("finished", "finished"),
            ("stopped", "been stopped"),
            ("diverged", "diverged"),
            ("crashed", "crashed"),
        )
    },
}


def _with(host: ScriptedHost, capabilities: Capabilities) -> ScriptedHost:
    host.capabilities = capabilities
    return host


@pytest.mark.says("answer.over", "answer.read_only", "answer.unreachable")
@pytest.mark.never_says("answer.over", "answer.read_only", "answer.unreachable")
def test_why_a_run_cannot_be_asked_is_said(captions_said: set[str]) -> None:
    for case, (host, ids, words) in REFUSED.items():
        captions_said.clear()
        assert asked(host()) == words, case
        assert {id for id in captions_said if id.startswith("answer.")} == ids, case


HEALTH: dict[str, tuple[Sequence[AnyEvent], str, str]] = {
    "nothing told": ([BEGUN], "answer.nothing_trained_yet", "nothing is trained yet"),
    "over before it trained": (
        [BEGUN, ended("stopped")],
        "answer.nothing_was_trained",
        "it ended before anything was trained",
    ),
    "well": (LIVE, "health.well", "nothing seems wrong with this run"),
    "well, and stopped": ([*LIVE, ended("stopped")], "health.well", "nothing seems wrong with this run"),
    "numbers alone": ([BEGUN, NUMBERS], "health.not_judged", "not judged: of a run that tells numbers alone"),
    "numbers alone, and over": ([BEGUN, NUMBERS, ended("finished")], "health.not_judged", "not judged"),
    "crashed": ([*LIVE, ended("crashed")], "end.crashed", "crashed after step 54: asked to"),
    "crashed before it trained": (
        [BEGUN, ended("crashed")],
        "end.before_first_step",
        "crashed before the first step: ",
    ),
}
EACH_OF_HEALTH = {"answer.nothing_trained_yet", "answer.nothing_was_trained", "health.well", "health.not_judged"}


@pytest.mark.says("answer.nothing_trained_yet", "answer.nothing_was_trained", "health.well", "health.not_judged")
@pytest.mark.never_says("answer.nothing_trained_yet", "answer.nothing_was_trained", "health.well", "health.not_judged")
def test_whether_a_run_is_well_is_said_as_far_as_it_is_known(captions_said: set[str]) -> None:
    for case, (events, id, words) in HEALTH.items():
        captions_said.clear()
        told, is_ill = health_in_words(fold([*events]))
        assert told.startswith(words), case
        assert is_ill == id.startswith("end."), case
        assert captions_said & EACH_OF_HEALTH == {id} & EACH_OF_HEALTH, case


# The screen


def line(shown: Shown) -> str:
    told: str = shown.the(KeyLine).plain()[0]
    return told.strip()


def watched() -> ScriptedHost:
    """A watched program that goes on, and has not answered yet."""
    return ScriptedHost(gan_like(steps=100), obeys=False)


@pytest.mark.says("answer.sent", "answer.smoothed", "answer.own_loop", "answer.momentum_stays")
@pytest.mark.never_says("answer.asked_by", "answer.sent", "answer.nothing_to_copy")
@pytest.mark.never_says("answer.momentum_shown", "answer.momentum_hidden")
async def test_of_a_run_of_ours_batches_are_told(show: Show, captions_said: set[str]) -> None:
    async with show(ScriptedHost(LIVE, obeys=False)) as shown:
        assert "answer.sent" not in captions_said
        await shown.press("space")
        assert line(shown) == "sent: the run answers before its next batch"
        asked = shown.host.sent[-1]
        told = CommandAnswered(at=START, id=asked.id, command="pause", by="screen", accepted=True, answer="paused")
        await shown.frame(told)
        assert line(shown) == "paused"
        assert "answer.asked_by" not in captions_said
        await shown.press("right_square_bracket")
        assert line(shown) == "the loss is smoothed over 10 batches"
        await shown.press("v")
        assert line(shown) == "nothing moves the momentum of this run: OneCycleLR and CyclicLR do"
        await shown.press("o")
        assert line(shown).startswith("the loop of this run is tui-trainer's own")


@pytest.mark.says("answer.momentum_shown", "answer.momentum_hidden")
@pytest.mark.never_says("answer.momentum_stays")
async def test_a_momentum_that_moves_is_drawn_over_the_lr_by_a_key(show: Show) -> None:
    async with show(with_momentum(LIVE)) as shown:
        chart = shown.app.screen.query_one(LRChart)
        assert "m momentum" not in chart.plain()[0]
        await shown.press("v")
        assert line(shown) == "the momentum is drawn over the LR, its values at the right"
        assert "m momentum 0.9" in chart.plain()[0]
        assert any(row.rstrip().endswith("├0.90") for row in chart.plain())
        await shown.press("v")
        assert line(shown) == "the momentum is no longer drawn"
        assert "m momentum" not in chart.plain()[0]


def with_momentum(events: list[AnyEvent]) -> list[AnyEvent]:
    """As of a run whose momentum goes from 0.8 to 0.9."""
    return [
        replace(event, metrics={MOMENTUM: [0.8, *[0.9] * (len(event.losses) - 1)]})
        if isinstance(event, StepsTaken)
        else event
        for event in events
    ]


@pytest.mark.says("answer.sent", "answer.smoothed", "answer.not_smoothed", "answer.copied")
@pytest.mark.never_says("answer.own_loop", "answer.smoothed", "answer.not_smoothed", "answer.nothing_to_copy")
async def test_of_a_watched_program_steps_are_told(show: Show, captions_said: set[str]) -> None:
    async with show(watched()) as shown:
        await shown.press("space")
        assert line(shown) == "sent: the run answers before its next step"
        await shown.press("right_square_bracket")
        assert line(shown) == "the loss is smoothed over 100 steps"
        assert "answer.not_smoothed" not in captions_said
        await shown.press(*["left_square_bracket"] * 5)
        assert line(shown) == "the loss is not smoothed"
        await shown.press("C")
        assert line(shown).startswith("sent to the terminal's clipboard: step 100")
        await shown.press("o")
        assert {"answer.own_loop", "answer.nothing_to_copy"}.isdisjoint(captions_said)


# Other pages


@pytest.mark.says("answer.no_runs_folder", "answer.compare_elsewhere", "answer.comparison_opens", "picker.switch")
@pytest.mark.says("picker.choose", "answer.nothing_trained_here")
@pytest.mark.never_says("answer.no_runs_folder", "answer.compare_elsewhere", "answer.comparison_opens", "picker.switch")
@pytest.mark.never_says("picker.choose", "answer.nothing_trained_here")
async def test_a_page_that_cannot_be_opened_from_here_is_said_to_be_so_and_no_other(
    show: Show, tmp_path: Path, captions_said: set[str]
) -> None:
    pages = {"answer.no_runs_folder", "answer.compare_elsewhere", "answer.comparison_opens"}
    async with show(LIVE) as shown:
        shown.app.show_runs()
        shown.app.compare(["a", "b"])
        await shown.frame()
        assert "not from here: tui-trainer compare a b" in shown.text()
        assert captions_said & pages == {"answer.no_runs_folder", "answer.compare_elsewhere"}
        shown.app.show_presets()
        await shown.frame()
        assert "switch to another preset" in shown.text()
        assert "picker.choose" not in captions_said
        shown.app.context.launcher = None
        shown.app.break_it()
        assert "answer.nothing_trained_here" in captions_said
    captions_said.clear()
    async with show(on_compare=lambda names: None, runs=tmp_path) as shown:
        assert "choose a preset to train with" in shown.text()
        shown.app.compare(["a", "b"])
        shown.app.show_runs()
        await shown.frame()
        assert captions_said & pages == {"answer.comparison_opens"}
        assert not captions_said & {"picker.switch", "answer.nothing_trained_here"}


# Hints


@pytest.mark.says("hint.pace", "hint.pace_watched", "hint.cursor", "hint.charts", "hint.pages", "hint.pages_watched")
@pytest.mark.says("hint.help")
@pytest.mark.never_says("hint.pace", "hint.pace_watched", "hint.pages", "hint.pages_watched")
def test_hints_tell_of_keys_that_do_in_the_run_on_show_what_they_say(captions_said: set[str]) -> None:
    of_ours = [hint.text(watched=False) for hint in HINTS]
    assert not {"hint.pace_watched", "hint.pages_watched"} & captions_said
    captions_said.clear()
    of_watched = [hint.text(watched=True) for hint in HINTS]
    assert not {"hint.pace", "hint.pages"} & captions_said
    assert f"1 to {max(PANELS)} hide and show panels" in of_ours[2]
    assert "n trains one batch" in of_ours[0]
    assert "p switches presets" in of_ours[3]
    assert "n lets one step through" in of_watched[0]
    assert "p switches" not in " ".join(of_watched)
    for hint, *texts in zip(HINTS, of_ours, of_watched, strict=True):
        for text in texts:  # a letter that is a word is a key, and who presses it is led on
            assert set(re.findall(r"(?<!\S)[a-z](?!\S)", text)) - {"a", "q"} <= {*hint.keys}, text


@pytest.mark.says("hint.onwards")
@pytest.mark.never_says("hint.cursor", "hint.charts", "hint.help", "hint.onwards", "hint.next")
async def test_where_nothing_but_stop_can_be_asked_nothing_is_hinted(
    show: Show, tmp_path: Path, captions_said: set[str]
) -> None:
    uncontrolled = watched()
    uncontrolled.poll()
    uncontrolled.capabilities = of_watched(readonly=False, controlled=False)
    async with show(uncontrolled, settings=Settings(tmp_path / "screen.json")):
        assert not any(id.startswith("hint.") for id in captions_said)
    async with show(watched(), settings=Settings(tmp_path / "screen.json")) as shown:
        assert "n lets one step through" in shown.text()
        assert "enter next · esc no more hints" in shown.text()
        assert "hint.next" not in captions_said
