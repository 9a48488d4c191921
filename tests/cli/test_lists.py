"""`runs` and `compare --list`: a line each on a terminal, everything on a pipe."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import inf, nan
from pathlib import Path

import pytest
from click.testing import Result

from tests.scripted import scripted_run
from tests.scripted_record import over
from tests.terminal import Terminal
from tui_trainer.cli.columns import Column, cells, in_columns
from tui_trainer.events import MetricsLogged

Cli = Callable[..., Result]

NAME = "the run of the long night before the deadline"


def kept(runs: Path, preset: str, name: str | None) -> str:
    return over(runs, preset=preset, dataset="fashion-mnist", name=name)


@pytest.mark.parametrize("columns", [80, 60])
def test_a_run_takes_one_line_of_a_terminal(runs: Path, columns: int) -> None:
    ids = [kept(runs, "warm-restarts", NAME), kept(runs, "steplr", None)]
    with Terminal("runs", columns=columns, env={"COLUMNS": str(columns)}) as terminal:
        assert terminal.wait() == 0
        header, *rows = [line for line in terminal.screen.splitlines() if line.strip()]
    assert len(rows) == len(ids)
    for word in ("run", "name", "status", "epochs", "best"):
        assert word in header
    for row, (identity, name) in zip(sorted(rows), sorted(zip(ids, (NAME, ""), strict=True)), strict=True):
        assert row.startswith(identity if columns == 80 else identity[:19])
        assert name[:6] in row
        assert "finished" in row
        assert row.rstrip()[-6:].startswith("0.")


@pytest.mark.never_says("runs.cut_off")
def test_a_pipe_gets_all_columns_in_full(cli: Cli, runs: Path) -> None:
    identity = kept(runs, "warm-restarts", NAME)
    header, row = cli("runs").stdout.splitlines()
    assert header.split() == ["when", "run", "name", "preset", "data", "status", "epochs", "best"]
    assert identity in row
    assert NAME in row


def test_columns_go_in_their_order_before_any_is_cut() -> None:
    columns = [Column("a", drop=2), Column("b", least=4), Column("c", drop=1)]
    rows = [["aaaa", "bbbbbbbb", "cccc"]]
    assert in_columns(columns, rows, 20)[1] == "aaaa  bbbbbbbb  cccc"
    assert in_columns(columns, rows, 19)[1] == "aaaa  bbbbbbbb"
    assert in_columns(columns, rows, 13)[1] == "bbbbbbbb"
    assert in_columns(columns, rows, 6)[1] == "bbbbb…"
    assert in_columns(columns, rows, None)[1] == "aaaa  bbbbbbbb  cccc"


def test_wide_characters_take_two_cells() -> None:
    lines = in_columns([Column("name", least=4), Column("x")], [["夜の学習", "1"], ["night", "2"]], 8)
    assert [cells(line) for line in lines] == [8, 8, 8]


def test_json_tells_the_objective_and_the_last_values_of_metrics(cli: Cli, runs: Path) -> None:
    logged = MetricsLogged(at=1e9, step=5, values={"grad/norm": nan, "up": inf, "down": -inf, "tokens": 2**60 + 1})
    over(runs, [*scripted_run(epochs=2), logged], dataset="fashion-mnist")
    (run,) = json.loads(cli("runs", "--json").stdout, parse_constant=pytest.fail)
    assert run["objective"]["name"] == "val_accuracy"
    assert (run["objective"]["goal"], run["objective"]["best"]) == ("max", run["best_val_accuracy"])
    assert run["metrics"]["val_loss"] == run["val_loss"]
    assert {name: run["metrics"][name] for name in logged.values} == {
        "grad/norm": "nan",
        "up": "inf",
        "down": "-inf",
        "tokens": 2**60 + 1,
    }


@pytest.fixture
def three(runs: Path) -> list[str]:
    """Runs of three LRs."""
    return [
        over(runs, preset=preset, name=f"run {lr}", optimizer={"lr": lr})
        for preset, lr in (("steplr", 1e-4), ("cosine", 1e-3), ("onecycle", 0.1))
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lr>=1e-3 and status:finished and val_loss<9", {1, 2}),
        ("cosine", {1}),
        ("not cosine", {0, 2}),
        ("name:'run 0.1'", {2}),
        ("lr>5", set()),
        ("", {0, 1, 2}),
    ],
)
def test_runs_are_filtered(cli: Cli, three: list[str], text: str, expected: set[int]) -> None:
    done = cli("runs", "--json", "--filter", text)
    assert done.exit_code == 0, done.stderr
    assert {run["id"] for run in json.loads(done.stdout)} == {three[number] for number in expected}
    lines = cli("runs", "--filter", text).stdout.splitlines()[1:]
    assert {line.split()[2] for line in lines} == {three[number] for number in expected}


@pytest.mark.never_says("record.no_run_has")
def test_a_filter_that_none_passes_says_so(cli: Cli, three: list[str]) -> None:
    done = cli("runs", "--filter", "lr>5")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "none of 3 runs" in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lr>=", "at 3: a number must come after >="),
        ("(lr>1", "at 1: this ( is not closed"),
        pytest.param(
            *("val_los<1", "at 1: no run here has 'val_los'; did you mean val_loss?"),
            marks=pytest.mark.says("record.no_run_has", "record.name_meant"),
        ),
        ("x" * 10_000, "at most 2,000 characters"),
    ],
)
def test_what_is_wrong_with_a_filter_is_told(cli: Cli, three: list[str], text: str, words: str) -> None:
    done = cli("runs", "--filter", text)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr


@pytest.mark.says("record.no_run_has")
@pytest.mark.never_says("record.name_meant")
def test_a_name_that_no_run_has_and_that_comes_near_none_is_no_mistake(cli: Cli, three: list[str]) -> None:
    """A run may log it tomorrow."""
    done = cli("runs", "--json", "--filter", "bleu>1")
    assert (done.exit_code, json.loads(done.stdout)) == (0, [])
    assert "no run here has 'bleu'" in done.stderr


@pytest.mark.says("foreign.not_over_ssh")
@pytest.mark.parametrize("options", [["--alert", "loss > 2"], ["--objective", "loss:min"], ["--rename", "a=b"]])
def test_what_is_not_done_for_a_far_record_is_refused_and_not_passed_over(cli: Cli, options: list[str]) -> None:
    result = cli("attach", "ssh://box", *options)
    assert result.exit_code == 2
    assert result.stderr == "--alert, --objective and --rename are for records on this machine: leave them out\n"


@pytest.mark.never_says("foreign.not_over_ssh")
def test_without_them_it_is_a_terminal_that_is_needed(cli: Cli) -> None:
    result = cli("attach", "ssh://box")
    assert result.exit_code == 2
    assert "needs a terminal" in result.stderr
