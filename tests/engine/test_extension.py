"""A run that is over goes on beyond its end: along its schedule, at its last LR, or with another preset."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from tests.engine import tiny as t
from tests.engine.test_control import ME, answers
from tests.engine.test_dial import at_step, history_of
from tests.engine.test_early_stopping import NEVER_BETTER
from tests.engine.test_resume import ADAM, WARM_COSINE, assert_equal, numbers
from tests.engine.test_set_epochs import FIXED, scheduled
from tests.engine.tiny import BATCHES, TinyRun
from tui_trainer.commands import SetLR, Stop
from tui_trainer.engine import checkpoints, models
from tui_trainer.engine.datasets import batches
from tui_trainer.engine.extension import CannotExtend
from tui_trainer.engine.lr_preview import full_plan, length_of
from tui_trainer.engine.schedules import RunLength, Schedule, build_optimizer
from tui_trainer.events import (
    AnyEvent,
    EpochsChanged,
    PlanMade,
    PresetSwitched,
    RunConfigured,
    RunEnded,
    RunStarted,
    StepsTaken,
)
from tui_trainer.presets.problems import PresetError
from tui_trainer.records.history import History
from tui_trainer.run_request import Extension
from tui_trainer.ui.charts.chart_data import marks_between

EPOCHS, MORE = 2, 4
END = EPOCHS * BATCHES
TRIANGLE = (
    '[optimizer]\nname = "Adam"\nlr = 0.01\n[scheduler]\nname = "CyclicLR"\nbase_lr = 0.001\nmax_lr = 0.01\n'
    "step_size_up = 4\n"
)
GROUPS = (
    '[optimizer]\nname = "SGD"\nlr = 0.01\nmomentum = 0.9\n'
    '[[optimizer.groups]]\nname = "*.bias"\nlr_scale = 0.1\n'
    '[scheduler]\nname = "OneCycleLR"\nmax_lr = [0.1, 0.01]\n'
)
CONSTANT = Extension(MORE, "constant", by=ME)
COSINE = Extension(MORE, "cosine", t.preset(WARM_COSINE).model_dump(mode="json"), by=ME)


def planned_lrs(plan: PlanMade) -> list[float]:
    """Of each step from the plan's first to its last."""
    assert plan.exact
    ends = [*plan.steps[1:], plan.last_step + 1]
    return [lr for start, end, lr in zip(plan.steps, ends, plan.lrs, strict=True) for _ in range(end - start)]


def extended(tiny: TinyRun, text: str, extension: Extension) -> RunEnded:
    """Train to the end, then beyond it; the events are those of the second part."""
    tiny.train(text, EPOCHS)
    tiny.events.clear()
    return tiny.train(text, EPOCHS, resume=True, extension=extension)


BEHIND_THEIR_END = {
    name: f'{t.NONE}[scheduler]\nname = "{name}"\n{length}\n'
    for name, length in {
        "ConstantLR": "total_iters = 2",
        "LinearLR": "total_iters = 2",
        "PolynomialLR": "total_iters = 2",
        "LambdaLR": 'formula = "inverse_sqrt"',
    }.items()
}


QUICK = ("StepLR", "SequentialLR", "ReduceLROnPlateau")


@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=[] if each in QUICK else pytest.mark.slow) for each in [*FIXED, *BEHIND_THEIR_END]],
)
def test_along_its_schedule_it_trains_to_the_bit_as_if_it_had_been_begun_so(tiny: TinyRun, name: str) -> None:
    text = BEHIND_THEIR_END.get(name) or scheduled(name)
    tiny.train(text, MORE)
    whole = numbers(tiny)
    tiny.events.clear()
    tiny.train(text, EPOCHS)
    ended = tiny.train(text, EPOCHS, resume=True, extension=Extension(MORE, by=ME))
    assert (ended.status, ended.step, ended.epoch) == ("finished", MORE * BATCHES, MORE)
    assert_equal(numbers(tiny), whole)
    if name != "ReduceLROnPlateau":  # its plan is that it gets better all the time
        assert planned_lrs(tiny.of(PlanMade)[-1]) == tiny.lrs[END:]


