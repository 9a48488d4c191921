"""`python -m tests.benchmarks.cuda.rehearsed MODULE ARGUMENTS...`: a module, with two CUDA cards that are the CPU.

What the module asks of `torch.cuda` is answered by the fake device of the tests, so that each line of a check runs as
it would on a machine with GPUs; what such a machine says may be another thing.
"""

from __future__ import annotations

import os
import runpy
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from tests.engine.fake_cuda import A100, CARD_BYTES, pretended, uuid

CARDS = (A100, A100)

AIRBENCH = """
def warmup94(): print("warm")
def train94(): print("|  eval  |  0.9  |  0.9312  |  0.9377  |  3.6512  |")
"""
"""A package that prints the last row of the one of that name."""


def smi() -> str:
    """What `nvidia-smi` says of the cards where it is asked for UUID, name and MiB."""
    return "".join(f"GPU-{uuid(i)}, {card.name}, {CARD_BYTES >> 20}\n" for i, card in enumerate(CARDS))


class Nvml(ModuleType):
    """A `pynvml` that knows the cards, by their UUID and in no other way."""

    NVML_TEMPERATURE_GPU = 0

    class NVMLError(Exception):
        """What is raised where a card does not tell something."""

    def __init__(self) -> None:
        super().__init__("pynvml")

    def nvmlInit(self) -> None:
        """There is a driver."""

    def nvmlDeviceGetHandleByUUID(self, asked: str) -> int:
        """Its number."""
        with suppress(ValueError):
            return [f"GPU-{uuid(i)}" for i in range(len(CARDS))].index(asked)
        raise self.NVMLError("Not Found")

    def nvmlDeviceGetName(self, handle: int) -> str:
        """As torch has it."""
        return CARDS[handle].name

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        """In bytes."""
        return SimpleNamespace(used=0, total=CARD_BYTES)


def main() -> None:
    """Run it to its end."""
    with pretended(*CARDS) as cuda, tempfile.TemporaryDirectory() as folder:
        cuda.begin()
        program = Path(folder) / "nvidia-smi"
        program.write_text(f"#!/bin/sh\ncat <<'end'\n{smi()}end\n")
        program.chmod(0o700)
        os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"
        sys.modules["pynvml"] = Nvml()
        (Path(folder) / "airbench.py").write_text(AIRBENCH)
        sys.path.append(folder)
        _, module, *sys.argv[1:] = sys.argv
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
