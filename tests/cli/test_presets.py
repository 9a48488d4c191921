"""`presets list`, `show`, `check` and `plan`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result

from tui_trainer.presets.folders import shipped_folder

Cli = Callable[..., Result]

SHIPPED = sorted(path for path in shipped_folder().glob("*.toml"))


def test_list_names_every_shipped_preset_and_when_it_steps(cli: Cli) -> None:
    listed = cli("presets", "list").stdout.splitlines()
    assert sorted(line.split()[0] for line in listed) == sorted(path.stem for path in SHIPPED)
    assert any(line.startswith("onecycle ") and " step " in line for line in listed)
    assert any(line.startswith("steplr ") and " epoch " in line for line in listed)


def test_list_says_which_are_ones_own(cli: Cli, tmp_path: Path) -> None:
    assert "yours" not in cli("presets", "list").stdout
    folder = tmp_path / "config" / "tui-trainer" / "presets"
    folder.mkdir(parents=True)
    (folder / "onecycle.toml").write_text((shipped_folder() / "onecycle.toml").read_text())
    own = [line for line in cli("presets", "list").stdout.splitlines() if " yours " in line]
    assert [line.split()[0] for line in own] == ["onecycle"]


def test_list_as_json_has_the_users_own_and_what_is_wrong_with_them(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "tui-trainer" / "presets"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text('[optimizer]\nname = "SDG"\n')
    listed = {entry["name"]: entry for entry in json.loads(cli("presets", "list", "--json").stdout)}
    assert listed["steplr"]["builtin"]
    assert not listed["mine"]["builtin"]
    assert "SGD" in listed["mine"]["problems"][0]


def test_show_prints_the_file_as_it_stands(cli: Cli) -> None:
    assert cli("presets", "show", "cosine").stdout == (shipped_folder() / "cosine.toml").read_text()


def test_check_finds_nothing_wrong_with_what_is_shipped(cli: Cli) -> None:
    result = cli("presets", "check", *map(str, SHIPPED))
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.count(": fine") == len(SHIPPED)


def test_check_says_all_that_is_wrong_with_file_line_and_key_and_exits_with_2(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(
        '[training]\nepochs = 0\n[optimizer]\nname = "Adam"\nlr = "0.1"\n[scheduler]\nname = "StpLR"\nstep_size = 2\n'
    )
    result = cli("presets", "check", str(file), str(SHIPPED[0]))
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        [f"{file}:2", "training.epochs"],
        [f"{file}:5", "optimizer.lr"],
        [f"{file}:7", "scheduler.name"],
    ]
    assert "StepLR" in lines[2]
    assert f"{SHIPPED[0]}: fine" in result.stdout


def test_warnings_are_told_apart_from_errors(cli: Cli, tmp_path: Path) -> None:
    result = cli("presets", "check", str(shipped_folder() / "steplr.toml"), "--epochs", "3")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: steplr.toml:")
    assert "step_size" in result.stderr


def test_of_a_file_of_ones_own_the_path_is_said_as_it_was_given(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "steplr.toml"
    file.write_text((shipped_folder() / "steplr.toml").read_text())
    assert cli("presets", "check", str(file), "--epochs", "3").stderr.startswith(f"warning: {file}:")


@pytest.mark.parametrize("options", [[], ["--epochs", "3", "--batch-size", "300", "--limit-train", "1000"]])
def test_plan_is_the_lr_of_every_step_as_torch_has_it(cli: Cli, options: list[str]) -> None:
    planned = json.loads(cli("presets", "plan", "onecycle", "--json", *options).stdout)
    steps = 12 if options else 630
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=steps)
    expected = []
    for _ in range(steps):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert planned == expected


def test_plan_in_words_joins_steps_of_equal_lr_and_says_what_it_depends_on(cli: Cli) -> None:
    lines = cli("presets", "plan", "steplr").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["steps", "1", "to", "315", "0.001"],
        ["steps", "316", "to", "630", "0.0005"],
    ]
    assert "depends on val_loss" in cli("presets", "plan", "plateau").stdout


GROUPS = """[optimizer]
name = "SGD"
lr = 0.1
[[optimizer.groups]]
name = "9.*"
lr_scale = 0.5
[scheduler]
name = "StepLR"
step_size = 5
"""


@pytest.mark.says("groups.columns")
def test_plan_has_a_column_for_each_group_of_parameters(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "groups.toml"
    file.write_text(GROUPS)
    lines = cli("presets", "plan", str(file)).stdout.splitlines()
    assert lines[0] == "# the LR of all other parameters, then that of 9.*"
    assert [line.split() for line in lines[1:]] == [
        ["steps", "1", "to", "315", "0.1", "0.05"],
        ["steps", "316", "to", "630", "0.01", "0.005"],
    ]
    assert json.loads(cli("presets", "plan", str(file), "--json").stdout) == [0.1] * 315 + [0.010000000000000002] * 315


@pytest.mark.never_says("groups.columns")
def test_groups_that_the_model_has_not_are_refused_with_their_line(
    cli: Cli, tmp_path: Path, captions_said: set[str]
) -> None:
    file = tmp_path / "groups.toml"
    file.write_text(GROUPS)
    said = f"{file}:4: optimizer.groups.1: matches no parameter of mlp; they are called 1.weight, 1.bias, 3.weight"
    for command in (("presets", "check"), ("presets", "plan"), ("run", "--preset")):
        result = cli(*command, str(file), "--model", "mlp")
        assert result.exit_code == 2
        assert said in result.stderr
    assert cli("presets", "check", str(file)).exit_code == 0
    assert cli("presets", "plan", "steplr").exit_code == 0
    assert "groups.columns" not in captions_said


@pytest.mark.parametrize("command", ["show", "plan", "check"])
def test_an_unknown_preset_is_refused_with_the_nearest_name(cli: Cli, command: str) -> None:
    result = cli("presets", command, "onecylce")
    assert result.exit_code == 2
    assert "did you mean onecycle?" in result.stderr


def test_show_reckons_with_the_data_and_the_model_that_are_named(cli: Cli) -> None:
    fits = cli("presets", "show", "steplr")
    assert (fits.exit_code, fits.stderr) == (0, "")
    assert 'name = "StepLR"' in fits.stdout
    short = cli("presets", "show", "steplr", "--epochs", "3")
    assert short.stdout == fits.stdout
    assert "step_size" in short.stderr
    large = cli("presets", "show", "steplr", "--batch-size", "5000")
    assert "4,000" in large.stderr
    assert "4,000" not in cli("presets", "show", "steplr", "--batch-size", "5000", "--dataset", "mnist").stderr
