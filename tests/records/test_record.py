"""The folder of a run: made private, written by one process, gone on with after any death."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from tests.records.streams import fold, state_of
from tests.scripted import scripted_run
from tests.waiting import until
from tui_trainer.cli import main
from tui_trainer.events import SCHEMA, Alert, AnyEvent, CallsTimed, EpochEnded, RunEnded, RunStarted, StepsTaken, encode
from tui_trainer.records import lock
from tui_trainer.records.errors import CannotGoOn, RunInUse, RunsFolderUnwritable
from tui_trainer.records.export import export_csv
from tui_trainer.records.lock import WriterLock, is_live
from tui_trainer.records.record import Record
from tui_trainer.records.run_metadata import ending, read_facts
from tui_trainer.records.summary import summarize
from tui_trainer.records.tail import Tail
from tui_trainer.run_sources.in_process import asked_of
from tui_trainer.run_sources.journal_source import JournalSource

ASKED: dict[str, Any] = {"preset_name": "steplr", "preset": {"title": "x"}, "dataset": "mnist-5k", "name": "mine"}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "runs"


@pytest.fixture
def record(runs: Path) -> Iterator[Record]:
    record = Record.create(runs, ASKED, ["tui-trainer", "run"])
    yield record
    record.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE_S", 0.02)


def facts_of(record: Record) -> dict[str, Any]:
    facts = json.loads((record.folder / "run.json").read_text())
    assert isinstance(facts, dict)
    return facts


def events_of(record: Record) -> list[AnyEvent]:
    with Tail(record.folder / "events.jsonl") as tail:
        return list(tail)


@pytest.mark.parametrize("umask", [0, 0o022, 0o077, 0o777])
def test_all_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        runs = tmp_path
        record = Record.create(runs, ASKED)
        for event in scripted_run():
            record.emit(event)
        with record.open_log() as log:
            log.write(b"a word\n")
        record.close()
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in record.folder.iterdir()}
    assert modes == {
        "checkpoints": 0o700,
        "run.json": 0o600,
        "events.jsonl": 0o600,
        "events.packed": 0o600,
        "control.jsonl": 0o600,
        "lock": 0o600,
        "log.txt": 0o600,
    }
    assert stat.S_IMODE(record.folder.stat().st_mode) == 0o700


def test_an_id_is_readable_and_sorts_by_time(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for now in (1_763_760_000.0, 1_763_760_001.0, 1_795_300_000.0):
        monkeypatch.setattr("time.time", lambda now=now: now)
        record = Record.create(runs, {**ASKED, "preset_name": "../My Own: préset!"})
        record.close()
        ids.append(record.id)
    assert ids == sorted(ids)
    assert ids[0].startswith("20251121-212000-my-own-pr-set-")
    assert (runs / ids[0]).is_dir()


@pytest.mark.parametrize("name", ["", "///", "...", "ü"])
def test_an_id_from_a_preset_without_a_plain_letter(runs: Path, name: str) -> None:
    record = Record.create(runs, {**ASKED, "preset_name": name})
    record.close()
    assert record.id.split("-")[2] == "run"


def test_an_id_that_is_taken_is_not_taken_twice(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = iter([b"\xaa\xaa", b"\xaa\xaa", b"\xbb\xbb"])
    monkeypatch.setattr("os.urandom", lambda size: next(marks) if size == 2 else bytes(size))
    monkeypatch.setattr("time.time", lambda: 1_763_760_000.0)
    ids = []
    for _ in range(2):
        record = Record.create(runs, ASKED)
        record.close()
        ids.append(record.id[-4:])
    assert ids == ["aaaa", "bbbb"]


def test_run_json_has_what_was_asked_and_then_what_it_came_to(record: Record) -> None:
    facts = facts_of(record)
    assert facts["id"] == record.id
    assert facts["name"] == "mine"
    assert facts["asked"] == ASKED
    assert facts["command"] == ["tui-trainer", "run"]
    assert "resolved" not in facts
    for event in scripted_run():
        record.emit(event)
    resolved = facts_of(record)["resolved"]
    assert resolved["parameters"] == 411_802
    assert resolved["recipe"]["scheduler"] == "StepLR"
    assert resolved["versions"]["torch"] == "2.14.1"
    assert facts_of(record)["asked"] == ASKED
    record.describe({"note": "kept"})
    assert facts_of(record)["note"] == "kept"
    assert facts_of(record)["resolved"] == resolved


def test_an_epoch_is_on_the_disk_itself_before_its_checkpoint(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append((os.fstat(fd).st_ino, os.fstat(fd).st_size)))
    journal = record.folder / "events.jsonl"
    for event in scripted_run():
        record.emit(event)
        at_end = (journal.stat().st_ino, journal.stat().st_size) in synced
        assert at_end == isinstance(event, EpochEnded)


def test_no_reader_ever_finds_run_json_in_part(record: Record) -> None:
    stop = threading.Event()
    broken: list[Exception] = []

    def read() -> None:
        while not stop.is_set():
            try:
                facts_of(record)
            except ValueError as error:
                broken.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(50):
        record.describe({"padding": "x" * 5000 * (i % 3), "count": i})
    stop.set()
    reader.join()
    assert broken == []
    assert [path.name for path in record.folder.iterdir() if path.name.startswith(".")] == []


@pytest.mark.says("notice.facts_unwritten", "notice.facts_lost")
@pytest.mark.never_says("notice.facts_unwritten")
def test_run_json_that_cannot_be_written_as_the_run_ends_is_not_said_to_be_tried_again(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Alert] = []
    record._observer = told.append

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tui_trainer.records.record.write_atomic", full)
        record.describe({"late": True})
        record.close()
    assert [notice.text for notice in told] == [
        "run.json could not be written: no space is left on the device. It is tried again when the run ends.",
        "run.json could not be written: no space is left on the device.",
    ]


@pytest.mark.says("notice.facts_unwritten")
@pytest.mark.never_says("notice.facts_lost")
def test_run_json_on_a_full_disk_is_tried_again_at_the_end(
    record: Record, monkeypatch: pytest.MonkeyPatch, captions_said: set[str]
) -> None:
    told: list[Alert] = []
    record._observer = told.append

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        record.describe({"late": True})
    assert "late" not in facts_of(record)
    assert [notice.text for notice in told] == [
        "run.json could not be written: no space is left on the device. It is tried again when the run ends."
    ]
    assert "notice.facts_lost" not in captions_said
    record.close()
    assert facts_of(record)["late"] is True
    assert [path.name for path in record.folder.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("where", ["a file", "a file above", "no such right"])
def test_an_unwritable_runs_folder(tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "runs"
    if where == "a file":
        runs.write_text("")
    elif where == "a file above":
        runs.write_text("")
        runs = runs / "deeper"
    else:

        def refused(*_: object, **__: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr("tui_trainer.records.record.make_private_folder", refused)
    with pytest.raises(RunsFolderUnwritable) as caught:
        Record.create(runs, ASKED)
    sentence = str(caught.value)
    assert str(runs) in sentence
    assert "--runs-dir" in sentence
    assert "Errno" not in sentence


def test_a_disk_that_is_full_at_the_start_leaves_nothing_behind(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunsFolderUnwritable, match="no space is left on the device"):
        Record.create(runs, ASKED)
    assert list(runs.iterdir()) == []


def test_a_second_writer_is_refused_with_a_sentence(record: Record, impatient: None) -> None:
    with pytest.raises(RunInUse) as caught:
        Record.reopen(record.folder)
    assert record.id in str(caught.value)
    assert "this process" in str(caught.value)
    script = "import sys; from pathlib import Path; from tui_trainer.records.record import Record; "
    script += "Record.reopen(Path(sys.argv[1]))"
    other = subprocess.run([sys.executable, "-c", script, str(record.folder)], capture_output=True, text=True)
    assert f"RunInUse: run {record.id} is being written by process {os.getpid()} on " in other.stderr
    record.close()
    Record.reopen(record.folder).close()


def test_a_reader_that_looks_just_then_keeps_no_writer_out(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    record.close()
    reader = os.open(record.folder / "lock", os.O_RDONLY)
    fcntl.flock(reader, fcntl.LOCK_SH)  # as one holds it who asks whether the run is live
    waited: list[float] = []

    def wait(seconds: float) -> None:
        if not waited:
            os.close(reader)
        waited.append(seconds)

    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", wait)
        WriterLock(record.folder).release()
    assert waited
    assert not is_live(record.folder)
    monkeypatch.setattr(lock, "PATIENCE_S", 0.0)
    WriterLock(record.folder).release()  # who has looked holds nothing any more


@pytest.mark.never_says("record.more_steps")
def test_a_record_goes_on_where_it_was(record: Record) -> None:
    events = scripted_run(epochs=3)
    for event in events[:25]:
        record.emit(event)
    record.close()
    with (record.folder / "events.jsonl").open("ab") as file:
        file.write(encode(events[26])[:30])  # torn as the process died
    again = Record.reopen(record.folder)
    assert again.facts["asked"] == ASKED
    before = fold(events[:25])
    before.known.go_on()
    assert state_of(again.history) == state_of(before)
    begun = RunStarted(at=1.0, run=record.id, schema=1, pid=2, host="h", resumed_from_step=0)
    repeated = [event for event in events[1:] if not isinstance(event, CallsTimed)]
    for event in [begun, *repeated]:
        again.emit(event)
        again.history.apply(event)
    again.close()
    written = events_of(again)
    steps = [event.step + i for event in written if isinstance(event, StepsTaken) for i in range(len(event.losses))]
    assert steps == list(range(1, 61))
    assert fold(written).losses == fold(events).losses
    assert state_of(fold(written)) == state_of(again.history)


@pytest.mark.says("record.*")
@pytest.mark.never_says("record.no_facts", "record.facts_damaged", "record.no_object", "record.facts_unreadable")
@pytest.mark.parametrize(
    ("damage", "ids"),
    [
        ("missing", {"record.no_facts"}),
        ("garbage", {"record.facts_damaged"}),
        ("a list", {"record.facts_damaged", "record.no_object"}),
        ("a folder", {"record.facts_unreadable"}),
    ],
)
def test_a_record_without_what_was_asked_cannot_go_on(
    record: Record, damage: str, ids: set[str], captions_said: set[str]
) -> None:
    record.close()
    path = record.folder / "run.json"
    path.unlink()
    if damage == "garbage":
        path.write_text('{"asked": {')
    elif damage == "a list":
        path.write_text("[]")
    elif damage == "a folder":
        path.mkdir()
    with pytest.raises(CannotGoOn, match=r"run\.json"):
        Record.reopen(record.folder)
    assert {id for id in captions_said if id.startswith("record.")} == ids
    assert not is_live(record.folder)


def test_what_a_killed_writer_left_is_gone_once_the_record_goes_on(record: Record) -> None:
    record.close()
    names = sorted(file.name for file in record.folder.iterdir())
    (record.folder / ".run.json.0123abcd").write_bytes(b'{"half')
    again = Record.reopen(record.folder)
    again.close()
    assert sorted(file.name for file in record.folder.iterdir()) == names


def test_closing_twice_is_fine(record: Record) -> None:
    record.close()
    record.close()
    assert not is_live(record.folder)


WRITER = """
import os, sys, time
from pathlib import Path
from tests.scripted import scripted_run
from tui_trainer.records.record import Record

