"""`run`: training without a screen; and how signals end a run."""

from __future__ import annotations

import os
import queue
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import click

from tui_trainer.cli.options import check_runs_folder, refuse, spec_from, training_options, warn_of
from tui_trainer.commands import Stop
from tui_trainer.events import Event, RunEnded
from tui_trainer.hosts import LocalRun, replay
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
    runs = runs_folder(runs_dir)
    check_runs_folder(runs)
    sys.exit(_train_here(LocalRun(spec, runs, sys.argv), as_json=as_json))


def resume_here(folder: Path) -> int:
    """Go on with a run that ended early, and return the exit code."""
    from tui_trainer.runs.facts import read_facts

    facts = read_facts(folder)
    try:
        spec = RunSpec.model_validate(facts.get("asked"))
    except ValueError:
        refuse(f"{folder / 'run.json'} does not say what was asked of this run, so it cannot go on")
    threads = facts.get("resolved", {}).get("threads")  # those it had: fixed threads make it go on bit for bit
    spec = spec.model_copy(update={"threads": spec.threads or threads})
    return _train_here(LocalRun(spec, folder.parent, sys.argv, goes_on=folder), as_json=False)


def _train_here(local: LocalRun, *, as_json: bool) -> int:
    """Train in a thread, tell of it on stdout, and return the exit code. Signals are for this thread to catch."""
    from tui_trainer.console import reporter_for
    from tui_trainer.runs.history import History

    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    local.listen(events.put)
    stopping = Stopping(local.control.send)
    signal.signal(signal.SIGINT, stopping.on_signal)
    signal.signal(signal.SIGTERM, stopping.on_signal)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a closed terminal ends no run
    history = replay(local.goes_on) if local.goes_on else History()
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
        click.echo(local.failure or ended.reason, err=True)
    return ended.exit_code


class Stopping:
    """On SIGINT or SIGTERM: stop, with a checkpoint; on a second one: leave now."""

    def __init__(self, send: Callable[[Stop], object]) -> None:
        self._send = send
        self._asked = False

    def on_signal(self, number: int, frame: FrameType | None = None) -> None:
        """Handle a signal, in the main thread."""
        if self._asked:
            os._exit(128 + number)
        self._asked = True
        name = signal.Signals(number).name
        self._send(Stop(by="signal", reason=f"stopped by {name}", exit_code=128 + number))
