"""A preset and a number of images, worked out: how many steps, and the LR curve that they will follow.

The curve comes of a rehearsal: the real optimizer and scheduler on one dummy parameter through the whole run, before a
batch runs. It finds what no rule foresaw: exceptions on the way, LRs that are negative or not finite.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as dataclass_replace
from typing import Any, NamedTuple

import torch
from msgspec.structs import replace
from torch.optim import lr_scheduler

from tui_trainer.engine.schedules import RunLength, Schedule, build_optimizer
from tui_trainer.engine.torch_internals import closed_form_lr
from tui_trainer.engine.torch_schedulers import InStages, OnLines
from tui_trainer.events import GroupPlan, PlanMade, ResolvedConfig
from tui_trainer.presets.optimizers import SGD, Optimizer, OwnOptimizer
from tui_trainer.presets.problems import PresetError, Problem
from tui_trainer.presets.schedulers import CosineAnnealingWarmRestarts, ReduceLROnPlateau, SchedulerTable, restarts
from tui_trainer.presets.schema import Preset
from tui_trainer.text.captions import say

SAMPLE_ABOVE = 50_000
"""How often a scheduler is stepped at most; that takes about a quarter of a second."""

SAMPLES = 2_000

ROUNDING = 1e-9
"""How far below zero, as a part of the highest LR, rounding may carry LinearLR at its end."""


@dataclass(frozen=True)
class LRPreview:
    """The planned curve: `steps[i]`, counted from 1, is the first that runs with `lrs[i]`, until the next entry."""

    steps: list[int]
    lrs: list[float]
    last_step: int
    exact: bool = True
    """False where the curve was sampled: between two entries the LR moves on."""
    note: str = ""
    """What a person must know of the curve."""
    problems: list[Problem] = field(default_factory=list)
    momentum: GroupPlan | None = None
    """The momentum, as the LR, of `SAMPLES` steps at most; None where no schedule moves it."""


def rehearse(preset: Preset, length: RunLength, *, sample_above: int = SAMPLE_ABOVE) -> LRPreview:
    """The LR of every step, of the parameters that no group matches.

    A schedule of more than `sample_above` steps is sampled, at every turn and in between.

    ReduceLROnPlateau is rehearsed with a loss that gets better all the time, and the note says so.
    """
    preset = preset.of_group(0)
    plan = _Plan(preset, length)
    watches = preset.scheduler.monitor
    note = say("plan.depends_on_losses", monitor=watches) if watches else ""
    exact = scheduler_steps(preset, length) <= sample_above
    plan.follow(_walk(preset, length) if exact else _leaps(preset, length))
    if not exact:
        sampled = say("plan.sampled", steps=f"{length.total_steps:,}", count=f"{len(plan.steps):,}")
        note = f"{note}; {sampled}" if note else sampled
    return plan.rehearsal(exact, note)


def rehearse_stalled(preset: Preset, length: RunLength, *, sample_above: int = SAMPLE_ABOVE) -> LRPreview | None:
    """What ReduceLROnPlateau would do if its metric stopped getting better after the first epoch it sees.

    None for a preset that watches no metric, and for one of more than `sample_above` steps of the scheduler.
    """
    if not preset.scheduler.monitor or scheduler_steps(preset, length) > sample_above:
        return None
    preset = preset.of_group(0)
    plan = _Plan(preset, length)
    plan.follow(_walk(preset, length, stalled=True))
    return plan.rehearsal(True, say("plan.without_progress", monitor=preset.scheduler.monitor))


def full_plan(preset: Preset, length: RunLength) -> list[float]:
    """The LR of every single step, by stepping the real scheduler through all of them: 4 seconds a million.

    Raises:
        PresetError: the rehearsal found what is wrong.
    """
    rehearsal = rehearse(preset, length, sample_above=length.total_steps + length.epochs)
    if rehearsal.problems:
        raise PresetError(rehearsal.problems)
    ends = [*rehearsal.steps[1:], rehearsal.last_step + 1]
    return [lr for lr, start, end in zip(rehearsal.lrs, rehearsal.steps, ends, strict=True) for _ in range(end - start)]


def scheduler_steps(preset: Preset, length: RunLength) -> int:
    """How often the schedule steps in the run, warm-up included."""
    warmup = preset.warmup_steps(length.batches_per_epoch)
    if preset.scheduler.interval == "step":
        return length.total_steps  # at most: SWALR steps after epochs
    return warmup + (length.epochs - warmup // length.batches_per_epoch if preset.scheduler.interval else 0)


class Place(NamedTuple):
    """A step that a schedule was walked to."""

    step: int
    lr: float
    """What it uses."""
    momentum: float | None
    """The same, where the schedule moves it."""


class _Plan:
    """A curve in the making, and what is wrong with it."""

    def __init__(self, preset: Preset, length: RunLength) -> None:
        self.steps: list[int] = []
        self.lrs: list[float] = []
        self._momenta: dict[int, float] = {}
        self._preset = preset
        self._length = length
        self._problems: list[Problem] = []

    def follow(self, curve: Iterator[Place]) -> None:
        """Take in steps with their LRs until the end or the first that is impossible."""
        highest = 0.0
        try:
            for step, lr, momentum in curve:
                if step > self._length.total_steps:
                    return  # set after the last batch: no batch uses it
                if not (math.isfinite(lr) and lr >= -ROUNDING * highest):
                    self._refuse(say("rule.lr_impossible", step=f"{step:,}", lr=lr))
                    return
                highest = max(highest, lr)
                if momentum is not None and momentum != next(reversed(self._momenta.values()), None):
                    self._momenta[step] = momentum
                if not self.lrs or lr != self.lrs[-1]:
                    self.steps.append(step)
                    self.lrs.append(lr)
        except (ArithmeticError, ValueError, RuntimeError, TypeError, KeyError) as error:
            too_long = self._preset.warmup_steps(self._length.batches_per_epoch) >= self._length.total_steps
            self._refuse(f"cannot run: {error}", "warmup" if too_long else "scheduler")

    def rehearsal(self, exact: bool, note: str) -> LRPreview:
        thinned = slice(0, None, -(-len(self._momenta) // SAMPLES) or 1)  # for drawing, it need not be exact
        steps, momenta = [*self._momenta][thinned], [*self._momenta.values()][thinned]
        momentum = GroupPlan(steps=steps, lrs=momenta) if steps else None
        return LRPreview(self.steps, self.lrs, self._length.total_steps, exact, note, self._problems, momentum)

    def _refuse(self, message: str, key: str = "scheduler") -> None:
        self._problems.append(self._preset.source.problem(key, message))


def _begin(preset: Preset, length: RunLength) -> Schedule:
    """The schedule on an optimizer of one dummy parameter."""
    optimizer = build_optimizer(_that_runs_no_code(preset.optimizer), [torch.nn.Parameter(torch.zeros(1))])
    scheduler = Schedule(preset, optimizer, length)
    optimizer.step()  # moves nothing, having no gradient; torch wants it called before a scheduler steps
    return scheduler


def _that_runs_no_code(config: Optimizer) -> Optimizer:
    """It, or in the place of a person's own one of torch's that a schedule moves alike, LR and momentum."""
    return SGD(name="SGD", lr=config.lr, momentum=0.9) if isinstance(config, OwnOptimizer) else config


def _walk(preset: Preset, length: RunLength, *, stalled: bool = False) -> Iterator[Place]:
    """Every LR with the first step that uses it, the one that is set after the last batch included.

    Unless `stalled`, a scheduler that watches a metric is taken to see it getting better, and is not stepped.
    """
    scheduler = _begin(preset, length)
    yield Place(1, scheduler.lr, scheduler.momentum)
    for epoch in range(length.epochs):
        first = epoch * length.batches_per_epoch + 1
        scheduler.begin_epoch(length.first_epoch + epoch)
        if scheduler.swa_steps is None and (scheduler.warming_up or scheduler.interval == "step"):
            for step in range(first + 1, first + length.batches_per_epoch + 1):
                if scheduler.due_after_batch:
                    scheduler.step()
                    yield Place(step, scheduler.lr, scheduler.momentum)
        if scheduler.due_after_epoch and (stalled or scheduler.warming_up or not preset.scheduler.monitor):
            scheduler.step(val_loss=1.0, val_accuracy=0.5)
            yield Place(first + length.batches_per_epoch, scheduler.lr, scheduler.momentum)


def _leaps(preset: Preset, length: RunLength) -> Iterator[Place]:
    """As `_walk`, at some steps only: the ramp, then the scheduler by itself over what is left of the run."""
    scheduler = _begin(preset, length)
    warmup = scheduler.warmup_steps
    if warmup:
        for place in _places(warmup, []):
            yield Place(place + 1, _lr_at(scheduler.scheduler, place), scheduler.momentum)
        scheduler = _begin(preset, length)
        scheduler.skip_warmup()
    yield Place(warmup + 1, scheduler.lr, scheduler.momentum)
    if preset.scheduler.monitor:
        return
    if preset.scheduler.interval is None:
        yield from _leaps_of_swa(scheduler, scheduler.lr)
        return
    stride = 1 if preset.scheduler.interval == "step" else length.batches_per_epoch
    span = scheduler.total_steps
    for place in _places(span, [place for places in scheduler.turns for place in places[:SAMPLES]]):
        if place:
            lr = _lr_at(scheduler.scheduler, place, preset.scheduler)
            yield Place((warmup // stride + place) * stride + 1, lr, scheduler.momentum)
    lr = _lr_at(scheduler.scheduler, span, preset.scheduler)  # the step after the last batch: it may still fail
    if scheduler.is_followed_by_swa:
        yield Place((warmup // stride + span) * stride + 1, lr, scheduler.momentum)
    yield from _leaps_of_swa(scheduler, lr)


def _leaps_of_swa(scheduler: Schedule, lr: float) -> Iterator[Place]:
    """The LR of each epoch that SWALR has, behind a schedule that comes to `lr`."""
    length = scheduler.length
    scheduler.set_lr(lr)
    for epoch in range(length.epochs):
        scheduler.begin_epoch(length.first_epoch + epoch)
        if scheduler.swa_steps is not None:
            scheduler.step()
            yield Place((epoch + 1) * length.batches_per_epoch + 1, scheduler.lr, scheduler.momentum)


def _places(span: int, turning: list[int]) -> list[int]:
    """About `SAMPLES` of the places from 0 to span - 1, those at which the curve turns, the ones before them."""
    even = (round(i * (span - 1) / SAMPLES) for i in range(SAMPLES + 1))
    return sorted({*even, *turning, *(place - 1 for place in turning)})


def _lr_at(scheduler: Any, place: int, config: SchedulerTable | None = None) -> float:
    """The LR after `place` steps of a torch scheduler, without making them all.

    Those that reckon from the count of steps alone are put one step before and stepped; of the others, which go
    from LR to LR, torch's closed form is taken, as SequentialLR does.
    """
    if isinstance(scheduler, InStages):
        scheduler.stand_at(place)
        return _lr_at(scheduler.at_work, scheduler.place, scheduler.config)
    if not isinstance(scheduler, _FROM_COUNT):
        scheduler.last_epoch = place
        return closed_form_lr(scheduler)
    scheduler.last_epoch = place - 1
    if isinstance(config, CosineAnnealingWarmRestarts) and place > 0:
        begun = [0, *restarts(config, place + 1)]
        vars(scheduler).update(T_cur=place - begun[-1] - 1, T_i=config.T_0 * config.T_mult ** (len(begun) - 1))
    scheduler.step()
    return float(scheduler.get_last_lr()[0])


_FROM_COUNT = (
    OnLines,
    lr_scheduler.LambdaLR,
    lr_scheduler.OneCycleLR,
    lr_scheduler.CyclicLR,
    lr_scheduler.CosineAnnealingWarmRestarts,
)


@dataclass(frozen=True)
class PlannedRun:
    """A preset ready to be followed over some epochs of a run."""

    preset: Preset
    recipe: ResolvedConfig
    length: RunLength
    """Of the part of the run that follows the preset."""
    curve: PlanMade
    first_epoch: int = 1
    first_step: int = 1


def plan(
    name: str,
    preset: Preset,
    train_images: int,
    *,
    first_epoch: int = 1,
    last_epoch: int | None = None,
    first_step: int = 1,
    sample_above: int = SAMPLE_ABOVE,
) -> PlannedRun:
    """Work out `preset` from `first_epoch` on: over its own number of epochs, or up to `last_epoch` of a longer run.

    Raises:
        PresetError: the rehearsal of optimizer and scheduler found what would go wrong.
    """
    epochs = preset.training.epochs if last_epoch is None else last_epoch - first_epoch + 1
    length = dataclass_replace(length_of(preset, train_images, epochs), first_epoch=first_epoch)
    rehearsal = rehearse(preset, length, sample_above=sample_above)
    if errors := [problem for problem in rehearsal.problems if problem.severity == "error"]:
        raise PresetError(errors)
    before = first_step - 1
    rehearsals = {
        number: rehearse(preset.of_group(number), length, sample_above=sample_above) for number in preset.groups_with_lr
    }
    if errors := [problem for each in rehearsals.values() for problem in each.problems if problem.severity == "error"]:
        raise PresetError(errors)
    return PlannedRun(
        preset=preset,
        length=length,
        recipe=ResolvedConfig(
            preset=name,
            title=preset.title,
            optimizer=preset.optimizer.name,
            scheduler=preset.scheduler.name,
            interval=preset.scheduler.interval,
            monitor=preset.scheduler.monitor,
            warmup_epochs=(preset.warmup.epochs or 0) if preset.warmup else 0,
            warmup_steps=(preset.warmup.steps or 0) if preset.warmup else 0,
            clip_grad_norm=preset.training.clip_grad_norm,
            clip_grad_value=preset.training.clip_grad_value,
            ema_decay=preset.training.ema_decay,
            swa_start=preset.training.swa_start,
            swa_lr=preset.training.swa_lr,
            epochs=first_epoch + epochs - 1,
            batch_size=preset.training.batch_size,
            accumulate=preset.training.accumulate,
            batches_per_epoch=length.batches_per_epoch,
            total_steps=before + length.total_steps,
            min_lr=preset.scheduler.floor if isinstance(preset.scheduler, ReduceLROnPlateau) else None,
        ),
        curve=replace(_curve(rehearsal, before), groups=_of_groups(preset, rehearsals, before)),
        first_epoch=first_epoch,
        first_step=first_step,
    )


def length_of(preset: Preset, train_images: int, epochs: int | None = None) -> RunLength:
    """How long a preset is followed: over `epochs`, else its own number of them."""
    return RunLength(
        epochs=preset.training.epochs if epochs is None else epochs,
        batches_per_epoch=preset.training.steps_per_epoch(train_images),
    )


def dialled(
    curve: PlanMade, step: int, scheduled: float, factor: float, of_groups: Mapping[str, float] | None = None
) -> PlanMade:
    """The rest of a planned curve, from `step` on, under the LR dial.

    Args:
        curve: as the schedule has it.
        step: the first that uses what the dial gives.
        scheduled: the LR that the schedule gives for it; of one that follows the losses it is not the planned one.
        factor: the dial's.
        of_groups: what the schedule gives for it to groups of parameters, by the series of their LR.
    """
    steps, lrs = _rest(curve, step, scheduled, factor)
    groups = {}
    for name, lr in (of_groups or {}).items():
        group_steps, group_lrs = _rest(curve.groups[name], step, lr, factor)
        groups[name] = replace(curve.groups[name], steps=group_steps, lrs=group_lrs)
    return replace(curve, at=time.time(), steps=steps, lrs=lrs, groups=groups, momentum=_from(curve.momentum, step))


def _from(curve: GroupPlan | None, step: int) -> GroupPlan | None:
    """The rest of a curve from a step on."""
    held = 0 if curve is None else bisect_right(curve.steps, step)
    if curve is None or not held:
        return curve
    return replace(curve, steps=[step, *curve.steps[held:]], lrs=curve.lrs[held - 1 :])


def _rest(curve: PlanMade | GroupPlan, step: int, scheduled: float, factor: float) -> tuple[list[int], list[float]]:
    rest = bisect_right(curve.steps, step)
    return [step, *curve.steps[rest:]], [lr * factor for lr in (scheduled, *curve.lrs[rest:])]


def plan_if_flat(planned: PlannedRun) -> PlanMade | None:
    """What would come of a plan that depends on the losses if they stopped getting better at once; None for others."""
    rehearsal = rehearse_stalled(planned.preset, planned.length)
    return None if rehearsal is None else _curve(rehearsal, planned.first_step - 1)


def _of_groups(preset: Preset, rehearsals: Mapping[int, LRPreview], before: int) -> dict[str, GroupPlan]:
    groups = preset.optimizer.groups
    return {
        preset.lr_name(number): GroupPlan(
            steps=[before + step for step in each.steps], lrs=each.lrs, label=groups[number - 1].label
        )
        for number, each in rehearsals.items()
    }


def _curve(rehearsal: LRPreview, before: int) -> PlanMade:
    return PlanMade(
        at=time.time(),
        steps=[before + step for step in rehearsal.steps],
        lrs=list(rehearsal.lrs),
        last_step=before + rehearsal.last_step,
        exact=rehearsal.exact,
        note=rehearsal.note,
        momentum=_from_step(rehearsal.momentum, before),
    )


def _from_step(curve: GroupPlan | None, before: int) -> GroupPlan | None:
    """The same behind so many steps of the run."""
    return None if curve is None else replace(curve, steps=[before + step for step in curve.steps])
