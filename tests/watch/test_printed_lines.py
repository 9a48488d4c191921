"""Lines that a watched command prints are told as they come, each with the moment; a number is of the step before."""

from __future__ import annotations

import select
from pathlib import Path

import pytest

from tests.preloaded import run
from tests.watch.watching import ACTING, history, the_run
from tui_trainer.watching.host.output_log import MOST_PER_SECOND
from tui_trainer.watching.host.printed_lines import PrintedLines


@pytest.fixture
def told() -> list[tuple[float, str]]:
    return []


@pytest.fixture
def now() -> list[float]:
    return [1.0]


@pytest.fixture
def lines(told: list[tuple[float, str]], now: list[float]) -> PrintedLines:
    return PrintedLines(lambda at, line: told.append((at, line)), lambda: now[0])


def test_a_line_is_told_as_it_is_whole_with_the_moment_of_its_end(
    lines: PrintedLines, told: list[tuple[float, str]], now: list[float]
) -> None:
    lines.take(b"one\nval lo")
    now[0] = 2.0
    lines.take(b"ss: 0.5\n\n10%\r20%\rdone\n")
    assert told == [(1.0, "one"), (2.0, "val loss: 0.5"), (2.0, "done")]


def test_of_what_comes_too_fast_lines_are_left_out_and_later_ones_told(
    lines: PrintedLines, told: list[tuple[float, str]], now: list[float]
) -> None:
    lines.take(b"x" * MOST_PER_SECOND)
    lines.take(b"left out\n")
    now[0] = 2.0
    lines.take(b"\ntold\n")
    assert told == [(2.0, "told")]


def test_of_a_long_line_as_much_is_told_as_a_pipe_takes_at_once(
    lines: PrintedLines, told: list[tuple[float, str]]
) -> None:
    lines.take("\N{GRINNING FACE}".encode() * 3000 + b"\n")
    ((at, line),) = told
    assert set(line) == {"\N{GRINNING FACE}"}
    assert 3000 < len(f"{at!r} {line}\n".encode()) <= select.PIPE_BUF


def test_a_printed_validation_is_of_the_step_that_it_was_printed_after(runs: Path) -> None:
    done = run("watch", "--plain", "--", *ACTING, "--steps", "60", "--seconds", "0.01", "--prints", "20")
    assert done.returncode == 0
    series = history(the_run(runs)).series["val_loss"]
    assert list(zip(series.steps, series.values, strict=True)) == [
        (20, 0.05),
        (40, 0.025),
        (60, pytest.approx(1 / 60, abs=1e-4)),
    ]
