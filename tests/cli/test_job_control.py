"""A shell that has the screen as one of its jobs: in the background, in front, suspended, and gone."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import SMALL
from tests.processes import started_by, still_runs
from tests.scripted_record import over
from tests.terminal import Terminal, trains
from tests.waiting import PATIENCE_S, until
from tui_trainer.run_sources.run_source import replay

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")]

PROMPT, INNER = "ready$", "inner$"
TUI = f"{sys.executable} -m tui_trainer"
LONG = " ".join(["--preset", "none", *SMALL, "--epochs", "4000"])
ON_SHOW = "q leave"
READ = "best val"
"""The record has been read: it is over, and leaving asks nothing."""
ALTERNATE_SCREEN, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"


def shell() -> Terminal:
    """A shell with job control on a terminal of its own."""
    return Terminal(command=["bash", "--norc", "--noprofile", "-i"], env={"PS1": f"{PROMPT} "})


def at_prompt(screen: str) -> bool:
    """Whether the shell waits for a command."""
    lines = [line.rstrip() for line in screen.splitlines() if line.strip()]
    return bool(lines) and lines[-1] == PROMPT


def jobs(bash: Terminal) -> list[psutil.Process]:
    """What the shell started that is this program."""
    return started_by(bash.pid, lambda job: "tui_trainer" in job.cmdline())


def all_stopped(bash: Terminal) -> bool:
    """Whether there are such jobs, and none of them goes on."""
    there = jobs(bash)
    stopped = started_by(bash.pid, lambda job: job.status() == psutil.STATUS_STOPPED)
    return bool(there) and set(there) <= set(stopped)


def until_stopped(bash: Terminal) -> None:
    """Wait until the job is, and until the shell has said so, which it does where the next command ends.

    After `bg` it may be as it was stopped before, and not go on until after this has looked: then once more.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        bash.until(lambda _: all_stopped(bash))
        bash.press("\n")
        try:
            bash.until(lambda screen: "Stopped" in screen and screen.rstrip().endswith((PROMPT, INNER)), seconds=2)
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        else:
            return


@pytest.fixture
def record(runs: Path) -> str:
    """A finished run to look at."""
    return over(runs, name="finished")


def only(runs: Path) -> Path:
    (folder,) = runs.iterdir()
    return folder


def test_a_viewer_started_in_the_background_waits_and_draws_once_it_is_in_front(record: str) -> None:
    with shell() as bash:
        bash.until(at_prompt)
        bash.press(f"{TUI} attach {record} &\n")
        until_stopped(bash)
        assert ALTERNATE_SCREEN not in bash.text
        bash.press("fg\n")
        bash.until(READ)
        bash.press("q")
        bash.until(at_prompt)
        assert b"Traceback" not in bash.text
        bash.press("echo code=$?\n")
        bash.until("code=0")


def test_a_run_launched_in_the_background_begins_once_it_is_in_front(runs: Path) -> None:
    with shell() as bash:
        bash.until(at_prompt)
        bash.press(f"{TUI} launch {LONG} &\n")
        until_stopped(bash)
        assert not runs.exists()
        bash.press("fg\n")
        bash.until(trains)
        until(lambda: runs.exists() and replay(only(runs)).steps > 0)
        bash.press("q")
        bash.until("background")
        bash.press("s")
        bash.until(at_prompt)
        assert b"Traceback" not in bash.text
    assert replay(only(runs)).status == "stopped"