record = Record.create(Path(sys.argv[1]), {"preset_name": "steplr"})
helper = os.fork() if sys.argv[2] == "forks" else 0
if sys.argv[2] == "forks" and helper == 0:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the parent alone holds the pipe
    time.sleep(600)
    os._exit(0)
print(record.folder, helper, flush=True)
events = scripted_run(epochs=2)
for event in events[:-1]:
    record.emit(event)
print("written", flush=True)
if sys.argv[2] == "ends":
    record.emit(events[-1])
    record.close()
else:
    time.sleep(600)
"""


def _writer(runs: Path, how: str) -> tuple[subprocess.Popen[str], Path, int]:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(runs), how], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    folder, helper = process.stdout.readline().split()
    assert process.stdout.readline() == "written\n"
    return process, Path(folder), int(helper)


@pytest.mark.parametrize("how", ["alone", "forks"])
def test_a_killed_writer_is_known_to_be_gone(runs: Path, how: str) -> None:
    process, folder, helper = _writer(runs, how)
    try:
        assert is_live(folder)
        process.kill()
        process.wait()
        until(lambda: not is_live(folder))  # though a helper that it forked lives on, once it has had its turn
        with Tail(folder / "events.jsonl") as tail:
            assert list(tail) == scripted_run(epochs=2)[:-1]
        Record.reopen(folder).close()
    finally:
        process.kill()
        process.wait()
        if helper:
            os.kill(helper, signal.SIGKILL)
        assert process.stdout is not None
        process.stdout.close()


def test_a_writer_that_ended_well_is_gone_too(runs: Path) -> None:
    process, folder, _ = _writer(runs, "ends")
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    assert not is_live(folder)


class NoLocks:
    """A file system without locks, as some clusters have it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def flock(*_: object) -> None:
            raise OSError(errno.ENOSYS, "Function not implemented")

        monkeypatch.setattr(fcntl, "flock", flock)


