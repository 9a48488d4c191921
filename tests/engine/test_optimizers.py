"""Optimizers of torch.optim beside the usual ones: a run with one trains as the loop by hand, float for float. All that
torch has is known or refused."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.optim import lr_scheduler, swa_utils

from tests.engine import tiny as t
from tests.engine.tiny import TinyRun
from tui_trainer.engine import models
from tui_trainer.engine.datasets import batches
from tui_trainer.presets.checks import check_text
from tui_trainer.presets.optimizers import OPTIMIZERS
from tui_trainer.presets.schedulers import SCHEDULERS

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "Adamax": ("lr = 0.01\nbetas = [0.8, 0.99]", {"lr": 0.01, "betas": (0.8, 0.99)}),
    "ASGD": ("lr = 0.05\nlambd = 0.01\nweight_decay = 0.1", {"lr": 0.05, "lambd": 0.01, "weight_decay": 0.1}),
    "Rprop": ("lr = 0.001\netas = [0.4, 1.1]", {"lr": 0.001, "etas": (0.4, 1.1)}),
    "Adafactor": ("lr = 0.05\nweight_decay = 0.1", {"lr": 0.05, "weight_decay": 0.1}),
}


@pytest.mark.parametrize("name", CASES)
def test_losses_are_those_of_the_loop_by_hand(tiny: TinyRun, name: str) -> None:
    text, options = CASES[name]
    tiny.train(f'[optimizer]\nname = "{name}"\n{text}\n[scheduler]\nname = "StepLR"\nstep_size = 1\n', epochs=3)

    data = t.images()
    model = models.build("mlp", data.shape, seed=0)
    optimizer = getattr(torch.optim, name)(model.parameters(), **options)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    losses = []
    for epoch in range(1, 4):
        for images, labels in batches(data.train, t.BATCH_SIZE, seed=0, epoch=epoch):
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()

    assert torch.equal(torch.tensor(tiny.losses), torch.tensor(losses))
    assert len(set(losses)) == 3 * t.BATCHES


def of_torch(module: ModuleType, kind: type) -> list[str]:
    """The classes of a kind that this torch has, by their public names."""
    there = {name: each for name, each in vars(module).items() if isinstance(each, type) and not name.startswith("_")}
    return sorted(name for name, each in there.items() if issubclass(each, kind) and each is not kind)


ALL_OF_TORCH = [
    *(("optimizer", name) for name in of_torch(torch.optim, torch.optim.Optimizer)),
    *(("scheduler", name) for name in of_torch(lr_scheduler, lr_scheduler.LRScheduler)),
    *(("scheduler", name) for name in of_torch(swa_utils, lr_scheduler.LRScheduler)),
]


@pytest.mark.parametrize(("table", "name"), ALL_OF_TORCH, ids=[name for _, name in ALL_OF_TORCH])
def test_each_optimizer_and_scheduler_of_torch_is_known_or_refused_with_a_reason(
    table: str, name: str, captions_said: set[str]
) -> None:
    kinds = OPTIMIZERS if table == "optimizer" else SCHEDULERS
    head = "" if table == "optimizer" else t.NONE.partition("[scheduler]")[0]
    told = check_text(f'{head}[{table}]\nname = "{name}"\n', "p").problems
    of_name = [problem.message for problem in told if problem.key == f"{table}.name"]
    if name in kinds:
        assert of_name == [] or name == "Rprop"  # of which it is warned, and that it runs
    else:
        assert [message.startswith(f"{name} ") for message in of_name] == [True]
        assert "key.left_out" in captions_said
