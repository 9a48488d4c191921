"""The loop: what it calls and when, and that the numbers are those of the loop that one would write by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from math import inf

import pytest
import torch
from torch.nn import functional

from tests.engine import tiny as t
from tests.engine.tiny import BATCHES, TinyRun
from tests.records.streams import fold
from tui_trainer.call_order import check
from tui_trainer.commands import Stop, SwitchPreset
from tui_trainer.engine import checkpoints, models
from tui_trainer.engine.checkpoints import LAST
from tui_trainer.engine.datasets import batches
from tui_trainer.engine.metrics import validate
from tui_trainer.engine.model_metrics import LEAST_APART
from tui_trainer.engine.weight_average import WeightAverage
from tui_trainer.events import (
    CallsMade,
    CallsTimed,
    ConfusionCounted,
    EpochEnded,
    MetricDeclared,
    MetricsLogged,
    RunConfigured,
    RunStarted,
    StepsTaken,
)

BATCH = ["zero_grad", "forward", "loss", "backward", "optimizer.step"]


@pytest.mark.parametrize(
    ("text", "in_batch", "at_end"),
    [
        (t.ONE_CYCLE, [*BATCH, "scheduler.step"], ["validate"]),
        (t.STEP, BATCH, ["validate", "scheduler.step"]),
        (t.PLATEAU, BATCH, ["validate", "scheduler.step"]),
        (t.NONE, BATCH, ["validate"]),
    ],
    ids=["OneCycleLR", "StepLR", "ReduceLROnPlateau", "none"],
)
def test_each_scheduler_steps_where_pytorch_says(
    tiny: TinyRun, text: str, in_batch: list[str], at_end: list[str]
) -> None:
    tiny.train(text, epochs=2)
    orders = [(e.epoch, e.batch, e.calls) for e in tiny.of(CallsMade)]
    assert orders == [
        (epoch, batch, calls) for epoch in (1, 2) for batch, calls in ((1, in_batch), (2, in_batch), (None, at_end))
    ]


@pytest.mark.parametrize("text", [t.ONE_CYCLE, t.STEP, t.NONE, t.PLATEAU], ids=["onecycle", "step", "none", "plateau"])
def test_losses_and_lrs_are_those_of_the_same_loop_written_by_hand(tiny: TinyRun, text: str) -> None:
    tiny.train(text, epochs=4)
    losses, lrs = _by_hand(text, epochs=4)
    assert tiny.lrs == lrs
    assert torch.equal(torch.tensor(tiny.losses), torch.tensor(losses))
    if text != t.NONE:
        assert len(set(lrs)) > 1


def test_label_smoothing_is_that_of_torch_in_training_alone(tiny: TinyRun) -> None:
    tiny.train("label_smoothing = 0.2\n" + t.NONE, epochs=2)

    data = t.images()
    model = models.build("mlp", data.shape, seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss_fn = torch.nn.CrossEntropyLoss(label_smoothing=0.2)
    losses, val_losses = [], []
    for epoch in (1, 2):
        for images, labels in batches(data.train, t.BATCH_SIZE, seed=0, epoch=epoch):
            optimizer.zero_grad()
            loss = loss_fn(model(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        val_losses.append(validate(model, data.val)[0])
    assert torch.equal(torch.tensor(tiny.losses), torch.tensor(losses))
    assert [event.val_loss for event in tiny.of(EpochEnded)] == val_losses


def test_an_average_of_the_weights_is_validated_and_they_themselves_beside_it(tiny: TinyRun) -> None:
    tiny.train(f"ema_decay = 0.8\n{t.ONE_CYCLE}", epochs=3)

    data = t.images()
    model = models.build("mlp", data.shape, seed=0)
    averaged: torch.nn.Module | None = None
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, fused=True)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=3 * BATCHES)
    of_average, raw, losses = [], [], []
    for epoch in range(1, 4):
        for images, labels in batches(data.train, t.BATCH_SIZE, seed=0, epoch=epoch):
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if averaged is None:
                averaged = copy.deepcopy(model)
            with torch.no_grad():
                for mean, weight in zip(averaged.parameters(), model.parameters(), strict=True):
                    mean.copy_(0.8 * mean + 0.2 * weight)
            scheduler.step()
        of_average.append(validate(averaged, data.val))
        raw.append(validate(model, data.val))
    assert torch.equal(torch.tensor(tiny.losses), torch.tensor(losses))  # training knows nothing of it
    told = [(event.val_loss, event.val_accuracy) for event in tiny.of(EpochEnded)]
    assert told == [pytest.approx(pair, rel=1e-5) for pair in of_average]
    of_raw = [event.values for event in tiny.of(MetricsLogged) if "val_loss_raw" in event.values]
    assert [(values["val_loss_raw"], values["val_accuracy_raw"]) for values in of_raw] == raw
    assert [loss for loss, _ in raw] != [loss for loss, _ in told]
    assert {"val_loss_raw", "val_accuracy_raw"} <= {event.name for event in tiny.of(MetricDeclared)}
    a_batch = [*BATCH, "ema.update", "scheduler.step"]
    assert [event.calls for event in tiny.of(CallsMade)] == [a_batch, a_batch, ["validate"]] * 3
    saved = checkpoints.load(tiny.folder / LAST)["ema"]
    assert saved["count"] == 9
    for name, weight in averaged.state_dict().items():
        assert torch.allclose(saved["model"][name], weight, rtol=1e-5)


def test_the_mean_of_the_weights_after_each_epoch_is_validated_from_an_epoch_on(tiny: TinyRun) -> None:
    tiny.train(f"swa_start = 2\n{t.STEP}", epochs=4)

    data = t.images()
    model = models.build("mlp", data.shape, seed=0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=True)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    mean, raw, told = copy.deepcopy(model), [], []
    ends: list[dict[str, torch.Tensor]] = []
    for epoch in range(1, 5):
        for images, labels in batches(data.train, t.BATCH_SIZE, seed=0, epoch=epoch):
            optimizer.zero_grad()
            functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
        raw.append(validate(model, data.val))
        if epoch >= 2:
            ends.append({name: weight.clone() for name, weight in model.state_dict().items()})
            mean.load_state_dict({name: sum(end[name] for end in ends) / len(ends) for name in ends[0]})
        told.append(validate(mean, data.val) if epoch >= 2 else raw[-1])
        scheduler.step()
    assert [(event.val_loss, event.val_accuracy) for event in tiny.of(EpochEnded)] == [
        pytest.approx(pair, rel=1e-5) for pair in told
    ]
    of_raw = [event.values for event in tiny.of(MetricsLogged) if "val_loss_raw" in event.values]
    assert [(values["val_loss_raw"], values["val_accuracy_raw"]) for values in of_raw] == raw[1:]
    at_ends = [event.calls for event in tiny.of(CallsMade) if event.batch is None]
    alone = ["validate", "scheduler.step"]
    assert at_ends == [alone, *[["swa.update", *alone]] * 3]
    assert checkpoints.load(tiny.folder / LAST)["swa"]["count"] == 3


def test_of_a_mean_of_weights_batch_norm_has_statistics_of_its_own() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    average = WeightAverage(model, swa_start=1)
    seen = [(torch.randn(8, 3), torch.zeros(8)) for _ in range(3)]
    ends = []
    for _ in range(2):
        torch.nn.init.normal_(model[0].weight)
        ends.append(model[0].weight.clone())
        model(torch.randn(8, 3))
        average.update_with_statistics(model, seen)
    averaged = average.model
    assert torch.allclose(averaged[0].weight, (ends[0] + ends[1]) / 2)
    means = [averaged[0](images).mean(0) for images, _ in seen]
    assert torch.allclose(averaged[1].running_mean, sum(means) / 3, atol=1e-6)
    assert averaged[1].momentum == 0.1


def test_of_batch_norm_what_it_keeps_is_averaged_too() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    average = WeightAverage(model, ema_decay=0.9)
    seen = []
    for _ in range(2):
        model(torch.randn(8, 3))
        seen.append(model[1].running_mean.clone())
        average.update(model)
    assert torch.allclose(average.model[1].running_mean, 0.9 * seen[0] + 0.1 * seen[1])


CLIPPED = {"clip_grad_norm = 17": ["grad_norm"], "clip_grad_value = 3.5": ["grad_max", "grad_norm"]}
"""What is told of the gradients; the first of it is what they are clipped by."""


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("key", CLIPPED)
def test_gradients_are_clipped_as_by_hand_and_what_they_were_is_told(tiny: TinyRun, key: str, precision: str) -> None:
    tiny.train(f"{key}\n{t.NONE}", epochs=2, precision=precision)

    data = t.images()
    model = models.build("mlp", data.shape, seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)
    scaler = torch.amp.GradScaler("cpu", enabled=precision == "fp16")
    losses, before, norms, limit = [], [], [], float(key.split()[-1])
    for epoch in (1, 2):
        for images, labels in batches(data.train, t.BATCH_SIZE, seed=0, epoch=epoch):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.float16, enabled=precision == "fp16"):
                outputs = model(images)
            loss = functional.cross_entropy(outputs.float(), labels)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            gradients = torch.cat([p.grad.flatten() for p in model.parameters()])
            norms.append(gradients.norm().item())
            before.append(norms[-1] if "norm" in key else gradients.abs().max().item())
            if "norm" in key:
                torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
            else:
                torch.nn.utils.clip_grad_value_(model.parameters(), limit)
            scaler.step(optimizer)
            scaler.update()
            losses.append(loss.item())
    assert torch.equal(torch.tensor(tiny.losses), torch.tensor(losses))
    for name, by_hand in zip(CLIPPED[key], (before, norms), strict=False):
        told = [value for event in tiny.of(StepsTaken) for value in event.metrics[name]]
        assert told == [None if value == inf else pytest.approx(value) for value in by_hand]  # the step was skipped
    shares = [event.values["clipped_share"] for event in tiny.of(MetricsLogged) if "clipped_share" in event.values]
    assert shares == [sum(limit < value < inf for value in of) / 3 for of in (before[:3], before[3:])]
    assert 0 < sum(shares) < 2
    assert {*CLIPPED[key], "clipped_share"} <= {event.name for event in tiny.of(MetricDeclared)}
    assert {tuple(event.calls) for event in tiny.of(CallsMade) if event.batch} == {
        ("zero_grad", "forward", "loss", "backward", "clip_grad", "optimizer.step")
    }


def test_a_first_step_that_overflowed_in_fp16_leaves_momentum_as_it_was(tiny: TinyRun) -> None:
    text = '[optimizer]\nname = "SGD"\nlr = 0.01\nmomentum = 0.9\n'
    assert tiny.train(text, epochs=2, precision="fp16").status == "finished"

    data = t.images()
    model = models.build("mlp", data.shape, seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    scaler = torch.amp.GradScaler("cpu")
    losses = []
    for epoch in (1, 2):
        for images, labels in batches(data.train, t.BATCH_SIZE, seed=0, epoch=epoch):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.float16):
                outputs = model(images)
            loss = functional.cross_entropy(outputs.float(), labels)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            losses.append(loss.item())
    assert scaler.get_scale() < 2.0**16  # some were skipped
    assert tiny.losses == pytest.approx(losses, rel=1e-6)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_gradients_of_several_batches_make_a_step_as_by_hand(tiny: TinyRun, precision: str) -> None:
    cosine = f'{t.NONE}[scheduler]\nname = "CosineAnnealingLR"\ninterval = "step"\n'
    tiny.train(f"accumulate = 2\nlabel_smoothing = 0.1\nclip_grad_norm = 17\n{cosine}", precision=precision)

    data = t.images()
    model = models.build("mlp", data.shape, seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4 * 2)
    scaler = torch.amp.GradScaler("cpu", enabled=precision == "fp16")
    losses, lrs, norms = [], [], []
    for epoch in range(1, 5):
        of_epoch = [*batches(data.train, t.BATCH_SIZE, seed=0, epoch=epoch)]
        for of_step in (of_epoch[:2], of_epoch[2:]):  # 16 images, and the 4 that are left
            optimizer.zero_grad()
            of_all = 0.0
            for images, labels in of_step:
                with torch.autocast("cpu", torch.float16, enabled=precision == "fp16"):
                    outputs = model(images)
                loss = functional.cross_entropy(outputs.float(), labels, label_smoothing=0.1) / len(of_step)
                scaler.scale(loss).backward()
                of_all += loss.item()
            scaler.unscale_(optimizer)
            norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 17).item())
            lrs.append(optimizer.param_groups[0]["lr"])
            scaler.step(optimizer)
            scaler.update()
            scheduler.step()
            losses.append(of_all)
    assert tiny.losses == pytest.approx(losses, rel=1e-6)
    assert tiny.lrs == lrs
    told = [value for event in tiny.of(StepsTaken) for value in event.metrics["grad_norm"]]
    assert told == [None if value == inf else pytest.approx(value) for value in norms]
    epochs = tiny.of(EpochEnded)
    assert [event.step for event in epochs] == [2, 4, 6, 8]
    assert [event.train_loss for event in epochs] == pytest.approx(
        [(16 * losses[at] + 4 * losses[at + 1]) / 20 for at in range(0, 8, 2)], rel=1e-6
    )
    weights = checkpoints.load(tiny.folder / LAST)["model"]
    assert all(torch.equal(weight, weights[name]) for name, weight in model.state_dict().items())


def test_what_is_called_for_several_batches_and_what_for_a_step(tiny: TinyRun) -> None:
    tiny.train(f"accumulate = 2\n{t.ONE_CYCLE}", epochs=2)
    (configured,) = tiny.of(RunConfigured)
    recipe = configured.recipe
    assert (recipe.accumulate, recipe.batches_per_epoch, recipe.total_steps, recipe.unit) == (2, 2, 4, "step")
    a_batch = ["forward", "loss", "backward"]
    orders = [(event.batch, event.calls) for event in tiny.of(CallsMade)]
    step = ["optimizer.step", "scheduler.step"]
    whole = [(1, ["zero_grad", *a_batch, *a_batch, *step]), (2, ["zero_grad", *a_batch, *step]), (None, ["validate"])]
    assert orders == whole * 2
    assert check(recipe, tiny.of(CallsMade)) == []
    counts: dict[str, int] = {}
    for event in tiny.of(CallsTimed):
        for name, count in event.counts.items():
            counts[name] = counts.get(name, 0) + count
    assert counts == {**dict.fromkeys(a_batch, 6), **dict.fromkeys(["zero_grad", *step], 4), "validate": 2}


def test_a_run_may_switch_to_steps_of_several_batches_and_an_average_of_the_weights(tiny: TinyRun) -> None:
    later = t.preset(f"accumulate = 2\nema_decay = 0.5\n{t.STEP}").model_dump(mode="json")
    switch = SwitchPreset(name="later", preset=later, by="test")
    tiny.when = [(lambda event: isinstance(event, EpochEnded) and event.epoch == 1, lambda: tiny.control.send(switch))]
    assert tiny.train(t.ONE_CYCLE, epochs=3).status == "finished"
    assert [event.step for event in tiny.of(EpochEnded)] == [BATCHES, BATCHES + 2, BATCHES + 4]
    orders = [event.calls for event in tiny.of(CallsMade) if event.epoch == 2 and event.batch == 1]
    a_batch = ["forward", "loss", "backward"]
    assert orders == [["zero_grad", *a_batch, *a_batch, "optimizer.step", "ema.update"]]
    assert checkpoints.load(tiny.folder / LAST)["ema"]["count"] == 4
    assert [event.step for event in tiny.of(MetricsLogged) if "val_loss_raw" in event.values] == [5, 7]


@pytest.mark.parametrize("key", CLIPPED)
def test_of_clipped_gradients_nothing_is_told_where_little_is_asked_for(tiny: TinyRun, key: str) -> None:
    text = f"{key}\n{t.NONE}"
    tiny.train(text, epochs=8)
    looks = [event.values.keys() for event in tiny.of(MetricsLogged) if "weight_norm" in event.values]
    assert looks == [{"weight_norm", "update_ratio"}]  # the norm stands among the steps
    losses = tiny.losses
    tiny.events.clear()
    tiny.train(text, epochs=8, metrics="minimal")
    assert tiny.losses == losses
    assert not tiny.of(MetricDeclared) + tiny.of(MetricsLogged)
    assert not any(event.metrics for event in tiny.of(StepsTaken))


def _by_hand(text: str, epochs: int) -> tuple[list[float], list[float]]:
    """The lesson's loop, with torch's own classes and nothing of this project's but the model and the batches."""
    data = t.images()
    model = models.build("mlp", data.shape, seed=0)
    make: dict[str, Callable[[], tuple[torch.optim.Optimizer, object]]] = {
        t.ONE_CYCLE: lambda: _pair(
            torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, fused=True),
            lambda o: torch.optim.lr_scheduler.OneCycleLR(o, max_lr=0.1, total_steps=epochs * BATCHES),
        ),
        t.STEP: lambda: _pair(
            torch.optim.Adam(model.parameters(), lr=0.01, fused=True),
            lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=2, gamma=0.5),
        ),
        t.PLATEAU: lambda: _pair(
            torch.optim.RMSprop(model.parameters(), lr=0.01),
            lambda o: torch.optim.lr_scheduler.ReduceLROnPlateau(o, patience=0, factor=0.5, threshold=0.9),
        ),
        t.NONE: lambda: (torch.optim.SGD(model.parameters(), lr=0.01), None),
    }
    optimizer, scheduler = make[text]()
    losses, lrs = [], []
    for epoch in range(1, epochs + 1):
        model.train()
        for images, labels in batches(data.train, t.BATCH_SIZE, seed=0, epoch=epoch):
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images), labels)
            loss.backward()
            lrs.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            losses.append(loss.item())
            if text == t.ONE_CYCLE:
                scheduler.step()
        val_loss, _ = validate(model, data.val)
        if text == t.STEP:
            scheduler.step()
        elif text == t.PLATEAU:
            scheduler.step(val_loss)
    return losses, lrs


