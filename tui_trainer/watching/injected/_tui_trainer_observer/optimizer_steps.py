"""Steps of optimizers, and the LR, momentum and weight decay that each uses, through torch's own global hooks."""

from __future__ import annotations

from time import perf_counter

from .call_sites import LastSite, name_of
from .listeners import NEVER
from .plain import plain, text
from .python_internals import getframe
from .seen_objects import SeenObjects
from .torch_internals import hook_all_steps, submodule
from .wrapping import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .observer import Observer

_MOST_GROUPS = 1000
_ALONE = 128
"""Steps of another optimizer behind which the one that control listened to is taken to be done with."""
_UNTOLD: Any = object()


class OptimizerRecord:
    """What is kept of an optimizer."""

    def __init__(self, number: int) -> None:
        self.step = LastSite()
        self.zero_grad = LastSite()
        self.number = number
        self.steps = 0
        self.lrs: list[Any] = []
        """Of each group, as told last; so of the others."""
        self.momenta: list[Any] = []
        self.decays: list[Any] = []
        self.lr_sites: list[int] = []
        """The places that LRs are told at, 0 before one was told; so of momenta."""
        self.momentum_sites: list[int] = []
        self.begin = 0.0
        """When the step began that is being made, or was made last."""
        self.is_due = True
        """Whether the next step is to be looked at in full."""
        self.moves_by_itself = False
        """Whether momentum or weight decay were seen to change where no LR did."""
        self.wake = 0
        """The step behind which `Listeners.after_step` are called next."""
        self.unscaled: list[tuple[dict[str, Any], Any, Any]] = []
        """Groups whose LR is multiplied while it steps: the group, its own LR, the one it got."""


