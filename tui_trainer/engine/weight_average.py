"""A running average of a network's weights, which is validated in their place: torch's `AveragedModel`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tui_trainer.events import MetricDeclared
from tui_trainer.presets.schema import Training

RAW = ("val_loss_raw", "val_accuracy_raw")
"""The series of what the weights themselves come to in validation, beside their average."""


class WeightAverage:
    """An exponential moving average (EMA) of weights and buffers, begun with those after the first step.

    After each further one, `average = decay * average + (1 - decay) * weights`, as torchvision's references have it.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)

    @classmethod
    def of(cls, training: Training, model: nn.Module) -> WeightAverage | None:
        """What `[training]` asks for; None where the weights are validated as they are."""
        return cls(model, training.ema_decay) if training.ema_decay is not None else None

    @property
    def model(self) -> nn.Module:
        """A network with the average."""
        averaged: nn.Module = self._averaged.module
        return averaged

    def update(self, model: nn.Module) -> None:
        """Take in the weights after a step."""
        self._averaged.update_parameters(model)

    def state_dict(self) -> dict[str, Any]:
        """Tensors and primitives alone."""
        return {"count": int(self._averaged.n_averaged), "model": self.model.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.model.load_state_dict(state["model"])
        self._averaged.n_averaged.fill_(state["count"])


def declared_raw() -> Iterator[MetricDeclared]:
    """What the series `RAW` are."""
    loss, accuracy = RAW
    yield MetricDeclared(at=time.time(), name=loss, goal="min", kind="val")
    yield MetricDeclared(at=time.time(), name=accuracy, goal="max", kind="val")
