"""`[scheduler]`: none, or a class of `torch.optim.lr_scheduler`, with its arguments and defaults (torch 2.6 to 2.14);
and where the curve of each turns: drops, peaks, bottoms, restarts. Known from its arguments, without torch.

Left out: functions (`scale_fn`), which are code and no data; `last_epoch`, which resuming takes care of; and what
follows from the run's length (`total_steps`, `epochs`, `steps_per_epoch`), which `Preset.scheduler_arguments` fills in.

Places are counted in the scheduler's own steps: at place k it has stepped k times, and the LR that holds then is used
until it steps again.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, TypeAlias, get_args

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from tui_trainer.presets import formulas
from tui_trainer.presets.fields import (
    Count,
    CountOrZero,
    Decay,
    Factor,
    Fraction,
    NotNegative,
    Positive,
    Rates,
    RatesOrZero,
    Share,
    Table,
    of_first,
)

Interval: TypeAlias = Literal["step", "epoch"]


class SchedulerTable(Table):
    """What all schedulers share."""

    PER_GROUP: ClassVar[tuple[str, ...]] = ()
    """Arguments that may be a list, with one for each group of parameters."""

    name: str
    """The class of `torch.optim.lr_scheduler`."""

    @property
    def lists(self) -> dict[str, tuple[float, ...]]:
        """The arguments that are lists."""
        return {key: value for key in self.PER_GROUP if isinstance(value := getattr(self, key), tuple)}

    def of_group(self, number: int) -> Self:
        """The same for one group of parameters, without lists; 0 for those that no group matches.

        Raises:
            IndexError: a list has nothing for it.
        """
        values = {key: value[number] for key, value in self.lists.items()}
        return self.model_copy(update=values) if values else self

    @property
    def has_points(self) -> bool:
        """Whether LRs stand in points, or in those of a stage."""
        return False

    def scaled(self, scale: float) -> Self:
        """With points of `scale` times their LRs: for a group of parameters."""
        return self

    @property
    def moves_momentum(self) -> bool:
        """Whether it moves the optimizer's momentum, too; of an optimizer with betas, the first of them."""
        return False

    @property
    def own_start(self) -> float | None:
        """The LR that it begins with whatever the optimizer's is; None where the optimizer's counts."""
        return None

    def arguments(self, length: int) -> dict[str, Any]:
        """The keyword arguments of the class in `torch.optim.lr_scheduler`.

        `length`: how often the scheduler's interval comes in the run, less the warm-up; it fills in what is left out.
        """
        given = self.model_dump(exclude={"name", "interval", "monitor"})
        return {key: length if value is None else value for key, value in given.items()}


class Unmonitored(SchedulerTable):
    """A scheduler that asks for no metric: all but ReduceLROnPlateau."""

    monitor: ClassVar[None] = None


class NoScheduler(Unmonitored):
    """The learning rate stays as it is."""

    interval: ClassVar[None] = None

    name: Literal["none"]
    """No scheduler: the learning rate stays as it is."""


class ConstantLR(Unmonitored):
    """A smaller learning rate at first, then the whole of it."""

    name: Literal["ConstantLR"]
    """The LR times a factor at first, then the whole LR."""
    factor: Factor = 1 / 3
    """What the learning rate is multiplied by until `total_iters`."""
    total_iters: Count | None = None
    """After how many steps of the scheduler the whole learning rate is back; the run's length where left out."""
    interval: Interval = "epoch"
    """When it steps: after every batch ("step") or after validation ("epoch")."""


class LinearLR(Unmonitored):
    """A straight line from one multiple of the learning rate to another."""

    name: Literal["LinearLR"]
    """A straight line from one multiple of the LR to another."""
    start_factor: Factor = 1 / 3
    """What the learning rate is multiplied by at first."""
    end_factor: Fraction = 1.0
    """What it is multiplied by from `total_iters` on."""
    total_iters: Count | None = None
    """How many steps of the scheduler the line takes; the run's length where left out."""
    interval: Interval = "epoch"
    """When it steps: after every batch ("step") or after validation ("epoch")."""


