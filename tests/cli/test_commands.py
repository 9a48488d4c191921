"""What is said of commands and names that are none."""

from __future__ import annotations

import re
from collections.abc import Callable

import click
import pytest
from click.testing import Result

from tui_trainer.cli import main
from tui_trainer.records.runs_folder import ENVIRONMENT
from tui_trainer.run_options import DATASET, MODEL
from tui_trainer.run_sources.notifier import LONGEST_S
from tui_trainer.ui.terminal.terminal import MOST_PER_SECOND

Cli = Callable[..., Result]


@pytest.mark.parametrize(("typed", "meant"), [("atach", "attach"), ("ran", "run"), ("checkpont", "checkpoint")])
def test_a_misspelt_command_is_answered_with_the_nearest(cli: Cli, typed: str, meant: str) -> None:
    result = cli(typed)
    assert result.exit_code == 2
    assert f"No such command '{typed}'. Did you mean '{meant}'?" in result.stderr


def test_a_command_like_no_other_and_a_misspelt_option_are_answered_as_ever(cli: Cli) -> None:
    assert "No such command 'xyzzy'." in cli("xyzzy").stderr
    assert "Did you mean" not in cli("xyzzy").stderr
    assert "--verson" in cli("--verson").stderr


def test_what_is_neither_preset_nor_run_is_said_in_a_line_for_each(cli: Cli) -> None:
    result = cli("compare", "quux", "steplr")
    assert result.exit_code == 2
    no_preset, no_run = result.stderr.splitlines()
    assert no_preset.startswith("quux: no preset of this name; name one of none, steplr")
    assert no_preset.endswith("or give a path.")
    assert no_run.startswith("there are no runs in ")


def test_of_a_misspelt_preset_the_question_ends_its_line(cli: Cli) -> None:
    assert cli("compare", "stplr", "steplr").stderr.splitlines()[0].endswith("did you mean steplr?")


def test_help_says_when_a_best_epoch_is_told(cli: Cli) -> None:
    said = " ".join(cli("run", "--help").stdout.split())
    assert "best: an epoch that is the best so far, after one that was not; once a minute at most" in said


def test_open_is_another_name_of_attach(cli: Cli) -> None:
    assert cli("open", "--help").stdout == cli("attach", "--help").stdout.replace(" attach ", " open ", 1)


@pytest.fixture(scope="module")
def commands() -> dict[str, click.Command]:
    """Every command by its name, those of groups behind the group's."""
    found: dict[str, click.Command] = {}
    for name in main.list_commands(click.Context(main)):
        command = main.get_command(click.Context(main), name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {below}": each for below, each in command.commands.items()}
    return found


def _options(command: click.Command) -> list[click.Option]:
    return [each for each in command.params if isinstance(each, click.Option)]


def test_every_command_and_every_option_has_help(commands: dict[str, click.Command]) -> None:
    assert [name for name, command in commands.items() if not command.help] == []
    assert [
        (name, each.opts) for name, command in commands.items() for each in _options(command) if not each.help
    ] == []


def test_help_says_what_each_option_does_and_nothing_of_others(commands: dict[str, click.Command]) -> None:
    for name, command in commands.items():
        said = command.get_help(click.Context(command, info_name=name, help_option_names=["--help"]))
        listed = "".join(said.partition("Options:")[2].split())  # a line may end behind a hyphen
        taken = _options(command)
        assert set(re.findall(r"(?m)^  (?:-\w, )?(--[a-z-]+)", said.partition("Options:")[2])) <= {
            *(option for each in taken for option in each.opts),
            "--help",
        }
        for each in taken:
            assert "".join((each.help or "").split()) in listed, (name, each.opts)


@pytest.mark.parametrize(
    ("command", "option", "words"),
    [
        ("run", "--dataset", f"else {DATASET}."),
        ("run", "--model", f"else {MODEL}."),
        ("run", "--notify", f"for {LONGEST_S:g} seconds at most"),
        ("launch", "--max-rate", f"default: {MOST_PER_SECOND // 1000}."),
        ("runs", "--runs-dir", f"${ENVIRONMENT}"),
    ],
)
def test_defaults_that_help_tells_are_those_that_are_taken(
    command: str, option: str, words: str, commands: dict[str, click.Command]
) -> None:
    assert words in next(each.help or "" for each in _options(commands[command]) if option in each.opts)
