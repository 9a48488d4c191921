"""A folder for the records of watched commands, and commands to watch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.watch.watching import ACTING


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs are recorded in this test."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return folder


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], list[str]]:
    """A command that runs a text as a script of Python."""

    def of(text: str) -> list[str]:
        file = tmp_path / "script.py"
        file.write_text(text)
        return [sys.executable, str(file)]

    return of


@pytest.fixture
def endless() -> list[str]:
    """A command that trains until it is told to end."""
    return [*ACTING, "--steps", "-1", "--seconds", "0.02"]
