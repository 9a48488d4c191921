"""Comparisons that a real SLURM trains: `tests/slurm/one_node.sh start` starts one, of this machine alone.

Where it is not about how a task begins, its interpreter has torch loaded already (`forks.py`): importing it takes each
some seconds of a core.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests import preloaded
from tests.leftovers import same_signals
from tests.slurm.forks import forks
from tests.ssh.test_ranks import TINY, assert_alike
from tests.ssh.together import done, history_of
from tests.terminal import Terminal
from tests.waiting import PATIENCE_S, until
from tui_trainer.cli import main
from tui_trainer.commands import Pause
from tui_trainer.compare import slurm
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.executors import to_do
from tui_trainer.compare.plain_lines import find_out
from tui_trainer.compare.queue import Queue
from tui_trainer.compare.session import Contestant, Session, all_sessions
from tui_trainer.compare.table import tabulate
from tui_trainer.presets.catalogue import load as load_preset
from tui_trainer.records.history import History
from tui_trainer.records.inbox import send
from tui_trainer.run_sources.run_source import replay
from tui_trainer.run_spec import RunSpec

CLUSTER = "tui-trainer-tests"
"""What `one_node.sh` calls it: what these tests do to a cluster, no other one is to suffer."""

DOCUMENTED = Path(__file__).parents[2] / "docs" / "cluster.md"


def _why_not() -> str:
    if shutil.which("scontrol") is None or shutil.which("sbatch") is None:
        return "SLURM is not installed"
    try:
        told = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True, timeout=20).stdout
    except subprocess.TimeoutExpired:
        return "SLURM's controller does not answer"
    if "ClusterName" not in told:
        return "no controller of SLURM runs"
    return "" if CLUSTER in told else "the SLURM that runs is no one's to drain and to stop"


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


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tasks that are submitted in this process are forked."""
    with forks() as executable:
        monkeypatch.setattr(slurm, "sys", SimpleNamespace(executable=str(executable)))
        yield


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


def has_been_queued_again(task: str) -> bool:
    told = subprocess.run(["scontrol", "show", "job", task], capture_output=True, text=True, timeout=60).stdout
    return "Restarts=1" in told


def blocks() -> list[str]:
    """What is to be typed, or to be written to a file, in the documentation."""
    return [each.partition("```")[0] for each in DOCUMENTED.read_text().split("```sh\n")[1:]]


def documented(beginning: str) -> list[list[str]]:
    """The words of each command there that begins so."""
    lines = [line for block in blocks() if not block.startswith("#!") for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(beginning)]


def log(session: Session) -> str:
    return "\n".join(each.read_text(errors="replace") for each in sorted(session.folder.glob("slurm-*.log")))


