"""Whether a run is to end because validation gets no better: counted as Lightning's EarlyStopping counts."""

from __future__ import annotations

from math import inf
from typing import Any

from tui_trainer.presets.early_stopping import EarlyStopping
from tui_trainer.presets.schema import Training
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, format_metric


class Patience:
    """How long no epoch was better."""

    def __init__(self, config: EarlyStopping) -> None:
        self._config = config
        self._best = inf if config.mode == "min" else -inf
        self._best_epoch = 0
        self._bad_epochs = 0

    @classmethod
    def of(cls, training: Training) -> Patience | None:
        """What `[training]` asks for; None where the run goes on to its last epoch."""
        return cls(training.early_stopping) if training.early_stopping is not None else None

    def count(self, epoch: int, val_loss: float, val_accuracy: float) -> None:
        """An epoch was validated."""
        value = val_loss if self._config.monitor == "val_loss" else val_accuracy
        gained = self._best - value if self._config.mode == "min" else value - self._best
        if gained > self._config.min_delta:
            self._best, self._best_epoch, self._bad_epochs = value, epoch, 0
        else:
            self._bad_epochs += 1

    @property
    def is_at_its_end(self) -> bool:
        """Whether the run is to end."""
        return self._bad_epochs >= self._config.patience

    @property
    def reason(self) -> str:
        """Why it is to, in words."""
        delta = self._config.min_delta
        return say(
            "end.early",
            monitor=self._config.monitor,
            best=format_metric(self._best),
            by=say("end.early_by", delta=f"{delta:g}") if delta else "",
            epochs=counted(self._bad_epochs, "epoch"),
            epoch=self._best_epoch,
        )

    def state(self) -> list[Any]:
        """What it has counted, in primitives."""
        return [self._best, self._best_epoch, self._bad_epochs]

    def load(self, state: list[Any]) -> None:
        """Go on counting from there."""
        self._best, self._best_epoch, self._bad_epochs = state


def is_state(state: object) -> bool:
    """Whether it is what `Patience.state` gives, or None."""
    return state is None or (isinstance(state, list) and [type(part) for part in state] == [float, int, int])
