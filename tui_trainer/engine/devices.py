"""Where tensors live and how many threads compute."""

from __future__ import annotations

import platform
import re
import threading
from typing import Any

import torch

from tui_trainer.errors import UserError
from tui_trainer.text.captions import say
from tui_trainer.threads import usable_cores


def load_optimizers() -> None:
    """Import what torch imports as the first optimizer is made, which is as much again as `import torch` does.

    One of these modules keeps an error that it caught, and so the frames of all its callers with what they hold: a
    model, and its images. Here that is a thread of its own, that holds nothing.
    """
    thread = threading.Thread(target=lambda: torch.optim.SGD([torch.zeros(1)], lr=0.0), name="importing")
    thread.start()
    thread.join()


def let_go() -> None:
    """Give back the memory of CUDA devices that nothing here holds any more."""
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def temperature(device: str) -> int | None:
    """Degrees Celsius of a CUDA device; None where it, its driver or what asks that does not tell."""
    try:
        return int(torch.cuda.temperature(torch.device(device)))
    except Exception:  # NVML's own errors among them, whose classes are known only where it is installed
        return None


def resolve(name: str) -> tuple[torch.device, str]:
    """The device for `auto`, `cpu`, `cuda` or `cuda:N`, and why `auto` passed a CUDA device over; mostly empty.

    A device that is returned can compute: the installed build of torch was made for it.

    Raises:
        UserError: it is not there, or cannot be used: what is wrong, and what to do.
    """
    if name == "cpu":
        return torch.device("cpu"), ""
    if not torch.cuda.is_available():
        if name == "auto":
            return torch.device("cpu"), ""
        raise UserError(f"--device {name}: {_why_no_cuda()}; take cpu or auto")
    count = torch.cuda.device_count()
    if name == "auto":
        faults = [_fault(index) for index in range(count)]
        usable = next((index for index, fault in enumerate(faults) if not fault), None)
        if usable is None:
            return torch.device("cpu"), faults[0]
        return torch.device("cuda", usable), "; ".join(fault for fault in faults[:usable] if fault)
    index = int(name.partition(":")[2] or torch.cuda.current_device())
    if index >= count:
        there = "device.only_one" if count == 1 else "device.so_many"
        raise UserError(f"--device {name}: {say(there, count=count, last=count - 1)}")
    if fault := _fault(index):
        raise UserError(f"--device {name}: {fault}; take cpu, or another build of torch")
    return torch.device("cuda", index), ""


def memory_held(device: torch.device) -> dict[str, float]:
    """MB that this process holds, of the machine's memory and of a CUDA device's, by the names of their series."""
    import psutil

    held = {"memory": round(psutil.Process().memory_info().rss / 1e6, 1)}
    if device.type == "cuda":
        held["gpu_memory"] = round(torch.cuda.memory_allocated(device) / 1e6, 1)
    return held


def use(device: torch.device) -> None:
    """Have the calling thread, the one that trains, submit its work to `device` and to no other.

    Without it CUDA's events and libraries take device 0, whatever device the tensors are on.
    """
    if device.type == "cuda":
        torch.cuda.set_device(device)


def computes_in_bfloat16(device: torch.device) -> bool:
    """Whether a CUDA device has bfloat16 in hardware: NVIDIA's from compute capability 8.0 on (Ampere).

    torch's own `is_bf16_supported` counts what is emulated, which is slower than float32, and asks the current device.
    """
    if torch.version.hip is not None:
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cuda.get_device_capability(device) >= (8, 0))


def _why_no_cuda() -> str:
    """What torch says of why there is no CUDA device: a build without it, a driver that is too old, no device."""
    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        said = str(error).strip().splitlines()[0] if str(error).strip() else "no CUDA device"
        if "too old" in said:
            return said.partition(". ")[0]
    return say("device.none", version=torch.__version__)


def _fault(index: int) -> str:
    """Why this build of torch has no kernels for a CUDA device; empty where it has.

    Code made for sm_XY runs on devices of the same major version and no lower minor one, code for compute_XY on all
    that are not older (CUDA C++ Programming Guide, "Application Compatibility").
    """
    builds = [re.fullmatch(r"(sm|compute)_(\d+)(\d)[a-z]?", arch) for arch in torch.cuda.get_arch_list()]
    known = [(match[1], (int(match[2]), int(match[3]))) for match in builds if match]
    if not known or torch.version.hip is not None:
        return ""
    has = torch.cuda.get_device_capability(index)
    for kind, made_for in known:
        if made_for <= has and (kind == "compute" or made_for[0] == has[0]):
            return ""
    return say(
        "device.no_kernels",
        name=torch.cuda.get_device_name(index),
        has=f"{has[0]}.{has[1]}",
        version=torch.__version__,
        builds=", ".join(f"{major}.{minor}" for major, minor in sorted({made_for for _, made_for in known})),
    )


def name_of(device: torch.device) -> str:
    """The device as its maker calls it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine()


def uuid_of(device: torch.device) -> str:
    """By which other programs know a CUDA device, or a slice of one; empty for the CPU, and where torch has none."""
    if device.type != "cuda":
        return ""
    return str(getattr(torch.cuda.get_device_properties(device), "uuid", ""))


def facts() -> dict[str, Any]:
    """What torch sees of this machine: its CUDA devices with their memory in bytes, or why there is none; its threads.

    A device's `fault` says why this build of torch cannot compute on it; empty where it can.
    """
    has_cuda = torch.cuda.is_available()
    indices = range(torch.cuda.device_count()) if has_cuda else range(0)
    devices = [(torch.cuda.get_device_properties(index), _fault(index)) for index in indices]
    return {
        "version": str(torch.__version__),
        "cuda_built": torch.version.cuda,
        "cuda_available": has_cuda,
        "no_cuda": None if has_cuda else _why_no_cuda(),
        "devices": [
            {"name": device.name, "memory_bytes": device.total_memory, "fault": fault} for device, fault in devices
        ],
        "threads": torch.get_num_threads(),
    }


_NO_MEMORY = re.compile(
    "can't allocate memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED"
    "|CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"
)
"""What errors of no kind of their own say where memory was not to be had, on the host or on the device."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was not to be had, on the host or on the device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and _NO_MEMORY.search(str(error)) is not None


def broken_context(error: BaseException) -> str:
    """What broke CUDA for the rest of this process, in words; empty where nothing did.

    After a kernel failed (an assertion on the device, an illegal address, a card that fell off the bus) each further
    call fails too, with the same error.
    """
    text = str(error)
    if not isinstance(error, RuntimeError) or is_out_of_memory(error) or "CUDA error: " not in text:
        return ""
    cause = text.partition("CUDA error: ")[2].splitlines()[0].strip(" .")
    return say("device.broken", cause=cause)


def set_threads(asked: int | None) -> int:
    """Set the OpenMP threads of the calling thread (it is a thread's own setting) and return how many they are."""
    torch.set_num_threads(asked if asked is not None else min(torch.get_num_threads(), usable_cores()))
    return torch.get_num_threads()
