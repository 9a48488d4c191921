"""Commands that are told to be typed: of a run or a comparison, so that they find it."""

from __future__ import annotations

import shlex
from pathlib import Path

from tui_trainer.files.given_path import BadPath
from tui_trainer.records.run_index import runs_folder


def shell_command(name: str, identity: str, runs: Path) -> str:
    """With the folder of runs, where the command would not look there by itself; `identity` may be empty."""
    try:
        is_found = runs == runs_folder()
    except BadPath:  # of TUI_TRAINER_RUNS, which an option stood in for
        is_found = False
    return " ".join(["tui-trainer", name, *filter(None, [identity]), *([] if is_found else _where(runs))])


def _where(runs: Path) -> list[str]:
    return ["--runs-dir", shlex.quote(str(runs))]
