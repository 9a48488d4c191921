"""What is exported reads back as what was recorded."""

from __future__ import annotations

import csv
import struct
from collections.abc import Callable
from math import isnan
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.records.streams import fold, runs
from tests.scripted import float32, scripted_run
from tui_trainer.events import AnyEvent, CallsMade, EpochEnded, LRChanged, StepsTaken, encode
from tui_trainer.records.errors import ExportFailed
from tui_trainer.records.export import export_csv, export_tensorboard

HEADERS = {
    "steps.csv": "step,epoch,batch,train_loss,lr,elapsed_s",
    "epochs.csv": "epoch,train_loss,train_accuracy,val_loss,val_accuracy,lr,images_per_second,elapsed_s",
    "order.csv": "epoch,batch,call",
    "lr_events.csv": "step,epoch,old_lr,new_lr,reason",
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


@pytest.mark.parametrize("export", [export_csv, export_tensorboard])
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


def test_order_has_all_epochs(tmp_path: Path) -> None:
    events = scripted_run(epochs=100, batches=3)
    rows = exported(tmp_path, events)["order.csv"]
    told = [call for event in events if isinstance(event, CallsMade) for call in event.calls]
    assert [row["call"] for row in rows] == told
