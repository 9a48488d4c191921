"""Steps of schedulers, of torch's classes and of those that are derived from them, now or later."""

from __future__ import annotations

from .call_sites import name_of
from .plain import plain, text
from .seen_objects import SeenObjects
from .torch_internals import INITIAL_STEP
from .wrapping import Depth, noted_outermost, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from .observer import Observer
    from .optimizer_steps import OptimizerSteps

_NAN = float("nan")


class SchedulerRecord:
    """What is kept of a scheduler."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.steps = 0
        self.defined = False
        self.file = ""
        self.lineno = 0


class Schedulers:
    """Notes each step but for those in a constructor, and those that a scheduler makes of others within its own."""

    def __init__(self, observer: Observer, optimizers: OptimizerSteps) -> None:
        self._observer = observer
        self._writer = observer.writer
        self._sites = observer.sites
        self._optimizers = optimizers
        self._depth = Depth()
        self._wrap_step = noted_outermost(observer, "scheduler.step", self._depth, self._stepped)
        self.seen: SeenObjects[SchedulerRecord] = SeenObjects(lambda _: SchedulerRecord(observer.new_number()))
        self._plateau: Any = None

    def install(self, torch: Any) -> None:
        """Listen to all."""
        schedulers = torch.optim.lr_scheduler
        self._plateau = schedulers.ReduceLROnPlateau
        for base in (schedulers.LRScheduler, self._plateau):
            self._wrap_classes(base)
        replace(schedulers.LRScheduler, INITIAL_STEP, self._make_initial)
        self._wrap_later_classes(schedulers.LRScheduler)
        self._observer.at_fork(self._forget)

    def _forget(self) -> None:
        self.seen.clear()
        self._depth.inside = False

    def _wrap_classes(self, base: Any) -> None:
        """A class and all that are derived from it by now."""
        self._wrap_class(base)
        for derived in type.__subclasses__(base):
            self._wrap_classes(derived)

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
        depth = self._depth

        def initial_step(*args: Any, **kwargs: Any) -> Any:
            before = depth.inside
            depth.inside = True
            try:
                return original(*args, **kwargs)
            finally:
                depth.inside = before

        return initial_step

    def _stepped(self, frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
        scheduler = args[0]
        record = self.seen.of(scheduler)
        record.steps += 1
        if not record.defined:
            self.define(scheduler, frame)
        site = self._sites.of_call("scheduler.step", frame, record.number, scheduler)
        lr = scheduler.optimizer.param_groups[0].get("lr")
        self._writer.call(site, begin, end, lr if type(lr) is float else _number(lr))
        if isinstance(scheduler, self._plateau):
            metric = args[1] if len(args) > 1 else kwargs.get("metrics")
            self.tell_state(scheduler, record, metric if type(metric) in (int, float) else None)

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
            name=name_of(scheduler, own) if own is not None else "",
            optimizer=self._optimizers.number_of(scheduler.optimizer),
            state=plain(vars(scheduler)),
            file=record.file,
            lineno=record.lineno,
        )

    def tell_state(self, scheduler: Any, record: SchedulerRecord, metric: float | None = None) -> None:
        """Tell where it stands."""
        self._writer.define("scheduler_state", id=record.number, state=plain(vars(scheduler)), metric=metric)


def _number(lr: Any) -> float:
    """An LR that is no float; nan where it lies on a device."""
    if type(lr) is int:
        return float(lr)
    device = getattr(lr, "device", None)
    return float(lr.item()) if device is not None and device.type == "cpu" else _NAN
