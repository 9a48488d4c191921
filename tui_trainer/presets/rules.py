"""What goes wrong with schedulers although every argument by itself is in order, found without torch.

A rule is asked about a preset on a run. It names the tables it reads, so that it still speaks when another table is
broken, and yields what it finds. Errors are what cannot run, or would quietly do the opposite of what was meant; the
rest are warnings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from tui_trainer.presets import schedulers as s
from tui_trainer.presets.augmentation import RandAugment, RandomErasing
from tui_trainer.presets.lrs import PlannedLRs
from tui_trainer.presets.optimizers import SGD, Adam, Adamax, AdamW, NAdam, OwnOptimizer, RAdam, RMSprop, Rprop
from tui_trainer.presets.problems import Severity
from tui_trainer.presets.schedulers import one_cycle_phases
from tui_trainer.presets.schema import MadeFor, Preset
from tui_trainer.run_options import BATCH_NORM_MODELS, DATASET, MODEL, MODEL_OPTIONS, TRAIN_IMAGES
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, format_lr
from tui_trainer.text.plain import plain


@dataclass(frozen=True)
class RunConditions:
    """What a preset does not say of the run that follows it."""

    train_images: int = 4_000
    batchnorm: bool = False
    """Whether the model has BatchNorm layers."""
    model: str = ""
    """What the network is called; empty where the run has one already, which no preset changes."""
    epochs_before: int = 0
    """Epochs that the run trains with another preset before it is switched to this one."""
    steps_before: int = 0
    """Steps of the optimizer in them."""

    @classmethod
    def of(cls, made_for: MadeFor | None = None, options: Mapping[str, Any] = MappingProxyType({})) -> RunConditions:
        """Those of the data set and the model that the person named, else those that the preset is made for.

        `options` are those of a run, as `RunSpec` has them: a data set of a person's own has `own_images`.
        """
        own = made_for or MadeFor()
        dataset = options.get("dataset") or own.dataset or DATASET
        images = TRAIN_IMAGES.get(dataset, options.get("own_images") or 0)
        limit = options.get("limit_train")
        network = options.get("model") or own.model or MODEL
        return cls(images if limit is None else min(limit, images), network in BATCH_NORM_MODELS, network)


@dataclass(frozen=True)
class PresetOnRun:
    """A preset on a run."""

    preset: Preset
    run: RunConditions

    @property
    def epochs(self) -> int:
        return self.preset.training.epochs

    @cached_property
    def batches_per_epoch(self) -> int:
        """Steps of the optimizer in an epoch: its batches, unless several make a step."""
        return self.preset.training.steps_per_epoch(self.run.train_images)

    @cached_property
    def span(self) -> int:
        """How many steps the scheduler makes: epochs or batches, less the warm-up; 0 or less if that takes them all."""
        warmup = self.preset.warmup_steps(self.batches_per_epoch)
        epochs = self.preset.training.scheduled_epochs(self.epochs)
        if self.preset.scheduler.interval == "step":
            return epochs * self.batches_per_epoch - warmup
        return epochs - warmup // self.batches_per_epoch

    @property
    def swa_follows(self) -> bool:
        """Whether SWALR takes over before the run ends, and goes on from wherever the scheduler has come."""
        return self.preset.training.scheduled_epochs(self.epochs) < self.epochs

    @property
    def swa_moves_lr(self) -> bool:
        """Whether it does so early enough for an epoch with an LR of its own: its first has the scheduler's last."""
        return self.preset.training.scheduled_epochs(self.epochs) + 1 < self.epochs

    @property
    def part(self) -> str:
        """How long the scheduler has, in words."""
        if self.swa_follows:
            return say("rule.swa_leaves", steps=self.steps(self.span))
        if self.preset.warmup:
            return say("rule.warmup_leaves", steps=self.steps(self.span))
        return self.run_has(self.steps(self.span))

    @property
    def before(self) -> int:
        """How much of the run is trained before this preset: in epochs or batches, as its scheduler counts."""
        return self.run.steps_before if self.preset.scheduler.interval == "step" else self.run.epochs_before

    def run_has(self, length: str) -> str:
        """That the run has this length, or after a switch so much of it left."""
        return say("rule.run_has_left" if self.run.epochs_before else "rule.run_has", steps=length)

    def less(self, caption: str, than: int | None = None) -> str:
        """What a smaller number would do, where there is one."""
        than = self.span if than is None else than
        return say(caption, than=than) if than > 1 else ""

    def steps(self, number: int) -> str:
        """So many steps of the scheduler, in words."""
        return counted(number, self.preset.training.unit if self.preset.scheduler.interval == "step" else "epoch")


