"""The live screen: what it shows in every state of a run, and what its keys ask for."""

from __future__ import annotations

import re
import time
from types import SimpleNamespace

import msgspec
import pytest

from tests.recorded import ending_at, recorded
from tests.scripted import START, scripted_run
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_source import ScriptedHost, moved_to
from tui_trainer.commands import Continue, OneBatch, Pause, SetPace
from tui_trainer.events import (
    Alert,
    AnyEvent,
    CallFollowed,
    CommandAnswered,
    EpochEnded,
    LRChanged,
    LRUnchanged,
    Paused,
    PhaseStarted,
    RunConfigured,
    RunEnded,
    RunStarted,
)
from tui_trainer.ui.live.listing import Listing
from tui_trainer.ui.live.screen import LiveScreen
from tui_trainer.ui.live.startup import StartupPanel
from tui_trainer.ui.live.status_lines import Headline, Progress
from tui_trainer.ui.live.why import Why
from tui_trainer.ui.trainer_screen import KeyLine

EVENTS = moved_to(scripted_run(epochs=4, batches=20), time.time() - 5)
LIVE = cut(EVENTS, 50)


@pytest.mark.says("answer.nothing_to_copy")
@pytest.mark.never_says("answer.copied")
async def test_from_the_first_frame_on_it_says_what_is_going_on(show: Show, captions_said: set[str]) -> None:
    async with show(ScriptedHost()) as shown:
        assert "starting" in shown.text()
        await shown.press("C")
        assert "answer.copied" not in captions_said
        await shown.frame(
            RunStarted(at=START, run="r", schema=1, pid=1, host="h"),
            PhaseStarted(at=START, phase="importing torch"),
        )
        assert "● importing torch" in shown.line("importing")
        await shown.frame(PhaseStarted(at=START, phase="loading", detail="mnist-5k"))
        assert "✓ importing torch" in shown.text()
        assert "● loading mnist-5k" in shown.text()
        assert "no plan yet" in shown.text()


async def test_the_planned_lr_stands_there_before_the_first_batch(show: Show) -> None:
    before_training = [event for event in cut(EVENTS, 1) if event.at <= LIVE[4].at][:6]
    async with show(before_training) as shown:
        assert shown.app.context.source is not None
        assert not shown.app.context.source.history.steps
        assert shown.app.context.source.history.plans
        assert "the plan is being made" not in shown.text()
        assert "for epoch in range(4):" in shown.text()


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_a_loss_of_ones_own_is_named_at_the_top_as_text(show: Show, size: tuple[int, int]) -> None:
    own = {"code": {"loss": "mine:focal\x1b[31m"}}
    events = [msgspec.structs.replace(e, **own) if isinstance(e, RunConfigured) else e for e in LIVE]
    async with show(events, size=size) as shown:
        (headline,) = shown.the(Headline).plain()
        assert " · loss mine:focal[31m" in headline
        assert "cross" not in headline


async def test_a_run_in_figures(show: Show) -> None:
    async with show(LIVE) as shown:
        (headline,) = shown.the(Headline).plain()
        for part in ("steplr", "cnn 412k", "mnist-5k", "cpu ×2", "● training", "img/s", "left"):
            assert part in headline
        (progress,) = shown.the(Progress).plain()
        assert " epoch 3/4 " in progress
        assert " batch 14/20 " in progress
        assert "screen" in progress
        assert not shown.the(StartupPanel).display or not shown.the(StartupPanel).is_on_screen


async def test_a_run_that_stalls_is_said_to_as_long_as_it_does(show: Show) -> None:
    """In the top line, and counted: a notice in the line at the bottom is gone after a while."""
    silent = time.time() - 100
    live = ending_at(cut(EVENTS, 50), silent)
    async with show(live) as shown:
        headline = shown.the(Headline)
        assert "● training" in headline.plain()[0]
        assert "stalled" not in headline.plain()[0]
        await shown.frame(Alert(at=silent + 21, kind="stall", text="stalled: nothing has happened for 21 s"))
        assert re.search(r"● stalled for 0:01:4\d   0:00:2\d", headline.plain()[0])
        assert "img/s" not in headline.plain()[0]
        assert "left" not in headline.plain()[0]
        await shown.frame(*moved_to(EVENTS[len(live) :][:3], time.time()))
        assert "● training" in headline.plain()[0]
        assert "img/s" in headline.plain()[0]


