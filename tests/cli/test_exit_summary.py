"""What is printed as a screen is left: in each case what is said, and nothing else."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.compare.made import compared, record, session_of
from tests.scripted import scripted_run
from tui_trainer.cli.exit_summary import of_comparison, of_killed, of_left, of_left_unnamed, of_run
from tui_trainer.run_sources.run_source import replay
from tui_trainer.text.captions import CAPTIONS

IDS = {id for id in CAPTIONS if id.startswith("exit.")}


def a_run(runs: Path) -> None:
    folder = record(runs, name="night")
    of_run(folder, replay(folder))


def a_run_that_goes_on(runs: Path) -> None:
    folder = record(runs, status=None)
    of_run(folder, replay(folder))


def a_comparison(runs: Path) -> None:
    of_comparison(compared(runs, [record(runs), record(runs, scheduler="none", status="crashed")]))


def a_comparison_with_runs_to_do(runs: Path) -> None:
    of_comparison(compared(runs, [record(runs)], ["none"]))


def a_comparison_in_its_first_epoch(runs: Path) -> None:
    of_comparison(compared(runs, [record(runs, not_finite_at=3)], ["none"]))


def a_comparison_of_one_run(runs: Path) -> None:
    of_comparison(compared(runs, [record(runs)]))


def a_comparison_that_has_not_begun(runs: Path) -> None:
    of_comparison(compared(runs, [], ["none"]))


def left(runs: Path) -> None:
    of_left("attach", "night", runs)


def left_paused(runs: Path) -> None:
    of_left("attach", "night", runs, paused=True)


def left_unnamed(runs: Path) -> None:
    of_left_unnamed(runs)


def killed(runs: Path) -> None:
    folder = record(runs, status=None, name="night")
    of_killed(signal.SIGKILL, folder)


def killed_behind_its_end(runs: Path) -> None:
    of_killed(signal.SIGSEGV, record(runs, name="night"))


def killed_before_a_record(runs: Path) -> None:
    of_killed(signal.SIGQUIT, None)


def a_comparison_is_killed(runs: Path) -> None:
    of_killed(signal.SIGQUIT, session_of(runs, [record(runs)], ["none"]).folder)


CASES: list[tuple[Callable[[Path], None], set[str], list[str]]] = [
    (a_run, {"exit.again"}, ["night: finished: 3 of 3 epochs in ", "open it again: tui-trainer attach "]),
    (a_run_that_goes_on, set(), []),
    (
        a_comparison,
        {"exit.runs_over", "exit.best", "exit.val_accuracy", "exit.crashed", "exit.again"},
        ["all 2 runs are over; best val accuracy 0.", "; 1 crashed\n", "open it again: tui-trainer compare "],
    ),
    (
        a_comparison_with_runs_to_do,
        {"exit.some_over", "exit.best", "exit.val_accuracy", "exit.continue"},
        ["1 of 2 runs are over; best val accuracy 0.", "continue it: tui-trainer compare "],
    ),
    (a_comparison_in_its_first_epoch, {"exit.some_over", "exit.continue"}, ["1 of 2 runs are over\n"]),
    (
        a_comparison_of_one_run,
        {"exit.run_over", "exit.best", "exit.val_accuracy", "exit.again"},
        ["its run is over; best val accuracy 0.", "open it again: tui-trainer compare "],
    ),
    (a_comparison_that_has_not_begun, set(), []),
    (
        left,
        {"exit.trains_on", "exit.see", "exit.end"},
        [
            "night keeps training in the background.\n",
            "watch it: tui-trainer attach night",
            "end it:   tui-trainer stop night",
        ],
    ),
    (
        left_paused,
        {"exit.waits", "exit.see", "exit.end"},
        ["night is paused, and waits in the background.\n", "watch it: tui-trainer attach night"],
    ),
    (
        left_unnamed,
        {"exit.trains_on", "exit.unnamed", "exit.see"},
        ["The run keeps training in the background.\n", "watch it: tui-trainer attach --runs-dir /"],
    ),
    (
        killed,
        {"exit.killed", "exit.out_of_memory", "exit.got_to", "exit.continue"},
        [
            "tui-trainer was killed by SIGKILL, as the system does where memory runs out\n",
            "night: crashed after 60 steps\n",
            "continue it: tui-trainer resume ",
        ],
    ),
    (
        killed_behind_its_end,
        {"exit.killed", "exit.native", "exit.got_to", "exit.again"},
        ["tui-trainer was killed by SIGSEGV, an error in native code\n", "night: finished after 60 steps\n"],
    ),
    (
        killed_before_a_record,
        {"exit.killed", "exit.nothing_recorded"},
        ["tui-trainer was killed by SIGQUIT\n", "nothing was recorded yet\n"],
    ),
    (
        a_comparison_is_killed,
        {"exit.killed", "exit.continue"},
        ["tui-trainer was killed by SIGQUIT\n", "continue it: tui-trainer compare "],
    ),
]


@pytest.mark.says("exit.*")
@pytest.mark.never_says("exit.*")
@pytest.mark.parametrize(
    ("of", "ids", "words"),
    [pytest.param(*case, id=case[0].__name__) for case in CASES if case[1]],
)
def test_this_is_said_and_nothing_else(
    of: Callable[[Path], None],
    ids: set[str],
    words: list[str],
    tmp_path: Path,
    captions_said: set[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    of(tmp_path)
    told = "".join(capsys.readouterr())
    for each in words:
        assert each in told
    assert captions_said & IDS == ids


@pytest.mark.never_says("exit.*")
@pytest.mark.parametrize("of", [a_run_that_goes_on, a_comparison_that_has_not_begun])
def test_of_these_nothing_is_said(
    of: Callable[[Path], None], tmp_path: Path, captions_said: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    of(tmp_path)
    assert "".join(capsys.readouterr()) == ""
    assert captions_said & IDS == set()


def test_each_is_said_in_a_case() -> None:
    assert set().union(*(ids for _, ids, _ in CASES)) == IDS


@pytest.mark.says("exit.best")
def test_the_best_is_that_of_a_record_that_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = [record(tmp_path), record(tmp_path, scheduler="none", epochs=1)]
    best = max(event.val_accuracy for event in scripted_run() if type(event).__name__ == "EpochEnded")
    comparison = compared(tmp_path, made)
    of_comparison(comparison)
    assert f"best val accuracy {best:.4f}, steplr" in capsys.readouterr().out
    shutil.rmtree(made[0])
