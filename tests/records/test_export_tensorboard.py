"""What TensorBoard reads of an export is what the CSV export says, and what was recorded."""

from __future__ import annotations

import csv
import json
import re
import struct
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import inf, nan
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from tests.records.streams import runs
from tests.scripted import START, scripted_run
from tests.waiting import PATIENCE_S, until
from tui_trainer.events import AnyEvent, EpochEnded, MetricColumns, MetricsLogged, RunEnded, StepsTaken, encode
from tui_trainer.records.errors import ExportFailed
from tui_trainer.records.export import export_csv, export_tensorboard

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")


def recorded(folder: Path, events: list[AnyEvent], name: str = "run") -> Path:
    run = folder / name
    run.mkdir(exist_ok=True)
    (run / "events.jsonl").write_bytes(b"".join(map(encode, events)))
    return run


def read(file: Path) -> dict[str, list[tuple[float, int, Any]]]:
    """Wall time, step and value of all that is under each tag."""
    board = EventAccumulator(str(file.parent), size_guidance={"scalars": 0, "tensors": 0})
    board.Reload()
    found: dict[str, list[tuple[float, int, Any]]] = {
        tag: [(each.wall_time, each.step, each.value) for each in board.Scalars(tag)] for tag in board.Tags()["scalars"]
    }
    for tag in board.Tags()["tensors"]:
        found[tag] = [
            (each.wall_time, each.step, tensor_util.make_ndarray(each.tensor_proto).item().decode())
            for each in board.Tensors(tag)
        ]
    return found


def tables(run: Path, out: Path) -> dict[str, list[dict[str, str]]]:
    rows = {}
    for path in export_csv(run, out):
        with path.open(newline="") as file:
            rows[path.stem] = list(csv.DictReader(file))
    return rows


def single(value: float | str) -> bytes:
    """As TensorBoard holds numbers; NaN equals NaN."""
    return struct.pack("f", np.float32(value))


def test_series_that_were_logged_are_there_from_step_0_and_the_latest_alone(tmp_path: Path) -> None:
    def logged(step: int, at: float, **values: float) -> MetricsLogged:
        return MetricsLogged(at=at, step=step, values=values)

    own = [
        logged(0, START + 1, **{"grad/norm": 3.0, "loss/val": 9.0}),
        logged(50, START + 2, **{"grad/norm": nan, "up": inf, "tokens": 2**70}),
        logged(90, START + 3, **{"grad/norm": 7.0}),
        logged(60, START + 4, **{"grad/norm": 8.0}),
    ]
    columns = MetricColumns(at=START + 9, steps=[3, 5], values={"bleu": [1.0, 2.0]}, elapsed=[10.0, 12.5])
    steps = StepsTaken(
        at=START + 10,
        step=1,
        epoch=1,
        batch=1,
        losses=[1.0, 2.0],
        lrs=[0.1],
        elapsed=[1.0, 3.0],
        metrics={"w": [0.5, None]},
    )
    (file,) = export_tensorboard(recorded(tmp_path, [*own, columns, steps]), tmp_path / "board")
    board = read(file)
    shown = [(at, step, str(value)) for at, step, value in board["grad/norm"]]
    assert shown == [(START + 1, 0, "3.0"), (START + 2, 50, "nan"), (START + 4, 60, "8.0")]
    assert [value for _, _, value in board["up"]] == [inf]
    assert [value for _, _, value in board["tokens"]] == [2.0**70]
    assert board["bleu"] == [(START + 6.5, 3, 1.0), (START + 9, 5, 2.0)]
    assert [(at, step, str(value)) for at, step, value in board["w"]] == [(START + 8, 1, "0.5"), (START + 10, 2, "nan")]
    assert [step for _, step, _ in board["loss/train"]] == [1, 2]
    assert board["loss/val"] == [(START + 1, 0, 9.0)]