class OptimizerSteps:
    """Notes each step. Behind those of the first optimizer that steps control is taken up; behind those of another one,
    once that steps alone."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._writer = observer.writer
        self._sites = observer.sites
        self.seen: SeenObjects[OptimizerRecord] = SeenObjects(lambda _: OptimizerRecord(observer.new_number()))
        self.before_first_step: Callable[[Any], None] | None = None
        """Called with each optimizer that has not stepped before, after it was defined."""
        self.after_step: Callable[[OptimizerRecord, float], None] | None = None
        """Called behind a step of the optimizer that leads from `wake_at` on, which it moves on."""
        self.wake_at = float("inf")
        self.lr_factor = 1.0
        self._restores_raised = False
        self.first = 0
        """The number of the optimizer that stepped first."""
        self._leads = 0
        """The number of the one behind whose steps control is taken up."""
        self._alone = 0
        """Steps that others were seen to make since its last one."""
        self.had_gradients_zeroed = False
        """Whether any optimizer's `zero_grad` was called."""

    def install(self, torch: Any) -> None:
        """Listen to the steps of all optimizers.

        What each step runs is written out in two functions: where the program's work has emptied the caches, each
        function of Python's that is entered costs a microsecond.
        """
        compiling, observer = self._observer.compiling, self._observer
        sites, writer = self._sites, self._writer
        add_rows, records = writer.rows.extend, self.seen.records

        def before(optimizer: Any, args: Any, kwargs: Any) -> None:
            if compiling() or not observer.on:
                return
            try:
                known = records.get(id(optimizer))
                record = self.seen.of(optimizer) if known is None else known[1]
                lrs = record.lrs
                part = 0
                for group in optimizer.param_groups:
                    if part == len(lrs) or group.get("lr") is not lrs[part]:
                        part = -1
                        break
                    part += 1
                if record.is_due or part != len(lrs):
                    self._look(optimizer, record)
                record.begin = perf_counter()
            except Exception as error:
                observer.guard.failed("optimizer.step", error)

        def after(optimizer: Any, args: Any, kwargs: Any) -> None:
            if compiling() or not observer.on:
                return
            end = perf_counter()
            try:
                seen = records.get(id(optimizer))
                if seen is None:
                    return
                record = seen[1]
                record.steps = steps = record.steps + 1
                last = record.step
                try:
                    frame = getframe(last.depth)
                    known = frame.f_lasti == last.instruction and frame.f_code is last.code
                except ValueError:  # there are not as many
                    known = False
                if known:
                    site = last.number
                else:
                    site = last.find(sites, "optimizer.step", getframe(1), record.number, optimizer)
                add_rows((site, record.begin, end, steps))
                if end >= writer.due:
                    writer.overdue(end)
                if steps >= record.wake or end >= self.wake_at or record.unscaled:
                    self._attend(optimizer, record, site, end)
            except Exception as error:
                observer.guard.failed("optimizer.step", error)

        hook_all_steps(before, after)
        observer.at_fork(self.forget)
        observer.at_write(self._make_due)
        observer.listeners.wake = self._wake

    def forget(self) -> None:
        """In a fork's child."""
        self.seen.clear()
        self.first = self._leads = self._alone = 0
        self.had_gradients_zeroed = False

    def scale_lrs(self, factor: float) -> bool:
        """Have each LR multiplied while its optimizer steps, from the next step on; whether that can be done. An LR
        that is a tensor is left alone, and with it all others: a graph may have been captured with it."""
        groups = [group for optimizer, _ in self.seen.alive() for group in optimizer.param_groups]
        if factor != 1.0 and any(type(group["lr"]) not in (float, int) for group in groups if "lr" in group):
            return False
        self.lr_factor = factor
        self._make_due(0.0)
        if factor != 1.0 and not self._restores_raised:
            self._restores_raised = True
            replace(submodule("autograd.profiler").record_function, "__exit__", self._restore_where_it_raises)
        return True

    def steps_of(self, optimizer: Any) -> int:
        """How often it has stepped."""
        record = self.seen.known(optimizer)
        return 0 if record is None else record.steps

    def number_of(self, optimizer: Any) -> int:
        """Its number in the trace."""
        return self.seen.of(optimizer).number

    def number_of_stepping(self, optimizer: Any) -> int:
        """The number of the optimizer that takes the steps of one: of that which it holds, where its own are not seen,
        as those of Accelerate's are not."""
        record = self.seen.of(optimizer)
        within = None if record.lrs else self._wrapped_by(optimizer)
        return within or record.number

    def _look(self, optimizer: Any, record: OptimizerRecord) -> None:
        """Before a step: its LRs have changed, or it is time to see whether something else has.

        With a scheduler that is stepped every batch this runs at every step. So what changes then, numbers that were
        told before, is written out here.
        """
        if not record.lrs:
            self._first_step(optimizer, record)
        groups = optimizer.param_groups
        if record.unscaled or self.lr_factor != 1.0:
            self.scale(groups, record)
        if len(groups) != len(record.lrs):
            self._groups_changed(groups, record)
        lrs, momenta, decays = record.lrs, record.momenta, record.decays
        lr_sites, momentum_sites = record.lr_sites, record.momentum_sites
        add_rows, now = self._writer.rows.extend, perf_counter()
        lr_moved = other_moved = False
        for part, group in enumerate(groups):
            lr = group.get("lr")
            if lr is not lrs[part]:
                if type(lr) is not float or not lr_sites[part]:
                    lr_moved = self._told("lr", lr, lrs, lr_sites, record, part) or lr_moved
                elif lr == lrs[part]:
                    lrs[part] = lr
                else:
                    lrs[part], lr_moved = lr, True
                    add_rows((lr_sites[part], now, now, lr))
            momentum = group.get("momentum", _UNTOLD)
            if momentum is _UNTOLD:
                betas = group.get("betas")
                momentum = betas[0] if betas else None
            if momentum is not momenta[part]:
                if type(momentum) is not float or not momentum_sites[part]:
                    moved = self._told("momentum", momentum, momenta, momentum_sites, record, part)
                    other_moved = moved or other_moved
                elif momentum == momenta[part]:
                    momenta[part] = momentum
                else:
                    momenta[part], other_moved = momentum, True
                    add_rows((momentum_sites[part], now, now, momentum))
            decay = group.get("weight_decay")
            if decay is not decays[part]:
                other_moved = self._told("weight_decay", decay, decays, None, record, part) or other_moved
        record.moves_by_itself = record.moves_by_itself or (other_moved and not lr_moved)
        record.is_due = record.moves_by_itself or self.lr_factor != 1.0

    def _make_due(self, now: float) -> None:
        """A few times a second: look at momentum and weight decay too."""
        for _, record in self.seen.records.values():
            record.is_due = True

    def _wake(self) -> None:
        for _, record in self.seen.records.values():
            record.wake = 0

    def _attend(self, optimizer: Any, record: OptimizerRecord, site: int, end: float) -> None:
        """Behind a step that somebody waits for."""
        if record.unscaled:
            self.restore(record)
        if record.steps >= record.wake:
            record.wake = record.steps + 1
            wakes = [listener(optimizer, record, site) for listener in self._observer.listeners.after_step]
            if record.wake:  # no listener has come
                record.wake = min(wakes, default=NEVER)
        if end >= self.wake_at and self.after_step is not None:
            if record.number == self._leads:
                self._alone = 0
                self.after_step(record, end)
            elif self._observer.process.trains_alone:  # ranks agree on a step of the first one's
                self._alone += 1
                if self._alone >= _ALONE:
                    self._leads, self._alone = record.number, 0

    def _first_step(self, optimizer: Any, record: OptimizerRecord) -> None:
        self._observer.start()
        self.first = self.first or record.number
        self._leads = self._leads or record.number
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
        record.lr_sites, record.momentum_sites = [0] * len(groups), [0] * len(groups)

    def _told(
        self, what: str, value: Any, told: list[Any], sites: list[int] | None, record: OptimizerRecord, part: int
    ) -> bool:
        """Record a value that is not the object that it was, and at which place in `sites`; whether it was. The same
        number again is not told."""
        number = value
        if type(value) is not float:
            if type(value) is int:
                number = float(value)
            elif value is not None and type(value) is not bool and value is not _UNTOLD:
                number = _of_tensor(value)
        if number is None or type(number) is bool or number == told[part]:
            if type(value) in (float, int):
                told[part] = value
            return False
        is_first = told[part] is _UNTOLD
        told[part] = value if type(value) is int else number  # the object that it is: it is not looked at again
        if part < _MOST_GROUPS:
            now = perf_counter()
            site = self._sites.of_part(what, record.number, part)
            self._writer.call(site, now, now, number)
            if sites is not None:
                sites[part] = site
        return not is_first

    def scale(self, groups: list[Any], record: OptimizerRecord) -> None:
        """Multiply the LR of groups until `restore`, once: an optimizer may step within another that has the same."""
        self.restore(record)
        factor = self.lr_factor
        around = [id(group) for _, other in self.seen.records.values() for group, _, _ in other.unscaled]
        for group in groups:
            lr = group.get("lr")
            if factor != 1.0 and type(lr) in (float, int) and id(group) not in around:
                given = lr * factor
                group["lr"] = given
                record.unscaled.append((group, lr, given))

    def restore(self, record: OptimizerRecord) -> None:
        """Give groups their own LR back, but for those that got another one meanwhile."""
        for group, own, given in record.unscaled:
            if group.get("lr") is given:
                group["lr"] = own
        del record.unscaled[:]

    def _restore_where_it_raises(self, original: Any) -> Any:
        """The hooks behind a step are not called where it raises. But each runs in a `record_function`, whose end is
        told: who catches it finds the LRs of its own, and so does the checkpoint that is saved then."""
        records, guard = self.seen.records, self._observer.guard

        def __exit__(self_: Any, exc_type: Any, exc_value: Any, traceback: Any) -> Any:
            if exc_type is not None:
                try:
                    for _, record in list(records.values()):
                        if record.unscaled:
                            self.restore(record)
                except Exception as error:
                    guard.failed("LR dial", error)
            return original(self_, exc_type, exc_value, traceback)

        return __exit__


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
