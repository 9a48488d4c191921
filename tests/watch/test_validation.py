"""What is told of a validation, and from where: logged, read batch by batch, printed."""

from __future__ import annotations

from math import isnan
from typing import Any

import numpy as np
import pytest

from tests.watch.made_traces import START, MadeTrace, replayed
from tui_trainer.events import AnyEvent, EpochEnded, StepsTaken
from tui_trainer.records.history import History
from tui_trainer.watching.interpreter.interpreter import Interpreter
from tui_trainer.watching.trace import Options

LOSS_SUM = "test_loss += F.nll_loss(output, target, reduction='sum').item()"
LOSS_MEAN = "losses.append(criterion(model(x), y).item())"
LOSS_WEIGHTED = "running_loss += loss.item() * inputs.size(0)"
CORRECT = "correct += pred.eq(target.view_as(pred)).sum().item()"


class Loop:
    """Epochs of two steps, then a validation of three batches over 25 images, the last batch smaller."""

    def __init__(self) -> None:
        self.made = MadeTrace()
        self.optimizer = self.made.optimizer()
        train = self.made.loader("train_loader", 2)
        val = self.made.loader("test_loader", 3, 10, samples=25, shuffles=False)
        self.train_data = self.made.site("data", "train_loader", train)
        self.val_data = self.made.site("data", "test_loader", val)
        self.backward = self.made.site("backward", "loss")
        self.step = self.made.site("optimizer.step", "optimizer", self.optimizer)
        self.reads: dict[str, int] = {}
        self.lines: list[tuple[float, str]] = []

    def train(self, steps: int = 2) -> None:
        for _ in self.made.batches(self.train_data, steps):
            self.made.call(self.backward, 1.0)
            self.made.step(self.step, self.optimizer)

    def validate(self, **values: list[float]) -> None:
        """Each line of the program reads so many numbers."""
        texts = {"sum": LOSS_SUM, "mean": LOSS_MEAN, "weighted": LOSS_WEIGHTED, "correct": CORRECT}
        texts["unnamed"] = "tot += criterion(model(x), y).item()"
        for key in values:
            if key not in self.reads:
                self.reads[key] = self.made.site("item", text=texts[key])
        for batch in self.made.batches(self.val_data, 3):
            for key, column in values.items():
                self.made.call(self.reads[key], column[batch])

    def prints(self, line: str) -> None:
        """The program prints a line, now."""
        self.lines.append((self.made.now, line))

    def told(self) -> History:
        history, events = History(), list[AnyEvent]()
        interpreter = Interpreter(events.append, Options(), lambda: START)
        for at, line in self.lines:
            interpreter.printed(line, at)
        for frame in self.made.end():
            interpreter.take("1-1", frame)
        interpreter.finish()
        for event in events:
            history.apply(event)
        assert not history.known.flaws.in_words()
        return history


def shown_as(history: History, name: str) -> str:
    declared = history.series.declared(name)
    return declared.shown_as if declared is not None else ""


def test_a_loss_that_is_summed_over_images_is_divided_by_their_number() -> None:
    loop = Loop()
    for _ in range(2):
        loop.train()
        loop.validate(sum=[20.0, 10.0, 5.0], correct=[9.0, 8.0, 3.0])
    ended = loop.told().epochs
    assert [(each.val_loss, each.val_accuracy, each.validated) for each in ended] == [(35 / 25, 20 / 25, True)] * 2


def test_a_loss_of_each_batch_is_averaged() -> None:
    loop = Loop()
    loop.train()
    loop.validate(mean=[1.0, 2.0, 3.0])
    history = loop.told()
    assert history.epochs[0].val_loss == 2.0
    assert shown_as(history, "val_loss") == "losses"
    assert isnan(history.epochs[0].val_accuracy)


def test_a_loss_that_is_weighted_by_its_images_is_averaged_so() -> None:
    loop = Loop()
    loop.train()
    loop.validate(weighted=[1.0, 2.0, 3.0])
    assert loop.told().epochs[0].val_loss == (10 * 1.0 + 10 * 2.0 + 5 * 3.0) / 25


