"""The listing of the loop: its lines for every kind of recipe, and that what is lit comes from events alone."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.records.streams import fold
from tests.scripted import START, scripted_run
from tests.ui.conftest import Show, cut
from tests.ui.scripted_source import on_device
from tui_trainer.events import (
    AnyEvent,
    CallFollowed,
    CallsMade,
    CallsTimed,
    Continued,
    PaceChanged,
    Paused,
    ResolvedConfig,
    RunConfigured,
)
from tui_trainer.text.captions import CAPTIONS
from tui_trainer.ui.charts.titles import figures_at
from tui_trainer.ui.live.listing import Listing
from tui_trainer.ui.live.loop import CallFacts
from tui_trainer.ui.live.loop_in_full import heading, line_in_full
from tui_trainer.ui.live.recipe_loop import RecipeLoop

IN_BATCH = ["zero_grad", "forward", "loss", "backward", "optimizer.step"]


def recipe(**changes: Any) -> ResolvedConfig:
    usual: dict[str, Any] = {
        "preset": "p",
        "title": "",
        "optimizer": "Adam",
        "scheduler": "StepLR",
        "interval": "epoch",
        "monitor": None,
        "warmup_epochs": 0,
        "epochs": 10,
        "batch_size": 64,
        "batches_per_epoch": 20,
        "total_steps": 200,
    }
    return ResolvedConfig(**(usual | changes))


def order(calls: list[str], batch: int | None = 1, epoch: int = 1, step: int = 1) -> CallsMade:
    return CallsMade(at=START, step=step, epoch=epoch, batch=batch, calls=calls)


@pytest.mark.parametrize(
    ("changes", "in_batch", "at_end"),
    [
        ({}, [], ["val_loss = validate()", "scheduler.step()"]),
        ({"scheduler": "OneCycleLR", "interval": "step"}, ["scheduler.step()"], ["val_loss = validate()"]),
        (
            {"scheduler": "ReduceLROnPlateau", "monitor": "val_loss"},
            [],
            ["val_loss = validate()", "scheduler.step(val_loss)"],
        ),
        (
            {"scheduler": "ReduceLROnPlateau", "monitor": "val_accuracy"},
            [],
            ["val_accuracy = validate()", "scheduler.step(val_accuracy)"],
        ),
        ({"warmup_epochs": 2}, ["scheduler.step()"], ["val_loss = validate()", "scheduler.step()"]),
        ({"scheduler": "none", "interval": None}, [], ["val_loss = validate()"]),
        ({"scheduler": "none", "interval": None, "warmup_epochs": 1}, ["scheduler.step()"], ["val_loss = validate()"]),
    ],
)
def test_where_the_scheduler_stands(changes: dict[str, Any], in_batch: list[str], at_end: list[str]) -> None:
    lines = RecipeLoop(recipe(**changes)).lines
    assert lines[0].code == "for epoch in range(10):"
    batch = [line for line in lines if line.place == "batch"]
    assert [line.call for line in batch[:5]] == IN_BATCH
    assert [line.code for line in batch[5:]] == in_batch
    assert [line.code for line in lines if line.place == "epoch"] == at_end


@pytest.mark.parametrize(
    ("key", "code"),
    [("clip_grad_norm", "clip_grad_norm_(params, 0.5)"), ("clip_grad_value", "clip_grad_value_(params, 0.5)")],
)
def test_gradients_are_clipped_before_the_step(key: str, code: str) -> None:
    batch = [line.code for line in RecipeLoop(recipe(**{key: 0.5})).lines if line.place == "batch"]
    assert batch[batch.index("loss.backward()") :][:3] == ["loss.backward()", code, "optimizer.step()"]


def test_an_average_of_the_weights_is_made_behind_the_step_and_validated() -> None:
    lines = [line.code for line in RecipeLoop(recipe(ema_decay=0.9, scheduler="OneCycleLR", interval="step")).lines]
    assert lines[-4:] == [
        "optimizer.step()",
        "ema.update_parameters(model)",
        "scheduler.step()",
        "val_loss = validate(ema)",
    ]


def test_a_mean_of_the_weights_is_made_behind_an_epoch_and_validated() -> None:
    lines = [line.code for line in RecipeLoop(recipe(swa_start=8)).lines]
    assert lines[-3:] == [
        "if epoch >= 8: swa.update_parameters(model)",
        "val_loss = validate(swa)",
        "scheduler.step()",
    ]


@pytest.mark.parametrize(
    ("scheduler", "in_batch", "at_end"),
    [
        ("StepLR", None, "scheduler.step() if epoch < 8 else swalr.step()"),
        ("OneCycleLR", "if epoch < 8: scheduler.step()", "if epoch >= 8: swalr.step()"),
        ("none", None, "if epoch >= 8: swalr.step()"),
    ],
)
def test_where_swalr_has_the_lr_in_the_end_the_listing_tells_from_when_on(
    scheduler: str, in_batch: str | None, at_end: str
) -> None:
    interval = {"StepLR": "epoch", "OneCycleLR": "step"}.get(scheduler)
    loop = RecipeLoop(recipe(swa_start=8, swa_lr=0.05, scheduler=scheduler, interval=interval))
    steps = {line.place: line.code for line in loop.lines if line.call == "scheduler.step"}
    assert steps == ({"epoch": at_end} if in_batch is None else {"batch": in_batch, "epoch": at_end})


def test_where_several_batches_make_a_step_the_listing_tells_what_is_done_for_each_and_what_for_all() -> None:
    loop = RecipeLoop(recipe(accumulate=4, clip_grad_norm=0.5, scheduler="OneCycleLR", interval="step"))
    assert ["  " * line.indent + line.code for line in loop.lines[1:]] == [
        "  for images, labels in train:",
        "    if batch % 4 == 1: optimizer.zero_grad()",
        "    out = model(images)",
        "    loss = loss_fn(out, labels) / 4",
        "    loss.backward()",
        "    if batch % 4 == 0 or is_last:",
        "      clip_grad_norm_(params, 0.5)",
        "      optimizer.step()",
        "      scheduler.step()",
        "  val_loss = validate()",
    ]


@pytest.mark.parametrize(("accumulate", "unit"), [(1, "batch"), (4, "step")])
def test_where_several_batches_make_a_step_steps_are_counted(accumulate: int, unit: str) -> None:
    events = cut(scripted_run(epochs=4, batches=20, scheduler="OneCycleLR"), 31)
    history = fold(
        replace(event, recipe=replace(event.recipe, accumulate=accumulate))
        if isinstance(event, RunConfigured)
        else event
        for event in events
    )
    assert f"epoch 2, {unit} 11" in figures_at(history, 31)
    slow = PaceChanged(at=START, seconds_a_call=0.5, by="screen")
    for event in (slow, *followed(("zero_grad", ""), batch=12, step=32)):
        history.apply(event)
    assert history.recipe is not None
    loop = RecipeLoop(history.recipe)
    facts = CallFacts(history, loop)
    assert f"epoch 2, {unit} 12" in "".join(span.text for span in heading("", "", facts, 60))
    shown = ["".join(span.text for span in line_in_full(line, facts, 60)).rstrip() for line in loop.lines]
    assert ("     if batch % 4 == 0 or is_last:" in shown) is (accumulate == 4)


def test_in_two_places_the_events_say_which_it_is_now() -> None:
    warm = recipe(warmup_epochs=1)
    assert RecipeLoop(warm).place_of["scheduler.step"] == "batch"
    assert RecipeLoop(warm, [order([*IN_BATCH, "scheduler.step"])]).place_of["scheduler.step"] == "batch"
    after = [order([*IN_BATCH, "scheduler.step"]), order(["validate"], None), order(IN_BATCH, epoch=2)]
    assert RecipeLoop(warm, after).place_of["scheduler.step"] == "epoch"


@pytest.mark.parametrize(("batch", "place"), [(1, "batch"), (None, "epoch")])
def test_a_call_that_has_no_place_is_shown_all_the_same(batch: int | None, place: str) -> None:
    strange = [order(["something_else"], batch), order(["something_else"], batch, epoch=2)]
    extra = [line for line in RecipeLoop(recipe(), strange).lines if not line.expected]
    assert [(line.code, line.place) for line in extra] == [("something_else", place)]


def test_a_scheduler_stepped_in_the_wrong_place_is_not_hidden() -> None:
    lines = RecipeLoop(
        recipe(scheduler="OneCycleLR", interval="step"), [order(["validate", "scheduler.step"], None)]
    ).lines
    assert [(line.call, line.expected) for line in lines if line.place == "epoch"] == [
        ("validate", True),
        ("scheduler.step", False),
    ]


async def test_the_line_that_runs_is_lit_as_the_events_say(show: Show) -> None:
    events = cut(scripted_run(epochs=4, batches=20), 30)
    async with show(events) as shown:
        for call, code in {
            "backward": "loss.backward()",
            "optimizer.step": "optimizer.step()",
            "validate": "val_loss = validate()",
            "data": "for images, labels in train:",
        }.items():
            await shown.frame(CallsTimed(at=START, counts={}, seconds={}, running=call))
            lit = [line for line in shown.the(Listing).plain() if line.startswith("▌")]
            assert len(lit) == 1
            assert code in lit[0]


async def test_counts_and_shares(show: Show) -> None:
    async with show(cut(scripted_run(epochs=4, batches=20, scheduler="OneCycleLR"), 41)[:-1]) as shown:
        lines = shown.the(Listing).plain()
        backward = next(line for line in lines if "loss.backward()" in line)
        assert backward.split()[-1] == "40"
        assert "%" in backward
        assert next(line for line in lines if "scheduler.step()" in line).split()[-1] == "40"
        assert next(line for line in lines if "for epoch" in line).split()[-1] == "2"
        shares = [int(line.split("%")[0].split()[-1]) for line in lines if " %" in line and "<" not in line]
        assert 97 <= sum(shares) <= 103


def followed(*calls: tuple[str, str | None], batch: int | None = 11, step: int = 31) -> list[AnyEvent]:
    return [CallFollowed(at=START, step=step, epoch=2, batch=batch, call=call, value=value) for call, value in calls]


async def test_in_slow_motion_each_line_carries_what_it_made(show: Show) -> None:
    events = cut(scripted_run(epochs=4, batches=20, scheduler="OneCycleLR"), 30)
    slow = PaceChanged(at=START, seconds_a_call=0.5, by="screen")
    async with show([*events, slow]) as shown:
        await shown.frame(*followed(("zero_grad", None)))
        assert any(line.startswith("▌    optimizer.zero_grad()") for line in shown.the(Listing).plain())
        await shown.frame(*followed(("zero_grad", ""), ("forward", None), ("forward", "outputs 64×10"), ("loss", None)))
        lines = shown.the(Listing).plain()
        assert next(line for line in lines if "out = model" in line).rstrip().endswith("outputs 64×10")
        assert next(line for line in lines if line.startswith("▌")).startswith("▌    loss = loss_fn(out, labels)")
        assert "epoch 2, batch 11" in lines[0]
        await shown.frame(*followed(("loss", "loss 0.4127")))
        assert "loss 0.4127" in next(line for line in shown.the(Listing).plain() if line.startswith("▌"))


async def test_the_end_of_an_epoch_can_be_followed_too(show: Show) -> None:
    events = cut(scripted_run(epochs=4, batches=20, scheduler="ReduceLROnPlateau"), 40)
    slow = PaceChanged(at=START, seconds_a_call=0.5, by="screen")
    made = followed(("validate", None), ("validate", "val_loss 0.1"), ("scheduler.step", None), batch=None)
    async with show([*events, slow, *made]) as shown:
        lines = shown.the(Listing).plain()
        assert next(line for line in lines if line.startswith("▌")).startswith("▌  scheduler.step(val_loss)")
        assert "val_loss 0.1" in next(line for line in lines if "validate()" in line)


async def test_in_a_pause_nothing_is_lit(show: Show) -> None:
    events = cut(scripted_run(epochs=4, batches=20), 30)
    made = followed(*[(call, "made") for call in IN_BATCH])
    async with show([*events, *made, Paused(at=START, step=30, by="screen")]) as shown:
        lines = shown.the(Listing).plain()
        assert not any(line.startswith("▌") for line in lines)
        assert sum("made" in line for line in lines) == 5


async def test_in_a_narrow_terminal_the_loop_is_one_line(show: Show) -> None:
    events = cut(scripted_run(epochs=4, batches=20, scheduler="ReduceLROnPlateau"), 30)
    async with show(events, size=(80, 24)) as shown:
        calls, shares = shown.the(Listing).plain()
        assert calls.split("┊")[0].split(" › ")[-1].strip() == "opt.step"
        assert "sched.step(val_loss)" in calls
        assert "%" in shares


async def test_the_warm_up_says_which_place_it_is_now(show: Show) -> None:
    events = cut(scripted_run(epochs=4, batches=20), 30)
    resolved = next(event for event in events if isinstance(event, RunConfigured))
    import msgspec

    warm = msgspec.structs.replace(resolved, recipe=recipe(warmup_epochs=1))
    async with show([event if event is not resolved else warm for event in events]) as shown:
        await shown.frame(order([*IN_BATCH, "scheduler.step"], batch=12, epoch=2, step=32))
        assert "after the warm-up" in "\n".join(shown.the(Listing).plain())
        await shown.frame(order(IN_BATCH, batch=13, epoch=2, step=33))
        assert "only in the warm-up" in "\n".join(shown.the(Listing).plain())


async def test_batch_by_batch_at_full_speed_shows_each_value_as_it_is_made(show: Show) -> None:
    events = cut(scripted_run(epochs=4, batches=20, scheduler="OneCycleLR"), 30)
    paused = Paused(at=START, step=30, by="screen")
    async with show([*events, paused]) as shown:
        await shown.frame(Continued(at=START, step=30, by="screen", one_batch=True))
        made = [("zero_grad", None), ("zero_grad", "grad norm 1.83 → 0"), ("forward", None)]
        await shown.frame(*followed(*made, step=shown.host.history.steps + 1))
        lines = shown.the(Listing).plain()
        assert next(line for line in lines if "zero_grad()" in line).rstrip().endswith("grad norm 1.83 → 0")
        assert next(line for line in lines if line.startswith("▌")).startswith("▌    out = model(images)")
        assert CAPTIONS["loop.ours.forward"].words in " ".join(" ".join(lines).split())
        await shown.frame(Paused(at=START, step=31, by="screen"))
        lines = shown.the(Listing).plain()
        assert not any(line.startswith("▌") for line in lines)
        assert "n steps through the next batch" in " ".join(lines)
        assert "grad norm 1.83 → 0" in "\n".join(lines)


async def test_going_on_at_full_speed_after_a_batch_shows_shares_again(show: Show) -> None:
    events = cut(scripted_run(epochs=4, batches=20, scheduler="OneCycleLR"), 31)
    async with show([*events, *followed(("zero_grad", "gone")), Paused(at=START, step=31, by="screen")]) as shown:
        assert "gone" in "\n".join(shown.the(Listing).plain())
        await shown.frame(Continued(at=START, step=31, by="screen"))
        text = "\n".join(shown.the(Listing).plain())
        assert "gone" not in text
        assert "share of time" in text


async def test_of_a_long_value_the_parts_are_shown_that_have_room(show: Show) -> None:
    events = cut(scripted_run(epochs=4, batches=20, scheduler="OneCycleLR"), 30)
    slow = PaceChanged(at=START, seconds_a_call=0.5, by="screen")
    value = "a weight 0.0123 → 0.0124, lr 0.05 used, all moved 0.0812 of 21.3"
    async with show([*events, slow, *followed(("optimizer.step", value))]) as shown:
        lines = shown.the(Listing).plain()
        line = next(line for line in lines if "optimizer.step()" in line)
        assert line.startswith("▌    optimizer.step() ")
        assert line.rstrip().endswith(" a weight 0.0123 → 0.0124")
        rest = "Here: lr 0.05 used, all moved 0.0812 of 21.3."
        assert f"{CAPTIONS['loop.ours.optimizer.step'].words} {rest}" in " ".join(" ".join(lines).split())


def wrong_at_the_end() -> list[AnyEvent]:
    """A record of OneCycleLR that was stepped once an epoch."""
    events = cut(scripted_run(epochs=4, batches=20, scheduler="OneCycleLR"), 30)
    at_end = order(["validate", "scheduler.step"], batch=None, epoch=1, step=20)
    return [_as_if_wrong(event, at_end) if isinstance(event, CallsMade) else event for event in events]


def _as_if_wrong(event: CallsMade, at_end: CallsMade) -> CallsMade:
    return at_end if event.batch is None else order(IN_BATCH, event.batch, event.epoch, event.step)


async def test_a_record_whose_order_is_wrong_says_so_under_the_right_listing(show: Show) -> None:
    async with show(wrong_at_the_end()) as shown:
        lines = shown.the(Listing).plain()
        words = " ".join(" ".join(lines).split())
        assert "! OneCycleLR is stepped once an epoch and counts batches" in words
        assert "✓ scheduler.step() in the batch loop, after optimizer.step()." in words
        assert any(line.startswith("     scheduler.step()") for line in lines)
        assert any("! scheduler.step()" in line for line in lines)


async def test_in_one_line_what_is_wrong_stands_in_place_of_the_shares(show: Show) -> None:
    async with show(wrong_at_the_end(), size=(80, 24)) as shown:
        (_, below) = shown.the(Listing).plain()
        assert below.startswith(" ! OneCycleLR is stepped once an epoch")


@pytest.mark.parametrize("scheduler", ["StepLR", "OneCycleLR", "ReduceLROnPlateau"])
async def test_a_run_of_ours_is_always_in_order(show: Show, scheduler: Any) -> None:
    async with show(scripted_run(epochs=4, batches=20, scheduler=scheduler)) as shown:
        assert "! " not in "\n".join(shown.the(Listing).plain())


@pytest.mark.parametrize("width", [60, 80, 115])
@pytest.mark.parametrize("scheduler", ["OneCycleLR", "ReduceLROnPlateau"])
async def test_in_one_line_every_call_is_seen(show: Show, width: int, scheduler: Any) -> None:
    events = cut(scripted_run(epochs=4, batches=20, scheduler=scheduler), 30)
    async with show(events, size=(width, 20)) as shown:
        (calls, _) = shown.the(Listing).plain()
        assert len(calls.replace("┊", "›").split(" › ")) == 7
        assert len(calls.rstrip()) <= width - 2


async def test_in_one_line_every_share_is_whole(show: Show) -> None:
    events = scripted_run(epochs=4, batches=20, scheduler="OneCycleLR")
    timed = CallsTimed(at=events[-1].at, counts={"validate": 4}, seconds={"validate": 1e6}, running="")
    async with show([*cut(events, 70), timed], size=(60, 24)) as shown:
        names, shares = shown.the(Listing).plain()
        assert names.rstrip().endswith("val")
        assert shares.rstrip().endswith(" 100 %")
        assert "…" not in shares


async def test_in_one_line_slow_motion_tells_what_was_made_last_and_what_the_call_is_for(show: Show) -> None:
    events = cut(scripted_run(epochs=4, batches=20, scheduler="OneCycleLR"), 30)
    slow = PaceChanged(at=START, seconds_a_call=0.5, by="screen")
    made = followed(("loss", "loss 0.4127"), ("backward", "grad norm 1.83"), ("optimizer.step", None))
    async with show([*events, slow, *made], size=(80, 24)) as shown:
        await shown.frame()
        lines = [line.strip() for line in shown.the(Listing).plain()]
        assert lines[1:] == [
            "loss 0.4127 › grad norm 1.83 › optimizer.step …",
            CAPTIONS["loop.ours.optimizer.step"].words,
        ]


async def test_after_a_switch_the_loop_before_it_is_forgotten(show: Show) -> None:
    async with show(cut(scripted_run(epochs=6, batches=5, switch_at=4), 18)) as shown:
        lines = shown.the(Listing).plain()
        assert not any("!" in line for line in lines)
        assert sum("scheduler.step()" in line for line in lines) == 1


def timed(scheduler: Any, device: str) -> list[AnyEvent]:
    """A run there, with a validation that took far longer than all else."""
    events = on_device(scripted_run(epochs=4, batches=20, scheduler=scheduler), device)
    validated = CallsTimed(at=events[-1].at, counts={"validate": 0}, seconds={"validate": 14.85}, running="")
    return [*cut(events, 70), validated]


LAUNCHED = ("launch time", "to launch")


@pytest.mark.parametrize("scheduler", ["StepLR", "OneCycleLR", "ReduceLROnPlateau"])
async def test_on_cuda_shares_are_said_to_be_of_launches_and_validation_has_its_own_time(
    show: Show, scheduler: Any
) -> None:
    async with show(timed(scheduler, "cuda:1"), size=(140, 40)) as shown:
        lines = shown.the(Listing).plain()
        assert lines[0].rstrip().endswith("share of launch time    times")
        (validation,) = [line.split() for line in lines if "validate()" in line]
        assert validation[-4:] == ["5.00", "s", "each", "3"]
        assert len({len(line.rstrip()) for line in lines if "%" in line or "each" in line}) == 1
        shares = [int(line.split("%")[0].split()[-1]) for line in lines if "%" in line]
        assert 95 <= sum(shares) <= 105


@pytest.mark.parametrize("scheduler", ["StepLR", "OneCycleLR", "ReduceLROnPlateau"])
async def test_on_the_cpu_nothing_is_said_of_launches(show: Show, scheduler: Any) -> None:
    for size in ((140, 40), (80, 24), (60, 24)):
        async with show(timed(scheduler, "cpu"), size=size) as shown:
            text = "\n".join(shown.the(Listing).plain())
            assert not any(words in text for words in (*LAUNCHED, "each"))
            assert "%" in text


@pytest.mark.parametrize("size", [(80, 24), (70, 24), (60, 24)], ids=str)
@pytest.mark.parametrize("scheduler", ["StepLR", "OneCycleLR", "ReduceLROnPlateau"])
async def test_in_one_line_on_cuda_no_share_stands_without_saying_of_what(
    show: Show, scheduler: Any, size: tuple[int, int]
) -> None:
    async with show(timed(scheduler, "cuda:0"), size=size) as shown:
        names, shares = (line.rstrip() for line in shown.the(Listing).plain())
        width = size[0] - 2
        assert max(len(names), len(shares)) <= width
        assert ("%" in shares) == shares.endswith(LAUNCHED)
        if size[0] >= 80:
            assert shares.endswith(LAUNCHED)
        under_validation = shares.ljust(width)[names.index("val") :][:3]
        assert under_validation.isspace()
