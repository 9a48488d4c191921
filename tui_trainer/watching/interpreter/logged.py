"""Numbers that a program logs itself, by its own names."""

from __future__ import annotations

from tui_trainer.events import MOST_METRICS, Goal
from tui_trainer.records.series_names import Role, goal, role
from tui_trainer.watching.interpreter.definitions import name
from tui_trainer.watching.trace import Logged

OWN = "tui_trainer"
"""Who logs by `Watch.log`: other loggers are called behind a step, and count what they please."""

POSITIONS = frozenset({"epoch", "step", "global_step", "iter", "iteration"})
"""Where the program was, which is no measurement."""


class LoggedNumbers:
    """Takes what is logged, and says of names that are new what they mean."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._new: list[str] = []

    def take(self, frame: Logged) -> dict[str, float]:
        """The numbers of a frame."""
        values: dict[str, float] = {}
        for called, value in frame.values.items():
            called = name(called)
            if called.lower() in POSITIONS or not called:
                continue
            if called not in self._known:
                if len(self._known) >= MOST_METRICS:
                    continue
                self._known.add(called)
                self._new.append(called)
            values[called] = _number(value)
        return values

    def new_names(self) -> list[tuple[str, Role, Goal]]:
        """Names that came since the last time and say what they are of, and which way is better."""
        new, self._new = self._new, []
        told = [(called, role(called), goal(called)) for called in new]
        return [each for each in told if each[1] not in ("", "axis") or each[2] != "none"]


def _number(value: float | int | None) -> float:
    if value is None:
        return float("nan")
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
