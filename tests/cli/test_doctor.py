"""`doctor`: what a bug report needs, without secrets, whatever is missing or broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.cli.conftest import with_broken_torch
from tests.terminal import Terminal
from tui_trainer import __version__
from tui_trainer.cli import doctor

pytestmark = pytest.mark.slow

Cli = Callable[..., Result]

_torch = doctor._torch
_torch_once = cache(_torch)


@pytest.fixture(autouse=True)
def asks_torch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that loads torch takes seconds, and says the same each time."""
    monkeypatch.setattr(doctor, "_torch", _torch_once)


def asked(cli: Cli) -> dict[str, Any]:
    done = cli("doctor", "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_tells_versions_device_terminal_and_folders(cli: Cli, runs: Path) -> None:
    runs.mkdir()
    found = asked(cli)
    assert found["versions"]["tui-trainer"] == __version__
    for package in ("torch", "textual", "plotext", "numpy"):
        assert found["versions"][package] == metadata.version(package)
    assert found["torch"]["installed"]
    assert found["torch"]["version"].startswith(metadata.version("torch").partition("+")[0])
    assert isinstance(found["torch"]["cuda_available"], bool)
    assert len(found["torch"]["devices"]) == 0 or found["torch"]["cuda_available"]
    assert found["folders"]["runs"].keys() == {"path", "exists", "writable", "free_bytes"}
    assert (found["folders"]["runs"]["exists"], found["folders"]["runs"]["writable"]) == (True, True)
    assert found["folders"]["runs"]["free_bytes"] > 0
    assert found["system"]["cores"] >= 1


def test_in_words_it_tells_the_same(cli: Cli) -> None:
    said = cli("doctor").stdout
    for title in ("versions:", "system:", "torch:", "terminal:", "environment:", "folders:"):
        assert title in said.splitlines()
    for name, version in asked(cli)["versions"].items():
        line = next(line for line in said.splitlines() if line.split()[:1] == [name])
        assert (version or "none") in line
    assert "GB free)" in said


def test_no_other_variable_is_told_of_and_no_home(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, runs: Path
) -> None:
    home = tmp_path / "home of alice"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(home / "runs"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    monkeypatch.setenv("WANDB_API_KEY", "a-secret")
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50000 192.0.2.8 22")
    monkeypatch.setenv("TMUX", "/tmp/tmux-1000/alice,1,0")
    monkeypatch.setenv("TERM", "xterm-256color")
    said = cli("doctor").stdout + json.dumps(asked(cli))
    for secret in ("a-secret", "192.0.2.7", "alice", "WANDB"):
        assert secret not in said
    found = asked(cli)
    assert found["folders"]["runs"]["path"] == "~/runs"
    assert (found["terminal"]["ssh"], found["terminal"]["inside"]) == (True, "tmux")
    assert found["environment"].keys() <= set(doctor.TOLD)
    assert found["environment"]["TERM"] == "xterm-256color"


def test_a_name_that_begins_as_the_home_does_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/al")
    assert doctor.without_home("/home/al/x, /home/al and /home/alice") == "~/x, ~ and /home/alice"
    assert doctor.without_home("no room in /home/al. Not in /home/al.old") == "no room in ~. Not in /home/al.old"


@pytest.mark.parametrize(
    ("variables", "colors"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "16 million"),
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "linux"}, "16"),
        ({"TERM": "xterm"}, "16"),
        ({"TERM": "xterm-kitty"}, "256"),
        ({"TERM": "alacritty"}, "256"),
        ({"TERM": "xterm-direct"}, "16 million"),
        ({"TERM": "vt220"}, "none"),
        ({"TERM": "linux-m"}, "none"),
        ({"TERM": "dumb"}, "none"),
        ({}, "none"),
    ],
)
def test_colours_are_those_that_the_terminal_names(variables: dict[str, str], colors: str) -> None:
    assert doctor._terminal(variables)["colors"] == colors


def test_on_a_terminal_it_tells_of_that(runs: Path, tmp_path: Path) -> None:
    env = {"PYTHONPATH": with_broken_torch(tmp_path / "broken", "not asked here")}
    with Terminal("doctor", columns=100, lines=60, env=env) as terminal:
        assert terminal.wait() == 0
        words = " ".join(terminal.screen.split())
    for told in ("is_terminal yes", "columns 100", "colors 16 million"):
        assert told in words


