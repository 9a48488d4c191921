"""The runs of a folder: which there are, how they stand, and which one is meant."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import platformdirs

from tui_trainer.given_path import BadPath, given_path
from tui_trainer.numbers import counted
from tui_trainer.regular import is_regular
from tui_trainer.runs.errors import RunNotFound, RunsFolderUnwritable, reason, unsaid
from tui_trainer.runs.facts import read_facts
from tui_trainer.runs.lock import WriterLock
from tui_trainer.runs.summary import RunSummary, summarize

ENVIRONMENT = "TUI_TRAINER_RUNS"
_NAMED_AT_MOST = 5


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


def folders(runs: Path, warn: Callable[[str], None] = unsaid) -> list[Path]:
    """The folders in `runs` that hold a record, in no order; none where there is no such folder.

    `warn` is told, in words, of each that cannot be looked into, or where what should be a record is none.

    Raises:
        PermissionError: `runs` itself cannot be read.
    """
    try:
        with os.scandir(runs) as entries:
            found = sorted(Path(entry.path) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder for folder in found if _is_record(folder, warn)]


def summaries(runs: Path, warn: Callable[[str], None] = unsaid) -> list[RunSummary]:
    """All runs of a folder, newest first. What is no record is passed over, and `warn` told of what cannot be read.

    Raises:
        PermissionError: the folder itself cannot be read.
    """
    found = [summarize(folder) for folder in folders(runs, warn)]
    return sorted(found, key=lambda run: (run.started_at or 0.0, run.id), reverse=True)


def newest(runs: Path) -> Path:
    """The run that was begun last.

    Raises:
        RunNotFound: there is none.
    """
    unread: list[str] = []
    found = folders(runs, unread.append)
    if not found:
        raise RunNotFound(none_there(runs, unread))
    return max(found, key=_begun)


def find(runs: Path, given: str) -> Path:
    """The folder of the run that is meant: by its id, its name, the unique start of an id, or a path.

    Raises:
        RunNotFound: nothing goes by that, or several do; the sentence names what comes near.
    """
    path, no_path = _path_of(given)
    if path is not None and os.sep in given and _is_record(path):
        return path
    unread: list[str] = []
    found = sorted(folders(runs, unread.append), key=_begun, reverse=True)
    names = {folder: read_facts(folder).get("name") for folder in found}
    for matches in (
        [folder for folder in found if folder.name == given],
        [folder for folder in found if names[folder] == given and given],
        [folder for folder in found if folder.name.startswith(given) and given],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise RunNotFound(f"{given!r} may be any of {_listed(matches)}. Say more of the id.")
    if path is not None and given and _is_record(path):
        return path
    if no_path and os.sep in given:
        raise RunNotFound(f"there is no run of this name in {runs}, and as a path: {no_path}.")
    if not found:
        raise RunNotFound(none_there(runs, unread))
    raise RunNotFound(f"there is no run {given!r} in {runs}.{_near(given, found, names)}")


def named(runs: Path, name: str) -> int:
    """How many runs bear a name."""
    return sum(read_facts(folder).get("name") == name for folder in folders(runs))


def delete(folder: Path) -> None:
    """Delete the record in a folder for good, checkpoints and all.

    Raises:
        RunInUse: it is live.
        RunsFolderUnwritable: the file system does not let it.
    """
    try:
        lock = WriterLock(folder)
        try:
            shutil.rmtree(folder)
        finally:
            lock.release()
    except OSError as cause:
        raise RunsFolderUnwritable(folder, cause) from cause


def _path_of(given: str) -> tuple[Path | None, str]:
    """What was given as a path; where it can be none, why: it may be a name all the same."""
    try:
        return given_path(given), ""
    except BadPath as error:
        return None, str(error)


def _is_record(folder: Path, warn: Callable[[str], None] = unsaid) -> bool:
    """Whether one of the two files is there that make a record; what only has their names is told to `warn`."""
    there = False
    for name in ("run.json", "events.jsonl"):
        try:
            if is_regular(folder / name):
                return True
            there = there or (folder / name).exists()
        except OSError as cause:
            warn(f"{folder} cannot be read: {reason(cause)}")
            return False
    if there:
        warn(f"{folder} cannot be read: its run.json and events.jsonl are no files")
    return False


def _begun(folder: Path) -> tuple[float, str]:
    created = read_facts(folder).get("created_at")
    if not isinstance(created, int | float):
        try:
            created = folder.stat().st_mtime
        except OSError:
            created = 0.0
    return created, folder.name


def _listed(folders: list[Path]) -> str:
    names = [folder.name for folder in folders[:_NAMED_AT_MOST]]
    more = len(folders) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _near(given: str, found: list[Path], names: dict[Path, object]) -> str:
    words = {folder.name: folder.name for folder in found}
    words |= {name: name for name in names.values() if isinstance(name, str)}
    import difflib

    near = difflib.get_close_matches(given, words, n=3, cutoff=0.5)
    near += [word for word in words if given and given in word and word not in near][: 3 - len(near)]
    if near:
        return f" Near it: {', '.join(near)}."
    return f" The newest is {found[0].name}; `tui-trainer runs` lists them all."


def none_there(runs: Path, unread: Sequence[str]) -> str:
    """What to tell of a folder without a run; `unread` says what in it cannot be read."""
    elsewhere = "--runs-dir DIR looks elsewhere."
    if unread:
        more = f" ({counted(len(unread) - 1, 'folder')} more likewise)" if len(unread) > 1 else ""
        return f"there is no run in {runs} that can be read: {unread[0]}{more}. {elsewhere}"
    return f"there are no runs in {runs} yet. `tui-trainer launch` starts one; {elsewhere}"
