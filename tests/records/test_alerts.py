"""What a run's events come to: told once, at the right time, and not where nothing is wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.streams import anything, runs
from tests.scripted import START, epoch_ended, scripted_run
from tui_trainer.events import (
    Alert,
    AnyEvent,
    Continued,
    EpochEnded,
    PaceChanged,
    Paused,
    ProgramWatched,
    RunConfigured,
    RunEnded,
    StepsTaken,
)
from tui_trainer.records.alerts import AlertRules

RESOLVED = next(event for event in scripted_run(batches=80) if isinstance(event, RunConfigured))
"""Epochs of 80 batches, of 64 images: windows of 20 steps."""


def training(
    losses: Sequence[float | None] | Callable[[int], float],
    *,
    steps: int = 400,
    step_s: Callable[[int], float] = lambda step: 0.01,
    a_line: int = 7,
    first: int = 1,
) -> list[AnyEvent]:
    """Steps from `first` on, whose losses and lengths these are, in epochs of 80."""
    events: list[AnyEvent] = [RESOLVED] if first == 1 else []
    at = elapsed = 0.0
    line: list[float | None] = []
    times: list[float] = []
    for step in range(first, first + steps):
        elapsed = round(elapsed + step_s(step), 6)
        at = START + elapsed
        line.append(losses(step) if callable(losses) else losses[step - first])
        times.append(elapsed)
        if len(line) == a_line or step % 80 == 0:
            began = step - len(line) + 1
            batch = (began - 1) % 80 + 1
            epoch = (began - 1) // 80 + 1
            events.append(
                StepsTaken(at=at, step=began, epoch=epoch, batch=batch, losses=line, lrs=[0.1], elapsed=times)
            )
            line, times = [], []
    return events


def told(events: Sequence[AnyEvent], watch: AlertRules | None = None) -> list[Alert]:
    watch = watch or AlertRules()
    return [notice for event in events for notice in watch.take(event)]


def kinds(notices: Sequence[Alert]) -> list[str]:
    return [notice.kind for notice in notices]


def falling(step: int) -> float:
    return 0.1 + 2.2 * 0.98**step


def noisy(seed: int) -> Callable[[int], float]:
    rng = random.Random(seed)
    return lambda step: falling(step) * rng.uniform(0.5, 1.5)


@given(st.integers(0, 1000))
def test_a_loss_that_falls_with_noise_is_no_news(seed: int) -> None:
    assert told(training(noisy(seed))) == []


@pytest.mark.parametrize(
    "rise",
    [
        lambda step: 0.005 * (step - 200),
        lambda step: 1.05 ** (step - 200),
        lambda step: 2.3,
    ],
    ids=["slowly", "fast", "at once and for good"],
)
def test_a_rising_loss_is_told_once_before_it_is_nan(rise: Callable[[int], float]) -> None:
    loss = noisy(1)
    events = training(lambda step: loss(step) + (rise(step) if step > 200 else 0))
    (notice,) = told(events)
    assert notice.kind == "diverging"
    assert notice.text.startswith("diverging: loss ")
    assert "over the last 20 steps" in notice.text
    assert notice.at < events[-1].at


@pytest.mark.parametrize("step", [1, 7, 80, 200, 400])
def test_a_spike_is_not_divergence(step: int) -> None:
    assert told(training(lambda at: 50.0 if at in (step, step + 1) else falling(at))) == []


def test_restarts_of_the_lr_are_not_divergence() -> None:
    """A warm restart brings a loss up for a while, far above a low one."""
    assert told(training(lambda step: falling(step) + (0.4 * 0.97 ** (step - 200) if step >= 200 else 0))) == []


def test_a_loss_that_came_down_again_may_be_told_of_again() -> None:
    def loss(step: int) -> float:
        return falling(step) + (3.0 if 100 < step <= 200 or step > 300 else 0)

    assert kinds(told(training(loss))) == ["diverging", "recovered", "diverging"]


@given(st.integers(0, 50), st.integers(1, 90), st.integers(1, 90))
def test_how_steps_come_in_events_changes_nothing_that_is_told_of_the_loss(seed: int, one: int, other: int) -> None:
    def events(a_line: int) -> list[AnyEvent]:
        loss = noisy(seed)
        return training(lambda step: loss(step) + (step > 200) * 3.0, a_line=a_line)

    assert [n.text for n in told(events(one))] == [n.text for n in told(events(other))] != []


def test_a_loss_that_is_high_and_falls_again_is_no_divergence() -> None:
    """As after a switch to a far higher LR: high for many windows, and each lower than the one before."""
    assert told(training(lambda step: falling(step) + (3 * 0.99 ** (step - 200) if step >= 200 else 0))) == []


def test_losses_that_are_not_finite_count_for_nothing() -> None:
    assert told(training([None if step % 3 == 0 else 1.0 for step in range(400)])) == []


@pytest.mark.says("health.slow")
def test_slower_than_before_is_told_once_and_that_it_is_over() -> None:
    def step_s(step: int) -> float:
        return 0.25 if 300 < step <= 400 else 0.1

    slow, again = told(training(falling, steps=600, step_s=step_s))
    assert (slow.kind, again.kind) == ("slow", "recovered")
    assert slow.text == "slow: 256 images/s, 640 images/s before"
    assert again.text == "no longer slow: 640 images/s"


def test_slow_is_measured_by_what_was_usual_of_late() -> None:
    def step_s(step: int) -> float:
        return 0.05 if 300 < step <= 1500 else 0.2

    (slow,) = told(training(falling, steps=2000, step_s=step_s))
    assert slow.text == "slow: 320 images/s, 1,280 images/s before"


def test_where_no_batch_size_is_known_the_speed_is_in_steps() -> None:
    (slow,) = told(training(falling, steps=600, step_s=lambda step: 0.25 if step > 300 else 0.1)[1:])
    assert slow.text == "slow: 4.0 steps/s, 10.0 steps/s before"


@pytest.mark.parametrize(
    "step_s",
    [
        lambda step: 0.14 if step > 300 else 0.1,
        lambda step: 0.4 if 300 < step < 310 else 0.1,
        lambda step: 30.0 if step % 80 == 1 else 0.1,
    ],
    ids=["a little slower", "for a moment", "in the pause between two epochs"],
)
def test_what_is_no_drop_of_throughput(step_s: Callable[[int], float]) -> None:
    assert told(training(falling, steps=600, step_s=step_s)) == []


@pytest.mark.says("health.slow")
@pytest.mark.never_says("health.slow")
@pytest.mark.parametrize(
    "watched",
    [
        PaceChanged(at=START, seconds_a_call=0.5, by="screen"),
        Continued(at=START, step=400, by="screen", one_batch=True),
    ],
)
def test_what_is_followed_by_eye_may_be_slow(watched: AnyEvent) -> None:
    fast = training(falling, steps=400, step_s=lambda step: 0.1)
    slow = training(falling, steps=100, step_s=lambda step: 2.0, first=401)
    assert told([*fast, watched, *slow]) == []
    assert kinds(told([*fast, *slow])) == ["slow"]


def epoch(number: int, accuracy: float, length_s: float = 60.0) -> EpochEnded:
    return epoch_ended(number, val_accuracy=accuracy, at=START + number * length_s)


def epochs(*accuracies: float) -> list[AnyEvent]:
    return [epoch(number, accuracy) for number, accuracy in enumerate(accuracies, 1)]


@pytest.mark.parametrize(
    ("accuracies", "times"),
    [
        ((0.1, 0.2, 0.3, 0.4), 0),
        ((0.1, 0.3, 0.2, 0.4, 0.5), 1),
        ((0.1, 0.3, 0.2, 0.3), 0),
        ((0.3, 0.2, 0.4, 0.2, 0.5), 2),
        ((0.3, float("nan"), 0.4), 1),
    ],
)
def test_a_new_best_is_told_where_it_is_news(accuracies: tuple[float, ...], times: int) -> None:
    assert kinds(told(epochs(*accuracies))) == ["best"] * times


def test_in_a_run_of_short_epochs_it_is_told_once_a_minute() -> None:
    short = [epoch(number, number % 2 + number / 1000, length_s=1.0) for number in range(1, 120)]
    assert kinds(told(short)) == ["best", "best"]


@pytest.mark.says("health.best")
def test_a_run_that_goes_on_remembers_its_best() -> None:
    watch = AlertRules(epoch(4, 0.9))
    assert told(epochs(0.8), watch) == []
    (notice,) = told([epoch(6, 0.95)], watch)
    assert notice.text == "a new best at epoch 6: val_accuracy 0.9500, before it 0.9000 at epoch 4"


def test_a_silence_is_long_by_what_is_usual() -> None:
    watch = AlertRules()
    assert watch.patience is None
    told(training(falling, steps=79, step_s=lambda step: 0.01), watch)
    assert watch.patience == 15.0
    slow = AlertRules()
    told(training(falling, steps=79, step_s=lambda step: 4.0), slow)
    assert slow.patience == pytest.approx(40.0)


def test_around_an_epoch_s_end_validation_is_waited_for() -> None:
    watch = AlertRules()
    told(training(falling, steps=80, step_s=lambda step: 0.5), watch)
    assert watch.patience == pytest.approx(5 * 39.5)
    told([epoch(1, 0.5)], watch)
    assert watch.patience is not None
    assert watch.patience >= 60
    (more,) = training(falling, steps=80, first=81, a_line=80)
    told([more], watch)
    assert watch.patience == 60


@pytest.mark.says("notice.stalled_after_last_batch", "notice.step_took")
@pytest.mark.never_says("notice.stalled", "notice.stalled_after_epoch")
@pytest.mark.parametrize(
    ("seconds", "words"),
    [(9.44, "9.4 s"), (10.4, "10 s"), (599.0, "599 s"), (600.0, "10 min"), (7260.0, "121 min")],
)
def test_a_stall_says_for_how_long_and_where(seconds: float, words: str) -> None:
    watch = AlertRules()
    told(training(falling, steps=80, step_s=lambda step: 12.0), watch)
    said = "stalled: nothing has happened for {}, after the last batch of epoch 1; a step took 12 s until then"
    assert watch.stall(seconds, at=START).text == said.format(words)


STALLS = ("notice.stalled", "notice.stalled_after_last_batch", "notice.stalled_after_epoch")


@pytest.mark.says("notice.*")
@pytest.mark.never_says("notice.stalled", "notice.stalled_after_last_batch", "notice.stalled_after_epoch")
@pytest.mark.never_says("notice.step_took", "notice.goes_on")
@pytest.mark.parametrize(
    ("events", "where", "said"),
    [
        (training(falling, steps=70), "at step 71; a step", "notice.stalled"),
        (training(falling, steps=80), "after the last batch of epoch 1; a step", "notice.stalled_after_last_batch"),
        (
            [*training(falling, steps=80), epoch(1, 0.5)],
            "after the end of epoch 1; a step",
            "notice.stalled_after_epoch",
        ),
        (
            [*training(falling, steps=80), epoch(1, 0.5), *training(falling, steps=1, first=81, a_line=1)],
            "at step 82; a step",
            "notice.stalled",
        ),
        (training(falling, steps=1, a_line=1), "at step 2; a step", "notice.stalled"),
        (training(falling, steps=1, first=71, a_line=1), "at step 72", "notice.stalled"),
    ],
)
def test_where_a_run_stalls_is_what_came_last(
    events: list[AnyEvent], where: str, said: str, captions_said: set[str]
) -> None:
    watch = AlertRules()
    told(events, watch)
    assert where in watch.stall(99.0, at=START).text
    assert captions_said & {*STALLS, "notice.goes_on"} == {said}
    assert ("notice.step_took" in captions_said) is where.endswith("a step")


def test_behind_a_first_step_that_took_long_the_second_may_too() -> None:
    watch = AlertRules()
    told(training(falling, steps=1, a_line=1, step_s=lambda step: 20.0), watch)
    assert watch.patience == 10 * 20.0
    told(training(falling, steps=2, a_line=1, step_s=lambda step: 20.0)[-1:], watch)
    assert watch.patience == 10 * 20.0


@pytest.mark.parametrize(
    "quiet",
    [
        Paused(at=START, step=70, by="screen"),
        RunEnded(at=START, status="finished", reason="", step=70, epoch=1, exit_code=0),
    ],
)
def test_a_run_that_stands_still_does_not_stall(quiet: AnyEvent) -> None:
    watch = AlertRules()
    told([*training(falling, steps=70), quiet], watch)
    assert watch.patience is None
    watch.take(Continued(at=START, step=70, by="screen"))
    assert watch.patience == 15.0


@pytest.mark.parametrize("steps_left", [0, 1])
@pytest.mark.parametrize("is_watched", [False, True], ids=["a run of ours", "a watched program"])
def test_what_a_watched_program_does_behind_its_last_step_is_no_stall(is_watched: bool, steps_left: int) -> None:
    """It may evaluate, or wait for somebody: that it stands still is known of our own loop alone."""
    total = RESOLVED.recipe.total_steps
    assert total is not None
    program = ProgramWatched(at=START, command=["python", "train.py"], cwd="/", pid=1)
    watch = AlertRules()
    told([*([program] if is_watched else []), *training(falling, steps=total - steps_left)], watch)
    assert (watch.patience is None) == (is_watched and not steps_left)
    beyond = training(falling, steps=1, first=total + 1, a_line=1)
    told(beyond, watch)
    assert watch.patience is not None, "it goes on longer than was thought"


@pytest.mark.parametrize("at_end", [False, True], ids=["within an epoch", "at its end"])
def test_slow_motion_is_no_stall(at_end: bool) -> None:
    """Each call is held: a batch of ten takes as many times longer, and so does what is too long."""
    watch = AlertRules()
    for event in [*training([1.0] * 80, steps=80), *([epoch(1, 0.5)] if at_end else [])]:
        watch.take(event)
    usual = watch.patience
    assert usual is not None
    watch.take(PaceChanged(at=START + 100, seconds_a_call=10.0, by="screen"))
    assert watch.patience == usual + 100.0
    watch.take(PaceChanged(at=START + 200, seconds_a_call=0.0, by="screen"))
    assert watch.patience == usual


@pytest.mark.says("notice.stalled", "notice.step_took", "notice.goes_on")
def test_a_stall_is_told_once_until_a_step_comes() -> None:
    watch = AlertRules()
    told(training(falling, steps=70), watch)
    stall = watch.stall(20.0, at=START + 20.7)
    assert stall.kind == "stall"
    assert stall.text == "stalled: nothing has happened for 20 s, at step 71; a step took 0.01 s until then"
    assert told([stall], watch) == []
    assert watch.patience is None
    step = StepsTaken(at=START + 30.7, step=71, epoch=1, batch=71, losses=[1.0], lrs=[0.1], elapsed=[30.7])
    assert [notice.text for notice in told([step], watch)] == ["training goes on, after 30 s"]
    assert watch.patience is not None


@given(runs())
def test_a_plausible_run_gives_no_warning(events: list[AnyEvent]) -> None:
    assert not [notice for notice in told(events) if notice.kind in ("diverging", "slow", "stall")]


@given(anything)
def test_it_takes_whatever_a_damaged_record_holds(events: list[AnyEvent]) -> None:
    watch = AlertRules()
    for notice in told(events, watch):
        assert notice.text
        assert watch.take(notice) == []
    assert watch.patience is None or watch.patience > 0