class RuleBroken(NamedTuple):
    """What a rule found."""

    key: str
    message: str
    severity: Severity = "warning"


Find: TypeAlias = Callable[[PresetOnRun], Iterator[RuleBroken]]

LENGTH = frozenset({"training", "scheduler", "warmup"})
"""The tables that say how many steps the scheduler makes."""


@dataclass(frozen=True)
class Rule:
    """What to look for, and the tables that it reads."""

    tables: frozenset[str]
    find: Find

    @property
    def needs_span(self) -> bool:
        """Whether it looks at the scheduler over the run, of which a warm-up must then leave something."""
        return self.tables >= LENGTH


FLAT = 1e-4
"""An LR below this part of its start moves nothing that one could see."""

RULES: list[Rule] = []


def rule(*tables: str) -> Callable[[Find], Find]:
    """Enter a function in `RULES`, as one that reads these tables."""

    def enter(find: Find) -> Find:
        RULES.append(Rule(frozenset(tables), find))
        return find

    return enter


# The optimizer by itself, and with the scheduler.


@rule("optimizer")
def nesterov_needs_momentum(case: PresetOnRun) -> Iterator[RuleBroken]:
    optimizer = case.preset.optimizer
    if not isinstance(optimizer, SGD) or not optimizer.nesterov:
        return
    if optimizer.momentum == 0:
        yield RuleBroken("optimizer.nesterov", say("rule.nesterov_momentum"), "error")
    if optimizer.dampening != 0:
        yield RuleBroken("optimizer.dampening", say("rule.nesterov_dampening"), "error")


SGD_BREAKS, STEP_BREAKS = 10.0, 1.0
"""LRs that no network survives: of SGD, and of the optimizers whose LR is about the length of a step, whatever the
gradient. Adagrad's steps shrink too fast for such a bound, Adadelta's LR is a factor on a step of its own, Adafactor's
one on the weights, and Rprop finds the sizes of its steps by itself."""

LARGE_EPS = 0.01
"""From here on a step is as short as its gradient is small, whatever the LR."""


@rule("optimizer", *LENGTH)
def lr_that_breaks(case: PresetOnRun) -> Iterator[RuleBroken]:
    optimizer, scheduler = case.preset.optimizer, case.preset.scheduler
    of_schedule, of_swa = _highest_lr(case), _last_of_swa(case)
    highest = max(of_schedule, of_swa)
    if isinstance(optimizer, SGD) and highest >= SGD_BREAKS:
        why, right = say("rule.sgd_leaps"), say("rule.usual_sgd")
    elif isinstance(optimizer, Adam | AdamW | Adamax | NAdam | RAdam | RMSprop) and highest >= STEP_BREAKS:
        if optimizer.eps >= LARGE_EPS:
            return
        why, right = say("rule.adam_leaps", optimizer=optimizer.name), say("rule.usual_adam")
    else:
        return
    key = "optimizer.lr" if scheduler.own_start is None else "scheduler.max_lr"
    key = "scheduler.points" if isinstance(scheduler, s.PiecewiseLinear) else key
    key = "training.swa_lr" if of_swa > of_schedule else key
    yield RuleBroken(key, say("rule.lr_breaks", lr=format_lr(highest), why=why, right=right))


