"""Groups of parameters: chosen by what they match, each with its own LR and weight decay, as in the loop by hand."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.optim import lr_scheduler as torch_lr

from tests.engine import tiny as t
from tests.engine.test_control import ME
from tests.engine.tiny import TinyRun
from tests.records.streams import fold
from tui_trainer.commands import SetLR, SetPace, SwitchPreset
from tui_trainer.engine import models
from tui_trainer.engine.datasets import batches
from tui_trainer.engine.metrics import validate
from tui_trainer.engine.parameter_groups import grouped, misfits
from tui_trainer.events import CommandAnswered, LRChanged, LRUnchanged, MetricDeclared, PlanMade, RunStarted, StepsTaken
from tui_trainer.presets.checks import parse

SGD = '[optimizer]\nname = "SGD"\nlr = 0.02\nmomentum = 0.9\nweight_decay = 0.01\n'
GROUP = "[[optimizer.groups]]\n"
TWO = f'{SGD}{GROUP}match = "bias"\nlr_scale = 2.0\nweight_decay = 0\n{GROUP}name = "3.*"\nlr = 0.005\n'
"""Biases of `mlp`; of the rest, its last layer."""

BY_HAND = [{"lr": 0.02}, {"lr": 0.04, "weight_decay": 0.0}, {"lr": 0.005}]

SCHEDULES: dict[str, tuple[str, Callable[[torch.optim.Optimizer], Any], str]] = {
    "StepLR": ("step_size = 1\ngamma = 0.5", lambda o: torch_lr.StepLR(o, 1, gamma=0.5), "epoch"),
    "CosineAnnealingLR": (
        'interval = "step"\neta_min = 0.001',
        lambda o: torch_lr.CosineAnnealingLR(o, 12, eta_min=0.001),
        "step",
    ),
    "LambdaLR": (
        'formula = "triangle"\npeak = 0.25',
        lambda o: torch_lr.LambdaLR(o, lambda k: k / 3 if k <= 3 else 1 + (k - 3) / 9 * -1),
        "step",
    ),
    "ReduceLROnPlateau": (
        "patience = 0\nfactor = 0.5\nthreshold = 0.9\nmin_lr = [0.004, 0.02, 0]",
        lambda o: torch_lr.ReduceLROnPlateau(o, patience=0, factor=0.5, threshold=0.9, min_lr=[0.004, 0.02, 0]),
        "metric",
    ),
    "OneCycleLR": (
        "max_lr = [0.1, 0.2, 0.01]",
        lambda o: torch_lr.OneCycleLR(o, max_lr=[0.1, 0.2, 0.01], total_steps=12),
        "step",
    ),
    "CyclicLR": (
        "base_lr = [0.001, 0.002, 0.0001]\nmax_lr = [0.1, 0.2, 0.01]\nstep_size_up = 3",
        lambda o: torch_lr.CyclicLR(o, [0.001, 0.002, 0.0001], [0.1, 0.2, 0.01], step_size_up=3),
        "step",
    ),
}


def preset_with(name: str) -> str:
    text = TWO if not SCHEDULES[name][0].startswith(("max_lr", "base_lr")) else without_lrs(TWO)
    return f'{text}[scheduler]\nname = "{name}"\n{SCHEDULES[name][0]}\n'


def without_lrs(text: str) -> str:
    """Where the scheduler has the LRs."""
    return text.replace("lr_scale = 2.0\n", "").replace("lr = 0.005\n", "").replace("lr = 0.02\n", "")


def names(model: nn.Module, parameters: list[nn.Parameter]) -> list[str]:
    known = {id(each): name for name, each in model.named_parameters()}
    return [known[id(each)] for each in parameters]


@pytest.mark.parametrize("name", SCHEDULES)
def test_losses_and_the_lr_of_every_step_and_group_are_those_by_hand(tiny: TinyRun, name: str) -> None:
    tiny.train(preset_with(name), epochs=4)

    data = t.images()
    model = models.build("mlp", data.shape, seed=0)
    weights = dict(model.named_parameters())
    biases = [weight for name, weight in weights.items() if name.endswith("bias")]
    parts = [[weights["1.weight"]], biases, [weights["3.weight"]]]
    groups = [{"params": part, **options} for part, options in zip(parts, BY_HAND, strict=True)]
    optimizer = torch.optim.SGD(groups, lr=0.02, momentum=0.9, weight_decay=0.01, fused=True)
    scheduler, interval = SCHEDULES[name][1](optimizer), SCHEDULES[name][2]
    losses: list[float] = []
    lrs: list[list[float]] = []
    for epoch in range(1, 5):
        for images, labels in batches(data.train, t.BATCH_SIZE, seed=0, epoch=epoch):
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images), labels)
            loss.backward()
            lrs.append([group["lr"] for group in optimizer.param_groups])
            optimizer.step()
            losses.append(loss.item())
            if interval == "step":
                scheduler.step()
        val_loss, _ = validate(model, data.val)
        if interval != "step":
            scheduler.step(*([val_loss] if interval == "metric" else []))

    assert torch.equal(torch.tensor(tiny.losses), torch.tensor(losses))
    of_groups = [
        [value for event in tiny.of(StepsTaken) for value in event.metrics[f"lr-SGD/pg{number}"]] for number in (2, 3)
    ]
    told = [list(step) for step in zip(tiny.lrs, *of_groups, strict=True)]
    if name == "LambdaLR":
        assert told == [pytest.approx(step) for step in lrs]
    else:
        assert told == lrs
    if interval != "metric":  # what was planned was used
        (plan,) = tiny.of(PlanMade)
        assert {name: group.label for name, group in plan.groups.items()} == {"lr-SGD/pg2": "bias", "lr-SGD/pg3": "3.*"}
        for name_of, used in zip(plan.groups, of_groups, strict=True):
            planned = dict(zip(plan.groups[name_of].steps, plan.groups[name_of].lrs, strict=True))
            assert all(used[step - 1] == lr for step, lr in planned.items())
            assert len(planned) == len({*range(1, 13)} & {1, *(i + 1 for i in range(1, 12) if used[i] != used[i - 1])})


def test_each_group_with_an_lr_of_its_own_has_a_series_and_a_reason(tiny: TinyRun) -> None:
    tiny.train(preset_with("StepLR"), epochs=2)
    declared = {event.name: (event.kind, event.shown_as) for event in tiny.of(MetricDeclared) if "/pg" in event.name}
    assert declared == {"lr-SGD/pg2": ("lr", "lr bias"), "lr-SGD/pg3": ("lr", "lr 3.*")}
    moved = [(event.group, event.reason) for event in tiny.of(LRChanged) if event.epoch == 1]
    assert moved == [
        ("", "step_size 1 reached, 0.02 → 0.01"),
        ("bias", "group bias: step_size 1 reached, 0.04 → 0.02"),
        ("3.*", "group 3.*: step_size 1 reached, 0.005 → 0.0025"),
    ]
    assert all(event.why.params["group"] == event.group for event in tiny.of(LRChanged) if event.group)
    history = fold(tiny.events)
    assert [change.new for change in history.lr_changes] == [0.01, 0.005]
    assert len(history.why) > len(history.lr_changes) + len(history.epochs)
    assert list(history.series["lr-SGD/pg3"].values) == [0.005] * 3 + [0.0025] * 3


def test_what_was_told_of_one_lr_by_a_process_that_was_killed_hides_nothing_of_another(tiny: TinyRun) -> None:
    tiny.train(preset_with("StepLR"), epochs=2)
    until = next(at for at, event in enumerate(tiny.events) if isinstance(event, LRChanged) and event.group == "bias")
    again = RunStarted(at=1e9, run="r", schema=2, pid=2, host="h", resumed_from_step=0)
    history = fold([*tiny.events[:until], again, *tiny.events])
    told = [event.group for event in history.why if isinstance(event, LRChanged) and event.epoch == 1]
    assert told == ["", "bias", "3.*"]


def test_a_group_that_stays_for_another_reason_says_so(tiny: TinyRun) -> None:
    tiny.train(preset_with("ReduceLROnPlateau"), epochs=4)
    held = [(event.group, event.why.code) for event in tiny.of(LRUnchanged) if event.group]
    assert ("bias", "at_min_lr") in held
    assert {code for group, code in held} == {"at_min_lr"}


def test_groups_without_an_lr_of_their_own_have_no_series(tiny: TinyRun) -> None:
    tiny.train(SGD + "weight_decay_bias = 0\n", epochs=1)
    assert not any("lr-" in name for event in tiny.of(StepsTaken) for name in event.metrics)
    (plan,) = tiny.of(PlanMade)
    assert plan.groups == {}


def test_what_a_group_matches() -> None:
    model = models.without_weights("resnet18")
    text = SGD + '[[optimizer.groups]]\nname = "layer4.*"\nmatch = "norm"\nlr = 0.1\n'
    text += '[[optimizer.groups]]\nname = "layer4.*"\nlr = 0.2\n'
    rest, norms, layer = (group["params"] for group in grouped(parse(text), model))
    every = dict(model.named_parameters())
    of_norms = {f"{name}.{part}" for name, module in model.named_modules() if isinstance(module, nn.BatchNorm2d)
                for part in ("weight", "bias")}  # fmt: skip
    assert names(model, norms) == [name for name in every if name.startswith("layer4.") and name in of_norms]
    assert names(model, layer) == [name for name in every if fnmatchcase(name, "layer4.*") and name not in of_norms]
    assert len(rest) + len(norms) + len(layer) == len(every)


def test_shortcuts_are_the_groups_that_they_stand_for() -> None:
    """As torchvision's `set_weight_decay`: a bias is a bias first, be it of a normalisation layer."""
    model = models.without_weights("resnet18")
    groups = grouped(parse(SGD + "weight_decay_norm = 0.001\nweight_decay_bias = 0\n"), model)
    assert [group.get("weight_decay") for group in groups] == [None, 0, 0.001]
    assert all(name.endswith("bias") for name in names(model, groups[1]["params"]))
    assert len(groups[1]["params"]) == sum(name.endswith("bias") for name, _ in model.named_parameters())
    assert all(name.endswith("weight") for name in names(model, groups[2]["params"]))
    only_rest_and_biases = grouped(
        parse(SGD + "weight_decay_norm = 0\nweight_decay_bias = 0\n"), models.without_weights("cnn")
    )
    assert len(only_rest_and_biases) == 2


