"""The networks, for images of 1 or 3 channels."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

Shape: TypeAlias = tuple[int, int, int]
"""Channels, height, width of one image."""


def build(
    name: str, shape: Shape, seed: int, classes: int = 10, options: Mapping[str, Any] = MappingProxyType({})
) -> nn.Module:
    """The network `name` for images of `shape`, its initial weights drawn from `seed` alone.

    `options` are those of `MODEL_OPTIONS`.

    Raises:
        KeyError: no network has that name.
        TypeError: it has no such option.
    """
    torch.manual_seed(seed)
    return _BUILDERS[name](shape, classes, **options)


def without_weights(name: str) -> nn.Module:
    """The network `name` with the names of its parameters alone, which no option changes; random numbers stay as they
    are."""
    with torch.device("meta"):
        return _BUILDERS[name]((3, 32, 32), 10)


def parameter_count(model: nn.Module) -> int:
    """How many numbers training changes."""
    return sum(parameter.numel() for parameter in model.parameters())


def _dropping(layers: list[nn.Module], dropout: float) -> nn.Sequential:
    """The layers one after the other, numbered; some of what comes to the last one is left out at random."""
    named = {str(number): layer for number, layer in enumerate(layers)}
    if dropout:
        last = named.popitem()
        named |= {"dropout": nn.Dropout(dropout), last[0]: last[1]}
    return nn.Sequential(OrderedDict(named))


def cnn(shape: Shape, classes: int, dropout: float = 0.0) -> nn.Module:
    """Two convolutions and two linear layers: 411,802 parameters on 1×28×28."""
    channels, height, width = shape
    layers: list[nn.Module] = [
        nn.Conv2d(channels, 24, kernel_size=5, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(24, 32, kernel_size=3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * (height // 4) * (width // 4), 256),
        nn.ReLU(),
        nn.Linear(256, classes),
    ]
    return _dropping(layers, dropout)


def mlp(shape: Shape, classes: int, width: int = 256, dropout: float = 0.0) -> nn.Module:
    """One hidden layer of `width`."""
    channels, height, length = shape
    layers: list[nn.Module] = [
        nn.Flatten(),
        nn.Linear(channels * height * length, width),
        nn.ReLU(),
        nn.Linear(width, classes),
    ]
    return _dropping(layers, dropout)


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


def resnet9(shape: Shape, classes: int, width: int = 64) -> nn.Module:
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
        nn.Linear(8 * width, classes, bias=False),
        Scale(0.125),
    )


def resnet9_slim(shape: Shape, classes: int, width: int = 16) -> nn.Module:
    """`resnet9` at a quarter of its width: a sixteenth of the work, for CPUs."""
    return resnet9(shape, classes, width)


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
    """As torchvision has it for ImageNet, weight for weight of the same seed and by the same names.

    It stands here because each version of torchvision wants one version of torch: to require it would replace a torch
    that is installed already.
    """

    def __init__(self, classes: int) -> None:
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
        self.fc = nn.Linear(512, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))  # type: ignore[no-any-return]


def resnet18(shape: Shape, classes: int) -> nn.Module:
    """torchvision's ResNet-18 with a 3×3 stem and no first pool, as is usual for 32×32 images."""
    model = ResNet18(classes)
    model.conv1 = nn.Conv2d(shape[0], 64, kernel_size=3, padding=1, bias=False)
    model.maxpool = nn.Identity()
    return model


def lenet(shape: Shape, classes: int, dropout: float = 0.0) -> nn.Module:
    """LeNet-5 (LeCun et al. 1998) as it is usual today, with ReLU and max-pooling: 61,706 parameters on 1×28×28.

    It was made for 32×32: what is smaller gets a margin of zeros.
    """
    channels, *sides = shape
    margin = max(0, 32 - min(sides)) // 2
    height, width = ((side + 2 * margin - 12) // 4 for side in sides)
    layers: list[nn.Module] = [
        nn.Conv2d(channels, 6, kernel_size=5, padding=margin),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * height * width, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, classes),
    ]
    return _dropping(layers, dropout)


class PreActivationBlock(nn.Module):
    """Two convolutions, each behind its normalisation and ReLU (He et al. 2016); a shortcut of one pixel's width stands
    where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        """Which part of what lies between the two is left out at random as it trains."""
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut = None
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        activated = functional.relu(self.bn1(x))
        identity = x if self.shortcut is None else self.shortcut(activated)
        within = functional.relu(self.bn2(self.conv1(activated)))
        if self.dropout:
            within = functional.dropout(within, self.dropout, self.training)
        out: Tensor = self.conv2(within)
        return out + identity


def wrn_16_4(shape: Shape, classes: int, width: int = 4, dropout: float = 0.0) -> nn.Module:
    """The WRN-16-4 of S. Zagoruyko and N. Komodakis ("Wide Residual Networks", 2016): 2,748,890 parameters for
    CIFAR-10; with another `width` k their WRN-16-k."""
    widths = [16, 16 * width, 32 * width, 64 * width]
    blocks: list[nn.Module] = []
    for group, (inputs, outputs) in enumerate(pairwise(widths)):
        blocks += [
            PreActivationBlock(inputs, outputs, 1 if group == 0 else 2, dropout),
            PreActivationBlock(outputs, outputs, 1, dropout),
        ]
    model = nn.Sequential(
        nn.Conv2d(shape[0], widths[0], 3, padding=1, bias=False),
        *blocks,
        nn.BatchNorm2d(widths[-1]),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(widths[-1], classes),
    )
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model


_BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "cnn": cnn,
    "mlp": mlp,
    "lenet": lenet,
    "resnet9": resnet9,
    "resnet9-slim": resnet9_slim,
    "resnet18": resnet18,
    "wrn-16-4": wrn_16_4,
}
