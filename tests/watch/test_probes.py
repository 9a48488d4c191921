"""What probes find out, asked in this process."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from tui_trainer.watching.injected._tui_trainer_observer.listeners import Listeners
from tui_trainer.watching.injected._tui_trainer_observer.probes.divisors import Divisors

Make = Callable[[Tensor, int], Tensor]


def divided(losses: Make, count: int = 20) -> list[tuple[int, float]]:
    """The places that are told, and the numbers, of so many losses that go backward from places 1 and 2."""
    told: list[tuple[int, float]] = []
    define = lambda kind, fact, site, values: told.append((site, values["by"]))  # noqa: E731
    observer = SimpleNamespace(listeners=Listeners(), writer=SimpleNamespace(define=define))
    Divisors(cast("Any", observer))
    weight = torch.nn.Parameter(torch.ones(3))
    for number in range(count):
        loss = losses((weight * (2 + number)).square().mean(), number)
        for before in observer.listeners.before_backward:
            before(loss)
        loss.backward()
        for after in observer.listeners.after_backward:
            after(loss, 1 + number % 2)
    assert (observer.listeners.before_backward, observer.listeners.after_backward) == ((), ()), "it listens no longer"
    return told


@pytest.mark.parametrize(
    ("losses", "by"),
    [
        (lambda loss, _: loss / 4, 4.0),
        (lambda loss, _: loss * (1 / 3), 3.0),
        (lambda loss, _: 0.125 * loss, 8.0),
        (lambda loss, _: loss / torch.tensor(2.0), 2.0),
        (lambda loss, _: loss.div(4), 4.0),
    ],
)
def test_what_a_loss_is_divided_by_is_told_once_of_each_place(losses: Make, by: float) -> None:
    assert divided(losses) == [(1, by), (2, by)]


@pytest.mark.parametrize(
    "losses",
    [
        lambda loss, _: loss,
        lambda loss, _: loss + 4,
        lambda loss, _: loss / 1.0,
        lambda loss, _: loss / 2.5,
        lambda loss, _: loss * 4,
        lambda loss, number: loss / (32 if number % 4 < 2 else 31),  # of the batch
        lambda loss, _: loss / loss.detach(),
        lambda loss, _: loss / torch.nn.Parameter(torch.tensor(4.0)),
        lambda loss, _: loss * torch.zeros(()),
        lambda loss, _: loss.square(),
    ],
)
def test_other_losses_are_not_told_of(losses: Make) -> None:
    assert divided(losses) == []
