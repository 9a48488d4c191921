"""The LR of any step of a run, reckoned from a preset alone: without torch, and before anything is trained.

The formulas are those of the closed forms in `torch.optim.lr_scheduler` (torch 2.6 to 2.14); tests compare them with a
rehearsal of torch's own. What a run really uses comes of the real scheduler (`engine/lr_preview.py`): here it is only
told which presets come to the same.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tui_trainer.presets import schedulers as s
from tui_trainer.presets.schema import Preset

SAMPLES = 2_000
"""Steps at which long schedules are compared, beside those at which one of them turns."""

FEW = 16
"""Steps at which any two are compared first."""

NOTHING = 1e-18
"""LRs that are no further apart are the same, be they as small as may be."""

ALIKE = 1e-9
"""Parts of an LR by which rounding may set two apart that are the same."""


@dataclass(frozen=True)
class PlannedLRs:
    """What a preset plans for a run of so many batches an epoch. Steps count from 0 here."""

    preset: Preset
    batches_per_epoch: int

    @cached_property
    def steps(self) -> int:
        """All of the run."""
        return self.preset.training.epochs * self.batches_per_epoch

    @cached_property
    def _warmup(self) -> int:
        return self.preset.warmup_steps(self.batches_per_epoch)

    @cached_property
    def _stride(self) -> int:
        """Batches from one step of the scheduler to the next."""
        return 1 if self.preset.scheduler.interval == "step" else self.batches_per_epoch

    @cached_property
    def _span(self) -> int:
        """How often the scheduler's interval comes in the run, less the warm-up."""
        return self._scheduled // self._stride - self._warmup // self._stride

    @cached_property
    def _scheduled(self) -> int:
        """Steps until SWALR begins, or the run ends."""
        return self.preset.training.scheduled_epochs(self.preset.training.epochs) * self.batches_per_epoch

    @cached_property
    def _steps_per_epoch(self) -> int:
        """How many steps of the scheduler an epoch has."""
        return self.batches_per_epoch // self._stride

    @property
    def depends_on_losses(self) -> bool:
        """Whether nobody can tell before the run: ReduceLROnPlateau, unless no drop can come in time."""
        scheduler = self.preset.scheduler
        if not isinstance(scheduler, s.ReduceLROnPlateau):
            return False
        return scheduler.patience < self._span - 2 and scheduler.floor < self.preset.optimizer.lr

    @property
    def are_finite(self) -> bool:
        """Whether no LR of the run is too large for a float, as far as some of its steps and the last one tell."""
        if self.depends_on_losses:
            return True
        some = {*range(0, self.steps, max(1, self.steps // SAMPLES)), self.steps - 1}
        try:
            return all(math.isfinite(self.at(step)) for step in some)
        except OverflowError:
            return False

    def at(self, step: int) -> float:
        """The LR that a step uses, unless it depends on losses.

        Raises:
            OverflowError: it, or what it is reckoned with as torch does, is larger than any float.
        """
        training = self.preset.training
        if training.swa_lr is None or step < self._scheduled:
            return self._of_scheduler(step)
        part = min(1.0, (step - self._scheduled) // self.batches_per_epoch / training.swa_anneal_epochs)
        part = part if training.swa_anneal_strategy == "linear" else (1 - math.cos(math.pi * part)) / 2
        return training.swa_lr * part + self._of_scheduler(self._scheduled) * (1 - part)

    def _of_scheduler(self, step: int) -> float:
        lr, warmup = self.preset.optimizer.lr, self.preset.warmup
        if warmup is not None and step < self._warmup:
            part = step / self._warmup if warmup.method == "linear" else 0.0
            return lr * (warmup.start_factor + (1 - warmup.start_factor) * part)
        place = step // self._stride - self._warmup // self._stride
        reckoned = _lr(self.preset.scheduler, lr, place, self._span, self._steps_per_epoch)
        if not math.isfinite(reckoned):
            raise OverflowError("the LR is larger than any float")
        return reckoned

    def turning(self) -> Iterator[int]:
        """Steps at which the curve turns, and those before and after them."""
        for places in s.turns(self.preset.scheduler, self._span, self._steps_per_epoch):
            for place in places[:SAMPLES]:
                step = max(self._warmup, (self._warmup // self._stride + place) * self._stride)
                yield from range(max(0, step - 1), min(self._scheduled + 1, self.steps, step + 2))
        yield from range(
            self._scheduled, self.steps, self.batches_per_epoch * max(1, self.preset.training.epochs // SAMPLES)
        )


LAST = 16
"""Steps at the end of a run by which it is known whether its LRs are numbers."""


def same_lrs(a: PlannedLRs, b: PlannedLRs) -> bool:
    """Whether two presets come to the same LR in every step of runs of the same length, as far as that can be reckoned:
    with an LR beyond all numbers they are not the same.
    """
    if a.steps != b.steps or a.batches_per_epoch != b.batches_per_epoch or a.depends_on_losses or b.depends_on_losses:
        return False
    try:
        if _made_of(a) == _made_of(b):  # one that grows beyond all numbers does so by its end
            return all(math.isfinite(a.at(step)) for step in range(max(0, a.steps - LAST), a.steps))
        return all(math.isclose(a.at(step), b.at(step), rel_tol=ALIKE, abs_tol=NOTHING) for step in _places(a, b))
    except ArithmeticError:
        return False


def _made_of(plan: PlannedLRs) -> tuple[object, ...]:
    """All that its LRs come of, beside the length of the run."""
    preset = plan.preset
    return preset.optimizer.lr, preset.scheduler, preset.warmup, preset.training


class CoursesOfLRs:
    """Plans, one added after the other: which of them come to the same LRs. One is compared with the few whose sum of
    some LRs is about its own."""

    def __init__(self) -> None:
        self._plans: list[PlannedLRs] = []
        """The first of each course."""
        self._numbers: list[list[int]] = []
        self._sums: dict[tuple[int, int], list[tuple[float, int]]] = {}

    def add(self, number: int, plan: PlannedLRs) -> None:
        """One more, which goes by a number; one that cannot be reckoned is like none."""
        if plan.depends_on_losses:
            return
        try:
            some = [plan.at(step) for step in range(0, plan.steps, max(1, plan.steps // FEW))]
        except ArithmeticError:
            return
        total, known = sum(some), self._sums.setdefault((plan.steps, plan.batches_per_epoch), [])
        apart = 2 * ALIKE * sum(map(abs, some)) + len(some) * NOTHING
        near = known[bisect_left(known, (total - apart,)) : bisect_right(known, (total + apart, len(self._plans)))]
        for course in sorted(course for _, course in near):
            if same_lrs(self._plans[course], plan):
                insort(self._numbers[course], number)
                return
        insort(known, (total, len(self._plans)))
        self._plans.append(plan)
        self._numbers.append([number])

    @property
    def alike(self) -> list[list[int]]:
        """The numbers of those that come to the same, a list for each course that several have, in their order."""
        return sorted(numbers for numbers in self._numbers if len(numbers) > 1)


def _places(a: PlannedLRs, b: PlannedLRs) -> Iterator[int]:
    """Steps at which two are compared: a few all over the run first, for there most of those that differ do."""
    yield from range(0, a.steps, max(1, a.steps // FEW))
    every = max(1, a.steps // SAMPLES)
    epochs = max(1, a.preset.training.epochs // SAMPLES) * a.batches_per_epoch
    yield from {*range(0, a.steps, every), *range(0, a.steps, epochs), a.steps - 1, *a.turning(), *b.turning()}


def _lr(
    scheduler: s.SchedulerTable, lr: float, place: int, span: int, steps_per_epoch: int
) -> float:  # one line a scheduler
    """After `place` steps of a scheduler that makes `span` in the run."""
    match scheduler:
        case s.ConstantLR():
            return lr * (scheduler.factor if place < (scheduler.total_iters or span) else 1.0)
        case s.LinearLR():
            part = min(1.0, place / (scheduler.total_iters or span))
            return lr * (scheduler.start_factor + (scheduler.end_factor - scheduler.start_factor) * part)
        case s.StepLR():
            return lr * float(scheduler.gamma ** (place // scheduler.step_size))
        case s.MultiStepLR():
            return lr * float(scheduler.gamma ** sum(milestone <= place for milestone in scheduler.milestones))
        case s.ExponentialLR():
            return lr * float(scheduler.gamma**place)
        case s.PolynomialLR():
            return lr * float((1 - min(1.0, place / (scheduler.total_iters or span))) ** scheduler.power)
        case s.CosineAnnealingLR():
            return _cosine(lr, scheduler.eta_min, place / (scheduler.T_max or span))
        case s.CosineAnnealingWarmRestarts():
            begun, length = _cycle(scheduler, place)
            return _cosine(lr, scheduler.eta_min, (place - begun) / length)
        case s.CyclicLR():
            return _cyclic(scheduler, place)
        case s.OneCycleLR():
            return _one_cycle(scheduler, place, span)
        case s.LambdaLR():
            return lr * scheduler.factor(place, span)
        case s.PiecewiseLinear():
            return scheduler.lr(place, span, steps_per_epoch)
        case s.SequentialLR():
            parts = scheduler.parts(span, steps_per_epoch)
            stage = parts[scheduler.part_at(parts, place)]
            return _lr(stage.scheduler, lr, place - stage.start, max(1, stage.length), steps_per_epoch)
    return lr


def _cosine(high: float, low: float, part: float) -> float:
    return low + (high - low) * (1 + math.cos(math.pi * part)) / 2


def _cycle(scheduler: s.CosineAnnealingWarmRestarts, place: int) -> tuple[int, int]:
    """Where the cycle of a place began, and how long it lasts."""
    if scheduler.T_mult == 1:
        return place - place % scheduler.T_0, scheduler.T_0
    begun, length = 0, scheduler.T_0
    while begun + length <= place:
        begun, length = begun + length, length * scheduler.T_mult
    return begun, length


def _cyclic(scheduler: s.CyclicLR, place: int) -> float:
    up = scheduler.step_size_up
    period = up + (scheduler.step_size_down or up)
    cycle, within = divmod(place, period)
    height = within / up if within <= up else (period - within) / (period - up)
    if scheduler.mode == "triangular2":
        height /= 2.0**cycle
    elif scheduler.mode == "exp_range":
        height *= scheduler.gamma**place
    return scheduler.bottom + (scheduler.top - scheduler.bottom) * height


def _one_cycle(scheduler: s.OneCycleLR, place: int, span: int) -> float:
    first = scheduler.top / scheduler.div_factor
    levels = [first, scheduler.top, *([first] if scheduler.three_phase else []), first / scheduler.final_div_factor]
    begun = 0.0
    ends = s.one_cycle_phases(scheduler, span)
    for number, end in enumerate(ends):
        if place <= end or number == len(ends) - 1:
            part = (place - begun) / (end - begun) if end != begun else 1.0
            if scheduler.anneal_strategy == "linear":
                return levels[number] + (levels[number + 1] - levels[number]) * part
            return _cosine(levels[number], levels[number + 1], part)
        begun = end
    return levels[-1]
