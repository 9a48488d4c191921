"""How fast it is: what `--quick` leaves out."""

from __future__ import annotations

import importlib.util
import os
import re
import statistics
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.benchmarks.bench_app import Raw
from tests.benchmarks.cuda.bench import Bench, Outcome, failed, judged, ok, skipped
from tests.benchmarks.cuda.commanded import compiler_lacks
from tests.benchmarks.cuda.commands import Ended, history, run
from tui_trainer.engine import models
from tui_trainer.events import EpochEnded
from tui_trainer.records.history import History
from tui_trainer.text.numbers import listed
from tui_trainer.ui.machine.sampling import Gpus

NETWORKS = ("cnn", "resnet9", "resnet18")

GOAL = 0.94

ONE_CYCLE = """\
[training]
epochs = 24
batch_size = 512
[optimizer]
name = "SGD"
momentum = 0.9
nesterov = true
weight_decay = 0.0005
[scheduler]
name = "OneCycleLR"
max_lr = 0.4
pct_start = 0.2
anneal_strategy = "linear"
cycle_momentum = false
"""
"""For `resnet9` on a GPU: batch, LR and weight decay as in the DAWNBench entry whose network it is."""


# What torch makes of the networks: a bare step on one batch that lies on the device.


def speeds(bench: Bench) -> Outcome:
    """Images a second of steps in fp32, TF32, bf16, and bf16 with the channels last."""
    variants = {
        "fp32": _step(bench),
        "TF32": _step(bench, tf32=True),
        "bf16": _step(bench, bf16=True),
        "bf16, channels last": _step(bench, bf16=True, channels_last=True),
    }
    return _speeds(bench, variants)


def speeds_compiled(bench: Bench) -> Outcome:
    """The same, compiled, in bf16 with the channels last."""
    if bench.rehearsal:
        return skipped("code for a card needs its driver")
    if lack := compiler_lacks():
        return skipped(lack)
    name = "bf16, channels last, compiled"
    return _speeds(bench, {name: _step(bench, bf16=True, channels_last=True, compiled=True)}, least_s=60)


Step = Callable[[str], Callable[[], None]]
"""Gives, for a network's name, what makes a step of it."""


def _speeds(bench: Bench, variants: dict[str, Step], least_s: float = 15) -> Outcome:
    """Of each network, the first one and those for which so many seconds are left."""
    figures: dict[str, dict[str, float]] = {}
    for network in bench.either(NETWORKS, ("cnn",)):
        if figures and bench.seconds_left < least_s:
            break
        figures[network] = {name: round(_images_per_second(bench, step(network))) for name, step in variants.items()}
    rows = {
        network: ", ".join(f"{name} {speed:,.0f}" for name, speed in row.items()) for network, row in figures.items()
    }
    left = [network for network in bench.either(NETWORKS, ()) if network not in figures]
    words = "; ".join(f"{network} {row}" for network, row in rows.items())
    words += f"; no time was left for {listed(left)}" if left else ""
    return ok(f"images/s in batches of {_batch(bench)}: {words}", **figures)


def _batch(bench: Bench) -> int:
    return bench.either(512, 4)


def _step(
    bench: Bench, *, tf32: bool = False, bf16: bool = False, channels_last: bool = False, compiled: bool = False
) -> Step:
    def of(network: str) -> Callable[[], None]:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
        layout = torch.channels_last if channels_last else torch.contiguous_format
        model = models.build(network, (3, 32, 32), seed=0).to(bench.device, memory_format=layout)  # type: ignore[call-overload]
        images = torch.randn(_batch(bench), 3, 32, 32, device=bench.device).to(memory_format=layout)
        labels = torch.randint(10, (len(images),), device=bench.device)
        forward: nn.Module | Callable[[Tensor], Tensor] = torch.compile(model) if compiled else model
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, fused=True)

        def step() -> None:
            optimizer.zero_grad()
            with torch.autocast(torch.device(bench.device).type, torch.bfloat16, enabled=bf16):
                outputs = forward(images)
            functional.cross_entropy(outputs.float(), labels).backward()
            optimizer.step()

        return step

    return of


