"""Who trains which trial: one process at a time, and one that has lost a trial writes nothing more of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from tests.compare.made import record, session_of
from tests.compare.stress_schedulers import faults_of_a_round
from tests.waiting import PATIENCE_S, until
from tui_trainer.compare import claims as claiming
from tui_trainer.compare import elsewhere, executors, queue
from tui_trainer.compare.claims import Claim, Claims, Holder
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.executors import Ended, InProcessExecutor
from tui_trainer.compare.queue import Queue
from tui_trainer.compare.session import FILE, TOLD, Began, Contestant, Session
from tui_trainer.engine import checkpoints
from tui_trainer.events import RunEnded
from tui_trainer.presets.catalogue import load as load_preset
from tui_trainer.records.lock import WriterLock
from tui_trainer.records.record import Record
from tui_trainer.run_sources.run_source import replay
from tui_trainer.run_spec import RunSpec

HERE = Holder(host="node1", pid=os.getpid(), machine="a kernel")
ELSEWHERE = Holder(host="node2", pid=1, machine="another kernel")


def silent_for(claim: Claim, seconds: float) -> None:
    at = time.time() - seconds
    os.utime(claim.path, (at, at))


def test_of_many_that_want_a_trial_one_has_it(tmp_path: Path) -> None:
    wanting = [Claims(tmp_path, Holder(host=f"node{i}", pid=i, machine=f"{i}")) for i in range(8)]
    got: list[Claim] = []
    start = threading.Barrier(len(wanting))

    def want(claims: Claims) -> None:
        for trial in range(20):
            start.wait(PATIENCE_S)
            if (claim := claims.take(trial)) is not None:
                got.append(claim)

    threads = [threading.Thread(target=want, args=(each,)) for each in wanting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(claim.trial for claim in got) == list(range(20))
    assert {claim.generation for claim in got} == {1}


def test_a_trial_is_taken_over_once_its_holder_was_silent_for_a_minute(tmp_path: Path) -> None:
    held = Claims(tmp_path, ELSEWHERE).take(3)
    assert held is not None
    here = Claims(tmp_path, HERE)
    silent_for(held, claiming.SILENT_S - 10)
    assert here.take(3) is None
    silent_for(held, claiming.SILENT_S + 10)
    taken = here.take(3)
    assert taken is not None
    assert (taken.generation, taken.took_over, taken.before) == (2, True, held)
    assert held.is_lost()
    assert not taken.is_lost()


def test_the_clock_is_that_of_who_keeps_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Claims(tmp_path, ELSEWHERE).take(0)
    assert held is not None
    monkeypatch.setattr(claiming.time, "time", lambda: 4e9)  # this machine's is years ahead
    here = Claims(tmp_path, HERE)
    assert here.take(0) is None
    assert here.alive() == [held]


def test_a_trial_that_was_let_go_of_is_taken_at_once(tmp_path: Path) -> None:
    first, second = Claims(tmp_path, ELSEWHERE), Claims(tmp_path, HERE)
    held = first.take(0)
    assert held is not None
    assert second.alive() == [held]
    first.let_go(held)
    assert second.alive() == []
    taken = second.take(0)
    assert taken is not None
    assert not taken.took_over


@pytest.mark.parametrize("trials", [20, 200])
def test_one_of_many_is_claimed_by_its_name_and_not_by_a_list_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trials: int
) -> None:
    other, here = Claims(tmp_path, ELSEWHERE), Claims(tmp_path, HERE)
    for trial in range(0, trials, 2):
        held = other.take(trial)
        assert held is not None
        other.let_go(held)
    looked_at: list[str] = []
    listed = os.listdir

    def told(folder: Path) -> list[str]:
        looked_at.extend(names := listed(folder))
        return names

    monkeypatch.setattr(os, "listdir", told)
    taken = [here.take(trial) for trial in range(trials)]
    assert [claim.generation for claim in taken if claim is not None] == [2, 1] * (trials // 2)
    assert len(looked_at) <= trials
    late = other.take(trials)  # made since the folder was listed
    assert late is not None
    assert here.take(trials) is None
    other.let_go(late)
    again = here.take(trials)
    assert again is not None
    assert again.generation == 2
    assert len(looked_at) <= trials


def test_a_folder_of_claims_that_somebody_has_emptied_is_begun_anew(tmp_path: Path) -> None:
    other, here = Claims(tmp_path, ELSEWHERE), Claims(tmp_path, HERE)
    held = other.take(0)
    assert held is not None
    assert here.take(0) is None
    held.path.unlink()
    taken = here.take(0)
    assert taken is not None
    assert taken.generation == 1


@pytest.mark.parametrize(
    ("holder", "me", "is_gone"),
    [
        (Holder(host="n", pid=2**22 + 1, machine="k"), Holder(host="n", pid=1, machine="k"), True),  # no such process
        (Holder(host="n", pid=2**22 + 1, machine="k"), Holder(host="n", pid=1, machine="other"), False),
        (Holder(host="n", pid=os.getpid(), machine="k"), Holder(host="n", pid=1, machine="k"), False),
        (
            Holder(host="n", pid=7, machine="k", job="5_1"),
            Holder(host="m", pid=7, machine="l", job="5_1", restarts=1),
            True,
        ),
        (
            Holder(host="n", pid=7, machine="k", job="5_1", restarts=1),
            Holder(host="m", pid=7, machine="l", job="5_1", restarts=1),
            False,
        ),
        (
            Holder(host="n", pid=7, machine="k", job="5_1"),
            Holder(host="m", pid=7, machine="l", job="5_2", restarts=1),
            False,
        ),
    ],
)
def test_who_is_known_to_be_gone(tmp_path: Path, holder: Holder, me: Holder, is_gone: bool) -> None:
    assert Claims(tmp_path, holder).take(0) is not None
    taken = Claims(tmp_path, me).take(0)
    assert (taken is not None) == is_gone
    assert taken is None or taken.took_over


def test_a_job_of_slurm_is_in_the_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ARRAY_JOB_ID": "12", "JOB_ID": "14", "ARRAY_TASK_ID": "3", "RESTART_COUNT": "2"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    me = Holder.this_process()
    assert (me.job, me.restarts, me.pid) == ("12_3", 2, os.getpid())


def test_a_holder_gives_signs_of_life_until_it_lets_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claiming, "BEAT_S", 0.01)
    claims = Claims(tmp_path, HERE)
    held = claims.take(0)
    assert held is not None
    silent_for(held, 1000)
    until(lambda: time.time() - held.beaten_at() < 100)
    claims.let_go(held)
    assert held.beaten_at() == 0
    assert threading.active_count() < 50


def test_which_record_a_trial_has_stands_in_its_claim(tmp_path: Path) -> None:
    held = Claims(tmp_path, HERE).take(0)
    assert held is not None
    assert (held.run, held.holder) == (None, HERE)
    held.note("record-1")
    held.note("record-2")
    assert (held.run, held.holder) == ("record-2", HERE)
    held.note("../elsewhere")  # no path is followed
    assert held.run == "record-2"
    held.path.write_bytes(b"\xff{torn")
    assert (held.run, held.holder) == (None, None)


# What is written


def ended(step: int = 1) -> RunEnded:
    return RunEnded(at=1.0, status="finished", reason="done", step=step, epoch=1, exit_code=0)


def test_who_wakes_up_after_its_run_was_taken_over_writes_nothing_more_of_it(tmp_path: Path) -> None:
    frozen = Claims(tmp_path / "session", ELSEWHERE)
    (tmp_path / "session").mkdir()
    held = frozen.take(0)
    assert held is not None
    made = Record.create(tmp_path, {}, lost=held.is_lost)
    state = {"weights": torch.zeros(3)}
    assert checkpoints.save(state, made.checkpoints, lost=held.is_lost) == {}
    files = {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file()}
    silent_for(held, 1000)
    assert Claims(tmp_path / "session", HERE).take(0) is not None

    made.emit(ended())
    made.describe({"woken": True})
    assert checkpoints.save({"weights": torch.ones(3)}, made.checkpoints, best=True, lost=held.is_lost) == {}
    made.end(ended())
    made.close()
    after = {path: path.read_bytes() for path in made.folder.rglob("*") if path.is_file() and path.name != "lock"}
    assert after == {path: content for path, content in files.items() if path.name != "lock"}


def test_whether_a_run_is_lost_that_cannot_be_told_is_a_disk_in_trouble(tmp_path: Path) -> None:
    answers: list[Any] = [OSError(5, "Input/output error"), False]

    def lost() -> bool:
        answer = answers.pop(0) if answers else False
        if isinstance(answer, OSError):
            raise answer
        return bool(answer)

    made = Record.create(tmp_path, {}, lost=lost)
    made.emit(ended())
    assert (made.folder / "events.jsonl").read_bytes() == b""
    made.close()  # and is written once it can be told
    assert replay(made.folder).ended is not None


# The queue

SMALL: dict[str, Any] = {"model": "mlp", "limit_train": 256, "limit_val": 64, "epochs": 3, "threads": 1}


def to_train(runs: Path, count: int, **plan: Any) -> Session:
    spec = RunSpec.of("none", load_preset("none"), device="cpu", **SMALL)
    asked = spec.model_dump(mode="json")
    return Session.create(runs, [Contestant(label=f"run {i}", seed=0, asked=asked) for i in range(count)], **plan)


class Quick:
    """Ends each run as soon as it has begun."""

    def __init__(self, session: Session, begun: Callable[[Claim, Path], None], *_: object) -> None:
        self.session, self.begun = session, begun

    def train(self, claim: Claim) -> Ended:
        self.begun(claim, record(self.session.runs, epochs=1))
        return Ended(0, "done", True)

    def stop(self, command: object) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "InProcessExecutor", Quick)
    monkeypatch.setattr(queue, "LOOK_AT_OTHERS_EVERY", 0.01)


def over(takes: Queue) -> int:
    takes.start()
    assert takes.wait(PATIENCE_S)
    return takes.exit_code


@pytest.mark.usefixtures("quick")
def test_a_queue_waits_for_what_others_train_and_trains_what_they_lose(tmp_path: Path) -> None:
    session = to_train(tmp_path, 2)
    other = Claims(session.folder, ELSEWHERE)
    held = other.take(0)
    assert held is not None
    takes = Queue(session, beside=True)
    takes.start()
    until(lambda: session.entries[1].run is not None)
    assert not takes.wait(0.1)
    silent_for(held, 1000)
    assert takes.wait(PATIENCE_S)
    assert takes.exit_code == 0
    assert session.entries[0].run is not None


@pytest.mark.usefixtures("quick")
def test_a_queue_that_has_no_patience_leaves_to_others_what_they_train(tmp_path: Path) -> None:
    session = to_train(tmp_path, 2)
    assert Claims(session.folder, ELSEWHERE).take(0) is not None
    assert over(Queue(session, beside=True, patience_s=0)) == 1  # not all of it is trained
    assert [entry.run is None for entry in session.entries] == [True, False]


@pytest.mark.usefixtures("quick")
def test_a_trial_that_was_ended_by_its_last_holder_is_not_trained_again(tmp_path: Path) -> None:
    session = to_train(tmp_path, 1)
    takes = Queue(session, beside=True)  # before the other one has begun
    other = Session.open(session.folder)
    claim = other.claims.take(0)
    assert claim is not None
    done = record(tmp_path, epochs=1)
    other.begun(0, done, claim.generation)
    other.claims.let_go(claim)
    assert over(takes) == 0
    assert session.entries[0].run == done.name


@pytest.mark.usefixtures("quick")
def test_a_record_that_only_the_claim_tells_of_is_known(tmp_path: Path) -> None:
    session = to_train(tmp_path, 1)
    claim = Claims(session.folder, ELSEWHERE).take(0)
    assert claim is not None
    done = record(tmp_path, epochs=1)
    claim.note(done.name)
    claim.let_go()
    assert over(Queue(session)) == 0
    assert Session.open(session.folder).entries[0].run == done.name


@pytest.mark.says("end.taken_over")
def test_a_run_that_was_taken_over_ends_here_and_leaves_the_rest_to_who_has_it(tmp_path: Path) -> None:
    session = to_train(tmp_path, 1)
    claim = session.claims.take(0)
    assert claim is not None

    def taken_over(_: Claim, folder: Path) -> None:
        session.begun(0, folder, claim.generation)
        silent_for(claim, 1000)
        assert Claims(session.folder, ELSEWHERE).take(0) is not None
        written.append((folder / "events.jsonl").read_bytes())

    written: list[bytes] = []
    ended = InProcessExecutor(session, taken_over).train(claim)
    assert ended.reason == "another process has taken this run over: nothing more is written here"
    folder = session.record_of(session.entries[0])
    assert folder is not None
    assert [(folder / "events.jsonl").read_bytes()] == written
    assert not list((folder / "checkpoints").iterdir())


@pytest.mark.slow
@pytest.mark.never_says("end.taken_over")
def test_a_run_of_a_frozen_process_goes_on_to_the_bit_and_what_wakes_up_adds_nothing(tmp_path: Path) -> None:
    """The one that has frozen is made of a checkpoint, a claim and a lock: a lock that is held keeps nobody waiting."""
    session = to_train(tmp_path, 1)
    claim = session.claims.take(0)
    assert claim is not None
    trains = InProcessExecutor(session, lambda claim, folder: session.begun(0, folder, claim.generation))

    def freeze() -> None:
        until(lambda: session.entries[0].run is not None)
        trains.stop(executors.Stop(by="test", reason=executors.stopped()))

    threading.Thread(target=freeze).start()
    trains.train(claim)
    folder = session.record_of(session.entries[0])
    assert folder is not None
    stopped_at = replay(folder).steps
    session.claims.let_go(claim)
    held, frozen = WriterLock(folder), Claims(session.folder, ELSEWHERE).take(0)
    assert frozen is not None
    silent_for(frozen, 1000)
    assert over(Queue(Session.open(session.folder))) == 0
    held.release()
    whole = replay(folder)
    assert (whole.status, whole.steps) == ("finished", 12)
    assert stopped_at <= whole.steps
    (again,) = to_train(tmp_path / "alone", 1).entries
    alone = Session.create(tmp_path / "alone", [again])
    assert over(Queue(alone)) == 0
    other = alone.record_of(alone.entries[0])
    assert other is not None
    assert list(whole.losses) == list(replay(other).losses)


# The session's own file


def test_a_session_of_an_earlier_version_opens_and_goes_on(tmp_path: Path) -> None:
    session = to_train(tmp_path, 2)
    done = record(tmp_path, epochs=1)
    file = session.folder / FILE
    plan = msgspec.json.decode(file.read_bytes())
    plan["schema"], plan["entries"][0]["run"] = 1, done.name
    file.write_bytes(msgspec.json.encode(plan))
    opened = Session.open(session.folder)
    assert [entry.run for entry in opened.entries] == [done.name, None]
    opened.begun(1, tmp_path / "record-1", 1)
    assert [entry.run for entry in Session.open(session.folder).entries] == [done.name, "record-1"]


def test_who_has_lost_a_trial_and_says_so_late_is_not_believed(tmp_path: Path) -> None:
    session = to_train(tmp_path, 1)
    late = Session.open(session.folder)
    session.begun(0, tmp_path / "new", 2)
    late.begun(0, tmp_path / "old", 1)
    assert Session.open(session.folder).entries[0].run == "new"
    late.refresh()
    assert late.entries[0].run == "new"


def test_lines_that_nobody_understands_say_nothing(tmp_path: Path) -> None:
    session = to_train(tmp_path, 2)
    session.begun(0, tmp_path / "a", 1)
    told = session.folder / TOLD
    with told.open("ab") as file:
        file.write(b'{"type":"Began","trial":7,"run":"x"}\n{"type":"Later"}\n\xff\n{"type":"Began","trial":1,"ru')
    looks_on = Session.open(session.folder)
    session.begun(1, tmp_path / "b", 1)
    looks_on.refresh()
    assert [entry.run for entry in looks_on.entries] == ["a", "b"]
    assert looks_on.trouble == ""


def test_lines_of_many_writers_are_all_there(tmp_path: Path) -> None:
    session = to_train(tmp_path, 40)
    writers = [Session.open(session.folder) for _ in range(8)]

    def write(number: int) -> None:
        for trial in range(number, 40, 8):
            writers[number].begun(trial, tmp_path / f"record-{trial}", 1)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert [entry.run for entry in Session.open(session.folder).entries] == [f"record-{i}" for i in range(40)]
    lines = [line for line in (session.folder / TOLD).read_bytes().split(b"\n") if line]
    assert len([msgspec.json.decode(line, type=Began) for line in lines]) == 40


def test_a_session_that_trains_on_another_machine_is_seen_to_train(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_of(tmp_path, [], ["none", "steplr"])
    monkeypatch.setattr(elsewhere, "LOOK_EVERY_S", 0.01)
    comparison = Comparison(Session.open(session.folder))
    comparison.poll(look=True)
    assert not comparison.is_driven
    other = Claims(session.folder, ELSEWHERE)
    claim = other.take(0)
    assert claim is not None
    assert Comparison(session).elsewhere.holders == {0: ELSEWHERE}  # at first sight

    def is_driven() -> bool:
        comparison.poll(look=True)
        return comparison.is_driven

    until(is_driven)
    other.let_go(claim)
    until(lambda: not is_driven())


@pytest.mark.slow
def test_two_schedulers_that_are_killed_and_frozen_train_every_trial_once(tmp_path: Path) -> None:
    assert faults_of_a_round(tmp_path, 1, trials=20, blows=2) == []
