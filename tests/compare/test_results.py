"""What is said of a comparison: the table against exports, the verdict, fairness, and sessions that are not smooth."""

from __future__ import annotations

import csv
import json
import re
import shutil
import stat
import time
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from random import Random
from statistics import fmean, stdev
from typing import Any

import msgspec
import pytest

from tests.compare.made import compared, ends, record, rewritten, seeds, session_of
from tests.scripted import scripted_run
from tests.waiting import PATIENCE_S
from tui_trainer.cli.exit_summary import of_comparison
from tui_trainer.compare.comparison import Comparison, Group, Standing
from tui_trainer.compare.differences import differences
from tui_trainer.compare.entries import reused
from tui_trainer.compare.fairness import fairness
from tui_trainer.compare.metric import Metric
from tui_trainer.compare.plain_lines import find_out, in_lines
from tui_trainer.compare.report import ReportFailed, as_html, as_markdown, write_report
from tui_trainer.compare.session import Contestant, Session, SessionDamaged, find_session
from tui_trainer.compare.table import tabulate
from tui_trainer.events import Digests, EpochEnded, RunEnded, SettingChanged, decode_lines
from tui_trainer.presets import lrs
from tui_trainer.presets.checks import parse
from tui_trainer.records.errors import RunNotFound, RunsError
from tui_trainer.records.export import export_csv
from tui_trainer.records.run_index import folders
from tui_trainer.run_spec import RunSpec


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def by_hand(export: Path, target: float) -> dict[str, Any]:
    """The numbers of one run from its exported CSV files alone."""
    epochs, steps = rows_of(export / "epochs.csv"), rows_of(export / "steps.csv")
    accuracy = [float(row["val_accuracy"]) for row in epochs]
    losses = [float(row["val_loss"]) for row in epochs]
    there = [i for i, value in enumerate(accuracy) if value >= target]
    found: dict[str, Any] = {
        "best_accuracy": max(accuracy),
        "final_accuracy": accuracy[-1],
        "best_loss": min(losses),
        "final_loss": losses[-1],
        "images_per_second": sum(float(row["images_per_second"]) for row in epochs) / len(epochs),
        "seconds": float(epochs[-1]["elapsed_s"]),
        "steps": int(steps[-1]["step"]),
    }
    if there:
        first = epochs[there[0]]
        last_steps = [int(row["step"]) for row in steps if row["epoch"] == first["epoch"]]
        found |= {"target_epoch": int(first["epoch"]), "target_step": max(last_steps)}
        found |= {"target_seconds": float(first["elapsed_s"])}
    return found


def test_the_table_equals_the_numbers_of_the_exports(tmp_path: Path) -> None:
    made = [
        record(tmp_path / "runs", scheduler=s, epochs=9, seed=i) for i, s in enumerate(("StepLR", "OneCycleLR", "none"))
    ]
    comparison = compared(tmp_path / "runs", made, target=0.8)
    table = tabulate(comparison)
    assert len(table.rows) == 3
    for row, folder in zip(table.rows, made, strict=True):
        export_csv(folder, tmp_path / folder.name)
        expected = by_hand(tmp_path / folder.name, 0.8)
        assert row.numbers[0].steps == expected.pop("steps")
        assert {key: figure.mean for key, figure in row.figures.items()} == pytest.approx(expected, rel=1e-12)


