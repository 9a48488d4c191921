"""What is exported reads back as what was recorded."""

from __future__ import annotations

import csv
import json
import struct
from collections.abc import Callable
from hashlib import sha256
from math import inf, isnan, nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.recorded import RECORDS
from tests.records.streams import fold, runs, runs_with_metrics
from tests.scripted import float32, scripted_run
from tui_trainer.events import (
    SCHEMA,
    AnyEvent,
    CallsMade,
    EpochEnded,
    LRChanged,
    MetricColumns,
    MetricsLogged,
    StepsTaken,
    encode,
)
from tui_trainer.records.errors import ExportFailed
from tui_trainer.records.export import export_csv, export_jsonl, export_tensorboard
from tui_trainer.records.series import LoggedSeries

HEADERS = {
    "steps.csv": "step,epoch,batch,train_loss,lr,elapsed_s",
    "epochs.csv": "epoch,train_loss,train_accuracy,val_loss,val_accuracy,lr,images_per_second,elapsed_s",
    "order.csv": "epoch,batch,call",
    "lr_events.csv": "step,epoch,old_lr,new_lr,reason",
    "metrics.csv": "step,epoch,elapsed_s,name,value",
}


def exported(folder: Path, events: list[AnyEvent]) -> dict[str, list[dict[str, str]]]:
    run, out = folder / "run", folder / "out"
    run.mkdir(exist_ok=True)
    (run / "events.jsonl").write_bytes(b"".join(map(encode, events)))
    written = export_csv(run, out)
    assert {path.name for path in written} == set(HEADERS) == {path.name for path in out.iterdir()}
    for name, header in HEADERS.items():
        assert (out / name).read_text().splitlines()[0] == header
    rows = {}
    for path in written:
        with path.open(newline="") as file:
            rows[path.name] = list(csv.DictReader(file))
    return rows


def as_float32(text: str) -> bytes:
    return struct.pack("f", float(text))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(events=runs())
def test_every_number_reads_back_as_it_was(tmp_path: Path, events: list[AnyEvent]) -> None:
    rows = exported(tmp_path, events)
    history = fold(events)
    steps = rows["steps.csv"]
    assert [int(row["step"]) for row in steps] == list(range(1, history.steps + 1))
    for row, loss, lr, elapsed in zip(steps, history.losses, history.lrs, history.elapsed, strict=True):
        assert as_float32(row["train_loss"]) == struct.pack("f", loss)
        assert float(row["lr"]) == lr
        assert float(row["elapsed_s"]) == elapsed
    begins = [int(row["step"]) for row in steps if row["batch"] == "1"]
    assert begins == history.epoch_starts
    for row, epoch in zip(rows["epochs.csv"], history.epochs, strict=True):
        names = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr", "images_per_second")
        for name in names:
            assert float(row[name]) == getattr(epoch, name)
        assert float(row["elapsed_s"]) == epoch.elapsed
        assert int(row["epoch"]) == epoch.epoch
    changes = [row for row in rows["lr_events.csv"] if not row["reason"].startswith("preset switched")]
    for row, change in zip(changes, history.lr_changes, strict=True):
        assert (int(row["step"]), int(row["epoch"])) == (change.step, change.epoch)
        assert (float(row["old_lr"]), float(row["new_lr"])) == (change.old, change.new)
        assert row["reason"] == change.reason


def test_the_order_of_calls_is_a_row_a_call(tmp_path: Path) -> None:
    rows = exported(tmp_path, scripted_run(epochs=1, scheduler="StepLR"))["order.csv"]
    batch = ["zero_grad", "forward", "loss", "backward", "optimizer.step"]
    assert [(row["epoch"], row["batch"], row["call"]) for row in rows] == [
        *(("1", "1", call) for call in batch),
        *(("1", "2", call) for call in batch),
        ("1", "", "validate"),
        ("1", "", "scheduler.step"),
    ]
    rows = exported(tmp_path, scripted_run(epochs=1, scheduler="OneCycleLR"))["order.csv"]
    assert [row["call"] for row in rows if row["batch"] == "2"] == [*batch, "scheduler.step"]
    assert [row["call"] for row in rows if row["batch"] == ""] == ["validate"]


