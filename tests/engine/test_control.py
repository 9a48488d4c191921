"""What may be asked of a run between its batches, and what the record says of it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.engine import tiny as t
from tests.engine.tiny import BATCHES, TinyRun
from tui_trainer.commands import AnyCommand, Continue, OneBatch, Pause, SaveCheckpoint, SetPace, Stop, SwitchPreset
from tui_trainer.engine import checkpoints, control
from tui_trainer.engine.clock import Awake
from tui_trainer.engine.tracing import tell_average, tell_cleared, tell_lr
from tui_trainer.events import (
    Alert,
    AnyEvent,
    CallFollowed,
    CallsMade,
    CheckpointSaved,
    CommandAnswered,
    Continued,
    EpochEnded,
    Paused,
    PlanMade,
    PresetSwitched,
    RunEnded,
    StepsTaken,
)
from tui_trainer.presets.checks import parse

ME = "test"


@pytest.fixture(autouse=True)
def quick_eyes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch by batch is held for less than a person needs."""
    monkeypatch.setattr(control, "BY_EYE", 0.01)


def send_on(tiny: TinyRun, kind: type[AnyEvent], *commands: AnyCommand) -> None:
    """Send each command as the next event of a kind comes, in turn."""
    waiting = list(commands)

    def act() -> None:
        if waiting:
            tiny.control.send(waiting.pop(0))

    tiny.when.append((lambda event: isinstance(event, kind), act))


def answers(tiny: TinyRun) -> list[tuple[str, bool, str]]:
    return [(e.command, e.accepted, e.answer) for e in tiny.of(CommandAnswered)]


def test_a_pause_stands_still_until_it_is_told_to_go_on_and_changes_nothing(tiny: TinyRun) -> None:
    tiny.train(t.STEP)
    undisturbed = tiny.losses
    tiny.events.clear()
    tiny.control.send(Pause(by=ME))
    send_on(tiny, Paused, Continue(by=ME))
    tiny.train(t.STEP)
    assert tiny.losses == undisturbed
    assert [e.step for e in tiny.of(Paused)] == [0]
    assert [(e.step, e.one_batch) for e in tiny.of(Continued)] == [(0, False)]


def test_a_pause_is_no_time_of_the_run(tiny: TinyRun) -> None:
    now = 100.0
    tiny.awake = Awake(clock=lambda: now)

    def goes_by(seconds: float) -> None:
        nonlocal now
        now += seconds

    send_on(tiny, EpochEnded, Pause(by=ME), Pause(by=ME))
    send_on(tiny, Paused, Continue(by=ME), Continue(by=ME))
    tiny.when.append((lambda event: isinstance(event, Paused), lambda: goes_by(1000.0)))
    tiny.when.append((lambda event: isinstance(event, EpochEnded), lambda: goes_by(2.0)))
    tiny.train(t.STEP)
    assert len(tiny.of(Paused)) == 2
    assert [e.elapsed for e in tiny.of(EpochEnded)] == [0.0, 2.0, 4.0, 6.0]


def test_one_batch_trains_one_batch_whose_calls_can_be_followed(tiny: TinyRun) -> None:
    tiny.control.send(Pause(by=ME))
    send_on(tiny, Paused, OneBatch(by=ME), OneBatch(by=ME), Continue(by=ME))
    tiny.train(t.ONE_CYCLE)
    assert [e.step for e in tiny.of(Paused)] == [0, 1, 2]
    first = [(e.call, e.value is None) for e in tiny.of(CallFollowed) if e.batch == 1]
    calls = ["zero_grad", "forward", "loss", "backward", "optimizer.step", "scheduler.step"]
    assert first == [(call, begins) for call in calls for begins in (True, False)]
    values = {e.call: e.value for e in tiny.of(CallFollowed) if e.batch == 1 and e.value is not None}
    assert values["loss"] == f"loss {tiny.losses[0]:.4f}"
    assert values["backward"].startswith("grad norm ")
    assert values["scheduler.step"].startswith("lr 0.004 → ")


@pytest.mark.says("loop.from_weights")
def test_how_far_the_average_is_from_the_weights_is_told_before_and_after() -> None:
    weights, average = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.constant_(weights.weight, 3.0)
    nn.init.constant_(average.weight, 1.0)
    tell = tell_average(weights, average)()
    nn.init.constant_(average.weight, 2.0)
    assert tell(None) == "2 → 1 from the weights"


