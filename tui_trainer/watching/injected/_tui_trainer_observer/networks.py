"""Networks: those whose parameters an optimizer moves, and the mode that they are put into."""

from __future__ import annotations

from .seen_objects import SeenObjects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .observer import Observer


class NetworkRecord:
    """What is kept of a network."""

    def __init__(self, number: int) -> None:
        self.number = number


class Networks:
    """Knows the networks."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self.seen: SeenObjects[NetworkRecord] = SeenObjects(lambda _: NetworkRecord(observer.new_number()))
        observer.at_fork(self.seen.clear)

    def number_of(self, network: Any) -> int:
        """Its number in the trace."""
        return self.seen.of(network).number
