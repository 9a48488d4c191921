"""Loops of the shapes that people write, run with the observer in them: losses and LRs to the last bit, and what else
can be told."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.watch.made_traces import replayed
from tests.watch.watched import run
from tui_trainer.events import AnyEvent, decode, encode
from tui_trainer.records.history import History
from tui_trainer.watching.interpreter.interpreter import Interpreter
from tui_trainer.watching.trace import Options, TraceReader, processes

HEAD = """
import math
import struct
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
inputs = torch.randn(70, 8)
targets = (inputs[:, 0] > 0).long()
train_set, val_set = TensorDataset(inputs[:50], targets[:50]), TensorDataset(inputs[50:], targets[50:])
written = open("written", "wb")

def note(*numbers):
    written.write(struct.pack("<%dd" % len(numbers), *numbers))
    written.flush()
"""
"""What each program begins with: data, and `note(loss, lr)`, with which it says itself what it computed."""

PER_EPOCH = """
train_loader = DataLoader(train_set, batch_size=16, shuffle=True)
test_loader = DataLoader(val_set, batch_size=8)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2))
optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)

def train(epoch):
    model.train()
    for batch_idx, (data, target) in enumerate(train_loader):
        optimizer.zero_grad()
        output = F.log_softmax(model(data), dim=1)
        loss = F.nll_loss(output, target)
        loss.backward()
        optimizer.step()
        note(loss.item(), optimizer.param_groups[0]["lr"])
        if batch_idx % 2 == 0:
            print("Train Epoch: {} [{}/{}]\\tLoss: {:.6f}".format(epoch, batch_idx, len(train_loader), loss.item()))

def test():
    model.eval()
    test_loss = 0
    correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            output = F.log_softmax(model(data), dim=1)
            test_loss += F.nll_loss(output, target, reduction="sum").item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    test_loss /= len(test_loader.dataset)
    print("Test set: Average loss: {:.4f}, Accuracy: {}/{}".format(test_loss, correct, len(val_set)), flush=True)

for epoch in range(1, 4):
    train(epoch)
    test()
    scheduler.step()
"""

SUM_OF_TWO = """
train_loader = DataLoader(train_set, batch_size=16)
model = nn.Sequential(nn.Linear(8, 4), nn.Linear(4, 8))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

def loss_function(x, recon):
    BCE = F.binary_cross_entropy_with_logits(recon, torch.sigmoid(x), reduction="sum")
    KLD = 0.5 * torch.sum(recon.pow(2))
    return BCE + KLD

for epoch in range(2):
    for batch_idx, (data, _) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = loss_function(data, model(data))
        loss.backward()
        note(loss.item(), 1e-3)
        optimizer.step()
"""

TWO_NETWORKS = """
dataloader = DataLoader(train_set, batch_size=10)
netD, netG = nn.Linear(8, 1), nn.Linear(4, 8)
criterion = nn.BCEWithLogitsLoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=1e-4, betas=(0.5, 0.999))
for epoch in range(2):
    for i, data in enumerate(dataloader, 0):
        netD.zero_grad()
        real = data[0]
        label = torch.full((len(real),), 1.0)
        errD_real = criterion(netD(real).squeeze(1), label)
        errD_real.backward()
        fake = netG(torch.randn(len(real), 4))
        label.fill_(0.0)
        errD_fake = criterion(netD(fake.detach()).squeeze(1), label)
        errD_fake.backward()
        optimizerD.step()
        netG.zero_grad()
        label.fill_(1.0)
        errG = criterion(netD(fake).squeeze(1), label)
        errG.backward()
        optimizerG.step()
        note(errD_fake.item(), 2e-4)
