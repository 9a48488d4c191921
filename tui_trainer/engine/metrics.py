"""What a run measures: losses and hits, left on the device and fetched a few times a second; and validation."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from tui_trainer.engine.code_numbers import CodeNumbers, Number
from tui_trainer.engine.datasets import Split
from tui_trainer.engine.devices import is_out_of_memory, let_go
from tui_trainer.engine.distributed import ALONE, Ranks
from tui_trainer.engine.model_metrics import NORMS, Confusion
from tui_trainer.events import AnyEvent, MetricsLogged, StepsTaken
from tui_trainer.text.captions import say


class Diverged(Exception):
    """A loss was not finite.

    Attributes:
        step: the step whose loss it was, counted from 1.
        lr: the learning rate which that step used.
    """

    def __init__(self, step: int, lr: float, what: str = "") -> None:
        super().__init__(say("end.not_finite", loss=what or say("end.loss_of"), step=step, lr=f"{lr:.3g}"))
        self.step = step
        self.lr = lr


MOST_OUTSTANDING = 2
"""Reports on their way from a device: so far the host may be ahead of it."""

REPORT_EVERY = 0.2
"""Seconds between reports at full speed: the record must never lag by a second, and a screen draws no faster."""


@dataclass
class _Batches:
    """Consecutive batches of one epoch on their way from the device."""

    step: int
    epoch: int
    batch: int
    lrs: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    elapsed: list[float] = field(default_factory=list)
    losses: list[Tensor] = field(default_factory=list)
    norms: list[Tensor] = field(default_factory=list)
    looked_at: list[int] = field(default_factory=list)
    """The steps that `norms` are of."""
    columns: dict[str, list[Tensor]] = field(default_factory=dict)
    """Other numbers of each step, by the names of their series."""
    known: dict[str, list[float | None]] = field(default_factory=dict)
    """Numbers of each step that need no device, LRs of groups and the momentum, by the names of their series."""
    logged: list[tuple[int, dict[str, Number]]] = field(default_factory=list)
    """What a person's own code logged, with the step: by the names of its series."""
    fetched: Tensor | None = None
    arrived: torch.cuda.Event | None = None
    """On CUDA: when all of it was computed and copied, by the device's own clock."""

    def send(self, ranks: Ranks) -> None:
        """Start the copy to the host; on CUDA it runs beside the training."""
        columns = [torch.stack(column).float() for column in self.columns.values()]
        logged = [number for _, numbers in self.logged for number in numbers.values() if isinstance(number, Tensor)]
        if logged:
            columns.append(torch.stack(logged))
        stacked = torch.cat([ranks.sum(torch.stack(self.losses).float()), *self.norms, *columns])
        for sent in (self.losses, self.norms, *self.columns.values()):
            sent.clear()
        if not stacked.is_cuda:
            self.fetched = stacked
            return
        self.fetched = torch.empty(stacked.shape, dtype=stacked.dtype, pin_memory=True)
        self.fetched.copy_(stacked, non_blocking=True)
        self.arrived = torch.cuda.Event(enable_timing=True)
        self.arrived.record(torch.cuda.current_stream(stacked.device))  # where the copy was submitted

    def values(self, *, wait: bool) -> list[float] | None:
        """The losses and, behind them, the norms, the columns and what code logged; None while on their way."""
        assert self.fetched is not None
        if self.arrived is not None:
            if not wait and not self.arrived.query():
                return None
            self.arrived.synchronize()
        values: list[float] = self.fetched.tolist()
        return values


