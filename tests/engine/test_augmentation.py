"""Crop and flip: each image for itself, the same whenever an epoch is taken up."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tui_trainer.engine.datasets import MARGIN, Augmentation, Split, batches

CPU = torch.device("cpu")
COUNT = 300


@pytest.fixture(scope="module")
def pictures() -> Tensor:
    return torch.randn(COUNT, 3, 12, 10, generator=torch.Generator().manual_seed(1))


def views(image: Tensor) -> list[Tensor]:
    """All that may become of one image, cut out one by one."""
    _, height, width = image.shape
    padded = functional.pad(image[None], (MARGIN,) * 4, mode="reflect")[0]
    crops = [
        padded[:, top : top + height, left : left + width]
        for top in range(2 * MARGIN + 1)
        for left in range(2 * MARGIN + 1)
    ]
    return [*crops, *(crop.flip(2) for crop in crops)]


def test_every_image_becomes_a_crop_of_itself_mirrored_or_not_and_not_all_the_same_one(pictures: Tensor) -> None:
    shown = Augmentation(COUNT, 0, 1, CPU)(pictures, 0)
    chosen = []
    for before, after in zip(pictures[:60], shown[:60], strict=True):
        (place,) = [at for at, view in enumerate(views(before)) if torch.equal(view, after)]
        chosen.append(place)
    assert len(set(chosen)) > 30
    assert 10 < sum(place < (2 * MARGIN + 1) ** 2 for place in chosen) < 50


def test_the_draws_follow_from_seed_and_epoch_alone(pictures: Tensor) -> None:
    def shown(seed: int, epoch: int) -> Tensor:
        return Augmentation(COUNT, seed, epoch, CPU)(pictures, 0)

    first = shown(0, 1)
    torch.rand(7)
    assert torch.equal(first, shown(0, 1))
    assert not torch.equal(first, shown(0, 2))
    assert not torch.equal(first, shown(1, 1))


@pytest.mark.parametrize("batch_size", [32, 75])
def test_an_epoch_taken_up_in_the_middle_shows_the_same_crops(pictures: Tensor, batch_size: int) -> None:
    split = Split(pictures, torch.arange(COUNT), augmented=True)
    whole = [images for images, _ in batches(split, batch_size, 3, 2)]
    rest = [images for images, _ in batches(split, batch_size, 3, 2, first=3)]
    assert len(rest) == len(whole) - 2
    assert all(torch.equal(one, other) for one, other in zip(rest, whole[2:], strict=True))
    plain = [images for images, _ in batches(Split(pictures, torch.arange(COUNT)), batch_size, 3, 2)]
    assert not torch.equal(plain[0], whole[0])


def test_images_that_validate_are_shown_as_they_are(pictures: Tensor) -> None:
    split = Split(pictures, torch.arange(COUNT))
    for images, labels in batches(split, 64, 0, 1):
        assert torch.equal(images, pictures[labels])