def test_with_seeds_the_table_has_mean_and_spread_of_the_exports(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    comparison = seeds(runs, {"steplr": [{"seed": i, "epochs": 5} for i in range(4)]})
    finals = []
    for run in comparison.runs:
        assert run.record is not None
        export_csv(run.record, tmp_path / run.record.name)
        finals.append(float(rows_of(tmp_path / run.record.name / "epochs.csv")[-1]["val_accuracy"]))
    figure = tabulate(comparison).rows[0].figures["final_accuracy"]
    assert figure.mean == pytest.approx(fmean(finals), rel=1e-12)
    assert figure.spread == pytest.approx(stdev(finals), rel=1e-12)


def test_equal_conditions_are_called_fair_and_each_difference_by_its_name(tmp_path: Path) -> None:
    same = [record(tmp_path / "a", scheduler=s) for s in ("StepLR", "none")]
    fair = fairness(compared(tmp_path / "a", same))
    assert fair.is_fair
    assert fair.differing == []
    assert fair.sentence.startswith("Fair: same data, split, model, initial weights, batch order")
    changes: dict[str, Any] = {
        "dataset": "cifar10",
        "val_images": 77,
        "model": "mlp",
        "model_options": {"dropout": 0.3},
        "seed": 5,
        "device": "cuda:0",
        "threads": 7,
        "precision": "bf16",
        "versions": {"torch": "1.0"},
        "augmentation": "crop and flip",
    }
    named = {
        "dataset": "data",
        "val_images": "split",
        "model": "model",
        "model_options": "model",
        "seed": "initial weights",
        "device": "device",
        "threads": "threads",
        "precision": "precision",
        "versions": "versions",
        "augmentation": "augmentation",
    }
    for key, value in changes.items():
        runs = tmp_path / key
        unlike = fairness(compared(runs, [record(runs), record(runs, scheduler="none", changes={key: value})]))
        assert named[key] in [fact.name for fact in unlike.differing], key
        assert unlike.is_fair == (key in ("device", "threads", "versions"))  # those that leave the lesson as it is
        assert unlike.sentence != fair.sentence


@pytest.mark.parametrize(("part", "fact"), [("data", "data"), ("weights", "initial weights"), ("order", "batch order")])
def test_runs_that_say_the_same_are_told_apart_by_their_digests(tmp_path: Path, part: str, fact: str) -> None:
    digests = Digests(weights="a" * 64, data="b" * 64, order="c" * 64)
    other = msgspec.structs.replace(digests, **{part: "f" * 64})
    two = [record(tmp_path, scheduler=scheduler, changes={"digests": digests}) for scheduler in ("StepLR", "none")]
    third = record(tmp_path, scheduler="OneCycleLR", changes={"digests": other})
    same, unlike = fairness(compared(tmp_path, two)), fairness(compared(tmp_path, [*two, third]))
    assert same.is_fair
    assert "data, initial weights and batch order by digest, to the bit" in same.sentence
    assert [each.name for each in unlike.differing] == [fact]
    assert not unlike.is_fair
    assert "ffffffff" in unlike.sentence


def test_what_old_records_do_not_tell_is_called_neither_same_nor_other(tmp_path: Path) -> None:
    old = {"digests": Digests(), "augmentation": ""}
    made = [record(tmp_path, name="old", changes=old), record(tmp_path, name="new", scheduler="none")]
    fair = fairness(compared(tmp_path, made))
    assert fair.is_fair
    assert fair.sentence.startswith("Fair as far as is told: same split, model, epochs")
    assert "Not told by old: data, initial weights, batch order and augmentation." in fair.sentence
    assert fair.short == "Fair as far as is told; not told: data, initial weights, batch order and augmentation."
    both = compared(tmp_path / "both", [record(tmp_path / "both", name=name, changes=old) for name in ("a", "b")])
    assert "Not told by a and b: data, initial weights" in fairness(both).sentence
    unlike = [made[0], made[1], record(tmp_path, name="newer", changes={"seed": 3})]
    said = fairness(compared(tmp_path, unlike)).sentence
    assert "initial weights: seed 0, cnn (new); seed 3, cnn (newer); not told (old)" in said


def test_other_kernels_are_said_to_touch_rounding(tmp_path: Path) -> None:
    made = [record(tmp_path), record(tmp_path, scheduler="none")]
    events = decode_lines((made[1] / "events.jsonl").read_bytes())
    rewritten(
        made[1],
        [
            msgspec.structs.replace(event, new="compiled")
            if isinstance(event, SettingChanged) and event.setting == "kernels"
            else event
            for event in events
        ],
    )
    fair = fairness(compared(tmp_path, made))
    assert fair.is_fair
    assert "Rounding may differ, and training amplifies it: kernels: plain (steplr); compiled (none)." in fair.sentence


def test_other_switches_of_cuda_are_said_to_touch_rounding(tmp_path: Path) -> None:
    on, off = {"cudnn.allow_tf32": "True"}, {"cudnn.allow_tf32": "False"}
    steplr = record(tmp_path, changes={"arithmetic": on})
    none = record(tmp_path, scheduler="none", changes={"arithmetic": off})
    said = fairness(compared(tmp_path, [steplr, none])).sentence
    on_words, off_words = "plain, cudnn.allow_tf32 True (steplr)", "plain, cudnn.allow_tf32 False (none)"
    assert f"Rounding may differ, and training amplifies it: kernels: {on_words}; {off_words}." in said
    alike = [record(tmp_path, name=name, changes={"arithmetic": on}) for name in ("a", "b")]
    assert "Rounding" not in fairness(compared(tmp_path, alike)).sentence


def test_seeds_that_both_presets_have_are_no_difference(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    two = [{"seed": 0}, {"seed": 1}]
    assert fairness(seeds(runs, {"a": two, "b": two})).is_fair
    other = fairness(seeds(tmp_path / "other", {"a": two, "b": [{"seed": 7, "scheduler": "none"}]}))
    assert other.is_fair  # one seed of two is still to come, or was never asked for: nothing contradicts


def test_the_verdict_names_who_was_first_and_who_ended_highest(tmp_path: Path) -> None:
    made = [record(tmp_path, scheduler="StepLR", epochs=6), record(tmp_path, scheduler="none", epochs=3)]
    comparison = compared(tmp_path, made, target=0.5)
    findings = find_out(comparison)
    said = " ".join(findings.verdict)
    finals = {row.group.label: row.figures["final_accuracy"].mean for row in findings.table.rows}
    winner = max(finals, key=lambda label: finals[label])
    assert f"{winner} ended highest ({finals[winner]:.4f})" in said
    assert "one seed" in said


def test_with_seeds_the_verdict_names_its_test(tmp_path: Path) -> None:
    comparison = seeds(
        tmp_path,
        {"a": [{"seed": i, "epochs": 6} for i in range(3)], "b": [{"seed": 9 + i, "epochs": 3} for i in range(3)]},
    )
    said = " ".join(find_out(comparison).verdict)
    assert "Welch's t-test, p " in said
    assert "3 seeds each" in said
    assert "±" in said


def test_a_spread_has_the_unit_once_and_many_names_are_counted(tmp_path: Path) -> None:
    comparison = seeds(tmp_path / "seeds", {"a": [{"seed": i, "batch_s": 0.01 * (1 + i)} for i in range(3)]})
    said = "\n".join(in_lines(comparison, find_out(comparison)))
    assert re.search(r"\d\.\d ± \d\.\d s", said)
    assert not re.search(r"s ± \d", said)
    runs = tmp_path / "many"
    many = find_out(compared(runs, [record(runs, name=f"run {i}", epochs=2) for i in range(9)]))
    assert "run 0, run 1, run 2 and 6 others ended level" in " ".join(many.verdict)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ((0.90, 0.91, 0.92), (0.70, 0.71, 0.72), "more than the spread of seeds: more than luck"),
        ((0.90, 0.92, 0.97), (0.89, 0.90, 0.91), "less than the spread of seeds: it could be luck"),
        ((0.95, 0.96, 0.97), (0.90, 0.94, 0.965), "less than the spread of seeds: it could be luck"),
        ((0.95, 0.96), (0.90, 0.93), "more than the spread of seeds, yet it could be luck"),
    ],
)
def test_a_lead_is_weighed_against_the_spread_and_tested(
    tmp_path: Path, a: Sequence[float], b: Sequence[float], words: str
) -> None:
    comparison = seeds(tmp_path, {"a": [{"epochs": 1}] * len(a), "b": [{"epochs": 1}] * len(b)})
    for run, accuracy in zip(comparison.runs, (*a, *b), strict=True):
        last = run.history.epochs[-1]
        run.history.epochs[-1] = msgspec.structs.replace(last, val_accuracy=accuracy)
    said = " ".join(find_out(comparison).verdict)
    assert f"a ended highest ({sum(a) / len(a):.4f} ± " in said
    assert f"{words} (Welch's t-test, p " in said


