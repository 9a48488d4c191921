"""The LR dial: a factor on what the schedule gives, turned by hand while the run trains."""

from __future__ import annotations

from math import isclose

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine import tiny as t
from tests.engine.test_control import ME, answers, switch
from tests.engine.test_resume import SCHEDULERS, assert_equal, numbers
from tests.engine.test_schedules import sound
from tests.engine.tiny import BATCHES, TinyRun
from tests.presets.drawing import Written, written
from tui_trainer.commands import AnyCommand, SetLR, SetPace, Stop, decode, encode
from tui_trainer.engine import checkpoints
from tui_trainer.engine.lr_preview import dialled, plan
from tui_trainer.engine.schedules import RunLength, Schedule, build_optimizer
from tui_trainer.events import AnyEvent, LRChanged, PlanMade, StepsTaken
from tui_trainer.presets.schema import Preset
from tui_trainer.records.history import History
from tui_trainer.records.plan_phases import PlanInWords

EPOCHS = 3


@pytest.mark.parametrize(
    ("text", "factor", "lr"),
    [("0.01", None, 0.01), (" 1e-4 ", None, 1e-4), ("x0.5", 0.5, None), ("×2", 2.0, None), ("*1", 1.0, None)],
)
def test_an_lr_or_a_factor_is_what_a_person_types(text: str, factor: float | None, lr: float | None) -> None:
    command = SetLR.of(text, by=ME)
    assert (command.factor, command.lr) == (factor, lr)
    assert decode(encode(command)) == command


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "x0", "x-2", "x1e6", "nan", "inf", "xnan", "0.1.2"])
def test_all_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"give one above 0, as 0\.01, or a factor|a factor is below 1,000,000"):
        SetLR.of(text, by=ME)


@given(written(), st.floats(1e-3, 1e3), st.data())
@settings(max_examples=30)
def test_the_schedule_goes_on_as_it_would_without(case: Written, factor: float, data: st.DataObject) -> None:
    preset, length = sound(case)
    turned, back = (data.draw(st.integers(1, length.total_steps)) for _ in range(2))
    turned_one, plain = (Stepped(preset, length) for _ in range(2))
    for step in range(1, length.total_steps + 1):
        assert turned_one.schedule.scheduled_lr == plain.schedule.lr
        assert turned_one.schedule.lr == plain.schedule.lr * turned_one.schedule.factor
        for stepped in (turned_one, plain):
            stepped.batch(step)
        if step in (turned, back):
            turned_one.schedule.dial(factor if step == turned else 1.0)
            turned_one = turned_one.again(preset, length)


class Stepped:
    """A schedule, stepped as the loop does, with a loss that gets no better."""

    def __init__(self, preset: Preset, length: RunLength) -> None:
        self.optimizer = build_optimizer(preset.optimizer, [torch.nn.Parameter(torch.zeros(1))])
        self.schedule = Schedule(preset, self.optimizer, length)
        self.optimizer.step()

    def batch(self, step: int) -> None:
        if self.schedule.due_after_batch:
            self.schedule.step()
        if step % self.schedule.length.batches_per_epoch == 0 and self.schedule.due_after_epoch:
            self.schedule.step(val_loss=1.0, val_accuracy=0.5)

    def again(self, preset: Preset, length: RunLength) -> Stepped:
        """The same, gone on with from a checkpoint."""
        other = Stepped(preset, length)
        other.optimizer.load_state_dict(self.optimizer.state_dict())
        other.schedule.load_state_dict(self.schedule.state_dict())
        return other


@pytest.mark.parametrize("dial", [[], "x", [0.5], [0.5, 0.1, 0.1], [float("nan")], [-1.0, 0.1], [1.0, 0.1], [1, 2]])
def test_a_dial_that_no_checkpoint_holds_is_refused(dial: object) -> None:
    stepped = Stepped(t.preset(t.STEP), RunLength(4, 3))
    with pytest.raises(ValueError, match=r"scheduler\.dial"):
        stepped.schedule.load_state_dict({**stepped.schedule.state_dict(), "dial": dial})