def _images_per_second(bench: Bench, step: Callable[[], None]) -> float:
    for _ in range(bench.either(10, 1)):
        step()
    torch.cuda.synchronize(bench.device)
    began, steps = time.perf_counter(), 0
    while steps == 0 or time.perf_counter() - began < bench.either(1.0, 0.0):
        for _ in range(bench.either(10, 1)):
            step()
        steps += bench.either(10, 1)
        torch.cuda.synchronize(bench.device)
    return steps * _batch(bench) / (time.perf_counter() - began)


# The program against the loop that one would write by hand.


class Idleness:
    """Asks a device from time to time, in a thread, whether it computes."""

    def __init__(self, bench: Bench, uuid: str) -> None:
        self._bench, self._uuid = bench, uuid
        self._gpus = Gpus()
        self._over = threading.Event()
        self._samples: list[tuple[float, float]] = []

    def __enter__(self) -> Idleness:
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._over.wait(0.1):
            busy = self._gpus.read(os.getpid(), self._bench.device, "", os.environ, self._uuid).busy
            if busy is not None:
                self._samples.append((time.time(), busy))

    def share(self, began: float, ended: float) -> float | None:
        """Of the time between two moments, in which nothing was computed; None where it cannot be told."""
        busy = [busy for at, busy in self._samples if began <= at <= ended]
        return round(1 - statistics.mean(busy), 3) if busy else None


def against_the_bare_loop(bench: Bench) -> Outcome:
    """Images a second of `run` and of `launch` at 140×40 against the bare loop, in fp32; how idle the device is."""
    found = run(bench, bench.device, module="tests.benchmarks.cuda.uuid_of_device")
    uuid = found.said.split()[-1] if not found.code else ""
    rounds: list[dict[str, float]] = []
    idle: list[dict[str, float | None]] = []
    for number in range(bench.either(2, 1)):
        epochs = str(bench.either(60, 2))
        bare = run(bench, *_of_the_loop(bench, epochs), module="tests.benchmarks.bare_loop")
        if bare.code:
            return failed(f"the bare loop {bare.last_words}")
        speeds: dict[str, float] = {"bare": float(bare.said.split()[-1])}
        shares: dict[str, float | None] = {}
        for kind in ("run", "launch"):
            name = f"{kind}-{number}"
            with Idleness(bench, uuid) as idleness:
                ended = _trained(bench, kind, name, epochs)
            if ended.code:
                return failed(f"{kind} {ended.last_words}", output=ended.said[-2000:])
            told = history(bench, name).epochs
            speeds[kind], shares[kind] = _speed(told, _images(bench)), idleness.share(told[0].at, told[-1].at)
        rounds.append(speeds)
        idle.append(shares)
    ratios = {kind: statistics.median(each[kind] / each["bare"] for each in rounds) for kind in ("run", "launch")}
    shares = {kind: idle[-1][kind] for kind in ratios}
    words = f"run {ratios['run']:.2f} ×, launch at 140×40 {ratios['launch']:.2f} × the bare loop's "
    words += f"{statistics.median(each['bare'] for each in rounds):,.0f} images/s (cnn on mnist-5k, batches of 64); "
    words += "the device is idle " + ", ".join(
        f"{'not told' if share is None else f'{share:.0%}'} of the time in {kind}" for kind, share in shares.items()
    )
    return ok(words, rounds=rounds, ratios=ratios, idle=idle)


def _of_the_loop(bench: Bench, epochs: str) -> list[str]:
    return ["--epochs", epochs, "--device", bench.device, *_in_common(bench)]


def _in_common(bench: Bench) -> list[str]:
    return ["--threads", str(bench.either(2, 1)), "--limit-train", str(_images(bench))]


def _images(bench: Bench) -> int:
    return bench.either(4_000, 256)


def _trained(bench: Bench, kind: str, name: str, epochs: str) -> Ended:
    asked = [kind, "--preset", "none", "--precision", "fp32", "--device", bench.device, "--epochs", epochs]
    asked += ["--name", name, *_in_common(bench)]
    if kind == "run":
        return run(bench, *asked)
    began = time.monotonic()
    module, *asked = bench.command("tui_trainer", *asked, "--exit-when-done")
    with Raw(*asked, module=module, columns=140, lines=40) as terminal:
        code = terminal.wait(bench.seconds_left)
        return Ended(code, terminal.text.decode(errors="replace"), time.monotonic() - began)


