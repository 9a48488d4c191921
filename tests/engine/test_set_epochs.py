"""The number of epochs, changed by hand while the run trains."""

from __future__ import annotations

import pytest

from tests.engine import tiny as t
from tests.engine.test_control import ME, answers, switch
from tests.engine.test_dial import at_step, history_of
from tests.engine.test_resume import WARM_COSINE, assert_equal, numbers
from tests.engine.tiny import BATCHES, TinyRun
from tui_trainer.commands import SetEpochs, SetLR, Stop, decode, encode
from tui_trainer.engine import checkpoints
from tui_trainer.events import EpochsChanged, PlanMade, PresetSwitched, RunConfigured
from tui_trainer.ui.charts.chart_data import marks_between

EPOCHS = 3

STAGES = """
[[scheduler.stages]]
name = "ExponentialLR"
gamma = 0.5
epochs = 1
[[scheduler.stages]]
name = "StepLR"
step_size = 1
"""

IN_SHARES = STAGES.replace("epochs = 1", "share = 0.5")

FIXED = {
    "none": "",
    "StepLR": "step_size = 2\ngamma = 0.5",
    "MultiStepLR": "milestones = [1, 3, 4]",
    "ExponentialLR": "gamma = 0.9",
    "CosineAnnealingLR": "T_max = 4",
    "CosineAnnealingWarmRestarts": 'T_0 = 2\ninterval = "step"',
    "CyclicLR": "base_lr = 0.001\nmax_lr = 0.01\nstep_size_up = 4",
    "PiecewiseLinear": "points = [[0, 0.1], [2, 0.01], [4, 0.005]]",
    "SequentialLR": STAGES,
    "ReduceLROnPlateau": "patience = 0\nthreshold = 0.9",
}
"""Schedules whose LR of a step is the same however long the run is."""


def scheduled(name: str) -> str:
    scheduler = f'[scheduler]\nname = "{name}"\n{FIXED[name]}\n' if name != "none" else ""
    return f"{t.NONE}momentum = 0.9\n{scheduler}[warmup]\nepochs = 1\n"


def test_a_number_of_epochs_is_what_a_person_types() -> None:
    command = SetEpochs.of(" 12 ", by=ME)
    assert command.epochs == 12
    assert decode(encode(command)) == command


@pytest.mark.parametrize("name", FIXED)
@pytest.mark.parametrize("epochs", [2, 5])
def test_it_trains_to_the_bit_as_if_it_had_been_begun_so(tiny: TinyRun, name: str, epochs: int) -> None:
    text = scheduled(name)
    tiny.train(text, epochs)
    whole, curve = numbers(tiny), tiny.of(PlanMade)[-1]
    tiny.events.clear()
    at_step(tiny, 4, SetEpochs(by=ME, epochs=epochs))
    ended = tiny.train(text, EPOCHS)
    assert (ended.status, ended.step, ended.epoch) == ("finished", epochs * BATCHES, epochs)
    assert_equal(numbers(tiny), whole)
    new = tiny.of(PlanMade)[-1]
    assert new.last_step == curve.last_step
    if name != "ReduceLROnPlateau":  # its plan is that it gets better all the time
        planned = dict(zip(curve.steps, curve.lrs, strict=True))
        assert all(planned[step] == lr for step, lr in zip(new.steps[1:], new.lrs[1:], strict=True))
        assert new.lrs[0] == tiny.lrs[4]


@pytest.mark.parametrize("stop", [4, 5, 2 * BATCHES, 3 * BATCHES + 1])
@pytest.mark.parametrize("name", ["StepLR", "ReduceLROnPlateau"])
def test_stopped_after_it_was_changed_it_goes_on_to_the_bit(tiny: TinyRun, name: str, stop: int) -> None:
    text = scheduled(name)
    tiny.train(text, 5)
    whole = numbers(tiny)
    tiny.events.clear()
    at_step(tiny, 4, SetEpochs(by=ME, epochs=5))
    at_step(tiny, stop, Stop(by=ME))
    tiny.train(text, EPOCHS)
    (told,) = tiny.of(EpochsChanged)
    tiny.when.clear()
    assert tiny.train(text, EPOCHS, resume=True).step == 5 * BATCHES
    assert_equal(numbers(tiny), whole)
    assert {event.recipe for event in tiny.of(RunConfigured)[1:]} == {told.recipe}
    assert tiny.of(EpochsChanged)[1:] == ([told] if stop == 4 else [])  # the record may have been cut off before it


@pytest.mark.says("epoch.changed")
def test_it_is_told_by_whom_and_from_when_on(tiny: TinyRun) -> None:
    at_step(tiny, 4, SetEpochs(by=ME, epochs=4))
    tiny.train(t.STEP, EPOCHS)
    (changed,) = tiny.of(EpochsChanged)
    assert (changed.step, changed.epoch, changed.old, changed.by) == (4, 2, 3, ME)
    assert (changed.recipe.epochs, changed.recipe.total_steps) == (4, 4 * BATCHES)
    assert answers(tiny)[1:] == [("epochs 4", True, "4 epochs instead of 3, until step 12")]
    history = history_of(tiny)
    assert history.recipe == changed.recipe
    assert history.epochs_changed == [changed]
    (mark,) = marks_between(history, 4, 4)
    assert (mark.kind, mark.words) == ("epochs", "4 epochs instead of 3, by test")


