"""What is wrong with the order of a watched program's calls, in words: what it is, why it matters, and the mend.

A record tells codes and values; what is wrong is a caption, `order.CODE` (`text/captions/order.py`). Codes that this
version does not know, of a later one's record, are shown as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple

from tui_trainer.text.captions import say
from tui_trainer.text.numbers import format_metric
from tui_trainer.text.plain import plain


class Mistake(NamedTuple):
    """Of one code."""

    why: str
    """What comes of it: a sentence."""
    mend: str
    """What would be right."""
    tried_as: str = ""
    """By which name *break it* has a case of it (`call_order.Mistake`); empty where it has none."""


class MistakeInWords(NamedTuple):
    """What is found to be wrong, for a person."""

    wrong: str
    why: str
    mend: str
    tried_as: str = ""


_LENGTH = (
    "make it for as many steps as are taken: epochs × len(loader), divided by the batches that make one step; or for "
    "as many epochs, and step it once an epoch"
)

MISTAKES: dict[str, Mistake] = {
    "no_zero_grad": Mistake(
        "backward() adds to the gradients that are there: every step follows the sum of all batches so far.",
        "optimizer.zero_grad() once a step, before backward()",
        "no zero_grad",
    ),
    "no_gradient": Mistake(
        "They stay as they began: the loss does not depend on them, or something cuts them off from it.",
        "look for detach(), no_grad() or a layer that forward() leaves out; else give the optimizer the others alone",
    ),
    "not_in_optimizer": Mistake(
        "They get gradients and are never moved: these layers stay as they began.",
        "give the optimizer model.parameters() once all layers are there; requires_grad_(False) where it is meant",
    ),
    "once_an_epoch": Mistake(
        "The LR hardly leaves the beginning of its curve.",
        "scheduler.step() within the loop over batches, after optimizer.step()",
        "once an epoch",
    ),
    "every_batch": Mistake(
        "The LR changes as many times as fast as was meant, and has come to its end within the first epochs.",
        "scheduler.step() after the loop over batches, once an epoch",
        "every batch",
    ),
    "every_micro_batch": Mistake(
        "The schedule counts steps of the optimizer: it comes to its end that many times too early.",
        "scheduler.step() where optimizer.step() is called, and nowhere else",
    ),
    "no_metric": Mistake(
        "It has nothing to watch: PyTorch stops with a TypeError.",
        "validate first, then scheduler.step(val_loss)",
        "no metric",
    ),
    "training_metric": Mistake(
        "A training loss may fall while that of the validation rises: the LR then comes down too late, or never.",
        "give it the loss of the validation: scheduler.step(val_loss)",
    ),
    "schedule_ends_early": Mistake(
        "Behind its end a schedule stays where it is, rises again or stops with an error: none of that was meant.",
        _LENGTH,
    ),
    "schedule_never_ends": Mistake(
        "The curve is cut off: the LR is still high in the last steps, in which it should be small.",
        _LENGTH,
    ),
    "scheduled_twice": Mistake(
        "Each takes what the other left for its own, and the LR follows neither.",
        "one of the two; or SequentialLR, for one after the other",
    ),
    "scheduler_not_loaded": Mistake(
        "The schedule begins anew: the LR is high, or warms up, where it had come down already.",
        "save scheduler.state_dict() too, and load it",
    ),
    "clip_before_unscale": Mistake(
        "The limit is held against gradients that many times too long: hardly anything is left of a step.",
        "scaler.unscale_(optimizer), then clip, then scaler.step(optimizer)",
    ),
    "no_scaler_update": Mistake(
        "The scale stays as it is: once a gradient overflows, step after step is skipped.",
        "scaler.update() once behind scaler.step()",
    ),
    "validation_in_train_mode": Mistake(
        "Dropout drops, and BatchNorm goes by the batch and learns from it: the figures are not those of the network "
        "as it will be used.",
        "model.eval() before the validation, model.train() behind it",
    ),
    "not_shuffled": Mistake(
        "Neighbours, often of one class, make a batch: each step leans to one side, in every epoch alike.",
        "DataLoader(…, shuffle=True), or a sampler that shuffles",
    ),
    "graph_kept": Mistake(
        "Memory grows with every step until there is none left.",
        "keep loss.item() or loss.detach(), not loss",
    ),
    "validation_with_gradients": Mistake(
        "A graph is built for every batch and thrown away: memory and time for nothing.",
        "with torch.no_grad(): around the validation, or torch.inference_mode()",
    ),
    "item_each_step": Mistake(
        "The CPU stands still until the GPU is through, and the GPU then waits for the CPU.",
        "add up on the GPU, and read it every some steps or once an epoch",
    ),
    "scheduler_before_optimizer": Mistake(
        "The first LR of the schedule is never used, and every other one comes a step early.",
        "optimizer.step() first, then scheduler.step()",
        "scheduler before optimizer",
    ),
}
"""By code; what harms most comes first."""


def mistake_in_words(code: str, values: Mapping[str, object]) -> MistakeInWords:
    """What is found to be wrong, with its values; of a code that is not known, its name and its values."""
    known = MISTAKES.get(code)
    if known is not None:
        try:
            wrong = say(f"order.{code}", **{name: _value(name, value) for name, value in values.items()})
        except (KeyError, TypeError):
            pass  # its values are others: of another version's record
        else:
            return MistakeInWords(wrong, *known)
    told = ", ".join(f"{plain(name)} {_value(name, value)}" for name, value in values.items())
    wrong = say("order.unknown", code=plain(code) or "(no name)")
    return MistakeInWords(wrong, f"It was told with: {told}." if told else "", "")


def how_bad(code: str) -> int:
    """What harms most has the lowest number; what is not known comes last."""
    return _PLACES.get(code, len(_PLACES))


_PLACES = {code: place for place, code in enumerate(MISTAKES)}
LONGEST = 60


def _value(name: str, value: object) -> str:
    """A value as a person writes it: by the end of its name, seconds or bytes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(name, value)
    text = plain(str(value))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _number(name: str, value: float) -> str:
    if name.endswith("_s"):
        return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.3g} ms"
    if name == "bytes":
        return f"{value / 1e9:.1f} GB" if value >= 1e9 else f"{value / 1e6:,.0f} MB"
    if isinstance(value, float) and not value.is_integer():
        return format_metric(value) if isfinite(value) else str(value)
    return f"{value:,.0f}"
