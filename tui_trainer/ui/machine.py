"""What the run takes of its machine, and what others do: asked once a second, beside the screen."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_trainer.runs.history import History
from tui_trainer.ui.gpu import Gpu, Gpus
from tui_trainer.ui.words import clean

if TYPE_CHECKING:
    import psutil

    from tui_trainer.events import RunStarted

ASK_EVERY = 1.0
"""Seconds from one sample to the next; nothing is asked while nobody looks."""


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


class Machine:
    """Samples the machine of the run on show, in a thread that lives for one sample.

    Args:
        gpus: finds the devices; asked for as a run on one is looked at.
        clock: monotonic seconds.
    """

    def __init__(self, gpus: Callable[[], Gpus] = Gpus, clock: Callable[[], float] = time.monotonic) -> None:
        self.sample: Sample | None = None
        """The latest; None while there is none of the run on show."""
        self.trouble = ""
        """Why there cannot be one, in a sentence."""
        self._gpus, self._clock = gpus, clock
        self._devices: Gpus | None = None
        self._process: psutil.Process | None = None
        self._environ: Mapping[str, str] = {}
        self._pid = 0
        self._unseen = ""
        self._ask_at = 0.0
        self._thread: threading.Thread | None = None

    def look(self, history: History) -> None:
        """Ask anew, if it is time: what comes of it stands in `sample` soon."""
        self.trouble = _out_of_reach(history)
        if self.trouble or history.started is None:
            self.sample = None
            return
        self.trouble = self._unseen
        if self._clock() < self._ask_at or (self._thread is not None and self._thread.is_alive()):
            return
        self._ask_at = self._clock() + ASK_EVERY
        device = history.resolved.device if history.resolved is not None else ""
        name = history.resolved.device_name if history.resolved is not None else ""
        self._thread = threading.Thread(
            target=self._ask, args=(history.started, device, name), name="machine", daemon=True
        )
        self._thread.start()

    def _ask(self, started: RunStarted, device: str, name: str) -> None:
        import psutil  # not before the first frame

        try:
            if self._process is None or self._pid != started.pid:
                self._begin(started)
            assert self._process is not None
            cores = psutil.cpu_count() or 1
            ours = self._process.cpu_percent() / 100 / cores
            everybody = psutil.cpu_percent() / 100
            memory = psutil.virtual_memory()
            used = memory.total - memory.available
            own = self._process.memory_info().rss
        except psutil.Error:
            self.sample, self._process = None, None
            self._unseen = "the run's process cannot be seen from here"
            return
        self._unseen = ""
        gpu, trouble = self._ask_gpu(started.pid, device, name) if device.startswith("cuda") else (None, "")
        self.sample = Sample(cores, max(everybody, ours), ours, used, memory.total, own, gpu, trouble)

    def _begin(self, started: RunStarted) -> None:
        """Find the process; the first figures are since its own start.

        Raises:
            psutil.Error: it is gone, or its number is another's by now.
        """
        import psutil

        process = psutil.Process(started.pid)
        if process.create_time() > started.at + 1:
            raise psutil.NoSuchProcess(started.pid)
        process.cpu_percent()
        psutil.cpu_percent()
        self._process, self._pid = process, started.pid
        try:
            self._environ = process.environ()
        except (psutil.Error, OSError):
            self._environ = {}
        time.sleep(0.1)

    def _ask_gpu(self, pid: int, device: str, name: str) -> tuple[Gpu, str]:
        if self._devices is None:
            self._devices = self._gpus()
        return self._devices.read(pid, device, name, self._environ), self._devices.trouble


def _out_of_reach(history: History) -> str:
    if history.ended is not None:
        return "the run is over: there is nothing to measure"
    if history.started is not None and history.started.host != socket.gethostname():
        return f"the run is on {clean(history.started.host)}, which cannot be measured from here"
    return ""