def test_folders_that_cannot_be_are_told_of_and_are_no_error(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(file / "runs"))
    monkeypatch.setenv("TUI_TRAINER_DATA", str(file))
    found = asked(cli)
    assert not found["folders"]["data"]["writable"]
    assert not found["folders"]["runs"].get("writable")
    assert "NOT writable" in cli("doctor").stdout


def test_a_torch_that_breaks_as_it_is_loaded_is_told_of(runs: Path, tmp_path: Path) -> None:
    path = with_broken_torch(tmp_path / "broken", "libcudart.so.12: cannot open shared object file")
    done = subprocess.run(
        [sys.executable, "-m", "tui_trainer", "doctor", "--json"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["torch"]
    assert found == {"installed": True, "trouble": "OSError: libcudart.so.12: cannot open shared object file"}


@pytest.mark.says("doctor.silent")
def test_a_torch_that_does_not_answer_is_told_of(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_torch", _torch)
    monkeypatch.setattr(doctor, "TORCH_PATIENCE_S", 0.01)
    assert asked(cli)["torch"] == {"installed": True, "trouble": "it did not answer within 0.01 s"}


def test_devices_are_told_with_their_memory_and_what_hinders_them() -> None:
    devices = [
        {"name": "NVIDIA H100", "memory_bytes": 80_000_000_000, "fault": ""},
        {"name": "Tesla K80", "memory_bytes": 12_000_000_000, "fault": "too old for this torch"},
    ]
    assert doctor._in_words(devices) == "NVIDIA H100 (80.0 GB), Tesla K80 (12.0 GB), too old for this torch"


# In words

FOLDER = {"path": "~/runs", "exists": True, "writable": True, "free_bytes": 12_340_000_000}
DEVICE = {"name": "NVIDIA H100", "memory_bytes": 80_000_000_000, "fault": ""}
WORDS: dict[str, tuple[object, set[str], str]] = {
    "nothing": (None, {"doctor.none"}, "none"),
    "no device": ([], {"doctor.none"}, "none"),
    "a folder": (FOLDER, {"doctor.folder", "doctor.writable"}, "~/runs (writable, 12.3 GB free)"),
    "one that is to be made": (
        {**FOLDER, "exists": False},
        {"doctor.folder", "doctor.writable", "doctor.not_there"},
        "~/runs (writable, not there yet, 12.3 GB free)",
    ),
    "one of another's": (
        {**FOLDER, "writable": False},
        {"doctor.folder", "doctor.not_writable"},
        "~/runs (NOT writable, 12.3 GB free)",
    ),
    "a device": ([DEVICE], {"doctor.device"}, "NVIDIA H100 (80.0 GB)"),
    "one with a fault": (
        [{**DEVICE, "fault": "in use by others"}],
        {"doctor.device", "doctor.fault"},
        "NVIDIA H100 (80.0 GB), in use by others",
    ),
    "a text": ("2.6.0", set(), "2.6.0"),
}


@pytest.mark.never_says("doctor.*", in_all_cases=False)
@pytest.mark.parametrize("case", WORDS)
def test_this_is_said_and_nothing_else(
    case: str, cli: Cli, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    value, ids, words = WORDS[case]
    assert doctor._in_words(value) == words
    assert {id for id in captions_said if id.startswith("doctor.")} == ids


@pytest.mark.says("doctor.none", "doctor.folder", "doctor.writable", "doctor.not_there")
def test_doctor_says_them(cli: Cli, runs: Path) -> None:
    assert ", not there yet, " in cli("doctor").stdout


@pytest.mark.says("doctor.not_writable", "doctor.device", "doctor.fault")
def test_and_what_hinders(captions_said: set[str]) -> None:
    for value, _, words in WORDS.values():
        assert doctor._in_words(value) == words


@pytest.mark.says("doctor.ended")
@pytest.mark.never_says("doctor.silent")
def test_a_torch_that_breaks_without_a_word_is_told_of_by_its_code(
    monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    monkeypatch.setattr(doctor, "ASKS_TORCH", "import os; os._exit(7)")
    assert _torch() == {"installed": True, "trouble": "it ended with code 7"}
    assert "doctor.silent" not in captions_said


@pytest.mark.never_says("doctor.ended", "doctor.silent")
def test_one_that_says_why_is_told_of_in_its_words(monkeypatch: pytest.MonkeyPatch, captions_said: set[str]) -> None:
    monkeypatch.setattr(doctor, "ASKS_TORCH", "raise SystemExit('no GPU here')")
    assert _torch() == {"installed": True, "trouble": "no GPU here"}
    assert not captions_said & {"doctor.ended", "doctor.silent"}