def test_every_change_has_its_reason_in_words(tmp_path: Path) -> None:
    rows = exported(tmp_path, scripted_run(epochs=3))["lr_events.csv"]
    assert rows == [
        {
            "step": "40",
            "epoch": "2",
            "old_lr": "0.001",
            "new_lr": "0.0005",
            "reason": "step_size 2 reached, 0.001 → 0.0005",
        }
    ]


@pytest.mark.says("record.form_in_doubt")
@pytest.mark.never_says("record.switched")
def test_of_a_later_form_it_is_said_that_something_may_lack(tmp_path: Path) -> None:
    exported(tmp_path, scripted_run(epochs=1))
    (tmp_path / "run" / "run.json").write_text(json.dumps({"schema": SCHEMA + 1}))
    warnings: list[str] = []
    export_csv(tmp_path / "run", tmp_path / "out", warnings.append)
    assert any(each.endswith("knows none after 2. What is exported may lack something.") for each in warnings)


@pytest.mark.says("record.switched")
@pytest.mark.never_says("record.form_in_doubt")
def test_a_switch_of_presets_is_a_change_of_the_lr(tmp_path: Path) -> None:
    rows = exported(tmp_path, scripted_run(epochs=3, switch_at=2, switch_to="none"))["lr_events.csv"]
    assert [(row["step"], row["epoch"], row["old_lr"], row["new_lr"]) for row in rows] == [
        ("20", "2", "0.001", "0.001")
    ]
    assert rows[0]["reason"] == "preset switched from steplr to none"
    events = scripted_run(epochs=3, switch_at=3)
    first = next(event.lrs[0] for event in events if isinstance(event, StepsTaken) and event.step == 41)
    _, switched = [row for row in exported(tmp_path, events)["lr_events.csv"] if row["step"] == "40"]
    assert (float(switched["old_lr"]), float(switched["new_lr"])) == (0.0005, first)


@given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_loss_is_the_shortest_that_gives_the_same_float32(tmp_path: Path, value: float) -> None:
    taken = StepsTaken(at=1.0, step=1, epoch=1, batch=1, losses=[float32(value)], lrs=[0.1], elapsed=[1.0])
    text = exported(tmp_path, [taken])["steps.csv"][0]["train_loss"]
    assert as_float32(text) == struct.pack("f", value)
    digits = text.lower().split("e")[0].strip("-").replace(".", "").strip("0")
    if len(digits) > 1:
        shorter = f"{value:.{len(digits) - 2}e}"
        assert as_float32(shorter) != struct.pack("f", value)


