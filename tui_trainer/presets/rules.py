"""What goes wrong with schedulers although every argument by itself is in order, found without torch.

A rule is asked about a preset on a run. It names the tables it reads, so that it still speaks when another table is
broken, and yields what it finds. Errors are what cannot run, or would quietly do the opposite of what was meant; the
rest are warnings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from tui_trainer.presets import schedulers as s
from tui_trainer.presets.optimizers import SGD, Adadelta, Adagrad, Adam, AdamW, NAdam, RAdam, RMSprop
from tui_trainer.presets.problems import Severity
from tui_trainer.presets.schedulers import one_cycle_phases
from tui_trainer.presets.schema import MadeFor, Preset
from tui_trainer.run_options import BATCH_NORM_MODELS, DATASET, MODEL, Dataset, Model, train_images
from tui_trainer.text.numbers import counted, format_lr


@dataclass(frozen=True)
class RunConditions:
    """What a preset does not say of the run that follows it."""

    train_images: int = 4_000
    batchnorm: bool = False
    """Whether the model has BatchNorm layers."""

    @classmethod
    def of(
        cls,
        made_for: MadeFor | None = None,
        *,
        dataset: Dataset | None = None,
        model: Model | None = None,
        limit_train: int | None = None,
    ) -> RunConditions:
        """Those of the data set and the model that the person named, else those that the preset is made for."""
        own = made_for or MadeFor()
        images = train_images(dataset or own.dataset or DATASET, limit_train)
        return cls(train_images=images, batchnorm=(model or own.model or MODEL) in BATCH_NORM_MODELS)


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
        return -(-self.run.train_images // self.preset.training.batch_size)

    @property
    def span(self) -> int:
        """How many steps the scheduler makes: epochs or batches, less the warm-up; 0 or less if that takes them all."""
        left = self.epochs - self.preset.warmup_epochs
        return left * self.batches_per_epoch if self.preset.scheduler.interval == "step" else left

    @property
    def part(self) -> str:
        """How long the scheduler has, in words."""
        who = "the warm-up leaves" if self.preset.warmup else "the run has"
        return f"{who} {self.steps(self.span)}"

    def less(self, would: str, than: int | None = None) -> str:
        """What a smaller number would do, where there is one."""
        than = self.span if than is None else than
        return f"; less than {than} would {would}" if than > 1 else ""

    def steps(self, number: int) -> str:
        """So many steps of the scheduler, in words."""
        return counted(number, "batch" if self.preset.scheduler.interval == "step" else "epoch")


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
        yield RuleBroken("optimizer.nesterov", "needs momentum; add momentum = 0.9, or take nesterov out", "error")
    if optimizer.dampening != 0:
        yield RuleBroken("optimizer.dampening", "Nesterov momentum allows none; take one of the two out", "error")


SGD_BREAKS, STEP_BREAKS = 10.0, 1.0
"""LRs that no network survives: of SGD, and of the optimizers whose LR is about the length of a step, whatever the
gradient. Adagrad's steps shrink too fast for such a bound, and Adadelta's LR is a factor on a step of its own."""

LARGE_EPS = 0.01
"""From here on a step is as short as its gradient is small, whatever the LR."""


@rule("optimizer", *LENGTH)
def lr_that_breaks(case: PresetOnRun) -> Iterator[RuleBroken]:
    optimizer, scheduler = case.preset.optimizer, case.preset.scheduler
    highest = _highest_lr(case)
    if isinstance(optimizer, SGD) and highest >= SGD_BREAKS:
        why, right = "the loss leaps away from it within a few steps", "0.01 to 0.1 is usual"
    elif isinstance(optimizer, Adam | AdamW | NAdam | RAdam | RMSprop) and highest >= STEP_BREAKS:
        if optimizer.eps >= LARGE_EPS:
            return
        why, right = f"{optimizer.name} moves every weight by about that much at a step", "0.001 is usual"
    else:
        return
    key = "scheduler.max_lr" if scheduler.own_start is not None else "optimizer.lr"
    yield RuleBroken(key, f"the LR comes to {format_lr(highest)}, and nothing is learned: {why}; {right}")


def _highest_lr(case: PresetOnRun) -> float:
    """What the LR comes to at most, over the run; a schedule that makes it grow says so by itself."""
    scheduler, span = case.preset.scheduler, case.span
    lr = case.preset.optimizer.lr
    match scheduler:
        case s.OneCycleLR() | s.CyclicLR():
            return scheduler.max_lr
        case s.ConstantLR() if not scheduler.total_iters or scheduler.total_iters >= span:
            return lr * scheduler.factor
        case s.LinearLR():
            whole = scheduler.total_iters or span
            reached = min(1.0, max(0, span - 1) / max(1, whole))
            last = scheduler.start_factor + (scheduler.end_factor - scheduler.start_factor) * reached
            return lr * max(scheduler.start_factor, last)
        case _:
            return lr


@rule("optimizer", "scheduler")
def momentum_to_cycle(case: PresetOnRun) -> Iterator[RuleBroken]:
    optimizer, scheduler = case.preset.optimizer, case.preset.scheduler
    if isinstance(scheduler, s.OneCycleLR | s.CyclicLR) and scheduler.cycle_momentum:
        if isinstance(optimizer, Adadelta | Adagrad):
            message = f"{optimizer.name} has no momentum to cycle; write cycle_momentum = false"
            yield RuleBroken("scheduler.cycle_momentum", message, "error")
        if scheduler.base_momentum > scheduler.max_momentum:
            message = f"the lower end of the cycle is above max_momentum, {scheduler.max_momentum:g}; swap them"
            yield RuleBroken("scheduler.base_momentum", message, "error")


@rule("optimizer", "scheduler")
def lr_without_a_say(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, optimizer, lines = case.preset.scheduler, case.preset.optimizer, case.preset.source.lines
    if scheduler.own_start is None or "lr" not in optimizer.model_fields_set:
        return
    if not lines and optimizer.lr == type(optimizer).model_fields["lr"].get_default():
        return  # a record has every key, and this one may never have been written
    source = "max_lr / div_factor" if isinstance(scheduler, s.OneCycleLR) else "base_lr"
    start = format_lr(scheduler.own_start)
    yield RuleBroken("optimizer.lr", f"not used: {scheduler.name} starts at {source}, {start}; leave it out")


@rule("optimizer", "scheduler")
def bottom_below_start(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, lr = case.preset.scheduler, case.preset.optimizer.lr
    start = f"the optimizer's lr, {format_lr(lr)}"
    if isinstance(scheduler, s.CosineAnnealingLR | s.CosineAnnealingWarmRestarts) and scheduler.eta_min >= lr:
        yield RuleBroken("scheduler.eta_min", f"not below {start}, so the LR never falls; less would anneal to it")
    if isinstance(scheduler, s.ReduceLROnPlateau) and scheduler.min_lr >= lr:
        yield RuleBroken("scheduler.min_lr", f"not below {start}, so the LR never falls; less would let it")


# The scheduler by itself.


@rule("scheduler")
def cycle_goes_up(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler = case.preset.scheduler
    if isinstance(scheduler, s.CyclicLR) and scheduler.max_lr <= scheduler.base_lr:
        message = f"the top is not above base_lr, {format_lr(scheduler.base_lr)}; make it larger"
        yield RuleBroken("scheduler.max_lr", message, "error")
    if isinstance(scheduler, s.CyclicLR) and scheduler.mode != "exp_range" and scheduler.gamma != 1:
        yield RuleBroken("scheduler.gamma", f'not used by mode "{scheduler.mode}"; only "exp_range" multiplies by it')
    if isinstance(scheduler, s.OneCycleLR) and scheduler.div_factor * scheduler.final_div_factor < 1:
        message = "so small that the run would end above max_lr; 1e4 is torch's own"
        yield RuleBroken("scheduler.final_div_factor", message, "error")


@rule("scheduler")
def factor_that_acts(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler = case.preset.scheduler
    if isinstance(scheduler, s.StepLR | s.MultiStepLR | s.ExponentialLR) and scheduler.gamma >= 1:
        what = "leaves the LR as it is" if scheduler.gamma == 1 else "makes the LR grow"
        yield RuleBroken("scheduler.gamma", f"{scheduler.gamma:g} {what}; less than 1 lets it fall")
    if isinstance(scheduler, s.ConstantLR) and scheduler.factor == 1:
        yield RuleBroken("scheduler.factor", "1 leaves the LR as it is; less than 1 holds it down at first")
    if isinstance(scheduler, s.LinearLR) and scheduler.start_factor == scheduler.end_factor:
        yield RuleBroken("scheduler.end_factor", "the same as start_factor, so the LR stays; make them differ")


@rule("scheduler")
def milestones_in_order(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler = case.preset.scheduler
    if isinstance(scheduler, s.MultiStepLR):
        in_order = sorted(scheduler.milestones)
        if list(scheduler.milestones) != in_order:
            first = ", ".join(str(milestone) for milestone in in_order[:8]) + (", ..." if in_order[8:] else "")
            yield RuleBroken("scheduler.milestones", f"not in rising order; write [{first}]", "error")


@rule("scheduler")
def mode_fits_monitor(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler = case.preset.scheduler
    if isinstance(scheduler, s.ReduceLROnPlateau):
        right = "max" if scheduler.monitor == "val_accuracy" else "min"
        if scheduler.mode != right:
            message = f'"{scheduler.mode}" takes a {scheduler.monitor} that gets worse for better; write "{right}"'
            yield RuleBroken("scheduler.mode", message, "error")


# The warm-up.


@rule("scheduler", "warmup")
def warmup_has_its_place(case: PresetOnRun) -> Iterator[RuleBroken]:
    if case.preset.warmup is None:
        return
    if isinstance(case.preset.scheduler, s.OneCycleLR):
        message = "OneCycleLR has a warm-up of its own, pct_start of the run; take this table out"
        yield RuleBroken("warmup", message, "error")
    if isinstance(case.preset.scheduler, s.CyclicLR):
        message = "CyclicLR begins low, at base_lr, and climbs by itself; take this table out"
        yield RuleBroken("warmup", message, "error")


@rule("training", "warmup")
def warmup_leaves_a_run(case: PresetOnRun) -> Iterator[RuleBroken]:
    warmup = case.preset.warmup
    if warmup and warmup.epochs >= case.epochs:
        right = f"less than {case.epochs} would leave some" if case.epochs > 1 else "a longer run would leave some"
        yield RuleBroken("warmup.epochs", f"leaves nothing of {counted(case.epochs, 'epoch')}; {right}", "error")


# The scheduler on a run of this length.


@rule(*LENGTH)
def acts_within_the_run(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, span = case.preset.scheduler, case.span
    match scheduler:
        case s.StepLR() if scheduler.step_size >= span:
            yield RuleBroken("scheduler.step_size", f"never reached: {case.part}{case.less('drop the LR')}")
        case s.MultiStepLR() if late := [milestone for milestone in scheduler.milestones if milestone >= span]:
            yield RuleBroken("scheduler.milestones", f"{late[0]} is never reached: {case.part}{case.less('be')}")
        case s.CosineAnnealingWarmRestarts() if span <= scheduler.T_0:
            yield RuleBroken("scheduler.T_0", f"no restart comes: {case.part}{case.less('bring one')}")
        case s.CyclicLR() if scheduler.step_size_up >= span:
            yield RuleBroken("scheduler.step_size_up", f"the top is never reached: {case.part}{case.less('reach it')}")
        case s.ReduceLROnPlateau() if scheduler.patience >= span - 2:
            # The first epoch is the best so far whatever it brings, and nothing follows a drop after the last one.
            yield RuleBroken(
                "scheduler.patience", f"no drop can come in time: {case.part}{case.less('let one', span - 2)}"
            )
        case _:
            pass


@rule(*LENGTH)
def curve_fits_the_run(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, span = case.preset.scheduler, case.span
    if isinstance(scheduler, s.CosineAnnealingLR) and scheduler.T_max and scheduler.T_max != span:
        what = "climbs again before the end" if scheduler.T_max < span else "never gets down to eta_min"
        yield RuleBroken("scheduler.T_max", f"the LR {what}: {_fills(case)}")
    if isinstance(scheduler, s.ConstantLR) and (scheduler.total_iters or span) >= span:
        yield RuleBroken("scheduler.total_iters", f"the factor holds to the end of the run{case.less('lift it')}")
    if isinstance(scheduler, s.LinearLR | s.PolynomialLR) and scheduler.total_iters:
        to_zero = isinstance(scheduler, s.PolynomialLR) or scheduler.end_factor == 0
        if scheduler.total_iters > span:
            yield RuleBroken("scheduler.total_iters", f"the run ends before the curve does: {_fills(case)}")
        elif scheduler.total_iters < span and to_zero:
            yield RuleBroken(
                "scheduler.total_iters", f"the LR is 0 from there on, and nothing is learned: {_fills(case)}"
            )


def _fills(case: PresetOnRun) -> str:
    return f"{case.steps(case.span)} would fill the run; left out, it does"


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
    end = drops * math.log10(scheduler.gamma)
    right = 0.01 ** (1 / drops)
    message = (
        f"after {counted(drops, 'drop')} the LR ends at 1e{math.floor(end)} of its start, where nothing is learned;"
        f" {right:.4g} would end at a hundredth"
    )
    yield RuleBroken("scheduler.gamma", message)


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
            times, lr = span, max(1.0, scheduler.max_lr)
    gamma = getattr(scheduler, "gamma", 1.0)
    if gamma > 1 and math.log10(lr) + times * math.log10(gamma) > 300:
        yield RuleBroken("scheduler.gamma", "makes the LR grow past all numbers; less than 1 lets it fall", "error")


@rule(*LENGTH)
def one_cycle_has_its_phases(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, span = case.preset.scheduler, case.span
    if not isinstance(scheduler, s.OneCycleLR):
        return
    ends = [0.0, *one_cycle_phases(scheduler, span)]
    phases = list(pairwise(ends))
    if scheduler.pct_start * span < 1:
        message = f"{scheduler.pct_start:g} of {case.steps(span)} is less than one, so the LR never climbs"
        right = f"; {1.5 / span:.2g} would do" if span > 1 else "; a longer run would do"
        yield RuleBroken("scheduler.pct_start", message + right)
    elif any(start == end for start, end in phases):
        right = f"{1.5 / span:.3g}" if ends[1] == 0 else "0.3"
        message = f"of {case.steps(span)} it leaves a phase without a step, and torch divides by zero"
        yield RuleBroken("scheduler.pct_start", f"{message}; {right} would do", "error")
    elif any(start > end for start, end in phases):
        message = "with three_phase the way up takes so much of the run, and the way down as much again"
        yield RuleBroken("scheduler.pct_start", f"{message}; less than 0.5 leaves some for the end", "error")


# The data.


@rule("training")
def batches_fit_the_data(case: PresetOnRun) -> Iterator[RuleBroken]:
    images, size = case.run.train_images, case.preset.training.batch_size
    if size > images:
        message = f"more than the {counted(images, 'training image')}, so that an epoch is one batch of them all"
        yield RuleBroken("training.batch_size", f"{message}; {min(64, images)} would make more steps")
    if case.run.batchnorm and min(size, images) > 1 and images % size == 1:
        message = "leaves a last batch of one image, from which alone BatchNorm then takes its statistics"
        yield RuleBroken("training.batch_size", f"{message}; {size + 1} would not")
    elif case.run.batchnorm and size == 1:
        yield RuleBroken("training.batch_size", "gives BatchNorm one image to take its statistics from; 16 is a start")
