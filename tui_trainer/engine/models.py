"""The networks, for images of 1 or 3 channels and ten classes."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor, nn

Shape: TypeAlias = tuple[int, int, int]
"""Channels, height, width of one image."""

CLASSES = 10


def build(name: str, shape: Shape, seed: int) -> nn.Module:
    """The network `name` for images of `shape`, its initial weights drawn from `seed` alone.

    Raises:
        KeyError: no network has that name.
    """
    torch.manual_seed(seed)
    return _BUILDERS[name](shape)


def parameter_count(model: nn.Module) -> int:
    """How many numbers training changes."""
    return sum(parameter.numel() for parameter in model.parameters())


def cnn(shape: Shape) -> nn.Module:
    """Two convolutions and two linear layers: 411,802 parameters on 1×28×28."""
    channels, height, width = shape
    return nn.Sequential(
        nn.Conv2d(channels, 24, kernel_size=5, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(24, 32, kernel_size=3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * (height // 4) * (width // 4), 256),
        nn.ReLU(),
        nn.Linear(256, CLASSES),
    )


def mlp(shape: Shape) -> nn.Module:
    """One hidden layer of 256."""
    channels, height, width = shape
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(channels * height * width, 256),
        nn.ReLU(),
        nn.Linear(256, CLASSES),
    )


def _conv_bn(inputs: int, outputs: int, *, pool: bool = False) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]
    if pool:
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


class Residual(nn.Module):
    """`x + block(x)`."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.block(x)
        return x + out


class Scale(nn.Module):
    """Multiply by a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def resnet9(shape: Shape, width: int = 64) -> nn.Module:
    """The ResNet-9 of D. Page's DAWNBench entry ("How to train your ResNet", 2018), logits scaled by 1/8."""
    return nn.Sequential(
        _conv_bn(shape[0], width),
        _conv_bn(width, 2 * width, pool=True),
        Residual(nn.Sequential(_conv_bn(2 * width, 2 * width), _conv_bn(2 * width, 2 * width))),
        _conv_bn(2 * width, 4 * width, pool=True),
        _conv_bn(4 * width, 8 * width, pool=True),
        Residual(nn.Sequential(_conv_bn(8 * width, 8 * width), _conv_bn(8 * width, 8 * width))),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(8 * width, CLASSES, bias=False),
        Scale(0.125),
    )


def resnet9_slim(shape: Shape) -> nn.Module:
    """`resnet9` at a quarter of its width: a sixteenth of the work, for CPUs."""
    return resnet9(shape, width=16)


def resnet18(shape: Shape) -> nn.Module:
    """torchvision's ResNet-18 with a 3×3 stem and no first pool, as is usual for 32×32 images."""
    from torchvision.models import resnet18 as imagenet_resnet18

    model: nn.Module = imagenet_resnet18(num_classes=CLASSES)
    model.conv1 = nn.Conv2d(shape[0], 64, kernel_size=3, padding=1, bias=False)
    model.maxpool = nn.Identity()
    return model


_BUILDERS = {"cnn": cnn, "mlp": mlp, "resnet9": resnet9, "resnet9-slim": resnet9_slim, "resnet18": resnet18}
