"""What a frame of the two charts costs, against the length of the run: `python -m tests.benchmarks.bench_charts`.

CPU time of the thread that draws, in milliseconds, of a frame among the fastest quarter, so that what else the machine
does counts little. The terminal is 140×40, the charts 95 wide.

live    a batch came in: the newest columns change
zoom    all of it changed and is read anew from the full series: another range, other scales, every line
fastest the fastest of those
open    the first frame of a run that is already so long; what is too long is read over several, one a call
"""

from __future__ import annotations

import asyncio
import math
import random
import statistics
import time
from collections.abc import Callable

from textual.app import App, ComposeResult
from textual.containers import Vertical

from tui_trainer.events import EpochEnded, PlanMade, ResolvedConfig, RunConfigured, StepsTaken
from tui_trainer.records.history import History
from tui_trainer.ui.charts.axis import XAxis
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.charts.lr import LRChart

LENGTHS = (100, 1_000, 10_000, 100_000, 1_000_000)
EPOCHS = 20
FRAMES = 30
WIDTH, HEIGHT = 95, 28
LOSS_HEIGHT, LR_HEIGHT = 18, 10


class Charts(App[None]):
    CSS = f"Vertical {{ width: {WIDTH}; }} LossChart {{ height: {LOSS_HEIGHT}; }} LRChart {{ height: {LR_HEIGHT}; }}"

    def compose(self) -> ComposeResult:
        axis = XAxis()
        with Vertical():
            yield LossChart(axis)
            yield LRChart(axis)


def run_of(steps: int, taken: int) -> History:
    """A OneCycleLR run of so many steps, cut where `taken` were."""
    history, draw = History(), random.Random(0)
    batches = steps // EPOCHS
    recipe = ResolvedConfig(
        preset="onecycle",
        title="",
        optimizer="SGD",
        scheduler="OneCycleLR",
        interval="step",
        monitor=None,
        warmup_epochs=0,
        epochs=EPOCHS,
        batch_size=64,
        batches_per_epoch=batches,
        total_steps=steps,
    )
    resolved = RunConfigured(
        at=0.0,
        dataset="mnist",
        model="cnn",
        parameters=411_802,
        device="cpu",
        device_name="",
        threads=2,
        precision="fp32",
        seed=0,
        train_images=batches * 64,
        val_images=1_000,
        recipe=recipe,
        versions={},
    )
    history.apply(resolved)
    planned = list(range(1, steps + 1, max(1, steps // 2_000)))
    lrs = [lr(step, steps) for step in planned]
    history.apply(PlanMade(at=0.0, steps=planned, lrs=lrs, last_step=steps, exact=False))
    for epoch in range(1, EPOCHS + 1):
        first = (epoch - 1) * batches + 1
        last = min(taken, first + batches - 1)
        if first <= last:
            history.apply(taken_steps(range(first, last + 1), epoch, 1, steps, draw))
        if last == first + batches - 1:
            history.apply(ended(epoch, last))
    return history


def lr(step: int, steps: int) -> float:
    return 0.1 * (1.001 - math.cos(2 * math.pi * step / steps)) / 2


def taken_steps(taken: range, epoch: int, batch: int, steps: int, draw: random.Random) -> StepsTaken:
    losses: list[float | None] = [
        (2.3 * math.exp(-8 * step / steps) + 0.05) * math.exp(draw.gauss(0, 0.3)) for step in taken
    ]
    return StepsTaken(
        at=0.0,
        step=taken[0],
        epoch=epoch,
        batch=batch,
        losses=losses,
        lrs=[lr(step, steps) for step in taken],
        elapsed=[step * 0.01 for step in taken],
    )


def ended(epoch: int, step: int) -> EpochEnded:
    loss = 0.06 + 2 * math.exp(-epoch / 2)
    return EpochEnded(
        at=0.0,
        epoch=epoch,
        step=step,
        train_loss=loss,
        train_accuracy=0.98,
        val_loss=loss,
        val_accuracy=0.99 - 0.3 * math.exp(-epoch / 2),
        lr=0.1,
        images_per_second=12_000.0,
        elapsed=step * 0.01,
    )


def cost(frame: Callable[[], None]) -> float:
    """Milliseconds of this thread's CPU time."""
    before = time.thread_time()
    frame()
    return (time.thread_time() - before) * 1e3


async def measure(steps: int) -> tuple[float, float, float, float]:
    """The costs of a live, a zoom, the fastest zoom and an opening frame."""
    batches = steps // EPOCHS
    last = steps - batches // 4
    history, draw = run_of(steps, last - min(FRAMES, batches // 2)), random.Random(1)
    app = Charts()
    async with app.run_test(size=(140, 40)) as pilot:
        loss, lrs = app.query_one(LossChart), app.query_one(LRChart)

        def show() -> None:
            loss.show(history)
            lrs.show(history)

        opened = cost(show)
        await pilot.pause()
        zoomed: list[float] = []
        for _ in range(FRAMES // 2):
            for zoom in (loss.axis.zoom_in, loss.axis.zoom_out):
                zoomed.append(cost(zoom))  # both charts listen to the axis
                await pilot.pause()
        loss.axis.reset()
        live: list[float] = []
        for step in range(history.steps + 1, last + 1):
            batch = step - history.epoch_starts[-1] + 1
            history.apply(taken_steps(range(step, step + 1), EPOCHS, batch, steps, draw))
            live.append(cost(show))
            await pilot.pause()
    return statistics.quantiles(live, n=4)[0], statistics.quantiles(zoomed, n=4)[0], min(zoomed), opened


def main() -> None:
    import plotext  # noqa: F401

    print(f"ms of CPU a frame, both charts, {WIDTH}×{HEIGHT}")
    print(f"{'steps':>9}  {'live':>6}  {'zoom':>6}  {'fastest':>7}  {'open':>6}")
    for steps in LENGTHS:
        live, zoomed, fastest, opened = asyncio.run(measure(steps))
        print(f"{steps:>9,}  {live:>6.2f}  {zoomed:>6.2f}  {fastest:>7.2f}  {opened:>6.1f}")


if __name__ == "__main__":
    main()
