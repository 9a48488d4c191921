"""A run that ends because validation gets no better: counted as Lightning counts, and kept by a resume."""

from __future__ import annotations

import math

import pytest

from tests.engine.test_resume import numbers, stop_after
from tests.engine.tiny import BATCHES, TinyRun
from tests.records.streams import fold
from tui_trainer.engine.early_stopping import Patience
from tui_trainer.events import EpochEnded, EpochsChanged, RunEnded
from tui_trainer.presets.early_stopping import EarlyStopping
from tui_trainer.presets.schema import Training

STALE = '[optimizer]\nname = "SGD"\nlr = 0.01\n'
NEVER_BETTER = "early_stopping = {patience = 2, min_delta = 100}\n" + STALE
"""No epoch but the first is better by so much."""


def ends_at(values: list[float], **options: object) -> int | None:
    """The epoch after which it ends; None where that is the last one, or none."""
    patience = Patience.of(Training(early_stopping=EarlyStopping.model_validate(options)))
    assert patience is not None
    for epoch, value in enumerate(values, 1):
        patience.count(epoch, value, value)
        if patience.is_at_its_end:
            return epoch
    return None


def by_lightning(values: list[float], mode: str, patience: int, min_delta: float) -> int | None:
    """Its counting, written out: better is what is below the best less `min_delta`, or above it and that."""
    best, waited = (math.inf, 0) if mode == "min" else (-math.inf, 0)
    for epoch, value in enumerate(values, 1):
        if (value < best - min_delta) if mode == "min" else (value > best + min_delta):
            best, waited = value, 0
        else:
            waited += 1
            if waited >= patience:
                return epoch
    return None


@pytest.mark.parametrize(
    "values",
    [[3, 2, 1, 1, 1, 1], [1, 2, 3, 0.5, 4, 5, 6], [1, 0.95, 0.9, 0.85, 0.8], [0, 0, 0], [5], [2, 2.5, 1, 3, 0.5, 9, 9]],
)
@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize(("patience", "min_delta"), [(1, 0.0), (2, 0.0), (3, 0.0), (2, 0.0625), (1, 1.0)])
def test_it_ends_where_lightning_would_end_it(values: list[float], mode: str, patience: int, min_delta: float) -> None:
    monitor = "val_loss" if mode == "min" else "val_accuracy"
    found = ends_at([float(value) for value in values], monitor=monitor, patience=patience, min_delta=min_delta)
    assert found == by_lightning(values, mode, patience, min_delta)


@pytest.mark.says("end.early", "end.early_by")
def test_a_run_ends_early_as_a_finished_one_and_its_record_has_the_epochs_that_it_trained(tiny: TinyRun) -> None:
    ended = tiny.train(NEVER_BETTER, epochs=6)
    first = tiny.of(EpochEnded)[0]
    assert (ended.status, ended.exit_code, ended.step, ended.epoch) == ("finished", 0, 3 * BATCHES, 3)
    words = (
        f"stopped early: val_loss not better than {first.val_loss:.4f} by more than 100 for 2 epochs (best at epoch 1)"
    )
    assert ended.reason == words
    (changed,) = tiny.of(EpochsChanged)
    assert (changed.old, changed.recipe.epochs, changed.recipe.total_steps, changed.by) == (6, 3, 9, "early stopping")
    history = fold([*tiny.events, ended])
    assert (history.recipe.epochs, len(history.epochs)) == (3, 3)


@pytest.mark.never_says("end.early_by")
def test_where_any_better_value_counts_no_least_gain_is_told(captions_said: set[str]) -> None:
    patience = Patience(EarlyStopping(monitor="val_accuracy", mode="max", patience=1))
    patience.count(1, 1.0, 0.5)
    patience.count(2, 1.0, 0.25)
    assert patience.reason == "stopped early: val_accuracy not better than 0.5000 for 1 epoch (best at epoch 1)"
    assert "end.early_by" not in captions_said


@pytest.mark.never_says("end.early")
def test_with_patience_left_all_epochs_are_trained(tiny: TinyRun, captions_said: set[str]) -> None:
    """Be it used up by the last one."""
    assert tiny.train(NEVER_BETTER, epochs=3).reason == "all epochs done"
    assert tiny.train("early_stopping = {patience = 3}\n" + STALE, epochs=2).reason == "all epochs done"
    assert not tiny.of(EpochsChanged)
    assert "end.early" not in captions_said


@pytest.mark.parametrize("step", [1, BATCHES, BATCHES + 1, 2 * BATCHES, 3 * BATCHES - 1])
def test_a_resumed_run_ends_where_it_would_have_ended(tiny: TinyRun, step: int) -> None:
    whole = tiny.train(NEVER_BETTER, epochs=6)
    all_of_it = numbers(tiny)
    tiny.events.clear()
    stop_after(tiny, step)
    assert tiny.train(NEVER_BETTER, epochs=6).status == "stopped"
    tiny.when.clear()
    again = tiny.train(NEVER_BETTER, epochs=6, resume=True)
    assert isinstance(again, RunEnded)
    assert (again.status, again.reason, again.step) == (whole.status, whole.reason, whole.step)
    assert numbers(tiny)["losses"] == all_of_it["losses"]


def test_a_run_that_ended_early_trains_nothing_more_when_it_is_resumed(tiny: TinyRun) -> None:
    whole = tiny.train(NEVER_BETTER, epochs=6)
    tiny.events.clear()
    again = tiny.train(NEVER_BETTER, epochs=6, resume=True)
    assert (again.reason, again.step) == (whole.reason, whole.step)
    assert tiny.losses == []
