"""`stream`: what happens in a run, as it happens, for scripts, agents and dashboards."""

from __future__ import annotations

import errno
import os
import select
import sys
import time
from pathlib import Path
from typing import TextIO

import click
import msgspec

from tui_trainer.cli import completion
from tui_trainer.cli.console import CALM, PlainLines
from tui_trainer.cli.options import found, runs_dir_option
from tui_trainer.events import AnyEvent, MetricsLogged, RunEnded, RunStarted
from tui_trainer.records.errors import RunsError
from tui_trainer.records.history import History
from tui_trainer.records.run_index import runs_folder
from tui_trainer.records.stream_form import StreamForm
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.text.numbers import format_metric
from tui_trainer.text.plain import plain

LOOK_EVERY = 0.1
"""Seconds between looks at a live run."""

NAMED_AT_MOST = 8
"""Numbers in a plain line."""


@click.command()
@click.argument("run", shell_complete=completion.runs)
@click.option("--since", type=click.IntRange(min=0), metavar="N", help="Begin after step N.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line: docs/records-and-api.md.")
@runs_dir_option
def stream(run: str, since: int | None, as_json: bool, runs_dir: Path | None) -> None:
    """Print what happens in RUN as it happens, until it ends; of a run that is over, all that happened.

    Exits with the run's exit code: 0 finished, 3 diverged, 1 crashed, and so on.
    """
    folder = found(runs_folder(runs_dir), run)
    told = _Told(_Json(since) if as_json else _Plain(since))
    source = JournalSource(folder, readonly=True, observer=lambda event: told.take(event, source.history))
    try:
        exit_code = _follow(source)
        told.end(source.history)
        sys.stdout.flush()
    finally:
        source.close()
    sys.exit(exit_code)


def _follow(source: JournalSource) -> int:
    """Follow a run to its end; its exit code.

    Raises:
        RunsError: its record cannot be read.
        BrokenPipeError: nobody reads what is told.
    """
    while True:
        count = source.poll()
        sys.stdout.flush()
        if source.trouble:
            raise RunsError(f"{source.folder / 'events.jsonl'} cannot be read: {source.trouble}.")
        ended = source.history.ended
        if ended is not None and not source.lags:
            return ended.exit_code if 0 <= ended.exit_code <= 255 else 1
        if not count:
            _wait_as_long_as_read(sys.stdout, LOOK_EVERY)


def _wait_as_long_as_read(out: TextIO, seconds: float) -> None:
    """Wait, and notice at once where nobody reads any more: nothing may happen in the run for hours.

    Raises:
        BrokenPipeError: nobody does.
    """
    try:
        poller = select.poll()
        poller.register(out.fileno(), 0)
    except (OSError, ValueError, AttributeError):  # it leads to no file
        time.sleep(seconds)
        return
    if poller.poll(seconds * 1e3):
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class _Told:
    """Has the end of a run told last: what is wrong with a record, and a notice or two, come behind it."""

    def __init__(self, form: _Json | _Plain) -> None:
        self._form = form
        self._ended: RunEnded | None = None

    def take(self, event: AnyEvent, history: History) -> None:
        """Take notice of `event`, which `history` has applied already."""
        if isinstance(event, RunStarted):
            self.end(history)  # it went on after that
        if isinstance(event, RunEnded):
            self._ended = event
        else:
            self._form.tell(event, history)

    def end(self, history: History) -> None:
        """Nothing comes any more."""
        if self._ended is not None:
            self._form.tell(self._ended, history)
            self._ended = None


class _Json:
    """An object a line, in the form of `stream_form`."""

    def __init__(self, since: int | None) -> None:
        self._form = StreamForm(since)
        self._encoder = msgspec.json.Encoder()

    def tell(self, event: AnyEvent, history: History) -> None:
        """Take notice of `event`, which `history` has applied already."""
        if objects := self._form.of(event):
            sys.stdout.write(self._encoder.encode_lines(objects).decode())


class _Plain:
    """The lines of `run`, and numbers that were logged, as calm as they were when they happened."""

    def __init__(self, since: int | None) -> None:
        self._form = StreamForm(since)
        self._at = self._metrics_again = 0.0
        self._lines: PlainLines | None = None

    def tell(self, event: AnyEvent, history: History) -> None:
        """Take notice of `event`, which `history` has applied already."""
        self._at = event.at
        if not self._form.begins(event):
            return
        if self._lines is None:
            self._lines = PlainLines(sys.stdout, clock=lambda: self._at)
        self._lines.tell(event, history)
        if isinstance(event, MetricsLogged) and event.values and event.at >= self._metrics_again:
            self._metrics_again = event.at + CALM
            print(_in_a_line(event))


def _in_a_line(event: MetricsLogged) -> str:
    said = [f"{plain(name)} {format_metric(value)}" for name, value in list(event.values.items())[:NAMED_AT_MOST]]
    more = len(event.values) - len(said)
    return f"step {event.step:,}  {'  '.join(said)}" + (f"  and {more} more" if more else "")
