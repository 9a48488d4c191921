"""A record on another machine, found there, and where its files are copied to as they grow."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tui_trainer.files.safe_open import PRIVATE_FOLDER
from tui_trainer.foreign_records.checkpoints import is_of_one
from tui_trainer.foreign_records.settings import AS_CODE, BESIDE
from tui_trainer.remote.address import Address
from tui_trainer.remote.connection import Connection
from tui_trainer.remote.following import Followed
from tui_trainer.remote.mirror import Mirror
from tui_trainer.remote.writer_lock import WriterLock
from tui_trainer.run_sources.remote_record import OURS, FarRecord, find_record

LOG_BYTES = 256 << 10
"""Of a log only the end is fetched."""

BESIDE_LISTING = 64 << 10
"""Bytes of the list of names beside a record that is a file: it may lie among very many others."""


class FarCopy(NamedTuple):
    """A record on another machine, and its copy here."""

    address: Address
    """The record's own, whichever was given."""
    record: FarRecord
    path: Path
    """Of the copy: a folder or a file, as the record is."""
    followed: Followed

    def close(self) -> None:
        """Let go of it, where nobody follows it yet."""
        if self.followed.lock is not None:
            self.followed.lock.close()


def copy_of(
    connection: Connection, address: Address, folder: Path, warn: Callable[[str], None], *, named: bool = False
) -> FarCopy:
    """The record that an address means. Nothing is copied yet.

    Args:
        connection: to its machine.
        address: of the run, of a folder that holds some, or of a machine.
        folder: of ours, for this copy alone.
        warn: told where an address means several runs: the one that was written last is meant.
        named: as for `find_record`.

    Raises:
        UserError: no run can be read there, or none of several is named.
        Lost: the connection is.
    """
    glance = folder / "glance"
    glance.mkdir(mode=PRIVATE_FOLDER)
    record = find_record(connection, address, glance, warn, named=named)
    shutil.rmtree(glance)
    name = PurePosixPath(record.path).name or "run"
    here = folder / name
    mirror = _mirror(here, record)
    lock = None if record.tool else WriterLock(here, record.path)
    return FarCopy(address.at(record.path), record, here / name if record.is_file else here, Followed(mirror, lock))


def _mirror(here: Path, record: FarRecord) -> Mirror:
    """Of the files that the readers of a record's form want, and of no others: checkpoints are large."""
    if not record.tool:
        wanted = {*OURS, "log.txt"}
        return Mirror(
            here,
            record.path,
            wanted.__contains__,
            documents="run.json".__eq__,
            deepest=1,
            last_bytes=lambda name: LOG_BYTES if name == "log.txt" else None,
        )
    if record.is_file:
        folder, _, file = record.path.rpartition("/")
        is_document = record.tool == "Hugging Face"
        return Mirror(
            here,
            folder or "/",
            {file, *BESIDE}.__contains__,
            documents=lambda name: name in BESIDE or is_document,
            deepest=2,
            named=_is_named,
            always=record.path,
            listing=BESIDE_LISTING,
        )
    match record.tool:
        case "Hugging Face":
            return Mirror(
                here,
                record.path,
                lambda name: _is_document(name) or _is_events(name) or name in BESIDE,
                documents=lambda name: _is_document(name) or name in BESIDE,
                named=lambda name: _is_named(name) and not _is_document(name),
            )
        case "MLflow":
            return Mirror(here, record.path, _is_mlflow, documents=lambda name: not name.startswith("metrics/"))
        case _:
            return Mirror(
                here,
                record.path,
                lambda name: name in record.tables or _is_tensorboard(name),
                documents=BESIDE.__contains__,
                named=_is_named,
            )


def _is_named(name: str) -> bool:
    return name == AS_CODE or is_of_one(name)


def _is_tensorboard(name: str) -> bool:
    return name in BESIDE or _is_events(name)


def _is_events(name: str) -> bool:
    return "tfevents" in PurePosixPath(name).name


def _is_document(name: str) -> bool:
    return PurePosixPath(name).name == "trainer_state.json"


def _is_mlflow(name: str) -> bool:
    return name == "meta.yaml" or PurePosixPath(name).parts[0] in ("metrics", "params", "tags")
