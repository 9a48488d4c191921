"""What is wrong with a run is said at the top of the screen, why is a key away; and nothing praises what it is not."""

from __future__ import annotations

import time
from math import nan

import pytest
from msgspec.structs import replace

from tests.records.made_runs import GUESS, Made, chance, settled
from tests.scripted import START, epoch_ended, scripted_run
from tests.ui.conftest import Show, Shown, cut
from tests.ui.scripted_source import moved_to
from tui_trainer.events import (
    TRAINING,
    Alert,
    AnyEvent,
    EpochEnded,
    LRUnchanged,
    Paused,
    PhaseStarted,
    PlateauCounted,
    RunEnded,
)
from tui_trainer.ui.live.listing import patience_in_words
from tui_trainer.ui.live.status_lines import Headline
from tui_trainer.ui.trainer_screen import KeyLine

SIZES = [(80, 24), (140, 40)]

GUESSES = Made(
    lambda step: GUESS, val_loss=lambda epoch: 2.31 - epoch / 100, accuracy=lambda epoch: 0.09 + epoch / 1000
)
"""Each epoch is a little luckier than the one before it."""

LR_20 = Made(lambda step: GUESS if step == 1 else 5e9 / step, accuracy=chance)


def ended(status: str = "finished") -> RunEnded:
    return RunEnded(at=time.time(), status=status, reason="done", step=600, epoch=10, exit_code=0)  # type: ignore[arg-type]


def live(made: Made, *more: AnyEvent) -> list[AnyEvent]:
    """A run that began a moment ago, in its phase of training."""
    begun = PhaseStarted(at=START, phase=TRAINING)
    return [*moved_to([begun, *made.events()], time.time() - 5), *more]


def headline(shown: Shown) -> str:
    line: str = shown.the(Headline).plain()[0]
    return line


def said(shown: Shown) -> str:
    line: str = shown.the(KeyLine).plain()[0]
    return line.strip()


@pytest.mark.never_says("health.well")
@pytest.mark.parametrize("size", SIZES)
async def test_chance_level_is_said_in_the_headline_and_h_says_why(show: Show, size: tuple[int, int]) -> None:
    async with show(live(GUESSES), size=size) as shown:
        assert "● chance level  h why" in headline(shown)
        await shown.press("h")
        assert said(shown) == "chance level: val_accuracy 0.1000 after epoch 10, a guess gets 0.1"
        assert "health     chance level: val_acc" in shown.text()


@pytest.mark.says("health.well")
@pytest.mark.parametrize("size", SIZES)
async def test_a_run_that_is_well_is_quiet(show: Show, size: tuple[int, int]) -> None:
    async with show(live(Made(settled(0.1))), size=size) as shown:
        assert "● training" in headline(shown)
        assert "h why" not in headline(shown)
        assert "health  " not in shown.text()
        await shown.press("h")
        assert said(shown) == "nothing seems wrong with this run"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (ended(), "● finished, chance level  h why"),
        (ended("stopped"), "● stopped, chance level  h why"),
        (ended("diverged"), "● diverged "),
        (ended("crashed"), "● crashed "),
        (Paused(at=time.time(), step=600, by="screen"), "● paused, chance level  h why"),
    ],
)
async def test_a_run_that_stands_still_has_its_word_and_what_is_wrong(show: Show, more: AnyEvent, words: str) -> None:
    async with show(live(GUESSES, more)) as shown:
        assert words in headline(shown)


async def test_a_rule_of_a_persons_is_said_as_it_comes_and_for_as_long_as_it_is_so(show: Show) -> None:
    rule = "val_loss > 2 for 3 epochs"
    async with show(live(Made(settled(0.1)))) as shown:
        assert "h why" not in headline(shown)
        so = Alert(at=time.time(), kind="alert", text=f"alert: {rule}: 2.31 at step 630, epoch 5", rule=rule)
        await shown.frame(so)
        assert "● alert  h why" in headline(shown)
        assert said(shown) == so.text
        assert sum("alert: val_loss > 2" in line for line in shown.text().splitlines()) == 2  # and among the reasons
        over = f"no longer {rule}: 1.9 at step 756, epoch 6"
        await shown.frame(Alert(at=time.time(), kind="recovered", text=over, over="alert", rule=rule))
        assert "h why" not in headline(shown)
        assert said(shown) == over


