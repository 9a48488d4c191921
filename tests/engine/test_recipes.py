"""Published recipes as presets: the LR of every step and of every group of parameters is that of the same recipe
written by hand in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest
import torch
from torch.optim import SGD, Optimizer
from torch.optim import lr_scheduler as torch_lr

from tui_trainer.engine.lr_preview import full_plan
from tui_trainer.engine.schedules import RunLength, Schedule, build_optimizer
from tui_trainer.engine.train_state import parameters_of
from tui_trainer.presets.checks import check, parse
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schema import Preset

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


def on_points(peak: float) -> Callable[[int], float]:
    return lambda step: float(np.interp(step / BATCHES, [0, 5, 30], [0, peak, 0]))


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


def in_cycles(config: str) -> str:
    return f"[scheduler]\n{config}\n"


def efficientnet(optimizer: Optimizer) -> torch_lr.LRScheduler:
    """0.97 every 2.4 epochs, in stairs, behind a warm-up; here with half of its epochs."""
    warmup = torch_lr.LinearLR(optimizer, 0.2, 1.0, total_iters=5 * BATCHES)
    stairs = torch_lr.StepLR(optimizer, step_size=96, gamma=0.97)
    return torch_lr.SequentialLR(optimizer, [warmup, stairs], [5 * BATCHES])


def he_on_cifar(optimizer: Optimizer) -> torch_lr.LRScheduler:
    """0.01 for 400 iterations, then 0.1 until a half and three quarters of the run."""
    warmup = torch_lr.ConstantLR(optimizer, 0.1, total_iters=400)
    return torch_lr.SequentialLR(optimizer, [warmup, torch_lr.MultiStepLR(optimizer, [200, 500])], [400])


def deit(optimizer: Optimizer) -> torch_lr.LRScheduler:
    parts = [
        torch_lr.LinearLR(optimizer, 0.002, 1.0, total_iters=5),
        torch_lr.CosineAnnealingLR(optimizer, T_max=20, eta_min=1e-5),
        torch_lr.ConstantLR(optimizer, 0.02, total_iters=5),
    ]
    return torch_lr.SequentialLR(optimizer, parts, [5, 25])


def torchvision_now(optimizer: Optimizer) -> torch_lr.LRScheduler:
    warmup = torch_lr.LinearLR(optimizer, 0.01, 1.0, total_iters=5)
    return torch_lr.SequentialLR(optimizer, [warmup, torch_lr.CosineAnnealingLR(optimizer, T_max=25)], [5])


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


STEPLR, MULTISTEP = 'name = "StepLR"', 'name = "MultiStepLR"'
GROUPS = (
    '[[optimizer.groups]]\nmatch = "bias"\nlr_scale = 2.0\nweight_decay = 0\n'
    '[[optimizer.groups]]\nname = "2.*"\nlr = 0.001\n'
)
SGD_IN_GROUPS = f'name = "SGD"\nlr = 0.1\nmomentum = 0.9\n{GROUPS}'
LISTED = f'name = "SGD"\nmomentum = 0.9\n{GROUPS}'.replace("lr_scale = 2.0\n", "").replace("lr = 0.001\n", "")

WITH_OPTIMIZERS: dict[str, tuple[str, str, tuple[float, ...], Build, str]] = {
    "torchvision: step decay": (
        'name = "SGD"\nlr = 0.1\nmomentum = 0.9\nweight_decay = 1e-4\n',
        in_cycles(f"{STEPLR}\nstep_size = 10"),
        (0.1,),
        lambda o: torch_lr.StepLR(o, 10, gamma=0.1),
        "epoch",
    ),
    "torchvision: warm-up and cosine, no weight decay for norms": (
        'name = "SGD"\nlr = 0.5\nmomentum = 0.9\nweight_decay = 2e-5\nweight_decay_norm = 0\n',
        stages("epoch", 'name = "LinearLR"\nstart_factor = 0.01\nepochs = 5', 'name = "CosineAnnealingLR"'),
        (0.5, 0.5),
        torchvision_now,
        "epoch",
    ),
    "torchvision: MobileNetV2": (
        'name = "RMSprop"\nlr = 0.045\nweight_decay = 4e-5\nmomentum = 0.9\n',
        in_cycles(f"{STEPLR}\nstep_size = 1\ngamma = 0.98"),
        (0.045,),
        lambda o: torch_lr.StepLR(o, 1, gamma=0.98),
        "epoch",
    ),
    "torchvision: DeepLab": (
        'name = "SGD"\nlr = 0.01\nmomentum = 0.9\nweight_decay = 1e-4\n',
        in_cycles('name = "PolynomialLR"\npower = 0.9\ninterval = "step"'),
        (0.01,),
        lambda o: torch_lr.PolynomialLR(o, 30 * BATCHES, power=0.9),
        "step",
    ),
    "wide ResNets": (
        'name = "SGD"\nlr = 0.1\nmomentum = 0.9\nnesterov = true\nweight_decay = 5e-4\n',
        in_cycles(f"{MULTISTEP}\nmilestones = [9, 18, 24]\ngamma = 0.2"),
        (0.1,),
        lambda o: torch_lr.MultiStepLR(o, [9, 18, 24], gamma=0.2),
        "epoch",
    ),
    "ResNet-110 on CIFAR-10: a constant warm-up in steps": (
        'name = "SGD"\nlr = 0.1\nmomentum = 0.9\n',
        in_cycles(f'{MULTISTEP}\nmilestones = [200, 500]\ninterval = "step"')
        + '[warmup]\nsteps = 400\nstart_factor = 0.1\nmethod = "constant"\n',
        (0.1,),
        he_on_cifar,
        "step",
    ),
    "EfficientNet: stairs behind a warm-up": (
        'name = "RMSprop"\nlr = 0.016\nalpha = 0.9\nmomentum = 0.9\neps = 0.001\n',
        in_cycles(f'{STEPLR}\nstep_size = 96\ngamma = 0.97\ninterval = "step"')
        + "[warmup]\nepochs = 5\nstart_factor = 0.2\n",
        (0.016,),
        efficientnet,
        "step",
    ),
    "super-convergence: three phases": (
        'name = "SGD"\nmomentum = 0.9\n',
        in_cycles('name = "OneCycleLR"\nmax_lr = 3.0\nthree_phase = true\nanneal_strategy = "linear"'),
        (0.1,),
        lambda o: torch_lr.OneCycleLR(o, 3.0, total_steps=30 * BATCHES, three_phase=True, anneal_strategy="linear"),
        "step",
    ),
    "fastai: one cycle": (
        'name = "AdamW"\nbetas = [0.9, 0.99]\n',
        in_cycles('name = "OneCycleLR"\nmax_lr = 3e-3\npct_start = 0.25\nfinal_div_factor = 4000'),
        (0.1,),
        lambda o: torch_lr.OneCycleLR(o, 3e-3, total_steps=30 * BATCHES, pct_start=0.25, final_div_factor=4000),
        "step",
    ),
    "SGDR: warm restarts, each twice as long": (
        'name = "SGD"\nlr = 0.05\nmomentum = 0.9\nnesterov = true\n',
        in_cycles('name = "CosineAnnealingWarmRestarts"\nT_0 = 80\nT_mult = 2\ninterval = "step"'),
        (0.05,),
        lambda o: torch_lr.CosineAnnealingWarmRestarts(o, 80, T_mult=2),
        "step",
    ),
    "cyclical learning rates: triangles that halve": (
        'name = "SGD"\nmomentum = 0.9\n',
        in_cycles(
            'name = "CyclicLR"\nbase_lr = 0.001\nmax_lr = 0.006\nstep_size_up = 120\nmode = "triangular2"\n'
            "cycle_momentum = false"
        ),
        (0.1,),
        lambda o: torch_lr.CyclicLR(o, 0.001, 0.006, 120, mode="triangular2", cycle_momentum=False),
        "step",
    ),
    "DeiT: warm-up, cosine, cooldown": (
        'name = "AdamW"\nlr = 5e-4\nweight_decay = 0.05\n',
        stages(
            "epoch",
            'name = "LinearLR"\nstart_factor = 0.002\nepochs = 5',
            'name = "CosineAnnealingLR"\neta_min = 1e-5\nepochs = 20',
            'name = "ConstantLR"\nfactor = 0.02\nepochs = 5',
        ),
        (5e-4,),
        deit,
        "epoch",
    ),
    "a drop an epoch, as in PyTorch's example on MNIST": (
        'name = "Adadelta"\nlr = 1.0\n',
        in_cycles(f"{STEPLR}\nstep_size = 1\ngamma = 0.8"),
        (1.0,),
        lambda o: torch_lr.StepLR(o, 1, gamma=0.8),
        "epoch",
    ),
    "Bottou: one over t": (
        'name = "SGD"\nlr = 0.1\n',
        in_cycles('name = "LambdaLR"\nformula = "inverse_time"\ngamma = 0.01'),
        (0.1,),
        lambda o: torch_lr.LambdaLR(o, lambda step: 1 / (1 + 0.01 * step)),
        "step",
    ),
    "groups: biases at twice the LR, a layer at its own": (
        SGD_IN_GROUPS,
        in_cycles(f"{MULTISTEP}\nmilestones = [15, 25]"),
        (0.1, 0.2, 0.001),
        lambda o: torch_lr.MultiStepLR(o, [15, 25]),
        "epoch",
    ),
    "groups: a cosine for each, behind a warm-up": (
        SGD_IN_GROUPS,
        stages("step", 'name = "LinearLR"\nstart_factor = 0.1\nsteps = 80', 'name = "CosineAnnealingLR"'),
        (0.1, 0.2, 0.001),
        lambda o: torch_lr.SequentialLR(
            o,
            [torch_lr.LinearLR(o, 0.1, total_iters=80), torch_lr.CosineAnnealingLR(o, 30 * BATCHES - 80)],
            [80],
        ),
        "step",
    ),
    "groups: points, and biases at four times their LR": (
        f'name = "SGD"\nmomentum = 0.9\n{GROUPS}'.replace("2.0", "4.0").replace("lr = 0.001", "lr_scale = 0.1"),
        in_cycles('name = "PiecewiseLinear"\npoints = [[0, 0], [5, 0.4], [30, 0]]'),
        (1.0, 1.0, 1.0),
        lambda o: torch_lr.LambdaLR(o, [on_points(0.4), on_points(0.4 * 4), on_points(0.4 * 0.1)]),
        "step",
    ),
    "groups: one cycle with a peak for each": (
        LISTED,
        in_cycles('name = "OneCycleLR"\nmax_lr = [0.1, 0.2, 0.01]'),
        (0.1, 0.1, 0.1),
        lambda o: torch_lr.OneCycleLR(o, [0.1, 0.2, 0.01], total_steps=30 * BATCHES),
        "step",
    ),
}
"""The optimizer, the schedule, the LR that each group begins with by hand, the schedule by hand, and when it steps."""


def lrs_by_hand(lrs: tuple[float, ...], build: Build, interval: str) -> list[list[float]]:
    """Of every step, one for each group."""
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in lrs]
    optimizer = SGD(groups, lr=0.1, momentum=0.9)
    scheduler = build(optimizer)
    by_hand = []
    for step in range(30 * BATCHES):
        by_hand.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        if interval == "step" or (step + 1) % BATCHES == 0:
            scheduler.step()
    return by_hand


def lrs_followed(preset: Preset) -> list[list[float]]:
    """What a run uses: of every step, one for each group."""
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 1, bias=False))
    optimizer = build_optimizer(preset.optimizer, parameters_of(preset, model))
    schedule = Schedule(preset, optimizer, RunLength(30, BATCHES))
    followed = []
    for _ in range(30):
        for _ in range(BATCHES):
            followed.append(schedule.lrs)
            optimizer.step()
            if schedule.due_after_batch:
                schedule.step()
        if schedule.due_after_epoch:
            schedule.step()
    return followed


def test_points_of_a_stage_are_multiplied_for_a_group() -> None:
    text = stages("step", 'name = "PiecewiseLinear"\npoints = [[0, 0.1], [15, 0.3]]\nshare = 0.5', 'name = "none"')
    optimizer = '[optimizer]\nname = "SGD"\nlr = 0.1\n[[optimizer.groups]]\nmatch = "bias"\nlr_scale = 4.0\n'
    preset = parse(f"[training]\nepochs = 30\n{optimizer}{text}")
    followed = lrs_followed(preset)
    rest, biases = (full_plan(preset.of_group(number), RunLength(30, BATCHES)) for number in (0, 1))
    assert followed == [list(pair) for pair in zip(rest, biases, strict=True)]
    assert rest[300] == pytest.approx(0.2)
    assert biases[300] == pytest.approx(0.8)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_what_it_is_by_hand(name: str) -> None:
    text, build, interval = RECIPES[name]
    lr = "" if "PiecewiseLinear" in text else "lr = 0.1\n"
    preset = parse(f'[training]\nepochs = 30\n[optimizer]\nname = "SGD"\n{lr}{text}')

    by_hand = lrs_by_hand((0.1,), build, interval)
    assert full_plan(preset, RunLength(30, BATCHES)) == [lr for (lr,) in by_hand]
    assert check(preset, RunConditions(BATCHES * preset.training.batch_size)) == []


@pytest.mark.parametrize("name", WITH_OPTIMIZERS)
def test_a_recipe_with_its_optimizer_and_groups_is_what_it_is_by_hand(name: str) -> None:
    optimizer, scheduler, lrs, build, interval = WITH_OPTIMIZERS[name]
    preset = parse(f"[training]\nepochs = 30\n[optimizer]\n{optimizer}{scheduler}")

    by_hand = lrs_by_hand(lrs, build, interval)
    assert lrs_followed(preset) == by_hand
    assert check(preset, RunConditions(BATCHES * preset.training.batch_size)) == []