@pytest.mark.parametrize("text", [t.ONE_CYCLE, t.PLATEAU, TRIANGLE, GROUPS])
def test_at_its_last_lr_it_trains_as_a_loop_written_by_hand_from_its_checkpoint(tiny: TinyRun, text: str) -> None:
    tiny.train(text, EPOCHS)
    lr, state = tiny.lrs[-1], checkpoints.load(tiny.folder / checkpoints.LAST)
    tiny.events.clear()
    ended = tiny.train(text, EPOCHS, resume=True, extension=CONSTANT)
    assert (ended.status, ended.step, ended.epoch) == ("finished", MORE * BATCHES, MORE)
    assert tiny.lrs == [lr] * (MORE * BATCHES - END) == planned_lrs(tiny.of(PlanMade)[-1])
    trained = checkpoints.load(tiny.folder / checkpoints.LAST)["model"]
    for name, weight in by_hand(text, state).items():
        assert torch.equal(weight, trained[name]), name


def by_hand(text: str, state: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights after the epochs that are added, with what torch's own scheduler had set for the last step."""
    torch.set_num_threads(1)
    preset, data = t.preset(text, EPOCHS), t.images()
    network = models.build("mlp", data.shape, 0)
    network.load_state_dict(copy.deepcopy(state["model"]))
    biases = [each for name, each in network.named_parameters() if name.endswith(".bias")]
    others = [each for name, each in network.named_parameters() if not name.endswith(".bias")]
    apart = bool(preset.optimizer.groups)
    parameters = [{"params": others}, {"params": biases}] if apart else list(network.parameters())
    optimizer = build_optimizer(preset.optimizer, parameters)
    optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
    for group, last in zip(optimizer.param_groups, of_the_last_step(text, state), strict=True):
        group.update(last)
    network.train()
    for epoch in range(EPOCHS + 1, MORE + 1):
        for images, labels in batches(data.train, t.BATCH_SIZE, 0, epoch):
            optimizer.zero_grad()
            cross_entropy(network(images), labels).backward()
            optimizer.step()
    return dict(network.state_dict())


def of_the_last_step(text: str, state: dict[str, Any]) -> list[dict[str, Any]]:
    """LRs and momentum as torch's scheduler, built anew and stepped to the last step, has them."""
    preset = t.preset(text, EPOCHS)
    parameters: list[Any] = [{"params": [_weight()]}]
    if preset.optimizer.groups:
        lr = preset.optimizer.lr * 0.1
        parameters.append({"params": [_weight()], "lr": lr})
    optimizer = build_optimizer(preset.optimizer, parameters)
    if text == t.PLATEAU:  # it follows the losses
        return [{"lr": state["lr"]}]
    schedule = Schedule(preset, optimizer, length_of(preset, t.IMAGES))
    optimizer.step()
    for step in range(1, END):
        if schedule.due_after_batch:
            schedule.step()
        if step % BATCHES == 0 and schedule.due_after_epoch:
            schedule.step(1.0, 0.0)
    return [
        {key: group[key] for key in ("lr", "momentum", "betas") if key in group} for group in optimizer.param_groups
    ]


def test_another_preset_takes_over_as_a_switch_has_it(tiny: TinyRun) -> None:
    ended = extended(tiny, t.ONE_CYCLE, COSINE)
    assert (ended.step, ended.epoch) == (MORE * BATCHES, MORE)
    (switched,) = tiny.of(PresetSwitched)
    assert (switched.step, switched.epoch, switched.old) == (END + 1, EPOCHS + 1, "tiny")
    assert (switched.recipe.preset, switched.recipe.optimizer) == ("cosine", "Adam")
    assert planned_lrs(tiny.of(PlanMade)[-1]) == tiny.lrs
    assert tiny.lrs == full_plan(t.preset(WARM_COSINE), RunLength(MORE - EPOCHS, BATCHES))


@pytest.mark.parametrize("asked", [Extension(MORE, by=ME), CONSTANT, COSINE], ids=["extend", "constant", "preset"])
@pytest.mark.parametrize(
    "stop", [END + 1, *(pytest.param(step, marks=pytest.mark.slow) for step in (END + BATCHES, END + BATCHES + 2))]
)
def test_stopped_in_the_added_part_it_goes_on_to_the_bit(tiny: TinyRun, asked: Extension, stop: int) -> None:
    text = t.ONE_CYCLE if asked.then != "extend" else scheduled("StepLR")
    extended(tiny, text, asked)
    whole = numbers(tiny)
    tiny.train(text, EPOCHS)
    tiny.events.clear()
    at_step(tiny, stop, Stop(by=ME))
    assert tiny.train(text, EPOCHS, resume=True, extension=asked).step == stop
    (told,) = tiny.of(EpochsChanged)
    tiny.when.clear()
    assert tiny.train(text, EPOCHS, resume=True).step == MORE * BATCHES
    assert_equal(numbers(tiny), whole)
    assert tiny.of(EpochsChanged) == [told]
    assert {event.recipe for event in tiny.of(RunConfigured)} == {told.recipe}


def test_killed_before_it_was_told_it_is_told_again_and_no_further_time(tiny: TinyRun) -> None:
    extended(tiny, t.ONE_CYCLE, COSINE)
    whole = numbers(tiny)
    tiny.train(t.ONE_CYCLE, EPOCHS)
    tiny.events.clear()

    def dies() -> None:
        raise KeyboardInterrupt

    tiny.when.append((lambda event: isinstance(event, EpochsChanged), dies))
    with pytest.raises(KeyboardInterrupt):
        tiny.train(t.ONE_CYCLE, EPOCHS, resume=True, extension=COSINE)
    tiny.when.clear()
    tiny.train(t.ONE_CYCLE, EPOCHS, resume=True)
    assert_equal(numbers(tiny), whole)
    first, again = tiny.of(EpochsChanged)
    assert again == first
    assert len(tiny.of(PresetSwitched)) == 1


def recorded(tiny: TinyRun) -> list[AnyEvent]:
    """What a record would have of them, as each process begins anew."""
    events: list[AnyEvent] = []
    for event in tiny.events:
        if isinstance(event, PlanMade) and (not events or isinstance(events[-1], RunEnded)):
            step = sum(len(each.losses) for each in events if isinstance(each, StepsTaken))
            before = step if events else None
            events.append(RunStarted(at=1.0, run="r", schema=2, pid=1, host="h", resumed_from_step=before))
        events.append(event)
    return events


@pytest.mark.says("epoch.changed_then", "plan.constant_from", "reply.epochs_then", "reply.last_lr", "reply.preset")
@pytest.mark.never_says("checkpoint.no_last_lr")
def test_the_record_and_the_chart_tell_what_was_added_and_what_it_follows(tiny: TinyRun) -> None:
    tiny.events.append(tiny.train(t.ONE_CYCLE, EPOCHS))
    tiny.events.append(tiny.train(t.ONE_CYCLE, EPOCHS, resume=True, extension=CONSTANT))
    more = Extension(MORE + 2, "cosine", COSINE.preset, by=ME)
    tiny.events.append(tiny.train(t.ONE_CYCLE, EPOCHS, resume=True, extension=more))
    history = History()
    for event in recorded(tiny):
        history.apply(event)
    assert history.steps == (MORE + 2) * BATCHES
    assert (history.recipe.preset, history.recipe.epochs) == ("cosine", MORE + 2)
    assert not history.known.flaws.in_words()
    first, second = history.epochs_changed
    assert (first.step, first.epoch, first.old, first.by, first.then) == (END, EPOCHS, EPOCHS, ME, "constant")
    assert (first.recipe.scheduler, first.recipe.epochs) == ("none", MORE)
    assert first.recipe.title == "OneCycleLR; constant from epoch 3 on"
    assert (second.old, second.recipe.epochs, second.then) == (MORE, MORE + 2, "cosine")
    marks = [mark.words for mark in marks_between(history, END, END) if mark.kind in ("epochs", "switch")]
    assert marks == ["preset tiny → constant", "4 epochs instead of 2, by test, then constant"]
    told = [answer for _, _, answer in answers(tiny)]
    assert told == [
        f"4 epochs instead of 2, until step 12; at the LR of its last step, {told[0].split(', ')[2]}, from epoch 3 on",
        "6 epochs instead of 4, until step 18; preset cosine, weights kept, from epoch 5 on",
    ]


@pytest.mark.never_says(
    "epoch.changed_then", "plan.constant_from", "reply.epochs_then", "reply.last_lr", "reply.preset"
)
def test_asked_for_otherwise_at_the_same_step_the_record_has_both(tiny: TinyRun) -> None:
    """Early stopping has changed the epochs there already."""
    tiny.events.append(tiny.train(NEVER_BETTER, 6))
    tiny.events.append(tiny.train(NEVER_BETTER, 6, resume=True, extension=Extension(4, by=ME)))
    history = History()
    for event in recorded(tiny):
        history.apply(event)
    told = [(event.step, event.old, event.recipe.epochs) for event in history.epochs_changed]
    assert told == [(9, 6, 3), (9, 3, 4)]
    assert history.steps == 4 * BATCHES
    assert [mark.words for mark in marks_between(history, 9, 9) if mark.kind == "epochs"] == [
        "3 epochs instead of 6, by early stopping",
        "4 epochs instead of 3, by test",
    ]
    assert [answer for _, _, answer in answers(tiny)] == ["4 epochs instead of 3, until step 12"]


def test_what_early_stopping_ended_goes_on_and_is_ended_so_again(tiny: TinyRun) -> None:
    assert tiny.train(NEVER_BETTER, 6).epoch == 3
    ended = tiny.train(NEVER_BETTER, 6, resume=True, extension=Extension(9, "constant", by=ME))
    assert ended.epoch == 6  # better than nothing in its first epoch, then not for two
    assert ended.reason.startswith("stopped early")


def test_the_last_lr_is_that_of_the_dial(tiny: TinyRun) -> None:
    at_step(tiny, END - 2, SetLR(by=ME, factor=0.5))
    tiny.train(t.STEP, EPOCHS)
    last, tiny.when = tiny.lrs[-1], []
    tiny.events.clear()
    tiny.train(t.STEP, EPOCHS, resume=True, extension=CONSTANT)
    assert tiny.lrs == [last] * (MORE - EPOCHS) * BATCHES == [0.005] * 6
    assert history_of(tiny).dial == 1.0


SHARES = '[scheduler]\nname = "PiecewiseLinear"\npoints = [[0, 0.1], [1, 0.01]]\nunit = "share"\n'
TRIANGLE_FORMULA = '[scheduler]\nname = "LambdaLR"\nformula = "triangle"\n'
TO_ZERO = '[scheduler]\nname = "PiecewiseLinear"\npoints = [[0, 0.1], [1, 0]]\nunit = "epoch"\n'


@pytest.mark.parametrize(
    ("text", "extension", "why"),
    [
        (t.STEP, Extension(2), "it trains 2 epochs already"),
        (t.STEP, Extension(1, "constant"), "epoch 2 is trained already; to end after it, ask for as many"),
        (t.ONE_CYCLE, Extension(4), "OneCycleLR plans its LRs for 2 epochs from its first step on. `--then constant`"),
        (WARM_COSINE, Extension(3), "CosineAnnealingLR plans its LRs for 2 epochs"),
        (t.NONE + SHARES, Extension(3), "PiecewiseLinear plans its LRs for 2 epochs"),
        (t.NONE + TRIANGLE_FORMULA, Extension(3), "LambdaLR plans its LRs for 2 epochs"),
        (t.NONE + TO_ZERO, Extension(3, "constant"), "its last LR is 0, at which nothing is trained"),
    ],
)
def test_what_has_no_meaning_is_refused_with_the_reason_and_nothing_is_changed(
    tiny: TinyRun, text: str, extension: Extension, why: str
) -> None:
    tiny.train(text, EPOCHS)
    before = numbers(tiny)
    with pytest.raises(CannotExtend) as refused:
        tiny.train(text, EPOCHS, resume=True, extension=extension)
    assert str(refused.value).removeprefix("another number of epochs does not fit: ").startswith(why)
    assert_equal(numbers(tiny), before)
    assert not tiny.of(EpochsChanged)


def test_a_preset_that_does_not_fit_is_refused_with_its_problems(tiny: TinyRun) -> None:
    tiny.train(t.STEP, EPOCHS)
    long_warmup = t.preset(ADAM + "[warmup]\nepochs = 9\n", 10).model_dump(mode="json")
    with pytest.raises(PresetError, match="warm-up"):
        tiny.train(t.STEP, EPOCHS, resume=True, extension=Extension(MORE, "long", long_warmup))


@pytest.mark.parametrize(
    ("epochs", "then", "why"), [(4, "constant", "epoch 1 of 3 is trained"), (3, "extend", "already")]
)
def test_of_one_that_has_not_ended_no_end_is_gone_beyond(tiny: TinyRun, epochs: int, then: str, why: str) -> None:
    at_step(tiny, BATCHES, Stop(by=ME))
    tiny.train(t.STEP, 3)
    tiny.when.clear()
    with pytest.raises(CannotExtend, match=why):
        tiny.train(t.STEP, 3, resume=True, extension=Extension(epochs, then))


@pytest.mark.never_says("reply.go_on_otherwise")
def test_one_that_was_stopped_is_not_told_what_could_follow_its_end(tiny: TinyRun) -> None:
    at_step(tiny, BATCHES, Stop(by=ME))
    tiny.train(t.ONE_CYCLE, 3)
    with pytest.raises(CannotExtend, match=r"its first step on$"):
        tiny.train(t.ONE_CYCLE, 3, resume=True, extension=Extension(4))


@pytest.mark.parametrize("epochs", [2, 4])
def test_one_that_was_stopped_ends_earlier_or_later_to_the_bit(tiny: TinyRun, epochs: int) -> None:
    tiny.train(scheduled("StepLR"), epochs)
    whole = numbers(tiny)
    tiny.events.clear()
    at_step(tiny, 4, Stop(by=ME))
    tiny.train(scheduled("StepLR"), 3)
    tiny.when.clear()
    ended = tiny.train(scheduled("StepLR"), 3, resume=True, extension=Extension(epochs, by=ME))
    assert (ended.status, ended.epoch, ended.step) == ("finished", epochs, epochs * BATCHES)
    assert_equal(numbers(tiny), whole)


def test_without_a_checkpoint_there_is_nothing_to_go_on_from(tiny: TinyRun) -> None:
    with pytest.raises(CannotExtend, match="no checkpoint"):
        tiny.train(t.STEP, EPOCHS, resume=True, extension=CONSTANT)


@pytest.mark.says("checkpoint.no_last_lr")
def test_a_checkpoint_of_an_earlier_version_tells_no_last_lr(tiny: TinyRun) -> None:
    tiny.train(t.STEP, EPOCHS)
    state = checkpoints.load(tiny.folder / checkpoints.LAST)
    del state["scheduler"]["used"]
    checkpoints.save(state, tiny.folder, keep_last=False)
    with pytest.raises(CannotExtend, match="earlier version"):
        tiny.train(t.STEP, EPOCHS, resume=True, extension=CONSTANT)
    assert tiny.train(t.STEP, EPOCHS, resume=True, extension=Extension(3)).epoch == 3


@pytest.mark.parametrize(
    "used",
    [7, [{}, {}], [7], [{"lr": "x"}], [{"lr": float("nan")}], [{"lr": 1.0, "eps": 1}], [{"lr": 1.0, "betas": 7}]],
)
def test_last_lrs_that_no_checkpoint_holds_are_refused(used: object) -> None:
    schedule = Schedule(t.preset(t.STEP), build_optimizer(t.preset(t.STEP).optimizer, [_weight()]), RunLength(4, 3))
    with pytest.raises(ValueError, match=r"scheduler\.used"):
        schedule.load_state_dict({**schedule.state_dict(), "used": used})


def _weight() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.zeros(1))
