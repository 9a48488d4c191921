"""What `find-lr` suggests against a grid of LRs, each trained to the end: `python -m tests.benchmarks.bench_find_lr`.

For each preset: the three suggestions, and the validation accuracy after the last epoch with each of them and with each
of ten LRs from 1e-4 to 3.16, half a decade apart. The rest of the preset stays as it is. `--cifar10 N` takes N images
of CIFAR-10 instead of the digits, `--mnist` the whole of MNIST; both are read from `--data-dir`.

A preset takes thirteen trainings: on one core some minutes with the digits. `--pairs N` tells instead what the test
costs: the processor's seconds of its 200 steps over those of as many bare ones, in N pairs, by turns before and behind;
of `mlp`, whose steps are the shortest.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
import time
from itertools import chain, count, islice
from pathlib import Path
from statistics import median
from typing import Any

from torch.nn import functional

from tui_trainer.engine.control import CommandQueue
from tui_trainer.engine.datasets import batches
from tui_trainer.engine.lr_range_test import RangeTest
from tui_trainer.engine.prepare import Prepared, prepare
from tui_trainer.engine.schedules import build_optimizer
from tui_trainer.engine.train import train
from tui_trainer.events import AnyEvent, EpochEnded
from tui_trainer.lr_suggestions import RULES
from tui_trainer.presets.another_lr import with_lr
from tui_trainer.presets.catalogue import find
from tui_trainer.presets.checks import parse
from tui_trainer.run_spec import RunSpec

GRID = [float(f"{10 ** (-4 + place / 2):.3g}") for place in range(10)]

PRESETS = ["cosine-warmup", "none", "onecycle"]
"""SGD with momentum, Adam, and SGD under OneCycleLR."""

NEAR = 0.01
"""An LR is as good as the best of the grid where its accuracy is within this part of that one's."""


def trained(text: str, lr: float, **options: Any) -> float:
    """The validation accuracy after the last epoch; 0 where a loss was not finite."""
    spec = RunSpec.of("grid", parse(with_lr(text, parse(text), lr)), **options)
    ended: list[EpochEnded] = []

    def emit(event: AnyEvent) -> None:
        if isinstance(event, EpochEnded):
            ended.append(event)

    with tempfile.TemporaryDirectory() as folder:
        status = train(prepare(spec, emit), emit, CommandQueue(), Path(folder) / "checkpoints").status
    return ended[-1].val_accuracy if status == "finished" else 0.0


def table(name: str, **options: Any) -> list[str]:
    """Of one preset, in Markdown."""
    text = find(name).read_text("utf-8")
    spec = RunSpec.of(name, parse(text), **options)
    began = time.perf_counter()
    curve = RangeTest().run(prepare(spec, lambda _: None), spec.seed)
    seconds = time.perf_counter() - began
    grid = {lr: trained(text, lr, **options) for lr in GRID}
    best = max(grid.values())
    about = f"{name}: {len(curve.losses)} steps, {seconds:.1f} s with all that is loaded before, ended by {curve.ended}"
    rows = [about, "", "| LR | accuracy | |", "| --- | --- | --- |"]
    rows += [f"| {lr:g} | {accuracy:.4f} | {'best' if accuracy == best else ''} |" for lr, accuracy in grid.items()]
    for rule in RULES:
        if rule in curve.suggestions:
            lr = float(f"{curve.suggestions[rule]:.3g}")
            accuracy = trained(text, lr, **options)
            verdict = "within 1 %" if accuracy >= best * (1 - NEAR) else f"{(1 - accuracy / best) * 100:.1f} % below"
            rows.append(f"| {rule}: {lr:g} | {accuracy:.4f} | {verdict} |")
    return [*rows, "" if curve.suggestions else f"no suggestion: {curve.none_because}", ""]


def bare(prepared: Prepared, steps: int) -> float:
    """The processor's seconds of so many steps of a loop without anything around it."""
    model = copy.deepcopy(prepared.train_state.model)
    optimizer = build_optimizer(prepared.spec.preset.optimizer, model.parameters(), fused=True)
    size, seed = prepared.spec.preset.training.batch_size, prepared.spec.seed
    epochs = (batches(prepared.images.train, size, seed, epoch) for epoch in count(1))
    began = time.process_time()
    for images, labels in islice(chain.from_iterable(epochs), steps):
        optimizer.zero_grad()
        functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return time.process_time() - began


def cost(pairs: int, **options: Any) -> str:
    """What the test costs beside bare steps, as it is told."""
    prepared = prepare(RunSpec.of("none", parse(find("none").read_text("utf-8")), **options), lambda _: None)
    test = RangeTest(1e-6, 1e-3)  # it comes to its last step

    def ours() -> float:
        began = time.process_time()
        assert test.run(prepared, prepared.spec.seed).ended == "all_steps"
        return time.process_time() - began

    def theirs() -> float:
        return bare(prepared, test.steps)

    ours(), theirs()
    ratios = []
    for number in range(pairs):
        if number % 2:
            ratios.append(ours() / theirs())
        else:
            there = theirs()
            ratios.append(ours() / there)
    low, high = min(ratios), max(ratios)
    return f"{test.steps} steps of {prepared.spec.model}: {median(ratios):.2f} of bare ones ({low:.2f} to {high:.2f})"


def main() -> None:
    """Train, and print a table for each preset."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("presets", nargs="*", default=PRESETS)
    ask.add_argument("--cifar10", type=int, metavar="N", help="the first N images of CIFAR-10, model resnet9-slim")
    ask.add_argument("--mnist", action="store_true", help="the whole of MNIST")
    ask.add_argument("--data-dir", type=Path)
    ask.add_argument("--epochs", type=int)
    ask.add_argument("--threads", type=int, default=1)
    ask.add_argument("--pairs", type=int, metavar="N", help="time the test instead")
    given = ask.parse_args()
    options: dict[str, Any] = {"device": "cpu", "threads": given.threads, "epochs": given.epochs, "metrics": "minimal"}
    if given.mnist or given.cifar10:
        options |= {"dataset": "mnist" if given.mnist else "cifar10", "data_dir": given.data_dir}
    if given.cifar10:
        options |= {"limit_train": given.cifar10, "limit_val": given.cifar10 // 4, "model": "resnet9-slim"}
    if given.pairs:
        print(cost(given.pairs, **options | {"model": "mlp"}))
        return
    for name in given.presets:
        print("\n".join(table(name, **options)), flush=True)


if __name__ == "__main__":
    main()
