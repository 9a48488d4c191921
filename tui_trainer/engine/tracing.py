"""The calls of the training loop, seen as they happen: their order, how often, how long, and what each made, in words,
for a person who follows the loop call by call.

A look is taken just before the call and gives a function that tells, after it, what changed. Looking costs time and
waits for the device; it is done in slow motion and batch by batch alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import ParamSpec, Protocol, TypeAlias, TypeVar

import torch
from torch import Tensor, nn

from tui_trainer.events import BETWEEN_PARTS, CALLS, AnyEvent, CallFollowed, CallsMade, CallsTimed
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import format_lr, lr_change


def tell_forward() -> Callable[[Tensor], str]:
    """The shape of what came out."""
    return lambda outputs: "outputs " + "×".join(str(size) for size in outputs.shape)


def tell_loss(sum_up: Callable[[Tensor], Tensor]) -> Callable[[], Callable[[Tensor], str]]:
    """The batch's loss; `sum_up` adds the parts that other processes have of it."""
    return lambda: lambda loss: f"loss {sum_up(loss.detach()).item():.4f}"


def tell_gradients(model: nn.Module, scale: Callable[[], float] = lambda: 1.0) -> Callable[[], Callable[[object], str]]:
    """The norm of all gradients, taken as one vector; and what it was before, if it was not nothing.

    `scale` is by how much the loss was multiplied for the pass.
    """

    def look() -> Callable[[object], str]:
        before = _gradients(model)
        return lambda _: f"grad norm {f'{before:.4g} → ' if before else ''}{_gradients(model) / scale():.4g}"

    return look


def tell_clipped(model: nn.Module, scale: Callable[[], float] = lambda: 1.0) -> Callable[[], Callable[[object], str]]:
    """The norm of all gradients before and after they were clipped; `scale` as above, and gone after it."""

    def look() -> Callable[[object], str]:
        before = _gradients(model) / scale()

        def tell(_: object) -> str:
            after = f"{_gradients(model):.4g}"
            return f"grad norm {after} kept" if f"{before:.4g}" == after else f"grad norm {before:.4g} → {after}"

        return tell

    return look


def tell_cleared(model: nn.Module) -> Callable[[], Callable[[object], str]]:
    """The norm of the gradients of the batch before, and that they are gone; they may be there, and 0."""

    def look() -> Callable[[object], str]:
        if all(parameter.grad is None for parameter in model.parameters()):
            return lambda _: say("loop.no_gradients")
        before = _gradients(model)
        return lambda _: f"grad norm {before:.4g} → {_gradients(model):.4g}"

    return look


def tell_weights(model: nn.Module, lr_now: Callable[[], float]) -> Callable[[], Callable[[object], str]]:
    """One weight before and after, the same each time; the LR that it moved with; and how far all moved, as one vector,
    beside their norm."""

    def look() -> Callable[[object], str]:
        before = [parameter.detach().clone() for parameter in model.parameters()]
        used = lr_now()

        def tell(_: object) -> str:
            after = [parameter.detach() for parameter in model.parameters()]
            moved = _norm([new - old for new, old in zip(after, before, strict=True)])
            # The last one there is, a bias in most networks: its gradient is never nothing, as others' may be.
            one = _change(before[-1].flatten()[0].item(), after[-1].flatten()[0].item())
            all_of_them = f"all moved {moved:.3g} of {_norm(before):.3g}"
            return BETWEEN_PARTS.join((f"a weight {one}", f"lr {format_lr(used)} used", all_of_them))

        return tell

    return look


def tell_average(model: nn.Module, averaged: nn.Module) -> Callable[[], Callable[[object], str]]:
    """How far the average of the weights is from them, as one vector, before and after."""

    def distance() -> float:
        pairs = zip(model.parameters(), averaged.parameters(), strict=True)
        return _norm([weight.detach() - mean.detach() for weight, mean in pairs])

    def look() -> Callable[[object], str]:
        before = distance()
        return lambda _: say("loop.from_weights", before=f"{before:.4g}", now=f"{distance():.4g}")

    return look


def tell_lr(now: Callable[[], float]) -> Callable[[], Callable[[object], str]]:
    """The LR before and after; `now` gives what it is."""

    def look() -> Callable[[object], str]:
        old = now()

        def tell(_: object) -> str:
            new = now()
            return f"lr {format_lr(old)} kept" if new == old else "lr {} → {}".format(*lr_change(old, new))

        return tell

    return look


def tell_validation() -> Callable[[tuple[float, float]], str]:
    """Loss and accuracy over the images that validate."""
    return lambda result: BETWEEN_PARTS.join((f"val_loss {result[0]:.4f}", f"accuracy {result[1]:.4f}"))


