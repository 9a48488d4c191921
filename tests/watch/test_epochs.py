"""Which steps are an epoch: loaders without an end, with a wrong length, several by turns, and those left early."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

import pytest

from tests.watch.test_real_loops import Told, told_of

BEGIN = """
import itertools
import warnings
from torch.utils.data import IterableDataset, RandomSampler, SubsetRandomSampler

warnings.simplefilter("ignore")
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
train_loader = DataLoader(train_set, batch_size=16, shuffle=True)
other_loader = DataLoader(TensorDataset(inputs, targets), batch_size=16, shuffle=True)
val_loader = DataLoader(val_set, batch_size=8)
computed = open("computed", "w")

def step(batch):
    x, y = batch
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    note(loss.item(), optimizer.param_groups[0]["lr"])

def validate(loader):
    correct = images = 0
    with torch.no_grad():
        for x, y in loader:
            correct += (model(x).argmax(1) == y).sum().item()
            images += len(y)
    print(correct / images, file=computed, flush=True)

class Stream(IterableDataset):
    def __init__(self, length, samples):
        self.length, self.samples = length, samples
    def __len__(self):
        return self.length
    def __iter__(self):
        numbers = range(self.samples) if self.samples else itertools.count()
        return ((inputs[number % 50], targets[number % 50]) for number in numbers)
"""
"""A network, its steps and its validations, which note each accuracy."""

NO_EPOCHS = {
    "a sampler of 1e10": """
batches = iter(DataLoader(train_set, batch_size=16, sampler=RandomSampler(train_set, True, int(1e10))))
for number in range(1, 21):
    step(next(batches))
    if number % 5 == 0:
        validate(val_loader)
""",
    "a stream that claims 1e12": """
for number, batch in enumerate(DataLoader(Stream(10**12, 0), batch_size=16), 1):
    step(batch)
    if number % 5 == 0:
        validate(val_loader)
    if number == 20:
        break
""",
    "itertools.cycle": """
batches = itertools.cycle(train_loader)
for number in range(1, 21):
    step(next(batches))
    if number % 5 == 0:
        validate(val_loader)
""",
    "an iterator for each batch": """
for number in range(1, 21):
    step(next(iter(train_loader)))
    if number % 5 == 0:
        validate(val_loader)
""",
}
"""Twenty steps, validated behind every fifth."""

EPOCHS = {
    "fewer batches than told": (
        """
for epoch in range(2):
    for batch in DataLoader(Stream(1600, 80), batch_size=16):
        step(batch)
    validate(val_loader)
""",
        [5, 10],
        [5, 10],
    ),
    "more batches than told, and validations among them": (
        """
loader = DataLoader(Stream(48, 160), batch_size=16)
for epoch in range(2):
    for number, batch in enumerate(loader, 1):
        step(batch)
        if number % 4 == 0:
            validate(val_loader)
""",
        [10, 20],
        [4, 8, 14, 18],
    ),
    "zip, over with its first": (
        """
for epoch in range(3):
    for batch, other in zip(train_loader, other_loader):
        step(batch)
    validate(val_loader)
""",
        [4, 8, 12],
        [4, 8, 12],
    ),
    "zip, over with its second": (
        """
for epoch in range(3):
    for other, batch in zip(other_loader, train_loader):
        step(batch)
    validate(val_loader)
""",
        [4, 8, 12],
        [4, 8, 12],
    ),
    "zip of new loaders, and validations among them": (
        """
for epoch in range(3):
    one = DataLoader(train_set, batch_size=16, shuffle=True)
    other = DataLoader(TensorDataset(inputs, targets), batch_size=16, shuffle=True)
    for number, (batch, _) in enumerate(zip(one, other), 1):
        step(batch)
        if number == 2:
            validate(val_loader)
    validate(val_loader)
""",
        [4, 8, 12],
        [2, 4, 6, 8, 10, 12],
    ),
    "two iterators, each begun anew at its end": (
        """
ones, others = iter(train_loader), iter(other_loader)
for number in range(1, 21):
    try:
        batch = next(ones)
    except StopIteration:
        ones = iter(train_loader)
        batch = next(ones)
    try:
        other = next(others)
    except StopIteration:
        others = iter(other_loader)
        other = next(others)
    step(batch)
    if number % 5 == 0:
        validate(val_loader)
""",
        [5, 10, 15, 20],
        [5, 10, 15, 20],
    ),
    "steps by turns with two loaders": (
        """
for epoch in range(3):
    others = iter(other_loader)
    for batch in train_loader:
        step(batch)
        step(next(others))
    validate(val_loader)
""",
        [8, 16, 24],
        [8, 16, 24],
    ),
    "one batch of a validation that goes on": (
        """
values = iter(DataLoader(TensorDataset(inputs, targets), batch_size=2))
for epoch in range(3):
    for number, batch in enumerate(train_loader, 1):
        step(batch)
        if number == 3:
            with torch.no_grad():
                x, y = next(values)
                model(x)
    validate(val_loader)
""",
        [4, 8, 12],
        [4, 8, 12],
    ),
    "zip, then one loader": (
        """
for batch, other in zip(train_loader, other_loader):
    step(batch)
validate(val_loader)
for epoch in range(2):
    for batch in train_loader:
        step(batch)
    validate(val_loader)
