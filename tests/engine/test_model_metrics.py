"""Norms of the network and the confusion matrix: what torch gives by hand, at next to no cost and without a trace."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tui_trainer.engine.distributed import ALONE
from tui_trainer.engine.model_metrics import DISTANCES, LEAST_APART, MOST_WRONG, NORMS, Confusion, Norms
from tui_trainer.events import AnyEvent, SettingChanged


def one() -> Tensor:
    return torch.ones(())


def vector(tensors: list[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors])


def test_the_norms_are_those_of_all_parameters_as_one_vector() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    norms = Norms(model, lambda _: None, lambda: torch.full((), 8.0))
    functional.cross_entropy(model(torch.randn(7, 5)), torch.randint(3, (7,))).backward()
    parameters = list(model.parameters())
    before = vector([parameter.detach().clone() for parameter in parameters])
    gradient = vector([parameter.grad for parameter in parameters if parameter.grad is not None]).norm() / 8
    found = norms.around(LEAST_APART, optimizer.step)
    moved = (vector([parameter.detach() for parameter in parameters]) - before).norm()
    assert found is not None
    assert dict(zip(NORMS, found, strict=True)).keys() == {"grad_norm", "weight_norm", "update_ratio"}
    assert torch.allclose(found, torch.stack([gradient, before.norm(), moved / before.norm()]))


@pytest.mark.never_says("setting.norms", "setting.look_takes", "setting.of_time", "setting.of_hosts_time")
def test_between_two_looks_the_optimizer_steps_alone() -> None:
    steps: list[int] = []
    norms = Norms(nn.Linear(2, 2), lambda _: None, one)
    for step in range(1, LEAST_APART):
        assert norms.around(step, lambda: steps.append(1)) is None
    assert len(steps) == LEAST_APART - 1


class OnCuda(nn.Parameter):
    """A parameter that says it lies on a GPU, where a look launches work and does not wait for it."""

    is_cuda = True


@pytest.mark.says("setting.norms", "setting.look_takes", "setting.of_*")
@pytest.mark.parametrize(("parameter", "whose"), [(nn.Parameter, "the"), (OnCuda, "the host's")])
def test_looks_that_cost_much_come_seldom_and_that_is_told(parameter: type[nn.Parameter], whose: str) -> None:
    told: list[AnyEvent] = []
    network = nn.Linear(64, 64)
    network.weight = parameter(network.weight.detach())
    norms = Norms(network, told.append, one)
    looked = []
    for step in range(1, 40_001):  # steps that do nothing: any look is dear
        if norms.around(step, lambda: None) is not None:
            looked.append(step)
    apart = [later - earlier for earlier, later in pairwise(looked)]
    assert apart == sorted(apart)
    assert apart[-1] > LEAST_APART
    assert all(step % LEAST_APART == 0 for step in looked)
    last = told[-1]
    assert isinstance(last, SettingChanged)
    assert last.setting == "norms of the network"
    assert any(last.new == f"every {steps} steps" for steps in DISTANCES)
    assert last.reason.endswith(f" of {whose} time")


def test_what_is_taken_for_what_is_counted() -> None:
    confusion = Confusion(3, torch.device("cpu"))
    outputs = functional.one_hot(torch.tensor([0, 1, 1, 2, 0]), 3).float()
    labels = torch.tensor([0, 1, 0, 2, 2])
    confusion.add(outputs[:2], labels[:2])
    confusion.add(outputs[2:], labels[2:])
    assert confusion.matrix(ALONE) == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]
    confusion.begin()
    assert confusion.matrix(ALONE) == [[0] * 3] * 3


def test_the_most_wrong_are_those_with_the_highest_loss_whatever_the_batches() -> None:
    torch.manual_seed(0)
    outputs, labels = torch.randn(200, 10) * 3, torch.randint(10, (200,))
    images = torch.arange(200.0).view(200, 1, 1, 1)
    losses = functional.cross_entropy(outputs, labels, reduction="none")
    wrong = outputs.argmax(1) != labels
    expected = sorted((i for i in range(200) if wrong[i]), key=lambda i: -float(losses[i]))[:MOST_WRONG]
    for size in (7, 64, 200):
        confusion = Confusion(10, torch.device("cpu"))
        for batch, label in zip(outputs.split(size), labels.split(size), strict=True):
            confusion.add(batch, label)
        found = confusion.most_wrong(3, images, labels, lambda chosen: chosen.to(torch.uint8))
        assert [image.index for image in found.images] == expected
        assert [image.label for image in found.images] == labels[expected].tolist()
        assert [image.taken_for for image in found.images] == outputs[expected].argmax(1).tolist()
        assert [found.pixels(place) for place in range(len(expected))] == [bytes([index]) for index in expected]
        assert found.epoch == 3


def test_images_that_are_right_are_not_among_the_wrong_ones() -> None:
    confusion = Confusion(2, torch.device("cpu"))
    confusion.add(torch.tensor([[0.1, 0.0], [0.0, 9.0]]), torch.tensor([0, 1]))
    images = torch.zeros(2, 1, 1, 1)
    assert confusion.most_wrong(1, images, torch.tensor([0, 1]), lambda chosen: chosen.to(torch.uint8)).images == []
