"""A running average of a network's weights, which is validated in their place: torch's `AveragedModel`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from tui_trainer.engine.distributed import unsynchronised
from tui_trainer.events import MetricDeclared
from tui_trainer.presets.schema import Training

RAW = ("val_loss_raw", "val_accuracy_raw")
"""The series of what the weights themselves come to in validation, beside their average."""


class WeightAverage:
    """An average of weights.

    Attributes:
        kind: `ema`, an exponential moving average of weights and buffers, begun with those after the first step; after
            each further one, `average = decay * average + (1 - decay) * weights`, as torchvision's references have it.
            `swa`, stochastic weight averaging: the mean of the weights at the ends of epochs.
        first_epoch: of `swa`, the first epoch whose weights are taken in; of `ema`, the first there is.
    """

    kind: Literal["ema", "swa"]

    def __init__(self, model: nn.Module, *, ema_decay: float | None = None, swa_start: int | None = None) -> None:
        if ema_decay is not None:
            self.kind, self.first_epoch = "ema", 1
            self._averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(ema_decay), use_buffers=True)
        else:
            self.kind, self.first_epoch = "swa", swa_start or 1
            self._averaged = AveragedModel(model)
        unsynchronised(self.model)

    @classmethod
    def of(cls, training: Training, model: nn.Module) -> WeightAverage | None:
        """What `[training]` asks for; None where the weights are validated as they are."""
        if training.ema_decay is None and training.swa_start is None:
            return None
        return cls(model, ema_decay=training.ema_decay, swa_start=training.swa_start)

    @property
    def model(self) -> nn.Module:
        """A network with the average."""
        averaged: nn.Module = self._averaged.module
        return averaged

    @property
    def has_begun(self) -> bool:
        """Whether weights were taken in."""
        return int(self._averaged.n_averaged) > 0

    def update(self, model: nn.Module) -> None:
        """Take in the weights after a step, or an epoch."""
        self._averaged.update_parameters(model)

    def update_with_statistics(self, model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Take in the weights after an epoch, and find out anew what batch normalisation keeps, which no mean of
        weights has: by a pass over the batches that train, where the network has any."""
        self.update(model)
        update_bn(batches, self.model)

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