async def test_slow_is_said_while_it_is(show: Show) -> None:
    slow = Alert(at=time.time(), kind="slow", text="slow: 100 images/s, 900 images/s before")
    async with show(live(Made(settled(0.1)), slow)) as shown:
        assert "● slow  h why" in headline(shown)
        await shown.press("h")
        assert said(shown) == "slow: 100 images/s, 900 images/s before"
        await shown.frame(Alert(at=time.time(), kind="recovered", text="fast", over="slow"))
        assert "● training" in headline(shown)


async def test_a_low_disk_is_said_while_it_is(show: Show) -> None:
    low = Alert(
        at=time.time(), kind="low-disk", text="low disk: 90 MB left on the disk of this record: make room there"
    )
    async with show(live(Made(settled(0.1)), low), size=(80, 24)) as shown:
        assert "● low disk  h why" in headline(shown)
        await shown.press("h")
        assert said(shown) == low.text
        await shown.frame(Alert(at=time.time(), kind="recovered", text="room", over="low-disk"))
        assert "● training" in headline(shown)


async def test_the_reason_stands_once_among_the_reasons(show: Show) -> None:
    text = "chance level: val_accuracy 0.1000 after epoch 10, a guess gets 0.1"
    async with show(live(GUESSES, Alert(at=time.time(), kind="chance-level", text=text)), size=(250, 70)) as shown:
        assert shown.text().count("val_accuracy 0.1000 after epoch 10") == 1


@pytest.mark.says("epoch.guesses")
@pytest.mark.never_says("epoch.lowest_so_far", "end.best")
@pytest.mark.parametrize("made", [GUESSES, LR_20], ids=["guesses", "lr 20"])
@pytest.mark.parametrize(
    "more",
    [pytest.param([], id="live"), pytest.param([ended()], id="ended", marks=pytest.mark.says("end.chance"))],
)
@pytest.mark.parametrize("size", [*SIZES, (250, 70)])
async def test_nothing_is_praised_of_a_run_that_learns_nothing(
    show: Show, made: Made, more: list[AnyEvent], size: tuple[int, int]
) -> None:
    async with show(live(made, *more), size=size) as shown:
        text = shown.text()
        for praise in ("lowest", "best so far", "● training", "best val"):
            assert praise not in text
        if more:
            assert "at chance" in text


@pytest.mark.says("epoch.lowest_so_far")
@pytest.mark.never_says("epoch.guesses", "epoch.loss_of_guessing", "end.chance")
@pytest.mark.parametrize("size", [(140, 40), (250, 70)])
async def test_the_lowest_is_named_of_a_run_that_learns(show: Show, size: tuple[int, int]) -> None:
    async with show(live(Made(settled(0.1))), size=size) as shown:
        assert "epoch 10, lowest" in shown.text()
        assert "lowest so far" in shown.text()


@pytest.mark.says("epoch.loss_of_guessing")
async def test_an_accuracy_above_chance_does_not_praise_a_loss_above_guessing(show: Show) -> None:
    made = Made(settled(0.5), val_loss=lambda epoch: 4.0, accuracy=lambda epoch: 0.5)
    async with show(live(made), size=(140, 40)) as shown:
        text = " ".join(shown.text().split())
        assert "val_loss 4.0000, no better than guessing" in text
        assert "lowest" not in text


