"""From the trace of a watched process to the events of a record.

Each part is a fold of its own: `passes` has the epochs, `steps` the losses, `rates` the LRs and `lr_causes` why they
moved, `validation` what is known of one, `listing` the loop. Here rows go to them in their order, and what they come to
goes out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from math import inf, isfinite, nan
from typing import NamedTuple

import numpy as np

from tui_trainer.events import Alert, AnyEvent, CallFollowed, CallsMade, CallsTimed, CheckpointSaved
from tui_trainer.text.captions import say
from tui_trainer.watching.interpreter.definitions import Definitions, name
from tui_trainer.watching.interpreter.followed_calls import in_words
from tui_trainer.watching.interpreter.hand_over import HandOvers, TakenOver
from tui_trainer.watching.interpreter.listing import Listing, Row
from tui_trainer.watching.interpreter.logged import OWN, LoggedNumbers
from tui_trainer.watching.interpreter.lr_causes import LRCauses
from tui_trainer.watching.interpreter.orders import BATCHES, Orders
from tui_trainer.watching.interpreter.other_ranks import OtherRanks
from tui_trainer.watching.interpreter.passes import Passes
from tui_trainer.watching.interpreter.plans import Plans
from tui_trainer.watching.interpreter.printed import from_output, training_loss
from tui_trainer.watching.interpreter.rates import Rates, Stepwise
from tui_trainer.watching.interpreter.run_clock import RunClock
from tui_trainer.watching.interpreter.steps import LateValues, Losses, Step, Value
from tui_trainer.watching.interpreter.teller import Teller
from tui_trainer.watching.interpreter.validation import LINES_KEPT, Found, Validation
from tui_trainer.watching.trace import (
    LATE,
    AnyDefinition,
    Logged,
    Obeyed,
    Observed,
    Options,
    Planned,
    Rows,
    Saved,
    SchedulerSeen,
    SchedulerState,
    Site,
)

STEPS_HELD = 1000
"""More are told at once."""

STEPS_WITHOUT_LOSS = 20
"""Where none of so many steps had a loss that could be seen, printed ones are told."""

LINES_LATE_S = 0.25
"""So long after it was printed, at most, a line is seen."""

TOLD_AT_MOST = 20
"""So often it is said that another optimizer took over."""

QUIET_S = 5.0
"""While what a program tells is held, it is shown so often that it goes on."""

RECENT = 512
"""Calls since the last step that are kept, to find the order of calls in."""

Handler = Callable[[float, float, float], None]


class Ended(NamedTuple):
    """An epoch that is over, and whose end is still to be told."""

    found: Found
    """What is known of its validation."""
    step: int
    """Its last one."""
    at: float
    """The moment of the process at which it was over."""
    until: float
    """The Unix time until which it waits for what is not known."""


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
        self._now = clock
        self._definitions = Definitions()
        self._passes = Passes()
        self._clock = RunClock()
        self._hand_overs = HandOvers()
        self._losses, self._late = Losses(), LateValues()
        self._rates = Rates(self._definitions)
        self._causes = LRCauses(self._definitions, self._passes, clock)
        self._plans = Plans(self._passes, self._causes)
        self._validation = Validation(self._definitions)
        self._logged = LoggedNumbers()
        self._listing = Listing(self._definitions)
        self._ranks = OtherRanks()
        self._teller = Teller(emit, clock, self._definitions, options, self._passes, self._causes)
        self._scale, self._skips = Stepwise("loss_scale"), Stepwise("skipped_steps")
        self._handlers: dict[float, Handler | None] = {}
        """What takes the rows of each site; None where no more is kept of them than that they were."""
        self._calls: dict[float, str] = {}
        self._orders = Orders(self._calls)
        self._scheduler_defined = 0
        """The scheduler that the last frame defined, or the last but its plan; 0 where it was another."""
        self._recent: list[Row] = []
        """The last calls."""
        self._cut = 0
        """Of these, the first of the batch, or the epoch's end, that is under way."""
        self._stepped = False
        """Whether a step of the run was made since then."""
        self._under_way = False
        """Whether something was done for the next step: a batch of the training taken, or, where there are none, a loss
        gone backward."""
        self._row = 0
        """The number of the row that is read."""
        self._main = 0
        """The optimizer whose steps are counted; 0 before the first."""
        self._took_over = 0
        """How often another one took over."""
        self._takes_over = False
        """Whether the step that comes is the first of one that did."""
        self._quiet_since = 0.0
        """When it was shown last that the program goes on, though nothing can be told yet."""
        self._epoch_begins = 1
        """The first step of the epoch."""
        self._step_began = inf
        """The moment at which the last step began."""
        self._frame: Rows = np.empty((0, 4))
        """The rows that are read, and the number of the first of them."""
        self._frame_began = 0
        self._ended: Ended | None = None
        """The epoch whose end is held, until a line that was printed before it was read."""
        self._printed: list[tuple[float, Value]] = []
        """Losses that were printed, each with the moment at which it came."""
        self._following = False
        self._at_last_tick = 0
        """The last step then."""
        self.step = 0

    @property
    def epoch(self) -> int:
        """The epoch of the last step; 0 before the first."""
        return self._passes.epoch

    @property
    def own_lr(self) -> float:
        """What the program gives the next step of the run, without the LR dial; nan where it is not known."""
        return self._rates.of(self._main) / self._causes.factor

    # What comes in

    def take(self, process: str, frame: AnyDefinition | Rows) -> None:
        """A frame of the run's first process."""
        if self._ranks.several:
            self._ranks.take("", frame)
        for given in self._hand_overs.take(frame):
            self._take(given)

    def _take(self, frame: AnyDefinition | Rows | TakenOver) -> None:
        """What a process told, once it is known whose steps are the run's."""
        if isinstance(frame, np.ndarray):
            self._take_rows(frame)
            return
        if isinstance(frame, TakenOver):
            self._take_over(frame.optimizer)
            return
        self._definitions.take(frame)
        defined, self._scheduler_defined = self._scheduler_defined, 0
        match frame:
            case Site():
                self._handle(frame)
                if defined and frame.call == "scheduler.step" and frame.target == defined:
                    self._causes.define_site(frame)
            case SchedulerSeen():
                self._causes.define(frame)
                self._scheduler_defined = frame.id
            case SchedulerState():
                self._explain(self._causes.state(frame, self.step, self.epoch))
            case Planned():
                self._plans.take(frame, self.step)
                self._scheduler_defined = defined
            case Logged():
                self._take_logged(frame)
            case Observed(fact="divided", site=site, values={"by": by}) if type(by) in (int, float):
                self._losses.divisors[site] = float(by)
            case Saved():
                self._saved(frame)
            case Obeyed():
                self._obeyed(frame)
            case _:
                pass

    def step_of(self, told: Obeyed) -> int:
        """Which step of the run a process stands behind as it obeys: it counts those of each optimizer apart."""
        if not self._took_over and not self._hand_overs.holds:
            return told.step
        return self.step + self._hand_overs.steps_held

    def take_other_rank(self, process: str, frame: AnyDefinition | Rows) -> None:
        """A frame of another process of the run."""
        if not self._ranks.several and self._definitions.hello is not None:
            self._ranks.take("", self._definitions.hello)
            for site in self._definitions.sites.values():
                self._ranks.take("", site)
        self._ranks.take(process, frame)

    def dial(self, factor: float, by: str) -> None:
        """A person turned the LR dial: from the next step on each LR is so many times the program's own."""
        self._causes.dial(factor, by)

    def printed(self, line: str, at: float) -> None:
        """A line that the command printed, which came at this moment of `time.perf_counter()`: the calls before it may
        come later than it, and those behind it sooner."""
        self._validation.printed(line, at)
        found = training_loss(line) if not self._teller.has_losses else None
        if found is not None and isfinite(found.value):
            self._printed.append((at, Value(name(from_output(found.label)), 0, found.value)))
            del self._printed[:-LINES_KEPT]

    def _tell_printed(self, until: float) -> None:
        """Losses that were printed until a moment are of the step that was made last by then."""
        while self._printed and self._printed[0][0] < until:
            at, loss = self._printed.pop(0)
            of = self._teller.last if at >= self._step_began else self._teller.previous
            if of is not None and not self._teller.has_losses and of.number >= STEPS_WITHOUT_LOSS:
                of.others.append(loss)

    def tick(self) -> None:
        """Some time went by: tell what is complete. What comes after a step and belongs to it has come by the second
        call."""
        if self._ended is not None and self._now() >= self._ended.until:
            self._tell_epoch()
        until, self._at_last_tick = self._at_last_tick, self.step
        self._tell(until)
        if self._hand_overs.steps_held and self._now() - self._quiet_since >= QUIET_S:
            self._quiet_since = self._now()
            self._teller.emit(CallsTimed(at=self._quiet_since, counts={}, seconds={}, running=""))
        if self._ranks.several and (last := self._teller.last) is not None and (speeds := self._ranks.speeds()):
            self._teller.log(last, speeds)

    def finish(self) -> None:
        """The process is gone: tell what is pending."""
        for given in self._hand_overs.finish():
            self._take(given)
        self._tell_epoch()
        self._tell_printed(inf)
        if (last := self._teller.last) is not None:
            self._rates.end(last)
            self._scale.end(last)
            self._skips.end(last)
            last.others += self._losses.left()
        self._close_passes(finished=True)
        if self._passes.over:
            self._end_epoch(inf)
        elif (found := self._validation.take(inf)) is not None:
            self._tell(self.step)
            self._teller.tell_validation(found)
        self._late.give_up(self._row)
        self._tell(self.step)

    # Rows

    def _take_rows(self, rows: Rows) -> None:
        handlers, recent = self._handlers, self._recent
        following = self._following
        self._frame, self._frame_began = rows, self._row
        for row in zip(*rows.T.tolist(), strict=True):
            site, begin, end, value = row
            if site in handlers:
                recent.append(row)
                before = self.step
                if (handler := handlers[site]) is not None:
                    handler(begin, end, value)
                if following:
                    self._follow(site, value, before)
            elif site == LATE:
                self._late.come(begin, value)
            self._row += 1
        self._cut = max(0, self._cut - max(0, len(recent) - RECENT))
        del recent[:-RECENT]
        self._listing.count(rows)
        if self._teller.waiting > STEPS_HELD:
            self._tell(self.step - 1)

    def _handle(self, site: Site) -> None:
        """Have the rows of a site handled."""
        handlers: dict[str, Callable[[Site, float, float, float], None]] = {
            "data": self._data,
            "backward": self._backward,
            "optimizer.step": self._optimizer_step,
            "scheduler.step": self._scheduler_step,
            "lr": self._rate,
            "momentum": self._rate,
            "weight_decay": self._rate,
            "clip_grad": self._clip,
            "scale": self._scaled,
            "scaler.step": self._scaler_step,
            "item": self._item,
            "held": self._held,
        }
        if LATE < site.id <= 2**53 and site.id in self._definitions.sites:
            self._handlers[site.id] = partial(handlers.get(site.call, self._call), site)
            self._calls[site.id] = site.call

    def _call(self, site: Site, begin: float, _end: float, _value: float) -> None:
        """A call of which nothing more than its place is kept."""
        self._place(site, begin)
        self._handlers[site.id] = None

    def _place(self, site: Site, begin: float) -> None:
        """Give a call its place in the listing, if it is made for the first time."""
        if not self._listing.knows(site.id):
            self._listing.place(site, self._passes.innermost, begin, self._recent)

    def _data(self, site: Site, begin: float, end: float, value: float) -> None:
        passes, place = self._passes, self._definitions.place(site)
        if value == 1:
            if passes.end(place, site.target) is passes.training:
                self._cut_batch(len(self._recent))
                self._under_way = False
        elif value == 0:
            given = passes.batch(place, site.target, self._definitions.batches(site.target), end)
            self._under_way |= passes.trains(given)
            if given is passes.training and self._stepped:  # of several batches for a step the calls belong together
                self._cut_batch(len(self._recent) - 1)
        else:
            passes.begin(place, site.target, self._definitions.batches(site.target), end)
        if not self._listing.knows(site.id):
            self._listing.place(site, passes.around, begin, self._recent)
        if passes.done:
            self._close_passes()
        if passes.over:
            self._end_epoch(begin, self._before_next_step(begin))

    def _before_next_step(self, moment: float) -> float:
        """Until when a line that comes was printed before this moment, as it may come somewhat later: until the next
        step of an optimizer at most."""
        ahead = self._frame[self._row - self._frame_began + 1 :]
        steps = [site for site, call in self._calls.items() if call == "optimizer.step"]
        begins: list[float] = ahead[np.isin(ahead[:, 0], steps), 1].tolist()
        return min([moment + LINES_LATE_S, *begins[:1]])

    def _close_passes(self, *, finished: bool = False) -> None:
        passes = self._passes
        if finished:
            passes.close_all()
        for done in passes.done:
            if not done.backwards:
                self._validation.pass_over(done, passes.training)
        passes.done.clear()
        if finished:
            passes.finish(validated=self._validation.seen)

    def _backward(self, site: Site, begin: float, _end: float, value: float) -> None:
        self._place(site, begin)
        self._passes.backward()
        self._under_way |= self._passes.training is None
        self._losses.backward(self._value(site.name, site.id, value), begin)

    def _value(self, called: str, site: int, number: float) -> Value:
        """The number of a row; one that is nan comes late, or there is none."""
        value = Value(called, site, number)
        if number != number:
            self._late.expect(self._row, value)
        else:
            self._late.told_at_once.add(site)
        return value

    def _rate(self, site: Site, _begin: float, _end: float, value: float) -> None:
        told = self._rates.take(site, value, self._main, (self._teller.last, self._teller.previous))
        if told is not None:
            self._losses.beside(told)
        is_first = site.call == "lr" and site.part == 0
        if is_first and site.target == (self._main or site.target) and isfinite(value):
            self._explain(self._causes.moved(value, self.step, self.epoch, self._rates_used()))

    def _clip(self, site: Site, begin: float, _end: float, value: float) -> None:
        self._place(site, begin)
        self._losses.beside(self._value("grad_norm", site.id, value))

    def _scaled(self, _site: Site, _begin: float, _end: float, value: float) -> None:
        self._move(self._scale, value)

    def _scaler_step(self, site: Site, begin: float, _end: float, value: float) -> None:
        self._place(site, begin)
        if value != 1:
            return
        if not any(row[1] >= begin and self._calls[row[0]] == "optimizer.step" for row in self._recent[-4:]):
            self._losses.drop()  # no step comes of what went backward
            self._under_way = False
        self._move(self._skips, (self._skips.value if isfinite(self._skips.value) else 0.0) + 1)

    def _move(self, series: Stepwise, value: float) -> None:
        last = self._teller.last
        told = series.move(value, last.number + 1 if last is not None else 1, last)
        if told is not None:
            self._losses.beside(told)

    def _item(self, site: Site, _begin: float, _end: float, value: float) -> None:
        current = self._passes.innermost
        if current is not None and not current.backwards and not current.steps and isfinite(value):
            self._validation.read(site, value, current)

    def _held(self, _site: Site, begin: float, end: float, _value: float) -> None:
        self._clock.held(begin, end)
        self._listing.held(begin, end)

    def _scheduler_step(self, site: Site, begin: float, _end: float, value: float) -> None:
        self._place(site, begin)
        if events := self._causes.stepped(site, value, self.step, self.epoch):
            self._explain(events)

    def _optimizer_step(self, site: Site, begin: float, end: float, value: float) -> None:
        self._place(site, begin)
        optimizer = site.target
        if optimizer != self._main and self._definitions.wrapped(optimizer) != optimizer:
            return
        loss, others, number = self._losses.of_step(begin)
        if not self._main:
            self._begin(optimizer, begin)
        elif optimizer != self._main:
            if (last := self._teller.last) is not None:
                if number:
                    self._rates.name_loss(loss, optimizer, last.loss.name)
                    last.others.append(loss)
                last.others += others
            return
        self._step(begin, end, loss, others)

    def _begin(self, optimizer: int, begin: float) -> None:
        """The first optimizer steps for the first time."""
        self._main = self._teller.main = optimizer
        self._causes.begin(optimizer, self._rates.of(optimizer))
        batches = [row[1] for row in self._recent if row[3] == 0 and self._calls[row[0]] == "data"]
        self._clock.begin(batches[-1] if batches else min((row[1] for row in self._recent), default=begin))

    def _take_over(self, optimizer: int) -> None:
        """From here on the steps of the run are those of another optimizer: this one steps next."""
        last = self._teller.last
        if last is None or optimizer == self._main:
            return
        self._tell(self.step)
        self._rates.end_of(self._main, last)
        self._main = self._teller.main = optimizer
        self._teller.took_over_at = self.step + 1
        self._took_over, self._takes_over = self._took_over + 1, True
        if self._took_over <= TOLD_AT_MOST:
            words = say("notice.taken_over", step=f"{self.step + 1:,}", optimizer=self._optimizer_name())
            self._teller.emit(Alert(at=self._now(), kind="watching", text=words))
        lr = self._rates.of(optimizer)
        self._explain(self._causes.take_over(optimizer, self._class_name(), lr, self.step, self.epoch))
        if (plan := self._plans.take_over(self.step, lr, self._now())) is not None:
            self._teller.emit(plan)

    def _class_name(self) -> str:
        seen = self._definitions.optimizers.get(self._main)
        return name(seen.class_name) if seen is not None else ""

    def _optimizer_name(self) -> str:
        """What the program calls the optimizer of the run, and its class."""
        seen = self._definitions.optimizers.get(self._main)
        names = (seen.name, seen.class_name) if seen is not None else ()
        return name(" ".join(f"{each}" for each in names if each)) or "another one"

    def _step(self, begin: float, end: float, loss: Value, others: list[Value]) -> None:
        passes, validation = self._passes, self._validation
        self._tell_printed(begin)
        if passes.is_over_at_step() or (self._takes_over and passes.is_left()):
            self._end_epoch(begin)
        elif self.step and validation.is_pending(begin):
            self._tell_validation(begin)
        before = self.epoch
        if self._takes_over:
            self._takes_over = False
            passes.take_over()
        passes.step()
        if self.epoch > before:
            self._epoch_begins = self.step + 1
            begins = (place for place, row in enumerate(self._recent) if self._is_pass_begin(row))
            self._cut = max(self._cut, max(begins, default=-1) + 1)
        self.step += 1
        batch = self.step - self._epoch_begins + 1
        self._teller.add(
            Step(
                self.step,
                self.epoch,
                batch,
                self._rates.of(self._main),
                self._clock.at(end),
                loss,
                others,
                optimizer=self._main,
            )
        )
        self._step_began = begin
        self._stepped, self._under_way = True, False
        if passes.training is None or passes.training.exhausted:  # no batch that comes will say that this one is done
            self._cut_batch(len(self._recent))

    # What goes out

    def _tell_validation(self, until: float) -> None:
        """Tell what is known of a validation within an epoch, before a moment of the process."""
        if self._ended is not None and self._take_late(self._ended, until) and self._ended.found.is_whole:
            self._tell_epoch()
        if self._validation.is_pending(until) and (found := self._validation.take(until, within=True)) is not None:
            self._tell(self.step)
            self._teller.tell_validation(found)
            self._tell_percent()

    def _tell_percent(self) -> None:
        """Say which accuracies were told as shares, and are percent."""
        mistaken = self._validation.shares.mistaken
        for called, value in mistaken.items():
            told = {"accuracy": name(called) or "accuracy", "value": f"{value:g}"}
            self._teller.emit(Alert(at=self._now(), kind="watching", text=say("notice.in_percent", **told)))
        mistaken.clear()

    def _take_logged(self, frame: Logged) -> None:
        values = self._logged.take(frame)
        self._validation.logged(values)
        self._teller.tell_names(self._logged.new_names())
        last = self._teller.last
        ahead = self._under_way if frame.step is None else frame.step > self.step
        if last is None or (ahead and frame.by == OWN):
            for called, value in values.items():
                self._losses.beside(Value(called, 0, value))
        else:
            last.others += [Value(called, 0, value) for called, value in values.items()]

    def _saved(self, frame: Saved) -> None:
        """The program wrote weights, or a checkpoint, to a file."""
        if self.step:
            self._tell(self.step)
            where = {"step": self.step, "epoch": self.epoch, "file": name(frame.file)}
            self._teller.emit(CheckpointSaved(at=self._now(), **where))  # type: ignore[arg-type]

    def _obeyed(self, frame: Obeyed) -> None:
        self._tell_epoch()
        if frame.what == "one":
            self._following = True
        elif frame.what in ("run", "pace"):
            self._following = frame.pace > 0
        self._tell(self.step)

    def _follow(self, number: float, value: float, before: int) -> None:
        """Tell a call that was made as the run had come so far, of the step that is under way or was made by it."""
        site = self._definitions.sites.get(int(number))
        if site is None or not self._listing.knows(site.id):
            return
        called = str(self._definitions.place(site))
        step = self.step if self.step > before or self._stepped else self.step + 1
        where = {"step": step, "epoch": self.epoch, "batch": None, "call": called}
        words = in_words(site, value, self._rates.of(self._main))
        for told in (None, words):
            self._teller.emit(CallFollowed(at=self._now(), value=told, **where))  # type: ignore[arg-type]

    def _explain(self, events: Iterable[AnyEvent]) -> None:
        """Tell why the LR moved, behind the step after which it did."""
        for event in events:
            self._tell(self.step)
            self._teller.emit(event)

    def _is_pass_begin(self, row: Row) -> bool:
        return row[3] == -1 and self._calls[row[0]] == "data"

    def _cut_batch(self, end: int) -> None:
        """The calls before this place are those of a batch; tell their order, if it is one of the first."""
        batch = self.step - self._epoch_begins + 1
        if self._stepped and batch <= BATCHES:
            self._tell(self.step - 1)
            self._tell_order(end, batch)
        self._cut, self._stepped = end, False

    def _tell_order(self, end: int, batch: int | None) -> None:
        """Tell the order of the calls before this place: those of a batch, or of an epoch's end."""
        calls = self._orders.of(self._recent[self._cut : end])
        if calls and self.step:
            self._teller.tell_configuration()
            self._teller.emit(CallsMade(at=self._now(), step=self.step, epoch=self.epoch, batch=batch, calls=calls))

    def _tell(self, until: int) -> None:
        """Emit what is known of the steps up to one, the plan, the listing, and how long the calls took."""
        if not self._teller.tell(until, self.step):
            return
        if (plan := self._plans.due(self._now(), self._teller.total_steps, self._rates.of(self._main))) is not None:
            self._teller.emit(plan)
        self._teller.tell_loop(self._listing)

    def _end_epoch(self, ended: float, until: float | None = None) -> None:
        """The epoch is over, at a moment of the process, and what was printed until one is of it."""
        self._tell_epoch()
        self._late.give_up(self._row)
        self._tell(self.step)
        self._tell_order(len(self._recent) - isfinite(ended), None)  # the last of them is the next epoch's
        self._cut, self._stepped = len(self._recent), False
        found = self._validation.take(ended if until is None else until) or Found()
        self._passes.end_epoch()
        self._teller.end_epoch(self.epoch, self._rates_used())
        self._ended = Ended(found, self.step, ended, self._now() + LINES_LATE_S)
        if found.is_whole or not isfinite(ended) or (self.epoch > 1 and not self._validation.prints):
            self._tell_epoch()

    def _take_late(self, of: Ended, until: float) -> bool:
        """Whether what was printed until a moment is of an epoch that is over."""
        return self._validation.take_late(of.found, min(until, of.at + LINES_LATE_S))

    def _tell_epoch(self) -> None:
        """Tell the end of the epoch that is held."""
        ended, self._ended = self._ended, None
        if ended is not None:
            if self.step == ended.step:  # what came until a step was looked at then
                self._take_late(ended, inf)
            self._teller.tell_epoch(ended.found)
            self._tell_percent()

    def _rates_used(self) -> float:
        last = self._teller.last
        return last.lr if last is not None else nan
