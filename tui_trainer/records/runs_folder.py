"""Where the records of runs lie, and commands that find one there."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import platformdirs

from tui_trainer.files.given_path import BadPath, given_path

ENVIRONMENT = "TUI_TRAINER_RUNS"


def runs_folder(option: str | os.PathLike[str] | None = None) -> Path:
    """The folder of all runs: what `--runs-dir` says, else TUI_TRAINER_RUNS, else the user's data folder.

    Raises:
        BadPath: it can be none, or cannot be reached.
    """
    if option:
        return given_path(option)
    if said := os.environ.get(ENVIRONMENT):
        return given_path(said, ENVIRONMENT)
    return given_path(platformdirs.user_data_path("tui-trainer", appauthor=False) / "runs")


def shell_command(name: str, identity: str, runs: Path) -> str:
    """A command to be typed, of a run or a comparison; with their folder, where it would not look there by itself.

    Args:
        name: the command's.
        identity: the id of the run or the comparison; may be empty.
        runs: the folder.
    """
    try:
        is_found = runs == runs_folder()
    except BadPath:  # of TUI_TRAINER_RUNS, which an option stood in for
        is_found = False
    where = "" if is_found else f" --runs-dir {shlex.quote(str(runs))}"
    return f"tui-trainer {name}{f' {identity}' if identity else ''}{where}"