@pytest.mark.says("epoch.accuracy_of_guessing")
async def test_a_plateau_scheduler_that_watches_the_accuracy_praises_no_guess(show: Show) -> None:
    held = LRUnchanged(at=time.time(), step=600, epoch=10, lr=0.1, reason="val_accuracy 0.1000, best so far")
    async with show(live(GUESSES, held), size=(250, 70)) as shown:
        assert "val_accuracy 0.1000, no better than guessing" in " ".join(shown.text().split())


@pytest.mark.never_says("epoch.accuracy_of_guessing")
async def test_a_plateau_scheduler_praises_no_guess(show: Show) -> None:
    held = LRUnchanged(at=time.time(), step=600, epoch=10, lr=0.1, reason="val_loss 2.2100, best so far")
    async with show(live(GUESSES, held), size=(140, 40)) as shown:
        assert "best so far" not in shown.text()
        assert "accuracy no better" in " ".join(shown.text().split())
    async with show(live(Made(settled(0.1)), held), size=(140, 40)) as shown:
        assert "val_loss 2.2100, best so far" in " ".join(shown.text().split())


@pytest.mark.never_says("epoch.guesses", "epoch.loss_of_guessing")
async def test_a_training_loss_that_a_plateau_scheduler_is_given_is_no_validation_loss(show: Show) -> None:
    held = LRUnchanged(at=time.time(), step=600, epoch=10, lr=0.1, reason="metric 0.6813, best so far")
    unvalidated = [
        replace(event, val_loss=nan, val_accuracy=nan, validated=None) if isinstance(event, EpochEnded) else event
        for event in live(Made(settled(0.1)), held)
    ]
    async with show(unvalidated, size=(140, 40)) as shown:
        assert "metric 0.6813, best so far" in " ".join(shown.text().split())


@pytest.mark.parametrize(
    "praised",
    [
        pytest.param(
            True, marks=[pytest.mark.says("why.patience_begins"), pytest.mark.never_says("why.patience_begins_low")]
        ),
        pytest.param(
            False, marks=[pytest.mark.says("why.patience_begins_low"), pytest.mark.never_says("why.patience_begins")]
        ),
    ],
)
def test_the_patience_of_a_plateau_scheduler_praises_what_is_worth_it(*, praised: bool) -> None:
    counted = PlateauCounted(
        at=0.0, epoch=1, monitor="val_loss", value=2.3, best=2.3, best_epoch=1, bad_epochs=0, patience=2, cooldown=0
    )
    words = patience_in_words(counted, praised=praised)
    assert words.endswith("patience of 2 epochs begins afresh")
    assert ("best so far" in words) is praised


async def test_a_best_is_said_no_longer_than_it_is_the_best(show: Show) -> None:
    events = moved_to(scripted_run(epochs=4, batches=20), time.time() - 5)
    async with show(cut(events, 50)) as shown:
        best = Alert(at=time.time(), kind="best", text="a new best at epoch 3: val_accuracy 0.9800")
        await shown.frame(epoch_ended(3, val_accuracy=0.98, at=time.time()), best)
        assert said(shown) == "a new best at epoch 3: val_accuracy 0.9800"
        await shown.frame(epoch_ended(4, val_accuracy=0.97, at=time.time()))
        assert said(shown) == "a new best at epoch 3: val_accuracy 0.9800"
        await shown.frame(epoch_ended(5, val_accuracy=0.99, at=time.time()))
        assert "space pause" in said(shown)


async def test_a_newer_best_takes_nothing_else_away(show: Show) -> None:
    events = moved_to(scripted_run(epochs=4, batches=20), time.time() - 5)
    async with show(cut(events, 50)) as shown:
        best = Alert(at=time.time(), kind="best", text="a new best at epoch 3: val_accuracy 0.9800")
        await shown.frame(epoch_ended(3, val_accuracy=0.98, at=time.time()), best)
        await shown.frame(Alert(at=time.time() + 1, kind="stall", text="stalled: so"))
        await shown.frame(epoch_ended(4, val_accuracy=0.99, at=time.time()))
        assert said(shown) == "stalled: so"
