"""Matrices by torch's Muon, all else by another optimizer: as the two by hand, float for float."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch.nn import functional
from torch.optim.lr_scheduler import StepLR

from tests.engine import tiny as t
from tests.engine.test_resume import Killed, assert_equal, forget_what_was_not_saved, kill_after, numbers
from tests.engine.tiny import TinyRun
from tui_trainer.engine import models
from tui_trainer.engine.datasets import batches
from tui_trainer.engine.parameter_groups import misfits
from tui_trainer.events import PlanMade, StepsTaken
from tui_trainer.presets.parameter_groups import MuonGroup

ADAMW = '[optimizer]\nname = "AdamW"\nlr = 0.002\n'
MUON = '[[optimizer.groups]]\nmatch = "matrix"\noptimizer = "Muon"\n'
PRESET = f'{ADAMW}{MUON}lr = 0.02\nweight_decay = 0.1\n[scheduler]\nname = "StepLR"\nstep_size = 1\ngamma = 0.5\n'

needs_muon = pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this torch has no Muon")


@needs_muon
def test_losses_are_those_of_the_two_by_hand_and_so_they_are_after_a_kill(tiny: TinyRun) -> None:
    tiny.train(PRESET, epochs=3)
    whole = numbers(tiny)

    data = t.images()
    model = models.build("mlp", data.shape, seed=0)
    matrices = [each for each in model.parameters() if each.ndim == 2]
    others = [each for each in model.parameters() if each.ndim != 2]
    two = [torch.optim.Muon(matrices, lr=0.02), torch.optim.AdamW(others, lr=0.002, fused=True)]
    schedules = [StepLR(each, 1, gamma=0.5) for each in two]
    losses = []
    for epoch in range(1, 4):
        for images, labels in batches(data.train, t.BATCH_SIZE, seed=0, epoch=epoch):
            loss = functional.cross_entropy(model(images), labels)
            loss.backward()
            for optimizer in two:
                optimizer.step()
                optimizer.zero_grad()
            losses.append(loss.item())
        for schedule in schedules:
            schedule.step()
    assert torch.equal(torch.tensor(tiny.losses), torch.tensor(losses))
    assert len(matrices) == len(others) == 2
    (plan,) = tiny.of(PlanMade)
    assert {name: group.label for name, group in plan.groups.items()} == {"lr-Muon/pg2": "Muon matrix"}
    of_muon = [lr for event in tiny.of(StepsTaken) for lr in event.metrics["lr-Muon/pg2"]]
    assert of_muon == [lr for lr in (0.02, 0.01, 0.005) for _ in range(t.BATCHES)]

    tiny.events.clear()
    kill_after(tiny, t.BATCHES + 2)
    with pytest.raises(Killed):
        tiny.train(PRESET, epochs=3)
    tiny.when.clear()
    assert 0 < forget_what_was_not_saved(tiny) < t.BATCHES + 2
    tiny.train(PRESET, epochs=3, resume=True)
    assert_equal(numbers(tiny), whole)


@needs_muon
def test_what_a_group_of_muon_leaves_out_is_torchs_own_but_for_lr_and_weight_decay() -> None:
    theirs = {name: each.default for name, each in inspect.signature(torch.optim.Muon).parameters.items()}
    group = MuonGroup(optimizer="Muon", match="matrix").muon_arguments
    assert group.keys() == theirs.keys() - {"params", "lr", "weight_decay"}
    assert theirs["adjust_lr_fn"] is None  # which is "original"
    assert group == {key: theirs[key] for key in group} | {"adjust_lr_fn": "original"}


@pytest.mark.says("groups.no_matrix", "groups.no_muon")
@pytest.mark.never_says("groups.no_matrix", "groups.no_muon")
def test_what_muon_cannot_take_is_refused_with_what_would_do(
    captions_said: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.optim, "Muon", torch.optim.SGD, raising=False)
    for network, group, words in (
        ("mlp", MUON, ""),
        ("cnn", MUON, ""),
        ("mlp", MUON.replace('match = "matrix"', 'name = "3.*"'), 'and 3.bias are none; write match = "matrix"'),
    ):
        captions_said.clear()
        said = "\n".join(map(str, misfits(t.preset(ADAMW + group), network)))
        assert words in said
        assert (captions_said & {"groups.no_matrix", "groups.no_muon"} == {"groups.no_matrix"}) is bool(words)
    monkeypatch.delattr(torch.optim, "Muon")
    assert [*map(str, misfits(t.preset(ADAMW + MUON), "mlp"))] == [
        f"tiny.toml:9: optimizer.groups.1.optimizer: PyTorch {torch.__version__} has no Muon; 2.9 and newer have it"
    ]
    assert misfits(t.preset(ADAMW + '[[optimizer.groups]]\nmatch = "matrix"\nlr_scale = 2.0\n'), "mlp") == []
