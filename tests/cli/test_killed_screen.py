"""The process behind the screen is killed, or told to end by way of the one that the shell waits for."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import SMALL
from tests.terminal import Terminal, trains
from tests.waiting import until
from tui_trainer.records.lock import is_live
from tui_trainer.run_sources.run_source import replay

pytestmark = pytest.mark.slow

LONG = ["--preset", "none", *SMALL, "--epochs", "4000"]
LAUNCH = [sys.executable, "-m", "tui_trainer", "launch", *LONG]
LEFT = b"\x1b[?1049l"


def only(runs: Path) -> Path:
    (folder,) = (folder for folder in runs.iterdir() if folder.name != "sessions")
    return folder


def until_trained(terminal: Terminal, runs: Path) -> Path:
    """Wait for the run's first steps while its screen is read; the run's folder."""
    terminal.until(trains)
    terminal.until(lambda _: runs.exists() and replay(only(runs)).steps > 0)
    return only(runs)


def program(terminal: Terminal) -> psutil.Process:
    """What draws and trains; the shell waits for another process."""
    (child,) = psutil.Process(terminal.pid).children()
    return child


def assert_restored(terminal: Terminal, modes: object) -> str:
    """The terminal is as it was before; what was said after the screen."""
    assert terminal.modes == modes
    for off in (b"1000l", b"1003l", b"1006l", b"2004l", b"1004l"):
        assert terminal.text.rindex(b"\x1b[?" + off) > terminal.text.rindex(b"\x1b[?1049h")
    said = terminal.text.split(LEFT)[-1].decode()
    assert "Traceback" not in said
    return said


def test_a_run_whose_process_is_killed_leaves_the_terminal_clean_and_says_how_to_go_on(runs: Path) -> None:
    with Terminal("launch", *LONG, "--name", "night") as terminal:
        modes = terminal.modes_before
        run = until_trained(terminal, runs)
        program(terminal).kill()
        assert terminal.wait() == 137
        said = assert_restored(terminal, modes)
    assert "killed by SIGKILL" in said
    assert "where memory runs out" in said
    assert "night: crashed after " in said
    assert f"tui-trainer resume {run.name}\r\n" in said


def test_killed_before_anything_was_recorded_it_says_so(runs: Path) -> None:
    with Terminal("launch") as terminal:
        modes = terminal.modes_before
        terminal.until("choose a preset")
        program(terminal).send_signal(signal.SIGSEGV)
        assert terminal.wait() == 139
        said = assert_restored(terminal, modes)
    assert "killed by SIGSEGV, an error in native code" in said
    assert "nothing was recorded" in said
    assert "resume" not in said


def test_killed_after_its_run_has_finished_it_says_how_to_see_that_again(runs: Path) -> None:
    with Terminal("launch", "--preset", "none", *SMALL, "--epochs", "2") as terminal:
        modes = terminal.modes_before
        terminal.until("finished")
        until(lambda: not is_live(only(runs)))
        program(terminal).kill()
        assert terminal.wait() == 137
        said = assert_restored(terminal, modes)
    assert f"tui-trainer attach {only(runs).name}\r\n" in said
    assert "resume" not in said


def test_a_comparison_whose_process_is_killed_says_how_to_go_on(runs: Path) -> None:
    with Terminal("compare", "none", "steplr", *SMALL, "--epochs", "4000") as terminal:
        modes = terminal.modes_before
        terminal.until(lambda _: runs.exists() and len(list(runs.iterdir())) > 1)
        terminal.until("q leave")
        program(terminal).kill()
        assert terminal.wait() == 137
        said = assert_restored(terminal, modes)
    (session,) = (runs / "sessions").iterdir()
    assert f"tui-trainer compare {session.name}\r\n" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_process_that_the_shell_waits_for_is_passed_on(runs: Path, number: int) -> None:
    with Terminal("launch", *LONG) as terminal:
        modes = terminal.modes_before
        run = until_trained(terminal, runs)
        os.kill(terminal.pid, number)
        assert terminal.wait() == 128 + number
        said = assert_restored(terminal, modes)
    assert f"stopped by {signal.Signals(number).name}" in said
    assert "killed" not in said
    assert replay(run).status == "stopped"


def test_a_signal_to_the_process_that_the_shell_waits_for_ends_a_comparison(runs: Path) -> None:
    with Terminal("compare", "none", "steplr", *SMALL, "--epochs", "4000") as terminal:
        terminal.until("q leave")
        terminal.until(lambda _: runs.exists() and len(list(runs.iterdir())) > 1)
        os.kill(terminal.pid, signal.SIGINT)
        assert terminal.wait() == 130
    assert replay(only(runs)).status == "stopped"


@pytest.mark.parametrize("to", ["program", "outer"])
def test_told_to_hang_up_while_the_terminal_is_there_it_trains_on_and_leaves_that_clean(runs: Path, to: str) -> None:
    with Terminal("launch", *LONG) as terminal:
        modes = terminal.modes_before
        run = until_trained(terminal, runs)
        child = program(terminal)
        os.kill(terminal.pid if to == "outer" else child.pid, signal.SIGHUP)
        assert terminal.wait() == 0
        assert_restored(terminal, modes)
        at = replay(run).steps
        until(lambda: replay(run).steps > at)
        child.terminate()
        until(lambda: replay(run).status == "stopped")
    assert "the terminal is gone" in (run / "log.txt").read_text()


def test_without_the_process_that_the_shell_waits_for_it_leaves_the_terminal_and_trains_on(runs: Path) -> None:
    with Terminal(command=["sh", "-c", "trap '' INT; \"$@\"; echo outer=$?; read line", "sh", *LAUNCH]) as terminal:
        modes = terminal.modes_before
        run = until_trained(terminal, runs)
        (outer,) = psutil.Process(terminal.pid).children()
        (child,) = outer.children()
        outer.kill()
        terminal.until(lambda _: b"outer=137" in terminal.text)
        terminal.until(lambda _: LEFT in terminal.text and terminal.modes == modes)  # in this order, with time between
        assert_restored(terminal, modes)
        at = replay(run).steps
        until(lambda: replay(run).steps > at)
        child.terminate()
        until(lambda: replay(run).status == "stopped")