def test_hits_that_are_divided_batch_by_batch_are_averaged_over_the_batches() -> None:
    loop = Loop()
    text = "mean_correct.append(correct.item() / float(points.size()[0]))"
    loop.train()
    loop.reads = {"parts": loop.made.site("item", text=text)}
    loop.validate(parts=[10.0, 5.0, 0.0])
    assert loop.told().epochs[0].val_accuracy == pytest.approx((1.0 + 0.5 + 0.0) / 3)
    loop = Loop()
    loop.train()
    loop.reads = {"parts": loop.made.site("item", text="correct += hits.item() / total")}
    loop.validate(parts=[9.0, 8.0, 3.0])
    assert isnan(loop.told().epochs[0].val_accuracy)


def test_what_the_program_prints_decides_what_its_numbers_come_to() -> None:
    loop = Loop()
    loop.train()
    loop.validate(mean=[10.0, 20.0, 5.0])
    loop.prints("====> Test set loss: 1.4000")
    assert loop.told().epochs[0].val_loss == 35 / 25


@pytest.mark.never_says("metric.from_output")
def test_a_number_that_the_program_tells_otherwise_is_not_said_to_be_read(captions_said: set[str]) -> None:
    loop = Loop()
    loop.train()
    loop.validate(mean=[1.0, 2.0, 3.0])
    assert loop.told().epochs[0].val_loss is not None
    assert "metric.from_output" not in captions_said


@pytest.mark.parametrize(
    ("line", "told", "marked"),
    [("epoch 0 val_loss 2.0000", 2.0, ""), ("epoch 0 val_loss 2.5000", 2.5, "val_loss (read from the output)")],
)
def test_numbers_without_a_name_are_a_loss_if_that_is_what_is_printed(line: str, told: float, marked: str) -> None:
    loop = Loop()
    loop.train()
    loop.validate(unnamed=[1.0, 2.0, 3.0])
    loop.prints(line)
    history = loop.told()
    assert history.epochs[0].val_loss == told
    assert shown_as(history, "val_loss") == (marked or "tot")


def test_numbers_without_a_name_are_nothing_where_nothing_is_printed() -> None:
    loop = Loop()
    loop.train()
    loop.validate(unnamed=[1.0, 2.0, 3.0])
    assert loop.told().epochs[0].validated is None


def test_of_numbers_that_contradict_what_is_printed_nothing_is_told() -> None:
    loop = Loop()
    loop.train()
    loop.validate(mean=[1.0, 2.0, 3.0])
    loop.prints("validation loss: 0.7777")
    ended = loop.told().epochs[0]
    assert isnan(ended.val_loss)
    assert ended.validated is None


def test_of_a_meter_that_has_no_name_the_numbers_have_their_own() -> None:
    loop = Loop()
    for number in range(2):
        loop.train()
        if not number:
            loop.reads = {
                "loss": loop.made.site("item", "loss", text="metric_logger.update(loss=loss.item())"),
                "acc1": loop.made.site("item", "acc1", text="metric_logger.meters['acc1'].update(acc1.item(), n=size)"),
                "acc5": loop.made.site("item", "acc5", text="metric_logger.meters['acc5'].update(acc5.item(), n=size)"),
            }
        loop.validate(loss=[1.0, 2.0, 6.0], acc1=[50.0, 100.0, 40.0], acc5=[90.0, 100.0, 100.0])
        loop.prints("Test:  [0/3]  loss: 1.0000 (1.0000)  acc1: 50.0000 (50.0000)")
    history = loop.told()
    assert [ended.val_loss for ended in history.epochs] == [3.0, 3.0]
    assert [ended.val_accuracy for ended in history.epochs] == [pytest.approx(0.68)] * 2
    assert (shown_as(history, "val_loss"), shown_as(history, "val_accuracy")) == ("loss", "acc1")


def test_what_a_validation_prints_on_its_way_is_not_what_it_comes_to() -> None:
    loop = Loop()
    loop.train()
    loop.validate(unnamed=[1.0, 2.0, 3.0])
    loop.prints("Test:  [0/3]  loss: 1.0000 (1.0000)")
    assert isnan(loop.told().epochs[0].val_loss)


