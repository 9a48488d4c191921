"""`export` turns what one tool has recorded into what another reads, and nothing of it is another number then."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from tests.foreign_records.event_files import event, event_file, frame, scalar, scalars
from tests.foreign_records.followed import Followed, Numbers, same
from tests.scripted_record import over
from tui_trainer.foreign_records.tensorboard import TensorBoard
from tui_trainer.run_sources.registry import open_source

Cli = Callable[..., Result]


def board_in(folder: Path) -> Followed:
    (run,) = folder.iterdir()
    return Followed(TensorBoard(), run)


def single(numbers: dict[str, Numbers]) -> dict[str, Numbers]:
    return {name: {step: float(np.float32(value)) for step, value in of.items()} for name, of in numbers.items()}


@pytest.mark.says("foreign.noted")
def test_a_board_is_read_back_as_it_was_from_our_export_to_tensorboard(cli: Cli, tmp_path: Path) -> None:
    values = [0.1, float("nan"), 3e38, float("-inf"), 1e-40]
    points = b"".join(
        frame(event(7 * step, scalar("a/b", value), *[scalar("lr", value)] * (step % 2), time=1.7e9 + step / 8))
        for step, value in enumerate(values)
    )
    event_file(tmp_path / "run", points + scalars("late", [3, 1, 2], begun=1.8e9))
    assert (
        cli("export", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--format", "tensorboard").exit_code == 0
    )
    before, after = Followed(TensorBoard(), tmp_path / "run"), board_in(tmp_path / "out")
    assert same(before.all_numbers, after.all_numbers)
    assert after.numbers("late") == {1: 0.5, 2: 1.0, 3: 1.5}
    assert [*after.history.logged_elapsed.values][:2] == pytest.approx([0.0, 0.125])
    (tmp_path / "a.csv").write_text("epoch,loss\n1,0.1\n2,0.30000000000000004\n")
    noted = cli("export", str(tmp_path / "a.csv"), "--out", str(tmp_path / "csv"))
    assert (noted.exit_code, noted.stderr) == (0, "note: steps are taken from epoch\n")


def test_a_run_of_ours_is_read_back_from_its_export_to_tensorboard(cli: Cli, tmp_path: Path, runs: Path) -> None:
    identity = over(runs)
    source = open_source(runs / identity)
    while source.poll():
        pass
    assert cli("export", identity, "--out", str(tmp_path / "out"), "--format", "tensorboard").exit_code == 0
    told = board_in(tmp_path / "out").all_numbers
    names = {"train_loss": "loss/train", "lr": "lr", "val_loss": "loss/val", "val_accuracy": "accuracy/val"}
    ours = {
        called: dict(zip(source.history.series[name].steps, source.history.series[name].values, strict=True))
        for name, called in names.items()
    }
    assert same({name: told[name] for name in ours}, single(ours))


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_table_keeps_each_digit(cli: Cli, tmp_path: Path, form: str) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    (tmp_path / "a.csv").write_text("step,epoch,loss,big\n1,1,0.1,9\n2,1,nan,1\n5,2,0.30000000000000004,\n")
    done = cli(
        "export", str(tmp_path / "a.csv"), "--out", str(tmp_path / "out"), "--format", form, "--rename", "loss=L"
    )
    assert done.exit_code == 0, done.output
    (written,) = map(Path, done.stdout.split())
    rows: list[tuple[int, int, str, str]]
    if form == "csv":
        with written.open(newline="") as file:
            told = [*csv.DictReader(file)]
        rows = [(int(row["step"]), int(row["epoch"]), row["name"], row["value"]) for row in told]
    elif form == "parquet":
        from pyarrow import parquet

        told = parquet.read_table(written).to_pylist()
        rows = [(row["step"], row["epoch"], row["name"], str(row["value"])) for row in told]
    else:
        told = [json.loads(line) for line in written.read_text().splitlines()]
        rows = [
            (each["step"], each["epoch"], name, str(value))
            for each in told
            if each["type"] == "metrics"
            for name, value in each["values"].items()
        ]
    losses = {(1, 1, "L", "0.1"), (2, 1, "L", "nan"), (5, 2, "L", "0.30000000000000004")}
    assert {row for row in rows if row[2] == "L"} == losses
    assert len(rows) == 5


@pytest.mark.never_says("foreign.noted")
def test_damage_is_told_and_the_rest_exported(cli: Cli, tmp_path: Path, captions_said: set[str]) -> None:
    (tmp_path / "a.jsonl").write_text('{"step":1,"loss":0.5}\nno json\n{"step":2,"loss":0.25}\n')
    done = cli("export", str(tmp_path / "a.jsonl"), "--out", str(tmp_path / "out"))
    assert (done.exit_code, done.stderr) == (1, "warning: 1 row could not be read; left out\n")
    assert len((tmp_path / "out" / "metrics.csv").read_text().splitlines()) == 3
    assert "foreign.noted" not in captions_said
