"""What `find-lr` suggests against a grid of LRs, each trained to the end: `python -m tests.benchmarks.bench_find_lr`.

For each preset: the three suggestions, and the validation accuracy after the last epoch with each of them and with each
of ten LRs from 1e-4 to 3.16, half a decade apart. The rest of the preset stays as it is. `--cifar10 N` takes N images
of CIFAR-10 instead of the digits, `--mnist` the whole of MNIST; both are read from `--data-dir`.

A preset takes thirteen trainings: on one core some minutes with the digits. With `--progress FILE` each is written
there as it is over, and what stands there is not trained again: a command that was cut off goes on, and one of another
`find-lr` is refused, since the grid is trained after that was last changed. `--trainings N` trains each LR with N
seeds, from that of the test on, and tells the mean with the standard deviation: seeds differ by as much as LRs that
are beside one another do. `--pairs N` tells instead what the test costs: the processor's seconds of its 200 steps over
those of as many bare ones, in N pairs, by turns before and behind; of `mlp`, whose steps are the shortest.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import inspect
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import chain, count, islice
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

from torch.nn import functional

from tui_trainer import lr_suggestions
from tui_trainer.engine import lr_range_test
from tui_trainer.engine.control import CommandQueue
from tui_trainer.engine.datasets import batches
from tui_trainer.engine.lr_range_test import RangeTest
from tui_trainer.engine.prepare import Prepared, prepare
from tui_trainer.engine.schedules import build_optimizer
from tui_trainer.engine.train import train
from tui_trainer.events import AnyEvent, EpochEnded
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


class Progress:
    """What was measured, an object a line in a file, by what it was measured of.

    Args:
        path: the file, which may be there; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rules = hashlib.sha256(
            "".join(map(inspect.getsource, (lr_suggestions, lr_range_test))).encode()
        ).hexdigest()
        lines = path.read_text("utf-8").splitlines() if path is not None and path.exists() else []
        told = [json.loads(line) for line in lines]
        if any(each["rules"] != self._rules for each in told):
            sys.exit(f"{path} is of another find-lr: begin the grid anew")
        self._known = {each["of"]: each["found"] for each in told}

    def of(self, what: str, measure: Callable[[], Any], **options: Any) -> Any:
        """What `measure` returns, an object that JSON has, or returned before."""
        key = f"{what} {json.dumps(options, sort_keys=True, default=str)}"
        if key not in self._known:
            self._known[key] = found = measure()
            if self._path is not None:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"rules": self._rules, "of": key, "found": found}) + "\n")
        return self._known[key]


def suggested(name: str, text: str, **options: Any) -> dict[str, Any]:
    """What a range test suggests, and how it ended."""
    spec = RunSpec.of(name, parse(text), **options)
    began = time.perf_counter()
    curve = RangeTest().run(prepare(spec, lambda _: None), spec.seed)
    seconds = time.perf_counter() - began
    about = f"{len(curve.losses)} steps, {seconds:.1f} s with all that is loaded before, ended by {curve.ended}"
    lrs = {rule: float(f"{lr:.3g}") for rule, lr in curve.suggestions.items()}
    return {"about": about, "none_because": curve.none_because, "lrs": lrs}


def told(accuracies: Sequence[float]) -> str:
    """Their mean, and of several seeds how far they spread."""
    spread = f" ± {stdev(accuracies):.4f}" if len(accuracies) > 1 else ""
    return f"{fmean(accuracies):.4f}{spread}"


def table(name: str, progress: Progress, seeds: Sequence[int], **options: Any) -> list[str]:
    """Of one preset, in Markdown."""
    text = find(name).read_text("utf-8")

    def accuracies(lr: float) -> list[float]:
        def of_seed(seed: int) -> float:
            of_run = options | {"seed": seed}
            found: float = progress.of(f"{name} {lr:g}", lambda: trained(text, lr, **of_run), **of_run)
            return found

        return [of_seed(seed) for seed in seeds]

    test_options = options | {"seed": seeds[0]}
    test = progress.of(f"{name} find-lr", lambda: suggested(name, text, **test_options), **test_options)
    grid = {lr: accuracies(lr) for lr in GRID}
    best = max(map(fmean, grid.values()))
    rows = [f"{name}: {test['about']}", "", "| LR | accuracy | |", "| --- | --- | --- |"]
    rows += [f"| {lr:g} | {told(of_lr)} | {'best' if fmean(of_lr) == best else ''} |" for lr, of_lr in grid.items()]
    for rule, lr in test["lrs"].items():
        of_lr = accuracies(lr)
        verdict = (
            "within 1 %" if fmean(of_lr) >= best * (1 - NEAR) else f"{(1 - fmean(of_lr) / best) * 100:.1f} % below"
        )
        rows.append(f"| {rule}: {lr:g} | {told(of_lr)} | {verdict} |")
    return [*rows, "" if test["lrs"] else f"no suggestion: {test['none_because']}", ""]


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
    ask.add_argument("--model", help="another than that")
    ask.add_argument("--limit-val", type=int, metavar="N", help="the first N images to validate")
    ask.add_argument("--data-dir", type=Path)
    ask.add_argument("--epochs", type=int)
    ask.add_argument("--batch-size", type=int)
    ask.add_argument("--limit-train", type=int, metavar="N", help="the first N images to train on")
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--trainings", type=int, default=1, metavar="N", help="of each LR, with N seeds from --seed on")
    ask.add_argument("--threads", type=int, default=1)
    ask.add_argument("--progress", type=Path, metavar="FILE", help="goes on from there")
    ask.add_argument("--pairs", type=int, metavar="N", help="time the test instead")
    given = ask.parse_args()
    options: dict[str, Any] = {"device": "cpu", "threads": given.threads, "epochs": given.epochs, "metrics": "minimal"}
    if given.mnist or given.cifar10:
        options |= {"dataset": "mnist" if given.mnist else "cifar10", "data_dir": given.data_dir}
    if given.cifar10:
        options |= {"limit_train": given.cifar10, "limit_val": given.cifar10 // 4, "model": "resnet9-slim"}
    asked = ("model", "limit_val", "limit_train", "batch_size")
    of_run = {key: getattr(given, key) for key in asked}
    options |= {key: value for key, value in of_run.items() if value is not None}
    if given.pairs:
        print(cost(given.pairs, **options | {"model": "mlp", "seed": given.seed}))
        return
    progress, seeds = Progress(given.progress), range(given.seed, given.seed + given.trainings)
    for name in given.presets:
        print("\n".join(table(name, progress, seeds, **options)), flush=True)


if __name__ == "__main__":
    main()
