"""What each call made, in words, for a person who follows the loop call by call.

A look is taken just before the call and gives a function that tells, after it, what changed. Looking costs time and
waits for the device; it is done in slow motion and batch by batch alone.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def tell_forward() -> Callable[[Tensor], str]:
    """The shape of what came out."""
    return lambda outputs: "outputs " + "×".join(str(size) for size in outputs.shape)


def tell_loss(sum_up: Callable[[Tensor], Tensor]) -> Callable[[], Callable[[Tensor], str]]:
    """The batch's loss; `sum_up` adds the parts that other processes have of it."""
    return lambda: lambda loss: f"loss {sum_up(loss.detach()).item():.4f}"


def tell_gradients(model: nn.Module) -> Callable[[], Callable[[object], str]]:
    """The norm of all gradients, taken as one vector."""
    return lambda: lambda _: f"grad norm {_norm([p.grad for p in model.parameters() if p.grad is not None]):.4g}"


def tell_cleared() -> Callable[[object], str]:
    """That the gradients of the batch before are gone."""
    return lambda _: "gradients cleared"


def tell_weights(model: nn.Module) -> Callable[[], Callable[[object], str]]:
    """How far the step moved the weights, all taken as one vector, and beside it their own norm."""

    def look() -> Callable[[object], str]:
        before = [parameter.detach().clone() for parameter in model.parameters()]

        def tell(_: object) -> str:
            moved = _norm([p.detach() - old for p, old in zip(model.parameters(), before, strict=True)])
            return f"weights moved {moved:.3g} of {_norm(before):.3g}"

        return tell

    return look


def tell_validation() -> Callable[[tuple[float, float]], str]:
    """Loss and accuracy over the images that validate."""
    return lambda result: f"val_loss {result[0]:.4f}, accuracy {result[1]:.4f}"


def _norm(tensors: list[Tensor]) -> float:
    return float(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(t.float()) for t in tensors])))
