"""Why the LR moved, or did not: which reason of `tui_trainer.text.reasons` holds, and what to tell of it.

It follows from a scheduler's arguments and from how often it has stepped, so that it is the same for our own loop and
for another program's, which is watched.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as dataclass_replace
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

from msgspec.structs import replace

from tui_trainer.events import LRChanged, LRUnchanged, PlateauCounted
from tui_trainer.presets import schedulers
from tui_trainer.presets.schedulers import SchedulerTable, TurningPoints, turns
from tui_trainer.text.reasons import Param, Reason, Steps, word

MANY_TURNS = 1000
"""A curve stepped after every batch with more turns than this has none that a person would call one."""

SchedulerEvent: TypeAlias = LRChanged | LRUnchanged | PlateauCounted


@dataclass(frozen=True)
class PlateauSeen:
    """What ReduceLROnPlateau made of the last value it was given."""

    value: float
    best: float
    """The best value that counted as one, this one included."""
    best_ago: int
    """How many of its steps ago that was; 0 when it is this value."""
    bad_epochs: int
    """How many values in a row were not better, this one included, before a drop sets the count back to 0."""
    cooldown: int
    """How many steps are still not counted; while it lasts `bad_epochs` is 0."""
    ignored: bool
    """Whether this value fell into the cooldown."""
    tried: bool
    """Whether patience was at its end, so that the LR was to drop."""


class PlateauRules(NamedTuple):
    """What reasons name of ReduceLROnPlateau's arguments."""

    monitor: str
    """What the number is called that it steps with."""
    mode: str
    patience: int
    min_lr: float
    eps: float


@dataclass(frozen=True)
class Standing:
    """Where a scheduler stands after a step."""

    config: SchedulerTable
    """Its arguments."""
    step_count: int
    """How many steps it has made."""
    total_steps: int | None
    """How many it makes in the run; None where that is not known."""
    lr: float
    """What the next step of the optimizer uses."""
    base_lr: float
    """That of the optimizer as the scheduler was made."""
    interval: Literal["step", "epoch"]
    """When it steps."""
    unit: Literal["batch", "step", "epoch"]
    """What its steps are called."""
    batches_per_epoch: int | None = None
    """Of its steps, where it steps within epochs; None where that is not known."""
    goes_on: bool = False
    """Whether another has the LR from where it ends: the last one that it sets is used."""

    @property
    def length(self) -> int:
        """How many steps it makes; so far, where no more is known."""
        return self.step_count + 1 if self.total_steps is None else self.total_steps

    @cached_property
    def turns(self) -> list[TurningPoints]:
        """The places at which the curve turns, by kind."""
        return turns(self.config, self.length, self.steps_per_epoch)

    @property
    def steps_per_epoch(self) -> int:
        """How many of its steps an epoch has; 1 where that is not known."""
        return self.batches_per_epoch or 1 if self.interval == "step" else 1

    @property
    def is_turn(self) -> bool:
        """Whether it stands at such a place; a curve with very many has none that a person would call one."""
        if sum(len(places) for places in self.turns) > MANY_TURNS:
            return False
        return any(self.step_count in places for places in self.turns)

    def steps(self, number: int) -> Steps:
        """So many of its steps."""
        if self.interval == "epoch":
            return Steps(number, "epoch")
        epochs, rest = divmod(number, self.batches_per_epoch) if self.batches_per_epoch else (0, 0)
        return Steps(number, self.unit, epochs if epochs and not rest else None)


def explain(at: Standing, old: float, *, epoch: int, step: int, now: float) -> list[SchedulerEvent]:
    """What to say after a scheduler's step, which was made with the LR at `old`, in `epoch` after `step`.

    One that steps after every epoch says something every time; one that steps more often only where its curve turns:
    at a drop, a peak, a restart, a bottom. ReduceLROnPlateau has `explain_plateau`.

    Args:
        at: where it stands now.
        old: the LR before.
        epoch: the epoch of the last step.
        step: the last step that was taken.
        now: Unix time.
    """
    if at.interval == "step" and not at.is_turn:
        return []
    reason = _reason(at, epoch, step)
    if at.lr == old:
        return [unchanged(at.lr, reason, epoch, step, now)]
    if at.interval == "epoch" or not isinstance(at.config, schedulers.OneCycleLR):
        reason = reason.but(old=old, new=at.lr)
    if at.step_count == at.total_steps and not at.goes_on:
        reason = reason.but(unused=True)
    return [changed(old, at.lr, reason, epoch, step, now)]


def _reason(at: Standing, epoch: int, step: int) -> Reason:
    if not isinstance(at.config, schedulers.SequentialLR):
        return _REASONS[at.config.name](at, at.config)
    parts = at.config.parts(at.length, at.steps_per_epoch)
    index = at.config.part_at(parts, at.step_count)
    part = parts[index]
    place = at.step_count - part.start
    within = dataclass_replace(at, config=part.scheduler, step_count=place, total_steps=max(1, part.length))
    if isinstance(part.scheduler, schedulers.NoScheduler):
        reason = Reason("stable")
    elif place == 0:
        reason = Reason("stage_begins", {"scheduler": part.scheduler.name})
    else:
        reason = _REASONS[part.scheduler.name](within, part.scheduler)
    following = [each.start for each in parts if each.length and each.start > part.start]
    if following and following[0] < at.length:
        now = step if at.interval == "step" else epoch
        reason = reason.but(**{f"until_{at.interval}": now + following[0] - at.step_count})
    return reason.but(stage=index + 1, stages=len(parts))


