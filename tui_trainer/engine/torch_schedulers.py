"""A preset's scheduler as one of torch's: the class of its name, or one of those here that torch has no class for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import Any

import torch
from torch import Tensor
from torch.optim import lr_scheduler

from tui_trainer.engine.torch_internals import set_closed_form_lr
from tui_trainer.presets.schedulers import LambdaLR, Part, PiecewiseLinear, SchedulerTable, SequentialLR


def build_scheduler(
    config: SchedulerTable, optimizer: torch.optim.Optimizer, length: int, steps_per_epoch: int
) -> lr_scheduler.LRScheduler:
    """The scheduler that a table asks for; it sets the optimizer to its first LR.

    Args:
        config: the table; not that of `none`.
        optimizer: at its base LR.
        length: how many steps the scheduler makes in the run.
        steps_per_epoch: how many of them in an epoch.
    """
    match config:
        case LambdaLR():
            return lr_scheduler.LambdaLR(optimizer, lambda step: config.factor(step, length))
        case PiecewiseLinear():
            of_groups = [config.scaled(group.get(SCALE, 1.0)) for group in optimizer.param_groups]
            return OnLines(optimizer, [partial(_on_lines, each, length, steps_per_epoch) for each in of_groups])
        case SequentialLR():
            return InStages(optimizer, config.parts(length, steps_per_epoch), steps_per_epoch)
    kind = getattr(lr_scheduler, config.name)
    more = len(optimizer.param_groups)
    # Groups that a shortcut stands for have the LR of the first one.
    lists = {key: [*values, *[values[0]] * (more - len(values))] for key, values in config.lists.items()}
    scheduler: lr_scheduler.LRScheduler = kind(optimizer, **{**config.arguments(length), **lists})
    return scheduler


def is_same(config: SchedulerTable, length: int, other: int, steps_per_epoch: int) -> bool:
    """Whether `build_scheduler` comes to the same for two lengths, so that one goes on as the other would."""
    places = range(0, max(length, other), max(1, max(length, other) // PLACES))
    match config:
        case LambdaLR():
            return all(config.factor(step, length) == config.factor(step, other) for step in places)
        case PiecewiseLinear():
            both = ((config.lr(step, each, steps_per_epoch) for each in (length, other)) for step in places)
            return all(one == another for one, another in both)
        case SequentialLR():
            parts, others = config.parts(length, steps_per_epoch), config.parts(other, steps_per_epoch)
            return len(parts) == len(others) and all(
                one.start == another.start
                and is_same(one.scheduler, max(1, one.length), max(1, another.length), steps_per_epoch)
                for one, another in zip(parts, others, strict=True)
            )
    return config.arguments(length) == config.arguments(other)


PLACES = 2_000
"""Steps of a formula that are looked at: one that depends on the length is another nearly everywhere."""


SCALE = "lr_scale"
"""The option of an optimizer's group that says by what points are multiplied for it, as timm has it; 1 without it."""


def _on_lines(config: PiecewiseLinear, length: int, steps_per_epoch: int, step: int) -> float:
    return config.lr(step, length, steps_per_epoch)


class OnLines(lr_scheduler.LRScheduler):
    """The LR of each group itself as a function of the step, whatever the optimizer's was."""

    def __init__(self, optimizer: torch.optim.Optimizer, lrs: Sequence[Callable[[int], float]]) -> None:
        self._lrs = lrs
        super().__init__(optimizer)

    def get_lr(self) -> list[float | Tensor]:
        """One for each group."""
        return [lr(self.last_epoch) for lr in self._lrs]

    def state_dict(self) -> dict[str, Any]:
        """Primitives: the functions are the preset's."""
        return {key: value for key, value in super().state_dict().items() if key != "_lrs"}


class InStages(lr_scheduler.LRScheduler):
    """Schedulers one after the other, joined as torch's SequentialLR joins them: at its beginning each is built on the
    optimizer at its base LR, and has its first LR in closed form where it has one.

    Only the one at work is there, so that its state is all the state there is.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, parts: list[Part], steps_per_epoch: int) -> None:
        self.optimizer = optimizer
        self.last_epoch = 0
        self._parts, self._steps_per_epoch = parts, steps_per_epoch
        self._base_lrs = [group["lr"] for group in optimizer.param_groups]
        self._begin()

    @property
    def at_work(self) -> lr_scheduler.LRScheduler:
        """The scheduler that has the LR now."""
        return self._at_work

    @property
    def config(self) -> SchedulerTable:
        """What that was asked for by."""
        return self._part.scheduler

    @property
    def place(self) -> int:
        """How many steps that has made."""
        return self.last_epoch - self._part.start

    def step(self, epoch: int | None = None) -> None:
        """Move on by one step."""
        self.last_epoch += 1
        if self.last_epoch >= self._next:
            self._begin()
        else:
            self._at_work.step()

    def get_last_lr(self) -> list[float | Tensor]:
        """That of each group."""
        return self._at_work.get_last_lr()

    def stand_at(self, step: int) -> None:
        """Be in the stage of a step, at that stage's beginning if it is another than now."""
        self.last_epoch = step
        if self._part is not self._parts[SequentialLR.part_at(self._parts, step)]:
            self._begin()

    def lie_in(self, parts: list[Part]) -> None:
        """Have the same stages in a run of another length: one that had no room may begin now, and be the one here."""
        index = SequentialLR.part_at(parts, self.last_epoch)
        begins = parts[index].scheduler != self.config or parts[index].start != self._part.start
        self._parts = parts
        if begins:
            self._begin()
        else:
            self._stand_in(parts[index])

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, in primitives."""
        return {"last_epoch": self.last_epoch, "stage": self._at_work.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Stand where the state was saved; groups of the optimizer have their LR by its own state."""
        self.stand_at(state_dict["last_epoch"])
        self._at_work.load_state_dict(copy.deepcopy(state_dict["stage"]))

    def _begin(self) -> None:
        """The stage in which `last_epoch` lies, from its beginning."""
        self._stand_in(self._parts[SequentialLR.part_at(self._parts, self.last_epoch)])
        for group, lr in zip(self.optimizer.param_groups, self._base_lrs, strict=True):
            group["lr"] = group["initial_lr"] = lr
        config = self._part.scheduler
        if config.name == "none":
            self._at_work: lr_scheduler.LRScheduler = lr_scheduler.LambdaLR(self.optimizer, lambda _: 1.0)
            return
        self._at_work = build_scheduler(config, self.optimizer, max(1, self._part.length), self._steps_per_epoch)
        if self.last_epoch:
            set_closed_form_lr(self._at_work)

    def _stand_in(self, part: Part) -> None:
        """Have this part at work, until the next one that has any room."""
        self._part = part
        later = (other.start for other in self._parts if other.length and other.start > self.last_epoch)
        self._next = min(later, default=inf)
