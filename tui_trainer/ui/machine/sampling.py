"""One look at a machine, and at what one process takes of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from tui_trainer.events import RunConfigured, RunStarted
from tui_trainer.ui.machine.gpu import Gpu, Gpus

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
        if resolved is not None and resolved.device.startswith("cuda"):
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
