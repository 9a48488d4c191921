"""A database of somebody else's, read so that nothing is left beside it and its writer is not kept waiting."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tui_trainer.foreign_records.followed_file import begins_with

MAGIC = b"SQLite format 3\0"

LONGEST_QUERY_S = 2.0
"""Seconds after which a query is given up: a schema that was made to harm can have one that never ends."""

ROWS_AT_ONCE = 20_000
"""Of a query: a writer waits for no longer than these take."""

MOST_COPIED = 1 << 30
"""Bytes of a database that has to be copied to be read."""


class NotReadable(OSError):
    """The database cannot be read; `str()` says why."""


def is_database(path: Path) -> bool:
    """Whether a file is one of SQLite's."""
    return begins_with(path, len(MAGIC)) == MAGIC


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads.

    A database in WAL mode without its `-wal` is opened as one that nobody writes: SQLite would make files beside it
    otherwise. One with a `-wal` and no `-shm`, as a copy of a folder has it, is copied for the same reason.

    Raises:
        NotReadable: it cannot be.
    """
    with contextlib.ExitStack() as stack:
        mode = "mode=ro"
        if begins_with(path, 20)[18:20] == b"\2\2":  # WAL
            wal, shared = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
            if not wal.exists():
                mode = "mode=ro&immutable=1"
            elif not shared.exists():
                path = _copied(path, wal, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        try:
            where = f"file:{quote(os.fspath(path))}?{mode}"
            connection = sqlite3.connect(where, timeout=0.05, uri=True, isolation_level=None)
            stack.callback(connection.close)
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA query_only = ON")
            until = time.monotonic() + LONGEST_QUERY_S
            connection.set_progress_handler(lambda: time.monotonic() > until, 10_000)
            connection.text_factory = lambda content: content.decode(errors="replace")
            yield connection
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            raise NotReadable(str(error)) from error


def tables_in(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """The columns of each real table: a view may hide a query without end, a virtual table anything."""
    found: dict[str, set[str]] = {}
    for name, said in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall():
        if isinstance(said, str) and not said.lstrip().upper().startswith("CREATE VIRTUAL"):
            columns = connection.execute("SELECT name FROM pragma_table_info(?)", (name,)).fetchall()
            found[str(name)] = {str(column) for (column,) in columns}
    return found


def changed(path: Path) -> tuple[tuple[int, int], ...]:
    """What tells whether something was written: sizes and times of the database and its `-wal`."""
    found = []
    for each in (path, path.with_name(path.name + "-wal")):
        try:
            status = each.stat()
        except OSError:
            continue
        found.append((status.st_size, status.st_mtime_ns))
    return tuple(found)


def _copied(path: Path, wal: Path, folder: Path) -> Path:
    if path.stat().st_size + wal.stat().st_size > MOST_COPIED:
        raise NotReadable("it was not closed, and is too large to be copied")
    shutil.copyfile(wal, folder / f"copy{wal.name.removeprefix(path.name)}")
    shutil.copyfile(path, folder / "copy")
    return folder / "copy"