def test_only_what_differs_is_listed(tmp_path: Path) -> None:
    made = [record(tmp_path, scheduler=s) for s in ("StepLR", "none", "ReduceLROnPlateau")]
    found = {row.key: row.values for row in differences(compared(tmp_path, made))}
    assert found["scheduler.name"] == ("StepLR", "none", "ReduceLROnPlateau")
    assert found["scheduler.step_size"] == ("5", "–", "–")
    assert not any(key.startswith(("optimizer.", "training.")) for key in found)
    one_cycle = record(tmp_path, scheduler="OneCycleLR")
    found = {row.key: row.values for row in differences(compared(tmp_path, [made[0], one_cycle]))}
    assert found["optimizer.lr"] == ("0.001", "–")  # it begins at a part of max_lr, whatever the optimizer's is
    switched = record(tmp_path, switch_at=2)
    found = {row.key: row.values for row in differences(compared(tmp_path, [made[0], switched]))}
    assert found == {"switched": ("–", "to onecycle in epoch 2")}
    same = [record(tmp_path / "same"), record(tmp_path / "same")]
    assert differences(compared(tmp_path / "same", same)) == []


def test_the_folder_in_which_an_optimizer_was_looked_for_is_no_setting(tmp_path: Path) -> None:
    made = [record(tmp_path) for _ in range(3)]
    for folder, place in zip(made[1:], ("/home/a", "/home/b"), strict=True):
        facts = json.loads((folder / "run.json").read_text())
        spec = RunSpec.model_validate(facts["asked"])
        own = spec.preset.with_optimizer("mine:Lion", place)
        facts["asked"] = spec.model_copy(update={"preset": own}).model_dump(mode="json")
        (folder / "run.json").write_text(json.dumps(facts))
    found = {row.key: row.values for row in differences(compared(tmp_path, made))}
    assert found["optimizer.name"] == ("Adam", "mine:Lion", "mine:Lion")
    assert not any("/home/" in value for values in found.values() for value in values)
    assert differences(compared(tmp_path, made[1:])) == []


@pytest.mark.says("comparison.preset_untold", "comparison.not_said", "comparison.not_known")
@pytest.mark.never_says("comparison.preset_untold", "comparison.not_said", "comparison.not_known")
def test_a_preset_that_cannot_be_told_is_called_unknown_with_the_reason(tmp_path: Path) -> None:
    made = [record(tmp_path, scheduler=s) for s in ("StepLR", "none", "OneCycleLR", "ReduceLROnPlateau")]
    findings = find_out(compared(tmp_path, made))
    assert not any("cannot be told" in sentence for sentence in findings.verdict)
    assert not any("?" in row.values for row in findings.differences)

    later, silent = (json.loads((folder / "run.json").read_text()) for folder in made[2:])
    later["asked"]["preset"]["scheduler"] = {"name": "WarpLR"}
    del silent["asked"]["preset"]
    for folder, facts in zip(made[2:], (later, silent), strict=True):
        (folder / "run.json").write_text(json.dumps(facts))
    findings = find_out(compared(tmp_path, made))
    rows = {row.key: row.values for row in findings.differences}
    assert rows["scheduler.name"] == ("StepLR", "none", "?", "?")
    assert rows["scheduler.step_size"] == ("5", "–", "?", "?")
    said = " ".join(findings.verdict)
    assert "What preset onecycle had cannot be told: this version does not know it (scheduler" in said
    assert "What preset plateau had cannot be told: its record does not say." in said

    for folders_ in (made[1:3], made[2:]):  # of which one or none can be told: nobody says that they are the same
        rows = {row.key: row.values for row in find_out(compared(tmp_path, folders_)).differences}
        assert rows == {"scheduler.name": ("none" if folders_[0] == made[1] else "?", "?")}


