"""Momentum that a scheduler moves: the series of it is what the optimizer used, as in the loop by hand."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.optim import lr_scheduler as torch_lr

from tests.engine import tiny as t
from tests.engine.test_control import ME, send_on
from tests.engine.tiny import TinyRun
from tests.records.streams import fold
from tui_trainer.commands import AnyCommand, SetLR, SetPace, SwitchPreset
from tui_trainer.engine import models
from tui_trainer.engine.datasets import batches
from tui_trainer.engine.lr_preview import SAMPLES, plan
from tui_trainer.events import MOMENTUM, MetricDeclared, PlanMade, StepsTaken, decode, encode
from tui_trainer.records.export import export_csv

BETAS = '[optimizer]\nname = "Adam"\n[scheduler]\nname = "CyclicLR"\nbase_lr = 0.001\nmax_lr = 0.01\nstep_size_up = 3\n'
CASES: dict[str, tuple[str, type[torch.optim.Optimizer], dict[str, Any], Callable[[Any], Any]]] = {
    "OneCycleLR of SGD": (
        t.ONE_CYCLE,
        torch.optim.SGD,
        {"lr": 0.01, "momentum": 0.9},
        lambda optimizer: torch_lr.OneCycleLR(optimizer, max_lr=0.1, total_steps=12),
    ),
    "CyclicLR of Adam": (
        BETAS,
        torch.optim.Adam,
        {},
        lambda optimizer: torch_lr.CyclicLR(optimizer, 0.001, 0.01, step_size_up=3),
    ),
}


def momenta(tiny: TinyRun) -> list[float | None]:
    """Of the steps that tell one."""
    return [value for event in tiny.of(StepsTaken) for value in event.metrics.get(MOMENTUM, ())]


@pytest.mark.parametrize("name", CASES)
def test_the_momentum_of_every_step_is_that_of_the_loop_by_hand(tiny: TinyRun, name: str) -> None:
    text, kind, options, scheduled = CASES[name]
    tiny.train(text, epochs=4)

    data = t.images()
    model = models.build("mlp", data.shape, seed=0)
    optimizer = kind(model.parameters(), **options)
    scheduler = scheduled(optimizer)
    used = []
    for epoch in range(1, 5):
        for images, labels in batches(data.train, t.BATCH_SIZE, seed=0, epoch=epoch):
            optimizer.zero_grad()
            functional.cross_entropy(model(images), labels).backward()
            group = optimizer.param_groups[0]
            used.append(group["betas"][0] if "betas" in group else group["momentum"])
            optimizer.step()
            scheduler.step()

    assert len(set(used)) > 3
    assert momenta(tiny) == used
    history = fold(tiny.events)
    assert list(history.series[MOMENTUM].values) == used
    assert history.series.shown_as(MOMENTUM) == ("beta1" if kind is torch.optim.Adam else "momentum")
    (planned,) = tiny.of(PlanMade)
    assert planned.momentum is not None
    at = dict(zip(planned.momentum.steps, planned.momentum.lrs, strict=True))
    assert [momentum for step, momentum in enumerate(used, 1) if step in at] == [*at.values()]
    assert decode(encode(planned)) == planned


def test_where_it_does_not_move_nothing_is_told_of_it(tiny: TinyRun) -> None:
    tiny.train(f"{t.ONE_CYCLE}cycle_momentum = false\n", epochs=1)
    assert not momenta(tiny)
    assert MOMENTUM not in {event.name for event in tiny.of(MetricDeclared)}
    assert [event.momentum for event in tiny.of(PlanMade)] == [None]


def test_it_stands_still_in_a_warm_up_and_under_the_dial_and_ends_with_its_preset(tiny: TinyRun) -> None:
    tiny.control.send(SetPace(by=ME, seconds_a_call=1e-9))
    send_at(tiny, 4, SetLR(by=ME, factor=0.5))
    send_at(tiny, 5, SwitchPreset(by=ME, name="step", preset=t.preset(t.STEP).model_dump(mode="json")))
    tiny.train(f"{t.ONE_CYCLE}[warmup]\nepochs = 1\n", epochs=3)
    told = momenta(tiny)
    assert told[:4] == [0.9, 0.9, 0.9, 0.95]  # of the optimizer, then as the schedule begins
    assert len(told) == 6
    first, turned, other = tiny.of(PlanMade)
    assert first.momentum is not None
    assert turned.momentum is not None
    planned = dict(zip(turned.momentum.steps, turned.momentum.lrs, strict=True))
    assert [planned[5], planned[6]] == told[4:]
    assert other.momentum is None


def send_at(tiny: TinyRun, step: int, command: AnyCommand) -> None:
    tiny.when.append((lambda event: isinstance(event, StepsTaken) and event.step == step, send(tiny, command)))


def send(tiny: TinyRun, command: AnyCommand) -> Callable[[], None]:
    return lambda: tiny.control.send(command)


def test_the_plan_of_a_long_run_has_as_many_momenta_as_a_chart_needs() -> None:
    planned = plan("long", t.preset(t.ONE_CYCLE, epochs=800), t.IMAGES)
    assert planned.curve.momentum is not None
    assert 1000 < len(planned.curve.momentum.steps) <= SAMPLES
    sampled = plan("long", t.preset(t.ONE_CYCLE, epochs=800), t.IMAGES, sample_above=100)
    assert sampled.curve.momentum is not None
    assert min(sampled.curve.momentum.lrs) == pytest.approx(0.85, abs=1e-4)


def test_steps_csv_has_a_column_of_it_where_it_moved_empty_where_it_did_not(tiny: TinyRun, tmp_path: Path) -> None:
    tiny.control.send(SetPace(by=ME, seconds_a_call=1e-9))
    send_on(tiny, StepsTaken, SwitchPreset(by=ME, name="step", preset=t.preset(t.STEP).model_dump(mode="json")))
    tiny.train(t.ONE_CYCLE, epochs=2)
    rows, metrics = exported(tiny, tmp_path)
    assert list(rows[0])[-2:] == ["elapsed_s", "momentum"]
    told = momenta(tiny)
    assert [float(row["momentum"]) for row in rows[:3]] == told
    assert [row["momentum"] for row in rows[3:]] == [""] * 3
    assert [float(row["value"]) for row in metrics if row["name"] == "momentum"] == told


def exported(tiny: TinyRun, folder: Path) -> list[list[dict[str, str]]]:
    """The rows of `steps.csv` and of `metrics.csv`."""
    run = folder / "run"
    run.mkdir()
    (run / "events.jsonl").write_bytes(b"".join(map(encode, tiny.events)))
    export_csv(run, folder / "out")
    tables = []
    for name in ("steps.csv", "metrics.csv"):
        with (folder / "out" / name).open(newline="") as file:
            tables.append(list(csv.DictReader(file)))
    return tables