@pytest.mark.parametrize("kind", ["diverging", "recovered", "recording"])
async def test_what_else_is_noticed_is_no_stall(show: Show, kind: str) -> None:
    async with show(LIVE) as shown:
        await shown.frame(Alert(at=time.time(), kind=kind, text="something"))
        assert "● training" in shown.the(Headline).plain()[0]


async def test_time_in_which_the_process_stood_still_is_not_shown_as_trained(show: Show) -> None:
    """A machine that slept for a day: paused right after that, the clock would stand at a day for ever."""
    day = time.time() - 86_400
    async with show(ending_at(cut(EVENTS, 50), day)) as shown:
        await shown.frame(
            Alert(at=time.time(), kind="woken", text="the process stood still"),
            Paused(at=time.time(), step=50, by="screen"),
        )
        assert re.search(r"● paused   0:00:0\d", shown.the(Headline).plain()[0])


async def test_the_headline_keeps_its_width_as_numbers_grow(show: Show) -> None:
    async with show(LIVE) as shown:
        before = shown.the(Headline).plain()[0]
        await shown.frame(*cut(EVENTS, 57)[len(LIVE) :])
        after = shown.the(Headline).plain()[0]
        assert [i for i, c in enumerate(before) if c == "●"] == [i for i, c in enumerate(after) if c == "●"]
        assert len(before) == len(after) == 140


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ["● finished", "finished: 2 of 2 epochs", "best val accuracy 0.9309 at epoch 2"]),
        ({"status": "stopped"}, ["● stopped", "stopped after step 10", "asked to"]),
        ({"not_finite_at": 7}, ["● diverged", "diverged at step 7", "not finite"]),
        ({"status": "crashed"}, ["● crashed", "crashed after step 10"]),
    ],
)
async def test_how_a_run_ended_is_said_until_one_leaves(
    show: Show, options: dict[str, object], words: list[str]
) -> None:
    async with show(scripted_run(epochs=2, batches=5, **options)) as shown:  # type: ignore[arg-type]
        for word in words:
            assert word in shown.text()
        assert "pause" not in shown.the(KeyLine).plain()[0]
        assert shown.app.is_running


async def test_a_run_that_ended_before_its_first_batch_says_why(show: Show) -> None:
    ended = RunEnded(at=START, status="crashed", reason="mnist is not in /data", step=0, epoch=0, exit_code=2)
    async with show([*EVENTS[:2], ended]) as shown:
        assert "crashed before the first step: mnist is not in /data" in shown.text()


