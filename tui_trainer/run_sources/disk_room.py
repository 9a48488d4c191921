"""How much room is left on the disk that a run is recorded on, and from when on that is too little to be silent of."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from tui_trainer.text.captions import say
from tui_trainer.text.numbers import in_bytes

LEAST = 500_000_000
LEAST_SHARE = 0.05
"""Bytes, or of a small disk its share, that are low whatever is written."""

CHECKPOINTS = 3
"""The room for so many of the largest one is low, too: the next is written whole before an older one goes."""

ENOUGH = 1.5
"""Of what is low: from here on it is over, so that nothing is told back and forth."""

Told: TypeAlias = tuple[str, str, str]
"""Kind and text of what is to be told, and the kind of what is over by it."""


class DiskRoom:
    """Says once that a disk runs low, and once that it does no more."""

    def __init__(self) -> None:
        self._is_low = False

    def look(self, folder: Path) -> Told | None:
        """What is to be told of the disk that this record lies on, if anything. May wait for a file system."""
        try:
            disk = shutil.disk_usage(folder)
        except OSError:  # whatever became of it, it is no matter of room
            return None
        return self.take(disk.free, disk.total, _largest(folder / "checkpoints"))

    def take(self, free: int, total: int, checkpoint: int = 0) -> Told | None:
        """The same, of these figures.

        Args:
            free: bytes that are left.
            total: bytes that the disk has.
            checkpoint: bytes of the largest checkpoint so far; 0 before there is one.
        """
        low = max(min(LEAST, LEAST_SHARE * total), CHECKPOINTS * checkpoint)
        if not self._is_low and free < low:
            self._is_low = True
            left = in_bytes(free)
            if checkpoint:
                reason = say("health.low_disk_checkpoints", free=left, size=in_bytes(checkpoint))
            else:
                reason = say("health.low_disk", free=left)
            return "low-disk", f"low disk: {reason}", ""
        if self._is_low and free >= ENOUGH * low:
            self._is_low = False
            figure = say("health.disk_left", free=in_bytes(free))
            return "recovered", say("health.over", word="low disk", figure=figure), "low-disk"
        return None


def _largest(folder: Path) -> int:
    """Bytes of the largest file of a folder; 0 where there is none."""
    largest = 0
    with suppress(OSError), os.scandir(folder) as there:
        for file in there:
            with suppress(OSError):  # gone meanwhile
                largest = max(largest, file.stat(follow_symlinks=False).st_size)
    return largest
