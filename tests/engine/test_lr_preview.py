"""The rehearsal: what it finds, what it says of itself, and how much it reckons."""

from __future__ import annotations

from collections.abc import Callable
from functools import partialmethod

import pytest
from torch.optim.lr_scheduler import LRScheduler

from tui_trainer.engine.lr_preview import full_plan, rehearse, rehearse_stalled, scheduler_steps
from tui_trainer.engine.schedules import RunLength
from tui_trainer.presets.catalogue import catalogue
from tui_trainer.presets.checks import parse
from tui_trainer.presets.problems import PresetError
from tui_trainer.presets.schema import Preset

SHIPPED = {entry.name: entry.preset for entry in catalogue() if entry.builtin and entry.preset}


def preset(scheduler: str, optimizer: str = 'name = "SGD"\nlr = 0.1\nmomentum = 0.9') -> Preset:
    return parse(f"[optimizer]\n{optimizer}\n\n[scheduler]\n{scheduler}\n", "p.toml")


@pytest.mark.parametrize("sample_above", [0, 50_000])
def test_an_exception_of_torch_is_a_problem(sample_above: int) -> None:
    divides_by_zero = preset('name = "OneCycleLR"\nmax_lr = 0.1\npct_start = 0.1\ninterval = "epoch"')

    rehearsal = rehearse(divides_by_zero, RunLength(10, 3), sample_above=sample_above)

    assert [str(problem) for problem in rehearsal.problems] == [
        "p.toml:6: scheduler: cannot run: float division by zero"
    ]
    with pytest.raises(PresetError, match="division by zero"):
        full_plan(divides_by_zero, RunLength(10, 3))


@pytest.mark.parametrize("sample_above", [0, 50_000])
def test_an_exception_at_the_step_after_the_last_batch_is_one_too(sample_above: int) -> None:
    late = preset(f'name = "OneCycleLR"\nmax_lr = 0.1\nthree_phase = true\npct_start = {2 / 3}')

    rehearsal = rehearse(late, RunLength(1, 3), sample_above=sample_above)

    assert "division" in rehearsal.problems[0].message


@pytest.mark.parametrize("sample_above", [0, pytest.param(50_000, marks=pytest.mark.says("rule.lr_impossible"))])
def test_an_lr_that_is_not_finite_is_a_problem(sample_above: int) -> None:
    grows = preset('name = "ExponentialLR"\ngamma = 1e200')

    rehearsal = rehearse(grows, RunLength(5, 1), sample_above=sample_above)

    assert len(rehearsal.problems) == 1
    assert rehearsal.problems[0].key == "scheduler"


@pytest.mark.never_says("rule.lr_impossible")
def test_a_zero_that_rounding_carries_below_zero_is_no_problem() -> None:
    for iterations in range(2, 20):
        line = preset(f'name = "LinearLR"\nend_factor = 0\ntotal_iters = {iterations}')
        assert rehearse(line, RunLength(20, 1)).problems == []


def test_an_optimizer_that_torch_refuses_is_a_problem() -> None:
    refused = preset('name = "none"', 'name = "SGD"\nnesterov = true')
    assert "Nesterov" in rehearse(refused, RunLength(1, 1)).problems[0].message


@pytest.mark.parametrize("sample_above", [0, 50_000])
def test_a_warm_up_that_leaves_nothing_is_a_problem(sample_above: int) -> None:
    """As when a run switches to a preset near its end."""
    plan = rehearse(SHIPPED["cosine-warmup"], RunLength(1, 63), sample_above=sample_above)
    (problem,) = plan.problems
    assert problem.key == "warmup"
    assert problem.message == "cannot run: a warm-up of 1 epoch leaves nothing of 1 epoch"


def test_plateau_is_planned_flat_and_says_on_what_it_depends() -> None:
    plan = rehearse(SHIPPED["plateau"], RunLength(10, 63))

    assert (plan.steps, plan.lrs) == ([1], [0.001])
    assert plan.note.startswith("depends on val_loss: ")


def test_plateau_stalled_drops_whenever_patience_is_over() -> None:
    stalled = rehearse_stalled(SHIPPED["plateau"], RunLength(10, 63))

    assert stalled is not None
    # Epoch 1 is the best; 2, 3 and 4 are not better, one more than its patience; so are 5, 6, 7 and 8, 9, 10.
    assert stalled.steps == [1, 4 * 63 + 1, 7 * 63 + 1]
    assert stalled.lrs == [0.001, 0.0005, 0.00025]
    assert rehearse_stalled(SHIPPED["steplr"], RunLength(10, 63)) is None


@pytest.mark.parametrize("name", SHIPPED)
def test_a_million_steps_are_planned_with_few_steps_of_a_scheduler_or_sampled(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    length = RunLength(1000, 1000)
    count = 0

    def counted(scheduler: LRScheduler, reckon: Callable[[LRScheduler], object]) -> object:
        nonlocal count
        count += 1
        return reckon(scheduler)

    for kind in LRScheduler.__subclasses__():
        for method in ("get_lr", "_get_closed_form_lr"):
            if method in vars(kind):
                monkeypatch.setattr(kind, method, partialmethod(counted, vars(kind)[method]))
    plan = rehearse(SHIPPED[name], length)

    assert count <= 50_000 + 10
    assert plan.exact == (scheduler_steps(SHIPPED[name], length) <= 50_000)
    assert plan.exact or "1,000,000 steps, sampled" in plan.note


def test_a_sampled_curve_keeps_its_turns() -> None:
    one_cycle = rehearse(SHIPPED["onecycle"], RunLength(1000, 1000))
    assert max(one_cycle.lrs) == pytest.approx(0.05, rel=1e-12)
    assert one_cycle.steps[one_cycle.lrs.index(max(one_cycle.lrs))] == 300_000
    assert min(one_cycle.lrs) == one_cycle.lrs[-1] == pytest.approx(2e-7)

    restarts = rehearse(
        preset('name = "CosineAnnealingWarmRestarts"\nT_0 = 3\nT_mult = 3\ninterval = "step"'), RunLength(1000, 1000)
    )
    begun = [step for step, lr in zip(restarts.steps, restarts.lrs, strict=True) if lr == 0.1]
    assert begun == [1 + (3**n - 1) // 2 * 3 for n in range(13)]