class StepLR(Unmonitored):
    """The learning rate times gamma, every `step_size` steps."""

    name: Literal["StepLR"]
    """A drop every so often."""
    step_size: Count
    """How many steps of the scheduler lie between two drops."""
    gamma: Positive = 0.1
    """What the learning rate is multiplied by at each drop: 0.5 halves it."""
    interval: Interval = "epoch"
    """When it steps: after every batch ("step") or after validation ("epoch")."""


class MultiStepLR(Unmonitored):
    """The learning rate times gamma, at steps that you name."""

    name: Literal["MultiStepLR"]
    """A drop at each milestone."""
    milestones: Annotated[tuple[Count, ...], Field(min_length=1, max_length=1000, strict=False)]
    """After which steps of the scheduler the learning rate drops, in rising order; one named twice drops it twice."""
    gamma: Positive = 0.1
    """What the learning rate is multiplied by at each milestone."""
    interval: Interval = "epoch"
    """When it steps: after every batch ("step") or after validation ("epoch")."""


class ExponentialLR(Unmonitored):
    """The learning rate times gamma, at every step."""

    name: Literal["ExponentialLR"]
    """A drop at every step."""
    gamma: Positive
    """What the learning rate is multiplied by at every step of the scheduler."""
    interval: Interval = "epoch"
    """When it steps: after every batch ("step") or after validation ("epoch")."""


class PolynomialLR(Unmonitored):
    """Down to zero along (1 - step / total_iters) to some power."""

    name: Literal["PolynomialLR"]
    """Down to zero along a power curve."""
    total_iters: Count | None = None
    """After how many steps of the scheduler the learning rate is zero; the run's length where left out."""
    power: Positive = 1.0
    """1 is a straight line; more falls fast first, less falls fast at the end."""
    interval: Interval = "epoch"
    """When it steps: after every batch ("step") or after validation ("epoch")."""


class CosineAnnealingLR(Unmonitored):
    """Down along half a cosine: slowly, then fast, then slowly."""

    name: Literal["CosineAnnealingLR"]
    """Down along half a cosine."""
    T_max: Count | None = None
    """After how many steps of the scheduler the bottom is reached; the run's length where left out."""
    eta_min: NotNegative = 0.0
    """The learning rate at the bottom."""
    interval: Interval = "epoch"
    """When it steps: after every batch ("step") or after validation ("epoch")."""


class CosineAnnealingWarmRestarts(Unmonitored):
    """Half a cosine down, then up again at once, over and over."""

    name: Literal["CosineAnnealingWarmRestarts"]
    """Half a cosine down, then a restart, over and over."""
    T_0: Count
    """How many steps of the scheduler the first cycle lasts."""
    T_mult: Count = 1
    """How many times longer each cycle is than the one before."""
    eta_min: NotNegative = 0.0
    """The learning rate at the bottom of each cycle."""
    interval: Interval = "epoch"
    """When it steps: after every batch ("step") or after validation ("epoch")."""


