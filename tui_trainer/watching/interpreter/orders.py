"""The order in which calls were really made: of the first batches of each epoch, and of what comes at its end."""

from __future__ import annotations

from tui_trainer.watching.interpreter.listing import NOT_LISTED, Row

BATCHES = 2
"""Of each epoch, so many have the order of their calls told."""

LONGEST = 200
"""Calls of one."""


class Orders:
    """Takes the rows since the last step of the run, and says which calls they are."""

    def __init__(self, calls: dict[float, str]) -> None:
        """`calls` names the call of each site."""
        self._calls = calls

    def of(self, rows: list[Row]) -> list[str]:
        """The names of calls by the moment at which they began, so that those of a closure come behind the step that
        makes them; a pass that begins there is one that validates."""
        made = [(row[1], self._name(row)) for row in rows]
        return [call for _, call in sorted(made, key=lambda each: each[0]) if call][:LONGEST]

    def _name(self, row: Row) -> str:
        call = self._calls.get(row[0], "")
        if call == "data":
            return "validate" if row[3] == -1 else ""
        return "" if call in NOT_LISTED else call
