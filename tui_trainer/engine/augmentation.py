"""Crop and flip of each image for itself, anew every epoch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from tui_trainer.engine.seeding import generator_for

MARGIN = 4
"""Pixels by which an image may move, in each direction; what comes into it mirrors its edge."""


class Augmentation:
    """What becomes of every image of an epoch, drawn at once from (seed, epoch).

    Position in the epoch decides, not what was trained before: an epoch taken up in the middle is the same.
    """

    def __init__(self, count: int, seed: int, epoch: int, device: torch.device) -> None:
        """For `count` images in the order in which they are trained on."""
        self._top, self._left, self._flip = (each.to(device) for each in drawn(count, seed, epoch))

    def __call__(self, images: Tensor, first: int) -> Tensor:
        """The images (B, C, H, W) that stand at `first` (from 0) and after it in the epoch, cropped and flipped."""
        at = slice(first, first + len(images))
        _, _, height, width = images.shape
        padded = functional.pad(images, (MARGIN,) * 4, mode="reflect")
        crops = padded.unfold(2, height, 1).unfold(3, width, 1)  # a view: (B, C, tops, lefts, H, W)
        each = torch.arange(len(images), device=images.device)
        cropped = crops[each, :, self._top[at], self._left[at]]
        return torch.where(self._flip[at].view(-1, 1, 1, 1), cropped.flip(3), cropped)


def drawn(count: int, seed: int, epoch: int) -> tuple[Tensor, Tensor, Tensor]:
    """Top, left and whether it is flipped of each image of an epoch; they follow from `(seed, epoch)` alone."""
    generator = generator_for("crop and flip", seed, epoch)
    places = 2 * MARGIN + 1
    top = torch.randint(places, (count,), generator=generator)
    left = torch.randint(places, (count,), generator=generator)
    return top, left, torch.randint(2, (count,), generator=generator, dtype=torch.bool)
