"""The LR of every step is PyTorch's own, float for float, planned and really used, saved and gone on with."""

from __future__ import annotations

import inspect
import io
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from tests.presets.drawing import SCHEDULERS, Written, written
from tui_trainer.engine.lr_preview import full_plan, rehearse
from tui_trainer.engine.schedules import RunLength, Schedule, build_optimizer
from tui_trainer.presets.checks import check
from tui_trainer.presets.optimizers import OPTIMIZERS
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schedulers import SCHEDULERS as SCHEDULER_TABLES
from tui_trainer.presets.schema import Preset

Used = list[tuple[float, Any]]
"""The LR and the momentum of every batch."""

CHAINABLE = tuple(name for name in SCHEDULERS if name not in ("none", "CyclicLR", "OneCycleLR", "ReduceLROnPlateau"))


def sound(case: Written) -> tuple[Preset, RunLength]:
    """The preset and its length, where no rule forbids it."""
    preset = Preset.model_validate(case.tables)
    assume(not any(problem.severity == "error" for problem in check(preset, RunConditions(case.images))))
    return preset, RunLength(case.epochs, case.batches)


def parameter() -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.ones(2))


def momentum(optimizer: torch.optim.Optimizer) -> Any:
    group = optimizer.param_groups[0]
    return group["betas"][0] if "betas" in group else group.get("momentum")


def used_by(optimizer: torch.optim.Optimizer) -> tuple[float, Any]:
    return optimizer.param_groups[0]["lr"], momentum(optimizer)


class Training:
    """The engine's loop, with nothing in it but the optimizer and the schedule."""

    def __init__(self, preset: Preset, length: RunLength, losses: list[float]) -> None:
        self.length, self.losses = length, losses
        self.optimizer = build_optimizer(preset.optimizer, [parameter()])
        self.scheduler = Schedule(preset, self.optimizer, length)
        self.used: Used = []

    def epochs(self, first: int, last: int) -> Training:
        for epoch in range(first, last + 1):
            for _ in range(self.length.batches_per_epoch):
                self.batch()
            self.end(epoch)
        return self

    def batch(self) -> None:
        assert self.scheduler.lr == self.optimizer.param_groups[0]["lr"]
        self.used.append(used_by(self.optimizer))
        self.optimizer.step()
        if self.scheduler.due_after_batch:
            self.scheduler.step()

    def end(self, epoch: int) -> None:
        if self.scheduler.due_after_epoch:
            self.scheduler.step(val_loss=self.losses[epoch - 1], val_accuracy=1 - self.losses[epoch - 1])


def by_hand(case: Written) -> Used:
    """What PyTorch's classes give, called with what the file says and nothing else, stepped where PyTorch says."""
    used: Used = []
    warmup = case.warmup["epochs"] if case.warmup else 0
    if case.warmup:
        optimizer = optimizer_by_hand(case)
        steps = warmup * case.batches
        ramp = lr_scheduler.LinearLR(optimizer, case.warmup.get("start_factor", 0.1), 1.0, steps)
        for _ in range(steps):
            used.append(used_by(optimizer))
            optimizer.step()
            ramp.step()
    optimizer = optimizer_by_hand(case)
    scheduler, interval = scheduler_by_hand(case, optimizer, warmup)
    for epoch in range(warmup, case.epochs):
        for _ in range(case.batches):
            used.append(used_by(optimizer))
            optimizer.step()
            if interval == "step":
                scheduler.step()
        if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            watches_loss = case.scheduler.get("monitor", "val_loss") == "val_loss"
            scheduler.step(case.val_losses[epoch] if watches_loss else 1 - case.val_losses[epoch])
        elif interval == "epoch":
            scheduler.step()
    return used


def optimizer_by_hand(case: Written) -> torch.optim.Optimizer:
    arguments = {key: value for key, value in case.optimizer.items() if key != "name"}
    if "betas" in arguments:
        arguments["betas"] = tuple(float(beta) for beta in arguments["betas"])
    made: torch.optim.Optimizer = getattr(torch.optim, case.optimizer["name"])([parameter()], **arguments)
    return made