def test_slurm_takes_what_is_documented_as_it_stands(
    cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (script,) = [each for each in blocks() if each.startswith("#!/bin/sh")]
    (tmp_path / "train.sh").write_text(script)
    for command, *words in (lines := documented("sbatch ")):
        told = [command, "--test-only", f"--chdir={tmp_path}", *words]
        done = subprocess.run(told, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{shlex.join(words)}: {done.stderr}"
    assert len(lines) == 2
    (given,) = [line[line.index("--slurm-args") + 1] for line in documented("tui-trainer ") if "--slurm-args" in line]
    slurm.check(slurm.options(given))


def test_what_slurm_would_not_take_is_refused_before_anything_is_made(runs: Path) -> None:
    done = cli("compare", "none", "onecycle", "--executor", "slurm", "--slurm-args", "--partition not-there")
    assert done.exit_code == 2
    assert "sbatch refuses: " in done.output
    assert "partition" in done.output
    assert not runs.exists()


@pytest.mark.usefixtures("forked")
def test_at_the_time_limit_that_slurm_holds_it_to_a_task_stops_and_goes_on_later_to_the_bit(runs: Path) -> None:
    """SLURM looks at its limits every half a minute: of a limit of one minute, it tells after 25 s to 55 s."""
    session = session_of(runs, 1, epochs=120)
    job = slurm.submit(session, [0], ["--time", "1", "--signal=B:USR1@5"])
    until(lambda: has_trained(session, 0, 8))
    record = session.record_of(session.entries[0])
    assert record is not None
    send(record, Pause(by="test"))  # it lives on to its limit, and takes no core from the tests beside it
    until(lambda: status(session, 0) == "stopped")
    stopped = history(session, 0)
    assert stopped is not None
    assert stopped.ended is not None
    assert "the time limit of its job is near" in stopped.ended.reason
    assert 8 <= stopped.steps < 480
    until(lambda: has_been_queued_again(f"{job}_0"))
    scontrol("update", f"jobid={job}_0", "timelimit=10")  # it may be a slow machine
    comparison = Comparison(session)
    until(lambda: (comparison.poll(look=True), tabulate(comparison).rows[0].status in ("queued", "finished"))[1])
    until(lambda: status(session, 0) == "finished")
    holder = session.claims.newest()[0].holder
    assert holder is not None, log(session)
    assert holder.job == f"{job}_0"
    assert holder.restarts == 1

    alone = session_of(runs / "alone", 1, epochs=120)
    queue = Queue(alone)
    queue.start()
    assert queue.wait(PATIENCE_S)
    here, there = history(alone, 0), history(session, 0)
    assert here is not None
    assert there is not None
    assert len(there.losses) == 480
    assert list(there.losses) == list(here.losses)


@pytest.mark.usefixtures("forked")
def test_one_leaves_the_screen_and_all_goes_on_until_two_stop_it_which_saves_a_checkpoint(runs: Path) -> None:
    session = session_of(runs, 3, epochs=4000)
    job = slurm.submit(session, [0, 1, 2], ["--time", "10"], at_once=1)
    until(lambda: has_trained(session, 0, 8))
    where = f"job {job}_0"
    with (
        Terminal("compare", session.id, columns=130, lines=40) as one,
        Terminal("compare", session.id, columns=130, lines=40) as other,
    ):
        for each in (one, other):
            each.until(lambda screen: where in screen and "In the queue: 2 runs" in screen)
        one.press("q")
        assert one.wait() == 0
        assert session.is_trained
        assert slurm.tasks(session).keys() == {0, 1, 2}

        stops = [preloaded.Running("stop", session.id) for _ in range(2)]
        codes = [each.wait() for each in stops]
        assert 0 in codes
        assert set(codes) <= {0, 1}  # who comes when all is over is told so
        other.until(lambda screen: "In the queue" not in screen and where not in screen)
        other.press("q")
        other.wait()
    until(lambda: not slurm.tasks(session))
    assert status(session, 0) == "stopped", log(session)
    assert (session.runs / str(session.entries[0].run) / "checkpoints" / "last.pt").is_file()
    assert [entry.run for entry in session.entries[1:]] == [None, None]
    assert {trial: claim.generation for trial, claim in session.claims.newest().items()} == {0: 1}
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


def cancel_one(runs: Path) -> str:
    """Of twelve that are held cancel one, and have the others begin; their job. Nothing is left in the queue where that
    cannot be."""
    until(lambda: bool(all_sessions(runs)) and bool(Session.open(all_sessions(runs)[0]).submitted))
    session = Session.open(all_sessions(runs)[0])
    (job,) = session.submitted
    try:
        assert slurm.tasks(session).keys() == set(range(12))
        subprocess.run(["scancel", f"{job}_6"], timeout=60, check=True)
        scontrol("release", job)
    except BaseException:
        subprocess.run(["scancel", job], timeout=60, check=True)
        raise
    return job


@pytest.mark.usefixtures("forked")
def test_of_the_documented_sweep_of_twelve_one_is_cancelled_and_goes_on_alone(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_trainer.compare.elsewhere.GRACE_S", 0.0)
    (sweep,) = documented("tui-trainer compare steplr --grid ")
    small = ("--model", "mlp", "--limit-train", "64", "--limit-val", "32", "--epochs", "2", "--device", "cpu")
    with ThreadPoolExecutor(1) as beside:
        cancelled = beside.submit(cancel_one, runs)
        first = cli(*sweep[1:], *small, "--slurm-args", "--hold --time 5")
        job = cancelled.result()
    session = Session.open(all_sessions(runs)[0])
    assert "submitted: 12 runs as job" in first.output
    assert f"job {job}_6 is over and has not trained it" in first.output, first.output
    assert first.exit_code == 1
    session.refresh()
    assert to_do(session) == [6], log(session)

    again = cli("compare", session.id, "--executor", "slurm", "--slurm-args=--time=5")
    assert again.exit_code == 0, again.output + log(session)
    assert "submitted: 1 run as job" in again.output
    assert "Fair: " in again.output
    assert "lr 0.1 gamma 0.5" in again.output
    assert [status(session, trial) for trial in range(12)] == ["finished"] * 12
    held_by = {trial: claim.holder for trial, claim in session.claims.newest().items() if claim.holder}
    (second,) = session.submitted.keys() - {job}
    assert {trial: holder.job for trial, holder in held_by.items()} == {
        trial: f"{job if trial != 6 else second}_{trial}" for trial in range(12)
    }
    assert {claim.generation for claim in session.claims.newest().values()} == {1}
    assert len(list(runs.glob("*/events.jsonl"))) == 12


@pytest.mark.usefixtures("forked")
def test_of_trials_that_slurm_trains_two_at_once_the_hopeless_one_ends_early_and_is_not_submitted_again(
    runs: Path,
) -> None:
    """It is the last of five: as it begins, three of the others have ended for certain."""
    small = ("--model", "mlp", "--limit-train", "200", "--limit-val", "50", "--epochs", "4", "--device", "cpu")
    lrs = ("--grid", "optimizer.lr=0.01,0.011,0.012,0.013,1e-9", "--stop-worse-than", "median", "--jobs", "2")
    done = cli("compare", "steplr", *lrs, *small, "--executor", "slurm", "--slurm-args", "--time 5")
    session = Session.open(all_sessions(runs)[0])
    assert done.exit_code == 0, done.output + log(session)
    first, *_, last = [history(session, trial) for trial in range(5)]
    assert first is not None
    assert first.status == "finished"  # which of those that are nearly as good ends early, the machine's speed decides
    assert last is not None
    assert last.ended is not None
    assert (last.ended.status, last.ended.epoch, last.ended.why.code) == ("stopped", 1, "worse_than_median")
    assert re.search(r"^optimizer\.lr 1e-9 +pruned +1/4", done.output, re.MULTILINE), done.output
    assert to_do(session) == []
    assert {claim.generation for claim in session.claims.newest().values()} == {1}


@pytest.mark.usefixtures("alone", "forked")
def test_what_waits_for_a_drained_node_says_so_and_begins_when_it_is_back(runs: Path) -> None:
    session = session_of(runs, 1, epochs=1)
    scontrol("update", "nodename=ALL", "state=drain", "reason=tested")
    try:
        slurm.submit(session, [0], ["--time", "5"])
        comparison = Comparison(Session.open(session.folder))
        until(lambda: any(task.why not in ("", "None", "Priority") for task in slurm.tasks(session).values()))
        comparison.poll_all()
        why = next(iter(slurm.tasks(session).values())).why
        assert f"In the queue: 1 run ({why})." in find_out(comparison).verdict
    finally:
        scontrol("update", "nodename=ALL", "state=resume")
    until(lambda: status(session, 0) == "finished")


@pytest.mark.usefixtures("alone", "forked")
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


@pytest.mark.usefixtures("alone", "forked")
def test_a_task_that_wants_to_be_queued_again_waits_for_a_controller_that_is_down(runs: Path) -> None:
    session = session_of(runs, 1, epochs=60)
    slurm.submit(session, [0], ["--time", "10"])
    until(lambda: has_trained(session, 0, 8))
    record, holder = session.record_of(session.entries[0]), session.claims.newest()[0].holder
    assert record is not None
    assert holder is not None
    send(record, Pause(by="test"))
    scontrol("shutdown", "slurmctld")
    try:
        until(slurm.is_down)
        os.kill(holder.pid, signal.SIGUSR1)  # as slurmd would
        until(lambda: "this waits until it has this task begin again" in log(session))
        assert status(session, 0) == "stopped"
    finally:
        subprocess.run(["slurmctld"], env={"PATH": os.environ["PATH"]}, timeout=60, check=True)
    until(lambda: status(session, 0) == "finished")
    again = session.claims.newest()[0].holder
    assert again is not None
    assert (again.job, again.restarts) == (holder.job, 1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 9 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.usefixtures("forked")
def test_a_trial_whose_checkpoint_fills_the_disk_fails_with_its_words_and_the_others_are_trained(
    cluster: None, small_disk: Path
) -> None:
    runs = small_disk / "runs"
    options: dict[str, Any] = {"limit_train": 64, "limit_val": 32, "threads": 1, "device": "cpu"}
    models = ("resnet9", "mlp", "mlp")
    specs = [RunSpec.of("none", load_preset("none"), epochs=1, model=model, **options) for model in models]
    asked = [spec.model_dump(mode="json") for spec in specs]
    session = Session.create(runs, [Contestant(label=f"run {i}", seed=0, asked=each) for i, each in enumerate(asked)])
    slurm.submit(session, range(3), ["--time", "5"], at_once=1)
    until(lambda: not slurm.tasks(session))
    assert [status(session, trial) for trial in range(3)] == ["finished"] * 3, log(session)
    lacking = "could not be saved: No space left on device"
    ends = [found.ended for trial in range(3) if (found := history(session, trial)) is not None]
    assert [end is not None and (end.exit_code, lacking in end.reason) for end in ends] == [
        (1, True),
        *[(0, False)] * 2,
    ]
    last = [(session.runs / str(entry.run) / "checkpoints" / "last.pt").is_file() for entry in session.entries]
    assert last == [False, True, True]
    shown = cli("compare", session.id, "--runs-dir", str(runs))
    assert shown.exit_code == 1
    assert f"run 0: finished: {ends[0].reason if ends[0] is not None else ''}" in shown.output, shown.output


def test_the_documented_script_trains_one_run_on_two_nodes_as_one_process_does(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (script,) = [each for each in blocks() if each.startswith("#!/bin/sh")]
    (tmp_path / "train.sh").write_text(script)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    output = tmp_path / "train.log"
    train = [*TINY, "--preset", "plateau", "--epochs", "2", "--name"]
    where = [f"--output={output}", f"--chdir={tmp_path}"]
    command = ["sbatch", "--wait", "--nodes=2", "--ntasks-per-node=1", "--time=5", *where, str(tmp_path / "train.sh")]
    ended = subprocess.run([*command, "run", *train, "wide"], timeout=PATIENCE_S, check=False)
    assert ended.returncode == 0, output.read_text()
    done(1, "run", *train, "narrow", log=tmp_path)
    wide = history_of(runs, "wide")
    assert wide.resolved is not None
    assert wide.resolved.ranks == 2
    assert_alike(wide, history_of(runs, "narrow"))