@given(lr=st.floats(0, allow_infinity=False), elapsed=st.floats(0, 1e9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_lr_and_time_read_back_to_the_bit(tmp_path: Path, lr: float, elapsed: float) -> None:
    taken = StepsTaken(at=1.0, step=1, epoch=1, batch=1, losses=[1.0], lrs=[lr], elapsed=[elapsed])
    row = exported(tmp_path, [taken])["steps.csv"][0]
    assert (float(row["lr"]), float(row["elapsed_s"])) == (lr, elapsed)


def test_what_is_not_finite_is_nan(tmp_path: Path) -> None:
    epoch = EpochEnded(
        at=1.0,
        epoch=1,
        step=2,
        train_loss=float("inf"),
        train_accuracy=0.1,
        val_loss=float("nan"),
        val_accuracy=0.1,
        lr=0.1,
        images_per_second=1.0,
        elapsed=1.0,
    )
    taken = StepsTaken(at=1.0, step=1, epoch=1, batch=1, losses=[1.5, None], lrs=[0.1], elapsed=[1.0, 2.0])
    rows = exported(tmp_path, [taken, epoch])
    assert [row["train_loss"] for row in rows["steps.csv"]] == ["1.5", "nan"]
    assert isnan(float(rows["epochs.csv"][0]["train_loss"]))
    assert rows["epochs.csv"][0]["val_loss"] == "nan"


def test_reasons_with_commas_quotes_and_lines_read_back(tmp_path: Path) -> None:
    reason = 'a "quoted", odd\nreason'
    change = LRChanged(at=1.0, step=1, epoch=1, old=0.1, new=0.2, reason=reason)
    assert exported(tmp_path, [change])["lr_events.csv"][0]["reason"] == reason


def test_a_resumed_run_has_each_row_once(tmp_path: Path) -> None:
    events = scripted_run(epochs=3)
    resumed = [*events[:30], events[0], *events[10:]]
    assert exported(tmp_path, resumed) == exported(tmp_path, events)


def test_a_damaged_record_gives_what_is_whole(tmp_path: Path) -> None:
    events = scripted_run()
    run = tmp_path / "run"
    run.mkdir()
    lines = list(map(encode, events))
    steps = next(i for i, event in enumerate(events) if isinstance(event, StepsTaken))
    lines[steps] = b"garbage\n"
    (run / "events.jsonl").write_bytes(b"".join(lines) + b'{"type":"Steps')
    export_csv(run, tmp_path / "out")
    with (tmp_path / "out" / "steps.csv").open(newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(8, 61))


def test_a_run_that_has_only_begun(tmp_path: Path) -> None:
    rows = exported(tmp_path, scripted_run()[:3])
    assert all(not each for each in rows.values())


def test_files_that_are_there_are_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exported(tmp_path, scripted_run(epochs=1))
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "run" / "events.jsonl").write_bytes(b"".join(map(encode, scripted_run(epochs=2))))

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tui_trainer.records.export.os.fsync", full)
    with pytest.raises(ExportFailed, match="no space is left on the device"):
        export_csv(tmp_path / "run", tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize("export", [export_csv, export_jsonl, export_tensorboard])
def test_an_export_that_fails_leaves_no_folder_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, export: Callable[[Path, Path], object]
) -> None:
    """Of those that it made; what was there before is there after."""
    run, there = tmp_path / "run", tmp_path / "there"
    run.mkdir()
    there.mkdir()
    (run / "events.jsonl").write_bytes(b"".join(map(encode, scripted_run(epochs=1))))

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tui_trainer.records.export.os.fsync", full)
        for out in (there / "new" / "deep", there):
            with pytest.raises(ExportFailed, match="no space is left on the device"):
                export(run, out)
            assert list(there.iterdir()) == []
    export(run, there / "new" / "deep")
    assert list((there / "new" / "deep").iterdir()) != []


@pytest.mark.parametrize("folder", [*HEADERS, "events.out.tfevents.run"])
def test_where_a_folder_has_the_name_of_one_of_the_files_none_is_replaced(tmp_path: Path, folder: str) -> None:
    run, out = tmp_path / "run", tmp_path / "out"
    run.mkdir()
    (run / "events.jsonl").write_bytes(b"".join(map(encode, scripted_run(epochs=1))))
    export = export_csv if folder in HEADERS else export_tensorboard
    into = out if folder in HEADERS else out / "run"
    (into / folder).mkdir(parents=True)
    for name in HEADERS.keys() - {folder}:
        (into / name).write_text("as it was")
    with pytest.raises(ExportFailed, match=f"to {into / folder}: is a directory"):
        export(run, out)
    assert {path.name for path in into.iterdir()} == HEADERS.keys() | {folder}
    assert all(path.is_dir() or path.read_text() == "as it was" for path in into.iterdir())


def test_where_nothing_can_be_written_or_read_a_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match=r"no events\.jsonl"):
        export_csv(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "events.jsonl").write_bytes(b"")
    (tmp_path / "file").write_text("")
    with pytest.raises(ExportFailed, match=r"file exists|not a directory"):
        export_csv(tmp_path, tmp_path / "file")


# Series


def logged(step: int, *, elapsed: float | None = None, epoch: int | None = None, **values: float) -> MetricsLogged:
    return MetricsLogged(at=1e9 + step, step=step, values=values, elapsed=elapsed, epoch=epoch)


def metrics(rows: dict[str, list[dict[str, str]]]) -> list[tuple[str, ...]]:
    return [tuple(row.values()) for row in rows["metrics.csv"]]


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(events=runs_with_metrics())
def test_every_number_of_every_series_is_a_row(tmp_path: Path, events: list[AnyEvent]) -> None:
    """The history of the same events has no other ones; what was trained again is there as it was trained last."""
    rows, history = exported(tmp_path, events)["metrics.csv"], fold(events)
    told: dict[str, list[tuple[int, str]]] = {}
    for row in rows:
        told.setdefault(row["name"], []).append((int(row["step"]), row["value"]))
    assert set(told) == {name for name, series in history.series.items() if len(series.steps)}
    for name, each in told.items():
        series = history.series[name]
        assert [step for step, _ in each] == [step for step in series.steps if not series.is_missing(step)]
        for step, text in each:
            index = series.steps.index(step) if isinstance(series, LoggedSeries) else step - 1
            value = series.exact(index) if isinstance(series, LoggedSeries) else series.values[index]
            read = np.float32(text) if name == "train_loss" and not isinstance(series, LoggedSeries) else float(text)
            assert read == value or int(text) == value if "." not in text and text.isdigit() else _alike(read, value)


