"""What a history knows after which events."""

from __future__ import annotations

import random
import tracemalloc
from math import isnan, nan
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given

from tests.records.streams import anything, fold, runs
from tests.scripted import START, epoch_ended, scripted_run
from tui_trainer.events import (
    AnyEvent,
    CallFollowed,
    CallsTimed,
    Continued,
    EpochEnded,
    LRChanged,
    LRUnchanged,
    Paused,
    PlanMade,
    PresetSwitched,
    RunConfigured,
    RunEnded,
    RunStarted,
    StepsTaken,
    decode,
    decode_lines,
    encode,
)
from tui_trainer.records import columns
from tui_trainer.records.history import History
from tui_trainer.records.summary import images_per_second, seconds_left


def steps(step: int, count: int = 1, *, epoch: int = 1, batch: int | None = None, at: float = START) -> StepsTaken:
    """A line of steps, 0.1 s each, whose losses are their numbers."""
    numbers = range(step, step + count)
    return StepsTaken(
        at=at,
        step=step,
        epoch=epoch,
        batch=step if batch is None else batch,
        losses=[float(number) for number in numbers],
        lrs=[0.1],
        elapsed=[number / 10 for number in numbers],
    )


def started(resumed_from_step: int | None = None) -> RunStarted:
    return RunStarted(at=START, run="r", schema=1, pid=1, host="h", resumed_from_step=resumed_from_step)


def ended(status: str = "stopped", step: int = 1) -> RunEnded:
    return RunEnded(at=START, status=status, reason="asked to", step=step, epoch=1, exit_code=0)  # type: ignore[arg-type]


def test_nothing_is_known_before_the_first_event() -> None:
    history = History()
    assert (history.steps, history.epoch, history.batch, history.status) == (0, 0, 0, "running")
    assert history.running == ""
    assert seconds_left(history) is None
    assert images_per_second(history) == 0
    assert history.elapsed_at(START) == 0


def test_a_whole_run() -> None:
    events = scripted_run(epochs=4, batches=20, steps_a_line=7)
    history = fold(events)
    assert history.status == "finished"
    assert history.steps == len(history.losses) == len(history.lrs) == len(history.elapsed) == 80
    assert history.epoch_starts == [1, 21, 41, 61]
    assert (history.epoch, history.batch, history.batches_in_epoch) == (4, 20, 20)
    assert [change.step for change in history.lr_changes] == [40, 80]
    assert history.lrs[39] == 0.001
    assert history.lrs[40] == 0.0005
    assert [epoch.epoch for epoch in history.epochs] == [1, 2, 3, 4]
    assert history.calls["forward"].count == 80
    assert history.calls["validate"].count == 4
    assert history.running == ""
    assert seconds_left(history) == 0
    assert history.best_checkpoint is not None
    assert history.latest_checkpoint is history.best_checkpoint
    assert history.settings["threads"].new == "2"
    assert history.version == len(events)


def test_every_step_is_the_same_however_it_was_reported() -> None:
    in_one, one_by_one = (fold(scripted_run(steps_a_line=count)) for count in (1, 20))
    assert in_one.losses == one_by_one.losses
    assert in_one.lrs == one_by_one.lrs
    assert in_one.elapsed == one_by_one.elapsed


def test_a_loss_that_is_not_finite_is_nan() -> None:
    history = fold(scripted_run(not_finite_at=33))
    assert history.status == "diverged"
    assert history.steps == 33
    assert isnan(history.losses[32])
    assert not isnan(history.losses[31])


def test_one_lr_holds_for_all_steps_of_its_line() -> None:
    history = fold([steps(1, 3)])
    assert list(history.lrs) == [0.1, 0.1, 0.1]


def test_a_resumed_run_takes_no_step_twice_and_is_not_over() -> None:
    events = scripted_run(epochs=3, batches=10, steps_a_line=3)
    stop = next(i for i, event in enumerate(events) if isinstance(event, StepsTaken) and event.step >= 25)
    checkpoint = next(i for i, event in enumerate(events) if isinstance(event, EpochEnded))
    repeated = [event for event in events[checkpoint + 1 :] if not isinstance(event, CallsTimed)]
    resumed = fold([*events[: stop + 1], ended(), started(10), *repeated])
    whole = fold(events)
    assert resumed.losses == whole.losses
    assert resumed.elapsed == whole.elapsed
    assert resumed.epochs == whole.epochs
    assert resumed.lr_changes == whole.lr_changes
    assert list(resumed.orders) == list(whole.orders)
    assert resumed.epoch_starts == whole.epoch_starts
    assert resumed.status == "finished"


