"""Steps of timm's schedulers, which are none of torch's: they are told at which epoch, or update, they stand.

Of `step` and `step_update`, which a program mostly calls both, one moves the LR: `t_in_epochs` says which.
"""

from __future__ import annotations

from time import perf_counter

from .call_sites import LastSite
from .python_internals import getframe
from .wrapping import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .observer import Observer
    from .schedulers import Schedulers


class TimmSchedulers:
    """Notes each step to another epoch or update than the last one was to.

    Classes with a `step` of their own are not followed: PlateauLRScheduler steps one of torch's.
    """

    def __init__(self, observer: Observer, schedulers: Schedulers) -> None:
        self._observer = observer
        self._schedulers = schedulers
        self._base: Any = None

    def with_timm(self, module: Any) -> None:
        """`timm.scheduler.scheduler` was imported."""
        self._base = module.Scheduler
        replace(self._base, "step", lambda original: self._noted(original, by_epochs=True))
        replace(self._base, "step_update", lambda original: self._noted(original, by_epochs=False))
        self._schedulers.add_base(self._base, self._is_followed)

    def _is_followed(self, scheduler: Any) -> bool:
        kind, base = type(scheduler), self._base
        steps = kind.step is base.step and kind.step_update is base.step_update
        return steps and getattr(scheduler, "param_group_field", "") == "lr"

    def _noted(self, original: Any, *, by_epochs: bool) -> Any:
        observer, compiling, guard = self._observer, self._observer.compiling, self._observer.guard
        schedulers, argument = self._schedulers, "epoch" if by_epochs else "num_updates"

        def step(*args: Any, **kwargs: Any) -> Any:
            if compiling() or schedulers.depth.inside or not observer.on:
                return original(*args, **kwargs)
            begin = perf_counter()
            result = original(*args, **kwargs)
            try:
                scheduler = args[0]
                if scheduler.t_in_epochs is by_epochs and self._is_followed(scheduler):
                    count = args[1] if len(args) > 1 else kwargs.get(argument)
                    if type(count) is int and count >= 0:
                        self._stepped(scheduler, count, begin, perf_counter(), getframe(1), args, kwargs)
            except Exception as error:
                guard.failed("scheduler.step", error)
            return result

        return step

    def _stepped(
        self, scheduler: Any, count: int, begin: float, end: float, frame: Any, args: Any, kwargs: Any
    ) -> None:
        schedulers = self._schedulers
        record = schedulers.seen.of(scheduler)
        if record.stepped_to == count:
            return
        expected = record.steps + 1 if record.defined else count
        record.stepped_to = record.steps = count
        schedulers.define(scheduler, frame)
        last: LastSite = record.step
        if frame.f_lasti == last.instruction and frame.f_code is last.code and last.depth == 1:
            site = last.number
        else:
            site = last.find(self._observer.sites, "scheduler.step", frame, record.number, scheduler)
        self._observer.writer.call(site, begin, end, schedulers.lr_of(scheduler))
        if count != expected:
            schedulers.moved(scheduler, record)
        schedulers.tell_given(scheduler, site, args, kwargs)