@pytest.mark.parametrize(
    "line",
    [
        "Test: [1/3] Loss 1.0000e+00 (1.0000e+00)",  # behind the first batch: its own loss and the mean until then
        "Test: [2/3] Loss 2.0000e+00 (1.5000e+00)",
        "Test: [3/3] Loss 3.0000e+00 (1.8000e+00)",
    ],
)
def test_what_a_validation_prints_on_its_way_contradicts_nothing(line: str) -> None:
    loop = Loop()
    loop.train()
    loop.validate(weighted=[1.0, 2.0, 3.0])
    loop.prints(line)
    assert loop.told().epochs[0].val_loss == (10 * 1.0 + 10 * 2.0 + 5 * 3.0) / 25


def test_what_a_logger_names_is_taken_before_all_else() -> None:
    loop = Loop()
    for number in range(2):
        loop.train()
        loop.validate(mean=[1.0, 2.0, 3.0])
        loop.made.logged({"val/loss": 0.5 - number / 10, "val/acc": 91.5, "epoch": number, "speed": 3})
    history = loop.told()
    assert [ended.val_loss for ended in history.epochs] == [0.5, 0.4]
    assert [ended.val_accuracy for ended in history.epochs] == [0.915, 0.915]
    assert shown_as(history, "val_loss") == "val/loss"
    assert list(history.series["val/loss"].values) == [0.5, 0.4]
    assert list(history.series["val/loss"].steps) == [2, 4]
    assert history.series.goal("val/loss") == "min"
    assert history.series.kind("val/loss") == "val"
    assert list(history.series["speed"].values) == [3, 3]
    assert "epoch" not in history.series


@pytest.mark.says("metric.from_output")
def test_what_is_printed_is_the_last_resort_and_is_marked() -> None:
    loop = Loop()
    loop.train()
    loop.validate()
    loop.prints("Test set: Average loss: 0.0523, Accuracy: 20/25 (80%)")
    history = loop.told()
    assert (history.epochs[0].val_loss, history.epochs[0].val_accuracy) == (0.0523, 0.8)
    assert shown_as(history, "val_loss") == "Test set: Average loss (read from the output)"
    assert shown_as(history, "val_accuracy") == "Accuracy (read from the output)"


def test_of_a_validation_and_a_test_that_are_printed_the_validation_is_told() -> None:
    loop = Loop()
    loop.train()
    loop.validate()
    loop.prints("Epoch: 1, Steps: 30 | Train Loss: 0.8912 Vali Loss: 0.7123 Test Loss: 1.0671")
    history = loop.told()
    assert (history.epochs[0].val_loss, shown_as(history, "val_loss")) == (0.7123, "Vali Loss (read from the output)")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["Test Accuracy: 83.3"] * 2, [0.833, 0.833]),
        (["Test: val loss 0.5, acc 71.25"] * 2, [0.7125, 0.7125]),
        (["Valid: top-1 76.4 top-5 93.1"] * 2, [0.764, 0.764]),
        (["Test:  Acc@1 73.200 Acc@5 91.500 loss 1.1"] * 2, [0.732, 0.732]),
        (["val acc: 100.0", "val acc: 1.0"], [1.0, 0.01]),
        (["val_acc=99.5", "val_acc=0.5"], [0.995, 0.005]),
        (["val_acc=0.5", "val_acc=0.25"], [0.5, 0.25]),
        (["Test Accuracy: 83.3%", "Test Accuracy: 0.5%"], [0.833, 0.005]),
    ],
)
def test_a_printed_accuracy_of_more_than_1_is_percent(lines: list[str], told: list[float]) -> None:
    loop = Loop()
    for line in lines:
        loop.train()
        loop.validate()
        loop.prints(line)
    assert [ended.val_accuracy for ended in loop.told().epochs] == pytest.approx(told)


@pytest.mark.parametrize("line", ["Best val Acc: 0.600000", "* best test accuracy 0.6", "best_val_loss 1.25"])
def test_a_best_that_is_printed_is_not_the_last_one(line: str) -> None:
    """It may be of an older epoch, as in the tutorial that everybody begins with."""
    loop = Loop()
    for accuracy, loss in (("0.6000", "1.25"), ("0.5000", "1.75")):
        loop.train()
        loop.validate()
        loop.prints(f"Val loss: {loss} acc: {accuracy}")
    loop.prints(line)
    assert [(ended.val_accuracy, ended.val_loss) for ended in loop.told().epochs] == [(0.6, 1.25), (0.5, 1.75)]


