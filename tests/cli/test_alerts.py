"""Rules, and addresses that are told of them, on real runs: options, presets, comparisons, resumed runs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from tests.cli.conftest import SMALL
from tests.cli.test_launch import only
from tests.run_sources.test_webhook import SECRET, Listening
from tui_trainer.cli.notify_options import NotifyOptions, notify_options
from tui_trainer.commands import Stop
from tui_trainer.events import Alert, AnyEvent, EpochEnded
from tui_trainer.presets.catalogue import load
from tui_trainer.presets.checks import check_text, parse
from tui_trainer.presets.schema import Preset
from tui_trainer.records.run_metadata import read_facts
from tui_trainer.records.tail import Tail
from tui_trainer.run_request import RunRequest
from tui_trainer.run_sources.in_process import LocalRun, asked_of
from tui_trainer.run_spec import RunSpec
from tui_trainer.text.alert_rule import MOST_RULES

Cli = Callable[..., Result]

LONGEST_S = 120.0

PLAIN = '[optimizer]\nname = "SGD"\nlr = 0.1\n'


@pytest.fixture
def listening() -> Iterator[Listening]:
    server = Listening()
    yield server
    server.close()


def alerts(folder: Path) -> list[Alert]:
    with Tail(folder / "events.jsonl") as tail:
        return [event for event in tail if isinstance(event, Alert) and event.rule]


def everything_in(folder: Path) -> str:
    return "".join(file.read_bytes().decode("latin-1") for file in folder.rglob("*") if file.is_file())


def test_a_rule_of_the_options_and_one_of_the_preset_are_told_recorded_and_run_a_command(
    cli: Cli, runs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    tell = tmp_path / "tell.py"
    tell.write_text(
        "import os\n"
        "facts = [os.environ['TUI_TRAINER_' + name] for name in ('EVENT', 'RULE', 'TEXT')]\n"
        f"print(*facts, sep='|', file=open({str(out)!r}, 'a'))\n"
    )
    preset = tmp_path / "watched.toml"
    preset.write_text(f'alerts = ["lr >= 0.1", "val_accuracy > 2"]\n{PLAIN}')
    result = cli(
        *("run", "--preset", str(preset), *SMALL, "--epochs", "2"),
        *("--alert", "val_loss > 0 for 2 epochs", "--notify", f"{sys.executable} {tell}", "--notify-on", "alert"),
    )
    assert result.exit_code == 0, result.output
    first, second = alerts(only(runs))
    assert (first.kind, first.rule) == ("alert", "lr >= 0.1")
    assert first.text.startswith("alert: lr >= 0.1: 0.1 at step 1, epoch 1")
    assert (second.kind, second.rule) == ("alert", "val_loss > 0 for 2 epochs")
    assert second.text.endswith(" at step 8, epoch 2")
    assert first.text in result.output
    assert out.read_text().splitlines() == [f"alert|{told.rule}|{told.text}" for told in (first, second)]


def test_a_run_that_is_gone_on_with_keeps_its_rules_takes_more_and_tells_none_twice(cli: Cli, runs: Path) -> None:
    rules = ("loss > 0", "val_loss > 0 for 3 epochs")
    options = {"model": "mlp", "limit_train": 200, "limit_val": 50, "threads": 1, "device": "cpu"}
    spec = RunSpec.of("none", load("none"), epochs=4, alerts=rules, **options)
    local = LocalRun(RunRequest.of(spec), runs, ["test"])

    def stop_after_two(event: AnyEvent) -> None:
        if isinstance(event, EpochEnded) and event.epoch == 2:
            local.control.send(Stop(by="test", reason="enough"))

    local.listen(stop_after_two)
    local.start()
    ended = local.wait(LONGEST_S)
    assert ended is not None
    assert ended.status == "stopped"
    folder = only(runs)
    assert [told.rule for told in alerts(folder)] == ["loss > 0"]
    assert asked_of(folder).alerts == rules
    result = cli("resume", folder.name, "--alert", "lr > 0")
    assert result.exit_code == 0, result.output
    told = alerts(folder)
    assert [alert.rule for alert in told] == ["loss > 0", "lr > 0", "val_loss > 0 for 3 epochs"]
    assert told[2].text.endswith(" at step 12, epoch 3")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--alert", "val_loss = 2"], "= compares nothing; == is right"),
        (["--alert", "__import__('os')"], "Invalid value for '--alert'"),
        ([piece for i in range(MOST_RULES + 1) for piece in ("--alert", f"x > {i}")], "51 rules are too many"),
        (["--webhook", f"http://example.com/{SECRET}"], "Invalid value for '--webhook': it is http"),
        (["--webhook-file", "/nowhere/at-all"], "/nowhere/at-all: cannot be read: No such file"),
    ],
)
@pytest.mark.parametrize("command", [["run", "--preset", "none"], ["launch"], ["resume", "x"]])
def test_what_is_wrong_is_said_before_anything_begins(
    cli: Cli, runs: Path, options: list[str], words: str, command: list[str]
) -> None:
    result = cli(*command, *options)
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())
    assert SECRET not in result.output
    assert not runs.exists()


def test_a_comparison_takes_rules_and_they_make_no_difference_to_what_was_trained(cli: Cli, runs: Path) -> None:
    sizes = [*SMALL, "--epochs", "1"]
    assert cli("compare", "none", "steplr", *sizes, "--alert", "loss > 0").exit_code == 0
    folders = sorted(folder for folder in runs.iterdir() if (folder / "run.json").exists())
    assert [[told.rule for told in alerts(folder)] for folder in folders] == [["loss > 0"]] * 2
    assert cli("compare", "none", "steplr", *sizes).exit_code == 0
    assert sorted(folder for folder in runs.iterdir() if (folder / "run.json").exists()) == folders


# Where events are posted to


def test_events_are_posted_and_the_address_is_nowhere(cli: Cli, runs: Path, listening: Listening) -> None:
    result = cli(
        *("run", "--preset", "none", *SMALL, "--epochs", "1"),
        *("--alert", "loss > 0", "--webhook", listening.address),
    )
    assert result.exit_code == 0
    told = [json.loads(body) for *_, body in listening.posted]
    assert [(fact["event"], fact["rule"], fact["exit_code"]) for fact in told] == [
        ("alert", "loss > 0", None),
        ("end", "", 0),
    ]
    assert told[0]["run"] == only(runs).name
    assert "warning: --webhook: whoever may list the processes of this machine can read the address" in result.output
    assert SECRET not in everything_in(runs) + result.output


def test_the_address_may_stand_in_a_file_or_in_the_environment(
    cli: Cli, runs: Path, listening: Listening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hook"
    file.touch(0o600)
    file.write_text(listening.address)
    run = ["run", "--preset", "none", *SMALL, "--epochs", "1"]
    result = cli(*run, "--webhook-file", str(file))
    assert result.exit_code == 0
    assert "list of processes" not in result.output
    assert len(listening.posted) == 1
    monkeypatch.setenv("TUI_TRAINER_WEBHOOK", listening.address)
    env = f"{sys.executable} -c 'import os; print(dict(os.environ))'"
    result = cli(*run, "--notify", env)
    assert result.exit_code == 0
    assert len(listening.posted) == 2
    assert "TUI_TRAINER_EVENT" in everything_in(runs)
    assert SECRET not in everything_in(runs) + result.output
    monkeypatch.setenv("TUI_TRAINER_WEBHOOK", f"http://example.com/{SECRET}")
    result = cli(*run)
    assert result.exit_code == 2
    assert "TUI_TRAINER_WEBHOOK: it is http" in result.output
    assert SECRET not in result.output


def test_what_the_environment_says_keeps_no_paused_run_from_going_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only options are refused where the run trains in another process, which alone could tell."""
    seen: list[NotifyOptions] = []

    @click.command()
    @notify_options
    def command(told: NotifyOptions) -> None:
        seen.append(told)

    monkeypatch.setenv("TUI_TRAINER_WEBHOOK", "https://example.com/x")
    for options in ([], ["--webhook", "https://example.com/y"], ["--bell"], ["--notify", "true"]):
        assert CliRunner().invoke(command, options).exit_code == 0
    assert [told.is_asked for told in seen] == [False, True, True, True]
    assert [len(told.notify) for told in seen] == [1, 1, 1, 2]


