"""Batch normalisation over the whole batch, where each of several processes has a share of it."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


def synchronised(model: nn.Module) -> nn.Module:
    """`model` itself, its batch normalisation made to see all ranks' shares; names in its `state_dict` stay."""
    if not any(isinstance(module, nn.BatchNorm2d) for module in model.modules()):
        return model
    if next(model.parameters()).is_cuda:
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return converted
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SyncedBatchNorm2d
    return model


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """As torch's SyncBatchNorm, which is for CUDA alone; shares may differ in size, and be empty."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        over = (0, 2, 3)
        wide = x.float()  # sums over a batch have too many digits for bfloat16
        sums = torch.cat([wide.sum(over), wide.new_tensor([x.numel() / x.shape[1]])])
        total = _Total.apply(sums)
        count = total[-1].detach()
        mean = total[:-1] / count
        centred = wide - mean.view(1, -1, 1, 1)
        variance = _Total.apply(centred.square().sum(over)) / count
        self._remember(mean.detach(), variance.detach() * (count / (count - 1)))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        normalised: Tensor = centred * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return normalised.to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked.add_(1)


class _Total(torch.autograd.Function):
    """The sum over all ranks; so is its gradient."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total
