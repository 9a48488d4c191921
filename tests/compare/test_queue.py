"""What a comparison's queue makes of trainers that fail, die or are stopped: an exit code of 0 must be earned."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import msgspec
import pytest
from click.testing import CliRunner, Result

from tests import preloaded
from tests.cli.conftest import SMALL
from tests.compare.made import record, session_of
from tests.preloaded import Running
from tests.waiting import PATIENCE_S, until
from tui_trainer.cli import main
from tui_trainer.commands import Stop
from tui_trainer.compare import executors
from tui_trainer.compare import queue as queues
from tui_trainer.compare.claims import Claim
from tui_trainer.compare.executors import Ended, is_done, nobody_tells, stopped
from tui_trainer.compare.queue import Queue
from tui_trainer.compare.session import Contestant, Session, all_sessions
from tui_trainer.events import EndStatus, RunEnded
from tui_trainer.records import inbox
from tui_trainer.records.errors import RunsFolderUnwritable
from tui_trainer.records.lock import WriterLock, is_live
from tui_trainer.records.log_size import SMALL as SMALLEST
from tui_trainer.records.record import Record
from tui_trainer.run_sources.run_source import replay

Behaves = Callable[[Session, int], Ended]


class Trainer:
    """Trains as it is told to in a test."""

    behaves: Behaves

    def __init__(self, session: Session, *_: object) -> None:
        self._session = session
        self.asked: list[Stop] = []

    def train(self, claim: Claim) -> Ended:
        return type(self).behaves(self._session, claim.trial)

    def stop(self, command: Stop) -> None:
        self.asked.append(command)

    def close(self) -> None:
        pass


@pytest.fixture
def trains(monkeypatch: pytest.MonkeyPatch) -> Callable[[Behaves], None]:
    """Have all queues of this test train in a way."""

    def so(behaves: Behaves) -> None:
        made = type("Made", (Trainer,), {"behaves": staticmethod(behaves)})
        monkeypatch.setattr(queues, "InProcessExecutor", made)
        monkeypatch.setattr(queues, "SubprocessExecutor", made)

    return so


def session(runs: Path, count: int, jobs: int = 1) -> Session:
    entries = [Contestant(label=f"run {i}", seed=0, asked={}) for i in range(count)]
    return Session.create(runs, entries, jobs=jobs)


def ends(runs: Path, codes: Sequence[int]) -> Behaves:
    """Each run of a session ends with its own code, and says so in its record."""

    def behaves(session: Session, index: int) -> Ended:
        code = codes[index]
        script = {3: {"not_finite_at": 5}, 0: {}}.get(code, {"status": "crashed"})
        made = record(runs, epochs=1, **script)  # type: ignore[arg-type]
        session.begun(index, made)
        return Ended(code, "as asked", True)

    return behaves


def over(queue: Queue) -> int:
    queue.start()
    assert queue.wait(PATIENCE_S)
    assert queue.is_over
    return queue.exit_code


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((0, 0), 0),
        ((0, 1), 1),
        ((1, 0), 1),
        ((3, 1), 1),
        ((2, 0), 2),
        ((0, 3), 0),  # that one diverges is a result
        ((3, 3), 3),
    ],
)
def test_the_exit_code_says_whether_all_was_trained(
    tmp_path: Path, trains: Callable[[Behaves], None], codes: tuple[int, ...], expected: int
) -> None:
    trains(ends(tmp_path, codes))
    queue = Queue(session(tmp_path, len(codes)))
    assert queue.exit_code != 0  # nothing is trained yet
    assert over(queue) == expected
    assert queue.failure == ""  # what the records tell is told from there


def test_gone_on_with_it_counts_what_was_trained_before(tmp_path: Path, trains: Callable[[Behaves], None]) -> None:
    one = session(tmp_path, 2)
    one.begun(0, record(tmp_path, epochs=1))
    trains(ends(tmp_path, (0, 3)))
    assert over(Queue(one)) == 0  # one of two diverged, though it is all that was trained now
    other = session(tmp_path, 2)
    other.begun(0, record(tmp_path, epochs=1, status="crashed"))
    trains(ends(tmp_path, (0, 0)))
    assert over(Queue(other)) == 1  # the other one ended in an error, and is not trained again


@pytest.mark.says("queue.elsewhere")
@pytest.mark.never_says("queue.not_trained", "queue.unheard")
def test_a_run_that_somebody_else_goes_on_with_is_left_to_them(
    tmp_path: Path, trains: Callable[[Behaves], None], captions_said: set[str]
) -> None:
    made = session(tmp_path, 2)
    stopped = record(tmp_path, epochs=1, status=None)
    made.begun(0, stopped)
    trains(ends(tmp_path, (0, 0)))
    held = WriterLock(stopped)
    try:
        queue = Queue(made)
        assert over(queue) == 1
    finally:
        held.release()
    assert made.entries[0].run == stopped.name
    assert f"another process goes on with {stopped.name}" in queue.failure
    assert made.entries[1].run is not None  # the others are trained
    captions_said.clear()
    assert over(Queue(made)) == 0
    assert not {id for id in captions_said if id.startswith("queue.")}


def test_a_run_that_cannot_begin_ends_the_queue_and_is_told_of_once(
    tmp_path: Path, trains: Callable[[Behaves], None]
) -> None:
    tried = []

    def behaves(session: Session, index: int) -> Ended:
        tried.append(index)
        return Ended(2, "mnist is not there", False)

    trains(behaves)
    queue = Queue(session(tmp_path, 5))
    assert over(queue) == 2
    assert tried == [0]
    assert queue.failure == "mnist is not there"


@pytest.mark.says("queue.cannot_claim")
@pytest.mark.never_says("queue.not_trained")
def test_where_nothing_can_be_claimed_that_is_said(tmp_path: Path) -> None:
    queue = Queue(session(tmp_path, 1))
    queue.session.claims.folder.touch()
    assert over(queue) == 1
    assert queue.failure == f"{queue.session.folder}: nothing can be claimed there: not a directory"


@pytest.mark.says("queue.unknown_run")
def test_a_run_that_this_version_cannot_train_is_named(tmp_path: Path) -> None:
    made = session_of(tmp_path, [], ["none"])
    entry = msgspec.structs.replace(made.entries[0], asked={**(made.entries[0].asked or {}), "model": "later"})
    made = Session.create(tmp_path, [entry], command=[])
    queue = Queue(made)
    assert over(queue) == 2
    assert queue.failure.startswith(f"{entry.label} is no run that this version can train: ")


@pytest.mark.says("queue.process_gone", "queue.by_itself")
@pytest.mark.never_says("queue.by_signal")
def test_a_process_that_ends_without_a_word_is_told_with_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    queue = Queue(session(tmp_path, 2, 2))
    assert over(queue) == 1
    assert f": its process ended with 1; what it said, if anything, is in {queue.session.folder}" in queue.failure


@pytest.mark.says("queue.process_gone", "queue.by_signal")
@pytest.mark.never_says("queue.by_itself")
def test_a_process_that_was_killed_is_told_with_the_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = tmp_path / "killed"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(killed))
    queue = Queue(session(tmp_path / "runs", 2, 2))
    assert over(queue) == 1
    assert ": its process was killed by SIGKILL; what it said, if anything, is in " in queue.failure


@pytest.mark.says("queue.misunderstood")
def test_a_process_that_is_told_nonsense_ends_its_run_and_says_so() -> None:
    told = nobody_tells("of another version")
    assert (told.exit_code, "what it was told could not be understood: of another version" in told.reason) == (1, True)


@pytest.mark.never_says("queue.misunderstood")
def test_a_process_that_is_told_nothing_more_ends_its_run_in_order() -> None:
    assert nobody_tells().exit_code == 0


@pytest.mark.says("queue.not_trained")
@pytest.mark.never_says("queue.elsewhere", "queue.cannot_claim", "queue.unknown_run", "queue.process_gone")
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("nobody foresaw it")])
@pytest.mark.parametrize("jobs", [1, 3])
def test_who_trains_and_fails_in_it_is_a_failure(
    tmp_path: Path, trains: Callable[[Behaves], None], error: Exception, jobs: int
) -> None:
    def behaves(session: Session, index: int) -> Ended:
        raise error

    trains(behaves)
    queue = Queue(session(tmp_path, 4, jobs))
    assert over(queue) == 1
    assert "cannot be trained" in queue.failure
    assert "no space is left on the device" in queue.failure or "RuntimeError: nobody foresaw it" in queue.failure
    log = queue.session.folder / "log.txt"
    assert isinstance(error, OSError) or "Traceback" in log.read_text()


def test_a_log_that_cannot_be_opened_is_said_and_is_no_success(runs: Path) -> None:
    made = session_of(runs, [], ["none", "steplr"], jobs=2)
    (made.folder / "log.txt").mkdir()
    done = compare(made.id)
    assert done.exit_code == 1
    assert "none to come cannot be trained: is a directory" in done.output
    assert "log.txt" in done.output
    assert "Traceback" not in done.output


def test_a_folder_where_nothing_can_be_asked_is_let_go_again(tmp_path: Path) -> None:
    made = session(tmp_path, 1)
    (made.folder / "control.jsonl").symlink_to("elsewhere")
    with pytest.raises(RunsFolderUnwritable):
        Queue(made)
    assert not is_live(made.folder)  # what was taken before is let go


def test_a_session_that_cannot_be_written_in_the_end_is_no_success(
    tmp_path: Path, trains: Callable[[Behaves], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    trains(ends(tmp_path, (0,)))
    queue = Queue(session(tmp_path, 1))

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    from tui_trainer.compare import session as sessions

    monkeypatch.setattr(sessions, "_append", refuse)
    assert over(queue) == 1
    assert "trials.jsonl could not be written" in queue.failure


@pytest.mark.parametrize(("asked", "codes", "expected"), [(0, (0, 0), 0), (0, (1, 0), 1), (143, (0, 0), 143)])
def test_stopped_by_a_person_it_is_done_but_for_what_had_crashed(
    tmp_path: Path, trains: Callable[[Behaves], None], asked: int, codes: tuple[int, int], expected: int
) -> None:
    made = session(tmp_path, 3)
    trained = ends(tmp_path, codes)

    def behaves(session: Session, index: int) -> Ended:
        if index == 1:
            queue.stop(Stop(by="test", reason="enough", exit_code=asked))
        return trained(session, index)

    trains(behaves)
    queue = Queue(made)
    assert over(queue) == expected
    assert made.entries[2].run is None  # no other was begun


@pytest.mark.parametrize(
    ("status", "reason", "done"),
    [
        ("stopped", stopped("left"), False),
        ("stopped", f"{stopped()}; last.pt could not be saved", False),
        ("stopped", "stopped from the shell", True),
        ("finished", "all epochs done", True),
        ("crashed", stopped("left"), True),
    ],
)
def test_a_run_goes_on_with_its_comparison_where_it_was_stopped_with_it(
    tmp_path: Path, status: EndStatus, reason: str, done: bool
) -> None:
    made = Record.reopen(record(tmp_path, epochs=1, status=None))
    made.emit(RunEnded(at=1.0, status=status, reason=reason, step=20, epoch=1, exit_code=0))
    made.close()
    assert is_done(made.folder) == done


def test_it_stops_where_the_shell_asks_for_it_and_for_nothing_else(
    tmp_path: Path, trains: Callable[[Behaves], None]
) -> None:
    from tui_trainer.commands import Pause

    def behaves(session: Session, index: int) -> Ended:
        until(lambda: bool(queue._stop))
        return Ended(0, "stopped", False)

    trains(behaves)
    queue = Queue(session(tmp_path, 3))
    queue.start()
    inbox.send(queue.session.folder, Pause(by="test"))
    assert not queue.wait(3 * queues.LISTEN_EVERY)
    inbox.send(queue.session.folder, Stop(by="test", reason="by the shell"))
    assert queue.wait(PATIENCE_S)
    assert queue.exit_code == 0
    assert queue.failure == ""
    assert not is_live(queue.session.folder)


def test_the_log_of_a_session_is_kept_small(tmp_path: Path, trains: Callable[[Behaves], None]) -> None:
    one, end = session(tmp_path, 1), ends(tmp_path, [0])
    log = one.folder / "log.txt"
    log.write_bytes(b"begins\n" + b"\r 50% of it" * (SMALLEST // 10))

    def behaves(session: Session, index: int) -> Ended:
        until(lambda: log.stat().st_size < SMALLEST)
        return end(session, index)

    trains(behaves)
    assert over(Queue(one)) == 0
    assert log.read_bytes() == b"begins\n 50% of it"


@pytest.mark.says("queue.unheard")
@pytest.mark.never_says("queue.elsewhere", "queue.not_trained")
def test_who_listens_and_dies_is_told_of(
    tmp_path: Path, trains: Callable[[Behaves], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> NoReturn:
        died.set()
        raise RuntimeError("broken")

    died = threading.Event()
    monkeypatch.setattr("tui_trainer.records.inbox.Inbox.poll", die)
    ends_well = ends(tmp_path, [0])

    def behaves(session: Session, index: int) -> Ended:
        assert died.wait(PATIENCE_S)
        return ends_well(session, index)

    trains(behaves)
    queue = Queue(session(tmp_path, 1))
    queue.start()
    assert queue.wait(PATIENCE_S)
    assert "the shell is heard no more: RuntimeError: broken" in queue.failure.splitlines()


def test_a_trainer_that_cannot_be_closed_keeps_nobody_waiting(
    tmp_path: Path, trains: Callable[[Behaves], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> NoReturn:
        raise RuntimeError("broken")

    monkeypatch.setattr(Trainer, "close", fail)
    trains(ends(tmp_path, [0]))
    queue = Queue(session(tmp_path, 1))
    queue.start()
    assert queue.wait(PATIENCE_S)
    until(lambda: queue.failure == "RuntimeError: broken")


def test_a_worker_that_is_told_nonsense_ends(tmp_path: Path) -> None:
    """It would wait for ever, deaf: its input was no longer read, and so the end of it was not seen."""
    folder = session(tmp_path, 1).folder
    command = [sys.executable, "-m", "tui_trainer.compare.executors", str(folder)]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert worker.stdin is not None
        worker.stdin.write(b"nonsense\n")
        worker.stdin.flush()
        worker.wait(PATIENCE_S)
    finally:
        worker.kill()
        worker.wait()


def test_many_jobs_are_waited_for_together(tmp_path: Path, trains: Callable[[Behaves], None]) -> None:
    """One after the other, forty would be waited for twenty seconds."""
    going = True

    def behaves(session: Session, index: int) -> Ended:
        until(lambda: not going)
        return Ended(0, "done", False)

    trains(behaves)
    queue = Queue(session(tmp_path, 40, 40))
    queue.start()
    try:
        began = time.monotonic()
        assert not queue.wait(0.5)
        assert time.monotonic() - began < 10
    finally:
        going = False
        assert queue.wait(PATIENCE_S)


# With real trainers


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs are recorded in this test."""
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def compare(*arguments: str) -> Result:
    """The command in this process, without a terminal."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        return CliRunner().invoke(main, ["compare", *arguments])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_crashed_run_makes_compare_exit_with_1_then_and_whenever_it_is_shown(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui_trainer.engine import models

    build, built = models.build, []

    def second_fails(*arguments: object, **options: object) -> object:
        built.append(1)
        if len(built) == 2:
            raise RuntimeError("out of luck")
        return build(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(models, "build", second_fails)
    done = compare("none", "steplr", "onecycle", *SMALL, "--epochs", "1")
    assert done.exit_code == 1, done.output
    assert "out of luck" in done.output


def test_shown_again_a_session_with_a_crashed_run_is_no_success(runs: Path) -> None:
    made = session_of(runs, [], ["none", "steplr"])
    for index, status in enumerate(("finished", "crashed")):
        made.begun(index, record(runs, epochs=1, status=status))
    again = compare(made.id)
    assert again.exit_code == 1
    assert "steplr to come crashed" in again.output
    made.begun(1, record(runs, epochs=1))
    assert compare(made.id).exit_code == 0


def test_runs_that_joined_are_none_of_what_was_asked_to_be_trained(runs: Path) -> None:
    made = [record(runs, epochs=1), record(runs, epochs=1, status="crashed")]
    assert compare(*(folder.name for folder in made)).exit_code == 0


def begun(runs: Path, count: int) -> bool:
    """Whether so many runs of the newest session have trained something."""
    if not all_sessions(runs):
        return False
    made = Session.open(all_sessions(runs)[0])
    records = [made.record_of(entry) for entry in made.entries]
    return sum(bool(record and replay(record).steps) for record in records) >= count


@pytest.mark.slow
def test_a_process_that_is_killed_while_it_trains_is_said_and_is_no_success(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainers: list[Running] = []

    def popen(*command: Any, **options: Any) -> Running:
        trainers.append(preloaded.popen(*command, **options))
        return trainers[-1]

    def kill() -> None:
        until(lambda: begun(runs, 2))
        trainers[0].kill()

    monkeypatch.setattr(executors, "subprocess", SimpleNamespace(Popen=popen, PIPE=subprocess.PIPE))
    killing = threading.Thread(target=kill)
    killing.start()
    done = compare("none", "onecycle", *SMALL, "--epochs", "100", "--jobs", "2")
    killing.join()
    assert done.exit_code == 1, done.output
    assert "its process was killed by SIGKILL" in done.output
    made = Session.open(all_sessions(runs)[0])
    states = sorted(replay(record).status for entry in made.entries if (record := made.record_of(entry)))
    assert states == ["finished", "running"]  # the other one was not disturbed; this one said no goodbye
    again = compare(made.id)
    assert again.exit_code == 0, again.output


@pytest.mark.slow
def test_who_only_follows_a_comparison_learns_that_it_was_stopped_halfway(runs: Path) -> None:
    with Running("compare", "none", "onecycle", *SMALL, "--epochs", "4000") as trains:
        until(lambda: begun(runs, 1))
        identity = all_sessions(runs)[0].name
        with Running("compare", identity, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as follows:
            assert follows.stdout is not None
            assert follows.stderr is not None
            assert b"[1/2] none" in follows.stdout.readline()
            trains.terminate()
            assert trains.wait() == 143
            said = (follows.stdout.read() + follows.stderr.read()).decode()
            assert follows.wait() == 1, said
    assert f"2 runs of the comparison are not trained to the end: tui-trainer compare {identity} continues it" in said
