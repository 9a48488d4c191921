"""What signals do to a run without a screen: the first asks for its end, the second does not wait for it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.waiting import PATIENCE_S
from tui_trainer.cli import signal_handlers
from tui_trainer.cli.signal_handlers import SignalHandlers
from tui_trainer.commands import Stop

DEAF = """
import signal, threading
from tui_trainer.cli.signal_handlers import stop_on_signals
stop_on_signals(lambda stop: print(stop.reason, stop.exit_code, stop.by, flush=True))
print("ready", flush=True)
while True:
    signal.pause()
"""
"""A program whose run takes no notice of what it is asked."""


@pytest.fixture
def deaf() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE, text=True)
    try:
        assert line(process) == "ready"
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize(
    ("first", "second"),
    [("SIGINT", "SIGINT"), ("SIGINT", "SIGTERM"), ("SIGTERM", "SIGINT"), ("SIGTERM", "SIGTERM")],
)
def test_a_second_signal_leaves_at_once_with_its_own_exit_code(
    deaf: subprocess.Popen[str], first: str, second: str
) -> None:
    deaf.send_signal(signal.Signals[first])
    assert line(deaf) == f"stopped by {first} {128 + signal.Signals[first]} signal"
    deaf.send_signal(signal.Signals[second])
    assert deaf.wait(PATIENCE_S) == 128 + signal.Signals[second]
    assert line(deaf) == ""  # nothing more was asked


def test_processes_that_train_together_are_asked_once_and_given_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(signal_handlers.time, "monotonic", lambda: now)
    asked: list[Stop] = []
    stopping = SignalHandlers(asked.append, together=True)
    assert stopping.seconds_left is None
    for _ in range(3):
        stopping.on_signal(signal.SIGTERM)
    assert [(stop.exit_code, stop.reason) for stop in asked] == [(143, "stopped by SIGTERM")]
    assert stopping.seconds_left == signal_handlers.LOST_AFTER_S
    now += 1000.0
    assert stopping.seconds_left == 0.0


def test_alone_the_end_is_waited_for_as_long_as_it_takes() -> None:
    stopping = SignalHandlers(lambda _: None)
    stopping.on_signal(signal.SIGINT)
    assert stopping.seconds_left is None