@pytest.mark.parametrize("command", ["attach finished", f"launch {LONG} --exit-when-done"])
def test_ctrl_z_suspends_it_and_fg_shows_it_again(record: str, runs: Path, command: str) -> None:
    with shell() as bash:
        bash.until(at_prompt)
        cooked = bash.modes
        bash.press(f"{TUI} {command}\n")
        bash.until(ON_SHOW)
        for _ in range(2):
            bash.press("\x1a")
            until_stopped(bash)
            assert ON_SHOW not in bash.screen
            bash.press("stty -a | grep -o '[-]*icanon'\n")
            bash.until("icanon")
            assert "-icanon" not in bash.screen
            for off in (b"1000l", b"1003l", b"2004l", b"1049l"):
                assert bash.text.rindex(b"\x1b[?" + off) > bash.text.rindex(ALTERNATE_SCREEN)
            bash.press("clear\n")
            bash.press("fg\n")
            bash.until(lambda screen: ON_SHOW in screen and "loss.backward()" in screen)
        bash.press("q")
        if "launch" in command:
            bash.until("background")
            bash.press("s")
        bash.until(at_prompt)
        assert bash.modes == cooked
        assert b"Traceback" not in bash.text


def test_in_the_background_after_ctrl_z_it_waits_to_be_in_front(record: str) -> None:
    with shell() as bash:
        bash.until(at_prompt)
        bash.press(f"{TUI} attach\n")
        bash.until(ON_SHOW)
        bash.press("\x1a")
        until_stopped(bash)
        bash.press("clear\n")
        bash.press("bg\n")
        until_stopped(bash)
        assert ON_SHOW not in bash.screen
        bash.press("fg\n")
        bash.until(lambda screen: ON_SHOW in screen and "loss.backward()" in screen)
        bash.press("q")
        bash.until(at_prompt)


def test_without_a_shell_that_could_go_on_with_it_ctrl_z_only_draws_it_again(record: str) -> None:
    with Terminal("attach") as terminal:
        terminal.until(ON_SHOW)
        terminal.press("\x1a")
        terminal.until(lambda _: terminal.text.count(ALTERNATE_SCREEN) == 2)
        terminal.until(READ)
        terminal.press("q")
        assert terminal.wait() == 0


def test_stopped_and_continued_from_elsewhere_it_draws_itself_again(record: str) -> None:
    with Terminal("attach") as terminal:
        terminal.until(ON_SHOW)
        os.kill(terminal.pid, signal.SIGSTOP)
        until(lambda: psutil.Process(terminal.pid).status() == psutil.STATUS_STOPPED)
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.until(lambda _: terminal.text.count(ALTERNATE_SCREEN) == 2)
        terminal.until(READ)
        terminal.press("q")
        assert terminal.wait() == 0


@pytest.mark.parametrize("suspended", [True, False])
def test_when_its_shell_ends_a_suspended_run_stops_and_what_has_not_begun_ends(runs: Path, suspended: bool) -> None:
    """In a shell within a shell, so that the terminal is still there.

    Bash warns of what is suspended, and where one leaves all the same it tells that to end (SIGTERM) and to go on; the
    system tells it that nobody is left (SIGHUP) just then. The run is over in whichever order these are seen.
    """
    with shell() as bash:
        bash.until(at_prompt)
        bash.press("PS1='inner$ ' bash --norc --noprofile -i\n")
        bash.until(lambda screen: screen.rstrip().endswith(INNER))
        if suspended:
            bash.press(f"{TUI} launch {LONG}\n")
            bash.until(trains)
            until(lambda: runs.exists() and replay(only(runs)).steps > 0)
            bash.press("\x1a")
        else:
            bash.press(f"{TUI} launch {LONG} &\n")
        until_stopped(bash)
        started = jobs(bash)
        bash.press("clear; exit\n")
        bash.until("stopped jobs")
        bash.press("exit\n")
        bash.until(at_prompt)
        if suspended:
            until(lambda: replay(only(runs)).status == "stopped")
            assert (only(runs) / "checkpoints" / "last.pt").exists()
        until(lambda: not any(map(still_runs, started)))
        bash.press("echo all is well\n")
        bash.until("\nall is well")
        assert ON_SHOW not in bash.screen
    text = bash.text.split(b"exit\r\n")[-1]
    assert b"Traceback" not in text
    assert ALTERNATE_SCREEN not in text
