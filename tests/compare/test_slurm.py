"""What is asked of SLURM, and what its answers come to. Its commands are scripts here; `tests/slurm` has a real one."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.compare.made import record
from tests.compare.test_claims import ELSEWHERE, to_train
from tests.leftovers import same_signals
from tests.waiting import until
from tui_trainer import allowed_code
from tui_trainer.cli import main
from tui_trainer.compare import elsewhere as elsewhere_module
from tui_trainer.compare import queue, slurm, slurm_start, slurm_task
from tui_trainer.compare.claims import Claim, Claims
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.executors import Ended, stopped
from tui_trainer.compare.plain_lines import find_out
from tui_trainer.compare.session import Session, all_sessions
from tui_trainer.compare.slurm_task import Task
from tui_trainer.compare.table import tabulate
from tui_trainer.events import RunEnded
from tui_trainer.records.record import Record

ANSWERS = {
    "sbatch": 'case "$*" in *--test-only*) exit 0;; esac; echo "77;here"',
    "squeue": 'cat "$FAKE/queue" 2>/dev/null || true',
    "scancel": "",
    "scontrol": "",
}


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """Has commands of that name on the PATH; gives what they were called with. What still looks is waited for, in the
    end: it would ask those of the next test."""
    folder = tmp_path / "fake"
    folder.mkdir()
    for name, answer in ANSWERS.items():
        script = folder / name
        script.write_text(f'#!/bin/sh\necho "{name} $*" >>"$FAKE/asked"\n{answer}\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE", str(folder))
    log = folder / "asked"
    yield lambda: log.read_text().splitlines() if log.exists() else []
    until(lambda: not any(thread.name == "looking elsewhere" for thread in threading.enumerate()))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(elsewhere_module, "GRACE_S", 0.0)
    monkeypatch.setattr(elsewhere_module, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(elsewhere_module, "ASK_EVERY_S", 0.0)
    return tmp_path / "runs"


def queued(tmp_path: Path, *lines: str) -> None:
    """What `squeue` lists from now on."""
    (tmp_path / "fake" / "queue").write_text("".join(f"{line}\n" for line in lines))


def answers(tmp_path: Path, name: str, script: str) -> None:
    (tmp_path / "fake" / name).write_text(f"#!/bin/sh\n{script}\n")


def cli(*arguments: str) -> Result:
    with same_signals():
        return CliRunner().invoke(main, arguments)


SMALL = ("--model", "mlp", "--limit-train", "200", "--limit-val", "50", "--epochs", "1", "--device", "cpu")
COMPARE = ("compare", "none", "onecycle", *SMALL, "--executor", "slurm")


# What is asked of it


def test_what_the_person_set_for_sbatch_holds_and_the_job_that_one_sits_in_does_not(
    tmp_path: Path, asked: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(tmp_path, "sbatch", 'echo "$SBATCH_ACCOUNT $SLURM_CONF $SLURM_JOB_ID." >&2; exit 1')
    for name in ("SBATCH_ACCOUNT", "SLURM_CONF", "SLURM_JOB_ID"):
        monkeypatch.setenv(name, name.lower())
    with pytest.raises(slurm.SlurmRefused, match=r"sbatch_account slurm_conf \."):
        slurm.check([])


@pytest.mark.parametrize(
    ("given", "cpus"),
    [("", 1), ("--partition gpu", 1), ("-c 4", 4), ("-c4", 4), ("--cpus-per-task=8 --mem 4G", 8), ("-c many", 1)],
)
@pytest.mark.never_says("cluster.not_yours", "cluster.no_option")
def test_options_of_sbatch_go_on_to_it(given: str, cpus: int) -> None:
    words = slurm.options(given)
    assert words == given.split()
    assert slurm.cpus_of(words) == cpus


@pytest.mark.says("cluster.not_yours", "cluster.no_option")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("--array 1-3", "--array is what compare says itself"),
        ("-a0", "-a0 is what compare says itself"),
        ("--wrap=true", "--wrap is what compare says itself"),
        ("mine.sh", "'mine.sh' is no option"),
        ("--time 1 mine.sh", "'mine.sh' is no option"),
        ("--time=1 mine.sh", "'mine.sh' is no option"),
    ],
)
def test_options_that_would_make_another_job_are_refused(given: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        slurm.options(given)
    with pytest.raises(ValueError, match="--parsable is what"):
        slurm.options("--parsable")
    with pytest.raises(ValueError, match="'x' is no option"):
        slurm.options("x")


@pytest.mark.says("cluster.no_slurm")
def test_without_slurm_that_is_said_and_nothing_is_made(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = cli(*COMPARE)
    assert done.exit_code == 2
    assert "there is no SLURM here: sbatch is not on the PATH" in done.output
    assert not runs.exists()


@pytest.mark.says("cluster.refused")
def test_what_sbatch_would_not_take_is_said_before_anything_is_made(
    runs: Path, tmp_path: Path, asked: Callable[[], list[str]]
) -> None:
    answers(tmp_path, "sbatch", 'echo "sbatch: error: invalid partition" >&2; exit 1')
    done = cli(*COMPARE, "--slurm-args", "--partition nope")
    assert done.exit_code == 2
    assert "sbatch refuses: sbatch: error: invalid partition" in done.output
    assert not runs.exists()


@pytest.mark.says("cluster.no_answer")
def test_a_controller_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, asked: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slurm, "ANSWERS_WITHIN_S", 0.05)
    answers(tmp_path, "sbatch", "exec sleep 60")
    with pytest.raises(slurm.SlurmRefused, match=r"sbatch gave no answer within 0\.05 s"):
        slurm.check([])


@pytest.mark.says("cluster.needs_slurm")
def test_options_for_slurm_are_for_slurm(runs: Path) -> None:
    done = cli("compare", "none", "onecycle", *SMALL, "--slurm-args", "--time 1")
    assert done.exit_code == 2
    assert "--slurm-args are for --executor slurm" in done.output
    assert not runs.exists()


@pytest.mark.says("cluster.submitted", "cluster.only_shown", "cluster.nothing_to_submit")
@pytest.mark.never_says("cluster.no_slurm", "cluster.refused", "cluster.no_answer", "cluster.needs_slurm")
def test_a_session_is_submitted_as_an_array_shown_and_submitted_again(
    runs: Path, tmp_path: Path, asked: Callable[[], list[str]]
) -> None:
    done = cli(*COMPARE, "--seeds", "2", "--jobs", "3", "--slurm-args", "--cpus-per-task 2 --time 5")
    session = Session.open(all_sessions(runs)[0])
    assert f"submitted: 4 runs as job 77; tui-trainer compare {session.id} shows them" in done.output
    assert "4 runs left, and SLURM has none of them" in done.output  # for its queue is empty
    test, array = [line for line in asked() if line.startswith("sbatch")]
    assert test == "sbatch --test-only --cpus-per-task 2 --time 5"
    assert "--array=0,1,2,3%3 " in array
    assert "--signal=B:USR1@60" in array
    assert array.endswith(f"--cpus-per-task 2 --time 5 {session.folder / 'slurm.sh'}")
    assert "exec " in (session.folder / "slurm.sh").read_text()
    assert "--allow-code" not in (session.folder / "slurm.sh").read_text()
    assert session.submitted["77"].trials == [0, 1, 2, 3]
    assert {entry.spec().threads for entry in session.entries} == {2}

    until(lambda: all(thread.name != "looking elsewhere" for thread in threading.enumerate()))
    queued(tmp_path, *(f"77|{i}|PD||Priority" for i in range(4)))
    answers(tmp_path, "squeue", 'cat "$FAKE/queue"; : >"$FAKE/queue"')  # the next time it is empty
    again = cli("compare", session.id, "--executor", "slurm")
    assert "nothing is left to submit" in again.output
    assert again.exit_code == 1
    assert len(session.submitted) == 1


def test_trials_of_one_preset_are_tasks_with_a_seed_each(runs: Path, asked: Callable[[], list[str]]) -> None:
    drawn = ("--random", "2", "--space", "scheduler.gamma=uniform:0.1:0.9", "--seed", "3")
    done = cli("compare", "steplr", *SMALL, "--grid", "optimizer.lr=0.01,0.03", *drawn, "--seeds", "2", *COMPARE[-2:])
    session = Session.open(all_sessions(runs)[0])
    assert "submitted: 8 runs as job 77" in done.output
    assert session.plan.drawn_with == 3
    assert [entry.seed for entry in session.entries] == [3] * 4 + [4] * 4
    assert len({entry.label for entry in session.entries}) == 4
    for entry in session.entries:
        preset = entry.spec().preset
        assert entry.varied == {"optimizer.lr": preset.optimizer.lr, "scheduler.gamma": preset.scheduler.gamma}
        assert entry.label == f"lr {preset.optimizer.lr} gamma {preset.scheduler.gamma}"


@pytest.mark.says("cluster.trains_on", "cluster.queued")
def test_where_runs_train_and_what_waits_is_told(runs: Path, tmp_path: Path, asked: Callable[[], list[str]]) -> None:
    session = to_train(runs, 4)
    session.was_submitted("77", [0, 1, 3])
    queued(tmp_path, "77|0|R|node1|None", "77|1|PD||Priority", "77|3|PD||Priority", "78|2|PD||Priority", "garbage")
    held = Claims(session.folder, ELSEWHERE).take(2)
    assert held is not None
    comparison = Comparison(Session.open(session.folder))
    comparison.poll(look=True)
    said = find_out(comparison).verdict
    assert "Training: run 0 on node1 (job 77_0) and run 2 on node2." in said
    assert "In the queue: 2 runs (Priority)." in said
    assert [row.status for row in tabulate(comparison).rows] == ["to come", "queued", "to come", "queued"]
    assert comparison.is_driven
    comparison.close()


@pytest.mark.never_says("cluster.trains_on", "cluster.queued", "cluster.submitted", "cluster.nothing_to_submit")
@pytest.mark.never_says("cluster.failed", "cluster.only_shown", "cluster.stopped", "cluster.left_in_queue")
def test_a_session_that_was_given_to_nobody_asks_no_slurm(runs: Path, asked: Callable[[], list[str]]) -> None:
    session = to_train(runs, 2)
    for index in range(2):
        session.begun(index, record(runs, epochs=1))
    assert cli("compare", session.id).exit_code == 0
    assert cli("stop", session.id).exit_code == 1
    assert asked() == []


def test_while_slurm_does_not_answer_what_it_said_last_stands(
    runs: Path, tmp_path: Path, asked: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere_module, "ASK_EVERY_S", 0.0)
    session = to_train(runs, 2)
    session.was_submitted("77", [0, 1])
    queued(tmp_path, "77|0|PD||Priority", "77|1|PD||Priority")
    seen = elsewhere_module.Elsewhere(session)
    seen.look()
    answers(tmp_path, "squeue", 'echo "Unable to contact slurm controller" >&2; exit 1')
    seen.look()
    assert seen.tasks.keys() == {0, 1}
    assert seen.failed == {}
    assert "In the queue: 2 runs (Priority)." in seen.in_words(())
    assert "squeue refuses: Unable to contact slurm controller" in seen.in_words(())
    answers(tmp_path, "squeue", "")
    seen.look()
    assert seen.tasks == {}
    assert seen.failed.keys() == {0, 1}


@pytest.mark.says("cluster.failed")
def test_a_job_that_is_over_and_has_trained_nothing_is_told_with_the_end_of_its_log(
    runs: Path, asked: Callable[[], list[str]]
) -> None:
    session = to_train(runs, 3)
    session.was_submitted("77", [0, 1, 2])
    session.begun(1, record(runs, epochs=1))
    session.begun(2, record(runs, epochs=1, status="crashed"))
    lines = "much before\n" * 500 + "Traceback\n\n  no module named torch\n\x1b[31mslurmstepd: error\n"
    (session.folder / "slurm-77_0.log").write_text(lines)
    comparison = Comparison(Session.open(session.folder))
    comparison.poll_all()
    words = find_out(comparison).verdict
    (told,) = [sentence for sentence in words if "run 0" in sentence and "job 77_0 is over" in sentence]
    assert told.endswith("Its log ends: Traceback / no module named torch / [31mslurmstepd: error")  # text, as text
    assert any("run 2: job 77_2 is over" in sentence for sentence in words)
    assert not any("77_1" in sentence for sentence in words)
    assert [row.status for row in tabulate(comparison).rows] == ["failed", "finished", "crashed"]


@pytest.mark.says("cluster.stopped")
@pytest.mark.usefixtures("asked")
def test_what_is_to_be_typed_names_the_folder_of_runs(runs: Path, tmp_path: Path) -> None:
    session = to_train(tmp_path / "else", 1)
    session.was_submitted("77", [0])
    done = cli("stop", session.id, "--runs-dir", str(tmp_path / "else"))
    assert f"tui-trainer compare {session.id} --runs-dir {tmp_path / 'else'} --executor slurm\n" in done.output


@pytest.mark.says("cluster.stopped", "cluster.left_in_queue")
def test_stopping_cancels_what_waits_and_tells_what_runs_to_stop(
    runs: Path, tmp_path: Path, asked: Callable[[], list[str]]
) -> None:
    session = to_train(runs, 2)
    session.was_submitted("77", [0, 1])
    done = cli("stop", session.id)
    assert done.exit_code == 0, done.output
    assert f"submit it again: tui-trainer compare {session.id} --executor slurm" in done.output
    assert asked() == [
        "scancel --quiet --state=PENDING 77",
        "scancel --quiet --batch --signal=TERM --state=RUNNING 77",
    ]
    looks_on = Session.open(session.folder)
    assert looks_on.cancelled == {"77"}
    assert not any("job 77" in sentence for sentence in find_out(Comparison(looks_on)).verdict)  # no failure
    assert cli("stop", session.id).exit_code == 1  # a second person comes too late
    session.was_submitted("78", [0, 1])
    answers(tmp_path, "scancel", 'echo "no controller" >&2; exit 1')
    late = cli("stop", session.id)
    assert late.exit_code == 0
    assert "will end as it begins: scancel refuses: no controller" in late.output
    assert "nothing of it is left in the queue" not in late.output


# What a task does


class Trains:
    """Makes a record of one epoch; `meanwhile` happens as it trains, and then it has been stopped or has finished."""

    meanwhile: Callable[[], object]

    def __init__(self, session: Session, begun: Callable[[Claim, Path], None], *_: object) -> None:
        self._session, self._begun = session, begun
        self._stop = ""

    def train(self, claim: Claim) -> Ended:
        made = record(self._session.runs, epochs=1, status=None)
        (made / "checkpoints" / "last.pt").touch()
        self._begun(claim, made)
        type(self).meanwhile()
        status = "stopped" if self._stop else "finished"
        reopened = Record.reopen(made)
        reopened.end(RunEnded(at=time.time(), status=status, reason=self._stop, step=1, epoch=1, exit_code=0))  # type: ignore[arg-type]
        reopened.close()
        return Ended(0, self._stop, True)

    def stop(self, command: queue.Stop) -> None:
        self._stop = command.reason

    def close(self) -> None:
        pass


@pytest.fixture
def task(runs: Path, asked: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> Task:
    """The second task of a job of two, the session of which is there."""
    session = to_train(runs, 2)
    session.was_submitted("77", [0, 1])
    for name, value in {"ARRAY_JOB_ID": "77", "JOB_ID": "79", "ARRAY_TASK_ID": "1"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    monkeypatch.setattr(Trains, "meanwhile", staticmethod(lambda: None), raising=False)
    monkeypatch.setattr(queue, "InProcessExecutor", Trains)
    return Task(session.folder)


def goodbye_of(task: Task) -> str:
    from tui_trainer.records.run_metadata import ending

    record = Session.open(task.session.folder).record_of(Session.open(task.session.folder).entries[1])
    assert record is not None
    ended = ending(record)
    assert ended is not None
    return f"{ended.status}: {ended.reason}"


@pytest.mark.never_says("cluster.no_task", "cluster.was_stopped", "cluster.time_is_up", "cluster.job_ends")
@pytest.mark.never_says("cluster.no_time")
def test_a_task_trains_the_trial_of_its_number_and_no_other(task: Task, asked: Callable[[], list[str]]) -> None:
    assert task.train() == 0
    assert goodbye_of(task) == "finished: "
    assert Session.open(task.session.folder).entries[0].run is None
    held = task.session.claims.newest()[1]
    assert (held.holder and held.holder.job, held.beaten_at()) == ("77_1", 0)
    assert asked() == []


def test_a_task_reads_no_record_of_another_trial(task: Task) -> None:
    damaged = task.session.runs / "damaged"
    (damaged / "events.jsonl").mkdir(parents=True)
    task.session.begun(0, damaged)
    assert task.train() == 0
    assert goodbye_of(task) == "finished: "


@pytest.mark.says("cluster.time_is_up")
def test_a_task_whose_time_is_nearly_up_stops_and_has_itself_queued_again(
    task: Task, asked: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trains, "meanwhile", staticmethod(lambda: task.on_signal(signal.SIGUSR1)))
    assert task.train() == 0
    assert goodbye_of(task) == f"stopped: {stopped('the time limit of its job is near')}"
    assert asked() == ["scontrol requeue 77_1"]


@pytest.mark.says("cluster.waits_to_requeue")
def test_a_task_whose_time_is_nearly_up_waits_for_a_controller_that_is_down(
    task: Task,
    tmp_path: Path,
    asked: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(slurm_task, "ASK_AGAIN_S", 0.0)
    monkeypatch.setattr(Trains, "meanwhile", staticmethod(lambda: task.on_signal(signal.SIGUSR1)))
    comes_up = 'echo x >>"$FAKE/tries"; [ "$(wc -l <"$FAKE/tries")" -gt 3 ] && exit 0'
    down = 'ping) echo "Slurmctld(primary) at box is DOWN"; exit 1;;'
    answers(tmp_path, "scontrol", f'case "$1" in {down} esac; {comes_up}; echo "Unable to contact it" >&2; exit 1')
    assert task.train() == 0
    assert (tmp_path / "fake" / "tries").read_text() == "x\n" * 4
    said = capsys.readouterr().out
    assert said.count("SLURM's controller does not answer, and this waits") == 1
    assert "scontrol refuses: Unable to contact it" in said


@pytest.mark.never_says("cluster.waits_to_requeue")
@pytest.mark.parametrize("ping", ['echo "Slurmctld(primary) at box is UP"', "exit 1"])
def test_a_task_that_may_not_be_queued_again_is_told_so_at_once(
    task: Task, tmp_path: Path, asked: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch, ping: str
) -> None:
    monkeypatch.setattr(Trains, "meanwhile", staticmethod(lambda: task.on_signal(signal.SIGUSR1)))
    answers(tmp_path, "scontrol", f'case "$1" in ping) {ping}; exit 0;; esac; echo "not permitted" >&2; exit 1')
    with pytest.raises(slurm.SlurmRefused, match="not permitted"):
        task.train()


def test_a_task_that_is_cancelled_as_it_waits_for_the_controller_ends(
    task: Task, tmp_path: Path, asked: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_down() -> bool:
        task.on_signal(signal.SIGTERM)
        return True

    monkeypatch.setattr(slurm, "is_down", is_down)
    monkeypatch.setattr(slurm_task, "ASK_AGAIN_S", 0.0)
    monkeypatch.setattr(Trains, "meanwhile", staticmethod(lambda: task.on_signal(signal.SIGUSR1)))
    answers(tmp_path, "scontrol", "exit 1")
    assert task.train() == 0


@pytest.mark.says("cluster.job_ends")
def test_a_task_that_slurm_ends_stops_and_leaves_it_to_slurm_what_comes(
    task: Task, asked: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trains, "meanwhile", staticmethod(lambda: task.on_signal(signal.SIGTERM)))
    assert task.train() == 0
    assert goodbye_of(task) == f"stopped: {stopped('SLURM ends its job')}"
    assert asked() == []


@pytest.mark.says("cluster.no_time")
def test_a_task_that_gets_no_time_to_train_is_not_queued_for_ever(
    task: Task, asked: Callable[[], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    task.on_signal(signal.SIGUSR1)
    assert task.train() == 1
    assert "the time limit leaves no time" in capsys.readouterr().out
    assert asked() == []


@pytest.mark.says("cluster.was_stopped")
def test_a_task_of_a_session_that_was_stopped_trains_nothing(task: Task, capsys: pytest.CaptureFixture[str]) -> None:
    task.session.cancel(["77"])
    assert task.train() == 0
    assert "the comparison was stopped before this began" in capsys.readouterr().out
    assert Session.open(task.session.folder).entries[1].run is None


def test_a_task_may_run_the_code_that_was_allowed_as_it_was_submitted(
    runs: Path, asked: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "--allow-code" in cli(*COMPARE, "--loss", "mine:focal").output
    assert cli(*COMPARE, "--loss", "mine:focal", "--allow-code").exit_code == 1  # none of it is trained yet
    session = Session.open(all_sessions(runs)[0])
    assert (session.folder / "slurm.sh").read_text().rstrip().endswith(f"{session.folder} --allow-code")
    monkeypatch.setattr(allowed_code, "_allowed", set())  # as in the task's own process
    for name, value in {"ARRAY_JOB_ID": "77", "JOB_ID": "79", "ARRAY_TASK_ID": "1"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    code = session.entries[1].code
    assert not allowed_code.is_allowed(code)
    Task(session.folder).allow_code()
    assert allowed_code.is_allowed(code)


@pytest.mark.says("cluster.no_task")
@pytest.mark.parametrize("number", [None, "2"])
def test_what_is_no_task_of_the_session_trains_nothing(
    task: Task, monkeypatch: pytest.MonkeyPatch, number: str | None
) -> None:
    from tui_trainer.records.errors import RunsError

    monkeypatch.delenv("SLURM_ARRAY_TASK_ID")
    if number is not None:
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", number)
    with pytest.raises(RunsError, match="no task of a job array"):
        Task(task.session.folder)


def test_a_task_that_begins_again_takes_its_trial_at_once(
    task: Task, monkeypatch: pytest.MonkeyPatch, asked: Callable[[], list[str]]
) -> None:
    """Its node was lost: nothing was let go of, and a minute of silence need not be waited for."""
    assert Claims(task.session.folder, task.me).take(1) is not None
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    monkeypatch.setattr("tui_trainer.compare.claims._machine", lambda: "another node")
    assert Task(task.session.folder).train() == 0
    assert task.session.claims.newest()[1].generation == 2


def test_a_signal_that_comes_as_a_task_begins_is_not_lost(
    task: Task, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], asked: Callable[[], list[str]]
) -> None:
    before = {number: signal.getsignal(number) for number in slurm_start.SIGNALS}

    def opened(folder: Path) -> Session:
        os.kill(os.getpid(), signal.SIGUSR1)
        return real(folder)

    real = Session.open
    monkeypatch.setattr(Session, "open", opened)
    try:
        assert slurm_start.main(task.session.folder) == 1
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert "the time limit leaves no time" in capsys.readouterr().out
