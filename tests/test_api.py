"""The public API: what a record holds, as arrays; and what importing it costs."""

from __future__ import annotations

import csv
import doctest
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tui_trainer
from tests.scripted import scripted_run
from tests.scripted_record import over
from tui_trainer import Run, RunsError, RunSummary, list_runs, open_run
from tui_trainer.events import EpochEnded, MetricDeclared, MetricsLogged, StepsTaken
from tui_trainer.records.export import export_csv

RECORDED = Path(__file__).parent / "recorded_runs"
"""Real runs, made by an earlier version."""

HEAVY = {"torch", "torchvision", "textual", "numpy", "plotext", "pydantic", "msgspec", "psutil"}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runs"
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(folder))
    return folder


def test_arrays_hold_what_the_loop_told(runs: Path) -> None:
    events = scripted_run()
    run = open_run(over(runs, events, name="night"))
    steps = [event for event in events if isinstance(event, StepsTaken)]
    losses = [loss for event in steps for loss in event.losses]
    lrs = [lr for event in steps for lr in (event.lrs * len(event.losses) if len(event.lrs) == 1 else event.lrs)]
    np.testing.assert_array_equal(run.losses, np.array(losses, np.float32))
    np.testing.assert_array_equal(run.lrs, lrs)
    assert (run.losses.dtype, run.lrs.dtype, run.elapsed.dtype) == (np.float32, np.float64, np.float64)
    ended = [event for event in events if isinstance(event, EpochEnded)]
    assert len(run.epochs) == len(ended) > 1
    for name in run.epochs.dtype.names or ():
        np.testing.assert_array_equal(run.epochs[name], [getattr(event, name) for event in ended])
    assert (run.name, run.status, run.id, run.flaws) == ("night", "finished", run.folder.name, ())


def test_every_series_is_there_by_its_name(runs: Path) -> None:
    declared = MetricDeclared(at=1e9, name="val/BLEU", goal="max", unit="%", kind="val")
    logged = [MetricsLogged(at=1e9, step=step, values={"val/BLEU": value}) for step, value in ((0, 1.5), (7, math.nan))]
    run = open_run(over(runs, [*scripted_run()[:-1], declared, *logged, scripted_run()[-1]], name="night"))
    assert list(run.metrics)[:2] == ["train_loss", "lr"]
    np.testing.assert_array_equal(run.metrics["train_loss"].values, run.losses)
    np.testing.assert_array_equal(run.metrics["val_loss"].steps, run.epochs["step"])
    bleu = run.metrics["val/BLEU"]
    assert (bleu.goal, bleu.unit, bleu.steps.tolist()) == ("max", "%", [0, 7])
    np.testing.assert_array_equal(bleu.values, [1.5, math.nan])


@pytest.mark.parametrize("name", ["onecycle", "plateau", "steplr", "typo"])
def test_real_records_have_the_numbers_of_their_export(name: str, tmp_path: Path) -> None:
    run = open_run(RECORDED / name)
    export_csv(RECORDED / name, tmp_path)
    with (tmp_path / "steps.csv").open() as file:
        steps = list(csv.DictReader(file))
    np.testing.assert_array_equal(run.losses, np.array([row["train_loss"] for row in steps], np.float32))
    np.testing.assert_array_equal(run.lrs, [float(row["lr"]) for row in steps])
    with (tmp_path / "epochs.csv").open() as file:
        epochs = list(csv.DictReader(file))
    np.testing.assert_array_equal(run.epochs["val_loss"], [float(row["val_loss"]) for row in epochs])
    assert run.epochs["epoch"].tolist() == [*range(1, len(epochs) + 1)]


def test_a_run_is_found_by_its_id_its_name_the_start_of_its_id_and_its_path(runs: Path) -> None:
    identity = over(runs, name="night")
    for given in (identity, "night", identity[:-1], runs / identity):
        assert open_run(given).id == identity
    assert open_run("night", folder=runs).id == identity


def test_runs_are_listed_newest_first(runs: Path, tmp_path: Path) -> None:
    assert list_runs() == []
    first, second = over(runs), over(runs)
    found = list_runs()
    assert {run.id for run in found} == {first, second}
    assert all(isinstance(run, RunSummary) for run in found)
    assert list_runs(tmp_path / "elsewhere") == []
    begun = [run.started_at or 0 for run in list_runs(RECORDED)]
    assert len(begun) == 4
    assert begun == sorted(begun, reverse=True)


def test_what_cannot_be_had_is_one_kind_of_error_with_a_sentence(runs: Path) -> None:
    identity = over(runs)
    with pytest.raises(RunsError, match="there is no run 'day'"):
        open_run("day")
    with pytest.raises(RunsError, match="NUL byte"):
        list_runs("no\0path")
    (runs / identity / "events.jsonl").unlink()
    with pytest.raises(RunsError, match=r"holds no events\.jsonl"):
        open_run(identity)


def test_what_is_damaged_is_told(runs: Path) -> None:
    identity = over(runs)
    journal = runs / identity / "events.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    whole = open_run(identity)
    at = next(i for i, line in enumerate(lines) if line.startswith(b'{"type":"StepsTaken"'))
    journal.write_bytes(b"".join([*lines[:at], b"garbage\n", *lines[at + 1 :]]))
    damaged = open_run(identity)
    assert any("could not be read" in flaw for flaw in damaged.flaws)
    assert len(damaged.losses) == len(whole.losses)
    assert np.isnan(damaged.losses).sum() > np.isnan(whole.losses).sum()


def test_all_that_is_public_is_there_and_documented() -> None:
    assert set(tui_trainer.__all__) <= set(dir(tui_trainer))
    for name in set(tui_trainer.__all__) - {"__version__"}:
        assert getattr(tui_trainer, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'open_runs'"):
        tui_trainer.open_runs  # noqa: B018
    assert isinstance(open_run(RECORDED / "steplr"), Run)


def test_the_example_of_the_documentation_does_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(RECORDED))
    page = Path(__file__).parents[1] / "docs" / "records-and-api.md"
    tried = doctest.testfile(str(page), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert tried.attempted > 3
    assert tried.failed == 0


@pytest.mark.parametrize(
    ("script", "loads"),
    [
        ("import tui_trainer", set()),
        ("import tui_trainer; dir(tui_trainer); tui_trainer.__version__", set()),
        ("from tui_trainer import list_runs; list_runs()", {"msgspec"}),
        ("from tui_trainer import open_run; open_run('steplr')", {"msgspec", "numpy"}),
    ],
)
def test_importing_it_is_light(script: str, loads: set[str]) -> None:
    tell = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", f"{script}; {tell}"],
        env={**os.environ, "TUI_TRAINER_RUNS": str(RECORDED)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) & HEAVY == loads
