"""What is said of commands and names that are none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result

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
