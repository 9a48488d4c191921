"""Which comparison each run was trained for."""

from __future__ import annotations

from pathlib import Path

from tui_trainer.compare.session import Session, SessionDamaged, all_sessions
from tui_trainer.records.errors import RunUnreadable


class Memberships:
    """Of the runs of a folder. A session that cannot be read, or is not there any more, has none."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._known: dict[Path, Session] = {}

    def look(self) -> dict[str, str]:
        """The comparison's name, else its id, by the folder of each run that was trained for one, as it is now."""
        try:
            there = all_sessions(self._runs)
        except RunUnreadable:
            there = []
        self._known = {folder: session for folder in there if (session := self._session(folder)) is not None}
        return {
            str(record): session.plan.name or session.id
            for session in self._known.values()
            for entry in session.entries
            if entry.is_trained_here and (record := session.record_of(entry)) is not None
        }

    def _session(self, folder: Path) -> Session | None:
        known = self._known.get(folder)
        if known is not None:
            known.refresh()
            return known
        try:
            return Session.open(folder)
        except SessionDamaged:
            return None
