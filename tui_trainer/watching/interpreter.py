"""From the trace of a watched process to the events of a record.

Each part is a fold of its own: `passes` has the epochs, `steps` the losses, `listing` the loop. Here rows go to them in
their order, and what they come to goes out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from math import nan
from typing import Any

import numpy as np

from tui_trainer.events import TRAINING, AnyEvent, CallsTimed, EpochEnded, LoopFound, PhaseStarted, StepsTaken
from tui_trainer.watching.configured import configured, event
from tui_trainer.watching.definitions import Definitions
from tui_trainer.watching.listing import Listing
from tui_trainer.watching.passes import Passes
from tui_trainer.watching.run_clock import RunClock
from tui_trainer.watching.step_teller import StepTeller
from tui_trainer.watching.steps import LateValues, Losses, Step, Value
from tui_trainer.watching.trace import LATE, AnyDefinition, Obeyed, Options, Rows, Site

STEPS_WAITING = 256
"""Steps after which a value that is still to come is given up."""

STEPS_HELD = 1000
"""More are told at once."""

RECENT = 512
"""Calls since the last step that are kept, to find the order of calls in."""


class Interpreter:
    """Takes the frames of one run's processes, and emits what they tell.

    Attributes:
        step: steps of the run so far.
    """

    def __init__(
        self, emit: Callable[[AnyEvent], None], options: Options, clock: Callable[[], float] = time.time
    ) -> None:
        """Nothing was read yet.

        Args:
            emit: takes each event.
            options: how it is watched.
            clock: gives the Unix time.
        """
        self._emit, self._options, self._now = emit, options, clock
        self._definitions = Definitions()
        self._clock = RunClock()
        self._passes = Passes()
        self._losses = Losses()
        self._late = LateValues()
        self._listing = Listing(self._definitions)
        self._teller = StepTeller(self._emit_steps, clock)
        self._handlers: dict[float, Callable[[float, float, float], None]] = {}
        self._recent: list[list[float]] = []
        """Calls since the last step of the run."""
        self._row = 0
        """The number of the row that is read."""
        self._main = 0
        """The optimizer whose steps are counted; 0 before the first."""
        self._lr = self._last_lr = nan
        """Of its first group: what the next step will use, and what the last one used."""
        self._steps: list[Step] = []
        """Those that were not told yet."""
        self._last: Step | None = None
        """The last one, told or not."""
        self.step = 0
        self._epoch_begins = 1
        """The first step of the epoch."""
        self._epoch_loss = (0.0, 0)
        """The sum of the losses of the epoch's steps that were told, and how many they are."""
        self._at_last_tick = 0
        """The last step then."""
        self._configured: dict[str, Any] | None = None

    @property
    def epoch(self) -> int:
        """The epoch of the last step; 0 before the first."""
        return self._passes.epoch

    # What comes in

    def take(self, process: str, frame: AnyDefinition | Rows) -> None:
        """A frame of the run's first process."""
        if isinstance(frame, np.ndarray):
            self._take_rows(frame)
            return
        self._definitions.take(frame)
        match frame:
            case Site():
                self._handle(frame)
            case Obeyed():
                self._obeyed(frame)
            case _:
                pass

    def take_other_rank(self, process: str, frame: AnyDefinition | Rows) -> None:
        """A frame of another process of the run."""

    def printed(self, line: str) -> None:
        """A line that the command printed."""

    def tick(self) -> None:
        """Some time went by: tell what is complete. What comes after a step and belongs to it has come by the second
        call."""
        until, self._at_last_tick = self._at_last_tick, self.step
        self._tell(until)

    def finish(self) -> None:
        """The process is gone: tell what is pending."""
        self._passes.finish()
        if self._passes.over:
            self._end_epoch()
        self._late.give_up(self._row)
        self._tell(self.step)

    # Rows

    def _take_rows(self, rows: Rows) -> None:
        handlers = self._handlers
        for row in rows.tolist():
            site, begin, end, value = row
            if (handler := handlers.get(site)) is not None:
                handler(begin, end, value)
                self._recent.append(row)
            elif site == LATE:
                self._late.come(begin, value)
            self._row += 1
        del self._recent[:-RECENT]
        self._listing.count(rows)
        if len(self._steps) > STEPS_HELD:
            self._tell(self.step - 1)

    def _handle(self, site: Site) -> None:
        """Have the rows of a site handled."""
        handler = {
            "data": self._data,
            "backward": self._backward,
            "optimizer.step": self._optimizer_step,
            "lr": self._lr_moved,
        }.get(site.call, self._call)
        if LATE < site.id <= 2**53:
            self._handlers[site.id] = partial(handler, site)

    def _call(self, site: Site, begin: float, _end: float, _value: float) -> None:
        """A call of which nothing more than its place is kept."""
        if not self._listing.knows(site.id):
            self._listing.place(site, self._passes.innermost, begin, self._recent)

    def _data(self, site: Site, begin: float, end: float, value: float) -> None:
        passes = self._passes
        if value == 1:
            passes.end(site.id, site.target)
            return
        if value == 0:
            passes.batch(site.id, site.target, self._definitions.batches(site.target), end)
        else:
            passes.begin(site.id, site.target, self._definitions.batches(site.target), end)
        if not self._listing.knows(site.id):
            self._listing.place(site, passes.around, begin, self._recent)
        if passes.over:
            self._end_epoch()

    def _backward(self, site: Site, begin: float, end: float, value: float) -> None:
        self._call(site, begin, end, value)
        self._passes.backward()
        loss = Value(site.name, site.id, value)
        if value != value:  # nan: it comes late, or there is none
            self._late.expect(self._row, loss)
        self._losses.backward(loss, begin)

    def _lr_moved(self, site: Site, _begin: float, _end: float, value: float) -> None:
        if site.part == 0 and site.target == self._main:
            self._lr = value

    def _optimizer_step(self, site: Site, begin: float, end: float, value: float) -> None:
        self._call(site, begin, end, value)
        optimizer = site.target
        if self._definitions.wrapped(optimizer) != optimizer:
            return
        loss, others, number = self._losses.of_step(begin)
        if not self._main:
            self._begin(optimizer, begin)
        elif optimizer != self._main:
            if self._last is not None:
                self._last.others += [loss, *others] if number else others
            return
        if self._passes.is_over_at_step():
            self._end_epoch()
        before = self.epoch
        self._passes.step()
        self.step += 1
        if self.epoch > before:
            self._epoch_begins = self.step
        batch = self.step - self._epoch_begins + 1
        elapsed = self._clock.at(end)
        self._last = Step(self.step, self.epoch, batch, self._lr, elapsed, loss, others, number)
        self._last_lr = self._lr
        self._steps.append(self._last)
        self._recent.clear()

    def _begin(self, optimizer: int, begin: float) -> None:
        """The first optimizer steps for the first time."""
        self._main = optimizer
        lr = self._definitions.first_lr(optimizer, 0)
        if lr is not None:
            self._lr = lr
        self._clock.begin(min((row[1] for row in self._recent), default=begin))

    # What goes out

    def _obeyed(self, frame: Obeyed) -> None:
        if frame.what == "pause":
            self._clock.stop(frame.clock)
        elif frame.what in ("run", "one", "stop"):
            self._clock.go_on(frame.clock)
        self._tell(self.step)

    def _tell(self, until: int) -> None:
        """Emit what is known of the steps up to one, the listing, and how long the calls took."""
        ready = 0
        for step in self._steps:
            if step.number > until or (step.waits and self.step - step.number < STEPS_WAITING):
                break
            ready += 1
        if ready:
            self._tell_configuration()
            steps = self._steps[:ready]
            del self._steps[:ready]
            self._teller.tell(steps)
        if self._configured is None:
            return
        if self._listing.changed:
            self._emit(LoopFound(at=self._now(), sites=self._listing.sites()))
        counts, seconds, running = self._listing.timed()
        if counts:
            self._emit(CallsTimed(at=self._now(), counts=counts, seconds=seconds, running=running))

    def _tell_configuration(self) -> None:
        fields = configured(self._definitions, self._options, self._main, self._passes)
        if fields != self._configured:
            first, self._configured = self._configured is None, fields
            self._emit(event(fields, self._now()))
            if first:
                self._emit(PhaseStarted(at=self._now(), phase=TRAINING))

    def _emit_steps(self, told: AnyEvent) -> None:
        if isinstance(told, StepsTaken):
            seen = [loss for loss in told.losses if loss is not None]
            sum_so_far, count = self._epoch_loss
            self._epoch_loss = sum_so_far + sum(seen), count + len(seen)
        self._emit(told)

    def _end_epoch(self) -> None:
        self._late.give_up(self._row)
        self._passes.end_epoch()
        self._tell(self.step)
        total, count = self._epoch_loss
        self._epoch_loss = 0.0, 0
        self._emit(
            EpochEnded(
                at=self._now(),
                epoch=self.epoch,
                step=self.step,
                train_loss=total / count if count else nan,
                train_accuracy=nan,
                val_loss=nan,
                val_accuracy=nan,
                lr=self._last_lr,
                images_per_second=nan,
                elapsed=self._clock.seconds,
                validated=None,
            )
        )
