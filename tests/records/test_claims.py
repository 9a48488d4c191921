"""What a record says of its steps beside those that it tells: a lost end is noticed, and a line in a wrong place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.recorded import recorded
from tests.records.damaged import exported, on_screen, written
from tests.records.streams import fold
from tests.scripted import START, scripted_run
from tui_trainer.events import (
    AnyEvent,
    CallsMade,
    CheckpointSaved,
    EpochEnded,
    LRChanged,
    PresetSwitched,
    RunEnded,
    RunStarted,
    StepsTaken,
)
from tui_trainer.records.record import Record
from tui_trainer.records.summary import summarize

EVENTS = scripted_run(epochs=5, batches=20, steps_a_line=3, switch_at=3)
LAST = len(EVENTS) - 1


def flaws_of(events: list[AnyEvent]) -> list[str]:
    history = fold(events)
    history.known.go_on()
    return history.known.flaws.in_words()


def until(step: int, events: list[AnyEvent] = EVENTS) -> list[AnyEvent]:
    """As far as a run was recorded that was killed behind the line which holds this step."""
    last = max(i for i, event in enumerate(events) if isinstance(event, StepsTaken) and event.step <= step)
    return events[: last + 1]


def resumed(step: int) -> RunStarted:
    return RunStarted(at=START, run="r", schema=1, pid=1, host="h", resumed_from_step=step)


def stopped(step: int, epoch: int) -> RunEnded:
    return RunEnded(at=START, status="stopped", reason="asked to", step=step, epoch=epoch, exit_code=0)


def placed(kind: type[AnyEvent], **fields: Any) -> list[AnyEvent]:
    """The events, where the last one of a kind says something else of its place."""
    at = max(i for i, event in enumerate(EVENTS) if isinstance(event, kind))
    return [*EVENTS[:at], replace(EVENTS[at], **fields), *EVENTS[at + 1 :]]


# Lost ends


@pytest.mark.parametrize("count", [1, 2, 20, LAST])
def test_no_step_and_no_end_of_an_epoch_is_lost_in_silence(count: int) -> None:
    whole = fold(EVENTS)
    for at in range(1, LAST):
        history = fold([*EVENTS[:at], *EVENTS[min(at + count, LAST) :]])
        if history.steps < whole.steps or len(history.epochs) < len(whole.epochs):
            assert history.known.flaws.missing_in_words(), at


@pytest.mark.says("record.steps_missing", "record.epoch_ends_missing")
@pytest.mark.parametrize("sealed", [True, False])
def test_all_who_read_a_record_say_that_it_lost_its_end(tmp_path: Path, sealed: bool) -> None:
    written(tmp_path, [*until(63), EVENTS[-1]], sealed=sealed)
    said = ["37 steps are missing from the record: 64 to 100.", "the record does not have the end of epochs 4 to 5."]
    steps, warnings = exported(tmp_path)
    assert steps == [*range(1, 64)]
    assert set(said) <= set(warnings)
    assert set(said) <= set(on_screen(tmp_path))
    assert set(said) <= set(summarize(tmp_path).flaws)
    record = Record.reopen(tmp_path)
    record.close()
    assert set(said) <= set(record.flaws)


def test_a_checkpoint_tells_of_steps_that_a_record_without_a_goodbye_has_lost(tmp_path: Path) -> None:
    saved = CheckpointSaved(at=START, step=70, epoch=4, file="checkpoints/last.pt")
    written(tmp_path, [*until(63), saved], sealed=False)
    assert exported(tmp_path)[1] == ["7 steps are missing from the record: 64 to 70."]


@pytest.mark.says("record.steps_missing")
@pytest.mark.never_says("record.steps_missing")
def test_what_a_resumed_run_trains_again_is_not_missing() -> None:
    behind = [event for event in EVENTS if getattr(event, "step", 0) > 40]
    first = [*until(55), stopped(60, 3)]
    assert flaws_of(first) == ["5 steps are missing from the record: 56 to 60."]
    assert flaws_of([*first, resumed(40), *behind]) == []
    assert flaws_of([*first, resumed(60), stopped(60, 3)]) == ["5 steps are missing from the record: 56 to 60."]
    rest = [event for event in behind if getattr(event, "step", 0) > 60]
    assert flaws_of([*first, resumed(60), *rest])[0] == "5 steps are missing from the record: 56 to 60."


@pytest.mark.never_says("record.steps_missing", "record.epoch_ends_missing")
def test_a_run_that_crashed_need_not_have_told_all() -> None:
    crashed = RunEnded(at=START, status="crashed", reason="out of memory", step=70, epoch=4, exit_code=1)
    assert flaws_of([*until(63), crashed]) == []


# Lines in wrong places


@pytest.mark.says("record.misnumbered")
@pytest.mark.parametrize("kind", [LRChanged, PresetSwitched, CallsMade])
@pytest.mark.parametrize(
    "wrong", [{"step": 0}, {"step": 2}, {"step": 101}, {"step": 10**12}, {"epoch": 1}, {"epoch": 98}], ids=str
)
def test_a_line_that_says_a_wrong_place_is_kept_and_said_to_be(
    tmp_path: Path, kind: type[AnyEvent], wrong: dict[str, int]
) -> None:
    written(tmp_path, placed(kind, **wrong), sealed=True)
    _, warnings = exported(tmp_path)
    said = "1 line of the record says a step or an epoch where the run was not."
    assert said in warnings
    assert said in on_screen(tmp_path)
    rows = {name: (tmp_path / "out" / name).read_text().count("\n") for name in ("lr_events.csv", "order.csv")}
    (tmp_path / "sound").mkdir()
    written(tmp_path / "sound", EVENTS, sealed=True)
    exported(tmp_path / "sound")
    assert rows == {name: (tmp_path / "sound" / "out" / name).read_text().count("\n") for name in rows}


@pytest.mark.says("record.beyond_its_end")
def test_a_change_at_a_step_that_a_stopped_run_never_came_to(tmp_path: Path) -> None:
    change = LRChanged(at=START, step=90, epoch=4, old=0.1, new=0.05, reason="a peak")
    written(tmp_path, [*until(63), change, stopped(63, 4)], sealed=True)
    said = "the record contradicts itself: it tells of step 90, and ends at step 63."
    assert said in exported(tmp_path)[1]
    assert said in on_screen(tmp_path)


def test_a_goodbye_that_says_a_step_beyond_the_run_is_not_believed() -> None:
    lies = [*EVENTS[:-1], replace(EVENTS[-1], step=10**6)]
    assert flaws_of(lies) == ["the record contradicts itself: it tells of step 1,000,000, and ends at step 100."]
    assert flaws_of([*EVENTS[:-1], replace(EVENTS[-1], epoch=98)]) == [
        "1 line of the record says a step or an epoch where the run was not."
    ]


def test_the_end_of_an_epoch_that_says_a_wrong_step_makes_none_missing() -> None:
    told = [
        replace(event, step=98) if isinstance(event, EpochEnded) and event.epoch == 2 else event for event in EVENTS
    ]
    assert flaws_of(told) == []


# Lines that stand twice, or behind later ones


@pytest.mark.says("record.stands_twice")
@pytest.mark.parametrize("kind", [CallsMade, PresetSwitched])
def test_a_line_that_stands_twice_counts_once(kind: type[AnyEvent]) -> None:
    at = max(i for i, event in enumerate(EVENTS) if isinstance(event, kind))
    assert flaws_of([*EVENTS[: at + 1], *EVENTS[at:]]) == ["1 line of the record stands there twice; left out once."]
    twice = "2 lines of the record stand there twice; left out once."
    assert flaws_of([*EVENTS[: at + 1], EVENTS[at], *EVENTS[at:]]) == [twice]


@pytest.mark.says("record.told_twice")
@pytest.mark.never_says("record.told_twice")
def test_steps_that_a_process_tells_twice_are_kept_once_and_those_of_a_resumed_run_are_no_flaw() -> None:
    at = next(i for i, event in enumerate(EVENTS) if isinstance(event, StepsTaken) and event.step == 41)
    twice = [*EVENTS[: at + 1], *EVENTS[at:]]
    assert flaws_of(twice) == ["the record contradicts itself; told twice, the first kept: steps 41 to 43."]
    assert flaws_of([*EVENTS[: at + 1], resumed(40), *EVENTS[at:]]) == []


@pytest.mark.says("record.out_of_order")
def test_a_line_that_stands_behind_a_later_one_is_said_to() -> None:
    one, two = [i for i, event in enumerate(EVENTS) if isinstance(event, CallsMade) and event.epoch == 4][:2]
    moved = [*EVENTS[:one], *EVENTS[one + 1 : two + 1], EVENTS[one], *EVENTS[two + 1 :]]
    assert flaws_of(moved) == ["1 line of the record stands behind later ones."]


# Sound records


@pytest.mark.never_says("record.*")
@pytest.mark.parametrize(
    "events",
    [
        EVENTS,
        scripted_run(scheduler="ReduceLROnPlateau", epochs=9, pause_after=30, slow_batch=3),
        scripted_run(scheduler="OneCycleLR", steps_a_line=1),
        scripted_run(scheduler="none", status="stopped"),
        scripted_run(not_finite_at=33),
        *(recorded(name) for name in ("onecycle", "plateau", "steplr")),
    ],
)
def test_a_sound_record_has_no_flaw_wherever_it_is_cut_and_gone_on_with(events: list[AnyEvent]) -> None:
    assert flaws_of(events) == []
    saved = {event.step: i for i, event in enumerate(events) if isinstance(event, CheckpointSaved)}
    for step, at in saved.items():
        again = [resumed(step), *(event for event in events[at + 1 :] if not isinstance(event, CheckpointSaved))]
        for cut in range(at + 1, len(events), 7):
            assert flaws_of([*events[:cut], *again]) == [], (step, cut)


def test_a_glance_at_a_long_record_finds_no_end_missing(tmp_path: Path) -> None:
    events = scripted_run(epochs=4, batches=1500, steps_a_line=1)
    written(tmp_path, events, sealed=True)
    assert summarize(tmp_path).flaws == []
    written(tmp_path, [*events[:-500], events[-1]], sealed=False)
    assert any("are missing" in flaw for flaw in summarize(tmp_path).flaws)
