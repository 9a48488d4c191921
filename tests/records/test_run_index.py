"""Which runs there are, how they stand, and which one is meant."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.records.streams import fold, runs, runs_with_metrics, tables
from tests.scripted import START, scripted_run
from tui_trainer.events import AnyEvent, MetricDeclared, MetricsLogged, RunEnded, RunStarted, StepsTaken, encode
from tui_trainer.records import journal_cache, lock, merging
from tui_trainer.records.errors import RunInUse, RunNotFound, reason
from tui_trainer.records.history import History
from tui_trainer.records.journal import Journal
from tui_trainer.records.lines import seal
from tui_trainer.records.record import Record
from tui_trainer.records.run_index import delete, find, folders, newest, summaries
from tui_trainer.records.runs_folder import runs_folder
from tui_trainer.records.series import LoggedSeries
from tui_trainer.records.summary import SPARK_POINTS, Objective, RunSummary, images_per_second, summarize

CONTRACT = {
    *("id", "name", "status", "preset", "dataset", "model", "device", "seed", "epochs", "epochs_done", "steps_done"),
    *("best_val_accuracy", "val_accuracy", "val_loss", "train_loss", "images_per_second"),
    *("started_at", "ended_at", "pid"),
}


def record_of(folder: Path, events: list[AnyEvent], **asked: Any) -> Record:
    record = Record.create(folder, {"preset_name": "steplr", **asked})
    for event in events:
        record.emit(event)
    return record


def put(runs: Path, run_id: str, events: list[AnyEvent] = (), /, **facts: Any) -> Path:  # type: ignore[assignment]
    """A record as it lies on the disk, with nobody writing it."""
    (runs / run_id).mkdir(parents=True)
    (runs / run_id / "run.json").write_text(json.dumps({"created_at": START, **facts}))
    (runs / run_id / "events.jsonl").write_bytes(b"".join(map(encode, events)))
    return runs / run_id


def test_a_finished_run(tmp_path: Path) -> None:
    events = scripted_run(epochs=4, batches=20)
    record = record_of(tmp_path, events, name="my run")
    record.close()
    (run,) = summaries(tmp_path)
    history = fold(events)
    assert history.best is not None
    assert run.id == record.id
    assert run.name == "my run"
    assert run.status == "finished"
    assert (run.preset, run.dataset, run.model, run.device, run.seed) == ("steplr", "mnist-5k", "cnn", "cpu", 0)
    assert (run.epochs, run.epochs_done, run.steps_done) == (4, 4, 80)
    assert run.best_val_accuracy == history.best.val_accuracy
    assert run.val_loss == history.epochs[-1].val_loss
    assert run.images_per_second == history.epochs[-1].images_per_second
    assert (run.started_at, run.ended_at) == (START, events[-1].at)
    assert (run.pid, run.host) == (4242, "box")
    assert run.reason == "all epochs trained"
    as_json = json.loads(msgspec.json.encode(run))
    assert set(as_json) >= CONTRACT


def test_statuses_are_true(tmp_path: Path) -> None:
    whole = scripted_run(epochs=2, pause_after=30)
    paused = next(i for i, event in enumerate(whole) if type(event).__name__ == "Paused")
    cases: dict[str, tuple[list[AnyEvent], bool]] = {
        "running": (whole[:20], True),
        "paused": (whole[: paused + 1], True),
        "finished": (whole, False),
        "crashed": (whole[:20], False),
        "diverged": (scripted_run(not_finite_at=12), False),
        "stopped": (scripted_run(epochs=2, status="stopped"), False),
    }
    records = {}
    for status, (events, live) in cases.items():
        records[status] = record_of(tmp_path, events, name=status)
        if not live:
            records[status].close()
    told = {run.name: run for run in summaries(tmp_path)}
    assert {name: run.status for name, run in told.items()} == {status: status for status in cases}
    assert told["running"].ended_at is None
    assert told["running"].reason is None
    assert told["crashed"].ended_at == pytest.approx(whole[19].at, abs=1)
    assert "no goodbye" in str(told["crashed"].reason)
    records["paused"].close()
    assert {run.name: run.status for run in summaries(tmp_path)}["paused"] == "crashed"
    records["running"].close()


def test_a_process_that_said_goodbye_and_is_still_there(tmp_path: Path) -> None:
    record = record_of(tmp_path, scripted_run())
    assert summarize(record.folder).status == "finished"
    record.close()


def test_a_resumed_run_is_not_what_it_was(tmp_path: Path) -> None:
    events = scripted_run(epochs=2, status="stopped")
    record = record_of(tmp_path, [*events, events[0]])
    assert summarize(record.folder).status == "running"
    record.close()
    assert summarize(record.folder).status == "crashed"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(events=runs())
def test_a_summary_equals_the_whole_history(tmp_path: Path, events: list[AnyEvent]) -> None:
    folder = tmp_path / "run"
    folder.mkdir(exist_ok=True)
    (folder / "events.jsonl").write_bytes(b"".join(map(encode, events)))
    run, history = summarize(folder), fold(events)
    assert run.steps_done == history.steps
    assert run.epochs_done == len(history.epochs)
    assert run.best_val_accuracy == (history.best.val_accuracy if history.best else None)
    assert run.elapsed_s == history.elapsed_s
    assert run.status == (history.ended.status if history.ended else "crashed")
    if history.epochs and history.epochs[-1].step == history.steps:
        assert run.images_per_second == images_per_second(history)


def test_a_long_run_is_told_from_a_part_of_it(tmp_path: Path) -> None:
    events = scripted_run(epochs=10, batches=1000, steps_a_line=5)
    run = summarize(put(tmp_path, "long", events))
    assert run.steps_done == 10_000
    assert SPARK_POINTS // 2 < len(run.loss) <= SPARK_POINTS
    assert run.loss[0] > run.loss[-1]
    stopped = summarize(put(tmp_path, "stopped", events[: len(events) - 200]))
    history = fold(events[: len(events) - 200])
    assert stopped.steps_done == history.steps
    assert stopped.images_per_second == pytest.approx(images_per_second(history), rel=0.05)


def test_losses_that_are_not_finite_are_left_out_of_the_spark(tmp_path: Path) -> None:
    lost = StepsTaken(at=1.0, step=1, epoch=1, batch=1, losses=[None, None], lrs=[0.1], elapsed=[1.0, 2.0])
    assert summarize(put(tmp_path, "run", [lost])).loss == []


def test_newest_first_and_foreign_folders_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "b", scripted_run())
    put(tmp_path, "a", created_at=START + 50)
    put(tmp_path, "c", created_at=START - 50)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "elsewhere").symlink_to(tmp_path / "nowhere")
    assert [run.id for run in summaries(tmp_path)] == ["a", "b", "c"]
    assert newest(tmp_path).name == "a"


def test_broken_records_are_told_of_as_far_as_they_go(tmp_path: Path) -> None:
    (tmp_path / "only-json").mkdir()
    text = '{"name": "x", "asked": {"model": "mlp", "seed": 3}, "created_at": %s}' % ("1" * 400)
    (tmp_path / "only-json" / "run.json").write_text(text)
    (tmp_path / "bad-json").mkdir()
    (tmp_path / "bad-json" / "run.json").write_text('{"name')
    (tmp_path / "bad-json" / "events.jsonl").write_bytes(b"".join(map(encode, scripted_run())))
    (tmp_path / "odd-json").mkdir()
    (tmp_path / "odd-json" / "run.json").write_text('{"name": 7, "asked": [1], "created_at": "now"}')
    (tmp_path / "garbage").mkdir()
    (tmp_path / "garbage" / "events.jsonl").write_bytes(b"\0\xff\n" * 999 + b'{"type":"StepsTaken"\n' * 99)
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "a-folder" / "run.json").write_text("{}")
    (tmp_path / "a-folder" / "events.jsonl").mkdir()
    told = {run.id: run for run in summaries(tmp_path)}
    assert len(told) == 5
    assert (told["only-json"].name, told["only-json"].model, told["only-json"].seed) == ("x", "mlp", 3)
    assert told["only-json"].started_at is None  # the number is larger than any float
    assert (told["bad-json"].status, told["bad-json"].steps_done) == ("finished", 60)
    assert {run.status for name, run in told.items() if name != "bad-json"} == {"crashed"}


def test_a_torn_goodbye_is_none(tmp_path: Path) -> None:
    folder = put(tmp_path, "run", scripted_run())
    journal = folder / "events.jsonl"
    journal.write_bytes(journal.read_bytes()[:-1])
    assert summarize(folder).status == "crashed"


@pytest.mark.says("record.not_listed", "record.none_readable", "record.more_likewise")
@pytest.mark.never_says("record.no_files", "record.none_yet")
def test_of_folders_that_cannot_be_read_the_first_is_named_and_the_others_counted(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").symlink_to(tmp_path / name / "run.json")
    with pytest.raises(
        RunNotFound, match=r"/a cannot be read: too many .* \(2 folders more likewise\)\. --runs-dir DIR"
    ):
        newest(tmp_path)


@pytest.mark.says("record.near")
@pytest.mark.never_says("record.newest", "record.look_elsewhere", "record.none_readable")
def test_of_no_run_the_names_are_said_that_are_like_it(tmp_path: Path) -> None:
    put(tmp_path, "night", scripted_run(epochs=1))
    with pytest.raises(RunNotFound, match=r"there is no run 'nigth' in .*\. Near it: night\.$"):
        find(tmp_path, "nigth")


@pytest.mark.says("record.newest")
@pytest.mark.never_says("record.near", "record.look_elsewhere")
def test_of_no_run_like_it_the_newest_is_said_and_the_command_that_lists_that_folder(tmp_path: Path) -> None:
    put(tmp_path, "night", scripted_run(epochs=1))
    words = f" The newest is night; tui-trainer runs --runs-dir {tmp_path} lists them all."
    with pytest.raises(RunNotFound, match=f"{re.escape(words)}$"):
        find(tmp_path, "qqqq")


@pytest.mark.says("record.no_space")
@pytest.mark.never_says("record.no_quota")
def test_a_full_disk_is_said_in_words() -> None:
    assert reason(OSError(errno.ENOSPC, "x")) == "no space is left on the device"


@pytest.mark.says("record.no_quota")
@pytest.mark.never_says("record.no_space")
def test_a_quota_is_no_full_disk() -> None:
    assert reason(OSError(errno.EDQUOT, "x")) == "the disk quota is used up"


@pytest.mark.says("record.none_yet", "record.look_elsewhere")
@pytest.mark.never_says("record.none_readable", "record.near", "record.newest", "record.not_listed", "record.no_files")
def test_no_runs_folder_is_no_runs(tmp_path: Path) -> None:
    assert summaries(tmp_path / "none") == []
    with pytest.raises(RunNotFound, match="no runs in"):
        newest(tmp_path / "none")
    with pytest.raises(RunNotFound, match="no runs in"):
        find(tmp_path / "none", "x")


def test_found_by_id_start_name_and_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = put(tmp_path, "20261121-214512-onecycle-3f2a", name="best so far")
    two = put(tmp_path, "20261121-214512-steplr-9c01", name="2026")
    assert find(tmp_path, one.name) == one
    assert find(tmp_path, "20261121-214512-o") == one
    assert find(tmp_path, "best so far") == one
    assert find(tmp_path, "2026") == two  # a name goes before the start of an id
    assert find(tmp_path / "none", str(one)) == one
    monkeypatch.chdir(tmp_path.parent)
    assert find(tmp_path / "none", f"./{tmp_path.name}/{two.name}") == two
    monkeypatch.chdir(tmp_path)
    assert find(tmp_path / "none", two.name) == two


def test_what_may_be_several_is_said(tmp_path: Path) -> None:
    for mark in ("3f2a", "3f2b"):
        put(tmp_path, f"20261121-214512-onecycle-{mark}", name="same")
    for said in ("2026", "same"):
        with pytest.raises(RunNotFound) as caught:
            find(tmp_path, said)
        assert "20261121-214512-onecycle-3f2a" in str(caught.value)
        assert "20261121-214512-onecycle-3f2b" in str(caught.value)


@pytest.mark.says("shell.newest_named")
@pytest.mark.never_says("shell.newest_named")
def test_of_several_with_a_name_the_newest_is_meant_where_that_can_be_said(
    tmp_path: Path, captions_said: set[str]
) -> None:
    old = put(tmp_path, "20261121-214512-onecycle-3f2b", name="same", created_at=START)
    said: list[str] = []
    assert find(tmp_path, "same", said.append) == old
    assert not captions_said
    new = put(tmp_path, "20261121-214512-onecycle-3f2a", name="same", created_at=START + 1)
    assert find(tmp_path, "same", said.append) == new
    assert said == [f"2 runs are called same: {new.name}, the newest, is meant"]
    with pytest.raises(RunNotFound):
        find(tmp_path, "2026", said.append)


def test_of_many_the_newest_are_named_and_the_others_counted(tmp_path: Path) -> None:
    for second in (3, 1, 7, 5, 2, 6, 4):  # ids in another order than that in which they began
        put(tmp_path, f"20261121-{9 - second}-steplr", created_at=START + second)
    with pytest.raises(RunNotFound) as caught:
        find(tmp_path, "2026")
    five = ", ".join(f"20261121-{9 - second}-steplr" for second in (7, 6, 5, 4, 3))
    assert str(caught.value) == f"'2026' may be any of {five} and 2 more. Say more of the id."
    for folder in folders(tmp_path)[:2]:
        delete(folder)
    with pytest.raises(RunNotFound) as caught:
        find(tmp_path, "2026")
    assert "more." not in str(caught.value)


@pytest.mark.parametrize("given", ["", "/", ".", "..", "no/such/path", "~nobody", "x" * 5000, "a\0b"])
def test_what_is_none_is_said(tmp_path: Path, given: str) -> None:
    put(tmp_path / "runs", "20261121-214512-onecycle-3f2a")
    with pytest.raises(RunNotFound):
        find(tmp_path / "runs", given)


def test_what_comes_near_is_named(tmp_path: Path) -> None:
    put(tmp_path, "20261121-214512-onecycle-3f2a", name="baseline")
    with pytest.raises(RunNotFound, match="baseline"):
        find(tmp_path, "baselin")
    with pytest.raises(RunNotFound, match="onecycle-3f2a"):
        find(tmp_path, "onecycle")
    with pytest.raises(RunNotFound, match="20261121-214512-onecycle-3f2a"):
        find(tmp_path, "20261121-214512-onecycle-3f2b")  # by its id, though it has a name
    with pytest.raises(RunNotFound, match="newest is 20261121-214512-onecycle-3f2a"):
        find(tmp_path, "zzz")


def test_no_sentence_carries_an_escape_sequence(tmp_path: Path) -> None:
    put(tmp_path, "20261121-214512-onecycle-3f2a", name="base\x1b[31mline")
    with pytest.raises(RunNotFound) as caught:
        find(tmp_path, "base\x1b[2J\rlin")
    assert "base[31mline" in str(caught.value)
    assert str(caught.value).isprintable()


def test_where_runs_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "said"))
    assert runs_folder(tmp_path / "option") == tmp_path / "option"
    assert runs_folder() == tmp_path / "said"
    monkeypatch.setenv("TUI_TRAINER_RUNS", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    if sys.platform == "linux":
        assert runs_folder() == tmp_path / "data" / "tui-trainer" / "runs"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert runs_folder("~/runs") == tmp_path / "runs"
    monkeypatch.chdir(tmp_path)
    assert runs_folder("runs") == tmp_path / "runs"


def test_a_live_run_is_never_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE_S", 0.02)
    record = record_of(tmp_path, scripted_run())
    with pytest.raises(RunInUse):
        delete(record.folder)
    assert summarize(record.folder).steps_done == 60
    record.close()
    delete(record.folder)
    assert folders(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_another_user_sees_nothing() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs the right to become another user")
    script = (
        "import os, sys; from pathlib import Path\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "for name in ('run.json', 'events.jsonl', 'control.jsonl', 'lock'):\n"
        "    for mode in ('rb', 'ab'):\n"
        "        try: open(Path(sys.argv[1]) / name, mode)\n"
        "        except PermissionError: continue\n"
        "        raise SystemExit(f'{name} can be opened')\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        record = record_of(Path(folder), scripted_run())
        subprocess.run([sys.executable, "-c", script, str(record.folder)], check=True)
        record.close()


def test_a_summary_has_plain_values_only(tmp_path: Path) -> None:
    run = summarize(put(tmp_path, "run", scripted_run()))
    assert isinstance(run, RunSummary)
    plain = msgspec.to_builtins(run)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert any(isinstance(event, RunEnded) for event in scripted_run())


# Series


def single(value: float) -> float:
    """A float32 with as few digits as tell it from all others."""
    return float(str(np.float32(value)))


def last_of(history: History) -> dict[str, str]:
    """The last value of each series, in a form in which nan equals nan."""
    found = {}
    for name, series in history.series.items():
        last = series.exact(len(series.steps) - 1) if isinstance(series, LoggedSeries) else series.values[-1]
        found[name] = repr(single(last) if name == "train_loss" and not isinstance(series, LoggedSeries) else last)
    return found


def objective_of(history: History) -> Objective | None:
    """What a run is judged by, from all of it."""
    name = history.series.objective
    if name is None:
        return None
    best, goal = history.series.best(name), history.series.goal(name)
    if best is None:
        return Objective(name=name, goal=goal, best=None, step=None)
    epoch = history.best if name == "val_accuracy" else None
    step = epoch.step if epoch is not None and epoch.val_accuracy == best.value else best.step
    by_step = name == "train_loss" and not isinstance(history.series[name], LoggedSeries)
    return Objective(name=name, goal=goal, best=single(best.value) if by_step else best.value, step=step)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(events=runs_with_metrics() | tables(), form=st.sampled_from(["unsealed", "sealed", "packed"]))
def test_last_values_and_the_objective_are_those_of_the_whole_record(events: list[AnyEvent], form: str) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(journal_cache, "BLOCK", 1000),
        patch.object(merging, "LEAST_IN_A_TABLE", 4),
    ):
        record = put(Path(folder), "run", events)
        if form == "packed":
            (record / "events.jsonl").unlink()
            journal = Journal(record / "events.jsonl")
            for event in events:
                journal.emit(event)
            journal.close()
        elif form == "sealed":  # as in all but the oldest records
            lines = [seal(encode(event), number) for number, event in enumerate(events, 1)]
            (record / "events.jsonl").write_bytes(b"".join(lines))
        run = summarize(record)
    history = fold(events)
    assert {name: repr(value) for name, value in run.metrics.items()} == last_of(history)
    assert run.objective == objective_of(history)


def rows(name: str, *values: float, every: int = 1) -> list[AnyEvent]:
    return [MetricsLogged(at=START, step=every * step, values={name: value}) for step, value in enumerate(values, 1)]


def test_steps_that_a_process_tells_twice_count_as_it_told_them_first(tmp_path: Path) -> None:
    events = scripted_run(epochs=2, batches=3)
    at = max(i for i, event in enumerate(events) if isinstance(event, StepsTaken))
    told = events[at]
    assert isinstance(told, StepsTaken)
    again = msgspec.structs.replace(told, metrics={"grad_norm": [float("nan")] * len(told.losses)})
    events.insert(at + 1, again)
    run = summarize(put(tmp_path, "run", events))
    assert run.metrics.keys() == last_of(fold(events)).keys()
    assert "grad_norm" not in run.metrics


def test_a_metric_that_was_logged_once_is_among_the_last_values(tmp_path: Path) -> None:
    """However long ago: nothing but a look at every line shows it."""
    events = scripted_run(epochs=30, batches=50)
    events[len(events) // 2 : len(events) // 2] = rows("bleu/test", 31.5)
    events += rows("tokens", 2**60 + 1)
    run = summarize(put(tmp_path, "run", events))
    assert run.metrics["bleu/test"] == 31.5
    assert run.metrics["tokens"] == 2**60 + 1
    assert set(run.metrics) >= {"train_loss", "lr", "val_loss", "val_accuracy"}


def test_what_a_resumed_run_told_again_is_not_its_last_value(tmp_path: Path) -> None:
    def steps(first: int, last: int, norm: float) -> list[AnyEvent]:
        told: dict[str, Any] = {"at": START, "epoch": 1, "losses": [1.0], "lrs": [0.1], "elapsed": [1.0]}
        return [StepsTaken(**told, step=n, batch=n, metrics={"norm": [norm]}) for n in range(first, last + 1)]

    begun = next(event for event in scripted_run() if isinstance(event, RunStarted))
    again = replace(begun, resumed_from_step=5)
    run = summarize(put(tmp_path, "run", [begun, *steps(1, 40, 2.0), again, *steps(6, 30, 3.0)]))
    assert (run.steps_done, run.metrics["norm"]) == (40, 2.0)


def test_the_objective_is_what_the_run_declares(tmp_path: Path) -> None:
    declared = MetricDeclared(at=START, name="ppl", goal="min", objective=True)
    values = rows("ppl", 9.0, 7.0, 8.0, every=10)
    for name, events in {"first": [declared, *values], "late": [*values, declared]}.items():
        run = summarize(put(tmp_path, name, events))
        assert run.objective == Objective(name="ppl", goal="min", best=7.0, step=20)
    (none,) = [summarize(put(tmp_path, "none", rows("loss", 1.0)))]
    assert none.objective is None
    assert none.metrics == {"loss": 1.0}


def test_a_loss_of_every_step_can_be_the_objective(tmp_path: Path) -> None:
    declared = MetricDeclared(at=START, name="train_loss", goal="min", objective=True)
    events = scripted_run(epochs=20, batches=50)
    run, history = summarize(put(tmp_path, "run", [declared, *events])), fold([declared, *events])
    least = min(history.losses)
    assert run.objective == Objective(
        name="train_loss", goal="min", best=single(least), step=history.losses.index(least) + 1
    )


def test_what_was_asked_for_is_told_flat(tmp_path: Path) -> None:
    groups = [{"match": "bias", "weight_decay": 0.0}, {"name": "layer4.*", "match": "norm", "lr_scale": 0.1}]
    stages = [{"name": "LinearLR", "epochs": 1}, {"name": "CosineAnnealingLR", "odd": {"a": 1}}]
    adam = {"name": "Adam", "lr": 0.001, "betas": [0.9, 0.999], "groups": groups}
    preset = {"title": "t", "optimizer": adam, "warmup": None, "scheduler": {"stages": stages}}
    asked = {"preset": preset, "dataset": "mnist-5k", "seed": 3, "name": "x", "threads": None, "odd": {"a": {"b": 1}}}
    run = summarize(put(tmp_path, "run", [], asked=asked))
    assert run.config == {
        "dataset": "mnist-5k",
        "seed": 3,
        "optimizer.name": "Adam",
        "optimizer.lr": 0.001,
        "optimizer.betas": [0.9, 0.999],
        "optimizer.groups.1.match": "bias",
        "optimizer.groups.1.weight_decay": 0.0,
        "optimizer.groups.2.name": "layer4.*",
        "optimizer.groups.2.match": "norm",
        "optimizer.groups.2.lr_scale": 0.1,
        "scheduler.stages.1.name": "LinearLR",
        "scheduler.stages.1.epochs": 1,
        "scheduler.stages.2.name": "CosineAnnealingLR",
    }
    vast = {str(number): "x" * 10_000 for number in range(1000)}
    assert len(msgspec.json.encode(summarize(put(tmp_path, "vast", [], asked=vast)).config)) < 60_000
