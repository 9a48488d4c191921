"""Of what another tool tells of steps, a table of epochs is made where it tells which epoch they are of."""

from __future__ import annotations

from math import isnan, nan
from pathlib import Path

import pytest

from tests.foreign_records.event_files import event_file, scalars
from tests.foreign_records.test_samples import LIGHTNING, RECORDS, TRANSFORMERS
from tui_trainer.records.told_epochs import ToldEpochs
from tui_trainer.run_sources.foreign_source import ForeignSource
from tui_trainer.run_sources.registry import open_source


def told(path: Path) -> tuple[ForeignSource, ToldEpochs]:
    source = open_source(path)
    assert isinstance(source, ForeignSource)
    source.read_all()
    epochs = ToldEpochs(source.history)
    epochs.look()
    return source, epochs


def test_each_epoch_has_what_was_told_last_in_it(tmp_path: Path) -> None:
    table = tmp_path / "metrics.csv"
    head = "step,epoch,train_loss_step,train_loss_epoch,val_loss,val_acc,lr,_timestamp\n"
    first = "1,0,0.9,,,,0.1,1700000001\n2,0,0.8,,,,0.1,1700000002\n2,0,,0.85,0.7,0.5,,1700000003\n"
    second = "3,1,0.4,,,,0.01,1700000011\n4,1,,0.5,nan,0.75,0.01,1700000014\n5,2,0.3,,,,0.01,1700000015\n"
    table.write_text(head + first)
    source, epochs = told(table)
    assert [epoch.epoch for epoch in epochs] == [0]
    assert epochs.best == 0
    with table.open("a") as file:
        file.write(second)
    source.read_all()
    epochs.look()
    assert [(each.epoch, each.train_loss, each.val_accuracy, each.lr) for each in epochs[:2]] == [
        (0, 0.85, 0.5, 0.1),
        (1, 0.5, 0.75, 0.01),
    ]
    assert (epochs[1].validated, isnan(epochs[1].val_loss)) == (True, True)
    assert (epochs[2].step, epochs[2].validated, str(epochs[-1].val_accuracy)) == (5, False, str(nan))
    assert epochs.best == 1
    with pytest.raises(IndexError):
        epochs[3]


def test_a_training_that_was_begun_again_tells_its_epochs_again(tmp_path: Path) -> None:
    table = tmp_path / "metrics.csv"
    table.write_text("step,epoch,loss\n" + "".join(f"{step},{step // 2},{step}\n" for step in range(8)))
    source, epochs = told(table)
    assert [epoch.epoch for epoch in epochs] == [0, 1, 2, 3]
    with table.open("a") as file:
        file.write("".join(f"{step},{step // 2},-{step}\n" for step in range(2, 6)))
    source.read_all()
    epochs.look()
    assert [(epoch.epoch, epoch.train_loss) for epoch in epochs] == [(0, 1), (1, -3), (2, -5)]


def test_where_no_epochs_are_known_there_are_none(tmp_path: Path) -> None:
    event_file(tmp_path, scalars("eval/loss", range(5)))
    _, epochs = told(tmp_path)
    assert not epochs
    assert epochs.best is None


def test_a_series_of_epochs_tells_them_as_well(tmp_path: Path) -> None:
    event_file(tmp_path, scalars("eval/loss", range(5)) + scalars("train/epoch", range(0, 5, 2)))
    _, epochs = told(tmp_path)
    assert [(epoch.epoch, epoch.val_loss) for epoch in epochs] == [(0, 0.5), (1, 1.5), (2, 2.0)]
    assert epochs.best == 0


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        (f"{LIGHTNING}/csv/version_0/metrics.csv", {0: 0.0851, 1: 0.0810, 2: 0.0806, 3: 0.0806}),
        (f"{LIGHTNING}/tb/version_0", {0: 0.0851, 1: 0.0810, 2: 0.0806, 3: 0.0806}),
        (f"{TRANSFORMERS}/trainer_state.json", {1: 4.4333, 2: 4.4280, 3: 4.4262}),
        (f"{TRANSFORMERS}/tb", {1: 4.4333, 2: 4.4280, 3: 4.4262}),
    ],
)
def test_epochs_of_the_tools_own_samples(record: str, wanted: dict[int, float]) -> None:
    if not RECORDS.is_dir():
        pytest.skip(f"{RECORDS} is not there; name a folder with TUI_TRAINER_TEST_RECORDS")
    _, epochs = told(RECORDS / record)
    assert {each.epoch: pytest.approx(each.val_loss, abs=1e-4) for each in epochs} == wanted
    assert epochs.best == len(wanted) - 1
