"""What trains needs PyTorch and says so; all else works where neither it nor torchvision nor NumPy is installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scripted import scripted_run
from tests.scripted_record import over
from tests.terminal import Terminal
from tests.waiting import PATIENCE_S
from tests.without import environment_without
from tui_trainer.events import CommandAnswered
from tui_trainer.records.export import HEADERS, export_csv
from tui_trainer.records.record import Record
from tui_trainer.records.run_index import find

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
NEEDS = "needs PyTorch, which is not installed here: pip install torch"

Done = subprocess.CompletedProcess[str]
Light = Callable[..., Done]


@pytest.fixture
def light_env(tmp_path: Path) -> dict[str, str]:
    return environment_without(tmp_path / "light", "torch", "torchvision", "numpy")


@pytest.fixture
def light(runs: Path, light_env: dict[str, str]) -> Light:
    """Runs a command in a Python without the large packages."""

    def invoke(*arguments: str) -> Done:
        return subprocess.run(
            [sys.executable, "-m", "tui_trainer", *arguments],
            env={**os.environ, **light_env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )

    return invoke


def test_the_packages_are_out_of_reach_there(light_env: dict[str, str]) -> None:
    for package in ("torch", "torchvision", "numpy"):
        done = subprocess.run(
            [sys.executable, "-c", f"import {package}"], env={**os.environ, **light_env}, capture_output=True, text=True
        )
        assert f"No module named '{package}'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--version"], "tui-trainer, version"),
        (["runs"], "finished"),
        (["runs", "--json"], '"status": "finished"'),
        (["compare", "--list"], ""),
        (["compare", "RUN", "OTHER"], "session: tui-trainer compare"),
        (["presets", "list"], "onecycle"),
        (["presets", "show", "onecycle"], "OneCycleLR"),
        (["presets", "check", "onecycle"], "onecycle: fine"),
        (["completion", "bash"], "complete"),
        (["doctor"], "installed        no"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_does_not_train_works(light: Light, runs: Path, arguments: list[str], said: str) -> None:
    names = {"RUN": over(runs), "OTHER": over(runs, seed=1)}
    done = light(*(names.get(each, each) for each in arguments))
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert "Traceback" not in done.stderr


def test_a_preset_is_checked_but_for_the_scheduler_itself_and_that_is_said(light: Light, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text((REPOSITORY / "presets" / "steplr.toml").read_text().replace("step_size", "stepsize"))
    fine, wrong = light("presets", "check", "steplr"), light("presets", "check", str(broken))
    assert (fine.returncode, wrong.returncode) == (0, 2)
    assert (
        "note: PyTorch is not installed here, so the real scheduler is not tried, and no group of parameters"
        in fine.stderr
    )
    assert "stepsize" in wrong.stderr


def test_an_export_is_the_same_to_the_byte(light: Light, runs: Path, tmp_path: Path) -> None:
    run = over(runs)
    done = light("export", run, "--out", str(tmp_path / "light"))
    assert done.returncode == 0, done.stderr
    written = export_csv(find(runs, run), tmp_path / "full")
    assert {file.name for file in written} == {*HEADERS}
    for file in written:
        assert (tmp_path / "light" / file.name).read_bytes() == file.read_bytes()


def test_attach_shows_a_run_all_runs_and_all_presets(runs: Path, light_env: dict[str, str]) -> None:
    with Terminal("attach", over(runs), preloaded=False, env=light_env) as terminal:
        terminal.until("best val accuracy")
        terminal.press("r")
        terminal.until("1 run, newest first")
        terminal.press("\x1b")
        terminal.until("best val accuracy")
        terminal.press("p")
        terminal.until("warm-restarts")
        terminal.press("\x1b")
        terminal.until("best val accuracy")
        terminal.press("q")
        assert terminal.wait() == 0


@pytest.mark.parametrize("words", [["pause"], ["resume"], ["stop"], ["checkpoint"], ["switch", "cosine"]], ids=" ".join)
def test_a_live_run_takes_commands(light: Light, runs: Path, words: list[str]) -> None:
    record = Record.create(runs, {"preset_name": "steplr"})
    for event in scripted_run()[:20]:
        record.emit(event)
    over_now = threading.Event()

    def answer() -> None:
        while not over_now.wait(0.02):
            for command in record.inbox.poll():
                kind = type(command).__name__
                record.emit(
                    CommandAnswered(at=1.0, id=command.id, accepted=True, command=kind, by="shell", answer="it is done")
                )

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        done = light(words[0], record.id, *words[1:])
    finally:
        over_now.set()
        thread.join()
        record.close()
    assert (done.returncode, done.stdout) == (0, f"{record.id}: it is done\n"), done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--preset", "steplr"],
        ["launch"],
        ["launch", "--preset", "steplr"],
        ["compare", "steplr", "onecycle"],
        ["presets", "plan", "steplr"],
        ["find-lr", "steplr"],
        ["resume", "RUN"],
    ],
    ids=" ".join,
)
def test_what_trains_says_what_to_install_and_leaves_nothing(light: Light, runs: Path, arguments: list[str]) -> None:
    run = over(runs)
    there = sorted(runs.iterdir())
    done = light(*(run if each == "RUN" else each for each in arguments))
    command = "presets plan" if arguments[0] == "presets" else arguments[0]
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"{command} {NEEDS}"
    assert "Traceback" not in done.stderr
    assert sorted(runs.iterdir()) == there


def test_launch_says_so_on_a_terminal_too(runs: Path, light_env: dict[str, str]) -> None:
    with Terminal("launch", preloaded=False, env=light_env) as terminal:
        assert terminal.wait() == 2
        assert f"launch {NEEDS}" in " ".join(terminal.screen.split())


def test_doctor_tells_of_it(light: Light) -> None:
    done = light("doctor", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["torch"] == {"installed": False}


def test_the_api_lists_runs_and_says_what_arrays_need(runs: Path, light_env: dict[str, str]) -> None:
    run = over(runs)
    script = f"import tui_trainer as t; print(t.list_runs()[0].id); t.open_run({run!r})"
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **light_env}, capture_output=True, text=True
    )
    assert done.stdout.strip() == run
    assert done.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'numpy'"


def test_the_light_requirements_are_those_of_the_package_without_the_large_ones() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    lines = (REPOSITORY / "requirements-light.txt").read_text().splitlines()
    light = {line for line in lines if line and not line.startswith("#")}
    large = {one for one in project["dependencies"] if re.match(r"(torch|numpy)\b", one)}
    assert len(large) == 2
    assert light == set(project["dependencies"]) - large
