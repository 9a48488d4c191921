"""`early_stopping` of `[training]`: when a run ends because validation gets no better."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from tui_trainer.presets.fields import Count, NotNegative, Table


class EarlyStopping(Table):
    """When to end a run before its last epoch. Names and counting are those of Lightning's EarlyStopping."""

    monitor: Literal["val_loss", "val_accuracy"] = "val_loss"
    """What it watches: the validation loss or the validation accuracy."""
    patience: Count = 3
    """After how many epochs in a row without getting better the run ends."""
    min_delta: NotNegative = 0.0
    """By more than how much an epoch must be better than the best one before to count as better."""
    mode: Literal["min", "max"] = "min"
    """`min`: smaller is better, as for a loss; `max`: larger is. Follows `monitor` where left out."""

    @model_validator(mode="before")
    @classmethod
    def _mode_follows_monitor(cls, data: Any) -> Any:
        if isinstance(data, dict) and "mode" not in data and data.get("monitor") == "val_accuracy":
            return data | {"mode": "max"}
        return data

    def __str__(self) -> str:
        return ", ".join(f"{key} = {value}" for key, value in self.model_dump().items())
