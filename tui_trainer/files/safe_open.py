"""How files are opened: those that somebody else may have put there only where they are files, and never waited for;
our own for their owner alone, whatever the umask.

A folder of runs may be shared. What lies in it under a file's name may be a pipe that nobody writes to, a device that
never ends, a link to either, or a file of a terabyte that takes no room.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from pathlib import Path

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class Irregular(OSError):
    """What goes by this name is no file that can be used; `str()` says what it is instead."""


def open_regular(path: Path, flags: int = os.O_RDONLY, *, most: int | None = None) -> int:
    """Open a file that is there; nothing is waited for. Returns the descriptor.

    Args:
        path: the file.
        flags: as for `os.open`.
        most: bytes that it may have; None for any number.

    Raises:
        Irregular: it is something else, or larger.
        OSError: it cannot be opened.
    """
    try:
        fd = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a pipe that nobody reads, a socket, a device without its hardware
            _check(path.stat(follow_symlinks=not flags & os.O_NOFOLLOW), most)
        raise
    try:
        _check(os.fstat(fd), most)
    except BaseException:
        os.close(fd)
        raise
    return fd


def read_regular(path: Path, most: int) -> bytes:
    """All of a file that is there and has at most so many bytes.

    Raises:
        Irregular: it is something else, or larger.
        OSError: it cannot be read.
    """
    fd = open_regular(path, most=most)
    try:
        content = bytearray()
        while len(content) <= most and (piece := os.read(fd, most + 1 - len(content))):
            content += piece
    finally:
        os.close(fd)
    if len(content) > most:
        raise Irregular(f"it is larger than {_size(most)}")
    return bytes(content)


def is_regular(path: Path) -> bool:
    """Whether a file is there, or a link to one.

    Raises:
        OSError: that cannot be told: the folder lets nobody look.
    """
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: no file can have that name
        return False


def _check(status: os.stat_result, most: int | None) -> None:
    if not stat.S_ISREG(status.st_mode):
        what = next((name for is_it, name in _KINDS if is_it(status.st_mode)), "something else")
        raise Irregular(f"it is {what}, not a file")
    if most is not None and status.st_size > most:
        raise Irregular(f"it is larger than {_size(most)}")


def _size(count: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count} {unit}"
        count //= 1024
    return f"{count} GiB"


PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


def make_private_folder(folder: Path) -> None:
    """Make a new folder that only its owner can enter, whatever the umask.

    Raises:
        OSError: it exists already, or cannot be made.
    """
    folder.mkdir(mode=PRIVATE_FOLDER)
    folder.chmod(PRIVATE_FOLDER)


def make_dated_folder(parent: Path, label: str, now: float, otherwise: str) -> Path:
    """Make a private folder, named after the moment and a label: `20260315-120000-steplr-1f3a`.

    Args:
        parent: where to make it.
        label: what it is about, in any characters.
        now: Unix time in seconds.
        otherwise: what to call it where the label has no letter or digit.

    Raises:
        OSError: it cannot be made.
    """
    # In universal time, so that names sort by time wherever and whenever they were made.
    moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    word = re.sub(r"[^a-z0-9]+", "-", label.lower())[:32].strip("-") or otherwise
    while True:
        folder = parent / f"{moment}-{word}-{os.urandom(2).hex()}"
        try:
            make_private_folder(folder)
        except FileExistsError:
            continue
        return folder


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
