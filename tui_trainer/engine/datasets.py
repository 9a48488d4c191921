"""Images and labels as tensors in memory, on the device, and the batches of an epoch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import platformdirs
import torch
from torch import Tensor

from tui_trainer.engine.errors import BadInput
from tui_trainer.spec import Dataset, RunSpec

# Mean and standard deviation of the training images, in pixel values from 0 to 1.
# MNIST's are the ones of the pytorch/examples recipe; the others were computed from the data and agree with the
# figures in common use.
_STATISTICS: dict[Dataset, tuple[list[float], list[float]]] = {
    "mnist-5k": ([0.1307], [0.3081]),
    "mnist": ([0.1307], [0.3081]),
    "fashion-mnist": ([0.2860], [0.3530]),
    "cifar10": ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]),
}


@dataclass(frozen=True)
class Split:
    """Normalised images (N, C, H, W) in float32 and labels (N) in int64."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, count: int | None) -> Split:
        """The first `count` images; all of them where that is None."""
        return Split(self.images[:count], self.labels[:count])

    def to(self, device: torch.device) -> Split:
        """The same on another device."""
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Images:
    """A data set: what trains, what validates."""

    train: Split
    val: Split

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width of one image."""
        _, channels, height, width = self.train.images.shape
        return channels, height, width


def load(spec: RunSpec, device: torch.device) -> Images:
    """The data set that `spec` names, cut to its limits, on `device`.

    Raises:
        BadInput: the data is not there, or broken: what, where, and what to do.
    """
    if spec.dataset == "mnist-5k":
        train, val = _mnist_5k()
    else:
        train, val = _torchvision(spec.dataset, spec.data_dir or default_root())
    mean, std = _STATISTICS[spec.dataset]
    return Images(
        train=_normalised(*train, mean, std).first(spec.limit_train).to(device),
        val=_normalised(*val, mean, std).first(spec.limit_val).to(device),
    )


def default_root() -> Path:
    """Where data sets are kept that nobody named a folder for: `TUI_TRAINER_DATA`, else the user's cache folder."""
    named = os.environ.get("TUI_TRAINER_DATA")
    return Path(named) if named else platformdirs.user_cache_path("tui-trainer") / "data"


def batches(split: Split, batch_size: int, seed: int, epoch: int, first: int = 1) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of an epoch from batch `first` on (counted from 1), the last and smaller one included.

    The order follows from `(seed, epoch)` alone, so that a resumed run and every preset of a comparison see the
    same images at the same step.
    """
    order = shuffled(len(split), seed, epoch).to(split.images.device)
    for chosen in order.split(batch_size)[first - 1 :]:
        yield split.images[chosen], split.labels[chosen]


def shuffled(count: int, seed: int, epoch: int) -> Tensor:
    """A permutation of `range(count)` that follows from `(seed, epoch)` alone; int64, on the CPU."""
    digest = hashlib.sha256(f"order {seed} {epoch}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little", signed=True))
    return torch.randperm(count, generator=generator)


def _normalised(images: Tensor, labels: Tensor, mean: list[float], std: list[float]) -> Split:
    """From uint8 (N, C, H, W)."""
    shift, scale = torch.tensor(mean).view(1, -1, 1, 1), torch.tensor(std).view(1, -1, 1, 1)
    return Split(images.float().div_(255).sub_(shift).div_(scale), labels.long())


def _mnist_5k() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    import numpy as np

    with as_file(files("tui_trainer.engine") / "mnist_5k" / "mnist-5k.npz") as path, np.load(path) as arrays:
        x_train, y_train, x_val, y_val = (
            torch.from_numpy(arrays[name]) for name in ("x_train", "y_train", "x_val", "y_val")
        )
    return (x_train.unsqueeze(1), y_train), (x_val.unsqueeze(1), y_val)


def _torchvision(name: Dataset, root: Path) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """As torchvision's class reads it from `root`; downloaded into it first where it is not there."""
    from torchvision import datasets

    kind = {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST, "cifar10": datasets.CIFAR10}[name]
    try:
        parts = [kind(root, train=train, download=False) for train in (True, False)]
    except Exception:  # torchvision raises whatever a missing or broken file leads to
        parts = _downloaded(kind, name, root)
    return _as_uint8(parts[0]), _as_uint8(parts[1])


def _downloaded(kind: Any, name: Dataset, root: Path) -> list[Any]:
    try:
        root.mkdir(parents=True, exist_ok=True)
        return [kind(root, train=train, download=True) for train in (True, False)]
    except Exception as error:  # no network, no room, no permission, a wrong checksum: all end here
        raise BadInput(
            f"{name} is not in {root} (or not whole), and could not be downloaded: {_in_a_line(error)}. "
            f"Give a folder that has it with --data-dir DIR (a torchvision root), "
            f"or take --dataset mnist-5k, which comes with the package."
        ) from error


def _in_a_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text.rstrip(".")[:200]


def _as_uint8(part: Any) -> tuple[Tensor, Tensor]:
    images, labels = torch.as_tensor(part.data), torch.as_tensor(part.targets)
    channels_first = images.unsqueeze(1) if images.ndim == 3 else images.permute(0, 3, 1, 2)
    return channels_first, labels