async def test_space_pauses_and_goes_on(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("space")
        assert isinstance(shown.host.sent[-1], Pause)
        assert "● paused" in shown.text()
        assert "paused after step" in shown.the(KeyLine).plain()[0]
        await shown.press("space")
        assert isinstance(shown.host.sent[-1], Continue)
        assert "● training" in shown.text()


async def test_two_quick_presses_are_two_commands_though_no_answer_came_yet(show: Show) -> None:
    async with show(ScriptedHost(LIVE, obeys=False)) as shown:
        await shown.pilot.press("space", "space", "s", "s")
        asked = shown.host.sent
        assert [type(command) for command in asked] == [Pause, Continue, SetPace, SetPace]
        assert [command.seconds_a_call > 0 for command in asked if isinstance(command, SetPace)] == [True, False]


async def test_n_asks_for_one_batch(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("n")
        assert isinstance(shown.host.sent[-1], OneBatch)
        assert shown.host.sent[-1].by == "screen"
        assert "one batch, then pause" in shown.the(KeyLine).plain()[0]
        await shown.press("space")
        assert isinstance(shown.host.sent[-1], Continue)


async def test_the_line_of_keys_says_what_a_key_does_now(show: Show) -> None:
    async with show(LIVE) as shown:
        for key, before, after in (("space", "space pause", "space go on"), ("s", "s slow", "s full speed")):
            for expected in (before, after, before):
                shown.the(KeyLine).quiet()
                assert f" {expected} " in shown.the(KeyLine).plain()[0]
                await shown.press(key)
            await shown.press(key)


@pytest.mark.says("state.reading", "state.reading_so_far")
@pytest.mark.never_says("state.reading", "state.reading_so_far", in_all_cases=False)
async def test_what_a_run_does_is_said_once_its_record_is_read(show: Show, captions_said: set[str]) -> None:
    host = ScriptedHost(LIVE)
    host.lags = True
    async with show(host) as shown:
        assert shown.the(Headline).plain()[0].rstrip().endswith("● reading its record")
        assert "state.reading_so_far" not in captions_said
        host.history.share_read = 0.34
        await shown.frame()
        assert shown.the(Headline).plain()[0].rstrip().endswith("● reading its record, 34 %")
        host.lags = False
        await shown.frame()
        assert "● training" in shown.the(Headline).plain()[0]
        captions_said.clear()
        host.lags = True  # it tells more than is read in a frame, and is followed all the same
        await shown.frame()
        assert "● training" in shown.the(Headline).plain()[0]
    assert not captions_said & {"state.reading", "state.reading_so_far"}


async def test_s_is_slow_motion_and_full_speed(show: Show) -> None:
    async with show(LIVE) as shown:
        assert _clock_is_faint(shown) is False
        await shown.press("s")
        assert "● slow motion" in shown.text()
        assert _clock_is_faint(shown)  # it stands
        await shown.press("s")
        assert [command.seconds_a_call > 0 for command in shown.host.sent if isinstance(command, SetPace)] == [
            True,
            False,
        ]
        assert "full speed" in shown.the(KeyLine).plain()[0]


def _clock_is_faint(shown: Shown) -> bool:
    (line,) = shown.the(Headline).lines()
    (span,) = (span for span in line if re.fullmatch(r" *\d:\d\d:\d\d", span.text))
    return span.role == "faint"


@pytest.mark.says("answer.asked_by")
async def test_what_others_asked_and_what_was_refused_is_said(show: Show) -> None:
    async with show(LIVE) as shown:
        answer = CommandAnswered(
            at=time.time(), id="1", command="switch to x", by="shell", accepted=False, answer="no epoch left"
        )
        await shown.frame(answer)
        assert "switch to x: no epoch left (asked by shell)" in shown.the(KeyLine).plain()[0]


async def test_what_was_asked_before_this_view_was_opened_is_no_news(show: Show) -> None:
    old = CommandAnswered(at=START, id="1", command="pause", by="shell", accepted=True, answer="paused after step 3")
    async with show([*LIVE, old]) as shown:
        assert "paused after step 3" not in shown.text()


@pytest.mark.parametrize("key", ["space", "n", "s"])
async def test_a_view_that_only_reads_controls_nothing(show: Show, key: str) -> None:
    async with show(ScriptedHost(LIVE, readonly=True)) as shown:
        await shown.press(key)
        assert not shown.host.sent
        assert "read-only" in shown.the(KeyLine).plain()[0]


@pytest.mark.parametrize("key", ["space", "n", "s"])
async def test_a_run_that_ended_is_asked_nothing(show: Show, key: str) -> None:
    async with show(EVENTS) as shown:
        await shown.press(key)
        assert not shown.host.sent
        assert "nothing to control" in shown.the(KeyLine).plain()[0]


async def test_the_charts_keys_move_one_axis(show: Show) -> None:
    async with show(LIVE) as shown:
        screen = shown.app.screen
        assert isinstance(screen, LiveScreen)
        axis = screen.axis
        await shown.press("right")
        assert axis.cursor == shown.host.history.steps
        await shown.press("left", "left")
        assert axis.cursor < shown.host.history.steps
        assert f"step {axis.cursor}" in shown.text()
        await shown.press("plus")
        assert axis.mode != "all"
        await shown.press("minus", "0")
        assert (axis.mode, axis.cursor) == ("all", None)
        await shown.press("x")
        assert axis.unit != "epoch"
        await shown.press("y")
        assert screen.loss.log_scale
        await shown.press("y")
        assert not screen.loss.log_scale


async def test_the_newest_reason_stands_first_and_old_ones_are_a_key_away(show: Show) -> None:
    async with show(cut(scripted_run(epochs=30, batches=5), 140), size=(140, 30)) as shown:
        why = shown.the(Why)
        newest = why.plain()[2]
        assert newest.startswith("epoch 27")
        await shown.press("down", "down", "down")
        assert why.plain()[2] != newest
        await shown.press("up", "up", "up", "up")
        assert why.plain()[2] == newest


@pytest.mark.says("plan.warming_up", "plan.annealing")
@pytest.mark.parametrize("size", [(80, 24), (140, 40), (200, 60)])
async def test_what_the_plan_is_doing_stands_over_the_reasons(show: Show, size: tuple[int, int]) -> None:
    events = scripted_run(epochs=10, batches=63, scheduler="OneCycleLR")
    async with show(cut(events, 50), size=size) as shown:
        assert "plan       warming up: 0.004 → 0.1 by step 190" in shown.text()
        assert "nothing" not in shown.text()
        await shown.frame(*cut(events, 400)[len(cut(events, 50)) :])
        plan, newest = shown.the(Why).plain()[-2:] if size == (80, 24) else shown.the(Why).plain()[1:3]
        assert plan.rstrip() == "plan       annealing: 0.1 → 4e-7 by step 630"
        assert newest.startswith("epoch 6    val_loss")
        await shown.press("left")
        assert "plan  " not in shown.text()  # what it was doing there, the reasons up to the cursor tell


@pytest.mark.never_says("plan.*")
async def test_a_run_that_ended_has_no_plan_any_more(show: Show) -> None:
    async with show(scripted_run(epochs=2, batches=5)) as shown:
        assert "plan  " not in shown.text()


async def test_why_in_words(show: Show) -> None:
    async with show(cut(EVENTS, 60)) as shown:
        text = "\n".join(shown.the(Why).plain())
        assert "step_size 2 reached, 0.001 → 0.0005" in text
        assert "val_loss 0.6518, lowest so far" in text


def validated_in(events: list[AnyEvent], seconds: float) -> list[AnyEvent]:
    """The same run where each epoch's end is told so long after what was told of the LR before it."""
    told_at, changed = 0.0, []
    for event in events:
        if isinstance(event, LRChanged | LRUnchanged):
            told_at = event.at
        elif isinstance(event, EpochEnded) and told_at:
            event = msgspec.structs.replace(event, at=told_at + seconds)
        changed.append(event)
    return changed


@pytest.mark.parametrize("seconds", [0.0, 0.01, 3.0])
async def test_how_an_epoch_did_comes_before_what_the_scheduler_made_of_it(show: Show, seconds: float) -> None:
    """The record has it behind that, by as much as the disk takes."""
    async with show(validated_in(recorded("steplr"), seconds)) as shown:
        text = "\n".join(shown.the(Why).plain()[1:5])
    assert re.match(r"epoch 10 +step_size 5 reached, .*\n(.*\n)? +val_loss \S+, .*\nepoch 9", text), text


@pytest.mark.parametrize("seconds", [0.01, 3.0])
async def test_an_epoch_ends_after_its_last_batch_has_moved_the_lr(show: Show, seconds: float) -> None:
    """However fast it was validated."""
    events = [
        msgspec.structs.replace(event, step=event.step + 1) if isinstance(event, LRChanged) else event
        for event in validated_in(recorded("onecycle"), seconds)
    ]
    async with show(events) as shown:
        text = "\n".join(shown.the(Why).plain()[1:4])
    assert re.match(r"epoch 10 +val_loss \S+, .*\n +OneCycleLR at its bottom", text), text


async def test_a_plateau_is_counted_against_its_patience(show: Show) -> None:
    events = scripted_run(epochs=8, batches=5, scheduler="ReduceLROnPlateau")
    async with show(cut(events, 26)) as shown:
        assert "scheduler.step(val_loss)" in shown.text()
        assert "not better for 1 of 1 epoch (best 0.1300 at epoch 4)" in "\n".join(shown.the(Listing).plain())


async def test_an_epoch_of_a_plateau_scheduler_is_one_entry_in_the_engines_words(show: Show) -> None:
    events = cut(scripted_run(epochs=8, batches=5, scheduler="ReduceLROnPlateau"), 26)
    held = [event for event in events if isinstance(event, LRUnchanged) and event.epoch == 5]
    reason = "not better for 1 of 2 epochs (best 0.1300 at epoch 4)"
    events = [event if event not in held else msgspec.structs.replace(held[0], reason=reason) for event in events]
    async with show(events) as shown:
        newest, rest, before = shown.the(Why).plain()[3:6]
        assert newest.startswith("epoch 5    val_loss 0.1300, not better for 1 of 2")
        assert rest.strip() == "epochs (best 0.1300 at epoch 4)"
        assert before.startswith("epoch 4")


async def test_notices_are_shown_as_text_whatever_is_in_them(show: Show) -> None:
    nasty = "[bold red]x[/] \x1b[31mred\x1b[0m \x07[link=http://a]b[/link]"
    async with show([*LIVE, Alert(at=EVENTS[-1].at, kind="warning", text=nasty)]) as shown:
        assert "[bold red]x[/]" in shown.text()
        assert "\x1b" not in shown.text()
        assert "\x07" not in shown.text()


async def test_names_from_elsewhere_are_shown_as_text(show: Show) -> None:
    events = list(LIVE)
    for index, event in enumerate(events):
        if type(event).__name__ == "RunConfigured":
            recipe = msgspec.structs.replace(event.recipe, preset="[red]\x1b[2Jbad")
            events[index] = msgspec.structs.replace(event, recipe=recipe, dataset="\x1b]0;title\x07[b]")
    async with show(events) as shown:
        assert "[red]" in shown.text()
        assert "\x1b" not in shown.text()


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (140, 40), (200, 60), (250, 70)])
async def test_it_fits_every_size(show: Show, size: tuple[int, int]) -> None:
    async with show(LIVE, size=size) as shown:
        text = shown.text().splitlines()
        assert len(text) == size[1]
        assert all(len(line) == size[0] for line in text)
        for part in ("loss", "lr", "steplr", "● training", "epoch 3/4", "batch 14/20", "space", "backward"):
            assert any(part in line for line in text), part


