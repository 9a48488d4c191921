"""What a run was set to, as other tools record it, is read without a line of their code being run."""

from __future__ import annotations

import json
import os
import sqlite3
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.foreign_records.event_files import block, event, event_file, frame, number, scalars, tensor
from tests.foreign_records.test_samples import RECORDS
from tests.foreign_records.test_wandb import history, log
from tui_trainer.foreign_records import forms
from tui_trainer.foreign_records.settings import LONGEST, MOST, settings_in, value_of
from tui_trainer.foreign_records.tensorboard import TensorBoard
from tui_trainer.foreign_records.tensorboard_events import ARGUMENTS, SESSION
from tui_trainer.foreign_records.yaml_values import values_in
from tui_trainer.run_sources.foreign_source import ForeignSource
from tui_trainer.text.secrets import BLANK

HPARAMS = """\
lr: 0.1
name: 'it''s: here'   # with a remark
optimizer:
  class: AdamW
  betas: !!python/tuple
  - 0.9
  - 0.999
  amsgrad: false
  foreach: null
made: !!python/object/apply:os.system
- touch harmed
layers: [64, 32]
blocks:
- width: 3
  depth: 4
remark: a text that
  goes on
scale: 1.0e-05
api_key: sesame
"""
SET = {
    "lr": 0.1,
    "name": "it's: here",
    "optimizer.class": "AdamW",
    "optimizer.betas": [0.9, 0.999],
    "optimizer.amsgrad": False,
    "layers": [64, 32],
    "remark": "a text that goes on",
    "scale": 1e-5,
    "api_key": BLANK,
}


def read(path: Path) -> ForeignSource:
    """The one record at a path, all of it."""
    (record,) = forms.records_in(path)
    source = ForeignSource(record.kind, record.path)
    source.read_all()
    return source


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ("tb-torch2.15.0-tensorboard2.21.0/all_kinds/hp", {"lr": 0.1, "bs": 32, "opt": "adam"}),
        ("wandb-0.31.0/run-1gfkskzp.wandb", {"lr": 0.1, "opt.name": "adam"}),
        ("mlflow-3.17.2/mlruns/262530218619857711", {"lr": 0.1, "opt": "adam"}),
        ("mlflow-3.17.2/mlflow.db", {"lr": 0.1, "opt": "adam"}),
        ("trackio-0.43.0/p.db", {"lr": 0.1}),
        ("lightning-2.6.6/csv", {"lr": 0.1}),
        ("lightning-2.6.6/tb", {"lr": 0.1}),
        ("transformers-5.24.0/trainer_state.json", {"num_train_epochs": 3, "max_steps": 48, "train_batch_size": 16}),
        ("transformers-5.24.0/tb", {"learning_rate": 5e-05, "optim": "adamw_torch_fused", "bf16": False}),
    ],
)
def test_settings_of_the_tools_own_samples(record: str, wanted: dict[str, object]) -> None:
    if not RECORDS.is_dir():
        pytest.skip(f"{RECORDS} is not there; name a folder with TUI_TRAINER_TEST_RECORDS")
    found = read(RECORDS / record).settings
    assert {name: found.get(name) for name in wanted} == wanted


