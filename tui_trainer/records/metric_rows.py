"""Every number of a record in long form, a row for each, as the history has them: of what was trained again from an
earlier step, the latest.

A record may hold more numbers than memory does. So its journal is read twice: the first time only to see which series
went back to which step, and where; the second time a row is told as it comes, if nothing later takes its place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import nan
from typing import NamedTuple

from tui_trainer.events import MOMENTUM, AnyEvent, EpochEnded, MetricColumns, MetricsLogged, StepsTaken
from tui_trainer.records.history import BY_EPOCH, History, is_told
from tui_trainer.records.series import AllSeries, StepSeries, shown_name


class Row(NamedTuple):
    """A number of a series."""

    step: int
    epoch: int | None
    """None where nothing says it."""
    batch: int | None
    elapsed: float | None
    """Seconds on the run's clock; None where nothing says it."""
    name: str
    """As the event has it; `shown_name` is what it is shown by where it was logged."""
    value: float | int
    logged: bool = True
    """False: it is of a series of every step, which never goes back."""
    single: bool = False
    """Whether it was recorded in single precision."""


def rows_of(event: AnyEvent, *, logged_alone: bool = False) -> Iterator[Row]:
    """The numbers that an event tells, each as a row, as far as the event itself knows.

    `logged_alone`: without those of the series of every step, which are many and never go back.
    """
    if isinstance(event, StepsTaken):
        yield from _of_steps(event, logged_alone)
    elif isinstance(event, MetricsLogged):
        for name, value in event.values.items():
            yield Row(event.step, event.epoch, event.batch, event.elapsed, name, value)
    elif isinstance(event, MetricColumns):
        for index, step in enumerate(event.steps):
            epoch = event.epochs[index] if event.epochs else None
            elapsed = event.elapsed[index] if event.elapsed else None
            for name, values in event.values.items():
                yield Row(step, epoch, None, elapsed, name, values[index])
    elif isinstance(event, EpochEnded):
        for name in BY_EPOCH:
            if is_told(event, name):
                yield Row(event.step, event.epoch, None, event.elapsed, name, getattr(event, name))


def _of_steps(event: StepsTaken, logged_alone: bool) -> Iterator[Row]:
    if logged_alone and not event.metrics:
        return
    lrs = event.lrs if len(event.lrs) > 1 else (event.lrs or [nan]) * len(event.losses)
    for index, (value, rate, elapsed) in enumerate(zip(event.losses, lrs, event.elapsed, strict=True)):
        place = event.step + index, event.epoch, event.batch + index, elapsed
        if not logged_alone and event.losses_seen:
            yield Row(*place, "train_loss", nan if value is None else value, logged=False, single=True)
        if not logged_alone and event.lrs:
            yield Row(*place, "lr", rate, logged=False)
        for name, values in event.metrics.items():
            other = values[index]
            yield Row(*place, name, nan if other is None else other)


class StandingRows:
    """The rows of a record that nothing later takes the place of, event by event.

    Memory is 20 bytes a step that tells loss and LR, 16 for each step at which other numbers were told with the run's
    clock, and some for each name and each time that a series went back; however many series there are.
    """

    def __init__(self, events: Iterable[AnyEvent]) -> None:
        """Read a record for the first time: its events, each that is new once."""
        self._places = History()
        self._places.series = _NoSeries()
        """Says of which epoch a step is, and when it was taken."""
        self._went_back: dict[str, deque[tuple[int, int]]] = {}
        """Of each series that did: after how many rows to which step; both rise, since a later one to an earlier step
        leaves nothing of those before it to say."""
        self.count = 0
        """How many events there were."""
        self.has_steps = self.has_epochs = self.has_momentum = False
        """Whether steps were told one by one, whether the ends of epochs were, and whether momenta of steps were."""
        last: dict[str, tuple[int, int]] = {}
        for event in events:
            self.count += 1
            if isinstance(event, StepsTaken):
                self.has_steps, self.has_momentum = True, self.has_momentum or MOMENTUM in event.metrics
            self.has_epochs |= isinstance(event, EpochEnded)
            self._places.apply(event)
            for row in rows_of(event, logged_alone=True):
                rows, step = last.get(row.name, (0, -1))
                if row.step <= step:
                    self._went_back_to(row.name, rows, row.step)
                last[row.name] = rows + 1, row.step
        self._told: dict[str, int] = dict.fromkeys(self._went_back, 0)

    def _went_back_to(self, name: str, rows: int, step: int) -> None:
        known = self._went_back.setdefault(name, deque())
        while known and known[-1][1] >= step:
            known.pop()
        known.append((rows, step))

    def stands(self, row: Row) -> bool:
        """Whether a row is told; to be asked of each row once, in their order, as the record is read again."""
        known = self._went_back.get(row.name) if row.logged else None
        if known is None:
            return True
        told = self._told[row.name] = self._told[row.name] + 1
        while known and known[0][0] < told:
            known.popleft()
        return not known or row.step < known[0][1]

    def shown(self, row: Row) -> str:
        """The name that the series of a row is shown by."""
        return shown_name(row.name, self.has_steps) if row.logged else row.name

    def placed(self, row: Row) -> Row:
        """The row with its epoch and time, where the run tells them at all."""
        if row.epoch is not None and row.elapsed is not None:
            return row
        epoch = self._places.epoch_at(row.step) if row.epoch is None else row.epoch
        elapsed = self._places.clock_at(row.step) if row.elapsed is None else row.elapsed
        return row._replace(epoch=epoch, elapsed=elapsed)


class _NoSeries(AllSeries):
    """Holds no number."""

    def add_of_steps(self, *added: StepSeries) -> None:
        """Nothing."""

    def log(self, step: int, values: Mapping[str, float | int]) -> None:
        """Nothing."""

    def log_many(self, name: str, steps: Sequence[int], values: Sequence[float | int]) -> None:
        """Nothing."""