def _gradients(model: nn.Module) -> float:
    there = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    return _norm(there) if there else 0.0


def _change(old: float, new: float) -> str:
    """Both with as many decimals as it takes to tell them apart."""
    if old == new:
        return f"{old:.4f} kept"
    decimals = min(9, max(4, 2 - math.floor(math.log10(abs(new - old)))))
    return f"{old:.{decimals}f} → {new:.{decimals}f}"


def _norm(tensors: list[Tensor]) -> float:
    return float(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(t.float()) for t in tensors])))


P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

TRACED_BATCHES = 2
"""Of every epoch, so many batches have the order of their calls recorded, besides all that comes at its end."""

DATA = "data"
"""The time until a batch's tensors are there, beside the seven calls."""

SAMPLE_EVERY = 0.2
"""Seconds between the instants at which the call that runs is taken down."""


Look: TypeAlias = Callable[[], Callable[[R], str]]
"""Taken just before a call; gives what tells, from the call's result, what it made."""


class Follower(Protocol):
    """Somebody who may want to watch each call by eye."""

    @property
    def following(self) -> bool:
        """Whether calls are to be followed now."""

    def hold(self, share: float) -> None:
        """Stand still for a share of the pace, so that a person can see what the last event said."""


class CallTracer:
    """Watches functions: what it reports is what was really called, in the order in which it was."""

    def __init__(
        self, emit: Callable[[AnyEvent], None], follower: Follower, now: Callable[[], float] = time.perf_counter
    ) -> None:
        """Calls that are timed by `now`, which is monotonic seconds."""
        self._now = now
        self._emit = emit
        self._follower = follower
        self._order: list[str] | None = None
        self._counts: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self._running = ""
        self._sample_at = 0.0
        self._step, self._epoch = 0, 0
        self._batch: int | None = None

    def watch(self, name: str, function: Callable[P, R], look: Look[R]) -> Callable[P, R]:
        """`function`, watched under `name`; `look` says what a call made, when somebody follows it."""

        def watched(*args: P.args, **kwargs: P.kwargs) -> R:
            if self._order is not None:
                self._order.append(name)
            if self._follower.following:
                return self._followed(name, lambda: function(*args, **kwargs), look)
            began = self._now()
            result = function(*args, **kwargs)
            self._count(name, began)
            return result

        return watched

    def watch_data(self, batches: Iterable[T]) -> Iterator[T]:
        """The batches, with the time that each takes to be there counted as `data`."""
        iterator = iter(batches)
        while True:
            began = self._now()
            try:
                batch = next(iterator)
            except StopIteration:
                return
            self._count(DATA, began)
            yield batch

    def begin(self, step: int, epoch: int, batch: int | None) -> None:
        """The calls that follow belong to this batch, or to the epoch's end (None)."""
        self._step, self._epoch, self._batch = step, epoch, batch
        self._order = [] if batch is None or batch <= TRACED_BATCHES else None

    def end(self) -> None:
        """The batch, or the epoch's end, is over: report the order of its calls."""
        if self._order:
            self._emit(
                CallsMade(at=time.time(), step=self._step, epoch=self._epoch, batch=self._batch, calls=self._order)
            )
        self._order = None

    def report(self) -> None:
        """Emit how often and how long, since the last report."""
        if not self._counts:
            return
        counts = {name: self._counts[name] for name in CALLS if name in self._counts}
        seconds = {name: round(self._seconds[name], 6) for name in (DATA, *CALLS) if name in self._seconds}
        self._emit(CallsTimed(at=time.time(), counts=counts, seconds=seconds, running=self._running))
        self._counts, self._seconds = {}, {}

    def _count(self, name: str, began: float) -> None:
        now = self._now()
        self._counts[name] = self._counts.get(name, 0) + 1
        self._seconds[name] = self._seconds.get(name, 0.0) + now - began
        if now >= self._sample_at:
            # The instant fell into this call: over time, each is caught in proportion to the time that it takes.
            self._running = name
            self._sample_at = now + SAMPLE_EVERY

    def _followed(self, name: str, call: Callable[[], R], look: Look[R]) -> R:
        self._tell(name, None)
        self._follower.hold(0.4)
        tell = look()
        began = self._now()
        result = call()
        self._count(name, began)
        self._tell(name, tell(result))
        self._follower.hold(0.6)
        return result

    def _tell(self, name: str, value: str | None) -> None:
        self._emit(
            CallFollowed(at=time.time(), step=self._step, epoch=self._epoch, batch=self._batch, call=name, value=value)
        )
