"""The record of a comparison: nothing of it is lost, whoever writes and reads it at once and whatever the disk does."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.compare.made import compared, record, session_of
from tests.compare.stress import lost_in_a_round, quick_trainers
from tests.waiting import PATIENCE_S
from tui_trainer.compare import entries
from tui_trainer.compare import session as sessions
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.plain_lines import find_out
from tui_trainer.compare.queue import Queue
from tui_trainer.compare.session import FILE, TOLD, Contestant, Session


def two_to_come(runs: Path) -> Session:
    return session_of(runs, [], ["none", "steplr"])


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sessions, "_append", refuse)


def verdict_of(session: Session) -> str:
    comparison = Comparison(session)
    comparison.poll_all()
    return " ".join(find_out(comparison).verdict)


@pytest.mark.slow
def test_no_record_is_lost_where_several_train_at_once_and_a_viewer_reads(tmp_path: Path) -> None:
    with quick_trainers():
        for number in range(20):
            assert lost_in_a_round(tmp_path / str(number)) == set()


def test_what_another_process_has_written_is_seen_even_within_one_tick_of_the_clock(tmp_path: Path) -> None:
    trains = two_to_come(tmp_path)
    looks_on = Session.open(trains.folder)
    file = trains.folder / TOLD
    trains.cancel([])
    for index in range(2):
        at = file.stat().st_mtime_ns
        trains.begun(index, tmp_path / f"record-{index}")
        os.utime(file, ns=(at, at))
        looks_on.refresh()
    assert [entry.run for entry in looks_on.entries] == ["record-0", "record-1"]


def test_who_goes_on_with_a_session_knows_what_was_trained_since_it_opened_it(tmp_path: Path) -> None:
    before = two_to_come(tmp_path)
    later = Session.open(before.folder)
    done = record(tmp_path, scheduler="none")
    before.begun(0, done)
    with quick_trainers():
        queue = Queue(later)
        queue.stop()
        queue.start()
        assert queue.wait(PATIENCE_S)
    assert later.entries[0].run == done.name
    later.begun(1, tmp_path / "record-1")
    assert [entry.run for entry in Session.open(before.folder).entries] == [done.name, "record-1"]


@pytest.mark.says("queue.plan_unwritten")
@pytest.mark.never_says("queue.plan_unwritten")
def test_a_full_disk_ends_no_training_and_loses_nothing_once_it_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = two_to_come(tmp_path)
    assert session.write_again()
    with monkeypatch.context() as disk:
        full_disk(disk)
        session.begun(0, tmp_path / "record-0")
        assert (
            "trials.jsonl could not be written, and is tried again: no space is left on the device" in session.trouble
        )
        session.refresh()  # the file is older than what is known here
        assert session.entries[0].run == "record-0"
        assert not session.write_again()
        assert "could not be written, and is tried again: no space is left" in verdict_of(session)
    assert session.write_again()
    assert session.trouble == ""
    assert Session.open(session.folder).entries[0].run == "record-0"
    assert "written" not in verdict_of(session)


@pytest.mark.parametrize("damage", [b"{", b'{"schema": 99}', None])
def test_a_session_that_cannot_be_read_any_more_is_told_of_for_as_long_as_that_is_so(
    tmp_path: Path, damage: bytes | None
) -> None:
    trains = two_to_come(tmp_path)
    looks_on = Session.open(trains.folder)
    file = trains.folder / FILE
    whole = file.read_bytes()
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage)
    looks_on.refresh()
    assert str(file) in looks_on.trouble
    assert "read" in looks_on.trouble or "later version" in looks_on.trouble
    assert str(file) in verdict_of(looks_on)
    assert [entry.label for entry in looks_on.entries] == ["none to come", "steplr to come"]  # what was read stands
    file.write_bytes(whole)
    looks_on.refresh()
    assert looks_on.trouble == ""
    assert str(file) not in verdict_of(looks_on)


def test_a_session_that_is_well_is_not_told_of(tmp_path: Path) -> None:
    made = [record(tmp_path), record(tmp_path, scheduler="none")]
    assert not any(FILE in sentence for sentence in find_out(compared(tmp_path, made)).verdict)


def test_a_record_is_taken_down_once(tmp_path: Path) -> None:
    session = Session.create(tmp_path, [Contestant(label="a", seed=0, asked={}, run="old")])
    session.give_up(0)
    assert (session.entries[0].run, session.entries[0].given_up) == (None, ["old"])
    session.give_up(0)
    assert session.entries[0].given_up == ["old"]
    session.begun(0, tmp_path / "new")
    written = (session.folder / TOLD).stat()
    session.begun(0, tmp_path / "new")
    assert (session.folder / TOLD).stat().st_size == written.st_size
    assert Session.open(session.folder).entries[0].given_up == ["old"]


def test_what_lets_others_in_is_in_no_session(tmp_path: Path) -> None:
    command = ["tui-trainer", "compare", "--token", "not-to-be-read", "none", "steplr"]
    session = Session.create(tmp_path, [], command=command)
    file = session.folder / FILE
    assert "not-to-be-read" not in file.read_text()
    file.write_text(file.read_text().replace("***", "not-to-be-read"))  # as it was written before
    assert Session.open(session.folder).plan.command == [*command[:3], "***", *command[4:]]


@pytest.mark.parametrize(
    ("told", "threads"),
    [("", 4), ("1", 1), ("2,1", 2), ("64", 4), ("0", 4), ("many", 4), ("-1", 4)],
)
def test_a_run_of_a_comparison_has_its_share_of_the_cores_and_no_more_threads_than_the_environment_allows(
    monkeypatch: pytest.MonkeyPatch, told: str, threads: int
) -> None:
    monkeypatch.setattr(entries, "usable_cores", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert entries.fair_threads(2) == threads
