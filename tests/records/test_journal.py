"""A journal under trouble: full disks, torn lines, killed writers. Every line is whole or absent."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.records.streams import fold, state_of
from tests.scripted import Scheduler, scripted_run
from tests.waiting import PATIENCE_S
from tui_trainer.events import Alert, AnyEvent, RunStarted, StepsTaken, encode
from tui_trainer.records import journal as journals
from tui_trainer.records.journal import Journal
from tui_trainer.records.tail import Tail


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def recorded(path: Path) -> list[AnyEvent]:
    with Tail(path) as tail:
        events = list(tail)
        assert tail.skipped == 0
        assert tail.unread == 0
    return events


class Disk:
    """A disk with so much room, in place of `os.write`: what does not fit is written in part, as disks do."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.attempts = 0
        self._write = os.write

    def write(self, fd: int, data: bytes) -> int:
        self.attempts += 1
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(fd, data[: self.room])
        self.room -= written
        return written


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Disk]:
    def with_room(room: int) -> Disk:
        disk = Disk(room)
        monkeypatch.setattr(os, "write", disk.write)
        return disk

    return with_room


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_one_write_an_event(path: Path, disk: Callable[[int], Disk]) -> None:
    events = scripted_run()
    counted = disk(10**9)
    journal = Journal(path)
    for event in events:
        journal.emit(event)
        assert encode(event)[:-2] in path.read_bytes().splitlines()[-1]  # never lags
    assert counted.attempts == len(events)
    journal.close()


