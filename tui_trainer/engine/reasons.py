"""Why the LR moved, or did not, in the words of the lesson."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tui_trainer.engine.schedules import PlateauSeen, Schedule
from tui_trainer.events import LRChanged, LRUnchanged, PlateauCounted
from tui_trainer.presets import schedulers
from tui_trainer.presets.schedulers import ReduceLROnPlateau
from tui_trainer.text.numbers import counted, format_lr, format_metric

MANY_TURNS = 1000
"""A curve stepped after every batch with more turns than this has none that a person would call one."""

Said = LRChanged | LRUnchanged | PlateauCounted


def explain(scheduler: Schedule, old: float, *, epoch: int, step: int) -> list[Said]:
    """What to say after `scheduler.step()`, which was called with the LR at `old`, in epoch `epoch` after step `step`.

    A scheduler that steps after every epoch says something every time; one that steps after every batch only where its
    curve turns: at a drop, a peak, a restart, a bottom.
    """
    new = scheduler.lr
    if scheduler.place < 0:
        return []
    if scheduler.place == 0:
        return [_changed(old, new, _warmup_over(scheduler), epoch, step)]
    if scheduler.seen is not None and isinstance(scheduler.preset.scheduler, ReduceLROnPlateau):
        return _plateau(scheduler.preset.scheduler, scheduler.seen, old, new, epoch, step)
    if scheduler.interval == "step" and not _is_turn(scheduler):
        return []
    reason = _WORDS[scheduler.preset.scheduler.name](scheduler, scheduler.preset.scheduler)
    if new == old:
        return [LRUnchanged(at=time.time(), step=step, epoch=epoch, lr=new, reason=reason)]
    if scheduler.interval == "epoch" or not reason.startswith("OneCycleLR"):
        reason += f", {_arrow(old, new)}"
    if scheduler.place == scheduler.span:
        reason += ", with no epoch left to use it"
    return [_changed(old, new, reason, epoch, step)]


def _warmup_over(scheduler: Schedule) -> str:
    name = scheduler.preset.scheduler.name
    then = "" if name == "none" else f"; from here {name} has it"
    return f"warm-up over after {counted(scheduler.preset.warmup_epochs, 'epoch')}, at {format_lr(scheduler.lr)}{then}"


def _is_turn(scheduler: Schedule) -> bool:
    if sum(len(places) for places in scheduler.turns) > MANY_TURNS:
        return False
    return any(scheduler.place in places for places in scheduler.turns)


def _changed(old: float, new: float, reason: str, epoch: int, step: int) -> LRChanged:
    return LRChanged(at=time.time(), step=step, epoch=epoch, old=old, new=new, reason=reason)


def _arrow(old: float, new: float) -> str:
    return f"{format_lr(old)} → {format_lr(new)}"


def _plateau(config: ReduceLROnPlateau, seen: PlateauSeen, old: float, new: float, epoch: int, step: int) -> list[Said]:
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
    reason = _plateau_reason(config, seen, count.best_epoch)
    if not seen.tried:
        return [count, LRUnchanged(at=time.time(), step=step, epoch=epoch, lr=new, reason=reason)]
    if new != old:
        return [count, _changed(old, new, f"{reason}: {_arrow(old, new)}", epoch, step)]
    if new <= config.min_lr:
        reason += f", but the LR is at min_lr already, {format_lr(new)}"
    else:
        reason += f", but a drop of {format_lr(config.eps)} (eps) or less is not made: still {format_lr(new)}"
    return [count, LRUnchanged(at=time.time(), step=step, epoch=epoch, lr=new, reason=reason)]


def _plateau_reason(config: ReduceLROnPlateau, seen: PlateauSeen, best_epoch: int) -> str:
    value, best = format_metric(seen.value), format_metric(seen.best)
    if seen.best_ago == 0:
        return f"{config.monitor} {value}, best so far"
    if seen.tried:
        epochs = counted(seen.bad_epochs, "epoch")
        return f"{config.monitor} not better than {best} for {epochs} (patience {config.patience})"
    if seen.ignored:
        left = f"{counted(seen.cooldown, 'more epoch')} of cooldown" if seen.cooldown else "the last epoch of cooldown"
        return f"{config.monitor} {value} not counted, {left} (best {best} at epoch {best_epoch})"
    count = f"for {seen.bad_epochs} of {counted(config.patience, 'epoch')} (best {best} at epoch {best_epoch})"
    by_little = seen.value < seen.best if config.mode == "min" else seen.value > seen.best
    return f"not better by the threshold {count}" if by_little else f"not better {count}"


def _unit(scheduler: Schedule, number: int) -> str:
    """So many of the scheduler's steps, in words: `4 epochs`, or `126 batches (2 epochs)`."""
    if scheduler.interval == "epoch":
        return counted(number, "epoch")
    epochs, rest = divmod(number, scheduler.length.batches_per_epoch)
    return counted(number, "batch") + (f" ({counted(epochs, 'epoch')})" if epochs and not rest else "")


