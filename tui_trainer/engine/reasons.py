"""Why the LR of our own loop moved, or did not; `tui_trainer.lr_reasons` has what holds for every loop."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tui_trainer.engine.schedules import Schedule
from tui_trainer.events import LRChanged, LRUnchanged, PlateauCounted
from tui_trainer.lr_reasons import (
    PlateauRules,
    SchedulerEvent,
    Standing,
    changed,
    dialled,
    explain_plateau,
    of_group,
    unchanged,
)
from tui_trainer.lr_reasons import explain as explain_standing
from tui_trainer.presets.schedulers import ReduceLROnPlateau
from tui_trainer.text.reasons import Reason, Steps


def explain(scheduler: Schedule, old: Sequence[float], *, epoch: int, step: int) -> list[SchedulerEvent]:
    """What to say after `scheduler.step()`, which was called with the scheduled LRs of all groups at `old`, in epoch
    `epoch` after step `step`.

    A scheduler that steps after every epoch says something every time; one that steps after every batch only where its
    curve turns: at a drop, a peak, a restart, a bottom. Under the LR dial the LRs are those that are used, and reasons
    name the schedule's own, with the dial's factor. Of a group with an LR of its own it is said where that moved, or
    stayed for another reason than that of the first group.
    """
    said = _explain(scheduler, 0, old[0], epoch, step)
    if not said:  # where curves turn, all of them do
        return []
    first = {event.why.code for event in said if not isinstance(event, PlateauCounted)}
    for number in scheduler.preset.groups_with_lr:
        for event in _explain(scheduler, number, old[number], epoch, step):
            if isinstance(event, LRChanged) or (isinstance(event, LRUnchanged) and event.why.code not in first):
                said.append(of_group(event, scheduler.preset.optimizer.groups[number - 1].label))
    return said if scheduler.factor == 1.0 else [dialled(event, scheduler.factor) for event in said]


def _explain(scheduler: Schedule, number: int, old: float, epoch: int, step: int) -> list[SchedulerEvent]:
    """What to say of the LR of one group."""
    preset, now, lr = scheduler.presets[number], time.time(), scheduler.scheduled_lrs[number]
    config = preset.scheduler
    if scheduler.swa_steps is not None:
        reason = _of_swa(scheduler, scheduler.swa_steps)
        if lr == old:
            return [unchanged(lr, reason, epoch, step, now)]
        is_last = epoch == scheduler.length.first_epoch + scheduler.length.epochs - 1
        reason = reason.but(old=old, new=lr, **({"unused": True} if is_last else {}))
        return [changed(old, lr, reason, epoch, step, now)]
    if scheduler.step_count < 0:
        return []
    if scheduler.step_count == 0:
        return [changed(old, lr, _warmup_over(scheduler, lr), epoch, step, now)]
    if scheduler.seen is not None and isinstance(config, ReduceLROnPlateau):
        rules = PlateauRules(config.monitor, config.mode, config.patience, config.floor, config.eps)
        return explain_plateau(rules, scheduler.seen, old, lr, epoch=epoch, step=step, now=now)
    if scheduler.interval is None:
        return []
    at = Standing(
        config=config,
        step_count=scheduler.step_count,
        total_steps=scheduler.total_steps,
        lr=lr,
        base_lr=preset.optimizer.lr,
        interval=scheduler.interval,
        unit=preset.training.unit if scheduler.interval == "step" else "epoch",
        batches_per_epoch=scheduler.length.batches_per_epoch,
        goes_on=scheduler.is_followed_by_swa,
    )
    return explain_standing(at, old, epoch=epoch, step=step, now=now)


def _of_swa(scheduler: Schedule, steps: int) -> Reason:
    training = scheduler.preset.training
    assert training.swa_lr is not None
    if steps > training.swa_anneal_epochs:
        return Reason("swa_holds", {"lr": training.swa_lr})
    return Reason("swa", {"place": steps, "epochs": training.swa_anneal_epochs, "lr": training.swa_lr})


def _warmup_over(scheduler: Schedule, lr: float) -> Reason:
    name, warmup = scheduler.preset.scheduler.name, scheduler.preset.warmup
    assert warmup is not None
    length = Steps(warmup.epochs, "epoch") if warmup.epochs is not None else Steps(scheduler.warmup_steps, "step")
    if name == "none":
        return Reason("warmup_over_no_scheduler", {"length": length, "lr": lr})
    return Reason("warmup_over", {"length": length, "lr": lr, "scheduler": name})
