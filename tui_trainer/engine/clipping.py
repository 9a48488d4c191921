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
        limits: what is told of each step, of its gradients before they are clipped, and above which value it was one
            whose gradients were: `grad_norm`, the norm of all gradients taken as one vector; where single numbers are
            cut off `grad_max` too, the largest of them, up or down.
    """

    def __init__(self, model: nn.Module, limit: float, *, by_norm: bool) -> None:
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._limit = limit
        self._by_norm = by_norm
        self.limits = {"grad_norm": limit} if by_norm else {"grad_norm": inf, "grad_max": limit}

    @classmethod
    def of(cls, training: Training, model: nn.Module) -> Clipping | None:
        """What `[training]` asks for; None where it asks for nothing."""
        if training.clip_grad_norm is not None:
            return cls(model, training.clip_grad_norm, by_norm=True)
        return cls(model, training.clip_grad_value, by_norm=False) if training.clip_grad_value is not None else None

    def clip(self) -> dict[str, Tensor]:
        """Clip the gradients; what they were before, by the names in `limits`: single numbers on the device."""
        if self._by_norm:
            return {"grad_norm": clip_grad_norm_(self._parameters, self._limit)}
        with torch.no_grad():
            gradients = [each.grad for each in self._parameters if each.grad is not None]
            before = {"grad_norm": get_total_norm(gradients), "grad_max": get_total_norm(gradients, inf)}
        clip_grad_value_(self._parameters, self._limit)
        return before

    def declared(self) -> Iterator[MetricDeclared]:
        """What its series are."""
        for name in (*self.limits, CLIPPED_SHARE):
            yield MetricDeclared(at=time.time(), name=name, group="network")
