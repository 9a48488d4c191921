"""Gradients that are clipped before a step of the optimizer, by torch's own functions, and what of it is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import inf

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, get_total_norm

from tui_trainer.events import MetricDeclared
from tui_trainer.presets.schema import Training

CLIPPED_SHARE = "clipped_share"
"""The share of an epoch's steps whose gradients were larger than they might be."""


class Clipping:
    """`clip_grad_norm` or `clip_grad_value` of a network's gradients.

    Attributes:
        limit: what they are clipped at.
        series: what is told of each step before it is clipped: `grad_norm`, the norm of all gradients taken as one
            vector; where single numbers are cut off `grad_max`, the largest of them, up or down.
    """

    def __init__(self, model: nn.Module, limit: float, *, by_norm: bool) -> None:
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.limit = limit
        self._by_norm = by_norm
        self.series = "grad_norm" if by_norm else "grad_max"

    @classmethod
    def of(cls, training: Training, model: nn.Module) -> Clipping | None:
        """What `[training]` asks for; None where it asks for nothing."""
        if training.clip_grad_norm is not None:
            return cls(model, training.clip_grad_norm, by_norm=True)
        return cls(model, training.clip_grad_value, by_norm=False) if training.clip_grad_value is not None else None

    def clip(self) -> Tensor:
        """Clip the gradients; what `series` is of them, before: a single number on the device."""
        if self._by_norm:
            return clip_grad_norm_(self._parameters, self.limit)
        with torch.no_grad():
            largest = get_total_norm([each.grad for each in self._parameters if each.grad is not None], inf)
        clip_grad_value_(self._parameters, self.limit)
        return largest

    def declared(self) -> Iterator[MetricDeclared]:
        """What its series are."""
        for name in (self.series, CLIPPED_SHARE):
            yield MetricDeclared(at=time.time(), name=name, group="network")
