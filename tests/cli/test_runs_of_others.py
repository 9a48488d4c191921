"""Runs of all kinds in one list: ours and those of other tools, by path and below the folders that are remembered."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.foreign_records.event_files import event, event_file, frame, scalar
from tests.scripted_record import over

Cli = Callable[..., Result]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with runs of four kinds."""
    tree = tmp_path / "tree"
    points = b"".join(frame(event(i, scalar("eval/loss", 2 / (1 + i)), scalar("train/loss", 1.0))) for i in range(5))
    event_file(tree / "board", points, begun=1_700_000_000)
    (tree / "table.csv").write_text("epoch,loss,val_acc\n1,0.5,0.25\n2,0.25,0.75\n3,0.2,0.5\n")
    (tree / "lines.jsonl").write_text('{"step":7,"foo":1}\nno json\n')
    monkeypatch.chdir(tmp_path)
    return tree


def listed(cli: Cli, *arguments: str) -> dict[str, dict]:
    done = cli("runs", "--json", *arguments)
    assert done.exit_code == 0, done.output
    return {Path(run["folder"]).name: run for run in json.loads(done.stdout)}


def test_runs_of_all_kinds_are_in_one_list(cli: Cli, tree: Path, runs: Path) -> None:
    ours = over(tree)
    found = listed(cli, str(tree))
    assert {name: run["tool"] for name, run in found.items()} == {
        "board": "TensorBoard",
        "table.csv": "CSV",
        "lines.jsonl": "JSON lines",
        ours: None,
    }
    board, table = found["board"], found["table.csv"]
    assert (board["val_loss"], board["train_loss"], board["steps_done"]) == (pytest.approx(0.4), 1.0, 4)
    assert board["objective"] == {"name": "eval/loss", "goal": "min", "best": pytest.approx(0.4), "step": 4}
    assert (board["status"], board["started_at"], board["id"]) == ("unknown", 1.7e9, str(tree / "board"))
    assert (table["best_val_accuracy"], table["val_accuracy"], table["epochs_done"]) == (0.75, 0.5, 3)
    assert found["lines.jsonl"]["objective"] is None
    assert found["lines.jsonl"]["metrics"] == {"foo": 1.0}
    assert len(board["loss"]) == 5
    (tree / "board" / "hparams.yaml").write_text("lr: 0.25\nopt:\n  name: adam\n")
    assert listed(cli, str(tree))["board"]["config"] == {"lr": 0.25, "opt.name": "adam"}
    assert [*listed(cli, str(tree), "--filter", "lr>0.2 and opt.name:ad*")] == ["board"]
    assert found[ours]["status"] == "finished"


@pytest.mark.says("foreign.written", "shell.none_pass", "shell.none_at")
@pytest.mark.never_says("shell.none_pass", "shell.none_at")
def test_a_line_names_the_path_that_other_commands_take(cli: Cli, tree: Path, captions_said: set[str]) -> None:
    os.utime(tree / "table.csv", (1e9, 1e9))
    done = cli("runs", "tree/table.csv", "tree/lines.jsonl", "tree/board")
    rows = {line.split()[2]: line for line in done.stdout.splitlines()[1:]}
    assert rows.keys() == {"tree/table.csv", "tree/lines.jsonl", "tree/board"}
    assert "0.7500 val_acc" in rows["tree/table.csv"]
    assert " days ago" in rows["tree/table.csv"]
    assert "0.4000 eval/loss" in rows["tree/board"]
    assert "lines.jsonl: 1 row could not be read" in done.stderr
    assert listed(cli, str(tree), "--filter", "val_loss<0.5").keys() == {"board"}
    assert listed(cli, str(tree), "--filter", "TensorBoard").keys() == {"board"}
    assert not captions_said & {"shell.none_pass", "shell.none_at"}
    assert "none of 3 runs passes" in cli("runs", str(tree), "--filter", "val_loss<0.1").stderr
    assert "is a run in a form that is known" in cli("runs", str(tree / "none")).stderr


@pytest.mark.says("shell.no_root")
@pytest.mark.never_says("shell.no_root")
def test_folders_are_remembered_until_they_are_dropped(
    cli: Cli, tree: Path, runs: Path, captions_said: set[str]
) -> None:
    ours = over(runs)
    assert listed(cli).keys() == {ours}
    assert listed(cli, "--add-root", "tree").keys() == {ours, "board", "table.csv", "lines.jsonl"}
    assert listed(cli).keys() == {ours, "board", "table.csv", "lines.jsonl"}
    assert listed(cli, str(tree / "board")).keys() == {"board"}
    assert listed(cli, "--drop-root", str(tree)).keys() == {ours}
    assert "shell.no_root" not in captions_said
    refused = cli("runs", "--add-root", str(tree / "none"))
    assert (refused.exit_code, "is no folder" in refused.stderr) == (2, True)
