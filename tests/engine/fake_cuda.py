"""CUDA devices faked on the CPU: what is submitted to one is done only once its time has come.

Each device has a queue; a copy that does not block lands when its turn comes, in a buffer that holds garbage until
then; an event that is recorded without a stream is recorded on that of the current device, as torch has it. Nothing is
computed elsewhere than on the CPU.
"""

from __future__ import annotations

import gc
import re
import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tui_trainer.engine import distributed, metrics

A_COPY_S = 1e-3

GARBAGE = -7.0
"""What a pinned buffer holds before a copy lands in it."""


@dataclass
class Device:
    """One of the devices: the work that waits on it, and when each piece of it is done, in seconds."""

    waiting: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    busy_until: float = 0.0

    def submit(self, now: float, seconds: float, work: Callable[[], None] = lambda: None) -> None:
        """Work that takes so long, behind all that was submitted before."""
        self.busy_until = max(self.busy_until, now) + seconds
        self.waiting.append((self.busy_until, work))

    def run_until(self, now: float) -> None:
        """Do what is due."""
        while self.waiting and self.waiting[0][0] <= now:
            self.waiting.pop(0)[1]()


@dataclass
class FakeCuda:
    """What stands in for `torch.cuda` while a test runs.

    Attributes:
        devices: those that are there.
        ours: the one that the tensors of the run are on.
        current: the one that the calling thread uses.
        now: the host's clock, in seconds: waiting for a device moves it, and a test may.
    """

    devices: list[Device]
    ours: int = 0
    current: int = 0
    now: float = 0.0

    def set_device(self, device: torch.device | int) -> None:
        self.current = device if isinstance(device, int) else device.index or 0

    def current_stream(self, device: torch.device | int | None = None) -> Stream:
        """Of the device; one of a tensor that only plays to be on a device is that of the run."""
        return Stream(self.current if device is None else self.ours)

    def wait_for(self, device: Device, at: float) -> None:
        """Until a device has come so far."""
        self.now = max(self.now, at)
        device.run_until(self.now)


@dataclass
class Stream:
    device: int


class Event:
    """As `torch.cuda.Event`."""

    cuda: FakeCuda

    def __init__(self, enable_timing: bool = False) -> None:
        self._timed = enable_timing

    def record(self, stream: Stream | None = None) -> None:
        self._device = self.cuda.devices[self.cuda.current if stream is None else stream.device]
        self.at = self._device.busy_until

    def query(self) -> bool:
        self._device.run_until(self.cuda.now)
        return self.at <= self.cuda.now

    def synchronize(self) -> None:
        self.cuda.wait_for(self._device, self.at)

    def elapsed_time(self, end: Event) -> float:
        """In milliseconds, as torch has it."""
        assert self._timed
        assert self.query()
        assert end.query()
        return (end.at - self.at) * 1000


class OnDevice(Tensor):
    """A tensor that says it is on a device."""

    is_cuda = property(lambda self: True)


class Pinned(Tensor):
    """A pinned buffer: it holds garbage until a copy into it was done."""

    cuda: FakeCuda

    def copy_(self, source: Tensor, non_blocking: bool = False) -> Tensor:  # type: ignore[override]
        values, buffer = source.as_subclass(Tensor).clone(), self.as_subclass(Tensor)
        device = self.cuda.devices[self.cuda.ours]

        def land() -> None:
            buffer.copy_(values)

        device.submit(self.cuda.now, A_COPY_S, land)
        if not non_blocking:
            self.cuda.wait_for(device, device.busy_until)
        return self


def install(monkeypatch: pytest.MonkeyPatch, ours: int = 0, current: int = 0, count: int = 2) -> FakeCuda:
    """Have the losses of a run lie on device `ours`, while the thread's own is `current`."""
    cuda = FakeCuda([Device() for _ in range(count)], ours, current)
    _install(monkeypatch, cuda)
    return cuda


def _install(monkeypatch: pytest.MonkeyPatch, cuda: FakeCuda) -> None:
    empty = torch.empty

    def pinned(*size: Any, pin_memory: bool = False, **options: Any) -> Tensor:
        made = empty(*size, **options)
        return made.fill_(GARBAGE).as_subclass(Pinned) if pin_memory else made

    monkeypatch.setattr(Pinned, "cuda", cuda, raising=False)
    monkeypatch.setattr(Event, "cuda", cuda, raising=False)
    monkeypatch.setattr(torch, "empty", pinned)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", cuda.current_stream)
    monkeypatch.setattr(torch.cuda, "set_device", cuda.set_device)
    monkeypatch.setattr(distributed.Ranks, "sum", lambda self, values: values.as_subclass(OnDevice))
    whole = metrics.validate

    def validate(*arguments: Any) -> tuple[float, float]:
        device = cuda.devices[cuda.ours]
        cuda.wait_for(device, device.busy_until)  # its result is read, which waits for the device
        return whole(*arguments)

    monkeypatch.setattr("tui_trainer.engine.trainer.validate", validate)


@dataclass(frozen=True)
class Card:
    """A card as torch describes it."""

    name: str
    capability: tuple[int, int]


V100 = Card("Tesla V100-SXM2-16GB", (7, 0))
T4 = Card("Tesla T4", (7, 5))
A100 = Card("NVIDIA A100-SXM4-40GB", (8, 0))
H100 = Card("NVIDIA H100 80GB HBM3", (9, 0))
RTX_5090 = Card("NVIDIA GeForce RTX 5090", (12, 0))

