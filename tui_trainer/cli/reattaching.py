"""A page that is opened again: what an earlier page of the same `serve` began, and still trains, is shown by it.

The processes of all pages inherit a word from their `serve`, and who writes a record stands in its lock.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tui_trainer.compare.session import all_sessions
from tui_trainer.runs.catalogue import folders
from tui_trainer.runs.errors import RunsError
from tui_trainer.runs.lock import is_live, writer

SERVED_BY = "TUI_TRAINER_SERVED_BY"
"""The variable that tells the processes of one `serve` from those of others."""


def command_of_page(command: Sequence[str], runs: Path, environment: Mapping[str, str] = os.environ) -> list[str]:
    """What to run for a page: the command, or a view of what it has begun before and still trains."""
    name, session = command[0], environment.get(SERVED_BY)
    if session is None or name not in ("launch", "compare"):
        return list(command)
    where = ["--runs-dir", str(runs)]
    try:
        if (comparison := _newest(all_sessions(runs), session)) is not None:
            return ["compare", comparison.name, *where]
        if name == "launch" and (run := _newest(folders(runs), session)) is not None:
            return ["attach", run.name, *where]
    except (OSError, RunsError):
        pass  # the command says itself what is wrong with its folder
    return list(command)


def _newest(found: Sequence[Path], session: str) -> Path | None:
    began_here = [folder for folder in found if is_live(folder) and _is_served_by(folder, session)]
    return max(began_here, key=lambda folder: folder.name, default=None)


def _is_served_by(folder: Path, session: str) -> bool:
    process = writer(folder)
    if process is None:
        return False
    import psutil  # only here: it is slow to import

    try:
        return psutil.Process(process).environ().get(SERVED_BY) == session
    except psutil.Error:
        return False  # another user's, or gone
