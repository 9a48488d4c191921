"""The LRs that are reckoned without torch, against a rehearsal of torch's own; and which come to the same."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.presets.drawing import Written, written
from tui_trainer.engine.lr_preview import length_of, rehearse
from tui_trainer.presets.checks import check, parse
from tui_trainer.presets.lrs import PlannedLRs, same_lrs
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schema import Preset

LOOSE = settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)


@LOOSE
@given(written())
def test_they_are_those_of_the_real_scheduler(case: Written) -> None:
    preset = Preset.model_validate(case.tables)
    assume(not any(problem.severity == "error" for problem in check(preset, RunConditions(case.images))))
    planned = PlannedLRs(preset, case.batches)
    rehearsed = rehearse(preset, length_of(preset, case.images), sample_above=10**9)
    assume(not rehearsed.problems)
    ends = [*rehearsed.steps[1:], rehearsed.last_step + 1]
    real = [lr for lr, a, b in zip(rehearsed.lrs, rehearsed.steps, ends, strict=True) for _ in range(a, b)]
    scale = max(map(abs, real))
    assert len(real) == planned.steps
    assert [planned.at(step) for step in range(planned.steps)] == pytest.approx(real, rel=1e-6, abs=1e-9 * scale)
    assert same_lrs(planned, planned) != planned.depends_on_losses


def planned(scheduler: str, *, lr: float = 0.001, epochs: int = 5, more: str = "") -> PlannedLRs:
    text = f'[training]\nepochs = {epochs}\n[optimizer]\nname = "Adam"\nlr = {lr}\n[scheduler]\n{scheduler}\n{more}'
    return PlannedLRs(parse(text), 63)


NONE = 'name = "none"'


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('name = "StepLR"\nstep_size = 5', NONE),
        ('name = "MultiStepLR"\nmilestones = [5, 9]', NONE),
        ('name = "StepLR"\nstep_size = 1\ngamma = 0.5', 'name = "ExponentialLR"\ngamma = 0.5'),
        ('name = "StepLR"\nstep_size = 2', 'name = "MultiStepLR"\nmilestones = [2, 4]'),
        ('name = "PolynomialLR"', 'name = "LinearLR"\nstart_factor = 1.0\nend_factor = 0.0'),
        ('name = "ReduceLROnPlateau"\npatience = 3', NONE),  # the run is too short for a drop
        ('name = "CosineAnnealingWarmRestarts"\nT_0 = 5', 'name = "CosineAnnealingLR"'),
        ('name = "StepLR"\nstep_size = 126\ninterval = "step"', 'name = "StepLR"\nstep_size = 2'),
    ],
)
def test_those_that_come_to_the_same(one: str, other: str) -> None:
    assert same_lrs(planned(one), planned(other))
    assert same_lrs(planned(other), planned(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('name = "StepLR"\nstep_size = 4', NONE),  # a single drop, in the last epoch
        ('name = "StepLR"\nstep_size = 314\ninterval = "step"', NONE),  # in the last step
        ('name = "ReduceLROnPlateau"\npatience = 2', NONE),  # which may drop
        ('name = "ReduceLROnPlateau"\npatience = 2', 'name = "ReduceLROnPlateau"\npatience = 2'),
        ('name = "CosineAnnealingLR"', 'name = "PolynomialLR"'),
    ],
)
def test_those_that_do_not(one: str, other: str) -> None:
    assert not same_lrs(planned(one), planned(other))


def test_a_longer_run_an_other_lr_or_a_warm_up_is_not_the_same() -> None:
    step = 'name = "StepLR"\nstep_size = 5'
    assert not same_lrs(planned(step, epochs=6), planned(NONE, epochs=6))
    assert not same_lrs(planned(NONE), planned(NONE, epochs=6))
    assert not same_lrs(planned(NONE), planned(NONE, lr=0.0011))
    assert not same_lrs(planned(NONE), planned(NONE, more="[warmup]\nepochs = 1"))
    million = planned('name = "StepLR"\nstep_size = 15000', epochs=16000), planned(NONE, epochs=16000)
    assert not same_lrs(*million)  # one turn in a million steps


CYCLIC = 'name = "CyclicLR"\nbase_lr = 0.001\nmax_lr = 0.01\nstep_size_up = 2\n'


@pytest.mark.parametrize(
    "scheduler",
    [
        'name = "ExponentialLR"\ngamma = 3.0\ninterval = "step"',
        'name = "StepLR"\nstep_size = 1\ngamma = 10.0\ninterval = "step"',
        f'name = "MultiStepLR"\nmilestones = {[*range(1, 400)]}\ngamma = 10.0\ninterval = "step"',
        CYCLIC + 'mode = "exp_range"\ngamma = 1.5',
        CYCLIC + 'mode = "triangular2"',
    ],
)
def test_what_no_number_can_say_is_the_same_as_nothing(scheduler: str) -> None:
    grows = planned(scheduler, epochs=80)
    assert not same_lrs(grows, grows)
    assert not same_lrs(grows, planned(NONE, epochs=80))
