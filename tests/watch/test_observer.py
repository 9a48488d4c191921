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
