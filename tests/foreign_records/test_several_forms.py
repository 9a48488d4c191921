"""A folder into which a tool writes the same numbers in two forms and more is one run, and each number is there once.

The forms are those that the tools' own code and documentation describe; no tool has written these samples.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.foreign_records.event_files import event, event_file, frame, scalar, start
from tests.foreign_records.followed import Followed, Numbers
from tui_trainer.foreign_records.forms import Record, records_in
from tui_trainer.run_sources.registry import open_source
from tui_trainer.run_sources.run_list import summaries_at

BEGUN = 1_700_000_000


def single(value: float) -> float:
    return float(np.float32(value))


def events(numbers: Mapping[str, Numbers], more: bytes = b"") -> bytes:
    """Events of these numbers, a second a step."""
    return more + b"".join(
        frame(event(step, scalar(name, value), time=BEGUN + step))
        for name, values in numbers.items()
        for step, value in values.items()
    )


def lines(*rows: Mapping[str, object]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def detectron2(folder: Path) -> dict[str, Numbers]:
    losses = {19: 2.7, 39: 2.1, 59: 1.3}
    rates = {19: 0.001, 39: 0.002, 59: 0.003}
    ap = {59: 31.7}
    event_file(folder, events({"total_loss": losses, "lr": rates, "bbox/AP": ap}), BEGUN)
    rows: list[dict[str, object]] = [{"iteration": s, "lr": rates[s], "total_loss": losses[s]} for s in losses]
    (folder / "metrics.json").write_text(lines(*rows[:2], rows[2] | {"bbox/AP": ap[59]}))
    return {"total_loss": losses, "lr": rates, "bbox/AP": ap}


def mmengine(folder: Path) -> dict[str, Numbers]:
    data = folder / "20261128_120000" / "vis_data"
    data.mkdir(parents=True)
    rows = lines(
        {"lr": 0.02, "loss": 4.1, "epoch": 1, "iter": 50, "step": 50},
        {"coco/bbox_mAP": 0.3, "step": 1},
        {"lr": 0.02, "loss": 3.1, "epoch": 2, "iter": 100, "step": 100},
        {"coco/bbox_mAP": 0.4, "step": 2},
    )
    (data / "20261128_120000.json").write_text(rows)
    (data / "scalars.json").write_text(rows)
    return {
        "lr": {50: 0.02, 100: 0.02},
        "loss": {50: 4.1, 100: 3.1},
        "iter": {50: 50, 100: 100},
        "coco/bbox_mAP": {50: 0.3, 100: 0.4},
    }


def mmengine_with_tensorboard(folder: Path) -> dict[str, Numbers]:
    numbers = mmengine(folder)
    told = {"lr": numbers["lr"], "loss": numbers["loss"], "epoch": {50: 1.0, 100: 2.0}, "iter": numbers["iter"]}
    event_file(folder / "20261128_120000" / "vis_data", events(told | {"coco/bbox_mAP": {1: 0.3, 2: 0.4}}), BEGUN)
    return numbers | {"epoch": {50: 1.0, 100: 2.0}}


def lightning(folder: Path) -> dict[str, Numbers]:
    losses, held_out = {9: 0.7, 19: 0.6}, {19: 0.55}
    event_file(folder, events({"hp_metric": {0: -1.0}, "train_loss": losses, "val_loss": held_out}), BEGUN)
    (folder / "metrics.csv").write_text("epoch,step,train_loss,val_loss\n0,9,0.7,\n0,19,0.6,\n0,19,,0.55\n")
    singles = {"train_loss": {9: single(0.7), 19: single(0.6)}, "val_loss": {19: single(0.55)}}
    return {"hp_metric": {0: -1.0}} | singles


def ultralytics(folder: Path) -> dict[str, Numbers]:
    losses, rates = {1: 1.2345678, 2: 1.1}, {1: 0.0033333333, 2: 0.01}
    event_file(folder, events({"train/box_loss": losses, "lr/pg0": rates}), BEGUN)
    (folder / "results.csv").write_text(
        "  epoch,  time,  train/box_loss,  lr/pg0\n  1,  12.5,  1.2346,  0.0033333\n  2,  25,  1.1,  0.01\n"
    )
    singles = {"train/box_loss": losses, "lr/pg0": rates}
    told: dict[str, Numbers] = {n: {s: single(v) for s, v in values.items()} for n, values in singles.items()}
    return told | {"time": {1: 12.5, 2: 25.0}}


def keras(folder: Path) -> dict[str, Numbers]:
    event_file(folder / "train", events({"epoch_loss": {0: 0.9, 1: 0.8}, "epoch_accuracy": {0: 0.5, 1: 0.6}}), BEGUN)
    event_file(folder / "validation", events({"epoch_loss": {0: 1.0, 1: 0.85}}), BEGUN)
    (folder / "training.log").write_text("epoch,accuracy,loss,val_loss\n0,0.5,0.9,1.0\n1,0.6,0.8,0.85\n")
    return {
        "train/epoch_loss": {0: single(0.9), 1: single(0.8)},
        "train/epoch_accuracy": {0: 0.5, 1: single(0.6)},
        "validation/epoch_loss": {0: 1.0, 1: single(0.85)},
    }


def baselines(folder: Path) -> dict[str, Numbers]:
    folder.mkdir()
    rewards = {2048: 20.5, 4096: 41.25}
    row = ({"rollout/ep_rew_mean": value, "time/total_timesteps": step} for step, value in rewards.items())
    (folder / "progress.json").write_text(lines(*row))
    (folder / "progress.csv").write_text(
        "rollout/ep_rew_mean,time/total_timesteps\n" + "".join(f"{v},{s}\n" for s, v in rewards.items())
    )
    event_file(folder, events({"rollout/ep_rew_mean": rewards}), BEGUN)
    return {"rollout/ep_rew_mean": rewards}


def ray(folder: Path) -> dict[str, Numbers]:
    folder.mkdir()
    rewards = {1: 20.5, 2: 41.25}
    rows = ({"env": {"reward": value}, "training_iteration": step} for step, value in rewards.items())
    (folder / "result.json").write_text(lines(*rows))
    (folder / "progress.csv").write_text(
        "env/reward,training_iteration\n" + "".join(f"{v},{s}\n" for s, v in rewards.items())
    )
    event_file(folder, events({"ray/tune/env/reward": rewards}), BEGUN)
    (folder / "params.json").write_text('{"lr": 0.1}')
    return {"env/reward": rewards}


TOOLS: dict[str, tuple[Callable[[Path], dict[str, Numbers]], str]] = {
    "detectron2": (detectron2, "JSON lines and TensorBoard"),
    "MMEngine": (mmengine, "JSON lines"),
    "MMEngine with TensorBoard": (mmengine_with_tensorboard, "JSON lines and TensorBoard"),
    "Lightning": (lightning, "TensorBoard and CSV"),
    "Ultralytics": (ultralytics, "TensorBoard and CSV"),
    "Keras": (keras, "TensorBoard and CSV"),
    "Stable-Baselines3": (baselines, "JSON lines and TensorBoard and CSV"),
    "Ray": (ray, "JSON lines and TensorBoard and CSV"),
}


def opened(record: Record) -> Followed:
    return Followed(record.kind, record.path)


@pytest.mark.parametrize("tool", TOOLS)
def test_the_folder_of_a_tool_is_one_run_and_each_number_is_there_once(tmp_path: Path, tool: str) -> None:
    write, forms = TOOLS[tool]
    expected = write(tmp_path / "exp7")
    (record,) = records_in(tmp_path)
    followed = opened(record)
    assert followed.all_numbers == expected
    assert all(not series.attempts for series in followed.history.series.values())
    assert followed.reader.tool == forms
    assert not followed.reader.flaws
    (listed,) = summaries_at([tmp_path])
    assert listed.name == ("20261128_120000" if "MMEngine" in tool else "exp7")
    source = open_source(record.path)
    source.poll()
    assert {name: len(each.values) for name, each in source.history.series.items()} == {
        name: len(values) for name, values in expected.items()
    }
    source.close()


def test_of_two_files_of_mmengine_the_longer_one_is_read_once_the_other_is_quiet(tmp_path: Path) -> None:
    mmengine(tmp_path / "run")
    (scalars,) = tmp_path.rglob("scalars.json")
    (copy,) = scalars.parent.glob("2026*.json")
    copy.write_text(copy.read_text() + lines({"loss": 2.5, "epoch": 3, "iter": 150, "step": 150}))
    assert [record.path for record in records_in(tmp_path)] == [scalars]  # its row may be on the way
    os.utime(scalars, (BEGUN, BEGUN))
    (record,) = records_in(tmp_path)
    assert record.path == copy
    assert opened(record).numbers("loss") == {50: 4.1, 100: 3.1, 150: 2.5}


@pytest.mark.says("foreign.several_forms")
def test_it_is_said_and_the_clock_is_that_of_the_events(tmp_path: Path) -> None:
    detectron2(tmp_path / "exp7")
    (record,) = records_in(tmp_path)
    followed = opened(record)
    assert "one run in several forms, each number once: JSON lines and TensorBoard" in followed.flaws
    history = followed.history
    assert history.first_started is not None
    assert history.first_started.at == 1.7e9
    assert history.clock_at(59) == 59.0


@pytest.mark.never_says("foreign.several_forms")
def test_records_of_two_runs_in_a_folder_stay_two(tmp_path: Path) -> None:
    detectron2(tmp_path / "one")
    path = tmp_path / "one" / "metrics.json"
    path.write_text(path.read_text().replace("2.7", "2.6"))
    assert {record.path.name for record in records_in(tmp_path)} == {"one", "metrics.json"}
    lightning(tmp_path / "two")
    (tmp_path / "two" / "copy.csv").write_text((tmp_path / "two" / "metrics.csv").read_text())
    assert {record.path.name for record in records_in(tmp_path / "two")} == {"two", "copy.csv", "metrics.csv"}
    other = tmp_path / "three"
    event_file(other, events({"reward": {1: 1.0}}), BEGUN)
    (other / "metrics.csv").write_text("step,loss\n1,0.5\n")
    assert len(found := records_in(other)) == 2
    assert all("several" not in said for record in found for said in opened(record).flaws)


def test_what_a_session_of_tensorboard_ends_is_not_ended_in_a_table(tmp_path: Path) -> None:
    detectron2(tmp_path / "exp7")
    event_file(tmp_path / "exp7", start(39) + events({"bbox/AP75": {59: 20.0}}), BEGUN + 100)
    (record,) = records_in(tmp_path)
    numbers = opened(record).all_numbers
    assert numbers["total_loss"] == {19: 2.7, 39: 2.1, 59: 1.3}
    assert numbers["bbox/AP75"] == {59: 20.0}


def test_what_comes_later_is_told_once_by_the_form_that_told_its_series_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_trainer.foreign_records.tensorboard.LOOK_EVERY_S", 0.0)
    monkeypatch.setattr("tui_trainer.foreign_records.tensorboard.REST", 0.0)
    folder = tmp_path / "version_0"
    lightning(folder)
    (record,) = records_in(tmp_path)
    followed = opened(record)
    with next(folder.glob("events*")).open("ab") as file:
        file.write(events({"train_loss": {29: 0.5}}))
    followed.look()
    assert followed.numbers("train_loss")[29] == 0.5
    with (folder / "metrics.csv").open("a") as table:
        table.write("1,29,0.5,\n1,39,0.25,\n")
    followed.look()
    assert 39 not in followed.numbers("train_loss")  # it is in the table alone: its events are still to come
    with next(folder.glob("events*")).open("ab") as file:
        file.write(events({"train_loss": {39: 0.25}}))
    followed.look()
    assert followed.numbers("train_loss")[39] == 0.25
    assert not followed.history.series["train_loss"].attempts


def test_what_lies_beside_runs_of_ours_is_no_record_of_another_tool(tmp_path: Path) -> None:
    row = '{"step": 1, "loss": 0.5}\n'
    for name in ("tests/one/range-test.json", "a/session.json", "a/trials.jsonl", "a/claims/0.1", "b/trials.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(row)
    assert [record.path for record in records_in(tmp_path)] == [tmp_path / "b" / "trials.jsonl"]
    assert records_in(tmp_path / "tests" / "one" / "range-test.json") == []
