"""A run watched in the process that trains it, and by a viewer elsewhere."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn, TypeAlias

import pytest
from msgspec.structs import replace

from tests.scripted import scripted_run
from tests.ui.scripted_source import moved_to
from tests.waiting import PATIENCE_S, until
from tui_trainer.engine.clock import Awake
from tui_trainer.events import Alert, AnyEvent, MetricsLogged, RunConfigured, RunEnded, StepsTaken
from tui_trainer.records.log_size import SMALL, BoundedLog
from tui_trainer.records.record import Record
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.run_sources.monitoring import AlertMonitor, WarningCapture
from tui_trainer.text.alert_rule import parse

EVENTS = scripted_run(epochs=2, batches=20)
BEGUN = EVENTS[: next(i for i, event in enumerate(EVENTS) if isinstance(event, StepsTaken)) + 1]
NEXT = EVENTS[len(BEGUN) :]

Tell: TypeAlias = Callable[[Sequence[AnyEvent]], None]


class Clock:
    """Seconds, and those of the processor that this process used: all of them unless it stands still."""

    def __init__(self) -> None:
        self.now = self.cpu = 100.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float, *, busy: bool = True) -> None:
        self.now += seconds
        self.cpu += seconds if busy else 0.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


def watched(clock: Clock, awake: Awake | None = None) -> tuple[AlertMonitor, list[Alert]]:
    notices: list[Alert] = []

    def emit(event: AnyEvent) -> None:
        assert isinstance(event, Alert)
        notices.append(event)
        watching.take(event)

    watching = AlertMonitor(emit, threading.RLock(), awake=awake or Awake(clock, lambda: clock.cpu))
    return watching, notices


def test_a_stall_is_told_by_the_process_that_trains(clock: Clock) -> None:
    watching, notices = watched(clock)
    for event in BEGUN:
        watching.take(event)
    clock.pass_by(14.0)
    watching.look()
    assert notices == []
    clock.pass_by(2.0)
    watching.look()
    watching.look()
    (stall,) = notices
    assert stall.kind == "stall"
    assert "nothing has happened for 16 s, at step 8" in stall.text
    for event in NEXT:
        watching.take(event)
    assert [notice.kind for notice in notices] == ["stall", "recovered"]
    watching.finish()


def test_a_disk_that_runs_low_is_told_of_while_the_run_goes_on(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = 10**9
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(total=10**12, free=free))
    (tmp_path / "log.txt").write_bytes(b"\r" * SMALL)
    notices: list[Alert] = []

    def emit(event: AnyEvent) -> None:
        assert isinstance(event, Alert)
        notices.append(event)
        watching.take(event)

    watching = AlertMonitor(
        emit, threading.RLock(), awake=Awake(clock, lambda: clock.cpu), folder=lambda: tmp_path, log=BoundedLog()
    )
    for event in BEGUN:
        watching.take(event)
    watching.look()
    assert (tmp_path / "log.txt").stat().st_size == 0
    assert notices == []
    free = 10**8
    for _ in range(6):
        clock.pass_by(1.0)
        watching.look()
    (low,) = notices
    assert (low.kind, low.over) == ("low-disk", "")
    free = 10**9
    clock.pass_by(5.0)
    watching.look()
    assert [(notice.kind, notice.over) for notice in notices[1:]] == [("recovered", "low-disk")]
    watching.finish()


@pytest.mark.parametrize(("device", "degrees"), [("cuda:0", 90), ("cuda:0", None), ("cpu", 90)])
def test_how_hot_a_device_is_can_be_watched_and_is_no_sign_of_life(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, device: str, degrees: int | None
) -> None:
    monkeypatch.setattr("tui_trainer.engine.devices.temperature", lambda _: degrees)
    heard: list[AnyEvent] = []

    def emit(event: AnyEvent) -> None:
        heard.append(event)
        watching.take(event)

    watching = AlertMonitor(emit, threading.RLock(), awake=Awake(clock, lambda: clock.cpu))
    watching.watch_for([parse("gpu_temp > 85")])
    for event in BEGUN:
        watching.take(replace(event, device=device) if isinstance(event, RunConfigured) else event)
    for _ in range(16):
        clock.pass_by(1.0)
        watching.look()
    measured = device == "cuda:0" and degrees is not None
    logged = [event.values for event in heard if isinstance(event, MetricsLogged)]
    assert logged == ([{"gpu_temp": degrees}] if measured else [])
    told = [(event.kind, event.text) for event in heard if isinstance(event, Alert)]
    assert told[: len(logged)] == [("alert", "alert: gpu_temp > 85: 90 at step 7, epoch 1")] * len(logged)
    assert [kind for kind, _ in told[len(logged) :]] == ["stall"]
    watching.finish()


@pytest.mark.says("notice.woken")
@pytest.mark.never_says("notice.stalled", "notice.unwatched")
def test_a_process_that_stood_still_says_so_once_and_calls_it_no_stall(clock: Clock) -> None:
    awake = Awake(clock, lambda: clock.cpu)
    watching, notices = watched(clock, awake)
    for event in BEGUN:
        watching.take(event)
    awake.beat()
    assert watching.woken(at=1.0) is None
    clock.pass_by(90.0, busy=False)
    watching.look()
    woken = watching.woken(at=90.0)
    assert woken is not None
    assert woken.kind == "woken"
    assert "stood still for 90 s" in woken.text
    assert watching.woken(at=90.0) is None
    for event in NEXT:
        watching.take(event)
    assert notices == []
    watching.finish()


@pytest.mark.says("notice.stalled")
@pytest.mark.never_says("notice.woken")
def test_a_call_that_takes_long_is_no_standing_still_and_stalls(clock: Clock) -> None:
    awake = Awake(clock, lambda: clock.cpu)
    watching, notices = watched(clock, awake)
    for event in BEGUN:
        watching.take(event)
    for _ in range(180):  # it waits for a device: others of its threads go on
        clock.pass_by(0.5, busy=False)
        awake.beat()
        watching.look()
    assert watching.woken(at=90.0) is None
    assert [notice.kind for notice in notices] == ["stall"]
    watching.finish()


@pytest.mark.says("notice.unwatched")
def test_watching_that_fails_is_told_once_and_the_end_all_the_same(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise RuntimeError("no\nsum")

    watching, notices = watched(clock)
    monkeypatch.setattr("tui_trainer.records.health.Health.take", fail)
    for event in EVENTS:
        watching.take(event)
    clock.pass_by(3600)
    watching.look()
    assert [notice.kind for notice in notices] == ["watching"]
    assert notices[0].text.startswith("this run is no longer watched")
    assert notices[0].text.endswith(": RuntimeError: no sum")
    watching.finish()


def test_a_thread_that_looks_out_and_dies_is_told(clock: Clock) -> None:
    cpu: list[float] = []

    def fail() -> float:
        raise SystemExit(3)

    watching, notices = watched(clock, Awake(clock, lambda: cpu.pop() if cpu else fail()))
    for event in BEGUN:
        watching.take(event)
    until(lambda: bool(notices))
    for event in NEXT:
        watching.take(event)
    assert [notice.text.rpartition(": ")[0].rpartition(": ")[2] for notice in notices] == ["SystemExit"]
    watching.finish()


def test_before_the_first_batch_and_after_the_end_nothing_stalls(clock: Clock) -> None:
    watching, notices = watched(clock)
    for event in BEGUN[:-1]:
        watching.take(event)
    clock.pass_by(3600)
    watching.look()
    for event in EVENTS[len(BEGUN) - 1 :]:
        watching.take(event)
    clock.pass_by(3600)
    watching.look()
    assert isinstance(EVENTS[-1], RunEnded)
    assert notices == []
    watching.finish()


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    """The record of a run that another process trains."""
    made = Record.create(tmp_path, {"preset_name": "steplr"})
    yield made
    made.close()


@pytest.fixture
def host(record: Record, clock: Clock) -> Iterator[JournalSource]:
    """Its viewer."""
    made = JournalSource(record.folder, clock=clock)
    yield made
    made.close()


@pytest.fixture
def tell(record: Record, host: JournalSource) -> Tell:
    """Has something happen, and the viewer look."""

    def tell(events: Sequence[AnyEvent]) -> None:
        for event in events:
            record.emit(event)
        host.poll()

    return tell


def test_a_viewer_tells_itself_of_a_process_that_cannot(host: JournalSource, tell: Tell, clock: Clock) -> None:
    """A stopped process records nothing, no stall either."""
    tell(BEGUN)
    clock.now += 15.0 + JournalSource.GRACE - 1
    assert host.poll() == 0
    clock.now += 2.0
    assert host.poll() == 1
    clock.now += 60.0
    assert host.poll() == 0
    assert [notice.kind for notice in host.history.notices] == ["stall"]
    assert "nothing has happened for 21 s" in host.history.notices[0].text
    tell(NEXT[:6])
    assert [notice.kind for notice in host.history.notices] == ["stall", "recovered"]


@pytest.mark.parametrize("apart", [-3600.0, 0.0, 3600.0])
def test_a_stall_told_by_a_viewer_stops_the_runs_clock_where_it_is(
    host: JournalSource, tell: Tell, clock: Clock, apart: float
) -> None:
    """Whatever the clock of the machine that trains is apart from the viewer's."""
    tell(moved_to(BEGUN, time.time() - 1.0 - apart))
    shown = host.history.elapsed_at(time.time())
    clock.now += 90.0
    host.poll()
    assert host.history.stalled_since is not None
    assert shown <= host.history.elapsed_at(time.time()) <= host.history.elapsed_s + PATIENCE_S
    assert host.history.elapsed_at(time.time() + 500.0) == host.history.elapsed_at(time.time())


