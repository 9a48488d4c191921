"""Steps of schedulers, of torch's classes and of those that are derived from them, now or later."""

from __future__ import annotations

import os
from time import perf_counter

from .call_sites import LastSite, name_around
from .plain import plain, text
from .python_internals import getframe
from .rehearsal import UNKNOWN_LENGTH, Rehearsal, function_of, inner_schedulers, is_timms, length_of
from .seen_objects import SeenObjects
from .torch_internals import INITIAL_STEP
from .wrapping import Depth, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from .observer import Observer
    from .optimizer_steps import OptimizerSteps

_NAN = float("nan")
_MOST_PLANS = 20
_LOOKED_AT_AGAIN = 8
"""The step of a scheduler at which it is known whether it steps with its optimizer."""


class SchedulerRecord:
    """What is kept of a scheduler."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.step = LastSite()
        self.steps = 0
        self.stepped_to: int | None = None
        """Of timm's: what its last step was given."""
        self.defined = False
        self.plans = 0
        self.file = ""
        self.lineno = 0


class Schedulers:
    """Notes each step but for those in a constructor, and those that a scheduler makes of others within its own."""

    def __init__(self, observer: Observer, optimizers: OptimizerSteps) -> None:
        self._observer = observer
        self._writer = observer.writer
        self._sites = observer.sites
        self._optimizers = optimizers
        self.depth = Depth()
        """Whether steps that are made are none of the program's own."""
        self._rehearsal = Rehearsal(observer)
        self.seen: SeenObjects[SchedulerRecord] = SeenObjects(lambda _: SchedulerRecord(observer.new_number()))
        self._base: Any = None
        self._plateau: Any = None
        self._bases: list[tuple[Any, Callable[[Any], bool]]] = []

    def install(self, torch: Any) -> None:
        """Listen to all."""
        schedulers = torch.optim.lr_scheduler
        self._plateau = schedulers.ReduceLROnPlateau
        self._base = schedulers.LRScheduler
        for kind in self.classes():
            self._wrap_class(kind)
        replace(schedulers.LRScheduler, INITIAL_STEP, self._make_initial)
        self._wrap_later_classes(schedulers.LRScheduler)
        self.add_base(schedulers.LRScheduler, lambda _: True)
        self._observer.at_fork(self._forget)

    def add_base(self, base: Any, is_followed: Callable[[Any], bool]) -> None:
        """Schedulers are those of the classes that are derived from this one, too, as far as they are followed."""
        self._bases.append((base, is_followed))

    @property
    def bases(self) -> list[Any]:
        """The classes that all of them are derived from."""
        return [base for base, _ in self._bases]

    def classes(self) -> list[Any]:
        """All of torch's that there are by now, derived ones too."""
        bases = (self._base, self._plateau)
        return list(dict.fromkeys(kind for base in bases for kind in (base, *_derived(base))))

    def number_of(self, scheduler: Any) -> int:
        """Its number in the trace."""
        return self.seen.of(scheduler).number

    def found(self, schedulers: list[Any], frame: FrameType | None) -> None:
        """An optimizer steps for the first time, and these are there: define them, and rehearse them."""
        inner = {id(held) for scheduler in schedulers for held in inner_schedulers(scheduler)}
        for scheduler in schedulers:
            followed = any(isinstance(scheduler, base) and is_followed(scheduler) for base, is_followed in self._bases)
            if id(scheduler) not in inner and followed and getattr(scheduler, "optimizer", None) is not None:
                self.define(scheduler, frame)

    def loaded(self, scheduler: Any) -> None:
        """Its state was loaded."""
        record = self.seen.of(scheduler)
        if record.defined:
            self.moved(scheduler, record)

    def moved(self, scheduler: Any, record: SchedulerRecord) -> None:
        """It stands elsewhere than a step behind its last one."""
        self.tell_state(scheduler, record)
        self._rehearse(scheduler, record)

    def lr_of(self, scheduler: Any) -> float:
        """That of the first group, as rows have it."""
        return _number(scheduler.optimizer.param_groups[0].get("lr"))

    def _forget(self) -> None:
        self.seen.clear()
        self.depth.inside = False

    def _wrap_class(self, kind: Any) -> None:
        held = vars(kind).get("step")
        if held is not None and not hasattr(held, "_watched_by_tui_trainer") and replace(kind, "step", self._wrap_step):
            vars(kind)["step"]._watched_by_tui_trainer = True

    def _wrap_later_classes(self, base: Any) -> None:
        guard = self._observer.guard

        def __init_subclass__(kind: Any, /, **kwargs: Any) -> None:
            super(base, kind).__init_subclass__(**kwargs)
            try:
                self._wrap_class(kind)
            except Exception as error:
                guard.failed("scheduler class", error)

        base.__init_subclass__ = classmethod(__init_subclass__)

    def _make_initial(self, original: Any) -> Any:
        """The step in the constructor is none of the program's."""
        depth = self.depth

        def initial_step(*args: Any, **kwargs: Any) -> Any:
            before = depth.inside
            depth.inside = True
            try:
                return original(*args, **kwargs)
            finally:
                depth.inside = before
                try:
                    self._made(args[0], getframe(1))
                except Exception as error:
                    self._observer.guard.failed("scheduler", error)

        return initial_step

    def _made(self, scheduler: Any, frame: FrameType | None) -> None:
        """Remember which line made it: not that of its own constructor."""
        record = self.seen.of(scheduler)
        constructors = [getattr(vars(kind).get("__init__"), "__code__", None) for kind in type(scheduler).__mro__]
        frame = self._sites.program_frame(frame)
        while frame is not None and frame.f_code in constructors:
            frame = self._sites.program_frame(frame.f_back)
        if frame is not None and not record.file:
            record.file, record.lineno = text(os.path.abspath(frame.f_code.co_filename)), frame.f_lineno

    def _wrap_step(self, original: Any) -> Any:
        """Written out in one function, as `OptimizerSteps.install` is."""
        observer, compiling, guard = self._observer, self._observer.compiling, self._observer.guard
        sites, writer, depth = self._sites, self._writer, self.depth
        add_rows, records = writer.rows.extend, self.seen.records

        def step(*args: Any, **kwargs: Any) -> Any:
            if compiling() or depth.inside or not observer.on:
                return original(*args, **kwargs)
            depth.inside = True
            begin = perf_counter()
            try:
                result = original(*args, **kwargs)
            finally:
                depth.inside = False
            end = perf_counter()
            try:
                scheduler = args[0]
                seen = records.get(id(scheduler))
                record = self.seen.of(scheduler) if seen is None else seen[1]
                record.steps = steps = record.steps + 1
                if steps == _LOOKED_AT_AGAIN:
                    self._look_again(scheduler, record)
                frame = getframe(1)
                if not record.defined:
                    self.define(scheduler, frame)
                last = record.step
                if frame.f_lasti == last.instruction and frame.f_code is last.code and last.depth == 1:
                    site = last.number
                else:
                    site = last.find(sites, "scheduler.step", frame, record.number, scheduler)
                lr = scheduler.optimizer.param_groups[0].get("lr")
                add_rows((site, begin, end, lr if type(lr) is float else _number(lr)))
                if end >= writer.due:
                    writer.overdue(end)
                if kwargs or len(args) > 1:
                    self._given(scheduler, record, site, args, kwargs)
            except Exception as error:
                guard.failed("scheduler.step", error)
            return result

        return step

    def _given(self, scheduler: Any, record: SchedulerRecord, site: int, args: Any, kwargs: Any) -> None:
        """It was given a metric, or an epoch to step to."""
        if isinstance(scheduler, self._plateau):
            metric = args[1] if len(args) > 1 else kwargs.get("metrics")
            self.tell_state(scheduler, record, _metric(metric))
        self.tell_given(scheduler, site, args, kwargs)

    def tell_given(self, scheduler: Any, site: int, args: Any, kwargs: Any) -> None:
        """Its step, made at this place, was given something."""
        for listener in self._observer.listeners.scheduler_given:
            listener(scheduler, site, args, kwargs)

    def define(self, scheduler: Any, frame: FrameType | None) -> None:
        """Define it in the trace, once.

        Args:
            scheduler: it.
            frame: one that may have a name for it.
        """
        record = self.seen.of(scheduler)
        if record.defined:
            return
        record.defined = True
        own = self._sites.program_frame(frame)
        kind = type(scheduler)
        self._writer.define(
            "scheduler",
            id=record.number,
            class_name=text(kind.__name__, 200),
            module=text(kind.__module__, 200),
            name=name_around(scheduler, own),
            optimizer=self._optimizers.number_of_stepping(scheduler.optimizer),
            state=_standing(scheduler, record),
            file=record.file,
            lineno=record.lineno,
        )
        self._rehearse(scheduler, record)

    def _rehearse(self, scheduler: Any, record: SchedulerRecord, at_least: int = 0) -> None:
        if isinstance(scheduler, self._plateau) or record.plans >= _MOST_PLANS:
            return
        record.plans += 1
        before = self.depth.inside
        self.depth.inside = True
        try:
            plan = self._rehearsal.of(scheduler, record.steps, at_least)
        finally:
            self.depth.inside = before
        if plan is not None:
            self._writer.define("plan", scheduler=record.number, from_count=record.steps, **plan)

    def _look_again(self, scheduler: Any, record: SchedulerRecord) -> None:
        """It has stepped a few times: rehearse it to the run's end, where it steps with its optimizer in a loop that is
        known to be longer than what was rehearsed of it."""
        expected = self._observer.expected_steps
        is_longer = expected > UNKNOWN_LENGTH and length_of(scheduler)[0] is None
        if record.defined and is_longer and self._optimizers.steps_of(scheduler.optimizer) <= record.steps + 1:
            self._rehearse(scheduler, record, expected)

    def tell_state(self, scheduler: Any, record: SchedulerRecord, metric: float | None = None) -> None:
        """Tell where it stands."""
        self._writer.define("scheduler_state", id=record.number, state=_standing(scheduler, record), metric=metric)


