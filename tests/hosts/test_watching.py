"""A run watched in the process that trains it, and by a viewer elsewhere."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path

import pytest

from tests.scripted import scripted_run
from tui_trainer.events import Event, Noticed, RunEnded, StepsTaken
from tui_trainer.hosts import RecordHost
from tui_trainer.hosts.warned import Warned
from tui_trainer.hosts.watching import Watching
from tui_trainer.runs.record import Record

EVENTS = scripted_run(epochs=2, batches=20)
BEGUN = EVENTS[: next(i for i, event in enumerate(EVENTS) if isinstance(event, StepsTaken)) + 1]
NEXT = EVENTS[len(BEGUN) :]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def watched(clock: Clock) -> tuple[Watching, list[Noticed]]:
    notices: list[Noticed] = []

    def emit(event: Event) -> None:
        assert isinstance(event, Noticed)
        notices.append(event)
        watching.take(event)

    watching = Watching(emit, threading.RLock(), clock=clock)
    return watching, notices


def test_a_stall_is_told_by_the_process_that_trains(clock: Clock) -> None:
    watching, notices = watched(clock)
    for event in BEGUN:
        watching.take(event)
    clock.now += 14.0
    watching.look()
    assert notices == []
    clock.now += 2.0
    watching.look()
    watching.look()
    (stall,) = notices
    assert stall.kind == "stall"
    assert "nothing has happened for 16 s, at step 8" in stall.text
    for event in NEXT:
        watching.take(event)
    assert [notice.kind for notice in notices] == ["stall", "recovered"]
    watching.finish()


def test_before_the_first_batch_and_after_the_end_nothing_stalls(clock: Clock) -> None:
    watching, notices = watched(clock)
    for event in BEGUN[:-1]:
        watching.take(event)
    clock.now += 3600
    watching.look()
    for event in EVENTS[len(BEGUN) - 1 :]:
        watching.take(event)
    clock.now += 3600
    watching.look()
    assert isinstance(EVENTS[-1], RunEnded)
    assert notices == []
    watching.finish()


def test_a_viewer_tells_itself_of_a_process_that_cannot(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped process records nothing, no stall either."""
    record = Record.create(tmp_path, {"preset_name": "steplr"})
    host = RecordHost(record.folder, clock=clock)
    for event in BEGUN:
        record.emit(event)
    host.poll()
    clock.now += 15.0 + RecordHost.GRACE - 1
    assert host.poll() == 0
    clock.now += 2.0
    assert host.poll() == 1
    clock.now += 60.0
    assert host.poll() == 0
    assert [notice.kind for notice in host.history.notices] == ["stall"]
    assert "nothing has happened for 21 s" in host.history.notices[0].text
    for event in NEXT[:6]:
        record.emit(event)
    host.poll()
    assert [notice.kind for notice in host.history.notices] == ["stall", "recovered"]
    record.close()
    host.close()


def test_a_stall_that_is_on_record_is_told_once(tmp_path: Path, clock: Clock) -> None:
    record = Record.create(tmp_path, {"preset_name": "steplr"})
    host = RecordHost(record.folder, clock=clock)
    for event in [*BEGUN, Noticed(at=BEGUN[-1].at + 15, kind="stall", text="stalled")]:
        record.emit(event)
    host.poll()
    clock.now += 600.0
    assert host.poll() == 0
    for event in [Noticed(at=BEGUN[-1].at + 20, kind="recovered", text="goes on"), *NEXT[:6]]:
        record.emit(event)
    host.poll()
    assert [notice.text for notice in host.history.notices] == ["stalled", "goes on"]
    record.close()
    host.close()


def test_a_stall_that_both_have_told_is_over_once(tmp_path: Path, clock: Clock) -> None:
    """A process that was stopped finds out as it wakes up, after its viewers."""
    record = Record.create(tmp_path, {"preset_name": "steplr"})
    host = RecordHost(record.folder, clock=clock)
    for event in BEGUN:
        record.emit(event)
    host.poll()
    clock.now += 60.0
    host.poll()
    late = [Noticed(at=BEGUN[-1].at + 60, kind=kind, text=kind) for kind in ("stall", "recovered")]
    for event in [late[0], *NEXT[:6], late[1]]:
        record.emit(event)
    host.poll()
    assert [notice.kind for notice in host.history.notices] == ["stall", "stall", "recovered"]
    record.close()
    host.close()


def test_warnings_go_to_the_log_those_before_there_was_one_too(tmp_path: Path) -> None:
    folders: list[Path] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda *_: None
        with Warned(lambda: folders[0] if folders else None, lambda: (tmp_path / "log.txt").open("ab")) as warned:
            warnings.warn("before there was a record", UserWarning, stacklevel=1)
            assert not (tmp_path / "log.txt").exists()
            folders.append(tmp_path)
            warned.write()
            warnings.warn("after", UserWarning, stacklevel=1)
        warnings.warn("when it was over", UserWarning, stacklevel=1)
    text = (tmp_path / "log.txt").read_text()
    assert "UserWarning: before there was a record" in text
    assert "UserWarning: after" in text
    assert "when it was over" not in text
