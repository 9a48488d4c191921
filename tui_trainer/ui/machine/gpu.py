"""An NVIDIA device, asked through NVML (`pynvml`, of the package nvidia-ml-py), where both are there."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SLOWED_BY = {
    0x004: "its power limit",
    0x008: "the hardware, for heat or power",
    0x020: "heat",
    0x040: "heat",
    0x080: "the power supply",
}
"""NVML's reasons for lower clocks that are no setting and no idleness, by bit."""


@dataclass(frozen=True)
class Gpu:
    """What a device says of itself; None for what it does not tell."""

    name: str
    busy: float | None = None
    """Share of the last moment in which something was computed."""
    memory_used: int | None = None
    memory_total: int | None = None
    memory_ours: int | None = None
    """Bytes that the run's own process holds."""
    others: int = 0
    """Other processes that compute on it."""
    watts: float | None = None
    watts_allowed: float | None = None
    celsius: int | None = None
    slowed_by: tuple[str, ...] = ()


class Gpus:
    """The devices of this machine. Nothing here raises: a driver may be missing, or go away."""

    def __init__(self) -> None:
        self.trouble = ""
        """Why nothing can be asked, in a sentence."""
        self._found: dict[tuple[int, str], Any] = {}
        try:
            self._nvml: Any = importlib.import_module("pynvml")
        except ImportError:
            self._nvml, self.trouble = None, "not measured: nvidia-ml-py is not installed"
            return
        try:
            self._nvml.nvmlInit()
        except self._nvml.NVMLError as error:
            self._nvml, self.trouble = None, f"not measured: {error}"

    def read(self, pid: int, device: str, name: str, environ: Mapping[str, str]) -> Gpu:
        """How the device of a process is.

        Args:
            pid: the process.
            device: what torch calls it in that process, `cuda:1`.
            name: what its maker calls it, for as long as it does not say so itself.
            environ: the process's, for CUDA_VISIBLE_DEVICES.
        """
        if self._nvml is None:
            return Gpu(name)
        handle = self._handle(pid, device, environ)
        if handle is None:
            return Gpu(name)
        rates = self._ask("nvmlDeviceGetUtilizationRates", handle)
        memory = self._ask("nvmlDeviceGetMemoryInfo", handle)
        milliwatts = self._ask("nvmlDeviceGetPowerUsage", handle)
        allowed = self._ask("nvmlDeviceGetEnforcedPowerLimit", handle)
        processes = self._processes(handle)
        return Gpu(
            name=self._name(handle) or name,
            busy=rates.gpu / 100 if rates is not None else None,
            memory_used=memory.used if memory is not None else None,
            memory_total=memory.total if memory is not None else None,
            memory_ours=processes.get(pid),
            others=len(processes.keys() - {pid}) if pid in processes else 0,
            watts=milliwatts / 1000 if milliwatts is not None else None,
            watts_allowed=allowed / 1000 if allowed else None,
            celsius=self._celsius(handle),
            slowed_by=self._slowed_by(handle),
        )

    def _handle(self, pid: int, device: str, environ: Mapping[str, str]) -> Any:
        """The device on which the process computes, else the one that torch's number stands for."""
        if (pid, device) in self._found:
            return self._found[pid, device]
        count = self._ask("nvmlDeviceGetCount") or 0
        handles = [self._ask("nvmlDeviceGetHandleByIndex", index) for index in range(count)]
        used = [handle for handle in handles if handle is not None and pid in self._processes(handle)]
        if len(used) == 1:
            self._found[pid, device] = used[0]
            return used[0]
        number = device.partition(":")[2] or "0"
        visible = [part.strip() for part in environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part.strip()]
        if visible and int(number) < len(visible):
            number = visible[int(number)]
        if not number.isdigit():
            return self._ask("nvmlDeviceGetHandleByUUID", number)
        return handles[int(number)] if int(number) < len(handles) else None

    def _processes(self, handle: Any) -> dict[int, int | None]:
        """Bytes by process."""
        listed = self._ask("nvmlDeviceGetComputeRunningProcesses", handle) or []
        return {process.pid: process.usedGpuMemory for process in listed}

    def _name(self, handle: Any) -> str:
        name = self._ask("nvmlDeviceGetName", handle) or ""
        return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)  # bytes, in old versions

    def _celsius(self, handle: Any) -> int | None:
        sensor = self._nvml.NVML_TEMPERATURE_GPU
        for function in ("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature"):
            if (degrees := self._ask(function, handle, sensor)) is not None:
                return int(degrees)
        return None

    def _slowed_by(self, handle: Any) -> tuple[str, ...]:
        for function in ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"):
            if (reasons := self._ask(function, handle)) is not None:
                return tuple(dict.fromkeys(text for bit, text in SLOWED_BY.items() if reasons & bit))
        return ()

    def _ask(self, function: str, *args: Any) -> Any:
        """What NVML answers; None where this device, driver or version does not tell."""
        try:
            return getattr(self._nvml, function)(*args)
        except (self._nvml.NVMLError, AttributeError):
            return None