@pytest.mark.never_says("loop.no_gradients", "loop.from_weights")
def test_gradients_that_are_0_are_there() -> None:
    network = nn.Linear(2, 1)
    (network(torch.ones(1, 2)) * 0).sum().backward()
    tell = tell_cleared(network)()
    network.zero_grad()
    assert tell(None) == "grad norm 0 → 0"


def values_of(tiny: TinyRun, batch: int) -> dict[str, str]:
    return {e.call: e.value for e in tiny.of(CallFollowed) if e.batch == batch and e.epoch == 1 and e.value is not None}


@pytest.mark.says("loop.no_gradients")
def test_each_call_tells_the_value_that_it_changed_before_and_after(tiny: TinyRun) -> None:
    tiny.control.send(SetPace(by=ME, seconds_a_call=1e-6))
    tiny.train(t.ONE_CYCLE, epochs=1)
    first, second = values_of(tiny, 1), values_of(tiny, 2)
    assert first["zero_grad"] == "no gradients"
    assert second["zero_grad"] == f"{first['backward']} → 0"
    assert float(first["backward"].removeprefix("grad norm ")) > 0
    weight = first["optimizer.step"].partition(",")[0].removeprefix("a weight ").split(" → ")
    again = second["optimizer.step"].partition(",")[0].removeprefix("a weight ").split(" → ")
    assert weight[0] != weight[1]
    assert float(again[0]) == pytest.approx(float(weight[1]), abs=1e-4)
    _, used, moved = first["optimizer.step"].split(", ")
    assert used == f"lr {tiny.lrs[0]:.4g} used"
    assert moved.startswith("all moved ")
    old, new = first["scheduler.step"].removeprefix("lr ").split(" → ")
    assert float(old) == pytest.approx(tiny.lrs[0], rel=1e-3)
    assert float(new) == pytest.approx(tiny.lrs[1], rel=1e-3)


def test_an_lr_has_the_digits_that_tell_it_from_the_one_before() -> None:
    rates = iter([0.0500001, 0.0500002, 0.05, 0.05, 0.0711, 0.0712])
    told = [tell_lr(lambda: next(rates))()(None) for _ in range(3)]
    assert told == ["lr 0.0500001 → 0.0500002", "lr 0.05 kept", "lr 0.0711 → 0.0712"]


