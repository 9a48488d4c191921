"""Presets as people write them who know what they do: each is right by how it is made, so a warning is a false one."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, TypeAlias

from tests.presets.drawing import Values
from tui_trainer.presets.checks import check
from tui_trainer.presets.rules import RunConditions
from tui_trainer.presets.schema import Preset

PRESETS = 500
SEED = 22

Draw: TypeAlias = random.Random


class Run:
    """How long, on how many images: what the arguments below are chosen for."""

    def __init__(self, draw: Draw) -> None:
        self.images = draw.choice([1_000, 4_000, 4_000, 50_000, 60_000])
        self.batch_size = draw.choice([16, 32, 64, 64, 100, 128, 256, 512])
        self.accumulate = draw.choice([1, 1, 1, 2, 4]) if self.images > 1_000 else 1
        self.batches = -(-self.images // (self.batch_size * self.accumulate))
        self.epochs = draw.randint(4, 60)
        self.warmup = draw.randint(1, max(1, self.epochs // 5)) if draw.random() < 0.3 else 0
        """Epochs."""
        self.by_steps = draw.random() < 0.5

    @property
    def steps(self) -> int:
        """Of the optimizer, in all."""
        return self.epochs * self.batches

    @property
    def span(self) -> int:
        """Steps of the scheduler behind a warm-up."""
        epochs = self.epochs - self.warmup
        return epochs * self.batches if self.by_steps else epochs

    def take(self, cycle: Callable[[], int], cycles: int) -> None:
        """Be as long, behind the warm-up, as whole cycles: of so many scheduler steps in all."""
        self.by_steps = False
        self.epochs = self.warmup + cycle() * cycles


def log_between(draw: Draw, low: float, high: float) -> float:
    return float(f"{math.exp(draw.uniform(math.log(low), math.log(high))):.3g}")


def adaptive(name: str) -> Callable[[Draw], Values]:
    def made(draw: Draw) -> Values:
        decay = draw.choice([0.0, 0.0, 1e-4, 0.01, 0.05])
        return {"name": name, "lr": log_between(draw, 1e-5, 1e-2), "weight_decay": decay}

    return made


def sgd(draw: Draw) -> Values:
    momentum = draw.choice([0.0, 0.9, 0.9, 0.95])
    made: Values = {"name": "SGD", "lr": log_between(draw, 1e-3, 1.0), "momentum": momentum}
    if momentum and draw.random() < 0.4:
        made["nesterov"] = True
    if draw.random() < 0.5:
        made["weight_decay"] = draw.choice([5e-4, 1e-4])
    return made


OPTIMIZERS: list[Callable[[Draw], Values]] = [
    sgd,
    sgd,
    sgd,
    *map(adaptive, ("Adam", "AdamW", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop", "Adafactor")),
    lambda draw: {"name": "ASGD", "lr": log_between(draw, 1e-3, 0.1)},
    lambda draw: {"name": "Adadelta", "lr": draw.choice([0.5, 1.0])},
    lambda draw: {"name": "Adagrad", "lr": log_between(draw, 1e-3, 0.1)},
]


def none(draw: Draw, run: Run, lr: float) -> Values:
    return {"name": "none"}


def constant(draw: Draw, run: Run, lr: float) -> Values:
    return {
        "name": "ConstantLR",
        "factor": draw.choice([0.1, 0.3, 0.5]),
        "total_iters": draw.randint(-(-run.span // 50), run.span - 1),
    }


def linear(draw: Draw, run: Run, lr: float) -> Values:
    if draw.random() < 0.5:  # down to the end
        return {"name": "LinearLR", "start_factor": 1.0, "end_factor": draw.choice([0.0, 0.01, 0.1])}
    return {"name": "LinearLR", "start_factor": 0.1, "total_iters": max(1, run.span // draw.randint(3, 10))}


def step(draw: Draw, run: Run, lr: float) -> Values:
    size = draw.randint(-(-run.span // 5), max(1, run.span // 2))  # four drops at most
    return {"name": "StepLR", "step_size": size, "gamma": draw.choice([0.2, 0.3, 0.5, 0.7])}


def milestones(draw: Draw, run: Run, lr: float) -> Values:
    shares = draw.choice([(0.5, 0.75), (0.3, 0.6, 0.9), (0.6,), (1 / 3, 2 / 3)])
    places = sorted({max(1, int(share * run.span)) for share in shares})
    return {"name": "MultiStepLR", "milestones": places, "gamma": draw.choice([0.1, 0.2, 0.5])}


def exponential(draw: Draw, run: Run, lr: float) -> Values:
    return {"name": "ExponentialLR", "gamma": float(f"{draw.choice([0.5, 0.1, 0.01, 0.002]) ** (1 / run.span):.6g}")}


def polynomial(draw: Draw, run: Run, lr: float) -> Values:
    return {"name": "PolynomialLR", "power": draw.choice([0.9, 1.0, 2.0])}


def cosine(draw: Draw, run: Run, lr: float) -> Values:
    made: Values = {"name": "CosineAnnealingLR", "eta_min": draw.choice([0.0, lr / 100])}
    return made | ({"T_max": run.span} if draw.random() < 0.5 else {})


def restarts(draw: Draw, run: Run, lr: float) -> Values:
    times, cycles = draw.choice([(1, 2), (1, 3), (2, 2), (2, 3)])
    first = draw.randint(2, 8)
    run.take(lambda: first, sum(times**cycle for cycle in range(cycles)))
    return {"name": "CosineAnnealingWarmRestarts", "T_0": first, "T_mult": times}


def cyclic(draw: Draw, run: Run, lr: float) -> Values:
    run.warmup = 0
    half = draw.randint(2, 6)
    run.take(lambda: 2 * half, draw.randint(1, 4))
    mode = draw.choice(["triangular", "triangular2", "exp_range"])
    made: Values = {"name": "CyclicLR", "base_lr": lr / 10, "max_lr": lr, "step_size_up": half, "mode": mode}
    return made | ({"gamma": 0.99} if mode == "exp_range" else {})


def one_cycle(draw: Draw, run: Run, lr: float) -> Values:
    run.warmup, run.by_steps = 0, True
    strategy = draw.choice(["cos", "linear"])
    share = draw.choice([0.15, 0.2, 0.3, 0.4])
    return {"name": "OneCycleLR", "max_lr": lr, "pct_start": share, "anneal_strategy": strategy}


def points(draw: Draw, run: Run, lr: float) -> Values:
    run.warmup, run.by_steps = 0, True
    peak = max(1, run.epochs // draw.randint(2, 6))
    return {"name": "PiecewiseLinear", "points": [[0, 0.0], [peak, lr], [run.epochs, draw.choice([0.0, lr / 20])]]}


def formula(draw: Draw, run: Run, lr: float) -> Values:
    run.by_steps = True
    tenth = max(1, run.span // 10)
    chosen: Values = draw.choice(
        [
            {"formula": "inverse_sqrt", "warmup_iters": tenth},
            {"formula": "warmup_stable_decay", "warmup_iters": tenth, "decay_iters": 2 * tenth},
            {"formula": "warmup_stable_decay", "decay": "1-sqrt"},
            {"formula": "triangle", "start_factor": 0.2, "peak": 0.23, "end_factor": 0.07},
            {"formula": "inverse_time", "gamma": 10 / run.span},
        ]
    )
    return {"name": "LambdaLR", **chosen}


def stages(draw: Draw, run: Run, lr: float) -> Values:
    run.warmup, run.by_steps = 0, True
    up: Values = {"name": "LinearLR", "start_factor": 0.01, "share": draw.choice([0.05, 0.1])}
    down: Values = draw.choice(
        [
            {"name": "CosineAnnealingLR", "share": 0.3},
            {"name": "LinearLR", "start_factor": 1.0, "end_factor": 0.0, "share": 0.2},
            {"name": "PolynomialLR", "share": 0.5},
        ]
    )
    return {"name": "SequentialLR", "stages": [up, {"name": "none"}, down]}


def plateau(draw: Draw, run: Run, lr: float) -> Values:
    run.by_steps = False
    patience = draw.randint(0, max(0, run.span // 4))
    made: Values = {"name": "ReduceLROnPlateau", "patience": patience, "factor": draw.choice([0.1, 0.3, 0.5])}
    if draw.random() < 0.3:
        made["min_lr"] = lr / 100
    return made | ({"monitor": "val_accuracy"} if draw.random() < 0.3 else {})


SCHEDULERS: list[Callable[[Draw, Run, float], Values]] = [
    none, constant, linear, step, milestones, exponential, polynomial, cosine, restarts, cyclic, one_cycle, points,
    formula, stages, plateau,
]  # fmt: skip
SETS_ITS_LRS = (cyclic, one_cycle, points)


AUGMENTATIONS: list[list[Any]] = [
    [],
    [{"name": "RandomCrop", "padding": 4}, "RandomHorizontalFlip"],
    [{"name": "RandomRotation", "degrees": 10}, {"name": "RandomErasing", "p": 0.5}],
    ["TrivialAugmentWide"],
]


def group(draw: Draw, kind: Callable[[Draw, Run, float], Values], lr: float) -> Values:
    """A group of parameters, with an LR of its own where the scheduler has none for it."""
    if kind in SETS_ITS_LRS or draw.random() < 0.3:
        return {"match": draw.choice(["bias", "norm"]), "weight_decay": 0.0}
    own = draw.choice([{"lr_scale": 0.1}, {"lr_scale": 2.0}, {"lr": lr / 2}])
    muon = {"match": "matrix", "optimizer": "Muon", "lr": log_between(draw, 2e-3, 0.05), "weight_decay": 0.1}
    return draw.choice([{"match": "bias", **own}, {"name": "3.*", **own}, muon])


def sensible(draw: Draw) -> tuple[Values, RunConditions]:
    """A preset's tables, and the run that they are made for."""
    run, optimizer, kind = Run(draw), draw.choice(OPTIMIZERS)(draw), draw.choice(SCHEDULERS)
    if kind in (one_cycle, cyclic) and optimizer["name"] in ("Adadelta", "Adagrad", "Adafactor", "ASGD"):
        optimizer = sgd(draw)
    lr = optimizer["lr"]
    scheduler = kind(draw, run, lr)
    if kind in SETS_ITS_LRS:
        del optimizer["lr"]
    if kind is cyclic and not optimizer.get("momentum", 1):
        scheduler["cycle_momentum"] = False
    if kind not in (none, one_cycle, points, plateau):
        scheduler["interval"] = "step" if run.by_steps else "epoch"
    training: Values = {"epochs": run.epochs, "batch_size": run.batch_size, "accumulate": run.accumulate}
    for key, value in (
        ("label_smoothing", 0.1),
        ("clip_grad_norm", draw.choice([0.5, 1.0, 5.0])),
        ("ema_decay", float(f"{math.exp(-draw.randint(5, 50) / run.steps):.5g}")),
        ("early_stopping", {"patience": draw.randint(1, run.epochs - 2)}),
    ):
        if draw.random() < 0.2:
            training[key] = value
    if draw.random() < 0.2:
        optimizer["weight_decay_norm"] = 0.0
    if draw.random() < 0.3:
        optimizer["groups"] = [group(draw, kind, lr)]
    if draw.random() < 0.2:
        training["augmentation"] = draw.choice(AUGMENTATIONS)
    if "ema_decay" not in training and kind is not plateau and draw.random() < 0.2:
        training["swa_start"] = max(2, int(run.epochs * draw.choice([0.75, 0.8])))
    tables: dict[str, Any] = {"training": training, "optimizer": optimizer, "scheduler": scheduler}
    if run.warmup:
        tables["warmup"] = {"epochs": run.warmup, "start_factor": draw.choice([0.0, 0.01, 0.1])}
    return tables, RunConditions(run.images, batchnorm=run.images % run.batch_size != 1)


def test_of_presets_that_are_right_nothing_is_warned_of() -> None:
    draw = random.Random(SEED)
    said: list[str] = []
    kinds: set[str] = set()
    for _ in range(PRESETS):
        tables, run = sensible(draw)
        kinds.add(tables["scheduler"]["name"])
        said += [f"{problem}: {tables}" for problem in check(Preset.model_validate(tables), run)]
    assert len(kinds) == len(SCHEDULERS)
    assert said == []