def test_one_that_fails_is_a_notice_and_the_run_is_as_it_was(cli: Cli, runs: Path, listening: Listening) -> None:
    listening.answer = lambda request: request.send_response(500)
    result = cli(
        "run", "--preset", "none", *SMALL, "--epochs", "1", "--alert", "loss > 0", "--webhook", listening.address
    )
    assert result.exit_code == 0
    with Tail(only(runs) / "events.jsonl") as tail:
        notices = [event.text for event in tail if isinstance(event, Alert) and event.kind == "notify"]
    assert notices == ["--webhook: 127.0.0.1 answered 500"]


def test_what_a_command_line_holds_for_others_is_not_in_the_record(
    cli: Cli, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify = f"true -H 'Authorization: Bearer {SECRET}' https://example.com/?token={SECRET}"
    argv = ["tui-trainer", "run", "--preset", "none", *SMALL, "--epochs", "1", "--notify", notify]
    monkeypatch.setattr(sys, "argv", argv)
    assert cli(*argv[1:]).exit_code == 0
    assert SECRET not in everything_in(runs)
    assert read_facts(only(runs))["command"][:-1] == argv[:-1]


# Presets


def test_rules_stand_in_a_preset() -> None:
    preset = parse(f'alerts = ["val_loss>2 for 3 epochs", "loss is nan"]\n{PLAIN}')
    assert preset.alerts == ("val_loss > 2 for 3 epochs", "loss is nan")
    assert Preset.model_validate(json.loads(preset.model_dump_json())) == preset
    spec = RunSpec.of("mine", preset, alerts=("lr < 1e-6", "loss is nan"))
    assert [str(rule) for rule in spec.rules] == ["val_loss > 2 for 3 epochs", "loss is nan", "lr < 1e-06"]
    assert RunSpec.model_validate(json.loads(spec.model_dump_json())) == spec
    assert "alerts" not in parse(PLAIN).model_dump()  # as versions have it that know none


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('alerts = ["val_loss = 2"]', 'mine.toml:2: alerts: item 1, "val_loss = 2": = compares nothing; == is right'),
        ('alerts = ["loss is nan", "", "x > 1"]', 'mine.toml:2: alerts: item 2, "": it names no series'),
        ('alerts = "val_loss > 2"', "mine.toml:2: alerts: is a list of rules in quotes"),
        ("alerts = [1]", "mine.toml:2: alerts: is a list of rules in quotes"),
        ('[[alerts]]\nrule = "val_loss > 2"\nnotify = "rm -rf /"', "mine.toml:2: alerts: is a list of rules in quotes"),
        (f"alerts = {[f'x > {i}' for i in range(MOST_RULES + 1)]}", "mine.toml:2: alerts: 51 rules are too many"),
        ('alert = ["val_loss > 2"]', "mine.toml:2: alert: not known to a preset; did you mean alerts?"),
        *(
            (
                f"{key} = {value}",
                f"mine.toml:2: {key}: not known to a preset; a preset holds no commands and no addresses",
            )
            for key, value in (
                ("notify", '"touch /tmp/harm"'),
                ("webhook", '"https://example.com/x"'),
                ("webhook_file", '"/etc/passwd"'),
                ("url", '"https://example.com/x"'),
                ("command", '["touch", "/tmp/harm"]'),
                ("notify_on", '"end"'),
            )
        ),
    ],
)
def test_a_preset_with_a_rule_that_is_none_or_with_a_command_is_refused_with_its_line(text: str, problem: str) -> None:
    checked = check_text(f'title = "x"\n{text}\n{PLAIN}', "mine.toml")
    assert checked.preset is None
    assert any(str(found).startswith(problem) for found in checked.errors), [str(found) for found in checked.errors]


