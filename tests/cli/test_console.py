"""What a run without a screen says of its epochs."""

from __future__ import annotations

import io
import json
from math import inf, nan

import pytest

from tui_trainer.cli.console import JsonLines
from tui_trainer.events import EpochEnded
from tui_trainer.records.history import History


@pytest.mark.parametrize("number", [nan, inf])
def test_what_was_not_measured_or_not_finite_is_null_in_json(number: float) -> None:
    out = io.StringIO()
    ended = EpochEnded(
        at=1e9, epoch=1, step=3, train_loss=number, train_accuracy=0.5, val_loss=number, val_accuracy=nan, lr=0.1,
        images_per_second=1.0, elapsed=2.0, validated=False,
    )  # fmt: skip
    JsonLines(out).tell(ended, History())

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    row = json.loads(out.getvalue(), parse_constant=refuse)
    assert (row["train_loss"], row["val_loss"], row["val_accuracy"], row["train_accuracy"]) == (None, None, None, 0.5)
