"""Gradients that are zeroed, by an optimizer or a network, and clipped."""

from __future__ import annotations

from time import perf_counter

from .python_internals import getframe
from .torch_internals import submodule
from .wrapping import Depth, noted_outermost, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from .networks import Networks
    from .observer import Observer
    from .optimizer_steps import OptimizerSteps
    from .seen_objects import SeenObjects
    from .values import Values


class Gradients:
    """Notes `zero_grad`, `clip_grad_norm_` and `clip_grad_value_`."""

    def __init__(self, observer: Observer, values: Values, steps: OptimizerSteps, networks: Networks) -> None:
        self._observer = observer
        self._writer = observer.writer
        self._sites = observer.sites
        self._values = values
        self._steps = steps
        self._networks = networks

    def install(self, torch: Any) -> None:
        """Listen to all."""
        if self._observer.settings.calls == "off":
            return
        depth = Depth()
        replace(torch.optim.Optimizer, "zero_grad", self._zero_grad_of(self._steps.seen, depth))
        replace(torch.nn.Module, "zero_grad", self._zero_grad_of(self._networks.seen, depth))
        clipping = Depth()
        for name in ("clip_grad_norm_", "clip_grad_value_"):
            own = submodule("nn.utils.clip_grad")
            if replace(own, name, noted_outermost(self._observer, name, clipping, self._clipped)):
                setattr(torch.nn.utils, name, getattr(own, name))

    def _zero_grad_of(self, seen: SeenObjects[Any], depth: Depth) -> Callable[[Any], Any]:
        """Makes wrappers, each written out in one function, as `OptimizerSteps.install` is.

        Args:
            seen: the optimizers or the networks. What is kept of one has its `number` and its `zero_grad`, a place.
            depth: of all kinds of `zero_grad`.
        """
        observer, compiling, guard = self._observer, self._observer.compiling, self._observer.guard
        sites, writer = self._sites, self._writer
        add_rows, records = writer.rows.extend, seen.records
        of_optimizers = seen is self._steps.seen

        def make(original: Any) -> Any:
            def zero_grad(*args: Any, **kwargs: Any) -> Any:
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
                    found = records.get(id(args[0]))
                    record = seen.of(args[0]) if found is None else found[1]
                    last = record.zero_grad
                    frame = getframe(1)
                    if frame.f_lasti == last.instruction and frame.f_code is last.code and last.depth == 1:
                        site = last.number
                    else:
                        site = last.find(sites, "zero_grad", frame, record.number, args[0])
                        if of_optimizers:
                            self._steps.had_gradients_zeroed = True
                    add_rows((site, begin, end, 0.0))
                    if end >= writer.due:
                        writer.overdue(end)
                except Exception as error:
                    guard.failed("zero_grad", error)
                return result

            return zero_grad

        return make

    def _clipped(self, frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
        self._values.record(self._sites.of_call("clip_grad", frame), begin, end, result)
