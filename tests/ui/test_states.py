"""What a run does, how its epochs did and how it ended: each word where it holds, and none where it does not."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import msgspec
import pytest

from tests.records.streams import fold
from tests.scripted import START, scripted_run
from tests.ui.conftest import Show, cut
from tests.ui.scripted_source import ScriptedHost
from tui_trainer.events import (
    Alert,
    AnyEvent,
    CallFollowed,
    Continued,
    EpochEnded,
    EpochsChanged,
    PaceChanged,
    Paused,
    PhaseStarted,
    RunConfigured,
    RunEnded,
    RunStarted,
    SwitchPlanned,
)
from tui_trainer.ui.live.startup import StartupPanel
from tui_trainer.ui.live.status_lines import Progress, ending, state_word
from tui_trainer.ui.live.why import Why

EVENTS = scripted_run(epochs=4, batches=20)
LIVE = cut(EVENTS, 50)
BEGUN = LIVE[:1]
LATER = LIVE[-1].at + 1

PAUSED = Paused(at=LATER, step=50, by="screen")
CONTINUED = Continued(at=LATER, step=50, by="screen")
SLOW = PaceChanged(at=LATER, seconds_a_call=0.5, by="screen")
FAST = PaceChanged(at=LATER, seconds_a_call=0.0, by="screen")
STALL = Alert(at=LATER, kind="stall", text="stalled: nothing has happened for 21 s")
STOPPED = RunEnded(at=LATER, status="stopped", reason="asked to", step=50, epoch=3, exit_code=0)
RESUMED = RunStarted(at=LATER, run="r", schema=1, pid=1, host="h", resumed_from_step=40)


def word(*events: AnyEvent) -> str:
    return state_word(fold([*events]))[0]


@pytest.mark.says("state.starting")
def test_a_process_that_has_told_nothing_is_starting() -> None:
    assert word() == word(*BEGUN) == "starting"


@pytest.mark.says("state.starting")
@pytest.mark.parametrize("before", [[STOPPED], []], ids=["stopped", "killed"])
def test_a_run_that_is_resumed_is_starting_whatever_the_process_before_it_did(before: list[AnyEvent]) -> None:
    assert word(*LIVE, *before, RESUMED) == "starting"
    assert word(*LIVE, *before, RESUMED, PhaseStarted(at=LATER, phase="loading data")) == "loading data"


@pytest.mark.never_says("state.starting", "state.paused", "state.stalled", "state.slow_motion")
@pytest.mark.parametrize(
    "events",
    [[], [PAUSED, CONTINUED], [SLOW, FAST], [STALL, EVENTS[len(LIVE)]], [STALL, RESUMED, LIVE[-1]], [PAUSED, RESUMED]],
    ids=["live", "continued", "fast", "goes on", "resumed", "resumed from a pause"],
)
def test_a_run_that_trains_is_said_to_do_nothing_else(events: list[AnyEvent]) -> None:
    assert word(*LIVE, *events, PhaseStarted(at=LATER, phase="training")) == "training"


@pytest.mark.never_says("state.paused", "state.stalled", "state.slow_motion")
@pytest.mark.parametrize("event", [PAUSED, SLOW, STALL], ids=["paused", "slow", "stalled"])
def test_a_run_that_ended_does_nothing_any_more(event: AnyEvent) -> None:
    assert word(*LIVE, event, STOPPED) == "stopped"


@pytest.mark.parametrize(
    ("events", "said"),
    [
        pytest.param([PAUSED], "paused", marks=pytest.mark.says("state.paused")),
        pytest.param([SLOW, PAUSED], "paused", marks=pytest.mark.never_says("state.slow_motion")),
        pytest.param([SLOW], "slow motion", marks=pytest.mark.says("state.slow_motion")),
        pytest.param([STALL], "stalled", marks=pytest.mark.says("state.stalled")),
    ],
)
def test_what_else_a_run_may_do(events: list[AnyEvent], said: str) -> None:
    assert word(*LIVE, *events) == said


@pytest.mark.says("state.first_batch", "state.paused_before", "state.space_continues")
@pytest.mark.never_says("state.paused_before")
async def test_what_is_waited_for_before_the_first_batch(show: Show) -> None:
    before = LIVE[: next(i for i, event in enumerate(LIVE) if isinstance(event, PhaseStarted)) + 1]
    async with show(before) as shown:
        assert "first batch" not in shown.text()
        await shown.frame(PhaseStarted(at=LATER, phase="training"))
        assert "● the first batch" in shown.text()
        await shown.frame(Paused(at=LATER, step=0, by="screen"))
        assert "● paused before the first batch: space continues" in shown.text()
        await shown.frame(Continued(at=LATER, step=0, by="screen"))
        assert "paused" not in shown.text()


@pytest.mark.never_says("state.space_continues")
async def test_a_view_that_takes_no_commands_says_of_a_pause_no_more_than_that(show: Show) -> None:
    before = LIVE[: next(i for i, event in enumerate(LIVE) if isinstance(event, PhaseStarted)) + 1]
    async with show(ScriptedHost([*before, Paused(at=LATER, step=0, by="attach")], readonly=True)) as shown:
        assert "● paused before the first batch" in shown.text()
        assert "continues" not in shown.text()


FOLLOWED = [
    SLOW,
    CallFollowed(at=LATER, step=51, epoch=3, batch=11, call="zero_grad", value=""),
    PAUSED,
]


@pytest.mark.parametrize(
    "readonly",
    [
        pytest.param(False, marks=pytest.mark.says("state.paused_in_batch")),
        pytest.param(True, marks=pytest.mark.never_says("state.paused_in_batch")),
    ],
)
async def test_how_a_pause_in_slow_motion_goes_on_is_said_where_it_can_be_asked(show: Show, readonly: bool) -> None:
    async with show(ScriptedHost([*LIVE, *FOLLOWED], readonly=readonly)) as shown:
        assert ("n steps through the next" in shown.text()) != readonly
        assert "Paused." in shown.text()


@pytest.mark.never_says("state.paused_before", in_all_cases=False)
@pytest.mark.never_says("state.first_batch", "end.before_first_step", "setting.building")
async def test_a_run_that_has_trained_waits_for_no_first_batch(show: Show) -> None:
    async with show([*LIVE, PAUSED]) as shown:
        assert not shown.the(StartupPanel).is_on_screen
        await shown.frame(STOPPED)
        assert "first batch" not in shown.text()


# Endings

KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "finished": ({}, "finished: 2 of 2 epochs in 0:00:"),
    "stopped": ({"status": "stopped"}, "stopped after step 10, 2 of 2 epochs: asked to"),
    "diverged": ({"not_finite_at": 7}, "diverged at step 7: the loss is not finite"),
    "crashed": ({"status": "crashed"}, "crashed after step 10: asked to"),
}


@pytest.mark.never_says("end.finished", "end.stopped", "end.diverged", "end.crashed")
@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.says("end.*")) for kind in KINDS])
def test_of_four_endings_the_one_that_came_is_said(kind: str) -> None:
    options, said = KINDS[kind]
    history = fold(scripted_run(epochs=2, batches=5, **options))
    assert ending(history).startswith(said)
    assert [other for other in KINDS if ending(history).startswith(other)] == [kind]
    assert state_word(history)[0] == kind


@pytest.mark.says("end.before_first_step", "end.crashed")
@pytest.mark.never_says("end.before_first_step", "end.crashed")
def test_a_run_that_fails_as_it_is_loaded_has_crashed_where_it_was(captions_said: set[str]) -> None:
    failed = msgspec.structs.replace(STOPPED, status="crashed", reason="no data", step=0, epoch=0)
    assert ending(fold([*LIVE, failed])).startswith("crashed after step 54: no data")
    assert "end.before_first_step" not in captions_said
    captions_said.clear()
    assert ending(fold([*EVENTS[:2], failed])) == "crashed before the first step: no data"
    assert "end.crashed" not in captions_said


def test_a_reason_that_says_no_more_than_the_ending_is_not_said_behind_it() -> None:
    assert ending(fold([*LIVE, msgspec.structs.replace(STOPPED, reason="stopped")])).count("stopped") == 1


@pytest.mark.never_says("end.finished", "end.stopped", "end.diverged", "end.crashed", "end.best")
def test_a_run_that_goes_on_has_no_ending() -> None:
    assert ending(fold(LIVE)) == ending(fold([*LIVE, STOPPED, RESUMED])) == ""


@pytest.mark.says("end.best")
@pytest.mark.never_says("end.best")
def test_the_best_epoch_is_named_where_one_was_validated() -> None:
    assert ending(fold([*LIVE, STOPPED])).endswith("; best val accuracy 0.9309 at epoch 2")
    early = cut(EVENTS, 12)
    assert "best" not in ending(fold([*early, msgspec.structs.replace(STOPPED, step=12, epoch=1)]))


@pytest.mark.says("end.before_first_step")
async def test_a_run_that_ended_before_its_first_batch_says_why(show: Show) -> None:
    ended = RunEnded(at=START, status="crashed", reason="mnist is not in /data", step=0, epoch=0, exit_code=2)
    async with show([*EVENTS[:2], ended]) as shown:
        assert "crashed before the first step: mnist is not in /data" in shown.text()


# Epochs


def with_losses(*losses: float) -> list[AnyEvent]:
    """A run whose epochs validated with these losses."""
    events = scripted_run(epochs=len(losses), batches=5, status=None)
    return [
        msgspec.structs.replace(event, val_loss=losses[event.epoch - 1]) if isinstance(event, EpochEnded) else event
        for event in events
    ]


async def said_of_epochs(show: Show, *losses: float) -> list[str]:
    """What stands behind the number of each epoch's end, the first epoch first."""
    async with show(with_losses(*losses)) as shown:
        lines = [line[11:].strip() for line in shown.the(Why).plain()]
    return [line for line in lines if line.startswith("val_loss")][::-1]


