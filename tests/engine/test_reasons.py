"""Why the LR moved or did not: said when it did or did not, and in the words of the lesson."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import assume, example, given, settings

from tests.presets.drawing import Written, written
from tui_trainer.engine.reasons import explain
from tui_trainer.engine.schedules import RunLength, Schedule, build_optimizer
from tui_trainer.events import LRChanged, LRUnchanged, PlateauCounted
from tui_trainer.lr_reasons import MANY_TURNS, SchedulerEvent
from tui_trainer.presets.checks import check, parse
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schedulers import SequentialLR
from tui_trainer.presets.schema import Preset
from tui_trainer.text.reasons import ENDS, NOT_BETTER, WORDS, Reason, Steps, read, word

BATCHES = 3


def told(
    preset: Preset, length: RunLength, losses: list[float] | None = None, first_epoch: int = 1
) -> list[SchedulerEvent]:
    """All that is said in a run; its epochs are counted from `first_epoch`, as after a switch of presets."""
    optimizer = build_optimizer(preset.optimizer, [torch.nn.Parameter(torch.zeros(1))])
    scheduler = Schedule(preset, optimizer, length)
    said: list[SchedulerEvent] = []
    step = 0
    for epoch in range(first_epoch, first_epoch + length.epochs):
        for _ in range(length.batches_per_epoch):
            optimizer.step()
            step += 1
            if scheduler.due_after_batch:
                old = scheduler.scheduled_lrs
                scheduler.step()
                said += explain(scheduler, old, epoch=epoch, step=step)
        if scheduler.due_after_epoch:
            old, loss = scheduler.scheduled_lrs, losses[epoch - first_epoch] if losses else 1.0
            scheduler.step(val_loss=loss, val_accuracy=1 - loss)
            said += explain(scheduler, old, epoch=epoch, step=step)
    return said


def moves(
    scheduler: str, epochs: int, losses: list[float] | None = None, lr: float = 0.001, more: str = ""
) -> list[LRChanged | LRUnchanged]:
    """Every change of the LR, and where it was held."""
    preset = parse(f'[optimizer]\nname = "SGD"\nmomentum = 0.9\nlr = {lr}\n[scheduler]\n{scheduler}\n{more}')
    said = told(preset, RunLength(epochs, BATCHES), losses)
    return [event for event in said if not isinstance(event, PlateauCounted)]


def words(
    scheduler: str, epochs: int, losses: list[float] | None = None, lr: float = 0.001, more: str = ""
) -> list[str]:
    """`epoch: reason` of every change, and `epoch - reason` where the LR was held."""
    marks = {LRChanged: ":", LRUnchanged: " -"}
    return [f"{s.epoch}{marks[type(s)]} {s.reason}" for s in moves(scheduler, epochs, losses, lr, more)]


_PLATEAU = 'name = "ReduceLROnPlateau"\nfactor = 0.5\npatience = 0\ncooldown = 2\n'
_TRIANGLE = 'name = "CyclicLR"\nbase_lr = 0.1\nmax_lr = 1\nstep_size_up = 2\ninterval = "epoch"'
_UPWARDS = 'name = "CosineAnnealingLR"\nT_max = 2\neta_min = 5'
_ONE_CYCLE = 'name = "OneCycleLR"\nmax_lr = 0.1\ninterval = "epoch"'
_STAGES = """name = "SequentialLR"
[[scheduler.stages]]
name = "none"
epochs = 3
[[scheduler.stages]]
name = "ExponentialLR"
gamma = 0.5
"""
_STABLE = """name = "LambdaLR"
formula = "warmup_stable_decay"
warmup_iters = 2
decay_iters = 2
interval = "epoch"
"""
_WSD = {"formula": "warmup_stable_decay"}
_POINTS = 'name = "PiecewiseLinear"\npoints = [[0, 1], [2, 0.5], [4, 0.25]]\ninterval = "epoch"'
_SEEN: dict[str, float] = {"best": 1.0, "best_epoch": 1}
_WAITED: dict[str, float | str] = {"monitor": "val_loss", "best": 1.0, "bad_epochs": 1, "patience": 0}
_ANNEALED = {"lr": 0.09719, "lowest": 4e-7}

SAID: list[tuple[str, str, int, str, dict[str, object]]] = [
    ('name = "none"', "[warmup]\nepochs = 2", 2, "warmup_over_no_scheduler", {"length": Steps(2, "epoch"), "lr": 1.0}),
    (
        'name = "ExponentialLR"\ngamma = 0.5',
        "[warmup]\nepochs = 2",
        2,
        "warmup_over",
        {"length": Steps(2, "epoch"), "lr": 1.0, "scheduler": "ExponentialLR"},
    ),
    ('name = "StepLR"\nstep_size = 3', "", 1, "next_drop", {"left": Steps(2, "epoch")}),
    ('name = "StepLR"\nstep_size = 3', "", 3, "step_size_reached", {"step_size": 3}),
    ('name = "StepLR"\nstep_size = 3', "", 7, "no_drop_left", {}),
    ('name = "MultiStepLR"\nmilestones = [2]', "", 1, "next_milestone", {"left": Steps(1, "epoch")}),
    ('name = "MultiStepLR"\nmilestones = [2]', "", 2, "milestone_reached", {"milestone": 2}),
    ('name = "MultiStepLR"\nmilestones = [2]', "", 3, "no_milestone_left", {}),
    ('name = "ExponentialLR"\ngamma = 0.5', "", 1, "gamma", {"gamma": 0.5}),
    (
        'name = "ConstantLR"\nfactor = 0.5\ntotal_iters = 2',
        "",
        1,
        "factor_holds",
        {"factor": 0.5, "left": Steps(1, "epoch")},
    ),
    ('name = "ConstantLR"\nfactor = 0.5\ntotal_iters = 2', "", 2, "factor_lifted", {"total_iters": 2, "factor": 0.5}),
    ('name = "ConstantLR"\nfactor = 0.5\ntotal_iters = 2', "", 3, "factor_over", {"total_iters": 2}),
    ('name = "LinearLR"\ntotal_iters = 2', "", 1, "line", {"place": 1, "total_iters": 2}),
    ('name = "LinearLR"\ntotal_iters = 2', "", 3, "line_over", {"total_iters": 2}),
    ('name = "PolynomialLR"\ntotal_iters = 2', "", 1, "power_curve", {"place": 1, "total_iters": 2}),
    ('name = "PolynomialLR"\ntotal_iters = 2', "", 3, "power_curve_over", {"total_iters": 2}),
    ('name = "CosineAnnealingLR"\nT_max = 2', "", 1, "cosine", {"place": 1, "half": 2}),
    ('name = "CosineAnnealingLR"\nT_max = 2', "", 2, "cosine_bottom", {}),
    ('name = "CosineAnnealingLR"\nT_max = 2', "", 3, "cosine_climbs", {"place": 1, "half": 2}),
    ('name = "CosineAnnealingLR"\nT_max = 2', "", 4, "cosine_top", {}),
    (_UPWARDS, "", 2, "cosine_at_eta_min", {}),
    (_UPWARDS, "", 3, "cosine_goes_back", {"place": 1, "half": 2}),
    (_UPWARDS, "", 4, "cosine_begins_again", {}),
    ('name = "CosineAnnealingWarmRestarts"\nT_0 = 2', "", 1, "cosine_to_restart", {"place": 1, "cycle": 2}),
    ('name = "CosineAnnealingWarmRestarts"\nT_0 = 2', "", 2, "restart", {"cycle": Steps(2, "epoch")}),
    (_TRIANGLE, "", 1, "cyclic_up", {"place": 1, "up": 2}),
    (_TRIANGLE, "", 2, "cyclic_top", {"cycle": 1}),
    (_TRIANGLE, "", 3, "cyclic_down", {"place": 1, "down": 2}),
    (_TRIANGLE, "", 4, "cyclic_bottom", {"cycle": 2}),
    (_ONE_CYCLE, "", 1, "one_cycle_up", {"place": 1, "up": 2}),
    (_ONE_CYCLE, "", 2, "one_cycle_peak", _ANNEALED),
    (_ONE_CYCLE, "", 3, "one_cycle_down", {"place": 1, "down": 5}),
    (f"{_ONE_CYCLE}\nthree_phase = true", "", 3, "one_cycle_back", {**_ANNEALED, "lr": 0.004}),
    (_ONE_CYCLE, "", 7, "one_cycle_bottom", {"lowest": 4e-7}),
    (f"{_ONE_CYCLE}\nfinal_div_factor = 0.5", "", 7, "one_cycle_end", {"lr": 0.008}),
    (_ONE_CYCLE, "", 8, "one_cycle_over", {}),
    (_STAGES, "", 1, "stable", {"stage": 1, "stages": 2, "until_epoch": 3}),
    (_STAGES, "", 3, "stage_begins", {"scheduler": "ExponentialLR", "stage": 2, "stages": 2}),
    (_STABLE, "", 1, "formula_up", {**_WSD, "place": 1, "up": 2}),
    (_STABLE, "", 2, "formula_holds", {**_WSD, "left": Steps(4, "epoch")}),
    (_STABLE, "", 6, "formula_top", _WSD),
    (_STABLE, "", 7, "formula_down", {**_WSD, "place": 1, "down": 2}),
    (
        'name = "LambdaLR"\nformula = "inverse_time"\ninterval = "epoch"',
        "",
        2,
        "formula_falls",
        {"formula": "inverse_time"},
    ),
    (_POINTS, "", 1, "to_point", {"points": 3, "point": 2, "lr": 0.5}),
    (_POINTS, "", 2, "at_point", {"points": 3, "point": 2, "lr": 0.5}),
    (_POINTS, "", 5, "behind_points", {"lr": 0.25}),
    (_PLATEAU, "", 1, "best_so_far", {"monitor": "val_loss", "value": 1.0}),
    (_PLATEAU.replace("0\nc", "1\nc"), "", 2, "not_better", {**_SEEN, "bad_epochs": 1, "patience": 1}),
    (_PLATEAU, "", 2, "patience_used_up", {**_WAITED, "old": 1.0, "new": 0.5}),
    (_PLATEAU, "", 3, "cooling_down", {**_SEEN, "monitor": "val_loss", "value": 1.0, "cooldown": 1}),
    (_PLATEAU, "", 4, "cooled_down", {**_SEEN, "monitor": "val_loss", "value": 1.0}),
    (f"{_PLATEAU}min_lr = 1", "", 2, "at_min_lr", {**_WAITED, "lr": 1.0}),
    (f"{_PLATEAU}eps = 2", "", 2, "drop_too_small", {**_WAITED, "eps": 2.0, "lr": 1.0}),
]
"""A scheduler and what stands behind it, an epoch of 8, and the reason that is told as it ends."""

BY_LITTLE = "not_better_by_threshold"

OF_THE_ENGINE = {code for *_, code, _ in SAID} | {BY_LITTLE}
"""The codes that a scheduler may have."""


@pytest.mark.says("why.*")
@pytest.mark.parametrize(("scheduler", "more", "epoch", "code", "params"), SAID, ids=[said[3] for said in SAID])
def test_each_reason_is_told_with_its_values_where_it_holds(
    scheduler: str, more: str, epoch: int, code: str, params: dict[str, object]
) -> None:
    (event,) = (event for event in moves(scheduler, 8, lr=1, more=more) if event.epoch == epoch)
    moved = {"old", "new", "unused"} - params.keys()
    assert event.why.code == code
    told = read(event.reason)  # its values are as precise as the words
    assert event.why.code == told.code
    assert {name: value for name, value in told.params.items() if name not in moved} == params
    if not code.startswith("warmup"):
        assert event.why.tells_change == isinstance(event, LRChanged)
    assert ("unused" in event.why.params) == (epoch == 8 and isinstance(event, LRChanged))


@pytest.mark.says("why.not_better_by_threshold")
def test_an_epoch_that_is_better_by_less_than_the_threshold() -> None:
    event = moves('name = "ReduceLROnPlateau"\npatience = 2', 2, [0.8, 0.79999])[1]
    assert event.why == Reason(BY_LITTLE, {"best": 0.8, "best_epoch": 1, "bad_epochs": 1, "patience": 2})


def test_a_scheduler_that_steps_in_the_batch_loop_tells_the_change_but_for_onecycle() -> None:
    restart = moves('name = "CosineAnnealingWarmRestarts"\nT_0 = 3\nT_mult = 2\ninterval = "step"', 5, lr=1)[0].why
    assert restart == Reason("restart", {"cycle": Steps(6, "batch", 2), "old": pytest.approx(0.25), "new": 1.0})
    assert not moves('name = "OneCycleLR"\nmax_lr = 0.1', 10)[0].why.tells_change


def test_every_code_of_the_table_is_told_by_somebody() -> None:
    of_the_screen = {"patience_at_its_end", "patience_cools_down", "patience_begins", "patience_begins_low"}
    watched = {"written_by", "written_falls", "written_rises", "changed_by", "changed_falls", "changed_rises"}
    watched |= {"kept_by", "next_scheduler", "taken_over", "dialled", "dialled_off"}
    of_the_dial = {"dial_turned", "dial_off"}
    of_swa = {"swa", "swa_holds"}
    assert OF_THE_ENGINE | of_swa | of_the_screen | watched | of_the_dial | ENDS | {"in_words"} == set(WORDS)


def test_step_lr() -> None:
    assert words('name = "StepLR"\nstep_size = 3\ngamma = 0.5', 6) == [
        "1 - next drop in 2 epochs",
        "2 - next drop in 1 epoch",
        "3: step_size 3 reached, 0.001 → 0.0005",
        "4 - no drop left in this run",
        "5 - no drop left in this run",
        "6: step_size 3 reached, 0.0005 → 0.00025, with no epoch left to use it",
    ]


def test_multi_step_lr() -> None:
    assert words('name = "MultiStepLR"\nmilestones = [1, 3]\ngamma = 0.5', 4) == [
        "1: milestone 1 reached, 0.001 → 0.0005",
        "2 - next milestone in 1 epoch",
        "3: milestone 3 reached, 0.0005 → 0.00025",
        "4 - no milestone left",
    ]


def test_exponential_lr() -> None:
    assert words('name = "ExponentialLR"\ngamma = 0.9', 2, lr=1) == [
        "1: gamma ×0.9, 1 → 0.9",
        "2: gamma ×0.9, 0.9 → 0.81, with no epoch left to use it",
    ]


def test_cosine_to_its_bottom_and_up_again() -> None:
    assert words('name = "CosineAnnealingLR"\nT_max = 2', 5, lr=1) == [
        "1: cosine 1/2 of the way, 1 → 0.5",
        "2: cosine at its bottom, 0.5 → 0",
        "3: past T_max, so the cosine climbs again, 1/2 of the way, 0 → 0.5",
        "4: cosine at its top again, 0.5 → 1",
        "5: cosine 1/2 of the way, 1 → 0.5, with no epoch left to use it",
    ]


def test_constant_linear_and_polynomial() -> None:
    assert words('name = "ConstantLR"\nfactor = 0.5\ntotal_iters = 2', 3, lr=1) == [
        "1 - factor 0.5 for 1 epoch more",
        "2: total_iters 2 reached, factor 0.5 lifted, 0.5 → 1",
        "3 - all of the LR since total_iters 2",
    ]
    assert words('name = "LinearLR"\nstart_factor = 0.5\ntotal_iters = 2', 3, lr=1) == [
        "1: line 1/2 of the way, 0.5 → 0.75",
        "2: line 2/2 of the way, 0.75 → 1",
        "3 - line over since total_iters 2",
    ]
    assert words('name = "PolynomialLR"', 2, lr=1) == [
        "1: power curve 1/2 of the way, 1 → 0.5",
        "2: power curve 2/2 of the way, 0.5 → 0, with no epoch left to use it",
    ]


def test_warm_restarts_by_epoch_and_by_batch() -> None:
    assert words('name = "CosineAnnealingWarmRestarts"\nT_0 = 2\nT_mult = 2', 4, lr=1) == [
        "1: cosine 1/2 of the way to a restart, 1 → 0.5",
        "2: restart: the next cycle lasts 4 epochs, 0.5 → 1",
        "3: cosine 1/4 of the way to a restart, 1 → 0.8536",
        "4: cosine 2/4 of the way to a restart, 0.8536 → 0.5, with no epoch left to use it",
    ]
    assert words('name = "CosineAnnealingWarmRestarts"\nT_0 = 3\nT_mult = 2\ninterval = "step"', 5, lr=1) == [
        "1: restart: the next cycle lasts 6 batches (2 epochs), 0.25 → 1",
        "3: restart: the next cycle lasts 12 batches (4 epochs), 0.06699 → 1",
    ]


def test_one_cycle() -> None:
    assert words('name = "OneCycleLR"\nmax_lr = 0.1', 10) == [
        "3: OneCycleLR at its peak, 0.1; from here it anneals to 4e-7",
        "10: OneCycleLR at its bottom, 4e-7",
    ]
    assert words('name = "OneCycleLR"\nmax_lr = 0.1\nthree_phase = true', 10) == [
        "3: OneCycleLR at its peak, 0.1; from here it anneals to 4e-7",
        "6: OneCycleLR back where it started, 0.004; from here it anneals to 4e-7",
        "10: OneCycleLR at its bottom, 4e-7",
    ]


def test_one_cycle_in_a_run_too_short_for_its_third_phase() -> None:
    one_cycle = 'name = "OneCycleLR"\nmax_lr = 1\npct_start = 0.25\nthree_phase = true\ninterval = "epoch"'
    assert len(words(one_cycle, 3, lr=0.1)) == 3


def test_cyclic() -> None:
    assert words('name = "CyclicLR"\nbase_lr = 0.1\nmax_lr = 1\nstep_size_up = 2\nstep_size_down = 3', 4) == [
        "1: CyclicLR at the top of cycle 1, 0.55 → 1",
        "2: CyclicLR at the bottom, cycle 2 begins, 0.4 → 0.1",
        "3: CyclicLR at the top of cycle 2, 0.55 → 1",
        "4: CyclicLR at the bottom, cycle 3 begins, 0.4 → 0.1",
    ]


def test_warm_up() -> None:
    assert words('name = "StepLR"\nstep_size = 1\ngamma = 0.1', 3, lr=0.1, more="[warmup]\nepochs = 1") == [
        "1: warm-up over after 1 epoch, at 0.1; from here StepLR has it",
        "2: step_size 1 reached, 0.1 → 0.01",
        "3: step_size 1 reached, 0.01 → 0.001, with no epoch left to use it",
    ]
    assert words('name = "none"', 3, lr=0.1, more="[warmup]\nepochs = 2") == ["2: warm-up over after 2 epochs, at 0.1"]
    assert words('name = "none"', 3, lr=0.1, more="[warmup]\nsteps = 4") == ["2: warm-up over after 4 steps, at 0.1"]
    assert read("warm-up over after 1 epoch, at 0.1").code == "warmup_over_no_scheduler"  # as older records have it


def test_plateau_as_the_lesson_tells_it() -> None:
    losses = [0.88, 0.81, 0.81, 0.8010, 0.80099, 0.805, 0.806, 0.79]
    assert words('name = "ReduceLROnPlateau"\nfactor = 0.5\npatience = 2', 8, losses) == [
        "1 - val_loss 0.8800, best so far",
        "2 - val_loss 0.8100, best so far",
        "3 - not better for 1 of 2 epochs (best 0.8100 at epoch 2)",
        "4 - val_loss 0.8010, best so far",
        "5 - not better by the threshold for 1 of 2 epochs (best 0.8010 at epoch 4)",
        "6 - not better for 2 of 2 epochs (best 0.8010 at epoch 4)",
        "7: val_loss not better than 0.8010 for 3 epochs (patience 2): 0.001 → 0.0005",
        "8 - val_loss 0.7900, best so far",
    ]


def test_plateau_of_a_metric_that_is_to_rise() -> None:
    """The threshold is a part of the best: of a best of zero it is nothing."""
    losses = [1.0, 0.9999, 0.9999, 0.2, 0.19999, 0.21, 0.1]
    watching = 'name = "ReduceLROnPlateau"\nmonitor = "val_accuracy"\nmode = "max"\npatience = 2'
    assert words(watching, 7, losses) == [
        "1 - val_accuracy 0.0000, best so far",
        "2 - val_accuracy 0.0001, best so far",
        "3 - not better for 1 of 2 epochs (best 0.0001 at epoch 2)",
        "4 - val_accuracy 0.8000, best so far",
        "5 - not better by the threshold for 1 of 2 epochs (best 0.8000 at epoch 4)",
        "6 - not better for 2 of 2 epochs (best 0.8000 at epoch 4)",
        "7 - val_accuracy 0.9000, best so far",
    ]
    preset = parse(f'[optimizer]\nname = "SGD"\n[scheduler]\n{watching}')
    of_zero = told(preset, RunLength(3, BATCHES), [1.0, 1 - 1e-9, 1 - 1e-9])
    assert [s.bad_epochs for s in of_zero if isinstance(s, PlateauCounted)] == [0, 0, 1]


def test_plateau_counts_with_what_it_saw() -> None:
    preset = parse('[optimizer]\nname = "SGD"\n[scheduler]\nname = "ReduceLROnPlateau"\npatience = 0\ncooldown = 2')
    counts = [s for s in told(preset, RunLength(4, 1), [0.5, 0.7, 0.6, 0.4]) if isinstance(s, PlateauCounted)]
    assert [(c.value, c.best, c.bad_epochs, c.cooldown) for c in counts] == [
        (0.5, 0.5, 0, 0),
        (0.7, 0.5, 1, 2),
        (0.6, 0.5, 0, 1),
        (0.4, 0.4, 0, 0),
    ]


def test_plateau_at_its_ends_and_in_cooldown() -> None:
    plateau = 'name = "ReduceLROnPlateau"\nfactor = 0.5\npatience = 0\ncooldown = 2\n'
    assert words(plateau + "min_lr = 0.05", 5, lr=0.1) == [
        "1 - val_loss 1.0000, best so far",
        "2: val_loss not better than 1.0000 for 1 epoch (patience 0): 0.1 → 0.05",
        "3 - val_loss 1.0000 not counted, 1 more epoch of cooldown (best 1.0000 at epoch 1)",
        "4 - val_loss 1.0000 not counted, the last epoch of cooldown (best 1.0000 at epoch 1)",
        "5 - val_loss not better than 1.0000 for 1 epoch (patience 0), but the LR is at min_lr already, 0.05",
    ]
    assert words(plateau + "eps = 0.2", 2, lr=0.1)[-1] == (
        "2 - val_loss not better than 1.0000 for 1 epoch (patience 0),"
        " but a drop of 0.2 (eps) or less is not made: still 0.1"
    )


def test_plateau_counts_epochs_of_the_run_after_a_switch() -> None:
    preset = parse('[optimizer]\nname = "SGD"\n[scheduler]\nname = "ReduceLROnPlateau"\npatience = 1')
    counts = [s for s in told(preset, RunLength(4, 1), [2, 1, 1, 1], first_epoch=11) if isinstance(s, PlateauCounted)]

    assert [(c.epoch, c.best_epoch, c.bad_epochs) for c in counts] == [
        (11, 11, 0),
        (12, 12, 0),
        (13, 12, 1),
        (14, 12, 2),
    ]


def _steps(steps: object) -> int:
    assert isinstance(steps, Steps)
    return steps.number


def _at(lrs: list[float], i: int) -> float:
    return lrs[min(i, len(lrs) - 1)]


ROUNDED = 1e-9
"""How far LRs may be from what they should be, as a part of the highest."""

HOLDS: dict[str, Callable[[Reason, list[float], int], bool]] = {
    "step_size_reached": lambda why, lrs, k: k % int(why.params["step_size"]) == 0,
    "next_drop": lambda why, lrs, k: lrs[k] == lrs[k - 1] and k + _steps(why.params["left"]) < len(lrs),
    "no_drop_left": lambda why, lrs, k: len({*lrs[k:-1]}) <= 1,
    "milestone_reached": lambda why, lrs, k: k == why.params["milestone"],
    "next_milestone": lambda why, lrs, k: len({*lrs[k : k + _steps(why.params["left"])]}) == 1,
    "no_milestone_left": lambda why, lrs, k: len({*lrs[k:]}) == 1,
    "factor_holds": lambda why, lrs, k: len({*lrs[k : k + _steps(why.params["left"])]}) == 1,
    "factor_over": lambda why, lrs, k: len({*lrs[k:]}) == 1,
    "line_over": lambda why, lrs, k: lrs[k] == lrs[k - 1],
    "power_curve_over": lambda why, lrs, k: lrs[k] == lrs[k - 1],
    "cosine_bottom": lambda why, lrs, k: lrs[k] <= min(lrs) + ROUNDED * max(lrs),
    "cosine_climbs": lambda why, lrs, k: lrs[k] >= lrs[k - 1] - ROUNDED * max(lrs),
    "cosine_top": lambda why, lrs, k: lrs[k] >= max(lrs) * (1 - ROUNDED),
    "cosine_at_eta_min": lambda why, lrs, k: lrs[k] >= max(lrs) * (1 - ROUNDED),
    "cosine_goes_back": lambda why, lrs, k: lrs[k] <= lrs[k - 1] + ROUNDED * max(lrs),
    "cosine_begins_again": lambda why, lrs, k: lrs[k] <= min(lrs) + ROUNDED * max(lrs),
    "restart": lambda why, lrs, k: abs(lrs[k] - lrs[0]) <= ROUNDED * max(lrs),
    "cyclic_bottom": lambda why, lrs, k: lrs[k] <= min(lrs) + ROUNDED * max(lrs),
    "cyclic_up": lambda why, lrs, k: int(why.params["place"]) < int(why.params["up"]),
    "cyclic_down": lambda why, lrs, k: int(why.params["place"]) < int(why.params["down"]),
    "cyclic_top": lambda why, lrs, k: lrs[k] >= max(_at(lrs, k + 1), lrs[k - 1]) - ROUNDED * max(lrs),
    "one_cycle_up": lambda why, lrs, k: lrs[k] >= lrs[k - 1],
    "one_cycle_peak": lambda why, lrs, k: lrs[k] >= max(lrs[:-1]) * (1 - ROUNDED),
    "one_cycle_down": lambda why, lrs, k: lrs[k] <= lrs[k - 1],
    "one_cycle_back": lambda why, lrs, k: lrs[k] <= lrs[k - 1],
    "one_cycle_bottom": lambda why, lrs, k: lrs[k] <= min(lrs[: k + 1]) + ROUNDED * max(lrs),
    "patience_used_up": lambda why, lrs, k: lrs[k] < lrs[k - 1],
    "at_min_lr": lambda why, lrs, k: lrs[k] == lrs[k - 1],
    "drop_too_small": lambda why, lrs, k: lrs[k] == lrs[k - 1],
}
"""What must be so of the LR after each of the scheduler's steps, of which `k` is the one that the reason tells of."""


