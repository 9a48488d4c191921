"""Files and folders that their owner alone can read, whatever the umask."""

from __future__ import annotations

import os
import re
import time
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