class CyclicLR(Unmonitored):
    """Up and down between two learning rates, in straight lines."""

    PER_GROUP = ("max_lr", "base_lr")

    name: Literal["CyclicLR"]
    """Up and down between two LRs."""
    base_lr: Rates
    """The learning rate at the bottom of each cycle; it takes the place of the optimizer's `lr`."""
    max_lr: Rates
    """The learning rate at the top of the first cycle; a list has one for each group of parameters."""
    step_size_up: Count = 2000
    """How many steps of the scheduler the way up takes."""
    step_size_down: Count | None = None
    """How many steps the way down takes; as many as the way up where left out."""
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular"
    """`triangular`: all alike; `triangular2`: each half as high as the last; `exp_range`: times gamma at every step."""
    gamma: Positive = 1.0
    """For `exp_range`: what the height is multiplied by at every step."""
    cycle_momentum: bool = True
    """Move the optimizer's momentum (Adam: its first beta) against the learning rate."""
    base_momentum: Decay = 0.8
    """The momentum at the top of a cycle."""
    max_momentum: Decay = 0.9
    """The momentum at the bottom of a cycle."""
    interval: Interval = "step"
    """When it steps: after every batch ("step") or after validation ("epoch")."""

    @property
    def moves_momentum(self) -> bool:
        return self.cycle_momentum

    @property
    def own_start(self) -> float:
        """`base_lr`."""
        return self.bottom

    @property
    def bottom(self) -> float:
        """`base_lr`, of the first group."""
        return of_first(self.base_lr)

    @property
    def top(self) -> float:
        """`max_lr`, of the first group."""
        return of_first(self.max_lr)

    def arguments(self, length: int) -> dict[str, Any]:
        """The keyword arguments of the class: `step_size_down` follows `step_size_up`, not the run's length."""
        return super().arguments(length) | {"step_size_down": self.step_size_down}


class OneCycleLR(Unmonitored):
    """Up to a high learning rate, then far down, in one run."""

    PER_GROUP = ("max_lr",)

    name: Literal["OneCycleLR"]
    """Up to a high LR, then far down, in one run."""
    max_lr: Rates
    """The learning rate at the peak; a list has one for each group of parameters."""
    pct_start: Share = 0.3
    """Which part of the run is spent on the way up: 0.3 is 30 %."""
    anneal_strategy: Literal["cos", "linear"] = "cos"
    """The shape of the ways up and down: half a cosine, or a straight line."""
    cycle_momentum: bool = True
    """Move the optimizer's momentum (Adam: its first beta) against the learning rate."""
    base_momentum: Decay = 0.85
    """The momentum at the peak."""
    max_momentum: Decay = 0.95
    """The momentum at the start and at the end."""
    div_factor: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 25.0
    """The run starts at max_lr divided by this; the optimizer's `lr` has no say."""
    final_div_factor: Positive = 1e4
    """The run ends at the starting learning rate divided by this."""
    three_phase: bool = False
    """Come down to the starting learning rate as fast as it went up, then fall to the end."""
    interval: Interval = "step"
    """When it steps: after every batch ("step") or after validation ("epoch")."""

    @property
    def moves_momentum(self) -> bool:
        return self.cycle_momentum

    def arguments(self, length: int) -> dict[str, Any]:
        """The keyword arguments of the class, with `total_steps` filled in."""
        return super().arguments(length) | {"total_steps": length}

    @property
    def own_start(self) -> float:
        """`max_lr / div_factor`."""
        return self.top / self.div_factor

    @property
    def top(self) -> float:
        """`max_lr`, of the first group."""
        return of_first(self.max_lr)