def _pair(
    optimizer: torch.optim.Optimizer, scheduler: Callable[[torch.optim.Optimizer], object]
) -> tuple[torch.optim.Optimizer, object]:
    return optimizer, scheduler(optimizer)


def test_steps_are_counted_from_one_without_gaps_and_the_last_batch_is_kept(tiny: TinyRun) -> None:
    tiny.train(t.STEP, epochs=3)
    expected = 1
    for event in tiny.of(StepsTaken):
        assert event.step == expected
        assert event.batch == (event.step - 1) % BATCHES + 1
        assert event.epoch == (event.step - 1) // BATCHES + 1
        assert event.batch + len(event.losses) - 1 <= BATCHES
        expected += len(event.losses)
    assert expected == 3 * BATCHES + 1


def test_epoch_figures_are_means_over_images_not_over_batches(tiny: TinyRun) -> None:
    tiny.train(t.NONE, epochs=1)
    (epoch,) = tiny.of(EpochEnded)
    sizes = [8, 8, 4]
    assert epoch.train_loss == pytest.approx(
        sum(loss * size for loss, size in zip(tiny.losses, sizes, strict=True) if loss is not None) / 20
    )
    assert 0 <= epoch.train_accuracy <= 1
    assert (epoch.train_accuracy * 20) == pytest.approx(round(epoch.train_accuracy * 20))
    assert epoch.step == 3


