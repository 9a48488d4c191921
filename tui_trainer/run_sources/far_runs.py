"""Runs of ours on other machines in a list: as this program lists them there, or from copies of their records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from msgspec.structs import replace

from tui_trainer.records.summary import RunSummary, summarize
from tui_trainer.remote.address import Address
from tui_trainer.remote.connection import Connection
from tui_trainer.remote.copies import Copies
from tui_trainer.remote.mirror import Mirror
from tui_trainer.remote.writer_lock import WriterLock
from tui_trainer.run_sources.remote_record import FarRecord, path_of, runs_of
from tui_trainer.text.captions import say

MOST_OF_A_JOURNAL = 8 << 20
"""Bytes of the journal of one run that a list fetches."""

MOST_OF_A_LIST = 256 << 20
"""Bytes that a list fetches of one machine, the newest runs first."""

LARGEST_ANSWER = 64 << 20
"""Bytes of a list that this program makes on the far side."""


def runs_on(
    address: Address, *, asks: Callable[[str], None] | None, gives_up: Callable[[], bool] = lambda: False
) -> list[RunSummary]:
    """The runs of ours in a folder of another machine, in no order; each with its address as its folder.

    Args:
        address: of the folder, or of the machine.
        asks: as for `Connection`: None where nobody can be asked for a password.
        gives_up: as for `Connection`.

    Raises:
        Lost: the connection cannot be made, or is lost.
        UserError: there is no `ssh` here.
    """
    copies = Copies()
    try:
        connection = Connection(address, asks=asks, gives_up=gives_up)
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