class LambdaLR(Unmonitored):
    """The learning rate times a formula of the step, of those that `presets/formulas.py` knows."""

    name: Literal["LambdaLR"]
    """The LR times a formula of the step; a preset names the formula and holds none."""
    formula: Literal["inverse_sqrt", "warmup_stable_decay", "triangle", "inverse_time"]
    """Which one: `inverse_sqrt`, `warmup_stable_decay`, `triangle` or `inverse_time`."""
    warmup_iters: CountOrZero | None = None
    """`inverse_sqrt`, `warmup_stable_decay`: how many steps the line up from 0 takes; 0 where left out."""
    timescale: Count | None = None
    """`inverse_sqrt`: from how many steps on it falls in earnest; the warm-up, else 10,000, where left out."""
    decay_iters: Count | None = None
    """`warmup_stable_decay`: how many steps the way down at the end takes; a tenth of the run where left out."""
    decay: Literal["linear", "cosine", "1-sqrt"] | None = None
    """`warmup_stable_decay`: the shape of the way down; `linear` where left out."""
    start_factor: Fraction | None = None
    """`triangle`: what the learning rate is multiplied by at first; 0 where left out."""
    peak: Share | None = None
    """`triangle`: after which part of the run the whole learning rate is reached; 0.5 where left out."""
    end_factor: Fraction | None = None
    """`triangle`, `warmup_stable_decay`: what it is multiplied by at the end; 0 where left out."""
    gamma: Positive | None = None
    """`inverse_time`: how fast it falls, 1 / (1 + gamma * step); 0.01 where left out."""
    interval: Interval = "step"
    """When it steps: after every batch ("step") or after validation ("epoch")."""

    @model_serializer(mode="wrap")
    def _as_written(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in dump(self).items() if value is not None}

    @property
    def warmup(self) -> int:
        """Steps of the line up."""
        return self.warmup_iters or 0

    def decays_in(self, length: int) -> int:
        """How many of `length` steps the way down at the end takes."""
        return self.decay_iters or max(1, length // 10)

    def factor(self, step: int, length: int) -> float:
        """What the LR is multiplied by after so many of `length` steps."""
        end = self.end_factor or 0.0
        match self.formula:
            case "inverse_sqrt":
                return formulas.inverse_sqrt(step, self.warmup, self.timescale or self.warmup or 10_000)
            case "warmup_stable_decay":
                down = self.decays_in(length)
                return formulas.warmup_stable_decay(step, length, self.warmup, down, self.decay or "linear", end)
            case "triangle":
                return formulas.triangle(step, length, self.start_factor or 0.0, self.peak_in(length), end)
            case _:
                return formulas.inverse_time(step, 0.01 if self.gamma is None else self.gamma)

    def peak_in(self, length: int) -> int:
        """The step at which a triangle of `length` steps has its peak."""
        return int((0.5 if self.peak is None else self.peak) * length)


Point: TypeAlias = Annotated[
    tuple[
        Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)],
        Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)],
    ],
    Field(strict=False),
]
"""When, and the learning rate then."""


class PiecewiseLinear(Unmonitored):
    """Straight lines through points that you name."""

    name: Literal["PiecewiseLinear"]
    """Straight lines from point to point."""
    points: Annotated[tuple[Point, ...], Field(min_length=2, max_length=1000, strict=False)]
    """When and which learning rate, such as [[0, 0.01], [15, 0.4], [30, 0]]; the optimizer's `lr` has no say."""
    unit: Literal["epoch", "share"] = "epoch"
    """What the first number of a point counts: epochs, or from 0 to 1 the share of the run."""
    interval: Interval = "step"
    """When it steps: after every batch ("step") or after validation ("epoch")."""

    @property
    def has_points(self) -> bool:
        return True

    def scaled(self, scale: float) -> Self:
        return self.model_copy(update={"points": tuple((when, lr * scale) for when, lr in self.points)})

    @property
    def own_start(self) -> float:
        """The LR of the first point."""
        return self.points[0][1]

    def lr(self, step: int, length: int, steps_per_epoch: int) -> float:
        """The LR after so many of `length` steps."""
        when = step / (steps_per_epoch if self.unit == "epoch" else length)
        return formulas.on_lines(when, [point[0] for point in self.points], [point[1] for point in self.points])

    def places(self, length: int, steps_per_epoch: int) -> list[int]:
        """After how many steps each point is reached, or passed."""
        each = steps_per_epoch if self.unit == "epoch" else length
        return [math.ceil(point[0] * each - 1e-9) for point in self.points]


