"""The LR of every step is PyTorch's own, float for float, planned and really used, saved and gone on with."""

from __future__ import annotations

import inspect
import io
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from tests.presets.drawing import Written, written
from tui_trainer.engine.lr_preview import full_plan, rehearse
from tui_trainer.engine.schedules import RunLength, Schedule, build_optimizer
from tui_trainer.presets.checks import check
from tui_trainer.presets.optimizers import OF_GROUPS, OPTIMIZERS
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schedulers import SCHEDULERS as SCHEDULER_TABLES
from tui_trainer.presets.schedulers import STAGES
from tui_trainer.presets.schema import Preset

Used = list[tuple[float, Any]]
"""The LR and the momentum of every batch."""

CHAINABLE = tuple(name for name in STAGES if name not in ("none", "LambdaLR", "PiecewiseLinear"))


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
    warmup = 0
    if case.warmup:
        optimizer = optimizer_by_hand(case)
        warmup = case.warmup.get("steps") or case.warmup["epochs"] * case.batches
        ramp = ramp_by_hand(case.warmup, optimizer, warmup)
        for _ in range(warmup):
            used.append(used_by(optimizer))
            optimizer.step()
            ramp.step()
    optimizer = optimizer_by_hand(case)
    scheduler, interval = scheduler_by_hand(case, optimizer, warmup)
    for epoch in range(warmup // case.batches, case.epochs):
        for _ in range(max(epoch * case.batches, warmup), (epoch + 1) * case.batches):
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


def ramp_by_hand(warmup: dict[str, Any], optimizer: torch.optim.Optimizer, steps: int) -> Any:
    start = warmup.get("start_factor", 0.1)
    if warmup.get("method") == "constant":
        return lr_scheduler.ConstantLR(optimizer, start, steps)
    if start == 0:
        return lr_scheduler.LambdaLR(optimizer, lambda step: step / steps)
    return lr_scheduler.LinearLR(optimizer, start, 1.0, steps)


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
    by_batch = ("OneCycleLR", "CyclicLR", "LambdaLR", "PiecewiseLinear")
    interval = case.scheduler.get("interval", "step" if name in by_batch else "epoch")
    length = case.epochs * case.batches - warmup if interval == "step" else case.epochs - warmup // case.batches
    if name == "OneCycleLR":
        arguments["total_steps"] = length
    elif name == "CosineAnnealingLR":
        arguments.setdefault("T_max", length)
    elif name in ("ConstantLR", "LinearLR", "PolynomialLR"):
        arguments.setdefault("total_iters", length)
    elif name == "ReduceLROnPlateau":
        arguments["mode"] = "max" if case.scheduler.get("monitor") == "val_accuracy" else "min"
    each = case.batches if interval == "step" else 1
    if name == "LambdaLR":
        return lr_scheduler.LambdaLR(optimizer, formula_by_hand(arguments, length)), interval
    if name == "PiecewiseLinear":
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] = 1.0
        xs, ys = zip(*arguments["points"], strict=True)
        return lr_scheduler.LambdaLR(optimizer, lambda step: float(np.interp(step / each, xs, ys))), interval
    if name == "SequentialLR":
        return stages_by_hand(arguments["stages"], optimizer, length, each), interval
    return getattr(lr_scheduler, name)(optimizer, **arguments), interval