def test_a_record_that_tells_no_steps_and_epochs_has_those_tags_for_its_own(tmp_path: Path) -> None:
    own = {"lr": 0.5, "epoch": 1.0, "loss/val": 2.0, "train_loss": 3.0}
    logged = MetricsLogged(at=START, step=5, values=own)
    (file,) = export_tensorboard(recorded(tmp_path, [logged]), tmp_path / "alone")
    assert {tag: value for tag, ((_, _, value),) in read(file).items()} == own
    (file,) = export_tensorboard(recorded(tmp_path, [logged, *scripted_run(epochs=1)]), tmp_path / "beside")
    board = read(file)
    assert {tag: board[f"{tag} (logged)"][0][2] for tag in own} == own


def test_an_epoch_without_an_accuracy_has_none(tmp_path: Path) -> None:
    epoch = next(event for event in scripted_run() if isinstance(event, EpochEnded))
    lacking = replace(epoch, train_accuracy=nan, val_accuracy=nan, val_loss=nan, validated=False)
    (file,) = export_tensorboard(recorded(tmp_path, [*scripted_run(epochs=1)[:-8], lacking]), tmp_path / "board")
    board = read(file)
    assert not {"accuracy/train", "accuracy/val", "loss/val"} & set(board)
    assert len(board["loss/train of the epoch"]) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(events=runs())
def test_every_number_is_that_of_the_csv_export(tmp_path: Path, events: list[AnyEvent]) -> None:
    run = recorded(tmp_path, events)
    (file,) = export_tensorboard(run, tmp_path / "board")
    assert file.parent == tmp_path / "board" / "run"
    board, rows = read(file), tables(run, tmp_path / "csv")
    losses, lrs = board.get("loss/train", []), board.get("lr", [])
    assert len(losses) == len(lrs) == len(rows["steps"])
    for row, (_, step, loss), (_, same, lr) in zip(rows["steps"], losses, lrs, strict=True):
        assert step == same == int(row["step"])
        assert single(loss) == single(row["train_loss"])
        assert single(lr) == single(row["lr"])
    ends = {event.epoch: event.step for event in events if isinstance(event, EpochEnded)}
    for tag, column in (
        ("loss/train of the epoch", "train_loss"),
        ("loss/val", "val_loss"),
        ("accuracy/train", "train_accuracy"),
        ("accuracy/val", "val_accuracy"),
        ("images per second", "images_per_second"),
        ("epoch", "epoch"),
    ):
        values = board.get(tag, [])
        assert [(step, single(value)) for _, step, value in values] == [
            (ends[int(row["epoch"])], single(row[column])) for row in rows["epochs"]
        ]
    changes = board.get("lr changes", [])
    assert len(changes) == len(rows["lr_events"])
    for (_, step, text), row in zip(changes, rows["lr_events"], strict=True):
        assert step == int(row["step"])
        assert text.endswith(f": {row['reason']}")


def test_wall_times_are_when_it_happened(tmp_path: Path) -> None:
    events = scripted_run(epochs=3, batch_s=0.5, pause_after=30)
    board = read(export_tensorboard(recorded(tmp_path, events), tmp_path / "board")[0])
    walls = [wall for wall, _, _ in board["lr"]]
    assert walls == sorted(walls)
    at = START + 1.7  # importing torch, loading data
    assert walls[:20] == pytest.approx([at + 0.5 * (step + 1) for step in range(20)])
    assert walls[30] - walls[29] == pytest.approx(10.5), "the pause is seen"
    ended = [event.at for event in events if isinstance(event, EpochEnded)]
    assert [wall for wall, _, _ in board["loss/val"]] == ended


def test_a_loss_that_is_not_finite_is_nan(tmp_path: Path) -> None:
    events = scripted_run(epochs=2, not_finite_at=25)
    losses = read(export_tensorboard(recorded(tmp_path, events), tmp_path / "board")[0])["loss/train"]
    assert [step for _, step, loss in losses if loss != loss] == [25]