class ReduceLROnPlateau(SchedulerTable):
    """A drop when validation has stopped getting better."""

    PER_GROUP = ("min_lr",)

    name: Literal["ReduceLROnPlateau"]
    """A drop when validation stops getting better."""
    mode: Literal["min", "max"] = "min"
    """`min`: smaller is better, as for a loss; `max`: larger is. Follows `monitor` where left out."""
    factor: Share = 0.1
    """What the learning rate is multiplied by at each drop."""
    patience: CountOrZero = 10
    """How many epochs without getting better are let pass; the one after them brings the drop."""
    threshold: NotNegative = 1e-4
    """How much better counts as better."""
    threshold_mode: Literal["rel", "abs"] = "rel"
    """`rel`: the threshold is a part of the best value; `abs`: it is a difference."""
    cooldown: CountOrZero = 0
    """How many epochs after a drop are not counted."""
    min_lr: RatesOrZero = 0.0
    """The learning rate never falls below this; a list has one for each group of parameters."""
    eps: NotNegative = 1e-8
    """A drop smaller than this is not made."""
    interval: Literal["epoch"] = "epoch"
    """It steps after validation: there is no validation loss after a batch."""
    monitor: Literal["val_loss", "val_accuracy"] = "val_loss"
    """What it watches: the validation loss or the validation accuracy."""

    @property
    def floor(self) -> float:
        """`min_lr`, of the first group."""
        return of_first(self.min_lr)

    @model_validator(mode="before")
    @classmethod
    def _mode_follows_monitor(cls, data: Any) -> Any:
        if isinstance(data, dict) and "mode" not in data and data.get("monitor") == "val_accuracy":
            return data | {"mode": "max"}
        return data


StageScheduler: TypeAlias = Annotated[
    NoScheduler
    | ConstantLR
    | LinearLR
    | StepLR
    | MultiStepLR
    | ExponentialLR
    | PolynomialLR
    | CosineAnnealingLR
    | CosineAnnealingWarmRestarts
    | LambdaLR
    | PiecewiseLinear,
    Field(discriminator="name"),
]
"""What may be a stage: OneCycleLR and CyclicLR change the LR that the others start from, ReduceLROnPlateau wants a
metric."""


class StageLength(Table):
    """How long a stage lasts; one of them at most, and the one stage without any has the rest of the run."""

    epochs: Count | None = None
    """How many epochs the stage lasts."""
    steps: Count | None = None
    """How many batches it lasts; the schedule steps after every batch then."""
    share: Factor | None = None
    """Which part of the run it lasts: 0.1 is 10 %."""


class Stage(StageLength):
    """One of `[[scheduler.stages]]`: a scheduler, and how long it acts."""

    scheduler: StageScheduler
    """Its own `interval` has no say: all stages step when SequentialLR does."""

    @model_validator(mode="before")
    @classmethod
    def _from_one_table(cls, data: Any) -> Any:
        """The length stands among the scheduler's own keys."""
        if not isinstance(data, dict) or "scheduler" in data:
            return data
        length = {key: data[key] for key in StageLength.model_fields if key in data}
        return {**length, "scheduler": {key: value for key, value in data.items() if key not in length}}

    def __str__(self) -> str:
        """As a table of TOML on one line, without what stands at its default."""
        scheduler = self.scheduler.model_dump(exclude_defaults=True, exclude={"interval"})
        length = {key: value for key in StageLength.model_fields if (value := getattr(self, key)) is not None}
        return ", ".join(f"{key} = {value}" for key, value in {**scheduler, **length}.items())

    @model_serializer(mode="wrap")
    def _as_one_table(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = dump(self)
        scheduler = {key: value for key, value in data.pop("scheduler").items() if key != "interval"}
        return scheduler | {key: value for key, value in data.items() if value is not None}


class Part(NamedTuple):
    """A stage of a run of known length, in steps of the schedule."""

    scheduler: SchedulerTable
    start: int
    """At which step it begins."""
    length: int
    """How many it makes, as it is told; the last one goes on behind that."""


class SequentialLR(Unmonitored):
    """Schedulers one after the other; each begins at its own step 0 with the optimizer's learning rate."""

    name: Literal["SequentialLR"]
    """Schedulers one after the other."""
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=100, strict=False)]
    """The schedulers, in order: [[scheduler.stages]] with a name, its arguments, and epochs, steps or share."""
    interval: Interval = "epoch"
    """When it steps: after every batch ("step") or after validation ("epoch")."""

    @property
    def has_points(self) -> bool:
        return any(stage.scheduler.has_points for stage in self.stages)

    def scaled(self, scale: float) -> Self:
        stages = [stage.model_copy(update={"scheduler": stage.scheduler.scaled(scale)}) for stage in self.stages]
        return self.model_copy(update={"stages": tuple(stages)})

    def parts(self, length: int, steps_per_epoch: int) -> list[Part]:
        """Where each stage begins, and how long it is, in a run of so many steps; one may have no step at all."""
        told = [self._length(stage, length, steps_per_epoch) for stage in self.stages]
        rest = max(0.0, length - sum(each for each in told if each is not None))
        parts, end = [], 0.0
        for stage, each in zip(self.stages, told, strict=True):
            start, end = end, end + (rest if each is None else each)
            parts.append(Part(stage.scheduler, round(start), round(end) - round(start)))
        return parts

    @staticmethod
    def _length(stage: Stage, length: int, steps_per_epoch: int) -> float | None:
        if stage.epochs is not None:
            return float(stage.epochs * steps_per_epoch)
        if stage.share is not None:
            return stage.share * length
        return None if stage.steps is None else float(stage.steps)

    @staticmethod
    def part_at(parts: Sequence[Part], step: int) -> int:
        """Which of them has the LR after so many steps, counted from 0; those without a step are passed over."""
        there = [number for number, part in enumerate(parts) if part.length] or [0]
        return there[max(bisect_right([parts[number].start for number in there], step) - 1, 0)]


