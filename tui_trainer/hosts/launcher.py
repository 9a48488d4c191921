"""Starts runs in threads of this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui_trainer.asked import Asked
from tui_trainer.hosts.local import LocalRun, ThreadHost, asked_of
from tui_trainer.hosts.notify import Notify
from tui_trainer.hosts.planner import Planner
from tui_trainer.runs.record import Record

if TYPE_CHECKING:
    from tui_trainer.spec import RunSpec


class LocalLauncher:
    """Starts runs in threads of this process, and plans them, once `go` was called: the screen comes first."""

    def __init__(self, runs_folder: Path, command: Sequence[str], notify: Notify | None = None) -> None:
        self._notify = notify
        self._gate = threading.Event()
        self.planner = Planner(self._gate)
        self.runs: list[LocalRun] = []
        """All that were started, oldest first."""
        self.on_record: Callable[[Record], None] | None = None
        """Told of each run's record as it begins, in the training thread."""
        self._runs_folder = runs_folder
        self._command = command

    def go(self) -> None:
        """The first frame is up: torch may be imported."""
        self._gate.set()

    def start(self, spec: RunSpec) -> ThreadHost:
        """Begin to train; returns at once."""
        return self.start_asked(Asked.of(spec))

    def start_asked(self, asked: Asked) -> ThreadHost:
        """As `start`, of a run whose preset is still to be read: if it is no good, the run ends as one that crashed."""
        return self._begin(self._make(asked, None))

    def reopen(self, folder: Path) -> tuple[ThreadHost, RunSpec]:
        """A run that ended early and what was asked of it, with all that its record tells. In any thread.

        Raises:
            CannotGoOn: the record does not say what was asked.
            OSError: it cannot be read.
        """
        spec = asked_of(folder)
        return self._make(Asked.of(spec), folder), spec

    def go_on(self, reopened: tuple[ThreadHost, RunSpec]) -> tuple[ThreadHost, RunSpec]:
        """Train it, from its checkpoint; returns at once."""
        self._begin(reopened[0])
        return reopened

    def _begin(self, host: ThreadHost) -> ThreadHost:
        self.runs.append(host.run)
        host.run.start()
        return host

    def _make(self, asked: Asked, goes_on: Path | None) -> ThreadHost:
        run = LocalRun(
            asked,
            self._runs_folder,
            self._command,
            goes_on=goes_on,
            gate=self._gate,
            on_record=self._record_begun,
            notify=self._notify,
        )
        return ThreadHost(run)

    def _record_begun(self, record: Record) -> None:
        if self.on_record is not None:
            self.on_record(record)
