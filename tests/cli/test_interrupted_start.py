"""ctrl+c while a command is being loaded ends it and shows a person nothing of its inside."""

from __future__ import annotations

import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import SMALL

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2] / "pyproject.toml"

COUNTING = """
import importlib.abc, os, signal, sys, threading

MOMENT, FILE = sys.argv.pop(1), sys.argv.pop(1)

class Counting(importlib.abc.MetaPathFinder):
    count = 0

    def find_spec(self, name, path, target=None):
        if threading.current_thread() is not threading.main_thread() or not (self.count or name == "tui_trainer.cli"):
            return
        self.count += 1
        if MOMENT in (str(self.count), name):
            os.kill(os.getpid(), signal.SIGINT)
        if not MOMENT:
            with open(FILE, "w") as file:
                file.write(str(self.count))

sys.meta_path.insert(0, Counting())
"""
"""Sends itself a SIGINT as a module is looked for, told by its name or its number. The first is the commands' own.
Where none is told, it counts them."""

AS_MODULE = "import runpy; runpy.run_module('tui_trainer', run_name='__main__', alter_sys=True)"


def as_script() -> str:
    """What an installer makes of the entry in `pyproject.toml`."""
    module, _, name = tomllib.loads(PROJECT.read_text())["project"]["scripts"]["tui-trainer"].partition(":")
    return f"from {module} import {name}\nsys.exit({name}())"


WAYS = {"python -m": AS_MODULE, "script": as_script()}


def begun(way: str, moment: object, counted: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    code = [sys.executable, "-c", COUNTING + way, str(moment), str(counted)]
    return subprocess.run([*code, *arguments], capture_output=True, text=True)


def assert_it_ends_without_a_word(way: str, moment: object, counted: Path, arguments: list[str]) -> None:
    done = begun(way, moment, counted, arguments)
    assert done.stderr.strip() == "", f"at import {moment}"
    assert done.returncode in (130, -signal.SIGINT), f"at import {moment}: {done}"


@pytest.mark.parametrize(
    ("way", "arguments", "moments"),
    [
        pytest.param(WAYS[name], arguments, moments, id=f"{name} {arguments[0]}")
        for name, arguments, moments in (
            ("python -m", ["--help"], 4),
            ("script", ["runs"], 6),
            ("script", ["export", "x", "--out", "out"], 4),
        )
    ],
)
def test_it_ends_without_a_word(runs: Path, tmp_path: Path, way: str, arguments: list[str], moments: int) -> None:
    counted = tmp_path / "count"
    begun(way, "", counted, arguments)
    count = int(counted.read_text())
    assert count > 50
    for number in sorted({1, 2, *(1 + count * moment // moments for moment in range(moments)), count - 5}):
        assert_it_ends_without_a_word(way, number, counted, arguments)


@pytest.mark.parametrize("module", ["torch.nn", "torch._dynamo.utils"])
def test_it_ends_without_a_word_while_torch_is_loaded(runs: Path, tmp_path: Path, module: str) -> None:
    assert_it_ends_without_a_word(WAYS["script"], module, tmp_path / "none", ["presets", "check", "steplr"])


@pytest.mark.parametrize("module", ["tui_trainer.run_spec", "torch"])
def test_a_run_that_has_not_begun_ends_without_a_word(runs: Path, tmp_path: Path, module: str) -> None:
    """Torch is looked for in the main thread, and loaded in that of the training."""
    arguments = ["run", "--preset", "none", *SMALL, "--epochs", "4000"]
    assert_it_ends_without_a_word(WAYS["python -m"], module, tmp_path / "none", arguments)
