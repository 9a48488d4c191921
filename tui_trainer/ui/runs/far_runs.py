"""Runs on other machines in the list of runs: looked for now and then beside the screen, and kept while one is not
reached."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from tui_trainer.errors import UserError
from tui_trainer.records.summary import RunSummary
from tui_trainer.remote.address import Address, BadAddress, is_address
from tui_trainer.run_sources.remembered import addresses_remembered
from tui_trainer.text.plain import plain

LOOK_EVERY_S = 30.0
"""Seconds from the end of one look to the next: each is a connection of its own."""


class FarSeen(NamedTuple):
    """What came of a look."""

    runs: Sequence[RunSummary]
    trouble: str
    """Which machine could not be reached, and why; empty where each was."""


class FarRuns:
    """Those at the addresses that are remembered."""

    def __init__(self) -> None:
        self.runs: Sequence[RunSummary] = ()
        """As they were when each machine was reached last."""
        self._known: dict[str, list[RunSummary]] = {}
        """By address. Only who looks touches it."""
        self._left = threading.Event()
        self._looks = False
        self._next_look = 0.0

    def begin_look(self) -> bool:
        """Whether it is time to look, and nobody does so yet; who is told so does."""
        if self._looks or time.monotonic() < self._next_look:
            return False
        self._looks = True
        return True

    def look(self) -> FarSeen:
        """See what there is. Not in the screen's thread."""
        addresses, trouble = addresses_remembered(), ""
        if not addresses:
            return FarSeen((), "")
        from tui_trainer.remote.connection import Lost
        from tui_trainer.run_sources.far_runs import runs_on

        for given in addresses:
            try:
                self._known[given] = runs_on(Address.of(given), asks=None, gives_up=self._left.is_set)
            except (Lost, UserError, OSError) as error:
                trouble = f"{plain(given)}: {plain(str(error))}"
            if self._left.is_set():
                break
        runs = {run.folder: run for given in addresses for run in self._known.get(given, ())}
        return FarSeen([*runs.values()], trouble)

    def looked(self, seen: FarSeen | None) -> bool:
        """A look is over, with what came of it, or without; whether there are others than before."""
        self._looks = False
        self._next_look = time.monotonic() + LOOK_EVERY_S
        if seen is None or list(seen.runs) == list(self.runs):
            return False
        self.runs = seen.runs
        return True

    def leave(self) -> None:
        """Nobody waits for a look any more."""
        self._left.set()


def is_far(run: RunSummary) -> bool:
    """Whether a run of the list is on another machine."""
    return is_address(run.folder)


def place_of(run: RunSummary) -> str:
    """Its machine, as a person has named it; empty of a run here."""
    try:
        return Address.of(run.folder).place if is_far(run) else ""
    except BadAddress:  # a path that nobody can open: it was told there
        return "?"
