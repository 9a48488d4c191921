"""timm's schedulers, which are told at which epoch or update they stand: their plan, and what is said of their LRs.

A package of the same shape stands for timm here; `scripts/watch_public_loops.py` runs the real one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.watch import timm_shapes
from tests.watch.test_real_loops import Told, told_of
from tui_trainer.events import PlanMade

LOOP = """
import sys
sys.path.insert(0, %r)
from timm.scheduler.cosine_lr import CosineLRScheduler
from timm.scheduler.plateau_lr import PlateauLRScheduler
from timm.scheduler.step_lr import StepLRScheduler

model = nn.Linear(8, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
train_loader = DataLoader(train_set, batch_size=16)
EPOCHS, A_PASS = 5, len(train_loader)
SCHEDULER
updates = first * A_PASS
if first and scheduler.t_in_epochs:
    scheduler.step(first)
elif first:
    scheduler.step_update(updates)
for epoch in range(first, EPOCHS):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        note(loss.item(), optimizer.param_groups[0]["lr"])
        updates += 1
        scheduler.step_update(num_updates=updates, metric=loss.item())
        scheduler.step_update(num_updates=updates)
    scheduler.step(epoch + 1, 0.5)
"""

MADE = {
    "cosine by epochs": "CosineLRScheduler(optimizer, EPOCHS, warmup_t=2, warmup_lr_init=1e-3)",
    "cosine by updates": (
        "CosineLRScheduler(optimizer, EPOCHS * A_PASS, warmup_t=A_PASS, warmup_lr_init=1e-3, t_in_epochs=False)"
    ),
    "step": "StepLRScheduler(optimizer, 2, 0.1)",
    "resumed by epochs": "CosineLRScheduler(optimizer, EPOCHS, warmup_t=2, warmup_lr_init=1e-3)",
    "resumed by updates": "CosineLRScheduler(optimizer, EPOCHS * A_PASS, t_in_epochs=False)",
    "plateau": "PlateauLRScheduler(optimizer, 0.1, 1)",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Told]:
    """What is told of a loop with one of them; each is run once."""
    beside = tmp_path_factory.mktemp("beside")
    timm_shapes.write(beside)

    def of(name: str) -> Told:
        first = 2 if name.startswith("resumed") else 0
        made = f"scheduler = {MADE[name]}\nfirst = {first}"
        return told_of(tmp_path_factory.mktemp(name.replace(" ", "_")), LOOP.replace("SCHEDULER", made) % str(beside))

    return cache(of)


def planned(plan: PlanMade, steps: int) -> list[float]:
    """The LR of each of the first steps, as it was planned."""
    lrs: list[float] = []
    for lr, end in zip(plan.lrs, [*plan.steps[1:], steps + 1], strict=True):
        lrs += [lr] * (min(end, steps + 1) - 1 - len(lrs))
    return lrs


@pytest.mark.parametrize("name", [name for name in MADE if name != "plateau"])
def test_the_planned_lr_is_what_the_run_uses_to_the_last_bit(name: str, told: Callable[[str], Told]) -> None:
    history = told(name).history
    assert len(history.lrs) == (12 if name.startswith("resumed") else 20)
    assert history.plans[0].steps[0] == 1
    for plan in history.plans:
        assert planned(plan, len(history.lrs)) == list(history.lrs)
        assert name == "step" or plan.last_step == len(history.lrs)


def test_its_class_its_interval_and_the_line_that_moves_the_lr_are_told(told: Callable[[str], Told]) -> None:
    for name, interval in (("cosine by epochs", "epoch"), ("cosine by updates", "step")):
        of_it = told(name)
        assert of_it.history.recipe is not None
        assert (of_it.history.recipe.scheduler, of_it.history.recipe.interval) == ("CosineLRScheduler", interval)
        assert of_it.reasons
        assert all("CosineLRScheduler at train.py:" in reason for reason in of_it.reasons)


def test_the_call_that_moves_nothing_is_not_in_the_loop(told: Callable[[str], Told]) -> None:
    for name, line in (("cosine by epochs", "scheduler.step(epoch + 1, 0.5)"), ("cosine by updates", "step_update(")):
        loop = told(name).history.loop
        assert loop is not None
        (site,) = [site for site in loop.sites if site.call == "scheduler.step"]
        assert line in site.text


def test_plateau_has_no_plan_and_the_reasons_of_torchs_own(told: Callable[[str], Told]) -> None:
    history = told("plateau").history
    assert history.plans == []
    assert [change.why.code for change in history.lr_changes][:1] == ["patience_used_up"]
    assert history.recipe is not None
    assert history.recipe.scheduler == "ReduceLROnPlateau"
