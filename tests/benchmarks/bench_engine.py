"""Images a second of `tui-trainer run` against the loops that people write: `python -m tests.benchmarks.bench_engine`.

    --rounds N          of all contenders, one after the other (3)
    --epochs N          of each, the first one not counted (5)
    --against NAMES     some of bare,dataloader,lightning (all that are there)
    --threads N         for all; without it each takes what it takes by itself
    --lightning PYTHON  an interpreter of an environment that has torch, lightning and rich

With three rounds it takes some three minutes on two quiet cores, five with Lightning. Each contender is a process of
its own, on the same network, data, batches, optimizer and schedule (see `contenders`). A figure is the median over
epochs and rounds; a ratio is the median of the rounds' own ratios, so that what slows the whole machine for a while
falls out of it.
`busy`: the same beside a process that keeps one core busy.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from statistics import median

Speeds = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--lightning", default=sys.executable if find_spec("lightning") else None)
    parser.add_argument("--against")
    asked = parser.parse_args()
    there = ["bare", "dataloader", *(["lightning"] if asked.lightning else [])]
    contenders = ["run", *(asked.against.split(",") if asked.against else there)]
    found: dict[str, Speeds] = {"quiet": {name: [] for name in contenders}, "busy": {name: [] for name in contenders}}
    for _ in range(asked.rounds):
        for where, speeds in found.items():
            with neighbour(busy=where == "busy"):
                for name in contenders:
                    speeds[name].append(median(measured(name, asked)[1:]))
                    print(f"{where} {name} {speeds[name][-1]:,.0f}", file=sys.stderr, flush=True)
    print(f"cnn on mnist-5k, batches of 64, {os.cpu_count()} cores, load now {os.getloadavg()[0]:.1f}")
    for where, speeds in found.items():
        print(f"\n{where:<12} {'images/s':>9}  {'run is':>7}")
        for name, values in speeds.items():
            ratio = median(mine / other for mine, other in zip(speeds["run"], values, strict=True))
            print(f"{name:<12} {median(values):>9,.0f}  {ratio:>6.2f}×")


def measured(name: str, asked: argparse.Namespace) -> list[float]:
    """Images a second, by epoch."""
    environment = dict(os.environ)
    if asked.threads and name != "run":
        environment["OMP_NUM_THREADS"] = str(asked.threads)
    if name != "run":
        python = asked.lightning if name == "lightning" else sys.executable
        command = [python, "-m", "tests.benchmarks.contenders", name, str(asked.epochs)]
        lines = _output(command, environment).splitlines()[-asked.epochs :]
        return [float(line) for line in lines]
    with tempfile.TemporaryDirectory() as runs:
        command = [sys.executable, "-m", "tui_trainer", "run", "--preset", "onecycle", "--json", "--runs-dir", runs]
        command += ["--epochs", str(asked.epochs), "--device", "cpu"]
        command += ["--threads", str(asked.threads)] if asked.threads else []
        return [json.loads(line)["images_per_second"] for line in _output(command, environment).splitlines()]


def _output(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return done.stdout.decode()


@contextlib.contextmanager
def neighbour(*, busy: bool) -> Iterator[None]:
    """A process that computes all the while, or none."""
    if not busy:
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
