"""What stands beside the calls of a loop and over them, and what each is for: in each case this, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from tests.records.streams import fold
from tests.scripted import START, scripted_run
from tests.scripted_watched import MNIST, gan_like, site
from tests.ui.conftest import cut
from tests.ui.scripted_source import on_device
from tests.ui.test_listing import IN_BATCH, order, recipe
from tui_trainer.events import CALLS, AnyEvent, CallFollowed, CallsMade, CallsTimed, LoopFound, Paused, RunConfigured
from tui_trainer.records.history import History
from tui_trainer.text.captions import CAPTIONS
from tui_trainer.ui.live.listing import what_for
from tui_trainer.ui.live.loop import CallFacts, Loop
from tui_trainer.ui.live.loop_in_full import heading, line_in_full
from tui_trainer.ui.live.loop_in_one_line import in_one_line
from tui_trainer.ui.live.recipe_loop import RecipeLoop
from tui_trainer.ui.live.watched_loop import WatchedLoop
from tui_trainer.ui.panel import Line

OURS = cut(scripted_run(epochs=4, batches=20), 50)
WATCHED = gan_like(steps=100)
PAUSED = Paused(at=START, step=50, by="screen")
VALIDATED = CallsTimed(at=OURS[-1].at, counts={"validate": 4}, seconds={"validate": 20.0}, running="")


def text(*lines: Line) -> str:
    return "\n".join("".join(span.text for span in line) for line in lines)


def with_recipe(events: Sequence[AnyEvent], *more: AnyEvent, **changes: Any) -> list[AnyEvent]:
    """The same of a recipe that differs so, with the orders of calls in `more` alone."""
    told = [event for event in events if not isinstance(event, CallsMade)]
    return [
        *(
            msgspec.structs.replace(event, recipe=recipe(**changes)) if isinstance(event, RunConfigured) else event
            for event in told
        ),
        *more,
    ]


def loop_of(history: History) -> Loop:
    if history.loop is not None:
        return WatchedLoop(history.loop)
    assert history.recipe is not None
    return RecipeLoop(history.recipe, history.orders)


def followed(call: str) -> CallFollowed:
    return CallFollowed(at=START, step=51, epoch=3, batch=11, call=call, value=None)


def listed(events: Sequence[AnyEvent], width: int, *, takes_commands: bool = True) -> str:
    """The loop as it stands in a panel of this width, high enough."""
    history = fold([*events])
    loop = loop_of(history)
    facts = CallFacts(history, loop, takes_commands=takes_commands)
    return text(heading(loop.title, "", facts, width), *(line_in_full(line, facts, width) for line in loop.lines))


def in_a_row(events: Sequence[AnyEvent], width: int) -> str:
    """The same in one line."""
    history = fold([*events])
    loop = loop_of(history)
    return text(*in_one_line(loop.lines, CallFacts(history, loop), width, meaning=""))


WARMED = with_recipe(OURS, order([*IN_BATCH, "scheduler.step"], batch=12, epoch=2, step=32), warmup_epochs=1)
WARM_UP_OVER = with_recipe(OURS, order(IN_BATCH, batch=13, epoch=2, step=33), warmup_epochs=1)
ELSEWHERE = with_recipe(
    OURS,
    order(["validate", "scheduler.step"], batch=None, epoch=1, step=20),
    order(IN_BATCH, batch=1, epoch=2, step=21),
    scheduler="OneCycleLR",
    interval="step",
)
ON_CUDA, WATCHED_ON_CUDA = on_device([*OURS, VALIDATED], "cuda:0"), on_device(WATCHED, "cuda:0")
COLUMNS = {"loop.of_time", "loop.times"}
MEANT = {"loop.ours.zero_grad", "loop.ours.forward", "loop.ours.loss", "loop.ours.backward"}
MEANT |= {"loop.ours.optimizer.step", "loop.ours.scheduler.step", "loop.ours.validate"}

CASES: dict[str, tuple[Callable[[Sequence[AnyEvent], int], str], Sequence[AnyEvent], int, set[str], str]] = {
    "on the CPU": (listed, OURS, 60, COLUMNS, "share of time    times"),
    "call by call": (listed, [*OURS, followed("loss"), PAUSED], 60, set(), "epoch 3, batch 11"),
    "on CUDA": (
        listed,
        ON_CUDA,
        60,
        {"loop.of_launch_time", "loop.times", "loop.each"},
        "share of launch time    times",
    ),
    "on CUDA, narrow": (listed, ON_CUDA, 36, {"loop.launch_time", "loop.times", "loop.each"}, "  launch time    times"),
    "a validation": (listed, ON_CUDA, 60, {"loop.of_launch_time", "loop.times", "loop.each"}, "3.35 s each"),
    "watched": (listed, WATCHED, 60, COLUMNS | {"loop.as_called"}, "the loop, as called"),
    "watched on CUDA": (
        listed,
        WATCHED_ON_CUDA,
        60,
        {"loop.of_cpu_time", "loop.times", "loop.as_called"},
        "share of CPU's time    times",
    ),
    "watched on CUDA, narrow": (
        listed,
        WATCHED_ON_CUDA,
        36,
        {"loop.cpu_time", "loop.times", "loop.as_called"},
        "CPU's time    times",
    ),
    "in a row": (in_a_row, OURS, 78, set(), "%"),
    "in a row on CUDA": (in_a_row, ON_CUDA, 110, {"loop.are_of_launch_time", "loop.to_launch"}, "of launch time"),
    "in a row on CUDA, narrow": (in_a_row, ON_CUDA, 74, {"loop.are_of_launch_time", "loop.to_launch"}, "to launch"),
    "watched in a row on CUDA": (
        in_a_row,
        WATCHED_ON_CUDA,
        200,
        {"loop.as_called", "loop.are_of_cpu_time", "loop.are_of_cpu"},
        "of CPU's time",
    ),
    "watched in a row on CUDA, narrow": (
        in_a_row,
        WATCHED_ON_CUDA,
        110,
        {"loop.as_called", "loop.are_of_cpu_time", "loop.are_of_cpu"},
        "of CPU",
    ),
    "in the warm-up": (listed, WARMED, 60, COLUMNS | {"loop.after_warmup"}, "after the warm-up"),
    "after the warm-up": (listed, WARM_UP_OVER, 60, COLUMNS | {"loop.only_in_warmup"}, "only in the warm-up"),
    "an order that is wrong": (
        listed,
        ELSEWHERE,
        60,
        COLUMNS | {"loop.not_in_loop", "loop.not_called"},
        "not called here",
    ),
}


@pytest.mark.says("loop.*")
@pytest.mark.never_says("loop.*")
@pytest.mark.parametrize("case", CASES)
def test_beside_the_calls_this_is_said_and_nothing_else(case: str, captions_said: set[str]) -> None:
    shown, events, width, ids, words = CASES[case]
    assert words in shown(events, width)
    said = {id for id in captions_said if id.startswith("loop.")}
    assert said - MEANT - {id for id in said if id.startswith("loop.watched.")} == ids


@pytest.mark.says("loop.ours.*", "loop.watched.*")
@pytest.mark.never_says("loop.ours.*", "loop.watched.*")
def test_of_the_call_that_is_followed_it_is_said_what_it_is_for() -> None:
    """In a line of a small terminal, of each call that can be, and of none that the record cannot name."""
    for group in ("loop.ours.", "loop.watched."):
        ours = group == "loop.ours."
        calls = CALLS if ours else [id.removeprefix(group) for id in CAPTIONS if id.startswith(group)]
        told = OURS if ours else [LoopFound(at=START, sites=[site(call, call, call, MNIST, 1) for call in calls])]
        if ours:
            told = with_recipe(
                OURS,
                order([*IN_BATCH, "scheduler.step"], batch=1),
                interval="step",
                clip_grad_norm=1.0,
                ema_decay=0.9,
                swa_start=2,
            )
        for call in calls:
            history = fold([*OURS, *told, followed(call), PAUSED])
            loop = loop_of(history)
            facts = CallFacts(history, loop)
            facts.lit = (call, loop.place_of[call])
            assert what_for(loop, facts) == CAPTIONS[group + call].words
            assert len(CAPTIONS[group + call].words) <= 80 - 4
    odd = WatchedLoop(LoopFound(at=START, sites=[site("1", "unheard_of", "x()", MNIST, 1)]))
    assert [line.meaning for line in odd.lines] == [""]


@pytest.mark.says("loop.paused", "state.paused_in_batch")
@pytest.mark.never_says("loop.paused", "state.paused_in_batch")
def test_in_a_pause_keys_are_named_where_the_run_takes_them() -> None:
    history = fold([*OURS, followed("loss"), PAUSED])
    loop = loop_of(history)
    assert what_for(loop, CallFacts(history, loop, takes_commands=False)) == "Paused."
    assert "space continues" in what_for(loop, CallFacts(history, loop))
    goes_on = fold([*OURS, followed("loss")])
    assert what_for(loop, CallFacts(goes_on, loop)) == CAPTIONS["loop.ours.loss"].words
