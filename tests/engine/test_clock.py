"""Time in which the process could not run at all is nobody's: no call's, no epoch's, none that is still to come."""

from __future__ import annotations

import time
from pathlib import Path
from unittest.mock import patch

import pytest
from torch import Tensor

from tui_trainer.engine.clock import STOOD_STILL_S, Awake, TrainingClock
from tui_trainer.engine.control import CommandQueue
from tui_trainer.engine.prepare import prepare
from tui_trainer.engine.train import train
from tui_trainer.events import AnyEvent, EpochEnded
from tui_trainer.presets.catalogue import load
from tui_trainer.records.history import History
from tui_trainer.records.summary import seconds_left
from tui_trainer.run_spec import RunSpec

DAY = 86_400.0


class Clocks:
    """That of the wall and that of the processor, as a test turns them."""

    def __init__(self) -> None:
        self.wall, self.cpu = 1000.0, 10.0
        self.awake = Awake(lambda: self.wall, lambda: self.cpu)

    def busy(self, seconds: float) -> None:
        self.wall += seconds
        self.cpu += seconds

    def stopped(self, seconds: float) -> None:
        self.wall += seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def test_a_process_that_was_stopped_did_not_live_meanwhile(clocks: Clocks) -> None:
    run = TrainingClock(5.0, clocks.awake)
    run.start()
    clocks.awake.beat()
    clocks.busy(0.3)
    assert run.elapsed == pytest.approx(5.3)
    clocks.stopped(DAY)
    assert run.elapsed == pytest.approx(5.3)
    clocks.busy(0.2)
    assert run.elapsed == pytest.approx(5.5)
    assert clocks.awake.untold() == pytest.approx(DAY)
    assert clocks.awake.untold() == 0.0


def test_whoever_sees_it_first_it_is_taken_out_once(clocks: Clocks) -> None:
    clocks.awake.beat()
    clocks.busy(0.25)
    before = clocks.awake()
    clocks.stopped(90.0)
    clocks.awake.beat()
    assert clocks.awake() == before
    clocks.awake.beat()
    assert clocks.awake.untold() == pytest.approx(90.0)


@pytest.mark.parametrize(
    "what", ["busy with the lock in hand", "a thread waits and another beats", "a short stop", "nobody beats"]
)
def test_what_is_no_standing_still_counts(clocks: Clocks, what: str) -> None:
    if what != "nobody beats":
        clocks.awake.beat()
    before, wall = clocks.awake(), clocks.wall
    match what:
        case "busy with the lock in hand":
            clocks.busy(60.0)
        case "a thread waits and another beats":
            for _ in range(120):
                clocks.stopped(0.5)
                clocks.awake.beat()
        case "a short stop":
            clocks.stopped(STOOD_STILL_S - 0.1)
        case _:
            clocks.stopped(60.0)
    assert clocks.awake() - before == clocks.wall - wall
    assert clocks.awake.untold() == 0.0


@pytest.mark.parametrize("sleeps", [True, False])
def test_a_machine_that_slept_within_a_call_leaves_no_trace_in_any_figure(tmp_path: Path, sleeps: bool) -> None:
    """And where nothing says that it slept, the day is in all of them: so the test can tell."""
    gone, steps, left = 0.0, 0, []
    awake = Awake(lambda: time.perf_counter() + gone)
    if sleeps:
        awake.beat()
    history = History()

    def emit(event: AnyEvent) -> None:
        history.apply(event)
        if isinstance(event, EpochEnded) and event.epoch == 1:
            left.append(seconds_left(history))

    spec = RunSpec.of("steplr", load("steplr"), epochs=2, limit_train=640, limit_val=64, threads=1, device="cpu")
    prepared = prepare(spec, emit, None)
    backward = prepared.ranks.backward

    def sleeping(loss: Tensor) -> None:
        nonlocal gone, steps
        steps += 1
        if steps == 5:
            gone = DAY
        backward(loss)

    with patch.object(prepared.ranks, "backward", sleeping):
        ended = train(prepared, emit, CommandQueue(), tmp_path, awake)
    assert ended.status == "finished"
    epoch = history.epochs[0]
    seconds = [history.elapsed_s, epoch.elapsed, history.calls["backward"].seconds, *left]
    # A speed of so few images a day tells no time that is left: that is unknown then, and no sound figure either.
    assert [figure is not None and figure < DAY / 2 for figure in seconds] == [sleeps] * 4
    assert (epoch.images_per_second > 1) is sleeps