def test_without_locks_a_pid_tells_who_lives(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    NoLocks(monkeypatch)
    record = Record.create(runs, ASKED)
    assert is_live(record.folder)
    with pytest.raises(RunInUse):
        Record.reopen(record.folder)
    record.close()
    assert not is_live(record.folder)
    holder = record.folder / "lock"
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        holder.write_text(f"{process.pid} {socket.gethostname()}\n")
        assert is_live(record.folder)
        os.utime(holder, (1e9, 1e9))  # that process began after the lock was written: its pid was used again
        assert not is_live(record.folder)
    finally:
        process.kill()
        process.communicate()
    holder.write_text(f"{process.pid} {socket.gethostname()}\n")
    assert not is_live(record.folder)
    Record.reopen(record.folder).close()


def test_what_a_killed_process_left_of_any_file_is_gone_once_the_run_goes_on(record: Record) -> None:
    record.close()
    before = sorted(record.folder.iterdir())
    for name in ("run.json", "most_wrong.json"):
        (record.folder / f".{name}.0123abcd").write_bytes(b"half")
    Record.reopen(record.folder).close()
    assert sorted(record.folder.iterdir()) == before


def test_without_locks_another_machine_lives_while_its_journal_is_fresh(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    NoLocks(monkeypatch)
    record = Record.create(runs, ASKED)
    record.close()
    (record.folder / "lock").write_text("1 elsewhere\n")
    assert is_live(record.folder)
    os.utime(record.folder / "events.jsonl", (1e9, 1e9))
    assert not is_live(record.folder)


def test_no_torch_and_no_screen_is_loaded() -> None:
    modules = [f"tui_trainer.records.{path.stem}" for path in Path(lock.__file__).parent.glob("[a-z]*.py")]
    script = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert len(modules) > 10
    assert not {"torch", "textual", "plotext", "numpy", "psutil", "pydantic"} & set(loaded)


# The end of a run that could not be recorded


class Full:
    """A disk that fills after so many bytes, in place of `os.write` and `os.fsync`.

    What has its room already can be changed.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._write, self._fsync = os.write, os.fsync

    def write(self, fd: int, data: bytes) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(fd, data[: self.room])
        self.room -= written
        return written

    def fsync(self, fd: int) -> None:
        """What a file holds that is new has no room."""
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._fsync(fd)


@pytest.fixture
def cut_off(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    return cut_off_in(runs, monkeypatch)


def cut_off_in(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """A run that was trained to its end on a disk that filled within its second epoch, and stays full."""
    events = scripted_run(epochs=3, steps_a_line=3)
    *others, ended = events
    assert isinstance(ended, RunEnded)
    record = Record.create(runs, ASKED)
    middle = next(i for i, event in enumerate(events) if isinstance(event, StepsTaken) and event.step > 25)
    for event in others[:middle]:
        record.emit(event)
    with monkeypatch.context() as patch:
        disk = Full(10)
        patch.setattr(os, "write", disk.write)
        patch.setattr(os, "fsync", disk.fsync)
        for event in others[middle:]:
            record.emit(event)
        told = record.end(ended)
        assert told.exit_code == 1
        assert told.status == "finished"
        assert told.reason == "all epochs trained; nothing was recorded after step 26: no space is left on the device"
        record.close()
    return record


@pytest.mark.says("record.cut_off", "record.not_recorded")
def test_a_run_whose_record_was_cut_off_has_not_crashed(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off = cut_off_in(runs, monkeypatch)
    summary = summarize(cut_off.folder)
    assert (summary.status, summary.cut_off_at_step, summary.steps_done) == ("finished", 26, 26)
    assert summary.reason is not None
    assert "nothing was recorded after step 26" in summary.reason
    assert len(summary.flaws) == 1  # and not, once more, how many steps are missing
    assert "cut off at step 26" in summary.flaws[0]
    listed = CliRunner().invoke(main, ["runs", "--runs-dir", str(cut_off.folder.parent)])
    assert "finished, record cut off at step 26" in listed.output


def test_a_viewer_and_an_export_say_that_it_was_cut_off(cut_off: Record, tmp_path: Path) -> None:
    host = JournalSource(cut_off.folder)
    while host.poll():
        pass
    assert host.history.status == "finished"
    host.poll()
    assert [notice.text for notice in host.history.notices if notice.kind == "recording"][-1:] == [
        "the record is cut off at step 26"
    ]
    warnings: list[str] = []
    export_csv(cut_off.folder, tmp_path / "out", warnings.append)
    assert any("cut off at step 26" in warning for warning in warnings)
    assert (told := ending(cut_off.folder)) is not None
    assert told.status == "finished"


def test_a_run_that_goes_on_after_it_was_cut_off_is_a_live_one(cut_off: Record) -> None:
    again = Record.reopen(cut_off.folder)
    assert summarize(cut_off.folder).status == "running"
    again.close()
    assert summarize(cut_off.folder).status == "crashed"  # its words of the last time are not this time's


@pytest.mark.never_says("record.not_recorded")
def test_a_record_that_is_whole_is_not_said_to_be_cut_off(record: Record) -> None:
    *others, ended = scripted_run()
    assert isinstance(ended, RunEnded)
    for event in others:
        record.emit(event)
    assert record.end(ended) is ended
    record.close()
    assert (record.folder / "lock").read_bytes() == b""
    summary = summarize(record.folder)
    assert (summary.status, summary.cut_off_at_step, summary.flaws) == ("finished", None, [])


# Records of other versions, and those that cannot be gone on with


@pytest.mark.parametrize(
    ("schema", "said"), [(SCHEMA + 1, "later version"), ("x", "form is not known"), (None, "not known")]
)
def test_a_form_that_is_not_known_is_read_and_not_written_to(
    record: Record, tmp_path: Path, schema: object, said: str
) -> None:
    for event in scripted_run():
        record.emit(event)
    record.describe({"schema": schema})
    record.close()
    assert summarize(record.folder).steps_done == 60
    assert any(said in flaw for flaw in summarize(record.folder).flaws)
    host = JournalSource(record.folder)
    while host.poll():
        pass
    assert any(said in notice.text for notice in host.history.notices)
    warnings: list[str] = []
    export_csv(record.folder, tmp_path / "out", warnings.append)
    assert any(said in warning for warning in warnings)
    before = (record.folder / "events.jsonl").read_bytes()
    with pytest.raises(CannotGoOn, match=said):
        Record.reopen(record.folder)
    with pytest.raises(CannotGoOn, match=said):
        asked_of(record.folder)
    assert (record.folder / "events.jsonl").read_bytes() == before
    assert not is_live(record.folder)


def test_a_later_form_that_the_journal_alone_tells_of(record: Record) -> None:
    for event in scripted_run():
        record.emit(msgspec.structs.replace(event, schema=SCHEMA + 1) if isinstance(event, RunStarted) else event)
    record.close()
    assert any("later version" in flaw for flaw in summarize(record.folder).flaws)
    with pytest.raises(CannotGoOn, match="later version"):
        Record.reopen(record.folder)


@pytest.mark.parametrize("later", [0, 1])
def test_a_record_that_a_later_version_wrote_a_part_of_is_not_gone_on_with(record: Record, later: int) -> None:
    for number in range(2):
        began, *others = scripted_run(epochs=1)[:-1]
        assert isinstance(began, RunStarted)
        schema = SCHEMA + (number == later)
        for event in (msgspec.structs.replace(began, schema=schema), *others):
            record.emit(event)
    record.close()
    with pytest.raises(CannotGoOn, match="later version"):
        Record.reopen(record.folder)


@pytest.mark.says("record.more_steps")
def test_a_record_that_tells_of_more_steps_than_the_run_has_is_not_written_to(record: Record) -> None:
    events = scripted_run()
    beyond = [
        StepsTaken(at=1.0, step=step, epoch=4, batch=step - 60, losses=[0.1], lrs=[0.1], elapsed=[9.0])
        for step in (61, 62)
    ]
    for event in [*events[:-1], *beyond]:
        record.emit(event)
    record.close()
    with pytest.raises(CannotGoOn, match=r"step 62, and the run has 60.*--new-record"):
        Record.reopen(record.folder)
    assert not is_live(record.folder)


# Two machines' clocks


@pytest.mark.parametrize("behind", [86_400.0, -86_400.0])
def test_the_clock_of_a_trainer_that_is_a_day_behind_is_its_own(record: Record, behind: float) -> None:
    now = time.time()
    for event in shifted(scripted_run()[:-1], to=now - behind):
        record.emit(event)
    host = JournalSource(record.folder)
    while host.poll():
        pass
    assert host.history.elapsed_s <= host.history.elapsed_at(time.time()) < host.history.elapsed_s + 600


def test_the_clock_of_a_run_that_says_nothing_for_a_while_runs_on(record: Record) -> None:
    now = time.time()
    for event in shifted(scripted_run()[:-1], to=now - 300):
        record.emit(event)
    os.utime(record.folder / "events.jsonl", (now - 300, now - 300))
    host = JournalSource(record.folder)
    while host.poll():
        pass
    assert host.history.elapsed_at(now) == pytest.approx(host.history.elapsed_s + 300, abs=1)


def shifted(events: list[AnyEvent], to: float) -> list[AnyEvent]:
    """The events, the last of them at this moment."""
    by = to - events[-1].at
    return [msgspec.structs.replace(event, at=event.at + by) for event in events]


SECRET = "Zq7fRn2Lx9-not-to-be-read"


def test_what_lets_others_in_is_in_no_record(runs: Path) -> None:
    """Neither in one that is begun, nor in what is read of an older one, nor in that one once it is gone on with."""
    notify = f"curl -H 'Authorization: Bearer {SECRET}' https://me:{SECRET}@example.com/?token={SECRET}"
    command = ["tui-trainer", "run", "--notify", notify, "--webhook", f"https://example.com/{SECRET}", "--epochs", "3"]
    record = Record.create(runs, ASKED, command)
    record.close()
    file = record.folder / "run.json"
    assert SECRET not in file.read_text()
    kept = json.loads(file.read_text())["command"]
    assert kept == read_facts(record.folder)["command"]
    assert [*kept[:3], *kept[4:5], *kept[6:]] == [*command[:3], *command[4:5], *command[6:]]
    file.write_text(json.dumps({**json.loads(file.read_text()), "command": command}))  # as it was written before
    assert SECRET not in str(read_facts(record.folder))
    again = Record.reopen(record.folder)
    again.describe({"resolved": {}})
    again.close()
    assert SECRET not in file.read_text()


@pytest.mark.parametrize("command", [None, "--token x", [1, {}], {"--token": "x"}])
def test_what_is_no_command_line_stands_as_it_is(record: Record, command: object) -> None:
    (record.folder / "run.json").write_text(json.dumps({"schema": 1, "command": command}))
    assert read_facts(record.folder)["command"] == command
