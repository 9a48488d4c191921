"""How a run ended, from the last lines of its journal: a list or a comparison need not read each of its steps."""

from __future__ import annotations

import os
from pathlib import Path

from tui_trainer.events import RunEnded
from tui_trainer.regular import open_regular
from tui_trainer.runs.errors import RunUnreadable
from tui_trainer.runs.lock import words_in
from tui_trainer.runs.seal import unsealed

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
        RunUnreadable: something stands there that cannot be read.
    """
    journal = folder / "events.jsonl"
    try:
        fd = open_regular(journal)
        try:
            return _last_word(fd, os.fstat(fd).st_size) or last_words(folder)
        finally:
            os.close(fd)
    except FileNotFoundError:
        return None
    except OSError as cause:
        raise RunUnreadable(journal, cause) from cause


def last_words(folder: Path) -> RunEnded | None:
    """The goodbye of a run whose journal had no room for it; None of one that goes on, or has said none there."""
    return _decoded(words_in(folder).strip())


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
    opened = unsealed(line)  # what is damaged the history of the run passes over too
    return opened.event if opened is not None and isinstance(opened.event, RunEnded) else None
