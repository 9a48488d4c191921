"""The training loop of a recipe as a short listing: which line stands for which call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from tui_trainer.events import CallsMade, ResolvedConfig

if TYPE_CHECKING:
    from tui_trainer.run_spec import RunSpec

LinePlace: TypeAlias = Literal["epochs", "batches", "batch", "epoch"]
"""The two `for` lines; a call within a batch; a call at an epoch's end."""

CODE = {
    "zero_grad": "optimizer.zero_grad()",
    "forward": "out = model(images)",
    "loss": "loss = loss_fn(out, labels)",
    "backward": "loss.backward()",
    "optimizer.step": "optimizer.step()",
    "scheduler.step": "scheduler.step()",
}
_SHORT = {"optimizer.step": "opt.step", "scheduler.step": "sched.step"}
_SHORTER = _SHORT | {"zero_grad": "zero", "validate": "val"}
_SHORTEST = _SHORTER | {"forward": "fwd", "backward": "back", "optimizer.step": "opt", "scheduler.step": "sched"}
SHORTER_AND_SHORTER: tuple[dict[str, str], ...] = ({}, _SHORT, _SHORTER, _SHORTEST)
"""What calls are named where the loop stands in one line."""

MEANING = {
    "zero_grad": "Clear the gradients of the previous batch: backward() adds to them.",
    "forward": "The network guesses: for every image, a score for each class.",
    "loss": "How wrong the guesses are, as one number: the mean over the batch.",
    "backward": "Compute the gradients: for every weight, how steeply the loss rises with it.",
    "optimizer.step": "Move every weight against its gradient; the LR sets how far.",
    "scheduler.step": "Set the LR for what comes next.",
    "validate": "Measure on images that are never trained on; no weight changes.",
}
"""What a call is for, for who follows it by eye."""

IN_BATCH = ("zero_grad", "forward", "loss", "backward", "optimizer.step")


@dataclass(frozen=True)
class LoopLine:
    """A line of the listing."""

    code: str
    call: str
    """As the record names it; `data` for the line that fetches batches, empty where nothing is called."""
    place: LinePlace
    expected: bool = True
    """False for a call that happened where this recipe's loop has none."""

    @property
    def indent(self) -> int:
        """Levels, two cells each."""
        return {"epochs": 0, "batches": 1, "batch": 2, "epoch": 1}[self.place]


class Loop:
    """The listing for a recipe, with a line more for every call seen in a place where it has none.

    Args:
        recipe: what is followed.
        orders: the latest orders of calls, newest last.
    """

    def __init__(self, recipe: ResolvedConfig, orders: Iterable[CallsMade] = ()) -> None:
        batch, epoch = _within_batch(recipe), _at_epoch_end(recipe)
        newest: CallsMade | None = None
        for order in orders:
            if order.batch is None:
                epoch += _unexpected(order.calls, epoch, "epoch")
            else:
                batch += _unexpected(order.calls, batch, "batch")
                newest = order
        self.place_of: dict[str, LinePlace] = {"data": "batches"}
        """Where each call is made now; of two places within the batch, if that is where it was made last."""
        self.place_of.update((line.call, line.place) for line in epoch)
        self.place_of.update(
            (line.call, line.place)
            for line in batch
            if line.call not in self.place_of or newest is None or line.call in newest.calls
        )
        self.lines = [
            LoopLine(f"for epoch in range({recipe.epochs}):", "", "epochs"),
            LoopLine("for images, labels in train:", "data", "batches"),
            *batch,
            *epoch,
        ]


def asked_recipe(spec: RunSpec) -> ResolvedConfig:
    """What a run will follow, by what it was asked to be, as long as it has not said so itself."""
    preset = spec.preset
    return ResolvedConfig(
        preset=spec.preset_name,
        title=preset.title,
        optimizer=preset.optimizer.name,
        scheduler=preset.scheduler.name,
        interval=preset.scheduler.interval,
        monitor=preset.scheduler.monitor,
        warmup_epochs=preset.warmup_epochs,
        epochs=preset.training.epochs,
        batch_size=preset.training.batch_size,
        batches_per_epoch=spec.batches_per_epoch,
        total_steps=preset.training.epochs * spec.batches_per_epoch,
    )


def _within_batch(recipe: ResolvedConfig) -> list[LoopLine]:
    lines = [LoopLine(CODE[call], call, "batch") for call in IN_BATCH]
    if recipe.interval == "step" or recipe.warmup_epochs:
        lines.append(LoopLine(CODE["scheduler.step"], "scheduler.step", "batch"))
    return lines


def _at_epoch_end(recipe: ResolvedConfig) -> list[LoopLine]:
    metric = recipe.monitor or "val_loss"
    lines = [LoopLine(f"{metric} = validate()", "validate", "epoch")]
    if recipe.interval == "epoch":
        lines.append(LoopLine(f"scheduler.step({recipe.monitor or ''})", "scheduler.step", "epoch"))
    return lines


def _unexpected(calls: Sequence[str], lines: Sequence[LoopLine], place: LinePlace) -> list[LoopLine]:
    known = {line.call for line in lines}
    return [
        LoopLine(CODE.get(call, call), call, place, expected=False)
        for call in dict.fromkeys(calls)
        if call not in known
    ]
