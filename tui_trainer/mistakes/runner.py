"""A loop whose order of calls is data: the right one and a wrong one, trained side by side to see the difference.

`tui_trainer.engine.loop` is how it is done; this is how it is done wrong, on purpose and in the open. Both networks
begin with the same weights and see the same batches; only the order of the calls differs. Nothing is recorded.
"""

from __future__ import annotations

import copy
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import zip_longest
from math import isfinite
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import lr_scheduler

from tui_trainer import threads
from tui_trainer.engine.datasets import Images, batches
from tui_trainer.engine.metrics import validate
from tui_trainer.engine.prepare import Prepared, prepare
from tui_trainer.engine.schedules import Schedule, build_optimizer
from tui_trainer.errors import UserError
from tui_trainer.events import Alert, AnyEvent, CallsMade, EndStatus, EpochEnded, RunEnded, StepsTaken
from tui_trainer.mistakes.cases import MistakeCase, Order
from tui_trainer.records.history import History
from tui_trainer.text.captions import say

if TYPE_CHECKING:
    from tui_trainer.events import AnyEvent
    from tui_trainer.mistakes.cases import MistakeCase

SEEN_BATCHES = 2
"""Of every epoch, so many batches have the order of their calls told."""

PAUSE_S = 0.01
"""Seconds between two pairs of batches: the small network would be through before one has seen the curves grow."""


def break_it(
    case: MistakeCase,
    right: Callable[[AnyEvent], None],
    wrong: Callable[[AnyEvent], None],
    stop: threading.Event,
    *,
    pause_s: float = PAUSE_S,
) -> None:
    """Train both orders of a case, a batch each in turn; each side tells what happens to its own listener.

    Leaves off, without an end of either side, once `stop` is set.

    Raises:
        UserError: the data is not to be had.
    """

    def both(event: AnyEvent) -> None:
        right(event)
        wrong(event)

    with torch.random.fork_rng(devices=[]):  # the weights are drawn from the seed, and nobody else's numbers change
        prepared = prepare(case.spec, both)
    both(prepared.resolved)
    sides = (
        Side(prepared, copy.deepcopy(prepared.train_state.model), case.right, right),
        Side(prepared, prepared.train_state.model, case.wrong, wrong),
    )
    for _ in zip_longest(*(side.train() for side in sides)):
        if stop.wait(pause_s):
            return


