"""Runs that are looked at together, of which little changes at a time: who looks again looks at what changed alone."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from typing import Generic, Protocol, TypeVar, overload


class Numbered(Protocol):
    """What has a place in an order."""

    @property
    def number(self) -> int:
        """Its place."""


R = TypeVar("R", bound=Numbered)


class InOrder(Sequence[R]):
    """Some of the runs, in the order in which they train."""

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._runs: list[R] = []

    def put(self, run: R, belongs: bool) -> None:
        """Have it among them, or not; nothing is done where it is so already."""
        at = bisect_left(self._numbers, run.number)
        if belongs == (at < len(self._numbers) and self._numbers[at] == run.number):
            return
        if belongs:
            self._numbers.insert(at, run.number)
            self._runs.insert(at, run)
        else:
            del self._numbers[at], self._runs[at]

    def __contains__(self, run: object) -> bool:
        at = bisect_left(self._numbers, getattr(run, "number", -1))
        return at < len(self._runs) and self._runs[at] is run

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, index: int) -> R: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[R]: ...
    def __getitem__(self, index: int | slice) -> R | Sequence[R]:
        return self._runs[index]


class Together(Generic[R]):
    """Several runs: to which of them something happened, and when."""

    def __init__(self) -> None:
        self.runs: list[R] = []
        """In the order in which they train."""
        self.version = 0
        """Grows with everything that happens to any of them."""
        self.milestones = 0
        """Grows as one of them begins, ends, or ends an epoch, and as all of its record was read."""
        self._happened: OrderedDict[R, int] = OrderedDict()
        """The version that each came with, the latest last."""
        self._kept: dict[type[Follower[R]], Follower[R]] = {}

    def add(self, run: R) -> None:
        """One more."""
        self.runs.append(run)
        self.happened_to(run)

    def happened_to(self, run: R, *, milestone: bool = True) -> None:
        """Note that something happened to a run."""
        self.version += 1
        self.milestones += milestone
        self._happened[run] = self.version
        self._happened.move_to_end(run)

    def since(self, version: int) -> list[R]:
        """Those to which something happened after this version, what happened last being the last."""
        found = []
        for run in reversed(self._happened):
            if self._happened[run] <= version:
                break
            found.append(run)
        return found[::-1]

    def kept(self, kind: type[F], *asked: Hashable) -> F:
        """What is kept up of them, as it is now. Of each kind there is one, made anew where another thing is asked."""
        known = self._kept.get(kind)
        if not isinstance(known, kind) or known.asked != asked:
            known = self._kept[kind] = kind(self, *asked)
        known.look()
        return known


class Follower(Generic[R]):
    """Something that is kept up of runs that are looked at together. A look costs what happened since the last one."""

    def __init__(self, runs: Together[R], *asked: Hashable) -> None:
        self.asked = asked
        self._together = runs
        self._seen = -1

    def look(self) -> None:
        """Take in what happened."""
        if self._seen != self._together.version:
            fresh = self._together.since(self._seen)
            self._seen = self._together.version
            self.take(fresh)

    def take(self, runs: Iterable[R]) -> None:
        """Something happened to these; each may have been taken in before, as it was then."""
        raise NotImplementedError


class Those(Follower[R]):
    """The runs of which something is so now."""

    def __init__(self, runs: Together[R]) -> None:
        super().__init__(runs)
        self.runs: set[R] = set()

    def belongs(self, run: R) -> bool:
        """Whether it is so of a run."""
        raise NotImplementedError

    def take(self, runs: Iterable[R]) -> None:
        for run in runs:
            (self.runs.add if self.belongs(run) else self.runs.discard)(run)


F = TypeVar("F", bound=Follower)  # type: ignore[type-arg]