class MetricAccumulator:
    """Takes each batch's loss without waiting for it, and reports them in bulk."""

    def __init__(self, emit: Callable[[AnyEvent], None], ranks: Ranks, elapsed: Callable[[], float]) -> None:
        """`elapsed` reads the run's own clock, in seconds."""
        self._emit = emit
        self._ranks = ranks
        self._elapsed = elapsed
        self._done: tuple[torch.cuda.Event, float] | None = None
        """The last report that arrived from a device that has gone on working since, and when that was, in seconds."""
        self._told_until = elapsed()
        self._open: _Batches | None = None
        self._sent: deque[_Batches] = deque()
        self._norms: Tensor | None = None
        self._of_step: dict[str, Tensor] = {}
        self._limits: dict[str, float] = {}
        self._known: dict[str, float] = {}
        self._logged: dict[str, Number] = {}
        self._outputs: list[tuple[Tensor, Tensor]] = []
        self._parts: list[Tensor] = []
        self._part_images = 0
        self._hits: Tensor | None = None
        self._report_at = 0.0
        self.loss_sum = 0.0
        """Of the epoch so far: the losses of the batches reported, each times its images."""
        self.images = 0
        """Of the epoch so far: the images of the batches reported."""
        self.hits_before = 0
        """Of the epoch so far: images classified rightly before the last `begin_epoch`."""
        self.clipped = 0
        """Of the epoch so far: steps reported with a number above its limit."""

    def begin_epoch(self, loss_sum: float = 0.0, images: int = 0, hits: int = 0, clipped: int = 0) -> None:
        """Start the sums of an epoch; not at zero where a run is resumed within one."""
        self.loss_sum, self.images, self.hits_before, self._hits = loss_sum, images, hits, None
        self.clipped = clipped
        self._told_until = self._elapsed()  # validation, and what else came since, is no step's time

    def add_norms(self, norms: Tensor) -> None:
        """`NORMS` of the batch that is added next, on the device."""
        self._norms = norms

    def add_known(self, values: Mapping[str, float]) -> None:
        """What the batch that is added next uses beside its LR, by the names of their series: LRs of groups, the
        momentum."""
        self._known = dict(values)

    def add_to_step(self, name: str, value: Tensor, limit: float) -> None:
        """A number of the batch that is added next, on the device, by the name of its series; each step of an epoch has
        it, or none. Steps with more than `limit` are counted as clipped."""
        self._of_step[name] = value
        self._limits[name] = limit

    def add_logged(self, numbers: dict[str, Number]) -> None:
        """What a person's own code logged in the step whose last batch is added next, by the names of its series."""
        self._logged = numbers

    def add_part(self, *, loss: Tensor, outputs: Tensor, labels: Tensor) -> None:
        """A batch of a step was trained that further ones belong to; its loss is its part of that of the step, of which
        the last batch is added by `add_batch`."""
        self._outputs.append((outputs.detach(), labels))
        self._parts.append(loss.detach())
        self._part_images += self._ranks.images(labels)

    def add_batch(
        self,
        step: int,
        epoch: int,
        batch: int,
        *,
        loss: Tensor,
        outputs: Tensor,
        labels: Tensor,
        lr: float,
        elapsed: float,
    ) -> None:
        """A batch was trained. Nothing here waits for the device."""
        if self._open is None:
            self._open = _Batches(step, epoch, batch)
        taken = self._open
        loss, images = loss.detach(), self._ranks.images(labels)
        if self._parts:
            loss, images = torch.stack([*self._parts, loss]).sum(), images + self._part_images
            self._parts, self._part_images = [], 0
        taken.losses.append(loss)
        if self._norms is not None:
            taken.norms.append(self._norms)
            taken.looked_at.append(step)
            self._norms = None
        for name, value in self._of_step.items():
            taken.columns.setdefault(name, []).append(value)
        self._of_step.clear()
        for name, number in self._known.items():
            taken.known.setdefault(name, []).append(number)
        self._known = {}
        if self._logged:
            taken.logged.append((step, self._logged))
            self._logged = {}
        taken.lrs.append(lr)
        taken.sizes.append(images)
        taken.elapsed.append(round(elapsed, 4))
        self._outputs.append((outputs.detach(), labels))

    @property
    def due(self) -> bool:
        """Whether it is time to report: with several ranks, whenever they sync."""
        return self._ranks.several or time.perf_counter() >= self._report_at

    def report(self, *, wait: bool = False) -> None:
        """Emit what has arrived from the device; with `wait`, all that was taken.

        Raises:
            Diverged: a loss was not finite. What came before it, and it, were reported; nothing after it is.
        """
        self._report_at = time.perf_counter() + REPORT_EVERY
        if self._open is not None:
            self._count_hits()
            self._open.send(self._ranks)
            self._sent.append(self._open)
            self._open = None
        wait = wait or self._ranks.several  # so that all see what is not finite at the same step
        while self._sent and (losses := self._sent[0].values(wait=wait or self._must_wait)) is not None:
            taken = self._sent.popleft()
            if taken.arrived is not None:
                taken.elapsed = self._when_done(taken.arrived, len(taken.elapsed))
            self._told_until = taken.elapsed[-1]
            self._tell(taken, losses)
        if wait:
            self._done = None  # the device stands still: what is submitted next is measured anew

    @property
    def _must_wait(self) -> bool:
        """Whether the oldest report is waited for: the host may be so many reports ahead of the device, and no more,
        or the record would lag; and when the first after a standstill was done nobody can tell later."""
        return len(self._sent) > MOST_OUTSTANDING or self._done is None

    def _when_done(self, arrived: torch.cuda.Event, steps: int) -> list[float]:
        """When each of the steps was computed, on the run's clock: they are launched long before."""
        now = self._elapsed()
        if self._done is None:
            at = now
        else:
            before, then = self._done
            at = min(now, then + before.elapsed_time(arrived) / 1000)
        since = min(self._told_until, at)
        self._done = arrived, at
        return [round(since + (at - since) * (step + 1) / steps, 4) for step in range(steps)]

    @property
    def hits(self) -> int:
        """Images of the epoch classified rightly, of all reported with `wait`. Waits for the device."""
        return self.hits_before + (0 if self._hits is None else int(self._hits.item()))

    def _count_hits(self) -> None:
        outputs = torch.cat([output for output, _ in self._outputs])
        labels = torch.cat([label for _, label in self._outputs])
        self._outputs.clear()
        hits = self._ranks.sum((outputs.argmax(1) == labels).sum())
        self._hits = hits if self._hits is None else self._hits + hits

    def _tell(self, taken: _Batches, values: list[float]) -> None:
        losses = values[: len(taken.sizes)]
        finite = next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))
        end = min(finite + 1, len(losses))
        lrs = taken.lrs[:end]
        columns = self._columns(taken, values, end) | {name: known[:end] for name, known in taken.known.items()}
        self._emit(
            StepsTaken(
                at=time.time(),
                step=taken.step,
                epoch=taken.epoch,
                batch=taken.batch,
                losses=[_nine_digits(loss) if math.isfinite(loss) else None for loss in losses[:end]],
                lrs=lrs[:1] if all(lr == lrs[0] for lr in lrs) else lrs,
                elapsed=taken.elapsed[:end],
                metrics=columns,
            )
        )
        self._tell_norms(taken, values[len(taken.sizes) :], taken.step + finite)
        if taken.logged:
            self._tell_logged(taken, values, taken.step + finite)
        if finite < len(losses):
            raise Diverged(taken.step + finite, taken.lrs[finite])
        for loss, size in zip(losses, taken.sizes, strict=True):
            self.loss_sum += loss * size
            self.images += size

    def _columns(self, taken: _Batches, values: list[float], end: int) -> dict[str, list[float | None]]:
        """The other numbers of the first steps; those above their limit are counted."""
        columns: dict[str, list[float | None]] = {}
        at = len(taken.sizes) + len(NORMS) * len(taken.looked_at)
        for name in taken.columns:
            finite = [value if math.isfinite(value) else None for value in values[at : at + end]]
            self.clipped += sum(value is not None and value > self._limits[name] for value in finite)
            columns[name] = [None if value is None else _nine_digits(value) for value in finite]
            at += len(taken.sizes)
        return columns

    def _tell_norms(self, taken: _Batches, values: list[float], last_step: int) -> None:
        """Norms of steps up to the last one that is told."""
        for place, step in enumerate(taken.looked_at):
            if step <= last_step:
                at = place * len(NORMS)
                told = zip(NORMS, map(_nine_digits, values[at : at + len(NORMS)]), strict=True)
                norms = {name: value for name, value in told if name not in taken.columns}
                elapsed = taken.elapsed[step - taken.step]
                self._emit(MetricsLogged(at=time.time(), step=step, values=norms, epoch=taken.epoch, elapsed=elapsed))

    def _tell_logged(self, taken: _Batches, values: list[float], last_step: int) -> None:
        """What code logged in steps up to the last one that is told; what lay on a device stands behind the rest."""
        on_device = sum(isinstance(number, Tensor) for _, numbers in taken.logged for number in numbers.values())
        arrived = iter(values[len(values) - on_device :])
        for step, numbers in taken.logged:
            told = {n: _nine_digits(next(arrived)) if isinstance(v, Tensor) else v for n, v in numbers.items()}
            if step <= last_step:
                at = step - taken.step
                batch, elapsed = taken.batch + at, taken.elapsed[at]
                epoch = taken.epoch
                self._emit(
                    MetricsLogged(at=time.time(), step=step, values=told, epoch=epoch, batch=batch, elapsed=elapsed)
                )