"""

BY_HAND = """
model = nn.Linear(8, 2)
groups = [{"params": [model.weight], "weight_decay": 0.1}, {"params": [model.bias], "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=1e-3)

def get_lr(it):
    if it < 5:
        return 1e-3 * (it + 1) / 6
    return 1e-4 + 0.5 * (1 + math.cos(math.pi * (it - 5) / 15)) * 9e-4

for it in range(20):
    lr = get_lr(it)
    for param_group in optimizer.param_groups:
        param_group["lr"] = lr
    for micro_step in range(2):
        rows = slice(25 * micro_step, 25 * micro_step + 25)
        loss = F.cross_entropy(model(inputs[rows]), targets[rows])
        loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    note(loss.item(), lr)
"""

EVERY_BATCH = """
train_loader = DataLoader(train_set, batch_size=16)
model = nn.Linear(8, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=12)
for epoch in range(3):
    for x, y in train_loader:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        lr = optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()
        note(loss.item(), lr)
"""

OF_THEIR_OWN = """
class WarmUpLR(torch.optim.lr_scheduler.LRScheduler):
    def get_lr(self):
        return [base * min(1.0, (self.last_epoch + 1) / 5) for base in self.base_lrs]

train_loader = DataLoader(train_set, batch_size=16)
model = nn.Linear(8, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
warmup_scheduler = WarmUpLR(optimizer)
for epoch in range(2):
    for images, labels in train_loader:
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        note(loss.item(), optimizer.param_groups[0]["lr"])
        optimizer.step()
        warmup_scheduler.step()
"""

HELD_BY_ANOTHER = """
class Prepared(torch.optim.Optimizer):
    def __init__(self, optimizer):
        self.optimizer = optimizer

    @property
    def param_groups(self):
        return self.optimizer.param_groups

    @property
    def defaults(self):
        return self.optimizer.defaults

    def zero_grad(self):
        self.optimizer.zero_grad()

    def step(self):
        self.optimizer.step()

train_loader = DataLoader(train_set, batch_size=16)
model = nn.Linear(8, 2)
optimizer = Prepared(torch.optim.AdamW(model.parameters(), lr=0.1))
scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=0.0, total_iters=12)
for epoch in range(3):
    for x, y in train_loader:
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        note(loss.item(), optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
"""

CLOSURES = """
model = nn.Linear(8, 1)
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.8, max_iter=4)
for i in range(4):
    def closure():
        optimizer.zero_grad()
        loss = F.mse_loss(model(inputs).squeeze(1), targets.float())
        loss.backward()
        return loss
    note(optimizer.step(closure).item(), 0.8)
"""

PLATEAU = """
train_loader = DataLoader(train_set, batch_size=25)
val_loader = DataLoader(val_set, batch_size=20)
model = nn.Linear(8, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5, threshold=0.9)
for epoch in range(3):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        note(loss.item(), optimizer.param_groups[0]["lr"])
    with torch.no_grad():
        val_loss = 0.0
        for x, y in val_loader:
            val_loss += F.cross_entropy(model(x), y).item() * len(x)
    val_loss /= len(val_set)
    scheduler.step(val_loss)
"""

FOLDS = """
def fit(train, val, lr):
    train_loader, val_loader = DataLoader(train, batch_size=10, shuffle=True), DataLoader(val, batch_size=10)
    model = nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)
    for epoch in range(3):
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            note(loss.item(), optimizer.param_groups[0]["lr"])
        scheduler.step()
        val_loss = 0.0
        with torch.no_grad():
            for x, y in val_loader:
                val_loss += F.cross_entropy(model(x), y).item() * len(x)

for fold in range(3):
    rest = [index for index in range(60) if index % 3 != fold]
    data = TensorDataset(inputs, targets)
    fit(torch.utils.data.Subset(data, rest), torch.utils.data.Subset(data, range(fold, 60, 3)), 0.1 * (fold + 1))
"""


@dataclass
class Told:
    """What was told of a program, and what it wrote itself: pairs of a loss and an LR."""

    history: History
    written: list[tuple[float, float]]

    @property
    def reasons(self) -> list[str]:
        return [f"{change.step}: {change.reason}" for change in self.history.lr_changes]


def told_of(folder: Path, program: str) -> Told:
    """Run a program, and read its trace as a host would."""
    watched = run(folder, HEAD + program)
    assert watched.code == 0, watched.errors
    events: list[AnyEvent] = []
    interpreter = Interpreter(events.append, Options(), lambda: 1.8e9)
    (process,) = processes(folder / "traces")
    for frame in TraceReader(folder / "traces", process).read():
        interpreter.take(process, frame)
        interpreter.tick()
    interpreter.finish()
    history = replayed([decode(encode(event)) for event in events])
    assert not history.known.flaws.in_words()
    numbers = list(struct.iter_unpack("<2d", (folder / "written").read_bytes()))
    return Told(history, [(loss, lr) for loss, lr in numbers])


PROGRAMS = {
    "per epoch": PER_EPOCH,
    "a sum of two": SUM_OF_TWO,
    "two networks": TWO_NETWORKS,
    "by hand": BY_HAND,
    "every batch": EVERY_BATCH,
    "of their own": OF_THEIR_OWN,
    "held by another": HELD_BY_ANOTHER,
    "closures": CLOSURES,
    "plateau": PLATEAU,
    "folds": FOLDS,
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Told]:
    """What is told of a program; each is run once."""
    return cache(lambda name: told_of(tmp_path_factory.mktemp(name.replace(" ", "_")), PROGRAMS[name]))


@pytest.mark.parametrize("name", PROGRAMS)
def test_losses_and_lrs_are_those_that_the_program_computed_to_the_last_bit(
    name: str, told: Callable[[str], Told]
) -> None:
    of_it = told(name)
    assert of_it.written
    assert of_it.history.losses == array("f", [loss for loss, _ in of_it.written])
    assert of_it.history.lrs == array("d", [lr for _, lr in of_it.written])


def test_epochs_and_their_validation_are_told(told: Callable[[str], Told]) -> None:
    history = told("per epoch").history
    assert history.epoch_starts == [1, 5, 9]
    assert [(ended.epoch, ended.step, ended.validated) for ended in history.epochs] == [
        (1, 4, True),
        (2, 8, True),
        (3, 12, True),
    ]
    assert all(ended.val_loss < 1 and ended.val_accuracy in [k / 20 for k in range(21)] for ended in history.epochs)
    assert history.recipe is not None
    assert (history.recipe.scheduler, history.recipe.interval, history.recipe.batches_per_epoch) == (
        "StepLR",
        "epoch",
        4,
    )
    assert told("per epoch").reasons == [
        "4: step_size 1 reached, 1 → 0.7",
        "8: step_size 1 reached, 0.7 → 0.49",
        "12: step_size 1 reached, 0.49 → 0.343",
    ]


def test_folds_are_one_run_each_with_its_epochs_its_plan_and_its_validation(told: Callable[[str], Told]) -> None:
    history = told("folds").history
    assert history.epoch_starts == [*range(1, 37, 4)]
    assert [(ended.epoch, ended.step, ended.validated) for ended in history.epochs] == [
        (number, 4 * number, True) for number in range(1, 10)
    ]
    assert [(plan.steps[0], plan.last_step) for plan in history.plans] == [(1, 12), (13, 24), (25, 36)]
    lrs = [lr for plan in history.plans for lr in plan.lrs for _ in range(4)]
    assert lrs == pytest.approx(list(history.lrs), rel=1e-12)
    assert [reason for reason in told("folds").reasons if "taken" in reason] == [
        "12: taken over by SGD, 0 → 0.2",
        "24: taken over by SGD, 0 → 0.3",
    ]


def test_the_loop_is_listed_as_it_stands_in_the_program(told: Callable[[str], Told]) -> None:
    loop = told("per epoch").history.loop
    assert loop is not None
    within = {site.id: site.text for site in loop.sites}
    assert [(site.text, within.get(site.within, "")) for site in loop.sites] == [
        ("for batch_idx, (data, target) in enumerate(train_loader):", ""),
        ("optimizer.zero_grad()", "for batch_idx, (data, target) in enumerate(train_loader):"),
        ("loss.backward()", "for batch_idx, (data, target) in enumerate(train_loader):"),
        ("optimizer.step()", "for batch_idx, (data, target) in enumerate(train_loader):"),
        ("for data, target in test_loader:", ""),
        ("scheduler.step()", ""),
    ]


def test_losses_of_two_networks_are_told_by_their_names(told: Callable[[str], Told]) -> None:
    series = told("two networks").history.series
    assert len(series["errD_real"].values) == len(series["errG"].values) == 10
    assert list(series["lr-optimizerG"].values) == [1e-4, 1e-4]
    declared = series.declared("train_loss")
    assert declared is not None
    assert declared.shown_as == "errD_fake"


def test_an_lr_that_is_written_by_hand_has_its_line(told: Callable[[str], Told]) -> None:
    line = next(number for number, text in enumerate((HEAD + BY_HAND).splitlines(), 1) if '["lr"] = lr' in text)
    assert told("by hand").reasons == [
        f"1: written by train.py:{line}, 0.0001667 → 0.0003333",
        f"6: written by train.py:{line}: it rose until here, and falls from here, 0.001 → 0.0009902",
    ]
    series = told("by hand").history.series
    assert list(series["lr-AdamW/pg2"].values) == list(told("by hand").history.lrs)
    assert len(series["grad_norm"].values) == 20


def test_a_scheduler_that_steps_every_batch_says_where_it_turns(told: Callable[[str], Told]) -> None:
    of_it = told("every batch")
    assert [reason.partition(";")[0] for reason in of_it.reasons] == [
        "3: OneCycleLR at its peak, 0.09944",
        "11: OneCycleLR at its bottom, 4e-7",
    ]
    assert len(of_it.history.series["lr-SGD-momentum"].values) > 5
    plan = of_it.history.plans[-1]
    assert (plan.steps, plan.lrs) == ([*range(1, 13)], pytest.approx(list(of_it.history.lrs), rel=1e-12))


def test_a_scheduler_of_somebodys_own_is_named(told: Callable[[str], Told]) -> None:
    (reason,) = told("of their own").reasons
    assert reason.startswith("1: changed by WarmUpLR at train.py:")


def test_a_scheduler_of_an_optimizer_that_holds_another_is_that_of_the_run(told: Callable[[str], Told]) -> None:
    of_it = told("held by another")
    assert of_it.history.recipe is not None
    assert (of_it.history.recipe.optimizer, of_it.history.recipe.scheduler) == ("AdamW", "LinearLR")
    assert not [reason for reason in of_it.reasons if "written by" in reason]
    assert of_it.history.plans[-1].lrs[:12] == pytest.approx(list(of_it.history.lrs), rel=1e-12)


def test_what_a_closure_calls_is_within_the_step(told: Callable[[str], Told]) -> None:
    loop = told("closures").history.loop
    assert loop is not None
    step = next(site.id for site in loop.sites if site.call == "optimizer.step")
    assert {site.call for site in loop.sites if site.within == step} == {"zero_grad", "backward"}


def test_plateau_is_explained_with_the_programs_own_name(told: Callable[[str], Told]) -> None:
    of_it = told("plateau")
    assert [change.why.code for change in of_it.history.lr_changes] == ["patience_used_up"] * 2
    assert all(change.reason.startswith("val_loss not better") for change in of_it.history.lr_changes)
    assert all(ended.validated for ended in of_it.history.epochs)
