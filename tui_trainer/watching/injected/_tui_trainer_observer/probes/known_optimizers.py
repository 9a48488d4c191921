"""All optimizers that were made, whether they have stepped or not."""

from __future__ import annotations

from ..python_internals import ref
from ..wrapping import noted, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from ..observer import Observer


class KnownOptimizers:
    """Each is known as it is given its first group of parameters."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._optimizers: dict[int, Any] = {}

    def install(self, torch: Any) -> None:
        """Listen."""
        replace(torch.optim.Optimizer, "add_param_group", noted(self._observer, "add_param_group", self._made))

    def alive(self) -> list[Any]:
        """All that are still there."""
        found = [reference() for reference in list(self._optimizers.values())]
        return [optimizer for optimizer in found if optimizer is not None]

    def _made(self, frame: FrameType, begin: float, end: float, result: Any, args: Any, kwargs: Any) -> None:
        optimizer = args[0]
        key = id(optimizer)
        if key not in self._optimizers:
            self._optimizers[key] = ref(optimizer, lambda _: self._optimizers.pop(key, None))
