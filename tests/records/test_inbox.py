"""Commands from one process to a run in another."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.scripted import scripted_run
from tui_trainer.commands import AnyCommand, Continue, OneBatch, Pause, SetPace, Stop, SwitchPreset, encode
from tui_trainer.events import SCHEMA, RunStarted
from tui_trainer.events import encode as event_line
from tui_trainer.records import inbox as inboxes
from tui_trainer.records.errors import LaterRun, NotYourRun, RunNotLive
from tui_trainer.records.inbox import Inbox, send
from tui_trainer.records.record import Record
from tui_trainer.records.run_metadata import FIRST_BLOCK


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    record = Record.create(tmp_path, {"preset_name": "steplr"})
    yield record
    record.close()


def append(record: Record, content: bytes) -> None:
    with (record.folder / "control.jsonl").open("ab", buffering=0) as file:
        file.write(content)


def test_what_is_sent_arrives_once_and_in_order(record: Record) -> None:
    asked: list[AnyCommand] = [
        Pause(by="attach"),
        SetPace(by="screen", seconds_a_call=0.5),
        SwitchPreset(by="shell", name="mine", preset={"title": "é", "training": {"epochs": 3}}),
        Stop(by="shell", reason="enough", exit_code=0),
    ]
    for command in asked[:2]:
        send(record.folder, command)
    assert record.inbox.poll() == asked[:2]
    assert record.inbox.poll() == []
    for command in asked[2:]:
        send(record.folder, command)
    assert record.inbox.poll() == asked[2:]


def test_another_process_can_ask(record: Record) -> None:
    script = "import sys; from pathlib import Path; from tui_trainer.commands import Pause; "
    script += "from tui_trainer.records.inbox import send; send(Path(sys.argv[1]), Pause(by='shell'))"
    subprocess.run([sys.executable, "-c", script, str(record.folder)], check=True)
    assert [(type(command), command.by) for command in record.inbox.poll()] == [(Pause, "shell")]


def test_a_poll_with_nothing_new_reads_nothing(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    send(record.folder, Pause(by="x"))
    record.inbox.poll()
    append(record, b'{"type":"Pau')
    record.inbox.poll()

    def read(*_: object) -> bytes:
        raise AssertionError("read")

    monkeypatch.setattr(os, "pread", read)
    assert record.inbox.poll() == []


def test_what_was_said_to_an_earlier_process_is_passed_over(record: Record) -> None:
    send(record.folder, Stop(by="shell"))
    record.close()
    again = Record.reopen(record.folder)
    assert again.inbox.poll() == []
    send(record.folder, Pause(by="shell"))
    assert [type(command) for command in again.inbox.poll()] == [Pause]
    again.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"not json\n",
        b"{}\n",
        b'{"type":"Explode","by":"x","id":"1"}\n',
        b'{"type":"SetPace","by":"x","id":"1","seconds_a_call":"fast"}\n',
        b"[" * 50_000 + b"\n",
        b"\xff\xfe\n\n\n",
        b'{"type":"Pause","by":"x"',  # torn: another asker died
        b"\x00" * 100,
    ],
)
def test_garbage_is_passed_over(record: Record, garbage: bytes) -> None:
    append(record, garbage)
    send(record.folder, Continue(by="shell"))
    assert [type(command) for command in record.inbox.poll()] == [Continue]
    append(record, garbage)
    record.inbox.poll()
    send(record.folder, OneBatch(by="shell"))
    assert [type(command) for command in record.inbox.poll()] == [OneBatch]


def test_a_torn_command_is_waited_for(record: Record) -> None:
    line = encode(Pause(by="x"))
    append(record, line[:9])
    assert record.inbox.poll() == []
    append(record, line[9:])
    assert [type(command) for command in record.inbox.poll()] == [Pause]


def test_more_than_is_taken_at_once(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inboxes, "MOST_AT_ONCE", 300)
    asked = [Pause(by=str(number)) for number in range(40)]
    for command in asked:
        send(record.folder, command)
    append(record, b"x" * 1000 + b"\n")
    send(record.folder, Stop(by="end"))
    taken = []
    for _ in range(40):
        taken += record.inbox.poll()
    assert taken[:-1] == asked
    assert type(taken[-1]) is Stop


def test_an_inbox_that_somebody_emptied_still_takes_commands(record: Record) -> None:
    send(record.folder, Pause(by="x"))
    record.inbox.poll()
    os.truncate(record.folder / "control.jsonl", 0)
    assert record.inbox.poll() == []
    send(record.folder, Continue(by="x"))
    assert [type(command) for command in record.inbox.poll()] == [Continue]


def test_a_disk_in_trouble_is_no_error(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(*_: object) -> bytes:
        raise OSError(116, "Stale file handle")

    send(record.folder, Pause(by="x"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", stale)
        assert record.inbox.poll() == []
    assert [type(command) for command in record.inbox.poll()] == [Pause]


def test_many_askers_at_once(record: Record) -> None:
    def ask(name: str) -> None:
        for _ in range(50):
            send(record.folder, Pause(by=name))

    askers = [threading.Thread(target=ask, args=(str(i),)) for i in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    taken = record.inbox.poll()
    assert sorted(command.by for command in taken) == sorted("0123" * 50)
    assert len({command.id for command in taken}) == 200


def test_a_run_that_is_gone_takes_no_commands(record: Record, tmp_path: Path) -> None:
    record.close()
    with pytest.raises(RunNotLive, match=record.id):
        send(record.folder, Pause(by="x"))
    with pytest.raises(RunNotLive):
        send(tmp_path / "nowhere", Pause(by="x"))


@pytest.mark.parametrize("behind", [b"", b"garbage\n"], ids=["the first line", "behind a damaged one"])
def test_whether_a_long_record_has_a_later_form_is_seen_from_its_beginning(
    record: Record, behind: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    pread = os.pread

    def counting(fd: int, count: int, offset: int) -> bytes:
        read.append(len(piece := pread(fd, count, offset)))
        return piece

    began, _, step, *_ = scripted_run()
    assert isinstance(began, RunStarted)
    journal = record.folder / "events.jsonl"
    journal.write_bytes(behind + event_line(began) + event_line(step) * 50_000)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", counting)
        send(record.folder, Pause(by="x"))
    assert 0 < sum(read) <= FIRST_BLOCK < journal.stat().st_size // 10
    later = event_line(msgspec.structs.replace(began, schema=SCHEMA + 1))
    journal.write_bytes(behind + later + event_line(step) * 50_000)
    with pytest.raises(LaterRun, match="later version"):
        send(record.folder, Pause(by="x"))
    assert [type(command) for command in record.inbox.poll()] == [Pause]


@pytest.mark.parametrize("content", [None, b"", b"garbage", b'{"type":"RunStarted"', b"\0" * 100_000])
def test_a_record_whose_beginning_tells_nothing_takes_commands(record: Record, content: bytes | None) -> None:
    journal = record.folder / "events.jsonl"
    if content is None:
        journal.unlink()
    else:
        journal.write_bytes(content)
    send(record.folder, Pause(by="x"))
    assert [type(command) for command in record.inbox.poll()] == [Pause]


def test_a_link_is_not_followed(record: Record, tmp_path: Path) -> None:
    control = record.folder / "control.jsonl"
    control.unlink()
    target = tmp_path / "target"
    target.write_text("")
    control.symlink_to(target)
    with pytest.raises(NotYourRun):
        send(record.folder, Pause(by="x"))
    assert target.read_text() == ""
    with pytest.raises(OSError, match="symbolic links"):
        Inbox(record.folder)


@pytest.mark.says("notice.inbox_unreadable", "notice.not_understood")
@pytest.mark.never_says("notice.inbox_unreadable", "notice.not_understood")
def test_a_disk_in_trouble_and_garbage_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    box = Inbox(tmp_path, told.append)
    with (tmp_path / "control.jsonl").open("ab") as file:
        file.write(b"\n" + encode(Pause(by="a")) + b"\n" + encode(Continue(by="a")))
    assert len(box.poll()) == 2
    assert told == []
    with (tmp_path / "control.jsonl").open("ab") as file:
        file.write(b"garbage\n" + encode(Pause(by="b")))
    assert len(box.poll()) == 1
    assert told == ["1 line of control.jsonl could not be understood, and asked for nothing."]

    def broken(*_: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", broken)
        with (tmp_path / "control.jsonl").open("ab") as file:
            file.write(encode(Pause(by="c")))
        assert [box.poll(), box.poll()] == [[], []]
        assert told[1:] == ["what is asked of this run cannot be read: input/output error. Training goes on."]
    assert len(box.poll()) == 1  # nothing was lost by it
    box.close()