def test_calls_are_counted_as_often_as_they_were_made(tiny: TinyRun) -> None:
    tiny.train(t.ONE_CYCLE, epochs=2)
    counts: dict[str, int] = {}
    for event in tiny.of(CallsTimed):
        for name, count in event.counts.items():
            counts[name] = counts.get(name, 0) + count
    assert counts == {**dict.fromkeys([*BATCH, "scheduler.step"], 6), "validate": 2}


def test_the_same_seed_gives_the_same_run_and_another_another(tiny: TinyRun) -> None:
    runs = []
    for seed in (0, 0, 1):
        tiny.events.clear()
        tiny.train(t.STEP, epochs=2, seed=seed)
        runs.append(tiny.losses)
    assert runs[0] == runs[1] != runs[2]


def test_what_was_resolved_is_told_before_the_first_batch(tiny: TinyRun) -> None:
    tiny.train(t.STEP, epochs=2)
    (resolved,) = tiny.of(RunConfigured)
    assert (resolved.device, resolved.threads, resolved.train_images, resolved.val_images) == ("cpu", 1, 20, 10)
    assert (resolved.recipe.total_steps, resolved.recipe.batches_per_epoch) == (6, 3)
    kinds = [type(event) for event in tiny.events]
    assert kinds.index(RunConfigured) < kinds.index(StepsTaken)


