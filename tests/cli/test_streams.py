"""Standard streams that are closed, full, or read by nobody: no traceback, an honest exit code; training goes on."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import preloaded
from tests.cli.conftest import SMALL, with_broken_torch
from tests.cli.test_nothing_obeyed import all_commands
from tests.compare.made import record
from tests.terminal import Terminal
from tests.waiting import PATIENCE_S
from tui_trainer.cli import main
from tui_trainer.records.run_index import summaries
from tui_trainer.run_sources.run_source import replay
from tui_trainer.text.output import Output

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, "-m", "tui_trainer"]
TRAINS = ["--preset", "none", *SMALL, "--epochs", "2"]

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")

COMMANDS: dict[str, tuple[list[str], int]] = {
    "launch": (TRAINS, 2),
    "run": (TRAINS, 0),
    "watch": (["--plain", "--", "true"], 0),
    "rerun": (["RUN"], 2),
    "attach": (["RUN"], 2),
    "compare": (["RUN", "OTHER"], 0),
    "runs": ([], 0),
    "stream": (["RUN", "--json"], 0),
    "export": (["RUN", "--out", "out"], 0),
    "stop": (["RUN"], 1),
    "pause": (["RUN"], 1),
    "resume": (["no-such-run"], 2),
    "checkpoint": (["RUN"], 1),
    "switch": (["RUN", "none"], 1),
    "lr": (["RUN", "0.1"], 1),
    "epochs": (["RUN", "3"], 1),
    "ask": (["RUN", '{"type": "OneBatch", "by": "x"}'], 1),
    "rename": (["no-such-run", "x"], 2),
    "delete": (["no-such-run", "--yes"], 2),
    "prune": (["--status", "crashed", "--yes"], 0),
    "find-lr": (["none", "--model", "mlp", "--limit-train", "200", "--threads", "1", "--device", "cpu"], 0),
    "presets list": ([], 0),
    "presets show": (["steplr"], 0),
    "presets check": (["steplr"], 0),
    "presets plan": (["steplr"], 0),
    "serve": (["--", "launch", "--preset", "nothing", "--no-such"], 2),
    "completion": (["bash"], 0),
    "doctor": ([], 0),
}
"""What is asked of each, and its exit code where it is no screen that it draws on."""

NEW = ("attach", "run", "runs", "stop", "watch")
"""Of these a new interpreter is run: what it makes of its streams does not hang on what it is asked."""

FIRST_OF_ALL = "tests.cli.closing"
"""Closes streams before there is an interpreter."""
IN_A_FORK = "tests.cli.closed"
"""Closes them where all is loaded: that it is loaded without them, the others show."""


def test_every_command_is_asked_something_here() -> None:
    assert set(COMMANDS) == set(all_commands(main))


@pytest.fixture
def words(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[str]:
    """The command of a test's parameter, with runs that are there."""
    monkeypatch.chdir(tmp_path)
    root = str(Path(__file__).parents[2])
    is_doctor = request.param == "doctor"  # which needs no torch to say what it sees of it
    monkeypatch.setenv("PYTHONPATH", with_broken_torch(tmp_path / "broken", "not asked here") if is_doctor else root)
    names = {"RUN": record(runs, epochs=2, batches=5).name, "OTHER": record(runs, epochs=2, batches=5, seed=1).name}
    command: str = request.param
    return [*command.split(), *(names.get(each, each) for each in COMMANDS[command][0])]


@pytest.mark.parametrize(
    ("words", "code", "closed", "module"),
    [
        pytest.param(
            name,
            code,
            closed,
            FIRST_OF_ALL if name in NEW and (name, closed) != ("run", (0, 1)) else IN_A_FORK,
            id=f"{name} {closed}",
        )
        for number, (name, (_, code)) in enumerate(COMMANDS.items())
        for closed in ([(0, 1), (0, 2)] if name in NEW else [((0, 1), (0, 2))[number % 2]])  # the others in turn
    ],
    indirect=["words"],
)
def test_any_of_the_three_may_be_closed(words: list[str], code: int, closed: tuple[int, ...], module: str) -> None:
    done = preloaded.run(",".join(map(str, closed)), *words, module=module)
    said = {1: done.stdout, 2: done.stderr}
    assert "Traceback" not in said[1] + said[2], said
    assert done.returncode == code, said
    assert not any(said[number] for number in closed if number), said
    if code and 2 not in closed:
        assert said[2]


@pytest.mark.parametrize("closed", ["0", "1"])
@pytest.mark.parametrize("command", [["launch", *TRAINS], ["launch"], ["attach"]], ids=" ".join)
def test_a_screen_is_not_drawn_without_a_keyboard_or_a_place(runs: Path, command: list[str], closed: str) -> None:
    with Terminal(closed, *command, module=FIRST_OF_ALL) as terminal:
        assert terminal.wait() == 2
    assert b"needs a terminal" in terminal.text
    assert b"\x1b[?1049h" not in terminal.text
    assert not runs.exists()