def _alike(one: float, other: float) -> bool:
    return bool(one == other) or (isnan(one) and isnan(other)) or bool(np.float32(one) == np.float32(other))


def test_our_own_series_are_those_of_the_other_files(tmp_path: Path) -> None:
    rows = exported(tmp_path, scripted_run(epochs=2))
    long = {(row["name"], row["step"]): (row["epoch"], row["elapsed_s"], row["value"]) for row in rows["metrics.csv"]}
    for row in rows["steps.csv"]:
        for name in ("train_loss", "lr"):
            assert long.pop((name, row["step"])) == (row["epoch"], row["elapsed_s"], row[name])
    last = {row["epoch"]: row["step"] for row in rows["steps.csv"]}
    for row in rows["epochs.csv"]:
        for name in ("val_loss", "val_accuracy", "train_accuracy", "images_per_second"):
            assert long.pop((name, last[row["epoch"]])) == (row["epoch"], row["elapsed_s"], row[name])
    assert not long


def test_numbers_are_exact_and_what_is_not_finite_is_a_word(tmp_path: Path) -> None:
    values = {"tokens": 2**60 + 1, "lr-SGD/pg1": 0.1, "a": nan, "b": inf, "c": -inf, 'name, with\n"all"': 1, "": 2.0}
    told = metrics(exported(tmp_path, [MetricsLogged(at=1e9, step=0, values=values, epoch=0, elapsed=1.5)]))
    assert [row[:3] for row in told] == [("0", "0", "1.5")] * 7
    assert {row[3]: row[4] for row in told} == {
        "tokens": "1152921504606846977",
        "lr-SGD/pg1": "0.1",
        "a": "nan",
        "b": "inf",
        "c": "-inf",
        'name, with\n"all"': "1",
        "": "2.0",
    }


def test_of_what_was_trained_again_the_latest_is_there(tmp_path: Path) -> None:
    told = [*(logged(step, loss=float(step)) for step in (10, 20, 30, 40)), logged(35, other=1.0)]
    again = [logged(20, loss=2.5), logged(30, loss=3.5), logged(30, loss=3.75)]
    assert metrics(exported(tmp_path, [*told, *again])) == [
        ("10", "", "", "loss", "10.0"),
        ("35", "", "", "other", "1.0"),
        ("20", "", "", "loss", "2.5"),
        ("30", "", "", "loss", "3.75"),
    ]


def test_a_number_that_says_no_epoch_and_no_time_has_those_of_its_step(tmp_path: Path) -> None:
    """Though its step may be told later: steps are told a few at a time."""
    events = scripted_run(epochs=2)
    rows = exported(tmp_path, [*events[:6], logged(25, norm=1.0), *events[6:], logged(10**6, norm=2.0)])
    step = next(row for row in rows["steps.csv"] if row["step"] == "25")
    (first, last) = [row for row in metrics(rows) if row[3] == "norm"]
    assert first == ("25", step["epoch"], step["elapsed_s"], "norm", "1.0")
    assert last[:2] == ("1000000", "")


def test_numbers_logged_by_the_name_of_a_series_of_every_step_are_told_from_it(tmp_path: Path) -> None:
    events = [logged(0, lr=7.0, train_loss=8.0), *scripted_run(epochs=1, batches=3), logged(9, lr=6.0)]
    rows = [(row[3], int(row[0]), float32(float(row[4]))) for row in metrics(exported(tmp_path, events))]
    history = fold(events)
    assert {name for name, _, _ in rows} == set(history.series)
    for name in ("lr", "lr (logged)", "train_loss", "train_loss (logged)"):
        series = history.series[name]
        assert [row[1:] for row in rows if row[0] == name] == list(
            zip(series.steps, map(float32, series.values), strict=True)
        )
    (file,) = export_jsonl(tmp_path / "run", tmp_path / "lines")
    told = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert [
        (line["step"], line["values"]["lr (logged)"]) for line in told if "lr (logged)" in line.get("values", {})
    ] == [(0, 7.0), (9, 6.0)]


