"""`watch` in a terminal: the command has one of its own, the screen is on it, and it outlives both."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.preloaded import run
from tests.processes import started_by
from tests.terminal import Terminal, trains
from tests.waiting import until
from tests.watch.watching import ACTING, ended, history, log_of, pid_of_command, recorder_of, the_run
from tests.watch.watching import trains as has_trained
from tui_trainer.watching.host import keyboard

pytestmark = pytest.mark.slow

Script = Callable[[str], list[str]]


@pytest.fixture
def watching(runs: Path, endless: list[str]) -> Iterator[tuple[Terminal, Path]]:
    """A screen on a command that trains until it is told to end, and the folder of its run."""
    with Terminal("watch", "--", *endless) as terminal:
        terminal.until(trains)
        folder = the_run(runs)
        yield terminal, folder
    if history(folder).ended is None:
        run("stop", folder.name)
    ended(folder)


def test_kept_in_the_background_it_goes_on_and_is_found_again(watching: tuple[Terminal, Path]) -> None:
    terminal, folder = watching
    terminal.press("q")
    terminal.until("keep it training in the background")
    terminal.press("k")
    assert terminal.wait() == 0
    assert f"watch it: tui-trainer attach {folder.name}" in terminal.screen
    step = has_trained(folder)
    has_trained(folder, step + 20)
    with Terminal("attach", folder.name) as other:
        other.until(trains)
        other.press("q")
        other.until("stop the run")
        other.press("s")
        assert other.wait() == 130
    assert ended(folder).status == "stopped"


def test_stopped_by_a_key_it_ends_at_a_step_and_has_its_own_exit_code(watching: tuple[Terminal, Path]) -> None:
    terminal, folder = watching
    terminal.press("q")
    terminal.until("stop it")
    terminal.press("s")
    assert terminal.wait() == 130
    goodbye = ended(folder)
    assert (goodbye.status, goodbye.exit_code) == ("stopped", 130)
    assert "interrupted" in log_of(folder)


def test_who_stays_stays(watching: tuple[Terminal, Path]) -> None:
    terminal, folder = watching
    terminal.press("q")
    terminal.until("Leave?")
    terminal.press("\x1b")
    terminal.until(lambda screen: "Leave?" not in screen)
    has_trained(folder, has_trained(folder) + 10)


@pytest.mark.parametrize("time", range(20))
def test_a_hang_up_ends_nothing(runs: Path, endless: list[str], time: int) -> None:
    """Before the screen is up, and after."""
    with Terminal("watch", "--", *endless) as terminal:
        if time % 2:
            terminal.until(trains)
        else:
            the_run(runs)
        terminal.close()
        terminal.wait()
    folder = the_run(runs)
    step = has_trained(folder)
    has_trained(folder, step + 20)
    assert run("stop", folder.name).returncode == 0
    assert ended(folder).status == "stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_screen_is_the_commands(watching: tuple[Terminal, Path], number: signal.Signals) -> None:
    terminal, folder = watching
    os.kill(terminal.pid, number)
    assert terminal.wait() == 128 + number
    assert ended(folder).exit_code == 128 + number


def test_what_it_prints_is_in_the_log_and_its_terminal_is_one(runs: Path, script: Script) -> None:
    text = """
import os, sys
print([os.isatty(fd) for fd in (0, 1, 2)], os.get_terminal_size())
print("\\x1b[31mred\\x1b[0m and \\x1b]0;a title\\x07plain")
for i in range(3): print(f"\\r{i} of 3", end="")
print()
print(open("/dev/tty").isatty())
"""
    with Terminal("watch", "--", *script(text), columns=97, lines=33, env={"COLUMNS": "80"}) as terminal:
        terminal.until("finished")
        terminal.press("q")
        assert terminal.wait() == 0
    assert log_of(the_run(runs)).splitlines() == [
        "[True, True, True] os.terminal_size(columns=97, lines=33)",
        "red and plain",
        "2 of 3",
        "True",
    ]


def test_what_is_typed_reaches_it_and_is_kept_nowhere(runs: Path, script: Script) -> None:
    text = """