""",
        [4, 8, 12],
        [4, 8, 12],
    ),
    "loops within a pass over tasks": (
        """
for task in DataLoader(TensorDataset(torch.arange(3)), batch_size=1):
    for batch in train_loader:
        step(batch)
    validate(val_loader)
""",
        [4, 8, 12],
        [4, 8, 12],
    ),
    "one loader, iterated anew at its end": (
        """
batches = iter(train_loader)
for number in range(1, 21):
    try:
        batch = next(batches)
    except StopIteration:
        batches = iter(train_loader)
        batch = next(batches)
    step(batch)
    if number % 4 == 0:
        validate(val_loader)
""",
        [4, 8, 12, 16, 20],
        [4, 8, 12, 16, 20],
    ),
}
"""Programs, the last step of each of their epochs, and the step behind which each validation was made."""


def accuracies(folder: Path) -> list[float]:
    return [float(line) for line in (folder / "computed").read_text().splitlines()]


def told_accuracies(told: Told) -> list[tuple[int, float]]:
    series = told.history.series["val_accuracy"]
    return [(step, value) for step, value in zip(series.steps, series.values, strict=True) if isfinite(value)]


@pytest.mark.parametrize("name", NO_EPOCHS)
def test_a_loader_of_which_no_end_is_seen_has_no_epochs(tmp_path: Path, name: str) -> None:
    told = told_of(tmp_path, BEGIN + NO_EPOCHS[name])
    history, recipe = told.history, told.history.recipe
    assert recipe is not None
    assert (history.steps, history.epochs, recipe.batches_per_epoch, recipe.epochs) == (20, [], None, None)
    assert recipe.total_steps == (20 if "range(1, 21)" in NO_EPOCHS[name] else None), "as its own loop says"
    assert told_accuracies(told) == list(zip([5, 10, 15, 20], accuracies(tmp_path), strict=True))


@pytest.mark.parametrize("name", EPOCHS)
def test_epochs_are_those_of_the_program(tmp_path: Path, name: str) -> None:
    program, ends, validated = EPOCHS[name]
    told = told_of(tmp_path, BEGIN + program)
    history, recipe = told.history, told.history.recipe
    assert [(ended.epoch, ended.step) for ended in history.epochs] == [*enumerate(ends, 1)]
    assert history.epoch_starts == [1, *(end + 1 for end in ends[:-1])]
    assert recipe is not None
    assert recipe.batches_per_epoch == ends[0]
    assert told_accuracies(told) == list(zip(validated, accuracies(tmp_path), strict=True))


def test_a_validation_that_was_left_early_is_of_the_epoch_before_it(tmp_path: Path) -> None:
    program = """
for epoch in range(3):
    for batch in train_loader:
        step(batch)
    with torch.no_grad():
        for number, (x, y) in enumerate(val_loader):
            val_loss = F.cross_entropy(model(x), y).item()
            if number == 0:
                print(val_loss, file=computed, flush=True)
                break
"""
    history = told_of(tmp_path, BEGIN + program).history
    assert [ended.val_loss for ended in history.epochs] == pytest.approx(accuracies(tmp_path), rel=1e-12)


def test_optimizers_that_train_by_epochs_in_turn_over_several_loaders_take_nothing_over(tmp_path: Path) -> None:
    program = """
head = nn.Linear(8, 2)
others = torch.optim.SGD(head.parameters(), lr=0.2)

def step_of_other(batch):
    others.zero_grad()
    F.cross_entropy(head(batch[0]), batch[1]).backward()
    others.step()

for epoch in range(4):
    for batch, other in zip(train_loader, other_loader):
        (step_of_other if epoch % 2 else step)(batch)
    validate(val_loader)
"""
    history = told_of(tmp_path, BEGIN + program).history
    assert not history.notices
    assert (history.steps, history.resolved and history.resolved.recipe.took_over_at) == (8, 0)


@pytest.mark.parametrize(
    "sampler", ["SubsetRandomSampler(range(50, 70))", "RandomSampler(everything, True, 200)", "range(50, 70)"]
)
def test_an_accuracy_is_a_share_of_the_samples_that_the_sampler_draws(tmp_path: Path, sampler: str) -> None:
    program = f"""
everything = TensorDataset(inputs, targets)
loader = DataLoader(everything, batch_size=8, sampler={sampler})
for epoch in range(3):
    for batch in train_loader:
        step(batch)
    validate(loader)
"""
    told = told_of(tmp_path, BEGIN + program)
    assert [value for _, value in told_accuracies(told)] == accuracies(tmp_path)


def test_an_accuracy_is_no_share_of_samples_that_a_batch_sampler_may_leave_out(tmp_path: Path) -> None:
    program = """
class Halves:
    def __len__(self):
        return 2
    def __iter__(self):
        return iter([[0, 1, 2, 3], [4, 5, 6, 7]])

loader = DataLoader(val_set, batch_sampler=Halves())
for epoch in range(3):
    for batch in train_loader:
        step(batch)
    validate(loader)
"""
    history = told_of(tmp_path, BEGIN + program).history
    assert [ended.epoch for ended in history.epochs] == [1, 2, 3]
    assert "val_accuracy" not in history.series
