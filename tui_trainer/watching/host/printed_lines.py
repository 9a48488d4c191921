"""The lines that a watched command prints, each with the moment at which it came: numbers in them are of the step that
was made last by then."""

from __future__ import annotations

import time
from collections.abc import Callable

from tui_trainer.records.tail import as_text
from tui_trainer.watching.host.output_log import LONGEST_LINE, Allowance

LONGEST_TOLD = 1000
"""Characters of a line that are told: as UTF-8 they are written to a pipe whole, or not at all."""


class PrintedLines:
    """Of one stream: takes bytes as they come, and tells each line as it is whole.

    Args:
        told: given the moment and the line.
        clock: seconds of `time.perf_counter()`, which all processes of a machine share.
    """

    def __init__(self, told: Callable[[float, str], object], clock: Callable[[], float] = time.perf_counter) -> None:
        self._told, self._clock = told, clock
        self._rest = b""
        self._allowance = Allowance(clock)

    def take(self, data: bytes) -> None:
        """Something was printed. Of what comes faster than can be looked at, lines are left out."""
        now = self._clock()
        if len(data) > self._allowance.left:
            self._rest = b""
            return
        self._allowance.use(len(data))
        *whole, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-LONGEST_LINE:]
        for line in whole:
            if shown := as_text(line.decode("utf-8", "replace")):
                self._told(now, shown[:LONGEST_TOLD])