def _last_of_swa(case: PresetOnRun) -> float:
    """What SWALR brings the LR to in this run; 0 where it does not begin."""
    if not case.swa_follows or case.preset.training.swa_lr is None:
        return 0.0
    planned = PlannedLRs(case.preset, case.batches_per_epoch)
    try:
        return planned.at(planned.steps - 1)
    except OverflowError:  # the rehearsal says so
        return 0.0


def _highest_lr(case: PresetOnRun) -> float:
    """What the LR comes to at most, over the run; a schedule that makes it grow says so by itself."""
    scheduler, span = case.preset.scheduler, case.span
    lr = case.preset.optimizer.lr
    match scheduler:
        case s.OneCycleLR() | s.LambdaLR() | s.PiecewiseLinear():  # in a short run no step has the LR of its peak
            return _highest_planned(case)
        case s.SequentialLR():
            try:
                return _highest_planned(case)
            except OverflowError:  # the rehearsal says so
                return lr
        case s.CyclicLR():
            return _top_of(scheduler, span)
        case s.ConstantLR() if not scheduler.total_iters or scheduler.total_iters >= span:
            return lr * scheduler.factor
        case s.LinearLR():
            whole = scheduler.total_iters or span
            reached = min(1.0, max(0, span - 1) / max(1, whole))
            last = scheduler.start_factor + (scheduler.end_factor - scheduler.start_factor) * reached
            return lr * max(scheduler.start_factor, last)
        case _:
            return lr


def _highest_planned(case: PresetOnRun) -> float:
    planned = PlannedLRs(case.preset, case.batches_per_epoch)
    return max(map(planned.at, {0, planned.steps - 1, *planned.turning()}))


def _top_of(scheduler: s.CyclicLR, span: int) -> float:
    """What the first way up of a cycle comes to in so many steps; what mode exp_range makes grow says so by itself."""
    last = min(scheduler.step_size_up, max(0, span - 1))
    height = last / scheduler.step_size_up
    if scheduler.mode == "exp_range" and scheduler.gamma < 1:
        height = max(place / scheduler.step_size_up * scheduler.gamma**place for place in _turn_of(scheduler, last))
    return scheduler.bottom + (scheduler.top - scheduler.bottom) * height


def _turn_of(scheduler: s.CyclicLR, last: int) -> tuple[int, ...]:
    """Places at which place * gamma**place may be highest until the last one: its own turn, between two of them."""
    turn = math.floor(-1 / math.log(scheduler.gamma))
    return min(turn, last), min(turn + 1, last)


@rule("optimizer", "scheduler")
def momentum_to_cycle(case: PresetOnRun) -> Iterator[RuleBroken]:
    optimizer, scheduler = case.preset.optimizer, case.preset.scheduler
    if isinstance(scheduler, s.OneCycleLR | s.CyclicLR) and scheduler.cycle_momentum:
        known = not isinstance(optimizer, OwnOptimizer)  # what a person's own has is seen as it is made
        if known and {"momentum", "betas"}.isdisjoint(type(optimizer).model_fields):
            message = say("rule.no_momentum", optimizer=optimizer.name)
            yield RuleBroken("scheduler.cycle_momentum", message, "error")
        if scheduler.base_momentum > scheduler.max_momentum:
            message = say("rule.momentum_upside_down", top=f"{scheduler.max_momentum:g}")
            yield RuleBroken("scheduler.base_momentum", message, "error")