def changed(old: float, new: float, reason: Reason, epoch: int, step: int, now: float) -> LRChanged:
    """The LR moved."""
    return LRChanged(at=now, step=step, epoch=epoch, old=old, new=new, reason=word(reason), because=reason)


def unchanged(lr: float, reason: Reason, epoch: int, step: int, now: float) -> LRUnchanged:
    """The scheduler was asked, and left the LR as it is."""
    return LRUnchanged(at=now, step=step, epoch=epoch, lr=lr, reason=word(reason), because=reason)


def of_group(event: LRChanged | LRUnchanged, group: str) -> LRChanged | LRUnchanged:
    """The same, told of a group of parameters."""
    reason = event.why.but(group=group)
    return replace(event, group=group, reason=word(reason), because=reason)


def dialled(event: SchedulerEvent, factor: float) -> SchedulerEvent:
    """The same under the LR dial: its LRs are those that are used, its reason names the schedule's own."""
    if isinstance(event, PlateauCounted):
        return event
    reason = event.why.but(dial=factor)
    told = {"reason": word(reason), "because": reason}
    if isinstance(event, LRChanged):
        return replace(event, old=event.old * factor, new=event.new * factor, **told)
    return replace(event, lr=event.lr * factor, **told)


def explain_plateau(
    rules: PlateauRules, seen: PlateauSeen, old: float, new: float, *, epoch: int, step: int, now: float
) -> list[SchedulerEvent]:
    """What to say after a step of ReduceLROnPlateau at an epoch's end; arguments as for `explain`."""
    count = PlateauCounted(
        at=now,
        epoch=epoch,
        monitor=rules.monitor,
        value=seen.value,
        best=seen.best,
        best_epoch=max(0, epoch - seen.best_ago),
        bad_epochs=seen.bad_epochs,
        patience=rules.patience,
        cooldown=seen.cooldown,
    )
    reason = _plateau_reason(rules, seen, count.best_epoch, old, new)
    if new != old:
        return [count, changed(old, new, reason, epoch, step, now)]
    return [count, unchanged(new, reason, epoch, step, now)]


def _plateau_reason(rules: PlateauRules, seen: PlateauSeen, best_epoch: int, old: float, new: float) -> Reason:
    best: dict[str, Param] = {"best": seen.best, "best_epoch": best_epoch}
    value: dict[str, Param] = {"monitor": rules.monitor, "value": seen.value}
    if seen.best_ago == 0:
        return Reason("best_so_far", value)
    if seen.tried:
        return _drop_due(rules, seen, old, new)
    if seen.ignored and seen.cooldown:
        return Reason("cooling_down", {**value, **best, "cooldown": seen.cooldown})
    if seen.ignored:
        return Reason("cooled_down", {**value, **best})
    by_little = seen.value < seen.best if rules.mode == "min" else seen.value > seen.best
    code = "not_better_by_threshold" if by_little else "not_better"
    return Reason(code, {**best, "bad_epochs": seen.bad_epochs, "patience": rules.patience})


def _drop_due(rules: PlateauRules, seen: PlateauSeen, old: float, new: float) -> Reason:
    """Patience is at its end: what became of the drop."""
    waited: dict[str, Any] = {
        "monitor": rules.monitor,
        "best": seen.best,
        "bad_epochs": seen.bad_epochs,
        "patience": rules.patience,
    }
    if new != old:
        return Reason("patience_used_up", {**waited, "old": old, "new": new})
    if new <= rules.min_lr:
        return Reason("at_min_lr", {**waited, "lr": new})
    return Reason("drop_too_small", {**waited, "eps": rules.eps, "lr": new})


def _step(at: Standing, config: schedulers.StepLR) -> Reason:
    done = at.step_count % config.step_size
    if done == 0:
        return Reason("step_size_reached", {"step_size": config.step_size})
    left = config.step_size - done
    if at.total_steps is not None and at.step_count + left >= at.total_steps + at.goes_on:
        return Reason("no_drop_left")
    return Reason("next_drop", {"left": at.steps(left)})


def _multi_step(at: Standing, config: schedulers.MultiStepLR) -> Reason:
    if at.step_count in config.milestones:
        return Reason("milestone_reached", {"milestone": at.step_count})
    left = [milestone - at.step_count for milestone in config.milestones if milestone > at.step_count]
    return Reason("next_milestone", {"left": at.steps(min(left))}) if left else Reason("no_milestone_left")


def _exponential(_: Standing, config: schedulers.ExponentialLR) -> Reason:
    return Reason("gamma", {"gamma": config.gamma})


