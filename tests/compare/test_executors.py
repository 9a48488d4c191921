"""Presets really trained: alike to the bit, several at once, stopped, killed and gone on with."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result

from tests import preloaded
from tests.cli.conftest import SMALL
from tests.compare.made import record
from tests.exported import without_clock
from tests.preloaded import Running
from tests.waiting import PATIENCE_S, until
from tui_trainer.cli import main
from tui_trainer.commands import Pause
from tui_trainer.compare import executors
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.entries import joined
from tui_trainer.compare.fairness import fairness
from tui_trainer.compare.session import Contestant, Session, all_sessions
from tui_trainer.presets.catalogue import load as load_preset
from tui_trainer.records.export import export_csv
from tui_trainer.records.history import History
from tui_trainer.records.inbox import send
from tui_trainer.records.run_index import folders
from tui_trainer.run_sources.run_source import replay
from tui_trainer.run_spec import RunSpec

pytestmark = pytest.mark.slow


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs are recorded in this test."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return folder


def compare(*arguments: str) -> Result:
    """The command in this process, without a terminal."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        return CliRunner().invoke(main, ["compare", *arguments])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def newest_session(runs: Path) -> Session:
    return Session.open(all_sessions(runs)[0])


def opened(runs: Path) -> Comparison:
    """The newest session, all of it read."""
    comparison = Comparison(newest_session(runs))
    comparison.poll_all()
    return comparison


def histories(runs: Path) -> list[History]:
    session = newest_session(runs)
    return [replay(record) for entry in session.entries if (record := session.record_of(entry)) is not None]


def steps(record: Path, out: Path) -> list[dict[str, str]]:
    """All of `steps.csv` but the clock."""
    export_csv(record, out)
    return without_clock(out / "steps.csv")


