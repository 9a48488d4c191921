"""The planned LR of a watched program: which step runs with which LR."""

from __future__ import annotations

import pytest

from tests.watch.made_traces import START, MadeTrace, interpreted
from tui_trainer.events import AnyEvent, PlanMade
from tui_trainer.watching.interpreter.interpreter import Interpreter
from tui_trainer.watching.trace import Options, Planned


def planned(
    *,
    every_step: bool,
    length: int | None,
    epochs: int = 2,
    from_count: int = 0,
    options: Options | None = None,
    reached: int | None = None,
) -> list[PlanMade]:
    made = MadeTrace()
    optimizer, loader = made.optimizer(lrs=[1.0]), made.loader(batches=3)
    steps_by = made.scheduler(optimizer, "LambdaLR", state={"last_epoch": 0})
    lrs = [[1.0 / (from_count + place + 1)] for place in range(7 if every_step else 5)]
    data = made.site("data", "train_loader", loader)
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    scheduled = made.site("scheduler.step", "scheduler", steps_by)
    count = 0

    def rehearse() -> None:
        made.define(
            Planned(
                scheduler=steps_by,
                from_count=from_count,
                lrs=[[lr for (lr,) in lrs]],
                length=length,
                length_from="total_steps" if length else "",
                reached=reached,
            )
        )

    if not from_count:
        rehearse()
    for _ in range(epochs):
        for _ in made.batches(data, 3):
            made.call(backward, 1.0)
            made.step(step, optimizer)
            if every_step:
                count += 1
                made.call(scheduled, 1.0 / (count + 1))
                if count == from_count:
                    rehearse()
        if not every_step:
            count += 1
            made.call(scheduled, 1.0 / (count + 1))
    events, _ = interpreted(made.end(), options=options or Options())
    return [event for event in events if isinstance(event, PlanMade)]


@pytest.mark.never_says("plan.length_unknown")
def test_of_a_scheduler_that_steps_every_batch_each_lr_is_of_one_step(captions_said: set[str]) -> None:
    (plan,) = planned(every_step=True, length=6)
    assert plan.steps == [1, 2, 3, 4, 5, 6]
    assert plan.lrs == [1.0 / number for number in range(1, 7)]
    assert (plan.last_step, plan.note) == (6, "")
    assert "plan.length_unknown" not in captions_said


def test_of_one_that_steps_every_epoch_each_lr_is_of_an_epoch() -> None:
    (plan,) = planned(every_step=False, length=4)
    assert plan.steps == [1, 4, 7, 10]
    assert plan.last_step == 12


def test_a_rehearsal_in_the_middle_begins_with_the_step_that_comes() -> None:
    (plan,) = planned(every_step=True, length=6, from_count=2)
    assert plan.steps[0] == 3
    assert plan.lrs[0] == 1.0 / 3


def test_of_a_scheduler_that_is_made_later_the_step_that_it_was_seen_at_counts_once() -> None:
    made = MadeTrace()
    optimizer = made.optimizer(lrs=[1.0])
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    made.call(backward, 1.0)
    made.step(step, optimizer)
    later = made.scheduler(optimizer, "LambdaLR", state={"last_epoch": 1})
    made.define(Planned(scheduler=later, from_count=1, lrs=[[0.5, 0.25, 0.125]], length=3, length_from="total_steps"))
    scheduled = made.site("scheduler.step", "scheduler", later)
    for lr in (0.5, 0.25):
        made.call(scheduled, lr)
        made.call(backward, 1.0)
        made.step(step, optimizer)
    events, _ = interpreted(made.end())
    (plan,) = [event for event in events if isinstance(event, PlanMade)]
    assert (plan.steps, plan.lrs) == ([2, 3], [0.5, 0.25])