def formula_by_hand(given: dict[str, Any], length: int) -> Callable[[int], float]:
    """As those write it whom `presets/formulas.py` names."""
    warmup = given.get("warmup_iters", 0)
    timescale = given.get("timescale", warmup or 10_000)
    decay = given.get("decay_iters", max(1, length // 10))
    start, end = given.get("start_factor", 0.0), given.get("end_factor", 0.0)
    peak = int(given.get("peak", 0.5) * length)

    def stable(step: int) -> float:
        if step < warmup:
            return step / warmup
        if step <= length - decay:
            return 1.0
        part = min(1.0, (step - (length - decay)) / decay)
        shapes = {
            "linear": 1.0 - part,
            "cosine": (1.0 + math.cos(math.pi * part)) / 2,
            "1-sqrt": 1.0 - math.sqrt(part),
        }
        return shapes[given.get("decay", "linear")] * (1.0 - end) + end

    formulas: dict[str, Callable[[int], float]] = {
        "inverse_sqrt": lambda k: k / warmup if k < warmup else 1.0 / math.sqrt((k + timescale - warmup) / timescale),
        "warmup_stable_decay": stable,
        "triangle": lambda k: float(np.interp(k, [0, peak, length], [start, 1, end])) if peak else on_the_way_down(k),
        "inverse_time": lambda k: 1.0 / (1.0 + given.get("gamma", 0.01) * k),
    }

    def on_the_way_down(k: int) -> float:
        """A triangle whose peak is its first step; two points at one place make no line."""
        return start if k == 0 else float(np.interp(k, [0, length], [1, end]))

    return formulas[given["formula"]]


def stages_by_hand(stages: list[dict[str, Any]], optimizer: torch.optim.Optimizer, length: int, each: int) -> Any:
    """torch's SequentialLR, of those stages that have a step."""
    told = [
        stage["epochs"] * each
        if "epochs" in stage
        else stage["share"] * length
        if "share" in stage
        else stage.get("steps")
        for stage in stages
    ]
    rest = max(0.0, length - sum(steps for steps in told if steps is not None))
    ends = [round(end) for end in accumulate(rest if steps is None else float(steps) for steps in told)]
    made, begun = [], []
    for stage, start, end in zip(stages, [0, *ends], ends, strict=False):
        if (start == end and end != ends[-1]) or (start == end and made):
            continue
        given = {key: value for key, value in stage.items() if key not in ("name", "epochs", "steps", "share")}
        if stage["name"] == "CosineAnnealingLR":
            given.setdefault("T_max", max(1, end - start))
        if stage["name"] in ("ConstantLR", "LinearLR", "PolynomialLR"):
            given.setdefault("total_iters", max(1, end - start))
        name = "ConstantLR" if stage["name"] == "none" else stage["name"]
        given |= {"factor": 1.0} if stage["name"] == "none" else {}
        made.append(getattr(lr_scheduler, name)(optimizer, **given))
        begun.append(start)
    return lr_scheduler.SequentialLR(optimizer, made, begun[1:])


STAGES_WITHOUT_A_STEP = (
    [{"name": "none", "epochs": 1}, {"name": "ConstantLR", "share": 0.1}],
    [{"name": "none", "share": 0.1}, {"name": "none", "share": 0.1}],
)


def in_stages(stages: list[dict[str, Any]]) -> Written:
    scheduler = {"name": "SequentialLR", "stages": stages}
    return Written({"name": "SGD"}, scheduler, None, epochs=2, batch_size=1, images=1, val_losses=[0.0, 0.0])


@given(written())
@example(in_stages(STAGES_WITHOUT_A_STEP[0]))
@example(in_stages(STAGES_WITHOUT_A_STEP[1]))
@settings(max_examples=100, deadline=None)
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
@settings(max_examples=75, deadline=None)
def test_what_no_rule_forbids_the_rehearsal_finds_in_order(case: Written) -> None:
    preset, length = sound(case)

    rehearsal = rehearse(preset, length)

    assert rehearsal.problems == []
    assert rehearsal.exact
    assert rehearsal.last_step == length.total_steps
    assert rehearsal.steps[0] == 1
    assert rehearsal.steps == sorted(set(rehearsal.steps))


@given(written())
@settings(max_examples=75, deadline=None)
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
@settings(max_examples=60, deadline=None)
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
@settings(max_examples=50, deadline=None)
def test_a_warm_up_is_what_sequential_lr_makes_of_it(drawn: Written, epochs: int, data: st.DataObject) -> None:
    warmup = data.draw(st.integers(1, epochs - 1))
    arguments = {key: value for key, value in drawn.scheduler.items() if key != "eta_min"}
    case = replace(drawn, epochs=epochs, warmup={"epochs": warmup}, scheduler=arguments | {"interval": "step"})
    preset, length = sound(case)
    optimizer = optimizer_by_hand(case)
    ramp = lr_scheduler.LinearLR(optimizer, 0.1, 1.0, warmup * case.batches)
    main, _ = scheduler_by_hand(case, optimizer, warmup * case.batches)
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
        if key not in ("name", *OF_GROUPS):
            assert field.default == theirs[key].default, key
    speed = {"params", "foreach", "fused", "maximize", "capturable", "differentiable"}
    # Adam has it from torch 2.7 on, and is AdamW with it.
    assert theirs.keys() - fields.keys() - speed <= ({"decoupled_weight_decay"} if name == "Adam" else set())


OWN_ARGUMENTS = {"none", "LambdaLR", "PiecewiseLinear", "SequentialLR"}
"""Where torch takes functions or schedulers, or has no such class."""


@pytest.mark.parametrize("name", [name for name in SCHEDULER_TABLES if name not in OWN_ARGUMENTS])
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
