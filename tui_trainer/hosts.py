"""Where a run lives: a thread of this process, or somewhere else on this file system.

A screen holds one `Host`, polls it on its own clock and reads its `history`; it cannot tell one kind from another.
"""

from __future__ import annotations

from typing import Protocol

from tui_trainer.commands import Command
from tui_trainer.runs.history import History


class Host(Protocol):
    """A run, as a screen sees it. All of it belongs to the thread that polls."""

    history: History
    """The state of the run, as of the last `poll`."""

    readonly: bool
    """Whether commands are refused."""

    def poll(self) -> int:
        """Apply the events that came since the last call, without waiting; how many there were."""

    def send(self, command: Command) -> None:
        """Ask something of the run; the answer comes as an event.

        Raises:
            PermissionError: the run is read-only here.
        """

    def close(self) -> None:
        """Stop looking. A run in this process goes on; stop it with a command first."""