import os, signal
size = []
signal.signal(signal.SIGWINCH, lambda *_: size.append(os.get_terminal_size()))
print(len(input()), flush=True)
while not size: signal.pause()
print(size[-1], flush=True)
try: input()
except KeyboardInterrupt: print("interrupted", flush=True)
"""
    done = run("watch", "--detach", "--", *script(text))
    folder = runs / done.stdout.strip()
    until(lambda: keyboard.takes_input(folder))
    assert keyboard.type_to(folder, b"a secret that is typed\n")
    until(lambda: "22" in log_of(folder))
    assert keyboard.resize(folder, 77, 22)
    until(lambda: "columns=77, lines=22" in log_of(folder))
    assert keyboard.type_to(folder, b"\x03")
    assert ended(folder).exit_code == 0
    assert "interrupted" in log_of(folder)
    until(lambda: not keyboard.takes_input(folder))
    assert not keyboard.type_to(folder, b"nobody reads this")
    kept = [path.name for path in folder.rglob("*") if path.is_file() and b"a secret" in path.read_bytes()]
    assert kept == []


def test_detached_it_prints_the_run_and_gives_the_shell_back(runs: Path) -> None:
    done = run("watch", "--detach", "--name", "apart", "--", *ACTING, "--steps", "40")
    assert done.returncode == 0
    folder = runs / done.stdout.strip()
    assert ended(folder).status == "finished"
    assert history(folder).last_step == 40


def test_killed_who_keeps_the_record_and_the_training_goes_on(runs: Path, tmp_path: Path) -> None:
    """So does what it prints; the record has crashed, and says so."""
    done = run("watch", "--detach", "--", *ACTING, "--steps", "60", "--seconds", "0.05")
    folder = runs / done.stdout.strip()
    has_trained(folder, 5)
    recorder_of(folder).kill()
    until(lambda: "done" in log_of(folder))
    assert '"status": "crashed"' in run("runs", "--json").stdout


def test_killed_who_waits_for_it_its_end_is_still_recorded(runs: Path, endless: list[str]) -> None:
    done = run("watch", "--detach", "--", *endless)
    folder = runs / done.stdout.strip()
    has_trained(folder, 5)
    command = psutil.Process(pid_of_command(folder))
    host = command.parent()
    assert host is not None
    if sys.platform == "linux":
        assert (host.name(), recorder_of(folder).name()) == ("tui-watch", "tui-watch")
        assert "python" in command.name()
    host.kill()  # its terminal goes with it, as with a shell's
    goodbye = ended(folder)
    assert (goodbye.status, goodbye.exit_code) == ("crashed", 1)
    assert "is not known" in goodbye.reason


def test_killed_who_moves_its_output_and_another_does(runs: Path, script: Script, tmp_path: Path) -> None:
    text = f"""
import os, time
print("begun", flush=True)
while not os.path.exists({str(tmp_path / "go")!r}): time.sleep(0.01)
for i in range(5000): print("a line that soon fills whatever lies between", i, flush=True)
print("all of it", flush=True)
"""
    done = run("watch", "--detach", "--", *script(text))
    folder = runs / done.stdout.strip()
    until(lambda: "begun" in log_of(folder))
    host = recorder_of(folder).parent()
    assert host is not None
    (pump,) = started_by(host.pid, lambda each: each.ppid() == host.pid and "/dev/ptmx" in _files(each))
    pump.kill()
    (tmp_path / "go").touch()
    until(lambda: "all of it" in log_of(folder))
    assert ended(folder).exit_code == 0


def test_its_terminal_follows_ours(runs: Path, script: Script) -> None:
    text = """
import os, time
while (size := os.get_terminal_size()).columns != 90: time.sleep(0.01)
print(size.lines)
"""
    with Terminal("watch", "--", *script(text), columns=100, lines=30) as other:
        other.until("tui-trainer")
        other.resize(90, 28)
        other.until("finished")
        other.press("q")
        assert other.wait() == 0


def _files(process: psutil.Process) -> list[str]:
    folder = Path(f"/proc/{process.pid}/fd")
    return [str(link.readlink()) for link in folder.iterdir() if link.is_symlink()]


def test_the_exit_code_is_the_commands_though_its_record_broke_off(runs: Path) -> None:
    command = [*ACTING, "--steps", "60", "--seconds", "0.05", "--exit", "4"]
    with Terminal("watch", "--", *command) as terminal:
        terminal.until(trains)
        folder = the_run(runs)
        recorder_of(folder).kill()
        terminal.until("crashed")
        until(lambda: "done" in log_of(folder))
        until(lambda: not [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == command])
        terminal.press("q")
        assert terminal.wait() == 4
