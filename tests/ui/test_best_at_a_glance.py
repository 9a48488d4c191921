"""The best figure in the top line, the accuracy in a chart of its own, and the table of epochs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from tests.made_metrics import sparse_run
from tests.scripted import START, scripted_run
from tests.scripted_record import over
from tests.scripted_watched import gan_like
from tests.ui.conftest import Show
from tui_trainer.cli.console import in_lines
from tui_trainer.cli.runs import runs
from tui_trainer.events import (
    SCHEMA,
    AnyEvent,
    EpochEnded,
    MetricDeclared,
    MetricsLogged,
    ProgramWatched,
    RunEnded,
    RunStarted,
    Status,
    StepsTaken,
)
from tui_trainer.records.history import History
from tui_trainer.records.summary import summarize
from tui_trainer.ui.charts.accuracy import AccuracyChart
from tui_trainer.ui.charts.loss import LossChart
from tui_trainer.ui.live.epochs import EpochTable
from tui_trainer.ui.live.status_lines import Headline, best_so_far, ending

LEARNING = scripted_run(epochs=6, status=None)


def with_epochs(change: Callable[[EpochEnded], EpochEnded], events: list[AnyEvent] = LEARNING) -> list[AnyEvent]:
    return [change(event) if isinstance(event, EpochEnded) else event for event in events]


def no_accuracy(ended: EpochEnded) -> EpochEnded:
    return msgspec.structs.replace(ended, val_accuracy=math.nan, train_accuracy=math.nan)


def by_chance(ended: EpochEnded) -> EpochEnded:
    return msgspec.structs.replace(ended, val_accuracy=0.1, val_loss=2.31, train_accuracy=0.1)


def worse_in_the_end(ended: EpochEnded) -> EpochEnded:
    return msgspec.structs.replace(ended, val_accuracy=0.9 - 0.01 * abs(ended.epoch - 3))


IDS = {"state.best_accuracy", "state.best_loss", "state.best_of"}


CASES = [
    pytest.param(
        with_epochs(worse_in_the_end),
        "best 0.9000 at epoch 3",
        {"state.best_accuracy"},
        marks=[pytest.mark.says("state.best_accuracy"), pytest.mark.never_says("state.best_loss")],
    ),
    pytest.param(
        with_epochs(no_accuracy),
        "lowest val_loss ",
        {"state.best_loss"},
        marks=[pytest.mark.says("state.best_loss"), pytest.mark.never_says("state.best_of")],
    ),
    pytest.param(
        sparse_run(), "best val/acc 0.9000 at step 3,000", {"state.best_of"}, marks=pytest.mark.says("state.best_of")
    ),
    pytest.param(with_epochs(by_chance), "", set(), marks=pytest.mark.never_says("state.best_accuracy")),
    (gan_like(), "", set()),
    ([], "", set()),
]


@pytest.mark.parametrize(("events", "words", "ids"), CASES)
def test_the_best_is_what_was_measured(
    events: list[AnyEvent], words: str, ids: set[str], captions_said: set[str]
) -> None:
    history = History()
    for event in events:
        history.apply(event)
    assert best_so_far(history).startswith(words) if words else not best_so_far(history)
    assert captions_said & IDS == ids


WATCHED = [
    RunStarted(at=START, run="run", schema=SCHEMA, pid=1, host="h"),
    ProgramWatched(
        at=START,
        command=["python", "train.py", *(f"--option-{number}={number}" for number in range(9))],
        cwd="/home/somebody",
        pid=2,
    ),
]
"""A program with a long command line."""


def validated_without_epochs() -> list[AnyEvent]:
    """A loop without a DataLoader, which has no epochs and computes an accuracy now and then."""
    told = MetricDeclared(at=START, name="val_accuracy", goal="max", kind="val")
    steps = StepsTaken(
        at=START, step=1, epoch=1, batch=1, losses=[1.0] * 60, lrs=[0.1], elapsed=[*map(float, range(60))]
    )
    values = {20: 0.5, 40: 0.9, 60: 0.8}
    logged = [MetricsLogged(at=START, step=step, values={"val_accuracy": value}) for step, value in values.items()]
    return [*WATCHED, told, steps, *logged]


@pytest.mark.says("end.best_of")
@pytest.mark.never_says("end.best", "end.best_loss", "end.chance")
def test_what_was_validated_without_epochs_is_the_best_of_the_run_everywhere(
    tmp_path: Path, captions_said: set[str]
) -> None:
    goodbye = RunEnded(at=START + 60, status="finished", reason="the command ended", step=60, epoch=1, exit_code=0)
    events = [*validated_without_epochs(), goodbye]
    history = History()
    for event in events:
        history.apply(event)
    best = "best val_accuracy 0.9000 at step 40"
    assert best_so_far(history) == best
    assert ending(history).endswith(f"; {best}")
    assert "\n".join(in_lines(goodbye, history)).endswith(f"; {best}")
    folder = tmp_path / over(tmp_path, events)
    summary = summarize(folder)
    assert (summary.best_val_accuracy, summary.val_accuracy, summary.val_loss) == (0.9, 0.8, None)
    listed = CliRunner().invoke(runs, [str(folder)]).stdout
    assert listed.splitlines()[1].endswith("0.9000")
    assert not captions_said & {"end.best", "end.best_loss", "end.chance"}


@pytest.mark.never_says("end.best_of")
@pytest.mark.parametrize("status", ["finished", "stopped"])
def test_an_epoch_that_was_validated_is_the_best_of_its_run(status: Status) -> None:
    history = History()
    for event in scripted_run(epochs=6, status=status):
        history.apply(event)
    assert "at epoch" in ending(history)


@pytest.mark.parametrize(("width", "there"), [(140, True), (100, True), (60, False)])
async def test_a_command_is_cut_before_the_best_is_left_out(show: Show, width: int, there: bool) -> None:
    async with show(validated_without_epochs(), size=(width, 30)) as shown:
        (line,) = shown.the(Headline).plain()
        assert ("best val_accuracy 0.9000 at step 40" in line) == there
        assert line.startswith(" watching  python train.py")
        assert "…" in line


@pytest.mark.says("chart.highest", "epoch.older")
@pytest.mark.never_says("epoch.no_number", "epoch.none")
async def test_a_wide_terminal_has_the_accuracy_and_the_epochs(show: Show, captions_said: set[str]) -> None:
    events = with_epochs(worse_in_the_end, scripted_run(epochs=12, status=None))
    async with show(events, size=(140, 40)) as shown:
        assert "best 0.9000 at epoch 3" in shown.the(Headline).plain()[0]
        chart, table = shown.the(AccuracyChart), shown.the(EpochTable)
        assert chart.plain()[0].split() == ["accuracy", "◇", "val", "0.8100", "epoch", "12", "train", "0.9750"]
        assert sum(line.count("◆") for line in chart.plain()) == 1
        assert "accuracy" not in shown.the(LossChart).plain()[0]
        heads, newest, *others = table.plain()
        assert heads.split()[:6] == ["epoch", "train", "loss", "val", "loss", "accuracy"]
        assert newest.split()[0] == "12"
        assert others[-1].split()[:2] == ["◆", "3"]  # the best stays in sight
        assert [line for line in table.plain() if "◆" in line] == [others[-1]]
        before = shown.the(LossChart).size.height
        await shown.press("7")
        assert not table.display
        assert shown.the(LossChart).size.height == before
        chart.axis.point_at(chart.axis.column_of(3 * 20, chart.axis.width) or 0)
        await shown.press("7")
        assert "◆ val 0.9000" in chart.plain()[0]
        table.focus()
        await shown.press(*["down"] * 20)
        assert table.plain()[-1].split()[0] == "1"
    assert not captions_said & {"epoch.no_number", "epoch.none"}


@pytest.mark.says("epoch.no_number")
@pytest.mark.never_says("chart.highest", "epoch.older")
async def test_what_is_not_known_has_no_column_and_no_chart(show: Show, captions_said: set[str]) -> None:
    def not_finite(ended: EpochEnded) -> EpochEnded:
        return msgspec.structs.replace(ended, val_loss=math.nan, val_accuracy=math.nan, train_accuracy=math.nan)

    async with show(with_epochs(not_finite), size=(140, 40)) as shown:
        table = shown.the(EpochTable).plain()
        assert "accuracy" not in table[0]
        assert all("not finite" in line for line in table[1:])
        assert not shown.the(AccuracyChart).display
    assert not captions_said & {"chart.highest", "epoch.older"}


@pytest.mark.says("epoch.none")
async def test_the_table_alone_says_that_there_is_nothing_yet(show: Show) -> None:
    begun = LEARNING[: next(i for i, event in enumerate(LEARNING) if isinstance(event, EpochEnded))]
    async with show(begun, size=(140, 40)) as shown:
        assert not shown.the(EpochTable).display
        await shown.press("1", "2", "3", "4")
        assert shown.the(EpochTable).plain()[0] == "no epoch has ended"


async def test_the_accuracy_grows_by_every_epoch_and_follows_cursor_and_zoom(show: Show) -> None:
    events = scripted_run(epochs=6, status=None)
    ends = [i for i, event in enumerate(events) if isinstance(event, EpochEnded)]
    async with show(events[: ends[3] + 1], size=(140, 40)) as shown:
        chart = shown.the(AccuracyChart)
        seen = [chart.plain()]
        shown.host.come(*events[ends[3] + 1 : ends[4] + 1])
        shown.app.context.clock.tick()
        seen.append(chart.plain())
        await shown.press("right")
        seen.append(chart.plain())
        await shown.press("plus")
        seen.append(chart.plain())
        assert [old[1:-1] != new[1:-1] for old, new in itertools.pairwise(seen)] == [True, True, True]
