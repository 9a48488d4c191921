"""`runs` and `compare --list`: a line each on a terminal, everything on a pipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.scripted_record import over
from tests.terminal import Terminal
from tui_trainer.cli.columns import Column, cells, in_columns

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
    for word in ("run", "name", "status", "epochs", "best acc"):
        assert word in header
    for row, (identity, name) in zip(sorted(rows), sorted(zip(ids, (NAME, ""), strict=True)), strict=True):
        assert row.startswith(identity if columns == 80 else identity[:19])
        assert name[:6] in row
        assert "finished" in row
        assert row.rstrip()[-6:].startswith("0.")


def test_a_pipe_gets_all_columns_in_full(cli: Cli, runs: Path) -> None:
    identity = kept(runs, "warm-restarts", NAME)
    header, row = cli("runs").stdout.splitlines()
    assert header.split() == ["when", "run", "name", "preset", "data", "status", "epochs", "best", "acc"]
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
