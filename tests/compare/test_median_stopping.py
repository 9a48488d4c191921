"""`--stop-worse-than median`: who is ended early and who never, and what is said of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import SMALL
from tests.compare.made import record
from tests.leftovers import same_signals
from tests.scripted import epoch_ended
from tui_trainer.cli import main
from tui_trainer.commands import Stop
from tui_trainer.compare.comparison import BY_RULE, Comparison
from tui_trainer.compare.executors import is_done, outcome
from tui_trainer.compare.median_stopping import MedianStopping, can_go_by, first_epoch, worse_than_median
from tui_trainer.compare.metric import ACCURACY, Metric
from tui_trainer.compare.plain_lines import find_out, in_lines
from tui_trainer.compare.report import as_json, as_markdown
from tui_trainer.compare.session import Contestant, Session, all_sessions, session_summaries
from tui_trainer.events import RunEnded
from tui_trainer.records.record import Record
from tui_trainer.records.run_metadata import ending
from tui_trainer.text.reasons import Reason, read, word

LOSS = Metric("val_loss", "min")
VALUES = st.none() | st.floats(allow_nan=True) | st.integers(-3, 3).map(float)


@given(st.sampled_from([ACCURACY, LOSS]), st.lists(VALUES, max_size=5), st.lists(VALUES, max_size=8))
def test_only_who_is_worse_than_the_median_of_three_others_is_stopped(
    metric: Metric, own: list[float | None], others: list[float | None]
) -> None:
    there = [each for each in others if each is not None and abs(each) < float("inf")]
    mine = [each for each in own if each is not None and abs(each) < float("inf")]
    found = worse_than_median(metric, own, others)
    if len(there) < 3 or not mine:
        assert found is None
    elif metric is ACCURACY:
        assert (found is not None) == (max(mine) < median(there))
    else:
        assert (found is not None) == (min(mine) > median(there))


@given(st.sampled_from([ACCURACY, LOSS]), st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_of_trials_that_are_at_one_epoch_the_better_half_is_never_stopped(metric: Metric, values: list[float]) -> None:
    stopped = [
        worse_than_median(metric, [value], [*values[:i], *values[i + 1 :]]) is not None
        for i, value in enumerate(values)
    ]
    ranked = sorted(range(len(values)), key=lambda i: values[i] * metric.sign, reverse=True)
    assert not any(stopped[i] for i in ranked[: len(values) // 2 or 1])


@given(st.integers(1, 1000))
def test_a_quarter_of_the_epochs_are_trained_whatever_they_come_to(epochs: int) -> None:
    assert 1 <= first_epoch(epochs) <= epochs
    assert (first_epoch(epochs) - 1) * 4 < epochs <= first_epoch(epochs) * 4


@pytest.mark.parametrize(
    ("metric", "can"),
    [(None, True), ("val_loss", True), ("train_loss:min", True), ("lr", False), ("lr:min", False), ("norm:min", False)],
)
def test_the_rule_goes_by_what_the_end_of_an_epoch_tells(metric: str | None, can: bool) -> None:
    assert can_go_by(metric) is can


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "runs"


def session_of(runs: Path, count: int, metric: str | None = None) -> Session:
    entries = [Contestant(label=f"run {i}", seed=0, asked={}) for i in range(count)]
    return Session.create(runs, entries, stop_worse_than="median", metric=metric)


@pytest.mark.parametrize("metric", [None, "val_loss"])
def test_a_trial_hears_how_the_others_did_whichever_process_trained_them(runs: Path, metric: str | None) -> None:
    session = session_of(runs, 5, metric)
    for trial, good in enumerate([0.9, 0.8, 0.7]):
        elsewhere = Session.open(session.folder)
        for epoch in range(1, 9):
            elsewhere.reached_epoch(trial, epoch, 1 - good if metric else good)
    stops: list[Stop] = []
    rule = MedianStopping(session, 3, 8, stops.append)

    def ends(epoch: int, good: float) -> int:
        rule.hear(epoch_ended(epoch, val_loss=1 - good, val_accuracy=good if metric is None else 0.0))
        return len(stops)

    assert ends(1, 0.1) == 0  # a quarter of them is trained in any case
    assert ends(2, 0.8) == 0  # as good as the median is good enough,
    assert ends(3, 0.1) == 0  # and stands
    late = MedianStopping(Session.open(session.folder), 4, 8, stops.append)
    late.hear(epoch_ended(2, val_loss=0.4, val_accuracy=0.6))
    assert len(stops) == 1
    (stop,) = stops
    told = read(stop.reason)
    monitor = metric or "val_accuracy"
    best, middle = (0.4, 0.2) if metric else (0.6, 0.8)
    assert told.code == "worse_than_median"
    assert told.params == pytest.approx(
        {"monitor": monitor, "best": best, "median": middle, "others": 4, "epoch": 2, "detail": ""}
    )
    assert (stop.by, stop.exit_code) == ("session", 0)
    late.hear(epoch_ended(8, val_loss=0.5, val_accuracy=0.5))
    assert len(stops) == 1  # at its end it has finished


REASON = word(
    Reason(
        "worse_than_median",
        {"monitor": "val_accuracy", "best": 0.1, "median": 0.7, "others": 3, "epoch": 2, "detail": ""},
    )
)


def stopped(runs: Path, reason: str = REASON) -> Path:
    """The record of a run that has ended so after two epochs."""
    folder = record(runs, epochs=2, status=None)
    opened = Record.reopen(folder)
    opened.end(RunEnded(at=time.time(), status="stopped", reason=reason, step=40, epoch=2, exit_code=0))
    opened.close()
    return folder


def of(runs: Path, seeds: dict[str, list[Path]]) -> Comparison:
    entries = [
        Contestant(label=label, seed=seed, asked={}, run=folder.name)
        for label, folders in seeds.items()
        for seed, folder in enumerate(folders)
    ]
    comparison = Comparison(Session.create(runs, entries, stop_worse_than="median"))
    comparison.poll_all()
    return comparison


@pytest.mark.says("comparison.one_by_rule")
@pytest.mark.never_says("comparison.one_stopped", "comparison.stopped", "comparison.crashed", "comparison.by_rule")
def test_who_was_stopped_by_the_rule_is_said_to_be_and_counts_in_no_mean(runs: Path) -> None:
    comparison = of(runs, {"a": [record(runs), record(runs)], "b": [record(runs), stopped(runs)]})
    results = find_out(comparison)
    _, row = results.table.rows
    assert row.status == BY_RULE
    assert not row.is_whole
    assert len(row.numbers) == 1  # of the seed that has finished
    assert "b (1 of 2 seeds) was stopped by the rule" in " ".join(results.verdict)
    told = json.loads(as_json(comparison, results))
    assert told["stop_worse_than"] == "median"
    assert [(run["status"]) for run in told["presets"][1]["runs"]] == ["finished", "pruned"]
    assert (told["presets"][1]["finished"], told["presets"][1]["of"]) == (1, 2)
    assert any("pruned" in line for line in in_lines(comparison, results))
    assert "| pruned |" in as_markdown(comparison, results)
    assert outcome(comparison.session).exit_code == 0
    (summary,) = session_summaries(runs)
    assert (summary.done, summary.runs) == (4, 4)


@pytest.mark.says("comparison.by_rule", "comparison.one_stopped")
@pytest.mark.never_says("comparison.one_by_rule")
def test_who_was_stopped_by_a_person_is_told_apart_from_them(runs: Path) -> None:
    by_hand = stopped(runs, "asked to")
    comparison = of(runs, {"a": [stopped(runs)], "b": [stopped(runs)], "c": [by_hand], "d": [record(runs)]})
    results = find_out(comparison)
    assert [row.status for row in results.table.rows] == [BY_RULE, BY_RULE, "stopped", "finished"]
    said = " ".join(results.verdict)
    assert "a and b were stopped by the rule" in said
    assert "c was stopped early" in said
    assert results.table.best == {}  # one alone has finished


def test_what_the_rule_has_stopped_is_over_and_not_gone_on_with(runs: Path) -> None:
    lacking = f"{REASON}; the last checkpoint could not be saved: No space left on device"
    assert is_done(stopped(runs))
    assert is_done(stopped(runs, lacking))
    comparison = of(runs, {"a": [stopped(runs, lacking)], "b": [record(runs)]})
    assert comparison.runs[0].state == BY_RULE
    assert comparison.is_over


@pytest.fixture
def compare(runs: Path) -> Callable[..., Result]:
    def called(*words: str) -> Result:
        with same_signals():
            return CliRunner().invoke(main, ["compare", *words])

    return called


@pytest.mark.says("sweep.no_rule_by", "sweep.rule_stays")
def test_the_command_refuses_a_rule_that_nothing_tells_and_one_that_comes_too_late(
    compare: Callable[..., Result], runs: Path
) -> None:
    rule = ("--stop-worse-than", "median")
    refused = compare("none", "steplr", *rule, "--metric", "grad_norm:min")
    assert refused.exit_code == 2
    assert (
        "--stop-worse-than goes by what the end of an epoch tells: leave --metric grad_norm:min out" in refused.output
    )
    assert not runs.exists()
    session = Session.create(runs, [Contestant(label="a", seed=0, run="gone")])
    refused = compare(session.id, *rule)
    assert refused.exit_code == 2
    assert f"{session.id} was begun without it" in refused.output


@pytest.mark.slow
@pytest.mark.never_says("sweep.no_rule_by", "sweep.rule_stays")
def test_of_trials_that_are_really_trained_the_hopeless_one_ends_early(
    compare: Callable[..., Result], runs: Path
) -> None:
    lrs = ("--grid", "optimizer.lr=0.01,0.011,0.012,1e-9")
    done = compare("steplr", *lrs, *SMALL, "--epochs", "4", "--stop-worse-than", "median")
    session = Session.open(all_sessions(runs)[0])
    records = [session.record_of(entry) for entry in session.entries]
    ends = [ending(each) for each in records if each is not None]
    assert done.exit_code == 0, done.output
    assert [end is not None and end.status for end in ends[:3]] == ["finished"] * 3
    assert ends[3] is not None
    assert (ends[3].status, ends[3].epoch) == ("stopped", 1)
    assert ends[3].why.code == "worse_than_median"
    assert (
        "optimizer.lr 1e-09 was stopped by the rule" in done.output or "lr 1e-9 was stopped by the rule" in done.output
    )
    again = compare(session.id, "--stop-worse-than", "median")
    assert (again.exit_code, [session.record_of(entry) for entry in session.entries]) == (0, records)


@pytest.mark.slow
def test_of_trials_that_two_processes_train_the_hopeless_one_ends_early(
    compare: Callable[..., Result], runs: Path
) -> None:
    """It is the last of five: as it begins, three of the others have ended for certain."""
    lrs = ("--grid", "optimizer.lr=0.01,0.011,0.012,0.013,1e-9", "--jobs", "2")
    done = compare("steplr", *lrs, *SMALL, "--epochs", "4", "--stop-worse-than", "median")
    session = Session.open(all_sessions(runs)[0])
    first, *_, last = [ending(record) for entry in session.entries if (record := session.record_of(entry)) is not None]
    assert done.exit_code == 0, done.output
    assert first is not None
    assert first.status == "finished"  # which of those that are nearly as good ends early, the machine's speed decides
    assert last is not None
    assert (last.status, last.epoch, last.why.code) == ("stopped", 1, "worse_than_median")
