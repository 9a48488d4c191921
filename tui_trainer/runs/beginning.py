"""How a run began, from the first lines of its journal: who asks something of it need not read each of its steps."""

from __future__ import annotations

import os
from pathlib import Path

from tui_trainer.events import RunStarted
from tui_trainer.regular import open_regular
from tui_trainer.runs.seal import unsealed

BLOCK = 64 * 1024
"""Bytes that are looked through at most; the first line of ours has a few hundred."""


def beginning(folder: Path) -> RunStarted | None:
    """What the first process that wrote the record in `folder` said of it.

    None where nothing is known of it: there is no journal, or its first lines are damaged or cannot be read.
    """
    try:
        fd = open_regular(folder / "events.jsonl")
        try:
            *whole, _ = os.pread(fd, BLOCK, 0).split(b"\n")
        finally:
            os.close(fd)
    except OSError:
        return None
    told = (opened.event for line in whole if (opened := unsealed(line)) is not None)
    return next((event for event in told if isinstance(event, RunStarted)), None)
