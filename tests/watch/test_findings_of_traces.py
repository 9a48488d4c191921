"""What is found to be wrong in traces made by hand: of a GPU, of processes that were killed, of some odd loops."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any

import pytest

from tests.watch.made_traces import Frame, MadeTrace, mnist
from tui_trainer.events import MistakeFound
from tui_trainer.watching.findings import Findings
from tui_trainer.watching.trace import Goodbye, Obeyed, Observed, Options, Planned, SchedulerState, Site


def found_in(frames: Sequence[Frame], options: Options | None = None) -> list[MistakeFound]:
    """All that is found in a trace."""
    findings = Findings(options, lambda: 1.0)
    return [found for frame in frames for found in findings.take(frame)]


def codes(frames: Sequence[Frame], options: Options | None = None) -> list[str]:
    """By their codes."""
    return [found.mistake for found in found_in(frames, options)]


# Numbers that are read from a GPU


def reading(
    steps: int, *, device: str = "cuda:0", every: int = 1, seconds: float = 0.004, file: str = "/home/somebody/train.py"
) -> MadeTrace:
    """A loop that reads its loss from a device, every so many steps."""
    made = MadeTrace()
    made.model(device=device)
    optimizer = made.optimizer()
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    item = made.site("item", "loss", file=file)
    for number in range(1, steps + 1):
        made.call(backward, 1.0)
        made.step(step, optimizer)
        if number % every == 0:
            made.call(item, 1.0, seconds)
    return made


@pytest.mark.parametrize(
    ("steps", "device", "seconds"), [(200, "cuda:0", 0.004), (120, "cuda", 0.1), (101, "cuda:1", 5e-4)]
)
def test_a_number_read_from_a_gpu_at_every_step_is_told_with_what_it_costs(
    steps: int, device: str, seconds: float
) -> None:
    made = reading(steps, device=device, seconds=seconds)
    (found,) = found_in(made.end())
    (item,) = [frame for frame in made.frames if isinstance(frame, Site) and frame.call == "item"]
    assert (found.mistake, found.file, found.lineno) == ("item_each_step", item.file, item.lineno)
    assert found.values["wait_s"] == pytest.approx(seconds, rel=1e-6)


@pytest.mark.parametrize(
    "made",
    [
        reading(200, device="cpu"),
        reading(400, every=2),
        reading(400, every=100),
        reading(200, seconds=1e-5),
        reading(40),
        reading(200, file=""),
    ],
    ids=["on the CPU", "every other step", "now and then", "in next to no time", "in a few steps", "by a library"],
)
def test_other_numbers_that_are_read_are_not(made: MadeTrace) -> None:
    assert codes(made.end()) == []


# Schedulers


def scheduled(
    class_name: str,
    state: dict[str, Any],
    *,
    epochs: int = 3,
    batches: int = 8,
    each_batch: bool = False,
    planned: int | None = None,
    arguments: dict[str, Any] | None = None,
) -> MadeTrace:
    """A loop of some epochs, with a scheduler behind each batch or each epoch."""
    made = MadeTrace(arguments=arguments)
    optimizer = made.optimizer()
    scheduler = made.scheduler(optimizer, class_name, state=state)
    if planned is not None:
        plan = {"from_count": 0, "lrs": [[0.1]], "length": planned, "length_from": "num_training_steps"}
        made.define(Planned(scheduler=scheduler, **plan))  # type: ignore[arg-type]
    loader = made.loader(batches=batches)
    data = made.site("data", "train_loader", loader)
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    stepped = made.site("scheduler.step", "scheduler", scheduler)
    for _ in range(epochs):
        for _ in made.batches(data, batches):
            made.call(backward, 1.0)
            made.step(step, optimizer)
            if each_batch:
                made.call(stepped, 0.1)
        if not each_batch:
            made.call(stepped, 0.1)
    return made


def test_a_length_that_a_plan_tells_is_as_good_as_one_of_the_state() -> None:
    made = scheduled("LambdaLR", {}, planned=80, epochs=10, arguments={"epochs": 10})
    assert codes(made.frames) == [], "the last rows are not written yet"
    assert codes(made.end()) == ["once_an_epoch"]
    made = scheduled("LambdaLR", {}, planned=80, epochs=10, each_batch=True, arguments={"epochs": 10})
    assert codes(made.end()) == []


def test_a_wrong_interval_is_told_while_the_program_runs_where_its_arguments_tell_its_epochs() -> None:
    made = scheduled("OneCycleLR", {"total_steps": 80}, epochs=4, arguments={"epochs": 10})
    made.flush()
    (found,) = found_in(made.frames)
    assert (found.mistake, found.values, found.step) == (
        "once_an_epoch",
        {"scheduler": "OneCycleLR", "steps": 80},
        17,
    )
    made = scheduled("CosineAnnealingLR", {"T_max": 10}, epochs=4, each_batch=True, arguments={"epochs": 10})
    made.flush()
    assert codes(made.frames) == ["every_batch"]


@pytest.mark.parametrize(("told_where", "found"), [(False, ["schedule_ends_early"]), (True, [])])
def test_an_lr_of_0_behind_the_end_is_meant_where_a_number_says_where_the_scheduler_stands(
    told_where: bool, found: list[str]
) -> None:
    made = MadeTrace()
    optimizer = made.optimizer()
    scheduler = made.scheduler(optimizer, "CosineLRScheduler", module="timm.scheduler.cosine_lr")
    made.define(Planned(scheduler=scheduler, from_count=0, lrs=[[0.1]], length=8, length_from="get_cycle_length"))
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    stepped, lr = made.site("scheduler.step", "scheduler", scheduler), made.site("lr", "", optimizer)
    for number in range(40):
        made.call(backward, 1.0)
        made.step(step, optimizer)
        made.call(stepped, 0.1 if number < 8 else 0.0)
        if number == 0 and told_where:
            made.define(Observed(fact="stepped_to", site=stepped))
        if number == 8:
            made.call(lr, 0.0)
    assert codes(made.end()) == found


def test_a_length_that_may_be_of_epochs_or_of_batches_is_neither() -> None:
    made = scheduled("CosineAnnealingLR", {"T_max": 24}, epochs=5)
    assert codes(made.frames) == []
    assert codes(scheduled("CosineAnnealingLR", {"T_max": 24}, epochs=5).end()) == []
    assert codes(scheduled("CosineAnnealingLR", {"T_max": 5}, epochs=4, each_batch=True).end()) == []


def test_a_length_that_is_near_a_few_batches_by_chance_is_none_of_batches() -> None:
    made = scheduled("CosineAnnealingLR", {"T_max": 9}, epochs=2, batches=4, arguments={"epochs": 2})
    made.flush()
    assert codes(made.frames) == []


def test_a_schedule_of_which_the_run_did_not_reach_the_end_is_told_as_the_run_ends_as_it_was_to() -> None:
    state = {"total_steps": 200}
    whole = scheduled("OneCycleLR", state, epochs=5, each_batch=True, arguments={"epochs": 5})
    (found,) = found_in(whole.end())
    assert (found.mistake, found.values["steps"], found.values["total"]) == ("schedule_never_ends", 200, 40)
    early = scheduled("OneCycleLR", state, epochs=3, each_batch=True, arguments={"epochs": 5})
    assert codes(early.end()) == [], "it was stopped"
    killed = scheduled("OneCycleLR", state, epochs=5, each_batch=True, arguments={"epochs": 5})
    killed.flush()
    assert codes(killed.frames) == [], "nobody knows whether it had ended"
    failed = scheduled("OneCycleLR", state, epochs=5, each_batch=True, arguments={"epochs": 5})
    failed.define(Goodbye(clock=failed.now, raised="ValueError"))
    assert codes(failed.frames) == [], "more may have been to come"
    unknown = scheduled("OneCycleLR", state, epochs=5, each_batch=True)
    assert codes(unknown.end()) == [], "nobody knows how long it was to be"


@pytest.mark.parametrize("arguments", [{}, {"epochs": 40}], ids=["nobody knows its length", "40 epochs"])
@pytest.mark.parametrize("stopped", [False, True], ids=["by itself", "stopped"])
def test_a_run_that_ended_early_behind_as_many_steps_as_a_scheduler_of_epochs_has_is_right(
    stopped: bool, arguments: dict[str, Any]
) -> None:
    made = scheduled("CosineAnnealingLR", {"T_max": 40}, epochs=5, arguments=arguments)
    if stopped:
        made.define(Obeyed(serial=1, what="stop", step=41, clock=made.now))
        made.define(Goodbye(clock=made.now, raised="StopRequested"))
    assert codes(made.frames if stopped else made.end()) == []


def test_epochs_that_another_process_did_are_not_made_up_for() -> None:
    arguments = {"epochs": 10, "start_epoch": 5}
    made = scheduled("CosineAnnealingLR", {"T_max": 10, "last_epoch": 5}, epochs=5, arguments=arguments)
    assert codes(made.end()) == []


def test_a_scheduler_of_a_later_optimizer_says_nothing_of_the_first_one() -> None:
    made = mnist(epochs=2)
    second = made.optimizer("second")
    scheduler = made.scheduler(second)
    stepped = made.site("scheduler.step", "scheduler2", scheduler)
    step = made.site("optimizer.step", "second", second)
    for _ in range(3):
        made.call(stepped, 0.1)
        made.step(step, second)
    assert codes(made.end()) == []


# Losses that come late, as from a GPU


def test_a_plateau_that_is_given_losses_which_came_late_is_told_of_them() -> None:
    made = MadeTrace()
    optimizer = made.optimizer()
    scheduler = made.scheduler(optimizer, "ReduceLROnPlateau")
    train, val = made.loader(), made.loader("val_loader", shuffles=False, sampler="SequentialSampler")
    data, val_data = made.site("data", "train_loader", train), made.site("data", "val_loader", val)
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    stepped = made.site("scheduler.step", "scheduler", scheduler, text="scheduler.step(train_loss)")
    for _ in range(4):
        rows = []
        for _ in made.batches(data, 4):
            rows.append(made.call(backward, nan))
            made.step(step, optimizer)
        for number, row in enumerate(rows):
            made.late(row, 1.0 + number)
        for _ in made.batches(val_data, 2):
            pass
        made.call(stepped, 0.1)
        made.define(SchedulerState(id=scheduler, state={}, metric=2.5))
    (found,) = found_in(made.end())
    assert (found.mistake, found.values["metric"]) == ("training_metric", "train_loss")


# What the process saw


def test_a_gradient_that_came_late_is_none_that_never_came() -> None:
    made = mnist(epochs=1, batches=30)
    (step,) = [frame for frame in made.frames if isinstance(frame, Site) and frame.call == "optimizer.step"]
    told = {"parameters": 10, "tensors": 1, "steps": 20}
    made.define(Observed(fact="no_gradient", site=step.id, values=told))
    assert codes(made.end()) == [], "a part may wait for the second epoch"


def test_facts_that_make_no_sense_are_no_findings() -> None:
    made = mnist()
    facts = ("gradients_kept", "no_gradient", "not_in_optimizer", "graphs_kept", "same_labels", "forward", "raised")
    for fact in (*facts, "stepped_to", "epochs", "step_not_visible", "no such fact"):
        for values in ({}, {"steps": "many", "parameters": -1, "kept": None}, {"error": 1, "file": 2, "lineno": "x"}):
            made.define(Observed(fact=fact, site=999, values=dict(values)))
    assert codes(made.end()) == []


def test_a_fork_says_nothing_twice_of_one_place() -> None:
    made = mnist()
    raised = {"error": "no_metric", "scheduler": "ReduceLROnPlateau", "file": "train.py", "lineno": 3}
    for _ in range(2):
        made.define(Observed(fact="raised", values=dict(raised)))
    (found,) = found_in(made.end())
    assert (found.file, found.lineno, found.values) == ("train.py", 3, {"scheduler": "ReduceLROnPlateau"})


def test_findings_can_be_said_one_frame_at_a_time_and_none_of_them_waits_for_more_than_it_needs() -> None:
    made = MadeTrace()
    optimizer = made.optimizer()
    scheduler = made.scheduler(optimizer)
    stepped = made.site("scheduler.step", "scheduler", scheduler)
    step = made.site("optimizer.step", "optimizer", optimizer)
    made.call(stepped, 0.1)
    made.step(step, optimizer)
    made.flush()
    assert codes(made.frames) == [], "once may be a beginning"
    made.call(stepped, 0.1)
    made.flush()
    assert codes(made.frames) == ["scheduler_before_optimizer"]
    assert codes([*made.frames, Goodbye(clock=1.0)]) == ["scheduler_before_optimizer"]