def _constant(at: Standing, config: schedulers.ConstantLR) -> Reason:
    total = config.total_iters or at.length
    if at.step_count == total:
        return Reason("factor_lifted", {"total_iters": total, "factor": config.factor})
    if at.step_count > total:
        return Reason("factor_over", {"total_iters": total})
    return Reason("factor_holds", {"factor": config.factor, "left": at.steps(total - at.step_count)})


def _part(code: str) -> Callable[[Standing, Any], Reason]:
    """How far a curve of `total_iters` has come."""

    def reason(at: Standing, config: schedulers.LinearLR | schedulers.PolynomialLR) -> Reason:
        total = config.total_iters or at.length
        if at.step_count > total:
            return Reason(f"{code}_over", {"total_iters": total})
        return Reason(code, {"place": at.step_count, "total_iters": total})

    return reason


def _cosine(at: Standing, config: schedulers.CosineAnnealingLR) -> Reason:
    half = config.T_max or at.length
    turn, place = divmod(at.step_count, half)
    downwards = config.eta_min <= at.base_lr
    if place == 0 and downwards:
        return Reason("cosine_bottom" if turn % 2 else "cosine_top")
    if place == 0:
        return Reason("cosine_at_eta_min" if turn % 2 else "cosine_begins_again")
    back = "cosine_climbs" if downwards else "cosine_goes_back"
    return Reason(back if turn % 2 else "cosine", {"place": place, "half": half})


def _restarts(at: Standing, config: schedulers.CosineAnnealingWarmRestarts) -> Reason:
    begun, cycle = 0, config.T_0
    while begun + cycle <= at.step_count and config.T_mult > 1:
        begun, cycle = begun + cycle, cycle * config.T_mult
    place = (at.step_count - begun) % cycle
    if place == 0:
        return Reason("restart", {"cycle": at.steps(cycle)})
    return Reason("cosine_to_restart", {"place": place, "cycle": cycle})


def _cyclic(at: Standing, config: schedulers.CyclicLR) -> Reason:
    up = config.step_size_up
    down = config.step_size_down or up
    cycle, place = divmod(at.step_count, up + down)
    if place == 0:
        return Reason("cyclic_bottom", {"cycle": cycle + 1})
    if place < up:
        return Reason("cyclic_up", {"place": place, "up": up})
    if place == up:
        return Reason("cyclic_top", {"cycle": cycle + 1})
    return Reason("cyclic_down", {"place": place - up, "down": down})


def _one_cycle(at: Standing, config: schedulers.OneCycleLR) -> Reason:
    peak, *_, bottom = (places[0] if places else 0 for places in at.turns)
    start = config.top / config.div_factor
    lowest = start / config.final_div_factor
    if at.step_count > bottom:
        return Reason("one_cycle_over")
    if at.step_count == bottom and lowest > start:
        return Reason("one_cycle_end", {"lr": lowest})
    if at.step_count == bottom:
        return Reason("one_cycle_bottom", {"lowest": lowest})
    if at.step_count < peak:
        return Reason("one_cycle_up", {"place": at.step_count, "up": peak})
    if at.step_count == peak:
        return Reason("one_cycle_peak", {"lr": at.lr, "lowest": lowest})
    if config.three_phase and at.step_count in at.turns[1]:  # a short run may have none
        return Reason("one_cycle_back", {"lr": start, "lowest": lowest})
    return Reason("one_cycle_down", {"place": at.step_count - peak, "down": bottom - peak})


def _formula(at: Standing, config: schedulers.LambdaLR) -> Reason:
    corners = schedulers.formula_turns(config, at.length)
    name: dict[str, Param] = {"formula": config.formula}
    top = corners[0] if corners else 0
    if at.step_count < top:
        return Reason("formula_up", {**name, "place": at.step_count, "up": top})
    if config.formula in ("inverse_sqrt", "inverse_time"):
        return Reason("formula_top" if 0 < at.step_count == top else "formula_falls", name)
    falls = corners[-1]
    if at.step_count < falls:
        return Reason("formula_holds", {**name, "left": at.steps(falls - at.step_count)})
    if at.step_count == falls:
        return Reason("formula_top", name)
    down = at.length - falls
    return Reason("formula_down", {**name, "place": min(down, at.step_count - falls), "down": down})


def _on_lines(at: Standing, config: schedulers.PiecewiseLinear) -> Reason:
    places = config.places(at.length, at.steps_per_epoch)
    reached = bisect_right(places, at.step_count)
    count: dict[str, Param] = {"points": len(places)}
    if reached and places[reached - 1] == at.step_count:
        return Reason("at_point", {**count, "point": reached, "lr": config.points[reached - 1][1]})
    if reached == len(places):
        return Reason("behind_points", {"lr": config.points[-1][1]})
    return Reason("to_point", {**count, "point": reached + 1, "lr": config.points[reached][1]})


_REASONS: dict[str, Callable[[Standing, Any], Reason]] = {
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
    "LambdaLR": _formula,
    "PiecewiseLinear": _on_lines,
}
"""The reason of each scheduler at the place where it stands."""