def scheduler_by_hand(case: Written, optimizer: torch.optim.Optimizer, warmup: int) -> tuple[Any, str | None]:
    arguments = {key: value for key, value in case.scheduler.items() if key not in ("name", "interval", "monitor")}
    name = case.scheduler["name"]
    if name == "none":
        return None, None
    interval = case.scheduler.get("interval", "step" if name in ("OneCycleLR", "CyclicLR") else "epoch")
    length = (case.epochs - warmup) * (case.batches if interval == "step" else 1)
    if name == "OneCycleLR":
        arguments["total_steps"] = length
    elif name == "CosineAnnealingLR":
        arguments.setdefault("T_max", length)
    elif name in ("ConstantLR", "LinearLR", "PolynomialLR"):
        arguments.setdefault("total_iters", length)
    elif name == "ReduceLROnPlateau":
        arguments["mode"] = "max" if case.scheduler.get("monitor") == "val_accuracy" else "min"
    return getattr(lr_scheduler, name)(optimizer, **arguments), interval


@given(written())
@settings(max_examples=400, deadline=None)
def test_every_schedule_is_pytorchs_own_float_for_float(case: Written) -> None:
    preset, length = sound(case)
    expected = by_hand(case)

    run = Training(preset, length, case.val_losses).epochs(1, case.epochs)

    assert run.used == expected
    if preset.scheduler.monitor is None:
        lrs = [lr for lr, _ in expected]
        assert full_plan(preset, length) == lrs
        plan = rehearse(preset, length)
        assert [plan.lrs[sum(step <= i for step in plan.steps) - 1] for i in range(1, len(lrs) + 1)] == lrs


@given(written())
@settings(max_examples=300, deadline=None)
def test_what_no_rule_forbids_the_rehearsal_finds_in_order(case: Written) -> None:
    preset, length = sound(case)

    rehearsal = rehearse(preset, length)

    assert rehearsal.problems == []
    assert rehearsal.exact
    assert rehearsal.last_step == length.total_steps
    assert rehearsal.steps[0] == 1
    assert rehearsal.steps == sorted(set(rehearsal.steps))


@given(written())
@settings(max_examples=300, deadline=None)
def test_a_sampled_curve_follows_the_real_one(case: Written) -> None:
    preset, length = sound(case)

    exact, sampled = rehearse(preset, length), rehearse(preset, length, sample_above=0)

    assert sampled.problems == []
    assert not sampled.exact or exact.steps == sampled.steps == [1]
    real = dict(zip(range(1, length.total_steps + 1), full_plan(preset, length), strict=True))
    highest = max(real.values())
    for step, lr in zip(sampled.steps, sampled.lrs, strict=True):
        assert lr == pytest.approx(real[step], rel=1e-6, abs=1e-6 * highest)


@given(written(), st.data())
@settings(max_examples=200, deadline=None)
def test_a_schedule_goes_on_where_it_was_saved(case: Written, data: st.DataObject) -> None:
    preset, length = sound(case)
    whole = Training(preset, length, case.val_losses).epochs(1, case.epochs)
    last = data.draw(st.integers(0, case.epochs - 1))
    into = data.draw(st.integers(0, length.batches_per_epoch))

    first = Training(preset, length, case.val_losses).epochs(1, last)
    for _ in range(into):
        first.batch()
    saved = through_a_file({"optimizer": first.optimizer.state_dict(), "scheduler": first.scheduler.state_dict()})
    second = Training(preset, length, case.val_losses)
    second.optimizer.load_state_dict(saved["optimizer"])
    second.scheduler.load_state_dict(saved["scheduler"])
    for _ in range(length.batches_per_epoch - into):
        second.batch()
    second.end(last + 1)
    second.epochs(last + 2, case.epochs)

    assert first.used + second.used == whole.used
    assert second.scheduler.state_dict() == whole.scheduler.state_dict()
    assert second.scheduler.seen == whole.scheduler.seen


