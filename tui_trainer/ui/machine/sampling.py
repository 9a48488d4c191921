"""One look at a machine, at its NVIDIA devices through NVML (`pynvml`, of the package nvidia-ml-py) where both are
there, and at what one process takes of it."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from tui_trainer.events import RunConfigured, RunStarted
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import listed

SLOWED_BY = {0x004: "limit", 0x008: "hardware", 0x020: "heat", 0x040: "heat", 0x080: "supply"}
"""NVML's reasons for lower clocks that are no setting and no idleness, by bit: how their captions end."""


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
    unknown: str = ""
    """What cannot be told of it and why, in a sentence; empty where all is told."""


class Gpus:
    """The devices of this machine. Nothing here raises: a driver may be missing, or go away."""

    def __init__(self) -> None:
        self.trouble = ""
        """Why nothing can be asked, in a sentence."""
        self._found: dict[tuple[int, str], Any] = {}
        try:
            self._nvml: Any = importlib.import_module("pynvml")
        except ImportError:
            self._nvml, self.trouble = None, say("machine.no_package")
            return
        try:
            self._nvml.nvmlInit()
        except self._nvml.NVMLError as error:
            self._nvml, self.trouble = None, say("machine.no_driver", why=error)

    def read(self, pid: int, device: str, name: str, environ: Mapping[str, str], uuid: str = "") -> Gpu:
        """How the device of a process is.

        Args:
            pid: the process.
            device: what torch calls it in that process, `cuda:1`.
            name: what its maker calls it, for as long as it does not say so itself.
            environ: the process's, for CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER.
            uuid: of the device, as torch gives it; empty where the record does not tell.
        """
        if self._nvml is None:
            return Gpu(name)
        handle = self._handle(pid, device, name, environ, uuid)
        if handle is None:
            return Gpu(name, unknown=say("machine.which_device"))
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
            unknown=_in_a_sentence({"busy": rates, "memory": memory, "power": milliwatts}, hidden=not processes),
        )

    def _handle(self, pid: int, device: str, name: str, environ: Mapping[str, str], uuid: str) -> Any:
        """The device with that UUID; without one that on which the process computes, else that of torch's number."""
        for kind in ("GPU", "MIG") if uuid else ():
            if (handle := self._ask("nvmlDeviceGetHandleByUUID", f"{kind}-{uuid}")) is not None:
                return handle
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
        handle = handles[int(number)] if int(number) < len(handles) else None
        # NVML counts by the bus, CUDA the fastest first unless it was told otherwise: on unlike devices they disagree.
        named = [one for one in handles if one is not None and name and self._name(one) == name]
        alike = handle is None or not named or self._name(handle) == name
        if environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID" or alike:
            return handle
        return named[0] if len(named) == 1 else None

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
                return tuple(
                    dict.fromkeys(say(f"machine.slow_{why}") for bit, why in SLOWED_BY.items() if reasons & bit)
                )
        return ()

    def _ask(self, function: str, *args: Any) -> Any:
        """What NVML answers; None where this device, driver or version does not tell."""
        try:
            return getattr(self._nvml, function)(*args)
        except (self._nvml.NVMLError, AttributeError):
            return None


def _in_a_sentence(answers: Mapping[str, Any], *, hidden: bool) -> str:
    """What the device did not answer; and whether its processes are hidden, as from within a container."""
    missing = [say(f"machine.no_{what}") for what, answer in answers.items() if answer is None]
    if missing:
        return say("machine.not_reported", facts=listed(missing))
    return say("machine.whose_memory") if hidden else ""


FIRST_S = 0.1
"""Seconds over which a processor is looked at for the first time."""


@dataclass(frozen=True)
class Sample:
    """A machine in one moment. Shares are of the whole machine, from 0 to 1."""

    cores: int
    cpu: float
    cpu_ours: float
    memory_used: int
    memory_total: int
    memory_ours: int
    gpu: Gpu | None = None
    gpu_trouble: str = ""


class Sampler:
    """Takes samples of one run's process after the other; `gpus` are asked for as a run computes on one."""

    def __init__(self) -> None:
        self._gpus: Gpus | None = None
        self._process: psutil.Process | None = None
        self._environ: Mapping[str, str] = {}

    def take(self, started: RunStarted, resolved: RunConfigured | None) -> Sample | None:
        """How it is now; None where the process is gone, or its number is another's by now."""
        try:
            if self._process is None or self._process.pid != started.pid:
                self._begin(started)
            assert self._process is not None
            cores = psutil.cpu_count() or 1
            ours = self._process.cpu_percent() / 100 / cores
            everybody = psutil.cpu_percent() / 100
            memory = psutil.virtual_memory()
            own = self._process.memory_info().rss
        except psutil.Error:
            self._process = None
            return None
        gpu, trouble = None, ""
        if resolved is not None and resolved.on_cuda:
            self._gpus = self._gpus or Gpus()
            gpu = self._gpus.read(
                started.pid, resolved.device, resolved.device_name, self._environ, resolved.device_uuid
            )
            trouble = self._gpus.trouble
        used = memory.total - memory.available
        return Sample(cores, max(everybody, ours), ours, used, memory.total, own, gpu, trouble)

    def _begin(self, started: RunStarted) -> None:
        """Find the process.

        Raises:
            psutil.Error: it is not there.
        """
        process = psutil.Process(started.pid)
        if process.create_time() > started.at + 1:
            raise psutil.NoSuchProcess(started.pid)
        process.cpu_percent()
        psutil.cpu_percent()
        time.sleep(FIRST_S)
        self._process = process
        try:
            self._environ = process.environ()
        except (psutil.Error, OSError):
            self._environ = {}
