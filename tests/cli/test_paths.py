"""Paths that a person gives, to any command, by any way: what cannot be one is refused in a sentence."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from tests import preloaded
from tests.cli.conftest import SMALL
from tests.terminal import Terminal
from tui_trainer.cli import main
from tui_trainer.errors import UserError
from tui_trainer.files.given_path import BadPath, given_path
from tui_trainer.run_sources.in_process import asked_of

pytestmark = pytest.mark.slow

Cli = Callable[..., Result]

NO_PATHS = {
    "no such user": "~nosuch/x",
    "a name too long": "/tmp/" + "x" * 256,
    "a name too long below what is not there": "/tmp/not/there/" + "x" * 256,
    "too long": "/tmp" + "/x" * 2100,
    "a NUL byte": "/tmp/a\0b",
    "nothing at all": "",
}

COMMANDS = {
    "the folder of runs, to runs": ["runs", "--runs-dir", "PATH"],
    "the folder of runs, to run": ["run", "--preset", "steplr", *SMALL, "--runs-dir", "PATH"],
    "the folder of runs, to export": ["export", "x", "--out", "out", "--runs-dir", "PATH"],
    "the folder of runs, to compare": ["compare", "steplr", "none", *SMALL, "--runs-dir", "PATH"],
    "the folder of runs, to compare --list": ["compare", "--list", "--runs-dir", "PATH"],
    "the folder of runs, to stop": ["stop", "x", "--runs-dir", "PATH"],
    "the folder of runs, to stream": ["stream", "x", "--runs-dir", "PATH"],
    "a run, to stream": ["stream", "PATH"],
    "a run, to export": ["export", "PATH", "--out", "out"],
    "a run, to stop": ["stop", "PATH"],
    "a run, to pause": ["pause", "PATH"],
    "a run, to resume": ["resume", "PATH"],
    "a run, to checkpoint": ["checkpoint", "PATH"],
    "a run, to switch": ["switch", "PATH", "none"],
    "a run, to compare": ["compare", "PATH", "steplr", *SMALL],
    "a preset, to run": ["run", "--preset", "PATH", *SMALL],
    "a preset's file, to run": ["run", "--preset", "PATH.toml", *SMALL],
    "a preset, to show": ["presets", "show", "PATH"],
    "a preset, to check": ["presets", "check", "PATH"],
    "a preset, to plan": ["presets", "plan", "PATH"],
    "the data's folder": ["run", "--preset", "steplr", *SMALL, "--dataset", "mnist", "--data-dir", "PATH"],
    "a preset, to find an LR for": ["find-lr", "PATH"],
    "where a preset's copy goes": ["find-lr", "steplr", "--write", "PATH.toml", "--yes"],
    "where to export to": ["export", "x", "--out", "PATH"],
    "the report's file": ["compare", "steplr", "none", *SMALL, "--report", "PATH.html"],
    "a program to notify": ["run", "--preset", "steplr", *SMALL, "--notify", "PATH"],
}


def refused(result: Result) -> str:
    """What was said: a sentence, and no traceback."""
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 2, result.output
    assert result.stderr.strip(), "it said nothing"
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.mark.parametrize("path", NO_PATHS.values(), ids=NO_PATHS)
@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_what_can_be_no_path_is_refused_wherever_it_is_given(
    cli: Cli, runs: Path, arguments: list[str], path: str
) -> None:
    given = (path and argument.replace("PATH", path) if "PATH" in argument else argument for argument in arguments)
    refused(cli(*given))
    assert not runs.exists()


@pytest.mark.parametrize("path", ["~nosuch/x", "/tmp/" + "x" * 256, "/tmp" + "/x" * 2100, "/tmp/\udcff"])
@pytest.mark.parametrize(
    ("variable", "arguments"),
    [
        ("TUI_TRAINER_RUNS", ["runs"]),
        ("TUI_TRAINER_RUNS", ["compare", "--list"]),
        ("TUI_TRAINER_RUNS", ["run", "--preset", "steplr", *SMALL]),
        ("TUI_TRAINER_DATA", ["run", "--preset", "steplr", *SMALL, "--dataset", "mnist"]),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else value,
)
def test_what_can_be_no_path_is_refused_in_the_environment(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, variable: str, arguments: list[str], path: str
) -> None:
    monkeypatch.setenv(variable, path)
    assert variable in refused(cli(*arguments))


@pytest.mark.parametrize("path", ["~nosuch/x", "/tmp/" + "x" * 256])
@pytest.mark.parametrize(
    "arguments",
    [
        ["launch", "--preset", "PATH"],
        ["launch", "--preset", "steplr", "--runs-dir", "PATH"],
        ["launch", "--preset", "steplr", "--dataset", "mnist", "--data-dir", "PATH"],
        ["attach", "PATH"],
        ["attach", "--runs-dir", "PATH"],
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_a_screen_refuses_it_before_it_is_drawn(runs: Path, arguments: list[str], path: str) -> None:
    with Terminal(*(argument.replace("PATH", path) for argument in arguments)) as terminal:
        assert terminal.wait() == 2
    assert b"Traceback" not in terminal.text
    assert b"\x1b[?1049h" not in terminal.text
    assert terminal.text.strip()


@pytest.mark.parametrize("words", ["export", "attach", "compare", "stop"])
def test_completion_says_nothing_at_a_prompt(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setenv("TUI_TRAINER_RUNS", "~nosuch/x")
    environment = {"_TUI_TRAINER_COMPLETE": "bash_complete", "COMP_WORDS": f"tui-trainer {words} ", "COMP_CWORD": "2"}
    result = CliRunner().invoke(main, env=environment, prog_name="tui-trainer", catch_exceptions=False)
    assert not result.stderr


def test_a_name_that_looks_like_no_path_still_names_a_run(cli: Cli, runs: Path, tmp_path: Path) -> None:
    assert cli("run", "--preset", "steplr", *SMALL, "--epochs", "1", "--name", "~nosuch/x").exit_code == 0
    assert cli("export", "~nosuch/x", "--out", str(tmp_path / "out")).exit_code == 0


def test_one_door_says_what_is_wrong_with_each() -> None:
    said = {}
    for what, path in NO_PATHS.items():
        with pytest.raises(BadPath) as refusal:
            given_path(path)
        said[what] = str(refusal.value)
    assert "no user nosuch" in said["no such user"]
    assert "255 bytes" in said["a name too long"]
    assert "255 bytes" in said["a name too long below what is not there"]
    assert "4,096 bytes" in said["too long"]
    assert "NUL" in said["a NUL byte"]
    assert "cannot be empty" in said["nothing at all"], "Path has the current folder for it"
    assert all(len(sentence) < 300 for sentence in said.values()), "the whole of a long path helps nobody"
    assert issubclass(BadPath, UserError)


def test_what_can_be_a_path_passes_whether_it_is_there_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert given_path("a b/ü") == tmp_path / "a b" / "ü"
    assert given_path("~/x") == tmp_path / "home" / "x"
    assert given_path("x" * 255) == tmp_path / ("x" * 255)
    assert given_path(Path("/etc/passwd/below")) == Path("/etc/passwd/below")


def test_a_current_folder_that_is_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"rmdir {gone}; exec {sys.executable} -m tui_trainer runs --runs-dir here"
    done = subprocess.run(["sh", "-c", command], cwd=gone, capture_output=True, text=True, env=with_this_code())
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "current folder" in done.stderr


def test_a_record_that_names_no_path_for_its_data(cli: Cli, runs: Path) -> None:
    assert cli("run", "--preset", "steplr", *SMALL, "--epochs", "1").exit_code == 0
    (folder,) = runs.iterdir()
    facts = (folder / "run.json").read_text()
    for path in ("~nosuch/x", "/tmp/" + "x" * 256, "/tmp/a\\u0000b"):
        asked = facts.replace('"data_dir": null', f'"data_dir": "{path}"').replace("mnist-5k", "mnist")
        (folder / "run.json").write_text(asked)
        assert asked_of(folder).data_dir is not None
        refused(cli("resume", folder.name))


# Folders that may not be entered


def with_this_code() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A folder that its owner may neither enter nor list."""
    closed = tmp_path / "closed"
    (closed / "runs").mkdir(parents=True)
    closed.chmod(0)
    yield closed
    closed.chmod(0o700)