def test_one_batch_at_full_speed_holds_each_call_for_the_eye(tiny: TinyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[tuple[AnyEvent, float]] = []
    monkeypatch.setattr(tiny.control, "wait", lambda seconds: held.append((tiny.events[-1], seconds)))
    tiny.control.send(Pause(by=ME))
    send_on(tiny, Paused, OneBatch(by=ME), Continue(by=ME))
    tiny.train(t.ONE_CYCLE, epochs=1)
    assert all(isinstance(event, CallFollowed) and event.batch == 1 for event, _ in held)
    assert sum(seconds for _, seconds in held) == pytest.approx(control.BY_EYE * 6)
    assert len(held) == 12


def test_the_last_batch_of_an_epoch_takes_the_end_of_the_epoch_along(tiny: TinyRun) -> None:
    tiny.control.send(Pause(by=ME))
    send_on(tiny, Paused, *[OneBatch(by=ME) for _ in range(BATCHES + 1)], Continue(by=ME))
    tiny.train(t.STEP)
    assert [e.step for e in tiny.of(Paused)] == [0, 1, 2, 3, 4]
    paused_at_the_end = tiny.events.index(tiny.of(Paused)[BATCHES])
    assert tiny.events.index(tiny.of(EpochEnded)[0]) < paused_at_the_end
    assert [e.call for e in tiny.of(CallFollowed) if e.batch is None and e.value] == ["validate", "scheduler.step"]


def test_after_a_pause_behind_the_last_batch_of_an_epoch_one_batch_is_one_of_the_next(tiny: TinyRun) -> None:
    def pause(event: AnyEvent) -> bool:
        return isinstance(event, CallFollowed) and (event.batch, event.call) == (BATCHES, "zero_grad")

    tiny.control.send(SetPace(by=ME, seconds_a_call=1e-6))
    tiny.when.append((pause, lambda: tiny.control.send(Pause(by=ME))))
    send_on(tiny, Paused, OneBatch(by=ME), Stop(by=ME))
    tiny.train(t.STEP)
    assert [e.step for e in tiny.of(Paused)] == [BATCHES, BATCHES + 1]


@pytest.mark.parametrize("command", [OneBatch(by=ME), SetPace(by=ME, seconds_a_call=0.001)], ids=["n", "s"])
def test_what_was_trained_before_a_batch_is_followed_is_told_before_it(tiny: TinyRun, command: AnyCommand) -> None:
    def second(event: AnyEvent) -> bool:  # the first batch is told of at once, those after it now and then
        return isinstance(event, CallsMade) and event.step == 2

    tiny.when.append((second, lambda: tiny.control.send(command)))
    send_on(tiny, CallFollowed, Stop(by=ME))
    tiny.train(t.NONE)
    first = next(i for i, event in enumerate(tiny.events) if isinstance(event, CallFollowed))
    followed = tiny.events[first]
    assert isinstance(followed, CallFollowed)
    told = [event for event in tiny.events[:first] if isinstance(event, StepsTaken)]
    assert sum(len(event.losses) for event in told) == followed.step - 1


def test_one_batch_asked_for_twice_is_two_and_going_on_is_going_on(tiny: TinyRun) -> None:
    for command in (Pause(by=ME), OneBatch(by=ME), OneBatch(by=ME)):
        tiny.control.send(command)

    def one_more_and_on() -> None:
        tiny.control.send(OneBatch(by=ME))
        tiny.control.send(Continue(by=ME))

    tiny.when.append((lambda event: isinstance(event, Paused) and event.step == 2, one_more_and_on))
    assert tiny.train(t.STEP).status == "finished"
    assert [e.step for e in tiny.of(Paused)] == [0, 2]
    said = [answer for command, _, answer in answers(tiny) if command == "one batch"]
    assert said == ["one batch, then pause", "2 batches, then pause", "one batch, then pause"]


def test_following_calls_changes_no_loss(tiny: TinyRun) -> None:
    tiny.train(t.STEP)
    undisturbed = tiny.losses
    tiny.events.clear()
    tiny.control.send(SetPace(by=ME, seconds_a_call=1e-6))
    tiny.train(t.STEP)
    assert tiny.losses == undisturbed
    followed = [e for e in tiny.of(CallFollowed) if e.value is not None]
    assert len([e for e in followed if e.batch is not None]) == 4 * BATCHES * 5
    assert [e.call for e in followed if e.batch is None] == ["validate", "scheduler.step"] * 4


def test_slow_motion_gives_way_at_once_to_a_stop(tiny: TinyRun) -> None:
    tiny.control.send(SetPace(by=ME, seconds_a_call=10.0))
    send_on(tiny, CallFollowed, Stop(by=ME))
    ended = tiny.train(t.STEP)
    assert (ended.status, ended.step, ended.exit_code) == ("stopped", 1, 0)


def test_a_stop_leaves_a_checkpoint_of_the_step_it_stopped_at(tiny: TinyRun) -> None:
    send_on(tiny, EpochEnded, Stop(by="signal", reason="SIGTERM", exit_code=143))
    ended = tiny.train(t.STEP)
    assert (ended.status, ended.reason, ended.exit_code) == ("stopped", "SIGTERM", 143)
    state = checkpoints.load(tiny.folder / "last.pt")
    assert state["step"] == ended.step == BATCHES


def test_a_stop_before_the_first_batch_trains_nothing(tiny: TinyRun) -> None:
    tiny.control.send(Stop(by=ME))
    ended = tiny.train(t.STEP)
    assert (ended.status, ended.step, tiny.losses) == ("stopped", 0, [])


def test_a_checkpoint_can_be_asked_for(tiny: TinyRun) -> None:
    tiny.control.send(SaveCheckpoint(by=ME))
    tiny.train(t.STEP, epochs=1)
    assert answers(tiny) == [("checkpoint", True, "saved after step 0")]
    assert tiny.of(CheckpointSaved)[0].step == 0


def switch(text: str = t.ONE_CYCLE) -> SwitchPreset:
    return SwitchPreset(by=ME, name="other", preset=t.preset(text).model_dump(mode="json"))


def test_a_switch_takes_effect_at_the_next_epoch_over_the_epochs_that_are_left(tiny: TinyRun) -> None:
    send_on(tiny, EpochEnded, switch())
    ended = tiny.train(t.NONE, epochs=4)
    assert ended.status == "finished"
    assert answers(tiny) == [("switch to other", True, "other from epoch 2 on, weights kept")]
    (switched,) = tiny.of(PresetSwitched)
    assert (switched.step, switched.epoch, switched.old) == (4, 2, "tiny")
    assert (switched.recipe.epochs, switched.recipe.total_steps) == (4, 12)
    first, second = tiny.of(PlanMade)
    assert first.steps[0] == 1
    assert (second.steps[0], second.last_step) == (4, 12)
    planned = dict(zip(second.steps, second.lrs, strict=True))
    assert tiny.lrs[:3] == [0.01] * 3
    assert tiny.lrs[3:] == [planned[step] for step in range(4, 13)]


def test_a_switch_in_the_last_epoch_is_refused_with_the_reason(tiny: TinyRun) -> None:
    send_on(tiny, EpochEnded, switch())
    tiny.train(t.NONE, epochs=1)
    assert answers(tiny) == [("switch to other", False, "epoch 1 is the last one; start a new run with other")]


def test_a_switch_before_the_first_batch_takes_effect_at_once(tiny: TinyRun) -> None:
    tiny.control.send(switch())
    tiny.train(t.NONE)
    assert answers(tiny) == [("switch to other", True, "other from epoch 1 on, weights kept")]
    assert [(e.step, e.epoch) for e in tiny.of(PresetSwitched)] == [(1, 1)]
    assert tiny.lrs[0] == pytest.approx(0.1 / 25)


def test_a_switch_is_warned_of_for_the_epochs_that_are_left_and_says_what_the_run_keeps(tiny: TinyRun) -> None:
    """A drop after three epochs comes in the four of the preset, and not in the three that the run still has."""
    drops = '[training]\nepochs = 4\n[optimizer]\nname = "SGD"\n[scheduler]\nname = "StepLR"\nstep_size = 3\n'
    made = parse(f'{drops}[for]\ndataset = "cifar10"\n')
    send_on(tiny, EpochEnded, SwitchPreset(by=ME, name="other", preset=made.model_dump(mode="json")))
    assert tiny.train(t.NONE, epochs=4).status == "finished"
    told = [alert.text for alert in tiny.of(Alert) if alert.kind == "preset"]
    (warned,) = [text for text in told if "batch_size" not in text]
    assert warned.startswith("scheduler.step_size: never reached: the run has 3 epochs")
    ((_, accepted, answer),) = answers(tiny)
    assert accepted
    assert answer == "other from epoch 2 on, weights kept; made for cifar10; this run keeps mnist-5k"


def test_a_switch_to_what_suits_the_run_is_warned_of_by_nobody(tiny: TinyRun) -> None:
    send_on(tiny, EpochEnded, switch(t.NONE))
    tiny.train(t.NONE, epochs=4)
    assert [alert.text for alert in tiny.of(Alert) if alert.kind == "preset"] == []


@pytest.mark.parametrize("preset", [{}, {"optimizer": {"name": "SGD", "lr": -1}}, {"optimizer": 3}])
def test_a_switch_to_what_is_no_preset_is_refused_and_the_run_goes_on(tiny: TinyRun, preset: dict[str, object]) -> None:
    tiny.control.send(SwitchPreset(by=ME, name="other", preset=preset))
    assert tiny.train(t.NONE).status == "finished"
    ((_, accepted, _),) = answers(tiny)
    assert not accepted


def test_commands_of_other_processes_come_through_the_inbox(tiny: TinyRun) -> None:
    asked: list[AnyCommand] = [Stop(by="shell")]

    def inbox() -> list[AnyCommand]:
        taken = asked.copy()
        asked.clear()
        return taken

    tiny.control.listen_to(inbox)
    ended = tiny.train(t.STEP)
    assert isinstance(ended, RunEnded)
    assert ended.status == "stopped"
