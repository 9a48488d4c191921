"""What a frame of the whole live screen costs, by length and size: `python -m tests.benchmarks.bench_frames`.

CPU time of the app's thread, in milliseconds, for all that follows from a few new batches: folding their events, all
panels, compositing, and what is written to a terminal that takes it at once. Told is the frame at the first quarter, so
that what else the machine does counts little, and how many times that of a run of a thousand steps it is.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time

from tests.benchmarks.bench_charts import EPOCHS, LENGTHS, run_of, taken_steps
from tests.ui.scripted_source import ScriptedHost
from tui_trainer.events import AnyEvent, CallsTimed
from tui_trainer.records.history import History
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.context import AppContext

SIZES = ((80, 24), (140, 40), (250, 70))
FRAMES = 60
A_FRAME = 5
"""Batches between two frames; an epoch holds a whole number of them."""

SECONDS = {"zero_grad": 0.002, "forward": 0.03, "loss": 0.002, "backward": 0.05, "optimizer.step": 0.01}


def happening(history: History, steps: int, draw: random.Random) -> list[AnyEvent]:
    """The next batches, as the loop tells of them."""
    step, batches = history.steps + 1, steps // EPOCHS
    epoch, batch = 1 + (step - 1) // batches, 1 + (step - 1) % batches
    counts = dict.fromkeys(SECONDS, A_FRAME)
    return [
        taken_steps(range(step, step + A_FRAME), epoch, batch, steps, draw),
        CallsTimed(at=time.time(), counts=counts, seconds=SECONDS, running=draw.choice(list(SECONDS))),
    ]


async def measure(steps: int, size: tuple[int, int]) -> float:
    """Milliseconds of a frame in the last epoch of a run of so many steps."""
    draw = random.Random(1)
    host = ScriptedHost()
    host.history = run_of(steps, steps - (FRAMES + 2) * A_FRAME)
    app = TrainerApp(AppContext(source=host))
    costs: list[float] = []
    async with app.run_test(size=size) as pilot:
        app.context.clock.stop()
        for _ in range(FRAMES):
            host.come(*happening(host.history, steps, draw))
            began = time.thread_time()
            app.context.clock.tick()
            app.context.clock.stop()
            await pilot.pause(0)
            costs.append((time.thread_time() - began) * 1e3)
    return statistics.quantiles(costs, n=4)[0]


def main() -> None:
    print(f"{'steps':>9}" + "".join(f"{f'{columns}×{lines}':>18}" for columns, lines in SIZES))
    first: dict[tuple[int, int], float] = {}
    for steps in LENGTHS[1:]:
        row = f"{steps:>9,}"
        for size in SIZES:
            spent = asyncio.run(measure(steps, size))
            first.setdefault(size, spent)
            row += f"{f'{spent:.2f} ms {spent / first[size]:.2f}×':>18}"
        print(row, flush=True)


if __name__ == "__main__":
    main()
