"""Which epoch of a run is its best: one rule, for the checkpoint, the screen, notices and all that is listed."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import Protocol


class Validated(Protocol):
    """An epoch that was validated."""

    @property
    def epoch(self) -> int:
        """Counted from 1."""

    @property
    def val_loss(self) -> float:
        """Mean over the images that validate; nan where it is not finite or not known."""

    @property
    def val_accuracy(self) -> float:
        """A fraction from 0 to 1."""


@dataclass(frozen=True)
class Best:
    """The best epoch so far, as a checkpoint has it."""

    epoch: int
    val_loss: float
    val_accuracy: float


def is_better(epoch: Validated, best: Validated | None) -> bool:
    """Whether `epoch` is better than the best one of the others, None where there is none.

    The best has the highest validation accuracy, of equals the lower finite loss, and of those the earlier is it.
    """
    return isfinite(epoch.val_accuracy) and (best is None or rank(epoch) > rank(best))


def rank(epoch: Validated) -> tuple[float, float, int]:
    """What is greater, the better an epoch is."""
    return epoch.val_accuracy, -epoch.val_loss if isfinite(epoch.val_loss) else -inf, -epoch.epoch