STEPLESS_STAGE = Written(
    optimizer={"name": "SGD"},
    scheduler={
        "name": "SequentialLR",
        "stages": [{"name": "ConstantLR", "epochs": 1}, {"name": "none", "share": 0.1}],
    },
    warmup=None,
    epochs=2,
    batch_size=1,
    images=1,
    val_losses=[0.0, 0.0],
)
"""Its second stage has no step: the first one has the rest, and no end is told of it."""


@pytest.mark.never_says("why.*", in_all_cases=False)
@example(STEPLESS_STAGE)
@given(written())
@settings(max_examples=60, deadline=None)
def test_no_reason_is_told_where_the_lr_did_otherwise(case: Written) -> None:
    preset = Preset.model_validate(case.tables)
    assume(not any(problem.severity == "error" for problem in check(preset, RunConditions(case.images))))
    length = RunLength(case.epochs, case.batches)
    by_step, lrs, firsts = followed(preset, length, case.val_losses)
    for event in told(preset, length, case.val_losses):
        if isinstance(event, PlateauCounted):
            continue
        moved = isinstance(event, LRChanged)
        if event.why.code.startswith("warmup"):
            assert preset.warmup_steps(length.batches_per_epoch) == event.step
            continue
        assert moved == event.why.tells_change or event.why.code.startswith("one_cycle")
        k = by_step[event.step]
        assert not moved or (event.old, event.new) == (lrs[k - 1], lrs[k])
        start, end = stage_of(event.why, preset, length)
        falls_faster = event.why.code == "cyclic_top" and getattr(preset.scheduler, "mode", "") == "exp_range"
        if (holds := HOLDS.get(event.why.code)) and not falls_faster:  # what it is multiplied by, than a triangle rises
            assert holds(event.why, lrs[start:end], k - start), (event, k, lrs)
        if event.why.code in ("best_so_far", *NOT_BETTER):
            rises = preset.scheduler.monitor == "val_accuracy"
            seen = [loss - 1 if rises else loss for loss in case.val_losses[firsts : event.epoch]]
            best = min(seen[: int(event.why.params["best_epoch"]) - firsts]) if event.why.code in NOT_BETTER else None
            assert (event.why.code == "best_so_far") == (best is None)
            below_zero = rises and max(case.val_losses) > 1  # an accuracy that there is none of: thresholds turn round
            assert best is not None or len(seen) == 1 or seen[-1] < min(seen[:-1]) or below_zero
            assert event.why.code != BY_LITTLE or seen[-1] < best
            assert event.why.code != "not_better" or seen[-1] >= best


