"""Runs of other tools are compared with ours, by what their series are."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.compare.made import compared, record
from tests.foreign_records.event_files import event, event_file, frame, scalar
from tests.scripted_record import over
from tests.ui.test_compare import show
from tui_trainer.cli import main
from tui_trainer.compare.comparison import counted_in, epoch_ends, rates, smoothed, timeline_of
from tui_trainer.compare.differences import ABSENT, UNKNOWN, Difference, differences, settings_of
from tui_trainer.compare.plain_lines import find_out
from tui_trainer.compare.report import as_html
from tui_trainer.ui.compare.chart import Overlay

Cli = Callable[..., Result]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return lambda *arguments: CliRunner().invoke(main, arguments)


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """A hundred steps of TensorBoard's: `eval/loss` falls to 0.02, `eval/acc` rises to 0.99."""
    points = (event(i, scalar("eval/loss", 2 / i), scalar("eval/acc", 1 - 1 / i)) for i in range(1, 101))
    event_file(tmp_path / "logs" / "night owl", b"".join(map(frame, points)))
    return tmp_path / "logs" / "night owl"


@pytest.mark.says("foreign.which", "comparison.end_unknown")
@pytest.mark.never_says("foreign.which", "comparison.not_over", "comparison.end_unknown")
def test_a_run_of_tensorboards_against_one_of_ours(
    cli: Cli, board: Path, tmp_path: Path, captions_said: set[str]
) -> None:
    ours = over(tmp_path / "runs")
    assert cli("compare", over(tmp_path / "runs"), ours).exit_code == 0
    assert "comparison.end_unknown" not in captions_said
    said = cli("compare", str(board.parent), ours, "--metric", "eval/loss")
    assert said.exit_code == 0, said.output
    lines = [line for line in said.stdout.splitlines() if line.startswith(("night owl ", "steplr "))]
    rows = {line.split("  ")[0]: line for line in lines}
    assert "final val_loss" in said.stdout
    assert all(word in rows["night owl"] for word in ("unknown", "0.0200", "0.9900"))
    assert "0/?" not in rows["night owl"]
    assert "0.1747" in rows["steplr"]
    assert "night owl" in said.stdout.split("\n\n")[-2]
    assert "has not said whether it is over" in said.stdout
    assert not captions_said & {"foreign.which", "comparison.not_over"}
    (tmp_path / "logs" / "a.csv").write_text("step,loss\n1,1\n")
    refused = cli("compare", str(board.parent), ours)
    assert refused.exit_code == 2
    assert "holds several runs; name one" in refused.stderr
    (board / "b.csv").write_text("step,loss\n1,1\n")
    os.utime(board / "b.csv", (2e9, 2e9))
    named = cli("compare", str(board), ours, "--metric", "eval/loss")  # it is a record itself, beside another one
    assert named.exit_code == 0, named.output
    assert re.search(r"^night owl .* 0\.0200", named.stdout, re.MULTILINE)
    both = str(board), str(tmp_path / "logs" / "a.csv")
    told = json.loads(cli("compare", *both, "--metric", "train_loss", "--json").stdout)
    assert json.dumps(told).count('"night owl"') >= 1


def test_settings_of_other_tools_stand_beside_ours(board: Path, tmp_path: Path) -> None:
    (board / "hparams.yaml").write_text("lr: 0.5\nmomentum: 0.9\nbackbone: tiny\nnum_train_epochs: 3\n")
    told_nothing = tmp_path / "a.csv"
    told_nothing.write_text("step,loss\n1,1\n")
    comparison = compared(tmp_path / "runs", [record(tmp_path / "runs"), board, told_nothing])
    rows = {each.key: each.values for each in differences(comparison)}
    assert rows["optimizer.lr"] == ("0.001", "0.5", UNKNOWN)
    assert rows["training.epochs"] == ("10", "3", UNKNOWN)
    assert "backbone" not in rows  # of a run of ours nobody knows what it had there
    _, settings, none = settings_of(comparison)
    assert settings == {"optimizer.lr": 0.5, "momentum": 0.9, "backbone": "tiny", "training.epochs": 3}
    assert none is None
    comparison.columns = ("lr", "backbone")
    shown = [each for each in find_out(comparison).columns if isinstance(each, Difference)]
    assert [each.values for each in shown] == [("0.001", "0.5", UNKNOWN), (UNKNOWN, "tiny", UNKNOWN)]


