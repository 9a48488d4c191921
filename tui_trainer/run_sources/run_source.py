"""What a screen holds of a run, wherever that lives."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from tui_trainer.commands import AnyCommand
from tui_trainer.events import RunEnded
from tui_trainer.records.history import History
from tui_trainer.records.tail import Tail


class RunSource(Protocol):
    """A run, as a screen sees it. All of it belongs to the thread that polls."""

    history: History
    """The state of the run, as of the last `poll`."""

    readonly: bool
    """Whether commands are refused."""

    lags: bool
    """Whether the last `poll` left something for the next one: a long record is being read."""

    @property
    def folder(self) -> Path | None:
        """Where its record lies, once it has one."""

    def poll(self) -> int:
        """Apply the events that came since the last call, without waiting; how many there were."""

    def send(self, command: AnyCommand) -> None:
        """Ask something of the run; the answer comes as an event.

        Raises:
            PermissionError: the run is read-only here.
        """

    def close(self) -> None:
        """Stop looking. A run in this process goes on; stop it with a command first."""


def replay(folder: Path, *, forgets: bool = False) -> History:
    """The state of the run whose record lies in `folder`, as far as it was recorded; `forgets` as for `History`."""
    history = History(forgets=forgets)
    with Tail(folder / "events.jsonl", packed=True) as tail:
        for event in tail:
            history.apply(event)
    return history


def crashed(reason: str, *, exit_code: int, step: int = 0, epoch: int = 0) -> RunEnded:
    """The end of a run that said no goodbye itself."""
    return RunEnded(at=time.time(), status="crashed", reason=reason, step=step, epoch=epoch, exit_code=exit_code)


GATE_S = 2.0
"""The longest that anything waits for the first frame of a screen."""