@pytest.mark.says("notice.in_percent")
def test_that_accuracies_were_taken_for_shares_and_are_percent_is_said_once() -> None:
    loop = Loop()
    for value in ("0.9", "83.3", "0.5", "84.1"):
        loop.train()
        loop.validate()
        loop.prints(f"val acc: {value}")
    history = loop.told()
    assert [ended.val_accuracy for ended in history.epochs] == pytest.approx([0.9, 0.833, 0.005, 0.841])
    said = [notice.text for notice in history.notices]
    assert [("val acc" in text, "83.3" in text) for text in said] == [(True, True)]


@pytest.mark.never_says("notice.in_percent")
@pytest.mark.parametrize("values", [("0.9", "0.95"), ("0.0", "83.3"), ("83.3", "0.9", "84.0"), ("90.0%", "0.9%")])
def test_of_accuracies_whose_scale_was_right_nothing_is_said(values: tuple[str, ...], captions_said: set[str]) -> None:
    loop = Loop()
    for value in values:
        loop.train()
        loop.validate()
        loop.prints(f"val acc: {value}")
    loop.told()
    assert "notice.in_percent" not in captions_said


@pytest.mark.parametrize(
    "line",
    [
        "test accuracy: 83",  # of how many
        "test accuracy: 9832.0",
        "test accuracy: 100.5",
        "test accuracy: -3.5",
        "test accuracy loss: 2.5",
        "test acc time: 3.25",
        "test acc: 1.53 s",
        "test acc: 2.5x",
        "test acc: 9.81 m/s^2",
        "test accuracy gained: 2.5",
        "test accuracy: 2.5 points more",
        "test accuracy after epoch 2.5",
        "Test: [10/40] Acc@1 70.31 ( 71.20)",  # of a batch
        "Test: Acc@5 91.5",
        "train accuracy: 83.3",
        "accuracy: 83.3",  # of what
        "val loss: 83.3",
        "test: correct 83.3",
    ],
)
def test_other_numbers_above_1_are_no_accuracy(line: str) -> None:
    loop = Loop()
    for _ in range(2):
        loop.train()
        loop.validate()
        loop.prints(line)
    assert all(isnan(ended.val_accuracy) for ended in loop.told().epochs)


def test_a_validation_within_an_epoch_is_told_at_its_step() -> None:
    loop = Loop()
    made = loop.made
    made.call(loop.train_data, -1.0)
    for batch in range(2):
        made.call(loop.train_data)
        made.call(loop.backward, 1.0)
        made.step(loop.step, loop.optimizer)
        if not batch:
            loop.validate(mean=[1.0, 2.0, 3.0])
    made.call(loop.train_data, 1.0)
    history = loop.told()
    assert list(history.series["val_loss"].steps) == [1]
    assert list(history.series["val_loss"].values) == [2.0]
    assert history.epochs[0].validated is None
    assert [(site.call, bool(site.within)) for site in history.loop.sites if site.call == "data"] == [  # type: ignore[union-attr]
        ("data", False),
        ("data", True),
    ]


def test_a_pass_before_training_is_no_validation() -> None:
    loop = Loop()
    loop.validate(sum=[20.0, 10.0, 5.0])
    loop.train()
    ended = loop.told().epochs
    assert [each.validated for each in ended] == [None]


def test_a_pass_over_the_data_that_trains_is_no_validation() -> None:
    loop = Loop()
    read = loop.made.site("item", text=LOSS_MEAN)
    loop.train()
    for _ in loop.made.batches(loop.train_data, 2):
        loop.made.call(read, 0.25)
    loop.train()
    assert [each.validated for each in loop.told().epochs if each.step == 2] == [None]


def test_losses_that_are_read_while_it_trains_are_none_of_a_validation() -> None:
    loop = Loop()
    read = loop.made.site("item", text="total_loss += loss.item()")
    for _ in loop.made.batches(loop.train_data, 2):
        loop.made.call(loop.backward, 1.0)
        loop.made.call(read, 1.0)
        loop.made.step(loop.step, loop.optimizer)
    loop.validate()
    assert [each.validated for each in loop.told().epochs] == [None]


