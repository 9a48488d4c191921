"""Optimizers of torch.optim beside the usual ones: a run with one trains as the loop by hand, float for float."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional

from tests.engine import tiny as t
from tests.engine.tiny import TinyRun
from tui_trainer.engine import models
from tui_trainer.engine.datasets import batches

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
