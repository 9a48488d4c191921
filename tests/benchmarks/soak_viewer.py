"""Whether a viewer's memory stays flat: `python -m tests.benchmarks.soak_viewer [--steps 1000000] [--frames 100000]`.

A day of watching, compressed: the app without a terminal follows a journal that grows by a few steps between any two
frames, and draws each of them. What a history of so many steps must hold, 20 bytes a step, is told beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from itertools import islice
from pathlib import Path

import psutil

from tests.benchmarks.bench_records import A_LINE, long_run
from tui_trainer.records.record import Record
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.context import AppContext


async def watch(folder: Path, steps: int, frames: int) -> None:
    """Feed and draw; tell the memory at ten places."""
    process = psutil.Process()
    events = long_run()
    lines = 6 + 2 * steps // A_LINE
    record = Record.create(folder, {"preset_name": "soak"})
    app = TrainerApp(AppContext(source=JournalSource(record.folder), by="attach", runs=folder))
    fed, began = 0, time.monotonic()
    async with app.run_test(size=(140, 40)) as pilot:
        for frame in range(1, frames + 1):
            until = frame * lines // frames
            for event in islice(events, until - fed):
                record.emit(event)
            fed = until
            app.context.clock.tick()
            await pilot.pause(0)  # until it is drawn; to wait until nothing is done any more takes ten times as long
            if frame % (frames // 10) == 0:
                mib, source = process.memory_info().rss / 2**20, app.context.source
                seen = source.history.steps if source else 0
                print(f"{frame:>7,} frames, {seen:>9,} steps: {mib:.1f} MiB, {seen * 20 / 2**20:.1f} of them history")
    print(f"{(time.monotonic() - began) / frames * 1e3:.1f} ms a frame")
    record.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--frames", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(watch(Path(folder), options.steps, options.frames))


if __name__ == "__main__":
    main()
