"""What a run without a screen tells, kept in its log too: for who looks at it later, or from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tui_trainer.console import Reporter, in_lines
from tui_trainer.events import Event
from tui_trainer.runs.history import History
from tui_trainer.runs.record import Record


class Logged:
    """A reporter whose lines go to the run's `log.txt` too, as soon as there is a record; a full disk is no error."""

    def __init__(self, reporter: Reporter, record: Callable[[], Record | None]) -> None:
        self._reporter, self._record = reporter, record
        self._waiting: list[str] = []

    def tell(self, event: Event, history: History) -> None:
        """Take notice of `event`, which `history` has applied already."""
        self._reporter.tell(event, history)
        self._waiting += in_lines(event, history)
        record = self._record()
        if record is None or not self._waiting:
            return
        text = "".join(f"{line}\n" for line in self._waiting)
        self._waiting.clear()
        with suppress(OSError), record.open_log() as log:
            log.write(text.encode("utf-8", "replace"))

    def close(self) -> None:
        """The run is over."""
        self._reporter.close()
