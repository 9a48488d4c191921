"""What viewers cost a run: `python -m tests.benchmarks.bench_viewers [--viewers 5] [--seconds 20] [--rounds 3]`.

One process trains with one thread, beside so many that do `attach` in pseudo-terminals of their own. Rounds without
viewers and with them take turns; in those with them, one is stopped with SIGSTOP for the whole round and another is
killed within it. Told are the steps a second of each round, and a second of the trainer's own CPU time, which a busy
machine leaves as it is; what viewers take of a core; and the memory of the trainer and of viewers as they begin and
end. Then, for one viewer: the time from its start to its first frame, and to a whole record of a million steps.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import psutil

from tests.benchmarks.bench_records import long_run
from tests.terminal import Terminal
from tui_trainer.records.record import Record
from tui_trainer.records.run_index import newest
from tui_trainer.run_sources.run_source import replay

Speed: TypeAlias = tuple[float, float]
"""Steps a second, and a second of the trainer's own CPU time."""

TRAINING = ("run", "--preset", "none", "--threads", "1", "--epochs", "100000", "--name", "watched", "--device", "cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUI_TRAINER_RUNS"] = folder
        starts(Path(folder))
        rounds(Path(folder), options.viewers, options.seconds, options.rounds)


def rounds(runs: Path, viewers: int, seconds: float, count: int) -> None:
    """Training with and without viewers, in turns."""
    command = [sys.executable, "-m", "tui_trainer", *TRAINING]
    training = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    trainer = psutil.Process(training.pid)
    while not any((folder / "checkpoints" / "last.pt").exists() for folder in runs.iterdir()):
        time.sleep(0.1)
    run = newest(runs)
    print(f"trainer: {mib(trainer)}")
    alone: list[Speed] = []
    watched: list[Speed] = []
    for _ in range(count):
        with measured(run, trainer, alone):
            time.sleep(seconds)
        with_viewers(run, trainer, viewers, seconds, watched)
    print(f"trainer: {mib(trainer)}")
    training.send_signal(signal.SIGTERM)
    training.wait()
    for index, unit in enumerate(("steps a second", "steps a second of the trainer's CPU time")):
        ratios = [one[index] / other[index] for one, other in zip(watched, alone, strict=True)]
        print(
            f"{unit}: alone {', '.join(f'{speed[index]:.1f}' for speed in alone)}; "
            f"with {viewers} viewers {', '.join(f'{speed[index]:.1f}' for speed in watched)}; "
            f"ratio {statistics.median(ratios):.3f} (from {min(ratios):.3f} to {max(ratios):.3f})"
        )


@contextlib.contextmanager
def measured(run: Path, trainer: psutil.Process, speeds: list[Speed]) -> Iterator[None]:
    """Add the speed of what is trained within it."""
    began, cpu, first = time.monotonic(), sum(trainer.cpu_times()[:2]), steps(run)
    yield
    taken = steps(run) - first
    speeds.append((taken / (time.monotonic() - began), taken / (sum(trainer.cpu_times()[:2]) - cpu)))


def with_viewers(run: Path, trainer: psutil.Process, count: int, seconds: float, speeds: list[Speed]) -> None:
    """Train beside viewers, one of them standing still, one killed before long."""
    viewers = [Terminal("attach", run.name) for _ in range(count)]
    for viewer in viewers:
        viewer.until("epoch")
    os.kill(viewers[0].pid, signal.SIGSTOP)
    others = [psutil.Process(viewer.pid) for viewer in viewers[:-1]]
    before, cpu = [mib(other) for other in others], sum(sum(other.cpu_times()[:2]) for other in others[1:])
    began = time.monotonic()
    killed_at = began + random.uniform(0.0, seconds)
    with measured(run, trainer, speeds):
        while time.monotonic() < began + seconds:
            for viewer in viewers[1:]:
                viewer._read(0.02)
            if viewers[-1].code is None and time.monotonic() >= killed_at:
                os.kill(viewers[-1].pid, signal.SIGKILL)
                viewers[-1].wait()
    taken = time.monotonic() - began
    cpu = sum(sum(other.cpu_times()[:2]) for other in others[1:]) - cpu
    print(f"viewers: {', '.join(before)} then {', '.join(mib(other) for other in others)}")
    print(f"a viewer takes {cpu / taken / max(1, len(others) - 1):.1%} of a core")
    for viewer in viewers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(viewer.pid, signal.SIGKILL)
        viewer.wait()
        viewer.close()


def starts(runs: Path, times: int = 7) -> None:
    """How soon a viewer shows a record of a million steps."""
    record = Record.create(runs, {"preset_name": "long", "name": "long"})
    for event in long_run():
        record.emit(event)
    record.close()
    size = (record.folder / "events.jsonl").stat().st_size / 2**20
    first: list[tuple[float, float]] = []
    whole: list[tuple[float, float]] = []
    for _ in range(times):
        began = time.monotonic()
        with Terminal("attach", "long") as viewer:
            process = psutil.Process(viewer.pid)
            viewer.until(lambda screen: bool(screen.strip()))
            first.append((time.monotonic() - began, sum(process.cpu_times()[:2])))
            viewer.until("1,000,000")
            whole.append((time.monotonic() - began, sum(process.cpu_times()[:2])))
    print(f"a record of a million steps, {size:.0f} MiB:")
    for what, took in (("first frame", first), ("all of it", whole)):
        walls, cpus = zip(*took, strict=True)
        print(
            f"  {what} after {min(walls):.2f} s at best, {statistics.median(walls):.2f} s in the middle; "
            f"{min(cpus):.2f} s and {statistics.median(cpus):.2f} s of the viewer's CPU time"
        )


def steps(run: Path) -> int:
    return replay(run).steps


def mib(process: psutil.Process) -> str:
    return f"{process.memory_info().rss / 2**20:.0f} MiB"


if __name__ == "__main__":
    main()
