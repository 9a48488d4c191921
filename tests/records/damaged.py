"""Records made up for a test, and what those who read them say of them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.scripted import START
from tui_trainer.events import AnyEvent, encode
from tui_trainer.records.export import export_csv
from tui_trainer.records.lines import seal
from tui_trainer.run_sources.journal_source import JournalSource


def written(folder: Path, events: list[AnyEvent], *, sealed: bool) -> Path:
    """A record's journal: with seals as it is written, or without, as it was before there were any."""
    (folder / "run.json").write_text(json.dumps({"schema": 1, "asked": {}, "created_at": START}))
    journal = folder / "events.jsonl"
    lines = [seal(encode(event), number) if sealed else encode(event) for number, event in enumerate(events, 1)]
    journal.write_bytes(b"".join(lines))
    return journal


def exported(folder: Path) -> tuple[list[int], list[str]]:
    """The steps of the table, and what was warned of."""
    warnings: list[str] = []
    export_csv(folder, folder / "out", warnings.append)
    rows = (folder / "out" / "steps.csv").read_text().splitlines()[1:]
    return [int(row.split(",")[0]) for row in rows], warnings


def on_screen(folder: Path) -> list[str]:
    """What a viewer says of the record."""
    host = JournalSource(folder)
    while host.poll():
        pass
    host.close()
    return [notice.text for notice in host.history.notices if notice.kind == "recording"]