@pytest.mark.never_says("epoch.changed")
def test_a_run_that_trains_what_it_was_to_has_no_such_mark(tiny: TinyRun) -> None:
    tiny.train(t.STEP, EPOCHS)
    history = history_of(tiny)
    assert not [mark for mark in marks_between(history, 1, history.steps) if mark.kind == "epochs"]


def test_the_dial_holds_for_the_epochs_that_came(tiny: TinyRun) -> None:
    at_step(tiny, 2, SetLR(by=ME, factor=0.5))
    at_step(tiny, 4, SetEpochs(by=ME, epochs=4))
    tiny.train(t.STEP, EPOCHS)
    assert tiny.lrs == [0.01, 0.01, 0.005, 0.005, 0.005, 0.005, *[0.0025] * 6]
    assert tiny.of(PlanMade)[-1].lrs == [0.005, 0.0025]


def test_after_a_resume_the_plan_is_that_of_the_dial(tiny: TinyRun) -> None:
    at_step(tiny, 2, SetLR(by=ME, factor=0.5))
    at_step(tiny, 5, Stop(by=ME))
    tiny.train(t.STEP, EPOCHS)
    tiny.events.clear()
    tiny.when.clear()
    tiny.train(t.STEP, EPOCHS, resume=True)
    plan = tiny.of(PlanMade)[-1]
    assert (plan.steps, plan.lrs) == ([6, 7], [0.005, 0.0025])


def test_a_switch_to_come_is_planned_for_the_new_end(tiny: TinyRun) -> None:
    at_step(tiny, 2, switch(WARM_COSINE))
    at_step(tiny, 3, SetEpochs(by=ME, epochs=5))
    tiny.train(t.STEP, EPOCHS)
    assert tiny.of(PlanMade)[-1].last_step == 5 * BATCHES
    assert history_of(tiny).recipe == tiny.of(PresetSwitched)[-1].recipe
    assert len(tiny.lrs) == 5 * BATCHES


@pytest.mark.parametrize(
    ("text", "epochs", "why"),
    [
        (t.STEP, 3, "it trains 3 epochs already"),
        (t.STEP, 1, "epoch 2 is trained already; to end after it, ask for as many"),
        (t.ONE_CYCLE, 4, "OneCycleLR"),
        (t.ONE_CYCLE, 2, "OneCycleLR"),
        (
            t.NONE + '[scheduler]\nname = "PiecewiseLinear"\npoints = [[0, 0.1], [1, 0.01]]\nunit = "share"',
            4,
            "PiecewiseLinear",
        ),
        (t.NONE + '[scheduler]\nname = "SequentialLR"\n' + IN_SHARES, 6, "SequentialLR"),
        (t.NONE + '[scheduler]\nname = "LambdaLR"\nformula = "triangle"', 4, "LambdaLR"),
        (WARM_COSINE, 5, "CosineAnnealingLR"),
    ],
)
def test_what_has_no_meaning_is_refused_with_the_reason(tiny: TinyRun, text: str, epochs: int, why: str) -> None:
    tiny.train(text, EPOCHS)
    whole = numbers(tiny)
    tiny.events.clear()
    at_step(tiny, 4, SetEpochs(by=ME, epochs=epochs))
    tiny.train(text, EPOCHS)
    (_, (_, accepted, answer)) = answers(tiny)
    assert not accepted
    if why.endswith("LR") or why == "PiecewiseLinear":
        why += " plans its LRs for 3 epochs from its first step on"
    assert answer.removeprefix("another number of epochs does not fit: ") == why
    assert_equal(numbers(tiny), whole)
    assert not tiny.of(EpochsChanged)


def test_fewer_than_until_a_promised_switch_are_refused(tiny: TinyRun) -> None:
    at_step(tiny, 2, switch(t.NONE))
    at_step(tiny, 2, SetEpochs(by=ME, epochs=1))
    tiny.train(t.STEP, EPOCHS)
    assert answers(tiny)[2][1:] == (False, "other takes over in epoch 2; ask for as many")
    assert len(tiny.lrs) == EPOCHS * BATCHES


@pytest.mark.parametrize("epochs", [0, "many", True, 10**9])
def test_a_checkpoint_of_no_such_epochs_is_passed_over(tiny: TinyRun, epochs: object) -> None:
    at_step(tiny, 2, Stop(by=ME))
    tiny.train(t.STEP, EPOCHS)
    file = tiny.folder / checkpoints.LAST
    checkpoints.save({**checkpoints.load(file), "epochs": epochs}, tiny.folder, keep_last=False)
    with pytest.raises(checkpoints.BadCheckpoint, match="epochs is of a wrong kind"):
        tiny.train(t.STEP, EPOCHS, resume=True)


def test_a_stage_that_had_no_room_begins_in_the_epochs_that_came(tiny: TinyRun) -> None:
    text = f'{t.NONE}momentum = 0.9\n[scheduler]\nname = "SequentialLR"\n{STAGES}'
    tiny.train(text, 3)
    whole = numbers(tiny)
    tiny.events.clear()
    at_step(tiny, 2, SetEpochs(by=ME, epochs=3))
    tiny.train(text, 1)
    assert_equal(numbers(tiny), whole)
