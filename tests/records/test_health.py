"""Which word stands for how a run is, and which does not: over made runs, epoch by epoch."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.records.made_runs import GUESS, Made, chance, cosine, restarts, settled
from tests.records.streams import anything, runs, state_of
from tests.scripted import START
from tui_trainer.events import (
    Alert,
    AnyEvent,
    EpochEnded,
    PlanMade,
    RunStarted,
    StepsTaken,
)
from tui_trainer.records.alerts import AlertRules
from tui_trainer.records.health import Health
from tui_trainer.records.history import History


def words(made: Made | Sequence[AnyEvent]) -> list[str]:
    """The word after each epoch; empty while the run is well."""
    health = Health()
    said = []
    for event in made.events() if isinstance(made, Made) else made:
        health.take(event)
        if isinstance(event, EpochEnded):
            said.append(health.finding.word if health.finding is not None else "")
    return said


def reason(made: Made) -> str:
    health = Health()
    for event in made.events():
        health.take(event)
    assert health.finding is not None
    return health.finding.reason


def told(made: Made) -> list[tuple[str, str]]:
    rules = AlertRules()
    return [(alert.kind, alert.text) for event in made.events() for alert in rules.take(event) if alert.kind != "best"]


# Healthy runs: not a word.

HEALTHY: dict[str, Made] = {
    "falls": Made(settled(0.05)),
    "anneals": Made(settled(0.05), lr=cosine(10)),
    "jumps up at each restart": Made(
        lambda step: settled(0.3, pace=0.005)(step) + 0.6 * restarts(5)(step) / 0.1 * (step > 60),
        lr=restarts(5),
        epochs=40,
    ),
    "climbs and falls with a cyclic LR": Made(
        lambda step: settled(0.2, pace=0.005)(step) + 0.8 * abs((step % 240) / 240 - 0.5),
        lr=lambda step: 0.01 + 0.2 * abs((step % 240) / 240 - 0.5),
        epochs=30,
    ),
    "noisy validation at a high LR": Made(
        settled(0.3, pace=0.0005),
        val_loss=lambda epoch: 0.75 + 0.5 / epoch + 0.5 * random.Random(epoch).random() ** 2,
        lr=lambda step: 0.1 if step <= 60 * 60 else 0.01,
        epochs=100,
        accuracy=lambda epoch: 0.7,
    ),
    "an enormous loss at first": Made(settled(0.3, high=500.0, pace=0.04)),
    "an enormous loss that takes epochs to come down": Made(settled(0.3, high=500.0, pace=0.01)),
    "a spike in the first steps at a high LR": Made(lambda step: settled(0.3)(step) + (8.0 if 3 < step < 15 else 0)),
    "one batch an epoch": Made(settled(0.01), batches=1, epochs=200, train_images=64, val_images=64),
    "one batch an epoch, and nothing learned yet": Made(lambda step: GUESS, batches=1, epochs=40, accuracy=chance),
    "one epoch": Made(settled(0.5), epochs=1),
    "a warm-up in which nothing is learned": Made(
        lambda step: GUESS if step <= 120 else settled(0.1)(step - 120),
        val_loss=lambda epoch: GUESS if epoch <= 2 else 0.3,
        accuracy=lambda epoch: 0.1 if epoch <= 2 else 0.8,
        lr=lambda step: 1e-6 * step if step <= 120 else 0.1,
    ),
    "200 epochs, at the floor with the LR at its end": Made(
        settled(0.01),
        val_loss=lambda epoch: 0.3 + (epoch > 100) * 0.001,
        lr=cosine(200),
        epochs=200,
        accuracy=lambda e: 0.9,
    ),
    "no better for long, and the LR falls later": Made(
        settled(0.3),
        val_loss=lambda epoch: 0.5,
        accuracy=lambda epoch: 0.8,
        lr=lambda step: 0.1 if step <= 60 * 80 else 0.01,
        epochs=100,
    ),
    "no better for long after the last drop": Made(
        settled(0.3),
        val_loss=lambda epoch: 0.5,
        accuracy=lambda epoch: 0.8,
        lr=lambda step: 0.1 if step <= 60 * 5 else 0.005,
        epochs=100,
    ),
    "validation that BatchNorm spoils at first": Made(
        settled(0.3),
        val_loss=lambda epoch: 6.0 if epoch <= 2 else 0.5,
        accuracy=lambda epoch: 0.1 if epoch <= 2 else 0.8,
        train_accuracy=lambda epoch: 0.6,
    ),
    "a validation loss that rises by little": Made(settled(0.001), val_loss=lambda epoch: 0.0921 + 0.002 * epoch),
    "both losses rise a little with a higher LR": Made(
        lambda step: settled(0.3)(step) + (0.2 if step > 300 else 0),
        val_loss=lambda epoch: 0.4 if epoch <= 5 else 0.7,
        lr=lambda step: 0.01 if step <= 300 else 0.1,
        switch=6,
    ),
}


@pytest.mark.never_says(
    "health.over",
    "health.rises",
    "health.far_above",
    "health.above",
    "health.chance",
    "health.overfitting",
    "health.plateaued",
)
@pytest.mark.parametrize("made", HEALTHY.values(), ids=HEALTHY)
@pytest.mark.parametrize("seed", range(3))
def test_no_word_is_said_of_a_healthy_run(made: Made, seed: int) -> None:
    made = replace(made, seed=seed)
    assert words(made) == [""] * made.epochs
    assert told(made) == []


# Diverging


@pytest.mark.says("health.far_above", "health.guess")
@pytest.mark.never_says("health.began")
def test_diverging_is_said_when_the_loss_stays_far_above_its_start() -> None:
    made = Made(lambda step: 2.2 if step == 1 else 5e9, accuracy=chance, noise=0)
    assert words(made) == ["diverging"] * 10
    assert told(made)[0][0] == "diverging"
    assert len(told(made)) == 1


def test_diverging_is_said_within_the_first_epoch_of_a_loss_that_grows() -> None:
    made = Made(lambda step: GUESS * 1.02**step, batches=4000, epochs=1)
    health = Health()
    *_, steps, _ = made.events()
    for event in (made.configured(), steps):
        health.take(event)
    assert health.finding is not None
    assert health.finding.word == "diverging"


@pytest.mark.says("health.above", "health.began")
@pytest.mark.never_says("health.guess")
def test_diverging_is_said_when_the_losses_are_above_guessing_after_an_epoch() -> None:
    made = Made(lambda step: 3.1, val_loss=lambda epoch: 3.2, accuracy=chance, noise=0.02)
    made.loss = lambda step: GUESS if step == 1 else 3.1
    assert words(made) == ["diverging"] * 10
    assert reason(made).startswith("val_loss 3.2000 after epoch 10; it began at 2.3")


@pytest.mark.says("health.rises", "health.over")
def test_diverging_is_not_said_once_the_loss_is_down_again() -> None:
    made = Made(lambda step: settled(0.1)(step) + (3.0 if 180 < step <= 300 else 0))
    assert words(made) == ["", "", "", "diverging", "diverging", "", "", "", "", ""]
    (kind, _), (over, text) = told(made)
    assert (kind, over) == ("diverging", "recovered")
    assert text.startswith("no longer diverging: loss 0.")


def test_diverging_is_said_of_a_loss_that_collapses_as_the_lr_warms_up() -> None:
    """Where the LR is higher than at the low, a small rise is usual; to lose all that was gained is not."""
    made = Made(
        lambda step: settled(0.5)(step) if step <= 200 else GUESS,
        accuracy=lambda epoch: 0.7 if epoch <= 3 else 0.1,
        lr=lambda step: 0.001 * step,
    )
    assert words(made)[-1] == "diverging"


# Chance level


@pytest.mark.says("health.chance")
def test_chance_level_is_said_after_the_first_epoch_that_learned_nothing() -> None:
    made = Made(lambda step: GUESS, accuracy=lambda epoch: 0.112 if epoch % 2 else 0.092)
    assert words(made) == ["chance level"] * 10
    assert told(made) == [("chance-level", "chance level: val_accuracy 0.1120 after epoch 1, a guess gets 0.1")]


@pytest.mark.says("health.chance_by_loss")
def test_chance_level_is_said_of_lucky_weights_that_do_not_move() -> None:
    made = Made(lambda step: GUESS, accuracy=lambda epoch: 0.16, noise=0)
    assert words(made) == ["chance level"] * 10
    assert reason(made) == "val_loss 2.3026 after epoch 10, a guess gets 2.3026"


@pytest.mark.never_says("health.chance_by_loss")
@pytest.mark.parametrize(
    "made", [Made(lambda step: 2.25, accuracy=lambda epoch: 0.16, noise=0)], ids=["learns a little"]
)
def test_chance_level_is_not_said_of_a_run_that_learns_slowly(made: Made) -> None:
    assert words(made) == [""] * 10


def test_chance_level_is_said_of_labels_learned_by_heart() -> None:
    """Those that train are known better and better, the others never."""
    made = Made(
        settled(1.5), val_loss=lambda epoch: GUESS, accuracy=chance, train_accuracy=lambda epoch: 0.2 + epoch / 30
    )
    assert words(made)[:3] == ["", "", "chance level"]


def test_chance_level_is_not_said_once_something_is_learned_and_noise_does_not_undo_it() -> None:
    accuracies = [0.1, 0.127, 0.13, 0.3, 0.5, 0.6, 0.7, 0.7, 0.7, 0.7]
    made = Made(lambda step: 2.2, accuracy=lambda epoch: accuracies[epoch - 1], noise=0)
    assert words(made) == ["chance level"] * 3 + [""] * 7


@pytest.mark.parametrize("classes", [0, 1])
def test_chance_level_is_not_said_where_the_classes_are_not_known(classes: int) -> None:
    made = Made(lambda step: GUESS, accuracy=chance, classes=classes)
    if classes == 1:
        made.accuracy = lambda epoch: 1.0
    assert words(made) == [""] * 10


def test_the_classes_of_an_old_record_are_those_of_its_data_set() -> None:
    events = list(Made(lambda step: GUESS, accuracy=chance).events())
    events[0] = msgspec.structs.replace(events[0], classes=0, dataset="cifar10")  # type: ignore[type-var]
    assert words(events) == ["chance level"] * 10


def test_chance_is_another_share_for_two_classes() -> None:
    assert words(Made(lambda step: 0.69, accuracy=lambda epoch: 0.51, classes=2)) == ["chance level"] * 10
    assert words(Made(settled(0.3, high=0.69), accuracy=lambda epoch: 0.7, classes=2)) == [""] * 10


# Overfitting


def overfits(epochs: int = 20, **more: object) -> Made:
    return Made(
        settled(0.01, pace=0.003),
        val_loss=lambda epoch: 1.0 - 0.1 * min(epoch, 5) + 0.06 * max(0, epoch - 5),
        accuracy=lambda epoch: 0.8,
        epochs=epochs,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.says("health.overfitting")
def test_overfitting_is_said_when_the_validation_loss_rises_and_the_training_loss_falls() -> None:
    said = words(overfits())
    assert said == [""] * 10 + ["overfitting"] * 10
    (kind, text), *rest = told(overfits())
    assert kind == "overfitting"
    assert re.fullmatch(r"overfitting: loss gap 0.\d\d: val 0.50 → 0.86, train 1.0\d → 0.\d\d since epoch 5", text)
    assert rest == []


def test_a_training_loss_that_is_almost_0_is_not_called_0() -> None:
    made = overfits()
    made.loss = lambda step: max(2 * 0.97**step, 2e-6)
    ((_, text),) = told(made)
    assert re.search(r" → [12](\.\d+)?e-6 since epoch 5$", text)


def test_the_figures_of_overfitting_are_those_of_the_last_epoch_though_the_training_loss_was_0_once() -> None:
    made = overfits()
    made.loss = lambda step: 0.0 if 11 * made.batches < step <= 12 * made.batches else max(2 * 0.97**step, 2e-9)
    assert f"val 0.50 → {made.val_loss(made.epochs):.2f}, " in reason(made)


def test_overfitting_is_not_said_once_the_training_loss_is_above_that_of_validation() -> None:
    made = overfits()
    falling = made.loss
    made.loss = lambda step: 1.3 if step > 14 * made.batches else falling(step)
    said = words(made)
    assert said[13] == "overfitting"
    assert "overfitting" not in said[14:]


def test_overfitting_is_not_said_when_both_losses_rise() -> None:
    made = overfits()
    made.loss = lambda step: 0.5 + 0.0001 * step
    assert "overfitting" not in words(made)


def test_overfitting_is_not_said_of_two_bad_epochs() -> None:
    made = overfits()
    made.val_loss = lambda epoch: 1.2 if epoch % 3 else 0.6 - epoch / 100
    assert "overfitting" not in words(made)


def test_overfitting_is_not_said_once_the_validation_loss_is_down_again() -> None:
    made = overfits()
    rising = made.val_loss
    made.val_loss = lambda epoch: 0.45 if epoch > 14 else rising(epoch)  # type: ignore[misc]
    assert words(made)[12:16] == ["overfitting", "overfitting", "", ""]
    assert told(made)[-1][0] == "recovered"


# Plateaued


def flat(epochs: int = 30, **more: object) -> Made:
    return Made(
        settled(0.4),
        val_loss=lambda epoch: 0.5 if epoch == 4 else 0.55,
        accuracy=lambda epoch: 0.8,
        epochs=epochs,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.never_says("health.another_preset")
@pytest.mark.says("health.plateaued")
def test_plateaued_is_said_when_nothing_is_better_for_ten_epochs_at_a_constant_lr() -> None:
    assert words(flat()) == [""] * 13 + ["plateaued"] * 16 + ["plateaued"]
    assert told(flat()) == [("plateaued", "plateaued: val_loss not below 0.5000 for 10 epochs, LR stays at 0.1")]


def test_plateaued_is_not_said_of_a_run_that_is_over_with_that_epoch() -> None:
    assert words(flat(epochs=14)) == [""] * 14


def test_plateaued_is_said_later_in_a_long_run() -> None:
    assert words(flat(epochs=200)).index("plateaued") == 43


def test_plateaued_is_not_said_while_the_accuracy_gets_better() -> None:
    made = flat()
    made.accuracy = lambda epoch: 0.5 + epoch / 100
    assert words(made) == [""] * 30


def test_plateaued_is_not_said_where_a_plateau_scheduler_has_just_cut_the_lr() -> None:
    made = flat(lr=lambda step: 0.1 * 0.5 ** (step // 360), plan=lambda step: 0.1)
    assert words(made) == [""] * 30


@pytest.mark.says("health.another_preset")
def test_plateaued_is_not_said_after_a_switch_until_it_has_had_its_time() -> None:
    said = words(flat(switch=18, epochs=40))
    assert said[13:17] == ["plateaued"] * 4
    assert said[17:26] == [""] * 9
    assert said[26] == "plateaued"


# What is no matter


def test_a_resumed_run_is_as_it_was_and_is_told_of_once() -> None:
    """It trains some batches again, which the record has; and another process tells, which has not seen the first."""
    events = list(Made(lambda step: GUESS, accuracy=chance, epochs=4).events())
    history = History()
    before = AlertRules()
    for event in events[:6]:
        history.apply(event)
        before.take(event)
    after = AlertRules(history.best, history.health)
    again = [RunStarted(at=START, run="r", schema=1, pid=1, host="h", resumed_from_step=60), *events[:2], *events[4:]]
    assert [alert.kind for event in again for alert in after.take(event) if alert.kind != "best"] == []
    assert history.health.finding is not None


@given(runs(), st.integers(0, 60))
def test_events_that_come_again_change_nothing(events: list[AnyEvent], back: int) -> None:
    once, twice = Health(), Health()
    sound = [event for event in events if isinstance(event, StepsTaken | EpochEnded)]
    for event in sound:
        once.take(event)
    for event in [*sound, *sound[len(sound) - back :]]:
        twice.take(event)
    assert state_of(once) == state_of(twice)


@given(runs(), st.integers(1, 9))
def test_the_same_run_cut_into_other_lines_is_in_the_same_state(events: list[AnyEvent], size: int) -> None:
    whole, cut = Health(), Health()
    for event in events:
        whole.take(event)
        if not isinstance(event, StepsTaken):
            cut.take(event)
            continue
        for at in range(0, len(event.losses), size):
            lrs = event.lrs if len(event.lrs) == 1 else event.lrs[at : at + size]
            part = {"losses": event.losses[at : at + size], "lrs": lrs, "elapsed": event.elapsed[at : at + size]}
            cut.take(msgspec.structs.replace(event, step=event.step + at, batch=event.batch + at, **part))
    assert state_of(whole) == state_of(cut)


@given(anything)
def test_no_record_breaks_it(events: list[AnyEvent]) -> None:
    health = Health()
    for event in events:
        health.take(event)


def test_what_it_keeps_does_not_grow_with_the_run() -> None:
    sizes = []
    for epochs in (20, 200):
        health = Health()
        for event in Made(settled(0.1), epochs=epochs).events():
            if not isinstance(event, PlanMade):
                health.take(event)
        sizes.append(len(repr(state_of(health))))
    assert sizes[1] < sizes[0] * 1.2


# The history, which has the clock's words, too


def alert(kind: str, text: str = "", over: str = "") -> Alert:
    return Alert(at=START + 1e4, kind=kind, text=text, over=over)


def finding(*events: AnyEvent, made: Made | None = None) -> str:
    history = History()
    for event in [*(made or Made(settled(0.1))).events(), *events]:
        history.apply(event)
    return ": ".join(history.finding) if history.finding is not None else ""


def test_slow_is_said_until_it_is_over() -> None:
    slow = alert("slow", "slow: 100 images/s, 900 images/s before")
    assert finding(slow) == "slow: 100 images/s, 900 images/s before"
    assert finding(slow, alert("recovered", over="slow")) == ""
    assert finding(slow, alert("recovered")) == ""
    assert finding(slow, alert("recovered", over="diverging")) == "slow: 100 images/s, 900 images/s before"


def test_a_low_disk_is_said_until_it_is_over_before_what_the_figures_say() -> None:
    low = alert("low-disk", "low disk: 90 MB left on the disk of this record: make room there")
    ill = Made(lambda step: GUESS, accuracy=chance)
    said = "low disk: 90 MB left on the disk of this record: make room there"
    assert finding(low, made=ill) == said
    assert finding(low, alert("recovered", over="slow")) == said
    assert finding(low, alert("recovered", over="low-disk"), made=ill).startswith("chance level: ")


def test_stalled_comes_before_all_and_slow_after_all() -> None:
    ill = Made(lambda step: GUESS, accuracy=chance)
    slow, stall = alert("slow", "slow: so"), alert("stall", "stalled: nothing has happened")
    assert finding(slow, made=ill).startswith("chance level: ")
    assert finding(slow, stall, made=ill) == "stalled: nothing has happened"


def test_the_lowest_epoch_is_one_that_is_better_than_guessing() -> None:
    history = History()
    made = Made(settled(0.1), accuracy=lambda epoch: 0.1 if epoch < 3 else 0.6, val_loss=lambda epoch: 1.0 + epoch / 10)
    for event in made.events():
        history.apply(event)
    assert history.lowest is not None
    assert history.lowest.epoch == 3


def test_nothing_is_the_lowest_of_a_run_that_learns_nothing() -> None:
    history = History()
    for event in Made(lambda step: 5e9, accuracy=chance).events():
        history.apply(event)
    assert history.lowest is None
    assert history.best is not None  # the checkpoint is the best one, whatever it is worth


@pytest.mark.never_says("health.best")
def test_a_best_that_is_no_better_than_guessing_is_not_told() -> None:
    rules = AlertRules()
    accuracies = [0.10, 0.09, 0.11, 0.10, 0.12, 0.11, 0.125]
    made = Made(lambda step: GUESS, accuracy=lambda epoch: accuracies[epoch - 1], epochs=7)
    assert [alert.kind for event in made.events() for alert in rules.take(event)] == ["chance-level"]
