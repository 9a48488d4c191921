"""Whether the calls of a training loop came in an order that does what was meant; if not, what is wrong, in words.

Pure: it takes the calls as they really happened (`CallsMade`, the rows of `order.csv`) and the recipe, and knows
neither torch nor where the calls come from. `scheduler.step()`, with its brackets, is a step that was given nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from tui_trainer.events import CallsMade, ResolvedConfig
from tui_trainer.text.numbers import counted

Mistake: TypeAlias = Literal[
    "no backward",
    "no zero_grad",
    "zero_grad after backward",
    "no optimizer.step",
    "scheduler before optimizer",
    "once an epoch",
    "every batch",
    "before validate",
    "no metric",
    "no scheduler.step",
    "no scheduler",
]
"""What can be wrong with an order, worst first where several are."""

MISTAKES: tuple[Mistake, ...] = get_args(Mistake)
PLATEAU = "ReduceLROnPlateau"
STEP = "scheduler.step"
STEP_OF_NOTHING = "scheduler.step()"


@dataclass(frozen=True)
class OrderFinding:
    """One thing that is wrong with an order."""

    mistake: Mistake
    wrong: str
    """What happens, and what comes of it: a sentence without its full stop."""
    right: str
    """What would be right."""

    def __str__(self) -> str:
        return f"{self.wrong}. Right: {self.right}."


def check(recipe: ResolvedConfig, orders: Iterable[CallsMade], first_epoch: int = 1) -> list[OrderFinding]:
    """What is wrong with `orders`, each thing once; nothing for an order that does what the recipe means.

    Args:
        recipe: what the run follows.
        orders: batches and ends of epochs, in the order in which they came; those of a few are enough.
        first_epoch: where the run began to follow the recipe, if it followed another one before.
    """
    found: set[Mistake] = set()
    stepped, owed = False, False
    for order in orders:
        due = _due(recipe, order, first_epoch)
        steps = STEP in _named(order)
        stepped = stepped or (steps and not due)
        owed = owed or (due and not steps)
        found.update(_in_batch(order) if order.batch is not None else ())
        if steps:
            found.update(_of_scheduler(recipe, order, due=due))
    if owed and not stepped:
        found.add("no scheduler.step")
    return [_in_words(mistake, recipe) for mistake in MISTAKES if mistake in found]


def _named(order: CallsMade) -> list[str]:
    return [call.removesuffix("()") for call in order.calls]


def _in_batch(order: CallsMade) -> Iterator[Mistake]:
    """What is wrong with gradients and weights in a batch."""
    calls = order.calls
    if "backward" not in calls:
        yield "no backward"
    if "optimizer.step" not in calls:
        yield "no optimizer.step"
    if "zero_grad" not in calls:
        yield "no zero_grad"
    elif {"backward", "optimizer.step"} <= set(calls):
        between = calls[calls.index("backward") : calls.index("optimizer.step")]
        if "zero_grad" in between:
            yield "zero_grad after backward"


def _of_scheduler(recipe: ResolvedConfig, order: CallsMade, *, due: bool) -> Iterator[Mistake]:
    """What is wrong with a step of the scheduler that was made here."""
    calls = _named(order)
    if order.batch is not None:
        early = "optimizer.step" in calls and calls.index(STEP) < calls.index("optimizer.step")
        if early:
            yield "scheduler before optimizer"
        # At the head of batch 1 it may be the first line of the epoch: once an epoch all the same.
        if not due and (not early or order.batch > 1):
            yield "every batch" if recipe.interval else "no scheduler"
    elif not due:
        yield "once an epoch" if recipe.interval else "no scheduler"
    elif recipe.scheduler == PLATEAU:
        if STEP_OF_NOTHING in order.calls or "validate" not in calls:
            yield "no metric"
        elif calls.index(STEP) < calls.index("validate"):
            yield "before validate"


def _due(recipe: ResolvedConfig, order: CallsMade, first_epoch: int) -> bool:
    """Whether a step of the scheduler stands in this batch, or at this epoch's end; a warm-up steps every batch."""
    batches, warmup = recipe.batches_per_epoch or 0, recipe.warmup_batches
    epochs = order.epoch - first_epoch
    if order.batch is None:
        return recipe.interval == "epoch" and (batches == 1 or (epochs + 1) * batches >= warmup)
    step = epochs * batches + order.batch
    if step > warmup:
        return recipe.interval == "step"
    hands_over = step == warmup and order.batch == batches
    return not (recipe.interval == "epoch" and (batches == 1 or hands_over))


_WORDS: dict[Mistake, tuple[str, str]] = {
    "no backward": (
        "loss.backward() is never called: there are no gradients, and optimizer.step() has nothing to follow",
        "loss.backward() after the loss, before optimizer.step()",
    ),
    "no zero_grad": (
        (
            "zero_grad() is never called: backward() adds to the gradients that are there, so every step follows "
            "the sum of all batches so far"
        ),
        "optimizer.zero_grad() once a batch, before backward()",
    ),
    "zero_grad after backward": (
        (
            "zero_grad() comes between backward() and optimizer.step(): the gradients are thrown away before they "
            "are used, and the weights stay where they are"
        ),
        "optimizer.zero_grad() before backward(), or after optimizer.step()",
    ),
    "no optimizer.step": (
        "optimizer.step() is never called: gradients are computed, and no weight ever moves",
        "optimizer.step() after backward()",
    ),
    "scheduler before optimizer": (
        (
            "scheduler.step() is called before optimizer.step(): the first LR of the schedule is never used, and "
            "every other one comes a step early"
        ),
        "optimizer.step() first, then scheduler.step()",
    ),
    "once an epoch": (
        (
            "{name} is stepped once an epoch and counts batches: of its {steps:,} steps it makes {epochs:,}, and "
            "the LR hardly leaves its beginning"
        ),
        "{after_batch}",
    ),
    "every batch": (
        "{name} is stepped after every batch and counts epochs: the LR changes {times} as fast as was meant",
        "{after_epoch}",
    ),
    "before validate": (
        "{name} is stepped before validate(): the {metric} that it watches is that of the epoch before",
        "{metric} = validate(), then scheduler.step({metric})",
    ),
    "no metric": (
        "{name} is stepped without {metric}: it has nothing to watch, and PyTorch stops with a TypeError",
        "{metric} = validate(), then scheduler.step({metric})",
    ),
    "no scheduler.step": ("scheduler.step() is never called: the LR stays where {name} begins", "{where}"),
    "no scheduler": (
        "scheduler.step() is called where this preset asks for no scheduler: something else moves the LR",
        "no scheduler.step()",
    ),
}


def _in_words(mistake: Mistake, recipe: ResolvedConfig) -> OrderFinding:
    metric = recipe.monitor or "val_loss"
    after_batch = "scheduler.step() in the batch loop, after optimizer.step()"
    after_epoch = f"scheduler.step({metric if recipe.scheduler == PLATEAU else ''}) after the batch loop, once an epoch"
    facts: dict[str, object] = {
        "name": recipe.scheduler,
        "metric": metric,
        "steps": recipe.total_steps,
        "epochs": recipe.epochs,
        "times": counted(recipe.lengths.batches_per_epoch, "time"),
        "after_batch": after_batch,
        "after_epoch": after_epoch,
        "where": after_batch if recipe.interval == "step" else after_epoch,
    }
    wrong, right = _WORDS[mistake]
    return OrderFinding(mistake, wrong.format(**facts), right.format(**facts))