def at_step(tiny: TinyRun, step: int, command: AnyCommand) -> None:
    """Ask right after a step; calls are followed, so that each reports before commands are attended to."""

    def reached(event: AnyEvent) -> bool:
        return isinstance(event, StepsTaken) and event.step + len(event.losses) - 1 == step

    if not tiny.when:
        tiny.control.send(SetPace(by=ME, seconds_a_call=1e-9))
    tiny.when.append((reached, lambda: tiny.control.send(command)))


def history_of(tiny: TinyRun) -> History:
    history = History()
    for event in tiny.events:
        history.apply(event)
    return history


@pytest.mark.says("why.dial_turned", "why.dial_off")
def test_it_is_turned_from_the_next_step_on_and_all_say_so(tiny: TinyRun) -> None:
    tiny.train(t.ONE_CYCLE, EPOCHS)
    plain = tiny.lrs
    tiny.events.clear()
    at_step(tiny, 2, SetLR(by=ME, factor=0.5))
    at_step(tiny, 5, SetLR(by=ME, factor=1.0))
    tiny.train(t.ONE_CYCLE, EPOCHS)
    assert tiny.lrs == [*plain[:2], *(lr * 0.5 for lr in plain[2:5]), *plain[5:]]
    turned, off = (e for e in tiny.of(LRChanged) if e.why.code.startswith("dial"))
    assert (turned.step, turned.epoch, turned.old, turned.new) == (2, 1, plain[2], plain[2] * 0.5)
    assert turned.reason.startswith("by hand (test): × 0.5 of the schedule, ")
    assert (off.step, off.epoch, off.new) == (5, 2, plain[5])
    assert off.reason.startswith("by hand (test): the schedule's own again, ")
    _, half, whole = tiny.of(PlanMade)
    assert (half.steps, half.lrs) == ([3, 4, 5, 6, 7, 8, 9], [lr * 0.5 for lr in plain[2:]])
    assert (whole.steps, whole.lrs) == ([6, 7, 8, 9], plain[5:])
    ((_, accepted, answer), (_, _, again)) = answers(tiny)[1:]
    assert accepted
    assert answer.endswith("from step 3 on, × 0.5 of the schedule")
    assert again.endswith("from step 6 on, the schedule's own")
    assert history_of(tiny).dial == 1.0


@pytest.mark.says("plan.dialled")
def test_reasons_and_the_plan_tell_the_schedules_lrs_and_the_factor(tiny: TinyRun) -> None:
    at_step(tiny, 2, SetLR(by=ME, factor=0.5))
    at_step(tiny, 4, Stop(by=ME))
    tiny.train(t.STEP.replace("step_size = 2", "step_size = 1"), EPOCHS)
    _, dropped = tiny.of(LRChanged)
    assert dropped.reason == "step_size 1 reached, 0.01 → 0.005; used × 0.5, by hand"
    assert (dropped.old, dropped.new) == (0.005, 0.0025)
    history = history_of(tiny)
    history.ended = None
    assert PlanInWords().now(history) == "holds 0.0025 through epoch 2, then ×0.5; × 0.5 by hand"


@pytest.mark.never_says("plan.dialled", "why.dial_turned", "why.dial_off")
def test_an_undisturbed_run_says_nothing_of_a_dial(tiny: TinyRun) -> None:
    tiny.train(t.STEP, 1)
    history = history_of(tiny)
    history.ended = None
    PlanInWords().now(history)
    assert history.dial == 1.0


def test_an_lr_that_is_typed_is_used_to_the_bit(tiny: TinyRun) -> None:
    at_step(tiny, 2, SetLR(by=ME, lr=0.003))
    tiny.train(t.NONE, EPOCHS)
    assert tiny.lrs == [0.01] * 2 + [0.003] * 7


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_goes_on_under_the_dial_to_the_bit(tiny: TinyRun, name: str) -> None:
    """Stopped in another epoch than it was turned in, and right after it was."""
    text = f'{t.NONE}momentum = 0.9\n[scheduler]\nname = "{name}"\n{SCHEDULERS[name]}'
    at_step(tiny, 2, SetLR(by=ME, factor=0.3))
    tiny.train(text, EPOCHS)
    whole = numbers(tiny)
    tiny.events.clear()
    tiny.when.clear()
    at_step(tiny, 2, SetLR(by=ME, factor=0.3))
    at_step(tiny, BATCHES + 1, Stop(by=ME))
    tiny.train(text, EPOCHS)
    tiny.when.clear()
    tiny.train(text, EPOCHS, resume=True)
    assert_equal(numbers(tiny), whole)


