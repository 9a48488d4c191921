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
from tui_trainer.cli.foreign import foreign_record, keep_choices, refuse_rules_for_ours, rules_of, series_options
from tui_trainer.cli.options import alert_option, found, runs_dir_option, say
from tui_trainer.events import AnyEvent, MetricColumns, MetricsLogged, RunEnded, RunStarted
from tui_trainer.records.errors import RunsError
from tui_trainer.records.history import History
from tui_trainer.records.runs_folder import runs_folder
from tui_trainer.records.stream_form import StreamForm
from tui_trainer.run_sources.foreign_source import ForeignSource
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
@alert_option
@series_options
@runs_dir_option
def stream(
    run: str,
    since: int | None,
    as_json: bool,
    alerts: tuple[str, ...],
    objective: str | None,
    renames: dict[str, str],
    runs_dir: Path | None,
) -> None:
    """Print what happens in RUN as it happens, until it ends; of a run that is over, all that happened.

    RUN is an id, a name, or the path of what another tool records: that is followed until the tool says that it is
    over, or ctrl+c. Exits with the run's exit code: 0 finished, 3 diverged, 1 crashed, and so on.
    """
    record = foreign_record(runs_folder(runs_dir), run, say)
    keep_choices(record, objective, renames)
    told = _Told(_Json(since) if as_json else _Plain(since))
    source: JournalSource | ForeignSource

    def take(event: AnyEvent) -> None:
        told.take(event, source.history)

    if record is not None:
        source = ForeignSource(record.kind, record.path, rules=rules_of(alerts), observer=take)
    else:
        refuse_rules_for_ours(alerts)
        source = JournalSource(found(runs_folder(runs_dir), run), readonly=True, observer=take)
    try:
        exit_code = _follow(source)
        told.end(source.history)
        sys.stdout.flush()
    finally:
        source.close()
    sys.exit(exit_code)


def _follow(source: JournalSource | ForeignSource) -> int:
    """Follow a run to its end; its exit code.

    Raises:
        RunsError: its record cannot be read.
        BrokenPipeError: nobody reads what is told.
    """
    while True:
        count = source.poll()
        sys.stdout.flush()
        if source.trouble:
            raise RunsError(f"{source.file} cannot be read: {source.trouble}.")
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
        if isinstance(event, MetricsLogged | MetricColumns) and event.values and event.at >= self._metrics_again:
            self._metrics_again = event.at + CALM
            print(_in_a_line(event))


def _in_a_line(event: MetricsLogged | MetricColumns) -> str:
    """The numbers, of columns the last ones."""
    if isinstance(event, MetricColumns):
        step, last = event.steps[-1], {name: values[-1] for name, values in event.values.items()}
    else:
        step, last = event.step, event.values
    said = [f"{plain(name)} {format_metric(value)}" for name, value in list(last.items())[:NAMED_AT_MOST]]
    more = len(last) - len(said)
    return f"step {step:,}  {'  '.join(said)}" + (f"  and {more} more" if more else "")
