"""Which LR the curve of an LR range test suggests: three published rules on one smoothed curve.

The test is L. N. Smith's ("Cyclical Learning Rates for Training Neural Networks", 2015, arXiv 1506.01186, section 3.3):
the LR is raised from step to step, and the loss says from where on it trains, and where it is too high.
`engine/lr_range_test.py` makes one.

Smoothing, end, and the rules *valley*, *steepest* and *minimum/10* follow fastai (`fastai/callback/schedule.py`:
`LRFinder`, `valley`, `steep`, `minimum`; the valley is ESRI's) and PyTorch Lightning (`tuner/lr_finder.py`). Four
things are ours. The middle of the valley is that of its loss and not that of its steps, see `valley`. The others are
against curves that only look as if they fell: the first tenth of the steps, which both leave out of
the suggestions, goes into the smoothed loss as its median; behind it an odd batch does so as the median of its loss and
the two before: the smoothed loss would come down from it for fifty steps. What comes behind the lowest point has no
say, for after a leap it comes down by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, isfinite, log
from statistics import median
from typing import Literal, NamedTuple, TypeAlias

from tui_trainer.text.captions import say

BETA = 0.98
"""How much of the smoothed loss is kept at every step."""

LEAPT = 4.0
"""At so many times the lowest smoothed loss the test ends."""

ODD = 2.0
"""A batch is odd whose loss is more than so many times the median of it and the two before: a leap is two of them."""

SETTLING = 10
"""The part of the steps, one in so many, that comes before the curve."""

LAST = 5
"""How many steps at the end have no say: the loss leaps there."""

FEWEST = 10
"""Points of the curve without which nothing is suggested."""

NOISE = 1.5
LEAST_FALL = 0.01
"""How far the loss must fall: so many times what the losses of batches differ by, and this part of what it was."""

APART = 10.0
"""So many times the smallest suggestion the largest may be, before they are said to disagree."""

DIGITS = 3
"""Of an LR that is suggested: it is not known better than that."""

Rule: TypeAlias = Literal["valley", "steepest", "minimum/10"]
RULES: tuple[Rule, ...] = ("valley", "steepest", "minimum/10")
DEFAULT_RULE: Rule = "valley"

End: TypeAlias = Literal["all_steps", "leapt", "not_finite"]
"""Why a test was over: its steps were; the smoothed loss had leapt up; a loss was not finite."""

NoSuggestion: TypeAlias = Literal["too_short", "never_fell"]
"""Why nothing is suggested: too few steps before the end; the loss did not fall by more than it differs anyway."""


class Point(NamedTuple):
    """The loss at an LR."""

    lr: float
    loss: float
    """Smoothed."""


@dataclass
class LRCurve:
    """The losses of a range test, as it goes on: `add` each."""

    steps: int
    """How many the test has in all."""
    lrs: list[float] = field(default_factory=list)
    """Of every step that was made."""
    losses: list[float] = field(default_factory=list)
    """Of each of these batches; only the last can be other than finite."""
    points: list[Point] = field(default_factory=list)
    """The smoothed curve, from the end of the settling on."""
    ended: End | None = None
    """None while it goes on."""
    _average: float = 0.0
    _lowest: float = float("inf")

    @property
    def settling(self) -> int:
        """How many steps come before the curve."""
        return self.steps // SETTLING

    def add(self, lr: float, loss: float) -> None:
        """The loss of a batch, by the weights before the step that used `lr`."""
        self.lrs.append(lr)
        self.losses.append(loss)
        if not isfinite(loss):
            self.ended = "not_finite"
        elif len(self.losses) > self.settling:
            self._smooth(lr)
        if self.ended is None and len(self.losses) == self.steps:
            self.ended = "all_steps"

    def _smooth(self, lr: float) -> None:
        if not self.points and self.settling:
            self._average = median(self.losses[: self.settling]) * (1 - BETA**self.settling)
        loss, usual = self.losses[-1], median(self.losses[-3:])
        self._average = BETA * self._average + (1 - BETA) * (usual if loss > ODD * usual else loss)
        smoothed = self._average / (1 - BETA ** len(self.losses))
        self.points.append(Point(lr, smoothed))
        self._lowest = min(self._lowest, smoothed)
        if smoothed > LEAPT * self._lowest:
            self.ended = "leapt"

    @property
    def fall(self) -> Sequence[Point]:
        """The part of the curve that suggestions are made of: down to its lowest point, which is the last of them."""
        there = self.points[:-LAST]
        return there[: min(range(len(there)), key=lambda place: there[place].loss, default=-1) + 1]

    @property
    def none_because(self) -> NoSuggestion | None:
        """Why it suggests nothing; None where it does."""
        if len(self.points) - LAST < FEWEST:
            return "too_short"
        first = self.losses[: self.settling] or self.losses[:1]
        before = median(first)
        noise = 1.4826 * median(abs(loss - before) for loss in first)  # a standard deviation, whatever one batch does
        *above, lowest = self.fall
        fell = before - lowest.loss
        return None if above and fell > max(NOISE * noise, LEAST_FALL * before) else "never_fell"

    @property
    def is_cut_off(self) -> bool:
        """Whether it suggests something though its steps were over while the smoothed loss still fell."""
        if self.ended != "all_steps" or self.none_because is not None:
            return False
        return len(self.fall) == len(self.points) - LAST

    @property
    def suggestions(self) -> dict[Rule, float]:
        """The LR by each rule; empty where nothing is suggested."""
        if self.none_because is not None:
            return {}
        return {
            "valley": valley(self.fall),
            "steepest": steepest(self.fall),
            "minimum/10": minimum_by_10(self.fall),
        }


def valley(points: Sequence[Point]) -> float:
    """The LR half-way down: where the loss has done half of its fall from its highest point to its last.

    fastai's `valley` takes the middle of the steps of the longest fall. A smoothed loss falls from the first step on,
    by ever so little: that middle lies the lower the lower the test begins, which says nothing of the network.
    """
    top = max(range(len(points)), key=lambda place: points[place].loss)
    half = (points[top].loss + points[-1].loss) / 2
    return next(point.lr for point in points[top:] if point.loss <= half)


def steepest(points: Sequence[Point]) -> float:
    """The LR at which the loss falls fastest along the logarithm of the LR (fastai's `steep`).

    Raises:
        ValueError: there are less than two points.
    """
    slopes = (((after.loss - here.loss) / (log(after.lr) - log(here.lr)), here.lr) for here, after in pairwise(points))
    return min(slopes, key=lambda slope: slope[0])[1]


def minimum_by_10(points: Iterable[Point]) -> float:
    """A tenth of the LR with the lowest loss (fastai's `minimum`)."""
    return min(points, key=lambda point: point.loss).lr / 10


def middle(lrs: Iterable[float]) -> float:
    """The LR in the middle of those of several seeds, to `DIGITS` digits; of an even number, between the middle two.

    Raises:
        statistics.StatisticsError: there is none.
    """
    return float(f"{exp(median(map(log, lrs))):.{DIGITS}g}")


def of_seeds(curves: Iterable[LRCurve]) -> dict[Rule, list[float]]:
    """By each rule what each curve suggests that suggests something; empty where none does."""
    found = [curve.suggestions for curve in curves if curve.suggestions]
    return {rule: [each[rule] for each in found] for rule in RULES} if found else {}


def in_words(rule: Rule) -> str:
    """Where on the curve a rule looks."""
    return say(f"find_lr.{rule.partition('/')[0]}")


def are_apart(lrs: Iterable[float]) -> bool:
    """Whether suggestions disagree by more than `APART`; none, and one, do not."""
    there = list(lrs)
    return bool(there) and max(there) > APART * min(there)


def raised(lowest: float, highest: float, steps: int) -> list[float]:
    """The LRs of a range test: from `lowest` to `highest`, both exactly, each so many times the one before."""
    ratio = log(highest / lowest) / (steps - 1)
    between = (lowest * exp(ratio * step) for step in range(1, steps - 1))
    return [lowest, *between, highest]