def through_a_file(state: dict[str, Any]) -> Any:
    """Written and read as a checkpoint is: tensors and primitives alone."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@given(written(CHAINABLE), st.integers(2, 8), st.data())
@settings(max_examples=150, deadline=None)
def test_a_warm_up_is_what_sequential_lr_makes_of_it(drawn: Written, epochs: int, data: st.DataObject) -> None:
    warmup = data.draw(st.integers(1, epochs - 1))
    arguments = {key: value for key, value in drawn.scheduler.items() if key != "eta_min"}
    case = replace(drawn, epochs=epochs, warmup={"epochs": warmup}, scheduler=arguments | {"interval": "step"})
    preset, length = sound(case)
    optimizer = optimizer_by_hand(case)
    ramp = lr_scheduler.LinearLR(optimizer, 0.1, 1.0, warmup * case.batches)
    main, _ = scheduler_by_hand(case, optimizer, warmup)
    sequential = lr_scheduler.SequentialLR(optimizer, [ramp, main], [warmup * case.batches])
    expected = []
    for _ in range(length.total_steps):
        expected.append(used_by(optimizer))
        optimizer.step()
        sequential.step()

    assert Training(preset, length, []).epochs(1, case.epochs).used == expected


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_take_torchs_arguments_with_torchs_defaults(name: str) -> None:
    fields = OPTIMIZERS[name].model_fields
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    for key, field in fields.items():
        if key != "name":
            assert field.default == theirs[key].default, key
    speed = {"params", "foreach", "fused", "maximize", "capturable", "differentiable"}
    # Adam has it from torch 2.7 on, and is AdamW with it.
    assert theirs.keys() - fields.keys() - speed <= ({"decoupled_weight_decay"} if name == "Adam" else set())


@pytest.mark.parametrize("name", [name for name in SCHEDULER_TABLES if name != "none"])
def test_schedulers_take_torchs_arguments_with_torchs_defaults(name: str) -> None:
    fields = SCHEDULER_TABLES[name].model_fields
    theirs = inspect.signature(getattr(lr_scheduler, name)).parameters
    for key, field in fields.items():
        if key in ("name", "interval", "monitor"):
            continue
        if key in ("T_max", "total_iters"):
            assert field.default is None
        elif theirs[key].default is inspect.Parameter.empty:
            assert field.is_required(), key
        else:
            assert field.default == theirs[key].default, key
    follows = {
        "optimizer",
        "last_epoch",
        "total_steps",
        "epochs",
        "steps_per_epoch",
        "scale_fn",
        "scale_mode",
        "verbose",
    }
    assert theirs.keys() - fields.keys() <= follows


def test_a_kernel_option_that_a_class_does_not_know_is_left_out() -> None:
    for table in OPTIMIZERS.values():
        optimizer = build_optimizer(table(name=table.__name__), [parameter()], fused=False, foreach=False)
        assert optimizer.param_groups[0]["foreach"] is False


def test_plateau_says_what_it_needs() -> None:
    preset = Preset.model_validate({"optimizer": {"name": "SGD"}, "scheduler": {"name": "ReduceLROnPlateau"}})
    run = Training(preset, RunLength(1, 1), [])
    run.batch()
    with pytest.raises(ValueError, match="val_loss"):
        run.scheduler.step()


def test_a_run_and_a_rehearsal_hear_no_warning_of_torch(recwarn: pytest.WarningsRecorder) -> None:
    for scheduler in ({"name": "StepLR", "step_size": 1}, {"name": "OneCycleLR", "max_lr": 0.1}):
        preset = Preset.model_validate({"optimizer": {"name": "SGD"}, "scheduler": scheduler})
        rehearse(preset, RunLength(2, 3))
        rehearse(preset, RunLength(2, 3), sample_above=0)
        Training(preset, RunLength(2, 3), [1.0, 1.0]).epochs(1, 2)
    assert [str(warning.message) for warning in recwarn] == []
