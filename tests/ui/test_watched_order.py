"""What is said of the order of a watched program's calls: in a line on its screen, and on a page of its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scripted import START, scripted_run
from tests.scripted_watched import MNIST, gan_like, gpt_like, mistake, mnist_like, site
from tests.ui.conftest import Show, cut
from tui_trainer.call_order import MISTAKES as TRIED
from tui_trainer.events import AnyEvent, CallsTimed, EpochEnded, LoopFound, MetricsLogged
from tui_trainer.mistakes.cases import CASES
from tui_trainer.records.history import History
from tui_trainer.text.captions import CAPTIONS
from tui_trainer.text.mistakes import MISTAKES, mistake_in_words
from tui_trainer.ui.live.listing import Listing
from tui_trainer.ui.live.order import OrderLine, well
from tui_trainer.ui.live.screen import LiveScreen
from tui_trainer.ui.mistakes.screen import BreakItScreen
from tui_trainer.ui.order.screen import MistakeDetails, MistakeList, OrderScreen
from tui_trainer.ui.trainer_screen import KeyLine

SAID: dict[str, tuple[dict[str, Any], str]] = {
    "scheduler_before_optimizer": (
        {"scheduler": "StepLR"},
        "StepLR is stepped before the first optimizer.step()",
    ),
    "once_an_epoch": (
        {"scheduler": "OneCycleLR", "steps": 9380},
        "OneCycleLR is made for 9,380 steps and is stepped once an epoch",
    ),
    "every_batch": ({"scheduler": "StepLR"}, "StepLR counts epochs and is stepped after every batch"),
    "no_metric": ({"scheduler": "ReduceLROnPlateau"}, "ReduceLROnPlateau is stepped without a metric"),
    "training_metric": (
        {"scheduler": "ReduceLROnPlateau", "metric": "loss"},
        "ReduceLROnPlateau watches loss, a loss of the training",
    ),
    "no_zero_grad": (
        {"steps": 200, "optimizer": "optimizer"},
        "gradients were not cleared in 200 steps of optimizer",
    ),
    "no_gradient": (
        {"parameters": 5130, "optimizer": "Adam", "steps": 100},
        "5,130 parameters of Adam got no gradient in 100 steps",
    ),
    "not_in_optimizer": ({"parameters": 5130, "model": "ResNet"}, "5,130 parameters of ResNet are in no optimizer"),
    "validation_in_train_mode": ({"model": "Net"}, "Net is validated in training mode"),
    "validation_with_gradients": ({}, "the validation keeps gradients"),
    "item_each_step": (
        {"wait_s": 0.0042},
        "a number is read from the GPU at every step, which waits 4.2 ms for it",
    ),
    "graph_kept": (
        {"kept": 32, "looked_at": 32, "steps": 1400},
        "the graphs of losses are kept: of 32 early ones 32 are still there after 1,400 steps",
    ),
    "clip_before_unscale": ({"scale": 65536.0}, "gradients are clipped while they are still multiplied with 65,536"),
    "clip_before_backward": ({"steps": 10}, "gradients are clipped before backward(), while there are none"),
    "no_scaler_update": ({}, "scaler.step() is not followed by scaler.update()"),
    "every_micro_batch": (
        {"scheduler": "LambdaLR", "times": 4, "optimizer": "AdamW"},
        "LambdaLR is stepped 4 times for each step of AdamW",
    ),
    "scheduled_twice": (
        {"one": "StepLR", "other": "WarmUpLR", "optimizer": "SGD"},
        "StepLR and WarmUpLR both change the LR of SGD",
    ),
    "schedule_ends_early": (
        {"scheduler": "OneCycleLR", "steps": 1000, "total": 4000},
        "OneCycleLR is at its end after 1,000 steps; the training takes 4,000",
    ),
    "schedule_never_ends": (
        {"scheduler": "CosineAnnealingLR", "steps": 4000, "total": 1000},
        "CosineAnnealingLR is made for 4,000 steps; the training takes 1,000",
    ),
    "not_shuffled": (
        {"loader": "train_loader", "samples": 60000},
        "train_loader gives its 60,000 samples in the same order in every epoch",
    ),
    "scheduler_not_loaded": (
        {"scheduler": "StepLR"},
        "a checkpoint was loaded into network and optimizer, and not into StepLR",
    ),
    "steps_not_counted": (
        {"steps": 500, "optimizer": "Adam"},
        "500 steps of Adam since the run's own optimizer stepped last are not counted",
    ),
    "steps_not_seen": ({"backwards": 50}, "50 losses went backward, and no optimizer.step() is seen"),
}


@pytest.mark.says(
    "order.scheduler_before_optimizer",
    "order.once_an_epoch",
    "order.every_batch",
    "order.no_metric",
    "order.training_metric",
    "order.no_zero_grad",
    "order.no_gradient",
    "order.not_in_optimizer",
    "order.validation_in_train_mode",
    "order.validation_with_gradients",
    "order.item_each_step",
    "order.graph_kept",
    "order.clip_before_unscale",
    "order.clip_before_backward",
    "order.no_scaler_update",
    "order.every_micro_batch",
    "order.scheduled_twice",
    "order.schedule_ends_early",
    "order.schedule_never_ends",
    "order.not_shuffled",
    "order.scheduler_not_loaded",
    "order.steps_not_seen",
    "order.steps_not_counted",
    "order.*_why",
    "order.*_mend",
)
async def test_each_mistake_is_said_with_its_values_why_it_matters_and_the_mend(show: Show) -> None:
    assert SAID.keys() == MISTAKES.keys()
    found = [mistake(code, **values) for code, (values, _) in SAID.items()]
    async with show([*gan_like(steps=50), *found], size=(200, 60)) as shown:
        await shown.press("o")
        for _ in found:
            current = shown.the(MistakeList).current
            code = current.mistake
            details = " ".join(" ".join(shown.the(MistakeDetails).plain()).split())
            assert SAID[code][1] in details
            assert CAPTIONS[f"order.{code}_why"].words in details
            assert CAPTIONS[f"order.{code}_mend"].words in details
            await shown.press("down")


@pytest.mark.never_says(
    "order.scheduler_before_optimizer",
    "order.once_an_epoch",
    "order.every_batch",
    "order.no_metric",
    "order.training_metric",
    "order.no_zero_grad",
    "order.no_gradient",
    "order.not_in_optimizer",
    "order.validation_in_train_mode",
    "order.validation_with_gradients",
    "order.item_each_step",
    "order.graph_kept",
    "order.clip_before_unscale",
    "order.clip_before_backward",
    "order.no_scaler_update",
    "order.every_micro_batch",
    "order.scheduled_twice",
    "order.schedule_ends_early",
    "order.schedule_never_ends",
    "order.not_shuffled",
    "order.scheduler_not_loaded",
    "order.steps_not_seen",
    "order.steps_not_counted",
    "order.*_why",
    "order.*_mend",
    in_all_cases=False,
)
async def test_none_is_said_of_a_run_of_which_none_was_found_and_of_another_only_its_own(show: Show) -> None:
    for events in (mnist_like(), gan_like(steps=50), scripted_run(epochs=2)):
        async with show(events, size=(200, 60)) as shown:
            await shown.press("o")
            assert not [words for _, words in SAID.values() if words in shown.text()]
    for code, (values, words) in SAID.items():
        said = mistake_in_words(code, values).wrong
        assert [other for _, other in SAID.values() if other == said] == [words]


def test_a_case_to_try_is_one_that_there_is() -> None:
    tried = {name for name in MISTAKES.values() if name}
    assert tried <= set(TRIED)
    assert tried <= {case.mistake for case in CASES}


# In a line


def line_of(shown: Any) -> list[str]:
    return [line.rstrip() for line in shown.the(OrderLine).plain()]


@pytest.mark.says("order.nothing_wrong", "order.no_validation")
async def test_that_nothing_is_wrong_is_said_with_how_much_was_seen(show: Show) -> None:
    for size in ((80, 24), (140, 40)):
        async with show(gan_like(steps=782), size=size) as shown:
            assert line_of(shown) == [" order  nothing wrong seen in 782 steps · validation: none seen"]


@pytest.mark.never_says("order.nothing_wrong", "order.not_seen", "order.unknown")
async def test_of_our_own_loop_and_before_anything_was_trained_nothing_is_said(show: Show) -> None:
    before = gan_like(steps=23)[:8]
    for events in (scripted_run(epochs=2), cut(scripted_run(), 20), before):
        async with show(events) as shown:
            assert " order " not in shown.text().replace("o order", "")
    async with show([*gan_like(steps=50), mistake("no_zero_grad", steps=40, optimizer="a")]) as shown:
        assert "nothing wrong" not in shown.text()
        assert "not seen" not in shown.text()
        assert "no words" not in shown.text()


@pytest.mark.says("order.not_seen")
async def test_where_no_call_is_seen_that_is_said_and_not_that_nothing_is_wrong(show: Show) -> None:
    blind = [event for event in gan_like(steps=50) if not isinstance(event, LoopFound | CallsTimed)]
    async with show(blind) as shown:
        assert "its calls are not seen, and so not their order" in line_of(shown)[0]
        assert "nothing wrong" not in shown.text()
        assert "validation" not in shown.text()


async def test_the_line_in_which_something_is_wrong_is_marked_in_the_listing(show: Show) -> None:
    async with show([*mnist_like(ends=False), *WRONG]) as shown:
        await shown.frame(CallsTimed(at=START, counts={}, seconds={}, running="3"))
        lines = shown.the(Listing).plain()
        assert [line[:1] for line in lines if ":132" in line or ":60" in line] == ["!", "!"]
        assert sum(line.startswith("!") for line in lines) == 2


@pytest.mark.never_says("order.no_validation", "order.validation_at", "order.validation_untold")
async def test_where_a_validation_has_told_its_figures_or_may_be_to_come_nothing_is_said_of_it(show: Show) -> None:
    async with show(gan_like(steps=50)) as shown:
        assert line_of(shown) == [" order  nothing wrong seen in 50 steps"]
    for events in (mnist_like(), gpt_like(steps=500), scripted_run(epochs=3)):
        async with show(events) as shown:
            assert "validation:" not in shown.text()


def without_figures(events: list[AnyEvent], epochs: int) -> list[AnyEvent]:
    """The same, of whose validation no figure is told, up to the end of this epoch."""
    told: list[AnyEvent] = []
    for event in events:
        if isinstance(event, EpochEnded):
            figures = {"val_loss": float("nan"), "val_accuracy": float("nan"), "validated": None}
            fields = {name: getattr(event, name) for name in event.__struct_fields__}
            told.append(EpochEnded(**(fields | figures)))
            if event.epoch == epochs:
                return told
        else:
            told.append(event)
    return told


@pytest.mark.says("order.validation_at")
async def test_a_pass_without_steps_is_named_by_its_line(show: Show) -> None:
    async with show(without_figures(mnist_like(), 1)) as shown:
        assert line_of(shown)[0].endswith("· validation: a pass without steps at main.py:60")


@pytest.mark.says("order.validation_untold")
async def test_that_its_loss_is_not_told_is_said_once_training_went_on(show: Show) -> None:
    async with show(without_figures(mnist_like(), 2)) as shown:
        assert line_of(shown)[0].endswith("validation: a pass without steps at main.py:60, with what loss is not told")
        await shown.frame(MetricsLogged(at=START, step=120, values={"val_loss": 0.3}))
        assert "validation:" not in line_of(shown)[0]


async def test_a_pass_with_calls_within_calls_that_step_is_no_validation(show: Show) -> None:
    nested = [
        site("1", "data", "for batch in loader:", MNIST, 1),
        site("2", "optimizer.step", "optimizer.step(closure)", MNIST, 2, "1"),
        site("3", "backward", "loss.backward()", MNIST, 3, "2"),
    ]
    others = [event for event in gan_like(steps=391) if not isinstance(event, LoopFound)]
    async with show([*others, LoopFound(at=START, sites=nested)]) as shown:
        assert "validation: none seen" in line_of(shown)[0]


WRONG = [
    mistake("validation_in_train_mode", lineno=60, model="Net"),
    mistake("once_an_epoch", lineno=132, scheduler="OneCycleLR", steps=240),
]


async def test_what_harms_most_comes_first_with_its_line_and_how_many_there_are(show: Show) -> None:
    async with show([*gan_like(steps=50), *WRONG]) as shown:
        first, why, mend = line_of(shown)
        assert first.startswith(" order  ! main.py:132  OneCycleLR is made for 240 steps and is stepped once an epoch")
        assert first.endswith("1 of 2  o all")
        assert why.strip() == "The LR hardly leaves the beginning of its curve."
        assert mend.strip() == "✓ scheduler.step() within the loop over batches, after optimizer.step()"
    async with show([*gan_like(steps=50), *WRONG], size=(80, 24)) as shown:
        (line,) = line_of(shown)
        assert line.startswith(" order  ! main.py:132  OneCycleLR is made for 240")
        assert line.endswith("o all")


@pytest.mark.says("order.unknown", "order.told_with")
@pytest.mark.never_says("order.told_with")
async def test_a_code_of_a_later_version_is_shown_as_such(show: Show, captions_said: set[str]) -> None:
    later = [
        mistake("leap_year", days=366),
        mistake("once_an_epoch", lineno=3, other=True),
        mistake("", lineno=4, caption="x"),
        mistake("\x1b[31mno_zero_grad", lineno=5),
    ]
    async with show([*gan_like(steps=50), *later], size=(200, 60)) as shown:
        await shown.press("o")
        text = shown.text()
        assert "leap_year: this version has no words for it" in text
        assert "once_an_epoch: this version has no words for it" in text
        assert "(no name): this version has no words for it" in text
        assert "\x1b" not in text
        while shown.the(MistakeList).current.mistake != "leap_year":
            await shown.press("down")
        assert "It was told with: days 366." in " ".join(shown.the(MistakeDetails).plain())
    captions_said.clear()
    assert mistake_in_words("leap_year", {}).why == ""
    assert "order.told_with" not in captions_said


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"scheduler": "x" * 500, "steps": 3}, "x" * 59 + "…"),
        ({"scheduler": "\x1b[1mA", "steps": float("inf")}, "inf steps"),
        ({"scheduler": "A", "steps": 0.25}, "0.2500 steps"),
        ({"scheduler": True, "steps": "{steps}"}, "yes is made for {steps} steps"),
    ],
)
def test_values_are_words(values: dict[str, Any], words: str) -> None:
    said = mistake_in_words("once_an_epoch", values).wrong
    assert words in said
    assert "\x1b" not in said


# The page


async def test_the_page_shows_the_line_and_the_call_in_it(show: Show) -> None:
    async with show([*mnist_like(ends=False), *WRONG]) as shown:
        await shown.press("o")
        details = "\n".join(shown.the(MistakeDetails).plain())
        assert "main.py, line 132" in details
        assert "scheduler.step()" in details
        await shown.press("down")
        assert "for data, target in test_loader:" in "\n".join(shown.the(MistakeDetails).plain())
        await shown.press("escape")
        assert isinstance(shown.app.screen, LiveScreen)


async def test_what_is_found_meanwhile_comes_and_the_cursor_stays(show: Show) -> None:
    async with show([*mnist_like(ends=False), WRONG[0]]) as shown:
        await shown.press("o")
        await shown.frame(WRONG[1])
        rows = shown.the(MistakeList)
        assert [each.mistake for each in rows.shown] == ["once_an_epoch", "validation_in_train_mode"]
        assert rows.current == WRONG[0]


@pytest.mark.says("order.heading", "order.nothing_wrong")
@pytest.mark.never_says("order.nothing_yet", "order.at_work", "order.trained_beside", "order.no_case")
async def test_of_a_run_with_nothing_wrong_the_page_says_so(show: Show) -> None:
    async with show(gan_like(steps=50)) as shown:
        await shown.press("o")
        assert "nothing wrong seen in 50 steps" in shown.text()
        await shown.press("enter")
        assert isinstance(shown.app.screen, OrderScreen)
        assert "nothing wrong seen in 50 steps" in shown.the(KeyLine).plain()[0]


@pytest.mark.says("order.nothing_yet")
@pytest.mark.never_says("order.not_seen", "order.nothing_wrong")
def test_before_anything_has_trained_its_calls_are_not_said_to_be_unseen(captions_said: set[str]) -> None:
    assert well(History()) == "nothing has trained yet, so nothing wrong was seen either"
    assert not captions_said & {"order.not_seen", "order.nothing_wrong"}


@pytest.mark.says("order.at_work", "order.trained_beside", "order.no_case")
async def test_a_mistake_can_be_seen_at_work_where_there_is_a_case_of_it(show: Show) -> None:
    async with show([*mnist_like(ends=False), *WRONG], launcher=None) as shown:
        await shown.press("o", "enter")
        page = shown.app.screen
        assert isinstance(page, BreakItScreen)
        assert page.cases.current.mistake == "once_an_epoch"
        await shown.press("escape", "down", "enter")
        assert isinstance(shown.app.screen, OrderScreen)
        assert "no case of this mistake" in shown.the(KeyLine).plain()[0]


@pytest.mark.never_says("order.heading")
async def test_on_a_run_of_ours_the_key_says_where_it_stands(show: Show) -> None:
    async with show(cut(scripted_run(), 30)) as shown:
        await shown.press("o")
        assert isinstance(shown.app.screen, LiveScreen)
        assert "under its listing" in shown.the(KeyLine).plain()[0]


async def test_a_hundred_findings_are_scrolled(show: Show) -> None:
    many = [mistake("not_shuffled", lineno=i, loader=f"loader{i}", samples=i) for i in range(1, 101)]
    async with show([*gan_like(steps=50), *many], size=(80, 24)) as shown:
        await shown.press("o")
        for _ in range(99):
            await shown.press("down")
        assert "loader100" in "\n".join(shown.the(MistakeList).plain())