def _metric(metric: Any) -> float | None:
    """What ReduceLROnPlateau was given, as it takes it; None where it lies on a device."""
    if isinstance(metric, (int, float)):
        return float(metric)
    device = getattr(metric, "device", None)
    return float(metric.item()) if device is not None and device.type == "cpu" and metric.numel() == 1 else None


def _number(lr: Any) -> float:
    """An LR as a float; nan where it lies on a device."""
    if type(lr) in (float, int):
        return float(lr)
    return float(lr.item()) if getattr(lr, "is_cpu", False) else _NAN


def _derived(base: Any) -> list[Any]:
    """All classes that are derived from one."""
    return [kind for derived in type.__subclasses__(base) for kind in (derived, *_derived(derived))]


def _standing(scheduler: Any, record: SchedulerRecord) -> dict[str, object]:
    """Its state, with the steps that were made of it: timm's do not count them."""
    state = state_of(scheduler)
    return dict(state, last_epoch=record.steps) if is_timms(scheduler) else state


def state_of(scheduler: Any) -> dict[str, object]:
    """What of its `state_dict` is plain, and that of schedulers within it; functions by name. Runs none of it."""
    state = plain(vars(scheduler))
    milestones = vars(scheduler).get("milestones")
    if type(milestones).__module__ == "collections":  # a Counter, of MultiStepLR
        state["milestones"] = plain(milestones)
    inner = inner_schedulers(scheduler)
    if inner:
        state["schedulers"] = [dict(state_of(held), class_name=text(type(held).__name__, 200)) for held in inner]
    functions = vars(scheduler).get("lr_lambdas")
    if type(functions) is list:
        state["lr_lambdas"] = [function_of(held) for held in functions]
    return state
