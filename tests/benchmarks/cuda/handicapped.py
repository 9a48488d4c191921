"""`python -m tests.benchmarks.cuda.handicapped MiB|label|EPOCH,BATCH COMMAND...`: tui-trainer, with what ends it.

A number: so many MiB of memory to train with, of the device, or of this process where it trains on the CPU. `label`:
one of the labels is that of no class, which fails within a kernel. An epoch and a batch: `kill -9` as that one was
trained, so that no timing decides when.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from dataclasses import replace
from typing import Any

import torch

from tui_trainer.engine import datasets
from tui_trainer.engine.trainer import Trainer


def limit_memory(mib: int, device: str) -> None:
    """Let so much more be allocated, and nothing beyond it."""
    if device == "cpu":
        import resource
        from pathlib import Path

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + mib * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        return
    whole = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, mib * 2**20 / whole), device)


def spoil_a_label() -> None:
    """Have the data be loaded with a label that no network has an output for."""
    load = datasets.load

    def spoiled(*arguments: Any, **options: Any) -> datasets.Images:
        images = load(*arguments, **options)
        labels = images.train.labels.clone()
        labels[len(labels) // 2] = 1_000
        return replace(images, train=replace(images.train, labels=labels))

    datasets.load = spoiled


def kill_at(epoch: int, batch: int) -> None:
    """Have the process killed before a batch is told of."""
    end_batch = Trainer.end_batch

    def killed(run: Trainer, *arguments: Any) -> None:
        if (run.epoch, run.batch) == (epoch, batch):
            os.kill(os.getpid(), signal.SIGKILL)
        end_batch(run, *arguments)

    Trainer.end_batch = killed  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    _, handicap, *sys.argv[1:] = sys.argv
    if handicap == "label":
        spoil_a_label()
    elif "," in handicap:
        kill_at(*map(int, handicap.split(",")))
    else:
        limit_memory(int(handicap), sys.argv[sys.argv.index("--device") + 1])
    runpy.run_module("tui_trainer", run_name="__main__", alter_sys=True)
