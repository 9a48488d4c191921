"""Code of a person's own on the command line: it runs where `--allow-code` stands, and nowhere else."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.conftest import SMALL
from tests.own_code import LOSSES, OwnModule
from tests.waiting import until
from tui_trainer import open_run
from tui_trainer.compare.session import Session
from tui_trainer.records.run_metadata import read_facts

Cli = Callable[..., Result]
Own = Callable[..., OwnModule]

ONE_EPOCH = ["--preset", "steplr", "--epochs", "1", *SMALL]


def only(runs: Path) -> Path:
    (folder,) = (path for path in runs.iterdir() if path.name not in ("sessions", "find-lr"))
    return folder


def made(runs: Path) -> list[Path]:
    return list(runs.iterdir()) if runs.is_dir() else []


def forgotten(module: OwnModule) -> None:
    """As another process has it, which has neither loaded nor allowed it."""
    from tui_trainer import allowed_code

    sys.modules.pop(module.name, None)
    allowed_code._allowed.clear()


@pytest.fixture
def here(own: Own, monkeypatch: pytest.MonkeyPatch) -> OwnModule:
    """A module in the current folder."""
    module = own(f"from pathlib import Path\n\nPath(__file__ + '.loaded').touch()\n{LOSSES}")
    monkeypatch.chdir(module.folder)
    return module


def is_loaded(module: OwnModule) -> bool:
    return Path(f"{module.file}.loaded").exists()


@pytest.mark.says("code.not_allowed", "code.wrong_name", "code.wrong_form")
@pytest.mark.never_says("code.of_a_record", "code.runs")
def test_without_the_option_it_is_named_and_nothing_is_loaded_or_written(cli: Cli, runs: Path, here: OwnModule) -> None:
    for given in (["--loss", here.of("same")], ["--model", here.of("net")], ["--optimizer", here.of("Lion")]):
        result = cli("run", *ONE_EPOCH, *given)
        assert result.exit_code == 2
        assert f"{' '.join(given)} is code, from {here.folder}, and runs only with --allow-code" in result.stderr
    compared = cli("compare", "none", "steplr", "--epochs", "1", *SMALL, "--loss", here.of("same"))
    assert (compared.exit_code, "--allow-code" in compared.stderr) == (2, True)
    assert "'net' is neither one of cnn, mlp" in cli("run", *ONE_EPOCH, "--model", "net").stderr
    assert "'net.py' is not of the form module:function" in cli("run", *ONE_EPOCH, "--loss", "net.py").stderr
    assert not is_loaded(here)
    assert made(runs) == []


@pytest.mark.says("code.not_allowed")
def test_a_package_tells_of_an_optimizer_by_its_name_alone(
    cli: Cli, runs: Path, here: OwnModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = here.folder / "lions-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: lions\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(f"[tui_trainer.optimizers]\nlion = {here.of('Lion')}\n")
    monkeypatch.syspath_prepend(here.folder)
    result = cli("run", *ONE_EPOCH, "--optimizer", "lion")
    assert (result.exit_code, is_loaded(here)) == (2, False)
    assert f"--optimizer {here.of('Lion')} is code" in result.stderr
    assert "'tiger' is not of the form module:function" in cli("run", *ONE_EPOCH, "--optimizer", "tiger").stderr


@pytest.mark.says("code.runs")
@pytest.mark.never_says("code.not_allowed", "code.of_a_record", "code.wrong_name", "code.wrong_form")
def test_with_it_the_record_tells_what_ran_and_has_its_numbers(cli: Cli, runs: Path, here: OwnModule) -> None:
    asked = ["--loss", here.of("logs"), "--model", here.of("net"), "--allow-code"]
    result = cli("run", *[word for word in ONE_EPOCH if word not in ("--model", "mlp")], *asked)
    assert result.exit_code == 0, result.output
    assert f"your own code: --model {here.of('net')}, --loss {here.of('logs')}, from {here.folder}" in result.stdout
    facts = read_facts(only(runs))
    assert facts["asked"]["loss"] == here.of("logs")
    assert facts["asked"]["code_dir"] == str(here.folder)
    assert facts["resolved"]["code"] == {"model": here.of("net"), "loss": here.of("logs")}
    run = open_run(only(runs))
    assert list(run.metrics["margin"].steps) == [1, 2, 3, 4]
    assert list(run.metrics["val_margin"].steps) == [4]


@pytest.mark.never_says("code.runs", "code.not_allowed", "code.of_a_record", "code.changed")
def test_of_a_run_without_code_nothing_of_it_is_said(cli: Cli, runs: Path) -> None:
    assert cli("run", *ONE_EPOCH, "--allow-code").exit_code == 0
    assert read_facts(only(runs))["resolved"]["code"] == {}


@pytest.mark.says("code.failed")
def test_an_error_in_it_is_told_as_theirs_with_their_lines_alone(cli: Cli, runs: Path, here: OwnModule) -> None:
    result = cli("run", *ONE_EPOCH, "--loss", here.of("fails"), "--allow-code")
    assert result.exit_code == 1
    where = "in of_another: ValueError: the moon is full"
    assert where in result.stdout
    assert result.stderr.splitlines()[-1] == "ValueError: the moon is full"
    assert result.stderr.count("  File ") == 2
    assert "tui_trainer" not in result.stderr
    assert "the moon is full" in (only(runs) / "log.txt").read_text()
    assert json.loads(cli("runs", "--json").stdout)[0]["status"] == "crashed"


def test_a_data_set_of_ones_own_is_counted_for_the_plan_and_trained_on(cli: Cli, runs: Path, here: OwnModule) -> None:
    data = ["--dataset", here.of("data"), "--epochs", "2", "--batch-size", "8"]
    for command in (["run", "--preset", "onecycle"], ["presets", "plan", "onecycle"], ["presets", "check", "onecycle"]):
        refused = cli(*command, *data)
        assert (refused.exit_code, "runs only with --allow-code" in refused.stderr) == (2, True)
    assert not is_loaded(here)
    planned = cli("presets", "plan", "onecycle", "--json", *data, "--allow-code")
    assert len(json.loads(planned.stdout)) == 2 * 5
    limited = cli("presets", "plan", "onecycle", "--json", *data, "--allow-code", "--limit-train", "16")
    assert len(json.loads(limited.stdout)) == 2 * 2
    trained = cli("run", "--preset", "onecycle", "--model", "mlp", "--threads", "1", *data, "--allow-code")
    assert trained.exit_code == 0, trained.output
    run = open_run(only(runs))
    assert list(run.lrs) == pytest.approx(json.loads(planned.stdout))
    assert read_facts(only(runs))["asked"]["own_images"] == 40
    forgotten(here)
    again = cli("resume", only(runs).name, "--epochs", "3")
    assert (again.exit_code, "--dataset" in again.stderr, "add --allow-code" in again.stderr) == (2, True, True)
    wrong = cli("run", "--preset", "onecycle", "--dataset", here.of("one_part"), "--allow-code")
    assert (wrong.exit_code, "gave a tensor of 40×3×8×8 as train, not a pair" in wrong.stderr) == (2, True)
    assert "'mine' is neither one of mnist-5k" in cli("run", "--dataset", "mine").stderr
    assert len(made(runs)) == 1


def stopped(cli: Cli, here: OwnModule) -> None:
    """A run that was killed by its own code in the second epoch, with a checkpoint from which it goes on."""
    text = here.file.read_text("utf-8")
    bad = text + "\n\nseen = []\n\n\ndef ends(output, target):\n    seen.append(1)\n    if len(seen) > 7:\n"
    here.file.write_text(bad + "        raise ValueError('enough')\n    return same(output, target)\n", "utf-8")
    result = cli("run", *ONE_EPOCH, "--epochs", "3", "--loss", here.of("ends"), "--allow-code")
    assert result.exit_code == 1, result.output
    here.file.write_text(text + "\n\ndef ends(output, target):\n    return same(output, target)\n", "utf-8")
    forgotten(here)


@pytest.mark.says("code.of_a_record", "code.changed")
@pytest.mark.never_says("code.not_allowed")
def test_resume_asks_for_it_again_and_goes_on_from_any_folder(
    cli: Cli, runs: Path, here: OwnModule, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stopped(cli, here)
    Path(f"{here.file}.loaded").unlink()
    monkeypatch.chdir(tmp_path)
    result = cli("resume", only(runs).name)
    assert result.exit_code == 2
    assert f"runs code: --loss {here.of('ends')}, from {here.folder}; if you know it, add --allow-code" in result.stderr
    assert not is_loaded(here)
    result = cli("resume", only(runs).name, "--allow-code")
    assert result.exit_code == 0, result.output
    assert is_loaded(here)
    assert open_run(only(runs)).summary.epochs_done == 3


def test_a_session_asks_for_it_again_and_trains_anew_what_may_be_other_code(
    cli: Cli, runs: Path, here: OwnModule
) -> None:
    code = ["--loss", here.of("same"), "--optimizer", here.of("Lion")]
    asked = ["compare", "none", "steplr", "--epochs", "1", *SMALL, *code, "--name", "two"]
    assert cli(*asked, "--allow-code").exit_code == 0
    session = Session.open(next((runs / "sessions").iterdir()))
    assert all(session.record_of(entry) for entry in session.entries)
    trained = [open_run(session.record_of(entry)).summary for entry in session.entries]
    assert [run.config["optimizer.name"] for run in trained] == [here.of("Lion")] * 2
    (session.folder / "trials.jsonl").unlink()  # as one whose runs have not begun
    forgotten(here)
    again = cli("compare", "two")
    assert again.exit_code == 2
    assert f"{session.id} runs code: --loss {here.of('same')}" in again.stderr
    assert cli("compare", "two", "--allow-code").exit_code == 0
    before = len(made(runs))
    assert cli(*asked, "--allow-code").exit_code == 0
    assert len(made(runs)) == before + 2


def test_a_preset_that_names_code_is_refused_as_data(cli: Cli, runs: Path, here: OwnModule) -> None:
    preset = here.folder / "mine.toml"
    steplr = '[optimizer]\nname = "SGD"\nlr = 0.1\n'
    for text, words in {
        f'{steplr}[for]\nmodel = "{here.of("net")}"\n': "for.model",
        f'loss = "{here.of("same")}"\n{steplr}': "loss",
        f'{steplr}[training]\nloss = "{here.of("same")}"\n': "training.loss",
        steplr.replace("SGD", here.of("same")): "optimizer.name",
        f"allow_code = true\n{steplr}": "allow_code",
    }.items():
        preset.write_text(text)
        result = cli("run", "--preset", str(preset), *SMALL, "--allow-code")
        assert (result.exit_code, words in result.stderr) == (2, True), result.output
    assert not is_loaded(here)
    assert made(runs) == []


@pytest.mark.slow
@pytest.mark.usefixtures("trainers_in_forks")
def test_processes_that_train_for_a_session_may_run_what_it_was_allowed(cli: Cli, runs: Path, here: OwnModule) -> None:
    asked = ["compare", "none", "steplr", "--epochs", "1", *SMALL, "--loss", here.of("same"), "--jobs", "2"]
    assert cli(*asked, "--allow-code").exit_code == 0
    until(lambda: len([run for run in made(runs) if (run / "run.json").exists()]) == 2)


@pytest.mark.says("code.left_out")
def test_what_an_optimizer_leaves_out_is_told_by_run_and_find_lr(cli: Cli, here: OwnModule) -> None:
    given = ["--optimizer", here.of("of_matrices"), "--allow-code"]
    words = f"{given[1]} leaves out 2 of 4 parameters, which stay as they began: "
    assert words in cli("run", *ONE_EPOCH, *given).stdout
    test = ["--model", "mlp", "--limit-train", "100", "--threads", "1", "--device", "cpu", "--steps", "30"]
    assert f"warning: --optimizer {words}" in cli("find-lr", "none", *test, *given).stderr


@pytest.mark.says("code.not_allowed", "code.failed")
@pytest.mark.never_says("code.of_a_record", "code.no_module")
def test_a_range_test_is_made_with_code_that_is_allowed(cli: Cli, runs: Path, here: OwnModule) -> None:
    given = ["--model", here.of("net"), "--loss", here.of("logs"), "--limit-train", "100", "--threads", "1"]
    test = ["find-lr", "none", *given, "--device", "cpu", "--steps", "30", "--from", "1e-3", "--json"]
    refused = cli(*test)
    assert (refused.exit_code, is_loaded(here)) == (2, False)
    assert f"is code, from {here.folder}, and runs only with --allow-code" in refused.stderr
    assert made(runs) == []
    told = json.loads(cli(*test, "--allow-code").stdout)
    assert (told["model"], told["loss"]) == (here.of("net"), here.of("logs"))
    assert len(told["curves"][0]["losses"]) == 30
    forgotten(here)
    shown = cli("find-lr", "--show", told["record"], "--json")
    assert json.loads(shown.stdout)["curves"] == told["curves"]  # what is opened runs nothing
    assert here.name not in sys.modules
    fails = cli(*test[:-1], "--allow-code", "--loss", here.of("fails"))
    assert fails.exit_code == 1
    assert "ValueError: the moon is full" in fails.stderr
    assert "tui_trainer" not in fails.stderr.partition("error in your code")[2]
