"""Whether a run of ours lives, on another machine: its copy here is locked for as long as the record there is.

So all that asks of a record whether somebody writes it gets the right answer from its copy.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from tui_trainer.files.safe_open import PRIVATE_FILE
from tui_trainer.remote.connection import Connection

FRESH_S = 60.0
"""Where nothing tells whether the writer lives: a record that has changed within this time is taken to be live."""


class WriterLock:
    """Held from the start, for nothing is known then; let go of once the far side says that nobody writes there."""

    def __init__(self, folder: Path, there: str) -> None:
        """Lock the copy of a record.

        Args:
            folder: the copy's.
            there: the record's, on its own machine.
        """
        self._path = folder / "lock"
        self._there = f"{there.rstrip('/')}/lock"
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
        self._changed_at = time.monotonic()
        self._take()

    def ask(self, connection: Connection) -> tuple[bool, bytes]:
        """Whether somebody writes the record, and what its lock says. To be asked before the record is read.

        Raises:
            Lost: the connection is.
        """
        said, _, words = connection.ask("w", self._there, most=65536).content.partition(b"\n")
        if said == b"unknown":
            return time.monotonic() - self._changed_at < FRESH_S, words
        return said != b"free", words

    def changed(self) -> None:
        """The record did, just now."""
        self._changed_at = time.monotonic()

    def tell(self, is_live: bool, words: bytes) -> None:
        """Have the copy say the same, once all that was written there is here."""
        if is_live:
            self._take()
            return
        if words.lstrip().startswith(b"{"):  # the goodbye of a run whose journal had no room; else who held it there
            os.pwrite(self._fd, words, 0)
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._fd)

    def _take(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # a reader looks at this moment, or there are no locks here: at the next look, then
            return