def _step(scheduler: Schedule, config: schedulers.StepLR) -> str:
    done = scheduler.place % config.step_size
    if done == 0:
        return f"step_size {config.step_size} reached"
    left = config.step_size - done
    if scheduler.place + left >= scheduler.span:
        return "no drop left in this run"
    return f"next drop in {_unit(scheduler, left)}"


def _multi_step(scheduler: Schedule, config: schedulers.MultiStepLR) -> str:
    if scheduler.place in config.milestones:
        return f"milestone {scheduler.place} reached"
    left = [milestone - scheduler.place for milestone in config.milestones if milestone > scheduler.place]
    return f"next milestone in {_unit(scheduler, min(left))}" if left else "no milestone left"


def _constant(scheduler: Schedule, config: schedulers.ConstantLR) -> str:
    total = config.total_iters or scheduler.span
    if scheduler.place == total:
        return f"total_iters {total} reached, factor {format_lr(config.factor)} lifted"
    if scheduler.place > total:
        return f"all of the LR since total_iters {total}"
    return f"factor {format_lr(config.factor)} for {_unit(scheduler, total - scheduler.place)} more"


def _part(name: str) -> Callable[[Schedule, Any], str]:
    """How far a curve of `total_iters` has come."""

    def words(scheduler: Schedule, config: schedulers.LinearLR | schedulers.PolynomialLR) -> str:
        total = config.total_iters or scheduler.span
        if scheduler.place > total:
            return f"{name} over since total_iters {total}"
        return f"{name} {scheduler.place}/{total} of the way"

    return words


def _cosine(scheduler: Schedule, config: schedulers.CosineAnnealingLR) -> str:
    half = config.T_max or scheduler.span
    turn, place = divmod(scheduler.place, half)
    if place == 0:
        return "cosine at its bottom" if turn % 2 else "cosine at its top again"
    if turn % 2:
        return f"past T_max, so the cosine climbs again, {place}/{half} of the way"
    return f"cosine {place}/{half} of the way"


def _restarts(scheduler: Schedule, config: schedulers.CosineAnnealingWarmRestarts) -> str:
    begun, cycle = 0, config.T_0
    while begun + cycle <= scheduler.place and config.T_mult > 1:
        begun, cycle = begun + cycle, cycle * config.T_mult
    place = (scheduler.place - begun) % cycle
    if place == 0:
        return f"restart: the next cycle lasts {_unit(scheduler, cycle)}"
    return f"cosine {place}/{cycle} of the way to a restart"


def _cyclic(scheduler: Schedule, config: schedulers.CyclicLR) -> str:
    up = config.step_size_up
    down = config.step_size_down or up
    cycle, place = divmod(scheduler.place, up + down)
    if place == 0:
        return f"CyclicLR at the bottom, cycle {cycle + 1} begins"
    if place < up:
        return f"CyclicLR {place}/{up} of the way up"
    if place == up:
        return f"CyclicLR at the top of cycle {cycle + 1}"
    return f"CyclicLR {place - up}/{down} of the way down"


def _one_cycle(scheduler: Schedule, config: schedulers.OneCycleLR) -> str:
    peak, *_, bottom = (places[0] if places else 0 for places in scheduler.turns)
    start = config.max_lr / config.div_factor
    lowest = format_lr(start / config.final_div_factor)
    if scheduler.place > bottom:
        return "OneCycleLR is over"
    if scheduler.place == bottom:
        return f"OneCycleLR at its bottom, {lowest}"
    if scheduler.place < peak:
        return f"OneCycleLR {scheduler.place}/{peak} of the way to its peak"
    if scheduler.place == peak:
        return f"OneCycleLR at its peak, {format_lr(scheduler.lr)}; from here it anneals to {lowest}"
    if config.three_phase and scheduler.place in scheduler.turns[1]:  # a short run may have none
        return f"OneCycleLR back where it started, {format_lr(start)}; from here it anneals to {lowest}"
    return f"OneCycleLR anneals, {scheduler.place - peak}/{bottom - peak} of the way from its peak"


_WORDS: dict[str, Callable[[Schedule, Any], str]] = {
    "StepLR": _step,
    "MultiStepLR": _multi_step,
    "ExponentialLR": lambda _, config: f"gamma ×{format_lr(config.gamma)}",
    "ConstantLR": _constant,
    "LinearLR": _part("line"),
    "PolynomialLR": _part("power curve"),
    "CosineAnnealingLR": _cosine,
    "CosineAnnealingWarmRestarts": _restarts,
    "CyclicLR": _cyclic,
    "OneCycleLR": _one_cycle,
}
"""What each scheduler says at the place where it stands."""
