"""Events of what a reader says: numbers in columns whose steps rise, as a history takes them.

A history has one rule: numbers that are not behind the last one of their series take the place of what stands from
there on, which is kept as an earlier attempt. So a training that was begun again from a checkpoint tells itself. What
other tools write needs three things more: single numbers that came late are put where they belong; of two writers of a
series the later one wins from where it began; and a file that was read again tells nothing that is known.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import compress, pairwise
from math import isfinite
from operator import lt
from typing import NamedTuple

from tui_trainer.events import MOST_SECONDS, SCHEMA, AnyEvent, MetricColumns, RunEnded, RunStarted
from tui_trainer.foreign_records.naming import Choices, Naming
from tui_trainer.foreign_records.pieces import Ended, Piece, Points, Reader, Restarted
from tui_trainer.records.history import History
from tui_trainer.records.series import Series
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted

LARGEST_STEP = 2**62

LATE = 8
"""So many numbers in a row, at steps at which their series has none, have come late; more are a new attempt."""

MOVED_AT_MOST = 5_000_000
"""Numbers that are written anew because others came late: beyond it they are taken for a new attempt."""

MOST_IN_FULL = 4_000_000
"""Numbers of a record that are all kept, 16 bytes each. Behind them, of stretches the lowest and the highest."""

THINNED_ANEW = 1_000_000
"""Numbers that are kept of stretches of one length, before those of twice as many."""

SHORTEST, LONGEST = 4, 1 << 16
"""Numbers of a stretch."""

LATEST = 1e11
"""Unix time in seconds, as an event may have it."""


class _Column(NamedTuple):
    """Numbers of one series."""

    steps: list[int]
    values: list[float | int]
    times: list[float]
    epochs: list[int]


class Teller:
    """Makes events of what a reader says of one run, for the history that they are applied to."""

    def __init__(self, reader: Reader, history: History, choices: Choices | None = None) -> None:
        """Tell of the run that is read; `choices` are what a person has said of its series."""
        self._reader = reader
        self._history = history
        self._naming = Naming(choices or Choices())
        self._declared: set[str] = set()
        self._begun_at: float | None = None
        """Unix time of the first number; None before it."""
        self._timed_until = -1
        """The last step whose time was told."""
        self._writers: dict[str, tuple[int, int]] = {}
        """Of each series its latest writer, and from which step on that one wins."""
        self._parts: dict[str, set[str]] = {}
        """The series of each part."""
        self._cuts: dict[str, int] = {}
        """From which step on a series counts no more, where nothing of it stands before that."""
        self._kept = 0
        """Numbers that were told."""
        self._thinned = False
        self._moved = 0
        self._late = self._out_of_range = self._earlier = 0

    @property
    def flaws(self) -> Sequence[str]:
        """What was left out, in words."""
        found = []
        if self._out_of_range:
            found.append(say("foreign.no_step", numbers=counted(self._out_of_range, "number")))
        if self._thinned:
            found.append(say("foreign.thinned", numbers=f"{MOST_IN_FULL:,}"))
        if self._earlier:
            found.append(say("foreign.earlier_writer", numbers=counted(self._earlier, "number")))
        return found

    @property
    def notes(self) -> Sequence[str]:
        """What else of the steps and names was not as one would have it, in words."""
        found = self._naming.notes
        if self._late:
            found.append(say("foreign.late", numbers=counted(self._late, "number")))
        return found

    def tell(self, piece: Piece, written_at: float) -> Iterator[AnyEvent]:
        """The events of a piece; apply each before the next is asked for.

        Args:
            piece: what the reader says.
            written_at: Unix time in seconds at which the file changed last: for numbers without a time of their own.
        """
        at = min(max(written_at, 0.0), LATEST)
        if isinstance(piece, Ended):
            yield RunEnded(
                at=min(max(piece.at, 0.0), LATEST),
                status="finished" if piece.well else "crashed",
                reason=piece.reason,
                step=self._history.last_step,
                epoch=self._history.epoch,
                exit_code=0 if piece.well else 1,
            )
        elif isinstance(piece, Restarted):
            yield from self._restart(piece, at)
        else:
            yield from self._points(piece, at)

    # A writer that went on from an earlier step

    def _restart(self, piece: Restarted, at: float) -> Iterator[AnyEvent]:
        for name in sorted(self._parts.get(piece.part, ())):
            writer, begins = self._writers[name]
            series = self._history.series.get(name)
            if writer >= piece.writer or series is None or not len(series.steps) or series.steps[-1] < piece.step:
                continue
            self._writers[name] = (piece.writer, min(begins, piece.step) if writer == piece.writer else piece.step)
            before = bisect_left(series.steps, piece.step) - 1
            if before < 0:
                self._cuts[name] = piece.step
                continue
            # Told again, the last number before that step takes the place of itself and of all behind it.
            yield MetricColumns(at=at, steps=[series.steps[before]], values={name: [series.values[before]]})
        self._timed_until = min(self._timed_until, piece.step - 1)

    # Numbers

    def _points(self, points: Points, at: float) -> Iterator[AnyEvent]:
        points = self._in_range(points)
        if not points.steps:
            return
        if self._begun_at is None:
            self._begun_at = next((time for time in points.times if 0 < time < LATEST), at)
            yield RunStarted(at=self._begun_at, run=self._reader.name[:1000], schema=SCHEMA, pid=0, host="")
        within = f"{points.part}/" if points.part else ""
        shown = self._naming.shown
        points = points._replace(columns={shown(within + name): values for name, values in points.columns.items()})
        if new := [name for name in points.columns if name not in self._declared]:
            self._declared.update(new)
            yield from self._naming.declared(new, at)
        for part in self._in_room(points):
            self._kept += len(part.steps) * len(part.columns)
            yield from self._told(part, at)

    def _in_room(self, points: Points) -> Iterator[Points]:
        """All of them; of a record that has very many, the lowest and highest of each stretch of each series."""
        stretch = min(LONGEST, SHORTEST << max(0, self._kept - MOST_IN_FULL) // THINNED_ANEW)
        if self._kept < MOST_IN_FULL or points.again:
            yield points
            return
        for name, values in points.columns.items():
            kept = _extremes(values, stretch)
            self._thinned |= len(kept) < len(values)
            yield points._replace(
                steps=[points.steps[index] for index in kept],
                columns={name: [values[index] for index in kept]},
                times=[points.times[index] for index in kept] if points.times else (),
                epochs=[points.epochs[index] for index in kept] if points.epochs else (),
            )

    def _told(self, points: Points, at: float) -> Iterator[AnyEvent]:
        apart = {name for name in points.columns if not self._may_follow(name, points)}
        alike = [name for name in points.columns if name not in apart]
        if alike or not points.columns:
            column = _Column(list(points.steps), [], list(points.times), list(points.epochs))
            yield self._event({name: list(points.columns[name]) for name in alike}, column, at)
        for name in points.columns:
            if name in apart:
                yield from self._apart(name, points, at)

    def _in_range(self, points: Points) -> Points:
        if min(points.steps, default=0) >= 0 and max(points.steps, default=0) <= LARGEST_STEP:
            return points
        right = [0 <= step <= LARGEST_STEP for step in points.steps]
        self._out_of_range += (len(right) - sum(right)) * len(points.columns)
        return points._replace(
            steps=list(compress(points.steps, right)),
            columns={name: list(compress(values, right)) for name, values in points.columns.items()},
            times=list(compress(points.times, right)),
            epochs=list(compress(points.epochs, right)),
        )

    def _may_follow(self, name: str, points: Points) -> bool:
        """Whether the numbers of a series go on from what is known of it, as nearly all do. It is its writer's now."""
        series, steps = self._history.series.get(name), points.steps
        writer, begins = self._writers.get(name, (points.writer, steps[0]))
        rises = len(steps) < 2 or all(map(lt, steps, steps[1:]))
        behind = series is None or not len(series.steps) or steps[0] > series.steps[-1]
        if points.writer > writer:
            self._writers[name] = (points.writer, steps[0])
        elif points.writer == writer:
            self._writers[name] = (writer, min(begins, steps[0]))
        self._parts.setdefault(points.part, set()).add(name)
        return rises and behind and points.writer >= writer and name not in self._cuts

    def _apart(self, name: str, points: Points, at: float) -> Iterator[AnyEvent]:
        column = _Column(list(points.steps), list(points.columns[name]), list(points.times), list(points.epochs))
        writer, begins = self._writers[name]
        series = self._history.series.get(name)
        if points.writer < writer:
            kept = _where(column, [step < begins for step in column.steps])
            self._earlier += len(column.steps) - len(kept.steps)
            column = kept
        if points.again and series is not None:
            column = _where(column, _unknown(column, series))
        is_new_writer = self._cuts.pop(name, None) is not None
        for part in self._rising(column):
            series = self._history.series.get(name)
            whole = part if is_new_writer else self._with_late(part, series)
            if whole.steps:
                yield self._event({name: whole.values}, whole, at)

    def _rising(self, column: _Column) -> Iterator[_Column]:
        """Parts of numbers whose steps rise."""
        steps = column.steps
        falls = [index + 1 for index, (one, other) in enumerate(pairwise(steps)) if other <= one]
        if not falls:
            if steps:
                yield column
            return
        known = set(steps)
        if len(known) == len(steps) and (len(falls) <= LATE or len(falls) > len(steps) // LATE):
            order = sorted(range(len(steps)), key=steps.__getitem__)  # each step is there once: they came late
            self._late += len(falls)
            yield _pick(column, order)
        elif len(falls) > len(steps) // LATE:  # many numbers at each step: the last one of each holds
            last = {step: index for index, step in enumerate(steps)}
            yield _pick(column, [last[step] for step in sorted(last)])
        else:
            for first, end in pairwise([0, *falls, len(steps)]):
                yield _pick(column, range(first, end))

    def _with_late(self, column: _Column, series: Series | None) -> _Column:
        """The numbers, and where they came late the ones that stand behind them, to be told again."""
        if series is None or not len(series.steps) or column.steps[0] > series.steps[-1]:
            return column
        late = bisect_right(column.steps, series.steps[-1])
        first = bisect_left(series.steps, column.steps[0])
        behind = len(series.steps) - first
        if late > LATE or self._moved + behind > MOVED_AT_MOST:
            return column
        known = range(first, len(series.steps))
        if any(_has(series, step) for step in column.steps[:late]):
            return column
        self._moved += behind
        self._late += late
        steps = [*column.steps, *(series.steps[index] for index in known)]
        values = [*column.values, *(series.values[index] for index in known)]
        order = sorted(range(len(steps)), key=steps.__getitem__)
        return _Column([steps[index] for index in order], [values[index] for index in order], [], [])

    def _event(self, values: dict[str, list[float | int]], column: _Column, at: float) -> MetricColumns:
        steps = column.steps
        if column.times:
            at = min(max(column.times[-1], 0.0), LATEST)
        elapsed: list[float] = []
        if column.times and (steps[0] > self._timed_until or self._goes_back(values, steps[0])):
            begun = self._begun_at or 0.0
            elapsed = [min(max(time - begun, 0.0), MOST_SECONDS) if time == time else 0.0 for time in column.times]
            self._timed_until = steps[-1]
        epochs = column.epochs if all(0 <= epoch <= LARGEST_STEP for epoch in column.epochs) else []
        return MetricColumns(at=at, steps=steps, values=values, elapsed=elapsed, epochs=epochs)

    def _goes_back(self, values: dict[str, list[float | int]], step: int) -> bool:
        """Whether any of these series is there from this step on already: what was trained is trained again."""
        known = (self._history.series.get(name) for name in values)
        return any(series is not None and len(series.steps) > 0 and series.steps[-1] >= step for series in known)


def _extremes(values: Sequence[float | int], stretch: int) -> list[int]:
    """The places of the lowest and the highest of each stretch, and of the first that is not finite."""
    found: list[int] = []
    for begin in range(0, len(values), stretch):
        part = values[begin : begin + stretch]
        if isfinite(sum(part)):  # each of them is
            found += sorted({begin + part.index(min(part)), begin + part.index(max(part))})
            continue
        places = range(begin, begin + len(part))
        finite = [place for place in places if isfinite(values[place])]
        kept = {pick(finite, key=values.__getitem__) for pick in (min, max)} if finite else set()
        if len(finite) < len(places):
            kept.add(next(place for place in places if not isfinite(values[place])))
        found += sorted(kept)
    return found


def _where(column: _Column, kept: Sequence[bool]) -> _Column:
    return _pick(column, [index for index, one in enumerate(kept) if one])


def _pick(column: _Column, order: Sequence[int]) -> _Column:
    steps, values, times, epochs = column
    return _Column(
        [steps[index] for index in order],
        [values[index] for index in order],
        [times[index] for index in order] if times else [],
        [epochs[index] for index in order] if epochs else [],
    )


def _has(series: Series, step: int) -> bool:
    index = bisect_left(series.steps, step)
    return index < len(series.steps) and series.steps[index] == step


def _unknown(column: _Column, series: Series) -> list[bool]:
    """Which numbers a series does not have: all from the first on that is new, or another than it was."""
    steps, values, known = series.steps, series.values, len(series.steps)
    for index, (step, value) in enumerate(zip(column.steps, column.values, strict=True)):
        at = bisect_left(steps, step)
        same = (
            at < known and steps[at] == step and (values[at] == value or (value != value and values[at] != values[at]))
        )
        if not same:
            return [False] * index + [True] * (len(column.steps) - index)
    return [False] * len(column.steps)
