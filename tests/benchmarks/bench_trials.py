"""What a comparison of 10,000 trials costs: `python -m tests.benchmarks.bench_trials [TRIALS] [--sweep] [--trained]
[--train]`.

Shipped presets, each with so many seeds that they come to that; with `--sweep` one preset, each with an LR of its own.
Nothing trains here: with `--trained` each has a copy of the record of a run that is over, of three epochs; with
`--train` eight of them have one that grows.

open    seconds from the session's folder to a comparison with a row for each preset
found   seconds of work until all records are read and the table is found out
drawn   seconds of CPU, of this process from the folder on, until the charts show all of it
frame   milliseconds of CPU of a frame in which nothing happened: the median, and the longest
train   the same where each of the eight has told some steps, and what is composed of it
epoch   the same where each has told the end of an epoch
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
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count, islice
from pathlib import Path

from msgspec.structs import replace

from tests.compare.made import record, rewritten
from tests.scripted import scripted_run
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.events import encode
from tui_trainer.presets.catalogue import load, shipped_files
from tui_trainer.records.lock import WriterLock
from tui_trainer.run_spec import RunSpec
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.compare.chart import Overlay
from tui_trainer.ui.compare.screen import CompareScreen
from tui_trainer.ui.context import AppContext

FRAMES, EPOCHS = 50, 10
"""How many are measured, and a tenth of that as epochs end."""
TRAINING = 8
"""Trials that train beside each other."""
BEGUN = 500
"""Lines that the record of one of them has: some epochs."""


def seeds_of_presets() -> Iterator[Contestant]:
    names = [file.stem for file in shipped_files()]
    asked = {name: RunSpec.of(name, load(name)).model_dump(mode="json") for name in names}
    for number in count():
        seed, name = divmod(number, len(names))
        yield Contestant(label=names[name], seed=seed, asked=asked[names[name]] | {"seed": seed})


def sweep() -> Iterator[Contestant]:
    spec = RunSpec.of("steplr", load("steplr")).model_dump(mode="json")
    for number in count(1):
        varied = {"optimizer.lr": number / 1e5}
        preset = spec["preset"] | {"optimizer": spec["preset"]["optimizer"] | {"lr": number / 1e5}}
        yield Contestant(label=f"lr {number / 1e5:g}", seed=0, asked=spec | {"preset": preset}, varied=varied)


def made(runs: Path, trials: Iterable[Contestant], *, trained: bool, training: int) -> Path:
    """The folder of a session of these trials; the first of them have records that may grow."""
    first = record(runs, epochs=3, batches=4) if trained else None
    entries = []
    for number, entry in enumerate(trials):
        if number < training:
            entry = replace(entry, run=record(runs, name=f"trains {number}", epochs=1, status=None).name)
        elif first is not None:
            there = shutil.copytree(first, f"{first}-{number}", copy_function=os.link)  # nobody writes to them
            entry = replace(entry, run=there.rpartition("/")[2])
        entries.append(entry)
    return Session.create(runs, entries).folder


@contextmanager
def growing(session: Session, training: int) -> Iterator[Callable[[], None]]:
    """Have the first of its trials train; has each of them tell something more."""
    records = [session.runs / str(entry.run) for entry in session.entries[:training]]
    events = scripted_run(epochs=20, batches=200, status=None)
    for each in records:
        rewritten(each, events[:BEGUN])
    rest = iter(events[BEGUN:])

    def grow() -> None:
        line = encode(next(rest))
        for each in records:
            with (each / "events.jsonl").open("ab") as journal:
                journal.write(line)

    with ExitStack() as locks:
        for each in records:
            locks.callback(WriterLock(each).release)
        yield grow


def cost(screen: CompareScreen) -> float:
    """Milliseconds of this thread's CPU time of a frame."""
    before = time.thread_time()
    screen.draw()
    return (time.thread_time() - before) * 1e3


async def measure(folder: Path, grow: Callable[[], None] | None) -> None:
    began, computed = time.perf_counter(), time.process_time()
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
        await pilot.pause()
        while any(chart._lags for chart in screen.query(Overlay)):
            await pilot.pause()
        drawn = time.process_time() - computed
        frames = []
        for _ in range(FRAMES):
            frames.append(cost(screen))
            await pilot.pause()
        training: list[float] = []
        epochs: list[float] = []
        while grow is not None and min(len(training), EPOCHS * len(epochs)) < FRAMES:
            grow()
            milestones, before = comparison.milestones, time.thread_time()
            screen.draw()
            await pilot.pause()
            (training if comparison.milestones == milestones else epochs).append((time.thread_time() - before) * 1e3)
        print(f"{len(comparison.runs):7,} trials")
        print(f"open   {opened:6.2f} s, on the screen after {shown:.2f} s")
        print(f"found  {found:6.2f} s")
        print(f"drawn  {drawn:6.2f} s")
        for name, times in (("frame", frames), ("train", training), ("epoch", epochs)):
            if times:
                print(f"{name}  {statistics.median(times):6.2f} ms, the longest {max(times):.2f} ms")


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    for size in ((numbers or [10_000])[0] // 2, (numbers or [10_000])[0]):
        with tempfile.TemporaryDirectory() as place:
            training = TRAINING if "--train" in sys.argv else 0
            trials = islice(sweep() if "--sweep" in sys.argv else seeds_of_presets(), size)
            folder = made(Path(place) / "runs", trials, trained="--trained" in sys.argv, training=training)
            with growing(Session.open(folder), training) as grow:
                asyncio.run(measure(folder, grow if training else None))


if __name__ == "__main__":
    main()
