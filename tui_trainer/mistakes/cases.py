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

    title: str
    mistake: Mistake
    """As the check of orders names it."""
    call: str
    """The call that is wrong: too much, too early, missing."""
    wrong: Order
    right: Order
    optimizer: dict[str, Any]
    scheduler: dict[str, Any]
    """The tables of a preset."""
    happens: str
    """What becomes of the LR and the loss, and why."""
    look: str
    """How to see it in one's own code."""

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
_PRINT_LR = "print optimizer.param_groups[0]['lr'] after every batch of the first epoch"

CASES: tuple[MistakeCase, ...] = (
    MistakeCase(
        title="scheduler.step() before optimizer.step()",
        mistake="scheduler before optimizer",
        call="scheduler.step",
        wrong=Order((*LEARN[:-1], "scheduler.step", "optimizer.step")),
        right=EVERY_BATCH,
        optimizer=_SGD,
        scheduler=_ONE_CYCLE,
        happens=(
            "The whole curve moves one batch to the left. With hundreds of small steps that hardly shows in the loss, "
            "which is why it stays unseen for years; with a schedule of a few large steps it costs a whole one, as "
            "the next mistake shows."
        ),
        look="read PyTorch's warning; print the LR just before the first optimizer.step(): it must be the first one",
    ),
    MistakeCase(
        title="scheduler.step() as an epoch begins",
        mistake="scheduler before optimizer",
        call="scheduler.step",
        wrong=Order(LEARN, ("validate",), ("scheduler.step",)),
        right=ONCE_AN_EPOCH,
        optimizer=_GENTLE,
        scheduler=_STEP_LR,
        happens=(
            "So it stood in tutorials before PyTorch 1.1. The first epoch already counts as over, so every drop comes "
            "an epoch early, and the network learns at the high LR for one epoch instead of two."
        ),
        look="read PyTorch's warning; print the LR of each epoch: with step_size=2 the first two must be the same",
    ),
    MistakeCase(
        title="OneCycleLR stepped once an epoch",
        mistake="once an epoch",
        call="scheduler.step",
        wrong=ONCE_AN_EPOCH,
        right=EVERY_BATCH,
        optimizer=_SGD,
        scheduler=_ONE_CYCLE,
        happens=(
            "The LR begins at a 25th of max_lr and is to climb over the first third of all batches. Stepped once an "
            "epoch it takes five of those steps, never climbs, never anneals: the network learns, but slowly. No "
            "warning tells."
        ),
        look="print the LR after every epoch: it must pass max_lr and end near zero",
    ),
    MistakeCase(
        title="StepLR stepped after every batch",
        mistake="every batch",
        call="scheduler.step",
        wrong=EVERY_BATCH,
        right=ONCE_AN_EPOCH,
        optimizer=_GENTLE,
        scheduler=_STEP_LR,
        happens=(
            "step_size=2 now means two batches. After ten of them the LR is next to nothing, and the loss stands "
            "still where it is then. It looks like a network that has learned all it can."
        ),
        look=f"{_PRINT_LR}: within an epoch it must not change",
    ),
    MistakeCase(
        title="ReduceLROnPlateau without its metric",
        mistake="no metric",
        call="scheduler.step",
        wrong=Order(LEARN, ("validate", "scheduler.step()")),
        right=ONCE_AN_EPOCH,
        optimizer={"name": "Adam", "lr": 0.001},
        scheduler={"name": "ReduceLROnPlateau", "patience": 0, "factor": 0.5, "threshold": 0.1},
        happens=(
            "Every other scheduler is stepped with nothing; this one decides by a number, and wants it. So the first "
            "epoch trains as it should, and at its end the program stops."
        ),
        look="run one short epoch before a long training: errors at an epoch's end show after a minute, not a night",
    ),
    MistakeCase(
        title="optimizer.zero_grad() forgotten",
        mistake="no zero_grad",
        call="zero_grad",
        wrong=Order((*LEARN[1:], "scheduler.step")),
        right=EVERY_BATCH,
        optimizer=_SGD,
        scheduler=_ONE_CYCLE,
        happens=(
            "The LR is as planned; the gradient is not. It grows with every batch and points where batches long past "
            "pointed, so the steps are too long and go astray. The smaller the LR, the longer it goes unseen."
        ),
        look="print the norm of a weight's grad after backward(): from batch to batch it must not grow and grow",
    ),
    MistakeCase(
        title="zero_grad() after backward()",
        mistake="zero_grad after backward",
        call="zero_grad",
        wrong=Order(("forward", "loss", "backward", "zero_grad", "optimizer.step", "scheduler.step")),
        right=EVERY_BATCH,
        optimizer=_SGD,
        scheduler=_ONE_CYCLE,
        happens=(
            "The optimizer finds no gradients and leaves every weight alone. The LR goes up and down as planned and "
            "moves nothing: the loss stays at ln 10 = 2.3, a guess among ten digits. No warning tells."
        ),
        look="look at p.grad just before optimizer.step(): it must not be None; compare a weight before and after",
    ),
    MistakeCase(
        title="optimizer.step() forgotten",
        mistake="no optimizer.step",
        call="optimizer.step",
        wrong=Order((*LEARN[:-1], "scheduler.step")),
        right=EVERY_BATCH,
        optimizer=_SGD,
        scheduler=_ONE_CYCLE,
        happens=(
            "Gradients are computed and never used, and the loss stays at ln 10 = 2.3. PyTorch sees only that "
            "scheduler.step() came first, and its warning points at the order."
        ),
        look="compare a weight before and after a batch: it must have moved",
    ),
    MistakeCase(
        title="scheduler.step() forgotten",
        mistake="no scheduler.step",
        call="scheduler.step",
        wrong=Order(LEARN),
        right=ONCE_AN_EPOCH,
        optimizer={"name": "SGD", "lr": 0.2, "momentum": 0.9},
        scheduler=_COSINE,
        happens=(
            "The scheduler was built and is never asked: the LR stays as high as it begins. The network goes on "
            "jumping about where it should settle, and its last epochs gain nothing. No warning tells."
        ),
        look="print the LR after every epoch: it must have changed by the end",
    ),
)
