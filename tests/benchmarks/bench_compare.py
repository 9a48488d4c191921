"""What a comparison of 30 runs of 10,000 steps costs: `python -m tests.benchmarks.bench_compare [RUNS] [STEPS]`.

open    seconds from the session's folder to a screen that shows all of every run
still   milliseconds of CPU a frame in which nothing happened
live    the same where a batch came to one of the runs
zoom    the same where all of it is drawn anew
The terminal is 140×40. Of the frames the median is told, and how many a second that leaves within 2 % of 2 cores.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.bench_charts import ended, run_of, taken_steps
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.entries import joined
from tui_trainer.compare.session import Session
from tui_trainer.events import AnyEvent, RunStarted
from tui_trainer.presets.catalogue import load as load_preset
from tui_trainer.records.record import Record
from tui_trainer.run_spec import RunSpec
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.compare.screen import CompareScreen
from tui_trainer.ui.context import AppContext

EPOCHS = 20
LINE = 25
FRAMES = 20
ALLOWED_MS = 0.02 * 2 * 1000
"""Of each second, on two cores."""


def recorded(runs: Path, steps: int, seed: int) -> Record:
    """The record of a run, a line for every 25 steps; it stays open."""
    spec = RunSpec.of("onecycle", load_preset("onecycle"), name=f"run {seed}")
    record = Record.create(runs, spec.model_dump(mode="json"))
    history, draw, batches = run_of(steps, 0), random.Random(seed), steps // EPOCHS
    assert history.resolved is not None
    events: list[AnyEvent] = [RunStarted(at=0.0, run=record.id, schema=1, pid=1, host="here"), history.resolved]
    for epoch in range(1, EPOCHS + 1):
        first = (epoch - 1) * batches + 1
        for start in range(first, first + batches, LINE):
            stop = min(start + LINE, first + batches)
            if epoch < EPOCHS or stop - first < batches:
                events.append(taken_steps(range(start, stop), epoch, start - first + 1, steps, draw))
        if epoch < EPOCHS:
            events.append(ended(epoch, first + batches - 1))
    for event in events:
        record.emit(event)
    return record


def cost(frame: Callable[[], object]) -> float:
    """Milliseconds of this thread's CPU time."""
    before = time.thread_time()
    frame()
    return (time.thread_time() - before) * 1e3


async def measure(folder: Path, grow: Callable[[int], None]) -> None:
    began = time.perf_counter()
    comparison = Comparison(Session.open(folder))
    app = TrainerApp(AppContext(), comparison=(comparison, None))
    async with app.run_test(size=(140, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        app.context.clock.stop()
        frames = 0
        while True:
            screen.draw()
            frames += 1
            await pilot.pause()
            whole = all(run.history.steps for run in comparison.runs)
            if whole and not comparison.poll():
                break
        screen.draw()
        await pilot.pause()
        print(f"open   {time.perf_counter() - began:6.2f} s, {frames} frames, {len(comparison.runs)} runs")
        app.context.clock.stop()
        still = [cost(screen.draw) for _ in range(FRAMES)]
        live = []
        for i in range(FRAMES):
            grow(i)
            while not comparison.poll():
                time.sleep(0.005)
            comparison.poll()
            live.append(cost(screen.draw))
            await pilot.pause()
        zoomed = []
        for i in range(FRAMES):
            zoomed.append(cost(lambda i=i: (screen.axis.zoom_out if i % 2 else screen.axis.zoom_in)()))  # type: ignore[misc]
            await pilot.pause()
        for name, times in (("still", still), ("live", live), ("zoom", zoomed)):
            middle = statistics.median(times)
            print(f"{name:<6} {middle:6.2f} ms   {min(10.0, ALLOWED_MS / max(middle, 0.01)):5.1f} frames a second")


def main() -> None:
    import plotext  # noqa: F401

    count, steps = (int(sys.argv[1]) if len(sys.argv) > 1 else 30), (int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
    with tempfile.TemporaryDirectory() as place:
        runs = Path(place) / "runs"
        records = [recorded(runs, steps, i) for i in range(count)]
        time.sleep(1.5)  # a journal is written within a second
        session = Session.create(runs, joined([record.folder for record in records], runs))
        batches, draw = steps // EPOCHS, random.Random(1)
        last = steps - batches + (batches - 1) // LINE * LINE

        def grow(i: int) -> None:
            step = last + 1 + i
            batch = step - (steps - batches)
            records[0].emit(taken_steps(range(step, step + 1), EPOCHS, batch, steps, draw))

        asyncio.run(measure(session.folder, grow))
        for record in records:
            record.close()


if __name__ == "__main__":
    main()
