"""What `find-lr` suggests against a grid of LRs, each trained to the end: `python -m tests.benchmarks.bench_find_lr`.

For each preset: the three suggestions, and the validation accuracy after the last epoch with each of them and with each
of ten LRs from 1e-4 to 3.16, half a decade apart. The rest of the preset stays as it is. `--cifar10 N` takes N images
of CIFAR-10 instead of the digits, `--mnist` the whole of MNIST; both are read from `--data-dir`.

A preset takes thirteen trainings: on one core some minutes with the digits.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from tui_trainer.engine.control import CommandQueue
from tui_trainer.engine.lr_range_test import RangeTest
from tui_trainer.engine.prepare import prepare
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


def main() -> None:
    """Train, and print a table for each preset."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("presets", nargs="*", default=PRESETS)
    ask.add_argument("--cifar10", type=int, metavar="N", help="the first N images of CIFAR-10, model resnet9-slim")
    ask.add_argument("--mnist", action="store_true", help="the whole of MNIST")
    ask.add_argument("--data-dir", type=Path)
    ask.add_argument("--epochs", type=int)
    ask.add_argument("--threads", type=int, default=1)
    given = ask.parse_args()
    options: dict[str, Any] = {"device": "cpu", "threads": given.threads, "epochs": given.epochs, "metrics": "minimal"}
    if given.mnist or given.cifar10:
        options |= {"dataset": "mnist" if given.mnist else "cifar10", "data_dir": given.data_dir}
    if given.cifar10:
        options |= {"limit_train": given.cifar10, "limit_val": given.cifar10 // 4, "model": "resnet9-slim"}
    for name in given.presets:
        print("\n".join(table(name, **options)), flush=True)


if __name__ == "__main__":
    main()
