"""What viewers cost a run: `python -m tests.benchmarks.bench_viewers [--viewers 5] [--seconds 20] [--rounds 3]`.

One process trains with one thread, beside so many that do `attach` in pseudo-terminals of their own. Rounds without
viewers and with them take turns; in those with them, one is stopped with SIGSTOP for the whole round and another is
killed and started anew every few seconds. Told are the steps a second of each round, what viewers take of a core, and
the memory of the trainer and of a viewer as they begin and end. Then, for one viewer: the time from its start to its
first frame and to the run's whole record on the screen, and the same for a record of a million steps.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.benchmarks.bench_records import long_run
from tests.terminal import Terminal
from tui_trainer.hosts import replay
from tui_trainer.runs.catalogue import newest
from tui_trainer.runs.record import Record

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
    alone: list[float] = []
    watched: list[float] = []
    for _ in range(count):
        alone.append(steps_a_second(run, seconds))
        watched.append(with_viewers(run, viewers, seconds))
    print(f"trainer: {mib(trainer)}")
    training.send_signal(signal.SIGTERM)
    training.wait()
    for name, speeds in (("alone", alone), (f"with {viewers} viewers", watched)):
        print(f"{name}: {', '.join(f'{speed:.1f}' for speed in speeds)} steps/s")
    ratios = [one / other for one, other in zip(watched, alone, strict=True)]
    print(f"ratio: {statistics.median(ratios):.3f} (from {min(ratios):.3f} to {max(ratios):.3f})")


def with_viewers(run: Path, count: int, seconds: float) -> float:
    """Steps a second beside viewers, one of them standing still, one killed and started anew again and again."""
    viewers = [Terminal("attach", run.name) for _ in range(count)]
    for viewer in viewers:
        viewer.until("epoch")
    os.kill(viewers[0].pid, signal.SIGSTOP)
    others = [psutil.Process(viewer.pid) for viewer in viewers[:-1]]
    before, cpu = [mib(other) for other in others], sum(sum(other.cpu_times()[:2]) for other in others[1:])
    chance = random.Random(0)
    began, first = time.monotonic(), steps(run)
    next_kill = began + 1
    while time.monotonic() < began + seconds:
        for viewer in viewers[1:]:
            viewer._read(0.02)
        if time.monotonic() >= next_kill:
            next_kill += chance.uniform(2.0, 5.0)
            os.kill(viewers[-1].pid, signal.SIGKILL)
            viewers[-1].wait()
            viewers[-1].close()
            viewers[-1] = Terminal("attach", run.name)
    taken, speed = time.monotonic() - began, (steps(run) - first) / (time.monotonic() - began)
    cpu = sum(sum(other.cpu_times()[:2]) for other in others[1:]) - cpu
    print(f"viewers: {', '.join(before)} then {', '.join(mib(other) for other in others)}")
    print(f"a viewer takes {cpu / taken / max(1, len(others) - 1):.1%} of a core")
    for viewer in viewers:
        os.kill(viewer.pid, signal.SIGKILL)
        viewer.wait()
        viewer.close()
    return speed


def starts(runs: Path, times: int = 7) -> None:
    """How soon a viewer shows a record of a million steps."""
    record = Record.create(runs, {"preset_name": "long", "name": "long"})
    for event in long_run():
        record.emit(event)
    record.close()
    size = (record.folder / "events.jsonl").stat().st_size / 2**20
    first, whole = [], []
    for _ in range(times):
        began = time.monotonic()
        with Terminal("attach", "long") as viewer:
            viewer.until(lambda screen: bool(screen.strip()))
            first.append(time.monotonic() - began)
            viewer.until("1,000,000")
            whole.append(time.monotonic() - began)
    print(f"a record of a million steps, {size:.0f} MiB:")
    print(f"  first frame after {min(first):.2f} s at best, {statistics.median(first):.2f} s in the middle")
    print(f"  all of it after {min(whole):.2f} s at best, {statistics.median(whole):.2f} s in the middle")


def steps_a_second(run: Path, seconds: float) -> float:
    began, first = time.monotonic(), steps(run)
    time.sleep(seconds)
    return (steps(run) - first) / (time.monotonic() - began)


def steps(run: Path) -> int:
    return replay(run).steps


def mib(process: psutil.Process) -> str:
    return f"{process.memory_info().rss / 2**20:.0f} MiB"


if __name__ == "__main__":
    main()
