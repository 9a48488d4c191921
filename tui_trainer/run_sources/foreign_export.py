"""Another tool's record as an export reads it: what stands in it now, as events, series by series."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Collection, Iterator
from itertools import islice

from tui_trainer.events import MOST_METRICS, SCHEMA, AnyEvent, MetricColumns, RunStarted
from tui_trainer.foreign_records.forms import Record
from tui_trainer.records.errors import RunUnreadable
from tui_trainer.records.series import LoggedSeries
from tui_trainer.run_sources.foreign_source import ForeignSource

ROWS_TOGETHER = 50_000
"""Of an event."""

LONGEST_NAME = 100
"""Characters of the folder that is named after the run."""


class ForeignRecorded:
    """A record, read once: 16 bytes a number are held, and no file of it is looked at again."""

    tables: Collection[str] = ("metrics.csv",)

    def __init__(self, record: Record) -> None:
        """Read it.

        Raises:
            RunUnreadable: it cannot be.
            RunsError: something is not installed that its form needs.
        """
        source = ForeignSource(record.kind, record.path)
        try:
            source.read_all()
        except OSError as cause:
            raise RunUnreadable(record.path, cause) from cause
        finally:
            source.close()
        self.name = re.sub(r"[^\w.+ -]", "_", source.name)[:LONGEST_NAME].strip(". ") or "run"
        self.notes = source.notes
        self._flaws = source.flaws
        self._history = source.history

    def events(self, warn: Callable[[str], None], most: int | None = None) -> Iterator[AnyEvent]:
        yield from islice(self._events(), most)
        for flaw in self._flaws:
            warn(flaw)

    def _events(self) -> Iterator[AnyEvent]:
        history = self._history
        began = history.first_started.at if history.first_started is not None else 0.0
        yield RunStarted(at=began, run=self.name, schema=SCHEMA, pid=0, host="")
        for name in history.series:
            if (said := history.series.declared(name)) is not None:
                yield said
        for together in self._alike():
            steps = together[0].steps
            for first in range(0, len(steps), ROWS_TOGETHER):
                yield self._columns(together, steps[first : first + ROWS_TOGETHER], first, began)
        if history.ended is not None:
            yield history.ended

    def _alike(self) -> Iterator[list[LoggedSeries]]:
        """Series that were told at the same steps."""
        groups: dict[bytes, list[LoggedSeries]] = {}
        for series in self._history.series.values():
            if isinstance(series, LoggedSeries) and len(series.steps):
                groups.setdefault(series.steps.tobytes(), []).append(series)
        for group in groups.values():
            for first in range(0, len(group), MOST_METRICS):
                yield group[first : first + MOST_METRICS]

    def _columns(self, together: list[LoggedSeries], steps: array[int], first: int, began: float) -> MetricColumns:
        history, places = self._history, range(first, first + len(steps))
        epochs = [history.epoch_at(step) for step in steps] if history.logged_epochs.steps else []
        clocks = [history.clock_at(step) for step in steps] if history.logged_elapsed.steps else []
        elapsed = [clock for clock in clocks if clock is not None]
        return MetricColumns(
            at=began + (elapsed[-1] if elapsed else 0.0),
            steps=list(steps),
            values={series.name: [series.exact(place) for place in places] for series in together},
            elapsed=elapsed if len(elapsed) == len(steps) else [],
            epochs=[epoch for epoch in epochs if epoch is not None] if None not in epochs else [],
        )
