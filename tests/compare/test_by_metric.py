"""Runs compared by any series: what is said, what stands in the table, and what nobody can say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import nan
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.compare.made import goes_on, record
from tests.compare.test_verdict import Curve, curve, of, said
from tui_trainer.cli import main
from tui_trainer.cli.exit_summary import of_comparison
from tui_trainer.compare.comparison import Comparison
from tui_trainer.compare.metric import ACCURACY, Metric, in_common, metric_of, near
from tui_trainer.compare.plain_lines import cell, find_out, in_lines
from tui_trainer.compare.report import as_csv, as_html, as_json, as_markdown
from tui_trainer.compare.session import FILE, Contestant, Session
from tui_trainer.compare.table import tabulate
from tui_trainer.compare.verdict import caution
from tui_trainer.events import EndStatus, Goal, MetricDeclared
from tui_trainer.records.series_names import parsed


def scored(
    runs: Path,
    *,
    metric: str | None = "score",
    target: float | None = None,
    goal: Goal | None = "min",
    unit: str = "",
    ends: Sequence[EndStatus | None] = (),
    **curves: Sequence[Curve],
) -> Comparison:
    """Presets by label, the scores of each epoch a seed; an empty one has none."""
    states = [*ends, *["finished"] * 99]
    declared = [MetricDeclared(at=0.0, name="score", goal=goal, unit=unit)] if goal else []
    entries = []
    for label, seeds in curves.items():
        for seed, scores in enumerate(seeds):
            accuracies = [0.5] * max(1, len(scores))
            logged = {"score": scores} if scores else {}
            run = curve(runs, accuracies, states.pop(0), logged=logged, declared=declared)  # type: ignore[arg-type]
            entries.append(Contestant(label=label, seed=seed, run=run))
    comparison = Comparison(Session.create(runs, entries, metric=metric, target=target))
    comparison.poll_all()
    return comparison


@pytest.mark.parametrize(
    ("asked", "name", "goal"),
    [
        ("val_loss", "val_loss", None),
        ("val_loss:min", "val_loss", "min"),
        ("a:b:max", "a:b", "max"),
        ("val_accuracy/3", "val_accuracy/3", None),
        ("a:mean", "a:mean", None),
        ("größe größer", "größe größer", None),
    ],
)
def test_a_name_and_a_goal_behind_it(asked: str, name: str, goal: Goal | None) -> None:
    assert parsed(asked) == (name, goal)


@pytest.mark.parametrize("asked", ["", "  ", ":min", "x" * 501])
def test_no_name_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match="1 to 500 characters"):
        parsed(asked)


@pytest.mark.says("comparison.ended_best", "comparison.best_value", "comparison.luck_of_a_seed")
def test_the_verdict_is_worded_for_the_metric(tmp_path: Path) -> None:
    least = scored(tmp_path / "a", a=[[4.0, 2.0]], b=[[1.0, 3.0]])
    luck = "which may be luck of the one seed (their presets with --seeds 5 tell)"
    assert said(least) == [
        f"a ended lowest in score (2.0000), ahead of b (3.0000) by 1.0000, {luck}.",
        "The lowest score was b's (1.0000).",
    ]
    most = scored(tmp_path / "b", metric="score:max", a=[[4.0, 2.0]], b=[[1.0, 3.0]])
    assert said(most)[0].startswith("b ended highest in score (3.0000), ahead of a (2.0000) by 1.0000")
    assert said(most)[1] == "The highest score was a's (4.0000)."
    loss = of(tmp_path / "c", a=[[0.9], [0.8]], b=[[0.5], [0.6]])
    loss.by = "val_loss"
    assert said(loss)[0].startswith(
        "a ended lowest in val_loss (0.1500 ± 0.0707), ahead of b (0.4500 ± 0.0707) by 0.3000"
    )
    assert "Welch's t-test, p = 0.051, 2 seeds each" in said(loss)[0]
    assert "images" not in said(loss)[0]


@pytest.mark.never_says("comparison.best_value", "comparison.level", "comparison.without_metric", "comparison.no_goal")
def test_who_ended_best_and_was_best_is_told_once(tmp_path: Path) -> None:
    (only,) = said(scored(tmp_path, a=[[2.0, 1.0]], b=[[3.0, 2.0]]))
    assert only.startswith("a ended lowest in score (1.0000)")


@pytest.mark.says("comparison.level")
def test_level_in_a_metric(tmp_path: Path) -> None:
    assert said(scored(tmp_path / "a", a=[[1.0]], b=[[1.0]])) == ["a and b ended level in score, at 1.0000."]
    three = said(scored(tmp_path / "b", a=[[1.0]], b=[[1.0]], c=[[2.0]]))
    assert three == ["a and b ended level and lowest in score, at 1.0000."]


@pytest.mark.says("comparison.ended_best")
@pytest.mark.says("comparison.no_goal")
@pytest.mark.never_says("comparison.ended_best", "comparison.best_value", "comparison.level", "comparison.none_reached")
def test_without_a_goal_nothing_is_called_best(tmp_path: Path) -> None:
    drift = scored(tmp_path / "a", goal="none", target=1.0, a=[[1.0]], b=[[2.0]])
    (only,) = said(drift)
    assert only == (
        "Whether less or more score is better is not settled: nothing of it is called best (score:min or score:max "
        "settles it)."
    )
    table = tabulate(drift)
    assert [column.key for column in table.columns][:2] == ["final_metric", "best_accuracy"]
    assert "final_metric" not in table.best
    assert "best_metric" not in table.rows[0].figures
    drift.by = "score:max"
    assert said(drift)[-1].startswith("b ended highest in score")
    both = scored(tmp_path / "b", a=[[1.0]], b=[[2.0]])
    both.runs[1].history.series.declare(MetricDeclared(at=0.0, name="score", goal="max"))
    assert both.metric.goal == "none"  # they contradict each other


@pytest.mark.says("comparison.without_metric", "comparison.only_one_has_it")
@pytest.mark.never_says("comparison.only_one_has_it", "comparison.not_finite")
def test_a_run_that_has_no_such_series_is_named(tmp_path: Path) -> None:
    three = scored(tmp_path / "a", a=[[1.0]], b=[[2.0]], c=[[]])
    told = said(three)
    assert told[0].startswith("a ended lowest in score")
    assert told[1:] == ["c has no score."]
    assert not any("Only" in sentence or "finite" in sentence for sentence in told)
    row = tabulate(three).rows[2]
    assert cell(row, tabulate(three).columns[1]) == "–"
    assert [row.group.label for row in tabulate(three).sorted_by("final_metric")] == ["a", "b", "c"]
    alone = scored(tmp_path / "b", a=[[1.0]], b=[[]], c=[[]])
    assert said(alone) == [
        "Only a has score, with score at 1.0000: nothing to compare it with.",
        "b and c have no score.",
    ]
    seeds = scored(tmp_path / "c", a=[[1.0], [2.0]], b=[[2.0], [1.0]], c=[[3.0], []])
    assert said(seeds)[-1] == "c (1 of 2 seeds) has no score."
    goes_on(alone.runs[1])
    assert said(alone)[1] == "c has no score."  # b may still log it


@pytest.mark.says("comparison.not_finite")
def test_a_value_that_is_no_number_wins_nothing(tmp_path: Path) -> None:
    bad = scored(tmp_path, metric="score:max", a=[[5.0, nan]], b=[[2.0, 1.0]], c=[[3.0, 2.0]])
    told = said(bad)
    assert told[0].startswith("c ended highest in score (2.0000), ahead of b")
    assert told[-1] == "a ended with no finite score."
    assert cell(tabulate(bad).rows[0], tabulate(bad).columns[1]) == "–"


@pytest.mark.says("comparison.not_logged_yet", "comparison.no_such_metric", "comparison.no_such_metric_but")
@pytest.mark.never_says(
    "comparison.not_logged_yet",
    "comparison.no_such_metric",
    "comparison.no_such_metric_but",
    "comparison.without_metric",
)
def test_a_name_that_no_run_has_is_told_at_the_end(tmp_path: Path) -> None:
    made = scored(tmp_path, metric="val_los", a=[[1.0]], b=[[2.0]])
    assert said(made) == ["No run has val_los: nothing to compare. Near it: val_loss and train_loss."]
    made.by = "\x1b[31mxyzzy"
    (only,) = said(made)
    assert "\x1b" not in only
    assert only.endswith("xyzzy: nothing to compare.")
    made.by = "val_los"
    goes_on(made.runs[0])
    assert said(made)[0] == "No run has logged val_los yet: nothing to compare."
    made.by = "score"
    assert not any("No run" in sentence for sentence in said(made))


@pytest.mark.says("comparison.no_epoch")
@pytest.mark.never_says("comparison.no_epoch", "comparison.only_one")
def test_before_an_epoch_there_is_nothing_to_compare(tmp_path: Path) -> None:
    assert said(of(tmp_path / "a", a=[[]], b=[[]]))[0] == "No run has finished an epoch yet: nothing to compare."
    assert not any("nothing to compare" in s for s in said(of(tmp_path / "b", a=[[0.1]], b=[[0.2]])))


@pytest.mark.says("comparison.best_epoch")
@pytest.mark.never_says("comparison.best_epoch")
def test_the_best_epoch_of_another_one(tmp_path: Path) -> None:
    assert said(of(tmp_path / "a", a=[[0.9, 0.5]], b=[[0.4, 0.6]]))[-1] == "The best epoch was a's (0.9000)."
    assert not any("best epoch" in s for s in said(of(tmp_path / "b", a=[[0.9, 0.7]], b=[[0.4, 0.6]])))


@pytest.mark.says("comparison.one_gone", "comparison.gone")
@pytest.mark.never_says("comparison.one_gone", "comparison.gone")
def test_records_that_are_gone(tmp_path: Path) -> None:
    names = ["x", "y", curve(tmp_path, [0.5]), curve(tmp_path, [0.6])]
    both = [Contestant(label=f"p{i}", seed=0, run=run) for i, run in enumerate(names)]
    two, one, none = [Comparison(Session.create(tmp_path, entries)) for entries in (both, both[1:], both[2:])]
    for each in (two, one, none):
        each.poll_all()
    assert "p0 and p1 are gone: their records are not there." in said(two)
    assert "p1 is gone: its record is not there." in said(one)
    assert not any("gone" in sentence for sentence in said(none))


@pytest.mark.says("comparison.unlike")
@pytest.mark.never_says("comparison.unlike")
def test_what_was_not_the_same_is_to_be_minded(tmp_path: Path) -> None:
    made = [record(tmp_path, epochs=2), record(tmp_path, epochs=3)]
    entries = [Contestant(label=str(i), seed=0, run=folder.name) for i, folder in enumerate(made)]
    unlike = Comparison(Session.create(tmp_path, entries))
    unlike.poll_all()
    assert caution(find_out(unlike).fairness) == "Mind that they did not have the same epochs."
    alike = Comparison(Session.create(tmp_path, [*entries[:1], Contestant(label="b", seed=0, run=made[0].name)]))
    alike.poll_all()
    assert caution(find_out(alike).fairness) == ""


def test_a_target_is_one_of_the_metric_that_was_chosen(tmp_path: Path) -> None:
    aimed = scored(tmp_path, target=2.0, a=[[4.0, 3.0, 1.0]], b=[[5.0, 2.0, 2.5]])
    assert said(aimed)[0] == "b reached score 2 first (epoch 2, 20.0 s)."
    assert tabulate(aimed).best["target_epoch"] == [1]
    aimed.by = "val_accuracy"  # of which 2.0 is no value
    assert tabulate(aimed).target is None
    assert not any("reached" in sentence for sentence in said(aimed))
    missed = scored(tmp_path / "b", target=0.5, a=[[4.0]], b=[[5.0]])
    assert said(missed)[0] == "None reached score 0.5."
    unasked = scored(tmp_path / "c", a=[[4.0]], b=[[5.0]])
    assert tabulate(unasked).target is None


def test_a_target_of_accuracy_is_none_of_another_metric(tmp_path: Path) -> None:
    plain = of(tmp_path, target=0.5, a=[[0.9]], b=[[0.8]])
    assert said(plain)[0] == "All reached 0.5 in epoch 1."
    plain.by = "val_loss"
    assert tabulate(plain).target is None
    assert "reached" not in " ".join(said(plain))


def test_accuracy_by_its_name_is_as_without_one(tmp_path: Path) -> None:
    usual = of(tmp_path, a=[[0.5, 0.9]], b=[[0.5, 0.8]])
    before = find_out(usual)
    usual.by = "val_accuracy"
    after = find_out(usual)
    assert (before.verdict, before.table.target) == (after.verdict, after.table.target)
    assert in_lines(usual, before) == in_lines(usual, after)
    assert as_csv(usual, before) == as_csv(usual, after)


def test_what_all_are_judged_by_stands_in_where_none_has_an_accuracy(tmp_path: Path) -> None:
    runs = scored(tmp_path, metric=None, a=[[1.0]], b=[[2.0]]).runs
    assert metric_of(None, [run.history.series for run in runs]) == ACCURACY
    for run in runs:
        run.history.series._series.pop("val_accuracy")
    assert metric_of(None, [run.history.series for run in runs]) == Metric("val_loss", "min")
    assert metric_of(None, []) == ACCURACY


def test_units_and_large_numbers(tmp_path: Path) -> None:
    sized = scored(tmp_path, unit="MB", a=[[12345.6], [12355.6]], b=[[3.25], [3.75]])
    shown = [cell(row, tabulate(sized).columns[1]) for row in tabulate(sized).rows]
    assert shown == ["12,351 ± 7.0711 MB", "3.5000 ± 0.3536 MB"]
    assert "(3.5000 ± 0.3536 MB)" in said(sized)[0]


def test_names_are_cut_at_their_beginning_and_stay_text(tmp_path: Path) -> None:
    long = Metric("group/" + "x" * 40 + "/3", "none")
    assert long.title().startswith("…")
    assert long.title().endswith("/3")
    assert len(long.title(14)) == 14
    name = "<b>|`\x1b"
    entries = [
        Contestant(label=label, seed=0, run=curve(tmp_path, [0.5], logged={name: [value]}))
        for label, value in (("a", 1.0), ("b", 2.0))
    ]
    comparison = Comparison(Session.create(tmp_path, entries, metric=f"{name}:min"))
    comparison.poll_all()
    findings = find_out(comparison)
    for text in (*in_lines(comparison, findings), as_markdown(comparison, findings), as_html(comparison, findings)):
        assert "\x1b" not in text
        assert "<b>|" not in text or text.startswith(("a ", "preset", "b "))
    assert json.loads(as_json(comparison, findings))["metric"]["name"] == name


def test_series_in_common_and_names_that_are_near(tmp_path: Path) -> None:
    both = scored(tmp_path, a=[[1.0]], b=[[]])
    names = in_common(both.series)
    assert names[:2] == ["val_accuracy", "val_loss"]
    assert "score" not in names
    assert "score" in in_common(both.series[:1])
    assert near("scores", both.series) == ["score"]
    assert near("zzz", both.series) == []


def test_the_session_remembers_it_and_old_sessions_open(tmp_path: Path) -> None:
    made = scored(tmp_path, a=[[1.0]], b=[[2.0]])
    assert Comparison(Session.open(made.session.folder)).metric.name == "score"
    assert Comparison(Session.open(made.session.folder), "val_loss").metric == Metric("val_loss", "min")
    file = made.session.folder / FILE
    old = json.loads(file.read_text())
    del old["metric"]
    file.write_text(json.dumps(old))
    assert Comparison(Session.open(made.session.folder)).metric == ACCURACY


def test_compare_by_a_metric_from_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path))
    names = [curve(tmp_path, [0.5], logged={"score": [value]}) for value in (3.0, 1.0)]

    def compare(*options: str) -> Any:
        return CliRunner().invoke(main, ["compare", *options])

    done = compare(*names, "--metric", "score:min", "--target", "2", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["metric"] == {"name": "score", "goal": "min", "unit": ""}
    assert told["target"] == 2.0
    assert any("ended lowest in score (1.0000)" in sentence for sentence in told["verdict"])
    again = json.loads(compare(told["session"], "--json").stdout)
    assert again == told
    other = json.loads(compare(told["session"], "--json", "--metric", "val_loss").stdout)
    assert (other["metric"]["name"], other["target"]) == ("val_loss", None)
    assert json.loads(compare(told["session"], "--json").stdout) == told  # which was a look, and no more
    for bad in (["--metric", ":min"], ["--target", "nan"], ["--target", "2"]):
        refused = compare(*names, *bad)
        assert refused.exit_code == 2
        assert bad[0] in refused.stderr


def test_what_is_said_after_leaving_is_of_the_metric(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    of_comparison(scored(tmp_path, a=[[1.0, 4.0]], b=[[2.0, 3.0]]))
    assert "; lowest score 1.0000, a" in capsys.readouterr().out


def test_a_report_has_a_chart_of_the_metric(tmp_path: Path) -> None:
    made = scored(tmp_path, a=[[1.0, 4.0]], b=[[2.0, 3.0]])
    assert "<figcaption>score</figcaption>" in as_html(made, find_out(made))
    made.by = "val_loss"
    assert "<figcaption>score</figcaption>" not in as_html(made, find_out(made))
