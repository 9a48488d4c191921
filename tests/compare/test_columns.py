"""The columns of a comparison's table that a person chose: its numbers, series of the runs, and settings."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.compare.made import record, session_of
from tests.compare.test_by_metric import scored
from tui_trainer.cli import main
from tui_trainer.compare.columns import parsed_columns
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.plain_lines import find_out, in_lines, table_cells
from tui_trainer.compare.report import as_csv, as_html, as_json, as_markdown


def with_columns(comparison: Comparison, *names: str) -> Comparison:
    chosen = Comparison(comparison.session, comparison.by, names)
    chosen.poll_all()
    return chosen


def two_schedules(runs: Path, *names: str) -> Comparison:
    made = [record(runs, scheduler=scheduler, epochs=2) for scheduler in ("StepLR", "OneCycleLR")]
    comparison = Comparison(session_of(runs, made), None, names)
    comparison.poll_all()
    return comparison


def heads(comparison: Comparison) -> list[str]:
    return table_cells(find_out(comparison))[0][3:]


def test_without_a_choice_all_is_as_before(tmp_path: Path) -> None:
    usual = heads(two_schedules(tmp_path))
    assert usual[:4] == ["best acc", "final acc", "best loss", "final loss"]
    assert heads(two_schedules(tmp_path / "again", "standard")) == usual


def test_settings_stand_beside_the_numbers_in_the_order_that_was_asked_for(tmp_path: Path) -> None:
    comparison = two_schedules(tmp_path, "settings", "final_accuracy", "training.batch_size")
    findings = find_out(comparison)
    differing = [each.key for each in findings.differences]
    assert "scheduler.name" in differing
    assert heads(comparison) == [*differing, "final acc", "training.batch_size"]
    rows = {line[0]: line[3:] for line in table_cells(findings)[1:]}
    at = differing.index("scheduler.name")
    assert sorted(line[at] for line in rows.values()) == ["OneCycleLR", "StepLR"]
    assert len({line[-1] for line in rows.values()}) == 1  # asked for by name, it is there though all have it alike


def test_a_setting_goes_by_the_end_of_its_name_and_comes_before_a_series_of_that_name(tmp_path: Path) -> None:
    assert heads(two_schedules(tmp_path, "gamma", "metrics.lr", "config.scheduler.gamma")) == [
        "scheduler.gamma",
        "final lr",
        "scheduler.gamma",
    ]


def test_a_series_is_a_column_of_its_last_value(tmp_path: Path) -> None:
    comparison = with_columns(scored(tmp_path, metric=None, a=[[4.0, 2.0]], b=[[1.0, 3.0]]), "score", "val_loss")
    findings = find_out(comparison)
    assert heads(comparison) == ["final score", "final val_loss"]
    assert {line[0]: line[3] for line in table_cells(findings)[1:]} == {"a": "2.0000*", "b": "3.0000"}
    figures = {each["preset"]: each["figures"] for each in json.loads(as_json(comparison, findings))["presets"]}
    assert figures["a"]["metrics.score"]["values"] == [2.0]
    assert "best_accuracy" in figures["a"]  # for scripts all of it is there


@pytest.mark.says("comparison.no_such_column")
def test_a_name_that_no_run_has_is_said_once_all_is_over(tmp_path: Path) -> None:
    comparison = two_schedules(tmp_path, "grad_nrm")
    findings = find_out(comparison)
    assert "grad_nrm is neither a setting nor a series of these runs." in findings.verdict
    assert {line[3] for line in table_cells(findings)[1:]} == {"–"}


@pytest.mark.never_says("comparison.no_such_column")
def test_what_may_still_be_logged_is_not_said_to_be_none(tmp_path: Path) -> None:
    made = [record(tmp_path, epochs=2), record(tmp_path, scheduler="OneCycleLR", epochs=2)]
    comparison = Comparison(session_of(tmp_path, made, ["none"]), None, ["grad_norm"])
    comparison.poll_all()
    assert not any("neither" in sentence for sentence in find_out(comparison).verdict)
    known = two_schedules(tmp_path / "known", "val_loss", "gamma", "standard", "settings", "best_loss")
    assert not any("neither" in sentence for sentence in find_out(known).verdict)


def test_every_report_has_the_columns(tmp_path: Path) -> None:
    comparison = two_schedules(tmp_path, "best_loss", "scheduler.name")
    findings = find_out(comparison)
    assert "best loss  scheduler.name" in "\n".join(in_lines(comparison, findings))
    assert "| preset | status | epochs | best loss | scheduler.name |" in as_markdown(comparison, findings)
    assert "<th>best loss</th><th>scheduler.name</th></tr>" in as_html(comparison, findings)
    (first, _) = csv.DictReader(io.StringIO(as_csv(comparison, findings)))
    assert list(first)[7:] == ["best_loss", "best_loss_spread", "scheduler.name"]
    assert first["scheduler.name"] in ("StepLR", "OneCycleLR")


def test_names_are_separated_by_commas_and_quoted_where_they_have_one() -> None:
    assert parsed_columns('val_loss, "a,b" ,settings') == ("val_loss", "a,b", "settings")
    for wrong in ("", " , ", "x" * 501):
        with pytest.raises(ValueError, match="1 to 500 characters"):
            parsed_columns(wrong)


def test_from_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path))
    session = two_schedules(tmp_path).session.id
    told = CliRunner().invoke(main, ["compare", session, "--columns", "final_accuracy,scheduler.name"])
    assert told.exit_code == 0
    assert "epochs  final acc  scheduler.name" in told.stdout
    wrong = CliRunner().invoke(main, ["compare", session, "--columns", ","])
    assert wrong.exit_code == 2
    assert "--columns ,: " in wrong.stderr
