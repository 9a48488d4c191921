"""Records that the tools themselves have written, each number compared with what was told to them.

`TUI_TRAINER_TEST_RECORDS` names their folder; a README there says what each is.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections import defaultdict
from collections.abc import Callable
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest

from tests.foreign_records.followed import Followed, Numbers, same
from tui_trainer.foreign_records import forms
from tui_trainer.foreign_records.csv_table import Csv
from tui_trainer.foreign_records.database import DatabaseKind
from tui_trainer.foreign_records.mlflow import MLflowDatabaseReader, MLflowFolder
from tui_trainer.foreign_records.tensorboard import TensorBoard
from tui_trainer.foreign_records.trackio import TrackioReader
from tui_trainer.foreign_records.trainer_folder import Trainer
from tui_trainer.foreign_records.wandb_file import Wandb

RECORDS = Path(os.environ.get("TUI_TRAINER_TEST_RECORDS", "../shared/records"))

TORCH = "tb-torch2.15.0-tensorboard2.21.0"
KERAS = "keras3.15.1-tf2.21.0"
LIGHTNING = "lightning-2.6.6"
TRANSFORMERS = "transformers-5.24.0"


@pytest.fixture
def records() -> Path:
    if not RECORDS.is_dir():
        pytest.skip(f"{RECORDS} is not there; name a folder with TUI_TRAINER_TEST_RECORDS")
    return RECORDS


def expected(table: Path, named: Callable[[str, str], str] = lambda tag, _: tag) -> dict[str, Numbers]:
    """A table of what was told: a row a number."""
    found: dict[str, Numbers] = defaultdict(dict)
    with table.open() as file:
        for row in csv.reader(file):
            if row[1].isdecimal():
                found[row[0]][int(row[1])] = float(row[-1])
    return dict(found)


def single(numbers: dict[str, Numbers]) -> dict[str, Numbers]:
    """In single precision."""
    return {name: {step: float(np.float32(each)) for step, each in of.items()} for name, of in numbers.items()}


def test_tensorboard_of_torch(records: Path) -> None:
    told = Followed(TensorBoard(), records / TORCH / "all_kinds").all_numbers
    double = told["double"]
    wanted = expected(records / TORCH / "all_kinds.expected.csv")
    assert same({name: told[name] for name in wanted}, single(wanted) | {"double": double})
    assert double == {6: 0.1}
    assert told.keys() - wanted.keys() == {"multi_a/multi", "multi_b/multi", "hp/hparam/acc"} - wanted.keys()


@pytest.mark.parametrize("kind", ["restart_purge", "restart_nopurge", "two_writers", "torn", "badcrc"])
def test_tensorboard_in_trouble(kind: str, records: Path) -> None:
    told = Followed(TensorBoard(), records / TORCH / kind)
    counts = {name: (len(each), sum(each.values())) for name, each in told.all_numbers.items()}
    if kind.startswith("restart"):
        assert counts == {"loss": (120, 180.0)}
        assert told.all_numbers == single(expected(records / TORCH / "restart_purge.expected.csv"))
        assert len(told.history.series["loss"].attempts) == 1
    elif kind == "two_writers":
        assert {name: count for name, (count, _) in counts.items()} == {"train/loss": 50, "eval/loss": 50}
    else:
        assert counts["loss"][0] == 99
    assert len(told.flaws) == (kind == "badcrc")


def test_tensorboardx(records: Path) -> None:
    folder = records / "tb-tensorboardX2.6.5"
    assert Followed(TensorBoard(), folder / "run").all_numbers == single(expected(folder / "run.expected.csv"))


def test_keras_both_ways(records: Path) -> None:
    wanted = expected(records / KERAS / "history.expected.csv")
    assert Followed(Csv(), records / KERAS / "csvlogger.csv").all_numbers == wanted
    board = Followed(TensorBoard(), records / KERAS / "tensorboard")
    for name, numbers in single(wanted).items():
        part = "validation" if name.startswith("val_") else "train"
        told = board.numbers(f"{part}/epoch_{name.removeprefix('val_')}")
        assert {board.history.epoch_at(step): value for step, value in told.items()} == numbers
        assert [*told] == [7, 14, 21, 28]  # the last batches of its epochs
    losses = Followed(TensorBoard(), records / KERAS / "tf2_summary").numbers("loss")
    assert losses == {step: float(np.float32(1 / (1 + step))) for step in range(50)}


def test_lightning_both_ways(records: Path) -> None:
    table = Followed(Csv(), records / LIGHTNING / "csv" / "version_0" / "metrics.csv").all_numbers
    board = Followed(TensorBoard(), records / LIGHTNING / "tb").all_numbers
    assert single(table) == {name: board[name] for name in table}
    assert board.keys() - table.keys() == {"epoch", "hp_metric"}


def test_wandb(records: Path) -> None:
    (path,) = (records / "wandb-0.31.0").glob("*.wandb")
    followed = Followed(Wandb(), path)
    wanted: dict[str, Numbers] = defaultdict(dict)
    with (path.parent / "expected.csv").open() as file:
        for row in csv.DictReader(file):
            for name, cell in row.items():
                if name != "_step" and cell:
                    wanted[name][int(row["_step"])] = float(cell)
    assert same(followed.all_numbers, wanted | {"bad": {30: nan}, "inf": {30: -inf}})
    assert followed.history.status == "finished"


def test_mlflow_both_ways_and_trackio(records: Path) -> None:
    (run,) = (each.path for each in forms.records_in(records / "mlflow-3.17.2" / "mlruns"))
    folder = Followed(MLflowFolder(), run)
    database = Followed(DatabaseKind(MLflowDatabaseReader), records / "mlflow-3.17.2" / "mlflow.db")
    assert same(folder.all_numbers, database.all_numbers)
    assert folder.numbers("train/loss") == {step: 1 / (1 + step) for step in range(60)}
    assert str(folder.numbers("bad")) == "{0: nan, 1: inf}"
    assert folder.history.status == database.history.status == "finished"
    trackio = Followed(DatabaseKind(TrackioReader), records / "trackio-0.43.0" / "p.db").all_numbers
    assert trackio["train/loss"] == {step: 1 / (1 + step) for step in range(100)}
    assert not [*(records / "trackio-0.43.0").glob("*-*m*")]


def test_transformers_both_ways(records: Path) -> None:
    state = Followed(Trainer(), records / TRANSFORMERS / "trainer_state.json").all_numbers
    board = Followed(TensorBoard(), records / TRANSFORMERS / "tb").all_numbers
    for name, numbers in single(state).items():
        shown = f"eval/{name.removeprefix('eval_')}" if name.startswith("eval_") else f"train/{name}"
        assert board[shown] == numbers
    assert board.keys() - {f"train/{name}" for name in state} >= {"train/epoch"}


def test_of_the_trainers_own_both_are_the_same(records: Path, tmp_path: Path) -> None:
    shutil.copytree(records / "transformers-5.24.0", tmp_path / "outputs")
    (listed,) = forms.records_in(tmp_path)
    assert listed.path == tmp_path / "outputs"
    whole = Followed(Trainer(), tmp_path / "outputs" / "trainer_state.json").all_numbers
    both = Followed(Trainer(), tmp_path / "outputs").all_numbers
    assert same({name: both[name] for name in whole}, whole)
