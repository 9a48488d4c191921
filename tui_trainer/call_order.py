"""Whether the calls of a training loop came in an order that does what was meant; if not, what is wrong, in words.

Pure: it takes the calls as they really happened (`CallsMade`, the rows of `order.csv`) and the recipe, and knows
neither torch nor where the calls come from. `scheduler.step()`, with its brackets, is a step that was given nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from tui_trainer.events import CallsMade, ResolvedConfig
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted

Mistake: TypeAlias = Literal[
    "no_backward",
    "no_zero_grad",
    "zero_grad_after_backward",
    "no_optimizer_step",
    "scheduler_before_optimizer",
    "once_an_epoch",
    "every_batch",
    "before_validate",
    "no_metric",
    "no_scheduler_step",
    "no_scheduler",
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
            found.update(_of_scheduler(recipe, order, first_epoch, due=due))
    if owed and not stepped:
        found.add("no_scheduler_step")
    return [_in_words(mistake, recipe) for mistake in MISTAKES if mistake in found]


def _named(order: CallsMade) -> list[str]:
    return [call.removesuffix("()") for call in order.calls]


def _in_batch(order: CallsMade) -> Iterator[Mistake]:
    """What is wrong with gradients and weights in a batch."""
    calls = order.calls
    if "backward" not in calls:
        yield "no_backward"
    if "optimizer.step" not in calls:
        yield "no_optimizer_step"
    if "zero_grad" not in calls:
        yield "no_zero_grad"
    elif {"backward", "optimizer.step"} <= set(calls):
        between = calls[calls.index("backward") : calls.index("optimizer.step")]
        if "zero_grad" in between:
            yield "zero_grad_after_backward"


def _of_scheduler(recipe: ResolvedConfig, order: CallsMade, first_epoch: int, *, due: bool) -> Iterator[Mistake]:
    """What is wrong with a step of the scheduler that was made here."""
    calls = _named(order)
    if order.batch is not None:
        early = "optimizer.step" in calls and calls.index(STEP) < calls.index("optimizer.step")
        if early:
            yield "scheduler_before_optimizer"
        # At the head of batch 1 it may be the first line of the epoch: once an epoch all the same.
        if not due and (not early or order.batch > 1):
            yield from _in_a_batch(recipe)
    elif not due:
        warms_up = (order.epoch - first_epoch + 1) * (recipe.batches_per_epoch or 0) <= recipe.warmup_batches
        if recipe.interval is None and not warms_up:
            yield "no_scheduler"
        elif recipe.batches_per_epoch != 1:  # else an epoch's end is a batch's end
            yield "once_an_epoch"
    elif recipe.scheduler == PLATEAU:
        if STEP_OF_NOTHING in order.calls or "validate" not in calls:
            yield "no_metric"
        elif calls.index(STEP) < calls.index("validate"):
            yield "before_validate"


def _in_a_batch(recipe: ResolvedConfig) -> Iterator[Mistake]:
    """What is wrong with a step in a batch that belongs at an epoch's end, or nowhere."""
    if recipe.interval is None:
        yield "no_scheduler"
    elif recipe.batches_per_epoch != 1:
        yield "every_batch"
    elif recipe.scheduler == PLATEAU:
        yield "before_validate"


def _due(recipe: ResolvedConfig, order: CallsMade, first_epoch: int) -> bool:
    """Whether a step of the scheduler stands in this batch, or at this epoch's end; a warm-up steps every batch."""
    batches, warmup = recipe.batches_per_epoch or 0, recipe.warmup_batches
    if recipe.swa_lr is not None and recipe.swa_start is not None and order.epoch >= recipe.swa_start:
        return order.batch is None
    epochs = order.epoch - first_epoch
    if order.batch is None:
        return recipe.interval == "epoch" and (batches == 1 or (epochs + 1) * batches >= warmup)
    step = epochs * batches + order.batch
    if step > warmup:
        return recipe.interval == "step"
    hands_over = step == warmup and order.batch == batches
    return not (recipe.interval == "epoch" and (batches == 1 or hands_over))


def _in_words(mistake: Mistake, recipe: ResolvedConfig) -> OrderFinding:
    metric, lengths = recipe.monitor or "val_loss", recipe.lengths
    in_warmup = recipe.interval != "step"  # for what counts batches beside a scheduler of epochs, or of none
    after_batch = say("calls.after_batch")
    after_epoch = say("calls.after_epoch", metric=metric if recipe.scheduler == PLATEAU else "")
    match mistake:
        case "once_an_epoch":
            steps, epochs = lengths.total_steps, lengths.epochs
            if in_warmup:
                steps, epochs = recipe.warmup_batches, recipe.warmup_batches // lengths.batches_per_epoch
            name = say("calls.warmup") if in_warmup else recipe.scheduler
            facts, mend = {"name": name, "steps": f"{steps:,}", "epochs": f"{epochs:,}"}, {"where": after_batch}
        case "every_batch":
            facts = {"name": recipe.scheduler, "times": counted(lengths.batches_per_epoch, "time")}
            mend = {"where": after_epoch}
        case "before_validate" | "no_metric":
            facts, mend = {"name": recipe.scheduler, "metric": metric}, {"metric": metric}
        case "no_scheduler_step":
            facts = {"name": recipe.scheduler if recipe.interval else say("calls.warmup")}
            mend = {"where": after_epoch if recipe.interval == "epoch" else after_batch}
        case _:
            facts, mend = {}, {}
    return OrderFinding(mistake, say(f"calls.{mistake}", **facts), say(f"calls.{mistake}_mend", **mend))