@pytest.mark.parametrize("table", ["training", "optimizer", "for", "warmup", "scheduler"])
@pytest.mark.parametrize("key", ["notify", "webhook", "command"])
def test_nor_does_any_table_of_it_hold_one(table: str, key: str) -> None:
    name = {"optimizer": 'name = "SGD"\nlr = 0.1\n', "scheduler": 'name = "none"\n'}.get(table, "")
    rest = "" if table == "optimizer" else PLAIN
    checked = check_text(f'{rest}[{table}]\n{name}{key} = "https://example.com/x"\n', "mine.toml")
    assert checked.preset is None
    assert any(
        f"{table}.{key}: not known to" in str(found) or f"{table}.{key}: " in str(found) for found in checked.errors
    )


def test_a_record_whose_rules_are_none_cannot_be_gone_on_with(cli: Cli, runs: Path) -> None:
    assert cli("run", "--preset", "none", *SMALL, "--epochs", "1").exit_code == 0
    file = only(runs) / "run.json"
    facts = json.loads(file.read_text())
    file.write_text(json.dumps(facts | {"asked": facts["asked"] | {"alerts": ["__import__('os').system('id')"]}}))
    os.truncate(only(runs) / "events.jsonl", 0)
    result = cli("resume", only(runs).name)
    assert result.exit_code == 2
    assert "alerts" in result.output
