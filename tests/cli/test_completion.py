"""What the shell completes, through click's own protocol, and what that loads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import preloaded
from tests.scripted_record import over
from tui_trainer.records.record import Record

pytestmark = pytest.mark.slow

SCRIPT = "import sys; from tui_trainer.cli import main; main(prog_name='tui-trainer')"


def asked(words: Sequence[str]) -> dict[str, str]:
    """The environment in which bash asks what may come after these words, the last one begun."""
    told = {"COMP_WORDS": " ".join(["tui-trainer", *words]), "COMP_CWORD": str(len(words))}
    return {**os.environ, "_TUI_TRAINER_COMPLETE": "bash_complete", **told}


def completed(*words: str) -> list[str]:
    """What bash would offer then."""
    return preloaded.run(module="tests.cli.named", env=asked(words)).stdout.split()


def loaded_for(*words: str) -> tuple[list[str], set[str]]:
    """What it would offer, and the packages that are imported for it."""
    command = [sys.executable, "-X", "importtime", "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, env=asked(words))
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return done.stdout.split(), {line.rpartition("|")[2].strip().split(".")[0] for line in lines}


@pytest.fixture
def run(runs: Path) -> str:
    """A run with a name."""
    return over(runs, name="night")


@pytest.mark.parametrize("command", ["attach", "stream", "export", "stop", "pause", "resume", "compare"])
def test_runs_are_completed_by_id_and_by_name(run: str, command: str) -> None:
    assert f"plain,{run}" in completed(command, run[:6])
    assert completed(command, "nig") == ["plain,night"]


@pytest.mark.parametrize(
    "before", ["launch --preset", "run --preset", "compare", "presets show", "presets plan", "find-lr"]
)
def test_presets_are_completed_the_users_own_among_them(runs: Path, own_presets: Path, before: str) -> None:
    own_presets.mkdir(parents=True)
    (own_presets / "steady.toml").write_text("")
    (own_presets / "st ran;ge$(x).toml").write_text("")
    assert set(completed(*before.split(), "ste")) >= {"plain,steady", "plain,steplr", "plain,steplr-fast"}
    assert not [each for each in completed(*before.split(), "st") if "ran" in each]
    assert completed(*before.split(), "./mi") == ["file,./mi"]


def test_what_follows_the_end_of_a_run_is_a_word_or_a_preset(runs: Path) -> None:
    assert completed("resume", "x", "--then", "ex") == ["plain,extend", "plain,exponential"]


@pytest.fixture
def own_presets(runs: Path) -> Path:
    """The folder of the user's own presets."""
    return Path(os.environ["XDG_CONFIG_HOME"]) / "tui-trainer" / "presets"


def test_a_name_that_a_shell_could_obey_is_not_offered(runs: Path) -> None:
    Record.create(runs, {"preset_name": "steplr", "name": "$(reboot)\nx,y"}).close()
    offered = completed("attach", "")
    assert len(offered) == 1
    assert "reboot" not in offered[0]


@pytest.mark.parametrize(
    "words",
    [("",), ("attach", ""), ("launch", "--preset", ""), ("presets", "show", ""), ("run", "--")],
)
def test_completing_loads_nothing_slow(run: str, words: tuple[str, ...]) -> None:
    offered, loaded = loaded_for(*words)
    assert offered
    slow = {"torch", "textual", "rich", "plotext", "pydantic", "numpy"}
    assert not loaded & slow


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_takes(runs: Path, shell: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, "completion", shell], capture_output=True, text=True)
    assert done.returncode == 0
    assert f"_TUI_TRAINER_COMPLETE={shell}_complete" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_in_a_real_bash(run: str, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "tui-trainer"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{SCRIPT}" "$@"\n')
    program.chmod(0o755)
    script = f"""
        export PATH={program.parent}:$PATH
        eval "$(tui-trainer completion bash)"
        COMP_WORDS=(tui-trainer attach nig) COMP_CWORD=2
        $(complete -p tui-trainer | sed 's/.*-F \\([^ ]*\\).*/\\1/') tui-trainer
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    assert done.stdout == "night\n", done.stderr
