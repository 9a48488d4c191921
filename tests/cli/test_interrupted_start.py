"""ctrl+c while a command is being loaded ends it and shows a person nothing of its inside."""

from __future__ import annotations

import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import SMALL

PROJECT = Path(__file__).parents[2] / "pyproject.toml"

COUNTING = """
import importlib.abc, os, signal, sys, threading

NUMBER, FILE = int(sys.argv.pop(1)), sys.argv.pop(1)

class Counting(importlib.abc.MetaPathFinder):
    count = 0

    def find_spec(self, name, path, target=None):
        if threading.current_thread() is not threading.main_thread() or not (self.count or name == "tui_trainer.cli"):
            return
        self.count += 1
        if self.count == NUMBER:
            os.kill(os.getpid(), signal.SIGINT)
        if not NUMBER:
            with open(FILE, "w") as file:
                file.write(str(self.count))

sys.meta_path.insert(0, Counting())
"""
"""Sends itself a SIGINT as a module is looked for, the first of which is the commands' own."""

AS_MODULE = "import runpy; runpy.run_module('tui_trainer', run_name='__main__', alter_sys=True)"


def as_script() -> str:
    """What an installer makes of the entry in `pyproject.toml`."""
    module, _, name = tomllib.loads(PROJECT.read_text())["project"]["scripts"]["tui-trainer"].partition(":")
    return f"from {module} import {name}\nsys.exit({name}())"


WAYS = {"python -m": AS_MODULE, "script": as_script()}


def begun(way: str, number: int, counted: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    code = [sys.executable, "-c", COUNTING + way, str(number), str(counted)]
    return subprocess.run([*code, *arguments], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("way", "arguments", "moments"),
    [
        pytest.param(way, arguments, moments, id=f"{name} {arguments[0]}")
        for arguments, moments, ways in (
            (["--help"], 6, ("python -m", "script")),
            (["runs"], 6, ("python -m", "script")),
            (["export", "x", "--out", "out"], 4, ("script",)),
            (["presets", "check", "steplr"], 2, ("script",)),  # that and `run` load torch
            (["run", "--preset", "none", *SMALL, "--epochs", "4000"], 2, ("python -m",)),
        )
        for name, way in WAYS.items()
        if name in ways
    ],
)
def test_it_ends_without_a_word(runs: Path, tmp_path: Path, way: str, arguments: list[str], moments: int) -> None:
    counted = tmp_path / "count"
    whole = arguments if arguments[0] != "run" else [*arguments[:-1], "1"]
    begun(way, 0, counted, whole)
    count = int(counted.read_text())
    assert count > 50
    for number in sorted({1, 2, *(1 + count * moment // moments for moment in range(moments)), count - 5}):
        done = begun(way, number, counted, arguments)
        assert done.stderr.strip() == "", f"at import {number} of {count}"
        assert done.returncode in (130, -signal.SIGINT), f"at import {number} of {count}: {done}"