def test_a_screen_needs_no_standard_error(runs: Path) -> None:
    with Terminal("2", "launch", *TRAINS, "--exit-when-done", module=IN_A_FORK) as terminal:
        terminal.until("val accuracy")
        assert terminal.wait() == 0
    assert b"Traceback" not in terminal.text
    assert [run.status for run in summaries(runs)] == ["finished"]
    with Terminal("2", "attach", module=FIRST_OF_ALL) as terminal:
        terminal.until("finished")
        terminal.press("q")
        assert terminal.wait() == 0


@needs_full
@pytest.mark.parametrize(
    "words",
    [name for name, (_, code) in COMMANDS.items() if code == 0 and name not in ("run", "presets check", "watch")],
    indirect=True,
)
def test_where_what_it_prints_cannot_be_written_a_command_says_so(words: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        if words[0] in NEW:  # at its end an interpreter writes what is left
            done = subprocess.run(
                [*PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S
            )
        else:
            done = preloaded.run(*words, stdout=full)
    assert done.returncode == 1
    assert done.stderr.splitlines().count("what it prints cannot be written: No space left on device") == 1
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@needs_full
@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["run", "--help"], ["presets", "plan", "--help"]], ids=str
)
def test_help_that_cannot_be_written_is_told_of_too(words: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "what it prints cannot be written: No space left on device\n"


@needs_full
@pytest.mark.parametrize("form", [[], ["--json"]], ids=str)
def test_training_goes_on_to_its_end_where_what_is_printed_cannot_be_written(runs: Path, form: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = preloaded.run("run", *TRAINS, *form, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "what it prints cannot be written: No space left on device\n"
    (run,) = summaries(runs)
    assert (run.status, run.epochs_done) == ("finished", 2)
    assert "nobody reads" not in (Path(run.folder) / "log.txt").read_text()
    assert "finished" in (Path(run.folder) / "log.txt").read_text()


@needs_full
def test_a_comparison_goes_on_to_its_end_too(runs: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = preloaded.run("compare", "steplr", "none", *SMALL, "--epochs", "1", stdout=full)
    assert done.returncode == 1
    assert done.stderr.endswith("what it prints cannot be written: No space left on device\n")
    assert [run.status for run in summaries(runs)] == ["finished", "finished"]


@needs_full
def test_warnings_that_cannot_be_written_stop_no_training(runs: Path) -> None:
    record(runs, epochs=2, batches=5, name="twice")
    with Path("/dev/full").open("wb") as full:
        done = preloaded.run("run", *TRAINS, "--name", "twice", stderr=full)
    assert [run.status for run in summaries(runs)] == ["finished", "finished"]
    assert "finished" in done.stdout
    assert done.returncode == 1


def test_a_reader_that_is_gone_is_no_fault(runs: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody:
        done = preloaded.run("run", *TRAINS, stdout=nobody)
    assert (done.returncode, done.stderr) == (0, "")
    (run,) = summaries(runs)
    assert replay(Path(run.folder)).status == "finished"


def test_a_pipe_that_does_not_wait_gets_all_of_it(runs: Path) -> None:
    command = ("presets", "plan", "onecycle", "--epochs", "200")
    whole = preloaded.run(*command).stdout.encode()
    assert len(whole) > 100_000
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with preloaded.Running(*command, stdout=writer) as running, os.fdopen(reader, "rb") as pipe:
        os.close(writer)
        assert pipe.read() == whole
        assert running.wait() == 0


class _Disk(io.RawIOBase):
    """A file on a disk that is full for some writes."""

    def __init__(self, full_for: int) -> None:
        self.content = b""
        self._full_for = full_for

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        if self._full_for:
            self._full_for -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        assert isinstance(data, memoryview | bytes)
        self.content += bytes(data)
        return len(bytes(data))


@pytest.mark.says("shell.unwritable")
@pytest.mark.never_says("shell.unwritable")
def test_a_disk_that_has_room_again_is_written_to_again(
    capsys: pytest.CaptureFixture[str], captions_said: set[str]
) -> None:
    print("a line", file=Output(io.TextIOWrapper(io.BufferedWriter(_Disk(0)), encoding="utf-8"), raises=True))
    assert "shell.unwritable" not in captions_said
    disk = _Disk(full_for=3)
    out = Output(io.TextIOWrapper(io.BufferedWriter(disk), encoding="utf-8"), raises=True)
    for number in range(10):
        print(f"line {number}", file=out, flush=True)
    assert disk.content.decode().splitlines()[-1] == "line 9"
    assert out.failure is not None
    assert out.failure.errno == errno.ENOSPC
    assert capsys.readouterr().err == "what it prints cannot be written: No space left on device\n"


def test_what_can_be_written_leaves_no_failure() -> None:
    out = Output(io.TextIOWrapper(io.BufferedWriter(_Disk(full_for=0)), encoding="utf-8"), raises=True)
    print("line", file=out, flush=True)
    assert out.failure is None
