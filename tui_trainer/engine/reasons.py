"""Why the LR moved, or did not: which reason of `tui_trainer.text.reasons` holds, with its values."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tui_trainer.engine.schedules import PlateauSeen, Schedule
from tui_trainer.events import LRChanged, LRUnchanged, PlateauCounted
from tui_trainer.presets import schedulers
from tui_trainer.presets.schedulers import ReduceLROnPlateau
from tui_trainer.text.reasons import Reason, Steps, word

MANY_TURNS = 1000
"""A curve stepped after every batch with more turns than this has none that a person would call one."""

SchedulerEvent = LRChanged | LRUnchanged | PlateauCounted


def explain(scheduler: Schedule, old: float, *, epoch: int, step: int) -> list[SchedulerEvent]:
    """What to say after `scheduler.step()`, which was called with the LR at `old`, in epoch `epoch` after step `step`.

    A scheduler that steps after every epoch says something every time; one that steps after every batch only where its
    curve turns: at a drop, a peak, a restart, a bottom.
    """
    new = scheduler.lr
    if scheduler.step_count < 0:
        return []
    if scheduler.step_count == 0:
        return [_changed(old, new, _warmup_over(scheduler), epoch, step)]
    if scheduler.seen is not None and isinstance(scheduler.preset.scheduler, ReduceLROnPlateau):
        return _plateau(scheduler.preset.scheduler, scheduler.seen, old, new, epoch, step)
    if scheduler.interval == "step" and not _is_turn(scheduler):
        return []
    reason = _REASONS[scheduler.preset.scheduler.name](scheduler, scheduler.preset.scheduler)
    if new == old:
        return [_unchanged(new, reason, epoch, step)]
    if scheduler.interval == "epoch" or not isinstance(scheduler.preset.scheduler, schedulers.OneCycleLR):
        reason = reason.but(old=old, new=new)
    if scheduler.step_count == scheduler.total_steps:
        reason = reason.but(unused=True)
    return [_changed(old, new, reason, epoch, step)]


def _warmup_over(scheduler: Schedule) -> Reason:
    name, epochs = scheduler.preset.scheduler.name, scheduler.preset.warmup_epochs
    if name == "none":
        return Reason("warmup_over_no_scheduler", {"epochs": epochs, "lr": scheduler.lr})
    return Reason("warmup_over", {"epochs": epochs, "lr": scheduler.lr, "scheduler": name})


def _is_turn(scheduler: Schedule) -> bool:
    if sum(len(places) for places in scheduler.turns) > MANY_TURNS:
        return False
    return any(scheduler.step_count in places for places in scheduler.turns)


def _changed(old: float, new: float, reason: Reason, epoch: int, step: int) -> LRChanged:
    return LRChanged(at=time.time(), step=step, epoch=epoch, old=old, new=new, reason=word(reason), because=reason)


def _unchanged(lr: float, reason: Reason, epoch: int, step: int) -> LRUnchanged:
    return LRUnchanged(at=time.time(), step=step, epoch=epoch, lr=lr, reason=word(reason), because=reason)


def _plateau(
    config: ReduceLROnPlateau, seen: PlateauSeen, old: float, new: float, epoch: int, step: int
) -> list[SchedulerEvent]:
    count = PlateauCounted(
        at=time.time(),
        epoch=epoch,
        monitor=config.monitor,
        value=seen.value,
        best=seen.best,
        best_epoch=epoch - seen.best_ago,
        bad_epochs=seen.bad_epochs,
        patience=config.patience,
        cooldown=seen.cooldown,
    )
    reason = _plateau_reason(config, seen, count.best_epoch, old, new)
    if new != old:
        return [count, _changed(old, new, reason, epoch, step)]
    return [count, _unchanged(new, reason, epoch, step)]


def _plateau_reason(config: ReduceLROnPlateau, seen: PlateauSeen, best_epoch: int, old: float, new: float) -> Reason:
    best = {"best": seen.best, "best_epoch": best_epoch}
    value = {"monitor": config.monitor, "value": seen.value}
    if seen.best_ago == 0:
        return Reason("best_so_far", value)
    if seen.tried:
        return _drop_due(config, seen, old, new)
    if seen.ignored and seen.cooldown:
        return Reason("cooling_down", {**value, **best, "cooldown": seen.cooldown})
    if seen.ignored:
        return Reason("cooled_down", {**value, **best})
    by_little = seen.value < seen.best if config.mode == "min" else seen.value > seen.best
    code = "not_better_by_threshold" if by_little else "not_better"
    return Reason(code, {**best, "bad_epochs": seen.bad_epochs, "patience": config.patience})


def _drop_due(config: ReduceLROnPlateau, seen: PlateauSeen, old: float, new: float) -> Reason:
    """Patience is at its end: what became of the drop."""
    waited: dict[str, Any] = {
        "monitor": config.monitor,
        "best": seen.best,
        "bad_epochs": seen.bad_epochs,
        "patience": config.patience,
    }
    if new != old:
        return Reason("patience_used_up", {**waited, "old": old, "new": new})
    if new <= config.min_lr:
        return Reason("at_min_lr", {**waited, "lr": new})
    return Reason("drop_too_small", {**waited, "eps": config.eps, "lr": new})


def _unit(scheduler: Schedule, number: int) -> Steps:
    """So many of the scheduler's steps."""
    if scheduler.interval == "epoch":
        return Steps(number, "epoch")
    epochs, rest = divmod(number, scheduler.length.batches_per_epoch)
    return Steps(number, "batch", epochs if epochs and not rest else None)