AnyScheduler: TypeAlias = Annotated[
    NoScheduler
    | ConstantLR
    | LinearLR
    | StepLR
    | MultiStepLR
    | ExponentialLR
    | PolynomialLR
    | CosineAnnealingLR
    | CosineAnnealingWarmRestarts
    | CyclicLR
    | OneCycleLR
    | LambdaLR
    | PiecewiseLinear
    | SequentialLR
    | ReduceLROnPlateau,
    Field(discriminator="name"),
]

SCHEDULERS: dict[str, type[SchedulerTable]] = {
    "none": NoScheduler,
    **{
        kind.__name__: kind
        for kind in (
            ConstantLR,
            LinearLR,
            StepLR,
            MultiStepLR,
            ExponentialLR,
            PolynomialLR,
            CosineAnnealingLR,
            CosineAnnealingWarmRestarts,
            CyclicLR,
            OneCycleLR,
            LambdaLR,
            PiecewiseLinear,
            SequentialLR,
            ReduceLROnPlateau,
        )
    },
}
"""Every scheduler that a preset may name."""

STAGES = {name: kind for name, kind in SCHEDULERS.items() if kind in get_args(get_args(StageScheduler)[0])}
"""Those that may be a stage of SequentialLR."""


TurningPoints: TypeAlias = Sequence[int]
"""In rising order; a `range` where they may be many, which tells in no time whether it holds a place."""


def turns(config: SchedulerTable, length: int, steps_per_epoch: int = 1) -> list[TurningPoints]:
    """The places of 1 to `length` - 1 at which the curve turns, by kind; `length` is the scheduler's steps in the run.

    CyclicLR gives its tops, then its bottoms; OneCycleLR its phases' ends one by one; SequentialLR the beginnings of
    its stages, then the turns of each.
    """
    match config:
        case StepLR():
            return [range(config.step_size, length, config.step_size)]
        case MultiStepLR():
            return [tuple(place for place in sorted(set(config.milestones)) if place < length)]
        case ConstantLR() | LinearLR() | PolynomialLR():
            return [_within(config.total_iters or length, length)]
        case CosineAnnealingLR():
            period = config.T_max or length
            return [range(period, length, period)]
        case CosineAnnealingWarmRestarts():
            return [restarts(config, length)]
        case CyclicLR():
            period = config.step_size_up + (config.step_size_down or config.step_size_up)
            return [range(config.step_size_up, length, period), range(period, length, period)]
        case OneCycleLR():
            return [_within(end, length) for end in phase_ends(config, length)]
        case LambdaLR():
            return [_within(place, length) for place in formula_turns(config, length)]
        case PiecewiseLinear():
            return [_within(place, length) for place in dict.fromkeys(config.places(length, steps_per_epoch))]
        case SequentialLR():
            return _turns_of_stages(config, length, steps_per_epoch)
        case _:
            return []


