"""A path given to `attach` leads to what another tool has recorded, and says what it took of several."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.foreign_records.event_files import event_file, scalars
from tests.scripted_record import over
from tui_trainer.cli import launch
from tui_trainer.cli.foreign import foreign_record, keep_choices
from tui_trainer.foreign_records.naming import Choices
from tui_trainer.run_sources.registry import open_source
from tui_trainer.run_sources.remembered import choices_for
from tui_trainer.ui.context import AppContext


def found_at(runs: Path, given: Path, said: list[str]) -> Path:
    record = foreign_record(runs, str(given), said.append)
    assert record is not None
    return record.path


def test_runs_of_ours_come_first_and_nothing_is_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = over(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    event_file(tmp_path / run, scalars("loss", range(3)))
    assert foreign_record(tmp_path / "runs", run, print) is None
    assert foreign_record(tmp_path / "runs", f"runs/{run}", print) is None
    assert foreign_record(tmp_path / "runs", "none/such", print) is None
    assert foreign_record(tmp_path / "runs", "\0", print) is None


@pytest.mark.says("foreign.several", "foreign.none", "foreign.runs_of_ours")
@pytest.mark.never_says("foreign.several", "foreign.none", "foreign.runs_of_ours")
def test_of_a_tree_the_record_that_was_written_last_is_meant(
    tmp_path: Path, captions_said: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    tree, runs, said = tmp_path / "tree", tmp_path / "runs", list[str]()
    event_file(tree / "one" / "train", scalars("loss", range(3)))
    event_file(tree / "one" / "validation", scalars("loss", range(3)))
    assert found_at(runs, tree, said) == tree / "one"
    assert captions_said <= {"record.none_yet", "record.look_elsewhere"}  # of runs of ours, unsaid
    (tree / "two").mkdir()
    (tree / "two" / "metrics.csv").write_text("step,loss\n1,0.5\n")
    (tree / "round").symlink_to(tree)
    (tree / "two" / "checkpoint-5").mkdir()
    (tree / "two" / "checkpoint-5" / "trainer_state.json").write_text('{"log_history":[{"step":1,"loss":1}]}')
    (tree / "readme.md").write_text("# Words, and more words\nno numbers\n")
    for path in (
        tree / "one" / "train",
        *(tree / "one" / "train").iterdir(),
        *(tree / "two" / "checkpoint-5").iterdir(),
    ):
        os.utime(path, (1e9, 1e9))
    os.utime(tree / "two" / "metrics.csv", (3e9, 3e9))
    assert found_at(runs, tree, said) == tree / "two" / "metrics.csv"
    assert said == [f"3 records in {tree}: two/metrics.csv was written last; others: one and two"]
    for given, words in ((tree / "readme.md", "holds no run in a form that is known: tui-trainer, Hugging Face"),):
        with pytest.raises(SystemExit) as refused:
            foreign_record(runs, str(given), print)
        assert refused.value.code == 2
        assert words in capsys.readouterr().err
    over(tmp_path / "other")
    assert "foreign.runs_of_ours" not in captions_said
    with pytest.raises(SystemExit):
        foreign_record(runs, str(tmp_path / "other"), print)
    assert "is a folder of tui-trainer's runs: name it with --runs-dir" in capsys.readouterr().err


@pytest.mark.says("foreign.not_for_ours", "foreign.not_remembered", "foreign.file_damaged")
@pytest.mark.never_says("foreign.not_for_ours", "foreign.not_remembered", "foreign.file_damaged")
def test_what_is_said_of_series_is_remembered_for_the_runs_of_that_tool(
    tmp_path: Path, runs: Path, captions_said: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("step,loss,iou\n1,0.5,0.1\n")
    (tmp_path / "b.csv").write_text("step,loss,iou\n1,0.5,0.1\n")
    (tmp_path / "a.jsonl").write_text('{"step":1,"loss":0.5}\n')
    record = foreign_record(runs, str(tmp_path / "a.csv"), print)
    keep_choices(record, "iou:max", {"loss": "train_loss"})
    for name, series, objective in (("b.csv", ["train_loss", "iou"], "iou"), ("a.jsonl", ["loss"], "loss")):
        source = open_source(tmp_path / name)
        source.poll()
        assert ([*source.history.series], source.history.series.objective) == (series, objective)
    keep_choices(record, "", {"loss": ""})
    assert choices_for("CSV") == Choices()
    assert not captions_said & {"foreign.not_for_ours", "foreign.not_remembered", "foreign.file_damaged"}
    with pytest.raises(SystemExit):
        keep_choices(None, None, {"loss": "x"})
    (file,) = (tmp_path / "config").rglob("records.json")
    file.write_text("{")
    with pytest.raises(SystemExit):
        keep_choices(record, "loss", {})
    assert file.read_text() == "{"
    file.unlink()
    file.mkdir()
    with pytest.raises(SystemExit):
        keep_choices(record, "loss", {})
    said = capsys.readouterr().err
    assert "cannot be changed: it is damaged" in said
    assert "cannot be changed: it is a folder" in said
    assert choices_for("CSV") == Choices()


@pytest.mark.parametrize("wrong", [["--rename", "loss"], ["--rename", "=x"], ["--objective", ":min"]])
def test_what_is_no_choice_is_refused(cli: Callable[..., Result], wrong: list[str]) -> None:
    done = cli("attach", "x", *wrong)
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert f"Invalid value for '{wrong[0]}'" in done.output


def test_the_list_of_runs_has_what_lies_where_attach_looks(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_file(tmp_path / "tree" / "one", scalars("loss", range(3)))
    (tmp_path / "tree" / "metrics.csv").write_text("step,loss\n1,0.5\n")
    shown: list[AppContext] = []

    def show_app(_: object, context_of: Callable[[Any], AppContext], *__: object) -> int:
        shown.append(context_of(None))
        return 0

    monkeypatch.setattr(launch, "_need_terminal", lambda *_: None)
    monkeypatch.setattr(launch, "show_app", show_app)
    monkeypatch.chdir(tmp_path)
    assert cli("attach", "tree").exit_code == 0
    assert shown[0].named == tmp_path / "tree"
