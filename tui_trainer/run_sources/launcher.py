"""Starts runs in threads of this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui_trainer.records.record import Record
from tui_trainer.run_request import RunRequest
from tui_trainer.run_sources.in_process import InProcessSource, LocalRun, asked_of
from tui_trainer.run_sources.notifier import NotifyCommand
from tui_trainer.run_sources.planner import Planner

if TYPE_CHECKING:
    from tui_trainer.run_spec import RunSpec


class InProcessLauncher:
    """Starts runs in threads of this process, and plans them, once `go` was called: the screen comes first."""

    def __init__(self, runs_folder: Path, command: Sequence[str], notify: NotifyCommand | None = None) -> None:
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

    def start(self, spec: RunSpec) -> InProcessSource:
        """Begin to train; returns at once."""
        return self.start_request(RunRequest.of(spec))

    def start_request(self, request: RunRequest) -> InProcessSource:
        """As `start`, of a run whose preset is still to be read: if it is no good, the run ends as one that crashed."""
        return self._begin(self._make(request, None))

    def reopen(self, folder: Path) -> tuple[InProcessSource, RunSpec]:
        """A run that ended early and what was asked of it, with all that its record tells. In any thread.

        Raises:
            CannotGoOn: the record does not say what was asked.
            OSError: it cannot be read.
        """
        spec = asked_of(folder)
        return self._make(RunRequest.of(spec), folder), spec

    def go_on(self, reopened: tuple[InProcessSource, RunSpec]) -> tuple[InProcessSource, RunSpec]:
        """Train it, from its checkpoint; returns at once."""
        self._begin(reopened[0])
        return reopened

    def _begin(self, source: InProcessSource) -> InProcessSource:
        self.runs.append(source.run)
        source.run.start()
        return source

    def _make(self, request: RunRequest, goes_on: Path | None) -> InProcessSource:
        run = LocalRun(
            request,
            self._runs_folder,
            self._command,
            goes_on=goes_on,
            gate=self._gate,
            on_record=self._record_begun,
            notify=self._notify,
        )
        return InProcessSource(run)

    def _record_begun(self, record: Record) -> None:
        if self.on_record is not None:
            self.on_record(record)
