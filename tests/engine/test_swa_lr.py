"""`swa_lr`: SWALR has the LR behind the preset's scheduler, as in torch's own example written by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.optim import lr_scheduler as torch_lr
from torch.optim.swa_utils import SWALR

from tests.engine import tiny as t
from tests.engine.test_control import ME, answers
from tests.engine.tiny import BATCHES, TinyRun
from tests.records.streams import fold
from tui_trainer.call_order import check
from tui_trainer.commands import SetEpochs, SetPace
from tui_trainer.engine import models
from tui_trainer.engine.datasets import batches
from tui_trainer.engine.lr_preview import full_plan, length_of, plan, rehearse
from tui_trainer.engine.schedules import RunLength, Schedule, build_optimizer
from tui_trainer.events import CallsMade, LRChanged, LRUnchanged, PlanMade
from tui_trainer.presets.lrs import PlannedLRs
from tui_trainer.records.plan_phases import PlanPhases

SWA = "swa_start = 4\nswa_lr = 0.05\nswa_anneal_epochs = 2\n"
LINEAR = f'{SWA}swa_anneal_strategy = "linear"\n'
SGD = '[optimizer]\nname = "SGD"\nlr = 0.01\nmomentum = 0.9\n'
EPOCHS = 7
BEFORE = 3 * BATCHES
"""Steps before epoch 4."""

CASES: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "none": (SWA + SGD, lambda _: None, ""),
    "StepLR": (
        f'{SWA}{SGD}[scheduler]\nname = "StepLR"\nstep_size = 2\n',
        lambda optimizer: torch_lr.StepLR(optimizer, 2),
        "epoch",
    ),
    "CosineAnnealingLR": (
        f'{LINEAR}{SGD}[scheduler]\nname = "CosineAnnealingLR"\neta_min = 0.001\n',
        lambda optimizer: torch_lr.CosineAnnealingLR(optimizer, 3, eta_min=0.001),
        "epoch",
    ),
    "OneCycleLR": (
        f'{SWA}{SGD}[scheduler]\nname = "OneCycleLR"\nmax_lr = 0.1\n',
        lambda optimizer: torch_lr.OneCycleLR(optimizer, 0.1, total_steps=BEFORE),
        "step",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_lr_of_every_step_is_that_of_the_loop_by_hand_and_the_planned_one(tiny: TinyRun, name: str) -> None:
    text, scheduled, interval = CASES[name]
    tiny.train(text, EPOCHS)

    data = t.images()
    model = models.build("mlp", data.shape, seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    scheduler = scheduled(optimizer)
    swa: SWALR | None = None
    lrs: list[float] = []
    for epoch in range(1, EPOCHS + 1):
        if epoch == 4:
            swa = SWALR(optimizer, swa_lr=0.05, anneal_epochs=2, anneal_strategy="linear" if LINEAR in text else "cos")
        for images, labels in batches(data.train, t.BATCH_SIZE, seed=0, epoch=epoch):
            optimizer.zero_grad()
            functional.cross_entropy(model(images), labels).backward()
            lrs.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if interval == "step" and swa is None:
                scheduler.step()
        if swa is not None:
            swa.step()
        elif interval == "epoch":
            scheduler.step()

    assert lrs[-1] == 0.05
    assert lrs[BEFORE] == lrs[BEFORE + BATCHES - 1] != lrs[BEFORE + BATCHES] != 0.05
    assert tiny.lrs == lrs
    preset = t.preset(text, EPOCHS)
    assert full_plan(preset, length_of(preset, t.IMAGES)) == lrs
    planned = PlannedLRs(preset, BATCHES)
    assert [planned.at(step) for step in range(planned.steps)] == pytest.approx(lrs)
    sampled = rehearse(preset, RunLength(EPOCHS, BATCHES), sample_above=1)
    of_steps = dict(zip(sampled.steps, sampled.lrs, strict=True))
    assert [*of_steps.values()] == pytest.approx([lrs[step - 1] for step in of_steps])
    assert BEFORE + BATCHES + 1 in of_steps

    history = fold(tiny.events)
    assert history.recipe is not None
    assert check(history.recipe, tiny.of(CallsMade)) == []


@pytest.mark.says("why.swa", "why.swa_holds")
def test_why_the_lr_moves_is_told_of_each_phase(tiny: TinyRun) -> None:
    tiny.train(CASES["StepLR"][0], EPOCHS)
    told = [(event.epoch, event.reason) for event in tiny.events if isinstance(event, LRChanged | LRUnchanged)]
    assert told[:3] == [
        (1, "next drop in 1 epoch"),
        (2, "step_size 2 reached, 0.01 → 0.001"),
        (3, "no drop left in this run"),
    ]
    assert told[3:] == [
        (4, "SWALR 1/2 of the way to 0.05, 0.001 → 0.0255"),
        (5, "SWALR 2/2 of the way to 0.05, 0.0255 → 0.05"),
        (6, "SWALR holds 0.05"),
        (7, "SWALR holds 0.05"),
    ]


@pytest.mark.never_says("why.swa_holds")
def test_an_lr_that_the_scheduler_sets_last_is_used_and_that_of_swalr_is_not(tiny: TinyRun) -> None:
    tiny.train(f'swa_start = 2\nswa_lr = 0.05\n{SGD}[scheduler]\nname = "StepLR"\nstep_size = 1\n', epochs=2)
    assert [event.reason for event in tiny.of(LRChanged)] == [
        "step_size 1 reached, 0.01 → 0.001",
        "SWALR 1/10 of the way to 0.05, 0.001 → 0.002199, with no epoch left to use it",
    ]


@pytest.mark.says("plan.to_swa_lr", "plan.holds_through", "plan.holds")
def test_the_plan_says_what_it_is_doing() -> None:
    planned = plan("p", t.preset(CASES["OneCycleLR"][0], EPOCHS), t.IMAGES)
    phases = PlanPhases(planned.curve, planned.recipe)
    assert phases.words(BEFORE + BATCHES).startswith("holds ")
    assert phases.words(BEFORE + BATCHES).endswith(f" through step {BEFORE + BATCHES}")
    assert phases.words(BEFORE + BATCHES + 1).startswith("SWALR: ")
    assert phases.words(BEFORE + BATCHES + 1).endswith(f" → 0.05 by step {BEFORE + 2 * BATCHES + 1}")
    assert phases.words(EPOCHS * BATCHES) == "holds 0.05 to the end"


@pytest.mark.never_says("plan.to_swa_lr")
def test_without_swa_lr_the_plan_says_nothing_of_it() -> None:
    planned = plan("p", t.preset(CASES["StepLR"][0].replace(SWA, "swa_start = 4\n"), EPOCHS), t.IMAGES)
    phases = PlanPhases(planned.curve, planned.recipe)
    assert {phases.words(step)[:5] for step in range(1, EPOCHS * BATCHES + 1)} == {"holds"}


def test_after_a_switch_it_begins_with_the_same_epoch_of_the_run() -> None:
    text = f'{SWA}{SGD}[scheduler]\nname = "CosineAnnealingLR"\neta_min = 0.001\n'
    late = plan("p", t.preset(text), t.IMAGES, first_epoch=3, last_epoch=EPOCHS, first_step=2 * BATCHES + 1)
    assert late.curve.steps == [step * BATCHES + 1 for step in (2, 3, 4, 5)]
    assert late.curve.lrs == [0.01, 0.001, pytest.approx(0.0255), 0.05]
    all_of_it = plan("p", t.preset(text), t.IMAGES, first_epoch=5, last_epoch=EPOCHS, first_step=4 * BATCHES + 1)
    assert all_of_it.curve.lrs == [0.01, pytest.approx(0.03), 0.05]


def test_behind_a_warm_up_the_scheduler_has_the_epochs_between() -> None:
    text = f'{SWA}{SGD}[scheduler]\nname = "CosineAnnealingLR"\neta_min = 0.001\n[warmup]\nepochs = 1\n'
    preset = t.preset(text, EPOCHS)
    lrs = full_plan(preset, length_of(preset, t.IMAGES))
    assert lrs[BATCHES::BATCHES] == [0.01, pytest.approx(0.0055), 0.001, pytest.approx(0.0255), 0.05, 0.05]
    assert lrs == pytest.approx([PlannedLRs(preset, BATCHES).at(step) for step in range(EPOCHS * BATCHES)])


def test_a_run_is_made_longer_where_that_changes_nothing_of_what_was_planned(tiny: TinyRun) -> None:
    tiny.control.send(SetPace(by=ME, seconds_a_call=1e-9))
    tiny.control.send(SetEpochs(by=ME, epochs=EPOCHS + 1))
    tiny.train(CASES["OneCycleLR"][0], EPOCHS)
    assert answers(tiny)[-1][1]
    assert len(tiny.lrs) == (EPOCHS + 1) * BATCHES
    assert tiny.lrs[-1] == 0.05
    assert tiny.of(PlanMade)[-1].last_step == (EPOCHS + 1) * BATCHES


@pytest.mark.parametrize("steps", [-1, True, 1.0, None, "1", 99])
def test_a_damaged_count_of_its_steps_is_refused(steps: object) -> None:
    preset = t.preset(CASES["StepLR"][0], EPOCHS)

    def fresh() -> Schedule:
        optimizer = build_optimizer(preset.optimizer, [torch.nn.Parameter(torch.zeros(1))])
        return Schedule(preset, optimizer, RunLength(EPOCHS, BATCHES))

    schedule = fresh()
    schedule.begin_epoch(4)
    state = schedule.state_dict()
    assert state["swa_steps"] == 0
    with pytest.raises(ValueError, match="swa_steps cannot be"):
        fresh().load_state_dict({**state, "swa_steps": steps})