def stage_of(why: Reason, preset: Preset, length: RunLength) -> tuple[int, int | None]:
    """The steps of the stage that a reason is of; all, where it is of no stage."""
    if not isinstance(preset.scheduler, SequentialLR):
        return 0, None
    each = length.batches_per_epoch if preset.scheduler.interval == "step" else 1
    total = length.epochs * each - preset.warmup_steps(length.batches_per_epoch) // (length.batches_per_epoch // each)
    parts = preset.scheduler.parts(total, each)
    start = parts[int(str(why.params["stage"])) - 1].start
    until = why.params.get("until_step", why.params.get("until_epoch"))
    following = min((part.start for part in parts if part.length and part.start > start), default=None)
    assert (until is None) == (following is None or following >= total)
    return start, following


def followed(preset: Preset, length: RunLength, losses: list[float]) -> tuple[dict[int, int], list[float], int]:
    """How often the scheduler had stepped after each step that it stepped behind, its LRs, and the epochs before it."""
    optimizer = build_optimizer(preset.optimizer, [torch.nn.Parameter(torch.zeros(1))])
    scheduler = Schedule(preset, optimizer, length)
    by_step: dict[int, int] = {}
    lrs: list[float] = []
    step = 0

    def take(**metrics: float) -> None:
        scheduler.step(**metrics)
        if scheduler.step_count >= 0:
            by_step[step] = scheduler.step_count
            lrs.extend([scheduler.lr] * (scheduler.step_count + 1 - len(lrs)))

    if scheduler.step_count >= 0 and not preset.warmup:
        lrs.append(scheduler.lr)
    for epoch in range(1, length.epochs + 1):
        for _ in range(length.batches_per_epoch):
            optimizer.step()
            step += 1
            if scheduler.due_after_batch:
                take()
        if scheduler.due_after_epoch:
            take(val_loss=losses[epoch - 1], val_accuracy=1 - losses[epoch - 1])
    return by_step, lrs, scheduler.warmup_steps // length.batches_per_epoch


