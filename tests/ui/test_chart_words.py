"""What stands over the charts of loss and LR, and in their place: in each case what is said, and nothing else."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.records.made_runs import GUESS, Made
from tests.scripted import START, scripted_run
from tests.ui.conftest import Show, cut
from tests.ui.test_charts import Charts, history_of
from tui_trainer.engine.lr_preview import plan, plan_if_flat
from tui_trainer.events import AnyEvent, MetricsLogged, PlanMade, RunEnded, RunStarted
from tui_trainer.presets.catalogue import load
from tui_trainer.presets.checks import parse
from tui_trainer.text.captions import CAPTIONS

IDS = {id for id in CAPTIONS if id.startswith("chart.")}

BEGUN = RunStarted(at=START, run="r", schema=1, pid=1, host="h")
ENDED = RunEnded(at=START, status="stopped", reason="", step=0, epoch=0, exit_code=0)
LOGGED = MetricsLogged(at=START, step=3, values={"reward": 1.0})
PLAN = PlanMade(at=START, steps=[1], lrs=[0.001], last_step=60)
FALLS = PlanMade(at=START, steps=[1, 30], lrs=[0.001, 0.0001], last_step=60)
LIVE = cut(scripted_run(epochs=4, batches=20), 50)
GUESSES = Made(
    lambda step: GUESS, val_loss=lambda epoch: 2.31 - epoch / 100, accuracy=lambda epoch: 0.09 + epoch / 1000
)


def to_look_at(name: str) -> tuple[PlanMade, PlanMade | None]:
    planned = plan(name, load(name), 4_000)
    return planned.curve, plan_if_flat(planned)


TOLD = {"chart.used_last", "chart.smoothed"}

CASES: dict[str, tuple[list[AnyEvent], set[str], list[str]]] = {
    "nothing told": ([BEGUN], {"chart.no_plan_yet", "chart.no_batch_yet"}, ["no plan yet", "no batch yet"]),
    "over before a plan": (
        [BEGUN, ENDED],
        {"chart.no_lr", "chart.no_batch"},
        ["no LR was used", "no batch was trained"],
    ),
    "numbers alone": (
        [BEGUN, LOGGED],
        {"chart.lr_untold", "chart.loss_untold"},
        ["this run does not tell its LR", "this run does not tell its training loss"],
    ),
    "numbers alone, and over": (
        [BEGUN, LOGGED, ENDED],
        {"chart.lr_untold", "chart.loss_untold"},
        ["this run does not tell its LR"],
    ),
    "a plan of one LR": ([BEGUN, PLAN], {"chart.throughout", "chart.no_batch_yet"}, ["0.001 throughout"]),
    "a plan that falls": (
        [BEGUN, FALLS],
        {"chart.from_to", "chart.no_batch_yet"},
        ["from 0.001 to 0.0001"],
    ),
    "a plan that falls, of a run without a known end": (
        [BEGUN, structs.replace(FALLS, open_ended=True)],
        {"chart.from", "chart.no_batch_yet"},
        ["from 0.001"],
    ),
    "under way": (LIVE, TOLD | {"chart.from_to", "chart.lowest"}, ["0.0005 used last", ", lowest", "smoothed "]),
    "a peak": (
        scripted_run(epochs=4, scheduler="OneCycleLR"),
        TOLD | {"chart.peak", "chart.lowest"},
        ["peak at step "],
    ),
    "plateau": (
        scripted_run(epochs=2, scheduler="ReduceLROnPlateau"),
        TOLD | {"chart.lowest"},
        ["depends on val_loss"],
    ),
}


@pytest.mark.says("chart.*")
@pytest.mark.never_says("chart.*")
@pytest.mark.parametrize("case", CASES)
async def test_this_is_said_and_nothing_else(case: str, captions_said: set[str]) -> None:
    events, ids, words = CASES[case]
    app = Charts()
    async with app.run_test(size=(140, 30)) as pilot:
        await pilot.pause()
        captions_said.clear()  # a chart that nothing was given stands for a plan to come
        await app.show(history_of(events), pilot)
        text = "\n".join([*app.loss.plain(), *app.lr.plain()])
    for each in words:
        assert each in text
    assert captions_said & IDS == ids


@pytest.mark.says("chart.if_flat", "plan.depends_on_losses", "plan.without_progress", "chart.plan_is_made")
@pytest.mark.never_says("chart.throughout", "chart.used_last", "chart.no_plan_yet")
async def test_a_plan_that_depends_on_the_accuracy_is_not_said_to_depend_on_the_losses(captions_said: set[str]) -> None:
    text = (
        '[optimizer]\nname = "Adam"\n[scheduler]\nname = "ReduceLROnPlateau"\nmonitor = "val_accuracy"\npatience = 2\n'
    )
    planned = plan("p", parse(text, "p.toml"), 4_000)
    assert planned.curve.note == "depends on val_accuracy: the LR falls when it stops getting better"
    app = Charts()
    async with app.run_test(size=(140, 30)):
        app.lr.show_plan(None)
        assert any("the plan is being made" in line for line in app.lr.plain())
        app.lr.show_plan(planned.curve, if_flat=plan_if_flat(planned))
        assert "if val_accuracy got no better: from 0.001 to 1e-5" in app.lr.plain()[0]
    assert captions_said & IDS == {"chart.plan_is_made", "chart.if_flat", "chart.from_to"}


@pytest.mark.says("chart.peak")
@pytest.mark.never_says("chart.if_flat", "chart.plan_is_made", "plan.depends_on_losses", "plan.without_progress")
async def test_a_plan_that_depends_on_nothing_stands_alone(captions_said: set[str]) -> None:
    curve, flat = to_look_at("onecycle")
    app = Charts()
    async with app.run_test(size=(140, 30)) as pilot:
        await pilot.pause()
        captions_said.clear()
        app.lr.show_plan(curve, if_flat=flat)
        assert app.lr.plain()[0].split("  ")[-1].strip() == "0.05 peak at step 189"
    assert captions_said & IDS == {"chart.peak"}


@pytest.mark.says("plan.sampled")
def test_a_long_plan_says_that_it_is_sampled() -> None:
    long = plan("p", load("onecycle"), 6_400, sample_above=500)
    assert long.curve.note.startswith("1,000 steps, sampled at ")


@pytest.mark.never_says("plan.sampled")
def test_a_short_one_is_not(captions_said: set[str]) -> None:
    assert plan("p", load("onecycle"), 6_400).curve.note == ""
    assert "plan.sampled" not in captions_said


@pytest.mark.says("chart.used", "chart.planned", "chart.at_step", "chart.since")
@pytest.mark.never_says("chart.used_last", "chart.from_to", "chart.throughout")
async def test_at_the_cursor_the_lr_is_that_of_its_step(show: Show, captions_said: set[str]) -> None:
    async with show(LIVE, size=(250, 70)) as shown:
        captions_said.clear()
        await shown.press("left", "left")
        captions_said.clear()
        await shown.press("left")
        text = shown.text()
        step = shown.app.screen.axis.cursor
        assert f"lr  step {step}" in text
        assert "0.0005 used" in text
        assert "0.0005 planned" in text
        assert "since step 40: " in text
    told = {"chart.used", "chart.planned", "chart.at_step", "chart.since", "chart.smoothed", "chart.lowest"}
    assert told | {"chart.highest"} == captions_said & IDS


@pytest.mark.says("chart.planned")
@pytest.mark.never_says("chart.used", "chart.since")
async def test_at_a_step_to_come_nothing_was_used(show: Show, captions_said: set[str]) -> None:
    async with show(cut(LIVE, 3)) as shown:
        captions_said.clear()
        await shown.press(*["right"] * 120)
        assert shown.app.screen.axis.cursor > 3
        captions_said.clear()
        await shown.press("left")
        assert "0.0005 planned" in shown.text() or "0.001 planned" in shown.text()
    assert not captions_said & {"chart.used", "chart.since"}


@pytest.mark.says("chart.log_scale", "chart.not_smoothed")
@pytest.mark.never_says("chart.smoothed")
async def test_a_log_scale_and_no_smoothing_are_said(show: Show, captions_said: set[str]) -> None:
    async with show(LIVE, size=(250, 70)) as shown:
        assert "chart.log_scale" not in captions_said
        await shown.press("y", *["left_square_bracket"] * 12)
        captions_said.clear()
        shown.app.screen.refresh()
        await shown.press("y", "y")
        assert "log scale" in shown.text()
        assert "not smoothed" in shown.text()
    assert "chart.smoothed" not in captions_said


@pytest.mark.never_says("chart.lowest", "chart.log_scale", "chart.not_smoothed")
async def test_a_guess_is_not_the_lowest(captions_said: set[str]) -> None:
    app = Charts()
    async with app.run_test(size=(140, 30)) as pilot:
        await app.show(history_of(list(GUESSES.events())), pilot)
        assert "epoch 10" in app.loss.plain()[0]
    assert not captions_said & {"chart.lowest", "chart.log_scale", "chart.not_smoothed"}


def test_each_is_said_in_a_case() -> None:
    below = {"chart.if_flat", "chart.plan_is_made", "chart.used", "chart.planned", "chart.at_step", "chart.since",
             "chart.log_scale", "chart.not_smoothed",
             "chart.plan", "chart.follows", "chart.is_over", "chart.highest"}  # fmt: skip
    assert set().union(*(ids for _, ids, _ in CASES.values())) | below == IDS
