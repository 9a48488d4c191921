"""What a comparison of 10,000 trials costs: `python -m tests.benchmarks.bench_trials [TRIALS] [--sweep] [--trained]
[--train]`.

Shipped presets, each with so many seeds that they come to that; with `--sweep` one preset, each with an LR of its own.
Nothing trains here: with `--trained` each has a copy of the record of a run that is over, of three epochs; with
`--train` eight of them have one that grows.

open    seconds from the session's folder to the first frame: by the clock, and of this process's CPU
found   seconds of CPU until all records are read, all presets are found out, and the charts show all of it
frame   milliseconds of CPU of this thread for a frame and all that follows of it, and behind `in pieces of` the longest
        of the pieces that it is done in, between which keys are answered; of each the median, and the longest. Nothing
        has happened in it
train   the same where each of the eight has told some steps
epoch   the same where each has told the end of an epoch
ended   the same where one of them has ended
row, sort, cursor, zoom, unit, hide, pin
        the same of a key, and of what it takes to press it: down, the table sorted by the next column, the cursor along
        the curves, closer, counted in another unit, the preset hidden and shown again, and pinned
A half is measured first: what is not quadratic takes half of it all.
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import count, islice
from pathlib import Path

from msgspec.structs import replace

from tests.compare.made import record, rewritten
from tests.scripted import scripted_run
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.events import EpochEnded, RunEnded, encode
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


class Growing:
    """The first trials of a session train."""

    def __init__(self, session: Session, training: int) -> None:
        self._records = [session.runs / str(entry.run) for entry in session.entries[:training]]
        events = scripted_run(epochs=20, batches=200, status=None)
        self._end = next(event for event in scripted_run() if isinstance(event, RunEnded))
        for each in self._records:
            rewritten(each, events[:BEGUN])
        self._rest = iter(events[BEGUN:])
        self.locks = ExitStack()
        for each in self._records:
            self.locks.callback(WriterLock(each).release)

    def grow(self) -> bool:
        """Each of them tells something more; whether it is the end of an epoch."""
        event = next(self._rest)
        for each in self._records:
            self._append(each, encode(event))
        return isinstance(event, EpochEnded)

    def end(self) -> None:
        """One more of them ends."""
        self._append(self._records.pop(), encode(replace(self._end, at=time.time())))

    def _append(self, record: Path, line: bytes) -> None:
        with (record / "events.jsonl").open("ab") as journal:
            journal.write(line)


class Pieces:
    """What the screen's thread does without a pause: milliseconds of its CPU."""

    def __init__(self) -> None:
        self.longest = 0.0
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            began = time.thread_time()
            run(handle)
            self.longest = max(self.longest, (time.thread_time() - began) * 1e3)

        asyncio.Handle._run = timed  # type: ignore[method-assign]


KEYS = {"row": "down", "sort": "s", "cursor": "left", "zoom": "plus", "unit": "x", "hide": "h", "pin": "i"}


async def measure(folder: Path, growing: Growing | None) -> None:
    pieces, opened = Pieces(), list[tuple[float, float]]()
    began, computed = time.perf_counter(), time.process_time()
    draw = CompareScreen.draw

    def first(screen: CompareScreen) -> None:
        draw(screen)
        if not opened:
            opened.append((time.perf_counter() - began, time.process_time() - computed))

    CompareScreen.draw = first  # type: ignore[method-assign]
    comparison = Comparison(Session.open(folder))
    app = TrainerApp(AppContext(), comparison=(comparison, None))
    async with app.run_test(size=(140, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        app.context.clock.stop()
        CompareScreen.draw = draw  # type: ignore[method-assign]
        print(f"{len(comparison.runs):7,} trials")
        print(f"open   {opened[0][0]:6.2f} s, of CPU {opened[0][1]:.2f} s")

        async def settled() -> tuple[float, float]:
            """Milliseconds of CPU until nothing more follows, and of the longest piece."""
            app.context.clock.stop()
            pieces.longest, before = 0.0, time.thread_time()
            app.call_later(screen.draw)
            await pilot.pause()
            while any(chart._lags for chart in screen.query(Overlay)):
                await pilot.pause()
            app.context.clock.stop()
            return (time.thread_time() - before) * 1e3, pieces.longest

        longest = 0.0
        while comparison.lags or not all(run.is_read for run in comparison.runs) or screen._works_on:
            pieces.longest = 0.0
            app.call_later(screen.draw)
            await pilot.pause()
            longest = max(longest, pieces.longest)
        await settled()
        print(f"found  {time.process_time() - computed:6.2f} s of CPU, in pieces of {longest:.2f} ms")
        gc.collect()  # what reading left is no part of a frame
        await asyncio.sleep(0)
        frames: dict[str, list[tuple[float, float]]] = {}
        for _ in range(FRAMES):
            frames.setdefault("frame", []).append(await settled())
        while growing is not None and len(frames.get("epoch", ())) < EPOCHS:
            what = "epoch" if growing.grow() else "train"
            frames.setdefault(what, []).append(await settled())
        for name, key in KEYS.items():
            for _ in range(EPOCHS):
                pieces.longest, before = 0.0, time.thread_time()
                await pilot.press(key)
                piece = pieces.longest
                rest = await settled()
                frames.setdefault(name, []).append(((time.thread_time() - before) * 1e3, max(piece, rest[1])))
        for _ in range(EPOCHS // 2 if growing is not None else 0):
            growing.end()
            frames.setdefault("ended", []).append(await settled())
        for name, times in frames.items():
            work, longest_of = zip(*times, strict=True)
            print(
                f"{name:6} {statistics.median(work):6.2f} ms, the longest {max(work):.2f} ms, "
                f"in pieces of {statistics.median(longest_of):.2f} ms, the longest {max(longest_of):.2f} ms"
            )


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    for size in ((numbers or [10_000])[0] // 2, (numbers or [10_000])[0]):
        with tempfile.TemporaryDirectory() as place:
            training = TRAINING if "--train" in sys.argv else 0
            trials = islice(sweep() if "--sweep" in sys.argv else seeds_of_presets(), size)
            folder = made(Path(place) / "runs", trials, trained="--trained" in sys.argv, training=training)
            grows = Growing(Session.open(folder), training) if training else None
            asyncio.run(measure(folder, grows))
            if grows is not None:
                grows.locks.close()


if __name__ == "__main__":
    main()