CU130 = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120"]
"""What torch 2.9 for CUDA 13.0 is built for, as `torch.cuda.get_arch_list` has it."""


def cards(monkeypatch: pytest.MonkeyPatch, *there: Card, built_for: list[str] | None = None) -> None:
    """Have torch see these cards."""

    def of(device: torch.device | str | int | None = None) -> Card:
        return there[0 if device is None else _index(device)]

    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(there))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(there))
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: of(device).capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: of(device).name)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: CU130 if built_for is None else built_for)


class LiveCuda(FakeCuda):
    """The same by the host's real clock, and with what else a program asks of `torch.cuda`.

    Attributes:
        used: the devices that some thread has chosen.
        mode: as `torch.cuda.set_sync_debug_mode` was told.
    """

    used: set[int]
    mode: str

    def __init__(self, there: tuple[Card, ...]) -> None:
        self.there = there
        self.used, self.mode, self._thread = set(), "default", threading.local()
        self._held: dict[int, int] = {}
        super().__init__([Device() for _ in there])

    @property  # type: ignore[override]
    def now(self) -> float:
        return time.perf_counter()

    @now.setter
    def now(self, at: float) -> None:
        time.sleep(max(0.0, at - time.perf_counter()))

    def set_device(self, device: torch.device | int) -> None:
        """Each thread that trains chooses its device first: from then on what it asks of that lies on the CPU."""
        self._held[self.current] = self.memory_allocated(self.current)
        super().set_device(device)
        self.ours = self.current
        self.used.add(self.current)
        self.begin()

    def begin(self) -> None:
        """Have what the calling thread asks of a device be done on the CPU."""
        if not hasattr(self._thread, "mode"):
            self._thread.mode = OnCpu(self)
            self._thread.mode.__enter__()

    def end(self) -> None:
        """What the calling thread asks of a device is no longer done on the CPU."""
        if hasattr(self._thread, "mode"):
            self._thread.mode.__exit__(None, None, None)
            del self._thread.mode

    def set_sync_debug_mode(self, mode: str) -> None:
        self.mode = mode

    def memory_allocated(self, device: torch.device | str | int) -> int:
        """Bytes of all tensors that are alive; of a device that is not in use, of those that were as it was left."""
        if _index(device) != self.current:
            return self._held.get(_index(device), 0)
        alive = [each for each in gc.get_objects() if issubclass(type(each), Tensor)]
        return sum(each.untyped_storage().nbytes() for each in alive)

    def memory_reserved(self, device: torch.device | str | int) -> int:
        """Some, where the device was ever chosen."""
        return 2 << 20 if _index(device) in self.used else 0

    def set_per_process_memory_fraction(self, fraction: float, device: torch.device | str | int) -> None:
        """Of the card's memory, which is this process's here."""
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + int(fraction * CARD_BYTES)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

    def properties(self, device: torch.device | str | int) -> SimpleNamespace:
        index = _index(device)
        (major, minor), name = self.there[index].capability, self.there[index].name
        return SimpleNamespace(name=name, major=major, minor=minor, total_memory=CARD_BYTES, uuid=uuid(index))


CARD_BYTES = 80 << 30


def uuid(index: int) -> str:
    """Of a pretended card."""
    return f"{index:08d}-2222-3333-4444-555555555555"


def _index(device: torch.device | str | int) -> int:
    return device if isinstance(device, int) else torch.device(device).index or 0


class OnCpu(TorchFunctionMode):
    """What a thread asks of a CUDA device is done on the CPU, and fails as it does there."""

    def __init__(self, cuda: LiveCuda) -> None:
        super().__init__()
        self._cuda = cuda

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if self._cuda.mode == "error" and func in (Tensor.item, Tensor.tolist, Tensor.__bool__):
            raise RuntimeError("called a synchronizing CUDA operation")
        if func is torch.device:
            return func(*args, **(kwargs or {}))
        args = tuple(map(_on_cpu, args))
        kwargs = {name: _on_cpu(value) for name, value in (kwargs or {}).items()}
        try:
            return func(*args, **kwargs)
        except IndexError as error:
            if func is not torch.nn.functional.cross_entropy:
                raise
            raise RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors might be ...") from error


def _on_cpu(value: Any) -> Any:
    if isinstance(value, torch.device) and value.type == "cuda":
        return torch.device("cpu")
    return "cpu" if isinstance(value, str) and re.fullmatch(r"cuda(:\d+)?", value) else value


@contextmanager
def pretended(*there: Card) -> Iterator[LiveCuda]:
    """While it is open, the program trains with `--device cuda:0` and so on, on cards that are the CPU."""
    cuda = LiveCuda(there)
    with pytest.MonkeyPatch.context() as monkeypatch:
        cards(monkeypatch, *there)
        _install(monkeypatch, cuda)
        for name in ("set_sync_debug_mode", "memory_allocated", "memory_reserved", "set_per_process_memory_fraction"):
            monkeypatch.setattr(torch.cuda, name, getattr(cuda, name))
        monkeypatch.setattr(torch.cuda, "get_device_properties", cuda.properties)
        monkeypatch.setattr(torch.cuda, "current_device", lambda: cuda.current)
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: True)
        monkeypatch.setattr(torch.cuda, "synchronize", lambda device=None: None)
        monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)  # of older versions
        monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda *_, **__: None)
        join = torch.distributed.init_process_group
        monkeypatch.setattr(torch.distributed, "init_process_group", lambda backend: join("gloo"))
        try:
            yield cuda
        finally:
            cuda.end()
