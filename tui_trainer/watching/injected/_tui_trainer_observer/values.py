"""The number that a tensor holds, with the row of the call that it belongs to: at once, or late from a device."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .observer import Observer

_NAN = float("nan")


class Values:
    """Records calls whose value is a tensor."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._writer = observer.writer
        self._tensor_types: tuple[Any, ...] = ()

    def install(self, torch: Any) -> None:
        """Tensors are known from now on."""
        self._tensor_types = (torch.Tensor, torch.nn.Parameter)

    def record(self, site: int, begin: float, end: float, tensor: Any) -> None:
        """Record a call with the number that a tensor holds; nan where it holds none, or where it cannot be read."""
        if type(tensor) in self._tensor_types and tensor.device.type == "cpu" and tensor.numel() == 1:
            self._writer.call(site, begin, end, float(tensor.item()))
        else:
            self._writer.call(site, begin, end, _NAN)