def test_the_validation_of_a_loop_without_epochs_is_told_at_its_step() -> None:
    loop = Loop()
    made = loop.made
    for number in range(1, 4):
        made.call(loop.backward, 1.0)
        made.step(loop.step, loop.optimizer)
        if number == 2:
            loop.prints("step 2: train loss 4.2874, val loss 4.2823")
            made.now += 0.5
    history = loop.told()
    assert (list(history.series["val_loss"].steps), list(history.series["val_loss"].values)) == ([2], [4.2823])
    assert shown_as(history, "val_loss") == "val loss (read from the output)"


@pytest.mark.parametrize("values", [{"correct": [9.0, 8.0, 30.0]}, {"correct": [0.5, 0.5, 0.5]}])
def test_numbers_that_can_be_no_hits_are_no_accuracy(values: dict[str, Any]) -> None:
    loop = Loop()
    loop.train()
    loop.validate(**values)
    assert isnan(loop.told().epochs[0].val_accuracy)


def ends(lines: list[tuple[float, str]], made: MadeTrace, *, whole: bool = True) -> list[float]:
    """The validation loss of each epoch: lines come before the frames of their moments, or before all of them."""
    events: list[AnyEvent] = []
    interpreter = Interpreter(events.append, Options(), lambda: START)
    for frame in made.end():
        while lines and (whole or (isinstance(frame, np.ndarray) and lines[0][0] < frame[-1, 2])):
            at, line = lines.pop(0)
            interpreter.printed(line, at)
        interpreter.take("1-1", frame)
    for at, line in lines:
        interpreter.printed(line, at)
    interpreter.finish()
    assert not replayed(events).known.flaws.in_words()
    return [event.val_loss for event in events if isinstance(event, EpochEnded)]


@pytest.mark.parametrize("whole", [True, False], ids=["in one piece", "call by call"])
@pytest.mark.parametrize("late", [0.0003, 0.002, 0.005, 0.02], ids=["at once", "first batch", "second step", "later"])
def test_a_line_that_comes_as_the_next_epoch_begins_is_of_the_one_before(late: float, whole: bool) -> None:
    made = MadeTrace()
    optimizer, loader = made.optimizer(), made.loader("train_loader", 12)
    data, backward = made.site("data", "train_loader", loader), made.site("backward", "loss")
    step = made.site("optimizer.step", "optimizer", optimizer)
    lines: list[tuple[float, str]] = []
    for epoch in range(1, 4):
        for _ in made.batches(data, 12):
            made.call(backward, 1.0)
            made.step(step, optimizer)
            if not whole:
                made.flush()
        lines.append((made.now + late, f"val loss: {epoch}.5"))
    assert ends(lines, made, whole=whole) == [1.5, 2.5, 3.5]


@pytest.mark.parametrize("validates", ["within each epoch", "behind a pass", "twice"])
def test_a_line_that_is_printed_within_an_epoch_is_none_of_the_one_before(validates: str) -> None:
    loop = Loop()
    made, first = loop.made, validates == "within each epoch"
    for epoch in range(3):
        for batch in made.batches(loop.train_data, 2):
            made.call(loop.backward, 1.0)
            made.step(loop.step, loop.optimizer)
            if not batch and (epoch or first):
                if validates == "behind a pass":
                    loop.validate()
                loop.prints("val loss: 7.5")
        if validates == "twice":
            loop.prints("val loss: 1.5")
    told = ends(loop.lines, made)
    assert all(loss == 1.5 for loss in told) if validates == "twice" else all(isnan(loss) for loss in told)


def test_the_end_of_an_epoch_is_held_no_longer_than_a_line_may_be_late() -> None:
    loop = Loop()
    loop.train()
    loop.train()
    loop.made.flush()
    now, events = START, list[AnyEvent]()
    interpreter = Interpreter(events.append, Options(), lambda: now)
    for frame in loop.made.frames:
        interpreter.take("1-1", frame)
    told: list[tuple[set[int], int]] = []
    for now in (START, START + 0.2, START + 0.3):  # noqa: B007
        interpreter.tick()
        steps_of = {event.epoch for event in events if isinstance(event, StepsTaken)}
        told.append((steps_of, sum(isinstance(event, EpochEnded) for event in events)))
    assert told == [({1}, 0), ({1}, 0), ({1, 2}, 1)]