@pytest.mark.parametrize("at", [8, 10], ids=["before the last step", "at the last step"])
def test_what_a_resumed_run_trains_again_changes_the_lr_once(at: int) -> None:
    change = LRChanged(at=START, step=at, epoch=1, old=0.1, new=0.05, reason="said once")
    held = LRUnchanged(at=START, step=at, epoch=1, lr=0.05, reason="held once")
    history = fold([started(), steps(1, 10), change, held, started(5), steps(6, 5), change, held])
    assert history.lr_changes == [change]
    after = LRChanged(at=START, step=11, epoch=1, old=0.05, new=0.01, reason="new")
    history.apply(steps(11, 1))
    history.apply(after)
    assert history.lr_changes == [change, after]


def test_a_second_process_clears_the_end_of_the_first() -> None:
    history = fold([started(), steps(1, 5), ended("crashed")])
    assert history.status == "crashed"
    history.apply(started(5))
    assert history.ended is None
    assert history.status == "running"
    assert history.steps == 5


def test_a_line_that_overlaps_gives_only_what_is_new() -> None:
    history = fold([steps(1, 5), steps(3, 5)])
    assert list(history.losses) == [1, 2, 3, 4, 5, 6, 7]
    before = history.version
    history.apply(steps(2, 3))
    assert history.steps == 7
    assert history.version == before


def test_a_record_that_starts_in_the_middle() -> None:
    history = fold([steps(41, 2, epoch=3, batch=1), steps(43, epoch=3, batch=3)])
    assert history.steps == 43
    assert all(isnan(loss) for loss in history.losses[:40])
    assert list(history.losses[40:]) == [41, 42, 43]
    assert history.epoch_starts == [1, 21, 41]
    assert (history.epoch, history.batch) == (3, 3)
    assert history.known.flaws.in_words() == ["40 steps are missing from the record: 1 to 40."]


def test_steps_lost_between_two_lines_stand_as_nan() -> None:
    history = fold([steps(1, 2), steps(6, 2), ended(step=7)])
    assert [isnan(loss) for loss in history.losses] == [False, False, True, True, True, False, False]
    assert list(history.elapsed) == sorted(history.elapsed)


@pytest.mark.parametrize(
    "damage",
    [
        {"losses": []},
        {"elapsed": [0.1, 0.2]},
        {"elapsed": [-1.0]},
        {"elapsed": [1e300]},
        {"losses_seen": False},
        {"lrs": [0.1, 0.1]},
        {"losses": [1e39]},
        {"losses": [-1e300]},
        {"step": 0},
        {"step": -5},
        {"batch": 0},
        {"batch": 2},
        {"epoch": 0},
        {"epoch": 10**12},
        {"at": -1.0},
        {"at": 1e300},
    ],
)
def test_a_line_whose_numbers_cannot_be_is_none(damage: dict[str, object]) -> None:
    fields = {"at": START, "step": 1, "epoch": 1, "batch": 1, "losses": [1.0], "lrs": [0.1], "elapsed": [0.1]}
    assert isinstance(decode(encode(StepsTaken(**fields))), StepsTaken)  # type: ignore[arg-type]
    with pytest.raises(msgspec.ValidationError):
        decode(encode(StepsTaken(**{**fields, **damage})))  # type: ignore[arg-type]
    with pytest.raises(msgspec.ValidationError):
        decode_lines(encode(StepsTaken(**{**fields, **damage})))  # type: ignore[arg-type]


def test_the_clock_never_falls() -> None:
    history = fold([steps(50, 2, batch=50), StepsTaken(**{**_fields(steps(52, 3, batch=52)), "elapsed": [1, 3, 9]})])
    assert list(history.elapsed[-3:]) == pytest.approx([5.1, 5.1, 9])
    assert history.elapsed_s == 9


def _fields(event: StepsTaken) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def test_the_clock_runs_between_events_and_stands_in_a_pause() -> None:
    history = fold([started(), steps(1, 10, at=START)])
    assert history.elapsed_at(START + 2) == pytest.approx(3)
    assert history.elapsed_at(START - 9) == pytest.approx(1)  # another machine's clock
    history.apply(Paused(at=START + 2, step=10, by="screen"))
    assert history.status == "paused"
    assert history.elapsed_at(START + 60) == pytest.approx(3)  # as it stood there already
    history.apply(Continued(at=START + 60, step=10, by="screen"))
    assert history.status == "running"
    assert history.elapsed_at(START + 61) == pytest.approx(3)
    assert history.elapsed_at(START + 64) == pytest.approx(5)
    history.apply(ended())
    assert history.elapsed_at(START + 99) == pytest.approx(1)


def test_the_clock_stands_while_calls_are_held_for_the_eye() -> None:
    history = fold([started(), steps(1, 10, at=START)])
    history.apply(Paused(at=START, step=10, by="screen"))
    history.apply(Continued(at=START + 60, step=10, by="screen", one_batch=True))
    history.apply(CallFollowed(at=START + 60.5, step=11, epoch=1, batch=11, call="zero_grad", value=None))
    assert history.elapsed_at(START + 63) == pytest.approx(1.5)
    history.apply(steps(11, at=START + 63))
    assert history.elapsed_at(START + 63) == pytest.approx(1.5)
    history.apply(Paused(at=START + 63, step=11, by="screen"))
    assert history.elapsed_at(START + 70) == pytest.approx(1.5)


