"""All that a GPU is needed for to be shown: `python -m tests.benchmarks.cuda [--quick] [--data FOLDER] [--out FOLDER]`.

For a machine with an NVIDIA GPU and nothing but the repository, its wheels and the folder with CIFAR-10, which may be
left out. Each check runs in a process of its own, or starts commands; one that fails, hangs or dies does not stop the
others. `report.md` and `report.json` are written anew after each. It ends within eight minutes: what there was no time
for has failed, or, of the figures, was skipped.

    --quick          what is right or wrong, without figures
    --data FOLDER    a torchvision root that holds CIFAR-10 (`cifar-10-batches-py`)
    --out FOLDER     where the report goes (a new temporary folder, which is printed)
    --only NAMES     these checks alone, with commas between
    --without NAMES  all but these
    --rehearse       on two cards that are the CPU, small: to see that each check runs; it says nothing of CUDA

Exit 0: nothing is wrong. 1: something is. 2: there is no CUDA device, or an option is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from tests import preloaded
from tests.benchmarks.cuda import report
from tests.benchmarks.cuda.bench import Bench, Check, Outcome, failed, skipped
from tests.benchmarks.cuda.commands import run
from tests.benchmarks.cuda.listed import CHECKS
from tests.benchmarks.cuda.one import found

MOST_S = 8 * 60 - 10
"""Seconds for all of it, and ten more to write the report and end what is left."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for, and return the exit code."""
    asked = _asked(arguments)
    if not asked.rehearse and not torch.cuda.is_available():
        print(
            f"torch {torch.__version__} sees no CUDA device here: run this where there is an NVIDIA GPU, or --rehearse "
            "it on the CPU",
            file=sys.stderr,
        )
        return 2
    devices = tuple(f"cuda:{i}" for i in range(2 if asked.rehearse else torch.cuda.device_count()))
    out = asked.out or Path(tempfile.mkdtemp(prefix="tui-trainer-cuda-"))
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tui-trainer-cuda-work-") as work, _new_interpreters(not asked.rehearse):
        bench = Bench(devices, asked.rehearse, Path(work), _no_data(Path(work)) if asked.rehearse else asked.data)
        outcomes = _all(asked.checks, bench, out)
    print(f"{report.verdict(outcomes)}: {out / 'report.md'}")
    return int(any(outcome.status == "failed" for outcome, _ in outcomes.values()))


def _all(checks: Sequence[Check], bench: Bench, out: Path) -> dict[str, tuple[Outcome, float]]:
    """Run the checks, tell of each as it ends, and write the report anew each time."""
    began = time.monotonic()
    about = {"begun": time.strftime("%Y-%m-%d %H:%M:%S %Z"), "devices": ", ".join(bench.devices)}
    outcomes: dict[str, tuple[Outcome, float]] = {}
    for check in checks:
        started = time.monotonic()
        outcome = _one(check, bench, min(check.seconds, began + MOST_S - started))
        outcomes[check.name] = outcome, time.monotonic() - started
        print(f"{outcome.status:<8} {check.name}: {' '.join(outcome.words.split())}", flush=True)
        report.write(out, outcomes, {**about, "seconds": round(time.monotonic() - began, 1)})
    return outcomes


def _one(check: Check, bench: Bench, seconds: float) -> Outcome:
    """What a check finds, which may take so long."""
    if seconds < check.seconds / 3:
        words = f"no time was left: it may take {check.seconds:.0f} s"
        return skipped(words) if check.is_figure else failed(words)
    here = bench.of(check.name, seconds)
    if not check.own_process:
        return found(check, here)
    told = here.work / "outcome.json"
    ended = run(here, check.name, here.to_json(), str(told), module="tests.benchmarks.cuda.one")
    if ended.code == 0 and told.exists():
        return Outcome(**json.loads(told.read_text()))
    return failed(f"its process {ended.last_words}", output=ended.said[-4000:])


@contextlib.contextmanager
def _new_interpreters(yes: bool) -> Iterator[None]:
    """Whether each process starts a new interpreter: one that is forked off another is not what a person starts."""
    before = preloaded.AVAILABLE
    preloaded.AVAILABLE = before and not yes
    try:
        yield
    finally:
        preloaded.AVAILABLE = before


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.cuda",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", type=_folder)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", type=_names, default=frozenset(check.name for check in CHECKS))
    parser.add_argument("--without", type=_names, default=frozenset())
    parser.add_argument("--rehearse", action="store_true")
    asked = parser.parse_args(arguments)
    wanted = [check for check in CHECKS if check.name in asked.only - asked.without]
    asked.checks = [check for check in wanted if not (asked.quick and check.is_figure)]
    return asked


def _no_data(work: Path) -> Path:
    """A root that looks like one with CIFAR-10."""
    (work / "data" / "cifar-10-batches-py").mkdir(parents=True)
    return work / "data"


def _folder(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return path


def _names(text: str) -> frozenset[str]:
    names = frozenset(text.split(","))
    if unknown := names - {check.name for check in CHECKS}:
        raise argparse.ArgumentTypeError(f"there is no check {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    sys.exit(main())