@pytest.mark.says("foreign.settings")
def test_a_file_beside_a_table_says_what_is_set_and_is_followed(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("step,loss\n1,0.5\n")
    (tmp_path / "hparams.yaml").write_text(HPARAMS)
    source = read(tmp_path)
    assert source.settings == source.history.hyperparameters == SET
    source.LOOK_EVERY_S = 0.0
    while source.poll():
        pass
    (told,) = [notice.text for notice in source.history.notices if notice.text.startswith("set to ")]
    assert told.startswith("set to lr 0.1, name it's: here, optimizer.class AdamW, optimizer.betas [0.9, 0.999], ")
    assert told.endswith(", scale 1e-05 and 1 more")
    assert not (tmp_path / "harmed").exists()


@pytest.mark.never_says("foreign.settings", "foreign.checkpoints")
def test_one_without_settings_says_nothing_of_them(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("step,loss\n1,0.5\n")
    (tmp_path / "notes.yaml").write_text(HPARAMS)
    (tmp_path / "checkpoint-notes").mkdir()
    (tmp_path / "model.ckpt").touch()
    source = read(tmp_path)
    while source.poll():
        pass
    assert source.settings == {}


def of_session(**values: float | str | bool) -> bytes:
    """An event of the plugin for hyperparameters."""
    entries = b""
    for name, value in values.items():
        said = (
            number(4, value)
            if isinstance(value, bool)
            else block(3, value)
            if isinstance(value, str)
            else b"\x11" + struct.pack("<d", value)
        )
        entries += block(1, block(1, name) + block(2, said))
    return frame(event(0, block(1, SESSION) + block(9, block(1, block(1, "hparams") + block(2, block(3, entries))))))


def test_parts_that_say_another_thing_are_told_apart(tmp_path: Path) -> None:
    event_file(tmp_path / "a", of_session(lr=0.1, nesterov=True, opt="sgd", depth=3.0) + scalars("loss", range(3)))
    event_file(tmp_path / "b", of_session(lr=0.2, opt="sgd") + scalars("loss", range(3)))
    (kind, path) = TensorBoard(), tmp_path
    source = ForeignSource(kind, path)
    source.read_all()
    assert source.settings == {"lr": 0.1, "nesterov": True, "opt": "sgd", "depth": 3, "b/lr": 0.2}


def test_arguments_in_a_text_of_tensorboards(tmp_path: Path) -> None:
    said = json.dumps({"learning_rate": 5e-05, "bf16": False, "hub_token": "<X>", "none": None}, indent=2)
    other = frame(event(0, tensor("model/text_summary", 7, block(8, "{}"), "text", (1,))))
    event_file(tmp_path, frame(event(0, tensor(ARGUMENTS, 7, block(8, said), "text", (1,)))) + other)
    source = read(tmp_path)
    assert source.settings == {"learning_rate": 5e-05, "bf16": False, "hub_token": BLANK}
    assert source.notes == ["left out: 1 text"]


def test_wandbs_settings_are_the_last_that_were_said(tmp_path: Path) -> None:
    def item(name: str, value: object) -> bytes:
        return block(1, block(1, name) + block(16, json.dumps(value)))

    (tmp_path / "run-a.wandb").write_bytes(
        log(
            block(17, block(1, "abc") + block(4, item("lr", 0.1) + item("_wandb", {"t": 1}))),
            history(0, loss=0.5),
            block(5, item("lr", 0.2) + item("model", {"depth": 3, "name": "net"})),
        )
    )
    assert read(tmp_path).settings == {"lr": 0.2, "model.depth": 3, "model.name": "net"}


def test_a_database_without_a_table_of_settings_is_read_all_the_same(tmp_path: Path) -> None:
    from tests.foreign_records.test_mlflow_and_trackio import TABLES

    writer = sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)
    writer.executescript(TABLES)
    writer.execute("INSERT INTO metrics VALUES ('loss', 0.5, 1000, 'a', 1, 0)")
    writer.execute("DELETE FROM runs WHERE run_uuid = 'b'")
    assert read(tmp_path).settings == {}
    writer.execute("CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT)")
    rows = [
        ("lr", "0.5", "a"),
        ("flag", "True", "a"),
        ("none", "None", "a"),
        ("lr", "7", "b"),
        ("big", "x" * 9000, "a"),
    ]
    writer.executemany("INSERT INTO params VALUES (?, ?, ?)", rows)
    writer.close()
    assert read(tmp_path).settings == {"lr": 0.5, "flag": True, "big": "x" * LONGEST}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *(("0.1", 0.1), ("3", 3), ("-7", -7), ("1e-3", 1e-3), ("True", True), ("false", False), ("adam", "adam")),
        *(("None", None), ("null", None), ("", None), ("1_000", "1_000"), ("9" * 30, "9" * 30), ("12 px", "12 px")),
    ],
)
def test_what_a_text_says(said: str, meant: object) -> None:
    assert value_of(said) == meant
    assert type(value_of(said)) is type(meant)


def test_settings_without_end_are_cut_off() -> None:
    nested: dict[str, object] = {"x": 1}
    for _ in range(200):
        nested = {"deeper": nested}
    found = settings_in(
        {"many": list(range(1000)), "huge": 10**400, "deep": nested, **dict.fromkeys(map(str, range(999)), 1)}
    )
    assert len(found) == MOST
    assert not {"many", "huge", "deep"} & {name.partition(".")[0] for name in found}


