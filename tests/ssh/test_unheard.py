"""`run` where there is no terminal, or none any more: it trains to its end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import SMALL
from tests.preloaded import Running
from tests.ssh.together import run_named
from tests.terminal import Terminal
from tests.waiting import until
from tui_trainer.records.history import History
from tui_trainer.records.run_index import summaries
from tui_trainer.run_sources.run_source import replay

pytestmark = pytest.mark.slow

REPOSITORY = str(Path(__file__).parents[2])
RUN = ["run", "--preset", "steplr", *SMALL, "--name", "mine"]
PROGRAM = [sys.executable, "-m", "tui_trainer"]
EPOCHS = ["--epochs", "12"]
LONG = ["--epochs", "4000"]


def finished(runs: Path) -> History:
    history = replay(run_named(runs, "mine"))
    assert history.status == "finished"
    assert history.steps == 48
    return history


def test_a_run_outlives_the_terminal_that_its_bar_is_drawn_on(runs: Path) -> None:
    with Terminal("run", "--preset", "steplr", *SMALL, "--name", "mine", *EPOCHS) as terminal:
        terminal.until("epoch")
        terminal.close()
        assert terminal.wait() == 0
    finished(runs)
    assert "training goes on" in (run_named(runs, "mine") / "log.txt").read_text()


def test_a_run_outlives_who_reads_what_it_prints(runs: Path) -> None:
    with Running(*RUN, *EPOCHS, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert b"steplr" in running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 0
    finished(runs)


def test_a_comparison_outlives_who_reads_what_it_prints(runs: Path) -> None:
    command = ("compare", "steplr", "none", *SMALL, "--epochs", "6")
    with Running(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert b"steplr" in running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 0
    assert [summary.status for summary in summaries(runs)] == ["finished", "finished"]


def test_under_nohup_a_hang_up_changes_nothing(runs: Path, tmp_path: Path) -> None:
    nohup = shutil.which("nohup")
    if nohup is None:
        pytest.skip("no nohup here")
    with (tmp_path / "out.txt").open("w") as out:
        running = subprocess.Popen([nohup, *PROGRAM, *RUN, *LONG], stdout=out, stderr=out, start_new_session=True)
    run = run_named(runs, "mine")
    until(lambda: replay(run).steps > 0)
    os.killpg(running.pid, signal.SIGHUP)
    at = replay(run).steps
    until(lambda: replay(run).steps > at + 8)
    running.terminate()
    assert running.wait() == 143
    assert replay(run).status == "stopped"
    printed = (tmp_path / "out.txt").read_text()
    assert "epoch   1" in printed
    assert "\x1b" not in printed


def test_as_a_service_it_has_no_terminal_no_home_no_locale_and_no_streams(runs: Path) -> None:
    service = subprocess.run(
        [*PROGRAM, *RUN, *EPOCHS],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": REPOSITORY, "TUI_TRAINER_RUNS": str(runs)},
        cwd="/",
        start_new_session=True,
        preexec_fn=lambda: os.closerange(0, 3),
    )
    assert service.returncode == 0
    finished(runs)
    lines = (run_named(runs, "mine") / "events.jsonl").read_bytes().splitlines()
    assert all(line.startswith(b"{") for line in lines)  # nothing that was printed went among them


def test_it_is_stopped_as_a_service_is(runs: Path) -> None:
    running = Running(*RUN, *LONG, session=True)
    run = run_named(runs, "mine")
    until(lambda: replay(run).steps > 0)
    running.terminate()
    assert running.wait() == 143
    assert (run / "checkpoints" / "last.pt").exists()
    assert replay(run).status == "stopped"