def test_slow_motion_shows_one_batch_at_a_time() -> None:
    def followed(step: int, call: str, value: str | None = None) -> CallFollowed:
        return CallFollowed(at=START, step=step, epoch=1, batch=step, call=call, value=value)

    history = fold([followed(1, "forward"), followed(1, "forward", ""), followed(1, "loss")])
    assert [(event.call, event.value) for event in history.followed] == [
        ("forward", None),
        ("forward", ""),
        ("loss", None),
    ]
    assert history.running == "loss"
    history.apply(steps(1))
    assert len(history.followed) == 3  # its own batch was reported: it still stands to be looked at
    history.apply(followed(2, "zero_grad"))
    assert [event.call for event in history.followed] == ["zero_grad"]
    history.apply(steps(2, 5))
    assert history.followed == []  # batches went by that nobody followed


def test_best_is_the_highest_accuracy_and_of_equals_the_lower_loss() -> None:
    outcomes = [(0.9, 0.5), (0.8, 0.1), (0.9, 0.4), (0.9, float("nan"))]
    history = fold(
        [
            epoch_ended(number, val_accuracy=accuracy, val_loss=loss)
            for number, (accuracy, loss) in enumerate(outcomes, 1)
        ]
    )
    assert history.best is not None
    assert history.best.epoch == 3
    assert history.lowest is not None
    assert history.lowest.epoch == 2


def test_a_plan_takes_the_place_of_the_one_that_begins_where_it_does() -> None:
    def plan(*begins: int) -> PlanMade:
        return PlanMade(at=START, steps=list(begins), lrs=[0.1] * len(begins), last_step=99)

    first, switched, again = plan(1, 50), plan(30, 60), plan(30)
    assert fold([first, switched]).plans == [first, switched]
    assert fold([first, switched, again]).plans == [first, again]
    assert fold([first, switched, plan(1)]).plans == [plan(1), switched]
    assert fold([switched, first]).plans == [first, switched]
    assert fold([first, plan()]).plans == [plan()]


def test_a_preset_switch_changes_the_recipe_from_its_epoch_on() -> None:
    events = scripted_run(epochs=4, switch_at=3)
    history = fold(events)
    assert [switch.epoch for switch in history.switches] == [3]
    assert history.recipe is not None
    assert history.recipe.preset == "onecycle"
    assert [plan.steps[0] for plan in history.plans] == [1, 41]


def test_a_run_that_goes_on_after_a_switch_follows_what_it_switched_to() -> None:
    events = scripted_run(epochs=4, switch_at=3, status=None)
    begun = [event for event in events if isinstance(event, RunStarted | RunConfigured)]
    history = fold([*events, *begun])
    assert history.recipe is not None
    assert history.recipe.preset == "onecycle"
    assert [plan.steps[0] for plan in history.plans] == [1, 41]


def test_a_switch_to_come_is_told_until_it_has_come() -> None:
    events = scripted_run(epochs=4, switch_at=3)
    at = next(i for i, event in enumerate(events) if isinstance(event, PresetSwitched))
    to_come = fold(events[:at]).switch_to_come
    assert to_come is not None
    assert (to_come.epoch, to_come.preset) == (3, "onecycle")
    assert fold(events[: at + 1]).switch_to_come is None


def test_calls_of_the_scheduler_before_a_switch_are_not_counted_as_those_of_the_one_after_it() -> None:
    events = scripted_run(epochs=4, scheduler="OneCycleLR", switch_at=3, switch_to="OneCycleLR")
    assert fold(events).calls["scheduler.step"].count == 40
    assert fold(events).calls["zero_grad"].count == 80


def test_speed_and_time_left_while_running() -> None:
    # 10 ms a batch of 64, a last batch of 32, 50 ms a validation, in 10 epochs of 200 batches
    events = scripted_run(epochs=10, batches=200, last_batch_size=32, steps_a_line=10)
    history = History()
    for event in events:
        history.apply(event)
        if not isinstance(event, StepsTaken):
            continue
        last = history.batch == 200
        if history.epoch == 1 and history.batch < 30:
            continue
        assert images_per_second(history) == pytest.approx(6400, rel=0.011 if last else 0.006)
        truth = (10 - history.epoch) * 2.05 + (200 - history.batch) * 0.01 + 0.05
        unseen_validations = (11 - history.epoch) * 0.05 if history.epoch == 1 else 0
        assert seconds_left(history) is not None
        assert seconds_left(history) == pytest.approx(truth - unseen_validations, abs=0.1)