def _speed(told: list[EpochEnded], images: int) -> float:
    """Images a second from the end of the first epoch to that of the last; validation included."""
    return images * (len(told) - 1) / (told[-1].elapsed - told[0].elapsed)


# To 94 % on CIFAR-10.


def cifar10_to_94(bench: Bench) -> Outcome:
    """`resnet9` with one cycle of 24 epochs in the precision that the device takes by itself; seconds of training."""
    preset = bench.work / "one-cycle.toml"
    preset.write_text(ONE_CYCLE)
    if bench.rehearsal:
        asked = ["--model", "mlp", "--limit-train", "1024", "--limit-val", "100", "--epochs", "2", "--threads", "1"]
    elif bench.data is None:
        return skipped("it needs --data FOLDER, a torchvision root that holds CIFAR-10")
    else:
        asked = ["--model", "resnet9", "--dataset", "cifar10", "--data-dir", str(bench.data)]
    asked += ["--preset", str(preset), "--device", bench.device, "--name", "cifar10"]
    ended = run(bench, "run", *asked)
    if ended.code != 0:
        return failed(ended.last_words, output=ended.said[-2000:])
    whole = history(bench, "cifar10")
    words, seconds = reached(whole, GOAL)
    best = max(epoch.val_accuracy for epoch in whole.epochs)
    least = bench.either(0.92, 0.0)  # a seed may fall short of the goal by some tenths of a percent; no recipe by more
    return judged(best >= least, words, seconds=seconds, best=best, epochs=len(whole.epochs))


def reached(told: History, goal: float) -> tuple[str, float | None]:
    """When a run was as accurate as that, in words and in seconds of its own clock; None where it never was."""
    best = max(epoch.val_accuracy for epoch in told.epochs)
    there = next((epoch for epoch in told.epochs if epoch.val_accuracy >= goal), None)
    whole = f"{len(told.epochs)} epochs in {told.epochs[-1].elapsed:.1f} s, the best {best:.4f}"
    if there is None:
        return f"{goal:.0%} was not reached: {whole}", None
    return f"{goal:.0%} after {there.elapsed:.1f} s, in epoch {there.epoch}: {whole}", there.elapsed


def airbench94(bench: Bench) -> Outcome:
    """The fastest known recipe to 94 %, where its package is there; on one device, without a record or a screen."""
    if importlib.util.find_spec("airbench") is None:
        return skipped("the package airbench is not here")
    if bench.data is None or not (bench.data / "cifar-10-batches-py").is_dir():
        return skipped("it needs a GPU, and --data FOLDER with cifar-10-batches-py in it")
    with suppress(FileExistsError):
        (bench.work / "cifar10").mkdir()
        (bench.work / "cifar10" / "cifar-10-batches-py").symlink_to((bench.data / "cifar-10-batches-py").absolute())
    os.chdir(bench.work)  # it reads its data from ./cifar10 as it is imported
    import airbench  # type: ignore[import-not-found]

    with (Path("airbench.txt")).open("w") as said:
        before, sys.stdout = sys.stdout, said
        try:
            airbench.warmup94()
            airbench.train94()
        finally:
            sys.stdout = before
    accuracy, seconds = last_row(Path("airbench.txt").read_text())
    return ok(f"{accuracy:.4f} after {seconds:.1f} s, with test-time augmentation", accuracy=accuracy, seconds=seconds)


def last_row(said: str) -> tuple[float, float]:
    """The last two numbers of the last row of airbench's table: accuracy and seconds.

    Raises:
        ValueError: there is no such row.
    """
    for line in reversed(said.splitlines()):
        numbers = re.findall(r"\d+\.\d+", line)
        if line.startswith("|") and "eval" in line and len(numbers) >= 2:
            return float(numbers[-2]), float(numbers[-1])
    raise ValueError("airbench printed no row that it ends with")