def lr_written(*, after: int) -> list[PlanMade]:
    """A per-batch scheduler of 8 steps, beside which the LR is written once behind a step; 0: never."""
    made = MadeTrace()
    optimizer = made.optimizer(lrs=[1.0])
    steps_by = made.scheduler(optimizer, "LambdaLR", state={"last_epoch": 0})
    lrs = [1.0 / (place + 1) for place in range(9)]
    made.define(Planned(scheduler=steps_by, from_count=0, lrs=[lrs], length=8, length_from="total_steps"))
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    scheduled, lr_site = made.site("scheduler.step", "scheduler", steps_by), made.site("lr", "", optimizer)
    for number in range(1, 7):
        made.call(backward, 1.0)
        made.step(step, optimizer)
        made.call(scheduled, lrs[number])
        made.call(lr_site, 0.001 if number == after else lrs[number])
        made.flush()
    events: list[AnyEvent] = []
    interpreter = Interpreter(events.append, Options(), lambda: START)
    for frame in made.end():
        interpreter.take("1-1", frame)
        interpreter.tick()
    interpreter.finish()
    return [event for event in events if isinstance(event, PlanMade)]


@pytest.mark.says("plan.written")
def test_once_the_lr_is_written_beside_its_scheduler_it_is_planned_no_more() -> None:
    plan, none = lr_written(after=3)
    assert (plan.last_step, none.steps, none.lrs, none.open_ended) == (8, [4], [0.001], True)
    assert none.note == "the LR is written beside the scheduler: what that makes of it is not known"


@pytest.mark.never_says("plan.written")
def test_the_plan_of_a_scheduler_that_alone_moves_the_lr_stands(captions_said: set[str]) -> None:
    assert [plan.last_step for plan in lr_written(after=0)] == [8]
    assert "plan.written" not in captions_said


def test_a_scheduler_that_steps_before_each_epoch_is_planned_by_epochs() -> None:
    made = MadeTrace()
    optimizer, loader = made.optimizer(lrs=[1.0]), made.loader(batches=3)
    steps_by = made.scheduler(optimizer, "StepLR", state={"last_epoch": 0})
    data, scheduled = made.site("data", "train_loader", loader), made.site("scheduler.step", "scheduler", steps_by)
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    for epoch in range(3):
        made.call(scheduled, 1.0)
        if not epoch:
            made.define(Planned(scheduler=steps_by, from_count=1, lrs=[[1.0, 1.0, 0.1]], length=None))
        for _ in made.batches(data, 3):
            made.call(backward, 1.0)
            made.step(step, optimizer)
    events, _ = interpreted(made.end())
    plan = [event for event in events if isinstance(event, PlanMade)][-1]
    assert (plan.steps, plan.lrs, plan.open_ended) == ([1, 7], [1.0, 0.1], True)


@pytest.mark.says("plan.if_each_epoch")
def test_before_a_scheduler_has_stepped_its_plan_says_what_it_supposes(captions_said: set[str]) -> None:
    made = MadeTrace()
    optimizer, loader = made.optimizer(lrs=[1.0]), made.loader(batches=5)
    steps_by = made.scheduler(optimizer, "StepLR", state={"last_epoch": 0})
    made.define(Planned(scheduler=steps_by, from_count=0, lrs=[[1.0, 1.0, 0.1]], length=3, length_from="--epochs"))
    data = made.site("data", "train_loader", loader)
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    for _ in made.batches(data, 4, stops=False):
        made.call(backward, 1.0)
        made.step(step, optimizer)
    events, _ = interpreted(made.end())
    (plan,) = [event for event in events if isinstance(event, PlanMade)]
    assert (plan.steps, plan.lrs, plan.last_step) == ([1, 11], [1.0, 0.1], 15)
    assert plan.note == "if its scheduler steps once an epoch"


@pytest.mark.never_says("plan.if_each_epoch")
def test_a_scheduler_that_steps_after_every_batch_mostly_is_waited_for(captions_said: set[str]) -> None:
    assert planned(every_step=True, length=6)
    assert "plan.if_each_epoch" not in captions_said


