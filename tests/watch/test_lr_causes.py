"""Why the LR of a watched program moved: its scheduler, as far as it is known, or a line that wrote it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.watch.made_traces import START, Frame, MadeTrace, interpreted
from tui_trainer.events import LRChanged, LRUnchanged, PlanMade, PlateauCounted, ProgramWatched
from tui_trainer.records.history import History
from tui_trainer.ui.live.why import untold
from tui_trainer.watching.trace import Planned, SchedulerState

LINE = {"text": "scheduler.step()", "lineno": 112}


def loop(
    scheduler: dict[str, Any],
    lrs: Sequence[float],
    *,
    every_step: bool,
    batches: int = 3,
) -> MadeTrace:
    """A loop whose scheduler gives these LRs, one after each of its steps."""
    made = MadeTrace()
    optimizer = made.optimizer(lrs=[lrs[0]])
    steps_by = made.scheduler(optimizer, **scheduler)
    loader = made.loader(batches=batches)
    data = made.site("data", "train_loader", loader)
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    scheduled, lr_site = made.site("scheduler.step", "scheduler", steps_by, **LINE), made.site("lr", "", optimizer)
    following = iter(lrs[1:])
    lr = told = lrs[0]
    for _ in range((len(lrs) - 1) // (batches if every_step else 1)):
        for _ in made.batches(data, batches):
            made.call(backward, 1.0)
            if lr != told:
                made.call(lr_site, lr, 0)
                told = lr
            made.step(step, optimizer)
            if every_step:
                lr = next(following)
                made.call(scheduled, lr)
        if not every_step:
            lr = next(following)
            made.call(scheduled, lr)
    return made


def reasons(frames: list[Frame]) -> list[str]:
    _, history = interpreted(frames)
    return said(history)


def said(history: History) -> list[str]:
    told = [event for event in history.why if isinstance(event, LRChanged | LRUnchanged)]
    return [f"{event.step}: {event.reason}" for event in told]


def test_a_scheduler_of_torch_is_explained_as_one_of_our_own() -> None:
    scheduler = {"class_name": "StepLR", "state": {"step_size": 2, "gamma": 0.1, "last_epoch": 0, "base_lrs": [1.0]}}
    assert reasons(loop(scheduler, [1.0, 1.0, 0.1, 0.1, 0.01], every_step=False).end()) == [
        "3: next drop in 1 epoch",
        "6: step_size 2 reached, 1 → 0.1",
        "9: next drop in 1 epoch",
        "12: step_size 2 reached, 0.1 → 0.01",
    ]


def test_one_that_steps_every_batch_says_something_where_its_curve_turns() -> None:
    scheduler = {"class_name": "StepLR", "state": {"step_size": 4, "gamma": 0.5, "last_epoch": 0, "base_lrs": [1.0]}}
    lrs = [1.0] * 4 + [0.5] * 3
    assert reasons(loop(scheduler, lrs, every_step=True).end()) == ["4: step_size 4 reached, 1 → 0.5"]


def test_a_scheduler_that_has_stepped_before_it_was_seen_is_counted_from_there() -> None:
    made = MadeTrace()
    optimizer = made.optimizer(lrs=[1.0])
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    made.call(backward, 1.0)
    made.step(step, optimizer)
    state = {"step_size": 2, "gamma": 0.1, "last_epoch": 2, "base_lrs": [1.0]}
    steps_by = made.scheduler(optimizer, state=state)
    # Defined within its own step: its state is as of after that.
    scheduled = made.site("scheduler.step", "scheduler", steps_by, **LINE)
    made.call(scheduled, 0.1)
    assert reasons(made.end()) == ["1: step_size 2 reached, 1 → 0.1"]


@pytest.mark.says("why.changed_by", "why.kept_by")
@pytest.mark.never_says("why.written_by", "why.changed_falls", "why.changed_rises", "why.next_scheduler")
def test_a_scheduler_of_somebodys_own_is_named_with_the_line_that_steps_it(captions_said: set[str]) -> None:
    scheduler = {"class_name": "WarmUpLR", "module": "__main__", "state": {"last_epoch": 0}}
    assert reasons(loop(scheduler, [0.1, 0.2, 0.2], every_step=False).end()) == [
        "3: changed by WarmUpLR at train.py:112, 0.1 → 0.2",
        "6: left as it is by WarmUpLR at train.py:112",
    ]
    assert not captions_said & {"why.written_by", "why.changed_falls", "why.changed_rises", "why.next_scheduler"}


@pytest.mark.says("why.changed_falls", "why.changed_rises")
@pytest.mark.never_says("why.kept_by", "why.dialled")
def test_a_curve_of_somebodys_own_is_news_where_it_begins_and_where_it_turns(captions_said: set[str]) -> None:
    scheduler = {"class_name": "WarmUpLR", "module": "__main__", "state": {}}
    lrs = [0.1, 0.2, 0.3, 0.2, 0.1, 0.2, 0.2]
    assert reasons(loop(scheduler, lrs, every_step=True).end()) == [
        "1: changed by WarmUpLR at train.py:112, 0.1 → 0.2",
        "3: changed by WarmUpLR at train.py:112: it rose until here, and falls from here, 0.3 → 0.2",
        "5: changed by WarmUpLR at train.py:112: it fell until here, and rises from here, 0.1 → 0.2",
    ]
    assert not captions_said & {"why.kept_by", "why.dialled"}


@pytest.mark.says("why.next_scheduler")
@pytest.mark.never_says("why.changed_by")
def test_a_milestone_of_sequential_lr_is_told(captions_said: set[str]) -> None:
    scheduler = {"class_name": "SequentialLR", "state": {"last_epoch": 0, "_milestones": [1]}}
    assert reasons(loop(scheduler, [0.1, 1.0], every_step=False).end()) == [
        "3: milestone 1 of SequentialLR reached: its next scheduler has it, 0.1 → 1"
    ]
    assert "why.changed_by" not in captions_said


def by_hand(lrs: Sequence[float], script: Path, before: Callable[[MadeTrace, int], None] | None = None) -> list[str]:
    """What is said of a loop that writes these LRs itself, and whose script that is."""
    made = MadeTrace()
    optimizer = made.optimizer(lrs=[lrs[0]])
    backward = made.site("backward", "loss", file=str(script))
    step, lr_site = made.site("optimizer.step", "optimizer", optimizer), made.site("lr", "", optimizer)
    told = 0.0
    for number, lr in enumerate(lrs):
        if before is not None:
            before(made, number)
        made.call(backward, 1.0)
        if lr != told:
            made.call(lr_site, lr, 0)
            told = lr
        made.step(step, optimizer)
    return reasons(made.end())


@pytest.mark.says("why.written_by", "why.written_falls", "why.written_rises")
@pytest.mark.never_says("why.unknown_line")
@pytest.mark.never_says("why.changed_by")
def test_an_lr_that_is_written_by_hand_is_told_with_its_line(tmp_path: Path, captions_said: set[str]) -> None:
    script = tmp_path / "train.py"
    script.write_text("import torch\nfor group in optimizer.param_groups:\n    group['lr'] = lr\n")
    assert by_hand([0.1, 0.2, 0.3, 0.2, 0.1, 0.1, 0.2, 0.1, 0.2], script) == [
        "1: written by train.py:3, 0.1 → 0.2",
        "3: written by train.py:3: it rose until here, and falls from here, 0.3 → 0.2",
        "6: written by train.py:3, 0.1 → 0.2",
        "7: written by train.py:3: it rose until here, and falls from here, 0.2 → 0.1",
        "8: written by train.py:3: it fell until here, and rises from here, 0.1 → 0.2",
    ]
    assert "why.unknown_line" not in captions_said
    assert "why.changed_by" not in captions_said


@pytest.mark.parametrize(
    "line", ["from utils.tools import adjust", "import utils.tools", "from .utils.tools import adjust"]
)
def test_the_line_that_writes_the_lr_may_be_in_a_module_beside_the_script(tmp_path: Path, line: str) -> None:
    (tmp_path / "utils").mkdir()
    (tmp_path / "utils" / "tools.py").write_text("def adjust():\n    group['lr'] = lr\n")
    script = tmp_path / "train.py"
    script.write_text(f"import torch\nfrom . import there\n{line}\n")
    assert by_hand([0.1, 0.2], script) == ["1: written by tools.py:2, 0.1 → 0.2"]


def test_of_an_lr_that_is_written_over_what_a_scheduler_gave_the_one_that_was_used_is_told() -> None:
    made = MadeTrace()
    optimizer = made.optimizer(lrs=[0.1])
    steps_by = made.scheduler(optimizer, "LambdaLR", state={"last_epoch": 0})
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    scheduled, lr_site = made.site("scheduler.step", "scheduler", steps_by), made.site("lr", "", optimizer)
    for number in range(3):
        made.call(lr_site, 0.1 + number / 10)
        made.call(backward, 1.0)
        made.step(step, optimizer)
        made.call(scheduled, 5.0)
    assert [reason for reason in reasons(made.end()) if "written" in reason] == [
        "1: written by a line that is not known, 0.1 → 0.2"
    ]


@pytest.mark.says("why.unknown_line")
@pytest.mark.never_says("why.written_falls", "why.written_rises")
@pytest.mark.parametrize("text", ["group['lr'] = 1\ngroup['lr'] = 2\n", "lr = group['lr']\n", "# g['lr'] = 1\n", ""])
def test_a_line_that_is_not_known_is_not_named(tmp_path: Path, text: str, captions_said: set[str]) -> None:
    script = tmp_path / "train.py"
    script.write_text(text)
    assert by_hand([0.1, 0.2], script) == ["1: written by a line that is not known, 0.1 → 0.2"]
    assert not captions_said & {"why.written_falls", "why.written_rises"}


@pytest.mark.says("why.dialled", "why.dialled_off")
@pytest.mark.never_says("why.written_by", "why.dialled_off")
def test_the_lr_dial_is_nobodys_writing_and_the_plan_is_under_it(captions_said: set[str]) -> None:
    made = MadeTrace()
    optimizer = made.optimizer(lrs=[0.1])
    steps_by = made.scheduler(optimizer, "LambdaLR", state={"last_epoch": 0})
    lrs = [0.1, 0.09, 0.08, 0.07, 0.06, 0.05]
    made.define(Planned(scheduler=steps_by, from_count=0, lrs=[lrs], length=6, length_from="total_steps"))
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    scheduled, lr_site = made.site("scheduler.step", "scheduler", steps_by, **LINE), made.site("lr", "", optimizer)
    dials, factor, told = {}, 1.0, 0.1
    for number, lr in enumerate(lrs, 1):
        if number in (3, 5):
            made.flush()
            factor = dials[len(made.frames)] = 0.5 if number == 3 else 1.0
        made.call(backward, 1.0)
        if lr * factor != told:
            told = lr * factor
            made.call(lr_site, told, 0)
        made.step(step, optimizer)
        if number < 6:
            made.call(scheduled, lrs[number])
    events, history = interpreted(made.end(), dials=dials)
    assert list(history.lrs) == [0.1, 0.09, 0.08 * 0.5, 0.07 * 0.5, 0.06, 0.05]
    assert [line for line in said(history) if "hand" in line] == [
        "2: by hand (shell): × 0.5 of the program's own, 0.08 → 0.04",
        "4: by hand (shell): the program's own again, 0.03 → 0.06",
    ]
    assert "why.written_by" not in captions_said
    plans = [(plan.steps[0], plan.lrs) for plan in events if isinstance(plan, PlanMade)]
    assert plans == [(1, lrs), (3, [lr * 0.5 for lr in lrs[2:]]), (5, lrs[4:])]


def test_under_the_dial_a_scheduler_is_still_known_by_its_own_lrs() -> None:
    made = MadeTrace()
    optimizer, loader = made.optimizer(lrs=[0.8]), made.loader(batches=3)
    steps_by = made.scheduler(optimizer, "StepLR", state={"step_size": 1, "gamma": 0.5, "last_epoch": 0})
    data = made.site("data", "train_loader", loader)
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    scheduled, lr_site = made.site("scheduler.step", "scheduler", steps_by, **LINE), made.site("lr", "", optimizer)
    lr, factor, told, dials = 0.8, 1.0, 0.8, {}
    for epoch in range(3):
        for batch in made.batches(data, 3):
            if (epoch, batch) == (0, 1):
                made.flush()
                factor = dials[len(made.frames)] = 0.25
            made.call(backward, 1.0)
            if lr * factor != told:
                told = lr * factor
                made.call(lr_site, told)
            made.step(step, optimizer)
        lr *= 0.5
        made.call(scheduled, lr)
    _, history = interpreted(made.end(), dials=dials)
    assert said(history)[:3] == [
        "1: by hand (shell): × 0.25 of the program's own, 0.8 → 0.2",
        "3: step_size 1 reached, 0.8 → 0.4; used × 0.25, by hand",
        "6: step_size 1 reached, 0.4 → 0.2; used × 0.25, by hand",
    ]
    assert [(event.old, event.new) for event in history.lr_changes] == [
        (0.8, 0.2),
        (0.2, 0.1),
        (0.1, 0.05),
        (0.05, 0.025),
    ]
    assert history.dial == 0.25


def without_reason(*lrs: float, watched: bool = True, scheduler: bool = False) -> str:
    """What is said of a loop that takes a step with each of these LRs."""
    made = MadeTrace()
    optimizer = made.optimizer(lrs=[lrs[0]])
    if scheduler:
        made.scheduler(optimizer, "StepLR")
    step, lr_site = made.site("optimizer.step", "optimizer", optimizer), made.site("lr", "", optimizer)
    for lr in lrs:
        made.call(lr_site, lr, 0)
        made.step(step, optimizer)
    _, history = interpreted(made.end())
    if watched:
        history.apply(ProgramWatched(at=START, command=["python"], cwd="/", pid=1))
    return untold(history)


@pytest.mark.says("untold.lr_stays")
@pytest.mark.never_says("untold.why")
def test_an_lr_that_nobody_moves_is_said_to_stay(captions_said: set[str]) -> None:
    assert without_reason(0.25, 0.25, 0.25) == "no scheduler was seen, and the LR is 0.25 at every step so far"
    assert "untold.why" not in captions_said


@pytest.mark.never_says("untold.lr_stays", "untold.scheduler_waits")
def test_nothing_is_said_to_stay_that_moved_or_may_move(captions_said: set[str]) -> None:
    others = [
        without_reason(0.25, 0.5, 0.25),
        without_reason(0.25, 0.5),
        without_reason(0.25, 0.5, scheduler=True),
        without_reason(0.25, watched=False),
        without_reason(0.25, scheduler=True, watched=False),
    ]
    assert {*others} == {"this run does not tell why its LR is what it is"}


@pytest.mark.says("untold.scheduler_waits")
def test_a_scheduler_that_has_not_moved_the_lr_is_said_to_wait(captions_said: set[str]) -> None:
    """As the first steps of a watched program come, and its scheduler has not stepped."""
    assert without_reason(0.25, 0.25, scheduler=True) == "StepLR has not moved the LR so far"
    assert not captions_said & {"untold.why", "untold.lr_stays"}


def test_what_a_scheduler_gives_is_not_taken_for_written() -> None:
    scheduler = {"class_name": "LambdaLR", "state": {"last_epoch": 0}}
    assert reasons(loop(scheduler, [0.1, 0.2, 0.3], every_step=False).end()) == [
        "3: changed by LambdaLR at train.py:112, 0.1 → 0.2",
        "6: changed by LambdaLR at train.py:112, 0.2 → 0.3",
    ]


def test_plateau_is_counted_with_the_programs_name_for_what_it_watches() -> None:
    made = MadeTrace()
    optimizer, loader = made.optimizer(lrs=[1.0]), made.loader(batches=2)
    rules = {"mode": "min", "patience": 1, "min_lrs": [0.0], "eps": 1e-8, "factor": 0.1}
    start = {**rules, "best": None, "num_bad_epochs": 0, "cooldown_counter": 0, "last_epoch": 0}
    steps_by = made.scheduler(optimizer, "ReduceLROnPlateau", state=start)
    data = made.site("data", "train_loader", loader)
    backward, step = made.site("backward", "loss"), made.site("optimizer.step", "optimizer", optimizer)
    scheduled = made.site("scheduler.step", "scheduler", steps_by, text="scheduler.step(val_loss)")
    lr_site = made.site("lr", "", optimizer)
    lr, best, bad = 1.0, float("inf"), 0
    for epoch, loss in enumerate([0.5, 0.6, 0.7, 0.4], 1):
        for _ in made.batches(data, 2):
            made.call(backward, 1.0)
            made.step(step, optimizer)
        best, bad = (loss, 0) if loss < best else (best, bad + 1)
        if dropped := bad > 1:
            lr, bad = lr * 0.1, 0
        made.call(scheduled, lr)
        state = {**rules, "best": best, "num_bad_epochs": bad, "cooldown_counter": 0, "last_epoch": epoch}
        made.define(SchedulerState(id=steps_by, state=state, metric=loss))
        if dropped:
            made.call(lr_site, lr, 0)
    _, history = interpreted(made.end())
    assert said(history) == [
        "2: val_loss 0.5000, best so far",
        "4: not better for 1 of 1 epoch (best 0.5000 at epoch 1)",
        "6: val_loss not better than 0.5000 for 2 epochs (patience 1): 1 → 0.1",
        "8: val_loss 0.4000, best so far",
    ]
    counts = [event for event in history.why if isinstance(event, PlateauCounted)]
    assert [(count.epoch, count.bad_epochs, count.best_epoch) for count in counts] == [
        (1, 0, 1),
        (2, 1, 1),
        (3, 2, 1),
        (4, 0, 4),
    ]
    assert history.recipe is not None
    assert (history.recipe.monitor, history.recipe.min_lr, history.recipe.interval) == ("val_loss", 0.0, "epoch")