def digest(tensors: Any) -> str:
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def test_presets_begin_with_the_same_weights_and_see_the_same_images_in_the_same_order(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_trainer.engine import models

    build = models.build
    weights: list[str] = []
    seen: list[list[str]] = []

    def watched(*arguments: Any, **options: Any) -> torch.nn.Module:
        model = build(*arguments, **options)
        weights.append(digest(model.state_dict().values()))
        images: list[str] = []
        seen.append(images)
        model.register_forward_pre_hook(lambda m, inputs: images.append(digest(inputs)) if m.training else None)
        return model

    monkeypatch.setattr(models, "build", watched)
    assert compare("none", "onecycle", "plateau", *SMALL, "--epochs", "3").exit_code == 0
    assert len(weights) == 3
    assert len(set(weights)) == 1
    assert [len(images) for images in seen] == [12, 12, 12]
    assert seen[0] == seen[1] == seen[2]
    assert len(set(seen[0])) == 12  # another order each epoch
    torch.manual_seed(0)
    assert weights[0] == digest(build("mlp", (1, 28, 28), 0).state_dict().values())
    told = {history.resolved.digests for history in histories(runs) if history.resolved is not None}
    assert len(told) == 1
    digests = told.pop()
    assert {len(value) for value in (digests.weights, digests.data, digests.order)} == {64}
    fair = fairness(opened(runs))
    assert fair.is_fair
    assert {variable.name for variable in fair.variables if variable.proven} == {
        "data",
        "initial weights",
        "batch order",
    }


def test_one_other_pixel_makes_another_comparison(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tui_trainer.engine import datasets

    read = datasets._mnist_5k

    def touched() -> Any:
        (images, labels), val = read()
        changed = images.clone()
        changed[7, 0, 14, 14] ^= 1
        return (changed, labels), val

    assert compare("none", *SMALL, "--epochs", "1", "--seeds", "2").exit_code == 0
    monkeypatch.setattr(datasets, "_mnist_5k", touched)
    assert compare("onecycle", *SMALL, "--epochs", "1", "--seeds", "2").exit_code == 0
    names = [record.name for record in folders(runs)]
    done = compare(*names)
    assert done.exit_code == 0, done.output
    assert "Not like for like: data: mnist-5k (" in done.output


def test_the_lesson_is_the_seeds_own_experiment() -> None:
    from tui_trainer.compare.entries import LESSON

    made = {name: load_preset(name) for name in LESSON}
    assert all((p.optimizer.name, p.optimizer.lr, p.training.epochs) == ("Adam", 1e-3, 10) for p in made.values())
    schedules = {p.scheduler.name: p.scheduler for p in made.values() if p.scheduler.name != "StepLR"}
    both = [(p.scheduler.step_size, p.scheduler.gamma) for p in made.values() if p.scheduler.name == "StepLR"]
    assert sorted(both) == [(3, 0.3), (5, 0.5)]
    assert list(schedules["MultiStepLR"].milestones) == [3, 7]
    assert schedules["MultiStepLR"].gamma == 0.5
    assert set(schedules) == {"none", "MultiStepLR", "CosineAnnealingLR", "ReduceLROnPlateau"}


def test_seeds_reuse_and_reports(runs: Path, tmp_path: Path) -> None:
    first = compare("none", "onecycle", *SMALL, "--epochs", "2", "--seeds", "2", "--report", str(tmp_path / "r.csv"))
    assert first.exit_code == 0, first.output
    assert " ± " in first.output
    session = newest_session(runs)
    assert [(entry.label, entry.seed) for entry in session.entries] == [
        ("none", 0),
        ("onecycle", 0),
        ("none", 1),
        ("onecycle", 1),
    ]
    assert (tmp_path / "r.csv").read_text().count("\n") == 3

    again = compare("none", "exponential", *SMALL, "--epochs", "2")
    assert again.exit_code == 0
    reusing = newest_session(runs)
    assert reusing.entries[0].run == session.entries[0].run  # trained before exactly as asked
    assert len([f for f in runs.iterdir() if f.name != "sessions"]) == 5

    by_id = compare(str(session.entries[0].run), str(reusing.entries[1].run), *SMALL)
    assert by_id.exit_code == 0
    assert len([f for f in runs.iterdir() if f.name != "sessions"]) == 5

    shown = compare(session.id)
    assert shown.exit_code == 0
    assert shown.output.splitlines()[-1].endswith(session.id)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name two presets or runs"),
        (["steplr"], "--seeds"),
        (["steplr", "stplr"], "did you mean steplr?"),
        (["none", "steplr", "--report", "r.pdf"], ".html, .md, .csv"),
        (["none", "steplr", "--target", "98"], "--target"),
        (["none", "steplr", "--dataset", "mnist", "--data-dir", "/dev/null"], "mnist is not in"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_exits_with_2_and_leaves_nothing(runs: Path, arguments: list[str], words: str) -> None:
    done = compare(*arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output
    assert not runs.exists()


def test_a_diverged_run_is_a_result(runs: Path, tmp_path: Path) -> None:
    exploding = tmp_path / "exploding.toml"
    exploding.write_text(
        '[training]\nepochs = 9\n[optimizer]\nname = "SGD"\nlr = 0.1\n'
        '[scheduler]\nname = "ExponentialLR"\ngamma = 1e30\n'
    )
    done = compare(str(exploding), "none", *SMALL)
    assert done.exit_code == 0
    assert "exploding diverged" in done.output
    assert [history.status for history in histories(runs)] == ["diverged", "finished"]


def test_killed_in_the_third_preset_it_goes_on_with_that_one_bit_for_bit(runs: Path, tmp_path: Path) -> None:
    presets = ("none", "steplr", "onecycle")
    process = Running("compare", *presets, *SMALL, "--epochs", "40")
    until(lambda: third_has_trained(runs, 4))
    process.kill()
    process.wait()
    session = newest_session(runs)
    records = [session.record_of(entry) for entry in session.entries]
    before = [(record / "events.jsonl").read_bytes() for record in records if record is not None]
    assert len(before) == 3
    reached = replay(records[2]).steps if records[2] else 0
    assert 0 < reached < 160

    done = preloaded.run("compare", session.id)
    assert done.returncode == 0, done.stdout + done.stderr
    after = Session.open(session.folder)
    assert [after.record_of(entry) for entry in after.entries] == records
    assert [(record / "events.jsonl").read_bytes() for record in records[:2] if record] == before[:2]
    assert [history.status for history in histories(runs)] == ["finished"] * 3

    alone = ["--preset", "onecycle", *SMALL, "--epochs", "40", "--runs-dir", str(tmp_path / "whole")]
    whole = preloaded.run("run", *alone)
    assert whole.returncode == 0
    (record,) = (tmp_path / "whole").iterdir()
    assert records[2] is not None
    gone_on, uninterrupted = steps(records[2], tmp_path / "a"), steps(record, tmp_path / "b")
    assert len(gone_on) == 160
    assert gone_on == uninterrupted


def test_several_at_once_stopped_and_gone_on_give_the_numbers_of_one_after_the_other(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    presets = ("none", "onecycle", *SMALL, "--epochs", "60")
    monkeypatch.setattr(executors, "subprocess", SimpleNamespace(Popen=preloaded.popen, PIPE=subprocess.PIPE))
    before = signal.signal(signal.SIGTERM, lambda *_: None)  # one that came too late would end the tests

    def stop() -> None:
        until(lambda: any(history.steps > 8 for history in histories_so_far(runs)))
        os.kill(os.getpid(), signal.SIGTERM)

    stops = threading.Thread(target=stop)
    stops.start()
    try:
        assert compare(*presets, "--jobs", "2").exit_code == 143
    finally:
        stops.join()
        signal.signal(signal.SIGTERM, before)
    stopped = histories(runs)
    assert {history.status for history in stopped} == {"stopped"}
    assert all(history.steps < 240 for history in stopped)
    together = newest_session(runs)
    done = compare(together.id)
    assert done.exit_code == 0, done.output
    assert [(h.status, h.steps) for h in histories(runs)] == [("finished", 240)] * 2

    assert compare(*presets, "--again").exit_code == 0
    alone = newest_session(runs)
    assert alone.id != together.id
    for i, (one, other) in enumerate(zip(alone.entries, Session.open(together.folder).entries, strict=True)):
        records = alone.record_of(one), together.record_of(other)
        assert records[0] is not None
        assert records[1] is not None
        assert records[0] != records[1]
        assert steps(records[0], tmp_path / f"{i}a") == steps(records[1], tmp_path / f"{i}b")


def test_stopped_from_the_shell_it_is_listed_and_gone_on_with(runs: Path) -> None:
    process = Running("compare", "none", "onecycle", *SMALL, "--epochs", "40")
    until(lambda: any(history.steps > 8 for history in histories_so_far(runs)))
    session = newest_session(runs)
    (first,) = folders(runs)
    send(first, Pause(by="test"))  # however long the commands take that are to find it under way
    until(lambda: replay(first).paused is not None)
    (trains,) = json.loads(preloaded.run("compare", "--list", "--json").stdout)
    assert (trains["id"], trains["live"], trains["done"], trains["runs"]) == (session.id, True, 0, 2)

    done = preloaded.run("stop", session.id[:-2])
    assert done.returncode == 0
    assert f"continue it: tui-trainer compare {session.id}" in done.stdout
    assert process.wait(PATIENCE_S) == 0
    assert [history.status for history in histories(runs)] == ["stopped"]
    assert preloaded.run("stop", session.id).returncode == 1  # nobody trains it now
    listed = preloaded.run("compare", "--list").stdout.splitlines()
    assert listed[0].split() == ["when", "session", "runs", "status", "what"]
    assert "0 of 2 done" in listed[1]
    assert listed[1].endswith("none, onecycle")

    assert compare(session.id).exit_code == 0
    assert [history.status for history in histories(runs)] == ["finished"] * 2
    assert len(folders(runs)) == 2  # it went on with the record that it had


def test_killed_before_its_first_checkpoint_it_begins_anew_and_says_so(runs: Path) -> None:
    spec = RunSpec.of("none", load_preset("none"), model="mlp", limit_train=256, limit_val=64, epochs=1, threads=1)
    asked = spec.model_dump(mode="json")
    killed = record(runs, scheduler="none", status=None)  # which has no checkpoint
    other = record(runs)
    entries = [Contestant(label="none", seed=0, asked=asked, run=killed.name), *joined([other], runs)]
    session = Session.create(runs, entries)
    done = compare(session.id)
    assert done.exit_code == 0, done.output
    said = f"{killed.name} had no checkpoint to go on from"
    assert f"[1/2] none: begins anew: {said}" in done.output
    again = compare(session.id)
    assert f"none was begun anew: {said}" in again.output
    assert Session.open(session.folder).entries[0].run != killed.name
    assert killed.is_dir()


def histories_so_far(runs: Path) -> list[History]:
    return histories(runs) if all_sessions(runs) else []


def third_has_trained(runs: Path, epochs: int) -> bool:
    if not all_sessions(runs):
        return False
    session = newest_session(runs)
    record = session.record_of(session.entries[2])
    return record is not None and len(replay(record).epochs) >= epochs