@pytest.mark.says("groups.match_none", "groups.match_all")
@pytest.mark.never_says("groups.match_none", "groups.match_all")
def test_groups_that_do_not_fit_the_network_are_refused(captions_said: set[str]) -> None:
    for more, ids, words in (
        (
            '[[optimizer.groups]]\nname = "layer4.*"\nlr = 0.1\n',
            {"groups.match_none"},
            "tiny.toml:9: optimizer.groups.1: matches no parameter of mlp; they are called 1.weight, 1.bias, 3.weight",
        ),
        (
            '[[optimizer.groups]]\nname = "*"\nlr = 0.1\n',
            {"groups.match_all"},
            "all parameters of mlp are in groups; leave one of the groups out",
        ),
        ('[[optimizer.groups]]\nmatch = "bias"\nlr = 0.1\n', set(), ""),
        ("weight_decay_norm = 0\n", set(), ""),
    ):
        captions_said.clear()
        said = "\n".join(map(str, misfits(t.preset(SGD + more), "mlp")))
        assert words in said
        assert bool(said) == bool(words)
        assert {id for id in captions_said if id.startswith("groups.")} == ids


def test_the_dial_turns_all_groups_and_a_switch_brings_other_groups(tiny: TinyRun) -> None:
    other = t.preset(SGD + '[[optimizer.groups]]\nname = "1.*"\nlr_scale = 3.0\n')
    unfit = t.preset(SGD + '[[optimizer.groups]]\nname = "conv.*"\nlr_scale = 3.0\n')
    tiny.control.send(SetPace(by=ME, seconds_a_call=1e-9))
    sent = [
        SwitchPreset(by=ME, name="unfit", preset=unfit.model_dump(mode="json")),
        SetLR(by=ME, factor=0.5),
        SwitchPreset(by=ME, name="other", preset=other.model_dump(mode="json")),
    ]

    def send() -> None:
        tiny.when.clear()
        for command in sent:
            tiny.control.send(command)

    tiny.when = [(lambda event: isinstance(event, StepsTaken) and event.step == 1, send)]
    tiny.train(TWO, epochs=2)
    answers = [(event.accepted, event.answer) for event in tiny.of(CommandAnswered)][1:]
    assert [accepted for accepted, _ in answers] == [False, True, True]
    assert "matches no parameter" in answers[0][1]
    of_group = [value for event in tiny.of(StepsTaken) for value in event.metrics["lr-SGD/pg2"]]
    assert of_group == [0.04, 0.02, 0.02, 0.06, 0.06, 0.06]
    assert tiny.lrs == [0.02, 0.01, 0.01, 0.02, 0.02, 0.02]
    assert len([event for event in tiny.of(StepsTaken) if "lr-SGD/pg3" in event.metrics]) == 3
    begun, dialled, switched = (event.groups["lr-SGD/pg2"] for event in tiny.of(PlanMade))
    assert [(plan.steps, plan.lrs, plan.label) for plan in (begun, dialled, switched)] == [
        ([1], [0.04], "bias"),
        ([2], [0.02], "bias"),
        ([4], [0.06], "1.*"),
    ]
