"""The training loop of a recipe as a short listing: which line stands for which call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tui_trainer.events import CallsMade, Recipe

Place: TypeAlias = Literal["epochs", "batches", "batch", "epoch"]
"""The two `for` lines; a call within a batch; a call at an epoch's end."""

CODE = {
    "zero_grad": "optimizer.zero_grad()",
    "forward": "out = model(images)",
    "loss": "loss = loss_fn(out, labels)",
    "backward": "loss.backward()",
    "optimizer.step": "optimizer.step()",
    "scheduler.step": "scheduler.step()",
    "validate": "val_loss = validate()",
}
SHORT = {"optimizer.step": "opt.step", "scheduler.step": "sched.step"}

IN_BATCH = ("zero_grad", "forward", "loss", "backward", "optimizer.step")


@dataclass(frozen=True)
class LoopLine:
    """A line of the listing."""

    code: str
    call: str
    """As the record names it; `data` for the line that fetches batches, empty where nothing is called."""
    place: Place
    expected: bool = True
    """False for a call that happened where this recipe's loop has none."""

    @property
    def indent(self) -> int:
        """Levels, two cells each."""
        return {"epochs": 0, "batches": 1, "batch": 2, "epoch": 1}[self.place]


def loop_lines(recipe: Recipe, orders: Iterable[CallsMade]) -> list[LoopLine]:
    """The listing for a recipe, with a line more for every call seen in a place where it has none."""
    batch = [LoopLine(CODE[call], call, "batch") for call in IN_BATCH]
    epoch = [LoopLine(CODE["validate"], "validate", "epoch")]
    if recipe.monitor == "val_accuracy":
        epoch = [LoopLine("val_accuracy = validate()", "validate", "epoch")]
    if recipe.interval == "step" or (recipe.interval is not None and recipe.warmup_epochs):
        batch.append(LoopLine(CODE["scheduler.step"], "scheduler.step", "batch"))
    if recipe.interval == "epoch":
        epoch.append(LoopLine(f"scheduler.step({recipe.monitor or ''})", "scheduler.step", "epoch"))
    for order in orders:
        lines, place = (epoch, "epoch") if order.batch is None else (batch, "batch")
        known = {line.call for line in lines}
        for call in order.calls:
            if call not in known:
                known.add(call)
                lines.append(LoopLine(CODE.get(call, call), call, "batch" if place == "batch" else "epoch", False))
    return [
        LoopLine(f"for epoch in range({recipe.epochs}):", "", "epochs"),
        LoopLine("for images, labels in train:", "data", "batches"),
        *batch,
        *epoch,
    ]


def place_of_call(call: str, orders: Iterable[CallsMade]) -> Place:
    """Where a call is made now: within the batch or at the epoch's end, as the latest orders have it."""
    newest_first = list(orders)[::-1]
    for order in newest_first:
        if order.batch is not None:
            if call in order.calls:
                return "batch"
            break
    if any(call in order.calls for order in newest_first if order.batch is None):
        return "epoch"
    return "epoch" if call == "validate" else "batch"
