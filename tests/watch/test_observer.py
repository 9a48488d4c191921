"""What the observer tells of a training loop, none of whose lines was changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.watch.watched import TRAINING, Watched, run
from tui_trainer.watching.trace import Fault, Goodbye, Hello, LoaderSeen, OptimizerSeen, SchedulerSeen, Site


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A plain loop, which prints its losses."""
    return run(tmp_path_factory.mktemp("loop"), TRAINING + "    print(*losses)\n", "--epochs", "2")


def test_a_process_says_who_it_is_first_and_that_it_ends_last(trained: Watched) -> None:
    assert (trained.code, trained.errors, trained.trace.garbage) == (0, "", 0)
    hello, *_, goodbye = trained.trace.definitions
    assert isinstance(hello, Hello)
    assert isinstance(goodbye, Goodbye)
    assert hello.script.endswith("train.py")
    assert hello.argv[-2:] == ["--epochs", "2"]
    assert (hello.rank, hello.world_size, hello.group) == (None, None, "")
    assert not trained.trace.all(Fault)


def test_losses_are_those_of_the_program_to_the_last_bit(trained: Watched) -> None:
    assert trained.trace.values("backward") == [float(loss) for loss in trained.output.split()]


def test_calls_stand_in_their_order_by_the_names_of_the_program(trained: Watched) -> None:
    step = [("data", "train_loader"), ("zero_grad", "optimizer"), ("backward", "loss"), ("optimizer.step", "optimizer")]
    epoch = [("data", "train_loader"), *step * 3, ("data", "train_loader"), ("scheduler.step", "scheduler")]
    told = trained.trace.calls("data", "zero_grad", "backward", "optimizer.step", "scheduler.step")
    assert [(call, name) for call, name, _ in told] == epoch * 2
    assert trained.trace.values("data") == [-1, 0, 0, 0, 1] * 2
    assert trained.trace.values("optimizer.step") == [1, 2, 3, 4, 5, 6]


def test_each_place_has_its_file_its_line_and_its_text(trained: Watched, tmp_path: Path) -> None:
    (backward,) = [site for site in trained.trace.all(Site) if site.call == "backward"]
    lines = Path(backward.file).read_text().splitlines()
    assert lines[backward.lineno - 1].strip() == backward.text == "loss.backward()"


def test_lrs_are_told_as_they_change(trained: Watched) -> None:
    assert trained.trace.values("lr") == [0.1, 0.05]
    assert trained.trace.values("momentum") == [0.9]
    assert trained.trace.values("scheduler.step") == [0.05, 0.025]


def test_objects_are_known_by_class_and_name(trained: Watched) -> None:
    optimizer, scheduler = trained.trace.one(OptimizerSeen), trained.trace.one(SchedulerSeen)
    assert (optimizer.class_name, optimizer.name) == ("SGD", "optimizer")
    assert [(group.lr, group.parameters, group.tensors) for group in optimizer.groups] == [(0.1, 195, 4)]
    assert (scheduler.class_name, scheduler.name, scheduler.optimizer) == ("StepLR", "scheduler", optimizer.id)
    assert (scheduler.state["step_size"], scheduler.state["gamma"]) == (1, 0.5)
    loader = trained.trace.one(LoaderSeen)
    assert (loader.name, loader.batches, loader.batch_size, loader.samples) == ("train_loader", 3, 32, 96)
    assert (loader.shuffles, loader.map_style, loader.dataset) == (True, True, "TensorDataset")


PLACES = """
    import time
    import torch

    weight = torch.nn.Parameter(torch.ones(1))
    optimizers = [torch.optim.SGD([weight], lr=0.1, momentum=0.5) for _ in range(2)]

    def step(optimizer):
        loss = (weight - 1.5).square().sum()
        loss.backward()
        optimizer.step()

    def deeper(optimizer):
        step(optimizer)

    for turn in range(6):
        (deeper if turn % 2 else step)(optimizers[turn % 2])
        step(optimizers[0])
        other = weight.sum()
        other.backward(); optimizers[1].step()

    lonely = torch.optim.SGD([weight], lr=0.1, momentum=0.5)
    until = time.monotonic() + 60
    for turn in range(10**9):
        lonely.param_groups[0]["momentum"] = 0.5 + turn % 1000 / 10000
        weight.sum().backward()
        lonely.step()
        if turn == 3:
            time.sleep(0.3)  # longer than a trace waits to be written
        if turn == 9:
            break
"""


def test_a_place_is_known_however_deep_it_is_called_and_momentum_that_moves_alone_is_followed(tmp_path: Path) -> None:
    watched = run(tmp_path, PLACES)
    assert (watched.code, watched.errors) == (0, "")
    trace = watched.trace
    lines = [trace.site(row[0]).text for row in trace.rows if trace.site(row[0]).call in ("backward", "optimizer.step")]
    turn = ["loss.backward()", "optimizer.step()"] * 2 + ["other.backward(); optimizers[1].step()"] * 2
    assert lines == turn * 6 + ["weight.sum().backward()", "lonely.step()"] * 10
    targets = [trace.site(row[0]).target for row in trace.rows if trace.site(row[0]).call == "optimizer.step"]
    assert [targets[:18].count(target) for target in (targets[0], targets[2])] == [9, 9]
    assert targets[:6] == [targets[0], targets[0], targets[2], targets[2], targets[0], targets[2]]
    moved = [value for value in trace.values("momentum") if value > 0.5]
    assert moved[-5:] == [0.5 + turn / 10000 for turn in range(5, 10)]
