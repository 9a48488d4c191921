"""What a comparison of 10,000 trials costs: `python -m tests.benchmarks.bench_trials [TRIALS] [--trained]`.

Shipped presets, each with so many seeds that they come to that. None of them is trained here: with `--trained` each has
a copy of the record of a run that is over, of three epochs.

open    seconds from the session's folder to a comparison with a row for each preset
found   seconds of work until all records are read and the table is found out
frame   milliseconds of CPU of a frame in which nothing happened: the median, and the longest
A half is measured first: what is not quadratic takes half of it all.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from msgspec.structs import replace

from tests.compare.made import record
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.presets.catalogue import load, shipped_files
from tui_trainer.run_spec import RunSpec
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.compare.screen import CompareScreen
from tui_trainer.ui.context import AppContext

FRAMES = 50


def made(runs: Path, count: int, *, trained: bool) -> Path:
    """The folder of a session of so many trials."""
    names = [file.stem for file in shipped_files()]
    asked = {name: RunSpec.of(name, load(name)).model_dump(mode="json") for name in names}
    first = record(runs, epochs=3, batches=4) if trained else None
    entries = []
    for number in range(count):
        seed, name = divmod(number, len(names))
        entry = Contestant(label=names[name], seed=seed, asked=asked[names[name]] | {"seed": seed})
        if first is not None:
            there = shutil.copytree(first, f"{first}-{number}", copy_function=os.link)  # nobody writes to them
            entry = replace(entry, run=there.rpartition("/")[2])
        entries.append(entry)
    return Session.create(runs, entries).folder


def cost(screen: CompareScreen) -> float:
    """Milliseconds of this thread's CPU time of a frame."""
    before = time.thread_time()
    screen.draw()
    return (time.thread_time() - before) * 1e3


async def measure(folder: Path) -> None:
    began = time.perf_counter()
    comparison = Comparison(Session.open(folder))
    opened = time.perf_counter() - began
    app = TrainerApp(AppContext(), comparison=(comparison, None))
    async with app.run_test(size=(140, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        app.context.clock.stop()
        shown = time.perf_counter() - began
        while comparison.lags or not all(run.is_read for run in comparison.runs):
            screen.draw()
        screen.draw()
        found = time.perf_counter() - began
        frames = []
        for _ in range(FRAMES):
            frames.append(cost(screen))
            await pilot.pause()
        print(f"{len(comparison.runs):7,} trials")
        print(f"open   {opened:6.2f} s, on the screen after {shown:.2f} s")
        print(f"found  {found:6.2f} s")
        print(f"frame  {statistics.median(frames):6.2f} ms, the longest {max(frames):.2f} ms")


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    for count in ((numbers or [10_000])[0] // 2, (numbers or [10_000])[0]):
        with tempfile.TemporaryDirectory() as place:
            folder = made(Path(place) / "runs", count, trained="--trained" in sys.argv)
            asyncio.run(measure(folder))


if __name__ == "__main__":
    main()
