"""Loss and accuracy over images that were not trained on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from tui_trainer.engine.datasets import Split
from tui_trainer.engine.distributed import ALONE, Ranks

VAL_BATCH = 500
"""Images a batch of validation: results do not depend on it, and the activations of so many fit the caches."""


@torch.inference_mode()
def validate(
    model: nn.Module, split: Split, ranks: Ranks = ALONE, forward: Callable[[Tensor], Tensor] | None = None
) -> tuple[float, float]:
    """Mean loss and accuracy of `model` over `split`, both over images; each rank takes a part of them.

    `forward` is how to call the model, where that is not simply by itself.
    """
    forward = forward or model
    model.eval()
    loss = torch.zeros((), device=split.images.device)
    hits = torch.zeros((), dtype=torch.int64, device=split.images.device)
    part = ranks.part(split)
    for images, labels in zip(part.images.split(VAL_BATCH), part.labels.split(VAL_BATCH), strict=True):
        outputs = forward(images)
        loss += functional.cross_entropy(outputs, labels, reduction="sum")
        hits += (outputs.argmax(1) == labels).sum()
    model.train()
    return float(ranks.sum(loss)) / len(split), int(ranks.sum(hits)) / len(split)
