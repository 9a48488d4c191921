"""Which epoch is the best: the same one for the checkpoint, the screen, notices and lists."""

from __future__ import annotations

from math import inf, nan
from pathlib import Path

import pytest

from tests.engine import tiny as t
from tests.engine.test_resume import older, stop_after
from tests.engine.tiny import TinyRun, tiny
from tests.scripted import epoch_ended
from tui_trainer.best import Best, is_better
from tui_trainer.engine import checkpoints
from tui_trainer.engine.checkpoints import BEST, LAST, LAST_BUT_ONE
from tui_trainer.events import Alert, CheckpointSaved, encode
from tui_trainer.records.alerts import AlertRules
from tui_trainer.records.history import History
from tui_trainer.records.summary import summarize

__all__ = ["tiny"]


@pytest.mark.parametrize(
    ("epoch", "best"),
    [
        (Best(2, 0.5, 0.9), Best(1, 0.4, 0.8)),
        (Best(2, 0.4, 0.9), Best(1, 0.5, 0.9)),
        (Best(2, 0.4, 0.9), Best(1, nan, 0.9)),
        (Best(2, 0.4, 0.9), Best(1, inf, 0.9)),
        (Best(1, 0.4, 0.9), Best(2, 0.4, 0.9)),
        (Best(1, nan, 0.9), Best(2, inf, 0.9)),
    ],
)
def test_accuracy_comes_first_then_the_lower_finite_loss_then_the_earlier_epoch(epoch: Best, best: Best) -> None:
    assert is_better(epoch, best)
    assert not is_better(best, epoch)
    assert not is_better(epoch, epoch)
    assert is_better(epoch, None)


def test_an_accuracy_that_is_no_number_is_never_the_best() -> None:
    assert not is_better(Best(1, 0.5, nan), None)
    assert not is_better(Best(2, 0.5, nan), Best(1, 0.5, 0.1))


EQUALS = [(0.5, 0.8), (0.6, 0.9), (0.4, 0.9), (0.4, 0.9), (0.3, 0.8)]
"""Loss and accuracy of each epoch: the best is the third, of three that are equally accurate."""


def validated(monkeypatch: pytest.MonkeyPatch, outcomes: list[tuple[float, float]]) -> None:
    coming = iter(outcomes)
    monkeypatch.setattr("tui_trainer.engine.trainer.validate", lambda *args: next(coming))


def epoch_of(file: Path) -> int:
    return int(checkpoints.load(file)["epoch"]) - 1


def test_of_equally_accurate_epochs_all_hold_the_same_one_for_the_best(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    validated(monkeypatch, EQUALS)
    ended = tiny.train(t.STEP, epochs=5)
    history, watch = History(), AlertRules()
    told: list[Alert] = []
    for event in tiny.events:
        history.apply(event)
        told += watch.take(event)
    assert history.best is not None
    assert history.best_checkpoint is not None
    assert (epoch_of(tiny.folder / BEST), history.best.epoch, history.best_checkpoint.epoch) == (3, 3, 3)
    assert [event.epoch for event in tiny.of(CheckpointSaved) if event.best] == [1, 2, 3]
    record = tmp_path / "20261121-214512-tiny-0000"
    record.mkdir()
    (record / "events.jsonl").write_bytes(b"".join(map(encode, [*tiny.events, ended])))
    summary = summarize(record)
    assert summary.best_val_accuracy == 0.9


def test_the_best_is_told_by_the_same_rule() -> None:
    epochs = [
        epoch_ended(number, val_loss=loss, val_accuracy=0.9, at=100.0 * number)
        for number, loss in enumerate((0.5, 0.6, 0.4, 0.4), 1)
    ]
    watch = AlertRules()
    assert [notice.text for epoch in epochs for notice in watch.take(epoch)] == [
        "a new best at epoch 3: val_accuracy 0.9000, before it 0.9000 at epoch 1"
    ]
    assert "epoch 3" in watch.best_in_words


@pytest.mark.parametrize("stopped_after", [1, 2, 3, 4])
def test_a_run_that_goes_on_keeps_to_the_rule(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch, stopped_after: int
) -> None:
    validated(monkeypatch, EQUALS)
    stop_after(tiny, stopped_after * t.BATCHES + 1)
    tiny.train(t.STEP, epochs=5)
    tiny.when.clear()
    tiny.train(t.STEP, epochs=5, resume=True)
    assert epoch_of(tiny.folder / BEST) == 3


def test_a_checkpoint_that_does_not_tell_the_loss_of_the_best_is_gone_on_from(
    tiny: TinyRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    validated(monkeypatch, [(0.5, 0.9), (0.3, 0.8), (0.4, 0.9), (0.2, 0.8)])
    stop_after(tiny, t.BATCHES + 1)
    tiny.train(t.STEP, epochs=4)
    tiny.when.clear()
    for name in (LAST, LAST_BUT_ONE):
        older(tiny.folder / name)
    tiny.train(t.STEP, epochs=4, resume=True)
    assert epoch_of(tiny.folder / BEST) == 3  # what is more is known of epoch 3
