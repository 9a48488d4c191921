"""A comparison of many runs: those that have not begun and those that are over cost next to nothing."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from pathlib import Path

import psutil

from tests.compare.made import compared, record, session_of
from tests.scripted import scripted_run
from tui_trainer.compare.comparison import NOTHING, QUIET_AT_ONCE, Comparison
from tui_trainer.compare.plain_lines import find_out
from tui_trainer.compare.session import Contestant, Session
from tui_trainer.events import encode
from tui_trainer.presets.catalogue import load as load_preset
from tui_trainer.run_spec import RunSpec


def test_runs_that_have_not_begun_have_one_history_which_stays_empty(tmp_path: Path) -> None:
    comparison = Comparison(session_of(tmp_path, [record(tmp_path)], ["none", "onecycle"]))
    comparison.poll_all()
    begun, *to_come = comparison.runs
    assert begun.history.steps > 0
    assert all(run.history is NOTHING for run in to_come)
    assert (NOTHING.version, NOTHING.steps, len(NOTHING.series)) == (0, 0, 0)


def test_runs_that_are_over_hold_no_files(tmp_path: Path) -> None:
    first = record(tmp_path, epochs=1, batches=2)
    before = psutil.Process().num_fds()
    comparison = compared(tmp_path, [first, *(_copy(first, number) for number in range(20))])
    assert all(run.state == "finished" for run in comparison.runs)
    assert psutil.Process().num_fds() <= before + 2


def test_one_of_many_that_is_gone_on_with_is_noticed(tmp_path: Path) -> None:
    """Of those that are over each poll looks at a few."""
    first = record(tmp_path, epochs=1, batches=2)
    count = QUIET_AT_ONCE + 10
    comparison = compared(tmp_path, [first, *(_copy(first, number) for number in range(count - 1))])
    last = comparison.runs[-1]
    assert last.record is not None
    milestones, version = comparison.milestones, last.group.version
    with (last.record / "events.jsonl").open("ab") as journal:
        journal.writelines(map(encode, scripted_run(epochs=2, batches=2)[:-1]))
    for _ in range(2 + count // QUIET_AT_ONCE):
        comparison.poll()
    assert len(last.history.epochs) == 2
    assert comparison.milestones > milestones
    assert last.group.version > version


def _copy(record: Path, number: int) -> Path:
    """The same run once more."""
    return Path(shutil.copytree(record, record.with_name(f"{record.name}-{number}")))


def test_opening_twice_as_many_trials_costs_no_more_than_twice_as_much(tmp_path: Path) -> None:
    few, many = [calls_of_opening(tmp_path, count) for count in (100, 200)]
    assert many <= 2.1 * few


def calls_of_opening(runs: Path, count: int) -> int:
    """How many functions are called until it is found out what there is to say of a sweep of which nothing trains."""
    spec = RunSpec.of("steplr", load_preset("steplr")).model_dump(mode="json")
    entries = []
    for lr in (number / 1e5 for number in range(1, count + 1)):
        preset = spec["preset"] | {"optimizer": spec["preset"]["optimizer"] | {"lr": lr}}
        varied = {"optimizer.lr": lr}
        entries.append(Contestant(label=f"lr {lr:g}", seed=0, asked=spec | {"preset": preset}, varied=varied))
    session = Session.create(runs, entries)
    counts = Counter[str]()
    sys.setprofile(lambda frame, event, arg: counts.update([event]))
    try:
        find_out(Comparison(session))
    finally:
        sys.setprofile(None)
    return counts["call"] + counts["c_call"]
