"""`find-lr`: three suggestions, a line each; a copy of the preset only where it is asked for, and seen, first."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Callable
from math import isfinite, nan
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.terminal import Terminal
from tests.ui.scripted_finding import falling, recorded_test
from tui_trainer.lr_suggestions import RULES
from tui_trainer.presets.folders import shipped_folder
from tui_trainer.records.record import Record

Cli = Callable[..., Result]

SMALL = ["--model", "mlp", "--limit-train", "200", "--threads", "1", "--device", "cpu"]
"""A test of a third of a second."""

POINTS = """
[optimizer]
name = "SGD"
momentum = 0.9
[scheduler]
name = "PiecewiseLinear"
points = [[0, 0.001], [10, 0.0]]
"""


@pytest.fixture
def found(cli: Cli) -> Callable[..., dict[str, Any]]:
    """The object that `--json` prints."""

    def ask(*arguments: str) -> dict[str, Any]:
        done = cli("find-lr", *arguments, *SMALL, "--json")
        assert done.exit_code == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout, parse_constant=pytest.fail)
        return told

    return ask


@pytest.mark.slow
def test_each_rule_has_a_line_that_begins_with_its_lr(cli: Cli, found: Callable[..., dict[str, Any]]) -> None:
    lines = cli("find-lr", "none", *SMALL).stdout.splitlines()
    told = found("none")
    assert {line.split()[1]: float(line.split()[0]) for line in lines} == told["suggestions"]
    assert [line.split()[1] for line in lines] == list(RULES)
    assert told["lr"] == told["suggestions"]["valley"]
    assert (told["from"], told["to"], told["steps"], told["key"]) == (1e-7, 10.0, 200, "optimizer.lr")
    (curve,) = told["curves"]
    assert len(curve["lrs"]) == len(curve["losses"]) == len(curve["smoothed"]) <= 200
    assert curve["smoothed"][:20] == [None] * 20
    assert all(1e-7 <= lr <= 10 for lr in told["suggestions"].values())
    steepest_first = cli("find-lr", "none", *SMALL, "--rule", "steepest").stdout.splitlines()
    assert steepest_first[0].split()[1] == "steepest"
    assert sorted(steepest_first) == sorted(lines)


def test_the_same_test_suggests_the_same(found: Callable[..., dict[str, Any]]) -> None:
    first, again = found("none", "--steps", "60"), found("none", "--steps", "60")
    assert first.pop("record") != again.pop("record")
    assert first == again


@pytest.mark.slow
def test_several_seeds_tell_how_far_they_spread(found: Callable[..., dict[str, Any]]) -> None:
    told = found("none", "--seeds", "3", "--seed", "4")
    assert [curve["seed"] for curve in told["curves"]] == [4, 5, 6]
    for rule in RULES:
        each = sorted(curve["suggestions"][rule] for curve in told["curves"])
        assert told["spread"][rule] == [each[0], each[2]]
        assert told["suggestions"][rule] == pytest.approx(each[1], rel=0.005)
    assert told["curves"][0]["losses"] == found("none", "--seed", "4")["curves"][0]["losses"]


ALWAYS = {"valley", "steepest", "minimum", "position"}

SAID: dict[str, tuple[list[str], int, set[str]]] = {
    "one seed": (["onecycle"], 0, {"leapt", "where", *ALWAYS}),
    "its highest LR": (
        ["none", "--from", "1e-5", "--to", "1e-2", "--steps", "60"],
        0,
        {"all_steps", "cut_off", "where", *ALWAYS},
    ),
    "points": (["points.toml"], 0, {"leapt", *ALWAYS}),
    "far apart": (["none", "--to", "1e-5"], 0, {"all_steps", "cut_off", "where", "apart", *ALWAYS}),
    "a copy": (["onecycle", "--write", "mine", "--yes"], 0, {"leapt", "written", *ALWAYS}),
    "two seeds": (
        ["none", "--seeds", "2", "--steps", "100"],
        0,
        {"leapt", "where", "spread", "of_seed", *ALWAYS},
    ),
    "a silent seed": (
        ["none", "--seeds", "4", "--to", "1e-5"],
        0,
        {"all_steps", "cut_off", "where", "apart", "spread", "of_seed", "some_seeds", *ALWAYS},
    ),
    "never falls": (["none", "--to", "1e-6"], 1, {"all_steps", "never_fell", "position"}),
    "breaks at once": (["cyclic", "--from", "900", "--to", "1000"], 1, {"not_finite", "too_short", "position"}),
}


@pytest.mark.says("find_lr.*")
@pytest.mark.never_says("find_lr.*")
@pytest.mark.parametrize(("arguments", "code", "said"), SAID.values(), ids=SAID)
def test_this_is_said_and_nothing_else(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    captions_said: set[str],
    arguments: list[str],
    code: int,
    said: set[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("points.toml").write_text(POINTS)
    done = cli("find-lr", *arguments, *SMALL)
    assert done.exit_code == code, done.stderr
    assert {id.removeprefix("find_lr.") for id in captions_said if id.startswith("find_lr.")} == {"recorded", *said}
    assert bool(done.stdout) == (code == 0)
    assert done.stderr


def test_without_a_suggestion_the_object_says_why(cli: Cli) -> None:
    done = cli("find-lr", "none", "--to", "1e-6", *SMALL, "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (told["lr"], told["suggestions"], told["apart"]) == (None, {}, False)
    assert told["curves"][0]["none_because"] == "never_fell"
    broken = json.loads(cli("find-lr", "cyclic", "--from", "900", "--to", "1000", *SMALL, "--json").stdout)
    assert broken["curves"][0]["losses"][-1] is None


def test_a_copy_is_the_preset_with_that_lr_and_the_change_is_shown(cli: Cli, tmp_path: Path) -> None:
    done = cli("find-lr", "onecycle", *SMALL, "--rule", "minimum/10", "--write", "mine", "--yes")
    assert done.exit_code == 0, done.stderr
    lr = float(done.stdout.split()[0])
    written = tmp_path / "config" / "tui-trainer" / "presets" / "mine.toml"
    shipped = (shipped_folder() / "onecycle.toml").read_text()
    assert written.read_text() == shipped.replace("max_lr = 0.05", f"max_lr = {lr}")
    assert tomllib.loads(written.read_text())["scheduler"]["max_lr"] == lr
    assert "-max_lr = 0.05" in done.stderr.splitlines()
    assert f"+max_lr = {lr}" in done.stderr.splitlines()
    assert cli("presets", "check", "mine").exit_code == 0
    again = cli("find-lr", "onecycle", *SMALL, "--write", "mine", "--yes")
    assert (again.exit_code, again.stdout) == (2, "")
    assert "is there already" in again.stderr
    assert written.read_text() != shipped


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["none", "--from", "0.1", "--to", "0.1"], "--from 0.1 is not below --to 0.1"),
        (["nonne"], "did you mean none?"),
        (["none", "--write", "mine"], "--yes writes it"),
        (["points.toml", "--write", "mine", "--yes"], "stand in its points"),
        (["none", "--write", "a:b", "--yes"], "no name for a preset"),
        (["none", "--write", "~nosuch/x.toml", "--yes"], "nosuch"),
        (["none", "--write", ".toml", "--yes"], "'.toml' names no file"),
        (["none", "--write", "sub/..toml", "--yes"], "'sub/..toml' names no file"),
        (["none", "--write", "sub/", "--yes"], "'sub/' names no file"),
        (["none", "--write", "points.toml", "--yes"], "is there already"),
        (["none", "--steps", "29"], "29"),
        (["--show", "nothing"], "there is no LR range test 'nothing'"),
        (["--show", "nothing", "--write", "mine"], "leave --write out"),
        (["none", "--dataset", "mnist", "--data-dir", "nowhere"], "nowhere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_refused_before_anything_is_trained(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, captions_said: set[str], arguments: list[str], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("points.toml").write_text(POINTS)
    done = cli("find-lr", *arguments, "--threads", "1", "--device", "cpu")
    assert (done.exit_code, done.stdout) == (2, "")
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert "find_lr.position" not in captions_said
    assert not (tmp_path / "config").exists()


def test_an_lr_that_the_preset_cannot_have_is_told_and_not_written(cli: Cli, tmp_path: Path) -> None:
    target = tmp_path / "mine.toml"  # a tenth of what is tried lies below base_lr
    done = cli("find-lr", "cyclic", *SMALL, "--to", "0.01", "--rule", "minimum/10", "--write", str(target), "--yes")
    assert done.exit_code == 2
    assert "scheduler.max_lr: the top is not above base_lr" in done.stderr
    assert not target.exists()


@pytest.mark.slow
def test_a_person_is_asked_after_the_change_was_shown(runs: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine.toml"
    for answer, there in (("n", False), ("y", True)):
        with Terminal("find-lr", "none", *SMALL, "--write", str(target)) as terminal:
            terminal.until("Write ")
            assert "+lr = " in terminal.screen
            assert not target.exists()
            terminal.press(f"{answer}\r")
            terminal.wait()
        assert target.exists() is there
    assert b"\\u001b" not in terminal.text


@pytest.fixture
def recorded(runs: Path) -> str:
    """The id of a test of two seeds: one falls and leaps, the other is not finite at once."""
    return recorded_test(runs, {0: falling(), 1: [2.3, nan]}).id


def test_a_test_is_recorded_and_shown_again_as_it_was_told(cli: Cli, runs: Path) -> None:
    done = cli("find-lr", "none", *SMALL, "--json")
    told = json.loads(done.stdout)
    assert f"recorded: tui-trainer find-lr --show {told['record']}" in done.stderr
    shown = cli("find-lr", "--show", told["record"], "--json")
    assert shown.exit_code == 0, shown.stderr
    assert json.loads(shown.stdout) == told
    assert "recorded:" not in shown.stderr
    (folder,) = (runs / "range-tests").iterdir()
    assert [path.name for path in folder.iterdir()] == ["range-test.json"]
    assert folder.stat().st_mode & 0o077 == 0
    assert json.loads(cli("runs", "--json").stdout or "[]") == []


def test_where_nothing_can_be_recorded_it_is_told_all_the_same(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = cli("find-lr", "none", *SMALL, "--steps", "60", "--json", "--runs-dir", str(tmp_path / "file" / "runs"))
    assert json.loads(done.stdout)["record"] is None
    assert "warning: cannot write" in done.stderr


@pytest.mark.never_says("find_lr.recorded", "find_lr.none_recorded")
def test_the_list_has_what_each_suggests(cli: Cli, recorded: str, runs: Path, captions_said: set[str]) -> None:
    (told,) = json.loads(cli("find-lr", "--list", "--json").stdout)
    shown = json.loads(cli("find-lr", "--show", recorded[:20], "--json").stdout)
    assert (told["id"], told["preset"], told["model"], told["seeds"]) == (recorded, "onecycle", "mlp", [0, 1])
    assert told["suggestions"] == shown["suggestions"]
    assert [*told["suggestions"]] == [*RULES]
    damaged = runs / "range-tests" / "20260101-000000-none-0000"
    damaged.mkdir()
    (damaged / "range-test.json").write_text('{"schema": 1}')
    listed = cli("find-lr", "--list")
    header, row = listed.stdout.splitlines()
    assert header.split()[-3:] == [*RULES]
    assert [float(lr) for lr in row.split()[-3:]] == [told["suggestions"][rule] for rule in RULES]
    assert "range-test.json is damaged" in listed.stderr
    assert not captions_said & {"find_lr.recorded", "find_lr.none_recorded"}


def test_one_whose_folder_lets_nobody_look_hides_no_other(cli: Cli, recorded: str, runs: Path) -> None:
    closed = runs / "range-tests" / "20260102-000000-none-0000"
    closed.symlink_to(closed.name)
    listed = cli("find-lr", "--list", "--json")
    assert [told["id"] for told in json.loads(listed.stdout)] == [recorded]
    assert closed.name in listed.stderr
    assert cli("find-lr", "--show", recorded[:20], "--json").exit_code == 0


@pytest.mark.says("find_lr.none_recorded")
def test_an_empty_list_says_so(cli: Cli, runs: Path) -> None:
    listed = cli("find-lr", "--list")
    assert (listed.exit_code, listed.stdout) == (0, "")
    assert f"no LR range test is recorded in {runs}" in listed.stderr


def test_the_export_is_a_row_a_step_with_the_same_floats(cli: Cli, recorded: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = cli("export", recorded, "--out", str(out))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.split() == [str(out / "range_test.csv")]
    with (out / "range_test.csv").open() as file:
        rows = list(csv.DictReader(file))
    told = json.loads(cli("find-lr", "--show", recorded, "--json").stdout)
    for curve in told["curves"]:
        of_seed = [row for row in rows if row["seed"] == str(curve["seed"])]
        assert [float(row["lr"]) for row in of_seed] == curve["lrs"]
        losses = [float(row["loss"]) for row in of_seed]
        assert [loss if isfinite(loss) else None for loss in losses] == curve["losses"]
        assert [float(row["smoothed"]) if row["smoothed"] else None for row in of_seed] == curve["smoothed"]
    assert cli("export", recorded, "--out", str(out), "--format", "jsonl").exit_code == 2


@pytest.mark.says("find_lr.no_lr")
def test_runs_lists_it_as_what_it_is_and_scripts_have_runs_alone(cli: Cli, recorded: str, runs: Path) -> None:
    lr = json.loads(cli("find-lr", "--list", "--json").stdout)[0]["suggestions"]["valley"]
    silent = recorded_test(runs, {0: [2.3, nan]}).id
    run = Record.create(runs, {"preset_name": "none"})
    run.close()
    rows = {row.split()[2]: row.split() for row in cli("runs").stdout.splitlines()[1:]}
    assert rows.keys() == {recorded, silent, run.id}
    assert rows[recorded][3:] == ["onecycle", "mnist-5k", "range", "test", "lr", str(lr)]
    assert rows[silent][-4:] == ["range", "test", "no", "LR"]
    assert cli("runs", str(runs)).stdout.count("range test") == 2
    assert [told["id"] for told in json.loads(cli("runs", "--json").stdout)] == [run.id]
    assert cli("runs", "--filter", "valley>0").stdout.split().count(recorded) == 1
    (runs / "range-tests" / silent / "range-test.json").write_text("{")
    damaged = cli("runs")
    assert silent in damaged.stdout
    assert f"warning: {silent}: " in damaged.stderr
    assert "range-test.json is damaged" in damaged.stderr


@pytest.mark.never_says("find_lr.no_lr")
def test_a_list_without_one_says_nothing_of_them(cli: Cli, runs: Path) -> None:
    Record.create(runs, {"preset_name": "none"}).close()
    assert "crashed" in cli("runs").stdout


def test_one_is_deleted_by_its_id_and_pruned_where_tests_are_asked_for(cli: Cli, recorded: str, runs: Path) -> None:
    other = recorded_test(runs, {0: falling()}).id
    run = Record.create(runs, {"preset_name": "none"})
    run.close()
    assert "1 range test, " in cli("delete", recorded).stderr
    assert json.loads(cli("find-lr", "--show", recorded, "--json").stdout)["record"] == recorded  # nobody was asked
    done = cli("delete", recorded, run.id, recorded, "--yes")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("deleted 1 run, 1 range test, ")
    assert not run.folder.exists()
    assert "nothing to delete" in cli("prune", "--older-than", "0m", "--yes").stdout
    assert [folder.name for folder in (runs / "range-tests").iterdir()] == [other]
    assert cli("prune", "--range-tests", "--older-than", "0m", "--yes").stdout.startswith("deleted 1 range test, ")
    assert [*(runs / "range-tests").iterdir()] == []


def test_what_is_no_test_to_prune_stays(cli: Cli, recorded: str, runs: Path) -> None:
    assert cli("prune", "--range-tests", "--yes").exit_code == 2
    assert "no LR range test is all of that" in cli("prune", "--range-tests", "--older-than", "1d", "--yes").stdout
    path = runs / "range-tests" / recorded / "range-test.json"
    path.write_text("{")
    damaged = cli("prune", "--range-tests", "--older-than", "0m", "--yes")  # how old it is cannot be read
    assert "range-test.json is damaged" in damaged.stderr
    assert path.exists()
    assert cli("delete", recorded, "--yes").exit_code == 0
    assert not path.exists()


@pytest.mark.slow
def test_attach_draws_a_recorded_test(recorded: str) -> None:
    with Terminal("attach", recorded) as terminal:
        terminal.until("half-way down the deepest fall")
        assert "which LR? onecycle on mnist-5k, mlp" in terminal.screen
        terminal.press("q")
        assert terminal.wait() == 0


@pytest.mark.parametrize(
    "command",
    [("resume",), ("rename", "x"), ("stream",), ("stop",), ("compare",), ("rerun",)],
    ids=lambda command: command[0],
)
def test_other_commands_say_that_it_is_no_run(cli: Cli, runs: Path, recorded: str, command: tuple[str, ...]) -> None:
    name, *more = command
    path = str(runs / "range-tests" / recorded)
    for given in (recorded, path) if name != "compare" else (recorded,):  # of paths it takes presets
        done = cli(name, given, *more)
        assert (done.exit_code, done.stdout) == (2, "")
        assert f"{recorded} is an LR range test and no run" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "broken",
    [
        lambda told: told | {"schema": 2},
        lambda told: told | {"seeds": []},
        lambda told: told | {"steps": 100},
        lambda told: told | {"asked": {}},
        lambda told: told | {"seeds": [told["seeds"][0] | {"losses": [1.0]}]},
        lambda told: told | {"seeds": [told["seeds"][0] | {"lrs": [-1.0, *told["seeds"][0]["lrs"][1:]]}]},
        lambda told: told["seeds"],
    ],
    ids=["later form", "no seed", "cut off", "asked nothing", "too few losses", "an LR below 0", "a list"],
)
def test_a_damaged_record_is_refused(cli: Cli, runs: Path, recorded: str, broken: Callable[[Any], Any]) -> None:
    path = runs / "range-tests" / recorded / "range-test.json"
    path.write_text(json.dumps(broken(json.loads(path.read_text()))))
    done = cli("find-lr", "--show", recorded)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert recorded in done.stderr
