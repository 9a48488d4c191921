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

HIGH = 0.25
"""From this part of its way down on, an LR at the end of a run has not come to its bottom."""


def batches_for_epochs(case: PresetOnRun) -> Iterator[RuleBroken]:
    scheduler = case.preset.scheduler
    if not isinstance(scheduler, s.MultiStepLR) or scheduler.interval != "step":
        return
    last = max(scheduler.milestones)
    if case.batches_per_epoch > 1 and len(scheduler.milestones) > 1 and last < case.epochs and last < EARLY * case.span:
        said = say("rule.batches_for_epochs", last=f"{last:,}", part=case.part)
        yield RuleBroken("scheduler.milestones", said)


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
