"""Wrong orders, trained for real: each gives what PyTorch itself gives when stepped by hand the same wrong way."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator

import pytest
import torch
from torch.nn import functional
from torch.optim import lr_scheduler

from tests.engine import tiny as t
from tests.waiting import PATIENCE_S, until
from tui_trainer.call_order import check
from tui_trainer.engine import datasets, models
from tui_trainer.engine.datasets import batches
from tui_trainer.engine.lr_preview import full_plan
from tui_trainer.engine.metrics import validate
from tui_trainer.engine.schedules import RunLength
from tui_trainer.errors import UserError
from tui_trainer.events import AnyEvent, CallsMade, EpochEnded, PhaseStarted, RunEnded, StepsTaken
from tui_trainer.mistakes import runner
from tui_trainer.mistakes.cases import BATCH_SIZE, CASES, EPOCHS, MistakeCase
from tui_trainer.mistakes.runner import InProcessPair, break_it
from tui_trainer.records.history import History

Listener = Callable[[AnyEvent], None]

IMAGES = 130
BATCHES = 3
"""An epoch's; the last has two images."""


@pytest.fixture(autouse=True)
def little_data(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(datasets, "load", lambda spec, device, progress: t.images(IMAGES))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the cases do: with more, sums differ in their last bits
    yield
    torch.set_num_threads(threads)


class Both:
    """Both sides of a case, trained to the end."""

    def __init__(self, case: MistakeCase) -> None:
        self.right, self.wrong = History(), History()
        self.events: dict[str, list[AnyEvent]] = {"right": [], "wrong": []}

        def listener(name: str, history: History) -> Callable[[AnyEvent], None]:
            def listen(event: AnyEvent) -> None:
                self.events[name].append(event)
                history.apply(event)

            return listen

        break_it(case, listener("right", self.right), listener("wrong", self.wrong), threading.Event(), pause_s=0.0)


@pytest.fixture(scope="module")
def trained() -> Callable[[str], Both]:
    known: dict[str, Both] = {}

    def of(title: str) -> Both:
        if title not in known:
            known[title] = Both(case_of(title))
        return known[title]

    return of


def case_of(title: str) -> MistakeCase:
    return next(case for case in CASES if case.title == title)


Trained = Callable[[str], Both]


class Hand:
    """A loop written out by hand for each wrong order: model, optimizer, scheduler, and what they gave."""

    def __init__(self, case: MistakeCase) -> None:
        self.data = t.images(IMAGES)
        self.model = models.build("mlp", self.data.shape, seed=0)
        arguments = {key: value for key, value in case.optimizer.items() if key != "name"}
        self.optimizer = getattr(torch.optim, case.optimizer["name"])(self.model.parameters(), **arguments)
        options = {key: value for key, value in case.scheduler.items() if key != "name"}
        if case.scheduler["name"] == "OneCycleLR":
            options["total_steps"] = EPOCHS * BATCHES
        if case.scheduler["name"] == "CosineAnnealingLR":
            options["T_max"] = EPOCHS
        self.scheduler = getattr(lr_scheduler, case.scheduler["name"])(self.optimizer, **options)
        self.losses: list[float] = []
        self.lrs: list[float] = []
        self.val_losses: list[float] = []

    def batches(self, epoch: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        return list(batches(self.data.train, BATCH_SIZE, seed=0, epoch=epoch))

    def loss(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        loss = functional.cross_entropy(self.model(images), labels)
        self.losses.append(loss.item())
        return loss

    def step(self) -> None:
        self.lrs.append(self.optimizer.param_groups[0]["lr"])
        self.optimizer.step()

    def validate(self) -> None:
        self.val_losses.append(validate(self.model, self.data.val)[0])


def scheduler_before_optimizer(hand: Hand) -> None:
    for epoch in range(1, EPOCHS + 1):
        for images, labels in hand.batches(epoch):
            hand.optimizer.zero_grad()
            hand.loss(images, labels).backward()
            hand.scheduler.step()
            hand.step()
        hand.validate()


def scheduler_as_an_epoch_begins(hand: Hand) -> None:
    for epoch in range(1, EPOCHS + 1):
        hand.scheduler.step()
        for images, labels in hand.batches(epoch):
            hand.optimizer.zero_grad()
            hand.loss(images, labels).backward()
            hand.step()
        hand.validate()


def once_an_epoch(hand: Hand) -> None:
    for epoch in range(1, EPOCHS + 1):
        for images, labels in hand.batches(epoch):
            hand.optimizer.zero_grad()
            hand.loss(images, labels).backward()
            hand.step()
        hand.validate()
        hand.scheduler.step()


def every_batch(hand: Hand) -> None:
    for epoch in range(1, EPOCHS + 1):
        for images, labels in hand.batches(epoch):
            hand.optimizer.zero_grad()
            hand.loss(images, labels).backward()
            hand.step()
            hand.scheduler.step()
        hand.validate()


def without_metric(hand: Hand) -> None:
    for images, labels in hand.batches(1):
        hand.optimizer.zero_grad()
        hand.loss(images, labels).backward()
        hand.step()
    with pytest.raises(TypeError):
        hand.scheduler.step()


def no_zero_grad(hand: Hand) -> None:
    for epoch in range(1, EPOCHS + 1):
        for images, labels in hand.batches(epoch):
            hand.loss(images, labels).backward()
            hand.step()
            hand.scheduler.step()
        hand.validate()


def zero_grad_after_backward(hand: Hand) -> None:
    for epoch in range(1, EPOCHS + 1):
        for images, labels in hand.batches(epoch):
            hand.loss(images, labels).backward()
            hand.optimizer.zero_grad()
            hand.step()
            hand.scheduler.step()
        hand.validate()


def no_optimizer_step(hand: Hand) -> None:
    for epoch in range(1, EPOCHS + 1):
        for images, labels in hand.batches(epoch):
            hand.optimizer.zero_grad()
            hand.loss(images, labels).backward()
            hand.lrs.append(hand.optimizer.param_groups[0]["lr"])
            hand.scheduler.step()
        hand.validate()


def no_scheduler_step(hand: Hand) -> None:
    for epoch in range(1, EPOCHS + 1):
        for images, labels in hand.batches(epoch):
            hand.optimizer.zero_grad()
            hand.loss(images, labels).backward()
            hand.step()
        hand.validate()


BY_HAND: dict[str, Callable[[Hand], None]] = {
    "scheduler.step() before optimizer.step()": scheduler_before_optimizer,
    "scheduler.step() as an epoch begins": scheduler_as_an_epoch_begins,
    "OneCycleLR stepped once an epoch": once_an_epoch,
    "StepLR stepped after every batch": every_batch,
    "ReduceLROnPlateau without its metric": without_metric,
    "optimizer.zero_grad() forgotten": no_zero_grad,
    "zero_grad() after backward()": zero_grad_after_backward,
    "optimizer.step() forgotten": no_optimizer_step,
    "scheduler.step() forgotten": no_scheduler_step,
}


def test_every_case_is_tried_by_hand_too() -> None:
    assert list(BY_HAND) == [case.title for case in CASES]


@pytest.mark.parametrize("title", BY_HAND)
def test_a_wrong_order_gives_what_pytorch_gives_stepped_the_same_wrong_way(trained: Trained, title: str) -> None:
    hand = Hand(case_of(title))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        BY_HAND[title](hand)
    wrong = trained(title).wrong
    assert list(wrong.lrs) == hand.lrs
    assert torch.equal(torch.tensor(list(wrong.losses)), torch.tensor(hand.losses))
    assert [epoch.val_loss for epoch in wrong.epochs] == hand.val_losses


@pytest.mark.parametrize("title", BY_HAND)
def test_the_right_side_is_in_order_trains_to_the_end_and_is_not_the_same(trained: Trained, title: str) -> None:
    both = trained(title)
    assert both.right.status == "finished"
    assert (both.right.steps, len(both.right.epochs)) == (EPOCHS * BATCHES, EPOCHS)
    assert both.right.recipe is not None
    assert check(both.right.recipe, both.right.orders) == []
    assert not both.right.notices
    changed = (list(both.right.lrs), list(both.right.losses)) != (list(both.wrong.lrs), list(both.wrong.losses))
    assert changed or both.wrong.status == "crashed"


@pytest.mark.parametrize("title", BY_HAND)
def test_the_check_finds_the_mistake_in_what_was_really_called(trained: Trained, title: str) -> None:
    wrong = trained(title).wrong
    assert wrong.recipe is not None
    assert [finding.mistake for finding in check(wrong.recipe, wrong.orders)] == [case_of(title).mistake]


def test_both_begin_with_the_same_weights_and_see_the_same_batches(trained: Trained) -> None:
    for title in BY_HAND:
        both = trained(title)
        assert both.right.losses[0] == both.wrong.losses[0]


@pytest.mark.parametrize(
    ("title", "warned"),
    [
        ("scheduler.step() before optimizer.step()", True),
        ("scheduler.step() as an epoch begins", True),
        ("optimizer.step() forgotten", True),
        ("OneCycleLR stepped once an epoch", False),
        ("StepLR stepped after every batch", False),
        ("zero_grad() after backward()", False),
        ("scheduler.step() forgotten", False),
    ],
)
def test_what_pytorch_warned_of_is_told_every_time(trained: Trained, title: str, warned: bool) -> None:
    for both in (trained(title), Both(case_of(title))):
        texts = [notice.text for notice in both.wrong.notices]
        assert len(texts) == warned
        assert all("Detected call of `lr_scheduler.step()` before `optimizer.step()`" in text for text in texts)


def test_a_plateau_scheduler_without_its_metric_ends_in_pytorch_s_own_words(trained: Trained) -> None:
    both = trained("ReduceLROnPlateau without its metric")
    assert both.wrong.ended is not None
    assert both.wrong.ended.status == "crashed"
    assert "missing 1 required positional argument: 'metrics'" in both.wrong.ended.reason
    assert both.wrong.steps == BATCHES
    assert both.right.epochs[-1].epoch == EPOCHS


def test_a_loss_that_is_not_finite_ends_its_side_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of("optimizer.zero_grad() forgotten")
    hot = MistakeCase(
        **{
            **vars(case),
            "optimizer": {"name": "SGD", "lr": 1000.0},
            "scheduler": {"name": "StepLR", "step_size": 2, "gamma": 1e6},
        }
    )
    both = Both(hot)
    assert both.wrong.ended is not None
    assert both.wrong.ended.status == "diverged"
    (nan,) = [event for event in both.events["wrong"] if isinstance(event, StepsTaken) and event.losses == [None]]
    assert nan.step == both.wrong.ended.step


def test_epochs_are_told_as_of_any_run(trained: Trained) -> None:
    both = trained("OneCycleLR stepped once an epoch")
    first = both.right.epochs[0]
    losses = list(both.right.losses)[:BATCHES]
    sizes = [64, 64, 2]
    assert first.train_loss == pytest.approx(sum(a * b for a, b in zip(losses, sizes, strict=True)) / IMAGES)
    assert first.lr == both.right.lrs[BATCHES - 1]
    assert [event.epoch for event in both.events["right"] if isinstance(event, EpochEnded)] == [*range(1, EPOCHS + 1)]
    assert isinstance(both.events["right"][-1], RunEnded)


def test_stopping_leaves_off_at_once_and_nobody_else_s_random_numbers_change() -> None:
    stop = threading.Event()
    right, wrong = History(), History()

    def listen(event: AnyEvent) -> None:
        right.apply(event)
        if isinstance(event, CallsMade):
            stop.set()

    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    break_it(CASES[0], listen, wrong.apply, stop, pause_s=0.0)
    assert torch.equal(torch.rand(1), expected)
    assert (right.steps, wrong.steps) == (1, 1)
    assert right.ended is None


def test_a_case_is_small_and_takes_one_thread() -> None:
    for case in CASES:
        spec = case.spec
        assert (spec.dataset, spec.model, spec.device, spec.threads) == ("mnist-5k", "mlp", "cpu", 1)
        assert spec.batches_per_epoch * EPOCHS < 500


def test_a_pair_trains_beside_the_screen_and_ends_when_it_is_closed() -> None:
    pair = InProcessPair(CASES[0])
    until(lambda: pair.poll() > 0 and pair.wrong.steps > 0)
    pair.close()
    until(lambda: pair.is_over)
    assert pair.right.ended is None
    assert pair.failure == ""


def test_a_pair_is_over_though_its_training_told_something_after_it_was_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(case: MistakeCase, right: Listener, wrong: Listener, stop: threading.Event) -> None:
        assert stop.wait(PATIENCE_S)
        wrong(PhaseStarted(at=0.0, phase="a last word"))

    monkeypatch.setattr(runner, "break_it", train)
    pair = InProcessPair(CASES[0])
    pair.close()
    until(lambda: pair.is_over)


def test_a_pair_says_why_it_could_not_be_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise UserError("the digits are gone")

    monkeypatch.setattr(datasets, "load", refuse)
    pair = InProcessPair(CASES[0])
    until(lambda: not pair.poll() and pair.is_over)
    assert pair.failure == "the digits are gone"


# What is said of each mistake


def no_warning(both: Both) -> None:
    assert not both.wrong.notices
    assert both.wrong.status == "finished"


def moves_one_to_the_left(both: Both) -> None:
    right, wrong = list(both.right.lrs), list(both.wrong.lrs)
    assert wrong[:-1] == right[1:]


def drops_an_epoch_early(both: Both) -> None:
    right, wrong = ([epoch.lr for epoch in side.epochs] for side in (both.right, both.wrong))
    assert right[0] == right[1] > right[2]
    assert wrong[:-1] == right[1:]
    assert wrong[0] > wrong[1]  # one epoch at the high LR instead of two


def never_leaves_its_start(both: Both) -> None:
    assert list(both.wrong.lrs) == [both.right.lrs[epoch] for epoch in range(EPOCHS) for _ in range(BATCHES)]
    preset = case_of("OneCycleLR stepped once an epoch").spec.preset
    real = full_plan(preset, RunLength(EPOCHS, 63))  # as long as it is on the page
    assert real[0] == pytest.approx(0.05 / 25)
    assert real.index(max(real)) == pytest.approx(0.3 * len(real), abs=2)  # over the first third
    assert max(real[:EPOCHS]) < 1.2 * real[0]  # hardly climbs
    assert real[:EPOCHS] == sorted(real[:EPOCHS])  # and never anneals
    assert max(real[62::63]) > 0.9 * 0.05  # of the right order the LR after an epoch comes near max_lr,
    assert real[-1] < 1e-4 * 0.05  # and ends near zero
    no_warning(both)


def is_next_to_nothing_after_ten_batches(both: Both) -> None:
    wrong = list(both.wrong.lrs)
    assert wrong[0] == wrong[1] > wrong[2]
    assert wrong[10] <= 1.01e-5 * wrong[0]
    assert both.wrong.epochs[-1].val_loss == pytest.approx(both.wrong.epochs[-2].val_loss, abs=1e-4)
    within = {epoch.epoch: {lr for lr, of in zip(both.right.lrs, range(EPOCHS * BATCHES), strict=True)
                            if of // BATCHES == epoch.epoch - 1} for epoch in both.right.epochs}  # fmt: skip
    assert all(len(lrs) == 1 for lrs in within.values())


def stops_at_the_end_of_its_first_epoch(both: Both) -> None:
    assert both.wrong.status == "crashed"
    assert list(both.wrong.losses) == list(both.right.losses)[:BATCHES]


def goes_astray(both: Both) -> None:
    assert list(both.wrong.lrs) == list(both.right.lrs)
    assert list(both.wrong.losses)[1:] != list(both.right.losses)[1:]


def moves_no_weight(both: Both) -> None:
    assert list(both.wrong.lrs) == list(both.right.lrs)
    assert len({epoch.val_loss for epoch in both.wrong.epochs}) == 1


def moves_no_weight_unwarned(both: Both) -> None:
    moves_no_weight(both)
    no_warning(both)


def keeps_its_lr(both: Both) -> None:
    assert len({*both.wrong.lrs}) == 1
    assert len({epoch.lr for epoch in both.right.epochs}) == EPOCHS
    no_warning(both)


SAID_OF: dict[str, tuple[Callable[[Both], None], str]] = {
    "before_optimizer": (moves_one_to_the_left, "The whole curve moves one batch to the left."),
    "as_epoch_begins": (drops_an_epoch_early, "every drop comes an epoch early, and the network learns at the high LR"),
    "once_an_epoch": (never_leaves_its_start, "it takes five of those steps, hardly climbs, never anneals"),
    "every_batch": (is_next_to_nothing_after_ten_batches, "After ten of them the LR is next to nothing"),
    "no_metric": (stops_at_the_end_of_its_first_epoch, "at its end the program stops."),
    "no_zero_grad": (goes_astray, "The LR is as planned; the gradient is not. It adds up over all batches"),
    "late_zero_grad": (moves_no_weight_unwarned, "the loss stays near ln 10 = 2.3"),
    "no_optimizer_step": (moves_no_weight, "its warning points at the order."),
    "no_scheduler_step": (keeps_its_lr, "the LR stays as high as it begins."),
}


@pytest.mark.says("mistake.*")
@pytest.mark.never_says("mistake.*")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_is_said_of_a_mistake_is_so_and_is_said_of_no_other(
    trained: Trained, case: MistakeCase, captions_said: set[str]
) -> None:
    so, words = SAID_OF[case.id]
    so(trained(case.title))
    assert words in case.happens
    assert case.look
    said = {id for id in captions_said if id.startswith("mistake.")}
    assert f"mistake.{case.id}_title" in said
    assert said - {f"mistake.{each.id}_title" for each in CASES} == {f"mistake.{case.id}", f"mistake.{case.id}_look"}
    warned = bool(trained(case.title).wrong.notices)
    assert not (warned and "No warning tells" in case.happens)


def test_something_is_said_of_each() -> None:
    assert [case.id for case in CASES] == list(SAID_OF)
