"""Files that are whole or not there, whatever kills the process that writes them.

Content goes into a draft in the same folder, is seen onto the disk, and takes its place by a rename, which is seen onto
the disk too. What a killed process left of a draft is removed by who writes the file later, or has the folder alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import BinaryIO

from tui_trainer.files.safe_open import PRIVATE_FILE

ABANDONED_S = 3600.0
"""A draft that nobody has written to for so many seconds is nobody's: a download may be waiting for its network."""

DRAWN = 8
"""Hexadecimal digits, drawn at random, that the name of a draft ends with."""


def write_atomic(path: Path, content: bytes, *, private: bool = True) -> None:
    """Write a file so that any reader, and any crash, finds the old one or the new one, never a part.

    Args:
        path: the file; its folder must exist.
        content: all of it.
        private: mode 0600 whatever the umask, else what the umask gives.

    Raises:
        OSError: it cannot be written; the old one stands.
    """
    with atomic_files([path], private=private) as (file,):
        file.write(content)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that was not there, whole or not at all; its mode is what the umask gives.

    Raises:
        FileExistsError: there is one already; it is left as it is.
        OSError: it cannot be written.
    """
    _clear_abandoned(path)
    draft = _draft_of(path)
    with new_file(draft, private=False) as file:
        file.write(content)
    try:
        os.link(draft, path)  # unlike a rename, this never replaces what is there
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def atomic_files(paths: Sequence[Path], *, private: bool) -> Iterator[list[BinaryIO]]:
    """Files to write, one for each of `paths` in one folder, which take their places once all of them are whole.

    Args:
        paths: where they are to stand; the folder must exist.
        private: mode 0600 whatever the umask, else what the umask gives.

    Raises:
        OSError: one cannot be written. What the block raises, and this before the first rename, leaves all as it was.
    """
    for path in paths:
        _clear_abandoned(path)
    drafts = {_draft_of(path): path for path in paths}
    try:
        with ExitStack() as stack:
            yield [stack.enter_context(new_file(draft, private=private)) for draft in drafts]
        for draft, path in drafts.items():
            draft.replace(path)
    except BaseException:
        for draft in drafts:
            _remove(draft)
        raise
    for folder in {path.parent for path in paths}:
        sync_folder(folder)


@contextmanager
def new_file(path: Path, *, private: bool) -> Iterator[BinaryIO]:
    """A file to write, on the disk once the block has ended, and removed if that fails; its folder is not synced.

    Raises:
        FileExistsError: there is one already.
        OSError: it cannot be made or written.
    """
    mode = PRIVATE_FILE if private else 0o666
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(fd, "wb") as file:
            if private:
                os.fchmod(fd, PRIVATE_FILE)
            yield file
            file.flush()
            os.fsync(fd)
    except BaseException:
        _remove(path)
        raise


def clear_drafts(folder: Path) -> None:
    """Remove what processes left that were killed as they wrote any file of a folder.

    Args:
        folder: the folder, in which nobody but the caller writes files by this module.
    """
    _clear(folder, ".*")


def sync_folder(folder: Path) -> None:
    """See that renames in this folder survive a power cut, where the file system can promise it."""
    with suppress(OSError):  # some network file systems refuse this for folders; the renames are done
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.urandom(DRAWN // 2).hex()}")


def _clear_abandoned(path: Path) -> None:
    """Remove what is left of a file's drafts, where others may be writing the file now."""
    _clear(path.parent, f".{escape(path.name)}", older_than_s=ABANDONED_S)


def _clear(folder: Path, names: str, older_than_s: float | None = None) -> None:
    with suppress(OSError):  # whatever keeps this from being done, nobody reads them
        for left in folder.glob(f"{names}.{'[0-9a-f]' * DRAWN}"):
            with suppress(OSError):  # another process does the same
                if older_than_s is None or time.time() - left.stat().st_mtime > older_than_s:
                    left.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    with suppress(OSError):  # where nothing can be written, nothing may be removable either
        path.unlink(missing_ok=True)
