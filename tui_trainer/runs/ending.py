"""How a run ended, from the last lines of its journal: a list or a comparison need not read each of its steps."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec

from tui_trainer.events import RunEnded, decode

BLOCK = 64 * 1024
"""Bytes that are read first; the goodbye is among the last few hundred."""

MOST = 16 << 20
"""Bytes that are looked through at most: behind a goodbye of ours comes a notice or two."""

_GOODBYE = b'{"type":"RunEnded"'
_GOES_ON = (b'{"type":"RunStarted"', b'{"type":"StepsTaken"', b'{"type":"EpochEnded"')
"""What a run that has ended does no more."""


def ending(folder: Path) -> RunEnded | None:
    """The goodbye of the run whose record lies in `folder`; None of one that goes on, or has said none.

    Raises:
        OSError: its journal is there and cannot be read.
    """
    try:
        fd = os.open(folder / "events.jsonl", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    try:
        status = os.fstat(fd)
        return _last_word(fd, status.st_size) if stat.S_ISREG(status.st_mode) else None
    finally:
        os.close(fd)


def _last_word(fd: int, size: int) -> RunEnded | None:
    length = BLOCK
    while True:
        begin = max(0, size - length)
        lines = os.pread(fd, size - begin, begin).split(b"\n")
        whole = lines[0 if begin == 0 else 1 : -1]  # without the part of a line at either end
        for line in reversed(whole):
            if line.startswith(_GOES_ON):
                return None
            if line.startswith(_GOODBYE) and (goodbye := _decoded(line)) is not None:
                return goodbye
        if begin == 0 or length >= MOST:
            return None
        length *= 4


def _decoded(line: bytes) -> RunEnded | None:
    try:
        event = decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None  # damaged: the history of the run passes over it too
    return event if isinstance(event, RunEnded) else None
