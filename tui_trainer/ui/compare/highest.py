"""The highest of numbers that many have, and that change one by one."""

from __future__ import annotations

from math import inf
from typing import Generic, TypeVar

T = TypeVar("T")


class Highest(Generic[T]):
    """The highest of numbers that each has, which may become others."""

    def __init__(self, least: float = 0.0) -> None:
        self.value = self._least = least
        self._of: dict[T, float] = {}

    def put(self, whose: T, value: float) -> None:
        """What one has now."""
        before = self._of.get(whose, self._least)
        self._of[whose] = value
        if value >= self.value:
            self.value = value
        elif before == self.value:
            self.value = max(self._least, max(self._of.values()))

    def leave_out(self, whose: T) -> None:
        """That one counts no more."""
        if self._of.pop(whose, -inf) == self.value:
            self.value = max(self._least, max(self._of.values(), default=self._least))
