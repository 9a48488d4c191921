"""Which LRs a scheduler will give: a copy of it is stepped through, on an optimizer that is none.

A rehearsal runs the scheduler's code. Unasked that is done for torch's own classes and timm's over plain data, and for
functions of known libraries; of others only where the person said so.
"""

from __future__ import annotations

import sys
from time import perf_counter

from .plain import plain, text
from .torch_internals import closed_form, lrs_at, submodule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .observer import Observer

_TORCHS = "torch.optim.lr_scheduler"
_TIMMS = "timm.scheduler."
_KNOWN = ("torch", "transformers", "diffusers", "timm", "accelerate", "lightning", "pytorch_lightning")
UNKNOWN_LENGTH = 1000
"""How many steps are told where nobody knows how many there will be."""
_STEPPED_THROUGH = 20_000
"""Longer ones are reckoned at this many places, where the class can say its LR without being stepped there."""
_PATIENCE = 0.3
"""Seconds after which a rehearsal ends, and tells what it has."""
_JUMPING = ("LambdaLR", "OneCycleLR", "CyclicLR")
"""Classes whose LR is a function of the step alone."""


class Rehearsal:
    """Makes plans."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def of(self, scheduler: Any, made: int, at_least: int = 0) -> dict[str, object] | None:
        """`trace.Planned` without its scheduler and count; None where there is to be none.

        Args:
            scheduler: it stays as it is.
            made: the steps of it that were made.
            at_least: how many steps of it there will be, where its own length is not known.
        """
        unasked = is_known(scheduler, scheduler)
        if not (unasked or self._observer.settings.rehearse):
            return None
        groups = scheduler.optimizer.param_groups
        if not all(type(group.get("lr")) in (float, int) for group in groups):
            return None
        length, length_from = length_of(scheduler)
        settings = self._observer.settings
        wanted = length if length is not None else max(settings.steps or settings.epochs or 0, at_least, UNKNOWN_LENGTH)
        steps = max(wanted - made, 0)
        random_states = [] if unasked else _random_states(self._observer.torch)
        scheduler_module = submodule("optim.lr_scheduler")
        warnings = scheduler_module.warnings
        scheduler_module.warnings = _Quiet
        try:
            lrs, every = _rehearsed(scheduler, made, steps)
        finally:
            scheduler_module.warnings = warnings
            for restore, state in random_states:
                restore(state)
        reached = made + (len(lrs[0]) - 1) * every if lrs else made
        is_whole = reached + every > wanted or length is None
        told = {"lrs": lrs, "every": every, "length": length, "length_from": length_from}
        return told if is_whole else {**told, "reached": reached}


class _Quiet:
    """Stands for `warnings`: what torch has to say of a rehearsal is nothing to the user."""

    @staticmethod
    def warn(*words: object, **more: object) -> None:
        pass


class _Stub:
    """An optimizer as far as a scheduler looks at it, without parameters."""

    def __init__(self, optimizer: Any) -> None:
        self.param_groups = [
            dict({name: value for name, value in group.items() if name != "params"}, params=[])
            for group in optimizer.param_groups
        ]
        self.defaults = dict(getattr(optimizer, "defaults", {}))
        self.state: dict[Any, Any] = {}
        self._opt_called = True
        self._step_count = 1

    def step(self) -> None:
        """Schedulers ask whether it is one that they have wrapped."""

    step._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    step._with_counter = True  # type: ignore[attr-defined]


def _rehearsed(scheduler: Any, made: int, steps: int) -> tuple[list[list[float]], int]:
    """The LRs of each group now and after the next steps, and how many steps lie between two of them."""
    stub = _Stub(scheduler.optimizer)
    copy = sys.modules["copy"].deepcopy(scheduler, {id(scheduler.optimizer): stub})
    lrs = [[float(group["lr"])] for group in stub.param_groups]
    every = max(1, -(-steps // _STEPPED_THROUGH))
    step_to = _step_to(copy) if is_timms(copy) else None
    if every > 1 and step_to is None:
        jumped = _jumped(copy, steps, lrs)
        if jumped is not None:
            return jumped
    at_once = 1 if step_to is None else every
    deadline = perf_counter() + _PATIENCE
    for count in range(at_once, steps + 1, at_once):
        try:
            copy.step() if step_to is None else step_to(made + count)
        except Exception:  # it has come to its end
            break
        if count % every == 0:
            for told, group in zip(lrs, stub.param_groups):
                told.append(float(group["lr"]))
            if count % 64 == 0 and perf_counter() > deadline:
                break
    return lrs, every


def is_timms(scheduler: Any) -> bool:
    """Whether it is one of timm's, or of a class that is derived from them."""
    return any(
        kind.__name__ == "Scheduler" and kind.__module__ == _TIMMS + "scheduler" for kind in type(scheduler).__mro__
    )


