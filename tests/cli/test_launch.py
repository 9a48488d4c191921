"""The app in a real terminal: from launch to finish, left in all the ways there are."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests import preloaded
from tests.cli.conftest import SMALL
from tests.exported import without_clock
from tests.terminal import Terminal, trains
from tests.waiting import until
from tui_trainer.commands import Stop
from tui_trainer.events import RunEnded, StepsTaken
from tui_trainer.records.inbox import send
from tui_trainer.records.lock import is_live
from tui_trainer.records.tail import Tail

LONG = [*SMALL, "--epochs", "4000"]
LEFT_CLEAN = b"\x1b[?1049l"
"""The last word to a terminal: back from the alternate screen."""


def only(runs: Path) -> Path:
    (folder,) = runs.iterdir()
    return folder


def steps_and_end(run: Path) -> tuple[int, RunEnded | None]:
    steps, ended = 0, None
    with Tail(run / "events.jsonl") as tail:
        for event in tail:
            if isinstance(event, StepsTaken):
                steps = event.step + len(event.losses) - 1
            elif isinstance(event, RunEnded):
                ended = event
    return steps, ended


def test_from_launch_to_finish(runs: Path) -> None:
    with Terminal(
        "launch", "--preset", "onecycle", *SMALL, "--epochs", "5", "--exit-when-done", preloaded=False
    ) as terminal:
        terminal.until("importing torch")
        assert terminal.wait() == 0
        said = terminal.text.split(LEFT_CLEAN)[-1].decode()
    assert f"{only(runs).name}: finished: 5 of 5 epochs in " in said
    assert "best val accuracy 0." in said
    assert f"tui-trainer attach {only(runs).name}\r\n" in said
    steps, ended = steps_and_end(only(runs))
    assert steps == 20
    assert ended is not None
    assert (ended.status, ended.exit_code) == ("finished", 0)


@pytest.mark.slow
def test_the_screen_shows_the_run_and_leaves_its_numbers_as_they_are(runs: Path) -> None:
    with Terminal("launch", "--preset", "steplr", *SMALL, "--epochs", "7", "--name", "screen") as terminal:
        words = (
            "finished",
            "steplr",
            "mlp",
            "mnist-5k",
            "loss",
            "lr",
            "epochs",
            "loss.backward()",
            "scheduler.step()",
            "best val",
        )
        terminal.until(lambda screen: all(word in screen for word in words))
        terminal.press("q")
        assert terminal.wait() == 0
        assert b"screen: finished: 7 of 7 epochs" in terminal.text.split(LEFT_CLEAN)[-1]
    with Terminal("attach", "screen", "--runs-dir", str(runs), env={"TUI_TRAINER_RUNS": ""}) as again:
        again.until("best val")
        again.press("q")
        assert again.wait() == 0
        said = again.text.split(LEFT_CLEAN)[-1].decode()
    assert "screen: finished: 7 of 7 epochs" in said
    assert f"tui-trainer attach {only(runs).name} --runs-dir {runs}" in said
    assert preloaded.run("run", "--preset", "steplr", *SMALL, "--epochs", "7", "--name", "none").returncode == 0
    numbers = []
    for name in ("screen", "none"):
        preloaded.run("export", name, "--out", str(runs.parent / name))
        numbers.append(without_clock(runs.parent / name / "steps.csv"))
    assert numbers[0] == numbers[1]
    assert len(numbers[0]) == 28


@pytest.mark.slow
def test_left_training_it_gives_the_prompt_back_and_goes_on_and_can_be_watched_and_stopped(runs: Path) -> None:
    with Terminal("launch", "--preset", "none", *LONG) as terminal:
        terminal.until(trains)
        terminal.press("q")
        terminal.until("background")
        terminal.press("k")
        assert terminal.wait() == 0
        assert b"tui-trainer attach" in terminal.text
    run = only(runs)
    assert is_live(run)
    with Terminal("attach") as second:
        second.until(trains)
        second.press(" ")
        second.until("paused")
        assert "paused" in preloaded.run("runs").stdout
        second.press("q")
        second.until("The run is paused, in another process.")
        second.press("l")
        assert second.wait() == 0
    assert "going on" in preloaded.run("resume", run.name).stdout
    assert "stopping after step" in preloaded.run("stop", run.name).stdout
    _, ended = _until_ended(run)
    assert (ended.status, ended.reason) == ("stopped", "stopped from the shell")


@pytest.mark.slow
def test_left_paused_it_is_said_to_wait_and_not_to_train(runs: Path) -> None:
    with Terminal("launch", "--preset", "none", *LONG, "--name", "night") as terminal:
        terminal.until(trains)
        terminal.press(" ")
        terminal.until("paused")
        terminal.press("q")
        terminal.until("none is paused, and not over.")
        terminal.press("k")
        assert terminal.wait() == 0
        said = terminal.text.split(LEFT_CLEAN)[-1].decode()
    run = only(runs)
    assert f"{run.name} is paused, and waits in the background." in said
    assert "keeps training" not in said
    assert f"watch it: tui-trainer attach {run.name}\r\n" in said
    assert "training goes on" not in (run / "log.txt").read_text()
    done = preloaded.run("stop", run.name)
    assert done.returncode == 0
    until(lambda: not is_live(run))


@pytest.mark.slow
def test_closed_before_it_trains_it_trains_to_its_end(runs: Path) -> None:
    with Terminal("launch", "--preset", "none", *SMALL, "--epochs", "5", preloaded=False) as terminal:
        terminal.until("importing torch")
        terminal.close()
        terminal.wait()
        run = _until_begun(runs)
        steps, ended = _until_ended(run)
    assert (steps, ended.status) == (20, "finished")
    assert "without a terminal" in (run / "log.txt").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["training", "dialog"])
def test_a_closed_terminal_ends_no_run(runs: Path, moment: str) -> None:
    with Terminal("launch", "--preset", "none", *LONG) as terminal:
        terminal.until(trains)
        if moment == "dialog":
            terminal.press("q")
            terminal.until("background")
        terminal.close()
        terminal.wait()
        run = only(runs)
        until(lambda: "without a terminal" in (run / "log.txt").read_text())
        at, _ = steps_and_end(run)
        until(lambda: steps_and_end(run)[0] > at)
        send(run, Stop(by="test"))
        _, ended = _until_ended(run)
    assert ended.status == "stopped"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_run_with_a_checkpoint_and_leaves_the_terminal_clean(runs: Path, number: int) -> None:
    with Terminal("launch", "--preset", "none", *LONG) as terminal:
        terminal.until(trains)
        run = _until_begun(runs)
        os.kill(_pid(run), number)
        assert terminal.wait() == 128 + number
        assert LEFT_CLEAN in terminal.text
    steps, ended = steps_and_end(run)
    assert ended is not None
    assert (ended.status, ended.exit_code, ended.step) == ("stopped", 128 + number, steps)
    assert (run / "checkpoints" / "last.pt").is_file()


@pytest.mark.slow
def test_a_terminal_too_small_is_told_so_and_the_run_goes_on(runs: Path) -> None:
    arguments = ("launch", "--preset", "none", *SMALL, "--epochs", "3", "--exit-when-done")
    with Terminal(*arguments, columns=40, lines=10) as terminal:
        terminal.until(lambda screen: "60 columns and 5" in screen)
        assert terminal.wait() == 0
    assert steps_and_end(only(runs))[0] == 12


@pytest.mark.slow
def test_bad_data_is_said_after_the_screen_is_left(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    arguments = ("launch", "--preset", "none", "--dataset", "mnist", "--data-dir", str(tmp_path / "data"))
    with Terminal(*arguments, "--exit-when-done") as terminal:
        assert terminal.wait() == 2
        said = terminal.text.split(LEFT_CLEAN)[-1]
        assert said.count(b"mnist is not in") == 1
        assert b"tui-trainer attach" not in said
    assert not runs.exists()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["launch", "attach"])
def test_without_a_terminal_it_says_what_to_use_instead(command: str, runs: Path) -> None:
    done = preloaded.run(command)
    assert done.returncode == 2
    assert f"{command} needs a terminal" in done.stderr
    assert "tui-trainer run" in done.stderr


@pytest.mark.slow
def test_run_is_stopped_by_a_signal_and_resumed_to_the_same_end(runs: Path) -> None:
    whole = [*SMALL, "--epochs", "40"]
    command = ("run", "--preset", "onecycle", *whole, "--name", "stopped")
    with preloaded.Running(*command, stdout=subprocess.PIPE) as running:
        run = _until_begun(runs)
        until(lambda: steps_and_end(run)[0] >= 10)
        running.terminate()
        assert running.wait() == 143
        assert running.stdout is not None
        assert b"stopped by SIGTERM" in running.stdout.read()
    resumed = preloaded.run("resume", "stopped")
    assert resumed.returncode == 0, resumed.stderr
    (listed,) = json.loads(preloaded.run("runs", "--json").stdout)
    assert (listed["status"], listed["epochs_done"], listed["steps_done"]) == ("finished", 40, 160)

    assert preloaded.run("run", "--preset", "onecycle", *whole, "--name", "whole").returncode == 0
    numbers = []
    for name in ("stopped", "whole"):
        preloaded.run("export", name, "--out", str(runs.parent / name))
        numbers.append(without_clock(runs.parent / name / "steps.csv"))
    assert numbers[0] == numbers[1]


def _until_begun(runs: Path) -> Path:
    until(lambda: runs.is_dir() and any((folder / "events.jsonl").is_file() for folder in runs.iterdir()))
    return only(runs)


def _until_ended(run: Path) -> tuple[int, RunEnded]:
    until(lambda: not is_live(run))
    steps, ended = steps_and_end(run)
    assert ended is not None
    return steps, ended


def _pid(run: Path) -> int:
    return int((run / "lock").read_text().split()[0])
