"""Where a run computes, or why it cannot: `engine/devices.py`."""

from __future__ import annotations

from tui_trainer.text.captions.caption import Caption

TITLE = "The device of a run"

CAPTIONS = {
    "device.none": Caption(
        "torch {version} sees no CUDA device here",
        "torch has none, and says no reason of its own that a person could mend",
        "it sees one; the driver is too old, which torch says itself",
    ),
    "device.only_one": Caption(
        "there is one CUDA device, cuda:0", "a higher number was asked for, and there is one", "there are several"
    ),
    "device.so_many": Caption(
        "there are {count}, cuda:0 to cuda:{last}", "a higher number was asked for, and there are several", "one is"
    ),
    "device.no_kernels": Caption(
        "{name} has compute capability {has}, and torch {version} was built for {builds}",
        "the build has no code that runs on the device: none of its major version that is no newer, and none that is "
        "compiled as it is loaded",
        "it has; what it was built for is not known; on ROCm",
    ),
    "device.broken": Caption(
        "CUDA failed: {cause}; this process can train no more, start the run again in a new one",
        "an error of a kernel's broke CUDA for the rest of the process",
        "memory was not to be had; another error",
    ),
}
