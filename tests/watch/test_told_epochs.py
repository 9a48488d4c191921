"""How many epochs there will be: what a program calls so counts for as long as it stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.watch.made_traces import interpreted, mnist
from tests.watch.test_real_loops import told_of
from tests.watch.watched import run
from tui_trainer.watching.trace import Observed

BEGIN = """
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=9)
parser.add_argument("--start-epoch", type=int, default=0)
args = parser.parse_args([])
train_loader = DataLoader(train_set, batch_size=16, shuffle=True)
model = nn.Linear(8, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

def train():
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        note(loss.item(), 0.1)

"""


@pytest.mark.parametrize(
    ("program", "epochs"),
    [
        ("for epoch in range(9):\n    train()", 9),
        ("args.epochs = 3\nfor epoch in range(args.epochs):\n    train()", 3),
        ("args.start_epoch = 6\nfor epoch in range(args.start_epoch, args.epochs):\n    train()", 3),
        ("while args.epochs > 6:\n    train()\n    args.epochs -= 1", None),
        ("for args.epochs in (2, 3):\n    for epoch in range(args.epochs):\n        train()", None),
        ("other = parser.parse_args(['--epochs', '3'])\nfor epoch in [*range(9)]:\n    train()", None),
    ],
    ids=["as it came", "changed before", "begun later", "counted down", "changed on the way", "two of them"],
)
def test_an_argument_tells_the_epochs_until_it_moves(tmp_path: Path, program: str, epochs: int | None) -> None:
    recipe = told_of(tmp_path, BEGIN + program).history.recipe
    assert recipe is not None
    assert (recipe.epochs, recipe.total_steps) == (epochs, epochs and 4 * epochs)


@pytest.mark.parametrize("at", range(1, 40, 6))
def test_an_argument_that_moves_is_withdrawn_whenever_that_shows(at: int) -> None:
    frames = mnist(epochs=3, batches=4).end()
    frames.insert(min(at, len(frames)), Observed(fact="argument_moves", values={"argument": "epochs"}))
    _, history = interpreted(frames)
    assert history.recipe is not None
    assert (history.recipe.epochs, history.recipe.total_steps) == (None, None)


LOOP = """
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(torch.randn(8, 4)), batch_size=4)
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def train():
        for (x,) in loader:
            model(x).sum().backward()
            optimizer.step()
            optimizer.zero_grad()

"""


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("epochs = 3\n    for epoch in range(epochs):\n        train()", 3),
        ("NUM_EPOCHS = 3\n    for epoch in range(NUM_EPOCHS):\n        train()", 3),
        ("epochs = 0\n    while epochs < 3:\n        train()\n        epochs += 1", None),
        ("epochs = 0\n    train()\n    epochs += 1", None),
        ("for epochs in range(1, 4):\n        train()", None),
        ("num_epochs = 3\n    while num_epochs:\n        train()\n        num_epochs -= 1", None),
        ("n_epochs = epochs = 3\n    for epoch in range(epochs):\n        train()", 3),
        ("n_epochs, epochs = 9, 3\n    for epoch in range(epochs):\n        train()", None),
        ("for epoch in range(3):\n        train()\n    epochs = 3", None),
    ],
    ids=["a variable", "a constant", "counted", "once", "a loop's", "down", "two alike", "two apart", "afterwards"],
)
def test_a_variable_tells_the_epochs_if_it_never_moves(tmp_path: Path, program: str, told: int | None) -> None:
    watched = run(tmp_path, LOOP + "    " + program)
    assert watched.code == 0, watched.errors
    facts = [frame.values["epochs"] for frame in watched.trace.all(Observed) if frame.fact == "epochs"]
    assert facts == ([] if told is None else [told])