def test_columns_are_rows_too(tmp_path: Path) -> None:
    columns = MetricColumns(at=1e9, steps=[3, 7], values={"a": [1.0, nan], "b": [2**60 + 1, 2]}, epochs=[1, 2])
    assert metrics(exported(tmp_path, [columns])) == [
        ("3", "1", "", "a", "1.0"),
        ("3", "1", "", "b", "1152921504606846977"),
        ("7", "2", "", "a", "nan"),
        ("7", "2", "", "b", "2"),
    ]


OLD = {
    "onecycle": "d9812ff074b996aa 34067fa37c76a599 a8206f55b1d324f8 cfe38b9e55eeeac9",
    "plateau": "64462cbb598897e7 6c1d86a1637bd7d9 d68245e2fd144434 6a57669a444b1daa",
    "steplr": "2e4d343950127923 84bd207ddcff247c d68245e2fd144434 9612af8ff2e3ff7d",
}
"""How the SHA-256 of the four files that there were before series began, of records as they were before."""


@pytest.mark.parametrize("run", OLD)
def test_old_records_are_exported_as_before(tmp_path: Path, run: str) -> None:
    written = export_csv(RECORDS / run, tmp_path)
    assert " ".join(sha256(path.read_bytes()).hexdigest()[:16] for path in written[:4]) == OLD[run]
    assert written[4].name == "metrics.csv"


def test_lines_of_json_hold_all_that_happened_and_the_latest_numbers(tmp_path: Path) -> None:
    run, events = tmp_path / "run", scripted_run(epochs=2)
    run.mkdir()
    own = [logged(5, **{"grad/norm": 1.0}), logged(10, **{"grad/norm": nan}), logged(7, **{"grad/norm": 2.0})]
    (run / "events.jsonl").write_bytes(b"".join(map(encode, [*events[:-1], *own, events[-1]])))
    (file,) = export_jsonl(run, tmp_path / "out")
    lines = [json.loads(line, parse_constant=pytest.fail) for line in file.read_bytes().splitlines()]
    assert all(line["v"] == 1 and line["at"] > 0 for line in lines)
    assert (lines[0]["type"], lines[-1]["type"], lines[-1]["exit_code"]) == ("run", "ended", 0)
    told = [(line["step"], name, value) for line in lines for name, value in line.get("values", {}).items()]
    assert [one for one in told if one[1] == "grad/norm"] == [(5, "grad/norm", 1.0), (7, "grad/norm", 2.0)]
    with (export_csv(run, tmp_path / "csv")[4]).open(newline="") as csv_file:
        rows = [(int(row["step"]), row["name"]) for row in csv.DictReader(csv_file)]
    assert [one[:2] for one in told] == rows


def test_order_has_all_epochs(tmp_path: Path) -> None:
    events = scripted_run(epochs=100, batches=3)
    rows = exported(tmp_path, events)["order.csv"]
    told = [call for event in events if isinstance(event, CallsMade) for call in event.calls]
    assert [row["call"] for row in rows] == told


def test_numbers_beside_a_steps_loss_keep_all_their_digits(tmp_path: Path) -> None:
    norm = 0.12345678901234567
    steps = StepsTaken(
        at=1e9, step=1, epoch=1, batch=1, losses=[1.0], lrs=[0.1], elapsed=[1.0], metrics={"norm": [norm]}
    )  # fmt: skip
    (tmp_path / "events.jsonl").write_bytes(encode(steps))
    export_csv(tmp_path, tmp_path / "out")
    with (tmp_path / "out" / "metrics.csv").open(newline="") as file:
        assert [float(row["value"]) for row in csv.DictReader(file) if row["name"] == "norm"] == [norm]


def test_a_carriage_return_in_a_text_ends_no_row(tmp_path: Path) -> None:
    logged = MetricsLogged(at=1e9, step=3, values={"a\rb": 1.5, "\r": 2.5})
    calls = CallsMade(at=1e9, step=1, epoch=1, batch=1, calls=["zero\rgrad"])
    (tmp_path / "events.jsonl").write_bytes(encode(logged) + encode(calls))
    export_csv(tmp_path, tmp_path / "out")
    with (tmp_path / "out" / "metrics.csv").open(newline="") as file:
        assert {row["name"]: row["value"] for row in csv.DictReader(file)} == {"a\rb": "1.5", "\r": "2.5"}
    with (tmp_path / "out" / "order.csv").open(newline="") as file:
        assert [row["call"] for row in csv.DictReader(file)] == ["zero\rgrad"]
