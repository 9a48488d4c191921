"""What is wrong with the order of a watched program's calls, in words: what it is, why it matters, and the mend.

A record tells codes and values; the words are captions, `order.CODE`, `order.CODE_why` and `order.CODE_mend`. Codes
that this version does not know, of a later one's record, are shown as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple

from tui_trainer.text.captions import say
from tui_trainer.text.numbers import format_metric
from tui_trainer.text.plain import plain


class MistakeInWords(NamedTuple):
    """What is found to be wrong, for a person."""

    wrong: str
    why: str
    """What comes of it: a sentence."""
    mend: str
    """What would be right."""
    tried_as: str = ""
    """By which name *break it* has a case of it; empty where it has none."""


MISTAKES: dict[str, str] = {
    "no_zero_grad": "no_zero_grad",
    "no_gradient": "",
    "not_in_optimizer": "",
    "once_an_epoch": "once_an_epoch",
    "every_batch": "every_batch",
    "every_micro_batch": "",
    "no_metric": "no_metric",
    "training_metric": "",
    "schedule_ends_early": "",
    "schedule_never_ends": "",
    "scheduled_twice": "",
    "scheduler_not_loaded": "",
    "clip_before_unscale": "",
    "clip_before_backward": "",
    "no_scaler_update": "",
    "validation_in_train_mode": "",
    "not_shuffled": "",
    "graph_kept": "",
    "validation_with_gradients": "",
    "item_each_step": "",
    "scheduler_before_optimizer": "scheduler_before_optimizer",
    "steps_not_seen": "",
    "steps_not_counted": "",
}
"""By code, what harms most first: by which name *break it* has a case of it (`call_order.Mistake`); empty where it has
none."""


def mistake_in_words(code: str, values: Mapping[str, object]) -> MistakeInWords:
    """What is found to be wrong, with its values; of a code that is not known, its name and its values."""
    if code in MISTAKES:
        try:
            wrong = say(f"order.{code}", **{name: _value(name, value) for name, value in values.items()})
        except (KeyError, TypeError):
            pass  # its values are others: of another version's record
        else:
            return MistakeInWords(wrong, say(f"order.{code}_why"), say(f"order.{code}_mend"), MISTAKES[code])
    told = ", ".join(f"{plain(name)} {_value(name, value)}" for name, value in values.items())
    wrong = say("order.unknown", code=plain(code) or "(no name)")
    return MistakeInWords(wrong, say("order.told_with", values=told) if told else "", "")


def how_bad(code: str) -> int:
    """What harms most has the lowest number; what is not known comes last."""
    return _PLACES.get(code, len(_PLACES))


_PLACES = {code: place for place, code in enumerate(MISTAKES)}
LONGEST = 60


def _value(name: str, value: object) -> str:
    """A value as a person writes it: by the end of its name, seconds."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(name, value)
    text = plain(str(value))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _number(name: str, value: float) -> str:
    if name.endswith("_s"):
        return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.3g} ms"
    if isinstance(value, float) and not value.is_integer():
        return format_metric(value) if isfinite(value) else str(value)
    return f"{value:,.0f}"
