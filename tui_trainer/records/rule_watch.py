"""Rules that a person gave (`text/alert_rule.py`), held against the numbers of a run: a fold over its events.

A rule is told once it has been so for as long as it says, and once more when it is so no longer. Within a minute after
that it is told again only with an end that lasts a minute: a noisy loss around its limit is no news each step.

What counts as so long, for values at steps that may be far apart: steps from the first of them in a row to the last,
both included; seconds of the run's own clock between them, which stands still in a pause; epochs that are over and of
which every value was so. A nan is neither above nor below anything: it begins the count anew, and ends nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import inf, nan
from typing import TYPE_CHECKING

from tui_trainer.events import Alert, AnyEvent, EpochEnded, MetricColumns, MetricsLogged, RunStarted, StepsTaken
from tui_trainer.records.history import BY_EPOCH, History, is_told
from tui_trainer.records.series import shown_name
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import format_lr, listed
from tui_trainer.text.plain import plain

if TYPE_CHECKING:
    from tui_trainer.text.alert_rule import AlertRule

KIND = "alert"
"""Of the `events.Alert` that tells of a rule."""

APART_S = 60.0
"""Seconds: a rule that comes and goes is not told more often."""

MEANT = {"loss": "train_loss"}
"""What a person calls a series of ours, where the run has none of that name."""

NAMES_KEPT = 200
"""Of series that a rule may have meant."""


class RuleWatch:
    """Takes the events of one run. What it keeps does not grow with the run, and an event costs what it holds.

    Args:
        rules: what to watch for.
        history: how far the run had come that is gone on with. What was told of it is not told again.
    """

    def __init__(self, rules: Sequence[AlertRule] = (), history: History | None = None) -> None:
        self._rules = [_Watched(rule) for rule in rules]
        self._by_name: dict[str, list[_Watched]] = {}
        for watched in self._rules:
            for name in {watched.rule.series, MEANT.get(watched.rule.series, watched.rule.series)}:
                self._by_name.setdefault(name, []).append(watched)
        self._missing = [watched for watched in self._rules if watched.rule.test == "missing"]
        self._names: dict[str, None] = {}
        self._step = self._epoch = self._ended = 0
        self._clock = 0.0
        self._has_steps = False
        """Whether steps are told one by one."""
        self._known = 0
        """The step up to which a resumed run may tell what is known already."""
        self._dropped: list[str] = []
        """Of rules that were told, and that nobody watches any more."""
        if history is not None:
            self._go_on_from(history)

    def take(self, event: AnyEvent) -> list[Alert]:
        """What is to be told now that `event` has happened."""
        if not self._rules and not self._dropped:
            return []
        told: list[Alert] = []
        match event:
            case StepsTaken():
                told += self._steps(event)
            case EpochEnded() if event.epoch > self._ended:
                self._ended, self._clock = event.epoch, event.elapsed
                values = {name: getattr(event, name) for name in BY_EPOCH if is_told(event, name)}
                told += self._logged(event.at, values, event.step, event.epoch)
                told += (alert for watched in self._rules for alert in watched.epoch_over(event.at, self._ended))
            case MetricsLogged():
                self._clock = max(self._clock, event.elapsed or 0.0)
                told += self._logged(event.at, event.values, event.step, event.epoch)
            case MetricColumns():
                told += self._columns(event)
            case RunStarted():
                told += (_dropped(event.at, rule) for rule in self._dropped)
                self._dropped.clear()
            case _:
                pass
        return told

    def _steps(self, event: StepsTaken) -> Iterator[Alert]:
        """The values of each step, and whether others are missing by now."""
        count, self._has_steps = len(event.losses), True
        first = max(0, self._known + 1 - event.step)
        if first >= count:
            return
        columns: dict[str, Sequence[float | None]] = {"train_loss": event.losses, "lr": event.lrs, **event.metrics}
        if not event.losses_seen:
            del columns["train_loss"]
        if not event.lrs:
            del columns["lr"]
        self._remember(columns)
        for name, column in columns.items():
            for watched in self._of(name):
                values = column if len(column) == count else [*column] * count
                for index in range(first, count):
                    value = values[index]
                    where = _Place(event.step + index, event.epoch, event.elapsed[index])
                    yield from watched.take(event.at, where, nan if value is None else value, self._ended)
        self._step, self._epoch, self._clock = event.step + count - 1, event.epoch, event.elapsed[-1]
        here = _Place(self._step, self._epoch, self._clock)
        for watched in self._missing:
            yield from watched.look(event.at, here)
        if event.epoch > 1 and self._ended:
            for watched in self._rules:
                yield from watched.complain(event.at, self._names)

    def _columns(self, event: MetricColumns) -> Iterator[Alert]:
        """Row by row, as each was told; and whether others are missing by now."""
        for index, step in enumerate(event.steps):
            epoch = event.epochs[index] if event.epochs else None
            self._clock = max(self._clock, event.elapsed[index]) if event.elapsed else self._clock
            self._step, self._epoch = max(self._step, step), self._epoch if epoch is None else epoch
            values = {name: column[index] for name, column in event.values.items()}
            yield from self._logged(event.at, values, step, epoch)
        here = _Place(self._step, self._epoch, self._clock)
        for watched in self._missing:
            yield from watched.look(event.at, here)

    def _logged(self, at: float, values: Mapping[str, float], step: int, epoch: int | None) -> Iterator[Alert]:
        """Values that were told together, unless they are known from before the run was gone on with."""
        if step < self._known:
            return
        self._remember(values)
        where = _Place(step, self._epoch if epoch is None else epoch, self._clock)
        for name, value in values.items():
            for watched in self._of(shown_name(name, self._has_steps)):
                yield from watched.take(at, where, value, self._ended)

    def _of(self, name: str) -> Sequence[_Watched]:
        """The rules that watch a series; a rule that was given another name watches it as long as there is none."""
        if name in MEANT:
            meant = MEANT[name]
            self._by_name[meant] = [watched for watched in self._by_name.get(meant, ()) if watched.rule.series != name]
        return self._by_name.get(name, ())

    def _remember(self, names: Iterable[str]) -> None:
        if len(self._names) < NAMES_KEPT:
            self._names.update(dict.fromkeys(names))

    def _go_on_from(self, history: History) -> None:
        """Stand where one would that had taken all of its events."""
        self._known = self._step = history.last_step
        self._epoch, self._clock, self._has_steps = history.epoch, history.elapsed_s, history.steps > 0
        self._ended = history.epochs[-1].epoch if history.epochs else 0
        self._remember(history.series)
        for name in MEANT.keys() & history.series.keys():
            self._of(name)
        for watched in self._rules:
            watched.go_on_from(history, self._ended, _Place(self._step, self._epoch, self._clock))
        ours = {str(watched.rule) for watched in self._rules}
        self._dropped = [text for text in history.rules_told if text not in ours]


def _dropped(at: float, rule: str) -> Alert:
    return Alert(at=at, kind="recovered", text=say("alert.dropped", rule=plain(rule)), over=KIND, rule=rule)


class _Place:
    """Where a value was told."""

    __slots__ = ("clock", "epoch", "step")

    def __init__(self, step: int, epoch: int, clock: float) -> None:
        self.step, self.epoch, self.clock = step, epoch, clock

    def __str__(self) -> str:
        return f"step {self.step:,}" + (f", epoch {self.epoch:,}" if self.epoch else "")


class _Watched:
    """One rule, and what is known of its series."""

    def __init__(self, rule: AlertRule) -> None:
        self.rule = rule
        self._text = str(rule)
        self._seen = False
        self._told = False
        """That it is so was told, and not that it is over."""
        self._since: _Place | None = None
        """The first value in a row for which it is so."""
        self._whole_from = 0
        """The first epoch of which every value was so."""
        self._not_so_in = -1
        """The last epoch of which one was not."""
        self._last = _Place(0, 0, 0.0)
        self._value = nan
        self._so_at = -inf
        """The clock as it was last so."""
        self._over_at = -inf
        self._lasts = False
        """Whether its end must last before it is told."""

    def take(self, at: float, where: _Place, value: float, ended: int) -> Iterator[Alert]:
        """A value was told."""
        self._seen, self._last, self._value = True, where, value
        so = self.rule.holds(value)
        if so:
            if self._since is None:
                self._since = where
                self._whole_from = where.epoch + (where.epoch == self._not_so_in)
            self._so_at = where.clock
            if not self._told and self._is_long_enough(ended):
                yield self._tell(at)
            return
        self._since, self._not_so_in = None, where.epoch
        if self._told and so is False and (not self._lasts or where.clock - self._so_at >= APART_S):
            yield self._tell_end(at, where)

    def epoch_over(self, at: float, ended: int) -> Iterator[Alert]:
        """An epoch is over; all that was told of it by step is told."""
        if self.rule.unit == "epoch" and self._since is not None and not self._told and self._is_long_enough(ended):
            yield self._tell(at)

    def look(self, at: float, now: _Place) -> Iterator[Alert]:
        """See whether the series is missing for too long. Of an epoch that goes on nothing is missing yet."""
        long = {
            "step": now.step - self._last.step,
            "epoch": now.epoch - 1 - self._last.epoch,
            "second": now.clock - self._last.clock,
        }
        if long[self.rule.unit] < self.rule.span:
            return
        self._so_at = now.clock
        if not self._told:
            self._told, self._lasts = True, now.clock - self._over_at < APART_S
            last = say("alert.last", place=self._last) if self._last.step else say("alert.never")
            yield Alert(at=at, kind=KIND, text=f"{KIND}: {plain(self._text)}: {last}", rule=self._text)

    def complain(self, at: float, names: Iterable[str]) -> Iterator[Alert]:
        """After a whole epoch there is no such series; said once."""
        if self._seen or self.rule.test == "missing":
            return
        self._seen = True
        from difflib import get_close_matches  # once in a run, if at all

        close = get_close_matches(self.rule.series[:100], list(names), n=1, cutoff=0.6)
        shown = listed([plain(name)[:60] for name in close or names], most=6)
        words = say("alert.unknown", rule=plain(self._text), series=plain(self.rule.series)[:100], names=shown)
        yield Alert(at=at, kind="watching", text=words, rule=self._text)

    def go_on_from(self, history: History, ended: int, now: _Place) -> None:
        """What was told, and how long it has been so, in a run that is gone on with."""
        self._told = self._text in history.rules_told
        series = history.series.get(self.rule.series) or history.series.get(MEANT.get(self.rule.series, ""))
        if series is None or not len(series.values):
            self._seen = any(notice.rule == self._text for notice in history.notices)  # that it watches nothing
            return
        self._seen = True
        steps, values = series.steps, series.values
        self._last = self._place(history, steps[-1])
        self._value = values[-1]
        for index in range(len(values) - 1, -1, -1):
            if not self.rule.holds(values[index]):
                self._not_so_in = self._place(history, steps[index]).epoch
                break
            self._since = self._place(history, steps[index])
            self._whole_from = self._since.epoch
            if self._is_long_enough(ended):
                break
        if self._since is not None:
            self._so_at = self._last.clock
            self._whole_from = self._since.epoch + (self._since.epoch == self._not_so_in)

    @staticmethod
    def _place(history: History, step: int) -> _Place:
        epochs = history.epochs
        index = bisect_right(epochs, step - 1, key=lambda epoch: epoch.step)
        epoch = history.epoch_at(step) or (epochs[index].epoch if index < len(epochs) else 0)
        return _Place(step, epoch, history.clock_at(step) or 0.0)

    def _is_long_enough(self, ended: int) -> bool:
        since, span = self._since, self.rule.span
        if since is None:
            return False
        match self.rule.unit:
            case "step":
                return self._last.step - since.step + 1 >= span
            case "second":
                return self._last.clock - since.clock >= span
            case "epoch":
                return not span or min(ended, self._last.epoch) - self._whole_from + 1 >= span

    def _tell(self, at: float) -> Alert:
        self._told = True
        self._lasts = self._so_at - self._over_at < APART_S
        words = say("alert.so", rule=plain(self._text), value=self._shown(), place=self._last)
        return Alert(at=at, kind=KIND, text=f"{KIND}: {words}", rule=self._text)

    def _tell_end(self, at: float, where: _Place) -> Alert:
        self._told, self._over_at = False, where.clock
        words = say("alert.over", rule=plain(self._text), value=self._shown(), place=where)
        return Alert(at=at, kind="recovered", text=words, over=KIND, rule=self._text)

    def _shown(self) -> str:
        """In so many digits that it is seen on which side of the limit it is."""
        short = format_lr(float(self._value), 6)
        value = self._value
        return short if self.rule.holds(float(short)) is self.rule.holds(value) else repr(float(value))
