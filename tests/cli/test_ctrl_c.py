"""One ctrl+c, or one SIGINT to the process that the shell waits for, at every moment of a start and of an end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import SMALL
from tests.terminal import Terminal
from tests.waiting import until
from tui_trainer.run_sources.run_source import replay

pytestmark = pytest.mark.slow

LONG = ["--preset", "none", *SMALL, "--epochs", "4000"]

HELD = """
import functools, os, sys, time
from pathlib import Path

FOLDER = Path(sys.argv.pop(1))

def stand_still():
    (FOLDER / "here").touch()
    while not (FOLDER / "go").exists():
        time.sleep(0.01)

def first(function):
    @functools.wraps(function)
    def held(*arguments, **options):
        stand_still()
        return function(*arguments, **options)
    return held

def count(function):
    @functools.wraps(function)
    def counted(*arguments, **options):
        with open(FOLDER / "told", "a") as file:
            file.write("told\\n")
        return function(*arguments, **options)
    return counted

import tui_trainer.cli.launch
import tui_trainer.cli.compare
from tui_trainer.cli import main, signal_handlers
{}
main()
"""
"""A command that stands still at one moment, once, until it is told to go on."""

COUNTED = """
from tui_trainer.ui.leaving import Leaving
Leaving.told = count(Leaving.told)
"""
HOLD_THE_APP = """
from tui_trainer.ui.app import TrainerApp
TrainerApp.{0} = first(TrainerApp.{0})
"""
MOMENTS = {
    "before there are two processes": "os.fork = first(os.fork)",
    "as the second one begins": """
def forked(fork=os.fork):
    child = fork()
    if child == 0:
        stand_still()
    return child
os.fork = forked
""",
    "before the first one waits for it": """
def forked(fork=os.fork):
    child = fork()
    if child != 0:
        stand_still()
    return child
os.fork = forked
""",
    "as the program is loaded": """
from tui_trainer.ui import show
import importlib.abc
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "tui_trainer.ui.app":
            stand_still()
sys.meta_path.insert(0, Finder())
""",
    "as the terminal is taken over": """
from tui_trainer.ui.terminal.terminal import Terminal
Terminal._take_over = first(Terminal._take_over)
""",
    "as the app is made": HOLD_THE_APP.format("__init__") + COUNTED,
    "as the app begins": HOLD_THE_APP.format("run") + COUNTED,
}


def held(at: str, folder: Path, *arguments: str, preloaded: bool = False) -> Terminal:
    """A command that stands still at a moment; where that is one of its start, in an interpreter of its own."""
    code = HELD.replace("{}", at)
    return Terminal(code, str(folder), *arguments, module="tests.cli.held", preloaded=preloaded)


def interrupt(terminal: Terminal, how: str) -> None:
    """Once, and wait until it has come."""
    if how == "typed":
        terminal.press("\x03")
        terminal.until(lambda _: b"^C" in terminal.text)  # written by the terminal, wherever its cursor stands
    else:
        os.kill(terminal.pid, signal.SIGINT)


@pytest.mark.parametrize("how", ["typed", "sent"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_before_there_is_a_screen_it_ends_the_launch(runs: Path, tmp_path: Path, moment: str, how: str) -> None:
    loaded = moment != "as the program is loaded"
    with held(MOMENTS[moment], tmp_path, "launch", *LONG, preloaded=loaded) as terminal:
        modes = terminal.modes_before
        until((tmp_path / "here").exists)
        interrupt(terminal, how)
        (tmp_path / "go").touch()
        assert terminal.wait() == 130
        assert terminal.modes == modes
        assert b"Traceback" not in terminal.text
    if (tmp_path / "told").exists():  # the keyboard sends it to both processes
        assert (tmp_path / "told").read_text() == "told\n"
    for run in runs.glob("*") if runs.exists() else ():
        assert replay(run).status == "stopped"


@pytest.mark.parametrize("moment", ["before there are two processes", "as the second one begins"])
def test_whoever_started_it_may_have_ignored_it(runs: Path, tmp_path: Path, moment: str) -> None:
    """As a shell does for what it starts in the background."""
    ignored = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    with held(f"{ignored}\n{MOMENTS[moment]}", tmp_path, "launch", *LONG, preloaded=True) as terminal:
        until((tmp_path / "here").exists)
        interrupt(terminal, "typed")
        (tmp_path / "go").touch()
        assert terminal.wait() == 130
    assert not runs.exists()


@pytest.mark.parametrize("how", ["typed", "sent"])
@pytest.mark.parametrize("moment", ["as the app is made", "as the app begins"])
def test_before_there_is_a_screen_it_ends_a_comparison(runs: Path, tmp_path: Path, moment: str, how: str) -> None:
    arguments = ["compare", "none", "steplr", *SMALL, "--epochs", "4000"]
    with held(MOMENTS[moment], tmp_path, *arguments, preloaded=True) as terminal:
        until((tmp_path / "here").exists)
        interrupt(terminal, how)
        (tmp_path / "go").touch()
        assert terminal.wait() == 130
        assert b"Traceback" not in terminal.text
    assert (tmp_path / "told").read_text() == "told\n"


def test_typed_before_the_first_frame_it_is_a_key_that_asks(runs: Path, tmp_path: Path) -> None:
    with held(HOLD_THE_APP.format("on_mount"), tmp_path, "launch", *LONG, preloaded=True) as terminal:
        until((tmp_path / "here").exists)
        terminal.press("\x03")
        (tmp_path / "go").touch()
        terminal.until("Leave?")
        terminal.press("s")
        assert terminal.wait() == 0


def test_sent_before_the_first_frame_it_stops_the_run(runs: Path, tmp_path: Path) -> None:
    with held(HOLD_THE_APP.format("on_mount"), tmp_path, "launch", *LONG, preloaded=True) as terminal:
        until((tmp_path / "here").exists)
        os.kill(terminal.pid, signal.SIGINT)
        (tmp_path / "go").touch()
        assert terminal.wait() == 130


def records(runs: Path) -> list[Path]:
    """Of the runs, and of no comparison."""
    return [file.parent for file in runs.glob("*/events.jsonl")]


def trains(runs: Path) -> bool:
    return any(replay(run).steps for run in records(runs))


AT_THE_END = """
from tui_trainer.ui.app import TrainerApp
def run(self, *arguments, run=TrainerApp.run, **options):
    code = run(self, *arguments, **options)
    stand_still()
    return code