def _step(scheduler: Schedule, config: schedulers.StepLR) -> Reason:
    done = scheduler.step_count % config.step_size
    if done == 0:
        return Reason("step_size_reached", {"step_size": config.step_size})
    left = config.step_size - done
    if scheduler.step_count + left >= scheduler.total_steps:
        return Reason("no_drop_left")
    return Reason("next_drop", {"left": _unit(scheduler, left)})


def _multi_step(scheduler: Schedule, config: schedulers.MultiStepLR) -> Reason:
    if scheduler.step_count in config.milestones:
        return Reason("milestone_reached", {"milestone": scheduler.step_count})
    left = [milestone - scheduler.step_count for milestone in config.milestones if milestone > scheduler.step_count]
    return Reason("next_milestone", {"left": _unit(scheduler, min(left))}) if left else Reason("no_milestone_left")


def _exponential(_: Schedule, config: schedulers.ExponentialLR) -> Reason:
    return Reason("gamma", {"gamma": config.gamma})


def _constant(scheduler: Schedule, config: schedulers.ConstantLR) -> Reason:
    total = config.total_iters or scheduler.total_steps
    if scheduler.step_count == total:
        return Reason("factor_lifted", {"total_iters": total, "factor": config.factor})
    if scheduler.step_count > total:
        return Reason("factor_over", {"total_iters": total})
    return Reason("factor_holds", {"factor": config.factor, "left": _unit(scheduler, total - scheduler.step_count)})


def _part(code: str) -> Callable[[Schedule, Any], Reason]:
    """How far a curve of `total_iters` has come."""

    def reason(scheduler: Schedule, config: schedulers.LinearLR | schedulers.PolynomialLR) -> Reason:
        total = config.total_iters or scheduler.total_steps
        if scheduler.step_count > total:
            return Reason(f"{code}_over", {"total_iters": total})
        return Reason(code, {"place": scheduler.step_count, "total_iters": total})

    return reason


def _cosine(scheduler: Schedule, config: schedulers.CosineAnnealingLR) -> Reason:
    half = config.T_max or scheduler.total_steps
    turn, place = divmod(scheduler.step_count, half)
    downwards = config.eta_min <= scheduler.preset.optimizer.lr
    if place == 0 and downwards:
        return Reason("cosine_bottom" if turn % 2 else "cosine_top")
    if place == 0:
        return Reason("cosine_at_eta_min" if turn % 2 else "cosine_begins_again")
    back = "cosine_climbs" if downwards else "cosine_goes_back"
    return Reason(back if turn % 2 else "cosine", {"place": place, "half": half})


def _restarts(scheduler: Schedule, config: schedulers.CosineAnnealingWarmRestarts) -> Reason:
    begun, cycle = 0, config.T_0
    while begun + cycle <= scheduler.step_count and config.T_mult > 1:
        begun, cycle = begun + cycle, cycle * config.T_mult
    place = (scheduler.step_count - begun) % cycle
    if place == 0:
        return Reason("restart", {"cycle": _unit(scheduler, cycle)})
    return Reason("cosine_to_restart", {"place": place, "cycle": cycle})


def _cyclic(scheduler: Schedule, config: schedulers.CyclicLR) -> Reason:
    up = config.step_size_up
    down = config.step_size_down or up
    cycle, place = divmod(scheduler.step_count, up + down)
    if place == 0:
        return Reason("cyclic_bottom", {"cycle": cycle + 1})
    if place < up:
        return Reason("cyclic_up", {"place": place, "up": up})
    if place == up:
        return Reason("cyclic_top", {"cycle": cycle + 1})
    return Reason("cyclic_down", {"place": place - up, "down": down})


def _one_cycle(scheduler: Schedule, config: schedulers.OneCycleLR) -> Reason:
    peak, *_, bottom = (places[0] if places else 0 for places in scheduler.turns)
    start = config.max_lr / config.div_factor
    lowest = start / config.final_div_factor
    if scheduler.step_count > bottom:
        return Reason("one_cycle_over")
    if scheduler.step_count == bottom and lowest > start:
        return Reason("one_cycle_end", {"lr": lowest})
    if scheduler.step_count == bottom:
        return Reason("one_cycle_bottom", {"lowest": lowest})
    if scheduler.step_count < peak:
        return Reason("one_cycle_up", {"place": scheduler.step_count, "up": peak})
    if scheduler.step_count == peak:
        return Reason("one_cycle_peak", {"lr": scheduler.lr, "lowest": lowest})
    if config.three_phase and scheduler.step_count in scheduler.turns[1]:  # a short run may have none
        return Reason("one_cycle_back", {"lr": start, "lowest": lowest})
    return Reason("one_cycle_down", {"place": scheduler.step_count - peak, "down": bottom - peak})


_REASONS: dict[str, Callable[[Schedule, Any], Reason]] = {
    "StepLR": _step,
    "MultiStepLR": _multi_step,
    "ExponentialLR": _exponential,
    "ConstantLR": _constant,
    "LinearLR": _part("line"),
    "PolynomialLR": _part("power_curve"),
    "CosineAnnealingLR": _cosine,
    "CosineAnnealingWarmRestarts": _restarts,
    "CyclicLR": _cyclic,
    "OneCycleLR": _one_cycle,
}
"""The reason of each scheduler at the place where it stands."""
