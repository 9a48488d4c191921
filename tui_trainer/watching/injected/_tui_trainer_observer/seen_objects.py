"""Numbers for the optimizers, schedulers, loaders and networks that were seen, without holding any of them."""

from __future__ import annotations

from .python_internals import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Generic, TypeVar

    Record = TypeVar("Record")
else:

    class Generic:
        def __class_getitem__(cls, _of):
            return cls

    Record = None


class SeenObjects(Generic[Record]):
    """What is known of each object of a kind, by the object itself. An object that is gone is forgotten."""

    def __init__(self, make: Callable[[Any], Record]) -> None:
        """
        Args:
            make: what is kept of an object that is seen for the first time. It must not hold the object.
        """
        self._make = make
        self.records: dict[int, tuple[Any, Record]] = {}
        """By `id`, with a weak reference: for hooks that are called at each step, where a call more is dear."""

    def of(self, held: Any) -> Record:
        """What is known of it."""
        known = self.records.get(id(held))
        if known is not None:
            return known[1]
        record = self._make(held)
        key = id(held)
        self.records[key] = (ref(held, lambda _: self.records.pop(key, None)), record)
        return record

    def known(self, held: Any) -> Record | None:
        """What is known of it, or None where it was never seen."""
        known = self.records.get(id(held))
        return None if known is None else known[1]

    def alive(self) -> list[tuple[Any, Record]]:
        """All that are still there."""
        found = [(reference(), record) for reference, record in list(self.records.values())]
        return [(held, record) for held, record in found if held is not None]

    def clear(self) -> None:
        """Forget all."""
        self.records.clear()
