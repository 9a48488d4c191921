"""A program that logs with a tool until it is killed: `python -m tests.foreign_records.live_writer TOOL FOLDER PAUSE`.

At each step it logs 20 numbers, `n0/loss` to `n19/loss`: 1 / (1 + step) and what a series has beside it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator

Steps = Iterator[int]

SERIES = 20


def numbers(step: int) -> dict[str, float]:
    return {f"n{series}/loss": 1 / (1 + step) + series for series in range(SERIES)}


def torch(steps: Steps) -> None:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter("run", flush_secs=1)
    for step in steps:
        for name, value in numbers(step).items():
            writer.add_scalar(name, value, step)


def tensorboardx(steps: Steps) -> None:
    from tensorboardX import SummaryWriter

    writer = SummaryWriter("run", flush_secs=1)
    for step in steps:
        for name, value in numbers(step).items():
            writer.add_scalar(name, value, step)


def lightning(steps: Steps) -> None:
    from lightning.pytorch.loggers import CSVLogger

    writer = CSVLogger(".", name="run", version="one", flush_logs_every_n_steps=10)
    for step in steps:
        writer.log_metrics(numbers(step), step)
        if step % 10 == 0:
            writer.save()


def wandb(steps: Steps) -> None:
    os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_CONSOLE="off")
    import wandb

    run = wandb.init(project="p", dir=".", settings=wandb.Settings(x_disable_stats=True))
    for step in steps:
        run.log(numbers(step), step=step)


WRITERS: dict[str, tuple[str, Callable[[Steps], None]]] = {
    "torch's SummaryWriter": ("tensorboard", torch),
    "tensorboardX": ("tensorboardX", tensorboardx),
    "Lightning's CSVLogger": ("lightning", lightning),
    "wandb, offline": ("wandb", wandb),
}
"""What each imports, beside torch, and what it does."""


def steps(pause: float) -> Steps:
    step = 0
    while True:
        yield step
        step += 1
        time.sleep(pause)


if __name__ == "__main__":
    tool, folder, pause = sys.argv[1:]
    os.chdir(folder)
    WRITERS[tool][1](steps(float(pause)))
