"""Comparisons that a real SLURM trains: `tests/slurm/one_node.sh start` starts one of one node."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.leftovers import same_signals
from tests.terminal import Terminal
from tests.waiting import until
from tui_trainer.cli import main
from tui_trainer.compare import slurm
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.executors import to_do
from tui_trainer.compare.plain_lines import find_out
from tui_trainer.compare.queue import Queue
from tui_trainer.compare.session import Contestant, Session, all_sessions
from tui_trainer.compare.table import tabulate
from tui_trainer.presets.catalogue import load as load_preset
from tui_trainer.records.history import History
from tui_trainer.run_sources.run_source import replay
from tui_trainer.run_spec import RunSpec

LIMIT_S = 120.0
"""Seconds that anything here is waited for, on a machine that does other things as well."""


def _why_not() -> str:
    if shutil.which("scontrol") is None or shutil.which("sbatch") is None:
        return "SLURM is not installed"
    try:
        answer = subprocess.run(["scontrol", "ping"], capture_output=True, text=True, timeout=20).stdout
    except subprocess.TimeoutExpired:
        return "SLURM's controller does not answer"
    return "" if " is UP" in answer else "no controller of SLURM runs"


WHY_NOT = _why_not()
pytestmark = [pytest.mark.slurm, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where runs are recorded; what is in the queue in the end goes out of it."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(folder))
    yield folder
    jobs = [job for each in all_sessions(folder) for job in Session.open(each).submitted]
    if jobs:
        subprocess.run(["scancel", "--quiet", *jobs], timeout=60, check=False)


def cli(*arguments: str) -> Result:
    with same_signals():
        return CliRunner().invoke(main, arguments)


def session_of(runs: Path, count: int, *, epochs: int) -> Session:
    options: dict[str, Any] = {"model": "mlp", "limit_train": 256, "limit_val": 64, "threads": 1, "device": "cpu"}
    asked = RunSpec.of("onecycle", load_preset("onecycle"), epochs=epochs, **options).model_dump(mode="json")
    return Session.create(runs, [Contestant(label=f"run {i}", seed=0, asked=asked) for i in range(count)])


def history(session: Session, trial: int) -> History | None:
    session.refresh()
    record = session.record_of(session.entries[trial])
    return replay(record) if record is not None else None


def has_trained(session: Session, trial: int, steps: int) -> bool:
    found = history(session, trial)
    return found is not None and found.steps >= steps


def status(session: Session, trial: int) -> str:
    found = history(session, trial)
    return found.status if found is not None else ""


def log(session: Session) -> str:
    return "\n".join(each.read_text(errors="replace") for each in sorted(session.folder.glob("slurm-*.log")))


def test_presets_and_seeds_are_trained_by_an_array_and_shown(runs: Path) -> None:
    small = ("--model", "mlp", "--limit-train", "256", "--limit-val", "64", "--epochs", "2", "--device", "cpu")
    done = cli("compare", "none", "onecycle", *small, "--seeds", "2", "--executor", "slurm", "--slurm-args=--time 5")
    session = Session.open(all_sessions(runs)[0])
    assert done.exit_code == 0, done.output + log(session)
    assert "submitted: 4 runs as job" in done.output
    assert [status(session, trial) for trial in range(4)] == ["finished"] * 4
    (job,) = session.submitted
    held = session.claims.newest()
    assert {claim.holder.job for claim in held.values() if claim.holder} == {f"{job}_{trial}" for trial in range(4)}
    assert {claim.generation for claim in held.values()} == {1}
    assert "Fair: " in done.output


def test_what_slurm_would_not_take_is_refused_before_anything_is_made(runs: Path) -> None:
    done = cli("compare", "none", "onecycle", "--executor", "slurm", "--slurm-args", "--partition not-there")
    assert done.exit_code == 2
    assert "sbatch refuses: " in done.output
    assert "partition" in done.output
    assert not runs.exists()


def test_told_of_its_time_limit_a_task_goes_on_later_to_the_bit(runs: Path) -> None:
    """By the signal that SLURM sends a minute before the limit, here as soon as it trains."""
    session = session_of(runs, 1, epochs=60)
    job = slurm.submit(session, [0], ["--time", "10"])
    until(lambda: has_trained(session, 0, 8), LIMIT_S)
    subprocess.run(["scancel", "--batch", "--signal=USR1", f"{job}_0"], timeout=60, check=True)
    until(lambda: status(session, 0) == "stopped", LIMIT_S)
    interrupted_at = (history(session, 0) or History()).steps
    assert 8 <= interrupted_at < 240
    comparison = Comparison(session)
    until(lambda: (comparison.poll(look=True), tabulate(comparison).rows[0].status == "queued")[1], LIMIT_S)
    until(lambda: status(session, 0) == "finished", LIMIT_S)
    holder = session.claims.newest()[0].holder
    assert holder is not None, log(session)
    assert (holder.job, holder.restarts) == (f"{job}_0", 1)

    alone = session_of(runs / "alone", 1, epochs=60)
    queue = Queue(alone)
    queue.start()
    assert queue.wait(LIMIT_S)
    here, there = history(alone, 0), history(session, 0)
    assert here is not None
    assert there is not None
    assert len(there.losses) == 240
    assert list(there.losses) == list(here.losses)


def test_who_leaves_the_screen_leaves_everything_to_go_on(runs: Path) -> None:
    session = session_of(runs, 2, epochs=4000)
    job = slurm.submit(session, [0, 1], ["--time", "10"], at_once=1)
    until(lambda: has_trained(session, 0, 8), LIMIT_S)
    with Terminal("compare", session.id, columns=130, lines=40) as terminal:
        terminal.until(lambda screen: f"job {job}_0" in screen and "In the queue: 1 run" in screen, LIMIT_S)
        terminal.press("q")
        assert terminal.wait(LIMIT_S) == 0
    assert session.is_trained
    assert slurm.tasks(session).keys() == {0, 1}
    assert cli("stop", session.id).exit_code == 0


def test_stopping_a_session_empties_the_queue_and_ends_what_runs_with_a_checkpoint(runs: Path) -> None:
    session = session_of(runs, 3, epochs=4000)
    job = slurm.submit(session, [0, 1, 2], ["--time", "10"], at_once=1)
    until(lambda: has_trained(session, 0, 8), LIMIT_S)
    comparison = Comparison(Session.open(session.folder))
    comparison.poll_all()
    said = " ".join(find_out(comparison).verdict)
    assert f"(job {job}_0)" in said
    assert "In the queue: 2 runs" in said

    done = cli("stop", session.id)
    assert done.exit_code == 0, done.output + log(session)
    assert status(session, 0) == "stopped"
    assert (session.runs / str(session.entries[0].run) / "checkpoints" / "last.pt").is_file()
    assert [entry.run for entry in session.entries[1:]] == [None, None]
    until(lambda: not slurm.tasks(session), LIMIT_S)
    assert to_do(session) == [0, 1, 2]  # all of it may be submitted again


def test_a_job_that_cannot_train_is_shown_with_the_end_of_its_log(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_trainer.compare.elsewhere.GRACE_S", 0.0)
    session = session_of(runs, 2, epochs=1)
    (session.folder / "session.json").chmod(0o600)
    monkeypatch.setattr("sys.executable", "/no/such/python")
    job = slurm.submit(session, [1], ["--time", "5"])
    until(lambda: not slurm.tasks(session) and "such" in log(session), LIMIT_S)
    comparison = Comparison(session)
    comparison.poll_all()
    (told,) = [sentence for sentence in find_out(comparison).verdict if f"job {job}_1 is over" in sentence]
    assert "/no/such/python" in told


def test_a_task_that_was_cancelled_by_hand_goes_on_when_it_is_submitted_again(runs: Path) -> None:
    session = session_of(runs, 1, epochs=60)
    job = slurm.submit(session, [0], ["--time", "10"])
    until(lambda: has_trained(session, 0, 8), LIMIT_S)
    subprocess.run(["scancel", f"{job}_0"], timeout=60, check=True)
    until(lambda: not slurm.tasks(session), LIMIT_S)
    assert status(session, 0) == "stopped", log(session)
    (record,) = {session.record_of(session.entries[0])}
    again = cli("compare", session.id, "--executor", "slurm", "--slurm-args=--time=10")
    assert again.exit_code == 0, again.output + log(session)
    assert session.record_of(session.entries[0]) == record
    found = history(session, 0)
    assert found is not None
    assert (found.status, len(found.losses)) == ("finished", 240)
