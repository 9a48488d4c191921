"""Numbers that lie on a CUDA device, read without ever waiting for it.

Each is copied into a buffer on its device, by the stream that computes it: what happens to its tensor later does not
matter. A few times a second the buffer is copied into pinned memory and an event recorded behind that copy; once the
event has come about, the numbers are read. What nobody waits for costs a small kernel for each number.

Each stream has buffers of its own, so that all of that stands in one order. While a CUDA graph is captured nothing is
copied: the copy would become a part of the graph.
"""

from __future__ import annotations

import time
from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Take = Callable[[float], None]

SIZE = 512
"""Numbers that a buffer holds."""

INTERVAL = 0.1
"""Seconds after which a buffer that is not full is copied too."""


class _Buffer:
    """Numbers on the device, and the memory that they are copied to."""

    def __init__(self, torch: Any, device: Any) -> None:
        with torch.inference_mode(False):
            numbers = torch.empty(SIZE, dtype=torch.float64, device=device)
            self.numbers = numbers
            self.places = list(numbers.unbind())
            self.host = torch.empty(SIZE, dtype=torch.float64, pin_memory=True)
        self.event = torch.cuda.Event()
        self.takers: list[Take] = []
        self.began = 0.0
        self.in_flight = False


class _StreamValues:
    """The numbers of one stream: one buffer is filled while the other is on its way."""

    def __init__(self, torch: Any, device: Any, stream: Any) -> None:
        self._stream = stream
        self._filling, self._other = _Buffer(torch, device), _Buffer(torch, device)

    def keep(self, tensor: Any, take: Take) -> None:
        """Give the number of a tensor of one element to `take` later. Where there is no room it never comes."""
        buffer = self._filling
        if len(buffer.takers) == SIZE:
            self.look(perf_counter())
            buffer = self._filling
            if len(buffer.takers) == SIZE:
                return
        detached = tensor.detach()
        if detached.dim():
            detached = detached.reshape(())
        buffer.places[len(buffer.takers)].copy_(detached, non_blocking=True)
        if not buffer.takers:
            buffer.began = perf_counter()
        buffer.takers.append(take)

    def look(self, now: float) -> None:
        """Give on what has come, and send what was collected."""
        if self._other.in_flight and self._other.event.query():
            self._give(self._other)
        filling = self._filling
        due = len(filling.takers) == SIZE or (filling.takers and now - filling.began >= INTERVAL)
        if due and not self._other.in_flight:
            filling.host.copy_(filling.numbers, non_blocking=True)
            filling.event.record(self._stream)  # not the current stream's: another device may be current
            filling.in_flight = True
            self._filling, self._other = self._other, filling

    def is_empty(self) -> bool:
        """Whether all that was kept has been given on."""
        return not self._filling.takers and not self._other.in_flight

    def _give(self, buffer: _Buffer) -> None:
        buffer.in_flight = False
        takers, buffer.takers = buffer.takers, []
        for take, number in zip(takers, buffer.host.tolist()):  # the host's memory is longer
            take(number)


class DeviceValues:
    """The numbers of all streams of all devices."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._streams: dict[tuple[int, int], _StreamValues] = {}

    def keep(self, tensor: Any, take: Take) -> bool:
        """Give the number of a CUDA tensor of one element to `take` later; False where it cannot be had."""
        cuda = self._torch.cuda
        if cuda.is_current_stream_capturing():
            return False
        device = tensor.device
        stream = cuda.current_stream(device)
        key = (device.index, stream.cuda_stream)
        values = self._streams.get(key)
        if values is None:
            values = self._streams[key] = _StreamValues(self._torch, device, stream)
        values.keep(tensor, take)
        return True

    def look(self, now: float) -> None:
        """Give on what has come. Cheap, and waits for nothing; to be called a few times a second."""
        for values in list(self._streams.values()):
            values.look(now)

    def finish(self, patience: float = 2.0) -> None:
        """Give on all that is still on its way, as the process ends: here something is waited for, but not for ever."""
        deadline = perf_counter() + patience
        while any(not values.is_empty() for values in self._streams.values()) and perf_counter() < deadline:
            self.look(perf_counter() + INTERVAL)
            time.sleep(0.001)

    def clear(self) -> None:
        """In a fork's child, which cannot use the device."""
        self._streams.clear()
