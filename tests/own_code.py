"""Modules of a person's own, each with a name that no other test has."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui_trainer.allowed_code import OPTIONS, Code, allow

LOSSES = """
import torch
from torch import nn
from torch.nn import functional as F

from tui_trainer import log


def same(output, target):
    return F.cross_entropy(output, target)


def logs(output, target):
    top = output.topk(2, dim=1).values
    log({"margin": (top[:, 0] - top[:, 1]).mean(), "images": len(target)})
    return F.cross_entropy(output, target)


def fails(output, target):
    return of_another(output) * F.cross_entropy(output, target)


def of_another(output):
    if torch.is_grad_enabled() and len(output) > 2:
        raise ValueError("the moon is full")
    return 1.0


def net(shape, classes):
    channels, height, width = shape
    return nn.Sequential(
        nn.Flatten(), nn.Linear(channels * height * width, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, classes)
    )


def is_none(output, target):
    return None


def of_each(output, target):
    return F.cross_entropy(output, target, reduction="none")


def without_gradient(output, target):
    return F.cross_entropy(output, target).detach()


def no_network():
    return "net"


def five_classes():
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(5))


def no_parameters():
    return nn.Flatten()


def sgd(params, lr, weight_decay=0.0):
    return torch.optim.SGD(params, lr, momentum=0.9, weight_decay=weight_decay)


def no_optimizer(params, lr):
    return "sgd"


def without_momentum(params, lr):
    return torch.optim.Adagrad(params, lr)


def in_one_group(params, lr):
    return torch.optim.SGD([each for group in params for each in group["params"]], lr)


def of_matrices(params, lr):
    groups = [{**group, "params": [each for each in group["params"] if each.ndim > 1]} for group in groups_of(params)]
    return torch.optim.SGD(groups, lr)


def groups_of(params):
    return params if isinstance(params[0], dict) else [{"params": params}]


def frozen_bias(shape, classes):
    made = net(shape, classes)
    made[1].bias.requires_grad_(False)
    return made


def of_another_lr(params, lr):
    return torch.optim.SGD(params, 2 * lr)


def wants_more(params, lr):
    return torch.optim.LBFGS(params, lr)


def of_another_name(params, rate):
    return torch.optim.SGD(params, rate)


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            one, two = group["betas"]
            for weight in group["params"]:
                mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
                weight.sub_(group["lr"] * torch.sign(one * mean + (1 - one) * weight.grad))
                mean.mul_(two).add_(weight.grad, alpha=1 - two)


def takes_more(shape, depth):
    return nn.Flatten()


number = 3


def data():
    images = (torch.arange(60 * 3 * 8 * 8) % 251).to(torch.uint8).view(60, 3, 8, 8)
    labels = torch.arange(60) % 4
    return (images[:40], labels[:40]), (images[40:], labels[40:])


def one_part():
    return data()[0]


def arrays():
    return tuple((images[:, 0].numpy(), labels.tolist()) for images, labels in data())


def no_pair():
    return data()[0], None


def floats():
    (images, labels), val = data()
    return (images.float(), labels), val


def few_labels():
    (images, labels), val = data()
    return (images, labels[1:]), val


def unlike():
    train, (images, labels) = data()
    return train, (images[:, :, 1:], labels)


def many_classes():
    (images, labels), val = data()
    return (images, labels * 100), val


def no_file(data_dir):
    return open(f"{data_dir}/nothing.npz")
"""


class OwnModule:
    """A module in a folder of its own."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        self.name = f"own_{uuid.uuid4().hex[:12]}"
        self.file = folder / f"{self.name}.py"
        self.file.write_text(text, "utf-8")

    def of(self, function: str) -> str:
        """`module:function`, as it is typed."""
        return f"{self.name}:{function}"

    def allowed(self, **options: str) -> dict[str, object]:
        """Options of a `RunSpec` that is made of these functions, which this process may run."""
        named = {option: self.of(function) for option, function in options.items()}
        allow(Code(option, named[option], str(self.folder)) for option in OPTIONS if option in named)
        return {**named, "code_dir": self.folder}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Callable[..., OwnModule]]:
    """Makes modules; they are forgotten afterwards."""
    made: list[OwnModule] = []

    def make(text: str = LOSSES) -> OwnModule:
        folder = tmp_path / "own"
        folder.mkdir(exist_ok=True)
        made.append(OwnModule(folder, text))
        return made[-1]

    path = list(sys.path)
    yield make
    sys.path[:] = path
    for module in made:
        sys.modules.pop(module.name, None)