def test_more_than_losses_is_told_and_training_is_the_same_without_it(tiny: TinyRun) -> None:
    tiny.train(t.ONE_CYCLE, epochs=8)
    declared = {event.name for event in tiny.of(MetricDeclared)}
    logged = tiny.of(MetricsLogged)
    assert {name for event in logged for name in event.values} <= declared
    assert [event.step for event in logged if "grad_norm" in event.values] == [LEAST_APART]
    by_epoch = [event for event in logged if "memory" in event.values]
    assert [event.step for event in by_epoch] == [BATCHES * epoch for epoch in range(1, 9)]
    assert sum(by_epoch[-1].values[f"val_accuracy/{digit}"] for digit in range(10)) == pytest.approx(
        10 * tiny.of(EpochEnded)[-1].val_accuracy
    )
    confusion = tiny.of(ConfusionCounted)
    assert [event.epoch for event in confusion] == [*range(1, 9)]
    assert sum(map(sum, confusion[-1].counts)) == 10
    losses = [event.losses for event in tiny.of(StepsTaken)]
    tiny.events.clear()
    tiny.train(t.ONE_CYCLE, epochs=8, metrics="minimal")
    assert [loss for row in losses for loss in row] == [loss for event in tiny.of(StepsTaken) for loss in event.losses]
    assert [event.name for event in tiny.of(MetricDeclared)] == ["momentum"]  # of the schedule, as the LR is
    assert not tiny.of(MetricsLogged) + tiny.of(ConfusionCounted)


def test_what_is_told_more_is_told_once_by_a_resumed_run(tiny: TinyRun) -> None:
    tiny.train(t.ONE_CYCLE, epochs=8)
    whole = fold(tiny.events)
    stop = Stop(by="test")
    tiny.when = [(lambda event: isinstance(event, EpochEnded) and event.epoch == 4, lambda: tiny.control.send(stop))]
    tiny.events.clear()
    tiny.train(t.ONE_CYCLE, epochs=8)
    tiny.when = []
    tiny.events.append(RunStarted(at=1e9, run="r", schema=2, pid=1, host="h", resumed_from_step=12))
    tiny.train(t.ONE_CYCLE, epochs=8, resume=True)
    again = fold(tiny.events)
    assert list(again.series["grad_norm"].steps) == list(whole.series["grad_norm"].steps)
    assert list(again.series["grad_norm"].values) == list(whole.series["grad_norm"].values)
    assert list(again.series["val_accuracy/3"].values) == list(whole.series["val_accuracy/3"].values)
    assert not again.series["grad_norm"].attempts
