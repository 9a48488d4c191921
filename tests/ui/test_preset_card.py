"""What is told of a preset before it starts: in each case that, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult

from tui_trainer.events import PlanMade
from tui_trainer.presets.catalogue import PresetEntry, catalogue
from tui_trainer.presets.checks import parse
from tui_trainer.presets.problems import Problem
from tui_trainer.run_spec import RunSpec
from tui_trainer.text.captions import CAPTIONS
from tui_trainer.ui.presets.preset_card import PresetCard, Preview

IDS = {id for id in CAPTIONS if id.startswith("card.")}
SHIPPED = {entry.name: entry for entry in catalogue() if entry.builtin}
PLAN = PlanMade(at=0.0, steps=[1, 189, 630], lrs=[0.002, 0.05, 2e-7], last_step=630)
WITH_PLAN = Preview(plan=PLAN, asked=True)
PLANNED = {"card.start", "card.peak", "card.at_step", "card.end"}
ALWAYS = {"card.length", "card.last_batch", "card.shipped"}

FOR_CIFAR = parse('[optimizer]\nname = "Adam"\n[for]\ndataset = "cifar10"\nmodel = "resnet9-slim"\n', "mine.toml")


def mine() -> PresetEntry:
    entry = SHIPPED["none"]
    return type(entry)(**{**vars(entry), "name": "mine", "path": Path("/presets/mine.toml"), "builtin": False,
                          "preset": FOR_CIFAR})  # fmt: skip


def with_training(key: str) -> PresetEntry:
    entry = SHIPPED["none"]
    optimizer = "" if "[optimizer]" in key else '[optimizer]\nname = "SGD"\n'
    return type(entry)(**{**vars(entry), "preset": parse(f"[training]\n{key}\n{optimizer}")})


CASES: dict[str, tuple[PresetEntry, dict[str, Any], Preview, set[str], list[str]]] = {
    "by batches": (
        SHIPPED["onecycle"],
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.each_batch"},
        [
            "OneCycleLR steps after every batch",
            "630 steps: 10 epochs of 63 batches of 64 (the last 32), mnist-5k",
            "LR  start 0.002   peak 0.05 at step 189   end 2e-7",
            "onecycle.toml, shipped",
        ],
    ),
    "by epochs, before its plan": (
        SHIPPED["steplr"],
        {},
        Preview(asked=True),
        ALWAYS | {"card.each_epoch", "card.preview_comes"},
        ["StepLR steps after validation, once an epoch", "the preview is being made"],
    ),
    "by a metric, where nobody plans": (
        SHIPPED["plateau"],
        {},
        Preview(),
        ALWAYS | {"card.each_epoch", "card.monitor", "card.no_preview"},
        ["ReduceLROnPlateau steps after validation, once an epoch, with val_loss", "no preview of the LR here"],
    ),
    "behind a warm-up, without a plan": (
        SHIPPED["cosine-warmup"],
        {},
        Preview(asked=True, failed=True),
        ALWAYS | {"card.each_batch", "card.warmup", "card.no_preview"},
        ["; first a warm-up of 1 epoch, after every batch"],
    ),
    "with an error": (
        SHIPPED["none"],
        {},
        Preview(asked=True, problems=[Problem("none.toml", 3, "optimizer.lr", "is wrong")]),
        ALWAYS | {"card.no_scheduler"},
        ["no scheduler", "line 3, optimizer.lr: is wrong"],
    ),
    "in whole batches": (
        SHIPPED["none"],
        {"limit_train": 640},
        Preview(asked=True),
        ALWAYS - {"card.last_batch"} | {"card.no_scheduler", "card.preview_comes"},
        ["100 steps: 10 epochs of 10 batches of 64, mnist-5k"],
    ),
    "in one batch that is smaller": (
        SHIPPED["none"],
        {"limit_train": 10},
        Preview(asked=True),
        ALWAYS - {"card.last_batch"} | {"card.no_scheduler", "card.preview_comes"},
        ["10 steps: 10 epochs of 1 batch of 10, mnist-5k"],
    ),
    "that ends early": (
        with_training("early_stopping = {patience = 3}"),
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.no_scheduler", "card.early_stopping"},
        ["SGD; no scheduler; ends early once val_loss is not better for 3 epochs"],
    ),
    "in groups": (
        with_training(
            'batch_size = 64\n[optimizer]\nname = "SGD"\nweight_decay_norm = 0\n'
            '[[optimizer.groups]]\nname = "9.*"\nlr = 1\n'
        ),
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.no_scheduler", "card.groups"},
        ["SGD; no scheduler; parameters with values of their own: 9.*, norm"],
    ),
    "of several batches": (
        with_training(
            'accumulate = 4\n[optimizer]\nname = "SGD"\nlr = 0.1\n[scheduler]\nname = "CosineAnnealingLR"\n'
            'interval = "step"\n[warmup]\nepochs = 1\n'
        ),
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.each_batch", "card.warmup", "card.accumulate"},
        [
            "CosineAnnealingLR steps after every step; first a warm-up of 1 epoch, after every step; ",
            "; the gradients of 4 batches make a step",
            "160 steps: 10 epochs of 63 batches of 64 (the last 32), mnist-5k",
        ],
    ),
    "of an average": (
        with_training("ema_decay = 0.99"),
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.no_scheduler", "card.ema"},
        ["SGD; no scheduler; an average of the weights is validated (EMA, decay 0.99)"],
    ),
    "of a mean": (
        with_training("swa_start = 8"),
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.no_scheduler", "card.swa"},
        ["SGD; no scheduler; the mean of the weights after each epoch is validated, from epoch 8 on (SWA)"],
    ),
    "of a mean at an LR of its own": (
        with_training("swa_start = 8\nswa_lr = 0.05\nswa_anneal_epochs = 2"),
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.no_scheduler", "card.swa", "card.swa_lr"},
        ["SWALR brings the"],
    ),
    "with transforms of its own": (
        with_training('augmentation = [{name = "RandomCrop", padding = 2}, "RandomErasing"]'),
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.no_scheduler", "card.augmentation"},
        ["SGD; no scheduler; every epoch has the images anew, by RandomCrop, RandomErasing"],
    ),
    "with another network": (
        with_training("[model]\ndropout = 0.25"),
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.no_scheduler", "card.model_options"},
        ["SGD; no scheduler; the network has dropout 0.25"],
    ),
    "with none": (
        with_training("augmentation = []"),
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.no_scheduler", "card.no_augmentation"},
        ["SGD; no scheduler; every epoch has the images as they are"],
    ),
    "clipped by the norm": (
        with_training("clip_grad_norm = 1"),
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.no_scheduler", "card.clip_norm"},
        ["SGD; no scheduler; gradients clipped to a norm of 1"],
    ),
    "clipped one by one": (
        with_training("clip_grad_value = 0.5"),
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.no_scheduler", "card.clip_value"},
        ["SGD; no scheduler; gradients clipped to ±0.5"],
    ),
    "made for other data": (
        mine(),
        {},
        WITH_PLAN,
        PLANNED | {"card.length", "card.last_batch", "card.no_scheduler", "card.brings"},
        ["brings dataset cifar10, model resnet9-slim"],
    ),
    "as somebody published it": (
        with_training('[published]\nsource = "A. Uthor, 2016"\naccuracy = 0.9498'),
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.no_scheduler", "card.published"},
        ["as published by A. Uthor, 2016: accuracy 0.9498 on test images"],
    ),
    "nearly as somebody published it": (
        with_training('[published]\nsource = "A. Uthor, 2016"\ndiffers = "there it snowed"'),
        {},
        WITH_PLAN,
        ALWAYS | PLANNED | {"card.no_scheduler", "card.published_without", "card.differs"},
        ["as published by A. Uthor, 2016, without an accuracy; but for this: there it snowed"],
    ),
    "made for other data than asked for": (
        mine(),
        {"dataset": "mnist-5k", "model": "cnn"},
        WITH_PLAN,
        PLANNED | {"card.length", "card.last_batch", "card.no_scheduler", "card.made_for"},
        ["made for dataset cifar10, model resnet9-slim; as asked, mnist-5k, cnn"],
    ),
}


@pytest.mark.says("card.*")
@pytest.mark.never_says("card.*")
@pytest.mark.parametrize("case", CASES)
async def test_this_is_said_and_nothing_else(case: str, captions_said: set[str]) -> None:
    entry, options, preview, ids, words = CASES[case]
    assert entry.preset is not None

    class Shown(App[None]):
        def compose(self) -> ComposeResult:
            yield PresetCard()

    app = Shown()
    async with app.run_test(size=(140, 50)):
        card = app.query_one(PresetCard)
        card.show(entry, RunSpec.of(entry.name, entry.preset, **options), preview, [])
        told = "\n".join(card.plain())
    for each in words:
        assert each in told
    assert captions_said & IDS == ids


def test_each_is_said_in_a_case() -> None:
    assert set().union(*(ids for *_, ids, _ in CASES.values())) == IDS
