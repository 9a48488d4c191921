"""Steps of series whose numbers have times, where those of one run count different things: TensorBoard's and MLflow's.

Many a script logs its loss by batches and its validation by epochs, and so does Keras. On one axis all stand where the
training was as they were written: each number has its time. A series counts less than the others where its steps go up
by one, and theirs by more, from each of its numbers to the next.

Keras tells TensorBoard of a validation twice: by epochs, and as `evaluation_loss_vs_iterations` by batches.
Source: keras/src/callbacks/tensorboard.py.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tui_trainer.foreign_records.pieces import PARTS, Piece, Points
from tui_trainer.foreign_records.telling import LARGEST_STEP
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import counted, listed
from tui_trainer.text.plain import plain

FAR = 5
"""So many steps behind the others the first number of a series stands that may count less; the next ones tell."""

ENOUGH = 2
"""Pairs of numbers that go on so: it does."""

MOST_TIMES = 1_000_000
"""Times of steps that are kept: beyond it every other one."""

NAMED_AT_MOST = 3

_KERAS = ("train", "validation")
_OF_EPOCHS = "epoch_"
_REPEATED = ("evaluation_", "_vs_iterations")


class _Clock:
    """Which step a training was at, by the time."""

    def __init__(self) -> None:
        self._times, self._steps = array("d"), array("q")
        self._followed: set[str] = set()
        """Series whose steps these are."""

    def follow(self, points: Points) -> None:
        """Take the numbers of series that count furthest, and what is trained again of those."""
        if self._steps and points.steps[-1] < self._steps[-1] and self._followed.isdisjoint(points.columns):
            return
        try:
            steps = array("q", points.steps)
        except OverflowError:  # no steps: they are left out elsewhere
            return
        self._followed.update(points.columns)
        self._times.extend(points.times)
        self._steps.extend(steps)
        if len(self._steps) > MOST_TIMES:
            self._times, self._steps = self._times[1::2], self._steps[1::2]

    def at(self, time: float) -> int:
        """The step; -1 before the first one."""
        place = bisect_right(self._times, time)
        return self._steps[place - 1] if place else -1


@dataclass(slots=True)
class _Count:
    """What is known of the steps of a series."""

    is_less: bool | None = None
    """Whether they count less than those of others; None until that is known."""
    alike: int = 0
    """Pairs of numbers that speak for it."""
    begins: int = -1
    """The first step."""
    step: int = -1
    """The last one, and which step the others were at then."""
    at: int = -1

    def seems_less(self, points: Points, clock: _Clock) -> bool:
        """Whether the steps of these numbers, which come next, count less, as far as one can tell."""
        if self.is_less is not None:
            return self.is_less
        for step, time in zip(points.steps, points.times, strict=True):
            at = clock.at(time)
            if self.begins < 0:
                self.begins = step
            elif step == self.step + 1 and at - max(self.at, self.step) >= 2:
                self.alike += 1
            else:
                self.is_less = False
                return False
            self.step, self.at = step, at
        if self.alike >= ENOUGH:
            self.is_less = True
        return 0 <= self.begins <= 1 and self.at - self.step >= FAR


class StepsByClock:
    """Finds the steps of a run's series: of TensorBoard's file by file, in the order in which they were begun."""

    def __init__(self) -> None:
        self._clocks: dict[str, _Clock] = {}
        self._counts: dict[tuple[str, str], _Count] = {}
        """By part and name."""
        self._placed: dict[str, None] = {}
        """Series that stand where the others were."""
        self._repeated = 0
        """Numbers that were left out."""

    @property
    def notes(self) -> list[str]:
        """What was made of steps, in words."""
        names = listed([plain(name) for name in self._placed], NAMED_AT_MOST) if self._placed else ""
        found = [say("foreign.by_clock", names=names)] if names else []
        numbers = counted(self._repeated, "number")
        return [*found, say("foreign.repeated", numbers=numbers)] if self._repeated else found

    def placed(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """The pieces that came next, of one file or at once, with their steps on one axis."""
        come = [piece if not isinstance(piece, Points) else self._once(piece) for piece in pieces]
        of_numbers = [piece for piece in come if isinstance(piece, Points) and piece.columns]
        told = [points for points in of_numbers if points.steps[-1] <= LARGEST_STEP]
        if told:
            furthest = max(points.steps[-1] for points in told)
            leading = (points for points in told if 2 * points.steps[-1] >= furthest)
            self._clock(told[0].part).follow(max(leading, key=lambda points: len(points.steps)))
        for piece in come:
            if not isinstance(piece, Points):
                yield piece
            elif piece.columns:
                yield from self._on_one_axis(piece)

    def _on_one_axis(self, points: Points) -> Iterator[Points]:
        clock, part = self._clock(points.part), points.part
        apart: dict[str, Sequence[float | int]] = {}
        others: dict[str, Sequence[float | int]] = {}
        for name, values in points.columns.items():
            count = self._counts.setdefault((part, name), _Count())
            (apart if count.seems_less(points, clock) else others)[name] = values
        if apart:
            self._placed |= dict.fromkeys(f"{part}/{name}" if part else name for name in apart)
            steps = [max(step, clock.at(time)) for step, time in zip(points.steps, points.times, strict=True)]
            yield from self._with_epochs(points, points._replace(steps=steps, columns=apart))
        if others:
            yield from self._with_epochs(points, points._replace(columns=others))

    def _with_epochs(self, said: Points, points: Points) -> Iterator[Points]:
        """What Keras counts by epochs tells which epoch it is of."""
        names = [name for name in points.columns if name.startswith(_OF_EPOCHS)] if points.part in _KERAS else []
        if not names:
            yield points
            return
        yield points._replace(columns=_only(points, names), epochs=said.steps)
        if others := [name for name in points.columns if name not in names]:
            yield points._replace(columns=_only(points, others))

    def _once(self, points: Points) -> Points:
        """Without what Keras has told already."""
        if points.part != _KERAS[1]:
            return points
        names = [name for name in points.columns if not (name.startswith(_REPEATED[0]) and name.endswith(_REPEATED[1]))]
        self._repeated += len(points.steps) * (len(points.columns) - len(names))
        return points._replace(columns=_only(points, names))

    def _clock(self, part: str) -> _Clock:
        """That of a part's run: other folders below are runs of their own."""
        return self._clocks.setdefault("" if part in PARTS else part, _Clock())


def _only(points: Points, names: Iterable[str]) -> Mapping[str, Sequence[float | int]]:
    return {name: points.columns[name] for name in names}
