"""The median stopping rule: which trial of a session is hopeless as an epoch of it ends.

D. Golovin et al., "Google Vizier: A Service for Black-Box Optimization", KDD 2017, stop a trial whose best objective is
worse than the median of what the trials before it had on average until then. As Optuna's `MedianPruner` does, it is
compared here with their values at the same epoch; and with those of all others that have come to that, finished or not:
trials of a cluster train beside each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite
from statistics import median
from typing import NamedTuple

from tui_trainer.commands import Stop
from tui_trainer.compare.metric import ACCURACY, Metric, metric_of
from tui_trainer.compare.session import Session
from tui_trainer.events import AnyEvent, EpochEnded
from tui_trainer.text.reasons import WORSE_THAN_MEDIAN, Reason, word

MEDIAN = "median"
"""The rule's name in a session's file."""

LEAST_OTHERS = 3
"""Of fewer values a median says little."""

TOLD = ("val_accuracy", "val_loss", "train_accuracy", "train_loss")
"""What the end of an epoch tells, by which the rule can go."""


def first_epoch(epochs: int) -> int:
    """The first epoch at whose end a trial may be stopped: a quarter of them all, rounded up."""
    return max(1, -(-epochs // 4))


class Worse(NamedTuple):
    """Why a trial is hopeless."""

    best: float
    """Its own, until then."""
    median: float
    """Of what the others had at the same epoch."""
    others: int


def worse_than_median(metric: Metric, own: Iterable[float | None], others: Iterable[float | None]) -> Worse | None:
    """Whether the best of a trial's own values until an epoch is strictly worse than the median of what the others had
    at it; None where it is not, or where it or enough of the others have none. What is not finite is no value."""
    mine = [value * metric.sign for value in own if value is not None and isfinite(value)]
    there = [value for value in others if value is not None and isfinite(value)]
    if not mine or len(there) < LEAST_OTHERS or max(mine) >= (middle := median(there)) * metric.sign:
        return None
    return Worse(max(mine) * metric.sign, middle, len(there))


def can_go_by(asked: str | None) -> bool:
    """Whether the rule can go by this metric, as a session has it."""
    metric = _metric(asked)
    return metric.name in TOLD and metric.sign != 0


def _metric(asked: str | None) -> Metric:
    """What a session asks for, before there are any series."""
    return metric_of(asked, ()) if asked is not None else ACCURACY


class MedianStopping:
    """Tells the session how one trial does as it trains, and ends it where the rule says so."""

    def __init__(self, session: Session, trial: int, epochs: int, stop: Callable[[Stop], None]) -> None:
        """`epochs` are all that it is to train; `stop` is what ends it."""
        self._session, self._trial, self._epochs, self._stop = session, trial, epochs, stop
        self._metric = _metric(session.plan.metric)

    def hear(self, event: AnyEvent) -> None:
        """An event of its run, in the thread that trains."""
        if not isinstance(event, EpochEnded) or self._metric.name not in TOLD:
            return
        session, epoch = self._session, event.epoch
        session.reached_epoch(self._trial, epoch, getattr(event, self._metric.name))
        if not first_epoch(self._epochs) <= epoch < self._epochs:
            return
        session.refresh()
        own = [session.value_at(each, self._trial) for each in range(1, epoch + 1)]
        found = worse_than_median(self._metric, own, session.values_at(epoch, but=self._trial))
        if found is not None:
            values = {"best": found.best, "median": found.median, "others": found.others}
            told = Reason(WORSE_THAN_MEDIAN, {"monitor": self._metric.name, "epoch": epoch, "detail": "", **values})
            self._stop(Stop(by="session", reason=word(told)))
