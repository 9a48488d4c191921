"""`runs` and `export`: what was recorded."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec.structs import replace

from tui_trainer.cli import completion
from tui_trainer.cli.columns import Column, in_columns, room
from tui_trainer.cli.foreign import foreign_record, keep_choices, series_options
from tui_trainer.cli.options import GivenPath, GivenPlace, found, range_test, refuse, runs_dir_option, say
from tui_trainer.lr_suggestions import DEFAULT_RULE, DIGITS
from tui_trainer.records import range_tests
from tui_trainer.records.errors import ExportCutShort, ExportFailed, RunsError
from tui_trainer.records.run_filter import FilterError, parse
from tui_trainer.records.run_index import none_there, summaries
from tui_trainer.records.runs_folder import runs_folder
from tui_trainer.records.summary import RANGE_TEST, RunSummary, told
from tui_trainer.remote.address import Address, is_address
from tui_trainer.text.captions import say as caption
from tui_trainer.text.numbers import format_lr, format_metric, in_json, listed, since
from tui_trainer.text.plain import plain

COLUMNS = (
    Column("when", drop=2),
    Column("host", least=8, if_any=True),
    Column("run", least=20),
    Column("name", least=8, if_any=True),
    Column("preset", drop=3),
    Column("data", drop=1),
    Column("status"),
    Column("epochs"),
    Column("best"),
)


@click.command()
@click.argument("places", nargs=-1, type=GivenPlace(absolute=True), metavar="[PATH|ssh://HOST[/PATH]]...")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
@click.option("--filter", "text", default="", metavar="TEXT", help="List only those: 'lr>=1e-3 and status:running'.")
@click.option(
    "--add-root",
    "added",
    multiple=True,
    type=GivenPlace(what="folder", absolute=True),
    help="From now on list what lies below this folder, or at this ssh://HOST[/PATH], here and on the screen; may be "
    "repeated.",
)
@click.option(
    "--drop-root",
    "dropped",
    multiple=True,
    type=GivenPlace(absolute=True),
    help="No longer list what lies there.",
)
@runs_dir_option
def runs(
    places: tuple[Path | str, ...],
    as_json: bool,
    text: str,
    added: tuple[Path | str, ...],
    dropped: tuple[Path | str, ...],
    runs_dir: Path | None,
) -> None:
    """List runs, newest first: yours, and what lies below the folders of --add-root; with PATHs what lies there alone.

    LR range tests stand among them, each with what it suggests; --json has runs alone: `find-lr --list --json` has
    those.

    At a path lie records of tui-trainer's or of other tools, as `attach` shows them. ssh://HOST lists the runs of
    tui-trainer's on another machine, without range tests, ssh://HOST/PATH those in a folder there; several go into one
    list.

    --filter takes words to look for, comparisons (< <= > >= = !=), NAME:VALUE with * and ?, `and`, `or`, `not` and
    parentheses. Names are those of --json, of a preset's arguments (lr, momentum) and of metrics.
    """
    wanted = parse(text)
    _keep_roots(added, dropped)
    unread: list[str] = []
    folder = runs_folder(runs_dir)
    there, all_reached = _at(places, unread) if places else _of_user(folder, unread)
    if not as_json:
        beside = [place for place in places if isinstance(place, Path)] if places else [folder]
        there = _newest_first([*there, *_range_tests(beside, unread)])
    for unknown in wanted.unknown_in(there):
        if unknown.near:
            raise FilterError(unknown.at, unknown.in_words)
        say(f"warning: filter, at {unknown.at}: {unknown.in_words}")
    passed = [run for run in there if wanted.passes(run)]
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode([_for_json(run) for run in passed]), indent=2))
    elif not passed and not unread:
        if there:
            say(caption("shell.none_pass", runs=told(there)))
        elif places:
            say(caption("shell.none_at", paths=listed([plain(str(place)) for place in places])))
        else:
            say(none_there(folder, unread))
    elif passed:
        for row in in_columns(COLUMNS, [_cells(run) for run in passed], room()):
            click.echo(row)
    for trouble in (*unread, *(f"{run.id}: {flaw}" for run in passed for flaw in run.flaws)):
        say(f"warning: {trouble}")
    if not all_reached:
        sys.exit(1)


def _keep_roots(added: tuple[Path | str, ...], dropped: tuple[Path | str, ...]) -> None:
    if not added and not dropped:
        return
    if missing := [path for path in added if isinstance(path, Path) and not path.is_dir()]:
        refuse(caption("shell.no_root", path=plain(str(missing[0]))))
    for address in added:
        if isinstance(address, str):
            Address.of(address)
    from tui_trainer.run_sources.remembered import remember

    new, old = map(str, added), set(map(str, dropped))
    try:
        remember(
            lambda before: replace(
                before, roots=[root for root in dict.fromkeys([*before.roots, *new]) if root not in old]
            )
        )
    except RunsError as error:
        refuse(str(error))


def _of_user(folder: Path, unread: list[str]) -> tuple[list[RunSummary], bool]:
    """The runs of a folder and below the roots that are remembered, and whether all machines of those were reached."""
    from tui_trainer.run_sources.remembered import addresses_remembered, folders_remembered

    try:
        there = summaries(folder, unread.append)
    except PermissionError as error:
        refuse(caption("refusal.folder_unread", path=folder, why=error.strerror))
    if folder.exists() and not folder.is_dir():
        refuse(caption("refusal.no_folder", path=folder))
    if roots := folders_remembered():
        from tui_trainer.run_sources.run_list import summaries_at

        found = {run.folder: run for run in [*there, *summaries_at(roots)]}
        there = _newest_first(found.values())
    if not (addresses := addresses_remembered()):
        return there, True
    from tui_trainer.cli.remote import far_runs

    far, all_reached = far_runs(addresses, unread.append)
    return _newest_first([*there, *far]), all_reached


def _at(places: Sequence[Path | str], unread: list[str]) -> tuple[list[RunSummary], bool]:
    """The runs at paths and addresses, and whether all machines of those were reached."""
    found: list[RunSummary] = []
    if paths := [place for place in places if isinstance(place, Path)]:
        from tui_trainer.run_sources.run_list import summaries_at

        found += summaries_at(paths)
    if not (addresses := [place for place in places if isinstance(place, str)]):
        return found, True
    from tui_trainer.cli.remote import far_runs

    far, all_reached = far_runs(addresses, unread.append)
    return _newest_first([*found, *far]), all_reached


def _range_tests(folders: Sequence[Path], unread: list[str]) -> list[RunSummary]:
    """The LR range tests beside the runs of folders."""
    from tui_trainer.run_sources.run_list import range_tests_beside

    found: list[RunSummary] = []
    for folder in folders:
        try:
            found += [test.summarize() for test in range_tests_beside(folder)]
        except RunsError as error:
            unread.append(str(error))
    return found


def _newest_first(found: Iterable[RunSummary]) -> list[RunSummary]:
    return sorted(found, key=lambda run: (run.started_at or 0.0, run.id), reverse=True)


@click.command()
@click.argument("run", shell_complete=completion.runs)
@click.option("--out", required=True, type=GivenPath(what="folder"), help="Where to write.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl", "parquet", "tensorboard"]),
    default="csv",
    show_default=True,
    help="csv: five tables in DIR. jsonl: DIR/run.jsonl, an object a line, as stream --json prints them. "
    "parquet: DIR/metrics.parquet, every number of every series; needs tui-trainer[parquet]. "
    "tensorboard: an event file in DIR/ID; needs tui-trainer[tensorboard].",
)
@series_options
@runs_dir_option
def export(
    run: str, out: Path, form: str, objective: str | None, renames: dict[str, str], runs_dir: Path | None
) -> None:
    """Export the record of RUN to files that other tools read.

    RUN is an id, a name, or the path of what another tool has recorded: of that csv has one table, metrics.csv. Of an
    LR range test, by its id, csv has one table, range_test.csv.
    If parts of the record cannot be read, the rest is exported, what is missing is reported, and the exit code is 1.
    """
    if (tested := range_test(runs_folder(runs_dir), run)) is not None:
        _export_range_test(tested, out, form)
        return
    from tui_trainer.records.export import export_csv, export_jsonl, export_tensorboard
    from tui_trainer.records.export_parquet import export_parquet

    warnings: list[str] = []
    try:
        write = {
            "csv": export_csv,
            "jsonl": export_jsonl,
            "parquet": export_parquet,
            "tensorboard": export_tensorboard,
        }[form]
        record = foreign_record(runs_folder(runs_dir), run, say)
        keep_choices(record, objective, renames)
        if record is None:
            written = write(found(runs_folder(runs_dir), run), out, warnings.append)
        else:
            from tui_trainer.run_sources.foreign_export import ForeignRecorded

            recorded = ForeignRecorded(record)
            for note in recorded.notes:
                say(caption("foreign.noted", what=note))
            written = write(recorded, out, warnings.append)
    except ExportCutShort as error:
        refuse(str(error), exit_code=1)
    except RunsError as error:
        refuse(str(error))
    for path in written:
        click.echo(path)
    for warning in warnings:
        say(f"warning: {warning}")
    if warnings:
        sys.exit(1)


def _export_range_test(folder: Path, out: Path, form: str) -> None:
    try:
        if form != "csv":
            raise ExportFailed(f"{folder.name} is an LR range test, which is exported as csv alone")
        click.echo(range_tests.export(range_tests.read(folder), out))
    except RunsError as error:
        refuse(str(error))


def _for_json(run: RunSummary) -> dict[str, Any]:
    """With words for numbers that JSON has none for, where they were logged."""
    told: dict[str, Any] = msgspec.to_builtins(run)
    return told | {"metrics": {name: in_json(value) for name, value in run.metrics.items()}}


def _cells(run: RunSummary) -> tuple[str, ...]:
    if run.is_range_test:
        return _cells_of_range_test(run)
    if run.tool is not None:
        return _cells_of_other(run)
    return (
        _when(run.started_at),
        _host(run),
        run.id,
        plain(run.name or ""),
        run.trains,
        plain(run.dataset or "?"),
        run.status
        if run.cut_off_at_step is None
        else caption("runs.cut_off", status=run.status, step=run.cut_off_at_step),
        run.epochs_told or f"step {run.steps_done:,}",
        f"{run.best_val_accuracy:.4f}" if run.best_val_accuracy is not None else _judged(run),
    )


def _cells_of_other(run: RunSummary) -> tuple[str, ...]:
    """Its path is that by which other commands find it, as short as it is from here."""
    status: str = run.status
    if status == "unknown" and run.written_at is not None:
        status = caption("foreign.written", ago=since(time.time() - run.written_at))
    return (
        _when(run.started_at),
        _host(run),
        plain(_place(run.folder)),
        plain(run.name or ""),
        run.trains,
        "",
        status,
        run.epochs_told or f"step {run.steps_done:,}",
        _judged(run),
    )


def _judged(run: RunSummary) -> str:
    """The best of what it is judged by, with its name."""
    best = run.objective
    return "" if best is None or best.best is None else f"{format_metric(best.best)} {plain(best.name)}"


def _cells_of_range_test(run: RunSummary) -> tuple[str, ...]:
    lr = run.metrics.get(DEFAULT_RULE)
    best = caption("find_lr.no_lr") if lr is None else f"lr {format_lr(lr, DIGITS)}"
    what = (run.id, "", plain(run.preset or "?"), plain(run.dataset or "?"))
    return _when(run.started_at), "", *what, RANGE_TEST, "", best


def _place(folder: str) -> str:
    if is_address(folder):
        return Address.of(folder).path
    path = Path(folder)
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _host(run: RunSummary) -> str:
    """The machine that a run is on; empty of this one."""
    return plain(Address.of(run.folder).place) if is_address(run.folder) else ""


def _when(moment: float | None) -> str:
    return "?" if moment is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))
