"""A model and what moves its weights: the optimizer and the scheduler of the preset that it follows."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tui_trainer.engine.kernels import Kernels
from tui_trainer.engine.recipes import Planned, plan
from tui_trainer.engine.schedules import Scheduler, build_optimizer
from tui_trainer.presets import Preset


class Learner:
    """What training changes, and what must be saved of it.

    Attributes:
        planned: the preset that is followed, worked out.
        optimizer, scheduler: as that preset asks for them.
    """

    optimizer: torch.optim.Optimizer
    scheduler: Scheduler

    def __init__(self, model: nn.Module, planned: Planned, kernels: Kernels) -> None:
        self.model = model
        self._kernels = kernels
        self.follow(planned)

    def follow(self, planned: Planned) -> None:
        """Build what the preset asks for around the model as it is: a fresh optimizer, the schedule's beginning."""
        self.planned = planned
        self.optimizer = build_optimizer(
            planned.preset.optimizer, self.model.parameters(), **self._kernels.optimizer_options
        )
        self.scheduler = Scheduler(planned.preset, self.optimizer, planned.length)

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimizer, schedule, and the preset they belong to; tensors and primitives alone."""
        planned = self.planned
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "preset_name": planned.recipe.preset,
            "preset": planned.preset.model_dump(mode="json"),
            "first_epoch": planned.first_epoch,
            "first_step": planned.first_step,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Stand where `state` was saved; what was planned is `planned_in` it, and nothing has been trained since."""
        self.model.load_state_dict(state["model"])
        # After all constructors, which change the LR.
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        # torch warns of a scheduler that steps before its optimizer ever did; this one did, in the run that stopped.
        self.optimizer._opt_called = True  # type: ignore[attr-defined]


def planned_in(state: dict[str, Any], train_images: int, last_epoch: int) -> Planned:
    """The preset that was followed where `state` was saved, worked out for a run of so many epochs."""
    return plan(
        state["preset_name"],
        Preset.model_validate(state["preset"]),
        train_images,
        first_epoch=state["first_epoch"],
        last_epoch=last_epoch,
        first_step=state["first_step"],
    )
