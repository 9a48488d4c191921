"""Made-up runs that log series of every kind: sparse, with nan, restarts, several LRs; with and without an end, epochs,
steps told one by one.

    python -m tests.made_metrics FOLDER      # a record of the largest, to look at
"""

from __future__ import annotations

import math
import random
import sys
from pathlib import Path

from tests.scripted import START
from tui_trainer.events import AnyEvent, MetricDeclared, MetricsLogged, RunEnded, RunStarted

LAYERS = 24


def begun(at: float = START, resumed: int | None = None) -> RunStarted:
    return RunStarted(at=at, run="20251121-212000-made-3f2a", schema=2, pid=1, host="h", resumed_from_step=resumed)


def logged(step: int, epoch: int | None = None, **values: float) -> MetricsLogged:
    return MetricsLogged(at=START + step / 10, step=step, values=values, epoch=epoch, elapsed=step / 10)


def ended(step: int, epoch: int = 0) -> RunEnded:
    return RunEnded(at=START + step / 10, status="finished", reason="", step=step, epoch=epoch, exit_code=0)


def sparse_run(*, steps: int = 3000, every: int = 50, epochs: int = 6, end: bool = False) -> list[AnyEvent]:
    """Nothing but numbers now and then: two losses, an accuracy, three LRs."""
    events: list[AnyEvent] = [begun(), MetricDeclared(at=START, name="val/acc", goal="max", kind="val", objective=True)]
    events += [MetricDeclared(at=START, name=f"lr-SGD/pg{group}", kind="lr") for group in range(3)]
    events += [MetricDeclared(at=START, name=f"train/loss_{part}", goal="min", kind="train") for part in ("a", "b")]
    dice = random.Random(1)
    for step in range(every, steps + 1, every):
        epoch = (step - 1) * epochs // steps if epochs else None
        part = step / steps
        lrs = {f"lr-SGD/pg{group}": 0.1 / 3**group * (1 - part) for group in range(3)}
        losses = {
            f"train/loss_{name}": scale * math.exp(-2 * part) + dice.gauss(0, 0.03)
            for name, scale in (("a", 2), ("b", 1))
        }
        events.append(logged(step, epoch, **losses, **lrs))
        if epochs and step % (steps // epochs) == 0:
            events.append(logged(step, epoch, **{"val/acc": 0.5 + 0.4 * part}))
    return [*events, ended(steps, epochs)] if end else events


def many_series(*, steps: int = 6000, end: bool = False) -> list[AnyEvent]:
    """Two hundred series: gradients and weights of layers, some that never move, one that is nan, one with a restart,
    three LRs, names of all sorts."""
    dice = random.Random(2)
    events: list[AnyEvent] = [
        begun(),
        MetricDeclared(at=START, name="val/acc", goal="max", unit="", kind="val", objective=True),
        MetricDeclared(at=START, name="train/loss", goal="min", kind="train"),
        MetricDeclared(at=START, name="memory", unit="GB", kind="system", group="system"),
        *(MetricDeclared(at=START, name=f"lr-SGD/pg{group}", kind="lr") for group in range(3)),
    ]
    long = "model/" + "encoder.block." * 40 + "weight"

    def rows(first: int, last: int, shift: float) -> None:
        for step in range(first, last + 1, 10):
            part = step / steps
            values: dict[str, float] = {"train/loss": 2.2 * math.exp(-3 * part) + abs(dice.gauss(0, 0.12)) + shift}
            if step % 50 == 0:
                values |= {
                    f"lr-SGD/pg{group}": 0.1 / 4**group * (0.5 + 0.5 * math.cos(3.1 * part)) for group in range(3)
                }
                values["memory"] = 11.2
                values["tokens"] = step * 2048
            if step % 100 == 0:
                for layer in range(LAYERS):
                    size = math.exp(-layer / 8) * (1 + 0.4 * math.sin(part * 9 + layer))
                    values[f"grad/layers.{layer}.attn/norm"] = size + abs(dice.gauss(0, 0.05))
                    values[f"grad/layers.{layer}.mlp/norm"] = 2 * size + abs(dice.gauss(0, 0.1))
                    values[f"weight/layers.{layer}.attn"] = 4 + part * size
                    values[f"weight/layers.{layer}.mlp"] = 9 + part * size * 2
                    values[f"update/layers.{layer}"] = size / 1000
                    values[f"dead/layers.{layer}"] = 0.0
                    values[f"act/layers.{layer}/max"] = math.nan if layer == 3 and part > 0.6 else 5 * size
                    values[f"act/layers.{layer}/mean"] = math.inf if layer == 4 and step == 3000 else size - 1
                values[long] = part
                values["Verlust/größe 損失"] = 1 - part
                values["a name with spaces"] = part**2
            if step % 500 == 0:
                values["val/acc"] = 0.95 - 0.5 * math.exp(-4 * part)
                values["val/loss"] = 0.2 + 1.5 * math.exp(-3 * part) + 0.3 * part**3
            events.append(logged(step, step * 12 // steps, **values))

    rows(0, steps * 2 // 3, 0.0)
    rows(steps // 2, steps, 0.15)  # a restart, from an earlier step
    return [*events, ended(steps, 12)] if end else events


if __name__ == "__main__":
    from tui_trainer.records.record import Record

    record = Record.create(Path(sys.argv[1]), {"preset_name": "made", "name": "many"})
    for event in many_series(end=True):
        record.emit(event)
    record.close()
    print(record.folder)
