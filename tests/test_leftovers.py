"""A test leaves no training behind, nor signals that are handled in another way, whatever happens to it."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests import leftovers
from tests.waiting import until
from tui_trainer.cli.signal_handlers import stop_on_signals

FOREVER = "import time; time.sleep(3600)"


def _one_that_left() -> psutil.Process:
    """One in a session of its own, whose parent is gone: nobody could wait for it."""
    start = (
        "import subprocess, sys\n"
        f"command = [sys.executable, '-c', {FOREVER!r}]\n"
        "print(subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True).pid)"
    )
    told = subprocess.run([sys.executable, "-c", start], stdout=subprocess.PIPE, text=True, check=True)
    return psutil.Process(int(told.stdout))


def test_what_a_test_left_is_ended(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "GRACE_S", 0.1)
    process = _one_that_left()
    assert leftovers.end("tests/another.py::test") == []
    assert process.is_running()
    (command,) = leftovers.end(request.node.nodeid)
    assert "time.sleep(3600)" in command
    until(lambda: not process.is_running())


def test_what_ends_by_itself_is_none(request: pytest.FixtureRequest) -> None:
    subprocess.Popen([sys.executable, "-c", "pass"]).wait()
    assert leftovers.end(request.node.nodeid) == []
    assert os.environ[leftovers.SESSION] == str(os.getpid())


def test_a_command_called_here_leaves_signals_as_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)
    with leftovers.same_signals():
        stop_on_signals(lambda stop: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)) == before
