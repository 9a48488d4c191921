"""The networks, for images of 1 or 3 channels and ten classes."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

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


def without_weights(name: str) -> nn.Module:
    """The network `name` with the names and shapes of its parameters alone; random numbers stay as they are."""
    with torch.device("meta"):
        return _BUILDERS[name]((3, 32, 32))


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


class GlobalMaxPool(nn.Module):
    """The largest value of each channel: `AdaptiveMaxPool2d(1)`, which has no deterministic form on CUDA."""

    def forward(self, x: Tensor) -> Tensor:
        if x.is_cuda:
            return functional.max_pool2d(x, x.shape[-2:])  # the same, gradients too
        pooled: Tensor = functional.adaptive_max_pool2d(x, 1)
        return pooled


def resnet9(shape: Shape, width: int = 64) -> nn.Module:
    """The ResNet-9 of D. Page's DAWNBench entry ("How to train your ResNet", 2018), logits scaled by 1/8."""
    return nn.Sequential(
        _conv_bn(shape[0], width),
        _conv_bn(width, 2 * width, pool=True),
        Residual(nn.Sequential(_conv_bn(2 * width, 2 * width), _conv_bn(2 * width, 2 * width))),
        _conv_bn(2 * width, 4 * width, pool=True),
        _conv_bn(4 * width, 8 * width, pool=True),
        Residual(nn.Sequential(_conv_bn(8 * width, 8 * width), _conv_bn(8 * width, 8 * width))),
        GlobalMaxPool(),
        nn.Flatten(),
        nn.Linear(8 * width, CLASSES, bias=False),
        Scale(0.125),
    )


def resnet9_slim(shape: Shape) -> nn.Module:
    """`resnet9` at a quarter of its width: a sixteenth of the work, for CPUs."""
    return resnet9(shape, width=16)


class BasicBlock(nn.Module):
    """Two convolutions around a shortcut, which has one of its own where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        shortcut = None
        if stride != 1 or inputs != outputs:  # drawn first, as in torchvision, for the same weights of a seed
            shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = shortcut

    def forward(self, x: Tensor) -> Tensor:
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu(out)  # type: ignore[no-any-return]


class ResNet18(nn.Module):
    """As torchvision has it for ImageNet, weight for weight of the same seed and by the same names, for ten classes.

    It stands here because each version of torchvision wants one version of torch: to require it would replace a torch
    that is installed already.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1: nn.Module = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool: nn.Module = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = nn.Sequential(BasicBlock(64, 64), BasicBlock(64, 64))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2), BasicBlock(512, 512))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512, CLASSES)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))  # type: ignore[no-any-return]


def resnet18(shape: Shape) -> nn.Module:
    """torchvision's ResNet-18 with a 3×3 stem and no first pool, as is usual for 32×32 images."""
    model = ResNet18()
    model.conv1 = nn.Conv2d(shape[0], 64, kernel_size=3, padding=1, bias=False)
    model.maxpool = nn.Identity()
    return model


_BUILDERS = {"cnn": cnn, "mlp": mlp, "resnet9": resnet9, "resnet9-slim": resnet9_slim, "resnet18": resnet18}