def formula_turns(config: LambdaLR, length: int) -> list[int]:
    """The places at which the curve of a formula turns: its top, and where it begins to fall, in rising order."""
    if config.formula == "triangle":
        return [config.peak_in(length)]
    if config.formula == "warmup_stable_decay":
        return sorted({config.warmup, max(config.warmup, length - config.decays_in(length))})
    return [config.warmup] if config.formula == "inverse_sqrt" else []


def _turns_of_stages(config: SequentialLR, length: int, steps_per_epoch: int) -> list[TurningPoints]:
    parts = [part for part in config.parts(length, steps_per_epoch) if part.length]
    if not parts:
        return []
    ends = [*(part.start for part in parts[1:]), length]
    found: list[TurningPoints] = [tuple(end for end in ends[:-1] if 0 < end < length)]
    for part, end in zip(parts, ends, strict=True):
        for places in turns(part.scheduler, part.length, steps_per_epoch):
            within = places[: bisect_left(places, min(end, length) - part.start)]
            found.append(
                range(within.start + part.start, within.stop + part.start, within.step)
                if isinstance(within, range)
                else tuple(place + part.start for place in within)
            )
    return [places for places in found if len(places)]


def restarts(config: CosineAnnealingWarmRestarts, length: int) -> TurningPoints:
    """Where CosineAnnealingWarmRestarts jumps back up."""
    if config.T_mult == 1:
        return range(config.T_0, length, config.T_0)
    places, place, cycle = [], config.T_0, config.T_0
    while place < length:
        places.append(place)
        cycle *= config.T_mult
        place += cycle
    return tuple(places)


def phase_ends(config: OneCycleLR, length: int) -> list[int]:
    """The places at which OneCycleLR stands at its peak, at the end of the way down (three_phase) and at its bottom."""
    exact = one_cycle_phases(config, length)
    last = length - 1
    peak = _peak(config, exact)
    if len(exact) == 2:
        return [peak, last]
    return [peak, min(math.ceil(exact[1]), last), last]


def one_cycle_phases(config: OneCycleLR, length: int) -> list[float]:
    """The ends of OneCycleLR's phases as torch reckons them: they may fall between two steps."""
    first = float(config.pct_start * length) - 1
    if config.three_phase:
        return [first, float(2 * config.pct_start * length) - 2, float(length - 1)]
    return [first, float(length - 1)]


def _peak(config: OneCycleLR, phases: list[float]) -> int:
    """Of the two steps about a peak that falls between them, the one with the higher LR."""
    peak, after = phases[:2]
    if peak <= 0 or peak == int(peak) or after <= peak:
        return max(0, int(peak))
    below, above = math.floor(peak), math.ceil(peak)
    start = 1 / config.div_factor
    end = start if config.three_phase else start / config.final_div_factor
    missed_below = (1 - start) * _annealed(config, (peak - below) / peak)
    missed_above = (1 - end) * _annealed(config, (above - peak) / (after - peak))
    return below if missed_below <= missed_above else above


def _annealed(config: OneCycleLR, part: float) -> float:
    """How much of the way between two LRs is gone after a part of a phase, or behind it."""
    part = min(part, 1.0)
    return part if config.anneal_strategy == "linear" else (1 - math.cos(math.pi * part)) / 2


def _within(place: int, length: int) -> TurningPoints:
    return (place,) if 0 < place < length else ()