def _nine_digits(loss: float) -> float:
    """Enough to give the same float32 back, in half the bytes of a float64's digits."""
    return float(f"{loss:.9g}")


VAL_BATCH = 500
"""Images a batch of validation: results do not depend on it, and the activations of so many fit the caches."""


def validate(
    model: nn.Module,
    split: Split,
    ranks: Ranks = ALONE,
    forward: Callable[[Tensor], Tensor] | None = None,
    confusion: Confusion | None = None,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    numbers: CodeNumbers | None = None,
) -> tuple[float, float]:
    """Mean loss and accuracy of `model` over `split`, both over images; each rank takes a part of them.

    Where the device has no memory for batches of `VAL_BATCH` images, smaller ones are taken.

    Args:
        forward: how to call the model, where that is not simply by itself.
        confusion: takes down what is taken for what.
        loss: a person's own, the mean over a batch; None: cross-entropy.
        numbers: hears what code logs meanwhile.

    Raises:
        RuntimeError, MemoryError: there is no memory for a single image.
    """
    part, size = ranks.part(split), VAL_BATCH
    # What code keeps of a batch that validates it may use in one that trains: no inference tensors for it.
    without_gradients = torch.inference_mode if loss is None and numbers is None else torch.no_grad
    model.eval()
    try:
        while True:
            try:
                with without_gradients():
                    total, hits = _over(part, size, forward or model, confusion, loss, numbers)
                break
            except (RuntimeError, MemoryError) as error:
                if size == 1 or not is_out_of_memory(error):
                    raise
            size //= 2
            let_go()  # what the attempt held; here, since the error held it too
    finally:
        model.train()
    return float(ranks.sum(total)) / len(split), int(ranks.sum(hits)) / len(split)


def _over(
    split: Split,
    size: int,
    forward: Callable[[Tensor], Tensor],
    confusion: Confusion | None,
    own_loss: Callable[[Tensor, Tensor], Tensor] | None,
    numbers: CodeNumbers | None,
) -> tuple[Tensor, Tensor]:
    """The sum of the losses, and how many images were classified rightly, in batches of a size."""
    if confusion is not None:
        confusion.begin()
    if numbers is not None:
        numbers.begin()
    loss = torch.zeros((), device=split.images.device)
    hits = torch.zeros((), dtype=torch.int64, device=split.images.device)
    for images, labels in zip(split.images.split(size), split.labels.split(size), strict=True):
        outputs = forward(images)
        if own_loss is None:
            loss += functional.cross_entropy(outputs, labels, reduction="sum")
        elif len(labels):
            loss += own_loss(outputs, labels) * len(labels)
        if numbers is not None:
            numbers.end_batch(len(labels))
        hits += (outputs.argmax(1) == labels).sum()
        if confusion is not None:
            confusion.add(outputs, labels)
    return loss, hits
