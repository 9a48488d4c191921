"""`rename`, `delete` and `prune`: what becomes of records, once their runs are over."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from tui_trainer.cli import completion
from tui_trainer.cli.columns import Column, in_columns, room
from tui_trainer.cli.options import found, range_test, refuse, runs_dir_option, say
from tui_trainer.records import range_tests, run_index
from tui_trainer.records.errors import RunsError
from tui_trainer.records.run_filter import parse
from tui_trainer.records.run_index import find, size_of, summaries
from tui_trainer.records.runs_folder import runs_folder, shell_command
from tui_trainer.records.summary import RANGE_TEST, RunSummary, summarize, told
from tui_trainer.text.captions import say as caption
from tui_trainer.text.numbers import in_bytes
from tui_trainer.text.plain import plain

LIVE = ("running", "paused")
OVER = ("finished", "stopped", "diverged", "crashed")

COLUMNS = (
    Column("run", least=20),
    Column("name", least=8, if_any=True),
    Column("status"),
    Column("epochs", drop=2),
    Column("ended", drop=1),
    Column("size"),
)

_AGES = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_SIZES = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


def _age(context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """Seconds, as `30d` or `12h` has them."""
    if text is None:
        return None
    told = re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", text.strip().lower())
    if told is None:
        raise click.BadParameter(f"{text!r} is no age; write 30d, 12h, 90m or 2w", context, parameter)
    return float(told[1]) * _AGES[told[2]]


def _size(context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """Bytes, as `500MB` or `2G` has them."""
    if text is None:
        return None
    told = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgt])b?", text.strip().lower())
    if told is None:
        raise click.BadParameter(f"{text!r} is no size; write 500MB or 2G", context, parameter)
    return float(told[1]) * _SIZES[told[2]]


yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.command()
@click.argument("run", shell_complete=completion.runs)
@click.argument("name")
@runs_dir_option
def rename(run: str, name: str, runs_dir: Path | None) -> None:
    """Give a run that is over another name; an empty one takes its name away. Its id stays."""
    folder = found(runs_folder(runs_dir), run)
    run_index.rename(folder, name.strip() or None)
    click.echo(f"{folder.name}: {plain(name.strip()) or 'no name'}")


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=completion.runs)
@yes_option
@runs_dir_option
def delete(runs: Sequence[str], yes: bool, runs_dir: Path | None) -> None:
    """Delete records for good, with their checkpoints; a live run stays. A name that several bear means none here.

    An LR range test goes by its id.
    """
    at = runs_folder(runs_dir)
    tested = {run: range_test(at, run) for run in dict.fromkeys(runs)}
    meant = [summarize(folder) for folder in dict.fromkeys(find(at, run) for run in runs if tested[run] is None)]
    meant += [range_tests.summarize(folder) for folder in dict.fromkeys(filter(None, tested.values()))]
    for run in meant:
        if run.status in LIVE:
            refuse(caption("refusal.live_kept", run=run.id, status=run.status, stop=shell_command("stop", run.id, at)))
    _delete(meant, yes=yes)


@click.command()
@click.option("--older-than", callback=_age, metavar="AGE", help="Only those that ended so long ago: 30d, 12h.")
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(OVER), help="Only those that ended so; may be repeated."
)
@click.option("--larger-than", callback=_size, metavar="SIZE", help="Only those that take more: 500MB, 2G.")
@click.option("--filter", "text", default="", metavar="TEXT", help="Only those, as `runs --filter` has it.")
@click.option("--range-tests", "of_tests", is_flag=True, help="LR range tests that are all of that, and no runs.")
@yes_option
@runs_dir_option
def prune(
    older_than: float | None,
    statuses: Sequence[str],
    larger_than: float | None,
    text: str,
    of_tests: bool,
    yes: bool,
    runs_dir: Path | None,
) -> None:
    """Delete the records of runs that are over and all of that; what that frees is shown first. Live runs stay.

    LR range tests stay, but with --range-tests.
    """
    if of_tests and statuses:
        refuse(caption("refusal.tests_have_no_status"))
    if older_than is None and larger_than is None and not statuses and not text:
        refuse(caption("refusal.prune_which"))
    wanted, now = parse(text), time.time()
    meant = [
        run
        for run in _all(runs_folder(runs_dir), of_tests=of_tests)
        if run.status in (statuses or OVER)
        and wanted.passes(run)
        and (older_than is None or _ended(run) <= now - older_than)
        and (larger_than is None or size_of(Path(run.folder)) > larger_than)
    ]
    if not meant:
        click.echo(caption("shell.no_tests_to_prune" if of_tests else "shell.nothing_to_prune"))
        return
    _delete(meant, yes=yes)


def _all(runs: Path, *, of_tests: bool) -> list[RunSummary]:
    """The runs of a folder, or the LR range tests beside them."""

    def warn(trouble: str) -> None:
        say(f"warning: {trouble}")

    if not of_tests:
        return summaries(runs, warn)
    try:
        found = [range_tests.summarize(folder) for folder in range_tests.folders(runs)]
    except RunsError as error:
        refuse(str(error))
    for test in found:
        for flaw in test.flaws:
            warn(flaw)
    return [test for test in found if not test.flaws]


def _delete(meant: Sequence[RunSummary], *, yes: bool) -> None:
    """Show what goes, ask, and delete; what cannot be is told, exit code 1."""
    sizes = [size_of(Path(run.folder)) for run in meant]
    rows = [_cells(run, size) for run, size in zip(meant, sizes, strict=True)]
    for line in in_columns(COLUMNS, rows, room()):
        click.echo(line, err=True)
    total = f"{told(meant)}, {in_bytes(sum(sizes))}"
    if not yes:
        if not os.isatty(0):
            refuse(caption("refusal.nobody_to_ask_of", runs=total))
        click.confirm(f"Delete {total}, for good?", abort=True, err=True)
    freed, deleted = 0, []
    for run, size in zip(meant, sizes, strict=True):
        try:
            run_index.delete(Path(run.folder))
        except RunsError as error:  # it was resumed meanwhile, say
            say(str(error))
        else:
            freed += size
            deleted.append(run)
    click.echo(f"deleted {told(deleted)}, {in_bytes(freed)}")
    if len(deleted) < len(meant):
        sys.exit(1)


def _cells(run: RunSummary, size: int) -> tuple[str, ...]:
    if run.is_range_test:
        return run.id, "", RANGE_TEST, "", _when_ended(run), in_bytes(size)
    done = run.epochs_told or f"step {run.steps_done:,}"
    return run.id, plain(run.name or ""), run.status, done, _when_ended(run), in_bytes(size)


def _when_ended(run: RunSummary) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(_ended(run))) if _ended(run) else "?"


def _ended(run: RunSummary) -> float:
    """When it ended, or when it was last heard of; 0 where nothing is known."""
    return run.ended_at or run.started_at or 0.0
