"""Published recipes as presets: the LR of every step is that of the same recipe written by hand in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest
import torch
from torch.optim import SGD, Optimizer
from torch.optim import lr_scheduler as torch_lr

from tui_trainer.engine.lr_preview import full_plan
from tui_trainer.engine.schedules import RunLength
from tui_trainer.presets.checks import check, parse
from tui_trainer.presets.rules import RunConditions

BATCHES = 40
Build = Callable[[Optimizer], torch_lr.LRScheduler]


def stages(interval: str, *tables: str) -> str:
    joined = "".join(f"[[scheduler.stages]]\n{table}\n" for table in tables)
    return f'[scheduler]\ninterval = "{interval}"\n{joined}'


def torchvision_mobilenet(optimizer: Optimizer) -> torch_lr.LRScheduler:
    warmup = torch_lr.ConstantLR(optimizer, factor=0.01, total_iters=5)
    cosine = torch_lr.CosineAnnealingLR(optimizer, T_max=25, eta_min=1e-5)
    return torch_lr.SequentialLR(optimizer, [warmup, cosine], [5])


def warmup_stable_decay(optimizer: Optimizer) -> torch_lr.LRScheduler:
    parts = [
        torch_lr.LinearLR(optimizer, 0.01, 1.0, total_iters=100),
        torch_lr.ConstantLR(optimizer, 1.0, total_iters=860),
        torch_lr.LinearLR(optimizer, 1.0, 0.0, total_iters=240),
    ]
    return torch_lr.SequentialLR(optimizer, parts, [100, 960])


def cooldown(optimizer: Optimizer) -> torch_lr.LRScheduler:
    parts = [
        torch_lr.CosineAnnealingLR(optimizer, T_max=27, eta_min=0.001),
        torch_lr.ConstantLR(optimizer, 0.01, total_iters=100),
    ]
    return torch_lr.SequentialLR(optimizer, parts, [27])


def airbench(optimizer: Optimizer) -> torch_lr.LRScheduler:
    steps = 30 * BATCHES
    lrs = np.interp(np.arange(1 + steps), [0, int(0.23 * steps), steps], [0.2, 1, 0.07])
    return torch_lr.LambdaLR(optimizer, lambda step: float(lrs[step]))


def cifar10_fast(optimizer: Optimizer) -> torch_lr.LRScheduler:
    for group in optimizer.param_groups:
        group["lr"] = 1.0
    return torch_lr.LambdaLR(optimizer, lambda step: float(np.interp(step / BATCHES, [0, 5, 30], [0, 0.4, 0])))


def scaling_vit(optimizer: Optimizer) -> torch_lr.LRScheduler:
    """The inverse square root of Scaling Vision Transformers."""
    return torch_lr.LambdaLR(optimizer, lambda k: k / 200 if k < 200 else 1 / sqrt((k + 800 - 200) / 800))


def minicpm(optimizer: Optimizer) -> torch_lr.LRScheduler:
    def factor(step: int) -> float:
        if step < 60:
            return step / 60
        return 1.0 if step <= 1080 else 1.0 - sqrt((step - 1080) / 120)

    return torch_lr.LambdaLR(optimizer, factor)


def resnet_goyal(optimizer: Optimizer) -> torch_lr.LRScheduler:
    """Milestones that count from the end of a warm-up, as SequentialLR counts them."""
    parts = [
        torch_lr.LinearLR(optimizer, 0.1, 1.0, total_iters=5),
        torch_lr.MultiStepLR(optimizer, [10, 20], 0.1),
    ]
    return torch_lr.SequentialLR(optimizer, parts, [5])


def from_zero(optimizer: Optimizer) -> torch_lr.LRScheduler:
    return torch_lr.LambdaLR(optimizer, lambda step: min(1.0, step / 100))


RECIPES: dict[str, tuple[str, Build, str]] = {
    "torchvision: a constant warm-up, then a cosine": (
        stages("epoch", 'name = "ConstantLR"\nfactor = 0.01\nepochs = 5', 'name = "CosineAnnealingLR"\neta_min = 1e-5'),
        torchvision_mobilenet,
        "epoch",
    ),
    "warm-up, stable, decay": (
        stages(
            "step",
            'name = "LinearLR"\nstart_factor = 0.01\nsteps = 100',
            'name = "none"',
            'name = "LinearLR"\nstart_factor = 1.0\nend_factor = 0.0\nshare = 0.2',
        ),
        warmup_stable_decay,
        "step",
    ),
    "timm: a cosine and a cooldown": (
        stages(
            "epoch", 'name = "CosineAnnealingLR"\neta_min = 0.001', 'name = "ConstantLR"\nfactor = 0.01\nepochs = 3'
        ),
        cooldown,
        "epoch",
    ),
    "airbench94: a triangle": (
        '[scheduler]\nname = "LambdaLR"\nformula = "triangle"\nstart_factor = 0.2\npeak = 0.23\nend_factor = 0.07\n',
        airbench,
        "step",
    ),
    "cifar10-fast: points": (
        '[scheduler]\nname = "PiecewiseLinear"\npoints = [[0, 0], [5, 0.4], [30, 0]]\n',
        cifar10_fast,
        "step",
    ),
    "ViT: the inverse square root": (
        '[scheduler]\nname = "LambdaLR"\nformula = "inverse_sqrt"\nwarmup_iters = 200\ntimescale = 800\n',
        scaling_vit,
        "step",
    ),
    "MiniCPM: a decay by 1-sqrt": (
        '[scheduler]\nname = "LambdaLR"\nformula = "warmup_stable_decay"\nwarmup_iters = 60\ndecay = "1-sqrt"\n',
        minicpm,
        "step",
    ),
    "a warm-up of epochs before milestones": (
        stages(
            "epoch",
            'name = "LinearLR"\nstart_factor = 0.1\nepochs = 5',
            'name = "MultiStepLR"\nmilestones = [10, 20]',
        ),
        resnet_goyal,
        "epoch",
    ),
    "a warm-up from 0 in steps": ("[warmup]\nsteps = 100\nstart_factor = 0\n", from_zero, "step"),
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_what_it_is_by_hand(name: str) -> None:
    text, build, interval = RECIPES[name]
    lr = "" if "PiecewiseLinear" in text else "lr = 0.1\n"
    preset = parse(f'[training]\nepochs = 30\n[optimizer]\nname = "SGD"\n{lr}{text}')
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = build(optimizer)
    by_hand = []
    for step in range(30 * BATCHES):
        by_hand.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if interval == "step" or (step + 1) % BATCHES == 0:
            scheduler.step()

    assert full_plan(preset, RunLength(30, BATCHES)) == by_hand
    assert check(preset, RunConditions(BATCHES * preset.training.batch_size)) == []
