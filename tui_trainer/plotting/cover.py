"""Which dots of many curves are seen, of which most lie under those of others.

A curve's dots in a column of them are a span, and the rows of cells that it touches one bit each: so a column of cells
is looked at for thousands of curves at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

from tui_trainer.plotting.curves import Span
from tui_trainer.plotting.figure import DOTS, Marks

Array: TypeAlias = Any
"""Of numpy, which is imported where there are many curves alone."""

AT_ONE_PLACE = 3
"""So many curves at most are seen in one cell; of more, those on top."""

BITS = 64
"""Rows of cells in a word; what is higher takes several."""

AT_A_TIME = 16
"""Columns of cells that are looked at between looks at the clock."""


class Cover:
    """Which spans of many curves are seen: those in whose cells fewer curves above have a dot than would hide them. One
    hides a band; a line, as many as share a cell. A drawing looks at the columns of cells in which a curve changed.
    """

    def __init__(self, marks: Marks, is_line: Callable[[str], bool]) -> None:
        """`is_line` tells a line by its name from a band."""
        import numpy  # not above: a chart of few curves needs none of it

        self._np = numpy
        self._across, self._up = DOTS[marks]
        self._is_line = is_line
        self._places: dict[str, int] = {}
        """Of the curves, from the topmost on."""
        self._names: list[str] = []
        self._given: list[list[Span | None]] = []
        self._lines: Array = numpy.zeros(0, bool)
        self._rows: Array = numpy.zeros((0, 0, self._across, 1), numpy.uint64)
        """By curve, column of cells, column of dots in it, and word: the rows in which it has dots."""
        self._seen: Array = numpy.zeros((0, 0, self._across), bool)
        self._bits: dict[Span, int] = {}
        self._waiting: list[int] = []
        """Columns of cells that are to be looked at."""
        self._others: dict[str, None] = {}
        """Curves that are others, of which it is to be found out where."""
        self._changed: dict[str, None] = {}
        """Curves of which another part may be seen."""

    def put(self, curves: Mapping[str, list[Span | None]], rows: int, changed: Collection[str] | None = None) -> None:
        """Take the curves as they are now, the first one undermost; of `changed` alone, where all others are the same
        ones in the same order."""
        if changed is None and [*curves][::-1] != self._names:
            changed = self._in_order(curves, rows)
        elif changed is None:
            changed = [name for name, curve in curves.items() if curve is not self._given[self._places[name]]]
        for name in changed:
            self._given[self._places[name]] = curves[name]
            self._others[name] = None

    def _in_order(self, curves: Mapping[str, list[Span | None]], rows: int) -> list[str]:
        """Other curves, or in another order: what was found of one stands until its columns are looked at. Those that
        are new, or others."""
        np = self._np
        before, given, old_rows, old_seen = self._places, self._given, self._rows, self._seen
        self._places = {name: place for place, name in enumerate([*curves][::-1])}
        self._names, self._given = [*self._places], [*curves.values()][::-1]
        width = max(map(len, self._given), default=0)
        shape = len(curves), -(-width // self._across), self._across
        words = -(-rows // BITS)
        self._rows = np.zeros((*shape, words), np.uint64)
        self._seen = np.zeros(shape, bool)
        self._lines = np.array([*map(self._is_line, self._places)], bool)
        if self._rows.shape[1:] != old_rows.shape[1:]:
            self._bits.clear()
            before = {}
        kept = [(place, before[name]) for name, place in self._places.items() if name in before]
        if kept:
            here, there = map(list, zip(*kept, strict=True))
            self._rows[here], self._seen[here] = old_rows[there], old_seen[there]
        self._waiting = [*range(shape[1])]
        self._changed = dict.fromkeys(name for name in self._changed if name in self._places)
        self._others = dict.fromkeys(name for name in self._others if name in self._places)
        return [
            name
            for name, place in self._places.items()
            if name not in before or self._given[place] is not given[before[name]]
        ]

    def _rows_of(self, curve: Sequence[Span | None]) -> Array:
        """The rows of cells in which each of its columns of dots has any."""
        np, bits, up = self._np, self._bits, self._up
        _, columns, across, words = self._rows.shape
        found = [0] * (columns * across)
        for i, span in enumerate(curve):
            if span is not None:
                known = bits.get(span)
                if known is None:
                    known = bits[span] = (2 << span[1] // up) - (1 << span[0] // up)
                found[i] = known
        if words == 1:
            return np.array(found, np.uint64).reshape(columns, across, 1)
        split = [[each >> BITS * word & 2**BITS - 1 for word in range(words)] for each in found]
        return np.array(split, np.uint64).reshape(columns, across, words)

    def catch_up(self, until: float) -> bool:
        """Find out in the columns that changed what is seen, until this thread has computed so long; whether that was
        all."""
        columns: set[int] = set()
        for count, name in enumerate([*self._others], 1):
            columns |= self._take(name)
            del self._others[name]
            if count % AT_A_TIME == 0 and self._others and time.thread_time() >= until:
                break
        self._waiting = sorted(columns.union(self._waiting))
        if self._others:
            return False
        while self._waiting:
            some, self._waiting = self._waiting[:AT_A_TIME], self._waiting[AT_A_TIME:]
            self._look_at(some)
            if time.thread_time() >= until and self._waiting:
                return False
        return True

    def _take(self, name: str) -> set[int]:
        """Know where a curve is now; the columns of cells in which it is otherwise."""
        place = self._places[name]
        new = self._rows_of(self._given[place])
        differ = self._np.nonzero((new != self._rows[place]).any(axis=(1, 2)))[0]
        self._rows[place] = new
        self._changed[name] = None  # its spans may differ in the same cells
        return {*differ.tolist()}

    def _look_at(self, columns: Sequence[int]) -> None:
        np = self._np
        there = self._rows[:, columns]
        cells = np.bitwise_or.reduce(there, axis=2)
        of_lines = np.where(self._lines[:, None, None], cells, np.uint64(0))
        # The rows in which there is a curve above, are two, are three, ….
        above = covered = _above(np, cells)
        for _ in range(AT_ONE_PLACE - 1):
            above = _above(np, of_lines & above)
        hidden = np.where(self._lines[:, None, None], above, covered)
        seen = (there & ~hidden[:, :, None]).any(axis=3)
        for place in np.nonzero((seen != self._seen[:, columns]).any(axis=(1, 2)))[0].tolist():
            self._changed[self._names[place]] = None
        self._seen[:, columns] = seen

    def changed(self) -> dict[str, list[Span | None]]:
        """The curves of which another part is seen than at the last time, without the spans that are not; empty where
        none is."""
        found: dict[str, list[Span | None]] = {}
        for name in self._changed:
            place = self._places[name]
            curve, seen = self._given[place], self._seen[place].reshape(-1).tolist()
            parts = [span if shown else None for span, shown in zip(curve, seen, strict=False)]
            found[name] = parts if any(parts) else []
        self._changed.clear()
        return found


def _above(np: Any, rows: Array) -> Array:
    """The rows that any curve above has."""
    found = np.zeros_like(rows)
    np.bitwise_or.accumulate(rows[:-1], axis=0, out=found[1:])
    return found
