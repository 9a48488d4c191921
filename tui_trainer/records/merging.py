"""Events in a row as one: the same state of the run, in fewer events.

Most lines of a foreign record are rows of one table. Those are decoded as such, in columns, which takes half the time
of one event after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter, le, lt
from typing import Any

import msgspec

from tui_trainer.events import (
    AnyEvent,
    CallsTimed,
    Count,
    MetricColumns,
    MetricsLogged,
    MetricValue,
    Moment,
    Seconds,
    StepsTaken,
    decode,
    decode_lines,
)
from tui_trainer.records.columns import CallsSeen

LEAST_ROWS = 8
"""Rows of metrics that are worth a table."""

LEAST_IN_A_TABLE = 64
"""Rows that are worth a look at all of them at once."""

WIDEST = 64
"""Numbers of a row that are worth a decoder of their own."""

_ROW = b'{"type":"MetricsLogged"'


def decode_rows(lines: bytes) -> list[AnyEvent]:
    """The events of whole lines, as `decode_lines` has them, but that rows of one table may be one event.

    Raises:
        msgspec.MsgspecError, ValueError: one of them is no event.
    """
    count = lines.count(b"\n")
    rows = lines.count(b"\n" + _ROW) + lines.startswith(_ROW)
    if rows < LEAST_IN_A_TABLE:
        return decode_lines(lines)
    if rows == count:
        table = _decoded_table(lines)
        return [table] if table is not None else decode_lines(lines)
    events: list[AnyEvent] = []
    for are_rows, group in groupby(lines.split(b"\n")[:-1], lambda line: line.startswith(_ROW)):
        each = list(group)
        alike = b"\n".join([*each, b""])
        table = _decoded_table(alike) if are_rows and len(each) >= LEAST_IN_A_TABLE else None
        events += [table] if table is not None else decode_lines(alike)
    return events


def _decoded_table(lines: bytes) -> MetricColumns | None:
    """Rows as one event, if they are rows of one table; None where they are not, or one of them is no event."""
    try:
        first = decode(lines[: lines.index(b"\n")])
        if not isinstance(first, MetricsLogged) or len(first.values) > WIDEST:
            return None
        decoder = _decoder_of(tuple(first.values))
        rows: list[Any] = decoder.decode_lines(lines)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    each = [row.values for row in rows]
    return _table(rows, {name: list(map(attrgetter(f"_{at}"), each)) for at, name in enumerate(first.values)})


@lru_cache(maxsize=16)
def _decoder_of(names: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Of rows with these numbers and no others.

    Raises:
        ValueError: a name is none that a field may have.
    """
    fields = [f"_{at}" for at in range(len(names))]
    values = msgspec.defstruct(
        "Values",
        [(field, MetricValue) for field in fields],
        rename=dict(zip(fields, names, strict=True)),
        forbid_unknown_fields=True,
        gc=False,
    )
    bases = [("at", Moment), ("step", Count), ("values", values)]
    known = [("epoch", Count | None, None), ("batch", Count | None, None), ("elapsed", Seconds | None, None)]
    row = msgspec.defstruct("Row", [*bases, *known], tag_field="type", tag="MetricsLogged", gc=False)
    return msgspec.json.Decoder(row)


def merged(events: list[AnyEvent]) -> Iterator[AnyEvent]:
    """The same events for the state of a run: steps in a row as one event, and the times of the calls beside them."""
    pending = _Pending()
    for _, group in groupby(events, _shape):
        alike = list(group)
        if (table := _table_of(alike)) is not None:
            yield from pending.flush()
            yield table
            pending.before, pending.at = None, table.at
        else:
            for event in alike:
                yield from pending.take(event)
    yield from pending.flush()


def _shape(event: AnyEvent) -> int:
    """Equal for rows that may be of one table."""
    return len(event.values) if type(event) is MetricsLogged else -1


