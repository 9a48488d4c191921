"""A folder for records, and a run that takes a second."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from tests import preloaded
from tests.own_code import own
from tui_trainer.cli import main
from tui_trainer.compare import executors

__all__ = ["own"]

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


@pytest.fixture
def trainers_in_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes in which a comparison of this one trains have torch loaded already."""
    monkeypatch.setattr(executors, "subprocess", SimpleNamespace(Popen=preloaded.popen, PIPE=subprocess.PIPE))


def with_broken_torch(folder: Path, why: str) -> str:
    """Makes one that says why as it is loaded, at once. A `PYTHONPATH` where it stands before the one there is."""
    (folder / "torch").mkdir(parents=True)
    (folder / "torch" / "__init__.py").write_text(f"raise OSError({why!r})")
    return os.pathsep.join([str(folder), str(Path(__file__).parents[2])])
