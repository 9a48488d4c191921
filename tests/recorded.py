"""Runs that were really trained, as `scripts/record_runs.py` kept them in `tests/recorded_runs/`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.ui.scripted_source import moved_to
from tui_trainer.events import AnyEvent, decode_lines, encode

RECORDS = Path(__file__).parent / "recorded_runs"


def recorded(name: str) -> list[AnyEvent]:
    """The events of a run, or of one side of a mistake: `mistake/right`."""
    file = RECORDS / name / "events.jsonl"
    return decode_lines((file if file.exists() else RECORDS / f"{name}.jsonl").read_bytes())


def ending_at(events: Sequence[AnyEvent], at: float) -> list[AnyEvent]:
    """The same as if the last of them had happened at `at`, in Unix time."""
    return moved_to(events, at - (events[-1].at - events[0].at))


def copied(run: str, folder: Path, events: Sequence[AnyEvent], **facts: Any) -> Path:
    """The record of a run in another folder, with these of its events, and facts that its `run.json` is to hold."""
    folder.mkdir(parents=True)
    said = msgspec.json.decode((RECORDS / run / "run.json").read_bytes())
    said |= {"id": folder.name, "created_at": events[0].at, **facts}
    (folder / "run.json").write_bytes(msgspec.json.encode(said))
    (folder / "events.jsonl").write_bytes(b"".join(map(encode, events)))
    return folder
