"""Speed and the time that is left, reckoned by hand beside it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.scripted import START, scripted_run
from tui_trainer.events import AnyEvent, EpochEnded, RunConfigured, RunEnded, StepsTaken
from tui_trainer.records.history import History
from tui_trainer.records.summary import images_per_second, seconds_left

BATCHES, IMAGES = 10, 600
"""Of an epoch, whose last batch has 24 images and the others 64."""

RESOLVED = next(
    event
    for event in scripted_run(epochs=5, batches=BATCHES, batch_size=64, last_batch_size=24)
    if isinstance(event, RunConfigured)
)


class Run:
    """A run of five epochs, made up second by second."""

    def __init__(self) -> None:
        self.history = History()
        self.elapsed = 0.0
        self.step = self.epoch = 0
        self._take(RESOLVED)

    def train(self, batches: int, batch_s: float) -> Run:
        """So many batches, of the next epoch or on in this one, of so many seconds each."""
        if self.step % BATCHES == 0:
            self.epoch += 1
        times = [self.elapsed + batch_s * (i + 1) for i in range(batches)]
        self._take(
            StepsTaken(
                at=START + times[-1],
                step=self.step + 1,
                epoch=self.epoch,
                batch=self.step % BATCHES + 1,
                losses=[1.0] * batches,
                lrs=[0.1],
                elapsed=times,
            )
        )
        self.step, self.elapsed = self.step + batches, times[-1]
        return self

    def validate(self, validation_s: float, speed: float = 600.0) -> Run:
        """The end of the epoch, at this speed of its training."""
        self.elapsed += validation_s
        self._take(
            EpochEnded(
                at=START + self.elapsed,
                epoch=self.epoch,
                step=self.step,
                train_loss=1.0,
                train_accuracy=0.5,
                val_loss=1.0,
                val_accuracy=0.5,
                lr=0.1,
                images_per_second=speed,
                elapsed=self.elapsed,
            )
        )
        return self

    def epoch_of(self, batch_s: float, validation_s: float) -> Run:
        """A whole epoch."""
        return self.train(BATCHES, batch_s).validate(validation_s, IMAGES / (BATCHES * batch_s))

    def end(self) -> Run:
        self._take(RunEnded(at=START, status="stopped", reason="", step=self.step, epoch=self.epoch, exit_code=0))
        return self

    def _take(self, event: AnyEvent) -> None:
        self.history.apply(event)

    @property
    def speed(self) -> float:
        return images_per_second(self.history)

    @property
    def left(self) -> float | None:
        return seconds_left(self.history)


def test_before_the_first_batch_neither_is_known() -> None:
    run = Run()
    assert run.speed == 0
    assert run.left is None
    assert images_per_second(History()) == 0
    assert seconds_left(History()) is None


def test_of_the_first_batches_all_count_from_the_start_of_the_clock() -> None:
    run = Run().train(4, 0.5)
    assert run.speed == pytest.approx(64 / 0.5)
    assert run.left == pytest.approx((6 + 4 * BATCHES) * 0.5)


def test_a_moment_is_no_measure() -> None:
    run = Run().train(4, 0.05)
    assert run.speed == 0
    assert run.left is None


def test_the_speed_is_that_of_the_last_seconds_of_this_epoch() -> None:
    assert Run().train(2, 3.0).train(5, 0.75).speed == pytest.approx(64 / 0.75)  # the slow ones are over
    run = Run().epoch_of(0.1, 1.0).train(1, 1.0).train(3, 0.5)
    assert run.speed == pytest.approx(64 / 0.5)  # the first batch of an epoch waits for what came before it


def test_the_last_batch_counts_the_images_that_it_has() -> None:
    assert Run().train(BATCHES, 0.2).speed == pytest.approx(IMAGES / 2.0)


def test_of_a_run_of_steps_alone_each_to_come_takes_as_long_as_those_of_its_later_half() -> None:
    history = History()
    recipe = replace(RESOLVED.recipe, epochs=None, batches_per_epoch=None, total_steps=100)
    history.apply(replace(RESOLVED, recipe=recipe))
    assert seconds_left(history) is None
    elapsed = [1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0]
    taken = StepsTaken(at=START, step=1, epoch=1, batch=1, losses=[1.0] * 10, lrs=[0.1], elapsed=elapsed)
    history.apply(taken)
    assert seconds_left(history) == pytest.approx(90 * 2)
    history.apply(replace(RESOLVED, recipe=replace(recipe, total_steps=None)))
    assert seconds_left(history) is None, "no end is known"


def test_after_an_epoch_the_speed_is_that_of_its_training() -> None:
    run = Run().epoch_of(0.2, 5.0)
    assert run.speed == pytest.approx(IMAGES / 2.0)
    assert run.train(1, 0.01).speed == pytest.approx(IMAGES / 2.0)  # too short to be one of its own


def test_what_is_left_has_a_validation_for_each_epoch() -> None:
    run = Run().epoch_of(0.2, 1.0)
    assert run.left == pytest.approx(4 * 3.0)
    run.train(4, 0.2)
    assert run.left == pytest.approx(6 * 0.2 + 1.0 + 3 * 3.0)
    run.train(6, 0.2)
    assert run.left == pytest.approx(1.0 + 3 * 3.0)  # it is being validated
    assert run.validate(1.0, 300.0).left == pytest.approx(3 * 3.0)


def test_whole_epochs_take_what_the_last_few_took_and_one_slow_one_is_no_measure() -> None:
    run = Run().epoch_of(0.1, 1.0).epoch_of(5.0, 1.0).epoch_of(0.3, 1.0)
    assert run.left == pytest.approx(2 * 4.0)
    assert run.epoch_of(0.3, 1.0).left == pytest.approx(4.0)


def test_an_epoch_whose_speed_is_not_known_is_none_of_what_a_batch_takes() -> None:
    run = Run().train(BATCHES, 0.2).validate(1.0, 0.0).train(1, 0.01)
    assert run.speed == 0
    assert run.left is None


def test_an_epoch_in_which_the_clock_went_back_is_no_measure() -> None:
    run = Run().epoch_of(0.2, 1.0)
    run.elapsed = 0.5
    run.epoch_of(0.2, 1.0)
    run.epoch_of(0.2, 1.0)
    assert run.left == pytest.approx(2 * 3.0)


def test_at_the_end_nothing_is_left() -> None:
    assert Run().train(4, 0.5).end().left == 0
