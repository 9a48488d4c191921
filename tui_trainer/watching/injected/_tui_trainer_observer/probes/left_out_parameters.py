"""Parameters of a network that get gradients, and are in no optimizer."""

from __future__ import annotations

from ..networks import unwrapped
from ..python_internals import ref
from ..torch_internals import version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..networks import Networks
    from ..observer import Observer
    from .known_optimizers import KnownOptimizers

LOOKED_FOR_AT, TOLD_AT = 5, 50
"""Steps of the first optimizer."""


class LeftOutParameters:
    """Looks at all parameters at one step, and at those that are left out again at a later one.

    A part of the same network must be in an optimizer. Whoever moves the others by hand changes them in between.
    """

    def __init__(self, observer: Observer, networks: Networks, optimizers: KnownOptimizers) -> None:
        self._observer = observer
        self._networks = networks
        self._optimizers = optimizers
        self._left_out: list[tuple[str, Any, int, float]] = []
        """The network's class, the parameter, its version, and its first number where that can be read."""
        observer.listeners.add("after_step", self._after_step)

    def _after_step(self, optimizer: Any, record: Any, site: int) -> int:
        if record.steps == LOOKED_FOR_AT and not self._left_out:
            self._left_out = self._find()
        if record.steps < LOOKED_FOR_AT:
            return LOOKED_FOR_AT
        if not self._left_out:
            self._observer.listeners.remove("after_step", self._after_step)
        elif record.steps >= TOLD_AT:
            self._observer.listeners.remove("after_step", self._after_step)
            self._tell(site)
        return TOLD_AT

    def _find(self) -> list[tuple[str, Any, int, float]]:
        moved = self._moved()
        found = []
        for network in self._networks.trained():
            name = type(unwrapped(network)[0]).__name__
            for parameter in network.parameters():
                if id(parameter) not in moved and parameter.requires_grad and parameter.grad is not None:
                    found.append((name, ref(parameter), version_of(parameter), _first_number(parameter)))
        return found

    def _moved(self) -> set[int]:
        groups = [group for optimizer in self._optimizers.alive() for group in optimizer.param_groups]
        return {id(parameter) for group in groups for parameter in group["params"]}

    def _tell(self, site: int) -> None:
        moved = self._moved()
        counts: dict[str, int] = {}
        for name, reference, version, number in self._left_out:
            parameter = reference()
            if parameter is None or id(parameter) in moved or parameter.grad is None or not parameter.requires_grad:
                continue
            if version_of(parameter) == version and _first_number(parameter) == number:
                counts[name] = counts.get(name, 0) + parameter.numel()
        self._left_out = []
        for name, count in counts.items():
            values = {"model": name, "parameters": count}
            self._observer.writer.define("observed", fact="not_in_optimizer", site=site, values=values)


def _first_number(parameter: Any) -> float:
    if parameter.device.type != "cpu" or not parameter.numel():
        return 0.0
    return float(parameter.detach().reshape(-1)[0].item())
