"""Which CUDA devices there are for runs that train beside each other, without loading torch."""

from __future__ import annotations

import importlib
import os
from typing import Any


def visible() -> list[str]:
    """A value of `CUDA_VISIBLE_DEVICES` for each device that this process may use; none where none is known.

    What that variable names already, else the UUIDs that the driver tells: torch numbers devices in another order.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip()]
    try:
        nvml: Any = importlib.import_module("pynvml")
    except ImportError:
        return []
    try:
        nvml.nvmlInit()
        handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
        return [str(nvml.nvmlDeviceGetUUID(handle)) for handle in handles]
    except nvml.NVMLError:
        return []