@pytest.mark.says("queue.not_counted")
@pytest.mark.never_says("queue.not_counted")
def test_a_list_of_comparisons_names_those_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from tui_trainer.cli import main

    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path))
    done = record(tmp_path)
    whole, damaged, unread = (session_of(tmp_path, [done], name=name) for name in ("whole", "damaged", "unread"))
    listed = CliRunner().invoke(main, ["compare", "--list"])
    assert (listed.exit_code, "warning" in listed.output, listed.output.count("done")) == (0, False, 3)

    (damaged.folder / "session.json").write_text("{")
    gone = record(tmp_path, scheduler="none")
    unread.begun(0, gone)
    (gone / "events.jsonl").unlink()
    (gone / "events.jsonl").mkdir()
    listed = CliRunner().invoke(main, ["compare", "--list", "--json"])
    told = {session["name"]: session["done"] for session in json.loads(listed.stdout)}
    assert told == {"whole": 1, "unread": 0}
    warnings = listed.stderr.splitlines()
    assert len(warnings) == 2
    assert any(str(damaged.folder / "session.json") in line for line in warnings)
    assert any(str(gone / "events.jsonl") in line and "not counted as done" in line for line in warnings)
    assert whole.id in CliRunner().invoke(main, ["compare", "--list"]).stdout

    for session in (whole, unread):
        (session.folder / "session.json").write_text("{")
    listed = CliRunner().invoke(main, ["compare", "--list"])
    assert "there are no comparisons" not in listed.output
    assert listed.stderr.count("warning: ") == 3


def test_what_was_trained_before_is_found_without_reading_long_records(tmp_path: Path) -> None:
    done, crashed, other = record(tmp_path), record(tmp_path, status="crashed"), record(tmp_path, scheduler="none")
    entries = []
    for folder in (done, crashed, other):
        facts = json.loads((folder / "run.json").read_text())
        resolved_ = facts["resolved"]
        entries.append(
            Contestant(
                label=folder.name, seed=0, asked={**facts["asked"], "threads": resolved_["threads"], "name": "new"}
            )
        )
        lines = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
        with (folder / "events.jsonl").open("wb") as file:
            file.seek(1 << 36)  # a hole of 64 GB
            file.writelines([b"\n", *lines[-3:]])
    versions = resolved_["versions"]
    found = [entry.run for entry in reused([entries[0], entries[2]], tmp_path, versions)]
    assert found == [done.name, other.name]
    assert [entry.run for entry in reused(entries, tmp_path, {**versions, "torch": "0.1"})] == [None] * 3

    def other_words(entry: Contestant, **asked: Any) -> str | None:
        there = [msgspec.structs.replace(entry, asked={**(entry.asked or {}), **asked})]
        return reused(there, tmp_path, versions)[0].run

    assert other_words(entries[2], seed=7) is None
    assert other_words(entries[2], deterministic=False) == other.name  # which the record does not tell: it was not
    assert other_words(entries[2], deterministic=True) is None
    shutil.rmtree(done)  # the one that is left was not finished
    assert reused(entries[:1], tmp_path, versions)[0].run is None


def test_a_farewell_counts_those_that_crashed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = [record(tmp_path), record(tmp_path, status="crashed"), record(tmp_path, status="crashed")]
    of_comparison(compared(tmp_path, made))
    assert "all 3 runs are over; best val accuracy 0." in (said := capsys.readouterr().out)
    assert "; 2 crashed\n" in said
    of_comparison(compared(tmp_path, made[:1]))
    assert "crashed" not in capsys.readouterr().out


def all_said(comparison: Comparison, folder: Path) -> str:
    """Everything that is made of a comparison, in all its forms."""
    lines = in_lines(comparison, find_out(comparison))
    for form in ("html", "md", "csv"):
        write_report(comparison, folder / f"report.{form}")
        assert (folder / f"report.{form}").stat().st_size > 0
    return "\n".join(lines)


