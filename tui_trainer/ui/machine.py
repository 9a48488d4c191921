"""What the run's process takes of the machine, where it can be asked."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from tui_trainer.runs.history import History

if TYPE_CHECKING:
    import psutil

ASK_EVERY = 1.0


class Machine:
    """Memory and CPU of the process that trains, asked once a second; nothing for a run on another machine."""

    def __init__(self) -> None:
        self._process: psutil.Process | None = None
        self._pid = 0
        self._asked_at = 0.0
        self._facts: list[str] = []

    def facts(self, history: History) -> list[str]:
        """`memory 0.6 GB`, `cpu 187 %`; empty where they cannot be known."""
        if time.monotonic() - self._asked_at >= ASK_EVERY:
            self._asked_at = time.monotonic()
            self._facts = self._ask(history)
        return self._facts

    def _ask(self, history: History) -> list[str]:
        started = history.started
        if started is None or not history.steps or started.host != socket.gethostname():
            return []
        import psutil  # not before the first frame

        try:
            if self._process is None or self._pid != started.pid:
                self._process, self._pid = psutil.Process(started.pid), started.pid
                self._process.cpu_percent()
            memory = self._process.memory_info().rss
            return [f"memory {memory / 1e9:.1f} GB", f"cpu {self._process.cpu_percent():3.0f} %"]
        except psutil.Error:
            return []