def _step_to(scheduler: Any) -> Any:
    """What brings one of timm's to an epoch, or an update: its LR is a function of that number."""
    return scheduler.step if scheduler.t_in_epochs else scheduler.step_update


def _jumped(copy: Any, steps: int, lrs: list[list[float]]) -> tuple[list[list[float]], int] | None:
    """The same of a long schedule whose LR can be reckoned at any step; None where it cannot."""
    if closed_form(copy) is None and type(copy).__name__ not in _JUMPING:
        return None
    begin, every = copy.last_epoch, -(-steps // _STEPPED_THROUGH)
    now = lrs_at(copy, begin)
    if any(abs(reckoned - told[0]) > 1e-9 * abs(told[0]) for reckoned, told in zip(now, lrs)):
        return None  # somebody has changed the LR since
    deadline = perf_counter() + _PATIENCE
    for count in range(every, steps + 1, every):
        for told, lr in zip(lrs, lrs_at(copy, begin + count)):
            told.append(lr)
        if perf_counter() > deadline:
            break
    return lrs, every


def inner_schedulers(scheduler: Any) -> list[Any]:
    """Those that it hands its steps on to."""
    held = vars(scheduler).get("_schedulers")
    return [inner for inner in held if hasattr(inner, "step")] if type(held) in (list, tuple) else []


def length_of(scheduler: Any) -> tuple[int | None, str]:
    """How many steps of it there are, and how that is known; None and nothing where it is not."""
    state = vars(scheduler)
    for name in ("total_steps", "T_max"):
        value = state.get(name)
        if type(value) is int and value > 0:
            return value, name
    for function in state.get("lr_lambdas") or []:
        value = _captured(function).get("num_training_steps")
        if type(value) is int and value > 0:
            return value, "num_training_steps"
    if is_timms(scheduler) and hasattr(scheduler, "get_cycle_length"):
        value = scheduler.get_cycle_length()
        if type(value) is int and value > 0:
            return value, "get_cycle_length"
    inner = inner_schedulers(scheduler)
    milestones = state.get("_milestones")
    if inner and type(milestones) is list and milestones:
        last, length_from = length_of(inner[-1])
        if last is not None and type(milestones[-1]) is int:
            return milestones[-1] + last, length_from
    return None, ""


def function_of(function: Any) -> dict[str, object]:
    """What a function of the step is called, where it stands, and what plain values it was given."""
    own = getattr(function, "func", function)
    code = getattr(own, "__code__", None)
    return {
        "function": text(getattr(own, "__qualname__", type(own).__name__), 200),
        "module": text(str(getattr(own, "__module__", "")), 200),
        "file": text(code.co_filename) if code is not None else "",
        "lineno": code.co_firstlineno if code is not None else 0,
        "values": plain(_captured(function)),
    }


def _captured(function: Any) -> dict[str, Any]:
    """The values that a partial or a closure has with it."""
    keywords = getattr(function, "keywords", None)
    if type(keywords) is dict:
        return keywords
    cells = getattr(function, "__closure__", None) or ()
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    return {name: cell.cell_contents for name, cell in zip(names, cells) if _is_filled(cell)}


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def is_known(held: Any, scheduler: Any) -> bool:
    """Whether a copy of it can be made and stepped that runs no code but torch's and that of known libraries."""
    kind = type(held)
    if held is None or kind in (int, float, bool, str) or held is scheduler.optimizer:
        return True
    if kind in (list, tuple):
        return all(is_known(item, scheduler) for item in held)
    if kind is dict or (kind.__module__ == "collections" and issubclass(kind, dict)):
        return all(is_known(item, scheduler) for item in held.values())
    if kind.__module__ == _TORCHS or kind.__module__.startswith(_TIMMS):
        return all(is_known(item, scheduler) for item in vars(held).values())
    if kind.__name__ == "method":
        return held.__self__ is scheduler and kind.__module__ == "builtins"
    own = getattr(held, "func", held)
    if kind.__name__ not in ("function", "partial", "builtin_function_or_method"):
        return False
    if str(getattr(own, "__module__", "")).partition(".")[0] not in _KNOWN:
        return False
    return all(is_known(value, scheduler) for value in (*_captured(held).values(), *getattr(held, "args", ())))


def _random_states(torch: Any) -> list[tuple[Any, Any]]:
    """How to put random generators back to where they are."""

    def found() -> Iterator[tuple[Any, Any]]:
        yield torch.set_rng_state, torch.get_rng_state()
        random = sys.modules.get("random")
        if random is not None:
            yield random.setstate, random.getstate()
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            yield numpy.random.set_state, numpy.random.get_state()

    return list(found())
