"""Whether the calls of a loop of ours do what its preset asks; if not, what happens and the mend: `call_order.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The order of calls of a run of ours"


def _mistake(code: str, wrong: str, mend: str, found: str, never: str) -> dict[str, Caption]:
    """What happens and what comes of it, and what would be right."""
    return {
        f"calls.{code}": Caption(wrong, found, never),
        f"calls.{code}_mend": Caption(mend, "what would be right, of the same", never),
    }


CAPTIONS = {
    **_mistake(
        "no_backward",
        "a batch goes without loss.backward(): it has no gradients, and optimizer.step() has nothing to follow",
        "loss.backward() after the loss, before optimizer.step()",
        "a batch was trained without backward()",
        "each batch has one",
    ),
    **_mistake(
        "no_zero_grad",
        "a batch goes without zero_grad(): backward() adds to the gradients that are there, so its step follows the "
        "sum of several batches",
        "optimizer.zero_grad() once a batch, before backward()",
        "a batch was trained without zero_grad()",
        "each batch has one, before backward() or at its end",
    ),
    **_mistake(
        "zero_grad_after_backward",
        "zero_grad() comes between backward() and optimizer.step(): the gradients are thrown away before they are "
        "used, and the weights stay where they are",
        "optimizer.zero_grad() before backward(), or after optimizer.step()",
        "zero_grad() was called between the two",
        "it was called before both, or after both",
    ),
    **_mistake(
        "no_optimizer_step",
        "a batch goes without optimizer.step(): gradients are computed, and no weight moves",
        "optimizer.step() after backward()",
        "a batch was trained without optimizer.step()",
        "each batch has one",
    ),
    **_mistake(
        "scheduler_before_optimizer",
        "scheduler.step() is called before optimizer.step(): the first LR of the schedule is never used, and every "
        "other one comes a step early",
        "optimizer.step() first, then scheduler.step()",
        "the scheduler was stepped first in a batch",
        "it was stepped after the optimizer",
    ),
    **_mistake(
        "once_an_epoch",
        "{name} is stepped once an epoch and counts batches: of its {steps} steps it makes {epochs}, and the LR "
        "hardly leaves its beginning",
        "{where}",
        "what steps after every batch, a scheduler or a warm-up, was stepped at an epoch's end",
        "it was stepped after each batch; an epoch is one batch",
    ),
    **_mistake(
        "every_batch",
        "{name} is stepped after every batch and counts epochs: the LR changes {times} as fast as was meant",
        "{where}",
        "a scheduler that steps once an epoch was stepped in a batch",
        "it was stepped at an epoch's end; an epoch is one batch; in a warm-up, which counts batches",
    ),
    **_mistake(
        "before_validate",
        "{name} is stepped before validate(): the {metric} that it watches is that of the epoch before",
        "{metric} = validate(), then scheduler.step({metric})",
        "ReduceLROnPlateau was stepped first at an epoch's end",
        "it was stepped after validate(); of another scheduler",
    ),
    **_mistake(
        "no_metric",
        "{name} is stepped without {metric}: it has nothing to watch, and PyTorch stops with a TypeError",
        "{metric} = validate(), then scheduler.step({metric})",
        "ReduceLROnPlateau was given nothing",
        "it was given its metric; of another scheduler",
    ),
    **_mistake(
        "no_scheduler_step",
        "scheduler.step() is never called: the LR stays where {name} begins",
        "{where}",
        "a step of the scheduler, or of a warm-up, was due, and none was made anywhere",
        "one was made; none was due yet",
    ),
    **_mistake(
        "no_scheduler",
        "scheduler.step() is called where this preset asks for no scheduler: something else moves the LR",
        "no scheduler.step()",
        "a scheduler was stepped where the preset has none, and no warm-up",
        "the preset has one; in its warm-up",
    ),
    "calls.warmup": Caption("the warm-up", "what is stepped wrongly is the ramp of a warm-up", "it is the scheduler"),
    "calls.after_batch": Caption(
        "scheduler.step() in the batch loop, after optimizer.step()",
        "where a step belongs that counts batches",
        "where it counts epochs",
    ),
    "calls.after_epoch": Caption(
        "scheduler.step({metric}) after the batch loop, once an epoch",
        "where a step belongs that counts epochs",
        "where it counts batches",
    ),
}