@rule("optimizer", *LENGTH)
def rprop_is_what_it_is(case: PresetOnRun) -> Iterator[RuleBroken]:
    preset, optimizer = case.preset, case.preset.optimizer
    if not isinstance(optimizer, Rprop):
        return
    for key in ("weight_decay_norm", "weight_decay_bias"):
        if getattr(optimizer, key) is not None:
            yield RuleBroken(f"optimizer.{key}", say("rule.no_weight_decay"), "error")
    for number, group in enumerate(optimizer.groups, 1):
        if group.weight_decay is not None:
            yield RuleBroken(f"optimizer.groups.{number}.weight_decay", say("rule.no_weight_decay"), "error")
    if case.batches_per_epoch > 1:
        steps = counted(case.batches_per_epoch, preset.training.unit)
        yield RuleBroken("optimizer.name", say("rule.signs_of_batches", steps=steps))
    if preset.scheduler.interval is not None or preset.warmup is not None or preset.training.swa_lr is not None:
        yield RuleBroken("optimizer.name", say("rule.lr_of_first_step"))


@rule("optimizer", "scheduler")
def lr_without_a_say(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, optimizer, lines = case.preset.scheduler, case.preset.optimizer, case.preset.source.lines
    given = "lr" in optimizer.model_fields_set and not isinstance(optimizer, OwnOptimizer)
    if scheduler.own_start is None or not given:
        return
    if not lines and optimizer.lr == type(optimizer).model_fields["lr"].get_default():
        return  # a record has every key, and this one may never have been written
    sources = {"OneCycleLR": "max_lr / div_factor", "CyclicLR": "base_lr", "PiecewiseLinear": "points[0]"}
    source = sources[scheduler.name]
    start = format_lr(scheduler.own_start)
    yield RuleBroken("optimizer.lr", say("rule.lr_not_used", scheduler=scheduler.name, source=source, start=start))


@rule("optimizer", "scheduler")
def bottom_below_start(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, lr = case.preset.scheduler, case.preset.optimizer.lr
    if isinstance(scheduler, s.CosineAnnealingLR | s.CosineAnnealingWarmRestarts) and scheduler.eta_min >= lr:
        caption = "rule.eta_min_climbs" if scheduler.eta_min > lr else "rule.eta_min_stays"
        yield RuleBroken("scheduler.eta_min", say(caption, lr=format_lr(lr)))
    if isinstance(scheduler, s.ReduceLROnPlateau) and scheduler.floor >= lr:
        yield RuleBroken("scheduler.min_lr", say("rule.min_lr_stops", lr=format_lr(lr)))


# The scheduler by itself.


@rule("scheduler")
def cycle_goes_up(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler = case.preset.scheduler
    if isinstance(scheduler, s.CyclicLR) and scheduler.top <= scheduler.bottom:
        message = say("rule.cycle_upside_down", base=format_lr(scheduler.bottom))
        yield RuleBroken("scheduler.max_lr", message, "error")
    if isinstance(scheduler, s.CyclicLR) and scheduler.mode != "exp_range" and scheduler.gamma != 1:
        yield RuleBroken("scheduler.gamma", say("rule.gamma_not_used", mode=scheduler.mode))
    if isinstance(scheduler, s.OneCycleLR) and scheduler.div_factor * scheduler.final_div_factor < 1:
        yield RuleBroken("scheduler.final_div_factor", say("rule.ends_above_top"), "error")


@rule("scheduler")
def factor_that_acts(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler = case.preset.scheduler
    if isinstance(scheduler, s.StepLR | s.MultiStepLR | s.ExponentialLR) and scheduler.gamma >= 1:
        caption = "rule.gamma_keeps" if scheduler.gamma == 1 else "rule.gamma_grows"
        yield RuleBroken("scheduler.gamma", say(caption, gamma=f"{scheduler.gamma:g}"))
    if isinstance(scheduler, s.ConstantLR) and scheduler.factor == 1:
        yield RuleBroken("scheduler.factor", say("rule.factor_keeps"))
    if isinstance(scheduler, s.LinearLR) and scheduler.start_factor == scheduler.end_factor:
        yield RuleBroken("scheduler.end_factor", say("rule.line_is_level"))


@rule("scheduler")
def milestones_in_order(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler = case.preset.scheduler
    if isinstance(scheduler, s.MultiStepLR):
        in_order = sorted(scheduler.milestones)
        if list(scheduler.milestones) != in_order:
            first = ", ".join(str(milestone) for milestone in in_order[:8]) + (", ..." if in_order[8:] else "")
            yield RuleBroken("scheduler.milestones", say("rule.milestones_unordered", milestones=first), "error")


@rule("scheduler")
def mode_fits_monitor(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler = case.preset.scheduler
    if isinstance(scheduler, s.ReduceLROnPlateau):
        right = "max" if scheduler.monitor == "val_accuracy" else "min"
        if scheduler.mode != right:
            message = say("rule.mode_upside_down", mode=scheduler.mode, monitor=scheduler.monitor, right=right)
            yield RuleBroken("scheduler.mode", message, "error")


# The warm-up.


@rule("scheduler", "warmup")
def warmup_has_its_place(case: PresetOnRun) -> Iterator[RuleBroken]:
    if case.preset.warmup is None:
        return
    if isinstance(case.preset.scheduler, s.OneCycleLR):
        yield RuleBroken("warmup", say("rule.warmup_of_its_own"), "error")
    if isinstance(case.preset.scheduler, s.CyclicLR):
        yield RuleBroken("warmup", say("rule.begins_low"), "error")
    if isinstance(case.preset.scheduler, s.PiecewiseLinear):
        yield RuleBroken("warmup", say("rule.begins_at_a_point"), "error")


@rule("training", "warmup")
def warmup_leaves_a_run(case: PresetOnRun) -> Iterator[RuleBroken]:
    warmup = case.preset.warmup
    if warmup is None:
        return
    if warmup.epochs is not None and warmup.steps is not None:
        yield RuleBroken("warmup.steps", say("rule.warmup_twice"), "error")
    if warmup.method == "constant" and warmup.start_factor == 0:
        yield RuleBroken("warmup.start_factor", say("rule.warmup_of_nothing"), "error")
    in_steps = warmup.steps is not None
    there = case.epochs * case.batches_per_epoch if in_steps else case.epochs
    if warmup.batches(case.batches_per_epoch) >= case.epochs * case.batches_per_epoch:
        right = say("rule.shorter_warmup", length=there) if there > 1 else say("rule.longer_run")
        said = say("rule.warmup_is_all", length=counted(there, "step" if in_steps else "epoch"), right=right)
        yield RuleBroken("warmup.steps" if in_steps else "warmup.epochs", said, "error")


# The scheduler on a run of this length.


@rule(*LENGTH)
def acts_within_the_run(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, span = case.preset.scheduler, case.span
    match scheduler:
        case s.StepLR() if scheduler.step_size >= span:
            less = case.less("rule.less_drops" if scheduler.gamma < 1 else "rule.less_reaches")
            yield RuleBroken("scheduler.step_size", say("rule.never_drops", part=case.part, less=less))
        case s.MultiStepLR() if late := [milestone for milestone in scheduler.milestones if milestone >= span]:
            less = case.less("rule.less_is_reached")
            said = say("rule.milestone_late", milestone=late[0], part=case.part, less=less)
            yield RuleBroken("scheduler.milestones", said)
        case s.CosineAnnealingWarmRestarts() if span <= scheduler.T_0:
            less = case.less("rule.less_restarts")
            yield RuleBroken("scheduler.T_0", say("rule.no_restart", part=case.part, less=less))
        case s.CyclicLR() if scheduler.step_size_up >= span:
            less = case.less("rule.less_tops")
            yield RuleBroken("scheduler.step_size_up", say("rule.top_not_reached", part=case.part, less=less))
        case s.ReduceLROnPlateau() if scheduler.patience >= span - 2:
            # The first epoch is the best so far whatever it brings, and nothing follows a drop after the last one.
            less = case.less("rule.less_lets_one", span - 2)
            yield RuleBroken("scheduler.patience", say("rule.no_drop_in_time", part=case.part, less=less))
        case _:
            pass


@rule(*LENGTH)
def curve_fits_the_run(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, span = case.preset.scheduler, case.span
    if isinstance(scheduler, s.ConstantLR) and (scheduler.total_iters or span) >= span and not case.swa_follows:
        yield RuleBroken("scheduler.total_iters", say("rule.factor_stays", less=case.less("rule.less_lifts")))
    if isinstance(scheduler, s.LinearLR | s.PolynomialLR) and scheduler.total_iters:
        to_zero = isinstance(scheduler, s.PolynomialLR) or scheduler.end_factor == 0
        if scheduler.total_iters > span and not case.swa_follows:
            yield RuleBroken("scheduler.total_iters", say("rule.curve_cut", fills=_fills(case)))
        elif scheduler.total_iters < span and to_zero:
            caption = "rule.zero_until_swa" if case.swa_moves_lr else "rule.zero_from_there"
            yield RuleBroken("scheduler.total_iters", say(caption, fills=_fills(case)))


@rule("optimizer", *LENGTH)
def cosine_fits_the_run(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, span = case.preset.scheduler, case.span
    if not isinstance(scheduler, s.CosineAnnealingLR) or not scheduler.T_max:
        return
    if scheduler.eta_min >= case.preset.optimizer.lr:
        return  # it does not go down at all, which is said
    if scheduler.T_max > span and not case.swa_follows:
        yield RuleBroken("scheduler.T_max", say("rule.bottom_not_reached", fills=_fills(case)))
    elif scheduler.T_max < span - 1:  # with one less than the run the last step is the bottom
        yield RuleBroken("scheduler.T_max", say("rule.turns_back", fills=_fills(case)))


def _fills(case: PresetOnRun) -> str:
    return say("rule.fills", steps=case.steps(case.span))


@rule(*LENGTH)
def decay_leaves_something(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, span = case.preset.scheduler, case.span
    if isinstance(scheduler, s.StepLR):
        drops = (span - 1) // scheduler.step_size
    elif isinstance(scheduler, s.ExponentialLR):
        drops = span - 1
    else:
        return
    if drops < 1 or drops * math.log(scheduler.gamma) >= math.log(FLAT):
        return
    share = _power_of_ten(drops * math.log10(scheduler.gamma))
    gamma = f"{0.01 ** (1 / drops):.4g}"
    yield RuleBroken(
        "scheduler.gamma", say("rule.decays_to_nothing", drops=counted(drops, "drop"), share=share, gamma=gamma)
    )


def _power_of_ten(exponent: float) -> str:
    """`2e-5` of -4.7; of numbers that no float has, too."""
    whole = math.floor(exponent)
    digit = round(10 ** (exponent - whole))
    return f"{digit}e{whole}" if digit < 10 else f"1e{whole + 1}"


@rule("optimizer", *LENGTH)
def growth_stays_finite(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, span = case.preset.scheduler, case.span
    lr, times = case.preset.optimizer.lr, 0
    match scheduler:
        case s.StepLR():
            times = span // scheduler.step_size
        case s.MultiStepLR():
            times = sum(milestone <= span for milestone in scheduler.milestones)
        case s.ExponentialLR():
            times = span
        case s.CyclicLR() if scheduler.mode == "exp_range":
            times, lr = span, max(1.0, scheduler.top)
    gamma = getattr(scheduler, "gamma", 1.0) if times else 1.0
    if gamma > 1 and math.log10(lr) + times * math.log10(gamma) > 300:
        yield RuleBroken("scheduler.gamma", say("rule.grows_past_all"), "error")


MOST_HALVINGS = 1023
"""Cycles of `triangular2` that torch can halve: 2.0 to the power of one more is no float."""


@rule(*LENGTH)
def halving_stays_finite(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, span = case.preset.scheduler, case.span
    if isinstance(scheduler, s.CyclicLR) and scheduler.mode == "triangular2":
        cycles = span // (scheduler.step_size_up + (scheduler.step_size_down or scheduler.step_size_up))
        if cycles > MOST_HALVINGS:
            told = say("rule.halves_past_all", most=MOST_HALVINGS, cycles=counted(cycles, "cycle"))
            yield RuleBroken("scheduler.mode", told, "error")


@rule(*LENGTH)
def one_cycle_has_its_phases(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, span = case.preset.scheduler, case.span
    if not isinstance(scheduler, s.OneCycleLR):
        return
    ends = [0.0, *one_cycle_phases(scheduler, span)]
    phases = list(pairwise(ends))
    if scheduler.pct_start * span < 1:
        right = say("rule.more_would_do", share=f"{1.5 / span:.2g}") if span > 1 else say("rule.longer_run_would_do")
        said = say("rule.never_climbs", share=f"{scheduler.pct_start:g}", steps=case.steps(span), right=right)
        yield RuleBroken("scheduler.pct_start", said)
    elif any(start == end for start, end in phases):
        right = f"{1.5 / span:.3g}" if ends[1] == 0 else "0.3"
        said = say("rule.phase_without_step", steps=case.steps(span), share=right)
        yield RuleBroken("scheduler.pct_start", said, "error")
    elif any(start > end for start, end in phases):
        yield RuleBroken("scheduler.pct_start", say("rule.way_down_too_long"), "error")


# The steps.


@rule("training")
def clips_once(case: PresetOnRun) -> Iterator[RuleBroken]:
    training = case.preset.training
    if training.clip_grad_norm is not None and training.clip_grad_value is not None:
        yield RuleBroken("training.clip_grad_value", say("rule.clipped_twice"), "error")


@rule("training")
def adds_up_what_there_is(case: PresetOnRun) -> Iterator[RuleBroken]:
    training = case.preset.training
    batches = -(-case.run.train_images // training.batch_size)
    if training.accumulate > batches:
        yield RuleBroken("training.accumulate", say("rule.accumulates_all", batches=counted(batches, "batch")))


FIRST_IN_AVERAGE = 0.1
"""More than this part of an average in its end is what the first step left: it hardly follows the weights."""


@rule("training")
def average_follows(case: PresetOnRun) -> Iterator[RuleBroken]:
    decay, steps = case.preset.training.ema_decay, case.epochs * case.batches_per_epoch
    if decay is None or steps < 2 or (share := decay ** (steps - 1)) <= FIRST_IN_AVERAGE:
        return
    right = f"{0.01 ** (1 / (steps - 1)):.4g}"
    said = say("rule.average_stays", share=f"{share:.0%}", steps=counted(steps, "step"), right=right)
    yield RuleBroken("training.ema_decay", said)


@rule("training")
def averages_once_and_in_time(case: PresetOnRun) -> Iterator[RuleBroken]:
    training = case.preset.training
    if training.swa_start is None:
        return
    if training.ema_decay is not None:
        yield RuleBroken("training.swa_start", say("rule.averaged_twice"), "error")
    if training.swa_start >= case.epochs:
        taken = "rule.average_of_one" if training.swa_start == case.epochs else "rule.average_never"
        yield RuleBroken("training.swa_start", say(taken, epochs=counted(case.epochs, "epoch")))


@rule("training", "scheduler")
def anneals_to_swa_lr(case: PresetOnRun) -> Iterator[RuleBroken]:
    training = case.preset.training
    own = {"swa_anneal_epochs", "swa_anneal_strategy"} & training.model_fields_set
    if training.swa_lr is None:
        for key in sorted(own if case.preset.source.lines else ()):
            yield RuleBroken(f"training.{key}", say("rule.swa_needs_lr"), "error")
        return
    if training.swa_start is None:
        yield RuleBroken("training.swa_lr", say("rule.swa_needs_start"), "error")
        return
    if isinstance(case.preset.scheduler, s.ReduceLROnPlateau):
        yield RuleBroken("training.swa_lr", say("rule.swa_of_losses"), "error")
    left = case.epochs - training.swa_start
    if 0 < left < training.swa_anneal_epochs:
        said = say("rule.swa_not_reached", left=counted(left, "epoch"), most=left)
        yield RuleBroken("training.swa_anneal_epochs", said)


@rule("training", "warmup")
def leaves_the_scheduler_epochs(case: PresetOnRun) -> Iterator[RuleBroken]:
    training, preset = case.preset.training, case.preset
    if training.swa_lr is None or training.swa_start is None or training.scheduled_epochs(case.epochs) == case.epochs:
        return
    warmup = preset.warmup_steps(case.batches_per_epoch)
    first = (warmup // case.batches_per_epoch if warmup else 0) + 2
    if training.swa_start < first:
        yield RuleBroken("training.swa_start", say("rule.swa_too_early", first=first), "error")


@rule("training")
def stops_early_where_it_gets_no_better(case: PresetOnRun) -> Iterator[RuleBroken]:
    early, epochs = case.preset.training.early_stopping, case.epochs
    if early is None:
        return
    right = "max" if early.monitor == "val_accuracy" else "min"
    if early.mode != right:
        said = say("rule.mode_upside_down", mode=early.mode, monitor=early.monitor, right=right)
        yield RuleBroken("training.early_stopping.mode", said, "error")
    if early.patience > epochs - 2:  # the first epoch is the best so far, and behind the last one nothing is left
        less = say("rule.less_ends_it", most=epochs - 2) if epochs > 2 else ""
        said = say("rule.never_early", epochs=counted(epochs, "epoch"), less=less)
        yield RuleBroken("training.early_stopping.patience", said)


# The network, and the data.


@rule("network")
def network_takes_its_options(case: PresetOnRun) -> Iterator[RuleBroken]:
    taken = MODEL_OPTIONS.get(case.run.model, ())
    for key in case.preset.model_options if case.run.model else ():
        if key not in taken:
            right = say("rule.network_takes", keys=" and ".join(taken)) if taken else say("rule.network_takes_nothing")
            said = say("rule.not_of_network", model=plain(case.run.model), key=key, right=right)
            yield RuleBroken(f"model.{key}", said, "error")


@rule("training")
def transforms_can_be_drawn(case: PresetOnRun) -> Iterator[RuleBroken]:
    transforms = case.preset.training.augmentation or ()
    for number, each in enumerate(transforms, 1):
        where = f"training.augmentation.{number}"
        if isinstance(each, RandomErasing):
            after = transforms[number] if number < len(transforms) else each
            if not isinstance(after, RandomErasing):
                yield RuleBroken(where, say("rule.erasing_is_last", after=after.name), "error")
            for key in ("scale", "ratio"):
                low, high = getattr(each, key)
                if low > high:
                    said = say("rule.range_upside_down", low=f"{low:g}", high=f"{high:g}")
                    yield RuleBroken(f"{where}.{key}", said, "error")
        if isinstance(each, RandAugment) and each.magnitude >= each.num_magnitude_bins:
            said = say("rule.magnitude_beyond", bins=each.num_magnitude_bins, most=each.num_magnitude_bins - 1)
            yield RuleBroken(f"{where}.magnitude", said, "error")


@rule("training")
def batches_fit_the_data(case: PresetOnRun) -> Iterator[RuleBroken]:
    images, size = case.run.train_images, case.preset.training.batch_size
    if size > images:
        smaller = min(64, images // 2)
        right = say("rule.more_steps", size=smaller) if smaller else ""
        said = say("rule.one_batch", images=counted(images, "training image")) + right
        yield RuleBroken("training.batch_size", said)
    if case.run.batchnorm and min(size, images) > 1 and images % size == 1:
        right = say("rule.last_of_one", size=next(n for n in range(size + 1, images + 1) if images % n != 1))
        yield RuleBroken("training.batch_size", right)
    elif case.run.batchnorm and size == 1:
        yield RuleBroken("training.batch_size", say("rule.batches_of_one"))
