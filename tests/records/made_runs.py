"""Runs made up by their curves: what a loss, an accuracy and an LR do, step by step and epoch by epoch."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from tests.scripted import START, float32, scripted_run
from tui_trainer.events import (
    AnyEvent,
    EpochEnded,
    PlanMade,
    PresetSwitched,
    ResolvedConfig,
    RunConfigured,
    StepsTaken,
)

CONFIGURED = next(event for event in scripted_run() if isinstance(event, RunConfigured))
GUESS = math.log(10)

Curve = Callable[[int], float]
"""A figure by step, or by epoch, counted from 1."""


def settled(low: float, high: float = GUESS, pace: float = 0.02) -> Curve:
    """Falls from `high` to `low` as training losses do."""
    return lambda step: low + (high - low) * math.exp(-pace * (step - 1))


@dataclass
class Made:
    """A run by its curves; `events` are what it tells."""

    loss: Curve
    """The training loss of a step."""
    val_loss: Curve | None = None
    """By epoch; None: as the training loss at its end."""
    accuracy: Curve = lambda epoch: 1 - 0.5 / epoch
    train_accuracy: Curve | None = None
    lr: Curve = lambda step: 0.1
    """By step, as it is used and as it is planned."""
    plan: Curve | None = None
    epochs: int = 10
    batches: int = 60
    val_images: int = 1000
    train_images: int = 4000
    classes: int = 10
    noise: float = 0.1
    seed: int = 0
    switch: int = 0
    """An epoch before which another preset is switched to, of the same name."""
    extra: dict[int, list[AnyEvent]] = field(default_factory=dict)
    """What else happens before an epoch."""

    def recipe(self) -> ResolvedConfig:
        total = self.epochs * self.batches
        changes = {"epochs": self.epochs, "batches_per_epoch": self.batches, "total_steps": total}
        return msgspec.structs.replace(CONFIGURED.recipe, **changes)

    def configured(self) -> RunConfigured:
        return msgspec.structs.replace(
            CONFIGURED,
            recipe=self.recipe(),
            classes=self.classes,
            dataset="another" if not self.classes else "mnist-5k",
            train_images=self.train_images,
            val_images=self.val_images,
        )

    def planned(self, first: int = 1) -> PlanMade:
        steps = list(range(first, self.epochs * self.batches + 1))
        plan = self.plan or self.lr
        return PlanMade(at=START, steps=steps, lrs=[plan(step) for step in steps], last_step=steps[-1])

    def events(self) -> Iterator[AnyEvent]:
        noise = random.Random(self.seed)
        yield self.configured()
        yield self.planned()
        for epoch in range(1, self.epochs + 1):
            first = (epoch - 1) * self.batches + 1
            yield from self.extra.get(epoch, [])
            if epoch == self.switch:
                yield PresetSwitched(at=START + first, step=first, epoch=epoch, old="none", recipe=self.recipe())
                yield self.planned(first)
            losses: list[float | None] = []
            for step in range(first, first + self.batches):
                loss = self.loss(step) * noise.uniform(1 - self.noise, 1 + self.noise)
                losses.append(float32(loss) if math.isfinite(loss) else None)
            steps = range(first, first + self.batches)
            yield StepsTaken(
                at=START + first,
                step=first,
                epoch=epoch,
                batch=1,
                losses=losses,
                lrs=[self.lr(step) for step in steps],
                elapsed=[step / 10 for step in steps],
            )
            last = first + self.batches - 1
            accuracy = min(1.0, self.accuracy(epoch))
            sound = [loss for loss in losses if loss is not None] or [math.nan]
            yield EpochEnded(
                at=START + last,
                epoch=epoch,
                step=last,
                train_loss=sum(sound) / len(sound),
                train_accuracy=min(1.0, (self.train_accuracy or self.accuracy)(epoch)),
                val_loss=(self.val_loss or (lambda epoch: self.loss(epoch * self.batches)))(epoch),
                val_accuracy=accuracy,
                lr=self.lr(last),
                images_per_second=1000.0,
                elapsed=last / 10,
            )


def chance(epoch: int) -> float:
    return 0.1


def cosine(epochs: int, batches: int = 60, high: float = 0.1) -> Curve:
    total = epochs * batches
    return lambda step: high * (1 + math.cos(math.pi * (step - 1) / total)) / 2


def restarts(cycle: int, batches: int = 60) -> Curve:
    return lambda step: 0.1 * (1 + math.cos(math.pi * ((step - 1) % (cycle * batches)) / (cycle * batches))) / 2