@pytest.mark.says("epoch.lowest_so_far", "epoch.lowest_before")
@pytest.mark.never_says("epoch.lowest_so_far", "epoch.lowest_before", "epoch.not_finite")
async def test_an_epoch_is_the_lowest_so_far_or_one_before_it_is(show: Show) -> None:
    assert await said_of_epochs(show, 0.5, 0.4, 0.4, 0.3) == [
        "val_loss 0.5000, lowest so far",
        "val_loss 0.4000, lowest so far",
        "val_loss 0.4000, lowest 0.4000 at epoch 2",
        "val_loss 0.3000, lowest so far",
    ]


@pytest.mark.says("epoch.lowest_so_far")
@pytest.mark.says("epoch.not_finite")
@pytest.mark.never_says("epoch.lowest_so_far", "epoch.lowest_before")
@pytest.mark.parametrize("loss", [nan, inf])
async def test_a_loss_that_is_not_finite_is_compared_with_none(show: Show, loss: float) -> None:
    assert await said_of_epochs(show, loss) == ["val_loss not finite"]
    assert await said_of_epochs(show, loss, 0.5, loss) == [
        "val_loss not finite",
        "val_loss 0.5000, lowest so far",
        "val_loss not finite",
    ]


@pytest.mark.says("epoch.changed")
@pytest.mark.never_says("epoch.changed")
async def test_other_epochs_are_told_with_who_asked_for_them(show: Show) -> None:
    events = scripted_run(epochs=4, batches=5, status=None)
    recipe = next(event.recipe for event in events if isinstance(event, RunConfigured))
    six = msgspec.structs.replace(recipe, epochs=6, total_steps=30)
    async with show(events, size=(140, 40)) as shown:
        assert "epochs instead of" not in shown.text()
        await shown.frame(EpochsChanged(at=START, step=20, epoch=4, old=4, recipe=six, by="shell"))
        told = " ".join(line[11:].strip() for line in shown.the(Why).plain())
        assert "6 epochs instead of 4, by shell" in told
        assert "/6" in shown.the(Progress).plain()[0].replace(" ", "")


@pytest.mark.says("epoch.switched")
@pytest.mark.never_says("epoch.switched")
async def test_a_switch_is_told_once_it_is_made(show: Show) -> None:
    events = scripted_run(epochs=4, batches=5, switch_at=3)
    promised = next(i for i, event in enumerate(events) if isinstance(event, SwitchPlanned))
    async with show(events[: promised + 1]) as shown:
        assert "weights kept" not in shown.text()
        await shown.frame(events[promised + 1])
        told = " ".join(line[11:].strip() for line in shown.the(Why).plain())
        assert "preset steplr → onecycle from here on, weights kept" in told
