"""Addresses of other machines that a person gives to commands: a run to attach to, folders of runs to list."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click
import msgspec
from msgspec.structs import replace

from tui_trainer.cli.options import refuse
from tui_trainer.cli.options import say as say_aside
from tui_trainer.errors import UserError
from tui_trainer.records.summary import RunSummary, summarize
from tui_trainer.remote.address import Address, BadAddress
from tui_trainer.remote.connection import Connection, Lost
from tui_trainer.remote.copies import Copies
from tui_trainer.remote.mirror import Mirror
from tui_trainer.remote.writer_lock import WriterLock
from tui_trainer.run_sources.remote_record import FarRecord, path_of, runs_of
from tui_trainer.text.captions import say
from tui_trainer.text.plain import in_ascii, plain, shows_unicode

if TYPE_CHECKING:
    from tui_trainer.records.history import History
    from tui_trainer.run_sources.remote_source import RemoteSource

MOST_OF_A_JOURNAL = 8 << 20
"""Bytes of the journal of one run that a list fetches."""

MOST_OF_A_LIST = 256 << 20
"""Bytes that a list fetches of one machine, the newest runs first."""

LARGEST_ANSWER = 64 << 20
"""Bytes of a list that this program makes on the far side."""


def far_run(given: str, warn: Callable[[str], None], *, readonly: bool) -> RemoteSource:
    """The run that an address means. Where it cannot be had, say why and end the program: exit 2, or 1 for the line.

    Args:
        given: `ssh://host/path`.
        warn: told where it means several.
        readonly: take no commands.
    """
    from tui_trainer.run_sources.remote_source import RemoteSource

    try:
        return RemoteSource(Address.of(given), readonly=readonly, asks=say_aside, warn=warn)
    except UserError as error:
        refuse(str(error))
    except Lost as error:
        refuse(str(error), exit_code=1)


def say_farewell(address: Address, history: History) -> None:
    """How the run on show ended, if it has, and how one sees it again."""
    if history.ended is None:
        return
    from tui_trainer.ui.live.status_lines import ending

    for line in (
        f"{plain(PurePosixPath(address.path).name)}: {ending(history)}",
        f"{say('exit.again')}: {shlex.join(['tui-trainer', 'attach', plain(str(address))])}",
    ):
        click.echo(line if shows_unicode() else in_ascii(line))


def far_runs(given: Sequence[str], warn: Callable[[str], None]) -> tuple[list[RunSummary], bool]:
    """The runs of ours on other machines, in no order, and whether each machine was reached.

    Args:
        given: addresses of folders of runs, or of machines.
        warn: told what of them cannot be read.
    """
    try:
        addresses = [Address.of(each) for each in given]
    except BadAddress as error:
        refuse(str(error))
    found: list[RunSummary] = []
    reached = True
    for address in addresses:
        try:
            found += _runs_at(address)
        except UserError as error:
            refuse(str(error))
        except Lost as error:
            warn(f"{plain(address.place)}: {error}")
            reached = False
    return found, reached


def _runs_at(address: Address) -> list[RunSummary]:
    copies = Copies()
    try:
        connection = Connection(address, asks=say_aside)
        try:
            folder = path_of(connection, address)
            found = _listed_there(connection, folder if address.path else "")
            if found is None:
                records = sorted(runs_of(connection, folder), key=lambda record: -record.written_at)
                found = _summaries(connection, records, copies.folder)
            return [replace(run, folder=str(address.at(run.folder))) for run in found]
        finally:
            connection.close()
    finally:
        copies.remove()


def _listed_there(connection: Connection, folder: str) -> list[RunSummary] | None:
    """The list that this program makes on the far side, of what it lists there by itself where no folder is given; None
    where it is not there, or another version's."""
    if not connection.program:
        return None
    command = (connection.program, "runs", "--json", *([folder] if folder else []))
    said = connection.ask("y", LARGEST_ANSWER, *command, most=LARGEST_ANSWER).content
    listed, _, status = said.rpartition(b"\n")
    if status != b"0":
        return None
    try:
        found: list[dict[str, Any]] = msgspec.json.decode(listed, type=list[dict[str, Any]])
        for run in found:
            metrics = msgspec.convert(run.get("metrics", {}), dict[str, float | int | str])
            run["metrics"] = {name: _number(value) for name, value in metrics.items()}
        return msgspec.convert(found, list[RunSummary])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _number(told: float | int | str) -> float | int:
    return float(told) if isinstance(told, str) else told  # JSON has only words for nan and infinities


def _summaries(connection: Connection, records: Sequence[FarRecord], work: Path) -> list[RunSummary]:
    """What the copies of records tell."""
    found, left = [], MOST_OF_A_LIST
    for record in records:
        is_small = record.size <= min(MOST_OF_A_JOURNAL, left)
        wanted = {"run.json", "events.jsonl"} if is_small else {"run.json"}
        here = work / (PurePosixPath(record.path).name or "run")
        mirror = Mirror(here, record.path, wanted.__contains__, documents="run.json".__eq__, deepest=1)
        lock = WriterLock(here, record.path)
        try:
            live = lock.ask(connection)
            mirror.look(connection)
            while mirror.lags:
                mirror.look(connection)
            lock.tell(*live)
            summary = summarize(here)
        finally:
            lock.close()
        if is_small:
            left -= record.size
        else:
            flaw = say("remote.journal_not_read", size=f"{record.size / 1e6:,.0f} MB")
            summary = replace(summary, reason=flaw, flaws=[*summary.flaws, flaw])
        found.append(replace(summary, folder=record.path))
    return found
