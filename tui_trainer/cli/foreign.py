"""What a person gives to a command as the path of what another tool has recorded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tui_trainer.cli.options import refuse
from tui_trainer.files.given_path import BadPath, given_path
from tui_trainer.records.errors import RunNotFound
from tui_trainer.records.run_index import find, folders
from tui_trainer.text.captions import say
from tui_trainer.text.numbers import listed
from tui_trainer.text.plain import plain

NAMED_AT_MOST = 4


def foreign_record(runs: Path, given: str, warn: Callable[[str], None]) -> Path | None:
    """The path of the record of another tool that is meant; None where a run of ours is, or nothing lies there.

    Where something lies there that is no record, nor holds one, say so and end the program, exit 2.

    Args:
        runs: the folder of our runs, whose ids and names come first.
        given: what was given.
        warn: told where there are several records: the one that was written last is meant.
    """
    try:
        path = given_path(given)
    except BadPath:
        return None
    if not path.exists() or _is_ours(runs, given):
        return None
    from tui_trainer.foreign_records import forms

    found = forms.records_in(path)
    if not found:
        if path.is_dir() and folders(path):
            refuse(say("foreign.runs_of_ours", folder=plain(given)))
        tools = ", ".join(["tui-trainer", *forms.TOOLS])
        refuse(say("foreign.none", path=plain(given), tools=tools))
    if len(found) > 1:
        names = [_within(record.path, path) for record in found]
        others = listed(names[1:], NAMED_AT_MOST)
        warn(say("foreign.several", count=f"{len(found):,}", folder=plain(given), name=names[0], others=others))
    return found[0].path


def _is_ours(runs: Path, given: str) -> bool:
    try:
        find(runs, given, lambda _: None)
    except RunNotFound:
        return False
    return True


def _within(path: Path, folder: Path) -> str:
    name = path.relative_to(folder).as_posix()
    return plain(folder.name if name == "." else name)