TrainerApp.run = run
"""


@pytest.mark.parametrize("how", ["typed", "sent"])
def test_as_a_screen_is_left_it_stops_what_would_train_on(runs: Path, tmp_path: Path, how: str) -> None:
    with held(AT_THE_END, tmp_path, "launch", *LONG, preloaded=True) as terminal:
        terminal.until("training")
        terminal.until(lambda _: trains(runs))
        terminal.press("q")
        terminal.until("Leave?")
        terminal.press("k")
        terminal.until(lambda _: (tmp_path / "here").exists())
        interrupt(terminal, how)
        (tmp_path / "go").touch()
        terminal.wait()
        (run,) = runs.iterdir()
        until(lambda: replay(run).status == "stopped")


AS_THE_SECOND_ONE_LEAVES = """
import signal, threading
def heard():  # that the second process left the terminal: whoever listens to it ends then
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join()
"""
TOO_LATE = {
    "taken before, and not passed on yet": """
def sigwaitinfo(numbers, wait=signal.sigwaitinfo):
    told = wait(numbers)
    if told.si_signo == signal.SIGINT:
        (FOLDER / "go").touch()
        heard()
    return told
""",
    "still to be taken": """
def sigwaitinfo(numbers, wait=signal.sigwaitinfo):
    told = wait(numbers)
    if told.si_signo == signal.SIGCHLD:
        heard()
        os.kill(os.getpid(), signal.SIGINT)
    return told
""",
}


@pytest.mark.skipif(not hasattr(signal, "sigwaitinfo"), reason="how it waits elsewhere is not held up here")
@pytest.mark.parametrize("when", TOO_LATE)
def test_what_the_first_process_has_not_passed_on_as_the_second_leaves_is_passed_on_before_it_ends(
    runs: Path, tmp_path: Path, when: str
) -> None:
    slow = f"{AT_THE_END}{AS_THE_SECOND_ONE_LEAVES}{TOO_LATE[when]}signal.sigwaitinfo = sigwaitinfo\n"
    with held(slow, tmp_path, "launch", *LONG, preloaded=True) as terminal:
        terminal.until("training")
        terminal.press("q")
        terminal.until("Leave?")
        terminal.press("k")
        terminal.until(lambda _: (tmp_path / "here").exists())
        if when == "still to be taken":
            (tmp_path / "go").touch()
        else:
            os.kill(terminal.pid, signal.SIGINT)
        assert terminal.wait() == 0
        (run,) = runs.iterdir()
        until(lambda: replay(run).status == "stopped")


@pytest.mark.parametrize("opened", ["by its command", "in the app"])
def test_as_the_screen_of_a_comparison_is_left_it_stops_what_would_train_on(
    runs: Path, tmp_path: Path, opened: str
) -> None:
    """With a last checkpoint, and not as a process that is cut off."""
    options = [*SMALL, "--epochs", "4000"]
    command = ["compare", "none", "steplr", *options] if opened == "by its command" else ["launch", *options]
    with held(AT_THE_END, tmp_path, *command, preloaded=True) as terminal:
        if opened == "in the app":
            terminal.until("presets")
            terminal.press("  c")
        terminal.until(lambda _: trains(runs))
        terminal.press("q")
        terminal.until("Leave?")
        terminal.press("k")
        terminal.until(lambda _: (tmp_path / "here").exists())
        os.kill(terminal.pid, signal.SIGINT)
        (tmp_path / "go").touch()
        terminal.wait()
        until(lambda: [replay(run).status for run in records(runs)] == ["stopped"])


def test_a_terminal_that_is_closed_before_there_is_an_app_leaves_nothing_behind(runs: Path, tmp_path: Path) -> None:
    """The run goes on without a screen, and the process ends with it."""
    with held(MOMENTS["as the app is made"], tmp_path, "launch", *LONG[:-1], "3", preloaded=True) as terminal:
        until((tmp_path / "here").exists)
        terminal.close()
        (tmp_path / "go").touch()
        until(lambda: runs.exists() and any(replay(run).status == "finished" for run in runs.iterdir()))
        assert terminal.wait() == 0
