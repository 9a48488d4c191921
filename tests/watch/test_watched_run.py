"""The run of a watched training: what goes wrong with reading it never reaches the training."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.watch.watching import history
from tui_trainer.watching import watched_run
from tui_trainer.watching.request import WatchRequest, label
from tui_trainer.watching.trace import Options
from tui_trainer.watching.traced_process import TracedProcess
from tui_trainer.watching.watched_run import WatchedRun

PROCESS = cast("TracedProcess", SimpleNamespace(name="1-a", rank=0, pid=1, is_gone=False, hello=None))


def begun(runs: Path) -> WatchedRun:
    request = WatchRequest(command=("python", "train.py"), cwd=Path("/"), environment={}, runs=runs)
    run = WatchedRun(request, Options())
    run.join(PROCESS)
    return run


@pytest.mark.says("command.loop_unread")
def test_a_loop_that_cannot_be_read_is_told_once_and_the_record_goes_on(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ValueError("no such site")

    monkeypatch.setattr(watched_run.Interpreter, "take", failing)
    run = begun(runs)
    for _ in range(3):
        run.take(PROCESS, "a frame")
        run.tick()
        run.printed("a line")
    run.end("finished", "the command ended", 0)
    told = history(run.record.folder)
    assert [alert.text for alert in told.notices] == [
        "what its loop does is told no more from here on: ValueError: no such site"
    ]
    assert told.status == "finished"


@pytest.mark.never_says("command.loop_unread")
def test_one_that_can_is_not_complained_of(runs: Path) -> None:
    run = begun(runs)
    run.tick()
    run.printed("loss: 0.1")
    run.end("finished", "the command ended", 0)
    run.end("crashed", "said once", 1)
    assert not history(run.record.folder).notices
    assert history(run.record.folder).status == "finished"


@pytest.mark.parametrize(
    ("command", "called"),
    [
        ("python train.py --epochs 3", "train"),
        ("python -m pkg.train", "pkg.train"),
        ("uv run scripts/fit.py", "fit"),
        ("torchrun --nproc-per-node 2 main.py", "main"),
        ("accelerate launch train.py", "train"),
        ("./run.sh", "run"),
        ("env A=1 make train", "make"),
        ("python -c pass", "python"),
    ],
)
def test_what_it_is_called(command: str, called: str) -> None:
    assert label(command.split()) == called