@pytest.mark.parametrize(
    "content",
    [
        b"a:\n" + b" x\n" * 80_000,
        b"a: 1\n" + b"  y\n" * 60_000,
        b"a:" + b" " * 250_000 + b"x",
        b"a:\n" + b"- b\n" * 60_000,
        b"k" * 100_000 + b":\n" + b" a:\n" * 35_000,
        b"".join(b" " * depth + b"k:\n" for depth in range(700)),
        b"- " * 120_000,
        b'"\\"' * 80_000,
    ],
)
def test_no_yaml_file_costs_more_than_its_length(content: bytes) -> None:
    found = values_in(content)
    assert sum(len(name) + len(said) for name, said in found.items()) < 100_000


@given(st.binary(max_size=300) | st.text(alphabet="ab: -'\"#[]{}&*!|>\n\t0.,", max_size=300).map(str.encode))
@settings(max_examples=60)
def test_anything_may_stand_in_a_yaml_file(content: bytes) -> None:
    for name, said in values_in(content).items():
        assert isinstance(name, str)
        assert isinstance(said, str) or all(isinstance(each, str) for each in said)


@pytest.mark.says("foreign.checkpoints")
@pytest.mark.parametrize("tool", ["lightning", "transformers", "ultralytics"])
def test_checkpoints_beside_a_record_are_named(tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_trainer.foreign_records.checkpoints.LOOK_EVERY_S", 0.0)
    if tool == "transformers":
        made = [tmp_path / f"checkpoint-{step}" for step in (9, 100, 20)]
        for number, folder in enumerate(made):
            folder.mkdir()
            (folder / "trainer_state.json").write_text('{"log_history": [{"step": 1, "loss": 0.5}]}')
            os.utime(folder, (number, number))
    else:
        (tmp_path / "metrics.csv").write_text("step,loss\n1,0.5\n")
        folder, ending = ("checkpoints", "ckpt") if tool == "lightning" else ("weights", "pt")
        (tmp_path / folder).mkdir()
        made = [tmp_path / folder / f"{name}.{ending}" for name in ("a", "last", "b")]
        for number, path in enumerate(made):
            path.touch()
            os.utime(path, (number, number))
    source = read(tmp_path)
    source.LOOK_EVERY_S = 0.0
    said: list[str] = []
    for new in (made[0].with_name("no checkpoint"), made[0].with_name("another")):
        while source.poll():
            pass
        said = [notice.text for notice in source.history.notices if notice.text.startswith("checkpoints")]
        named = [path.name for path in reversed(made)]
        assert said == [f"checkpoints beside it, the newest first: {named[0]}, {named[1]} and {named[2]}"]
        new.touch()
    made[0].with_name("checkpoint-300").mkdir()
    made[0].with_name("new.pt").touch()
    made[0].with_name("new.ckpt").touch()
    while source.poll():
        pass
    told = [notice.text for notice in source.history.notices if notice.text.startswith("checkpoints")]
    assert len(told) == 2
    newest = {"lightning": "new.ckpt", "transformers": "checkpoint-300", "ultralytics": "new.pt"}[tool]
    assert told[-1].startswith(f"checkpoints beside it, the newest first: {newest}, ")


@pytest.mark.says("foreign.settings_as_code")
@pytest.mark.never_says("foreign.settings_as_code")
def test_settings_of_detectron2_are_read_and_those_that_are_a_program_are_named_and_not_run(
    tmp_path: Path, captions_said: set[str]
) -> None:
    rows = '{"iteration": 19, "total_loss": 0.5}\n'
    (tmp_path / "metrics.json").write_text(rows)
    layers = "".join(f"    LAYER_{number}: {number}\n" for number in range(250))
    solver = "SOLVER:\n  BASE_LR: 0.02\n  STEPS: !!python/tuple\n  - 30000\n  - 40000\nTEST: {EVAL_PERIOD: 0}\n"
    (tmp_path / "config.yaml").write_text(f"MODEL:\n  ROI_HEADS:\n{layers}{solver}")
    settings = read(tmp_path / "metrics.json").settings
    assert settings["SOLVER.BASE_LR"] == 0.02
    assert settings["SOLVER.STEPS"] == [30000, 40000]
    assert settings["MODEL.ROI_HEADS.LAYER_249"] == 249
    assert "foreign.settings_as_code" not in captions_said
    (vis := tmp_path / "vis_data").mkdir()
    (vis / "scalars.json").write_text(rows)
    (vis / "config.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')\nlr = 0.1\n")
    source = read(vis / "scalars.json")
    assert source.settings == {}
    assert "what it was set to stands in config.py as well, which is a program: it is not run" in source.notes
    assert not (tmp_path / "run").exists()
