"""Presets as a person might write them: every optimizer and scheduler, every argument in its range or left out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from tui_trainer.presets.schedulers import STAGES

Values = dict[str, Any]


def number(low: float, high: float, **options: Any) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_subnormal=False, **options)


RATES = st.one_of(st.sampled_from([1, 0.1, 0.05, 0.001, 3e-4]), number(1e-8, 1000))
SHARES = st.one_of(st.sampled_from([0.1, 0.3, 0.5, 0.25]), number(0, 1, exclude_min=True, exclude_max=True))
FACTORS = st.one_of(st.just(1), SHARES)
FRACTIONS = st.one_of(st.sampled_from([0, 1]), number(0, 1))
DECAYS = st.one_of(st.sampled_from([0, 0.9, 0.95]), number(0, 1, exclude_max=True))
GAMMAS = st.one_of(st.sampled_from([1, 0.5, 0.1, 0.9]), number(1e-6, 2))
SMALL = st.one_of(st.just(0), number(0, 1))
BETAS = st.lists(DECAYS, min_size=2, max_size=2)
BOOLEANS = st.booleans()
INTERVALS = st.sampled_from(["step", "epoch"])
COUNTS = st.integers(1, 60)

_DECAYED = {"lr": RATES, "weight_decay": SMALL}
_ADAPTIVE = _DECAYED | {"betas": BETAS, "eps": SMALL}

OPTIMIZERS: dict[str, Values] = {
    "SGD": _DECAYED | {"momentum": DECAYS, "dampening": SMALL},
    "Adam": _ADAPTIVE | {"amsgrad": BOOLEANS},
    "AdamW": _ADAPTIVE | {"amsgrad": BOOLEANS},
    "RMSprop": _DECAYED | {"alpha": FRACTIONS, "eps": SMALL, "momentum": DECAYS, "centered": BOOLEANS},
    "Adadelta": _DECAYED | {"rho": FRACTIONS, "eps": SMALL},
    "Adagrad": _DECAYED | {"lr_decay": SMALL, "initial_accumulator_value": SMALL, "eps": SMALL},
    "NAdam": _ADAPTIVE | {"momentum_decay": SMALL, "decoupled_weight_decay": BOOLEANS},
    "Adamax": _ADAPTIVE,
    "ASGD": _DECAYED | {"lambd": SMALL, "alpha": SMALL, "t0": COUNTS},
    "Rprop": {"lr": RATES, "etas": st.just([0.4, 1.3]), "step_sizes": st.just([1e-5, 10])},
    "Adafactor": _DECAYED | {"beta2_decay": st.just(-0.5), "eps": st.just([1e-20, 1e-2]), "d": number(1, 3)},
    "RAdam": _ADAPTIVE | {"decoupled_weight_decay": BOOLEANS},
}

_CYCLED = {"cycle_momentum": BOOLEANS, "base_momentum": DECAYS, "max_momentum": DECAYS}


def _rising(points: list[tuple[int, float]]) -> list[list[float]]:
    return [[place + number, lr] for number, (place, lr) in enumerate(sorted(points))]


FORMULAS: dict[str, Values] = {
    "inverse_sqrt": {"warmup_iters": st.integers(0, 20), "timescale": COUNTS},
    "warmup_stable_decay": {
        "warmup_iters": st.integers(0, 20),
        "decay_iters": COUNTS,
        "decay": st.sampled_from(["linear", "cosine", "1-sqrt"]),
        "end_factor": FRACTIONS,
    },
    "triangle": {"start_factor": FRACTIONS, "peak": SHARES, "end_factor": FRACTIONS},
    "inverse_time": {"gamma": GAMMAS},
}

SCHEDULERS: dict[str, tuple[Values, Values]] = {
    "none": ({}, {}),
    "ConstantLR": ({}, {"factor": FACTORS, "total_iters": COUNTS, "interval": INTERVALS}),
    "LinearLR": (
        {},
        {"start_factor": FACTORS, "end_factor": FRACTIONS, "total_iters": COUNTS, "interval": INTERVALS},
    ),
    "StepLR": ({"step_size": COUNTS}, {"gamma": GAMMAS, "interval": INTERVALS}),
    "MultiStepLR": (
        {"milestones": st.lists(COUNTS, min_size=1, max_size=6).map(sorted)},
        {"gamma": GAMMAS, "interval": INTERVALS},
    ),
    "ExponentialLR": ({"gamma": GAMMAS}, {"interval": INTERVALS}),
    "PolynomialLR": ({}, {"total_iters": COUNTS, "power": number(0.1, 5), "interval": INTERVALS}),
    "CosineAnnealingLR": ({}, {"T_max": COUNTS, "eta_min": SMALL, "interval": INTERVALS}),
    "CosineAnnealingWarmRestarts": (
        {"T_0": COUNTS},
        {"T_mult": st.integers(1, 4), "eta_min": SMALL, "interval": INTERVALS},
    ),
    "CyclicLR": (
        {"base_lr": RATES, "max_lr": RATES},
        {
            "step_size_up": COUNTS,
            "step_size_down": COUNTS,
            "mode": st.sampled_from(["triangular", "triangular2", "exp_range"]),
            "gamma": GAMMAS,
            "interval": INTERVALS,
            **_CYCLED,
        },
    ),
    "OneCycleLR": (
        {"max_lr": RATES},
        {
            "pct_start": SHARES,
            "anneal_strategy": st.sampled_from(["cos", "linear"]),
            "div_factor": number(1, 1000),
            "final_div_factor": number(1e-3, 1e6),
            "three_phase": BOOLEANS,
            "interval": INTERVALS,
            **_CYCLED,
        },
    ),
    "LambdaLR": (
        {},
        {"interval": INTERVALS},
    ),
    "PiecewiseLinear": (
        {"points": st.lists(st.tuples(st.integers(0, 12), RATES), min_size=2, max_size=4).map(_rising)},
        {"interval": INTERVALS},
    ),
    "SequentialLR": ({}, {"interval": INTERVALS}),
    "ReduceLROnPlateau": (
        {},
        {
            "factor": SHARES,
            "patience": st.integers(0, 5),
            "threshold": SMALL,
            "threshold_mode": st.sampled_from(["rel", "abs"]),
            "cooldown": st.integers(0, 3),
            "min_lr": SMALL,
            "eps": SMALL,
            "monitor": st.sampled_from(["val_loss", "val_accuracy"]),
        },
    ),
}
"""The arguments that must be given, and those that may be."""


LISTED = {"OneCycleLR": ("max_lr",), "CyclicLR": ("max_lr", "base_lr"), "ReduceLROnPlateau": ("min_lr",)}
"""The arguments that may have a value for each group of parameters."""

TRAINING: Values = {
    "label_smoothing": DECAYS,
    "ema_decay": st.sampled_from([0.9, 0.99, 0.999, 0.9999]) | SHARES,
    "early_stopping": st.fixed_dictionaries(
        {},
        optional={
            "monitor": st.sampled_from(["val_loss", "val_accuracy"]),
            "patience": st.integers(1, 15),
            "min_delta": SMALL,
        },
    ),
}


@dataclass(frozen=True)
class Written:
    """A preset's tables as a file would say them, and the data it meets."""

    optimizer: Values
    scheduler: Values
    warmup: Values | None
    epochs: int
    batch_size: int
    images: int
    accumulate: int = 1
    val_losses: list[float] = field(default_factory=list)
    training: Values = field(default_factory=dict)
    """More keys of that table."""

    @property
    def batches(self) -> int:
        """Batches an epoch, or steps, where several batches make one: the last one is smaller where the images do not
        come out even."""
        return -(-self.images // (self.batch_size * self.accumulate))

    @property
    def tables(self) -> Values:
        training = {"epochs": self.epochs, "batch_size": self.batch_size, "accumulate": self.accumulate}
        training |= self.training
        tables = {"training": training, "optimizer": self.optimizer, "scheduler": self.scheduler}
        return tables if self.warmup is None else tables | {"warmup": self.warmup}


@st.composite
def written(draw: st.DrawFn, schedulers: tuple[str, ...] = tuple(SCHEDULERS)) -> Written:
    """Any preset whose tables are in order by themselves, on any data."""
    optimizer, scheduler = draw(st.sampled_from(list(OPTIMIZERS))), draw(st.sampled_from(schedulers))
    needed, optional = SCHEDULERS[scheduler]
    epochs = draw(st.integers(1, 12))
    more = {"start_factor": st.just(0) | SHARES, "method": st.sampled_from(["linear", "constant"])}
    warmup = st.one_of(
        st.fixed_dictionaries({"epochs": st.integers(1, epochs)}, optional=more),
        st.fixed_dictionaries({"steps": st.integers(1, 60)}, optional=more),
    )
    arguments = draw(st.fixed_dictionaries(needed, optional=optional))
    if scheduler == "LambdaLR":
        formula = draw(st.sampled_from(list(FORMULAS)))
        arguments |= {"formula": formula, **draw(st.fixed_dictionaries({}, optional=FORMULAS[formula]))}
    if scheduler == "SequentialLR":
        arguments |= {"stages": draw(_stages(arguments.get("interval") == "step"))}
    return Written(
        optimizer=_named(optimizer, draw(st.fixed_dictionaries({}, optional=OPTIMIZERS[optimizer]))),
        scheduler=_named(scheduler, arguments),
        warmup=draw(st.none() | warmup),
        epochs=epochs,
        batch_size=draw(st.integers(1, 9)),
        images=draw(st.integers(1, 40)),
        accumulate=draw(st.sampled_from([1, 1, 1, 2, 3])),
        val_losses=draw(st.lists(number(0, 10), min_size=epochs, max_size=epochs)),
    )


@st.composite
def with_all_keys(draw: st.DrawFn) -> Written:
    """The same with any other keys of [training] and [optimizer], and with groups of parameters."""
    case = draw(written())
    training = draw(st.fixed_dictionaries({}, optional=TRAINING))
    if draw(st.booleans()):
        training |= {draw(st.sampled_from(["clip_grad_norm", "clip_grad_value"])): draw(number(0.01, 100))}
    if "ema_decay" not in training and draw(st.booleans()):
        swa: Values = {"swa_start": st.integers(1, case.epochs), "swa_lr": RATES}
        more = {"swa_anneal_epochs": st.integers(1, 12), "swa_anneal_strategy": st.sampled_from(["cos", "linear"])}
        training |= draw(st.fixed_dictionaries(swa, optional=more) | st.fixed_dictionaries({"swa_start": COUNTS}))
    optimizer, scheduler = dict(case.optimizer), dict(case.scheduler)
    if optimizer.get("momentum") and not optimizer.get("dampening") and optimizer["name"] == "SGD":
        optimizer["nesterov"] = draw(BOOLEANS)
    decays = optimizer["name"] != "Rprop"
    if decays:
        optimizer |= draw(st.fixed_dictionaries({}, optional={"weight_decay_norm": SMALL, "weight_decay_bias": SMALL}))
    has_points = scheduler["name"] == "PiecewiseLinear" or any(
        stage["name"] == "PiecewiseLinear" for stage in scheduler.get("stages", ())
    )
    listed = LISTED.get(scheduler["name"], ())
    chosen = [{"match": "bias"}, {"match": "norm"}, {"name": "0.*"}, {"name": "2.*", "match": "bias"}]
    if "momentum" in optimizer or not scheduler.get("cycle_momentum", True):
        chosen.append({"match": "matrix", "optimizer": "Muon"})
    rates = {"lr": RATES, "lr_scale": RATES}
    if has_points or listed == ("max_lr",) or "base_lr" in listed:
        rates = {"lr_scale": RATES} if has_points else {}
    groups = []
    for group in draw(st.lists(st.sampled_from(chosen), max_size=3)):
        key = draw(st.sampled_from([*rates, None]))
        groups.append(group | ({key: draw(rates[key])} if key is not None else {}))
        if decays and draw(st.booleans()):
            groups[-1]["weight_decay"] = draw(SMALL)
    if groups:
        optimizer["groups"] = groups
        for key in listed if draw(st.booleans()) else ():
            rate = SMALL if key == "min_lr" else RATES
            scheduler[key] = draw(st.lists(rate, min_size=len(groups) + 1, max_size=len(groups) + 1))
    return replace(case, optimizer=optimizer, scheduler=scheduler, training=training)


@st.composite
def _stages(draw: st.DrawFn, in_steps: bool) -> list[Values]:
    """Two to four stages; one of them may have the rest of the run."""
    stages = []
    names = [name for name in STAGES if name not in ("LambdaLR", "PiecewiseLinear")]
    for name in draw(st.lists(st.sampled_from(names), min_size=2, max_size=4)):
        needed, optional = SCHEDULERS[name]
        given = draw(st.fixed_dictionaries(needed, optional=optional))
        length = {"epochs": st.integers(1, 4), "share": SHARES} | ({"steps": COUNTS} if in_steps else {})
        key = draw(st.sampled_from(list(length)))
        stage = {"name": name, **{k: v for k, v in given.items() if k != "interval"}, key: draw(length[key])}
        stages.append(stage)
    if draw(st.booleans()):
        rest = draw(st.sampled_from(stages))
        for key in ("epochs", "share", "steps"):
            rest.pop(key, None)
    return stages


def _named(name: str, arguments: Values) -> Values:
    return {"name": name, **arguments}