def test_the_file_is_private_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        Journal(path).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        Journal(path)
    assert not (tmp_path / "elsewhere").exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_a_disk_that_fills_and_empties_at_any_byte(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "events.jsonl"
    path.unlink(missing_ok=True)
    events = scripted_run(steps_a_line=5, slow_batch=3)
    size = sum(len(encode(event)) for event in events)
    disk, clock, told, live = Disk(data.draw(st.integers(0, size))), Clock(), list[Alert](), list[AnyEvent]()
    room_again = data.draw(st.lists(st.sampled_from(range(len(events))), max_size=3))

    def observe(notice: Alert) -> None:
        told.append(notice)
        live.append(notice)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", disk.write)
        journal = Journal(path, observer=observe, clock=clock)
        for i, event in enumerate(events):
            clock.now += 0.6
            if i in room_again:
                disk.room += data.draw(st.integers(1, size))
            live.append(event)
            journal.emit(event)
            content = path.read_bytes()
            assert content == b"" or content.endswith(b"\n")  # nothing torn is left behind
        disk.room = 10**9
        journal.close()
    assert recorded(path) == live
    assert state_of(fold(recorded(path))) == state_of(fold(live))
    said = [notice.text.split(":")[0].split(".")[0] for notice in told]
    assert said[::2] == ["Recording stopped"] * (len(told) // 2)
    assert set(said[1:-1:2]) <= {"Recording goes on"}
    assert said[-1:] in ([], ["Recording goes on"], ["What waited is recorded"])


@pytest.mark.says("notice.recording_stopped", "notice.recording_goes_on", "notice.nothing_lost")
@pytest.mark.never_says("notice.lost", "notice.recording_stopped_at_end", "notice.recorded_at_last")
def test_training_never_hears_of_a_full_disk_and_the_screen_hears_once(path: Path, disk: Callable[[int], Disk]) -> None:
    events = scripted_run()
    full = disk(1000)
    clock, told = Clock(), list[Alert]()
    journal = Journal(path, observer=told.append, clock=clock)
    for event in events[:30]:
        journal.emit(event)
    assert [notice.text for notice in told] == [
        "Recording stopped: no space is left on the device. Training goes on; recording will when it can."
    ]
    full.room = 10**9
    clock.now += 0.9
    journal.emit(events[30])
    assert len(told) == 1
    clock.now += 0.2
    journal.emit(events[31])
    assert told[1].text == "Recording goes on. Nothing was lost."
    journal.close()
    assert [event for event in recorded(path) if event not in told] == events[:32]


@pytest.mark.says("notice.recording_stopped")
@pytest.mark.never_says("notice.event_unrecorded")
def test_it_is_tried_again_at_most_once_a_second(path: Path, disk: Callable[[int], Disk]) -> None:
    full = disk(0)
    clock = Clock()
    journal = Journal(path, clock=clock)
    event = scripted_run()[0]
    for _ in range(1000):
        journal.emit(event)
        clock.now += 0.01
    assert 9 <= full.attempts <= 11


@pytest.mark.says("notice.lost", "notice.recorded_at_last")
@pytest.mark.never_says("notice.nothing_lost")
def test_what_waits_is_bounded_and_what_was_lost_is_said(
    path: Path, disk: Callable[[int], Disk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "WAITING_AT_MOST", 2000)
    full = disk(0)
    told: list[Alert] = []
    events = scripted_run()
    journal = Journal(path, observer=told.append)
    for event in events:
        journal.emit(event)
    full.room = 10**9
    journal.close()
    kept = [event for event in recorded(path) if event not in told]
    assert kept == events[-len(kept) :]
    assert sum(len(encode(event)) for event in kept) <= 2000
    lost = len(events) - len(kept) + 1  # and the notice that it stopped
    assert told[-1].text == f"What waited is recorded. {lost} of its events are lost."


@pytest.mark.says("notice.recording_stopped_at_end", "notice.recorded_at_last", "notice.nothing_lost")
@pytest.mark.never_says("notice.recording_stopped", "notice.recording_goes_on", "notice.lost")
def test_at_the_end_of_a_run_training_is_not_said_to_go_on(
    path: Path, disk: Callable[[int], Disk], captions_said: set[str]
) -> None:
    told: list[Alert] = []
    events = scripted_run()
    full = disk(10**9)
    journal = Journal(path, observer=told.append)
    for event in events[:-1]:
        journal.emit(event)
    full.room = 0
    journal.emit(events[-1])
    assert journal.write_now() == "no space is left on the device"
    full.room = 10**9
    assert journal.close() is False
    assert [notice.text for notice in told] == [
        "Recording stopped: no space is left on the device. The run is over; it is tried once more.",
        "What waited is recorded. Nothing was lost.",
    ]
    assert not captions_said & {"notice.recording_stopped", "notice.recording_goes_on", "notice.lost"}


def test_closing_a_full_disk_is_no_error(path: Path, disk: Callable[[int], Disk]) -> None:
    disk(0)
    journal = Journal(path)
    journal.emit(scripted_run()[0])
    journal.close()
    journal.close()
    journal.emit(scripted_run()[1])
    assert path.read_bytes() == b""


def test_a_part_that_cannot_be_cut_off_now_is_cut_off_before_the_next_line(
    path: Path, disk: Callable[[int], Disk], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = scripted_run()[:2]
    full = disk(len(encode(first)) + 10)
    truncate = os.ftruncate
    broken = True

    def ftruncate(fd: int, length: int) -> None:
        if broken:
            raise OSError(errno.EIO, "Input/output error")
        truncate(fd, length)

    monkeypatch.setattr(os, "ftruncate", ftruncate)
    journal = Journal(path, clock=lambda: 0.0)
    journal.emit(first)
    journal.emit(second)
    assert path.stat().st_size == len(encode(first)) + 10
    broken, full.room = False, 10**9
    journal.close()
    assert [event for event in recorded(path) if not isinstance(event, Alert)] == [first, second]


@pytest.mark.says("notice.event_unrecorded")
def test_text_that_no_file_can_hold_costs_its_event_only(path: Path) -> None:
    told: list[Alert] = []
    events = scripted_run()
    journal = Journal(path, observer=told.append)
    journal.emit(events[0])
    journal.emit(Alert(at=1.0, kind="warning", text="a file named \udcff"))
    journal.emit(events[1])
    journal.close()
    assert recorded(path) == [events[0], *told, events[1]]
    assert "Alert" in told[0].text


@pytest.mark.parametrize("keep", range(1, 40, 3))
def test_a_line_torn_by_a_killed_writer_is_cut_off(path: Path, keep: int) -> None:
    first, second, third = scripted_run()[:3]
    path.write_bytes(encode(first) + encode(second)[:keep])
    journal = Journal(path)
    assert path.read_bytes() == encode(first)
    journal.emit(third)
    journal.close()
    assert recorded(path) == [first, third]


def test_a_last_line_that_lacks_only_its_newline_is_kept(path: Path) -> None:
    first, second = scripted_run()[:2]
    path.write_bytes(encode(first)[:-1])
    journal = Journal(path)
    journal.emit(second)
    journal.close()
    assert recorded(path) == [first, second]


def test_a_torn_end_longer_than_a_block(path: Path) -> None:
    first = scripted_run()[0]
    path.write_bytes(encode(first) + b"\0" * 200_000)
    Journal(path).close()
    assert recorded(path) == [first]
    path.write_bytes(b"\0" * 200_000)
    Journal(path).close()
    assert path.read_bytes() == b""


def test_what_is_known_already_is_not_written_again(path: Path) -> None:
    events = scripted_run(epochs=3)
    journal = Journal(path)
    for event in events[:20]:
        journal.emit(event)
    journal.close()
    history = fold(recorded(path))
    journal = Journal(path, history.known)
    for event in events:
        journal.emit(event)
    journal.close()
    taken = [event.step for event in recorded(path) if isinstance(event, StepsTaken)]
    assert taken == sorted(set(taken))
    assert fold(recorded(path)).losses == fold(events).losses
    assert history.known.steps < 60  # the journal's own reckoning went on, not the history's


@pytest.mark.parametrize("scheduler", ["none", "OneCycleLR"])  # one LR for a line, and one for each of its steps
def test_a_line_that_is_known_in_part_is_written_from_there_on(path: Path, scheduler: Scheduler) -> None:
    """A process that goes on gathers its steps into other lines than the one before it did."""
    before, after = (scripted_run(epochs=1, scheduler=scheduler, steps_a_line=size) for size in (7, 9))
    journal = Journal(path)
    for event in before:
        if not isinstance(event, StepsTaken) or event.step < 15:
            journal.emit(event)
    journal.close()
    journal = Journal(path, fold(recorded(path)).known)
    for event in after:
        if isinstance(event, RunStarted | StepsTaken):
            journal.emit(event)
    journal.close()
    taken = [event for event in recorded(path) if isinstance(event, StepsTaken)]
    assert [(event.step, event.batch, len(event.losses)) for event in taken] == [
        (1, 1, 7),
        (8, 8, 7),
        (15, 15, 4),
        (19, 19, 2),
    ]
    gone_on, whole = fold(recorded(path)), fold(after)
    assert list(gone_on.losses) == list(whole.losses)
    assert list(gone_on.lrs) == list(whole.lrs)
    assert len(gone_on.elapsed) == 20


LIMITED = """
import resource, signal, sys
from pathlib import Path
from tests.scripted import scripted_run
from tui_trainer.records.journal import Journal

seconds = 0.0
told = []
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
journal = Journal(Path(sys.argv[1]), observer=told.append, clock=lambda: seconds)
events = scripted_run(epochs=6)
for event in events[:-1]:
    seconds += 0.1
    journal.emit(event)
assert len(told) == 1, told
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
seconds += 1.0
journal.emit(events[-1])
journal.close()
assert len(told) == 2, told
"""


def test_a_file_that_may_grow_no_further(path: Path) -> None:
    subprocess.run([sys.executable, "-c", LIMITED, str(path)], check=True, timeout=PATIENCE_S)
    notices = [event for event in recorded(path) if isinstance(event, Alert)]
    assert len(notices) == 2
    assert [event for event in recorded(path) if event not in notices] == scripted_run(epochs=6)


FILLED = """
import sys
from pathlib import Path
from tests.scripted import scripted_run
from tui_trainer.events import decode, encode
from tui_trainer.records.journal import Journal

folder = Path(sys.argv[1])
seconds = 0.0
told = []
journal = Journal(folder / "events.jsonl", observer=told.append, clock=lambda: seconds)
events = scripted_run(epochs=6)
ballast = folder / "ballast"
try:
    ballast.write_bytes(bytes(10**6))
except OSError:
    pass
for event in events[:-1]:
    seconds += 0.1
    journal.emit(event)
assert len(told) == 1 and "no space" in told[0].text, told
ballast.unlink()
seconds += 1.0
journal.emit(events[-1])
journal.close()
assert len(told) == 2, told
lines = [decode(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]
assert [event for event in lines if event not in told] == events
"""


def test_a_real_disk_that_is_full(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=64k none {tmp_path}"
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rm", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("needs the right to mount a small disk")
    command = [unshare, "-rm", "sh", "-c", f'{mount} && exec "$0" -c "$1" {tmp_path}', sys.executable, FILLED]
    subprocess.run(command, check=True, timeout=PATIENCE_S)
