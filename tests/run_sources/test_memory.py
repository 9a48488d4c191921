"""Runs that follow each other in one process hold the memory of one."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engine.tiny import NONE, preset
from tests.waiting import PATIENCE_S
from tui_trainer.engine import datasets, models
from tui_trainer.events import StepsTaken
from tui_trainer.run_request import RunRequest
from tui_trainer.run_sources.in_process import LocalRun
from tui_trainer.run_spec import RunSpec

RUNS = 3
ROOT = Path(__file__).parents[2]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[Any]]:
    """Each model and each set of images that is made."""
    made: list[weakref.ref[Any]] = []

    def remember(module: Any, name: str) -> None:
        make = getattr(module, name)

        def remembered(*args: Any, **kwargs: Any) -> Any:
            found = make(*args, **kwargs)
            made.append(weakref.ref(found))
            return found

        monkeypatch.setattr(module, name, remembered)

    remember(models, "build")
    remember(datasets, "load")
    return made


def run(folder: Path, name: str, fails: bool = False) -> LocalRun:
    options: dict[str, Any] = {"limit_train": 40, "limit_val": 10, "threads": 1, "device": "cpu", "model": "mlp"}
    local = LocalRun(RunRequest.of(RunSpec.of(name, preset(NONE, epochs=1), **options)), folder, ["test"])

    def fail(event: object) -> None:
        if isinstance(event, StepsTaken):
            raise ValueError("nobody foresaw this")

    if fails:
        local.listen(fail)
    local.start()
    ended = local.wait()
    assert ended is not None
    assert (ended.status == "finished") is not fails
    return local


def alive(made: list[weakref.ref[Any]]) -> int:
    return sum(reference() is not None for reference in made)


@pytest.mark.parametrize("fails", [False, True], ids=["finished", "failed"])
def test_nothing_of_a_run_is_held_once_it_is_over(made: list[weakref.ref[Any]], tmp_path: Path, fails: bool) -> None:
    runs, kept_from_the_collector = [], []
    for number in range(RUNS):
        runs.append(run(tmp_path, f"run-{number}", fails))  # as a launcher keeps them
        assert len(made) == 2 * (number + 1)
        assert alive(made) == 0
        kept_from_the_collector.append(gc.get_freeze_count())
    assert kept_from_the_collector == sorted(kept_from_the_collector, reverse=True)  # none is added


FIRST_IN_ITS_PROCESS = """
import sys
from pathlib import Path
from tests.run_sources.test_memory import *

made = []
build = models.build
models.build = lambda *args, **options: made.append(weakref.ref(model := build(*args, **options))) or model
run(Path(sys.argv[1]), "first")
assert len(made) == 1
assert alive(made) == 0
"""


def test_nor_of_the_first_one_of_a_process_which_imports_what_others_find(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_IN_ITS_PROCESS, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr


def test_the_memory_of_a_gpu_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_back: list[int] = []
    made: list[Any] = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: given_back.append(alive(made)))
    build = models.build

    def remembered(*args: Any) -> torch.nn.Module:
        model = build(*args)
        made.append(weakref.ref(model))
        return model

    monkeypatch.setattr(models, "build", remembered)
    run(tmp_path, "one")
    assert len(made) == 1
    assert given_back == [0]  # once the run itself holds none of it
