"""Where tensors live and how many threads compute."""

from __future__ import annotations

import os
import platform

import torch

from tui_trainer.errors import UserError


def let_go() -> None:
    """Give back the memory of CUDA devices that nothing here holds any more."""
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def resolve(name: str) -> torch.device:
    """The device for `auto`, `cpu`, `cuda` or `cuda:N`.

    Raises:
        UserError: it is not there: what is, and what to do.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError(f"--device {name}: torch {torch.__version__} sees no CUDA device here; take cpu or auto")
    device = torch.device(name)
    count = torch.cuda.device_count()
    index = device.index if device.index is not None else torch.cuda.current_device()
    if index >= count:
        raise UserError(f"--device {name}: there are {count} CUDA devices, cuda:0 to cuda:{count - 1}")
    return torch.device("cuda", index)


def name_of(device: torch.device) -> str:
    """The device as its maker calls it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine()


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory was not to be had; of the CPU's, torch says so with an error of no kind of its own."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def set_threads(asked: int | None) -> int:
    """Set the OpenMP threads of the calling thread (it is a thread's own setting) and return how many they are."""
    torch.set_num_threads(asked if asked is not None else min(torch.get_num_threads(), cores()))
    return torch.get_num_threads()


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
