"""Records of runs that were made up."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.scripted import scripted_run
from tui_trainer.events import AnyEvent
from tui_trainer.records.record import Record


def over(runs: Path, events: Iterable[AnyEvent] | None = None, *, preset: str = "steplr", **asked: Any) -> str:
    """The id of a run that is over, of these events or of a short run's; `asked` as in `run.json`."""
    record = Record.create(runs, {"preset_name": preset, **asked})
    for event in scripted_run() if events is None else events:
        record.emit(event)
    record.close()
    return record.id