class _Pending:
    """Steps, rows of metrics and times of calls, in a row: they come to the same, whichever is told first."""

    def __init__(self) -> None:
        self.steps: list[StepsTaken] = []
        self.rows: list[MetricsLogged] = []
        self.times: list[CallsTimed] = []
        self.at = 0.0
        """Of the last event."""
        self.before: StepsTaken | None = None
        """The steps that came last, where others may go on behind them."""

    def take(self, event: AnyEvent) -> Iterator[AnyEvent]:
        """Keep an event for later, or give all that came until it."""
        if isinstance(event, CallsTimed):
            self.times.append(event)
        elif isinstance(event, MetricsLogged):
            if not self._takes(event):
                yield from self.flush()
                self.before = None
            self.rows.append(event)
        elif isinstance(event, StepsTaken) and event.lrs and None not in event.losses:
            if self.before is None or not _in_a_row(self.before, event):
                # Whether it is to be believed is for the history to say, by what comes behind it.
                yield from self.flush()
                yield event
            else:
                self.steps.append(event)
            self.before = event
        else:
            yield from self.flush()
            yield event
            self.before = None
        self.at = event.at

    def _takes(self, row: MetricsLogged) -> bool:
        """Whether a row stands for the same behind steps that are still to come: its clock is not ahead of theirs."""
        if self.rows and not _another_row(self.rows[-1], row):
            return False
        before = self.before
        return before is None or row.elapsed is None or row.elapsed <= before.elapsed[-1]

    def flush(self) -> Iterator[AnyEvent]:
        """All of it, each kind as one event."""
        if self.steps:
            yield _joined(self.steps)
        yield from _in_columns(self.rows, self.at if self.steps else None)
        if self.times:
            yield _summed(self.times)
        self.steps.clear()
        self.rows.clear()
        self.times.clear()


def _table_of(events: Sequence[AnyEvent]) -> MetricColumns | None:
    """Events of one shape as one, if they are many rows of one table; None where they are not. It is quicker than to
    look at one row after the other."""
    if len(events) < LEAST_IN_A_TABLE or type(events[0]) is not MetricsLogged:
        return None
    rows: Sequence[MetricsLogged] = events  # type: ignore[assignment]
    try:
        return _table(rows, {name: [row.values[name] for row in rows] for name in rows[0].values})
    except KeyError:
        return None


def _table(rows: Sequence[MetricsLogged], values: dict[str, list[float | int]]) -> MetricColumns | None:
    """Rows with these columns of numbers as one event; None where steps or times do not rise, or only some rows have an
    epoch or a time."""
    steps, times = [row.step for row in rows], [row.at for row in rows]
    epochs, elapsed = [row.epoch for row in rows], [row.elapsed for row in rows]
    if not all(map(lt, steps, steps[1:])) or not all(map(le, times, times[1:])):
        return None
    if any(None in each and {*each} != {None} for each in (epochs, elapsed)):
        return None
    return MetricColumns(
        at=times[-1],
        steps=steps,
        values=values,
        epochs=[epoch for epoch in epochs if epoch is not None],
        elapsed=[second for second in elapsed if second is not None],
    )


def _another_row(one: MetricsLogged, other: MetricsLogged) -> bool:
    """Whether they are rows of one table, one behind the other."""
    return (
        one.step < other.step
        and one.at <= other.at
        and one.values.keys() == other.values.keys()
        and (one.epoch is None) == (other.epoch is None)
        and (one.elapsed is None) == (other.elapsed is None)
    )


def _in_columns(rows: list[MetricsLogged], at: float | None) -> Iterator[AnyEvent]:
    """All rows as one event. `at` is when the last event came that they are told behind."""
    if not rows:
        return
    if at is not None and at > rows[-1].at:  # of two machines' clocks the later line may show the earlier time
        rows = [*rows[:-1], msgspec.structs.replace(rows[-1], at=at)]
    if len(rows) < LEAST_ROWS:
        yield from rows
        return
    yield MetricColumns(
        at=rows[-1].at,
        steps=[row.step for row in rows],
        values={name: [row.values[name] for row in rows] for name in rows[0].values},
        epochs=[row.epoch for row in rows if row.epoch is not None],
        elapsed=[row.elapsed for row in rows if row.elapsed is not None],
    )


def _in_a_row(one: StepsTaken, other: StepsTaken) -> bool:
    count = len(one.losses)
    follows = (one.epoch, one.step + count, one.batch + count) == (other.epoch, other.step, other.batch)
    return follows and one.metrics.keys() == other.metrics.keys()


def _joined(steps: list[StepsTaken]) -> StepsTaken:
    losses: list[float | None] = []
    lrs: list[float] = []
    elapsed: list[float] = []
    metrics: dict[str, list[float | None]] = {name: [] for name in steps[0].metrics}
    for event in steps:
        losses += event.losses
        lrs += event.lrs * len(event.losses) if len(event.lrs) == 1 else event.lrs
        elapsed += event.elapsed
        for name, values in event.metrics.items():
            metrics[name] += values
    return msgspec.structs.replace(steps[0], at=steps[-1].at, losses=losses, lrs=lrs, elapsed=elapsed, metrics=metrics)


def _summed(times: list[CallsTimed]) -> CallsTimed:
    """Their sum, as a history adds them up; calls that were timed and not counted are named in their place."""
    seen = CallsSeen()
    for event in times:
        seen.timed(event)
    return CallsTimed(
        at=times[-1].at,
        counts={call: tally.count for call, tally in seen.tallies.items()},
        seconds={call: tally.seconds for call, tally in seen.tallies.items()},
        running=seen.running,
    )
