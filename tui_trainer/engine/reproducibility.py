"""Why two runs that should be alike are alike, to the bit: random numbers, algorithms, digests of what they begin with.

Random numbers follow from what they are for, the seed and the epoch: from nothing that happened before.

Digests are SHA-256, taken on the CPU before anything goes to the device, so that a GPU costs nothing more. Measured on
a Zen 4 core: 2.4 ms for the data of `mnist-5k` (as bytes, before they become floats), 1 ms for the weights of `cnn`,
0.1 ms for the order; 60 ms for MNIST.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tui_trainer.engine.devices import name_of
from tui_trainer.errors import UserError
from tui_trainer.text.captions import say
from tui_trainer.torchrun import this_rank


def generator_for(purpose: str, seed: int, epoch: int) -> torch.Generator:
    """A generator on the CPU whose numbers no other purpose, seed or epoch shares."""
    digest = hashlib.sha256(f"{purpose} {seed} {epoch}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little", signed=True))


def seed_torch(purpose: str, seed: int, at: int) -> None:
    """Have torch's random numbers follow from these alone, in each process its own: whoever draws some goes on from a
    checkpoint as if there had been none."""
    torch.manual_seed(generator_for(f"{purpose} {this_rank().rank}", seed, at).initial_seed())


def of_tensors(tensors: Iterable[Tensor]) -> str:
    """Kind, shape and every byte of some tensors on the CPU, in their order; in hexadecimal."""
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(f"{tensor.dtype} {tuple(tensor.shape)};".encode())
        found.update(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().data)  # NumPy lacks bfloat16
    return found.hexdigest()


def of_text(text: str) -> str:
    """Of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def of_weights(model: nn.Module) -> str:
    """All numbers of a network on the CPU, running means too, with their names."""
    state = model.state_dict()
    return of_text(f"{' '.join(state)} {of_tensors(state.values())}")


# Algorithms. On a CPU those that torch takes give the same bits with as many threads; on CUDA some add in any order.

CUBLAS_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
"""The environment variable that cuBLAS reads once, as it is first used in a process."""

_CUBLAS_REPEATS = (":4096:8", ":16:8")
"""Its values with which cuBLAS gives the same bits each time (cuBLAS, "Results reproducibility")."""


class Difference(NamedTuple):
    """Something that decides about the last bits and is not here as it was where a checkpoint was saved."""

    name: str
    old: str
    new: str
    reason: str


def _of_backend(path: str) -> tuple[Callable[[], bool], Callable[[bool], None]]:
    """A switch of `torch.backends`: what reads it, and what sets it."""
    *way, name = path.split(".")

    def place() -> Any:
        there: Any = torch.backends
        for part in way:
            there = getattr(there, part)
        return there

    return lambda: bool(getattr(place(), name)), lambda value: setattr(place(), name, value)


_PINNED = ("cuda.matmul.allow_tf32", "cudnn.allow_tf32", "cudnn.benchmark")
"""What a run goes on with as it was."""

_SWITCHES: dict[str, tuple[Callable[[], bool], Callable[[bool], None]]] = {
    "deterministic_algorithms": (torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms),
    "cudnn.deterministic": _of_backend("cudnn.deterministic"),
    **{name: _of_backend(name) for name in _PINNED},
}

_before: dict[str, bool] = {}
"""The switches that a run of this process changed, as they were."""

_cublas_began: list[bool] = []
"""Whether runs of this process used cuBLAS without being told to repeat itself."""


def choose_algorithms(device: torch.device, *, deterministic: bool) -> None:
    """Have this process compute with algorithms that give the same bits each time, or with torch's own choice.

    A run on the CPU that does not ask for it changes nothing: another one may compute beside it.

    Raises:
        UserError: cuBLAS cannot be told to repeat itself any more, or was told something else.
    """
    if device.type == "cpu" and not deterministic:
        return
    if device.type == "cuda":
        _prepare_cublas(deterministic=deterministic)
    as_before()
    if deterministic:
        _set("deterministic_algorithms", True)
        _set("cudnn.deterministic", True)
        _set("cudnn.benchmark", False)


def as_before() -> None:
    """Undo what runs of this process changed."""
    for name, value in _before.items():
        _SWITCHES[name][1](value)
    _before.clear()


def _set(name: str, value: bool) -> None:
    read, write = _SWITCHES[name]
    _before.setdefault(name, read())
    write(value)


def _prepare_cublas(*, deterministic: bool) -> None:
    said = os.environ.get(CUBLAS_WORKSPACE)
    if torch.version.hip is not None or said in _CUBLAS_REPEATS:
        return
    if not deterministic:
        _cublas_began.append(True)
        return
    if said:
        right = " or ".join(_CUBLAS_REPEATS)
        raise UserError(f"--deterministic: {CUBLAS_WORKSPACE} is {said!r} here, and must be {right}; or unset it")
    if _cublas_began:
        raise UserError("--deterministic: this process has trained on CUDA without it; start the run in a new one")
    os.environ[CUBLAS_WORKSPACE] = _CUBLAS_REPEATS[0]


def arithmetic(device: torch.device) -> dict[str, str]:
    """On CUDA, what decides about the last bits, by torch's own names; empty for the CPU."""
    if device.type != "cuda":
        return {}
    switches = {name: str(read()) for name, (read, _) in _SWITCHES.items()}
    return {**switches, "cudnn.version": str(torch.backends.cudnn.version())}


def circumstances(device: torch.device) -> dict[str, str]:
    """The same for a checkpoint, with what else the last bits depend on; empty for the CPU."""
    if device.type != "cuda":
        return {}
    return {**arithmetic(device), "torch": str(torch.__version__), "device": name_of(device)}


def go_on_as(saved: object, device: torch.device) -> tuple[Difference, ...]:
    """Compute on CUDA as where a checkpoint was saved, as far as that can be chosen, and say what differs.

    Args:
        saved: its `circumstances`; None in older checkpoints.
        device: where the run goes on.
    """
    here = circumstances(device)
    if not isinstance(saved, dict) or not here:
        return ()
    found = []
    for name, now in here.items():
        was = saved.get(name)
        if not isinstance(was, str) or was == now:
            continue
        if name in _PINNED and was in ("True", "False"):
            _set(name, was == "True")
            found.append(Difference(name, now, was, say("setting.as_it_was")))
        elif name not in _SWITCHES:
            found.append(Difference(name, was, now, say("setting.not_as_it_was")))
    return tuple(found)


def not_deterministic(error: Exception) -> str:
    """What has no algorithm that gives the same bits each time, in words; empty where `error` says something else."""
    text = str(error)
    if operation := re.match(r"(\S+) does not have a deterministic implementation", text):
        return say("end.not_deterministic", operation=operation[1])
    if CUBLAS_WORKSPACE in text:
        return say("end.cuda_used_before")
    return ""
