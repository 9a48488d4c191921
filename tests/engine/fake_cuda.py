"""CUDA devices faked on the CPU: what is submitted to one is done only once its time has come.

Each device has a queue; a copy that does not block lands when its turn comes, in a buffer that holds garbage until
then; an event that is recorded without a stream is recorded on that of the current device, as torch has it. Nothing is
computed elsewhere than on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

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
        cuda.wait_for(
            cuda.devices[ours], cuda.devices[ours].busy_until
        )  # its result is read, which waits for the device
        return whole(*arguments)

    monkeypatch.setattr("tui_trainer.engine.trainer.validate", validate)
    return cuda


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

    def of(device: torch.device | int | None = None) -> Card:
        index = device.index if isinstance(device, torch.device) else device
        return there[index or 0]

    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(there))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(there))
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: of(device).capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: of(device).name)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: CU130 if built_for is None else built_for)
