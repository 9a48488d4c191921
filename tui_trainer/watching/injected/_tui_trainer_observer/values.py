"""The number that a tensor holds, with the row of the call that it belongs to: at once, or late from a device."""

from __future__ import annotations

from .device_values import DeviceValues

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .observer import Observer

_NAN = float("nan")
_LATE = 0
"""The site of a row that brings a value which came late."""


class Values:
    """Records calls whose value is a tensor."""

    def __init__(self, observer: Observer) -> None:
        self._writer = observer.writer
        self._tensor_types: tuple[Any, ...] = ()
        self._item: Any = None
        self._device_values: DeviceValues | None = None
        observer.at_fork(self._forget)
        observer.at_write(self._look)
        observer.at_end(self._finish)

    def install(self, torch: Any) -> None:
        """Tensors are known from now on. Subclasses are not read: theirs may be spread over several processes."""
        self._tensor_types = (torch.Tensor, torch.nn.Parameter)
        self._item = torch.Tensor.item
        self._device_values = DeviceValues(torch)

    def record(self, site: int, begin: float, end: float, tensor: Any) -> None:
        """Record a call with the number that a tensor holds; nan where it holds none, or where it comes late."""
        value = _NAN
        if type(tensor) in self._tensor_types:
            if tensor.is_cpu:
                value = self.on_cpu(tensor)
            elif tensor.is_cuda and tensor.numel() == 1:
                self._keep(tensor, self._late(self._writer.next_call()))
        self._writer.call(site, begin, end, value)

    def on_cpu(self, tensor: Any) -> float:
        """The number of a tensor on the CPU; nan where it holds several."""
        try:
            return float(self._item(tensor))
        except (RuntimeError, ValueError):  # several numbers, or a tensor without memory
            return _NAN

    def give(self, value: Any, take: Callable[[float], None]) -> None:
        """Give a number, or that of a tensor, to `take`, at once or later. Anything else is not given."""
        kind = type(value)
        if kind is float or kind is int:
            take(value)
        elif kind in self._tensor_types:
            if value.numel() == 1 and value.is_cpu:
                take(self.on_cpu(value))
            elif value.numel() == 1 and value.is_cuda:
                self._keep(value, take)
        elif kind.__module__ == "numpy" and getattr(value, "ndim", 1) == 0:
            take(float(value))

    def _keep(self, tensor: Any, take: Callable[[float], None]) -> None:
        if self._device_values is not None:
            self._device_values.keep(tensor, take)

    def _late(self, row: int) -> Callable[[float], None]:
        """Records the value of a row that was recorded before."""
        return lambda value: self._writer.call(_LATE, row, 0.0, value)

    def _look(self, now: float) -> None:
        if self._device_values is not None:
            self._device_values.look(now)

    def _finish(self) -> None:
        if self._device_values is not None:
            self._device_values.finish()

    def _forget(self) -> None:
        if self._device_values is not None:
            self._device_values.clear()