def unprivileged(closed: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command by somebody whom permissions hold for, beside the closed folder."""
    env = {**os.environ, "TUI_TRAINER_RUNS": str(closed.parent / "runs"), **variables}
    with contextlib.chdir(closed.parent):
        return preloaded.run(*arguments, module="tests.cli.unprivileged", env=env)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["runs", "--runs-dir", "closed/runs"], 2),
        (["runs", "--runs-dir", "closed"], 2),
        (["run", "--preset", "steplr", *SMALL, "--runs-dir", "closed/runs"], 2),
        (["run", "--preset", "closed/x.toml", *SMALL], 2),
        (["run", "--preset", "steplr", *SMALL, "--dataset", "mnist", "--data-dir", "closed/data"], 2),
        (["compare", "steplr", "none", *SMALL, "--runs-dir", "closed/runs"], 2),
        (["compare", "steplr", "closed/run", *SMALL], 2),
        (["compare", "steplr", "none", *SMALL, "--report", "closed/x.html"], 2),
        (["compare", "--list", "--runs-dir", "closed/runs"], 2),
        (["export", "x", "--out", "out", "--runs-dir", "closed/runs"], 2),
        (["export", "x", "--out", "out", "--runs-dir", "closed"], 2),
        (["export", "closed/run", "--out", "out"], 2),
        (["export", "x", "--out", "closed/out"], 2),
        (["stop", "x", "--runs-dir", "closed/runs"], 2),
        (["resume", "closed/run"], 2),
        (["presets", "check", "closed/x.toml"], 2),
        (["presets", "show", "closed/x.toml"], 2),
    ],
    ids=lambda value: " ".join(word for word in value if word not in SMALL) if isinstance(value, list) else "",
)
def test_below_a_folder_that_may_not_be_entered(closed: Path, arguments: list[str], code: int) -> None:
    done = unprivileged(closed, *arguments)
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
    assert "ermission denied" in done.stderr


def test_ones_own_folders_may_be_closed(closed: Path) -> None:
    """Those for presets and for the screen's memory: what is shipped works all the same."""
    own = {"XDG_CONFIG_HOME": str(closed), "XDG_STATE_HOME": str(closed)}
    for arguments in (["presets", "list"], ["presets", "show", "steplr"], ["presets", "check", "steplr"]):
        done = unprivileged(closed, *arguments, **own)
        assert done.returncode == 0, done.stderr
    done = unprivileged(closed, "runs", XDG_DATA_HOME=str(closed), TUI_TRAINER_RUNS="")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_every_option_that_takes_a_path_takes_it_through_the_door() -> None:
    from tui_trainer.cli.options import GivenPath

    paths = {
        f"{command.name} {parameter.name}": parameter.type
        for command in _all_commands(main)
        for parameter in command.params
        if isinstance(parameter.type, click.Path | click.File) or str(parameter.name).endswith(("dir", "out", "report"))
    }
    assert {"run runs_dir", "export out", "compare report", "launch data_dir"} <= set(paths)
    assert [name for name, kind in paths.items() if not isinstance(kind, GivenPath)] == []


def _all_commands(group: click.Group) -> Iterator[click.Command]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _all_commands(command)
        else:
            yield command
