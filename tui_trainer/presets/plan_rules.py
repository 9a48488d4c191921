"""What a schedule comes to on its run although each argument is in order: changes that come too early, ends that are
high, drops that are never made; as `rules.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tui_trainer.presets import schedulers as s
from tui_trainer.presets.lrs import PlannedLRs
from tui_trainer.presets.rules import LENGTH, PresetOnRun, Rule, RuleBroken
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import format_lr

EARLY = 0.25
"""Milestones that all lie within this share of the run, and are epochs of it too, were meant as epochs."""

FEW = 11
AT_ONCE = 0.01
"""Fewer steps than that, in a share of the run below this, are no way from one LR to another."""

HIGH = 0.25
"""From this part of its way down on, an LR at the end of a run has not come to its bottom."""


def batches_for_epochs(case: PresetOnRun) -> Iterator[RuleBroken]:
    """What counts batches, comes to hardly any of the run's, and would be epochs of it."""
    scheduler, a_batch = case.preset.scheduler, case.batches_per_epoch == 1
    if scheduler.interval != "step" or a_batch:
        return
    match scheduler:
        case s.MultiStepLR(milestones=[_, _, *_]) if max(scheduler.milestones) < min(case.epochs, EARLY * case.span):
            said = say("rule.batches_for_epochs", last=case.steps(max(scheduler.milestones)), part=case.part)
            yield RuleBroken("scheduler.milestones", said)
        case s.CosineAnnealingWarmRestarts(T_mult=1) if min(case.epochs, case.batches_per_epoch) > scheduler.T_0:
            yield RuleBroken("scheduler.T_0", _cycle_in_an_epoch(case, scheduler.T_0))
        case s.CyclicLR() if scheduler.step_size_up < case.epochs:
            length = scheduler.step_size_up + (scheduler.step_size_down or scheduler.step_size_up)
            if length < case.batches_per_epoch:
                yield RuleBroken("scheduler.step_size_up", _cycle_in_an_epoch(case, length))
        case s.ConstantLR() | s.LinearLR() if (last := scheduler.total_iters) is not None:
            if last < min(case.epochs, FEW) and last < AT_ONCE * case.span:
                said = say("rule.over_at_once", last=case.steps(last), part=case.part)
                yield RuleBroken("scheduler.total_iters", said)


def _cycle_in_an_epoch(case: PresetOnRun, length: int) -> str:
    return say("rule.cycle_in_an_epoch", length=case.steps(length), epoch=f"{case.batches_per_epoch:,}")


def ends_within_a_cycle(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, span = case.preset.scheduler, case.span
    if case.swa_follows:
        return
    top = case.preset.optimizer.lr
    match scheduler:
        case s.CosineAnnealingWarmRestarts() if span > scheduler.T_0 and scheduler.eta_min < top:
            length = scheduler.T_0
            begun = (span - 1) // length * length if scheduler.T_mult == 1 else 0
            while begun + length < span:
                begun, length = begun + length, length * scheduler.T_mult
            key, bottom = "scheduler.T_0", scheduler.eta_min
        case s.CyclicLR() if scheduler.step_size_up < span and scheduler.mode == "triangular":
            length = scheduler.step_size_up + (scheduler.step_size_down or scheduler.step_size_up)
            begun = (span - 1) // length * length
            key, bottom, top = "scheduler.step_size_up", scheduler.bottom, scheduler.top
        case _:
            return
    end = begun + length
    planned = PlannedLRs(case.preset, case.batches_per_epoch)
    lr = planned.at(planned.steps - 1)
    if span < end and lr - bottom > HIGH * (top - bottom):
        warmup = (planned.steps if scheduler.interval == "step" else case.epochs) - span
        after = case.steps(end + warmup + case.before)
        before = f"{begun + warmup + case.before:,}"
        if begun:
            right = say("rule.ends_well", before=before, after=after)
        else:
            right = say("rule.longer_ends_well", after=after)
        yield RuleBroken(key, say("rule.ends_within_a_cycle", lr=format_lr(lr), right=right))


def plateau_can_act(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler, lr = case.preset.scheduler, case.preset.optimizer.lr
    if not isinstance(scheduler, s.ReduceLROnPlateau) or scheduler.floor >= lr:
        return
    drop = lr - max(lr * scheduler.factor, scheduler.floor)
    if drop <= scheduler.eps:
        yield RuleBroken("scheduler.eps", say("rule.drops_within_eps", drop=format_lr(drop)))
    if scheduler.monitor == "val_loss" and scheduler.threshold_mode == "rel" and scheduler.threshold >= 1:
        yield RuleBroken("scheduler.threshold", say("rule.never_better", threshold=f"{scheduler.threshold:g}"))


PLAN_RULES: list[Rule] = [
    Rule(LENGTH, batches_for_epochs),
    Rule(LENGTH | {"optimizer"}, ends_within_a_cycle),
    Rule(frozenset({"optimizer", "scheduler"}), plateau_can_act),
]