@pytest.mark.parametrize("size", [(59, 24), (80, 4), (20, 5)])
async def test_a_terminal_too_small_is_told_what_is_needed(show: Show, size: tuple[int, int]) -> None:
    async with show(LIVE, size=size) as shown:
        words = " ".join(shown.text().split())
        assert "needs 60 columns and 5 lines" in words
        assert "loss" not in words
        await shown.pilot.resize_terminal(100, 30)
        await shown.frame()
        assert "needs" not in shown.text()
        assert "● training" in shown.text()


async def test_text_that_did_not_change_is_not_drawn_again(show: Show) -> None:
    async with show(LIVE) as shown:
        drawn: list[str] = []
        for kind in (Listing, Why):
            panel = shown.the(kind)
            panel.refresh = lambda *_, name=kind.__name__: drawn.append(name)
        await shown.frame()
        await shown.frame()
        assert not drawn


async def test_time_goes_on_between_events(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    async with show(ending_at(LIVE, time.time())) as shown:
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 3600)
        await shown.frame()
        assert "   1:00:0" in shown.the(Headline).plain()[0]


async def test_a_switch_is_told_among_the_reasons(show: Show) -> None:
    async with show(cut(scripted_run(epochs=6, batches=5, switch_at=4), 18)) as shown:
        assert "preset steplr → onecycle from here on," in shown.line("epoch 4 ")
        assert "onecycle" in shown.the(Headline).plain()[0]