def test_killed_right_after_it_was_turned_it_goes_on_with_the_dial_and_tells_it(tiny: TinyRun) -> None:
    at_step(tiny, 2, SetLR(by=ME, factor=0.3))
    at_step(tiny, 2, Stop(by=ME))
    tiny.train(t.ONE_CYCLE, EPOCHS)
    told = [e for e in tiny.events if isinstance(e, LRChanged | PlanMade)][-2:]
    assert checkpoints.load(tiny.folder / "last-but-one.pt")["scheduler"]["dial"][0] == 0.3
    tiny.events.clear()
    tiny.when.clear()
    tiny.train(t.ONE_CYCLE, EPOCHS, resume=True)
    changed, plan = [e for e in tiny.events if isinstance(e, LRChanged | PlanMade)][1:3]
    assert changed == told[0]
    assert isinstance(plan, PlanMade)
    assert isinstance(told[1], PlanMade)
    assert (plan.steps, plan.lrs) == (told[1].steps, told[1].lrs)


def test_a_plateau_drops_from_what_is_used_and_its_least_lr_is_known_under_the_dial(tiny: TinyRun) -> None:
    text = t.PLATEAU.replace("threshold = 0.9", "threshold = 0.9\nmin_lr = 0.004")
    at_step(tiny, 2, SetLR(by=ME, factor=0.5))
    at_step(tiny, 11, Stop(by=ME))
    tiny.train(text, 4)
    history = history_of(tiny)
    assert [round(e.new, 6) for e in tiny.of(LRChanged)] == [0.005, 0.0025, 0.002]
    assert [plan.lrs[0] for plan in history.plans][1:] == [e.new for e in tiny.of(LRChanged)]
    history.ended = None
    assert PlanInWords().now(history) == "holds 0.002: min_lr is reached; × 0.5 by hand"


def test_another_preset_has_its_own_lr(tiny: TinyRun) -> None:
    at_step(tiny, 2, SetLR(by=ME, factor=0.5))
    at_step(tiny, 2, switch(t.NONE))
    tiny.train(t.STEP, EPOCHS)
    assert tiny.lrs == [0.01, 0.01, 0.005, *[0.01] * 6]
    assert history_of(tiny).dial == 1.0


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (SetLR(by=ME, factor=1.0), "the LR dial is at × 1 already"),
        (SetLR(by=ME), "the LR dial goes from above 0 to below 1,000,000 times the schedule's LR"),
        (SetLR(by=ME, factor=-1.0), "the LR dial goes from above 0 to below 1,000,000 times the schedule's LR"),
        (SetLR(by=ME, lr=1e6), "the LR dial goes from above 0 to below 1,000,000 times the schedule's LR"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(tiny: TinyRun, command: SetLR, why: str) -> None:
    at_step(tiny, 2, command)
    tiny.train(t.NONE, 1)
    assert answers(tiny)[1][1:] == (False, why)
    assert tiny.lrs == [0.01] * 3


def test_before_the_first_step_and_at_an_lr_of_0_there_is_nothing_to_turn(tiny: TinyRun) -> None:
    tiny.control.send(SetLR(by=ME, factor=0.5))
    at_step(tiny, 6, SetLR(by=ME, lr=0.1))
    falls = f'{t.NONE}[scheduler]\nname = "PolynomialLR"\ntotal_iters = 4\ninterval = "step"\n'
    tiny.train(falls, EPOCHS)
    first, _, second = answers(tiny)
    assert first[1:] == (False, "no step is trained yet; turn it after the first one")
    assert second[1:] == (False, "the schedule gives an LR of 0 here, and no factor makes another of it")


def test_the_plan_of_a_sampled_curve_goes_on_from_where_it_is() -> None:
    curve = plan("p", t.preset(t.ONE_CYCLE, 40), 400, sample_above=10).curve
    step = curve.steps[10] + 1
    rest = dialled(curve, step, 0.02, 3.0)
    assert (rest.steps[0], rest.lrs[0], rest.last_step) == (step, 0.06, curve.last_step)
    assert all(
        isclose(lr, 3 * curve.lrs[curve.steps.index(at)]) for at, lr in zip(rest.steps[1:], rest.lrs[1:], strict=True)
    )
