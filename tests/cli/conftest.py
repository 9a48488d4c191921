"""A folder for records, and a run that takes a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tui_trainer.cli import main

SMALL = ["--model", "mlp", "--limit-train", "200", "--limit-val", "50", "--threads", "1", "--device", "cpu"]
"""Options of a run that takes a moment: 4 batches an epoch, the last of 8 images."""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs are recorded in this test."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return folder


@pytest.fixture
def cli(runs: Path) -> Callable[..., Result]:
    """Runs a command in this process, for those that need no terminal."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments)

    return invoke