async def test_both_lines_say_the_same_of_how_long_it_took(show: Show) -> None:
    events = scripted_run(epochs=2, batches=5)
    for index, event in enumerate(events):
        if isinstance(event, EpochEnded):
            events[index] = msgspec.structs.replace(
                event, elapsed=event.epoch * 6.8
            )  # 13.6 s: not rounded up here only
    async with show(events) as shown:
        assert "● finished   0:00:13" in shown.the(Headline).plain()[0]
        assert "finished: 2 of 2 epochs in 0:00:13;" in shown.the(Progress).plain()[0]


async def test_a_key_that_is_pressed_ends_what_was_said(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("space")
        assert "paused after step" in shown.the(KeyLine).plain()[0]
        await shown.press("left")
        assert "paused after step" not in shown.the(KeyLine).plain()[0]
        assert "? help" in shown.the(KeyLine).plain()[0]
        await shown.press("6")
        await shown.press("4")
        assert shown.the(KeyLine).plain()[0].strip() == "why: hidden, 4 shows it again"


async def test_who_follows_single_calls_is_told_no_speed(show: Show) -> None:
    async with show(LIVE) as shown:
        assert "img/s" in shown.the(Headline).plain()[0]
        await shown.press("s")
        assert "slow motion" in shown.the(Headline).plain()[0]
        assert "img/s" not in shown.the(Headline).plain()[0]
        assert " left" not in shown.the(Headline).plain()[0]
        await shown.press("s")
        assert "img/s" in shown.the(Headline).plain()[0]
        call = CallFollowed(
            at=time.time(), step=shown.host.history.steps + 1, epoch=3, batch=15, call="zero_grad", value=None
        )
        await shown.frame(call)
        assert "img/s" not in shown.the(Headline).plain()[0]


async def test_slow_motion_asked_for_in_a_pause_says_what_goes_on(show: Show) -> None:
    async with show(LIVE) as shown:
        await shown.press("s")
        assert shown.the(KeyLine).plain()[0].strip() == "each call is held for 0.5 s"
        await shown.press("s", "space", "s")
        assert shown.the(KeyLine).plain()[0].strip() == "each call is held for 0.5 s; space continues"
        await shown.press("s")
        assert shown.the(KeyLine).plain()[0].strip() == "full speed"


async def test_a_pause_before_the_first_batch_does_not_look_like_a_hang(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with show([*EVENTS[:4], PhaseStarted(at=START, phase="training")]) as shown:
        assert "● the first batch" in shown.text()
        await shown.press("space")
        later = time.monotonic() + 30
        monkeypatch.setattr("tui_trainer.ui.live.startup.time", SimpleNamespace(monotonic=lambda: later))
        await shown.frame()
        assert shown.line("before the first").strip().startswith("● paused before the first batch: space continues  ")
        await shown.press("space")
        assert "● the first batch " in shown.text()
        assert "30 s" not in shown.text()


async def test_the_first_cursor_of_a_run_without_steps_is_at_its_beginning(show: Show) -> None:
    before_training = [event for event in cut(EVENTS, 1) if event.at <= LIVE[4].at][:6]
    async with show(before_training) as shown:
        axis = shown.app.screen.axis  # type: ignore[attr-defined]
        await shown.press("left")
        assert axis.cursor == 1
        await shown.press("plus")
        assert axis.bounds[0] < 1
