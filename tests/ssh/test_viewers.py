"""Many viewers of one run, some of them killed and one standing still: the run knows of none."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import SMALL
from tests.preloaded import Running
from tests.ssh.together import run_named
from tests.terminal import Terminal
from tests.waiting import until
from tui_trainer.run_sources.journal_source import JournalSource

pytestmark = pytest.mark.slow

VIEWERS = 5


def test_viewers_that_are_killed_or_stand_still_leave_the_run_as_it_is(runs: Path) -> None:
    options = ["--preset", "none", *SMALL, "--epochs", "100000", "--name", "watched"]
    with contextlib.ExitStack() as stack:
        running = Running("run", *options)
        stack.callback(running.wait)
        stack.callback(running.kill)
        host = stack.enter_context(contextlib.closing(JournalSource(run_named(runs, "watched"))))

        def trained(steps: int) -> None:
            first = host.history.steps
            until(lambda: bool(host.poll()) and host.history.steps > first + steps)

        trained(200)
        trainer = psutil.Process(running.pid)
        files, threads = trainer.num_fds(), trainer.num_threads()
        viewers = [stack.enter_context(Terminal("attach", "watched")) for _ in range(VIEWERS)]
        for viewer in viewers:
            viewer.until("epoch")
        still, *others = viewers
        os.kill(still.pid, signal.SIGSTOP)
        for victim in random.sample(others, 2):
            trained(50)
            os.kill(victim.pid, signal.SIGKILL)
            assert victim.wait() == 128 + signal.SIGKILL
        trained(200)
        until(lambda: (trainer.num_fds(), trainer.num_threads()) == (files, threads))
        alive = [viewer for viewer in others if viewer.code is None]
        alive[0].press(" ")
        for viewer in alive:
            viewer.until("paused")
        os.kill(still.pid, signal.SIGCONT)
        still.until("paused")  # it has caught up with all that it slept through
        running.terminate()
        for viewer in (still, *alive):
            viewer.until("stopped")
            viewer.press("q")
            assert viewer.wait() == 143
