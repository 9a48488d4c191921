"""The check of orders: the right order of every recipe gives no finding, each wrong one exactly its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scripted import scripted_run
from tui_trainer.call_order import MISTAKES, Mistake, check
from tui_trainer.events import CallsMade, ResolvedConfig
from tui_trainer.mistakes.cases import CASES, MistakeCase, Order
from tui_trainer.presets.catalogue import catalogue
from tui_trainer.run_spec import RunSpec
from tui_trainer.ui.live.recipe_loop import asked_recipe

LEARN = ["zero_grad", "forward", "loss", "backward", "optimizer.step"]
STEP = "scheduler.step"

SHIPPED: list[ResolvedConfig] = [
    asked_recipe(RunSpec.of(entry.name, entry.preset)) for entry in catalogue() if entry.preset is not None
]
BY_BATCH = [recipe for recipe in SHIPPED if recipe.interval == "step"]
BY_EPOCH = [recipe for recipe in SHIPPED if recipe.interval == "epoch"]

recipes = st.builds(
    lambda recipe, epochs, batches, warmup: msgspec.structs.replace(
        recipe,
        epochs=epochs + warmup,
        batches_per_epoch=batches,
        warmup_epochs=warmup,
        total_steps=(epochs + warmup) * batches,
    ),
    st.sampled_from(SHIPPED),
    st.integers(1, 6),
    st.integers(1, 5),
    st.integers(0, 3),
)


def run(
    recipe: ResolvedConfig, batch: Sequence[str], end: Sequence[str], *, begin: Sequence[str] = ()
) -> list[CallsMade]:
    """The same order in every epoch of a run without a warm-up, as its record would have it."""
    made = []
    for epoch in range(1, recipe.epochs + 1):
        for number in range(1, min(2, recipe.batches_per_epoch) + 1):
            first = list(begin) if number == 1 else []
            made.append(CallsMade(at=0.0, step=1, epoch=epoch, batch=number, calls=[*first, *batch]))
        made.append(CallsMade(at=0.0, step=1, epoch=epoch, batch=None, calls=list(end)))
    return made


def right(recipe: ResolvedConfig, first_epoch: int = 1) -> list[CallsMade]:
    """What our own loop does, written anew from what the documentation says of a warm-up."""
    made = []
    steps, warm = 0, recipe.warmup_epochs * recipe.batches_per_epoch
    for epoch in range(first_epoch, recipe.epochs + 1):
        for batch in range(1, recipe.batches_per_epoch + 1):
            steps += 1
            in_ramp = steps < warm or (steps == warm and recipe.interval != "epoch")
            at_end = recipe.interval == "epoch" and recipe.batches_per_epoch == 1
            due = (in_ramp and not at_end) or (steps > warm and recipe.interval == "step")
            calls = [*LEARN, STEP] if due else LEARN
            made.append(CallsMade(at=0.0, step=steps, epoch=epoch, batch=batch, calls=calls))
        due = recipe.interval == "epoch" and (steps >= warm or recipe.batches_per_epoch == 1)
        end = ["validate", STEP] if due else ["validate"]
        made.append(CallsMade(at=0.0, step=steps, epoch=epoch, batch=None, calls=end))
    return made


def without_warmup(recipe: ResolvedConfig) -> ResolvedConfig:
    return msgspec.structs.replace(recipe, warmup_epochs=0)


def mistakes(recipe: ResolvedConfig, orders: Sequence[CallsMade]) -> list[Mistake]:
    return [finding.mistake for finding in check(recipe, orders)]


@pytest.mark.parametrize("recipe", SHIPPED, ids=lambda recipe: recipe.preset)
def test_the_right_order_of_every_shipped_preset_gives_no_finding(recipe: ResolvedConfig) -> None:
    assert check(recipe, right(recipe)) == []


@given(recipes, st.integers(0, 40))
def test_no_part_of_a_right_run_gives_a_finding(recipe: ResolvedConfig, seen: int) -> None:
    orders = right(recipe)
    assert check(recipe, orders[:seen]) == []
    assert check(recipe, orders[seen:]) == []


@given(recipes, st.integers(1, 9))
def test_a_recipe_that_was_switched_to_warms_up_from_there(recipe: ResolvedConfig, first: int) -> None:
    later = msgspec.structs.replace(recipe, epochs=recipe.epochs + first - 1)
    assert check(later, right(later, first), first) == []


def test_gradients_may_be_cleared_at_the_end_of_a_batch_as_well() -> None:
    assert mistakes(BY_EPOCH[0], run(BY_EPOCH[0], [*LEARN[1:], "zero_grad"], ["validate", STEP])) == []


wrong_by_batch: dict[Mistake, tuple[list[str], list[str]]] = {
    "scheduler_before_optimizer": ([*LEARN[:-1], STEP, "optimizer.step"], ["validate"]),
    "once_an_epoch": (LEARN, ["validate", STEP]),
    "no_zero_grad": ([*LEARN[1:], STEP], ["validate"]),
    "zero_grad_after_backward": (["forward", "loss", "backward", "zero_grad", "optimizer.step", STEP], ["validate"]),
    "no_backward": (["zero_grad", "forward", "loss", "optimizer.step", STEP], ["validate"]),
    "no_optimizer_step": ([*LEARN[:-1], STEP], ["validate"]),
    "no_scheduler_step": (LEARN, ["validate"]),
}
wrong_by_epoch: dict[Mistake, tuple[list[str], list[str]]] = {
    "every_batch": ([*LEARN, STEP], ["validate"]),
    "no_zero_grad": (LEARN[1:], ["validate", STEP]),
    "zero_grad_after_backward": (["forward", "loss", "backward", "zero_grad", "optimizer.step"], ["validate", STEP]),
    "no_backward": (["zero_grad", "forward", "loss", "optimizer.step"], ["validate", STEP]),
    "no_optimizer_step": (LEARN[:-1], ["validate", STEP]),
    "no_scheduler_step": (LEARN, ["validate"]),
}


@given(st.sampled_from(BY_BATCH), st.sampled_from(sorted(wrong_by_batch)))
def test_each_wrong_order_gives_its_own_finding_where_batches_are_counted(
    recipe: ResolvedConfig, mistake: Mistake
) -> None:
    recipe = without_warmup(recipe)
    assert mistakes(recipe, run(recipe, *wrong_by_batch[mistake])) == [mistake]


@given(st.sampled_from(BY_EPOCH), st.sampled_from(sorted(wrong_by_epoch)))
def test_each_wrong_order_gives_its_own_finding_where_epochs_are_counted(
    recipe: ResolvedConfig, mistake: Mistake
) -> None:
    recipe = without_warmup(recipe)
    assert mistakes(recipe, run(recipe, *wrong_by_epoch[mistake])) == [mistake]


@pytest.mark.parametrize("recipe", BY_EPOCH, ids=lambda recipe: recipe.preset)
def test_the_first_line_of_an_epoch_is_no_place_for_the_scheduler(recipe: ResolvedConfig) -> None:
    recipe = without_warmup(recipe)
    orders = run(recipe, LEARN, ["validate"], begin=[STEP])
    assert mistakes(recipe, orders) == ["scheduler_before_optimizer"]


@pytest.mark.parametrize(
    ("end", "mistake"),
    [
        (["validate", "scheduler.step()"], "no_metric"),
        ([STEP], "no_metric"),
        ([STEP, "validate"], "before_validate"),
    ],
)
def test_a_plateau_scheduler_wants_the_value_of_its_own_epoch(end: list[str], mistake: Mistake) -> None:
    recipe = next(recipe for recipe in SHIPPED if recipe.scheduler == "ReduceLROnPlateau")
    assert mistakes(recipe, run(recipe, LEARN, end)) == [mistake]


def test_no_other_scheduler_wants_a_value() -> None:
    recipe = next(recipe for recipe in SHIPPED if recipe.scheduler == "StepLR")
    assert mistakes(recipe, run(recipe, LEARN, ["validate", "scheduler.step()"])) == []


@pytest.mark.parametrize(("batch", "end"), [([*LEARN, STEP], ["validate"]), (LEARN, ["validate", STEP])])
def test_a_scheduler_that_nobody_asked_for_is_told(batch: list[str], end: list[str]) -> None:
    recipe = next(recipe for recipe in SHIPPED if recipe.interval is None)
    assert mistakes(recipe, run(recipe, batch, end)) == ["no_scheduler"]


def test_several_mistakes_are_all_told() -> None:
    recipe = without_warmup(BY_BATCH[0])
    orders = run(recipe, ["forward", "loss", "backward", STEP, "optimizer.step"], ["validate"])
    assert mistakes(recipe, orders) == ["no_zero_grad", "scheduler_before_optimizer"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_every_case_to_try_has_the_mistake_that_it_names_and_its_right_order_none(case: MistakeCase) -> None:
    recipe = asked_recipe(case.spec)
    for order, expected in ((case.wrong, [case.mistake]), (case.right, [])):
        assert mistakes(recipe, run(recipe, order.batch, order.epoch, begin=order.begin)) == expected
        assert mistakes(recipe, order.calls_of(1)) == expected
    assert differs(case.wrong, case.right, case.call)


def differs(one: Order, other: Order, call: str) -> bool:
    """Whether two orders are the same but for one call."""

    def rest(order: Order) -> list[list[str]]:
        return [
            [each for each in part if each.removesuffix("()") != call]
            for part in (order.begin, order.batch, order.epoch)
        ]

    return one != other and rest(one) == rest(other)


def test_a_finding_says_in_words_what_is_wrong_and_what_is_right() -> None:
    recipe = next(recipe for recipe in SHIPPED if recipe.preset == "onecycle")
    (finding,) = check(recipe, run(recipe, LEARN, ["validate", STEP]))
    assert str(finding) == (
        "OneCycleLR is stepped once an epoch and counts batches: of its 630 steps it makes 10, and the LR hardly "
        "leaves its beginning. Right: scheduler.step() in the batch loop, after optimizer.step()."
    )


SAID: dict[tuple[str, Mistake], tuple[str, str]] = {
    ("onecycle", "no_backward"): (
        "a batch goes without loss.backward(): it has no gradients",
        "loss.backward() after the loss, before optimizer.step()",
    ),
    ("steplr", "no_zero_grad"): (
        "a batch goes without zero_grad(): backward() adds to the gradients that are there",
        "optimizer.zero_grad() once a batch, before backward()",
    ),
    ("onecycle", "zero_grad_after_backward"): (
        "the gradients are thrown away before they are used",
        "optimizer.zero_grad() before backward(), or after optimizer.step()",
    ),
    ("steplr", "no_optimizer_step"): ("a batch goes without optimizer.step()", "optimizer.step() after backward()"),
    ("onecycle", "scheduler_before_optimizer"): (
        "the first LR of the schedule is never used",
        "optimizer.step() first, then scheduler.step()",
    ),
    ("onecycle", "once_an_epoch"): (
        "OneCycleLR is stepped once an epoch and counts batches: of its 630 steps it makes 10,",
        "scheduler.step() in the batch loop, after optimizer.step()",
    ),
    ("steplr", "every_batch"): (
        "StepLR is stepped after every batch and counts epochs: the LR changes 63 times as fast as was meant",
        "scheduler.step() after the batch loop, once an epoch",
    ),
    ("plateau", "before_validate"): (
        "ReduceLROnPlateau is stepped before validate(): the val_loss that it watches is that of the epoch before",
        "val_loss = validate(), then scheduler.step(val_loss)",
    ),
    ("plateau", "no_metric"): (
        "ReduceLROnPlateau is stepped without val_loss: it has nothing to watch",
        "val_loss = validate(), then scheduler.step(val_loss)",
    ),
    ("plateau", "no_scheduler_step"): (
        "scheduler.step() is never called: the LR stays where ReduceLROnPlateau begins",
        "scheduler.step(val_loss) after the batch loop, once an epoch",
    ),
    ("none", "no_scheduler"): ("where this preset asks for no scheduler", "no scheduler.step()"),
}
WRONG: dict[Mistake, tuple[list[str], list[str]]] = {
    **wrong_by_epoch,
    **wrong_by_batch,
    "every_batch": ([*LEARN, STEP], ["validate"]),
    "before_validate": (LEARN, [STEP, "validate"]),
    "no_metric": (LEARN, ["validate", "scheduler.step()"]),
    "no_scheduler": (LEARN, ["validate", STEP]),
}


def shipped(name: str, **other: int) -> ResolvedConfig:
    return msgspec.structs.replace(next(recipe for recipe in SHIPPED if recipe.preset == name), **other)


@pytest.mark.says("calls.no_*", "calls.zero_*", "calls.scheduler_*", "calls.once_*", "calls.every_*", "calls.before_*")
@pytest.mark.says("calls.after_batch", "calls.after_epoch")
@pytest.mark.never_says("calls.*")
def test_what_is_wrong_is_said_in_these_words_and_nothing_else(captions_said: set[str]) -> None:
    assert {mistake for _, mistake in SAID} == set(MISTAKES)
    for (preset, mistake), (wrong, mend) in SAID.items():
        captions_said.clear()
        batch, end = WRONG[mistake]
        if preset == "steplr" and mistake in wrong_by_epoch:
            batch, end = wrong_by_epoch[mistake]
        (finding,) = check(shipped(preset), run(shipped(preset), batch, end))
        assert finding.mistake == mistake
        assert wrong in finding.wrong
        assert finding.right == mend
        places = {"calls.after_batch", "calls.after_epoch"}
        assert captions_said - places == {f"calls.{mistake}", f"calls.{mistake}_mend"}
        captions_said.clear()
        assert check(shipped(preset), right(shipped(preset))) == []
        assert not captions_said


@pytest.mark.says("calls.warmup")
def test_a_warm_up_that_is_stepped_wrongly_is_called_so() -> None:
    """It counts batches; StepLR does not, and `none` is no scheduler that an LR could stay at the beginning of."""
    recipe = shipped("steplr", warmup_epochs=2)
    (finding,) = check(recipe, run(recipe, LEARN, ["validate", STEP]))
    assert finding.wrong.startswith(
        "the warm-up is stepped once an epoch and counts batches: of its 126 steps it makes 2,"
    )
    recipe = shipped("none", warmup_epochs=2)
    (finding,) = check(recipe, run(recipe, LEARN, ["validate"]))
    assert finding.wrong == "scheduler.step() is never called: the LR stays where the warm-up begins"
    assert finding.right == "scheduler.step() in the batch loop, after optimizer.step()"
    assert mistakes(recipe, run(recipe, LEARN, ["validate", STEP]))[0] == "once_an_epoch"


@pytest.mark.never_says("calls.once_an_epoch", "calls.every_batch", "calls.warmup")
def test_where_an_epoch_is_one_batch_its_end_is_the_end_of_the_batch(captions_said: set[str]) -> None:
    after_batch, at_end = ([*LEARN, STEP], ["validate"]), (LEARN, ["validate", STEP])
    for preset in ("onecycle", "steplr"):
        recipe = shipped(preset, batches_per_epoch=1, total_steps=10)
        for order in (after_batch, at_end):
            assert check(recipe, run(recipe, *order)) == []
    recipe = shipped("plateau", batches_per_epoch=1, total_steps=10)
    assert mistakes(recipe, run(recipe, *after_batch)) == ["before_validate"]
    assert not captions_said & {"calls.once_an_epoch", "calls.every_batch", "calls.warmup"}


@pytest.mark.parametrize("scheduler", ["StepLR", "OneCycleLR", "ReduceLROnPlateau"])
def test_the_made_up_run_of_the_tests_is_in_order(scheduler: Any) -> None:
    events = scripted_run(scheduler=scheduler)
    recipe = next(event.recipe for event in events if hasattr(event, "recipe"))
    assert check(recipe, [event for event in events if isinstance(event, CallsMade)]) == []
