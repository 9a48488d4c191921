"""What a number is by the name that a program has for it: a loss or an accuracy, of validation or of training."""

from __future__ import annotations

import re
from math import isfinite
from typing import Literal, NamedTuple, TypeAlias

Measure: TypeAlias = Literal["loss", "accuracy", "lr", ""]
Of: TypeAlias = Literal["val", "train", ""]

HELD_OUT = frozenset({"val", "vali", "valid", "validation", "validate", "dev"})
"""Words for the data that a training is judged by; a test comes after it."""
VALIDATION = HELD_OUT | {"eval", "evaluation", "test", "testing"}
TRAINING = frozenset({"train", "training", "trn"})
ACCURACY = frozenset({"acc", "accuracy", "acc1", "top1", "prec1"})
LOSS = frozenset({"loss", "losses", "nll", "bce", "mse", "mae", "xent"})
OF_ALL = frozenset(
    {"epoch", "avg", "average", "mean", "total", "set", "running", "the", "of", "on", "final", "overall"}
)
"""Words that make no other number of it."""


class Meaning(NamedTuple):
    """What a name says."""

    measure: Measure
    of: Of
    plain: bool
    """Whether it says nothing else: `val_loss` does not, `val_loss/class_3` does."""


def words(called: str) -> list[str]:
    """The words of a name: `valLoss/class_3` has `val`, `loss`, `class` and `3`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", called)
    return re.findall(r"[a-z]+[0-9]*|[0-9]+", apart.lower())


def meaning(called: str) -> Meaning:
    """What a name says, as far as it says it."""
    said = words(called)
    rest = [word for word in said if word not in VALIDATION | TRAINING | OF_ALL]
    of: Of = "val" if VALIDATION.intersection(said) else "train" if TRAINING.intersection(said) else ""
    if "lr" in said or ("learning" in said and "rate" in said):
        return Meaning("lr", of, plain=True)
    if ACCURACY.intersection(rest):
        return Meaning("accuracy", of, plain=len(rest) == 1)
    if LOSS.intersection(rest):
        return Meaning("loss", of, plain=len(rest) == 1 and "loss" in rest[0])
    return Meaning("", of, plain=False)


class Shares:
    """Accuracies as shares: a program may tell them in percent."""

    def __init__(self) -> None:
        self._in_percent: set[str] = set()
        self._as_shares: set[str] = set()
        self.mistaken: dict[str, float] = {}
        """Those that were taken for shares and are percent, with the number that says so; until whoever asks took them
        out."""

    def share(self, called: str, value: float) -> float | None:
        """The accuracy as a share; None where it can be none."""
        if not isfinite(value) or not 0 <= value <= 100:
            return None
        if value > 1:
            self._in_percent.add(called)
            if called in self._as_shares:
                self._as_shares.discard(called)
                self.mistaken[called] = value
        if called in self._in_percent:
            return value / 100
        if value > 0:
            self._as_shares.add(called)
        return value