def test_a_stall_told_by_a_viewer_alone_is_over_as_the_process_says_why(
    host: JournalSource, tell: Tell, clock: Clock
) -> None:
    tell(BEGUN)
    clock.now += 90.0
    host.poll()
    assert host.history.stalled_since == BEGUN[-1].at
    woke = BEGUN[-1].at + 90
    tell([Alert(at=woke, kind="woken", text="stood still"), *moved_to(NEXT[:6], woke)])
    assert [notice.kind for notice in host.history.notices] == ["stall", "woken"]
    assert host.history.stalled_since is None


def test_a_stall_that_is_on_record_is_told_once(host: JournalSource, tell: Tell, clock: Clock) -> None:
    tell([*BEGUN, Alert(at=BEGUN[-1].at + 15, kind="stall", text="stalled")])
    clock.now += 600.0
    assert host.poll() == 0
    tell([Alert(at=BEGUN[-1].at + 20, kind="recovered", text="goes on"), *NEXT[:6]])
    assert [notice.text for notice in host.history.notices] == ["stalled", "goes on"]


def test_a_stall_that_both_have_told_is_over_once(host: JournalSource, tell: Tell, clock: Clock) -> None:
    """A process that was stopped finds out as it wakes up, after its viewers."""
    tell(BEGUN)
    clock.now += 60.0
    host.poll()
    late = [Alert(at=BEGUN[-1].at + 60, kind=kind, text=kind) for kind in ("stall", "recovered")]
    tell([late[0], *NEXT[:6], late[1]])
    assert [notice.kind for notice in host.history.notices] == ["stall", "stall", "recovered"]


def test_warnings_go_to_the_log_those_before_there_was_one_too(tmp_path: Path) -> None:
    folders: list[Path] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda *_: None
        with WarningCapture(
            lambda: folders[0] if folders else None, lambda: (tmp_path / "log.txt").open("ab")
        ) as warned:
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
