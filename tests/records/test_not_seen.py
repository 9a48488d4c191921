"""What a watched program does not tell is nobody's number: no loss that is not finite, no LR of nothing."""

from __future__ import annotations

import csv
import json
from math import isnan, nan
from pathlib import Path

import msgspec
import pytest

from tests.made_metrics import begun
from tests.records.streams import fold, state_of
from tests.scripted import START
from tui_trainer.events import (
    AnyEvent,
    EpochEnded,
    ResolvedConfig,
    RunConfigured,
    RunEnded,
    StepsTaken,
    decode,
    encode,
)
from tui_trainer.records.export import export_csv, export_jsonl
from tui_trainer.records.rule_watch import RuleWatch
from tui_trainer.records.stream_form import StreamForm
from tui_trainer.records.summary import images_per_second, seconds_left
from tui_trainer.text.alert_rule import parse

RECIPE = ResolvedConfig(
    preset="",
    title="",
    optimizer="AdamW",
    scheduler="",
    interval=None,
    monitor=None,
    warmup_epochs=0,
    epochs=None,
    batch_size=0,
    batches_per_epoch=None,
    total_steps=None,
)
SEEN = StepsTaken(at=START, step=1, epoch=1, batch=1, losses=[1.0, 0.5], lrs=[0.1], elapsed=[0.1, 0.2])
NOT_SEEN = StepsTaken(
    at=START, step=3, epoch=1, batch=3, losses=[None] * 2, lrs=[], elapsed=[0.3, 0.4], losses_seen=False
)
NOT_FINITE = StepsTaken(at=START, step=5, epoch=1, batch=5, losses=[None], lrs=[0.1], elapsed=[0.5])
ENDED = EpochEnded(
    at=START,
    epoch=1,
    step=5,
    train_loss=0.75,
    train_accuracy=nan,
    val_loss=nan,
    val_accuracy=nan,
    lr=nan,
    images_per_second=nan,
    elapsed=0.5,
    validated=None,
)
RUN: list[AnyEvent] = [begun(), RunConfigured(at=START, recipe=RECIPE), SEEN, NOT_SEEN, NOT_FINITE, ENDED]


def test_a_history_knows_what_was_not_seen_from_what_was_not_finite() -> None:
    history = fold(RUN)
    assert [isnan(loss) for loss in history.losses] == [False, False, True, True, True]
    missing = [history.series["train_loss"].is_missing(step) for step in range(1, 6)]
    assert missing == [False, False, True, True, False]
    assert [history.series["lr"].is_missing(step) for step in range(1, 6)] == [False, False, True, True, False]
    assert history.health.finding is None


def test_what_was_not_seen_is_read_back_so() -> None:
    assert [decode(encode(event)) for event in RUN] == [decode(encode(event)) for event in RUN]
    assert state_of(fold([decode(encode(event)) for event in RUN])) == state_of(fold(RUN))


@pytest.mark.parametrize("damage", [{"losses": [1.0, None]}, {"losses": [1.0, 1.0]}])
def test_a_line_of_losses_that_nobody_saw_holds_none(damage: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(encode(msgspec.structs.replace(NOT_SEEN, **damage)))


def test_exports_leave_it_empty(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "events.jsonl").write_bytes(b"".join(map(encode, RUN)))
    export_csv(run, tmp_path / "out")
    with (tmp_path / "out" / "steps.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["train_loss"] for row in rows] == ["1.0", "0.5", "", "", "nan"]
    assert [row["lr"] for row in rows] == ["0.1", "0.1", "", "", "0.1"]
    with (tmp_path / "out" / "metrics.csv").open(newline="") as file:
        told = [(row["step"], row["name"]) for row in csv.DictReader(file)]
    assert ("3", "train_loss") not in told
    assert ("3", "lr") not in told
    assert ("5", "train_loss") in told
    export_jsonl(run, tmp_path / "lines")
    lines = [json.loads(line) for line in (tmp_path / "lines" / "run.jsonl").read_text().splitlines()]
    assert {line.get("step"): line["values"] for line in lines if line["type"] == "metrics"}[5]["train_loss"] == "nan"
    assert 3 not in {line.get("step") for line in lines if line["type"] == "metrics"}


def test_a_stream_says_null_of_what_is_not_known() -> None:
    form = StreamForm()
    (configured,) = [told for event in RUN for told in form.of(event) if told["type"] == "configured"]
    unknown = ("preset", "dataset", "model", "parameters", "device", "precision", "threads", "seed", "scheduler")
    assert [configured[name] for name in unknown] == [None] * len(unknown)
    (epoch,) = [told for event in RUN for told in StreamForm().of(event) if told["type"] == "epoch"]
    assert epoch["lr"] is None
    assert epoch["values"] == {}


def test_no_rule_is_held_against_it() -> None:
    rules = RuleWatch([parse("train_loss is nan"), parse("lr is nan")])
    assert not [alert for event in RUN[:4] for alert in rules.take(event)]
    assert list(rules.take(NOT_FINITE))


def test_neither_speed_nor_what_is_left_is_made_up() -> None:
    history = fold(RUN)
    assert seconds_left(history) is None
    assert not images_per_second(history) > 0
    ended = RunEnded(at=START, status="finished", reason="", step=5, epoch=1, exit_code=0)
    assert fold([*RUN, ended]).known.flaws.in_words() == []
