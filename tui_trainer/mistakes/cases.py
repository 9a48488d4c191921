"""Mistakes that people make with the order of calls, as data: the wrong order, the right one, and what comes of it.

No torch here: the screen lists these before anything is loaded. `tui_trainer.mistakes.runner` trains them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tui_trainer.call_order import Mistake
from tui_trainer.events import CallsMade
from tui_trainer.presets.schema import Preset
from tui_trainer.run_spec import RunSpec
from tui_trainer.text.captions import say

EPOCHS = 5
BATCH_SIZE = 64
DATASET, MODEL = "mnist-5k", "mlp"


@dataclass(frozen=True)
class Order:
    """The calls of a loop, by where they stand, in the words of `events.CALLS`.

    `scheduler.step()` is a step that is given nothing; `scheduler.step` is given what its scheduler wants.
    """

    batch: tuple[str, ...]
    epoch: tuple[str, ...] = ("validate",)
    """At an epoch's end."""
    begin: tuple[str, ...] = ()
    """As an epoch begins, before its first batch."""

    def calls_of(self, epoch: int) -> list[CallsMade]:
        """The calls of an epoch, as a record has them: two batches and the end."""
        parts = ((1, self.begin + self.batch), (2, self.batch), (None, self.epoch))
        return [CallsMade(at=0.0, step=0, epoch=epoch, batch=batch, calls=list(calls)) for batch, calls in parts]


LEARN = ("zero_grad", "forward", "loss", "backward", "optimizer.step")
EVERY_BATCH = Order((*LEARN, "scheduler.step"))
ONCE_AN_EPOCH = Order(LEARN, ("validate", "scheduler.step"))


@dataclass(frozen=True)
class MistakeCase:
    """A mistake to try."""

    id: str
    """What the ids of its captions end with."""
    mistake: Mistake
    """As the check of orders names it."""
    call: str
    """The call that is wrong: too much, too early, missing."""
    wrong: Order
    right: Order
    optimizer: dict[str, Any]
    scheduler: dict[str, Any]
    """The tables of a preset."""

    @property
    def title(self) -> str:
        """Its name: what is wrong, in a few words."""
        return say(f"mistake.{self.id}_title")

    @property
    def happens(self) -> str:
        """What becomes of the LR and the loss, and why."""
        return say(f"mistake.{self.id}")

    @property
    def look(self) -> str:
        """How to see it in one's own code."""
        return say(f"mistake.{self.id}_look")

    @property
    def spec(self) -> RunSpec:
        """What both sides train: a small network, one thread, a few epochs."""
        tables = {"title": self.title, "optimizer": self.optimizer, "scheduler": self.scheduler}
        preset = Preset.model_validate(tables | {"training": {"epochs": EPOCHS, "batch_size": BATCH_SIZE}})
        return RunSpec.of(self.title, preset, dataset=DATASET, model=MODEL, device="cpu", threads=1)


_SGD = {"name": "SGD", "lr": 0.1, "momentum": 0.9}
_ONE_CYCLE = {"name": "OneCycleLR", "max_lr": 0.05}
_GENTLE = {"name": "SGD", "lr": 0.01, "momentum": 0.9}
_STEP_LR = {"name": "StepLR", "step_size": 2, "gamma": 0.1}
_COSINE = {"name": "CosineAnnealingLR"}

CASES: tuple[MistakeCase, ...] = (
    MistakeCase(
        id="before_optimizer",
        mistake="scheduler_before_optimizer",
        call="scheduler.step",
        wrong=Order((*LEARN[:-1], "scheduler.step", "optimizer.step")),
        right=EVERY_BATCH,
        optimizer=_SGD,
        scheduler=_ONE_CYCLE,
    ),
    MistakeCase(
        id="as_epoch_begins",
        mistake="scheduler_before_optimizer",
        call="scheduler.step",
        wrong=Order(LEARN, ("validate",), ("scheduler.step",)),
        right=ONCE_AN_EPOCH,
        optimizer=_GENTLE,
        scheduler=_STEP_LR,
    ),
    MistakeCase(
        id="once_an_epoch",
        mistake="once_an_epoch",
        call="scheduler.step",
        wrong=ONCE_AN_EPOCH,
        right=EVERY_BATCH,
        optimizer=_SGD,
        scheduler=_ONE_CYCLE,
    ),
    MistakeCase(
        id="every_batch",
        mistake="every_batch",
        call="scheduler.step",
        wrong=EVERY_BATCH,
        right=ONCE_AN_EPOCH,
        optimizer=_GENTLE,
        scheduler=_STEP_LR,
    ),
    MistakeCase(
        id="no_metric",
        mistake="no_metric",
        call="scheduler.step",
        wrong=Order(LEARN, ("validate", "scheduler.step()")),
        right=ONCE_AN_EPOCH,
        optimizer={"name": "Adam", "lr": 0.001},
        scheduler={"name": "ReduceLROnPlateau", "patience": 0, "factor": 0.5, "threshold": 0.1},
    ),
    MistakeCase(
        id="no_zero_grad",
        mistake="no_zero_grad",
        call="zero_grad",
        wrong=Order((*LEARN[1:], "scheduler.step")),
        right=EVERY_BATCH,
        optimizer=_SGD,
        scheduler=_ONE_CYCLE,
    ),
    MistakeCase(
        id="late_zero_grad",
        mistake="zero_grad_after_backward",
        call="zero_grad",
        wrong=Order(("forward", "loss", "backward", "zero_grad", "optimizer.step", "scheduler.step")),
        right=EVERY_BATCH,
        optimizer=_SGD,
        scheduler=_ONE_CYCLE,
    ),
    MistakeCase(
        id="no_optimizer_step",
        mistake="no_optimizer_step",
        call="optimizer.step",
        wrong=Order((*LEARN[:-1], "scheduler.step")),
        right=EVERY_BATCH,
        optimizer=_SGD,
        scheduler=_ONE_CYCLE,
    ),
    MistakeCase(
        id="no_scheduler_step",
        mistake="no_scheduler_step",
        call="scheduler.step",
        wrong=Order(LEARN),
        right=ONCE_AN_EPOCH,
        optimizer={"name": "SGD", "lr": 0.2, "momentum": 0.9},
        scheduler=_COSINE,
    ),
)
