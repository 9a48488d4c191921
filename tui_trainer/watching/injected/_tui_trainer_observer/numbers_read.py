"""Numbers that the program reads from tensors with `item()`: those of its validation, where no gradients are kept."""

from __future__ import annotations

from time import perf_counter

from .python_internals import getframe
from .wrapping import disguised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .observer import Observer


class NumbersRead:
    """Notes `Tensor.item()` under `no_grad`, and on a CUDA device, where it waits; `full` notes each."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def install(self, torch: Any) -> None:
        """Listen to all."""
        observer, compiling, guard = self._observer, self._observer.compiling, self._observer.guard
        writer, sites = observer.writer, observer.sites
        if observer.settings.calls == "off":
            return
        each = observer.settings.calls == "full"
        keeps_gradients = torch.is_grad_enabled
        original = torch.Tensor.item

        def item(self: Any) -> Any:
            if compiling() or not observer.on or not writer.started:
                return original(self)
            if keeps_gradients() and not each and not self.is_cuda:
                return original(self)
            begin = perf_counter()
            number = original(self)
            try:
                frame = getframe(1)
                if type(number) in (float, int, bool) and sites.is_of_program(frame):
                    writer.call(sites.of_call("item", frame, 0, self), begin, perf_counter(), float(number))
            except Exception as error:
                guard.failed("item", error)
            return number

        torch.Tensor.item = disguised(item, original)
