"""Steps of optimizers, and the LR, momentum and weight decay that each uses, through torch's own global hooks."""

from __future__ import annotations

from time import perf_counter

from .call_sites import name_of
from .plain import plain, text
from .python_internals import getframe
from .seen_objects import SeenObjects
from .torch_internals import hook_all_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from .observer import Observer

_MOST_GROUPS = 1000
_UNTOLD: Any = object()


class OptimizerRecord:
    """What is kept of an optimizer."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.steps = 0
        self.lrs: list[Any] = []
        """Of each group, as told last; so of the others."""
        self.momenta: list[Any] = []
        self.decays: list[Any] = []
        self.unscaled: list[tuple[dict[str, Any], Any, Any]] = []
        """Groups whose LR is multiplied while it steps: the group, its own LR, the one it got."""


class OptimizerSteps:
    """Notes each step. The first optimizer that steps is the one whose steps are the run's."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._writer = observer.writer
        self._sites = observer.sites
        self.seen: SeenObjects[OptimizerRecord] = SeenObjects(lambda _: OptimizerRecord(observer.new_number()))
        self.before_first_step: Callable[[Any], None] | None = None
        """Called with each optimizer that has not stepped before, after it was defined."""
        self.after_step: Callable[[OptimizerRecord, float], None] | None = None
        self.lr_factor = 1.0
        self.first = 0
        """The number of the optimizer that stepped first."""
        self._begun: list[tuple[OptimizerRecord, float]] = []

    def install(self, torch: Any) -> None:
        """Listen to the steps of all optimizers."""
        compiling, observer = self._observer.compiling, self._observer

        def before(optimizer: Any, args: Any, kwargs: Any) -> None:
            if compiling() or not observer.on:
                return
            try:
                self._before(optimizer)
            except Exception as error:
                observer.guard.failed("optimizer.step", error)

        def after(optimizer: Any, args: Any, kwargs: Any) -> None:
            if compiling() or not observer.on:
                return
            try:
                self._after(optimizer, getframe(1), perf_counter())
            except Exception as error:
                observer.guard.failed("optimizer.step", error)

        hook_all_steps(before, after)
        observer.at_fork(self.forget)

    def forget(self) -> None:
        """In a fork's child."""
        self.seen.clear()
        del self._begun[:]
        self.first = 0

    def steps_of(self, optimizer: Any) -> int:
        """How often it has stepped."""
        record = self.seen.known(optimizer)
        return 0 if record is None else record.steps

    def number_of(self, optimizer: Any) -> int:
        """Its number in the trace."""
        return self.seen.of(optimizer).number

    def _before(self, optimizer: Any) -> None:
        record = self.seen.of(optimizer)
        if not record.lrs:
            self._first_step(optimizer, record)
        groups = optimizer.param_groups
        if record.unscaled or self.lr_factor != 1.0:
            self._scale(groups, record)
        if len(groups) != len(record.lrs):
            self._groups_changed(groups, record)
        lrs, momenta, decays = record.lrs, record.momenta, record.decays
        for part, group in enumerate(groups):
            lr = group.get("lr")
            if lr is not lrs[part]:
                self._told("lr", lr, lrs, record, part)
            momentum = group.get("momentum", _UNTOLD)
            if momentum is _UNTOLD:
                betas = group.get("betas")
                momentum = betas[0] if betas else None
            if momentum is not momenta[part]:
                self._told("momentum", momentum, momenta, record, part)
            decay = group.get("weight_decay")
            if decay is not decays[part]:
                self._told("weight_decay", decay, decays, record, part)
        self._begun.append((record, perf_counter()))

    def _after(self, optimizer: Any, frame: FrameType, end: float) -> None:
        record = self.seen.known(optimizer)
        if record is None:
            return
        begin = end
        for place in range(len(self._begun) - 1, -1, -1):
            if self._begun[place][0] is record:
                begin = self._begun[place][1]
                del self._begun[place:]
                break
        if record.unscaled:
            self._restore(record)
        record.steps += 1
        site = self._sites.of_call("optimizer.step", frame, record.number, optimizer)
        self._writer.call(site, begin, end, record.steps)
        for listener in self._observer.listeners.after_step:
            listener(optimizer, record, site)
        if self.after_step is not None and record.number == self.first:
            self.after_step(record, end)

    def _first_step(self, optimizer: Any, record: OptimizerRecord) -> None:
        self._observer.start()
        self.first = self.first or record.number
        groups = optimizer.param_groups
        self._groups_changed(groups, record)
        frame = self._sites.program_frame(getframe(3))
        kind = type(optimizer)
        self._writer.define(
            "optimizer",
            id=record.number,
            class_name=text(kind.__name__, 200),
            module=text(kind.__module__, 200),
            name=name_of(optimizer, frame) if frame is not None else "",
            groups=[_group(group) for group in groups[:_MOST_GROUPS]],
            wraps=self._wrapped_by(optimizer),
        )
        if self.before_first_step is not None:
            self.before_first_step(optimizer)

    def _wrapped_by(self, optimizer: Any) -> int:
        """The optimizer within it that it gives its steps to, or 0."""
        base = self._observer.torch.optim.Optimizer
        for held in list(vars(optimizer).values()):
            if issubclass(type(held), base) and held is not optimizer:
                return self.number_of(held)
        return 0

    def _groups_changed(self, groups: list[Any], record: OptimizerRecord) -> None:
        record.lrs = [_UNTOLD] * len(groups)
        record.momenta, record.decays = list(record.lrs), list(record.lrs)

    def _told(self, what: str, value: Any, told: list[Any], record: OptimizerRecord, part: int) -> None:
        """Record a value that is not the object that it was; the same number again is not told."""
        number = value
        if type(value) is not float:
            if type(value) is int:
                number = float(value)
            elif value is not None and type(value) is not bool and value is not _UNTOLD:
                number = _of_tensor(value)
        if number is None or type(number) is bool or number == told[part]:
            if value is number:
                told[part] = value
            return
        told[part] = number
        if part < _MOST_GROUPS:
            now = perf_counter()
            self._writer.call(self._sites.of_part(what, record.number, part), now, now, number)

    def _scale(self, groups: list[Any], record: OptimizerRecord) -> None:
        self._restore(record)  # of a step that raised
        factor = self.lr_factor
        for group in groups:
            lr = group.get("lr")
            if factor != 1.0 and type(lr) in (float, int):
                given = lr * factor
                group["lr"] = given
                record.unscaled.append((group, lr, given))

    def _restore(self, record: OptimizerRecord) -> None:
        for group, own, given in record.unscaled:
            if group.get("lr") is given:
                group["lr"] = own
        del record.unscaled[:]


def _of_tensor(value: Any) -> float | None:
    """The number of a tensor on the CPU; None of others, which are not read: that would wait for the device."""
    if not getattr(value, "is_cpu", False) or value.numel() != 1:
        return None
    return float(value.item())


def _group(group: dict[str, Any]) -> dict[str, object]:
    """`trace.Group`, as plain values."""
    lr = group.get("lr")
    tensors = group["params"]
    if type(lr) is int:
        lr = float(lr)
    elif type(lr) is not float:
        lr = None if lr is None else _of_tensor(lr)
    return {
        "parameters": sum(tensor.numel() for tensor in tensors),
        "tensors": len(tensors),
        "lr": lr,
        "options": plain({name: value for name, value in group.items() if name not in ("params", "lr", "name")}),
        "name": text(str(group.get("name") or ""), 200),
    }
