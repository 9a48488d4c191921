"""A run that tells less than ours do: numbers now and then; no epochs, end, recipe, accuracy, calls or plan. The screen
shows what there is, says what there is not, and never a nan for what was not measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import cycle
from math import nan
from pathlib import Path

import msgspec
import pytest

from tests.compare.made import compared
from tests.made_metrics import begun, ended, logged, many_series, sparse_run
from tests.records.streams import fold
from tests.scripted import START, scripted_run
from tests.ui.conftest import Show, Shown
from tests.ui.test_line_chart import steps
from tests.ui.test_runs import opened, recorded
from tui_trainer.events import AnyEvent, EpochEnded, MetricDeclared, PhaseStarted, RunConfigured, RunEnded
from tui_trainer.records.record import Record
from tui_trainer.run_sources.journal_source import JournalSource
from tui_trainer.ui.app import TrainerApp
from tui_trainer.ui.charts.line_chart import LineChart
from tui_trainer.ui.context import AppContext
from tui_trainer.ui.live.series import PinnedStrip, leading, shown_small
from tui_trainer.ui.live.status_lines import ending
from tui_trainer.ui.metrics.catalogue import pin
from tui_trainer.ui.settings import Settings

SIZES = [(80, 24), (140, 40), (200, 60)]


def steps_alone() -> list[AnyEvent]:
    """Losses and LRs of steps, and nothing else."""
    return [begun(), *(steps(first, [1.0 / first] * 10) for first in range(1, 100, 10))]


def without_accuracy(validated: bool = True, end: bool = False) -> list[AnyEvent]:
    """A run whose epochs measure no accuracy, or are not validated at all."""
    events: list[AnyEvent] = []
    for event in scripted_run(epochs=3, batches=10):
        if isinstance(event, EpochEnded):
            loss = event.val_loss if validated else nan
            event = msgspec.structs.replace(
                event, train_accuracy=nan, val_accuracy=nan, val_loss=loss, validated=validated
            )
        if not isinstance(event, RunEnded) or end:
            events.append(event)
    return events


def without_an_end() -> list[AnyEvent]:
    """One that tells its recipe, but neither epochs nor steps to come."""
    events: list[AnyEvent] = []
    for event in scripted_run(epochs=3, batches=10, status=None):
        if isinstance(event, RunConfigured):
            recipe = msgspec.structs.replace(event.recipe, epochs=None, batches_per_epoch=None, total_steps=None)
            event = msgspec.structs.replace(event, recipe=recipe)
        events.append(event)
    return events


KINDS: dict[str, Sequence[AnyEvent]] = {
    "nothing": [begun()],
    "sparse": sparse_run(),
    "sparse, over": sparse_run(end=True),
    "no epochs": sparse_run(epochs=0),
    "no process": sparse_run()[1:],
    "many": many_series(steps=1000),
    "one number": [begun(), logged(0, a=nan)],
    "steps alone": steps_alone(),
    "steps, over": [*steps_alone(), ended(100)],
    "no accuracy": without_accuracy(),
    "no accuracy, over": without_accuracy(end=True),
    "not validated": without_accuracy(validated=False),
    "not validated, over": without_accuracy(validated=False, end=True),
    "no end": without_an_end(),
    "numbers, then steps": [*sparse_run(steps=200), steps(201, [1.0] * 5)],
}


@pytest.mark.parametrize(("kind", "size"), [*zip(KINDS, cycle(SIZES[:2]), strict=False)], ids=str)
async def test_each_kind_opens_from_its_record(kind: str, size: tuple[int, int], tmp_path: Path) -> None:
    record = Record.create(tmp_path, {"preset_name": "made"})
    for event in KINDS[kind]:
        record.emit(event)
    app = TrainerApp(AppContext(source=JournalSource(record.folder), runs=tmp_path))
    async with app.run_test(size=size) as pilot:
        shown = Shown(app, pilot)
        for _ in range(3):
            app.context.clock.tick()
            await pilot.pause()
        for key in (
            None,
            "comma",
            "plus",
            "comma",
            "x",
            "y",
            "right_square_bracket",
            "period",
            "C",
            "escape",
            "0",
            "m",
        ):
            if key is not None:
                await pilot.press(key)
                app.context.clock.tick()
                await pilot.pause()
            words = re.findall(r"\b(?:nan|None)\b", shown.text())
            assert not words, shown.text()
        assert app._exception is None
    record.close()


@pytest.mark.says("answer.values_smoothed", "answer.values_not_smoothed")
@pytest.mark.never_says("answer.values_smoothed", "answer.values_not_smoothed", "answer.smoothed")
async def test_losses_stand_over_the_lrs_each_with_its_number(show: Show, captions_said: set[str]) -> None:
    async with show(sparse_run()) as shown:
        charts = [chart for chart in shown.app.screen.query(LineChart) if chart.display]
        assert [chart.names for chart in charts] == [
            ("train/loss_a", "train/loss_b"),
            ("lr-SGD/pg0", "lr-SGD/pg1", "lr-SGD/pg2"),
        ]
        assert shown.line("lr-SGD/").split()[:3] == ["lr-SGD/", "●", "pg0"]  # what all are called, once
        assert [shown.line("lr-SGD/").count(f"pg{group}") for group in range(3)] == [1, 1, 1]
        await shown.press("right_square_bracket")
        assert "smoothed over 5 values" in shown.text()
        assert not {"answer.values_not_smoothed", "answer.smoothed"} & captions_said
        captions_said.clear()
        await shown.press("left_square_bracket")
        assert "answer.values_smoothed" not in captions_said
        assert "no batch" not in shown.text()
        assert "the plan is being made" not in shown.text()


async def test_its_charts_have_the_keys_of_charts(show: Show) -> None:
    async with show(sparse_run()) as shown:
        upper = next(iter(shown.app.screen.query(LineChart)))
        await shown.press("left", "y")
        assert upper.axis.cursor == 3000
        assert upper.log_scale
        await shown.press("x")
        assert upper.axis.unit == "epoch"
        await shown.press("1")
        assert not upper.display or upper.has_class("-hidden")


async def test_steps_that_come_later_have_their_own_charts(show: Show) -> None:
    async with show(sparse_run(steps=200)) as shown:
        assert shown.app.screen.has_class("-told")
        await shown.frame(steps(1, [1.0] * 5))
        assert not shown.app.screen.has_class("-told")
        assert "train" in shown.line("loss")


def test_what_leads_is_found_by_what_is_declared_and_by_its_name() -> None:
    history = fold([begun(), logged(1, **{"val/BLEU": 1.0, "learning_rate": 0.1, "gpu": 3.0, "nll": 2.0})])
    assert leading(history) == (["val/BLEU"], ["learning_rate"])
    declared = [MetricDeclared(at=START, name="nll", kind="train"), MetricDeclared(at=START, name="eta", kind="lr")]
    history = fold([begun(), *declared, logged(1, **{"val/BLEU": 1.0, "eta": 0.1, "nll": 2.0})])
    assert leading(history) == (["nll"], ["eta"])


# What there is not


@pytest.mark.says("untold.calls", "untold.why", "state.running", "state.no_end")
@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_what_a_run_does_not_tell_is_said(show: Show, size: tuple[int, int]) -> None:
    async with show(sparse_run(), size=size) as shown:
        text = shown.text()
        assert "this run does not tell its calls" in text
        assert "this run does not tell why" in text
        assert "● running" in text
        assert "step 3,000   epoch 5   no end known" in text
        assert "img/s" not in text
        assert "left" not in text


@pytest.mark.never_says("untold.calls", "untold.why", "state.no_end", in_all_cases=False)
@pytest.mark.never_says("state.running")
async def test_it_is_not_said_of_one_that_tells_or_has_told_nothing_yet(show: Show) -> None:
    for events in ([begun()], scripted_run(epochs=3, status=None), scripted_run(epochs=3)):
        async with show(events) as shown:
            assert "does not tell" not in shown.text()
            assert "● running" not in shown.text()
            assert "no end known" not in shown.text()
    async with show([*sparse_run(), PhaseStarted(at=START, phase="sampling", detail="")]) as shown:
        assert "● sampling" in shown.text()
    async with show(sparse_run(end=True)) as shown:
        assert "no end known" not in shown.text()


@pytest.mark.says("end.best_loss")
def test_without_an_accuracy_the_lowest_loss_is_told_at_the_end() -> None:
    assert "lowest val_loss 0." in ending(fold(without_accuracy(end=True)))


@pytest.mark.never_says("end.best_loss")
def test_with_an_accuracy_or_without_a_loss_it_is_not() -> None:
    assert "lowest val_loss" not in ending(fold(scripted_run(epochs=3)))
    assert "lowest val_loss" not in ending(fold(without_accuracy(validated=False, end=True)))


@pytest.mark.says("epoch.not_validated")
async def test_an_epoch_that_was_not_validated_is_said_to_be_so(show: Show) -> None:
    async with show(without_accuracy(validated=False)) as shown:
        assert "not validated" in shown.text()
        assert "not finite" not in shown.text()


@pytest.mark.never_says("epoch.not_validated")
async def test_one_that_was_is_not(show: Show) -> None:
    async with show(without_accuracy()) as shown:
        assert "not validated" not in shown.text()


@pytest.mark.says("end.at_step")
@pytest.mark.never_says("end.at_step")
def test_of_a_run_that_tells_numbers_alone_the_end_says_the_last_step(
    captions_said: set[str],
) -> None:
    assert ending(fold(sparse_run(end=True))) == (
        "finished at step 3,000, after 0:05:00; best val/acc 0.9000 at step 3,000"
    )
    captions_said.clear()
    assert ending(fold(scripted_run(epochs=2, batches=5))).startswith("finished: 2 of 2 epochs")
    assert ending(fold(sparse_run())) == ""


async def test_in_the_list_of_runs_and_over_it(show: Show, tmp_path: Path) -> None:
    for name in ("sparse, over", "no accuracy, over", "steps, over"):
        recorded(tmp_path, name, list(KINDS[name])).close()
    async with show(scripted_run(), runs=tmp_path) as shown:
        await opened(shown)
        assert "nan" not in shown.text()
        for _ in range(3):
            await shown.press("enter")
            assert "nan" not in shown.text()
            await shown.press("escape", "down")


async def test_in_a_comparison(show: Show, tmp_path: Path) -> None:
    folders = []
    for name in ("sparse, over", "no accuracy, over", "not validated, over", "steps, over"):
        record = recorded(tmp_path, name, list(KINDS[name]))
        record.close()
        folders.append(record.folder)
    async with show(comparison=compared(tmp_path, folders)) as shown:
        for key in ("left", "left", "down", "down", "v", "x", "d"):
            await shown.press(key)
            assert not re.findall(r"\b(?:nan|None)\b", shown.text()), shown.text()


# The strip


def test_nothing_pinned_what_the_charts_leave_out_is_small() -> None:
    settings = Settings()
    assert shown_small(fold(scripted_run(epochs=3)), settings) == []
    assert shown_small(fold(sparse_run()), settings) == ["val/acc"]
    judged = [MetricDeclared(at=START, name=name, goal="max") for name in ("f1", "acc")]
    assert shown_small(fold([*sparse_run(), *judged, logged(3100, f1=0.5, acc=0.5, gpu=1.0)]), settings) == [
        "val/acc",
        "f1",
        "acc",
    ]
    two = [*steps_alone(), *(MetricDeclared(at=START, name=name, kind="lr") for name in ("lr/a", "lr/b"))]
    history = fold([*two, logged(100, **{"lr/a": 0.1, "lr/b": 0.2, "gpu": 1.0})])
    assert shown_small(history, settings) == []  # the chart of the LR has them
    more = [MetricDeclared(at=START, name=f"lr/{group}", kind="lr") for group in "abcdef"]
    many = fold([*steps_alone(), *more, logged(100, **{f"lr/{group}": 0.1 for group in "abcdef"})])
    assert shown_small(many, settings) == ["lr/e", "lr/f"]
    pin(settings, history, "gpu")
    assert shown_small(history, settings) == ["gpu"]


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_what_is_pinned_has_its_last_value_its_best_and_its_trend(show: Show, size: tuple[int, int]) -> None:
    async with show(sparse_run(), size=size) as shown:
        await shown.press("m", "slash", *"acc", "enter", "asterisk", "escape", "escape")
        line = shown.the(PinnedStrip).plain()[0]
        assert "val/acc" in line
        assert "0.9000" in line
        assert "▁▂" in line
        assert ("best 0.9000 at 3,000" in line) == (size[0] > 80)
        await shown.frame(logged(3100, **{"val/acc": nan}))
        assert "NaN" in shown.the(PinnedStrip).plain()[0]


async def test_more_than_fit_are_counted(show: Show) -> None:
    async with show(many_series(steps=600), size=(80, 24)) as shown:
        history = shown.host.history
        for name in list(history.series)[:5]:
            pin(shown.app.context.settings, history, name)
        await shown.frame(logged(610, a=1.0))
        assert "+3" in shown.text()