def test_of_runs_of_other_tools_what_one_has_and_another_has_not_differs(board: Path, tmp_path: Path) -> None:
    (board / "hparams.yaml").write_text("lr: 0.5\ndropout: 0.1\nlayers: [1, 2]\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "metrics.csv").write_text("step,loss\n1,1\n")
    (tmp_path / "other" / "hparams.yaml").write_text("lr: 0.5\nlayers: [1, 3]\n")
    comparison = compared(tmp_path / "runs", [board, tmp_path / "other" / "metrics.csv"])
    rows = {each.key: each.values for each in differences(comparison)}
    assert rows == {"dropout": ("0.1", ABSENT), "layers": ("1, 2", "1, 3")}


TABLE = "step,epoch,train_loss,val_loss,lr,_timestamp\n" + "".join(
    f"{step},{step // 10},{2 / (1 + step)},{3 / (1 + step) if step % 10 == 9 else ''},0.1,{1.7e9 + 2 * step}\n"
    for step in range(30)
)


@pytest.fixture
def epochs(tmp_path: Path) -> Path:
    """Three epochs of ten steps, two seconds a step."""
    path = tmp_path / "three epochs.csv"
    path.write_text(TABLE)
    return path


def test_epochs_and_seconds_of_another_tools_record_lie_where_ours_do(epochs: Path, tmp_path: Path) -> None:
    comparison = compared(tmp_path / "runs", [record(tmp_path / "runs"), epochs])
    histories = [run.history for run in comparison.runs]
    assert counted_in(histories) == "epoch"
    told = timeline_of(histories[1], "epoch")
    assert [told.place(step) for step in (-1, 9, 14, 19, 29)] == [0.0, 1.0, 1.5, 2.0, 3.0]
    assert [told.step(place) for place in (0.0, 1.5, 3.0)] == [-1, 14, 29]
    clock = timeline_of(histories[1], "seconds")
    assert [clock.place(step) for step in (0, 10, 29, 40)] == [0.0, 20.0, 58.0, 80.0]
    assert clock.step(20.0) == 10
    assert [place for place, _ in epoch_ends(histories[1], "epoch", "val_loss", 100)] == [1.0, 2.0, 3.0]
    assert len(smoothed(histories[1], "epoch", 100)) == len(rates(histories[1], "epoch", 100)) == 30


def test_a_report_draws_runs_of_other_tools_as_it_draws_ours(board: Path, epochs: Path, tmp_path: Path) -> None:
    def charts(*records: Path) -> list[tuple[str, str, set[str]]]:
        """Title, what is counted, and the runs that have a line."""
        comparison = compared(tmp_path / "runs", [record(tmp_path / "runs"), *records])
        page = as_html(comparison, find_out(comparison))
        figures = re.findall(r"<figcaption>(.*?)</figcaption>(.*?)</svg>", page, re.DOTALL)
        units = [re.findall(r">([a-z]+)</text>\n<g clip-path", svg)[0] for _, svg in figures]
        lines = [set(re.findall(r'data-run="(\d)">\n<polyline[^>]* points="[^"]', svg)) for _, svg in figures]
        return [(title.partition(",")[0], *rest) for (title, _), *rest in zip(figures, units, lines, strict=True)]

    assert charts(epochs) == [
        ("Training loss", "epoch", {"0", "1"}),
        ("Validation loss", "epoch", {"0", "1"}),
        ("Validation accuracy", "epoch", {"0"}),
        ("Learning rate", "epoch", {"0", "1"}),
    ]
    assert charts(epochs, board) == [
        ("Training loss", "step", {"0", "1"}),
        ("Validation loss", "step", {"0", "1", "2"}),
        ("Validation accuracy", "step", {"0", "2"}),
        ("Learning rate", "step", {"0", "1"}),
    ]


def table(folder: Path, head: str, *last: float) -> Path:
    """A record with two rows, the second of these numbers."""
    folder.mkdir()
    path = folder / f"{folder.name}.csv"
    path.write_text(f"step,{head}\n0{',0.5' * len(last)}\n1,{','.join(map(str, last))}\n")
    return path


@pytest.mark.says("comparison.judged_otherwise", "comparison.judged_by", "comparison.judged_by_none")
@pytest.mark.never_says("comparison.judged_otherwise", "comparison.judged_by", "comparison.judged_by_none")
@pytest.mark.never_says("comparison.no_epoch", "fairness.nothing_trained")
def test_without_a_metric_they_are_compared_by_what_all_have_that_judges(
    tmp_path: Path, captions_said: set[str]
) -> None:
    runs = tmp_path / "runs"
    day = record(runs)
    both, lossy = table(tmp_path / "both", "val_acc,val_loss", 0.9, 0.2), table(tmp_path / "lossy", "eval_loss", 0.3)
    for records, name, words in (
        ([both, lossy], "val_loss", ["0.2000", "0.3000"]),
        ([day, lossy], "val_loss", ["0.1747", "0.3000"]),
        ([day, both], "val_accuracy", ["0.9651", "0.9000"]),
    ):
        comparison = compared(runs, records)
        findings = find_out(comparison)
        assert findings.table.metric.name == name
        figures = [row.figures[findings.table.final_key] for row in findings.table.rows]
        assert [f"{each.mean:.4f}" for each in figures] == words
    assert not [id for id in captions_said if id.startswith("comparison.judged")]
    assert "fairness.nothing_trained" not in captions_said
    reward = table(tmp_path / "game", "reward", 7.0)
    blank = table(tmp_path / "blank", "x", 7.0)
    said = find_out(compared(runs, [both, reward, blank]))
    assert said.verdict[0].startswith(
        "No series that judges is had by all of them: both has val_accuracy, game has reward and blank has none that "
        "its names tell. --metric names one"
    )
    assert "comparison.no_epoch" not in captions_said
    asked = compared(runs, [both, reward], metric="val_loss")
    assert not any("that judges" in sentence for sentence in find_out(asked).verdict)


async def test_the_screen_draws_them_too_and_counts_what_all_of_them_tell(
    board: Path, epochs: Path, tmp_path: Path
) -> None:
    comparison = compared(tmp_path / "runs", [record(tmp_path / "runs"), epochs])
    async with show(comparison) as (pilot, screen):
        drawn = ["\n".join(chart.plain()) for chart in screen.query(Overlay)]
        assert all("three epoch" in text for text in (drawn[0], drawn[-1]))  # its name at the end of its curve
        assert screen.axis.unit == "epoch"
        assert screen.axis.end == pytest.approx(3.0)
        for _ in range(3):
            await pilot.press("l", "x", "plus", "left")
    async with show(compared(tmp_path / "runs", [epochs, board])) as (_, screen):
        assert (screen.axis.unit, screen.axis.end) == ("step", 100)
