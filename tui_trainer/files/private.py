"""Private files, and files that are either whole or not there."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from tui_trainer.files.regular import open_regular

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


def make_private_folder(folder: Path) -> None:
    """Make a new folder that only its owner can enter, whatever the umask.

    Raises:
        OSError: it exists already, or cannot be made.
    """
    folder.mkdir(mode=PRIVATE_FOLDER)
    folder.chmod(PRIVATE_FOLDER)


def open_private(path: Path, flags: int) -> int:
    """Open a file, made private if this makes it; links are not followed. Returns the descriptor.

    Raises:
        Irregular: something stands there that is no file.
        OSError: it cannot be opened, or is a link.
    """
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        fd = os.open(path, flags | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    except FileExistsError:
        return open_regular(path, flags)
    os.fchmod(fd, PRIVATE_FILE)
    return fd


def replace_whole(path: Path, content: bytes, *, private: bool = True) -> None:
    """Write a file so that any reader, and any crash, finds the old one or the new one, never a part.

    Args:
        path: the file; its folder must exist.
        content: all of it.
        private: mode 0600 whatever the umask, else what the umask gives.

    Raises:
        OSError: it cannot be written; the old one stands.
    """
    temporary = path.with_name(f"{_drafts(path)}{os.urandom(4).hex()}")
    mode = PRIVATE_FILE if private else 0o666
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        try:
            if private:
                os.fchmod(fd, PRIVATE_FILE)
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(fd, rest) :]
            os.fsync(fd)
        finally:
            os.close(fd)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def clear_drafts(path: Path) -> None:
    """Remove what processes left that were killed as they replaced this file; for the one that alone writes it."""
    with suppress(OSError):  # whatever keeps this from being done, nobody reads them
        for left in path.parent.glob(f"{_drafts(path)}*"):
            left.unlink(missing_ok=True)


def _drafts(path: Path) -> str:
    """What the names of drafts of a file begin with."""
    return f".{path.name}."


def sync_folder(folder: Path) -> None:
    """See that a rename in this folder survives a power cut, where the file system can promise it."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError:
        pass  # some network file systems refuse this for folders; the rename itself is done
    finally:
        os.close(fd)
