"""How the record of a watched command begins: what has to be there before the command is. Quick: no NumPy is loaded."""

from __future__ import annotations

import contextlib
import os
import socket
import time

import msgspec

from tui_trainer.events import SCHEMA, ProgramWatched, RunStarted
from tui_trainer.files.safe_open import make_private_folder, open_private
from tui_trainer.records.record import Record
from tui_trainer.text.secrets import blanked
from tui_trainer.watching.host.request import WatchRequest

TRACES = "traces"
"""The folder of traces, in the run's."""


def begin_record(request: WatchRequest, *, group: str = "", number: int = 1) -> Record:
    """Begin the record of a training.

    Args:
        request: the command that trains.
        group: the id of the command's first run, where this is another one.
        number: the how manieth of the command's runs this is.

    Raises:
        RunsFolderUnwritable: no record can be made.
    """
    asked = request.asked
    if group:
        asked["name"] = f"{request.name} {number}" if request.name else None
        asked["group"] = group
    record = Record.create(request.runs, asked, request.typed or request.command, label=request.label)
    started = RunStarted(at=time.time(), run=record.id, schema=SCHEMA, pid=os.getpid(), host=socket.gethostname())
    record.emit(started)
    record.emit(program_of(request, 0))
    return record


def program_of(request: WatchRequest, pid: int) -> ProgramWatched:
    """The command, as a record tells it; `pid` of the process that trains."""
    command = [word[:1000] for word in blanked(request.command)[:1000]]
    return ProgramWatched(at=time.time(), command=command, cwd=str(request.cwd)[:1000], pid=pid)


def make_traces(record: Record, request: WatchRequest) -> None:
    """Make the folder that the command's processes write to, with what they read as they begin: `trace.Options`.

    Raises:
        OSError: it cannot be made.
    """
    folder = record.folder / TRACES
    make_private_folder(folder)
    options = {name: getattr(request, name) for name in ("calls", "control", "rehearse", "epochs", "steps")}
    fd = open_private(folder / "options.json", os.O_WRONLY)
    os.write(fd, msgspec.json.encode(options))
    os.close(fd)


def print_into_log(record: Record) -> None:
    """Have what this process complains of, should it fail, go into the record's log."""
    with contextlib.suppress(OSError):
        log = open_private(record.folder / "log.txt", os.O_WRONLY | os.O_APPEND)
        os.dup2(log, 2)
        os.close(log)
