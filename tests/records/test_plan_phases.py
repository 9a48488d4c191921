"""What the plan of the LR is said to be doing: of every scheduler, and held against the curve of the real one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.presets.drawing import Written, written
from tests.recorded import recorded
from tests.scripted import START, scripted_run
from tests.ui.conftest import cut
from tui_trainer.engine.lr_preview import PlannedRun, full_plan, plan
from tui_trainer.events import (
    AnyEvent,
    LRChanged,
    LRUnchanged,
    PlateauCounted,
    PresetSwitched,
    RunConfigured,
    RunStarted,
    StepsTaken,
    SwitchPlanned,
)
from tui_trainer.presets.catalogue import catalogue
from tui_trainer.presets.checks import parse
from tui_trainer.presets.problems import PresetError
from tui_trainer.presets.schema import Preset
from tui_trainer.records.history import History
from tui_trainer.records.plan_phases import PlanInWords, PlanPhases
from tui_trainer.text.numbers import format_lr
from tui_trainer.text.reasons import Reason, word

SHIPPED = {entry.name: entry.preset for entry in catalogue() if entry.builtin and entry.preset}
IMAGES = 4_000
"""63 batches of 64 images an epoch: 630 steps in ten."""

CONFIGURED = next(event for event in scripted_run() if isinstance(event, RunConfigured))


def said(planned: PlannedRun, step: int) -> str:
    """What is said before a step is trained."""
    return PlanPhases(planned.curve, planned.recipe, planned.first_epoch, planned.first_step).words(step)


def of(scheduler: str, more: str = "", epochs: int = 10, lr: float = 0.1) -> PlannedRun:
    text = f'[training]\nepochs = {epochs}\n[optimizer]\nname = "SGD"\nlr = {lr}\nmomentum = 0.9\n'
    return plan("p", parse(f"{text}[scheduler]\n{scheduler}\n{more}", "p.toml"), IMAGES)


def history_of(*events: AnyEvent) -> History:
    history = History()
    for event in events:
        history.apply(event)
    return history


def trained(planned: PlannedRun, steps: int, *more: AnyEvent) -> History:
    """A run that follows a plan, as far as so many steps."""
    batches = planned.length.batches_per_epoch
    taken = [
        StepsTaken(at=START, step=step, epoch=1 + (step - 1) // batches, batch=1 + (step - 1) % batches,
                   losses=[1.0], lrs=[0.1], elapsed=[step / 10])
        for step in range(1, steps + 1)
    ]  # fmt: skip
    configured = msgspec.structs.replace(CONFIGURED, recipe=planned.recipe)
    began = RunStarted(at=START, run="r", schema=1, pid=1, host="h")
    return history_of(began, configured, planned.curve, *taken, *more)


def now(history: History) -> str:
    return PlanInWords().now(history)


WARMUP = "[warmup]\nepochs = 1\nstart_factor = 0.1"


@pytest.mark.parametrize(
    ("planned", "at", "words"),
    [
        pytest.param(
            plan("onecycle", SHIPPED["onecycle"], IMAGES),
            {
                1: "warming up: 0.002 → 0.05 by step 189",
                188: "warming up: 0.002 → 0.05 by step 189",
                189: "annealing: 0.05 → 2e-7 by step 630",
                630: "holds 2e-7 to the end",
            },
            "plan",
            marks=pytest.mark.says("plan.warming_up", "plan.annealing", "plan.holds"),
        )
    ],
)
def test_one_cycle(planned: PlannedRun, at: dict[int, str], words: str) -> None:
    assert {step: said(planned, step) for step in at} == at


CASES: dict[str, tuple[PlannedRun, dict[int, str]]] = {
    "warm-up, then a cosine by batches": (
        of('name = "CosineAnnealingLR"\ninterval = "step"', WARMUP),
        {1: "warming up: 0.01 → 0.1 by step 64", 64: "annealing: 0.1 → 7.675e-7 by step 630"},
    ),
    "a cosine by epochs": (of('name = "CosineAnnealingLR"'), {1: "annealing: 0.1 → 0.002447 by epoch 10"}),
    "a cosine that climbs again": (
        of('name = "CosineAnnealingLR"\nT_max = 5'),
        {1: "annealing: 0.1 → 0 by epoch 6", 316: "climbing: 0 → 0.09045 by epoch 10"},
    ),
    "restarts": (
        of('name = "CosineAnnealingWarmRestarts"\nT_0 = 4'),
        {
            1: "annealing: 0.1 → 0.01464 by epoch 4, then a restart at 0.1",
            252: "annealing: 0.1 → 0.01464 by epoch 4, then a restart at 0.1",
            253: "annealing: 0.1 → 0.01464 by epoch 8, then a restart at 0.1",
            505: "annealing: 0.1 → 0.08536 by epoch 10",
        },
    ),
    "a stable stage between two": (
        of(
            'name = "SequentialLR"\ninterval = "step"\n'
            '[[scheduler.stages]]\nname = "LinearLR"\nstart_factor = 0.1\nsteps = 100\n'
            '[[scheduler.stages]]\nname = "none"\n'
            '[[scheduler.stages]]\nname = "CosineAnnealingLR"\nshare = 0.2'
        ),
        {
            1: "climbing: 0.01 → 0.1 by step 101",
            100: "climbing: 0.01 → 0.1 by step 101",
            101: "holds 0.1 through step 505",
            505: "holds 0.1 through step 505",
            506: "falling: 0.09998 → 1.554e-5 by step 630",
        },
    ),
    "steps": (
        of('name = "StepLR"\nstep_size = 5\ngamma = 0.5'),
        {1: "holds 0.1 through epoch 5, then ×0.5", 316: "holds 0.05 to the end"},
    ),
    "steps behind a warm-up": (
        of('name = "StepLR"\nstep_size = 5\ngamma = 0.5', WARMUP),
        {
            1: "warming up: 0.01 → 0.1 by step 64",
            64: "holds 0.1 through epoch 6, then ×0.5",
            379: "holds 0.05 to the end",
        },
    ),
    "steps by batches": (
        of('name = "StepLR"\nstep_size = 500\ngamma = 0.5\ninterval = "step"'),
        {500: "holds 0.1 through step 500, then ×0.5", 501: "holds 0.05 to the end"},
    ),
    "milestones": (
        of('name = "MultiStepLR"\nmilestones = [3, 8]'),
        {1: "holds 0.1 through epoch 3, then ×0.1", 190: "holds 0.01 through epoch 8, then ×0.1"},
    ),
    "a factor": (
        of('name = "ConstantLR"\nfactor = 0.5\ntotal_iters = 3'),
        {1: "holds 0.05 through epoch 3, then ×2", 190: "holds 0.1 to the end"},
    ),
    "a line": (
        of('name = "LinearLR"\nstart_factor = 0.5\ntotal_iters = 5'),
        {1: "climbing: 0.05 → 0.1 by epoch 6", 316: "holds 0.1 to the end"},
    ),
    "a power": (of('name = "PolynomialLR"'), {1: "falling: 0.1 → 0.01 by epoch 10"}),
    "gamma": (of('name = "ExponentialLR"\ngamma = 0.5'), {1: "falling: 0.1 → 0.0001953 by epoch 10"}),
    "cycles": (
        of('name = "CyclicLR"\nbase_lr = 0.1\nmax_lr = 1\nstep_size_up = 300'),
        {
            1: "climbing: 0.1 → 1 by step 301",
            301: "falling: 1 → 0.1 by step 601",
            601: "climbing: 0.1 → 0.187 by step 630",
        },
    ),
    "none": (of('name = "none"'), {1: "holds 0.1 to the end"}),
    "none behind a warm-up": (
        of('name = "none"', WARMUP),
        {1: "warming up: 0.01 → 0.1 by step 64", 64: "holds 0.1 to the end"},
    ),
}  # fmt: skip


@pytest.mark.says("plan.*")
@pytest.mark.parametrize("name", CASES)
def test_each_scheduler_says_what_it_is_doing(name: str) -> None:
    planned, expected = CASES[name]
    assert {step: said(planned, step) for step in expected} == expected


def test_a_plan_of_a_million_steps_says_the_same() -> None:
    long = plan("onecycle", SHIPPED["onecycle"].model_copy(), 64_000_000 // 10, sample_above=1_000)
    assert not long.curve.exact
    assert said(long, 5) == "warming up: 0.002 → 0.05 by step 300,000"
    assert said(long, 300_000) == "annealing: 0.05 → 2e-7 by step 1,000,000"


# Against the real curve

CHANGING = re.compile(
    r"(warming up|annealing|falling|climbing): (\S+) → (\S+) by (step|epoch) ([\d,]+)(, then a restart at (\S+))?"
)
HOLDING = re.compile(r"holds (\S+) through (step|epoch) ([\d,]+), then (×?)(\S+)")
NEAR = 1e-3
"""Of an LR with four digits."""


@pytest.mark.never_says("plan.warming_up", "plan.annealing", "plan.to_restart", "plan.falling", "plan.climbing",
                        "plan.holds_then", "plan.holds_through", "plan.holds", in_all_cases=False)  # fmt: skip
@given(written(), st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_said_of_a_plan_is_what_the_real_schedule_does(case: Written, data: st.DataObject) -> None:
    preset = Preset.model_validate(case.tables)
    assume(preset.scheduler.monitor is None)
    try:
        planned = plan("p", preset, case.images, first_epoch=3, first_step=101, last_epoch=2 + case.epochs)
        lrs = full_plan(preset, planned.length)
    except PresetError:
        assume(False)
        return
    least = 1e-8 * max(lrs)
    batches = planned.length.batches_per_epoch
    at = data.draw(st.integers(1, len(lrs)))
    words, here = said(planned, 100 + at), lrs[at - 1]

    def until(unit: str, number: str) -> tuple[int, int]:
        """The first and the last step that it names, counted from the first of the plan."""
        count = int(number.replace(",", ""))
        return (count - 100, count - 100) if unit == "step" else ((count - 3) * batches + 1, (count - 2) * batches)

    if found := CHANGING.fullmatch(words):
        verb, start, end, unit, number, restarts, top = found.groups()
        first, last = until(unit, number)
        way = lrs[at - 1 : first]
        sign = 1 if verb in ("warming up", "climbing") else -1
        if not (restarts and float(end) > float(start)):
            assert all(sign * (two - one) >= -least for one, two in pairwise(way)), words
        assert lrs[first - 1] == pytest.approx(float(end), rel=NEAR, abs=least)
        if verb == "warming up" and preset.scheduler.name != "OneCycleLR":
            assert at <= preset.warmup_steps(batches)
        if restarts:
            assert lrs[last] == pytest.approx(float(top), rel=NEAR, abs=least)
    elif found := re.fullmatch(r"holds (\S+) through (step|epoch) ([\d,]+)", words):
        _, last = until(found[2], found[3])
        assert {*lrs[at - 1 : last]} == {here}
        assert format_lr(here) == found[1]
        assert lrs[last] != here
    elif found := HOLDING.fullmatch(words):
        lr, unit, number, times, change = found.groups()
        first, last = until(unit, number)
        assert {*lrs[at - 1 : last]} == {here}
        assert format_lr(here) == lr
        assert lrs[last] != here
        assert times == "×"
        assert lrs[last] == pytest.approx(float(change) * here, rel=NEAR, abs=least)
    else:
        assert words == f"holds {format_lr(here)} to the end"
        assert max(lrs[at - 1 :]) - min(lrs[at - 1 :]) <= least


# Plateau


def plateau(step: int, *counts: tuple[int, int], reason: str = "said", patience: int = 2) -> str:
    """Behind epochs with so many bad ones and so much cooldown."""
    planned = of('name = "ReduceLROnPlateau"\npatience = 2')
    events: list[AnyEvent] = []
    for epoch, (bad, cooldown) in enumerate(counts, 1):
        count = PlateauCounted(at=START, epoch=epoch, monitor="val_loss", value=1.0, best=1.0, best_epoch=1,
                               bad_epochs=bad, patience=patience, cooldown=cooldown)  # fmt: skip
        events += [count, LRUnchanged(at=START, step=63 * epoch, epoch=epoch, lr=0.1, reason=reason)]
    return now(trained(planned, step, *events))


AT_MIN = "val_loss not better than 1.0000 for 3 epochs (patience 2), but the LR is at min_lr already, 0.1"


@pytest.mark.says("plan.*")
@pytest.mark.never_says(
    "plan.watches", "plan.has_patience", "plan.waits", "plan.cools_down", "plan.at_min_lr", "plan.holds"
)
@pytest.mark.parametrize(
    ("counts", "reason", "words"),
    [
        ([], "", "holds 0.1 until val_loss stops getting better"),
        ([(0, 0)], "", "holds 0.1 until val_loss is not better for 3 epochs"),
        ([(0, 0), (1, 0)], "", "waits for val_loss: not better for 1 of 2 epochs"),
        ([(0, 0), (1, 0), (2, 0)], "", "waits for val_loss: not better for 2 of 2 epochs"),
        ([(0, 0), (3, 0)], "", "holds 0.1 until val_loss is not better for 3 epochs"),
        ([(0, 0), (3, 2)], "", "holds 0.1: cooldown for 2 epochs more"),
        ([(0, 0), (3, 0)], AT_MIN, "holds 0.1: min_lr is reached"),
        ([(1, 0)], AT_MIN.replace("at min_lr", "better"), "waits for val_loss: not better for 1 of 2 epochs"),
    ],
)  # fmt: skip
def test_a_plateau_says_what_it_waits_for(counts: Sequence[tuple[int, int]], reason: str, words: str) -> None:
    assert plateau(63 * max(1, len(counts)), *counts, reason=reason) == words


def counted(epoch: int, bad: int) -> PlateauCounted:
    return PlateauCounted(at=START, epoch=epoch, monitor="val_loss", value=1.0, best=1.0, best_epoch=1,
                          bad_epochs=bad, patience=2, cooldown=0)  # fmt: skip


def held(epoch: int, lr: float, reason: str) -> LRUnchanged:
    return LRUnchanged(at=START, step=63 * epoch, epoch=epoch, lr=lr, reason=reason)


@pytest.mark.says("plan.at_min_lr")
@pytest.mark.never_says("plan.waits", "plan.has_patience")
def test_at_min_lr_no_drop_is_waited_for_any_more() -> None:
    planned = of('name = "ReduceLROnPlateau"\npatience = 2')
    at_min = [counted(3, 3), held(3, 0.1, AT_MIN)]
    for bad in (0, 1, 2):
        history = trained(planned, 252, *at_min, counted(4, bad), held(4, 0.1, "said"))
        assert now(history) == "holds 0.1: min_lr is reached"
    later = [event for epoch in range(4, 300) for event in (counted(epoch, 1), held(epoch, 0.1, "said"))]
    assert now(trained(planned, 252, *at_min, *later)) == "holds 0.1: min_lr is reached"


@pytest.mark.says("plan.at_min_lr")
def test_nor_behind_a_drop_that_min_lr_cut_short_in_a_record_that_does_not_tell_min_lr() -> None:
    told = of('name = "ReduceLROnPlateau"\npatience = 2')
    planned = replace(told, recipe=msgspec.structs.replace(told.recipe, min_lr=None))
    drops = dropped(189, 3, 0.1, 0.01), counted(3, 0), dropped(378, 6, 0.01, 0.005), counted(6, 0)
    assert now(trained(planned, 378, *drops)) == "holds 0.005: min_lr is reached"


@pytest.mark.says("plan.has_patience")
@pytest.mark.says("plan.at_min_lr")
@pytest.mark.never_says("plan.has_patience")
def test_nor_behind_a_first_drop_that_lands_on_the_min_lr_of_the_recipe() -> None:
    planned = of('name = "ReduceLROnPlateau"\npatience = 2\nmin_lr = 0.01')
    assert planned.recipe.min_lr == 0.01
    assert of('name = "ReduceLROnPlateau"').recipe.min_lr == 0.0
    assert of('name = "StepLR"\nstep_size = 1').recipe.min_lr is None
    assert now(trained(planned, 189, dropped(189, 3, 0.1, 0.01), counted(3, 0))) == "holds 0.01: min_lr is reached"
    above = dropped(189, 3, 0.1, 0.02), counted(3, 0)
    assert now(trained(planned, 189, *above)) == "holds 0.02 until val_loss is not better for 3 epochs"


@pytest.mark.says("plan.drop_too_small")
@pytest.mark.never_says("plan.has_patience", "plan.waits")
def test_where_a_drop_is_too_small_to_be_made_none_is_waited_for() -> None:
    planned = of('name = "ReduceLROnPlateau"\npatience = 2', lr=5e-9)
    because = Reason("drop_too_small", {"monitor": "val_loss", "best": 1.0, "bad_epochs": 3, "patience": 2,
                                        "eps": 1e-8, "lr": 5e-9})  # fmt: skip
    stuck = msgspec.structs.replace(held(3, 5e-9, word(because)), because=because)
    for bad in (0, 1, 2):
        history = trained(planned, 252, counted(3, 3), stuck, counted(4, bad), held(4, 5e-9, "said"))
        assert now(history) == "holds 5e-9: a drop would be no more than eps"


@pytest.mark.says("plan.watches")
@pytest.mark.never_says("plan.drop_too_small")
def test_a_switch_forgets_that_a_drop_was_too_small() -> None:
    planned = of('name = "ReduceLROnPlateau"\npatience = 2', lr=5e-9)
    because = Reason("drop_too_small", {"monitor": "val_loss", "best": 1.0, "bad_epochs": 3, "patience": 2,
                                        "eps": 1e-8, "lr": 5e-9})  # fmt: skip
    stuck = msgspec.structs.replace(held(3, 5e-9, word(because)), because=because)
    two = plan("plateau", SHIPPED["plateau"], IMAGES, first_epoch=5, first_step=253, last_epoch=10)
    switched = PresetSwitched(at=START, step=252, epoch=5, old="p", recipe=two.recipe)
    history = trained(planned, 252, counted(3, 3), stuck, switched, two.curve)
    assert now(history) == "holds 0.001 until val_loss stops getting better"


@pytest.mark.says("plan.has_patience")
@pytest.mark.never_says("plan.at_min_lr", "plan.drop_too_small")
def test_a_drop_like_those_before_or_a_switch_waits_on() -> None:
    planned = of('name = "ReduceLROnPlateau"\npatience = 2')
    drops = dropped(189, 3, 0.1, 0.03), counted(3, 0), dropped(378, 6, 0.03, 0.009), counted(6, 0)
    assert now(trained(planned, 378, *drops)) == "holds 0.009 until val_loss is not better for 3 epochs"
    two = plan("plateau", SHIPPED["plateau"], IMAGES, first_epoch=5, first_step=253, last_epoch=10)
    switched = PresetSwitched(at=START, step=252, epoch=5, old="p", recipe=two.recipe)
    history = trained(planned, 252, counted(3, 3), held(3, 0.1, AT_MIN), switched, two.curve)
    assert now(history) == "holds 0.001 until val_loss stops getting better"


@pytest.mark.says("plan.at_min_lr")
@pytest.mark.never_says("plan.at_min_lr")
def test_a_run_that_went_back_to_a_higher_lr_waits_again() -> None:
    planned = of('name = "ReduceLROnPlateau"\npatience = 2')
    history = trained(planned, 378, counted(3, 3), dropped(378, 6, 0.1, 0.01), counted(6, 3), held(6, 0.01, AT_MIN))
    assert now(history) == "holds 0.01: min_lr is reached"
    history.min_lr = 0.001
    assert now(history) == "holds 0.01 until val_loss is not better for 3 epochs"


def test_a_plateau_behind_a_warm_up_warms_up_first() -> None:
    planned = of('name = "ReduceLROnPlateau"', WARMUP)
    assert now(trained(planned, 10)) == "warming up: 0.01 → 0.1 by step 64"
    assert now(trained(planned, 63)) == "holds 0.1 until val_loss stops getting better"


# In a run


def test_it_speaks_of_the_step_to_come_and_of_nothing_once_all_are_taken() -> None:
    planned = of('name = "StepLR"\nstep_size = 1\ngamma = 0.5', epochs=2)
    assert now(trained(planned, 0)) == "holds 0.1 through epoch 1, then ×0.5"
    assert now(trained(planned, 62)) == "holds 0.1 through epoch 1, then ×0.5"
    assert now(trained(planned, 63)) == "holds 0.05 to the end"
    assert now(trained(planned, 126)) == ""
    assert now(History()) == ""


@pytest.mark.says("plan.until_switch")
@pytest.mark.never_says("plan.until_switch")
def test_a_switch_that_is_promised_ends_the_plan_and_one_that_is_made_has_its_own() -> None:
    one = of('name = "StepLR"\nstep_size = 5')
    promised = SwitchPlanned(at=START, epoch=3, preset="onecycle")
    assert now(trained(one, 80)) == "holds 0.1 through epoch 5, then ×0.1"
    assert now(trained(one, 80, promised)) == "holds 0.1 through epoch 5, then ×0.1; onecycle from epoch 3"
    two = plan("cosine", SHIPPED["cosine"], IMAGES, first_epoch=3, first_step=127, last_epoch=10)
    switched = PresetSwitched(at=START, step=127, epoch=3, old="p", recipe=two.recipe)
    assert now(trained(one, 126, promised, switched, two.curve)) == "annealing: 0.001 → 3.806e-5 by epoch 10"


def test_a_run_that_is_resumed_goes_on_with_its_plan() -> None:
    planned = of('name = "StepLR"\nstep_size = 5')
    again = RunStarted(at=START, run="r", schema=1, pid=2, host="h", resumed_from_step=63)
    configured = msgspec.structs.replace(CONFIGURED, recipe=planned.recipe)
    history = trained(planned, 100, again, planned.curve, configured)
    assert now(history) == "holds 0.1 through epoch 5, then ×0.1"


@pytest.mark.parametrize("name", ["onecycle", "plateau", "steplr"])
def test_real_runs_say_something_from_their_plan_to_their_last_step(name: str) -> None:
    events = recorded(name)
    for step in (1, 100, 300, 600):
        assert now(history_of(*cut(events, step)))
    assert now(history_of(*events)) == ""


# Plateau's plan goes on from the LR that it has


def planned_at(history: History, step: int) -> list[float]:
    """What every plan of a history says of a step, but for those that begin behind it."""
    plans = [each for each in history.plans if each.steps[0] <= step]
    return [lr for at, lr in zip(plans[-1].steps, plans[-1].lrs, strict=True) if at <= step][-1:]


def dropped(step: int, epoch: int, old: float, new: float) -> LRChanged:
    reason = f"val_loss not better than 1.0000 for 3 epochs (patience 2): {old:g} → {new:g}"
    return LRChanged(at=START, step=step, epoch=epoch, old=old, new=new, reason=reason)


def test_a_plateau_that_dropped_its_lr_is_planned_on_from_there() -> None:
    history = trained(of('name = "ReduceLROnPlateau"'), 300, dropped(189, 3, 0.1, 0.05), dropped(252, 4, 0.05, 0.025))
    assert [planned_at(history, step) for step in (189, 190, 252, 253, 630)] == [
        [0.1],
        [0.05],
        [0.05],
        [0.025],
        [0.025],
    ]
    assert history.plans[-1].last_step == 630
    assert history.plans[-1].note.startswith("depends on val_loss: ")
    assert now(history) == "holds 0.025 until val_loss stops getting better"


def test_so_is_one_that_is_resumed_and_one_that_was_switched_to() -> None:
    watching = of('name = "ReduceLROnPlateau"')
    again = RunStarted(at=START, run="r", schema=1, pid=2, host="h", resumed_from_step=252)
    history = trained(watching, 252, dropped(189, 3, 0.1, 0.05), again, watching.curve)
    assert [planned_at(history, step) for step in (189, 190, 630)] == [[0.1], [0.05], [0.05]]
    preset = SHIPPED["plateau"]
    two = plan("plateau", preset, IMAGES, first_epoch=3, first_step=127, last_epoch=10)
    switched = PresetSwitched(at=START, step=127, epoch=3, old="p", recipe=two.recipe)
    history = trained(of('name = "none"'), 126, switched, two.curve, dropped(315, 5, 0.001, 0.0005))
    assert [planned_at(history, step) for step in (126, 127, 315, 316)] == [[0.1], [0.001], [0.001], [0.0005]]


def test_a_change_that_was_planned_makes_no_other_plan() -> None:
    planned = of('name = "StepLR"\nstep_size = 5\ngamma = 0.5')
    history = trained(planned, 320, dropped(315, 5, 0.1, 0.05))
    assert history.plans == [planned.curve]
    warm = of('name = "ReduceLROnPlateau"', WARMUP)
    over = LRChanged(at=START, step=63, epoch=1, old=0.0986, new=0.1, reason="warm-up over after 1 epoch, at 0.1")
    assert trained(warm, 63, over).plans == [warm.curve]


def test_a_drop_that_no_epoch_is_left_for_is_no_plan() -> None:
    planned = of('name = "ReduceLROnPlateau"')
    assert trained(planned, 630, dropped(630, 10, 0.1, 0.05)).plans == [planned.curve]