def test_a_second_export_replaces_the_first_and_other_runs_stand_beside(tmp_path: Path) -> None:
    events, board = scripted_run(epochs=2), tmp_path / "board"
    half = events[: len(events) // 2]
    (first,) = export_tensorboard(recorded(tmp_path, half), board)
    assert 0 < len(read(first)["lr"]) < 40
    (again,) = export_tensorboard(recorded(tmp_path, events), board)
    assert again == first
    assert len(read(again)["lr"]) == 40
    (other,) = export_tensorboard(recorded(tmp_path, half, "other"), board)
    assert sorted(board.rglob("*tfevents*")) == sorted([again, other])


@pytest.mark.says("record.needs_tensorboard")
@pytest.mark.never_says("record.needs_pyarrow")
def test_without_the_package_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    recorded(tmp_path, scripted_run(epochs=1))
    loaded = {name: None for name in sys.modules if name.partition(".")[0] == "tensorboard"}
    with (
        patch.dict(sys.modules, {**loaded, "tensorboard": None}),
        pytest.raises(ExportFailed, match=r"^this format needs TensorBoard's package: pip install '"),
    ):
        export_tensorboard(tmp_path / "run", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_where_nothing_can_be_written_or_read_a_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match=r"no events\.jsonl"):
        export_tensorboard(tmp_path, tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportFailed, match=r"not a directory"):
        export_tensorboard(recorded(tmp_path, scripted_run(epochs=1)), tmp_path / "file")


@contextmanager
def tensorboard(folder: Path, *options: str) -> Iterator[str]:
    """A real TensorBoard on a folder; its address, once it answers."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", "0", *options]
    log = folder.parent / "tensorboard.log"
    with log.open("wb") as out, subprocess.Popen([*command, "--host", "127.0.0.1"], stdout=out, stderr=out) as process:
        try:
            until(lambda: process.poll() is not None or ADDRESS.search(log.read_text()) is not None)
            address = ADDRESS.search(log.read_text())
            assert address is not None, log.read_text()
            yield f"{address[0]}data"
        finally:
            process.kill()


def fetched(url: str, wanted: Callable[[Any], object]) -> Any:
    """What is there, as soon as it is as wanted."""
    answers: list[Any] = []

    def came() -> bool:
        with suppress(OSError), urllib.request.urlopen(url, timeout=PATIENCE_S) as response:
            answers[:] = [json.load(response)]
        return bool(answers and wanted(answers[0]))

    until(came)
    return answers[0]


@pytest.mark.slow
@pytest.mark.parametrize("loader", ["true", "false"])
def test_a_real_tensorboard_shows_the_same_numbers(tmp_path: Path, loader: str) -> None:
    """Of its two loaders, one in Rust and one in Python."""
    events = scripted_run(epochs=3)
    run = recorded(tmp_path, events)
    export_tensorboard(run, tmp_path / "board")
    rows = tables(run, tmp_path / "csv")
    with tensorboard(tmp_path / "board", "--load_fast", loader) as data:
        tags = fetched(f"{data}/plugin/scalars/tags", lambda tags: "loss/val" in tags.get("run", {}))["run"]
        assert {"loss/train", "lr", "loss/val", "accuracy/val", "accuracy/train"} <= set(tags)
        for tag, column, table in (
            ("loss/train", "train_loss", "steps"),
            ("lr", "lr", "steps"),
            ("loss/val", "val_loss", "epochs"),
            ("accuracy/val", "val_accuracy", "epochs"),
        ):
            url = f"{data}/plugin/scalars/scalars?run=run&tag={tag}"
            shown = fetched(url, lambda shown, rows=rows[table]: len(shown) == len(rows))
            assert [single(value) for _, _, value in shown] == [single(row[column]) for row in rows[table]]
        began = next(event for event in events if isinstance(event, StepsTaken))
        ended = next(event for event in events if isinstance(event, RunEnded))
        assert began.at - 1 < shown[0][0] <= ended.at
        (change,) = fetched(f"{data}/plugin/text/text?run=run&tag=lr%20changes", len)
        assert "step_size 2 reached" in change["text"]
