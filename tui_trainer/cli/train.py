"""`run`: training without a screen; and how signals end a run."""

from __future__ import annotations

import os
import queue
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

from tui_trainer.cli.options import check_runs_folder, refuse, say, spec_from, training_options, warn_of
from tui_trainer.commands import Stop
from tui_trainer.events import Event, RunEnded
from tui_trainer.hosts import LocalRun, asked_of, replay
from tui_trainer.runs.errors import RunsError
from tui_trainer.torchrun import place

LOST_AFTER_S = 15.0
"""Of several processes, one that has not stopped so long after it was asked to waits for one that is lost."""


@click.command()
@click.option("--preset", required=True, metavar="NAME|FILE", help="A shipped preset, one of yours, or a file.")
@training_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object an epoch.")
def run(preset: str, runs_dir: Path | None, as_json: bool, **options: Any) -> None:
    """Train without a screen: for scripts, batch systems and log files."""
    from tui_trainer.runs.catalogue import runs_folder

    spec = spec_from(preset, **options)
    warn_of(spec)
    runs = runs_folder(runs_dir)
    check_runs_folder(runs)
    sys.exit(_train_here(LocalRun(spec, runs, sys.argv), as_json=as_json))


def resume_here(folder: Path) -> int:
    """Go on with a run that ended early, and return the exit code."""
    try:
        spec = asked_of(folder)
    except RunsError as error:
        refuse(str(error))
    return _train_here(LocalRun(spec, folder.parent, sys.argv, goes_on=folder), as_json=False)


def _train_here(local: LocalRun, *, as_json: bool) -> int:
    """Train in a thread, tell of it on stdout, and return the exit code. Signals are for this thread to catch."""
    from tui_trainer.console import reporter_for
    from tui_trainer.runs.history import History

    here = place()
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    local.listen(events.put)
    stopping = Stopping(local.control.send, together=not here.alone)
    signal.signal(signal.SIGINT, stopping.on_signal)
    signal.signal(signal.SIGTERM, stopping.on_signal)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a closed terminal ends no run
    history = replay(local.goes_on) if local.goes_on else History()
    reporter = reporter_for(sys.stdout if here.leads else None, as_json=as_json)
    local.start()
    ended: RunEnded | None = None
    try:
        while ended is None:
            try:
                event = events.get(timeout=stopping.seconds_left)
            except queue.Empty:
                event = local.give_up()
            history.apply(event)
            reporter.tell(event, history)
            ended = event if isinstance(event, RunEnded) else None
    finally:
        reporter.close()
    local.wait(LOST_AFTER_S)
    if ended.exit_code in (1, 2):
        say(local.failure or ended.reason)
    if not here.alone:
        _leave(ended.exit_code)
    return ended.exit_code


def _leave(exit_code: int) -> NoReturn:
    """End the process at once: the libraries' own farewells would wait for processes that may be gone."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exit_code)


class Stopping:
    """On SIGINT or SIGTERM: stop, with a checkpoint; on a second one: leave now.

    Processes that train together stop together: `torchrun` passes on what the keyboard has sent to all already.
    """

    def __init__(self, send: Callable[[Stop], object], *, together: bool = False) -> None:
        self._send = send
        self._asked = False
        self._together = together
        self._deadline: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """How long the end may be waited for; None for ever."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def on_signal(self, number: int, frame: FrameType | None = None) -> None:
        """Handle a signal, in the main thread."""
        if self._asked and not self._together:
            os._exit(128 + number)
        if self._asked:
            return
        self._asked = True
        if self._together:
            self._deadline = time.monotonic() + LOST_AFTER_S
        name = signal.Signals(number).name
        self._send(Stop(by="signal", reason=f"stopped by {name}", exit_code=128 + number))