@given(written())
@settings(max_examples=60, deadline=None)
def test_every_change_is_told_once(case: Written) -> None:
    preset = Preset.model_validate(case.tables)
    assume(not any(problem.severity == "error" for problem in check(preset, RunConditions(case.images))))
    length = RunLength(case.epochs, case.batches)

    said = told(preset, length, case.val_losses)

    moved = [event for event in said if not isinstance(event, PlateauCounted)]
    assert len({event.step for event in moved}) == len(moved) <= max(MANY_TURNS, case.epochs) + 1
    assert all(
        (event.old != event.new) for event in moved if isinstance(event, LRChanged) and "warm-up" not in event.reason
    )
    assert all(event.reason and "\n" not in event.reason for event in moved)
    assert all(word(event.why) == event.reason and event.why.code in OF_THE_ENGINE for event in moved)
    if preset.scheduler.interval == "epoch":
        warmup = preset.warmup_steps(case.batches)
        over = [-(-warmup // case.batches)] if warmup else []
        scheduled = list(range(warmup // case.batches + 1, case.epochs + 1))
        assert [event.epoch for event in moved] == over + scheduled
    if preset.scheduler.monitor:
        counts = [event.epoch for event in said if isinstance(event, PlateauCounted)]
        assert counts == list(range(preset.warmup_steps(case.batches) // case.batches + 1, case.epochs + 1))