def test_a_long_plan_is_told_at_some_places() -> None:
    made = MadeTrace()
    optimizer = made.optimizer(lrs=[1.0])
    steps_by = made.scheduler(optimizer, "LambdaLR", state={"last_epoch": 0})
    lrs = [1.0 - place / 10_000 for place in range(5000)]
    made.define(Planned(scheduler=steps_by, from_count=0, lrs=[lrs], every=20, length=100_000))
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    scheduled = made.site("scheduler.step", "scheduler", steps_by)
    made.call(backward, 1.0)
    made.step(step, optimizer)
    made.call(scheduled, 1.0)
    events, _ = interpreted(made.end())
    (plan,) = [event for event in events if isinstance(event, PlanMade)]
    assert (plan.exact, plan.last_step, plan.steps[:2]) == (False, 100_000, [1, 61])
    assert len(plan.steps) <= 2000


@pytest.mark.says("plan.rehearsed_to")
@pytest.mark.never_says("plan.rehearsed_to", "plan.length_unknown")
def test_a_plan_of_a_part_says_how_far_it_goes(captions_said: set[str]) -> None:
    assert planned(every_step=True, length=6)[0].note == ""
    assert "plan.rehearsed_to" not in captions_said
    (plan,) = planned(every_step=True, length=6, reached=4)
    assert plan.note == "rehearsed to step 4 only"
    assert "plan.length_unknown" not in captions_said


@pytest.mark.says("plan.length_unknown")
def test_a_length_that_is_not_known_is_said() -> None:
    (plan,) = planned(every_step=True, length=None)
    assert plan.short_note == "length unknown"
    assert plan.open_ended


@pytest.mark.never_says("plan.length_unknown")
@pytest.mark.parametrize("options", [Options(epochs=2), Options(steps=6)], ids=["epochs", "steps"])
def test_a_plan_ends_with_the_run_where_the_run_s_end_is_known(options: Options) -> None:
    (plan,) = planned(every_step=False, length=None, options=options)
    assert (plan.steps, plan.lrs, plan.last_step) == ([1, 4], [1.0, 0.5], 6)
    assert (plan.note, plan.open_ended) == ("", False)


def test_a_schedule_that_is_longer_than_the_run_is_planned_to_the_run_s_end() -> None:
    (plan,) = planned(every_step=True, length=6, options=Options(steps=5))
    assert (plan.steps, plan.last_step, plan.open_ended) == ([1, 2, 3, 4, 5], 5, False)


def test_from_where_the_lr_is_dialled_on_it_is_planned_anew_and_before_that_it_stays_planned_as_it_was() -> None:
    made = MadeTrace()
    optimizer, loader = made.optimizer(lrs=[1.0]), made.loader(batches=4)
    steps_by = made.scheduler(optimizer, "StepLR", state={"last_epoch": 0})
    rates = [1.0, 0.5, 0.25]
    made.define(Planned(scheduler=steps_by, from_count=0, lrs=[rates], length=3, length_from="--epochs"))
    data = made.site("data", "train_loader", loader)
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    scheduled, lr_site = made.site("scheduler.step", "scheduler", steps_by), made.site("lr", "", optimizer)
    dials = {}
    for epoch in range(3):
        for batch in made.batches(data, 4):
            if (epoch, batch) == (1, 2):
                made.flush()
                dials[len(made.frames)] = 0.1
                made.call(lr_site, rates[1] * 0.1)
            made.call(backward, 1.0)
            made.step(step, optimizer)
        if epoch < 2:
            made.call(scheduled, rates[epoch + 1])
            made.call(lr_site, rates[epoch + 1] * (0.1 if epoch else 1.0))
    events, _ = interpreted(made.end(), dials=dials)
    first, *_, dialled = [event for event in events if isinstance(event, PlanMade)]
    assert (first.steps, first.lrs, first.last_step) == ([1, 5, 9], rates, 12)
    assert (dialled.steps, dialled.lrs, dialled.last_step) == ([7, 9], [0.05, 0.025], 12)
