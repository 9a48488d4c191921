"""The epochs of a run that tells which epoch its numbers are of, and no epoch as a whole: of another tool's record."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from math import ceil, isfinite, nan
from typing import NamedTuple, overload
from weakref import WeakKeyDictionary

from tui_trainer.events import Goal
from tui_trainer.records.history import History
from tui_trainer.records.series import Series
from tui_trainer.records.series_names import our_name, words

TELL_EPOCHS = ("epoch", "train/epoch", "trainer/epoch")
"""Series that say which epoch a step is of, as Lightning and Hugging Face's trainer tell TensorBoard."""


class ToldEpoch(NamedTuple):
    """What was told last in an epoch: losses, an accuracy from 0 to 1, the LR; nan where nothing was."""

    epoch: int
    """As the tool counts."""
    step: int
    """The last one that belongs to it, as far as it is known."""
    train_loss: float
    val_loss: float
    val_accuracy: float
    lr: float
    elapsed: float
    """Seconds of the run's clock at its last step."""
    validated: bool
    """Whether a loss of what was held out was told in it, finite or not."""


class ToldEpochs(Sequence[ToldEpoch]):
    """All of them, oldest first; each is looked up as it is asked for, in a time that does not grow with the record."""

    def __init__(self, history: History) -> None:
        """Those of a history; `look` takes in what is there."""
        self._history = history
        self._begins: list[int] = []
        """The first step of each epoch."""
        self._epochs: list[int] = []
        self._seen: tuple[int, int] = (0, 0)
        self._known = -1
        self._until = -1
        """The last step of which anything is told that stands in a row: one may have gone back behind an epoch."""
        self._ours: dict[str, str] = {}
        """The series that a run of ours has by these names."""

    def look(self) -> None:
        """Take in what came since the last look; it costs what that is."""
        history = self._history
        if len(history.series) != self._known:
            self._known = len(history.series)
            self._ours = _as_ours(history)
        told: Series | None = history.logged_epochs
        if told is not None and not len(told.steps):
            told = next((history.series[name] for name in TELL_EPOCHS if name in history.series), None)
        if told is not None:
            self._take(told)
        shown = [history.series[name].steps for name in self._ours.values()]
        self._until = max((steps[-1] for steps in shown if len(steps)), default=-1)

    @property
    def begins(self) -> Sequence[int]:
        """The first step of each; not to be changed."""
        return self._begins

    @property
    def last(self) -> int:
        """The last one of which anything was told, as the tool counts; they are not empty."""
        return self._epochs[-1]

    @property
    def best(self) -> int | None:
        """Which one held the best accuracy, else the lowest loss, of what was held out; None where neither is told."""
        goals: tuple[tuple[str, Goal], ...] = (("val_accuracy", "max"), ("val_loss", "min"))
        for ours, goal in goals:
            if (name := self._ours.get(ours)) is not None:
                best = self._history.series.best(name, goal)
                at = bisect_right(self._begins, best.step) - 1 if best is not None else -1
                return at if 0 <= at < len(self) else None
        return None

    def __len__(self) -> int:
        return bisect_right(self._begins, self._until)

    @overload
    def __getitem__(self, index: int) -> ToldEpoch: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ToldEpoch]: ...
    def __getitem__(self, index: int | slice) -> ToldEpoch | Sequence[ToldEpoch]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        history = self._history
        begin = self._begins[index]
        end = self._begins[index + 1] if index + 1 < len(self) else max(history.last_step, begin) + 1
        last = {name: self._last(name, begin, end) for name in ("train_loss", "val_loss", "val_accuracy", "lr")}
        elapsed = history.clock_at(end - 1)
        return ToldEpoch(
            epoch=self._epochs[index],
            step=end - 1,
            **last,
            elapsed=nan if elapsed is None else elapsed,
            validated=self._is_told("val_loss", begin, end),
        )

    def __iter__(self) -> Iterator[ToldEpoch]:
        return (self[index] for index in range(len(self)))

    def _last(self, ours: str, begin: int, end: int) -> float:
        """What a series of the run held last in these steps; nan where nothing."""
        series = self._history.series.get(self._ours[ours]) if ours in self._ours else None
        at = bisect_left(series.steps, end) - 1 if series is not None else -1
        return series.values[at] if series is not None and at >= 0 and series.steps[at] >= begin else nan

    def _is_told(self, ours: str, begin: int, end: int) -> bool:
        series = self._history.series.get(self._ours[ours]) if ours in self._ours else None
        return series is not None and bisect_left(series.steps, end) > bisect_left(series.steps, begin)

    def _take(self, told: Series) -> None:
        count, rewrites = self._seen
        if rewrites != told.rewrites or count > len(told.steps):
            count = 0
            self._begins.clear()
            self._epochs.clear()
        for index in range(count, len(told.steps)):
            value = told.values[index]
            if isfinite(value) and (not self._epochs or self._epochs[-1] != ceil(value)):
                self._begins.append(told.steps[index])
                self._epochs.append(ceil(value))
        self._seen = len(told.steps), told.rewrites


_OF: WeakKeyDictionary[History, ToldEpochs] = WeakKeyDictionary()


def told_epochs(history: History) -> ToldEpochs | None:
    """Those of a run that tells no single steps, as they are now; None of any other, or where none are known."""
    if history.steps or history.written_at is None:
        return None
    if (known := _OF.get(history)) is None:
        known = _OF[history] = ToldEpochs(history)
    known.look()
    return known if len(known.begins) else None


def _as_ours(history: History) -> dict[str, str]:
    """Of series that come by the step and by the epoch, those of the epoch."""
    found: dict[str, str] = {}
    for name in sorted(history.series, key=lambda name: "epoch" not in words(name)):
        if (ours := our_name(name)) is not None:
            found.setdefault(ours, name)
    lrs = [name for name in history.series if history.series.kind(name) == "lr"]
    if len(lrs) == 1:
        found.setdefault("lr", lrs[0])
    return found
