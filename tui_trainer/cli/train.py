"""`launch` and `run`: the same training, with a screen and without."""

from __future__ import annotations

import os
import queue
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import click

from tui_trainer.cli.options import refuse, spec_from, training_options, warn_of
from tui_trainer.commands import Stop
from tui_trainer.events import Event, RunEnded
from tui_trainer.hosts import LocalRun
from tui_trainer.spec import RunSpec


@click.command()
@click.option("--preset", required=True, metavar="NAME|FILE", help="A shipped preset, one of yours, or a file.")
@training_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object an epoch.")
def run(preset: str, runs_dir: Path | None, as_json: bool, **options: Any) -> None:
    """Train without a screen: for scripts, batch systems and log files."""
    from tui_trainer.runs.catalogue import runs_folder

    spec = spec_from(preset, **options)
    warn_of(spec)
    sys.exit(_train_here(spec, runs_folder(runs_dir), as_json=as_json))


def _train_here(spec: RunSpec, runs: Path, *, as_json: bool) -> int:
    """Train in a thread, tell of it on stdout, and return the exit code. Signals are for this thread to catch."""
    from tui_trainer.console import reporter_for
    from tui_trainer.runs.history import History

    local = LocalRun(spec, runs, sys.argv)
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    local.listen(events.put)
    stop_on_signals(local)
    history = History()
    reporter = reporter_for(sys.stdout, as_json=as_json)
    local.start()
    ended: RunEnded | None = None
    try:
        while ended is None:
            event = events.get()
            history.apply(event)
            reporter.tell(event, history)
            ended = event if isinstance(event, RunEnded) else None
    finally:
        reporter.close()
    local.wait()
    if ended.exit_code in (1, 2):
        click.echo(ended.reason, err=True)
    if local.failure:
        click.echo(local.failure, err=True)
    return ended.exit_code


def stop_on_signals(local: LocalRun) -> None:
    """On SIGINT and SIGTERM: stop, with a checkpoint; on a second one: leave now. A closed terminal stops nothing."""
    asked = False

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(128 + number)
        asked = True
        name = signal.Signals(number).name
        local.control.send(Stop(by="signal", reason=f"stopped by {name}", exit_code=128 + number))

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
