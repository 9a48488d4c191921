"""Rules of a person's over a run: told when they are so for long enough, once until they are over, and never else."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.streams import anything, runs
from tests.scripted import START, scripted_run
from tui_trainer.events import (
    Alert,
    AnyEvent,
    EpochEnded,
    MetricColumns,
    MetricsLogged,
    RunEnded,
    RunStarted,
    StepsTaken,
    decode,
    encode,
)
from tui_trainer.records.alerts import AlertRules
from tui_trainer.records.history import History
from tui_trainer.records.rule_watch import APART_S, RuleWatch
from tui_trainer.text.alert_rule import parse

BATCHES = 4
EPOCH_S = 100.0
"""Further apart than what is told again and again."""


def epochs(
    val_losses: Sequence[float | None], *, loss: float = 1.0, lr: float = 0.1, first: int = 1, epoch_s: float = EPOCH_S
) -> list[AnyEvent]:
    """Epochs of 4 steps, a line each, that validate to these losses; None: not validated."""
    events: list[AnyEvent] = []
    for epoch, val_loss in enumerate(val_losses, first):
        events += steps([loss] * BATCHES, epoch=epoch, lr=lr, epoch_s=epoch_s)
        events.append(
            EpochEnded(
                at=START + epoch * epoch_s,
                epoch=epoch,
                step=epoch * BATCHES,
                train_loss=loss,
                train_accuracy=nan,
                val_loss=nan if val_loss is None else val_loss,
                val_accuracy=nan,
                lr=lr,
                images_per_second=10.0,
                elapsed=epoch * epoch_s,
                validated=val_loss is not None,
            )
        )
    return events


def steps(
    losses: Sequence[float | None], *, epoch: int = 1, lr: float = 0.1, epoch_s: float = EPOCH_S, a_line: int = BATCHES
) -> list[AnyEvent]:
    """Steps from the first one of an epoch on."""
    told: list[AnyEvent] = []
    step_s = epoch_s / BATCHES
    for begin in range(0, len(losses), a_line):
        line = list(losses[begin : begin + a_line])
        first = (epoch - 1) * BATCHES + begin + 1
        elapsed = [(first + index) * step_s for index in range(len(line))]
        told.append(
            StepsTaken(
                at=START + elapsed[-1], step=first, epoch=epoch, batch=begin + 1, losses=line, lrs=[lr], elapsed=elapsed
            )
        )
    return told


def told(rules: str | Sequence[str], events: Iterable[AnyEvent], history: History | None = None) -> list[str]:
    rules = [rules] if isinstance(rules, str) else rules
    watch = RuleWatch([parse(rule) for rule in rules], history)
    alerts = [alert for event in events for alert in watch.take(event)]
    assert all(alert.text.startswith("alert: ") for alert in alerts if alert.kind == "alert")
    return [alert.text.removeprefix("alert: ") for alert in alerts]


@pytest.mark.says("alert.so", "alert.over")
def test_a_rule_is_told_once_it_is_so_for_so_long_and_once_more_when_it_is_over() -> None:
    events = epochs([3.0, 2.5, 2.25, 2.125, 9.0, 1.5, 3.0])
    assert told("val_loss > 2 for 3 epochs", events) == [
        "val_loss > 2 for 3 epochs: 2.25 at step 12, epoch 3",
        "no longer val_loss > 2 for 3 epochs: 1.5 at step 24, epoch 6",
    ]


@pytest.mark.never_says("alert.so", "alert.over")
@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("val_loss > 2 for 3 epochs", [3.0, 3.0, 2.0, 3.0, 3.0]),
        ("val_loss > 2 for 3 epochs", [3.0, 3.0, nan, 3.0, 3.0]),
        ("val_loss > 2 for 3 epochs", [3.0, 3.0]),
        ("val_loss > 2 for 300 seconds", [1.0, 3.0, 3.0, 3.0, 1.0]),
        ("val_loss > 2 for 6 steps", [1.0, 3.0, 1.0]),
        ("val_loss is nan", [1.0, None]),
        ("val_loss is inf", [1.0, nan, None]),
        ("val_loss < 1", [1.0, nan]),
        ("train_loss > 1", [2.0]),
        ("lr < 0.1", [2.0]),
        ("val_accuracy < 1", [2.0]),
    ],
)
def test_what_is_not_so_or_not_for_so_long_is_not_told(rule: str, values: list[float | None]) -> None:
    assert told(rule, epochs(values)) == []


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ("val_loss > 2", "step 8, epoch 2"),
        ("val_loss > 2 for 2 epochs", "step 12, epoch 3"),
        ("val_loss > 2 for 5 steps", "step 12, epoch 3"),
        ("val_loss > 2 for 100 seconds", "step 12, epoch 3"),
        ("val_loss > 2 for 101 seconds", "step 16, epoch 4"),
        ("val_loss > 2 for 5 minutes", "step 20, epoch 5"),
    ],
)
def test_spans_of_values_that_are_far_apart(rule: str, place: str) -> None:
    assert told(rule, epochs([1.0, 3.0, 3.0, 3.0, 3.0])) == [f"{rule}: 3 at {place}"]


def test_a_loss_of_each_step_is_meant_by_loss_and_counts_whole_epochs() -> None:
    """An epoch in the middle of which it begins to be so is none of those for which it was."""
    events = [
        *steps([1.0, 3.0, 3.0, 3.0]),
        *epochs([1.0], loss=3.0)[-1:],
        *epochs([1.0, 1.0], loss=3.0, first=2),
    ]
    assert told("loss > 2 for 2 epochs", events) == ["loss > 2 for 2 epochs: 3 at step 12, epoch 3"]
    assert told("loss > 2 for 3 steps", events) == ["loss > 2 for 3 steps: 3 at step 4, epoch 1"]
    assert told("train_loss > 2", events) == ["train_loss > 2: 3 at step 2, epoch 1"]


@pytest.mark.parametrize("a_line", [1, 2, 3, 4])
def test_how_steps_are_cut_into_lines_makes_no_difference(a_line: int) -> None:
    events = steps([1.0, 3.0, 3.0, None], a_line=a_line)
    assert sorted(told(["loss > 2 for 2 steps", "loss is nan", "lr < 1"], events)) == [
        "loss > 2 for 2 steps: 3 at step 3, epoch 1",
        "loss is nan: nan at step 4, epoch 1",
        "lr < 1: 0.1 at step 1, epoch 1",
    ]


def test_a_series_of_that_name_is_meant_before_ours() -> None:
    logged = [MetricsLogged(at=START, step=step, values={"loss": 1.0}) for step in (0, 1)]
    assert told("loss > 2", [*logged, *steps([3.0])]) == []
    assert told("loss == 1", [*logged, *steps([3.0])]) == ["loss == 1: 1 at step 0"]


def test_any_series_by_name_however_it_is_logged() -> None:
    name = "val_accuracy/ankle boot"
    row = MetricsLogged(at=START, step=50, values={name: 0.25, "other": 9}, epoch=2)
    columns = MetricColumns(at=START, steps=[10, 20], values={name: [0.75, 0.25]}, epochs=[1, 1])
    rule = f'"{name}" < 0.5'
    assert told(rule, [row]) == [f"{rule}: 0.25 at step 50, epoch 2"]
    assert told(rule, [columns]) == [f"{rule}: 0.25 at step 20, epoch 1"]
    large = MetricsLogged(at=START, step=1, values={"n": 2**60})
    assert told("n > 2", [large]) == ["n > 2: 1.15292e18 at step 1"]


def test_a_number_that_is_logged_by_the_name_of_a_series_of_every_step_is_another_one() -> None:
    logged = MetricsLogged(at=START, step=9, values={"lr": 9.0})
    assert not told("lr > 1", [*steps([1.0] * 8), logged])
    assert told("lr > 1", [logged])
    assert told("'lr (logged)' > 1", [*steps([1.0] * 8), logged])


def test_a_value_is_shown_in_so_many_digits_that_it_is_seen_to_be_so() -> None:
    assert told("val_loss > 2", epochs([2.00000001])) == ["val_loss > 2: 2.00000001 at step 4, epoch 1"]


def test_a_loss_that_comes_and_goes_is_not_told_each_time() -> None:
    """Told, over, told again: and then nothing until it has been over for a minute."""
    noisy = [[1.0, 3.0][epoch % 2] for epoch in range(200)]
    calm = [1.0] * 100
    texts = told("val_loss > 2", epochs([*noisy, *calm], epoch_s=1.0))
    assert texts == [
        "val_loss > 2: 3 at step 8, epoch 2",
        "no longer val_loss > 2: 1 at step 12, epoch 3",
        "val_loss > 2: 3 at step 16, epoch 4",
        f"no longer val_loss > 2: 1 at step {(200 + int(APART_S)) * 4:,}, epoch {200 + int(APART_S)}",
    ]


@pytest.mark.never_says("alert.over")
def test_a_nan_ends_nothing() -> None:
    assert told("val_loss > 2", epochs([3.0, nan, 3.0])) == ["val_loss > 2: 3 at step 4, epoch 1"]


@pytest.mark.says("alert.last", "alert.never")
def test_what_is_missing_is_told_with_when_it_was_last_there() -> None:
    events = epochs([1.0, None, None, None, 1.0, 1.0])
    assert told("val_loss is missing for 2 epochs", events) == [
        "val_loss is missing for 2 epochs: none since step 4, epoch 1",
        "no longer val_loss is missing for 2 epochs: 1 at step 20, epoch 5",
    ]
    assert told("gpu_temp is missing for 6 steps", events) == ["gpu_temp is missing for 6 steps: none so far"]
    assert told("val_loss is missing for 250 seconds", events) == [
        "val_loss is missing for 250 seconds: none since step 4, epoch 1",
        "no longer val_loss is missing for 250 seconds: 1 at step 20, epoch 5",
    ]


@pytest.mark.never_says("alert.last", "alert.never", "alert.unknown")
@pytest.mark.parametrize("rule", ["val_loss is missing for 1 epoch", "late is missing for 1 epoch"])
def test_what_comes_with_each_epochs_end_is_not_missing_while_one_goes_on(rule: str) -> None:
    events: list[AnyEvent] = []
    for event in epochs([1.0, 1.0, 1.0]):
        events.append(event)
        if isinstance(event, EpochEnded):  # some of it comes a moment later
            events.append(MetricsLogged(at=event.at, step=event.step, epoch=event.epoch, values={"late": 1.0}))
    assert told(rule, events) == []


@pytest.mark.says("alert.unknown")
def test_a_rule_that_watches_nothing_is_told_of_after_an_epoch_with_what_may_be_meant() -> None:
    events = epochs([1.0, 1.0, 1.0])
    assert told("val_los > 2", events) == [
        "the alert val_los > 2 watches nothing: there is no val_los yet, but val_loss"
    ]
    (text,) = told("gpu_temp > 85", events)
    assert text.endswith("there is no gpu_temp yet, but train_loss, lr, val_loss and images_per_second")


@pytest.mark.never_says("alert.unknown")
def test_a_rule_whose_series_has_a_value_watches_something() -> None:
    assert told(["val_loss > 2", "loss > 2", "gpu_temp is missing for 99 epochs"], epochs([1.0] * 3)) == []
    assert told("val_los > 2", epochs([1.0])) == []


RULES = [
    "val_loss > 2 for 3 epochs",
    "loss > 2 for 2 epochs",
    "val_loss > 2 for 250 seconds",
    "val_loss > 2",
    "loss > 2 for 6 steps",
    "val_loss is missing for 2 epochs",
]
some_losses = st.lists(st.sampled_from([1.0, 3.0, nan, None]), min_size=1, max_size=8)


@given(st.lists(st.sampled_from([1.0, 3.0]), min_size=8, max_size=8), some_losses, st.data())
def test_a_run_that_is_gone_on_with_tells_what_it_would_have_told(
    losses: list[float], val_losses: list[float | None], data: st.DataObject
) -> None:
    events: list[AnyEvent] = []
    for epoch, val_loss in enumerate(val_losses, 1):
        events += epochs([val_loss], loss=losses[epoch - 1], first=epoch)
    cut = data.draw(st.integers(0, len(events)))
    again = data.draw(st.integers(0, cut))
    whole = told(RULES, events)
    history, watch = History(), RuleWatch([parse(rule) for rule in RULES])
    before: list[str] = []
    for event in events[:cut]:
        history.apply(event)
        for alert in watch.take(event):
            history.apply(alert)
            before.append(alert.text.removeprefix("alert: "))
    # From its checkpoint it trains some of it again.
    assert before + told(RULES, events[again:], history) == whole


@pytest.mark.says("alert.dropped")
def test_a_rule_that_is_not_watched_any_more_is_over() -> None:
    history = History()
    watch = RuleWatch([parse("val_loss > 2")])
    for event in epochs([3.0]):
        for one in (event, *watch.take(event)):
            history.apply(one)
    started = RunStarted(at=START + 999, run="x", schema=2, pid=1, host="here")
    assert told("lr < 1e-6", [started], history) == ["no longer watched: val_loss > 2"]


@pytest.mark.never_says("alert.dropped")
def test_a_rule_that_is_watched_on_is_neither_told_again_nor_dropped() -> None:
    history = History()
    watch = RuleWatch([parse("val_loss > 2")])
    for event in epochs([3.0]):
        for one in (event, *watch.take(event)):
            history.apply(one)
    started = RunStarted(at=START + 999, run="x", schema=2, pid=1, host="here")
    history.apply(started)
    assert told("val_loss > 2", [started, *epochs([3.0], first=2)], history) == []
    assert told("val_loss > 2", [started, *epochs([1.0], first=2)], history) == [
        "no longer val_loss > 2: 1 at step 8, epoch 2"
    ]


def test_a_history_says_which_rules_are_so_until_they_are_over_or_the_run_is() -> None:
    history = History()
    watch = AlertRules(rules=RuleWatch([parse("val_loss > 2"), parse("lr < 1")]))
    words = []
    for event in epochs([1.0, 3.0, 1.0]):
        for one in (event, *watch.take(event)):
            history.apply(decode(encode(one)))
        words.append(history.finding.reason if history.finding is not None else "")
    assert words[0] == words[2] == "lr < 1: 0.1 at step 1, epoch 1"
    assert words[3] == "val_loss > 2: 3 at step 8, epoch 2"
    assert words[5] == "lr < 1: 0.1 at step 1, epoch 1"
    assert [*history.rules_told] == ["lr < 1"]
    history.apply(RunEnded(at=START + 999, status="finished", reason="", step=12, epoch=3, exit_code=0))
    assert history.finding is None


def test_an_alert_of_a_record_of_before_is_read() -> None:
    line = b'{"type":"Noticed","at":1.0,"kind":"slow","text":"slow","over":""}\n'
    assert decode(line) == Alert(at=1.0, kind="slow", text="slow")


@given(anything | runs(), st.lists(st.sampled_from([*RULES, "loss is nan", "加 > 1", "lr < 1"]), max_size=5))
def test_any_events_can_be_watched(events: list[AnyEvent], rules: list[str]) -> None:
    history = History()
    watch = AlertRules(rules=RuleWatch([parse(rule) for rule in rules]))
    for event in events:
        history.apply(event)
        for alert in watch.take(event):
            assert encode(alert)
    AlertRules(history.best, history.health, RuleWatch([parse(rule) for rule in rules], history))


def test_an_event_costs_no_more_late_in_a_run_than_early() -> None:
    """And ten rules some microseconds a step: nothing that training would feel."""
    watch = RuleWatch([parse(rule) for rule in [*RULES, *(f"loss > {limit} for 3 epochs" for limit in range(5, 11))]])
    lines = [event for event in scripted_run(epochs=50, batches=400) if isinstance(event, StepsTaken | EpochEnded)]
    took = []
    for part in (lines[: len(lines) // 2], lines[len(lines) // 2 :]):
        began = time.process_time()
        for event in part:
            watch.take(event)
        took.append(time.process_time() - began)
    assert took[1] < 3 * took[0]
    assert sum(took) / (50 * 400) < 200e-6
