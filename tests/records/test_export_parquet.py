"""A Parquet file of a record has the numbers of `metrics.csv`."""

from __future__ import annotations

import csv
import sys
from math import inf, nan
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from tests.scripted import START, scripted_run
from tui_trainer.events import AnyEvent, MetricsLogged, encode
from tui_trainer.records import export_parquet as exporting
from tui_trainer.records.errors import ExportFailed
from tui_trainer.records.export import export_csv
from tui_trainer.records.export_parquet import export_parquet

LOGGED = [
    MetricsLogged(at=START, step=0, values={"grad/norm": 3.0, "加": nan}),
    MetricsLogged(at=START + 1, step=50, values={"grad/norm": inf, "tokens": 2**53 + 1}, epoch=2, elapsed=7.5),
    MetricsLogged(at=START + 2, step=50, values={"grad/norm": -inf, "huge": 2**70}),
]


def recorded(folder: Path, events: list[AnyEvent]) -> Path:
    run = folder / "run"
    run.mkdir()
    (run / "events.jsonl").write_bytes(b"".join(map(encode, events)))
    return run


def as_floats(row: dict[str, Any]) -> list[str]:
    """In a form in which nan equals nan, and an empty cell a null."""
    numbers = [row[name] for name in ("step", "epoch", "elapsed_s", "value")]
    cells = ["" if number in ("", None) else repr(float(number)) for number in numbers]
    if row["name"] == "train_loss":  # a float32, of which the CSV has the shortest digits
        cells[-1] = repr(float(np.float32(cells[-1])))
    return [row["name"], *cells]


def test_it_has_the_rows_of_metrics_csv(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    run = recorded(tmp_path, [*LOGGED, *scripted_run(epochs=2)])
    with patch.object(exporting, "ROWS_TOGETHER", 7):
        (file,) = export_parquet(run, tmp_path / "out")
    export_csv(run, tmp_path / "out")
    table = parquet.read_table(file)
    assert {field.name: str(field.type) for field in table.schema} == {
        "step": "int64",
        "epoch": "int64",
        "elapsed_s": "double",
        "name": "dictionary<values=string, indices=int32, ordered=0>",
        "value": "double",
    }
    with (tmp_path / "out" / "metrics.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))

    assert sorted(map(as_floats, table.to_pylist())) == sorted(map(as_floats, rows))


def test_an_empty_record_is_a_file_without_rows(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    (file,) = export_parquet(recorded(tmp_path, []), tmp_path / "out")
    assert parquet.read_table(file).num_rows == 0


@pytest.mark.says("record.needs_pyarrow")
@pytest.mark.never_says("record.needs_tensorboard")
def test_without_pyarrow_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    run = recorded(tmp_path, scripted_run(epochs=1))
    with (
        patch.dict(sys.modules, {"pyarrow": None}),
        pytest.raises(ExportFailed, match=r"pip install 'tui-trainer\[parquet\]'"),
    ):
        export_parquet(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()