class Side:
    """One network, its optimizer and its scheduler, trained by the calls of an order."""

    def __init__(self, prepared: Prepared, model: nn.Module, order: Order, emit: Callable[[AnyEvent], None]) -> None:
        self._images: Images = prepared.images
        self._recipe = prepared.train_state.planned.recipe
        self._seed = prepared.spec.seed
        self._model, self._order, self._emit = model, order, emit
        preset = prepared.train_state.planned.preset
        self._optimizer = build_optimizer(preset.optimizer, model.parameters())
        with self._heard():
            scheduler = Schedule(preset, self._optimizer, prepared.train_state.planned.length).scheduler
        assert scheduler is not None  # every case has one: what it does when stepped wrongly is the lesson
        self._scheduler = scheduler
        self._step = self._epoch = 0
        self._made: list[str] = []
        self._loss_sum, self._hits = 0.0, 0
        self._began = time.perf_counter()
        self._batch: _Batch
        self._number: int | None = None
        """The batch of the epoch; None at its end."""
        self._val_loss, self._val_accuracy = float("nan"), 0.0
        self._calls: dict[str, Callable[[], object]] = {
            "zero_grad": self._optimizer.zero_grad,
            "forward": self._forward,
            "loss": self._loss,
            "backward": lambda: self._batch.loss.backward(),
            "optimizer.step": self._optimizer_step,
            "scheduler.step": self._scheduler_step,
            "scheduler.step()": lambda: self._step_with(),
            "validate": self._validate,
        }

    def train(self) -> Iterator[None]:
        """Train to the end, or to the error that the order leads to; stops after every batch for the other side."""
        try:
            yield from self._loop()
        except (TypeError, ValueError) as error:  # torch's own words for what was called wrongly
            self._tell_calls()
            self._end("crashed", f"{type(error).__name__}: {error}")

    def _loop(self) -> Iterator[None]:
        order = self._order
        for epoch in range(1, self._recipe.lengths.epochs + 1):
            self._epoch, self._loss_sum, self._hits = epoch, 0.0, 0
            self._make(order.begin)
            for number, (images, labels) in enumerate(self._batches(epoch), 1):
                self._number, self._batch = number, _Batch(images, labels, lr=self._lr)
                self._make(order.batch)
                if not self._took():
                    return
                yield
            self._number = None
            self._make(order.epoch)
            self._ended_epoch()
        self._end("finished", "")

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        return batches(self._images.train, self._recipe.batch_size, self._seed, epoch)

    def _make(self, calls: tuple[str, ...]) -> None:
        for call in calls:
            self._made.append(call)
            self._calls[call]()

    # The calls

    def _forward(self) -> None:
        self._batch.outputs = self._model(self._batch.images)

    def _loss(self) -> None:
        self._batch.loss = functional.cross_entropy(self._batch.outputs, self._batch.labels)

    def _optimizer_step(self) -> None:
        self._batch.lr = self._lr  # what it uses, whoever changed it in this batch
        self._optimizer.step()

    def _scheduler_step(self) -> None:
        if isinstance(self._scheduler, lr_scheduler.ReduceLROnPlateau):
            self._step_with(self._val_loss)
        else:
            self._step_with()

    def _step_with(self, *metric: float) -> None:
        step: Callable[..., None] = self._scheduler.step
        with self._heard():
            step(*metric)

    def _validate(self) -> None:
        self._val_loss, self._val_accuracy = validate(self._model, self._images.val)

    # What is told of them

    @property
    def _lr(self) -> float:
        return float(self._optimizer.param_groups[0]["lr"])

    def _heard(self) -> AbstractContextManager[None]:
        return _heard(lambda text: self._emit(Alert(at=time.time(), kind="warning", text=text)))

    def _tell_calls(self) -> None:
        """Tell of the calls as they were made since the last time."""
        made, self._made = self._made, []
        batch = self._number
        if batch is None or batch <= SEEN_BATCHES:
            self._emit(CallsMade(at=time.time(), step=self._step, epoch=self._epoch, batch=batch, calls=made))

    def _took(self) -> bool:
        """Tell of a batch; whether the loss is one to go on from."""
        self._step += 1
        now, loss = time.time(), self._batch.loss.item()
        self._loss_sum += loss * len(self._batch.labels)
        self._hits += int((self._batch.outputs.argmax(1) == self._batch.labels).sum())
        self._tell_calls()
        self._emit(
            StepsTaken(
                at=now,
                step=self._step,
                epoch=self._epoch,
                batch=self._number or 0,
                losses=[loss if isfinite(loss) else None],
                lrs=[self._batch.lr],
                elapsed=[round(time.perf_counter() - self._began, 4)],
            )
        )
        if not isfinite(loss):
            why = {"loss": say("end.loss_of"), "step": self._step, "lr": f"{self._batch.lr:.3g}"}
            self._end("diverged", say("end.not_finite", **why))
        return isfinite(loss)

    def _ended_epoch(self) -> None:
        images = len(self._images.train)
        self._tell_calls()
        self._emit(
            EpochEnded(
                at=time.time(),
                epoch=self._epoch,
                step=self._step,
                train_loss=self._loss_sum / images,
                train_accuracy=self._hits / images,
                val_loss=self._val_loss,
                val_accuracy=self._val_accuracy,
                lr=self._batch.lr,
                images_per_second=0.0,  # the pauses between batches make it no speed worth telling
                elapsed=round(time.perf_counter() - self._began, 4),
            )
        )

    def _end(self, status: EndStatus, reason: str) -> None:
        self._emit(
            RunEnded(at=time.time(), status=status, reason=reason, step=self._step, epoch=self._epoch, exit_code=0)
        )


class _Batch:
    """What the calls of a batch hand to each other."""

    outputs: Tensor
    loss: Tensor

    def __init__(self, images: Tensor, labels: Tensor, lr: float) -> None:
        self.images, self.labels, self.lr = images, labels, lr


@contextmanager
def _heard(tell: Callable[[str], None]) -> Iterator[None]:
    """Hands on what is warned of within, however often it was warned of before."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        tell(f"{warning.category.__name__}: {warning.message}")


class Pair(Protocol):
    """Two runs that differ in the order of their calls alone. All of it belongs to the thread that polls."""

    right: History
    wrong: History

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to either."""

    @property
    def failure(self) -> str:
        """Why it could not be trained, if it could not: a sentence."""

    def poll(self) -> int:
        """Apply the events that came since the last call, without waiting; how many there were."""

    def close(self) -> None:
        """End the training and look no more."""


class InProcessPair:
    """A `Pair` that trains from the moment it is made."""

    def __init__(self, case: MistakeCase) -> None:
        self.right, self.wrong = History(), History()
        self._case = case
        self._coming: deque[tuple[History, AnyEvent]] = deque()
        self._stop = threading.Event()
        self._failure = ""
        self._thread = threads.begin("breaking", self._train, self._fail)

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive() and (self._stop.is_set() or not self._coming)

    @property
    def failure(self) -> str:
        return self._failure

    def poll(self) -> int:
        count = 0
        while self._coming:
            history, event = self._coming.popleft()
            history.apply(event)
            count += 1
        return count

    def close(self) -> None:
        self._stop.set()
        self._coming.clear()

    def _train(self) -> None:
        try:
            break_it(
                self._case,
                lambda event: self._coming.append((self.right, event)),
                lambda event: self._coming.append((self.wrong, event)),
                self._stop,
            )
        except UserError as error:
            self._fail(str(error))

    def _fail(self, why: str) -> None:
        self._failure = why
