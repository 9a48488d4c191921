"""A live run on another machine, over a real sshd: this program there asks it what was asked here, and it obeys."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import SMALL
from tests.preloaded import Running
from tests.remote.far_side import sshd
from tests.ssh.together import run_named
from tests.waiting import until
from tui_trainer.cli.remote import far_runs
from tui_trainer.commands import Continue, Pause, SaveCheckpoint, Stop
from tui_trainer.remote.address import Address
from tui_trainer.run_sources.remote_source import RemoteSource
from tui_trainer.run_sources.run_source import replay

PROGRAM = f"""#!/bin/sh
PYTHONPATH='{Path(__file__).parents[2]}' exec '{sys.executable}' -m tui_trainer "$@"
"""


@pytest.mark.slow
def test_a_live_run_is_listed_and_pauses_goes_on_saves_and_stops_as_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, there = tmp_path / "runs", tmp_path / "there"
    there.mkdir()
    (there / "tui-trainer").write_text(PROGRAM)
    (there / "tui-trainer").chmod(0o700)
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(runs))
    options = ["--preset", "none", *SMALL, "--epochs", "4000", "--name", "far"]
    with (
        sshd(there, PATH=f"{there}:{os.defpath}:/usr/local/bin", TUI_TRAINER_RUNS=str(runs)) as box,
        Running("run", *options) as training,
    ):
        monkeypatch.setenv("PATH", f"{box.bin}{os.pathsep}{os.environ['PATH']}")
        try:
            run = run_named(runs, "far")
            until(lambda: replay(run).steps > 0)
            source = RemoteSource(Address("box", path="/far"), asks=None, warn=print)
            try:
                follow(source, run)
            finally:
                source.close()
            training.wait()
        finally:
            training.kill()


def follow(source: RemoteSource, run: Path) -> None:
    """Ask it one thing after the other, each once the last one was done."""
    history = source.history

    def polled(condition: Callable[[], bool]) -> None:
        def looks() -> bool:
            source.poll()
            return condition()

        until(looks)

    def listed() -> list[tuple[str | None, str, str]]:
        found, reached = far_runs(["ssh://box"], print)
        assert reached
        return [(each.name, each.status, each.folder) for each in found]

    polled(lambda: history.steps > 0)
    source.send(Pause(by="attach"))
    polled(lambda: history.status == "paused")
    assert listed() == [("far", "paused", f"ssh://box{run}")]
    stood_at = history.steps
    source.send(Continue(by="attach"))
    polled(lambda: history.status == "running" and history.steps > stood_at)
    source.send(SaveCheckpoint(by="attach"))
    polled(lambda: any(answer.command == "checkpoint" and answer.accepted for answer in history.answers))
    assert (run / "checkpoints" / "last.pt").exists()
    source.send(Stop(by="attach"))
    polled(lambda: history.ended is not None)
    assert history.status == "stopped"
    assert listed() == [("far", "stopped", f"ssh://box{run}")]
