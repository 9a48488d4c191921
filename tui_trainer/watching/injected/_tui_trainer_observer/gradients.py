"""Gradients that are zeroed, by an optimizer or a network, and clipped."""

from __future__ import annotations

from .torch_internals import submodule
from .wrapping import Depth, noted_outermost, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from .networks import Networks
    from .observer import Observer
    from .optimizer_steps import OptimizerSteps
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
        observer, depth = self._observer, Depth()
        replace(torch.optim.Optimizer, "zero_grad", noted_outermost(observer, "zero_grad", depth, self._of_optimizer))
        replace(torch.nn.Module, "zero_grad", noted_outermost(observer, "zero_grad", depth, self._of_network))
        clipping = Depth()
        for name in ("clip_grad_norm_", "clip_grad_value_"):
            own = submodule("nn.utils.clip_grad")
            if replace(own, name, noted_outermost(observer, name, clipping, self._clipped)):
                setattr(torch.nn.utils, name, getattr(own, name))

    def _of_optimizer(self, frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
        optimizer = args[0]
        site = self._sites.of_call("zero_grad", frame, self._steps.number_of(optimizer), optimizer)
        self._writer.call(site, begin, end, 0.0)

    def _of_network(self, frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
        network = args[0]
        site = self._sites.of_call("zero_grad", frame, self._networks.number_of(network), network)
        self._writer.call(site, begin, end, 0.0)

    def _clipped(self, frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
        self._values.record(self._sites.of_call("clip_grad", frame), begin, end, result)
