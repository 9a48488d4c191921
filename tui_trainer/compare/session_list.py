"""The comparisons that were made, each in a line of a list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from tui_trainer.compare.session import Session, SessionDamaged, all_sessions
from tui_trainer.records.errors import RunUnreadable
from tui_trainer.records.lock import is_live
from tui_trainer.records.run_metadata import ending

DONE = ("finished", "diverged")


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One session of the list."""

    id: str
    name: str | None
    created_at: float
    labels: list[str]
    """What is compared, in order."""
    seeds: int
    """Runs of each preset, the most of any."""
    runs: int
    done: int
    """Runs that came to an end by themselves."""
    live: bool
    """Whether a process trains them now."""
    folder: str


def session_summaries(runs: Path, warn: Callable[[str], object] = lambda _: None) -> list[SessionSummary]:
    """All sessions that can be read, the newest first; `warn` is told of the others, a sentence each.

    Raises:
        RunUnreadable: the folder of sessions itself cannot be read.
    """
    found = []
    for folder in all_sessions(runs):
        try:
            found.append(_summary(Session.open(folder), warn))
        except SessionDamaged as damage:
            warn(str(damage))
    return found


def _summary(session: Session, warn: Callable[[str], object]) -> SessionSummary:
    labels = [entry.label for entry in session.entries]
    records = [session.record_of(entry) for entry in session.entries]
    return SessionSummary(
        id=session.id,
        name=session.plan.name,
        created_at=session.plan.created_at,
        labels=list(dict.fromkeys(labels)),
        seeds=max((labels.count(label) for label in labels), default=0),
        runs=len(labels),
        done=sum(record is not None and _is_done(record, warn) for record in records),
        live=is_live(session.folder),
        folder=str(session.folder),
    )


def _is_done(record: Path, warn: Callable[[str], object]) -> bool:
    try:
        goodbye = ending(record)
    except RunUnreadable as unreadable:
        warn(f"not counted as done: {unreadable}")
        return False
    return goodbye is not None and goodbye.status in DONE