def test_mixed_lengths_a_diverged_run_and_other_data_are_shown_as_what_they_are(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    made = [
        record(runs, epochs=3),
        record(runs, scheduler="none", epochs=8),
        record(runs, scheduler="OneCycleLR", not_finite_at=30),
        record(runs, scheduler="ReduceLROnPlateau", changes={"dataset": "fashion-mnist"}),
    ]
    said = all_said(compared(runs, made), tmp_path)
    assert "onecycle diverged" in said
    assert "fashion-mnist (plateau)" in said
    assert "epochs: 3 epochs (steplr" in said
    assert "Not like for like" in said


def test_no_finished_run_and_none_at_all(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    live = record(runs, status=None, epochs=1)
    rewritten(live, [event for event in scripted_run(epochs=1) if not isinstance(event, RunEnded)][:6])
    said = all_said(compared(runs, [live], ["none"]), tmp_path)
    assert "No run has finished an epoch yet" in said
    assert "crashed" in said  # its process is gone and said no goodbye
    assert "to come" in said
    nothing = all_said(compared(tmp_path / "other", [], ["none", "steplr"]), tmp_path)
    assert "Nothing has been trained." in nothing


def test_a_record_that_was_deleted_is_said_to_be_gone(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    made = [record(runs), record(runs, scheduler="none")]
    session = session_of(runs, made)
    shutil.rmtree(made[0])
    comparison = Comparison(session)
    comparison.poll_all()
    assert "steplr is gone" in all_said(comparison, tmp_path)


def test_a_report_needs_nothing_from_elsewhere_and_shows_text_as_text(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    nasty = "<script>alert(1)</script> & | `x`"
    made = [record(runs, name=nasty), record(runs, scheduler="none")]
    comparison = compared(runs, made)
    for form in ("html", "md", "csv"):
        write_report(comparison, tmp_path / f"r.{form}")
    html = (tmp_path / "r.html").read_text()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; | `x`" in html
    assert "http://" not in html
    assert "https://" not in html
    assert html.count("<svg") == 4
    assert "\\<script\\>" in (tmp_path / "r.md").read_text()
    table = rows_of(tmp_path / "r.csv")
    assert table[0]["preset"] == nasty
    assert float(table[0]["final_accuracy"]) == tabulate(comparison).rows[0].figures["final_accuracy"].mean
    with pytest.raises(ReportFailed, match=r"\.html, \.md, \.csv, \.json"):
        write_report(comparison, tmp_path / "r.pdf")


@pytest.mark.says("report.bands")
@pytest.mark.never_says("report.bands")
def test_a_report_has_a_band_of_seeds_and_each_condition_with_its_digest(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    comparison = seeds(runs, {"a": [{"seed": i} for i in range(3)], "b": [{"seed": 7, "scheduler": "none"}]})
    write_report(comparison, tmp_path / "r.html")
    html = (tmp_path / "r.html").read_text()
    assert html.count('<polygon class="band"') == 4  # one preset has seeds, on four charts
    assert "means of finished seeds" in html
    digest = "d1" * 32
    told = {"digests": Digests(weights=digest, data="d2" * 32, order="d3" * 32)}
    made = [record(tmp_path / "two", scheduler=s, changes=told) for s in ("StepLR", "none")]
    write_report(compared(tmp_path / "two", made), tmp_path / "two.html")
    page = (tmp_path / "two.html").read_text()
    assert f"<code>{digest}</code>" in page
    assert "means of finished seeds" not in page


def test_at_the_head_of_a_report_stands_what_was_trained_on_what(tmp_path: Path) -> None:
    changes = {"device_name": "<a processor>", "versions": {"torch": "2.14.1", "python": "3.11"}}
    made = [record(tmp_path / "runs", scheduler=name, changes=changes) for name in ("StepLR", "none")]
    alike = compared(tmp_path / "runs", made)
    began = time.strftime("%Y-%m-%d %H:%M", time.localtime(alike.session.plan.created_at))
    head = f"{began} · mnist-5k · cnn, 411,802 parameters · &lt;a processor&gt; · torch 2.14.1"
    assert f'<p class="note" id="trained">{head}</p>' in as_html(alike, find_out(alike))
    assert as_markdown(alike, find_out(alike)).splitlines()[2].startswith(f"{began} · mnist-5k · cnn")

    other = {"device_name": "a GPU", "versions": {}, "model": "mlp", "parameters": None}
    unlike = compared(tmp_path / "runs", [made[0], record(tmp_path / "runs", scheduler="OneCycleLR", changes=other)])
    page = as_html(unlike, find_out(unlike))
    assert "cnn, 411,802 parameters or mlp · &lt;a processor&gt; or a GPU · torch 2.14.1</p>" in page

    to_come = compared(tmp_path / "runs", [], ["steplr"])  # nothing is known yet
    assert re.search(r'id="trained">[-0-9: ]+</p>', as_html(to_come, find_out(to_come)))


@pytest.mark.says("report.best_marked", "report.nothing_differs", "report.not_told_by_all", "report.train_loss")
@pytest.mark.says("report.is_it_fair", "report.made_by")
@pytest.mark.never_says("report.best_marked", "report.nothing_differs", "report.not_told_by_all")
def test_a_report_says_of_itself_what_is_in_it(tmp_path: Path, captions_said: set[str]) -> None:
    def said(comparison: Comparison) -> set[str]:
        captions_said.clear()
        findings = find_out(comparison)
        as_markdown(comparison, findings)
        as_html(comparison, findings)
        always = {"report.is_it_fair", "report.made_by", "report.train_loss"}
        return {id for id in captions_said if id.startswith("report.")} - always

    told = {"digests": Digests(weights="d1" * 32, data="d2" * 32, order="d3" * 32)}
    known = [record(tmp_path / "a", scheduler=s, changes=told) for s in ("StepLR", "none")]
    known.append(record(tmp_path / "a", scheduler="none", epochs=2, changes=told))
    assert "report.best_marked" in said(compared(tmp_path / "a", known))
    assert "report.nothing_differs" not in said(compared(tmp_path / "a", known))
    alone = [record(tmp_path / "b", name=name) for name in ("a", "b")]
    assert said(compared(tmp_path / "b", alone)) >= {"report.nothing_differs"}
    assert said(to_come(tmp_path / "c", step=STEP, none=NONE)) == set()
    unknown = [record(tmp_path / "d", scheduler="StepLR", changes=told), record(tmp_path / "d", scheduler="none")]
    assert "report.not_told_by_all" in said(compared(tmp_path / "d", unknown))


def test_a_session_is_private_found_by_its_id_and_no_run(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    session = session_of(runs, [record(runs)], ["none"], name="mine")
    assert stat.S_IMODE(session.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(session.folder.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((session.folder / "session.json").stat().st_mode) == 0o600
    assert len(folders(runs)) == 1
    assert find_session(runs, session.id) == session.folder
    assert find_session(runs, "mine") == session.folder
    assert find_session(runs, session.id[:-2]) == session.folder
    assert find_session(runs, "steplr") is None
    session_of(runs, [], ["none", "steplr"], name="mine")
    with pytest.raises(RunNotFound, match="any of"):
        find_session(runs, "mine")
    for damage in (b"", b"{", b"[]", json.dumps({"schema": 99}).encode()):
        (session.folder / "session.json").write_bytes(damage)
        with pytest.raises(SessionDamaged):
            Session.open(session.folder)


def test_thirty_presets_have_names_of_their_own(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    made = [record(runs, epochs=1) for _ in range(30)]
    groups = compared(runs, made).groups
    assert len({group.label for group in groups}) == 30


def test_what_is_kept_up_is_what_it_would_come_to_anew(tmp_path: Path) -> None:
    made = {"a": [{"epochs": 2, "seed": i} for i in range(3)], "b": [{"epochs": 2, "seed": i} for i in range(3, 6)]}
    comparison = seeds(tmp_path, {**made, "c": [{"epochs": 3, "status": "crashed"}]})
    said = [run.history.ended for run in comparison.runs]
    chance = Random(0)
    for _ in range(30):
        run = chance.choice(comparison.runs)
        ends(run, None if run.history.ended else chance.choice(said))
        metric = chance.choice([None, Metric("val_loss", "min")])
        kept = find_out(comparison, metric)
        for each in (comparison, *comparison.groups):
            each._kept.clear()
            each._standing = Standing(each)
        assert find_out(comparison, metric) == kept


def test_only_where_no_seed_came_to_its_end_and_none_goes_on_has_a_preset_ended_early(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    ends = {"finished": False, "stopped": True, "crashed": True, None: True}  # the last one's process is gone
    made = [record(runs, epochs=2, status=status) for status in ends]
    made.append(record(runs, epochs=2, not_finite_at=10))
    comparison = compared(runs, made, ["plateau"])
    assert [group.ended_early for group in comparison.groups] == [*ends.values(), True, False]
    mixed = Group("both", 0)
    for group in comparison.groups[:2]:
        mixed.add(group.runs[0])
    assert not mixed.ended_early


def test_in_a_report_curves_have_their_names_at_their_ends(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    made = [record(runs, epochs=3), record(runs, scheduler="OneCycleLR", epochs=3, not_finite_at=30)]
    comparison = compared(runs, made)
    html = as_html(comparison, find_out(comparison))
    for chart in html.split("<svg")[1:]:
        names = re.findall(r'class="name" x="[0-9.]+" y="([0-9.]+)">([^<]*)<', chart)
        assert sorted(name for _, name in names) == ["onecycle ✗", "steplr"]
        assert abs(float(names[0][0]) - float(names[1][0])) >= 14
        assert chart.count(">✗<") == 1
    assert html.count(">◆<") == 4  # of validation loss and accuracy, each preset's best


def test_a_report_tells_long_names_apart_and_draws_no_line_of_nothing(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    made = [record(runs, name=f"optimizer.lr 0.0{lr}", epochs=3) for lr in (103, 304)]
    begun = record(runs, name="begun")
    rewritten(begun, list(takewhile(lambda event: not isinstance(event, EpochEnded), scripted_run())))
    comparison = compared(runs, [*made, begun])
    html = as_html(comparison, find_out(comparison))
    ends = set(re.findall(r'class="name"[^>]*>([^<]*)<', html))
    assert {"…imizer.lr 0.0103", "…imizer.lr 0.0304"} <= ends
    assert html.count("<polyline") > 0
    assert 'points=""' not in html


def test_a_comparison_of_finished_runs_loads_no_torch(tmp_path: Path) -> None:
    import subprocess
    import sys

    runs = tmp_path / "runs"
    made = [record(runs), record(runs, scheduler="none")]
    program = (
        "import sys\nfrom tui_trainer.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "assert not {'torch', 'textual'} & set(sys.modules)"
    )
    names = [folder.name for folder in made]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            program,
            "compare",
            *names,
            "--runs-dir",
            str(runs),
            "--report",
            str(tmp_path / "r.html"),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Fair: same data" in done.stdout


@pytest.mark.never_says("report.is_it_fair", "report.made_by", "report.train_loss")
def test_json_is_one_object_with_all_of_it_and_a_target_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from tui_trainer.cli import main

    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path))
    made = [record(tmp_path, epochs=2), record(tmp_path, scheduler="none", epochs=3)]

    def compare(*options: str) -> Any:
        return CliRunner().invoke(main, ["compare", *options])

    done = compare(*[folder.name for folder in made], "--target", "0.6", "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["target"], told["target_was_asked"], told["over"]) == (0.6, True, True)
    assert [preset["preset"] for preset in told["presets"]] == ["steplr", "none"]
    assert any("reached 0.6" in sentence for sentence in told["verdict"])
    (best,) = [preset["preset"] for preset in told["presets"] if "final_accuracy" in preset["best"]]
    assert any(sentence.startswith(f"{best} ended highest") for sentence in told["verdict"])
    written = compare(told["session"], "--json", "--target", "0.6", "--report", str(tmp_path / "r.json"))
    assert json.loads((tmp_path / "r.json").read_text()) == json.loads(written.stdout) == told

    other = compare(told["session"], "--target", "0.7")
    assert other.exit_code == 2
    assert f"--target 0.7: {told['session']} has the target 0.6, which stays" in other.stderr
    unasked = json.loads(compare(*[folder.name for folder in made], "--json").stdout)
    assert unasked["target"] is not None
    late = compare(unasked["session"], "--target", "0.7")
    assert late.exit_code == 2
    assert "was begun without a target, which stays" in late.stderr


def test_what_is_said_after_leaving_is_what_the_table_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A seed that diverged had the highest epoch of all: it is in no mean, and wins nothing here either."""
    runs = tmp_path / "runs"
    both = seeds(runs, {"a": [{"epochs": 9, "not_finite_at": 175}, {"seed": 1}], "b": [{}, {"seed": 1}]})
    assert both.runs[0].history.best is not None
    assert both.runs[3].history.best is not None
    assert both.runs[0].history.best.val_accuracy > both.runs[3].history.best.val_accuracy
    of_comparison(both)
    best = tabulate(both).rows[1].figures["best_accuracy"]
    assert f"best val accuracy {best.mean:.4f} ± {best.spread:.4f}, b" in capsys.readouterr().out


def to_come(runs: Path, **presets: str) -> Comparison:
    """Presets by label, from their files' texts, that nobody has trained yet."""
    entries = [
        Contestant(label=label, seed=0, asked=RunSpec.of(label, parse(text)).model_dump(mode="json"))
        for label, text in presets.items()
    ]
    return Comparison(Session.create(runs, entries))


ADAM = '[training]\nepochs = 5\n[optimizer]\nname = "Adam"\nlr = 0.001\n[scheduler]\n'
STEP = f'{ADAM}name = "StepLR"\nstep_size = 5\n'
NONE = f'{ADAM}name = "none"\n'
DROP = f'{ADAM}name = "StepLR"\nstep_size = 4\n'


def test_what_is_wrong_with_several_presets_is_said_once(tmp_path: Path) -> None:
    presets = {f"of {lr}": STEP.replace("lr = 0.001", f"lr = {lr}") for lr in (0.001, 0.002, 0.003, 0.004)}
    (said,) = find_out(to_come(tmp_path, **presets)).warnings
    assert said.startswith("of 0.001, of 0.002 and 2 others: scheduler.step_size: never reached")


@pytest.mark.says("comparison.same_lrs", "comparison.one_preset")
@pytest.mark.never_says("comparison.same_lrs", "comparison.one_preset")
def test_schedules_that_come_to_the_same_are_called_so_before_they_train(tmp_path: Path) -> None:
    same = find_out(to_come(tmp_path / "a", step=STEP, none=NONE, drop=DROP)).warnings
    assert same[0] == (
        "step and none come to the same LR in every step of this run: here they are one preset under different names."
    )
    assert same[1:] == (
        "step: scheduler.step_size: never reached: the run has 5 epochs; less than 5 would drop the LR",
    )
    late = STEP.replace("step_size = 5", "step_size = 7")
    three = find_out(to_come(tmp_path / "b", step=STEP, none=NONE, late=late))
    assert three.warnings[0].startswith("step, none and late come to the same LR")
    other = NONE.replace("Adam", "SGD")
    assert find_out(to_come(tmp_path / "c", step=STEP, sgd=other)).warnings[0] == (
        "step and sgd come to the same LR in every step of this run."
    )
    assert find_out(to_come(tmp_path / "d", none=NONE, drop=DROP)).warnings == ()


def test_a_record_is_not_warned_of_what_its_file_did_not_say(tmp_path: Path) -> None:
    """A record has every key of a preset, the LR of the optimizer too, which OneCycleLR does not use."""
    cycle = '[optimizer]\nname = "SGD"\n{}[scheduler]\nname = "OneCycleLR"\nmax_lr = 0.1\n'
    assert find_out(to_come(tmp_path / "a", cycle=cycle.format(""), none=NONE)).warnings == ()
    (said,) = find_out(to_come(tmp_path / "b", cycle=cycle.format("lr = 0.5\n"), none=NONE)).warnings
    assert said.startswith("cycle: optimizer.lr: not used")


def test_warnings_are_in_plain_lines_and_in_every_report(tmp_path: Path) -> None:
    comparison = to_come(tmp_path / "runs", step=STEP, none=NONE)
    findings = find_out(comparison)
    lines = in_lines(comparison, findings)
    assert [line for line in lines if line.startswith("warning: ")] == [f"warning: {w}" for w in findings.warnings]
    for form in ("html", "md", "json"):
        write_report(comparison, tmp_path / f"r.{form}")
        text = (tmp_path / f"r.{form}").read_text().replace("\\", "")
        assert all(warning in text for warning in findings.warnings), form
    quiet = to_come(tmp_path / "quiet", none=NONE, drop=DROP)
    assert not any("warning" in line for line in in_lines(quiet, find_out(quiet)))


def test_records_of_runs_are_warned_of_too_and_a_switch_ends_what_is_the_same(tmp_path: Path) -> None:
    made = [record(tmp_path, name="a"), record(tmp_path, name="b"), record(tmp_path, name="c", switch_at=2)]
    said = find_out(compared(tmp_path, made)).warnings
    assert said[0].startswith("a and b come to the same LR")
    assert len(said) == 1


def test_compare_says_it_before_it_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from tui_trainer.cli import main

    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("tui_trainer.cli.compare._tell", lambda session, **_: 0)  # nothing is trained
    for name, text in (("step", STEP), ("none", NONE)):
        (tmp_path / f"{name}.toml").write_text(text)
    said = CliRunner().invoke(main, ["compare", str(tmp_path / "step.toml"), str(tmp_path / "none.toml")]).stderr
    assert "warning: step and none come to the same LR in every step of this run" in said
    assert "scheduler.step_size: never reached" in said


def test_compare_refuses_a_schedule_that_cannot_run_before_it_says_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from tui_trainer.cli import main

    monkeypatch.setenv("TUI_TRAINER_RUNS", str(tmp_path / "runs"))
    halves = (
        '[training]\nepochs = 10\nbatch_size = 4\n[optimizer]\nname = "SGD"\n'
        '[scheduler]\nname = "CyclicLR"\nbase_lr = 0.001\nmax_lr = 0.01\nstep_size_up = 2\nmode = "triangular2"\n'
    )
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(halves)
    told = CliRunner().invoke(main, ["compare", *(str(tmp_path / f"{name}.toml") for name in "ab")])
    assert told.exit_code == 2
    for name in ("a", "b"):
        assert f"{tmp_path / name}.toml:11: scheduler.mode: 2,500 cycles are too many for triangular2" in told.stderr
    assert "come to the same" not in told.output
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text("[optimizer]\nname = 1\n")
    told = CliRunner().invoke(main, ["compare", *(str(tmp_path / f"{name}.toml") for name in "ab")])
    assert (told.exit_code, told.stderr.count("optimizer.name")) == (2, 2)
    assert not (tmp_path / "runs").exists()


def test_compare_in_the_app_rehearses_them_too(tmp_path: Path) -> None:
    from tui_trainer.cli.compare_from_app import Comparisons
    from tui_trainer.run_request import RunRequest

    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(
            '[training]\nepochs = 10\nbatch_size = 4\n[optimizer]\nname = "SGD"\n'
            '[scheduler]\nname = "CyclicLR"\nbase_lr = 0.001\nmax_lr = 0.01\nstep_size_up = 2\nmode = "triangular2"\n'
        )
    opened = Comparisons(tmp_path / "runs", RunRequest("none"), lambda: None, lambda: False)
    with pytest.raises(RunsError, match="scheduler: cannot run"):
        opened.open([str(tmp_path / "a.toml"), str(tmp_path / "b.toml")])
    assert not (tmp_path / "runs").exists()


def test_the_lrs_of_presets_are_compared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[object] = []
    same = lrs.same_lrs
    monkeypatch.setattr(lrs, "same_lrs", lambda a, b: looks.append(a) or same(a, b))  # type: ignore[func-returns-value]
    others = {f"none {i}": NONE.replace("0.001", f"0.{i:03}") for i in range(2, 40)}
    comparison = to_come(tmp_path, step=STEP, none=NONE, **others)
    first = find_out(comparison).warnings
    assert [each for each in first if "come to the same" in each] == [each for each in first if "step and none" in each]
    assert 1 <= len(looks) < 40  # of the pairs, which are hundreds
    many = len(looks)
    assert find_out(comparison).warnings == first
    assert len(looks) == many
