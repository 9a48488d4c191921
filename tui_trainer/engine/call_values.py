"""What each call made, in words, for a person who follows the loop call by call.

A look is taken just before the call and gives a function that tells, after it, what changed. Looking costs time and
waits for the device; it is done in slow motion and batch by batch alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from tui_trainer.events import BETWEEN_PARTS
from tui_trainer.text.numbers import format_lr


def tell_forward() -> Callable[[Tensor], str]:
    """The shape of what came out."""
    return lambda outputs: "outputs " + "×".join(str(size) for size in outputs.shape)


def tell_loss(sum_up: Callable[[Tensor], Tensor]) -> Callable[[], Callable[[Tensor], str]]:
    """The batch's loss; `sum_up` adds the parts that other processes have of it."""
    return lambda: lambda loss: f"loss {sum_up(loss.detach()).item():.4f}"


def tell_gradients(model: nn.Module, scale: Callable[[], float] = lambda: 1.0) -> Callable[[], Callable[[object], str]]:
    """The norm of all gradients, taken as one vector; and what it was before, if it was not nothing.

    `scale` is by how much the loss was multiplied for the pass.
    """

    def look() -> Callable[[object], str]:
        before = _gradients(model)
        return lambda _: f"grad norm {f'{before:.4g} → ' if before else ''}{_gradients(model) / scale():.4g}"

    return look


def tell_cleared(model: nn.Module) -> Callable[[], Callable[[object], str]]:
    """The norm of the gradients of the batch before, and that they are gone."""

    def look() -> Callable[[object], str]:
        before = _gradients(model)
        return lambda _: f"grad norm {before:.4g} → {_gradients(model):.4g}" if before else "no gradients yet"

    return look


def tell_weights(model: nn.Module) -> Callable[[], Callable[[object], str]]:
    """One weight before and after, the same each time; then how far all moved, as one vector, beside their norm."""

    def look() -> Callable[[object], str]:
        before = [parameter.detach().clone() for parameter in model.parameters()]

        def tell(_: object) -> str:
            after = [parameter.detach() for parameter in model.parameters()]
            moved = _norm([new - old for new, old in zip(after, before, strict=True)])
            # The last one there is, a bias in most networks: its gradient is never nothing, as others' may be.
            one = _change(before[-1].flatten()[0].item(), after[-1].flatten()[0].item())
            return BETWEEN_PARTS.join((f"a weight {one}", f"all moved {moved:.3g} of {_norm(before):.3g}"))

        return tell

    return look


def tell_lr(now: Callable[[], float]) -> Callable[[], Callable[[object], str]]:
    """The LR before and after; `now` gives what it is."""

    def look() -> Callable[[object], str]:
        old = now()

        def tell(_: object) -> str:
            new = now()
            return f"lr {format_lr(old)} kept" if new == old else f"lr {format_lr(old)} → {format_lr(new)}"

        return tell

    return look


def tell_validation() -> Callable[[tuple[float, float]], str]:
    """Loss and accuracy over the images that validate."""
    return lambda result: BETWEEN_PARTS.join((f"val_loss {result[0]:.4f}", f"accuracy {result[1]:.4f}"))


def _gradients(model: nn.Module) -> float:
    there = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    return _norm(there) if there else 0.0


def _change(old: float, new: float) -> str:
    """Both with as many decimals as it takes to tell them apart."""
    if old == new:
        return f"{old:.4f} kept"
    decimals = min(9, max(4, 2 - math.floor(math.log10(abs(new - old)))))
    return f"{old:.{decimals}f} → {new:.{decimals}f}"


def _norm(tensors: list[Tensor]) -> float:
    return float(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(t.float()) for t in tensors])))
