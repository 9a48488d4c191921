"""Comparisons that a real SLURM trains: `tests/slurm/one_node.sh start` starts one of one node."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests import preloaded
from tests.leftovers import same_signals
from tests.ssh.test_ranks import TINY, assert_alike
from tests.ssh.together import done, history_of
from tests.terminal import Terminal
from tests.waiting import PATIENCE_S, until
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

DOCUMENTED = Path(__file__).parents[2] / "docs" / "cluster.md"


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
def alone() -> None:
    """Asked for by what does something to the cluster that no test beside it could bear."""


@pytest.fixture
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Used beside others, or alone, by each process of one run of the tests."""
    with (tmp_path_factory.getbasetemp().parent / "slurm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if "alone" in request.fixturenames else fcntl.LOCK_SH)
        yield


@pytest.fixture
def runs(cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
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


def scontrol(*arguments: str) -> None:
    """As who runs the cluster, which root does where these tests run."""
    subprocess.run(["scontrol", *arguments], timeout=60, check=True)


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
    until(lambda: has_trained(session, 0, 8))
    subprocess.run(["scancel", "--batch", "--signal=USR1", f"{job}_0"], timeout=60, check=True)
    until(lambda: status(session, 0) == "stopped")
    interrupted_at = (history(session, 0) or History()).steps
    assert 8 <= interrupted_at < 240
    comparison = Comparison(session)
    until(lambda: (comparison.poll(look=True), tabulate(comparison).rows[0].status == "queued")[1])
    until(lambda: status(session, 0) == "finished")
    holder = session.claims.newest()[0].holder
    assert holder is not None, log(session)
    assert (holder.job, holder.restarts) == (f"{job}_0", 1)

    alone = session_of(runs / "alone", 1, epochs=60)
    queue = Queue(alone)
    queue.start()
    assert queue.wait(PATIENCE_S)
    here, there = history(alone, 0), history(session, 0)
    assert here is not None
    assert there is not None
    assert len(there.losses) == 240
    assert list(there.losses) == list(here.losses)


def test_who_leaves_the_screen_leaves_everything_to_go_on(runs: Path) -> None:
    session = session_of(runs, 2, epochs=4000)
    job = slurm.submit(session, [0, 1], ["--time", "10"], at_once=1)
    until(lambda: has_trained(session, 0, 8))
    with Terminal("compare", session.id, columns=130, lines=40) as terminal:
        terminal.until(lambda screen: f"job {job}_0" in screen and "In the queue: 1 run" in screen)
        terminal.press("q")
        assert terminal.wait() == 0
    assert session.is_trained
    assert slurm.tasks(session).keys() == {0, 1}
    assert cli("stop", session.id).exit_code == 0


def test_stopping_a_session_empties_the_queue_and_ends_what_runs_with_a_checkpoint(runs: Path) -> None:
    session = session_of(runs, 3, epochs=4000)
    job = slurm.submit(session, [0, 1, 2], ["--time", "10"], at_once=1)
    until(lambda: has_trained(session, 0, 8))
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
    until(lambda: not slurm.tasks(session))
    assert to_do(session) == [0, 1, 2]  # all of it may be submitted again


def test_a_job_that_cannot_train_is_shown_with_the_end_of_its_log(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_trainer.compare.elsewhere.GRACE_S", 0.0)
    session = session_of(runs, 2, epochs=1)
    (session.folder / "session.json").chmod(0o600)
    monkeypatch.setattr("sys.executable", "/no/such/python")
    job = slurm.submit(session, [1], ["--time", "5"])
    until(lambda: not slurm.tasks(session) and "such" in log(session))
    comparison = Comparison(session)
    comparison.poll_all()
    (told,) = [sentence for sentence in find_out(comparison).verdict if f"job {job}_1 is over" in sentence]
    assert "/no/such/python" in told


def test_a_task_that_was_cancelled_by_hand_goes_on_when_it_is_submitted_again(runs: Path) -> None:
    session = session_of(runs, 1, epochs=60)
    job = slurm.submit(session, [0], ["--time", "10"])
    until(lambda: has_trained(session, 0, 8))
    subprocess.run(["scancel", f"{job}_0"], timeout=60, check=True)
    until(lambda: not slurm.tasks(session))
    assert status(session, 0) == "stopped", log(session)
    (record,) = {session.record_of(session.entries[0])}
    again = cli("compare", session.id, "--executor", "slurm", "--slurm-args=--time=10")
    assert again.exit_code == 0, again.output + log(session)
    assert session.record_of(session.entries[0]) == record
    found = history(session, 0)
    assert found is not None
    assert (found.status, len(found.losses)) == ("finished", 240)


def test_of_a_sweep_of_twelve_one_is_cancelled_and_goes_on_alone(runs: Path) -> None:
    sweep = ("--grid", "optimizer.lr=0.01,0.03,0.1", "--grid", "scheduler.gamma=0.3,0.5", "--seeds", "2")
    small = ("--model", "mlp", "--limit-train", "64", "--limit-val", "32", "--epochs", "2", "--device", "cpu")
    held = ("--executor", "slurm", "--slurm-args", "--hold --time 5")
    with Terminal("compare", "exponential", *sweep, *small, *held, columns=130, lines=40) as terminal:
        terminal.until("queued")
        terminal.press("q")
        assert terminal.wait() == 0
    session = Session.open(all_sessions(runs)[0])
    (job,) = session.submitted
    assert slurm.tasks(session).keys() == set(range(12))
    subprocess.run(["scancel", f"{job}_6"], timeout=60, check=True)
    scontrol("release", job)
    until(lambda: not slurm.tasks(session))
    session.refresh()
    assert to_do(session) == [6], log(session)

    again = cli("compare", session.id, "--executor", "slurm", "--slurm-args=--time=5")
    assert again.exit_code == 0, again.output + log(session)
    assert "submitted: 1 run as job" in again.output
    assert [status(session, trial) for trial in range(12)] == ["finished"] * 12
    assert {claim.generation for claim in session.claims.newest().values()} == {1}
    assert len(list(runs.glob("*/events.jsonl"))) == 12
    assert "lr 0.1 gamma 0.5" in again.output


@pytest.mark.usefixtures("alone")
def test_what_waits_for_a_drained_node_says_so_and_begins_when_it_is_back(runs: Path) -> None:
    node = socket.gethostname().partition(".")[0]
    session = session_of(runs, 1, epochs=1)
    scontrol("update", f"nodename={node}", "state=drain", "reason=tested")
    try:
        slurm.submit(session, [0], ["--time", "5"])
        comparison = Comparison(Session.open(session.folder))
        until(lambda: any(task.why not in ("", "None", "Priority") for task in slurm.tasks(session).values()))
        comparison.poll_all()
        why = next(iter(slurm.tasks(session).values())).why
        assert f"In the queue: 1 run ({why})." in find_out(comparison).verdict
    finally:
        scontrol("update", f"nodename={node}", "state=resume")
    until(lambda: status(session, 0) == "finished")


@pytest.mark.usefixtures("alone")
def test_a_controller_that_is_started_again_loses_neither_what_trains_nor_what_waits(runs: Path) -> None:
    session = session_of(runs, 2, epochs=60)
    job = slurm.submit(session, [0, 1], ["--time", "10"], at_once=1)
    until(lambda: has_trained(session, 0, 8))
    scontrol("shutdown", "slurmctld")
    until(lambda: " is DOWN" in subprocess.run(["scontrol", "ping"], capture_output=True, text=True).stdout)
    trained = (history(session, 0) or History()).steps
    try:
        until(lambda: has_trained(session, 0, min(trained + 8, 240)))
    finally:
        # Without the mark of what a test starts, which is ended with it: this one stays.
        subprocess.run(["slurmctld"], env={"PATH": os.environ["PATH"]}, timeout=60, check=True)
    until(lambda: status(session, 0) == status(session, 1) == "finished")
    claims = session.claims.newest()
    assert {claim.generation for claim in claims.values()} == {1}
    assert {claim.holder.job for claim in claims.values() if claim.holder} == {f"{job}_0", f"{job}_1"}


def test_two_people_look_at_a_session_and_stop_it_at_once(runs: Path) -> None:
    session = session_of(runs, 2, epochs=4000)
    job = slurm.submit(session, [0, 1], ["--time", "10"], at_once=1)
    until(lambda: has_trained(session, 0, 8))
    with (
        Terminal("compare", session.id, columns=130, lines=40) as one,
        Terminal("compare", session.id, columns=130, lines=40) as other,
    ):
        for each in (one, other):
            each.until(lambda screen: f"job {job}_0" in screen and "In the queue: 1 run" in screen)
        one.press("q")
        assert one.wait() == 0
        assert session.is_trained
        stops = [preloaded.Running("stop", session.id) for _ in range(2)]
        codes = [each.wait() for each in stops]
        assert 0 in codes
        assert set(codes) <= {0, 1}  # who comes when all is over is told so
        other.until(lambda screen: "In the queue" not in screen and f"job {job}_0" not in screen)
        other.press("q")
        other.wait()
    until(lambda: not slurm.tasks(session))
    assert status(session, 0) == "stopped"
    assert {trial: claim.generation for trial, claim in session.claims.newest().items()} == {0: 1}


def test_the_documented_script_trains_one_run_with_several_tasks_as_one_process_does(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = [each.partition("```")[0] for each in DOCUMENTED.read_text().split("```sh\n")[1:]]
    (script,) = [each for each in blocks if each.startswith("#!/bin/sh")]
    (tmp_path / "train.sh").write_text(script)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    output = tmp_path / "train.log"
    train = [*TINY, "--preset", "plateau", "--epochs", "2", "--name"]
    where = [f"--output={output}", f"--chdir={tmp_path}"]
    command = ["sbatch", "--wait", "--ntasks=2", "--time=5", *where, str(tmp_path / "train.sh")]
    ended = subprocess.run([*command, "run", *train, "wide"], timeout=PATIENCE_S, check=False)
    assert ended.returncode == 0, output.read_text()
    done(1, "run", *train, "narrow", log=tmp_path)
    wide = history_of(runs, "wide")
    assert wide.resolved is not None
    assert wide.resolved.ranks == 2
    assert_alike(wide, history_of(runs, "narrow"))
