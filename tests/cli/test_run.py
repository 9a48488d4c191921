"""`run`, and what its record says afterwards through `runs` and `export`."""

from __future__ import annotations

import csv
import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result

from tests import preloaded
from tests.cli.conftest import SMALL
from tests.scripted import scripted_run
from tui_trainer.records.record import Record

Cli = Callable[..., Result]

BATCH = ["zero_grad", "forward", "loss", "backward", "optimizer.step"]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def only(runs: Path) -> Path:
    (folder,) = runs.iterdir()
    return folder


def by_hand(preset: str, epochs: int, batches: int, val_losses: list[float]) -> list[float]:
    """The LR of every step, from torch's own classes stepped where PyTorch says."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    schedulers = torch.optim.lr_scheduler
    lrs = []
    if preset == "onecycle":
        optimizer: torch.optim.Optimizer = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
        one_cycle = schedulers.OneCycleLR(optimizer, max_lr=0.05, total_steps=epochs * batches)
    else:
        optimizer = torch.optim.Adam([parameter], lr=1e-3)
        step = schedulers.StepLR(optimizer, step_size=5, gamma=0.5)
    if preset == "plateau":
        optimizer = torch.optim.Adam([parameter], lr=1e-3)
        plateau = schedulers.ReduceLROnPlateau(optimizer, mode="min", patience=2, factor=0.5)
    for epoch in range(epochs):
        for _ in range(batches):
            lrs.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if preset == "onecycle":
                one_cycle.step()
        if preset == "steplr":
            step.step()
        elif preset == "plateau":
            plateau.step(val_losses[epoch])
    return lrs


@pytest.mark.parametrize("preset", ["onecycle", "steplr", "plateau"])
def test_the_record_has_the_lr_of_every_step_float_for_float(cli: Cli, runs: Path, tmp_path: Path, preset: str) -> None:
    assert cli("run", "--preset", preset, *SMALL, "--epochs", "12").exit_code == 0
    assert cli("export", only(runs).name, "--out", str(tmp_path / "csv")).exit_code == 0
    steps = table(tmp_path / "csv" / "steps.csv")
    val_losses = [float(row["val_loss"]) for row in table(tmp_path / "csv" / "epochs.csv")]
    assert [float(row["lr"]) for row in steps] == by_hand(preset, 12, 4, val_losses)
    assert [(row["step"], row["epoch"], row["batch"]) for row in steps[:5]] == [
        ("1", "1", "1"),
        ("2", "1", "2"),
        ("3", "1", "3"),
        ("4", "1", "4"),
        ("5", "2", "1"),
    ]
    changes = {float(row["new_lr"]) for row in table(tmp_path / "csv" / "lr_events.csv")}
    if preset == "steplr":
        assert changes == {0.0005, 0.00025}

    order = table(tmp_path / "csv" / "order.csv")
    batch_calls = [*BATCH, "scheduler.step"] if preset == "onecycle" else BATCH
    end_calls = ["validate"] if preset == "onecycle" else ["validate", "scheduler.step"]
    assert [(row["epoch"], row["batch"], row["call"]) for row in order] == [
        (str(epoch), batch, call)
        for epoch in range(1, 13)
        for batch, calls in (("1", batch_calls), ("2", batch_calls), ("", end_calls))
        for call in calls
    ]


def test_runs_lists_what_the_contract_names(cli: Cli, runs: Path) -> None:
    cli("run", "--preset", "steplr", *SMALL, "--epochs", "1", "--name", "first", "--seed", "7")
    (run,) = json.loads(cli("runs", "--json").stdout)
    assert run["id"] == only(runs).name
    expected = {
        "name": "first",
        "status": "finished",
        "preset": "steplr",
        "dataset": "mnist-5k",
        "model": "mlp",
        "device": "cpu",
        "seed": 7,
        "epochs": 1,
        "epochs_done": 1,
        "steps_done": 4,
    }
    assert {key: run[key] for key in expected} == expected
    numbers = ["best_val_accuracy", "val_accuracy", "val_loss", "train_loss", "images_per_second", "started_at"]
    assert all(isinstance(run[key], float) for key in [*numbers, "ended_at"])
    assert "first" in cli("runs").stdout


def test_json_is_one_object_an_epoch_and_nothing_else(cli: Cli, runs: Path) -> None:
    result = cli("run", "--preset", "none", *SMALL, "--epochs", "3", "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows[0]["lr"] == 0.001


def test_the_same_seed_gives_the_same_losses(cli: Cli, runs: Path, tmp_path: Path) -> None:
    columns = []
    for name in ("a", "b"):
        cli("run", "--preset", "onecycle", *SMALL, "--epochs", "3", "--name", name)
        cli("export", name, "--out", str(tmp_path / name))
        columns.append([(row["train_loss"], row["lr"]) for row in table(tmp_path / name / "steps.csv")])
    assert columns[0] == columns[1]
    assert len(columns[0]) == 12


def test_what_it_prints_is_in_its_log_too(cli: Cli, runs: Path) -> None:
    printed = cli("run", "--preset", "steplr-fast", *SMALL, "--epochs", "4").stdout.splitlines()
    (folder,) = runs.iterdir()
    assert (folder / "log.txt").read_text().splitlines() == printed
    assert any("step_size 3 reached" in line for line in printed)
    assert (folder / "log.txt").stat().st_mode & 0o777 == 0o600


def test_where_data_lies_is_recorded_for_whoever_goes_on_from_elsewhere(
    cli: Cli, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli("run", "--preset", "none", *SMALL, "--epochs", "1", "--data-dir", "data").exit_code == 0
    (folder,) = runs.iterdir()
    assert json.loads((folder / "run.json").read_text())["asked"]["data_dir"] == str(tmp_path / "data")


@pytest.mark.says("notice.trains_again")
@pytest.mark.never_says("notice.from_preset")
def test_without_its_checkpoints_a_run_begins_again_and_says_so(cli: Cli, runs: Path) -> None:
    cli("run", "--preset", "none", *SMALL, "--epochs", "2", "--name", "a")
    (folder,) = runs.iterdir()
    shutil.rmtree(folder / "checkpoints")
    result = cli("resume", "a")
    assert result.exit_code == 0
    assert "there is no checkpoint: it trains again from the first step" in result.stdout
    assert (folder / "checkpoints" / "last.pt").exists()
    (run,) = json.loads(cli("runs", "--json").stdout)
    assert (run["epochs_done"], run["steps_done"]) == (2, 8)


@pytest.mark.says("reply.go_on_otherwise")
def test_a_finished_run_goes_on_beyond_its_end_as_it_is_asked_to(cli: Cli, runs: Path, tmp_path: Path) -> None:
    cli("run", "--preset", "onecycle", *SMALL, "--epochs", "2", "--name", "a")
    (folder,) = runs.iterdir()
    before = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    refused = cli("resume", "a", "--epochs", "3")
    assert refused.exit_code == 2
    assert "OneCycleLR plans its LRs for 2 epochs from its first step on. `--then constant` keeps" in refused.stderr
    assert cli("resume", "a", "--epochs", "3", "--then", "no-such").exit_code == 2
    assert {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before
    went_on = cli("resume", "a", "--epochs", "3", "--then", "constant")
    assert went_on.exit_code == 0, went_on.stderr
    assert "shell: epochs 3, then constant: 3 epochs instead of 2, until step 12" in went_on.stdout
    assert cli("resume", "a", "--epochs", "4", "--then", "none").exit_code == 0
    (run,) = json.loads(cli("runs", "--json").stdout)
    assert (run["status"], run["preset"], run["epochs"], run["epochs_done"]) == ("finished", "none", 4, 4)
    cli("export", "a", "--out", str(tmp_path / "out"))
    lrs = [row["lr"] for row in table(tmp_path / "out" / "steps.csv")]
    assert lrs[8:12] == [lrs[7]] * 4
    reasons = [row["reason"] for row in table(tmp_path / "out" / "lr_events.csv")]
    assert reasons[-2:] == ["preset switched from onecycle to constant", "preset switched from constant to none"]
    told = json.loads((folder / "run.json").read_text())
    assert (told["asked"]["epochs"], told["resolved"]["recipe"]["epochs"]) == (2, 4)


def test_what_an_export_leaves_out_of_a_damaged_record_is_no_success(cli: Cli, runs: Path, tmp_path: Path) -> None:
    cli("run", "--preset", "none", *SMALL, "--epochs", "1", "--name", "a")
    whole = cli("export", "a", "--out", str(tmp_path / "whole"))
    assert (whole.exit_code, whole.stderr) == (0, "")
    (folder,) = runs.iterdir()
    with (folder / "events.jsonl").open("ab") as journal:
        journal.write(b'{"type": "garbage"}\n')
    result = cli("export", "a", "--out", str(tmp_path / "damaged"))
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 5  # the rest is written
    assert "1 line of the record could not be read" in result.stderr


@pytest.mark.parametrize("form", ["csv", "tensorboard"])
def test_a_disk_that_fills_up_under_an_export_is_no_bad_input(
    cli: Cli, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Where to write was asked rightly: exit code 1. A place where nobody could write is bad input: 2."""
    record = Record.create(runs, {"preset_name": "none", "name": "a"})
    record.emit(scripted_run()[0])
    record.close()
    (tmp_path / "file").touch()
    nowhere = cli("export", "a", "--format", form, "--out", str(tmp_path / "file" / "out"))
    assert nowhere.exit_code == 2
    assert nowhere.stderr == f"cannot export {record.id} to {tmp_path / 'file' / 'out'}: not a directory.\n"

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tui_trainer.records.export.os.fsync", full)
    result = cli("export", "a", "--format", form, "--out", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert result.stderr == f"cannot export {record.id} to {tmp_path / 'out'}: no space is left on the device.\n"


def test_a_file_is_no_folder_of_runs(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = cli("runs", "--runs-dir", str(tmp_path / "file"))
    assert (result.exit_code, result.stderr) == (2, f"{tmp_path / 'file'} is not a folder\n")


def test_a_run_that_diverges_exits_with_3(cli: Cli, runs: Path, tmp_path: Path) -> None:
    preset = tmp_path / "exploding.toml"
    preset.write_text(
        '[training]\nepochs = 9\n[optimizer]\nname = "SGD"\nlr = 0.1\n'
        '[scheduler]\nname = "ExponentialLR"\ngamma = 1e30\n'
    )
    result = cli("run", "--preset", str(preset), *SMALL)
    assert result.exit_code == 3
    assert "not finite" in result.stdout
    (run,) = json.loads(cli("runs", "--json").stdout)
    assert (run["status"], run["preset"]) == ("diverged", "exploding")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--preset", "stplr"], "did you mean steplr?"),
        (["--preset", "steplr", "--batch-size", "0"], "--batch-size"),
        (["--preset", "steplr", "--epochs", "-1"], "--epochs"),
        (["--preset", "steplr", "--threads", "100000"], "--threads"),
        (["--preset", "steplr", "--name", "night\udcff"], "not UTF-8"),
        (["--preset", "steplr", "--epochs", "1000000000"], "--epochs: 1000000000 is out of range"),
        (["--preset", "steplr", "--batch-size", "1000000000"], "--batch-size: 1000000000 is out of range"),
        (["--preset", "steplr", "--device", "gpu"], "--device"),
        (["--preset", "steplr", "--device", "cuda:99"], "--device cuda:99"),
        (["--preset", "/no/such/file.toml"], "/no/such/file.toml"),
        (["--preset", "steplr", "--dataset", "imagenet"], "imagenet"),
        ([], "--preset"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_exits_with_2_says_why_and_writes_nothing(
    cli: Cli, runs: Path, arguments: list[str], words: str
) -> None:
    result = cli("run", *arguments)
    assert result.exit_code == 2
    assert result.output.count(words) == 1
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert "toml: training" not in result.stderr
    assert not runs.exists()


def test_missing_data_exits_with_2_and_writes_nothing(
    cli: Cli, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*args: object, **kwargs: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    result = cli("run", "--preset", "steplr", "--dataset", "cifar10", "--data-dir", str(tmp_path / "data"))
    assert result.exit_code == 2
    assert str(tmp_path / "data") in result.stderr
    assert result.stdout == ""
    assert not runs.exists()
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
@pytest.mark.says("shell.newest_named")
def test_a_name_that_another_run_has_is_warned_of_and_taken(cli: Cli, runs: Path, tmp_path: Path) -> None:
    short = ["--preset", "none", *SMALL, "--epochs", "1"]
    assert cli("run", *short, "--name", "night").stderr == ""
    assert cli("run", *short).stderr == ""
    again = cli("run", *short, "--name", "night")
    assert again.exit_code == 0
    assert "another run is called night already" in again.stderr
    assert "2 other runs are called night" in cli("run", *short, "--name", "night").stderr
    exported = cli("export", "night", "--out", str(tmp_path / "out"))
    begun = {run["started_at"]: run["id"] for run in json.loads(cli("runs", "--json").stdout) if run["name"]}
    newest = begun[max(begun)]
    assert exported.stderr == f"3 runs are called night: {newest}, the newest, is meant\n"


def test_one_epoch_is_one(cli: Cli, runs: Path) -> None:
    assert "1 epoch of 4 batches" in cli("run", "--preset", "none", *SMALL, "--epochs", "1").stdout


@pytest.mark.parametrize("where", ["file", "file/below"])
def test_a_runs_folder_that_cannot_be_is_said_before_anything_is_loaded(
    cli: Cli, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    result = cli("run", "--preset", "steplr", "--runs-dir", str(tmp_path / where))
    assert result.exit_code == 2
    assert str(tmp_path / "file") in result.stderr
    assert "--runs-dir" in result.stderr


def test_who_interrupts_a_command_is_told_so_as_a_shell_expects(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tui_trainer.cli.runs.summaries", interrupted)
    result = cli("runs")
    assert result.exit_code == 130
    assert result.output == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", ["runs --json", "presets list", "presets plan onecycle --json"])
def test_where_nothing_can_be_written_a_command_says_so(runs: Path, command: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = preloaded.run(*command.split(), stdout=full)
    assert done.returncode == 1
    assert done.stderr == "what it prints cannot be written: No space left on device\n"