def test_speed_counts_the_images_of_all_batches_of_a_step() -> None:
    def of_two(event: AnyEvent) -> AnyEvent:
        if not isinstance(event, RunConfigured):
            return event
        return msgspec.structs.replace(event, recipe=msgspec.structs.replace(event.recipe, batch_size=32, accumulate=2))

    events = scripted_run(epochs=1, batches=200, steps_a_line=10)
    within = [event for event in events if not isinstance(event, StepsTaken) or event.batch < 100]
    history = fold(map(of_two, within[: within.index(next(e for e in within if isinstance(e, EpochEnded)))]))
    assert images_per_second(history) == pytest.approx(6400, rel=0.006)


def test_an_epoch_that_ended_gives_its_own_speed() -> None:
    events = scripted_run(epochs=2, batches=20)
    end = next(i for i, event in enumerate(events) if isinstance(event, EpochEnded))
    history = fold(events[: end + 1])
    assert images_per_second(history) == events[end].images_per_second  # type: ignore[union-attr]


def test_an_epoch_that_tells_no_speed_has_none() -> None:
    untold = msgspec.structs.replace(
        next(event for event in scripted_run() if isinstance(event, EpochEnded)), images_per_second=nan
    )
    assert images_per_second(fold([untold])) == 0.0


def test_speed_is_that_of_the_last_seconds() -> None:
    resolved = next(event for event in scripted_run(batches=1000) if isinstance(event, RunConfigured))
    history = fold([resolved])
    clock = 0.0
    for step in range(1, 801):
        clock += 0.01 if step <= 600 else 0.04
        event = StepsTaken(at=START, step=step, epoch=1, batch=step, losses=[1.0], lrs=[0.1], elapsed=[clock])
        history.apply(event)
    assert images_per_second(history) == pytest.approx(64 / 0.04, rel=0.01)


def test_lists_that_only_the_newest_of_matters_for_are_bounded() -> None:
    history = History()
    for step in range(1, 1001):
        history.apply(LRChanged(at=START, step=step, epoch=1, old=0.1, new=0.2, reason="up"))
    assert len(history.why) < 1000
    assert history.why[-1].step == 1000  # type: ignore[union-attr]
    assert len(history.lr_changes) == 1000  # each is a mark on the chart


@given(anything)
def test_no_order_of_events_is_too_much(events: list[object]) -> None:
    history = fold(events)  # type: ignore[arg-type]
    assert len(history.losses) == len(history.lrs) == len(history.elapsed) == history.steps
    assert list(history.elapsed) == sorted(history.elapsed)
    assert history.epoch_starts == sorted(history.epoch_starts)
    assert images_per_second(history) >= 0
    assert seconds_left(history) is None or seconds_left(history) >= 0
    assert history.elapsed_at(START + 2e6) >= history.elapsed_s


def test_a_step_takes_no_more_than_forty_bytes() -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        history = _steps(200_000)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert history.steps == 200_000
    assert after - before < 25 * history.steps
    assert peak - before < 40 * history.steps


def _steps(count: int) -> History:
    history = History()
    rng = random.Random(0)
    for first in range(1, count + 1, 250):
        history.apply(
            StepsTaken(
                at=START + first,
                step=first,
                epoch=(first - 1) // 50_000 + 1,
                batch=(first - 1) % 50_000 + 1,
                losses=[rng.random() for _ in range(250)],
                lrs=[rng.random() for _ in range(250)],
                elapsed=[(first + i) / 100 for i in range(250)],
            )
        )
    return history


@given(runs())
def test_one_that_forgets_tells_the_same_of_where_the_run_stands(events: list[AnyEvent]) -> None:
    whole, brief = History(), History(forgets=True)
    with patch.object(columns, "KEPT", 20):
        for event in events:
            whole.apply(event)
            brief.apply(event)
            assert (brief.steps, brief.epoch, brief.batch) == (whole.steps, whole.epoch, whole.batch)
            if whole.steps:
                assert str(brief.losses[-1]) == str(whole.losses[-1])
            assert (images_per_second(brief), seconds_left(brief)) == (images_per_second(whole), seconds_left(whole))


def test_one_that_forgets_holds_no_more_after_a_million_steps() -> None:
    history = History(forgets=True)
    for step in range(1, 1_000_001, 1000):
        times = [step / 1000 + i / 1e6 for i in range(1000)]
        history.apply(StepsTaken(at=1.0, step=step, epoch=1, batch=step, losses=[0.5] * 1000, lrs=[0.1], elapsed=times))
    assert history.steps == 1_000_000
    held = [memoryview(column).nbytes for column in (history.losses, history.lrs, history.elapsed)]
    assert sum(held) <= 20 * 2 * columns.KEPT + 20 * 1000
    assert history.elapsed[-1] == times[-1]
